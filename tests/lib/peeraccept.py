# SPDX-License-Identifier: Apache-2.0
"""A second opinion on whether a phone takes a list: the rules in plain words, as sets and bytes.

Written from the description of phones and clusters alone. It shares the second
reader and the second spelling of names with the tests, and nothing with the program.
"""
import functools
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_der_public_key

import peerlist
import peerwrite

SAST, CCM, CCM_TFTP, TFTP, TVS = 0, 1, 2, 3, 21
LIMIT = 64 * 1024  # phones load no list that is larger
HASHES = {1: hashes.SHA1, 2: hashes.SHA256, 3: hashes.SHA512}
ITLRECOVERY_IS_KNOWN = (12, 0)  # the release from which TVS knows it without an upload
ONE_ITLRECOVERY = (12, 5)  # the release from which a cluster has one


# Nobody changes a list that was read, and the same ones come again and again.
parse = functools.lru_cache(maxsize=4096)(peerlist.parse)


@dataclass
class Phone:
    """What a phone holds, as bytes; None is a list that is not there or not shown."""
    ctl: bytes = None
    itl: bytes = None
    security_by_default: bool = True
    blank_itl: bool = False


@dataclass
class Cluster:
    """What is known of the nodes. Certificates are x509 objects, lists are bytes."""
    uploads: list = field(default_factory=list)  # TVS was given these
    served: object = "new"  # the CTL that the TVS node serves: bytes, None, or "new" for the new list
    itls: list = field(default_factory=list)  # served today
    tvs: list = field(default_factory=list)  # TVS presents these today
    release: tuple = None  # (12, 5)


@dataclass
class Verdict:
    """accepted is what the facts and the assumptions say together; a strict reader refuses assumptions."""
    accepted: bool
    reason: str
    assumes: set = field(default_factory=set)
    nodes: list = field(default_factory=list)  # of assumption "group": whose TVS is the same

    def strictly(self):
        return self.accepted and not self.assumes


# Lists and records ---------------------------------------------------------------------------

def kind_of(name):
    """CTL or ITL, as the beginning of a name says; None if it says neither."""
    name = name.lower()
    if name.startswith("ctl"):
        return "CTL"
    return "ITL" if name.startswith(("itl", "ext_itl")) else None


def kind(parsed):
    return kind_of(parsed["header"].get("filename", ""))


def is_itl(parsed):
    return kind(parsed) == "ITL"


def base_name(path):
    return path.rsplit("/", 1)[-1]


def signer_of(header):
    return header["signer_serial"], header["signer_issuer"]


load = functools.lru_cache(maxsize=None)(x509.load_der_x509_certificate)


def certificate(record):
    der = record.get("certificate")
    return load(der) if der else None


def key(record):
    """The record's key as RSAPublicKey; None if it has none."""
    if "public_key" in record:
        return record["public_key"]
    found = certificate(record)
    return peerwrite.public_key(found) if found else None


def verifies(data, rsa_key, signing_key=None):
    """RSA PKCS#1 v1.5 over the whole file without field 12. signing_key: who will sign what is not signed yet."""
    if signing_key is not None:
        return rsa_key == signing_key
    header = peerlist.parse_header(data)
    try:
        load_der_public_key(rsa_key).verify(header["signature"], peerlist.signed_bytes(data),
                                            padding.PKCS1v15(), HASHES[header["digest"]]())
    except InvalidSignature:
        return False
    return True


# What TVS knows ------------------------------------------------------------------------------

def looked_up(cert):
    """What TVS looks a certificate up by: CUCM's own spelling, whoever wrote the list."""
    return peerwrite.serial_bytes(cert), peerwrite.cucm_name(cert.issuer)


def common_name(cert):
    return "".join(value for keyword, value in peerwrite.attributes(cert.subject) if keyword == "CN")


def is_itlrecovery(cert):
    return common_name(cert).lower().startswith("itlrecovery")


def with_certificate(parsed, *roles):
    return [record for record in parsed["records"] if record["role"] in roles and "certificate" in record]


def itlrecoveries(parsed):
    return [record for record in with_certificate(parsed, SAST) if is_itlrecovery(certificate(record))]


def own_records(parsed, release):
    """The records of the cluster's own: CallManager of each TFTP node, and ITLRecovery later on."""
    later = (release or (0,)) >= ITLRECOVERY_IS_KNOWN
    return with_certificate(parsed, CCM_TFTP, TFTP) + (itlrecoveries(parsed) if later else [])


def in_place_of(record, parsed, release):
    """The records that a list has where it would have this one if it were still the cluster's.

    A CTL has every node's CallManager, an ITL that of its own node. ITLRecovery is one for the
    cluster from 12.5 on, and one for a node before.
    """
    recovery = record["role"] == SAST
    others = itlrecoveries(parsed) if recovery else with_certificate(parsed, CCM, CCM_TFTP, TFTP)
    if recovery and release >= ONE_ITLRECOVERY or not recovery and not is_itl(parsed):
        return others
    there = [other for other in others if "address" in record and other.get("address") == record["address"]]
    return there or [other for other in others if other.get("subject") == record["subject"]]


def was_replaced(record, new, held, release):
    """A later list of the same kind has other certificates in the record's place, and this one nowhere."""
    for parsed in held:
        later = parsed["header"].get("timestamp", 0) > new["header"].get("timestamp", 0)
        if later and is_itl(parsed) == is_itl(new) and in_place_of(record, parsed, release):
            if record["certificate"] not in [each.get("certificate") for each in parsed["records"]]:
                return True
    return False


def nodes_of(parsed):
    return [record for record in parsed["records"] if record["role"] != SAST]


def may_be_of_one_cluster(new, held):
    """Whether some held list has a node of the new one, or one of the two has no node at all."""
    def share(one, other):
        return any(one.get(part) and one.get(part) == other.get(part)
                   for part in ("dns_name", "subject", "address", "certificate"))
    return any(not nodes_of(parsed) or not nodes_of(new) or
               any(share(one, other) for one in nodes_of(parsed) for other in nodes_of(new)) for parsed in held)


def vouched(new, held, cluster):
    """(certificate, assumptions) of the header's signer; (None, {}) if TVS does not know it."""
    signer = signer_of(new["header"])
    for cert in cluster.uploads:
        if looked_up(cert) == signer:
            return cert, set()
    # In another spelling a certificate is found in the server's own CTL, and it must have been uploaded.
    ctl = new if cluster.served == "new" else parse(cluster.served) if cluster.served else None
    given = {peerwrite.der(cert) for cert in cluster.uploads}
    for record in ctl["records"] if ctl and not is_itl(ctl) else []:
        if record["role"] == SAST and (record.get("serial"), record.get("issuer")) == signer:
            if record.get("certificate") in given:
                return certificate(record), {"ctl"} if cluster.served == "new" else set()
    for record in own_records(new, cluster.release) if may_be_of_one_cluster(new, held) else []:
        if looked_up(certificate(record)) == signer and not was_replaced(record, new, held, cluster.release):
            return certificate(record), {"own"}
    return None, set()


# Whether TVS can be asked --------------------------------------------------------------------

def tvs_records(parsed):
    return [record for record in parsed["records"] if record["role"] == TVS]


def todays_tvs(new, cluster):
    """DER of the certificates that TVS presents today, each once, in the order in which they are named."""
    says_it = is_itl(new) and tvs_records(new)
    lists = [new] if says_it else map(parse, cluster.itls)
    named = [record["certificate"] for parsed in lists for record in tvs_records(parsed)
             if "certificate" in record]
    if not says_it:
        named += [peerwrite.der(cert) for cert in cluster.tvs]
    return list(dict.fromkeys(named))


def node(record):
    return record.get("dns_name") or record["subject"]


def can_ask(phone, new, cluster):
    """(assumptions, nodes), or (None, []) if the phone believes no TVS."""
    if not phone.security_by_default or phone.blank_itl:
        return None, []
    if phone.itl is None:  # neither whether it has a TVS record nor of which certificate
        return {"itl", "cert"}, []
    held = tvs_records(parse(phone.itl))
    if not held:
        return None, []
    today = todays_tvs(new, cluster)
    if not today:
        return {"cert"}, []
    believed = [record for record in held if record.get("certificate") in today]
    same = {record["certificate"] for record in believed}
    if not same:
        return None, []
    if len(same) == len(today):
        return set(), []
    believed.sort(key=lambda record: today.index(record["certificate"]))
    return {"group"}, list(dict.fromkeys(map(node, believed)))


def ask_tvs(data, phone, held, new, cluster, signing_key):
    """The verdict through TVS; None if the phone cannot ask or TVS does not know the signer."""
    assumes, nodes = can_ask(phone, new, cluster)
    if assumes is None:
        return None
    known, more = vouched(new, held, cluster)
    if known is None:
        return None
    good = verifies(data, peerwrite.public_key(known), signing_key)
    return Verdict(good, "tvs" if good else "bad-signature", assumes | more, nodes)


# The phone -----------------------------------------------------------------------------------

def decide(data, phone, cluster=None, name="", signing_key=None):
    """The verdict on the list in data. name: what the phone asks for it by, or a path that ends so.

    signing_key: the PKCS#1 key that will sign the list, of which there are only the bytes before.
    """
    cluster = cluster or Cluster()
    new = parse(data)
    if len(data) > LIMIT:
        return Verdict(False, "too-large")
    said, served_as = kind(new), kind_of(base_name(name))
    if said and served_as and said != served_as:
        return Verdict(False, "wrong-kind")
    held = [parse(each) for each in (phone.ctl, phone.itl) if each is not None]
    # A phone that holds a blanked ITL takes any new ITL; the parameter does not blank the CTL.
    if not held or (phone.blank_itl and phone.ctl is None and said == "ITL"):
        return Verdict(True, "leap-of-faith")

    signer = signer_of(new["header"])
    matches = [record for parsed in held for record in parsed["records"]
               if (record.get("serial"), record.get("issuer")) == signer]
    keys = {key(record) for record in matches} - {None}
    if len(keys) > 1:
        return Verdict(False, "ambiguous-signer")
    signed_by_match = any(verifies(data, each, signing_key) for each in keys)
    roles = {record["role"] for record in matches}
    if SAST in roles:
        return Verdict(True, "signer-is-sast") if signed_by_match else Verdict(False, "bad-signature")
    tvs = ask_tvs(data, phone, held, new, cluster, signing_key)
    if said == "ITL" and roles & {CCM_TFTP, TFTP}:
        # That phones take such an ITL has no source. What TVS says for certain goes before it.
        if tvs and tvs.strictly():
            return tvs
        if signed_by_match:
            return Verdict(True, "signer-is-tftp", {"tftp"})
        return tvs if tvs and tvs.accepted else Verdict(False, "bad-signature")
    return tvs or Verdict(False, "signer-not-sast" if matches else "signer-unknown")
