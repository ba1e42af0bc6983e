# SPDX-License-Identifier: Apache-2.0
"""identify: which list is on the phone in my hand."""
import hashlib
import json
import os

import lists
import pytest

SERIAL = "70CAF64E090751B9DF22F49F754FC5BB"
TOKEN = "31AF455500000008E983"  # as the certificate has it; the list has it back to front


@pytest.fixture
def history(ctlsign, cluster, tmp_path):
    """A folder as an administrator keeps it: lists, dated folders, and all sorts of things."""
    folder = tmp_path / "history"
    for name in ("2015-03-10", "2016-01-01/1-bridge"):
        (folder / name).mkdir(parents=True)
    for kind, where in (("tokenless", "2015-03-10"), ("regenerated", "2016-01-01/1-bridge"),
                        ("tokens", ".")):
        lists.build(ctlsign, cluster, kind, folder / where / "CTLFile.tlv")
    (folder / "notes.txt").write_text("resets on Monday\n")
    (folder / "pub.pem").write_bytes((cluster / "pub.pem").read_bytes())
    (folder / "empty").write_bytes(b"")
    return folder


def sums(path):
    data = path.read_bytes()
    return hashlib.md5(data).hexdigest(), hashlib.sha1(data).hexdigest()


def spellings(digits):
    pairs = [digits[i:i + 2] for i in range(0, len(digits), 2)]
    return [digits, digits.upper(), ":".join(pairs), " ".join(pairs).upper(), "-".join(pairs),
            " ".join(digits[i:i + 4] for i in range(0, len(digits), 4)), f" {digits} ", f"0x{digits}"]


@pytest.mark.parametrize("which", [0, 1])
def test_a_checksum_in_every_spelling(ctlsign, history, which):
    wanted = history / "2015-03-10" / "CTLFile.tlv"
    for text in spellings(sums(wanted)[which]):
        run = ctlsign.ok("identify", text, history)
        assert run.out == (f"{wanted}: {['MD5', 'SHA-1'][which]}: CTL, 4947 bytes, signed "
                           "2015-03-10T15:06:40Z by "
                           "CN=cucm-1051-a-pub;OU=TAC;O=Cisco;L=Krakow;ST=Malopolska;C=PL\n")
        assert run.err == ""


def test_the_signer_s_serial(ctlsign, history):
    for text in spellings(SERIAL):
        run = ctlsign.ok("identify", text, history)
        assert run.out.startswith(f"{history}/2015-03-10/CTLFile.tlv: signer serial: CTL, ")
        assert len(run.out.splitlines()) == 1


def test_a_serial_in_either_byte_order(ctlsign, history):
    turned = bytes.fromhex(TOKEN)[::-1].hex()
    assert ": signer serial: " in ctlsign.ok("identify", turned, history).out
    assert ": signer serial, reversed: " in ctlsign.ok("identify", TOKEN, history).out


def test_a_serial_with_a_leading_zero_byte(ctlsign, cluster, tmp_path):
    """DER puts 00 before a serial whose first bit is set; consoles show it, lists do not."""
    path = tmp_path / "CTLFile.tlv"
    lists.build(ctlsign, cluster, "tokens", path)
    turned = bytes.fromhex(TOKEN)[::-1].hex()
    assert turned[0] == "8"
    assert ": signer serial: " in ctlsign.ok("identify", "00" + turned, path).out
    assert ": signer serial, reversed: " in ctlsign.ok("identify", "00" + TOKEN, path).out


def test_a_record_s_serial_is_not_the_signer_s(ctlsign, cluster, tmp_path):
    path = tmp_path / "CTLFile.tlv"
    lists.build(ctlsign, cluster, "tokens", path)
    ctlsign.refused(1, "identify", SERIAL, path)


def test_every_list_that_matches(ctlsign, history):
    data = (history / "CTLFile.tlv").read_bytes()
    (history / "copy").write_bytes(data)
    out = ctlsign.ok("identify", sums(history / "copy")[0], history).out
    assert [line.split(": ")[0] for line in out.splitlines()] == [str(history / "CTLFile.tlv"),
                                                                  str(history / "copy")]


def test_none(ctlsign, history):
    ctlsign.refused(1, "identify", "00112233445566778899aabbccddeeff", history, says="none of 3 lists")
    run = ctlsign("identify", "--json", "00112233445566778899aabbccddeeff", history)
    assert run.status == 1 and json.loads(run.out)["matches"] == []


def test_part_of_a_checksum_is_no_match(ctlsign, history):
    md5 = sums(history / "CTLFile.tlv")[0]
    ctlsign.refused(1, "identify", md5[:-2], history)
    ctlsign.refused(1, "identify", md5 + "00", history)


def test_json(ctlsign, history):
    path = history / "2016-01-01" / "1-bridge" / "CTLFile.tlv"
    md5, sha1 = sums(path)
    said = json.loads(ctlsign.ok("identify", md5, history, "--json").out)
    assert said["searched_for"] == md5 and said["lists"] == 3
    assert said["matches"] == [{
        "file": str(path), "matched": "MD5", "kind": "CTL", "length": 6113, "md5": md5, "sha1": sha1,
        "signer": "CN=cucm-1051-a-pub;OU=TAC;O=Cisco;L=Krakow;ST=Malopolska;C=PL",
        "signer_serial": "6B1D357B6841740B078FEE4A1813D5D6", "timestamp": lists.TIME,
        "time": "2015-03-10T15:06:40Z"}]


def test_files_and_folders_together(ctlsign, history):
    path = history / "CTLFile.tlv"
    run = ctlsign.ok("identify", sums(path)[1], history / "2015-03-10", path)
    assert len(run.out.splitlines()) == 1


@pytest.mark.parametrize("text", ["", " ", "xyz", "12 34 5g", "abc", "0x", "::", "12.34", "-", "--",
                                  "1" * 42, "0" * 64])
def test_what_is_no_number(ctlsign, history, text):
    run = ctlsign("identify", "--", text, history)
    assert run.status == 2 and run.out == "" and len(run.errors) == 1, str(run)


def test_no_file(ctlsign):
    ctlsign.refused(2, "identify", "abcd")
    ctlsign.refused(2, "identify")


def test_a_named_file_must_be_a_list_but_hides_no_other(ctlsign, history, tmp_path):
    good = history / "CTLFile.tlv"
    bad = tmp_path / "bad.tlv"
    bad.write_bytes(good.read_bytes()[:3000])
    for path in (bad, history / "notes.txt", tmp_path / "none"):
        ctlsign.refused(3, "identify", sums(good)[0], path, says=path.name)
        run = ctlsign("identify", sums(good)[0], path, good)
        assert run.status == 3 and run.out.startswith(f"{good}: MD5"), str(run)
    assert "(at byte " in ctlsign("identify", sums(good)[0], bad).err


def test_a_damaged_list_in_a_folder_is_passed_over_with_a_word(ctlsign, history):
    good = history / "CTLFile.tlv"
    (history / "cut.tlv").write_bytes(good.read_bytes()[:3000])
    (history / "phone.cnf.xml.sgn").write_bytes(good.read_bytes()[:3000])
    run = ctlsign.ok("identify", sums(good)[0], history)
    assert "cut.tlv" in run.err and "warning" in run.err and ".sgn" not in run.err


def test_a_folder_holds_links_pipes_and_unfinished_files(ctlsign, history, tmp_path):
    good = history / "CTLFile.tlv"
    elsewhere = tmp_path / "elsewhere.tlv"
    good.rename(elsewhere)
    (history / "link.tlv").symlink_to(elsewhere)
    (history / "loop").symlink_to(history)
    (history / "dangling").symlink_to("nowhere")
    os.mkfifo(history / "pipe")
    (history / ".CTLFile.tlv.ctlsign-00000000").write_bytes(elsewhere.read_bytes())
    run = ctlsign.ok("identify", sums(elsewhere)[0], history, timeout=20)
    assert [line.split(": ")[0] for line in run.out.splitlines()] == [str(history / "link.tlv")]


def test_file_names_are_escaped(ctlsign, history):
    good = history / "CTLFile.tlv"
    odd = history / "a\x1b[2Jb\nc: MD5: CTL"
    odd.write_bytes(good.read_bytes())
    run = ctlsign.ok("identify", sums(good)[0], odd)
    assert "\x1b" not in run.out and len(run.out.splitlines()) == 1
