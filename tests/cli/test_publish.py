# SPDX-License-Identifier: Apache-2.0
"""Publishing: whatever fails or whoever kills us, the list is the old one or the new one, whole."""
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import threading
import time

import lists
import peerlist
import pytest
from conftest import PROGRAM
from lists import TIME

# strace traces the process, and so LeakSanitizer cannot.
TRACED = {"ASAN_OPTIONS": "detect_leaks=0:exitcode=99"}


@pytest.fixture
def existing(ctlsign, cluster, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    path = folder / "CTLFile.tlv"
    lists.build(ctlsign, cluster, "tokenless", path)
    return path


def copies(path):
    """The lists that were replaced, the oldest first."""
    found = [p for p in path.parent.iterdir() if re.fullmatch(re.escape(path.name) + r"\.~[1-9][0-9]*~", p.name)]
    return sorted(found, key=lambda p: int(p.name.split("~")[1]))


def only(path):
    """Nothing is in the folder but the list, whole, and whole ones that it replaced."""
    for copy in copies(path):
        peerlist.parse_header(copy.read_bytes())
    return {p.name for p in path.parent.iterdir()} == {path.name, *(p.name for p in copies(path))}


@pytest.mark.parametrize("where", ["anywhere", "in the folder itself"])
@pytest.mark.parametrize("call,error", [
    ("fsync", "EIO"), ("fdatasync", "EIO"), ("rename,renameat,renameat2", "EIO"),
    ("rename,renameat,renameat2", "EXDEV"), ("fchmod,fchmodat", "EPERM"),
    ("pwrite64,write", "ENOSPC"), ("pwrite64,write", "EDQUOT"), ("ftruncate,fallocate", "ENOSPC")])
def test_failing_system_calls(ctlsign, cluster, existing, can_trace, tmp_path, call, error, where):
    """Every such call fails. One that is not made, or may fail, leaves a good new list."""
    before = existing.read_bytes()
    trace = tmp_path / "trace"
    paths = [] if where == "anywhere" else ["-P", existing.parent, "-P", existing]
    if where == "anywhere" and "write" in call:
        call = call.replace(",write", "")  # what is printed is written, too: see the next test
    run = ctlsign("build", "-o", existing, "-m", lists.manifest(cluster), "--timestamp", TIME + 9,
                  env=TRACED, wrapper=["strace", "-f", "-qq", "-o", trace, *paths, "-e",
                                       f"trace={call}", "-e", f"inject={call}:error={error}"])
    injected = "(INJECTED)" in trace.read_text()
    assert only(existing), sorted(existing.parent.iterdir())
    if run.status == 0:
        assert peerlist.parse_header(existing.read_bytes())["timestamp"] == TIME + 9
        assert not injected or "warning" in run.err, str(run)
    else:
        assert injected and run.status == 9 and len(run.errors) == 1, str(run)
        assert existing.read_bytes() == before


def put_meanwhile(path, content):
    """Writes to path as soon as the temporary file beside it is whole, while its rename is held up."""
    def put():
        for _ in range(1000):
            if any(p.stat().st_size > 0 for p in path.parent.glob(f".{path.name}.ctlsign-*")):
                break
            time.sleep(0.01)
        time.sleep(0.3)
        path.write_bytes(content)
    thread = threading.Thread(target=put)
    thread.start()
    return thread


def test_a_file_that_comes_at_the_last_moment(ctlsign, cluster, can_trace, tmp_path):
    """It was not there at the last look, and it is not replaced."""
    path = tmp_path / "out" / "CTLFile.tlv"
    path.parent.mkdir()
    other = put_meanwhile(path, b"of somebody else")
    run = ctlsign("build", "-o", path, "-m", lists.manifest(cluster), "--timestamp", TIME, env=TRACED,
                  wrapper=["strace", "-f", "-qq", "-o", tmp_path / "trace", "-e",
                           "inject=rename,renameat,renameat2:delay_enter=2000000"])
    other.join()
    assert run.status == 9 and "was put there by somebody else meanwhile" in run.err, str(run)
    assert path.read_bytes() == b"of somebody else"
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("error", ["EINVAL", "ENOSYS"])
def test_a_file_system_that_cannot_look_and_rename_in_one(ctlsign, cluster, can_trace, tmp_path, error):
    path, trace = tmp_path / "CTLFile.tlv", tmp_path / "trace"
    run = ctlsign("build", "-o", path, "-m", lists.manifest(cluster), "--timestamp", TIME, env=TRACED,
                  wrapper=["strace", "-f", "-qq", "-o", trace, "-e", "trace=renameat,renameat2", "-e",
                           f"inject=renameat2:error={error}"])
    assert "(INJECTED)" in trace.read_text()
    assert run.status == 0, str(run)
    assert peerlist.openssl_verify(path.read_bytes(), cluster / "pub.pem")


def test_every_write_may_fail(ctlsign, cluster, existing, can_trace, tmp_path):
    """write() fails at its n-th use, whatever it writes to: never a wrong list, never a false success."""
    before = existing.read_bytes()
    for number in range(1, 12):
        trace = tmp_path / "trace"
        run = ctlsign("build", "-o", existing, "-m", lists.manifest(cluster), "--timestamp", TIME + 9,
                      env=TRACED, wrapper=["strace", "-qq", "-o", trace, "-e", "trace=write", "-e",
                                           f"inject=write:error=ENOSPC:when={number}"])
        if "(INJECTED)" not in trace.read_text():
            break
        assert only(existing), number
        now = existing.read_bytes()
        if run.status != 0:
            assert now == before, f"write {number}\n{run}"
        else:
            assert peerlist.parse_header(now)["timestamp"] == TIME + 9
            assert peerlist.openssl_verify(now, cluster / "pub.pem")
        existing.write_bytes(before)


@pytest.mark.parametrize("closed", [[0], [1], [2], [0, 1], [1, 2], [0, 1, 2]])
def test_closed_standard_descriptors(ctlsign, cluster, tmp_path, closed):
    """The list must not become descriptor 1 or 2 and receive what is printed."""
    out = tmp_path / "CTLFile.tlv"
    words = ["build", "-o", out, "-m", lists.manifest(cluster), "--timestamp", TIME]

    def close():
        for fd in closed:
            os.close(fd)
    child = subprocess.run([str(PROGRAM), *map(str, words)], env=ctlsign.environment(), check=False,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           preexec_fn=close, timeout=60)
    if child.returncode == 0:
        assert out.stat().st_size == 4947
        assert peerlist.openssl_verify(out.read_bytes(), cluster / "pub.pem")
    else:
        assert child.returncode == 9 and 1 in closed and not out.exists()


def test_closed_standard_descriptors_with_a_token(ctlsign, cluster, lab, tmp_path):
    out = tmp_path / "CTLFile.tlv"
    words = ["build", "-o", out, *lists.records(cluster, "tokens"),
             *lab.key("SAST-ADN008580ef"), "--timestamp", TIME]

    def close():
        for fd in (0, 1, 2):
            os.close(fd)
    child = subprocess.run([str(PROGRAM), *map(str, words)], env=ctlsign.environment(lab.env),
                           check=False, preexec_fn=close, timeout=60)
    if child.returncode == 0:
        assert peerlist.openssl_verify(out.read_bytes(), cluster / "SAST-ADN008580ef.pem")
    else:
        assert child.returncode == 9 and not out.exists()


def test_an_empty_environment(cluster, tmp_path):
    out = tmp_path / "CTLFile.tlv"
    run = subprocess.run([str(PROGRAM), "build", "-o", str(out), "-m", str(lists.manifest(cluster))],
                         env={}, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert run.returncode == 0, run.stderr
    assert out.stat().st_size == 4947


def test_killed_at_any_moment(ctlsign, cluster, existing):
    """SIGKILL, SIGTERM and SIGINT at random moments: the old list or the new one, nothing half."""
    rng = random.Random(7)
    before = existing.read_bytes()
    words = [str(PROGRAM), "build", "-o", str(existing), "-m", str(lists.manifest(cluster)),
             "--timestamp", str(TIME + 1)]
    started = time.monotonic()
    subprocess.run(words, env=ctlsign.environment(TRACED), stdin=subprocess.DEVNULL,
                   capture_output=True, check=True)
    takes = time.monotonic() - started
    after = existing.read_bytes()
    assert after != before
    for turn in range(45):
        existing.write_bytes(before)
        how = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)[turn % 3]
        child = subprocess.Popen(words, env=ctlsign.environment(TRACED), stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(rng.random() * takes * 1.1)
        child.send_signal(how)
        status = child.wait()
        assert existing.read_bytes() in (before, after)
        if status == 0:
            assert existing.read_bytes() == after
        for left in existing.parent.iterdir():
            assert left == existing or left in copies(existing) or left.name.startswith(".CTLFile.tlv."), left
    # What a signal left is cleaned up by the next run.
    existing.write_bytes(before)
    ctlsign.ok(*words[1:])
    assert only(existing), sorted(existing.parent.iterdir())


def test_many_at_once(ctlsign, cluster, existing):
    """Several processes publish at the same place: each success is one whole list, none is mixed."""
    path = lists.manifest(cluster)
    children = [subprocess.Popen([str(PROGRAM), "build", "-o", str(existing), "-m", str(path),
                                  "--timestamp", str(TIME + n)], env=ctlsign.environment(),
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE) for n in range(1, 9)]
    results = [(child.communicate()[1], child.returncode) for child in children]
    # A file that changed since it was read is status 9; a list older than the one there is refused.
    assert {status for _, status in results} <= {0, 1, 3, 9}, results
    assert 0 in {status for _, status in results}, results
    assert peerlist.openssl_verify(existing.read_bytes(), cluster / "pub.pem")
    assert only(existing)


def test_little_memory(ctlsign, cluster, existing):
    """Out of memory is status 70 or a success, never a crash and never a wrong list."""
    if os.environ.get("CTLSIGN_SANITIZE") == "1":
        return  # the sanitizer itself needs more
    before = existing.read_bytes()
    seen = set()
    for megabytes in (6, 8, 10, 12, 14, 16, 20, 24, 32):
        def small(limit=megabytes << 20):
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        run = ctlsign("build", "-o", existing, "-m", lists.manifest(cluster), "--timestamp", TIME + 1,
                      preexec_fn=small, wrapper=["/usr/bin/env"])
        seen.add(run.status)
        assert run.status in (0, 70, 127), str(run)  # 127: the loader found no room
        if run.status != 0:
            assert existing.read_bytes() == before
    assert 0 in seen
    assert only(existing)


def test_odd_paths(ctlsign, cluster, tmp_path):
    for name in ("with blank", "new\nline", "-dash", "ünïcode", "%s%n", "a" * 200):
        folder = tmp_path / name
        folder.mkdir()
        out = folder / f"{name}.tlv"
        ctlsign.ok("build", "-o", out, "-m", lists.manifest(cluster), "--filename", "CTLFile.tlv")
        assert out.stat().st_size == 4947 and only(out)
        shutil.rmtree(folder)


def test_the_working_folder_may_be_gone(ctlsign, cluster, tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    out = tmp_path / "CTLFile.tlv"
    path = lists.manifest(cluster)
    run = ctlsign("build", "-o", out, "-m", path, cwd=gone, preexec_fn=lambda: os.rmdir(gone))
    assert run.status == 0, str(run)
