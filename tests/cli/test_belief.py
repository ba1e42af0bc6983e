# SPDX-License-Identifier: Apache-2.0
"""Whether an existing list is believed: verb by verb, signer by signer, and what is hidden in it.

The first attacker of the threat model can write the TFTP folder and has no key of the cluster.
"""
import hashlib
import json
import os
import re
import shutil

import lists
import peerlist
import peerwrite
import pytest
from conftest import make_certificate, openssl
from lists import PUB, SUB, TIME
from test_migrate import write_proof
from token_helpers import ONE, TWO, fault  # noqa: F401  (a fixture)

NAME = "cucm-1051-a-pub"
STRANGE_SERIAL = b"\x11\x22\x33\x44\x55\x66\x77\x88"


def sha1_of(pem):
    return openssl("x509", "-in", pem, "-noout", "-fingerprint", "-sha1").decode().split("=")[1].strip()


class Served:
    """A TFTP folder, the cluster's certificates in another one, and every kind of list."""

    def __init__(self, ctlsign, cluster, keys, folder):
        self.ctlsign, self.cluster, self.keys, self.root = ctlsign, cluster, keys, folder
        self.served, self.admin, self.out = folder / "served", folder / "admin", folder / "out"
        for made in (self.served, self.admin, self.out):
            made.mkdir()
        self.list = self.served / "CTLFile.tlv"
        shutil.copy(keys["rsa1024"], cluster / "stranger.key")
        (cluster / "stranger.key").chmod(0o600)
        pub = [("COUNTRY_NAME", "PL"), ("STATE_OR_PROVINCE_NAME", "Malopolska"), ("LOCALITY_NAME", "Krakow"),
               ("ORGANIZATION_NAME", "Cisco"), ("ORGANIZATIONAL_UNIT_NAME", "TAC"), ("COMMON_NAME", NAME)]
        make_certificate(cluster / "stranger.pem", cluster / "stranger.key", pub,
                         serial=int.from_bytes(STRANGE_SERIAL, "big"))
        # The same key as the publisher's, a new serial number: a reissued certificate.
        make_certificate(cluster / "reissued.pem", cluster / "pub.key", pub, serial=0x77)
        write_proof(cluster / f"{ONE}.proof", cluster / f"{ONE}.pem", cluster / f"{ONE}.key")
        for name, kind in (("earlier.tlv", "honest"), ("later.tlv", "honest"), ("strange.tlv", "stranger")):
            time = {"earlier.tlv": TIME - 1000, "later.tlv": TIME + 1000}.get(name, TIME)
            (self.admin / name).write_bytes(self.make(kind, timestamp=time))
        (self.admin / "itl-later.tlv").write_bytes(
            self.make("honest", timestamp=TIME + 1000, filename="ITLFile.tlv"))
        (self.admin / "broken.tlv").write_bytes(self.make("tampered"))

    def fields(self, name, role, style="cucm"):
        token = name in (ONE, TWO)
        node = "cucm-1051-a-sub1" if name == "sub1" else NAME
        return peerwrite.record_fields(peerwrite.load(self.cluster / f"{name}.pem"), role, style, name=node,
                                       address=SUB if name == "sub1" else PUB, token=token)

    def base(self, *anchors):
        rows = [self.fields(name, "SAST", "ctl-client" if name in (ONE, TWO) else "cucm")
                for name in anchors or ("pub",)]
        return rows + [self.fields("pub", "CCM+TFTP"), self.fields("capf", "CAPF"),
                       self.fields("sub1", "CCM+TFTP")]

    def make(self, kind, **kw):
        """The bytes of a list: who signed it, and what is hidden in it."""
        key = lambda name: self.cluster / f"{name}.key"  # noqa: E731
        rows, signer, by = self.base(), 0, "pub"
        if kind == "stranger":  # a record more, the publisher's names everywhere
            rows, signer, by = [*rows, self.fields("stranger", "SAST")], 4, "stranger"
        elif kind == "stranger-first":
            rows, by = [self.fields("stranger", "SAST"), *rows], "stranger"
        elif kind == "stranger-alone":  # no genuine record is left
            rows, by = [self.fields("stranger", "SAST"), *rows[1:]], "stranger"
        elif kind == "forged-key":  # the genuine certificate, the stranger's key beside it
            strange = dict(self.fields("stranger", "SAST"))
            forged = [(tag, strange[tag] if tag in (6, 7) else value) for tag, value in rows[0]]
            rows, signer, by = [*rows, forged], 4, "stranger"
        elif kind == "forged-key-alone":  # the one anchor shows the genuine certificate and serial number
            strange = dict(self.fields("stranger", "SAST"))
            rows[0] = [(tag, strange[7] if tag == 7 else value) for tag, value in rows[0]]
            by = "stranger"
        elif kind == "two-signers":
            strange = dict(self.fields("stranger", "SAST"))
            rows = [*rows, [(tag, strange[tag] if tag in (7, 9) else value) for tag, value in rows[0]]]
        elif kind == "no-signer":
            return peerwrite.assemble(rows[1:], self.fields("stranger", "SAST"), key("stranger"), **kw)
        elif kind == "not-sast":  # the stranger's record is a CAPF's
            rows, signer, by = [*rows, self.fields("stranger", "CAPF")], 4, "stranger"
        elif kind == "other-key":  # the header names the publisher, another key made the numbers
            by = "stranger"
        elif kind == "tampered":
            data = bytearray(peerwrite.assemble(rows, 0, key("pub"), **kw))
            data[-1] ^= 1
            return bytes(data)
        elif kind == "hidden-error":  # signed by the publisher; record 3 is not its certificate's
            rows[2] = [(tag, dict(rows[0])[7] if tag == 7 else value) for tag, value in rows[2]]
        elif kind == "padded-error":  # … behind more warnings than are listed
            rows[1] = rows[1] + [(200, b"")] * 1001
            rows[2] = [(tag, dict(rows[0])[7] if tag == 7 else value) for tag, value in rows[2]]
        elif kind == "tokens":
            rows, by = self.base(TWO, ONE), TWO
        elif kind == "token-and-pub":
            rows, by = self.base(TWO, "pub"), TWO
        elif kind == "with-stranger":  # signed by the publisher: somebody got it past an admin
            rows = [*rows, self.fields("stranger", "SAST")]
        return peerwrite.assemble(rows, signer, key(by), **{"timestamp": TIME, **kw})

    def words(self, text):
        names = {"c": self.cluster, "old": self.list, "admin": self.admin, "out": self.out / "CTLFile.tlv",
                 "dir": self.out / "made", "served": self.served, "sha1": sha1_of(self.cluster / "pub.pem"),
                 "strange-sha1": sha1_of(self.cluster / "stranger.pem")}
        return [re.sub(r"\{([a-z0-9-]+)\}", lambda m: str(names[m.group(1)]), w) for w in text.split()]

    def snapshot(self):
        return {str(p.relative_to(self.root)): (p.read_bytes() if p.is_file() and not p.is_symlink() else None,
                                                p.lstat().st_mtime_ns, p.lstat().st_ino)
                for folder in (self.served, self.out, self.admin) for p in folder.rglob("*")}


@pytest.fixture
def world(ctlsign, cluster, keys, tmp_path):
    return Served(ctlsign, cluster, keys, tmp_path)


KEY = "-k {c}/pub.key --cert {c}/pub.pem"
BARE = "-k {c}/pub.key"
TOKEN = f"-k {{c}}/{TWO}.key --cert {{c}}/{TWO}.pem"
RECORDS = ("--sast {c}/pub.pem,name=cucm-1051-a-pub,address=10.48.47.153 "
           "--ccm-tftp {c}/pub.pem,name=cucm-1051-a-pub,address=10.48.47.153 "
           "--capf {c}/capf.pem,name=cucm-1051-a-pub,address=10.48.47.153 "
           "--ccm-tftp {c}/sub1.pem,name=cucm-1051-a-sub1,address=10.48.47.154")
VERBS = {
    "update": f"update {{old}} --in-place {KEY}",
    "update-bare": f"update {{old}} --in-place {BARE}",
    "update-o": f"update {{old}} -o {{out}} {KEY}",
    "update-n": f"update {{old}} -n {KEY}",
    "update-token": f"update {{old}} --in-place {TOKEN} --accept-lockout all",
    "update-over": f"update {{admin}}/earlier.tlv -o {{old}} {KEY}",
    "migrate": f"migrate to-tokens {{old}} -o {{dir}} --release 10.5 {TOKEN} --sast {{c}}/{ONE}.pem"
               " --accept-lockout all",
    "bridge": f"migrate to-tokens {{old}} -o {{dir}} --release 10.5 {TOKEN} --sast {{c}}/{ONE}.pem"
              " --old-key {c}/pub.key --old-cert {c}/pub.pem",
    "bridge-bare": f"migrate to-tokens {{old}} -o {{dir}} --release 10.5 {TOKEN} --sast {{c}}/{ONE}.pem"
                   " --old-key {c}/pub.key",
    "build": f"build -o {{old}} {RECORDS} {KEY}",
    "export": "export --from {old} -o {dir}",
    "extract": "extract {old} -o {dir}",
}
# verb, the list that is there, more words, status, what is said. "-" is nothing more.
TABLE = """
update        honest            -                                          0
update-bare   honest            -                                          0
update        stranger          -                                          1  not verified
update-bare   stranger          -                                          1  not verified
update-o      stranger          -                                          1  not verified
update-n      stranger          -                                          1  not verified
update        stranger-first    -                                          1  not verified
update-bare   stranger-first    -                                          1  not verified
update        stranger-alone    -                                          1  not verified
update        stranger          --remove|#5                                1  not verified
update        forged-key        -                                          1  not what its certificate says
update-bare   forged-key        -                                          1  not what its certificate says
update        forged-key        --trust|{c}/pub.pem                        1  not what its certificate says
update        forged-key        --trust|{c}/pub.pem|--remove|#5            1  not what its certificate says
update        forged-key        --accept-signer|{sha1}                     1  not what its certificate says
update        forged-key-alone  --trust|{c}/pub.pem                        1  not what its certificate says
update        two-signers       -                                          1  does not verify
update        no-signer         --trust|{c}/pub.pem                        1  does not verify
update        not-sast          -                                          1  does not verify
update        other-key         -                                          1  does not verify
update        tampered          -                                          1  does not verify
update        tampered          --trust|{c}/pub.pem                        1  does not verify
update        hidden-error      -                                          1  record 3
update        hidden-error      --remove|#3                                0
update        hidden-error      --replace|#3={c}/capf.pem                  0
update        padded-error      -                                          1  nothing is signed
update        stranger          --trust|{c}/pub.pem                        1  not verified
update        stranger          --trust|{old}                              2  cannot vouch for itself
update        stranger          --trust|self                               2  cannot vouch for itself
update        stranger          --trust|{served}                           1  not verified
update        stranger          --trust|{admin}/copy.tlv                   2  cannot vouch for itself
update        stranger          --trust|{admin}/link.tlv                   2  cannot vouch for itself
update        stranger          --installed|{old}                          2  cannot vouch for itself
update        stranger          --trust|{c}/manufacturing-ca.pem           3  CA certificate
update        stranger          --accept-signer|{sha1}                     1  not verified
update        stranger          --accept-signer|{sha1}0                    2  40 digits
update        stranger          --accept-signer|x                          2  40 digits
update        stranger          --trust|{admin}/broken.tlv                 3  vouches for nobody
update        stranger          --trust|{admin}/none.pem                   3  none.pem
update        stranger          --trust|{c}/stranger.pem                   0
update        stranger          --trust|{admin}/strange.tlv                2  cannot vouch for itself
update        honest            --trust|{admin}/earlier.tlv                0
update        honest            --trust|{admin}/later.tlv                  1  an older list was put back
update        honest            --installed|{admin}/later.tlv              1  an older list was put back
update        honest            --trust|{admin}                            1  an older list was put back
update        honest            --trust|{admin}/itl-later.tlv              0
update        honest            --installed|{admin}/earlier.tlv            0
update        honest            --installed|none                           2  is for build
update        token-and-pub     -                                          1  not verified
update        token-and-pub     --trust|{c}/SAST-ADN008580ef.pem           0
update-token  honest            -                                          1  not verified
update-token  honest            --trust|{c}/pub.pem                        0
update-token  honest            --accept-signer|{sha1}                     0
update-token  honest            --trust|{c}/reissued.pem                   0
update-token  honest            --trust|{c}/capf.pem                       1  not verified
update-token  stranger          --trust|{c}/pub.pem                        1  not verified
update-over   stranger          -                                          1  not verified
update-over   forged-key        -                                          1  not what its certificate says
update-over   tampered          -                                          1  does not verify
update-over   tokens            --trust|{c}/SAST-ADN008580ef.pem           1  signer-not-sast
update-over   stranger          --installed|{admin}/earlier.tlv            2  cannot vouch for itself
update-over   honest            -                                          0
migrate       honest            -                                          1  not verified
migrate       honest            --trust|{c}/pub.pem                        0
migrate       stranger          --trust|{c}/pub.pem                        1  not verified
migrate       forged-key        --trust|{c}/pub.pem                        1  not what its certificate says
migrate       tampered          --trust|{c}/pub.pem                        1  does not verify
migrate       hidden-error      --trust|{c}/pub.pem                        1  record 3
migrate       honest            --trust|{admin}/later.tlv                  1  an older list was put back
migrate       honest            --trust|{c}/pub.pem|--installed|none       2  is for build
bridge        honest            -                                          0
bridge-bare   honest            -                                          0
bridge        stranger          -                                          1  not verified
bridge-bare   stranger          -                                          1  not verified
bridge        forged-key        -                                          1  not what its certificate says
build         honest            -                                          0
build         stranger          -                                          1  not verified
build         stranger-alone    -                                          1  not verified
build         forged-key        -                                          1  not what its certificate says
build         tampered          -                                          1  does not verify
build         stranger          --installed|{admin}/earlier.tlv            0
build         stranger          --installed|none                           0
build         stranger          --installed|{old}                          2  cannot vouch for itself
build         stranger          --installed|{admin}/copy.tlv               2  cannot vouch for itself
build         tokens            --installed|none                           0
build         tokens            --trust|{c}/SAST-ADN008580ef.pem           1  signer-not-sast
build         honest            --installed|{admin}/tokens.tlv             1  signer-not-sast
export        honest            -                                          1  not verified
export        honest            --trust|{c}/pub.pem                        0
export        honest            --accept-signer|{sha1}                     0
export        stranger          --trust|{c}/pub.pem                        1  not verified
export        stranger          --accept-signer|{strange-sha1}             0
export        forged-key        --trust|{c}/pub.pem                        1  not what its certificate says
export        hidden-error      --trust|{c}/pub.pem                        1  record 3
export        honest            --trust|{admin}/later.tlv                  1  an older list was put back
extract       honest            -                                          0  not verified
extract       honest            --trust|{c}/pub.pem                        0
extract       stranger          --trust|{c}/pub.pem                        0  not verified
extract       hidden-error      --trust|{c}/pub.pem                        0  not verified
extract       tampered          -                                          1  does not verify
extract       tampered          --unverified                               0  not verified
extract       forged-key        --trust|{c}/pub.pem                        1  not what its certificate says
extract       forged-key        --unverified                               0  not verified
extract       honest            --trust|self                               2  cannot vouch for itself
""".strip().splitlines()


def rows():
    for line in TABLE:
        verb, kind, more, status, *says = line.split(None, 4)
        yield pytest.param(verb, kind, "" if more == "-" else more.replace("|", " "), int(status),
                           says[0] if says else "", id=" ".join(line.split()[:3]).replace("{", "").replace("}", ""))


def test_the_table_is_long_enough():
    assert len(TABLE) >= 100 and len(set(TABLE)) == len(TABLE)


@pytest.mark.parametrize("verb,kind,more,status,says", rows())
def test_table(world, verb, kind, more, status, says):
    world.list.write_bytes(world.make(kind))
    if "copy.tlv" in more:
        shutil.copy(world.list, world.admin / "copy.tlv")
    if "link.tlv" in more:
        os.link(world.list, world.admin / "link.tlv")
    if "tokens.tlv" in more:
        (world.admin / "tokens.tlv").write_bytes(world.make("tokens"))
    before = world.snapshot()
    run = world.ctlsign(*world.words(f"{VERBS[verb]} {more}"))
    assert run.status == status, str(run)
    assert says in run.err, str(run)
    if status != 0:
        assert run.out == "" and len(run.errors) == 1 and world.snapshot() == before, str(run)
    else:
        assert world.snapshot() != before or verb == "update-n"
        assert says or "not verified" not in run.err, str(run)
    if verb == "extract" and status == 0:
        manifest = (world.out / "made" / "cluster.yaml").read_text()
        assert manifest.splitlines()[1].startswith("# not verified: ") == (says == "not verified")


# What is not believed, and how to go on --------------------------------------------------------

def test_the_message_says_what_to_compare_and_no_command(world):
    world.list.write_bytes(world.make("stranger"))
    run = world.ctlsign.refused(1, *world.words(VERBS["update"]))
    sha1 = sha1_of(world.cluster / "stranger.pem").replace(":", " ")
    for fragment in (f"SHA-1 of the signer's certificate: {sha1}\n", "2015-03-10T15:06:40Z", f"CN={NAME};",
                     "'show ctl' on the publisher", "--trust CERT", "'show cert own CallManager'", "save it as PEM"):
        assert fragment in run.err
    # People paste commands: there is none with a value to paste.
    assert not re.search(r"--accept-signer|--trust (?!CERT)|ctlsign update", run.err)


@pytest.mark.parametrize("kind,says", [("tokens", "ctlsign export"), ("honest", "show cert own CallManager")])
def test_where_the_certificate_is_depends_on_who_signs(world, kind, says):
    world.list.write_bytes(world.make(kind))
    assert says in world.ctlsign.refused(1, *world.words("export --from {old} -o {dir}")).err


def test_nobody_is_asked_for_a_pin(world, fault):
    """And the token is not logged in to: the refusal comes first."""
    f = fault()
    for kind in ("stranger", "forged-key", "tampered", "hidden-error"):
        world.list.write_bytes(world.make(kind))
        world.ctlsign.refused(1, "update", world.list, "--in-place", *f.key(TWO), "--accept-lockout", "all",
                              "--trust", world.cluster / "pub.pem", env=f.env)
    assert f.logins == 0 and f.calls("C_Sign") == 0


def test_an_encrypted_key_tells_only_after_its_passphrase(world, tmp_path):
    """Without a certificate it is taken for the signer's; where it is not, the list is not believed."""
    locked, word = world.cluster / "locked.key", tmp_path / "word"
    openssl("pkey", "-in", world.cluster / "pub.key", "-aes256", "-passout", "pass:words", "-out", locked)
    word.write_text("words\n")
    for path in (locked, word):
        path.chmod(0o600)
    words = ["update", world.list, "--in-place", "-k", locked, "--pin-source", f"file:{word}"]
    world.list.write_bytes(world.make("stranger"))
    before = world.snapshot()
    world.ctlsign.refused(1, *words, says="not verified")
    assert world.snapshot() == before
    world.list.write_bytes(world.make("honest"))
    world.ctlsign.ok(*words)


@pytest.mark.parametrize("kind", ["stranger", "honest"])
def test_a_witness_from_the_same_folder_costs_a_warning(world, kind):
    world.list.write_bytes(world.make(kind))
    for name in ("pub", "stranger"):
        shutil.copy(world.cluster / f"{name}.pem", world.served)
    (world.admin / "linked.pem").symlink_to(world.served / "pub.pem")
    (world.served / "outwards.pem").symlink_to(world.cluster / "pub.pem")
    for path in (world.served / "pub.pem", world.admin / "linked.pem", world.served / "outwards.pem", world.served):
        run = world.ctlsign("update", world.list, "-n", *world.words(KEY), "--trust", path)
        assert "stands in the folder of" in run.err and "warning" in run.err
    run = world.ctlsign("update", world.list, "-n", *world.words(KEY), "--trust", world.cluster / "pub.pem")
    assert "stands in the folder of" not in run.err


def test_standard_input_stands_in_no_folder(world):
    world.list.write_bytes(world.make("honest"))
    words = ["-n", *world.words(KEY), "--trust"]
    run = world.ctlsign("update", world.list.name, *words, "-", cwd=world.list.parent, input=(world.cluster / "pub.pem").read_bytes())
    assert "different: " in run.out + run.err and "stands in the folder of" not in run.err, str(run)
    shutil.copy(world.cluster / "pub.pem", world.served)
    run = world.ctlsign("update", "-", *words, "pub.pem", "-o", world.admin / "out.tlv", cwd=world.served, input=world.list.read_bytes())
    assert "different: " in run.out + run.err and "stands in the folder of" not in run.err, str(run)


def test_blanks_and_colons_in_accept_signer(world):
    world.list.write_bytes(world.make("honest"))
    sha1 = sha1_of(world.cluster / "pub.pem")
    for text in (sha1, sha1.replace(":", " "), sha1.replace(":", "").lower()):
        world.ctlsign.ok("export", "--from", world.list, "-o", world.out / hashlib.sha1(text.encode()).hexdigest(),
                         "--accept-signer", text)


def test_a_list_of_trust_counts_by_the_key_in_its_certificates(world):
    """Its field 7 is a stranger's for the second anchor, beside the genuine certificate of a token."""
    strange = dict(world.fields("stranger", "SAST"))
    forged = [(tag, strange[7] if tag == 7 else value) for tag, value in world.fields(TWO, "SAST", "ctl-client")]
    named = world.admin / "named.tlv"
    named.write_bytes(peerwrite.assemble([*world.base(), forged], 0, world.cluster / "pub.key", timestamp=TIME - 9))
    world.list.write_bytes(world.make("stranger"))
    world.ctlsign.refused(1, *world.words("export --from {old} -o {dir} --trust"), named, says="not verified")
    world.list.write_bytes(world.make("tokens"))
    world.ctlsign.ok(*world.words("export --from {old} -o {dir} --trust"), named)


def test_trust_of_export_needs_a_list(world):
    world.ctlsign.refused(2, "export", "pkcs11:token=x", "-o", world.out, "--trust", world.cluster / "pub.pem",
                          says="--from")


# Anchors -----------------------------------------------------------------------------------------

def anchors(run):
    return re.findall(r"^(new anchor|anchor|first list)", run.err, re.M)


def test_new_anchors_are_said_even_to_the_quiet(world):
    world.list.write_bytes(world.make("honest"))
    words = [*world.words(VERBS["update-o"]), "--add", f"SAST={world.cluster}/{ONE}.pem"]
    assert anchors(world.ctlsign.ok(*words)) == ["anchor", "new anchor"]
    (world.out / "CTLFile.tlv").unlink()
    run = world.ctlsign.ok(*words, "--quiet")
    assert anchors(run) == ["new anchor"] and len(run.err.splitlines()) == 1
    assert sha1_of(world.cluster / f"{ONE}.pem").replace(":", " ") in run.err


def test_what_the_present_list_has_is_no_news(world):
    """Without --installed a stranger's anchor in a believed list is known; with it, it is news."""
    (world.admin / "present.tlv").write_bytes(world.make("honest", timestamp=TIME - 5))
    world.list.write_bytes(world.make("honest"))
    more = ["--add", f"SAST={world.cluster}/stranger.pem,name={NAME},address={PUB}"]
    assert anchors(world.ctlsign.ok(*world.words(VERBS["update"]), *more)) == ["anchor", "new anchor"]
    run = world.ctlsign.ok(*world.words(VERBS["update"]))
    assert anchors(run) == ["anchor", "anchor"]


def test_json_has_them_too(world):
    world.list.write_bytes(world.make("honest"))
    words = [*world.words(VERBS["update-n"]), "--json", "--add", f"SAST={world.cluster}/{ONE}.pem"]
    anchors_of = json.loads(world.ctlsign.ok(*words).out)["anchors"]
    assert [(a["record"], a["new"]) for a in anchors_of] == [(1, False), (5, True)]
    assert anchors_of[1]["certificate"]["sha1"] == sha1_of(world.cluster / f"{ONE}.pem").replace(":", "").lower()
    for kind, verified in (("honest", True), ("stranger", False)):
        world.list.write_bytes(world.make(kind))
        run = world.ctlsign.ok("extract", world.list, "-o", world.out / kind, "--json", "--trust", world.cluster / "pub.pem")
        assert json.loads(run.out)["verified"] is verified


def test_a_forged_record_vouches_for_nobody(world):
    """Its signature verifies with its own field 7: only the certificate beside it says whose key that is."""
    forged, honest = world.admin / "forged.tlv", world.admin / "earlier.tlv"
    forged.write_bytes(world.make("forged-key-alone"))
    world.list.write_bytes(world.make("honest"))
    config = world.root / "SEP001122334455.cnf.xml"
    config.write_bytes(b"<device/>")
    signs = ["-k", world.cluster / "pub.key", "--cert", world.cluster / "pub.pem"]
    world.ctlsign.ok("config", "sign", *signs, config)
    signed = config.with_name(config.name + ".sgn")
    for verb in (["verify"], ["config", "verify"]):
        file = world.list if verb == ["verify"] else signed
        world.ctlsign.ok(*verb, "--trust", honest, file)
        world.ctlsign.refused(3, *verb, "--trust", forged, file,
                              says=[str(forged), "not what its certificate says", "vouches for nobody"])
    world.ctlsign.refused(3, "config", "sign", *signs, "--trust", forged, config, says="vouches for nobody")


def test_migrate_lists_its_anchors(world):
    world.list.write_bytes(world.make("honest"))
    run = world.ctlsign.ok(*world.words(VERBS["bridge"]), "--quiet")
    assert anchors(run) == ["new anchor", "new anchor"]


def test_the_first_list_of_an_empty_folder_alarms_nobody(world):
    run = world.ctlsign.ok(*world.words(VERBS["build"]))
    assert anchors(run) == ["first list", "anchor"] and "new anchor" not in run.err
    assert peerlist.parse(world.list.read_bytes())["records"]
    world.list.unlink()
    assert world.ctlsign.ok(*world.words(VERBS["build"]), "--quiet").err == ""


# The time of signing -----------------------------------------------------------------------------

def time_of(path):
    return peerlist.parse_header(path.read_bytes())["timestamp"]


def test_update_signs_with_now_unless_told(world):
    world.list.write_bytes(world.make("honest"))
    world.ctlsign.ok(*world.words(VERBS["update-o"]))
    assert time_of(world.out / "CTLFile.tlv") > TIME + 10**8
    (world.out / "CTLFile.tlv").unlink()
    world.ctlsign.ok(*world.words(VERBS["update-o"]), "--keep-timestamp")
    assert time_of(world.out / "CTLFile.tlv") == TIME
    for more in (["--timestamp", TIME + 1], ["--reproducible"]):
        world.ctlsign.refused(2, *world.words(VERBS["update-o"]), "--keep-timestamp", *more, says="contradict",
                              env={"SOURCE_DATE_EPOCH": TIME + 1})


@pytest.mark.parametrize("more,wanted", [([], None), (["--keep-timestamp"], TIME), (["--timestamp", TIME + 7], TIME + 7)])
def test_migrate_does_as_well(world, more, wanted):
    world.list.write_bytes(world.make("honest"))
    world.ctlsign.ok(*world.words(VERBS["bridge"]), *more)
    for name in ("1-bridge", "2-final", "way-back"):
        made = time_of(world.out / "made" / name / "CTLFile.tlv")
        assert made == wanted if wanted else made > TIME + 10**8


def test_never_dated_before_what_it_replaces(world):
    """Not before OLD, not before the list at -o, not before --installed."""
    world.list.write_bytes(world.make("honest", timestamp=TIME + 50))
    before = world.snapshot()
    world.ctlsign.refused(1, *world.words(VERBS["update-over"]), "--keep-timestamp", says="before that of the list")
    world.ctlsign.refused(1, *world.words(VERBS["update"]), "--timestamp", TIME + 49, says="before that of the list")
    world.ctlsign.refused(1, *world.words(VERBS["build"]), "--timestamp", TIME + 900, "--installed",
                          world.admin / "later.tlv", says="before that of the list")
    assert world.snapshot() == before


def test_keep_timestamp_of_a_list_without_one(world):
    world.list.write_bytes(world.make("honest", timestamp=None))
    world.ctlsign.refused(2, *world.words(VERBS["update"]), "--keep-timestamp", says="no time of signing")
    world.ctlsign.ok(*world.words(VERBS["update"]))


# Honest work stays easy: the printed help leads to success ------------------------------------------

def follow_the_help(world, words, cert, out=None):
    """Refused first; the help says where the certificate is; with it named, the same command succeeds."""
    run = world.ctlsign.refused(1, *words, says=["not verified", "--trust CERT"])
    assert sha1_of(cert).replace(":", " ") in run.err
    assert out is None or not out.exists()
    return world.ctlsign.ok(*words, "--trust", cert)


def test_tokenless_renewal_after_the_publishers_key_changed(world):
    """The old certificate was kept: --trust old.pem."""
    world.list.write_bytes(world.make("honest"))
    old = shutil.copy(world.cluster / "pub.pem", world.admin / "old.pem")
    new = world.cluster / "pub-regenerated"
    trust = world.admin / "Phone-SAST-trust"
    trust.mkdir()
    shutil.copy(f"{new}.pem", trust)
    words = ["update", world.list, "--in-place", "-k", f"{new}.key", "--cert", f"{new}.pem", "--replace",
             f"{new}.pem", "--sast-trust", trust, "--accept-lockout", "no-sbd"]
    run = follow_the_help(world, words, old)
    assert anchors(run) == ["new anchor", "anchor"]
    assert world.ctlsign.ok("verify", "--trust", f"{new}.pem", world.list)


def test_tokens_for_a_list_that_cucm_made(world, fault):
    """--trust is what 'show cert own CallManager' printed, saved as PEM with the prompt around it."""
    f = fault()
    world.list.write_bytes(world.make("honest"))
    saved = world.admin / "callmanager.pem"
    saved.write_text("admin:show cert own CallManager\n[\n  Version: V3\n]\n" + (world.cluster / "pub.pem").read_text()
                     + "\nadmin:\n")
    words = ["migrate", "to-tokens", world.list, "-o", world.out / "made", "--release", "10.5", *f.key(TWO), "--sast",
             world.cluster / f"{ONE}.pem", "--accept-lockout", "no-sbd"]
    before = f.logins
    run = world.ctlsign.refused(1, *words, env=f.env, says=["'show cert own CallManager'", "save it as PEM"])
    assert sha1_of(world.cluster / "pub.pem").replace(":", " ") in run.err and f.logins == before
    world.ctlsign.ok(*words, "--trust", saved, env=f.env)
    assert (world.out / "made" / "CTLFile.tlv").exists()


def test_one_token_lost_the_other_signs(world, fault):
    f = fault()
    world.list.write_bytes(world.make("tokens"))
    words = ["update", world.list, "--in-place", *f.key(ONE), "--remove", f"cn={TWO}"]
    run = world.ctlsign.refused(1, *words, env=f.env, says=["ctlsign export", "--trust CERT"])
    assert sha1_of(world.cluster / f"{TWO}.pem").replace(":", " ") in run.err
    # The certificate was exported when the token was still there.
    run = world.ctlsign.ok(*words, "--trust", world.cluster / f"{TWO}.pem", env=f.env)
    assert anchors(run) == ["anchor"]


def test_cucms_list_updated_by_a_token(world, fault):
    f = fault()
    rows = world.base("pub", TWO)
    world.list.write_bytes(peerwrite.assemble(rows, 0, world.cluster / "pub.key", timestamp=TIME))
    words = ["update", world.list, "--in-place", *f.key(TWO), "--remove", "role=CAPF"]
    world.ctlsign.refused(1, *words, env=f.env, says="'show cert own CallManager'")
    world.ctlsign.ok(*words, "--trust", world.cluster / "pub.pem", env=f.env)
    assert world.ctlsign.ok("verify", "--trust", world.cluster / f"{TWO}.pem", world.list)


def community_itl(world):
    rows = [world.fields(name, role, "rfc4514") for name, role in (("pub", "SAST"), ("capf", "CAPF"))]
    return peerwrite.assemble(rows, 0, world.cluster / "pub.key", filename="ITLFile.tlv", timestamp=TIME)


@pytest.mark.parametrize("cert", ["pub", "reissued"])
def test_a_community_itl_with_the_same_sast_key(world, cert):
    """Also where the certificate was reissued over that key: the key is what counts."""
    path = world.served / "ITLFile.tlv"
    path.write_bytes(community_itl(world))
    renewed = [] if cert == "pub" else ["--replace", f"#1={world.cluster}/reissued.pem", "--keep-old-sast"]
    world.ctlsign.ok("update", path, "--in-place", "-k", world.cluster / "pub.key", "--cert",
                     world.cluster / f"{cert}.pem", "--accept-lockout", "all", *renewed)
    assert world.ctlsign.ok("verify", "--trust", world.cluster / f"{cert}.pem", path)


def test_build_in_cron_over_its_own_unchanged_output(world):
    """No question, no new anchor, no copy, and not a word that cron would mail."""
    words = [*world.words(VERBS["build"]), "--reproducible", "--quiet"]
    env = {"SOURCE_DATE_EPOCH": TIME}
    world.ctlsign.ok(*words, env=env)
    data, names = world.list.read_bytes(), set(world.snapshot())
    run = world.ctlsign.ok(*words, env=env)
    assert run.out + run.err == "" and world.list.read_bytes() == data and set(world.snapshot()) == names
    # A change is news, and so is the answer to --json.
    assert json.loads(world.ctlsign.ok(*words, "--json", env=env).out)["records"] == 4
    assert "CTLFile.tlv: " in world.ctlsign.ok(*words[:-2], "--quiet", "--timestamp", TIME + 1).out


def test_extract_of_a_foreign_list(world):
    world.list.write_bytes(world.make("stranger"))
    run = world.ctlsign.ok("extract", world.list, "-o", world.out / "made", "--quiet")
    assert "not verified" in run.err
    manifest = world.out / "made" / "cluster.yaml"
    assert manifest.read_text().splitlines()[1].startswith("# not verified: ")
    # The comment is no obstacle: who has looked at the certificates builds from it.
    world.ctlsign.ok("build", "-m", manifest, "-o", world.out / "CTLFile.tlv", *world.words(KEY))


def test_the_cases_of_the_attack(world):
    """What phones with the genuine list would do with what a stranger has laundered: nothing is made of it."""
    world.list.write_bytes(world.make("stranger"))
    (world.admin / "genuine.tlv").write_bytes(world.make("honest"))
    run = world.ctlsign("accept", "--installed", world.admin / "genuine.tlv", "--no-tvs", world.list)
    assert run.out.startswith("refused: signer-unknown")
    world.ctlsign.refused(1, *world.words(VERBS["update"]))
    run = world.ctlsign("accept", "--installed", world.admin / "genuine.tlv", "--no-tvs", world.list)
    assert run.out.startswith("refused: signer-unknown")
