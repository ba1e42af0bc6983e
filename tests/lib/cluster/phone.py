# SPDX-License-Identifier: Apache-2.0
"""A virtual phone: what it asks for, what it holds, and what it takes. From docs/CLUSTER.md alone.

It verifies every signature itself. Its words for reasons are those of the contract of accept.
"""
import hashlib
import re
import socket
from dataclasses import dataclass

import peerlist
import peerseal
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from . import net, tvs, wire
from .model import CCM_TFTP, SAST, TFTP, TVS

DIGESTS = {1: hashes.SHA1, 2: hashes.SHA256, 3: hashes.SHA512}
LARGEST_LIST = 65536
UPDATED, FAILED, NONE = "Trust List Updated", "Trust List update failed", "No Trust List installed"


def signed_by(data, der):
    """Whether this certificate's key made the signature of a list or a signed file."""
    header = peerlist.parse_header(data)
    key = x509.load_der_x509_certificate(der).public_key()
    try:
        key.verify(header["signature"], peerlist.signed_bytes(data), padding.PKCS1v15(),
                   DIGESTS[header["digest"]]())
    except InvalidSignature:
        return False
    return True


@dataclass
class Decision:
    """What a phone did with one file. kind: "CTL", "ITL" or "configuration"."""
    kind: str
    accepted: bool
    reason: str
    asked: bool = False  # TVS answered, now or within a day
    foretold: object = None  # what `watch` returned before the phone decided
    content: bytes = b""  # what was offered
    itl: bytes = b""  # the ITL that the phone held then
    group: tuple = ()  # the nodes that it could ask then


class Phone:
    """sbd: it has Security by Default. watch(phone, kind, bytes) is called before each decision."""

    def __init__(self, network, clock, mac, *, model="CP-8861", sbd=True, transport="http", watch=None,
                 mic=None):
        self.network, self.clock, self.model, self.sbd = network, clock, model, sbd
        self.name, self.transport, self.watch, self.mic = f"SEP{mac}", transport, watch, mic
        self.tftp, self.members = None, []  # set by the cluster that it is given
        self.held = {}     # "CTL" and "ITL": bytes
        self.group = []    # addresses, from the configuration that it took last
        self.answers = {}  # (serial, issuer): (until, certificate, roles)
        self.log, self.session = [NONE], 0

    # Files

    def fetch(self, name):
        if self.transport == "http":
            content = net.http_get(self.network.real(self.tftp, net.HTTP), name)
        else:
            address = self.network.real(self.tftp, net.TFTP, socket.SOCK_DGRAM)
            content = net.tftp_get(address, name)
        if content is None:
            self.log.append(f"File Not Found <{name}>")
        return content

    def clear(self):
        """Somebody deletes the lists at the phone."""
        self.held = {}
        self.log.append(NONE)

    def reset(self):
        """Asks for its CTL, its ITL and its configuration; the decisions, in this order."""
        made = []
        for kind in ("CTL", "ITL") if self.sbd else ("CTL",):
            content = self.fetch(f"{kind}{self.name}.tlv")
            if content is None:
                content = self.fetch(f"{kind}File.tlv")
            if content is not None:
                made.append(self._decide_on_list(kind, content))
        made.append(self._configure())
        return made

    def _decide_on_list(self, kind, content):
        foretold = self.watch(self, kind, content) if self.watch else None
        decision = self.judge(kind, content)
        decision.content, decision.group = content, tuple(self.group)
        decision.itl = self.held.get("ITL", b"")
        decision.foretold = foretold
        if decision.accepted:
            self.held[kind] = content
            self.log += ["ITL installed", UPDATED] if kind == "ITL" else [UPDATED]
        else:
            self.log.append(FAILED)
        return decision

    # Trust

    def _records(self):
        return [record for kind in self.held for record in self._list_records(kind)]

    def _list_records(self, kind):
        return peerlist.parse(self.held[kind])["records"] if kind in self.held else []

    def _holds_nothing(self, kind):
        """A first list. A blank ITL (rollback) gives way to any ITL [SG15], but not beside a CTL."""
        servers = [one for one in self._list_records("ITL") if one["role"] in (TVS, TFTP, CCM_TFTP)]
        return not self.held or (kind == "ITL" and "CTL" not in self.held and not servers)

    def judge(self, kind, content):
        """What it does with a list; nothing is installed."""
        if len(content) > LARGEST_LIST:
            return Decision(kind, False, "too-large")
        if self._holds_nothing(kind):
            return Decision(kind, True, "leap-of-faith")
        records = self._records()
        header = peerlist.parse_header(content)
        named = [record for record in records if (record.get("serial"), record.get("issuer"))
                 == (header["signer_serial"], header["signer_issuer"])]
        anchors = [record["certificate"] for record in named if record["role"] == SAST]
        if anchors:
            good = any(signed_by(content, der) for der in anchors)
            return Decision(kind, good, "signer-is-sast" if good else "bad-signature")
        return self._first_itl(kind, content, named) or self._by_tvs(kind, content, header, named)

    def _first_itl(self, kind, content, named):
        """The first ITL is checked with the CTL: of a list signed by its TFTP node, that has the
        server record alone [open: no source says that this is enough]."""
        servers = [one["certificate"] for one in named if one["role"] in (TFTP, CCM_TFTP)]
        if kind != "ITL" or self._list_records("ITL") or not servers:
            return None
        good = any(signed_by(content, der) for der in servers)
        return Decision(kind, good, "signer-is-tftp" if good else "bad-signature")

    def _by_tvs(self, kind, content, header, named):
        der, _ = self.ask_tvs(header, (SAST,))
        if der:
            good = signed_by(content, der)
            return Decision(kind, good, "tvs" if good else "bad-signature", True)
        return Decision(kind, False, "signer-not-sast" if named else "signer-unknown")

    # TVS

    def ask_tvs(self, header, wanted):
        """(certificate, roles) of a signer that TVS knows in one of the wanted roles; else None."""
        name = header["signer_serial"], header["signer_issuer"]
        until, der, roles = self.answers.get(name, (0, None, ()))
        if self.clock.now >= until:
            until, der, roles = self._fresh_answer(header)
            self.answers[name] = until, der, roles
        return (der, roles) if set(wanted) & set(roles) else (None, ())

    def _fresh_answer(self, header):
        if self.sbd:
            for address in self.group:
                answer = self._ask_node(address, header)
                if answer:
                    return answer
        return 0, None, ()

    def _ask_node(self, address, header):
        """None if this node's TVS is not there, not believed, or makes no sense."""
        self.session += 1
        question = wire.query(self.session, f"{self.model}-{self.name}", header["signer_name"],
                              header["signer_issuer"], header["signer_serial"])
        try:
            answer, presented = tvs.ask(self.network.real(address, net.TVS), question, self.mic,
                                        self.believes)
            if presented is None:
                return None
            return self._understood(question, answer, header)
        except (OSError, wire.Malformed):
            return None

    def believes(self, presented):
        """Only a TVS whose certificate is a TVS record of the ITL that the phone holds."""
        return presented in [record.get("certificate") for record in self._list_records("ITL")
                             if record["role"] == TVS]

    def _understood(self, question, answer, header):
        if answer.session != question.session or answer.kind != wire.QUERY_ANSWER:
            raise wire.Malformed("an answer to something else")
        status, der = answer.get(wire.STATUS), answer.get(wire.CERTIFICATE)
        if status is None or len(status) != 1:
            raise wire.Malformed("no status")
        if status[0] != wire.YES:
            return 0, None, ()
        ttl = answer.get(wire.TTL) or bytes(4)
        if der is None or len(ttl) != 4:
            raise wire.Malformed("a signer without its certificate, or no time to live")
        number = x509.load_der_x509_certificate(der).serial_number
        spelt = header["signer_serial"]
        # A token's serial number stands byte-reversed in lists.
        if number not in (int.from_bytes(spelt, "big"), int.from_bytes(spelt, "little")):
            raise wire.Malformed("the certificate of somebody else")
        return self.clock.now + int.from_bytes(ttl, "big"), der, tuple(answer.get(wire.ROLES) or b"")

    # Configuration

    def _configure(self):
        records = self._records()
        servers = [one for one in records if one["role"] in (TFTP, CCM_TFTP)]
        if not servers:
            return self._configured(self.fetch(f"{self.name}.cnf.xml"), True, "unsigned")
        content, reason = self._fetch_signed(f"{self.name}.cnf.xml.sgn", servers)
        if content and b"<encrConfig>true</encrConfig>" in content:
            content, reason = self._decrypted(content, servers)
        return self._configured(content, content is not None, reason)

    def _decrypted(self, companion, servers):
        """The companion says that there is an encrypted file, and for which certificate [peer]."""
        if not self.mic or hashlib.md5(self.mic.der).hexdigest().encode() not in companion:
            return None, "not-mine"
        content, reason = self._fetch_signed(f"{self.name}.cnf.xml.enc.sgn", servers)
        if content is None:
            return None, reason
        try:
            return peerseal.unseal(content, self.mic.key), reason
        except (AssertionError, KeyError, ValueError):
            return None, "damaged"

    def _fetch_signed(self, name, servers):
        """(the file, by which rule it is taken), or (None, why not)."""
        content = self.fetch(name)
        if content is None:
            return None, "missing"
        header = peerlist.parse_header(content)
        name = header["signer_serial"], header["signer_issuer"]
        for one in servers:
            if (one.get("serial"), one.get("issuer")) == name and signed_by(content, one["certificate"]):
                return content, "signer-is-tftp"
        der, _ = self.ask_tvs(header, (TFTP, CCM_TFTP))
        good = der is not None and signed_by(content, der)
        return (content, "tvs") if good else (None, "signer-unknown")

    def _configured(self, content, accepted, reason):
        if accepted:
            self.group = re.findall("<processNodeName>(.*?)</processNodeName>", content.decode("latin-1"))
        return Decision("configuration", accepted, reason)
