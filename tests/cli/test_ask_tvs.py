# SPDX-License-Identifier: Apache-2.0
"""accept --tvs and plan --tvs: what a node's TVS answers stands in the place of an assumption."""
import hashlib
import json
import re

import peerlist
import peerwrite
import pytest
from cluster import identity, wire
from conftest import make_certificate
from test_check import Service
from test_extract import hashed, hashed_list
from test_net import start  # noqa: F401  (a fixture)
from test_tvs import PUB, REFUSED, SAMPLE, SUB, Tvs

NEW = identity.Deck.sample(SAMPLE, "pub-regenerated")
CAPF = identity.Deck.sample(SAMPLE, "capf")
YES, KNOWN, NO = {NEW.der: [0, 2]}, {NEW.der: [2, 3]}, {PUB.der: [0, 2]}
SIGNER = NEW.subject


def served(start, known, **options):  # noqa: F811
    """A TVS with sub1's certificate, which finds the new signer by its names too."""
    one = start(Tvs(known, **options))
    one.service.lookup = lambda serial, issuer: (
        (NEW.der, known[NEW.der]) if NEW.der in known and (serial, issuer) == (NEW.serial, NEW.issuer) else None)
    return one


@pytest.fixture
def lab(ctlsign, cluster, tmp_path):
    """lab(name, signer, *records): a list with a CallManager of this signer's."""
    def build(name, signer, *records, filename="CTLFile.tlv", key=None):
        (tmp_path / name).mkdir()
        path = tmp_path / name / filename
        words = [f"--{role}={cluster / cert}.pem,name=node" for role, cert in records]
        ctlsign.ok("build", "-o", path, f"--sast={cluster / signer}.pem,name=pub", *words, "-k", cluster / f"{key or signer}.key",
                   "--cert", cluster / f"{signer}.pem", "--yes")
        return path
    return build


@pytest.fixture
def lists(lab):
    """What phones hold, whose TVS is sub1's, and a new CTL by a signer that they do not know."""
    return {"ctl": lab("ctl", "pub"), "itl": lab("itl", "pub", ("tvs", "sub1"), filename="ITLFile.tlv"),
            "new": lab("new", "pub-regenerated", ("ccm-tftp", "pub-regenerated"))}


def held(lists):
    return ["--installed", lists["ctl"], "--installed", lists["itl"]]


# accept ---------------------------------------------------------------------------------------

def test_yes(ctlsign, start, lists):  # noqa: F811
    """Nothing is assumed then: --strict takes it as well."""
    one = served(start, YES)
    for more in ([], ["--strict"], ["--release", "12.5"]):
        run = ctlsign.ok("accept", *more, "--tvs", one.at, *held(lists), lists["new"])
        assert run.out.splitlines()[0] == f"accepted: tvs (asked: {one.at})", str(run)
        assert f"asked: {one.at}: {SIGNER}: known as SAST (SAST, CCM+TFTP), for 86400 s [118893, 213407]" in run.out.splitlines()
        assert "assume" not in run.out
    assert {asked.kind for asked in one.service.log} == {wire.QUERY, wire.VERIFY}
    [query, *_] = [asked for asked in one.service.log if asked.kind == wire.QUERY]
    assert query.get(wire.ISSUER) == wire.text(NEW.issuer) and query.get(wire.SERIAL) == NEW.serial
    without = ctlsign.ok("accept", *held(lists), "--new-itl", lists["itl"], lists["new"])
    assert without.out.splitlines()[0] == "accepted: tvs (assumes the signer's certificate is the cluster's own)", str(without)


@pytest.mark.parametrize("known,says,state", [(NO, "not known (status 1)", "unknown"),
                                              (KNOWN, "known, but not as SAST (CCM+TFTP, TFTP), for 86400 s", "known")])
def test_no(ctlsign, start, lists, known, says, state):  # noqa: F811
    """The cluster's own certificate, which TVS would be taken to know: it was asked, and does not."""
    one = served(start, known)
    run = ctlsign("accept", "--tvs", one.at, *held(lists), lists["new"])
    assert run.status == 1 and run.out.splitlines()[0] == f"refused: signer-unknown (asked: {one.at})", str(run)
    assert f"asked: {one.at}: {SIGNER}: {says} [" in run.out and "TVS does not vouch for it" in run.out
    asked = json.loads(ctlsign("accept", "--json", "--tvs", one.at, *held(lists), lists["new"]).out)["asked"]
    assert asked["state"] == state and asked["tvs"] == one.at and asked["signer"] == SIGNER


def test_an_unknown_tvs(ctlsign, start, lists, lab):  # noqa: F811
    """Its certificate is no TVS record of the phone's ITL, whatever it says."""
    one = served(start, YES)
    other = lab("other", "pub", ("tvs", "capf"), ("ccm", "sub1"), filename="ITLFile.tlv")
    run = ctlsign("accept", "--tvs", one.at, "--installed", lists["ctl"], "--installed", other, lists["new"])
    assert run.status == 1 and run.out.splitlines()[0] == f"refused: signer-unknown (asked: {one.at})", str(run)
    assert "does not believe the TVS that was asked" in run.out and "known as SAST" in run.out
    none = lab("none", "pub", filename="ITLFile.tlv")
    run = ctlsign("accept", "--tvs", one.at, "--installed", none, lists["new"])
    assert run.status == 1 and run.out.splitlines()[0] == "refused: signer-unknown", str(run)
    assert "its ITL names none" in run.out


@pytest.mark.parametrize("named", ["sub1", "capf"])
@pytest.mark.parametrize("presents", ["sub1", "capf"])
def test_the_node_s_certificate_wins_over_a_new_itl_s(ctlsign, start, lists, lab, named, presents):  # noqa: F811
    """What a new ITL names is what TVS will have; what the node presents is what it has."""
    one = served(start, YES)
    one.service.identity = {"sub1": SUB, "capf": CAPF}[presents]
    new = lab("new-itl", "pub-regenerated", ("tvs", named), filename="ITLFile.tlv")
    run = ctlsign("accept", "--tvs", one.at, "--installed", lists["itl"], new)
    assert run.status == (0 if presents == "sub1" else 1), str(run)
    assert run.out.startswith("accepted: tvs (" if presents == "sub1" else "refused: signer-unknown (")
    assert "assume" not in run.out


def test_an_itl_that_is_not_shown_is_still_assumed(ctlsign, start, lists):  # noqa: F811
    one = served(start, YES)
    run = ctlsign.ok("accept", "--tvs", one.at, "--installed", lists["ctl"], lists["new"])
    assert run.out.splitlines()[0] == (f"accepted: tvs (asked: {one.at}; assumes the ITL has a TVS record; "
                                       "TVS still has the certificate that the ITL names)"), str(run)
    assert "assumed: TVS still has the certificate that the ITL names: show the phone's ITL with '--installed' [" in run.out
    assert ctlsign("accept", "--strict", "--tvs", one.at, "--installed", lists["ctl"], lists["new"]).status == 1
    no = served(start, NO)
    assert ctlsign("accept", "--tvs", no.at, "--installed", lists["ctl"], lists["new"]).status == 1


@pytest.mark.parametrize("fault", [*REFUSED, "other-certificate"])
def test_no_answer(ctlsign, start, lists, fault):  # noqa: F811
    """There is no verdict then, and the status says so."""
    one = served(start, YES, fault=fault, pace=0.4)
    timeout = "--timeout=1" if fault in ("silent", "slow") else "--timeout=20"
    run = ctlsign.refused(3, "accept", timeout, "--tvs", one.at, *held(lists), lists["new"],
                          says=[f"'--tvs {one.at}': no answer about the signer of", REFUSED.get(fault, "serial number"), "ask another node"])
    assert "accepted" not in run.err and "refused: signer" not in run.err


def test_nobody_there(ctlsign, start, lists):  # noqa: F811
    one = served(start, YES)
    one.service.shut()
    for words in (["accept", *held(lists)], ["plan", lists["ctl"]]):
        ctlsign.refused(3, *words, "--tvs", one.at, lists["new"], says="the connection is refused")
        ctlsign.refused(3, *words, "--tvs", "255.255.255.255", lists["new"], says=["'--tvs 255.255.255.255:2445'", "no way to that address"])


def test_an_answer_without_the_certificate(ctlsign, start, lists):  # noqa: F811
    """Then TVS is asked about the certificate that the list has, and its yes is about that one."""
    one = served(start, YES, fault="no-certificate")
    run = ctlsign.ok("accept", "--tvs", one.at, *held(lists), lists["new"])
    assert run.out.startswith(f"accepted: tvs (asked: {one.at})\n")
    one.service.lookup_certificate = lambda der: None
    run = ctlsign("accept", "--tvs", one.at, *held(lists), lists["new"])
    assert run.status == 1 and run.out.startswith(f"refused: bad-signature (asked: {one.at})\n"), str(run)


@pytest.mark.parametrize("roles,says", [([2], "known, but not as SAST (CCM+TFTP), for 86400 s"), (None, "not known (status 1)")])
def test_a_yes_to_the_names_and_none_to_the_certificate(ctlsign, start, lists, roles, says):  # noqa: F811
    """Then it is about another certificate, whose key is not known."""
    one = served(start, YES, fault="no-certificate")
    one.service.lookup_certificate = lambda der: roles and (der, roles)
    run = ctlsign("accept", "--tvs", one.at, *held(lists), lists["new"])
    assert run.status == 1 and run.out.startswith(f"refused: bad-signature (asked: {one.at})\n"), str(run)
    assert f"known as SAST (SAST, CCM+TFTP), for 86400 s; about the certificate in the list: {says} [" in run.out
    assert f"; about the certificate in the list: {says}" in re.sub(
        r"\s+", " ", ctlsign("plan", "--release", "10.5(1)", "--tvs", one.at, lists["ctl"], lists["new"]).out)


def test_a_no_to_the_certificate_counts_beside_printed_lists(ctlsign, start, lists, tmp_path):  # noqa: F811
    """A printed list shows no signature, but what TVS said of the certificate stays true."""
    one = served(start, YES, fault="no-certificate")
    one.service.lookup_certificate = lambda der: None
    printed = []
    for name in ("ctl", "itl"):
        log = tmp_path / f"{name}.log"
        log.write_text(ctlsign.ok("show", lists[name]).out)
        printed += ["--installed", log]
    run = ctlsign("accept", "--tvs", one.at, *printed, lists["new"])
    assert run.status == 1 and run.out.startswith(f"refused: bad-signature (asked: {one.at})\n"), str(run)
    said = json.loads(ctlsign("accept", "--json", "--tvs", one.at, *printed, lists["new"]).out)
    assert (said["asked"]["state"], said["asked"]["certificate_state"]) == ("sast", "unknown")


def test_nobody_shows_the_signer_s_certificate(ctlsign, start, lists, cluster, tmp_path):  # noqa: F811
    """Neither the list nor TVS: so nobody can tell whether the signature is its own."""
    signer, other = (peerwrite.record_fields(peerwrite.load(cluster / f"{name}.pem"), "SAST", "cucm", name="pub", address="198.51.100.7")
                     for name in ("pub-regenerated", "capf"))
    new = tmp_path / "CTLFile.tlv"
    new.write_bytes(peerwrite.assemble([other], signer, cluster / "pub-regenerated.key", timestamp=2000000000))
    one = served(start, YES, fault="no-certificate")
    ctlsign.refused(3, "accept", "--tvs", one.at, *held(lists), new, says=["shows no certificate", "leave out '--tvs'"])
    assert ctlsign("accept", "--tvs", served(start, NO).at, *held(lists), new).out.startswith("refused: signer-unknown")
    assert ctlsign.ok("accept", "--tvs", served(start, YES).at, *held(lists), new).out.startswith("accepted: tvs (asked: ")


def test_a_forged_signer(ctlsign, start, lists, lab, cluster):  # noqa: F811
    """Its own certificate has the names and the serial number of the one that TVS knows."""
    forge(cluster)
    new = lab("forged", "forged", key="sub1")
    assert peerlist.parse_header(new.read_bytes())["signer_serial"] == NEW.serial
    for fault in ("", "no-certificate"):
        one = served(start, YES, fault=fault)
        run = ctlsign("accept", "--tvs", one.at, *held(lists), new)
        assert run.status == 1 and run.out.startswith(f"refused: bad-signature (asked: {one.at})\n"), str(run)


def not_asked(at, *more):
    return f"not asked for this verdict: {', '.join([at, *more])}: it does not hang on what TVS says"


def test_a_signer_that_phones_know(ctlsign, start, lists, lab, tmp_path):  # noqa: F811
    """No phone asks TVS about it, so nobody does: TVS may be dead, and the verdict is there."""
    one, dead = served(start, NO), served(start, NO)
    dead.service.shut()
    again, itl = lab("again", "pub", ("ccm", "sub1")), lab("again-itl", "pub", ("tvs", "sub1"), ("ccm", "sub1"), filename="ITLFile.tlv")
    nobody = lab("none", "pub", filename="ITLFile.tlv")
    for tvs in (one, dead):
        run = ctlsign.ok("accept", "--strict", "--tvs", tvs.at, *held(lists), again)
        assert run.out.startswith("accepted: signer-is-sast\n") and not_asked(tvs.at) in run.out.splitlines(), str(run)
        said = json.loads(ctlsign.ok("accept", "--json", "--tvs", tvs.at, "--installed", "none", lists["new"]).out)
        assert (said["reason"], said["asked"], said["answers"], said["not_asked"]) == ("leap-of-faith", None, [], [tvs.at])
        # A phone whose ITL names no TVS asks none, whatever the signer is.
        run = ctlsign("accept", "--tvs", tvs.at, "--installed", nobody, lists["new"])
        assert run.status == 1 and "its ITL names none" in run.out and not_asked(tvs.at) in run.out.splitlines(), str(run)
        plan = ["plan", "--tvs", tvs.at, "--release", "10.5(1)", "--html", tmp_path / "plan.html", lists["itl"], itl]
        assert f" not asked: {tvs.at}: no verdict hangs on what TVS says " in re.sub(r"\s+", " ", ctlsign.ok(*plan).out)
        assert f"not asked: {tvs.at}: no verdict" in (tmp_path / "plan.html").read_text()
        said = json.loads(ctlsign.ok(*plan, "--json").out)
        assert (said["asked"], said["answers"], said["not_asked"]) == (None, [], [tvs.at])
    assert one.service.log == []
    for words in (["accept", *held(lists)], ["plan", "--release", "10.5(1)", lists["ctl"]]):
        ctlsign.refused(3, *words, "--tvs", dead.at, lists["new"], says="the connection is refused")


def test_a_history_is_asked_about_when_a_list_needs_it(ctlsign, start, lists, lab, tmp_path):  # noqa: F811
    """Lists that have the signer as SAST need no TVS; the first that does not have it does."""
    one, dead = served(start, YES), served(start, YES)
    dead.service.shut()
    history = tmp_path / "history"
    history.mkdir()
    lab("known", "pub-regenerated", ("tvs", "sub1"), filename="ITLFile.tlv").rename(history / "ITLFile-1.tlv")
    words = ["accept", "--installed-dir", history, lists["new"]]
    for tvs in (one, dead):
        run = ctlsign.ok(*words, "--tvs", tvs.at)
        assert run.out.splitlines() == [f"{history / 'ITLFile-1.tlv'}: accepted: signer-is-sast"], str(run)
    assert one.service.log == []
    lists["itl"].rename(history / "ITLFile-2.tlv")
    for more in ([], ["--json"]):
        ctlsign.refused(3, *words, *more, "--tvs", dead.at, says="the connection is refused")
    said = json.loads(ctlsign.ok(*words, "--json", "--tvs", one.at).out)
    by_reason = {verdict["reason"]: verdict for verdict in said["verdicts"]}
    assert set(by_reason) == {"signer-is-sast", "tvs"}
    assert [len(by_reason[reason]["answers"]) for reason in ("signer-is-sast", "tvs")] == [0, 1]
    assert [by_reason[reason]["not_asked"] for reason in ("signer-is-sast", "tvs")] == [[one.at], []]
    assert len([asked for asked in one.service.log if asked.kind == wire.QUERY]) == 1


OTHERS = "the ITL names other TVS too, and a phone asks a node of its own CallManager group: ask each of them with '--tvs' [118893, 213407]"


@pytest.mark.parametrize("known", [YES, NO])
def test_other_tvs_may_answer_otherwise(ctlsign, start, lists, lab, tmp_path, known):  # noqa: F811
    """One node was asked, and nobody knows the phones' groups."""
    one, page = served(start, known), tmp_path / "plan.html"
    two = lab("two", "pub", ("tvs", "sub1"), ("tvs", "capf"), filename="ITLFile.tlv")
    new = lab("new-itl", "pub-regenerated", ("tvs", "sub1"), filename="ITLFile.tlv")
    for itl, says in ((two, True), (lists["itl"], False)):
        run = ctlsign("accept", "--tvs", one.at, "--installed", itl, new)
        assert (OTHERS in run.out.splitlines()) == says, str(run)
        assert run.out.splitlines()[0].endswith(f" (asked: {one.at})")
        # Nor is a yes of one a yes of all.
        strict = ctlsign("accept", "--strict", "--tvs", one.at, "--installed", itl, new)
        assert strict.status == (0 if known is YES and not says else 1), str(strict)
        assert ("on TVS that were not asked, counts as refused" in strict.out) == (known is YES and says)
        plan = ctlsign("plan", "--release", "10.5(1)", "--tvs", one.at, "--html", page, itl, new)
        assert (OTHERS in re.sub(r"\s+", " ", plan.out)) == says, str(plan)
        assert ("the ITL names other TVS too" in page.read_text()) == says
        for words in (["accept", "--tvs", one.at, "--installed"], ["plan", "--release", "10.5(1)", "--tvs", one.at]):
            assert json.loads(ctlsign(words[0], "--json", *words[1:], itl, new).out)["other_tvs"] == says
    # Without an answer that counts there is nothing to add.
    assert OTHERS not in ctlsign("accept", "--tvs", one.at, "--installed", two, lab("again", "pub", ("tvs", "sub1"), filename="ITLFile.tlv")).out


@pytest.fixture
def pair(start, lab):  # noqa: F811
    """Two TVS, sub1's and CAPF's, and an ITL that names both."""
    def build(first, second, **options):
        one, two = served(start, first), served(start, second, **options)
        two.service.identity = CAPF
        return one, two
    build.itl = lab("both", "pub", ("tvs", "sub1"), ("tvs", "capf"), filename="ITLFile.tlv")
    build.new = lab("new-itl", "pub-regenerated", ("tvs", "sub1"), ("tvs", "capf"), filename="ITLFile.tlv")
    return build


@pytest.mark.parametrize("first,second,reason", [
    (YES, YES, "tvs"), (YES, NO, "signer-unknown"), (NO, YES, "signer-unknown"), (YES, KNOWN, "signer-unknown"), (NO, NO, "signer-unknown")])
def test_all_tvs_must_say_yes(ctlsign, pair, first, second, reason, tmp_path):
    """Phones ask a node of their own group: if one says no, its phones refuse."""
    one, two = pair(first, second)
    both, page, good = ["--tvs", one.at, "--tvs", two.at], tmp_path / "plan.html", reason == "tvs"
    run = ctlsign("accept", "--strict", *both, "--installed", pair.itl, pair.new)
    assert run.status == (0 if good else 1), str(run)
    assert run.out.splitlines()[0] == f"{'accepted' if good else 'refused'}: {reason} (asked: {one.at}, {two.at})"
    assert [line.split(": ")[1] for line in run.out.splitlines() if line.startswith("asked: ")] == [one.at, two.at]
    assert OTHERS not in run.out.splitlines()
    said = json.loads(ctlsign("accept", "--json", *both, "--installed", pair.itl, pair.new).out)
    states = {id(YES): "sast", id(NO): "unknown", id(KNOWN): "known"}
    assert [answer["state"] for answer in said["answers"]] == [states[id(first)], states[id(second)]]
    assert said["asked"] == said["answers"][1 if first is YES and not good else 0] and said["other_tvs"] is False
    plan = ["plan", "--release", "10.5(1)", *both, "--html", page, pair.itl, pair.new]
    run = ctlsign(*plan)
    assert run.status == (0 if good else 1), str(run)
    for at in (one.at, two.at):
        assert f" asked: {at}: {SIGNER}: " in re.sub(r"\s+", " ", run.out) and f"<li>asked: {at}: " in page.read_text()
    planned = json.loads(ctlsign(*plan, "--json").out)
    assert (planned["asked"], planned["answers"], planned["other_tvs"]) == (said["asked"], said["answers"], False)
    assert phones(json.dumps(planned))["sbd", "old", "new"]["accepted"] == good


def test_one_tvs_that_gives_no_answer(ctlsign, pair):
    """What its phones do is not known, whatever the others say."""
    for first in (YES, NO):
        one, two = pair(first, YES)
        two.service.shut()
        for words in (["accept", "--installed"], ["plan", "--release", "10.5(1)"]):
            ctlsign.refused(3, *words, pair.itl, "--tvs", one.at, "--tvs", two.at, pair.new,
                            says=[f"'--tvs {two.at}': no answer", "the connection is refused"])


@pytest.mark.parametrize("first,second,state", [(YES, NO, "accepted"), (NO, YES, "refused"), (YES, YES, "accepted")])
def test_one_tvs_that_phones_do_not_believe(ctlsign, pair, lists, first, second, state):
    """Its answer does not count; phones whose group has it alone have nobody to ask."""
    one, two = pair(first, second)
    for both in ([one.at, two.at], [two.at, one.at]):
        words = ["accept", "--tvs", both[0], "--tvs", both[1], "--installed", lists["itl"], pair.new]
        run = ctlsign(*words)
        assert run.status == (0 if state == "accepted" else 1) and run.out.startswith(f"{state}: "), str(run)
        if state == "accepted":
            assert run.out.splitlines()[0] == f"accepted: tvs (asked: {both[0]}, {both[1]}; assumes the phone's group has node)"
        assert json.loads(ctlsign(*words, "--json").out)["asked"]["tvs"] == one.at
        assert ctlsign(*words, "--strict").status == 1
        assert "until TVS restarts" not in run.out, "both are presented today"


def forge(cluster):
    """A certificate with the names and the serial number of the one that TVS knows, and sub1's key."""
    names = [("COUNTRY_NAME", "PL"), ("ORGANIZATION_NAME", "Cisco"), ("ORGANIZATIONAL_UNIT_NAME", "TAC"), ("COMMON_NAME", "cucm-1051-a-pub"),
             ("STATE_OR_PROVINCE_NAME", "Malopolska"), ("LOCALITY_NAME", "Krakow")]
    make_certificate(cluster / "forged.pem", cluster / "sub1.key", names, serial=int.from_bytes(NEW.serial, "big"))
    return peerwrite.der(peerwrite.load(cluster / "forged.pem"))


def test_two_tvs_that_know_two_certificates(ctlsign, pair, cluster):
    """Of the same names: the list is signed by one of them, and phones that ask the other refuse it."""
    other = forge(cluster)
    for turned in (False, True):
        one, two = pair(YES, YES)
        (one if turned else two).service.lookup = lambda serial, issuer: (other, [0, 2])
        run = ctlsign("accept", "--tvs", one.at, "--tvs", two.at, "--installed", pair.itl, pair.new)
        assert run.status == 1 and run.out.startswith(f"refused: bad-signature (asked: {one.at}, {two.at})\n"), str(run)


@pytest.mark.parametrize("form,number", [("sha1", 1), ("sha256", 2), ("sha512", 3)])
@pytest.mark.parametrize("whose", ["sub1", "capf"])
def test_a_tvs_record_with_a_hash_alone(ctlsign, start, lists, cluster, tmp_path, form, number, whose):  # noqa: F811
    """It names the certificate as well as the certificate itself would."""
    one, itl = served(start, YES), tmp_path / "ITLFile.tlv"
    digest = hashlib.new(form, {"sub1": SUB, "capf": CAPF}[whose].der).digest()
    fields = dict(hashed(21, "sub1", peerwrite.load(cluster / "sub1.pem"))) | {11: digest, 12: bytes([number])}
    itl.write_bytes(hashed_list(cluster, list(fields.items())))
    for words in (["accept", "--tvs", one.at], ["accept", "--tvs-cert", cluster / "sub1.pem"]):
        run = ctlsign(*words, "--installed", lists["ctl"], "--installed", itl, lists["new"])
        assert (run.status, run.out.split(" (")[0].split("\n")[0]) == (
            (0, "accepted: tvs") if whose == "sub1" else (1, "refused: signer-unknown")), str(run)
    run = ctlsign("tvs", "--query", "--installed", itl, one.at, lists["new"])
    assert (run.status, "TVS record 2 of the installed ITL" in run.out) == ((0, True) if whose == "sub1" else (1, False)), str(run)


def test_every_list_ever_published(ctlsign, start, lists, lab, tmp_path):  # noqa: F811
    one = served(start, YES)
    (tmp_path / "history").mkdir()
    for cert in ("sub1", "capf"):
        lab(f"itl-{cert}", "pub", ("tvs", cert), filename="ITLFile.tlv").rename(tmp_path / "history" / f"ITLFile-{cert}.tlv")
    run = ctlsign("accept", "--tvs", one.at, "--installed-dir", tmp_path / "history", lists["new"])
    verdicts = [line.split(".tlv: ")[1] for line in run.out.splitlines()]
    assert run.status == 1 and verdicts == [f"refused: signer-unknown (asked: {one.at})", f"accepted: tvs (asked: {one.at})"], str(run)
    assert len([asked for asked in one.service.log if asked.kind == wire.QUERY]) == 1


def test_a_printed_list(ctlsign, start, lists, tmp_path):  # noqa: F811
    """It has no certificate to ask about, and names are enough."""
    one = served(start, YES, fault="no-certificate")
    log = tmp_path / "show.log"
    log.write_text(ctlsign.ok("show", lists["new"]).out)
    run = ctlsign.ok("accept", "--tvs", one.at, *held(lists), log)
    assert run.out.startswith(f"accepted: tvs (asked: {one.at}; assumes the signature is good)\n"), str(run)
    assert {asked.kind for asked in one.service.log} == {wire.QUERY}


def test_json(ctlsign, start, lists):  # noqa: F811
    one = served(start, YES)
    said = json.loads(ctlsign.ok("accept", "--json", "--tvs", one.at, *held(lists), lists["new"]).out)
    assert said["asked"] == said["verdicts"][0]["asked"] == {
        "tvs": one.at, "presented": hashlib.sha1(SUB.der).hexdigest(), "signer": SIGNER, "state": "sast", "status": 0,
        "roles": ["SAST", "CCM+TFTP"], "certificate_state": None, "ttl": 86400}
    assert said["assumptions"] == [] and f"\nasked: {one.at}: " in said["explanation"]
    assert json.loads(ctlsign.ok("accept", "--json", *held(lists), lists["new"]).out)["asked"] is None
    many = served(start, YES, fault="roles")
    said = json.loads(ctlsign.ok("accept", "--json", "--tvs", many.at, *held(lists), lists["new"]).out)
    assert len(set(said["asked"]["roles"])) == len(said["asked"]["roles"]) == 256


def test_command_lines(ctlsign, lists, cluster, tmp_path):
    """What else says what TVS knows or presents is left out; nobody is asked."""
    for more in (["--no-tvs"], ["--blank-itl"], ["--sast-trust", cluster], ["--tvs-ctl", "none"], ["--new-itl", lists["itl"]],
                 ["--tvs-cert", cluster / "sub1.pem"]):
        ctlsign.refused(2, "accept", "--tvs", "127.0.0.1:1", *more, *held(lists), lists["new"], says=f"'{more[0]}' does not go with '--tvs'")
    for more in (["--sast-trust", cluster], ["--tvs-ctl", "none"]):
        ctlsign.refused(2, "plan", "--tvs", "127.0.0.1:1", *more, lists["ctl"], lists["new"], says=f"'{more[0]}' does not go with '--tvs'")
    ctlsign.refused(2, "plan", "--tvs", "127.0.0.1:1", "--renew", "capf", lists["ctl"], says="'--tvs' does not go with '--renew'")
    ctlsign.refused(2, "plan", "--tvs", "127.0.0.1:1", "--recover", "--installed-dir", tmp_path, lists["ctl"], says="'--tvs' does not go with '--recover'")
    for host in ("", "http://pub", "pub:0"):
        ctlsign.refused(2, "accept", "--tvs", host, *held(lists), lists["new"], says="is no host of a TVS")
        ctlsign.refused(2, "plan", "--tvs", host, lists["ctl"], lists["new"], says="is no host of a TVS")
    for verb in (["accept", *held(lists)], ["plan", lists["ctl"]]):
        ctlsign.refused(2, *verb, "--tvs", "pub", "--tvs", "sub", "--tvs", "pub:2445", lists["new"], says="'--tvs pub:2445' is named twice")
        ctlsign.refused(2, *verb, "--tvs", "pub", "--tvs", "PUB:02445", lists["new"], says="'--tvs PUB:2445' is named twice")
    ctlsign.refused(2, "accept", "--tvs", "127.0.0.1:1", "--timeout=0", *held(lists), lists["new"], says="at least 1 second")


# plan -----------------------------------------------------------------------------------------

def phones(text):
    return {(line["class"], line["holds"], line["offered"]): line for line in json.loads(text)["phones"]}


@pytest.mark.parametrize("known,status,says", [(YES, 0, "known as SAST (SAST, CCM+TFTP), for 86400 s"), (NO, 1, "not known (status 1)")])
def test_plan_says_it_everywhere(ctlsign, start, lists, lab, tmp_path, known, status, says):  # noqa: F811
    """Text, JSON and page say the same."""
    one, page = served(start, known), tmp_path / "plan.html"
    words = ["plan", "--tvs", one.at, "--release", "10.5(1)", lists["itl"], "--html", page]
    new = lab("new-itl", "pub-regenerated", ("tvs", "sub1"), filename="ITLFile.tlv")
    run = ctlsign(*words, new)
    assert run.status == status, str(run)
    flat = re.sub(r"\s+", " ", run.out)
    assert f" asked: {one.at}: {SIGNER}: {says} [118893, 213407] " in flat
    assert f"<li>asked: {one.at}: {SIGNER}: {says}" in page.read_text()
    line = "that hold the old list take the new list" if status == 0 else "that hold the old list REFUSE the new list"
    assert f"Phones with Security by Default {line}" in flat
    said = ctlsign(*words, "--json", new).out
    asked = json.loads(said)["asked"]
    assert asked["tvs"] == one.at and asked["state"] == ("sast" if status == 0 else "unknown")
    verdict = phones(said)["sbd", "old", "new"]
    assert (verdict["accepted"], verdict["assumptions"]) == (status == 0, [])


UNTIL = ("until TVS restarts: then it presents the TVS certificates of the new ITL, and not all of them are TVS records "
         "of the installed one [213407, 214231, 217138]")


@pytest.mark.parametrize("later,accepted,assumptions", [
    (["sub1"], True, []), (["capf"], False, []), (["sub1", "capf"], True, ["group-has-node"]), ([], True, [])])
def test_plan_restarts_tvs_before_phones_ask(ctlsign, start, lists, lab, cluster, tmp_path, later, accepted, assumptions):  # noqa: F811
    """A renewed TVS certificate of the new ITL is presented by then, whatever TVS presents today."""
    one, page = served(start, YES), tmp_path / "plan.html"
    new = lab("new-itl", "pub-regenerated", *[("tvs", name) for name in later], ("ccm", "sub1"), filename="ITLFile.tlv")
    words = ["plan", "--tvs", one.at, "--release", "10.5(1)", "--html", page, lists["itl"], new]
    run = ctlsign(*words)
    assert run.status == (0 if accepted else 1), str(run)
    why = "the phone cannot ask TVS after its restart: none of the TVS certificates of the new ITL is a TVS record of the installed one"
    assert (why in re.sub(r"\s+", " ", run.out)) == (why in page.read_text()) == (not accepted)
    said = ctlsign(*words, "--json").out
    verdict = phones(said)["sbd", "old", "new"]
    assert (verdict["accepted"], verdict["assumptions"]) == (accepted, assumptions)
    assert json.loads(said)["asked"]["state"] == "sast"
    # Phones that are reset now ask the TVS of now, and are told how long that is so.
    for today in (["--tvs", one.at], ["--tvs-cert", cluster / "sub1.pem", "--sast-trust", cluster]):
        run = ctlsign.ok("accept", *today, "--installed", lists["itl"], new)
        assert (UNTIL in run.out.splitlines()) == ("capf" in later), str(run)
        said = json.loads(ctlsign.ok("accept", "--json", *today, "--installed", lists["itl"], new).out)
        assert (UNTIL in said["explanation"].splitlines()) == ("capf" in later)


def test_no_restart_brings_another_cluster_s_certificates(ctlsign, start, lists, cluster, tmp_path):  # noqa: F811
    """A phone that moves asks the TVS of its old cluster, which the new ITL says nothing of."""
    one, new = served(start, YES), tmp_path / "ITLFile.tlv"
    ctlsign.ok("build", "-o", new, f"--sast={cluster / 'pub-regenerated.pem'},name=west", f"--tvs={cluster / 'capf.pem'},name=west",
               "-k", cluster / "pub-regenerated.key", "--cert", cluster / "pub-regenerated.pem", "--yes")
    run = ctlsign.ok("accept", "--tvs", one.at, "--installed", lists["itl"], new)
    assert run.out.startswith("accepted: tvs (") and "until TVS restarts" not in run.out, str(run)


def test_plan_without_it_asks_nobody(ctlsign, lists):
    run = ctlsign("plan", "--json", "--release", "10.5(1)", lists["ctl"], lists["new"])
    assert json.loads(run.out)["asked"] is None
    assert "asked: " not in ctlsign("plan", "--release", "10.5(1)", lists["ctl"], lists["new"]).out


def test_plan_of_ctls_still_assumes_the_itl(ctlsign, start, lists):  # noqa: F811
    """The answer is about the signer; which TVS phones believe, a CTL does not say."""
    one = served(start, YES)
    words = ["plan", "--json", "--release", "10.5(1)", lists["ctl"], lists["new"]]
    before, after = (phones(ctlsign(*words, *more).out)["sbd", "old", "new"] for more in ([], ["--tvs", one.at]))
    assert before["assumptions"] == ["itl-has-tvs-record", "tvs-certificate-kept", "signer-is-own"]
    assert after["assumptions"] == ["itl-has-tvs-record", "tvs-certificate-kept"]
    plain = phones(ctlsign(*words, "--tvs", one.at).out)["no-sbd", "old", "new"]
    assert (plain["accepted"], plain["assumptions"]) == (False, [])


@pytest.mark.parametrize("fault", ["closes", "session", "half", "other-certificate"])
def test_plan_without_an_answer_writes_nothing(ctlsign, start, lists, tmp_path, fault):  # noqa: F811
    one, page = served(start, YES, fault=fault), tmp_path / "plan.html"
    page.write_text("")
    before = page.stat()
    ctlsign.refused(3, "plan", "--tvs", one.at, "--release", "10.5(1)", "--html", page, lists["ctl"], lists["new"], says="no answer about the signer of")
    assert page.stat() == before and [path.name for path in page.parent.glob("*plan*")] == ["plan.html"]


def test_an_old_node_that_says_nothing(ctlsign, start, lists):  # noqa: F811
    """TLS 1.0, and then silence."""
    at = f"127.0.0.1:{start(Service('sub1', '-tls1')).port}"
    ctlsign.refused(3, "accept", "--timeout=2", "--tvs", at, *held(lists), lists["new"], says="no answer within 2 s")
