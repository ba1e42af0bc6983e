# SPDX-License-Identifier: Apache-2.0
"""Options that take one certificate, and files that hold several: a chain says which is meant, a collection does not."""
import itertools
import json
import subprocess

import lists
import pytest
from conftest import make_certificate

ROOT, CA, LEAF = ([("COMMON_NAME", name)] for name in ("Corp Root", "Corp Issuing CA", "cucm-1051-a-pub"))


@pytest.fixture
def chain(cluster, tmp_path):
    """The publisher's certificate as a CA issued it, that CA, and its root: leaf, ca, root, and others beside them."""
    made = {"leaf": make_certificate(tmp_path / "leaf.pem", cluster / "pub.key", LEAF, issuer=CA, issuer_key=cluster / "capf.key"),
            "ca": make_certificate(tmp_path / "ca.pem", cluster / "capf.key", CA, issuer=ROOT, issuer_key=cluster / "sub1.key", ca=True),
            "root": make_certificate(tmp_path / "root.pem", cluster / "sub1.key", ROOT, ca=True),
            # Another node's, of the same CA; and one whose issuer is the CA in name only.
            "other": make_certificate(tmp_path / "other.pem", cluster / "sub1.key", [("COMMON_NAME", "sub1")], issuer=CA,
                                      issuer_key=cluster / "capf.key"),
            "forged": make_certificate(tmp_path / "forged.pem", cluster / "pub.key", LEAF, issuer=CA, issuer_key=cluster / "sub1.key")}
    return made


def pem(chain, tmp_path, names):
    path = tmp_path / f"{'-'.join(names)}.pem"
    path.write_bytes(b"".join(chain[name].read_bytes() for name in names))
    return path


def pkcs7(chain, tmp_path, names, form):
    path = tmp_path / f"{'-'.join(names)}.{form}.p7b"
    named = [word for name in names for word in ("-certfile", chain[name])]
    subprocess.run(["openssl", "crl2pkcs7", "-nocrl", *named, "-outform", form, "-out", path], check=True)
    return path


def build(cluster, out, *records):
    return ["build", "-o", out, "--sast", f"{cluster}/pub.pem,name=p", *records, *lists.key(cluster, "tokenless"),
            "--timestamp", lists.TIME]


def test_a_certificate_with_its_cas_is_that_certificate(ctlsign, cluster, tmp_path, chain):
    """In any order, with or without the root, in PEM and in PKCS#7."""
    out = tmp_path / "CTLFile.tlv"
    ctlsign.ok(*build(cluster, out, "--capf", f"{chain['leaf']},name=n"))
    meant = out.read_bytes()
    out.unlink()
    files = [pem(chain, tmp_path, names) for names in itertools.permutations(("leaf", "ca", "root"))]
    files += [pem(chain, tmp_path, names) for names in (("leaf", "ca"), ("ca", "leaf"), ("leaf", "leaf", "ca"), ("leaf", "leaf"))]
    files += [pkcs7(chain, tmp_path, ("root", "leaf", "ca"), form) for form in ("PEM", "DER")]
    for path in files:
        run = ctlsign.ok(*build(cluster, out, "--capf", f"{path},name=n"))
        assert out.read_bytes() == meant and "certificates" not in run.err, str(run)
        out.unlink()


COLLECTIONS = [("leaf", "other"), ("leaf", "other", "ca"), ("leaf", "root"), ("forged", "ca"), ("ca", "forged"), ("other", "root")]


@pytest.mark.parametrize("names", COLLECTIONS, ids="-".join)
@pytest.mark.parametrize("form", ["pem", "PEM", "DER"])
def test_of_a_collection_none_is_taken(ctlsign, cluster, tmp_path, chain, names, form):
    path = pem(chain, tmp_path, names) if form == "pem" else pkcs7(chain, tmp_path, names, form)
    out = tmp_path / "CTLFile.tlv"
    run = ctlsign.refused(5, *build(cluster, out, "--capf", f"{path},name=n"),
                          says=[f"{path}: {len(names)} different certificates in this file", "a file of its own"])
    shown = {"leaf": "cucm-1051-a-pub", "other": "sub1", "ca": "Corp Issuing CA", "root": "Corp Root", "forged": "cucm-1051-a-pub"}
    assert sorted(line.split(": ")[1] for line in run.err.splitlines()[-len(names):]) == sorted(shown[name] for name in names)
    assert not out.exists()


def test_more_than_anybody_s_chain(ctlsign, cluster, tmp_path, chain):
    """The time that a file takes is bounded: it is not looked for a chain among so many."""
    many = {str(n): make_certificate(tmp_path / f"{n}.pem", cluster / "sub1.key", ROOT, serial=n + 1, ca=True) for n in range(7)}
    chain = {**chain, **many}
    out = tmp_path / "CTLFile.tlv"
    ctlsign.ok(*build(cluster, out, "--capf", f"{pem(chain, tmp_path, ('leaf', 'ca', *list(many)[:6]))},name=n"))
    out.unlink()
    ctlsign.refused(5, *build(cluster, out, "--capf", f"{pem(chain, tmp_path, ('leaf', 'ca', *many))},name=n"),
                    says="9 different certificates")
    assert not out.exists()


def test_every_option_that_takes_one(ctlsign, cluster, tmp_path, chain):
    old, out, config = tmp_path / "old.tlv", tmp_path / "new.tlv", tmp_path / "SEP001122334455.cnf.xml"
    lists.build(ctlsign, cluster, "tokenless", old)
    config.write_bytes(b"<device/>")
    key = lists.key(cluster, "tokenless")
    good, bad = pem(chain, tmp_path, ("ca", "leaf", "root")), pem(chain, tmp_path, ("leaf", "other"))
    manifest = tmp_path / "cluster.yaml"
    manifest.write_text(f"records:\n  - {{role: SAST, cert: {cluster}/pub.pem, name: p}}\n"
                        f"  - {{role: CAPF, cert: {bad}, name: n}}\n")
    (tmp_path / "key.pem").write_bytes((cluster / "pub.key").read_bytes() + bad.read_bytes())
    (tmp_path / "key.pem").chmod(0o600)
    for words in (["update", old, "-o", out, "--replace", f"#3={bad}", *key],
                  ["update", old, "-o", out, "--add", f"TFTP={bad},name=n,address=10.1.2.3", *key],
                  ["update", old, "-o", out, "-k", cluster / "pub.key", "--cert", bad],
                  ["build", "-o", out, "--sast", f"{cluster}/pub.pem,name=p", "-k", tmp_path / "key.pem"],
                  ["build", "-o", out, "-m", manifest, *key], ["verify", "--trust", bad, old],
                  ["migrate", "to-tokens", "-o", tmp_path / "moved", "--release", "10.5", "--sast", bad, "--trust", cluster / "pub.pem",
                   *lists.key(cluster, "tokens"), old],
                  ["config", "sign", "-k", cluster / "pub.key", "--cert", bad, config],
                  ["config", "encrypt", "--for", bad, *key, config], ["config", "verify", "--cert", bad, config]):
        before = sorted(p.name for p in tmp_path.iterdir())
        ctlsign.refused(5, *words, says="2 different certificates in this file")
        assert sorted(p.name for p in tmp_path.iterdir()) == before
    # The same ones take a chain.
    ctlsign.ok("update", old, "-o", out, "--replace", f"#3={good}", *key)
    assert json.loads(ctlsign.ok("show", "--json", out).out)["records"][2]["subject"] == "CN=cucm-1051-a-pub"
    ctlsign.ok("config", "sign", "-k", cluster / "pub.key", "--cert", good, config)
    ctlsign.ok("config", "verify", "--cert", good, f"{config}.sgn")


def test_a_folder_of_trust_passes_a_collection_over(ctlsign, cluster, tmp_path, chain):
    folder = tmp_path / "uploads"
    folder.mkdir()
    (folder / "both.pem").write_bytes(pem(chain, tmp_path, ("leaf", "other")).read_bytes())
    old = tmp_path / "old.tlv"
    lists.build(ctlsign, cluster, "tokenless", old)
    run = ctlsign("accept", "--installed", old, "--sast-trust", folder, old)
    assert f"warning: {folder}/both.pem: 2 different certificates" in run.err, str(run)
