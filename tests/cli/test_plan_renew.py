# SPDX-License-Identifier: Apache-2.0
"""plan --renew: in which order a cluster's certificates can be renewed, before anything exists."""
import json
import os

import pytest
from conftest import DATA
from test_plan import World

GOLDEN = DATA / "plans" / "renew-all-four.txt"
CTL_10 = "SAST=pub! SAST=golden-recovery CCM+TFTP=pub CAPF=capf CCM+TFTP=sub1"
CTL_12 = "SAST=golden-recovery! SAST=pub CCM+TFTP=pub CAPF=capf CCM+TFTP=sub1"
TOKENS_11 = "SAST=t1! SAST=golden-recovery SAST=pub CCM+TFTP=pub CAPF=capf CCM+TFTP=sub1 SAST=t2"
ITL_10 = "SAST=pub! SAST=golden-recovery CCM+TFTP=pub TVS=golden-tvs CAPF=capf"
ITL_12 = "SAST=golden-recovery! SAST=pub CCM+TFTP=pub TVS=golden-tvs CAPF=capf"
ALL = ["--renew", "callmanager", "--renew", "capf", "--renew", "tvs", "--renew", "itlrecovery"]


@pytest.fixture
def world(ctlsign, cluster, keys, tmp_path):
    return World(ctlsign, cluster, keys, tmp_path)


def renew(world, *args, status, json_too=True):
    """The text of a plan; its JSON says the same."""
    run = world.run("plan", *args, cwd=world.folder)
    assert (run.status, run.err) == (status, ""), str(run)
    answer = json.loads(world.run("plan", *args, "--json", cwd=world.folder).out)
    assert answer["accepted"] == (not run.out.startswith("REFUSED") and "REFUSED" not in run.out)
    assert answer["summary"] in run.out
    return run.out, answer


def kinds(answer):
    return [phase["renews"] for phase in answer["phases"]]


def test_all_four_at_15_mixed(world):
    """The whole plan, as people read it."""
    world.make("CTLFile.tlv", CTL_12)
    world.make("itl-pub.tlv", ITL_12)
    text, answer = renew(world, "CTLFile.tlv", "itl-pub.tlv", "--release", "15", *ALL, status=0)
    if os.environ.get("CTLSIGN_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()
    assert kinds(answer)[-1] == "tvs"
    assert answer["search"] == {"orders": 24, "steps": 32, "publisher_apart": False}


def test_before_12_phones_without_tvs_are_lost(world):
    world.make("CTLFile.tlv", CTL_10)
    world.make("itl-pub.tlv", ITL_10)
    args = ["CTLFile.tlv", "itl-pub.tlv", "--release", "11.5", "--renew", "callmanager"]
    text, answer = renew(world, *args, status=1)
    assert "REFUSED: no order spares phones without Security by Default" in text
    assert "what helps: Upgrade to 12.0" in text
    assert answer["remedies"]
    locked = [phone["class"] for phase in answer["phases"] for one in phase["lists"]
              for phone in one["phones"] if not phone["accepted"]]
    assert locked == ["sbd-ctl-only", "no-sbd"]  # the first lacks an ITL, which the preflight finds
    assert "Check that each phone with Security by Default shows an ITL too" in text
    assert world.run("plan", *args, "--accept-lockout", "no-sbd", cwd=world.folder).status == 0
    assert world.run("plan", *args, "--accept-lockout", "sbd", cwd=world.folder).status == 1


def test_tokens_spare_them(world):
    world.make("CTLFile.tlv", TOKENS_11)
    world.make("itl-pub.tlv", ITL_10)
    text, answer = renew(world, "CTLFile.tlv", "itl-pub.tlv", "--release", "11.5", "--renew", "callmanager",
                         status=0)
    assert kinds(answer) == ["callmanager"]
    assert "utils ctl update CTLFile" not in text.split("Rollback")[0].split("If CUCM signs")[0]


def test_not_mixed_needs_no_ctl(world):
    world.make("itl-pub.tlv", ITL_12)
    text, answer = renew(world, "itl-pub.tlv", "--release", "12.5", "--renew", "itlrecovery", status=0)
    assert "utils itl reset localkey" in text
    assert [len(phase["lists"]) for phase in answer["phases"]] == [2]
    assert "MD5)" not in text.split("Phase 1")[1]  # no checksum of a list that does not exist


def test_phones_without_tvs_load_no_itl(world):
    """CallManager signs the ITL at 11.5: TVS vouches for its successor, and nobody is cleared by hand."""
    world.make("itl-pub.tlv", ITL_10)
    text, answer = renew(world, "itl-pub.tlv", "--release", "11.5", "--renew", "callmanager", status=0)
    assert "by hand on phones" not in text
    assert "phones with Security by Default that hold an ITL alone: accepted: tvs" in " ".join(text.split())
    assert answer["phases"][0]["lists"][0]["phones"][0]["by_tvs"] is True


def test_the_preflight_of_every_phase_is_there(world):
    """CAPF's own preparation stands in its phase if that is not the first one."""
    world.make("itl-pub.tlv", ITL_12)
    for what in (["capf"], ["capf", "callmanager"], ["callmanager", "capf", "tvs"]):
        args = [word for one in what for word in ("--renew", one)]
        text, answer = renew(world, "itl-pub.tlv", "--release", "12.5", *args, status=0)
        codes = [step["code"] for phase in answer["phases"] for step in phase["steps"]]
        assert codes.count("profiles") == codes.count("backup") == codes.count("way-back") == 1, codes
        assert sorted(kinds(answer)) == sorted(what)
        numbers = [step["number"] for phase in answer["phases"] for step in phase["steps"]]
        assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("status,says,args", [
    (2, "no ITL was given", ["CTLFile.tlv", "--renew", "tvs"]),
    (2, "'tomcat' is none of callmanager, capf, tvs, itlrecovery", ["CTLFile.tlv", "itl-pub.tlv", "--renew", "tomcat"]),
    (4, "no node of the lists is called 'nowhere'", ["CTLFile.tlv", "itl-pub.tlv", "--renew", "tvs@nowhere"]),
    (4, "the lists show no certificate for 'capf@cucm-1051-a-sub1'",
     ["CTLFile.tlv", "itl-pub.tlv", "--renew", "capf@cucm-1051-a-sub1"]),
    (2, "'west' is not NAME=NODE,NODE", ["CTLFile.tlv", "itl-pub.tlv", "--renew", "tvs", "--group", "west"]),
    (2, "option '--html' does not go with '--renew'",
     ["CTLFile.tlv", "itl-pub.tlv", "--renew", "tvs", "--html", "plan.html"]),
    (2, "option '--group' goes with '--renew' only", ["CTLFile.tlv", "CTLFile.tlv", "--group", "a=b"]),
    (2, "plan takes an old and a new list", ["CTLFile.tlv"]),
    (2, "two CTLs were given", ["CTLFile.tlv", "CTLFile.tlv", "itl-pub.tlv", "--renew", "tvs"]),
])
def test_what_cannot_be_planned(world, status, says, args):
    world.make("CTLFile.tlv", CTL_12)
    world.make("itl-pub.tlv", ITL_12)
    world.run.refused(status, "plan", *args, "--release", "12.5", says=[says], cwd=world.folder)
    assert not (world.folder / "plan.html").exists()
