# SPDX-License-Identifier: Apache-2.0
"""What the verbs that write lists print with --json, held against the files themselves."""
import hashlib
import json

import lists
import peerlist

TIME = 1426000000


def facts(path):
    data = path.read_bytes()
    return {"length": len(data), "md5": hashlib.md5(data).hexdigest(),
            "sha1": hashlib.sha1(data).hexdigest(), "records": len(peerlist.parse(data)["records"])}


def told(answer):
    return {key: answer[key] for key in ("length", "md5", "sha1", "records")}


def make(ctlsign, cluster, out, *more):
    return ctlsign.ok("build", "-o", out, "-m", lists.manifest(cluster), "--timestamp", TIME,
                      "--filename", "CTLFile.tlv", *more)


def test_build_and_update(ctlsign, cluster, tmp_path):
    out, new = tmp_path / "CTLFile.tlv", tmp_path / "new.tlv"
    answer = json.loads(make(ctlsign, cluster, out, "--json").out)
    assert told(answer) == facts(out) and answer["file"] == str(out)
    assert answer["signer"].startswith("CN=cucm-1051-a-pub;")
    run = ctlsign.ok("update", out, "-o", new, "-k", cluster / "pub.key", "--remove", "role=CAPF",
                     "--json")
    assert told(json.loads(run.out)) == facts(new)


def test_a_dry_run(ctlsign, cluster, tmp_path):
    out = tmp_path / "CTLFile.tlv"
    make(ctlsign, cluster, out)
    answer = json.loads(ctlsign.ok("update", out, "-n", "-k", cluster / "pub.key", "--remove",
                                   "role=CAPF", "--json").out)
    assert answer["phones"] == {word: {"accepted": True, "reason": "signer-is-sast"}
                                for word in ("sbd", "no-sbd")}
    assert answer["changes"]["counts"]["removed"] == 1
    refused = ctlsign("update", out, "-n", "-k", cluster / "pub-regenerated.key", "--cert",
                      cluster / "pub-regenerated.pem", "--replace",
                      cluster / "pub-regenerated.pem", "--trust", cluster / "pub.pem", "--json")
    assert refused.status == 1
    assert not json.loads(refused.out)["phones"]["no-sbd"]["accepted"]


def test_extract(ctlsign, cluster, tmp_path):
    out = tmp_path / "CTLFile.tlv"
    make(ctlsign, cluster, out)
    answer = json.loads(ctlsign.ok("extract", out, "-o", tmp_path / "x", "--json").out)
    assert answer == {"version": 2, "manifest": str(tmp_path / "x" / "cluster.yaml"), "records": 4, "verified": False}


def test_migrate(ctlsign, cluster, tmp_path):
    out, folder = tmp_path / "CTLFile.tlv", tmp_path / "migration"
    make(ctlsign, cluster, out)
    answer = json.loads(ctlsign.ok(
        "migrate", "to-tokens", "--release", "10.5", "-k", cluster / "SAST-ADN008580ef.key", "--cert",
        cluster / "SAST-ADN008580ef.pem", "--sast", cluster / "SAST-ADN0054f509.pem",
        "--unproven-sast", "--old-key", cluster / "pub.key", "-o", folder, out, "--json").out)
    assert [one["file"] for one in answer["lists"]] == [
        "1-bridge/CTLFile.tlv", "2-final/CTLFile.tlv", "way-back/CTLFile.tlv"]
    for one in answer["lists"]:
        assert told(one) == facts(folder / one["file"])
    assert answer["plan"]["steps"]
