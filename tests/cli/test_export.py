# SPDX-License-Identifier: Apache-2.0
"""export: certificates for upload, checksums, and the proof that a token has the key."""
import base64
import datetime
import hashlib
import json
import re
import resource
import signal
import stat
import subprocess

import lists
import pytest
from conftest import make_certificate, openssl
from token_helpers import (FAULT, ONE, TWO, Fault, add_object, add_token, fault,  # noqa: F401
                           secret)

MANUFACTURER = [("ORGANIZATION_NAME", "Cisco Systems"), ("COMMON_NAME", "Cisco Manufacturing CA")]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "Phone-SAST-trust"


def uri(label, lab=None, pin_file=None):
    source = f"?pin-source=file:{pin_file or lab.pin_file}" if lab else ""
    return f"pkcs11:token={label}{source}"


def names(folder):
    return sorted(p.name for p in folder.iterdir()) if folder.exists() else []


def sums_hold(folder):
    """sha256sum agrees with SHA256SUMS, and nothing is missing from it."""
    run = subprocess.run(["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=folder, text=True,
                         capture_output=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    listed = [line[66:] for line in (folder / "SHA256SUMS").read_text().splitlines()]
    assert sorted(listed + ["SHA256SUMS"]) == names(folder)


@pytest.fixture
def odd_token(lab, keys, tmp_path):
    """odd_token(kind, …): a token 'odd' with a certificate made so; issued by the tokens' CA."""
    def make(kind="rsa1024", cn="odd", label="odd", issuer=None, private=True, **kw):
        cert = make_certificate(tmp_path / f"{label}.pem", keys[kind], [("COMMON_NAME", cn)],
                                issuer=issuer or MANUFACTURER, issuer_key=keys["rsa2048"], **kw)
        add_token(lab, label)
        add_object(lab, label, cert, "cert")
        if private:
            add_object(lab, label, keys[kind], "privkey", usage=["--usage-sign"])
        return cert
    return make


# Certificates --------------------------------------------------------------------------------

def test_two_tokens(ctlsign, lab, cluster, folder):
    run = ctlsign.ok("export", "-o", folder, "--module", lab.module, uri(ONE), uri(TWO), env=lab.env)
    assert names(folder) == [f"{ONE}.cer", f"{TWO}.cer", "SHA256SUMS"]
    for label in (ONE, TWO):
        der = openssl("x509", "-in", cluster / f"{label}.pem", "-outform", "DER")
        assert (folder / f"{label}.cer").read_bytes() == der
        assert f"{folder}/{label}.cer: " in run.out and hashlib.sha1(der).hexdigest() in run.out
    sums_hold(folder)


def test_openssl_and_pkcs11_tool_agree(ctlsign, lab, folder, tmp_path):
    ctlsign.ok("export", "-o", folder, "--module", lab.module, uri(ONE), env=lab.env)
    lab.tool("--token-label", ONE, "--read-object", "--type", "cert", "--id", "01", "-o",
             tmp_path / "theirs.der")
    assert (tmp_path / "theirs.der").read_bytes() == (folder / f"{ONE}.cer").read_bytes()
    text = openssl("x509", "-inform", "DER", "-in", folder / f"{ONE}.cer", "-noout", "-subject")
    assert ONE.encode() in text


def test_pem(ctlsign, lab, cluster, folder):
    ctlsign.ok("export", "-o", folder, "--format", "pem", "--module", lab.module, uri(ONE),
               env=lab.env)
    text = (folder / f"{ONE}.cer").read_text()
    assert text.startswith("-----BEGIN CERTIFICATE-----\n")
    assert openssl("x509", "-in", folder / f"{ONE}.cer") == openssl("x509", "-in",
                                                                    cluster / f"{ONE}.pem")
    sums_hold(folder)


def test_files_can_be_read_by_all(ctlsign, lab, folder):
    ctlsign.ok("export", "-o", folder, "--prove", "--module", lab.module, uri(ONE, lab),
               env=lab.env, preexec_fn=lambda: __import__("os").umask(0o077))
    assert {stat.S_IMODE(p.stat().st_mode) for p in folder.iterdir()} == {0o644}


def test_into_the_current_folder(ctlsign, lab, folder):
    folder.mkdir()
    ctlsign.ok("export", "--module", lab.module, uri(ONE), env=lab.env, cwd=folder)
    assert names(folder) == [f"{ONE}.cer", "SHA256SUMS"]


def test_no_login_without_prove(ctlsign, fault, folder):
    f = fault()
    ctlsign.ok("export", "-o", folder, "--module", FAULT, uri(ONE), uri(TWO), env=f.env)
    assert f.calls("C_GetTokenInfo") > 0 and f.logins == 0


def test_json(ctlsign, lab, folder):
    said = json.loads(ctlsign.ok("export", "--json", "--prove", "-o", folder, "--module",
                                 lab.module, uri(ONE, lab), env=lab.env).out)
    assert said["folder"] == str(folder)
    one, = said["exported"]
    assert one["file"] == f"{ONE}.cer" and one["proof"]["file"] == f"{ONE}.proof"
    assert one["uri"].startswith("pkcs11:") and lab.pin not in json.dumps(said)
    der = (folder / one["file"]).read_bytes()
    assert one["certificate"]["sha256"] == hashlib.sha256(der).hexdigest()


# What is refused -----------------------------------------------------------------------------

@pytest.mark.parametrize("kind,issuer,says", [
    ("rsa1024", [("COMMON_NAME", "Somebody")], "Cisco Manufacturing CA"),
    ("rsa512", None, "512 bits"), ("rsa4096", None, "4096 bits"), ("ec", None, "RSA")])
def test_no_sast_token_s(ctlsign, lab, odd_token, folder, kind, issuer, says):
    odd_token(kind, issuer=issuer, private=False)
    words = ["export", "-o", folder, "--module", lab.module]
    ctlsign.refused(1, *words, uri("odd"), env=lab.env, says=[says, "--any"])
    assert not folder.exists()
    # One that is refused keeps the others back.
    ctlsign.refused(1, *words, uri(ONE), uri("odd"), env=lab.env)
    assert not folder.exists()
    ctlsign.ok(*words, "--any", uri("odd"), env=lab.env)
    assert names(folder) == ["SHA256SUMS", "odd.cer"]


@pytest.mark.parametrize("issuer", ["Cisco Manufacturing CA", "Cisco Manufacturing CA SHA2"])
@pytest.mark.parametrize("kind", ["rsa1024", "rsa2048"])
def test_sast_tokens(ctlsign, lab, odd_token, folder, kind, issuer):
    odd_token(kind, issuer=[("COMMON_NAME", issuer)])
    ctlsign.ok("export", "-o", folder, "--module", lab.module, uri("odd"), env=lab.env)
    assert names(folder) == ["SHA256SUMS", "odd.cer"]


def test_expired_costs_a_warning(ctlsign, lab, odd_token, folder):
    odd_token(not_before=datetime.datetime(2001, 1, 1), not_after=datetime.datetime(2002, 1, 1))
    run = ctlsign.ok("export", "-o", folder, "--module", lab.module, uri("odd"), env=lab.env)
    assert "warning: odd.cer: expired on 2002-01-01T00:00:00Z" in run.err


@pytest.mark.parametrize("words,says", [
    ([], "which token"), (["CTLFile.tlv"], "no pkcs11: URI"), (["pkcs11:"], ""),
    (["pkcs11:token=a?pin-value=4711"], "pin-value"), (["--from", "x", "pkcs11:token=a"], "--from"),
    (["--from", "x", "--prove"], "--from"), (["--format", "txt", "pkcs11:token=a"], "format"),
    (["--pin-source", "prompt", "pkcs11:token=a"], "--prove"), (["-o", "", "pkcs11:token=a"], "")])
def test_bad_command_lines(ctlsign, tmp_path, words, says):
    run = ctlsign.refused(2, "export", *words, cwd=tmp_path, says=says)
    assert "4711" not in run.err and names(tmp_path) == []


def test_no_match_and_two(ctlsign, lab, folder):
    words = ["export", "-o", folder, "--module", lab.module]
    ctlsign.refused(4, *words, uri("nobody"), env=lab.env)
    run = ctlsign.refused(5, *words, "pkcs11:manufacturer=SoftHSM%20project", env=lab.env)
    assert ONE in run.err and TWO in run.err
    assert not folder.exists()


def test_the_same_token_twice(ctlsign, lab, folder):
    run = ctlsign.ok("export", "-o", folder, "--module", lab.module, uri(ONE), f"pkcs11:token={ONE};object={ONE}",
                     env=lab.env)
    assert "warning" in run.err and names(folder) == [f"{ONE}.cer", "SHA256SUMS"]


# File names ----------------------------------------------------------------------------------

@pytest.mark.parametrize("cn,file", [
    ("../../etc/passwd", "_._.._etc_passwd.cer"), (".hidden", "_hidden.cer"), ("a b;c$(id)", "a_b_c__id_.cer"),
    ("padded      ", "padded.cer"), ("Σ", "__.cer"), ("x\x1b[31m", "x__31m.cer")])
def test_names_from_certificates(ctlsign, lab, odd_token, folder, cn, file):
    odd_token(cn=cn)
    ctlsign.ok("export", "-o", folder, "--prove", "--module", lab.module, uri("odd", lab),
               env=lab.env)
    assert names(folder) == sorted(["SHA256SUMS", file, file[:-4] + ".proof"])
    sums_hold(folder)


def test_two_of_one_name(ctlsign, lab, odd_token, folder):
    odd_token(cn="same", label="odd", serial=0x1111)
    odd_token(cn="same", label="even", serial=0x2222)
    ctlsign.ok("export", "-o", folder, "--prove", "--module", lab.module, uri("odd", lab),
               uri("even", lab), env=lab.env)
    assert names(folder) == ["SHA256SUMS", "same-2222.cer", "same-2222.proof", "same.cer",
                             "same.proof"]
    sums_hold(folder)


def test_what_is_there_stays(ctlsign, lab, folder):
    words = ["export", "-o", folder, "--module", lab.module]
    ctlsign.ok(*words, uri(ONE), env=lab.env)
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    ctlsign.ok(*words, uri(ONE), env=lab.env)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
    (folder / f"{ONE}.cer").write_bytes(b"something else")
    ctlsign.refused(9, *words, uri(TWO), uri(ONE), env=lab.env, says=[f"{ONE}.cer", "other content"])
    assert (folder / f"{ONE}.cer").read_bytes() == b"something else"
    assert names(folder) == sorted(before)


def test_checksums_of_earlier_exports_stay(ctlsign, lab, folder):
    for label in (ONE, TWO):
        ctlsign.ok("export", "-o", folder, "--module", lab.module, uri(label), env=lab.env)
        sums_hold(folder)
    ctlsign.ok("export", "-o", folder, "--prove", "--module", lab.module, uri(ONE, lab), env=lab.env)
    sums_hold(folder)
    assert len((folder / "SHA256SUMS").read_text().splitlines()) == 3


@pytest.mark.parametrize("content", [b"notes\n", b"\n", b"0" * 64 + b"  no newline",
                                     b"g" * 64 + b"  x\n"])
def test_somebody_s_own_checksums(ctlsign, lab, folder, content):
    folder.mkdir()
    (folder / "SHA256SUMS").write_bytes(content)
    ctlsign.refused(9, "export", "-o", folder, "--module", lab.module, uri(ONE), env=lab.env,
                    says="SHA256SUMS")
    assert names(folder) == ["SHA256SUMS"]
    assert (folder / "SHA256SUMS").read_bytes() == content


def test_links_are_not_followed(ctlsign, lab, folder, tmp_path):
    folder.mkdir()
    (folder / f"{ONE}.cer").symlink_to(tmp_path / "elsewhere")
    run = ctlsign.refused(9, "export", "-o", folder, "--module", lab.module, uri(ONE), env=lab.env,
                          says="is a symbolic link, and nothing is written through it: take it away")
    assert "--follow" not in run.err  # this verb has no such option
    assert not (tmp_path / "elsewhere").exists()


def test_output_is_looked_at_before_the_pin(ctlsign, fault, folder, tmp_path):
    f = fault()
    words = ["export", "--prove", "--module", FAULT, uri(ONE, f.lab)]
    folder.mkdir()
    (folder / f"{ONE}.proof").write_text("an older one")
    ctlsign.refused(9, *words, "-o", folder, env=f.env, says=f"{ONE}.proof")
    ctlsign.refused(9, *words, "-o", tmp_path / "none" / "deeper", env=f.env)
    (tmp_path / "file").write_text("")
    ctlsign.refused(9, *words, "-o", tmp_path / "file", env=f.env)
    assert f.logins == 0


def test_no_room_for_the_second_leaves_neither(ctlsign, lab, odd_token, folder):
    """The first certificate fits under the limit, the second does not."""
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (800, 800))
    odd_token()
    words = ["export", "-o", folder, "--module", lab.module]
    ctlsign.refused(9, *words, uri("odd"), uri(ONE), env=lab.env, preexec_fn=limit, says=ONE)
    assert names(folder) == []
    ctlsign.ok(*words, uri("odd"), env=lab.env, preexec_fn=limit)
    assert names(folder) == ["SHA256SUMS", "odd.cer"]


# Proofs --------------------------------------------------------------------------------------

PROOF = re.compile(rb"ctlsign proof v1\nnonce: ([0-9a-f]{64})\ncertificate-sha256: ([0-9a-f]{64})\n"
                   rb"time: (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)\nsignature: ([A-Za-z0-9+/]+=*)\n")


def openssl_takes(proof, cert, tmp_path):
    """What anybody can do with openssl and base64 alone."""
    statement, signature = proof.split(b"signature: ")
    (tmp_path / "statement").write_bytes(statement)
    (tmp_path / "signature").write_bytes(base64.b64decode(signature))
    (tmp_path / "key.pem").write_bytes(openssl("x509", "-inform", "DER", "-in", cert, "-pubkey",
                                               "-noout"))
    run = subprocess.run(["openssl", "dgst", "-sha256", "-verify", tmp_path / "key.pem",
                          "-signature", tmp_path / "signature", tmp_path / "statement"],
                         capture_output=True, check=False)
    return run.returncode == 0


@pytest.mark.parametrize("kind", ["sast", "rsa2048", "rsa512", "rsa4096"])
def test_a_proof(ctlsign, lab, odd_token, folder, tmp_path, kind):
    label = ONE
    if kind != "sast":
        odd_token(kind)
        label = "odd"
    before = datetime.datetime.utcnow().replace(microsecond=0)
    ctlsign.ok("export", "-o", folder, "--any", "--prove", "--module", lab.module, uri(label, lab),
               env=lab.env)
    after = datetime.datetime.utcnow()
    proof = (folder / f"{label}.proof").read_bytes()
    nonce, digest, when, _ = PROOF.fullmatch(proof).groups()
    der = (folder / f"{label}.cer").read_bytes()
    assert digest.decode() == hashlib.sha256(der).hexdigest()
    assert before <= datetime.datetime.strptime(when.decode(), "%Y-%m-%dT%H:%M:%SZ") <= after
    assert openssl_takes(proof, folder / f"{label}.cer", tmp_path)
    assert not openssl_takes(proof.replace(nonce, b"0" * 64), folder / f"{label}.cer", tmp_path)
    sums_hold(folder)


def test_nonces_differ(ctlsign, lab, tmp_path):
    seen = set()
    for i in range(3):
        ctlsign.ok("export", "-o", tmp_path / str(i), "--prove", "--module", lab.module,
                   uri(ONE, lab), env=lab.env)
        seen.add(PROOF.fullmatch((tmp_path / str(i) / f"{ONE}.proof").read_bytes())[1])
    assert len(seen) == 3


def test_one_login_per_token(ctlsign, fault, folder):
    f = fault()
    ctlsign.ok("export", "-o", folder, "--prove", "--module", FAULT, uri(ONE, f.lab),
               uri(TWO, f.lab), env=f.env)
    assert f.logins == 2 and f.calls("C_Sign") == 2


def test_a_certificate_without_its_key_is_not_exported(ctlsign, lab, odd_token, folder):
    odd_token(private=False)
    ctlsign.refused(4, "export", "-o", folder, "--prove", "--module", lab.module, uri("odd", lab),
                    env=lab.env)
    ctlsign.refused(4, "export", "-o", folder, "--prove", "--module", lab.module, uri(ONE, lab),
                    uri("odd", lab), env=lab.env)
    assert not folder.exists()


def test_another_key_under_the_same_id(ctlsign, lab, odd_token, keys, folder):
    odd_token(private=False)
    add_object(lab, "odd", keys["rsa1024b"], "privkey", usage=["--usage-sign"])
    ctlsign.refused(4, "export", "-o", folder, "--prove", "--module", lab.module, uri("odd", lab),
                    env=lab.env)
    assert not folder.exists()


def test_one_pin_source_for_two_tokens(ctlsign, fault, folder):
    f = fault()
    words = ["export", "-o", folder, "--prove", "--module", FAULT]
    ctlsign.refused(2, *words, "--pin-source", f"file:{f.lab.pin_file}", uri(ONE), uri(TWO),
                    env=f.env, says="pin-source")
    assert f.calls("C_Initialize") == 0 and not folder.exists()
    # With one token it counts; and for the one of two that brings none.
    ctlsign.ok(*words, "--pin-source", f"file:{f.lab.pin_file}", uri(ONE), uri(TWO, f.lab),
               env=f.env)
    assert len(names(folder)) == 5


@pytest.mark.parametrize("pin,warns", [("Cisco123", True), ("Cisco1234", False)])
def test_the_default_pin_costs_a_warning(ctlsign, lab, folder, tmp_path, pin, warns):
    lab.tool("--token-label", ONE, "--login", "--pin", lab.pin, "--change-pin", "--new-pin", pin)
    run = ctlsign.ok("export", "-o", folder, "--prove", "--module", lab.module,
                     uri(ONE, lab, secret(tmp_path / "pin", pin)), env=lab.env)
    assert ("everybody knows" in run.err) == warns and pin not in run.err


def test_wrong_pin(ctlsign, fault, folder, tmp_path):
    f = fault()
    wrong = secret(tmp_path / "wrong", "no-such-pin")
    run = ctlsign.refused(6, "export", "-o", folder, "--prove", "--module", FAULT,
                          uri(ONE, f.lab), uri(TWO, pin_file=wrong, lab=f.lab), env=f.env,
                          says=["PIN", TWO])
    assert "no-such-pin" not in run.err and f.logins == 2
    assert not folder.exists()


@pytest.mark.parametrize("plan,says", [("C_Sign 1 flip", "does not verify"),
                                       ("C_Sign 1 exit 0", "C_Sign"),
                                       ("C_Sign 1 fail 0x30", "C_Sign"),
                                       ("C_Sign 1 lengthen", "C_Sign")])
def test_a_token_that_signs_badly_proves_nothing(ctlsign, fault, folder, plan, says):
    f = fault(plan)
    ctlsign.refused(8, "export", "-o", folder, "--prove", "--module", FAULT, uri(ONE, f.lab),
                    env=f.env, says=says)
    assert not folder.exists()


# --from --------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind,files", [("tokens", [f"{ONE}.cer", f"{TWO}.cer"]),
                                        ("tokenless", ["cucm-1051-a-pub.cer"])])
def test_from_a_list(ctlsign, cluster, folder, tmp_path, kind, files):
    path = tmp_path / "CTLFile.tlv"
    lists.build(ctlsign, cluster, kind, path)
    signer = "pub" if kind == "tokenless" else TWO
    ctlsign.refused(1, "export", "--from", path, "-o", folder, says=["not verified", "--trust"])
    assert not folder.exists()
    ctlsign.ok("export", "--from", path, "-o", folder, "--trust", cluster / f"{signer}.pem")
    assert names(folder) == sorted(["SHA256SUMS", *files])
    for file in files:
        pem = cluster / ("pub.pem" if kind == "tokenless" else file.replace(".cer", ".pem"))
        assert (folder / file).read_bytes() == openssl("x509", "-in", pem, "-outform", "DER")
    sums_hold(folder)


def test_from_a_list_that_does_not_verify(ctlsign, cluster, folder, tmp_path):
    path = tmp_path / "CTLFile.tlv"
    data = bytearray(lists.build(ctlsign, cluster, "tokens", path))
    data[200] ^= 1
    path.write_bytes(data)
    ctlsign.refused(1, "export", "--from", path, "-o", folder, says="verify")
    path.write_bytes(data[:1000])
    ctlsign.refused(3, "export", "--from", path, "-o", folder)
    assert not folder.exists()
