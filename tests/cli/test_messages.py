# SPDX-License-Identifier: Apache-2.0
"""Messages: the house's form in all of them, and a word about what to do in those that had none."""
import re
import time

import lists
import pytest
import tables
from conftest import SANITIZED, make_certificate, openssl
from token_helpers import FAULT, TWO, build_words, fault, out  # noqa: F401

# What may begin a sentence in capitals: names and abbreviations.
NAMES = ("C_", "CUCM", "FILENAME", "ITLRecovery", "OPENSSL_CONF", "OpenSSL", "PEM", "PIN", "PKCS#11")
CALL = re.compile(r'\b(?:err_set|err_set_at|msg_warn|warn_put|doctor_say)\s*\(((?:[^;"]|"(?:\\.|[^"\\])*")*?)\)\s*;',
                  re.S)


def messages():
    """(file, sentence) of every message in the sources that is written in one place."""
    for path in tables.sources():
        code = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
        for call in CALL.findall(code):
            # Neighbouring literals are one sentence; what follows are its arguments.
            for run in re.findall(r'(?:"(?:\\.|[^"\\])*"\s*)+', call)[:1]:
                text = "".join(re.findall(r'"((?:\\.|[^"\\])*)"', run))
                if " " in text:
                    yield path.name, text


@pytest.mark.skipif(SANITIZED, reason="the source, once")
def test_messages_have_the_form_of_the_house():
    found = list(messages())
    assert len(found) > 300
    for file, text in found:
        first = text.lstrip("'%(-:; \\n")
        assert not first[:1].isupper() or first.startswith(NAMES) or text.startswith(("%", "'")), (file, text)
        assert not re.search(r"(?<!\.)\.$|!$", text), (file, text)
        assert '\\"' not in text, (file, text)  # names are in single quotes
        # What sentence_format() knows: the text would end at anything else.
        for conversion in re.findall(r"%[^a-zA-Z%]*(?:ll|l|z)?[a-zA-Z%]", text):
            assert re.fullmatch(r"%[-0]*\d*(?:\.(?:\d+|\*))?(?:ll|l|z)?[scduoxX%]", conversion), (file, text)


def test_no_token_says_where_to_look(ctlsign, cluster, out, lab):
    words = build_words(cluster, out, ["-k", f"pkcs11:token={TWO}", "--module", lab.module])
    none = lab.folder / "none"
    none.mkdir()
    conf = lab.folder / "none.conf"
    conf.write_text(f"directories.tokendir = {none}\nobjectstore.backend = file\n")
    run = ctlsign.refused(4, *words, env={"SOFTHSM2_CONF": conf}, says="no token matches; there is")
    assert "\n  pkcs11:" in run.err


def test_a_slot_that_does_not_answer_leaves_no_sentence_open(ctlsign, cluster, out, fault):
    f = fault("C_GetTokenInfo 1+ fail 0x30")
    run = ctlsign.refused(8, *build_words(cluster, out, f.key()), env=f.env,
                          says=["did not answer", "'ctlsign doctor'"])
    assert not run.errors[0].endswith("there is")


def test_a_bare_token_is_told_from_those_that_are_there(ctlsign, cluster, out, lab):
    key = ["-k", "pkcs11:manufacturer=SoftHSM%20project;serial=", "--module", lab.module]
    ctlsign.refused(2, *build_words(cluster, out, key), env=lab.env, says="'serial' is empty")
    key[1] = "pkcs11:token=%20"
    run = ctlsign(*build_words(cluster, out, key), env=lab.env)
    assert run.status in (2, 4) and not run.err.rstrip().endswith("is")


def test_a_time_out_says_what_may_help(ctlsign, cluster, out, fault):
    f = fault("C_OpenSession 1 sleep 30")
    ctlsign.refused(8, *build_words(cluster, out, f.key()), "--timeout", 1, env=f.env,
                    says=["within 1 s in C_OpenSession", "--timeout"])


@pytest.mark.parametrize("words", [
    ["update", "LIST", "-n", "-o", "x", "--set-mode", "mixt"],
    ["update", "LIST", "-n", "-o", "x", "--signer-version", "9.9"],
    ["migrate", "to-tokens", "LIST", "--release", "10.5", "--style", "paisley"],
    ["migrate", "to-tokens", "LIST", "--release", "10.5", "--digest", "md4"],
    ["config", "sign", "LIST", "--name-separator", "|"]])
def test_a_wrong_value_is_shown(ctlsign, cluster, tmp_path, words):
    path = tmp_path / "CTLFile.tlv"
    lists.build(ctlsign, cluster, "tokens", path)
    words = [path if word == "LIST" else word for word in words]
    ctlsign.refused(2, *words, *lists.key(cluster, "tokens"), cwd=tmp_path,
                    says=[f"unknown value '{words[-1]}'", "must be"])


def test_a_key_of_another_certificate_says_whose_is_wanted(ctlsign, cluster, tmp_path):
    ctlsign.refused(3, "build", "-o", tmp_path / "x.tlv", "-k", cluster / "capf.key", "--cert",
                    cluster / "pub.pem", says=["is not the key of the signer's certificate", "--cert"])


def test_what_is_no_key_says_what_is(ctlsign, cluster, tmp_path):
    key = tmp_path / "text.key"
    key.write_text("no key\n")
    key.chmod(0o600)
    ctlsign.refused(3, "build", "-o", tmp_path / "x.tlv", "-k", key, "--cert", cluster / "pub.pem",
                    says=["no private key", "PKCS#12"])


def test_fips_mode_is_sent_to_the_doctor(ctlsign, samples, cluster, tmp_path):
    path = tmp_path / "CTLFile.tlv"
    lists.build(ctlsign, cluster, "tokens", path)
    conf = tmp_path / "openssl.cnf"
    conf.write_text("openssl_conf = init\n[init]\nalg_section = algs\nproviders = provs\n"
                    "[algs]\ndefault_properties = fips=yes\n[provs]\nbase = base\n[base]\nactivate = 1\n")
    run = ctlsign("show", path, env={"OPENSSL_CONF": conf})
    assert run.status == 70 and "OpenSSL refuses the digest MD5: 'ctlsign doctor'" in run.err, str(run)
    assert "report it" not in run.err, str(run)  # the machine's policy is no bug of the program


# Sentences that named the wrong thing, or several at once.

def test_a_certificate_without_subject_is_one(ctlsign, cluster, tmp_path, keys):
    bare = make_certificate(tmp_path / "bare.pem", keys["rsa1024"], [])
    run = ctlsign.ok("build", "-o", tmp_path / "CTLFile.tlv", "--style", "rfc4514", "--sast", bare,
                     *lists.key(cluster, "tokenless"), "--ccm-tftp", cluster / "sub1.pem")
    assert "SAST (a certificate without subject)" in run.err and "without certificate" not in run.err
    run = ctlsign.ok("build", "-o", tmp_path / "x.tlv", *lists.records(cluster, "tokens-non-secure"),
                     *lists.key(cluster, "tokens"))
    assert run.err.count("CCM+TFTP without certificate") == 2


@pytest.mark.parametrize("setting,says,silent", [
    ("address=pbx.example.org", ["'pbx.example.org' is no IP address"], ["empty", "twice"]),
    ("address=10.1.2", ["'10.1.2' is no IP address"], ["twice"]),
    ("address=", ["'address=' is empty"], ["twice", "IP"]),
    ("address=10.1.2.3,address=10.1.2.3", ["'address=' is given twice"], ["empty"]),
    ("name=", ["'name=' is empty"], ["twice"]), ("name=a,name=b", ["'name=' is given twice"], ["empty"]),
    ("address=2001:db8::1", ["IPv6", "no source says"], ["twice"]),
    ("address=::ffff:10.1.2.3", ["IPv6"], ["twice"]), ("address=fe80::1%eth0", ["IP"], ["twice"]),
    ("adress=10.1.2.3", ["did you mean 'address='?"], ["no such file", "No such"]),
    ("addr=10.1.2.3", ["did you mean 'address='?"], ["No such"]), ("nmae=x", ["did you mean 'name='?"], ["No such"]),
    ("port=5060", ["unknown 'port='", "'name=' and 'address='"], ["No such"])])
def test_a_setting_that_is_wrong_in_one_way(ctlsign, cluster, tmp_path, setting, says, silent):
    out = tmp_path / "CTLFile.tlv"
    run = ctlsign.refused(2, "build", "-o", out, "--ccm-tftp", f"{cluster}/pub.pem,{setting}",
                          *lists.key(cluster, "tokenless"), says=["option '--ccm-tftp'", *says])
    assert not any(word in run.err for word in silent), str(run)
    assert not out.exists()


SLIPS = ["record 3: DNS name: control characters inside", "record 4: the same as record 3"]
TWICE = '  - {{role: CCM+TFTP, cert: sub1.pem, name: "n\\r", address: 10.1.2.3}}\n'


@pytest.fixture
def slipped(cluster):
    """A manifest with slips that extract may have written."""
    head, records = lists.MANIFEST.split("records:\n")
    path = cluster / "slipped.yaml"
    path.write_text((head.replace("CTLFile", '"CTLFile\\t', 1).replace(".tlv", '.tlv"', 1) + "records:\n"
                     + "".join(records.splitlines(True)[:2]) + TWICE * 2).format(pub="pub"))
    return path


def test_slips_are_said_before_they_are_signed(ctlsign, cluster, tmp_path, slipped):
    """What verify warns of afterwards."""
    out, new = tmp_path / "CTLFile.tlv", tmp_path / "new.tlv"
    header = "header: file name: control characters inside"
    run = ctlsign.ok("build", "-o", out, "-m", slipped)
    assert all(run.err.count(f"warning: {text}") == 1 for text in [header, *SLIPS]), str(run)
    run = ctlsign.ok("update", out, "-o", new, "--remove", "#4", *lists.key(cluster, "tokenless"))
    assert [text in run.err for text in [header, *SLIPS]] == [True, True, False], str(run)
    run = ctlsign.ok("update", new, "-o", tmp_path / "last.tlv", "--set", "#3,name=n", "--filename", "CTLFile.tlv",
                     *lists.key(cluster, "tokenless"))
    assert not any(text in run.err for text in [header, *SLIPS]), str(run)
    run = ctlsign.ok("migrate", "to-tokens", "-o", tmp_path / "moved", "--release", "10.5", "--unproven-sast",
                     "--sast", cluster / "SAST-ADN0054f509.pem", "-k", cluster / "SAST-ADN008580ef.key", "--cert",
                     cluster / "SAST-ADN008580ef.pem", "--trust", cluster / "pub.pem", "--accept-lockout", "all", out)
    assert "control characters inside" in run.err and "the same as record" in run.err, str(run)


def test_nobody_types_control_characters(ctlsign, cluster, tmp_path):
    """A name pasted from a file of Windows. Records that have one are kept, and a manifest may name one."""
    new, key = tmp_path / "CTLFile.tlv", lists.key(cluster, "tokenless")
    old, config = tmp_path / "old.tlv", tmp_path / "a.xml"
    sast = ["--sast", f"{cluster}/pub.pem,name=p"]
    lists.build(ctlsign, cluster, "tokenless", old)
    config.write_bytes(b"<device/>")
    for words in (["build", "-o", new, *sast, "--filename", "a\nb"], ["update", old, "-o", new, "--filename", "a\r"],
                  ["build", "-o", new, "--sast", f"{cluster}/pub.pem,name=p\x7f"],
                  ["update", old, "-o", new, "--set", "#1,name=a\tb"],
                  ["update", old, "-o", new, "--add", f"CCM+TFTP={cluster}/sub1.pem,name=\x1b,address=10.1.2.3"],
                  ["config", "sign", config, "--filename", "a\nb.xml.sgn"]):
        run = ctlsign.refused(2, *words, *key, says="control characters")
        assert len(run.errors) == 1 and not new.exists(), str(run)
    assert [p.name for p in sorted(tmp_path.iterdir())] == ["a.xml", "cluster", "old.tlv"]


AHEAD = 4000000000


def test_a_time_of_signing_that_is_ahead(ctlsign, cluster, tmp_path):
    old, new, key = tmp_path / "old.tlv", tmp_path / "new.tlv", lists.key(cluster, "tokenless")
    built, config = tmp_path / "built.tlv", tmp_path / "a.xml"
    config.write_bytes(b"<device/>")
    says = ["the time of signing is 2096-10-02T07:06:40Z, more than a day in the future", "--timestamp",
            "assumed: phones do not compare times of signing [open]"]
    lists.build(ctlsign, cluster, "tokenless", old)
    tokens = ["--release", "10.5", "--unproven-sast", "--accept-lockout", "all", "--sast",
              cluster / "SAST-ADN0054f509.pem", "--trust", cluster / "pub.pem", *lists.key(cluster, "tokens")]
    for words in (["build", "-o", built, *lists.records(cluster, "tokenless"), *key],
                  ["update", old, "-o", new, *key], ["update", old, "-n", *key],
                  ["migrate", "to-tokens", "-o", tmp_path / "moved", *tokens, old], ["config", "sign", config, *key]):
        run = ctlsign.ok(*words, "--timestamp", AHEAD)
        assert run.err.count("more than a day in the future") == 1, str(run)
        assert all(text in run.err for text in says), str(run)
        reproducible = ctlsign.ok(*words, "--reproducible", "--overwrite", env={"SOURCE_DATE_EPOCH": str(AHEAD)})
        assert reproducible.err.count("more than a day in the future") == 1, str(reproducible)
        for path in (built, new):
            path.unlink(missing_ok=True)
        run = ctlsign.ok(*words, "--overwrite", "--timestamp", int(time.time()) + 86000)
        assert "in the future" not in run.err, str(run)
    ctlsign.ok("update", old, "--in-place", *key, "--timestamp", AHEAD)
    run = ctlsign.ok("update", old, "-o", tmp_path / "kept.tlv", *key, "--keep-timestamp")
    assert says[0] in run.err, str(run)
    ctlsign.refused(1, "update", old, "-o", tmp_path / "next.tlv", *key, says=["2096-10-02T07:06:40Z", "--timestamp"])


def test_a_file_may_be_called_like_a_setting(ctlsign, cluster, tmp_path):
    odd = tmp_path / "pub,port=5060"
    odd.write_bytes((cluster / "sub1.pem").read_bytes())
    ctlsign.ok("build", "-o", tmp_path / "CTLFile.tlv", "--style", "cucm", "--sast", f"{cluster}/pub.pem,name=n",
               "--ccm-tftp", odd, *lists.key(cluster, "tokenless"))


@pytest.mark.parametrize("setting,says", [("#4,adress=10.1.2.3", "did you mean 'address='?"), ("#4,port=1", "unknown 'port='"),
                                          ("cn=x,nmae=y", "did you mean 'name='?")])
def test_a_slip_in_set(ctlsign, cluster, tmp_path, setting, says):
    path = tmp_path / "CTLFile.tlv"
    lists.build(ctlsign, cluster, "tokenless", path)
    ctlsign.refused(2, "update", path, "-n", *lists.key(cluster, "tokenless"), "--set", setting, says=["--set", says])


def test_decrypt_of_what_is_only_signed_names_strip(ctlsign, cluster, tmp_path):
    path = tmp_path / "a.cnf.xml"
    path.write_bytes(b"<device/>")
    ctlsign.ok("config", "sign", *lists.key(cluster, "tokenless"), path)
    run = ctlsign("config", "decrypt", "-k", cluster / "pub.key", tmp_path / "a.cnf.xml.sgn")
    assert run.status == 3 and "'config strip'" in run.err, str(run)


@pytest.mark.parametrize("address,says", [("2001:db8::1", "IPv6"), ("pbx", "is no IP address")])
def test_addresses_elsewhere(ctlsign, cluster, tmp_path, address, says):
    """In a manifest, in --set, and where a printed list is rebuilt."""
    manifest = cluster / "cluster.yaml"
    manifest.write_text(f"records:\n  - {{role: CCM+TFTP, cert: sub1.pem, address: '{address}'}}\n")
    ctlsign.refused(3, "build", "-o", tmp_path / "x.tlv", "-m", manifest, *lists.key(cluster, "tokenless"),
                    says=[f"{manifest}:2", says])
    path = tmp_path / "CTLFile.tlv"
    lists.build(ctlsign, cluster, "tokenless", path)
    ctlsign.refused(2, "update", path, "-n", *lists.key(cluster, "tokenless"), "--set", f"#4,address={address}",
                    says=["--set", says])
    ctlsign.refused(2, "show", path, "--address", f"n={address}", says=["--address", says])


def test_ec_is_not_told_about_trust_lists_alone(ctlsign, signer, tmp_path):
    key, cert = signer("ec")
    config = tmp_path / "a.cnf.xml"
    config.write_bytes(b"<device/>")
    for verb in (["config", "sign"], ["config", "sign", "--cert", cert]):
        run = ctlsign.refused({2, 3}, *verb, "-k", key, config)
        assert "trust list" not in run.err, str(run)


@pytest.mark.parametrize("content,says", [("", "the passphrase is empty"), ("x" * 300, "the passphrase is longer"),
                                          (None, "passphrase file")])
@pytest.mark.parametrize("kind", ["p12", "pem"])
def test_a_key_file_has_a_passphrase(ctlsign, cluster, tmp_path, kind, content, says):
    key = tmp_path / f"pub.{kind}"
    words = ["pkcs12", "-export", "-inkey", cluster / "pub.key", "-in", cluster / "pub.pem"] if kind == "p12" else \
        ["pkey", "-in", cluster / "pub.key", "-aes256"]
    openssl(*words, "-passout", "pass:words", "-out", key)
    key.chmod(0o600)
    secret = tmp_path / "secret"
    if content is not None:
        secret.write_text(content)
        secret.chmod(0o600)
    build = ["build", "-o", tmp_path / "x.tlv", "--sast", f"{cluster}/pub.pem,name=n", "-k", key, "--cert",
             cluster / "pub.pem"]
    for source in ([f"file:{secret}"],):
        run = ctlsign.refused(6, *build, "--pin-source", *source, says=says)
        assert "PIN" not in run.err, str(run)
    run = ctlsign.refused(6, *build, says=["no terminal to ask for the passphrase", "--pin-source"])
    assert "PIN" not in run.err.replace("--pin-source", ""), str(run)
    config = tmp_path / "a.cnf.xml"
    config.write_bytes(b"<device/>")
    ctlsign.refused(6, "config", "sign", "-k", key, "--cert", cluster / "pub.pem", config, says="no terminal")
    assert not config.with_name("a.cnf.xml.sgn").exists()


def test_a_token_without_a_terminal(ctlsign, cluster, out, lab):
    words = build_words(cluster, out, ["-k", f"pkcs11:token={TWO}", "--module", lab.module])
    ctlsign.refused(6, *words, env=lab.env, says=["no terminal to ask for the PIN", "--pin-source"])


def test_one_is_not_many(ctlsign, cluster, tmp_path):
    path = tmp_path / "CTLFile.tlv"
    key, cert = cluster / "pub.key", cluster / "pub.pem"
    ctlsign.ok("build", "-o", path, "--style", "rfc4514", "-k", key, "--cert", cert)
    run = ctlsign.ok("extract", path, "-o", tmp_path / "x")
    assert run.out.endswith(": 1 record\n")
    assert "1 of 1 record has a key" in ctlsign("verify", "--trust", "self", path).out
    assert "none of 1 list has" in ctlsign("identify", "00" * 20, path).err
    cut = tmp_path / "cut.tlv"
    cut.write_bytes(path.read_bytes() + b"\x01")
    assert "1 bytes" not in ctlsign("verify", "--trust", "self", cut).err


@pytest.mark.skipif(SANITIZED, reason="the source, once")
def test_plurals_are_made_in_one_way():
    """A number that may be one stands before "%s", which plural() fills; these are never one."""
    never_one = {"%zu certificates", "%zu records match", "%zu lists in", "%zu tokens", "%zu sessions", "%zu orders",
                 "%zu steps", "%u bits", "%zu times", "%zu digits"}
    for file, text in messages():
        for found in re.findall(r"%(?:zu|llu|u) (?:[a-z]+s)\b(?: match| in)?", text):
            if found.split()[1] in ("bytes", "remains", "is", "stands", "has", "was", "does"):
                continue
            assert any(found.startswith(ok) or ok.startswith(found) for ok in never_one), (file, text)
