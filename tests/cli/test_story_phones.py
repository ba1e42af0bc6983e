# SPDX-License-Identifier: Apache-2.0
"""The vendor's stories, lived through by virtual phones on real sockets.

`Story.reset` compares each decision of a phone with what `accept` and `plan` said before. What the
tests themselves say is what the documents of docs/CLUSTER.md say.
"""

import peerlist
import pytest
from cluster.identity import Deck
from phone_stories import Story, closed

SAST, ASKED, FIRST = "signer-is-sast", "tvs", "leap-of-faith"
UNKNOWN, NOT_SAST = "signer-unknown", "signer-not-sast"


@pytest.fixture
def story(ctlsign, tmp_path):
    made = Story(ctlsign, tmp_path)
    yield made
    made.close()
    assert made.mistaken == []  # a test that expects some takes them out


def tokens(cluster):
    return [Deck.sample(cluster, name) for name in ("SAST-ADN0054f509", "SAST-ADN008580ef")]


def three_phones(story, cluster):
    """With Security by Default, at the publisher and at the subscriber; and without."""
    story.phone("new", cluster)
    story.phone("west", cluster, tftp=cluster.nodes[1], group=cluster.nodes[1:])
    story.phone("old", cluster, sbd=False, model="CP-7940")


def of(kind, done):
    return [decisions[kind] for decisions in done.values() if kind in decisions]


@pytest.mark.parametrize("version,back,renewed", [
    ("10.5(1)", [SAST, ASKED, NOT_SAST], [ASKED, ASKED, UNKNOWN]),
    ("10.5(2)", [SAST, ASKED, NOT_SAST], [ASKED, ASKED, UNKNOWN]),
    ("11.5", [SAST, SAST, SAST], [ASKED, ASKED, UNKNOWN]),
    ("12.5", [SAST, SAST, SAST], [SAST, SAST, SAST]),
])
def test_tokenless_to_tokens_and_back(story, cluster, version, back, renewed):
    """118893: the way with tokens, back, and then the publisher's CallManager is renewed."""
    one = story.cluster(version, mode="tokenless")
    three_phones(story, one)
    assert of("CTL", story.reset()) == [FIRST] * 3

    one.to_tokens(*tokens(cluster))
    assert of("CTL", story.reset()) == [UNKNOWN] * 3
    one.upload(*tokens(cluster))
    assert of("CTL", story.reset()) == [ASKED, ASKED, UNKNOWN]
    story.phones["old"].clear()
    assert of("CTL", story.reset()) == [SAST, SAST, FIRST]

    one.to_tokenless()
    assert of("CTL", story.reset()) == back
    if back[2] != SAST:
        story.phones["old"].clear()
        assert story.reset("old")["old"]["CTL"] == FIRST

    one.renew_callmanager(one.publisher)
    one.ctl_update()
    one.restart_tvs()
    one.restart_tftp()
    done = story.reset()
    assert of("CTL", done) == renewed
    assert done["new"]["ITL"] == SAST
    # Whoever refuses the list does not know the server either that signs its configuration.
    assert done["old"]["configuration"] == ("signer-is-tftp" if renewed[2] == SAST else UNKNOWN)


@pytest.mark.parametrize("version", ["10.5(1)", "12.5"])
def test_the_first_itl_in_mixed_mode(story, version):
    """It is checked with the CTL, which has the subscriber's CallManager as a server alone."""
    one = story.cluster(version, mode="tokenless")
    three_phones(story, one)
    done = story.reset()
    assert of("ITL", done) == [SAST, SAST if version == "12.5" else "signer-is-tftp"]
    assert story.phones["old"].group == [node.address for node in one.nodes]


def test_the_lists_of_a_story_are_those_that_the_vendor_printed(story, cluster):
    """Lengths that docs/FORMAT.md has from 118893: of the model's own choice of signers and records."""
    sample = {name: Deck.sample(cluster, name) for name in ("pub", "sub1", "capf")}
    named = {"cucm-1051-a-pub": sample["pub"], "cucm-1051-a-sub1": sample["sub1"], "capf": sample["capf"]}
    one = story.cluster("10.5(1)", mode="tokenless", sample=named, names=list(named)[:2],
                        listed=["10.48.47.153", "10.48.47.154"])
    served = one.publisher.files
    assert len(served["CTLFile.tlv"]) == 4947
    one.to_tokens(*tokens(cluster))
    assert len(served["CTLFile.tlv"]) == 5728
    one.to_tokenless()
    one.publisher.callmanager = Deck.sample(cluster, "pub-regenerated")
    one.ctl_update()
    assert len(served["CTLFile.tlv"]) == 6113


@pytest.mark.parametrize("version", ["11.5", "12.5"])
@pytest.mark.parametrize("uploaded", [True, False])
@pytest.mark.parametrize("mode", ["", "tokenless"])
def test_moving_to_another_cluster(story, version, uploaded, mode):
    """213407: destination's CallManagers and ITLRecovery as Phone-SAST-trust on the source."""
    source = story.cluster(version, mode=mode, names=["src-pub", "src-sub"])
    target = story.cluster(version, mode=mode, names=["dst-pub", "dst-sub"])
    phone = story.phone("mover", source)
    lists = 2 if mode else 1
    story.reset()
    before = dict(phone.held)
    if uploaded:
        source.upload(*[node.callmanager for node in target.nodes], target.itlrecovery)
        source.restart_tvs()
    source.release_phone(phone)
    target.adopt(phone)
    done = story.reset()["mover"]
    if not uploaded:
        assert [done.get("CTL", UNKNOWN), done["ITL"], done["configuration"]] == [UNKNOWN] * 3
        assert phone.held == before
        # The lists show that they are another cluster's: nothing was assumed to be the own.
        assert story.mistaken == []
        # The source's TVS was asked about it, and says the same.
        assert story.compared >= lists
        return
    # The CTL brings the anchor of the ITL.
    assert [done["CTL"], done["ITL"]] == [ASKED, SAST] if mode else [None, ASKED] == [done.get("CTL"), done["ITL"]]
    assert len(phone.held) == lists
    assert phone.group == [node.address for node in target.nodes]
    target.renew_capf()
    target.restart_tftp()
    assert story.reset()["mover"]["ITL"] == SAST


def test_a_phone_without_the_present_itl_cannot_move(story):
    """213407: phones must hold the source's present ITL, or they do not believe its TVS."""
    source, target = (story.cluster("12.5", names=[f"{name}-pub"]) for name in ("src", "dst"))
    story.phone("on", source)
    asleep = story.phone("asleep", source)
    story.reset()
    source.renew_tvs()
    source.restart_tvs()
    source.restart_tftp()
    assert story.reset("on")["on"]["ITL"] == SAST
    source.upload(target.publisher.callmanager, target.itlrecovery)
    for phone in (story.phones["on"], asleep):
        source.release_phone(phone)
        target.adopt(phone)
    assert of("ITL", story.reset()) == [ASKED, UNKNOWN]


def test_itlrecovery_renewed_not_mixed(story):
    """SG-cert: signed with CallManager first, then a restart of TFTP signs with the new ITLRecovery."""
    one = story.cluster("12.5")
    three_phones(story, one)
    story.reset()
    one.renew_itlrecovery()
    one.itl_reset_localkey()
    assert of("ITL", story.reset()) == [SAST, SAST]
    one.restart_tftp()
    assert of("ITL", story.reset()) == [SAST, SAST]


@pytest.mark.parametrize("tvs_is_there", [True, False])
def test_tftp_restarted_before_the_first_reset(story, tvs_is_there):
    """Then only TVS helps, which knows ITLRecovery from 12.0 on."""
    one = story.cluster("12.5")
    story.phone("new", one)
    story.reset()
    if not tvs_is_there:
        for node in one.nodes:
            closed(node)
    one.renew_itlrecovery()
    one.itl_reset_localkey()
    one.restart_tftp()
    assert of("ITL", story.reset()) == [ASKED if tvs_is_there else UNKNOWN]


def test_itlrecovery_renewed_mixed(story):
    """SG-cert, FN70613: utils ctl reset localkey, reset, utils ctl update CTLFile, reset."""
    one = story.cluster("12.5", mode="tokenless")
    three_phones(story, one)
    story.reset()
    one.renew_itlrecovery()
    one.ctl_reset_localkey()
    assert of("CTL", story.reset()) == [SAST] * 3
    one.ctl_update()
    assert of("CTL", story.reset()) == [SAST] * 3
    one.restart_tftp()
    assert of("ITL", story.reset()) == [SAST] * 2


def test_itlrecovery_in_one_step_leaves_phones_without_tvs(story):
    """Without the phase in between the new signer is nobody's anchor."""
    one = story.cluster("12.5", mode="tokenless")
    three_phones(story, one)
    story.reset()
    one.renew_itlrecovery()
    one.ctl_update()
    assert of("CTL", story.reset()) == [ASKED, ASKED, UNKNOWN]


@pytest.mark.parametrize("version,itl", [("11.5", UNKNOWN), ("12.5", SAST)])
def test_callmanager_and_tvs_renewed_together(story, version, itl):
    """214231: the classic lock-out, where CallManager signs the ITL."""
    one = story.cluster(version)
    three_phones(story, one)
    story.reset()
    for node in one.nodes:
        one.renew_callmanager(node)
    one.renew_tvs()
    one.restart_tvs()
    one.restart_tftp()
    done = story.reset()
    assert of("ITL", done) == [itl] * 2
    if itl == SAST:
        return
    # Nothing that the cluster still has helps: the phones' lists know none of its keys but ITLRecovery's.
    one.itl_reset_localkey()
    assert of("ITL", story.reset()) == [UNKNOWN] * 2
    for name in ("new", "west"):
        story.phones[name].clear()
    assert of("ITL", story.reset()) == [FIRST] * 2


@pytest.mark.parametrize("version", ["11.5", "12.5"])
def test_callmanager_then_tvs(story, version):
    """One type at a time, TVS last: nobody is locked out."""
    one = story.cluster(version)
    three_phones(story, one)
    story.reset()
    for node in one.nodes:
        one.renew_callmanager(node)
    one.restart_tvs()
    one.restart_tftp()
    assert of("ITL", story.reset()) == [SAST if version == "12.5" else ASKED] * 2
    one.renew_tvs()
    one.restart_tvs()
    one.restart_tftp()
    assert of("ITL", story.reset()) == [SAST] * 2


def test_one_of_two_tvs_is_still_believed(story):
    """The publisher's TVS was renewed with the signer; the group's other node vouches."""
    one = story.cluster("11.5")
    story.phone("both", one)
    story.phone("pub-only", one, group=one.nodes[:1])
    story.reset()
    one.renew_callmanager(one.publisher)
    one.renew_tvs(one.publisher)
    one.restart_tvs()
    one.restart_tftp()
    assert of("ITL", story.reset()) == [ASKED, UNKNOWN]
    assert story.compared == 2


@pytest.mark.parametrize("mode", ["", "tokenless"])
def test_the_rollback_parameter(story, mode):
    """213407: it blanks the ITL and not the CTL. What is renewed then needs no TVS, but in mixed mode."""
    one = story.cluster("11.5", mode=mode)
    story.phone("new", one)
    story.reset()
    one.rollback = True
    one.restart_tvs()
    one.restart_tftp()
    assert of("ITL", story.reset()) == [SAST]
    for node in one.nodes:
        one.renew_callmanager(node)
    one.renew_tvs()
    one.rollback = False
    if mode:
        one.ctl_update()
    one.restart_tvs()
    one.restart_tftp()
    done = story.reset()
    if mode:
        assert of("CTL", done) == [UNKNOWN]
        assert of("ITL", done) == [UNKNOWN]
    else:
        assert of("ITL", done) == [FIRST]


@pytest.mark.parametrize("version", ["10.5(2)", "12.5"])
def test_encrypted_configuration(story, version):
    """[peer] The companion names the phone's certificate; the encrypted file is taken after its signature."""
    one = story.cluster(version, mode="tokenless")
    one.encrypts = True
    phone = story.phone("new", one, mic=story.deck.identity("SEP001122330000"))
    files, name = one.publisher.files, f"{phone.name}.cnf.xml"
    assert story.reset()["new"]["configuration"] == "signer-is-tftp"
    assert phone.group == [node.address for node in one.nodes] and files[name] is None
    for served in (f"{name}.sgn", f"{name}.enc.sgn"):
        assert b"processNodeName" not in files[served] and peerlist.parse_header(files[served])["filename"] == served
    # It gets another certificate, and keeps what it has until the files are made for that one.
    phone.mic, kept = story.deck.identity("SEP001122330000"), phone.group
    assert (story.reset()["new"]["configuration"], phone.group) == ("not-mine", kept)
    phone.members = phone.members[:1]
    one.restart_tftp()
    assert (story.reset()["new"]["configuration"], phone.group) == ("signer-is-tftp", kept[:1])
    # The one is not taken for the other, and a changed one not at all.
    good = files[f"{name}.enc.sgn"]
    for content, reason in ((good[:-1] + bytes([good[-1] ^ 1]), UNKNOWN), (files[f"{name}.sgn"], "damaged"), (None, "missing")):
        files[f"{name}.enc.sgn"] = content
        assert (story.reset()["new"]["configuration"], phone.group) == (reason, kept[:1])


def test_an_answer_holds_for_a_day(story):
    """213407: 0x15180 seconds. The program cannot know it; the phone takes what TVS has forgotten."""
    one = story.cluster("11.5")
    phone = story.phone("new", one)
    story.reset()
    one.renew_callmanager(one.publisher)
    one.restart_tftp()
    before = dict(phone.held)
    assert of("ITL", story.reset()) == [ASKED]
    one.known_to_tvs = lambda: []
    phone.held, phone.watch = dict(before), None
    [itl, _] = phone.reset()
    assert (itl.accepted, itl.reason) == (True, ASKED)
    story.clock.pass_days(1)
    phone.held = dict(before)
    [itl, _] = phone.reset()
    assert (itl.accepted, itl.reason) == (False, UNKNOWN)


def test_what_phones_log(story):
    one = story.cluster("12.5")
    phone = story.phone("new", one)
    assert phone.log == ["No Trust List installed"]
    story.reset()
    assert phone.log[1:] == [f"File Not Found <CTL{phone.name}.tlv>", "File Not Found <CTLFile.tlv>",
                             "ITL installed", "Trust List Updated"]


