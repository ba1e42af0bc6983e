#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A second reading of trust lists, written from docs/FORMAT.md alone.

It shares nothing with the program: what the two agree on is the format. Short
on purpose and for tests only: it refuses what it does not know.

usage: peerlist.py show FILE                 what was read, as JSON
       peerlist.py cut FILE SIGNED SIGNATURE  the bytes that are signed, and the signature
       peerlist.py signers FILE DIR          the signer's certificates as DIR/N.pem
"""
import base64
import functools
import json
import os
import subprocess
import sys
import tempfile

DIGESTS = {1: "sha1", 2: "sha256", 3: "sha512"}
MODULUS_BYTES = {0: 64, 1: 128, 2: 256, 3: 512}
ROLES = {0: "SAST", 1: "CCM", 2: "CCM+TFTP", 3: "TFTP", 4: "CAPF", 7: "APP-SERVER", 21: "TVS"}
HEADER_TAGS = {
    1: "version", 2: "header_length", 4: "signer_name", 5: "signer_serial", 6: "signer_issuer",
    8: "digest", 10: "algorithm", 11: "modulus", 12: "signature", 14: "filename", 15: "timestamp",
    18: "content_mode", 19: "iv", 20: "content_padding", 22: "key_mode", 23: "key_bits", 24: "cipher",
    25: "content_key", 26: "plain_digest_algorithm", 27: "plain_digest", 28: "signer_version",
}
CONTAINERS = {3: "signer_id", 7: "signature_info", 9: "algorithm_info", 16: "encryption_info",
              17: "content_cipher_info", 21: "key_info"}
RECORD_TAGS = {
    1: "record_length", 2: "dns_name", 3: "subject", 4: "role", 5: "issuer", 6: "serial",
    7: "public_key", 8: "signature", 9: "certificate", 10: "address",
}
PADDING = 13


class Malformed(Exception):
    """The bytes are no trust list."""


def _field(data, at, end):
    """One tag, its value, and where the next one begins."""
    if end - at < 3:
        raise Malformed(f"field head cut at byte {at}")
    length = int.from_bytes(data[at + 1:at + 3], "big")
    if end - at - 3 < length:
        raise Malformed(f"field of {length} bytes at byte {at}, {end - at - 3} remain")
    return data[at], data[at + 3:at + 3 + length], at + 3 + length


def _text(value):
    if not value.endswith(b"\0") or b"\0" in value[:-1]:
        raise Malformed(f"string without its NUL: {value!r}")
    return value[:-1].decode("utf-8")


def parse_header(data):
    """Fields by name, plus 'fields' [(tag, offset, length)], 'padding' and 'cut' (field 12's place)."""
    if data[:3] != b"\x01\x00\x02":
        raise Malformed("does not begin with a version")
    if data[5:8] != b"\x02\x00\x02":
        raise Malformed("no header length")
    end = int.from_bytes(data[8:10], "big")
    if end > len(data):
        raise Malformed("header longer than the file")
    header = {"fields": [], "padding": 0}
    at, inside = 0, []  # inside: (end of container, name)
    while at < end:
        while inside and at == inside[-1]:
            inside.pop()
        if inside and at > inside[-1]:
            raise Malformed(f"container overrun at byte {at}")
        if data[at] == PADDING:
            header["padding"] += 1
            at += 1
            continue
        tag, value, following = _field(data, at, end)
        header["fields"].append((tag, at, len(value)))
        if tag in CONTAINERS:
            header[CONTAINERS[tag]] = len(value)
            inside.append(following)
            at += 3
            continue
        if tag == 12:
            header["cut"] = (at, following)
        header[HEADER_TAGS.get(tag, f"unknown_{tag}")] = value
        at = following
    if "cut" not in header:
        raise Malformed("no signature")
    for name in ("signer_name", "signer_issuer", "filename"):
        if name in header:
            header[name] = _text(header[name])
    for name in ("header_length", "digest", "algorithm", "modulus", "timestamp"):
        if name in header:
            header[name] = int.from_bytes(header[name], "big")
    return header


def parse_record(data, start):
    """One record; its fields by name, plus 'offset', 'length', 'fields', 'raw'."""
    if data[start:start + 3] != b"\x01\x00\x02":
        raise Malformed(f"no record at byte {start}")
    length = int.from_bytes(data[start + 3:start + 5], "big")
    end = start + length
    if length < 5 or end > len(data):
        raise Malformed(f"record of {length} bytes at byte {start}, {len(data) - start} remain")
    record = {"offset": start, "length": length, "fields": [], "raw": data[start:end]}
    at = start
    while at < end:
        tag, value, following = _field(data, at, end)
        record["fields"].append((tag, at, len(value)))
        record[RECORD_TAGS.get(tag, f"unknown_{tag}")] = value
        at = following
    for name in ("dns_name", "subject", "issuer"):
        if name in record:
            record[name] = _text(record[name])
    record["role"] = int.from_bytes(record["role"], "big")
    record["role_name"] = ROLES.get(record["role"], str(record["role"]))
    return record


def parse(data):
    """The whole list: {'header': …, 'records': […]}."""
    header = parse_header(data)
    records, at = [], header["header_length"]
    while at < len(data):
        records.append(parse_record(data, at))
        at += records[-1]["length"]
    return {"header": header, "records": records}


def signed_bytes(data):
    """The file with the whole of field 12, head and value, cut out."""
    start, end = parse_header(data)["cut"]
    return data[:start] + data[end:]


def signers(parsed):
    """DER of every record's certificate that has the header's serial and issuer."""
    header = parsed["header"]
    found = []
    for record in parsed["records"]:
        if record.get("serial") != header["signer_serial"]:
            continue
        if record.get("issuer") == header["signer_issuer"] and "certificate" in record:
            if record["certificate"] not in found:
                found.append(record["certificate"])
    return found


def pem(der):
    """DER as PEM."""
    text = base64.encodebytes(der).decode().replace("\n", "")
    lines = [text[i:i + 64] for i in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])


# The same question is asked again and again: OpenSSL is asked once.
@functools.lru_cache(maxsize=None)
def _public_key(cert):
    return subprocess.run(["openssl", "x509", "-pubkey", "-noout"], input=cert, check=True,
                          stdout=subprocess.PIPE).stdout


@functools.lru_cache(maxsize=None)
def _openssl_says(data, key):
    header = parse_header(data)
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: os.path.join(folder, name) for name in ("signed", "signature", "key")}
        for name, content in (("signed", signed_bytes(data)), ("signature", header["signature"]),
                              ("key", key)):
            with open(paths[name], "wb") as f:
                f.write(content)
        run = subprocess.run(["openssl", "dgst", "-" + DIGESTS[header["digest"]], "-verify",
                              paths["key"], "-signature", paths["signature"], paths["signed"]],
                             stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return run.returncode == 0 and run.stdout.strip() == "Verified OK"


def openssl_verify(data, cert_pem):
    """Whether OpenSSL alone, given the signer's certificate (a PEM file), says OK."""
    with open(cert_pem, "rb") as f:
        return _openssl_says(bytes(data), _public_key(f.read()))


def _plain(value):
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items() if k != "raw"}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value.hex() if isinstance(value, bytes) else value


def main(args):
    if len(args) == 2 and args[0] == "show":
        with open(args[1], "rb") as f:
            json.dump(_plain(parse(f.read())), sys.stdout, indent=2, ensure_ascii=False)
        print()
    elif len(args) == 4 and args[0] == "cut":
        with open(args[1], "rb") as f:
            data = f.read()
        with open(args[2], "wb") as f:
            f.write(signed_bytes(data))
        with open(args[3], "wb") as f:
            f.write(parse_header(data)["signature"])
        print(DIGESTS[parse_header(data)["digest"]])
    elif len(args) == 3 and args[0] == "signers":
        with open(args[1], "rb") as f:
            found = signers(parse(f.read()))
        for number, der in enumerate(found, 1):
            with open(os.path.join(args[2], f"{number}.pem"), "w", encoding="ascii") as f:
                f.write(pem(der))
        return 0 if found else 1
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
