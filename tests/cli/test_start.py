# SPDX-License-Identifier: Apache-2.0
"""What a process opens to begin with: nothing that is not needed."""
import os
import re
import shutil

import pytest
from conftest import SANITIZED
from lists import TIME
from token_helpers import TWO

pytestmark = [
    pytest.mark.skipif(SANITIZED, reason="strace and LeakSanitizer exclude each other"),
    pytest.mark.skipif(shutil.which("strace") is None, reason="no strace")]


def opened(ctlsign, tmp_path, *args, env=None):
    """The files that a run opens, its token's process among them."""
    log = tmp_path / "trace"
    run = ctlsign(*args, env=env, wrapper=["strace", "-f", "-qq", "-o", log, "-e", "trace=open,openat"])
    if "ptrace" in run.err:
        pytest.skip(f"strace cannot trace here: {run.err.strip()[:200]}")
    assert run.status == 0, str(run)
    if os.geteuid() != 0:
        pytest.skip("a hardened process shows what it opens to root only")
    return set(re.findall(r'"([^"]+)", [^=]*= \d', log.read_text()))


def test_one_named_module_is_loaded_alone(ctlsign, lab, tmp_path):
    path = tmp_path / "SEP001122334455.cnf.xml"
    path.write_bytes(b"<device/>")
    files = opened(ctlsign, tmp_path, "config", "sign", "-k", f"pkcs11:token={TWO}", "--module",
                   lab.module, "--pin-source", f"file:{lab.pin_file}", "--timestamp", TIME, path,
                   env=lab.env)
    assert os.path.realpath(lab.module) in files  # a link might be turned meanwhile
    others = {f for f in files if f.endswith((".module", "pkcs11.conf")) or
              re.search(r"opensc-pkcs11|p11-kit-(trust|proxy|client)|libnssckbi|softokn", f)}
    assert not others


def test_no_module_is_loaded_for_a_key_file(ctlsign, cluster, tmp_path):
    path = tmp_path / "SEP001122334455.cnf.xml"
    path.write_bytes(b"<device/>")
    files = opened(ctlsign, tmp_path, "config", "sign", "-k", cluster / "sub1.key", "--cert",
                   cluster / "sub1.pem", "--timestamp", TIME, path)
    assert not {f for f in files if re.search(r"pkcs11|softhsm|guard|\.module$", f)}
