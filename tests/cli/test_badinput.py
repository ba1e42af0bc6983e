# SPDX-License-Identifier: Apache-2.0
"""Bad input: the right status, one clear sentence, no output file, an existing one untouched."""
import hashlib
import os
import pathlib
import resource
import shutil
import subprocess
import tempfile

import lists
import pytest
from conftest import PROGRAM, SANITIZED, make_certificate
from lists import PUB, SUB, TIME


@pytest.fixture(params=["fresh", "existing"])
def target(request, ctlsign, cluster, tmp_path):
    """An output path, once with and once without a list there; checks afterwards that nothing changed."""
    folder = tmp_path / "target"
    folder.mkdir()
    path = folder / "CTLFile.tlv"
    before = None
    if request.param == "existing":
        lists.build(ctlsign, cluster, "tokenless", path)
        path.chmod(0o640)
        before = (path.read_bytes(), path.stat())
    yield path
    assert [p.name for p in folder.iterdir()] == ([path.name] if before else [])
    if before:
        now = path.stat()
        assert path.read_bytes() == before[0]
        for what in ("st_ino", "st_mode", "st_mtime_ns", "st_size", "st_uid"):
            assert getattr(now, what) == getattr(before[1], what), what


def build(cluster, target, *more, key=("pub.key", "pub.pem")):
    words = ["build", "-o", target, *more]
    if "-m" not in more and "--sast" not in more:
        words += ["--sast", f"{cluster}/pub.pem,name=n"]
    if key:
        words += ["-k", cluster / key[0]]
        if len(key) > 1:
            words += ["--cert", cluster / key[1]]
    return words


# Files ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("what", ["missing", "empty", "folder", "text", "half"])
@pytest.mark.parametrize("where", ["record", "cert", "key", "manifest"])
def test_inputs_that_are_none(ctlsign, cluster, target, tmp_path, what, where):
    bad = tmp_path / f"{what}-{where}.pem"
    if what == "folder":
        bad.mkdir()
    elif what != "missing":
        content = {"empty": b"", "text": b"no certificate: here\nat all\n",
                   "half": (cluster / "pub.pem").read_bytes()[:300]}[what]
        bad.write_bytes(content)
        bad.chmod(0o600)
    args = {"record": build(cluster, target, "--ccm-tftp", f"{bad},address={SUB}"),
            "cert": ["build", "-o", target, "-k", cluster / "pub.key", "--cert", bad],
            "key": ["build", "-o", target, "-k", bad, "--cert", cluster / "pub.pem"],
            "manifest": build(cluster, target, "-m", bad)}[where]
    ctlsign.refused(3, *args, says=bad.name)


def test_devices_and_pipes(ctlsign, cluster, target, tmp_path):
    """A manifest is a regular file; a certificate from a device is bounded."""
    os.mkfifo(tmp_path / "fifo.yaml")
    ctlsign.refused(3, *build(cluster, target, "-m", tmp_path / "fifo.yaml"), says="fifo.yaml",
                    timeout=20)
    ctlsign.refused(3, *build(cluster, target, "-m", "/dev/zero"), says="/dev/zero", timeout=20)
    ctlsign.refused(3, *build(cluster, target, "--ccm-tftp", f"/dev/zero,name=n,address={SUB}"),
                    says="/dev/zero", timeout=20)


# Keys ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("verb", ["trust", "believe", "uploads", "history", "certs", "identify",
                                  "expiry"])
def test_a_pipe_or_a_device_in_a_folder_is_never_opened(ctlsign, cluster, tmp_path, verb):
    folder = tmp_path / "folder"
    folder.mkdir()
    list_ = tmp_path / "CTLFile.tlv"
    lists.build(ctlsign, cluster, "tokenless", list_)
    shutil.copy(list_, folder / "b.tlv")
    shutil.copy(cluster / "sub1.pem", folder / "c.pem")
    os.mkfifo(folder / "a.tlv")
    os.mkfifo(folder / "d.pem")
    (folder / "e.pem").symlink_to("/dev/zero")
    (folder / "f.pem").symlink_to("/dev/tty")
    words = {"trust": ["verify", "--trust", folder, list_],
             "believe": ["extract", list_, "-o", tmp_path / "parts", "--trust", folder],
             "uploads": ["accept", "--installed", list_, "--sast-trust", folder, list_],
             "history": ["accept", "--installed-dir", folder, list_],
             "certs": ["update", list_, "-o", tmp_path / "new.tlv", "-k", cluster / "pub.key", "--certs", folder],
             "identify": ["identify", hashlib.sha1(list_.read_bytes()).hexdigest(), folder],
             "expiry": ["expiry", "--within", "1d", folder]}[verb]
    run = ctlsign(*words, timeout=30)
    assert run.status in ((0, 1) if verb == "expiry" else (0,)), run
    assert "/dev/" not in run.err and "fifo" not in run.err.lower()


def test_a_certificate_without_its_key(ctlsign, cluster, target):
    ctlsign.refused(3, "build", "-o", target, "-k", cluster / "pub.pem", says="pub.pem")
    ctlsign.refused(2, "build", "-o", target, "--cert", cluster / "pub.pem", says="-k")
    ctlsign.refused({2, 3}, "build", "-o", target, "-k", cluster / "capf.key", says="--cert")


def test_a_key_that_is_not_the_certificate_s(ctlsign, cluster, target):
    ctlsign.refused(3, *build(cluster, target, key=("capf.key", "pub.pem")), says="capf.key")
    ctlsign.refused(3, *build(cluster, target, key=("pub-regenerated.key", "pub.pem")))


@pytest.mark.parametrize("kind,says", [("ec", "RSA"), ("ed25519", "RSA"), ("rsa3072", "3072"),
                                       ("rsa1000", "1000")])
def test_signers_that_the_format_cannot_express(ctlsign, signer, target, kind, says):
    key, cert = signer(kind)
    ctlsign.refused(3, "build", "-o", target, *lists.by(key, cert), says=says)


# Lengths -------------------------------------------------------------------------------------

def test_a_name_over_65535_bytes(ctlsign, cluster, target):
    ctlsign.refused(3, *build(cluster, target, "--sast", f"{cluster}/pub.pem,name={'n' * 66000}"),
                    says="65535")


def test_a_record_over_65535_bytes(ctlsign, cluster, target):
    # The name alone fits: 65001 bytes with its NUL.
    ctlsign.refused(3, *build(cluster, target, "--sast", f"{cluster}/pub.pem,name={'n' * 65000}"),
                    says=["record", "65535"])


def test_a_certificate_over_65535_bytes(ctlsign, cluster, keys, target, tmp_path):
    big = make_certificate(tmp_path / "big.pem", keys["rsa1024b"],
                           [("ORGANIZATIONAL_UNIT_NAME", "u" * 40000), ("COMMON_NAME", "big")])
    ctlsign.refused(3, *build(cluster, target, "--ccm-tftp", f"{big},address={SUB}"), says="65535")


def test_a_header_over_65535_bytes(ctlsign, cluster, target):
    # The field alone fits.
    ctlsign.refused(3, *build(cluster, target, "--filename", "f" * 65400), says=["header", "65535"])


# The manifest --------------------------------------------------------------------------------

def manifest(cluster, text):
    path = cluster / "cluster.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


GOOD_ROW = "  - {role: SAST, cert: pub.pem, name: a, address: 10.0.0.1}\n"
HEAD = "file: CTLFile.tlv\nstyle: cucm\nkey: pub.key\ncert: pub.pem\n"


MANIFESTS = [
    (HEAD + "records:\n" + GOOD_ROW + "  - {role: CCM-TFTP, cert: pub.pem}\n", 7, "CCM-TFTP"),
    (HEAD + "records:\n  - role: sast\n    cert: pub.pem\n", 6, "sast"),
    (HEAD + "colour: blue\nrecords:\n" + GOOD_ROW, 5, "colour"),
    (HEAD + "records:\n  - {role: SAST, cert: pub.pem, port: 1}\n", 6, "port"),
    (HEAD + "records: 5\n", 5, ""),
    (HEAD + "records: {role: SAST}\n", 5, ""),
    (HEAD + "records:\n  - SAST\n", 6, ""),
    (HEAD + "records:\n  - {role: SAST, cert: [a, b]}\n", 6, ""),
    (HEAD + "mode: insecure\nrecords:\n" + GOOD_ROW, 5, "insecure"),
    (HEAD + "digest: md5\nrecords:\n" + GOOD_ROW, 5, "md5"),
    ("style: cisco\nkey: pub.key\ncert: pub.pem\nrecords:\n" + GOOD_ROW, 1, "cisco"),
    (HEAD + "records:\n" + GOOD_ROW + "  - {role: TFTP, cert: pub.pem, name: b, address: 10.0.0.256}\n",
     7, "10.0.0.256"),
    (HEAD + "records:\n" + GOOD_ROW + "  - {role: TFTP, cert: pub.pem, name: b, address: '2001:db8::1'}\n",
     7, "2001:db8::1"),
    (HEAD + "records:\n" + GOOD_ROW + "  - {role: TFTP, cert: none.pem, name: b}\n", 7, "none.pem"),
    (HEAD + "records:\n" + GOOD_ROW + "  - {role: TFTP, name: b}\n", 7, "cert"),
    (HEAD + "records:\n" + GOOD_ROW + "  - {cert: pub.pem, name: b}\n", 7, "role"),
    (HEAD + "cert: sub1.pem\nrecords:\n" + GOOD_ROW, 5, "cert"),
    (HEAD + "records:\n  - {role: SAST, role: CAPF, cert: pub.pem}\n", 6, "role"),
    (HEAD + "records:\n  - &a {role: SAST, cert: pub.pem, name: a}\n  - *a\n", 6, "anchors"),
    (HEAD + "records:\n" + GOOD_ROW + "---\nfile: x\n", None, ""),
    (HEAD + "records:\n" + GOOD_ROW + "  - {role: 'unclosed\n", None, ""),
    (HEAD + "\trecords: []\n", None, ""),
    (b"file: CTL\0File.tlv\n", None, ""),
    (b"file: \"CTL\\0File.tlv\"\nkey: pub.key\ncert: pub.pem\nrecords:\n" + GOOD_ROW.encode(), 1, ""),
    (b"file: \xff\xfe\n", None, ""),
    (HEAD + "#" + "x" * (1 << 20) + "\n", None, ""),
    ("- just\n- a list\n", None, ""),
    ("key: 'pkcs11:token=x?module-path=/tmp/evil.so'\nrecords:\n" + GOOD_ROW, 1, "module-path"),
    ("key: 'pkcs11:token=x?pin-source=file:/etc/passwd'\nrecords:\n" + GOOD_ROW, 1, "pin-source"),
    ("key: 'pkcs11:token=x?module-name=evil'\nrecords:\n" + GOOD_ROW, 1, "module-name"),
    ("key: 'pkcs11:token=x?pin-value=1234'\nrecords:\n" + GOOD_ROW, 1, "pin-value"),
    ("key: 'pkcs11:token=x?pin-source=|/bin/pin'\nrecords:\n" + GOOD_ROW, 1, "pin-source"),
    ("key: pub.key\ncert: 'pkcs11:token=x?module-path=/tmp/evil.so'\nrecords:\n" + GOOD_ROW, 2, "module-path"),
    (HEAD + "records:\n" + GOOD_ROW + "  - {role: SAST, cert: 'pkcs11:token=x?module-path=/tmp/evil.so'}\n", 7,
     "module-path"),
]


@pytest.mark.parametrize("text,line,says", MANIFESTS, ids=range(len(MANIFESTS)))
def test_manifest_errors_name_file_and_line(ctlsign, cluster, target, text, line, says):
    path = manifest(cluster, text)
    run = ctlsign.refused(3, "build", "-o", target, "-m", path, says=[path.name, says])
    if line is not None:
        assert f"cluster.yaml:{line}:" in run.errors[0], str(run)
    assert "1234" not in run.err


def test_the_manifest_s_file_is_a_name_not_a_path(ctlsign, cluster, tmp_path):
    path = manifest(cluster, HEAD.replace("CTLFile.tlv", "../../evil.tlv") + "records:\n" + GOOD_ROW)
    run = ctlsign("build", "-o", tmp_path / "CTLFile.tlv", "-m", path)
    assert run.status in (0, 3), str(run)
    assert not (tmp_path.parent / "evil.tlv").exists() and not (tmp_path / "evil.tlv").exists()


# The command line ----------------------------------------------------------------------------

@pytest.mark.parametrize("words", [
    ["build"], ["build", "-o"], ["build", "--nonsense"], ["nonsense"], [],
    ["show", "a", "b"], ["verify"], ["build", "-o", "x.tlv", "stray"],
    ["build", "-o", "x.tlv", "--digest", "md5"], ["build", "-o", "x.tlv", "--style", "cisco"],
    ["build", "-o", "x.tlv", "--mode", "mixd"], ["build", "-o", "x.tlv", "--timestamp", "soon"],
    ["build", "-o", "x.tlv", "--timestamp", "-1"], ["build", "-o", "x.tlv", "--timestamp", "4294967296"],
    ["build", "-o", "x.tlv", "--signer-version", "2"], ["build", "-o", "x.tlv", "--timeout", "0x"],
    ["build", "-o", "x.tlv", "-o", "y.tlv", "-k", "k"], ["help", "nonsense"],
])
def test_bad_command_lines(ctlsign, tmp_path, words):
    run = ctlsign(*words, cwd=tmp_path)
    assert run.status == 2, str(run)
    assert run.out == "" and "ctlsign" in run.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("record", ["pub.pem,address=10.0.0", "pub.pem,address=10.0.0.256",
                                    "pub.pem,address=::1", "pub.pem,address=", "pub.pem,address=1.2.3.4x",
                                    "pub.pem,name=", ""])
def test_bad_record_options(ctlsign, cluster, target, record):
    value = f"{cluster}/{record}" if record else ""
    ctlsign.refused({2, 3}, *build(cluster, target, "--ccm-tftp", value))


def test_no_output_named(ctlsign, cluster):
    ctlsign.refused(2, "build", "-k", cluster / "pub.key", "--cert", cluster / "pub.pem", says="-o")


def test_no_records_and_no_key(ctlsign, target):
    ctlsign.refused(2, "build", "-o", target)


@pytest.mark.parametrize("source", ["|cat /etc/passwd", "file:", "env:", "fd:x", "fd:-1", "1234", ""])
def test_bad_pin_sources(ctlsign, cluster, target, source):
    ctlsign.refused(2, *build(cluster, target, "--pin-source", source))


@pytest.mark.parametrize("words", [["--help"], ["help"], ["help", "build"], ["build", "--help"],
                                   ["show", "-h"], ["--version"]])
def test_help_goes_to_stdout(ctlsign, words):
    run = ctlsign.ok(*words)
    assert run.out.strip() and run.err == ""


# Outputs -------------------------------------------------------------------------------------

def test_a_folder_that_is_not_there(ctlsign, cluster, tmp_path):
    ctlsign.refused(9, *build(cluster, tmp_path / "none" / "CTLFile.tlv"), says="none")


def test_an_output_that_is_a_folder(ctlsign, cluster, tmp_path):
    folder = tmp_path / "CTLFile.tlv"
    folder.mkdir()
    ctlsign.refused(9, *build(cluster, folder), says="CTLFile.tlv")
    assert list(folder.iterdir()) == []


def test_an_output_in_proc(ctlsign, cluster):
    ctlsign.refused(9, *build(cluster, "/proc/CTLFile.tlv"), says="/proc/CTLFile.tlv")


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to become somebody else")
def test_an_unwritable_folder(ctlsign, cluster):
    with tempfile.TemporaryDirectory() as name:
        base = pathlib.Path(name)
        base.chmod(0o755)
        shutil.copy(PROGRAM, base / "ctlsign")
        shutil.copytree(cluster, base / "cluster")
        for path in [base / "cluster", *(base / "cluster").iterdir()]:
            os.chown(path, 65534, 65534)
        target = base / "target"
        target.mkdir(mode=0o755)
        (target / "CTLFile.tlv").write_text("mine")
        (target / "CTLFile.tlv").chmod(0o644)
        # A process that cannot be traced cannot be searched for leaks.
        ctlsign.refused(9, *build(base / "cluster", target / "CTLFile.tlv"), says="CTLFile.tlv",
                        program=base / "ctlsign", user=65534, group=65534, extra_groups=[],
                        env={"ASAN_OPTIONS": "detect_leaks=0:exitcode=99"} if SANITIZED else None)
        assert (target / "CTLFile.tlv").read_text() == "mine"
        assert len(list(target.iterdir())) == 1


@pytest.mark.parametrize("limit", [0, 1, 336, 4096, 4946])
def test_a_file_that_may_not_grow(ctlsign, cluster, target, limit):
    def small():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    ctlsign.refused(9, *build(cluster, target, "-m", lists.manifest(cluster)), preexec_fn=small,
                    restore_signals=False, says="CTLFile.tlv")


@pytest.fixture
def tiny_disk(tmp_path):
    """A file system of 8 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k,nr_inodes=8", "tmpfs", str(folder)],
                           stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if mount.returncode != 0:
        pytest.skip(f"no tmpfs can be mounted here: {mount.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk(ctlsign, cluster, tiny_disk):
    out = tiny_disk / "CTLFile.tlv"
    lists.build(ctlsign, cluster, "tokenless", out)  # 4947 bytes: two blocks of two
    before = out.read_bytes()
    # Now there is no room for a second one beside it.
    ctlsign.refused(9, *build(cluster, out, "-m", lists.manifest(cluster)), says=["CTLFile.tlv"])
    assert out.read_bytes() == before
    assert [p.name for p in tiny_disk.iterdir()] == [out.name]


def test_a_full_disk_while_extracting(ctlsign, cluster, tiny_disk, tmp_path):
    out = tmp_path / "CTLFile.tlv"
    lists.build(ctlsign, cluster, "tokenless", out)
    ctlsign.refused(9, "extract", out, "-o", tiny_disk / "x")


def test_stdout_that_is_full(ctlsign, cluster, tmp_path):
    out = tmp_path / "CTLFile.tlv"
    lists.build(ctlsign, cluster, "tokenless", out)
    for words in (["show", out], ["show", "--json", out], ["verify", "--trust", "self", out],
                  ["--version"]):
        with open("/dev/full", "w", encoding="ascii") as full:
            run = subprocess.run([str(PROGRAM), *map(str, words)], stdin=subprocess.DEVNULL,
                                 stdout=full, stderr=subprocess.PIPE, text=True, check=False,
                                 env=ctlsign.environment())
        assert run.returncode == 9, f"{words}: {run.returncode} {run.stderr}"


def test_stdout_that_is_closed_early(ctlsign, cluster, tmp_path):
    out = tmp_path / "CTLFile.tlv"
    lists.build(ctlsign, cluster, "tokenless", out)
    read, write = os.pipe()
    os.close(read)
    run = subprocess.run([str(PROGRAM), "show", str(out)], stdin=subprocess.DEVNULL, stdout=write,
                         stderr=subprocess.PIPE, text=True, check=False, env=ctlsign.environment())
    os.close(write)
    assert run.returncode in (9, -13, 141), run.stderr


def test_messages_do_not_carry_terminal_escapes(ctlsign, cluster, target):
    run = ctlsign.refused(3, *build(cluster, target, "--ccm-tftp", "evil\x1b]0;x\x07.pem"))
    assert "\x1b" not in run.err and "\x07" not in run.err


def test_a_time_before_1970_and_after_2106(ctlsign, cluster, target):
    for value in ("-5", "4294967296", "99999999999999999999", "1e9", ""):
        ctlsign.refused(2, *build(cluster, target, "--timestamp", value))
    assert TIME < 4294967296 and PUB


def test_a_message_cannot_be_forged(ctlsign, cluster, tmp_path):
    """A line break in a manifest's value stays within the message's own line."""
    manifest = cluster / "forged.yaml"
    manifest.write_text(lists.MANIFEST.format(pub="pub").replace(
        "role: CAPF,", 'role: "x\\nctlsign: all is well",'))
    run = ctlsign.refused(3, "build", "-o", tmp_path / "CTLFile.tlv", "-m", manifest)
    assert not any(line.startswith("ctlsign: all") for line in run.err.splitlines()), str(run)
    assert "x\\x0actlsign: all is well" in run.err
