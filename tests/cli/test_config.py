# SPDX-License-Identifier: Apache-2.0
"""config: configuration files signed, verified as a phone does, and stripped, in bulk."""
import json
import os
import re
import resource
import signal
import subprocess
import time

import lists
import peerlist
import pytest
import tables
from conftest import PROGRAM, SANITIZED
from lists import TIME
from token_helpers import TWO, fault  # noqa: F401  (a fixture)

XML = b"<device><devicePool>10.48.47.153</devicePool></device>\n"


@pytest.fixture
def signs(cluster):
    """The options that sign as the second node's TFTP server."""
    return ["-k", cluster / "sub1.key", "--cert", cluster / "sub1.pem", "--timestamp", TIME]


@pytest.fixture
def by(cluster):
    return ["--cert", cluster / "sub1.pem"]


@pytest.fixture
def served(tmp_path):
    folder = tmp_path / "tftp"
    folder.mkdir()
    return folder


@pytest.fixture
def one(served):
    path = served / "SEP001122334455.cnf.xml"
    path.write_bytes(XML)
    return path


@pytest.fixture
def trust(ctlsign, cluster, tmp_path):
    """A list that phones hold, with the signer as CCM+TFTP."""
    path = tmp_path / "CTLFile.tlv"
    lists.build(ctlsign, cluster, "tokenless", path)
    return path


def sgn(path):
    return path.with_name(path.name + ".sgn")


def many(served, count, size=100):
    paths = [served / f"SEP{i:012X}.cnf.xml" for i in range(count)]
    for i, path in enumerate(paths):
        path.write_bytes(f"<device>{i}</device>".encode().ljust(size, b"\n"))
    return paths


def leftovers(folder):
    return [p for p in folder.rglob("*") if ".ctlsign-" in p.name]


def field(data, tag):
    """(offset, value) of a header's field."""
    at = next(at for t, at, _ in peerlist.parse_header(data)["fields"] if t == tag)
    n = int.from_bytes(data[at + 1:at + 3], "big")
    return at + 3, data[at + 3:at + 3 + n]


def sign_raw(signed, key, tmp_path, digest="sha1"):
    """A signature by openssl over any bytes."""
    body = tmp_path / "body"
    body.write_bytes(signed)
    return subprocess.run(["openssl", "dgst", f"-{digest}", "-sign", key, body], check=True,
                          capture_output=True).stdout


# The file itself.

@pytest.mark.parametrize("content", [b"", b"x", XML, bytes(70000), os.urandom(300001)],
                         ids=["empty", "tiny", "xml", "zeros", "random"])
@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha512"])
def test_sign_then_strip_is_the_content(ctlsign, cluster, signs, by, one, tmp_path, content, digest):
    one.write_bytes(content)
    assert ctlsign.ok("config", "sign", *signs, "--digest", digest, one).out == f"{sgn(one)}: signed\n"
    data = sgn(one).read_bytes()
    header = peerlist.parse_header(data)
    assert header["version"] == b"\x01\x00" and header["timestamp"] == TIME
    assert header["filename"] == one.name + ".sgn" and header["padding"] < 4
    assert len(data) == header["header_length"] + len(content) and data.endswith(content)
    assert peerlist.DIGESTS[header["digest"]] == digest
    assert peerlist.openssl_verify(data, cluster / "sub1.pem")
    assert sgn(one).stat().st_mode & 0o7777 == 0o644
    assert "good signature by CN=cucm-1051-a-sub1;" in ctlsign.ok("config", "verify", *by, sgn(one)).out
    (tmp_path / "out").mkdir()
    run = ctlsign.ok("config", "strip", "-o", tmp_path / "out", sgn(one))
    assert run.last_line.endswith(f" {len(content)} byte{'s' * (len(content) != 1)}, not verified")
    assert (tmp_path / "out" / one.name).read_bytes() == content
    assert not leftovers(tmp_path)


def test_the_header_is_in_ascending_order(ctlsign, signs, one):
    ctlsign.ok("config", "sign", *signs, one)
    tags = [tag for tag, _, _ in peerlist.parse_header(sgn(one).read_bytes())["fields"]]
    assert tags == sorted(tags) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15]


def test_the_header_names_the_signer_as_the_list_does(ctlsign, cluster, signs, one, trust, tmp_path):
    """Phones look for the bytes of the record, whatever dialect the list is in."""
    rfc = tmp_path / "rfc4514.tlv"
    ctlsign.ok("build", "-o", rfc, "--style", "rfc4514", "--sast", cluster / "pub.pem", "--tftp",
               cluster / "sub1.pem", *lists.key(cluster, "tokenless"), "--timestamp", TIME)
    for path in (trust, rfc):
        ctlsign.ok("config", "sign", *signs, "--trust", path, one)
        ctlsign.ok("config", "verify", "--trust", path, sgn(one))
        header = peerlist.parse_header(sgn(one).read_bytes())
        record = peerlist.parse(path.read_bytes())["records"][-1]
        assert header["signer_name"] == record["subject"]
        assert header["signer_issuer"] == record["issuer"]
        assert header["signer_serial"] == record["serial"]
    assert ctlsign("config", "verify", "--trust", trust, sgn(one)).status == 1
    ctlsign.ok("config", "sign", *signs, "--style", "rfc4514", one)
    ctlsign.ok("config", "verify", "--trust", rfc, sgn(one))


def test_a_signer_that_no_tftp_record_names_is_refused(ctlsign, cluster, one, trust):
    words = ["config", "sign", "-k", cluster / "capf.key", "--cert", cluster / "capf.pem",
             "--timestamp", TIME]
    ctlsign.refused(1, *words, "--trust", trust, one, says="TFTP")
    assert not sgn(one).exists()
    ctlsign.ok(*words, one)
    run = ctlsign("config", "verify", "--trust", trust, sgn(one))
    assert run.status == 1 and "as CAPF" in run.out


def test_locale_files_have_their_folder(ctlsign, signs, by, served, tmp_path):
    path = served / "English_United_States" / "mk-sip.jar"
    path.parent.mkdir()
    path.write_bytes(b"jar")
    ctlsign.ok("config", "sign", *signs, "--root", served, path)
    name = "English_United_States/mk-sip.jar.sgn"
    assert peerlist.parse_header(sgn(path).read_bytes())["filename"] == name
    ctlsign.ok("config", "verify", *by, "--root", served, sgn(path))
    ctlsign.ok("config", "verify", *by, "--filename", name, sgn(path))
    assert "FILENAME is" in ctlsign("config", "verify", *by, sgn(path)).out
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    ctlsign.ok("config", "sign", *signs, "--root", served, "-o", mirror, path)
    assert (mirror / name).read_bytes() == sgn(path).read_bytes()
    outside = tmp_path / "outside.xml"
    outside.write_bytes(XML)
    run = ctlsign("config", "sign", *signs, "--root", served, outside)
    assert run.status == 3 and "not below" in run.err


def test_strip_of_firmware_headers(ctlsign, cluster, tmp_path):
    """Version 1.1 and no timestamp, as in genuine firmware."""
    name = "term88.sbn"
    content = os.urandom(5000)

    def text(value):
        return value.encode() + b"\0"

    def put(tag, value):
        return bytes([tag]) + len(value).to_bytes(2, "big") + value

    names = "CN=cucm-1051-a-sub1;OU=TAC;O=Cisco;L=Krakow;ST=Malopolska;C=PL"
    serial = int(subprocess.run(["openssl", "x509", "-in", cluster / "sub1.pem", "-noout", "-serial"],
                                check=True, capture_output=True, text=True).stdout.split("=")[1], 16)
    signer = put(4, text(names)) + put(5, serial.to_bytes(16, "big")) + put(6, text(names))
    info = put(8, b"\1") + put(9, put(10, b"\0") + put(11, b"\1"))
    behind = put(14, text(name))
    front = put(3, b"")[:1] + len(signer).to_bytes(2, "big") + signer
    front += bytes([7]) + len(info).to_bytes(2, "big") + info
    length = 5 + 5 + len(front) + 3 + 128 + len(behind)
    behind += b"\x0d" * (-length % 4)
    front = put(1, b"\1\1") + put(2, (length + -length % 4).to_bytes(2, "big")) + front
    signature = sign_raw(front + behind + content, cluster / "sub1.key", tmp_path)
    path = tmp_path / name
    path.write_bytes(front + put(12, signature) + behind + content)
    out = tmp_path / "out"
    out.mkdir()
    run = ctlsign.ok("config", "strip", "-o", out, "--cert", cluster / "sub1.pem", path)
    assert "good signature by" in run.out and (out / name).read_bytes() == content
    assert ctlsign("config", "strip", path).status == 3


# What verify refuses.

def test_verify_as_a_phone_does(ctlsign, cluster, signs, one, trust, tmp_path):
    ctlsign.ok("config", "sign", *signs, one)
    good = sgn(one).read_bytes()
    assert "good signature" in ctlsign.ok("config", "verify", "--trust", trust, sgn(one)).out
    header = peerlist.parse_header(good)
    other = one.with_name("SEP00FF00FF00FF.cnf.xml")
    other.write_bytes(b"<other/>\n")
    ctlsign.ok("config", "sign", *signs, other)
    others = sgn(other).read_bytes()
    at, _ = field(good, 14)
    front, back = header["cut"]
    stolen = sign_raw(peerlist.signed_bytes(good), cluster / "capf.key", tmp_path)
    cases = {
        "changed byte": good[:-2] + bytes([good[-2] ^ 1]) + good[-1:],
        "a byte less": good[:-1],
        "a byte more": good + b"\n",
        "timestamp": good.replace(TIME.to_bytes(4, "big"), (TIME + 1).to_bytes(4, "big")),
        "another file's header": others[:peerlist.parse_header(others)["header_length"]] + XML,
        "other key": good[:front + 3] + stolen + good[back:],
        "FILENAME": good[:at] + b"T" + good[at + 1:],
        "version": b"\1\0\2\1\1" + good[5:],
    }
    for name, data in cases.items():
        sgn(one).write_bytes(data)
        for vouch in (["--trust", trust], ["--cert", cluster / "sub1.pem"]):
            run = ctlsign("config", "verify", *vouch, sgn(one))
            assert run.status == 1 and "BAD signature" in run.out, f"{name}\n{run}"
        out = tmp_path / "stripped"
        out.mkdir(exist_ok=True)
        run = ctlsign("config", "strip", "--trust", trust, "-o", out, sgn(one))
        # The header of firmware may be 1.1: then it is the signature that is wrong.
        assert run.status == 1 and not list(out.iterdir()), f"{name}\n{run}"
    sgn(one).write_bytes(others)
    assert "FILENAME is" in ctlsign("config", "verify", "--trust", trust, sgn(one)).out


def test_every_changed_byte_of_the_header(ctlsign, signs, by, one, tmp_path):
    ctlsign.ok("config", "sign", *signs, one)
    good = sgn(one).read_bytes()
    folder = tmp_path / "changed"
    folder.mkdir()
    paths = []
    for i in range(0, len(good), 1 if not SANITIZED else 7):
        path = folder / str(i) / sgn(one).name
        path.parent.mkdir()
        path.write_bytes(good[:i] + bytes([good[i] ^ 1]) + good[i + 1:])
        paths.append(path)
    run = ctlsign("config", "verify", *by, *paths)
    assert "good signature" not in run.out and run.status == 3, str(run)


def test_verify_wants_to_know_who_may_sign(ctlsign, signs, one, trust, by):
    ctlsign.ok("config", "sign", *signs, one)
    ctlsign.refused(2, "config", "verify", sgn(one), says="--trust")
    ctlsign.refused(2, "config", "verify", *by, "--trust", trust, sgn(one), says="contradict")
    ctlsign.refused(2, "config", "verify", *by, "--digest", "sha1", sgn(one), says="--digest")
    data = trust.read_bytes()
    trust.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    ctlsign.refused(3, "config", "verify", "--trust", trust, sgn(one), says="does not verify")


def test_what_is_not_signed(ctlsign, by, one):
    run = ctlsign("config", "verify", *by, one, one.with_name("missing"))
    assert run.status == 3 and len(run.errors) == 2, str(run)


# What sign refuses.

def test_a_configuration_made_of_records(ctlsign, cluster, signs, by, one, trust, tmp_path):
    """Header and signed span are a list's: it would pass as one."""
    data = trust.read_bytes()
    records = data[peerlist.parse_header(data)["header_length"]:]
    one.write_bytes(records)
    run = ctlsign("config", "sign", *signs, one)
    assert run.status == 3 and "records" in run.err and not sgn(one).exists()
    one.write_bytes(records[:peerlist.parse_record(records, 0)["length"]] + XML)
    assert ctlsign("config", "sign", *signs, one).status == 3
    # Somebody else signed such a thing: verify knows its kind.
    one.write_bytes(XML)
    ctlsign.ok("config", "sign", *signs, one)
    good = sgn(one).read_bytes()
    header = good[:peerlist.parse_header(good)["header_length"]]
    front, back = peerlist.parse_header(good)["cut"]
    signature = sign_raw(peerlist.signed_bytes(header + records), cluster / "sub1.key", tmp_path)
    sgn(one).write_bytes(header[:front + 3] + signature + header[back:] + records)
    assert peerlist.openssl_verify(sgn(one).read_bytes(), cluster / "sub1.pem")
    run = ctlsign("config", "verify", *by, sgn(one))
    assert run.status == 1 and "records" in run.out
    assert ctlsign("config", "strip", sgn(one)).status == 3


def test_names_of_lists(ctlsign, signs, served, one):
    path = served / "CTLFile.TLV"
    path.write_bytes(XML)
    run = ctlsign("config", "sign", *signs, path)
    assert run.status == 3 and not sgn(path).exists()
    run = ctlsign("config", "sign", *signs, "--filename", "CTLFile.tlv", one)
    assert run.status == 3 and not sgn(one).exists()
    ctlsign.refused(2, "config", "sign", *signs, "--filename", "x", one, path, says="one file")


@pytest.mark.parametrize("name", ["a.tlv.", "a.tlv ", "a.TLV. .", "a.tlv...", "a.tlv\t", "a.tlv\n"])
def test_names_that_end_up_as_a_lists(ctlsign, signs, served, one, name):
    """Some servers and file systems leave out dots and blanks at the end."""
    path = served / name
    path.write_bytes(XML)
    before = sorted(p.name for p in served.iterdir())
    run = ctlsign("config", "sign", *signs, path)
    assert run.status == 3 and "trust list" in run.err, str(run)
    run = ctlsign("config", "sign", *signs, "--filename", name, one)
    typed = (2, "control characters") if set(name) & set("\t\n") else (3, "trust list")
    assert run.status == typed[0] and typed[1] in run.err, str(run)
    assert sorted(p.name for p in served.iterdir()) == before


@pytest.mark.parametrize("name", ["tlv", "a.tlv.xml", "a.tlvx", "a.tl v", ". ."])
def test_names_that_are_no_lists(ctlsign, signs, served, name):
    path = served / name
    path.write_bytes(XML)
    ctlsign.ok("config", "sign", *signs, path)


def test_quiet_says_nothing_of_unchanged_files(ctlsign, signs, served):
    paths = many(served, 3)
    words = ["config", "sign", *signs, "--skip-unchanged", "--quiet"]
    assert ctlsign.ok(*words, *paths[:2]).out.count(": signed") == 2
    run = ctlsign.ok(*words, *paths[:2])
    assert run.out == run.err == ""
    paths[0].write_bytes(b"<device>other</device>")
    assert ctlsign.ok(*words, *paths).out.splitlines() == [f"{sgn(paths[0])}: signed", f"{sgn(paths[2])}: signed"]
    # What machines read has every file.
    told = json.loads(ctlsign.ok(*words, "--json", *paths).out)
    assert [f["status"] for f in told["files"]] == ["unchanged"] * 3


def test_lists_and_signed_files_are_no_content(ctlsign, signs, one, trust):
    ctlsign.ok("config", "sign", *signs, one)
    assert ctlsign("config", "sign", *signs, sgn(one)).status == 3
    one.write_bytes(trust.read_bytes())
    assert ctlsign("config", "sign", *signs, one).status == 3
    os.replace(trust, sgn(one))
    assert ctlsign("config", "strip", "-o", one.parent, sgn(one)).status == 3


def test_usage(ctlsign, cluster, signs, one):
    ctlsign.refused(2, "config", "bless", one, says="sign, verify, strip, encrypt or decrypt")
    ctlsign.refused(2, "config", "sign", *signs, says="file is missing")
    ctlsign.refused(2, "config", "sign", one, says="-k")
    ctlsign.refused(2, "config", "sign", *signs, "--jobs", "0", one, says="--jobs")
    ctlsign.refused(2, "config", "sign", *signs, "--digest", "md5", one, says="sha512")
    ctlsign.refused(1, "config", "sign", *signs[:4], "--timestamp", "5", one, says="before")
    ctlsign.refused(3, "config", "sign", "-k", cluster / "sub1.key", "--cert",
                    cluster / "pub.pem", one, says="not the key")
    ctlsign.refused(9, "config", "sign", *signs, "-o", one.parent / "none", one, says="make it first")
    ctlsign.refused(9, "config", "sign", *signs, "-o", one, one, says="is no folder")
    assert not sgn(one).exists()


ACTIONS = ["sign", "verify", "strip", "encrypt", "decrypt"]
SIGNING, READING = {"sign", "encrypt"}, {"verify", "strip", "decrypt"}
WITH_KEY, WRITING = SIGNING | {"decrypt"}, set(ACTIONS) - {"verify"}
# Options that mean something for these actions only; all others mean something for each.
ONLY_FOR = {"key": WITH_KEY, "pin-source": WITH_KEY, "insecure-file-mode": WITH_KEY, "for": {"encrypt"},
            "filename": {"sign"} | READING, "digest": SIGNING, "timestamp": SIGNING, "reproducible": SIGNING,
            "style": SIGNING, "name-separator": SIGNING, "allow-weak-keys": SIGNING, "skip-unchanged": SIGNING,
            "output": WRITING, "overwrite": WRITING, "keep": WRITING, "sast-trust": READING}
FOR_ALL = {"cert", "trust", "root", "files-from", "null", "jobs", "allow-large", "json", "module", "timeout", "quiet",
           "verbose", "help"}


def test_an_option_that_means_nothing_for_an_action_is_refused(ctlsign, one):
    known = [row for row in tables.options() if "V_CONFIG" in row[5] or row[5] == "V_ALL"]
    assert {row[1] for row in known} == set(ONLY_FOR) | FOR_ALL
    for _, name, _, value, _, _, values, *_ in known:
        option = [f"--{name}"] if value is None else [f"--{name}={values.split()[0] if values else '1'}"]
        for action in ACTIONS:
            run = ctlsign("config", action, *option, one)
            says = f"option '--{name}' is not for 'config {action}'"
            if action in ONLY_FOR.get(name, ACTIONS):
                assert "is not for" not in run.err, str(run)
            else:
                assert (run.status, run.out) == (2, "") and says in run.err, str(run)


@pytest.mark.parametrize("option", [["--style", "rfc4514"], ["--name-separator", ";"]])
def test_names_that_a_list_has_are_not_spelled_anew(ctlsign, signs, one, trust, option):
    ctlsign.refused(2, "config", "sign", *signs, "--trust", trust, *option, one,
                    says=f"'{option[0]}' and '--trust' contradict")


def test_output_through_a_link_is_refused(ctlsign, signs, one, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    sgn(one).symlink_to(victim)
    run = ctlsign("config", "sign", *signs, one)
    assert run.status == 3 and "symbolic link" in run.err and victim.read_text() == "mine"


def test_strip_never_overwrites_other_content(ctlsign, signs, one):
    ctlsign.ok("config", "sign", *signs, one)
    ctlsign.ok("config", "strip", sgn(one))
    one.write_bytes(b"edited since")
    run = ctlsign("config", "strip", sgn(one))
    assert run.status == 3 and one.read_bytes() == b"edited since"
    assert not leftovers(one.parent)


def test_the_file_that_is_read_is_never_replaced(ctlsign, cluster, signs, one, served, tmp_path):
    """strip writes a file whose name does not end in .sgn under the same name: into another folder."""
    ctlsign.ok("config", "sign", *signs, one)
    out, signed = tmp_path / "out", sgn(one).read_bytes()
    out.mkdir()
    named = served / "named.xml"
    named.write_bytes(signed)
    (served / "link.xml.sgn").symlink_to(named)
    (served / "link.xml").hardlink_to(named)
    (tmp_path / "same").symlink_to(served)
    for more in (["-o", "."], ["-o", served], ["-o", tmp_path / "same"]):
        run = ctlsign("config", "strip", *more, "--overwrite", "named.xml", cwd=served)
        assert run.status == 3 and "is the very file that is read" in run.err and "-o" in run.err, str(run)
    run = ctlsign("config", "strip", "--overwrite", served / "link.xml.sgn")
    assert run.status == 3 and "is the very file that is read" in run.err, str(run)
    assert named.read_bytes() == signed and not leftovers(served)
    ctlsign.ok("config", "strip", "-o", out, named)
    assert (out / "named.xml").read_bytes() == one.read_bytes()
    # What is signed or encrypted gets another name; a link may lead back.
    sgn(one).unlink()
    sgn(one).symlink_to(one)
    before = one.read_bytes()
    for words in (["sign", *signs], ["encrypt", "--for", cluster / "capf.pem", *signs]):
        run = ctlsign("config", *words, "--overwrite", one)
        assert run.status == 3 and "is the very file that is read" in run.err, str(run)
        assert one.read_bytes() == before and not leftovers(served)
    ctlsign.ok("config", "encrypt", "--for", cluster / "capf.pem", *signs, "-o", out, one)
    sealed = out / "sealed.xml"
    (out / f"{one.name}.enc.sgn").rename(sealed)
    before = sealed.read_bytes()
    run = ctlsign("config", "decrypt", "-k", cluster / "capf.key", "-o", ".", "--overwrite", sealed.name, cwd=out)
    assert run.status == 3 and "is the very file that is read" in run.err and sealed.read_bytes() == before, str(run)


def test_no_result_takes_the_place_of_another_file_that_is_read(ctlsign, cluster, signs, served, tmp_path):
    """Whatever the order of their names is, and under whatever name."""
    one, two = served / "one.xml", served / "two.xml"
    one.write_bytes(b"<device>1</device>")
    two.write_bytes(b"<device>2</device>")
    ctlsign.ok("config", "sign", *signs, one, two)
    there = tmp_path / "there"
    there.mkdir()
    sgn(two).rename(there / "one.xml")  # its name does not say that it is signed
    (served / "link").symlink_to(there / "one.xml")
    before = (there / "one.xml").read_bytes()
    for other in (there / "one.xml", served / "link"):
        for words in ([sgn(one), other], [other, sgn(one)]):
            run = ctlsign("config", "strip", "-j", 1, "-o", there, "--overwrite", *words)
            assert run.status == 3 and (there / "one.xml").read_bytes() == before, str(run)
            assert not leftovers(there)
    assert "is another file that this run reads" in run.err and "-o" in run.err, str(run)
    (there / "link").unlink()  # what it was the name of
    ctlsign.ok("config", "strip", "-o", there, "--overwrite", sgn(one))
    assert (there / "one.xml").read_bytes() == one.read_bytes()


# Batches.

@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_results_come_in_input_order_and_one_bad_file_does_not_stop_the_rest(
        ctlsign, cluster, signs, by, served, jobs):
    paths = many(served, 300)
    paths[7].unlink()
    paths[8].unlink()
    paths[8].mkdir()
    run = ctlsign("config", "sign", *signs, "-j", jobs, *paths)
    assert run.status == 3 and len(run.errors) == 2, str(run)
    good = [p for i, p in enumerate(paths) if i not in (7, 8)]
    assert run.out.splitlines() == [f"{sgn(p)}: signed" for p in good]
    assert "300 of 300 files, 298 signed, 2 failed" in run.err
    for path in good[::50]:
        assert peerlist.openssl_verify(sgn(path).read_bytes(), cluster / "sub1.pem")
    run = ctlsign.ok("config", "verify", *by, "-j", jobs, *map(sgn, good))
    assert [line.split(":")[0] for line in run.out.splitlines()] == [str(sgn(p)) for p in good]
    assert not leftovers(served)


def test_a_file_over_the_limit_of_sizes_does_not_stop_the_rest(ctlsign, signs, by, served):
    """The kernel's answer to such a write is a signal, which ends a program that does not expect it."""
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))
    paths = many(served, 9)
    paths[4].write_bytes(bytes(100001))
    run = ctlsign("config", "sign", *signs, *paths, preexec_fn=limit)
    assert run.status == 3 and len(run.errors) == 1 and f"{sgn(paths[4])}: cannot be written: File too large" in run.err, str(run)
    assert not sgn(paths[4]).exists() and not leftovers(served)
    ctlsign.ok("config", "verify", *by, *(sgn(p) for p in paths if p != paths[4]))


def test_verify_says_which_are_bad(ctlsign, signs, by, served):
    paths = many(served, 20)
    ctlsign.ok("config", "sign", *signs, *paths)
    sgn(paths[3]).write_bytes(sgn(paths[3]).read_bytes() + b" ")
    run = ctlsign("config", "verify", *by, *map(sgn, paths))
    assert run.status == 1
    assert [i for i, line in enumerate(run.out.splitlines()) if "BAD" in line] == [3]


@pytest.mark.parametrize("separator, more", [(b"\n", []), (b"\0", []), (b"\0", ["-0"])])
def test_names_from_a_file_and_from_standard_input(ctlsign, signs, served, tmp_path, separator, more):
    paths = many(served, 5)
    if separator == b"\0":
        odd = served / "two\nlines.xml"
        odd.write_bytes(XML)
        paths.append(odd)
    text = b"".join(os.fsencode(p) + separator for p in paths)
    names = tmp_path / "names"
    names.write_bytes(text)
    ctlsign.ok("config", "sign", *signs, "--files-from", names, *more)
    assert all(sgn(p).exists() for p in paths)
    for path in paths:
        sgn(path).unlink()
    ctlsign.ok("config", "sign", *signs, "--files-from", "-", *more, input=text)
    assert all(sgn(p).exists() for p in paths)


@pytest.mark.parametrize("action", ["sign", "verify"])
def test_a_list_of_files_that_is_empty(ctlsign, cluster, signs, action):
    """A script may have made it so. What was not looked at must not look as if it were good."""
    words = signs if action == "sign" else ["--cert", cluster / "pub.pem"]
    run = ctlsign("config", action, *words, "--files-from", "/dev/null")
    assert (run.status, run.out) == (0, "")
    assert "warning: /dev/null: names no file" in run.err


def test_skip_unchanged(ctlsign, cluster, signs, served):
    paths = many(served, 6)
    words = ["config", "sign", *signs[:4], "--skip-unchanged"]
    ctlsign.ok(*words, *paths)
    before = {p: (sgn(p).stat().st_ino, sgn(p).read_bytes()) for p in paths}
    assert ctlsign.ok(*words, *paths).out.count(": unchanged") == 6
    paths[0].write_bytes(b"new content of this file")
    sgn(paths[1]).write_bytes(before[paths[1]][1][:-1])
    sgn(paths[2]).unlink()
    sgn(paths[3]).write_bytes(before[paths[4]][1])
    run = ctlsign.ok(*words, *paths)
    assert [line.split(": ")[1] for line in run.out.splitlines()] == \
        ["signed"] * 4 + ["unchanged"] * 2
    for path in paths[4:]:
        assert (sgn(path).stat().st_ino, sgn(path).read_bytes()) == before[path]
    assert ctlsign.ok(*words, "--digest", "sha512", *paths).out.count(": signed") == 6
    run = ctlsign.ok("config", "sign", "-k", cluster / "capf.key", "--cert", cluster / "capf.pem",
                     "--skip-unchanged", *paths)
    assert run.out.count(": signed") == 6


def test_json(ctlsign, signs, by, served):
    paths = many(served, 3)
    run = ctlsign("config", "sign", *signs, "--json", *paths, served / "missing")
    assert run.status == 3
    said = json.loads(run.out)
    assert [f["status"] for f in said["files"]] == ["signed"] * 3 + ["failed"]
    assert said["files"][0]["output"] == str(sgn(paths[0])) and said["files"][0]["bytes"] == 100
    assert said["counts"]["signed"] == 3 and said["counts"]["failed"] == 1
    said = json.loads(ctlsign.ok("config", "verify", *by, "--json", sgn(paths[0])).out)
    assert said["files"][0]["verified"] and said["files"][0]["signer"].startswith("CN=")
    assert json.loads(ctlsign.ok("config", "strip", "--json", sgn(paths[0])).out)["files"][0][
        "verified"] is False


def test_results_that_would_meet(ctlsign, signs, served, tmp_path):
    for name in "ab":
        (served / name).mkdir()
        (served / name / "x.xml").write_text(name)
    out = tmp_path / "out"
    out.mkdir()
    run = ctlsign("config", "sign", *signs, "-o", out, served / "a" / "x.xml", served / "b" / "x.xml")
    assert run.status == 3 and (out / "x.xml.sgn").read_bytes().endswith(b"a")


def test_a_batch_logs_in_once(ctlsign, lab, fault, cluster, served):
    """A token signs with the bytes of the key file."""
    paths = many(served, 200)
    f = fault("C_Sign 1-3 meet 3")
    words = ["config", "sign", "--timestamp", TIME, *paths]
    ctlsign.ok(*words, "-j", 3, *f.key(), env=f.env)
    assert (f.logins, f.calls("C_Sign"), f.calls("C_OpenSession")) == (1, 200, 3)
    signed = [sgn(p).read_bytes() for p in paths]
    ctlsign.ok(*words, "-k", cluster / f"{TWO}.key", "--cert", cluster / f"{TWO}.pem")
    assert [sgn(p).read_bytes() for p in paths] == signed
    f.forget()
    ctlsign.ok(*words, *f.key(), "--skip-unchanged", env=f.env)
    assert f.calls("C_Sign") == 0


def test_a_token_with_fewer_sessions_than_jobs(ctlsign, fault, served):
    paths = many(served, 60)
    f = fault("C_OpenSession 3+ fail 0xb1")
    run = ctlsign.ok("config", "sign", "--timestamp", TIME, "-j", 4, *f.key(), *paths, env=f.env)
    assert "opened only 2 of 4 sessions (C_OpenSession: CKR_SESSION_COUNT)" in run.err
    assert run.out.count(": signed") == 60 and f.logins == 1


@pytest.mark.parametrize("plan", ["C_Sign 50+ fail 0x30", "C_Sign 50 crash", "C_Sign 50 flip"])
def test_a_token_that_fails_on_the_way(ctlsign, fault, served, plan):
    paths = many(served, 120)
    f = fault(plan)
    words = ["config", "sign", "--timestamp", TIME, "--skip-unchanged", *paths]
    run = ctlsign(*words, *f.key(), env=f.env)
    assert run.status == 8 and run.out.count(": signed") >= 40, str(run)
    assert not all(sgn(p).exists() for p in paths[40:60]) and not leftovers(served)
    done = sum(sgn(p).exists() for p in paths)
    assert done == run.out.count(": signed") < 120
    f.write()
    run = ctlsign.ok(*words, *f.key(), env=f.env)
    assert run.out.count(": unchanged") == done and run.out.count(": signed") == 120 - done


def test_a_wrong_pin_is_one_attempt(ctlsign, lab, fault, served, tmp_path):
    pin = tmp_path / "wrong"
    pin.write_text("0000")
    pin.chmod(0o600)
    f = fault()
    run = ctlsign("config", "sign", *f.key(pin_file=pin), *many(served, 30), env=f.env)
    assert run.status == 6 and f.logins == 1 and len(list(served.iterdir())) == 30, str(run)


def test_a_pin_that_is_refused_on_the_way_is_the_token_s_failure(ctlsign, fault, served):
    f = fault("C_Sign 1 user-not-logged-in", "C_Login 2 fail 0xa0")
    run = ctlsign("config", "sign", *f.key(), *many(served, 1), env=f.env)
    assert run.status == 8 and "the PIN is wrong" in run.err and f.logins == 2, str(run)


@pytest.mark.parametrize("plan, cause", [
    (["C_Sign 3 user-not-logged-in", "C_Login 2 fail 0xa0"], "the token says the PIN is wrong"),
    (["C_Sign 1+ user-not-logged-in", "C_Login 2+ fail 0xa0"], "the token says the PIN is wrong"),
    (["C_Sign 3 user-not-logged-in", "C_Login 2 fail 0xa4"], "the PIN is locked"),
    (["C_Sign 5 fail 0x30"], "CKR_DEVICE_ERROR")], ids=["once", "always", "locked", "no login"])
@pytest.mark.parametrize("jobs", [1, 3])
def test_the_files_behind_a_refused_login_say_so(ctlsign, fault, served, plan, cause, jobs):
    """One cause, not what the token makes of what comes after it. And the PIN is not sent again."""
    f, paths = fault(*plan), many(served, 60)
    run = ctlsign("config", "sign", "--jobs", jobs, *f.key(), *paths, env=f.env)
    failed = [line for line in run.err.splitlines() if ".cnf.xml: " in line]
    assert run.status == 8 and failed and all(cause in line for line in failed), str(run)
    assert "CKR_OPERATION_ACTIVE" not in run.err and f.logins <= 2, str(run)
    own = [line for line in failed if "not signed, because" not in line]
    assert len(own) == 1 or (own and cause == "CKR_DEVICE_ERROR"), str(run)  # that one may befall several at once
    assert sum(sgn(path).exists() for path in paths) == run.out.count(": signed")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_run_leaves_whole_files_only(ctlsign, lab, fault, by, served, number):
    paths = many(served, 400)
    f = fault("C_Sign * sleep 0.01")
    words = ["config", "sign", "--timestamp", TIME, "--skip-unchanged", *paths]
    child = subprocess.Popen([PROGRAM, *map(str, words + f.key())], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, env=ctlsign.environment(f.env))
    end = time.monotonic() + 60
    while time.monotonic() < end and not any(sgn(p).exists() for p in paths):
        time.sleep(0.02)
    child.send_signal(number)
    out, err = child.communicate(timeout=60)
    assert child.returncode == -number, (out, err)
    done = [p for p in paths if sgn(p).exists()]
    assert 0 < len(done) < 400
    if number != signal.SIGKILL:
        assert not leftovers(served) and out.decode().count(": signed") == len(done)
    for path in done[::20]:
        data = sgn(path).read_bytes()
        assert len(data) == peerlist.parse_header(data)["header_length"] + 100
    f.write()
    run = ctlsign.ok(*words, *f.key(), env=f.env)
    assert run.out.count(": unchanged") == len(done)
    assert not leftovers(served)


def peak_of(ctlsign, *words):
    """The most memory of a good run, in KiB; 0 if it was too short to look."""
    child = subprocess.Popen([PROGRAM, *map(str, words)], stdout=subprocess.PIPE, env=ctlsign.environment())
    peak = 0
    while child.poll() is None:
        try:
            with open(f"/proc/{child.pid}/status", encoding="ascii") as status:
                found = re.search(r"VmHWM:\s+(\d+) kB", status.read())
            peak = max(peak, int(found.group(1)) if found else 0)
        except (OSError, AttributeError):
            pass
        time.sleep(0.005)
    assert child.returncode == 0
    return peak


def test_a_file_that_is_long_takes_no_memory(ctlsign, signs, by, served, tmp_path):
    """Sparse files stay so; the peak is that of a process that reads a short one."""
    path = served / "long.bin"
    size = 300 << 20
    with open(path, "wb") as f:
        f.write(b"the first bytes")
        f.truncate(size)
        f.seek(size - 14)
        f.write(b"the last bytes")
    (tmp_path / "out").mkdir()
    for words in (["sign", *signs, path], ["verify", *by, sgn(path)],
                  ["strip", *by, "-o", tmp_path / "out", sgn(path)]):
        peak = peak_of(ctlsign, "config", *words)
        assert SANITIZED or 0 < peak <= 10 * 1024, f"{words}: {peak} KiB"
    assert sgn(path).stat().st_blocks * 512 < 1 << 20
    subprocess.run(["cmp", path, tmp_path / "out" / path.name], check=True)
