# SPDX-License-Identifier: Apache-2.0
"""What every test of the program itself needs: a runner, a cluster, keys, a token."""
import datetime
import fcntl
import functools
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "lib"))
sys.path.insert(0, str(ROOT / "tests" / "cli"))

import peerlist  # noqa: E402  (found through the path above)
import schema  # noqa: E402
import sharding  # noqa: E402

DATA = ROOT / "tests" / "data"
BUILD = pathlib.Path(os.environ.get("CTLSIGN_BUILD", ROOT / "build" / "release"))
PROGRAM = pathlib.Path(os.environ.get("CTLSIGN", BUILD / "ctlsign"))
SANITIZED = os.environ.get("CTLSIGN_SANITIZE", "0") == "1"
# A sanitizer's report ends the program with this; no ctlsign status equals it.
SANITIZER_STATUS = 99
STATUSES = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 70}


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="all cases of tests that take a sample")
    parser.addoption("--seeds", type=int, default=2, metavar="N", help="random walks of each sort through a plan")


# Many cases of one kind, which go down the same lines. Sanitizers see memory: every fifth is enough for them.
ALIKE = {"test_the_plan_is_the_vendors_sequence", "test_printed_lists_without_certificates", "test_case",
         "test_the_query_gives_certificates_and_addresses", "test_every_list_comes_back",
         "test_every_list_that_is_built_comes_back"}


def pytest_collection_modifyitems(items):
    if SANITIZED:
        many = [item for item in items if item.originalname in ALIKE]
        spared = {item for n, item in enumerate(many) if n % 5 != 0}
        items[:] = [item for item in items if item not in spared]
    items[:] = sharding.part_of(items, os.environ.get("TEST_SHARD", "1/1"))


@dataclass(repr=False)
class Run:
    """One run of the program."""
    args: list
    status: int
    out: str
    err: str

    def __str__(self):
        line = " ".join(map(str, self.args))
        line = line if len(line) < 600 else f"{line[:600]} …"
        return (f"$ ctlsign {line}\nstatus {self.status}\n"
                f"--- stdout\n{self.out}--- stderr\n{self.err}")

    @property
    def errors(self):
        """The error sentences: lines of the program that are no warning."""
        return [line for line in self.err.splitlines()
                if line.startswith("ctlsign: ") and not line.startswith("ctlsign: warning")]

    @property
    def last_line(self):
        lines = self.out.splitlines()
        return lines[-1] if lines else ""


@functools.cache
def page_statuses(verb):
    """The exit statuses that the verb's manual page names; all where it has none."""
    page = ROOT / "docs" / "man" / f"ctlsign-{verb}.1.scd"
    if not page.exists():
        return STATUSES
    return {int(word) for line in page.read_text().splitlines() if line.startswith("@STATUS ")
            for word in line.split()[1:]}


def documented(args):
    verb = str(args[0]) if args else ""
    return page_statuses(verb) if re.fullmatch("[a-z]+", verb) else STATUSES


class Runner:
    """Runs the program without terminal, without standard input, in a clean environment."""

    def __init__(self, home):
        self.home = home
        self.home.mkdir(exist_ok=True)
        self.count = 0

    def environment(self, extra=None, reports=None):
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(self.home),
               "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        for name in ("ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS"):
            if name in os.environ:
                env[name] = os.environ[name]
            if reports and name != "LSAN_OPTIONS":
                env[name] = ":".join(filter(None, [env.get(name), f"log_path={reports}"]))
        env.update({k: str(v) for k, v in (extra or {}).items()})
        return env

    def __call__(self, *args, env=None, cwd=None, timeout=120, program=None, wrapper=(), **popen):
        self.count += 1
        reports = self.home / f"report-{self.count}"
        command = [*map(str, wrapper), str(program or PROGRAM), *map(str, args)]
        data = popen.pop("input", None)
        popen.setdefault("stdin", subprocess.DEVNULL if data is None else subprocess.PIPE)
        child = subprocess.Popen(command, env=self.environment(env, reports), cwd=cwd,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 start_new_session=True, **popen)
        try:
            out, err = child.communicate(data, timeout)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            out, err = child.communicate()
            pytest.fail(f"no end after {timeout} s: {command}\n{out!r}\n{err!r}")
        run = Run(list(args), child.returncode, out.decode("utf-8", "surrogateescape"),
                  err.decode("utf-8", "surrogateescape"))
        for report in sorted(self.home.glob(f"report-{self.count}.*")):
            text = report.read_text(errors="replace")
            assert not text.strip(), f"{run}\n{text}"
        assert "Sanitizer" not in run.err and "runtime error:" not in run.err, str(run)
        assert run.status != SANITIZER_STATUS, str(run)
        if not wrapper:
            assert run.status in STATUSES, str(run)
            assert run.status in documented(run.args), f"not in its manual page\n{run}"
        if "--json" in args and not {"--help", "-h"} & set(args) and not wrapper:
            self.as_promised(run)
        if run.status == 0 and args[:1] == ("build",) and "-o" in args:
            self.second_opinion(run, cwd)
        return run

    @staticmethod
    def as_promised(run):
        """Whatever any test has printed as JSON: valid by docs/schema, or nothing."""
        verb = run.args[0]
        if run.out and len(run.out) <= schema.LARGE and verb in schema.FILES:
            complaints = schema.complaints(verb, run.out)
            assert not complaints, f"{complaints}\n$ ctlsign {run.args}\n{run.out[:2000]}"
        # Only these tell what they found when they did not get to the end.
        assert run.out == "" or run.status in (0, 1) or verb in (
            "show", "config", "expiry", "verify", "identify", "tvs"), str(run)

    @staticmethod
    def second_opinion(run, cwd):
        """Every list that any test builds: OpenSSL alone says OK with the signer's key."""
        words = list(map(str, run.args))
        path = pathlib.Path(cwd or ".") / words[words.index("-o") + 1]
        if not path.is_file() or path.is_relative_to("/dev"):
            return  # a pipe: what went through it is gone
        data = path.read_bytes()
        parsed = peerlist.parse(data)
        verdicts = []
        for der in peerlist.signers(parsed):
            with tempfile.NamedTemporaryFile("w", suffix=".pem") as f:
                f.write(peerlist.pem(der))
                f.flush()
                verdicts.append(peerlist.openssl_verify(data, f.name))
        assert True in verdicts, f"OpenSSL does not verify it ({verdicts})\n{run}"

    def ok(self, *args, **kw):
        run = self(*args, **kw)
        assert run.status == 0, str(run)
        return run

    def refused(self, status, *args, says=(), **kw):
        """Fails with the status (or one of a set), nothing on stdout, one clear sentence."""
        run = self(*args, **kw)
        wanted = {status} if isinstance(status, int) else set(status)
        assert run.status in wanted, f"wanted {wanted}\n{run}"
        assert run.out == "", str(run)
        assert len(run.errors) == 1, str(run)
        sentence = run.errors[0]
        assert not sentence.endswith("."), str(run)
        assert "error:0" not in run.err, f"an OpenSSL error code is no sentence\n{run}"
        for fragment in (says,) if isinstance(says, str) else says:
            assert fragment.lower() in run.err.lower(), f"does not say {fragment!r}\n{run}"
        return run


@pytest.fixture
def ctlsign(tmp_path_factory):
    return Runner(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def can_trace():
    """Skips if strace is not here, or cannot let system calls fail."""
    try:
        run = subprocess.run(["strace", "-qq", "-o", "/dev/null", "-e", "inject=openat2:error=ENOSYS", "true"],
                             stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("no strace")
    if run.returncode != 0:
        pytest.skip(f"strace cannot trace here: {run.stderr.strip()[:200]}")


@pytest.fixture
def samples():
    return DATA / "samples"


@pytest.fixture
def cluster(tmp_path):
    """A copy of the sample cluster, key files readable by the owner alone."""
    folder = tmp_path / "cluster"
    shutil.copytree(DATA / "cluster", folder)
    for path in folder.iterdir():
        path.chmod(0o600 if path.suffix == ".key" else 0o644)
    return folder


def openssl(*args, **kw):
    """Runs openssl; returns its output."""
    run = subprocess.run(["openssl", *map(str, args)], stdin=kw.pop("stdin", subprocess.DEVNULL),
                         capture_output=True, check=False, **kw)
    assert run.returncode == 0, run.stderr.decode(errors="replace")
    return run.stdout


class Keys:
    """Private keys by kind, made once per build folder: PEM, PKCS#8, mode 0600."""
    KINDS = {
        "rsa512": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:512"],
        "rsa1024": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
        "rsa1024b": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
        "rsa1000": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1000"],
        "rsa2048": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
        "rsa3072": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"],
        "rsa4096": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:4096"],
        "ec": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
        "ec-b": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
        "ed25519": ["-algorithm", "ED25519"],
    }

    def __init__(self, folder):
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)

    def __getitem__(self, kind):
        path = self.folder / f"{kind}.key"
        with open(self.folder / "lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists():
                fresh = self.folder / f"{kind}.new"
                openssl("genpkey", *self.KINDS[kind], "-out", fresh)
                fresh.chmod(0o600)
                fresh.rename(path)
        return path


@pytest.fixture(scope="session")
def keys():
    return Keys(BUILD / "test-keys")


def make_certificate(path, key, subject, *, issuer=None, issuer_key=None, serial=0x1122334455667788,
                     not_before=None, not_after=None, digest="sha256", ca=None):
    """A certificate as PEM at path. Subject and issuer: [(OID name of x509.NameOID, value)]."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ed25519
    from peerwrite import load_key

    def name(parts):
        return x509.Name([x509.NameAttribute(getattr(x509.NameOID, oid), value)
                          for oid, value in parts])

    private = load_key(key)
    signer = load_key(issuer_key) if issuer_key else private
    builder = (x509.CertificateBuilder().subject_name(name(subject))
               .issuer_name(name(issuer or subject)).public_key(private.public_key())
               .serial_number(serial)
               .not_valid_before(not_before or datetime.datetime(2014, 6, 5, 12))
               .not_valid_after(not_after or datetime.datetime(2034, 6, 4, 12)))
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), True)
    algorithm = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256()}[digest]
    if isinstance(signer, ed25519.Ed25519PrivateKey):
        algorithm = None
    certificate = builder.sign(signer, algorithm)
    path = pathlib.Path(path)
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def signer(keys, tmp_path):
    """signer(kind, cn=…): a key and its own certificate, as (key, certificate)."""
    def make(kind, cn="signer", **kw):
        path = tmp_path / f"{kind}-{cn[:40]}.pem"
        parts = kw.pop("subject", [("COUNTRY_NAME", "PL"), ("ORGANIZATION_NAME", "Cisco"),
                                   ("COMMON_NAME", cn)])
        make_certificate(path, keys[kind], parts, **kw)
        key = tmp_path / f"{kind}-{cn[:40]}.key"
        shutil.copy(keys[kind], key)
        key.chmod(0o600)
        return key, path
    return make


class Lab:
    """A SoftHSM of this test's own, copied from a template: tokens rewrite their files at login."""

    def __init__(self, folder):
        self.folder = folder
        conf = folder / "softhsm2.conf"
        lines = [f"directories.tokendir = {folder / 'tokens'}" if "tokendir" in line else line
                 for line in conf.read_text().splitlines()]
        conf.write_text("\n".join(lines) + "\n")
        self.pin_file = folder / "pin"
        self.pin = self.pin_file.read_text().strip()
        self.env = {"SOFTHSM2_CONF": conf}
        self.module = next(line.split("'")[1] for line in (folder / "env.sh").read_text().splitlines()
                           if "MODULE=" in line)

    def key(self, label, pin_file=None):
        """The options that sign with this token."""
        return ["-k", f"pkcs11:token={label}", "--module", self.module,
                "--pin-source", f"file:{pin_file or self.pin_file}"]

    def tool(self, *args):
        """pkcs11-tool on this lab."""
        run = subprocess.run(["pkcs11-tool", "--module", self.module, *map(str, args)],
                             env={**os.environ, "SOFTHSM2_CONF": str(self.env["SOFTHSM2_CONF"])},
                             stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        return run.stdout


def make_lab(folder, *tokens):
    """scripts/lab with tokens (label, key, certificate); the two SAST tokens without."""
    words = [str(word) for token in tokens for word in token]
    run = subprocess.run([str(ROOT / "scripts" / "lab"), str(folder), *words],
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return folder


@pytest.fixture(scope="session")
def lab_template(tmp_path_factory):
    return make_lab(tmp_path_factory.mktemp("lab") / "template")


@pytest.fixture
def lab(lab_template, tmp_path):
    shutil.copytree(lab_template, tmp_path / "lab")
    return Lab(tmp_path / "lab")


@pytest.fixture
def own_lab(tmp_path):
    """own_lab((label, key, certificate)…): a lab with other tokens."""
    return lambda *tokens: Lab(make_lab(tmp_path / "own-lab", *tokens))
