# SPDX-License-Identifier: Apache-2.0
"""identify: which list is on the phone in my hand."""
import hashlib
import json
import os

import lists
import pytest
from conftest import DATA, SANITIZED, make_certificate

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
            " ".join(digits[i:i + 4] for i in range(0, len(digits), 4)), f" {digits} ", f"0x{digits}", f"0X{digits.upper()}"]


@pytest.mark.parametrize("which", [0, 1])
def test_a_checksum_in_every_spelling(ctlsign, history, which):
    wanted = history / "2015-03-10" / "CTLFile.tlv"
    for text in spellings(sums(wanted)[which]):
        run = ctlsign.ok("identify", text, history)
        assert run.out == (f"{wanted}: {['MD5', 'SHA-1'][which]}: CTL, 4947 bytes, signed "
                           "2015-03-10T15:06:40Z by "
                           "cucm-1051-a-pub\n")
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


def test_a_list_is_opened_once_and_read_once(ctlsign, history, tmp_path):
    path, trace = history / "CTLFile.tlv", tmp_path / "trace"
    run = ctlsign("identify", "00" * 20, history, env={"ASAN_OPTIONS": "detect_leaks=0:exitcode=99"},
                  wrapper=["strace", "-f", "-qq", "-P", path, "-o", trace, "-e", "trace=openat,read"])
    if "ptrace" in run.err:
        pytest.skip("no ptrace here")
    calls = [line.split(maxsplit=1)[1].split("(")[0] for line in trace.read_text().splitlines()]
    assert calls == ["openat", "read"], str(run) + trace.read_text()


@pytest.mark.parametrize("which", ["sha1", "serial"])
def test_what_matches_has_its_md5(ctlsign, history, which):
    """Others get none if it is not asked for: to hash with MD5 takes longest."""
    path = history / "2015-03-10" / "CTLFile.tlv"
    md5, sha1 = sums(path)
    digits = sha1 if which == "sha1" else SERIAL.rjust(40, "0")
    said = json.loads(ctlsign.ok("identify", "--json", digits, history).out)
    assert {m["file"]: m["md5"] for m in said["matches"]}[str(path)] == md5


def test_none(ctlsign, history):
    ctlsign.refused(1, "identify", "00112233445566778899aabbccddeeff", history,
                    says=["none of 3 lists", "the phone may hold an older list, or the ITL of another node"])
    run = ctlsign("identify", "--json", "00112233445566778899aabbccddeeff", history)
    assert run.status == 1 and json.loads(run.out)["matches"] == []


def test_as_show_prints_it(ctlsign, history):
    """Copied from a console: the digits, and behind them what they are."""
    path = history / "CTLFile.tlv"
    lines = [line for line in ctlsign.ok("show", path).out.splitlines() if line.endswith(("(MD5)", "(SHA1)"))]
    assert len(lines) == 2
    for line, what in zip(lines, ("MD5", "SHA-1")):
        for text in (line, line.upper(), line.replace("(", " ("), f"\t{line} "):
            assert ctlsign.ok("identify", text, history).out.startswith(f"{path}: {what}: CTL, "), text


def test_the_beginning_of_a_checksum(ctlsign, history):
    """A phone's screen is short, and so is patience: eight digits will do."""
    path = history / "CTLFile.tlv"
    for number, digits in enumerate(sums(path)):
        what = ["MD5", "SHA-1"][number]
        for n in (8, 9, 11, 16, len(digits) - 1):
            run = ctlsign.ok("identify", digits[:n].upper(), history)
            assert run.out.startswith(f"{path}: {what}, its beginning: CTL, ") and len(run.out.splitlines()) == 1
        ctlsign.refused(1, "identify", digits[:6], history, says="at least 8 digits")
        wrong = digits[:7] + ("0" if digits[7] != "0" else "1")
        ctlsign.refused(1, "identify", wrong, history)
        ctlsign.refused(1, "identify", digits[2:], history)
    ctlsign.refused(1, "identify", sums(path)[0] + "00", history)


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    """Two lists that differ, and begin their MD5 with the same eight digits; a third beside them."""
    path = DATA / "lists" / "cucm.tlv"
    data, folder, seen = path.read_bytes(), tmp_path_factory.mktemp("twins"), {}
    for n in range(1 << 20):
        changed = data[:-4] + n.to_bytes(4, "big")
        begin = hashlib.md5(changed).digest()[:4]
        if begin in seen:
            (folder / "a.tlv").write_bytes(data[:-4] + seen[begin].to_bytes(4, "big"))
            (folder / "b.tlv").write_bytes(changed)
            (folder / "c.tlv").write_bytes(data)
            return folder
        seen[begin] = n
    raise AssertionError("no twins")


def test_an_ambiguous_beginning_is_named(ctlsign, twins):
    a, b = sums(twins / "a.tlv")[0], sums(twins / "b.tlv")[0]
    assert a[:8] == b[:8] and a != b
    run = ctlsign("identify", a[:8], twins)
    assert run.status == 5 and "more digits" in run.err, str(run)
    assert [line.split(": ")[0] for line in run.out.splitlines()] == [str(twins / "a.tlv"), str(twins / "b.tlv")]
    said = json.loads(ctlsign("identify", "--json", a[:8], twins).out)
    assert len(said["matches"]) == 2
    assert ctlsign.ok("identify", a, twins).out.startswith(f"{twins}/a.tlv: MD5: ")
    # Copies of one list are no two lists.
    ctlsign.ok("identify", a[:8], twins / "a.tlv", twins / "a.tlv")


def test_an_exact_serial_wins_over_a_beginning(ctlsign, cluster, keys, tmp_path):
    other = tmp_path / "other.tlv"
    lists.build(ctlsign, cluster, "tokenless", other)
    begin = sums(other)[0][:8]
    begin = begin if begin[0] in "1234567" else None
    if begin is None:  # a serial number of that value would get a byte in front
        begin = sums(other)[1][:8]
    cert = tmp_path / "x.pem"
    make_certificate(cert, keys["rsa1024"], [("COMMON_NAME", "x")], serial=int(begin, 16))
    signed = tmp_path / "signed.tlv"
    ctlsign.ok("build", "-o", signed, "--sast", f"{cert},name=x", "-k", keys["rsa1024"], "--cert", cert)
    run = ctlsign.ok("identify", begin, other, signed)
    assert run.out.startswith(f"{signed}: signer serial: ") and len(run.out.splitlines()) == 1


# A table of phones ----------------------------------------------------------------------------

def table(tmp_path, text, name="phones.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_table(ctlsign, history, tmp_path):
    old, new = history / "2015-03-10" / "CTLFile.tlv", history / "CTLFile.tlv"
    rows = [("SEP001122334401", sums(new)[0]), ("SEP001122334402", sums(old)[1].upper()), ("SEP001122334403", sums(new)[1][:8]),
            ("SEP001122334404", "00112233445566778899aabbccddeeff"), ("SEP001122334405", ""),
            ("SEP001122334406", f"{sums(new)[0]}(MD5)")]
    path = table(tmp_path, "".join(f"{a},{b}\n" for a, b in rows))
    run = ctlsign("identify", "--csv", path, history)
    assert run.status == 1 and run.err == "", str(run)
    assert run.out.splitlines() == [
        f"SEP001122334401: {new}: MD5", f"SEP001122334402: {old}: SHA-1", f"SEP001122334403: {new}: SHA-1, its beginning",
        "SEP001122334404: unknown: 00112233445566778899aabbccddeeff", "SEP001122334405: no checksum",
        f"SEP001122334406: {new}: MD5", "phones: 6, known: 4, unknown: 1, no checksum: 1",
        f"       1  {old}", f"       3  {new}"]
    said = json.loads(ctlsign("identify", "--csv", path, "--json", history).out)
    assert [one["status"] for one in said["phones"]] == ["known"] * 3 + ["unknown", "no checksum", "known"]
    assert said["counts"] == {"known": 4, "unknown": 1, "ambiguous": 0, "no checksum": 1, "unread": 0}
    assert said["phones_by_list"] == [{"file": str(old), "phones": 1}, {"file": str(new), "phones": 3}]
    assert said["lists"] == 3 and said["phones"][1]["line"] == 2
    with open(path, "rb") as f:
        assert ctlsign("identify", "--csv", "-", history, stdin=f).out == run.out
    ctlsign.ok("identify", "--csv", table(tmp_path, f"a,{sums(old)[0]}"), history)


@pytest.mark.parametrize("form", ["{0},{1}\n", "{0};{1}\r\n", "{0}\t{1}\n", '"{0}","{1}"\n', "\ufeff{0},{1}\n", "Phone,CTL Checksum\n{0},{1}\n",
                                  "\ufeffsep=;\r\n{0};{1}\r\n", "{0},{1},Berlin,x\n", "\n\n{0}, {1} \n\n", "{0},{1}", "{0},{1}\r",
                                  '"{0}";"{1}(MD5)";"a ""quoted"" place"\n', '"Name";"Sum;of";x\n"{0}";{1}\n', ",,\n{0},{1},\n"])
def test_tables_as_they_are_met(ctlsign, history, tmp_path, form):
    new = history / "CTLFile.tlv"
    run = ctlsign.ok("identify", "--csv", table(tmp_path, form.format("SEP0011", sums(new)[0])), history)
    assert run.out.splitlines() == [f"SEP0011: {new}: MD5", "phones: 1, known: 1", f"       1  {new}"], str(run)


@pytest.mark.parametrize("form", [
    "Device,Description,Status,CTL Checksum,Site\n{0},x,registered,{1},Berlin\n",
    "No,Checksum of the phone,Device\n7,{1},{0}\n", "MD5;Phone\n{1};{0}\n", "sha-1\tmac\n{1}\t{0}\n", "Site,Device Name,checksum (MD5)\nx,{0},{1}\n",
    ",".join(["x"] * 62) + ",Phone,Checksum\n" + "," * 62 + "{0},{1}\n"])
def test_heads_say_which_columns_are_meant(ctlsign, history, tmp_path, form):
    new = history / "CTLFile.tlv"
    path = table(tmp_path, form.format("SEP0011", sums(new)[0]))
    run = ctlsign.ok("identify", "--csv", path, history)
    assert run.out.splitlines() == [f"SEP0011: {new}: MD5", "phones: 1, known: 1", f"       1  {new}"], str(run)
    assert run.err == ""


@pytest.mark.parametrize("remark", ["lobby phone: checksum differs", "SHA room", "md5"])
def test_a_line_with_a_checksum_is_no_head(ctlsign, history, tmp_path, remark):
    """Else the first phone would not be counted, and columns be taken for others."""
    new = history / "CTLFile.tlv"
    path = table(tmp_path, f"a,{sums(new)[0]},{remark}\nb,{sums(new)[1]},\n")
    run = ctlsign.ok("identify", "--csv", path, history)
    assert run.out.splitlines()[:3] == [f"a: {new}: MD5", f"b: {new}: SHA-1", "phones: 2, known: 2"], str(run)


def test_two_columns_of_checksums(ctlsign, history, tmp_path):
    """A phone has a CTL and an ITL. One of them is looked at, and that is said."""
    new = history / "CTLFile.tlv"
    path = table(tmp_path, f"Phone,CTL checksum,ITL checksum\na,{sums(new)[0]},0011223344556677\n")
    run = ctlsign.ok("identify", "--csv", path, history)
    assert run.out.splitlines()[0] == f"a: {new}: MD5"
    assert "phones.csv: several columns are headed as checksums: the first of them counts" in run.err


def test_hostile_tables(ctlsign, history, tmp_path):
    new, good = history / "CTLFile.tlv", sums(history / "CTLFile.tlv")[0]
    # A line that is wrong hides no other, and is named.
    run = ctlsign("identify", "--csv", table(tmp_path, f"a,{good}\nb,hello\nc,{good}\n"), history)
    assert run.status == 3 and "phones.csv:2: 'hello'" in run.err and f"c: {new}: MD5" in run.out, str(run)
    # The first line is no exception, but for heads.
    run = ctlsign("identify", "--csv", table(tmp_path, f"a,{good[:-1]}o\nb,{good}\n"), history)
    assert run.status == 3 and "phones.csv:1: " in run.err and f"b: {new}: MD5" in run.out, str(run)
    # Only so often.
    run = ctlsign("identify", "--csv", table(tmp_path, f"a,{good}\n" + "b,hello\n" * 1000), history)
    assert run.status == 3 and len(run.errors) == 11 and "1000" in run.errors[-1] and "unread: 1000" in run.out
    # What a name brings is shown, and does nothing.
    run = ctlsign("identify", "--csv", table(tmp_path, f'"x\x1b[2J\ny: unknown",{good}\n'), history)
    assert run.out.splitlines()[0] == f"x\\x1b[2J\\x0ay: unknown: {new}: MD5", str(run)
    # A quote that is never closed takes the rest, and says so.
    run = ctlsign("identify", "--csv", table(tmp_path, f'a,{good}\n"b,{good}\nc,{good}\n'), history)
    assert run.status == 3 and "phones.csv:2: a quote is opened" in run.err and "c: " not in run.out, str(run)
    for text, says in ((b"\xff\xfea\0,\0b\0", "UTF-16"), (b"a,b\0c\n", "NUL"), (b"", "no phones"), (b"\n\n", "no phones"),
                       (b"Phone,Checksum\n", "no phones")):
        run = ctlsign("identify", "--csv", table(tmp_path, text), history)
        assert run.status == 3 and says in run.err and len(run.errors) == 1, str(run)
    # Bytes that are no text stay what they are.
    said = json.loads(ctlsign("identify", "--csv", table(tmp_path, b"\xe9,00112233445566778899aabbccddeeff\n"), history,
                              "--json").out)
    assert said["phones"][0]["phone"] is None and said["phones"][0]["phone_hex"] == "e9"
    ctlsign.refused(3, "identify", "--csv", tmp_path / "none.csv", history, says="none.csv")
    ctlsign.refused(2, "identify", "--csv", tmp_path / "none.csv")


def test_an_ambiguous_line(ctlsign, twins, tmp_path):
    run = ctlsign("identify", "--csv", table(tmp_path, f"a,{sums(twins / 'a.tlv')[0][:8]}\n"), twins)
    assert run.status == 1 and run.out.startswith("a: ambiguous: "), str(run)


def test_a_million_phones(ctlsign, history, tmp_path):
    good = [sums(history / name / "CTLFile.tlv")[0] for name in (".", "2015-03-10")]
    count = 20_000 if SANITIZED else 1_000_000
    path = table(tmp_path, "".join(f"SEP{i:012X},{good[i % 2]}\n" for i in range(count)))
    run = ctlsign.ok("identify", "--csv", path, history, timeout=300)
    assert f"phones: {count}, known: {count}" in run.out
    assert run.out.splitlines()[-1].split()[0] == str(count // 2)


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


def spoil(folder, how):
    """A file of the folder that is a list, or may be one, and that nobody can read."""
    good = (folder / "CTLFile.tlv").read_bytes()
    path = folder / {"no list": "empty.tlv", "damaged": "cut", "unreadable": "notes"}[how]
    if how == "unreadable":
        path.symlink_to("/proc/self/mem")  # root may open all files, but has no byte at 0
    else:
        path.write_bytes(good[:3000] if how == "damaged" else b"")
    return path


@pytest.mark.parametrize("how", ["damaged", "no list", "unreadable"])
def test_a_list_in_a_folder_that_cannot_be_read_is_no_no(ctlsign, history, how):
    """As if it were named: it hides no other, but what it holds nobody knows."""
    good = history / "CTLFile.tlv"
    (history / "phone.cnf.xml.sgn").write_bytes(good.read_bytes()[:3000])
    path = spoil(history, how)
    for hexes, found in ((sums(good)[0], f"{good}: MD5"), ("0" * 32, "")):
        run = ctlsign("identify", hexes, history)
        assert run.status == 3 and run.out.startswith(found) and bool(run.out) == bool(found), str(run)
        assert len(run.errors) == 1 and str(path) in run.errors[0] and ".sgn" not in run.err
    table = history / "phones.csv"
    table.write_text(f"a,{sums(good)[0]}\nb,{'0' * 32}\n")
    run = ctlsign("identify", "--csv", table, history)
    assert run.status == 3 and "phones: 2, known: 1, unknown: 1" in run.out.splitlines(), str(run)


@pytest.mark.parametrize("how", ["damaged", "no list", "unreadable"])
def test_what_answers_for_a_folder_has_read_all_its_lists(ctlsign, history, cluster, how):
    """One rule for all verbs: what is not known makes neither a yes nor a no."""
    good = history / "CTLFile.tlv"
    spoil(history, how)
    for words in (["identify", sums(good)[0], history], ["accept", "--installed-dir", history, good]):
        assert ctlsign(*words).status == 3, words
    if how != "no list":  # expiry asks for certificates, and an empty file has none
        assert ctlsign("expiry", history).status == 3


@pytest.mark.parametrize("text", ["resets on Monday\n", "-----BEGIN PRIVATE KEY-----\n"])
def test_other_files_of_a_folder_are_no_lists(ctlsign, history, text):
    (history / "other").write_text(text)
    assert ctlsign.ok("identify", sums(history / "CTLFile.tlv")[0], history).err == ""


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
