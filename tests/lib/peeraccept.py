# SPDX-License-Identifier: Apache-2.0
"""A second opinion on whether a phone takes a list: the rules in plain words, as sets and bytes.

Written from the description of phones alone. It shares the
second reader with the tests and nothing with the program.
"""
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_der_public_key

import peerlist
import peerwrite

SAST, CCM_TFTP, TFTP, TVS = 0, 2, 3, 21
LIMIT = 64 * 1024
HASHES = {1: hashes.SHA1, 2: hashes.SHA256, 3: hashes.SHA512}


def is_itl(parsed):
    return parsed["header"]["filename"].startswith("ITL")


def kind(name):
    """What a name says it is; None: nothing."""
    name = name.rsplit("/", 1)[-1].lower()
    return {"ctl": "CTL", "itl": "ITL", "ext": "ITL" if name.startswith("ext_itl") else None}.get(name[:3])


def verifies(data, key):
    """Whether the list's signature is by the key (DER of a record's PUBLICKEY)."""
    header = peerlist.parse_header(data)
    try:
        load_der_public_key(key).verify(header["signature"], peerlist.signed_bytes(data),
                                        padding.PKCS1v15(), HASHES[header["digest"]]())
    except (InvalidSignature, ValueError):
        return False
    return True


def vouched_key(new, uploads, served):
    """(key, whether only the served CTL's spelling finds it) of what TVS knows as the signer."""
    wanted = (new["header"]["signer_serial"], new["header"]["signer_issuer"])
    for certificate in uploads:
        own = (peerwrite.serial_bytes(certificate), peerwrite.cucm_name(certificate.issuer))
        if own == wanted:
            return peerwrite.public_key(certificate), False
    known = {peerwrite.der(certificate): certificate for certificate in uploads}
    for record in served["records"] if served else []:
        if record["role"] == SAST and (record.get("serial"), record.get("issuer")) == wanted:
            if record.get("certificate") in known:
                return peerwrite.public_key(known[record["certificate"]]), True
    return None, False


def decide(data, ctl=None, itl=None, uploads=(), *, no_tvs=False, blank_itl=False, served="new", asked=""):
    """(accepted, reason, {assumptions}). Lists are bytes; served: 'new', None or bytes. asked: the name
    that the phone asks for the new list by."""
    new = peerlist.parse(data)
    header = new["header"]
    held = [peerlist.parse(each) for each in (ctl, itl) if each is not None]

    if len(data) > LIMIT:
        return False, "too-large", set()
    if {kind(asked), kind(header["filename"])} == {"CTL", "ITL"}:
        return False, "wrong-kind", set()
    if not held:
        return True, "leap-of-faith", set()

    mine = [record for each in held for record in each["records"]
            if (record.get("serial"), record.get("issuer"))
            == (header["signer_serial"], header["signer_issuer"])]
    keys = {record["public_key"] for record in mine if record.get("public_key")}
    roles = {record["role"] for record in mine}
    if len(keys) > 1:
        return False, "ambiguous-signer", set()

    def by_record(reason):
        good = any(verifies(data, key) for key in keys)
        return good, reason if good else "bad-signature", set()

    if SAST in roles:
        return by_record("signer-is-sast")
    if is_itl(new) and roles & {TFTP, CCM_TFTP}:
        return by_record("signer-is-tftp")

    shown = peerlist.parse(itl) if itl is not None else None
    asks = not no_tvs and not blank_itl
    if asks and shown is not None:
        asks = any(record["role"] == TVS for record in shown["records"])
    if asks:
        key, through_ctl = vouched_key(new, uploads, new if served == "new" else
                                       peerlist.parse(served) if served is not None else None)
        if key is not None:
            assumed = {"itl"} if shown is None else set()
            assumed |= {"ctl"} if through_ctl and served == "new" else set()
            good = verifies(data, key)
            return good, "tvs" if good else "bad-signature", assumed
    return False, "signer-not-sast" if roles else "signer-unknown", set()
