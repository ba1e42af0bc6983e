# SPDX-License-Identifier: Apache-2.0
"""A second opinion on lists that are not as they should be: what a reader must refuse and where, what is
wrong though well-formed, whether the signature is worth anything, and every field of 'show --json'.

Written from docs/FORMAT.md alone; shares nothing with the program. Signatures are checked by arithmetic
on whole numbers: what an RSA signature is, without a library that could be lenient.
"""
import base64
import datetime
import hashlib
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

CONTAINERS = {3, 7, 9, 16, 17, 21}
PADDING = 13
EPOCH = datetime.datetime(1970, 1, 1)  # Python's time_t may end in 2038
NESTED = 8  # containers inside each other that a reader follows
HEADER_SIZES = {1: 2, 2: 2, 8: 1, 10: 1, 11: 1, 15: 4, 18: 1, 19: 16, 20: 2, 22: 1, 23: 2, 24: 1, 26: 1, 28: 2}
RECORD_SIZES = {1: 2, 4: 2}
HOME = {4: 3, 5: 3, 6: 3, 8: 7, 9: 7, 10: 9, 11: 9, 17: 16, 18: 17, 19: 17, 20: 17, 21: 16, 22: 21, 23: 21,
        24: 21, 25: 21}
HEADER_TAGS = {*range(1, 29)}
HEADER_NEEDS = {1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14}
ENCRYPTION_NEEDS = {17, 19, 20, 21, 23, 24, 25, 26, 27}
RECORD_NEEDS = {3, 4, 5, 6, 7, 9}
EMPTIED = {1, 2, 4, 10}  # non-secure mode
HEADER_TEXTS, RECORD_TEXTS = {4, 6, 14}, {2, 3, 5}
ROLES = {0: "SAST", 1: "CCM", 2: "CCM+TFTP", 3: "TFTP", 4: "CAPF", 7: "APP-SERVER", 21: "TVS"}
SAST, CCM_TFTP, TVS = 0, 2, 21
HASHES = {1: hashlib.sha1, 2: hashlib.sha256, 3: hashlib.sha512}
DIGESTS = {1: "sha1", 2: "sha256", 3: "sha512"}
MODULUS_BITS = {0: 512, 1: 1024, 2: 2048, 3: 4096}
# RFC 8017, section 9.2: what stands before the digest.
DIGEST_INFO = {1: "3021300906052b0e03021a05000414", 2: "3031300d060960864801650304020105000420",
               3: "3051300d060960864801650304020305000440"}
RSA_ENCRYPTION = bytes.fromhex("06092a864886f70d010101")
HEADER_LABELS = {1: "(Version)", 2: "(HeaderLength)", 3: "SIGNERID", 4: "SIGNERNAME", 5: "SERIALNUMBER",
                 6: "CANAME", 7: "SIGNATUREINFO", 8: "DIGESTALGORTITHM", 9: "SIGNATUREALGOINFO",
                 10: "SIGNATUREALGORTITHM", 11: "SIGNATUREMODULUS", 12: "SIGNATURE", 13: "(Padding)",
                 14: "FILENAME", 15: "TIMESTAMP", 16: "ENCRYPTIONINFO", 17: "CONTENTCIPHERINFO",
                 18: "CONTENTCIPHERMODE", 19: "CONTENTIV", 20: "CONTENTPADDING", 21: "KEYINFO", 22: "KEYMODE",
                 23: "KEYBITS", 24: "KEYCIPHER", 25: "CONTENTKEY", 26: "PLAINDIGESTALGORITHM", 27: "PLAINDIGEST",
                 28: "SIGNERVERSION"}
RECORD_LABELS = {1: "RECORDLENGTH", 2: "DNSNAME", 3: "SUBJECTNAME", 4: "FUNCTION", 5: "ISSUERNAME",
                 6: "SERIALNUMBER", 7: "PUBLICKEY", 8: "SIGNATURE", 9: "CERTIFICATE", 10: "IPADDRESS",
                 11: "CERTHASH", 12: "HASHALGORITHM"}


class Refused(Exception):
    """Not well-formed; at is the offset of the field that is wrong, None in an empty file."""

    def __init__(self, at):
        super().__init__(at)
        self.at = at


@dataclass
class Field:
    tag: int
    at: int
    value: bytes
    home: int  # tag of the container around it, 0: none


@dataclass
class Part:
    """The header or a record: fields in their order, the first of each tag by number."""
    at: int
    length: int = 0
    fields: list = field(default_factory=list)

    def get(self, tag, default=b""):
        return next((f.value for f in self.fields if f.tag == tag), default)

    def has(self, tag):
        return any(f.tag == tag for f in self.fields)

    def count(self, tag):
        return sum(f.tag == tag for f in self.fields)

    def number(self, tag):
        return int.from_bytes(self.get(tag), "big")


def walk(data, at, end, *, header):
    """Every field from at to end; a container, then what is in it."""
    sizes, inside = (HEADER_SIZES if header else RECORD_SIZES), []
    while at < end:
        while inside and inside[-1][1] == at:
            inside.pop()
        home, limit = inside[-1] if inside else (0, end)
        tag = data[at]
        if header and tag == PADDING:
            if inside:
                raise Refused(at)
            yield Field(tag, at, b"", 0)
            at += 1
            continue
        if limit - at < 3:
            raise Refused(at)
        size = int.from_bytes(data[at + 1:at + 3], "big")
        if size > limit - at - 3 or sizes.get(tag, size) != size:
            raise Refused(at)
        found = Field(tag, at, data[at + 3:at + 3 + size], home)
        if header and tag in CONTAINERS:
            if size and len(inside) == NESTED:
                raise Refused(at)
            yield found
            if size:
                inside.append((tag, at + 3 + size))
            at += 3
        else:
            yield found
            at += 3 + size


def read_header(data, header):
    """Fills header in, as far as it goes."""
    if not data:
        raise Refused(None)
    if data[0] not in HEADER_TAGS:
        raise Refused(0)
    for found in walk(data[:65535], 0, min(len(data), 65535), header=True):
        if found.tag == 2:
            length = int.from_bytes(found.value, "big")
            if length > len(data) or length < found.at + 5:
                raise Refused(found.at)
            break
    else:
        raise Refused(None)
    header.length = length
    twice = None
    for found in walk(data, 0, length, header=True):
        if found.tag in (2, 12) and header.has(found.tag):
            twice = twice or Refused(found.at)
        header.fields.append(found)
    if twice is not None:
        raise twice


def read_record(data, at):
    if data[at] != 1 or len(data) - at < 5 or data[at + 1:at + 3] != b"\0\2":
        raise Refused(at)
    length = int.from_bytes(data[at + 3:at + 5], "big")
    if length < 5 or length > len(data) - at:
        raise Refused(at)
    return Part(at, length, list(walk(data, at, at + length, header=False)))


@dataclass
class Judgement:
    data: bytes
    header: Part
    records: list
    refused: Refused = None

    @property
    def well_formed(self):
        return self.refused is None

    @property
    def signers(self):
        """The SAST records with the header's serial number and issuer."""
        return [r for r in self.records if r.has(4) and r.number(4) == SAST
                and r.get(6) == self.header.get(5) and r.get(5) == self.header.get(6)]

    def signed(self):
        cut = next(f for f in self.header.fields if f.tag == 12)
        return self.data[:cut.at] + self.data[cut.at + 3 + len(cut.value):]

    @property
    def good_signature(self):
        """Of the one signer's key, over all but field 12, and of a key that proves something."""
        keys = {r.get(7) for r in self.signers}
        algorithm = self.header.number(8)
        if len(keys) != 1 or not self.header.has(12) or algorithm not in HASHES or self.header.number(10) != 0:
            return False
        return is_signature(keys.pop(), algorithm, self.signed(), self.header.get(12))

    @property
    def errors(self):
        """What of a well-formed list is not good, in words."""
        return [] if not self.well_formed else [*self._header_errors(), *self._record_errors()]

    def _header_errors(self):
        h, name = self.header, self.header.get(14)
        if not self.good_signature:
            yield "signature"
        yield from (f"header: {tag} missing" for tag in HEADER_NEEDS if not h.has(tag))
        yield from (f"header: {tag} twice" for tag in HEADER_TAGS - {PADDING} if h.count(tag) > 1)
        yield from (f"header: {f.tag} not in {HOME.get(f.tag, 0)}" for f in h.fields
                    if f.tag in HEADER_TAGS and f.home != HOME.get(f.tag, 0))
        yield from (f"header: {tag} is no text" for tag in HEADER_TEXTS if h.has(tag) and not is_text(h.get(tag)))
        if h.has(16):
            yield from (f"header: {tag} missing" for tag in ENCRYPTION_NEEDS if not h.has(tag))
            if h.has(24) and h.number(24) != 1:
                yield "header: cipher of the content"
            if h.has(23) and h.number(23) not in (128, 8 * len(h.get(25))):
                yield "header: size of the content key"
            if h.has(20) and not 1 <= h.number(20) <= 16:
                yield "header: padding of the content"
            if h.has(27) and (h.number(26) not in HASHES or HASHES[h.number(26)]().digest_size != len(h.get(27))):
                yield "header: digest of the plain content"
        # Field 12 does not cover its own place: one place is right, behind field 7 and what is in it.
        behind = next((f.at + 3 + len(f.value) for f in h.fields if f.tag == 7), None)
        yield from (f"header: field 12 at {f.at}" for f in h.fields if f.tag == 12 and (f.at, f.home) != (behind, 0))
        pad = [f.at for f in h.fields if f.tag == PADDING]
        without = h.length - len(pad)
        if len(pad) != -without % 4 or pad != list(range(without, h.length)):
            yield "header: padding"
        if h.has(11) and MODULUS_BITS.get(h.number(11)) != 8 * len(h.get(12)):
            yield "header: modulus"
        if self.signers and h.get(4) != self.signers[0].get(3):
            yield "header: signer's name"
        if not self.records:
            yield "no records"
        if not name.startswith(b"ITL") and any(r.has(4) and r.number(4) == TVS for r in self.records):
            yield "TVS in a CTL"

    def _record_errors(self):
        for number, r in enumerate(self.records, 1):
            tags = {f.tag for f in r.fields}
            emptied = r.has(4) and r.number(4) == CCM_TFTP and tags <= EMPTIED
            missing = set() if emptied else RECORD_NEEDS - tags
            yield from (f"record {number}: {tag} missing" for tag in missing)
            yield from (f"record {number}: {tag} twice" for tag in RECORD_LABELS if r.count(tag) > 1)
            yield from (f"record {number}: {tag} is no text" for tag in RECORD_TEXTS
                        if r.has(tag) and not is_text(r.get(tag)))
            if r.has(9):
                yield from (f"record {number}: {what}" for what in disagreements(r))


def is_text(value):
    if not value.endswith(b"\0") or b"\0" in value[:-1]:
        return False
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def der_number(data, at):
    """An INTEGER that is not negative, and where it ends."""
    size, at = der_size(data, at + 1)
    return int.from_bytes(data[at:at + size], "big", signed=True), at + size


def der_size(data, at):
    if data[at] < 128:
        return data[at], at + 1
    n = data[at] & 127
    return int.from_bytes(data[at + 1:at + 1 + n], "big"), at + 1 + n


def rsa_numbers(key):
    """(modulus, exponent) of a PKCS#1 RSAPublicKey, or None."""
    try:
        size, at = der_size(key, 1)
        if key[0] != 0x30 or at + size != len(key) or key[at] != 2:
            return None
        modulus, at = der_number(key, at)
        if key[at] != 2:
            return None
        exponent, at = der_number(key, at)
    except IndexError:
        return None
    return (modulus, exponent) if at == len(key) and modulus > 0 and exponent >= 0 else None


def is_signature(key, algorithm, signed, signature):
    numbers = rsa_numbers(key)
    if numbers is None or numbers[1] < 3 or numbers[1] % 2 == 0:
        return False
    modulus, exponent = numbers
    size = (modulus.bit_length() + 7) // 8
    info = bytes.fromhex(DIGEST_INFO[algorithm]) + HASHES[algorithm](signed).digest()
    if len(signature) != size or size < len(info) + 11:
        return False
    number = int.from_bytes(signature, "big")
    block = b"\0\1" + b"\xff" * (size - 3 - len(info)) + b"\0" + info
    return number < modulus and pow(number, exponent, modulus) == int.from_bytes(block, "big")


def load(der):
    """The certificate, or None."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        _ = certificate.not_valid_before, certificate.not_valid_after, certificate.subject
    except (ValueError, IndexError, TypeError):
        return None
    return certificate


def certificate_key(certificate):
    """As field 7 has it, from the certificate's bytes."""
    from cryptography.hazmat.primitives import serialization
    try:
        key = certificate.public_key()
    except ValueError:
        return None
    if isinstance(key, rsa.RSAPublicKey):
        return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    return None


SIX = ["commonName", "organizationalUnitName", "organizationName", "localityName", "stateOrProvinceName",
       "countryName"]


def values(name, six=False):
    """The values of a name, in whatever order; CUCM writes those of six attributes alone."""
    return sorted(a.value.strip(" ") for a in name if not six or a.oid._name in SIX)


def spoken(text):
    """The values of a written name of the simple kind that the defects have."""
    parts = text.rstrip(b"\0").decode("utf-8", "replace").replace(",", ";").split(";")
    return sorted(part.partition("=")[2].strip(' "') for part in parts)


def disagreements(r):
    """Where a record is not its certificate's."""
    certificate = load(r.get(9))
    if certificate is None:
        yield "certificate"
        return
    number = certificate.serial_number
    serial = number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big")
    if r.get(6) not in (serial, serial[::-1]):
        yield "serial number"
    key = certificate_key(certificate)
    if key is not None and r.get(7) != key:
        yield "public key"
    if RSA_ENCRYPTION in certificate.tbs_certificate_bytes and rsa_numbers(r.get(7)) is None:
        yield "public key is none"
    if r.has(8) and r.get(8) != certificate.signature:
        yield "signature"
    for tag, name in ((3, certificate.subject), (5, certificate.issuer)):
        token = r.has(2) and r.get(2) == b"\0"  # whose names end before a comma, by design
        if not token and spoken(r.get(tag)) not in (values(name), values(name, six=True)):
            yield f"name {tag}"


def judge(data):
    header, records, refused = Part(0), [], None
    try:
        read_header(data, header)
        at = header.length
        while at < len(data):
            records.append(read_record(data, at))
            at += records[-1].length
    except Refused as fault:
        refused = fault
    return Judgement(data, header, records, refused)


# 'show --json' --------------------------------------------------------------------------------

def put_text(out, key, part, tag):
    """A string without its NUL; null where it is not there; bytes in hex where it is not UTF-8."""
    if not part.has(tag):
        out[key] = None
        return
    value = part.get(tag)
    value = value[:-1] if value.endswith(b"\0") else value
    try:
        out[key] = value.decode("utf-8")
    except UnicodeDecodeError:
        out[key], out[f"{key}_hex"] = None, value.hex()


def hexed(part, tag, upper=False):
    if not part.has(tag):
        return None
    return part.get(tag).hex().upper() if upper else part.get(tag).hex()


def version(part, tag):
    return "%d.%d" % tuple(part.get(tag)) if part.has(tag) else None


def iso(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def rows(part, labels):
    out = []
    for f in part.fields:
        out.append({"tag": f.tag, "name": labels.get(f.tag, "UNKNOWN"), "offset": f.at, "length": len(f.value)})
        if f.tag not in labels:
            out[-1]["value"] = f.value.hex()
    return out


def header_json(h):
    out = {"version": version(h, 1), "header_length": h.length, "signer_serial": h.get(5).hex().upper(),
           "digest": DIGESTS.get(h.number(8)), "digest_number": h.number(8),
           "modulus_bits": MODULUS_BITS.get(h.number(11), 0), "signature": hexed(h, 12),
           "timestamp": h.number(15) if h.has(15) else None, "signer_version": version(h, 28),
           "time": iso(EPOCH + datetime.timedelta(seconds=h.number(15))) if h.has(15) else None,
           "padding": h.count(PADDING), "fields": rows(h, HEADER_LABELS)}
    for key, tag in (("signer_name", 4), ("signer_issuer", 6), ("filename", 14)):
        put_text(out, key, h, tag)
    return out


def certificate_json(der):
    """None where it is no certificate: then the program's says why in words of its own."""
    certificate = load(der)
    if certificate is None:
        return None
    try:
        key = certificate.public_key()
        kind = "RSA" if isinstance(key, rsa.RSAPublicKey) else "EC"
        bits = key.key_size
    except ValueError:
        kind, bits = "unknown", 0
    number = certificate.serial_number
    return {"sha1": hashlib.sha1(der).hexdigest(), "sha256": hashlib.sha256(der).hexdigest(),
            "serial": number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big").hex().upper(),
            "not_before": iso(certificate.not_valid_before), "not_after": iso(certificate.not_valid_after),
            "key_type": kind, "key_bits": bits, "der": base64.b64encode(der).decode()}


def record_json(r, number, signed):
    role = r.number(4)
    out = {"number": number, "offset": r.at, "length": r.length, "role": ROLES.get(role) if r.has(4) else None,
           "role_number": role if r.has(4) else None, "serial": hexed(r, 6, True), "public_key": hexed(r, 7),
           "signature": hexed(r, 8), "certificate_hash": hexed(r, 11), "hash_algorithm": hexed(r, 12),
           "address": None, "signed_the_list": signed, "fields": rows(r, RECORD_LABELS)}
    if r.has(10):
        out["address"] = ".".join(map(str, r.get(10))) if len(r.get(10)) == 4 else r.get(10).hex()
    for key, tag in (("dns_name", 2), ("subject", 3), ("issuer", 5)):
        put_text(out, key, r, tag)
    out["certificate"] = certificate_json(r.get(9)) if r.has(9) else None
    return out


def show_json(data):
    """What 'show --json' says but for the file's name and the findings."""
    j = judge(data)
    itl = j.header.get(14).startswith(b"ITL")
    return {"version": 2, "kind": "ITL" if itl else "CTL", "length": len(data), "printed": False, "md5": hashlib.md5(data).hexdigest(),
            "sha1": hashlib.sha1(data).hexdigest(), "header": header_json(j.header),
            "records": [record_json(r, n, r in j.signers) for n, r in enumerate(j.records, 1)],
            "signature": {"verified": j.well_formed and j.good_signature},
            "fault": None if j.well_formed else {"offset": j.refused.at}}
