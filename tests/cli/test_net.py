# SPDX-License-Identifier: Apache-2.0
"""Lists that are given as URLs: real servers on the loopback, the good ones and those that misbehave."""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import lists
import nodes
import pytest
from conftest import BUILD, DATA, PROGRAM, SANITIZED

LIST = (DATA / "lists" / "cucm.tlv").read_bytes()
OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"


@pytest.fixture
def start():
    """Keeps servers until the test ends."""
    running = []

    def keep(server):
        running.append(server)
        return server
    yield keep
    for server in running:
        server.close()


@pytest.fixture
def node(start):
    return start(nodes.Node({"CTLFile.tlv": LIST}))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "CTLFile.tlv"
    path.write_bytes(LIST)
    return path


def raw(start, serve):
    server = start(nodes.Raw(serve))
    return server, f"http://127.0.0.1:{server.port}/CTLFile.tlv"


def test_show_is_that_of_the_file(ctlsign, node, file):
    node.modified = "Fri, 06 Mar 2015 18:45:13 GMT"
    there, here = ctlsign.ok("show", node.url()), ctlsign.ok("show", file)
    modified = "was last modified on Fri Mar 06 18:45:13 UTC 2015"
    assert modified in there.out and there.err == here.err
    strip = [line for line in here.out.splitlines() if "last modified" not in line]
    assert [line for line in there.out.splitlines() if "last modified" not in line] == strip


def test_a_server_that_tells_no_time(ctlsign, node):
    assert "was last modified on an unknown date: the server does not say" in ctlsign.ok("show", node.url()).out


READ = {
    "show": (0, ["show", "@"]), "json": (0, ["show", "--json", "@"]),
    "verify": (0, ["verify", "--trust", "cluster/pub.pem", "@"]), "verify-trust": (0, ["verify", "--trust", "@", "CTLFile.tlv"]),
    "diff": (0, ["diff", "CTLFile.tlv", "@"]), "diff-both": (0, ["diff", "@", "@"]),
    "accept": (0, ["accept", "--installed", "@", "CTLFile.tlv"]), "accept-new": (0, ["accept", "--installed", "CTLFile.tlv", "@"]),
    "plan": (0, ["plan", "--release", "10.5", "@", "CTLFile.tlv"]),
    "identify": (0, ["identify", "45627437aa83f931627e06ab3387063d", "@"]), "expiry": (1, ["expiry", "--within", "20000d", "@"]),
    "extract": (0, ["extract", "@", "-o", "out"]), "export": (0, ["export", "--from", "@", "--trust", "cluster/pub.pem", "-o", "out"]),
    "update": (0, ["update", "@", "-o", "new.tlv", "-k", "cluster/pub.key", "--cert", "cluster/pub.pem", "--yes"]),
    "update-trust": (0, ["update", "CTLFile.tlv", "--trust", "@2", "-o", "new.tlv", "-k", "cluster/pub.key", "--cert",
                         "cluster/pub.pem", "--yes"]),
}


@pytest.mark.parametrize("name", READ)
def test_wherever_a_list_is_read(ctlsign, cluster, node, file, name):
    """The same status and the same result as with the file."""
    status, words = READ[name]
    node.files["other/CTLFile.tlv"] = (DATA / "lists" / "ctl-client.tlv").read_bytes()
    node.modified = "Fri, 06 Mar 2015 18:45:13 GMT"
    place = {"@": node.url(), "@2": node.url("other/CTLFile.tlv")}
    run = ctlsign(*[place.get(word, word) for word in words], cwd=file.parent)
    assert run.status == status, str(run)
    assert len(node.asked) == sum(word in place for word in words)
    for made in ("out", "new.tlv"):
        path = file.parent / made
        assert path.exists() == (made in words)
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    (file.parent / "other.tlv").write_bytes(node.files["other/CTLFile.tlv"])
    local = ctlsign(*[{"@": "CTLFile.tlv", "@2": "other.tlv"}.get(word, word) for word in words if name != "diff-both"] or ["--version"],
                    cwd=file.parent)
    if name not in ("verify-trust", "diff-both", "update-trust"):
        assert local.status == status, str(local)
        same = run.out.replace(node.url(), "CTLFile.tlv")
        drop = re.compile(r"last modified on.*|signed (on|now).*|\d{10}|\d\d\d\d-\d\d-\d\dT[0-9:]*Z|[0-9a-f]{32,40}", re.I)
        assert drop.sub("", same) == drop.sub("", local.out)


# Every other option and argument whose value is read as a list: '@' is a CTL, '@itl' an ITL, '@log' what show printed.
ALSO_READ = {
    "update-installed": ["update", "CTLFile.tlv", "-n", "--cert", "cluster/pub.pem", "--installed", "@itl"],
    "build-installed": ["build", "-o", "new.tlv", "--sast", "cluster/pub.pem,name=pub", "-k", "cluster/pub.key", "--cert",
                        "cluster/pub.pem", "--yes", "--installed", "@"],
    "accept-tvs-ctl": ["accept", "--installed", "CTLFile.tlv", "--tvs-ctl", "@", "CTLFile.tlv"],
    "accept-new-itl": ["accept", "--installed", "CTLFile.tlv", "--new-itl", "@itl", "CTLFile.tlv"],
    "config-verify": ["config", "verify", "--trust", "@", "phone.xml.sgn"],
    "tokens-list": ["tokens", "--list", "@", "--module", "MODULE"], "doctor-list": ["doctor", "--list", "@", "--module", "MODULE"],
    "migrate": ["migrate", "to-tokens", "@", "--release", "10.5", "-k", "cluster/pub.key", "--cert", "cluster/pub.pem"],
    "plan-renew": ["plan", "@itl", "--renew", "tvs", "--release", "15"],
    "plan-recover": ["plan", "@itl", "--recover", "--installed-dir", "held", "--release", "15"],
    "check": ["check", "--timeout=1", "--port", "CCM=1", "--port", "TFTP=1", "--port", "CAPF=1", "--node", "cucm-1051-a-pub=127.0.0.1",
              "--node", "cucm-1051-a-sub1=127.0.0.1", "@"],
    "tvs": ["tvs", "--timeout=1", "127.0.0.1:1", "@"], "tvs-installed": ["tvs", "--timeout=1", "--installed", "@itl", "127.0.0.1:1", "CTLFile.tlv"],
    "rebuild": ["rebuild", "@log", "--certs", "cluster", "-o", "new.tlv"],
}
ALSO_LOCAL = {"@": "CTLFile.tlv", "@itl": "ITLFile.tlv", "@log": "show.log"}


@pytest.fixture
def also(ctlsign, cluster, file, lab):
    """Runs a row of ALSO_READ: (name, what stands for its lists)."""
    folder = file.parent
    ctlsign.ok("build", "-o", folder / "ITLFile.tlv", *lists.anchor(cluster), "--tvs", f"{cluster}/sub1.pem,name=sub1,address=127.0.0.1",
               "--ccm-tftp", f"{cluster}/pub.pem,name=pub,address=127.0.0.1", "--capf", f"{cluster}/capf.pem,name=pub")
    (folder / "held").mkdir()
    shutil.copy(folder / "ITLFile.tlv", folder / "held")
    (folder / "show.log").write_text(ctlsign.ok("show", file).out)
    (folder / "phone.xml").write_text("<device/>")
    ctlsign.ok("config", "sign", *lists.key(cluster, "tokenless"), folder / "phone.xml")

    def run(name, where, **popen):
        words = [where.get(word, str(lab.module) if word == "MODULE" else word) for word in ALSO_READ[name]]
        done = ctlsign(*words, cwd=folder, env=lab.env, **popen)
        (folder / "new.tlv").unlink(missing_ok=True)
        return done
    return run


@pytest.mark.parametrize("name", ALSO_READ)
def test_every_other_place_where_a_list_is_read(also, node, file, name):
    """The node is asked once, and the answer is that over the file."""
    node.files.update({path: (file.parent / path).read_bytes() for path in ALSO_LOCAL.values()})
    here, there = also(name, ALSO_LOCAL), also(name, {word: node.url(path) for word, path in ALSO_LOCAL.items()})
    assert node.asked == [f"/{ALSO_LOCAL[word]}" for word in ALSO_READ[name] if word in ALSO_LOCAL], str(there)
    assert there.status == here.status and bool(there.out) == bool(here.out), f"{here}\n{there}"
    assert "No such file" not in there.err, str(there)


@pytest.mark.parametrize("name", ALSO_READ)
def test_every_other_list_comes_from_standard_input(also, file, name):
    """What is read twice would be empty the second time."""
    word, = (word for word in ALSO_READ[name] if word in ALSO_LOCAL)
    here = also(name, ALSO_LOCAL)
    there = also(name, {**ALSO_LOCAL, word: "-"}, input=(file.parent / ALSO_LOCAL[word]).read_bytes())
    assert there.status == here.status and bool(there.out) == bool(here.out), f"{here}\n{there}"
    assert "empty" not in there.err, str(there)


@pytest.mark.parametrize("name", [name for name, (_, words) in READ.items() if words.count("@") == 1])
def test_a_list_comes_from_standard_input(ctlsign, cluster, file, name):
    """As from the file, wherever one is read."""
    status, words = READ[name]
    (file.parent / "other.tlv").write_bytes((DATA / "lists" / "ctl-client.tlv").read_bytes())
    run = ctlsign(*[{"@": "-", "@2": "other.tlv"}.get(word, word) for word in words], cwd=file.parent, input=LIST)
    assert run.status == status, str(run)
    for made in ("out", "new.tlv"):
        assert (file.parent / made).exists() == (made in words)


def test_two_urls_are_two_files(ctlsign, cluster, node, file):
    """Neither is taken for the other where a list may not be its own witness; the same bytes are."""
    key = ["-o", "new.tlv", "-k", "cluster/pub.key", "--cert", "cluster/pub.pem", "--yes"]
    run = ctlsign("update", node.url(), "--trust", node.url(), *key, cwd=file.parent)
    assert run.status == 2 and "a list cannot vouch for itself" in run.err, str(run)
    lists.build(ctlsign, cluster, "tokenless", file.parent / "tokenless.tlv")
    node.files["tokenless.tlv"] = (file.parent / "tokenless.tlv").read_bytes()
    node.files["old.tlv"] = node.files["elsewhere/old.tlv"] = (DATA / "lists" / "ctl-client.tlv").read_bytes()
    for witness in ("old.tlv", "elsewhere/old.tlv"):
        run = ctlsign("update", node.url("tokenless.tlv"), "--trust", node.url(witness), *key, cwd=file.parent)
        assert run.status == 0 and "cannot vouch for itself" not in run.err, str(run)
        assert f"{node.url(witness)}: came over the network, which proves no sender" in run.err, str(run)
        (file.parent / "new.tlv").unlink()


def test_a_server_that_answers_twice_is_no_witness(ctlsign, cluster, start, file):
    """The second answer is another list of the stranger who signed the first."""
    pages = []
    for name, time_signed in (("late", 1500000001), ("early", 1500000000)):
        path = file.parent / f"{name}.tlv"
        ctlsign.ok("build", "-o", path, "--sast", f"{cluster / 'sub1.pem'},name=sub1", "--sast", f"{cluster / 'pub.pem'},name=pub",
                   "-k", cluster / "sub1.key", "--cert", cluster / "sub1.pem", "--timestamp", time_signed, "--yes")
        pages.append(path.read_bytes())

    def serve(connection):
        nodes.request(connection)
        page = pages.pop(0)
        connection.sendall(OK % len(page) + page)
    _, url = raw(start, serve)
    run = ctlsign("update", url, "--trust", url, "-o", "new.tlv", "-k", cluster / "pub.key", "--cert", cluster / "pub.pem", "--yes",
                  cwd=file.parent)
    assert run.status == 2 and "a list cannot vouch for itself" in run.err, str(run)
    assert not (file.parent / "new.tlv").exists()


def test_a_witness_by_url_is_warned_of(ctlsign, node, file):
    run = ctlsign.ok("verify", "--trust", node.url(), file)
    assert f"{node.url()}: came over the network, which proves no sender" in run.err, str(run)


def test_so_is_a_list_that_says_who_signs_configuration(ctlsign, cluster, node, tmp_path):
    (tmp_path / "a.cnf.xml").write_text("<device/>")
    ctlsign.ok("config", "sign", "a.cnf.xml", "-k", cluster / "pub.key", "--cert", cluster / "pub.pem", cwd=tmp_path)
    run = ctlsign.ok("config", "verify", "--trust", node.url(), "a.cnf.xml.sgn", cwd=tmp_path)
    assert "good signature by" in run.out
    assert f"{node.url()}: came over the network, which proves no sender" in run.err, str(run)


def test_the_name_it_is_served_under_counts(ctlsign, node):
    node.files["ITLFile.tlv"] = LIST
    run = ctlsign("verify", "--trust", "self", node.url("ITLFile.tlv"))
    assert run.status == 1 and "another kind of list than the name that it is served under" in run.out, str(run)


def test_a_log_is_read_from_a_url_too(ctlsign, node):
    node.files["putty.log"] = (DATA / "samples" / "show-ctl.txt").read_bytes() if (DATA / "samples" / "show-ctl.txt").exists() \
        else ctlsign.ok("show", DATA / "lists" / "cucm.tlv").out.encode()
    first = ctlsign.ok("show", node.url("putty.log#1"))
    assert first.out == ctlsign.ok("show", node.url("putty.log")).out and "printed, not read" in first.out
    assert node.asked == ["/putty.log"] * 2


FAULTS = {
    "reset": (nodes.reset, "the connection ended before the answer did, after 0 bytes"),
    "half a file": (nodes.answer(OK % len(LIST), LIST[:1000]), "after 1000 bytes"),
    "half without a length": (nodes.answer(b"HTTP/1.0 200 OK\r\n\r\n", LIST[:1000]), "claimed, "),
    "announced too long": (nodes.answer(OK % (10 << 30), b"\1"), "longer than 1048576 bytes"),
    "10 GB": (nodes.endless, "longer than 1048576 bytes"),
    "header lines without end": (nodes.answer(b"HTTP/1.1 200 OK\r\n" + b"X: %s\r\n" % (b"y" * 1000) * 200), "header lines have no end"),
    "a header line without end": (nodes.answer(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 300000), "a header line of the answer is too long"),
    "404": (nodes.answer(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno"), "the server has no such file"),
    "404 with a long page": (nodes.answer(b"HTTP/1.1 404 Not Found\r\nContent-Length: 99999999\r\n\r\n"), "the server has no such file"),
    "401": (nodes.answer(b"HTTP/1.1 401 Who?\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"), "HTTP status 401"),
    "503": (nodes.answer(b"HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n"), "HTTP status 503"),
    "206": (nodes.answer(b"HTTP/1.1 206 Partial\r\nContent-Length: 10\r\n\r\n", LIST[:10]), "HTTP status 206"),
    "a page with 200": (nodes.answer(OK % 33, b"<html><body>not here</body></html>"[:33]), "it is a web page"),
    "nothing": (nodes.answer(OK % 0), "empty"),
    "no HTTP": (nodes.answer(b"220 ftp ready\r\n"), "HTTP/0.9"),
    "escapes": (nodes.answer(b"HTTP/1.1 302 x\r\nLocation: http://evil.invalid/\x1b[2Jx\r\nContent-Length: 0\r\n\r\n"), "evil.invalid"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_servers_do(ctlsign, cluster, start, tmp_path, name):
    """A clear sentence with the URL, status 3, nothing written."""
    serve, says = FAULTS[name]
    _, url = raw(start, serve)
    began = time.monotonic()
    run = ctlsign.refused(3, "verify", url, says=[url, says])
    assert "\x1b" not in run.err
    before = sorted(tmp_path.iterdir())
    ctlsign.refused(3, "extract", url, "-o", tmp_path / "out", says=says)
    ctlsign.refused(3, "update", url, "-o", tmp_path / "new.tlv", "-k", cluster / "pub.key", "--cert", cluster / "pub.pem", says=says)
    assert sorted(tmp_path.iterdir()) == before
    assert time.monotonic() - began < 30


def test_one_byte_a_second(ctlsign, start):
    _, url = raw(start, nodes.answer(OK % len(LIST), *[LIST[i:i + 1] for i in range(60)], pause=1))
    began = time.monotonic()
    ctlsign.refused(3, "show", "--timeout", "3", url, says="not whole in time, ")
    assert time.monotonic() - began < 30


def test_no_answer(ctlsign, start):
    _, url = raw(start, lambda connection: time.sleep(30))
    began = time.monotonic()
    ctlsign.refused(3, "show", "--timeout=1", url, says="no answer within 1 s")
    assert time.monotonic() - began < 20


def test_nobody_listens(ctlsign):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    ctlsign.refused(3, "show", f"http://127.0.0.1:{port}/CTLFile.tlv", says="the connection is refused")


def test_no_route(ctlsign):
    """Nobody has this address, and no packet leaves the machine."""
    ctlsign.refused(3, "show", "--timeout=2", "http://255.255.255.255/CTLFile.tlv", says=["http://255.255.255.255", ": "])


def test_no_such_host(ctlsign):
    ctlsign.refused(3, "show", "http://node.invalid/CTLFile.tlv", says="no such host")


@pytest.mark.parametrize("url", ["http://me:secret@127.0.0.1/CTLFile.tlv", "http://", "http://127.0.0.1:99999/x",
                                 "http://127.0.0.1/a b", "http://" + "x" * 2000])
def test_no_url(ctlsign, url):
    run = ctlsign.refused(3, "show", url, says="this cannot be asked")
    assert "secret" not in run.err.replace(url, "")


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/CTLFile.tlv", "file:///etc/passwd", "gopher://127.0.0.1/"])
def test_other_schemes_are_files_that_are_not_there(ctlsign, url):
    ctlsign.refused(3, "show", url, says=url)


def test_redirects_stay_on_the_host(ctlsign, start, node):
    node.redirects = {"old.tlv": "/CTLFile.tlv", "other.tlv": "http://localhost:1/CTLFile.tlv", "file.tlv": "file:///etc/passwd",
                      "tftp.tlv": "tftp://127.0.0.1/CTLFile.tlv", "circle.tlv": "/circle.tlv"}
    assert ctlsign.ok("show", "--json", node.url("old.tlv"))
    for name, says in (("other.tlv", "redirects to another host, 'http://localhost:1/CTLFile.tlv'"), ("file.tlv", "'file:///etc/passwd'"),
                       ("tftp.tlv", "'tftp://127.0.0.1/CTLFile.tlv'"), ("circle.tlv", "more than 5 redirects")):
        ctlsign.refused(3, "show", node.url(name), says=says)
    for to in (f"http://me:secret@{node.name}/CTLFile.tlv", "http://[bad", "http://127.0.0.1:99999/CTLFile.tlv"):
        node.redirects["strange.tlv"] = to
        ctlsign.refused(3, "show", node.url("strange.tlv"), says=f"redirects to '{to}': only a URL of http or https without a user's name")
    node.redirects["nobody.tlv"] = "http://127.0.0.1:1/CTLFile.tlv"
    ctlsign.refused(3, "show", node.url("nobody.tlv"), says="redirects to 'http://127.0.0.1:1/CTLFile.tlv', and nothing answers there")
    elsewhere = start(nodes.Node({"CTLFile.tlv": LIST}))
    node.redirects["port.tlv"] = elsewhere.url()
    assert ctlsign.ok("show", "--json", node.url("port.tlv")) and elsewhere.asked == ["/CTLFile.tlv"]


@pytest.mark.parametrize("variable", ["http_proxy", "all_proxy", "ALL_PROXY"])
def test_the_environment_s_proxy_is_not_asked(ctlsign, start, node, variable):
    proxy = start(nodes.Raw(lambda connection: None))
    assert ctlsign.ok("show", node.url(), env={variable: f"http://127.0.0.1:{proxy.port}"})
    assert proxy.count == 0


def test_https_is_not_judged_and_that_is_said(ctlsign, cluster, start):
    """A certificate of somebody else, 1024 bits, for another name."""
    tls = start(nodes.Node({"CTLFile.tlv": LIST}, certificate=(cluster / "capf.pem", cluster / "capf.key"))
                if (cluster / "capf.key").exists() else
                nodes.Node({"CTLFile.tlv": LIST}, certificate=(cluster / "pub.pem", cluster / "pub.key")))
    run = ctlsign.ok("verify", "--verbose", "--trust", cluster / "pub.pem", tls.url())
    assert "the server's certificate is not judged" in run.err


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1", "-tls1_2", "-tls1_3"])
def test_old_tls(ctlsign, cluster, start, file, version):
    old = start(nodes.OldTls(file.parent, cluster / "pub.pem", cluster / "pub.key", version))
    ctlsign.ok("verify", "--trust", cluster / "pub.pem", old.url())


def test_old_tls_where_the_machine_s_policy_is_strict(ctlsign, cluster, start, file):
    """Nothing is believed for the session's sake, so the policy has nothing to protect."""
    policy = file.parent / "openssl.cnf"
    policy.write_text("openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nMinProtocol = TLSv1.3\n"
                      "CipherString = DEFAULT:@SECLEVEL=3\n")
    old = start(nodes.OldTls(file.parent, cluster / "pub.pem", cluster / "pub.key", "-tls1"))
    ctlsign.ok("verify", "--trust", cluster / "pub.pem", old.url(), env={"OPENSSL_CONF": policy})


def test_tls_where_there_is_none(ctlsign, node):
    ctlsign.refused(3, "show", f"https://{node.name}/CTLFile.tlv", says="no TLS session")


def test_tftp(ctlsign, start, file):
    if nodes.Tftp.missing():
        pytest.skip(nodes.Tftp.missing())
    server = start(nodes.Tftp(file.parent))
    assert ctlsign.ok("show", server.url()).out.splitlines()[5:] != []
    file.chmod(0o644)
    ctlsign.refused(3, "show", server.url("ITLFile.tlv"), says="the server has no such file")
    large = file.parent / "large.tlv"
    large.write_bytes(bytes(3 << 20))
    ctlsign.refused(3, "show", server.url("large.tlv"), says="longer than 1048576 bytes")
    large.write_bytes(b"")
    ctlsign.refused(3, "verify", server.url("large.tlv"), says="empty")
    ctlsign.refused(3, "show", "--timeout=1", f"tftp://127.0.0.1:{nodes.free_udp_port('127.0.0.1')}/CTLFile.tlv", says=": ")


def test_in_place_is_no_place(ctlsign, cluster, node, tmp_path):
    ctlsign.refused(2, "update", node.url(), "--in-place", "-k", cluster / "pub.key", "--cert", cluster / "pub.pem", says="is fetched")


@pytest.mark.parametrize("seconds", ["0", "x", "86401"])
def test_timeout_is_a_number(ctlsign, file, seconds):
    ctlsign.refused(2, "show", "--timeout", seconds, file, says="--timeout")


def test_without_the_helper(ctlsign, node, tmp_path):
    """Local files need none; a URL says what is missing."""
    alone = tmp_path / "bin" / "ctlsign"
    alone.parent.mkdir()
    shutil.copy(PROGRAM, alone)
    ctlsign.ok("show", DATA / "lists" / "cucm.tlv", program=alone)
    ctlsign.refused(3, "show", node.url(), program=alone, says="'ctlsign-net' is not installed")


def test_a_local_file_starts_nobody(ctlsign, file):
    if shutil.which("strace") is None or SANITIZED:
        pytest.skip("no strace, or a sanitizer in its way")
    log = file.parent / "log"
    run = ctlsign("show", file, wrapper=["strace", "-f", "-qq", "-e", "trace=execve,connect", "-o", log])
    assert run.status == 0 and "ctlsign-net" not in log.read_text() and "connect(" not in log.read_text()


def test_only_the_helper_knows_libcurl():
    for name, wanted in (("ctlsign", False), ("ctlsign-token", False), ("ctlsign-net", True)):
        needed = subprocess.run(["readelf", "-d", BUILD / name], capture_output=True, text=True, check=True).stdout
        assert ("libcurl" in needed) == wanted, name


def test_the_helper_alone_says_what_it_is(ctlsign):
    run = ctlsign(program=BUILD / "ctlsign-net", wrapper=["env"])
    assert run.status == 2 and "is a part of ctlsign" in run.err


@pytest.mark.skipif(SANITIZED, reason="built without the sandbox")
def test_both_sides_are_shut_in(ctlsign, node, tmp_path):
    """The reader before the first byte comes, the helper before its first socket; nothing of theirs is refused."""
    if shutil.which("strace") is None:
        pytest.skip("no strace")
    log = tmp_path / "log"
    run = ctlsign("show", node.url(), wrapper=["strace", "-ff", "-qq", "-o", log])
    assert run.status == 0, str(run)
    traces = [path.read_text(errors="replace") for path in tmp_path.glob("log.*")]
    helper = next(t for t in traces if "ctlsign-net" in t and "AF_INET" in t)
    program = next(t for t in traces if "posix_spawn" in t or "ctlsign-net" in t and t is not helper)
    entered = re.search(r"PR_SET_SECCOMP, SECCOMP_MODE_FILTER.*= 0", helper)
    if entered is None:
        pytest.skip("no seccomp here")
    assert entered.start() < helper.index("AF_INET")
    after = helper[entered.end():]
    refused = [line for line in after.splitlines() if re.search(r"= -1 (ENOSYS|EACCES|EPERM|EAFNOSUPPORT|EINVAL|ENOTTY)\b", line)
               and "clone3(" not in line]
    assert not refused, "\n".join(refused)
    assert "AF_INET" not in program


def helper_of(parent):
    """The helper's /proc folder, as soon as it is there."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                stat = (folder / "stat").read_text()
                if "(ctlsign-net)" in stat and stat.rsplit(") ")[-1].split()[1] == str(parent):
                    return folder
        time.sleep(0.02)
    raise TimeoutError(parent)


TFTP_ERRORS = {0: "TFTP: Illegal operation", 2: "TFTP: Access Violation", 3: "Disk full", 4: "TFTP: Illegal operation",
               5: "TFTP: Unknown transfer ID", 6: "already exists", 7: "TFTP: No such user", 8: "an error number that TFTP does not have",
               65535: "an error number that TFTP does not have"}


@pytest.mark.parametrize("number", TFTP_ERRORS)
def test_a_tftp_server_that_refuses(ctlsign, number):
    """What it says itself is not told: libcurl's words for the kind of error are."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(20)

        def refuse():
            server.sendto(b"\0\5" + number.to_bytes(2, "big") + b"\x1b[31mgood\0", server.recvfrom(2000)[1])
        thread = threading.Thread(target=refuse)
        thread.start()
        run = ctlsign("show", f"tftp://127.0.0.1:{server.getsockname()[1]}/CTLFile.tlv")
        thread.join()
    assert run.status == 3 and "the server refuses: " in run.err and TFTP_ERRORS[number] in run.err, str(run)
    assert "\x1b" not in run.err


def test_no_options_of_tftp_are_asked_for(ctlsign):
    """libcurl takes the size of an empty file, which is 0, for an error."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(20)
        asked = []

        def serve():
            asked.append(server.recvfrom(2000))
            server.sendto(b"\0\3\0\1", asked[0][1])
        thread = threading.Thread(target=serve)
        thread.start()
        ctlsign.refused(3, "verify", f"tftp://127.0.0.1:{server.getsockname()[1]}/CTLFile.tlv", says="empty")
        thread.join()
    assert asked[0][0] == b"\0\1CTLFile.tlv\0octet\0"


def zoned():
    """(address, number, name) of a link-local address of this machine; None: there is none."""
    table = pathlib.Path("/proc/net/if_inet6")
    for words in map(str.split, table.read_text().splitlines() if table.exists() else []):
        if words[3] == "20":
            return socket.inet_ntop(socket.AF_INET6, bytes.fromhex(words[0])), int(words[1], 16), words[5]
    return None


@pytest.mark.parametrize("form", ["http://[{}%25{}]:{}/CTLFile.tlv", "http://[{}%{}]:{}/CTLFile.tlv"])
def test_a_zone_by_its_name(ctlsign, form):
    """The helper turns it into a number behind the sandbox."""
    if zoned() is None:
        pytest.skip("no link-local address here")
    address, number, name = zoned()
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as listener:
        listener.bind((address, 0, 0, number))
        listener.listen()
        listener.settimeout(20)

        def serve():
            connection, _ = listener.accept()
            with connection:
                nodes.answer(OK % len(LIST), LIST)(connection)
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        ctlsign.ok("show", "--timeout=5", form.format(address, name, listener.getsockname()[1]))
        thread.join()


class Tftp:
    """Serves one list over TFTP. Before each of its answers a datagram comes from another address."""

    def __init__(self, data, intruder, family=socket.AF_INET):
        self.data, self.intruder = data, intruder
        self.host = "127.0.0.1" if family == socket.AF_INET else "::1"
        self.server = socket.socket(family, socket.SOCK_DGRAM)
        self.server.bind((self.host, 0))
        self.server.settimeout(20)
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def url(self):
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"tftp://{host}:{self.server.getsockname()[1]}/CTLFile.tlv"

    def serve(self):
        client = self.server.recvfrom(2000)[1]
        blocks = [self.data[at:at + 512] for at in range(0, len(self.data) + 1, 512)]
        other = socket.socket(self.server.family, socket.SOCK_DGRAM)
        with self.server, other, socket.socket(self.server.family, socket.SOCK_DGRAM) as own:
            own.bind((self.host, 0))
            own.settimeout(20)
            if self.intruder:
                other.bind((self.intruder, 0))
            for number, block in enumerate(blocks, 1):
                head = b"\0\3" + number.to_bytes(2, "big")
                if self.intruder:
                    other.sendto(head + bytes(len(block)), client)
                own.sendto(head + block, client)
                assert own.recvfrom(2000)[0] == b"\0\4" + head[2:]


def parsed(run):
    """Without the time of the file."""
    return run.out.split("Parse CTL File")[1]


@pytest.mark.parametrize("intruder", [None, "127.0.0.2"])
def test_tftp_from_another_address(ctlsign, file, intruder):
    """The server answers from any of its ports; what another host sends is not its answer."""
    server = Tftp(file.read_bytes(), intruder)
    run = ctlsign("show", server.url())
    server.thread.join()
    assert run.status == 0 and parsed(run) == parsed(ctlsign.ok("show", file)), str(run)


def test_tftp_over_ipv6(ctlsign, file):
    if not pathlib.Path("/proc/net/if_inet6").exists():
        pytest.skip("no IPv6 here")
    server = Tftp(file.read_bytes(), None, socket.AF_INET6)
    run = ctlsign("show", server.url())
    server.thread.join()
    assert run.status == 0 and parsed(run) == parsed(ctlsign.ok("show", file)), str(run)


def test_a_tftp_server_at_another_address_is_no_answer(ctlsign, file):
    """All that comes is somebody else's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        asked.bind(("127.0.0.1", 0))
        asked.settimeout(20)
        other.bind(("127.0.0.2", 0))
        block = b"\0\3\0\1" + file.read_bytes()[:511]
        thread = threading.Thread(target=lambda: other.sendto(block, asked.recvfrom(2000)[1]))
        thread.start()
        run = ctlsign("show", "--timeout=2", f"tftp://127.0.0.1:{asked.getsockname()[1]}/CTLFile.tlv")
        thread.join()
    assert run.status == 3 and run.out == "" and "no answer within 2 s" in run.err, str(run)


def test_the_helper_writes_no_keys_of_its_sessions(ctlsign, cluster, start, tmp_path):
    node = start(nodes.Node({"CTLFile.tlv": LIST}, certificate=(cluster / "pub.pem", cluster / "pub.key")))
    ctlsign.ok("show", node.url(), env={"SSLKEYLOGFILE": tmp_path / "keys"})
    assert not (tmp_path / "keys").exists()


BY_URL = {"verify": ["verify", "--trust", "@", "FILE"], "expiry": ["expiry", "--within", "1d", "@"],
          "identify": ["identify", "45627437aa83f931627e06ab3387063d", "@"],
          "update": ["update", "FILE", "--trust", "@", "-n", "--cert", "cluster/pub.pem"]}


@pytest.mark.parametrize("name", BY_URL)
def test_a_folder_that_is_called_like_a_url(ctlsign, cluster, node, file, tmp_path, name):
    """Somebody put it there, with a certificate of theirs; the URL is meant all the same."""
    words = [{"@": node.url(), "FILE": file, "cluster/pub.pem": cluster / "pub.pem"}.get(word, word) for word in BY_URL[name]]
    clean = ctlsign(*words)
    trap = tmp_path / "here" / "http:" / node.name / "CTLFile.tlv"
    trap.mkdir(parents=True)
    shutil.copy(cluster / "sub1.pem", trap / "planted.pem")
    run = ctlsign(*words, cwd=tmp_path / "here")
    assert (run.status, run.out, run.err) == (clean.status, clean.out, clean.err), str(run)
    assert len(node.asked) == 2


@pytest.fixture
def hanging(ctlsign, cluster, start, tmp_path):
    """A run that waits for a node, with a PIN in its environment, and its helper."""
    _, url = raw(start, lambda connection: time.sleep(60))
    words = ["update", url, "-o", tmp_path / "new.tlv", "-k", cluster / "pub.key", "--pin-source", "env:THE_PIN"]
    child = subprocess.Popen([PROGRAM, *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             env=ctlsign.environment({"THE_PIN": "1234", "LD_PRELOAD": "", "GCONV_PATH": "/x",
                                                      "SSLKEYLOGFILE": "/x", "OTHER": "y"}))
    yield child, helper_of(child.pid)
    child.kill()
    child.wait()


@pytest.mark.skipif(os.geteuid() != 0, reason="a hardened process shows itself to root only")
def test_what_the_helper_gets(hanging):
    """No PIN, nothing that loads code, no file of the parent's, no core."""
    _, helper = hanging
    names = {entry.split(b"=")[0] for entry in (helper / "environ").read_bytes().split(b"\0") if entry}
    assert b"OTHER" in names and not names & {b"THE_PIN", b"LD_PRELOAD", b"GCONV_PATH", b"SSLKEYLOGFILE"}
    inherited = [os.readlink(path) for path in (helper / "fd").iterdir() if path.name in "0123"]
    assert sorted(inherited)[:3] == ["/dev/null"] * 3 and len(inherited) == 4 and "socket:" in sorted(inherited)[3]
    limits = (helper / "limits").read_text()
    assert re.search(r"Max core file size +0 +0", limits)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_the_helper_goes_with_the_program(hanging, how):
    child, helper = hanging
    child.send_signal(how)
    child.wait(10)
    end = time.monotonic() + 5
    while helper.exists() and time.monotonic() < end:
        time.sleep(0.02)
    assert not helper.exists() or "\nState:\tZ" in (helper / "status").read_text()


def test_a_helper_that_dies_is_an_error(ctlsign, start, tmp_path):
    _, url = raw(start, lambda connection: time.sleep(60))
    child = subprocess.Popen([PROGRAM, "show", url], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             env=ctlsign.environment())
    os.kill(int(helper_of(child.pid).name), signal.SIGKILL)
    out, err = child.communicate(timeout=10)
    assert child.returncode == 3 and out == b"" and b"the network's process ended before it answered" in err, err


# What a helper does with the first request, r; its number is n. FAKE stands for ctlsign-net.
FAKE = """#!/usr/bin/python3
import os, socket, struct, time
LIST = open({list!r}, "rb").read()
line = socket.socket(fileno=3)
def done(n, fault=0, code=0, modified=0, text=b""):
    return struct.pack(">BBHBIq", 65, 0, n, fault, code, modified) + text
def piece(n, data):
    return struct.pack(">BBH", 64, 0, n) + data
r = line.recv(4096)
n = struct.unpack(">BBHIIH", r[:14])[2]
def whole():
    line.send(piece(n, LIST[:100])); line.send(piece(n, LIST[100:])); line.send(done(n))
{act}
time.sleep(60)
"""
LIES = {
    "the truth": ("whole()", 0, ""),
    "the truth, late": ("time.sleep(1); whole()", 0, ""),
    "nonsense first": ("[line.send(os.urandom(50)[:i] or b'x') for i in range(50)]; line.send(b'\\x3f\\0' + r[2:4]); whole()", {0, 3}, ""),
    "other numbers first": ("line.send(piece(n + 1, b'x')); line.send(done(n + 1)); whole()", 0, ""),
    "half, and an end": ("line.send(piece(n, LIST[:999])); line.send(done(n))", 3, "claimed, "),
    "too much": ("[line.send(piece(n, bytes(60000))) for _ in range(18)]", 3, "longer than 1048576 bytes"),
    "too much at once": ("line.setsockopt(1, 7, 1 << 20); line.send(piece(n, bytes(190000)))", 3, "no answer within 2 s"),
    "no such fault": ("line.send(done(n, fault=200))", 3, "ended before it answered"),
    "a time before all times": ("line.send(done(n, modified=-5))", 3, "ended before it answered"),
    "a short end": ("line.send(done(n)[:9])", 3, "ended before it answered"),
    "a long text": ("line.send(done(n, fault=15, text=b'x' * 9000))", 3, "ended before it answered"),
    "a text that acts": ("line.send(done(n, fault=15, text=b'\\x1b[2J\\n\\0%s%n'))", 3, "\\x1b[2J"),
    "nothing": ("pass", 3, "no answer within 2 s"),
    "drops": ("[(line.send(piece(n, b'x')), time.sleep(0.01)) for _ in range(5000)]", 3, "no answer within 2 s"),
    "a flood for nobody": ("[line.send(piece(n + 9, bytes(1000))) for _ in range(10 ** 7)]", 3, "no answer within 2 s"),
    "the end": ("os._exit(0)", 3, "ended before it answered"),
    "a crash": ("os.kill(os.getpid(), 11)", 3, "ended before it answered"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_helper_that_lies(ctlsign, tmp_path, name):
    """Somebody has taken it over: the program says what is wrong, in time."""
    act, status, says = LIES[name]
    folder = tmp_path / "bin"
    folder.mkdir()
    shutil.copy(PROGRAM, folder / "ctlsign")
    (folder / "ctlsign-net").write_text(FAKE.format(list=str(DATA / "lists" / "cucm.tlv"), act=act))
    (folder / "ctlsign-net").chmod(0o755)
    began = time.monotonic()
    run = ctlsign("verify", "--trust=self", "--timeout=2", "http://127.0.0.1/CTLFile.tlv", program=folder / "ctlsign")
    assert run.status in ({status} if isinstance(status, int) else status) and says in run.err, str(run)
    assert "\x1b" not in run.err and (run.status == 0 or run.out == "")
    assert time.monotonic() - began < 30


def test_names_are_resolved_behind_the_sandbox(ctlsign, start):
    """By the C library, in a thread of the helper's; libcurl itself knows only localhost."""
    name = socket.gethostname()
    try:
        address = socket.gethostbyname(name)
    except OSError:
        address = ""
    if not address.startswith("127.") or name.startswith("localhost"):
        pytest.skip("this machine's own name is none of the loopback's")
    node = start(nodes.Node({"CTLFile.tlv": LIST}, host=address))
    ctlsign.ok("show", f"http://{name}:{node.port}/CTLFile.tlv")
