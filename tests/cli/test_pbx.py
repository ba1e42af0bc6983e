# SPDX-License-Identifier: Apache-2.0
"""What a PBX needs: one phone's own list, and warnings of what only some phones read."""
import shlex
import subprocess

import peerlist
import pytest
from conftest import PROGRAM, ROOT, openssl
from lists import TIME

EC = "phones take a TFTP server's EC certificate, for HTTPS on port 6971, only from a list of signer version 1.1 [peer]"
SHA512 = "phones that do not support SHA-512 do not work with a list that is signed with it [SG15]"
DEVICE = "SEP001122334455"


@pytest.fixture
def signs(cluster):
    return ["-k", cluster / "pub.key", "--cert", cluster / "pub.pem", "--timestamp", TIME, "--style", "rfc4514"]


@pytest.fixture
def ec(tmp_path):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp384r1", "-nodes", "-subj", "/O=x/CN=ec",
            "-keyout", tmp_path / "ec.key", "-out", tmp_path / "ec.pem")
    return tmp_path / "ec.pem"


@pytest.mark.parametrize("kind", ["CTL", "ITL"])
def test_one_phones_own_list(ctlsign, cluster, signs, tmp_path, kind):
    out = tmp_path / f"{kind}File.tlv"
    run = ctlsign.ok("build", "-o", out, *signs, "--tftp", cluster / "sub1.pem")
    general = out.read_bytes()
    out.unlink()
    own = tmp_path / f"{kind}{DEVICE}.tlv"
    # The runner looks for what -o names.
    words = ["build", f"--output={out}", *signs, "--tftp", cluster / "sub1.pem"]
    run = ctlsign.ok(*words, "--device", DEVICE)
    assert run.out.startswith(f"{own}: ") and not out.exists()
    assert own.read_bytes() == general and peerlist.parse(general)["header"]["filename"] == f"{kind}File.tlv"
    ctlsign.ok("verify", "--trust", cluster / "pub.pem", own)


@pytest.mark.parametrize("device", ["001122334455", "SEP00112233445", "SEP0011223344556", "SEP00112233445G",
                                    "SEP00112233445a", "../SEP001122334", ""])
def test_what_is_no_device(ctlsign, cluster, signs, tmp_path, device):
    ctlsign.refused(2, "build", "-o", tmp_path / "ITLFile.tlv", *signs, "--tftp", cluster / "sub1.pem",
                    "--device", device, says="MAC")
    assert [p.name for p in tmp_path.iterdir()] == ["cluster"]


def test_the_name_says_the_kind(ctlsign, cluster, signs, tmp_path):
    ctlsign.refused(2, "build", "-o", tmp_path / "list.tlv", *signs, "--tftp", cluster / "sub1.pem", "--device", DEVICE,
                    says="CTL or ITL")


def test_an_ec_certificate_wants_signer_version_1_1(ctlsign, cluster, signs, ec, tmp_path):
    out = tmp_path / "ITLFile.tlv"
    for role, version, warned in (("tftp", [], True), ("tftp", ["--signer-version", "1.0"], True), ("ccm-tftp", [], True),
                                  ("tftp", ["--signer-version", "1.1"], False), ("app-server", [], False)):
        out.unlink(missing_ok=True)
        run = ctlsign.ok("build", "-o", out, *signs, f"--{role}", ec, "--tftp", cluster / "sub1.pem", *version)
        assert (EC in run.err) == warned and ("'--signer-version 1.1'" in run.err) == warned, str(run)
        check = ctlsign.ok("verify", "--trust", cluster / "pub.pem", out)
        assert (EC in check.out + check.err) == warned, str(check)
    out.unlink()
    run = ctlsign.ok("build", "-o", out, *signs, "--tftp", cluster / "sub1.pem")
    assert EC not in run.err
    # The list that is changed keeps its version.
    assert EC in ctlsign.ok("update", out, "--in-place", *signs[:4], "--add", f"TFTP={ec}").err


def test_sha512(ctlsign, cluster, signs, tmp_path):
    for digest in ("sha1", "sha256", "sha512"):
        run = ctlsign.ok("build", "-o", tmp_path / f"ITL{digest}.tlv", *signs, "--tftp", cluster / "sub1.pem", "--digest", digest)
        assert (SHA512 in run.err) == (digest == "sha512"), str(run)


@pytest.mark.parametrize("action", ["sign", "encrypt"])
def test_configuration_that_only_some_phones_read(ctlsign, cluster, signs, ec, tmp_path, action):
    """SHA-512, and an EC certificate in the list that phones hold."""
    config = tmp_path / f"{DEVICE}.cnf.xml"
    config.write_bytes(b"<device></device>")
    lists = {}
    for name, more in (("plain", []), ("ec", ["--tftp", ec]), ("ec-1.1", ["--tftp", ec, "--signer-version", "1.1"])):
        lists[name] = tmp_path / f"ITL{name}.tlv"
        ctlsign.ok("build", "-o", lists[name], *signs, "--tftp", cluster / "pub.pem", *more)
    words = ["config", action, *signs[:4], *(["--for", cluster / "sub1.pem"] if action == "encrypt" else [])]
    for digest in ("sha1", "sha256", "sha512"):
        run = ctlsign.ok(*words, "--digest", digest, config)
        assert (SHA512 in run.err) == (digest == "sha512") and EC not in run.err, str(run)
    for name, path in lists.items():
        run = ctlsign.ok(*words, "--trust", path, config)
        assert (EC in run.err) == (name == "ec") and SHA512 not in run.err, str(run)


def test_the_timers_command(ctlsign, cluster, signs, tmp_path):
    """What the recipe's service runs: it signs what changed, prints nothing else, and minds no empty folder."""
    unit = (ROOT / "docs" / "recipes" / "pbx.md").read_text()
    line = unit[unit.index("ExecStart=/bin/sh -c '") + len("ExecStart=/bin/sh -c '"):]
    line = line[:line.index("'\n")].replace("\\\n", " ")
    for folder in ("srv/phones", "srv/tftp", "etc/phones"):
        (tmp_path / folder).mkdir(parents=True)
    for name, file in (("asterisk.key", "pub.key"), ("asterisk.pem", "pub.pem")):
        (tmp_path / "etc/phones" / name).write_bytes((cluster / file).read_bytes())
        (tmp_path / "etc/phones" / name).chmod(0o600)
    ctlsign.ok("build", "-o", tmp_path / "srv/tftp/ITLFile.tlv", *signs, "--tftp", cluster / "pub.pem")
    line = line.replace("/srv/", f"{tmp_path}/srv/").replace("/etc/", f"{tmp_path}/etc/").replace(
        "| ctlsign ", f"| {shlex.quote(str(PROGRAM))} ")

    def run():
        done = subprocess.run(["/bin/sh", "-c", line], env=ctlsign.environment(), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout
    assert run() == ""
    phones = [tmp_path / "srv/phones" / f"SEP{i:012X}.cnf.xml" for i in range(40)]
    for path in phones:
        path.write_text("<device/>")
    assert run().count(": signed") == 40
    assert run() == ""
    phones[7].write_text("<device>other</device>")
    assert run() == f"{tmp_path}/srv/tftp/{phones[7].name}.sgn: signed\n"
    ctlsign.ok("config", "verify", "--trust", tmp_path / "srv/tftp/ITLFile.tlv",
               tmp_path / "srv/tftp" / f"{phones[7].name}.sgn")
