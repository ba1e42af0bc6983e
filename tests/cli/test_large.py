# SPDX-License-Identifier: Apache-2.0
"""Lists beyond every phone's: refused when they are read, and read in proportionate memory where that is wanted."""
import resource
import shutil
import struct

import lists
import pytest
from conftest import DATA, PROGRAM, SANITIZED

MIB = 1 << 20
GOOD = DATA / "lists" / "cucm.tlv"


def of_tiny_records(path, size, record=b"\1\0\2\0\5"):
    """A genuine header and records of five bytes each: their length, and no field more."""
    data = GOOD.read_bytes()
    header = struct.unpack(">H", data[8:10])[0]
    path.write_bytes(data[:header] + record * ((size - header) // len(record)))
    return path


# The longest record, of one unknown field: so few that every verb is through at once.
LONG = b"\1\0\2\xfd\xf0\x20\xfd\xe8" + bytes(65000)

VERBS = [["show", "{}"], ["verify", "{}"], ["verify", "--trust", "{}", GOOD], ["extract", "{}", "-o", "x"], ["diff", "{}", GOOD],
         ["accept", "--installed", "{}", GOOD], ["accept", "--installed", "none", "{}"], ["accept", "--installed-dir", "dir", GOOD],
         ["plan", GOOD, "{}", "--release", "12.5"], ["identify", "00000000", "{}"], ["expiry", "{}"], ["export", "--from", "{}", "-o", "x"],
         ["update", "{}", "-n", "KEY"], ["migrate", "to-tokens", "{}", "KEY", "-o", "x"], ["build", "-o", "{}", "KEY", "--sast", "SAST", "--yes"],
         ["config", "verify", "--trust", "{}", GOOD], ["tokens", "--list", "{}"], ["doctor", "--list", "{}"],
         ["accept", "--installed", GOOD, "--tvs-ctl", "{}", GOOD]]


@pytest.mark.parametrize("words", VERBS, ids=lambda words: " ".join(map(str, words))[:40])
def test_over_four_mib_is_refused_when_read(ctlsign, cluster, tmp_path, words):
    big = of_tiny_records(tmp_path / "CTLFile.tlv", 4 * MIB + 2 * len(LONG), LONG)
    (tmp_path / "dir").mkdir()
    shutil.copy(big, tmp_path / "dir")
    filled = []
    for word in words:
        filled += {"KEY": lists.key(cluster, "tokenless"), "SAST": [f"{cluster}/pub.pem,name=n"]}.get(
            word, [str(word).format(big)])
    run = ctlsign(*filled, cwd=tmp_path)
    assert "more than 4194304 bytes: no phone takes such a list; --allow-large reads it" in run.err + run.out, str(run)
    assert run.status in (1, 3), str(run)
    assert not (tmp_path / "x").exists()
    before = big.read_bytes()
    run = ctlsign(*filled, "--allow-large", cwd=tmp_path)
    assert "--allow-large reads it" not in run.err + run.out, str(run)[-3000:]
    assert big.read_bytes() == before
    shutil.rmtree(tmp_path / "x", ignore_errors=True)


def test_four_mib_are_read(ctlsign, tmp_path):
    path = of_tiny_records(tmp_path / "CTLFile.tlv", 4 * MIB, LONG)
    assert path.stat().st_size <= 4 * MIB
    assert "--allow-large" not in ctlsign("verify", path).err


@pytest.mark.skipif(SANITIZED, reason="memory, once")
@pytest.mark.parametrize("words, factor", [(["show", "--json", "{a}"], 12), (["verify", "{a}"], 12), (["diff", "{a}", "{b}"], 60),
                                           (["expiry", "{a}"], 12), (["plan", "--release", "12.5", "{a}", "{b}"], 60)])
def test_memory_is_proportionate(ctlsign, tmp_path, words, factor):
    """No more than so many times the bytes that are read, besides what every run takes."""
    a = of_tiny_records(tmp_path / "a.tlv", MIB)
    b = of_tiny_records(tmp_path / "b.tlv", MIB, b"\1\0\2\0\x08\x20\0\0")
    limit = 64 * MIB + factor * MIB
    run = ctlsign(*(word.format(a=a, b=b) for word in words), program=PROGRAM,
                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit)))
    assert run.status in (0, 1, 3) and "out of memory" not in run.err, str(run)[-2000:]
