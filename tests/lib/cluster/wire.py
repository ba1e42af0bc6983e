# SPDX-License-Identifier: Apache-2.0
"""The messages of TVS, from docs/TVS.md alone: ten bytes of header, then elements."""
from dataclasses import dataclass, field

MAGIC, VERSION = 0x57, 1
VERIFY, VERIFY_ANSWER, QUERY, QUERY_ANSWER = 1, 2, 3, 4
DEVICE, CERTIFICATE, SUBJECT, ISSUER, SERIAL = 1, 2, 3, 4, 5
STATUS, ROLES, TTL = 7, 8, 9
HEADER, LARGEST = 10, 0xFFFF
YES, NO = 0, 1
DAY = 0x15180  # seconds that an answer holds


class Malformed(Exception):
    """The bytes are no message of TVS."""


@dataclass
class Message:
    kind: int
    session: int
    elements: list = field(default_factory=list)  # [(tag, value)], in their order

    def get(self, tag):
        """The one value of this tag; None if it is not there."""
        values = [value for number, value in self.elements if number == tag]
        if len(values) > 1:
            raise Malformed(f"element {tag} is there {len(values)} times")
        return values[0] if values else None


def element(tag, value):
    return bytes([tag]) + len(value).to_bytes(2, "big") + value


def text(string):
    return string.encode("utf-8") + b"\0"


def encode(message):
    body = b"".join(element(tag, value) for tag, value in message.elements)
    return (bytes([MAGIC, VERSION, message.kind, 0]) + message.session.to_bytes(4, "big")
            + len(body).to_bytes(2, "big") + body)


def elements(body):
    found, at = [], 0
    while at < len(body):
        if len(body) - at < 3:
            raise Malformed(f"{len(body) - at} bytes are left over")
        length = int.from_bytes(body[at + 1:at + 3], "big")
        if len(body) - at - 3 < length:
            raise Malformed(f"element {body[at]} claims {length} bytes, {len(body) - at - 3} remain")
        found.append((body[at], body[at + 3:at + 3 + length]))
        at += 3 + length
    return found


def _exactly(sock, count):
    data = b""
    while len(data) < count:
        more = sock.recv(count - len(data))
        if not more:
            raise Malformed(f"the connection ends after {len(data)} of {count} bytes")
        data += more
    return data


def receive(sock, request=False):
    """The next message. The fourth byte is zero in requests; in answers nobody knows."""
    head = _exactly(sock, HEADER)
    if head[0] != MAGIC or head[1] != VERSION or (request and head[3] != 0):
        raise Malformed(f"no header of TVS: {head.hex()}")
    body = _exactly(sock, int.from_bytes(head[8:10], "big"))
    return Message(head[2], int.from_bytes(head[4:8], "big"), elements(body))


def device(name):
    """Element 1: a byte 01, then the device's name."""
    return DEVICE, b"\x01" + name.encode("ascii")


def query(session, name, subject, issuer, serial):
    """What a phone asks about a list's signer, in the list's own spelling."""
    return Message(QUERY, session, [device(name), (SUBJECT, text(subject)), (ISSUER, text(issuer)),
                                    (SERIAL, serial)])


def verify(session, name, der):
    return Message(VERIFY, session, [device(name), (CERTIFICATE, der)])


def answer(request, found, ttl=DAY):
    """An answer to this request; found is (certificate, roles) or None."""
    kind = VERIFY_ANSWER if request.kind == VERIFY else QUERY_ANSWER
    if found is None:
        return Message(kind, request.session, [(STATUS, bytes([NO]))])
    der, roles = found
    given = [(STATUS, bytes([YES])), (ROLES, bytes(roles)), (TTL, ttl.to_bytes(4, "big"))]
    if kind == QUERY_ANSWER:
        given.append((CERTIFICATE, der))
    return Message(kind, request.session, given)
