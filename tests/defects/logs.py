# SPDX-License-Identifier: Apache-2.0
"""Terminal logs with one defect each, made from the sample log; the name says the defect.

golden-logs.tsv says what 'show' answers. Defects that change nothing of the list are here too.
"""
import pathlib
import re

LOG = pathlib.Path(__file__).resolve().parents[1] / "data" / "logs" / "putty.log"
DEFECTS = {}
ROW = "7\tPUBLICKEY\t140\n"  # of the first record
PAGER = "Press <enter> for 1 line, <space> for one page, or <q> to quit"


def defect(function):
    DEFECTS[function.__name__.replace("_", "-")] = function
    return function


def swap(text, old, new, count=1):
    assert old in text, old
    return text.replace(old, new, count)


def line_of(text, part):
    """The first line that holds the part, with its end."""
    return next(line for line in text.splitlines(keepends=True) if part in line)


@defect
def cut_in_the_header(text):
    return text[:text.index("8\tDIGESTALGORTITHM")]


@defect
def cut_in_a_row(text):
    return text[:text.index("4\tFUNCTION") + 6]


@defect
def cut_between_two_records(text):
    return text[:text.index("\tCTL Record #:3")]


@defect
def cut_behind_the_last_field(text):
    return text[:text.index("The CTL file was verified")]


@defect
def row_missing(text):
    return swap(text, ROW, "")


@defect
def row_twice(text):
    return swap(text, ROW, ROW * 2)


@defect
def row_truncated(text):
    return swap(text, ROW, "7\tPUBLIC\n")


@defect
def length_of_a_row_wrong(text):
    return swap(text, ROW, "7\tPUBLICKEY\t141\n")


@defect
def length_of_a_row_missing(text):
    return swap(text, ROW, "7\tPUBLICKEY\t\n")


@defect
def length_of_a_text_wrong(text):
    return swap(text, "DNSNAME\t\t16\tcucm-1051-a-pub", "DNSNAME\t\t16\tcucm-1051-a-pu")


@defect
def length_of_the_record_wrong(text):
    return swap(text, "RECORDLENGTH\t2\t1156", "RECORDLENGTH\t2\t1157")


@defect
def length_of_the_record_missing(text):
    return swap(text, "RECORDLENGTH\t2\t1156", "RECORDLENGTH\t2")


@defect
def length_of_the_header_wrong(text):
    return swap(text, "HeaderLength:\t336", "HeaderLength:\t332")


@defect
def length_of_the_header_no_number(text):
    return swap(text, "HeaderLength:\t336", "HeaderLength:\tmany")


@defect
def length_of_the_file_wrong(text):
    return swap(text, "Length of CTL file: 4947", "Length of CTL file: 4948")


@defect
def length_of_the_file_missing(text):
    return swap(text, "Length of CTL file: 4947\n", "")


@defect
def version_no_number(text):
    return swap(text, "Version:\t1.2", "Version:\tone")


@defect
def version_missing(text):
    return swap(text, "Version:\t1.2\n", "")


@defect
def number_of_a_record_twice(text):
    return swap(text, "CTL Record #:3", "CTL Record #:2")


@defect
def record_missing(text):
    start, end = text.index("\tCTL Record #:2"), text.index("\tCTL Record #:3")
    return text[:start] + text[end:]


@defect
def record_twice(text):
    start, end = text.index("\tCTL Record #:2"), text.index("\tCTL Record #:3")
    return text[:end] + text[start:]


@defect
def records_exchanged(text):
    a, b, c = (text.index(f"\tCTL Record #:{n}") for n in (2, 3, 4))
    return text[:a] + text[b:c] + text[a:b] + text[c:]


@defect
def function_unknown(text):
    return swap(text, "FUNCTION\t2\tCAPF", "FUNCTION\t2\tCAPP")


@defect
def serial_too_short(text):
    return swap(text, "SERIALNUMBER\t16\t70:CA:", "SERIALNUMBER\t16\t70:")


@defect
def serial_no_hexadecimal(text):
    return swap(text, "SERIALNUMBER\t16\t70:CA:", "SERIALNUMBER\t16\t70:CX:")


@defect
def signature_row_missing(text):
    return swap(text, line_of(text, "31  f6  19"), "")


@defect
def signature_row_twice(text):
    row = line_of(text, "31  f6  19")
    return swap(text, row, row * 2)


@defect
def certificate_hash_cut(text):
    return swap(text, " 3C 3B 49 32" if " 3C 3B 49 32" in text else "3C 3B 49 32", "3C 3B")


@defect
def pager_in_the_signature(text):
    row = line_of(text, "31  f6  19")
    return swap(text, row, PAGER + "\n" + row)


@defect
def pager_glued_in_front_of_a_row(text):
    row = line_of(text, "31  f6  19")
    return swap(text, row, PAGER + row)


@defect
def prompt_in_the_middle(text):
    return swap(text, "\tCTL Record #:3", "admin:\n\tCTL Record #:3")


@defect
def another_command_in_the_middle(text):
    return swap(text, "\tCTL Record #:3", "admin:show version active\nActive Master Version: 12.5\n")


@defect
def two_lists_run_into_each_other(text):
    start = text.index("The checksum value")
    return text[:text.index("4\tFUNCTION")] + text[start:]


@defect
def two_lists_without_the_first_s_end(text):
    start, end = text.index("The checksum value"), text.index("The CTL file was verified")
    return text[:end] + text[start:]


@defect
def an_itl_s_record_in_a_ctl(text):
    return swap(text, "CTL Record #:2", "ITL Record #:2")


@defect
def md5_too_short(text):
    return swap(text, "45627437aa83f931627e06ab3387063d", "45627437aa83f931627e06ab338706")


@defect
def last_modified_no_time(text):
    return re.sub(r"last modified on .*", "last modified on", text)
