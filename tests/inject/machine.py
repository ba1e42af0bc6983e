# SPDX-License-Identifier: Apache-2.0
"""A machine that fails as told: runs a program with inject.c in front of it."""
import ctypes
import errno
import mmap
import os
import select
import signal
import struct
from dataclasses import dataclass, field

from preload import preloadable  # found through the paths of works.py or conftest.py

CALLS, MEMORY, OWN = 1, 2, 3
FAIL, SHORT, KILL = 1, 2, 3
EVENTS, PROCESSES, MODULES, NAME = 1 << 17, 16, 64, 48

# struct state of inject.c
HEAD = struct.Struct("<8IQ4I16IIIqQ")
NAMES_AT = HEAD.size
EVENT = struct.Struct("<IIqQ")
EVENTS_AT = NAMES_AT + MODULES * NAME
SIZE = EVENTS_AT + EVENTS * EVENT.size

# What a sanitizer's report ends with; strings that one would have said.
REPORT_STATUS = 99
HANGS = "no end"
REPORTS = ("Sanitizer", "runtime error:")
NOW = 1426000099  # every certificate of the sample cluster is valid


def system_calls():
    """Numbers of system calls by name, as the C library's header has them."""
    names = {}
    with open("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", encoding="ascii") as f:
        for line in f:
            words = line.split()
            if len(words) == 3 and words[1].startswith("__NR_"):
                names[int(words[2])] = words[1][len("__NR_"):]
    return names


SYSCALLS = system_calls()
READING = {"read", "pread64", "readv", "recvfrom", "recvmsg", "getdents64", "newfstatat", "fstat",
           "statx", "stat", "lstat", "readlink", "access", "faccessat", "faccessat2", "poll",
           "ppoll", "lseek"}
ROOM = {"mmap", "mlock", "mprotect", "madvise"}
ROOM_AND_LINES = ROOM | {"sendto", "sendmsg", "socketpair", "pipe2", "dup", "dup2", "dup3", "fcntl"}


@dataclass
class Event:
    """A system call or an allocation: which, by the how-manieth process of the program."""
    name: str
    process: int
    arg: int
    where: int

    def is_writing(self):
        """Whether a file, a folder or a descriptor may be changed by it."""
        if self.name in ("open", "openat", "openat2"):
            return bool(self.arg & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
        return self.name not in READING | ROOM_AND_LINES

    def __str__(self):
        return f"{self.name}({self.arg:#x})" + (f" at {self.where:#x}" if self.where else "")


@dataclass
class Result:
    words: list
    status: int
    out: bytes
    err: bytes
    hit: Event | None
    counts: list
    events: list = field(default_factory=list)

    def __str__(self):
        return (f"$ ctlsign {' '.join(map(str, self.words))}\nstatus {self.status}, hit: {self.hit}\n"
                f"--- stdout\n{self.out.decode(errors='replace')}"
                f"--- stderr\n{self.err.decode(errors='replace')}")

    @property
    def errors(self):
        lines = self.err.decode(errors="replace").splitlines()
        return [line for line in lines
                if line.startswith("ctlsign: ") and not line.startswith("ctlsign: warning")]


class Machine:
    """Runs words of the program; folder is its own, for what is said and seen."""

    def __init__(self, program, library, folder, env=None):
        self.program, self.library, self.folder = str(program), preloadable(library), folder
        self.env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(folder), "LC_ALL": "C.UTF-8",
                    "TZ": "UTC", **(env or {})}
        self.env["ASAN_OPTIONS"] = ":".join(filter(None, [
            f"exitcode={REPORT_STATUS}", self.env.get("ASAN_OPTIONS"), "verify_asan_link_order=0",
            "allocator_may_return_null=1"]))
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "state"
        self.fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        os.ftruncate(self.fd, SIZE)
        self.state = mmap.mmap(self.fd, SIZE)
        self.null = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
        self.said = [os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
                     for name in ("stdout", "stderr")]
        self.runs = 0

    def close(self):
        self.state.close()
        for fd in (self.fd, self.null, *self.said):
            os.close(fd)

    def start(self, words, env=None, plain=False):
        for fd in self.said:
            os.ftruncate(fd, 0)
            os.lseek(fd, 0, os.SEEK_SET)
        full = {**self.env, **{k: str(v) for k, v in (env or {}).items()}}
        if not plain:
            full |= {"LD_PRELOAD": self.library, "CTLSIGN_INJECT_STATE": str(self.path)}
        self.runs += 1
        return os.posix_spawn(self.program, [self.program, *map(str, words)], full, file_actions=[
            (os.POSIX_SPAWN_DUP2, self.null, 0), (os.POSIX_SPAWN_DUP2, self.said[0], 1),
            (os.POSIX_SPAWN_DUP2, self.said[1], 2)])

    def ended(self, pid, patience=20):
        """Its status as a shell would have it negative for signals."""
        fd = os.pidfd_open(pid)
        try:
            hangs = not select.select([fd], [], [], patience)[0]
            if hangs:
                os.kill(pid, signal.SIGKILL)
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        finally:
            os.close(fd)
        return HANGS if hangs else status

    def killed(self, pid, moment):
        """Its status, where it is killed after so many seconds."""
        fd = os.pidfd_open(pid)
        try:
            if not select.select([fd], [], [], moment)[0]:
                os.kill(pid, signal.SIGKILL)
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        finally:
            os.close(fd)

    def ask(self, what=CALLS, how=0, error=0, process=0, number=0, for_good=False, log=False,
            sync=False):
        """What the next run has to suffer."""
        self.state[:EVENTS_AT] = HEAD.pack(what, how, error, process, number, for_good, not sync, log,
                                           NOW, *[0] * 20, 0, 0, 0, 0) + bytes(MODULES * NAME)

    def heard(self):
        return [os.pread(fd, os.fstat(fd).st_size, 0) for fd in self.said]

    def run(self, words, what, *, env=None, log=False, **how):
        """One run, with the number-th call or allocation of a process failing (0: none)."""
        self.ask(what, log=log, **how)
        status = self.ended(self.start(words, env))
        head = HEAD.unpack_from(self.state)
        processes, hits, logged, modules = head[9:13]
        names = [self.state[NAMES_AT + i * NAME:NAMES_AT + (i + 1) * NAME].rstrip(b"\0").decode()
                 for i in range(modules)]

        def event(values):
            number, process, arg, where = values
            name = SYSCALLS[number] if what == CALLS else \
                names[number] if number < len(names) else "?"
            return Event(name, process, arg, where)
        hit = event(head[29:33]) if hits else None
        events = [event(EVENT.unpack_from(self.state, EVENTS_AT + i * EVENT.size))
                  for i in range(min(logged, EVENTS) if log else 0)]
        assert logged <= EVENTS, "more events than there is room for"
        out, err = self.heard()
        result = Result(words, status, out, err, hit, list(head[13:29])[:processes], events)
        text = err.decode(errors="replace")
        assert status != REPORT_STATUS and not any(r in text for r in REPORTS), str(result)
        assert status != 125, f"the library could not begin\n{result}"
        return result


def can_inject(library):
    """Why not, or None."""
    if not library.exists():
        return f"{library} was not built: it knows x86_64 only"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(21, 0, 0, 0, 0) < 0 and ctypes.get_errno() == errno.EINVAL:  # PR_GET_SECCOMP
        return "the kernel has no seccomp filters"
    return None
