# SPDX-License-Identifier: Apache-2.0
"""Tokens that fail, seen from the command line: status, message, no file, and how many logins."""
import contextlib
import os
import pathlib
import re
import resource
import shutil
import signal
import time

import lists
import peerlist
import pytest
from conftest import DATA, SANITIZED, Lab, make_lab
from test_token import at_terminal
from token_helpers import (FAULT, TWO, Fault, build_words, out,  # noqa: F401
                           secret, start, tool, wait_for)


@pytest.fixture(scope="session")
def one_token(tmp_path_factory):
    """A template with one token: slots then come in one order only."""
    folder = tmp_path_factory.mktemp("one-token")
    stem = DATA / "cluster" / TWO
    return make_lab(folder / "template", (TWO, f"{stem}.key", f"{stem}.pem"))


@pytest.fixture
def lab(one_token, tmp_path):
    shutil.copytree(one_token, tmp_path / "lab")
    return Lab(tmp_path / "lab")


@pytest.fixture
def fault(lab, tmp_path):
    if not FAULT.exists():
        pytest.skip(f"the fault module was not built: {FAULT}")
    return lambda *plan: Fault(lab, tmp_path / "fault", *plan)


def nothing_but(out, *names):
    return sorted(p.name for p in out.parent.iterdir()) == sorted(names)


# Fault, status, what is said, logins. PIN stands for the token's PIN.
FAULTS = [
    ("C_Initialize 1 fail 0x30", 8, "C_Initialize: CKR_DEVICE_ERROR", 0),
    ("C_Initialize 1 crash", 8, "crashed in C_Initialize", 0),
    ("C_Initialize 1 exit 0", 8, "in C_Initialize, with exit(0)", 0),
    ("C_Initialize 1 sleep 60", 8, "did not answer within 1 s in C_Initialize", 0),
    ("module /nonexistent.so", 8, "cannot be loaded", 0),
    ("C_GetSlotList 1 fail 0x05", 8, "C_GetSlotList: CKR_GENERAL_ERROR", 0),
    ("C_GetTokenInfo * fail 0x30", 8, "a slot or module did not answer", 0),
    ("C_GetTokenInfo * fail 0xe1", 4, "no token is there", 0),
    ("C_GetTokenInfo * flags -INITIALIZED", 4, "not initialised", 0),
    ("C_OpenSession 1 fail 0x32", 8, "C_OpenSession: CKR_DEVICE_REMOVED", 0),
    ("C_OpenSession 1 fail 0xe0", 8, "C_OpenSession: CKR_TOKEN_NOT_PRESENT", 0),
    ("C_OpenSession 1 sleep 60", 8, "within 1 s in C_OpenSession", 0),
    ("C_FindObjects 1 fail 0x32", 8, "C_FindObjects: CKR_DEVICE_REMOVED", 0),
    ("C_GetAttributeValue * fail 0x32", 8, "C_GetAttributeValue: CKR_DEVICE_REMOVED", 0),
    ("C_GetTokenInfo 3+ serial 777", 8, "another token is in the slot now", 0),
    ("C_GetTokenInfo * flags +LOCKED", 7, "the PIN is locked; a locked Cisco token cannot be enabled again", 0),
    ("C_GetTokenInfo * flags +FINAL_TRY", 7, "one attempt is left", 0),
    ("C_GetTokenInfo * flags +TO_BE_CHANGED", 7, "must be changed", 0),
    ("C_GetTokenInfo * flags +COUNT_LOW", 7, "log in once by hand", 0),
    ("C_GetTokenInfo * flags -PIN_INITIALIZED", 6, "no user PIN", 0),
    ("C_Login 1 fail 0xa0", 6, "OPENSSL_CONF", 1),
    ("C_Login 1 fail 0xa2", 6, "CKR_PIN_LEN_RANGE", 1),
    ("C_Login 1 fail 0xa3", 7, "expired", 1),
    ("C_Login 1 fail 0xa4", 7, "CKR_PIN_LOCKED", 1),
    ("C_Login 1 fail 0x30", 8, "C_Login: CKR_DEVICE_ERROR", 1),
    ("C_Login 1 fail 0x80001234", 8, "0x80001234", 1),
    ("C_Login 1 sleep 60", 8, "within 1 s in C_Login", 1),
    ("C_Login 1 crash", 8, "crashed in C_Login", 1),
    ("C_SignInit 1 fail 0x68", 8, "C_SignInit: CKR_KEY_FUNCTION_NOT_PERMITTED", 1),
    ("C_SignInit 1 fail 0x70", 8, "C_SignInit: CKR_MECHANISM_INVALID", 1),
    ("C_Sign 1 fail 0x32", 8, "C_Sign: CKR_DEVICE_REMOVED", 1),
    ("C_Sign 1 sleep 60", 8, "within 1 s in C_Sign", 1),
    ("C_Sign 1 crash", 8, "crashed in C_Sign", 1),
    ("C_Sign 1 exit 0", 8, "in C_Sign, with exit(0)", 1),
    ("C_Sign 1 exit 1", 8, "in C_Sign, with exit(1)", 1),
    ("C_Sign 1 flip", 8, "does not verify", 1),
    ("C_Sign 1 shorten", 8, "does not verify", 1),
    ("C_Sign 1 lengthen", 8, "129 bytes", 1),
    ("C_Sign 1-2 user-not-logged-in", 8, "CKR_USER_NOT_LOGGED_IN", 2),
    ("always-authenticate 0000", 6, "wrong", 2),
    ("pad 0000", 6, "wrong", 2),
    ("pad PIN\nC_Login 1 fail 0x50", 6, "cancelled", 1),
    ("pad PIN\nC_GetTokenInfo * flags +FINAL_TRY", 7, "one attempt", 0),
]


@pytest.mark.parametrize("plan,status,says,logins", FAULTS, ids=[f[0] for f in FAULTS])
def test_faults(ctlsign, cluster, out, fault, lab, plan, status, says, logins):
    f = fault(plan.replace("PIN", lab.pin) if "pad" in plan else plan)
    limit = ["--timeout", 1] if "sleep" in plan else []
    run = ctlsign.refused(status, *build_words(cluster, out, f.key()), *limit, env=f.env, says=says)
    assert f.logins == logins
    assert lab.pin not in run.err and nothing_but(out)


# Where all goes well in the end: fault, what is warned of, logins.
NO_FAULTS = [
    ("", "", 1),
    ("C_GetSlotList 2 fail 0x150", "", 1),
    ("C_Sign 1 user-not-logged-in", "", 2),
    ("hide-public-exponent", "", 1),
    ("C_GetTokenInfo * sleep 0.3", "", 1),
    ("C_Logout 1 fail 0x32", "", 1),
    ("C_Finalize 1 crash", "crashed in C_Finalize", 1),
    ("C_Finalize 1 exit 3", "in C_Finalize, with exit(3)", 1),
    ("C_Finalize 1 sleep 60", "within 1 s in C_Finalize", 1),
    ("C_CloseSession 1 crash", "crashed in C_CloseSession", 1),
    ("always-authenticate PIN", "", 2),
    ("always-authenticate PIN\nC_Sign 1 user-not-logged-in", "", 3),
    ("pad PIN", "enter the PIN at the pad", 1),
    ("pad PIN\nalways-authenticate PIN", "", 2),
]


@pytest.mark.parametrize("plan,warns,logins", NO_FAULTS, ids=[f[0] or "none" for f in NO_FAULTS])
def test_no_faults(ctlsign, cluster, out, fault, lab, plan, warns, logins):
    by_file = lists.build(ctlsign, cluster, "tokens", out)
    out.unlink()
    f = fault(plan.replace("PIN", lab.pin))
    limit = ["--timeout", 1] if "sleep" in plan else []
    run = ctlsign.ok(*build_words(cluster, out, f.key()), *limit, env=f.env)
    assert warns in run.err and f.logins == logins
    assert out.read_bytes() == by_file and nothing_but(out, out.name)


def test_the_old_list_stays(ctlsign, cluster, out, fault):
    before = lists.build(ctlsign, cluster, "tokens", out)
    for plan, status in (("C_Sign 1 flip", 8), ("C_Sign 1 exit 0", 8), ("C_Login 1 fail 0xa0", 6)):
        f = fault(plan)
        ctlsign.refused(status, *build_words(cluster, out, f.key()), "--yes", env=f.env)
        assert out.read_bytes() == before and nothing_but(out, out.name)


def test_a_short_signature_is_padded(ctlsign, cluster, out, fault):
    """One signature in 256 begins with a zero, which some tokens lose."""
    for when in range(lists.TIME, lists.TIME + 3000):
        words = ["build", "-o", out, *lists.records(cluster, "tokens"), "--timestamp", when]
        ctlsign.ok(*words, *lists.key(cluster, "tokens"))
        by_file = out.read_bytes()
        out.unlink()
        if peerlist.parse(by_file)["header"]["signature"][0] == 0:
            break
    else:
        pytest.fail("no signature with a leading zero")
    f = fault("C_Sign 1 zero-strip")
    ctlsign.ok(*words, *f.key(), env=f.env)
    assert out.read_bytes() == by_file


# A wrong PIN ---------------------------------------------------------------------------------

def test_a_wrong_pin_file_costs_one_attempt_in_all(ctlsign, cluster, out, fault, tmp_path):
    f = fault()
    wrong = secret(tmp_path / "wrong", "no-such-pin")
    words = build_words(cluster, out, f.key(pin_file=wrong))
    run = ctlsign.refused(6, *words, env=f.env, says=["the PIN is wrong", "if it is right",
                                                      "this token's PIN", "module", "OPENSSL_CONF"])
    assert "no-such-pin" not in run.err and f.logins == 1
    for _ in range(15):
        ctlsign.refused(7, *words, env=f.env, says="log in once by hand")
    assert f.logins == 1 and nothing_but(out)
    # Not with the right PIN either, as long as nobody typed one.
    ctlsign.refused(7, *build_words(cluster, out, f.key()), env=f.env)
    assert f.logins == 1
    # Somebody logs in by hand: all is well again.
    f.lab.tool("--token-label", TWO, "--login", "--pin", f.lab.pin, "--list-objects")
    ctlsign.ok(*build_words(cluster, out, f.key()), env=f.env)
    assert f.logins == 2


@pytest.mark.parametrize("source", ["file", "env", "fd"])
def test_one_attempt_for_a_pin_that_nobody_typed(ctlsign, cluster, out, fault, tmp_path, source):
    f = fault()
    wrong = secret(tmp_path / "wrong", "no-such-pin")
    with open(wrong, encoding="ascii") as pin:
        given = {"file": f"file:{wrong}", "env": "env:THE_PIN", "fd": f"fd:{pin.fileno()}"}[source]
        ctlsign.refused(6, *build_words(cluster, out, [*f.key()[:-1], given]),
                        env={**f.env, "THE_PIN": "no-such-pin"}, pass_fds=[pin.fileno()])
    assert f.logins == 1


def test_an_empty_pin_is_not_tried(ctlsign, cluster, out, fault):
    f = fault()
    words = [*build_words(cluster, out, ["-k", f"pkcs11:token={TWO}", "--module", FAULT]), "--yes"]
    status, seen = at_terminal(ctlsign, words, f.env, ["", f.lab.pin])
    assert status == 6 and "empty" in seen and f.logins == 0


@pytest.mark.parametrize("plan,prompts,logins,status", [
    ("", 2, 2, 0), ("C_GetTokenInfo * flags +COUNT_LOW", 2, 2, 0),
    ("C_GetTokenInfo * flags +FINAL_TRY", 0, 0, 7), ("C_GetTokenInfo * flags +LOCKED", 0, 0, 7),
    ("C_GetTokenInfo * flags +TO_BE_CHANGED", 0, 0, 7)])
def test_a_person_at_the_prompt(ctlsign, cluster, out, fault, plan, prompts, logins, status):
    """Wrong, then right; the second prompt says the count, and nobody is asked for nothing."""
    f = fault(plan) if plan else fault()
    words = [*build_words(cluster, out, ["-k", f"pkcs11:token={TWO}", "--module", FAULT]), "--yes"]
    ended, seen = at_terminal(ctlsign, words, f.env, ["no-such-pin", f.lab.pin])
    assert (ended, seen.count("PIN of token"), f.logins) == (status, prompts, logins), seen
    assert f.lab.pin not in seen and "no-such-pin" not in seen
    if prompts == 2:
        assert "few attempts" in seen.split("PIN of token")[2]


def test_flags_are_read_before_each_login(ctlsign, cluster, out, fault):
    f = fault("C_GetTokenInfo 3+ flags +FINAL_TRY")
    ctlsign.refused(7, *build_words(cluster, out, f.key()), env=f.env)
    assert f.logins == 0


def test_no_login_where_the_list_cannot_be_made(ctlsign, cluster, out, fault):
    """What can be wrong without the token is found before the PIN."""
    f = fault()
    words = build_words(cluster, out, f.key())
    for more, status in ((["--filename", "a/b"], 2), (["--tvs", cluster / "pub.pem"], 1),
                         (["--capf", cluster / "none.pem"], 3)):
        ctlsign.refused(status, *words, *more, env=f.env)
    out.parent.joinpath("sub").mkdir()
    ctlsign.refused(9, *build_words(cluster, out.parent / "sub", f.key()), env=f.env)
    assert f.logins == 0


# Tokens that let everybody in ----------------------------------------------------------------

@pytest.fixture
def shown_key(lab, cluster):
    """The token's private key shows without a login."""
    lab.tool("--token-label", TWO, "--login", "--pin", lab.pin, "--delete-object", "--type",
             "privkey", "--id", "01")
    tool(lab, "p11tool", "--provider", lab.module, "--login", "--set-pin", lab.pin, "--write",
         "--no-mark-private", "--load-privkey", cluster / f"{TWO}.key", "--id", "01",
         "--label", "key", f"pkcs11:token={TWO}")


OPEN = "C_GetTokenInfo * flags -LOGIN_REQUIRED"


@pytest.mark.parametrize("plan,logins", [
    ("", 0), ("always-authenticate PIN", 2), ("C_Sign 1 user-not-logged-in", 1)])
@pytest.mark.parametrize("source", ["file", "env", "fd"])
@pytest.mark.usefixtures("shown_key")
def test_a_token_without_a_login_may_have_a_key_that_wants_one(ctlsign, cluster, out, fault, lab, plan,
                                                               logins, source):
    f = fault(OPEN, plan.replace("PIN", lab.pin))
    with open(lab.pin_file, encoding="ascii") as pin:
        given = {"file": f"file:{lab.pin_file}", "env": "env:THE_PIN", "fd": f"fd:{pin.fileno()}"}[source]
        ctlsign.ok(*build_words(cluster, out, [*f.key()[:-1], given]),
                   env={**f.env, "THE_PIN": lab.pin}, pass_fds=[pin.fileno()])
    assert f.logins == logins


@pytest.mark.usefixtures("shown_key")
def test_no_pin_is_not_sent_as_an_empty_one(ctlsign, cluster, out, fault, lab):
    """A token counts that as a wrong PIN."""
    f = fault(OPEN, f"always-authenticate {lab.pin}")
    ctlsign.refused(6, *build_words(cluster, out, f.key()[:4]), env=f.env, says="no terminal to ask for the PIN")
    assert f.logins == 0 and nothing_but(out)


# Modules that misbehave ----------------------------------------------------------------------

def test_stdout_stays_clean(ctlsign, cluster, out, fault):
    f = fault("C_Initialize * print module speaking", "C_GetTokenInfo * print module speaking",
              "C_Sign * print module speaking", "C_Finalize * print module speaking")
    quiet = ctlsign.ok(*build_words(cluster, out, f.key()), env=f.env)
    assert "module speaking" not in quiet.out
    out.unlink()
    f.write()
    assert ctlsign.ok(*build_words(cluster, out, f.key()), env=f.env).out == quiet.out


def test_hang_in_c_sign(ctlsign, cluster, out, fault):
    f = fault("C_Sign 1 sleep 300")
    before = time.monotonic()
    ctlsign.refused(8, *build_words(cluster, out, f.key()), "--timeout", 2, env=f.env,
                    says="within 2 s in C_Sign")
    assert 2 <= time.monotonic() - before < (20 if SANITIZED else 8)
    assert f.logins == 1 and nothing_but(out)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_stays_when_it_is_ended(ctlsign, cluster, out, fault, number):
    f = fault("C_Sign 1 sleep 300")
    with running(ctlsign, cluster, out, f) as (parent, child):
        os.kill(parent, number)
        assert wait_for(lambda: not alive(child))
    assert nothing_but(out)


# Where a PIN could be left -------------------------------------------------------------------

def alive(pid):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False


def children(pid):
    with contextlib.suppress(OSError):
        return [int(p) for p in
                pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


@contextlib.contextmanager
def running(ctlsign, cluster, out, f, *more, call="C_Sign", signs=None, **kw):
    """A build that sleeps in a call: the ids of parent and child."""
    env = {**f.env, **kw.pop("env", {})}
    run = start(ctlsign, *build_words(cluster, out, signs or f.key()), *more, env=env, **kw)
    try:
        assert wait_for(lambda: f.calls(call) or run.poll() is not None) and run.poll() is None, \
            run.communicate()
        child, = children(run.pid)
        yield run.pid, child
    finally:
        with contextlib.suppress(OSError):
            os.killpg(run.pid, signal.SIGKILL)
        run.communicate()


def readable(pid):
    try:
        with open(f"/proc/{pid}/mem", "rb"):
            return
    except PermissionError:
        pytest.skip("the memory of a process that guards it can be read by root only")


def memory_has(pid, needle):
    """The places of a process' memory that hold the bytes. It stands still: to search takes long.

    Whoever waits for it may lose patience, and has to be stopped before.
    """
    found = []
    readable(pid)
    os.kill(pid, signal.SIGSTOP)
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, open(f"/proc/{pid}/mem", "rb") as mem:
        for line in maps:
            area, mode = line.split()[:2]
            begin, end = (int(x, 16) for x in area.split("-"))
            # ASan's shadow is terabytes of nothing; a mapped file holds what the file holds.
            if "r" not in mode or end - begin > 1 << 32 or "[v" in line:
                continue
            tail = b""
            for at in range(begin, end, 1 << 20):
                with contextlib.suppress(OSError, OverflowError, ValueError):
                    mem.seek(at)
                    data = tail + mem.read(min(1 << 20, end - at))
                    if needle in data:
                        found.append(line.strip())
                        break
                    tail = data[-len(needle):]
    return found


@pytest.mark.parametrize("call", ["C_Sign", "C_CloseSession", "C_Finalize"])
@pytest.mark.parametrize("source", ["file", "fd", pytest.param("env", marks=pytest.mark.skipif(
    SANITIZED, reason="the sanitizer's own runtime keeps a copy of the environment"))])
def test_no_pin_in_memory_after_the_login(ctlsign, cluster, out, fault, lab, call, source):
    f = fault(f"{call} 1 sleep 30")
    read, write = os.pipe()
    os.write(write, lab.pin.encode())
    os.close(write)
    given = {"file": f"file:{lab.pin_file}", "env": "env:THE_PIN", "fd": f"fd:{read}"}[source]
    env = {"THE_PIN": lab.pin} if source == "env" else {}
    try:
        with running(ctlsign, cluster, out, f, "--timeout", 30, call=call, env=env,
                     signs=[*f.key()[:-1], given], pass_fds=[read]) as (parent, child):
            for pid in (parent, child):
                assert memory_has(pid, lab.pin.encode()) == [], pid
                assert memory_has(pid, bytes(TWO, "ascii")), "the search finds nothing at all"
    finally:
        os.close(read)


def test_the_search_finds_a_pin_where_it_is_kept(ctlsign, cluster, out, fault, lab):
    """A key that wants it at each signature: in the child, and there only."""
    f = fault(f"always-authenticate {lab.pin}", "C_SignInit 1 sleep 30")
    with running(ctlsign, cluster, out, f, call="C_SignInit") as (parent, child):
        assert memory_has(parent, lab.pin.encode()) == []
        assert memory_has(child, lab.pin.encode()) != []


def test_no_pin_in_arguments_or_environment(ctlsign, cluster, out, fault, lab):
    f = fault("C_Sign 1 sleep 30")
    signs = [*f.key()[:-1], "env:THE_PIN"]
    with running(ctlsign, cluster, out, f, signs=signs, env={"THE_PIN": lab.pin}) as pids:
        for pid in pids:
            readable(pid)
            proc = pathlib.Path(f"/proc/{pid}")
            # The parent overwrites it in place; its token's process never had it.
            assert (b"THE_PIN" in (proc / "environ").read_bytes()) == (pid == pids[0])
            assert lab.pin.encode() not in (proc / "environ").read_bytes()
            assert lab.pin.encode() not in (proc / "cmdline").read_bytes()
            assert re.search(r"Max core file size +0 +0", (proc / "limits").read_text())
            # The descriptor of a PIN file is closed again.
            assert not any(str(lab.pin_file) == os.readlink(fd)
                           for fd in (proc / "fd").iterdir())


def test_what_a_token_s_process_gets_of_the_environment(ctlsign, cluster, out, fault, lab):
    """All but PINs, also those of another token, and what loads code into a program."""
    f = fault("C_Sign 1 sleep 30")
    signs = ["-k", f"pkcs11:token={TWO}?pin-source=env:PIN_A", "--module", FAULT]
    with running(ctlsign, cluster, out, f, "--sast", f"pkcs11:token={TWO}?pin-source=env:PIN_B",
                 signs=signs, env={"PIN_A": lab.pin, "PIN_B": "of another token", "OTHER": "kept",
                                   "LD_BIND_NOW": "1", "GCONV_PATH": "/nowhere"}) as (_, child):
        readable(child)
        names = {entry.partition(b"=")[0] for entry in
                 pathlib.Path(f"/proc/{child}/environ").read_bytes().split(b"\0")}
        assert not {n for n in names if n in (b"PIN_A", b"PIN_B", b"GCONV_PATH") or n.startswith(b"LD_")}
        assert {b"OTHER", b"SOFTHSM2_CONF", b"HOME"} <= names


@pytest.mark.parametrize("call", ["C_Login", "C_Sign"])
def test_no_core(ctlsign, cluster, out, fault, lab, tmp_path, call):
    folder = tmp_path / "cores"
    folder.mkdir()
    f = fault(f"{call} 1 crash")
    limit = (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2
    ctlsign.refused(8, *build_words(cluster, out, f.key()), env=f.env, cwd=folder,
                    preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, limit))
    assert list(folder.iterdir()) == []


def test_no_pin_in_what_is_traced(ctlsign, cluster, out, fault, lab, tmp_path):
    """Of all that is written anywhere, only the line between the two processes has it."""
    f = fault()
    trace = tmp_path / "trace"
    run = ctlsign(*build_words(cluster, out, f.key()), env={**f.env, "ASAN_OPTIONS": "detect_leaks=0"},
                  wrapper=["strace", "-f", "-y", "-s", "4096", "-e", "trace=execve,write,writev,"
                           "pwrite64,sendto,sendmsg,connect,openat", "-o", trace])
    if run.status != 0 and "ptrace" in run.err:
        pytest.skip("no ptrace here")
    assert run.status == 0, str(run)
    lines = [line for line in trace.read_text(errors="replace").splitlines() if lab.pin in line]
    # Another than root does not even see that one: the processes let nobody look into them.
    assert len(lines) == (1 if os.getuid() == 0 else 0), lines
    assert all("sendmsg" in line and "<socket:" in line for line in lines), lines
    assert lab.pin not in run.out + run.err


# Many at once --------------------------------------------------------------------------------

def test_eight_at_once(ctlsign, cluster, out, one_token, tmp_path):
    expected = lists.build(ctlsign, cluster, "tokens", out)
    runs = []
    for i in range(8):
        shutil.copytree(one_token, tmp_path / f"lab{i}")
        mine = Lab(tmp_path / f"lab{i}")
        runs.append(start(ctlsign, *build_words(cluster, tmp_path / f"CTLFile{i}.tlv",
                                                mine.key(TWO)), env=mine.env))
    for i, run in enumerate(runs):
        said = run.communicate(timeout=60)
        assert run.returncode == 0, said
        assert (tmp_path / f"CTLFile{i}.tlv").read_bytes() == expected


@pytest.mark.skipif(SANITIZED, reason="valgrind cannot run a sanitized program")
@pytest.mark.parametrize("plan,status", [("", 0), ("C_Sign 1 flip", 8), ("C_Sign 1 exit 0", 8),
                                         ("C_Login 1 fail 0xa0", 6)])
def test_valgrind_finds_nothing(ctlsign, cluster, out, fault, tmp_path, plan, status):
    f = fault(plan)
    here = pathlib.Path(__file__).resolve().parents[1]
    logs = tmp_path / "logs"
    logs.mkdir()
    run = ctlsign(*build_words(cluster, out, f.key()), "--timeout", 200, env=f.env, timeout=300,
                  wrapper=["valgrind", "-q", "--vgdb=no", "--leak-check=full",
                           "--show-leak-kinds=definite,indirect",
                           "--errors-for-leak-kinds=definite,indirect", "--error-exitcode=97",
                           f"--suppressions={here}/valgrind.supp", f"--log-file={logs}/%p"])
    said = "".join(p.read_text(errors="replace") for p in logs.iterdir())
    assert run.status == status and "==" not in said, f"{run}\n{said}"
