# SPDX-License-Identifier: Apache-2.0
"""help, --version: one table feeds them, and they say what the program takes."""
import re

import pytest
from conftest import ROOT

VERBS = re.findall(r'^VERB\(\w+, "([a-z]+)"', (ROOT / "signer" / "verbs.def").read_text(), re.M)
OPTIONS = re.findall(r'^OPTION\(\w+, "([a-z-]+)", (?:\'(\w)\'|0), .*?, (?:true|false), ([A-Z_| ]+),',
                     (ROOT / "signer" / "options.def").read_text(), re.M)
ROLES = ["sast", "ccm", "ccm-tftp", "tftp", "capf", "app-server", "tvs"]


def test_the_tables_were_found():
    assert {"build", "show", "verify", "extract", "help"} <= set(VERBS)
    assert {"output", "key", "trust", "json"} <= {name for name, _, _ in OPTIONS}


def test_help_names_every_verb_and_status(ctlsign):
    out = ctlsign.ok("help").out
    for verb in VERBS:
        assert re.search(rf"^\s+{verb}\b", out, re.M), verb
    assert ctlsign.ok("--help").out == out


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb_names_every_option_it_takes(ctlsign, verb):
    out = ctlsign.ok("help", verb).out
    assert ctlsign.ok(verb, "--help").out == out
    assert ctlsign.ok(verb, "-h").out == out
    for name, short, verbs in OPTIONS:
        if f"V_{verb.upper()}" in verbs.replace(" ", "").split("|") or verbs.strip() == "V_ALL":
            assert f"--{name}" in out, name
            assert not short or f"-{short}" in out, short
    if verb == "build":
        for role in ROLES:
            assert f"--{role}" in out


@pytest.mark.parametrize("verb", VERBS)
def test_an_option_of_another_verb_is_refused(ctlsign, verb):
    for name, _, verbs in OPTIONS:
        if verbs.strip() != "V_ALL" and f"V_{verb.upper()}" not in verbs.replace(" ", "").split("|"):
            if verb == "build" and name in ROLES:
                continue
            if any(name == other and f"V_{verb.upper()}" in v for other, _, v in OPTIONS):
                continue
            run = ctlsign(verb, f"--{name}=x")
            assert run.status == 2 and f"--{name}" in run.err, str(run)


def test_version_is_the_project_s(ctlsign):
    version = re.search(r"project\(ctlsign VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text())
    assert version.group(1) in ctlsign.ok("--version").out


def test_options_in_both_spellings(ctlsign, tmp_path):
    missing = tmp_path / "none.tlv"
    for words in (["--trust=self", missing], ["--trust", "self", missing], [missing, "--trust", "self"],
                  ["--trust", "self", "--", missing]):
        ctlsign.refused(3, "verify", *words, says="none.tlv")


def test_no_colour_without_a_terminal(ctlsign):
    for words in (["help"], ["build", "--help"], ["show", "/nonexistent"]):
        run = ctlsign(*words, env={"TERM": "xterm-256color"})
        assert "\x1b" not in run.out + run.err
