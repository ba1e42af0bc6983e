# SPDX-License-Identifier: Apache-2.0
"""The build and its installation: what CMake says is missing, and a tree that signs wherever it is put."""
import json
import os
import re
import shutil
import subprocess

import lists
import nodes
import pytest
import tables
from conftest import BUILD, ROOT
from test_check import Service, build, states
from test_net import start  # noqa: F401  (a fixture)
from test_tvs import PUB, Tvs
from token_helpers import TWO

GUARD, HELPER, NET = "ctlsign-guard.so", "ctlsign-token", "ctlsign-net"
PARTS = pytest.mark.parametrize("part", [GUARD, HELPER])


def run(*words, status=0, **kw):
    done = subprocess.run([str(w) for w in words], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, check=False, **kw)
    assert done.returncode == status, f"{words}\n{done.stdout}\n{done.stderr}"
    return done


def configure(folder, *words, **env):
    """CMake's own words, when it is to fail."""
    return run("cmake", "-S", ROOT, "-B", folder, *words, status=1, env={**os.environ, **env}).stderr


def test_all_that_is_missing_is_said_at_once(tmp_path):
    said = configure(tmp_path / "build", "-DCMAKE_DISABLE_FIND_PACKAGE_OpenSSL=ON",
                     PKG_CONFIG_LIBDIR=str(tmp_path))
    for name, floor, package in tables.libraries():
        assert f"{name} {floor} or later (found: none)" in said, said
        assert re.search(rf"apt install[^']*\b{package}\b", said), said
    assert "./scripts/deps build" in said


def test_a_library_that_is_too_old_is_named_alone(tmp_path):
    search = run("pkg-config", "--variable", "pc_path", "pkg-config").stdout.strip()
    (tmp_path / "libp11.pc").write_text("Name: libp11\nDescription: an old one\nVersion: 0.4.11\n")
    said = configure(tmp_path / "build", PKG_CONFIG_LIBDIR=f"{tmp_path}:{search}")
    assert "libp11 0.4.12 or later (found: 0.4.11)" in said
    assert said.count("or later (found") == 1 and "apt install libp11-dev'" in " ".join(said.split())


def test_pkg_config_itself_may_be_missing(tmp_path):
    said = configure(tmp_path / "build", f"-DPKG_CONFIG_EXECUTABLE={tmp_path / 'none'}")
    assert re.search(r"apt install\s+pkgconf\b", said), said


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """A copy of what CMake reads."""
    folder = tmp_path_factory.mktemp("tree")
    for name in ("tlv", "pkcs11", "signer", "docs", "tests", "scripts"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("data", "found"))
    shutil.copy(ROOT / "CMakeLists.txt", folder)
    return folder


# The lists that choose tests: what is written wrong, and what is said.
WRONG = {
    "CTLSIGN_SHARDS_cli.acept": ("CTLSIGN_SHARDS_cli.accept ", "'cli.acept', which"),
    "CTLSIGN_NEEDS_cli.forcast": ("CTLSIGN_NEEDS_cli.forecast ", "'cli.forcast', which"),
    "  cli.pakage cli.inject": ("  cli.package cli.inject ", "'cli.pakage', which CTLSIGN_LONG"),
    "static.cpcheck": ("static.cppcheck ", "'static.cpcheck', which CTLSIGN_LONG"),
    "  badinputs": ("  badinput ", "'badinputs', which CTLSIGN_SANITIZED_ALWAYS"),
    "CTLSIGN_RELEASE_ALWAYS pkcs11.dedline": (
        "CTLSIGN_RELEASE_ALWAYS pkcs11.deadline", "'pkcs11.dedline', which CTLSIGN_RELEASE_ALWAYS"),
    "CTLSIGN_RELEASE_LONG checks": ("CTLSIGN_RELEASE_LONG check ", "'checks', which CTLSIGN_RELEASE_LONG"),
    "  valgrinds": ("  valgrind ", "'valgrinds', which CTLSIGN_NEVER_SANITIZED"),
    "CTLSIGN_RELEASE_LONG show check": (
        "CTLSIGN_RELEASE_LONG check", "'show' is in CTLSIGN_RELEASE_LONG, but the sanitized build has no short test"),
}


@pytest.mark.parametrize("sanitize", ["ON", "OFF"])
@pytest.mark.parametrize("wrong", WRONG, ids=lambda text: text.split()[-1])
def test_a_name_that_no_test_has_is_an_error(copied, tmp_path, wrong, sanitize):
    """Without it the list would do nothing, and a test might run nowhere."""
    right, says = WRONG[wrong]
    text = (ROOT / "tests" / "CMakeLists.txt").read_text()
    assert text.count(right) == 1
    (copied / "tests" / "CMakeLists.txt").write_text(text.replace(right, wrong + " " * right.endswith(" ")))
    said = run("cmake", "-S", copied, "-B", tmp_path, f"-DCTLSIGN_SANITIZE={sanitize}", status=1).stderr
    assert says in " ".join(said.split()), said


def test_every_short_test_is_built_for_it():
    """The target short_tests has each program that a test without the label "long" starts or calls."""
    found = json.loads(run("ctest", "--test-dir", BUILD, "--show-only=json-v1").stdout)
    labels = {test["name"]: next((p["value"] for p in test["properties"] if p["name"] == "LABELS"), [])
              for test in found["tests"]}
    started = {test["command"][0] for test in found["tests"] if "long" not in labels[test["name"]]}
    made = [os.path.relpath(path, BUILD) for path in started if path.startswith(f"{BUILD}/")]
    assert made, started
    if not (BUILD / "build.ninja").exists():
        pytest.skip("not built by Ninja, which says what a target needs")
    commands = run("ninja", "-C", BUILD, "-t", "commands", "short_tests").stdout
    assert not [path for path in made if f" -o {path} " not in commands]
    lists = (ROOT / "tests" / "CMakeLists.txt").read_text()
    short = {name.removeprefix(f"{BUILD.name}.").removesuffix(".1") for name in labels if "long" not in labels[name]}
    called = [target for test, target in re.findall(r"^set\(CTLSIGN_NEEDS_(\S+) (\w+)\)", lists, re.M) if test in short]
    assert called, short
    assert not [target for target in called if f"/{target.replace('_', '-')} " not in commands]


def test_scripts_deps_installs_what_cmake_asks_for():
    installed = (ROOT / "scripts" / "deps").read_text()
    for _, _, package in tables.libraries():
        assert re.search(rf"^\t\tbuild .*\b{package}\b", installed, re.M), package


def undated(page):
    """A page says on which day it was made."""
    return re.sub(r'"\d{4}-\d\d-\d\d"', "", page.read_text(encoding="utf-8"))


def test_a_cross_build_makes_the_same_manual(tmp_path):
    """What fills the pages runs on this machine, so this machine's compiler makes it."""
    run("cmake", "-G", "Unix Makefiles", "-S", ROOT, "-B", tmp_path / "build", "-DCMAKE_SYSTEM_NAME=Linux",
        "-DBUILD_TESTING=OFF")
    run("cmake", "--build", tmp_path / "build", "--target", "man", "-j2")
    assert not (tmp_path / "build" / "ctlsign").exists(), "the program was built for the manual's sake"
    pages = sorted((BUILD / "man").rglob("*.[0-9]"))
    assert pages
    for page in pages:
        other = tmp_path / "build" / "man" / page.relative_to(BUILD / "man")
        assert undated(other) == undated(page)


def test_a_packager_chooses_how_much_is_fortified(tmp_path):
    run("cmake", "-G", "Unix Makefiles", "-S", ROOT, "-B", tmp_path / "build", "-DCMAKE_BUILD_TYPE=Release",
        "-DBUILD_TESTING=OFF", "-DCMAKE_C_FLAGS=-D_FORTIFY_SOURCE=3")
    run("cmake", "--build", tmp_path / "build", "--target", "ctlsign_tlv", "-j2")


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """What DESTDIR=… cmake --install writes, and the prefix in it."""
    destdir = tmp_path_factory.mktemp("destdir")
    run("cmake", "--install", BUILD, "--prefix", "/opt/ctlsign", env={**os.environ, "DESTDIR": str(destdir)})
    assert [p.name for p in destdir.iterdir()] == ["opt"]
    return destdir / "opt" / "ctlsign"


@pytest.fixture
def installed(tree, tmp_path):
    """A copy of that tree, elsewhere: nothing in it knows where it is."""
    return shutil.copytree(tree, tmp_path / "elsewhere", symlinks=True)


def part_of(tree, name):
    found = list(tree.rglob(name))
    assert len(found) == 1 and found[0].parent.name == "ctlsign", found
    return found[0]


def words(cluster, out, lab):
    return ["build", "-o", out, *lists.records(cluster, "tokens"), *lab.key(TWO)]


def test_what_is_installed(tree):
    files = {str(p.relative_to(tree)) for p in tree.rglob("*") if not p.is_dir()}
    docs = {f"share/doc/ctlsign/{name}" for name in ("README.md", "LICENSE", "CHANGELOG.md", "SECURITY.md",
                                                     "docs/FORMAT.md")}
    assert {"bin/ctlsign", *docs} <= files
    stray = {f for f in files if not re.match(r"bin/ctlsign$|lib.*/ctlsign/ctlsign-(token|net|guard\.so)$|share/", f)}
    assert not stray, stray
    for path in (tree / "bin" / "ctlsign", part_of(tree, HELPER), part_of(tree, NET), part_of(tree, GUARD)):
        dynamic = run("readelf", "-d", path).stdout
        assert not re.search(r"RPATH|RUNPATH", dynamic), dynamic
        assert str(ROOT) not in run("strings", "-a", path).stdout or BUILD.name == "dev"


def test_the_installed_tree_signs(ctlsign, cluster, lab, installed, tmp_path):
    program = installed / "bin" / "ctlsign"
    ctlsign.ok(*words(cluster, tmp_path / "a.tlv", lab), env=lab.env, program=program)
    link = tmp_path / "link"
    link.symlink_to(program)
    ctlsign.ok(*words(cluster, tmp_path / "b.tlv", lab), env=lab.env, program=link)


def test_the_installed_tree_fetches(ctlsign, installed, tmp_path):
    """Its own helper, which is checked as the token's is."""
    (tmp_path / "CTLFile.tlv").write_bytes((ROOT / "tests" / "data" / "lists" / "cucm.tlv").read_bytes())
    node = nodes.Node({"CTLFile.tlv": (tmp_path / "CTLFile.tlv").read_bytes()})
    program = installed / "bin" / "ctlsign"
    try:
        ctlsign.ok("show", node.url(), program=program)
        part_of(installed, NET).chmod(0o666)
        ctlsign.refused(3, "show", node.url(), program=program, says=[NET, "can be written by others"])
    finally:
        node.close()


def test_the_installed_tree_asks_a_cluster(ctlsign, cluster, installed, tmp_path, start):  # noqa: F811
    """Its helper speaks TLS to old nodes: check, tvs and fetch work from there."""
    program = installed / "bin" / "ctlsign"
    ctl = build(ctlsign, cluster, tmp_path / "CTLFile.tlv", "--capf", f"{cluster / 'capf.pem'},name=pub,address=127.0.0.1")
    port = start(Service("capf", "-tls1")).port
    run = ctlsign.ok("check", "--port", f"CAPF={port}", ctl, program=program)
    assert states(run) == [("CAPF", f"127.0.0.1:{port}", "same")], str(run)
    assert "known as SAST" in ctlsign.ok("tvs", start(Tvs({PUB.der: [0]})).at, ctl, program=program).out
    node = start(nodes.Node({"CTLFile.tlv": ctl.read_bytes()}))
    ctlsign.ok("fetch", node.name, "-o", tmp_path / "out", program=program)
    assert [path.read_bytes() for path in (tmp_path / "out").iterdir()] == [ctl.read_bytes()]
    part_of(installed, NET).unlink()
    for words in (("check", ctl), ("tvs", "127.0.0.1:1", ctl), ("fetch", node.name, "-o", tmp_path / "none")):
        ctlsign.refused(3, *words, program=program, says=f"'{NET}' is not installed in")
    assert not (tmp_path / "none").exists()


@PARTS
def test_only_the_tree_itself_has_its_parts(ctlsign, cluster, lab, installed, tmp_path, part):
    """Neither the environment nor the working folder brings another in their place."""
    found = part_of(installed, part)
    folder = tmp_path / "other"
    folder.mkdir()
    found.rename(folder / part)
    env = {**lab.env, "LD_LIBRARY_PATH": folder, "P11_MODULE_PATH": folder,
           "PKCS11_MODULE_PATH": folder / part, "PATH": f"{folder}:/usr/bin:/bin"}
    ctlsign.refused(8, *words(cluster, tmp_path / "out.tlv", lab), env=env, cwd=folder,
                    program=installed / "bin" / "ctlsign", says=f"'{part}' is not installed in")
    assert not (tmp_path / "out.tlv").exists()


@PARTS
def test_a_part_that_others_can_write_is_refused(ctlsign, cluster, lab, installed, tmp_path, part):
    part_of(installed, part).chmod(0o666)
    ctlsign.refused(8, *words(cluster, tmp_path / "out.tlv", lab), env=lab.env,
                    program=installed / "bin" / "ctlsign", says=[part, "can be written by others"])


@PARTS
@pytest.mark.skipif(os.geteuid() != 0, reason="files of other users are made by root only")
def test_a_part_of_another_user_is_refused(ctlsign, cluster, lab, installed, tmp_path, part):
    """Also where root runs the program: somebody may have left it in a folder like /tmp."""
    os.chown(part_of(installed, part), 65534, -1)
    ctlsign.refused(8, *words(cluster, tmp_path / "out.tlv", lab), env=lab.env,
                    program=installed / "bin" / "ctlsign", says=[part, "root and the owner of this program"])
