# SPDX-License-Identifier: Apache-2.0
"""The order of the rooms is kept: scripts/house.py finds each kind of break when one is planted."""
import shutil
import subprocess

import pytest
from conftest import ROOT, SANITIZED

pytestmark = pytest.mark.skipif(SANITIZED, reason="once, with the release build")

# What is added at the end of a file, what finds it, and what is said.
PLANTED = {
    "an include that goes up": (
        "rooms", {"signer/trust/tvs.c": '#include "signer/cli/common.h"\n'},
        "signer/trust/tvs.c:{line}: signer/cli/common.h: signer/trust/ may not include signer/cli/"),
    "an include beside": (
        "rooms", {"signer/config/batch.c": '#include "signer/plan/plan.h"\n'},
        "signer/plan/plan.h: signer/config/ may not include signer/plan/"),
    "the child's code in the parent": (
        "rooms", {"pkcs11/ask.c": '#include "pkcs11/child/door.h"\n'},
        "pkcs11/child/door.h: pkcs11/ may not include pkcs11/child/"),
    "a library of another room": (
        "rooms", {"signer/plan/plan.c": "#include <openssl/evp.h>\n"}, "openssl/evp.h: not a library for signer/plan/"),
    "a library that a room no longer needs": (
        "rooms", {"scripts/house.py": ('"yaml.h": "signer/list"', '"yaml.h": "signer/list signer/plan"')},
        "scripts/house.py: signer/plan/ does not need <yaml.h>"),
    "an include without its folder": (
        "rooms", {"signer/trust/tvs.c": '#include "tvs.h"\n'},
        "signer/trust/tvs.c:{line}: tvs.h: no path from the top of the project"),
    "a room that no map has": ("rooms", {"other/new.c": "", "signer/new/new.c": ""}, "signer/new/new.c: stands in no room"),
    "a room that the map lacks": (
        "rooms", {"scripts/house.py": ('    "tlv": "",\n', '    "tlv": "",\n    "tlv/new": "tlv",\n')},
        "docs/ARCHITECTURE.md: the map and scripts/house.py differ about tlv/new/"),
    "a room that needs less": (
        "rooms", {"scripts/house.py": ('"signer/publish": "', '"signer/publish": "signer/net ')},
        "scripts/house.py: signer/publish/ does not need signer/net/"),
    "a copy": ("doors", {"signer/list/diff.c": "void planted(void *a)\n{\n\tmemcpy(a, a, 1);\n}\n"},
               "signer/list/diff.c:{line+2}: memcpy( (door 'copy')"),
    "a file renamed": ("doors", {"signer/cli/deliver.c": "int planted(void) { return rename(\"a\", \"b\"); }\n"},
                       "rename( (door 'publish')"),
    "the environment": ("doors", {"signer/trust/trust.c": "char *planted(void) { return getenv(\"A\"); }\n"},
                        "getenv (door 'environ')"),
    "a library that is loaded": ("doors", {"signer/list/json.c": "void *planted(void) { return dlopen(\"a\", 2); }\n"},
                                 "dlopen( (door 'library')"),
    "foreign JSON": ("doors", {"signer/list/json.c": "json_t *planted(void) { return json_loads(\"1\", 0, NULL); }\n"},
                     "json_loads( (door 'foreign json')"),
    "a door that stays open": ("doors", {"scripts/house.py": ('     "tlv/bytes.c pkcs11/child/libp11"),',
                                                              '     "tlv/bytes.c pkcs11/child/libp11 signer/doctor"),')},
                               "scripts/house.py: signer/doctor does not need the door 'copy'"),
    "a second definition": (
        "facts", {"signer/plan/plan.c": "static const char planted[] = \"ITLRECOVERY_\";\n"},
        "signer/plan/plan.c:{line}: another definition of 'itlrecovery': ask tlv_cert_is_itlrecovery()"),
    "a definition that is gone": (
        "facts", {"scripts/house.py": ('"tlv/bytes.c pkcs11/ask.c"', '"tlv/bytes.c pkcs11/ask.c signer/doctor"')},
        "scripts/house.py: signer/doctor does not need to define 'growing array'"),
    "a circle that is gone": (
        "circles", {"scripts/house.py": ("CIRCLES = [\n]", 'CIRCLES = [\n    "tlv/one.c tlv/two.c",\n]')},
        "scripts/house.py: no such circle any more: tlv/one.c tlv/two.c"),
    "a circle of two": ("circles", {"tlv/record.c": "long planted(const struct tlv_list *l) { return tlv_list_signer(l); }\n"},
                        "these files call each other in a circle: "),
    "a circle of three": ("circles", {
        "tlv/one.c": "void planted_a(void) { planted_b(); }\n", "tlv/two.c": "void planted_b(void) { planted_c(); }\n",
        "tlv/three.c": "void planted_c(void) { planted_a(); }\n"},
        "these files call each other in a circle: tlv/one.c tlv/three.c tlv/two.c"),
}


@pytest.fixture
def house(tmp_path):
    for folder in ("tlv", "pkcs11", "signer", "scripts"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    for folder in ("docs", "tests", "debian", ".ci"):  # scripts/check looks there too
        (tmp_path / folder).mkdir()
    shutil.copy(ROOT / "docs" / "ARCHITECTURE.md", tmp_path / "docs")
    return tmp_path


def check(house, name):
    """As people call it: it runs house.py, and ends with its status."""
    return subprocess.run([house / "scripts" / "check", name], cwd=house, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def plant(path, what):
    path.parent.mkdir(parents=True, exist_ok=True)
    text = path.read_text() if path.exists() else ""
    if isinstance(what, tuple):
        assert text.count(what[0]) == 1, what[0]
        path.write_text(text.replace(*what))
    else:
        path.write_text(text + what)
    return text.count("\n") + 1


@pytest.mark.parametrize("what", PLANTED, ids=lambda text: text.replace(" ", "-"))
def test_what_is_planted_is_found(house, what):
    name, places, says = PLANTED[what]
    lines = [plant(house / path, text) for path, text in places.items()]
    says = says.replace("{line}", str(lines[0])).replace("{line+2}", str(lines[0] + 2))
    run = check(house, name)
    assert run.returncode == 1 and f"FAIL  {name}" in run.stdout and says in run.stdout, run.stdout


@pytest.mark.parametrize("name", ["rooms", "doors", "facts", "circles"])
def test_without_it_nothing_is_found(house, name):
    run = check(house, name)
    assert (run.returncode, run.stdout) == (0, f"ok    {name}\n")
