# SPDX-License-Identifier: Apache-2.0
"""What is done while machines fail: works of the verbs, with what must be there then."""
import hashlib
import json
import os
import pathlib
import re
import shutil
import stat
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "cli"), str(ROOT / "tests" / "lib")]

import lists  # noqa: E402  (found through the paths above)
import nodes  # noqa: E402
from cluster import identity, net, tvs  # noqa: E402
from machine import CALLS  # noqa: E402

DATA = ROOT / "tests" / "data"
ONE, TWO = "SAST-ADN0054f509", "SAST-ADN008580ef"
LATER = lists.TIME + 9


def tree(folder):
    """Every name below a folder: its mode and, of a file, its bytes."""
    found = {}
    for path in sorted(folder.rglob("*")):
        st = path.lstat()
        data = path.read_bytes() if stat.S_ISREG(st.st_mode) else None
        found[str(path.relative_to(folder))] = (stat.S_IMODE(st.st_mode), data)
    return found


def is_temporary(name):
    return ".ctlsign-" in name


class Work:
    """One run of the program: where it writes, what is there before and after."""
    name = ""
    token = False
    each = False  # each file for itself
    asks = False  # nodes, over the network: one that does not answer makes another answer
    nonce = ()    # names of files that are new in every run

    def __init__(self, folder):
        self.base = folder / self.name
        self.cluster = self.base / "cluster"
        self.place = self.base / "place"
        self.place.mkdir(parents=True)
        shutil.copytree(DATA / "cluster", self.cluster)
        for path in self.cluster.iterdir():
            path.chmod(0o600 if path.suffix == ".key" else 0o644)
        self.list = self.base / "CTLFile.tlv"
        shutil.copy(DATA / "lists" / "cucm.tlv", self.list)
        self.env = {}
        self.lab = None
        self.begin()
        self.raw = tree(self.place)
        self.before = self.plain(self.raw)
        self.after = None

    def begin(self):
        """What stands in the place before."""

    def words(self):
        raise NotImplementedError

    def ready(self, machine):
        """What has to be made by the program before."""

    def close(self):
        """Ends what it started."""

    def is_more(self, name, what):
        """Whether a run that was killed may leave this beside what is there before and after."""
        return False

    def use(self, lab):
        """A template of a SoftHSM; its tokens rewrite their files at login."""
        self.lab = lab
        self.module = re.search("MODULE='(.*)'", (lab / "env.sh").read_text())[1]
        self.env = {"SOFTHSM2_CONF": self.base / "lab" / "softhsm2.conf"}

    def key(self, name="pub"):
        return ["-k", self.cluster / f"{name}.key", "--cert", self.cluster / f"{name}.pem"]

    def token_key(self):
        return ["-k", f"pkcs11:token={TWO}", "--module", self.module, "--pin-source",
                f"file:{self.base / 'lab' / 'pin'}"]

    def old(self, name="CTLFile.tlv"):
        shutil.copy(self.list, self.place / name)
        (self.place / name).chmod(0o644)

    def restore(self):
        """What stood in the place before, but temporary names stay."""
        for path in self.place.iterdir():
            if not is_temporary(path.name):
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()
        self.begin()

    def reset(self):
        if tree(self.place) != self.raw:
            for path in self.place.iterdir():
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()
            self.begin()
        if self.lab:
            self.renew_lab()

    def renew_lab(self):
        lab = self.base / "lab"
        if lab.exists():
            shutil.rmtree(lab)
        shutil.copytree(self.lab, lab)
        conf = lab / "softhsm2.conf"
        conf.write_text(conf.read_text().replace(str(self.lab), str(lab)))

    def learn(self):
        """After a good run."""
        self.after = self.plain(tree(self.place))
        assert self.after != self.before, "the work does nothing"

    def plain(self, found):
        """Without what every run makes anew, but with its sum where SHA256SUMS has it."""
        found = dict(found)
        for name in list(found):
            folder, base = os.path.split(name)
            if base == "SHA256SUMS" and found[name][1] is not None:
                lines = []
                for line in found[name][1].decode().splitlines():
                    digest, other = line.split("  ", 1)
                    data = found.get(os.path.join(folder, other), (0, None))[1]
                    good = data is not None and hashlib.sha256(data).hexdigest() == digest
                    lines.append(f"{other} {good if other.endswith(self.nonce) else digest}")
                found[name] = (found[name][0], "\n".join(lines).encode())
        for name, (mode, data) in list(found.items()):
            if self.nonce and name.endswith(self.nonce):
                found[name] = (mode, b"" if data else None)
        return found

    def fault(self, status, killed=False):
        """What is wrong with the place after a run of this status, or None."""
        now = self.plain(tree(self.place))
        left = [n for n in now if any(is_temporary(p) for p in n.split("/"))]
        if left and not killed:
            return f"left behind: {left}"
        for name in left + [n for n in now if self.is_more(n, now[n])]:
            now.pop(name, None)
        if now == self.after:
            return None if status in (0, None) or self.each else f"status {status}, but it is done"
        if status == 0:
            return f"status 0, but it is not done: {self.difference(now)}"
        if now == self.before:
            return None
        if self.each or killed:
            return self.half(now)
        return f"neither old nor new: {self.difference(now)}"

    def is_done(self):
        now = self.plain(tree(self.place))
        return all(now.get(name) == what for name, what in self.after.items())

    def half(self, now):
        """Each file must be the old one, the new one or missing where it was."""
        for name, what in now.items():
            folder = self.after.get(name, (0, b""))[1] is None
            if not folder and what not in (self.before.get(name), self.after.get(name)):
                return f"{name} is neither old nor new"
        gone = [n for n in self.before if n not in now]
        return f"gone: {gone}" if gone else None

    def difference(self, now):
        names = sorted(set(now) | set(self.after))
        return ", ".join(n for n in names if now.get(n) != self.after.get(n))


class BuildNew(Work):
    name = "build-new"

    def words(self):
        return ["build", "-o", self.place / "CTLFile.tlv", "-m", lists.manifest(self.cluster),
                "--timestamp", LATER]


class Build(Work):
    name = "build"

    def begin(self):
        self.old()

    def is_more(self, name, what):
        """A copy whose run came no further; the first one is what a good run leaves."""
        return name.endswith("~") and name != "CTLFile.tlv.~1~" and what == self.before["CTLFile.tlv"]

    def words(self):
        return ["build", "-o", self.place / "CTLFile.tlv", "--json",
                *lists.records(self.cluster, "tokenless"), *self.key(), "--timestamp", LATER]


class BuildToken(Work):
    name = "build-token"
    token = True

    def words(self):
        return ["build", "-o", self.place / "CTLFile.tlv", *lists.records(self.cluster, "tokens"),
                *self.token_key(), "--timestamp", LATER]


class Update(Work):
    name = "update"
    begin = Build.begin

    def words(self):
        return ["update", self.place / "CTLFile.tlv", "--in-place", *self.key(), "--timestamp", LATER,
                "--set", "role=CAPF,name=other"]

    is_more = Build.is_more


class UpdateOut(Work):
    name = "update-out"

    def words(self):
        return ["update", self.list, "-o", self.place / "new.tlv", "--json", "--yes", *self.key(),
                "--timestamp", LATER]


class Migrate(Work):
    name = "migrate"

    def words(self):
        return ["migrate", "to-tokens", "-o", self.place / "out", *self.key(TWO), "--sast",
                self.cluster / f"{ONE}.pem", "--unproven-sast", "--old-key", self.cluster / "pub.key",
                "--timestamp", LATER, self.list]


class MigrateToken(Work):
    name = "migrate-token"
    token = True

    def words(self):
        return ["migrate", "to-tokens", "-o", self.place / "out", *self.token_key(), "--sast",
                self.cluster / f"{ONE}.pem", "--unproven-sast", "--old-key", self.cluster / "pub.key",
                "--timestamp", LATER, "--json", self.list]


class Export(Work):
    name = "export"

    def trust(self):
        return ["--trust", self.cluster / f"{TWO}.pem"]

    def words(self):
        return ["export", "--from", self.base / "tokens.tlv", *self.trust(), "-o", self.place / "new"]

    def __init__(self, folder):
        super().__init__(folder)
        shutil.copy(DATA / "lists" / "ctl-client.tlv", self.base / "tokens.tlv")


class ExportBeside(Export):
    """Into a folder with other files and their sums."""
    name = "export-beside"

    def begin(self):
        (self.place / "other.cer").write_bytes(b"other")
        digest = hashlib.sha256(b"other").hexdigest()
        (self.place / "SHA256SUMS").write_text(f"{digest}  other.cer\n", encoding="ascii")
        for path in self.place.iterdir():
            path.chmod(0o644)

    def words(self):
        return ["export", "--from", self.base / "tokens.tlv", *self.trust(), "-o", self.place, "--json",
                "--format", "pem"]


class ExportProve(Work):
    name = "export-prove"
    token = True
    nonce = (".proof",)

    def is_done(self):
        """A proof that stands there stays, also where the run that made it was killed: the next is refused."""
        return any(path.suffix == ".proof" and not is_temporary(path.name)
                   for path in self.place.rglob("*"))

    def words(self):
        _, uri, *rest = self.token_key()
        return ["export", uri, *rest, "-o", self.place / "new", "--prove"]


class ConfigSign(Work):
    name = "config-sign"
    each = True
    more = ()

    def begin(self):
        self.sources = [self.base / "phones" / f"SEP{i}.cnf.xml" for i in range(3)]
        for i, path in enumerate(self.sources):
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"<device/>" * (i + 1) * 900)
        for path in self.sources[:2]:
            (self.place / f"{path.name}.sgn").write_bytes(b"")
        for path in self.place.iterdir():
            path.chmod(0o644)

    def words(self):
        return ["config", "sign", *self.key(), "-o", self.place, "--jobs", "1", "--timestamp", LATER,
                *self.more, *self.sources]


class ConfigSignToken(ConfigSign):
    name = "config-sign-token"
    token = True
    more = ("--json",)

    def key(self, name="pub"):
        return self.token_key()


class ConfigStrip(Work):
    name = "config-strip"
    each = True

    def __init__(self, folder):
        super().__init__(folder)
        self.sources = []

    def words(self):
        return ["config", "strip", "--cert", self.cluster / "pub.pem", "-o", self.place, "--jobs", "1",
                *self.sources]

    def ready(self, machine):
        """Its sources are what config sign makes."""
        sign = ConfigSign(self.base)
        assert machine.run(sign.words(), CALLS).status == 0
        self.sources = sorted(sign.place.iterdir())


class Extract(Work):
    name = "extract"

    def words(self):
        return ["extract", self.list, "-o", self.place / "new"]


class Expiry(Work):
    name = "expiry"

    def begin(self):
        (self.place / "report").write_bytes(b"# HELP ctlsign_old A report that may be replaced.\n")
        (self.place / "report").chmod(0o644)

    def words(self):
        return ["expiry", "-o", self.place / "report", "--format", "json", self.list, "--within", "0d"]

    def fault(self, status, killed=False):
        """If the list cannot be read, the report says so: an old one would look like good news."""
        if status != 3:
            return super().fault(status, killed)
        now = self.plain(tree(self.place))
        if now.keys() != self.after.keys():
            return f"beside the report: {self.difference(now)}"
        try:
            said = json.loads(now["report"][1])
        except ValueError:
            return "status 3, but the report is no JSON"
        files = [one["file"] for one in said["unread"]]
        return None if files == [str(self.list)] else f"status 3, but the report says {files}"


class Plan(Work):
    name = "plan"

    def words(self):
        return ["plan", self.list, self.base / "new.tlv", "--release", "10.5", "--html",
                self.place / "plan.html", "--json", "--accept-lockout", "all"]

    def __init__(self, folder):
        super().__init__(folder)
        shutil.copy(DATA / "lists" / "ctl-client.tlv", self.base / "new.tlv")


class Forecast(Work):
    """Plans before anything exists: from the CTL, and from an ITL that the program makes."""
    lists = ("CTLFile.tlv", "ITLFile.tlv")
    more = ()

    def ready(self, machine):
        name = f"name=cucm-1051-a-pub,address={lists.PUB}"
        pub, own = self.cluster / "pub.pem", self.cluster / f"{ONE}.pem"
        made = machine.run(["build", "-o", self.base / "ITLFile.tlv", "--sast", f"{pub},{name}", "--ccm-tftp",
                            f"{pub},{name}", "--tvs", f"{own},{name}", *self.key(), "--timestamp", LATER], CALLS)
        assert made.status == 0, str(made)

    def words(self):
        return ["plan", *(self.base / name for name in self.lists), "--html", self.place / "plan.html",
                *self.more]


class PlanRenew(Forecast):
    name = "plan-renew"
    more = ("--release", "10.5", "--renew", "capf", "--renew", "tvs", "--json")


class PlanBlank(Forecast):
    name = "plan-blank"
    lists = ("ITLFile.tlv",)
    more = ("--release", "11.5", "--renew", "callmanager", "--blank-itl")


class PlanRemedy(Forecast):
    """No order spares all phones, so remedies are tried."""
    name = "plan-remedy"
    more = ("--release", "11.5", "--renew", "callmanager", "--accept-lockout", "all")


class PlanRecover(Forecast):
    name = "plan-recover"

    def ready(self, machine):
        super().ready(machine)
        (self.base / "held").mkdir()
        for name in self.lists:
            shutil.copy(self.base / name, self.base / "held")
        self.more = ("--release", "10.5", "--recover", "--installed-dir", self.base / "held")


class Rebuild(Work):
    name = "rebuild"

    def words(self):
        log = DATA / "logs" / "putty.log"
        return ["rebuild", log, "--certs", log, "--address", f"cucm-1051-a-pub={lists.PUB}", "--address",
                f"cucm-1051-a-sub1={lists.SUB}", "-o", self.place / "CTLFile.tlv"]


class Fetch(Work):
    """Two nodes, whose files are written as they come."""
    name = "fetch"
    asks = each = True

    def __init__(self, folder):
        super().__init__(folder)
        self.nodes = [nodes.Node({"CTLFile.tlv": self.list.read_bytes()}) for _ in range(2)]

    def words(self):
        return ["fetch", "-o", self.place / "new", "--timeout", "5", *(node.name for node in self.nodes)]

    def close(self):
        for node in self.nodes:
            node.close()


class Reader(Work):
    """One that only reads: whatever fails, what stands there stays as it is."""

    def begin(self):
        for name in ("cucm.tlv", "ctl-client.tlv"):
            shutil.copy(DATA / "lists" / name, self.place / name)
            (self.place / name).chmod(0o644)

    def learn(self):
        self.after = self.before
        assert self.fault(0) is None

    def fault(self, status, killed=False):
        now = self.plain(tree(self.place))
        return None if now == self.before else f"it is changed: {self.difference(now)}"

    def is_done(self):
        return False


class VerifyMany(Reader):
    name = "verify-many"
    each = True

    def words(self):
        return ["verify", "--trust", self.cluster / "pub.pem", "--trust", self.cluster / f"{TWO}.pem",
                *sorted(self.place.iterdir())]


class IdentifyTable(Reader):
    name = "identify-table"
    each = True

    def ready(self, machine):
        rows = [f"SEP{n:012X},{hashlib.md5(path.read_bytes()).hexdigest()}\n"
                for n, path in enumerate(sorted(self.place.iterdir()))]
        (self.base / "phones.csv").write_text("".join(rows), encoding="ascii")

    def words(self):
        return ["identify", "--csv", self.base / "phones.csv", self.place]


class Summary(Reader):
    name = "summary"

    def words(self):
        return ["show", "--summary", self.place / "cucm.tlv"]


class Asker(Reader):
    """Asks a service of the tests' own, which has a certificate of the sample cluster."""
    asks = True

    def __init__(self, folder):
        super().__init__(folder)
        self.network = net.Network()
        self.host = self.network.host()
        self.network.serve(net.TVS, [self.host], self.service)
        self.port = self.network.real(self.host, net.TVS)[1]

    def service(self, address, sock):
        raise NotImplementedError

    def close(self):
        self.network.close()


class Check(Asker):
    name = "check"

    def service(self, address, sock):
        return net.TlsService(sock, identity.Deck.sample(self.cluster, "capf"))

    def ready(self, machine):
        """A list whose only service is CAPF."""
        pub, capf = self.cluster / "pub.pem", self.cluster / "capf.pem"
        made = machine.run(["build", "-o", self.base / "one.tlv", "--sast", f"{pub},name=pub", "--capf",
                            f"{capf},name=pub,address={self.host}", *self.key(), "--timestamp", LATER], CALLS)
        assert made.status == 0, str(made)

    def words(self):
        return ["check", "--timeout", "5", "--port", f"CAPF={self.port}", self.base / "one.tlv"]


class Tvs(Asker):
    name = "tvs"

    def service(self, address, sock):
        def known(*_):
            return identity.Deck.sample(self.cluster, "pub").der, [0]
        return tvs.TvsService(sock, identity.Deck.sample(self.cluster, "sub1"), known, known)

    def words(self):
        return ["tvs", "--timeout", "5", f"{self.host}:{self.port}", self.place / "cucm.tlv",
                self.cluster / "pub.pem"]


class AcceptTvs(Tvs):
    """No SAST record is the signer's, so the answer decides."""
    name = "accept-tvs"

    def words(self):
        return ["accept", "--timeout", "5", "--tvs", f"{self.host}:{self.port}", "--installed",
                self.place / "ctl-client.tlv", self.place / "cucm.tlv"]


WORKS = {w.name: w for w in (BuildNew, Build, BuildToken, Update, UpdateOut, Migrate, MigrateToken,
                             Export, ExportBeside, ExportProve, ConfigSign, ConfigSignToken,
                             ConfigStrip, Extract, Expiry, Plan, PlanRenew, PlanBlank, PlanRemedy,
                             PlanRecover, Rebuild, Fetch, VerifyMany, IdentifyTable, Summary, Check, Tvs,
                             AcceptTvs)}
