# SPDX-License-Identifier: Apache-2.0
"""The program's own tables (*.def, and those of CMakeLists.txt), for tests that ask whether something has every row."""
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
# A string of several literals, brackets with what they hold, or anything up to a comma.
ARGUMENT = re.compile(r'\s*((?:"(?:\\.|[^"\\])*"\s*)+|(?:\((?:[^()]|\([^()]*\))*\)|[^,()"])*)(,|\)|$)')


def _arguments(text):
    """The arguments of a macro's call, from behind its bracket: strings without quotes, NULL as None."""
    found, at = [], 0
    while True:
        match = ARGUMENT.match(text, at)
        word = match.group(1).strip()
        if word.startswith('"'):
            word = "".join(re.findall(r'"((?:\\.|[^"\\])*)"', word))
        found.append(None if word == "NULL" else word)
        if match.group(2) != ",":
            return found
        at = match.end()


def path_of(name):
    """The table of this name, in whatever room it stands."""
    found = [p for top in ("tlv", "pkcs11", "signer", "tests") for p in (ROOT / top).rglob(name)]
    assert len(found) == 1, (name, found)
    return found[0]


def rows(name, macro):
    """The arguments of every MACRO(...) of the table, a list a row."""
    text = re.sub(r"/\*.*?\*/", "", path_of(name).read_text(encoding="utf-8"), flags=re.S)
    found = [_arguments(text[m.end():]) for m in re.finditer(rf"^{macro}\(", text, re.M)]
    assert found, f"{name} has no {macro}"
    return found


def verbs():
    return [row[1] for row in rows("verbs.def", "VERB")]


def options():
    """The rows of options.def, with groups of verbs (verb_groups.def) as the verbs that they stand for."""
    names = [f"V_{row[0]}" for row in rows("verbs.def", "VERB")]
    masks = {name: 1 << i for i, name in enumerate(names)}
    masks["V_ALL"] = (1 << len(names)) - 1
    for name, text in rows("verb_groups.def", "GROUP"):
        masks[f"V_{name}"] = eval(text, {}, masks)  # of bits: | & ~
    found = rows("options.def", "OPTION")
    for row in found:
        mask = eval(row[5], {}, masks)
        row[5] = "V_ALL" if mask == masks["V_ALL"] else " | ".join(
            name for name in names if mask & masks[name])
    return found


def sources(suffix=".c"):
    """Every source file of the program."""
    return sorted(p for top in ("tlv", "pkcs11", "signer") for p in (ROOT / top).rglob(f"*{suffix}"))


def _cmake(pattern):
    return re.findall(pattern, (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"), re.M)


def version():
    [found] = _cmake(r"^project\(ctlsign VERSION ([0-9.]+)")
    return found


def libraries():
    """What the program is built with: (pkg-config's name, oldest version, Debian's package) each."""
    found = _cmake(r'^ +"\w+ (\S+) ([0-9.]+) (\S+)"')
    assert len(found) >= 6, found
    return found
