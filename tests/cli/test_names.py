# SPDX-License-Identifier: Apache-2.0
"""Generated names in the three dialects against what OpenSSL's -nameopt makes of them.

Of any depth: several attributes in one RDN, every string type, everything that RFC 4514 escapes, types
without a keyword, values that are no text. OpenSSL reads types and values out of the DER and escapes them; the
dialects' orders and separators are those of docs/FORMAT.md.
"""
import random
import re

import lists
import peerlist
import pytest
from conftest import SANITIZED, openssl
from cryptography.hazmat.primitives import serialization
from peerwrite import CUCM_ORDER, load

KEYWORDS = {"2.5.4.3": "CN", "2.5.4.11": "OU", "2.5.4.10": "O", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.6": "C",
            "2.5.4.9": "STREET", "0.9.2342.19200300.100.1.25": "DC", "0.9.2342.19200300.100.1.1": "UID"}
# Beyond RFC 4514's table: these have a keyword where names are not RFC 4514's.
MORE = {"2.5.4.5": "SERIALNUMBER", "2.5.4.4": "SN", "2.5.4.42": "GN", "2.5.4.12": "T",
        "1.2.840.113549.1.9.1": "EMAILADDRESS"}
UNKNOWN = ["1.2.3.4", "2.999.1", "2.5.4.13", "1.3.6.1.4.1.9.21.2.3"]
ASCII = "".join(map(chr, range(0x20, 0x7f))) + ',+"\\<>#= ' * 4
TYPES = {  # tag, encoding, characters
    "utf8": (0x0c, "utf-8", ASCII + "éłß日本Σ\U0001f4de\u202e"), "printable": (0x13, "ascii", ASCII),
    "ia5": (0x16, "ascii", ASCII), "numeric": (0x12, "ascii", "0123456789 "),
    "t61": (0x14, "latin-1", ASCII + "".join(map(chr, range(0xa0, 0x100)))),
    "bmp": (0x1e, "utf-16-be", ASCII + "éł日本Σ"), "universal": (0x1c, "utf-32-be", ASCII + "é日\U0001f4de"),
}
CERTIFICATES = 12 if SANITIZED else 40  # each is a process of OpenSSL's


def der(tag, *parts):
    content = b"".join(parts)
    if len(content) < 128:
        return bytes([tag, len(content)]) + content
    return bytes([tag, 0x82]) + len(content).to_bytes(2, "big") + content


def oid(dotted):
    first, second, *arcs = map(int, dotted.split("."))
    out = b""
    for arc in (first * 40 + second, *arcs):
        groups = [arc & 127]
        while arc := arc >> 7:
            groups.append(arc & 127 | 128)
        out += bytes(reversed(groups))
    return der(6, out)


def value(rng, banned):
    if rng.random() < 0.06:
        return rng.choice([der(3, b"\0bits"), der(0x30, der(2, b"\1"))])  # all else OpenSSL refuses in a name
    tag, encoding, characters = TYPES[rng.choice(list(TYPES))]
    text = "".join(rng.choice(characters) for _ in range(rng.choice([0, 1, 2, 5, 12, 30])))
    text = "".join(c for c in text if c not in banned)
    return der(tag, rng.choice(["", "", " ", "#"]).encode(encoding) + text.encode(encoding) +
               rng.choice(["", "", " "]).encode(encoding))


def name(rng, banned):
    rdns, used = [], [*KEYWORDS] * 3 + [*MORE] + UNKNOWN
    for _ in range(rng.randint(1, 7)):
        pairs = [der(0x30, oid(rng.choice(used)), value(rng, banned)) for _ in range(rng.choice([1, 1, 1, 2, 3]))]
        rdns.append(der(0x31, *pairs))  # as they come: DER's order of a SET is not everybody's
    return der(0x30, *rdns)


TOKEN_CA = der(0x30, der(0x31, der(0x30, oid("2.5.4.10"), der(0x13, b"Cisco Systems"))),
               der(0x31, der(0x30, oid("2.5.4.3"), der(0x13, b"Cisco Manufacturing CA"))))


def certificate(rng, path, number, key, banned, issuer=None):
    algorithm = der(0x30, oid("1.2.840.113549.1.1.11"), der(5))
    dates = der(0x30, der(0x17, b"140605120000Z"), der(0x17, b"340604120000Z"))
    tbs = der(0x30, der(0xa0, der(2, b"\2")), der(2, (0x100 + number).to_bytes(2, "big")), algorithm,
              issuer or name(rng, banned), dates, name(rng, banned), key)
    path.write_bytes(der(0x30, tbs, algorithm, der(3, b"\0", bytes(128))))
    return path


def attributes(text):
    """[(dotted type, escaped value)] of what OpenSSL wrote, certificate order, RDNs flattened."""
    parts = re.split(r"(?<!\\)((?:\\\\)*)[,+]", text)  # an escaped backslash in front escapes nothing
    joined = [a + b for a, b in zip(parts[::2], parts[1::2] + [""])]
    return [tuple(part.split("=", 1)) for part in joined]


def openssl_names(path):
    said = openssl("x509", "-inform", "DER", "-in", path, "-noout", "-subject", "-issuer", "-nameopt",
                   "esc_2253,utf8,oid,sep_comma_plus,dump_nostr,dump_der").decode("utf-8").split("\n")
    found = {line.split("=", 1)[0]: attributes(line.split("=", 1)[1]) for line in said if line}
    return found["subject"], found["issuer"]


def plain(escaped):
    """The value itself; what is no text stays '#' and hex, in lower case here."""
    if re.fullmatch(r"#([0-9A-F]{2})+", escaped):
        return escaped.lower()
    return re.sub(r"\\(.)", r"\1", escaped, flags=re.S)


def keyword(dotted):
    return KEYWORDS.get(dotted) or MORE.get(dotted) or dotted


def rfc4514(pairs):
    def written(v):
        # A '#' alone is one in front, too (RFC 4514, 2.4); OpenSSL leaves it as it is.
        return r"\#" if v == "#" else plain(v) if re.fullmatch(r"#([0-9A-F]{2})+", v) else v
    return ",".join(f"{KEYWORDS.get(t, t)}={written(v)}" for t, v in pairs)


def cucm(pairs):
    named = [(keyword(t), plain(v)) for t, v in pairs]
    return ";".join("=".join(pair) for wanted in CUCM_ORDER for pair in named if pair[0] == wanted)


def token(pairs):
    """cn, ou, o first; ends before the first comma inside a value, its closing quote lost."""
    named = [(keyword(t), plain(v)) for t, v in pairs]
    ordered = [pair for wanted in CUCM_ORDER for pair in named if pair[0] == wanted]
    out = []
    for key, text in [*ordered, *(p for p in named if p[0] not in CUCM_ORDER)]:
        quote = '"' if text[:1] == " " or text[-1:] == " " or "," in text else ""
        if "," in text:
            out.append(f"{key.lower()}={quote}{text.split(',')[0]}")
            break
        out.append(f"{key.lower()}={quote}{text}{quote}")
    return ";".join(out)


STYLES = {"rfc4514": (rfc4514, "", None, "--ccm"), "cucm": (cucm, ";", None, "--ccm"),
          "ctl-client": (token, ";", TOKEN_CA, "--sast")}


@pytest.mark.parametrize("style", STYLES)
def test_every_name_is_what_openssl_reads(ctlsign, cluster, tmp_path, style):
    render, banned, issuer, role = STYLES[style]
    rng = random.Random(f"names-{style}")
    key = load(cluster / "capf.pem").public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    made = [certificate(rng, tmp_path / f"{n:03}.der", n, key, banned, issuer) for n in range(CERTIFICATES)]
    out, words = tmp_path / "CTLFile.tlv", []
    for path in made:
        words += [role, f"{path}" + ("" if issuer else ",name=n")]
    ctlsign.ok("build", "-o", out, "--style", style, *lists.key(cluster, "tokenless"), "--sast",
               f"{cluster}/pub.pem,name=n", *words, "--timestamp", lists.TIME, "--allow-large")
    records = peerlist.parse(out.read_bytes())["records"][1:]
    assert len(records) == CERTIFICATES
    wrong, seen = [], set()
    for path, record in zip(made, records):
        subject, issuer_name = openssl_names(path)
        seen.add(len(subject))
        for ours, theirs in ((record["subject"], render(subject)), (record["issuer"], render(issuer_name))):
            if ours != theirs:
                wrong.append(f"{path.name}:\n  ours   {ours!r}\n  theirs {theirs!r}")
    assert not wrong, "\n".join(wrong[:5])
    assert len(seen) > 3  # short ones and long ones
    # What is written is found again in the certificate: verify says of no record that it disagrees.
    run = ctlsign("verify", "--trust", "self", out)
    assert "is not its certificate's" not in run.out, str(run)
