# SPDX-License-Identifier: Apache-2.0
"""A second model of clusters and phones, from docs/CLUSTER.md alone: names in sets, and no bytes.

Certificates are (kind, node, age); a renewal makes the next age. It shares nothing with the program, and nothing
with peeraccept, which judges the bytes.
"""
import itertools
from dataclasses import dataclass, field
from typing import NamedTuple

RELEASES = {"9.1(2)": (9, 1), "10.0(1)": (10, 0), "10.5(2)": (10, 5), "11.5": (11, 5), "12.0(1)": (12, 0),
            "12.5": (12, 5), "14": (14, 0), "14SU3": (14, 3), "15": (15, 0)}
MODES = ["not-mixed", "tokenless", "tokens"]
KINDS = ["capf", "callmanager", "itlrecovery", "tvs"]  # in the vendor's order, TVS last
ECDSA = "callmanager-ecdsa"  # beside CallManager, where nodes have it; renewed as that is
ROLLBACK = ["blank-itl", "restore-itl"]  # the parameter is set, and unset
ONE_FOR_ALL = 0  # the node of what a cluster has once


def can_be(release, mode):
    """Which clusters there are: tables C, and the end of tokens."""
    version = RELEASES[release]
    return {"not-mixed": True, "tokenless": version >= (10, 0), "tokens": version < (14, 3)}[mode]


class Cert(NamedTuple):
    kind: str
    node: int
    age: int = 0


class Served(NamedTuple):
    """A list: its signer, and {(role, certificate, node of the record)}."""
    kind: str
    signer: Cert
    records: frozenset

    def certs(self, role):
        return {cert for is_role, cert, _ in self.records if is_role == role}

    def is_blank(self):
        """The sections for TVS and TFTP are empty."""
        return self.kind == "ITL" and not self.certs("TVS") and not self.certs("CCM+TFTP")


@dataclass
class Cluster:
    release: str
    mode: str
    nodes: int
    groups: list = None  # sets of nodes; None: not known, so that a group may be any one node
    age: dict = field(default_factory=dict)  # (kind, node): how often it was regenerated
    presented: dict = field(default_factory=dict)  # node: age of the TVS certificate since TVS was restarted
    down: set = field(default_factory=set)
    rollback: bool = False  # the parameter that blanks ITLs
    ecdsa: bool = False  # nodes have a CallManager-ECDSA certificate too
    shared: tuple = ()  # nodes that share one CallManager certificate, and one CallManager-ECDSA
    serving: int = None  # how many nodes, the first ones, have TFTP; None: all
    ctl: Served = None
    itls: list = None

    def __post_init__(self):
        self.version = RELEASES[self.release]
        self.recovery_signs = self.version >= (12, 0)
        self.groups = self.groups or [{node} for node in range(self.nodes)]
        for node in range(self.nodes):
            self.restart_tvs(node)
        self.serving = self.serving or self.nodes
        self.ctl = self.new_ctl() if self.mode != "not-mixed" else None
        self.itls = [self.new_itl(node) for node in range(self.serving)]

    # Certificates

    def cert(self, kind, node=0):
        """Of the node, as it is now; the publisher is node 0."""
        if kind in ("callmanager", ECDSA) and node in self.shared:
            node = min(self.shared)
        if kind == "capf" or (kind == "itlrecovery" and self.version >= (12, 5)):
            node = ONE_FOR_ALL
        return Cert(kind, node, self.age.get((kind, node), 0))

    def units(self, kind):
        """The certificates of a kind, each of which can be regenerated on its own."""
        return sorted({self.cert(kind, node)[:2] for node in range(self.nodes)})

    # What CUCM writes: section C

    def anchors(self):
        callmanager, recovery = self.cert("callmanager"), self.cert("itlrecovery")
        if self.mode == "tokens":
            return {callmanager, recovery} if self.version >= (11, 5) else set()
        return {callmanager, recovery} if self.version >= (10, 5) else {callmanager}

    def new_ctl(self, by_callmanager=False):
        records = {("SAST", cert, 0) for cert in self.anchors()}
        for node in range(self.nodes):
            role = "CCM+TFTP" if node < self.serving else "CCM"
            records |= {(role, self.cert(kind, node), node) for kind in ("callmanager", ECDSA)[:1 + self.ecdsa]}
        records.add(("CAPF", self.cert("capf"), 0))
        signer = self.cert("itlrecovery" if self.recovery_signs and not by_callmanager else "callmanager")
        if self.mode == "tokens":
            records |= {("SAST", Cert("token", number), None) for number in (1, 2)}
            signer = Cert("token", 1)
        return Served("CTL", signer, frozenset(records))

    def new_itl(self, node):
        callmanager, recovery = self.cert("callmanager", node), self.cert("itlrecovery", node)
        records = {("SAST", callmanager, node), ("SAST", recovery, recovery.node), ("CAPF", self.cert("capf"), 0)}
        if not self.rollback:
            records.add(("CCM+TFTP", callmanager, node))
            records |= {("CCM+TFTP", self.cert(ECDSA, node), node)} if self.ecdsa else set()
            records |= {("TVS", self.cert("tvs", each), each) for each in range(self.nodes)}
        return Served("ITL", recovery if self.recovery_signs else callmanager, frozenset(records))

    # What people do: section D

    def regenerate(self, kind, units):
        for unit in units:
            self.age[unit] = self.age.get(unit, 0) + 1

    def ctl_update(self):
        if self.mode != "not-mixed":
            self.ctl = self.new_ctl()

    def ctl_reset_localkey(self):
        self.ctl = self.new_ctl(by_callmanager=True)

    def itl_reset_localkey(self):
        """Signs what is there: the present ITL. The other anchor signs, which is ITLRecovery before 12.0."""
        kind = "callmanager" if self.recovery_signs else "itlrecovery"
        self.itls = [itl._replace(signer=self.cert(kind, node)) for node, itl in enumerate(self.itls)]

    def restart_tvs(self, node):
        self.presented[node] = self.cert("tvs", node)

    def restart_tftp(self, node):
        if node < self.serving:
            self.itls[node] = self.new_itl(node)

    def stages(self, kind, units, skipped=frozenset()):
        """Goes through the procedure of one kind; yields whenever all phones are reset.

        skipped: {("tvs", node), ("tftp", node)} whose restart was forgotten.
        """
        def restart():
            for node in range(self.nodes):
                if ("tvs", node) not in skipped:
                    self.restart_tvs(node)
                if ("tftp", node) not in skipped:
                    self.restart_tftp(node)

        if kind in ROLLBACK:
            self.rollback = kind == ROLLBACK[0]
            restart()
            yield
            return
        self.regenerate(kind, units)
        if kind == "itlrecovery" and self.recovery_signs and self.mode == "tokenless":
            self.ctl_reset_localkey()
            yield
        elif kind == "itlrecovery" and self.recovery_signs and self.mode == "not-mixed":
            self.itl_reset_localkey()
            yield
        # The CTL is written anew for what it has: ITLRecovery is in it from 10.5(2), with tokens from 11.5.
        if kind in ("capf", "callmanager", ECDSA) or (kind == "itlrecovery" and self.cert(kind) in self.anchors()):
            self.ctl_update()
        restart()
        yield

    # Phones: section A

    def tvs_knows(self, cert):
        """The nodes' own CallManager certificates, ITLRecovery from 12.0; nobody uploaded any."""
        own = [self.cert("callmanager", node) for node in range(self.nodes)]
        if self.recovery_signs:
            own += [self.cert("itlrecovery", node) for node in range(self.nodes)]
        return cert in own

    def can_ask(self, itl, group):
        return any(self.presented[node] in itl.certs("TVS") for node in group - self.down)


class Phone(NamedTuple):
    sbd: bool
    ctl: Served = None
    itl: Served = None

    def verdict(self, offered, cluster, group):
        """(taken, reason)"""
        # A phone that holds a blank ITL takes any.
        held = [each for each in (self.ctl, self.itl) if each and not each.is_blank()]
        if not held:
            return True, "leap-of-faith"
        if any(offered.signer in each.certs("SAST") for each in held):
            return True, "signer-is-sast"
        if self.sbd and self.itl and cluster.tvs_knows(offered.signer) and cluster.can_ask(self.itl, group):
            return True, "tvs"
        # That phones take an ITL that a TFTP certificate signed has no source; the program says "assumed".
        if offered.kind == "ITL" and any(offered.signer in each.certs("CCM+TFTP") for each in held):
            return True, "signer-is-tftp"
        return False, "signer-unknown"

    def ask(self, cluster, node, group):
        """What it holds after it asked this node for its lists, and the reasons: (phone, [reason…])."""
        phone, reasons = self, []
        for name, offered in (("ctl", cluster.ctl), ("itl", cluster.itls[node] if self.sbd else None)):
            if offered and offered != getattr(phone, name):
                taken, reason = phone.verdict(offered, cluster, group)
                reasons.append(reason)
                phone = phone._replace(**{name: offered}) if taken else phone
        return phone, reasons


REFUSALS = {"signer-unknown"}
CLASSES = {"sbd": (True, True, True), "sbd-itl-only": (True, False, True), "no-sbd": (False, True, False)}
STRAYS = {"sbd-ctl-only": (True, True, False)}  # they lack what they would take today


def classes(cluster):
    """Those that the cluster has: whoever can hold a CTL holds it."""
    return [name for name, (_, ctl, _) in CLASSES.items() if ctl == (cluster.ctl is not None)]


def phones_of(cluster, name):
    """[(phone, node, group)] of a class, one of each sort, with the lists of now."""
    sbd, ctl, itl = CLASSES[name]
    return [(Phone(sbd, cluster.ctl if ctl else None, cluster.itls[node] if itl else None), node, group)
            for node in range(cluster.serving) for group in cluster.groups]


# Orders --------------------------------------------------------------------------------------

def phases(cluster, asked, apart):
    """[(kind, units)]: each kind in one go, those of 'apart' one certificate after the other."""
    found = []
    for kind in KINDS:
        units = [unit for unit in cluster.units(kind) if unit in asked]
        groups = [[unit] for unit in units] if kind in apart else [units]
        found += [(kind, tuple(group)) for group in groups if group]
    return found


class Walks:
    """What every order does to a cluster. Where two orders meet in the same lists, the work is done once."""

    def __init__(self, new):
        """new() makes the cluster as it is today."""
        self.new, self.known = new, {}

    def phase(self, done, phase):
        """({class: reasons}, …) of each stage, of a phase that comes after the set 'done' of units."""
        key = (done, phase)
        if key not in self.known:
            cluster = self.new()
            # The lists of a set are the same whatever way led to it: this writes them in one go.
            cluster.regenerate(None, done)
            cluster.ctl_update()
            for node in range(cluster.nodes):
                cluster.restart_tvs(node)
                cluster.restart_tftp(node)
            self.known[key] = tuple(self.stages(cluster, phase))
        return self.known[key]

    @staticmethod
    def stages(cluster, phase):
        held = {name: phones_of(cluster, name) for name in classes(cluster)}
        for _ in cluster.stages(*phase):
            said = {}
            for name, phones in held.items():
                asked = [(phone.ask(cluster, node, group), node, group) for phone, node, group in phones]
                said[name] = frozenset(reason for (_, reasons), _, _ in asked for reason in reasons)
                held[name] = phones_of(cluster, name)  # who refuses is cleared by hand
            yield said

    def order(self, order):
        """[{class: reasons}] of all its stages."""
        done, found = frozenset(), []
        for phase in order:
            found += self.phase(done, phase)
            done |= frozenset(phase[1])
        return found

    def locked(self, order):
        return frozenset(name for stage in self.order(order) for name, reasons in stage.items() if reasons & REFUSALS)


def all_orders(cluster, asked):
    """Every order of every way to cut the renewals into phases of one kind: together, or one certificate each."""
    cuts = {tuple(phases(cluster, asked, apart)) for n in range(len(KINDS) + 1)
            for apart in itertools.combinations(KINDS, n)}
    for cut in sorted(cuts):
        yield from itertools.permutations(cut)


# Mishaps -------------------------------------------------------------------------------------

@dataclass
class Trouble:
    """What goes wrong at a stage: phones that are off, a node that is down, restarts that are forgotten."""
    off: set = field(default_factory=set)  # numbers of phones
    down: set = field(default_factory=set)
    skipped: set = field(default_factory=set)


class Walker:
    """Phones of all sorts that go through a plan, with trouble.

    gates: one bool for each stage. Behind a gate nobody goes on until each TFTP node serves what it should, and
    every phone has asked its own node.
    """

    def __init__(self, cluster, order, gates):
        self.cluster, self.order, self.gates = cluster, order, gates
        self.phones = [[name, *sort] for name in classes(cluster) for sort in phones_of(cluster, name)]
        self.forgotten = set()  # what was not restarted, up to now
        self.half_way = False  # in the middle of a procedure: what is refused now is written anew soon
        self.lost = []  # (stage, class, node)

    def ask(self, number, stage):
        """One phone starts: its own TFTP node, or the next one that is there."""
        name, phone, node, group = self.phones[number]
        there = [(node + n) % self.cluster.serving for n in range(self.cluster.serving)]
        at = next((each for each in there if each not in self.cluster.down), None)
        if at is None:
            return
        self.phones[number][1], reasons = phone.ask(self.cluster, at, group)
        # What is refused in the middle of a trouble is asked for again when it is over.
        if REFUSALS & set(reasons) and not (self.cluster.down or self.forgotten or self.half_way):
            self.lost.append((stage, name, node))

    def ask_all(self, stage, off=frozenset()):
        for number in range(len(self.phones)):
            if number not in off:
                self.ask(number, stage)

    def reset(self, stage, trouble):
        self.cluster.down = set(trouble.down)
        self.ask_all(stage, trouble.off)
        self.cluster.down = set()
        if self.gates[stage]:
            if not self.half_way:  # TFTP is not restarted between two lists
                self.mend()
            self.ask_all(stage)

    def mend(self):
        for service, node in sorted(self.forgotten, reverse=True):  # TVS, then TFTP
            (self.cluster.restart_tvs if service == "tvs" else self.cluster.restart_tftp)(node)
        self.forgotten = set()

    def walk(self, troubles):
        """Goes through all stages, then all is mended and every phone starts once more; returns who was lost."""
        stage = 0
        for kind, units in self.order:
            skipped, steps = troubles[stage].skipped, resets(self.cluster, kind)
            for step, _ in enumerate(self.cluster.stages(kind, units, skipped=skipped), 1):
                self.half_way = step < steps
                self.forgotten = self.forgotten if self.half_way else set(skipped)
                self.reset(stage, troubles[stage])
                stage += 1
        self.mend()
        self.ask_all(stage)
        return self.lost


def resets(cluster, kind):
    """How many resets the procedure of a kind has."""
    return 2 if kind == "itlrecovery" and cluster.recovery_signs and cluster.mode != "tokens" else 1
