#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The seed corpora of the fuzz targets, from the test data and the named defects.

usage: seeds.py DEFECTS OUT     DEFECTS: folder that tests/defects/generate.py wrote
"""
import pathlib
import struct
import subprocess
import sys

from cryptography import x509
from cryptography.hazmat.primitives import serialization

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "defects"))

import logs  # noqa: E402  (found through the path above)

DATA = pathlib.Path(__file__).resolve().parents[1] / "data"

MANIFESTS = {
    "whole": "file: CTLFile.tlv\nstyle: cucm\nmode: mixed\ndigest: sha1\nkey: pub.key\ncert: pub.pem\n"
             "records:\n  - {role: SAST, cert: pub.pem, name: a, address: 10.0.0.1}\n"
             "  - role: CCM+TFTP\n    cert: pub.pem\n    name: \"b\"\n",
    "unknown-key": "fiel: x\n",
    "repeated-key": "file: a\nfile: b\n",
    "alias": "records:\n  - &a {role: SAST}\n  - *a\n",
    "two-documents": "file: a\n---\nfile: b\n",
    "empty": "", "scalar": "x", "sequence": "- a\n", "nested": "records: [[[[]]]]\n",
    "deep": "records: " + "[" * 200, "nul": "file: \"a\\0b\"\n", "tab": "file:\ta\n",
    "no-utf8": b"file: \xff\xfe\n", "utf16": "file: a\n".encode("utf-16"), "null": "key: ~\n",
    "tagged": "file: !!int a\n", "block": "file: |\n  a\n  b\n", "merge": "<<: {file: a}\n",
}
URIS = ["pkcs11:token=t", "pkcs11:token=My%20token%25;id=%00%01;object=SAST;type=private",
        "pkcs11:token=t?pin-source=file:/p&module-path=/m.so", "pkcs11:serial=1;model=m;manufacturer=C",
        "pkcs11:slot-id=5;token=t;library-version=2.4", "pkcs11:", "pkcs11:;token=t", "pkcs11:token=%0",
        "pkcs11:token=a;token=b", "pkcs11:tokem=t", "pkcs11:token=t?pin-source=|cat", "PKCS11:token=%c3%a4"]


def put(folder, name, content):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)


def pairs(out, lists):
    """Every flag once, the good lists against each other, the defects against the list they came from."""
    good = {path.stem: path.read_bytes() for path in sorted((DATA / "lists").glob("*.tlv"))}
    flags = 0
    for first, old in good.items():
        for second, new in good.items():
            put(out, f"{first}-{second}", bytes([flags % 64]) + len(old).to_bytes(2, "big") + old + new)
            flags += 5
    for path in lists:
        new, old = path.read_bytes(), good["cucm"]
        put(out, path.stem, bytes([flags % 64]) + len(old).to_bytes(2, "big") + old + new)
        put(out, f"{path.stem}-self", bytes([0]) + (len(new) % 65536).to_bytes(2, "big") + new + new)
        flags += 7


def certificates(out):
    for path in sorted((DATA / "cluster").glob("*.pem")):
        pem = path.read_bytes()
        certificate = x509.load_pem_x509_certificate(pem)
        put(out / "cert", path.name, pem)
        put(out / "cert", f"{path.stem}.der", certificate.public_bytes(serialization.Encoding.DER))
        put(out / "name", f"{path.stem}-subject", certificate.subject.public_bytes())
        put(out / "name", f"{path.stem}-issuer", certificate.issuer.public_bytes())
    put(out / "cert", "two.pem", b"".join(path.read_bytes() for path in
                                          sorted((DATA / "cluster").glob("s*.pem"))) * 2)


def names(out):
    """One attribute of every string type, and odd ones."""
    def tlv(tag, value):
        return bytes([tag, len(value)]) + value

    def name(*values):
        return tlv(0x30, b"".join(tlv(0x31, tlv(0x30, oid + value)) for oid, value in values))

    common, unknown = tlv(6, b"\x55\x04\x03"), tlv(6, b"\x2a\x03\x87\x68")
    types = {"utf8": tlv(0x0c, "ä;".encode()), "printable": tlv(0x13, b" a,+\"\\<># "),
             "t61": tlv(0x14, b"\xe4"), "ia5": tlv(0x16, b"a\0b"), "bmp": tlv(0x1e, b"\xd8\x3d\xde\0\0a"),
             "universal": tlv(0x1c, b"\0\1\xf6\0"), "integer": tlv(2, b"\1"), "empty": tlv(0x0c, b"")}
    for kind, value in types.items():
        put(out, kind, name((common, value)))
        put(out, f"{kind}-unknown", name((unknown, value), (common, value)))


def keyfiles(out):
    for path in sorted((DATA / "cluster").glob("*.key"))[:3]:
        put(out, path.name, path.read_bytes())
    key, cert = DATA / "cluster" / "pub.key", DATA / "cluster" / "pub.pem"
    forms = {
        "pkcs8.der": ["pkcs8", "-topk8", "-nocrypt", "-in", key, "-outform", "DER"],
        "encrypted.pem": ["pkcs8", "-topk8", "-in", key, "-passout", "pass:x", "-iter", "1"],
        "rsa.der": ["rsa", "-in", key, "-outform", "DER", "-traditional"],
        "empty.p12": ["pkcs12", "-export", "-inkey", key, "-in", cert, "-passout", "pass:",
                      "-iter", "1", "-maciter"],
        "pass.p12": ["pkcs12", "-export", "-inkey", key, "-in", cert, "-passout", "pass:x",
                     "-iter", "1"],
        "old.p12": ["pkcs12", "-export", "-legacy", "-inkey", key, "-in", cert, "-passout", "pass:",
                    "-iter", "1"],
    }
    for name, words in forms.items():
        run = subprocess.run(["openssl", *map(str, words)], capture_output=True, check=False)
        if run.returncode == 0:
            put(out, name, run.stdout)


def terminal_logs(out):
    """The sample log in what terminals make of it, each named defect, and the vendor's printed lists."""
    text = logs.LOG.read_text()
    for name, make in logs.DEFECTS.items():
        put(out, name, make(text))
    wide = text.expandtabs(8).split("\n")
    put(out, "whole", text)
    put(out, "two", text * 2)
    put(out, "crlf", text.replace("\n", "\r\n"))
    put(out, "utf16", text.encode("utf-16"))
    put(out, "screen", "\n".join(line[i:i + 80] for line in wide for i in range(0, len(line) or 1, 80)))
    put(out, "pager", text.replace("\n\t\t", f"\n{logs.PAGER}\r{' ' * 62}\r\n\t\t"))
    put(out, "colours", text.replace("\n", "\n\x1b[0m\x1b[32mx\b"))
    put(out, "query", "servername ipv4address certificate\n=== === ===\ncucm-1051-a-pub 10.48.\n47.153 -----BEG\n"
        "IN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----\n" + text)
    for path in (DATA / "samples").glob("*.txt"):
        put(out, path.stem, path.read_bytes())


# To the network's process and from it (signer/net/shared/wire.h), and names of nodes.
NET = [
    struct.pack(">BBHIIH", 1, 0, 7, 20000, 1 << 20, 24) + b"http://cucm-pub:6970/CTL",
    struct.pack(">BBHIIH", 2, 0, 8, 20000, 1 << 18, 8) + b"pub:5061",
    struct.pack(">BBHIIH", 5, 0, 9, 20000, 1 << 18, 8) + b"pub:2445" + b"W\1\3\0\0\0\0\7\0\0",
    struct.pack(">BBH", 64, 0, 7) + b"a piece",
    struct.pack(">BBHBIq", 65, 0, 7, 0, 0, 1426000000),
    struct.pack(">BBHBIq", 65, 0, 7, 15, 28, 0) + b"wrong version number",
    b"cucm-pub", b"10.48.47.153:6970", b"https://cucm-pub", b"tftp://cucm-pub:69/", b"[2001:db8::1]:6970", b"2001:db8::1",
]


# Answers of TVS to session 7 (docs/TVS.md).
TVS = [bytes.fromhex(text) for text in (
    "57010400 00000007 0010 070001 00 080002 0002 090004 00015180", "57010200 00000007 0004 070001 01",
    "57010400 00000007 0009 070001 00 020002 3000", "57010200 00000007 0009 c80002 abcd 070001 00")]


MD5 = "45627437aa83f931627e06ab3387063d"
TABLES = [
    f"Device;Checksum\r\nSEP001122334455;{MD5}\r\n", f"a,{MD5}\nb,{MD5}\n", f"\ufeffa\tb\t{MD5}\n\n\n", "sep=|\na|b\n",
    f'"a, ""b""","{MD5}"\n"c\nd",e', '"never closed,x\n', "sep=\n\na\nb\n", 'sep="\na"b\n', "", ",\n,,,,\n", "a\rb\r",
    "a;b\n".encode("utf-16"), b"a\0b",
]


def main(defects, out):
    out = pathlib.Path(out)
    lists = sorted(pathlib.Path(defects).glob("*.tlv"))
    for path in [*sorted((DATA / "lists").glob("*.tlv")), *lists]:
        content = path.read_bytes()
        put(out / "list", path.name, content)
        put(out / "header", path.name, content[:700])
    put(out / "header", "config.sgn", (DATA / "lists" / "cucm.tlv").read_bytes()[:336] + b"<device/>\n")
    pairs(out / "accept", lists)
    certificates(out)
    names(out / "name")
    terminal_logs(out / "log")
    keyfiles(out / "keyfile")
    for name, text in MANIFESTS.items():
        put(out / "manifest", name, text)
    for number, uri in enumerate(URIS):
        put(out / "uri", f"{number:02}", uri)
    for number, table in enumerate(TABLES):
        put(out / "csv", f"{number:02}", table)
    for number, message in enumerate(NET):
        put(out / "net", f"{number:02}", message)
    for number, message in enumerate(TVS):
        put(out / "tvs", f"{number:02}", message)


if __name__ == "__main__":
    main(*sys.argv[1:])
