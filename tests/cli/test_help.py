# SPDX-License-Identifier: Apache-2.0
"""help, --version: one table feeds them, and they say what the program takes."""
import re

import pytest
import tables

VERBS = tables.verbs()
OPTIONS = [(name, "" if short == "0" else short.strip("'"), verbs)
           for _, name, short, _, _, verbs, *_ in tables.options()]
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


@pytest.mark.parametrize("words", [["help"], *(["help", verb] for verb in VERBS)], ids=["all", *VERBS])
def test_a_terminal_of_100_columns_shows_it_whole(ctlsign, words):
    assert [line for line in ctlsign.ok(*words).out.splitlines() if len(line) > 100] == []


@pytest.mark.parametrize("words,meant", [
    (["build", "-ccm", "x"], "--ccm"), (["build", "-ccm-tftp=x"], "--ccm-tftp"), (["build", "-key", "x"], "--key"),
    (["verify", "-trust", "x"], "--trust"), (["build", "--version", "1.1"], "--signer-version"),
    (["update", "x", "--version=1.1"], "--signer-version"), (["build", "--pin", "1234"], "--pin-source"),
    (["config", "sign", "--password=x"], "--pin-source"), (["build", "--hash", "sha1"], "--digest")])
def test_what_was_meant(ctlsign, words, meant):
    run = ctlsign.refused(2, *words, says=f"did you mean '{meant}'?")
    assert "1234" not in run.err


def test_every_synonym_is_of_an_option_of_its_verb(ctlsign):
    rows = tables.rows("opt_synonyms.def", "OPT_SYNONYM")
    assert len(rows) > 3
    verbs = {name: {v for n, _, on in OPTIONS if n == name for v in on.replace(" ", "").split("|")}
             for _, name, _ in rows}
    for word, name, _ in rows:
        assert not any(n == word for n, _, _ in OPTIONS), word
        assert verbs[name], name


def test_version_is_the_project_s(ctlsign):
    assert tables.version() in ctlsign.ok("--version").out


def test_options_in_both_spellings(ctlsign, tmp_path):
    missing = tmp_path / "none.tlv"
    for words in (["--trust=self", missing], ["--trust", "self", missing], [missing, "--trust", "self"],
                  ["--trust", "self", "--", missing]):
        ctlsign.refused(3, "verify", *words, says="none.tlv")


def test_alone_it_says_what_to_do_next(ctlsign):
    run = ctlsign()
    lines = run.err.splitlines()
    assert run.status == 2 and run.out == "" and len(lines) <= 8, str(run)
    assert lines[0].startswith("usage: ctlsign ")
    # What it proposes is what it takes.
    verbs = re.findall(r"^  ctlsign ([a-z]+)", run.err, re.M)
    assert len(verbs) >= 3 and set(verbs) <= set(VERBS), verbs


@pytest.mark.parametrize("word, meant", [
    ("shwo", "show"), ("sohw", "show"), ("shw", "show"), ("veryfi", "verify"), ("verfiy", "verify"),
    ("buidl", "build"), ("exprot", "export"), ("mgirate", "migrate"), ("identfy", "identify"),
    ("mig", "migrate"), ("ver", "verify"), ("acept", "accept"), ("tokenz", "tokens"), ("diffs", "diff"),
    # Another word, not a slip of the fingers; or one that begins two verbs.
    ("frobnicate", None), ("x", None), ("ex", None), ("", None),
    ("CTLFile.tlv", None), ("-", None)])
def test_the_nearest_verb(ctlsign, word, meant):
    run = ctlsign(word)
    said = f"did you mean '{meant}'?" if meant else "see 'ctlsign help'"
    assert run.status == 2 and said in run.err, str(run)
    assert ctlsign("help", word).status == 2


def test_an_option_in_front_of_the_verb(ctlsign):
    run = ctlsign("--json", "show", "list.tlv")
    assert run.status == 2 and "unknown option '--json' in front of the verb" in run.err, str(run)


def test_what_other_tools_call_it(ctlsign):
    rows = tables.rows("synonyms.def", "SYNONYM")
    assert len(rows) >= 10
    for word, meant in rows:
        assert word not in VERBS
        run = ctlsign(word)
        assert run.status == 2 and f"unknown verb '{word}': did you mean {meant}?" in run.err, str(run)
        # What is meant is there: a verb, and where it says more, its option or its first word.
        for verb, rest in re.findall(r"'([a-z]+)(?: ([a-z-]+))?'", meant):
            assert verb in VERBS, verb
            said = ctlsign.ok("help", verb).out
            assert not rest or re.search(rf"(?<!\w){re.escape(rest)}(?!\w)", said), rest


@pytest.mark.parametrize("verb, word, meant", [
    ("build", "--stlye", "--style"), ("build", "--digset=sha1", "--digest"), ("build", "--ccm-tfpt", "--ccm-tftp"),
    ("update", "--inplace", "--in-place"), ("accept", "--instaled", "--installed"),
    ("export", "--outptu", "--output"), ("build", "--accept-lock", "--accept-lockout"),
    ("show", "--jsno", "--json"), ("update", "--cer", "--cert"), ("tokens", "--modul", "--module"),
    ("show", "--style", None), ("verify", "--force", None), ("build", "--x", None), ("build", "--allow", None),
    ("show", "-x", None)])
def test_the_nearest_option(ctlsign, verb, word, meant):
    run = ctlsign(verb, word)
    said = f"did you mean '{meant}'?" if meant else f"see 'ctlsign {verb} --help'"
    assert run.status == 2 and said in run.err, str(run)


def test_no_colour_without_a_terminal(ctlsign):
    for words in (["help"], ["build", "--help"], ["show", "/nonexistent"]):
        run = ctlsign(*words, env={"TERM": "xterm-256color"})
        assert "\x1b" not in run.out + run.err
