# SPDX-License-Identifier: Apache-2.0
"""Hundreds of wrong signatures, each judged by the program, by OpenSSL and by arithmetic.

Signed files, so that one process verifies them all; a list's signature goes through the same function, which
the same corpus shows for some of them. What was signed with the private key by hand is wrong inside the block:
padding, DigestInfo, digest; what was changed afterwards is wrong as a number.
"""
import hashlib
import json
import random

import peerjudge
import pytest
from conftest import SANITIZED
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from peerwrite import DIGESTS, field, record_fields, text
from test_defects import generate

OIDS = {"md5": "2a864886f70d0205", "sha1": "2b0e03021a", "sha224": "608648016503040204",
        "sha256": "608648016503040201", "sha384": "608648016503040202", "sha512": "608648016503040203",
        "rsa": "2a864886f70d010101"}
HASHES = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256(), "sha512": hashes.SHA512()}


def der(tag, content, long=False):
    head = bytes([tag, len(content)]) if len(content) < 128 and not long else bytes([tag, 0x81, len(content)])
    return head + content


def info(oid, digest, *, parameters=b"\5\0", long=False, behind=b"", inside=b""):
    algorithm = der(0x30, der(6, bytes.fromhex(OIDS[oid])) + parameters, long)
    return der(0x30, algorithm + der(4, digest, long) + inside, long) + behind


def block(size, content, *, kind=1, fill=b"\xff", short=0, front=b"\0", zero=b"\0"):
    """EMSA-PKCS1-v1_5; short: so many bytes of padding less, and garbage behind to make up for it."""
    room = size - len(front) - 1 - len(zero) - len(content) - short
    return front + bytes([kind]) + fill * room + zero + content + b"\xa5" * short


def blocks(size, name, digest):
    """(what is wrong, block) to be signed."""
    good = info(name, digest)
    other = "sha256" if name == "sha1" else "sha1"
    yield "good", block(size, good)
    yield "no-parameters", block(size, info(name, digest, parameters=b""))
    yield "parameters-twice", block(size, info(name, digest, parameters=b"\5\0\5\0"))
    yield "parameters-of-length-one", block(size, info(name, digest, parameters=b"\5\1\0"))
    yield "parameters-no-null", block(size, info(name, digest, parameters=b"\4\0"))
    yield "long-lengths", block(size, info(name, digest, long=True))
    yield "byte-behind", block(size, info(name, digest, behind=b"\0"))
    yield "byte-inside", block(size, info(name, digest, inside=b"\0"))
    yield "null-inside", block(size, info(name, digest, inside=b"\5\0"))
    for wrong in OIDS:
        if wrong != name:
            yield f"oid-of-{wrong}", block(size, info(wrong, digest))
    yield "another-digest", block(size, info(other, hashlib.new(other, digest).digest()))
    yield "digest-short", block(size, info(name, digest[:-1]))
    yield "digest-long", block(size, info(name, digest + b"\0"))
    yield "digest-empty", block(size, info(name, b""))
    yield "digest-turned", block(size, info(name, digest[::-1]))
    yield "digest-alone", block(size, digest)
    yield "sequence-as-set", block(size, b"\x31" + good[1:])
    yield "nothing-inside", block(size, b"")
    for kind in (0, 2, 0xff):
        yield f"kind-{kind}", block(size, good, kind=kind)
    yield "padding-of-zeros", block(size, good, kind=0, fill=b"\0")
    yield "padding-of-fe", block(size, good, fill=b"\xfe")
    yield "no-zero", block(size, good, zero=b"")
    yield "two-zeros", block(size, good, zero=b"\0\0")
    yield "one-byte-of-padding-too-few", block(size, good, short=1)
    yield "eight-bytes-of-padding", block(size, good, short=max(1, size - len(good) - 3 - 8))
    yield "no-padding", block(size, good, short=size - len(good) - 3)
    for at in (2, 5, size - len(good) - 2):
        whole = bytearray(block(size, good))
        whole[at] ^= 1
        yield f"bit-of-padding-{at}", bytes(whole)


def numbers(signature, modulus, rng):
    """(what is wrong, signature) changed after signing."""
    size, value = len(signature), int.from_bytes(signature, "big")
    for name, wrong in {"zero": 0, "one": 1, "modulus": modulus, "minus-one": modulus - 1,
                        "negated": modulus - value, "twice": 2 * value % modulus}.items():
        yield name, wrong.to_bytes(size, "big")
    yield "plus-the-modulus", (value + modulus).to_bytes(size + 1, "big")
    yield "zero-in-front", b"\0" + signature
    yield "zero-behind", signature + b"\0"
    yield "cut-in-front", signature[1:]
    yield "cut-behind", signature[:-1]
    yield "half", signature[:size // 2]
    yield "twice-over", signature * 2
    yield "empty", b""
    yield "turned", signature[::-1]
    yield "ff", b"\xff" * size
    for _ in range(12):
        at, bit = rng.randrange(size), rng.randrange(8)
        yield f"bit-{at}-{bit}", signature[:at] + bytes([signature[at] ^ 1 << bit]) + signature[at + 1:]


class Owner:
    """A key and its record as TFTP server."""

    def __init__(self, name, private):
        own = private.private_numbers()
        self.name, self.d = name, own.d
        self.public, self.modulus = private.public_key(), own.public_numbers.n
        self.size = (self.modulus.bit_length() + 7) // 8
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        certificate = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
                       .public_key(self.public).serial_number(sum(name.encode()) + self.size)
                       .not_valid_before(generate.datetime.datetime(2014, 6, 5))
                       .not_valid_after(generate.datetime.datetime(2034, 6, 5))
                       .sign(generate.key("pub"), hashes.SHA256()))
        self.fields = record_fields(certificate, "CCM+TFTP", "cucm", name=name, address="10.0.0.1")

    def sign(self, whole):
        return pow(int.from_bytes(whole, "big"), self.d, self.modulus).to_bytes(self.size, "big")

    def header(self, filename, digest, algorithm=0):
        code = {64: 0, 128: 1, 256: 2, 512: 3}.get(self.size, 1)
        return generate.parts(self.fields, version=b"\1\0\2\1\0", filename=field(14, text(filename)),
                              info=generate.info(digest, algorithm, code))


def load(path):
    return serialization.load_pem_private_key(path.read_bytes(), None)


@pytest.fixture(scope="module")
def owners(keys):
    made = {kind: Owner(kind, load(keys[kind])) for kind in ("rsa512", "rsa1000", "rsa1024", "rsa2048")}
    made["e3"] = Owner("e3", rsa.generate_private_key(3, 1024))
    return made


def by_openssl(owner, digest, signed, signature):
    try:
        owner.public.verify(signature, signed, padding.PKCS1v15(), HASHES[digest])
    except InvalidSignature:
        return False
    return True


class Corpus:
    """Files with their expected verdicts; OpenSSL and arithmetic must agree on each."""

    def __init__(self, folder):
        self.folder, self.expected = folder, {}

    def add(self, owner, digest, what, make, *, size=None, number=None, algorithm=0):
        name = f"{owner.name}-{digest}-{what}.sgn"
        made = []

        def once(signed):
            made.append((signed, make(signed)))
            return made[0][1]
        header = owner.header(name, DIGESTS[digest] if number is None else number, algorithm)
        data = generate.seal(header, b"<device/>\n", size=owner.size if size is None else size, make=once)
        signed, signature = made[0]
        good = by_openssl(owner, digest, signed, signature)
        key = dict(owner.fields)[7]
        assert peerjudge.is_signature(key, DIGESTS[digest], signed, signature) == good, name
        (self.folder / name).write_bytes(data)
        # A digest or algorithm that the header misnames is not that of the signature.
        self.expected[name] = good and number is None and algorithm == 0

    def fill(self, owner, digest, rng):
        def signing(choose):
            return lambda signed: owner.sign(choose(dict(blocks(
                owner.size, digest, hashlib.new(digest, signed).digest()))))
        for what, _ in blocks(owner.size, digest, hashlib.new(digest).digest()):
            self.add(owner, digest, what, signing(lambda made, what=what: made[what]))
        seed = rng.random()

        def after(what):
            def make(signed):
                right = signing(lambda made: made["good"])(signed)
                return dict(numbers(right, owner.modulus, random.Random(seed)))[what]
            return make
        for what, wrong in numbers(bytes(owner.size), owner.modulus, random.Random(seed)):
            self.add(owner, digest, what, after(what), size=len(wrong))
        for number in {0, 1, 2, 3, 4, 255} - {DIGESTS[digest]}:
            self.add(owner, digest, f"named-{number}", signing(lambda made: made["good"]), number=number)
        self.add(owner, digest, "algorithm-1", signing(lambda made: made["good"]), algorithm=1)


@pytest.fixture(scope="module")
def corpus(owners, tmp_path_factory):
    made = Corpus(tmp_path_factory.mktemp("signatures"))
    rng = random.Random(1973)
    for kind, digest in (("rsa512", "sha1"), ("rsa1000", "sha256"), ("rsa1024", "sha1"), ("rsa1024", "sha512"),
                         ("rsa2048", "sha256"), ("e3", "sha1"), ("e3", "sha256")):
        made.fill(owners[kind], digest, rng)
    trust = generate.seal(body=[*generate.records(), *(owner.fields for owner in owners.values())])
    (made.folder / "CTLFile.tlv").write_bytes(trust)
    return made


def test_every_verdict_is_that_of_openssl_and_of_arithmetic(ctlsign, corpus):
    assert len(corpus.expected) >= 400
    right = [name for name, good in corpus.expected.items() if good]
    assert len(right) == 7 and all("-good" in name for name in right)
    run = ctlsign("config", "verify", "--trust", "CTLFile.tlv", "--json", *corpus.expected, cwd=corpus.folder)
    assert run.status == 1, str(run)
    said = {entry["file"]: entry["verified"] for entry in json.loads(run.out)["files"]}
    assert said == corpus.expected


@pytest.mark.skipif(SANITIZED, reason="the same function, which the test above runs under sanitizers")
def test_lists_go_the_same_way(ctlsign, owners, tmp_path):
    """The blocks again, signed over a list: verify and accept, one process each."""
    owner, digest, path = owners["rsa1024"], "sha1", tmp_path / "CTLFile.tlv"
    fields = generate.change(owner.fields, tag_4=b"\0\0")
    anchors = tmp_path / "installed.tlv"
    anchors.write_bytes(generate.seal(body=[*generate.records(), fields]))
    for what, _ in blocks(owner.size, digest, bytes(20)):
        path.write_bytes(generate.seal(
            generate.parts(fields), [fields, *generate.records()], size=owner.size,
            make=lambda signed, what=what: owner.sign(dict(blocks(
                owner.size, digest, hashlib.sha1(signed).digest()))[what])))
        good = what == "good"
        run = ctlsign("verify", "--trust", "self", path)
        assert run.last_line == (f"good signature by CN={owner.name}" if good else "BAD signature"), (what, str(run))
        run = ctlsign("accept", "--installed", anchors, path)
        assert run.out.startswith("accepted: signer-is-sast" if good else "refused: bad-signature"), (what, str(run))
