# SPDX-License-Identifier: Apache-2.0
"""config: a signed file is good, and stays unchanged, by the same verdict as a list is good."""
import json
import os
import sys

import lists
import pytest
from test_defects import DEFECTS

sys.path.insert(0, str(DEFECTS))

import generate  # noqa: E402  (found through the path above)

XML = b"<device/>\n"
NAME = "SEP001122334455.cnf.xml"
SIGNER = generate.record("sub1", "CCM+TFTP")
VERSION = b"\x01\x00\x02\x01\x00"
FILENAME = generate.field(14, generate.text(NAME + ".sgn"))
NAMES = ("version", "length", "signer", "info", "signature", "filename", "timestamp", "extra", "pad")


def header(**over):
    """The header's parts by name."""
    return dict(zip(NAMES, generate.parts(SIGNER, **{"version": VERSION, "filename": FILENAME, **over})))


def seal(parts, content=XML):
    return generate.seal([part for part in parts.values() if part is not None], content, private="sub1")


def moved(where):
    """Field 12 in front of another part; the rest stays as it was, and so does the signature."""
    parts = header()
    signature = parts.pop("signature")
    order = list(parts.items())
    at = list(parts).index(where) if where else len(order)
    return dict([*order[:at], ("signature", signature), *order[at:]])


@pytest.fixture
def one(tmp_path):
    path = tmp_path / "tftp" / NAME
    path.parent.mkdir()
    path.write_bytes(XML)
    return path


@pytest.fixture
def signs(cluster):
    return ["-k", cluster / "sub1.key", "--cert", cluster / "sub1.pem"]


@pytest.fixture
def trusts(ctlsign, cluster, tmp_path):
    """Both ways to say who may sign."""
    path = tmp_path / "CTLFile.tlv"
    lists.build(ctlsign, cluster, "tokenless", path)
    return [["--cert", cluster / "sub1.pem"], ["--trust", path]]


def sgn(path):
    return path.with_name(path.name + ".sgn")


BAD = {
    "signature-at-the-start": (lambda: moved("version"), "signature: not right behind"),
    "signature-before-the-length": (lambda: moved("length"), "signature: not right behind"),
    "signature-before-the-signer": (lambda: moved("signer"), "signature: not right behind"),
    "signature-before-the-signature-info": (lambda: moved("info"), "signature: not right behind"),
    "signature-behind-the-file-name": (lambda: moved("timestamp"), "signature: not right behind"),
    "signature-behind-the-timestamp": (lambda: moved("pad"), "signature: not right behind"),
    "signature-at-the-end": (lambda: moved(None), "signature: not right behind"),
    "padding-missing": (lambda: header(pad=None), "padding: must fill"),
    "padding-in-the-middle": (lambda: header(timestamp=b"\x0d" + generate.field(15, bytes(4))), "padding: must fill"),
    "version-twice": (lambda: header(extra=VERSION), "version: there twice"),
    "signer-serial-twice": (lambda: header(extra=generate.field(5, b"\1")), "signer serial: there twice"),
    "modulus-of-another-size": (lambda: header(info=generate.info(modulus=2)), "signature modulus: code 2"),
    "signer-name-missing": (lambda: header(signer=generate.field(3, b"".join(
        generate.field(tag, value) for tag, value in generate.identity(SIGNER).items() if tag != 4))), "signer name: missing"),
    "error-behind-warnings": (lambda: {**header(extra=generate.field(77, b"") * 1001), "pad": b""}, "padding: must fill"),
}


def test_the_good_one_is_good(ctlsign, one, trusts):
    """Else everything would be bad."""
    sgn(one).write_bytes(seal(header()))
    for who in trusts:
        assert ": good signature by " in ctlsign.ok("config", "verify", *who, sgn(one)).out


@pytest.mark.parametrize("name", BAD)
def test_what_the_header_says(ctlsign, one, signs, trusts, name):
    make, says = BAD[name]
    data = seal(make())
    sgn(one).write_bytes(data)
    for who in trusts:
        run = ctlsign("config", "verify", *who, sgn(one))
        assert run.status == 1 and f": BAD signature: {says}" in run.out and "good signature" not in run.out, str(run)
        said = json.loads(ctlsign("config", "verify", "--json", *who, sgn(one)).out)["files"][0]
        assert (said["status"], said["verified"]) == ("bad", True) and said["error"].startswith(says)
        out = one.parent / "stripped"
        out.mkdir(exist_ok=True)
        run = ctlsign("config", "strip", *who, "-o", out, sgn(one))
        assert run.status == 1 and "good signature" not in run.out and not list(out.iterdir()), str(run)
    # What stands there is not kept.
    run = ctlsign.ok("config", "sign", *signs, "--skip-unchanged", "--overwrite", one)
    assert ": signed" in run.out and sgn(one).read_bytes() != data
    assert ": good signature by " in ctlsign.ok("config", "verify", *trusts[0], sgn(one)).out
    assert ": unchanged" in ctlsign.ok("config", "sign", *signs, "--skip-unchanged", one).out


def test_a_weak_key(ctlsign, one, signer):
    key, cert = signer("rsa512")
    sign = ["config", "sign", "-k", key, "--cert", cert, "--skip-unchanged", one]
    assert ctlsign(*sign).status == 3
    assert ": signed" in ctlsign.ok(*sign, "--allow-weak-keys").out
    assert ": unchanged" in ctlsign.ok(*sign, "--allow-weak-keys").out
    run = ctlsign("config", "verify", "--cert", cert, sgn(one))
    assert run.status == 1 and "BAD signature: weak key: 512 bits can be factored" in run.out, str(run)


RECORDS = b"".join(map(generate.raw_record, generate.records()))
BEGINNINGS = {"a record that claims more than it has": bytes.fromhex("0100020008040005") + RECORDS,
              "records": RECORDS, "a record, cut": RECORDS[:700], "a record's first field": RECORDS[:5],
              "a record of its length alone, then text": bytes.fromhex("0100020005") + XML,
              "a length that lies": bytes.fromhex("010002ffff") + XML, "a record's first head": b"\x01\x00\x02",
              "a list": generate.good(), "a list, cut": generate.good()[:200]}


@pytest.mark.parametrize("what", BEGINNINGS)
def test_what_begins_as_a_list(ctlsign, one, signs, trusts, what):
    """Whole or not: how far a phone reads is its own matter."""
    content = BEGINNINGS[what]
    one.write_bytes(content)
    for more in ([], ["--skip-unchanged"]):
        run = ctlsign("config", "sign", *signs, *more, one)
        assert run.status == 3 and not sgn(one).exists() and ("list" in run.err or "signed already" in run.err), str(run)
    # Somebody else signed it.
    sgn(one).write_bytes(seal(header(), content))
    run = ctlsign("config", "verify", *trusts[0], sgn(one))
    assert run.status == 1 and "BAD signature: the content begins as a trust list's records do" in run.out, str(run)
    one.unlink()
    for who in ([], trusts[0]):
        run = ctlsign("config", "strip", *who, sgn(one))
        assert run.status == 3 and not one.exists(), str(run)


@pytest.mark.parametrize("content", [b"", b"\x01", b"\x01\x00", b"\x01\x00\x03abc", b"\x01\x01\x02", b"<a/>\x01\x00\x02"])
def test_what_does_not(ctlsign, one, signs, trusts, content):
    one.write_bytes(content)
    ctlsign.ok("config", "sign", *signs, one)
    ctlsign.ok("config", "verify", *trusts[1], sgn(one))


def test_a_name_that_no_phone_could_be_told(ctlsign, one, signs):
    """FILENAME is the file's name: what verify would call bad is not signed."""
    path = os.fsencode(one.parent) + b"/\xff.xml"
    with open(path, "wb") as f:
        f.write(XML)
    run = ctlsign("config", "sign", *signs, os.fsdecode(path))
    assert run.status == 3 and "would not verify: file name: not UTF-8" in run.err, str(run)
    assert not os.path.exists(path + b".sgn")
