# SPDX-License-Identifier: Apache-2.0
"""Stories of virtual clusters and phones: at each step, what phones do is what the program foretold."""
import hashlib
import json

import peerlist
from cluster import net
from cluster.identity import Deck
from cluster.model import TVS, Clock, Cluster
from cluster.phone import Phone

LISTS = ("CTL", "ITL")


def pem(folder, ders):
    """A folder with these certificates, named by what they are."""
    digest = hashlib.sha256(b"".join(sorted(ders))).hexdigest()[:16]
    place = folder / f"certs-{digest}"
    if not place.exists():
        place.mkdir()
        for number, der in enumerate(ders):
            (place / f"{number}.der").write_bytes(der)
    return place


class Story:
    """One network with clusters and phones, and the program that foretells."""

    def __init__(self, run, folder):
        self.run, self.folder = run, folder
        self.network, self.clock = net.Network(), Clock()
        self.deck = Deck(folder / "keys")
        self.clusters, self.phones, self.answers = [], {}, {}
        self.compared = 0  # decisions that accept --tvs has foretold
        self.mistaken = []  # (phone, kind, assumptions…) of verdicts whose assumption was not so

    def close(self):
        self.network.close()

    def cluster(self, version, **options):
        folder = self.folder / f"cluster-{len(self.clusters)}"
        self.clusters.append(Cluster(self.run.ok, self.network, folder, version, deck=self.deck,
                                     clock=self.clock, **options))
        return self.clusters[-1]

    def phone(self, name, cluster, *, tftp=None, group=None, **options):
        mac = f"{0x001122330000 + len(self.phones):012X}"
        transport = "tftp" if len(self.phones) % 2 else "http"
        phone = Phone(self.network, self.clock, mac, transport=transport, watch=self.foretell, **options)
        cluster.adopt(phone, tftp, group)
        self.phones[name] = phone
        return phone

    # What the program says

    def file(self, kind, content):
        place = self.folder / hashlib.sha256(content).hexdigest()[:16]
        place.mkdir(exist_ok=True)
        path = place / f"{kind}File.tlv"
        path.write_bytes(content)
        return path

    def nodes_of(self, group):
        """[(cluster, node)] of these addresses."""
        return [(cluster, node) for address in group for cluster in self.clusters
                for node in cluster.nodes if node.address == address]

    def tvs_words(self, phone):
        """The options of accept that say what the world is."""
        group = [(cluster, node) for cluster, node in self.nodes_of(phone.group)
                 if node.services[net.TVS].fault != "closed"]
        blank = [] if self.names_tvs(phone.held.get("ITL")) else ["--blank-itl"]
        if not phone.sbd or not group:
            return ["--no-tvs", *blank]
        cluster, first = group[0]
        known = [identity.der for identity, _ in cluster.known_to_tvs()]
        words = ["--sast-trust", pem(self.folder, known)]
        for _, node in group:
            words += ["--tvs-cert", node.services[net.TVS].identity.cert]
        ctl = first.files.get("CTLFile.tlv")
        words += ["--tvs-ctl", self.file("CTL", ctl) if ctl else "none"]
        return words + blank

    def foretell(self, phone, kind, content):
        """(accepted, reason, assumptions) of accept, for what the phone holds now, and what ask() says."""
        words = [word for held in LISTS if held in phone.held
                 for word in ("--installed", self.file(held, phone.held[held]))]
        words = tuple([*(words or ["--installed", "none"]), *self.tvs_words(phone),
                       self.file(kind, content)])
        if words not in self.answers:
            self.answers[words] = self.accept(*words)
        return *self.answers[words], self.ask(phone, kind, content, self.answers[words][1])

    def accept(self, *words):
        run = self.run("accept", *words, "--json")
        assert run.status in (0, 1), str(run)
        answer = json.loads(run.out)
        assert (run.status == 0) == answer["accepted"], str(run)
        return answer["accepted"], answer["reason"], answer["assumptions"]

    def ask(self, phone, kind, content, reason):
        """The same of accept --tvs, which asks the node that the phone will ask; None: there is none,
        or the phone needs no TVS."""
        running = [node for _, node in self.nodes_of(phone.group) if node.services[net.TVS].fault != "closed"]
        if not phone.sbd or not running or reason in ("signer-is-sast", "leap-of-faith", "too-large"):
            return None
        believed = [node for node in running if phone.believes(node.services[net.TVS].identity.der)]
        host, port = self.network.real((believed or running)[0].address, net.TVS)
        held = [word for one in LISTS if one in phone.held for word in ("--installed", self.file(one, phone.held[one]))]
        return self.accept("--tvs", f"{host}:{port}", *held, self.file(kind, content))

    def plan(self, kind, old, new, cluster):
        """{class: its line in plan OLD NEW}, of phones that hold the old list."""
        known = [identity.der for identity, _ in cluster.known_to_tvs()]
        run = self.run("plan", self.file(kind, old), self.file(kind, new), "--release", cluster.version,
                       "--sast-trust", pem(self.folder, known), "--json")
        assert run.status in (0, 1), str(run)
        return {line["class"]: line for line in json.loads(run.out)["phones"]
                if line["holds"] == "old" and line["offered"] == "new"}

    # What phones do

    def reset(self, *names, days=2):
        """Resets phones; {name: {kind: reason}}. Answers of TVS have run out by then."""
        self.clock.pass_days(days)
        done = {}
        for name in names or list(self.phones):
            phone = self.phones[name]
            before = dict(phone.held)
            decisions = phone.reset()
            for decision in decisions:
                if decision.kind in LISTS:
                    self.compare(name, decision)
                    self.compare_with_plan(name, phone, before, decision)
            done[name] = {decision.kind: decision.reason for decision in decisions}
        return done

    def compare(self, name, decision):
        accepted, reason, assumptions, asked = decision.foretold
        self.compare_with_asked(name, decision, asked)
        if self.untrue(assumptions, decision):
            self.mistaken.append((name, decision.kind, *assumptions))
            return
        said = (f"{name}, {decision.kind}: the phone says {decision.accepted} {decision.reason}, "
                f"accept says {accepted} {reason} {assumptions}")
        assert accepted == decision.accepted, said
        assert reason == decision.reason, said

    def compare_with_asked(self, name, decision, asked):
        """Nothing about the signer is assumed where the phone's own TVS was asked."""
        if asked is None or self.untrue(asked[2], decision):
            return
        assert set(asked[2]) <= {"itl-has-tvs-record", "tvs-certificate-kept", "tftp-signs-itl"}, (name, asked)
        assert asked[:2] == (decision.accepted, decision.reason), (
            f"{name}, {decision.kind}: the phone says {decision.accepted} {decision.reason}, accept --tvs says {asked}")
        self.compared += 1

    def compare_with_plan(self, name, phone, before, decision):
        """plan OLD NEW is asked wherever a phone was offered another list than it held."""
        group = self.nodes_of(decision.group)
        old = before.get(decision.kind)
        if old in (None, decision.content) or not group:
            return
        if decision.reason == "leap-of-faith":
            return  # from a blank ITL: nobody can tell plan OLD NEW that it is one
        line = self.plan(decision.kind, old, decision.content, group[0][0])
        line = line.get("sbd" if phone.sbd else "no-sbd")
        # Plan takes TVS for running.
        silent = line and line["reason"] == "tvs" and not self.presented(decision)
        if line is None or silent or self.untrue(line["assumptions"], decision):
            return
        said = (f"{name}, {decision.kind}: the phone says {decision.accepted} {decision.reason}, "
                f"plan says {line}")
        # plan knows one list: a phone that holds another one too may know more.
        alone = len(before) == 1
        assert line["accepted"] == decision.accepted or (decision.accepted and not alone), said

    @staticmethod
    def names_tvs(itl):
        return bool(itl) and any(record["role"] == TVS for record in peerlist.parse(itl)["records"])

    def presented(self, decision):
        """What the TVS of the phone's group present today."""
        return [node.services[net.TVS].identity.der for _, node in self.nodes_of(decision.group)
                if node.services[net.TVS].fault != "closed"]

    def untrue(self, assumptions, decision):
        """Which of these are not so in this world: what rests on them was not foretold."""
        group = self.nodes_of(decision.group)
        believed = any(der in decision.itl for der in self.presented(decision))
        serves = [node.files.get("CTLFile.tlv") for _, node in group]
        own = [der for cluster, _ in group for der in cluster.own_certificates()]
        signer = peerlist.signers(peerlist.parse(decision.content))
        world = {"group-has-node": believed, "itl-has-tvs-record": believed,
                 "tvs-certificate-kept": believed,
                 # Our phone's reading of what no source says: of its first ITL alone.
                 "tftp-signs-itl": not self.names_tvs(decision.itl),
                 "tvs-serves-new-list": decision.content in serves[:1],
                 "signer-is-own": any(der in own for der in signer)}
        return [one for one in assumptions if not world[one]]


def closed(node):
    """This node's TVS is gone: nobody listens."""
    node.services[net.TVS].shut()
    node.services[net.TVS].fault = "closed"
