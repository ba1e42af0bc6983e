# SPDX-License-Identifier: Apache-2.0
"""config encrypt and decrypt: for one phone's key, with a second opinion of OpenSSL's command line and of a peer."""
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys

import peerlist
import peerseal
import peerwrite
import pytest
from conftest import DATA, SANITIZED, openssl
from test_config import peak_of
from test_defects import DEFECTS
from token_helpers import fault  # noqa: F401  (a fixture)

sys.path.insert(0, str(DEFECTS))

import generate  # noqa: E402  (found through the path above)

CASE = DATA / "encrypted"
PHONE = "SEP00AABBCCDDEE"
XML = (CASE / "plain.cnf.xml").read_bytes()
TIME = 1795810000  # the test certificates are younger than the cluster's
CANNOT = "cannot be decrypted: the key is another phone's, or the file is damaged"


@pytest.fixture
def keys(tmp_path):
    folder = tmp_path / "keys"
    folder.mkdir()
    for name in ("phone.key", "phone.pem", "tftp.key", "tftp.pem"):
        shutil.copy(CASE / name, folder)
        (folder / name).chmod(0o600)
    return folder


@pytest.fixture
def signs(keys):
    return ["-k", keys / "tftp.key", "--cert", keys / "tftp.pem", "--timestamp", TIME]


@pytest.fixture
def by(keys):
    return ["--cert", keys / "tftp.pem"]


@pytest.fixture
def served(tmp_path):
    folder = tmp_path / "tftp"
    folder.mkdir()
    return folder


@pytest.fixture
def one(served):
    path = served / f"{PHONE}.cnf.xml"
    path.write_bytes(XML)
    return path


def sealed(path):
    return path.with_name(path.name + ".enc.sgn")


def companion(path):
    return path.with_name(path.name + ".sgn")


def content_of(path):
    data = path.read_bytes()
    return data[peerlist.parse_header(data)["header_length"]:]


def device(body):
    return b"<device>" + body + b"</device>"


SIZES = [17, 31, 32, 33, 4000, 131072, 131073, 300001]


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("size", SIZES)
def test_others_decrypt_ours(ctlsign, keys, signs, by, one, tmp_path, size, digest):
    plain = device(b"x" * (size - 17))
    one.write_bytes(plain)
    run = ctlsign.ok("config", "encrypt", *signs, "--digest", digest, "--for", keys / "phone.pem", one)
    assert run.out == f"{sealed(one)}: encrypted\n"
    data = sealed(one).read_bytes()
    header = peerlist.parse_header(data)
    assert peerseal.unseal(data, keys / "phone.key") == plain
    # OpenSSL's command line, by hand.
    for name in ("content_key", "content"):
        (tmp_path / name).write_bytes(header.get(name) or content_of(sealed(one)))
    key = openssl("pkeyutl", "-decrypt", "-inkey", keys / "phone.key", "-pkeyopt", "rsa_padding_mode:pkcs1",
                  "-in", tmp_path / "content_key")
    out = openssl("enc", "-d", "-aes-128-cbc", "-nopad", "-K", key.hex(), "-iv", header["iv"].hex(),
                  "-in", tmp_path / "content")
    pad = int.from_bytes(header["content_padding"], "big")
    assert out == plain + b"\r" * pad and 1 <= pad <= 16
    for path in (sealed(one), companion(one)):
        assert peerlist.openssl_verify(path.read_bytes(), keys / "tftp.pem")
    ctlsign.ok("config", "verify", *by, sealed(one), companion(one))
    one.unlink()
    run = ctlsign.ok("config", "decrypt", "-k", keys / "phone.key", *by, sealed(one))
    assert run.out == f"{one}: {size} bytes, good signature by CN=asterisk;OU=Phones;O=Example\n"
    assert one.read_bytes() == plain and one.stat().st_mode & 0o7777 == 0o600


def test_the_header_is_as_described(ctlsign, keys, signs, one):
    ctlsign.ok("config", "encrypt", *signs, "--for", keys / "phone.pem", one)
    header = peerlist.parse_header(sealed(one).read_bytes())
    tags = [tag for tag, _, _ in header["fields"]]
    assert tags == sorted(tags) == [*range(1, 13), *range(14, 28)]
    assert header["version"] == b"\2\0" and header["filename"] == f"{PHONE}.cnf.xml.enc.sgn"
    assert header["timestamp"] == TIME and header["header_length"] % 4 == 0
    header = peerlist.parse_header(companion(one).read_bytes())
    assert header["version"] == b"\1\0" and header["filename"] == f"{PHONE}.cnf.xml.sgn"


def test_no_two_files_have_one_key(ctlsign, keys, signs, one):
    seen = set()
    for _ in range(3):
        ctlsign.ok("config", "encrypt", *signs, "--for", keys / "phone.pem", one)
        header = peerlist.parse_header(sealed(one).read_bytes())
        key = peerwrite.load_key(keys / "phone.key").decrypt(header["content_key"], peerseal.padding.PKCS1v15())
        seen |= {key, header["iv"]}
    assert len(seen) == 6


def test_the_case_of_the_community_tool(ctlsign, keys, by, tmp_path):
    path = tmp_path / f"{PHONE}.cnf.xml.enc.sgn"
    shutil.copy(CASE / path.name, path)
    ctlsign.ok("config", "decrypt", "-k", keys / "phone.key", *by, path)
    assert (tmp_path / f"{PHONE}.cnf.xml").read_bytes() == XML
    assert peerseal.unseal(path.read_bytes(), keys / "phone.key") == XML


def test_the_companion_is_that_of_the_community_tool(ctlsign, keys, signs, one):
    """Byte for byte, the signer's spelling included."""
    ctlsign.ok("config", "encrypt", *signs, "--style", "rfc4514", "--for", keys / "phone.pem", one)
    assert content_of(companion(one)) == content_of(CASE / f"{PHONE}.cnf.xml.sgn")
    assert hashlib.md5(peerwrite.der(peerwrite.load(CASE / "phone.pem"))).hexdigest().encode() in content_of(companion(one))


def peers(keys, content=XML, *, name=f"{PHONE}.cnf.xml.enc.sgn", **over):
    """What the second writer encrypts and signs."""
    fields, body = peerseal.encryption(content, peerwrite.load(keys / "phone.pem"), **over)
    signer = peerwrite.record_fields(peerwrite.load(keys / "tftp.pem"), "TFTP", "cucm", "pbx")
    return peerwrite.assemble([], signer, keys / "tftp.key", filename=name, version=b"\2\0",
                              digest=over.get("digest", "sha1"), extra=fields, body=body)


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 131072 * 2 - 1, 131072 * 2, 200000])
def test_we_decrypt_others(ctlsign, keys, by, one, size, digest):
    content = os.urandom(size)
    sealed(one).write_bytes(peers(keys, content, digest=digest))
    one.unlink()
    ctlsign.ok("config", "verify", *by, sealed(one))
    ctlsign.ok("config", "decrypt", "-k", keys / "phone.key", *by, sealed(one))
    assert one.read_bytes() == content


def test_not_verified_is_said(ctlsign, keys, signs, one):
    ctlsign.ok("config", "encrypt", *signs, "--for", keys / "phone.pem", one)
    one.unlink()
    run = ctlsign.ok("config", "decrypt", "-k", keys / "phone.key", sealed(one))
    assert run.last_line.endswith(f"{len(XML)} bytes, not verified") and one.read_bytes() == XML


def test_the_signature_comes_first(ctlsign, keys, by, one, tmp_path):
    """What nobody trusted has signed is not decrypted, right key or not."""
    good = peers(keys)
    one.unlink()
    openssl("genrsa", "-out", tmp_path / "other.key", "2048")
    for at in (len(good) - 1, good.index(peerlist.parse_header(good)["content_key"]) + 9,
               good.index(peerlist.parse_header(good)["plain_digest"])):
        sealed(one).write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1:])
        for key in (keys / "phone.key", tmp_path / "other.key"):
            run = ctlsign("config", "decrypt", "-k", key, *by, sealed(one))
            assert run.status == 1 and "BAD signature: the file was changed after it was signed" in run.out, str(run)
            assert [p.name for p in one.parent.iterdir()] == [sealed(one).name]


def test_one_answer_to_every_failure(ctlsign, keys, one, tmp_path):
    """And nothing plain is left; a file that is there stays as it was."""
    key = os.urandom(16)
    phone = peerwrite.load(keys / "phone.pem")

    def wrapped(secret):
        return phone.public_key().encrypt(secret, peerseal.padding.PKCS1v15())

    openssl("genrsa", "-out", tmp_path / "other.key", "2048")
    openssl("genrsa", "-out", tmp_path / "small.key", "1024")
    good, header = peers(keys), peerlist.parse_header(peers(keys))
    size = header["header_length"]
    cases = {
        "key that is no PKCS#1 block": peers(keys, wrapped=bytes(255) + b"\1"),
        "key above the modulus": peers(keys, wrapped=b"\xff" * 256),
        "key of another": peers(keys, wrapped=wrapped(os.urandom(16)), key=key),
        "key of 15 bytes": peers(keys, wrapped=wrapped(key[:15]), key=key),
        "key of 32 bytes": peers(keys, wrapped=wrapped(key + key), key=key),
        "key that is too short a block": peers(keys, wrapped=bytes(100)),
        "digest": peers(keys, plain_digest=bytes(20)),
        "digest of another length": peers(keys, plain_digest=bytes(19)),
        "padding that is less": peers(keys, pad=1),
        "padding of none": peers(keys, pad=0),
        "padding of more than a block": peers(keys, pad=17),
        "content cut": good[:-1], "content cut by a block": good[:-16], "no content": good[:size],
        "last byte of the content": good[:-1] + bytes([good[-1] ^ 1]),
        "digest of content that begins as a list": peers(keys, (DATA / "lists" / "cucm.tlv").read_bytes(), plain_digest=bytes(20)),
        "first byte of the content": good[:size] + bytes([good[size] ^ 1]) + good[size + 1:],
    }
    texts = set()
    for here in (None, b"mine"):
        for name, data in cases.items():
            sealed(one).write_bytes(data)
            one.unlink(missing_ok=True)
            if here:
                one.write_bytes(here)
            run = ctlsign("config", "decrypt", "-k", keys / "phone.key", sealed(one))
            assert run.status == 3 and run.out == "", f"{name}\n{run}"
            assert (one.read_bytes() if one.exists() else None) == here, name
            assert len(list(one.parent.iterdir())) == 1 + (here is not None), name
            texts.add(run.err)
    sealed(one).write_bytes(good)
    for other in ("other.key", "small.key"):
        texts.add(ctlsign("config", "decrypt", "-k", tmp_path / other, sealed(one)).err)
    assert texts == {f"ctlsign: {sealed(one)}: {CANNOT}\n"}


def test_what_is_not_encrypted(ctlsign, keys, signs, one):
    ctlsign.ok("config", "sign", *signs, one)
    run = ctlsign("config", "decrypt", "-k", keys / "phone.key", "-o", one.parent, companion(one))
    assert run.status == 3 and "'ctlsign config strip'" in run.err, str(run)


def test_decrypt_never_overwrites_other_content(ctlsign, keys, by, one):
    sealed(one).write_bytes(peers(keys))
    one.write_bytes(b"edited since")
    run = ctlsign("config", "decrypt", "-k", keys / "phone.key", *by, sealed(one))
    assert run.status == 3 and one.read_bytes() == b"edited since"


def test_what_is_decrypted_is_ours_alone(ctlsign, keys, by, one):
    """Also over a file that somebody has put there to get it."""
    for more in ([], ["--overwrite"]):
        one.write_bytes(b"x" if more else b"")
        one.chmod(0o666)
        if os.geteuid() == 0:
            os.chown(one, 65534, 65534)
        sealed(one).write_bytes(peers(keys))
        ctlsign.ok("config", "decrypt", "-k", keys / "phone.key", *by, *more, sealed(one))
        state = one.stat()
        assert one.read_bytes() == XML
        assert (state.st_mode & 0o7777, state.st_uid) == (0o600, os.geteuid()), str(state)


# The companion, and the XML that it is made of.

KEPT = {
    "nothing": (b"<device/>", b""),
    "all, in their order": (
        device(b"<a/><ipAddressMode>2</ipAddressMode><capfAuthMode>0</capfAuthMode><b>secret</b>"
               b"<loadInformation>sip</loadInformation><capfList><capf><phonePort>3804</phonePort></capf></capfList>"),
        b"  <ipAddressMode>2</ipAddressMode>\n  <capfAuthMode>0</capfAuthMode>\n  <loadInformation>sip</loadInformation>\n"
        b"  <capfList><capf><phonePort>3804</phonePort></capf></capfList>\n"),
    "not deeper ones": (device(b"<x><loadInformation>secret</loadInformation></x>"), b""),
    "attributes and escapes": (
        device(b"<loadInformation model='a\"b' n=\"&lt;&#10;&#38;\">1 &lt; 2 &amp;&#13; <![CDATA[<c>]]></loadInformation>"),
        b"  <loadInformation model=\"a&quot;b\" n=\"&lt;&#10;&amp;\">1 &lt; 2 &amp;&#13; &lt;c&gt;</loadInformation>\n"),
    "Latin-1": (b'<?xml version="1.0" encoding="ISO-8859-1"?>' + device(b"<loadInformation>\xe4</loadInformation>"),
                "  <loadInformation>ä</loadInformation>\n".encode()),
    "UTF-16": ("<device><loadInformation>ä</loadInformation></device>".encode("utf-16"),
               "  <loadInformation>ä</loadInformation>\n".encode()),
    "comments": (device(b"<!-- <loadInformation>no</loadInformation> --><loadInformation><!-- no -->yes</loadInformation>"),
                 b"  <loadInformation>yes</loadInformation>\n"),
}


@pytest.mark.parametrize("what", KEPT)
def test_what_the_companion_has(ctlsign, keys, signs, one, what):
    original, kept = KEPT[what]
    one.write_bytes(original)
    ctlsign.ok("config", "encrypt", *signs, "--for", keys / "phone.pem", one)
    text = content_of(companion(one))
    front, back = (b'<?xml version="1.0" encoding="UTF-8"?>\n<device>\n  <fullConfig>false</fullConfig>\n', b"  <certHash>")
    assert text.startswith(front) and text[len(front):text.index(back)] == kept, text
    assert re.fullmatch(rb"  <certHash>[0-9a-f]{32}</certHash>\n  <encrConfig>true</encrConfig>\n</device>\n",
                        text[text.index(back):])
    assert b"secret" not in text and peerseal.unseal(sealed(one).read_bytes(), keys / "phone.key") == original


HOSTILE = {
    "a document type": (b"<!DOCTYPE device><device/>", "DOCTYPE"),
    "a file of this machine": (b'<!DOCTYPE d [<!ENTITY x SYSTEM "/etc/hostname">]>'
                               + device(b"<loadInformation>&x;</loadInformation>"), "DOCTYPE"),
    "entities in entities": (b'<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
                             + device(b"<loadInformation>&b;</loadInformation>"), "DOCTYPE"),
    "an entity of nobody": (device(b"<loadInformation>&x;</loadInformation>"), "undefined entity"),
    "another root": (b"<html/>", "'device'"), "no XML": (b"hello", "no XML"), "nothing": (b"", "no XML"),
    "an end that is missing": (b"<device><a>", "no XML"), "two roots": (b"<device/><device/>", "no XML"),
    "a NUL": (b"<device>\0</device>", "no XML"), "no UTF-8": (b"<device>\xff</device>", "no XML"),
    "deep": (device(b"<a>" * 5000 + b"</a>" * 5000), "too deep"),
    "large": (device(b"<loadInformation>" + b"x" * 70000 + b"</loadInformation>"), ""),
    "a tag without end": (b"<device a='" + b"x" * 30000000, "too long"),
    "a comment without end": (b"<device><!--" + b"x" * 30000000, "too long"),
    "names without end": (device(b"".join(b"<a%d/>" % i for i in range(200000))), "too many names"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_xml(ctlsign, keys, signs, one, what):
    text, says = HOSTILE[what]
    one.write_bytes(text)
    run = ctlsign("config", "encrypt", *signs, "--for", keys / "phone.pem", one)
    assert run.status == 3 and says in run.err and str(one) in run.err, str(run)
    assert [p.name for p in one.parent.iterdir()] == [one.name]


# Whose certificate.

def test_a_folder_of_phones(ctlsign, keys, signs, served, tmp_path):
    phones = tmp_path / "phones"
    phones.mkdir()
    paths = []
    for number, ending in enumerate(("pem", "der", "crt", None)):
        path = served / f"SEP00000000000{number}.cnf.xml"
        path.write_bytes(XML)
        paths.append(path)
        if ending == "der":
            openssl("x509", "-in", keys / "phone.pem", "-outform", "DER", "-out", phones / f"{path.name[:15]}.der")
        elif ending:
            shutil.copy(keys / "phone.pem", phones / f"{path.name[:15]}.{ending}")
    run = ctlsign("config", "encrypt", *signs, "--for", phones, *paths)
    assert run.status == 3 and run.out.count(": encrypted") == 3 and "no certificate for this phone" in run.err, str(run)
    assert not sealed(paths[3]).exists() and not companion(paths[3]).exists()
    for path in paths[:3]:
        assert peerseal.unseal(sealed(path).read_bytes(), keys / "phone.key") == XML
    shutil.copy(keys / "phone.pem", phones / "SEP000000000001.pem")
    run = ctlsign("config", "encrypt", *signs, "--for", phones, paths[1])
    assert run.status == 3 and "two certificates for this phone" in run.err, str(run)


def test_an_ec_certificate_is_refused_with_the_reason(ctlsign, keys, signs, one, tmp_path):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp384r1", "-nodes", "-subj", "/CN=phone",
            "-keyout", tmp_path / "ec.key", "-out", tmp_path / "ec.pem")
    run = ctlsign("config", "encrypt", *signs, "--for", tmp_path / "ec.pem", one)
    assert run.status == 3 and "EC key" in run.err and "RSA" in run.err, str(run)
    assert [p.name for p in one.parent.iterdir()] == [one.name]
    sealed(one).write_bytes(peers(keys))
    (tmp_path / "ec.key").chmod(0o600)
    ctlsign.refused(3, "config", "decrypt", "-k", tmp_path / "ec.key", sealed(one), says="no RSA key")


# Many, again, and both or none.

def test_skip_unchanged(ctlsign, keys, signs, one, tmp_path):
    def run(*more):
        return ctlsign.ok("config", "encrypt", *signs, "--skip-unchanged", *more, "--for", tmp_path / "now.pem", one).out

    shutil.copy(keys / "phone.pem", tmp_path / "now.pem")
    assert ": encrypted" in run()
    before = sealed(one).read_bytes(), companion(one).read_bytes()
    assert ": unchanged" in run() and (sealed(one).read_bytes(), companion(one).read_bytes()) == before
    # A phone with a new LSC.
    openssl("req", "-x509", "-key", keys / "phone.key", "-subj", "/CN=renewed", "-out", tmp_path / "now.pem")
    assert ": encrypted" in run() and ": unchanged" in run()
    assert companion(one).read_bytes() != before[1]
    one.write_bytes(XML.replace(b"example", b"exampla"))
    assert ": encrypted" in run() and ": unchanged" in run()
    assert ": encrypted" in run("--digest", "sha256") and ": unchanged" in run("--digest", "sha256")
    assert ": encrypted" in run()
    for path in (sealed(one), companion(one)):
        data = path.read_bytes()
        for wrong in (None, data[:-1] + bytes([data[-1] ^ 1]), data + b"\n", data[:-16]):
            path.unlink()
            if wrong:
                path.write_bytes(wrong)
            assert ": encrypted" in run() and ": unchanged" in run()
    # Another file's companion is not this one's, though its signature is good.
    ctlsign.ok("config", "sign", *signs, "--overwrite", one)
    assert ": encrypted" in run()


@pytest.mark.parametrize("which", [sealed, companion])
@pytest.mark.parametrize("there", [False, True])
def test_both_or_none(ctlsign, keys, signs, one, which, there):
    """Neither is there, nor changed, where one of them cannot be written."""
    words = ["config", "encrypt", *signs, "--for", keys / "phone.pem", one]
    other = companion if which is sealed else sealed
    if there:
        ctlsign.ok(*words)
        which(one).unlink()
    before = other(one).read_bytes() if there else None
    which(one).mkdir()
    run = ctlsign(*words)
    assert run.status == 3 and ": encrypted" not in run.out, str(run)
    assert (other(one).read_bytes() if other(one).exists() else None) == before
    assert not [p for p in one.parent.iterdir() if ".ctlsign-" in p.name]


def test_many_under_one_login(ctlsign, keys, fault, served):
    paths = [served / f"SEP{i:012X}.cnf.xml" for i in range(60)]
    for i, path in enumerate(paths):
        path.write_bytes(device(b"%d" % i))
    f = fault()
    run = ctlsign.ok("config", "encrypt", "-j", 3, *f.key(), "--for", keys / "phone.pem", *paths, env=f.env)
    assert (f.logins, f.calls("C_Sign")) == (1, 120) and run.out.count(": encrypted") == 60
    assert [line.split(":")[0] for line in run.out.splitlines()] == [str(sealed(p)) for p in paths]
    for i, path in enumerate(paths):
        assert peerseal.unseal(sealed(path).read_bytes(), keys / "phone.key") == device(b"%d" % i)


@pytest.mark.skipif(SANITIZED, reason="memory, once")
def test_a_long_file_takes_no_memory(ctlsign, keys, signs, by, one, tmp_path):
    """Both ways, as signing does: what comes back is compared by another program."""
    with open(one, "wb") as f:
        f.write(b"<device>\n")
        for _ in range(100):
            f.write(b"<x>" + b"y" * 1000000 + b"</x>\n")
        f.write(b"</device>\n")
    (tmp_path / "out").mkdir()
    for words in (["encrypt", *signs, "--for", keys / "phone.pem", one],
                  ["decrypt", "-k", keys / "phone.key", *by, "-o", tmp_path / "out", sealed(one)]):
        peak = peak_of(ctlsign, "config", *words)
        assert 0 < peak <= 12 * 1024, f"{words[0]}: {peak} KiB"
    subprocess.run(["cmp", one, tmp_path / "out" / one.name], check=True)


def test_a_token_that_fails_between_the_two(ctlsign, keys, fault, served):
    paths = [served / f"SEP{i:012X}.cnf.xml" for i in range(8)]
    for path in paths:
        path.write_bytes(XML)
    f = fault("C_Sign 6+ fail 0x30")
    run = ctlsign("config", "encrypt", "-j", 1, *f.key(), "--for", keys / "phone.pem", *paths, env=f.env)
    assert run.status == 8, str(run)
    for path in paths:
        assert sealed(path).exists() == companion(path).exists() == (f"{sealed(path)}: encrypted" in run.out)


def test_json_and_folders(ctlsign, keys, signs, by, one, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    said = json.loads(ctlsign.ok("config", "encrypt", "--json", *signs, "--root", tmp_path, "-o", out,
                                 "--for", keys / "phone.pem", one).out)
    file = said["files"][0]
    assert (file["status"], file["encrypted"], said["counts"]["encrypted"]) == ("encrypted", True, 1)
    assert file["output"] == str(out / "tftp" / sealed(one).name) and file["companion"] == str(out / "tftp" / companion(one).name)
    assert file["filename"] == f"tftp/{PHONE}.cnf.xml.enc.sgn" and file["bytes"] == len(XML)
    assert peerlist.parse_header((out / "tftp" / companion(one).name).read_bytes())["filename"] == f"tftp/{PHONE}.cnf.xml.sgn"
    said = json.loads(ctlsign.ok("config", "decrypt", "--json", "-k", keys / "phone.key", "-o", out,
                                 out / "tftp" / sealed(one).name).out)
    assert said["files"][0]["status"] == "decrypted" and (out / one.name).read_bytes() == XML


def test_a_key_file_with_a_passphrase(ctlsign, keys, one, tmp_path):
    openssl("pkcs8", "-topk8", "-in", keys / "phone.key", "-out", tmp_path / "locked.key", "-passout", "pass:secret")
    (tmp_path / "locked.key").chmod(0o600)
    (tmp_path / "pass").write_text("secret\n")
    (tmp_path / "pass").chmod(0o600)
    sealed(one).write_bytes(peers(keys))
    one.unlink()
    ctlsign.ok("config", "decrypt", "-k", tmp_path / "locked.key", "--pin-source", f"file:{tmp_path / 'pass'}", sealed(one))
    assert one.read_bytes() == XML
    ctlsign.refused({2, 6}, "config", "decrypt", "-k", tmp_path / "locked.key", sealed(one))


def test_usage(ctlsign, keys, signs, by, one):
    ctlsign.refused(2, "config", "encrypt", *signs, one, says="--for")
    ctlsign.refused(2, "config", "encrypt", "--for", keys / "phone.pem", one, says="-k")
    ctlsign.refused(2, "config", "decrypt", sealed(one), says="-k")
    ctlsign.refused(2, "config", "decrypt", "-k", "pkcs11:token=x", sealed(one), says="token")
    ctlsign.refused(2, "config", "sign", *signs, "--for", keys / "phone.pem", one, says="--for")
    ctlsign.refused(2, "config", "encrypt", *signs, "--filename", "x", "--for", keys / "phone.pem", one, says="--filename")
    ctlsign.refused(3, "config", "encrypt", *signs, "--for", keys / "missing.pem", one, says="missing.pem")
    other = one.with_name("ringlist.xml")
    other.write_bytes(XML)
    run = ctlsign("config", "encrypt", *signs, "--for", keys / "phone.pem", other)
    assert run.status == 3 and ".cnf.xml" in run.err, str(run)
    assert subprocess.run(["ls", one.parent], capture_output=True, check=True).stdout.split() == [
        one.name.encode(), other.name.encode()]


@pytest.mark.parametrize("signed_by", [[], ["--cert"]], ids=["unverified", "verified"])
def test_no_list_is_decrypted_under_a_phones_name(ctlsign, keys, served, signed_by):
    """Its header and signed span are a list's, whatever it is called; nothing of it is given out."""
    hidden = (DATA / "lists" / "cucm.tlv").read_bytes()
    path = served / f"{PHONE}.cnf.xml.enc.sgn"
    words = [*signed_by, *([keys / "tftp.pem"] if signed_by else [])]
    for content, status in ((XML, 0), (hidden, 3), (hidden[:4], 3), (b"\x01\x00\x02" + hidden[3:], 3)):
        path.write_bytes(peers(keys, content=content))
        run = ctlsign("config", "decrypt", "-k", keys / "phone.key", *words, path)
        plain = served / f"{PHONE}.cnf.xml"
        assert run.status == status, str(run)
        if status == 0:
            assert plain.read_bytes() == content
            plain.unlink()
        else:
            assert "the content begins as a trust list does" in run.err, str(run)
        assert [p.name for p in served.iterdir()] == [path.name]


def test_no_trust_list_comes_out_of_a_configuration(ctlsign, keys, tmp_path):
    """As strip has it: not under a list's name, whoever signed."""
    path = tmp_path / "CTLFile.tlv.enc.sgn"
    path.write_bytes((CASE / "SEP00AABBCCDDEE.cnf.xml.enc.sgn").read_bytes())
    run = ctlsign("config", "decrypt", "-k", keys / "phone.key", path)
    assert run.status == 3 and "trust list's name" in run.err, str(run)
    assert not (tmp_path / "CTLFile.tlv").exists()
