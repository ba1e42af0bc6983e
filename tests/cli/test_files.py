# SPDX-License-Identifier: Apache-2.0
"""Files that are there already, folders that others can write: nothing of anybody else's is lost or written."""
import os
import shutil
import subprocess
import threading
import time

import lists
import peerlist
import pytest
from conftest import DATA
from lists import TIME

NO_LEAKS = {"ASAN_OPTIONS": "detect_leaks=0:exitcode=99"}  # strace traces the process, and so LeakSanitizer cannot
KEY = "-----BEGIN PRIVATE KEY-----\nnobody has it twice\n"


@pytest.fixture
def signs(cluster):
    return ["-k", cluster / "pub.key", "--cert", cluster / "pub.pem", "--timestamp", TIME]


def tree(folder):
    """Every name below, and what files hold."""
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() and not p.is_symlink() else None
            for p in sorted(folder.rglob("*"))}


def copies(path):
    return sorted((p for p in path.parent.iterdir() if p.name.startswith(f"{path.name}.~")),
                  key=lambda p: int(p.name.split("~")[1]))


# Links below -o ------------------------------------------------------------------------------------

@pytest.fixture
def linked(tmp_path):
    """A served folder with two locales, and results where one of them leads elsewhere."""
    root, out, elsewhere = (tmp_path / name for name in ("tftp", "out", "elsewhere"))
    for folder in (root / "x", root / "y", out, elsewhere):
        folder.mkdir(parents=True)
    for name in ("x/a.xml", "y/b.xml", "c.xml"):
        (root / name).write_text(f"<device>{name}</device>")
    (elsewhere / "mine").write_text("mine")
    return root, out, elsewhere


@pytest.fixture(params=["openat2", "without openat2"])
def kernel(request, tmp_path):
    """Options of a run on a kernel that has the call, or has not."""
    if request.param == "openat2":
        return {}
    request.getfixturevalue("can_trace")
    return {"env": NO_LEAKS, "wrapper": ["strace", "-f", "-qq", "-o", tmp_path / "trace", "-e", "trace=openat2",
                                         "-e", "inject=openat2:error=ENOSYS"]}


def check_linked(run, root, out, elsewhere, suffix):
    assert run.status == 3, str(run)
    assert f"'{out}/x' is a symbolic link" in run.err and len(run.errors) == 1, str(run)
    assert tree(elsewhere) == {"mine": b"mine"}
    # The others go on.
    assert (out / "y" / f"b.xml{suffix}").exists() and (out / f"c.xml{suffix}").exists()
    assert (out / "x").is_symlink() and not [p for p in root.parent.rglob("*") if ".ctlsign-" in p.name]


def test_signing_goes_through_no_link(ctlsign, signs, linked, kernel):
    root, out, elsewhere = linked
    (out / "x").symlink_to(elsewhere)
    files = [root / name for name in ("x/a.xml", "y/b.xml", "c.xml")]
    run = ctlsign("config", "sign", *signs, "--root", root, "-o", out, *files, **kernel)
    check_linked(run, root, out, elsewhere, ".sgn")
    # What stands behind the link is not asked whether it is unchanged.
    ctlsign("config", "sign", *signs, "--root", root, root / "x" / "a.xml")
    shutil.move(root / "x" / "a.xml.sgn", elsewhere / "a.xml.sgn")
    run = ctlsign("config", "sign", *signs, "--root", root, "-o", out, "--skip-unchanged", files[0], **kernel)
    assert run.status == 3 and "is a symbolic link" in run.err, str(run)


def test_stripping_goes_through_no_link(ctlsign, signs, linked, kernel):
    """Bytes that nobody has verified would stand there under any name."""
    root, out, elsewhere = linked
    ctlsign.ok("config", "sign", *signs, "--root", root, *(root / n for n in ("x/a.xml", "y/b.xml", "c.xml")))
    (out / "x").symlink_to(elsewhere)
    run = ctlsign("config", "strip", "--root", root, "-o", out,
                  *(root / n for n in ("x/a.xml.sgn", "y/b.xml.sgn", "c.xml.sgn")), **kernel)
    check_linked(run, root, out, elsewhere, "")


def test_a_dangling_link_makes_nothing(ctlsign, signs, linked, kernel):
    root, out, elsewhere = linked
    (out / "x").symlink_to(elsewhere / "new")
    run = ctlsign("config", "sign", *signs, "--root", root, "-o", out, root / "x" / "a.xml", **kernel)
    assert run.status == 3 and f"'{out}/x' is a symbolic link" in run.err, str(run)
    assert tree(elsewhere) == {"mine": b"mine"}


def test_the_folder_that_was_named_may_be_a_link(ctlsign, signs, linked, kernel):
    root, out, _ = linked
    link = out.parent / "link"
    link.symlink_to(out)
    run = ctlsign("config", "sign", *signs, "--root", root, "-o", link, root / "x" / "a.xml", **kernel)
    assert run.status == 0 and (out / "x" / "a.xml.sgn").exists(), str(run)


# What killed runs have left -------------------------------------------------------------------------

@pytest.mark.parametrize("mode", [0o755, 0o700])
def test_a_folder_under_a_temporary_name_is_not_emptied(ctlsign, cluster, signs, tmp_path, mode):
    """Whoever may rename in the folder can give it such a name."""
    work = tmp_path / "work"
    for name in (".CTLFile.tlv.ctlsign-00000001", ".c.xml.sgn.ctlsign-00000002", ".out.ctlsign-00000003"):
        (work / name / "sub").mkdir(parents=True)
        (work / name / "sub" / "file").write_text("mine")
        (work / name).chmod(mode)
    before = tree(work)
    (work / "c.xml").write_text("<device/>")
    lists.build(ctlsign, cluster, "tokenless", work / "CTLFile.tlv")
    ctlsign.ok("config", "sign", *signs, work / "c.xml")
    ctlsign.ok("extract", work / "CTLFile.tlv", "-o", work / "out")
    now = tree(work)
    assert {name: now.get(name) for name in before} == before


# What may be replaced -------------------------------------------------------------------------------

REPORT = ["expiry", "--within", "0d", DATA / "lists" / "cucm.tlv"]
FORMATS = ("text", "syslog", "prometheus", "json")


def writers(cluster, signs, target):
    """Each way to write one file: its kind, and the words."""
    a, b = DATA / "lists" / "cucm.tlv", DATA / "lists" / "ctl-client.tlv"
    yield "list", ["build", "-o", target, *lists.records(cluster, "tokenless"), *signs]
    yield "list", ["update", a, "-o", target, *signs]
    yield "list", ["rebuild", DATA / "logs" / "putty.log", "--certs", DATA / "logs" / "putty.log", "--address",
                   "cucm-1051-a-pub=10.48.47.153", "--address", "cucm-1051-a-sub1=10.48.47.154", "-o", target]
    for name in FORMATS:
        yield "report", [*REPORT, "--format", name, "-o", target]
    yield "page", ["plan", a, b, "--release", "10.5", "--accept-lockout", "all", "--html", target]


def samples(ctlsign, cluster, signs, tmp_path):
    """What may stand there, by its kind."""
    found = {"list": [DATA.joinpath("lists", "cucm-2048.tlv").read_bytes()], "report": [], "page": [],
             "key": [(cluster / "sub1.key").read_bytes()], "text": [b"old\n"],
             "signed": [], "manifest": []}
    for i, (kind, words) in enumerate(writers(cluster, signs, tmp_path / "sample")):
        if kind != "list":
            run = ctlsign(*words)
            assert run.status == 0, str(run)
            found[kind].append((tmp_path / "sample").read_bytes() or b"%UC_CERT-2-CertValidfor7days: x\n")
            (tmp_path / "sample").unlink()
    (tmp_path / "c.xml").write_text("<device/>")
    ctlsign.ok("config", "sign", *signs, tmp_path / "c.xml")
    found["signed"].append((tmp_path / "c.xml.sgn").read_bytes())
    ctlsign.ok("extract", DATA / "lists" / "cucm.tlv", "-o", tmp_path / "taken")
    found["manifest"].append((tmp_path / "taken" / "cluster.yaml").read_bytes())
    return found


def test_only_what_it_writes_itself_is_replaced(ctlsign, cluster, signs, tmp_path):
    there = samples(ctlsign, cluster, signs, tmp_path)
    place = tmp_path / "place"
    place.mkdir()
    target = place / "target"
    number = 0
    for kind, words in writers(cluster, signs, target):
        if kind == "list" and words[0] != "rebuild":  # the one that is there is another key's, and believed
            words = [*words, "--accept-lockout", "all", "--trust", cluster / "pub-regenerated.pem"]
        for other, contents in there.items():
            for content in contents:
                target.write_bytes(content)
                run = ctlsign(*words)
                number += 1
                if kind == other:
                    assert run.status == 0 and target.stat().st_size > 0 or "syslog" in words, f"{other}\n{run}"
                else:
                    assert run.status == 9 and "--overwrite" in run.err, f"{other}\n{run}"
                    assert target.read_bytes() == content and list(place.iterdir()) == [target]
                    assert ctlsign(*words, "--overwrite").status == 0
                    assert target.read_bytes() != content
                for path in place.iterdir():
                    path.unlink()
        target.write_bytes(b"")
        assert ctlsign(*words).status == 0
        for path in place.iterdir():
            path.unlink()
    assert number > 60


def test_the_files_of_the_report(ctlsign, cluster, tmp_path):
    """The cases that destroyed something."""
    key = cluster / "pub.key"
    before = key.read_bytes()
    ctlsign.refused(9, "expiry", "-o", key, DATA / "lists" / "cucm.tlv", says=["report", "--overwrite"])
    assert key.read_bytes() == before
    path = tmp_path / "CTLFile.tlv"
    data = lists.build(ctlsign, cluster, "tokenless", path)
    run = ctlsign("plan", path, path, "--release", "12.5", "--html", path)
    assert run.status == 9 and path.read_bytes() == data, str(run)
    assert copies(path) == []


def test_a_signed_file_is_replaced_by_its_like(ctlsign, signs, tmp_path):
    path, sgn = tmp_path / "c.xml", tmp_path / "c.xml.sgn"
    path.write_text("<device/>")
    sgn.write_text(KEY)
    run = ctlsign("config", "sign", *signs, path)
    assert run.status == 3 and "--overwrite" in run.err and sgn.read_text() == KEY, str(run)
    ctlsign.ok("config", "sign", *signs, "--overwrite", path)
    path.write_text("<device>2</device>")
    ctlsign.ok("config", "sign", *signs, path)
    path.write_text(KEY)
    run = ctlsign("config", "strip", sgn)
    assert run.status == 3 and path.read_text() == KEY, str(run)
    ctlsign.ok("config", "strip", "--overwrite", sgn)
    assert path.read_text() == "<device>2</device>"
    ctlsign.refused(2, "config", "verify", "--cert", signs[3], "--overwrite", sgn, says="--overwrite")


def test_a_folder_of_certificates(ctlsign, tmp_path):
    out = tmp_path / "out"
    words = ["extract", DATA / "lists" / "cucm.tlv", "-o", out]
    ctlsign.ok(*words)
    before = tree(out)
    ctlsign.ok(*words)
    assert tree(out) == before
    # The manifest is ours, and made anew; one without our first line is its author's.
    (out / "cluster.yaml").write_bytes(before["cluster.yaml"] + b"# more\n")
    ctlsign.ok(*words)
    assert tree(out) == before
    (out / "cluster.yaml").write_bytes(before["cluster.yaml"].split(b"\n", 1)[1])
    ctlsign.refused(9, *words, says=["cluster.yaml", "--overwrite"])
    pem = next(out.glob("*.pem"))
    pem.write_text(KEY)
    ctlsign.refused(9, *words, says=[pem.name, "--overwrite"])
    assert pem.read_text() == KEY
    ctlsign.ok(*words, "--overwrite")
    assert tree(out) == before


def test_exported_certificates(ctlsign, tmp_path):
    out = tmp_path / "out"
    words = ["export", "--from", DATA / "lists" / "ctl-client.tlv", "-o", out, "--trust",
             DATA / "cluster" / "SAST-ADN008580ef.pem"]
    ctlsign.ok(*words)
    before = tree(out)
    cer = next(out.glob("*.cer"))
    cer.write_text(KEY)
    (out / "SHA256SUMS").write_text("notes\n")
    ctlsign.refused(9, *words, says="--overwrite")
    assert cer.read_text() == KEY and (out / "SHA256SUMS").read_text() == "notes\n"
    ctlsign.ok(*words, "--overwrite")
    assert tree(out) == before


def test_migration_s_folder(ctlsign, cluster, tmp_path):
    one, two = "SAST-ADN0054f509", "SAST-ADN008580ef"
    words = ["migrate", "to-tokens", "-o", tmp_path / "out", "-k", cluster / f"{two}.key", "--cert", cluster / f"{two}.pem",
             "--sast", cluster / f"{one}.pem", "--unproven-sast", "--old-key", cluster / "pub.key", "--timestamp", TIME + 9,
             DATA / "lists" / "cucm.tlv"]
    ctlsign.ok(*words)
    before = tree(tmp_path / "out")
    ctlsign.refused(9, *words, says="--overwrite")
    for _ in range(4):
        ctlsign.ok(*words, "--overwrite", "--keep", "2")
    assert sorted(p.name for p in tmp_path.glob("out*")) == ["out", "out.~3~", "out.~4~"]
    assert set(tree(tmp_path / "out.~4~")) == set(before)


@pytest.mark.parametrize("name", ["pipe", "/dev/stdout"])
def test_a_pipe_is_written_without_asking(ctlsign, cluster, signs, tmp_path, name):
    for kind, words in writers(cluster, signs, tmp_path / name):
        if name == "pipe":
            os.mkfifo(tmp_path / name)
            got = []
            reader = threading.Thread(target=lambda: got.append((tmp_path / name).read_bytes()), daemon=True)
            reader.start()
            run = ctlsign.ok(*words, "--quiet")
            reader.join(60)
            data = got[0]
            assert (tmp_path / name).is_fifo()
            (tmp_path / name).unlink()
        else:
            data = os.fsencode(ctlsign.ok(*words, "--quiet").out)  # a pipe of the runner's
        if kind == "list":
            assert peerlist.parse_header(data[data.index(b"\x01\x00\x02"):])
        elif "syslog" not in words:
            assert data
    assert not [p for p in tmp_path.iterdir() if ".ctlsign-" in p.name]


# Copies of replaced lists ---------------------------------------------------------------------------

def test_every_verb_keeps_the_list_that_it_replaces(ctlsign, cluster, signs, tmp_path):
    live = tmp_path / "CTLFile.tlv"
    before = lists.build(ctlsign, cluster, "tokenless", live)
    # Four records by one: phones refuse it, but that is said to be meant.
    ctlsign.ok("build", "-o", live, "--sast", f"{cluster}/pub.pem,name=pub", *signs[:-1], TIME + 1,
               "--accept-lockout", "all")
    one = live.read_bytes()
    assert [p.read_bytes() for p in copies(live)] == [before] and one != before
    ctlsign.ok("update", DATA / "lists" / "cucm.tlv", "-o", live, *signs[:-1], TIME + 2)
    assert [p.read_bytes() for p in copies(live)] == [before, one]
    now = live.read_bytes()
    ctlsign.ok(*REPORT, "-o", live, "--overwrite")
    assert [p.read_bytes() for p in copies(live)] == [before, one, now]


def test_equal_bytes_are_no_replacement(ctlsign, cluster, signs, tmp_path):
    """build in cron over its own output: no copy, the same file."""
    live = tmp_path / "CTLFile.tlv"
    data = lists.build(ctlsign, cluster, "tokenless", live)
    inode = live.stat().st_ino
    for _ in range(3):
        lists.build(ctlsign, cluster, "tokenless", live)
        ctlsign.ok("update", live, "--in-place", *signs)
    assert live.read_bytes() == data and live.stat().st_ino == inode and copies(live) == []
    report = tmp_path / "report"
    for _ in range(2):
        ctlsign.ok("expiry", "--within", "0d", "--format", "prometheus", "-o", report, DATA / "lists" / "cucm.tlv")
    assert sorted(p.name for p in tmp_path.glob("report*")) == ["report"]


def test_how_many_copies_stay(ctlsign, cluster, tmp_path):
    live = tmp_path / "CTLFile.tlv"
    lists.build(ctlsign, cluster, "tokenless", live)
    signs = ["-k", cluster / "pub.key", "--cert", cluster / "pub.pem"]

    def again(n, *more):
        ctlsign.ok("update", live, "--in-place", *signs, "--timestamp", TIME + n, *more)
        return [int(p.name.split("~")[1]) for p in copies(live)]
    for n in range(1, 14):
        numbers = again(n)
    assert numbers == list(range(4, 14))
    assert again(14, "--keep", "3") == [12, 13, 14]
    assert again(15, "--keep", "3") == [13, 14, 15]
    assert peerlist.parse_header(copies(live)[-1].read_bytes())["timestamp"] == TIME + 14
    (tmp_path / "CTLFile.tlv.~1~").write_text("notes")
    assert again(16, "--keep", "0") == [1] and (tmp_path / "CTLFile.tlv.~1~").read_text() == "notes"
    ctlsign.refused(2, "update", live, "--in-place", *signs, "--keep", "all", says="--keep")


def test_copies_are_no_lists_of_a_folder(ctlsign, cluster, tmp_path):
    served, history = tmp_path / "served", tmp_path / "history"
    for folder in (served, history):
        folder.mkdir()
        shutil.copy(DATA / "lists" / "cucm.tlv", folder / "CTLFile.tlv")
    plain = ctlsign("expiry", served).out
    sha1 = subprocess.run(["sha1sum", DATA / "lists" / "rfc4514.tlv"], check=True, capture_output=True,
                          text=True).stdout.split()[0]
    verdicts = ctlsign("accept", "--no-tvs", "--installed-dir", history, history / "CTLFile.tlv").out
    for folder in (served, history):
        shutil.copy(DATA / "lists" / "rfc4514.tlv", folder / "CTLFile.tlv.~1~")
        (folder / "CTLFile.tlv.~12~").write_bytes(b"\x01\x00\x02damaged")
    assert ctlsign("expiry", served).out == plain
    assert ctlsign("identify", sha1, served).status == 1
    run = ctlsign("accept", "--no-tvs", "--installed-dir", history, history / "CTLFile.tlv")
    assert run.out == verdicts and run.status == 0, str(run)
    # One that is named counts.
    assert ctlsign("identify", sha1, served / "CTLFile.tlv.~1~").status == 0
    assert ctlsign("expiry", served / "CTLFile.tlv.~1~").out != ""


# A batch that names one file often -------------------------------------------------------------------

@pytest.mark.parametrize("jobs", [1, 8])
def test_a_file_that_is_named_twice(ctlsign, signs, tmp_path, jobs):
    folder = tmp_path / "tftp"
    folder.mkdir()
    (tmp_path / "also").symlink_to(folder)
    path = folder / "SEP001122334455.cnf.xml"
    path.write_text("<device/>")
    names = [path, folder / ".." / "tftp" / path.name, tmp_path / "also" / path.name, f"{folder}//{path.name}"]
    run = ctlsign.ok("config", "sign", *signs, "--jobs", jobs, *names * 50)
    assert run.err.count("named twice") == 1 and "no temporary name" not in run.err, str(run)
    assert run.out.count("signed") == 1 and [p.name for p in sorted(folder.iterdir())] == [path.name, path.name + ".sgn"]
    sgn = folder / (path.name + ".sgn")
    path.unlink()
    run = ctlsign.ok("config", "strip", "--cert", signs[3], *[sgn] * 200)
    assert run.err.count("named twice") == 1 and path.read_text() == "<device/>", str(run)
    # Two names of one file are two files for phones: FILENAME is in what is signed.
    os.link(path, folder / "default.cnf.xml")
    run = ctlsign.ok("config", "sign", *signs, path, folder / "default.cnf.xml")
    assert "named twice" not in run.err and (folder / "default.cnf.xml.sgn").exists()
    out = tmp_path / "out"
    out.mkdir()
    run = ctlsign.ok("config", "sign", *signs, "-o", out, *[path] * 9)
    assert run.err.count("named twice") == 1 and len(list(out.iterdir())) == 1


# A file that somebody exchanges for a pipe -------------------------------------------------------------

@pytest.mark.parametrize("verb, opened", [("accept", 1), ("identify", 1), ("expiry", 2), ("verify", 1), ("uploads", 1)])
def test_no_folder_s_file_is_waited_for(ctlsign, can_trace, tmp_path, verb, opened):
    """It was a file when the folder was read, and is a pipe that nobody writes to when it is opened."""
    folder = tmp_path / "folder"
    folder.mkdir()
    new = DATA / "lists" / "cucm.tlv"
    path = folder / "CTLFile.tlv"
    shutil.copy(new, path)
    words = {"accept": ["accept", "--installed-dir", folder, new], "identify": ["identify", "00ff", folder],
             "expiry": ["expiry", folder], "verify": ["verify", "--trust", folder, new],
             "uploads": ["accept", "--installed", new, "--sast-trust", folder, new]}[verb]
    if verb == "uploads":
        path = path.rename(folder / "CTLFile.pem")
    run = []
    wrapper = ["strace", "-f", "-qq", "-o", tmp_path / "trace", "-P", path, "-e", "trace=openat", "-e",
               f"inject=openat:delay_enter=2000000:when={opened}"]
    thread = threading.Thread(target=lambda: run.append(ctlsign(*words, env=NO_LEAKS, timeout=60, wrapper=wrapper)),
                              daemon=True)
    thread.start()
    time.sleep(1.2)
    path.unlink()
    os.mkfifo(path)
    thread.join(30)
    if thread.is_alive():  # let it go before the test fails
        os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
        thread.join(30)
        pytest.fail("it waited for somebody to write into the pipe")
    assert "(DELAYED)" in (tmp_path / "trace").read_text(), str(run[0])
    assert "not a regular file" in run[0].err, str(run[0])
