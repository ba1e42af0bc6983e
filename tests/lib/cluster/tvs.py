# SPDX-License-Identifier: Apache-2.0
"""A TVS, and what can go wrong with one.

A fault is named at any time: `server.fault = "reset"`. `FAULTS` says what each does. Nothing here
sleeps, except for the fault that is about time.
"""
import socket
import struct
import time

from . import net, wire

FAULTS = {
    "": "answers as it should",
    "silent": "takes the question and never answers; ends when the client leaves",
    "reset": "takes the question and resets the connection",
    "closes": "takes the question and closes the connection",
    "half": "sends the first half of the answer and closes",
    "no-tls": "says something that is not TLS",
    "session": "answers another session",
    "kind": "answers with the type of the other answer",
    "magic": "answers with another first byte",
    "version": "answers with another version",
    "slow": "sends one byte, waits `pace` seconds, sends the next",
    "roles": "says as many roles as fit in an answer of 64 KiB",
    "short-element": "an element claims more bytes than the answer has",
    "left-over": "two bytes follow the last element",
    "twice": "the status is there twice, yes and no",
    "no-status": "the status is missing",
    "empty": "an answer without elements",
    "long-status": "the status has two bytes",
    "short-ttl": "the time to live has three bytes",
    "no-session": "an answer that ends inside its header",
    "unknown": "elements that nobody knows stand before, between and behind the others",
    "no-certificate": "the answer to a query has no certificate",
    "other-certificate": "the certificate in the answer is not the one that was asked for",
}


def _with(message, elements):
    return wire.Message(message.kind, message.session, elements)


def _unknown(message):
    mixed = [(200, b"before")]
    for number, one in enumerate(message.elements):
        mixed += [one, (201, bytes([number]))]
    return _with(message, [*mixed, (255, b"")])


def _roles(message):
    others = [one for one in message.elements if one[0] != wire.ROLES]
    room = wire.LARGEST - sum(3 + len(value) for _, value in others) - 3
    return _with(message, [*others, (wire.ROLES, bytes(range(256)) * (room // 256) + bytes(room % 256))])


def _but(tag, *values):
    def change(message):
        kept = [one for one in message.elements if one[0] != tag]
        return _with(message, [*((tag, value) for value in values), *kept])
    return change


# Faults of the message, and then faults of its bytes.
MESSAGES = {
    "session": lambda m: wire.Message(m.kind, (m.session + 1) & 0xFFFFFFFF, m.elements),
    "kind": lambda m: wire.Message(6 - m.kind, m.session, m.elements),
    "roles": _roles,
    "twice": _but(wire.STATUS, bytes([wire.YES]), bytes([wire.NO])),
    "no-status": _but(wire.STATUS),
    "long-status": _but(wire.STATUS, bytes(2)),
    "short-ttl": _but(wire.TTL, bytes(3)),
    "empty": lambda m: _with(m, []),
    "no-certificate": _but(wire.CERTIFICATE),
    "unknown": _unknown,
}


def _longer(data, extra):
    length = int.from_bytes(data[8:10], "big") + len(extra)
    return data[:8] + length.to_bytes(2, "big") + data[10:] + extra


BYTES = {
    "half": lambda data: data[:len(data) // 2],
    "no-session": lambda data: data[:6],
    "magic": lambda data: b"\x58" + data[1:],
    "version": lambda data: data[:1] + b"\x02" + data[2:],
    "short-element": lambda data: _longer(data, b"\x08\x00\x09\x00"),
    "left-over": lambda data: _longer(data, b"\x08\x00"),
}


class TvsService(net.TlsService):
    """Answers types 1 and 3.

    lookup(serial, issuer) and lookup_certificate(der) give (certificate, roles) or None. strict: a
    question with elements that it does not know, or without those that it needs, is not answered;
    else unknown ones are passed over. `minds`: what it says of the next questions, True or False,
    before it goes by its lookup. `log` has every question.
    """

    def __init__(self, sock, identity, lookup, lookup_certificate, **options):
        super().__init__(sock, identity)
        self.lookup, self.lookup_certificate = lookup, lookup_certificate
        self.strict, self.fault, self.pace, self.ttl = True, "", 1.0, wire.DAY
        self.minds, self.log = [], []
        for name, value in options.items():
            setattr(self, name, value)

    def handle(self, client):
        if self.fault == "no-tls":
            client.sendall(b"220 this is not TLS\r\n")
            return
        super().handle(client)

    def speak(self, secure):
        while True:
            try:
                request = wire.receive(secure, request=True)
                found = self._find(request)
            except wire.Malformed:
                return
            self.log.append(request)
            if not self._reply(secure, wire.answer(request, found, self.ttl)):
                return

    def _find(self, request):
        wanted = {wire.VERIFY: [wire.CERTIFICATE],
                  wire.QUERY: [wire.SUBJECT, wire.ISSUER, wire.SERIAL]}.get(request.kind)
        if wanted is None:
            raise wire.Malformed(f"type {request.kind} is no question")
        tags = [tag for tag, _ in request.elements]
        if self.strict and tags != [wire.DEVICE, *wanted]:
            raise wire.Malformed(f"elements {tags} of type {request.kind}")
        values = [request.get(tag) for tag in wanted]
        if None in values:
            raise wire.Malformed(f"elements {tags} of type {request.kind}")
        found = self._known(request.kind, values)
        if self.minds:
            return (found or (self.identity.der, [0])) if self.minds.pop(0) else None
        if found and self.fault == "other-certificate":
            return self.identity.der, found[1]
        return found

    def _known(self, kind, values):
        if kind == wire.VERIFY:
            return self.lookup_certificate(values[0])
        _, issuer, serial = values
        if not issuer.endswith(b"\0"):
            raise wire.Malformed("an issuer without its NUL")
        return self.lookup(serial, issuer[:-1].decode("utf-8"))

    def _reply(self, secure, message):
        """Whether the connection goes on."""
        if self.fault == "silent":
            secure.recv(1)
            return False
        if self.fault == "reset":
            secure.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if self.fault in ("reset", "closes"):
            return False
        data = wire.encode(MESSAGES.get(self.fault, lambda m: m)(message))
        data = BYTES.get(self.fault, lambda d: d)(data)
        if self.fault == "slow":
            for at in range(len(data)):
                secure.sendall(data[at:at + 1])
                time.sleep(self.pace)
        else:
            secure.sendall(data)
        return self.fault not in ("half", "no-session")


def ask(address, request, identity=None, believe=None):
    """The answer, and the certificate (DER) that the server presented.

    (None, None) if believe(certificate) is false: nothing was asked then.
    """
    with socket.create_connection(address, net.PATIENCE) as plain:
        with net.client_context(identity).wrap_socket(plain) as secure:
            presented = secure.getpeercert(binary_form=True)
            if believe and not believe(presented):
                return None, None
            secure.sendall(wire.encode(request))
            return wire.receive(secure), presented
