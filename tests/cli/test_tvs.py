# SPDX-License-Identifier: Apache-2.0
"""A node's TVS is asked what phones ask; it is the tests' own, from docs/TVS.md, with every fault."""
import json
import re
import socket
import subprocess
import time

import pytest
from cluster import identity, net, tvs, wire
from conftest import DATA, PROGRAM, ROOT
from test_check import Service, build, renewed  # noqa: F401  (a fixture)
from test_net import start  # noqa: F401  (a fixture)

SAMPLE = DATA / "cluster"
PUB, SUB, CAPF = (identity.Deck.sample(SAMPLE, name) for name in ("pub", "sub1", "capf"))
KNOWN = {PUB.der: [0, 2], SUB.der: [2, 3], b"all": bytes(range(30))}


class Tvs:
    """One TVS with the sub1 key. known: {certificate: roles}."""

    def __init__(self, known, **options):
        self.network = net.Network()
        people = {one.der: one for one in (PUB, SUB, CAPF)}

        def lookup(serial, issuer):
            for der, roles in known.items():
                if der in people and people[der].serial == serial and people[der].issuer == issuer:
                    return der, roles
            return None
        host = self.network.host()
        self.network.serve(net.TVS, [host], lambda address, sock: tvs.TvsService(
            sock, SUB, lookup, lambda der: (der, known[der]) if der in known else None, **options))
        self.service = self.network.services[host, net.TVS, socket.SOCK_STREAM]
        self.at = "%s:%d" % self.network.real(host, net.TVS)

    def close(self):
        self.network.close()


@pytest.fixture
def served(start):  # noqa: F811
    return lambda known=KNOWN, **options: start(Tvs(known, **options))


@pytest.fixture
def itl(ctlsign, cluster, tmp_path):
    """Names sub1's certificate as that of TVS."""
    (tmp_path / "itl").mkdir()
    return build(ctlsign, cluster, tmp_path / "itl" / "ITLFile.tlv", "--tvs", f"{cluster / 'sub1.pem'},name=sub1")


@pytest.fixture
def ctl(ctlsign, cluster, tmp_path):
    return build(ctlsign, cluster, tmp_path / "CTLFile.tlv")


@pytest.mark.parametrize("words", [[], ["--query"]])
def test_a_list_s_signer(ctlsign, served, ctl, words):
    one = served()
    run = ctlsign.ok("tvs", *words, one.at, ctl)
    assert run.last_line == f"{ctl}: {PUB.subject}: known as SAST (SAST, CCM+TFTP), for 86400 s", str(run)
    asked = one.service.log[-1]
    assert asked.kind == (wire.QUERY if words else wire.VERIFY)
    assert asked.get(wire.DEVICE) == b"\x01CP-8861-SEP000000000000"
    if words:
        assert asked.get(wire.SUBJECT) == wire.text(PUB.subject) and asked.get(wire.ISSUER) == wire.text(PUB.issuer)
        assert asked.get(wire.SERIAL) == PUB.serial
    else:
        assert asked.get(wire.CERTIFICATE) == PUB.der


@pytest.mark.parametrize("words", [[], ["--query"]])
def test_certificates(ctlsign, served, cluster, words):
    """Many at once: known as SAST, known otherwise, not known."""
    one = served()
    names = [cluster / f"{name}.pem" for name in ("pub", "sub1", "capf")]
    run = ctlsign("tvs", *words, one.at, *names)
    assert run.status == 1, str(run)
    assert run.out.splitlines()[1:] == [f"{names[0]}: {PUB.subject}: known as SAST (SAST, CCM+TFTP), for 86400 s",
                                        f"{names[1]}: {SUB.subject}: known, but not as SAST (CCM+TFTP, TFTP), for 86400 s",
                                        f"{names[2]}: {CAPF.subject}: not known (status 1)"]
    ctlsign.ok("tvs", *words, one.at, names[0])


def test_whether_phones_believe_it(ctlsign, served, ctl, itl, cluster, tmp_path):
    one = served()
    run = ctlsign.ok("tvs", "--installed", itl, one.at, ctl)
    assert "TVS record 2 of the installed ITL, so its phones believe it" in run.out.splitlines()[0]
    (tmp_path / "other").mkdir()
    other = build(ctlsign, cluster, tmp_path / "other" / "ITLFile.tlv", "--tvs", f"{cluster / 'pub.pem'},name=pub",
                  "--ccm", f"{cluster / 'sub1.pem'},name=sub1")
    run = ctlsign("tvs", "--installed", other, one.at, ctl)
    assert run.status == 1 and "no phone that holds it believes this TVS" in run.out.splitlines()[0], str(run)
    assert "known as SAST" in run.last_line
    said = json.loads(ctlsign("tvs", "--json", "--installed", other, one.at, ctl).out)
    assert said["believed"] is False and said["record"] is None
    said = json.loads(ctlsign.ok("tvs", "--json", "--installed", itl, one.at, ctl).out)
    assert said["believed"] is True and said["record"] == 2 and said["asked"] == one.at
    ctlsign.refused(2, "tvs", "--installed", ctl, one.at, ctl, says="is no ITL")


REFUSED = {
    "silent": "no answer within 1 s", "reset": "ended before the answer did, after 0 bytes", "closes": "ended before the answer did, after 0 bytes",
    "half": "ended before the answer did, after", "no-tls": "no TLS session", "session": "the answer is to session 2, not to 1",
    "kind": "the answer is of type", "magic": "no message of TVS", "version": "no message of TVS", "slow": "not whole in time",
    "short-element": "longer than the", "left-over": "longer than the", "twice": "element 7 is there twice", "no-status": "has no status",
    "empty": "has no status", "long-status": "status has 2 bytes", "short-ttl": "time to live has 3 bytes",
    "no-session": "ended before the answer did, after 6 bytes",
}


@pytest.mark.parametrize("words", [[], ["--query"]])
@pytest.mark.parametrize("fault", REFUSED)
def test_faults_are_no_answer(ctlsign, served, ctl, fault, words):
    one = served(fault=fault, pace=0.4)
    began = time.monotonic()
    run = ctlsign("tvs", *words, "--timeout=1" if fault in ("silent", "slow") else "--timeout=20", one.at, ctl)
    assert time.monotonic() - began < 10
    assert run.status == 3 and REFUSED[fault] in run.out and "known" not in run.out, str(run)
    assert f"{one.at}: no answer to 1 of 1 question" in run.err
    said = json.loads(ctlsign("tvs", "--json", *words, "--timeout=1", one.at, ctl).out)
    assert said["answers"][0]["state"] == "no answer" and said["answers"][0]["fault"]


def test_every_fault_is_tried():
    assert set(REFUSED) | {"", "roles", "unknown", "no-certificate", "other-certificate"} == set(tvs.FAULTS)


def test_a_certificate_that_nobody_asked_for(ctlsign, served, ctl):
    one = served(fault="other-certificate")
    run = ctlsign("tvs", "--query", one.at, ctl)
    assert run.status == 3 and "not of the serial number that was asked for" in run.out, str(run)


def test_unknown_elements_are_shown(ctlsign, served, ctl):
    one = served(fault="unknown")
    run = ctlsign.ok("tvs", one.at, ctl)
    assert "known as SAST (SAST, CCM+TFTP)" in run.out
    assert f"  element 200, not known: {b'before'.hex()}\n" in run.out and "  element 255, not known: \n" in run.out, str(run)
    said = json.loads(ctlsign.ok("tvs", "--json", one.at, ctl).out)["answers"][0]["unknown"]
    assert said[0] == {"tag": 200, "value": b"before".hex()} and said[-1] == {"tag": 255, "value": ""}


def test_64_kib_of_unknown_elements(ctlsign, served, ctl, monkeypatch):
    """The first ones are shown, the others counted."""
    monkeypatch.setitem(tvs.MESSAGES, "unknown", lambda m: wire.Message(m.kind, m.session, [*m.elements, *[(99, b"")] * 20000]))
    one = served(fault="unknown")
    run = ctlsign.ok("tvs", one.at, ctl)
    assert run.out.count("not known: ") == 16 and run.out.endswith("  and 19984 more: '--json' shows all\n"), str(run)[:2000]
    assert len(json.loads(ctlsign.ok("tvs", "--json", one.at, ctl).out)["answers"][0]["unknown"]) == 20000


def test_64_kib_of_roles(ctlsign, served, ctl):
    one = served(fault="roles")
    run = ctlsign.ok("tvs", one.at, ctl)
    assert "known as SAST (SAST, CCM, CCM+TFTP, TFTP, CAPF, 5, 6, APP-SERVER, " in run.out and " more), for 86400 s" in run.out
    assert len(run.out) < 1000
    assert len(json.loads(ctlsign.ok("tvs", "--json", one.at, ctl).out)["answers"][0]["roles"]) > 65000


def test_a_tvs_that_changes_its_mind(ctlsign, served, ctl):
    one = served(minds=[True, False, True])
    assert [ctlsign("tvs", one.at, ctl).status for _ in range(3)] == [0, 1, 0]


def test_one_silent_question_is_no_yes(ctlsign, served, cluster, ctl):
    """What was answered is printed, and the status says that something is missing."""
    one = served(minds=[True])
    one.service.lookup_certificate = lambda der: (_ for _ in ()).throw(wire.Malformed("this one is not understood")) if der == CAPF.der else None
    run = ctlsign("tvs", one.at, ctl, cluster / "capf.pem")
    assert run.status == 3 and "no answer to" in run.err and "no answer: the connection ended" in run.out, str(run)


def test_a_tvs_that_wants_the_phone_s_certificate(ctlsign, start, ctl, itl):  # noqa: F811
    """Its own is compared all the same."""
    for version in ("-tls1", "-tls1_2"):
        service = start(Service("sub1", version, "-Verify", "1", "-verify_return_error"))
        run = ctlsign("tvs", "--installed", itl, f"127.0.0.1:{service.port}", ctl)
        assert run.status == 3 and "so its phones believe it" in run.out and "no TLS session" in run.out, str(run)


def test_a_printed_list_is_asked_for_by_names(ctlsign, served, ctl, tmp_path):
    one = served()
    log = tmp_path / "show.log"
    log.write_text(ctlsign.ok("show", ctl).out)
    assert "known as SAST" in ctlsign.ok("tvs", "--query", one.at, log).out
    ctlsign.refused(3, "tvs", one.at, log, says="ask by names, with '--query'")


def test_no_route(ctlsign, ctl, itl):
    """Nobody has this address, and no packet leaves the machine."""
    run = ctlsign("tvs", "--timeout=5", "--installed", itl, "255.255.255.255", ctl)
    assert run.status == 3 and "no answer: no way to that address" in run.out and "presents" not in run.out, str(run)
    assert "255.255.255.255:2445: no answer to 1 of 1 question" in run.err


def test_a_token_s_serial_number_stands_back_to_front(ctlsign, start):  # noqa: F811
    """TVS finds an uploaded token in the CTL that its node serves, and shows its certificate."""
    token = identity.Deck.sample(SAMPLE, "SAST-ADN008580ef")
    one = start(Tvs({}))
    one.service.lookup = lambda serial, issuer: (token.der, [0]) if serial == token.serial[::-1] else None
    assert "known as SAST (SAST), for 86400 s" in ctlsign.ok("tvs", "--query", one.at, DATA / "lists" / "ctl-client.tlv").out


def test_command_lines(ctlsign, ctl, tmp_path):
    for host in ("", "http://pub", "pub/x", "a@b", "pub:0", "pub:65536", "pub:x"):
        ctlsign.refused(2, "tvs", host, ctl, says="is no host of a TVS")
    ctlsign.refused(3, "tvs", "127.0.0.1:1", tmp_path / "missing", says="missing")
    (tmp_path / "page.html").write_text("<html>")
    ctlsign.refused(3, "tvs", "127.0.0.1:1", tmp_path / "page.html", says="page.html")
    run = ctlsign("tvs", "--timeout=2", "127.0.0.1:1", ctl)
    assert run.status == 3 and "the connection is refused" in run.out, str(run)


# docs/recipes/ask-tvs.md ----------------------------------------------------------------------

PAGE = (ROOT / "docs" / "recipes" / "ask-tvs.md").read_text()
TVS_OF = {name: identity.Deck.sample(SAMPLE, token) for name, token in (("cucm-pub", "SAST-ADN0054f509"), ("cucm-sub1", "SAST-ADN008580ef"))}
SIGNER = identity.Deck.sample(SAMPLE, "pub-regenerated")


class Cluster:
    """The two nodes of the recipe, each at an address of its own with the usual ports."""

    def __init__(self):
        self.network, self.known = net.Network(), {SIGNER.der: [0, 2]}
        self.hosts = {name: self.network.host() for name in TVS_OF}
        for name, own in (("cucm-pub", PUB), ("cucm-sub1", SUB)):
            for port in (5061, 2443, 6971):
                self.open(name, port, lambda sock, own=own: net.TlsService(sock, own))
        self.tvs = {name: self.open(name, net.TVS, lambda sock, one=one: tvs.TvsService(sock, one, self.by_name, self.by_certificate))
                    for name, one in TVS_OF.items()}
        self.capf = self.open("cucm-pub", 3804, lambda sock: net.TlsService(sock, CAPF))

    def open(self, name, port, make):
        service = make(socket.create_server((self.hosts[name], port)))
        self.network.services[self.hosts[name], port, socket.SOCK_STREAM] = service
        service.open(self.network.loop)
        return service

    def by_certificate(self, der):
        return (der, self.known[der]) if der in self.known else None

    def by_name(self, serial, issuer):
        return self.by_certificate(SIGNER.der) if (serial, issuer) == (SIGNER.serial, SIGNER.issuer) else None

    def close(self):
        self.network.close()


@pytest.fixture
def recipe(ctlsign, cluster, start, tmp_path):  # noqa: F811
    """(the cluster, play): play() is what the page's blocks print, and their statuses."""
    one = start(Cluster())

    def node(option, cert, name):
        return [option, f"{cluster / cert}.pem,name={name},address={one.hosts[name]}"]
    capf = node("--capf", "capf", "cucm-pub")
    build(ctlsign, cluster, tmp_path / "CTLFile.tlv", *node("--ccm-tftp", "pub", "cucm-pub"), *node("--ccm-tftp", "sub1", "cucm-sub1"), *capf)
    build(ctlsign, cluster, tmp_path / "ITLFile.tlv", *node("--ccm-tftp", "pub", "cucm-pub"), *capf, *node("--tvs", "SAST-ADN0054f509", "cucm-pub"),
          *node("--tvs", "SAST-ADN008580ef", "cucm-sub1"))
    new = ["--sast", f"{cluster / 'pub-regenerated.pem'},name=cucm-pub", "-k", cluster / "pub-regenerated.key", "--cert", cluster / "pub-regenerated.pem"]
    ctlsign.ok("build", "-o", tmp_path / "new.tlv", "--filename", "CTLFile.tlv", *new, "--yes")
    (cluster / "pub-regenerated.pem").rename(tmp_path / "new-signer.pem")
    env = ctlsign.environment({"PATH": f"{PROGRAM.absolute().parent}:/usr/bin:/bin"})

    def play():
        text, statuses = "", []
        for block in re.findall(r"^```sh\n(.*?)^```$", PAGE, re.M | re.S):
            for name, host in one.hosts.items():
                block = block.replace(name, host)
            run = subprocess.run(["sh", "-ec", block], cwd=tmp_path, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
            assert "Sanitizer" not in run.stderr, run.stderr
            text += run.stdout
            statuses.append(run.returncode)
        return text, statuses
    return one, play


def test_the_recipe_as_it_stands(recipe):
    one, play = recipe
    text, statuses = play()
    assert statuses == [0, 0, 0] and text.count("same: all certificates are the list's") == 2, text
    assert text.count(": known as SAST") == 6 and text.count("so its phones believe it") == 4
    asked = ", ".join(f"{one.hosts[name]}:2445" for name in TVS_OF)
    assert text.count("accepted: tvs (asked: ") == 1 and f"accepted: tvs (asked: {asked})\n" in text
    assert "the ITL names other TVS too" not in text
    assert [[asked.kind for asked in service.log[:2]] for service in one.tvs.values()] == [[wire.VERIFY, wire.QUERY]] * 2


def test_what_the_recipe_s_table_says(recipe, renewed):  # noqa: F811
    """Each phrase of its table is one of the program's, in the case that it stands for."""
    one, play = recipe
    seen = play()[0]
    one.capf.identity = identity.Identity(renewed / "capf.pem", renewed / "capf.key")
    text, statuses = play()
    assert statuses == [1, 0, 0] and ": renewed, serial number " in text and "other TVS" not in text, text
    one.known = {SIGNER.der: [2]}
    text, statuses = play()
    assert statuses[1] == 1 and "known, but not as SAST" in text and "known as SAST" not in text, text
    one.known = {}
    text, statuses = play()
    assert statuses[1] == 1 and ": not known" in text and "known as SAST" not in text, text
    seen += text
    one.tvs["cucm-pub"].identity = SUB
    text, statuses = play()
    assert statuses[1] == 1
    seen += text
    one.tvs["cucm-pub"].shut()
    text, statuses = play()
    assert statuses[1] == 3
    seen += text
    phrases = [phrase for row in re.findall(r"^\| (`.*?) \|", PAGE, re.M) for phrase in re.findall("`(.*?)`", row)]
    assert len(phrases) == 5 and [phrase for phrase in phrases if phrase not in seen] == [], seen
