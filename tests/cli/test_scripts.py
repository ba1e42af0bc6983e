# SPDX-License-Identifier: Apache-2.0
"""What people run from a checkout builds elsewhere, too: a checkout may be read-only."""
import os
import subprocess

import pytest
from conftest import ROOT, SANITIZED

pytestmark = pytest.mark.skipif(SANITIZED, reason="once, with the release build")


def script(name, folder, tmp_path):
    """A run that ends at cmake, which prints what it is asked for."""
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir(exist_ok=True)
    (bin_folder / "cmake").write_text('#!/bin/sh\nprintf "<%s>" "$@"\nexit 1\n')
    (bin_folder / "cmake").chmod(0o755)
    env = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}", "BUILD_DIR": str(folder)}
    run = subprocess.run([ROOT / "scripts" / name], cwd=tmp_path, env=env, stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert run.returncode == 1, run.stdout
    return run.stdout


@pytest.mark.parametrize("name,preset", [("demo", "release"), ("test", "asan")])
def test_built_elsewhere(tmp_path, name, preset):
    elsewhere = tmp_path / "an other ö"
    for given in (elsewhere, elsewhere.name):  # from where it is started
        assert f"<--preset><{preset}><-B><{elsewhere}/{preset}>" in script(name, given, tmp_path)


@pytest.mark.parametrize("name", ["demo", "test"])
def test_a_folder_that_cannot_be_written(tmp_path, name):
    assert script(name, "/proc/nothing", tmp_path) == (
        f"{ROOT}/scripts/{name}: '/proc/nothing' cannot be written: name another folder, "
        f"BUILD_DIR=/tmp/ctlsign {ROOT}/scripts/{name}\n")
