# SPDX-License-Identifier: Apache-2.0
"""The facts about phones and CUCM: each has a source that docs/CLUSTER.md lists, and stands there as it is printed.

CTLSIGN_GOLDEN=1 writes the tables of docs/CLUSTER.md: read every changed line before it is taken over.
"""
import os
import re

import pytest
import tables
from conftest import ROOT

PAGE = ROOT / "docs" / "CLUSTER.md"
SOURCES = tables.rows("facts.def", "SOURCE")
GROUPS = tables.rows("facts.def", "GROUP")
FACTS = tables.rows("facts.def", "FACT")


def tags(sources):
    return [tag.strip() for tag in (sources or "").split(",") if tag.strip()]


def between(text, name):
    match = re.search(rf"<!-- {name} -->\n(.*?)<!-- end of {name} -->\n", text, re.S)
    assert match, f"docs/CLUSTER.md has no place for {name}"
    return match.group(1)


def facts_as_page():
    out = ""
    for group, heading in GROUPS:
        out += f"\n## {heading}\n\n| fact | source |\n|---|---|\n"
        for _, _, text, sources in (row for row in FACTS if row[0] == group):
            shown = "**open**" if sources == "open" else sources
            out += f"| {text.replace('<', '&lt;').replace('>', '&gt;')} | {shown} |\n"
    return out + "\n"


def sources_as_page():
    return "\n| tag | what it is |\n|---|---|\n" + "".join(f"| {tag} | {what} |\n" for tag, what in SOURCES) + "\n"


def listed_sources():
    """The tags that the page itself lists."""
    return re.findall(r"^\| (\S+) \| ", between(PAGE.read_text(encoding="utf-8"), "sources"), re.M)[1:]


@pytest.mark.parametrize("row", FACTS, ids=[row[1].lower() for row in FACTS])
def test_every_fact_has_a_source_that_the_page_lists(row):
    group, name, text, sources = row
    assert tags(sources), f"{name} has no source"
    unknown = [tag for tag in tags(sources) if tag not in listed_sources()]
    assert not unknown, f"{name}: docs/CLUSTER.md does not list {unknown}"
    # What nobody says cannot be said by somebody else as well.
    assert "open" not in tags(sources) or tags(sources) == ["open"]
    assert sources == ", ".join(tags(sources)), f"{name}: sources are separated by ', '"
    assert group in [g for g, _ in GROUPS]
    assert text and not text.endswith(".") and text == text.strip()


def test_names_are_used_once():
    names = [row[1] for row in FACTS]
    texts = [row[2] for row in FACTS]
    assert len(names) == len(set(names)) and len(texts) == len(set(texts))
    assert {row[0] for row in FACTS} == {group for group, _ in GROUPS}


def test_every_source_is_used():
    used = {tag for row in FACTS for tag in tags(row[3])}
    assert {tag for tag, _ in SOURCES} == used


def test_the_page_is_the_table():
    text = PAGE.read_text(encoding="utf-8")
    if os.environ.get("CTLSIGN_GOLDEN"):
        for name, table in (("facts", facts_as_page()), ("sources", sources_as_page())):
            begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
            text = text.replace(begin + between(text, name) + end, begin + table + end)
        PAGE.write_text(text, encoding="utf-8")
    assert between(text, "facts") == facts_as_page()
    assert between(text, "sources") == sources_as_page()


# Releases ------------------------------------------------------------------------------------

RELEASES = tables.rows("releases.def", "RELEASE")
COLUMNS = ("major minor maintenance name ctl_client tokens tokenless itlrecovery signer itl_signer "
           "token_anchors").split()
SIGNS = {"CALLMANAGER": "CallManager", "ITLRECOVERY": "ITLRecovery"}


def page_table(first_cell):
    """The table whose head begins so: {first release of the row: cells}."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith(f"| release | {first_cell}"))
    rows = {}
    for line in lines[at + 2:]:
        if not line.startswith("|"):
            break
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        rows[named(cells[0])] = cells
    return rows


def named(text):
    """The first release of "10.0(1), 10.5(1)": (10, 0, 1)."""
    match = re.match(r"(\d+)\.(\d+)(?:\((\d+)\))?", text)
    return tuple(int(number or 0) for number in match.groups())


def covering(rows, version):
    return rows[max(first for first in rows if first <= version)]


@pytest.mark.parametrize("row", RELEASES, ids=[row[3] for row in RELEASES])
def test_releases_are_what_the_page_says(row):
    release = dict(zip(COLUMNS, row, strict=True))
    version = (int(release["major"]), int(release["minor"]), int(release["maintenance"]))
    if "(" in release["name"]:
        assert named(release["name"])[:2] == version[:2]
        version = named(release["name"])
    token, tokenless = covering(page_table("list of tokens"), version)[1:]
    assert (tokenless == "–") == (release["tokenless"] == "false")
    assert ("ITLRecovery" in tokenless) == (release["itlrecovery"] == "true")
    signer = re.search(r"(\w+) \(signs\)", tokenless)
    assert (signer.group(1) if signer else None) == SIGNS.get(release["signer"])
    assert (token == "tokens, ITLRecovery, CallManager") == (release["token_anchors"] == "true")
    assert token in ("tokens", "tokens, ITLRecovery, CallManager")
    itl, ctl = covering(page_table("the ITL is signed"), version)[1:3]
    assert itl == SIGNS[release["itl_signer"]]
    assert release["signer"] == "NOBODY" or ctl == SIGNS[release["signer"]]
    assert release["ctl_client"] == ("true" if version < (14, 0, 0) else "false")
    assert release["tokens"] == ("true" if version < (14, 0, 300) else "false")


def test_every_row_of_the_page_is_a_release():
    first = [tuple(map(int, row[:3])) for row in RELEASES]
    names = [row[3] for row in RELEASES]
    assert first == sorted(first)
    for cells in page_table("list of tokens").values():
        assert cells[0].split(",")[0].removesuffix(" and later") in names, cells[0]
