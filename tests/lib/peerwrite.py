# SPDX-License-Identifier: Apache-2.0
"""A second writer of trust lists, from docs/FORMAT.md alone; OpenSSL signs.

For lists that must equal the program's byte for byte, and for damaged or odd
ones that the program would not write.
"""
import functools
import subprocess

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from peerlist import pem  # noqa: F401  (re-exported for the tests)

ROLES = {"SAST": 0, "CCM": 1, "CCM+TFTP": 2, "TFTP": 3, "CAPF": 4, "APP-SERVER": 7, "TVS": 21}
DIGESTS = {"sha1": 1, "sha256": 2, "sha512": 3}
MODULUS = {512: 0, 1024: 1, 2048: 2, 4096: 3}
SHORT = {"commonName": "CN", "organizationalUnitName": "OU", "organizationName": "O",
         "localityName": "L", "stateOrProvinceName": "ST", "countryName": "C",
         "domainComponent": "DC", "userID": "UID", "streetAddress": "STREET"}
CUCM_ORDER = ["CN", "OU", "O", "L", "ST", "C"]
PADDING = b"\x0d"


def u16(number):
    return number.to_bytes(2, "big")


def text(string):
    return (string if isinstance(string, bytes) else string.encode("utf-8")) + b"\0"


def field(tag, value):
    return bytes([tag]) + u16(len(value)) + value


def load(path):
    with open(path, "rb") as f:
        return x509.load_pem_x509_certificate(f.read())


@functools.lru_cache(maxsize=None)
def _private_key(pem_bytes):
    return serialization.load_pem_private_key(pem_bytes, None)


def load_key(path):
    """The private key of a PEM file. Each is checked once: for an RSA key that takes tenths of a second."""
    with open(path, "rb") as f:
        return _private_key(f.read())


def load_der(path):
    with open(path, "rb") as f:
        return x509.load_der_x509_certificate(f.read())


def der(certificate):
    return certificate.public_bytes(serialization.Encoding.DER)


def attributes(name):
    """[(keyword, value)] in certificate order; a type without a keyword is dotted."""
    return [(SHORT.get(a.oid._name, a.oid.dotted_string), a.value) for a in name]


def cucm_name(name):
    """CN OU O L ST C, and no other attribute."""
    parts = attributes(name)
    return ";".join(f"{key}={value}" for wanted in CUCM_ORDER for key, value in parts if key == wanted)


def token_name(name):
    """cn, ou, o in lower case; ends before the first comma inside a value."""
    out = []
    for wanted in ("CN", "OU", "O"):
        for key, value in attributes(name):
            if key != wanted:
                continue
            quoted = value != value.strip(" ") or "," in value
            out.append(f"{key.lower()}=" + (f'"{value}"' if quoted else value))
    return ";".join(out).split(",")[0]


def rfc4514_name(name, separator=","):
    def escape(value):
        out = "".join("\\" + c if c in ',+"\\<>;' else c for c in value)
        if out.startswith((" ", "#")):
            out = "\\" + out
        return out[:-1] + "\\ " if out.endswith(" ") and value.strip() else out
    return separator.join(f"{key}={escape(value)}" for key, value in attributes(name))


def serial_bytes(certificate):
    number = certificate.serial_number
    return number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big")


def public_key(certificate):
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def address_bytes(address):
    return bytes(map(int, address.split(".")))


def raw_record(fields):
    """A record of [(tag, value)], its length in front."""
    body = b"".join(field(tag, value) for tag, value in fields)
    return field(1, u16(len(body) + 5)) + body


def record_fields(certificate, role, style, name=None, address=None, token=False):
    """[(tag, value)] of one record as the style has it."""
    naming = {"cucm": cucm_name, "rfc4514": rfc4514_name,
              "ctl-client": token_name if token else cucm_name}[style]
    subject, issuer = text(naming(certificate.subject)), text(naming(certificate.issuer))
    serial = serial_bytes(certificate)
    common = [(7, public_key(certificate)), (8, certificate.signature), (9, der(certificate))]
    if style == "rfc4514":
        return [(3, subject), (5, issuer), (6, serial), (4, u16(ROLES[role])), *common]
    if token:
        serial, name, address = serial[::-1], "", "0.0.0.0"
    elif style == "ctl-client":
        name = address
    if style == "ctl-client":
        common = [row for row in common if row[0] != 8]
    tail = [(10, address_bytes(address))] if address else []
    return [(2, text(name)), (3, subject), (4, u16(ROLES[role])), (5, issuer), (6, serial),
            *common, *tail]


def sign(data, key, digest):
    return subprocess.run(["openssl", "dgst", "-" + digest, "-sign", str(key)], input=data,
                          capture_output=True, check=True).stdout


def assemble(records, signer, key, *, digest="sha1", filename="CTLFile.tlv", timestamp=1426000000,
             version=b"\x01\x02", signer_version=None, version_after=15, modulus=None, extra=b"",
             signer_order=(4, 5, 6), corrupt=None, body=b""):
    """The whole list, or a signed file with a body of no records. records: [[(tag, value)…]…]; signer: index of the signer's record, or the
    fields of one that is not in the list."""
    mine = dict(records[signer] if isinstance(signer, int) else signer)
    identity = {4: mine[3], 5: mine[6], 6: mine[5]}
    body = b"".join(raw_record(fields) for fields in records) + body
    bits = load_key(key).key_size
    size = bits // 8
    release = field(28, signer_version) if signer_version else b""
    identity = b"".join(field(tag, identity[tag]) for tag in signer_order)
    algorithm = field(10, b"\0") + field(11, bytes([MODULUS[bits] if modulus is None else modulus]))
    info = field(8, bytes([DIGESTS[digest]])) + field(9, algorithm)
    before = (release if version_after == 2 else b"") + field(3, identity) + field(7, info)
    # Container heads count their content; field() has written both.
    after = field(14, text(filename))
    if timestamp is not None:
        after += field(15, timestamp.to_bytes(4, "big"))
    after += (release if version_after == 15 else b"") + extra
    length = 5 + 5 + len(before) + 3 + size + len(after)
    after += PADDING * (-length % 4)
    length += -length % 4
    before = field(1, version) + field(2, u16(length)) + before
    signature = sign(before + after + body, key, digest)
    if corrupt:
        signature = corrupt(signature)
    return before + field(12, signature) + after + body
