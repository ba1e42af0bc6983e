# SPDX-License-Identifier: Apache-2.0
"""plan: what a new list does to a cluster, and the steps in their order."""
import datetime
import json
import os
import re
import shutil
from dataclasses import dataclass, field

import peerwrite
import pytest
from conftest import DATA, make_certificate
from lists import PUB, SUB

PLANS = DATA / "plans"
NODES = {"pub": PUB, "sub1": SUB, "sub2": "10.48.47.155", "tftp": "10.48.47.156"}
TOKENS = {"t1": "SAST-ADN0054f509", "t2": "SAST-ADN008580ef"}
# What the tests need beyond the sample cluster: subject, key, serial number if it matters.
MADE = {
    "capf2": ("CAPF-0a1b2c3d", "rsa2048"),
    "sub1-renewed": ("cucm-1051-a-sub1", "rsa1024b"),
    "sub1-renamed": ("cucm-new-sub1", "rsa1024b"),
    "sub2": ("cucm-1051-a-sub2", "rsa1024"),
    "recovery": ("ITLRECOVERY_cucm-1051-a-pub", "rsa2048"),
    "recovery2": ("ITLRECOVERY_cucm-1051-a-pub", "rsa4096"),
    "recovery-mixed": ("ITLRecovery_cucm-1051-a-pub", "rsa2048"),
    "recovery-lower": ("itlrecovery_cucm-1051-a-pub", "rsa2048"),
    "tvs": ("cucm-1051-a-pub", "rsa1024"),
    "tvs2": ("cucm-1051-a-pub", "rsa2048"),
    "asa": ("asa-5500", "rsa1024"),
    # As CUCM names them: "-EC" behind the host name.
    "pub-ec": ("cucm-1051-a-pub-EC", "ec"),
    "pub-ec2": ("cucm-1051-a-pub-EC", "ec-b"),
    "sub1-ec": ("cucm-1051-a-sub1-EC", "ec"),
    "san": ("cucm-1051-a-pub-ms", "rsa2048"),
    "san-ec": ("cucm-1051-a-pub-EC-ms", "ec"),
    "hostile": ("<script>alert(1)</script>\x1b]0;owned\x07&\"'", "rsa1024"),
    "turning": ("evil\u202egpj.exe", "rsa1024"),
    # With keys that never change, so that whole plans have the same checksums every time.
    "golden-recovery": ("ITLRECOVERY_cucm-1051-a-pub", "SAST-ADN0054f509.key", 0x2001),
    "golden-recovery2": ("ITLRECOVERY_cucm-1051-a-pub", "pub-regenerated.key", 0x2002),
    "golden-tvs": ("cucm-1051-a-pub", "SAST-ADN008580ef.key", 0x2003),
    "golden-capf2": ("CAPF-0a1b2c3d", "pub-regenerated.key", 0x2004),
}


class World:
    """Certificates and lists of one test. Lists are written by the tests' own writer."""

    def __init__(self, run, cluster, keys, folder):
        self.run, self.cluster, self.keys, self.folder = run, cluster, keys, folder

    def pem(self, name, **kw):
        if name not in MADE:
            return self.cluster / f"{TOKENS.get(name, name)}.pem"
        path = self.folder / f"{name}.pem"
        if not path.exists():
            cn, kind, *serial = MADE[name]
            make_certificate(path, self.key_file(kind), [
                ("COUNTRY_NAME", "PL"), ("ORGANIZATION_NAME", "Cisco"), ("COMMON_NAME", cn)],
                serial=serial[0] if serial else 0x1000 + sorted(MADE).index(name), **kw)
        return path

    def key_file(self, kind):
        return self.cluster / kind if kind.endswith(".key") else self.keys[kind]

    def key(self, name):
        if name in MADE:
            return self.key_file(MADE[name][1])
        return self.cluster / f"{TOKENS.get(name, name)}.key"

    def row(self, word, style):
        """ROLE=certificate[@node]; a certificate of - is none: what non-secure mode leaves."""
        role, cert, node = re.fullmatch(r"([A-Z+-]+)=([a-z0-9-]+)(?:@(\S+))?", word).groups()
        node = node or (cert.split("-")[0] if cert.split("-")[0] in NODES else "pub")
        name, _, address = node.partition("/")
        address = address or NODES[name]
        name = {"pub": "cucm-1051-a-pub", "sub1": "cucm-1051-a-sub1",
                "sub2": "cucm-1051-a-sub2"}.get(name, name)
        if cert == "-":
            return [(2, peerwrite.text(name)), (4, peerwrite.u16(peerwrite.ROLES[role])),
                    (10, peerwrite.address_bytes(address))]
        return peerwrite.record_fields(peerwrite.load(self.pem(cert)), role, style, name, address,
                                       token=cert in TOKENS)

    def make(self, file, spec, **kw):
        """spec: words as above, the signer's ends in !"""
        words = spec.split()
        signer = next(i for i, word in enumerate(words) if word.endswith("!"))
        words[signer] = words[signer][:-1]
        style = kw.pop("style", "cucm")
        kw.setdefault("filename", "ITLFile.tlv" if file.startswith("itl") else "CTLFile.tlv")
        key = self.key(re.split("[=@]", words[signer])[1])
        path = self.folder / file
        path.write_bytes(peerwrite.assemble([self.row(w, style) for w in words], signer, key, **kw))
        return path

    def trust(self, *names):
        folder = self.folder / "trust"
        folder.mkdir(exist_ok=True)
        for name in names:
            shutil.copy(self.pem(name), folder)
        return ["--sast-trust", "trust"]

    def plan(self, old, new, *options, status=None):
        run = self.run("plan", old.name, new.name, *options, cwd=self.folder)
        assert run.status in ((0, 1) if status is None else (status,)), str(run)
        assert run.err == "", str(run)
        return run

    def json(self, old, new, *options, status=None):
        return json.loads(self.plan(old, new, *options, "--json", status=status).out)


@pytest.fixture
def world(ctlsign, cluster, keys, tmp_path):
    return World(ctlsign, cluster, keys, tmp_path)


# The lists of a cluster: tokenless as 10.5 and as 12.5 have it, and with tokens.
OLD_10 = "SAST=pub! CCM+TFTP=pub CAPF=capf CCM+TFTP=sub1"
OLD_12 = "SAST=recovery! SAST=pub CCM+TFTP=pub CAPF=capf CCM+TFTP=sub1"
TOKENED = "SAST=t1! CCM+TFTP=pub CAPF=capf CCM+TFTP=sub1 SAST=t2"
OLD_ITL = "SAST=recovery! SAST=pub CCM+TFTP=pub TVS=tvs CAPF=capf"
ITL_11 = "SAST=pub! SAST=recovery CCM+TFTP=pub TVS=tvs CAPF=capf"
PUB_LABEL, SUB_LABEL = f"cucm-1051-a-pub ({PUB})", f"cucm-1051-a-sub1 ({SUB})"
CALLMANAGER, TFTP = "Cisco CallManager", "Cisco Tftp"
TVS, CAPF = "Cisco Trust Verification Service", "Cisco Certificate Authority Proxy Function"
EXPORT = "file get tftp ITLRecovery.p12"
CTI, HAPROXY = "Cisco CTIManager", "Cisco HAProxy"
LIST_CHANGED = [TFTP, CALLMANAGER]  # 118893
CALLMANAGER_RENEWED = [CALLMANAGER, CTI, TVS, TFTP, HAPROXY]  # 214231


RENEWED = dict(timestamp=1426000060)  # of lists that were signed later


@dataclass
class Case:
    """One row of the vendor's tables: what changes, and what follows."""
    old: str
    new: str
    impacts: list  # (kind, event, what it happened to, impact)
    restarts: list  # services in their order
    release: str = "12.5"
    file: str = ""  # "itl-": both lists are ITLs
    trust: tuple = ()
    status: int = 0
    steps: list = field(default_factory=list)  # codes that must be among the steps, in this order
    without: tuple = ()  # codes that must not
    warnings: tuple = ()
    says: tuple = ()  # sentences of the text


CASES = {
    "callmanager-of-the-publisher": Case(
        OLD_12, OLD_12.replace("=pub", "=pub-regenerated@pub"),
        [("callmanager", "renewed", [PUB_LABEL], "high")],
        CALLMANAGER_RENEWED,
        steps=["backup", "registration", "replication", "rollback-parameter", "groups", "licence",
               "check-old", "regenerate", "write", "restart", "reset", "check", "registered",
               "applications", "unity-connection", "peers", "backup-after", "way-back", "recover"],
        without=("lsc", "clear", "upload", "delete", "revoke", "make-way-back", "publish"),
        says=("reset its port groups", "Expressway, SIP trunks, SRST and EMCC",
              "Restore the DRS backup that was made before the change [214231]")),
    "callmanager-signs": Case(
        OLD_10, OLD_10.replace("=pub", "=pub-regenerated@pub"),
        [("callmanager", "renewed", [PUB_LABEL], "high")],
        CALLMANAGER_RENEWED,
        release="10.5", status=1, trust=("pub-regenerated",),
        steps=["check-old", "regenerate", "write", "restart", "reset", "clear", "check", "way-back"],
        without=("upload", "make-way-back", "publish", "licence"),
        warnings=("anchors-change", "lone-sast"),
        says=("Phones will be locked out, except those for which TVS knows the new signer",
              "CallManager of the publisher signs this list", "the old key is gone")),
    "callmanager-signs-and-is-its-own": Case(
        OLD_10, OLD_10.replace("=pub", "=pub-regenerated@pub"),
        [("callmanager", "renewed", [PUB_LABEL], "high")],
        CALLMANAGER_RENEWED,
        release="10.5", status=1, steps=["write", "clear"],
        says=("The signer's certificate is the cluster's own.",)),
    "callmanager-of-a-subscriber": Case(
        OLD_12, OLD_12.replace("=sub1", "=sub1-renewed@sub1"),
        [("callmanager", "renewed", [SUB_LABEL], "high")],
        CALLMANAGER_RENEWED),
    "capf": Case(
        OLD_12, OLD_12.replace("=capf", "=capf2"),
        [("capf", "renewed", [PUB_LABEL], "high")], [CAPF, TVS, TFTP],
        steps=["check-old", "profiles", "regenerate", "write", "restart", "reset", "lsc", "check",
               "peers", "backup-after", "way-back"],
        says=("Phones with an LSC are reset once more", "record 4 renewed: CAPF cucm-1051-a-pub 10.48.47.153 (CAPF-0a1b2c3d)",
              "Then reset these phones once more", "802.1X and RADIUS, ASA and VPN servers")),
    "tvs": Case(
        OLD_ITL, OLD_ITL.replace("=tvs", "=tvs2"), [("tvs", "renewed", [PUB_LABEL], "medium")],
        [TVS, TFTP], file="itl-",
        steps=["check-old", "regenerate", "restart", "restart", "reset", "check", "unity-connection"],
        without=("applications", "delete", "upload", "publish", "write", "licence"),
        says=("show itl", "first on the publisher, then on the subscribers",
              "Every ITL holds all TVS certificates, so all phones are reset")),
    "itlrecovery": Case(
        OLD_12, OLD_12.replace("=recovery", "=recovery2"),
        [("itlrecovery", "renewed", [PUB_LABEL], "high")], [CALLMANAGER, CTI, TVS, TFTP], status=1,
        steps=["check-old", "regenerate", "write", "restart", "restart", "reset", "check",
               "write", "restart", "restart", "reset", "check", "applications", "sso", "way-back"],
        without=("publish", "make-way-back", "clear"),
        says=("Phase 1 of 2: Let CUCM write a CTL that CallManager signs",
              "admin: utils ctl reset localkey",
              "Phones take it: old and new list share the CallManager certificate as SAST",
              "Phase 2 of 2: Let CUCM write the CTL that ITLRecovery signs",
              "admin: utils ctl update CTLFile", "All phones are reset twice",
              "REFUSED, if published at once: ITLRecovery is renewed in two phases")),
    "itlrecovery-without-spare": Case(
        OLD_12.replace(" SAST=pub", ""), OLD_12.replace(" SAST=pub", "").replace("=recovery", "=recovery2"),
        [("itlrecovery", "renewed", [PUB_LABEL], "high")], [CALLMANAGER, CTI, TVS, TFTP], status=1,
        steps=["write", "reset", "write", "reset", "clear"],
        says=("DANGER: Old and new list share no CallManager certificate as SAST",)),
    "itlrecovery-before-12": Case(
        OLD_12.replace("recovery!", "recovery").replace("SAST=pub", "SAST=pub!", 1),
        OLD_12.replace("recovery!", "recovery2").replace("SAST=pub", "SAST=pub!", 1),
        [("itlrecovery", "renewed", [PUB_LABEL], "high")], [TVS, TFTP], release="11.5",
        steps=["regenerate", "write", "restart", "restart", "reset", "check"],
        says=("CallManager of the publisher signs this list", "All phones are reset once",
              "admin: utils ctl update CTLFile")),
    "itlrecovery-of-a-token-list": Case(
        TOKENED + " SAST=recovery SAST=pub", TOKENED + " SAST=recovery2 SAST=pub",
        [("itlrecovery", "renewed", [PUB_LABEL], "high")], [TVS, TFTP], steps=["publish"],
        without=("write",)),
    "itlrecovery-in-the-itl": Case(
        OLD_ITL, OLD_ITL.replace("=recovery", "=recovery2"),
        [("itlrecovery", "renewed", [PUB_LABEL], "high")], [TFTP], file="itl-",
        steps=["check-old", "regenerate", "write", "show", "reset", "check", "restart", "reset",
               "check", "sso", "way-back"],
        without=("licence", "publish", "clear", "applications"),
        says=("admin: utils itl reset localkey", "Never restart TFTP before the first reset",
              "assumed: The cluster has no CTL")),
    "itlrecovery-in-the-itl-without-spare": Case(
        OLD_ITL.replace(" SAST=pub", ""), OLD_ITL.replace(" SAST=pub", "").replace("=recovery", "=recovery2"),
        [("itlrecovery", "renewed", [PUB_LABEL], "high")], [TFTP], file="itl-",
        steps=["write", "reset", "restart", "reset"],
        says=("DANGER: Old and new list share no CallManager certificate as SAST. Phones take this list only if TVS "
              "knows the signer.",)),
    "itlrecovery-in-the-itl-before-12": Case(
        OLD_ITL.replace("recovery!", "recovery").replace("SAST=pub", "SAST=pub!"),
        OLD_ITL.replace("recovery!", "recovery2").replace("SAST=pub", "SAST=pub!"),
        [("itlrecovery", "renewed", [PUB_LABEL], "high")], [TVS, TFTP], file="itl-", release="11.5",
        steps=["regenerate", "restart", "restart", "reset", "check"], without=("write", "licence")),
    "callmanager-and-itlrecovery": Case(
        OLD_12, OLD_12.replace("=pub", "=pub-regenerated@pub").replace("=recovery", "=recovery2"),
        [("callmanager", "renewed", [PUB_LABEL], "high"),
         ("itlrecovery", "renewed", [PUB_LABEL], "high")],
        [CALLMANAGER, CTI, CALLMANAGER, CTI, TVS, TFTP, HAPROXY], status=1,
        steps=["regenerate", "regenerate", "write", "reset", "check", "write", "reset", "clear"],
        warnings=("anchors-change", "renewed-in-one-go"),
        says=("DANGER: CallManager and ITLRecovery are renewed together",
              "DANGER: Old and new list share no CallManager certificate as SAST. Phones without "
              "Security by Default refuse this list")),
    "callmanager-and-tvs": Case(
        ITL_11, ITL_11.replace("=pub", "=pub-regenerated@pub").replace("=tvs", "=tvs2"),
        [("callmanager", "renewed", [PUB_LABEL], "high"), ("tvs", "renewed", [PUB_LABEL], "medium")],
        CALLMANAGER_RENEWED, file="itl-", release="11.5", status=1, steps=["reset", "clear"],
        warnings=("renewed-in-one-go",),
        says=("CallManager and TVS are renewed together, and CallManager signs the ITL",
              "it can ask nobody about the new CallManager")),
    "callmanager-and-tvs-from-12": Case(
        OLD_ITL, OLD_ITL.replace("=pub", "=pub-regenerated@pub").replace("=tvs", "=tvs2"),
        [("callmanager", "renewed", [PUB_LABEL], "high"), ("tvs", "renewed", [PUB_LABEL], "medium")],
        CALLMANAGER_RENEWED, file="itl-", without=("clear",), warnings=("renewed-together",)),
    "itlrecovery-and-tvs": Case(
        OLD_ITL, OLD_ITL.replace("=recovery", "=recovery2").replace("=tvs", "=tvs2"),
        [("itlrecovery", "renewed", [PUB_LABEL], "high"), ("tvs", "renewed", [PUB_LABEL], "medium")],
        [TVS, TFTP], file="itl-", status=1, steps=["write", "reset", "restart", "reset", "clear"],
        warnings=("renewed-in-one-go",),
        says=("ITLRecovery and TVS are renewed together, and ITLRecovery signs the ITL",
              "REFUSED by phones with Security by Default")),
    "itlrecovery-and-an-old-spare": Case(
        OLD_12, OLD_12.replace("=pub", "=pub-regenerated@pub").replace("=recovery", "=recovery2") + " SAST=pub",
        [("anchor", "added", [PUB_LABEL], "low"), ("callmanager", "renewed", [PUB_LABEL], "high"),
         ("itlrecovery", "renewed", [PUB_LABEL], "high")],
        [CALLMANAGER, CTI, CALLMANAGER, CTI, TVS, TFTP, HAPROXY], status=1,
        steps=["write", "reset", "write", "reset", "clear"],
        says=("DANGER: Old and new list share no CallManager certificate as SAST. Phones without "
              "Security by Default refuse this list",)),
    "node-added": Case(
        OLD_12, OLD_12 + " CCM+TFTP=sub2",
        [("node", "added", ["cucm-1051-a-sub2 (10.48.47.155)"], "medium")], LIST_CHANGED),
    "tftp-server-added": Case(
        OLD_12, OLD_12 + " TFTP=sub2@tftp", [("node", "added", ["tftp (10.48.47.156)"], "medium")],
        LIST_CHANGED),
    "firewall-added": Case(
        OLD_12, OLD_12 + " APP-SERVER=asa@tftp",
        [("app-server", "added", ["tftp (10.48.47.156)"], "low")], LIST_CHANGED),
    "node-removed": Case(
        OLD_12, OLD_12.replace(" CCM+TFTP=sub1", ""), [("node", "removed", [SUB_LABEL], "high")],
        LIST_CHANGED, says=("Move its phones to another node before",)),
    "node-renamed": Case(
        OLD_12, OLD_12.replace("=sub1", f"=sub1-renamed@cucm-new-sub1/{SUB}"),
        [("callmanager", "renewed", [f"cucm-new-sub1 ({SUB})"], "high"),
         ("node", "renamed", [f"{SUB_LABEL} -> cucm-new-sub1 ({SUB})"], "high")],
        CALLMANAGER_RENEWED),
    "node-renamed-alone": Case(
        OLD_12, OLD_12.replace("=sub1", f"=sub1@cucm-new-sub1/{SUB}"),
        [("node", "renamed", [f"{SUB_LABEL} -> cucm-new-sub1 ({SUB})"], "high")], LIST_CHANGED),
    "node-re-addressed": Case(
        OLD_12, OLD_12.replace("=sub1", "=sub1@sub1/10.48.47.199"),
        [("node", "re-addressed", [f"{SUB_LABEL} -> cucm-1051-a-sub1 (10.48.47.199)"], "high")],
        LIST_CHANGED, says=("option 150",)),
    "publisher-re-addressed": Case(
        OLD_12, OLD_12.replace("=pub", "=pub@pub/10.0.0.1").replace("=capf", "=capf@pub/10.0.0.1"),
        [("node", "re-addressed", [f"{PUB_LABEL} -> cucm-1051-a-pub (10.0.0.1)"], "high")],
        LIST_CHANGED),
    "token-added": Case(
        TOKENED.replace(" SAST=t2", ""), TOKENED, [("token", "added", [TOKENS["t2"]], "low")],
        LIST_CHANGED, release="10.5", steps=["check-old", "upload", "publish"], without=("revoke",),
        says=(f"The certificate of {TOKENS['t2']}", "Phone-SAST-trust", "OS Administration")),
    "token-lost": Case(
        TOKENED, TOKENED.replace("SAST=t1! ", "").replace("=t2", "=t2!"),
        [("token", "removed", [TOKENS["t1"]], "high")], LIST_CHANGED, release="10.5",
        steps=["make-way-back", "publish", "restart", "check", "revoke", "way-back"],
        without=("clear", "delete", "upload"), warnings=("lone-sast", "one-token"),
        says=("Removing a record revokes nothing", "Rotate both", "never go back to a list with")),
    "all-tokens-lost": Case(
        TOKENED, OLD_10,
        [("anchor", "added", [PUB_LABEL], "low"),
         ("token", "removed", [TOKENS["t1"], TOKENS["t2"]], "high")],
        LIST_CHANGED, release="10.5", status=1, trust=("pub",),
        steps=["write", "reset", "clear", "check", "revoke"], without=("make-way-back", "publish"),
        warnings=("anchors-change",),
        says=("share no anchor (SAST key). Phones will be locked out",
              "No phone may be left with an older list")),
    "all-tokens-lost-11.5": Case(
        TOKENED + " SAST=recovery SAST=pub", OLD_12.replace("recovery!", "recovery").replace(
            "SAST=pub", "SAST=pub!", 1),
        [("token", "removed", [TOKENS["t1"], TOKENS["t2"]], "high")], LIST_CHANGED, release="11.5",
        steps=["write"], without=("clear",)),
    "tokenless-to-tokens": Case(
        OLD_10, TOKENED,
        [("anchor", "removed", [PUB_LABEL], "high"),
         ("token", "added", [TOKENS["t1"], TOKENS["t2"]], "low")],
        LIST_CHANGED, release="10.5", status=1, trust=("t1", "t2"),
        steps=["check-old", "make-way-back", "upload", "delete", "publish", "restart", "restart",
               "reset", "clear", "check", "applications", "way-back"],
        says=("admin: file delete tftp CTLFile.tlv", "Delete the present CTL, on the publisher [118892, 118893]",
              f"Then restart TVS on every node, so that it knows them: [213407, SG-CTL] admin: utils service restart {TVS}",
              "The certificate of SAST-ADN0054f509, in trust",
              "7940, 7960, Jabber", "Expect them to refuse this list")),
    "mixed-to-non-secure": Case(
        OLD_12, "SAST=recovery! SAST=pub CCM+TFTP=-@pub CAPF=capf CCM+TFTP=-@sub1",
        [("callmanager", "emptied", [PUB_LABEL, SUB_LABEL], "high")], LIST_CHANGED,
        warnings=("unsigned-configuration",), says=("utils ctl set-cluster non-secure-mode",)),
    "non-secure-to-mixed": Case(
        "SAST=recovery! SAST=pub CCM+TFTP=-@pub CAPF=capf CCM+TFTP=-@sub1", OLD_12,
        [("callmanager", "refilled", [PUB_LABEL, SUB_LABEL], "high")], LIST_CHANGED,
        says=("utils ctl set-cluster mixed-mode", "put back (mixed mode)")),
    "anchor-added": Case(
        OLD_10, OLD_10 + " SAST=recovery", [("itlrecovery", "added", [PUB_LABEL], "low")],
        LIST_CHANGED, release="10.5(2)"),
}


def restarted(plan):
    """The services of the restart steps, in their order."""
    return [line["text"].removeprefix("utils service restart ") for step in plan["steps"]
            if step["code"] == "restart" for line in step["lines"] if line["kind"] == "command"]


def in_order(wanted, got):
    rest = iter(got)
    return all(code in rest for code in wanted)


@pytest.mark.parametrize("name", CASES)
def test_rows_of_the_tables(world, name):
    case = CASES[name]
    options = ["--release", case.release, *(world.trust(*case.trust) if case.trust else [])]
    old = world.make(f"{case.file}old.tlv", case.old)
    new = world.make(f"{case.file}new.tlv", case.new, timestamp=1426000060)
    text = world.plan(old, new, *options, status=case.status)
    plan = world.json(old, new, *options, status=case.status)
    assert sorted((i["kind"], i["event"], i["what"], i["impact"]) for i in plan["impacts"]) == \
        sorted(case.impacts), text
    assert restarted(plan) == case.restarts, str(text)
    codes = [step["code"] for step in plan["steps"]]
    assert in_order(case.steps, codes), (codes, str(text))
    assert not set(case.without) & set(codes), (codes, str(text))
    assert set(case.warnings) <= {w["code"] for w in plan["warnings"]}, str(text)
    words = " ".join(text.out.split())
    for sentence in case.says:
        assert sentence in words, f"does not say {sentence!r}\n{text}"
    assert plan["accepted"] == (case.status == 0)
    assert plan["resets"] == codes.count("reset")
    assert (text.last_line.startswith("REFUSED")) == (case.status == 1)


def test_every_rule_s_kind_of_certificate_was_tried():
    tried = {kind for case in CASES.values() for kind, *_ in case.impacts}
    assert tried == {"node", "callmanager", "capf", "tvs", "itlrecovery", "token", "anchor",
                     "app-server"}


# The steps ------------------------------------------------------------------------------------


def test_numbers_leave_out_what_no_source_knows(world):
    """How an outside-made file gets there is said, and is no numbered step."""
    old = world.make("old.tlv", OLD_12)
    new = world.make("new.tlv", OLD_12 + " CCM+TFTP=sub2", style="rfc4514")
    plan = world.json(old, new, "--release", "12.5")
    publish = next(s for s in plan["steps"] if s["code"] == "publish")
    assert publish["open"] is True and publish["number"] is None
    assert any("No source says" in line["text"] and line["kind"] == "assumed" and
               line["sources"] == ["open"] for line in publish["lines"])
    numbers = [s["number"] for s in plan["steps"] if not s["open"]]
    assert numbers == list(range(1, len(numbers) + 1))
    assert [line["text"] for line in publish["lines"] if line["code"] == "node"] == [
        "cucm-1051-a-pub", "cucm-1051-a-sub1", "cucm-1051-a-sub2"]
    text = world.plan(old, new, "--release", "12.5").out
    assert re.search(r"^   \?\. Put new\.tlv on every TFTP node", text, re.M)
    assert "'utils ctl ...' and a refresh upgrade write CUCM's own list" in text


def test_both_checksums_of_both_lists(world):
    import hashlib
    old = world.make("old.tlv", OLD_12)
    new = world.make("new.tlv", OLD_12 + " CCM+TFTP=sub2", style="rfc4514")
    plan = world.json(old, new, "--release", "12.5")
    for path, code in ((old, "check-old"), (new, "publish"), (new, "check")):
        data = path.read_bytes()
        step = next(s for s in plan["steps"] if s["code"] == code)
        assert [line["text"] for line in step["lines"] if line["kind"] == "checksum"] == [
            f"{hashlib.md5(data).hexdigest()} (MD5)", f"{hashlib.sha1(data).hexdigest()} (SHA1)"]
    for word, path in (("old", old), ("new", new)):
        data = path.read_bytes()
        assert plan["lists"][word]["md5"] == hashlib.md5(data).hexdigest()
        assert plan["lists"][word]["sha1"] == hashlib.sha1(data).hexdigest()
        assert plan["lists"][word]["size"] == len(data)


def test_the_same_list_needs_no_step(world):
    old = world.make("old.tlv", OLD_12)
    plan = world.json(old, old, status=0)
    assert plan["steps"] == [] and plan["impacts"] == [] and plan["changes"]["same"] is True
    assert plan["summary"] == "Nothing to do: both lists are the same, byte for byte"


def test_signed_again_is_served_anew(world):
    old = world.make("old.tlv", OLD_12)
    new = world.make("new.tlv", OLD_12, timestamp=1426000060)
    plan = world.json(old, new, status=0)
    assert plan["impacts"] == [] and restarted(plan) == [TFTP]


def test_nodes_of_a_token_list_have_their_host_names(world):
    """The CTL Client writes addresses; the certificates know the names."""
    old = world.make("old.tlv", TOKENED, style="ctl-client")
    new = world.make("new.tlv", TOKENED + " CCM+TFTP=sub2", style="ctl-client")
    plan = world.json(old, new, "--release", "10.5", status=0)
    assert plan["impacts"][0]["what"] == ["cucm-1051-a-sub2 (10.48.47.155)"]
    moved = world.make("moved.tlv", TOKENED.replace("=sub1", "=sub1@sub1/10.48.47.199"),
                       style="ctl-client")
    plan = world.json(old, moved, "--release", "10.5", status=0)
    assert [(i["kind"], i["event"]) for i in plan["impacts"]] == [("node", "re-addressed")]


def test_the_dialect_of_an_anchor_counts(world):
    """The same key under another spelling is none that phones would find."""
    old = world.make("old.tlv", TOKENED.replace("=t1!", "=t1!"), style="cucm")
    new = world.make("new.tlv", TOKENED, style="ctl-client")
    plan = world.json(old, new, "--release", "10.5", status=1)
    assert {a["fate"] for a in plan["anchors"]} == {"respelled"}
    assert {"anchor-respelled", "anchors-change"} <= {w["code"] for w in plan["warnings"]}


# Phones and statuses ----------------------------------------------------------------------------


def verdicts(plan):
    return {(v["class"], v["holds"], v["offered"]): (v["reason"], v["on_the_way"])
            for v in plan["phones"]}


def test_what_each_kind_of_phone_does(world):
    old, new = world.make("old.tlv", OLD_10), world.make("new.tlv", TOKENED, style="ctl-client")
    plan = world.json(old, new, "--release", "10.5", *world.trust("t1", "t2"), status=1)
    assert verdicts(plan) == {
        ("sbd", "old", "new"): ("tvs", True), ("no-sbd", "old", "new"): ("signer-unknown", True),
        ("sbd", "nothing", "new"): ("leap-of-faith", True),
        ("no-sbd", "nothing", "new"): ("leap-of-faith", True),
        ("sbd", "new", "old"): ("tvs", False),  # CallManager is the cluster's own still
        ("no-sbd", "new", "old"): ("signer-not-sast", False)}
    assert plan["phones"][0]["assumptions"] == ["itl-has-tvs-record", "tvs-certificate-kept", "tvs-serves-new-list"]
    assert {a["code"] for a in plan["assumptions"]} == {
        "phones-hold-old", "itl-has-tvs-record", "tvs-certificate-kept", "signer-is-own", "tvs-serves-new-list",
        "sast-trust"}
    plan = world.json(old, new, "--release", "10.5", "--tvs-ctl", "none", "--sast-trust", "trust",
                      status=1)
    assert verdicts(plan)["sbd", "old", "new"][0] == "signer-unknown"


@pytest.mark.parametrize("words, status", [
    ([], 1), (["--accept-lockout", "no-sbd"], 0), (["--accept-lockout", "sbd"], 1),
    (["--accept-lockout", "all"], 0)])
def test_the_status_says_whether_phones_are_lost(world, words, status):
    old, new = world.make("old.tlv", OLD_10), world.make("new.tlv", TOKENED)
    run = world.plan(old, new, "--release", "10.5", *world.trust("t1", "t2"), *words, status=status)
    assert run.last_line == "REFUSED by phones without Security by Default"


def test_a_refused_plan_makes_its_page_too(world):
    old, new = world.make("old.tlv", OLD_10), world.make("new.tlv", TOKENED)
    words = ["plan", old, new, "--release", "10.5", *world.trust("t1", "t2"), "--html", "plan.html"]
    run = world.run(*words, cwd=world.folder)
    assert run.status == 1 and "Steps" in run.out and run.err == ""
    page = (world.folder / "plan.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "<title>REFUSED. Plan: " in page and '<h1 class="bad">REFUSED. Plan: ' in page
    assert world.run(*words, "--accept-lockout", "no-sbd", cwd=world.folder).status == 0


def test_a_page_that_cannot_be_written(world):
    old = world.make("old.tlv", OLD_12)
    world.run.refused(9, "plan", old, old, "--html", "/nonexistent/plan.html")


def test_the_release_is_derived_or_asked_for(world):
    old, new = world.make("old.tlv", OLD_10), world.make("new.tlv", OLD_10 + " CCM+TFTP=sub2")
    assert world.json(old, new)["release"] == "10.0(1)"
    token = world.make("token.tlv", TOKENED)
    world.run.refused(2, "plan", token, token, says="--release")
    world.run.refused(2, "plan", old, new, "--release", "8.6", says="8.6")
    assert world.json(token, token, "--release", "14SU3")["release"] == "14SU3"


def test_lists_of_two_kinds_are_refused(world):
    old, new = world.make("old.tlv", OLD_12), world.make("itl-new.tlv", OLD_ITL)
    world.run.refused(2, "plan", old, new, "--release", "12.5", says=("a CTL", "an ITL"))


@pytest.mark.parametrize("which", [0, 1])
def test_damaged_or_missing(world, which):
    good, bad = world.make("old.tlv", OLD_12), world.folder / "bad.tlv"
    for content in (None, b"", b"hello, world", good.read_bytes()[:1500]):
        if content is not None:
            bad.write_bytes(content)
        pair = (bad, good) if which == 0 else (good, bad)
        world.run.refused(3, "plan", *pair, "--release", "12.5", says="bad.tlv")


# Warnings ---------------------------------------------------------------------------------------


def codes(plan):
    return {w["code"]: (w["kind"], w["text"]) for w in plan["warnings"]}


def test_time_and_digest_go_back(world):
    old = world.make("old.tlv", OLD_12, digest="sha256")
    new = world.make("new.tlv", OLD_12, timestamp=1400000000)
    said = codes(world.json(old, new))
    assert "2014-05-13T16:53:20Z" in said["older-timestamp"][1]
    assert said["weaker-digest"][1].endswith("sha1 after sha256.")
    assert not {"older-timestamp", "weaker-digest"} & set(codes(world.json(new, old)))


def test_expired_and_expiring(world):
    now = datetime.datetime.utcnow()
    soon, past = now + datetime.timedelta(days=30), now - datetime.timedelta(days=30)
    world.pem("capf2", not_after=past)
    world.pem("sub2", not_after=soon)
    world.pem("asa", not_before=soon)
    old = world.make("old.tlv", OLD_12)
    new = world.make("new.tlv", OLD_12.replace("=capf", "=capf2") + " CCM+TFTP=sub2 APP-SERVER=asa")
    plan = world.json(old, new, status=0)
    texts = [w["text"] for w in plan["warnings"] if w["code"] in ("expired", "expiring")]
    assert len(texts) == 3
    assert texts[0].startswith("Record 4, CAPF CAPF-0a1b2c3d: the certificate expired on")
    assert texts[1].startswith("Record 6, CCM+TFTP cucm-1051-a-sub2: the certificate expires on")
    assert texts[2].startswith("Record 7, APP-SERVER asa-5500: the certificate is not valid before")
    assert all("Phones are not known to look" in text for text in texts)


def test_too_large(world):
    old = world.make("old.tlv", OLD_12)
    words = " ".join(f"CCM+TFTP=sub2@n{i}/10.9.0.{i}" for i in range(80))
    new = world.make("new.tlv", f"{OLD_12} {words}")
    assert new.stat().st_size > 65536
    plan = world.json(old, new, status=1)
    assert codes(plan)["too-large"][0] == "danger"
    assert {v[0] for k, v in verdicts(plan).items() if k[2] == "new"} == {"too-large"}
    assert "clear" not in [s["code"] for s in plan["steps"]]
    added = next(i for i in plan["impacts"] if i["kind"] == "node")
    assert len(added["what"]) == 64


def test_bad_signatures(world):
    flip = {"corrupt": lambda s: s[:-1] + bytes([s[-1] ^ 1])}
    good = world.make("good.tlv", OLD_12)
    bad = world.make("bad.tlv", OLD_12 + " CCM+TFTP=sub2", **flip)
    plan = world.json(good, bad, status=1)
    assert codes(plan)["bad-signature"][0] == "danger"
    assert verdicts(plan)["no-sbd", "old", "new"][0] == "bad-signature"
    assert codes(world.json(bad, good, status=0))["old-bad-signature"][0] == "danger"


def test_what_the_release_expects(world):
    tokens, old = world.make("tokens.tlv", TOKENED), world.make("old.tlv", OLD_12)
    plan = world.json(tokens, tokens, "--release", "11.5", status=0)
    assert "token-anchors-missing" in codes(plan)
    said = codes(world.json(tokens, tokens, "--release", "14SU3", status=0))
    assert {"tokens-not-driven", "itlrecovery-missing"} <= set(said)
    whole = world.make("whole.tlv", TOKENED + " SAST=recovery SAST=pub")
    said = codes(world.json(whole, whole, "--release", "12.5", status=0))
    assert not {"tokens-not-driven", "itlrecovery-missing", "token-anchors-missing"} & set(said)
    assert "itlrecovery-missing" not in codes(world.json(old, old, "--release", "12.5", status=0))


@pytest.mark.parametrize("name", ["recovery", "recovery-mixed", "recovery-lower"])
def test_every_spelling_of_itlrecovery(world, name):
    """CUCM writes ITLRECOVERY_, its documents ITLRecovery_: both tell a list of 12.0."""
    old = world.make("old.tlv", OLD_12.replace("=recovery", f"={name}"))
    plan = world.json(old, old, status=0)
    assert plan["release"] == "12.0(1)"
    assert "itlrecovery-missing" not in codes(plan)


def test_a_small_itlrecovery_beside_large_servers(world):
    """The command that lets ITLRecovery sign for locked phones fails then (117598)."""
    old = world.make("old.tlv", OLD_12)
    new = world.make("new.tlv", "SAST=golden-recovery! SAST=pub-regenerated@pub "
                     "CCM+TFTP=pub-regenerated@pub")
    said = codes(world.json(old, new, "--release", "12.5", status=1))
    assert "has 1024 bits, a server's certificate has 2048" in said["small-itlrecovery"][1]
    for spec in (OLD_12, "SAST=golden-recovery! SAST=pub CCM+TFTP=pub"):
        same = world.make("same.tlv", spec)
        assert "small-itlrecovery" not in codes(world.json(same, same, "--release", "12.5"))


def test_phones_that_cannot_read_sha512(world):
    old, new = world.make("old.tlv", OLD_12), world.make("new.tlv", OLD_12, digest="sha512")
    said = codes(world.json(old, new, "--release", "12.5"))
    assert "do not support it" in said["sha512"][1] and "sha512" not in codes(world.json(new, old))


def test_more_than_two_sast_records_for_other_pbxs(world):
    """The community's phones look at two; CUCM's own lists of tokens have four."""
    spec = TOKENED + " SAST=recovery SAST=pub"
    for style, warned in (("rfc4514", True), ("cucm", False), ("ctl-client", False)):
        one = world.make("one.tlv", spec, style=style)
        plan = world.json(one, one, "--release", "12.5")
        assert ("many-sast" in codes(plan)) == warned, style
    two = world.make("two.tlv", OLD_12, style="rfc4514")
    assert "many-sast" not in codes(world.json(two, two, "--release", "12.5"))


@pytest.mark.parametrize("release, code", [
    ("12.5", None), ("14", "tokens-unsupported"), ("14SU2", "tokens-unsupported"),
    ("14SU3", "tokens-not-driven"), ("15", "tokens-not-driven")])
def test_tokens_by_release(world, release, code):
    whole = world.make("whole.tlv", TOKENED + " SAST=recovery SAST=pub")
    said = set(codes(world.json(whole, whole, "--release", release, status=0)))
    assert said & {"tokens-unsupported", "tokens-not-driven"} == ({code} if code else set())


# Sources ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_each_step_has_its_source(world, name):
    """Every step and impact names a document or is open; what is open is an assumption."""
    case = CASES[name]
    options = ["--release", case.release, *(world.trust(*case.trust) if case.trust else [])]
    old = world.make(f"{case.file}old.tlv", case.old)
    new = world.make(f"{case.file}new.tlv", case.new, timestamp=1426000060)
    plan = world.json(old, new, *options)
    text = world.plan(old, new, *options).out
    for part in plan["steps"] + plan["impacts"]:
        assert part["sources"], part
    tags = set()
    for step in plan["steps"]:
        assert step["open"] == ("open" in step["sources"])
        for line in step["lines"] + [step]:
            tags |= set(line["sources"])
            if "open" in line["sources"] and line is not step:
                assert line["kind"] == "assumed", line
    for tag in tags:
        assert re.search(rf"^  \[{re.escape(tag)}\] \S", text, re.M), f"{tag} is in no legend"


def test_callmanager_and_tvs_renewed_together(world):
    """The vendor's classic lock-out: phones believe no TVS whose certificate their ITL lacks."""
    for file in ("ITLFile-1.tlv", "ITLFile-2.tlv"):
        shutil.copy(DATA / "renewed-together" / file, world.folder)
    (world.folder / "held").mkdir()
    shutil.copy(DATA / "renewed-together" / "cm2.pem", world.folder / "held")
    old, new = world.folder / "ITLFile-1.tlv", world.folder / "ITLFile-2.tlv"
    for more in ([], ["--sast-trust", "held"]):
        plan = world.json(old, new, "--release", "11.5", *more, status=1)
        assert plan["summary"] == "REFUSED by phones with Security by Default"
        assert verdicts(plan)["sbd", "old", "new"] == ("signer-unknown", True)
        assert codes(plan)["renewed-in-one-go"][0] == "danger"
    words = " ".join(world.plan(old, new, "--release", "11.5", status=1).out.split())
    assert "Phones with Security by Default that hold the old list REFUSE the new list" in words
    assert "none of the certificates that TVS has today is a TVS record of the installed ITL" in words
    assert "CallManager and TVS are renewed together" in words


def test_one_of_two_tvs_renewed_with_callmanager(world):
    """Phones of the other node's CallManager group can still ask; the plan says whose."""
    itl = "SAST=pub! CCM+TFTP=pub TVS=tvs TVS=golden-tvs@sub1 CAPF=capf"
    old = world.make("itl-old.tlv", itl)
    new = world.make("itl-new.tlv", itl.replace("=pub", "=pub-regenerated@pub")
                     .replace("=tvs ", "=tvs2 "), **RENEWED)
    plan = world.json(old, new, "--release", "11.5", status=0)
    assert verdicts(plan)["sbd", "old", "new"] == ("tvs", True)
    assert plan["summary"] == "Every class of phone takes the new list, under the assumptions below"
    group = next(a for a in plan["assumptions"] if a["code"] == "group-has-node")
    assert "cucm-1051-a-sub1" in group["text"] and "213407" in group["sources"]


def test_another_cluster_s_itl(world):
    """213407: a phone that moves asks the TVS of its old cluster, which knows what was uploaded there."""
    old = world.make("itl-old.tlv", "SAST=pub! CCM+TFTP=pub TVS=tvs")
    records = "SAST=sub1! CCM+TFTP=sub1 TVS=sub1-renewed@sub1"
    new = world.make("itl-new.tlv", records, **RENEWED)
    plan = world.json(old, new, "--release", "11.5", status=1)
    assert verdicts(plan)["sbd", "old", "new"] == ("signer-unknown", True)
    assert codes(plan)["another-cluster"][0] == "warning"
    words = " ".join(world.plan(old, new, "--release", "11.5", status=1).out.split())
    assert "TVS does not vouch for it: it would if the signer's certificate were uploaded" in words
    plan = world.json(old, new, "--release", "11.5", *world.trust("sub1"), status=0)
    assert verdicts(plan)["sbd", "old", "new"] == ("tvs", True)
    assert "tvs-certificate-kept" in [line["code"] for line in plan["assumptions"]]
    # One node in common, and the new list says again which TVS is there.
    same = world.make("itl-same.tlv", f"{records} TVS=golden-tvs@pub", **RENEWED)
    plan = world.json(old, same, "--release", "11.5", *world.trust("sub1"), status=1)
    assert verdicts(plan)["sbd", "old", "new"] == ("signer-unknown", True) and "another-cluster" not in codes(plan)


def of_a_ca(world, name, number):
    """The certificate of this name, as the CA of the company signs it."""
    make_certificate(world.pem(name), world.key(name), [("COMMON_NAME", MADE[name][0])], serial=number,
                     issuer=[("COMMON_NAME", "Example CA")], issuer_key=world.key("recovery2"))


REGENERATE, CSR = "open {}.pem and choose Regenerate", "if a CA signs {}, choose Generate CSR, not Regenerate"


@pytest.mark.parametrize("after,says,without", [
    ("san", CSR, REGENERATE), ("pub-regenerated", REGENERATE, CSR)], ids=["by-a-csr", "self-signed-now"])
def test_regenerate_is_for_self_signed_certificates(world, after, says, without):
    """217138. Regenerate would put a self-signed certificate in the place of one that a CA signed."""
    of_a_ca(world, "sub1-renamed", 0x4001)
    of_a_ca(world, "san", 0x4002)
    old = world.make("old.tlv", OLD_12.replace("=pub", "=sub1-renamed@pub"))
    new = world.make("new.tlv", OLD_12.replace("=pub", f"={after}@pub"), **RENEWED)
    text = " ".join(world.plan(old, new, "--release", "12.5", status=0).out.split())
    assert says.format("CallManager") in text and without.format("CallManager") not in text
    assert ("Multi-Server SAN" in text) == (after == "san")


@pytest.mark.parametrize("kind,name", [("callmanager", "CallManager"), ("capf", "CAPF"), ("tvs", "TVS")])
def test_a_ca_signs_again_what_it_signed(world, kind, name):
    """Nothing is there yet: what will come is taken to be signed as what is there."""
    for number, each in enumerate(["san", "capf2", "tvs"]):
        of_a_ca(world, each, 0x4001 + number)
    records = "SAST=recovery! SAST=san@pub CCM+TFTP=san@pub CAPF=capf2"
    world.make("CTLFile.tlv", records)
    world.make("itl-pub.tlv", f"{records} TVS=tvs")
    run = world.run("plan", "CTLFile.tlv", "itl-pub.tlv", "--release", "12.5", "--renew", kind, cwd=world.folder)
    text = " ".join(run.out.split())
    assert run.status == 0 and CSR.format(name) in text and REGENERATE.format(name) not in text
    plain = world.run("plan", "CTLFile.tlv", "itl-pub.tlv", "--release", "12.5", "--renew", "itlrecovery", cwd=world.folder)
    assert "CSR" not in plain.out and REGENERATE.format("ITLRecovery") in " ".join(plain.out.split())


@pytest.mark.parametrize("old,renewed,danger", [
    (OLD_12, ["recovery", "pub"], True), (OLD_12, ["recovery", "sub1"], False),
    (f"{TOKENED} SAST=recovery SAST=pub", ["recovery", "pub"], False)],
    ids=["of-the-publisher", "of-a-subscriber", "a-token-signs"])
def test_callmanager_and_itlrecovery_leave_a_key_or_none(world, old, renewed, danger):
    after = {"recovery": "recovery2", "pub": "pub-regenerated@pub", "sub1": "sub1-renewed@sub1"}
    new = old
    for name in renewed:
        new = re.sub(rf"={name}\b", f"={after[name]}", new)
    plan = world.json(world.make("old.tlv", old), world.make("new.tlv", new, **RENEWED), "--release", "12.5")
    found = codes(plan)
    assert ("renewed-in-one-go" in found, "renewed-together" in found) == (danger, not danger)
    assert ("clear" in [step["code"] for step in plan["steps"]]) == danger


def test_no_source_has_the_command_for_the_ctl_of_a_token(world):
    """LOST_TRUST has 'utils ctl reset localkey' for mixed mode, and says nothing of tokens."""
    old = world.make("old.tlv", f"{TOKENED} SAST=recovery SAST=pub")
    new = world.make("new.tlv", OLD_12.replace("=recovery", "=recovery2"), **RENEWED)
    assumed = "assumed: 'utils ctl reset localkey' writes a CTL although a token signed the present one. [open]"
    assert assumed in " ".join(world.plan(old, new, "--release", "12.5", status=1).out.split())
    old = world.make("old.tlv", OLD_12)
    assert assumed not in " ".join(world.plan(old, new, "--release", "12.5", status=1).out.split())


# Who writes the new list -----------------------------------------------------------------------


def of_steps(text):
    """What is typed while the change is made; the checks before it and the ways back are left out."""
    return commands(text.split("\nSteps\n")[1].split("\nChecks\n")[0])


def test_phones_without_security_by_default_load_no_itl(world):
    """TVS alone vouches for the new CallManager: that locks out nobody who holds an ITL."""
    old, new = world.make("itl-old.tlv", ITL_11), world.make(
        "itl-new.tlv", ITL_11.replace("=pub", "=pub-regenerated@pub"), **RENEWED)
    plan = world.json(old, new, "--release", "11.5", status=0)
    assert {phones for phones, *_ in verdicts(plan)} == {"sbd"}
    assert "clear" not in [step["code"] for step in plan["steps"]]


def test_the_list_of_reset_localkey_is_cucms_own(world):
    """The other anchor signs: no command but 'reset localkey' leads there."""
    old = world.make("old.tlv", OLD_12)
    new = world.make("new.tlv", OLD_12.replace("recovery!", "recovery").replace("SAST=pub", "SAST=pub!"), **RENEWED)
    text = world.plan(old, new, "--release", "12.5", status=0).out
    assert of_steps(text)[:2] == ["utils ctl reset localkey", "show ctl"]
    assert "publish" not in [step["code"] for step in world.json(old, new, "--release", "12.5")["steps"]]
    back = text.split("\nRollback")[1]
    assert commands(back)[0] == "utils ctl update CTLFile"


def test_the_first_of_two_lists_is_the_one_to_compare(world):
    """ITLRecovery was renewed, and CallManager signs: it is the list of the first phase."""
    old = world.make("old.tlv", OLD_12)
    new = world.make("new.tlv", OLD_12.replace("=recovery!", "=recovery2").replace("SAST=pub", "SAST=pub!"), **RENEWED)
    plan = world.json(old, new, "--release", "12.5", status=0)
    says = {(step["stage"], "ctlsign diff" in line["text"]) for step in plan["steps"] if step["code"] == "write"
            for line in step["lines"]}
    assert ("phase-1", True) in says and ("phase-2", True) not in says


@pytest.mark.parametrize("release,spec", [("12.5", OLD_ITL), ("11.5", ITL_11)])
def test_a_restart_of_tftp_would_undo_reset_localkey(world, release, spec):
    signer, spare = re.findall(r"SAST=(\w+)", spec)
    swapped = spec.replace(f"SAST={signer}!", f"SAST={signer}").replace(f"SAST={spare}", f"SAST={spare}!")
    old, new = world.make("itl-old.tlv", spec), world.make("itl-new.tlv", swapped, **RENEWED)
    text = world.plan(old, new, "--release", release, status=0).out
    assert of_steps(text) == ["utils itl reset localkey", "show itl"]
    assert "Do not restart Cisco Tftp before every phone shows this checksum" in " ".join(text.split())
    assert "assumed: 'utils itl reset' signs the ITL of each TFTP node with that node's own key" in " ".join(text.split())
    assert "assumed: The cluster has no CTL" in text


def test_a_restart_of_tftp_would_write_over_an_itl_made_outside(world):
    old = world.make("itl-old.tlv", OLD_ITL)
    new = world.make("itl-new.tlv", OLD_ITL.replace("=tvs", "=tvs2"), style="rfc4514", **RENEWED)
    text = world.plan(old, new, "--release", "12.5").out
    assert f"utils service restart {TFTP}" not in of_steps(text)
    assert "Do not restart Cisco Tftp before every phone has this ITL" in " ".join(text.split())


@pytest.mark.parametrize("extra", ["asa", "pub-regenerated@pub", "recovery2"])
def test_a_spare_anchor_of_ones_own_is_made_outside(world, extra):
    """'utils ctl update CTLFile' would write the list without it."""
    new = world.make("new.tlv", OLD_12 + f" SAST={extra}", **RENEWED)
    plan = world.json(world.make("old.tlv", OLD_12), new, "--release", "12.5", status=0)
    codes_of = [step["code"] for step in plan["steps"]]
    assert "publish" in codes_of and "write" not in codes_of
    texts = [line["text"] for step in plan["steps"] for line in step["lines"] if step["part"] == "steps"]
    assert not [text for text in texts if "utils ctl update CTLFile" in text]


def test_the_list_of_two_phases_is_without_a_spare_of_ones_own(world):
    new = world.make("new.tlv", OLD_12.replace("=recovery", "=recovery2") + " SAST=asa", **RENEWED)
    text = " ".join(world.plan(world.make("old.tlv", OLD_12), new, "--release", "12.5", status=1).out.split())
    assert "WARNING: new.tlv has SAST records that CUCM does not write: this list is without them" in text
    assert "new.tlv is a list of CUCM's own" not in text


@pytest.mark.parametrize("release,spec,doubted", [
    ("11.5", OLD_12, True), ("12.5", OLD_12, False), ("12.5", OLD_10, True), ("11.5", OLD_10, False),
    ("9.1(2)", OLD_10, True), ("9.1(2)", TOKENED, False), ("12.5", TOKENED, False)])
def test_a_release_that_does_not_fit_the_old_list(world, release, spec, doubted):
    """Its commands would be those of another cluster, so the plan says what it rests on."""
    new = world.make("new.tlv", spec.replace("=capf ", "=capf2@pub "), **RENEWED)
    plan = world.json(world.make("old.tlv", spec), new, "--release", release)
    assert ("release-unlike-lists" in [line["code"] for line in plan["assumptions"]]) == doubted


def test_cucm_before_10_0_signs_no_ctl(world):
    """So it has no 'utils ctl', whatever the new list looks like."""
    old, new = world.make("old.tlv", TOKENED), world.make("new.tlv", OLD_10, **RENEWED)
    assert "'utils ctl update CTLFile'" in world.plan(old, new, "--release", "12.5").out
    assert of_steps(world.plan(old, new, "--release", "10.0").out)[0] == "utils ctl update CTLFile"
    text = world.plan(old, new, "--release", "9.1(2)").out
    assert "utils ctl" not in text.replace("'utils ctl ...' and a refresh upgrade", "")


def test_tokens_come_into_cucms_own_list_by_an_assumption(world):
    new = world.make("new.tlv", OLD_12 + " SAST=t1 SAST=t2", **RENEWED)
    text = world.plan(world.make("old.tlv", OLD_12), new, "--release", "12.5", status=0).out
    assert of_steps(text)[:2] == [f"utils service restart {TVS}", "utils ctl update CTLFile"]  # after the upload
    assert "'show ctl' must then list the uploaded tokens as SAST. [open]" in " ".join(text.split())


def test_a_token_without_the_ctl_client(world):
    """From 14 on nobody names it as a way."""
    new = TOKENED.replace("=capf ", "=capf2@pub ")
    for release, says in (("12.5", "CUCM's own way to a list that a token signs is the CTL Client"),
                          ("14", "note: The CTL Client is unsupported from 14 on")):
        text = world.plan(world.make("old.tlv", TOKENED), world.make("new.tlv", new, **RENEWED),
                          "--release", release).out
        assert says in " ".join(text.split())
        assert ("own way to a list that a token signs" in " ".join(text.split())) == (release == "12.5")


def test_each_node_has_its_itlrecovery_before_12_5(world):
    for release, title in (("11.5", "Regenerate the ITLRecovery certificate on each of these nodes"),
                           ("12.5", "Regenerate the ITLRecovery certificate, on the publisher")):
        spec = ITL_11 if release == "11.5" else OLD_ITL
        text = world.plan(world.make("itl-old.tlv", spec),
                          world.make("itl-new.tlv", spec.replace("=recovery", "=recovery2"), **RENEWED),
                          "--release", release, status=0).out
        assert title in " ".join(text.split())
        assert text.count("On every node: each has an ITLRecovery of its own.") == (2 if release == "11.5" else 0)


def test_checksums_of_an_itl_name_its_node(world):
    text = world.plan(world.make("itl-old.tlv", OLD_ITL), world.make("itl-new.tlv", OLD_ITL.replace("=tvs", "=tvs2")),
                      "--release", "12.5").out
    lines = [line.strip() for line in text.splitlines()]
    assert lines[next(i for i, line in enumerate(lines) if line.endswith("(MD5)")) - 1] == f"- {PUB_LABEL}"


def test_only_bytes_make_an_anchor(world):
    """One subject, another certificate: CallManager's signature does not reach old phones."""
    kept = world.json(world.make("old.tlv", OLD_12),
                      world.make("new.tlv", OLD_12.replace("=recovery", "=recovery2")),
                      "--release", "12.5", status=1)
    both = world.json(world.folder / "old.tlv",
                      world.make("new.tlv", OLD_12.replace("=recovery", "=recovery2")
                                 .replace("=pub", "=pub-regenerated@pub")),
                      "--release", "12.5", status=1)

    def first_phase(plan):
        step = next(s for s in plan["steps"] if s["stage"] == "phase-1" and s["code"] == "write")
        return "\n".join(line["text"] for line in step["lines"])
    assert "Phones take it" in first_phase(kept) and "share no" not in first_phase(kept)
    assert "Phones take it" not in first_phase(both) and "share no" in first_phase(both)
    assert both["summary"].startswith("REFUSED")
    assert {a["fate"] for a in both["anchors"]} == {"lost", "added"}


# Hostile names ----------------------------------------------------------------------------------


def test_names_cannot_drive_a_terminal(world):
    old = world.make("old.tlv", OLD_12)
    new = world.make("new.tlv", f"{OLD_12} SAST=hostile CCM+TFTP=hostile@x\x1b[2J\u009b/10.0.0.9")
    plan = world.json(old, new)
    assert plan.pop("changes")["records"][-1]["name"] == "x\x1b[2J\u009b"  # facts stay as they are
    sentences = "\n".join(json.dumps(part, ensure_ascii=False) for part in plan.values())
    for text in (world.plan(old, new).out, sentences):
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)
        assert "\\x1b" in text and "\\xc2" in text


def test_a_name_cannot_begin_a_line(world):
    rows = world.make("old.tlv", OLD_12).read_bytes()
    cert = peerwrite.load(world.pem("pub"))
    records = [peerwrite.record_fields(cert, "SAST", "cucm", b"x\n   1. Reset nothing\xff\0y", PUB)]
    new = world.folder / "new.tlv"
    new.write_bytes(peerwrite.assemble(records, 0, world.key("pub")))
    text = world.plan(world.folder / "old.tlv", new).out
    assert rows and not re.search(r"^\s+1\. Reset", text, re.M)
    assert "\\x0a" in text and "\\xff" in text


def test_many_records(world):
    """Five thousand records, each of them added: a moment, and a page that ends."""
    old = world.make("old.tlv", OLD_12)
    cert = peerwrite.load(world.pem("sub2"))
    rows = [world.row(w.rstrip("!"), "cucm") for w in OLD_12.split()]
    rows += [peerwrite.record_fields(cert, "SAST", "cucm", f"n{i}", f"10.2.{i // 256}.{i % 256}")
             for i in range(5000)]
    new = world.folder / "new.tlv"
    new.write_bytes(peerwrite.assemble(rows, 0, world.key("recovery")))
    run = world.run("plan", old, new, "--release", "12.5", "--html", world.folder / "big.html",
                    "--accept-lockout", "all", "--allow-large", timeout=60)
    assert run.status == 0, run.err


def test_one_certificate_in_thousands_of_anchors(world):
    """Each anchor is looked for among the servers, and its server is the last record: no square.
    It would take minutes otherwise."""
    def record(role):
        fields = b"\x04\x00\x02" + role.to_bytes(2, "big") + b"\x09\x00\x04cert"
        return b"\x01\x00\x02" + (len(fields) + 5).to_bytes(2, "big") + fields

    old = world.make("old.tlv", OLD_12)
    data = old.read_bytes()
    header = int.from_bytes(data[8:10], "big")  # behind version and the field's own three bytes
    new = world.folder / "new.tlv"
    new.write_bytes(data[:header] + 30000 * record(0) + record(2))
    run = world.run("plan", old, new, "--release", "12.5", "--allow-large", timeout=60)
    assert run.status == 1 and "REFUSED" in run.out, run.err[-500:]


# From tokens to tokenless, and back ---------------------------------------------------------------

TOKENED_11 = TOKENED + " SAST=recovery SAST=pub"
TOKENLESS = {"11.5": "SAST=recovery SAST=pub! CCM+TFTP=pub CAPF=capf CCM+TFTP=sub1", "12.5": OLD_12,
             "14": OLD_12}


@pytest.mark.parametrize("release", TOKENLESS)
def test_from_tokens_to_tokenless(world, release):
    """118893: 'utils ctl update CTLFile', restart TFTP and CallManager, restart phones, 'show ctl'.

    That command never writes a list of tokens, so that it is no way back: from tokenless to tokens
    the CTL is deleted, and the CTL Client signs, which there is up to 12.5.
    """
    old = world.make("old.tlv", TOKENED_11)
    new = world.make("new.tlv", TOKENLESS[release], **RENEWED)
    plan = world.json(old, new, "--release", release, status=0)
    steps = {step["code"]: step for step in plan["steps"]}
    said = {code: {line["text"]: line["sources"] for line in step["lines"]} for code, step in steps.items()}
    assert "utils ctl update CTLFile" in said["write"] and "118893" in steps["write"]["sources"]
    assert restarted(plan) == [TFTP, CALLMANAGER] and "118893" in steps["reset"]["sources"]
    assert any("go back to tokens" in text and line["kind"] == "warning" for line in steps["write"]["lines"]
               for text in [line["text"]])
    first = any("12.0(1) or later has made" in text for text in said["write"])
    assert first == (release != "11.5")
    assert any("set-cluster mixed-mode" in text and tags == ["SG-FIPS"] for text, tags in said["write"].items()) == first
    back = [line["text"] for line in steps["way-back"]["lines"] if line["kind"] == "command"]
    if release == "14":
        assert back == [] and "214231" in steps["way-back"]["sources"]
    else:
        assert back == ["file delete tftp CTLFile.tlv"] and "118893" in steps["way-back"]["sources"]
    assert any("does not go back" in text for text in said["way-back"])


def test_the_way_back_between_lists_of_one_kind_is_the_same_command(world):
    """Tokenless before and after: CUCM writes it again."""
    old = world.make("old.tlv", OLD_12 + " CCM+TFTP=sub2")
    new = world.make("new.tlv", OLD_12, **RENEWED)
    steps = {step["code"]: step for step in world.json(old, new, "--release", "12.5")["steps"]}
    lines = steps["way-back"]["lines"]
    assert [line["text"] for line in lines if line["kind"] == "command"] == ["utils ctl update CTLFile"]
    assert not any("tokens" in line["text"] for line in lines + steps["write"]["lines"])


# Whole plans ------------------------------------------------------------------------------------

SAMPLES = {
    "tokenless-to-tokens": ("cucm.tlv", "ctl-client.tlv", "10.5"),
    "callmanager-renewed": ("cucm.tlv", "cucm-2048.tlv", "10.5"),
    "tokens-to-non-secure": ("ctl-client.tlv", "non-secure.tlv", "10.5"),
}


def compare(text, name):
    """CTLSIGN_GOLDEN=1 writes it anew: read the difference."""
    golden = PLANS / f"{name}.txt"
    if os.environ.get("CTLSIGN_GOLDEN") == "1":
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SAMPLES)
def test_a_whole_plan(world, name):
    """The text as a person reads it."""
    old, new, release = SAMPLES[name]
    for file in (old, new):
        shutil.copy(DATA / "lists" / file, world.folder)
    options = world.trust("t1", "t2", "pub-regenerated")
    compare(world.plan(world.folder / old, world.folder / new, "--release", release, *options).out,
            name)


def commands(text):
    return [line.split("admin: ", 1)[1] for line in text.splitlines() if "admin: " in line]


def test_callmanager_at_11_5_tokenless(world):
    """The publisher's CallManager certificate is renewed, in mixed mode without tokens, at 11.5.

    The vendor's procedure, and the part of the plan that has each line of it:
      before, 214231, AG:  DRS backup; phones registered; replication; rollback parameter
                           False; two servers in each group               "Before you begin"
      SG-CTL, 12.0 on:     the licence is needed                          not here: 11.5
      214231:  1 regenerate CallManager                                   "Regenerate"
               2 utils ctl update CTLFile (CallManager signs, SG-CTL)      "Let CUCM write"
               3 restart CallManager, CTIManager, TVS, TFTP, HAProxy       five steps, this order
               4 reset all phones                                         "Reset all phones"
               5 Expressway, SIP trunks, SRST, EMCC; Unity Connection      "Checks"
      118893:  phones with Security by Default find the new certificate through TVS; the others
               refuse, and are cleared by hand
      214231:  a backup after; the way back is a restore                   "Checks", "Rollback"
    """
    old = world.make("old.tlv", "SAST=pub! SAST=golden-recovery CCM+TFTP=pub CAPF=capf CCM+TFTP=sub1")
    new = world.make("new.tlv", "SAST=pub-regenerated@pub! SAST=golden-recovery "
                     "CCM+TFTP=pub-regenerated@pub CAPF=capf CCM+TFTP=sub1", **RENEWED)
    text = world.plan(old, new, "--release", "11.5", status=1).out
    assert commands(text) == [
        EXPORT, "utils dbreplication runtimestate", "show ctl", "utils ctl update CTLFile", "show ctl",
        f"utils service restart {CALLMANAGER}", f"utils service restart {CTI}",
        f"utils service restart {TVS}", f"utils service restart {TFTP}",
        f"utils service restart {HAPROXY}"]
    compare(text, "callmanager-11.5-tokenless")


def test_itlrecovery_at_14_not_mixed(world):
    """ITLRecovery is renewed in a cluster without CTL, at 14.

    The vendor's procedure (SG-cert, SG12.5), and the plan's line for each:
      1 regenerate ITLRecovery                       "Regenerate the ITLRecovery certificate"
      2 utils itl reset localkey                     "Let CallManager sign the ITL"
      3 show itl                                     "Look at the ITL that CallManager signed"
      4 reset phones in batches                      "Reset the phones in batches"
      5 check that they register                     "Check that every phone took this ITL"
      6 restart TFTP on every node                   only here: before 4 it would undo 2
      7 reset phones in batches again                "Reset the phones in batches again"
    No 'utils ctl' anywhere: there is no CTL.
    """
    old = world.make("itl-old.tlv", "SAST=golden-recovery! SAST=pub CCM+TFTP=pub TVS=golden-tvs "
                     "CAPF=capf")
    new = world.make("itl-new.tlv", "SAST=golden-recovery2! SAST=pub CCM+TFTP=pub TVS=golden-tvs "
                     "CAPF=capf", **RENEWED)
    text = world.plan(old, new, "--release", "14", status=0).out
    assert commands(text) == [
        EXPORT, "utils dbreplication runtimestate", "show itl", "utils itl reset localkey", "show itl",
        f"utils service restart {TFTP}", EXPORT, "utils itl reset localkey"]
    assert "utils ctl" not in text
    order = [text.index(words) for words in (
        "Regenerate the ITLRecovery certificate", "Let CallManager sign the ITL",
        "Look at the ITL that CallManager signed", "Reset the phones in batches [",
        "Check that every phone took this ITL", "Restart Cisco Tftp",
        "Reset the phones in batches again")]
    assert order == sorted(order)
    compare(text, "itlrecovery-14-not-mixed")


def test_capf_at_15_mixed(world):
    """The CAPF certificate is renewed in mixed mode, at 15.

    The vendor's procedure (214231, 225746), and the plan's line for each:
      a copied, non-secure profile until the new LSC is there    "Prepare the phones that need an LSC"
      1 regenerate CAPF                                          "Regenerate the CAPF certificate"
      2 utils ctl update CTLFile (ITLRecovery signs)             "Let CUCM write the CTL"
      3 restart CAPF on the publisher                            three steps, in this order
      4 restart TVS on all nodes
      5 restart TFTP on all nodes
      6 reset all phones                                         "Reset all phones"
      7 new LSCs                                                 "Give the phones new LSCs"
      802.1X, RADIUS, ASA and VPN servers get the certificate    "Checks"
    """
    old = world.make("old.tlv", "SAST=golden-recovery! SAST=pub CCM+TFTP=pub CAPF=capf CCM+TFTP=sub1")
    new = world.make("new.tlv", "SAST=golden-recovery! SAST=pub CCM+TFTP=pub CAPF=golden-capf2@pub "
                     "CCM+TFTP=sub1", **RENEWED)
    text = world.plan(old, new, "--release", "15", status=0).out
    assert commands(text) == [
        EXPORT, "utils dbreplication runtimestate", "show ctl", "utils ctl update CTLFile", "show ctl",
        f"utils service restart {CAPF}", f"utils service restart {TVS}",
        f"utils service restart {TFTP}", "utils ctl reset localkey"]
    compare(text, "capf-15-mixed")
