# SPDX-License-Identifier: Apache-2.0
"""The tutorial, from its first line to its last: each command prints what the page says."""
import pathlib
import shutil
import subprocess
import sys

import pytest
from conftest import BUILD, PROGRAM, ROOT, SANITIZED

PAGE = ROOT / "docs" / "man" / "ctlsign-tutorial.7.scd"
RUN = ROOT / "tests" / "tutorial" / "run"

# Tokens are slow under sanitizers, and the page does not depend on the preset.
pytestmark = pytest.mark.skipif(SANITIZED, reason="once, with the release build")


def tutorial(page, program=PROGRAM, lab=ROOT / "scripts" / "lab", **kw):
    return subprocess.run([sys.executable, RUN, "--lab", lab, page, program], capture_output=True,
                          text=True, stdin=subprocess.DEVNULL, check=False, **kw)


def test_every_command_prints_what_the_page_says():
    run = tutorial(PAGE)
    assert run.returncode == 0 and run.stdout.endswith(" 0 differ\n"), run.stdout + run.stderr
    assert int(run.stdout.split()[1]) > 25


def test_installed(tmp_path):
    """With nothing of the source but the page and what runs it."""
    installed = subprocess.run(["cmake", "--install", BUILD, "--prefix", tmp_path / "usr"],
                               capture_output=True, text=True, check=False)
    assert installed.returncode == 0, installed.stderr
    lab = tmp_path / "usr" / "share" / "doc" / "ctlsign" / "examples" / "ctlsign-lab"
    run = tutorial(PAGE, tmp_path / "usr" / "bin" / "ctlsign", lab, cwd=tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("old,new", [
    ("45627437aa83f931627e06ab3387063d(MD5)", "45627437aa83f931627e06ab3387063e(MD5)"),
    ("\nrefused: signer-not-sast\n", "\nrefused: signer-unknown\n"),
    ("--remove role=SAST,", "--remove role=TFTP,"),
    ("\n$ echo $?\n1\n", "\n$ echo $?\n0\n")])
def test_a_page_that_is_wrong_is_seen(tmp_path, old, new):
    text = PAGE.read_text()
    assert old in text
    page = tmp_path / "page.scd"
    page.write_text(text.replace(old, new))
    run = tutorial(page)
    assert run.returncode == 1 and "--- the page says" in run.stdout, run.stdout


def test_a_page_without_sessions_is_refused(tmp_path):
    page = tmp_path / "page.scd"
    page.write_text("# NAME\n\n```\nno command\n```\n")
    run = tutorial(page)
    assert run.returncode == 1 and "no session" in run.stderr


def test_a_lab_says_what_it_lacks(tmp_path):
    (tmp_path / "bin").mkdir()
    for tool in ("bash", "dirname", "env"):
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool))
    run = subprocess.run([ROOT / "scripts" / "lab", tmp_path / "lab"], capture_output=True,
                         text=True, env={"PATH": str(tmp_path / "bin")}, check=False)
    assert run.returncode == 1 and "install openssl, softhsm2 and opensc" in run.stderr


@pytest.mark.parametrize("place", ["lib/x86_64-linux-gnu/softhsm", "lib64/pkcs11", "lib64", "lib/softhsm", "local/lib/softhsm"])
def test_a_lab_finds_softhsm_where_distributions_have_it(tmp_path, place):
    """Never that of another kind of machine."""
    script = tmp_path / "lab"
    script.write_text((ROOT / "scripts" / "lab").read_text().replace(" /usr/lib", f" {tmp_path}/lib").replace(
        " /usr/local", f" {tmp_path}/local"))
    ours = pathlib.Path("/proc/self/exe").read_bytes()[:64]
    other = ours[:18] + bytes(255 - byte for byte in ours[18:20]) + ours[20:]
    for folder, content in ((tmp_path / "lib" / "a-linux-gnu" / "softhsm", other), (tmp_path / place, ours)):
        folder.mkdir(parents=True)
        (folder / "libsofthsm2.so").write_bytes(content)
    run = subprocess.run(["bash", script, "--find", "libsofthsm2.so"], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, f"{tmp_path}/{place}/libsofthsm2.so\n")
    run = subprocess.run(["bash", script, "--find", "libsoftokn3.so"], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (1, "")
