# SPDX-License-Identifier: Apache-2.0
"""Completion: what the program offers, and what bash and zsh make of it on a terminal."""
import os
import re
import shlex
import shutil
import subprocess
import time

import lists
import pytest
import tables
from conftest import BUILD, DATA, PROGRAM, ROOT, SANITIZED
from token_helpers import add_token, fault  # noqa: F401 (a fixture)

pexpect = pytest.importorskip("pexpect", reason="python3-pexpect is not here")

VERBS = tables.verbs()
once = pytest.mark.skipif(SANITIZED, reason="once, with the release build")


def offered(ctlsign, *words, env=None):
    """(candidates, directives) for the last word."""
    run = ctlsign.ok("--complete", *words, env=env)
    assert run.err == "", str(run)
    lines = run.out.splitlines()
    return ([line.split("\t")[0] for line in lines if not line.startswith(":")],
            [line for line in lines if line.startswith(":")])


def test_verbs(ctlsign):
    assert offered(ctlsign, "")[0] == [*VERBS, "--help", "--version"]
    assert offered(ctlsign, "ex") == (["extract", "expiry", "export"], [])
    assert offered(ctlsign, "nosuchverb", "")[0] == [] and offered(ctlsign)[0] == []
    assert offered(ctlsign, "help", "ver")[0] == ["verify"]


@pytest.mark.parametrize("verb", VERBS)
def test_options_are_those_of_help(ctlsign, verb):
    shown = re.findall(r"^  (?:-\w, |    )(--[a-z0-9-]+)", ctlsign.ok("help", verb).out, re.M)
    assert offered(ctlsign, verb, "-")[0] == shown and len(shown) >= 3
    # What was given is not offered again, unless it may be given again.
    assert "--json" not in offered(ctlsign, verb, "--json", "-")[0]
    # Behind "--" there are none.
    assert not any(word.startswith("-") for word in offered(ctlsign, verb, "--", "-")[0])


def test_repeatable_options_stay(ctlsign):
    assert "--sast" in offered(ctlsign, "build", "--sast", "a.pem", "-")[0]
    assert "--output" not in offered(ctlsign, "build", "-o", "x", "-")[0]
    assert "--output" not in offered(ctlsign, "build", "--output=x", "-")[0]


def test_every_option_with_a_value_has_a_row():
    rows = {row[0] for row in tables.rows("complete.def", "VALUE")}
    options = tables.options()
    assert {name for name, _, _, metavar, *_ in options if metavar is not None} == rows - {"RECORD"}
    arguments = {row[0] for row in tables.rows("complete.def", "ARGUMENT")}
    # build has options only; max is 0.
    assert arguments == {verb.upper() for verb in VERBS} - {"BUILD"}


WORDS = [(verb, option) for verb, options in {
    "build": ["--style", "--name-separator", "--mode", "--digest", "--signer-version", "--accept-lockout"],
    "update": ["--set-mode"], "plan": ["--release"], "export": ["--format"], "expiry": ["--format", "--within"],
}.items() for option in options]


@pytest.mark.parametrize("verb, option", WORDS)
def test_words_are_taken_by_the_program(ctlsign, cluster, tmp_path, verb, option):
    """Every word that is offered is one that the option takes; another is not."""
    key = lists.anchor(cluster)
    old = DATA / "lists" / "cucm.tlv"
    base = {"build": ["build", "-o", tmp_path / "CTLFile.tlv", *key],
            "update": ["update", old, "-n", "-k", cluster / "pub.key", "--cert", cluster / "pub.pem"],
            "plan": ["plan", old, old], "export": ["export", "--from", DATA / "lists" / "ctl-client.tlv",
                                                    "-o", tmp_path / "up"], "expiry": ["expiry", old]}[verb]
    words, _ = offered(ctlsign, *map(str, base[:1]), option, "")
    assert len(words) >= 2
    for word in words:
        if option == "--accept-lockout" or verb == "update" or word == "rfc4514":
            shutil.rmtree(tmp_path / "up", ignore_errors=True)
        run = ctlsign(*base, option, word)
        assert "unknown value" not in run.err and run.status in (0, 1, 3), f"{word}\n{run}"
        assert run.status != 2 and option not in run.err, f"{word}\n{run}"
        shutil.rmtree(tmp_path / "up", ignore_errors=True)
        (tmp_path / "CTLFile.tlv").unlink(missing_ok=True)
    wrong = ctlsign(*base, option, "nonsense")
    assert wrong.status in (2, 3), str(wrong)


LISTED = [(verb, row[1], row[6].split()) for row in tables.options() if row[6]
          for verb in ("build", "update", "migrate", "config", "export", "expiry")
          if f"V_{verb.upper()}" in row[5].split(" | ")]


@pytest.mark.parametrize("verb, option, values", LISTED)
def test_listed_values_are_the_same_everywhere(ctlsign, verb, option, values):
    """Parser, message, help and completion read them from one row."""
    said = [f"'{value}'" if value in ",;" else value for value in values]
    text = ", ".join(said[:-1]) + " or " + said[-1]
    arguments = {"migrate": ["to-tokens", "x"], "config": ["sign", "x"]}.get(verb, ["x"])
    ctlsign.refused(2, verb, *arguments, f"--{option}", "nonsense",
                    says=[f"option '--{option}': unknown value 'nonsense': must be {text}"])
    assert " ".join(text.split()) in " ".join(ctlsign.ok(verb, "--help").out.split())
    words, _ = offered(ctlsign, verb, f"--{option}", "")
    assert words == values


def test_values(ctlsign):
    for words, want in ((["build", "--style", ""], (["cucm", "ctl-client", "rfc4514"], [])),
                        (["build", "--style", "c"], (["cucm", "ctl-client"], [])),
                        (["build", "--style=ct"], (["ctl-client"], [":skip 8"])),
                        (["update", "x", "--add", "CCM"], (["CCM=", "CCM+TFTP="], [":open"])),
                        (["update", "x", "--add", "SAST=a"], ([], [":skip 5", ":files *.pem *.cer *.crt *.der"])),
                        (["build", "--sast", "a.pem,n"], (["a.pem,name="], [":open"])),
                        (["build", "--sast", "a.pem,"], (["a.pem,name=", "a.pem,address="], [":open"])),
                        (["build", "--pin-source", "f"], (["file:", "fd:"], [":open"])),
                        (["build", "--pin-source=file:x"], ([], [":skip 18", ":files "])),
                        (["migrate", "to"], (["to-tokens", "to-tokenless"], [])),
                        (["migrate", "to-tokens", "C"], ([], [":files *.tlv"])),
                        (["identify", "0"], ([], [])), (["identify", "00", "C"], ([], [":files *.tlv"])),
                        (["config", "v"], (["verify"], [])), (["config", "sign", ""], ([], [":files "])),
                        (["extract", "x.tlv", "-o", ""], ([], [":dirs"])),
                        (["build", "-"], None)):
        if want:
            assert offered(ctlsign, *words) == want, words


@pytest.fixture
def twins(lab):
    """Two tokens of one name beside the two SAST tokens: only whole URIs tell them apart."""
    add_token(lab, "my token")
    add_token(lab, "my token")
    return lab


def token_uris(ctlsign, lab):
    out = ctlsign.ok("tokens", "--module", lab.module, env=lab.env).out
    return re.findall(r"^(pkcs11:\S+)$", out, re.M)


@once
def test_token_uris(ctlsign, twins):
    whole = [uri for uri in token_uris(ctlsign, twins) if "token=" in uri]
    same = [uri for uri in whole if uri.endswith("token=my%20token")]
    short = ["pkcs11:token=SAST-ADN0054f509", "pkcs11:token=SAST-ADN008580ef"]
    assert len(same) == 2
    module = ["--module", twins.module]
    for words in (["tokens", *module, ""], ["build", *module, "-k", "pk"], ["export", f"--module={twins.module}", "pkcs11:"],
                  ["build", "--module", twins.module, "--cert=pkcs11:"], ["update", *module, "x", "--replace", ""]):
        words_, _ = offered(ctlsign, *words, env=twins.env)
        assert sorted(words_) == sorted(same + short), words
    # What was begun goes on, short or whole.
    assert offered(ctlsign, "tokens", *module, "pkcs11:token=SAST-ADN00858", env=twins.env)[0] == short[1:]
    assert sorted(offered(ctlsign, "tokens", *module, "pkcs11:model=", env=twins.env)[0]) == sorted(whole)
    # Each selects just one token, as the program itself sees it.
    for uri in same + short:
        assert len(re.findall(r"^pkcs11:", ctlsign.ok("tokens", *module, uri, env=twins.env).out, re.M)) == 1
    # A word that cannot become a URI asks no module, and another module has other tokens.
    assert offered(ctlsign, "tokens", *module, "x", env=twins.env) == ([], [])
    assert offered(ctlsign, "tokens", "--module", "/nonexistent.so", "", env=twins.env) == ([], [])


@once
@pytest.mark.parametrize("plan", ["C_Initialize * sleep 60", "C_GetTokenInfo * sleep 1.5", "C_GetTokenInfo * crash",
                                  "C_GetSlotList * exit 0", "C_Initialize * print nonsense"])
def test_a_bad_module_costs_neither_time_nor_words(ctlsign, fault, plan):  # noqa: F811
    f = fault(plan)
    began = time.monotonic()
    # Whatever the status, an alarm's too: the shell looks at what was said.
    run = subprocess.run([str(PROGRAM), "--complete", "tokens", "--module", f.key()[3], "pkcs11:"],
                         env=ctlsign.environment(f.env), capture_output=True, stdin=subprocess.DEVNULL, check=False)
    assert time.monotonic() - began < 6
    assert run.stderr == b"" and b"nonsense" not in run.stdout
    assert f.logins == 0
    if plan.startswith("C_Initialize * print"):
        assert b"pkcs11:token=SAST-ADN008580ef" in run.stdout


@pytest.fixture
def installed(tmp_path):
    """The completions where 'cmake --install' would put them."""
    share = tmp_path / "share"
    (share / "bash-completion" / "completions").mkdir(parents=True)
    (share / "zsh").mkdir()
    shutil.copy(ROOT / "scripts" / "completion" / "ctlsign.bash",
                share / "bash-completion" / "completions" / "ctlsign")
    shutil.copy(ROOT / "scripts" / "completion" / "_ctlsign", share / "zsh")
    return share


@pytest.fixture
def desk(tmp_path, cluster):
    """A folder to type in."""
    folder = tmp_path / "desk"
    folder.mkdir()
    for name in ("CTLFile.tlv", "my list.tlv", "a;b$c'd.tlv"):
        shutil.copy(DATA / "lists" / "cucm.tlv", folder / name)
    (folder / "Certificates").mkdir()
    shutil.copy(cluster / "pub.pem", folder)
    lists.manifest(folder)
    return folder


class Shell:
    """An interactive shell on a terminal: what a Tab makes of a line, and what the line then does."""
    TAB = "\t"

    def __init__(self, kind, ctlsign, folder, share, env):
        path = f"{PROGRAM.parent}:/usr/sbin:/usr/bin:/sbin:/bin"
        everything = {**ctlsign.environment(env), "PATH": path, "TERM": "dumb", "XDG_DATA_DIRS": f"{share}:/usr/share",
                      "INPUTRC": "/dev/null", "PS1": "> ", "ZDOTDIR": str(share), "HISTFILE": "/dev/null"}
        words = {"bash": ["--norc", "--noprofile", "-i"], "zsh": ["-f", "-i"]}[kind]
        self.child = pexpect.spawn(kind, words, env=everything, cwd=str(folder), encoding="utf-8",
                                   timeout=30, dimensions=(60, 1000))
        start = {
            "bash": ["bind 'set enable-bracketed-paste off'", "bind 'set bell-style none'",
                     "bind 'set completion-query-items 0'", "bind 'set page-completions off'",
                     "source /usr/share/bash-completion/bash_completion",
                     r"""show() { printf '\nLINE<%s>\n' "$READLINE_LINE"; READLINE_LINE=; READLINE_POINT=0; }""",
                     r"""bind -x '"\C-x\C-p": show'"""],
            "zsh": ["unsetopt prompt_sp zle_bracketed_paste 2>/dev/null; unset zle_bracketed_paste",
                    "bindkey '^I' complete-word", f"fpath=({share}/zsh $fpath)", "autoload -Uz compinit", f"compinit -u -d {share}/dump",
                    r"""show() { print -r -- ; print -r -- "LINE<$BUFFER>"; BUFFER=; zle reset-prompt }""",
                    "zle -N show", r"bindkey '\C-x\C-p' show", "LISTMAX=10000"],
        }[kind]
        for line in [*start, "printf 'rea%s\\n' dy"]:
            self.child.sendline(line)
        self.child.expect("\r\nready\r\n|\nready\r?\n")

    def complete(self, typed):
        """The line after one Tab."""
        self.child.send(typed + self.TAB)
        time.sleep(0.05)
        self.child.send("\x18\x10")
        self.child.expect(r"(?s)LINE<(.*?)>\r?\n")
        return self.child.match.group(1)

    def run(self, line):
        """What a line prints."""
        self.child.sendline(line + "; printf 'en%s\\n' d")
        self.child.expect(r"\nend\r?\n")
        return self.child.before

    def close(self):
        self.child.close(force=True)


@pytest.fixture(params=["bash", "zsh"])
def shell(request, ctlsign, twins, desk, installed):
    if not shutil.which(request.param):
        pytest.skip(f"{request.param} is not here")
    s = Shell(request.param, ctlsign, desk, installed, {**twins.env, "MODULE": twins.module})
    s.kind, s.lab = request.param, twins
    yield s
    s.close()


@once
def test_on_a_terminal(ctlsign, shell, desk):
    for typed, line in [
            ("ctlsign ve", "ctlsign verify "), ("ctlsign build --st", "ctlsign build --style "),
            ("ctlsign build --style ct", "ctlsign build --style ctl-client "),
            ("ctlsign build --style=ct", "ctlsign build --style=ctl-client "),
            ("ctlsign config si", "ctlsign config sign "), ("ctlsign build -m cl", "ctlsign build -m cluster.yaml "),
            ("ctlsign show CT", "ctlsign show CTLFile.tlv "), ("ctlsign show ./CT", "ctlsign show ./CTLFile.tlv "),
            ("ctlsign show --json CT", "ctlsign show --json CTLFile.tlv "),
            ("ctlsign show my", r"ctlsign show my\ list.tlv "),
            ("ctlsign show 'my", "ctlsign show 'my list.tlv' "),
            ("ctlsign show a", r"ctlsign show a\;b\$c\'d.tlv "),
            ("ctlsign extract CTLFile.tlv -o C", "ctlsign extract CTLFile.tlv -o Certificates/"),
            ("ctlsign verify --trust=pu", "ctlsign verify --trust=pub.pem "),
            ("ctlsign update CTLFile.tlv --add SAST=pu", "ctlsign update CTLFile.tlv --add SAST=pub.pem "),
            ("ctlsign update CTLFile.tlv --add CAP", "ctlsign update CTLFile.tlv --add CAPF="),
            ("ctlsign build --pin-source en", "ctlsign build --pin-source env:"),
            ("ctlsign build --pin-source file:pu", "ctlsign build --pin-source file:pub.pem ")]:
        got = shell.complete(typed)
        # zsh may leave the blank for later, and quotes in its own ways.
        same = got == line or shell.kind == "zsh" and got.rstrip() == line.rstrip()
        assert same or shell.kind == "zsh" and shlex.split(got) == shlex.split(line), f"{typed!r}: {got!r}"



@once
@pytest.mark.parametrize("way", ["tokens --module $MODULE {}", "tokens --module=$MODULE {}",
                                 "tokens --module \"${{MODULE}}\" {}", "tokens --module ~/module.so {}"])
def test_a_token_s_uri_is_one_word_that_the_program_takes(ctlsign, shell, way):
    (ctlsign.home / "module.so").symlink_to(shell.lab.module)
    uris = [uri for uri in token_uris(ctlsign, shell.lab) if uri.endswith("my%20token")]
    serial = re.search(r"serial=(\w+)", uris[0]).group(1)
    begun = uris[0][:uris[0].index(serial) + len(serial) - 1]
    for typed, wanted in (("pkcs11:token=SAST-ADN008", "token=SAST-ADN008580ef"), ("pkcs11:token=SAST-ADN005", "token=SAST-ADN0054f509"),
                          (begun.replace(";", r"\;"), uris[0]), ("'" + begun, uris[0]), ('"' + begun, uris[0])):
        line = shell.complete("ctlsign " + way.format(typed))
        said = shell.run(line)
        assert len(re.findall(r"^pkcs11:\S+\r?$", said, re.M)) == 1 and wanted in said, f"{line!r}\n{said}"
        if way.startswith("tokens --module $") and "SAST" in typed:
            assert line.rstrip() == "ctlsign " + way.format("pkcs11:" + wanted), line


@once
def test_all_tokens_are_listed(ctlsign, shell):
    shell.child.send("ctlsign tokens --module $MODULE pkcs11:token=\t\t\t")
    shell.child.expect("SAST-ADN0054f509")
    shell.child.expect("SAST-ADN008580ef")
    shell.child.send("\x18\x10")
    shell.child.expect("LINE<")


@once
def test_nothing_on_the_line_is_run(shell, desk):
    for typed in ("ctlsign show $(touch run)CT", "ctlsign show `touch run`CT", 'ctlsign show "$(touch run)" CT',
                  "ctlsign build --module $(touch run) -k pk", "ctlsign tokens ${x:-$(touch run)} p",
                  "ctlsign tokens '$(touch run)' p", "ctlsign tokens pkcs11:token=$(touch run)",
                  "ctlsign show ~$(touch run)/", "ctlsign show ~root$(touch run)/x", "ctlsign show --trust=~`touch run`/",
                  "ctlsign show '~$(touch run)/", 'ctlsign show "~$(touch run)/', "ctlsign show ~root/$(touch run)/", "ctlsign show =(touch run)/",
                  "ctlsign show <(touch run)/", "ctlsign show $HOME$(touch run)/", "ctlsign build --add SAST=~$(touch run)/"):
        shell.complete(typed)
        assert not (desk / "run").exists(), typed


# What a shell might obey, or take for its own, in a name.
HOSTILE = ["~$(touch PWNED)", "~`touch PWNED`", "~;touch PWNED;", "~", "~root", "~+", "~-1", "~a~$(touch PWNED)",
           "$(touch PWNED)", "`touch PWNED`", "${IFS:-$(touch PWNED)}", "$HOME", "$'a'", "a;touch PWNED", "a&touch PWNED",
           "a|touch PWNED", "a\ntouch PWNED\n", "\ttouch PWNED", "a>PWNED", "a<PWNED", "<(touch PWNED)", "=(touch PWNED)", "=touch",
           "(touch PWNED)", "a'b", "'$(touch PWNED)'", 'a"b', '"$(touch PWNED)"', "a\\", "\\$(touch PWNED)", "!!", "a!touch", "!-1",
           "a!$(touch PWNED)", "^a^b", "#a", "*", "?", "[a]", "{a,b}", "{touch,PWNED}", "a,b", "a\\,b", "a=~$(touch PWNED)",
           "a:~$(touch PWNED)", "\x1b]0;touch PWNED\x07", "\x03touch PWNED\r", "a\u009bb", "a\u202eb", "@a", "a%s", "a  b", " a"]


class Recorded:
    """What a line gives to ctlsign, which is a function here that only writes it down."""

    def __init__(self, shell, folder):
        self.shell, self.folder = shell, folder
        shell.run(f"ctlsign() {{ printf '%s\\0' \"$@\" > {folder}/words; }}")

    def arguments(self, name, typed):
        """Tab and Enter in a folder with a file of this name only."""
        place = self.folder / "one"
        shutil.rmtree(place, ignore_errors=True)
        (self.folder / "words").unlink(missing_ok=True)
        place.mkdir()
        shutil.copy(DATA / "lists" / "cucm.tlv", place / name)
        self.shell.run(f"cd {place}")
        line = self.shell.complete(typed)
        # zsh puts control characters in as they are, and what is sent here would be its keys.
        if self.shell.kind == "zsh" and re.search(r"[\x00-\x1f\x7f-\x9f]", line):
            line = ":"
        assert not re.search(r"[\x00-\x1f\x7f-\x9f]", line), repr(line)
        # Where a quote is in the name, zsh leaves the one that was typed open, of ls too: one closes it.
        if self.shell.kind == "zsh" and typed[-1] == "'" and "'" in name and line != typed:
            line += "'"
        # A quote that nothing was found behind is still open.
        self.shell.run(line if line != typed or typed[-1] not in "'\"" else ":")
        assert [p.name for p in place.iterdir()] == [name], f"{typed!r}, {name!r}: something was run"
        words = self.folder / "words"
        return words.read_bytes().decode().split("\0")[:-1] if words.exists() else None


@once
def test_a_file_s_name_is_never_obeyed(shell, tmp_path):
    recorded = Recorded(shell, tmp_path)
    others = [("ctlsign show '", ""), ('ctlsign show "', ""), ("ctlsign show ./", "./"),
              ("ctlsign build --pin-source file:", "file:"), ("ctlsign update x --add SAST=./", "SAST=./")]
    for i, name in enumerate(stem + ".tlv" for stem in HOSTILE):
        for typed, before in (("ctlsign show ", ""), others[i % len(others)]):
            got = recorded.arguments(name, typed)
            # What has no spelling between these quotes is not offered.
            assert got is None or got[-1] in (before + name, before, "show", "file:-"), f"{shell.kind}: {typed!r}, {name!r}: {got}"
            if typed == "ctlsign show " and not set(name) & set("\n\r\t\x03\x1b\u009b"):
                assert got == ["show", name], f"{shell.kind}: {typed!r}, {name!r}: {got}"


@once
def test_redirections_and_other_commands(shell):
    if shell.kind == "bash":
        assert shell.complete("ctlsign show CTLFile.tlv > pu") == "ctlsign show CTLFile.tlv > pub.pem "
    assert shell.complete("ls >/dev/null; ctlsign ve").rstrip() == "ls >/dev/null; ctlsign verify"
    assert shell.complete("TZ=UTC ctlsign sho").rstrip() == "TZ=UTC ctlsign show"


@once
def test_they_are_installed(tmp_path):
    run = subprocess.run(["cmake", "--install", str(BUILD)], env={**os.environ, "DESTDIR": str(tmp_path)},
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    for source, place in (("ctlsign.bash", "bash-completion/completions/ctlsign"), ("_ctlsign", "zsh/site-functions/_ctlsign")):
        found = list(tmp_path.glob(f"**/share/{place}"))
        assert len(found) == 1, place
        assert found[0].read_bytes() == (ROOT / "scripts" / "completion" / source).read_bytes()
    schemas = {path.name for path in tmp_path.glob("**/share/ctlsign/schema/*.json")}
    assert schemas == {path.name for path in (ROOT / "docs" / "schema").glob("*.json")} and len(schemas) > 10
