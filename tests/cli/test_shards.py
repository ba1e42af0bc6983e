# SPDX-License-Identifier: Apache-2.0
"""The recipes of docs/scale.md: names dealt out to workers by GNU parallel, as they stand there."""
import os
import pathlib
import re
import shutil
import signal
import subprocess

import pytest
from conftest import PROGRAM, ROOT
from test_config import leftovers, many, served, sgn  # noqa: F401
from test_remote import CLIENT, needs_server, server  # noqa: F401
from token_helpers import FAULT, TWO, fault, wait_for  # noqa: F401

pytestmark = pytest.mark.skipif(shutil.which("parallel") is None, reason="no GNU parallel")
FILES, EACH = 100, 20
TYPED = re.sub(r"[^\w/.-]", r"\\\g<0>", str(PROGRAM))  # inside of quotes


def recipe(number, folder):
    """The page's number-th recipe, for this folder, with small shares."""
    page = (ROOT / "docs" / "scale.md").read_text()
    blocks = [b for b in re.findall(r"(?:^    .*\n)+", page, re.M) if "parallel" in b]
    text = blocks[number]
    for old, new in (("/srv/tftp", str(folder)), ("-N 1000", f"-N {EACH}"),
                     ("ctlsign config", f"{TYPED} config"),
                     ("parallel ", "parallel --will-cite ")):
        assert old in text, old
        text = text.replace(old, new)
    return text


def deal(ctlsign, text, lab, module, env):
    """The recipe, started."""
    home = {"PARALLEL_HOME": ctlsign.home, "SHELL": "/bin/bash"}
    return subprocess.Popen(
        ["bash", "-o", "pipefail", "-c", text], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, start_new_session=True,
        env={**ctlsign.environment(env), **{k: str(v) for k, v in home.items()},
             "KEY": f"pkcs11:token={TWO}", "MODULE": str(module), "PIN_FILE": str(lab.pin_file)})


def finished(child):
    out, err = child.communicate(timeout=120)
    assert "Sanitizer" not in err, err
    return child.returncode, out, err


def good(ctlsign, text, lab, module, env=None):
    status, out, err = finished(deal(ctlsign, text, lab, module, env))
    assert status == 0, err
    return out


@pytest.fixture
def recipe_of(lab, served, tmp_path):
    """The page's first recipe, with a copy of the SoftHSM for each worker: processes that log in to
    one at the same moment read each other's half-written files (as the page says)."""
    for number in ("1", "2"):
        shutil.copytree(lab.folder / "tokens", tmp_path / number / "tokens")
        (tmp_path / number / "softhsm2.conf").write_text(
            (lab.folder / "softhsm2.conf").read_text().replace(
                str(lab.folder / "tokens"), str(tmp_path / number / "tokens")))
    return recipe(0, served).replace(
        f"{TYPED} config", f"SOFTHSM2_CONF={tmp_path}/{{%}}/softhsm2.conf {TYPED} config")


def workers(child):
    """Processes of the program below this one that are not a token's. Who hides from others has a name all the same."""
    parents = {}
    for path in pathlib.Path("/proc").iterdir():
        try:
            if path.name.isdigit() and (path / "comm").read_text() == f"{PROGRAM.name}\n":
                fields = (path / "stat").read_text().rsplit(")", 1)[1].split()
                if int(fields[3]) == child.pid:  # its session
                    parents[int(path.name)] = int(fields[1])
        except (OSError, IndexError):
            pass
    return [pid for pid, parent in parents.items() if parent not in parents]


def test_each_worker_logs_in_and_a_second_run_signs_nothing(ctlsign, cluster, lab, fault, served, recipe_of):
    paths = many(served, FILES)
    odd = served / "two\nlines.cnf.xml"
    odd.write_bytes(b"<odd/>")
    f = fault()
    good(ctlsign, recipe_of, lab, FAULT, f.env)
    assert all(sgn(p).exists() for p in [*paths, odd]) and not leftovers(served)
    assert f.logins == -(-(FILES + 1) // EACH) and f.calls("C_Sign") == FILES + 1
    f.forget()
    out = good(ctlsign, recipe_of, lab, FAULT, f.env)
    assert f.calls("C_Sign") == 0
    assert out.count(": unchanged") == FILES + 1
    run = ctlsign.ok("config", "verify", "--cert", cluster / f"{TWO}.pem", *map(sgn, paths))
    assert run.out.count("good signature") == FILES


def test_a_worker_is_killed_and_the_run_repeated(ctlsign, cluster, lab, fault, served, recipe_of):
    paths = many(served, FILES)
    f = fault("C_Sign * sleep 0.03")
    child = deal(ctlsign, recipe_of, lab, FAULT, f.env)
    assert wait_for(lambda: f.calls("C_Sign") > 3)
    os.kill(wait_for(lambda: workers(child))[0], signal.SIGKILL)
    status, _, _ = finished(child)
    done = [p for p in paths if sgn(p).exists()]
    assert status != 0 and 0 < len(done) < FILES
    f.write()
    f.forget()
    good(ctlsign, recipe_of, lab, FAULT, f.env)
    assert f.calls("C_Sign") == FILES - len(done) and not leftovers(served)
    run = ctlsign.ok("config", "verify", "--cert", cluster / f"{TWO}.pem", *map(sgn, paths))
    assert run.out.count("good signature") == FILES


@needs_server
def test_each_worker_has_a_remote_token_of_its_own(ctlsign, cluster, lab, fault, server, served,
                                                     tmp_path):
    paths = many(served, FILES)
    sockets = tmp_path / "tokens"
    sockets.mkdir(mode=0o700)
    counters = []
    for number in ("1", "2"):
        folder = tmp_path / f"token{number}"
        folder.mkdir()
        plan, counter = folder / "plan", folder / "calls"
        plan.write_text(f"module {lab.module}\ncounter {counter}\n")
        s = server({**lab.env, "CTLSIGN_FAULT_PLAN": plan}, FAULT, f"pkcs11:token={TWO}")
        (sockets / f"{number}.sock").symlink_to(s.path)
        counters.append(counter)
    text = recipe(1, served).replace("/run/tokens", str(sockets))
    good(ctlsign, text, lab, CLIENT)
    signed = [c.read_text().split().count("C_Sign") for c in counters]
    assert min(signed) > 0 and sum(signed) == FILES
    run = ctlsign.ok("config", "verify", "--cert", cluster / f"{TWO}.pem", *map(sgn, paths))
    assert run.out.count("good signature") == FILES


def test_shares_by_number(ctlsign, cluster, served):
    """The page's split: eight shares, every name in one of them."""
    page = (ROOT / "docs" / "scale.md").read_text()
    assert r"split -t '\0' -n r/3/8 names" in page
    names = served / "names"
    names.write_bytes(b"".join(os.fsencode(p) + b"\0" for p in many(served, 50)))
    seen = []
    for share in range(1, 9):
        out = subprocess.run(["split", "-t", r"\0", "-n", f"r/{share}/8", names], check=True,
                             capture_output=True).stdout
        ctlsign.ok("config", "sign", "-k", cluster / "sub1.key", "--cert", cluster / "sub1.pem",
                   "--files-from", "-", "-0", input=out)
        seen += out.split(b"\0")[:-1]
    assert sorted(seen) == sorted(names.read_bytes().split(b"\0")[:-1])
    assert all(pathlib.Path(os.fsdecode(n + b".sgn")).exists() for n in seen)
