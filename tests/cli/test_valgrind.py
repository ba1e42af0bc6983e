# SPDX-License-Identifier: Apache-2.0
"""valgrind finds nothing: key file and token, good and bad input. Not for sanitized builds."""
import lists
import pytest
from conftest import ROOT, SANITIZED
from lists import TIME

pytestmark = pytest.mark.skipif(SANITIZED, reason="valgrind cannot run a sanitized program")
TWO = "SAST-ADN008580ef"


@pytest.fixture
def memcheck(ctlsign, tmp_path):
    """memcheck(args…): the run under valgrind, its children too; fails on any report."""
    def run(*args, status=0, **kw):
        logs = tmp_path / "valgrind"
        logs.mkdir(exist_ok=True)
        for old in logs.iterdir():
            old.unlink()
        result = ctlsign(*args, timeout=300, wrapper=[
            "valgrind", "-q", "--vgdb=no", "--leak-check=full", "--show-leak-kinds=definite,indirect",
            "--errors-for-leak-kinds=definite,indirect", "--error-exitcode=97", "--track-fds=no",
            "--trace-children=no", f"--suppressions={ROOT}/tests/valgrind.supp",
            f"--log-file={logs}/%p"], **kw)
        said = "".join(p.read_text(errors="replace") for p in sorted(logs.iterdir()))
        reports = [line for line in said.splitlines() if "== " in line or line.endswith("==")]
        assert not reports, f"{result}\n{said}"
        assert result.status == status, str(result)
        return result
    return run


def test_build_show_verify_extract(memcheck, ctlsign, cluster, tmp_path):
    out = tmp_path / "CTLFile.tlv"
    memcheck("build", "-o", out, "-m", lists.manifest(cluster), "--timestamp", TIME)
    memcheck("show", out)
    memcheck("show", "--json", out)
    memcheck("verify", "--trust", cluster / "pub.pem", out)
    memcheck("extract", out, "-o", tmp_path / "x")
    memcheck("build", "-o", tmp_path / "again.tlv", "-m", tmp_path / "x" / "cluster.yaml",
             *lists.key(cluster, "tokenless"))


def test_build_with_a_token(memcheck, cluster, lab, tmp_path):
    out = tmp_path / "CTLFile.tlv"
    memcheck("build", "-o", out, *lists.records(cluster, "tokens"), *lab.key(TWO),
             "--timestamp", TIME, "--timeout", 200, env=lab.env)
    assert out.stat().st_size == 5728


def test_failures(memcheck, ctlsign, cluster, lab, tmp_path):
    out = tmp_path / "CTLFile.tlv"
    data = lists.build(ctlsign, cluster, "tokenless", out)
    wrong = tmp_path / "wrong"
    wrong.write_text("no such pin")
    wrong.chmod(0o600)
    memcheck("build", "-o", tmp_path / "n.tlv", *lists.records(cluster, "tokens"),
             *lab.key(TWO, wrong), env=lab.env, status=6)
    memcheck("build", "-o", tmp_path / "n.tlv", "-k", cluster / "capf.key", "--cert",
             cluster / "pub.pem", status=3)
    path = cluster / "bad.yaml"
    path.write_text("file: x\nrecords:\n  - {role: NONE}\n")
    memcheck("build", "-o", tmp_path / "n.tlv", "-m", path, *lists.key(cluster, "tokenless"),
             status=3)
    for size in (2000, 400, 100):
        out.write_bytes(data[:size])
        memcheck("show", out, status=3)
        memcheck("verify", "--trust", cluster / "pub.pem", out, status=3)


def test_tokens_and_export(memcheck, ctlsign, cluster, lab, tmp_path):
    out = tmp_path / "CTLFile.tlv"
    lists.build(ctlsign, cluster, "tokens", out)
    words = ["--module", lab.module, "--timeout", 200]
    memcheck("tokens", *words, "--list", out, env=lab.env)
    memcheck("tokens", *words, "--json", env=lab.env)
    memcheck("tokens", *words, "pkcs11:token=nobody", env=lab.env, status=4)
    uri = f"pkcs11:token={TWO}?pin-source=file:{lab.pin_file}"
    memcheck("export", *words, "-o", tmp_path / "x", "--prove", uri, env=lab.env)
    memcheck("export", *words, "-o", tmp_path / "x", "--prove", uri, env=lab.env, status=9)
    memcheck("export", "-o", tmp_path / "y", "--json", "--from", out, "--trust", cluster / f"{TWO}.pem")


def test_diff_identify_expiry(memcheck, ctlsign, cluster, tmp_path):
    old, new, cut = (tmp_path / name for name in ("old.tlv", "new.tlv", "cut.tlv"))
    data = lists.build(ctlsign, cluster, "tokenless", old)
    lists.build(ctlsign, cluster, "tokens", new)
    cut.write_bytes(data[:2000])
    memcheck("diff", old, old)
    memcheck("diff", old, new, status=1)
    memcheck("diff", old, new, "--json", status=1)
    memcheck("diff", old, cut, status=3)
    memcheck("identify", "70CAF64E090751B9DF22F49F754FC5BB", tmp_path, status=3)  # cut.tlv is not whole
    memcheck("identify", "abcd", tmp_path, "--json", status=3)
    memcheck("identify", "abcx", tmp_path, status=2)
    memcheck("identify", "abcd", cut, status=3)
    for form in ("text", "syslog", "prometheus", "json"):
        memcheck("expiry", "--within", "9000d", "--format", form, tmp_path, status=3)
    memcheck("expiry", old, cut, status=3)
    page = ["--release", "10.5", "--html", tmp_path / "plan.html"]
    memcheck("plan", old, new, *page, "--accept-lockout", "all")
    memcheck("plan", old, new, *page, "--json", status=1)
    memcheck("plan", old, cut, *page, status=3)
