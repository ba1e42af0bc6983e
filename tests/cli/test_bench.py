# SPDX-License-Identifier: Apache-2.0
"""tests/bench/run: that it runs. How fast the program is, it says elsewhere (docs/SPEED.md)."""
import re
import shutil
import subprocess

import pytest
from conftest import BUILD, ROOT, SANITIZED

pytestmark = [
    pytest.mark.skipif(SANITIZED, reason="a sanitizer's times say nothing"),
    pytest.mark.skipif(shutil.which("pkcs11-tool") is None, reason="no pkcs11-tool"),
    pytest.mark.skipif(shutil.which("valgrind") is None, reason="no valgrind")]


def test_the_benchmark_runs(tmp_path):
    run = subprocess.run([ROOT / "tests" / "bench" / "run", "--quick", "--build", BUILD, "--folder",
                          tmp_path, "--peer", "cp {key} {out}"], capture_output=True, text=True,
                         timeout=300, check=False)
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
    assert re.search(r"\| build-10 \| [\d,]+ \|", run.stdout)
    assert not list(tmp_path.iterdir())
