# SPDX-License-Identifier: Apache-2.0
"""The named defects and the sample lists, judged a second time from docs/FORMAT.md alone (tests/lib/peerjudge.py).

golden.tsv is what the program says of itself; here somebody else says it.
"""
import json
import re

import peerjudge
import pytest
from conftest import DATA, SANITIZED
from test_defects import DEFECTS, GOLDEN, generate  # noqa: F401  (the folder's path is set up there)

LISTS = sorted((DATA / "lists").glob("*.tlv"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("judged")
    generate.write(path)
    return path


def judged(folder, name):
    return peerjudge.judge((folder / f"{name}.tlv").read_bytes())


@pytest.mark.parametrize("name", GOLDEN)
def test_the_same_verdict(folder, name):
    row, mine = GOLDEN[name], judged(folder, name)
    assert (row["class"] == "unreadable") == (not mine.well_formed)
    if not mine.well_formed:
        said = re.search(r"at byte (\d+)\)$", row["verify says"])
        assert (int(said.group(1)) if said else None) == mine.refused.at, row["verify says"]
        return
    assert (row["verdict"] == "BAD signature") == bool(mine.errors), row["verify says"]
    assert row["show"] == ("0" if mine.good_signature else "1")
    assert row["verify"] == ("1" if mine.errors else "0"), (row["verify says"], mine.errors)


def test_it_judges_the_good_lists_good():
    """Else it would agree with whatever refuses everything."""
    assert len(LISTS) >= 5
    for path in LISTS:
        mine = peerjudge.judge(path.read_bytes())
        assert mine.well_formed and mine.good_signature and not mine.errors, (path.name, mine.errors)


def compare(ctlsign, path):
    run = ctlsign("show", "--json", path)
    theirs, mine = json.loads(run.out), peerjudge.show_json(path.read_bytes())
    for key in ("file", "findings"):
        del theirs[key]
    if mine["fault"] is not None:
        del theirs["fault"]["text"]
        del theirs["header"]["padding"], mine["header"]["padding"]  # counted up to the fault
    if mine["header"]["header_length"] == 0:  # nobody knows where it ends: what is shown of it is a guess
        mine["header"] = theirs["header"] = None
    for ours, shown in zip(mine["records"], theirs["records"]):
        certificate = shown["certificate"]
        if ours["certificate"] is None and certificate is not None:
            assert certificate.pop("error") and certificate.pop("der") is not None, str(run)
            shown["certificate"] = None
        elif certificate is not None:  # names: test_second_opinion.py
            assert certificate.pop("subject") and certificate.pop("issuer")
    assert theirs == mine


# Every file where it costs little; under sanitizers the whole text of each is shown by test_defects.
@pytest.mark.parametrize("name", list(GOLDEN)[::12 if SANITIZED else 1])
def test_every_field_of_json(ctlsign, folder, name):
    compare(ctlsign, folder / f"{name}.tlv")


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_every_field_of_good_lists(ctlsign, path):
    compare(ctlsign, path)
