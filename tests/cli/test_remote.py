# SPDX-License-Identifier: Apache-2.0
"""A token at the other end: p11-kit's server and client, and the recipe over ssh (docs/remote-token.md)."""
import contextlib
import getpass
import json
import os
import pwd
import re
import shlex
import shutil
import signal
import socket
import subprocess
import time

import lists
import pytest
from conftest import PROGRAM, ROOT
from test_token import at_terminal
from token_helpers import (FAULT, ONE, TWO, build_words, cert_urls, fault,  # noqa: F401
                           library, out, sanitizer, secret, start, token_urls, wait_for)

CLIENT = library("p11-kit-client.so")
needs_server = pytest.mark.skipif(CLIENT is None or shutil.which("p11-kit") is None,
                                  reason="no p11-kit server and client (p11-kit, p11-kit-modules)")
pytestmark = needs_server


class Server:
    """p11-kit's server for one token, at a socket."""

    def __init__(self, env, module, path, *uris):
        self.path = path
        self.said = path.parent / "server.out"
        with open(self.said, "wb") as said:
            self.process = subprocess.Popen(
                ["p11-kit", "server", "--foreground", "--provider", str(module), "--name",
                 str(path), *uris], stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                env={**os.environ, **sanitizer(), **{k: str(v) for k, v in env.items()}},
                start_new_session=True)
        assert wait_for(self.listens), self.said.read_text()
        self.env = {"P11_KIT_SERVER_ADDRESS": f"unix:path={path}"}

    def listens(self):
        """The socket is there before anybody listens at it."""
        with socket.socket(socket.AF_UNIX) as s, contextlib.suppress(OSError):
            s.connect(str(self.path))
            return True
        return False

    def send(self, number):
        """A signal to the server and to what it started for each client."""
        os.killpg(self.process.pid, number)

    def end(self):
        if self.process.poll() is None:
            self.send(signal.SIGCONT)
            self.send(signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def server(lab, tmp_path):
    """server(env, module, uri…): defaults to the lab's SoftHSM and both tokens."""
    servers = []

    def make(env=None, module=None, *uris):
        folder = tmp_path / f"run{len(servers)}"
        folder.mkdir(mode=0o700)
        servers.append(Server(env or lab.env, module or lab.module, folder / "socket",
                              *(uris or [f"pkcs11:token={ONE}", f"pkcs11:token={TWO}"])))
        return servers[-1]
    yield make
    for s in servers:
        s.end()


def key(lab, label=TWO):
    return ["-k", f"pkcs11:token={label}", "--module", CLIENT, "--pin-source",
            f"file:{lab.pin_file}"]


# Server and client ---------------------------------------------------------------------------

def test_the_same_bytes(ctlsign, cluster, out, lab, server):
    by_file = lists.build(ctlsign, cluster, "tokens", out)
    out.unlink()
    s = server()
    ctlsign.ok(*build_words(cluster, out, key(lab)), env=s.env)
    assert out.read_bytes() == by_file


def test_the_same_tokens(ctlsign, lab, server):
    s = server()
    said = ctlsign.ok("tokens", "--json", "--module", CLIENT, env=s.env)
    seen = {t["label"]: t for t in json.loads(said.out)["tokens"]}
    assert set(seen) == {ONE, TWO} and all(t["module"] == CLIENT for t in seen.values())
    assert {t["uri"] for t in seen.values()} == token_urls(lab) == token_urls(lab, CLIENT, s.env)
    for token in seen.values():
        assert {c["uri"] for c in token["certificates"]} == \
            cert_urls(lab, token["uri"], CLIENT, s.env)


def test_only_the_token_that_is_served(ctlsign, lab, server):
    s = server(None, None, f"pkcs11:token={ONE}")
    run = ctlsign.ok("tokens", "--module", CLIENT, env=s.env)
    assert ONE in run.out and TWO not in run.out
    ctlsign.refused(4, "tokens", f"pkcs11:token={TWO}", "--module", CLIENT, env=s.env)


def test_export_with_proof(ctlsign, lab, server, tmp_path):
    s = server()
    ctlsign.ok("export", "-o", tmp_path / "x", "--prove", "--module", CLIENT,
               f"pkcs11:token={ONE}?pin-source=file:{lab.pin_file}",
               f"pkcs11:token={TWO}?pin-source=file:{lab.pin_file}", env=s.env)
    assert len(list((tmp_path / "x").iterdir())) == 5


def test_a_wrong_pin_goes_there_once(ctlsign, cluster, out, fault, server, tmp_path):
    f = fault()
    s = server(f.env, FAULT)
    f.lab.pin_file = secret(tmp_path / "wrong", "no-such-pin")
    ctlsign.refused(6, *build_words(cluster, out, key(f.lab)), env=s.env)
    ctlsign.refused(7, *build_words(cluster, out, key(f.lab)), env=s.env)
    assert f.logins == 1


def test_the_prompt_says_whose_socket_it_is(ctlsign, cluster, out, lab, server):
    s = server()
    words = [*build_words(cluster, out, ["-k", f"pkcs11:token={TWO}", "--module", CLIENT]), "--yes"]
    status, seen = at_terminal(ctlsign, words, s.env, [lab.pin])
    assert status == 0, seen
    assert str(s.path) in seen and pwd.getpwuid(os.getuid()).pw_name in seen


def test_no_server(ctlsign, cluster, out, lab, tmp_path):
    nobody = {"P11_KIT_SERVER_ADDRESS": f"unix:path={tmp_path}/nobody"}
    ctlsign.refused(4, *build_words(cluster, out, key(lab)), env=nobody, says="no token is there")
    assert ctlsign.ok("tokens", "--module", CLIENT, env=nobody).out == ""
    run = ctlsign.refused(8, *build_words(cluster, out, key(lab)), env={"P11_KIT_SERVER_ADDRESS": "nonsense"})
    # p11-kit 0.24's client refuses that address, 0.25's crashes over it.
    assert re.search("cannot be loaded|module crashed in loading the module", run.err), str(run)
    assert not out.exists()


# A server that dies --------------------------------------------------------------------------

@pytest.mark.parametrize("call", ["C_Initialize", "C_GetTokenInfo", "C_OpenSession",
                                  "C_FindObjects", "C_Login", "C_SignInit", "C_Sign"])
def test_the_far_module_crashes(ctlsign, cluster, out, fault, server, call):
    """And the server's process with it: an error, not a signal."""
    f = fault(f"{call} 1 crash")
    s = server(f.env, FAULT, f"pkcs11:token={TWO}")
    run = ctlsign.refused({4, 8} if call in ("C_Initialize", "C_GetTokenInfo") else 8,
                          *build_words(cluster, out, key(f.lab)), env=s.env)
    assert run.status > 0 and not out.exists()
    assert f.logins <= 1 and f.lab.pin not in run.err


@pytest.mark.parametrize("call", ["C_Login", "C_Sign"])
def test_the_server_is_killed(ctlsign, cluster, out, fault, server, call):
    f = fault(f"{call} 1 sleep 60")
    s = server(f.env, FAULT, f"pkcs11:token={TWO}")
    run = start(ctlsign, *build_words(cluster, out, key(f.lab)), env=s.env)
    assert wait_for(lambda: f.calls(call))
    s.send(signal.SIGKILL)
    said = run.communicate(timeout=30)
    assert run.returncode == 8, said
    assert call.encode() in said[1] and not out.exists()


def test_the_server_hangs(ctlsign, cluster, out, fault, server):
    """A laptop that went to sleep."""
    f = fault("C_Sign 1 sleep 1")
    s = server(f.env, FAULT, f"pkcs11:token={TWO}")
    run = start(ctlsign, *build_words(cluster, out, key(f.lab)), "--timeout", 3, env=s.env)
    assert wait_for(lambda: f.calls("C_Sign"))
    s.send(signal.SIGSTOP)
    before = time.monotonic()
    said = run.communicate(timeout=30)
    assert run.returncode == 8, said
    assert b"did not answer within 3 s in C_Sign" in said[1] and not out.exists()
    assert time.monotonic() - before < 15


def test_a_server_that_ends_after_the_signature_costs_nothing(ctlsign, cluster, out, fault, server):
    by_file = lists.build(ctlsign, cluster, "tokens", out)
    out.unlink()
    f = fault("C_Logout 1 crash")
    s = server(f.env, FAULT, f"pkcs11:token={TWO}")
    ctlsign.ok(*build_words(cluster, out, key(f.lab)), env=s.env)
    assert out.read_bytes() == by_file


# Over ssh ------------------------------------------------------------------------------------

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin")


@pytest.fixture
def ssh(tmp_path):
    """ssh(option…, command): to this machine, by a server of the test's own."""
    if SSHD is None or shutil.which("ssh") is None:
        pytest.skip("no ssh and sshd (openssh-client, openssh-server)")
    folder = tmp_path / "ssh"
    folder.mkdir(mode=0o700)
    if os.getuid() == 0:
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name],
                       check=True)
    (folder / "sshd_config").write_text(
        f"HostKey {folder}/host\nAuthorizedKeysFile {folder}/user.pub\nStrictModes no\n"
        "UsePAM no\nPermitRootLogin yes\nPasswordAuthentication no\nPidFile none\n"
        "StreamLocalBindUnlink yes\n")

    def run(*words, timeout=60):
        return subprocess.run(
            ["ssh", "-F", "none", "-i", folder / "user", "-o", "StrictHostKeyChecking=no",
             "-o", f"UserKnownHostsFile={folder}/known", "-o", "GlobalKnownHostsFile=none",
             "-o", "UpdateHostKeys=no", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR",
             "-o", f"ProxyCommand={SSHD} -i -f {folder}/sshd_config",
             "-o", "ExitOnForwardFailure=yes", *map(str, words)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False)
    probe = run(f"{getpass.getuser()}@localhost", "echo", "there")
    if probe.stdout != "there\n":
        pytest.skip(f"ssh to this machine does not work here: {probe.stderr.strip()}")
    return run


def far(ctlsign, socket, *words):
    """What is typed on the server: nothing there knows of the laptop's module or tokens."""
    env = {**ctlsign.environment(), "P11_KIT_SERVER_ADDRESS": f"unix:path={socket}"}
    return shlex.join(["env", "-i", *(f"{k}={v}" for k, v in env.items()), str(PROGRAM),
                       *map(str, words)])


def test_a_token_in_a_laptop_signs_on_a_server(ctlsign, cluster, out, lab, server, ssh, tmp_path):
    by_file = lists.build(ctlsign, cluster, "tokens", out)
    out.unlink()
    s = server(None, None, f"pkcs11:token={TWO}")
    there = tmp_path / "on-the-server"
    words = ["-R", f"{there}:{s.path}", f"{getpass.getuser()}@localhost"]
    run = ssh(*words, far(ctlsign, there, "tokens", "--module", CLIENT))
    assert run.returncode == 0 and f"label: {TWO}" in run.stdout, run
    run = ssh(*words, far(ctlsign, there, *build_words(cluster, out, key(lab))))
    assert run.returncode == 0, run
    assert out.read_bytes() == by_file


def test_the_line_breaks(ctlsign, cluster, out, fault, server, ssh, tmp_path):
    """The laptop's end is gone while the token signs."""
    f = fault("C_Sign 1 crash")
    s = server(f.env, FAULT, f"pkcs11:token={TWO}")
    there = tmp_path / "on-the-server"
    run = ssh("-R", f"{there}:{s.path}", f"{getpass.getuser()}@localhost",
              far(ctlsign, there, *build_words(cluster, out, key(f.lab))))
    assert run.returncode == 8, run
    assert not out.exists()


def test_the_page_says_what_is_tested():
    """The commands of the recipe are those that are run here."""
    page = (ROOT / "docs" / "remote-token.md").read_text()
    for words in ("p11-kit server", "--provider", "ssh -R", "P11_KIT_SERVER_ADDRESS",
                  "p11-kit-client.so", "StreamLocalBindUnlink", "ctlsign tokens", "ctlsign build"):
        assert words in page, words
    for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", page):
        assert option in ("--provider", "--module", "--pin-source", "--timeout", "--name"), option
