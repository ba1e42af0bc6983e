# SPDX-License-Identifier: Apache-2.0
"""The vendor's story of document 118893: a tokenless cluster takes tokens, and comes back.

Every length is one that the vendor prints. Tokens are SoftHSM's, behind a
module that counts logins and signatures.
"""
import shutil
import subprocess

import lists
import peerlist
import pytest
from conftest import openssl
from lists import TIME
from token_helpers import ONE, TWO, fault  # noqa: F401  (a fixture)

WITHOUT_TVS = ("--no-tvs",)
BY_NAME = ["cucm-1051-a-pub", "cucm-1051-a-pub", "cucm-1051-a-pub", "cucm-1051-a-sub1"]


class Story:
    """The lists as they come to be, each a little later than the one before."""

    def __init__(self, ctlsign, cluster, token, folder):
        self.ctlsign, self.cluster, self.token, self.folder = ctlsign, cluster, token, folder
        self.time = TIME
        self.tokenless = folder / "CTLFile.tlv"
        lists.build(ctlsign, cluster, "tokenless", self.tokenless)
        self.proofs = folder / "proofs"
        uris = [f"pkcs11:token={label}?pin-source=file:{token.lab.pin_file}" for label in (ONE, TWO)]
        ctlsign.ok("export", "--prove", "-o", self.proofs, *uris, "--module", token.key()[3],
                   env=token.env)

    def later(self):
        self.time += 60
        return ["--timestamp", self.time]

    def server(self, name="pub"):
        return ["-k", self.cluster / f"{name}.key", "--cert", self.cluster / f"{name}.pem"]

    def migrate_words(self, direction, folder, old, *words):
        trust = [word for name in ("pub", ONE, TWO) for word in ("--trust", self.cluster / f"{name}.pem")]
        return ["migrate", direction, "--release", "10.5", "-o", folder, old, *trust, *self.later(), *words]

    def migrate(self, direction, folder, old, *words):
        self.ctlsign.ok(*self.migrate_words(direction, folder, old, *words), env=self.token.env)
        self.check_sums(folder)
        return folder

    def to_tokens(self, folder, *words):
        return self.migrate("to-tokens", folder, self.tokenless, *self.token.key(TWO), "--sast",
                            self.proofs / f"{ONE}.cer", *words)

    @staticmethod
    def check_sums(folder):
        run = subprocess.run(["sha256sum", "-c", "--strict", "--quiet", "SHA256SUMS"], cwd=folder,
                             stdin=subprocess.DEVNULL, capture_output=True, check=False)
        assert run.returncode == 0 and run.stdout == b"", run

    def verdict(self, installed, new, *words):
        run = self.ctlsign("accept", "--installed", installed, *words, new)
        assert run.status in (0, 1) and (run.status == 0) == run.out.startswith("accepted: "), str(run)
        return run.out.splitlines()[0]

    def all_take(self, installed, new):
        """Phones with Security by Default and without take it, and none has to ask TVS."""
        for words in ((), WITHOUT_TVS):
            assert self.verdict(installed, new, *words) == "accepted: signer-is-sast"


@pytest.fixture
def story(ctlsign, cluster, fault, tmp_path):
    folder = tmp_path / "story"
    folder.mkdir()
    s = Story(ctlsign, cluster, fault(), folder)
    s.token.forget()
    return s


def raw(path):
    return [r["raw"] for r in peerlist.parse(path.read_bytes())["records"]]


def verified(path, cert):
    return peerlist.openssl_verify(path.read_bytes(), cert)


def sizes(path):
    parsed = peerlist.parse(path.read_bytes())
    return (parsed["header"]["header_length"], [r["length"] for r in parsed["records"]],
            path.stat().st_size)


def test_the_story(story, ctlsign, cluster):
    """Without the old key: one step, through TVS."""
    assert sizes(story.tokenless) == lists.LENGTHS["tokenless"]
    servers = raw(story.tokenless)[1:]

    # Nobody said that phones without Security by Default may be locked out: no PIN, no signature.
    words = [*story.token.key(TWO), "--sast", story.proofs / f"{ONE}.cer"]
    ctlsign.refused(1, *story.migrate_words("to-tokens", story.folder / "no", story.tokenless, *words),
                    env=story.token.env, says=["without Security by Default", "signer-unknown",
                                               "--accept-lockout no-sbd"])
    assert story.token.logins == 0 and story.token.calls("C_Sign") == 0
    assert not (story.folder / "no").exists()

    # Server records kept: 6131 bytes.
    taken = story.to_tokens(story.folder / "tokens", "--accept-lockout", "no-sbd")
    new = taken / "CTLFile.tlv"
    assert sizes(new) == (304, [1186, 1186, 1156, 1138, 1161], 6131)
    assert raw(new)[2:] == servers
    assert story.token.logins == 1 and story.token.calls("C_Sign") == 2  # the list and the way back
    subjects = [r["subject"] for r in peerlist.parse(new.read_bytes())["records"][:2]]
    assert TWO in subjects[0] and ONE in subjects[1]
    assert verified(new, cluster / f"{TWO}.pem")
    uploads = taken / "Phone-SAST-trust"
    assert {p.name: p.read_bytes() for p in uploads.iterdir()} == {
        f"{t}.cer": openssl("x509", "-in", cluster / f"{t}.pem", "-outform", "DER") for t in (ONE, TWO)}

    # What phones do with it.
    assert story.verdict(story.tokenless, new, "--sast-trust", uploads).startswith("accepted: tvs")
    assert story.verdict(story.tokenless, new) == "refused: signer-unknown"
    assert story.verdict(story.tokenless, new, *WITHOUT_TVS) == "refused: signer-unknown"
    assert story.verdict(story.tokenless, new, "--no-tvs", "--sast-trust", uploads) \
        == "refused: signer-unknown"
    way_back = taken / "way-back" / "CTLFile.tlv"
    story.all_take(new, way_back)
    story.all_take(way_back, story.tokenless)
    assert story.verdict(new, story.tokenless, *WITHOUT_TVS) == "refused: signer-not-sast"

    # In the CTL Client's own style: 5728 bytes.
    client = story.to_tokens(story.folder / "client", "--accept-lockout", "no-sbd", "--style",
                             "ctl-client") / "CTLFile.tlv"
    assert client.stat().st_size == 5728
    assert sorted(sizes(client)[1]) == sorted([1186, 1022, 1004, 1026, 1186])
    assert {r["dns_name"] for r in peerlist.parse(client.read_bytes())["records"]} \
        == {"", lists.PUB, lists.SUB}
    assert story.verdict(story.tokenless, client, "--sast-trust", uploads).startswith("accepted: tvs")

    # The second token signs an update; phones take it as they hold both.
    second = story.folder / "second.tlv"
    ctlsign.ok("update", client, "-o", second, *story.token.key(ONE), *story.later(),
               "--trust", cluster / f"{TWO}.pem", env=story.token.env)
    assert verified(second, cluster / f"{ONE}.pem") and raw(second) == raw(client)
    story.all_take(client, second)

    # Back to tokenless: 4947 bytes, host names recovered from addresses and certificates.
    ctlsign.refused(1, *story.migrate_words("to-tokenless", story.folder / "no", second,
                                            *story.server(), "--style", "cucm"),
                    says="--accept-lockout no-sbd")
    back = story.migrate("to-tokenless", story.folder / "back", second, *story.server(), "--style",
                         "cucm", "--accept-lockout", "no-sbd")
    again = back / "CTLFile.tlv"
    assert sizes(again) == lists.LENGTHS["tokenless"] and raw(again) == raw(story.tokenless)
    assert [r["dns_name"] for r in peerlist.parse(again.read_bytes())["records"]] == BY_NAME
    assert story.verdict(second, again, "--sast-trust", back / "Phone-SAST-trust") \
        .startswith("accepted: tvs")
    assert story.verdict(second, again, *WITHOUT_TVS) == "refused: signer-not-sast"
    story.all_take(again, back / "way-back" / "CTLFile.tlv")

    # The publisher's certificate is renewed, with 2048 bits: 6113 bytes, and only TVS vouches.
    trust = story.folder / "trust"
    trust.mkdir()
    renew = ["update", again, "-o", story.folder / "renewed.tlv", *story.server("pub-regenerated"),
             "--replace", cluster / "pub-regenerated.pem", "--drop-old-sast", *story.later(),
             "--trust", cluster / "pub.pem"]
    ctlsign.refused(1, *renew, says="signer-unknown")
    shutil.copy(cluster / "pub-regenerated.pem", trust)
    ctlsign.refused(1, *renew, "--sast-trust", trust, says="--accept-lockout no-sbd")
    ctlsign.ok(*renew, "--sast-trust", trust, "--accept-lockout", "no-sbd")
    assert sizes(story.folder / "renewed.tlv") == lists.LENGTHS["regenerated"]
    assert story.verdict(again, story.folder / "renewed.tlv", "--sast-trust", trust) \
        .startswith("accepted: tvs")
    assert story.verdict(again, story.folder / "renewed.tlv").endswith("the signer's certificate is the cluster's own)")
    assert story.verdict(again, story.folder / "renewed.tlv", "--strict").startswith("refused: tvs")
    assert story.verdict(again, story.folder / "renewed.tlv", *WITHOUT_TVS) == "refused: signer-unknown"


def test_the_story_with_the_old_key(story, cluster):
    """With the old key: a bridge, and no phone has to ask anybody on the way there or back."""
    there = story.to_tokens(story.folder / "there", "--old-key", story.cluster / "pub.key")
    bridge, final, way_back = (there / f"{name}/CTLFile.tlv" for name in
                               ("1-bridge", "2-final", "way-back"))
    assert not (there / "CTLFile.tlv").exists()
    assert final.stat().st_size == 6131 and raw(final)[2:] == raw(story.tokenless)[1:]
    assert raw(bridge)[:4] == raw(story.tokenless) and len(raw(bridge)) == 6
    assert verified(bridge, cluster / "pub.pem") and verified(final, cluster / f"{TWO}.pem")
    story.all_take(story.tokenless, bridge)
    story.all_take(bridge, final)
    for held in (bridge, final):
        story.all_take(held, way_back)
    story.all_take(way_back, story.tokenless)
    assert story.token.logins == 1 and story.token.calls("C_Sign") == 2

    # And back: the token is the old key now.
    back = story.migrate("to-tokenless", story.folder / "back", final, *story.server(), "--style",
                         "cucm", "--old-key", *story.token.key(TWO)[1:])
    bridge, again, way_back = (back / f"{name}/CTLFile.tlv" for name in
                               ("1-bridge", "2-final", "way-back"))
    assert raw(again) == raw(story.tokenless) and again.stat().st_size == 4947
    story.all_take(final, bridge)
    story.all_take(bridge, again)
    story.all_take(again, way_back)
    story.all_take(way_back, final)
