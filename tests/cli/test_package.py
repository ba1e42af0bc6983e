# SPDX-License-Identifier: Apache-2.0
"""The packages: built twice they are equal, lintian is content, and they work where nothing else is.

What is packaged is what is committed; without git, what is there.
"""
import os
import re
import shutil
import stat
import subprocess

import lists
import nodes
import pytest
import tables
from conftest import DATA, ROOT
from token_helpers import ONE, TWO

VERSION = tables.version()
ROOTED = os.geteuid() == 0
ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/nonexistent"}


def run(*words, status=0, env=None, **kw):
    done = subprocess.run([str(w) for w in words], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, check=False, env={**ENV, **(env or {})}, **kw)
    assert status is None or done.returncode == status, f"{words}\n{done.stdout}\n{done.stderr}"
    return done


def permitted(*unshare):
    """The words that begin an unshared command, or None where this machine has no such right."""
    words = ["unshare", *([] if ROOTED else ["--map-root-user"]), *unshare]
    return words if run(*words, "true", status=None).returncode == 0 else None


OFFLINE = permitted("--net")


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    out = tmp_path_factory.mktemp("first") / "out"
    run(ROOT / "scripts" / "package", "--quick", out)
    return out


@pytest.fixture(scope="module")
def second(first, tmp_path_factory):
    """From the tarball of the first, elsewhere, later, for somebody with other habits, without a network."""
    folder = tmp_path_factory.mktemp("second") / "a folder with a longer name"
    folder.mkdir()
    run("tar", "-x", "-C", folder, "-f", first / f"ctlsign-{VERSION}.tar.xz")
    (tmp_path_factory.mktemp("tmp") / "tmp").mkdir()
    run("sh", "-c", 'umask 077; exec "$@"', "sh", *(OFFLINE or []),
        folder / f"ctlsign-{VERSION}" / "scripts" / "package", "--quick", folder / "out",
        env={"TZ": "Pacific/Kiritimati", "LC_ALL": "POSIX", "CFLAGS": "-O0", "MAKEFLAGS": "-n",
             "TMPDIR": str(folder)})
    return folder / "out"


def packages(folder):
    """What two builds have in common: the rest tells when and where it was built."""
    return {p.name: p.read_bytes() for p in folder.iterdir()
            if p.name.endswith((".tar.xz", ".deb", ".dsc"))}


def deb(folder):
    return next(folder.glob(f"ctlsign_{VERSION}_*.deb"))


def fields(package):
    text = re.sub(r"\n ", " ", run("dpkg-deb", "-f", package).stdout)
    return dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)


def test_two_builds_are_equal(first, second):
    one, two = packages(first), packages(second)
    assert len(one) == 4 and set(one) == set(two)
    assert [name for name in one if one[name] != two[name]] == []
    run("sha256sum", "--check", "--strict", "SHA256SUMS", cwd=first)


@pytest.mark.skipif(not OFFLINE, reason="no right to unshare the network")
def test_the_second_had_no_network(second):
    assert run(*OFFLINE, "sh", "-c", "cat /proc/net/dev").stdout.count(":") == 1
    assert deb(second).exists()


def test_lintian_is_content(first):
    """One package serves several releases, so that it follows the newest policy of the oldest one.

    Debian 12's lintian has nothing to say. A later one may say which policy is newer, and no more:
    the one before warns of a policy that it does not know.
    """
    said = run("lintian", "--allow-root", "--display-info", "--pedantic",
               next(first.glob("*.changes")), status=None)
    newer = re.compile(r"I: ctlsign source: out-of-date-standards-version 4\.6\.2 .*current is 4\.([7-9]|[0-9]{2,})\b")
    assert [line for line in said.stdout.splitlines() if not newer.match(line)] == [], said.stdout + said.stderr
    assert said.returncode == 0, said.stderr


def test_the_source_package_is_the_tarball(first, tmp_path):
    run("dpkg-source", "--no-check", "-x", first / f"ctlsign_{VERSION}.dsc", tmp_path / "dsc")
    run("tar", "-x", "-C", tmp_path, "-f", first / f"ctlsign-{VERSION}.tar.xz")
    differ = run("diff", "-r", tmp_path / "dsc", tmp_path / f"ctlsign-{VERSION}", status=None).stdout
    assert {line.rsplit(": ")[-1] for line in differ.splitlines()} <= {".gitattributes", ".gitignore"}


def test_what_is_in_the_package(first):
    rows = [line.split(None, 5) for line in run("dpkg-deb", "-c", deb(first)).stdout.splitlines()]
    modes = {row[5].removeprefix("."): row[0] for row in rows}
    assert {row[1] for row in rows} == {"root/root"}
    executable = {name for name, mode in modes.items() if mode[0] == "-" and "x" in mode}
    helpers = {name for name in executable if name.endswith(("/ctlsign/ctlsign-token", "/ctlsign/ctlsign-net"))}
    assert len(helpers) == 2
    examples = {f"/usr/share/doc/ctlsign/examples/{name}"
                for name in ("ctlsign-lab", "check_trustlist", "trustlist-mail")}
    assert executable == {"/usr/bin/ctlsign", *helpers, *examples}
    assert {mode for mode in modes.values()} == {"drwxr-xr-x", "-rwxr-xr-x", "-rw-r--r--"}
    assert sum(name.endswith("/ctlsign/ctlsign-guard.so") for name in modes) == 1
    assert {f"/usr/share/{name}" for name in ("doc/ctlsign/copyright", "doc/ctlsign/README.md",
                                             "doc/ctlsign/docs/FORMAT.md", "man/man1/ctlsign.1.gz")} <= set(modes)
    assert not any(name.startswith(("/etc/", "/var/", "/usr/local/")) for name in modes)


def test_nothing_runs_when_it_is_installed_or_removed(first, tmp_path):
    run("dpkg-deb", "-e", deb(first), tmp_path / "control")
    assert {p.name for p in (tmp_path / "control").iterdir()} == {"control", "md5sums"}


def test_it_is_built_from_what_cmake_asks_for():
    control = (ROOT / "debian" / "control").read_text()
    for _, floor, package in tables.libraries():
        assert f" {package} (>= {floor})," in control, package


def depends(names):
    """The installed packages that these need, themselves included."""
    found, todo = set(), list(names)
    while todo:
        name = todo.pop()
        if name in found:
            continue
        shown = run("dpkg-query", "-W", "-f", "${db:Status-Status}, ${Pre-Depends}, ${Depends}", name,
                    status=None)
        is_here, *parts = shown.stdout.split(",")
        if is_here == "installed":
            found.add(name)
            todo += [re.sub(r"[ :(].*", "", word.strip()) for part in parts
                     for word in part.split("|") if word.strip()]
    return found


class Bare:
    """A folder with the files of a few packages, known to dpkg, and nothing else."""

    def __init__(self, folder, names):
        self.folder = folder
        self.enter = permitted("--mount", "--propagation", "private", "--pid", "--fork")
        for name in ("bin", "lib", "lib64", "sbin"):
            (folder / "usr" / name).mkdir(parents=True)
            (folder / name).symlink_to(f"usr/{name}")
        for name in ("proc", "dev", "tmp", "etc", "var/lib/dpkg/info", "var/lib/dpkg/updates"):
            (folder / name).mkdir(parents=True)
        (folder / "dev" / "null").touch()
        status = []
        for name in sorted(depends(names)):
            status.append(run("dpkg-query", "-s", name).stdout)
            self.copy(name)
        (folder / "var/lib/dpkg/status").write_text("\n".join(status))

    def copy(self, name):
        for path in run("dpkg-query", "-L", name).stdout.splitlines():
            to = self.folder / path.lstrip("/")
            if not path.startswith("/usr/share/") and os.path.isfile(path) and not to.exists():
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, to, follow_symlinks=False)

    def dpkg(self, *words, status=0):
        as_root = [] if ROOTED else ["unshare", "--map-root-user"]
        return run(*as_root, "dpkg", f"--root={self.folder}", *words, status=status)

    def files(self):
        return {str(p.relative_to(self.folder)) for p in self.folder.rglob("*")
                if "var/lib/dpkg" not in str(p)}

    def __call__(self, *words, env=None):
        script = ('mount -t proc proc "$0/proc" && mount --bind /dev/null "$0/dev/null" && '
                  'exec chroot "$0" "$@"')
        return run(*self.enter, "sh", "-c", script, self.folder, *words, env=env)


@pytest.fixture
def bare(tmp_path, first):
    """What the package says it needs, and SoftHSM."""
    folder = tmp_path / "bare"
    folder.mkdir()
    needed = [re.sub(r" .*", "", word) for word in fields(deb(first))["Depends"].split(", ")]
    made = Bare(folder, [*needed, "softhsm2"])
    if not made.enter:
        pytest.skip("no right to unshare mounts")
    return made


def test_it_needs_what_it_says_and_nothing_else(first, bare, lab, cluster):
    """Installed where only its dependencies are, it signs; removed, it leaves nothing."""
    before = bare.files()
    assert "usr/bin/ctlsign" not in before and not (bare.folder / "usr/bin/sh").exists()
    bare.dpkg("--install", deb(first))
    shutil.copytree(cluster, bare.folder / "tmp" / "cluster")
    shutil.copytree(lab.folder, bare.folder / "tmp" / "lab")
    conf = bare.folder / "tmp" / "lab" / "softhsm2.conf"
    conf.write_text(conf.read_text().replace(str(lab.folder), "/tmp/lab"))
    assert bare("ctlsign", "--version").stdout.startswith(f"ctlsign {VERSION} ")
    env = {"SOFTHSM2_CONF": "/tmp/lab/softhsm2.conf"}
    shown = bare("ctlsign", "tokens", "--module", lab.module, env=env).stdout
    assert ONE in shown and TWO in shown
    bare("ctlsign", "build", "-o", "/tmp/CTLFile.tlv", *lists.records("/tmp/cluster", "tokens"),
         "-k", f"pkcs11:token={TWO}", "--module", lab.module, "--pin-source", "file:/tmp/lab/pin", env=env)
    lists.manifest(bare.folder / "tmp" / "cluster")
    bare("ctlsign", "build", "-o", "/tmp/manifest.tlv", "-m", "/tmp/cluster/cluster.yaml")
    shutil.copytree(DATA / "encrypted", bare.folder / "tmp" / "encrypted")
    bare("ctlsign", "config", "encrypt", "-k", "/tmp/encrypted/tftp.key", "--cert", "/tmp/encrypted/tftp.pem",
         "--insecure-file-mode", "--for", "/tmp/encrypted/phone.pem", "/tmp/encrypted/plain.cnf.xml")
    made = run(ROOT / "tests" / "lib" / "second-opinion", bare.folder / "tmp" / "CTLFile.tlv",
               cluster / f"{TWO}.pem")
    assert made.stdout == "Verified OK\n"
    assert "verified successfully" in bare("ctlsign", "show", "/tmp/CTLFile.tlv").stdout
    node = nodes.Node({"CTLFile.tlv": (bare.folder / "tmp" / "CTLFile.tlv").read_bytes()})
    try:
        assert "verified successfully" in bare("ctlsign", "show", node.url()).stdout
    finally:
        node.close()
    bare.dpkg("--purge", "ctlsign")
    assert {f for f in bare.files() if not f.startswith("tmp/")} == {f for f in before if f != "tmp"} | (
        {"tmp"} & bare.files())


def test_a_dependency_that_is_missing_is_noticed(first, bare):
    """So that the test above cannot pass by accident."""
    for path in bare.folder.rglob("libcrypto.so*"):
        path.unlink()
    bare.dpkg("--install", deb(first))
    with pytest.raises(AssertionError, match="libcrypto"):
        bare("ctlsign", "--version")


def test_the_package_s_own_test_runs_on_the_unpacked_package(first, tmp_path):
    run("dpkg-deb", "-x", deb(first), tmp_path / "tree")
    path = f"{tmp_path / 'tree' / 'usr' / 'bin'}:{ENV['PATH']}"
    said = run(ROOT / "debian" / "tests" / "sign", env={"PATH": path}).stdout
    assert said.startswith(f"{tmp_path}/tree/usr/bin/ctlsign\nctlsign {VERSION} ")
    assert said.count("Verified OK") == 2
    assert stat.S_IMODE((tmp_path / "tree" / "usr" / "bin" / "ctlsign").stat().st_mode) == 0o755


def test_apt_would_install_it(first):
    said = run("apt-get", "--simulate", "--no-install-recommends", "install", deb(first)).stdout
    assert f"Inst ctlsign ({VERSION}" in said and "Remv" not in said
