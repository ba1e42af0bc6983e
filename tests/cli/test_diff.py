# SPDX-License-Identifier: Apache-2.0
"""diff: what a new list changes."""
import json
import shutil

import lists
import peerwrite
import pytest
from conftest import DATA
from lists import PUB, SUB

SHA1_PUB = "3C3B4932894CA87E269B26A607A2A8F0DBBDEA92"
SHA1_RENEWED = "66272585A88331A37627694C475948FC2C9DBE2C"
SERIAL_PUB = "70:CA:F6:4E:09:07:51:B9:DF:22:F4:9F:75:4F:C5:BB"
SERIAL_RENEWED = "6B:1D:35:7B:68:41:74:0B:07:8F:EE:4A:18:13:D5:D6"


@pytest.fixture
def made(ctlsign, cluster, tmp_path):
    """made(kind): one of the four lists."""
    def make(kind):
        path = tmp_path / f"{kind}.tlv"
        lists.build(ctlsign, cluster, kind, path, "--filename", "CTLFile.tlv")
        return path
    return make


def different(ctlsign, old, new):
    """The text of a run with differences, without its first two lines."""
    run = ctlsign("diff", old, new)
    assert run.status == 1 and run.err == "", str(run)
    lines = run.out.splitlines()
    assert lines[:2] == [f"old: {old}", f"new: {new}"]
    return lines[2:]


def kinds(ctlsign, old, new):
    """[(kind, old number, new number, [what changed])] from JSON."""
    run = ctlsign("diff", "--json", old, new)
    assert run.status in (0, 1), str(run)
    return [(r["kind"], r["old"], r["new"], [c["what"] for c in r["changes"]])
            for r in json.loads(run.out)["records"]]


def test_the_same_file(ctlsign, made):
    path = made("tokenless")
    run = ctlsign.ok("diff", path, path)
    assert run.last_line == "same: every byte"
    assert len(run.out.splitlines()) == 3


def test_the_same_bytes_under_another_name(ctlsign, made, tmp_path):
    path = made("tokenless")
    copy = tmp_path / "copy.tlv"
    shutil.copy(path, copy)
    run = ctlsign.ok("diff", path, copy, "--json")
    said = json.loads(run.out)
    assert (said["same"], said["signed_again"], said["header"]) == (True, False, [])
    assert {r["kind"] for r in said["records"]} == {"same"}
    assert (said["old"], said["new"]) == (str(path), str(copy))


def test_publisher_renewed_as_text(ctlsign, made):
    """The vendor's story: 4947 bytes become 6113; both rows of the certificate appear."""
    facts = [f"    serial: {SERIAL_PUB} -> {SERIAL_RENEWED}",
             "    key: RSA 1024 bits -> RSA 2048 bits",
             f"    certificate: SHA-1 {SHA1_PUB}, valid until 2034-06-04T12:00:00Z -> "
             f"SHA-1 {SHA1_RENEWED}, valid until 2035-03-07T12:00:00Z"]
    assert different(ctlsign, made("tokenless"), made("regenerated")) == [
        f"header signer serial: {SERIAL_PUB} -> {SERIAL_RENEWED}",
        "header signer key: RSA 1024 bits -> RSA 2048 bits",
        "header size: 4947 bytes -> 6113 bytes",
        "record 1 renewed: SAST cucm-1051-a-pub 10.48.47.153", *facts,
        "record 2 renewed: CCM+TFTP cucm-1051-a-pub 10.48.47.153", *facts,
        "different: 2 renewed, 2 the same; header: signer serial, signer key, size"]


def test_publisher_renewed_as_json(ctlsign, made):
    old, new = made("tokenless"), made("regenerated")
    run = ctlsign("diff", "--json", old, new)
    assert run.status == 1 and run.err == "", str(run)
    said = json.loads(run.out)
    assert said["counts"] == {"same": 2, "moved": 0, "changed": 0, "renewed": 2, "added": 0,
                              "removed": 0}
    changes = {c["what"]: (c["old"], c["new"]) for c in said["records"][1]["changes"]}
    assert changes["key_size"] == ("1024", "2048")
    assert changes["serial"] == (SERIAL_PUB.replace(":", ""), SERIAL_RENEWED.replace(":", ""))
    header = {c["what"]: (c["old"], c["new"]) for c in said["header"]}
    assert set(header) == {"signer_serial", "signer_key", "signature_bits", "signature", "size"}
    assert header["signature_bits"] == ("1024", "2048")
    assert said["records"][2]["role"] == "CAPF" and said["records"][2]["address"] == PUB
    assert not said["same"] and not said["signed_again"] and not said["timestamp_backwards"]


def test_tokenless_to_tokens(ctlsign, made):
    lines = different(ctlsign, made("tokenless"), made("tokens"))
    assert [line for line in lines if line.startswith(("record", "old record"))] == [
        "record 1 added: SAST (SAST-ADN0054f509)",
        "old record 1 removed: SAST cucm-1051-a-pub 10.48.47.153",
        "record 2 changed: CCM+TFTP 10.48.47.153 (cucm-1051-a-pub)",
        "record 3 changed: CAPF 10.48.47.153 (CAPF-e41e7d87)",
        "record 4 changed: CCM+TFTP 10.48.47.154 (cucm-1051-a-sub1)",
        "record 5 added: SAST (SAST-ADN008580ef)"]
    assert "header style: cucm -> ctl-client" in lines
    assert "header signer key: another one, also RSA 1024 bits" in lines


def test_a_name_in_another_dialect_is_told_in_one_line(ctlsign):
    old, new = (DATA / "lists" / name for name in ("cucm-2048.tlv", "rfc4514.tlv"))
    lines = different(ctlsign, old, new)
    assert "header style: cucm -> rfc4514 (spells signer, signer issuer in another way)" in lines
    assert lines.count("    dialect: cucm -> rfc4514 (spells subject, issuer in another way)") == 4
    assert not [line for line in lines if line.startswith(("    subject", "    issuer", "header signer:"))]
    said = json.loads(ctlsign("diff", "--json", old, new).out)
    assert [h for h in said["header"] if h["what"] == "style"] == [
        {"what": "style", "old": "cucm", "new": "rfc4514", "respelled": ["signer_name", "signer_issuer"]}]
    for record in said["records"]:
        assert {"what": "dialect", "old": "cucm", "new": "rfc4514",
                "respelled": ["subject", "issuer"]} in record["changes"]


def test_a_name_with_another_separator_is_told_in_one_line(ctlsign, cluster, tmp_path):
    """Community tools up to 4.12 wrote ';', later ones ','."""
    paths = []
    for name, separator in (("old", ";"), ("new", ",")):
        paths.append(tmp_path / f"{name}.tlv")
        ctlsign.ok("build", "-o", paths[-1], "--style", "rfc4514", "--name-separator", separator, "--tftp", cluster / "sub1.pem",
                   *lists.key(cluster, "tokenless"), "--timestamp", lists.TIME, "--filename", "CTLFile.tlv")
    said = json.loads(ctlsign("diff", "--json", *paths).out)
    assert [r["kind"] for r in said["records"]] == ["changed"] * 2
    assert [[(c["what"], c["respelled"]) for c in r["changes"]] for r in said["records"]] == [[("dialect", ["subject", "issuer"])]] * 2
    lines = different(ctlsign, *paths)
    assert len([line for line in lines if "(spells subject, issuer in another way)" in line]) == 2
    assert not [line for line in lines if line.startswith(("    subject", "    issuer", "header signer:"))], lines


def test_mixed_to_non_secure_and_back(ctlsign, made):
    mixed, bare = made("tokens"), made("tokens-non-secure")
    lines = different(ctlsign, mixed, bare)
    assert "header mode: mixed -> non-secure" in lines
    assert "record 2 moved: SAST (SAST-ADN008580ef), was record 5" in lines
    assert (f"    certificate: SHA-1 {SHA1_PUB}, valid until 2034-06-04T12:00:00Z -> none") in lines
    back = kinds(ctlsign, bare, mixed)
    assert ("changed", 3, 2, ["certificate"]) in back
    assert not [row for row in back if row[0] in ("added", "removed", "renewed")]


def resigned(ctlsign, cluster, tmp_path, name, timestamp):
    path = tmp_path / name
    ctlsign.ok("build", "-o", path, *lists.records(cluster, "tokenless"),
               *lists.key(cluster, "tokenless"), "--timestamp", timestamp,
               "--filename", "CTLFile.tlv")
    return path


def test_signed_again_later(ctlsign, cluster, tmp_path):
    old = resigned(ctlsign, cluster, tmp_path, "old.tlv", lists.TIME)
    new = resigned(ctlsign, cluster, tmp_path, "new.tlv", lists.TIME + 60)
    assert different(ctlsign, old, new) == [
        "header timestamp: 2015-03-10T15:06:40Z -> 2015-03-10T15:07:40Z",
        "different: 4 the same; signed again and nothing else"]


def test_the_time_goes_backwards(ctlsign, cluster, tmp_path):
    old = resigned(ctlsign, cluster, tmp_path, "old.tlv", lists.TIME)
    new = resigned(ctlsign, cluster, tmp_path, "new.tlv", lists.TIME - 60)
    assert different(ctlsign, old, new)[0].endswith("(goes BACKWARDS)")
    assert json.loads(ctlsign("diff", old, new, "--json").out)["timestamp_backwards"] is True


def test_digest_and_kind(ctlsign, cluster, tmp_path):
    new = tmp_path / "new.tlv"
    old = resigned(ctlsign, cluster, tmp_path, "old.tlv", lists.TIME)
    ctlsign.ok("build", "-o", new, *lists.records(cluster, "tokenless"),
               *lists.key(cluster, "tokenless"), "--timestamp", lists.TIME,
               "--digest", "sha256", "--filename", "ITLFile.tlv", "--signer-version", "1.1")
    lines = different(ctlsign, old, new)
    assert "header digest: sha1 -> sha256" in lines
    assert "header file name: CTLFile.tlv -> ITLFile.tlv" in lines
    assert "header signer version: none -> 1.1" in lines


def test_capf_renewed_under_a_new_subject(ctlsign, cluster, signer, made, tmp_path):
    _, capf = signer("rsa2048", "CAPF-0a1b2c3d")
    old, new = made("tokenless"), tmp_path / "new.tlv"
    words = [str(w).replace(f"{cluster}/capf.pem", str(capf))
             for w in lists.records(cluster, "tokenless")]
    ctlsign.ok("build", "-o", new, *words, *lists.key(cluster, "tokenless"),
               "--timestamp", lists.TIME, "--filename", "CTLFile.tlv")
    rows = kinds(ctlsign, old, new)
    assert [row[:3] for row in rows] == [("same", 1, 1), ("same", 2, 2), ("renewed", 3, 3),
                                         ("same", 4, 4)]
    assert "record 3 renewed: CAPF cucm-1051-a-pub 10.48.47.153 (CAPF-0a1b2c3d)" in different(
        ctlsign, old, new)


def test_values_are_escaped(ctlsign, cluster, made, tmp_path):
    cert = peerwrite.load(cluster / "pub.pem")
    name = b"pub\x1b]0;x\x07\nrecord 9 added: CAPF\xff"
    rows = [peerwrite.record_fields(cert, "SAST", "cucm", name, PUB)]
    new = tmp_path / "peer.tlv"
    new.write_bytes(peerwrite.assemble(rows, 0, cluster / "pub.key"))
    run = ctlsign("diff", made("tokenless"), new)
    assert run.status == 1
    assert "\x1b" not in run.out and "\x07" not in run.out
    assert not [line for line in run.out.splitlines() if line.startswith("record 9")]
    assert "pub\\x1b]0;x\\x07\\x0arecord 9 added: CAPF\\xff" in run.out
    record = json.loads(ctlsign("diff", made("tokenless"), new, "--json").out)["records"][0]
    assert record["name"] is None and record["name_hex"] == name.hex()


@pytest.mark.parametrize("which", ["old", "new"])
@pytest.mark.parametrize("damage", ["cut", "empty", "garbage", "missing"])
def test_damaged_or_missing(ctlsign, made, tmp_path, which, damage):
    good, bad = made("tokenless"), tmp_path / "bad.tlv"
    if damage == "cut":
        bad.write_bytes(good.read_bytes()[:2000])
    elif damage != "missing":
        bad.write_bytes(b"" if damage == "empty" else b"hello, world, this is no list")
    pair = (bad, good) if which == "old" else (good, bad)
    run = ctlsign.refused(3, "diff", *pair, says="bad.tlv")
    if damage == "cut":
        assert "record 2" in run.err and "(at byte " in run.err, str(run)


def test_two_files_are_needed(ctlsign, made):
    path = made("tokenless")
    ctlsign.refused(2, "diff", path)
    ctlsign.refused(2, "diff")
    ctlsign.refused(2, "diff", path, path, path, says="one argument too many")


def test_a_node_added_and_one_removed(ctlsign, cluster, made, signer, tmp_path):
    _, sub2 = signer("rsa1024", "cucm-1051-a-sub2")
    words = [str(w).replace(f"{cluster}/sub1.pem", str(sub2)).replace("a-sub1", "a-sub2")
             .replace(SUB, "10.48.47.155") for w in lists.records(cluster, "tokenless")]
    new = tmp_path / "new.tlv"
    ctlsign.ok("build", "-o", new, *words, *lists.key(cluster, "tokenless"),
               "--timestamp", lists.TIME)
    lines = different(ctlsign, made("tokenless"), new)
    assert "record 4 added: CCM+TFTP cucm-1051-a-sub2 10.48.47.155" in lines
    assert "old record 4 removed: CCM+TFTP cucm-1051-a-sub1 10.48.47.154" in lines


def test_many_records_take_no_square(ctlsign, cluster, tmp_path):
    """10,000 records a side, turned round: a second, not minutes."""
    cert = peerwrite.load(cluster / "pub.pem")
    rows = [peerwrite.record_fields(cert, "SAST", "cucm", "cucm-1051-a-pub", PUB)]
    rows += [[(2, peerwrite.text(f"n{i}")), (4, b"\0\2"), (10, peerwrite.address_bytes(
        f"10.1.{i // 256}.{i % 256}"))] for i in range(10000)]
    paths = []
    for name, body in (("old", rows), ("new", [rows[0], *rows[:0:-1]])):
        paths.append(tmp_path / f"{name}.tlv")
        paths[-1].write_bytes(peerwrite.assemble(body, 0, cluster / "pub.key"))
    run = ctlsign("diff", *paths, timeout=60)
    assert run.status == 1
    assert run.last_line == "different: 9999 moved, 2 the same"
