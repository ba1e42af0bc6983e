# SPDX-License-Identifier: Apache-2.0
"""Ended at any point: the old list is intact or the new one whole, and the next run cleans up."""
import fcntl
import hashlib
import os
import pty
import random
import select
import shutil
import signal
import subprocess
import termios
import time

import lists
import pytest
import test_keyfile
from conftest import DATA, PROGRAM, openssl
from lists import TIME
from token_helpers import ONE, TWO, fault, start, wait_for  # noqa: F401  (a fixture)

SIGNALS = [signal.SIGKILL, signal.SIGTERM, signal.SIGINT]
# strace traces the process, and so LeakSanitizer cannot.
TRACED = {"ASAN_OPTIONS": "detect_leaks=0:exitcode=99"}
LATER = ["--timestamp", str(TIME + 1)]


def by_file(cluster, name):
    return ["-k", cluster / f"{name}.key", "--cert", cluster / f"{name}.pem"]


class Update:
    """update --in-place, and build over a list: one file, its backups, temporary files."""
    name = "update"

    def __init__(self, cluster, folder):
        self.cluster = cluster
        self.folder = folder / "served"
        self.folder.mkdir()
        self.path = self.folder / "CTLFile.tlv"
        self.before = (DATA / "lists" / "cucm.tlv").read_bytes()
        self.reset()

    def reset(self):
        for path in self.folder.iterdir():
            path.unlink()
        self.path.write_bytes(self.before)

    def words(self, key=None):
        trust = ["--trust", self.cluster / "pub.pem"] if key else []
        return ["update", self.path, "--in-place", *(key or by_file(self.cluster, "pub")), *trust, *LATER]

    def learn(self):
        """After a good run: what the new list is."""
        self.after = self.path.read_bytes()
        assert self.after != self.before
        self.reset()

    def check(self, done):
        """Old or new, whole; beside it only a backup of the old one and temporary files."""
        now = self.path.read_bytes()
        assert now in (self.before, self.after)
        assert not done or now == self.after
        for path in self.folder.iterdir():
            if path.name.endswith("~"):
                assert path.read_bytes() in (self.before, self.after)
            else:
                assert path == self.path or path.name.startswith(".CTLFile.tlv.ctlsign-"), path

    def is_clean(self):
        return all(p == self.path or p.name.endswith("~") for p in self.folder.iterdir())

    def is_untouched(self):
        return [p.name for p in self.folder.iterdir()] == [self.path.name] \
            and self.path.read_bytes() == self.before


class Build(Update):
    name = "build"

    def words(self, key=None):
        return ["build", "-o", self.path, *lists.records(self.cluster, "tokenless"),
                *(key or by_file(self.cluster, "pub")), *LATER]


class Migrate:
    """migrate: a folder that is there as a whole or not at all."""
    name = "migrate"

    def __init__(self, cluster, folder):
        self.cluster = cluster
        self.folder = folder / "work"
        self.folder.mkdir()
        self.path = self.folder / "out"
        self.old = folder / "CTLFile.tlv"
        self.before = (DATA / "lists" / "cucm.tlv").read_bytes()
        self.old.write_bytes(self.before)

    def words(self, key=None):
        return ["migrate", "to-tokens", "-o", self.path, *(key or by_file(self.cluster, TWO)), "--sast",
                self.cluster / f"{ONE}.pem", "--unproven-sast", "--old-key", self.cluster / "pub.key",
                *LATER, self.old]

    def names(self):
        return sorted(str(p.relative_to(self.path)) for p in self.path.rglob("*") if p.is_file())

    def learn(self):
        self.after = self.names()
        assert "2-final/CTLFile.tlv" in self.after
        self.reset()

    def reset(self):
        for path in self.folder.iterdir():
            shutil.rmtree(path)

    def check(self, done):
        assert self.old.read_bytes() == self.before
        assert not done or self.path.exists()
        if self.path.exists():
            assert self.names() == self.after
            for line in (self.path / "SHA256SUMS").read_text().splitlines():
                digest, name = line.split("  ", 1)
                assert hashlib.sha256((self.path / name).read_bytes()).hexdigest() == digest
        for path in self.folder.iterdir():
            assert path == self.path or path.name.startswith(".out.ctlsign-"), path

    def is_clean(self):
        return [p.name for p in self.folder.iterdir()] == ["out"]

    def is_untouched(self):
        return not list(self.folder.iterdir()) and self.old.read_bytes() == self.before


@pytest.fixture(params=[Update, Build, Migrate], ids=lambda c: c.name)
def work(request, ctlsign, cluster, tmp_path):
    w = request.param(cluster, tmp_path)
    ctlsign.ok(*w.words())
    w.learn()
    return w


@pytest.fixture
def locked_key(cluster):
    path = cluster / "locked.key"
    openssl("pkey", "-in", cluster / "pub.key", "-aes256", "-passout", "pass:words", "-out", path)
    path.chmod(0o600)
    return path


def next_run_cleans_up(ctlsign, work):
    """Whatever the runs before left; the folder that migrate makes must be a new one."""
    if work.name == "migrate" and work.path.exists():
        shutil.rmtree(work.path)
    ctlsign.ok(*work.words())
    work.check(True)
    assert work.is_clean(), sorted(work.folder.iterdir())


# At any moment -------------------------------------------------------------------------------

def test_at_random_moments(ctlsign, work):
    rng = random.Random(11)
    words = [str(PROGRAM), *map(str, work.words())]
    env = ctlsign.environment(TRACED)

    def run():
        return subprocess.Popen(words, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)
    started = time.monotonic()
    assert run().wait() == 0
    takes = time.monotonic() - started
    work.reset()
    for turn in range(36):
        child = run()
        time.sleep(rng.random() * takes * 1.1)
        child.send_signal(SIGNALS[turn % 3])
        status = child.wait()
        assert status in (0, -SIGNALS[turn % 3]), status
        work.check(status == 0)
        # Every other time what was left stays, so that runs meet the leftovers of several; but a run
        # that was killed behind its rename has made the folder, and the next one rightly refuses.
        if turn % 2 or status == 0 or (work.name == "migrate" and work.path.exists()):
            next_run_cleans_up(ctlsign, work)
            work.reset()


# At every step that a disk sees --------------------------------------------------------------

STEPS = "mkdirat,openat,flock,write,fchown,fchmod,fsync,linkat,renameat,renameat2,unlinkat"


def traced(ctlsign, work, log, *inject):
    return ctlsign(*work.words(), env=TRACED,
                   wrapper=["strace", "-qq", "-o", log, "-e", f"trace={STEPS}", *inject])


def steps_of_interest(log):
    """The calls from where the output begins on, as (name, its n-th use).

    That is where a folder is made, or a file that is locked right after: a
    trace that is not root's shows no names.
    """
    calls = [line.split("(", 1)[0] for line in log.read_text().splitlines() if "(" in line]
    first = min(i - (call == "flock") for i, call in enumerate(calls) if call in ("mkdirat", "flock"))
    return [(call, calls[:i + 1].count(call)) for i, call in enumerate(calls) if i >= first]


def test_at_every_step(ctlsign, work, can_trace, tmp_path):
    """The signal comes as the call begins: the call itself is made or not, what is there is whole."""
    log = tmp_path / "trace"
    assert traced(ctlsign, work, log).status == 0
    steps = steps_of_interest(log)
    assert len(steps) > 5
    work.reset()
    left = 0
    for number, (call, use) in enumerate(steps):
        how = SIGNALS[number % 3]
        run = traced(ctlsign, work, log, "-e", f"inject={call}:signal={how.name}:when={use}")
        assert run.status == -how, f"step {number}, {call} {use}\n{run}"
        work.check(run.status == 0)
        left += any(".ctlsign-" in p.name for p in work.folder.iterdir())
        if number % 4 == 0:
            next_run_cleans_up(ctlsign, work)
            work.reset()
        elif work.name == "migrate" and work.path.exists():
            shutil.rmtree(work.path)
        elif work.name != "migrate" and work.path.read_bytes() == work.after:
            work.path.write_bytes(work.before)  # equal bytes are no work
    assert left > 2, "it was never ended with a temporary file there"
    next_run_cleans_up(ctlsign, work)


def folders_of_files(ctlsign, cluster, tmp_path):
    """(words, the folder, what is there before): runs that put several names in their places."""
    old = tmp_path / "CTLFile.tlv"
    old.write_bytes((DATA / "lists" / "cucm.tlv").read_bytes())
    trust = ["--trust", cluster / "pub.pem"]
    yield ["extract", old, *trust, "-o", tmp_path / "new"], tmp_path / "new", None
    pem = tmp_path / "pem"
    words = ["export", "--from", old, *trust, "-o", pem]
    ctlsign.ok(*words, "--format", "pem")
    yield [*words, "--overwrite"], pem, pem
    work = Migrate(cluster, tmp_path)
    ctlsign.ok(*work.words())
    yield [*work.words()[:-1], "--overwrite", work.old], work.path, work.path


def content_of(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()} if folder.exists() else {}


def test_between_two_names(ctlsign, cluster, can_trace, tmp_path):
    """A signal comes with each rename: the folder is the old one or the new one, as a whole."""
    for words, folder, there in folders_of_files(ctlsign, cluster, tmp_path):
        before = tmp_path / f"{folder.name}-before"
        if there:
            shutil.copytree(there, before)
        ctlsign.ok(*words)
        after, log = content_of(folder), tmp_path / "trace"
        for number in range(1, 100):
            call = "renameat,renameat2"
            shutil.rmtree(folder)
            if there:
                shutil.copytree(before, folder)
            run = ctlsign(*words, env=TRACED, wrapper=[
                "strace", "-qq", "-o", log, "-e", f"trace={call}", "-e", f"inject={call}:signal=SIGTERM:when={number}"])
            if run.status == 0:
                break
            assert run.status == -signal.SIGTERM, f"{words[0]} {number}\n{run}"
            found = {k: v for k, v in content_of(folder).items() if ".ctlsign-" not in k.name}
            assert found.keys() == after.keys(), f"{words[0]} {number}: {sorted(found)}"
            if words[0] != "migrate":
                assert found == after, f"{words[0]} {number}"
        assert number > 1


# While a token works -------------------------------------------------------------------------

def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            return [int(p) for p in f.read().split()]
    except OSError:
        return []


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("kind,call,count", [(Update, "C_Login", 1), (Update, "C_Sign", 1),
                                             (Migrate, "C_Login", 1), (Migrate, "C_Sign", 2)])
def test_while_a_token_works(ctlsign, cluster, fault, tmp_path, kind, call, count, number):
    work, f = kind(cluster, tmp_path), fault(f"{call} {count} sleep 300")
    words = work.words(f.key(TWO))
    run = start(ctlsign, *words, "--accept-lockout", "all", env=f.env)
    try:
        assert wait_for(lambda: f.calls(call) >= count or run.poll() is not None)
        assert run.poll() is None, run.communicate()
        child, = children(run.pid)
        run.send_signal(number)
        said = run.communicate(timeout=30)
        assert run.returncode == -number, said
        assert wait_for(lambda: not is_alive(child)), "the token's process lives on"
    finally:
        if run.poll() is None:
            run.kill()
            run.communicate()
    assert work.is_untouched()


# At a prompt ---------------------------------------------------------------------------------

class Terminal:
    """The program on a terminal of its own, with the test as its shell."""

    def __init__(self, ctlsign, words, env=None):
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.seen = b""
        self.child = subprocess.Popen([str(PROGRAM), *map(str, words)], env=ctlsign.environment(env),
                                      stdin=self.slave, stdout=self.slave, stderr=self.slave,
                                      start_new_session=True, preexec_fn=self.take)

    def take(self):
        fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)

    def more(self):
        """All that was seen so far."""
        if select.select([self.master], [], [], 0.05)[0]:
            self.seen += os.read(self.master, 4096)
        return self.seen

    def until(self, text):
        assert wait_for(lambda: text in self.more()), self.seen

    def echoes(self):
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def ended(self):
        """Its status; what it wrote is read meanwhile, so that it never waits for us."""
        end = time.time() + 30
        while self.child.poll() is None and time.time() < end:
            self.more()
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
            pytest.fail(f"it lives on: {self.seen}")
        return self.child.returncode

    def close(self):
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def terminal(ctlsign):
    made = []

    def make(words, env=None):
        made.append(Terminal(ctlsign, words, env))
        return made[-1]
    yield make
    for t in made:
        t.close()


ENDS = {"SIGINT": signal.SIGINT, "SIGTERM": signal.SIGTERM, "SIGHUP": signal.SIGHUP, "ctrl-c": b"\x03",
        "ctrl-backslash": b"\x1c", "SIGABRT": signal.SIGABRT, "SIGPWR": signal.SIGPWR}
# All that end a program if nobody catches or ignores them; the kernel's numbers between 32 and 34
# are libc's.
OTHERS = [s for s in range(1, signal.SIGRTMAX + 1) if s not in (
    signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH,
    signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGPIPE, signal.SIGXFSZ, 32, 33)]


def end_it(t, how):
    """Sends a signal or types a key; the status that this must lead to."""
    if isinstance(how, bytes):
        os.write(t.master, how)
        return -(signal.SIGINT if how == b"\x03" else signal.SIGQUIT)
    t.child.send_signal(how)
    return -how


@pytest.mark.parametrize("how", ENDS.values(), ids=ENDS.keys())
@pytest.mark.parametrize("kind", [Update, Migrate], ids=lambda c: c.name)
def test_at_the_passphrase(cluster, locked_key, terminal, tmp_path, kind, how):
    """update's own key, and migrate's old one: the terminal echoes again, and nothing has changed."""
    work = kind(cluster, tmp_path)
    words = work.words(["-k", locked_key, "--cert", cluster / "pub.pem"] if kind is Update else None)
    words = [locked_key if w == cluster / "pub.key" else w for w in words] + ["--yes"]
    t = terminal(words)
    t.until(b"Passphrase")
    assert wait_for(lambda: not t.echoes())
    os.write(t.master, b"half a passph")
    wanted = end_it(t, how)
    assert t.ended() == wanted, t.seen
    assert t.echoes() and termios.tcgetattr(t.slave) == t.before
    assert b"half a passph" not in t.seen
    assert work.is_untouched()


@pytest.mark.parametrize("number", OTHERS)
def test_the_echo_comes_back_after_every_signal(cluster, locked_key, terminal, tmp_path, number):
    work = Update(cluster, tmp_path)
    t = terminal([*work.words(["-k", locked_key, "--cert", cluster / "pub.pem"]), "--yes"])
    t.until(b"Passphrase")
    assert wait_for(lambda: not t.echoes())
    t.child.send_signal(number)
    assert t.ended() != 0, t.seen
    assert t.echoes() and termios.tcgetattr(t.slave) == t.before
    assert work.is_untouched()


@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM", "ctrl-c", "SIGABRT", "SIGPWR"])
@pytest.mark.parametrize("kind", [Update, Migrate], ids=lambda c: c.name)
def test_at_the_pin(cluster, fault, terminal, tmp_path, kind, how):
    work, f = kind(cluster, tmp_path), fault()
    t = terminal([*work.words(f.key(TWO)[:-2]), "--yes", "--accept-lockout", "all"], f.env)
    t.until(b"PIN")
    assert wait_for(lambda: not t.echoes())
    child = children(t.child.pid)
    os.write(t.master, b"1234")
    wanted = end_it(t, ENDS[how])
    assert t.ended() == wanted, t.seen
    assert t.echoes() and termios.tcgetattr(t.slave) == t.before
    assert f.logins == 0 and work.is_untouched()
    assert wait_for(lambda: not any(is_alive(c) for c in child))


@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM", "ctrl-c"])
def test_at_the_question(work, terminal, how):
    t = terminal(work.words())
    t.until(b"[y/N]")
    wanted = end_it(t, ENDS[how])
    assert t.ended() == wanted, t.seen
    assert t.echoes() and work.is_untouched()


def test_a_stop_at_the_passphrase(cluster, locked_key, terminal, tmp_path):
    """Half a passphrase is forgotten, the question comes again, and the run goes on."""
    work = Update(cluster, tmp_path)
    t = terminal([*work.words(["-k", locked_key, "--cert", cluster / "pub.pem"]), "--yes"])
    t.until(b"Passphrase")
    assert wait_for(lambda: not t.echoes())
    os.write(t.master, b"half a ")
    # Without a shell that could continue it the system lets nothing stop here.
    t.child.send_signal(signal.SIGTSTP)
    assert wait_for(lambda: t.more().count(b"Passphrase") == 2)
    assert wait_for(lambda: not t.echoes())
    os.write(t.master, b"words\n")
    assert t.ended() == 0, t.seen
    assert t.echoes() and work.path.read_bytes() != work.before


def test_the_time_at_the_passphrase_does_not_count(cluster, locked_key, terminal, tmp_path):
    work = Update(cluster, tmp_path)
    t = terminal([*work.words(["-k", locked_key, "--cert", cluster / "pub.pem"]), "--yes",
                  "--timeout", "1"])
    t.until(b"Passphrase")
    time.sleep(1.5)
    os.write(t.master, b"words\n")
    assert t.ended() == 0, t.seen


def test_the_prompt_shows_a_files_name_escaped(cluster, locked_key, terminal, tmp_path):
    """A terminal obeys what a name may hold."""
    work, key = Update(cluster, tmp_path), tmp_path / "k\033[2Jey\n.pem"
    shutil.copy(locked_key, key)
    key.chmod(0o600)
    t = terminal([*work.words(["-k", key, "--cert", cluster / "pub.pem"]), "--yes"])
    t.until(b"Passphrase of ")
    t.until(b"[2Jey")
    t.until(b".pem: ")
    assert b"\033" not in t.seen and rb"k\x1b[2Jey\x0a.pem: " in t.seen, t.seen


def test_what_decrypts_a_key_file_ends_with_the_program(ctlsign, tmp_path):
    """A file that wants hours of scrypt is decrypted by a process of its own, which does not outlive us."""
    key = tmp_path / "key.der"
    key.write_bytes(test_keyfile.HOSTILE["scrypt.der"])
    secret = tmp_path / "secret"
    secret.write_text("word")
    for path in (key, secret):
        path.chmod(0o600)
    run = start(ctlsign, "build", "-o", tmp_path / "CTLFile.tlv",
                *lists.by(key, DATA / "cluster" / "pub.pem"), "--pin-source", f"file:{secret}")
    try:
        assert wait_for(lambda: children(run.pid) or run.poll() is not None), run.communicate()
        time.sleep(1)  # the first one only asked whether a passphrase is wanted
        child, = children(run.pid)
        run.kill()
        assert wait_for(lambda: not is_alive(child))
    finally:
        run.kill()
        run.communicate()


# Who else is at work -------------------------------------------------------------------------

def temporary(work, number="00000000"):
    return work.folder / f".{work.path.name}.ctlsign-{number}"


def leave(path, work):
    """What a run that was killed leaves: a file, or a folder two levels deep."""
    if work.name == "migrate":
        (path / "way-back").mkdir(parents=True)
        (path / "way-back" / "CTLFile.tlv").write_bytes(b"half")
        (path / "SHA256SUMS").write_bytes(b"")
        path.chmod(0o1700)  # the mark of an unfinished folder
    else:
        path.write_bytes(b"half")


def test_what_nobody_holds_is_taken_away(ctlsign, work):
    for number in ("00000000", "ffff0001", "12345678"):
        leave(temporary(work, number), work)
    next_run_cleans_up(ctlsign, work)


def test_what_somebody_holds_stays(ctlsign, work):
    """A lock says that its run lives."""
    held, free = temporary(work), temporary(work, "00000001")
    for path in (held, free):
        leave(path, work)
    fd = os.open(held, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        ctlsign.ok(*work.words())
        assert held.exists() and not free.exists()
        if work.name == "migrate":
            assert (held / "way-back" / "CTLFile.tlv").read_bytes() == b"half"
            shutil.rmtree(work.path)
    finally:
        os.close(fd)
    next_run_cleans_up(ctlsign, work)


def test_other_names_stay(ctlsign, work, tmp_path):
    """Names that are not ours to give, and links that look like ours."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("mine")
    names = [".other.tlv.ctlsign-00000000", f".{work.path.name}.ctlsign-0000000",
             f".{work.path.name}.ctlsign-000000000", f"{work.path.name}.ctlsign-00000000",
             f".{work.path.name}.ctlsign"]
    for name in names:
        leave(work.folder / name, work)
    temporary(work, "0000000f").symlink_to(elsewhere if work.name == "migrate" else elsewhere / "file")
    ctlsign.ok(*work.words())
    assert all((work.folder / name).exists() for name in names)
    assert (elsewhere / "file").read_text() == "mine"


def test_a_living_run_keeps_its_own(ctlsign, work, can_trace, tmp_path):
    """One run is slow at the disk, another one overtakes it: the slow one notices, and cleans up itself."""
    if work.name == "build":
        pytest.skip("as update, but for the option that watches the file")
    # The first is where a temporary file is brought to the disk.
    slow = subprocess.Popen(["strace", "-qq", "-o", tmp_path / "trace", "-e", "trace=fsync", "-e",
                             "inject=fsync:delay_enter=1500000:when=1", str(PROGRAM),
                             *map(str, work.words())], env=ctlsign.environment(TRACED),
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        own = wait_for(lambda: list(work.folder.glob(".*.ctlsign-*")))
        assert own, slow.communicate()
        ctlsign.ok(*work.words())
        assert slow.poll() is None and own[0].exists()
        quick = work.path.stat().st_ino
    finally:
        _, err = slow.communicate(timeout=30)
    assert slow.returncode == 9, err
    assert work.path.stat().st_ino == quick
    work.check(True)
    assert work.is_clean()
