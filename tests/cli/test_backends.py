# SPDX-License-Identifier: Apache-2.0
"""One key in a file, in SoftHSM, in NSS softokn and behind a socket: one list, byte for byte."""
import shutil
import subprocess

import lists
import pytest
from token_helpers import (FAULT, TWO, Fault, build_words, fault, library, out,  # noqa: F401
                           secret)

SOFTOKN = library("libsoftokn3.so")
DIGESTS = ["sha1", "sha256", "sha512"]


@pytest.fixture
def softokn(lab, cluster, tmp_path):
    """softokn(line…): NSS's database with the key, through the fault module, which gives it its arguments."""
    if SOFTOKN is None or not shutil.which("certutil") or not shutil.which("pk12util"):
        pytest.skip("no NSS softokn (libnss3) or none of its tools (libnss3-tools)")
    folder = tmp_path / "nss"
    folder.mkdir()
    pin = secret(tmp_path / "nss-pin", "nss-Pin-17")
    for words in (["certutil", "-N", "-d", f"sql:{folder}", "-f", pin],
                  ["openssl", "pkcs12", "-export", "-inkey", cluster / f"{TWO}.key", "-in",
                   cluster / f"{TWO}.pem", "-name", TWO, "-passout", "pass:x", "-out",
                   tmp_path / "key.p12"],
                  ["pk12util", "-i", tmp_path / "key.p12", "-d", f"sql:{folder}", "-k", pin, "-W",
                   "x"]):
        run = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        assert run.returncode == 0, run.stderr
    lab.pin_file, lab.pin = pin, "nss-Pin-17"

    def make(*plan):
        f = Fault(lab, tmp_path / "fault")
        f.write(f"init-args configdir='sql:{folder}' certPrefix='' keyPrefix='' secmod='' flags=",
                *plan, module=SOFTOKN)
        return f
    return make


@pytest.mark.parametrize("digest", DIGESTS)
def test_softokn(ctlsign, cluster, out, softokn, digest):
    by_file = lists.build(ctlsign, cluster, "tokens", out, "--digest", digest)
    out.unlink()
    f = softokn()
    ctlsign.ok(*build_words(cluster, out, f.key("NSS%20Certificate%20DB")), "--digest", digest,
               env=f.env)
    assert out.read_bytes() == by_file and f.logins == 1


@pytest.mark.parametrize("digest", DIGESTS)
def test_softhsm(ctlsign, cluster, out, lab, fault, digest):
    """Directly, and through the fault module: it changes nothing that it is not told to."""
    by_file = lists.build(ctlsign, cluster, "tokens", out, "--digest", digest)
    f = fault()
    for signs, env in ((lab.key(TWO), lab.env), (f.key(), f.env)):
        out.unlink()
        ctlsign.ok(*build_words(cluster, out, signs), "--digest", digest, env=env)
        assert out.read_bytes() == by_file


def test_tokens_sees_softokn(ctlsign, softokn):
    f = softokn()
    out = ctlsign.ok("tokens", "--module", FAULT, env=f.env).out
    assert "label: NSS Certificate DB" in out and f"CN={TWO}" in out and "signs lists: yes" in out
    assert f.logins == 0


def test_export_from_softokn(ctlsign, softokn, tmp_path):
    f = softokn()
    ctlsign.ok("export", "-o", tmp_path / "x", "--prove", "--module", FAULT,
               f"pkcs11:token=NSS%20Certificate%20DB?pin-source=file:{f.lab.pin_file}", env=f.env)
    assert (tmp_path / "x" / f"{TWO}.proof").exists()


def test_softokn_takes_no_wrong_pin(ctlsign, cluster, out, softokn):
    f = softokn()
    secret(f.lab.pin_file, "no-such-pin")
    ctlsign.refused(6, *build_words(cluster, out, f.key("NSS%20Certificate%20DB")), env=f.env)
    assert f.logins == 1 and not out.exists()
