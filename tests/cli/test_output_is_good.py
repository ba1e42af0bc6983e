# SPDX-License-Identifier: Apache-2.0
"""What would not verify is not signed: the verdict of verify, on what build and update are about to make.

Nothing is asked, and no file is there or changed, where the status is not 0.
"""
import sys

import lists
import pytest
from test_defects import DEFECTS

sys.path.insert(0, str(DEFECTS))

import generate  # noqa: E402  (found through the path above)

SAYS = "the list would not be good, so it is not signed: "


@pytest.fixture
def signs(cluster):
    return ["-k", cluster / "pub.key", "--cert", cluster / "pub.pem"]


@pytest.fixture
def present(tmp_path):
    """present(defect): that list, published."""
    def make(name):
        path = tmp_path / "served" / "CTLFile.tlv"
        path.parent.mkdir()
        path.write_bytes(generate.DEFECTS[name]() if isinstance(name, str) else name)
        return path
    return make


@pytest.mark.parametrize("name,filename", [("CTLFile.tlv", "ITLFile.tlv"), ("ITLFile.tlv", "CTLFile.tlv"),
                                           ("ext_itl", "CTLFile.tlv"), ("CTLSEP00.tlv", "itl")])
def test_build_under_the_other_kind_s_name(ctlsign, cluster, tmp_path, name, filename):
    out = tmp_path / "out" / name
    out.parent.mkdir()
    ctlsign.refused(1, "build", "-o", out, *lists.anchor(cluster), "--filename", filename,
                    says=[SAYS, "FILENAME is that of another kind"])
    assert not list(out.parent.iterdir())


def test_build_with_a_weak_key_of_another(ctlsign, cluster, signer, tmp_path):
    """Not the signer's: nobody would have asked about it."""
    _, weak = signer("rsa512")
    out = tmp_path / "out" / "CTLFile.tlv"
    out.parent.mkdir()
    line = ["build", "-o", out, *lists.anchor(cluster), "--ccm-tftp", f"{weak},name=n,address=10.0.0.1"]
    ctlsign.refused(1, *line, says=[SAYS, "record 2: weak key: 512 bits", "--allow-weak-keys"])
    assert not list(out.parent.iterdir())
    ctlsign.ok(*line, "--allow-weak-keys")
    run = ctlsign("verify", "--trust", cluster / "pub.pem", out)
    assert run.status == 1 and run.last_line == "BAD signature" and "error: record 2: weak key" in run.out


# Records that update takes over raw, each well-formed and wrong.
WRONG = ["error-behind-warnings", "error-before-warnings", "subject-of-another-certificate", "public-key-of-another-certificate",
         "serial-of-another-certificate", "certificate-cut", "dns-name-with-nul-inside", "record-public-key-twice"]


@pytest.mark.parametrize("name", WRONG)
def test_update_takes_no_error_over(ctlsign, present, signs, tmp_path, name):
    path = present(name)
    before, out = path.read_bytes(), tmp_path / "out"
    out.mkdir()
    for where in (["-o", out / "CTLFile.tlv"], ["--in-place"]):
        run = ctlsign("update", path, *where, *signs)
        assert run.status == 1 and not run.out, str(run)
        assert path.read_bytes() == before and not list(out.iterdir()) and len(list(path.parent.iterdir())) == 1


def test_what_is_good_is_signed(ctlsign, present, signs, cluster, tmp_path):
    """Else all of it would be refused. What is only unusual is taken over."""
    for name in ("unknown-tag-in-a-record", "record-twice"):
        path, out = present(name), tmp_path / f"CTLFile-{name}.tlv"
        ctlsign.ok("update", path, "-o", out, *signs)
        assert ctlsign.ok("verify", "--trust", cluster / "pub.pem", out).last_line.startswith("good")
        path.unlink()
        path.parent.rmdir()
