# SPDX-License-Identifier: Apache-2.0
"""The same work with Python's cryptography, by the tests' own reader and writer.

usage: baseline.py show LIST
       baseline.py build KEY CERT FOLDER OUT    (ten records)
"""
import datetime
import pathlib
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import peerlist  # noqa: E402  (found through the path above)
import peerwrite  # noqa: E402


def certificates(count):
    """PEM of self-signed certificates with different names, over four keys."""
    keys = [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(4)]
    begin = datetime.datetime(2026, 1, 1)
    for i in range(count):
        key = keys[i % len(keys)]
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"node{i}"),
                          x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Bench")])
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name)
        builder = builder.public_key(key.public_key()).serial_number(10**12 + i)
        builder = builder.not_valid_before(begin).not_valid_after(begin.replace(year=2036))
        yield builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def sign(data, key, digest):
    """In this process, as a tool of Python's would."""
    with open(key, "rb") as f:
        private = serialization.load_pem_private_key(f.read(), None)
    assert digest == "sha512"
    return private.sign(data, padding.PKCS1v15(), hashes.SHA512())


def build(key, cert, folder, out):
    peerwrite.sign = sign
    signer = peerwrite.load(cert)
    records = [peerwrite.record_fields(signer, "SAST", "cucm", "pub", "10.0.0.1")]
    records += [peerwrite.record_fields(peerwrite.load(pathlib.Path(folder) / f"{i}.pem"), "CCM+TFTP",
                                        "cucm", f"node{i}", f"10.0.0.{i}") for i in range(9)]
    pathlib.Path(out).write_bytes(peerwrite.assemble(records, 0, key, digest="sha512"))


def show(path):
    parsed = peerlist.parse(pathlib.Path(path).read_bytes())
    for record in parsed["records"]:
        print(record["subject"], record["serial"].hex())


if __name__ == "__main__":
    {"show": show, "build": build}[sys.argv[1]](*sys.argv[2:])
