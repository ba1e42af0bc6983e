# SPDX-License-Identifier: Apache-2.0
"""The shape of what is printed: --quiet, --verbose, colour, terminals that do not speak UTF-8."""
import os
import pty
import re
import select
import subprocess

import lists
import pytest
import tables
from conftest import DATA, PROGRAM, SANITIZED
from token_helpers import TWO, build_words, out  # noqa: F401 (a fixture)

VERBS = tables.verbs()
GOOD = ["verify", "--trust", "self", DATA / "lists" / "cucm.tlv"]
BAD = ["verify", DATA / "lists" / "cucm.tlv"]
RESULT = re.compile(r"^(warning|error): |^(good|UNTRUSTED) signature by ", re.M)


def on_terminal(ctlsign, *args, env=None, answer=b"", stdout_only=False):
    """(status, what a terminal got): standard input, output and error are one pseudo terminal."""
    ours, theirs = pty.openpty()
    try:
        child = subprocess.Popen([str(PROGRAM), *map(str, args)],
                                 env=ctlsign.environment({"TERM": "xterm-256color", **(env or {})}),
                                 stdin=theirs, stdout=theirs,
                                 stderr=subprocess.DEVNULL if stdout_only else theirs,
                                 start_new_session=True)
    finally:
        os.close(theirs)
    if answer:
        os.write(ours, answer)
    got = b""
    try:
        while select.select([ours], [], [], 60)[0]:
            piece = os.read(ours, 65536)
            if not piece:
                break
            got += piece
    except OSError:  # the terminal's other side is closed
        pass
    os.close(ours)
    return child.wait(timeout=60), got.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("verb", VERBS)
def test_quiet_and_verbose_are_every_verb_s_and_exclude_each_other(ctlsign, verb):
    words = {"config": ["verify", "x"], "migrate": ["to-tokens", "x"], "diff": ["x", "y"], "plan": ["x", "y"],
             "identify": ["00", "x"], "tvs": ["x", "y"]}.get(verb, ["x"] if verb not in ("build", "help") else [])
    run = ctlsign(verb, *words, "--quiet", "--verbose")
    assert run.status == 2 and "'--quiet' and '--verbose' contradict" in run.err, str(run)


def test_quiet_leaves_results_and_errors(ctlsign, cluster, out):
    words = build_words(cluster, out, lists.key(cluster, "tokens"))
    loud = ctlsign.ok(*words)
    assert "record 1: SAST" in loud.err
    # The same bytes again are no result.
    assert ctlsign.ok(*words, "--quiet").out == ""
    out.unlink()
    again = ctlsign.ok(*words, "--quiet")
    assert again.err == "" and again.out == loud.out
    # What update says of the changes and of the phones, and its warnings.
    more = ["update", out, "-n", "--remove", "role=CAPF", "--timestamp", lists.TIME + 60, *lists.key(cluster, "tokens")]
    assert ctlsign.ok(*more, "--quiet").out == ctlsign.ok(*more).out
    warns = ["accept", "--installed", out, "--no-tvs", "--tvs-ctl", "none", out]
    assert "warning" in ctlsign.ok(*warns).err
    assert ctlsign.ok(*warns, "--quiet").err == ""
    ctlsign.refused(3, "verify", "--quiet", out.parent / "none.tlv", says="none.tlv")


def test_quiet_batches_say_no_summary(ctlsign, cluster, tmp_path):
    files = []
    for n in range(3):
        files.append(tmp_path / f"SEP{n}.cnf.xml")
        files[-1].write_text(f"<device>{n}</device>")
    words = ["config", "sign", *lists.key(cluster, "tokenless"), "--timestamp", lists.TIME, *files]
    assert "3 of 3 files" in ctlsign.ok(*words).err
    assert ctlsign.ok(*words, "--quiet").err == ""


def test_quiet_shows_what_a_question_is_about(ctlsign, cluster, out):
    words = build_words(cluster, out, lists.key(cluster, "tokens"))
    status, seen = on_terminal(ctlsign, *words, "--quiet", answer=b"n\n")
    assert status == 1 and "record 1: SAST" in seen and "sign this list? [y/N]" in seen
    assert not out.exists()
    status, seen = on_terminal(ctlsign, *words, "--quiet", "--yes")
    assert status == 0 and "record 1" not in seen


def test_verbose_says_the_steps(ctlsign, cluster, out):
    words = [*build_words(cluster, out, lists.key(cluster, "tokens"))]
    ctlsign.ok(*words)  # the first list; both runs below replace one
    # Other times are other bytes: equal ones would be left as they are.
    at = words.index("--timestamp") + 1
    quiet, run = (ctlsign.ok(*words[:at], lists.TIME + 60 * n, *words[at + 1:], *more)
                  for n, more in ((1, []), (2, ["--verbose"])))
    assert run.out.splitlines()[0] == quiet.out.splitlines()[0]
    said = run.err.splitlines()
    key, pem = (cluster / f"{TWO}.{suffix}" for suffix in ("key", "pem"))
    for step in (f"read {key}: {key.stat().st_size} bytes", f"read {pem}: {pem.stat().st_size} bytes",
                 "signed, read back and verified: 5728 bytes, sha1", f"wrote {out}"):
        assert step in said, f"{step}\n{run}"
    assert any(re.match(r"signer .*SAST-ADN008580ef.*, RSA of 1024 bits$", line) for line in said)
    # What is not verbose is there all the same.
    assert {line for line in quiet.err.splitlines() if "timestamp: " not in line} <= set(said)


@pytest.mark.skipif(SANITIZED, reason="once, with the release build")
def test_verbose_names_module_and_token_and_no_secret(ctlsign, cluster, lab, out):
    run = ctlsign.ok(*build_words(cluster, out, lab.key(TWO)), "--verbose", env=lab.env)
    assert re.search(rf"^token pkcs11:.*token={TWO}.*, by module {lab.module}$", run.err, re.M), str(run)
    assert f"logged in to {TWO}" in run.err and f"wrote {out}" in run.err
    assert lab.pin not in run.err + run.out
    run = ctlsign.ok("tokens", "--verbose", "--module", lab.module, env=lab.env)
    assert f"looking for tokens in {lab.module}" in run.err
    run = ctlsign.ok("export", "--verbose", "-o", out.parent / "up", "--module", lab.module, f"pkcs11:token={TWO}",
                     env=lab.env)
    assert re.search(rf"^token pkcs11:.*token={TWO}.*, by module {lab.module}$", run.err, re.M), str(run)
    # A PIN in a URI is refused, and not said.
    run = ctlsign(*build_words(cluster, out, ["-k", "pkcs11:token=a?pin-value=31415926"]), "--verbose")
    assert run.status == 2 and "31415926" not in run.err


@pytest.mark.parametrize("env, coloured", [
    ({}, True), ({"NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False), ({"TERM": ""}, False)])
def test_colour_is_for_terminals(ctlsign, env, coloured):
    plain = ctlsign.ok(*GOOD).out
    status, seen = on_terminal(ctlsign, *GOOD, env=env)
    assert status == 0 and ("\x1b[32mgood signature by " in seen) == coloured, seen
    assert ("\x1b[33mwarning:\x1b[0m " in seen) == coloured
    # Whatever is painted, the text is the same, and every line ends uncoloured.
    assert re.sub(r"\x1b\[[0-9;]*m", "", seen) == plain
    for line in seen.splitlines():
        assert line.count("\x1b[") % 2 == 0 and (line.count("\x1b[0m") == line.count("\x1b[") / 2)
    status, seen = on_terminal(ctlsign, "show", "/nonexistent", env=env)
    assert status == 3 and ("\x1b[1;31mctlsign: \x1b[0m/nonexistent" in seen) == coloured, seen


def test_bad_news_is_red(ctlsign):
    status, seen = on_terminal(ctlsign, *BAD)
    assert status == 1 and "\x1b[1;31mUNTRUSTED signature by " in seen
    installed = DATA / "lists" / "ctl-client.tlv"
    status, seen = on_terminal(ctlsign, "accept", "--no-tvs", "--installed", installed, DATA / "lists" / "cucm.tlv")
    assert status == 1 and seen.startswith("\x1b[1;31mrefused: signer-not-sast\x1b[0m\n"), seen


@pytest.fixture
def polish(ctlsign, signer, tmp_path):
    """A list whose signer has a name of UTF-8."""
    key, cert = signer("rsa1024", "żółw")
    path = tmp_path / "CTLFile.tlv"
    ctlsign.ok("build", "-o", path, *lists.by(key, cert), "--timestamp", lists.TIME)
    return path


@pytest.mark.parametrize("words", [["show"], ["verify", "--trust", "self"], ["verify", "--trust", "self", "--json"]])
def test_a_terminal_without_utf8_gets_ascii(ctlsign, polish, words):
    wide = on_terminal(ctlsign, *words, polish, env={"LC_ALL": "C.UTF-8"})[1]
    narrow = on_terminal(ctlsign, *words, polish, env={"LC_ALL": "C"})[1]
    assert narrow.isascii(), narrow
    assert narrow == "".join(c if c.isascii() else "".join(f"\\x{b:02x}" for b in c.encode()) for c in wide)
    if "--json" not in words:
        assert "CN=żółw" in wide and r"CN=\xc5\xbc\xc3\xb3\xc5\x82w" in narrow
    # A pipe gets the same bytes whatever the locale: scripts and cron agree.
    assert ctlsign.ok(*words, polish, env={"LC_ALL": "C"}).out == ctlsign.ok(*words, polish).out


def test_messages_degrade_as_well(ctlsign):
    status, seen = on_terminal(ctlsign, "show", "/nonexistent/żółw", env={"LC_ALL": "C", "TERM": "dumb"})
    assert status == 3 and r"/nonexistent/\xc5\xbc\xc3\xb3\xc5\x82w" in seen and seen.isascii()
