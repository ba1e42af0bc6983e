# SPDX-License-Identifier: Apache-2.0
"""The machine fails at every call that writes and at every allocation: old or new, whole, nothing else.

A part of what scripts/inject does; every n-th try, so that all of a work's calls have their turn.
"""
import collections
import errno
import pathlib
import re
import subprocess
import sys
import tempfile

import pytest
import tables
from conftest import BUILD, PROGRAM, ROOT, SANITIZED

sys.path.insert(0, str(ROOT / "tests" / "inject"))

import works  # noqa: E402  (found through the path above)
from machine import CALLS, FAIL, MEMORY, OWN, Machine, can_inject  # noqa: E402
from sweep import Sweep, is_other, is_writing  # noqa: E402

LIBRARY = BUILD.absolute() / "tests" / "inject" / "ctlsign-inject.so"
ALONE = [name for name, work in works.WORKS.items() if not work.token]
TOKENS = [name for name, work in works.WORKS.items() if work.token]
# A sanitized program takes ten times as long.
SLOW = 8 if SANITIZED else 1

pytestmark = pytest.mark.skipif(can_inject(LIBRARY) is not None, reason=str(can_inject(LIBRARY)))


@pytest.fixture
def machine(ctlsign, tmp_path):
    m = Machine(PROGRAM.absolute(), LIBRARY, tmp_path / "machine", {
        k: v for k, v in ctlsign.environment().items() if k.endswith("SAN_OPTIONS")})
    yield m
    m.close()


@pytest.fixture
def sweep(machine, lab_template):
    """sweep(name): the work, counted; its faults are the test's."""
    made = []
    with tempfile.TemporaryDirectory(prefix="ctlsign-inject-") as folder:
        def make(name):
            work = works.WORKS[name](pathlib.Path(folder))
            if work.token:
                work.use(lab_template)
            made.append(work)
            return Sweep(machine, work)
        yield make
        for work in made:
            work.close()


def good(sweep, at_least):
    assert not sweep.faults, f"{len(sweep.faults)} faults\n" + "\n".join(sweep.faults[:5])
    assert sum(sweep.points.values()) >= at_least, sweep.points


# That nothing is missed ----------------------------------------------------------------------

# Calls that neither write nor open anything; those that the tables have are injected.
HARMLESS = set("""
    arch_prctl brk clock_gettime clock_nanosleep clone clone3 close_range execve exit exit_group futex
    getdents64 geteuid getgid getegid getuid getpid getppid gettid getrandom getrusage ioctl kill
    madvise mprotect munmap poll ppoll prctl prlimit64 rseq rt_sigaction rt_sigprocmask rt_sigreturn
    sched_getaffinity sched_yield set_robust_list set_tid_address shutdown socket connect
    statfs fstatfs sysinfo tgkill umask uname wait4 nanosleep restart_syscall getcwd mremap
    getsockopt memfd_create pidfd_open readlinkat setpgid vfork seccomp
    landlock_create_ruleset landlock_add_rule landlock_restrict_self
""".split())
EXACT = ("write", "pwrite64", "fsync", "fdatasync", "syncfs", "rename", "renameat", "renameat2", "linkat",
         "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir", "fchmod", "fchown", "ftruncate", "flock")


def traced(machine, sweep, log):
    """What strace sees of the same run: calls by name, and of those that open a file to write it."""
    sweep.work.reset()
    env = {**machine.env, **{k: str(v) for k, v in sweep.work.env.items()}}
    run = subprocess.run(["strace", "-f", "-qq", "-o", log, machine.program,
                          *map(str, sweep.work.words())], env=env, stdin=subprocess.DEVNULL,
                         capture_output=True, text=True, check=False)
    if run.returncode != 0:
        pytest.skip(f"strace cannot trace here: {run.stderr.strip()[-200:]}")
    lines = [line for line in log.read_text().splitlines() if not re.search(r"<\.\.\. \w+ resumed", line)]
    seen = collections.Counter(re.findall(r"^\d+ +(\w+)\(", "\n".join(lines), re.M))
    # /dev/null is opened for the token's process on its way to its exec: nobody's yet.
    opened = sum(bool(re.match(r"\d+ +openat\(.*O_(WRONLY|RDWR|CREAT)", line))
                 for line in lines if '"/dev/null"' not in line)
    return seen, opened


@pytest.mark.skipif(SANITIZED, reason="the sanitizers' runtime makes calls of its own")
@pytest.mark.parametrize("name", ["update", "migrate", "export-prove", "config-sign"])
def test_every_call_is_seen(machine, sweep, tmp_path, name):
    """strace, which can miss none, counts the same; a call that nobody has judged yet fails here."""
    s = sweep(name)
    seen, opened = traced(machine, s, tmp_path / "trace")
    unknown = set(seen) - {row[0] for row in tables.rows("system_calls.def", "CALL")} - HARMLESS
    assert not unknown, f"to be judged: may they write? {unknown}"
    ours = collections.Counter(e.name for e in s.good.events)
    assert {n: ours[n] for n in EXACT} == {n: seen[n] for n in EXACT}
    assert opened == sum(e.name == "openat" and e.is_writing() for e in s.good.events)
    assert ours["fsync"] + ours["syncfs"] > 0


# Calls ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ALONE)
def test_calls_that_write(sweep, name):
    s = sweep(name)
    s.calls(stride=max(1, sum(map(is_writing, s.good.events)) // 8) * SLOW)
    good(s, 4)


@pytest.mark.parametrize("name", TOKENS)
def test_calls_that_write_with_a_token(sweep, name):
    s = sweep(name)
    s.calls(stride=61 * SLOW)
    good(s, 1)


@pytest.mark.parametrize("name", TOKENS)
def test_a_message_between_the_processes_is_not_sent(sweep, name):
    """Nobody waits for the answer to it."""
    s = sweep(name)
    s.calls(wanted=lambda e: e.name in ("sendmsg", "sendto"), stride=1 + SLOW // 4)
    good(s, 3)


@pytest.mark.parametrize("name", ALONE)
def test_other_calls(sweep, name):
    """Inputs that cannot be read, room that is not given: nothing is changed."""
    s = sweep(name)
    s.calls(wanted=is_other, stride=23 * SLOW)
    good(s, 1)


# Memory --------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ALONE + TOKENS[:1])
def test_own_allocations(sweep, name):
    s = sweep(name)
    n = s.plain(OWN).counts[0]
    s.memory(OWN, stride=max(1, n // 30) * SLOW, offset=n % 7)
    s.memory(OWN, stride=max(1, n // 10) * SLOW, offset=n % 5, for_good=True)
    good(s, 4)


@pytest.mark.parametrize("name", ["build-new", "update", "migrate", "export", "config-sign"])
def test_all_allocations(sweep, name):
    s = sweep(name)
    n = s.plain(MEMORY).counts[0]
    s.memory(MEMORY, stride=max(1, n // 20) * SLOW, offset=n % 31)
    good(s, 2)


# What was found, at its very place ----------------------------------------------------------

def test_memory_that_ends_while_a_plan_is_made(sweep):
    """Steps that found no room shared a place, and the reasons of all of them ran over its end."""
    s = sweep("migrate")
    s.memory(OWN, stride=max(1, s.plain(OWN).counts[0] // 60) * SLOW, for_good=True)
    good(s, 7)


@pytest.mark.parametrize("name", ["update", "migrate", "config-sign"])
def test_a_lock_that_fails(sweep, name):
    """It left the temporary file, and where locks fail for good sixty-four of them."""
    s = sweep(name)
    s.calls(wanted=lambda e: e.name == "flock")
    good(s, 5)


@pytest.mark.parametrize("name", ["export-beside", "extract"])
def test_a_later_file_that_fails(sweep, name):
    """The files before it, and the folder, were there."""
    s = sweep(name)
    s.calls(wanted=lambda e: e.name in ("renameat", "renameat2", "mkdir"), stride=1 + SLOW // 4)
    good(s, 6)


@pytest.mark.parametrize("name", ["export", "extract", "plan", "migrate"])
def test_an_output_that_nobody_hears(sweep, name):
    """What is written was in its place when standard output failed."""
    s = sweep(name)
    s.calls(wanted=lambda e: e.name == "write" and e.arg == 1, stride=1 + SLOW // 2)
    good(s, 2)


def last_allocations(sweep, process, number):
    """The last allocations of the program's own, in this process of it."""
    points = [(e, n) for e, n in sweep.numbered(sweep.plain(OWN).events) if e.process == process]
    return points[-number:]


def test_a_signature_without_room(sweep):
    """The token's process fell silent, and the program waited for its time-out."""
    s = sweep("build-token")
    for event, number in last_allocations(s, 1, 3):
        s.strike(OWN, event, number, how=FAIL, error=errno.ENOMEM)
    assert set(s.statuses) <= {8, 70}
    assert not s.faults, s.faults[0]


def function_of(name):
    """Where the program's function begins and ends, counted from the beginning of its file."""
    said = subprocess.run(["nm", "-S", PROGRAM], capture_output=True, text=True, check=True).stdout
    [(at, size)] = re.findall(rf"^(\w+) (\w+) [tT] {name}(?:\.\w+)*$", said, re.M)
    return int(at, 16), int(at, 16) + int(size, 16)


def test_json_without_room(sweep):
    """What jansson gave away of the reserve was freed as if it were malloc's."""
    s = sweep("expiry")
    first, end = function_of("memory_get")
    points = [(e, n) for e, n in s.numbered(s.plain(OWN).events) if first < e.where <= end]
    assert len(points) > 100
    for event, number in points[-16:]:
        s.strike(OWN, event, number, how=FAIL, error=errno.ENOMEM)
    assert set(s.statuses) == {70} and not s.faults, s.faults


def test_a_library_without_room(sweep):
    """The loader's own message would have it that a library is missing."""
    s = sweep("build-new")
    points = [(e, n) for e, n in s.numbered(s.plain(MEMORY).events) if e.name.startswith("ld")]
    for event, number in points:
        s.strike(MEMORY, event, number, how=FAIL, error=errno.ENOMEM)
    assert set(s.statuses) <= {0, 70} and s.statuses[70] > 2, s.statuses
    assert not s.faults, s.faults[0]


def test_a_folder_without_room(sweep):
    """What was made of it stayed: taking it away took memory."""
    s = sweep("migrate")
    for event, number in last_allocations(s, 0, 160)[::20 * SLOW]:
        s.strike(OWN, event, number, how=FAIL, error=errno.ENOMEM, for_good=True)
    assert set(s.statuses) <= {0, 70}
    assert not s.faults, s.faults[0]


# Killed --------------------------------------------------------------------------------------

@pytest.mark.skipif(SANITIZED, reason="a process that is killed has no report; the other build does this")
@pytest.mark.parametrize("name", ["build", "update", "migrate", "export-beside", "config-sign"])
def test_killed(sweep, name):
    """At calls that write, and at random moments; the next run succeeds, and cleans up."""
    s = sweep(name)
    s.kill_points(stride=3)
    s.kills(8)
    good(s, 18)


# That it can fail ----------------------------------------------------------------------------

def test_a_fault_is_seen(sweep):
    """A place that is neither old nor new, a leftover, a false success: the sweep tells them."""
    s = sweep("build")
    work, path = s.work, s.work.place / "CTLFile.tlv"
    work.reset()
    assert work.fault(9) is None and "not done" in work.fault(0)
    path.write_bytes(b"half")
    assert "neither" in work.fault(9) and "neither" in work.fault(None, killed=True)
    work.reset()
    (work.place / ".CTLFile.tlv.ctlsign-00000000").write_bytes(b"")
    assert "left behind" in work.fault(9) and work.fault(None, killed=True) is None
    path.unlink()
    assert "gone" in work.fault(None, killed=True)
    result = s.plain(CALLS)
    assert work.fault(0) is None and "but it is done" in work.fault(9)
    result.hit = result.events[0]
    result.out += b"x"
    assert "printed" in s.fault(CALLS, result)
    result.status = 1
    assert "status 1" in s.fault(CALLS, result)
