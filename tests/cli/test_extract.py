# SPDX-License-Identifier: Apache-2.0
"""extract: certificates and a manifest from which build makes the same records."""
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
