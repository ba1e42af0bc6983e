# SPDX-License-Identifier: Apache-2.0
"""update: what no option names keeps its bytes; what one names becomes what it says."""
import json
import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass

import peerlist
import peerwrite
import pytest
from conftest import DATA, PROGRAM, make_certificate, openssl
from lists import PUB, SUB, TIME
from token_helpers import ONE, TWO, fault, wait_for  # noqa: F401  (a fixture)

# A list of every style, and who signs it.
FILES = {"cucm": "pub", "cucm-2048": "pub-regenerated", "ctl-client": TWO, "rfc4514": "pub-regenerated",
         "non-secure": TWO}
# What community tools write: their field order, the header's names first, tag 28 early, tags of their own.
PEERS = {"peer": ",", "peer-semicolon": ";"}
EVERY = [*FILES, *PEERS]


@dataclass
class Old:
    """A list that is there already."""
    path: object
    cluster: object
    signer: str
    data: bytes

    @property
    def parsed(self):
        return peerlist.parse(self.data)

    @property
    def raw(self):
        return [r["raw"] for r in self.parsed["records"]]

    @property
    def trust(self):
        """Whoever may have signed the lists of these tests."""
        return [word for name in (self.signer, ONE, TWO)
                for word in ("--trust", self.cluster / f"{name}.pem")]

    @property
    def signs(self):
        return ["-k", self.cluster / f"{self.signer}.key", "--cert",
                self.cluster / f"{self.signer}.pem"]


def peer_records(cluster, separator):
    """The cluster's records as community tools have them, each with a field that nobody knows."""
    made = []
    for name, role in (("pub", "SAST"), ("pub", "CCM+TFTP"), ("capf", "CAPF"), ("sub1", "CCM+TFTP")):
        cert = peerwrite.load(cluster / f"{name}.pem")
        fields = peerwrite.record_fields(cert, role, "rfc4514")
        names = {3: cert.subject, 5: cert.issuer}
        made.append([(tag, peerwrite.text(peerwrite.rfc4514_name(names[tag], separator))
                      if tag in names else value) for tag, value in fields] + [(200, b"own field")])
    return made


def peer_list(cluster, separator):
    return peerwrite.assemble(peer_records(cluster, separator), 0, cluster / "pub.key",
                              digest="sha256", signer_order=(4, 6, 5), signer_version=b"\x01\x01",
                              version_after=2)


@pytest.fixture
def old(cluster, tmp_path):
    """old(kind): one of EVERY, as FILE in a folder of its own."""
    def make(kind):
        folder = tmp_path / "served"
        folder.mkdir(exist_ok=True)
        path = folder / "CTLFile.tlv"
        data = (peer_list(cluster, PEERS[kind]) if kind in PEERS else
                (DATA / "lists" / f"{kind}.tlv").read_bytes())
        path.write_bytes(data)
        return Old(path, cluster, FILES.get(kind, "pub"), data)
    return make


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return folder / "CTLFile.tlv"


@pytest.fixture
def renewed(keys, tmp_path):
    """renewed(name, subject, kind): a certificate with a key of its own, as PEM."""
    def make(name, subject, kind="rsa1024", issuer=None, **kw):
        path = tmp_path / f"{name}.pem"
        make_certificate(path, keys[kind], subject, issuer=issuer, issuer_key=keys["rsa1024b"], **kw)
        return path
    return make


CISCO = [("ORGANIZATIONAL_UNIT_NAME", "TAC"), ("ORGANIZATION_NAME", "Cisco")]


def capf(renewed, number="0badcafe"):
    return renewed(f"capf-{number}", [("COMMON_NAME", f"CAPF-{number}"), *CISCO])


def has_verb(name):
    run = subprocess.run([str(PROGRAM), "help", name], stdin=subprocess.DEVNULL, capture_output=True,
                         check=False)
    return run.returncode == 0


def check(ctlsign, old, path, signer=None):
    """OpenSSL alone verifies it with the signer's certificate, and its header is its SAST record's."""
    data = path.read_bytes()
    parsed = peerlist.parse(data)
    assert peerlist.openssl_verify(data, old.cluster / f"{signer or old.signer}.pem")
    header = parsed["header"]
    mine = next(r for r in parsed["records"] if r["role"] == 0 and
                r["serial"] == header["signer_serial"] and r["issuer"] == header["signer_issuer"])
    assert header["signer_name"] == mine["subject"]
    assert ctlsign("verify", "--trust", "self", path).last_line.startswith("good signature")
    return parsed


def again(old, *changes):
    """Options of an update that keeps the old time, and names who signed what stands there."""
    timed = {"--timestamp", "--reproducible", "--keep-timestamp"} & set(map(str, changes))
    return [*old.trust, *([] if timed else ["--keep-timestamp"])]


def update(ctlsign, old, out, *changes, signs=None, signer=None, **kw):
    """A good update; the new records, each checked against the old ones where it is said to be one."""
    before = old.path.read_bytes()
    ctlsign.ok("update", old.path, "-o", out, *(signs or old.signs), *again(old, *changes), *changes, **kw)
    assert old.path.read_bytes() == before
    return check(ctlsign, old, out, signer)["records"]


def same_but(ctlsign, old, out, changed, *changes, **kw):
    """Only the records with these numbers differ from the old ones; they are returned."""
    records = update(ctlsign, old, out, *changes, **kw)
    assert len(records) == len(old.raw)
    differ = [i + 1 for i, r in enumerate(records) if r["raw"] != old.raw[i]]
    assert differ == list(changed)
    if has_verb("diff"):
        run = ctlsign("diff", "--json", old.path, out)
        assert run.status == 1, str(run)
        said = json.loads(run.out)["records"]
        assert [r["new"] for r in said if r["kind"] not in ("same", "removed")] == list(changed), run.out
        # Without an address and with another subject nothing says that a record goes with an old one.
        if all("address" in r for r in peerlist.parse(old.data)["records"]):
            assert {r["kind"] for r in said} <= {"same", "renewed", "changed"}, run.out
    return [records[i - 1] for i in changed]


def refused(ctlsign, status, old, out, *words, says=(), **kw):
    """Refused; nothing is there that was not there before."""
    run = ctlsign.refused(status, "update", old.path, "-o", out, *again(old, *words), *words, says=says,
                          **kw)
    assert not list(out.parent.iterdir()) and old.path.read_bytes() == old.data
    assert [p.name for p in old.path.parent.iterdir()] == [old.path.name]
    return run


def record(old, cert, role, style, **kw):
    """What a record is to be, by the second writer."""
    path = cert if hasattr(cert, "suffix") else old.cluster / f"{cert}.pem"
    return peerwrite.raw_record(peerwrite.record_fields(peerwrite.load(path), role, style, **kw))


# Signing again -------------------------------------------------------------------------------

@pytest.mark.parametrize("kind", EVERY)
def test_without_changes_it_only_signs_again(ctlsign, old, out, kind):
    o = old(kind)
    records = update(ctlsign, o, out)
    assert [r["raw"] for r in records] == o.raw
    if kind in FILES:
        assert out.read_bytes() == o.data
    was, now = o.parsed["header"], peerlist.parse(out.read_bytes())["header"]
    for field in ("digest", "filename", "timestamp", "version", "modulus", "signer_name",
                  "signer_serial", "signer_issuer"):
        assert now[field] == was[field], field
    assert now.get("signer_version") == was.get("signer_version")


@pytest.mark.parametrize("kind", EVERY)
def test_a_key_file_without_certificate_is_the_old_signers(ctlsign, old, out, kind):
    o = old(kind)
    assert [r["raw"] for r in update(ctlsign, o, out, signs=o.signs[:2])] == o.raw


def test_a_second_time_changes_nothing(ctlsign, old, out, tmp_path):
    o = old("peer")
    update(ctlsign, o, out)
    once = out.read_bytes()
    ctlsign.ok("update", out, "-o", tmp_path / "again.tlv", *o.signs, "--keep-timestamp")
    assert (tmp_path / "again.tlv").read_bytes() == once


def test_another_sast_of_the_list_signs(ctlsign, old, out):
    o = old("ctl-client")
    other = ["-k", o.cluster / f"{ONE}.key", "--cert", o.cluster / f"{ONE}.pem"]
    records = update(ctlsign, o, out, signs=other, signer=ONE)
    assert [r["raw"] for r in records] == o.raw
    header = peerlist.parse(out.read_bytes())["header"]
    sast = next(r for r in records if ONE in r["subject"])
    assert header["signer_serial"] == sast["serial"] and header["signer_name"] == sast["subject"]


def test_settings_by_option(ctlsign, old, out):
    o = old("cucm")
    records = update(ctlsign, o, out, "--digest", "sha512", "--filename", "CTLSEP001122334455.tlv",
                     "--timestamp", TIME + 77, "--signer-version", "1.1")
    header = peerlist.parse(out.read_bytes())["header"]
    assert header["digest"] == 3 and header["filename"] == "CTLSEP001122334455.tlv"
    assert header["timestamp"] == TIME + 77 and header["signer_version"] == b"\x01\x01"
    assert [r["raw"] for r in records] == o.raw


def test_the_time_of_a_reproducible_run(ctlsign, old, out):
    o = old("cucm")
    env = {"SOURCE_DATE_EPOCH": TIME + 5}
    update(ctlsign, o, out, env=env)
    assert peerlist.parse_header(out.read_bytes())["timestamp"] == TIME
    before = int(time.time())
    ctlsign.ok("update", o.path, "-o", out.parent / "now.tlv", *o.signs, env=env)
    assert before <= peerlist.parse_header((out.parent / "now.tlv").read_bytes())["timestamp"]
    update(ctlsign, o, out, "--reproducible", env=env)
    assert peerlist.parse_header(out.read_bytes())["timestamp"] == TIME + 5
    out.unlink()
    for stale in out.parent.iterdir():
        stale.unlink()
    refused(ctlsign, 1, o, out, *o.signs, "--reproducible", env={"SOURCE_DATE_EPOCH": TIME - 5},
            says="the list being replaced")
    update(ctlsign, o, out, "--reproducible", "--timestamp", TIME + 9, env=env)
    assert peerlist.parse_header(out.read_bytes())["timestamp"] == TIME + 9


def test_an_older_time_is_refused(ctlsign, old, out):
    o = old("cucm")
    refused(ctlsign, 1, o, out, *o.signs, "--timestamp", TIME - 1, says="before that of the list")
    update(ctlsign, o, out, "--timestamp", TIME)


def test_a_time_before_the_signers_certificate_is_refused(ctlsign, old, out, cluster, renewed, keys,
                                                          tmp_path):
    import datetime
    o = old("cucm")
    late = renewed("late", [("COMMON_NAME", "late"), *CISCO],
                   not_before=datetime.datetime(2020, 1, 1))
    trust = tmp_path / "trust"
    trust.mkdir()
    shutil.copy(late, trust)
    refused(ctlsign, 1, o, out, "-k", keys["rsa1024"], "--cert", late, "--add",
            f"SAST={late},name=n,address={PUB}", "--sast-trust", trust, "--accept-lockout", "all",
            says="before the signer's certificate")


def test_an_itl(ctlsign, old, out, cluster):
    o = old("cucm")
    fields = [peerwrite.record_fields(peerwrite.load(cluster / f"{n}.pem"), role, "cucm", name="n",
                                      address=PUB)
              for n, role in (("pub", "SAST"), ("capf", "TVS"))]
    o.data = peerwrite.assemble(fields, 0, cluster / "pub.key", filename="ITLFile.tlv")
    o.path.write_bytes(o.data)
    refused(ctlsign, 1, o, out, *o.signs, says="another kind of list")
    o.path = o.path.rename(o.path.with_name("ITLFile.tlv"))
    out = out.with_name("ITLFile.tlv")
    assert [r["raw"] for r in update(ctlsign, o, out)] == o.raw
    assert peerlist.parse_header(out.read_bytes())["filename"] == "ITLFile.tlv"
    out.unlink()
    refused(ctlsign, 1, o, out, *o.signs, "--filename", "CTLFile.tlv", says="TVS record")


def test_a_list_without_time_is_signed_now(ctlsign, old, out, cluster):
    o = old("cucm")
    fields = [peerwrite.record_fields(peerwrite.load(cluster / "pub.pem"), "SAST", "cucm", name="n",
                                      address=PUB)]
    o.data = peerwrite.assemble(fields, 0, cluster / "pub.key", timestamp=None)
    o.path.write_bytes(o.data)
    ctlsign.ok("update", o.path, "-o", out, *o.signs)
    assert abs(peerlist.parse_header(out.read_bytes())["timestamp"] - time.time()) < 60


def test_records_and_verdicts_come_before_the_signature(ctlsign, old, out):
    o = old("cucm")
    run = ctlsign.ok("update", o.path, "-o", out, *o.signs)
    said = run.err.splitlines()
    assert len([line for line in said if line.startswith("record ")]) == 4
    assert [line for line in said if "(signs)" in line] == [said[0]]
    assert "phones with Security by Default: accepted: signer-is-sast" in said
    assert "phones without Security by Default: accepted: signer-is-sast" in said
    md5, sha1 = (openssl("dgst", f"-{d}", "-r", out).decode().split()[0] for d in ("md5", "sha1"))
    assert f"{md5}(MD5)" in run.out and f"{sha1}(SHA1)" in run.out


def test_a_record_of_a_role_that_no_table_has_is_named(ctlsign, old, out, cluster):
    """It is kept, and the line about it has the words of every other text."""
    o = old("cucm")
    rows = [peerwrite.record_fields(peerwrite.load(cluster / f"{name}.pem"), role, "cucm", name=name, address=PUB)
            for name, role in (("pub", "SAST"), ("sub1", "CCM+TFTP"))]
    rows[1] = [(tag, peerwrite.u16(99) if tag == 4 else value) for tag, value in rows[1]]
    o.data = peerwrite.assemble(rows, 0, cluster / "pub.key")
    o.path.write_bytes(o.data)
    run = ctlsign.ok("update", o.path, "-o", out, *o.signs)
    assert "record 2: function 99 CN=" in run.err
    assert peerlist.parse(out.read_bytes())["records"][1]["raw"] == o.raw[1]


# Selectors -----------------------------------------------------------------------------------

SERIALS = {n: None for n in ("pub", "capf", "sub1")}


def facts(cluster):
    """serial and SHA-1 of the sample certificates, for selectors."""
    found = {}
    for name in SERIALS:
        cert = peerwrite.load(cluster / f"{name}.pem")
        found[f"{name}.serial"] = peerwrite.serial_bytes(cert).hex()
        found[f"{name}.turned"] = peerwrite.serial_bytes(cert)[::-1].hex()
        found[f"{name}.sha1"] = openssl("x509", "-in", cluster / f"{name}.pem", "-noout",
                                        "-fingerprint", "-sha1").decode().strip().split("=")[1]
    return found


# What of the list's four records it selects; a number that is not in a list is a status.
SELECTORS = [
    ("#3", [3]), ("#4", [4]), ("#0", 4), ("#5", 4), ("#99999999999999999999", {2, 4}), ("#x", {2, 4}),
    ("#", {2, 4}), ("role=CAPF", [3]), ("role=CCM+TFTP", 5), ("role=TVS", 4), ("role=NONE", {2, 4}),
    ("name=cucm-1051-a-sub1", [4]), ("name=cucm-1051-a", 4), ("name=cucm-1051-a-pub", 5),
    (f"address={SUB}", [4]), (f"address={PUB}", 5), ("address=10.48.47.1", 4), ("address=x", {2, 4}),
    ("cn=CAPF-e41e7d87", [3]), ("cn=cucm-1051-a-sub1", [4]), ("cn=cucm-1051-a-pub", 5), ("cn=", 4),
    ("serial={capf.serial}", [3]), ("serial={sub1.serial}", [4]), ("serial={pub.serial}", 5),
    ("serial={capf.turned}", [3]), ("serial={capf.sha1}", 4), ("serial=zz", {2, 4}),
    ("sha1={capf.sha1}", [3]), ("sha1={sub1.sha1}", [4]), ("sha1={pub.sha1}", 5), ("sha1=00", {2, 4}),
    (f"role=CCM+TFTP,address={SUB}", [4]), (f"address={SUB},role=CCM+TFTP", [4]),
    ("role=CCM+TFTP,cn=cucm-1051-a-pub", [2]), (f"role=CAPF,address={SUB}", 4), ("#2,role=CAPF", 4),
    ("#2,role=CCM+TFTP", [2]), (f"name=cucm-1051-a-pub,address={PUB},role=CCM+TFTP", [2]),
    ("", 2), ("CAPF", 2), ("role", 2), ("subject=x", 2), ("3", 2),
]


@pytest.mark.parametrize("selector,selects", SELECTORS, ids=[s[0] or "empty" for s in SELECTORS])
def test_selectors(ctlsign, old, out, cluster, selector, selects):
    o = old("cucm")
    for name, value in facts(cluster).items():
        selector = selector.replace("{" + name + "}", value)
    if not isinstance(selects, list):
        refused(ctlsign, selects, o, out, *o.signs, "--remove", selector)
        return
    left = [r["raw"] for r in update(ctlsign, o, out, "--remove", selector)]
    assert left == [raw for i, raw in enumerate(o.raw, 1) if i not in selects]


@pytest.mark.parametrize("selector,selects", [
    ("role=CCM+TFTP", [2, 4]), (f"address={PUB},role=CAPF", [3]), ("name=cucm-1051-a-sub1", [4])])
def test_a_selector_of_several(ctlsign, old, out, selector, selects):
    o = old("cucm")
    left = [r["raw"] for r in update(ctlsign, o, out, "--remove", selector, "--all")]
    assert left == [raw for i, raw in enumerate(o.raw, 1) if i not in selects]


def test_how_hex_may_be_written(ctlsign, old, out, cluster):
    o = old("cucm")
    sha1 = facts(cluster)["capf.sha1"]
    for text in (sha1, sha1.lower(), sha1.replace(":", "")):
        same = [r["raw"] for r in update(ctlsign, o, out, "--remove", f"sha1={text}")]
        assert same == [o.raw[0], o.raw[1], o.raw[3]]


@pytest.mark.parametrize("cn", [ONE, f"{ONE:24}"])
def test_a_tokens_name_with_and_without_its_blanks(ctlsign, old, out, cn):
    o = old("ctl-client")
    left = [r["raw"] for r in update(ctlsign, o, out, "--remove", f"cn={cn}")]
    assert left == o.raw[:-1]


def test_selectors_speak_of_the_list_as_it_was_read(ctlsign, old, out, cluster):
    o = old("cucm")
    left = [r["raw"] for r in update(ctlsign, o, out, "--remove", "#2", "--remove", "#3")]
    assert left == [o.raw[0], o.raw[3]]
    # The order of the options does not count either.
    records = update(ctlsign, o, out, "--remove", "#2", "--add", f"CAPF={cluster}/capf.pem,"
                     f"address={PUB},name=n", "--set", "#4,address=10.9.9.9", "--remove", "#3")
    assert [r["raw"] for r in records] == [
        o.raw[0], record(o, "sub1", "CCM+TFTP", "cucm", name="cucm-1051-a-sub1", address="10.9.9.9"),
        record(o, "capf", "CAPF", "cucm", name="n", address=PUB)]


@pytest.mark.parametrize("changes", [
    ["--remove", "#4", "--set", "#4,address=10.9.9.9"], ["--remove", "#4", "--replace", "#4={sub1}"]])
def test_what_is_removed_is_not_changed_too(ctlsign, old, out, cluster, changes):
    o = old("cucm")
    changes = [c.replace("{sub1}", str(cluster / "capf.pem")) for c in changes]
    refused(ctlsign, 2, o, out, *o.signs, *changes, says="removed")


@pytest.mark.parametrize("kind,selector", [("cucm", "#1"), ("cucm", "role=SAST"), ("ctl-client", f"cn={TWO}")])
def test_the_signer_is_not_removed(ctlsign, old, out, kind, selector):
    """It would come back by itself: every list has its signer's record."""
    o = old(kind)
    for words in (["--remove", selector], ["--remove", selector, "--all"]):
        refused(ctlsign, 2, o, out, *o.signs, *words, says="sign with another key")
    ctlsign.refused(2, "update", o.path, "-n", *o.signs, "--remove", selector, says="sign with another key")


def test_another_key_removes_the_old_signer(ctlsign, old, out):
    o = old("ctl-client")
    other = ["-k", o.cluster / f"{ONE}.key", "--cert", o.cluster / f"{ONE}.pem"]
    left = [r["raw"] for r in update(ctlsign, o, out, "--remove", f"cn={TWO}", signs=other, signer=ONE)]
    assert left == [raw for raw in o.raw if TWO.encode() not in raw] and len(left) == len(o.raw) - 1


def test_a_second_record_of_the_signer_may_go(ctlsign, old, out, cluster):
    o = old("cucm")
    fields = [peerwrite.record_fields(peerwrite.load(cluster / "pub.pem"), "SAST", "cucm", name=n, address=PUB)
              for n in ("a", "b")]
    o.data = peerwrite.assemble(fields, 0, cluster / "pub.key")
    o.path.write_bytes(o.data)
    assert [r["raw"] for r in update(ctlsign, o, out, "--remove", "#2")] == o.raw[:1]


LONE = "warning: only one SAST (signing key) in this list"


def test_a_single_anchor_is_warned_of(ctlsign, old, out):
    """As verify does, and before it is signed."""
    o = old("ctl-client")
    assert LONE not in ctlsign.ok("update", o.path, "-n", *o.signs).err
    run = ctlsign.ok("update", o.path, "-n", *o.signs, "--remove", f"cn={ONE}")
    assert run.err.count(LONE) == 1
    assert LONE in ctlsign.ok("update", o.path, "-o", out, *o.signs, "--remove", f"cn={ONE}").err
    assert LONE in ctlsign("verify", "--trust", o.cluster / f"{TWO}.pem", out).out


# --add ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind", ["cucm", "ctl-client", "rfc4514", "peer", "peer-semicolon"])
def test_a_new_record_is_in_the_lists_own_style(ctlsign, old, out, kind, renewed):
    o = old(kind)
    node = renewed("sub2", [("COUNTRY_NAME", "PL"), *CISCO, ("COMMON_NAME", "cucm-1051-a-sub2.x.y")])
    records = update(ctlsign, o, out, "--add", f"CCM+TFTP={node},address=10.48.47.155")
    assert [r["raw"] for r in records[:-1]] == o.raw
    style = "rfc4514" if kind.startswith("peer") else kind
    cert = peerwrite.load(node)
    fields = peerwrite.record_fields(cert, "CCM+TFTP", style, name="cucm-1051-a-sub2",
                                     address="10.48.47.155")
    if style == "rfc4514":
        rows = dict(fields)
        names = {3: cert.subject, 5: cert.issuer}
        fields = [(tag, peerwrite.text(peerwrite.rfc4514_name(names[tag], PEERS.get(kind, ",")))
                   if tag in names else rows[tag]) for tag in sorted(rows)]
    assert records[-1]["raw"] == peerwrite.raw_record(fields)


def test_several_records_in_order_with_names_and_addresses(ctlsign, old, out, cluster):
    o = old("cucm")
    records = update(ctlsign, o, out, "--add", f"TFTP={cluster}/sub1.pem,name=tftp,address=10.1.1.1",
                     "--add", f"CAPF={cluster}/capf.pem,name=capf-name",
                     "--add", f"APP-SERVER={cluster}/sub1.pem,address=10.1.1.2,name=app")
    assert [r["raw"] for r in records] == o.raw + [
        record(o, "sub1", "TFTP", "cucm", name="tftp", address="10.1.1.1"),
        record(o, "capf", "CAPF", "cucm", name="capf-name"),
        record(o, "sub1", "APP-SERVER", "cucm", name="app", address="10.1.1.2")]


def test_a_path_that_holds_signs_of_the_option(ctlsign, old, out, cluster, tmp_path):
    o = old("cucm")
    odd = tmp_path / "a=b,c;d #2.pem"
    shutil.copy(cluster / "capf.pem", odd)
    assert len(update(ctlsign, o, out, "--add", f"CAPF={odd},name=n")) == 5
    new, = same_but(ctlsign, o, out, [4], "--replace", f"#4={odd}")
    assert new["certificate"] == peerwrite.der(peerwrite.load(odd))


def test_a_token_becomes_an_anchor_of_a_servers_list(ctlsign, old, out, lab):
    o = old("cucm")
    records = update(ctlsign, o, out, "--add", f"SAST=pkcs11:token={ONE}", "--module", lab.module,
                     env=lab.env)
    assert [r["raw"] for r in records] == o.raw + [record(o, ONE, "SAST", "ctl-client", token=True)]


@pytest.mark.parametrize("arg,status", [
    ("CAPF", 2), ("capf.pem", 2), ("NONE={c}/capf.pem", 2), ("CAPF=", {2, 3}), ("CAPF={c}/no.pem", 3),
    ("CAPF={c}/capf.pem,address=x", 2), ("CAPF={c}/capf.pem,name=", 2), ("CAPF={c}/capf.pem", 2),
    ("TVS={c}/capf.pem,name=n", 1)])
def test_records_that_cannot_be_added(ctlsign, old, out, cluster, arg, status):
    o = old("cucm")
    refused(ctlsign, status, o, out, *o.signs, "--add", arg.replace("{c}", str(cluster)))


# --replace -----------------------------------------------------------------------------------

@pytest.mark.parametrize("kind,style,place", [
    ("cucm", "cucm", {"name": "cucm-1051-a-pub", "address": PUB})])
def test_a_renewed_publisher(ctlsign, old, out, kind, style, place):
    """SAST and CCM+TFTP alike, in their places; the old anchor stays, as it signed the list."""
    o = old(kind)
    new = [record(o, "pub-regenerated", role, style, **place) for role in ("SAST", "CCM+TFTP")]
    records = update(ctlsign, o, out, "--replace", o.cluster / "pub-regenerated.pem")
    assert [r["raw"] for r in records] == [new[0], o.raw[0], new[1], *o.raw[2:]]


def test_the_new_key_signs_and_tvs_vouches(ctlsign, old, out, tmp_path):
    """The vendor's 6113 bytes, with and without the old anchor."""
    o = old("cucm")
    pem = o.cluster / "pub-regenerated.pem"
    signs = ["-k", o.cluster / "pub-regenerated.key", "--cert", pem]
    trust = tmp_path / "trust"
    trust.mkdir()
    refused(ctlsign, 1, o, out, *signs, "--replace", pem, says=["Security by Default", "signer-unknown"])
    shutil.copy(pem, trust)
    refused(ctlsign, 1, o, out, *signs, "--replace", pem, "--sast-trust", trust,
            says=["without Security by Default", "--accept-lockout no-sbd"])
    run = ctlsign.ok("update", o.path, "-o", out, *signs, *again(o), "--replace", pem, "--sast-trust",
                     trust, "--accept-lockout", "no-sbd")
    assert "phones with Security by Default: accepted: tvs (assumes the ITL has a TVS record; TVS still has " \
        "the certificate that the ITL names)" in run.err
    assert "phones without Security by Default: refused: signer-unknown" in run.err
    records = check(ctlsign, o, out, "pub-regenerated")["records"]
    assert len(records) == 5 and records[1]["raw"] == o.raw[0]
    records = update(ctlsign, o, out, "--replace", pem, "--sast-trust", trust, "--accept-lockout",
                     "no-sbd", "--drop-old-sast", signs=signs, signer="pub-regenerated")
    assert out.stat().st_size == 6113 and len(records) == 4
    assert out.read_bytes()[:464] != o.data[:464]
    # A phone that took it with the old anchor inside still takes what the old key signs.
    assert ctlsign("accept", "--no-tvs", "--installed", o.path, out).status == 1


def token_certificate(renewed, name, cn):
    return renewed(name, [("ORGANIZATION_NAME", "Cisco Systems, Inc."),
                          ("ORGANIZATIONAL_UNIT_NAME", "IPCBU"), ("COMMON_NAME", cn)],
                   issuer=[("ORGANIZATION_NAME", "Cisco Systems"),
                           ("COMMON_NAME", "Cisco Manufacturing CA")], serial=0x2222)


@pytest.mark.parametrize("options,kept", [([], False), (["--keep-old-sast"], True),
                                          (["--drop-old-sast"], False)])
def test_a_renewed_anchor_that_did_not_sign(ctlsign, old, out, renewed, options, kept):
    o = old("ctl-client")
    new = token_certificate(renewed, "token", f"{ONE:24}")
    records = update(ctlsign, o, out, "--replace", new, *options)
    row = record(o, new, "SAST", "ctl-client", token=True)
    assert [r["raw"] for r in records] == [*o.raw[:-1], row, *([o.raw[-1]] if kept else [])]


def test_what_a_dropped_anchor_cannot_do(ctlsign, old, out):
    o = old("cucm")
    pem = o.cluster / "pub-regenerated.pem"
    refused(ctlsign, 2, o, out, *o.signs, "--replace", pem, "--drop-old-sast")
    refused(ctlsign, 2, o, out, *o.signs, "--replace", pem, "--drop-old-sast", "--keep-old-sast",
            says="contradict")


@pytest.mark.parametrize("kind", EVERY)
def test_a_renewed_capf_has_a_new_subject(ctlsign, old, out, renewed, kind):
    o = old(kind)
    at = next(i for i, r in enumerate(o.parsed["records"], 1) if r["role"] == 4)
    new, = same_but(ctlsign, o, out, [at], "--replace", capf(renewed))
    was = o.parsed["records"][at - 1]
    assert new.get("dns_name") == was.get("dns_name") and new.get("address") == was.get("address")
    assert "CAPF-0badcafe" in new["subject"] and new["role"] == 4


def test_two_capf_certificates(ctlsign, old, out, renewed, cluster):
    o = old("cucm")
    second = capf(renewed, "11111111")
    ctlsign.ok("update", o.path, "--in-place", *o.signs, "--add", f"CAPF={second},name=n,address={SUB}")
    two = Old(o.path, cluster, o.signer, o.path.read_bytes())
    for left in o.path.parent.glob("*~"):
        left.unlink()
    refused(ctlsign, 5, two, out, *o.signs, "--replace", capf(renewed), says="--all")
    new, = same_but(ctlsign, two, out, [5], "--replace", f"role=CAPF,address={SUB}={capf(renewed)}")
    assert new["dns_name"] == "n"
    assert len(same_but(ctlsign, two, out, [3, 5], "--replace", capf(renewed), "--all")) == 2


def test_a_renamed_node_is_selected(ctlsign, old, out, renewed):
    o = old("cucm")
    new = renewed("renamed", [("COMMON_NAME", "cucm-other"), *CISCO])
    refused(ctlsign, 4, o, out, *o.signs, "--replace", new, says="#N=CERT")
    for selector in ("#4", "cn=cucm-1051-a-sub1", f"role=CCM+TFTP,address={SUB}"):
        row, = same_but(ctlsign, o, out, [4], "--replace", f"{selector}={new}")
        assert row["dns_name"] == "cucm-1051-a-sub1" and row["address"] == peerwrite.address_bytes(SUB)
        assert row["raw"] == record(o, new, "CCM+TFTP", "cucm", name="cucm-1051-a-sub1", address=SUB)


@pytest.mark.parametrize("arg,status", [
    ("#9={c}/capf.pem", 4), ("role=CCM+TFTP={c}/sub1.pem", 5), ("#2", 2), ("#2=", {2, 3}),
    ("#2={c}/none.pem", 3), ("{c}/none.pem", 3), ("{c}/manufacturing-ca.pem", 4), ("{c}/capf.key", 3)])
def test_what_cannot_be_replaced(ctlsign, old, out, cluster, arg, status):
    o = old("cucm")
    refused(ctlsign, status, o, out, *o.signs, "--replace", arg.replace("{c}", str(cluster)))


def test_all_that_is_selected_is_replaced(ctlsign, old, out, renewed):
    o = old("cucm")
    new = renewed("one", [("COMMON_NAME", "one"), *CISCO])
    rows = same_but(ctlsign, o, out, [2, 4], "--replace", f"role=CCM+TFTP={new}", "--all")
    assert [r["dns_name"] for r in rows] == ["cucm-1051-a-pub", "cucm-1051-a-sub1"]


@pytest.mark.parametrize("order", ["turned", "one-rdn", "another-type"])
def test_a_renewed_certificate_may_order_its_subject_otherwise(ctlsign, old, out, keys, tmp_path, order):
    """CUCM releases differ in that; CUCM's own spelling in the list is the same for both."""
    from cryptography import x509
    from peerwrite import load, load_key
    o = old("cucm")
    was = load(o.cluster / "sub1.pem")
    attributes = list(was.subject)
    if order == "another-type":
        attributes = [x509.NameAttribute(a.oid, a.value, None if len(a.value) == 2 else x509.name._ASN1Type.T61String)
                      for a in attributes]
    name = x509.Name(attributes[::-1] if order != "one-rdn" else
                     [x509.RelativeDistinguishedName(attributes[:2]), *map(
                         lambda a: x509.RelativeDistinguishedName([a]), attributes[2:])])
    assert name != was.subject or order == "another-type"
    key = load_key(keys["rsa1024b"])
    from cryptography.hazmat.primitives import hashes, serialization
    new = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
           .serial_number(0x4711).not_valid_before(was.not_valid_before).not_valid_after(was.not_valid_after)
           .sign(key, hashes.SHA256()))
    path = tmp_path / "turned.pem"
    path.write_bytes(new.public_bytes(serialization.Encoding.PEM))
    row, = same_but(ctlsign, o, out, [4], "--replace", path)
    assert row["certificate"] == new.public_bytes(serialization.Encoding.DER)
    assert row["dns_name"] == "cucm-1051-a-sub1"


@pytest.mark.parametrize("subject", [
    [], [("COMMON_NAME", "cucm-1051-a-sub1")],  # fewer
    [("COMMON_NAME", "cucm-1051-a-sub1"), ("COMMON_NAME", "cucm-1051-a-sub1")]])
def test_other_attributes_are_another_subject(ctlsign, old, out, renewed, subject):
    o = old("cucm")
    refused(ctlsign, 4, o, out, *o.signs, "--replace", renewed("other", subject), says="#N=CERT")


# --set ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("setting,name,address", [
    ("name=new", "new", SUB), ("address=10.1.2.3", "cucm-1051-a-sub1", "10.1.2.3"),
    ("name=new,address=10.1.2.3", "new", "10.1.2.3"), ("address=10.1.2.3,name=new", "new", "10.1.2.3"),
    ("name=a,b", "a,b", SUB), ("name=ünï", "ünï", SUB)])
def test_a_node_gets_another_name_or_address(ctlsign, old, out, setting, name, address):
    o = old("cucm")
    for selector in ("#4", "cn=cucm-1051-a-sub1", "name=cucm-1051-a-sub1"):
        row, = same_but(ctlsign, o, out, [4], "--set", f"{selector},{setting}")
        assert row["raw"] == record(o, "sub1", "CCM+TFTP", "cucm", name=name, address=address)


def test_an_address_is_the_name_in_a_clients_list(ctlsign, old, out):
    o = old("ctl-client")
    row, = same_but(ctlsign, o, out, [4], "--set", "#4,address=10.1.2.3")
    assert row["raw"] == record(o, "sub1", "CCM+TFTP", "ctl-client", address="10.1.2.3")


def test_several_get_an_address(ctlsign, old, out):
    o = old("cucm")
    refused(ctlsign, 5, o, out, *o.signs, "--set", "name=cucm-1051-a-pub,address=10.7.7.7")
    rows = same_but(ctlsign, o, out, [1, 2, 3], "--set", "name=cucm-1051-a-pub,address=10.7.7.7", "--all")
    assert {r["address"] for r in rows} == {bytes([10, 7, 7, 7])}


def test_a_new_certificate_and_a_new_name_at_once(ctlsign, old, out, renewed):
    o = old("cucm")
    new = renewed("renamed", [("COMMON_NAME", "cucm-other"), *CISCO])
    row, = same_but(ctlsign, o, out, [4], "--replace", f"#4={new}", "--set", "#4,name=cucm-other")
    assert row["raw"] == record(o, new, "CCM+TFTP", "cucm", name="cucm-other", address=SUB)


@pytest.mark.parametrize("arg,status", [
    ("#4", 2), ("#4,", 2), ("#4,role=CAPF", {2, 4}), ("#4,address=10.1.2", 2), ("#4,name=", 2), ("name=n", 2),
    ("#4,name=a,name=b", 2), ("#9,name=n", 4), ("", 2), ("cn=none,name=n", 4)])
def test_what_cannot_be_set(ctlsign, old, out, arg, status):
    o = old("cucm")
    refused(ctlsign, status, o, out, *o.signs, "--set", arg)


@pytest.mark.parametrize("kind,arg", [
    ("ctl-client", "#4,name=n"), ("ctl-client", "#1,address=10.1.2.3"), ("rfc4514", "#4,name=n"),
    ("rfc4514", "#4,address=10.1.2.3")])
def test_what_a_style_has_no_place_for(ctlsign, old, out, kind, arg):
    o = old(kind)
    refused(ctlsign, 2, o, out, *o.signs, "--set", arg)


# --set-mode ----------------------------------------------------------------------------------

def bare(name, address):
    return peerwrite.raw_record([(2, peerwrite.text(name)), (4, b"\x00\x02"),
                                 (10, peerwrite.address_bytes(address))])


@pytest.mark.parametrize("kind,names", [
    ("cucm", ["cucm-1051-a-pub", "cucm-1051-a-sub1"]), ("ctl-client", [PUB, SUB])])
def test_non_secure_and_back(ctlsign, old, out, tmp_path, kind, names):
    """CCM+TFTP records keep name, role and address; certificates bring the very records back."""
    o = old(kind)
    places = dict(zip([2, 4], zip(names, [PUB, SUB])))
    rows = same_but(ctlsign, o, out, [2, 4], "--set-mode", "non-secure")
    for row, at in zip(rows, places):
        assert row["raw"] == bare(*places[at])
        assert kind == "cucm" or row["length"] == 33
    # Once more changes nothing; the mode stays without the option, and holds for what is added.
    emptied = Old(out, o.cluster, o.signer, out.read_bytes())
    again = tmp_path / "again" / "CTLFile.tlv"
    again.parent.mkdir()
    assert [r["raw"] for r in update(ctlsign, emptied, again, "--set-mode", "non-secure")] == emptied.raw
    more = update(ctlsign, emptied, again, "--add",
                  f"CCM+TFTP={o.cluster}/sub1.pem,name=more,address=10.48.47.155")
    assert more[-1]["raw"] == bare("more" if kind == "cucm" else "10.48.47.155", "10.48.47.155")
    ctlsign.ok("extract", o.path, "-o", tmp_path / "certs")
    records = update(ctlsign, emptied, again, "--set-mode", "mixed", "--certs", tmp_path / "certs")
    assert [r["raw"] for r in records] == o.raw and again.read_bytes() == o.data


def test_the_printed_non_secure_list(ctlsign, old, out, tmp_path):
    """3746 bytes; the certificates come back from folders, by name or by file name."""
    o = old("non-secure")
    assert [len(r) for r in o.raw] == [1186, 1186, 33, 1004, 33]
    certs = tmp_path / "certs"
    certs.mkdir()
    shutil.copy(o.cluster / "pub.pem", certs / f"{PUB}.pem")
    refused(ctlsign, 4, o, out, *o.signs, "--set-mode", "mixed", "--certs", certs, says=["record 5", SUB])
    shutil.copy(o.cluster / "sub1.pem", certs / f"CCM_TFTP-{SUB}.pem")
    rows = same_but(ctlsign, o, out, [3, 5], "--set-mode", "mixed", "--certs", certs)
    assert [len(r["raw"]) for r in rows] == [1022, 1026]
    refused_out = out.parent.parent / "other" / "CTLFile.tlv"
    refused_out.parent.mkdir()
    refused(ctlsign, 4, o, refused_out, *o.signs, "--set-mode", "mixed", says="--certs")


def test_two_certificates_of_one_name(ctlsign, old, out, cluster, tmp_path):
    o = old("cucm")
    ctlsign.ok("update", o.path, "-o", out, *o.signs, *again(o), "--set-mode", "non-secure")
    ctlsign.refused(5, "update", out, "--in-place", *o.signs, "--set-mode", "mixed", "--certs", cluster,
                    says=["cucm-1051-a-pub", "--replace"])
    ctlsign.ok("update", out, "-o", tmp_path / "mixed.tlv", *o.signs, *again(o), "--set-mode", "mixed", "--certs",
               cluster, "--replace", f"#2={cluster}/pub.pem")
    assert (tmp_path / "mixed.tlv").read_bytes() == o.data


def test_modes_that_are_not(ctlsign, old, out):
    refused(ctlsign, 2, old("cucm"), out, *old("cucm").signs, "--set-mode", "secure", says="--set-mode")
    # There is no way to write a record of this style without certificate.
    refused(ctlsign, 2, old("rfc4514"), out, *old("rfc4514").signs, "--set-mode", "non-secure")


# No lock-out by accident ---------------------------------------------------------------------

ACCEPTS = [([], {"sbd", "no-sbd"}), (["sbd"], {"no-sbd"}), (["no-sbd"], {"sbd"}), (["sbd", "no-sbd"], set()),
           (["all"], set())]


@pytest.mark.parametrize("accepts,refuses", ACCEPTS, ids=["none", "sbd", "no-sbd", "both", "all"])
def test_refused_before_the_pin(ctlsign, old, out, fault, accepts, refuses):
    """A token that no phone knows: nothing is signed, and the token is not logged in to."""
    o, f = old("cucm"), fault()
    words = [*f.key(TWO), *(w for c in accepts for w in ("--accept-lockout", c))]
    if refuses:
        refused(ctlsign, 1, o, out, *words, env=f.env, says=["signer-unknown", "--accept-lockout"])
        assert f.logins == 0 and f.calls("C_Sign") == 0
        return
    records = update(ctlsign, o, out, signs=words, signer=TWO, env=f.env)
    assert [r["raw"] for r in records] == [record(o, TWO, "SAST", "ctl-client", token=True), *o.raw]
    assert f.logins == 1


@pytest.mark.parametrize("more,status,says", [
    ([], 0, "accepted: tvs (assumes the ITL has a TVS record; TVS still has the certificate that the ITL names; the TVS node "
     "serves the new list)"),
    (["--tvs-ctl", "new"], 0, "the TVS node serves the new list"), (["--tvs-ctl", "none"], 1, "signer-unknown"),
    (["--tvs-ctl", "{old}"], 1, "signer-unknown")])
def test_tvs_vouches_for_an_uploaded_token(ctlsign, old, out, fault, tmp_path, more, status, says):
    o, f = old("cucm"), fault()
    trust = tmp_path / "Phone-SAST-trust"
    trust.mkdir()
    shutil.copy(o.cluster / f"{TWO}.pem", trust)
    words = [*f.key(TWO), "--sast-trust", trust, "--accept-lockout", "no-sbd",
             *(m.replace("{old}", str(o.path)) for m in more)]
    if status == 0:
        assert says in ctlsign.ok("update", o.path, "-o", out, *again(o), *words, env=f.env).err
    else:
        refused(ctlsign, status, o, out, *words, env=f.env, says=says)
    assert f.logins == (1 if status == 0 else 0)


def test_unknown_classes(ctlsign, old, out):
    o = old("cucm")
    refused(ctlsign, 2, o, out, *o.signs, "--accept-lockout", "some", says="no-sbd, sbd or all")
    refused(ctlsign, 2, o, out, *o.signs, "--force")


def test_over_64_kib(ctlsign, old, out, cluster):
    o = old("cucm")
    fields = [peerwrite.record_fields(peerwrite.load(cluster / "pub.pem"), role, "cucm", name=f"n{i}",
                                      address=PUB) for i, role in enumerate(["SAST"] + ["CCM"] * 60)]
    o.data = peerwrite.assemble(fields, 0, cluster / "pub.key")
    o.path.write_bytes(o.data)
    refused(ctlsign, 1, o, out, *o.signs, says="--allow-large")
    refused(ctlsign, 1, o, out, *o.signs, "--allow-large", says="too-large")
    update(ctlsign, o, out, "--allow-large", "--accept-lockout", "all")


# A dry run -----------------------------------------------------------------------------------

@pytest.mark.parametrize("words", [["-n"], ["--dry-run", "--in-place"], ["-n", "-o", "{out}"]])
def test_a_dry_run_signs_nothing_and_asks_no_pin(ctlsign, old, out, fault, words):
    o, f = old("ctl-client"), fault()
    words = [str(out) if w == "{out}" else w for w in words]
    key = f.key(TWO)[:-2]  # a PIN that would have to be asked for
    run = ctlsign.ok("update", o.path, *words, *key, "--set", "#4,address=10.9.9.9", env=f.env)
    lines = run.out.splitlines()
    assert [line for line in lines if line.startswith("record ")] == [
        "record 4 changed: CCM+TFTP 10.9.9.9 (cucm-1051-a-sub1)"]
    for phones in ("with", "without"):
        assert f"phones {phones} Security by Default: accepted: signer-is-sast" in lines
    assert f.logins == 0 and f.calls("C_Sign") == 0
    assert o.path.read_bytes() == o.data and not list(out.parent.iterdir())
    assert [p.name for p in o.path.parent.iterdir()] == [o.path.name]


@pytest.mark.parametrize("kind", EVERY)
def test_a_dry_run_needs_no_key(ctlsign, old, out, kind):
    """The signer's certificate says all that a forecast wants of it."""
    o = old(kind)
    words = ["update", o.path, "-n", "--keep-timestamp", "--digest", "sha256"]
    with_key, without = ctlsign.ok(*words, *o.signs), ctlsign.ok(*words, *o.signs[2:])
    assert (without.out, without.err) == (with_key.out, with_key.err) and without.out


def test_a_dry_run_with_a_tokens_certificate(ctlsign, old, lab):
    o = old("ctl-client")
    run = ctlsign.ok("update", o.path, "-n", "--cert", f"pkcs11:token={TWO};type=cert", "--module", lab.module,
                     env=lab.env)
    assert "phones with Security by Default: accepted: signer-is-sast" in run.out


def test_a_certificate_alone_signs_nothing(ctlsign, old, out, cluster, signer):
    o = old("cucm")
    refused(ctlsign, 2, o, out, *o.signs[2:], says="-k")
    ctlsign.refused(2, "update", o.path, "-n", says=["-k", "--cert"])
    ctlsign.refused(3, "update", o.path, "-n", "--cert", cluster / "pub.key", *o.trust)
    # What could not sign with its key is said as with the key.
    key, cert = signer("ec")
    ctlsign.refused(3, "update", o.path, "-n", "--cert", cert, *o.trust, says=str(cert))
    # A certificate that the list is not believed for is no witness.
    ctlsign.refused(1, "update", o.path, "-n", "--cert", cluster / "sub1.pem", says="not verified")


def test_a_dry_run_refuses_what_the_run_would(ctlsign, old, out):
    o = old("cucm")
    signs = ["-k", o.cluster / f"{TWO}.key", "--cert", o.cluster / f"{TWO}.pem"]
    run = ctlsign("update", o.path, "-n", *signs, *o.trust)
    assert run.status == 1 and len(run.errors) == 1, str(run)
    for phones in ("with", "without"):
        assert f"phones {phones} Security by Default: refused: signer-unknown" in run.out
    ctlsign.refused(4, "update", o.path, "-n", *o.signs, "--remove", "#9")
    ctlsign.refused(1, "update", o.path, "-n", *o.signs, "--timestamp", TIME - 1)


# Where it goes -------------------------------------------------------------------------------

def test_where_to(ctlsign, old, out):
    o = old("cucm")
    ctlsign.refused(2, "update", o.path, *o.signs, says="--in-place")
    refused(ctlsign, 2, o, out, "--in-place", *o.signs, says="--in-place")
    refused(ctlsign, 2, o, out, says="-k")
    ctlsign.refused(2, "update", says="missing")
    ctlsign.refused(9, "update", o.path, "-o", out.parent / "no" / "CTLFile.tlv", *o.signs)
    ctlsign.refused(9, "update", o.path, "-o", out.parent, *o.signs)


def test_standard_input_has_no_place(ctlsign, old, out):
    """Nor has a list that a log shows: neither is written in its own place."""
    o = old("cucm")
    words = ["update", "-", "--in-place", *o.signs]
    ctlsign.refused(2, *words, input=o.data, cwd=out.parent, says=["standard input", "-o"])
    assert not list(out.parent.iterdir())
    log = out.parent / "show.log"
    log.write_bytes((DATA / "logs" / "putty.log").read_bytes())
    before = log.read_bytes()
    run = ctlsign("update", log, "--in-place", *o.signs, "--certs", log, "--address", f"cucm-1051-a-sub1={SUB}")
    assert run.status == 9 and log.read_bytes() == before and [p.name for p in out.parent.iterdir()] == [log.name], str(run)


def test_in_place_keeps_the_old_file(ctlsign, old):
    o = old("cucm")
    inode = o.path.stat().st_ino
    ctlsign.ok("update", o.path, "--in-place", *o.signs, "--timestamp", TIME + 1)
    backup = o.path.with_name("CTLFile.tlv.~1~")
    assert backup.read_bytes() == o.data and backup.stat().st_ino == inode
    assert peerlist.parse_header(o.path.read_bytes())["timestamp"] == TIME + 1
    assert {p.name for p in o.path.parent.iterdir()} == {"CTLFile.tlv", "CTLFile.tlv.~1~"}


def test_backups_are_never_overwritten(ctlsign, old):
    o = old("cucm")
    folder = o.path.parent
    (folder / "CTLFile.tlv.~2~").write_text("somebody's own")
    (folder / "CTLFile.tlv.~4~").symlink_to("nowhere")
    states = [o.data]
    for turn in range(1, 4):
        ctlsign.ok("update", o.path, "--in-place", *o.signs, "--timestamp", TIME + turn)
        states.append(o.path.read_bytes())
    assert len(set(states)) == 4
    kept = {n: (folder / f"CTLFile.tlv.~{n}~").read_bytes() for n in (1, 2, 3, 5)}
    assert kept == {1: states[0], 2: b"somebody's own", 3: states[1], 5: states[2]}
    assert os.readlink(folder / "CTLFile.tlv.~4~") == "nowhere"


def test_an_output_that_is_there_is_kept_too(ctlsign, old, out):
    o = old("cucm")
    out.write_text("what was there")
    ctlsign.refused(9, "update", o.path, "-o", out, *o.signs, says=["not a trust list", "--overwrite"])
    assert out.read_text() == "what was there" and len(list(out.parent.iterdir())) == 1
    ctlsign.ok("update", o.path, "-o", out, "--overwrite", *o.signs)
    assert out.with_name("CTLFile.tlv.~1~").read_text() == "what was there"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o600, 0o664, 0o444])
def test_mode_and_owner_stay(ctlsign, old, mode):
    o = old("cucm")
    o.path.chmod(mode)
    owner = (12, 34) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    os.chown(o.path, *owner)
    ctlsign.ok("update", o.path, "--in-place", *o.signs, preexec_fn=lambda: os.umask(0o077))
    now = o.path.stat()
    assert now.st_mode & 0o7777 == mode and (now.st_uid, now.st_gid) == owner


def test_a_new_file_is_for_everybody(ctlsign, old, out):
    o = old("cucm")
    o.path.chmod(0o600)
    ctlsign.ok("update", o.path, "-o", out, *o.signs, preexec_fn=lambda: os.umask(0o077))
    assert out.stat().st_mode & 0o7777 == 0o644


def test_symbolic_links(ctlsign, old, out, tmp_path):
    o = old("cucm")
    link = tmp_path / "link.tlv"
    link.symlink_to(o.path)
    ctlsign.refused(9, "update", link, "--in-place", *o.signs, says=["symbolic link", "--follow"])
    assert o.path.read_bytes() == o.data and [p.name for p in o.path.parent.iterdir()] == [o.path.name]
    ctlsign.refused(9, "update", o.path, "-o", link, *o.signs, says="--follow")
    ctlsign.ok("update", link, "--in-place", "--follow", *o.signs, "--timestamp", TIME + 1)
    assert link.is_symlink() and peerlist.parse_header(o.path.read_bytes())["timestamp"] == TIME + 1
    assert o.path.with_name("CTLFile.tlv.~1~").read_bytes() == o.data
    assert [p.name for p in tmp_path.glob("*~")] == []


# Changed meanwhile ---------------------------------------------------------------------------

def edit(path):
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


def swap(path):
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    other.rename(path)


def take(path):
    path.unlink()


def link(path):
    path.rename(path.with_name("moved"))
    path.symlink_to("moved")


@pytest.fixture
def locked_key(cluster):
    """The publisher's key under a passphrase, which stops the run where it is read."""
    path = cluster / "locked.key"
    openssl("pkey", "-in", cluster / "pub.key", "-aes256", "-passout", "pass:words", "-out", path)
    path.chmod(0o600)
    return path


def while_it_waits(ctlsign, words, meanwhile):
    """Runs it until it waits for the passphrase, lets something happen, and gives the passphrase."""
    read, write = os.pipe()
    child = subprocess.Popen([str(PROGRAM), *map(str, words), "--pin-source", f"fd:{read}"],
                             env=ctlsign.environment(), stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=[read])
    os.close(read)
    said = b""
    while b"phones without Security by Default" not in said:
        line = child.stderr.readline()
        assert line, said
        said += line
    meanwhile()
    os.write(write, b"words\n")
    os.close(write)
    out, err = child.communicate(timeout=60)
    return child.returncode, out.decode(), (said + err).decode()


@pytest.mark.parametrize("how", [edit, swap, take, link])
@pytest.mark.parametrize("where", [["--in-place"], ["-o", "{file}"]], ids=["in-place", "by-name"])
def test_changed_meanwhile(ctlsign, old, locked_key, how, where):
    o = old("cucm")
    seen = {}

    def meanwhile():
        how(o.path)
        seen.update({p.name: os.path.lexists(p) and p.exists() and p.read_bytes()
                     for p in o.path.parent.iterdir()})
    where = [str(o.path) if w == "{file}" else w for w in where]
    status, _, err = while_it_waits(ctlsign, ["update", o.path, *where, "-k", locked_key], meanwhile)
    assert status == 9, err
    assert {p.name: p.read_bytes() for p in o.path.parent.iterdir()} == seen


def test_unchanged_meanwhile(ctlsign, old, locked_key):
    o = old("cucm")
    status, out, err = while_it_waits(ctlsign, ["update", o.path, "--in-place", "-k", locked_key],
                                      lambda: None)
    assert status == 0 and "4947 bytes" in out, err


def test_a_list_at_the_output_is_exchanged_meanwhile(ctlsign, old, out, locked_key):
    """What stands at -o was judged before the question; another list there was not."""
    o = old("cucm")
    out.write_bytes(o.data)
    status, _, err = while_it_waits(ctlsign, ["update", o.path, "-o", out, "-k", locked_key], lambda: swap(out))
    assert status == 9 and "run this again" in err, err
    assert out.read_bytes() == o.data and [p.name for p in out.parent.iterdir()] == [out.name]


@pytest.mark.parametrize("what", ["list", "empty", "link", "pipe"])
def test_a_file_that_appears_meanwhile(ctlsign, old, out, locked_key, what):
    """Nobody has judged it, so it is not replaced, and no copy of it is made."""
    o = old("cucm")

    def appear():
        if what == "pipe":
            os.mkfifo(out)
        elif what == "link":
            out.symlink_to(o.path)
        else:
            out.write_bytes(o.data if what == "list" else b"")
    status, _, err = while_it_waits(ctlsign, ["update", o.path, "-o", out, "-k", locked_key], appear)
    says = {"link": "is a symbolic link", "pipe": "is not a regular file"}.get(what, "put there by somebody else")
    assert status == 9 and says in err, err
    assert [p.name for p in out.parent.iterdir()] == [out.name]
    assert o.path.read_bytes() == o.data and (what not in ("list", "empty") or
                                              out.read_bytes() == (o.data if what == "list" else b""))


def test_an_empty_file_that_is_filled_meanwhile(ctlsign, old, out, locked_key):
    o = old("cucm")
    out.write_bytes(b"")
    status, _, err = while_it_waits(ctlsign, ["update", o.path, "-o", out, "-k", locked_key],
                                    lambda: out.write_bytes(o.data))
    assert status == 9 and "changed by somebody else" in err, err
    assert out.read_bytes() == o.data and [p.name for p in out.parent.iterdir()] == [out.name]


def test_two_runs_at_once(ctlsign, old, locked_key):
    """The slower one must not undo what the quicker one did."""
    o = old("cucm")
    status, _, _ = while_it_waits(
        ctlsign, ["update", o.path, "--in-place", "-k", locked_key],
        lambda: ctlsign.ok("update", o.path, "--in-place", *o.signs, "--remove", "#4"))
    assert status == 9
    assert len(peerlist.parse(o.path.read_bytes())["records"]) == 3
    assert {p.name for p in o.path.parent.iterdir()} == {"CTLFile.tlv", "CTLFile.tlv.~1~"}


# Lists that are no ground to build on --------------------------------------------------------

def test_a_bad_signature(ctlsign, old, out):
    o = old("cucm")
    data = bytearray(o.data)
    data[-1] ^= 1  # in the last record's address: well-formed, and not what was signed
    o.data = bytes(data)
    o.path.write_bytes(o.data)
    refused(ctlsign, 1, o, out, *o.signs, says=["signature", "ctlsign verify"])
    refused(ctlsign, 1, o, out, *o.signs, "--accept-lockout", "all")


def test_a_signer_that_is_not_in_the_list(ctlsign, old, out, cluster):
    o = old("cucm")
    fields = [peerwrite.record_fields(peerwrite.load(cluster / f"{n}.pem"), "SAST", "cucm", name=n,
                                      address=PUB) for n in ("pub", "sub1")]
    data = peerwrite.assemble(fields, 0, cluster / "pub.key")
    gone = len(peerwrite.raw_record(fields[0]))
    end = peerlist.parse_header(data)["header_length"]
    o.data = data[:end] + data[end + gone:]
    o.path.write_bytes(o.data)
    refused(ctlsign, 1, o, out, *o.signs, says="signature")


@pytest.mark.parametrize("how", ["empty", "text", "cut", "longer"])
def test_malformed_lists(ctlsign, old, out, how):
    o = old("cucm")
    o.data = {"empty": b"", "text": b"no list at all\n" * 99, "cut": o.data[:-9],
              "longer": o.data + b"\x01"}[how]
    o.path.write_bytes(o.data)
    refused(ctlsign, 3, o, out, *o.signs)


def test_lists_that_cannot_be_read(ctlsign, old, out, tmp_path):
    o = old("cucm")
    ctlsign.refused(3, "update", tmp_path / "none.tlv", "-o", out, *o.signs)
    ctlsign.refused(3, "update", tmp_path, "-o", out, *o.signs)
    assert not out.exists()


@pytest.mark.parametrize("key,cert,status", [
    ("sub1", None, 3), ("sub1", "pub", 3), ("pub", "sub1", 3), ("none", None, 3), ("sub1", "sub1", 1)])
def test_keys_that_cannot_sign_it(ctlsign, old, out, key, cert, status):
    o = old("cucm")
    words = ["-k", o.cluster / f"{key}.key"] + (["--cert", o.cluster / f"{cert}.pem"] if cert else [])
    refused(ctlsign, status, o, out, *words)


# With a token --------------------------------------------------------------------------------

@pytest.mark.parametrize("token", [ONE, TWO])
def test_a_token_signs_the_same_bytes_as_its_key_file(ctlsign, old, out, fault, token):
    o, f = old("ctl-client"), fault()
    changes = ["--remove", "role=CAPF", "--timestamp", TIME + 9]
    update(ctlsign, o, out, *changes, signs=["-k", o.cluster / f"{token}.key", "--cert",
                                             o.cluster / f"{token}.pem"], signer=token)
    by_file = out.read_bytes()
    update(ctlsign, o, out, *changes, signs=f.key(token), signer=token, env=f.env)
    assert out.read_bytes() == by_file and f.logins == 1


@pytest.mark.parametrize("plan,status", [("C_Login 1 fail 0xa0", 6), ("C_Sign 1 flip", 8),
                                         ("C_Sign 1 exit 0", 8), ("C_Sign 1 crash", 8)])
def test_a_token_that_fails_changes_nothing(ctlsign, old, fault, plan, status):
    o, f = old("ctl-client"), fault(plan)
    ctlsign.refused(status, "update", o.path, "--in-place", *f.key(TWO), env=f.env)
    assert o.path.read_bytes() == o.data
    assert [p.name for p in o.path.parent.iterdir()] == [o.path.name]


# What a terminal sees ------------------------------------------------------------------------

def test_names_are_escaped_for_a_terminal(ctlsign, old, out, renewed):
    o = old("cucm")
    evil = renewed("evil", [("COMMON_NAME", "x\x1b[31m\x07\x9b31m\n"), *CISCO])
    run = ctlsign.ok("update", o.path, "-o", out, *o.signs, "--add", f"CCM={evil},name=n")
    assert "\x1b" not in run.err + run.out and "\\x1b" in run.err
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", run.err + run.out)


# Who signs, and what does not stay --------------------------------------------------------------

def test_an_encrypted_store_brings_its_own_certificate(ctlsign, old, out, tmp_path):
    """Not the old signer's, which a key file without certificate is taken to be."""
    o = old("ctl-client")
    secret, store = tmp_path / "word", tmp_path / "second.p12"
    secret.write_text("correct horse\n")
    secret.chmod(0o600)
    name = o.cluster / "SAST-ADN0054f509"
    subprocess.run(["openssl", "pkcs12", "-export", "-inkey", f"{name}.key", "-in", f"{name}.pem",
                    "-passout", f"file:{secret}", "-out", str(store)], check=True)
    store.chmod(0o600)
    update(ctlsign, o, out, signs=["-k", store, "--pin-source", f"file:{secret}"],
           signer="SAST-ADN0054f509")


def test_an_unknown_field_of_the_header_is_named(ctlsign, old, out):
    o = old("cucm")
    records = peer_records(o.cluster, ",")
    o.path.write_bytes(peerwrite.assemble(records, 0, o.cluster / "pub.key",
                                          extra=peerwrite.field(99, b"what")))
    run = ctlsign.ok("update", o.path, "-o", out, *o.signs)
    assert "tag 99 is unknown" in run.err
