# SPDX-License-Identifier: Apache-2.0
"""doctor: what is wrong with the machine that signs, and how to mend it; no PIN, no login."""
import json
import os
import shutil
import socket
import subprocess

import lists
import pytest
import tables
from conftest import BUILD, PROGRAM, SANITIZED, make_certificate
from preload import preloadable
from token_helpers import (FAULT, ONE, TWO, add_object, add_token, fault,  # noqa: F401
                           sanitizer)

WORLD = BUILD / "tests" / "lib" / "ctlsign-world.so"
LEVELS = ["ok", "note", "warning", "error"]


class Said:
    """A run's lines, from its JSON."""

    def __init__(self, run):
        assert run.err == "", str(run)
        self.run = run
        self.json = json.loads(run.out)
        self.lines = self.json["checks"]

    def of(self, check, subject=""):
        """The lines of a check, of the subjects that hold the text."""
        return [line for line in self.lines
                if line["check"] == check and subject in (line["subject"] or "")]

    def one(self, check, subject=""):
        lines = self.of(check, subject)
        assert len(lines) == 1, f"{lines}\n{self.run}"
        return lines[0]

    @property
    def errors(self):
        return [line["check"] for line in self.lines if line["level"] == "error"]


@pytest.fixture
def doctor(ctlsign, lab):
    """doctor(word…): what it says of the lab's tokens, or of another module's."""
    def run(*words, env=None, module=None, status=None, **kw):
        words = ["doctor", "--json", *words]
        if module != "":
            words += ["--module", module or lab.module]
        said = Said(ctlsign(*words, env={**lab.env, **(env or {})}, **kw))
        wanted = status if status is not None else 1 if said.errors else 0
        assert said.run.status == wanted, str(said.run)
        return said
    return run


def world(**what):
    """The environment of another world."""
    runtimes = sanitizer().get("LD_PRELOAD", "")
    return {"LD_PRELOAD": f"{runtimes} {preloadable(WORLD)}".strip(),
            **{f"WORLD_{name}": value for name, value in what.items()}}


# Well ----------------------------------------------------------------------------------------

def test_all_is_well(doctor, lab, tmp_path):
    said = doctor(cwd=tmp_path)
    assert said.errors == [] and said.json["errors"] == 0
    assert said.one("module")["found"].startswith("SoftHSM, Implementation of PKCS11, 2.")
    for label in (ONE, TWO):
        assert said.of("token", label)[0]["found"] == "its PIN is ready"
        assert "signs lists" in said.of("token", f"object={label}")[0]["found"]
    assert sorted(os.listdir(tmp_path)) == ["lab"], "something was left behind"
    checks = [row[1] for row in tables.rows("doctor.def", "CHECK")]
    assert set(checks) - {"list"} == {line["check"] for line in said.lines}


def test_text_is_the_json_s(ctlsign, doctor, lab, tmp_path):
    said = doctor(cwd=tmp_path)
    text = ctlsign.ok("doctor", "--module", lab.module, env=lab.env, cwd=tmp_path).out.splitlines()
    assert len(text) == len(said.lines)
    for line, of in zip(text, said.lines, strict=True):
        subject = f" '{of['subject']}'" if of["subject"] else ""
        assert line.startswith(f"{of['level']}: {of['check']}{subject}: ")
        assert of["level"] in LEVELS
        if of["check"] != "clock":
            assert line.endswith(of["found"] + (f": {of['mend']}" if of["mend"] else ""))
    counted = sum(line["level"] == "warning" for line in said.lines)
    assert said.json["warnings"] == counted == (1 if SANITIZED else 0)


def test_no_login(doctor, fault):
    f = fault()
    doctor(module=FAULT, env=f.env)
    assert f.calls("C_GetTokenInfo") > 0 and f.calls("C_FindObjects") > 0
    assert f.logins == 0 and f.calls("C_Sign") == 0 and f.calls("C_CreateObject") == 0


def test_one_token(doctor):
    said = doctor(f"pkcs11:token={TWO}")
    assert said.of("token", TWO) and not said.of("token", ONE)


# Tokens --------------------------------------------------------------------------------------

PINS = [("LOCKED", "error", "locked"), ("FINAL_TRY", "error", "one attempt left"),
        ("TO_BE_CHANGED", "error", "must be changed"), ("COUNT_LOW", "warning", "a wrong PIN was given")]


@pytest.mark.parametrize("flag,level,words", PINS, ids=[p[0] for p in PINS])
def test_the_pin_s_state(doctor, fault, flag, level, words):
    f = fault(f"C_GetTokenInfo * flags +{flag}")
    said = doctor(f"pkcs11:token={TWO}", module=FAULT, env=f.env, status=1 if level == "error" else 0)
    line = said.of("token", TWO)[0]
    assert line["level"] == level and words in line["found"] and line["mend"]
    assert f.logins == 0


def test_a_token_without_certificate(doctor, lab):
    add_token(lab, "bare")
    said = doctor("pkcs11:token=bare", status=0)
    assert [line["level"] for line in said.of("token", "bare")] == ["ok", "warning"]
    assert "--write-object" in said.of("token", "bare")[1]["mend"]


def test_certificates_that_do_not_sign(doctor, lab, keys, tmp_path):
    add_token(lab, "other")
    for kind, number in (("rsa3072", "0a"), ("rsa512", "0b"), ("rsa2048", "0c")):
        cert = make_certificate(tmp_path / f"{kind}.pem", keys[kind], [("COMMON_NAME", kind)])
        add_object(lab, "other", cert, "cert", name=kind, number=number)
    said = doctor("pkcs11:token=other", status=0)
    assert said.one("token", "object=rsa3072")["level"] == "note"
    assert said.one("token", "object=rsa512")["mend"] == "--allow-weak-keys insists"
    assert said.one("token", "object=rsa2048")["level"] == "ok"
    assert not any("no certificate" in line["found"] for line in said.of("token"))


def test_nothing_matches(doctor):
    said = doctor("pkcs11:token=nobody", status=1)
    assert said.one("token")["subject"] == "pkcs11:token=nobody"


@pytest.mark.parametrize("word", ["CTLFile.tlv", "pkcs11:", "pkcs11:colour=blue"])
def test_what_is_no_uri(ctlsign, lab, word):
    ctlsign.refused(2, "doctor", word, "--module", lab.module, env=lab.env)


def test_the_list(ctlsign, doctor, cluster, tmp_path):
    """The CTL Client's "The Security Token you have inserted does not exist in the CTL File"."""
    path = tmp_path / "CTLFile.tlv"
    lists.build(ctlsign, cluster, "tokens", path)
    said = doctor("--list", path, status=0)
    assert [line["level"] for line in said.of("list")] == ["ok", "ok"]
    assert any(TWO in line["found"] and "record 5" in line["found"] for line in said.of("list"))
    path.unlink()
    lists.build(ctlsign, cluster, "tokenless", path)
    line = doctor("--list", path, status=1).one("list")
    assert line["level"] == "error" and "migrate to-tokens" in line["mend"]
    ctlsign.refused(3, "doctor", "--list", tmp_path / "none.tlv", says="none.tlv")


# Modules -------------------------------------------------------------------------------------

FAULTS = [("C_Initialize 1+ fail 0x30", "C_Initialize: CKR_DEVICE_ERROR"),
          ("C_Initialize 1+ crash", "crashed in C_Initialize"),
          ("C_Initialize 1+ exit 0", "in C_Initialize, with exit(0)"),
          ("C_GetInfo 1+ sleep 30", "within 1 s in C_GetInfo"),
          ("C_GetSlotList 1+ crash", "crashed in C_GetSlotList")]


@pytest.mark.parametrize("plan,words", FAULTS, ids=[f[0] for f in FAULTS])
def test_a_module_that_fails(doctor, fault, plan, words):
    said = doctor("--timeout", 1, module=FAULT, env=fault(plan).env, status=1)
    line = said.one("module")
    assert line["level"] == "error" and words in line["found"] and "--module" in line["mend"]
    assert line["subject"] == str(FAULT)


# A word of the child's own: module 255, module 0 with a length beyond the end, an unknown kind, nothing.
@pytest.mark.parametrize("hexes", ["47ff0000000000000000000000", "4700000000000000ffffffff", "ff", "47"])
def test_a_module_that_speaks_for_the_child(doctor, fault, hexes):
    said = doctor(module=FAULT, env=fault(f"C_GetInfo 1+ scribble {hexes}").env, status=1)
    assert any("malformed answer" in line["found"] and "--module" in line["mend"]
               for line in said.of("module"))
    assert not said.of("token")


def test_a_token_that_hangs(doctor, fault):
    said = doctor("--timeout", 1, module=FAULT, env=fault("C_OpenSession * sleep 30").env, status=1)
    assert said.of("module")[0]["level"] == "ok"
    assert any("within 1 s in C_OpenSession" in line["found"] for line in said.of("module"))


@pytest.mark.parametrize("plan", ["C_OpenSession * sleep 30", "C_GetAttributeValue * fail 0x32"])
def test_a_token_that_fails_has_not_lost_its_certificate(doctor, fault, cluster, tmp_path, ctlsign, plan):
    """Whoever believed that would write one to the token."""
    path = tmp_path / "CTLFile.tlv"
    lists.build(ctlsign, cluster, "tokens", path)
    said = doctor(f"pkcs11:token={TWO}", "--timeout", 1, "--list", path, module=FAULT,
                  env=fault(plan).env, status=1)
    found = [line["found"] for line in said.of("token", TWO)]
    assert "failed before its certificates were read" in found
    assert not any("holds no certificate" in text for text in found)
    assert said.of("list")[0]["found"] == "no token that was read is a SAST record of it"


def test_a_slot_that_fails(doctor, fault):
    said = doctor(module=FAULT, env=fault("C_GetTokenInfo 2 fail 0x30").env, status=0)
    assert any(line["level"] == "warning" and "is left out" in line["found"]
               for line in said.of("token"))


def test_modules_that_are_none(doctor, tmp_path):
    text = tmp_path / "text.so"
    text.write_text("no library")
    for path, words in (("/nonexistent/m.so", "No such file"), ("relative.so", "absolute"),
                        (text, "cannot be loaded")):
        said = doctor(module=path, status=1)
        assert words in said.one("module")["found"], said.run


@pytest.fixture
def registry(tmp_path):
    """registry(name=text…): a wrapper that puts these files where p11-kit's registry is."""
    folder = subprocess.run(["pkg-config", "--variable=p11_module_configs", "p11-kit-1"],
                            capture_output=True, text=True, check=True).stdout.strip()
    base = ["unshare", "--mount", "--propagation", "private"]
    own = tmp_path / "registry"
    own.mkdir()

    def wrap(**modules):
        for name, text in modules.items():
            (own / f"{name}.module").write_text(text)
        return [*base, "sh", "-c", f'mount --bind "{own}" "{folder}" && exec "$@"', "sh"]
    probe = subprocess.run([*wrap(), "true"], capture_output=True, check=False)
    if probe.returncode != 0:
        pytest.skip(f"no mount namespace here: {probe.stderr.decode().strip()}")
    return wrap


def test_the_registry(doctor, lab, fault, registry):
    """A module that crashes and one that is not there do not hide the one that is."""
    wrapper = registry(good=f"module: {lab.module}\n", bad=f"module: {FAULT}\n",
                       gone="module: /nonexistent/libeToken.so\n",
                       apart="module: /nonexistent/x.so\nenable-in: other\n")
    env = fault("C_Initialize 1+ crash").env
    said = doctor(module="", env=env, wrapper=wrapper, status=1)
    assert "crashed in C_Initialize" in said.one("module", str(FAULT))["found"]
    assert "not load" in said.one("module", "/gone.module")["found"]
    assert said.one("module", lab.module)["level"] == "ok"
    assert not said.of("module", "apart")
    assert said.of("token", TWO)[0]["found"] == "its PIN is ready"


def test_a_module_that_refuses_beside_one_that_answers(doctor, lab, fault, registry):
    """A registered module that is not for this user is no error of the machine."""
    wrapper = registry(good=f"module: {lab.module}\n", bad=f"module: {FAULT}\n")
    said = doctor(module="", env=fault("C_Initialize 1+ fail 0x5").env, wrapper=wrapper, status=0)
    line = said.one("module", str(FAULT))
    assert line["level"] == "warning" and "CKR_GENERAL_ERROR" in line["found"]


def test_softhsm_without_its_folder(doctor, tmp_path):
    conf = tmp_path / "none.conf"
    conf.write_text(f"directories.tokendir = {tmp_path}/nowhere\nobjectstore.backend = file\n")
    line = doctor(env={"SOFTHSM2_CONF": conf}, status=1).one("module")
    assert line["level"] == "error" and "SOFTHSM2_CONF" in line["mend"]


def test_no_module(doctor, registry):
    said = doctor(module="", wrapper=registry(), status=0)
    assert said.one("module")["level"] == "warning" and "opensc-pkcs11" in said.one("module")["mend"]


def test_calls_that_are_logged(ctlsign, lab, registry):
    run = ctlsign("doctor", "--json", env=lab.env,
                  wrapper=registry(good=f"module: {lab.module}\nlog-calls: yes\n"))
    assert "C_GetInfo" in run.err  # p11-kit's log
    lines = [line for line in json.loads(run.out)["checks"] if line["check"] == "module"]
    assert [line["level"] for line in lines] == ["ok", "warning"] and "every PIN" in lines[1]["found"]


# The machine ---------------------------------------------------------------------------------

def test_the_clock(ctlsign, doctor, cluster, tmp_path):
    said = doctor(env=world(TIME=1000000000), status=1)
    line = said.one("clock")
    assert "2001-09-09T01:46:40Z" in line["found"] and "made" in line["found"] and line["mend"]
    # The tokens' certificates are of a later time, too.
    assert any("is valid from" in line["found"] for line in said.of("token", TWO))
    made = int(PROGRAM.stat().st_mtime)
    assert doctor(env=world(TIME=made, SYNC=1), status=0).one("clock")["level"] == "ok"
    line = doctor(env=world(TIME=made, SYNC=0), status=0).one("clock")
    assert line["level"] == "note" and "set-ntp" in line["mend"]
    # A list from the future.
    path = tmp_path / "CTLFile.tlv"
    ctlsign.ok("build", "-o", path, *lists.records(cluster, "tokens"), *lists.key(cluster, "tokens"),
               "--timestamp", made + 3600)
    line = doctor("--list", path, env=world(TIME=made), status=1).one("clock")
    assert "the list was signed" in line["found"]


def test_expired_certificates_are_told(doctor):
    said = doctor(env=world(TIME=4000000000, SYNC=1), status=0)
    line = said.of("token", f"object={TWO}")[1]
    assert line["level"] == "warning" and "expired" in line["found"]


def test_a_policy_that_forbids_sha1(doctor):
    """What its own signatures need is not what the policy looks at."""
    said = doctor(env=world(NO_SHA1=1), status=0)
    assert said.one("signature", "sha1")["level"] == "ok"
    assert [line["level"] for line in said.of("signature")] == ["ok", "ok", "ok", "note"]
    assert "policy forbids SHA-1" in said.of("signature")[3]["found"]


def test_fips(doctor, tmp_path):
    conf = tmp_path / "openssl.cnf"
    conf.write_text("openssl_conf = init\n[init]\nalg_section = algs\nproviders = provs\n"
                    "[algs]\ndefault_properties = fips=yes\n[provs]\nbase = base\n"
                    "[base]\nactivate = 1\n")
    said = doctor(env={"OPENSSL_CONF": conf}, module="/nonexistent.so", status=1)
    assert {"openssl", "signature"} <= set(said.errors)
    assert str(conf) in said.of("openssl")[0]["found"]
    for check in ("openssl", "signature"):
        assert all("OPENSSL_CONF=/dev/null" in line["mend"] for line in said.of(check)
                   if line["level"] == "error")


def test_no_legacy_provider(doctor):
    said = doctor(env=world(NO_LEGACY=1), status=0)
    assert said.one("legacy")["level"] == "note" and "PKCS#12" not in said.one("legacy")["found"]


@pytest.mark.skipif(SANITIZED, reason="AddressSanitizer stands in for mlock")
def test_memory_that_cannot_be_locked(doctor):
    line = doctor(env=world(NO_MLOCK=1), status=0).one("memory")
    assert line["level"] == "warning" and "ulimit -l" in line["mend"]


def test_dumps(doctor):
    assert doctor(status=0).one("dumps")["level"] == ("warning" if SANITIZED else "ok")


def test_pcscd(doctor, tmp_path):
    path = tmp_path / "pcscd.comm"
    env = {"PCSCLITE_CSOCK_NAME": path}
    line = doctor(env=env, status=0).one("reader")
    assert line["level"] == "note" and str(path) in line["found"] and "pcscd" in line["mend"]
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(path))
        s.listen()
        assert doctor(env=env, status=0).one("reader")["level"] == "ok"


def test_a_folder_that_takes_nothing(doctor):
    line = doctor(cwd="/proc", status=0).one("folder")
    assert line["level"] == "warning" and "-o" in line["mend"]


def test_without_its_guard(doctor, tmp_path):
    copy = tmp_path / "a" / "b" / "c" / "d" / "ctlsign"
    copy.parent.mkdir(parents=True)
    shutil.copy(PROGRAM, copy)
    line = doctor(program=copy, status=1).one("guard")
    assert "is not installed" in line["found"] and line["mend"]
