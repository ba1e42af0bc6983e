# SPDX-License-Identifier: Apache-2.0
"""Whole renewals: a virtual cluster does what `plan --renew` says, phase by phase.

What the plan foretold before anything existed is compared with what phones of each class do.
"""
import json

import pytest
from cluster.identity import Deck
from phone_stories import Story


@pytest.fixture
def story(ctlsign, tmp_path):
    made = Story(ctlsign, tmp_path)
    yield made
    made.close()


CLASSES = {
    # Of plan's classes: whether the phone has Security by Default, and what it lacks.
    "sbd": (True, None), "sbd-itl-only": (True, None), "sbd-ctl-only": (True, "ITL"), "no-sbd": (False, None),
}


def crowd(story, cluster):
    """Phones of every class at every TFTP node, each with the TVS of that node alone."""
    classes = ["sbd", "sbd-ctl-only", "no-sbd"] if cluster.mode else ["sbd-itl-only"]
    for kind in classes:
        for node in cluster.nodes:
            story.phone(f"{kind}@{node.name}", cluster, tftp=node, group=[node], sbd=CLASSES[kind][0])
    story.reset()
    for name, phone in story.phones.items():
        phone.held.pop(CLASSES[name.split("@")[0]][1], None)


def nodes(cluster, part):
    return {"all": cluster.nodes, "publisher": cluster.nodes[:1], "others": cluster.nodes[1:]}[part]


def restart(cluster):
    cluster.restart_callmanager()
    cluster.restart_capf()
    cluster.restart_tvs()
    cluster.restart_tftp()


def callmanager(cluster, part):
    for node in nodes(cluster, part):
        cluster.renew_callmanager(node)
    if cluster.mode:
        cluster.ctl_update()
    restart(cluster)
    yield


def capf(cluster, part):
    assert part == "all"
    cluster.renew_capf()
    if cluster.mode:
        cluster.ctl_update()
    restart(cluster)
    yield


def tvs(cluster, part):
    cluster.renew_tvs(*nodes(cluster, part))
    restart(cluster)
    yield


def itlrecovery(cluster, part):
    assert part == "all"
    cluster.renew_itlrecovery()
    if cluster.release >= (12, 0) and cluster.mode:
        cluster.ctl_reset_localkey()
        yield
        cluster.ctl_update()
    elif cluster.release >= (12, 0):
        cluster.itl_reset_localkey()
        yield
    elif cluster.mode:
        cluster.ctl_update()
    restart(cluster)
    yield


EVENTS = {"callmanager": callmanager, "capf": capf, "tvs": tvs, "itlrecovery": itlrecovery}


class Renewal:
    """A plan, and the phones that live through it. A class that refused is passed over from then on."""

    def __init__(self, story, cluster, whats, *more):
        self.story, self.cluster, self.lost = story, cluster, set()
        lists = [story.file("CTL", cluster.publisher.files["CTLFile.tlv"])] if cluster.mode else []
        lists += [story.file("ITL", node.files["ITLFile.tlv"]) for node in cluster.nodes]
        words = [word for what in whats for word in ("--renew", what)]
        words = ["plan", *lists, *words, "--release", cluster.version, *more]
        run = story.run(*words, "--json")
        assert run.status in (0, 1), str(run)
        self.plan = json.loads(run.out)
        self.text = " ".join(story.run(*words).out.split())

    def live(self):
        """Does all phases; the classes that refused something."""
        for phase in self.plan["phases"]:
            stages = EVENTS[phase["renews"]](self.cluster, phase["part"])
            for number, foretold in enumerate(phase["lists"]):
                next(stages)
                for phone in foretold["phones"]:
                    self.compare(phase, number, phone)
            assert next(stages, "none left") == "none left", f"plan has fewer lists: {phase['lists']}"
        return self.lost

    def compare(self, phase, number, foretold):
        kind = foretold["class"]
        if kind in self.lost:
            return
        names = [name for name in self.story.phones if name.startswith(f"{kind}@")]
        assert names, f"no phone of class {kind}"
        self.story.clock.pass_days(2)  # answers of TVS have run out
        decisions = {name: [one for one in self.story.phones[name].reset() if one.kind != "configuration"]
                     for name in names}
        for name in names:
            for decision in decisions[name]:
                self.story.compare(name, decision)
        said = f"{phase['renews']}, list {number + 1}: plan says {foretold}, phones {decisions}"
        made = [one for some in decisions.values() for one in some]
        accepted = all(one.accepted for one in made)
        assert accepted == foretold["accepted"], said
        # Whoever needs TVS was foretold to; or the plan has the other reason, which it says is open.
        asked = accepted and any(one.reason == "tvs" for one in made)
        assert foretold["by_tvs"] or not asked or OTHER_REASON in self.text, said
        if not accepted:
            self.lost.add(kind)


ALL = list(EVENTS)
OTHER_REASON = "assumes that phones take an ITL that a TFTP certificate signed"


@pytest.mark.parametrize("version,mode,whats,lost", [
    ("10.5(1)", "tokenless", ALL, {"no-sbd"}),
    ("11.5", "tokenless", ALL, {"no-sbd"}),
    ("11.5", "tokenless", ["callmanager"], {"sbd-ctl-only", "no-sbd"}),
    ("12.5", "tokenless", ALL, set()),
    ("12.5", "tokenless", ["itlrecovery"], {"sbd-ctl-only"}),
    ("11.5", "tokens", ALL, set()),
    ("11.5", "", ALL, set()),
    ("12.5", "", ALL, set()),
    ("15", "", ["tvs", "itlrecovery"], set()),
    ("11.5", "tokenless", ["capf", "itlrecovery"], set()),
])
def test_phones_do_what_the_plan_foretold(story, cluster, version, mode, whats, lost):
    one = story.cluster(version, mode="tokenless" if mode else "")
    if mode == "tokens":
        one.to_tokens(*[Deck.sample(cluster, name) for name in ("SAST-ADN0054f509", "SAST-ADN008580ef")])
    crowd(story, one)
    renewal = Renewal(story, one, whats)
    assert sorted(phase["renews"] for phase in renewal.plan["phases"]) == sorted(whats)
    assert renewal.live() == lost
