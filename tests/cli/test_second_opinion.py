# SPDX-License-Identifier: Apache-2.0
"""What others make of our lists, and we of theirs: no code is shared."""
import shutil
import subprocess

import lists
import peerlist
import peerwrite
import pytest
from conftest import ROOT, openssl
from lists import PUB, SUB, TIME

SERVERS = [("CCM+TFTP", "pub", "cucm-1051-a-pub", PUB), ("CAPF", "capf", "cucm-1051-a-pub", PUB),
           ("CCM+TFTP", "sub1", "cucm-1051-a-sub1", SUB)]


def peer_list(cluster, kind, digest="sha1"):
    """The list as the second writer writes it."""
    def record(row, style, pub="pub"):
        role, cert, name, address = row
        certificate = peerwrite.load(cluster / f"{pub if cert == 'pub' else cert}.pem")
        return peerwrite.record_fields(certificate, role, style, name, address)

    def token(label):
        return peerwrite.record_fields(peerwrite.load(cluster / f"{label}.pem"), "SAST",
                                       "ctl-client", token=True)

    def emptied(row):
        fields = record(row, "ctl-client")
        return [f for f in fields if f[0] in (2, 4, 10)] if row[0] == "CCM+TFTP" else fields

    one, two = "SAST-ADN0054f509", "SAST-ADN008580ef"
    if kind == "tokens":
        records = [token(one), *(record(row, "ctl-client") for row in SERVERS), token(two)]
        return peerwrite.assemble(records, 4, cluster / f"{two}.key", digest=digest, timestamp=TIME)
    if kind == "tokens-non-secure":
        records = [token(one), token(two), *map(emptied, SERVERS)]
        return peerwrite.assemble(records, 1, cluster / f"{two}.key", digest=digest, timestamp=TIME)
    pub = lists.SIGNER[kind]
    rows = [("SAST", "pub", "cucm-1051-a-pub", PUB), *SERVERS]
    records = [record(row, "cucm", pub) for row in rows]
    return peerwrite.assemble(records, 0, cluster / f"{pub}.key", digest=digest, timestamp=TIME)


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("kind", sorted(lists.LENGTHS))
def test_a_second_writer_writes_the_same_bytes(ctlsign, cluster, tmp_path, kind, digest):
    ours = lists.build(ctlsign, cluster, kind, tmp_path / "CTLFile.tlv", "--digest", digest)
    assert ours == peer_list(cluster, kind, digest)


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("kind", sorted(lists.LENGTHS))
def test_openssl_alone_verifies(ctlsign, cluster, tmp_path, kind, digest):
    out = tmp_path / "CTLFile.tlv"
    data = lists.build(ctlsign, cluster, kind, out, "--digest", digest)
    cert = cluster / f"{lists.SIGNER[kind]}.pem"
    run = subprocess.run([str(ROOT / "tests" / "lib" / "second-opinion"), str(out), str(cert)],
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, "Verified OK\n"), run.stderr
    # And its refusal means something: neither another key nor one flipped bit passes.
    assert not peerlist.openssl_verify(data, cluster / "capf.pem")
    for at in (len(data) - 1, 9, peerlist.parse_header(data)["cut"][0] + 3):
        wrong = bytearray(data)
        wrong[at] ^= 1
        try:
            assert not peerlist.openssl_verify(bytes(wrong), cert)
        except peerlist.Malformed:
            pass


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("kind", sorted(lists.LENGTHS))
def test_we_verify_what_the_second_writer_wrote(ctlsign, cluster, tmp_path, kind, digest):
    path = tmp_path / "CTLFile.tlv"
    path.write_bytes(peer_list(cluster, kind, digest))
    run = ctlsign.ok("verify", "--trust", cluster / f"{lists.SIGNER[kind]}.pem", path)
    assert run.last_line.startswith("good signature by")


@pytest.mark.parametrize("style", ["cucm", "ctl-client", "rfc4514"])
@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("kind", ["rsa512", "rsa1024", "rsa2048", "rsa4096"])
def test_every_size_digest_and_style(ctlsign, signer, tmp_path, kind, digest, style):
    if (kind, digest) == ("rsa512", "sha512"):
        return  # cannot be: 83 + 11 > 64, see test_build
    key, cert = signer(kind)
    out = tmp_path / "CTLFile.tlv"
    ctlsign.ok("build", "-o", out, *lists.by(key, cert), "--digest", digest, "--style", style,
               "--allow-weak-keys", "--timestamp", TIME)
    assert peerlist.openssl_verify(out.read_bytes(), cert)


def test_cutting_by_hand(ctlsign, cluster, tmp_path):
    """FORMAT.md's sentence, spelled out with numbers: cut 131 bytes at 183 out of 4947."""
    data = lists.build(ctlsign, cluster, "tokenless", tmp_path / "CTLFile.tlv")
    at = 5 + 5 + 3 + 149 + 3 + 15
    assert data[at:at + 3] == b"\x0c\x00\x80"
    (tmp_path / "signed").write_bytes(data[:at] + data[at + 131:])
    (tmp_path / "signature").write_bytes(data[at + 3:at + 131])
    openssl("x509", "-in", cluster / "pub.pem", "-pubkey", "-noout", "-out", tmp_path / "key")
    assert openssl("dgst", "-sha1", "-verify", tmp_path / "key", "-signature",
                   tmp_path / "signature", tmp_path / "signed") == b"Verified OK\n"


def test_the_peer_reads_its_own_writing(cluster):
    data = peer_list(cluster, "tokenless")
    header, records, length = lists.LENGTHS["tokenless"]
    parsed = peerlist.parse(data)
    assert len(data) == length and parsed["header"]["header_length"] == header
    assert [r["length"] for r in parsed["records"]] == records


@pytest.mark.skipif(shutil.which("pkcs11-tool") is None, reason="no pkcs11-tool")
def test_pkcs11_tool_makes_the_same_signature(ctlsign, cluster, lab, tmp_path):
    import hashlib
    out = tmp_path / "CTLFile.tlv"
    data = lists.build(ctlsign, cluster, "tokens", out, signs=lab.key("SAST-ADN008580ef"),
                       env=lab.env)
    info = bytes.fromhex("3021300906052b0e03021a05000414")
    (tmp_path / "info").write_bytes(info + hashlib.sha1(peerlist.signed_bytes(data)).digest())
    lab.tool("--token-label", "SAST-ADN008580ef", "--login", "--pin", lab.pin, "--id", "01",
             "--sign", "-m", "RSA-PKCS", "-i", tmp_path / "info", "-o", tmp_path / "sig")
    assert (tmp_path / "sig").read_bytes() == peerlist.parse_header(data)["signature"]
