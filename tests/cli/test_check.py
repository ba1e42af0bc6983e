# SPDX-License-Identifier: Apache-2.0
"""Whether a list still has what the services present; they are servers on the loopback, old ones too."""
import contextlib
import json
import re
import socket
import ssl
import subprocess
import time

import nodes
import pytest
import tables
from cluster import identity
from conftest import DATA
from test_net import raw, start  # noqa: F401  (a fixture)

SAMPLE = DATA / "cluster"


class Service:
    """openssl s_server with a certificate of the sample cluster."""

    def __init__(self, name, *options, host="127.0.0.1", folder=SAMPLE, port=0):
        with socket.create_server((host, port)) as probe:
            self.port = probe.getsockname()[1]
        self.child = subprocess.Popen(
            ["openssl", "s_server", "-quiet", "-accept", f"{host}:{self.port}", "-cert", str(folder / f"{name}.pem"),
             "-key", str(folder / f"{name}.key"), "-cipher", "ALL:@SECLEVEL=0", *options],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        nodes.wait_for(self.port, host)

    def close(self):
        self.child.stdin.close()
        self.child.kill()
        self.child.wait()


@pytest.fixture
def serve(start):  # noqa: F811
    return lambda *args, **options: start(Service(*args, **options))


@pytest.fixture
def one(ctlsign, cluster, tmp_path):
    """A list with one CAPF at the loopback: one service to ask."""
    return build(ctlsign, cluster, tmp_path / "CTLFile.tlv", "--capf", f"{cluster / 'capf.pem'},name=pub,address=127.0.0.1")


def build(ctlsign, cluster, path, *records):
    ctlsign.ok("build", "-o", path, "--sast", f"{cluster / 'pub.pem'},name=pub", *records, "-k", cluster / "pub.key",
               "--cert", cluster / "pub.pem", "--yes")
    return path


def states(run):
    return re.findall(r"^\S+: (.+) at (\S+:\d+): (same|renewed|other|no answer)", run.out, re.M)


@pytest.fixture(scope="module")
def renewed(tmp_path_factory):
    """capf.pem with the sample CAPF's name, another key, another serial number."""
    folder = tmp_path_factory.mktemp("renewed")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:1024", "-nodes", "-keyout", folder / "capf.key", "-out", folder / "capf.pem",
                    "-days", "3650", "-subj", subject(SAMPLE / "capf.pem")], check=True, capture_output=True)
    return folder


def subject(pem):
    said = subprocess.run(["openssl", "x509", "-in", pem, "-noout", "-subject", "-nameopt", "compat"], check=True, capture_output=True,
                          text=True).stdout
    return said.removeprefix("subject=").strip()


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1", "-tls1_2", "-tls1_3"])
def test_the_same_under_every_version(ctlsign, one, serve, version):
    port = serve("capf", version).port
    run = ctlsign.ok("check", "--port", f"CAPF={port}", one)
    assert states(run) == [("CAPF", f"127.0.0.1:{port}", "same")]
    assert run.last_line == "same: all certificates are the list's (services: 1)"


def flight(*messages):
    """Handshake messages of TLS 1.2 in their records: (type, content)."""
    data = b"".join(bytes([kind]) + len(content).to_bytes(3, "big") + content for kind, content in messages)
    return b"".join(b"\x16\3\3" + len(part).to_bytes(2, "big") + part for part in (data[at:at + 16000] for at in range(0, len(data), 16000)))


@pytest.mark.parametrize("copies", [1, 100])
def test_whoever_has_a_copy_of_the_certificate(ctlsign, one, start, copies):  # noqa: F811
    """Certificates are no secret: one that breaks off behind them has shown nothing."""
    der = ssl.PEM_cert_to_DER_cert((SAMPLE / "capf.pem").read_text())
    all_of_them = (len(der).to_bytes(3, "big") + der) * copies
    hello = b"\3\3" + bytes(32) + b"\0" + b"\0\x2f" + b"\0" + b"\0\5\xff\1\0\1\0"
    beginning = flight((2, hello), (11, len(all_of_them).to_bytes(3, "big") + all_of_them))

    def serve(connection):
        connection.recv(4000)
        connection.sendall(beginning)
    server, _ = raw(start, serve)
    run = ctlsign("check", "--timeout=5", "--port", f"CAPF={server.port}", one)
    assert run.status == 3 and run.out == "" and "no answer from any of 1 service" in run.err, str(run)


@pytest.mark.parametrize("options", [["-tls1"], ["-tls1_2"], ["-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0"], ["-tls1_3"]])
def test_a_service_that_wants_the_client_s_certificate(ctlsign, one, serve, options):
    """As CallManager does: the session fails, and the certificate was presented all the same."""
    port = serve("capf", *options, "-Verify", "1", "-verify_return_error").port
    assert states(ctlsign.ok("check", "--port", f"CAPF={port}", one)) == [("CAPF", f"127.0.0.1:{port}", "same")]


def test_a_renewed_one_says_what_to_do(ctlsign, one, serve, renewed):
    port = serve("capf", folder=renewed).port
    run = ctlsign("check", "--port", f"CAPF={port}", one)
    cert = identity.Identity(renewed / "capf.pem", renewed / "capf.key")
    assert run.status == 1 and states(run)[0][2] == "renewed", str(run)
    assert f"serial number {cert.serial.hex().upper()}, SHA-1 " in run.out
    assert "utils ctl update CTLFile" in run.last_line and run.last_line.startswith("renewed: ")
    said = json.loads(ctlsign("check", "--json", "--port", f"CAPF={port}", one).out)
    assert said["renewed"] == 1 and "utils ctl update CTLFile" in said["cure"]
    assert said["services"][0]["serial"] == cert.serial.hex().upper() and said["services"][0]["not_after"].startswith("20")


def test_an_itl_has_another_cure(ctlsign, cluster, tmp_path, serve, renewed):
    """An ITL is written when TFTP starts, not by 'utils ctl'."""
    itl = build(ctlsign, cluster, tmp_path / "ITLFile.tlv", "--capf", f"{cluster / 'capf.pem'},name=pub,address=127.0.0.1")
    run = ctlsign("check", "--port", f"CAPF={serve('capf', folder=renewed).port}", itl)
    assert run.status == 1 and "restart TFTP" in run.last_line and "utils ctl update" not in run.out, str(run)


def test_another_one(ctlsign, one, serve):
    run = ctlsign("check", "--port", f"CAPF={serve('sub1').port}", one)
    assert run.status == 1 and states(run)[0][2] == "other" and run.last_line.startswith("other: "), str(run)


def test_all_of_a_cluster_at_once(ctlsign, cluster, tmp_path, serve):
    """Two nodes, each with its services; --node says where a node is."""
    path = build(ctlsign, cluster, tmp_path / "CTLFile.tlv", "--ccm-tftp", f"{cluster / 'pub.pem'},name=pub,address=127.0.0.1",
                 "--ccm", f"{cluster / 'sub1.pem'},name=sub1,address=10.255.255.1", "--capf", f"{cluster / 'capf.pem'},name=pub,address=127.0.0.1")
    ccm = serve("pub").port
    serve("sub1", host="127.0.0.2", port=ccm)
    tftp, capf = serve("pub", "-tls1").port, serve("capf").port
    run = ctlsign.ok("check", "--node", "sub1=127.0.0.2", "--port", f"CCM={ccm}", "--port", f"TFTP={tftp}", "--port", f"CAPF={capf}", path)
    assert states(run) == [("CallManager", f"127.0.0.1:{ccm}", "same"), ("TFTP", f"127.0.0.1:{tftp}", "same"),
                           ("CallManager", f"127.0.0.2:{ccm}", "same"), ("CAPF", f"127.0.0.1:{capf}", "same")]


def test_many_slow_ones_take_no_longer_than_one(ctlsign, cluster, tmp_path, start):  # noqa: F811
    server, _ = raw(start, lambda connection: time.sleep(20))
    records = [word for i in range(30) for word in ("--capf", f"{cluster / 'capf.pem'},name=n{i},address=127.0.0.{i + 1}")]
    path = build(ctlsign, cluster, tmp_path / "CTLFile.tlv", *records)
    server.close()
    server = start(nodes.Raw(lambda connection: time.sleep(20), host="0.0.0.0"))
    began = time.monotonic()
    ctlsign.refused(3, "check", "--timeout=2", "--port", f"CAPF={server.port}", path, says=["no answer from any of 30 services", "within 2 s"])
    assert time.monotonic() - began < 15 and server.count == 30


def test_a_key_of_the_record_s_kind_is_asked_for(ctlsign, one, tmp_path, start):  # noqa: F811
    """A service with two certificates presents the one that the record can be compared with."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", tmp_path / "ec.key",
                    "-out", tmp_path / "ec.pem", "-subj", "/CN=capf-EC"], check=True, capture_output=True)
    for version in ("-tls1_2", "-tls1_3"):
        service = start(Service("capf", version, "-dcert", str(tmp_path / "ec.pem"), "-dkey", str(tmp_path / "ec.key")))
        # Whoever does not ask gets the other one.
        with socket.create_connection(("127.0.0.1", service.port)) as plain:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            with context.wrap_socket(plain) as secure:
                assert secure.getpeercert(binary_form=True) == ssl.PEM_cert_to_DER_cert((tmp_path / "ec.pem").read_text())
        assert states(ctlsign.ok("check", "--port", f"CAPF={service.port}", one))[0][2] == "same"


def test_one_silent_among_others(ctlsign, one, serve, start):  # noqa: F811
    silent, _ = raw(start, lambda connection: connection.sendall(b"220 no TLS here\r\n"))
    port = serve("capf").port
    run = ctlsign("check", "--port", f"CAPF={port}", "--port", f"CAPF={silent.port}", one)
    assert [state for _, _, state in states(run)] == ["same", "no answer"], str(run)
    assert run.status == 1 and run.last_line == "not known: 1 of 2 services gave no certificate"
    assert f"127.0.0.1:{silent.port}: no answer: no TLS session: " in run.out


def reset(connection):
    connection.recv(10)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


FAULTS = {
    "reset": (reset, "the connection ended before the answer did|no TLS session"),
    "no TLS": (lambda connection: connection.sendall(b"HTTP/1.1 400 Bad\r\n\r\n"), "no TLS session"),
    "half a record": (lambda connection: connection.sendall(b"\x16\x03\x01\x40\x00" + bytes(64)), "no TLS session|ended before"),
    "silent": (lambda connection: time.sleep(20), "no answer within 1 s"),
    "one byte a second": (lambda connection: [(connection.sendall(b"\x16"), time.sleep(1)) for _ in range(20)], "no answer within 1 s|no TLS session"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_no_answer(ctlsign, one, start, fault):  # noqa: F811
    serve, says = FAULTS[fault]
    server, _ = raw(start, serve)
    run = ctlsign("check", "--timeout=1", "--port", f"CAPF={server.port}", one)
    assert run.status == 3 and run.out == "" and re.search(says, run.err), str(run)


def test_nobody_is_there(ctlsign, one):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    ctlsign.refused(3, "check", "--port", f"CAPF={port}", one, says=["no answer from any of 1 service", "the connection is refused"])


def test_there_is_no_route(ctlsign, cluster, tmp_path):
    path = build(ctlsign, cluster, tmp_path / "CTLFile.tlv", "--capf", f"{cluster / 'capf.pem'},name=pub,address=127.0.0.1")
    ctlsign.refused(3, "check", "--node", "pub=255.255.255.255", path, says=["no answer from any of 1 service", "no way to that address"])


def test_a_printed_list_is_compared_by_its_checksums(ctlsign, one, serve, renewed, tmp_path):
    log = tmp_path / "show.log"
    log.write_text(ctlsign.ok("show", one).out)
    for folder, state, status in ((SAMPLE, "same", 0), (renewed, "renewed", 1)):
        run = ctlsign("check", "--node", "pub=127.0.0.1", "--port", f"CAPF={serve('capf', folder=folder).port}", log)
        assert run.status == status and states(run)[0][2] == state, str(run)


def test_command_lines(ctlsign, cluster, one, tmp_path):
    for word, says in (("CAPF", "is no service"), ("CAPF=0", "is no service"), ("CAPF=65536", "is no service"), ("SAST=1", "is no service"),
                       ("CAPF=", "is no service"), ("=1", "is no service")):
        ctlsign.refused(2, "check", "--port", word, one, says=says)
    for word, says in (("pub", "is no NAME=ADDRESS"), ("pub=", "is no NAME=ADDRESS"), ("pub=a/b", "is no NAME=ADDRESS"),
                       ("pub=10.0.0.1:80", "is no NAME=ADDRESS"), ("nobody=127.0.0.1", "no record has the name 'nobody'")):
        ctlsign.refused(2, "check", "--node", word, one, says=says)
    ctlsign.refused(2, "check", "--node", "pub=127.0.0.1", "--node", "pub=127.0.0.2", one, says="'pub' is named twice")
    only = build(ctlsign, cluster, tmp_path / "only" / "CTLFile.tlv") if (tmp_path / "only").mkdir() is None else None
    ctlsign.refused(3, "check", only, says="no record stands for a service")


def test_a_list_does_not_have_us_connect_everywhere(ctlsign, cluster, tmp_path):
    """A name in a list is no URL, and there is a bound."""
    for name in ("a/b", "x@127.0.0.1", "a b", "127.0.0.1:1"):
        path = build(ctlsign, cluster, tmp_path / "CTLFile.tlv", "--capf", f"{cluster / 'capf.pem'},name={name}")
        ctlsign.refused(3, "check", path, says="the record says no place that can be asked")
        path.unlink()
    ports = [word for port in range(1, 514) for word in ("--port", f"CAPF={port}")]
    path = build(ctlsign, cluster, tmp_path / "CTLFile.tlv", "--capf", f"{cluster / 'capf.pem'},name=pub,address=127.0.0.1")
    ctlsign.refused(3, "check", *ports, path, says="more than 512 services")


def test_the_usual_ports():
    """[docs/CLUSTER.md has none; 213407, peer]"""
    rows = [row[:2] for row in tables.rows("services.def", "SERVICE")]
    assert rows == [["CCM", "5061"], ["CCM", "2443"], ["TFTP", "6971"], ["CAPF", "3804"], ["TVS", "2445"]]
