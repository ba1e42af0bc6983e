# SPDX-License-Identifier: Apache-2.0
"""Verbs that only read give up everything else before they open the first file.

Those that write keep the folder that they write into. What is then impossible: tests/signer/io/test_sandbox.c, test_sandbox_wants.c.
"""
import os
import re
import shutil
import subprocess

import lists
import pytest
from conftest import DATA, SANITIZED, openssl
from test_check import Service
from test_net import start  # noqa: F401  (a fixture)
from test_tvs import PUB, Tvs

NONE = "none: "
HIDDEN = "a hardened process shows what it opens to root only"


@pytest.fixture
def holds(ctlsign):
    """What --version says that holds here."""
    line = ctlsign.ok("--version").out.splitlines()[1]
    assert line.startswith("sandbox: "), line
    return line.removeprefix("sandbox: ")


def test_version_says_what_holds(holds):
    assert re.fullmatch(r"landlock ABI [1-9][0-9]*(, seccomp)?|seccomp|none: .+", holds)
    assert not SANITIZED or holds == NONE + "built without"


@pytest.fixture
def world(ctlsign, cluster, tmp_path):
    for name in ("tokenless", "tokens"):
        lists.build(ctlsign, cluster, name, tmp_path / f"{name}.tlv")
    (tmp_path / "SEP.cnf.xml").write_text("<device/>")
    ctlsign.ok("config", "sign", "SEP.cnf.xml", "-k", "cluster/pub.key", "--cert", "cluster/pub.pem", cwd=tmp_path)
    (tmp_path / "in").mkdir()
    shutil.copy(tmp_path / "tokenless.tlv", tmp_path / "in")
    return tmp_path


OLD, NEW = "tokenless.tlv", "tokens.tlv"
READERS = {
    "show": (0, ["show", OLD]),
    "show-json": (0, ["show", "--json", OLD]),
    "show-nothing": (3, ["show", "missing.tlv"]),
    "verify": (0, ["verify", "--trust", "cluster/pub.pem", OLD]),
    "diff": (1, ["diff", OLD, NEW]),
    "accept": (0, ["accept", "--installed", OLD, "--sast-trust", "cluster", NEW]),
    "accept-folder": (1, ["accept", "--installed-dir", "in", NEW, "--no-tvs"]),
    "identify": (0, ["identify", "70CAF64E090751B9DF22F49F754FC5BB", "in"]),
    "expiry": (1, ["expiry", "--within", "9000d", "in", "cluster"]),
    "plan": (1, ["plan", "--release", "10.5", OLD, NEW]),
    "fetch": (3, ["fetch", "--trust", OLD, "127.0.0.1:1"]),
    "check": (3, ["check", OLD, "--node", "cucm-1051-a-pub=127.0.0.1", "--node", "cucm-1051-a-sub1=127.0.0.1", "--port", "CCM=1",
                  "--port", "TFTP=1", "--port", "CAPF=1"]),
    "tvs": (3, ["tvs", "127.0.0.1:1", OLD]),
    "config-verify": (0, ["config", "verify", "--cert", "cluster/pub.pem", "SEP.cnf.xml.sgn"]),
    "config-verify-list": (0, ["config", "verify", "--trust", OLD, "SEP.cnf.xml.sgn"]),
    "config-verify-many": (3, ["config", "verify", "--cert", "cluster/pub.pem", "SEP.cnf.xml.sgn", "missing", OLD]),
}
# Into a folder that is made, and one that is there.
WRITERS = {
    "extract": (0, ["extract", OLD, "-o", "out"]),
    "extract-there": (0, ["extract", OLD, "-o", "there"]),
    "extract-nothing": (3, ["extract", "missing.tlv", "-o", "out"]),
    "export": (0, ["export", "--from", OLD, "--trust", "cluster/pub.pem", "-o", "out"]),
    "export-there": (0, ["export", "--from", OLD, "--trust", "cluster/pub.pem", "-o", "there"]),
    "fetch-nobody": (3, ["fetch", "--trust", OLD, "127.0.0.1:1", "-o", "out"]),
    "export-unbelieved": (1, ["export", "--from", OLD, "-o", "out"]),
}
KEY = ["-k", "cluster/pub.key", "--cert", "cluster/pub.pem"]
CHANGE = ["--set", "role=CAPF,name=other", "--timestamp", "1426000099"]
RECORD = ["--sast", "cluster/pub.pem,name=a,address=10.0.0.1"]
ONE, TWO = "SAST-ADN0054f509", "SAST-ADN008580ef"
TO_TOKENS = ["migrate", "to-tokens", "-o", "out", "--sast", f"cluster/{ONE}.pem", "--unproven-sast", "--old-key",
             "cluster/pub.key", "--timestamp", "1426000099", OLD]
# The verb, and the folder or file that must be there at its end.
SIGNERS = {
    "update": (["update", OLD, "-o", "new.tlv", *KEY, *CHANGE], "new.tlv"),
    "update-in-place": (["update", OLD, "--in-place", *KEY, *CHANGE], "tokenless.tlv.~1~"),
    "update-elsewhere": (["update", OLD, "-o", "in/tokenless.tlv", *KEY, *CHANGE], "in/tokenless.tlv.~1~"),
    "update-through-a-link": (["update", OLD, "-o", "link", "--follow", *KEY, *CHANGE], "in/tokenless.tlv.~1~"),
    "update-dry": (["update", OLD, "-n", *KEY, *CHANGE], None),
    "update-to-stdout": (["update", OLD, "-o", "/dev/stdout", *KEY, *CHANGE], None),
    "update-to-null": (["update", OLD, "-o", "/dev/null", *KEY, *CHANGE], None),
    "update-secret-key": (["update", OLD, "-o", "new.tlv", "-k", "cluster/secret.key", *KEY[2:], *CHANGE,
                           "--pin-source", "file:cluster/pass"], "new.tlv"),
    "build": (["build", "-o", "new.tlv", *RECORD, *KEY], "new.tlv"),
    "build-over": (["build", "-o", "in/tokenless.tlv", *RECORD, *KEY, "--accept-lockout", "all"], "in/tokenless.tlv.~1~"),
    "migrate": ([*TO_TOKENS, "-k", f"cluster/{TWO}.key", "--cert", f"cluster/{TWO}.pem"], "out/SHA256SUMS"),
}
AT_TOKEN = {
    "update": (["update", NEW, "-o", "new.tlv", "--timestamp", "1426000099"], "new.tlv"),
    "build": (["build", "-o", "new.tlv", *RECORD, "--sast", f"cluster/{TWO}.pem"], "new.tlv"),
    "migrate": (TO_TOKENS, "out/SHA256SUMS"),
}
# One file, in a folder that is there.
REPORT = ["expiry", "--within", "9000d", "in", "-o"]
PLAN = ["plan", "--release", "10.5"]
GENUINE_LOG = ["rebuild", DATA / "logs" / "putty.log", "--certs", DATA / "logs" / "putty.log", "--address",
               "cucm-1051-a-pub=10.48.47.153", "--address", "cucm-1051-a-sub1=10.48.47.154"]
TO_A_FILE = {
    "expiry": (1, [*REPORT, "there/report"]),
    "expiry-here": (1, [*REPORT, "report"]),
    "expiry-through-a-link": (1, [*REPORT, "link", "--follow"]),
    "expiry-to-a-device": (1, [*REPORT, "/dev/null"]),
    "expiry-unread": (3, ["expiry", "missing.tlv", "-o", "there/report"]),
    "plan": (1, [*PLAN, OLD, NEW, "--html", "there/plan.html"]),
    "plan-renew": (0, [*PLAN, "--renew", "capf", OLD, "in/ITLFile.tlv", "--html", "there/plan.html"]),
    "plan-recover": (0, [*PLAN, "--recover", "--installed-dir", "in", OLD, "in/ITLFile.tlv", "--html", "there/plan.html"]),
    "rebuild": (0, [*GENUINE_LOG, "-o", "there/CTLFile.tlv"]),
    "rebuild-over": (0, [*GENUINE_LOG, "-o", "in/tokenless.tlv"]),
}


def calls(ctlsign, world, args, status):
    """The system calls that matter, in order, as [(name, arguments)]."""
    log = world / "calls"
    run = ctlsign(*args, cwd=world, wrapper=[
        "strace", "-qq", "-o", log, "-e", "trace=openat,openat2,prctl,landlock_restrict_self"])
    assert run.status == status, str(run)
    return re.findall(r"^(\w+)\((.*)$", log.read_text(errors="replace"), re.M)


def shown():
    """Ends a test whose work is done, and of which the rest is in strace's log."""
    if os.geteuid() != 0:
        pytest.skip(HIDDEN)


needs_sandbox = pytest.mark.skipif(SANITIZED, reason="built without the sandbox: sanitizers trace and write")


def entered_first(seen, holds):
    """All layers are entered before the first input is opened."""
    entered = [number for number, (call, words) in enumerate(seen)
               if (call == "landlock_restrict_self" or "PR_SET_SECCOMP" in words) and "= 0" in words]
    assert len(entered) == ("landlock" in holds) + ("seccomp" in holds), seen
    inputs = [number for number, (call, words) in enumerate(seen)
              if call == "openat" and re.search(r'"(tokenless|tokens|missing\.tlv|cluster|in|SEP|[^"]*putty)\b(?!.*O_PATH)', words)]
    assert inputs and max(entered) < min(inputs), seen


@needs_sandbox
@pytest.mark.parametrize("name", READERS)
def test_readers_enter_before_they_open_anything(ctlsign, can_trace, holds, world, name):
    status, args = READERS[name]
    seen = calls(ctlsign, world, args, status)
    if holds.startswith(NONE):
        pytest.skip(holds)
    shown()
    entered_first(seen, holds)
    assert not any(re.search("O_WRONLY|O_RDWR|O_CREAT", words) for _, words in seen)


# A list's services are all at one place, which has CAPF's certificate; the TVS has its own.
NODES = ["--node", "cucm-1051-a-pub=127.0.0.1", "--node", "cucm-1051-a-sub1=127.0.0.1"]
ASKERS = {
    "check": lambda start: (1, ["check", *NODES, *ports(start(Service("capf")).port), OLD]),
    "check-nobody": lambda start: (3, ["check", *NODES, *ports(1), OLD]),
    "tvs": lambda start: (0, ["tvs", start(Tvs({PUB.der: [0]})).at, OLD]),
    "accept-tvs": lambda start: (0, ["accept", "--tvs", start(Tvs({PUB.der: [0]})).at, "--installed", "in/ITLFile.tlv", OLD]),
    "tvs-itl": lambda start: (0, ["tvs", "--query", "--installed", "in/ITLFile.tlv", start(Tvs({PUB.der: [0]})).at, OLD]),
}


def ports(port):
    return [word for role in ("CCM", "TFTP", "CAPF") for word in ("--port", f"{role}={port}")]


@needs_sandbox
@pytest.mark.parametrize("name", ASKERS)
def test_askers_enter_before_they_open_anything(ctlsign, can_trace, holds, world, start, name):  # noqa: F811
    """The network's process was started before, and is shut in by itself (test_net.py)."""
    ctlsign.ok("build", "-o", "in/ITLFile.tlv", *RECORD, *KEY, "--tvs", "cluster/sub1.pem,name=a", cwd=world)
    status, args = ASKERS[name](start)
    seen = calls(ctlsign, world, args, status)
    if holds.startswith(NONE):
        pytest.skip(holds)
    shown()
    entered_first(seen, holds)
    assert not any(re.search("O_WRONLY|O_RDWR|O_CREAT", words) for _, words in seen)


@needs_sandbox
@pytest.mark.parametrize("name", WRITERS)
def test_writers_of_a_folder_enter_too(ctlsign, can_trace, holds, world, name):
    """The folder that they made is gone again where nothing came into it."""
    status, args = WRITERS[name]
    (world / "there").mkdir()
    seen = calls(ctlsign, world, args, status)
    assert (world / args[-1]).exists() == (status == 0)
    assert status or list((world / args[-1]).iterdir())
    if holds.startswith(NONE):
        pytest.skip(holds)
    shown()
    entered_first(seen, holds)


@needs_sandbox
@pytest.mark.parametrize("name", TO_A_FILE)
def test_writers_of_a_file_enter_too(ctlsign, can_trace, holds, world, name):
    """What they need to write is allowed, to a pipe and a device as well."""
    status, args = TO_A_FILE[name]
    (world / "there").mkdir()
    (world / "link").symlink_to("there/report")
    (world / "there" / "report").touch()
    ctlsign.ok("build", "-o", "in/ITLFile.tlv", *RECORD, *KEY, "--tvs", "cluster/capf.pem,name=a,address=10.0.0.1",
               "--ccm-tftp", "cluster/pub.pem,name=a,address=10.0.0.1", cwd=world)
    seen = calls(ctlsign, world, args, status)
    output = world / next(args[at + 1] for at, word in enumerate(args) if word in ("-o", "--html"))
    assert not output.is_file() or output.stat().st_size > 0
    if holds.startswith(NONE):
        pytest.skip(holds)
    shown()
    entered_first(seen, holds)


@needs_sandbox
def test_a_report_goes_through_a_named_pipe(ctlsign, world):
    os.mkfifo(world / "pipe")
    with subprocess.Popen(["cat", "pipe"], cwd=world, stdout=subprocess.PIPE, text=True) as reader:
        run = ctlsign(*REPORT, "pipe", cwd=world)
        assert (run.status, run.err) == (1, ""), str(run)
        assert reader.communicate(timeout=60)[0] == ctlsign(*REPORT[:-1], cwd=world).out


@needs_sandbox
def test_a_report_without_its_folder_says_so(ctlsign, world):
    run = ctlsign(*REPORT, "missing/report", cwd=world)
    assert (run.status, run.err) == (9, "ctlsign: missing/report: its folder cannot be opened: No such file or directory\n")


def shut_in(log):
    """The program's calls, and those of its copies. A token's process is another program, and starts early."""
    parts = sorted(log.parent.glob(log.name + ".*"), key=lambda part: int(part.suffix[1:]))
    first, *others = [part.read_text(errors="replace") for part in parts]
    return first, [text for text in others if "execve(" not in text]


def refused(texts):
    """What the kernel refused behind the sandbox: its C library does without clone3."""
    lines = [line for text in texts for line in text.splitlines()]
    return [line for line in lines if re.search(r"= -1 (ENOSYS|EACCES|EPERM)\b", line) and "clone3(" not in line]


def signs(ctlsign, holds, world, args, made, **kw):
    """All that it does behind the sandbox is allowed, and nothing of others' is read before."""
    (world / "cluster" / "pass").write_text("secret\n")
    (world / "cluster" / "pass").chmod(0o600)
    openssl("pkcs8", "-topk8", "-in", world / "cluster" / "pub.key", "-out", world / "cluster" / "secret.key",
            "-passout", "pass:secret")
    (world / "cluster" / "secret.key").chmod(0o600)
    (world / "link").symlink_to("in/tokenless.tlv")
    log = world / "calls"
    run = ctlsign.ok(*args, "--yes", cwd=world, wrapper=["strace", "-ff", "-qq", "-o", log], **kw)
    assert made is None or (world / made).exists(), str(run)
    if holds.startswith(NONE):
        pytest.skip(holds)
    shown()
    text, copies = shut_in(log)
    behind = [text.split("PR_SET_SECCOMP")[-1], *copies]
    assert not refused(behind), "\n".join(refused(behind))
    entered = max(m.start() for m in re.finditer(r"landlock_restrict_self\(.*= 0|PR_SET_SECCOMP.*= 0", text))
    read = re.search(r'open(at)?\([^"]*"(tokenless|tokens|in/)[^"]*", [^)]*O_RDONLY(?!\|O_PATH)(?!.*O_DIRECTORY)', text)
    reads = any(word in args for word in (OLD, NEW, "in/tokenless.tlv"))
    assert bool(read) == reads and (not reads or read.start() > entered), text[read.start():][:200]
    assert len(re.findall(r"landlock_restrict_self\(.*= 0", text)) == ("landlock" in holds)


@needs_sandbox
@pytest.mark.parametrize("name", SIGNERS)
def test_those_that_sign_enter_before_they_read_a_list(ctlsign, can_trace, holds, world, name):
    signs(ctlsign, holds, world, *SIGNERS[name])


@needs_sandbox
@pytest.mark.parametrize("name", AT_TOKEN)
def test_those_that_sign_at_a_token_enter_too(ctlsign, can_trace, holds, world, lab, name):
    args, made = AT_TOKEN[name]
    key = ["-k", f"pkcs11:token={TWO}", "--module", lab.module, "--pin-source", f"file:{lab.pin_file}"]
    signs(ctlsign, holds, world, [*args, *key], made, env=lab.env)


@pytest.mark.parametrize("named", [True, False], ids=["a module is named", "all are searched"])
def test_a_named_module_works_while_the_records_are_read(ctlsign, can_trace, world, lab, named):
    """Among all modules one may hang, and be left out by another process: that one starts before the sandbox."""
    args, made = AT_TOKEN["build"]
    key = ["-k", f"pkcs11:token={TWO}", "--pin-source", f"file:{lab.pin_file}", *(["--module", lab.module] * named)]
    log = world / "calls"
    ctlsign.ok(*args, *key, "--yes", cwd=world, env=lab.env, wrapper=["strace", "-ff", "-qq", "-o", log])
    assert (world / made).exists()
    shown()
    text, _ = shut_in(log)
    record, answer = text.index('"cluster/pub.pem"'), re.search(r"\brecv(from)?\(", text).start()
    assert (record < answer) == named, text


# What an old kernel or a strict container answers, played by strace.
MISSING = {
    "landlock": ["-e", "inject=landlock_create_ruleset:error=ENOSYS"],
    "seccomp": ["-e", "inject=prctl:error=EINVAL:when=3+"],
    "openat2": ["-e", "inject=openat2:error=ENOSYS"],
    "openat2-refused": ["-e", "inject=openat2:error=EPERM"],
}
WORK = [
    (["verify", "--trust", "cluster/pub.pem", OLD], None),
    *((args + ["--yes"], made) for args, made in (SIGNERS[name] for name in ("update-in-place", "build-over", "migrate"))),
    (["export", "--from", OLD, "--trust", "cluster/pub.pem", "-o", "exported"], "exported"),
    (["extract", OLD, "-o", "extracted"], "extracted"),
    (["config", "sign", *KEY, "-o", "there", "SEP.cnf.xml"], "there/SEP.cnf.xml.sgn"),
]


@needs_sandbox
@pytest.mark.parametrize("missing", [["landlock"], ["seccomp"], ["landlock", "seccomp"], ["openat2"],
                                     ["landlock", "seccomp", "openat2"], ["landlock", "seccomp", "openat2-refused"]],
                         ids="+".join)
def test_what_the_kernel_lacks_is_said_and_all_goes_on(ctlsign, can_trace, holds, world, missing):
    if not ("landlock" in holds and "seccomp" in holds):
        pytest.skip(f"one is missing here anyway: {holds}")
    log = world / "log"
    wrapper = ["strace", "-f", "-qq", "-o", log, *(word for name in missing for word in MISSING[name])]
    said = ctlsign.ok("--version", wrapper=wrapper).out.splitlines()[1].removeprefix("sandbox: ")
    left = [part for part in holds.split(", ") if part.split()[0] not in missing]
    assert said == (", ".join(left) or NONE + "kernel or container has neither")
    (world / "there").mkdir()
    injected = 0
    for args, made in WORK:
        ctlsign.ok(*args, cwd=world, wrapper=wrapper)
        assert made is None or (world / made).exists(), args
        injected += log.read_text(errors="replace").count("(INJECTED)")
    assert injected > 0
