# SPDX-License-Identifier: Apache-2.0
"""Messages: the house's form in all of them, and a word about what to do in those that had none."""
import re

import lists
import pytest
import tables
from conftest import SANITIZED
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
