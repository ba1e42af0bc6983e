# SPDX-License-Identifier: Apache-2.0
"""What the nodes of a cluster serve, compared; nodes are servers on the loopback."""
import hashlib
import json
import os
import re
import threading
import time

import nodes
import pytest
from conftest import DATA
from test_net import OK, raw, start  # noqa: F401  (a fixture)

CTL = (DATA / "lists" / "cucm.tlv").read_bytes()
OTHER = (DATA / "lists" / "ctl-client.tlv").read_bytes()
PUB = DATA / "cluster" / "pub.pem"
PAGE = b"<html><body>not found</body></html>"
BAD = CTL[:-30] + bytes([CTL[-30] ^ 1]) + CTL[-29:]


def build(ctlsign, cluster, path, *records):
    ctlsign.ok("build", "-o", path, "--sast", f"{cluster / 'pub.pem'},name=pub", *records, "-k", cluster / "pub.key",
               "--cert", cluster / "pub.pem", "--yes")


@pytest.fixture
def itls(ctlsign, cluster, tmp_path):
    """Two nodes' own."""
    made = []
    for name in ("pub", "sub1"):
        path = tmp_path / f"ITL-{name}" / "ITLFile.tlv"
        path.parent.mkdir()
        build(ctlsign, cluster, path, "--ccm-tftp", f"{cluster / name}.pem,name={name}")
        made.append(path.read_bytes())
    return made


@pytest.fixture
def serve(start):  # noqa: F811
    """Starts a node for each set of files."""
    return lambda *sets, **kw: [start(nodes.Node(files, **kw)) for files in sets]


def names(served):
    return [node.name for node in served]


def rows(run):
    """{(node, file): words}, and the last line."""
    found = {}
    for line in run.out.splitlines()[:-1]:
        node, name, words = re.fullmatch(r"(\S+): (\S+): (.*)", line).groups()
        found[node, name] = words
    return found, run.last_line


def test_the_same_everywhere(ctlsign, serve, itls):
    served = serve({"CTLFile.tlv": CTL, "ITLFile.tlv": itls[0]}, {"CTLFile.tlv": CTL, "ITLFile.tlv": itls[1]})
    assert itls[0] != itls[1]
    run = ctlsign.ok("fetch", *names(served))
    found, last = rows(run)
    md5, sha1 = hashlib.md5(CTL).hexdigest(), hashlib.sha1(CTL).hexdigest()
    for node in served:
        assert found[node.name, "CTLFile.tlv"] == (
            "same, consistent, signed 2015-03-10T15:06:40Z by cucm-1051-a-pub, "
            f"MD5 {md5}, SHA-1 {sha1}")
        assert found[node.name, "ITLFile.tlv"].startswith("consistent, signed ")
        assert sorted(node.asked) == ["/CTLFile.tlv", "/ITLFile.tlv"]
    assert last == "same: all nodes serve one CTL (nodes: 2)" and "good" not in run.out


def test_good_is_said_of_what_is_trusted_only(ctlsign, serve, itls):
    served = serve({"CTLFile.tlv": CTL, "ITLFile.tlv": itls[0]})
    assert "same, good, " in ctlsign.ok("fetch", "--trust", PUB, *names(served)).out
    run = ctlsign("fetch", "--trust", DATA / "cluster" / "sub1.pem", *names(served))
    assert run.status == 1 and "same, UNTRUSTED, " in run.out and run.last_line == "not good: files that are no good lists: 2", str(run)


def test_a_list_that_differs(ctlsign, serve):
    served = serve({"CTLFile.tlv": CTL}, {"CTLFile.tlv": OTHER}, {"CTLFile.tlv": CTL})
    run = ctlsign("fetch", *names(served))
    found, last = rows(run)
    words = [found[node.name, "CTLFile.tlv"] for node in served]
    assert [word.split(", ")[0] for word in words] == ["different (1 of 2)", "different (2 of 2)", "different (1 of 2)"]
    assert run.status == 1 and last.startswith("different: ")


def test_a_list_that_one_node_lacks(ctlsign, serve):
    served = serve({"CTLFile.tlv": CTL}, {})
    run = ctlsign("fetch", *names(served))
    found, last = rows(run)
    assert run.status == 1 and last.startswith("different: ")
    assert found[served[1].name, "CTLFile.tlv"] == "different, missing"
    assert found[served[0].name, "CTLFile.tlv"].startswith("different, consistent, ")


def test_no_list_anywhere(ctlsign, serve, itls, tmp_path):
    served = serve({"ITLFile.tlv": itls[0]}, {"ITLFile.tlv": itls[1]})
    run = ctlsign.ok("fetch", *names(served))
    assert run.last_line == "not mixed: no node serves a CTL"
    run = ctlsign("fetch", *names(serve({}, {})), "-o", tmp_path / "out")
    assert run.status == 1 and run.out.splitlines()[-1].startswith("no lists: no node serves a CTL or an ITL"), str(run)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content,says", [(BAD, "BAD, "), (PAGE, "unreadable: "), (CTL[:900], "unreadable: "), (b"", "unreadable: "),
                                          (b"\x1f\x8b" + bytes(90), "unreadable: ")])
@pytest.mark.parametrize("name", ["CTLFile.tlv", "ITLFile.tlv"])
def test_what_is_no_good_list(ctlsign, serve, tmp_path, name, content, says):
    """Also an ITL. What is no list is not written, a bad list is."""
    served = serve({"CTLFile.tlv": CTL} | {name: content})
    run = ctlsign("fetch", "-o", tmp_path / "out", *names(served))
    assert run.status == 1, str(run)
    assert says in rows(run)[0][served[0].name, name] and run.last_line.startswith("not good")
    written = {path.name.split("-")[0]: path.read_bytes() for path in (tmp_path / "out").iterdir()} if (tmp_path / "out").exists() else {}
    assert (name.split(".")[0] in written) == (says == "BAD, ")


def test_served_under_the_wrong_name(ctlsign, serve):
    run = ctlsign("fetch", *names(serve({"CTLFile.tlv": CTL, "ITLFile.tlv": CTL})))
    assert run.status == 1 and "ITLFile.tlv: BAD" in run.out


def test_a_node_that_does_not_answer(ctlsign, serve, start):  # noqa: F811
    silent, _ = raw(start, lambda connection: time.sleep(30))
    served = serve({"CTLFile.tlv": CTL})
    began = time.monotonic()
    run = ctlsign("fetch", "--timeout=1", *names(served), f"127.0.0.1:{silent.port}", "node.invalid")
    assert time.monotonic() - began < 20
    found, last = rows(run)
    assert run.status == 1 and last == "not known: 2 of 3 nodes did not answer"
    assert found[f"127.0.0.1:{silent.port}", "CTLFile.tlv"].startswith("not reached: no answer within 1 s")
    assert found["node.invalid", "ITLFile.tlv"].startswith("not reached: no such host")


def test_a_redirect_that_leads_nowhere(ctlsign, serve):
    """The node has answered: it is not silent."""
    served = serve({"CTLFile.tlv": CTL})[0]
    served.redirects["ITLFile.tlv"] = "http://127.0.0.1:1/"
    run = ctlsign("fetch", served.name)
    assert run.status == 1 and "ITLFile.tlv: unreadable: the server redirects to 'http://127.0.0.1:1/', " in run.out, str(run)


def test_nobody_answers(ctlsign, start, tmp_path):  # noqa: F811
    reset, _ = raw(start, nodes.reset)
    ctlsign.refused(3, "fetch", "--timeout=1", "-o", tmp_path / "out", f"127.0.0.1:{reset.port}", "node.invalid",
                    says=["no list came from any of 2 nodes", "the connection ended before", "no such host"])
    assert not (tmp_path / "out").exists()


def test_a_list_that_changes_between_two_nodes(ctlsign, serve):
    """The CTL that comes is the one that is judged, whatever is served a moment later."""
    served = serve({"CTLFile.tlv": CTL}, {"CTLFile.tlv": CTL})
    assert ctlsign.ok("fetch", *names(served))
    served[1].files["CTLFile.tlv"] = OTHER
    assert ctlsign("fetch", *names(served)).status == 1
    served[0].files["CTLFile.tlv"] = OTHER
    assert ctlsign.ok("fetch", *names(served))


def test_a_phone_s_own_lists(ctlsign, serve):
    device = "SEP001122334455"
    served = serve({"CTLFile.tlv": CTL, f"CTL{device}.tlv": CTL}, {"CTLFile.tlv": CTL, f"CTL{device}.tlv": OTHER})
    assert ctlsign.ok("fetch", *names(served))
    run = ctlsign("fetch", "--device", device, *names(served))
    found, _ = rows(run)
    assert run.status == 1
    assert found[served[0].name, "CTLFile.tlv"].startswith("same, ")
    assert found[served[1].name, f"CTL{device}.tlv"].startswith("different (2 of 2), ")
    assert found[served[1].name, f"ITL{device}.tlv"] == "missing"
    for wrong in ("001122334455", "SEP00112233445", "sep001122334455", "SEP00112233445g"):
        ctlsign.refused(2, "fetch", "--device", wrong, *names(served), says="--device")


def test_what_is_written(ctlsign, serve, itls, tmp_path):
    served = serve({"CTLFile.tlv": CTL, "ITLFile.tlv": itls[0]}, {"CTLFile.tlv": OTHER})
    run = ctlsign("fetch", "--json", "-o", "out", *names(served), cwd=tmp_path)
    assert run.status == 1
    files = json.loads(run.out)["files"]
    written = {file["written"]: (file["node"], file["name"]) for file in files if file["written"]}
    assert written == {f"{name.split('.')[0]}-{node.name.replace(':', '_')}.tlv": (node.name, name)
                       for node, name in ((served[0], "CTLFile.tlv"), (served[0], "ITLFile.tlv"), (served[1], "CTLFile.tlv"))}
    for name, (node, file) in written.items():
        assert (tmp_path / "out" / name).read_bytes() == next(n for n in served if n.name == node).files[file]
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(written)
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert ctlsign("fetch", "-o", "out", *names(served), cwd=tmp_path).status == 1
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    served[1].files["CTLFile.tlv"] = CTL
    ctlsign.ok("fetch", "-o", "out", *names(served), cwd=tmp_path)
    assert any(path.name.endswith(".~1~") and path.read_bytes() == OTHER for path in (tmp_path / "out").iterdir())


def test_somebody_s_file_is_not_replaced(ctlsign, serve, tmp_path):
    served = serve({"CTLFile.tlv": CTL})
    (tmp_path / "out").mkdir()
    path = tmp_path / "out" / f"CTLFile-{served[0].name.replace(':', '_')}.tlv"
    path.write_text("mine")
    run = ctlsign("fetch", "-o", tmp_path / "out", *names(served))
    assert run.status == 9 and path.read_text() == "mine"


def test_json(ctlsign, serve, itls):
    served = serve({"CTLFile.tlv": CTL, "ITLFile.tlv": itls[0]}, {"ITLFile.tlv": PAGE})
    run = ctlsign("fetch", "--json", *names(served))
    told = json.loads(run.out)
    assert run.status == 1 and (told["nodes"], told["silent"], told["bad"], told["ctl"]) == (2, 0, 1, "different")
    assert [(file["state"], file["compared"], file["verdict"]) for file in told["files"]] == [
        ("list", "different", "consistent"), ("list", None, "consistent"), ("missing", "different", None), ("unreadable", None, None)]
    assert "web page" in told["files"][3]["fault"]


@pytest.mark.parametrize("files", [{"CTLFile.tlv": PAGE}, {"CTLFile.tlv": CTL}, {}])
@pytest.mark.parametrize("other", [{"CTLFile.tlv": PAGE}, None])
def test_json_calls_nothing_the_same_that_was_not_seen(ctlsign, serve, itls, files, other):
    """other: what a second node has; None: it does not answer."""
    served = serve({"ITLFile.tlv": itls[0]} | files, *([other] if other else []))
    run = ctlsign("fetch", "--json", *names(served), *([] if other else ["node.invalid"]))
    assert run.status == 1 and json.loads(run.out)["ctl"] == "unknown", str(run)
    if files != {"CTLFile.tlv": PAGE}:
        run = ctlsign.ok("fetch", "--json", *names(served)[:1])
        assert json.loads(run.out)["ctl"] == ("same" if files else "none")


def test_a_list_does_not_have_us_connect_everywhere(ctlsign, cluster, tmp_path):
    """128 nodes of a list are asked, one more is refused before any is."""
    for n, says in ((128, "no list came from any of 128 nodes"), (129, "its TFTP records name more than 128 nodes")):
        path = tmp_path / str(n) / "CTLFile.tlv"
        path.parent.mkdir()
        build(ctlsign, cluster, path, "--allow-large", *(word for k in range(n) for word in (
            "--tftp", f"{cluster / 'sub1.pem'},name=n{k},address=127.99.98.{k + 1}")))
        ctlsign.refused(3, "fetch", "--timeout=5", "--nodes", path, says=says)


def test_nodes_of_a_list(ctlsign, cluster, start, tmp_path):  # noqa: F811
    """TFTP records' addresses on the usual port, each once; the name where there is no address. Loopback addresses of this test's own."""
    net = f"127.{os.getpid() % 200 + 20}.{os.getpid() // 200 % 250}"
    one, two = (start(nodes.Node({"CTLFile.tlv": CTL}, host=f"{net}.{n}", port=6970)) for n in (1, 2))
    path = tmp_path / "CTLFile.tlv"
    build(ctlsign, cluster, path, "--ccm-tftp", f"{cluster / 'pub.pem'},name=pub,address={one.host}",
          "--tftp", f"{cluster / 'pub.pem'},name=pub,address={one.host}", "--ccm", f"{cluster / 'sub1.pem'},name=ccm,address={net}.9",
          "--tftp", f"{cluster / 'sub1.pem'},name=sub1,address={two.host}", "--capf", f"{cluster / 'capf.pem'},name=pub,address={net}.8")
    run = ctlsign.ok("fetch", "--nodes", path)
    assert [line.split(":")[0] for line in run.out.splitlines()[:-1]] == [one.host, one.host, two.host, two.host]
    one.files["CTLFile.tlv"] = two.files["CTLFile.tlv"] = path.read_bytes()
    assert ctlsign.ok("fetch", "--nodes", one.url(), f"http://{one.host}").out.count("same, consistent, ") == 2
    build(ctlsign, cluster, path, "--tftp", f"{cluster / 'sub1.pem'},name=node.invalid")
    ctlsign.refused(3, "fetch", "--nodes", path, says="http://node.invalid:6970/CTLFile.tlv: no such host")
    path.unlink()
    build(ctlsign, cluster, path, "--capf", f"{cluster / 'capf.pem'},name=pub")
    ctlsign.refused(3, "fetch", "--nodes", path, says=["CTLFile.tlv", "no record of a TFTP server"])


@pytest.mark.parametrize("scheme,port", [("http", 6970), ("https", 6971), ("tftp", 69)])
def test_the_usual_ports(ctlsign, scheme, port):
    run = ctlsign("fetch", "--timeout=1", f"{scheme}://127.99.99.99")
    assert run.status == 3 and f"{scheme}://127.99.99.99:{port}/CTLFile.tlv" in run.err, str(run)


@pytest.mark.parametrize("node", ["", "http://", "ftp://x", "http://x/y", "x:0", "x:65536", "x:y", "a b", "me@x", "[::1", "[::1]x", "x/CTLFile.tlv", "x#2"])
def test_what_is_no_node(ctlsign, node):
    ctlsign.refused(2, "fetch", node, says="is no node")


def test_no_node_at_all(ctlsign):
    ctlsign.refused(2, "fetch", says="no node")


@pytest.mark.parametrize("form", ["{host}:{port}", "http://{host}:{port}", "http://{host}:{port}/"])
def test_forms_of_a_node(ctlsign, serve, form):
    served = serve({"CTLFile.tlv": CTL})[0]
    assert ctlsign.ok("fetch", form.format(host=served.host, port=served.port)).out.startswith(f"{served.name}: CTLFile.tlv: same, ")


def test_one_node_is_asked_once(ctlsign, serve):
    served = serve({"CTLFile.tlv": CTL})[0]
    ctlsign.ok("fetch", served.name, served.name, f"http://{served.name}", served.name.replace(":", ":0"))
    assert len(served.asked) == 2
    ctlsign.ok("fetch", *(f"{host}:{served.port}" for host in ("localhost", "LocalHost")))
    assert len(served.asked) == 4


def test_two_services_of_a_host(ctlsign, cluster, start, tmp_path):  # noqa: F811
    """Each is called by another name, in lines and in files. A loopback address of this test's own."""
    host = f"127.{os.getpid() % 200 + 20}.{os.getpid() // 200 % 250}.77"
    lists = []
    for n in range(2):
        path = tmp_path / f"{n}.tlv"
        build(ctlsign, cluster, path, "--timestamp", 1500000000 + n)
        lists.append(path.read_bytes())
    start(nodes.Node({"CTLFile.tlv": lists[0]}, host=host, port=6970))
    start(nodes.Node({"CTLFile.tlv": lists[1]}, host=host, port=6971, certificate=(cluster / "pub.pem", cluster / "pub.key")))
    run = ctlsign("fetch", "-o", tmp_path / "out", host, f"https://{host}")
    assert run.status == 1 and f"\n{host}: ITLFile.tlv: missing\nhttps://{host}:6971: CTLFile.tlv: different (2 of 2)" in run.out, str(run)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == {
        f"CTLFile-{host}.tlv": lists[0], f"CTLFile-https___{host}_6971.tlv": lists[1]}


def test_https(ctlsign, cluster, serve):
    served = serve({"CTLFile.tlv": CTL}, certificate=(cluster / "pub.pem", cluster / "pub.key"))[0]
    ctlsign.ok("fetch", f"https://{served.name}")


def test_tftp(ctlsign, start, tmp_path):  # noqa: F811
    if nodes.Tftp.missing():
        pytest.skip(nodes.Tftp.missing())
    served = []
    for n in (1, 2):
        folder = tmp_path / f"tftp{n}"
        folder.mkdir(mode=0o755)
        (folder / "CTLFile.tlv").write_bytes(CTL)
        (folder / "CTLFile.tlv").chmod(0o644)
        served.append(start(nodes.Tftp(folder)))
    where = [f"{node.host}:{node.port}" for node in served]
    assert ctlsign.ok("fetch", "--tftp", *where).last_line == "same: all nodes serve one CTL (nodes: 2)"
    assert ctlsign.ok("fetch", *[f"tftp://{name}" for name in where])
    (tmp_path / "tftp2" / "CTLFile.tlv").write_bytes(OTHER)
    assert ctlsign("fetch", "--tftp", *where).status == 1


def test_twenty_nodes_take_one_round_trip(ctlsign, start):  # noqa: F811
    """Nobody is answered before all forty requests are there."""
    together, asked = threading.Barrier(40, timeout=20), []

    def answer(connection):
        head = nodes.request(connection)
        asked.append(head.split()[1])
        together.wait()
        connection.sendall(OK % len(CTL) + CTL if b"/CTLFile.tlv" in head else
                           b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
    port = start(nodes.Raw(answer, host="0.0.0.0")).port
    run = ctlsign.ok("fetch", "--timeout=30", *[f"127.0.0.{i + 1}:{port}" for i in range(20)])
    assert run.last_line == "same: all nodes serve one CTL (nodes: 20)"
    assert sorted(asked) == [b"/CTLFile.tlv"] * 20 + [b"/ITLFile.tlv"] * 20


def test_more_nodes_than_the_line_holds(ctlsign, serve):
    """Requests wait for answers, and nobody waits for the other."""
    served = serve({"CTLFile.tlv": CTL})[0]
    long = [f"{served.name.replace('127.0.0.1', f'127.0.{n // 250}.{n % 250 + 1}')}" for n in range(150)]
    run = ctlsign("fetch", "--timeout=20", *long)
    assert run.status == 1 and "127.0.0.1" in run.out, str(run)[-500:]
    assert run.out.count("same, consistent") == 1 and run.out.count("not reached: ") == 298
