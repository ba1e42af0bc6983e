# SPDX-License-Identifier: Apache-2.0
"""Clusters on which anything may happen, in any order; phones that are switched off meanwhile.

Each walk is the same every time. What phones do is compared with `accept` at each decision.
"""
import os
import random

import pytest
from cluster.identity import Deck
from phone_stories import Story, closed

WALKS = {  # release, mode, and the walks of the suite
    "not mixed, 11.5": ("11.5", "", [0, 2]), "not mixed, 12.5": ("12.5", "", [1]),
    "mixed, 10.5(1)": ("10.5(1)", "tokenless", [1, 2]), "mixed, 11.5": ("11.5", "tokenless", [0, 1]),
    "mixed, 12.5": ("12.5", "tokenless", [0, 2]),
}
MORE = int(os.environ.get("CTLSIGN_WALKS", "0"))  # as many other walks of each kind
STEPS = 14


class Walk:
    """Two clusters, phones of the first one, and dice."""

    def __init__(self, story, tokens, version, mode, seed):
        self.story, self.tokens, self.dice = story, tokens, random.Random(f"{version} {mode} {seed}")
        self.one = story.cluster(version, mode=mode, names=["one-pub", "one-sub"])
        self.other = story.cluster(version, mode=mode, names=["two-pub"])
        self.home = {}
        for name in ("a", "b", "c", "old"):
            tftp = self.dice.choice(self.one.nodes)
            group = self.dice.choice([self.one.nodes, [self.dice.choice(self.one.nodes)]])
            story.phone(name, self.one, tftp=tftp, group=group, sbd=name != "old")
            self.home[name] = self.one
        self.met = set()
        self.reset(list(self.home))

    def reset(self, names):
        for decisions in self.story.reset(*names).values():
            self.met |= {decisions[kind] for kind in ("CTL", "ITL") if kind in decisions}

    def some(self, things):
        return self.dice.sample(things, self.dice.randint(1, len(things)))

    def events(self):
        one, node = self.one, self.dice.choice(self.one.nodes)
        usual = [lambda: one.renew_callmanager(node), one.renew_tvs, lambda: one.renew_tvs(node), one.renew_capf,
                 one.renew_itlrecovery, one.itl_reset_localkey, one.restart_tftp, one.restart_tvs,
                 lambda: one.restart_tftp(node), lambda: one.restart_tvs(node), self.upload, self.move]
        mixed = [one.ctl_update, one.ctl_update, one.to_tokenless]
        if one.mode != "tokens":
            mixed.append(one.ctl_reset_localkey)
        if one.release < (14, 0):
            mixed.append(lambda: one.to_tokens(*self.some(self.tokens)))
        return usual + (mixed * 2 if one.mode else [self.rollback] * 2)

    def rollback(self):
        self.one.rollback = not self.one.rollback
        self.one.restart_tvs()
        self.one.restart_tftp()

    def upload(self):
        known = [self.other.itlrecovery, *(node.callmanager for node in self.other.nodes), *self.tokens]
        self.one.upload(*self.some(known))

    def move(self):
        name = self.dice.choice(list(self.home))
        here = self.home[name]
        there = self.other if here is self.one else self.one
        here.release_phone(self.story.phones[name])
        there.adopt(self.story.phones[name])
        self.home[name] = there

    def step(self, number):
        for _ in range(self.dice.randint(1, 3)):
            self.dice.choice(self.events())()
        if number == STEPS // 2:
            closed(self.dice.choice(self.one.nodes))
        self.reset(self.some(list(self.home)))
        if self.dice.random() < .2:
            self.story.phones[self.dice.choice(list(self.home))].clear()


@pytest.mark.parametrize("kind,seed", [
    (kind, seed) for kind, (_, _, walks) in WALKS.items()
    for seed in (range(100, 100 + MORE) if MORE else walks)])
def test_whatever_happens(ctlsign, cluster, tmp_path, kind, seed):
    story = Story(ctlsign, tmp_path)
    tokens = [Deck.sample(cluster, name) for name in ("SAST-ADN0054f509", "SAST-ADN008580ef")]
    walk = Walk(story, tokens, *WALKS[kind][:2], seed)
    for number in range(STEPS):
        walk.step(number)
    story.close()
    if not MORE:
        assert len(walk.met) >= 2, "a walk that shows next to nothing"
        assert len(story.mistaken) < len(story.answers) / 2
