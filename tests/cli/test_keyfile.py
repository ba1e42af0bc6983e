# SPDX-License-Identifier: Apache-2.0
"""Key files that ask for years: how often a passphrase is hashed stands in the file, and how much of scrypt."""
import base64
import os
import time

import lists
import pytest
from conftest import SANITIZED, openssl
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.serialization import load_pem_private_key

YEARS = 2**31 - 1
DATA, ENCRYPTED, SHROUDED_KEY = ("2a864886f70d010701", "2a864886f70d010706", "2a864886f70d010c0a0102")
SCRYPT = "2b06010401da47040b"
RSA = "2a864886f70d010101"
PBKDF2, PBES2, HMAC_SHA256 = "2a864886f70d01050c", "2a864886f70d01050d", "2a864886f70d0209"
AES256, SHA256, PBE_SHA1_3DES = "60864801650304012a", "608648016503040201", "2a864886f70d010c0103"


def der(tag, content):
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    return bytes([tag, 0x82]) + size.to_bytes(2, "big") + content


def oid(text):
    return der(6, bytes.fromhex(text))


def number(n):
    return der(2, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def octets(data):
    return der(4, data)


def sequence(*parts):
    return der(0x30, b"".join(parts))


def pbes2(rounds, iv=bytes(16)):
    return sequence(oid(PBES2), sequence(
        sequence(oid(PBKDF2), sequence(octets(bytes(8)), number(rounds),
                                       sequence(oid(HMAC_SHA256), der(5, b"")))),
        sequence(oid(AES256), octets(iv))))


def pbes1(rounds):
    return sequence(oid(PBE_SHA1_3DES), sequence(octets(bytes(8)), number(rounds)))


def scrypt(parallel):
    """16 MB each, which OpenSSL allows, so many times."""
    return sequence(oid(PBES2), sequence(
        sequence(oid(SCRYPT), sequence(octets(bytes(8)), number(2**14), number(8), number(parallel))),
        sequence(oid(AES256), octets(bytes(16)))))


def encrypted_key(algorithm):
    return sequence(algorithm, octets(os.urandom(64)))


def safe(bags):
    """ContentInfo of plain bags."""
    return sequence(oid(DATA), der(0xa0, octets(sequence(*bags))))


def encrypted_safe(bags, rounds=1):
    """ContentInfo of bags that only the passphrase shows, which is empty."""
    key = PBKDF2HMAC(hashes.SHA256(), 32, bytes(8), 1).derive(b"")
    plain = sequence(*bags)
    plain += bytes([16 - len(plain) % 16]) * (16 - len(plain) % 16)
    aes = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).encryptor()
    return sequence(oid(ENCRYPTED), der(0xa0, sequence(number(0), sequence(
        oid(DATA), pbes2(rounds), der(0x80, aes.update(plain))))))


def bag(algorithm):
    return sequence(oid(SHROUDED_KEY), der(0xa0, encrypted_key(algorithm)))


def store(*safes, mac=None):
    content = sequence(*safes)
    parts = [number(3), sequence(oid(DATA), der(0xa0, octets(content)))]
    if mac is not None:
        parts.append(sequence(sequence(sequence(oid(SHA256), der(5, b"")), octets(bytes(32))),
                              octets(bytes(8)), number(mac)))
    return sequence(*parts)


HOSTILE = {
    "pkcs8-pbes2.der": encrypted_key(pbes2(YEARS)),
    "pkcs8-pbes1.der": encrypted_key(pbes1(YEARS)),
    "scrypt.der": encrypted_key(scrypt(15000)),
    "scrypt-bag.p12": store(safe([bag(scrypt(15000))])),
    "mac.p12": store(safe([]), mac=YEARS),
    "bag.p12": store(safe([bag(pbes2(YEARS))])),
    "old-bag.p12": store(safe([bag(pbes1(YEARS))])),
    "safe.p12": store(encrypted_safe([bag(pbes2(1))], YEARS)),
    "bag-in-an-encrypted-safe.p12": store(encrypted_safe([bag(pbes2(YEARS))])),
}


@pytest.fixture
def attempt(ctlsign, cluster, tmp_path):
    """attempt(name, content): the arguments of a build with that key file."""
    def make(name, content, word="word"):
        key, secret = tmp_path / name, tmp_path / "secret"
        key.write_bytes(content)
        secret.write_text(word)
        for path in (key, secret):
            path.chmod(0o600)
        return ["build", "-o", tmp_path / "CTLFile.tlv", *lists.by(key, cluster / "pub.pem"),
                "--pin-source", f"file:{secret}"]
    return make


def rsa(cluster, **changed):
    """The publisher's key, with some of its numbers changed, as DER."""
    private = load_pem_private_key((cluster / "pub.key").read_bytes(), None).private_numbers()
    numbers = {"n": private.public_numbers.n, "e": private.public_numbers.e, "d": private.d, "p": private.p,
               "q": private.q, "dp": private.dmp1, "dq": private.dmq1, "qi": private.iqmp, **changed}
    more = numbers.pop("more", None)
    return sequence(number(0 if more is None else 1), *map(number, numbers.values()),
                    *([] if more is None else [sequence(sequence(*map(number, more)))]))


def pem(content, label="RSA PRIVATE KEY"):
    lines = base64.encodebytes(content).decode()
    return f"-----BEGIN {label}-----\n{lines}-----END {label}-----\n".encode()


LONG = 2**200000 + 1


@pytest.mark.parametrize("changed", [
    {"p": LONG}, {"p": LONG, "dp": LONG}, {"d": LONG}, {"dq": LONG}, {"qi": LONG}, {"e": LONG},
    {"more": (LONG, 1, 1)}, {"more": (3, LONG, 1)}, {"more": (3, 1, LONG)}, {"n": LONG}], ids=lambda c: "-".join(c))
@pytest.mark.parametrize("form", ["pem", "der", "pkcs8"])
def test_a_key_whose_numbers_want_years_is_refused(ctlsign, cluster, attempt, tmp_path, changed, form):
    """How long a signature takes stands in the key, and there no time-out reaches it."""
    content = rsa(cluster, **changed)
    if form == "pem":
        content = pem(content)
    elif form == "pkcs8":
        content = pem(sequence(number(0), sequence(oid(RSA), der(5, b"")), octets(content)), "PRIVATE KEY")
    begin = time.monotonic()
    ctlsign.refused(3, *attempt("long.key", content), says="long.key")
    assert time.monotonic() - begin < 15
    assert not (tmp_path / "CTLFile.tlv").exists()


@pytest.mark.parametrize("changed", [{"p": 0}, {"p": 12}, {"d": 5, "p": 7, "q": 11},
                                     {"d": 0, "p": 0, "q": 0, "dp": 0, "dq": 0, "qi": 0}])
def test_a_key_that_is_damaged_is_no_token_that_failed(ctlsign, cluster, attempt, tmp_path, changed):
    words = attempt("bad.key", pem(rsa(cluster, **changed)))
    ctlsign.refused(3, *words, says=("bad.key", "the key is damaged"))
    assert not (tmp_path / "CTLFile.tlv").exists()
    phones = [tmp_path / f"SEP{i:012d}.cnf.xml" for i in range(4)]
    for path in phones:
        path.write_text("<device/>")
    run = ctlsign("config", "sign", *phones, "-k", tmp_path / "bad.key", "--cert", cluster / "pub.pem")
    assert run.status == 3 and "the key is damaged" in run.err and "token" not in run.err
    assert not list(tmp_path.glob("*.sgn"))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_key_file_that_wants_years_is_given_up(ctlsign, attempt, tmp_path, name):
    begin = time.monotonic()
    ctlsign.refused(3, *attempt(name, HOSTILE[name]), "--timeout", 1,
                    says=(name, "takes more than 1 s to decrypt", "--timeout"))
    assert time.monotonic() - begin < 15
    assert not (tmp_path / "CTLFile.tlv").exists()


def test_a_number_that_no_library_takes(ctlsign, attempt, tmp_path):
    run = ctlsign(*attempt("mac.p12", store(safe([]), mac=2**80)))
    assert run.status in (3, 6) and not (tmp_path / "CTLFile.tlv").exists()


@pytest.fixture
def forms(cluster, keys):
    """Private keys as PEM: the publisher's in three forms, and others that are not it."""
    own, other = cluster / "pub.key", cluster / "capf.key"
    return {"own": own.read_bytes(), "pkcs1": openssl("rsa", "-in", own, "-traditional"),
            "locked": openssl("pkcs8", "-topk8", "-in", own, "-v2", "aes256", "-passout", "pass:word"),
            "other": other.read_bytes(), "other-pkcs1": openssl("rsa", "-in", other, "-traditional"),
            "other-locked": openssl("pkcs8", "-topk8", "-in", other, "-v2", "aes256", "-passout", "pass:word"),
            "stranger": openssl("pkcs8", "-topk8", "-in", other, "-v2", "aes256", "-passout", "pass:unknown"),
            "ec": keys["ec"].read_bytes(), "cert": (cluster / "pub.pem").read_bytes(),
            "params": openssl("genpkey", "-genparam", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")}


TOGETHER = ["own own", "own pkcs1", "pkcs1 own", "own cert own", "locked own", "own params", "cert own"]
APART = ["own other", "other own", "own cert other", "own other-pkcs1", "own own other", "own ec", "ec own", "own other-locked",
         "locked other-locked", "locked other", "own stranger", "locked stranger",
         "own locked"]  # without its passphrase nobody knows that it is the same one


@pytest.mark.parametrize("names", TOGETHER + APART)
def test_a_file_of_several_keys(ctlsign, attempt, forms, tmp_path, names):
    """Which one is meant nobody can say; one key that is there twice is one."""
    words = attempt("several.pem", b"".join(forms[name] for name in names.split()))
    if names in TOGETHER:
        ctlsign.ok(*words)
    else:
        ctlsign.refused(5, *words, says=[f"{tmp_path}/several.pem: several private keys", "a file of its own"])
    assert (tmp_path / "CTLFile.tlv").exists() == (names in TOGETHER)


def test_several_keys_to_decrypt_with(ctlsign, cluster, forms, tmp_path):
    plain, key = tmp_path / "SEP001122334455.cnf.xml", tmp_path / "phone.pem"
    plain.write_bytes(b"<device/>")
    ctlsign.ok("config", "encrypt", "--for", cluster / "capf.pem", *lists.key(cluster, "tokenless"), plain)
    sealed = next(path for path in tmp_path.iterdir() if path.name.endswith(".enc.sgn"))
    key.write_bytes(forms["other"] + forms["own"])
    key.chmod(0o600)
    plain.unlink()
    ctlsign.refused(5, "config", "decrypt", "-k", key, sealed, says="several private keys")
    assert not plain.exists()


@pytest.mark.parametrize("names", ["own foreign", "foreign own", "locked foreign"])
def test_a_certificate_that_is_not_the_key_s(ctlsign, cluster, attempt, forms, tmp_path, names):
    forms["foreign"] = (cluster / "capf.pem").read_bytes()
    words = attempt("pair.pem", b"".join(forms[name] for name in names.split()))
    at = words.index("--cert")
    ctlsign.refused(3, *words[:at], *words[at + 2:], "--sast", f"{cluster}/capf.pem,name=n",
                    says=["pair.pem: is not the key of the signer's certificate", "--cert"])
    assert not (tmp_path / "CTLFile.tlv").exists()


def test_what_is_usual_today_is_taken(ctlsign, cluster, attempt):
    """600000 rounds, as OWASP asks for: the sum, the key and the certificate."""
    content = openssl("pkcs12", "-export", "-inkey", cluster / "pub.key", "-in", cluster / "pub.pem",
                      "-passout", "pass:word", "-iter", 100000 if SANITIZED else 600000)
    ctlsign.ok(*attempt("strong.p12", content))


def test_the_small_writer_of_these_files_writes_what_is_read(ctlsign, attempt):
    """The files above are given up for their time alone: with one round they are tried, and the word is wrong."""
    few = {"pkcs8": encrypted_key(pbes2(1)), "old": encrypted_key(pbes1(1)), "mac": store(safe([]), mac=1),
           "scrypt": encrypted_key(scrypt(1))}
    for name, content in few.items():
        ctlsign.refused(6, *attempt(name, content), says="passphrase is wrong")
