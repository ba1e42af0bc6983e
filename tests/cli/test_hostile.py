# SPDX-License-Identifier: Apache-2.0
"""Other people's text in what the program says: it begins no line, and drives no terminal.

One name has everything: line breaks of every kind with blanks behind them, as a line of the program's own would
have, escapes, characters that turn text. EVIL stands where a new line would begin.
"""
import datetime
import json
import re
import shutil

import lists
import pytest
from conftest import DATA
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID
from token_helpers import add_token

BREAKS = ["\n  ", "\n", "\r  ", "\r\n", "\v", "\f", "\u0085", "\u2028  ", "\u2029", "\x1b[1G", "\x1b[2K\r", "\u009b1G", "\x1bE", "\x1bD", "\b" * 9]
EVIL = "a" + "".join(f"{b}EVIL" for b in BREAKS) + "\u202eb\u2066c"
LINE = re.compile("[\n\r\v\f\x1c-\x1e\u0085\u2028\u2029]")


def harmless(run):
    for text in (run.out, run.err):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", text), f"{text!r}"
        # A plan's words wrap, far to the right of where its own lines begin.
        assert not any(re.match(" {0,5}EVIL", line) for line in LINE.split(text)), f"{text!r}"
    return run


KEY = ["-k", "{key}", "--cert", "{cert}"]
COMMANDS = [
    ["show", "{x}"], ["show", "--json", "{x}"], ["verify", "{x}"], ["verify", "--trust", "{x}", "{list}"],
    ["verify", "--json", "{x}"], ["extract", "{x}", "-o", "{out}"], ["extract", "{list}", "-o", "{x}/y"],
    ["update", "{x}", "-o", "{out}", *KEY], ["update", "{list}", "-o", "{x}/y", *KEY, "--trust", "{cert}"],
    ["update", "{list}", "-n", "-k", "{x}"], ["update", "{list}", "-n", "-k", "{key}", "--cert", "{x}"],
    ["update", "{list}", "-n", *KEY, "--add", "CAPF={x}"], ["update", "{list}", "-n", *KEY, "--remove", "name={x}"],
    ["update", "{list}", "-n", *KEY, "--replace", "{x}"], ["update", "{list}", "-n", *KEY, "--set", "#1,name={x}"],
    ["update", "{list}", "-n", *KEY, "--certs", "{x}"], ["update", "{list}", "-n", *KEY, "--digest", "{x}"],
    ["diff", "{x}", "{list}"], ["diff", "{list}", "{x}"], ["diff", "--json", "{x}", "{x}"],
    ["accept", "--installed", "{x}", "{list}"], ["accept", "--installed", "none", "{x}"],
    ["accept", "--installed", "{list}", "--sast-trust", "{x}", "{list}"],
    ["accept", "--installed", "{list}", "--tvs-ctl", "{x}", "{list}"], ["accept", "--installed-dir", "{x}", "{list}"],
    ["plan", "{x}", "{list}", "--release", "12.5"], ["plan", "{list}", "{x}", "--release", "12.5"],
    ["plan", "{list}", "{list}", "--release", "{x}"], ["plan", "{list}", "{list}", "--release", "12.5", "--html", "{x}/y"],
    ["migrate", "to-tokens", "{x}", "-o", "{out}", *KEY], ["migrate", "to-tokens", "{list}", "-o", "{out}", *KEY, "--sast", "{x}"],
    ["migrate", "to-tokens", "{list}", "-o", "{out}", *KEY, "--old-key", "{x}"], ["migrate", "{x}", "{list}", *KEY],
    ["identify", "00000000", "{x}"], ["identify", "{x}", "{list}"], ["expiry", "{x}"], ["expiry", "--format", "syslog", "{x}"],
    ["expiry", "--format", "prometheus", "{x}"], ["expiry", "--format", "json", "{x}"], ["expiry", "--within", "{x}", "{list}"],
    ["export", "--from", "{x}", "-o", "{out}"], ["export", "-o", "{out}", "pkcs11:token={x}"], ["tokens", "pkcs11:token={x}"],
    ["tokens", "--module", "/{x}", "pkcs11:"], ["build", "-o", "{out}", "-k", "pkcs11:token={x}", "--sast", "{cert}"],
    ["build", "-o", "{out}", *KEY, "--sast", "{x}"], ["build", "-m", "{x}", "-o", "{out}"], ["build", "-o", "{x}/y", *KEY, "--sast", "{cert},name=a"],
    ["build", "-o", "{out}", *KEY, "--sast", "{cert},name={x}"], ["build", "-o", "{out}", *KEY, "--sast", "{cert},name=a,address={x}"],
    ["build", "-o", "{out}", *KEY, "--sast", "{cert},name=a", "--filename", "{x}"], ["build", "-o", "{out}", *KEY, "--style", "{x}"],
    ["build", "-o", "{out}", *KEY, "--pin-source", "file:{x}"], ["build", "-o", "{out}", *KEY, "--pin-source", "{x}"],
    ["build", "-o", "{out}", *KEY, "--mode", "{x}"], ["build", "-o", "{out}", *KEY, "--timestamp", "{x}"],
    ["config", "sign", *KEY, "{x}"], ["config", "verify", "--cert", "{cert}", "{x}"], ["config", "verify", "--cert", "{x}", "{list}"],
    ["config", "strip", "{x}"], ["config", "strip", "{x}.sgn"], ["config", "sign", *KEY, "--files-from", "{x}"],
    ["config", "sign", *KEY, "--json", "{x}"], ["config", "{x}", "{list}"], ["{x}"], ["help", "{x}"], ["show", "--{x}"],
    ["show", "-{x}"], ["show", "{list}", "{x}"], ["config", "sign", *KEY, "--root", "{x}", "-o", "{out}", "{list}"],
    ["doctor", "--module", "/{x}"],
]


def put(state, path, good):
    if state == "garbage":
        path.write_bytes(b"garbage\n  EVIL\n" * 9)
    elif state == "list":
        shutil.copy(good, path)
    elif state == "folder":
        path.mkdir()
        (path / "a\n  EVIL.pem").write_bytes(b"garbage")
        shutil.copy(good, path / "b\n  EVIL.tlv")
    elif state == "cut":
        path.write_bytes(good.read_bytes()[:700])


@pytest.mark.parametrize("state", ["missing", "garbage", "list", "cut", "folder"])
def test_a_file_s_name_is_never_a_line(ctlsign, cluster, tmp_path, state):
    good = tmp_path / "CTLFile.tlv"
    lists.build(ctlsign, cluster, "tokenless", good)
    place = tmp_path / "place"
    said = 0
    for words in COMMANDS:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        put(state, place / EVIL, good)
        run = harmless(ctlsign(*(word.format(x=EVIL, list=good, out="out", key=cluster / "pub.key", cert=cluster / "pub.pem")
                                 for word in words), cwd=place))
        said += "EVIL" in run.err + run.out
    # The name is told, escaped, wherever it matters.
    assert said > len(COMMANDS) / 2


YAML = '"' + EVIL.encode("unicode_escape").decode().replace("\\x1b", "\\e").replace("\\x08", "\\b") + '"'


@pytest.mark.parametrize("line, new", [
    ("file: CTLFile.tlv", "file: {}"), ("style: cucm", "style: {}"), ("mode: mixed", "mode: {}"), ("digest: sha1", "digest: {}"),
    ("key: pub.key", "key: {}"), ("cert: pub.pem\nrecords", "cert: {}\nrecords"), ("mode: mixed", "{}: mixed"),
    ("key: pub.key", "key: 'pkcs11:token=x;pin-value=x'\n{}: x"), ("role: SAST", "role: {}"), ("name: cucm-1051-a-sub1", "name: {}"),
    ("cert: capf.pem", "cert: {}"), ("address: 10.48.47.154", "address: {}"), ("role: CAPF", "{}: x, role: CAPF"),
    ("cert: capf.pem", "cert: {}.pem")])
def test_a_manifest_s_value_is_never_a_line(ctlsign, cluster, tmp_path, line, new):
    lists.manifest(cluster)
    path = cluster / "cluster.yaml"
    text = path.read_text()
    assert line in text
    path.write_text(text.replace(line, new.format(YAML), 1))
    run = harmless(ctlsign("build", "-m", path, "-o", tmp_path / "CTLFile.tlv", "--timestamp", lists.TIME))
    if run.status == 0:
        look_at(ctlsign, tmp_path / "CTLFile.tlv", cluster)
    else:
        assert run.status in (2, 3) and "cluster.yaml:" in run.err or "EVIL" in run.err, str(run)


def look_at(ctlsign, path, cluster):
    """Every verb that tells of a list."""
    other = DATA / "lists" / "cucm.tlv"
    for words in (["show", path], ["show", "--json", path], ["verify", path], ["verify", "--trust", "self", path], ["diff", path, other],
                  ["diff", other, path], ["accept", "--installed", path, other], ["accept", "--installed", other, path],
                  ["plan", path, other, "--release", "12.5"], ["plan", other, path, "--release", "12.5"], ["expiry", path],
                  ["expiry", "--within", "20000d", path], ["expiry", "--format", "syslog", "--within", "20000d", path],
                  ["expiry", "--format", "prometheus", path], ["identify", "00000000", path],
                  ["extract", path, "-o", path.parent / "taken"], ["export", "--from", path, "-o", path.parent / "up"],
                  ["update", path, "-n", "-k", cluster / "pub.key", "--cert", cluster / "pub.pem"]):
        harmless(ctlsign(*words))


def test_a_list_s_text_is_never_a_line(ctlsign, cluster, tmp_path):
    out = tmp_path / "CTLFile.tlv"
    manifest = cluster / "evil.yaml"
    for name in (EVIL, "a\n  EVIL", "\n  EVIL"):
        manifest.write_text(f"file: {json.dumps(name)}\nrecords:\n  - {{role: SAST, cert: pub.pem, name: {json.dumps(name)}}}\n")
        words = [*lists.key(cluster, "tokenless"), "--timestamp", lists.TIME, "-o", out]
        harmless(ctlsign.refused(2, "build", "--sast", f"{cluster}/pub.pem,name=a", "--filename", name, *words))
        harmless(ctlsign.refused(2, "build", "--sast", f"{cluster}/pub.pem,name={name}", *words))
        harmless(ctlsign.ok("build", "-m", manifest, *words))
        assert b"EVIL" in out.read_bytes()
        look_at(ctlsign, out, cluster)
        out.unlink()


def hostile_certificate(path, key):
    """A certificate whose names break lines; its key is the cluster's."""
    private = serialization.load_pem_private_key(key.read_bytes(), None)
    text = "b\n  EVIL\x1b[1GEVIL\u0085EVIL\u2028EVIL"
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text), x509.NameAttribute(NameOID.ORGANIZATION_NAME, text)])
    cert = x509.CertificateBuilder(name, name, private.public_key(), 5, datetime.datetime(2014, 1, 1), datetime.datetime(2034, 1, 1))
    path.write_bytes(cert.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return path


def test_a_certificate_s_name_is_never_a_line(ctlsign, cluster, tmp_path):
    cert = hostile_certificate(tmp_path / "evil.pem", cluster / "pub.key")
    out = tmp_path / "CTLFile.tlv"
    words = ["build", "-o", out, "--sast", f"{cert},name=n", "-k", cluster / "pub.key", "--cert", cert, "--timestamp", lists.TIME]
    harmless(ctlsign.ok(*words, "--style", "rfc4514"))
    harmless(ctlsign(*words))
    look_at(ctlsign, out, cluster)
    harmless(ctlsign("accept", "--installed", DATA / "lists" / "cucm.tlv", "--sast-trust", tmp_path, out))
    harmless(ctlsign("config", "sign", "-k", cluster / "pub.key", "--cert", cert, cert))
    harmless(ctlsign("config", "verify", "--cert", cert, f"{cert}.sgn"))


def test_a_token_s_label_is_never_a_line(ctlsign, lab, tmp_path):
    add_token(lab, "t\n  EVIL\x1b[1GEVIL")
    key = ["--module", lab.module]
    out = ["-o", tmp_path / "x.tlv"]
    assert "EVIL" in harmless(ctlsign("tokens", *key, env=lab.env)).out
    for words in (["tokens", "--json", *key], ["build", *out, *key, "-k", "pkcs11:manufacturer=SoftHSM%20project"],
                  ["build", *out, *key, "-k", "pkcs11:token=t%0a%20%20EVIL%1b%5b1GEVIL", "--pin-source", "env:NONE"],
                  ["export", "-o", tmp_path, *key, "pkcs11:token=t%0a%20%20EVIL%1b%5b1GEVIL"], ["doctor", *key]):
        harmless(ctlsign(*words, env=lab.env))
