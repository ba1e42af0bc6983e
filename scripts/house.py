#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The order of the house, as rules about folders.

usage: scripts/house.py [rooms|doors|facts|circles]...    (default: all)

rooms:   which room may include which other ones
doors:   which rooms may do something dangerous
facts:   which file alone may hold a fact that has one definition
circles: no two files call each other, not even by way of a third

A rule that nothing needs any more is an error too: the tables stay true.
Prints what breaks a rule, and ends with status 1 then.
"""
import os
import re
import subprocess
import sys

# A room may include itself, the rooms named behind it, and what those may include.
ROOMS = {
    "tlv": "",
    "pkcs11/shared": "tlv",
    "pkcs11": "pkcs11/shared",
    "pkcs11/child/libp11": "pkcs11/shared",
    "pkcs11/child": "pkcs11/child/libp11",
    "signer/io": "tlv",
    "signer/net/shared": "tlv",
    "signer/net": "signer/io signer/net/shared pkcs11",
    "signer/net/helper": "signer/io signer/net/shared pkcs11/shared",
    "signer/crypto": "signer/io pkcs11",
    "signer/text": "signer/crypto signer/net",
    "signer/trust": "signer/text",
    "signer/publish": "signer/crypto",
    "signer/list": "signer/trust",
    "signer/config": "signer/list signer/publish",
    "signer/doctor": "signer/trust signer/publish",
    "signer/plan": "signer/list signer/publish",
    "signer/plan/forecast": "signer/plan",
    "signer/plan/recover": "signer/plan/forecast",
    "signer/cli": "signer/plan/recover signer/config signer/doctor",
}

# Libraries by the first part of an #include <...>, and the rooms that may use them.
LIBRARIES = {
    "openssl": "signer/crypto signer/net/helper pkcs11/shared pkcs11/child pkcs11/child/libp11 signer/doctor",
    "curl": "signer/net/helper",
    "p11-kit": "pkcs11/child pkcs11/child/libp11",
    "libp11.h": "pkcs11/child/libp11",
    "expat.h": "signer/config",
    "yaml.h": "signer/list",
    "jansson.h": "signer/cli signer/crypto signer/io signer/list signer/plan signer/plan/forecast signer/plan/recover",
}

# One door per danger: a name, what is dangerous, and the rooms or files that may do it.
DOORS = [
    ("copy", r"\b(memcpy|memmove|strcpy|strcat|strncpy|strncat|sprintf|alloca) *\(",
     "tlv/bytes.c pkcs11/child/libp11"),
    ("said", r"(->|\.) *said\b", "tlv/err.c"),
    ("sentence", r"\bv(f|s|sn|as|d)?printf *\(", "tlv/bytes.c"),
    ("reserve", r"\bjson_dumps *\(", ""),
    ("foreign json", r"\bjson_load\w* *\(", ""),
    ("cryptoki", r"(->|\.) *(C_[A-Z][A-Za-z]+|call) *\(", "pkcs11/child/door.c"),
    ("publish", r"\b(rename|renameat|renameat2|fsync|fdatasync|syncfs|linkat|mkstemp|mkostemp) *\(",
     "signer/publish"),
    ("stdout", r"(^|[^(A-Za-z0-9_])(printf|vprintf|puts|putchar) *\(|\b(stdout|STDOUT_FILENO)\b",
     "signer/io/out.c pkcs11/process.c"),
    ("stderr", r"\b(perror|fprintf|dprintf) *\(|\b(stderr|STDERR_FILENO)\b", "signer/io/out.c pkcs11/child/main.c signer/net/helper/main.c"),
    ("environ", r"\b(getenv|secure_getenv|setenv|unsetenv|putenv|environ)\b",
     "signer/io/env.c pkcs11/shared/env.c"),
    ("clock", r"\b(time|gettimeofday) *\(|CLOCK_REALTIME", "signer/io/env.c"),
    ("fork", r"\b(fork|vfork|clone|posix_spawn|system|popen|execv[a-z]*|execl[a-z]*) *\(",
     "pkcs11/process.c"),
    ("library", r"\b(dlopen|dlmopen|dlsym|dlvsym) *\(", "signer/io/library.c pkcs11/child/libp11"),
    ("exit", r"\b(exit|_exit|abort|quick_exit) *\(", "pkcs11/process.c pkcs11/child/main.c signer/net/helper/main.c"),
    ("terminal", r"\b(tcsetattr|tcgetattr) *\(", "pkcs11/tty.c"),
    ("verdict", r"\(struct verdict\) *\{|struct verdict \w+ *= *\{", "signer/trust/verdict.c"),
    ("sandbox", r"\b(prctl|syscall) *\(",
     "signer/io/sandbox.c signer/publish/beneath.c signer/doctor/doctor_host.c pkcs11/shared/secret.c pkcs11/process.c "
     "pkcs11/child/main.c signer/net/helper/main.c"),
    ("secrets", r"\b(mlock|mlock2|explicit_bzero|OPENSSL_cleanse) *\(",
     "pkcs11/pin.c pkcs11/process.c pkcs11/shared/secret.c signer/crypto/seal.c signer/io/slurp.c tlv/bytes.c"),
]

# One definition per fact: a name, what it looks like in the code (strings included, comments
# not), the rooms or files that may hold it, and whom all others ask.
ONE_PLACE = [
    ("signer", r"span_eq(_reversed)?\([^;]*?\bsigner_(serial|issuer)\b",
     "tlv/header.c signer/list/diff_header.c signer/trust/accept.c",
     "tlv_record_signs(), tlv_header_names() or tlv_header_means()"),
    ("itlrecovery", r'"(CN=|cn=)?ITL(RECOVERY|Recovery)_', "tlv/kind.c",
     "tlv_cert_is_itlrecovery() or tlv_record_is_itlrecovery()"),
    ("token", r'"Cisco Manufacturing CA', "tlv/kind.c",
     "tlv_cert_is_token() or tlv_record_is_token()"),
    ("nameless", r"TLV_R_DNS_NAME\) &&\s+(tlv_text\(\w+->dns_name\)|dns)\.n == 0", "tlv/kind.c",
     "tlv_record_is_nameless()"),
    ("tftp", r"role == TLV_ROLE_TFTP\b", "tlv/kind.c",
     "tlv_role_is_tftp() or tlv_record_is_tftp()"),
    ("kind of list", r'"(CTL|ITL|ext_ITL)"', "tlv/kind.c",
     "tlv_kind_of_name(), tlv_kind_text() or tlv_list_kind_text()"),
    ("in a list", r"role == TLV_ROLE_\w+ &&\s+span_eq\(\w+\.certificate", "",
     "tlv_list_has()"),
    ("array length", r"sizeof\b[^;,\n/]*/\s*sizeof|define COUNT\b", "tlv/bytes.h", "COUNT()"),
    ("growing array", r"\breallocarray *\(", "tlv/bytes.c pkcs11/ask.c", "ARRAY_ROOM()"),
    ("hexadecimal", r'(?<!\\\\x)(?<!0x)%02[xX]|isxdigit|"0123456789[aA]', "tlv/text.c pkcs11/shared/uri_text.c",
     "buf_hex(), hex_text(), hex_is() or hex_parse()"),
    ("IPv4 address", r"%[du]\.%[du]\.%[du]\.%[du]|\binet_[a-z]+ *\(", "",
     "buf_ipv4(), span_ipv4() or parse_ipv4()"),
    ("values of an option", r'must be (cucm|mixed|sha1|der|text|no-sbd|1\.0|\',\')\b', "",
     "opt_takes() or opt_put_must_be(), by the row of options.def"),
    ("padding", r"while \([^;\n]*\.n - 1\) == ' '\)", "tlv/bytes.c", "span_trim_end()"),
]

# Files that still call each other in a circle. Nothing may be added.
CIRCLES = [
]

TOKEN = re.compile(r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.S)
INCLUDE = re.compile(r'^ *# *include *([<"])([^>"]+)[>"]', re.M)
problems = []


def say(text):
    problems.append(text)


def sources():
    found = []
    for top in ("tlv", "pkcs11", "signer"):
        for folder, _, files in os.walk(top):
            found += [os.path.join(folder, f) for f in files if f.endswith((".c", ".h", ".def"))]
    return sorted(found)


def blank(match):
    """A comment as blanks, a string as an empty one; lines and includes stay."""
    text = match.group(0)
    line = match.string[match.string.rfind("\n", 0, match.start()) + 1:match.start()]
    if text[0] in "\"'":
        return text if line.lstrip().startswith("#") else text[0] + text[0]
    return " " + "\n" * text.count("\n")


def room_of(path):
    """The room with the longest name that the file stands in."""
    rooms = [r for r in ROOMS if path.startswith(r + "/")]
    return max(rooms, key=len) if rooms else None


def reachable(room):
    found, todo = set(), [room]
    while todo:
        at = todo.pop()
        if at not in found:
            found.add(at)
            todo += ROOMS[at].split()
    return found


def line_of(text, match):
    return text.count("\n", 0, match.start()) + 1


def check_map():
    """A newcomer finds every room in the map, and no room that is gone."""
    with open("docs/ARCHITECTURE.md", encoding="utf-8") as file:
        rooms = re.findall(r"^((?:signer|pkcs11|tlv)/\S*) ", file.read(), re.M)
    for room in sorted({r.rstrip("/") for r in rooms} ^ set(ROOMS)):
        say(f"docs/ARCHITECTURE.md: the map and scripts/house.py differ about {room}/")


def check_rooms(code):
    check_map()
    used = {room: set() for room in ROOMS}
    libraries = {name: set() for name in LIBRARIES}
    for path, text in code.items():
        room = room_of(path)
        if room is None:
            say(f"{path}: stands in no room")
            continue
        for match in INCLUDE.finditer(text):
            kind, name = match.groups()
            where = f"{path}:{line_of(text, match)}: {name}"
            if kind == '"':
                target = room_of(name)
                if target is None or not os.path.exists(name):
                    say(f"{where}: no path from the top of the project")
                elif target not in reachable(room):
                    say(f"{where}: {room}/ may not include {target}/")
                else:
                    used[room].add(target)
            elif name.split("/")[0] in LIBRARIES:
                library = name.split("/")[0]
                libraries[library].add(room)
                if room not in LIBRARIES[library].split():
                    say(f"{where}: not a library for {room}/")
    for room, row in ROOMS.items():
        for below in row.split():
            others = set().union(*(reachable(o) for o in row.split() if o != below))
            if below not in used[room] or used[room] - {room} <= others:
                say(f"scripts/house.py: {room}/ does not need {below}/")
    for library, row in LIBRARIES.items():
        for room in row.split():
            if room not in libraries[library]:
                say(f"scripts/house.py: {room}/ does not need <{library}>")


def check_places(code, pattern, row, found, unneeded):
    """What looks so stands in the rooms and files of the row alone, and in each of them."""
    shape = re.compile(pattern, re.M)
    needed = {entry: False for entry in row.split()}
    for path, text in code.items():
        entry = next((e for e in needed if path == e or path.startswith(e + "/")), None)
        for match in shape.finditer(text):
            if entry is None:
                say(f"{path}:{line_of(text, match)}: {found(match.group(0).strip())}")
            else:
                needed[entry] = True
    for entry in (e for e, is_needed in needed.items() if not is_needed):
        say(f"scripts/house.py: {entry} does not need {unneeded}")


def check_doors(code):
    for name, pattern, row in DOORS:
        check_places(code, pattern, row, lambda text, name=name: f"{text} (door '{name}')",
                     f"the door '{name}'")


def check_facts(_):
    """Over the code with its strings: a fact is often a word between quotes."""
    full = {}
    for path in sources():
        with open(path, encoding="utf-8") as file:
            full[path] = TOKEN.sub(lambda m: m.group(0) if m.group(0)[0] in "\"'" else
                                   blank(m), file.read())
    for name, pattern, row, ask in ONE_PLACE:
        found = f"another definition of '{name}': ask {ask}"
        check_places(full, pattern, row, lambda _, found=found: found, f"to define '{name}'")


def calls_between(code):
    """Edges from file to file: it names a function that the other one defines for all."""
    files = [p for p in code if p.endswith(".c")]
    tags = subprocess.run(["ctags", "-f", "-", "--languages=C", "--kinds-C=f", "--fields=+f",
                           "--excmd=number", *files], check=True, capture_output=True, text=True)
    home = {}
    for line in tags.stdout.splitlines():
        parts = line.split("\t")
        if parts[0] != "main" and not any(p.startswith("file:") for p in parts[3:]):
            home[parts[0]] = parts[1]
    edges = {}
    for path in files:
        names = set(re.findall(r"(?<![\w.>])([A-Za-z_]\w*)\s*\(", code[path]))
        edges[path] = {home[n] for n in names if n in home} - {path}
    return edges


def circles_of(edges):
    """Strongly connected files, by walking from each of them."""
    def reach(start):
        found, todo = set(), list(edges[start])
        while todo:
            at = todo.pop()
            if at not in found:
                found.add(at)
                todo += edges.get(at, ())
        return found
    reached = {path: reach(path) for path in edges}
    return {" ".join(sorted({path} | {o for o in reached[path] if path in reached.get(o, ())}))
            for path in edges if path in reached[path]}


def check_circles(code):
    found = circles_of(calls_between(code))
    known = {" ".join(sorted(row.split())) for row in CIRCLES}
    for circle in sorted(found - known):
        say(f"these files call each other in a circle: {circle}")
    for circle in sorted(known - found):
        say(f"scripts/house.py: no such circle any more: {circle}")


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    checks = {"rooms": check_rooms, "doors": check_doors, "facts": check_facts,
              "circles": check_circles}
    wanted = sys.argv[1:] or list(checks)
    for name in wanted:
        if name not in checks:
            sys.exit(f"scripts/house.py: no such check '{name}'")
    code = {}
    for path in sources():
        with open(path, encoding="utf-8") as file:
            code[path] = TOKEN.sub(blank, file.read())
    for name in wanted:
        checks[name](code)
    print("\n".join(problems), end="\n" if problems else "")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
