# SPDX-License-Identifier: Apache-2.0
"""Tokens for tests of the program: a module that fails as told, other people's tools, backends."""
import os
import re
import subprocess
import time

import lists
import pytest
from conftest import BUILD, PROGRAM, ROOT, openssl

ONE, TWO = "SAST-ADN0054f509", "SAST-ADN008580ef"
FAULT = BUILD / "tests" / "pkcs11" / "ctlsign-fault.so"


def library(name):
    """The path of a shared object, or None: scripts/lab looks for it."""
    run = subprocess.run([ROOT / "scripts" / "lab", "--find", name], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, text=True, check=False)
    return run.stdout.strip() or None


def sanitizer():
    """A sanitized fault module wants its runtime in p11-kit's processes too."""
    said = subprocess.run(["ldd", PROGRAM], capture_output=True, text=True, check=False).stdout
    runtimes = re.findall(r"=> (\S*/lib(?:a|ub)san\S*)", said)
    return {"LD_PRELOAD": " ".join(runtimes), "ASAN_OPTIONS": "detect_leaks=0"} if runtimes else {}


class Fault:
    """The fault module over a lab, with a plan and the count of what was called."""

    def __init__(self, lab, folder, *plan, module=None):
        self.lab = lab
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.counter = folder / "calls"
        self.path = folder / "plan"
        self.write(*plan, module=module)
        self.env = {**lab.env, "CTLSIGN_FAULT_PLAN": self.path}

    def write(self, *plan, module=None):
        self.path.write_text("\n".join([f"module {module or self.lab.module}",
                                        f"counter {self.counter}", *plan]) + "\n")

    def calls(self, name):
        """How often a call was made since the start, or since forget()."""
        return self.counter.read_text().split().count(name) if self.counter.exists() else 0

    @property
    def logins(self):
        return self.calls("C_Login")

    def forget(self):
        self.counter.unlink(missing_ok=True)

    def key(self, label=TWO, pin_file=None):
        """The options that sign with this token through the fault module."""
        return ["-k", f"pkcs11:token={label}", "--module", FAULT,
                "--pin-source", f"file:{pin_file or self.lab.pin_file}"]


@pytest.fixture
def fault(lab, tmp_path):
    """fault(line…): the fault module over the lab's tokens."""
    if not FAULT.exists():
        pytest.skip(f"the fault module was not built: {FAULT}")
    return lambda *plan: Fault(lab, tmp_path / "fault", *plan)


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return folder / "CTLFile.tlv"


def build_words(cluster, out, signs):
    return ["build", "-o", out, *lists.records(cluster, "tokens"), *signs, "--timestamp",
            lists.TIME]


def secret(path, text):
    """A PIN file that only its owner can read."""
    path.write_text(text)
    path.chmod(0o600)
    return path


def tool(lab, *words, env=None):
    """A program of somebody else's, on this lab's tokens."""
    run = subprocess.run([str(w) for w in words], stdin=subprocess.DEVNULL, capture_output=True,
                         env={**os.environ, "LC_ALL": "C.UTF-8",
                              "SOFTHSM2_CONF": str(lab.env["SOFTHSM2_CONF"]), **(env or {})},
                         check=False)
    assert run.returncode == 0, f"{words}\n{run.stdout!r}\n{run.stderr!r}"
    return run.stdout.decode()


def add_token(lab, label):
    """An empty token more in this lab."""
    tool(lab, "softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin",
         lab.pin * 2, "--pin", lab.pin)


def add_object(lab, label, path, kind, *, name="object", number="01", usage=()):
    """Writes a PEM certificate or key to a token as DER: kind is cert, privkey or pubkey."""
    der = path.parent / f"{path.name}.{kind}.der"
    openssl(*{"cert": ["x509"], "privkey": ["pkey"], "pubkey": ["pkey", "-pubout"]}[kind],
            "-in", path, "-outform", "DER", "-out", der)
    lab.tool("--token-label", label, "--login", "--pin", lab.pin, "--write-object", der, "--type",
             kind, "--label", name, "--id", number, *usage)


def token_urls(lab, module=None, env=None):
    """What p11tool calls the tokens."""
    return set(tool(lab, "p11tool", "--provider", module or lab.module, "--list-token-urls",
                    env=env).split())


def cert_urls(lab, token, module=None, env=None):
    """What p11tool calls the certificates of a token."""
    said = tool(lab, "p11tool", "--provider", module or lab.module, "--list-all-certs",
                "--only-urls", token, env=env)
    return set(re.findall(r"^pkcs11:\S+", said, re.M))


def start(ctlsign, *args, env=None, **popen):
    """The program, running."""
    return subprocess.Popen([str(PROGRAM), *map(str, args)], env=ctlsign.environment(env),
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, start_new_session=True, **popen)


def wait_for(what, timeout=30):
    """What what() returns, once that is true."""
    end = time.time() + timeout
    while time.time() < end:
        value = what()
        if value:
            return value
        time.sleep(0.02)
    return what()
