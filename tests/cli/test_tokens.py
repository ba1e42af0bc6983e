# SPDX-License-Identifier: Apache-2.0
"""tokens: what is plugged in, as other tools see it, without a PIN."""
import json
import os
import re
import subprocess

import lists
import pytest
from conftest import make_certificate, openssl
from token_helpers import (FAULT, ONE, TWO, add_object, add_token, cert_urls,  # noqa: F401
                           fault, library, token_urls)


@pytest.fixture
def tokens(ctlsign, lab):
    """tokens(word…): the JSON of a run, tokens by label."""
    def run(*words, lab=lab, module=None, **kw):
        said = ctlsign.ok("tokens", "--json", "--module", module or lab.module, *words,
                          env={**lab.env, **kw})
        return {t["label"]: t for t in json.loads(said.out)["tokens"]}
    return run


def blocks(text):
    """The text form: per token its URI and the lines below."""
    return {block.splitlines()[0]: block for block in text.split("\n\n") if block}


# Before any verb is known, the line is searched for the variables that hold PINs -------------

MALFORMED = ["pkcs11:%", "pkcs11:token=%zz", "PKCS11:%g", "pkcs11:token=a;token=b", "pkcs11:=", "pkcs11:;;;",
             "pkcs11:?pin-source=", "pkcs11:token=a?pin-source=|x", "pkcs11:token=a?pin-source=env:"]


@pytest.mark.parametrize("uri", MALFORMED)
def test_a_malformed_uri_is_refused_wherever_it_stands(ctlsign, uri):
    """Once it ended the program by a signal, in the search that comes before every verb."""
    ctlsign.refused(2, "tokens", uri)
    ctlsign.refused(2, "export", uri)
    assert ctlsign("show", uri).status == 3
    assert ctlsign("--version", uri).status == 0


# The same as other tools --------------------------------------------------------------------

def test_p11tool_sees_the_same_tokens(tokens, lab):
    seen = tokens()
    assert set(seen) - {""} == {ONE, TWO}
    assert {t["uri"] for label, t in seen.items() if label} == token_urls(lab)


def test_p11tool_sees_the_same_certificates(tokens, lab, keys, tmp_path):
    extra = make_certificate(tmp_path / "x.pem", keys["rsa2048"], [("COMMON_NAME", "other")])
    add_object(lab, TWO, extra, "cert", name="a b/c;d%é", number="0a2fff")
    for label in (ONE, TWO):
        token = tokens()[label]
        mine = {c["uri"] for c in token["certificates"]}
        assert mine == cert_urls(lab, token["uri"])
        assert len(mine) == (2 if label == TWO else 1)


def test_pkcs11_tool_sees_the_same(tokens, lab):
    said = lab.tool("-L")
    seen = {label: t for label, t in tokens().items() if label}
    for field, name in (("label", "token label"), ("serial", "serial num"), ("model", "token model"),
                        ("manufacturer", "token manufacturer")):
        theirs = sorted(re.findall(rf"^  {name} +: (.*)$", said, re.M))
        assert sorted(t[field] for t in seen.values()) == theirs, field
    for label, token in seen.items():
        objects = lab.tool("--token-label", label, "--list-objects", "--type", "cert")
        assert re.findall(r"^  label: +(.*)$", objects, re.M) == \
            [c["label"] for c in token["certificates"]]
        assert re.findall(r"^  ID: +(.*)$", objects, re.M) == \
            [c["id"] for c in token["certificates"]]


@pytest.mark.parametrize("what", ["C_GetTokenInfo", "C_GetAttributeValue"])
def test_a_printed_uri_is_taken_whatever_pads_it(ctlsign, tokens, lab, fault, cluster, tmp_path, what):
    """Modules that pad with NUL, or leave rubbish behind it: no URI can hold a NUL."""
    f = fault(f"{what} * nul-pad")
    padded = tokens(module=FAULT, **f.env)
    assert padded == {k: {**v, "module": padded[k]["module"]} for k, v in tokens().items()}
    for uri in [t["uri"] for t in padded.values() if t["label"]] + [
            c["uri"] for t in padded.values() for c in t["certificates"]]:
        assert "%00" not in uri
        said = ctlsign.ok("tokens", "--json", "--module", FAULT, uri, env=f.env)
        assert len(json.loads(said.out)["tokens"]) == 1, uri
    uri = padded[TWO]["certificates"][0]["uri"]
    out = tmp_path / "CTLFile.tlv"
    ctlsign.ok("build", "-o", out, "-k", uri.replace("type=cert", "type=private"), "--module", FAULT, "--pin-source",
               f"file:{lab.pin_file}", env=f.env)
    ctlsign.ok("verify", "--trust", cluster / f"{TWO}.pem", out)


def test_a_cas_certificate_may_be_the_signers(ctlsign, tokens, lab, cluster, keys, tmp_path):
    """It may as well lie beside the certificate that it issued; doctor says the same."""
    own = make_certificate(tmp_path / "own-ca.pem", keys["rsa2048"], [("COMMON_NAME", "own CA")], ca=True)
    no_ca = make_certificate(tmp_path / "no-ca.pem", keys["rsa2048"], [("COMMON_NAME", "no CA")], ca=False)
    ec = make_certificate(tmp_path / "ec-ca.pem", keys["ec"], [("COMMON_NAME", "EC CA")], ca=True)
    for number, path in (("41", cluster / "manufacturing-ca.pem"), ("42", own), ("43", no_ca), ("44", ec)):
        add_object(lab, TWO, path, "cert", name=path.stem, number=number)
    found = {c["label"]: c for c in tokens()[TWO]["certificates"]}
    for label in ("manufacturing-ca", "own-ca"):
        assert found[label]["signs_lists"] is found[label]["signs_with_allow_weak_keys"] is None
        assert "is a CA certificate" in found[label]["why_not"]
    assert found["no-ca"]["signs_lists"] is True
    assert found["ec-ca"]["signs_lists"] is False and "RSA" in found["ec-ca"]["why_not"]
    text = ctlsign.ok("tokens", "--module", lab.module, env=lab.env).out
    assert text.count("signs lists: unknown: is a CA certificate") == 2
    said = ctlsign("doctor", "--module", lab.module, env=lab.env).out
    assert said.count("may sign lists: is a CA certificate") == 2
    # Its key is there, but shows with the PIN only.
    add_object(lab, TWO, keys["rsa2048"], "privkey", name="own-ca", number="42")
    assert {c["label"]: c for c in tokens()[TWO]["certificates"]}["own-ca"]["signs_lists"] is None
    out = tmp_path / "CTLFile.tlv"
    ctlsign.ok("build", "-o", out, "--style", "rfc4514", "-k", f"pkcs11:token={TWO};object=own-ca", "--module", lab.module,
               "--pin-source", f"file:{lab.pin_file}", env=lab.env)
    assert json.loads(ctlsign.ok("show", "--json", out).out)["records"][0]["subject"] == "CN=own CA"
    # One whose key is there signs, as everybody's self-signed one does.
    add_object(lab, TWO, keys["rsa2048"], "pubkey", name="own-ca", number="42")
    found = {c["label"]: c for c in tokens()[TWO]["certificates"]}
    assert found["own-ca"]["key"] == "seen" and found["own-ca"]["signs_lists"] is True


@pytest.mark.parametrize("label", ["a token with blanks", "100%;path=/x?y&z", "Schlüssel-Σ",
                                   "x" * 32, "ü" * 16, "'\"\\$(id)"])
def test_labels(ctlsign, tokens, lab, label):
    add_token(lab, label)
    seen = tokens()
    assert label in seen
    assert seen[label]["uri"] in token_urls(lab)
    # What is shown selects that token, here and elsewhere.
    again = tokens(seen[label]["uri"])
    assert list(again) == [label]
    assert seen[label]["uri"] in ctlsign.ok("tokens", seen[label]["uri"], "--module", lab.module,
                                            env=lab.env).out


def test_values_are_escaped_for_the_terminal(ctlsign, tokens, lab):
    label = "red\x1b[31m\x07bell"
    add_token(lab, label)
    assert label in tokens()
    out = ctlsign.ok("tokens", "--module", lab.module, env=lab.env).out
    assert "\x1b" not in out and "\x07" not in out and r"red\x1b[31m\x07bell" in out


def test_certificates_are_the_token_s(tokens, cluster):
    for label in (ONE, TWO):
        seen = tokens()[label]["certificates"][0]["certificate"]
        text = openssl("x509", "-in", cluster / f"{label}.pem", "-noout", "-fingerprint", "-sha256",
                       "-serial", "-subject", "-nameopt", "RFC2253").decode()
        assert seen["sha256"] == re.search("ingerprint=(.*)", text)[1].replace(":", "").lower()
        assert seen["serial"] == re.search("serial=(.*)", text)[1]
        assert seen["subject"] == re.search("subject=(.*)", text)[1]


def test_text_and_json_say_the_same(ctlsign, tokens, lab):
    by_uri = blocks(ctlsign.ok("tokens", "--module", lab.module, env=lab.env).out)
    seen = tokens()
    assert set(by_uri) == {t["uri"] for t in seen.values()}
    for token in seen.values():
        text = by_uri[token["uri"]]
        for field in ("label", "serial", "model", "manufacturer", "module", "pin"):
            assert f"\n  {field}: {token[field]}" in text
        for cert in token["certificates"]:
            assert f"\n  certificate: {cert['uri']}\n" in text
            assert f"\n    key: {cert['key']}\n" in text


# Which ---------------------------------------------------------------------------------------

def test_a_uri_selects(tokens):
    assert set(tokens(f"pkcs11:token={ONE}")) == {ONE}
    assert {ONE, TWO} <= set(tokens("pkcs11:manufacturer=SoftHSM%20project"))


def test_nothing_matches(ctlsign, lab):
    ctlsign.refused(4, "tokens", "pkcs11:token=nobody", "--module", lab.module, env=lab.env,
                    says="nobody")


def no_tokens(tmp_path):
    """A SoftHSM without any token but the spare one."""
    (tmp_path / "none").mkdir()
    conf = tmp_path / "none.conf"
    conf.write_text(f"directories.tokendir = {tmp_path}/none\nobjectstore.backend = file\n")
    return {"SOFTHSM2_CONF": conf}


def test_a_token_that_is_not_initialised(ctlsign, lab, tmp_path):
    run = ctlsign.ok("tokens", "--module", lab.module, env=no_tokens(tmp_path))
    assert run.out.count("pkcs11:") == 1 and "\n  pin: not-initialised\n" in run.out


def test_no_token(ctlsign, tmp_path):
    """A module without slots: nothing, and status 0; with a URI it is 4."""
    client = library("p11-kit-client.so")
    if client is None:
        pytest.skip("no p11-kit-client.so, which has no slot without a server")
    env = {"P11_KIT_SERVER_ADDRESS": f"unix:path={tmp_path}/nobody"}
    run = ctlsign.ok("tokens", "--module", client, env=env)
    assert run.out == ""
    assert json.loads(ctlsign.ok("tokens", "--json", "--module", client, env=env).out) == {"version": 2, "tokens": []}
    ctlsign.refused(4, "tokens", f"pkcs11:token={ONE}", "--module", client, env=env)


@pytest.mark.parametrize("word", ["CTLFile.tlv", "pkcs11:", "pkcs11:token=", "pkcs11:colour=blue",
                                  f"pkcs11:token={ONE};token={TWO}",
                                  f"pkcs11:token={ONE}?pin-value=8765"])
def test_what_is_no_uri_of_a_token(ctlsign, lab, word):
    run = ctlsign.refused(2, "tokens", word, "--module", lab.module, env=lab.env)
    assert "8765" not in run.err


def test_two_uris_are_one_too_many(ctlsign, lab):
    ctlsign.refused(2, "tokens", f"pkcs11:token={ONE}", f"pkcs11:token={TWO}", "--module",
                    lab.module, env=lab.env)


# Whether it can sign -------------------------------------------------------------------------

@pytest.mark.parametrize("kind,signs,weakly,why", [
    ("rsa1024", True, True, None), ("rsa2048", True, True, None), ("rsa4096", True, True, None),
    ("rsa512", False, True, "512 bits"), ("rsa3072", False, False, "3072 bits"),
    ("rsa1000", False, False, "1000 bits"), ("ec", False, False, "RSA"),
    ("ed25519", False, False, "RSA")])
def test_which_certificates_sign(ctlsign, tokens, lab, keys, tmp_path, kind, signs, weakly, why):
    cert = make_certificate(tmp_path / "odd.pem", keys[kind], [("COMMON_NAME", kind)],
                            issuer=[("COMMON_NAME", "issuer")], issuer_key=keys["rsa2048"])
    add_token(lab, "odd")
    add_object(lab, "odd", cert, "cert")
    seen = tokens("pkcs11:token=odd")["odd"]["certificates"][0]
    assert (seen["signs_lists"], seen["signs_with_allow_weak_keys"]) == (signs, weakly)
    assert seen["key"] == "unseen without PIN"
    text = ctlsign.ok("tokens", "pkcs11:token=odd", "--module", lab.module, env=lab.env).out
    assert "\n    key: unseen without PIN\n" in text
    line = re.search(r"^    signs lists: (.*)$", text, re.M)[1]
    if signs:
        assert line == "yes" and seen["why_not"] is None
    else:
        assert why in line and why in seen["why_not"]
        assert line.startswith("with --allow-weak-keys only: " if weakly else "no: ")


def test_a_public_key_shows(tokens, lab, cluster):
    add_token(lab, "odd")
    add_object(lab, "odd", cluster / "pub.pem", "cert", number="07")
    assert tokens()["odd"]["certificates"][0]["key"] == "unseen without PIN"
    add_object(lab, "odd", cluster / "pub.key", "privkey", number="07")
    assert tokens()["odd"]["certificates"][0]["key"] == "unseen without PIN"
    add_object(lab, "odd", cluster / "pub.key", "pubkey", number="55")  # paired by the key, not the id
    assert tokens()["odd"]["certificates"][0]["key"] == "seen"


def test_expired(ctlsign, tokens, lab, keys, tmp_path):
    import datetime
    cert = make_certificate(tmp_path / "old.pem", keys["rsa1024"], [("COMMON_NAME", "old")],
                            not_before=datetime.datetime(2001, 1, 1),
                            not_after=datetime.datetime(2002, 1, 1))
    add_token(lab, "odd")
    add_object(lab, "odd", cert, "cert")
    out = ctlsign.ok("tokens", "pkcs11:token=odd", "--module", lab.module, env=lab.env).out
    assert "valid: 2001-01-01T00:00:00Z to 2002-01-01T00:00:00Z (expired)" in out


def test_a_token_without_certificates(ctlsign, lab):
    add_token(lab, "bare")
    out = ctlsign.ok("tokens", "pkcs11:token=bare", "--module", lab.module, env=lab.env).out
    assert "certificates: none" in out


# --list --------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind,one,two", [
    ("tokens", "sast #1", "signer, sast #5"), ("tokens-non-secure", "sast #1", "signer, sast #2"),
    ("tokenless", "not in list", "not in list")])
def test_where_in_a_list(ctlsign, tokens, cluster, lab, tmp_path, kind, one, two):
    path = tmp_path / "CTLFile.tlv"
    lists.build(ctlsign, cluster, kind, path)
    by_uri = blocks(ctlsign.ok("tokens", "--list", path, "--module", lab.module, env=lab.env).out)
    seen = tokens("--list", path)
    for label, says in ((ONE, one), (TWO, two)):
        assert f"\n    in list: {says}" in by_uri[seen[label]["uri"]]
        where = seen[label]["certificates"][0]["in_list"]
        assert where["signer"] == ("signer" in says)
        assert where["sast"] == [int(n) for n in re.findall(r"#(\d)", says)]
    assert tokens()[ONE]["certificates"][0]["in_list"] is None


@pytest.mark.parametrize("style", ["cucm", "ctl-client", "rfc4514"])
def test_where_in_a_list_of_each_dialect(ctlsign, tokens, cluster, lab, tmp_path, style):
    path = tmp_path / "CTLFile.tlv"
    ctlsign.ok("build", "-o", path, "--style", style, "--sast", cluster / f"{ONE}.pem",
               *lists.key(cluster, "tokens"))
    seen = tokens("--list", path)
    assert seen[TWO]["certificates"][0]["in_list"] == {"signer": True, "sast": [1]}
    assert seen[ONE]["certificates"][0]["in_list"] == {"signer": False, "sast": [2]}


def test_a_list_that_does_not_verify_costs_a_warning(ctlsign, cluster, lab, tmp_path):
    path = tmp_path / "CTLFile.tlv"
    data = bytearray(lists.build(ctlsign, cluster, "tokens", path))
    data[200] ^= 1
    path.write_bytes(data)
    run = ctlsign.ok("tokens", "--list", path, "--module", lab.module, env=lab.env)
    assert "warning" in run.err and "does not verify" in run.err


def test_lists_that_are_none(ctlsign, cluster, lab, tmp_path):
    path = tmp_path / "CTLFile.tlv"
    ctlsign.refused(3, "tokens", "--list", path, "--module", lab.module, env=lab.env)
    path.write_bytes(b"nothing of the kind")
    ctlsign.refused(3, "tokens", "--list", path, "--module", lab.module, env=lab.env)


# PIN states, and no PIN ----------------------------------------------------------------------

@pytest.mark.parametrize("flags,state", [
    ("", "ok"), ("+COUNT_LOW", "count-low"), ("+FINAL_TRY", "final-try"),
    ("+COUNT_LOW +FINAL_TRY", "final-try"), ("+LOCKED", "locked"),
    ("+LOCKED +FINAL_TRY +COUNT_LOW", "locked"), ("+TO_BE_CHANGED", "to-be-changed"),
    ("-PIN_INITIALIZED", "not-initialised")])
def test_pin_states(ctlsign, tokens, fault, flags, state):
    f = fault(f"C_GetTokenInfo * flags {flags}") if flags else fault()
    assert tokens(module=FAULT, CTLSIGN_FAULT_PLAN=f.path)[TWO]["pin"] == state
    out = ctlsign.ok("tokens", f"pkcs11:token={TWO}", "--module", FAULT, env=f.env).out
    assert f"\n  pin: {state}\n" in out
    assert f.calls("C_GetTokenInfo") > 0 and f.logins == 0


def test_pin_pad(tokens, fault, lab):
    f = fault(f"pad {lab.pin}")
    assert tokens(module=FAULT, CTLSIGN_FAULT_PLAN=f.path)[TWO]["pin_pad"] is True
    assert tokens()[TWO]["pin_pad"] is False


def test_a_slot_that_fails_costs_a_warning(ctlsign, fault):
    f = fault("C_GetTokenInfo 1 fail 0x30")
    run = ctlsign.ok("tokens", "--module", FAULT, env=f.env)
    assert "warning" in run.err
    assert run.out.count("\n  label: SAST-") == 1


def test_a_token_that_cannot_be_opened_is_shown(ctlsign, fault):
    f = fault("C_OpenSession * fail 0x30")
    run = ctlsign.ok("tokens", "--module", FAULT, env=f.env)
    assert run.out.count("\n  label: SAST-") == 2 and "warning" in run.err


@pytest.mark.parametrize("plan", ["C_OpenSession * fail 0x30", "C_GetAttributeValue * fail 0x32"])
def test_certificates_that_were_not_read_are_not_none(ctlsign, fault, plan):
    """Nobody is to write one to a token that was pulled out."""
    f = fault(plan)
    run = ctlsign.ok("tokens", "--module", FAULT, f"pkcs11:token={TWO}", env=f.env)
    assert "certificates: not read" in run.out and "certificates: none" not in run.out
    said = json.loads(ctlsign.ok("tokens", "--json", "--module", FAULT, env=f.env).out)["tokens"]
    assert {t["label"]: t["certificates_read"] for t in said if t["label"]} == {ONE: False, TWO: False}
    f.write()
    said = json.loads(ctlsign.ok("tokens", "--json", "--module", FAULT, env=f.env).out)["tokens"]
    assert all(t["certificates_read"] for t in said)


def test_what_a_module_did_not_fill_is_empty(ctlsign, fault):
    """It says that each value has five bytes more: they are not to be this program's own."""
    words = ["tokens", "--json", "--module", FAULT, f"pkcs11:token={TWO}"]
    f = fault("C_GetAttributeValue * claim 5")
    cert = json.loads(ctlsign.ok(*words, env=f.env).out)["tokens"][0]["certificates"][0]
    assert cert["id"].endswith("00" * 5) and cert["label"] == TWO
    assert cert["certificate"]["error"] == "5 bytes follow the certificate"


@pytest.mark.parametrize("plan", ["C_GetSlotList * sleep 30", "C_GetTokenInfo 1 crash",
                                  "C_FindObjects 1 exit 0", "C_Initialize 1 fail 0x30"])
def test_a_module_that_fails(ctlsign, fault, plan):
    f = fault(plan)
    ctlsign.refused(8, "tokens", "--module", FAULT, "--timeout", 1, env=f.env)


def test_what_a_module_prints_is_no_result(ctlsign, fault):
    f = fault("C_GetSlotList * print chatter", "C_GetTokenInfo * print chatter")
    run = ctlsign.ok("tokens", "--json", "--module", FAULT, env=f.env)
    json.loads(run.out)


def test_a_module_of_p11_kit_s_registry(ctlsign, lab):
    """Without --module it is p11-kit's configuration that says which."""
    run = ctlsign("tokens", env=lab.env)
    said = subprocess.run(["p11-kit", "list-modules"], capture_output=True, text=True, check=False,
                          env={**os.environ, "SOFTHSM2_CONF": str(lab.env["SOFTHSM2_CONF"])})
    assert run.status == 0, str(run)
    assert (ONE in run.out) == (f"token: {ONE}" in said.stdout)
