# SPDX-License-Identifier: Apache-2.0
"""The manual: every verb has its page, filled from the tables, and every session in it is real.

CTLSIGN_GOLDEN=1 writes what the sessions print into the pages, in place of what stands there.
"""
import os
import re
import shutil
import subprocess

import lists
import pytest
import session
import tables
from conftest import BUILD, DATA, PROGRAM, ROOT, SANITIZED, Lab

PAGES = sorted((ROOT / "docs" / "man").glob("*.scd"))
NAMES = [page.name.removesuffix(".scd") for page in PAGES] + ["ctlsign-format.5"]
SECTION = re.compile(r"^# ([A-Z ]+)\n", re.M)  # a session may print '# made by ...'
VERBS = tables.verbs()
PAGED = [verb for verb in VERBS if f"ctlsign-{verb}.1" in NAMES]
STATUSES = {number: meaning for _, number, meaning in tables.rows("status.def", "STATUS")}

GOLDEN = os.environ.get("CTLSIGN_GOLDEN")
built = pytest.mark.skipif(not (BUILD / "man").exists(), reason="the manual was not built: no scdoc")
# The pages do not depend on the preset, and tokens are slow under sanitizers.
pytestmark = pytest.mark.skipif(SANITIZED, reason="once, with the release build")


def sections(text):
    """The page's sections by name."""
    parts = SECTION.split(text)
    return dict(zip(parts[1::2], parts[2::2]))


def man(name, *options, width=200):
    """The page as a terminal shows it, and what man complains about."""
    page = BUILD / "man" / f"man{name.rsplit('.', 1)[1]}" / name
    run = subprocess.run(["man", *options, "-l", str(page)], capture_output=True, text=True,
                         stdin=subprocess.DEVNULL, check=False,
                         env={"PATH": "/usr/bin:/bin", "MANWIDTH": str(width), "LC_ALL": "C.UTF-8",
                              "MANPAGER": "cat", "MANROFFOPT": "-rHY=0", "MANOPT": "--no-hyphenation"})
    assert run.returncode == 0, run.stderr
    return run.stdout, run.stderr


def flat(text):
    return " ".join(text.split())


@built
def test_man_is_told_of_tables():
    """By the first line, as man-db of Debian 13 wants it."""
    pages = [path.read_text() for path in sorted((BUILD / "man").rglob("*.[0-9]"))]
    assert any("\n.TS\n" in page for page in pages)
    assert all(page.startswith("'\\\" t\n") for page in pages)


@built
def test_every_verb_has_its_page_and_every_page_is_of_something():
    assert {f"ctlsign-{verb}.1" for verb in VERBS} <= set(NAMES)
    # One that is not here was not installed with the others.
    assert {path.name for path in (BUILD / "man").glob("man?/*")} == set(NAMES)
    named = set(re.findall(r"\*(ctlsign[a-z-]*)\*\((\d)\)", "".join(p.read_text() for p in PAGES)))
    assert {f"{name}.{section}" for name, section in named} <= set(NAMES)


@built
@pytest.mark.parametrize("name", NAMES)
def test_man_shows_it_without_a_warning(name):
    text, complaints = man(name, "--warnings")
    assert complaints == ""
    # What apropos and whatis find: one line of name and purpose.
    assert re.search(rf"^NAME\n +{re.escape(name.rsplit('.', 1)[0])} - [^\n]+\n\n", text, re.M)
    assert not re.search(r"^ *@[A-Z]", text, re.M)


@built
@pytest.mark.parametrize("verb", PAGED)
def test_the_page_says_what_help_says(ctlsign, verb):
    text = sections((ROOT / "docs" / "man" / f"ctlsign-{verb}.1.scd").read_text())
    for needed in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "EXAMPLES", "SEE ALSO"):
        assert needed in text, needed
    shown = flat(man(f"ctlsign-{verb}.1")[0])
    usage, _, options = ctlsign.ok("help", verb).out.partition("\noptions:\n")
    assert usage.splitlines()[0].removeprefix("usage: ") in shown
    assert re.findall(r"^ {7}(?:-\w, )?(--[a-z0-9-]+)", sections_of_man(verb)["OPTIONS"], re.M) == re.findall(
        r"^  (?:-\w, |    )(--[a-z0-9-]+)", options, re.M)
    # A row of help: two or six blanks, then what it does, from column 28 on.
    rows = re.findall(r"^  (?:-(\w), |    )--(\S+)(.*(?:\n {28}.*)*)", options, re.M)
    assert len(rows) >= 2
    for short, name, rest in rows:
        row = flat(f"{f'-{short}, ' if short else ''}--{name} {rest}")
        assert row in shown, row


def sections_of_man(verb):
    parts = re.split(r"^(\S.*)\n", man(f"ctlsign-{verb}.1")[0], flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


@built
@pytest.mark.parametrize("verb", PAGED)
def test_statuses_are_the_table_s(verb):
    told = dict(re.findall(r"^ +(\d+)\n +(.+)$", sections_of_man(verb)["EXIT STATUS"], re.M))
    assert {"0", "2", "70"} <= set(told)
    for number, meaning in told.items():
        assert meaning == STATUSES[number]


def sessions(text):
    """The literal blocks of EXAMPLES: [(start, end)] of their insides."""
    begin = text.index("\n# EXAMPLES\n")
    following = SECTION.search(text, begin + 2 + len("# EXAMPLES"))
    end = following.start() if following else -1
    return [m.span(1) for m in re.compile(r"^```\n(.*?)^```\n", re.M | re.S).finditer(
        text, begin, end if end > 0 else len(text)) if m.group(1).startswith("$ ")]


@pytest.fixture
def desk(lab_template, ctlsign, tmp_path):
    """What ctlsign(1) says that the sessions begin with."""
    folder = tmp_path / "desk"
    folder.mkdir()
    for path in (DATA / "cluster").iterdir():
        if not path.name.endswith(".key") or not path.name.startswith("SAST-"):
            shutil.copy(path, folder)
    for path in folder.glob("*.key"):
        path.chmod(0o600)
    shutil.copy(DATA / "lists" / "cucm.tlv", folder / "CTLFile.tlv")
    shutil.copy(DATA / "lists" / "ctl-client.tlv", folder / "tokens.tlv")
    shutil.copy(DATA / "logs" / "putty.log", folder / "cluster.log")
    lists.manifest(folder)
    shutil.copytree(lab_template, tmp_path / "lab")
    lab = Lab(tmp_path / "lab")
    shutil.copy(lab.pin_file, folder / "pin")
    (folder / "pin").chmod(0o600)
    env = ctlsign.environment({**lab.env, "MODULE": lab.module})
    env["PATH"] = f"{PROGRAM.parent}:{env['PATH']}"
    return folder, env


@built
def test_the_format_is_all_of_its_description():
    said = (ROOT / "docs" / "FORMAT.md").read_text()
    shown = man("ctlsign-format.5", width=1000)[0]
    words = set(re.findall(r"[\w\[\].:;,=<>%$…-]*\w[\w\[\].:;,=<>%$…-]*", said.replace("`", "").replace("*", "")))
    missing = {word for word in words if word not in shown and word.upper() not in shown}
    assert not missing - {"The"} and len(words) > 700, missing
    # Tables stay tables, with their rows in their order.
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in shown.splitlines() if "│" in line]
    for line in said.splitlines():
        if line.startswith("|") and not line.startswith("|-"):
            cells = [cell.strip().replace("`", "").replace("*", "") for cell in line.strip("|").split("|")]
            assert cells in rows or line.count("-") > 6 and set(line) <= set("|-: "), cells


def test_sections_of_other_pages_are_there():
    """*ctlsign-update*(1), "Whom a list is from"."""
    named = {(re.sub(r"\s+", " ", section), page.name, f"{other}.{number}.scd") for page in PAGES
             for other, number, section in re.findall(r'\*(ctlsign[a-z-]*)\*\((\d)\), "([^"]+)"', page.read_text())}
    assert len(named) >= 4
    for section, page, other in named:
        headings = re.findall(r"^#+ (.*)$", (ROOT / "docs" / "man" / other).read_text(), re.M)
        assert section in headings, (page, other, section)


@pytest.mark.parametrize("name", [page.name.removesuffix(".scd") for page in PAGES
                                  if page.name != "ctlsign-tutorial.7.scd"])
def test_sessions(desk, name):
    folder, env = desk
    page = ROOT / "docs" / "man" / f"{name}.scd"
    text = page.read_text()
    spans = sessions(text)
    assert spans, "no session under EXAMPLES"
    parts = [session.steps(text[a:b]) for a, b in spans]
    said = iter(session.play([command for part in parts for command, _ in part], folder, env))
    fresh = text
    told = [[(command, shown, next(said)) for command, shown in part] for part in parts]
    for (a, b), part in reversed(list(zip(spans, told))):
        for command, shown, printed in part:
            assert GOLDEN or session.agrees(shown, printed), f"{command}--- shown\n{shown}--- printed\n{printed}"
        fresh = fresh[:a] + "".join(c + (o if session.agrees(o, p) else p) for c, o, p in part) + fresh[b:]
    if GOLDEN:
        page.write_text(fresh)


def test_sessions_are_compared():
    assert session.agrees("a\n[...]\nb [...]c\n", "a\nx\ny\nb 1 c\n")
    assert session.agrees("[...]\n", "") and session.agrees("", "")
    for shown, printed in (("a\n", "b\n"), ("a\n", "a\nb\n"), ("a\nb\n", "a\n"), ("a [...]\n", "a \nb\n"),
                           ("", "a\n"), ("a.\n", "ab\n")):
        assert not session.agrees(shown, printed), (shown, printed)
