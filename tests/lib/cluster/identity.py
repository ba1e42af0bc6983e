# SPDX-License-Identifier: Apache-2.0
"""Keys and certificates of virtual nodes, and how CUCM spells their names."""
import datetime
import pathlib
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

# CUCM writes these attributes alone, in this order (docs/CLUSTER.md).
SPELLED = [("CN", NameOID.COMMON_NAME), ("OU", NameOID.ORGANIZATIONAL_UNIT_NAME),
           ("O", NameOID.ORGANIZATION_NAME), ("L", NameOID.LOCALITY_NAME),
           ("ST", NameOID.STATE_OR_PROVINCE_NAME), ("C", NameOID.COUNTRY_NAME)]
SUBJECT = [(NameOID.COUNTRY_NAME, "PL"), (NameOID.ORGANIZATION_NAME, "Example"),
           (NameOID.ORGANIZATIONAL_UNIT_NAME, "TAC")]
BITS = 1024  # the least that nodes had: quick to make
SINCE = datetime.datetime(2014, 6, 5, 12)
UNTIL = datetime.datetime(2034, 6, 4, 12)

_made = []  # keys of this process; every deck deals them in the same order


def spelled(name):
    """A certificate's name as CUCM writes it into a list and looks it up in TVS."""
    parts = [f"{short}={attribute.value}" for short, oid in SPELLED
             for attribute in name.get_attributes_for_oid(oid)]
    return ";".join(parts)


@dataclass(eq=False)
class Identity:
    """A certificate and its key, as files (PEM) and as objects."""
    cert: pathlib.Path
    key: pathlib.Path

    def __post_init__(self):
        self.certificate = x509.load_pem_x509_certificate(self.cert.read_bytes())
        self.der = self.certificate.public_bytes(serialization.Encoding.DER)
        number = self.certificate.serial_number
        self.serial = number.to_bytes((number.bit_length() + 7) // 8, "big")
        self.subject = spelled(self.certificate.subject)
        self.issuer = spelled(self.certificate.issuer)


class Deck:
    """Deals keys, each once; other decks deal the same keys, which spares making them."""

    def __init__(self, folder):
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.dealt = 0

    def _next_key(self):
        self.dealt += 1
        if len(_made) < self.dealt:
            _made.append(rsa.generate_private_key(65537, BITS))
        return _made[self.dealt - 1]

    def identity(self, cn, key=None):
        """A fresh self-signed certificate for this CN; every one has a serial number of its own."""
        key = key or self._next_key()
        name = x509.Name([x509.NameAttribute(oid, value) for oid, value in
                          [*SUBJECT, (NameOID.COMMON_NAME, cn)]])
        serial = 0x4000000000000000000000000000 + self.dealt
        made = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
                .public_key(key.public_key()).serial_number(serial)
                .not_valid_before(SINCE).not_valid_after(UNTIL).sign(key, hashes.SHA256()))
        cert, private = (self.folder / f"{self.dealt}-{cn}{end}" for end in (".pem", ".key"))
        cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        private.touch(0o600)
        private.write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        return Identity(cert, private)

    @staticmethod
    def sample(folder, name):
        """An identity of the sample cluster."""
        return Identity(folder / f"{name}.pem", folder / f"{name}.key")
