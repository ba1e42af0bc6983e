/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Lists from terminal logs: whatever a terminal does to the text, the list in
 * it is the same; what the text does not have is a gap.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "signer/text/printed.h"
#include "tests/tlv/bytes_file.h"

/* Every byte of the file is in the printed list, or in a gap of it. */
static void assert_same_but_gaps(const struct printed *p, struct span file)
{
	struct span bytes = buf_span(&p->bytes);
	size_t at = 0;

	assert_int_equal(bytes.n, file.n);
	for (size_t i = 0; i <= p->ngaps; i++) {
		size_t end = i < p->ngaps ? p->gaps[i].at : bytes.n;

		assert_true(
			span_eq(span_slice(bytes, at, end - at), span_slice(file, at, end - at)));
		at = i < p->ngaps ? end + p->gaps[i].n : end;
	}
	assert_int_equal(at, file.n);
}

static struct printed_lists find(const struct buf *text)
{
	struct printed_lists lists;
	struct tlv_err e = TLV_ERR_INIT;

	assert_int_equal(printed_find(&lists, buf_span(text), &e), ST_OK);
	return lists;
}

static void assert_log_is(const struct buf *text, size_t gaps)
{
	struct buf file = test_file("logs/genuine.tlv");
	struct printed_lists lists = find(text);

	assert_int_equal(lists.n, 1);
	assert_int_equal(lists.v[0].fault.status, ST_OK);
	assert_true(lists.v[0].has_md5 && lists.v[0].has_sha1 && lists.v[0].has_length);
	assert_string_equal(lists.v[0].modified, "Tue Mar 10 16:06:41 CET 2015");
	assert_same_but_gaps(&lists.v[0], buf_span(&file));
	assert_int_equal(lists.v[0].ngaps, gaps);
	assert_int_equal(lists.v[0].list.nrecords, 4);
	printed_free(&lists);
	buf_free(&file);
}

enum { GAPS = 3 + 4 * 4 }; /* 8, 11, 15; of each record 7, 8, 9, 10 */

static void a_log_has_the_list(void **state)
{
	struct buf text = test_file("logs/putty.log");

	(void)state;
	assert_log_is(&text, GAPS);
	buf_free(&text);
}

/* What was read, and what was printed, are the same when the first forgets. */
static void what_is_not_printed_is_forgotten(void **state)
{
	struct buf text = test_file("logs/putty.log"), file = test_file("logs/genuine.tlv");
	struct printed_lists lists = find(&text);
	struct tlv_err e = TLV_ERR_INIT;
	struct buf bytes = BUF_INIT;
	struct tlv_list l;

	(void)state;
	assert_int_equal(tlv_list_decode(&l, buf_span(&file), &e), ST_OK);
	assert_int_equal(printed_forget(&l, &bytes, &e), ST_OK);
	assert_true(lists.v[0].list.printed);
	assert_true(span_eq(buf_span(&bytes), buf_span(&lists.v[0].bytes)));
	assert_int_equal(tlv_list_record(&lists.v[0].list, 2).role, TLV_ROLE_CAPF);
	tlv_list_free(&l);
	printed_free(&lists);
	buf_free(&bytes);
	buf_free(&text);
	buf_free(&file);
}

/* What terminals and editors make of a text, one function each. */
static void with_crlf(struct span in, struct buf *out)
{
	for (size_t i = 0; i < in.n; i++) {
		if (span_at(in, i) == '\n')
			buf_u8(out, '\r');
		buf_u8(out, (uint8_t)span_at(in, i));
	}
}

static void with_blanks_for_tabs(struct span in, struct buf *out)
{
	size_t column = 0;

	for (size_t i = 0; i < in.n; i++) {
		int c = span_at(in, i);

		do {
			buf_u8(out, c == '\t' ? ' ' : (uint8_t)c);
			column++;
		} while (c == '\t' && column % 8 != 0);
		if (c == '\n')
			column = 0;
	}
}

/* A screen of 80 columns that was copied: lines are broken, blanks at their ends are lost. */
static void copied_from_a_screen(struct span in, struct buf *out)
{
	struct buf wide = BUF_INIT;
	size_t column = 0;

	with_blanks_for_tabs(in, &wide);
	for (size_t i = 0; i < wide.n; i++) {
		if (column == 80 && span_at(buf_span(&wide), i) != '\n') {
			buf_u8(out, '\n');
			column = 0;
		}
		column = span_at(buf_span(&wide), i) == '\n' ? 0 : column + 1;
		buf_u8(out, (uint8_t)span_at(buf_span(&wide), i));
	}
	buf_free(&wide);
}

static void with_a_pager(struct span in, struct buf *out)
{
	size_t lines = 0;

	for (size_t i = 0; i < in.n; i++) {
		buf_u8(out, (uint8_t)span_at(in, i));
		if (span_at(in, i) == '\n' && ++lines % 20 == 0)
			buf_str(out,
				"Press <enter> for 1 line, <space> for one page, or <q> to quit\r"
				"                                                            \r");
	}
}

static void with_colours(struct span in, struct buf *out)
{
	buf_str(out, "\x1b]0;admin@cucm\x07");
	for (size_t i = 0; i < in.n; i++) {
		buf_u8(out, (uint8_t)span_at(in, i));
		if (span_at(in, i) == '\n')
			buf_str(out, "\x1b[0m\x1b[32mx\b");
	}
}

static void as_utf16(struct span in, struct buf *out)
{
	buf_put(out, SPAN_LIT("\xff\xfe"));
	for (size_t i = 0; i < in.n; i++) {
		buf_u8(out, (uint8_t)span_at(in, i));
		buf_u8(out, 0);
	}
}

static void whatever_a_terminal_does(void **state)
{
	static void (*const doings[])(struct span, struct buf *) = {
		with_crlf,    with_blanks_for_tabs, copied_from_a_screen,
		with_a_pager, with_colours,	    as_utf16,
	};
	struct buf text = test_file("logs/putty.log");

	(void)state;
	for (size_t i = 0; i < sizeof doings / sizeof doings[0]; i++) {
		struct buf other = BUF_INIT;

		print_message("doing %zu\n", i);
		doings[i](buf_span(&text), &other);
		assert_log_is(&other, GAPS);
		buf_free(&other);
	}
	buf_free(&text);
}

/* Cut after any line: nothing crashes, and a list that is not whole has a fault. */
static void cut_anywhere(void **state)
{
	struct buf text = test_file("logs/putty.log");
	struct span whole = buf_span(&text);

	(void)state;
	for (size_t n = 0; n < whole.n; n++) {
		struct buf cut = BUF_INIT;
		struct printed_lists lists;

		if (span_at(whole, n) != '\n')
			continue;
		buf_put(&cut, span_slice(whole, 0, n));
		lists = find(&cut);
		if (lists.n == 1 && lists.v[0].fault.status == ST_OK)
			assert_int_equal(lists.v[0].list.nrecords, 4);
		printed_free(&lists);
		buf_free(&cut);
	}
	buf_free(&text);
}

static void several_in_one_log(void **state)
{
	struct buf one = test_file("logs/putty.log"), two = BUF_INIT;
	struct printed_lists lists;

	(void)state;
	buf_put(&two, buf_span(&one));
	buf_put(&two, buf_span(&one));
	lists = find(&two);
	assert_int_equal(lists.n, 2);
	assert_true(lists.v[0].line < lists.v[1].line);
	printed_free(&lists);
	buf_free(&one);
	buf_free(&two);
}

static void no_list_is_no_error(void **state)
{
	struct buf none = BUF_INIT;
	struct printed_lists lists;

	(void)state;
	buf_str(&none, "admin:show version\nCisco Unified\n\n");
	lists = find(&none);
	assert_int_equal(lists.n, 0);
	printed_free(&lists);
	buf_free(&none);
}

static struct span faulty(struct printed_lists *lists, struct buf *text, const char *more)
{
	buf_str(text, "The checksum value of the CTL file:\nLength of CTL file: 4947\n\n"
		      "\tParse CTL File\n\nVersion:\t1.2\n");
	buf_str(text, more);
	*lists = find(text);
	assert_int_equal(lists->n, 1);
	assert_int_equal(lists->v[0].fault.status, ST_INPUT);
	return span_str(err_text(&lists->v[0].fault));
}

static void faults_name_their_line(void **state)
{
	static const struct {
		const char *more, *says;
	} cases[] = {
		{ "HeaderLength:\tmany (BYTES)\n", "line 7: no header length" },
		{ "HeaderLength:\t12 (BYTES)\n3\tSIGNERID\t2\t149\n4\tSIGNERNAME\t3\tab\n",
		  "line 9: the header's fields are longer" },
		{ "HeaderLength:\t336 (BYTES)\n3\tSIGNERID\t2\n", "line 8: a number is missing" },
		{ "HeaderLength:\t336 (BYTES)\n", "line 7: the list ends here" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct buf text = BUF_INIT;
		struct printed_lists lists;
		struct span says = faulty(&lists, &text, cases[i].more);

		print_message("%.*s\n", (int)says.n, (const char *)says.p);
		assert_true(span_starts(says, span_str(cases[i].says)));
		printed_free(&lists);
		buf_free(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_log_has_the_list),
		cmocka_unit_test(what_is_not_printed_is_forgotten),
		cmocka_unit_test(whatever_a_terminal_does),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(several_in_one_log),
		cmocka_unit_test(no_list_is_no_error),
		cmocka_unit_test(faults_name_their_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
