# SPDX-License-Identifier: Apache-2.0
"""The documents: what can run is run, command lines are ones that the program takes, links lead somewhere."""
import importlib.machinery
import importlib.util
import re
import shlex

import pytest
import yaml
from conftest import PROGRAM, ROOT, SANITIZED

PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")] + sorted(
    (ROOT / "docs").rglob("*.md")) + [ROOT / "docs" / "man" / "ctlsign-tutorial.7.scd"]
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.M | re.S)
# What runs, and what cannot: a CUCM, hardware, services.
LANGUAGES = {"console", "sh", "text", "yaml", "ini", "js"}
RECIPES = [page for page in PAGES if re.search(r"^```console\n", page.read_text(), re.M)]


def load_runner():
    """tests/tutorial/run, which is a program without a suffix."""
    path = str(ROOT / "tests" / "tutorial" / "run")
    loader = importlib.machinery.SourceFileLoader("tutorial_run", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("tutorial_run", loader))
    loader.exec_module(module)
    return module


def name(page):
    return str(page.relative_to(ROOT))


@pytest.mark.skipif(SANITIZED, reason="once, with the release build")
@pytest.mark.parametrize("page", RECIPES, ids=name)
def test_every_command_prints_what_the_page_says(page):
    wrong, count = load_runner().run(page, str(PROGRAM), ROOT / "scripts" / "lab")
    assert count > 0
    assert not wrong, "\n".join("".join(part) for part in wrong)


def test_the_alert_is_about_what_is_reported():
    text = (ROOT / "docs" / "recipes" / "prometheus.md").read_text()
    rules = next(yaml.safe_load(block) for _, language, block in FENCE.findall(text) if language == "yaml")
    reported = set(re.findall(r"^# TYPE (\S+) gauge$", text, re.M))
    assert len(reported) == 1
    assert any(name_ in rule["expr"] for rule in rules["groups"][0]["rules"] for name_ in reported)


def test_there_are_recipes():
    assert {"hsm.md", "pbx.md", "ci.md", "prometheus.md", "publisher-key.md", "renew-next-weekend.md",
            "phones-refuse.md", "move-phones.md", "terminal-log.md", "same-list.md", "from-certutils.md",
            "monitoring.md"} <= {p.name for p in RECIPES}


def test_who_comes_from_another_pbx_finds_the_way_at_once():
    """From the first page, with one click."""
    assert {"docs/recipes/pbx.md", "docs/recipes/from-certutils.md"} <= set(links(ROOT / "README.md"))


@pytest.mark.parametrize("page", [p for p in PAGES if p.parent.name == "recipes"], ids=name)
def test_every_block_says_what_it_is(page):
    blocks = FENCE.findall(page.read_text())
    assert all(language in LANGUAGES for _, language, _ in blocks), [b[1] for b in blocks]
    for indent, language, text in blocks:
        if language == "console":
            assert text.startswith("$ "), text
        if language == "yaml":
            assert yaml.safe_load(re.sub(rf"^{indent}", "", text, flags=re.M))


# Command lines ---------------------------------------------------------------------------------

def command_lines(text):
    """The words after 'ctlsign' of every command line: in blocks, in indented text, in `quotes`."""
    fenced = "\n".join(block for _, _, block in FENCE.findall(text))
    prose = FENCE.sub("", text)
    indented = "\n".join(line for line in prose.splitlines() if line.startswith("    "))
    lines = (fenced + "\n" + indented).replace("\\\n", " ").splitlines()
    lines += [m.replace("\n", " ") for m in re.findall(r"`([^`]*)`", prose)]
    for line in lines:
        m = re.search(r"(?:^|[\s$(&|])(?:ExecStart=)?(?:[^\s=]*/)?ctlsign (\S.*)$", line.strip())
        if m and not line.strip().startswith(("usage:", "#", "ctlsign: ", "- alert", "summary:")):
            yield m.group(1).strip("`")


def words(line):
    """Shell words, up to what ends or redirects the command."""
    found = []
    try:
        split = shlex.split(line.replace("…", "..."), posix=True)
    except ValueError:
        split = line.split()
    for word in split:
        if word in ("|", "&&", "||", ";", "]", "#", "2>&1") or word.startswith((">", "2>", "3<", "<(")):
            break
        found.append(word)
    return found


class Table:
    """What 'ctlsign help VERB' says that a verb takes."""

    def __init__(self, ctlsign):
        self.ctlsign = ctlsign
        self.verbs = set(re.findall(r"^  ([a-z]+) ", ctlsign.ok("help").out.split("\nverbs:\n")[1]
                                    .split("\nKEY and CERT")[0], re.M))
        self.known = {}

    def options(self, verb):
        if verb not in self.known:
            text = self.ctlsign.ok("help", verb).out.split("\noptions:\n")[1]
            self.known[verb] = (set(re.findall(r"^  (?:-\w, |    )(--[a-z0-9-]+)", text, re.M)),
                                set(re.findall(r"^  (-\w), ", text, re.M)))
        return self.known[verb]

    def wrong(self, line):
        """What the program would not take, or None."""
        first, *rest = words(line) or [""]
        if first in ("--help", "--version", "<verb>", "[--help", "expiry has"):
            return None
        if first not in self.verbs:
            return f"no verb '{first}'"
        long, short = self.options(first)
        for word in rest:
            option = word.split("=")[0]
            if option.startswith("--") and option != "--" and option not in long:
                return f"no option '{option}' of {first}"
            if re.fullmatch(r"-[a-z0-9]", option) and option not in short:
                return f"no option '{option}' of {first}"
        return None


@pytest.fixture
def table(ctlsign):
    return Table(ctlsign)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_command_lines_are_taken(table, page):
    wrong = [f"ctlsign {line}: {table.wrong(line)}" for line in command_lines(page.read_text())
             if table.wrong(line)]
    assert not wrong, "\n".join(wrong)


def test_command_lines_are_looked_at(table):
    count = {name(page): len(list(command_lines(page.read_text()))) for page in PAGES}
    assert count["docs/man/ctlsign-tutorial.7.scd"] > 20 and count["docs/recipes/etoken.md"] >= 6
    assert count["docs/TROUBLESHOOTING.md"] > 15 and count["docs/remote-token.md"] >= 2
    assert table.wrong("verify --trust self X") is None
    assert table.wrong("verfy X") and table.wrong("verify --trst self X") and table.wrong("show -k X")
    assert [*command_lines("a `ctlsign\nupdate X --in-place` b")] == ["update X --in-place"]


# Links -----------------------------------------------------------------------------------------

def links(page):
    """What the page's prose refers to within the source."""
    prose = re.sub(r"`[^`]*`", "", FENCE.sub("", page.read_text()))
    return [t for t in re.findall(r"\]\(([^)#\s]+)[^)]*\)", prose) if "://" not in t]


@pytest.mark.parametrize("page", [p for p in PAGES if p.suffix == ".md"], ids=name)
def test_links_lead_somewhere(page):
    for target in links(page):
        assert (page.parent / target).exists(), target


def test_every_page_is_linked():
    linked = {(page.parent / target).resolve() for page in PAGES for target in links(page)}
    missing = [name(p) for p in PAGES if p.suffix == ".md" and p.parent != ROOT
               and p.resolve() not in linked]
    assert not missing
