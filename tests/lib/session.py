# SPDX-License-Identifier: Apache-2.0
"""Sessions that stand in pages: commands with what they print, run as they stand there.

Needs nothing but Python and bash: it runs on installed packages too.
"""
import os
import re
import subprocess
import tempfile


def steps(session):
    """[[command as shown, output as shown]]; '> ' or a backslash before it goes on with a command."""
    found = []
    for line in session.splitlines(keepends=True):
        if line.startswith("$ "):
            found.append([line, ""])
        elif not found:
            raise ValueError(f"output before the first command: {line!r}")
        elif not found[-1][1] and (line.startswith("> ") or found[-1][0].endswith("\\\n")):
            found[-1][0] += line
        else:
            found[-1][1] += line
    return found


def play(commands, folder, env, instead=()):
    """What each command prints, standard output and error as on a terminal; one shell runs them all.

    instead: (word, word) pairs; the first is replaced by the second in what is run.
    """
    script = "status=0\n"
    for n, command in enumerate(commands):
        for old, new in instead:
            command = command.replace(old, new)
        typed = re.sub("^[$>] ", "", command, flags=re.M)
        script += f"printf '\\001%d\\n' {n}\n(exit $status)\n{typed}status=$?\n"
    with tempfile.NamedTemporaryFile("w", suffix=".sh", encoding="utf-8") as file:
        file.write(script)
        file.flush()
        run = subprocess.run(["bash", "--norc", file.name], stdin=subprocess.DEVNULL, env=env,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder,
                             check=False)
    text = run.stdout.decode("utf-8", "replace")
    parts = re.split(r"^\x01\d+\n", text, flags=re.M)
    if parts[0] or len(parts) != len(commands) + 1:
        raise ValueError(f"the session ended early:\n{text}")
    return parts[1:]


def agrees(shown, printed):
    """Equal, where a line '[...]' stands for any lines and '[...]' in a line for anything in it."""
    pattern = "".join(r"(?:.*\n)*" if line == "[...]\n" else
                      r"[^\n]*".join(map(re.escape, line.split("[...]")))
                      for line in shown.splitlines(keepends=True))
    return re.fullmatch(pattern, printed) is not None


def environment(program, home, more=None):
    """A clean one, in which ctlsign is this program."""
    folder = os.path.dirname(os.path.abspath(program)) if os.sep in program else ""
    path = os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
    return {"PATH": f"{folder}:{path}" if folder else path, "HOME": str(home), "LC_ALL": "C.UTF-8",
            "TZ": "UTC", **(more or {})}
