#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Malformed lists, one defect each; the name says which. The same bytes every time.

What can be signed is signed over its defect, so that the defect is the only one.

usage: generate.py OUT     writes OUT/NAME.tlv and OUT/installed/*.tlv
"""
import datetime
import functools
import hashlib
import math
import pathlib
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "lib"))

from peerwrite import (DIGESTS, MODULUS, cucm_name, der, field, load, load_key,  # noqa: E402
                       raw_record, record_fields, text, u16)

CLUSTER = TESTS / "data" / "cluster"
TIME = 1426000000
HASHES = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256(), "sha512": hashes.SHA512()}
DIGEST_INFO = {"sha1": "3021300906052b0e03021a05000414",
               "sha256": "3031300d060960864801650304020105000420"}
ESCAPES = "\x1b]0;owned\x07\x1b[2J\r\n\x08\x7f\u009b31m\u202e\u2066\u200f\u2028"

LENGTH, SIGNATURE, PAD = object(), object(), object()
DEFECTS = {}


def defect(function):
    DEFECTS[function.__name__.replace("_", "-")] = function
    return function


@functools.cache
def cert(name):
    return load(CLUSTER / f"{name}.pem")


def key(name):
    return load_key(CLUSTER / f"{name}.key")


# Building blocks -----------------------------------------------------------------------------

def record(name, role, address="10.48.47.153", **changes):
    """[(tag, value)] of a record; changes: tag_N=value, None to leave it out."""
    fields = record_fields(cert(name), role, "cucm", name="cucm-1051-a-pub", address=address)
    return change(fields, **changes)


def change(fields, **changes):
    new = {int(k[4:]): v for k, v in changes.items()}
    return [(tag, new.get(tag, value)) for tag, value in fields if new.get(tag, value) is not None]


def records(first=None, second=None):
    """Signer, a second anchor, two servers."""
    return [first or record("pub", "SAST"), second or record("pub-regenerated", "SAST"),
            record("capf", "CAPF"), record("sub1", "CCM+TFTP", "10.48.47.154")]


def identity(fields):
    """Values of tags 4, 5, 6."""
    mine = dict(fields)
    return {4: mine[3], 5: mine[6], 6: mine[5]}


def info(digest=1, algorithm=0, modulus=1):
    return field(7, field(8, bytes([digest])) +
                 field(9, field(10, bytes([algorithm])) + field(11, bytes([modulus]))))


def encryption(cipher=1, bits=2048, pad=13, algorithm=1, digest=bytes(20), iv=bytes(16)):
    """Fields 16 to 27, as docs/FORMAT.md has them."""
    content = field(17, field(18, b"\0") + field(19, iv) + field(20, u16(pad)))
    key_info = field(21, field(22, b"\0") + field(23, u16(bits)) + field(24, bytes([cipher])) + field(25, bytes(256)))
    return field(16, content + key_info) + field(26, bytes([algorithm])) + field(27, digest)


def parts(owner=None, digest="sha1", bits=1024, **over):
    """The header's parts by name, in order; over replaces one, None leaves it out."""
    who = identity(owner or record("pub", "SAST"))
    whole = {
        "version": b"\x01\x00\x02\x01\x02", "length": LENGTH,
        "signer": field(3, b"".join(field(tag, who[tag]) for tag in (4, 5, 6))),
        "info": info(DIGESTS[digest], 0, MODULUS[bits]), "signature": SIGNATURE,
        "filename": field(14, text("CTLFile.tlv")), "timestamp": field(15, TIME.to_bytes(4, "big")),
        "extra": b"", "pad": PAD,
    }
    whole.update(over)
    return [part for part in whole.values() if part is not None]


def seal(header=None, body=None, *, private="pub", digest="sha1", length=None, size=None, make=None,
         sign=True):
    """The whole list, signed. length: field 2 from the true length; make: signature from what is
    signed; size: bytes of field 12."""
    header = parts() if header is None else header
    body = records() if body is None else body
    body = body if isinstance(body, bytes) else b"".join(map(raw_record, body))
    owner = key(private)
    size = owner.key_size // 8 if size is None else size
    lengths = {id(LENGTH): 5, id(SIGNATURE): 3 + size}
    total = sum(lengths.get(id(part), 0) if part in (LENGTH, SIGNATURE, PAD) else len(part)
                for part in header)
    gap = b"\x0d" * (-total % 4) if PAD in header else b""
    total += len(gap)
    number = field(2, u16(length(total) if length else total))
    out = [number if part is LENGTH else gap if part is PAD else part for part in header]
    at = out.index(SIGNATURE) if SIGNATURE in out else len(out)
    before, after = b"".join(out[:at]), b"".join(out[at + 1:]) + body
    signed = before + after
    if not sign or SIGNATURE not in out:
        signature = bytes(size)
    elif make:
        signature = make(signed)
    else:
        signature = owner.sign(signed, padding.PKCS1v15(), HASHES[digest])
    assert len(signature) == size or SIGNATURE not in out
    return before + (field(12, signature) if SIGNATURE in out else b"") + after


def good():
    return seal()


def patch(data, at, new):
    return data[:at] + new + data[at + len(new):]


def find(data, tag, start=10):
    """Offset of the header's field, containers opened."""
    at = 0
    while data[at] != tag or at < start:
        step = 1 if data[at] == 13 else 3
        if data[at] not in (3, 7, 9, 13):
            step += int.from_bytes(data[at + 1:at + 3], "big")
        at += step
    return at


def header_bytes(data):
    return int.from_bytes(data[8:10], "big")


def with_length(data, tag, delta):
    """The header field's length changed, everything else as it was."""
    at = find(data, tag)
    return patch(data, at + 1, u16(int.from_bytes(data[at + 1:at + 3], "big") + delta))


def first_record(data, at, new):
    """Bytes changed at an offset in record 1."""
    return patch(data, header_bytes(data) + at, new)


def certificate(subject, public, serial=0x5151, issuer=None):
    """Signed by the publisher's key, which makes the same bytes every time."""
    name = x509.Name([x509.NameAttribute(getattr(x509.NameOID, oid), value, _validate=False)
                      for oid, value in subject])
    return (x509.CertificateBuilder().subject_name(name).issuer_name(issuer or name)
            .public_key(public).serial_number(serial)
            .not_valid_before(datetime.datetime(2014, 6, 5, 12))
            .not_valid_after(datetime.datetime(2034, 6, 4, 12)).sign(key("pub"), hashes.SHA256()))


# Nothing, something else ---------------------------------------------------------------------

@defect
def empty_file():
    return b""


@defect
def one_byte():
    return b"\x01"


@defect
def text_file():
    return b"this is not a trust list\n"


@defect
def certificate_file():
    return (CLUSTER / "pub.pem").read_bytes()


@defect
def first_tag_unknown():
    return patch(good(), 0, b"\x63")


@defect
def zeros():
    return bytes(512)


# Header: lengths -----------------------------------------------------------------------------

def header_field(name, **over):
    DEFECTS[name] = lambda: seal(parts(**over))


header_field("version-of-no-byte", version=b"\x01\x00\x00")
header_field("version-of-one-byte", version=b"\x01\x00\x01\x01")
header_field("version-of-three-bytes", version=b"\x01\x00\x03\x01\x02\x00")
header_field("header-length-missing", length=None)
header_field("header-length-of-three-bytes", length=b"\x02\x00\x03\x00\x01\x50")
header_field("header-length-of-no-byte", length=b"\x02\x00\x00")
header_field("timestamp-of-three-bytes", timestamp=field(15, b"\x54\xfe\x01"))
header_field("timestamp-of-five-bytes", timestamp=field(15, b"\x54\xfe\x01\x02\x03"))
header_field("timestamp-of-no-byte", timestamp=field(15, b""))
header_field("signer-version-of-one-byte", extra=field(28, b"\x01"))
header_field("digest-of-two-bytes", info=field(7, field(8, b"\0\1") + field(9, field(10, b"\0") + field(11, b"\1"))))
header_field("digest-of-no-byte", info=field(7, field(8, b"") + field(9, field(10, b"\0") + field(11, b"\1"))))
header_field("algorithm-of-two-bytes", info=field(7, field(8, b"\1") + field(9, field(10, b"\0\0") + field(11, b"\1"))))
header_field("modulus-of-no-byte", info=field(7, field(8, b"\1") + field(9, field(10, b"\0") + field(11, b""))))
header_field("header-length-twice", extra=field(2, u16(336)))
header_field("signature-twice", extra=field(12, bytes(128)))
header_field("padding-inside-a-container", signer=field(3, b"\x0d" + b"".join(
    field(tag, identity(record("pub", "SAST"))[tag]) for tag in (4, 5, 6))))
header_field("containers-nested-too-deep", signer=b"".join(
    bytes([3]) + u16(3 * n + 3) for n in range(9, 0, -1)) + b"\x05\x00\x00")


def header_number(name, length):
    DEFECTS[name] = lambda: seal(length=length)


header_number("header-length-zero", lambda n: 0)
header_number("header-length-within-itself", lambda n: 9)
header_number("header-length-behind-itself", lambda n: 10)
header_number("header-length-one-short", lambda n: n - 1)
header_number("header-length-one-long", lambda n: n + 1)
header_number("header-length-four-short", lambda n: n - 4)
header_number("header-length-ends-in-the-signature", lambda n: 200)
header_number("header-length-over-the-file", lambda n: 65535)
header_number("header-length-is-the-file", lambda n: n + sum(len(raw_record(r)) for r in records()))


def lying(name, tag, delta):
    DEFECTS[name] = lambda: with_length(good(), tag, delta)


lying("signer-id-longer-than-the-header", 3, 4000)
lying("signer-id-ends-inside-a-field", 3, -1)
lying("signer-id-takes-the-next-field", 3, 2)
lying("signature-info-longer-than-the-header", 7, 4000)
lying("signature-info-ends-inside-a-field", 7, -1)
lying("algorithm-info-longer-than-its-container", 9, 1)
lying("algorithm-info-ends-inside-a-field", 9, -1)
lying("signature-longer-than-the-header", 12, 4000)
lying("signature-length-one-short", 12, -1)
lying("signature-length-one-long", 12, 1)
lying("file-name-longer-than-the-header", 14, 4000)
lying("file-name-length-one-long", 14, 1)
lying("signer-name-longer-than-its-container", 4, 300)
lying("signer-name-length-65535", 4, 65535 - 62)


@defect
def cut_in_a_head():
    return good()[:find(good(), 14) + 2]


@defect
def cut_in_the_signature():
    return good()[:find(good(), 12) + 60]


@defect
def cut_behind_the_header_length():
    return good()[:10]


# Records: lengths ----------------------------------------------------------------------------

def in_record(name, at, new):
    DEFECTS[name] = lambda: first_record(good(), at, new)


in_record("record-length-zero", 3, u16(0))
in_record("record-length-four", 3, u16(4))
in_record("record-length-one-short", 3, u16(1155))
in_record("record-length-one-long", 3, u16(1157))
in_record("record-length-odd-and-long", 3, u16(1159))
in_record("record-length-over-the-file", 3, u16(65535))
in_record("record-length-of-one-byte", 0, b"\x01\x00\x01")
in_record("record-length-of-three-bytes", 0, b"\x01\x00\x03")
in_record("record-begins-with-its-name", 0, b"\x02")
in_record("record-begins-with-padding", 0, b"\x0d")
in_record("name-longer-than-the-record", 6, u16(4000))
in_record("name-length-65535", 6, u16(65535))


def signed_record(name, fields):
    DEFECTS[name] = lambda: seal(body=[fields(), *records()[1:]])


signed_record("function-of-one-byte", lambda: record("pub", "SAST", tag_4=b"\0"))
signed_record("function-of-three-bytes", lambda: record("pub", "SAST", tag_4=b"\0\0\0"))
signed_record("function-of-no-byte", lambda: record("pub", "SAST", tag_4=b""))


@defect
def padding_between_records():
    return seal(body=raw_record(records()[0]) + b"\x0d" + b"".join(map(raw_record, records()[1:])))


@defect
def padding_inside_a_record():
    body = raw_record(records()[0])
    return seal(body=body[:3] + u16(len(body) + 1) + b"\x0d" + body[5:])


@defect
def last_record_cut():
    return good()[:-40]


@defect
def last_record_cut_in_a_head():
    return good()[:-5]


def behind(name, more):
    DEFECTS[name] = lambda: seal(body=b"".join(map(raw_record, records())) + more)


behind("trailing-byte", b"\0")
behind("trailing-newline", b"\n")
behind("trailing-zeros", bytes(64))
behind("trailing-text", b"-- appended --")
behind("trailing-padding", b"\x0d\x0d")
behind("trailing-record-head", b"\x01\x00\x02")
behind("trailing-record-of-four-bytes", b"\x01\x00\x02\x00\x04")


@defect
def second_list_behind():
    return good() + good()


# Missing, repeated, out of place -------------------------------------------------------------

MINE = identity(record("pub", "SAST"))


def signer_of(*tags):
    return field(3, b"".join(field(tag, MINE[tag]) for tag in tags))


header_field("version-missing", version=None)
header_field("signer-id-missing", signer=None)
header_field("signer-id-empty", signer=field(3, b""))
header_field("signer-id-not-around-its-fields", signer=field(3, b"") + signer_of(4, 5, 6)[3:])
header_field("signer-name-missing", signer=signer_of(5, 6))
header_field("signer-serial-missing", signer=signer_of(4, 6))
header_field("signer-issuer-missing", signer=signer_of(4, 5))
header_field("signature-info-missing", info=None)
header_field("digest-missing", info=field(7, field(9, field(10, b"\0") + field(11, b"\1"))))
header_field("algorithm-info-missing", info=field(7, field(8, b"\1")))
header_field("algorithm-missing", info=field(7, field(8, b"\1") + field(9, field(11, b"\1"))))
header_field("modulus-missing", info=field(7, field(8, b"\1") + field(9, field(10, b"\0"))))
header_field("signature-missing", signature=None)
header_field("file-name-missing", filename=None)
header_field("version-twice", extra=b"\x01\x00\x02\x01\x02")
header_field("file-name-twice", extra=field(14, text("ITLFile.tlv")))
header_field("timestamp-twice", extra=field(15, b"\x7f\xff\xff\xff"))
header_field("signer-serial-twice", extra=field(5, b"\x01"))
header_field("digest-twice", extra=field(8, b"\x02"))
header_field("digest-outside-its-container",
             info=field(8, b"\1") + field(7, field(9, field(10, b"\0") + field(11, b"\1"))))
header_field("timestamp-inside-the-signer-id", timestamp=None, signer=field(
    3, signer_of(4, 5, 6)[3:] + field(15, TIME.to_bytes(4, "big"))))
header_field("signature-inside-the-signature-info", info=bytes([7]) + u16(15 + 131) + info()[3:])
header_field("unknown-tag-in-the-header", extra=field(99, b"?"))
header_field("encrypted-as-known", version=b"\x01\x00\x02\x02\x00", extra=encryption())
header_field("cipher-unknown", extra=encryption(cipher=2))
header_field("content-key-of-128-bits", extra=encryption(bits=128))
header_field("content-key-of-256-bits", extra=encryption(bits=256))
header_field("content-padding-of-17-bytes", extra=encryption(pad=17))
header_field("plain-digest-too-short", extra=encryption(digest=bytes(19)))
header_field("plain-digest-unknown", extra=encryption(algorithm=4))
header_field("encryption-empty", extra=field(16, b""))
header_field("content-iv-of-15-bytes", extra=encryption(iv=bytes(15)))
header_field("padding-in-the-middle", timestamp=b"\x0d" + field(15, TIME.to_bytes(4, "big")))
header_field("padding-at-the-start", version=b"\x0d\x01\x00\x02\x01\x02")
header_field("padding-missing", pad=None)
header_field("padding-of-four-more-bytes", pad=b"\x0d" * 7)
header_field("padding-of-one-byte", pad=b"\x0d")

for wanted, what in ((4, "function"), (3, "subject"), (5, "issuer"), (6, "serial"),
                     (7, "public-key"), (9, "certificate")):
    signed_record(f"record-{what}-missing",
                  lambda wanted=wanted: record("pub", "SAST", **{f"tag_{wanted}": None}))
    signed_record(f"record-{what}-twice",
                  lambda wanted=wanted: [*record("pub", "SAST"), (wanted, dict(record("capf", "CAPF"))[wanted])])
signed_record("record-length-twice", lambda: [*record("pub", "SAST"), (1, u16(9))])
signed_record("record-of-its-length-alone", lambda: [])
signed_record("unknown-tag-in-a-record", lambda: [*record("pub", "SAST"), (77, b"?")])
signed_record("function-unknown", lambda: record("pub", "SAST"))
DEFECTS["function-unknown"] = lambda: seal(body=records()[:2] + [record("capf", "CAPF", tag_4=u16(99))])
DEFECTS["address-of-three-bytes"] = lambda: seal(body=records()[:2] + [record("capf", "CAPF", tag_10=b"\1\2\3")])
DEFECTS["address-of-no-byte"] = lambda: seal(body=records()[:2] + [record("capf", "CAPF", tag_10=b"")])
DEFECTS["records-missing"] = lambda: seal(body=b"")
DEFECTS["record-twice"] = lambda: seal(body=[*records(), records()[2]])
DEFECTS["tvs-in-a-ctl"] = lambda: seal(body=[*records(), record("sub1", "TVS")])
DEFECTS["too-large"] = lambda: seal(body=[*records(), *(record("capf", "CAPF", f"10.0.0.{n}") for n in range(60))])


# Field 12 elsewhere: it is cut out of what is signed, so the signature verifies wherever it stands -----

def signature_before(where):
    """The signature stays the same bytes; where: name of the header's part behind it, None: the end."""
    rest = {name: part for name, part in zip(PARTS, parts()) if name != "signature"}
    at = list(rest).index(where) if where else len(rest)
    return seal([*rest.values()][:at] + [SIGNATURE] + [*rest.values()][at:])


PARTS = ("version", "length", "signer", "info", "signature", "filename", "timestamp", "extra", "pad")
for place, behind_it in {"at-the-start": "version", "before-the-header-length": "length", "before-the-signer-id": "signer",
                         "before-the-signature-info": "info", "behind-the-file-name": "timestamp",
                         "behind-the-timestamp": "pad", "at-the-end": None}.items():
    DEFECTS[f"signature-{place}"] = lambda behind_it=behind_it: signature_before(behind_it)


# An error behind more warnings than are listed ------------------------------------------------

MANY = [(77, b"")] * 1001
OTHERS = record("capf", "CAPF", tag_3=dict(record("sub1", "CCM+TFTP"))[3], tag_7=dict(record("sub1", "CCM+TFTP"))[7])
DEFECTS["error-behind-warnings"] = lambda: seal(body=[[*records()[0], *MANY], records()[1], OTHERS])
DEFECTS["error-before-warnings"] = lambda: seal(body=[records()[0], OTHERS, [*records()[1], *MANY]])
DEFECTS["error-behind-warnings-of-the-header"] = lambda: seal(
    parts(extra=b"".join(field(*one) for one in MANY)), [*records()[:2], OTHERS])


# Codes ---------------------------------------------------------------------------------------

header_field("version-two", version=b"\x01\x00\x02\x02\x00")
header_field("digest-zero", info=info(digest=0))
header_field("digest-unknown", info=info(digest=4))
header_field("algorithm-unknown", info=info(algorithm=1))
header_field("modulus-index-wrong", info=info(modulus=2))
header_field("modulus-index-unknown", info=info(modulus=9))
header_field("timestamp-in-the-far-future", timestamp=field(15, b"\xff\xff\xff\xff"))


# Texts ---------------------------------------------------------------------------------------

PUB = cucm_name(cert("pub").subject)
for what, content in {"without-nul": PUB.encode(), "with-nul-inside": text(PUB.replace("TAC", "T\0C")),
                      "not-utf8": text(PUB.encode().replace(b"TAC", b"T\xffC")),
                      "overlong-utf8": text(PUB.encode().replace(b"TAC", b"T\xc0\x9bC")),
                      "surrogate": text(PUB.encode().replace(b"TAC", b"T\xed\xa0\x80C")),
                      "with-escapes": text(PUB.replace("TAC", ESCAPES)), "empty": b""}.items():
    signed_record(f"subject-{what}", lambda content=content: record("pub", "SAST", tag_3=content))
    DEFECTS[f"dns-name-{what}"] = lambda content=content: seal(
        body=records()[:2] + [record("capf", "CAPF", tag_2=content)])
    header_field(f"signer-name-{what}", signer=field(
        3, field(4, content) + field(5, MINE[5]) + field(6, MINE[6])))
    header_field(f"file-name-{what}", filename=field(14, content))


def hostile_signer():
    """A certificate whose own names hold the escapes: nothing disagrees."""
    one = certificate([("COMMON_NAME", "pub" + ESCAPES.replace(";", ":"))], key("pub").public_key())
    return record_fields(one, "SAST", "cucm", name="pub", address="10.48.47.153")


@defect
def certificate_with_escapes():
    return seal(parts(hostile_signer()), [hostile_signer(), *records()[1:]])


# Certificates that are not the record's -------------------------------------------------------

def second(name, fields):
    """In record 3, which is nobody's signer."""
    DEFECTS[name] = lambda: seal(body=records()[:2] + [fields()])


CAPF = dict(record("capf", "CAPF"))
SUB = dict(record("sub1", "CCM+TFTP"))
for wanted, what in ((3, "subject"), (5, "issuer"), (6, "serial"), (7, "public-key"), (8, "signature"),
                     (9, "certificate")):
    second(f"{what}-of-another-certificate",
           lambda wanted=wanted: record("capf", "CAPF", **{f"tag_{wanted}": SUB[wanted]}))
second("certificate-cut", lambda: record("capf", "CAPF", tag_9=CAPF[9][:-1]))
second("certificate-with-a-byte-behind", lambda: record("capf", "CAPF", tag_9=CAPF[9] + b"\0"))
second("certificate-empty", lambda: record("capf", "CAPF", tag_9=b""))
second("certificate-of-text", lambda: record("capf", "CAPF", tag_9=b"-----BEGIN CERTIFICATE-----"))
second("certificate-with-indefinite-length", lambda: record("capf", "CAPF", tag_9=b"\x30\x80" + CAPF[9][4:] + b"\0\0"))
second("certificate-whose-dates-are-none", lambda: record(
    "capf", "CAPF", tag_9=CAPF[9].replace(b"\x17\x0d1", b"\x17\x0dx")))
second("serial-empty", lambda: record("capf", "CAPF", tag_6=b""))
second("public-key-empty", lambda: record("capf", "CAPF", tag_7=b""))
second("public-key-no-rsa-key", lambda: record(
    "capf", "CAPF", tag_7=b"\x31" + CAPF[7][1:], tag_9=CAPF[9].replace(CAPF[7], b"\x31" + CAPF[7][1:])))


# Signers -------------------------------------------------------------------------------------

def signer(name, body, who=None, **more):
    DEFECTS[name] = lambda: seal(parts(who() if who else None), body(), **more)


signer("signer-not-in-the-list", lambda: records()[1:])
signer("signer-in-another-role", lambda: [record("pub", "CCM+TFTP"), *records()[1:]])
signer("signer-twice-with-other-keys",
       lambda: [*records(), record("pub-regenerated", "SAST", tag_5=MINE[6], tag_6=MINE[5])])
signer("signer-by-serial-alone", records, lambda: record("pub", "SAST", tag_5=CAPF[5]))
signer("signer-by-issuer-alone", records, lambda: record("pub", "SAST", tag_6=b"\1\2\3"))
signer("signer-by-serial-back-to-front", records, lambda: record("pub", "SAST", tag_6=MINE[5][::-1]))
signer("signer-by-serial-with-a-zero-in-front", records, lambda: record("pub", "SAST", tag_6=b"\0" + MINE[5]))
signer("signer-by-issuer-in-another-dialect", records,
       lambda: record("pub", "SAST", tag_5=text(PUB.replace(";", ","))))
signer("signer-by-issuer-without-nul", records, lambda: record("pub", "SAST", tag_5=MINE[6][:-1]))
signer("signer-under-another-name", records, lambda: record("pub", "SAST", tag_3=CAPF[3]))
signer("signer-serial-empty", records, lambda: record("pub", "SAST", tag_6=b""))
signer("signed-by-another-anchor", records, private="pub-regenerated", size=256)
signer("signed-by-another-key", records, private="capf")


# Signatures ----------------------------------------------------------------------------------

def altered(name, make, size=None):
    DEFECTS[name] = lambda: seal(make=lambda signed: make(sign(signed)), size=size)


def sign(signed, digest="sha1", private="pub"):
    return key(private).sign(signed, padding.PKCS1v15(), HASHES[digest])


altered("signature-one-byte-short", lambda s: s[:-1], 127)
altered("signature-half", lambda s: s[:64], 64)
altered("signature-empty", lambda s: b"", 0)
altered("signature-with-a-zero-in-front", lambda s: b"\0" + s, 129)
altered("signature-with-a-byte-behind", lambda s: s + b"\0", 129)
altered("signature-twice-as-long", lambda s: s + s, 256)
altered("signature-zero", lambda s: bytes(128))
altered("signature-one", lambda s: bytes(127) + b"\1")
altered("signature-ff", lambda s: b"\xff" * 128)
altered("signature-back-to-front", lambda s: s[::-1])
altered("signature-bit-flipped", lambda s: s[:-1] + bytes([s[-1] ^ 1]))
altered("signature-plus-the-modulus", lambda s: (
    int.from_bytes(s, "big") + key("pub").public_key().public_numbers().n).to_bytes(129, "big"), 129)
DEFECTS["signature-of-another-digest"] = lambda: seal(digest="sha256")


@defect
def signature_over_the_zeroed_field():
    """Field 12 with zeros is signed, instead of the file without field 12."""
    whole = seal(sign=False)
    at = find(whole, 12)
    return patch(whole, at + 3, sign(whole))


@defect
def signature_over_the_records_alone():
    return seal(make=lambda signed: sign(b"".join(map(raw_record, records()))))


@defect
def signature_without_the_padding():
    return seal(make=lambda signed: sign(signed.replace(b"\x0d\x0d\x0d", b"", 1)))


def changed(name, at, new):
    DEFECTS[name] = lambda: patch(good(), at(good()), new)


changed("timestamp-changed", lambda data: find(data, 15) + 6, b"\xff")
changed("file-name-changed", lambda data: find(data, 14) + 3, b"I")
changed("last-byte-changed", lambda data: len(data) - 1, b"\xff")


@defect
def records_swapped():
    body = list(map(raw_record, records()))
    whole = good()
    return whole[:header_bytes(whole)] + b"".join([body[0], body[1], body[3], body[2]])


@defect
def record_removed():
    return good()[:-len(raw_record(records()[3]))]


@defect
def record_added():
    return good() + raw_record(record("sub1", "CCM"))


# PKCS#1 blocks that the right key made, and nobody may take -------------------------------------

def block(private, content, kind=b"\x01", fill=None, behind_it=b""):
    size = key(private).key_size // 8
    fill = size - 3 - len(content) - len(behind_it) if fill is None else fill
    out = b"\0" + kind + b"\xff" * fill + b"\0" + content + behind_it
    return out + bytes(size - len(out))


def raw_sign(private, encoded):
    numbers = key(private).private_numbers()
    value = pow(int.from_bytes(encoded, "big"), numbers.d, numbers.public_numbers.n)
    return value.to_bytes(key(private).key_size // 8, "big")


def digest_info(signed, digest="sha1"):
    return bytes.fromhex(DIGEST_INFO[digest]) + hashlib.new(digest, signed).digest()


def encoded(name, encode):
    DEFECTS[name] = lambda: seal(make=lambda signed: raw_sign("pub", encode(signed)))


def sha1(signed):
    return hashlib.sha1(signed).digest()


encoded("pkcs1-without-null-parameters", lambda s: block("pub", bytes.fromhex("301f300706052b0e03021a0414") + sha1(s)))
encoded("pkcs1-with-long-lengths", lambda s: block("pub", bytes.fromhex("308121300906052b0e03021a05000414") + sha1(s)))
encoded("pkcs1-digest-alone", lambda s: block("pub", sha1(s)))
encoded("pkcs1-oid-of-another-digest",
        lambda s: block("pub", bytes.fromhex("302130090605" + "2b0e03021b" + "05000414") + sha1(s)))
encoded("pkcs1-garbage-behind-the-digest", lambda s: block("pub", digest_info(s), fill=8, behind_it=b"\xa5" * 8))
encoded("pkcs1-garbage-in-the-parameters",
        lambda s: block("pub", bytes.fromhex("3029301106052b0e03021a0508") + b"\xa5" * 8 + b"\x04\x14" + sha1(s)))
encoded("pkcs1-short-padding", lambda s: block("pub", digest_info(s), fill=7, behind_it=bytes(128 - 10 - 35)))
encoded("pkcs1-block-type-two", lambda s: block("pub", digest_info(s), kind=b"\x02"))
encoded("pkcs1-block-type-zero", lambda s: block("pub", digest_info(s), kind=b"\x00"))
encoded("pkcs1-a-byte-of-padding-changed", lambda s: patch(block("pub", digest_info(s)), 40, b"\xfe"))
encoded("pkcs1-digest-of-sha256", lambda s: block("pub", digest_info(s, "sha256")))


# Keys with which anybody signs (Bleichenbacher 2006) --------------------------------------------

def weak_record(private, exponent):
    """A SAST record whose key is the modulus of one of ours with another exponent; ours is never used."""
    numbers = rsa.RSAPublicNumbers(3, key(private).public_key().public_numbers().n)
    one = certificate([("COMMON_NAME", f"exponent-{exponent}"), ("ORGANIZATION_NAME", "Cisco")],
                      numbers.public_key(), 0x0300 + exponent + key(private).key_size)
    fields = dict(record_fields(one, "SAST", "cucm", name="weak", address="10.48.47.153"))
    three = fields[7]
    fields[7] = three[:-1] + bytes([exponent])
    fields[9] = fields[9].replace(three, fields[7])
    return list(fields.items())


def cube_root(number):
    """The greatest whole one that is not above."""
    low, high = 0, 1 << (number.bit_length() // 3 + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle ** 3 <= number else (low, middle - 1)
    return low


def forge_behind(prefix, size):
    """A cube that begins with the prefix; what follows is garbage."""
    wanted = int.from_bytes(prefix, "big") << 8 * (size - len(prefix))
    root = cube_root(wanted + (1 << 8 * (size - len(prefix))) - 1)
    cube = (root ** 3).to_bytes(size, "big")
    assert cube.startswith(prefix)
    return root.to_bytes(size, "big")


def forge_between(prefix, suffix, size):
    """A cube that begins with the prefix and ends in the suffix, which is odd."""
    bits = 8 * len(suffix)
    end, low = int.from_bytes(suffix, "big"), 1
    for n in range(1, bits + 1):  # bit by bit: cubing is one to one on odd numbers
        low += ((end - low ** 3) >> (n - 1) & 1) << (n - 1) if n > 1 else 0
    assert (low ** 3 - end) % (1 << bits) == 0
    wanted = int.from_bytes(prefix, "big") << 8 * (size - len(prefix))
    root = cube_root(wanted + (1 << 8 * (size - len(prefix)) - 1)) >> bits << bits | low
    cube = (root ** 3).to_bytes(size, "big")
    assert cube.startswith(prefix) and cube.endswith(suffix)
    return root.to_bytes(size, "big")


def forged(name, private, exponent, make, digest="sha1"):
    """make(signed, size) is the signature; None asks for another timestamp."""
    def build():
        fields = weak_record(private, exponent)
        size = key(private).key_size // 8
        for seconds in range(64):
            stamp = field(15, (TIME + seconds).to_bytes(4, "big"))
            made = []
            header = parts(fields, digest, size * 8, timestamp=stamp)
            seal(header, [fields, *records()], size=size,
                 make=lambda signed: made.append(make(signed, size)) or bytes(size))
            if made[0] is not None:
                return seal(header, [fields, *records()], size=size, make=lambda signed: made[0])
        raise AssertionError(name)
    DEFECTS[name] = build


def garbage_behind(fill, digest="sha1"):
    return lambda signed, size: forge_behind(b"\0\1" + b"\xff" * fill + b"\0" + digest_info(signed, digest), size)


def garbage_in_parameters(signed, size):
    """DigestInfo whose parameters are an OCTET STRING of garbage; its lengths add up."""
    digest = sha1(signed)
    if digest[-1] % 2 == 0:
        return None
    inside = size - 11 - 3 - 3 - 7 - 3 - 22
    prefix = (b"\0\1" + b"\xff" * 8 + b"\0" + b"\x30\x81" + bytes([inside + 3 + 7 + 3 + 22]) +
              b"\x30\x81" + bytes([inside + 7 + 3]) + bytes.fromhex("06052b0e03021a") +
              b"\x04\x81" + bytes([inside]))
    return forge_between(prefix, b"\x04\x14" + digest, size)


def in_the_clear(behind_it=b""):
    """With an exponent of 1 the block is its own signature."""
    def make(signed, size):
        info_and_more = digest_info(signed) + behind_it
        return b"\0\1" + b"\xff" * (size - 3 - len(info_and_more)) + b"\0" + info_and_more
    return make


forged("forged-e3-2048-garbage-behind-the-digest", "pub-regenerated", 3, garbage_behind(8))
forged("forged-e3-2048-sha256-garbage-behind-the-digest", "pub-regenerated", 3, garbage_behind(8, "sha256"), "sha256")
forged("forged-e3-2048-garbage-in-the-parameters", "pub-regenerated", 3, garbage_in_parameters)
forged("forged-e3-2048-one-byte-of-padding", "pub-regenerated", 3, garbage_behind(1))
forged("forged-e3-2048-no-padding", "pub-regenerated", 3, garbage_behind(0))
forged("forged-e3-2048-longest-padding", "pub-regenerated", 3, garbage_behind(44))
forged("forged-e3-1024-short-padding", "pub", 3, garbage_behind(2))
forged("forged-e3-1024-no-padding", "pub", 3, garbage_behind(0))
forged("forged-e3-1024-zero", "pub", 3, lambda signed, size: bytes(size))
forged("forged-e1-in-the-clear", "pub", 1, in_the_clear())
forged("forged-e1-2048-in-the-clear", "pub-regenerated", 1, in_the_clear())
forged("forged-e2-even-exponent", "pub", 2, in_the_clear())
forged("forged-e1-garbage-behind-the-digest", "pub", 1, in_the_clear(b"\xa5" * 16))


# An exponent of more than 64 bits: unusual, and as good as any below the modulus ------------------

def large_exponent(bits):
    """The publisher's modulus with another exponent, and what signs with it."""
    private = key("pub").private_numbers()
    n, order = private.public_numbers.n, (private.p - 1) * (private.q - 1)
    exponent = next(e for e in range((1 << bits - 1) + 1, 1 << bits, 2) if math.gcd(e, order) == 1)
    one = certificate([("COMMON_NAME", f"exponent-of-{bits}-bits"), ("ORGANIZATION_NAME", "Cisco")],
                      rsa.RSAPublicNumbers(exponent, n).public_key(), 0x6500 + bits)

    def make(signed):
        made = int.from_bytes(block("pub", digest_info(signed)), "big")
        return pow(made, pow(exponent, -1, order), n).to_bytes(128, "big")
    fields = record_fields(one, "SAST", "cucm", name="large", address="10.48.47.153")
    return seal(parts(fields), [fields, *records()], make=make)


for bits in (64, 65, 512, 1023):
    DEFECTS[f"exponent-of-{bits}-bits"] = lambda bits=bits: large_exponent(bits)


def installed():
    """What a phone holds that trusts the publisher and each weak key: for 'accept'."""
    weak = [weak_record(private, exponent) for private in ("pub", "pub-regenerated")
            for exponent in (3, 2, 1)]
    return {"weak-anchors": seal(body=[*records(), *weak]), "good": good()}


def write(out):
    """Every defect as out/NAME.tlv; returns the names."""
    out = pathlib.Path(out)
    (out / "installed").mkdir(parents=True, exist_ok=True)
    for name, make in DEFECTS.items():
        (out / f"{name}.tlv").write_bytes(make())
    for name, data in installed().items():
        (out / "installed" / f"{name}.tlv").write_bytes(data)
    return list(DEFECTS)


if __name__ == "__main__":
    print(len(write(sys.argv[1])), "defects")
