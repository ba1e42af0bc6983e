# SPDX-License-Identifier: Apache-2.0
"""The parts of a file make the whole of it: no case is lost, and none runs twice."""
import os
import pathlib
import subprocess
import sys

import pytest
import sharding

CLI = pathlib.Path(__file__).resolve().parents[1] / "cli"


@pytest.mark.parametrize("parts", [1, 2, 3, 7, 12])
def test_parts_make_the_whole(parts):
    cases = list(range(11))
    found = [sharding.part_of(cases, f"{part + 1}/{parts}") for part in range(parts)]
    assert sorted(sum(found, [])) == cases
    assert max(map(len, found)) - min(map(len, found)) <= 1


@pytest.mark.parametrize("text", ["0/2", "3/2", "2", "", "a/b", "-1/2"])
def test_what_is_no_part_is_an_error(text):
    with pytest.raises((AssertionError, ValueError)):
        sharding.part_of([1, 2], text)


def collected(**env):
    run = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--collect-only",
                          CLI / "test_verify.py"], env={**os.environ, **env}, capture_output=True,
                         text=True, check=True)
    return [line for line in run.stdout.splitlines() if "::" in line]


def test_a_file_is_run_in_parts():
    whole = collected(TEST_SHARD="1/1")
    one, two = collected(TEST_SHARD="1/2"), collected(TEST_SHARD="2/2")
    assert one and two and len(one) < len(whole)
    assert sorted(one + two) == sorted(whole)
