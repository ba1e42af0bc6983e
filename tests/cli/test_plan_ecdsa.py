# SPDX-License-Identifier: Apache-2.0
"""Lists of 11.x and later: a node has a CallManager-ECDSA record beside that of its CallManager certificate."""
import json

import pytest
from test_plan import World
from test_plan_recover import NEW, commands, hold, recover, serve
from test_plan_renew import kinds, renew, words

CTL = "SAST=golden-recovery! SAST=pub CCM+TFTP=pub CCM+TFTP=pub-ec CAPF=capf CCM+TFTP=sub1 CCM+TFTP=sub1-ec"
ITL = "SAST=golden-recovery! SAST=pub CCM+TFTP=pub CCM+TFTP=pub-ec TVS=golden-tvs CAPF=capf"
V1_1 = {"signer_version": b"\x01\x01"}


@pytest.fixture
def world(ctlsign, cluster, keys, tmp_path):
    return World(ctlsign, cluster, keys, tmp_path)


def ec_first(spec):
    """The EC record stands before the RSA one: no order of theirs is documented."""
    words = spec.split()
    for at, word in enumerate(words):
        if word.endswith("-ec"):
            words[at - 1:at + 1] = [word, words[at - 1]]
    return " ".join(words)


def impacts(answer):
    return [(impact["kind"], impact["event"], impact["what"]) for impact in answer["impacts"]]


@pytest.mark.parametrize("turn", [str, ec_first])
def test_callmanager_is_the_rsa_one(world, turn):
    """The other one is carried along, and the plan says so."""
    world.make("CTLFile.tlv", turn(CTL), **V1_1)
    world.make("itl-pub.tlv", turn(ITL), **V1_1)
    args = ["CTLFile.tlv", "itl-pub.tlv", "--release", "12.5", "--renew", "callmanager"]
    text, answer = renew(world, *args, status=0)
    assert kinds(answer) == ["callmanager"]
    assert "open CallManager.pem" in words(text) and "CallManager-ECDSA.pem" not in text
    assert "ecdsa-stays" in [line["code"] for line in answer["assumptions"]]
    assert "cucm-1051-a-pub-EC" not in text  # a node is called by its RSA certificate's record
    both = renew(world, *args, "--renew", "callmanager-ecdsa", status=0)[1]
    assert "ecdsa-stays" not in [line["code"] for line in both["assumptions"]]


def test_ecdsa_alone(world):
    world.make("CTLFile.tlv", CTL, **V1_1)
    world.make("itl-pub.tlv", ITL, **V1_1)
    text, answer = renew(world, "CTLFile.tlv", "itl-pub.tlv", "--release", "12.5", "--renew",
                         "callmanager-ecdsa@cucm-1051-a-sub1", status=0)
    assert kinds(answer) == ["callmanager-ecdsa"]
    assert text.startswith("Plan: renew CallManager-ECDSA certificate of cucm-1051-a-sub1, in CUCM 12.5")
    assert "open CallManager-ECDSA.pem" in words(text) and "open CallManager.pem" not in words(text)
    assert "utils ctl update CTLFile" in text


def test_no_ecdsa_certificate(world):
    world.make("itl-pub.tlv", ITL.replace(" CCM+TFTP=pub-ec", ""))
    world.run.refused(4, "plan", "itl-pub.tlv", "--release", "12.5", "--renew", "callmanager-ecdsa",
                      says=["the lists show no certificate for 'callmanager-ecdsa'"], cwd=world.folder)


def test_two_of_one_node(world):
    """What is said of two RSA certificates is said of two EC ones."""
    world.make("CTLFile.tlv", CTL.replace("pub-ec", "pub-ec2"), **V1_1)
    world.make("itl-pub.tlv", ITL, **V1_1)
    world.run.refused(1, "plan", "CTLFile.tlv", "itl-pub.tlv", "--release", "12.5", "--renew", "tvs",
                      says=["CallManager-ECDSA certificate: the lists show two different ones"], cwd=world.folder)


@pytest.mark.parametrize("turn", [str, ec_first])
def test_recover(world, turn):
    """The renewed RSA certificate supersedes the old RSA one, not its neighbour."""
    old = turn(ITL).replace("golden-recovery!", "golden-recovery").replace("SAST=pub", "SAST=pub!")
    hold(world, "2024", itl=old)
    new = old.replace("=pub!", "=pub-regenerated!").replace("=pub ", "=pub-regenerated ")
    lists = serve(world, itl=new)
    text, answer = recover(world, lists, "11.5", status=0)
    assert "All phones take" in answer["summary"], text
    assert not any("EC" in command for command in commands(answer))
    assert "pub-EC" not in text


def test_ec_sast_is_no_key(world):
    """An EC certificate that is SAST in what phones hold can sign nothing for them."""
    hold(world, "2024", ctl="SAST=t1! SAST=pub-ec CCM+TFTP=pub CAPF=capf")
    lists = serve(world, ctl="SAST=golden-recovery! SAST=pub-regenerated CCM+TFTP=pub-regenerated CAPF=capf",
                  itl="SAST=golden-recovery! SAST=pub-regenerated CCM+TFTP=pub-regenerated TVS=golden-tvs CAPF=capf")
    text, answer = recover(world, lists, "12.5", status=0)
    assert [way["way"] for holder in answer["holders"] for way in holder["ways"]].count("ctl-signed-by-token") == 2, text
    assert "pub-EC" not in text


def plan(world, new, *args):
    world.make("CTLFile.tlv", CTL, **V1_1)
    world.make("new.tlv", new, **V1_1, **NEW)
    run = world.run("plan", "CTLFile.tlv", "new.tlv", "--release", "12.5", *args, cwd=world.folder)
    answer = json.loads(world.run("plan", "CTLFile.tlv", "new.tlv", "--release", "12.5", "--json",
                                  cwd=world.folder).out)
    assert run.status == 0, str(run)
    return run.out, answer


@pytest.mark.parametrize("new,kind,pem,other", [
    (CTL.replace("pub-ec", "pub-ec2"), "callmanager-ecdsa", "CallManager-ECDSA.pem", "CallManager.pem"),
    (CTL.replace("=pub ", "=pub-regenerated "), "callmanager", "CallManager.pem", "CallManager-ECDSA.pem"),
])
def test_old_and_new_list(world, new, kind, pem, other):
    text, answer = plan(world, new)
    assert [(each[0], each[1]) for each in impacts(answer)] == [(kind, "renewed")]
    assert f"open {pem}" in words(text) and f"open {other}" not in words(text)


def test_ecdsa_comes_and_goes(world):
    """A node whose EC certificate goes is not gone itself."""
    text, answer = plan(world, CTL.replace(" CCM+TFTP=sub1-ec", ""))
    assert [each[:2] for each in impacts(answer)] == [("callmanager-ecdsa", "removed")]
    assert "Node removed" not in text
    text, answer = plan(world, CTL.replace("CCM+TFTP=sub1 CCM+TFTP=sub1-ec", ""))
    assert {each[:2] for each in impacts(answer)} == {("callmanager-ecdsa", "removed"), ("node", "removed")}


@pytest.mark.parametrize("itls", [["itl-pub.tlv"], ["itl-pub.tlv", "itl-sub1.tlv"]])
def test_one_certificate_of_many_nodes(world, itls):
    """Multi-server certificates, RSA and EC: the nodes share each of them, and it is renewed once."""
    world.make("CTLFile.tlv", "SAST=golden-recovery! SAST=san CCM+TFTP=san@pub CCM+TFTP=san-ec@pub CAPF=capf "
               "CCM+TFTP=san@sub1 CCM+TFTP=san-ec@sub1", **V1_1)
    for node in ("pub", "sub1"):
        world.make(f"itl-{node}.tlv", f"SAST=golden-recovery! SAST=san@{node} CCM+TFTP=san@{node} "
                   f"CCM+TFTP=san-ec@{node} TVS=golden-tvs@pub CAPF=capf@pub", **V1_1)
    for what in ("callmanager", "callmanager@cucm-1051-a-sub1", "callmanager-ecdsa", "callmanager-ecdsa@cucm-1051-a-sub1"):
        text, answer = renew(world, "CTLFile.tlv", *itls, "--release", "12.5", "--renew", what, status=0)
        assert kinds(answer) == [what.partition("@")[0]], text
