# SPDX-License-Identifier: Apache-2.0
"""Signing with a token: the same bytes as with the key file, and no PIN anywhere."""
import os
import pty
import select
import subprocess
import time

import lists
import peerlist
import pytest
from conftest import PROGRAM, make_certificate
from lists import PUB, TIME
from token_helpers import build_words, fault, library  # noqa: F401  (a fixture)

ONE, TWO = "SAST-ADN0054f509", "SAST-ADN008580ef"


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return folder / "CTLFile.tlv"


def sign(ctlsign, cluster, out, lab, *words, kind="tokens", **kw):
    return lists.build(ctlsign, cluster, kind, out, signs=words, env={**lab.env, **kw})


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("kind", ["tokens", "tokens-non-secure"])
def test_token_and_key_file_make_the_same_bytes(ctlsign, cluster, out, lab, kind, digest):
    by_file = lists.build(ctlsign, cluster, kind, out, "--digest", digest)
    out.unlink()
    by_token = lists.build(ctlsign, cluster, kind, out, "--digest", digest,
                           signs=lab.key(TWO), env=lab.env)
    assert by_token == by_file


def test_either_token_signs(ctlsign, cluster, out, lab):
    records = lists.records(cluster, "tokens")
    for label in (ONE, TWO):
        ctlsign.ok("build", "-o", out, *records, *lab.key(label), "--timestamp", TIME, env=lab.env)
        header = peerlist.parse(out.read_bytes())["header"]
        assert label in header["signer_name"]
        run = ctlsign.ok("verify", "--trust", cluster / f"{label}.pem", out)
        assert run.last_line.startswith("good signature by")
        out.unlink()


@pytest.mark.parametrize("kind", ["rsa2048", "rsa4096"])
@pytest.mark.parametrize("digest", ["sha1", "sha512"])
def test_larger_keys(ctlsign, signer, out, own_lab, kind, digest):
    key, cert = signer(kind)
    lab = own_lab(("big", key, cert))
    args = ["build", "-o", out, "--sast", f"{cert},name=n", "--digest", digest, "--timestamp", TIME]
    ctlsign.ok(*args, "-k", key, "--cert", cert)
    by_file = out.read_bytes()
    out.unlink()
    ctlsign.ok(*args, *lab.key("big"), env=lab.env)
    assert out.read_bytes() == by_file


def test_a_certificate_that_the_first_question_has_no_room_for(ctlsign, keys, out, own_lab, tmp_path):
    """More than 4 KiB: asked for again, with its length."""
    cert = make_certificate(tmp_path / "long.pem", keys["rsa1024"],
                            [("COMMON_NAME", "long"), ("ORGANIZATIONAL_UNIT_NAME", "u" * 6000)])
    key = tmp_path / "long.key"
    key.write_bytes(keys["rsa1024"].read_bytes())
    key.chmod(0o600)
    short = make_certificate(tmp_path / "short.pem", key, [("COMMON_NAME", "short")])
    lab = own_lab(("long", key, short))
    lab.tool("--token-label", "long", "--login", "--pin", lab.pin, "--delete-object", "--type", "cert", "--id", "01")
    # pkcs11-tool has no room for it either.
    subprocess.run(["p11tool", "--provider", lab.module, "--login", "--set-pin", lab.pin, "--batch", "--write",
                    "--load-certificate", cert, "--label", "long", "--id", "01", "pkcs11:token=long"],
                   env={**os.environ, "SOFTHSM2_CONF": str(lab.env["SOFTHSM2_CONF"])}, check=True,
                   stdin=subprocess.DEVNULL, capture_output=True)
    ctlsign.ok("build", "-o", out, "--sast", f"{cert},name=n", *lab.key("long"), "--timestamp", TIME, env=lab.env)
    assert peerlist.parse(out.read_bytes())["records"][0]["subject"] == "CN=long;OU=" + "u" * 6000


def test_tokenless_list_with_the_publisher_s_key_on_a_token(ctlsign, cluster, out, own_lab):
    """Where the key is stored does not matter: the style is the certificate's."""
    lab = own_lab(("publisher", cluster / "pub.key", cluster / "pub.pem"))
    by_file = lists.build(ctlsign, cluster, "tokenless", out)
    out.unlink()
    assert lists.build(ctlsign, cluster, "tokenless", out, signs=lab.key("publisher"),
                       env=lab.env) == by_file


def test_default_style_is_ctl_client(ctlsign, cluster, out, lab):
    ctlsign.ok("build", "-o", out, "--ccm-tftp", f"{cluster}/pub.pem,address={PUB}",
               *lab.key(TWO), env=lab.env)
    records = peerlist.parse(out.read_bytes())["records"]
    assert records[0]["dns_name"] == "" and records[1]["dns_name"] == PUB


def test_certificates_from_tokens(ctlsign, cluster, out, lab):
    """CERT arguments may be URIs too, and need no PIN."""
    expected = lists.build(ctlsign, cluster, "tokens", out)
    words = lists.records(cluster, "tokens")
    words = [f"pkcs11:token={ONE}" if str(w).endswith(f"{ONE}.pem") else
             f"pkcs11:token={TWO}" if str(w).endswith(f"{TWO}.pem") else w for w in words]
    out.unlink()
    ctlsign.ok("build", "-o", out, *words, *lab.key(TWO), "--timestamp", TIME, env=lab.env)
    assert out.read_bytes() == expected


def test_module_path_in_the_uri(ctlsign, cluster, out, lab):
    uri = f"pkcs11:token={TWO}?module-path={lab.module}"
    sign(ctlsign, cluster, out, lab, "-k", uri, "--pin-source", f"file:{lab.pin_file}")
    assert out.exists()


def test_pin_source_in_the_uri(ctlsign, cluster, out, lab):
    uri = f"pkcs11:token={TWO}?pin-source=file:{lab.pin_file}"
    sign(ctlsign, cluster, out, lab, "-k", uri, "--module", lab.module)
    assert out.exists()


def test_uris_with_more_attributes(ctlsign, cluster, out, lab):
    for uri in (f"pkcs11:token={TWO};id=%01;type=private", f"pkcs11:token={TWO};object={TWO}",
                f"PKCS11:token={TWO.replace('-', '%2D')}"):
        sign(ctlsign, cluster, out, lab, "-k", uri, "--module", lab.module,
             "--pin-source", f"file:{lab.pin_file}")
        out.unlink()


# PINs ----------------------------------------------------------------------------------------

def test_pin_from_the_environment(ctlsign, cluster, out, lab):
    sign(ctlsign, cluster, out, lab, "-k", f"pkcs11:token={TWO}", "--module", lab.module,
         "--pin-source", "env:THE_PIN", THE_PIN=lab.pin)
    assert out.exists()


@pytest.mark.parametrize("tail", ["", "\n", "\r\n", "\nsecond line\n"])
def test_pin_from_a_descriptor_and_a_file(ctlsign, cluster, out, lab, tail):
    read, write = os.pipe()
    os.write(write, (lab.pin + tail).encode())
    os.close(write)
    words = ["-k", f"pkcs11:token={TWO}", "--module", lab.module]
    lists.build(ctlsign, cluster, "tokens", out, signs=[*words, "--pin-source", f"fd:{read}"],
                env=lab.env, pass_fds=[read])
    os.close(read)
    out.unlink()
    lab.pin_file.write_text(lab.pin + tail)
    sign(ctlsign, cluster, out, lab, *words, "--pin-source", f"file:{lab.pin_file}")


def at_terminal(ctlsign, words, env, answers, timeout=60):
    """Runs the program on a terminal of its own; types an answer at each prompt."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(str(PROGRAM), [str(PROGRAM), *map(str, words)], ctlsign.environment(env))
    seen, answers, end = b"", list(answers), time.time() + timeout
    while time.time() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                chunk = os.read(terminal, 4096)
            except OSError:
                chunk = b""
            if not chunk:
                break
            seen += chunk
            if answers and seen.rstrip(b" ").endswith((b":", b"?", b"]")):
                time.sleep(0.05)
                os.write(terminal, answers.pop(0).encode() + b"\n")
    else:
        os.kill(pid, 9)
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), seen.decode(errors="replace")


def test_prompt_names_the_token_and_does_not_echo(ctlsign, cluster, out, lab):
    words = ["build", "-o", out, *lists.records(cluster, "tokens"), "-k", f"pkcs11:token={TWO}",
             "--module", lab.module, "--timestamp", TIME, "--yes"]
    status, seen = at_terminal(ctlsign, words, lab.env, [lab.pin])
    assert status == 0, seen
    assert TWO in seen and lab.pin not in seen
    assert out.stat().st_size == 5728


def test_two_attempts_at_a_prompt(ctlsign, cluster, out, lab):
    words = ["build", "-o", out, *lists.records(cluster, "tokens"), "-k", f"pkcs11:token={TWO}",
             "--module", lab.module, "--yes"]
    status, seen = at_terminal(ctlsign, words, lab.env, ["00000000", lab.pin])
    assert status == 0, seen
    out.unlink()
    status, seen = at_terminal(ctlsign, words, lab.env, ["00000000", "00000001", lab.pin])
    assert status == 6, seen
    assert not out.exists()


def test_no_terminal_for_the_question(ctlsign, cluster, out, lab):
    ctlsign.refused(6, "build", "-o", out, *lists.records(cluster, "tokens"),
                    "-k", f"pkcs11:token={TWO}", "--module", lab.module, env=lab.env,
                    says="--pin-source")
    assert not out.exists()


def test_wrong_pin(ctlsign, cluster, out, lab, tmp_path):
    wrong = tmp_path / "wrong"
    wrong.write_text("nonsense-pin")
    wrong.chmod(0o600)
    run = ctlsign.refused(6, "build", "-o", out, *lists.records(cluster, "tokens"),
                          *lab.key(TWO, wrong), env=lab.env, says="PIN")
    assert "nonsense-pin" not in run.err
    assert not out.exists()


def test_wrong_pin_leaves_an_existing_list(ctlsign, cluster, out, lab, tmp_path):
    before = lists.build(ctlsign, cluster, "tokens", out)
    wrong = tmp_path / "wrong"
    wrong.write_text("nonsense-pin")
    wrong.chmod(0o600)
    ctlsign.refused(6, "build", "-o", out, *lists.records(cluster, "tokens"),
                    *lab.key(TWO, wrong), env=lab.env)
    assert out.read_bytes() == before
    assert [p.name for p in out.parent.iterdir()] == [out.name]


@pytest.mark.parametrize("content", [b"", b"\n", b"a\0b\n", b"x" * 300])
def test_pins_that_are_none(ctlsign, cluster, out, lab, tmp_path, content):
    bad = tmp_path / "bad"
    bad.write_bytes(content)
    bad.chmod(0o600)
    ctlsign.refused(6, "build", "-o", out, *lists.records(cluster, "tokens"),
                    *lab.key(TWO, bad), env=lab.env)
    assert not out.exists()


def test_missing_pin_sources(ctlsign, cluster, out, lab, tmp_path):
    for source in (f"file:{tmp_path}/none", "env:NOT_SET", "fd:87"):
        ctlsign.refused({2, 6}, "build", "-o", out, *lists.records(cluster, "tokens"),
                        "-k", f"pkcs11:token={TWO}", "--module", lab.module,
                        "--pin-source", source, env=lab.env, says=source.split(":")[1].split("/")[-1])
        assert not out.exists()


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_pin_files_that_others_can_read(ctlsign, cluster, out, lab, mode):
    lab.pin_file.chmod(mode)
    words = ["build", "-o", out, *lists.records(cluster, "tokens"), *lab.key(TWO)]
    run = ctlsign.refused(6, *words, env=lab.env, says=str(lab.pin_file))
    assert lab.pin not in run.err
    ctlsign.ok(*words, "--insecure-file-mode", env=lab.env)


def test_no_pin_in_arguments_environment_or_messages(ctlsign, cluster, out, lab, tmp_path):
    """What strace sees of every exec and write holds no PIN."""
    trace = tmp_path / "trace"
    words = ["build", "-o", out, *lists.records(cluster, "tokens"), *lab.key(TWO)]
    run = ctlsign(*words, env={**lab.env, "ASAN_OPTIONS": "detect_leaks=0"}, wrapper=[
        "strace", "-f", "-s", "4096", "-e", "trace=execve,write,writev,sendto,sendmsg,openat",
        "-o", trace])
    if run.status != 0 and "ptrace" in run.err:
        pytest.skip("no ptrace here")
    assert run.status == 0, str(run)
    visible = [line for line in trace.read_text(errors="replace").splitlines()
               if "execve(" in line or "write(1," in line or "write(2," in line]
    assert visible and not any(lab.pin in line for line in visible)
    assert lab.pin not in run.out + run.err
    assert lab.pin.encode() not in out.read_bytes()


def test_the_end_of_the_process_is_waited_for_without_pauses(ctlsign, cluster, out, lab, tmp_path):
    trace = tmp_path / "trace"
    run = ctlsign("build", "-o", out, *lists.records(cluster, "tokens"), *lab.key(TWO),
                  env={**lab.env, "ASAN_OPTIONS": "detect_leaks=0"},
                  wrapper=["strace", "-f", "-e", "trace=execve,nanosleep,clock_nanosleep", "-o", trace])
    if run.status != 0 and "ptrace" in run.err:
        pytest.skip("no ptrace here")
    assert run.status == 0, str(run)
    assert trace.read_text().count("execve(") == 2 and "nanosleep(" not in trace.read_text(), trace.read_text()


# Which token ---------------------------------------------------------------------------------

@pytest.mark.parametrize("uri", ["pkcs11:token=nobody", "pkcs11:token=sast-adn008580ef",
                                 f"pkcs11:token={TWO};object=nothing", f"pkcs11:token={TWO};id=%07",
                                 f"pkcs11:token={TWO};serial=0000"])
def test_no_match(ctlsign, cluster, out, lab, uri):
    words = ["build", "-o", out, *lists.records(cluster, "tokens"), "-k", uri, "--module",
             lab.module, "--pin-source", f"file:{lab.pin_file}"]
    ctlsign.refused(4, *words, env=lab.env)
    assert not out.exists()


@pytest.mark.parametrize("kind", ["", ";type=cert", ";type=private"])
def test_the_object_tells_which_of_two(ctlsign, cluster, out, fault, kind):
    """Several tokens are the manufacturer's; one of them holds what is named. One login, on that one."""
    by_file = lists.build(ctlsign, cluster, "tokens", out)
    out.unlink()
    f = fault()
    words = f.key()
    words[1] = f"pkcs11:manufacturer=SoftHSM%20project;object={TWO}{kind}"
    ctlsign.ok(*build_words(cluster, out, words), env=f.env)
    assert out.read_bytes() == by_file and f.logins == 1


@pytest.mark.parametrize("name", ["id=%01", "object=nobody"])
def test_an_object_of_both_or_of_none_tells_nothing(ctlsign, cluster, out, fault, name):
    f = fault()
    words = f.key()
    words[1] = f"pkcs11:manufacturer=SoftHSM%20project;{name}"
    run = ctlsign.refused(5, *build_words(cluster, out, words), env=f.env, says="more than one token")
    assert ONE in run.err and TWO in run.err and f.logins == 0


def test_two_match(ctlsign, cluster, out, lab):
    words = ["build", "-o", out, *lists.records(cluster, "tokens"), "-k",
             "pkcs11:manufacturer=SoftHSM%20project", "--module", lab.module,
             "--pin-source", f"file:{lab.pin_file}"]
    run = ctlsign.refused(5, *words, env=lab.env)
    assert run.err.count("pkcs11:") >= 2 and ONE in run.err and TWO in run.err
    assert lab.pin not in run.err
    assert not out.exists()


@pytest.mark.parametrize("uri,says", [
    ("pkcs11:", ""), ("pkcs11:;", ""), ("pkcs11:token=", ""), ("pkcs11:token=%00x", ""),
    (f"pkcs11:;token={TWO}", ""), (f"pkcs11:token={TWO};colour=blue", "colour"),
    (f"pkcs11:token={ONE};token={TWO}", "token"), (f"pkcs11:token={TWO}?pin-value=1234", "pin-value"),
    ("pkcs11:slot-id=0", ""), (f"pkcs11:token={TWO}?pin-source=|cat", "pin-source"),
    ("pkcs11:token=a b", ""), ("pkcs11:token=%zz", ""),
])
def test_uris_that_are_refused(ctlsign, cluster, out, lab, uri, says):
    run = ctlsign.refused(2, "build", "-o", out, *lists.records(cluster, "tokens"), "-k", uri,
                          "--module", lab.module, env=lab.env, says=says)
    assert "1234" not in run.err
    assert not out.exists()


@pytest.mark.parametrize("module,status", [
    ("/nonexistent/module.so", {2, 3, 8}), ("relative.so", 2), ("./relative.so", 2), ("/etc/passwd", {2, 8}),
    (library("libcrypto.so.3"), 8)])
def test_modules_that_are_none(ctlsign, cluster, out, lab, module, status):
    ctlsign.refused(status, "build", "-o", out, *lists.records(cluster, "tokens"),
                    "-k", f"pkcs11:token={TWO}", "--module", module,
                    "--pin-source", f"file:{lab.pin_file}", env=lab.env)
    assert not out.exists()


def test_a_module_that_others_can_write(ctlsign, cluster, out, lab, tmp_path):
    mine = tmp_path / "module.so"
    mine.write_bytes(open(lab.module, "rb").read())
    mine.chmod(0o666)
    ctlsign.refused({2, 3, 8}, "build", "-o", out, *lists.records(cluster, "tokens"),
                    "-k", f"pkcs11:token={TWO}", "--module", mine,
                    "--pin-source", f"file:{lab.pin_file}", env=lab.env, says="module.so")
    assert not out.exists()


def test_a_certificate_that_is_not_the_key_s(ctlsign, cluster, out, own_lab):
    lab = own_lab(("odd", cluster / "pub.key", cluster / "capf.pem"))
    ctlsign.refused({3, 4}, "build", "-o", out, *lists.records(cluster, "tokenless"),
                    *lab.key("odd"), env=lab.env)
    assert not out.exists()
    # Named, the right one decides: key and certificate are paired by the public key.
    ctlsign.ok("build", "-o", out, *lists.records(cluster, "tokenless"), *lab.key("odd"),
               "--cert", cluster / "pub.pem", env=lab.env)


def test_a_named_certificate_that_is_not_the_key_s(ctlsign, cluster, out, lab):
    ctlsign.refused({3, 4}, "build", "-o", out, *lists.records(cluster, "tokens"), *lab.key(TWO),
                    "--cert", cluster / f"{ONE}.pem", env=lab.env)
    assert not out.exists()


@pytest.mark.parametrize("kind,says", [("ec", "RSA"), ("rsa3072", "3072")])
def test_tokens_that_cannot_sign_a_list(ctlsign, signer, out, own_lab, kind, says):
    key, cert = signer(kind)
    lab = own_lab(("odd", key, cert))
    ctlsign.refused(3, "build", "-o", out, "--sast", f"{cert},name=n", *lab.key("odd"),
                    env=lab.env, says=says)
    assert not out.exists()


def test_two_certificates_for_one_key(ctlsign, cluster, keys, out, own_lab, tmp_path):
    from conftest import make_certificate, openssl
    other = make_certificate(tmp_path / "other.pem", cluster / "pub.key", [("COMMON_NAME", "other")])
    lab = own_lab(("both", cluster / "pub.key", cluster / "pub.pem"))
    openssl("x509", "-in", other, "-outform", "DER", "-out", tmp_path / "other.der")
    lab.tool("--token-label", "both", "--login", "--pin", lab.pin, "--write-object",
             tmp_path / "other.der", "--type", "cert", "--label", "second", "--id", "01")
    words = ["build", "-o", out, *lists.records(cluster, "tokenless"), *lab.key("both")]
    run = ctlsign.refused(5, *words, env=lab.env)
    assert run.err.count("pkcs11:") >= 2
    assert not out.exists()
    ctlsign.ok(*words, "--cert", cluster / "pub.pem", env=lab.env)


def test_an_ed25519_key_beside_does_no_harm(ctlsign, cluster, out, lab, keys):
    run = subprocess.run(["softhsm2-util", "--import", str(keys["ed25519"]), "--token", TWO,
                          "--label", "ed", "--id", "55", "--pin", lab.pin],
                         env={**os.environ, "SOFTHSM2_CONF": str(lab.env["SOFTHSM2_CONF"])},
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        pytest.skip(f"this SoftHSM takes no Ed25519 key: {run.stderr.strip()}")
    by_file = lists.build(ctlsign, cluster, "tokens", out)
    out.unlink()
    assert lists.build(ctlsign, cluster, "tokens", out, signs=lab.key(TWO), env=lab.env) == by_file


def test_without_a_lab_there_is_nothing_to_match(ctlsign, cluster, out, lab, tmp_path):
    conf = tmp_path / "empty.conf"
    (tmp_path / "no-tokens").mkdir()
    conf.write_text(f"directories.tokendir = {tmp_path}/no-tokens\nobjectstore.backend = file\n")
    ctlsign.refused(4, "build", "-o", out, *lists.records(cluster, "tokens"), *lab.key(TWO),
                    env={"SOFTHSM2_CONF": conf})
    assert not out.exists()
