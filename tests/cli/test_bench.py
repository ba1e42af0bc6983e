# SPDX-License-Identifier: Apache-2.0
"""tests/bench/run: that it runs, and that no work takes more instructions than were recorded.

Times are no part of a test: how fast the program is, docs/SPEED.md says.
"""
import re
import shutil
import subprocess

import pytest
from conftest import BUILD, ROOT, SANITIZED

pytestmark = [
    pytest.mark.skipif(SANITIZED, reason="a sanitizer's times say nothing"),
    pytest.mark.skipif(shutil.which("pkcs11-tool") is None, reason="no pkcs11-tool"),
    pytest.mark.skipif(shutil.which("valgrind") is None, reason="no valgrind")]


TIMED = ["small", "python", "batch", "large", "records", "lists"]
KIND = re.search(r"CMAKE_BUILD_TYPE:\w+=(\w*)", (BUILD / "CMakeCache.txt").read_text()).group(1)


def bench(tmp_path, *options, parts):
    return subprocess.run([ROOT / "tests" / "bench" / "run", "--quick", "--build", BUILD, "--folder",
                           tmp_path, *options, *(x for p in parts for x in ("--only", p))],
                          capture_output=True, text=True, timeout=500, check=False)


def test_the_benchmark_runs(tmp_path):
    run = bench(tmp_path, "--peer", "cp {key} {out}", parts=TIMED)
    assert run.returncode == 0, run.stderr
    rows = {cells[1].strip(): [c.strip() for c in cells[2:]]
            for cells in (line.split("|") for line in run.stdout.splitlines()) if len(cells) == 8}
    for work in ("`show`, 10 records", "`verify`, 10 records", "`build`, 10 records, token", "the peer"):
        assert re.fullmatch(r"[\d.]+ ms", rows[work][0]), run.stdout
    for kind in ("token", "key"):
        for jobs in (1, 2):
            assert "/s" in rows[f"`config sign`, 100 files, {kind}, `--jobs {jobs}`"][0]
    assert rows["`C_Login` for 100 files"][0] == "1" and rows["`C_Login` for 100 files"][4] == "yes"
    assert rows["sign → strip → compare, 4 MB sparse"][0] == "the same"
    assert re.fullmatch(r"Python: [\d.]+ ms", rows["`build`, against Python"][1])
    assert rows["`verify`, 200 records"][0].endswith("ms a record")
    assert any(work.startswith("`identify`, 200 lists") for work in rows), run.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(KIND != "Release", reason="instructions are recorded of the release build")
def test_no_work_takes_more_instructions(tmp_path):
    """If this fails without a reason that is worth it, mend the work; else 'tests/bench/run --only
    instructions --record', and a line in docs/SPEED.md."""
    run = bench(tmp_path, "--check", parts=["instructions"])
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"\| build-500 \| [\d,]+ \| [\d,]+ \| [-+]?[\d.]+ %", run.stdout), run.stdout
