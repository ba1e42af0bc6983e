# SPDX-License-Identifier: Apache-2.0
"""A virtual cluster: who signs which list with what in it, and when it is served.

From docs/CLUSTER.md alone. The program under test makes the bytes; what is in them is decided here.
Certificates on disk count at once for lists that a command writes and for what TVS knows. A TFTP
node serves the ITL that it made when TFTP was started last, unless a command signed it anew. A TVS
presents the certificate that it had when it was started last.
"""
import socket
from dataclasses import dataclass, field

import peerlist

from . import net, tvs
from .identity import Deck, Identity

START = 1426000000  # 2015-03-10: every certificate of the sample cluster is valid
DAY = 86400
SAST, CCM_TFTP, TFTP, CAPF, TVS = 0, 2, 3, 4, 21
SIP, SCCP, CAPF_PORT, HTTPS = 5061, 2443, 3804, 6971


def release(text):
    """"10.5(2)" as numbers that can be compared."""
    return tuple(int(part) for part in text.replace("(", ".").replace(")", "").split("."))


@dataclass
class Clock:
    """The time of a story, which nobody waits for."""
    now: int = START

    def pass_days(self, days=1):
        self.now += days * DAY


@dataclass(eq=False)
class Node:
    """A server: what it has on disk, and what its services loaded when they were started."""
    name: str
    address: str  # where it is on loopback
    listed: str   # the address in the lists
    callmanager: Identity
    tvs: Identity
    files: dict = field(default_factory=dict)  # what TFTP serves, by name
    blank: bool = False  # the rollback parameter, when TFTP was started
    services: dict = field(default_factory=dict)


@dataclass
class Record:
    role: str  # the option of build: sast, ccm-tftp, …
    identity: Identity
    node: Node

    def option(self, style):
        token = style == "ctl-client" and self.node is None
        place = "" if token else f",name={self.node.name},address={self.node.listed}"
        return [f"--{self.role}", f"{self.identity.cert}{place}"]


class Cluster:
    """build(*args) runs the program under test. mode: "", "tokenless" or "tokens"."""

    def __init__(self, build, network, folder, version, *, mode="", names=("pub", "sub1"), deck=None,
                 clock=None, sample=None, listed=(), domain=""):
        self.run, self.network, self.folder = build, network, folder
        folder.mkdir(parents=True)
        self.version, self.release, self.mode = version, release(version), mode
        self.deck, self.clock = deck or Deck(folder / "keys"), clock or Clock()
        self.domain, self.count = domain, 0
        self.encrypts = False  # the configuration of phones that have a certificate
        self.uploads, self.tokens, self.phones, self.rollback = [], [], [], False
        self.nodes = self._nodes(names, sample or {}, listed)
        self.publisher = self.nodes[0]
        self.capf = sample["capf"] if sample else self._new(f"CAPF-{self.deck.dealt:08x}")
        self.itlrecovery = self._new(f"ITLRECOVERY_{self.publisher.name}")
        self._open()
        if mode:
            self.ctl_update()
        self.restart_tftp()

    def _new(self, name):
        return self.deck.identity(name + (f".{self.domain}" if self.domain else ""))

    def _nodes(self, names, sample, listed):
        made = []
        for number, name in enumerate(names):
            address = self.network.host()
            made.append(Node(name, address, listed[number] if listed else address,
                             sample.get(name) or self._new(name), self._new(name)))
        return made

    # Sockets

    def _open(self):
        by_address = {node.address: node for node in self.nodes}
        addresses = list(by_address)

        def serve(port, make, kind=socket.SOCK_STREAM):
            def remember(address, sock):
                node = by_address[address]
                node.services[port] = make(node, sock)
                return node.services[port]
            self.network.serve(port, addresses, remember, kind)

        serve(net.TFTP, lambda node, sock: net.TftpService(sock, node.files.get), socket.SOCK_DGRAM)
        serve(net.HTTP, lambda node, sock: net.HttpService(sock, node.files.get))
        serve(HTTPS, lambda node, sock: net.HttpsService(sock, node.callmanager, node.files.get))
        serve(net.TVS, self._tvs_service)
        for port in (SIP, SCCP):
            serve(port, lambda node, sock: net.TlsService(sock, node.callmanager))
        self.network.serve(CAPF_PORT, [self.publisher.address],
                           lambda _, sock: self._remember_capf(net.TlsService(sock, self.capf)))

    def _remember_capf(self, service):
        self.publisher.services[CAPF_PORT] = service
        return service

    def _tvs_service(self, node, sock):
        return tvs.TvsService(sock, node.tvs, lambda *asked: self.tvs_lookup(node, *asked),
                              self.tvs_lookup_certificate)

    # What TVS knows

    def own(self):
        """[(identity, roles)] that TVS knows without any upload: ITLRecovery from 12.0 on."""
        known = [(node.callmanager, [SAST, CCM_TFTP]) for node in self.nodes]
        return known + ([(self.itlrecovery, [SAST])] if self.release >= (12, 0) else [])

    def own_certificates(self):
        return [identity.der for identity, _ in self.own()]

    def known_to_tvs(self):
        """[(identity, roles)]: its own, and uploads."""
        return self.own() + [(identity, [SAST]) for identity in self.uploads]

    def tvs_lookup(self, node, serial, issuer):
        for identity, roles in self.known_to_tvs():
            if (identity.serial, identity.issuer) == (serial, issuer):
                return identity.der, roles
        return self._in_own_ctl(node, serial, issuer)

    def _in_own_ctl(self, node, serial, issuer):
        """An uploaded token has another spelling in lists: it is found in the node's own CTL."""
        ctl = node.files.get("CTLFile.tlv")
        for record in peerlist.parse(ctl)["records"] if ctl else []:
            if (record["serial"], record["issuer"], record["role"]) == (serial, issuer, SAST):
                if record["certificate"] in [identity.der for identity in self.uploads]:
                    return record["certificate"], [SAST]
        return None

    def tvs_lookup_certificate(self, der):
        for identity, roles in self.known_to_tvs():
            if identity.der == der:
                return der, roles
        return None

    # Lists

    def _write(self, name, records, signer, style="cucm"):
        self.count += 1
        self.clock.now += 60
        folder = self.folder / f"list-{self.count}"
        folder.mkdir()
        words = [word for record in records for word in record.option(style)]
        self.run("build", "-o", folder / name, *words, "-k", signer.key, "--cert", signer.cert,
                 "--style", style, "--timestamp", self.clock.now)
        return (folder / name).read_bytes()

    def _anchors(self):
        """ITLRecovery and the publisher's CallManager, by release [SG-CTL]; the signer first."""
        pub = Record("sast", self.publisher.callmanager, self.publisher)
        recovery = Record("sast", self.itlrecovery, self.publisher)
        if self.mode == "tokens":
            return [recovery, pub] if self.release >= (11, 5) else []
        if self.release >= (12, 0):
            return [recovery, pub]
        return [pub, recovery] if self.release >= (10, 5, 2) else [pub]

    def ordinary_signer(self):
        """Of the CTL."""
        if self.mode == "tokens":
            return self.tokens[0]
        return self.itlrecovery if self.release >= (12, 0) else self.publisher.callmanager

    def _ctl(self, signer):
        servers = [Record("ccm-tftp", self.publisher.callmanager, self.publisher),
                   Record("capf", self.capf, self.publisher)]
        servers += [Record("ccm-tftp", node.callmanager, node) for node in self.nodes[1:]]
        anchors = self._anchors()
        if self.mode != "tokens":
            return self._write("CTLFile.tlv", anchors + servers, signer)
        first, *others = [Record("sast", token, None) for token in self.tokens]
        return self._write("CTLFile.tlv", [first, *anchors, *servers, *others], signer, "ctl-client")

    def _itl(self, node, signer):
        own = Record("sast", node.callmanager, node)
        recovery = Record("sast", self.itlrecovery, self.publisher)
        anchors = [recovery, own] if self.release >= (12, 0) else [own, recovery]
        servers = [Record("ccm-tftp", node.callmanager, node)]
        servers += [Record("tvs", one.tvs, one) for one in self.nodes]
        servers.append(Record("capf", self.capf, self.publisher))
        return self._write("ITLFile.tlv", anchors + ([] if node.blank else servers), signer)

    def _serve(self, node, kind, content):
        node.files[f"{kind}File.tlv"] = content
        for phone in self.phones:
            node.files[f"{kind}{phone.name}.tlv"] = content

    # Events

    def renew_callmanager(self, node):
        node.callmanager = self._new(node.name)

    def renew_tvs(self, *nodes):
        for node in nodes or self.nodes:
            node.tvs = self._new(node.name)

    def renew_capf(self):
        self.capf = self._new(f"CAPF-{self.deck.dealt:08x}")

    def renew_itlrecovery(self):
        self.itlrecovery = self._new(f"ITLRECOVERY_{self.publisher.name}")

    def upload(self, *identities):
        """As Phone-SAST-trust."""
        self.uploads += identities

    def _publish_ctl(self, signer):
        content = self._ctl(signer)
        for node in self.nodes:
            self._serve(node, "CTL", content)

    def ctl_update(self):
        """utils ctl update CTLFile; with tokens, the CTL Client."""
        self._publish_ctl(self.ordinary_signer())

    def ctl_reset_localkey(self):
        """utils ctl reset localkey."""
        self._publish_ctl(self.publisher.callmanager)

    def to_tokens(self, *tokens):
        self.tokens, self.mode = list(tokens), "tokens"
        self.ctl_update()

    def to_tokenless(self):
        self.mode = "tokenless"
        self.ctl_update()

    def itl_reset_localkey(self):
        """utils itl reset localkey: each node's present ITL, signed by its CallManager key."""
        for node in self.nodes:
            self._serve(node, "ITL", self._itl(node, node.callmanager))

    def restart_tftp(self, *nodes):
        for node in nodes or self.nodes:
            node.blank = self.rollback
            signer = self.itlrecovery if self.release >= (12, 0) else node.callmanager
            self._serve(node, "ITL", self._itl(node, signer))
            node.services[HTTPS].identity = node.callmanager
            for phone in self.phones:
                self._configure(node, phone)

    def restart_tvs(self, *nodes):
        for node in nodes or self.nodes:
            node.services[net.TVS].identity = node.tvs

    def restart_callmanager(self, *nodes):
        for node in nodes or self.nodes:
            for port in (SIP, SCCP):
                node.services[port].identity = node.callmanager

    def restart_capf(self):
        self.publisher.services[CAPF_PORT].identity = self.capf

    # Phones

    def adopt(self, phone, tftp=None, group=None):
        """The phone's option 150 names the node tftp, and its configuration the nodes of group."""
        phone.tftp = (tftp or self.publisher).address
        phone.members = [node.address for node in group or self.nodes]
        self.phones.append(phone)
        for node in self.nodes:
            for kind in ("CTL", "ITL"):
                if f"{kind}File.tlv" in node.files:
                    self._serve(node, kind, node.files[f"{kind}File.tlv"])
            self._configure(node, phone)

    def release_phone(self, phone):
        self.phones.remove(phone)

    def _configure(self, node, phone):
        members = "".join(f'<member priority="{n}"><callManager><processNodeName>{address}'
                          "</processNodeName></callManager></member>"
                          for n, address in enumerate(phone.members))
        text = ("<device><devicePool><callManagerGroup><members>" + members
                + "</members></callManagerGroup></devicePool></device>\n")
        self.count += 1
        folder = self.folder / f"config-{self.count}"
        folder.mkdir()
        path = folder / f"{phone.name}.cnf.xml"
        path.write_text(text)
        signer = ["-k", node.callmanager.key, "--cert", node.callmanager.cert, "--style", "cucm",
                  "--timestamp", self.clock.now, path]
        if self.encrypts and phone.mic:
            self.run("config", "encrypt", "--for", phone.mic.cert, *signer)
        else:
            self.run("config", "sign", *signer)
        # An encrypted file is not served in the clear beside.
        for name in (path.name, f"{path.name}.sgn", f"{path.name}.enc.sgn"):
            made = folder / name
            node.files[name] = made.read_bytes() if made.exists() and (made != path or not self.encrypts) else None

