# SPDX-License-Identifier: Apache-2.0
"""migrate: what is refused before a PIN is asked for, and what is in the folder that it makes."""
import base64
import datetime
import hashlib
import os
import re
import shutil
import subprocess
import time

import lists
import peerlist
import peerwrite
import pytest
from conftest import DATA, make_certificate, openssl
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from lists import PUB, SUB, TIME
from test_token import at_terminal
from test_token_faults import children, memory_has, readable
from token_helpers import FAULT, ONE, TWO, fault, start, wait_for  # noqa: F401  (a fixture)

NAME = "cucm-1051-a-pub"
CISCO = [("ORGANIZATION_NAME", "Cisco Systems, Inc."), ("ORGANIZATIONAL_UNIT_NAME", "IPCBU")]
CISCO_CA = [("ORGANIZATION_NAME", "Cisco Systems"), ("COMMON_NAME", "Cisco Manufacturing CA")]


def write_proof(path, cert, key, *, when="2026-01-31T12:00:00Z", nonce=b"\x5a" * 32):
    """<CN>.proof, from its description alone."""
    der = peerwrite.der(peerwrite.load(cert))
    text = (f"ctlsign proof v1\nnonce: {nonce.hex()}\ncertificate-sha256: "
            f"{hashlib.sha256(der).hexdigest()}\ntime: {when}\n")
    private = peerwrite.load_key(key)
    made = private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    path.write_text(f"{text}signature: {base64.b64encode(made).decode()}\n")


class World:
    """The cluster, an ITLRecovery certificate, tokens with proofs, and lists to migrate from."""

    def __init__(self, ctlsign, cluster, keys, folder):
        self.ctlsign, self.cluster, self.keys, self.folder = ctlsign, cluster, keys, folder
        self.out = folder / "work" / "out"
        self.out.parent.mkdir()
        self.rec = make_certificate(cluster / "rec.pem", keys["rsa2048"],
                                    [("COUNTRY_NAME", "PL"), ("ORGANIZATION_NAME", "Cisco"),
                                     ("COMMON_NAME", f"ITLRECOVERY_{NAME}")])
        shutil.copy(keys["rsa2048"], cluster / "rec.key")
        (cluster / "rec.key").chmod(0o600)
        # Whoever may have signed the lists below; in a folder of their own.
        self.trust = [word for name in ("pub", "rec", TWO)
                      for word in ("--trust", cluster / f"{name}.pem")]
        for name in (ONE, TWO):
            write_proof(cluster / f"{name}.proof", cluster / f"{name}.pem", cluster / f"{name}.key")

    def key(self, name):
        return ["-k", self.cluster / f"{name}.key", "--cert", self.cluster / f"{name}.pem"]

    def sast(self, *names):
        return [w for name in names for w in ("--sast", self.cluster / f"{name}.pem")]

    def old(self, kind, **kw):
        """A list to migrate from; its path."""
        style = "ctl-client" if kind.startswith("tokens") else "cucm"
        servers = [("pub", "CCM+TFTP", PUB), ("capf", "CAPF", PUB), ("sub1", "CCM+TFTP", SUB)]
        sasts, signer = {
            "tokenless": (["pub"], "pub"),               # 10.0
            "tokenless-11": (["pub", "rec"], "pub"),      # 10.5(2), 11.5
            "tokenless-12": (["rec", "pub"], "rec"),      # 12.0 and later
            "tokens": ([TWO, ONE], TWO),                  # up to 10.5(2)
            "tokens-11": ([TWO, ONE, "rec", "pub"], TWO),  # 11.5 and later
        }[kind]
        fields = []
        for name in sasts:
            token = name in (ONE, TWO)
            fields.append(peerwrite.record_fields(self.cert(name), "SAST", style, name=NAME, address=PUB,
                                                  token=token))
        for name, role, address in servers:
            node = NAME if address == PUB else "cucm-1051-a-sub1"
            fields.append(peerwrite.record_fields(self.cert(name), role, style, name=node,
                                                  address=address))
        path = self.folder / f"{kind}.tlv"
        path.write_bytes(peerwrite.assemble(fields, 0, self.cluster / f"{signer}.key", **kw))
        return path

    def cert(self, name):
        return peerwrite.load(self.cluster / f"{name}.pem")

    def migrate(self, direction, old, *words, out=None, **kw):
        """A good migration: its folder, whose sums hold."""
        out = out or self.out
        self.ctlsign.ok("migrate", direction, "-o", out, *self.trust, *words, old, **kw)
        run = subprocess.run(["sha256sum", "-c", "--strict", "--quiet", "SHA256SUMS"], cwd=out,
                             stdin=subprocess.DEVNULL, capture_output=True, check=False)
        assert run.returncode == 0, run
        assert [p.name for p in out.parent.iterdir()] == [out.name]
        return out

    def refused(self, status, direction, old, *words, says=(), **kw):
        run = self.ctlsign.refused(status, "migrate", direction, "-o", self.out, *self.trust, *words,
                                   old, says=says, **kw)
        assert not list(self.out.parent.iterdir())
        return run


@pytest.fixture
def world(ctlsign, cluster, keys, tmp_path):
    return World(ctlsign, cluster, keys, tmp_path)


def parsed(path):
    return peerlist.parse(path.read_bytes())


def raw(path):
    return [r["raw"] for r in parsed(path)["records"]]


def anchors(path):
    """The certificates of the SAST records, in order."""
    return [r["certificate"] for r in parsed(path)["records"] if r["role"] == 0]


def ders(world, *names):
    return [peerwrite.der(world.cert(name)) for name in names]


def verdict(world, installed, new, *words):
    return world.ctlsign("accept", "--installed", installed, *words, new).out.splitlines()[0]


# Refused, before the token is logged in to ---------------------------------------------------

TO, LESS = "to-tokens", "to-tokenless"
SECOND = "--sast {one}"
AGREED = "--accept-lockout no-sbd"

# Direction, list, signer (a token's, through the counting module, where it is TOKEN), options, status, says.
TOKEN = "token"
REFUSALS = {
    # A class of phones would be locked out.
    "no bridge": (TO, "tokenless", TOKEN, SECOND, 1, "--accept-lockout no-sbd"),
    "another class agreed to": (TO, "tokenless", TOKEN, f"{SECOND} --accept-lockout sbd", 1,
                                "--accept-lockout no-sbd"),
    "TVS serves no list": (TO, "tokenless", TOKEN, f"{SECOND} {AGREED} --tvs-ctl none", 1,
                           "--accept-lockout sbd"),
    "TVS serves the old list": (TO, "tokenless", TOKEN, f"{SECOND} {AGREED} --tvs-ctl {{old}}", 1,
                                "--accept-lockout sbd"),
    "back without a bridge": (LESS, "tokens", "pub", "--release 10.5", 1, "--accept-lockout no-sbd"),
    "an unknown class": (TO, "tokenless", TOKEN, f"{SECOND} --accept-lockout none", 2, "--accept-lockout"),
    "force": (TO, "tokenless", TOKEN, f"{SECOND} --force", 2, "--force"),
    # The old key, which signs the bridge.
    "the old key is no anchor": (TO, "tokenless", TOKEN,
                                 f"{SECOND} --old-key {{c}}/sub1.key --old-cert {{c}}/sub1.pem", 1,
                                 "no SAST"),
    "the old key is another's": (TO, "tokenless", TOKEN, f"{SECOND} --old-key {{c}}/sub1.key", 3, "sub1.key"),
    "no old key there": (TO, "tokenless", TOKEN, f"{SECOND} --old-key {{c}}/none.key", 3, "none.key"),
    # Anchors, releases and time.
    "one token": (TO, "tokenless", TOKEN, AGREED, 1, "--one-token"),
    "one token twice": (TO, "tokenless", TOKEN, f"--sast {{two}} {AGREED}", 1, "--one-token"),
    "ITLRecovery is no token": (TO, "tokenless", TOKEN, f"--sast {{c}}/rec.pem {AGREED}", 1, "--one-token"),
    "a node's certificate is no token": (TO, "tokenless", TOKEN, f"--sast {{c}}/sub1.pem {AGREED}", 1,
                                         "--one-token"),
    "a list of tokens signed by a server": (TO, "tokenless", "pub", f"{SECOND} --sast {{two}}", 1, "token"),
    "no ITLRecovery at 12.0": (TO, "tokenless", TOKEN, f"{SECOND} --release 12.0 {AGREED}", 1,
                               "ITLRecovery is missing"),
    "no ITLRecovery at 12.5, one token": (TO, "tokenless", TOKEN, f"--one-token --release 12.5 {AGREED}", 1,
                                          "ITLRecovery is missing"),
    "tokens at 14SU3": (TO, "tokenless-12", TOKEN, f"{SECOND} --release 14SU3 {AGREED}", 1, "14SU3"),
    "tokens at 15": (TO, "tokenless-12", TOKEN, f"{SECOND} --release 15 {AGREED}", 1, "14SU3"),
    "tokenless at 9.1(2)": (LESS, "tokens", "pub", f"--release 9.1(2) {AGREED}", 1, "10.0"),
    "CallManager signs at 12.5": (LESS, "tokens-11", "pub", "--release 12.5", 1, "ITLRecovery"),
    "ITLRecovery signs at 11.5": (LESS, "tokens-11", "rec", "--release 11.5", 1, "CallManager"),
    "an older time": (TO, "tokenless", TOKEN, f"{SECOND} {AGREED} --timestamp {TIME - 1}", 1,
                      "before that of the list"),
    # A token counts only with a proof of its key.
    "unproven": (TO, "tokenless", TOKEN, f"--sast {{unproven}} {AGREED}", 1, "--unproven-sast"),
    "the proof of another certificate": (TO, "tokenless", TOKEN, f"--sast {{others}} {AGREED}", 1,
                                    "the proof of another certificate"),
    "a forged proof": (TO, "tokenless", TOKEN, f"--sast {{forged}} {AGREED}", 1, "does not verify"),
    "a proof that is none": (TO, "tokenless", TOKEN, f"--sast {{text}} {AGREED}", 1, "ctlsign proof v1"),
    "an unproven token of somebody else's": (TO, "tokenless", TOKEN, f"--sast {{foreign}} {AGREED}", 1,
                                             "--unproven-sast"),
    # The release is told by the list or by the user, never guessed.
    "a release that nothing tells": (TO, "tokenless-11", TOKEN, f"{SECOND} {AGREED}", 2, "--release"),
    "nor a list of tokens": (LESS, "tokens", "pub", AGREED, 2, "--release"),
    "nor one of later tokens": (LESS, "tokens-11", "pub", AGREED, 2, "--release"),
    "release 8": (TO, "tokenless", TOKEN, f"{SECOND} {AGREED} --release 8.6", 2, "8.6"),
    "release x": (TO, "tokenless", TOKEN, f"{SECOND} {AGREED} --release x", 2, "'x'"),
    "release 10.5x": (TO, "tokenless", TOKEN, f"{SECOND} {AGREED} --release 10.5x", 2, "10.5x"),
    # Keys, PINs and sizes that no run accepts.
    "no direction": ("to-token", "tokenless", TOKEN, SECOND, 2, "to-token"),
    "no key": (TO, "tokenless", None, SECOND, 2, "-k"),
    "one PIN source for a token and a locked key": (TO, "tokenless", TOKEN,
                                                    f"{SECOND} --old-key {{c}}/locked.key", 2, "pin-source"),
    "no such style": (TO, "tokenless", TOKEN, f"{SECOND} {AGREED} --style cisco", 2, "--style"),
    "no such digest": (TO, "tokenless", TOKEN, f"{SECOND} {AGREED} --digest md5", 2, "--digest"),
    "a key that is not the certificate's": (LESS, "tokens", "sub1", f"--cert {{c}}/pub.pem {AGREED}"
                                            " --release 10.5", {2, 3}, ""),
    "a SAST that is none": (TO, "tokenless", TOKEN, f"--sast {{c}}/pub.key {AGREED}", 3, "pub.key"),
    "a SAST that is not there": (TO, "tokenless", TOKEN, f"--sast {{c}}/none.pem {AGREED}", 3, "none.pem"),
}


def special_certificates(world):
    """Second tokens' certificates whose proofs are not what they should be."""
    made = {}
    for name in ("unproven", "others", "forged", "text"):
        folder = world.folder / name
        folder.mkdir()
        made[name] = folder / f"{ONE}.pem"
        shutil.copy(world.cluster / f"{ONE}.pem", made[name])
    shutil.copy(world.cluster / f"{TWO}.proof", made["others"].with_suffix(".proof"))
    write_proof(made["forged"].with_suffix(".proof"), made["forged"], world.cluster / "capf.key")
    made["text"].with_suffix(".proof").write_text("it is mine, I promise\n")
    made["foreign"] = make_certificate(world.folder / "foreign.pem", world.keys["rsa1024"],
                                       [("COMMON_NAME", "my own token")])
    locked = world.cluster / "locked.key"
    openssl("pkey", "-in", world.cluster / "pub.key", "-aes256", "-passout", "pass:words", "-out", locked)
    locked.chmod(0o600)
    return made


@pytest.mark.parametrize("row", REFUSALS.values(), ids=REFUSALS.keys())
def test_refusals(world, fault, row):
    direction, kind, signer, options, status, says = row
    f, old = fault(), world.old(kind)
    names = {"c": world.cluster, "old": old, "one": world.cluster / f"{ONE}.pem",
             "two": world.cluster / f"{TWO}.pem", **special_certificates(world)}
    words = [re.sub(r"\{(\w+)\}", lambda m: str(names[m.group(1)]), w) for w in options.split()]
    key = [] if signer is None else f.key(TWO) if signer == TOKEN else world.key(signer)
    if "--cert" in words and signer != TOKEN:
        key = key[:2]
    world.refused(status, direction, old, *key, *words, env=f.env, says=says)
    assert f.logins == 0 and f.calls("C_Sign") == 0


def test_two_certificates_of_one_key_are_one_token(world, fault):
    """Anchors are counted by their keys."""
    twin = make_certificate(world.folder / "twin.pem", world.cluster / f"{TWO}.key",
                            [*CISCO, ("COMMON_NAME", f"{'SAST-ADN00000001':24}")], issuer=CISCO_CA,
                            issuer_key=world.keys["rsa2048"])
    f = fault()
    world.refused(1, TO, world.old("tokenless"), *f.key(TWO), "--sast", twin, "--unproven-sast",
                  *AGREED.split(), env=f.env)
    assert f.logins == 0


def test_tvs_records_in_a_ctl(world):
    """A CTL has none, also if a community tool left them in the list."""
    fields = [peerwrite.record_fields(world.cert(n), role, "cucm", name=NAME, address=PUB)
              for n, role in (("pub", "SAST"), ("pub", "CCM+TFTP"), ("capf", "TVS"))]
    old = world.folder / "tvs.tlv"
    old.write_bytes(peerwrite.assemble(fields, 0, world.cluster / "pub.key"))
    world.refused(1, TO, old, *world.key(TWO), *world.sast(ONE), *AGREED.split(), says="TVS record")


def test_over_64_kib(world):
    fields = [peerwrite.record_fields(world.cert("pub"), role, "cucm", name=f"n{i}", address=PUB)
              for i, role in enumerate(["SAST"] + ["CCM"] * 60)]
    old = world.folder / "large.tlv"
    old.write_bytes(peerwrite.assemble(fields, 0, world.cluster / "pub.key"))
    words = [*world.key(TWO), *world.sast(ONE)]
    world.refused(1, TO, old, *words, *AGREED.split(), says="65536")
    world.refused(1, TO, old, *words, "--allow-large", says="too-large")


@pytest.mark.parametrize("how,status", [("bad", 1), ("cut", 3), ("empty", 3), ("missing", 3), ("folder", 3),
                                        ("itl", 3)])
def test_lists_that_are_no_ground(world, how, status):
    old = world.old("tokenless", **({"filename": "ITLFile.tlv"} if how == "itl" else {}))
    data = old.read_bytes()
    if how == "missing":
        old.unlink()
    elif how == "folder":
        old.unlink()
        old.mkdir()
    elif how != "itl":
        old.write_bytes({"bad": data[:-1] + b"\x00", "cut": data[:-5], "empty": b""}[how])
    world.refused(status, TO, old, *world.key(TWO), *world.sast(ONE), *AGREED.split())


@pytest.mark.parametrize("what", ["folder", "file", "link", "dangling", "no parent", "no right", "empty"])
def test_folders_that_are_not_new(world, fault, what, tmp_path):
    f, out = fault(), world.out
    if what == "folder":
        out.mkdir()
    elif what == "file":
        out.write_text("mine")
    elif what in ("link", "dangling"):
        out.symlink_to(tmp_path if what == "link" else tmp_path / "nowhere")
    elif what == "no parent":
        out = out / "deep" / "er"
    elif what == "no right":
        if os.geteuid() == 0:
            pytest.skip("root may write everywhere")
        out.parent.chmod(0o500)
    before = sorted(world.out.parent.iterdir())
    world.ctlsign.refused(9, "migrate", TO, *world.trust, "-o", "" if what == "empty" else out, *f.key(TWO),
                          *world.sast(ONE), *AGREED.split(), world.old("tokenless"), env=f.env)
    assert sorted(world.out.parent.iterdir()) == before and f.logins == 0
    assert what != "file" or out.read_text() == "mine"


def test_one_pin_source_for_two_tokens(world, own_lab, fault):
    """From one pair of tokens to another: both log in, and each brings its own PIN."""
    new = []
    for number in (1, 2):
        cn = f"SAST-ADN0000000{number}"
        cert = make_certificate(world.cluster / f"{cn}.pem", world.keys[["rsa1024", "rsa1024b"][number - 1]],
                                [*CISCO, ("COMMON_NAME", f"{cn:24}")], issuer=CISCO_CA,
                                issuer_key=world.keys["rsa2048"], serial=0x7700 + number)
        write_proof(cert.with_suffix(".proof"), cert, world.keys[["rsa1024", "rsa1024b"][number - 1]])
        new.append(cert)
    lab = own_lab((TWO, world.cluster / f"{TWO}.key", world.cluster / f"{TWO}.pem"),
                  ("SAST-ADN00000001", world.keys["rsa1024"], new[0]))
    old = world.old("tokens")
    words = ["--module", lab.module, "--sast", new[1], "--release", "10.5", "--old-key",
             f"pkcs11:token={TWO}", "-k", "pkcs11:token=SAST-ADN00000001"]
    world.refused(2, TO, old, *words, "--pin-source", f"file:{lab.pin_file}", env=lab.env, says="pin-source")
    words = [f"{w}?pin-source=file:{lab.pin_file}" if str(w).startswith("pkcs11:") else w for w in words]
    out = world.migrate(TO, old, *words, env=lab.env)
    assert anchors(out / "2-final" / "CTLFile.tlv") == [peerwrite.der(peerwrite.load(c)) for c in new]
    assert verdict(world, old, out / "1-bridge" / "CTLFile.tlv", "--no-tvs") == "accepted: signer-is-sast"


def primes(key):
    """The two primes of a key file, as OpenSSL keeps them in memory and as the file has them."""
    numbers = peerwrite.load_key(key).private_numbers()
    return [n.to_bytes((n.bit_length() + 7) // 8, order) for n in (numbers.p, numbers.q)
            for order in ("little", "big")]


def test_a_module_never_meets_another_key(world, fault):
    """The new key is a file's, the old one a token's: the module would look for the file's primes in vain."""
    f = fault("C_Sign 1 sleep 30")
    run = start(world.ctlsign, "migrate", LESS, world.old("tokens"), "-o", world.out, "--release", "10.5",
                "-k", world.cluster / "pub.key", "--cert", world.cluster / "pub.pem", "--old-key", *f.key(TWO)[1:], "--yes", *AGREED.split(), env=f.env)
    try:
        assert wait_for(lambda: f.calls("C_Sign") or run.poll() is not None) and run.poll() is None, \
            run.communicate()
        child, = children(run.pid)
        readable(child)
        key = world.cluster / "pub.key"
        assert any(memory_has(run.pid, p) for p in primes(key))  # the search finds them where they are
        assert not any(memory_has(child, p) for p in primes(key))
    finally:
        run.kill()
        run.communicate()


# Refused unless somebody insists -------------------------------------------------------------

def test_one_token_by_wish(world):
    out = world.migrate(TO, world.old("tokenless"), *world.key(TWO), "--one-token", *AGREED.split())
    assert anchors(out / "CTLFile.tlv") == ders(world, TWO)
    plan = " ".join((out / "plan.txt").read_text().split())
    assert "warning: The new list has one anchor (SAST key) only." in plan


@pytest.mark.parametrize("name", ["unproven", "foreign"])
def test_an_unproven_token_by_wish(world, name):
    made = special_certificates(world)
    out = world.migrate(TO, world.old("tokenless"), *world.key(TWO), "--sast", made[name], "--unproven-sast",
                        *AGREED.split())
    assert anchors(out / "CTLFile.tlv")[1] == peerwrite.der(peerwrite.load(made[name]))


def test_a_proven_token_of_somebody_elses(world):
    made = special_certificates(world)
    write_proof(made["foreign"].with_suffix(".proof"), made["foreign"], world.keys["rsa1024"])
    out = world.migrate(TO, world.old("tokenless"), *world.key(TWO), "--sast", made["foreign"],
                        *AGREED.split())
    assert len(anchors(out / "CTLFile.tlv")) == 2


def test_what_the_list_has_needs_no_proof(world):
    """A token that phones know already: the list's own signer said so."""
    for proof in world.cluster.glob("*.proof"):
        proof.unlink()
    old = world.old("tokens-11")
    world.migrate(TO, old, *world.key(ONE), *world.sast(TWO), "--release", "11.5")


def test_a_proof_beside_der(world):
    der = world.cluster / f"{ONE}.cer"
    der.write_bytes(peerwrite.der(world.cert(ONE)))
    out = world.migrate(TO, world.old("tokenless"), *world.key(TWO), "--sast", der, *AGREED.split())
    assert anchors(out / "CTLFile.tlv") == ders(world, TWO, ONE)


# What the lists hold -------------------------------------------------------------------------

# Direction, old list, release, signer, --sast, the anchors of the new list.
ANCHORS = [
    (TO, "tokenless", None, TWO, [ONE], [TWO, ONE]),
    (TO, "tokenless", "10.5", TWO, [ONE], [TWO, ONE]),
    (TO, "tokenless-11", "10.5(2)", TWO, [ONE], [TWO, ONE]),
    (TO, "tokenless-11", "11.5", TWO, [ONE], [TWO, ONE, "pub", "rec"]),
    (TO, "tokenless-12", None, TWO, [ONE], [TWO, ONE, "rec", "pub"]),
    (TO, "tokenless-12", "12.5", ONE, [TWO], [ONE, TWO, "rec", "pub"]),
    (TO, "tokenless-12", "14SU2", ONE, [TWO], [ONE, TWO, "rec", "pub"]),
    (TO, "tokenless", "11.5", TWO, [ONE, "rec"], [TWO, ONE, "rec", "pub"]),
    (LESS, "tokens", "10.5", "pub", [], ["pub"]),
    (LESS, "tokens", "10.5(2)", "pub", ["rec"], ["pub", "rec"]),
    (LESS, "tokens-11", "11.5", "pub", [], ["pub", "rec"]),
    (LESS, "tokens-11", "12.5", "rec", [], ["rec", "pub"]),
    (LESS, "tokens-11", "15", "rec", [], ["rec", "pub"]),
    (LESS, "tokens", "12.5", "rec", ["pub"], ["rec", "pub"]),
]


@pytest.mark.parametrize("direction,kind,release,signer,sasts,wanted", ANCHORS)
def test_anchors_by_release(world, direction, kind, release, signer, sasts, wanted):
    old = world.old(kind)
    out = world.migrate(direction, old, *world.key(signer), *world.sast(*sasts), *AGREED.split(),
                        *(["--release", release] if release else []))
    new, way_back = out / "CTLFile.tlv", out / "way-back" / "CTLFile.tlv"
    assert anchors(new) == ders(world, *wanted)
    assert peerlist.openssl_verify(new.read_bytes(), world.cluster / f"{signer}.pem")
    assert peerlist.openssl_verify(way_back.read_bytes(), world.cluster / f"{signer}.pem")
    before = parsed(old)["records"]
    # Server records stay raw, in their order; so do the anchors that stay.
    assert raw(new)[len(wanted):] == [r["raw"] for r in before if r["role"] != 0]
    known = {r["certificate"]: r["raw"] for r in before if r["role"] == 0}
    for record in parsed(new)["records"][:len(wanted)]:
        assert record["raw"] == known.get(record["certificate"], record["raw"])
    # The way back: all that was there, then what is new.
    assert raw(way_back)[:len(before)] == [r["raw"] for r in before]
    assert set(anchors(way_back)) == set(known) | set(anchors(new))
    assert verdict(world, new, way_back, "--no-tvs") == "accepted: signer-is-sast"
    assert verdict(world, way_back, old, "--no-tvs") == "accepted: signer-is-sast"
    for path in (new, way_back):
        assert world.ctlsign("verify", "--trust", "self", path).last_line.startswith("good signature")


@pytest.mark.parametrize("release,warned", [("12.5", False), ("14", True), ("14SU1", True), ("14SU2", True)])
def test_tokens_at_a_release_without_the_ctl_client(world, release, warned):
    """Unsupported from 14 on, and taken by the CTL Provider up to 14SU2 (docs/CLUSTER.md): a warning, no refusal."""
    out = world.migrate(TO, world.old("tokenless-12"), *world.key(TWO), *world.sast(ONE), *AGREED.split(),
                        "--release", release)
    said = " ".join((out / "plan.txt").read_text(encoding="utf-8").split())
    assert ("supports the CTL Client no longer" in said) == warned
    assert (out / "CTLFile.tlv").exists()


@pytest.mark.parametrize("kind,signer,release", [("tokens-11", "pub", "11.5"), ("tokens-11", "rec", "12.5")])
def test_a_key_that_phones_know_needs_no_bridge(world, kind, signer, release):
    old = world.old(kind)
    out = world.migrate(LESS, old, *world.key(signer), "--release", release)
    assert verdict(world, old, out / "CTLFile.tlv", "--no-tvs") == "accepted: signer-is-sast"


@pytest.mark.parametrize("kind,old_key,release", [
    ("tokenless", "pub", "10.5"), ("tokenless-11", "pub", "11.5"), ("tokenless-11", "rec", "11.5"),
    ("tokenless-12", "rec", "12.5"), ("tokenless-12", "pub", "12.5")])
def test_the_bridge(world, kind, old_key, release):
    """Any anchor of the old list signs it: each step is taken without TVS."""
    old = world.old(kind)
    out = world.migrate(TO, old, *world.key(TWO), *world.sast(ONE), "--release", release, "--old-key",
                        world.cluster / f"{old_key}.key", "--old-cert", world.cluster / f"{old_key}.pem")
    bridge, final, way_back = (out / d / "CTLFile.tlv" for d in ("1-bridge", "2-final", "way-back"))
    assert raw(bridge)[:len(raw(old))] == raw(old)
    assert set(anchors(bridge)) == {*anchors(old), *ders(world, ONE, TWO)}
    assert peerlist.openssl_verify(bridge.read_bytes(), world.cluster / f"{old_key}.pem")
    for installed, new in ((old, bridge), (bridge, final), (final, way_back), (bridge, way_back),
                           (way_back, old)):
        for words in ([], ["--no-tvs"]):
            assert verdict(world, installed, new, *words) == "accepted: signer-is-sast"


def test_an_old_key_without_certificate_is_the_signers(world):
    out = world.migrate(TO, world.old("tokenless"), *world.key(TWO), *world.sast(ONE), "--old-key",
                        world.cluster / "pub.key")
    assert (out / "1-bridge" / "CTLFile.tlv").exists()


@pytest.mark.parametrize("separator", [",", ";"])
def test_lists_of_community_tools(world, separator):
    """Server records keep field order, unknown fields and spelling; phones take what is made."""
    records = []
    for name, role in (("pub", "SAST"), ("pub", "CCM+TFTP"), ("capf", "CAPF"), ("sub1", "CCM+TFTP")):
        cert = world.cert(name)
        names = {3: cert.subject, 5: cert.issuer}
        records.append([(tag, peerwrite.text(peerwrite.rfc4514_name(names[tag], separator))
                         if tag in names else value)
                        for tag, value in peerwrite.record_fields(cert, role, "rfc4514")]
                       + [(200, b"own")])
    old = world.folder / "peer.tlv"
    old.write_bytes(peerwrite.assemble(records, 0, world.cluster / "pub.key", digest="sha256",
                                       signer_order=(4, 6, 5), signer_version=b"\x01\x01", version_after=2))
    out = world.migrate(TO, old, *world.key(TWO), *world.sast(ONE), "--release", "10.5", "--old-key",
                        world.cluster / "pub.key")
    bridge, final, way_back = (out / d / "CTLFile.tlv" for d in ("1-bridge", "2-final", "way-back"))
    assert raw(bridge)[:4] == raw(old) and raw(final)[2:] == raw(old)[1:] and raw(way_back)[:4] == raw(old)
    assert parsed(final)["header"]["digest"] == 2 and parsed(final)["header"]["signer_version"] == b"\x01\x01"
    for installed, new in ((old, bridge), (bridge, final), (final, way_back), (way_back, old)):
        assert verdict(world, installed, new, "--no-tvs") == "accepted: signer-is-sast"


@pytest.mark.parametrize("style", ["cucm", "ctl-client", "rfc4514"])
def test_records_made_anew(world, style):
    """--style: from the old records' certificates and addresses."""
    old = world.old("tokenless")
    out = world.migrate(TO, old, *world.key(TWO), *world.sast(ONE), *AGREED.split(), "--style", style)
    servers = [("pub", "CCM+TFTP", PUB, NAME), ("capf", "CAPF", PUB, NAME),
               ("sub1", "CCM+TFTP", SUB, "cucm-1051-a-sub1")]
    wanted = []
    for name, role, address, node in servers:
        fields = peerwrite.record_fields(world.cert(name), role, style, name=node, address=address)
        wanted.append(peerwrite.raw_record(sorted(fields) if style == "rfc4514" else fields))
    assert raw(out / "CTLFile.tlv")[2:] == wanted


def test_settings(world, tmp_path):
    old = world.old("tokenless", digest="sha512", signer_version=b"\x01\x01", filename="CTLSEP00.tlv")
    words = [*world.key(TWO), *world.sast(ONE), *AGREED.split()]
    before = time.time()
    out = world.migrate(TO, old, *words)
    for name in ("CTLFile.tlv", "way-back/CTLFile.tlv"):
        header = parsed(out / name)["header"]
        assert header["digest"] == 3 and header["filename"] == "CTLSEP00.tlv"
        assert header["signer_version"] == b"\x01\x01" and before - 1 <= header["timestamp"] <= time.time()
    shutil.rmtree(out)
    # A weaker digest only by name.
    out = world.migrate(TO, old, *words, "--digest", "sha1", "--timestamp", TIME + 1)
    assert {parsed(p)["header"]["digest"] for p in out.rglob("CTLFile.tlv") if "present" not in p.parts} == {1}
    assert parsed(out / "CTLFile.tlv")["header"]["timestamp"] == TIME + 1
    shutil.rmtree(out)
    made = []
    for _ in range(2):
        out = world.migrate(TO, old, *words, "--reproducible", env={"SOURCE_DATE_EPOCH": TIME + 2})
        made.append({p.relative_to(out): p.read_bytes() for p in out.rglob("*.tlv")})
        shutil.rmtree(out)
    assert made[0] == made[1]


# The folder ----------------------------------------------------------------------------------

COMMON = {"present/CTLFile.tlv", "way-back/CTLFile.tlv", f"Phone-SAST-trust/{ONE}.cer",
          f"Phone-SAST-trust/{TWO}.cer", "plan.txt", "plan.html", "SHA256SUMS"}


@pytest.mark.parametrize("bridge", [False, True])
@pytest.mark.parametrize("umask", [0o077, 0o022, 0o000])
def test_the_folder(world, bridge, umask):
    old = world.old("tokenless")
    how = ["--old-key", world.cluster / "pub.key"] if bridge else AGREED.split()
    out = world.migrate(TO, old, *world.key(TWO), *world.sast(ONE), *how,
                        preexec_fn=lambda: os.umask(umask))
    files = {str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()}
    assert files == COMMON | ({"1-bridge/CTLFile.tlv", "2-final/CTLFile.tlv"} if bridge
                              else {"CTLFile.tlv"})
    for path in [out, *out.rglob("*")]:
        assert path.stat().st_mode & 0o7777 == (0o755 if path.is_dir() else 0o644), path
    assert (out / "present" / "CTLFile.tlv").read_bytes() == old.read_bytes()
    for name in (ONE, TWO):
        assert (out / "Phone-SAST-trust" / f"{name}.cer").read_bytes() == ders(world, name)[0]
    summed = [line.split("  ", 1)[1] for line in (out / "SHA256SUMS").read_text().splitlines()]
    assert sorted(summed) == sorted(files - {"SHA256SUMS"})


def test_what_is_printed(world):
    old = world.old("tokenless")
    run = world.ctlsign.ok("migrate", TO, *world.trust, "-o", world.out, *world.key(TWO), *world.sast(ONE), "--old-key",
                           world.cluster / "pub.key", old)
    plan = (world.out / "plan.txt").read_text()
    assert plan.strip() != "" and plan.splitlines()[0] in run.out
    for name in ("1-bridge", "2-final", "way-back"):
        path = world.out / name / "CTLFile.tlv"
        assert f"{path}: {path.stat().st_size} bytes" in run.out
        for digest, label in (("md5", "MD5"), ("sha1", "SHA1")):
            said = openssl("dgst", f"-{digest}", "-r", path).decode().split()[0]
            assert f"{said}({label})" in run.out


def test_without_a_name_it_is_called_migration(world):
    folder = world.out.parent
    world.ctlsign.ok("migrate", TO, *world.trust, *world.key(TWO), *world.sast(ONE), *AGREED.split(),
                     world.old("tokenless"), cwd=folder)
    assert [p.name for p in folder.iterdir()] == ["migration"]


@pytest.mark.parametrize("name", ["with blank", "-dash", "ünï", "%s%n", "new\nline", "slash/"])
def test_odd_folders(world, name):
    out = world.out.parent / name.rstrip("/")
    world.ctlsign.ok("migrate", TO, *world.trust, f"--output={world.out.parent}/{name}", *world.key(TWO), *world.sast(ONE),
                     *AGREED.split(), world.old("tokenless"))
    assert (out / "CTLFile.tlv").exists()


HOSTILE = ["../../../etc/passwd", "a\x1b[2J\x07b\x9b1m", "<script>alert(1)</script>", "a\nb  ../x", "-rf", "..",
           ".hidden", "ü" * 20, "$(touch x) `id` | & ' \" \\", "x" * 64]


@pytest.mark.parametrize("cn", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names(world, cn):
    """What a certificate calls itself decides neither where a file goes nor what a reader's screen does."""
    cert = make_certificate(world.folder / "evil.pem", world.keys["rsa1024"],
                            [*CISCO, ("COMMON_NAME", cn)], issuer=CISCO_CA, issuer_key=world.keys["rsa2048"])
    before = {p for p in world.folder.rglob("*")}
    old = world.old("tokenless")
    out = world.migrate(TO, old, *world.key(TWO), "--sast", cert, "--unproven-sast", *AGREED.split())
    made = {p for p in world.folder.rglob("*") if out not in (p, *p.parents)}
    assert made - before == {old}
    names = [p.name for p in (out / "Phone-SAST-trust").iterdir()]
    assert len(names) == 2
    for name in names:
        assert re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*\.cer", name), name
    text = (out / "plan.txt").read_text() + (out / "SHA256SUMS").read_text()
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)
    page = (out / "plan.html").read_text()
    assert "<script>alert" not in page and not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", page)


def test_hostile_names_on_the_screen(world):
    cert = make_certificate(world.folder / "evil.pem", world.keys["rsa1024"],
                            [*CISCO, ("COMMON_NAME", HOSTILE[1])], issuer=CISCO_CA,
                            issuer_key=world.keys["rsa2048"])
    run = world.ctlsign.ok("migrate", TO, *world.trust, "-o", world.out, *world.key(TWO), "--sast", cert,
                           "--unproven-sast", *AGREED.split(), world.old("tokenless"))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", run.out + run.err)


def test_two_tokens_of_one_name(world):
    """A second file of the name gets its serial number."""
    for number in (1, 2):
        make_certificate(world.folder / f"same{number}.pem", world.keys[["rsa1024", "rsa1024b"][number - 1]],
                         [*CISCO, ("COMMON_NAME", f"{'SAST-ADN0000000a':24}")], issuer=CISCO_CA,
                         issuer_key=world.keys["rsa2048"], serial=0xabc0 + number)
    shutil.copy(world.keys["rsa1024"], world.folder / "same1.key")
    (world.folder / "same1.key").chmod(0o600)
    out = world.migrate(TO, world.old("tokenless"), "-k", world.folder / "same1.key", "--cert",
                        world.folder / "same1.pem", "--sast", world.folder / "same2.pem", "--unproven-sast",
                        *AGREED.split())
    names = sorted(p.name for p in (out / "Phone-SAST-trust").iterdir())
    assert len(names) == 2 and "SAST-ADN0000000a.cer" in names
    assert re.fullmatch(r"SAST-ADN0000000a-0*[Aa][Bb][Cc]2\.cer", names[0] if "-" in names[0][12:] else names[1])


# Asking, and tokens that fail ----------------------------------------------------------------

@pytest.mark.parametrize("answer,status", [("n", 1), ("", 1), ("y", 0), ("yes", 0)])
def test_it_asks_on_a_terminal(world, fault, answer, status):
    """The plan is shown first; the PIN is wanted only after a yes."""
    f = fault()
    words = ["migrate", TO, *world.trust, "-o", world.out, *f.key(TWO), *world.sast(ONE), *AGREED.split(),
             world.old("tokenless")]
    said, seen = at_terminal(world.ctlsign, words, f.env, [answer])
    assert said == status, seen
    assert "[y/N]" in seen and world.out.exists() == (status == 0)
    assert f.logins == (1 if status == 0 else 0)
    assert [p.name for p in world.out.parent.iterdir()] == (["out"] if status == 0 else [])


@pytest.mark.parametrize("plan,status,logins", [
    ("C_Login 1 fail 0xa0", 6, 1), ("C_GetTokenInfo * flags +FINAL_TRY", 7, 0), ("C_Sign 1 flip", 8, 1),
    ("C_Sign 2 flip", 8, 1), ("C_Sign 2 crash", 8, 1), ("C_Sign 2 exit 0", 8, 1), ("C_Sign 2 fail 0x32", 8, 1),
    ("C_SignInit 2 fail 0x68", 8, 1)])
def test_a_token_that_fails_leaves_nothing(world, fault, plan, status, logins):
    f = fault(plan)
    run = world.ctlsign("migrate", TO, *world.trust, "-o", world.out, *f.key(TWO), *world.sast(ONE), *AGREED.split(),
                        world.old("tokenless"), env=f.env)
    assert run.status == status and len(run.errors) == 1, str(run)
    assert not list(world.out.parent.iterdir()) and f.logins == logins


def test_a_disk_that_is_full(world, tmp_path):
    """Status 9, and the folder is not there in part."""
    trace = subprocess.run(["strace", "-o", "/dev/null", "true"], stdin=subprocess.DEVNULL,
                           capture_output=True, check=False)
    if trace.returncode != 0:
        pytest.skip("strace cannot trace here")
    words = ["migrate", TO, *world.trust, "-o", world.out, *world.key(TWO), *world.sast(ONE), *AGREED.split(),
             world.old("tokenless")]
    seen = set()
    for call, error in (("fsync", "EIO"), ("mkdirat,mkdir", "ENOSPC"), ("renameat2,rename", "EIO"),
                        ("fchmod", "EPERM")):
        for number in range(1, 30):
            log = tmp_path / "trace"
            run = world.ctlsign(*words, env={"ASAN_OPTIONS": "detect_leaks=0:exitcode=99"},
                                wrapper=["strace", "-f", "-qq", "-o", log, "-e", f"trace={call}", "-e",
                                         f"inject={call}:error={error}:when={number}"])
            injected = "(INJECTED)" in log.read_text()
            if run.status == 0:
                assert not injected or "warning" in run.err, f"{call} {number}\n{run}"
                assert [p.name for p in world.out.parent.iterdir()] == ["out"]
                shutil.rmtree(world.out)
            else:
                assert run.status == 9 and len(run.errors) == 1, f"{call} {number}\n{run}"
                assert not list(world.out.parent.iterdir()), f"{call} {number}"
            seen.add((call, run.status))
            if not injected:
                break
        assert (call, 9) in seen


# A list in non-secure mode: the nodes' records have no certificates ---------------------------

def non_secure(ctlsign, cluster, tmp_path):
    path = tmp_path / "CTLFile.tlv"
    lists.build(ctlsign, cluster, "tokens-non-secure", path)
    return path


def raw_records(path):
    return [r["raw"] for r in peerlist.parse(path.read_bytes())["records"]]


def test_non_secure_to_tokenless(ctlsign, cluster, tmp_path):
    """The CTL Client names nodes by address; the publisher's host name is CallManager's own."""
    old = non_secure(ctlsign, cluster, tmp_path)
    ctlsign.ok("migrate", "to-tokenless", "--release", "10.5", "-o", tmp_path / "m", "--timestamp",
               TIME + 60, *lists.key(cluster, "tokenless"), "--old-key", cluster / f"{TWO}.key", old)
    new = tmp_path / "m" / "2-final" / "CTLFile.tlv"
    tokenless = tmp_path / "tokenless.tlv"
    lists.build(ctlsign, cluster, "tokenless", tokenless)
    # As CUCM writes it; the nodes' records stay as they were.
    assert raw_records(new) == [raw_records(tokenless)[0], *raw_records(old)[2:]]
    assert peerlist.openssl_verify(new.read_bytes(), cluster / "pub.pem")


def test_itlrecovery_is_not_named_after_a_node(ctlsign, cluster, keys, tmp_path):
    rec = make_certificate(tmp_path / "rec.pem", keys["rsa2048"],
                           [("COMMON_NAME", f"ITLRECOVERY_{NAME}")])
    words = ["migrate", "to-tokenless", "--release", "12.0", "-o", tmp_path / "m", "--timestamp",
             TIME + 60, "-k", keys["rsa2048"], "--cert", rec, "--sast", cluster / "pub.pem",
             "--old-key", cluster / f"{TWO}.key", non_secure(ctlsign, cluster, tmp_path)]
    ctlsign.refused(2, *words, says=["the publisher's host name", "--publisher"])
    assert not (tmp_path / "m").exists()
    ctlsign.ok(*words, "--publisher", NAME)
    new = (tmp_path / "m" / "2-final" / "CTLFile.tlv").read_bytes()
    assert [r["dns_name"] for r in peerlist.parse(new)["records"]][:2] == [NAME, NAME]
