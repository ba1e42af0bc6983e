# SPDX-License-Identifier: Apache-2.0
"""accept: what a phone does with a new list. One table of cases, and a second opinion."""
import collections
import datetime
import itertools
import json
import random
import re
import shutil
from dataclasses import dataclass

import peeraccept
import peerlist
import peerwrite
import pytest
import tables
from conftest import DATA, Runner, make_certificate
from lists import PUB, SUB, TIME

# The lists -----------------------------------------------------------------------------------

ADDRESS = {"sub1": SUB, "rec-sub": SUB, "tftp": "10.48.47.155"}
TOKENS = {"t1": "SAST-ADN0054f509", "t2": "SAST-ADN008580ef"}
SERVERS = "CCM+TFTP=pub CAPF=capf CCM+TFTP=sub1"
PUB_NAME = [("COUNTRY_NAME", "PL"), ("ORGANIZATION_NAME", "Cisco"),
            ("ORGANIZATIONAL_UNIT_NAME", "TAC"), ("COMMON_NAME", "cucm-1051-a-pub"),
            ("STATE_OR_PROVINCE_NAME", "Malopolska"), ("LOCALITY_NAME", "Krakow")]
CA_NAME = [("ORGANIZATION_NAME", "Cisco Systems"), ("COMMON_NAME", "Cisco Manufacturing CA")]


@dataclass
class Built:
    """A list that the program builds. records: ROLE=certificate…"""
    signer: str
    records: str
    style: str = "cucm"
    more: tuple = ()

    def make(self, world, path, name):
        words = []
        for role, cert in (word.split("=") for word in self.records.split()):
            words += [f"--{role.lower().replace('+', '-')}",
                      f"{world.cert(cert)},name=cucm-{cert},address={ADDRESS.get(cert, PUB)}"]
        filename = "ITLFile.tlv" if name.startswith("itl") else "CTLFile.tlv"
        more = self.more if "--timestamp" in self.more else (*self.more, "--timestamp", TIME)
        world.run.ok("build", "-o", path, *words, "-k", world.key(self.signer),
                     "--cert", world.cert(self.signer), "--style", self.style,
                     "--filename", filename, *more)


@dataclass
class Written:
    """A list of the second writer's: what the program would not write. records: ROLE=certificate/form…"""
    signer: int  # index of the signer's record
    records: str
    key: str = ""  # signs in place of the signer's
    corrupt: bool = False
    size: int = 0  # filled up to so many bytes
    lose_signer: bool = False  # its record is not in the list
    filename: str = ""

    def make(self, world, path, name):
        words = [re.split("[=/]", f"{word}/") for word in self.records.split()]
        records = [record(world.load(cert), role, form, cert) for role, cert, form, *_ in words]
        signer = records.pop(self.signer) if self.lose_signer else self.signer
        filename = self.filename or ("ITLFile.tlv" if name.startswith("itl") else "CTLFile.tlv")

        def assemble():
            return peerwrite.assemble(
                records, signer, world.key(self.key or words[self.signer][1]), filename=filename,
                corrupt=(lambda s: s[:-1] + bytes([s[-1] ^ 1])) if self.corrupt else None)
        if self.size:
            filler = [(2, b"x\0"), (4, peerwrite.u16(3)), (200, b"")]
            records.append(filler)
            filler[2] = (200, bytes(self.size - len(assemble())))
            assert len(assemble()) == self.size
        path.write_bytes(assemble())


@dataclass
class Damaged:
    """Another list, cut or changed so that it cannot be read; or no list at all."""
    of: str = ""
    cut: int = 0
    content: bytes = b""

    def make(self, world, path, name):
        path.write_bytes(world.bytes(self.of)[:self.cut] if self.of else self.content)


@dataclass
class Header:
    """Another list's header alone: a list without records."""
    of: str

    def make(self, world, path, name):
        data = world.bytes(self.of)
        path.write_bytes(data[:peerlist.parse_header(data)["header_length"]])


def record(cert, role, form, name):
    """A record in the dialect, or with the oddity, that the form names."""
    node, address = f"cucm-{name}", ADDRESS.get(name, PUB)
    if form == "token":  # serial number back to front, cn=…;ou=…;o=…
        return peerwrite.record_fields(cert, role, "ctl-client", token=True)
    if form in ("comma", "semi"):
        fields = dict(peerwrite.record_fields(cert, role, "rfc4514"))
        separator = "," if form == "comma" else ";"
        fields[3] = peerwrite.text(peerwrite.rfc4514_name(cert.subject, separator))
        fields[5] = peerwrite.text(peerwrite.rfc4514_name(cert.issuer, separator))
        return list(fields.items())
    fields = dict(peerwrite.record_fields(cert, role, "cucm", node, address))
    if form == "turned":  # the serial number alone is back to front
        fields[6] = fields[6][::-1]
    elif form == "respelled":  # a token's: the issuer alone is in the other dialect
        fields[6] = fields[6][::-1]
    elif form == "zero":  # a leading zero byte, as DER has it
        fields[6] = b"\0" + fields[6]
    elif form == "former":  # the other attributes behind
        fields[5] = peerwrite.text("CN=example-CA;DC=local;DC=example")
    elif form == "emptied":  # non-secure mode
        fields = {tag: fields[tag] for tag in (2, 4, 10)}
    elif form in ("hash", "hash-only"):
        del fields[8], fields[9]
        if form == "hash-only":
            del fields[7]
        fields |= {11: bytes(20), 12: b"\x01"}
    else:
        assert form == "", form
    return list(fields.items())


LISTS = {
    # Tokenless clusters: publisher signs; with ITLRecovery; ITLRecovery signs.
    "ctl-pub": Built("pub", f"SAST=pub {SERVERS}"),
    "ctl-pub-older": Built("pub", "SAST=pub CCM+TFTP=pub", more=("--timestamp", TIME - 86400)),
    "ctl-pub-later": Built("pub", "SAST=pub CCM+TFTP=pub", more=("--timestamp", TIME + 86400)),
    "ctl-pub-sha256": Built("pub", f"SAST=pub {SERVERS}", more=("--digest", "sha256")),
    "ctl-pub-rec": Built("pub", f"SAST=pub SAST=rec {SERVERS}"),
    "ctl-rec": Built("rec", f"SAST=rec SAST=pub {SERVERS}"),
    "ctl-regen": Built("regen", "SAST=regen SAST=rec CCM+TFTP=regen CAPF=capf"),
    "ctl-regen-later": Built("regen", "SAST=regen CCM+TFTP=regen", more=("--timestamp", TIME + 86400)),
    "ctl-rec2-later": Built("rec2", "SAST=rec2 SAST=regen CCM+TFTP=regen", more=("--timestamp", TIME + 86400)),
    "ctl-t2-later": Built("t2", "SAST=t2 SAST=t1 CCM+TFTP=pub", more=("--timestamp", TIME + 86400)),
    "itl-regen-later": Built("regen", "SAST=regen CCM+TFTP=regen TVS=tvs", more=("--timestamp", TIME + 86400)),
    "ctl-regen-sha512": Built("regen", "SAST=regen CCM+TFTP=regen", more=("--digest", "sha512")),
    "ctl-regen-by-rec": Built("rec", "SAST=regen SAST=rec CCM+TFTP=regen CAPF=capf"),
    "ctl-both-new": Built("regen", "SAST=regen SAST=rec2 CCM+TFTP=regen CAPF=capf"),
    "ctl-reissued": Built("reissued", f"SAST=reissued {SERVERS}"),
    "ctl-expired": Built("expired", "SAST=expired SAST=rec CCM+TFTP=pub"),
    "ctl-stranger": Built("stranger", f"SAST=stranger {SERVERS}"),
    "ctl-stranger-only": Built("stranger", "SAST=stranger CCM+TFTP=pub"),
    "ctl-capf": Built("capf", f"SAST=capf {SERVERS}"),
    "ctl-sub1": Built("sub1", f"SAST=sub1 {SERVERS}"),
    # Servers with one service of the two, or with another.
    "ctl-sub1-tftp": Built("sub1", "SAST=sub1 TFTP=sub1 CCM=pub"),
    "ctl-sub1-ccm": Built("sub1", "SAST=sub1 CCM=sub1 CCM+TFTP=pub"),
    "ctl-sub1-app": Built("sub1", "SAST=sub1 APP-SERVER=sub1 CCM+TFTP=pub"),
    # Tokens, in the CTL Client's dialect and in others; mixed, non-secure, on the way.
    "ctl-tokens": Built("t2", f"SAST=t1 {SERVERS} SAST=t2", "ctl-client"),
    "ctl-tokens-by-t1": Built("t1", f"SAST=t1 {SERVERS} SAST=t2", "ctl-client"),
    "ctl-tokens-115": Built("t1", f"SAST=t1 SAST=t2 SAST=rec SAST=pub {SERVERS}", "ctl-client"),
    "ctl-tokens-cucm": Built("t2", f"SAST=t1 SAST=t2 {SERVERS}", "cucm"),
    "ctl-non-secure": Built("t2", f"SAST=t1 SAST=t2 {SERVERS}", "ctl-client", ("--mode", "non-secure")),
    "ctl-client-pub": Built("pub", f"SAST=pub {SERVERS}", "ctl-client"),
    "ctl-bridge": Built("pub", f"SAST=pub SAST=t1 SAST=t2 {SERVERS}"),
    "ctl-way-back": Built("t2", f"SAST=pub SAST=t1 SAST=t2 {SERVERS}"),
    # Community tools since 4.13, and before.
    "ctl-comma": Built("pub", f"SAST=pub {SERVERS}", "rfc4514"),
    "ctl-comma-regen": Built("regen", "SAST=regen CCM+TFTP=regen", "rfc4514"),
    "ctl-semi": Built("pub", f"SAST=pub {SERVERS}", "rfc4514", ("--name-separator", ";")),
    "ctl-comma-tokens": Built("t2", "SAST=t2 SAST=t1", "rfc4514"),
    "ctl-semi-tokens": Built("t2", "SAST=t2 SAST=t1", "rfc4514", ("--name-separator", ";")),
    # ITLs: signed by the publisher, by ITLRecovery, by other servers.
    "itl-pub": Built("pub", "SAST=pub CCM+TFTP=pub CAPF=capf TVS=tvs"),
    "itl-pub-no-tvs": Built("pub", "SAST=pub CCM+TFTP=pub CAPF=capf"),
    "itl-rec": Built("rec", "SAST=rec CCM+TFTP=pub CAPF=capf TVS=tvs"),
    "itl-rec-no-tvs": Built("rec", "SAST=rec CCM+TFTP=pub CAPF=capf"),
    "itl-rec-tftp": Built("rec", "SAST=rec TFTP=sub1 TVS=tvs"),
    "itl-rec-ccm": Built("rec", "SAST=rec CCM=sub1 TVS=tvs"),
    "itl-regen": Built("regen", "SAST=regen CCM+TFTP=regen TVS=tvs"),
    "itl-sub1": Built("sub1", "SAST=sub1 CCM+TFTP=sub1 TVS=tvs"),
    "itl-capf": Built("capf", "SAST=capf CCM+TFTP=pub TVS=tvs"),
    "itl-stranger": Built("stranger", "SAST=stranger CCM+TFTP=pub TVS=tvs"),
    "itl-tvs": Built("tvs", "SAST=tvs CCM+TFTP=pub"),
    "itl-comma": Built("pub", "SAST=pub CCM+TFTP=pub TVS=tvs", "rfc4514"),
    # TVS certificates: two nodes and more, some of them renewed.
    "itl-two": Built("pub", "SAST=pub CCM+TFTP=pub TVS=tvs TVS=tvs2"),
    "itl-regen-both": Built("regen", "SAST=regen CCM+TFTP=regen TVS=tvs2 TVS=tvs"),
    "itl-regen-one": Built("regen", "SAST=regen CCM+TFTP=regen TVS=tvs-new TVS=tvs2"),
    "itl-regen-none": Built("regen", "SAST=regen CCM+TFTP=regen TVS=tvs-new"),
    "itl-regen-no-tvs": Built("regen", "SAST=regen CCM+TFTP=regen"),
    "itl-six": Built("pub", "SAST=pub CCM+TFTP=pub TVS=tvs TVS=tvs2 TVS=tvs3 TVS=tvs4 TVS=tvs5 TVS=tvs6"),
    "itl-regen-five": Built("regen", "SAST=regen CCM+TFTP=regen TVS=tvs6 TVS=tvs5 TVS=tvs4 TVS=tvs3 TVS=tvs2 "
                                     "TVS=tvs-new"),
    "itl-regen-twice": Built("regen", "SAST=regen CCM+TFTP=regen TVS=tvs TVS=tvs TVS=tvs2"),
    "itl-two-hash": Written(0, "SAST=pub CCM+TFTP=pub TVS=tvs/hash TVS=tvs2/hash"),
    # An issuer with attributes that CUCM leaves out, as it is written and as releases 0.x wrote it.
    "ctl-dc": Built("dc", "SAST=dc CCM+TFTP=dc"),
    "ctl-dc-former": Written(0, "SAST=dc/former CCM+TFTP=dc/former"),
    "ctl-dc-former-lost": Written(0, "SAST=dc/former SAST=pub CCM+TFTP=sub1", lose_signer=True),
    # Signatures that do not verify.
    "ctl-pub-bad": Written(0, "SAST=pub CCM+TFTP=pub", corrupt=True),
    "ctl-pub-by-other": Written(0, "SAST=pub CCM+TFTP=pub", key="capf"),
    "ctl-regen-bad": Written(0, "SAST=regen CCM+TFTP=regen", corrupt=True),
    "ctl-regen-by-other": Written(0, "SAST=regen CCM+TFTP=regen", key="pub"),
    "ctl-tokens-bad": Written(1, "SAST=t1/token SAST=t2/token CCM+TFTP=pub", corrupt=True),
    "ctl-stranger-bad": Written(0, "SAST=stranger CCM+TFTP=pub", corrupt=True),
    "ctl-elsewhere": Written(0, "SAST=sub1 CCM+TFTP=sub1"),
    "ctl-token-pub": Written(0, "SAST=t1/token CCM+TFTP=pub"),
    "ctl-elsewhere-token": Written(0, "SAST=sub1 CCM+TFTP=sub1 SAST=t1/token"),
    "ctl-sub1-bad": Written(0, "SAST=sub1 CCM+TFTP=pub", corrupt=True),
    "ctl-pub-lost": Written(0, "SAST=pub SAST=rec CCM+TFTP=sub1", lose_signer=True),
    "ctl-stranger-lost": Written(0, "SAST=stranger SAST=pub CCM+TFTP=sub1", lose_signer=True),
    "itl-sub1-bad": Written(0, "SAST=sub1 CCM+TFTP=sub1 TVS=tvs", corrupt=True),
    "itl-rec-bad": Written(0, "SAST=rec CCM+TFTP=pub TVS=tvs", corrupt=True),
    # The signer spelled otherwise, part by part.
    "ctl-pub-turned": Written(0, "SAST=pub/turned CCM+TFTP=sub1"),
    "ctl-pub-zero": Written(0, "SAST=pub/zero CCM+TFTP=pub"),
    "ctl-t2-straight": Written(0, "SAST=t2 SAST=t1 CCM+TFTP=pub"),
    "ctl-t2-respelled": Written(0, "SAST=t2/respelled SAST=t1 CCM+TFTP=pub"),
    "ctl-client-alone": Built("pub", "SAST=pub CCM+TFTP=sub1", "ctl-client"),
    "ctl-pub-turned-lost": Written(0, "SAST=pub/turned SAST=rec CCM+TFTP=sub1", lose_signer=True),
    "ctl-comma-lost": Written(0, "SAST=pub/comma SAST=rec/comma CCM+TFTP=sub1/comma", lose_signer=True),
    # A twin has the name, the issuer and the serial number of another, but not its key.
    "ctl-twin": Written(0, "SAST=twin CCM+TFTP=sub1"),
    "ctl-rec-sub1": Written(0, "SAST=rec CCM+TFTP=sub1"),
    "ctl-pub-twin": Written(0, "SAST=pub SAST=twin CCM+TFTP=sub1"),
    "ctl-pub-twin-capf": Written(0, "SAST=pub CAPF=twin CCM+TFTP=sub1"),
    "ctl-twin-of-t2": Written(0, "SAST=t2-twin/token SAST=t1/token CCM+TFTP=pub"),
    "itl-twin": Written(0, "SAST=twin CCM+TFTP=sub1 TVS=tvs"),
    "itl-twin-tftp": Written(0, "SAST=rec CCM+TFTP=twin TVS=tvs"),
    # Records without a certificate, or without anything.
    "ctl-pub-hash": Written(0, "SAST=pub/hash CCM+TFTP=pub/hash"),
    "ctl-pub-hash-only": Written(0, "SAST=pub/hash-only SAST=rec"),
    "ctl-pub-hash-twice": Written(0, "SAST=pub/hash-only SAST=rec CCM+TFTP=pub"),
    "ctl-pub-hash-after": Written(0, "SAST=pub SAST=rec CCM+TFTP=pub/hash-only"),
    "itl-rec-hash": Written(0, "SAST=rec CCM+TFTP=sub1/hash TVS=tvs/hash"),
    "ctl-emptied": Written(0, "SAST=rec CCM+TFTP=pub/emptied CCM+TFTP=sub1/emptied"),
    "ctl-t2-as-capf": Written(0, "SAST=rec CAPF=t2/token CCM+TFTP=pub"),
    "ctl-header": Header("ctl-rec"),
    "itl-header": Header("itl-rec"),
    # Sizes and names.
    "ctl-65536": Written(0, "SAST=pub CCM+TFTP=pub", size=65536),
    "ctl-65537": Written(0, "SAST=pub CCM+TFTP=pub", size=65537),
    "itl-65537": Written(0, "SAST=pub CCM+TFTP=pub TVS=tvs", size=65537),
    "ctl-large": Built("pub", "SAST=pub " + "CCM+TFTP=regen " * 60, more=("--allow-large",)),
    "itl-per-phone": Written(0, "SAST=sub1 CCM+TFTP=sub1 TVS=tvs", filename="ITLSEP001122334455.tlv"),
    # Named after the kind that FILENAME does not say.
    "ctl-named-itl": Written(0, "SAST=pub CCM+TFTP=pub TVS=tvs", filename="ITLFile.tlv"),
    "itl-named-ctl": Written(0, "SAST=pub CCM+TFTP=pub", filename="CTLFile.tlv"),
    "ext_itl-named-ctl": Written(0, "SAST=pub CCM+TFTP=pub", filename="ctlfile.tlv"),
    "other-name-of-a-ctl": Written(0, "SAST=pub CCM+TFTP=pub", filename="CTLFile.tlv"),
    "ctl-named-itl-small": Written(0, "SAST=pub CCM+TFTP=pub TVS=tvs", filename="ext_itlfile.tlv"),
    "itl-small": Written(0, "SAST=sub1 CCM+TFTP=sub1 TVS=tvs", filename="itlfile.tlv"),
    # ITLs of other nodes, later than the rest.
    "itl-regen-other-node-later": Built("regen", "SAST=regen CCM+TFTP=regen CCM+TFTP=sub1 TVS=tvs",
                                        more=("--timestamp", TIME + 86400)),
    "itl-rec-sub-later": Built("rec-sub", "SAST=rec-sub CCM+TFTP=sub1 TVS=tvs", more=("--timestamp", TIME + 86400)),
    # Later than ctl-pub-older.
    "ctl-rec-hash": Written(0, "SAST=rec CCM+TFTP=regen/hash"),
    "ctl-t2-ccm-later": Built("t2", "SAST=t2 SAST=t1 CCM=pub CCM+TFTP=sub1", more=("--timestamp", TIME + 86400)),
    "itl-six-twice": Built("pub", "SAST=pub CCM+TFTP=pub TVS=tvs2 TVS=tvs2 TVS=tvs3 TVS=tvs4 TVS=tvs5 TVS=tvs6"),
    "ctl-named-oddly": Written(0, "SAST=sub1 CCM+TFTP=sub1", filename="MyITLFile.tlv"),
    # No lists.
    "cut-in-a-record": Damaged("ctl-pub", 2000),
    "cut-in-the-header": Damaged("ctl-pub", 100),
    "itl-cut": Damaged("itl-pub", 3000),
    "empty": Damaged(),
    "text": Damaged(content=b"This folder holds every list ever published.\n"),
}
FAULTY = {name for name, how in LISTS.items() if isinstance(how, Damaged)}


class World:
    """Certificates, keys, and the lists of the table, each made when it is first named."""

    def __init__(self, folder, keys):
        self.folder, self.keys = folder, keys
        self.run = Runner(folder / "home")
        self.cluster = folder / "cluster"
        shutil.copytree(DATA / "cluster", self.cluster)
        (folder / "lists").mkdir()
        self.made = {}
        self._certificates()
        for path in self.cluster.glob("*.key"):
            path.chmod(0o600)

    def _certificates(self):
        def make(name, key, subject, **kw):
            shutil.copy(key, self.cluster / f"{name}.key")
            make_certificate(self.cluster / f"{name}.pem", key, subject, **kw)

        def node(cn):
            return [("ORGANIZATION_NAME", "Cisco"), ("COMMON_NAME", cn)]
        for name, file in {**TOKENS, "regen": "pub-regenerated"}.items():
            for ending in ("key", "pem"):
                shutil.copy(self.cluster / f"{file}.{ending}", self.cluster / f"{name}.{ending}")
        make("rec", self.keys["rsa2048"], node("ITLRECOVERY_cucm-1051-a-pub"), serial=0x1201)
        make("rec2", self.keys["rsa1024b"], node("ITLRECOVERY_cucm-1051-a-pub"), serial=0x1202)
        make("rec-sub", self.keys["rsa1024"], node("ITLRecovery_cucm-1051-a-sub1"), serial=0x1207)
        make("tvs", self.keys["rsa1024"], node("TVS-cucm-1051-a-pub"), serial=0x1203)
        for number in range(2, 7):
            make(f"tvs{number}", self.keys["rsa1024"], node(f"TVS-{number}"), serial=0x1300 + number)
        make("tvs-new", self.keys["rsa1024b"], node("TVS-cucm-1051-a-pub"), serial=0x1310)
        make("dc", self.cluster / "pub.key", PUB_NAME, serial=0x1320, issuer=[
            ("DOMAIN_COMPONENT", "local"), ("DOMAIN_COMPONENT", "example"), ("COMMON_NAME", "example-CA")])
        make("stranger", self.keys["rsa1024"], node("somebody"), serial=0x1204)
        make("expired", self.keys["rsa1024"], node("old-node"), serial=0x1205,
             not_before=datetime.datetime(2010, 1, 1), not_after=datetime.datetime(2015, 1, 1))
        make("reissued", self.cluster / "pub.key", PUB_NAME, serial=0x1206)
        make("twin", self.keys["rsa1024b"], PUB_NAME, serial=self.load("pub").serial_number)
        make("t2-twin", self.keys["rsa1024b"], node("token's twin"), issuer=CA_NAME,
             serial=self.load("t2").serial_number)

    def cert(self, name):
        return self.cluster / f"{name}.pem"

    def key(self, name):
        return self.cluster / f"{name}.key"

    def load(self, name):
        return peerwrite.load(self.cert(name))

    def __getitem__(self, name):
        if name not in self.made:
            path = self.folder / "lists" / f"{name}.tlv"
            LISTS[name].make(self, path, name)
            self.made[name] = path
        return self.made[name]

    def bytes(self, name):
        return self[name].read_bytes()

    def trust(self, folder, files):
        """A folder of uploads: 'pub.pem t2.der rec.cer junk.pem'; '.der' and '.cer' are DER."""
        folder.mkdir()
        for file in files.split():
            name, ending = file.rsplit(".", 1)
            if name == "junk":
                (folder / file).write_bytes(b"no certificate\n")
            elif ending in ("pem", "crt"):
                shutil.copy(self.cert(name), folder / file)
            else:
                (folder / file).write_bytes(peerwrite.der(self.load(name)))
        return folder


@pytest.fixture(scope="module")
def world(tmp_path_factory, keys):
    return World(tmp_path_factory.mktemp("accept"), keys)


# The table -----------------------------------------------------------------------------------

# An ITL that is not shown is taken to have a TVS record ("itl") of today's certificate ("cert").
ASSUMES = {"itl": ("the ITL has a TVS record", "itl-has-tvs-record"),
           "cert": ("TVS still has the certificate that the ITL names", "tvs-certificate-kept"),
           "group": ("the phone's group has {nodes}", "group-has-node"),
           "own": ("the signer's certificate is the cluster's own", "signer-is-own"),
           "ctl": ("the TVS node serves the new list", "tvs-serves-new-list"),
           "tftp": ("phones take an ITL that a TFTP certificate signed", "tftp-signs-itl")}


@dataclass
class Case:
    """One row: what the phone holds, the options, NEW, and the first line that is expected."""
    what: str
    held: str
    new: str
    verdict: str
    assumes: str = ""
    options: str = ""
    uploads: str = ""  # files of --sast-trust; folders apart by '|'
    served: str = ""  # --tvs-ctl new, none, or a list
    today: str = ""  # --new-itl of an ITL, --tvs-cert of a certificate
    nodes: str = ""  # whose TVS is the same today, where others are not
    says: tuple = ()  # in the explanation
    warns: tuple = ()  # on standard error

    @property
    def first_line(self):
        texts = [ASSUMES[each][0].format(nodes=self.nodes) for each in self.assumes.split()]
        return self.verdict + (f" (assumes {'; '.join(texts)})" if texts else "")

    @property
    def status(self):
        return 0 if self.verdict.startswith("accepted") else 1


LEAP, SAST, TFTP, TVS = (f"accepted: {reason}" for reason in
                         ("leap-of-faith", "signer-is-sast", "signer-is-tftp", "tvs"))
UNKNOWN, NOT_SAST, AMBIGUOUS, LARGE, BAD, KIND = (
    f"refused: {reason}" for reason in ("signer-unknown", "signer-not-sast", "ambiguous-signer",
                                        "too-large", "bad-signature", "wrong-kind"))
# Words of the explanation that stand there where they are expected, and nowhere else.
WOULD, TURNED, RENAMED, WARNING = ("would match SAST record", "back to front", "issuer's name", "warning:")

CASES = [
    # Nothing installed.
    Case("the first CTL", "none", "ctl-pub", LEAP, says=("holds no list",)),
    Case("the first ITL", "none", "itl-pub", LEAP),
    Case("the first list, of a signer that nobody knows", "none", "ctl-stranger", LEAP),
    Case("the first list of tokens, without Security by Default", "none", "ctl-tokens", LEAP,
         options="--no-tvs"),
    Case("the first list in a community tool's dialect", "none", "ctl-semi", LEAP),
    Case("the first list, with a bad signature", "none", "ctl-pub-bad", LEAP, says=(WARNING,)),
    Case("the first list, signed with another key", "none", "ctl-pub-by-other", LEAP, says=(WARNING,)),
    Case("the first list, its signer not inside", "none", "ctl-pub-lost", LEAP, says=(WARNING,)),
    Case("the first list assumes nothing", "none", "ctl-pub", LEAP, options="--strict"),
    Case("the first ITL is checked with the CTL", "ctl-pub", "itl-stranger", UNKNOWN),
    Case("the first ITL, by a SAST of the CTL", "ctl-pub", "itl-pub", SAST,
         says=("record 1 of the installed CTL",)),
    Case("the first CTL is checked with the ITL", "itl-pub", "ctl-tokens", UNKNOWN),
    Case("the first CTL, by a SAST of the ITL", "itl-pub", "ctl-pub", SAST,
         says=("record 1 of the installed ITL",)),
    Case("a list without records is a list", "ctl-header", "ctl-rec", UNKNOWN),
    Case("and an ITL without records has no TVS", "itl-header", "ctl-pub", UNKNOWN, uploads="pub.pem"),

    # A SAST record of what is installed.
    Case("the same list again", "ctl-pub", "ctl-pub", SAST),
    Case("the same signer", "ctl-pub", "ctl-pub-later", SAST),
    Case("an older list: phones are not known to look", "ctl-pub-later", "ctl-pub-older", SAST),
    Case("another digest", "ctl-pub", "ctl-pub-sha256", SAST),
    Case("2048 bits and SHA-512", "ctl-regen", "ctl-regen-sha512", SAST),
    Case("the second SAST signs", "ctl-pub-rec", "ctl-rec", SAST, says=("record 2 of the installed CTL",)),
    Case("the second token signs", "ctl-tokens", "ctl-tokens-by-t1", SAST),
    Case("and the first again", "ctl-tokens-by-t1", "ctl-tokens", SAST),
    Case("a SAST needs no TVS", "ctl-tokens", "ctl-tokens-by-t1", SAST, options="--no-tvs --strict"),
    Case("tokens in a publisher's list keep their dialect", "ctl-tokens-cucm", "ctl-tokens", SAST),
    Case("mixed → non-secure", "ctl-tokens", "ctl-non-secure", SAST),
    Case("non-secure → mixed", "ctl-non-secure", "ctl-tokens", SAST),
    Case("a software signer in the CTL Client's dialect", "ctl-client-pub", "ctl-client-pub", SAST),
    Case("rfc4514 with ','", "ctl-comma", "ctl-comma", SAST),
    Case("rfc4514 with ';'", "ctl-semi", "ctl-semi", SAST),
    Case("rfc4514, 2048 bits", "ctl-comma-regen", "ctl-comma-regen", SAST),
    Case("rfc4514, tokens", "ctl-comma-tokens", "ctl-comma-tokens", SAST),
    Case("an expired signer: phones are not known to look", "ctl-expired", "ctl-expired", SAST),
    Case("ITL → ITL", "itl-pub", "itl-pub-no-tvs", SAST),
    Case("ITL → ITL, by ITLRecovery", "itl-rec", "itl-rec-no-tvs", SAST),
    Case("CTL and ITL, the CTL knows", "ctl-pub itl-rec", "ctl-pub-later", SAST, says=("installed CTL",)),
    Case("CTL and ITL, the ITL knows", "ctl-pub itl-rec", "ctl-rec", SAST, says=("installed ITL",)),
    Case("ITL first on the command line", "itl-rec ctl-pub", "ctl-pub-later", SAST, says=("installed CTL",)),
    Case("CTL and ITL, both know", "ctl-pub itl-pub", "ctl-pub-later", SAST),
    Case("what is installed need not verify", "ctl-pub-bad", "ctl-pub", SAST),
    Case("nor have its signer inside", "ctl-stranger-lost", "ctl-pub", SAST),
    Case("nor must NEW", "ctl-pub", "ctl-pub-lost", SAST),
    Case("SAST and CCM+TFTP are one key", "ctl-pub", "ctl-bridge", SAST),
    Case("a record with the certificate's hash has its key", "ctl-pub-hash", "ctl-pub", SAST),
    Case("the key stands in the same node's other record", "ctl-pub-hash-twice", "ctl-pub", SAST),
    Case("and one without a key differs from none", "ctl-pub-hash-after", "ctl-pub", SAST),
    Case("64 KiB", "ctl-pub", "ctl-65536", SAST),
    Case("a blanked ITL does not touch the CTL", "ctl-pub", "ctl-pub-later", SAST, options="--blank-itl"),

    # SAST, but the signature is not that key's.
    Case("a changed signature", "ctl-pub", "ctl-pub-bad", BAD),
    Case("a signature by another key", "ctl-pub", "ctl-pub-by-other", BAD),
    Case("a token's", "ctl-tokens", "ctl-tokens-bad", BAD),
    Case("an ITL's", "itl-rec", "itl-rec-bad", BAD),
    Case("an ITL's, by the CTL", "ctl-rec", "itl-rec-bad", BAD),
    Case("the same name with another key", "ctl-pub", "ctl-twin", BAD),
    Case("TVS is not asked, though it would vouch", "ctl-pub", "ctl-twin", BAD, uploads="twin.pem"),
    Case("nor where the phone's ITL names one", "ctl-pub itl-rec", "ctl-twin", BAD, uploads="twin.pem"),
    Case("a token's twin", "ctl-tokens", "ctl-twin-of-t2", BAD, uploads="t2-twin.pem"),
    Case("a hash alone has no key", "ctl-pub-hash-only", "ctl-pub", BAD),

    # Bytes decide, dialects only explain.
    Case("CTL Client's → straight serial number and CUCM's issuer", "ctl-tokens", "ctl-t2-straight", UNKNOWN,
         says=(f"{WOULD} 5 of the installed CTL", TURNED, RENAMED)),
    Case("and back", "ctl-t2-straight", "ctl-tokens", UNKNOWN,
         says=(f"{WOULD} 1 of the installed CTL", TURNED, RENAMED)),
    Case("CTL Client's → CUCM's issuer alone", "ctl-tokens", "ctl-t2-respelled", UNKNOWN,
         says=(WOULD, RENAMED)),
    Case("CUCM's → the serial number turned alone", "ctl-pub", "ctl-pub-turned", UNKNOWN,
         says=(WOULD, TURNED)),
    Case("turned → CUCM's", "ctl-pub-turned", "ctl-pub", UNKNOWN, says=(WOULD, TURNED), options="--no-tvs"),
    Case("CUCM's → a leading zero byte", "ctl-pub", "ctl-pub-zero", UNKNOWN),
    Case("CUCM's → CTL Client's", "ctl-pub", "ctl-client-pub", UNKNOWN, says=(WOULD, TURNED, RENAMED)),
    Case("CTL Client's → CUCM's", "ctl-client-alone", "ctl-pub", UNKNOWN, says=(WOULD, TURNED, RENAMED), options="--no-tvs"),
    Case("CTL Client's → CUCM's, which is there in another role", "ctl-client-pub", "ctl-pub", NOT_SAST, options="--no-tvs"),
    Case("CUCM's → ','", "ctl-pub", "ctl-comma", UNKNOWN,
         says=(f"{WOULD} 1 of the installed CTL", RENAMED)),
    Case("CUCM's → ';'", "ctl-pub", "ctl-semi", UNKNOWN, says=(WOULD, RENAMED)),
    Case("',' → CUCM's", "ctl-comma", "ctl-pub", UNKNOWN, says=(WOULD, RENAMED), options="--no-tvs"),
    Case("';' → CUCM's", "ctl-semi", "ctl-pub", UNKNOWN, says=(WOULD, RENAMED), options="--no-tvs"),
    Case("',' → ';'", "ctl-comma", "ctl-semi", UNKNOWN, says=(WOULD, RENAMED)),
    Case("';' → ','", "ctl-semi", "ctl-comma", UNKNOWN, says=(WOULD, RENAMED)),
    Case("CTL Client's → ',' of a token", "ctl-tokens", "ctl-comma-tokens", UNKNOWN,
         says=(WOULD, TURNED, RENAMED)),
    Case("CUCM's ITL → ','", "itl-pub", "itl-comma", UNKNOWN,
         says=(f"{WOULD} 1 of the installed ITL", RENAMED)),
    Case("the second list that is held", "ctl-rec-sub1 itl-pub", "ctl-comma", UNKNOWN,
         says=(f"{WOULD} 1 of the installed ITL", RENAMED)),
    Case("names the CTL Client's dialect", "ctl-tokens itl-rec", "ctl-t2-straight", UNKNOWN,
         says=(WOULD, TURNED, RENAMED, "ctl-client")),
    Case("names CUCM's dialect", "ctl-pub itl-rec", "ctl-comma", UNKNOWN, says=(WOULD, RENAMED, "cucm")),
    Case("names the community tools' dialect", "ctl-comma itl-rec", "ctl-client-pub", UNKNOWN,
         says=(WOULD, TURNED, RENAMED, "rfc4514")),
    Case("turned, its record not inside", "ctl-pub", "ctl-pub-turned-lost", UNKNOWN, says=(WOULD, TURNED)),
    Case("respelled, its record not inside", "ctl-pub", "ctl-comma-lost", UNKNOWN, says=(WOULD, RENAMED)),
    Case("only explained, not accepted, without TVS too", "ctl-tokens", "ctl-t2-straight", UNKNOWN,
         options="--no-tvs", says=(WOULD, TURNED, RENAMED)),
    Case("a renewed certificate of the same name and key is nobody's spelling", "ctl-pub", "ctl-reissued",
         UNKNOWN),

    # Two records of one name.
    Case("two SAST of one name in the CTL", "ctl-pub-twin", "ctl-pub", AMBIGUOUS),
    Case("and the other of them signs", "ctl-pub-twin", "ctl-twin", AMBIGUOUS),
    Case("SAST and another role in the CTL", "ctl-pub-twin-capf", "ctl-pub", AMBIGUOUS),
    Case("one in the CTL, one in the ITL", "ctl-pub itl-twin", "ctl-pub-later", AMBIGUOUS),
    Case("as another role in the ITL", "ctl-pub itl-twin-tftp", "ctl-pub-later", AMBIGUOUS),
    Case("for an ITL too", "ctl-pub itl-twin", "itl-pub", AMBIGUOUS),
    Case("TVS is not asked", "ctl-pub itl-twin", "ctl-pub", AMBIGUOUS, uploads="pub.pem"),
    Case("matters to this signer only", "ctl-pub-twin itl-rec", "ctl-rec", SAST),

    # Another role.
    Case("CAPF", "ctl-pub", "ctl-capf", NOT_SAST, says=("record 3 of the installed CTL",)),
    Case("CCM+TFTP, for a CTL", "ctl-pub", "ctl-sub1", NOT_SAST, options="--no-tvs"),
    Case("TFTP, for a CTL", "itl-rec-tftp", "ctl-sub1", NOT_SAST, says=("installed ITL",), options="--no-tvs"),
    Case("CCM, for an ITL", "itl-rec-ccm", "itl-sub1", NOT_SAST, options="--no-tvs"),
    Case("CAPF, for an ITL", "ctl-pub", "itl-capf", NOT_SAST),
    Case("TVS, for an ITL", "itl-rec", "itl-tvs", NOT_SAST),
    Case("a bad signature in another role", "ctl-pub", "ctl-sub1-bad", NOT_SAST),
    Case("a name is no rule: not an ITL inside", "ctl-pub", "ctl-named-oddly", NOT_SAST, options="--no-tvs"),
    Case("emptied records know nobody", "ctl-emptied", "ctl-sub1", UNKNOWN, options="--no-tvs"),

    # ITLs by the TFTP server.
    Case("CCM+TFTP of the CTL", "ctl-pub", "itl-sub1", TFTP, "tftp", says=("record 4 of the installed CTL",)),
    Case("CCM+TFTP of the ITL", "itl-rec", "itl-pub", TFTP, "tftp", says=("installed ITL",)),
    Case("TFTP of the ITL", "itl-rec-tftp", "itl-sub1", TFTP, "tftp"),
    Case("TFTP of the ITL, the CTL knowing nothing", "ctl-stranger-only itl-rec-tftp", "itl-sub1", TFTP, "tftp"),
    Case("without Security by Default", "ctl-pub", "itl-sub1", TFTP, "tftp", options="--no-tvs"),
    Case("a phone's own ITL", "ctl-pub", "itl-per-phone", TFTP, "tftp"),
    Case("with a bad signature", "ctl-pub", "itl-sub1-bad", BAD),
    Case("by a record with a hash", "itl-rec-hash", "itl-sub1", TFTP, "tftp"),
    Case("emptied records sign nothing", "ctl-emptied", "itl-sub1", UNKNOWN, options="--no-tvs"),

    # TVS: who can ask.
    Case("an ITL that is not shown", "ctl-pub", "ctl-regen", TVS, "itl cert", uploads="regen.pem"),
    Case("an ITL with a TVS record", "ctl-pub itl-pub", "ctl-regen", TVS, "cert", uploads="regen.pem"),
    Case("an ITL with a TVS record alone", "itl-pub", "ctl-regen", TVS, "cert", uploads="regen.pem"),
    Case("an ITL with a TVS record's hash", "itl-rec-hash", "ctl-regen", TVS, "cert", uploads="regen.pem"),
    Case("an ITL without a TVS record", "ctl-pub itl-pub-no-tvs", "ctl-regen", UNKNOWN, uploads="regen.pem"),
    Case("an ITL without a TVS record alone", "itl-pub-no-tvs", "ctl-regen", UNKNOWN, uploads="regen.pem"),
    Case("a blanked ITL", "ctl-pub", "ctl-regen", UNKNOWN, uploads="regen.pem", options="--blank-itl"),
    Case("a blanked ITL alone takes any new ITL", "itl-pub", "itl-regen-none", LEAP, options="--blank-itl --strict",
         says=("was blanked", "[SG15]")),
    Case("a blanked ITL alone is no reason to take a CTL", "itl-pub", "ctl-regen", UNKNOWN, options="--blank-itl"),
    Case("a blanked ITL beside a CTL", "ctl-pub itl-pub", "itl-regen-none", UNKNOWN, options="--blank-itl"),
    Case("a blanked ITL, once with a TVS record", "ctl-pub itl-pub", "ctl-regen", UNKNOWN,
         uploads="regen.pem",
         options="--blank-itl"),
    Case("no Security by Default", "ctl-pub", "ctl-regen", UNKNOWN, uploads="regen.pem", options="--no-tvs",
         warns=("--sast-trust",)),
    Case("no uploads", "ctl-pub", "ctl-regen", TVS, "itl cert own"),
    Case("a new ITL", "ctl-pub", "itl-regen", TVS, "itl cert", uploads="regen.pem"),
    Case("a new ITL, from an ITL", "itl-rec", "itl-regen", TVS, uploads="regen.pem"),

    # TVS: whom it knows.
    Case("the node's own renewed CallManager, whatever is served", "ctl-pub itl-pub", "ctl-regen", TVS, "cert",
         uploads="regen.pem", served="none"),
    Case("its DER", "ctl-pub itl-pub", "ctl-regen", TVS, "cert", uploads="regen.der", served="none"),
    Case("ITLRecovery", "ctl-pub itl-pub", "ctl-rec", TVS, "cert", uploads="rec.cer", served="none"),
    Case("one of several", "ctl-pub itl-pub", "ctl-rec", TVS, "cert",
         uploads="capf.pem rec.crt t1.der", served="none"),
    Case("one of several folders", "ctl-pub itl-pub", "ctl-rec", TVS, "cert", uploads="t1.pem t2.pem|rec.pem"),
    Case("a file that is no certificate costs a warning", "ctl-pub itl-pub", "ctl-rec", TVS, "cert",
         uploads="junk.pem rec.pem", warns=("junk.pem",)),
    Case("others only", "ctl-pub itl-pub", "ctl-stranger", UNKNOWN, uploads="pub.pem rec.pem t2.pem"),
    Case("the renewed one under the same key and name", "ctl-pub itl-pub", "ctl-reissued", UNKNOWN,
         uploads="pub.pem"),
    Case("a match in another role", "ctl-pub", "ctl-sub1", TVS, "itl cert", uploads="sub1.pem"),
    Case("and where TVS does not know it", "ctl-pub itl-pub", "ctl-capf", NOT_SAST, uploads="pub.pem"),
    Case("the way to CallManager as signer, through TVS", "ctl-tokens", "ctl-pub", TVS, "itl cert",
         uploads="pub.pem"),
    Case("its signature is by another key", "ctl-tokens itl-rec", "ctl-twin", BAD, "cert", uploads="pub.pem"),
    Case("its signature is bad", "ctl-pub itl-pub", "ctl-regen-bad", BAD, "cert", uploads="regen.pem"),
    Case("its signature is by a key that was installed", "ctl-pub itl-pub", "ctl-regen-by-other", BAD, "cert",
         uploads="regen.pem pub.pem"),
    Case("a bad signature on an assumption", "ctl-pub", "ctl-regen-bad", BAD, "itl cert", uploads="regen.pem"),
    Case("a signature by the vouched twin", "ctl-rec-sub1 itl-rec", "ctl-twin", TVS, "cert", uploads="twin.pem"),

    # TVS: which certificate it has today. The phone holds the ITL, so that nothing is guessed.
    Case("the same TVS, by the new ITL", "itl-pub", "itl-regen", TVS, uploads="regen.pem", options="--strict"),
    Case("CallManager and the only TVS renewed together", "itl-pub", "itl-regen-none", UNKNOWN,
         uploads="regen.pem", says=("cannot ask TVS",)),
    Case("and with a CTL beside it", "ctl-pub itl-pub", "itl-regen-none", UNKNOWN, uploads="regen.pem"),
    Case("CallManager renewed, one of two TVS too", "itl-two", "itl-regen-one", TVS, "group",
         nodes="cucm-tvs2", uploads="regen.pem"),
    Case("strict: one of two TVS is renewed", "itl-two", "itl-regen-one", "refused: tvs", "group",
         nodes="cucm-tvs2", uploads="regen.pem", options="--strict"),
    Case("both TVS are the same, in another order", "itl-two", "itl-regen-both", TVS, uploads="regen.pem",
         options="--strict"),
    Case("one TVS less is no renewal", "itl-two", "itl-regen", TVS, uploads="regen.pem", options="--strict"),
    Case("one TVS more, which the phone does not know", "itl-pub", "itl-regen-both", TVS, "group",
         nodes="cucm-tvs", uploads="regen.pem"),
    Case("many nodes are counted", "itl-six", "itl-regen-five", TVS, "group",
         nodes="cucm-tvs6 or cucm-tvs5 or cucm-tvs4 or cucm-tvs3 or 1 more", uploads="regen.pem"),
    Case("and each once", "itl-six-twice", "itl-regen-five", TVS, "group",
         nodes="cucm-tvs6 or cucm-tvs5 or cucm-tvs4 or cucm-tvs3 or 1 more", uploads="regen.pem"),
    Case("a new ITL that names no TVS says nothing", "itl-pub", "itl-regen-no-tvs", TVS, "cert",
         uploads="regen.pem"),
    Case("but others may say it", "itl-pub", "itl-regen-no-tvs", UNKNOWN, uploads="regen.pem", today="tvs-new"),
    Case("a TVS record with a hash equals no certificate", "itl-two-hash", "itl-regen-both", UNKNOWN,
         uploads="regen.pem"),
    Case("a renewed TVS matters to nobody whose signer is SAST", "itl-rec", "itl-rec-no-tvs",
         SAST, today="tvs-new"),
    Case("today's ITL, for a CTL", "ctl-pub itl-two", "ctl-regen", TVS, uploads="regen.pem", today="itl-regen-both",
         options="--strict"),
    Case("today's ITL has one TVS renewed", "ctl-pub itl-two", "ctl-regen", TVS, "group", nodes="cucm-tvs2",
         uploads="regen.pem", today="itl-regen-one"),
    Case("today's ITL has all renewed", "ctl-pub itl-two", "ctl-regen", UNKNOWN, uploads="regen.pem",
         today="itl-regen-none", says=("cannot ask TVS",)),
    Case("two of today's ITLs", "ctl-pub itl-two", "ctl-regen", TVS, "group", nodes="cucm-tvs",
         uploads="regen.pem", today="itl-regen-none itl-pub"),
    Case("today's certificate", "ctl-pub itl-two", "ctl-regen", TVS, uploads="regen.pem", today="tvs2",
         options="--strict"),
    Case("today's certificates", "ctl-pub itl-two", "ctl-regen", TVS, uploads="regen.pem", today="tvs tvs2"),
    Case("today's certificate is another", "ctl-pub itl-two", "ctl-regen", UNKNOWN, uploads="regen.pem",
         today="tvs-new"),
    Case("one of today's certificates is another", "ctl-pub itl-two", "ctl-regen", TVS, "group",
         nodes="cucm-tvs", uploads="regen.pem", today="tvs-new tvs"),
    Case("certificate and ITL", "ctl-pub itl-two", "ctl-regen", TVS, "group", nodes="cucm-tvs2",
         uploads="regen.pem", today="tvs2 itl-regen-none"),
    Case("today's certificate, of an ITL that is not shown", "ctl-pub", "ctl-regen", TVS, "itl cert",
         uploads="regen.pem", today="tvs2"),
    Case("a renewed TVS hides what it would know", "ctl-pub itl-two", "ctl-sub1", NOT_SAST, uploads="sub1.pem",
         today="tvs-new"),

    # TVS: the cluster's own certificates, which nobody has uploaded.
    Case("the publisher's CallManager was renewed, tokenless, before 12.0", "ctl-pub", "ctl-regen", TVS,
         "itl cert own", options="--release 10.5"),
    Case("strict: and it is not known to be its own", "ctl-pub itl-pub", "ctl-regen", "refused: tvs", "own",
         today="tvs", options="--strict"),
    Case("strict: and it is known", "ctl-pub itl-pub", "ctl-regen", TVS, uploads="regen.pem", today="tvs",
         options="--strict"),
    Case("its signature is another's", "ctl-pub itl-pub", "ctl-regen-by-other", BAD, "own", today="tvs"),
    Case("a signer that no server record names is nobody's own", "ctl-pub itl-pub", "ctl-stranger", UNKNOWN,
         today="tvs"),
    Case("another cluster's is not the own", "ctl-stranger-only itl-rec", "ctl-elsewhere", UNKNOWN, today="tvs",
         says=("another cluster's", "[213407, SG-CTL]")),
    Case("another cluster's, which was uploaded", "ctl-stranger-only itl-rec", "ctl-elsewhere", TVS, uploads="sub1.pem", today="tvs"),
    Case("another cluster's, of one token with the phone's", "ctl-token-pub itl-rec", "ctl-elsewhere-token", UNKNOWN, today="tvs"),
    Case("one held list has the new one's node", "ctl-rec-sub1 itl-rec", "ctl-elsewhere", TVS, "own", today="tvs"),
    Case("CAPF is not CallManager", "ctl-pub itl-pub", "ctl-capf", NOT_SAST, today="tvs"),
    Case("own, in the CTL Client's dialect: TVS looks for CUCM's", "ctl-tokens itl-rec", "ctl-client-alone",
         UNKNOWN, today="tvs"),
    Case("ITLRecovery from 12.0 on", "ctl-pub itl-pub", "ctl-rec", TVS, "own", today="tvs",
         options="--release 12.0"),
    Case("ITLRecovery in 15", "ctl-pub itl-pub", "ctl-rec", TVS, "own", today="tvs", options="--release 15"),
    Case("ITLRecovery before 12.0", "ctl-pub itl-pub", "ctl-rec", UNKNOWN, today="tvs",
         options="--release 11.5"),
    Case("ITLRecovery of a release that nobody says", "ctl-pub itl-pub", "ctl-rec", UNKNOWN, today="tvs"),

    Case("an older list, whose CallManager was renewed since", "ctl-regen-later itl-rec-ccm", "ctl-pub", UNKNOWN,
         today="tvs"),
    Case("an older list, whose ITLRecovery was renewed since", "ctl-rec2-later itl-pub", "ctl-rec", UNKNOWN,
         today="tvs", options="--release 12.5"),
    Case("an older list of the same CallManager", "ctl-t2-later itl-rec-ccm", "ctl-pub", TVS, "own", today="tvs"),
    Case("an older ITL, whose CallManager was renewed since", "itl-regen-later", "itl-pub", UNKNOWN),
    Case("a later list of the other kind says nothing", "ctl-tokens itl-regen-later", "ctl-pub", TVS, "own",
         today="tvs"),

    Case("an older ITL of a node that the later one names, too", "itl-regen-other-node-later", "itl-sub1", TVS,
         uploads="sub1.pem", options="--strict"),
    Case("an older ITL of another node", "itl-regen-later", "itl-sub1", TVS, "own"),
    Case("an older ITL by another node's ITLRecovery", "itl-rec-sub-later", "itl-rec", TVS, "own",
         options="--release 12.0"),
    Case("the cluster has one ITLRecovery from 12.5 on", "itl-rec-sub-later", "itl-rec", UNKNOWN,
         options="--release 12.5"),
    Case("an older list, and the later one is non-secure", "ctl-non-secure itl-rec-ccm", "ctl-pub-older", TVS, "own",
         today="tvs"),
    Case("an older list by ITLRecovery, and the later one of tokens has none", "ctl-t2-later itl-pub", "ctl-rec", TVS,
         "own", today="tvs", options="--release 12.5"),
    Case("an older list, and the later one has the hash of another in its place", "ctl-rec-hash itl-rec-ccm",
         "ctl-pub-older", TVS, "own", today="tvs"),
    Case("an older list, and the later one has its certificate in another role", "ctl-t2-ccm-later itl-rec-ccm",
         "ctl-pub", TVS, "own", today="tvs"),
    Case("an older list of a node that the later CTL no longer names", "ctl-pub-later itl-rec", "ctl-sub1", UNKNOWN,
         today="tvs"),
    Case("own, of a TFTP server", "ctl-tokens itl-rec", "ctl-sub1-tftp", TVS, "own", today="tvs"),
    Case("own, of a server without TFTP: nobody says so", "ctl-stranger-only itl-rec", "ctl-sub1-ccm", UNKNOWN,
         today="tvs"),
    Case("an application server is no CallManager", "ctl-stranger-only itl-rec", "ctl-sub1-app", UNKNOWN, today="tvs"),
    Case("a TVS record twice is one node", "itl-pub", "itl-regen-twice", TVS, "group", nodes="cucm-tvs",
         uploads="regen.pem"),

    Case("a node twice in the phone's ITL is one node", "itl-regen-twice", "itl-six", TVS, "group",
         nodes="cucm-tvs or cucm-tvs2", uploads="pub.pem"),

    # TVS says for certain what a TFTP certificate leaves open.
    Case("an ITL by CCM+TFTP, which TVS knows", "itl-rec", "itl-pub", TVS, uploads="pub.pem"),
    Case("strict: an ITL by CCM+TFTP, which TVS knows", "itl-rec", "itl-pub", TVS, uploads="pub.pem",
         options="--strict"),
    Case("an ITL by CCM+TFTP's twin, which TVS knows", "itl-rec", "itl-twin", TVS, uploads="twin.pem"),
    Case("an ITL by CCM+TFTP's twin, the cluster's own", "itl-twin-tftp", "itl-pub", TVS, "own"),

    # Names: TVS looks for CN OU O L ST C alone.
    Case("an AD CA's certificate, as CUCM spells it", "ctl-tokens itl-rec", "ctl-dc", TVS, today="tvs",
         uploads="dc.pem"),
    Case("the same, own", "ctl-tokens itl-rec", "ctl-dc", TVS, "own", today="tvs"),
    Case("the same as releases 0.x spelled it", "ctl-tokens itl-rec", "ctl-dc-former", UNKNOWN, today="tvs",
         served="none", uploads="dc.pem",
         says=("TVS has the certificate", "'CN=example-CA' there, 'CN=example-CA;DC=local;DC=example' here")),
    Case("and found in the CTL that TVS serves", "ctl-tokens itl-rec", "ctl-dc-former", TVS, "ctl", today="tvs",
         uploads="dc.pem"),
    Case("0.x's → CUCM's", "ctl-dc-former itl-rec", "ctl-dc", UNKNOWN, options="--no-tvs",
         says=(f"{WOULD} 1 of the installed CTL", RENAMED,
               "'CN=example-CA;DC=local;DC=example' there, 'CN=example-CA' here")),
    Case("CUCM's → 0.x's", "ctl-dc itl-rec", "ctl-dc-former-lost", UNKNOWN,
         says=(f"{WOULD} 1 of the installed CTL", RENAMED)),

    # TVS: as the server's own CTL spells it.
    Case("a token, uploaded and served", "ctl-pub", "ctl-tokens", TVS, "itl cert ctl", uploads="t2.pem"),
    Case("as DER", "ctl-pub", "ctl-tokens", TVS, "itl cert ctl", uploads="t2.der"),
    Case("both tokens", "ctl-pub itl-pub", "ctl-tokens-by-t1", TVS, "cert ctl", uploads="t1.cer t2.cer"),
    Case("served, as is said", "ctl-pub itl-pub", "ctl-tokens", TVS, "cert ctl", uploads="t2.pem", served="new"),
    Case("served, as is shown", "ctl-pub itl-pub", "ctl-tokens", TVS, "cert", uploads="t2.pem", served="ctl-tokens"),
    Case("served, in another list", "ctl-pub itl-pub", "ctl-tokens", TVS, "cert",
         uploads="t2.pem", served="ctl-way-back"),
    Case("not served", "ctl-pub itl-pub", "ctl-tokens", UNKNOWN, uploads="t2.pem", served="none"),
    Case("the old list is served", "ctl-pub itl-pub", "ctl-tokens", UNKNOWN,
         uploads="t2.pem", served="ctl-pub"),
    Case("served in another dialect", "ctl-pub itl-pub", "ctl-tokens", UNKNOWN,
         uploads="t2.pem", served="ctl-comma-tokens"),
    Case("served in another role", "ctl-pub itl-pub", "ctl-tokens", UNKNOWN,
         uploads="t2.pem", served="ctl-t2-as-capf"),
    Case("served, not uploaded", "ctl-pub itl-pub", "ctl-tokens", UNKNOWN),
    Case("served as is shown, not uploaded", "ctl-pub itl-pub", "ctl-tokens", UNKNOWN, served="ctl-tokens"),
    Case("served, the other one uploaded", "ctl-pub itl-pub", "ctl-tokens", UNKNOWN, uploads="t1.pem"),
    Case("served, a twin uploaded", "ctl-pub itl-pub", "ctl-tokens", UNKNOWN, uploads="t2-twin.pem"),
    Case("served, with a bad signature", "ctl-pub itl-pub", "ctl-tokens-bad", BAD, "cert ctl", uploads="t2.pem"),
    Case("a token as CUCM would spell it needs no list", "ctl-pub itl-pub", "ctl-t2-straight", TVS, "cert",
         uploads="t2.pem", served="none"),
    Case("a token in rfc4514 does", "ctl-pub itl-pub", "ctl-comma-tokens", UNKNOWN,
         uploads="t2.pem", served="none"),
    Case("and is found there", "ctl-pub itl-pub", "ctl-comma-tokens", TVS, "cert ctl", uploads="t2.pem"),
    Case("with ';' too", "ctl-pub itl-pub", "ctl-semi-tokens", TVS, "cert ctl", uploads="t2.pem"),
    Case("an ITL in rfc4514 is not the CTL that is served", "ctl-tokens itl-rec", "itl-comma", UNKNOWN,
         uploads="pub.pem"),
    Case("but its signer may be in that CTL", "ctl-tokens itl-rec", "itl-comma", TVS, uploads="pub.pem",
         served="ctl-comma", options="--strict"),
    Case("a server in rfc4514 is not found under CUCM's spelling", "ctl-tokens itl-rec", "ctl-comma-regen",
         UNKNOWN,
         uploads="regen.pem", served="none"),

    # --strict: an assumption is a refusal.
    Case("strict: the ITL is assumed", "ctl-pub", "ctl-regen", "refused: tvs", "itl cert", uploads="regen.pem",
         options="--strict"),
    Case("strict: the ITL is shown", "ctl-pub itl-pub", "ctl-regen", TVS,
         uploads="regen.pem", options="--strict", today="itl-pub"),
    Case("strict: the list is assumed to be served", "ctl-pub itl-pub", "ctl-tokens", "refused: tvs", "ctl",
         uploads="t2.pem", options="--strict", today="tvs"),
    Case("strict: the list is shown", "ctl-pub itl-pub", "ctl-tokens", TVS,
         uploads="t2.pem", served="ctl-tokens",
         options="--strict", today="tvs"),
    Case("strict: both are assumed", "ctl-pub", "ctl-tokens", "refused: tvs", "itl cert ctl", uploads="t2.pem",
         options="--strict"),

    # Over 64 KiB, before all else.
    Case("one byte over 64 KiB", "ctl-pub", "ctl-65537", LARGE),
    # Under the other kind's name.
    Case("an ITL served as a CTL", "ctl-pub", "ctl-named-itl", KIND),
    Case("a CTL served as an ITL", "itl-sub1", "itl-named-ctl", KIND),
    Case("a CTL served as an external ITL, in small letters", "itl-sub1", "ext_itl-named-ctl", KIND),
    Case("an external ITL served as a CTL, in small letters inside", "ctl-pub", "ctl-named-itl-small", KIND),
    Case("an ITL in small letters inside", "ctl-pub", "itl-small", TFTP, "tftp"),
    Case("the other kind, as first list", "none", "ctl-named-itl", KIND),
    Case("a name that says no kind", "ctl-pub", "other-name-of-a-ctl", SAST),

    Case("far over", "ctl-pub", "ctl-large", LARGE),
    Case("over, as first list", "none", "ctl-large", LARGE),
    Case("over, as first ITL", "none", "itl-65537", LARGE),
    Case("over, of an unknown signer", "ctl-rec-sub1", "ctl-large", LARGE),
    Case("over, of an ambiguous signer", "ctl-pub-twin", "ctl-65537", LARGE),
    Case("over, TVS vouching", "ctl-tokens", "ctl-65537", LARGE, uploads="pub.pem"),
    Case("over, but installed", "ctl-large", "ctl-pub", SAST),

    # Anchors and migrations.
    Case("both anchors changed", "ctl-pub-rec", "ctl-both-new", UNKNOWN, options="--no-tvs"),
    Case("both anchors changed, TVS knowing", "ctl-pub-rec", "ctl-both-new", TVS, "itl cert",
         uploads="regen.pem"),
    Case("both anchors changed, for CTL and ITL", "ctl-pub-rec itl-pub", "ctl-both-new", TVS, "cert own"),
    Case("one anchor changed, it signs", "ctl-pub-rec", "ctl-regen", UNKNOWN, options="--no-tvs"),
    Case("one anchor changed, the other signs", "ctl-pub-rec", "ctl-regen-by-rec", SAST),
    Case("and then the changed one", "ctl-regen-by-rec", "ctl-regen", SAST),
    Case("tokenless → tokens in one step", "ctl-pub", "ctl-tokens", UNKNOWN, options="--no-tvs"),
    Case("the bridge", "ctl-pub", "ctl-bridge", SAST, options="--no-tvs"),
    Case("from the bridge to the tokens", "ctl-bridge", "ctl-tokens", SAST, options="--no-tvs"),
    Case("the old list again is refused", "ctl-tokens", "ctl-pub", NOT_SAST, options="--no-tvs"),
    Case("the way back", "ctl-tokens", "ctl-way-back", SAST, options="--no-tvs"),
    Case("and from there the old list", "ctl-way-back", "ctl-pub", SAST, options="--no-tvs"),
    Case("11.5's tokens → tokenless", "ctl-tokens-115", "ctl-pub-rec", SAST, options="--no-tvs"),
    Case("9.1's tokens → tokenless", "ctl-tokens", "ctl-rec", UNKNOWN, options="--no-tvs"),
    Case("a stranger's list", "ctl-pub itl-pub", "ctl-stranger", UNKNOWN),
    Case("a stranger's list with a bad signature", "ctl-pub itl-pub", "ctl-stranger-bad", UNKNOWN),
]


def case_id(case):
    return f"{case.what}: {case.verdict.split(': ')[1]}".replace(" ", "-").replace("→", "to")


def words(world, case, tmp_path):
    """The command line of a case."""
    line = ["accept"]
    for held in case.held.split():
        line += ["--installed", "none" if held == "none" else world[held]]
    for number, files in enumerate(case.uploads.split("|") if case.uploads else []):
        line += ["--sast-trust", world.trust(tmp_path / f"uploads-{number}", files)]
    if case.served:
        line += ["--tvs-ctl", case.served if case.served in ("new", "none") else world[case.served]]
    for name in case.today.split():
        line += ["--new-itl", world[name]] if name in LISTS else ["--tvs-cert", world.cert(name)]
    return [*line, *case.options.split(), world[case.new]]


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_case(world, tmp_path, case):
    line = words(world, case, tmp_path)
    run = world.run(*line)
    first, *rest = run.out.splitlines()
    assert (run.status, first) == (case.status, case.first_line), str(run)
    explanation = "\n".join(rest)
    assert explanation, str(run)
    for fragment in case.says:
        assert fragment in explanation, f"does not say {fragment!r}\n{run}"
    for fragment in (WOULD, TURNED, RENAMED, WARNING):
        due = any(said.startswith(fragment) for said in case.says)
        assert (fragment in explanation) == due, f"{fragment!r}: {due}\n{run}"
    assert bool(run.err) == bool(case.warns), str(run)
    for fragment in case.warns:
        assert "ctlsign: warning: " in run.err and fragment in run.err, str(run)
    # A refusal has its cure; nobody cures an acceptance.
    if "--strict" not in case.options:
        assert ("cure:" in explanation) == (case.status == 1), str(run)
        lost = "signer-unknown" in run.out or "signer-not-sast" in run.out
        assert ("plan --recover" in explanation and "DRS restore" in explanation) == lost, str(run)

    document = world.run(*line, "--json")
    assert document.status == case.status, str(document)
    answer = json.loads(document.out)
    assert answer["accepted"] is (case.status == 0)
    assert answer["reason"] == case.verdict.split(": ")[1]
    assert answer["assumptions"] == [ASSUMES[each][1] for each in case.assumes.split()]
    # The line names as many nodes as the member has; beyond these it counts them.
    if "group" in case.assumes.split():
        named = re.sub(r" or [0-9]+ more$", "", case.nodes).split(" or ")
        assert answer["tvs_nodes"] == named and answer["tvs_nodes_total"] >= len(named)
        assert (answer["tvs_nodes_total"] > len(named)) == case.nodes.endswith(" more")
    cure = [f"cure: {answer['cure']}"] if answer["cure"] is not None else []
    assert answer["explanation"].splitlines() + cure == rest


def test_the_table_is_whole():
    """Every reason in the program's own table, and every case once; sixty were asked for."""
    ids = [case_id(case) for case in CASES]
    assert len(ids) >= 70 and len(set(ids)) == len(ids)
    asked = [(case.held, case.new, case.options, case.uploads, case.served, case.today, case.says)
             for case in CASES]
    twice = [which for which, n in collections.Counter(asked).items() if n > 1]
    assert not twice, twice
    verdicts = {("accepted: " if good == "true" else "refused: ") + word
                for _, word, good, *_ in tables.rows("reasons.def", "REASON")}
    assert verdicts == {LEAP, SAST, TFTP, TVS, UNKNOWN, NOT_SAST, AMBIGUOUS, LARGE, BAD, KIND}
    assert verdicts <= {case.verdict for case in CASES}
    # What is assumed of a printed list: tests/cli/test_text.py.
    rows = [row for row in tables.rows("assumptions.def", "ASSUMPTION") if row[0] != "SIGNATURE"]
    assert [(text.replace("%s", "{nodes}"), word) for _, word, text, *_ in rows] == list(ASSUMES.values())
    assert {each for case in CASES for each in case.assumes.split()} == set(ASSUMES)


def test_the_tables_lists_are_what_they_say(world):
    """The second writer's spelling of a list is the program's, and each twin is a twin."""
    def signer(name):
        header = peerlist.parse(world.bytes(name))["header"]
        return header["signer_serial"], header["signer_issuer"]
    assert signer("ctl-twin") == signer("ctl-pub") == signer("itl-twin")
    assert signer("ctl-twin-of-t2") == signer("ctl-tokens") == signer("ctl-way-back")
    straight, turned = signer("ctl-t2-straight"), signer("ctl-tokens")
    assert straight[0] == turned[0][::-1] and straight[1] != turned[1]
    assert signer("ctl-t2-respelled") == (turned[0], straight[1])
    assert signer("ctl-pub-turned") == (signer("ctl-pub")[0][::-1], signer("ctl-pub")[1])
    issuers = {signer(name)[1] for name in ("ctl-pub", "ctl-client-pub", "ctl-comma", "ctl-semi")}
    assert len(issuers) == 4


# The second opinion on the table ---------------------------------------------------------------

def second_opinion(world, case):
    """The same case put to the rules in Python: the first line they give."""
    held = [name for name in case.held.split() if name != "none"]
    phone = peeraccept.Phone(
        next((world.bytes(name) for name in held if name.startswith("ctl")), None),
        next((world.bytes(name) for name in held if name.startswith("itl")), None),
        "--no-tvs" not in case.options, "--blank-itl" in case.options)
    uploads = [world.load(file.rsplit(".", 1)[0])
               for file in case.uploads.replace("|", " ").split() if not file.startswith("junk")]
    served = {"": "new", "new": "new", "none": None}.get(case.served, case.served)
    release = re.search(r"--release (\S+)", case.options)
    today = case.today.split()
    cluster = peeraccept.Cluster(
        uploads, world.bytes(served) if served not in ("new", None) else served,
        [world.bytes(name) for name in today if name in LISTS],
        [world.load(name) for name in today if name not in LISTS],
        tuple(map(int, release[1].split("."))) if release else None)
    verdict = peeraccept.decide(world.bytes(case.new), phone, cluster, f"{case.new}.tlv")
    good = verdict.strictly() if "--strict" in case.options else verdict.accepted
    nodes = verdict.nodes if len(verdict.nodes) <= 4 else [*verdict.nodes[:4], f"{len(verdict.nodes) - 4} more"]
    return Case("", "", "", f"{'accepted' if good else 'refused'}: {verdict.reason}",
                " ".join(each for each in ASSUMES if each in verdict.assumes), nodes=" or ".join(nodes)).first_line


def test_the_second_opinion_agrees_with_the_table(world):
    """The rules in Python, once more, against what the table expects: no program is run."""
    opinions = [(case.what, case.first_line, second_opinion(world, case)) for case in CASES]
    assert not [each for each in opinions if each[1] != each[2]]


# Uploads that are drawn: TVS is not known to decide between two of one name.
UPLOADS = ["pub.pem", "regen.der", "rec.cer", "capf.pem", "sub1.crt", "t1.cer", "t2.pem",
           "stranger.pem", "expired.pem"]
TODAY = ["itl-pub", "itl-two", "itl-regen-one", "itl-regen-none", "itl-regen-both", "itl-six", "itl-comma",
         "tvs", "tvs2", "tvs3", "tvs-new"]
MISNAMED = [name for name in LISTS if "-named-ctl" in name or "-named-itl" in name]
DRAWN = [name for name in LISTS if name not in FAULTY and name not in MISNAMED and name != "other-name-of-a-ctl"]
DRAWS = 600


def relatives(world):
    """For every list: the lists that have a record with its signer's serial number, either way round."""
    serials = {name: {r["serial"] for r in peerlist.parse(world.bytes(name))["records"] if "serial" in r}
               for name in DRAWN}
    signers = {name: peerlist.parse_header(world.bytes(name))["signer_serial"] for name in DRAWN}
    return {name: [other for other in DRAWN if serials[other] & {signer, signer[::-1]}]
            for name, signer in signers.items()}


def naming_today(world):
    """The ITLs that name TVS's certificates of today themselves: to name others, too, is status 2."""
    parsed = {name: peerlist.parse(world.bytes(name)) for name in [*DRAWN, *MISNAMED]}
    return {name for name, each in parsed.items() if "ctl" not in each["header"]["filename"].lower()
            and any(record["role"] == 21 for record in each["records"])}


def draw(rng, related, naming):
    """A phone, its cluster, and a new list, of whose signer the phone has often heard."""
    new = rng.choice([*DRAWN, *MISNAMED])

    def installed(kind):
        pool = [name for name in (related.get(new, DRAWN) if rng.random() < .6 else DRAWN) if name.startswith(kind)]
        return [rng.choice(pool)] if pool else []
    shape = rng.choice(["none", "ctl", "ctl", "itl", "both", "both", "both"])
    held = installed("ctl") if shape in ("ctl", "both") else []
    held += installed("itl") if shape in ("itl", "both") else []
    rng.shuffle(held)
    options = [option for option, chance in (("--no-tvs", .15), ("--blank-itl", .15), ("--strict", .2))
               if rng.random() < chance]
    options += rng.choice([[], [], ["--release", rng.choice(["9.1", "10.5", "11.5", "12.0", "12.5", "15"])]])
    uploads = rng.sample(UPLOADS, rng.choice([0, 1, 3, 5, 9]))
    served = rng.choice(["", "", "new", "none", rng.choice([n for n in DRAWN if n.startswith("ctl")])])
    today = rng.sample(TODAY, rng.choice([1, 1, 2])) if new not in naming and rng.random() < .5 else []
    return Case("", " ".join(held) or "none", new, "", options=" ".join(options),
                uploads=" ".join(uploads), served=served, today=" ".join(today))


def test_the_second_opinion_agrees_with_the_program(world, tmp_path):
    rng, related, naming = random.Random(2015), relatives(world), naming_today(world)
    differ, reasons = [], collections.Counter()
    for count in range(DRAWS):
        case = draw(rng, related, naming)
        (tmp_path / str(count)).mkdir()
        run = world.run(*words(world, case, tmp_path / str(count)))
        expected = second_opinion(world, case)
        reasons[expected] += 1
        status = 0 if expected.startswith("accepted") else 1
        if (run.status, run.out.splitlines()[:1]) != (status, [expected]):
            differ.append(f"expected {expected}\n{run}")
    assert not differ, f"{len(differ)} of {DRAWS}\n" + "\n".join(differ[:5])
    # The draw says something only where it draws every answer.
    drawn = {each.split(" (")[0] for each in reasons}
    assert drawn >= {case.verdict for case in CASES}, reasons
    for text, _ in ASSUMES.values():
        assert any(text.format(nodes="") in each for each in reasons), (text, reasons)


def test_every_list_against_every_list(world, tmp_path):
    """One history of all lists, each as what a phone holds: four new lists, the two opinions."""
    history = tmp_path / "history"
    history.mkdir()
    for name in DRAWN:
        shutil.copy(world[name], history / f"{name}.tlv")
    for new, uploads in (("ctl-pub", ""), ("ctl-tokens", "t2.pem"), ("itl-sub1", "regen.pem"),
                         ("ctl-regen", "regen.pem")):
        folder = tmp_path / new
        folder.mkdir()
        more = ["--sast-trust", world.trust(folder / "uploads", uploads)] if uploads else []
        run = world.run("accept", "--installed-dir", history, *more, world[new])
        said = dict(line.split(": ", 1) for line in run.out.splitlines())
        assert len(said) == len(DRAWN)
        for name in DRAWN:
            held = Case("", name, new, "", uploads=uploads)
            expected, answer = second_opinion(world, held), said[f"{history}/{name}.tlv"]
            assert answer == expected, (name, new, answer, expected)
        assert run.status == 1


# The vendor's classic lock-out, as files -------------------------------------------------------

RENEWED = DATA / "renewed-together"


@pytest.mark.parametrize("options", [
    ["--sast-trust", "uploads"], [], ["--strict"], ["--strict", "--sast-trust", "uploads"], ["--release", "12.0"]],
    ids=lambda options: "-".join(options) or "nothing")
def test_callmanager_and_the_only_tvs_renewed_together(world, tmp_path, options):
    """TVS knows the new signer, and no phone can ask it: it presents a certificate that the phone's ITL lacks."""
    (tmp_path / "uploads").mkdir()
    shutil.copy(RENEWED / "cm2.pem", tmp_path / "uploads")
    run = world.run("accept", *options, "--installed", RENEWED / "ITLFile-1.tlv", RENEWED / "ITLFile-2.tlv",
                    cwd=tmp_path)
    assert (run.status, run.out.splitlines()[0]) == (1, UNKNOWN), str(run)
    assert "none of the certificates that TVS has today" in run.out and "[213407, 214231, 217138]" in run.out


# Arguments -------------------------------------------------------------------------------------

@pytest.mark.parametrize("held", ["ctl-pub", "itl-pub", "ctl-pub itl-rec", "itl-rec ctl-pub", "none"])
def test_lists_in_front_of_new_are_installed(world, held):
    lists = [name if name == "none" else world[name] for name in held.split()]
    options = [word for each in lists for word in ("--installed", each)]
    for new in ("ctl-pub-later", "itl-rec", "ctl-stranger"):
        short, long = world.run("accept", *lists, world[new]), world.run("accept", *options, world[new])
        assert (short.status, short.out, short.err) == (long.status, long.out, long.err)


def test_every_verdict_names_its_sources(world):
    """In the explanation and in JSON; what nobody says is an assumption."""
    listed = {row[0] for row in tables.rows("facts.def", "SOURCE")}
    for held, new in (("none", "ctl-pub"), ("ctl-pub", "ctl-pub"), ("ctl-pub", "itl-sub1"), ("ctl-pub", "ctl-regen"),
                      ("ctl-pub", "ctl-capf"), ("ctl-pub", "ctl-pub-bad"), ("ctl-pub", "ctl-stranger"),
                      ("ctl-pub-twin", "ctl-pub"), ("ctl-pub", "ctl-large")):
        line = ("accept", "--installed", held if held == "none" else world[held], world[new])
        answer = json.loads(world.run(*line, "--json").out)
        second = world.run(*line).out.splitlines()[1]
        assert answer["sources"] and set(answer["sources"]) <= listed
        assert second.endswith(f" [{', '.join(answer['sources'])}]"), second
        if answer["sources"] == ["open"]:
            assert "\nassumed: " in answer["explanation"]


# What cannot be answered -----------------------------------------------------------------------

@pytest.mark.parametrize("held,new,says", [
    ("cut-in-a-record", "ctl-pub", ["record 2", "(at byte "]),
    ("cut-in-the-header", "ctl-pub", ["header", "(at byte "]),
    ("itl-cut", "itl-pub", ["record", "(at byte "]),
    ("ctl-pub itl-cut", "itl-pub", ["record", "(at byte "]),
    ("itl-pub cut-in-a-record", "itl-pub", ["record 2", "(at byte "]),
    ("empty", "ctl-pub", ["empty"]),
    ("text", "ctl-pub", ["not a trust list"]),
    ("missing", "ctl-pub", []),
    ("ctl-pub", "cut-in-a-record", ["record 2", "(at byte "]),
    ("ctl-pub", "cut-in-the-header", ["header", "(at byte "]),
    ("ctl-pub", "itl-cut", ["record", "(at byte "]),
    ("ctl-pub", "empty", ["empty"]),
    ("ctl-pub", "text", ["not a trust list"]),
    ("none", "cut-in-a-record", ["record 2", "(at byte "]),
    ("none", "missing", []),
], ids=lambda value: "-".join(value) if isinstance(value, list) else value.replace(" ", "+"))
def test_malformed(world, tmp_path, held, new, says):
    """Status 3, with file and offset; nothing on standard output, with --json neither."""
    def path(name):
        return tmp_path / "missing.tlv" if name == "missing" else world[name]
    installed = list(itertools.chain.from_iterable(
        ("--installed", name if name == "none" else path(name)) for name in held.split()))
    culprit = next(name for name in (*held.split(), new) if name in FAULTY or name == "missing")
    for more in ([], ["--json"]):
        world.run.refused(3, "accept", *more, *installed, path(new), says=[str(path(culprit)), *says])


@pytest.mark.parametrize("line,says", [
    (["@ctl-pub"], "--installed"),
    (["--no-tvs", "@ctl-pub"], "--installed"),
    (["--installed", "@ctl-pub", "--installed", "@ctl-rec", "@ctl-pub"], "twice"),
    (["--installed", "@itl-pub", "--installed", "@itl-rec", "@ctl-pub"], "twice"),
    (["--installed", "@ctl-pub", "--installed", "@ctl-pub", "@ctl-pub"], "twice"),
    (["--installed", "@ctl-pub", "--installed", "@itl-pub", "--installed", "@itl-rec", "@ctl-pub"], "twice"),
    (["--installed", "none", "--installed", "@ctl-pub", "@ctl-pub"], "none"),
    (["--installed", "@itl-pub", "--installed", "none", "@ctl-pub"], "none"),
    (["--installed", "@ctl-pub", "--installed-dir", ".", "@ctl-pub"], "--installed"),
    (["--installed", "none", "--installed-dir", ".", "@ctl-pub"], "--installed"),
    (["--installed", "@ctl-pub"], ""),
    (["@ctl-pub", "--installed-dir", ".", "@ctl-pub"], "twice"),
    (["@ctl-pub", "@itl-pub", "@itl-rec", "@ctl-pub"], "argument"),
    (["@ctl-pub", "@ctl-rec", "@ctl-pub"], "twice"),
    (["none", "@ctl-rec", "@ctl-pub"], "none"),
    (["@ctl-pub", "@ctl-rec", "--release", "8.6"], "--release"),
    (["--installed", "@ctl-pub", "@ctl-pub", "@ctl-rec"], ""),
    (["--installed", "@ctl-pub", "--tvs-ctl", "none", "--tvs-ctl", "new", "@ctl-pub"], "--tvs-ctl"),
    (["--installed", "@ctl-pub", "--unknown", "@ctl-pub"], "--unknown"),
], ids=lambda value: "_".join(value).replace("--", "").replace("@", "") if isinstance(value, list) else None)
def test_contradictions(world, line, says):
    line = [world[word[1:]] if word.startswith("@") else world.cert(word[1:]) if word.startswith("#") else word
            for word in line]
    world.run.refused(2, "accept", *line, says=says)


def test_what_tvs_holds_must_be_readable(world, tmp_path):
    held = ["--installed", world["ctl-pub"]]
    for path in (tmp_path / "nowhere", world.cert("pub")):
        world.run.refused(3, "accept", *held, "--sast-trust", path, world["ctl-rec"], says=str(path))
    for served in ("cut-in-a-record", "text", "empty"):
        world.run.refused(3, "accept", *held, "--tvs-ctl", world[served], world["ctl-rec"],
                          says=str(world[served]))
    world.run.refused(3, "accept", *held, "--tvs-ctl", tmp_path / "nowhere", world["ctl-rec"],
                      says="nowhere")
    for today in ("ctl-pub", "itl-pub-no-tvs"):  # neither says which certificate TVS has
        world.run.refused(3, "accept", *held, "--new-itl", world[today], world["ctl-rec"], says=str(world[today]))
    for path in (tmp_path / "nowhere", world["text"], world.key("pub"), tmp_path):
        world.run.refused(3, "accept", *held, "--tvs-cert", path, world["ctl-rec"], says=str(path))


@pytest.mark.parametrize("new,today,first_line", [
    ("itl-regen-none", "--tvs-cert tvs", "accepted: tvs"),  # another cluster's: the phone asks its own TVS
    ("itl-regen-none", "--new-itl itl-pub", "accepted: tvs"),
    ("itl-regen-none", "", "refused: signer-unknown"),
    ("itl-regen", "--tvs-cert tvs-new", "refused: signer-unknown"),  # TVS was restarted after TFTP
    ("itl-regen", "", "accepted: tvs"),
])
def test_who_names_tvs_knows_better_than_a_new_itl(world, tmp_path, new, today, first_line):
    words = today.split()
    words[1:] = [world[one] if one in LISTS else world.cert(one) for one in words[1:]]
    run = world.run("accept", "--strict", "--installed", world["itl-pub"], *words,
                    "--sast-trust", world.trust(tmp_path / "uploads", "regen.pem"), world[new])
    assert run.out.splitlines()[0] == first_line, str(run)


def test_what_tvs_presents_is_nothing_to_a_phone_that_does_not_ask(world):
    run = world.run("accept", "--no-tvs", "--new-itl", world["itl-pub"], "--tvs-cert", world.cert("tvs"),
                    world["ctl-pub"], world["ctl-pub"])
    assert run.status == 0 and run.err.count("warning") == 2, str(run)
    assert "--new-itl" in run.err and "--tvs-cert" in run.err


# Without options -------------------------------------------------------------------------------

@pytest.mark.parametrize("held", ["ctl-pub", "itl-pub", "ctl-pub itl-pub", "itl-rec ctl-rec", "none"])
@pytest.mark.parametrize("new", ["ctl-pub-later", "ctl-tokens", "itl-rec"])
@pytest.mark.parametrize("more", [[], ["--no-tvs"], ["--json"], ["--strict"]])
def test_the_last_argument_is_new(world, held, new, more):
    """accept OLD NEW, accept CTL ITL NEW: what the options say, word for word."""
    paths = [world[name] if name != "none" else "none" for name in held.split()]
    options = [word for path in paths for word in ("--installed", path)]
    short, long = world.run("accept", *more, *paths, world[new]), world.run("accept", *more, *options, world[new])
    assert (short.status, short.out, short.err) == (long.status, long.out, long.err), f"{short}\n{long}"
    if "--json" in more:
        assert [one["file"] for one in json.loads(short.out)["installed"]] == [str(p) for p in paths if p != "none"]


def test_what_the_phone_holds_is_asked_for(world):
    world.run.refused(2, "accept", world["ctl-pub"], says=["in front of NEW", "--installed-dir"])
    world.run.refused(2, "accept", world["ctl-pub"], world["ctl-pub"], world["ctl-pub-later"], says="twice")
    world.run.refused(2, "accept", world["ctl-pub"], "none", world["ctl-pub-later"], says="none")


# JSON ------------------------------------------------------------------------------------------

def test_json_shape(world, tmp_path):
    keys = {"version", "accepted", "reason", "assumptions", "tvs_nodes", "tvs_nodes_total", "record", "record_in", "explanation", "cure", "installed",
            "verdicts"}
    uploads = world.trust(tmp_path / "uploads", "t2.pem")

    def ask(*line):
        answer = json.loads(world.run("accept", "--json", *line).out)
        assert keys <= set(answer)
        assert answer["verdicts"] == [{k: v for k, v in answer.items() if k not in ("version", "verdicts")}]
        assert [held["file"] for held in answer["installed"]] == [str(word) for word in line[1:-1:2] if str(line[0]) != "none"
                                                                  and word not in ("none", uploads)]
        return answer["accepted"], answer["reason"], answer["record"], answer["record_in"]
    assert ask("--installed", world["ctl-pub-rec"], world["ctl-rec"]) == (True, "signer-is-sast", 2, "CTL")
    assert ask("--installed", world["itl-rec"], world["itl-pub"]) == (True, "signer-is-tftp", 2, "ITL")
    assert ask("--installed", world["ctl-pub"], world["ctl-capf"]) == (False, "signer-not-sast", 3, "CTL")
    assert ask("--installed", world["ctl-pub"], world["ctl-pub-bad"]) == (False, "bad-signature", 1, "CTL")
    assert ask("--installed", "none", world["ctl-pub"]) == (True, "leap-of-faith", None, None)
    assert ask("--installed", world["ctl-pub"], world["ctl-tokens"]) == (False, "signer-unknown", None, None)
    assert ask("--installed", world["ctl-pub"], "--sast-trust", uploads, world["ctl-tokens"]) == (
        True, "tvs", None, None)


# A history of lists ----------------------------------------------------------------------------

def history(world, folder, names):
    folder.mkdir()
    for name in names.split():
        shutil.copy(world[name], folder / f"{name}.tlv")
    return folder


def test_installed_dir_all_accept(world, tmp_path):
    folder = history(world, tmp_path / "history", "ctl-pub ctl-pub-rec ctl-way-back itl-pub")
    run = world.run.ok("accept", "--installed-dir", folder, world["ctl-pub-later"])
    assert run.out.splitlines() == [f"{folder}/{name}.tlv: {SAST}" for name in
                                    ("ctl-pub-rec", "ctl-pub", "ctl-way-back", "itl-pub")]
    assert run.err == ""


def test_installed_dir_one_refuses(world, tmp_path):
    folder = history(world, tmp_path / "history", "ctl-pub ctl-rec ctl-tokens itl-rec")
    run = world.run("accept", "--installed-dir", folder, "--no-tvs", world["ctl-pub-later"])
    assert (run.status, run.out.splitlines()) == (1, [
        f"{folder}/ctl-pub.tlv: {SAST}", f"{folder}/ctl-rec.tlv: {SAST}",
        f"{folder}/ctl-tokens.tlv: {NOT_SAST}", f"{folder}/itl-rec.tlv: {NOT_SAST}"]), str(run)


def test_installed_dir_with_tvs_and_strict(world, tmp_path):
    """Each list stands alone: a phone with this CTL has an ITL that is not shown."""
    folder = history(world, tmp_path / "history", "ctl-pub itl-rec itl-rec-no-tvs")
    line = ["accept", "--installed-dir", folder,
            "--sast-trust", world.trust(tmp_path / "uploads", "regen.pem"), world["ctl-regen-sha512"]]
    line[3:3] = ["--tvs-cert", world.cert("tvs")]
    guessed = Case("", "", "", "", "itl cert").first_line
    run = world.run(*line)
    assert (run.status, run.out.splitlines()) == (1, [
        f"{folder}/ctl-pub.tlv: {TVS}{guessed}",
        f"{folder}/itl-rec-no-tvs.tlv: {UNKNOWN}", f"{folder}/itl-rec.tlv: {TVS}"]), str(run)
    (folder / "itl-rec-no-tvs.tlv").unlink()
    world.run.ok(*line)
    run = world.run(*line, "--strict")
    assert (run.status, run.out.splitlines()) == (1, [
        f"{folder}/ctl-pub.tlv: refused: tvs{guessed}",
        f"{folder}/itl-rec.tlv: {TVS}"]), str(run)


def test_installed_dir_json(world, tmp_path):
    folder = history(world, tmp_path / "history", "ctl-pub ctl-tokens")
    run = world.run("accept", "--json", "--installed-dir", folder, "--no-tvs", world["ctl-bridge"])
    answer = json.loads(run.out)
    assert run.status == 1
    verdicts = answer.pop("verdicts")
    assert [(a["installed"][0]["file"], a["accepted"], a["reason"]) for a in verdicts] == [
        (f"{folder}/ctl-pub.tlv", True, "signer-is-sast"),
        (f"{folder}/ctl-tokens.tlv", False, "signer-not-sast")]
    # The first refusal decides, in the shape that a single question's answer has.
    assert answer == {"version": 2, **verdicts[1]} and answer["cure"].startswith("sign with a SAST key")
    alone = json.loads(world.run("accept", "--json", folder / "ctl-tokens.tlv", "--no-tvs", world["ctl-bridge"]).out)
    assert alone == {**answer, "verdicts": verdicts[1:]}
    taken = json.loads(world.run.ok("accept", "--json", "--installed-dir", folder, world["ctl-tokens"],
                                    "--sast-trust", world.trust(tmp_path / "up", "t1.pem t2.pem")).out)
    assert taken["accepted"] and taken["installed"] == [{"file": f"{folder}/ctl-pub.tlv"}]


def test_installed_dir_with_a_file_that_is_no_list(world, tmp_path):
    folder = history(world, tmp_path / "history", "ctl-pub ctl-rec")
    (folder / "README").write_text("Every list ever published.\n")
    run = world.run.ok("accept", "--installed-dir", folder, world["ctl-pub-later"])
    assert len(run.out.splitlines()) == 2 and f"{folder}/README" in run.err, str(run)
    run = world.run.ok("accept", "--json", "--installed-dir", folder, world["ctl-pub-later"])
    assert len(json.loads(run.out)["verdicts"]) == 2 and f"{folder}/README" in run.err, str(run)


@pytest.mark.parametrize("damaged", ("cut-in-a-record", "itl-cut"))
def test_installed_dir_with_a_damaged_list(world, tmp_path, damaged):
    """A phone may hold that list, and nobody has said that it takes the new one."""
    folder = history(world, tmp_path / "history", f"ctl-pub ctl-rec {damaged}")
    shutil.copy(world["ctl-pub"], folder / "ctl.tlv")  # it is judged before the damaged one
    for more in ([], ["--json"]):
        world.run.refused(3, "accept", *more, "--installed-dir", folder, world["ctl-pub-later"],
                          says=[f"{folder}/{damaged}.tlv", "(at byte "])


def test_installed_dir_without_lists(world, tmp_path):
    empty = history(world, tmp_path / "empty", "")
    nothing = history(world, tmp_path / "nothing", "")
    (nothing / "README").write_text("No list was ever published.\n")
    for folder in (empty, nothing, tmp_path / "missing", world["ctl-pub"]):
        run = world.run("accept", "--installed-dir", folder, world["ctl-pub"])
        assert run.status == 3 and run.out == "" and str(folder) in run.errors[-1], str(run)


def test_installed_dir_with_a_malformed_new_list(world, tmp_path):
    folder = history(world, tmp_path / "history", "ctl-pub")
    world.run.refused(3, "accept", "--installed-dir", folder, world["cut-in-a-record"],
                      says=["cut-in-a-record.tlv", "(at byte "])


# Reading and answering ------------------------------------------------------------------------

@pytest.mark.parametrize("line", [
    ["--installed", "@ctl-pub"], ["--json", "--installed", "@ctl-pub"],
    ["--installed-dir", "@history"], ["--json", "--installed-dir", "@history"],
], ids=lambda line: "-".join(line).replace("--", "").replace("@", ""))
def test_an_answer_that_cannot_be_written_is_no_yes(world, tmp_path, line):
    places = {"@ctl-pub": world["ctl-pub"], "@history": history(world, tmp_path / "history", "ctl-pub")}
    command = 'exec "$0" "$@" >/dev/full'
    run = world.run("accept", *(places.get(word, word) for word in line), world["ctl-pub"],
                    wrapper=("sh", "-c", command))
    assert run.status == 9, str(run)


def test_inputs_stay_as_they_are(world, tmp_path):
    """accept reads: it writes no file anywhere."""
    folder = history(world, tmp_path / "history", "ctl-pub ctl-tokens")
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.rglob("*.tlv")}
    world.run("accept", "--installed-dir", folder, world["ctl-pub"], cwd=tmp_path)
    world.run("accept", "--installed", folder / "ctl-pub.tlv", folder / "ctl-tokens.tlv", cwd=tmp_path)
    after = {path: (path.read_bytes(), path.stat().st_mtime_ns)
             for path in tmp_path.rglob("*") if path.is_file()}
    assert before == after
