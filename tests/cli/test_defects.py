# SPDX-License-Identifier: Apache-2.0
"""Named defects: what show and verify say of each, where, and with which status.

tests/defects/golden.tsv is the contract; 'test_defects.py PROGRAM' prints a new one, to be read
line by line before it is taken over.
"""
import csv
import json
import pathlib
import subprocess
import sys
import tempfile
import unicodedata

import pytest

HERE = pathlib.Path(__file__).resolve().parent
DEFECTS = HERE.parent / "defects"
sys.path.insert(0, str(DEFECTS))

import generate  # noqa: E402  (found through the path above)

COLUMNS = ["name", "class", "show", "show says", "verify", "verify says", "verdict"]
# What is no defect of the file, but of the sample cluster: small keys, one anchor, today's date.
USUAL = ("which is weak today", "only one SAST", "certificate expired", "is not valid before")
CLASSES = {(1, 1): "does-not-verify", (0, 1): "does-not-verify", (3, 3): "unreadable", (0, 0): "warns"}


def rows_of_golden():
    with open(DEFECTS / "golden.tsv", encoding="utf-8", newline="") as f:
        return {row["name"]: row for row in csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE)}


def sentence(err, path):
    """The error message without the program's and the file's name."""
    lines = [line for line in err.splitlines() if line.startswith("ctlsign: ")]
    assert len(lines) <= 1, err
    return "".join(lines).removeprefix("ctlsign: ").removeprefix(f"{path}: ")


def findings(out):
    """Errors; of a list without errors its unusual warnings."""
    lines = out.splitlines()[:-1]
    errors = [line for line in lines if line.startswith("error: ")]
    return errors or [line for line in lines if not any(usual in line for usual in USUAL)]


def row_of(run, name, path):
    """The row of one defect; run(args) gives status, output and errors."""
    status, out, err = run(["show", path])
    row = {"name": name, "show": str(status), "show says": sentence(err, path)}
    if status == 3:
        assert "used to sign" in out or "Error parsing" in out
    status, out, err = run(["verify", "--trust", "self", path])
    row.update({"verify": str(status), "verify says": sentence(err, path) or " | ".join(findings(out)),
                "verdict": out.splitlines()[-1].rstrip() if out else ""})
    row["class"] = CLASSES[int(row["show"]), int(row["verify"])]
    return {column: row[column] or "-" for column in COLUMNS}


def harmless(text):
    """No byte that a terminal obeys; tabs and line ends are ours. None that shows nothing and turns the rest."""
    for character in text:
        assert unicodedata.category(character) not in ("Cf", "Zl", "Zp"), f"U+{ord(character):04X} in {text!r}"
        code = ord(character)
        assert code >= 0x20 or character in "\n\t", f"U+{code:04X} in {text!r}"
        assert not 0x7f <= code <= 0x9f, f"U+{code:04X} in {text!r}"
        assert not 0xd800 <= code <= 0xdfff, f"not UTF-8: {text!r}"


GOLDEN = rows_of_golden() if __name__ != "__main__" else {}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("defects")
    assert sorted(generate.write(path)) == sorted(GOLDEN)
    return path


def test_there_are_enough_of_each_class():
    classes = [row["class"] for row in GOLDEN.values()]
    assert classes.count("does-not-verify") >= 60 and classes.count("unreadable") >= 60


@pytest.mark.parametrize("name", GOLDEN)
def test_defect(ctlsign, folder, name):
    path = folder / f"{name}.tlv"
    outputs = []

    def run(args):
        got = ctlsign(*args)
        outputs.append(str(got))
        harmless(got.out + got.err)
        return got.status, got.out, got.err
    assert row_of(run, name, path) == GOLDEN[name], "\n".join(outputs)


@pytest.mark.parametrize("name", [name for name in GOLDEN if "-with-" in name or "escapes" in name or
                                  "utf8" in name or "surrogate" in name or "without-nul" in name])
def test_json_is_harmless_too(ctlsign, folder, name):
    path = folder / f"{name}.tlv"
    shown, verified = ctlsign("show", "--json", path), ctlsign("verify", "--trust", "self", "--json", path)
    assert (str(shown.status), str(verified.status)) == (GOLDEN[name]["show"], GOLDEN[name]["verify"])
    for run in (shown, verified):
        harmless(run.out + run.err)
        if run.status != 3:
            json.loads(run.out)


# The installed list holds every signer as SAST, the weak keys too: only the signature decides.
BAD = [name for name, row in GOLDEN.items() if row["verdict"] == "BAD signature"
       and any(why in row["verify says"] for why in ("does not verify with the key", "proves nothing"))
       and name != "record-public-key-missing" and "in-the-clear" not in name]


@pytest.mark.parametrize("name", BAD)
def test_no_phone_that_trusts_the_key_takes_a_bad_signature(ctlsign, folder, name):
    run = ctlsign("accept", "--installed", folder / "installed" / "weak-anchors.tlv", folder / f"{name}.tlv")
    assert run.status == 1, str(run)
    assert run.out.startswith("refused: bad-signature\n"), str(run)
    harmless(run.out + run.err)


def test_every_forgery_is_among_them():
    forged = {name for name in GOLDEN if name.startswith(("forged-", "pkcs1-"))}
    clear = {name for name in forged if "in-the-clear" in name}
    assert len(forged) >= 20 and len(clear) == 2 and forged - clear <= set(BAD)


@pytest.mark.parametrize("name", ["forged-e1-in-the-clear", "forged-e1-2048-in-the-clear"])
def test_a_perfect_signature_that_proves_nothing(ctlsign, folder, name):
    """With an exponent of 1 the padded digest is its own signature: whoever can add writes it."""
    path, trust = folder / f"{name}.tlv", folder / "installed" / "weak-anchors.tlv"
    for who in ("self", trust):
        run = ctlsign("verify", "--trust", who, path)
        assert (run.status, run.last_line) == (1, "BAD signature"), str(run)
        assert "error: signature: proves nothing: the public exponent of record 1 is 1 or even" in run.out
    run = ctlsign("show", path)
    assert run.status == 1 and "The CTL file could not be verified." in run.out, str(run)
    ctlsign.refused(3, "verify", "--trust", path, trust, says="vouches for nobody")
    # What a phone does is another question: nothing says that it looks at the exponent.
    run = ctlsign("accept", "--installed", trust, path)
    assert run.status == 0 and run.out.startswith("accepted: signer-is-sast\n"), str(run)
    assert "warning: the signer's public exponent is 1 or even" in run.out


def test_a_configuration_that_anybody_signed(ctlsign, tmp_path):
    weak = generate.weak_record("pub", 1)
    server = generate.change(weak, tag_4=generate.u16(2))
    (tmp_path / "CTLFile.tlv").write_bytes(generate.seal(body=[*generate.records(), server]))
    header = generate.parts(weak, version=b"\x01\x00\x02\x01\x00",
                            filename=generate.field(14, generate.text("a.cnf.xml.sgn")))
    (tmp_path / "a.cnf.xml.sgn").write_bytes(generate.seal(
        header, b"<device/>\n", make=lambda signed: generate.in_the_clear()(signed, 128)))
    run = ctlsign("config", "verify", "--trust", tmp_path / "CTLFile.tlv", tmp_path / "a.cnf.xml.sgn")
    assert run.status == 1 and "proves nothing" in run.out + run.err, str(run)


def test_a_configuration_whose_signer_is_two(ctlsign, tmp_path):
    """Two servers answer to its serial number and issuer, with different keys: nobody can say which phones take."""
    mine = generate.record("pub", "CCM+TFTP")
    fields = dict(mine)
    twin = generate.record("sub1", "CCM+TFTP", tag_5=fields[5], tag_6=fields[6])
    header = generate.parts(mine, version=b"\x01\x00\x02\x01\x00",
                            filename=generate.field(14, generate.text("a.cnf.xml.sgn")))
    (tmp_path / "a.cnf.xml.sgn").write_bytes(generate.seal(header, b"<device/>\n"))
    for servers, status in (([mine], 0), ([mine, twin], 1), ([twin, mine], 1)):
        (tmp_path / "CTLFile.tlv").write_bytes(generate.seal(body=[*generate.records()[:2], *servers]))
        run = ctlsign("config", "verify", "--trust", tmp_path / "CTLFile.tlv", tmp_path / "a.cnf.xml.sgn")
        assert run.status == status and ("other keys" in run.out + run.err) == bool(status), str(run)


def test_generator_makes_the_same_bytes_again(folder, tmp_path):
    subprocess.run(["/usr/bin/python3", DEFECTS / "generate.py", tmp_path], check=True,
                   stdout=subprocess.DEVNULL)
    for path in folder.rglob("*.tlv"):
        assert path.read_bytes() == (tmp_path / path.relative_to(folder)).read_bytes(), path.name


def print_golden(program):
    def run(args):
        done = subprocess.run([program, *map(str, args)], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr
    with tempfile.TemporaryDirectory() as folder:
        print("\t".join(COLUMNS))
        for name in generate.write(folder):
            row = row_of(run, name, pathlib.Path(folder) / f"{name}.tlv")
            print("\t".join(row[column] for column in COLUMNS))


if __name__ == "__main__":
    print_golden(sys.argv[1])
