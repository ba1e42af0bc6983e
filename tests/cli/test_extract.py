# SPDX-License-Identifier: Apache-2.0
"""extract: certificates and a manifest from which build makes the same records."""
import re

import lists
import peerlist
import peerwrite
import pytest
import yaml
from conftest import openssl
from lists import PUB, SUB, TIME


def rebuild(ctlsign, folder, out, key, *more):
    ctlsign.ok("build", "-o", out, "-m", folder / "cluster.yaml", *key, "--timestamp", TIME, *more)
    return out.read_bytes()


@pytest.mark.parametrize("kind", sorted(lists.LENGTHS))
def test_extract_then_build_is_the_same_list(ctlsign, cluster, tmp_path, kind):
    out = tmp_path / "CTLFile.tlv"
    data = lists.build(ctlsign, cluster, kind, out)
    ctlsign.ok("extract", out, "-o", tmp_path / "x")
    again = tmp_path / "again" / "CTLFile.tlv"
    again.parent.mkdir()
    assert rebuild(ctlsign, tmp_path / "x", again, lists.key(cluster, kind)) == data


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha512"])
def test_the_same_in_rfc4514(ctlsign, cluster, tmp_path, digest):
    out = tmp_path / "CTLFile.tlv"
    ctlsign.ok("build", "-o", out, "--style", "rfc4514", "--sast", cluster / "pub.pem",
               "--ccm-tftp", cluster / "sub1.pem", "--capf", cluster / "capf.pem",
               "--digest", digest, *lists.key(cluster, "tokenless"), "--timestamp", TIME)
    ctlsign.ok("extract", out, "-o", tmp_path / "x")
    again = tmp_path / "again.tlv"
    assert rebuild(ctlsign, tmp_path / "x", again, lists.key(cluster, "tokenless"),
                   "--filename", "CTLFile.tlv") == out.read_bytes()


@pytest.mark.parametrize("more", [["--digest", "sha512"], ["--signer-version", "1.1"],
                                  ["--filename", "Odd name.tlv"]])
def test_header_choices_come_along(ctlsign, cluster, tmp_path, more):
    out = tmp_path / "CTLFile.tlv"
    data = lists.build(ctlsign, cluster, "tokenless", out, *more)
    ctlsign.ok("extract", out, "-o", tmp_path / "x")
    assert rebuild(ctlsign, tmp_path / "x", tmp_path / "again.tlv",
                   lists.key(cluster, "tokenless")) == data


def test_an_itl_comes_back(ctlsign, cluster, tmp_path):
    out = tmp_path / "ITLFile.tlv"
    ctlsign.ok("build", "-o", out, "--tvs", f"{cluster}/sub1.pem,address={SUB}",
               *lists.anchor(cluster), "--timestamp", TIME)
    ctlsign.ok("extract", out, "-o", tmp_path / "x")
    assert rebuild(ctlsign, tmp_path / "x", tmp_path / "again.tlv",
                   lists.key(cluster, "tokenless")) == out.read_bytes()


def hashed(role, name, cert, **changes):
    """A record of an ITL that names its certificate by serial number, issuer and hash only."""
    fields = {2: peerwrite.text(name), 3: peerwrite.text(peerwrite.cucm_name(cert.subject)),
              4: role.to_bytes(2, "big"), 5: peerwrite.text(peerwrite.cucm_name(cert.issuer)),
              6: peerwrite.serial_bytes(cert), 10: peerwrite.address_bytes(SUB), 11: bytes(range(20)), 12: b"\x01",
              **changes}
    return [(tag, fields[tag]) for tag in sorted(fields) if fields[tag] is not None]


def hashed_list(cluster, *records, name="ITLFile.tlv"):
    fields = peerwrite.record_fields(peerwrite.load(cluster / "pub.pem"), "SAST", "cucm", name="cucm-1051-a-pub",
                                     address=PUB)
    return peerwrite.assemble([fields, *records], 0, cluster / "pub.key", filename=name, timestamp=TIME)


def test_records_with_a_hash_only_come_back(ctlsign, cluster, tmp_path):
    """In their order, with fields that nobody knows, two of one name."""
    cert = peerwrite.load(cluster / "sub1.pem")
    data = hashed_list(cluster, hashed(21, "sub1", cert), hashed(2, "sub1", cert),
                       [*hashed(21, "sub1", cert), (200, b"own field")], hashed(3, "../x", cert))
    path = tmp_path / "ITLFile.tlv"
    path.write_bytes(data)
    run = ctlsign.ok("extract", path, "-o", tmp_path / "x")
    assert "has no certificate" not in run.err
    files = {p.name: p.read_bytes() for p in (tmp_path / "x").iterdir() if p.suffix == ".record"}
    raw = [r["raw"] for r in peerlist.parse(data)["records"]]
    assert sorted(files.values()) == sorted(raw[1:])
    again = tmp_path / "again" / "ITLFile.tlv"
    again.parent.mkdir()
    assert rebuild(ctlsign, tmp_path / "x", again, lists.key(cluster, "tokenless")) == data


@pytest.mark.parametrize("bad,says", [
    ("cert", "has a certificate"), ("sast", "SAST record without certificate"), ("two", "one record"),
    ("cut", "remain"), ("empty", "y.record"), ("role", "another"), ("beside", "leave out"), ("missing", "y.record"),
    ("no-function", "FUNCTION")])
def test_what_is_no_record(ctlsign, cluster, tmp_path, bad, says):
    cert = peerwrite.load(cluster / "sub1.pem")
    good = peerwrite.raw_record(hashed(21, "n", cert))
    content = {"cert": peerwrite.raw_record(peerwrite.record_fields(cert, "TVS", "cucm", name="n", address=SUB)),
               "sast": peerwrite.raw_record(hashed(0, "n", cert)), "two": good * 2, "cut": good[:-3], "empty": b"",
               "no-function": peerwrite.raw_record([f for f in hashed(21, "n", cert) if f[0] != 4])}
    (tmp_path / "y.record").write_bytes(content.get(bad, good))
    row = {"role": "SAST" if bad == "sast" else "CAPF" if bad == "role" else "TVS", "record": "y.record"}
    if bad == "beside":
        row["name"] = "n"
    if bad == "missing":
        (tmp_path / "y.record").unlink()
    manifest = tmp_path / "cluster.yaml"
    manifest.write_text(yaml.safe_dump({"style": "cucm", "records": [row]}))
    out = tmp_path / "ITLFile.tlv"
    ctlsign.refused(3, "build", "-o", out, "-m", manifest, *lists.key(cluster, "tokenless"),
                    says=[f"{manifest}:", says])
    assert not out.exists()


def test_a_sast_record_without_certificate_is_told(ctlsign, cluster, tmp_path):
    path = tmp_path / "ITLFile.tlv"
    path.write_bytes(hashed_list(cluster, hashed(0, "n", peerwrite.load(cluster / "sub1.pem"))))
    assert "record 2: has no certificate" in ctlsign.ok("extract", path, "-o", tmp_path / "x").err


@pytest.mark.parametrize("length,says", [
    (16, "has an IPv6 address"), (1, "has an address of 1 byte, "), (5, "has an address of 5 bytes, ")])
def test_an_address_that_is_left_out_is_told(ctlsign, cluster, tmp_path, length, says):
    path = tmp_path / "CTLFile.tlv"
    fields = peerwrite.record_fields(peerwrite.load(cluster / "sub1.pem"), "CCM+TFTP", "cucm", name="n", address=SUB)
    path.write_bytes(hashed_list(cluster, [(tag, bytes(length) if tag == 10 else value) for tag, value in fields],
                                 name="CTLFile.tlv"))
    assert f"record 2: {says}" in ctlsign.ok("extract", path, "-o", tmp_path / "x").err


def test_what_is_written(ctlsign, cluster, tmp_path):
    out = tmp_path / "CTLFile.tlv"
    lists.build(ctlsign, cluster, "tokenless", out)
    ctlsign.ok("extract", out, "-o", tmp_path / "x")
    manifest = yaml.safe_load((tmp_path / "x" / "cluster.yaml").read_text())
    assert manifest["file"] == "CTLFile.tlv" and manifest["style"] == "cucm"
    rows = manifest["records"]
    assert [r["role"] for r in rows] == ["SAST", "CCM+TFTP", "CAPF", "CCM+TFTP"]
    assert [r["name"] for r in rows] == ["cucm-1051-a-pub"] * 3 + ["cucm-1051-a-sub1"]
    assert [r["address"] for r in rows] == [PUB, PUB, PUB, SUB]
    for row, name in zip(rows, ("pub", "pub", "capf", "sub1")):
        written = tmp_path / "x" / row["cert"]
        assert openssl("x509", "-in", written, "-outform", "DER") == \
            openssl("x509", "-in", cluster / f"{name}.pem", "-outform", "DER")
    names = {p.name for p in (tmp_path / "x").iterdir()}
    assert names == {"cluster.yaml", *(row["cert"] for row in rows)}
    for name in names - {"cluster.yaml"}:
        assert name.endswith(".pem") and "cucm-1051-a" in name and "+" not in name


def test_twice_into_the_same_folder(ctlsign, cluster, tmp_path):
    out = tmp_path / "CTLFile.tlv"
    lists.build(ctlsign, cluster, "tokenless", out)
    ctlsign.ok("extract", out, "-o", tmp_path / "x")
    before = {p.name: p.read_bytes() for p in (tmp_path / "x").iterdir()}
    run = ctlsign("extract", out, "-o", tmp_path / "x")
    assert run.status in (0, 9)
    after = {p.name: p.read_bytes() for p in (tmp_path / "x").iterdir()}
    assert {name: after[name] for name in before} == before


def test_other_content_is_never_overwritten(ctlsign, cluster, tmp_path):
    out, folder = tmp_path / "CTLFile.tlv", tmp_path / "x"
    lists.build(ctlsign, cluster, "tokenless", out)
    ctlsign.ok("extract", out, "-o", folder)
    victims = {p.name for p in folder.iterdir()}
    for name in victims:
        (folder / name).write_text("mine\n")
    ctlsign("extract", out, "-o", folder)
    for name in victims:
        assert (folder / name).read_text() == "mine\n", name


@pytest.mark.parametrize("name", [b"../../etc/passwd", b"..", b".hidden", b"/abs", b"a b\n;c",
                                  b"caf\xe9", b"-rf", b"", b"x" * 3000, b"a\x1b[2Jb"])
def test_hostile_names_stay_in_the_folder(ctlsign, cluster, tmp_path, name):
    cert = peerwrite.load(cluster / "pub.pem")
    sast = peerwrite.record_fields(cert, "SAST", "cucm", "n", PUB)
    evil = [(t, name + b"\0" if t == 2 else v) for t, v in sast]
    path, folder = tmp_path / "CTLFile.tlv", tmp_path / "deep" / "x"
    path.write_bytes(peerwrite.assemble([sast, evil], 0, cluster / "pub.key"))
    folder.parent.mkdir()
    before = {p for p in tmp_path.rglob("*") if folder not in p.parents}
    run = ctlsign("extract", path, "-o", folder)
    assert run.status in (0, 3), str(run)
    after = {p for p in tmp_path.rglob("*") if folder not in p.parents}
    assert after - before <= {folder}
    if folder.exists():
        for made in folder.iterdir():
            assert set(made.name) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                         "0123456789._-"), made.name
            assert not made.name.startswith((".", "-"))


def test_two_records_of_one_name_with_other_certificates(ctlsign, cluster, tmp_path):
    out = tmp_path / "CTLFile.tlv"
    ctlsign.ok("build", "-o", out, *lists.key(cluster, "tokenless"), "--timestamp", TIME,
               "--sast", f"{cluster}/pub.pem,name=n,address={PUB}",
               "--ccm-tftp", f"{cluster}/sub1.pem,name=n,address={SUB}",
               "--ccm-tftp", f"{cluster}/capf.pem,name=n,address={PUB}")
    ctlsign.ok("extract", out, "-o", tmp_path / "x")
    assert rebuild(ctlsign, tmp_path / "x", tmp_path / "again.tlv",
                   lists.key(cluster, "tokenless"), "--filename", "CTLFile.tlv") == out.read_bytes()


def test_two_certificates_of_one_name_and_serial_number(ctlsign, cluster, signer, tmp_path):
    """One of the two names is all that is left; the other content is not overwritten."""
    out = tmp_path / "CTLFile.tlv"
    key, first = signer("rsa1024", cn="twin")
    _, second = signer("rsa1024b", cn="twin")
    ctlsign.ok("build", "-o", out, *lists.key(cluster, "tokenless"), "--timestamp", TIME,
               "--sast", f"{cluster}/pub.pem,name=n,address={PUB}",
               "--ccm-tftp", f"{first},name=n,address={SUB}", "--ccm-tftp", f"{second},name=n,address={SUB}",
               "--ccm-tftp", f"{second},name=n,address={PUB}")
    run = ctlsign("extract", out, "-o", tmp_path / "x")
    if run.status == 0:
        ders = {peerwrite.der(peerwrite.load(path)) for path in (tmp_path / "x").glob("*.pem")}
        assert {peerwrite.der(peerwrite.load(path)) for path in (first, second)} <= ders
    else:
        assert run.status == 9 and not (tmp_path / "x").exists(), str(run)


def test_names_that_yaml_would_misread(ctlsign, cluster, tmp_path):
    out = tmp_path / "CTLFile.tlv"
    names = ["yes", "007", "null", "a: b", "- x", "#c", "'q\"", "{x}", "1e3", " lead", "tail ", "~"]
    rows = [word for name in names for word in
            ("--ccm-tftp", f"{cluster}/sub1.pem,name={name},address={SUB}")]
    ctlsign.ok("build", "-o", out, *rows, *lists.anchor(cluster), "--timestamp", TIME)
    ctlsign.ok("extract", out, "-o", tmp_path / "x")
    assert rebuild(ctlsign, tmp_path / "x", tmp_path / "again.tlv",
                   lists.key(cluster, "tokenless"), "--filename", "CTLFile.tlv") == out.read_bytes()


@pytest.mark.parametrize("name", ["a\tb", "a\x01b", "a\x7fb", "a\u0085b", "a\u009bb", "a\u2028  b", "a\u202eb",
                                  "\ufeffa", "a\ufffe\uffffb", "a\U000e0041b", "\U0001f600ó", '\\"\\'],
                         ids=ascii)
def test_names_come_back_whatever_character_they_have(ctlsign, cluster, tmp_path, name):
    """And what somebody reads in the manifest is all that there is."""
    cert = peerwrite.load(cluster / "pub.pem")
    sast = peerwrite.record_fields(cert, "SAST", "cucm", "n", PUB)
    path = tmp_path / "CTLFile.tlv"
    path.write_bytes(peerwrite.assemble([sast, peerwrite.record_fields(cert, "CCM+TFTP", "cucm", name, PUB)], 0,
                                        cluster / "pub.key"))
    ctlsign.ok("extract", path, "-o", tmp_path / "x", "--trust", cluster / "pub.pem")
    text = (tmp_path / "x" / "cluster.yaml").read_text(encoding="utf-8")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\ufeff\ufffe\uffff\U000e0041]", text), ascii(text)
    again = rebuild(ctlsign, tmp_path / "x", tmp_path / "again.tlv", lists.key(cluster, "tokenless"),
                    "--filename", "CTLFile.tlv")
    assert peerlist.parse(again)["records"] == peerlist.parse(path.read_bytes())["records"]


def test_emptied_records_come_back_without_a_certificate(ctlsign, cluster, tmp_path):
    out = tmp_path / "CTLFile.tlv"
    lists.build(ctlsign, cluster, "tokens-non-secure", out)
    ctlsign.ok("extract", out, "-o", tmp_path / "x")
    manifest = yaml.safe_load((tmp_path / "x" / "cluster.yaml").read_text())
    assert manifest["mode"] == "non-secure"
    assert ["cert" in row for row in manifest["records"]] == [True, True, False, True, False]
    assert len(list((tmp_path / "x").glob("*.pem"))) == 3


def test_a_damaged_file_leaves_nothing(ctlsign, cluster, tmp_path):
    out = tmp_path / "CTLFile.tlv"
    data = lists.build(ctlsign, cluster, "tokenless", out)
    out.write_bytes(data[:3000])
    ctlsign.refused(3, "extract", out, "-o", tmp_path / "x", says="(at byte ")
    assert not (tmp_path / "x").exists() or not list((tmp_path / "x").iterdir())


def test_needs_a_folder(ctlsign, cluster, tmp_path):
    out = tmp_path / "CTLFile.tlv"
    lists.build(ctlsign, cluster, "tokenless", out)
    ctlsign.refused(2, "extract", out, says="-o")
    ctlsign.refused({2, 9}, "extract", out, "-o", out)
    assert peerlist.parse(out.read_bytes())
