# SPDX-License-Identifier: Apache-2.0
"""plan --renew: in which order a cluster's certificates can be renewed, before anything exists."""
import json
import os
import re
import shutil
import subprocess
import sys

import browser
import peerwrite
import pytest
from conftest import DATA, PROGRAM, SANITIZED, make_certificate
from test_plan import NODES as NODES_OF
from test_plan import World
from test_plan_html import COLOURS, WIDE, Page, complaints, luminance, needs_chromium

GOLDEN = DATA / "plans" / "renew-all-four.txt"
CTL_10 = "SAST=pub! SAST=golden-recovery CCM+TFTP=pub CAPF=capf CCM+TFTP=sub1"
CTL_12 = "SAST=golden-recovery! SAST=pub CCM+TFTP=pub CAPF=capf CCM+TFTP=sub1"
TOKENS_11 = "SAST=t1! SAST=golden-recovery SAST=pub CCM+TFTP=pub CAPF=capf CCM+TFTP=sub1 SAST=t2"
ITL_10 = "SAST=pub! SAST=golden-recovery CCM+TFTP=pub TVS=golden-tvs CAPF=capf"
ITL_12 = "SAST=golden-recovery! SAST=pub CCM+TFTP=pub TVS=golden-tvs CAPF=capf"
OTHER_ITL = ("SAST=recovery2@west/10.9.9.1! SAST=asa@west/10.9.9.1 CCM+TFTP=asa@west/10.9.9.1 "
             "TVS=tvs2@west/10.9.9.1")  # of another cluster
ALL = ["--renew", "callmanager", "--renew", "capf", "--renew", "tvs", "--renew", "itlrecovery"]


@pytest.fixture
def world(ctlsign, cluster, keys, tmp_path):
    return World(ctlsign, cluster, keys, tmp_path)


def renew(world, *args, status, warning=""):
    """The text of a plan; its JSON says the same."""
    run = world.run("plan", *args, cwd=world.folder)
    assert (run.status, run.err) == (status, warning and f"ctlsign: warning: {warning}\n"), str(run)
    answer = json.loads(world.run("plan", *args, "--json", cwd=world.folder).out)
    assert answer["accepted"] == (not run.out.startswith("REFUSED") and "REFUSED" not in run.out)
    assert answer["summary"] in run.out
    begins_and_ends(answer["phases"][0]["steps"], [step for phase in answer["phases"] for step in phase["steps"]])
    return run.out, answer


def begins_and_ends(first, steps):
    """A backup and what is to be checked come first; the way back comes last, behind checks and one more backup."""
    parts = [step["part"] for step in first]
    assert first[0]["code"] == "backup" and parts[0] == "before" and "before" not in parts[parts.index("steps"):]
    assert [step["code"] for step in steps if step["part"] == "checks"][-1] == "backup-after"
    assert all(step["sources"] for step in steps), steps


def kinds(answer):
    return [phase["renews"] or phase["act"] for phase in answer["phases"]]


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


def test_a_group_without_tvs(world):
    """No list shows a TVS certificate of sub1: phones whose group is sub1 alone have nobody to ask."""
    world.make("itl-pub.tlv", ITL_10)
    world.make("itl-sub1.tlv", "SAST=sub1! SAST=golden-recovery CCM+TFTP=sub1 TVS=golden-tvs CAPF=capf")
    args = ["itl-pub.tlv", "itl-sub1.tlv", "--release", "11.5", "--renew", "callmanager"]
    assert renew(world, *args, status=0)[1]["remedies"] == []
    assert renew(world, *args, "--group", "west=cucm-1051-a-sub1,cucm-1051-a-pub", status=0)
    west = ["--group", "west=cucm-1051-a-sub1"]
    text, answer = renew(world, *args, *west, status=1)
    assert "no node of the group has a TVS whose certificate is in the ITL" in words(text)
    assert len(answer["remedies"]) == 1
    assert answer["remedies"][0].startswith("After CallManager was regenerated, run 'utils itl reset localkey'")
    assert "clear" in [step["code"] for step in answer["phases"][0]["steps"]]
    assert renew(world, *args, *west, "--blank-itl", status=0)


def test_nothing_may_help(world):
    """A CTL of non-secure mode is never written again, and the rollback parameter does not blank it."""
    world.make("CTLFile.tlv", "SAST=golden-recovery! SAST=pub CCM+TFTP=-@pub CAPF=capf CCM+TFTP=-@sub1")
    world.make("itl-pub.tlv", ITL_12)
    text, answer = renew(world, "CTLFile.tlv", "itl-pub.tlv", "--release", "12.5", "--renew", "itlrecovery",
                         "--group", "west=cucm-1051-a-sub1", status=1)
    assert answer["remedies"] == []
    assert "what helps: Nothing that the model can prove." in text


def test_tokens_spare_them(world):
    world.make("CTLFile.tlv", TOKENS_11)
    world.make("itl-pub.tlv", ITL_10)
    text, answer = renew(world, "CTLFile.tlv", "itl-pub.tlv", "--release", "11.5", "--renew", "callmanager",
                         status=0)
    assert kinds(answer) == ["callmanager"]
    assert "utils ctl update CTLFile" not in text.split("Rollback")[0].split("If CUCM signs")[0]


SUB1_10 = "SAST=sub1! SAST=golden-recovery CCM+TFTP=sub1 TVS=golden-tvs CAPF=capf"


def tokens_and_a_subscriber(world, *args):
    """CallManager of sub1 signs its ITL; the CTL of the tokens has its successor by then, as TFTP server."""
    world.make("CTLFile.tlv", TOKENS_11)
    world.make("itl-pub.tlv", ITL_10)
    world.make("itl-sub1.tlv", SUB1_10)
    return renew(world, "CTLFile.tlv", "itl-pub.tlv", "itl-sub1.tlv", "--release", "11.5", "--renew", "callmanager",
                 *args, status=0)


def test_a_tftp_certificate_is_no_reason_where_tvs_is_asked(world):
    text, answer = tokens_and_a_subscriber(world)
    both = next(phone for phone in answer["phases"][0]["lists"][0]["phones"] if phone["class"] == "sbd")
    assert both["by_tvs"] is True
    assert "signer-is-sast, and another list by tvs" in words(text)
    assert "TFTP certificate signed" not in text
    assert "tftp-signs-itl" not in [line["code"] for line in answer["assumptions"]]


def test_without_tvs_a_tftp_certificate_is_an_assumption(world):
    text, answer = tokens_and_a_subscriber(world, "--group", "west=cucm-1051-a-sub1")
    both = next(phone for phone in answer["phases"][0]["lists"][0]["phones"] if phone["class"] == "sbd")
    assert both["by_tvs"] is False
    assert "assumes that phones take an ITL that a TFTP certificate signed" in words(text)
    assert "tftp-signs-itl" in [line["code"] for line in answer["assumptions"]]


def test_json_has_the_rules_and_assumptions_of_all_lists(world):
    def phones(*args):
        answer = tokens_and_a_subscriber(world, *args)[1]
        return {phone["class"]: phone for phone in answer["phases"][0]["lists"][0]["phones"]}

    known = phones()
    assert (known["sbd"]["reasons"], known["sbd"]["assumptions"]) == (["signer-is-sast", "tvs"], [])
    # Without an ITL a phone has no TVS to ask: the check before the plan is to find it.
    assert known["sbd-ctl-only"]["assumptions"] == ["tftp-signs-itl"]
    west = phones("--group", "west=cucm-1051-a-sub1")
    assert west["sbd"]["reasons"] == ["signer-is-sast", "signer-is-tftp"]
    assert west["sbd"]["assumptions"] == ["tftp-signs-itl"] and west["no-sbd"]["assumptions"] == []


def test_a_phone_without_an_itl_is_looked_for_if_nobody_says_that_it_takes_all(world):
    text, answer = tokens_and_a_subscriber(world)
    assert [line["code"] for line in answer["warnings"]] == ["itl-missing"]
    assert "no source says that it takes every later list with a CTL alone" in words(text)


def test_a_refusal_is_never_called_tvs(world):
    """TVS knows the signer, but no node of the group has a TVS that the phone believes."""
    world.make("itl-pub.tlv", ITL_10)
    world.make("itl-sub1.tlv", SUB1_10)
    text, answer = renew(world, "itl-pub.tlv", "itl-sub1.tlv", "--release", "11.5", "--renew", "callmanager",
                         "--group", "west=cucm-1051-a-sub1", status=1)
    refused = next(phone for phone in answer["phases"][0]["lists"][0]["phones"] if not phone["accepted"])
    assert (refused["reason"], refused["reasons"]) == ("signer-unknown", ["signer-unknown"])
    assert "refused: tvs" not in text and "refused: signer-unknown" in text


@pytest.mark.parametrize("release,warned", [("12.5", False), ("14", True)])
def test_the_ctl_client_writes_the_list_of_a_token(world, release, warned):
    world.make("CTLFile.tlv", TOKENS_11)
    world.make("itl-pub.tlv", ITL_12)
    text, answer = renew(world, "CTLFile.tlv", "itl-pub.tlv", "--release", release, "--renew", "capf", status=0)
    write = next(step for step in answer["phases"][0]["steps"] if step["code"] == "write")
    assert write["title"] == "Let the CTL Client write the CTL, with a token that the present one lists"
    assert ("WARNING: The CTL Client is unsupported from 14 on" in text) == warned
    assert "A phone of each model shows the MD5 or the SHA-1 that 'show ctl' printed" in words(text)


def test_tokens_that_the_release_does_not_take(world):
    """From 14SU3 on nobody writes a list that a token signs; TVS is in none."""
    world.make("CTLFile.tlv", TOKENS_11)
    world.make("itl-pub.tlv", ITL_12)
    args = ["CTLFile.tlv", "itl-pub.tlv", "--release", "14SU3", "--renew"]
    assert renew(world, *args, "tvs", status=0)
    world.run.refused(2, "plan", *args, "capf", cwd=world.folder,
                      says=["CUCM 14SU3 takes no tokens", "move to a tokenless CTL first"])


@pytest.mark.parametrize("release,node,others", [("11.5", "cucm-1051-a-sub1", True), ("12.5", "", False)])
def test_itlrecovery_is_renewed_where_it_is(world, release, node, others):
    """Before 12.5 each node has its own; a subscriber's is not on the publisher."""
    sub1 = "recovery-lower@sub1" if others else "golden-recovery"
    itl = "SAST={}! SAST={} CCM+TFTP={} TVS=golden-tvs CAPF=capf"
    signers = [("pub", "golden-recovery"), ("sub1", sub1)]
    for name, recovery in signers:
        world.make(f"itl-{name}.tlv", itl.format(*((name, recovery) if others else (recovery, name)), name))
    what = "itlrecovery" + (f"@{node}" if node else "")
    text, _ = renew(world, "itl-pub.tlv", "itl-sub1.tlv", "--release", release, "--renew", what, status=0)
    step = words(text.split("Phase 1: ITLRecovery certificate\n")[1].split("choose Regenerate")[0])
    assert ("on the publisher" in step) == (not others)
    assert ("cucm-1051-a-sub1" in step) == others and "cucm-1051-a-pub" not in step


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


def way_out(answer):
    """The commands of the last step, for phones that refuse after all."""
    step, = [step for phase in answer["phases"] for step in phase["steps"] if step["code"] == "recover"]
    return [line["text"] for line in step["lines"] if line["kind"] == "command"]


@pytest.mark.parametrize("what,ctl,itl", [
    ("callmanager", [], []),
    ("itlrecovery", ["utils ctl reset localkey"], ["utils itl reset localkey"]),
    ("tvs", ["utils ctl reset localkey"], ["utils itl reset localkey"])])
def test_no_key_that_was_renewed_frees_phones(world, what, ctl, itl):
    """'reset localkey' signs with CallManager's key of today: phones of before must know that one."""
    world.make("CTLFile.tlv", CTL_12)
    world.make("itl-pub.tlv", ITL_12)
    for lists, want in ((["CTLFile.tlv", "itl-pub.tlv"], ctl), (["itl-pub.tlv"], itl)):
        text, answer = renew(world, *lists, "--release", "12.5", "--renew", what, status=0)
        assert way_out(answer) == want, text
        assert "--recover --installed-dir" in text


@pytest.mark.parametrize("release,what,commands", [
    ("9.1", "tvs", []), ("10.5(2)", "tvs", ["utils itl reset localkey"]),
    ("11.5", "callmanager", ["utils itl reset localkey"]), ("11.5", "itlrecovery", [])])
def test_the_spare_key_signs_before_12(world, release, what, commands):
    """The command came with 10.0(1), and lets ITLRecovery of today sign [117598]."""
    world.make("itl-pub.tlv", ITL_10.replace("SAST=golden-recovery ", "") if release == "9.1" else ITL_10)
    text, answer = renew(world, "itl-pub.tlv", "--release", release, "--renew", what, status=0)
    assert way_out(answer) == commands
    assert ("It helps phones that hold its certificate of today as SAST" in words(text)) == (commands != [])
    assert ("'utils itl reset remotekey'" in words(text)) == (release != "9.1")


@pytest.mark.parametrize("release,ctl,itl", [("11.5", CTL_10, ITL_10), ("11.5", TOKENS_11, ITL_10),
                                             ("12.5", TOKENS_11, ITL_12)])
def test_mixed_mode_has_no_command_for_the_itl_alone(world, release, ctl, itl):
    """[214231] has 'utils itl reset localkey' for clusters that are not mixed."""
    world.make("CTLFile.tlv", ctl)
    world.make("itl-pub.tlv", itl)
    for what in ("tvs", "capf"):
        text, answer = renew(world, "CTLFile.tlv", "itl-pub.tlv", "--release", release, "--renew", what, status=0)
        assert way_out(answer) == [] and "utils itl" not in text


def test_tokens_without_itlrecovery_in_the_ctl(world):
    """The CTL Client wrote this CTL before it took anchors in. ITLRecovery is in the ITLs alone."""
    world.make("CTLFile.tlv", "SAST=t1! CCM+TFTP=pub CAPF=capf CCM+TFTP=sub1 SAST=t2")
    world.make("itl-pub.tlv", ITL_12)
    text, answer = renew(world, "CTLFile.tlv", "itl-pub.tlv", "--release", "12.5", "--renew", "itlrecovery", status=0)
    assert [len(phase["lists"]) for phase in answer["phases"]] == [1]
    assert "utils itl" not in text and "utils ctl" not in text


def test_whose_key_the_command_uses_on_other_nodes(world):
    """Documents name the publisher, where the command is run; of other TFTP nodes they say nothing."""
    world.make("itl-pub.tlv", ITL_12)
    world.make("itl-sub1.tlv", "SAST=golden-recovery! SAST=sub1 CCM+TFTP=sub1 TVS=golden-tvs CAPF=capf")
    for lists, says in ((["itl-pub.tlv"], False), (["itl-pub.tlv", "itl-sub1.tlv"], True)):
        for what in ("itlrecovery", "tvs"):
            text, answer = renew(world, *lists, "--release", "12.5", "--renew", what, status=0)
            codes = [line["code"] for line in answer["assumptions"]]
            assert ("itl-reset-each" in codes) == (says and what == "itlrecovery"), text


def test_a_restore_is_no_way_back_for_every_phone(world):
    """BACKUP_TWICE: ITLRecovery of the backup is a stranger to phones that took the new lists."""
    world.make("CTLFile.tlv", CTL_12)
    world.make("itl-pub.tlv", ITL_12)
    text, _ = renew(world, "CTLFile.tlv", "itl-pub.tlv", "--release", "12.5", "--renew", "itlrecovery", status=0)
    warning = "WARNING: Phones that have taken a new list may refuse the lists of the backup."
    assert warning in words(text.split("\nRollback")[1])
    (world.folder / "held").mkdir()
    for kind, spec in (("CTL", CTL_12), ("ITL", ITL_12)):
        world.make(f"{kind}File.tlv", spec, filename=f"{kind}File.tlv")
        new = world.make("later.tlv", spec.replace("=golden-recovery", "=recovery2"), filename=f"{kind}File.tlv",
                         timestamp=1426000060)
        new.rename(world.folder / "held" / f"{kind}File.tlv")
    # The lists of the backup are those of today then.
    run = world.run("plan", "--recover", "--installed-dir", "held", "--release", "12.5", "CTLFile.tlv", "ITLFile.tlv",
                    "--json", cwd=world.folder)
    held = json.loads(run.out)["holders"]
    assert held and not any(each["takes_today"] for each in held)


@pytest.mark.parametrize("release,first,again", [("9.1", 0, 0), ("10.5(2)", 1, 0), ("12.5", 1, 1)])
def test_the_spare_key_is_saved_first(world, release, first, again):
    """'plan --recover' needs it later. A new ITLRecovery is saved again."""
    itl = ITL_12 if release == "12.5" else ITL_10 if first else ITL_10.replace("SAST=golden-recovery ", "")
    world.make("itl-pub.tlv", itl)
    for what, times in (("tvs", first), ("itlrecovery", first + again)):
        if what == "tvs" or again:
            text, answer = renew(world, "itl-pub.tlv", "--release", release, "--renew", what, status=0)
            assert text.count("admin: file get tftp ITLRecovery.p12") == times


def test_certificates_as_the_vendor_writes_them(world):
    world.make("itl-pub.tlv", ITL_12)
    lists = ["itl-pub.tlv", "--release", "12.5", "--renew"]
    assert renew(world, *lists, "CallManager", status=0) == renew(world, *lists, "callmanager", status=0)


@pytest.mark.parametrize("release,ctl,itl,says", [
    ("12.5", CTL_10, ITL_10, "in CUCM 12.5 ITLRecovery signs, but another key has signed a list of today"),
    ("11.5", CTL_12, ITL_12, "in CUCM 11.5 CallManager signs, but another key has signed a list of today"),
    ("12.5", CTL_12, ITL_10, "in CUCM 12.5 ITLRecovery signs"),
    ("12.5", CTL_12, ITL_12, None), ("11.5", CTL_10, ITL_10, None), ("11.5", TOKENS_11, ITL_10, None)])
def test_a_release_unlike_the_lists_is_an_assumption(world, release, ctl, itl, says):
    """With a release that was mistyped the verdict would be another cluster's."""
    world.make("CTLFile.tlv", ctl)
    world.make("itl-pub.tlv", itl)
    text, answer = renew(world, "CTLFile.tlv", "itl-pub.tlv", "--release", release, "--renew", "tvs", status=0)
    codes = [line["code"] for line in answer["assumptions"]]
    assert ("release-unlike-lists" in codes) == (says is not None), text
    verdict = " ".join(text.split("Phases, and what is down")[0].split())
    assert says is None or f"assumed: The release is right: {says}" in verdict
    assert answer["summary"].endswith(f"(if CUCM {release} is the right release)") == (says is not None)
    assert text.count("The release is right") == (says is not None)


def test_blank_itls(world):
    """The rollback parameter is set, services restart, phones reset, certificates change; then back."""
    world.make("itl-pub.tlv", ITL_10)
    text, answer = renew(world, "itl-pub.tlv", "--release", "11.5", "--renew", "callmanager", "--renew",
                         "tvs", "--blank-itl", status=0)
    assert kinds(answer) == ["blank-itl", "callmanager", "tvs", "restore-itl"]
    assert text.startswith("Plan: write blank ITLs, then renew CallManager certificate")
    codes = [[step["code"] for step in phase["steps"] if step["part"] == "steps"] for phase in answer["phases"]]
    assert codes[0] == ["blank-itl", "restart", "restart", "reset"]
    assert codes[3] == ["restore-itl", "restart", "restart", "reset"]
    for i in (0, 3):
        assert answer["phases"][i]["restarts"] == ["Cisco Trust Verification Service", "Cisco Tftp"]
        assert "HTTPS" in answer["phases"][i]["hits"]
    assert "regenerate" in codes[1] and "regenerate" in codes[2]  # a blank ITL shows no TVS certificate
    assert "clear" not in codes[1] + codes[2]
    checks = [step["code"] for phase in answer["phases"] for step in phase["steps"]]
    assert checks.count("check-blank") == checks.count("check-full") == 1
    assert checks.count("way-back") == 1
    reasons = [phase["lists"][0]["phones"][0]["reason"] for phase in answer["phases"]]
    assert reasons == ["signer-is-sast"] + ["leap-of-faith"] * 3
    assert "accepted: leap-of-faith, as the ITL that they hold is blank [SG15]" in words(text)
    assert answer["phases"][0]["gate"]["code"] == "must-not-miss"
    source, _, same = page_of(world, "itl-pub.tlv", "--release", "11.5", "--renew", "callmanager",
                              "--renew", "tvs", "--blank-itl")
    assert same == answer
    says_all(Page(source), answer)


@pytest.mark.parametrize("lists", [["CTLFile.tlv", "itl-west.tlv"], ["itl-west.tlv", "itl-pub.tlv"],
                                   ["CTLFile.tlv", "itl-pub.tlv", "itl-west.tlv"]])
@pytest.mark.parametrize("way", [["--renew", "tvs"], ["--recover", "--installed-dir", "held"]])
def test_a_list_of_another_cluster(world, lists, way):
    """It shares no node with the others, however much was renewed."""
    for name, spec in (("CTLFile.tlv", CTL_12), ("itl-pub.tlv", ITL_12), ("itl-west.tlv", OTHER_ITL)):
        world.make(name, spec)
    (world.folder / "held").mkdir()
    shutil.copy(world.folder / "itl-pub.tlv", world.folder / "held")
    run = world.run("plan", *lists, "--release", "12.5", *way, "--html", "plan.html", cwd=world.folder)
    assert run.status == 2 and run.out == "" and not (world.folder / "plan.html").exists(), str(run)
    assert "shares neither a node nor a certificate with the other lists: is it of another cluster" in run.err


def test_a_list_of_another_cluster_that_names_no_tftp_node(world):
    """The sentence does without the node's name."""
    world.make("itl-pub.tlv", ITL_12)
    world.make("itl-west.tlv", OTHER_ITL.replace("CCM+TFTP=asa@west/10.9.9.1 ", ""))
    run = world.run("plan", "itl-pub.tlv", "itl-west.tlv", "--release", "12.5", "--renew", "tvs", cwd=world.folder)
    assert run.status == 2 and "the ITL shares neither a node nor a certificate" in run.err, str(run)


@pytest.mark.parametrize("status,says,args", [
    (2, "the rollback parameter does not blank the CTL",
     ["CTLFile.tlv", "itl-pub.tlv", "--renew", "tvs", "--blank-itl"]),
    (2, "option '--blank-itl' goes with '--renew' only", ["CTLFile.tlv", "CTLFile.tlv", "--blank-itl"]),
    (2, "no ITL was given", ["CTLFile.tlv", "--renew", "tvs"]),
    (2, "Tomcat and IPsec certificates are in no list, so phones need no new one: leave the option out", ["CTLFile.tlv", "itl-pub.tlv", "--renew", "tomcat"]),
    (2, "'sip' is none of callmanager, capf, tvs, itlrecovery", ["CTLFile.tlv", "itl-pub.tlv", "--renew", "sip"]),
    (2, "'callmanager,tvs' is more than one: give the option once for each",
     ["CTLFile.tlv", "itl-pub.tlv", "--renew", "callmanager,tvs"]),
    (2, "option '--installed-dir' does not go with '--renew'",
     ["CTLFile.tlv", "itl-pub.tlv", "--renew", "tvs", "--installed-dir", "."]),
    (4, "no node of the lists is called 'nowhere': they show cucm-1051-a-pub, cucm-1051-a-sub1", ["CTLFile.tlv", "itl-pub.tlv", "--renew", "tvs@nowhere"]),
    (4, "the lists show no certificate for 'capf@cucm-1051-a-sub1'",
     ["CTLFile.tlv", "itl-pub.tlv", "--renew", "capf@cucm-1051-a-sub1"]),
    (2, "'west' is not NAME=NODE,NODE", ["CTLFile.tlv", "itl-pub.tlv", "--renew", "tvs", "--group", "west"]),
    (2, "option '--sast-trust' does not go with '--renew'",
     ["CTLFile.tlv", "itl-pub.tlv", "--renew", "tvs", "--sast-trust", ".", "--html", "plan.html"]),
    (2, "option '--group' goes with '--renew' or '--recover' only", ["CTLFile.tlv", "CTLFile.tlv", "--group", "a=b"]),
    (2, "plan takes an old and a new list", ["CTLFile.tlv"]),
    (2, "two CTLs were given", ["CTLFile.tlv", "CTLFile.tlv", "itl-pub.tlv", "--renew", "tvs"]),
])
def test_what_cannot_be_planned(world, status, says, args):
    world.make("CTLFile.tlv", CTL_12)
    world.make("itl-pub.tlv", ITL_12)
    world.run.refused(status, "plan", *args, "--release", "12.5", says=[says], cwd=world.folder)
    assert not (world.folder / "plan.html").exists()


def test_lists_in_a_style_that_cucm_does_not_write(world):
    """CUCM's own list would spell the signer otherwise than what phones hold."""
    world.make("CTLFile.tlv", CTL_12)
    world.make("itl-pub.tlv", ITL_12, style="rfc4514")
    world.run.refused(2, "plan", "CTLFile.tlv", "itl-pub.tlv", "--release", "12.5", "--renew", "callmanager",
                      says=["the ITL is in style rfc4514, which CUCM does not write"], cwd=world.folder)


# The vendor's sequences (docs/CLUSTER.md, "Renewing certificates") --------------------------------

CAPF, CTI, HAPROXY = "Cisco Certificate Authority Proxy Function", "Cisco CTIManager", "Cisco HAProxy"
CALLMANAGER, TVS, TFTP = "Cisco CallManager", "Cisco Trust Verification Service", "Cisco Tftp"
UPDATE, CTL_KEY, ITL_KEY = "utils ctl update CTLFile", "utils ctl reset localkey", "utils itl reset localkey"
RELEASES = ["9.1(2)", "10.0(1)", "10.5(2)", "11.5", "12.0(1)", "12.5", "14", "14SU3", "15"]
# {list}: what writes the CTL, if the cluster has one.
VENDOR = {
    "capf": ["regenerate", "{list}", CAPF, TVS, TFTP, "reset", "lsc"],  # 214231
    "callmanager": ["regenerate", "{list}", CALLMANAGER, CTI, TVS, TFTP, HAPROXY, "reset"],  # 214231
    "tvs": ["regenerate", TVS, TFTP, "reset"],  # 214231, 217138
    "itlrecovery, not mixed": ["regenerate", ITL_KEY, "show itl", "reset", "check", TFTP, "reset"],  # SG-cert
    # SG-cert and FN70613 name no TVS and TFTP; 214231 restarts them, and the ITLs need it.
    "itlrecovery, mixed": ["regenerate", CTL_KEY, CALLMANAGER, CTI, "reset", "check", "{list}", TVS, TFTP, "reset"],
    # It does not sign: one list is enough [SG-CTL]; the services are those of 214231.
    "itlrecovery, spare": ["regenerate", "{list}", TVS, TFTP, "reset"],
}


def lists_of(release, mode):
    """CTL and ITL as the release writes them [SG-CTL, SG12.5]."""
    at = RELEASES.index(release)
    recovery_signs = at >= RELEASES.index("12.0(1)")
    nodes = " CCM+TFTP=pub CAPF=capf CCM+TFTP=sub1"
    itl = ITL_12 if recovery_signs else ITL_10
    if mode == "not-mixed":
        return None, itl
    if mode == "tokens":
        anchors = " SAST=golden-recovery SAST=pub" if at >= RELEASES.index("11.5") else ""
        return "SAST=t1!" + anchors + nodes + " SAST=t2", itl
    if recovery_signs:
        return CTL_12, itl
    return ("SAST=pub!" + nodes if release == "10.0(1)" else CTL_10), itl


def sequence(phase):
    """What is done, as the table above spells it."""
    done = []
    for step in phase["steps"]:
        if step["part"] != "steps":
            continue
        commands = [line["text"] for line in step["lines"] if line["kind"] == "command"]
        if step["code"] == "restart":
            done.append(commands[0].removeprefix("utils service restart "))
        elif step["code"] in ("write", "show"):
            done.append(commands[0])
        else:
            done.append(step["code"])
    return done


def wanted(kind, release, mode):
    signs = RELEASES.index(release) >= RELEASES.index("12.0(1)") and mode != "tokens"
    if kind == "itlrecovery":
        kind += ", not mixed" if signs and mode == "not-mixed" else ", mixed" if signs else ", spare"
    written = {"not-mixed": [], "tokens": ["show ctl"], "tokenless": [UPDATE]}[mode]
    if kind == "itlrecovery, spare" and "golden-recovery" not in (lists_of(release, mode)[0] or ""):
        written = []  # the CTL does not have it yet [SG-CTL], so there is nothing to write anew
    return [word for step in VENDOR[kind] for word in (written if step == "{list}" else [step])]


@pytest.mark.parametrize("mode", ["not-mixed", "tokenless", "tokens"])
@pytest.mark.parametrize("release", RELEASES)
def test_the_plan_is_the_vendors_sequence(world, release, mode):
    """Each single renewal. Where phones refuse, the sequence is the vendor's too, and the plan says who and why."""
    if (mode == "tokenless" and release == "9.1(2)") or (mode == "tokens" and release in ("14SU3", "15")):
        pytest.skip("this release has no such cluster")
    ctl, itl = lists_of(release, mode)
    world.make("itl-pub.tlv", itl)
    files = ["itl-pub.tlv"]
    if ctl:
        world.make("CTLFile.tlv", ctl)
        files.insert(0, "CTLFile.tlv")
    for kind in ("capf", "callmanager", "tvs", "itlrecovery"):
        # CallManager signs before 12.0: phones that can ask no TVS know no successor of it.
        refused = kind == "callmanager" and mode == "tokenless" and release in RELEASES[:4]
        text, answer = renew(world, *files, "--release", release, "--renew", kind, status=int(refused))
        assert kinds(answer) == [kind]
        done = sequence(answer["phases"][0])
        if refused:
            assert done.pop() == "clear"
            locked = [phone["class"] for one in answer["phases"][0]["lists"] for phone in one["phones"]
                      if not phone["accepted"]]
            assert locked == ["sbd-ctl-only", "no-sbd"]
            assert [line["code"] for line in answer["dangers"]] == ["lock-out"] and answer["remedies"]
        assert done == wanted(kind, release, mode), (kind, text)
        if CTL_KEY in done:
            assert "two are followed, as each is then provably acceptable. [214231, SG-cert]" in words(text)


def renewed_nodes(phase):
    """Whose certificates the step says are to be regenerated."""
    step = next(step for step in phase["steps"] if step["code"] == "regenerate")
    return [line["text"] for line in step["lines"] if line["code"] == "node"]


@pytest.mark.parametrize("blank", [False, True])
@pytest.mark.parametrize("node,nodes", [("", ["pub", "sub1"]), ("@cucm-1051-a-pub", ["pub"]),
                                        ("@cucm-1051-a-sub1", ["sub1"])])
def test_steps_name_every_node_and_no_other(world, node, nodes, blank):
    """Each ITL shows its own node's CallManager alone."""
    world.make("itl-pub.tlv", ITL_12)
    world.make("itl-sub1.tlv", ITL_12.replace("=pub", "=sub1"))
    text, answer = renew(world, "itl-pub.tlv", "itl-sub1.tlv", "--release", "12.5", "--renew",
                         f"callmanager{node}", *["--blank-itl"] * blank, status=0)
    phase = answer["phases"][int(blank)]
    assert [label.split()[0] for label in renewed_nodes(phase)] == [f"cucm-1051-a-{name}" for name in nodes]
    assert sequence(phase) == wanted("callmanager", "12.5", "not-mixed")
    assert f"renew CallManager certificate of {'every node' if not node else node[1:]}" in text.splitlines()[0]


def test_lists_that_were_printed(world):
    """With their certificates they are rebuilt, and the plan is that of the files."""
    certs = []
    for name, spec in (("CTLFile", CTL_12), ("itl-pub", ITL_12)):
        path = world.make(f"{name}.tlv", spec)
        signed = json.loads(world.run.ok("show", "--json", path).out)["header"]["timestamp"]
        os.utime(path, (signed, signed))
        (world.folder / f"{name}.log").write_text(world.run.ok("show", path, env={"TZ": "UTC"}).out)
        world.run.ok("extract", path, "-o", world.folder / name, "--trust", world.pem("golden-recovery"))
        certs += ["--certs", name]
    options = ["--release", "15", "--renew", "callmanager", "--renew", "tvs"]
    addresses = ["--address", f"cucm-1051-a-pub={NODES_OF['pub']}", "--address", f"cucm-1051-a-sub1={NODES_OF['sub1']}"]
    logs = ["CTLFile.log", "itl-pub.log"]
    _, wanted_answer = renew(world, "CTLFile.tlv", "itl-pub.tlv", *options, status=0)
    _, answer = renew(world, *logs, *certs, *addresses, *options, status=0)
    assert answer == wanted_answer


def print_lists(world, *files):
    """What 'show' prints of each, in a log of its own."""
    logs = []
    for file in files:
        logs.append(file.replace(".tlv", ".log"))
        (world.folder / logs[-1]).write_text(world.run.ok("show", world.folder / file).out)
    return logs


def without_addresses(answer):
    """The same answer, if only names of nodes were known."""
    return json.loads(re.sub(r" \(10\.[0-9.]+\)", "", json.dumps(answer)))


def assumed(answer):
    return [line["code"] for line in answer["assumptions"]]


PRINTED = ["signature-good", "printed"]


@pytest.mark.parametrize("mode", ["not-mixed", "tokenless", "tokens"])
@pytest.mark.parametrize("release", RELEASES)
def test_printed_lists_without_certificates(world, release, mode):
    """Phases, verdicts, gates and steps are those over the files; what the text lacks is said as assumption."""
    if (mode == "tokenless" and release == "9.1(2)") or (mode == "tokens" and release in ("14SU3", "15")):
        pytest.skip("this release has no such cluster")
    files = ["itl-pub.tlv", "itl-sub1.tlv"]
    for name, spec in zip(("CTLFile.tlv", *files), (lists_of(release, mode)[0], lists_of(release, mode)[1],
                                                    lists_of(release, mode)[1].replace("TFTP=pub", "TFTP=sub1"))):
        if spec:
            world.make(name, spec)
            files = [name, *files] if name == "CTLFile.tlv" else files
    logs = print_lists(world, *files)
    for what in (ALL, ["--renew", "callmanager"]):
        args = ["--release", release, *what]
        status = world.run("plan", *files, *args, cwd=world.folder).status
        file_text, file = renew(world, *files, *args, status=status)
        text, answer = renew(world, *logs, *args, status=status)
        assert assumed(answer) == [*PRINTED, *assumed(file)]
        answer["assumptions"] = answer["assumptions"][len(PRINTED):]
        assert answer == without_addresses(file) != file
        assert "assumed: the signature is good" in text and "assumed: the signature" not in file_text
        assert "0.0.0.0" not in text and "1970" not in text
        mixed = renew(world, files[0], *logs[1:], *args, status=status)[1]
        assert mixed["summary"] == file["summary"] and mixed["phases"][0]["lists"] == file["phases"][0]["lists"]


def test_a_printed_list_of_the_ctl_client(world):
    """It has addresses for names, and the ITL names for addresses: the node's certificate says that it is one."""
    world.make("CTLFile.tlv", "SAST=t1! CCM+TFTP=pub CAPF=capf CCM+TFTP=sub1 SAST=t2", style="ctl-client")
    world.make("itl-pub.tlv", ITL_10)
    world.make("itl-sub1.tlv", ITL_10.replace("TFTP=pub", "TFTP=sub1"))
    files = ["CTLFile.tlv", "itl-pub.tlv", "itl-sub1.tlv"]
    for order in (files, files[::-1]):
        args = ["--release", "10.5", *ALL]
        _, file = renew(world, *order, *args, status=0)
        text, answer = renew(world, *print_lists(world, *order), *args, status=0)
        assert assumed(answer) == [*PRINTED, *assumed(file)]
        answer["assumptions"] = file["assumptions"]
        assert without_addresses(answer) == without_addresses(file)
        assert "0.0.0.0" not in text and "cucm-1051-a-sub1 (10.48.47.154)" in text


def test_a_printed_list_with_some_certificates(world):
    """What --certs shows is genuine, and the rest has stand-ins: the plan is the same, with a warning."""
    world.make("itl-pub.tlv", ITL_12)
    log, = print_lists(world, "itl-pub.tlv")
    args = [log, "--release", "15", *ALL]
    _, wanted_answer = renew(world, *args, status=0)
    run = world.run("plan", *args, "--json", "--certs", world.pem("golden-tvs"), cwd=world.folder)
    assert run.status == 0 and f"{log}: " in run.err and "certificate" in run.err
    assert json.loads(run.out) == wanted_answer


def test_a_list_that_was_printed_as_bad(world):
    """As over the file: its signature is not taken to be good."""
    path = world.make("itl-pub.tlv", ITL_12)
    content = bytearray(path.read_bytes())
    content[200] ^= 1  # in field 12
    path.write_bytes(content)
    (world.folder / "itl-pub.log").write_text(world.run("show", path).out)
    args = ["--release", "15", "--renew", "callmanager"]
    _, file = renew(world, "itl-pub.tlv", *args, status=0)
    warning = "itl-pub.log: signature: CUCM could not verify it, as the text says"
    text, answer = renew(world, "itl-pub.log", *args, status=0, warning=warning)
    assert assumed(answer) == ["printed", *assumed(file)] and "the signature is good" not in text
    answer["assumptions"] = file["assumptions"]
    assert answer == without_addresses(file)


def test_a_printed_list_that_is_damaged(world):
    """Nothing is guessed where the text has lost a part."""
    world.make("itl-pub.tlv", ITL_12)
    log, = print_lists(world, "itl-pub.tlv")
    path = world.folder / log
    lines = path.read_text().splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if "PUBLICKEY" in line)
    path.write_text("".join(lines[:at] + lines[at + 1:]))
    run = world.run.refused(3, "plan", log, "--release", "15", *ALL, says=[log, "line "], cwd=world.folder)
    assert run.out == ""


# Large clusters ----------------------------------------------------------------------------------

NODES = 20


def large_cluster(world, signer):
    """The CTL, and the ITL of each of twenty nodes. signer: ITLRecovery's certificate or the node's own."""
    def load(name, cn, serial):
        path = world.folder / f"{name}.pem"
        make_certificate(path, world.keys["rsa2048"], [("COMMON_NAME", cn)], serial=serial)
        return peerwrite.load(path)

    def row(cert, role, node):
        return peerwrite.record_fields(cert, role, "cucm", f"node{node}", f"10.0.0.{node + 1}")

    recovery, capf = peerwrite.load(world.pem("recovery")), peerwrite.load(world.pem("capf"))
    ccm = [load(f"ccm{i}", f"node{i}", 0x5000 + i) for i in range(NODES)]
    tvs = [load(f"tvs{i}", f"node{i}", 0x6000 + i) for i in range(NODES)]
    lists = {"CTLFile.tlv": [row(ccm[i], "CCM+TFTP", i) for i in range(NODES)]}
    for i in range(NODES):
        lists[f"itl-{i}.tlv"] = [row(ccm[i], "CCM+TFTP", i)] + [row(tvs[k], "TVS", k) for k in range(NODES)]
    for i, (name, rows) in enumerate(lists.items()):
        node = max(i - 1, 0)
        rows[:0] = [row(recovery, "SAST", node), row(ccm[node], "SAST", node)]
        rows.append(row(capf, "CAPF", 0))
        key = world.key("recovery") if signer == 0 else world.keys["rsa2048"]
        filename = "CTLFile.tlv" if i == 0 else "ITLFile.tlv"
        (world.folder / name).write_bytes(peerwrite.assemble(rows, signer, key, filename=filename))
    return sorted(lists)


@pytest.mark.skipif(SANITIZED, reason="a sanitizer takes its own time and memory")
@pytest.mark.parametrize("release,signer,status", [("15", 0, 0), ("11.5", 1, 1)])
def test_twenty_nodes_are_quick(world, release, signer, status):
    """A second of the processor and 20 MB. If no order exists, the publisher apart and the remedies are tried
    too: three seconds then, as builds for tests are slow."""
    args = ["plan", *large_cluster(world, signer), "--release", release, *ALL, "--html", "plan.html"]
    # A small process in between: the kernel counts a child's memory from before it became the program.
    counter = ("import os, sys; pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ); "
               "_, code, used = os.wait4(pid, 0); "
               "print(os.waitstatus_to_exitcode(code), used.ru_utime + used.ru_stime, used.ru_maxrss, file=sys.stderr)")
    run = subprocess.run([sys.executable, "-I", "-S", "-c", counter, PROGRAM, *args], cwd=world.folder,
                         capture_output=True, text=True, check=True)
    code, seconds, kibibytes = run.stderr.split()
    assert int(code) == status
    assert ("what helps: Upgrade" in run.stdout) == (status == 1) and "node19" in run.stdout
    assert float(seconds) < (1 if status == 0 else 3)
    assert int(kibibytes) < 20 * 1024


# What a plan is made of: text, JSON and page ------------------------------------------------------

def words(text):
    return " ".join(text.split())


def test_every_step_has_its_source_and_every_source_its_line(world):
    world.make("CTLFile.tlv", CTL_12)
    world.make("itl-pub.tlv", ITL_12)
    text, answer = renew(world, "CTLFile.tlv", "itl-pub.tlv", "--release", "15", *ALL, status=0)
    body, legend = text.split("\nSources\n")
    for phase in answer["phases"]:
        for step in phase["steps"]:
            assert step["sources"], step["title"]
            assert f"{step['title']} [{', '.join(step['sources'])}]" in words(body)
    used = {tag for tags in re.findall(r"\[([^\]\n]+)\]", words(body)) for tag in tags.split(", ")}
    explained = re.findall(r"^  \[([^\]]+)\] \S.*$", legend, re.M)
    assert sorted(explained) == sorted(used) and len(explained) > 10


def page_of(world, *args, status=0):
    """A page, and the JSON of the same plan."""
    path = world.folder / "plan.html"
    run = world.run("plan", *args, "--html", path, "--json", cwd=world.folder)
    assert (run.status, run.err) == (status, ""), str(run)
    return path.read_text(encoding="utf-8"), path, json.loads(run.out)


@pytest.fixture
def four(world):
    """A page of four phases."""
    world.make("CTLFile.tlv", CTL_12)
    world.make("itl-pub.tlv", ITL_12)
    return page_of(world, "CTLFile.tlv", "itl-pub.tlv", "--release", "15", *ALL)


def says_all(page, answer):
    """Whether the page has all that the JSON has."""
    text = page.text
    assert answer["summary"] in text
    lines = answer["dangers"] + answer["warnings"] + answer["assumptions"]
    for phase in answer["phases"]:
        assert words(phase["hits"]) in text
        lines += [phase["gate"]] if phase["gate"] else []
        for step in phase["steps"]:
            assert words(step["title"]) in text
            lines += step["lines"]
    for line in lines:
        assert words(line["text"]) in text
        for tag in line["sources"]:
            assert f"[{tag}]" in text, "not in the legend"
    for remedy in answer["remedies"]:
        assert f"What helps: {words(remedy)}" in text


def test_the_page_says_what_the_json_says(four):
    source, _, answer = four
    page = Page(source)
    says_all(page, answer)
    assert '<p class="banner good">' in source and "REFUSED" not in page.text
    steps = [step for phase in answer["phases"] for step in phase["steps"]]
    assert source.count('<p class="title">') == len(steps)
    ticks = [a["aria-label"] for tag, a in page.tags if tag == "input" and "aria-label" in a]
    assert ticks == [f"done: step {i + 1}" for i in range(len(steps))]
    numbers = re.findall(r'<span class="number">(\d+)[.]</span>', source)
    assert numbers == [str(i + 1) for i in range(len(steps))]


def test_the_page_has_the_order_of_the_text(world, four):
    """The time line stands at the top, the steps under it."""
    text, _ = renew(world, "CTLFile.tlv", "itl-pub.tlv", "--release", "15", *ALL, status=0)
    heads = re.findall("<h2>([^<]*)</h2>", four[0])
    assert heads[:2] == ["Verdict", "Phases, and what is down"] and heads[-1] == "Legend"
    lines = [line for line in text.splitlines() if line in heads]
    assert lines == heads[:-1]


def test_the_time_line_shows_what_is_down(four):
    source, _, answer = four
    rows = re.findall(r'<div class="line"><div>(.*?)</div><div class="track phases">(.*?)</div></div>', source)
    shown = {name: [int(n) for n in re.findall(r">(\d+)</span>", track)] for name, track in rows}
    wanted = {"All phones are reset": [i + 1 for i, p in enumerate(answer["phases"]) if p["resets"]]}
    for i, phase in enumerate(answer["phases"]):
        for service in phase["restarts"]:
            wanted.setdefault(f"{service} restarts", []).append(i + 1)
    assert shown == wanted and len(wanted) == 7
    for left, width, n in re.findall(r"left:([0-9.]+)%;width:([0-9.]+)%;[^>]*>(\d)<", source):
        assert float(left) == (int(n) - 1) * 25 and 20 < float(width) < 25


def test_a_refused_plan_makes_its_page(world):
    """Headed REFUSED, with the reason and what helps; the status is that of the text."""
    world.make("CTLFile.tlv", CTL_10)
    world.make("itl-pub.tlv", ITL_10)
    args = ["CTLFile.tlv", "itl-pub.tlv", "--release", "11.5", "--renew", "callmanager"]
    source, _, answer = page_of(world, *args, status=1)
    page = Page(source)
    says_all(page, answer)
    assert "<title>REFUSED. Plan: renew CallManager" in source
    assert '<h1 class="bad">REFUSED. Plan' in source and '<p class="banner bad">' in source
    assert answer["accepted"] is False and answer["dangers"] and answer["remedies"]
    text, _ = renew(world, *args, status=1)
    for line in answer["dangers"]:
        assert words(f"DANGER: {line['text']}") in words(text)


def test_a_page_replaces_a_page_only(world):
    world.make("itl-pub.tlv", ITL_12)
    args = ["plan", "itl-pub.tlv", "--release", "12.5", "--renew", "tvs", "--html", "plan.html"]
    page = world.folder / "plan.html"
    page.write_text("somebody's notes")
    world.run.refused(9, *args, says=["plan.html"], cwd=world.folder)
    assert page.read_text() == "somebody's notes"
    world.run.ok(*args, "--overwrite", cwd=world.folder)
    first = page.read_text()
    world.run.ok(*args, cwd=world.folder)
    made = re.compile("Made [^;.]*")
    assert made.sub("", page.read_text()) == made.sub("", first)


def test_hostile_names_are_text(world):
    hostile = "<img-src=x>&'\x1b[31m"
    spec = ITL_12.replace("=pub", f"=pub@{hostile}/10.0.0.1")
    world.make("itl-pub.tlv", spec)
    source, _, _ = page_of(world, "itl-pub.tlv", "--release", "12.5", "--renew", "callmanager")
    Page(source)
    assert "<img" not in source and "\x1b" not in source and "&lt;img-src=x&gt;" in source


@pytest.fixture(scope="module")
def chromium():
    one = browser.Browser()
    yield one
    one.close()


@needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 400])
def test_in_a_browser(chromium, four, scheme, width, tmp_path):
    """Nothing is asked for, nothing sticks out, everything can be read; CTLSIGN_SHOTS gets pictures."""
    said, asked = complaints(chromium.open(four[1], width, 900, scheme))
    assert said == [] and asked == []
    assert chromium.ask("document.documentElement.scrollWidth") <= width
    assert chromium.ask(WIDE) == []
    for text, ink, paper in chromium.ask(COLOURS):
        a, b = sorted((luminance(ink), luminance(paper)))
        assert (b + 0.05) / (a + 0.05) >= 4.5, f"{scheme}: {text!r} is {ink} on {paper}"
    assert chromium.ask("document.querySelectorAll('.track.phases span').length") > 10
    if os.environ.get("CTLSIGN_SHOTS"):
        shot = tmp_path / f"renew-{scheme}-{width}.png"
        chromium.screenshot(shot)
        shutil.copy(shot, os.environ["CTLSIGN_SHOTS"])


def test_neither_name_nor_address(world):
    """Nothing can be written in the place of such a record; the message says which one it is."""
    rows = [[(tag, b"\0" if tag == 2 else value) for tag, value in world.row(word.rstrip("!"), "cucm") if tag != 10]
            for word in ITL_12.split()]
    (world.folder / "itl-pub.tlv").write_bytes(
        peerwrite.assemble(rows, 0, world.key("golden-recovery"), filename="ITLFile.tlv"))
    world.run.refused(2, "plan", "itl-pub.tlv", "--release", "12.5", "--renew", "callmanager",
                      says=["record 2: it cannot be written with a renewed certificate", "neither name nor address"],
                      cwd=world.folder)
