# SPDX-License-Identifier: Apache-2.0
"""scripts/prove: its quick parts prove, and a fault is an alarm (docs/PROOF.md)."""
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
    frame = {"any", "err", "alloc", "walk", "cursor", "element", "lists"}
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


def plant(root, file, sound, fault):
    """A copy of what is proven, with one fault in it."""
    for folder in ("tlv", "pkcs11", "signer", "scripts", "tests/prove"):
        shutil.copytree(ROOT / folder, root / folder)
    source = (root / file).read_text()
    assert source.count(sound) == 1
    (root / file).write_text(source.replace(sound, fault))


@needs_frama_c
@pytest.mark.parametrize("part, file, sound, fault", [
    # Tag 99 is a shift of 99 bits.
    ("record", "tlv/record.c", "r->repeated |= BIT(f->row->number)", "r->repeated |= BIT(f->tag)"),
])
def test_a_fault_is_an_alarm(tmp_path, part, file, sound, fault):
    plant(tmp_path, file, sound, fault)
    said = prove(part, root=tmp_path)
    assert said.returncode == 1
    assert f"  {file}:" in said.stdout
