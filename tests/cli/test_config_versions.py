# SPDX-License-Identifier: Apache-2.0
"""config verify and strip: a version alone is no reason, firmware is the vendor's, and TVS knows more signers."""
import json
import shutil
import sys

import lists
import peerlist
import pytest
from conftest import DATA, openssl
from test_defects import DEFECTS

sys.path.insert(0, str(DEFECTS))

import generate  # noqa: E402  (found through the path above)

XML = b"<device/>\n"
NAME = "SEP001122334455.cnf.xml.sgn"
SIGNER = generate.record("sub1", "CCM+TFTP")
FACT = "a phone asks TVS if it cannot verify the signature of a file with its CTL or ITL [SG15]"


def version(major, minor):
    return b"\x01\x00\x02" + bytes([major, minor])


def sealed(name=NAME, content=XML, **over):
    """A signed file of the second node's TFTP server."""
    over = {"version": version(1, 0), "filename": generate.field(14, generate.text(name)), **over}
    return generate.seal(generate.parts(SIGNER, **over), content, private="sub1")


FIRMWARE = {"version": version(1, 1), "timestamp": None}


@pytest.fixture
def path(tmp_path):
    folder = tmp_path / "tftp"
    folder.mkdir()
    return folder / NAME


@pytest.fixture
def by(cluster):
    return ["--cert", cluster / "sub1.pem"]


@pytest.fixture
def trust(ctlsign, cluster, tmp_path):
    out = tmp_path / "CTLFile.tlv"
    lists.build(ctlsign, cluster, "tokenless", out)
    return ["--trust", out]


@pytest.fixture
def stranger(ctlsign, cluster, tmp_path):
    """A list that has the publisher as the only TFTP server."""
    out = tmp_path / "other" / "CTLFile.tlv"
    out.parent.mkdir()
    ctlsign.ok("build", "-o", out, "--ccm-tftp", f"{cluster / 'pub.pem'},name=cucm-1051-a-pub,address=10.48.47.153",
               *lists.key(cluster, "tokenless"), "--timestamp", lists.TIME)
    return ["--trust", out]


@pytest.fixture
def tvs(cluster, tmp_path):
    """What TVS holds: the second node's certificate."""
    folder = tmp_path / "tvs"
    folder.mkdir()
    shutil.copy(cluster / "sub1.pem", folder)
    return folder


@pytest.mark.parametrize("which", [(1, 0), (1, 1), (1, 2), (1, 7), (2, 0)])
def test_a_version_alone_is_no_reason(ctlsign, by, trust, path, which):
    data = sealed(version=version(*which))
    path.write_bytes(data)
    for who in (by, trust):
        assert ": good signature by CN=cucm-1051-a-sub1;" in ctlsign.ok("config", "verify", *who, path).out
    # But it is signed: another one in the same file is bad.
    path.write_bytes(data[:4] + bytes([data[4] ^ 8]) + data[5:])
    for who in (by, trust):
        run = ctlsign("config", "verify", *who, path)
        assert run.status == 1 and "BAD signature: the file was changed after it was signed" in run.out, str(run)


@pytest.mark.parametrize("name", ["CTLFile.tlv", "ITLSEP001122334455.TLV"])
def test_a_list_without_records_is_no_configuration(ctlsign, path, name):
    path.write_bytes(sealed(name=name, version=version(1, 2)))
    run = ctlsign("config", "strip", "-o", path.parent, path)
    assert run.status == 3 and "is a trust list" in run.err and [p.name for p in path.parent.iterdir()] == [NAME]


def test_firmware(ctlsign, cluster, by, trust, stranger, path, tmp_path):
    path.write_bytes(sealed(**FIRMWARE))
    assert ": good signature by" in ctlsign.ok("config", "verify", *by, path).out
    # A list that has its signer says so too.
    assert ": good signature by" in ctlsign.ok("config", "verify", *trust, path).out
    run = ctlsign("config", "verify", *stranger, path)
    assert run.status == 1 and run.out == f"{path}: not verified: firmware\n", str(run)
    said = json.loads(ctlsign("config", "verify", "--json", *stranger, path).out)
    assert said["files"][0]["status"] == "unverified" and not said["files"][0]["verified"]
    assert said["counts"]["unverified"] == 1 and said["counts"]["bad"] == 0
    run = ctlsign("config", "verify", "--cert", cluster / "pub.pem", path)
    assert run.status == 1 and "BAD signature: the header names another signer" in run.out
    out = tmp_path / "out"
    out.mkdir()
    run = ctlsign("config", "strip", "-o", out, *stranger, path)
    assert run.status == 1 and "--cert" in run.out and not list(out.iterdir()), str(run)
    # Something else under its name, or changed, is bad by a certificate.
    path.write_bytes(sealed(**FIRMWARE) + b"x")
    assert "BAD signature" in ctlsign("config", "verify", *by, path).out
    path.write_bytes(sealed(name="other.sbn", **FIRMWARE))
    assert "BAD signature: FILENAME" in ctlsign("config", "verify", *stranger, path).out


@pytest.mark.parametrize("over", [{"version": version(1, 1)}, {"timestamp": None}], ids=["timestamp", "version"])
def test_what_is_no_firmware(ctlsign, stranger, path, over):
    path.write_bytes(sealed(**over))
    run = ctlsign("config", "verify", *stranger, path)
    assert run.status == 1 and "BAD signature: neither --trust nor --sast-trust knows the signer" in run.out, str(run)


def test_tvs_knows_more_signers(ctlsign, cluster, trust, stranger, tvs, path):
    """Printed as an assumption, with the fact that it rests on."""
    path.write_bytes(sealed())
    assert ctlsign("config", "verify", *stranger, path).status == 1
    for who in (stranger, []):
        run = ctlsign.ok("config", "verify", *who, "--sast-trust", tvs, path)
        assert " (through TVS; assumes the ITL has a TVS record; TVS still has" in run.out and FACT in run.err, str(run)
        said = json.loads(ctlsign.ok("config", "verify", "--json", *who, "--sast-trust", tvs, path).out)
        assert said["files"][0]["assumptions"] == ["itl-has-tvs-record", "tvs-certificate-kept"]
        assert said["files"][0]["tvs"]
    # What the list knows needs no TVS.
    run = ctlsign.ok("config", "verify", *trust, "--sast-trust", tvs, path)
    assert "TVS" not in run.out and FACT not in run.err, str(run)
    path.write_bytes(sealed()[:-1] + b"x")
    run = ctlsign("config", "verify", *stranger, "--sast-trust", tvs, path)
    assert run.status == 1 and "BAD signature" in run.out and FACT not in run.err, str(run)
    shutil.copy(cluster / "capf.pem", tvs)
    (tvs / "sub1.pem").unlink()
    assert ctlsign("config", "verify", *stranger, "--sast-trust", tvs, path).status == 1
    ctlsign.refused(2, "config", "verify", "--cert", cluster / "sub1.pem", "--sast-trust", tvs, path, says="contradict")


def test_tvs_looks_up_what_cucm_writes(ctlsign, cluster, tvs, tmp_path):
    """As accept has it: another dialect is not found."""
    plain = tmp_path / "x.xml"
    plain.write_bytes(XML)
    sign = ["config", "sign", "-k", cluster / "sub1.key", "--cert", cluster / "sub1.pem", plain]
    ctlsign.ok(*sign)
    ctlsign.ok("config", "verify", "--sast-trust", tvs, tmp_path / "x.xml.sgn")
    ctlsign.ok(*sign, "--style", "rfc4514")
    assert ctlsign("config", "verify", "--sast-trust", tvs, tmp_path / "x.xml.sgn").status == 1


def encrypted(tmp_path):
    folder = tmp_path / "encrypted"
    shutil.copytree(DATA / "encrypted", folder)
    return folder, folder / "SEP00AABBCCDDEE.cnf.xml.enc.sgn"


def test_an_encrypted_file_of_the_community_tool(ctlsign, tmp_path):
    folder, path = encrypted(tmp_path)
    by = ["--cert", folder / "tftp.pem"]
    run = ctlsign.ok("config", "verify", *by, path, folder / "SEP00AABBCCDDEE.cnf.xml.sgn")
    assert run.out.count("good signature by O=Example,OU=Phones,CN=asterisk") == 2
    said = json.loads(ctlsign.ok("config", "verify", "--json", *by, path, folder / "SEP00AABBCCDDEE.cnf.xml.sgn").out)
    assert [f["encrypted"] for f in said["files"]] == [True, False]
    run = ctlsign.ok("config", "strip", *by, path)
    content = (folder / "SEP00AABBCCDDEE.cnf.xml.enc").read_bytes()
    assert f"{len(content)} bytes, encrypted, good signature by" in run.out
    data = path.read_bytes()
    header = peerlist.parse_header(data)
    assert content == data[header["header_length"]:] and len(content) % 16 == 0
    assert peerlist.openssl_verify(data, folder / "tftp.pem")
    openssl("x509", "-in", folder / "phone.pem", "-noout")
    for at in (len(data) - 1, data.index(header["iv"]), data.index(header["content_key"])):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1:])
        run = ctlsign("config", "verify", *by, path)
        assert run.status == 1 and "BAD signature" in run.out, str(run)


@pytest.mark.parametrize("name", ["cipher-unknown", "content-key-of-256-bits", "content-padding-of-17-bytes",
                                  "plain-digest-too-short", "plain-digest-unknown", "encryption-empty"])
def test_what_nobody_could_decrypt_is_not_good(ctlsign, by, path, name):
    wrong = {"cipher-unknown": {"cipher": 2}, "content-key-of-256-bits": {"bits": 256},
             "content-padding-of-17-bytes": {"pad": 17}, "plain-digest-too-short": {"digest": bytes(19)},
             "plain-digest-unknown": {"algorithm": 4}}.get(name)
    extra = generate.encryption(**wrong) if wrong else generate.field(16, b"")
    path.write_bytes(sealed(version=version(2, 0), extra=generate.encryption()))
    ctlsign.ok("config", "verify", *by, path)
    path.write_bytes(sealed(version=version(2, 0), extra=extra))
    run = ctlsign("config", "verify", *by, path)
    assert run.status == 1 and "BAD signature: " in run.out, str(run)
