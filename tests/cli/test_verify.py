# SPDX-License-Identifier: Apache-2.0
"""verify: shape, agreement, signature, signer."""
import datetime
import json
import random

import lists
import peerlist
import peerwrite
import pytest
from conftest import DATA, make_certificate
from lists import PUB, SUB

GOOD, UNTRUSTED, BAD = "good signature by ", "UNTRUSTED signature by ", "BAD signature"


@pytest.fixture
def made(ctlsign, cluster, tmp_path):
    path = tmp_path / "CTLFile.tlv"
    lists.build(ctlsign, cluster, "tokenless", path)
    return path


@pytest.fixture
def peer(cluster, tmp_path):
    """peer(change…): a list of the second writer's with changed records, truly signed."""
    def make(*changes, signer="pub", **kw):
        cert = peerwrite.load(cluster / f"{signer}.pem")
        records = [peerwrite.record_fields(cert, "SAST", "cucm", "cucm-1051-a-pub", PUB),
                   peerwrite.record_fields(cert, "CCM+TFTP", "cucm", "cucm-1051-a-pub", PUB)]
        for change in changes:
            records = change(records) or records
        path = tmp_path / "peer.tlv"
        path.write_bytes(peerwrite.assemble(records, 0, cluster / f"{signer}.key", **kw))
        return path
    return make


def swap(index, tag, value):
    """A change: the field of that record gets another value."""
    def change(records):
        records[index] = [(t, value if t == tag else v) for t, v in records[index]]
    return change


@pytest.mark.parametrize("kind", sorted(lists.LENGTHS))
def test_trusted(ctlsign, cluster, tmp_path, kind):
    path = tmp_path / "CTLFile.tlv"
    data = lists.build(ctlsign, cluster, kind, path)
    run = ctlsign.ok("verify", "--trust", cluster / f"{lists.SIGNER[kind]}.pem", path)
    assert run.last_line == GOOD + peerlist.parse(data)["header"]["signer_name"]


def test_nobody_named(ctlsign, made):
    run = ctlsign("verify", made)
    assert (run.status, run.last_line) == (
        1, UNTRUSTED + "CN=cucm-1051-a-pub;OU=TAC;O=Cisco;L=Krakow;ST=Malopolska;C=PL")


def test_somebody_else_named(ctlsign, cluster, made):
    run = ctlsign("verify", "--trust", cluster / "capf.pem", made)
    assert run.status == 1 and run.last_line.startswith(UNTRUSTED)


def test_the_renewed_certificate_of_the_same_name_is_somebody_else(ctlsign, cluster, made):
    run = ctlsign("verify", "--trust", cluster / "pub-regenerated.pem", made)
    assert run.status == 1 and run.last_line.startswith(UNTRUSTED)


def test_several_named(ctlsign, cluster, made):
    run = ctlsign.ok("verify", "--trust", cluster / "capf.pem", "--trust", cluster / "pub.pem", made)
    assert run.last_line.startswith(GOOD)


def test_a_folder_of_certificates(ctlsign, cluster, made, tmp_path):
    folder = tmp_path / "trusted"
    folder.mkdir()
    for name in ("capf.pem", "pub.pem"):
        (folder / name).write_bytes((cluster / name).read_bytes())
    assert ctlsign.ok("verify", "--trust", folder, made).last_line.startswith(GOOD)


def test_a_list_vouches_for_its_sast_records(ctlsign, cluster, made, tmp_path):
    new = tmp_path / "new.tlv"
    lists.build(ctlsign, cluster, "tokens", new)
    installed = tmp_path / "installed.tlv"
    ctlsign.ok("build", "-o", installed, *lists.records(cluster, "tokens"),
               *lists.key(cluster, "tokens"))
    assert ctlsign.ok("verify", "--trust", installed, new).last_line.startswith(GOOD)
    # pub is there too, but not as SAST.
    assert ctlsign("verify", "--trust", installed, made).last_line.startswith(UNTRUSTED)


def test_a_list_with_a_bad_signature_vouches_for_nobody(ctlsign, made, tmp_path):
    damaged = bytearray(made.read_bytes())
    damaged[-1] ^= 1
    other = tmp_path / "other.tlv"
    other.write_bytes(damaged)
    run = ctlsign("verify", "--trust", other, made)
    assert run.status in (1, 3) and not run.last_line.startswith(GOOD)


def test_trust_self_asks_for_self_consistency(ctlsign, made):
    assert ctlsign.ok("verify", "--trust", "self", made).last_line.startswith(GOOD)
    data = bytearray(made.read_bytes())
    data[-1] ^= 1
    made.write_bytes(data)
    run = ctlsign("verify", "--trust", "self", made)
    assert run.status == 1 and run.last_line == BAD


def test_no_chains_ever(ctlsign, cluster, tmp_path):
    path = tmp_path / "CTLFile.tlv"
    lists.build(ctlsign, cluster, "tokens", path)
    run = ctlsign("verify", "--trust", cluster / "manufacturing-ca.pem", path)
    assert run.status not in (0, 70)
    assert not run.last_line.startswith(GOOD)
    assert "CA" in run.err or "error:" in run.out


def test_a_ca_in_a_folder_vouches_for_nobody(ctlsign, cluster, tmp_path):
    """Nor does what cannot be read; the others still do."""
    path, folder = tmp_path / "CTLFile.tlv", tmp_path / "trusted"
    lists.build(ctlsign, cluster, "tokens", path)
    folder.mkdir()
    (folder / "ca.pem").write_bytes((cluster / "manufacturing-ca.pem").read_bytes())
    (folder / "junk.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    run = ctlsign("verify", "--trust", folder, path)
    assert run.status == 1 and run.last_line.startswith(UNTRUSTED), str(run)
    assert "ca.pem: a CA certificate vouches for nobody" in run.err and "junk.pem" in run.err
    (folder / "one.pem").write_bytes((cluster / f"{lists.SIGNER['tokens']}.pem").read_bytes())
    assert ctlsign.ok("verify", "--trust", folder, path).last_line.startswith(GOOD)


@pytest.mark.parametrize("where", ["named", "folder"])
def test_a_signer_that_calls_itself_a_ca_is_itself(ctlsign, signer, tmp_path, where):
    """As self-signed certificates do; nothing else is believed for its sake."""
    path, folder = tmp_path / "CTLFile.tlv", tmp_path / "trusted"
    key, cert = signer("rsa2048", ca=True)
    ctlsign.ok("build", "-o", path, "--sast", f"{cert},name=n", "-k", key, "--cert", cert)
    folder.mkdir()
    (folder / "signer.pem").write_bytes(cert.read_bytes())
    run = ctlsign.ok("verify", "--trust", cert if where == "named" else folder, path)
    assert run.last_line.startswith(GOOD) and "vouches for nobody" not in run.err


@pytest.mark.parametrize("trust", ["missing.pem", "empty.pem"])
def test_trust_that_cannot_be_read(ctlsign, made, tmp_path, trust):
    (tmp_path / "empty.pem").write_bytes(b"")
    ctlsign.refused(3, "verify", "--trust", tmp_path / trust, made, says=trust)


@pytest.mark.parametrize("what", ["signature", "filename", "timestamp", "last record", "padding"])
def test_a_changed_byte_is_a_bad_signature(ctlsign, cluster, made, what):
    data = bytearray(made.read_bytes())
    start, end = peerlist.parse_header(bytes(data))["cut"]
    at = {"signature": start + 10, "filename": end + 5, "timestamp": end + 21,
          "last record": len(data) - 1, "padding": 335}[what]
    data[at] ^= 1
    made.write_bytes(data)
    run = ctlsign("verify", "--trust", cluster / "pub.pem", made)
    if what == "padding":
        assert run.status in (1, 3)
    else:
        assert (run.status, run.last_line) == (1, BAD), str(run)


def test_a_signer_not_in_the_list(ctlsign, cluster, peer):
    def drop(records):
        return records[1:]
    # The second writer signs with the CCM+TFTP record's identity once the SAST record is gone.
    run = ctlsign("verify", "--trust", cluster / "pub.pem", peer(drop))
    assert (run.status, run.last_line) == (1, BAD)


def test_a_public_key_that_is_not_its_certificate_s(ctlsign, cluster, peer):
    other = peerwrite.public_key(peerwrite.load(cluster / "capf.pem"))
    run = ctlsign("verify", "--trust", cluster / "pub.pem", peer(swap(1, 7, other)))
    assert run.status == 1 and "error:" in run.out, str(run)


@pytest.mark.parametrize("tag,value", [(3, b"CN=somebody\0"), (5, b"CN=somebody\0"), (6, b"\x01")])
def test_a_record_that_disagrees_with_its_certificate(ctlsign, cluster, peer, tag, value):
    run = ctlsign("verify", "--trust", cluster / "pub.pem", peer(swap(1, tag, value)))
    assert run.status == 1 and "error:" in run.out and "record 2" in run.out, str(run)


def test_findings_come_before_the_last_line(ctlsign, cluster, signer, tmp_path):
    _, old = signer("rsa1024b", cn="old-node", not_after=datetime.datetime(2016, 1, 1))
    path = tmp_path / "CTLFile.tlv"
    ctlsign.ok("build", "-o", path, "--ccm-tftp", f"{old},address={SUB}",
               *lists.anchor(cluster))
    run = ctlsign.ok("verify", "--trust", cluster / "pub.pem", path)
    lines = run.out.splitlines()
    assert any(line.startswith("warning:") and "expired" in line for line in lines[:-1])
    assert any(line.startswith("warning:") and "SAST" in line for line in lines[:-1])
    assert lines[-1].startswith(GOOD)


@pytest.mark.parametrize("style,sasts,warned", [
    ("rfc4514", ["pub", "sub1", "capf"], True), ("rfc4514", ["pub", "sub1"], False),
    ("cucm", ["pub", "sub1", "capf"], False), ("ctl-client", ["pub", "sub1", "capf"], False)])
def test_more_than_two_sast_records_of_a_community_list(ctlsign, cluster, tmp_path, style, sasts, warned):
    """The community reports that phones look at two; CUCM's own lists of tokens have four (docs/CLUSTER.md)."""
    out = tmp_path / "CTLFile.tlv"
    words = [word for each in sasts for word in ("--sast", f"{cluster}/{each}.pem,name=n,address={PUB}")]
    ctlsign.ok("build", "-o", out, *words, *lists.key(cluster, "tokenless"), "--style", style)
    run = ctlsign.ok("verify", "--trust", cluster / "pub.pem", out)
    assert ("warning: record 3" in run.out and "look at two only" in run.out) == warned, str(run)


@pytest.mark.parametrize("recovery,server,warned", [
    ("rsa1024", "pub-regenerated", True), ("rsa1024", "pub", False), ("rsa2048", "pub-regenerated", False)])
def test_a_small_itlrecovery_beside_larger_servers(ctlsign, cluster, signer, tmp_path, recovery, server, warned):
    """CUCM's command to recover the ITLs fails then (docs/CLUSTER.md)."""
    key, cert = signer(recovery, cn="ITLRECOVERY_cucm-1051-a-pub")
    out = tmp_path / "CTLFile.tlv"
    ctlsign.ok("build", "-o", out, "--sast", f"{cert},name=n,address={PUB}", "--ccm-tftp",
               f"{cluster}/{server}.pem,address={PUB}", "-k", key, "--cert", cert)
    run = ctlsign.ok("verify", "--trust", cert, out)
    assert ("warning: record 1" in run.out and "recovery command fails" in run.out) == warned, str(run)


def test_a_lone_sast_is_a_warning_two_are_none(ctlsign, cluster, made, tmp_path):
    assert "warning:" in ctlsign.ok("verify", "--trust", cluster / "pub.pem", made).out
    path = tmp_path / "tokens.tlv"
    lists.build(ctlsign, cluster, "tokens", path, "--filename", "CTLFile.tlv")
    run = ctlsign.ok("verify", "--trust", cluster / "SAST-ADN008580ef.pem", path)
    assert "lone" not in run.out and "only one SAST" not in run.out


def test_512_bits_are_an_error_finding(ctlsign, signer, tmp_path):
    key, cert = signer("rsa512")
    path = tmp_path / "CTLFile.tlv"
    ctlsign.ok("build", "-o", path, *lists.by(key, cert), "--allow-weak-keys")
    run = ctlsign("verify", "--trust", cert, path)
    assert run.status == 1 and "error:" in run.out
    assert run.last_line == BAD


def test_over_64_kib_is_a_warning(ctlsign, cluster, tmp_path):
    path = tmp_path / "CTLFile.tlv"
    many = [word for i in range(60) for word in
            ("--ccm-tftp", f"{cluster}/pub-regenerated.pem,name=n{i},address=10.0.0.{i + 1}")]
    ctlsign.ok("build", "-o", path, *many, *lists.anchor(cluster), "--allow-large")
    run = ctlsign.ok("verify", "--trust", cluster / "pub.pem", path)
    assert any(line.startswith("warning:") and "65536" in line for line in run.out.splitlines())


def test_duplicates_are_a_warning(ctlsign, cluster, peer):
    def twice(records):
        return [*records, records[1]]
    run = ctlsign("verify", "--trust", cluster / "pub.pem", peer(twice))
    assert "warning: record 3: the same as record 2" in run.out
    assert run.last_line.startswith(GOOD)


def test_tvs_in_a_ctl(ctlsign, cluster, peer):
    """A list is what its FILENAME says: a CTL has no TVS records."""
    run = ctlsign("verify", "--trust", cluster / "pub.pem", peer(swap(1, 4, b"\0\x15")))
    assert run.status == 1 and "TVS" in run.out


def test_digests_that_do_not_exist(ctlsign, cluster, made):
    data = bytearray(made.read_bytes())
    at = next(o for t, o, _ in peerlist.parse_header(bytes(data))["fields"] if t == 8)
    for code in (0, 4, 255):
        data[at + 3] = code
        made.write_bytes(data)
        run = ctlsign("verify", "--trust", cluster / "pub.pem", made)
        assert run.status in (1, 3) and not run.last_line.startswith(GOOD)


def test_modulus_field_that_disagrees(ctlsign, cluster, peer):
    run = ctlsign("verify", "--trust", cluster / "pub.pem", peer(modulus=2))
    assert run.status in (1, 3) and not (run.status == 0)
    assert "error:" in run.out or run.errors


def test_a_signature_that_only_begins_like_pkcs1(ctlsign, cluster, peer):
    """Not the digest: random bytes, all zero, and the signature of other content."""
    for junk in (bytes(128), bytes([0, 1]) + b"\xff" * 126, bytes(127) + b"\x01"):
        run = ctlsign("verify", "--trust", cluster / "pub.pem", peer(corrupt=lambda _, j=junk: j))
        assert (run.status, run.last_line) == (1, BAD)


def test_json(ctlsign, cluster, made):
    doc = json.loads(ctlsign.ok("verify", "--json", "--trust", cluster / "pub.pem", made).out)
    assert isinstance(doc, dict)


def test_damaged(ctlsign, cluster, made):
    made.write_bytes(made.read_bytes()[:2000])
    run = ctlsign("verify", "--trust", cluster / "pub.pem", made)
    assert run.status == 3
    assert "(at byte " in run.err and made.name in run.err
    assert GOOD not in run.out


@pytest.mark.parametrize("content,says", [(b"", "empty"), (b"\x01", "byte"), (b"garbage" * 99, "byte")])
def test_no_list_at_all(ctlsign, cluster, tmp_path, content, says):
    path = tmp_path / "CTLFile.tlv"
    path.write_bytes(content)
    ctlsign.refused(3, "verify", "--trust", cluster / "pub.pem", path, says=[path.name, says])


def test_a_folder_and_a_missing_file(ctlsign, cluster, tmp_path):
    ctlsign.refused(3, "verify", "--trust", cluster / "pub.pem", tmp_path, says=str(tmp_path))
    ctlsign.refused(3, "verify", "--trust", cluster / "pub.pem", tmp_path / "none.tlv",
                    says="none.tlv")


def test_truncations_through_the_program(ctlsign, cluster, made):
    """A sample; the exhaustive one runs in process."""
    data = made.read_bytes()
    sizes = {0, 1, 3, 9, 10, 13, 183, 185, 186, 314, 335, 336, 337, 341, 1491, 1492, 1493,
             len(data) - 1, *random.Random(2).sample(range(len(data)), 25)}
    good_ends = {336, 336 + 1156, 336 + 2 * 1156, 336 + 2 * 1156 + 1138}
    for size in sorted(sizes):
        made.write_bytes(data[:size])
        run = ctlsign("verify", "--trust", cluster / "pub.pem", made)
        if size in good_ends:
            assert (run.status, run.last_line) == (1, BAD), str(run)
        else:
            assert run.status == 3 and len(run.errors) == 1, f"{size}\n{run}"
            assert size == 0 or "(at byte " in run.err, f"{size}\n{run}"


def test_bit_flips_through_the_program(ctlsign, cluster, made):
    data = made.read_bytes()
    rng = random.Random(12)
    for _ in range(60):
        at, bit = rng.randrange(len(data)), rng.randrange(8)
        wrong = bytearray(data)
        wrong[at] ^= 1 << bit
        made.write_bytes(wrong)
        run = ctlsign("verify", "--trust", cluster / "pub.pem", made)
        assert run.status in (1, 3), f"byte {at} bit {bit}\n{run}"
        assert GOOD not in run.out
        if run.status == 1:
            assert run.last_line == BAD, f"byte {at} bit {bit}\n{run}"


def test_a_large_file(ctlsign, cluster, tmp_path):
    """50 MB, well-formed but for its signature: bounded memory is the unit tests' matter."""
    cert = peerwrite.load(cluster / "pub.pem")
    fields = peerwrite.record_fields(cert, "SAST", "cucm", "n", PUB)
    data = bytearray(peerwrite.assemble([fields], 0, cluster / "pub.key"))
    data += peerwrite.raw_record([(2, b"x\0"), (4, b"\0\2"), (200, bytes(65000))]) * 807
    path = tmp_path / "CTLFile.tlv"
    path.write_bytes(data)
    assert path.stat().st_size > 50_000_000
    run = ctlsign("verify", "--allow-large", "--trust", cluster / "pub.pem", path)
    assert (run.status, run.last_line) == (1, BAD)


# What may stand between a list and "good" ---------------------------------------------------------

def test_no_number_of_warnings_hides_an_error(ctlsign, cluster, peer):
    """Empty fields of an unknown tag in record 1, then a record that is not its certificate's."""
    wrong = swap(1, 6, b"\1\2\3")

    def warnings(number):
        return lambda records: records[0].extend([(77, b"")] * number)
    for number in (0, 1, 990, 1001, 2500):
        path = peer(warnings(number), wrong)
        run = ctlsign("verify", "--trust", cluster / "pub.pem", path)
        assert (run.status, run.last_line) == (1, BAD), str(run)
        assert run.out.count("error: record 2: serial number: is not its certificate's") == 1, str(run)
        assert ("warning: more warnings than are listed\n" in run.out) == (number > 1000)
        said = json.loads(ctlsign("verify", "--json", "--trust", cluster / "pub.pem", path).out)
        assert (said["verdict"], said["verified"], said["trusted"], said["errors"]) == ("bad", True, True, 1)
        assert said["warnings"] >= number and sum(f["level"] == "error" for f in said["findings"]) == 1
        # Warnings alone make nothing bad.
        assert ctlsign.ok("verify", "--trust", cluster / "pub.pem", peer(warnings(number))).last_line.startswith(GOOD)


def test_more_errors_than_are_listed_is_an_error(ctlsign, cluster, peer):
    path = peer(lambda records: records[1].extend([(2, b"x\0")] * 1500))
    run = ctlsign("verify", "--trust", cluster / "pub.pem", path)
    assert (run.status, run.last_line) == (1, BAD)
    lines = [line for line in run.out.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1001 and lines[-1] == "error: more errors than are listed"
    said = json.loads(ctlsign("verify", "--json", "--trust", cluster / "pub.pem", path).out)
    assert said["errors"] == 1500
    assert [f["level"] for f in said["findings"] if f["code"] == "more-errors"] == ["error"]


# (name that it is served under, FILENAME, whether it is the other kind's)
SERVED = [("CTLFile.tlv", "CTLFile.tlv", False), ("CTLFile.tlv", "ITLFile.tlv", True),
          ("ITLFile.tlv", "CTLFile.tlv", True), ("ITLFile.tlv", "ITLFile.tlv", False),
          ("CTLSEP001122334455.tlv", "ITLFile.tlv", True), ("CTLSEP001122334455.tlv", "CTLFile.tlv", False),
          ("ITLSEP001122334455.tlv", "CTLFile.tlv", True), ("itlfile.tlv", "CTLFile.tlv", True),
          ("ctlfile.tlv", "itlfile.tlv", True), ("ext_ITLFile.tlv", "CTLFile.tlv", True),
          ("EXT_itl-1", "CTLFile.tlv", True), ("ext_ITLFile.tlv", "ITLFile.tlv", False),
          ("new.tlv", "ITLFile.tlv", False), ("my-CTLFile.tlv", "ITLFile.tlv", False),
          ("CTLFile.tlv", "other.tlv", False), ("ctl", "ITL", True)]


@pytest.mark.parametrize("served,filename,wrong", SERVED)
def test_the_kind_under_which_it_is_served(ctlsign, cluster, peer, tmp_path, served, filename, wrong):
    made = peer(filename=filename)
    # The folder's name says nothing.
    for folder in ("CTLs", "ITLs"):
        (tmp_path / folder).mkdir()
        path = made.rename(tmp_path / folder / served)
        run = ctlsign("verify", "--trust", cluster / "pub.pem", path)
        assert run.status == int(wrong) and run.last_line.startswith(BAD if wrong else GOOD), str(run)
        assert ("error: FILENAME is that of another kind of list" in run.out) == wrong
        run = ctlsign("verify", "--json", "--trust", cluster / "pub.pem", path)
        assert ('"wrong-kind"' in run.out) == wrong
        made = path
    # Whatever comes in at standard input has no name.
    run = ctlsign("verify", "--trust", cluster / "pub.pem", "/dev/stdin", input=made.read_bytes())
    assert run.status == 0, str(run)


@pytest.mark.parametrize("style,issuer", [
    ("cucm", "CN=example-DC1-CA;DC=local;DC=example"), ("ctl-client", "CN=example-DC1-CA;DC=local;DC=example"),
    ("rfc4514", "DC=local,DC=example,CN=example-DC1-CA"), ("rfc4514", "DC=local;DC=example;CN=example-DC1-CA")])
def test_names_as_earlier_releases_wrote_them(ctlsign, cluster, keys, peer, tmp_path, style, issuer):
    """Attributes beyond the six: how this program once rendered them is never an error, for such lists are out there."""
    authority, made = [("COMMON_NAME", "example-DC1-CA")], {}
    for name, above in (("plain", []), ("real", [("DOMAIN_COMPONENT", "local"), ("DOMAIN_COMPONENT", "example")])):
        path = tmp_path / f"{name}.pem"
        make_certificate(path, keys["rsa2048"], [("COMMON_NAME", "node")], serial=0x77, issuer_key=keys["rsa1024b"],
                         issuer=[*above, *authority])
        made[name] = peerwrite.load(path)
    fields = dict(peerwrite.record_fields(made["plain"], "CCM+TFTP", style, "n", PUB))
    fields.update({5: issuer.encode() + b"\0", 9: peerwrite.der(made["real"])})
    if 8 in fields:
        fields[8] = made["real"].signature
    made = peer(lambda records: [*records, list(fields.items())])
    run = ctlsign("verify", "--json", "--trust", cluster / "pub.pem", made)
    said = json.loads(run.out)
    assert (run.status, said["verdict"]) == (0, "good"), str(run)
    assert {f["code"] for f in said["findings"] if f["record"] == 3} <= {"name-unusual"}, str(run)


# Many lists -----------------------------------------------------------------------------------

@pytest.fixture
def some(ctlsign, cluster, tmp_path):
    """Lists by what they are worth to who trusts the publisher's certificate."""
    folder = tmp_path / "some"
    folder.mkdir()
    for kind, name in (("tokenless", "good"), ("tokens", "untrusted")):
        lists.build(ctlsign, cluster, kind, folder / f"{name}.tlv")
    data = (folder / "good.tlv").read_bytes()
    (folder / "bad.tlv").write_bytes(data[:3000] + bytes([data[3000] ^ 1]) + data[3001:])
    (folder / "cut.tlv").write_bytes(data[:2600])
    return folder


SIGNERS = {"good": "CN=cucm-1051-a-pub;OU=TAC;O=Cisco;L=Krakow;ST=Malopolska;C=PL",
           "untrusted": 'cn="SAST-ADN008580ef        ";ou=IPCBU;o="Cisco Systems'}
LINES = {"good": GOOD + SIGNERS["good"], "untrusted": UNTRUSTED + SIGNERS["untrusted"], "bad": BAD}
WORDS = {"good": "good", "untrusted": "untrusted", "bad": "bad", "cut": "unread", "none": "unread"}


@pytest.mark.parametrize("names, status, decides", [
    ("good good", 0, 0), ("good untrusted", 1, 1), ("bad good", 1, 0), ("untrusted bad", 1, 1), ("good cut bad", 3, 1),
    ("none good", 3, 0), ("untrusted good cut none", 3, 2)])
def test_many(ctlsign, cluster, some, names, status, decides):
    words = ["verify", "--trust", cluster / "pub.pem", *[f"{name}.tlv" for name in names.split()]]
    run = ctlsign(*words, cwd=some)
    assert run.status == status, str(run)
    assert run.out.splitlines() == [f"{name}.tlv: {LINES[name]}" for name in names.split() if name in LINES], str(run)
    for name in names.split():
        assert f"ctlsign: {name}.tlv: " in run.err or name == "untrusted" or f"warning: {name}.tlv: " in run.err, str(run)
    said = json.loads(ctlsign(*words, "--json", cwd=some).out)
    assert [one["verdict"] for one in said["lists"]] == [WORDS[name] for name in names.split()]
    assert [one["file"] for one in said["lists"]] == [f"{name}.tlv" for name in names.split()]
    assert {k: v for k, v in said.items() if k not in ("version", "lists")} == said["lists"][decides]
    assert [one["error"] is not None for one in said["lists"]] == [WORDS[name] == "unread" for name in names.split()]


def test_one_has_the_shape_of_many(ctlsign, cluster, some):
    one = json.loads(ctlsign.ok("verify", "--json", "--trust", cluster / "pub.pem", "good.tlv", cwd=some).out)
    many = json.loads(ctlsign.ok("verify", "--json", "--trust", cluster / "pub.pem", "good.tlv", "good.tlv", cwd=some).out)
    assert one["lists"] * 2 == many["lists"] and {**one, "lists": []} == {**many, "lists": []}
    ctlsign.refused(3, "verify", "--json", "cut.tlv", cwd=some)


def test_many_lists_in_one_process(ctlsign, cluster, some):
    """Thousands, with descriptors for a hundred and the memory of a few."""
    count = 300
    wrapper = ["bash", "-c", 'ulimit -n 100; exec "$@"', "bash"]
    run = ctlsign.ok("verify", "--quiet", "--trust", cluster / "pub.pem", *["good.tlv"] * count, cwd=some, wrapper=wrapper)
    assert run.out == f"good.tlv: {LINES['good']}\n" * count and run.err == ""


def test_what_to_give_is_said(ctlsign, cluster, some):
    """To who names nobody; not to who named somebody else, not if the list is bad, not with --quiet."""
    note = "give --trust CERT"
    for names, due in ((["good.tlv"], True), (["good.tlv", "bad.tlv", "untrusted.tlv"], True), (["bad.tlv"], False),
                       (["good.tlv", "cut.tlv"], True)):
        assert (note in ctlsign("verify", *names, cwd=some).err) == due
        assert ctlsign("verify", *names, cwd=some).err.count(note) == due
        assert note not in ctlsign("verify", "--quiet", *names, cwd=some).err
    assert note not in ctlsign("verify", "--trust", cluster / "SAST-ADN008580ef.pem", "good.tlv", cwd=some).err


def test_quiet_prints_no_warnings(ctlsign, some):
    loud = ctlsign.ok("verify", "--trust", "self", "good.tlv", cwd=some)
    quiet = ctlsign.ok("verify", "--quiet", "--trust", "self", "good.tlv", cwd=some)
    assert "warning:" in loud.out and quiet.out == LINES["good"] + "\n" and quiet.err == ""
    bad = ctlsign("verify", "--quiet", "bad.tlv", cwd=some)
    assert bad.out.splitlines()[-1] == BAD and "error:" in bad.out and "warning:" not in bad.out


def test_a_ca_s_certificate_in_a_folder_is_said_once(ctlsign, cluster, some, keys, tmp_path):
    folder = tmp_path / "trust"
    folder.mkdir()
    make_certificate(folder / "ca.pem", keys["rsa1024"], [("COMMON_NAME", "Cisco Manufacturing CA")], ca=True)
    (folder / "pub.pem").write_bytes((cluster / "pub.pem").read_bytes())
    run = ctlsign.ok("verify", "--trust", folder, "good.tlv", "good.tlv", "good.tlv", cwd=some)
    assert run.err.count("vouches for nobody") == 1, str(run)


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha512"])
def test_who_cannot_read_sha512(ctlsign, cluster, tmp_path, digest):
    """A list that some phones do not read is good all the same, and verify says whom to ask about."""
    path = tmp_path / "CTLFile.tlv"
    lists.build(ctlsign, cluster, "tokenless", path, "--digest", digest)
    run = ctlsign.ok("verify", "--trust", cluster / "pub.pem", path)
    warning = ("warning: signed with SHA-512: phones that do not support SHA-512 do not work with a list that is signed"
               " with it [SG15]")
    assert (warning in run.err + run.out) == (digest == "sha512"), str(run)
    answer = json.loads(ctlsign.ok("verify", "--trust", cluster / "pub.pem", path, "--json").out)
    codes = [finding["code"] for finding in answer["findings"]]
    assert ("sha512" in codes) == (digest == "sha512"), codes


def test_signed_configuration_is_no_list(ctlsign):
    for verb in ("verify", "expiry"):
        run = ctlsign(verb, DATA / "encrypted" / "SEP00AABBCCDDEE.cnf.xml.sgn")
        assert run.status == 3 and "for signed configuration there is 'ctlsign config verify'" in run.err, str(run)
