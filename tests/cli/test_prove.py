# SPDX-License-Identifier: Apache-2.0
"""scripts/prove: what it says, and its quick parts (docs/PROOF.md)."""
import os
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
needs_frama_c = pytest.mark.skipif(shutil.which("frama-c") is None,
                                   reason="Frama-C is not here: 'scripts/deps prove' installs it (860 MB)")


def prove(*args, root=ROOT, path=None):
    return subprocess.run([root / "scripts/prove", *args], text=True, capture_output=True, check=False,
                          env=dict(os.environ, PATH=path or os.environ["PATH"]))


def test_each_part_has_its_harness():
    frame = {"any", "any_of_list", "err", "alloc", "walk", "cursor", "element", "lists", "records", "span"}
    assert set(prove("-l").stdout.split()) == {p.stem for p in (ROOT / "tests/prove").glob("*.c")} - frame


def test_without_frama_c_it_says_what_to_do():
    said = prove("list", path="/nowhere")
    assert said.returncode == 2
    assert "scripts/deps prove" in said.stderr


@needs_frama_c
def test_the_quick_parts_are_proven():
    said = prove("record", "list")
    assert said.returncode == 0, said.stdout + said.stderr
    assert said.stdout.count("alarms: 0,") == 2
