# SPDX-License-Identifier: Apache-2.0
"""What scripts rely on, written down once more and by hand: it changes only with a major version.

Where the tables change and this does not, somebody's script breaks: think before it is taken over.
"""
import re

import pytest
import tables
from conftest import DATA, ROOT

BELIEVE = "trust accept-signer"
TOKEN = "key cert module pin-source timeout insecure-file-mode"
FILES = "overwrite keep"
PRINTED = "certs address"
WRITE = "output digest timestamp reproducible allow-large allow-weak-keys accept-lockout sast-trust tvs-ctl yes"
OPTIONS = {
    "build": f"{TOKEN} {WRITE} {PRINTED} {FILES} {BELIEVE} installed manifest style name-separator mode filename signer-version device follow json"
             " sast ccm ccm-tftp tftp capf app-server tvs",
    "show": f"allow-large {PRINTED} summary timeout json", "verify": f"allow-large {PRINTED} trust timeout json",
    "fetch": f"allow-large {FILES} output device tftp nodes trust timeout json",
    "check": f"allow-large {PRINTED} node port timeout json",
    "tvs": f"allow-large {PRINTED} installed query timeout json",
    "rebuild": f"allow-large {PRINTED} {FILES} output timestamp follow timeout json",
    "extract": f"allow-large {PRINTED} {FILES} output {BELIEVE} unverified timeout json",
    "diff": f"allow-large {PRINTED} timeout json", "identify": f"allow-large {PRINTED} csv timeout json",
    "update": f"{TOKEN} {WRITE} {FILES} {BELIEVE} installed keep-timestamp filename signer-version follow in-place dry-run add remove replace set all {PRINTED}"
              " set-mode keep-old-sast drop-old-sast json",
    "tokens": "allow-large list module timeout json", "doctor": "allow-large list module timeout json",
    "export": f"allow-large {PRINTED} {FILES} output {BELIEVE} format prove any from module pin-source timeout insecure-file-mode json",
    "accept": f"allow-large {PRINTED} installed installed-dir sast-trust no-tvs tvs-ctl new-itl tvs-cert tvs blank-itl release strict timeout json",
    "plan": f"{FILES} {PRINTED} allow-large sast-trust tvs-ctl tvs blank-itl release renew recover installed-dir without group html accept-lockout follow timeout json",
    "migrate": f"{TOKEN} {WRITE} {PRINTED} {FILES} {BELIEVE} installed keep-timestamp style old-key old-cert sast unproven-sast one-token publisher release json",
    "expiry": f"allow-large {PRINTED} {FILES} within format output follow timeout json",
    "config": f"{TOKEN} {FILES} allow-large output digest filename style name-separator timestamp reproducible allow-weak-keys trust sast-trust for root"
              " files-from null jobs skip-unchanged json",
    "help": "",
}
EVERYWHERE = "quiet verbose help"
SHORT = {"build": "omkh", "update": "oknh", "migrate": "okh", "config": "ok0jh", "extract": "oh", "export": "oh", "expiry": "oh", "rebuild": "oh", "fetch": "oh"}
STATUSES = {0: "yes", 1: "no", 2: "command line", 3: "input", 4: "no token, key or certificate matches", 5: "more than one",
            6: "PIN or passphrase missing or wrong", 7: "PIN locked", 8: "token or module failed", 9: "output", 70: "bug"}
MARKED = {
    "fetch": ["same", "consistent", "good", "missing"],
    "tvs": ["known as SAST", "known, but not as SAST", "not known", "no answer"],
    "check": ["same", "renewed", "other", "no answer"],
    "verify": ["good signature by", "UNTRUSTED signature by", "BAD signature"],
    "accept": ["accepted: leap-of-faith", "accepted: signer-is-sast", "accepted: signer-is-tftp", "accepted: tvs",
               "refused: signer-unknown", "refused: signer-not-sast", "refused: ambiguous-signer", "refused: too-large",
               "refused: bad-signature", "refused: wrong-kind", "asked: HOST:PORT"],
    "plan": ["asked: HOST:PORT"],
    "tokens": ["ok", "count-low", "final-try", "locked", "to-be-changed", "not-initialised"],
}


def test_every_verb_is_here():
    assert set(OPTIONS) == set(tables.verbs())


@pytest.mark.parametrize("verb", OPTIONS)
def test_options_of_contract_help_and_completion_are_the_same(ctlsign, verb):
    """The manual is held against help by test_man."""
    shown = re.findall(r"^  (?:-(\w), |    )--([a-z0-9-]+)", ctlsign.ok("help", verb).out, re.M)
    promised = f"{OPTIONS[verb]} {EVERYWHERE}".split()
    assert sorted(name for _, name in shown) == sorted(promised)
    assert sorted(short for short, _ in shown if short) == sorted(SHORT.get(verb, "h"))
    completed = [line.split("\t")[0] for line in ctlsign.ok("--complete", verb, "--").out.splitlines()]
    assert sorted(completed) == sorted(f"--{name}" for name in promised)


def test_statuses_of_contract_and_help_are_the_same(ctlsign):
    _, _, table = ctlsign.ok("help").out.partition("\nexit status:\n")
    told = dict(re.findall(r"^  (\d+) +(.+(?:\n {10,}.+)*)", table, re.M))
    assert [int(number) for number in told] == list(STATUSES)
    for number, meaning in told.items():
        assert STATUSES[int(number)] in meaning


@pytest.mark.parametrize("verb", MARKED)
def test_marked_lines_are_in_the_manual(verb):
    page = (ROOT / "docs" / "man" / f"ctlsign-{verb}.1.scd").read_text().replace("*", "")
    for line in MARKED[verb]:
        assert re.search(rf"^{re.escape(line)}(?: _name_)?$", page, re.M), line


def test_marked_lines_are_printed(ctlsign):
    lists = DATA / "lists"
    for words, line in ((["verify", "--trust", "self"], "good signature by "), (["verify"], "UNTRUSTED signature by ")):
        assert ctlsign(*words, lists / "cucm.tlv").last_line.startswith(line)
    for installed, reason in (("none", "accepted: leap-of-faith"), (lists / "cucm.tlv", "accepted: signer-is-sast"),
                              (lists / "rfc4514.tlv", "refused: signer-unknown")):
        run = ctlsign("accept", "--no-tvs", "--installed", installed, lists / "cucm.tlv")
        assert run.out.splitlines()[0] == reason
