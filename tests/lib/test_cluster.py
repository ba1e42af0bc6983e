# SPDX-License-Identifier: Apache-2.0
"""The virtual cluster's servers do what they say; a phone takes nothing from a TVS that makes no sense."""
import contextlib
import re
import shutil
import socket
import ssl
import subprocess
import urllib.request
from pathlib import Path

import pytest
from cluster import net, tvs, wire
from cluster.identity import Deck, spelled
from cluster.model import Clock
from cluster.phone import Phone

ROLES = [0, 2]


class Lone:
    """A host with a TVS that knows one certificate, and a phone that may believe it."""

    def __init__(self, folder, **options):
        self.network, self.deck = net.Network(), Deck(folder)
        self.server, self.known = self.deck.identity("tvs"), self.deck.identity("signer")
        self.address = self.network.host()
        self.network.serve(net.TVS, [self.address], lambda _, sock: self.make(sock, options))
        self.service = self.network.services[self.address, net.TVS, socket.SOCK_STREAM]
        self.phone = Phone(self.network, Clock(), "001122334455")
        self.phone.group = [self.address]
        self.phone.believes = lambda presented: presented == self.service.identity.der

    def make(self, sock, options):
        return tvs.TvsService(
            sock, self.server,
            lambda serial, issuer: self.answer((serial, issuer) == (self.known.serial, self.known.issuer)),
            lambda der: self.answer(der == self.known.der), **options)

    def answer(self, found):
        return (self.known.der, ROLES) if found else None

    def header(self, identity=None):
        identity = identity or self.known
        return {"signer_name": identity.subject, "signer_issuer": identity.issuer,
                "signer_serial": identity.serial}

    def query(self, identity=None, session=7):
        one = identity or self.known
        return wire.query(session, "CP-8861-SEP001122334455", one.subject, one.issuer, one.serial)

    def ask(self, message):
        return tvs.ask(self.service.address, message)


@pytest.fixture
def lone(tmp_path):
    made = Lone(tmp_path / "keys")
    yield made
    made.network.close()


def test_a_request_is_the_bytes_of_the_description():
    message = wire.query(0x01020304, "CP-8861-SEP001122334455", "CN=s", "CN=i", b"\x05\x06")
    assert wire.encode(message).hex() == (
        "57010300" "01020304" "0030"
        "010018" "01" + b"CP-8861-SEP001122334455".hex()
        + "030005" + b"CN=s\0".hex() + "040005" + b"CN=i\0".hex() + "0500020506")


def test_the_example_of_the_description(lone):
    page = (Path(__file__).parents[2] / "docs" / "TVS.md").read_text(encoding="utf-8")
    asked, answered = (bytes.fromhex(block) for block in re.findall("```\n([0-9a-f \n]+)```", page))
    assert wire.encode(wire.query(7, "CP-8861-SEP001122334455", "CN=pub", "CN=pub", b"\x12\x34")) == asked
    answer, _ = lone.ask(lone.query(session=7))
    answer.elements.remove((wire.CERTIFICATE, lone.known.der))
    assert wire.encode(answer) == answered


def test_both_questions_have_their_answers(lone):
    for message, kind in ((lone.query(), wire.QUERY_ANSWER),
                          (wire.verify(9, "CP-8861-SEP001122334455", lone.known.der), wire.VERIFY_ANSWER)):
        answer, presented = lone.ask(message)
        assert presented == lone.server.der
        assert (answer.kind, answer.session) == (kind, message.session)
        assert answer.get(wire.STATUS) == b"\0" and answer.get(wire.ROLES) == bytes(ROLES)
        assert answer.get(wire.TTL) == bytes.fromhex("00015180")
    stranger = lone.deck.identity("stranger")
    for message in (lone.query(stranger), wire.verify(9, "x", stranger.der)):
        answer, _ = lone.ask(message)
        assert answer.elements == [(wire.STATUS, b"\1")]
    assert [one.kind for one in lone.service.log] == [3, 1, 3, 1]


def test_strict_and_lenient(lone):
    """A strict TVS hangs up on elements that it does not know, a lenient one passes over them."""
    odd = lone.query()
    odd.elements.append((200, b"?"))
    with pytest.raises(wire.Malformed):
        lone.ask(odd)
    lone.service.strict = False
    assert lone.ask(odd)[0].get(wire.STATUS) == b"\0"


@pytest.mark.parametrize("request_bytes", [
    b"", b"\x57", b"\x58\x01\x03\x00" + bytes(6), b"\x57\x02\x03\x00" + bytes(6), b"\x57\x01\x03\x01" + bytes(6),
    b"\x57\x01\x02\x00" + bytes(6), b"\x57\x01\x03\x00" + bytes(6),
    b"\x57\x01\x03\x00\0\0\0\1\0\x02\x01\x00", b"\x57\x01\x03\x00\0\0\0\1\0\x04\x01\x00\x09x"])
def test_tvs_hangs_up_on_what_is_no_question(lone, request_bytes):
    with socket.create_connection(lone.service.address, net.PATIENCE) as plain:
        with net.client_context().wrap_socket(plain) as secure:
            secure.sendall(request_bytes)
            secure.settimeout(net.PATIENCE)
            if len(request_bytes) < 2:
                with contextlib.suppress(ssl.SSLEOFError):  # Python 3.13 is told how the other side hung up
                    secure.unwrap()  # says that no more comes
                return
            assert secure.recv(1) == b""


TOLERATED = {"": ROLES, "unknown": ROLES, "roles": list(range(256))}


@pytest.mark.parametrize("fault", sorted(set(tvs.FAULTS) - {"silent", "slow"}))
def test_a_phone_and_each_fault(lone, fault):
    """Answers that make no sense are no answers: the phone is as if there were no TVS."""
    lone.service.fault = fault
    der, roles = lone.phone.ask_tvs(lone.header(), (0,))
    if fault in TOLERATED:
        assert der == lone.known.der and sorted(set(roles)) == TOLERATED[fault]
    else:
        assert der is None
        lone.service.fault = ""
        assert lone.phone.ask_tvs(lone.header(), (0,))[0] == lone.known.der


def test_64_kib_of_roles(lone):
    lone.service.fault = "roles"
    answer, _ = lone.ask(lone.query())
    assert len(wire.encode(answer)) == wire.HEADER + wire.LARGEST
    assert len(answer.get(wire.ROLES)) > 64000


def test_silence_ends_with_the_client(lone):
    lone.service.fault = "silent"
    with socket.create_connection(lone.service.address, net.PATIENCE) as plain:
        with net.client_context().wrap_socket(plain) as secure:
            secure.sendall(wire.encode(lone.query()))
            secure.settimeout(0.05)
            with pytest.raises(TimeoutError):
                secure.recv(1)


def test_a_byte_at_a_time(lone):
    lone.service.fault, lone.service.pace = "slow", 0.001
    assert lone.ask(lone.query())[0].get(wire.STATUS) == b"\0"


def test_a_tvs_that_changes_its_mind(lone):
    lone.service.minds = [True, False, True]
    said = [lone.ask(lone.query())[0].get(wire.STATUS)[0] for _ in range(4)]
    assert said == [wire.YES, wire.NO, wire.YES, wire.YES]


def test_a_closed_port(lone):
    lone.service.shut()
    with pytest.raises(ConnectionRefusedError):
        lone.ask(lone.query())
    assert lone.phone.ask_tvs(lone.header(), (0,))[0] is None


def test_a_phone_believes_only_the_tvs_of_its_itl(lone):
    lone.phone.believes = lambda presented: False
    assert lone.phone.ask_tvs(lone.header(), (0,))[0] is None
    assert lone.service.log == []  # it was not even asked


def test_the_next_node_is_asked_when_one_is_not_there(lone):
    lone.phone.group = ["127.0.0.1", lone.address]
    lone.network.services["127.0.0.1", net.TVS, socket.SOCK_STREAM] = closed = net.Service(
        net._bound([lone.address], socket.SOCK_STREAM)[0])
    assert lone.phone.ask_tvs(lone.header(), (0,))[0] == lone.known.der
    assert closed.loop is None


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1", "TLSv1_2", "TLSv1_3"])
def test_every_tls_with_1024_bit_keys(tmp_path, version):
    one = getattr(ssl.TLSVersion, version)
    lone = Lone(tmp_path / "keys", versions=(one, one))
    with socket.create_connection(lone.service.address, net.PATIENCE) as plain:
        with net.client_context().wrap_socket(plain) as secure:
            assert secure.version().replace(".", "_") == version
            assert secure.getpeercert(binary_form=True) == lone.server.der
    lone.network.close()


def test_a_tvs_that_wants_a_certificate(tmp_path):
    """Whether TVS insists on the phone's certificate nobody says: it can be told to."""
    mic = Deck(tmp_path / "mic").identity("CP-8861-SEP001122334455")
    lone = Lone(tmp_path / "keys", client_ca=mic.cert)
    with pytest.raises((OSError, wire.Malformed)):
        lone.ask(lone.query())
    assert tvs.ask(lone.service.address, lone.query(), mic)[0].get(wire.STATUS) == b"\0"
    lone.network.close()


FILES = {"a": b"", "b": bytes(511), "c": bytes(512), "d": bytes(range(256)) * 300}


@pytest.fixture
def served(tmp_path):
    network, identity = net.Network(), Deck(tmp_path / "keys").identity("node")
    hosts = [network.host(), network.host()]
    network.serve(net.TFTP, hosts, lambda _, sock: net.TftpService(sock, FILES.get), socket.SOCK_DGRAM)
    network.serve(net.HTTP, hosts, lambda _, sock: net.HttpService(sock, FILES.get))
    network.serve(6971, hosts, lambda _, sock: net.HttpsService(sock, identity, FILES.get))
    yield network, hosts
    network.close()


def test_files_over_tftp_and_http(served):
    network, hosts = served
    for host in hosts:
        for name, content in FILES.items():
            assert net.tftp_get(network.real(host, net.TFTP, socket.SOCK_DGRAM), name) == content
            assert net.http_get(network.real(host, net.HTTP), name) == content
        assert net.tftp_get(network.real(host, net.TFTP, socket.SOCK_DGRAM), "none") is None
        assert net.http_get(network.real(host, net.HTTP), "none") is None
    # One port for each service, whatever the node.
    assert len({network.real(host, net.HTTP)[1] for host in hosts}) == 1


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not here")
def test_strangers_understand_the_servers(served):
    network, hosts = served
    address = "{}:{}".format(*network.real(hosts[1], net.TFTP, socket.SOCK_DGRAM))
    run = subprocess.run(["curl", "-s", f"tftp://{address}/d"], capture_output=True, check=False, timeout=20)
    assert (run.returncode, run.stdout) == (0, FILES["d"])
    for scheme, port in (("http", net.HTTP), ("https", 6971)):
        url = "{}://{}:{}/d".format(scheme, *network.real(hosts[1], port))
        with urllib.request.urlopen(url, timeout=20, context=net.client_context()
                                    if scheme == "https" else None) as answer:
            assert answer.read() == FILES["d"]


def test_names_are_cucms(tmp_path):
    """CN OU O L ST C whatever the order; other attributes are left out."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID as oid
    name = x509.Name([x509.NameAttribute(one, value) for one, value in (
        (oid.COUNTRY_NAME, "PL"), (oid.DOMAIN_COMPONENT, "local"), (oid.COMMON_NAME, "a"),
        (oid.ORGANIZATIONAL_UNIT_NAME, "TAC"), (oid.EMAIL_ADDRESS, "x@y"), (oid.LOCALITY_NAME, "K"))])
    assert spelled(name) == "CN=a;OU=TAC;L=K;C=PL"


@pytest.mark.parametrize("name", ["cucm", "cucm-2048", "ctl-client", "rfc4514"])
def test_a_phone_verifies_signatures_itself(tmp_path, name):
    """A list that it holds is its signer's; with one byte changed it is not, whatever the byte."""
    content = (Path(__file__).parents[1] / "data" / "lists" / f"{name}.tlv").read_bytes()
    phone = Phone(None, Clock(), "001122334455", sbd=False)
    assert phone.judge("CTL", content).reason == "leap-of-faith"
    phone.held["CTL"] = content
    assert phone.judge("CTL", content).reason == "signer-is-sast"
    assert phone.judge("CTL", content + bytes(65536)).reason == "too-large"
    for at in (len(content) - 1, len(content) - 200):
        damaged = content[:at] + bytes([content[at] ^ 1]) + content[at + 1:]
        decision = phone.judge("CTL", damaged)
        assert (decision.accepted, decision.reason) == (False, "bad-signature"), at
