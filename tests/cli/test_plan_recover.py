# SPDX-License-Identifier: Apache-2.0
"""plan --recover: phones refuse already, and what each kind of them would accept again."""
import html
import itertools
import json
import os
import re

import pytest
import test_plan
from conftest import DATA
from test_plan import World
from test_plan_renew import CTL_10, CTL_12, ITL_10, ITL_12, TOKENS_11, begins_and_ends

SAVED = "the ITLRecovery.p12 of the key that phones know was saved"
OUTSIDE = "a CTL made outside CUCM gets onto the TFTP nodes"
IN_MIXED = "'utils itl reset' helps in mixed mode too"
GOLDEN = DATA / "plans" / "recover-all-at-once.txt"
PARTS = ("callmanager", "itlrecovery", "tvs")
# What comes in the place of a certificate of test_plan_renew.
RENEWED = {"callmanager": {"pub": "pub-regenerated"}, "itlrecovery": {"golden-recovery": "golden-recovery2"},
           "tvs": {"golden-tvs": "golden-tvs2"}, "capf": {"capf": "golden-capf2"}}
OLD = {"timestamp": 1600000000}
NEW = {"timestamp": 1700000000}


@pytest.fixture
def world(ctlsign, cluster, keys, tmp_path, monkeypatch):
    monkeypatch.setitem(test_plan.MADE, "golden-tvs2", ("cucm-1051-a-pub", "SAST-ADN0054f509.key", 0x2005))
    return World(ctlsign, cluster, keys, tmp_path)


def hold(world, folder, **specs):
    """Lists that phones hold: CTL and ITL of one time in one folder."""
    (world.folder / "held" / folder).mkdir(parents=True, exist_ok=True)
    for kind, spec in specs.items():
        name = f"held/{folder}/{kind.upper()}File.tlv"
        world.make(name, spec, filename=f"{kind.upper()}File.tlv", **OLD)


def serve(world, ctl=None, itl=None):
    if ctl:
        world.make("CTLFile.tlv", ctl, **NEW)
    if itl:
        world.make("itl-pub.tlv", itl, **NEW)
    return [name for name, there in (("CTLFile.tlv", ctl), ("itl-pub.tlv", itl)) if there]


def recover(world, lists, release, *args, status, warns=""):
    """The text of a plan; its JSON says the same."""
    command = ["plan", "--recover", "--installed-dir", "held", *lists, "--release", release, *args]
    run = world.run(*command, cwd=world.folder)
    assert (run.status, run.err) == (status, warns), str(run)
    answer = json.loads(world.run(*command, "--json", cwd=world.folder).out)
    assert answer["accepted"] == (status == 0)
    assert answer["summary"] == run.out.splitlines()[-1]
    words = " ".join(run.out.split("What this rests on\n")[1].split("\nSources\n")[0].split())
    assert words.count("assumed: ") == len(answer["assumptions"])
    assert all(f"assumed: {line['text']}" in words and line["code"] for line in answer["assumptions"])
    if answer["steps"]:
        begins_and_ends(answer["steps"], answer["steps"])
        told = {tag for step in answer["steps"] for part in (step, *step["lines"]) for tag in part["sources"]}
        assert told <= set(re.findall(r"^  \[([^\]]+)\] \S", run.out.split("\nSources\n")[1], re.M))
    return run.out, answer


def ways(answer, number):
    return [way["way"] for way in answer["holders"][number - 1]["ways"]]


def order(answer):
    return [(step["way"], step["frees"]) for step in answer["order"]]


def commands(answer):
    return [line["text"] for step in answer["steps"] if step["part"] == "steps" for line in step["lines"]
            if line["kind"] == "command"]


def renewed(spec, *parts):
    """The list of the same cluster after these certificates were renewed."""
    new = {old: new for part in parts for old, new in RENEWED[part].items()}
    return re.sub(r"=([a-z0-9-]+)", lambda m: "=" + new.get(m.group(1), m.group(1)), spec)


@pytest.mark.parametrize("release", ["11.5", "12.5"])
@pytest.mark.parametrize("parts", [parts for n in range(4) for parts in itertools.combinations(PARTS, n)], ids="+".join)
def test_each_set_not_mixed(world, release, parts):
    """What helps follows from which keys are left: nobody needs the model to say it."""
    itl = ITL_12 if release == "12.5" else ITL_10
    signer, spare = ("itlrecovery", "callmanager") if release == "12.5" else ("callmanager", "itlrecovery")
    hold(world, "2020", itl=itl)
    text, answer = recover(world, serve(world, itl=renewed(itl, *parts)), release, status=0)
    if signer not in parts or "tvs" not in parts:
        assert order(answer) == []
        assert answer["holders"][0]["takes_today"] is True
    elif spare not in parts:
        assert order(answer) == [("itl-reset-localkey", [1])]
        assert commands(answer) == ["utils itl reset localkey", "show itl",
                                    "utils service restart Cisco Trust Verification Service",
                                    "utils service restart Cisco Tftp"]
        assert "Do not restart Cisco Tftp before" in text
    else:
        assert order(answer) == [("itl-reset-remotekey", [1])]
        assert ways(answer, 1) == ["itl-reset-remotekey", "backup", "hand"]
        assert answer["summary"].endswith(f"without hands on them, if {SAVED}")
        assert answer["holders"][0]["todays_itl"] == {"accepted": False, "reason": "signer-unknown"}


@pytest.mark.parametrize("release", ["11.5", "12.5"])
@pytest.mark.parametrize("parts", [parts for n in range(4) for parts in itertools.combinations(PARTS, n)], ids="+".join)
def test_each_set_mixed(world, release, parts):
    """Phones with Security by Default hold both lists, the others the CTL alone."""
    new = release == "12.5"
    ctl, itl = (CTL_12, ITL_12) if new else (CTL_10, ITL_10)
    signer, spare = ("itlrecovery", "callmanager") if new else ("callmanager", "itlrecovery")
    hold(world, "2020", ctl=ctl, itl=itl)
    text, answer = recover(world, serve(world, renewed(ctl, *parts), renewed(itl, *parts)), release, status=0)
    assert [one["class"] for one in answer["holders"]] == ["sbd", "no-sbd"]
    plain, sbd = signer in parts, signer in parts and "tvs" in parts
    assert [one["takes_today"] for one in answer["holders"]] == [not sbd, not plain]
    waiting = [number for number, waits in ((1, sbd), (2, plain)) if waits]
    if not waiting:
        assert order(answer) == []
    elif new and spare not in parts:
        assert order(answer) == [("ctl-reset-localkey", waiting)]
        assert commands(answer)[0] == "utils ctl reset localkey"
        assert "utils ctl update CTLFile" in commands(answer)
    elif sbd:
        command = "itl-reset-remotekey" if spare in parts else "itl-reset-localkey"
        assert order(answer) == [(command, [1]), ("ctl-signed-by-itlrecovery", [2])]
    else:
        assert order(answer) == [("ctl-signed-by-itlrecovery", [2])]
    gone = waiting and "itlrecovery" in parts and spare in parts
    outside = any(way == "ctl-signed-by-itlrecovery" for way, _ in order(answer))
    # [214231] has the command for the ITL for clusters that are not mixed.
    for_itl = any(way.startswith("itl") for way, _ in order(answer))
    assert answer["needs"] == ["saved-key"] * bool(gone) + ["outside-list"] * outside + ["itl-command"] * for_itl
    assert [said in answer["summary"] for said in (SAVED, OUTSIDE, IN_MIXED)] == [bool(gone), outside, for_itl]
    folded = " ".join(text.split())
    assert ("assumed: 'utils itl reset' helps phones of a mixed cluster too. [open]" in folded) == for_itl
    assert not for_itl or "'utils ctl reset localkey' for a mixed one. [214231]" in folded
    assert ("'file get tftp ITLRecovery.p12' exports ITLRecovery" in folded) == (outside and not gone)
    assert ("exports today's key, which these phones do not know" in folded) == bool(outside and gone)


def test_all_at_once_at_15_mixed(world):
    """Scenario 1 of [225746], as people read it."""
    hold(world, "2020", ctl=CTL_12, itl=ITL_12)
    lists = serve(world, renewed(CTL_12, *RENEWED), renewed(ITL_12, *RENEWED))
    text, answer = recover(world, lists, "15", status=0)
    if os.environ.get("CTLSIGN_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


def test_the_page_says_the_same(world):
    hold(world, "2013", itl=old_itl("capf", "golden-tvs"))
    hold(world, "<b>2014", itl=old_itl("pub", "golden-tvs2"))
    lists = serve(world, itl=old_itl("pub-regenerated", "tvs"))
    run = world.run("plan", "--recover", "--installed-dir", "held", *lists, "--release", "9.1", "--html", "plan.html",
                    cwd=world.folder)
    assert run.status == 1 and run.err == "", str(run)
    page = (world.folder / "plan.html").read_text()
    assert "<title>REFUSED. Plan: recover phones</title>" in page
    assert "held/&lt;b&gt;2014/ITLFile.tlv" in page and "<b>2014" not in page
    text = html.unescape(re.sub("<[^>]+>", "", page))
    for line in run.out.splitlines():
        if re.match(r" *[0-9]+\. ", line):
            assert re.sub(r" *\[.*", "", line.split(". ", 1)[1])[:60] in text, line
    again = world.run("plan", "--recover", "--installed-dir", "held", *lists, "--release", "9.1", "--html", lists[0],
                      cwd=world.folder)
    assert again.status == 9  # a list is no page


def test_a_token_still_signs(world):
    """The cluster went tokenless and renewed all: phones know the tokens yet."""
    hold(world, "2015", ctl=TOKENS_11, itl=ITL_10)
    lists = serve(world, renewed(CTL_10, *RENEWED), renewed(ITL_10, *RENEWED))
    text, answer = recover(world, lists, "11.5", status=0)
    assert [way for way in ways(answer, 2) if way.startswith("ctl")] == [
        "ctl-signed-by-token", "ctl-signed-by-token", "ctl-signed-by-itlrecovery"]
    assert {key["place"] for key in answer["holders"][1]["keys"]} == {"token", "saved", "backup"}
    assert order(answer) == [("itl-reset-remotekey", [1]), ("ctl-signed-by-token", [2])]
    assert answer["needs"] == ["saved-key", "token", "outside-list", "itl-command"]
    assert answer["summary"].endswith(f"freed without hands on them, if {SAVED}, and if the token is at hand, "
                                      f"and if {OUTSIDE}, and if {IN_MIXED}")
    assert [step["number"] for step in answer["steps"] if step["code"] == "publish"] == [None]  # open


def test_a_list_that_was_never_written_anew(world):
    """CallManager is renewed, and TFTP has written the ITL, but nobody has updated the CTL."""
    world.make("CTLFile.tlv", CTL_12, timestamp=1650000000)
    hold(world, "2020", ctl=CTL_12, itl=ITL_12)
    world.make("itl-pub.tlv", renewed(ITL_12, "callmanager"), **NEW)
    text, answer = recover(world, ["CTLFile.tlv", "itl-pub.tlv"], "12.5", status=0)
    assert order(answer) == [("served", [1, 2])]
    assert [one["takes_today"] for one in answer["holders"]] == [True, True]
    assert commands(answer)[:2] == ["utils ctl update CTLFile", "show ctl"]


@pytest.mark.parametrize("ctl,licence", [(CTL_12, True), (TOKENS_11, False)])
def test_the_licence_is_for_the_command_alone(world, ctl, licence):
    """Where tokens sign, the CTL Client writes the CTL that nobody has written anew."""
    world.make("CTLFile.tlv", ctl, timestamp=1650000000)
    hold(world, "2020", ctl=ctl, itl=ITL_12)
    world.make("itl-pub.tlv", renewed(ITL_12, "callmanager"), **NEW)
    text, answer = recover(world, ["CTLFile.tlv", "itl-pub.tlv"], "12.5", status=0)
    assert ("licence" in [step["code"] for step in answer["steps"]]) == licence
    assert ("utils ctl update CTLFile" in commands(answer)) == licence
    assert ("Let the CTL Client write the CTL" in text) != licence


def test_what_the_vendor_has_for_the_mode_comes_first(world):
    """The command for the ITL would free more kinds of phones in one go: those of sub1 too."""
    sub1 = "SAST=golden-recovery! SAST=sub1 CCM+TFTP=sub1 TVS=golden-tvs"
    hold(world, "2020", ctl=CTL_12, itl=ITL_12)
    hold(world, "2021", itl=sub1)
    hold(world, "2022", itl=f"{sub1} CAPF=capf")
    lists = serve(world, renewed(CTL_12, "itlrecovery", "tvs"), renewed(ITL_12, "itlrecovery", "tvs"))
    world.make("itl-sub1.tlv", renewed(f"{sub1} CAPF=capf", "itlrecovery", "tvs"), **NEW)
    text, answer = recover(world, [*lists, "itl-sub1.tlv"], "12.5", status=0)
    assert order(answer) == [("ctl-reset-localkey", [1, 2]), ("itl-reset-localkey", [3, 4])]
    assert "itl-reset-localkey" in ways(answer, 1)
    folded = " ".join(text.split())
    assert f"; assumes that {IN_MIXED}" in folded
    assert "assumed: 'utils itl reset' signs the ITL of each TFTP node with that node's own key." in folded


def old_itl(signer, tvs):
    return f"SAST={signer}! CCM+TFTP={signer} TVS={tvs}"


def test_two_kinds_of_phones_and_one_backup(world):
    """9.1 has no spare anchor. The backup of one kind locks the other one out, which is then cleared."""
    hold(world, "2013", itl=old_itl("capf", "golden-tvs"))
    hold(world, "2014", itl=old_itl("pub", "golden-tvs2"))
    text, answer = recover(world, serve(world, itl=old_itl("pub-regenerated", "tvs")), "9.1", status=1)
    assert [ways(answer, number) for number in (1, 2)] == [["backup", "hand"]] * 2
    assert order(answer) == [("backup", [1]), ("hand", [2])]
    assert answer["needs"] == ["backup"]
    assert text.splitlines()[-1] == ("REFUSED: 1 of 2 kinds of phones can only be cleared by hand; others are freed "
                                     "if a DRS backup of the time of these lists is there")
    assert "Settings > Security > Trust List" in " ".join(text.split())
    assert "from after 2020-09-13T12:26:40Z" in " ".join(text.split())


def test_a_backup_of_a_bad_list_is_none(world):
    """What phones hold does not verify, so no cluster ever served it."""
    hold(world, "2013", itl=old_itl("pub", "golden-tvs"))
    path = world.folder / "held" / "2013" / "ITLFile.tlv"
    data = bytearray(path.read_bytes())
    data[data.index(b"ITLFile.tlv") - 40] ^= 1  # in the signature, which stands in front of it
    path.write_bytes(data)
    text, answer = recover(world, serve(world, itl=old_itl("pub-regenerated", "tvs")), "9.1", status=1)
    assert ways(answer, 1) == ["hand"] and answer["holders"][0]["has_way"] is False
    assert order(answer) == [("hand", [1])]


def test_a_list_of_today_that_does_not_verify(world):
    """The signer is known, but its signature is not good: CUCM writes the list anew."""
    hold(world, "2020", itl=ITL_12)
    path = world.folder / serve(world, itl=ITL_12)[0]
    data = bytearray(path.read_bytes())
    data[data.index(b"ITLFile.tlv") - 40] ^= 1
    path.write_bytes(data)
    text, answer = recover(world, ["itl-pub.tlv"], "12.5", status=0)
    assert answer["holders"][0]["todays_itl"] == {"accepted": False, "reason": "bad-signature"}
    assert order(answer) == [("served", [1])]
    assert "utils service restart Cisco Tftp" in commands(answer)


def test_lists_of_several_times_in_one_folder(world):
    """As accept --installed-dir: each is held alone. Equal ones are one kind of phones."""
    hold(world, "2020", ctl=CTL_12, itl=ITL_12)
    for name in ("ctl-a.tlv", "ctl-b.tlv"):
        world.make(f"held/{name}", CTL_12, filename="CTLFile.tlv", **OLD)
    text, answer = recover(world, serve(world, CTL_12, ITL_12), "12.5", status=0)
    assert [(one["class"], one["ctl"], one["itl"]) for one in answer["holders"]] == [
        ("sbd-ctl-only", "held/ctl-a.tlv", None), ("no-sbd", "held/ctl-a.tlv", None),
        ("sbd", "held/2020/CTLFile.tlv", "held/2020/ITLFile.tlv")]
    assert answer["steps"] == answer["order"] == []
    assert text.splitlines()[-1] == "All phones take the lists of today"


def test_no_way_hurts_phones_that_are_through(world):
    """Phones that hold today's lists go every way too, and hold the last lists again."""
    hold(world, "2020", itl=ITL_12)
    hold(world, "2023", itl=renewed(ITL_12, *RENEWED))
    text, answer = recover(world, serve(world, itl=renewed(ITL_12, *RENEWED)), "12.5", status=0)
    assert order(answer) == [("itl-reset-remotekey", [1])]
    assert [one["takes_today"] for one in answer["holders"]] == [False, True]
    assert ways(answer, 2) == []


SUB1_ITL = "SAST=sub1! CCM+TFTP=sub1 TVS=golden-tvs CAPF=capf"


@pytest.mark.parametrize("sub1,frees,hand", [(SUB1_ITL, [1, 2], []),
                                             (SUB1_ITL.replace("=capf", "=golden-capf2"), [1], [2])])
def test_a_backup_brings_back_the_itl_of_each_node(world, sub1, frees, hand):
    """Of one time are ITLs that agree in what all nodes' ITLs have: TVS and CAPF."""
    hold(world, "pub", itl=old_itl("pub", "golden-tvs") + " CAPF=capf")
    hold(world, "sub1", itl=sub1)
    lists = serve(world, itl=old_itl("pub-regenerated", "golden-tvs2") + " CAPF=capf")
    world.make("itl-sub1.tlv", "SAST=sub1-renewed! CCM+TFTP=sub1-renewed TVS=golden-tvs2 CAPF=capf", **NEW)
    text, answer = recover(world, [*lists, "itl-sub1.tlv"], "9.1", status=1 if hand else 0)
    assert order(answer) == [("backup", frees)] + [("hand", hand)] * bool(hand)
    title = next(step["title"] for step in answer["steps"] if step["code"] == "restore")
    assert "held/pub/ITLFile.tlv" in title and ("held/sub1/ITLFile.tlv" in title) == (not hand)


def test_a_backup_of_the_time_of_a_node_that_is_gone(world):
    """Its list is named, and when it was signed."""
    hold(world, "gone", itl=SUB1_ITL)
    lists = serve(world, itl=old_itl("pub-regenerated", "golden-tvs2") + " CAPF=capf")
    text, answer = recover(world, lists, "9.1", status=0)
    assert order(answer) == [("backup", [1])]
    restore = next(step for step in answer["steps"] if step["code"] == "restore")
    assert restore["title"].endswith("of the time when the cluster served held/gone/ITLFile.tlv")
    assert "from after 2020-09-13T12:26:40Z" in " ".join(text.split())


def test_a_backup_of_lists_without_a_time(world):
    """No date is made up."""
    hold(world, "gone", itl=SUB1_ITL)
    world.make("held/gone/ITLFile.tlv", SUB1_ITL, filename="ITLFile.tlv", timestamp=0)
    lists = serve(world, itl=old_itl("pub-regenerated", "golden-tvs2") + " CAPF=capf")
    text, _ = recover(world, lists, "9.1", status=0)
    assert "Take a backup from after a time that is not known, when these lists were signed" in " ".join(text.split())


@pytest.mark.parametrize("style", ["cucm", "ctl-client"])
def test_tvs_is_told_of_the_token(world, style):
    """Moved to tokens without an upload: phones with Security by Default wait for it, the others hold no TVS."""
    hold(world, "2020", ctl=CTL_10, itl=ITL_10)
    world.make("CTLFile.tlv", TOKENS_11, style=style, **NEW)
    lists = ["CTLFile.tlv", *serve(world, itl=ITL_10)]
    text, answer = recover(world, lists, "10.5(2)", status=0)
    assert order(answer)[0] == ("phone-sast-trust", [1])
    assert "phone-sast-trust" in ways(answer, 1) and "phone-sast-trust" not in ways(answer, 2)
    upload = next(step for step in answer["steps"] if step["code"] == "upload")
    assert any("SAST-ADN0054f509 (SHA-1 " in line["text"] for line in upload["lines"])
    assert next(way for way in answer["holders"][0]["ways"] if way["way"] == "phone-sast-trust")["reason"] == "tvs"


def test_an_upload_helps_nobody_whose_tvs_was_renewed(world):
    hold(world, "2020", ctl=CTL_10, itl=ITL_10)
    lists = serve(world, renewed(TOKENS_11, "callmanager"), renewed(ITL_10, "tvs", "callmanager"))
    _, answer = recover(world, lists, "10.5(2)", status=0)
    assert "phone-sast-trust" not in ways(answer, 1) + ways(answer, 2)


def test_lists_of_today_that_contradict_each_other_and_one_that_is_missing(world):
    """The ITL has a CallManager that the later CTL does not show: that of sub1 is like it, but for what is its own."""
    hold(world, "2020", ctl=CTL_10, itl=ITL_10)
    world.make("itl-pub.tlv", renewed(ITL_10, "callmanager"), **OLD)
    _, answer = recover(world, [*serve(world, CTL_10), "itl-pub.tlv"], "10.5(2)", status=0)
    assert answer["summary"] == "All phones take the lists of today, which CUCM has not written anew since a change"


def test_the_way_without_what_is_not_there(world):
    """Each time the next one of the ways that the plan before named; the last one is always there."""
    hold(world, "2020", ctl=CTL_12, itl=ITL_12)
    lists = serve(world, renewed(CTL_12, *PARTS), renewed(ITL_12, *PARTS))
    text, answer = recover(world, lists, "12.5", status=0)
    assert order(answer) == [("itl-reset-remotekey", [1]), ("ctl-signed-by-itlrecovery", [2])]
    for without, wanted in ((["saved-key"], [("backup", [1, 2])]), (["backup"], order(answer)),
                            (["saved-key", "backup"], [("hand", [1, 2])])):
        args = [word for each in without for word in ("--without", each)]
        text, answer = recover(world, lists, "12.5", *args, status=1 if wanted[0][0] == "hand" else 0)
        assert order(answer) == wanted and answer["without"] == without
        assert not set(answer["needs"]) & set(without)
        assert " ".join(text.split()).count("as '--without' says") == len(without)


def test_each_way_has_its_needs(world):
    """The plan's own needs are those of the ways that it goes."""
    hold(world, "2020", ctl=CTL_12, itl=ITL_12)
    _, answer = recover(world, serve(world, renewed(CTL_12, *PARTS), renewed(ITL_12, *PARTS)), "12.5", status=0)
    assert {way["way"]: way["needs"] for way in answer["holders"][0]["ways"]} == {
        "itl-reset-remotekey": ["saved-key", "itl-command"], "ctl-signed-by-itlrecovery": ["saved-key", "outside-list"],
        "backup": ["backup"], "hand": []}


def test_a_key_that_the_cluster_has_needs_no_file(world):
    """What was not saved can be exported today."""
    hold(world, "2020", ctl=CTL_10, itl=ITL_10)
    lists = serve(world, renewed(CTL_10, "callmanager"), renewed(ITL_10, "callmanager"))
    _, answer = recover(world, lists, "11.5", "--without", "saved-key", status=0)
    assert order(answer) == [("ctl-signed-by-itlrecovery", [2])]


@pytest.mark.parametrize("release,code,says", [("12.5", "write", None), ("14", "write", "The CTL Client is unsupported"),
                                               ("14SU3", "publish", "The CTL Provider takes no tokens")])
def test_who_writes_the_list_of_a_token(world, release, code, says):
    """What comes behind a list that was made outside: nobody writes that of a token from 14SU3 on."""
    hold(world, "2020", ctl=CTL_12, itl=ITL_12)
    text, answer = recover(world, serve(world, TOKENS_11, ITL_12), release, status=0)
    last = [step for step in answer["steps"] if step["part"] == "steps" and step["code"] in ("write", "publish")][-1]
    assert last["code"] == code and ("CTL Client write" in last["title"]) == (code == "write")
    assert says is None or any(says in line["text"] for line in last["lines"])


@pytest.mark.parametrize("status,says,args", [
    (2, "name the folder of their lists with '--installed-dir'", ["itl-pub.tlv", "--recover"]),
    (2, "option '--renew' does not go with '--recover'",
     ["itl-pub.tlv", "--recover", "--installed-dir", "held", "--renew", "tvs"]),
    (2, "option '--sast-trust' does not go with '--recover'",
     ["itl-pub.tlv", "--recover", "--installed-dir", "held", "--sast-trust", "held"]),
    (2, "option '--installed-dir' goes with '--recover' only", ["itl-pub.tlv", "itl-pub.tlv", "--installed-dir", "held"]),
    (2, "option '--without' goes with '--recover' only", ["itl-pub.tlv", "itl-pub.tlv", "--without", "token"]),
    (2, "option '--without' does not go with '--renew'", ["itl-pub.tlv", "--renew", "tvs", "--without", "token"]),
    (2, "option '--without': unknown value 'release'", ["itl-pub.tlv", "--recover", "--installed-dir", "held", "--without", "release"]),
    (2, "no ITL was given", ["CTLFile.tlv", "--recover", "--installed-dir", "held"]),
    (3, "no list in this folder", ["itl-pub.tlv", "--recover", "--installed-dir", "empty"]),
    (3, "nowhere", ["itl-pub.tlv", "--recover", "--installed-dir", "nowhere"]),
    (3, "damaged", ["itl-pub.tlv", "--recover", "--installed-dir", "damaged"]),
    (4, "names a node that the lists do not show",
     ["itl-pub.tlv", "--recover", "--installed-dir", "held", "--group", "west=nowhere"]),
])
def test_what_cannot_be_planned(world, status, says, args):
    serve(world, CTL_12, ITL_12)
    hold(world, "2020", itl=ITL_12)
    (world.folder / "empty").mkdir()
    (world.folder / "damaged").mkdir()
    (world.folder / "damaged" / "CTLFile.tlv").write_bytes((world.folder / "CTLFile.tlv").read_bytes()[:700])
    run = world.run("plan", *args, "--release", "12.5", cwd=world.folder)
    assert run.status == status and says in run.err and run.out == "", str(run)


def test_a_release_unlike_the_lists_is_a_condition(world):
    """With a release that was mistyped the commands would be another cluster's."""
    hold(world, "2020", itl=ITL_12)
    lists = serve(world, itl=renewed(ITL_12, "itlrecovery", "tvs"))
    text, answer = recover(world, lists, "11.5", status=0)
    assert answer["needs"] == ["release"]
    assert answer["summary"].endswith("(if CUCM 11.5 is the right release)")
    assert "assumed: The release is right: in CUCM 11.5 CallManager signs, but another key" in " ".join(text.split())
    text, answer = recover(world, lists, "12.5", status=0)
    assert answer["needs"] == [] and "right" not in answer["summary"]


@pytest.mark.parametrize("release,ctl,itl,who", [
    ("9.1(2)", CTL_10, ITL_10, "a token alone"), ("9.1(2)", CTL_12, ITL_10, "a token alone"),
    ("9.1(2)", TOKENS_11, ITL_10, None), ("11.5", CTL_10, ITL_10, None), ("11.5", CTL_12, ITL_10, "CallManager"),
    ("12.5", CTL_10, ITL_12, "ITLRecovery"), ("12.5", CTL_12, ITL_12, None), ("12.5", TOKENS_11, ITL_12, None)])
def test_two_lists_and_a_recovery_doubt_a_release_alike(world, release, ctl, itl, who):
    """One list and one release give one doubt. A CTL of non-secure mode is not written again."""
    ctl = ctl.replace(" CCM+TFTP=sub1", "").replace("CCM+TFTP=", "CCM+TFTP=-@")
    hold(world, "2020", ctl=ctl, itl=itl)
    lists = serve(world, ctl=ctl, itl=itl)
    world.make("new.tlv", ctl.replace("=capf", "=golden-capf2"), timestamp=1710000000)
    runs = [world.run("plan", *args, "--release", release, "--json", cwd=world.folder)
            for args in (["CTLFile.tlv", "new.tlv"], ["--recover", "--installed-dir", "held", *lists])]
    assert all(run.status in (0, 1) for run in runs), "\n".join(map(str, runs))
    said = [[(line["text"], line.get("sources")) for line in json.loads(run.out)["assumptions"]
             if line["code"] == "release-unlike-lists"] for run in runs]
    assert [len(lines) for lines in said] == [who is not None] * 2
    for lines in said if who else ():
        assert f"in CUCM {release} {who} signs, but another key has signed" in lines[0][0]
    assert who is None or said[0][0][1] == said[1][0][1]


def test_one_itl_given_twice(world):
    """A list that is given again says nothing new, and no node is written one of a stranger."""
    hold(world, "2024", itl=ITL_12)
    lists = serve(world, ctl=CTL_12, itl=ITL_12)
    once = recover(world, lists, "12.5", status=0)[1]
    assert recover(world, [*lists, lists[-1]], "12.5", status=0)[1] == once


def test_the_later_itl_of_a_node_is_served(world):
    """An older ITL of the same node is no list of today, whichever is given first."""
    hold(world, "2024", itl=ITL_12)
    lists = serve(world, itl=renewed(ITL_12, "callmanager", "itlrecovery", "tvs"))
    world.make("older.tlv", ITL_12, filename="ITLFile.tlv", **OLD)
    for order in ([*lists, "older.tlv"], ["older.tlv", *lists]):
        answer = recover(world, order, "12.5", status=0)[1]
        assert [holder["takes_today"] for holder in answer["holders"]] == [False], order


# Printed lists --------------------------------------------------------------------------------

def show(world, path, when):
    """What 'show ctl' or 'show itl' prints of the list."""
    os.utime(world.folder / path, (when, when))
    return world.run.ok("show", path, cwd=world.folder).out


def as_log(world, path, when):
    (world.folder / path).write_text(show(world, path, when), encoding="utf-8")


def told(answer):
    """What a plan says of phones, in words that addresses have no part in."""
    holders = [{key: one[key] for key in ("class", "takes_today", "ways", "keys", "todays_ctl", "todays_itl")}
               for one in answer["holders"]]
    for one in holders:
        one["ways"] = [way["way"] for way in one["ways"]]
        one["keys"] = [(key["sha1"], key["sast_in"], key["place"]) for key in one["keys"]]
    return (answer["accepted"], answer["summary"], order(answer), answer["needs"], commands(answer), holders)


def codes(answer):
    return [line["code"] for line in answer["assumptions"]]


@pytest.mark.parametrize("mixed", [False, True], ids=["not-mixed", "mixed"])
@pytest.mark.parametrize("release", ["11.5", "12.5"])
@pytest.mark.parametrize("parts", [parts for n in (0, 1, 2, 3) for parts in itertools.combinations(PARTS, n)], ids="+".join)
def test_printed_lists_say_the_same(world, release, parts, mixed):
    """Names, serial numbers and SHA-1 are enough, for what phones hold as for what they are served."""
    ctl, itl = (CTL_12, ITL_12) if release == "12.5" else (CTL_10, ITL_10)
    specs = {"ctl": ctl, "itl": itl} if mixed else {"itl": itl}
    hold(world, "2020", **specs)
    lists = serve(world, **{kind: renewed(spec, *parts) for kind, spec in specs.items()})
    _, files = recover(world, lists, release, status=0)
    assert "printed" not in codes(files) and "signature-good" not in codes(files)
    for kind in specs:
        as_log(world, f"held/2020/{kind.upper()}File.tlv", OLD["timestamp"])
    _, held = recover(world, lists, release, status=0)
    for name in lists:
        as_log(world, name, NEW["timestamp"])
    text, printed = recover(world, lists, release, status=0)
    assert told(held) == told(printed) == told(files)
    for answer in (held, printed):
        assert {"signature-good", "printed", "printed-time"} <= set(codes(answer))
    assert "assumed: the signature is good" in " ".join(text.split())


def test_one_log_of_what_phones_hold(world):
    """'show ctl' and 'show itl' one after the other: both lists are held together."""
    hold(world, "2020", ctl=CTL_12, itl=ITL_12)
    lists = serve(world, renewed(CTL_12, *PARTS), renewed(ITL_12, *PARTS))
    _, files = recover(world, lists, "12.5", status=0)
    names = [f"held/2020/{kind}File.tlv" for kind in ("CTL", "ITL")]
    log = "".join(f"admin:show {name[10:13].lower()}\n" + show(world, name, OLD["timestamp"]) for name in names)
    for name in names:
        (world.folder / name).unlink()
    (world.folder / "held" / "2020" / "session.log").write_text(log, encoding="utf-8")
    text, answer = recover(world, lists, "12.5", status=0)
    assert told(answer) == told(files)
    assert "that hold held/2020/session.log#1 and held/2020/session.log#2" in " ".join(text.split())


def opened(world, lists, log, trace):
    """How often a run opens the log."""
    run = world.run("plan", "--recover", "--installed-dir", "held", *lists, "--release", "12.5", cwd=world.folder,
                    env={"ASAN_OPTIONS": "detect_leaks=0:exitcode=99"},  # LeakSanitizer traces, too
                    wrapper=["strace", "-qq", "-f", "-o", trace, "-e", "trace=openat,openat2"])
    assert run.status in (0, 1), str(run)
    return sum(log in line for line in trace.read_text(encoding="utf-8").splitlines())


@pytest.mark.usefixtures("can_trace")
def test_a_log_of_many_lists_is_not_read_for_each(world):
    hold(world, "2020", ctl=CTL_12, itl=ITL_12)
    lists = serve(world, renewed(CTL_12, *PARTS), renewed(ITL_12, *PARTS))
    names = [f"held/2020/{kind}File.tlv" for kind in ("CTL", "ITL")]
    both = "".join(f"admin:show {name[10:13].lower()}\n" + show(world, name, OLD["timestamp"]) for name in names)
    for name in names:
        (world.folder / name).unlink()
    log = world.folder / "held" / "2020" / "session.log"
    times = []
    for count in (1, 4):
        log.write_text(both * count, encoding="utf-8")
        times.append(opened(world, lists, "session.log", world.folder / f"trace{count}"))
    assert times[0] == times[1] > 0


def test_a_printed_list_that_is_served(world):
    """The file and its text are one list, by the checksums that are printed."""
    hold(world, "2020", itl=ITL_12)
    lists = serve(world, itl=ITL_12)
    (world.folder / "held" / "2020" / "ITLFile.tlv").write_bytes((world.folder / lists[0]).read_bytes())
    as_log(world, "held/2020/ITLFile.tlv", NEW["timestamp"])
    _, answer = recover(world, lists, "12.5", status=0)
    assert answer["holders"][0]["takes_today"] is True
    assert answer["holders"][0]["todays_itl"] is None


def test_two_printed_lists_that_differ_by_their_checksums(world):
    """All else that is printed may be the same."""
    for folder in ("2020", "2021"):
        hold(world, folder, itl=ITL_12)
        as_log(world, f"held/{folder}/ITLFile.tlv", OLD["timestamp"])
    lists = serve(world, itl=renewed(ITL_12, *PARTS))
    assert len(recover(world, lists, "12.5", status=0)[1]["holders"]) == 1
    log = world.folder / "held" / "2021" / "ITLFile.tlv"
    other = re.sub(r"^[0-9a-f]{32}(?=\(MD5\))", "0" * 32, log.read_text(encoding="utf-8"), flags=re.M)
    log.write_text(other, encoding="utf-8")
    assert len(recover(world, lists, "12.5", status=0)[1]["holders"]) == 2


def test_a_damaged_printed_list_is_an_error(world):
    """As a damaged file is, whatever the log is called: phones may hold it."""
    hold(world, "2020", itl=ITL_12)
    text = show(world, "held/2020/ITLFile.tlv", OLD["timestamp"])
    lists = serve(world, itl=renewed(ITL_12, *PARTS))
    (world.folder / "held" / "2020" / "session.log").write_text(text[:len(text) // 2], encoding="utf-8")
    run = world.run("plan", "--recover", "--installed-dir", "held", *lists, "--release", "12.5", cwd=world.folder)
    assert (run.status, run.out) == (3, "") and "held/2020/session.log" in run.err and "line" in run.err, str(run)


def test_a_printed_list_whose_signature_is_bad(world):
    """What CUCM printed as bad is nobody's assumption."""
    hold(world, "2020", itl=ITL_12)
    lists = serve(world, itl=ITL_12)
    as_log(world, lists[0], NEW["timestamp"])
    log = world.folder / lists[0]
    log.write_text(log.read_text(encoding="utf-8").replace("was verified successfully", "could not be verified"), encoding="utf-8")
    _, answer = recover(world, lists, "12.5", status=0,
                        warns=f"ctlsign: warning: {lists[0]}: signature: CUCM could not verify it, as the text says\n")
    assert "signature-good" not in codes(answer) and "printed" in codes(answer)
    assert answer["holders"][0]["todays_itl"]["accepted"] is False


def test_a_log_without_the_time_of_its_file(world):
    """Which list is the latest is not to be guessed. Lists before and behind it have a path, or none yet."""
    for folder in ("2019", "2020", "2021"):
        hold(world, folder, itl=ITL_12)
    lists = serve(world, itl=renewed(ITL_12, *PARTS))
    for path in ("held/2020/ITLFile.tlv", lists[0]):
        as_log(world, path, OLD["timestamp"])
        log = world.folder / path
        text = log.read_text(encoding="utf-8")
        log.write_text("".join(line for line in text.splitlines(True) if "last modified" not in line), encoding="utf-8")
        run = world.run("plan", "--recover", "--installed-dir", "held", *lists, "--release", "12.5", cwd=world.folder)
        assert run.status == 3 and path in run.err and "'last modified on' is missing" in run.err, str(run)
        log.write_text(text, encoding="utf-8")


def test_an_upload_of_what_is_printed(world):
    """The token's certificate is not at hand here, but whoever has the token has it."""
    hold(world, "2020", ctl=CTL_10, itl=ITL_10)
    lists = serve(world, TOKENS_11, ITL_10)
    _, files = recover(world, lists, "11.5", status=0)
    assert "phone-sast-trust" in ways(files, 1)
    for name, when in ((lists[0], NEW), (lists[1], NEW), ("held/2020/CTLFile.tlv", OLD), ("held/2020/ITLFile.tlv", OLD)):
        as_log(world, name, when["timestamp"])
    assert told(recover(world, lists, "11.5", status=0)[1]) == told(files)
