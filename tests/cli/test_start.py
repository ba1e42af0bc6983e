# SPDX-License-Identifier: Apache-2.0
"""What a process opens and loads to begin with: nothing that is not needed."""
import os
import re
import shutil
import subprocess

import lists
import pytest
import tables
from conftest import DATA, PROGRAM, ROOT, SANITIZED
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


# Libraries.

def told(*words):
    """What a tool of the machine says."""
    return subprocess.run([str(w) for w in words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=True).stdout


def test_it_is_linked_to_two_libraries():
    needed = re.findall(r"NEEDED +(\S+)", told("objdump", "-p", PROGRAM))
    named = {re.sub(r"\.so.*", "", name) for name in needed}
    assert {name for name in named if not name.startswith("ld")} == {"libcrypto", "libc"}, needed


class Work:
    """Files to be read, and the words of the verbs that read them."""

    def __init__(self, cluster, folder):
        self.out = folder / "CTLFile.tlv"
        self.phone = folder / "SEP00AABBCCDDEE.cnf.xml"
        self.phone.write_text("<device><loadInformation>a</loadInformation></device>")
        for name in ("phone.pem", "tftp.key", "tftp.pem"):
            shutil.copy(DATA / "encrypted" / name, folder)
            (folder / name).chmod(0o600)
        records = [*lists.records(cluster, "tokenless"), *lists.key(cluster, "tokenless")]
        signs = ["-k", folder / "tftp.key", "--cert", folder / "tftp.pem", "--timestamp", 1795810000]
        a_list = DATA / "lists" / "cucm.tlv"
        build = ["build", "-o", self.out, "--timestamp", TIME]
        self.words = {
            "show": ["show", a_list], "show --json": ["show", "--json", a_list],
            "verify": ["verify", "--trust", "self", a_list],
            "build": [*build, *records], "build -m": [*build, "-m", lists.manifest(cluster)],
            "config sign": ["config", "sign", *signs, self.phone],
            "config encrypt": ["config", "encrypt", *signs, "--for", folder / "phone.pem", self.phone]}


@pytest.fixture
def work(cluster, tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    return Work(cluster, folder)


def soname(library):
    """Of the one that the compiler would link to."""
    folder = told("pkg-config", "--variable=libdir", {"libyaml": "yaml-0.1", "libexpat": "expat"}[library]).strip()
    return re.search(r"SONAME +(\S+)", told("objdump", "-p", f"{folder}/{library}.so")).group(1)


@pytest.mark.parametrize("name,loads", [
    ("show", ()), ("show --json", ()), ("verify", ()), ("build", ()), ("config sign", ()),
    ("build -m", ("libyaml",)), ("config encrypt", ("libexpat",))])
def test_a_library_is_loaded_when_it_is_needed(ctlsign, tmp_path, work, name, loads):
    files = opened(ctlsign, tmp_path, *work.words[name])
    linked = set(re.findall(r"^\s*(?:/\S*/)?([^/\s]+\.so[.\d]*)", told("ldd", PROGRAM), re.M))
    assert any(soname.startswith("libcrypto.") for soname in linked)
    found = {os.path.basename(f) for f in files if re.search(r"\.so[.\d]*$", f)}
    assert found - linked == {soname(library) for library in loads}, files


LOADED = [("build -m", "libyaml"), ("config encrypt", "libexpat")]


def refused(ctlsign, work, name, says, **kw):
    """It says so at once: the key is not asked for, and nothing is written."""
    words = ["/nonexistent.key" if str(word).endswith(".key") else word for word in work.words[name]]
    before = sorted(work.out.parent.iterdir())
    run = ctlsign.refused(70, *words, says=says, **kw)
    assert "bug" not in run.err, str(run)
    assert sorted(work.out.parent.iterdir()) == before
    return run


@pytest.mark.parametrize("name,library", LOADED)
def test_a_library_that_is_missing(ctlsign, can_trace, tmp_path, work, name, library):
    paths = [os.path.join(folder, soname(library)) for folder in searched()]
    says = [f"'{soname(library)}' cannot be loaded: install Debian's package '{library}", "No such file"]
    refused(ctlsign, work, name, says, wrapper=[
        "strace", "-f", "-qq", "-o", tmp_path / "trace", *(word for path in paths for word in ("-P", path)),
        "-e", "trace=openat", "-e", "inject=openat:error=ENOENT"])
    assert "INJECTED" in (tmp_path / "trace").read_text()


def searched():
    """The folders in which the loader searches, each by all its names."""
    cached = {os.path.dirname(path) for path in re.findall(r"=> (/\S+)", told("/sbin/ldconfig", "-p"))}
    return sorted(cached | {f"/usr{folder}" for folder in cached} | {os.path.realpath(f) for f in cached})


@pytest.mark.parametrize("name,library", LOADED)
@pytest.mark.parametrize("kind,says", [("no library", "too short"), ("another", "undefined symbol")])
def test_a_library_that_is_another(ctlsign, tmp_path, work, name, library, kind, says):
    """LD_LIBRARY_PATH counts, as for the libraries that it is linked to."""
    folder = tmp_path / "other"
    folder.mkdir()
    other = folder / soname(library)
    if kind == "another":
        shutil.copy(next(path for path in re.findall(r"=> (/\S+)", told("ldd", PROGRAM)) if "libcrypto" in path), other)
    else:
        other.write_bytes(b"")
    refused(ctlsign, work, name, [soname(library), says], env={"LD_LIBRARY_PATH": folder})


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="no Debian")
@pytest.mark.parametrize("library,source,dev", [("libyaml", "signer/list/manifest.c", "libyaml-dev"),
                                                ("libexpat", "signer/config/companion.c", "libexpat1-dev")])
def test_the_package_that_it_names_has_the_library(library, source, dev):
    package = re.search(r'library_load\(\w+, "([^"]+)"', (ROOT / source).read_text()).group(1)
    assert f"/{soname(library)}" in told("dpkg", "-L", package)
    floor = next(floor for _, floor, name in tables.libraries() if name == dev)
    assert f"{package} (>= {floor})" in (ROOT / "debian" / "control").read_text()
