# SPDX-License-Identifier: Apache-2.0
"""Named defects of terminal logs: what show says of each, and on which line.

tests/defects/golden-logs.tsv is the contract; 'test_log_defects.py PROGRAM' prints a new one, to be
read line by line before it is taken over.
"""
import csv
import pathlib
import subprocess
import sys
import tempfile

import pytest

HERE = pathlib.Path(__file__).resolve().parent
DEFECTS = HERE.parent / "defects"
sys.path.insert(0, str(DEFECTS))

import logs  # noqa: E402  (found through the path above)

COLUMNS = ["name", "show", "records", "says"]
TEXT = logs.LOG.read_text()


def sentence(err, path):
    return " / ".join(line.strip().removeprefix("ctlsign: ").replace(str(path), "LOG") for line in err.splitlines())


def golden():
    with open(DEFECTS / "golden-logs.tsv", encoding="utf-8", newline="") as f:
        return {row["name"]: row for row in csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE)}


def row(name, path, status, out, err):
    return {"name": name, "show": str(status), "records": str(out.count("CTL Record #:")),
            "says": sentence(err, path) or "-"}


def test_every_defect_has_its_row():
    assert list(golden()) == list(logs.DEFECTS)


@pytest.mark.parametrize("name", logs.DEFECTS)
def test_show_says_what_is_wrong_and_where(ctlsign, tmp_path, name):
    path = tmp_path / "LOG"
    path.write_text(logs.DEFECTS[name](TEXT))
    run = ctlsign("show", path)
    assert row(name, path, run.status, run.out, run.err) == golden()[name]
    # What is damaged is never taken for a list that is whole.
    if run.status == 3:
        for verb in (["diff", path, logs.LOG], ["accept", "--installed", logs.LOG, path], ["expiry", path]):
            assert ctlsign(*verb).status == 3, verb


def main(program):
    print("\t".join(COLUMNS))
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "LOG"
        for name, make in logs.DEFECTS.items():
            path.write_text(make(TEXT))
            run = subprocess.run([program, "show", path], capture_output=True, text=True, check=False)
            print("\t".join(row(name, path, run.returncode, run.stdout, run.stderr)[c] for c in COLUMNS))


if __name__ == "__main__":
    main(sys.argv[1])
