# SPDX-License-Identifier: Apache-2.0
"""Every failure in turn: what a work does is counted first, then each call or allocation of it fails.

As a program (scripts/inject): sweep.py BUILD [--minutes N] [--kills N] [--what KIND]... [WORK]...
"""
import argparse
import collections
import errno
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

import works
from machine import CALLS, FAIL, HANGS, KILL, MEMORY, OWN, READING, SHORT, Machine, can_inject

WRITE_ERRORS = (errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EINTR)
READ_ERRORS = (errno.EIO, errno.EINTR)
ROOM_ERRORS = (errno.ENOMEM,)
MOVES_BYTES = ("write", "pwrite64", "read", "pread64")
KILLED = -9


def is_writing(event):
    return event.is_writing()


def is_other(event):
    return not event.is_writing()


def said_as_memory(result):
    """A bug is to be reported. Memory that ran out is not."""
    said = result.err.decode(errors="replace")
    return "out of memory" in said and "raise the limit of memory" in said and "report it" not in said


class Sweep:
    """One work on one machine. Its faults are told, not raised: a sweep goes on."""

    def __init__(self, machine, work):
        self.machine, self.work = machine, work
        self.faults = []
        self.points = collections.Counter()
        self.statuses = collections.Counter()
        work.ready(machine)
        self.good = self.plain(CALLS)
        work.learn()

    def plain(self, what):
        """A run without failure, and all that it does."""
        self.work.reset()
        result = self.machine.run(self.work.words(), what, log=True, env=self.work.env)
        assert result.status == 0, str(result)
        return result

    @staticmethod
    def numbered(events):
        """(event, number) for each, counted by process."""
        seen = collections.Counter()
        for event in events:
            seen[event.process] += 1
            yield event, seen[event.process]

    def strike(self, what, event, number, **how):
        """One run in which this one fails."""
        self.work.reset()
        result = self.machine.run(self.work.words(), what, process=event.process, number=number,
                                  env=self.work.env, **how)
        self.statuses[result.status] += 1
        self.note(self.fault(what, result), f"{how}, {number} of process {event.process}, {event}", result)

    def note(self, fault, where, result):
        if fault:
            self.faults.append(f"{self.work.name}: {where}: {fault}\n{result}")

    def fault(self, what, result):
        """What is wrong after this run, or None."""
        if result.hit is None and result.status != 0:
            return "failed though nothing was struck"
        allowed = self.allowed(what, result.hit)
        if result.status not in allowed:
            return f"status {result.status}, not one of {sorted(allowed)}"
        if result.status == 0 and result.out != self.good.out:
            return "status 0, but something else was printed"
        mute = result.hit and result.hit.name == "write" and result.hit.arg == 2
        answered = result.status == 1 and result.out
        if result.status != 0 and not mute and not answered and not result.errors:
            return "no reason is told"
        if what != CALLS and result.status == 70 and not mute and not said_as_memory(result):
            return "memory that ran out is not told as such"
        return self.work.fault(result.status)

    def allowed(self, what, hit):
        """The statuses that this failure may lead to."""
        if hit is None:
            return {0}
        statuses = {0, 70} | ({8} if hit.process else set())
        if what == CALLS:
            statuses |= {9}
            if not hit.is_writing():
                statuses |= {3}  # an input that cannot be read
            if self.work.token:
                statuses |= {8}
        if self.work.each:
            statuses |= {3}  # a file of the batch failed
        if self.work.asks and (what == CALLS or hit.process):
            statuses |= {1, 3}  # a node, or all of them, gave no answer
        return statuses

    def tries(self, wanted):
        """Each call with each error, and cut short where it moves bytes."""
        for event, number in self.numbered(self.good.events):
            if not wanted(event):
                continue
            errors = WRITE_ERRORS if event.is_writing() else \
                READ_ERRORS if event.name in READING else ROOM_ERRORS
            for error in errors:
                yield event, number, {"how": FAIL, "error": error}
            if event.is_writing():
                yield event, number, {"how": FAIL, "error": errno.ENOSPC, "for_good": True}
            if event.name in MOVES_BYTES:
                yield event, number, {"how": SHORT}

    def calls(self, wanted=is_writing, stride=1, offset=0, until=None):
        for event, number, how in list(self.tries(wanted))[offset % stride::stride]:
            if until and time.monotonic() > until:
                return False
            self.strike(CALLS, event, number, **how)
            name = errno.errorcode.get(how.get("error"), "short")
            self.points[name + (" for good" if how.get("for_good") else "")] += 1
        return True

    def memory(self, what, stride=1, offset=0, until=None, for_good=False):
        """Each allocation fails, alone or with all that follow. Whether it came to the end in time."""
        for event, number in list(self.numbered(self.plain(what).events))[offset % stride::stride]:
            if until and time.monotonic() > until:
                return False
            self.strike(what, event, number, how=FAIL, error=errno.ENOMEM, for_good=for_good)
            self.points[("own memory" if what == OWN else "memory") + (" for good" if for_good else "")] += 1
        return True

    # Killed -----------------------------------------------------------------------------------

    def after_kill(self, where, status):
        """Old or new; and the next run succeeds, and takes away what was left."""
        self.statuses[status] += 1
        result = f"killed at {where}, status {status}"
        self.note(self.work.fault(status if status == 0 else None, killed=True), result, "")
        if self.work.is_done():
            self.work.restore()
        if self.work.lab:
            self.work.renew_lab()
        again = self.machine.run(self.work.words(), CALLS, env=self.work.env)
        if again.status != 0:
            self.note(f"the next run has status {again.status}", result, again)
        else:
            self.note(self.work.fault(0), f"{result}, and after the next run", again)

    def kill_points(self, stride=1, offset=0, until=None):
        """kill -9 just before each call that writes."""
        points = [(e, n) for e, n in self.numbered(self.good.events) if e.is_writing() and not e.process]
        for event, number in points[offset % stride::stride]:
            if until and time.monotonic() > until:
                return False
            self.work.reset()
            result = self.machine.run(self.work.words(), CALLS, how=KILL, number=number,
                                      env=self.work.env)
            self.after_kill(f"{number}, {event}", result.status)
            self.points["kill -9 at a call"] += 1
        return True

    def kills(self, number, until=None, seed=1):
        """kill -9 at random moments."""
        rng = random.Random(seed)
        started = time.monotonic()
        self.plain(CALLS)
        takes = time.monotonic() - started
        for _ in range(number):
            if until and time.monotonic() > until:
                return False
            self.work.reset()
            self.machine.ask()
            child = self.machine.start(self.work.words(), self.work.env)
            moment = rng.random() * takes * 1.1
            status = self.machine.killed(child, moment)
            if status not in (0, KILLED):
                self.note(f"status {status}", f"killed after {moment:.4f} s", "")
            self.after_kill(f"{moment:.4f} s", status)
            self.points["kill -9"] += 1
        return True


# As a program ----------------------------------------------------------------------------------

KINDS = ("calls", "others", "own", "memory", "own-for-good", "memory-for-good", "kill-points", "kills")


def run(sweep, kind, number, until, stride):
    if kind in ("calls", "others"):
        return sweep.calls(is_writing if kind == "calls" else is_other, stride, until=until)
    if kind == "kill-points":
        return sweep.kill_points(stride, until=until)
    if kind == "kills":
        return sweep.kills(number, until=until)
    return sweep.memory(OWN if kind.startswith("own") else MEMORY, stride, until=until,
                        for_good=kind.endswith("for-good"))


def main():
    parser = argparse.ArgumentParser(prog="scripts/inject")
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--minutes", type=float, default=60, help="stop then, and say how far it came")
    parser.add_argument("--kills", type=int, default=1000, help="random kills in all")
    parser.add_argument("--stride", type=int, default=1, help="every n-th point only")
    parser.add_argument("--what", action="append", choices=KINDS)
    parser.add_argument("work", nargs="*", metavar="WORK", help=", ".join(works.WORKS))
    args = parser.parse_intermixed_args()
    library = args.build / "tests" / "inject" / "ctlsign-inject.so"
    reason = can_inject(library)
    if reason:
        sys.exit(f"scripts/inject: {reason}")
    until = time.monotonic() + args.minutes * 60
    names = args.work or list(works.WORKS)
    base = pathlib.Path(tempfile.mkdtemp(prefix="ctlsign-inject-"))
    faults, whole, total = 0, True, collections.Counter()
    try:
        machine = Machine(args.build / "ctlsign", library, base / "machine", {
            "LSAN_OPTIONS": f"suppressions={works.ROOT}/tests/lsan.supp:print_suppressions=0"})
        lab = base / "lab"
        subprocess.run([works.ROOT / "scripts" / "lab", lab], check=True, stdout=subprocess.DEVNULL)
        for name in names:
            work = works.WORKS[name](base)
            if work.token:
                work.use(lab)
            sweep = Sweep(machine, work)
            for kind in args.what or KINDS:
                before, began = sum(sweep.points.values()), time.monotonic()
                done = run(sweep, kind, -(-args.kills // len(names)), until, args.stride)
                points = sum(sweep.points.values()) - before
                print(f"{name}: {kind}: {points} points in {time.monotonic() - began:.0f} s"
                      f"{'' if done else ', the time was up'}", flush=True)
                whole = whole and done
            total.update(sweep.points)
            faults += len(sweep.faults)
            statuses = ", ".join(f"{n} with status {s}" for s, n in sorted(sweep.statuses.items(), key=str))
            print(f"{name}: {dict(sweep.points)}; {statuses}; {len(sweep.faults)} faults", flush=True)
            for fault in sweep.faults[:20]:
                print(fault, flush=True)
            work.close()
    finally:
        shutil.rmtree(base)
    print(f"in all: {sum(total.values())} points {dict(total)}, {faults} faults"
          f"{'' if whole else '; not all of them: the time was up'}")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
