# SPDX-License-Identifier: Apache-2.0
"""What people run from a checkout builds elsewhere, too: a checkout may be read-only."""
import os
import subprocess

import pytest
from conftest import ROOT, SANITIZED

pytestmark = pytest.mark.skipif(SANITIZED, reason="once, with the release build")


def script(name, folder, tmp_path):
    """A run that ends at cmake, which prints what it is asked for."""
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir(exist_ok=True)
    (bin_folder / "cmake").write_text('#!/bin/sh\nprintf "<%s>" "$@" "$(umask)"\nexit 1\n')
    (bin_folder / "cmake").chmod(0o755)
    env = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}", "BUILD_DIR": str(folder)}
    run = subprocess.run([ROOT / "scripts" / name], cwd=tmp_path, env=env, stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                         umask=0o002)
    assert run.returncode == 1, run.stdout
    return run.stdout


@pytest.mark.parametrize("name,preset", [("demo", "release"), ("test", "asan")])
def test_built_elsewhere(tmp_path, name, preset):
    elsewhere = tmp_path / "an other ö"
    for given in (elsewhere, elsewhere.name):  # from where it is started
        # What others may write the program does not load: the group must not, whatever the umask.
        said = script(name, given, tmp_path)
        assert f"<--preset><{preset}><-B><{elsewhere}/{preset}><0022>" in said


@pytest.mark.parametrize("words,target", [((), "short_tests"), (("--all",), "all"), (("-R", "cli.show"), "all")])
def test_what_no_chosen_test_needs_is_not_built(tmp_path, words, target):
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "cmake").write_text('#!/bin/sh\n[ "$1" = --preset ] && exit\nprintf "<%s>" "$@"\nexit 1\n')
    (bin_folder / "cmake").chmod(0o755)
    env = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}", "BUILD_DIR": str(tmp_path / "built")}
    run = subprocess.run([ROOT / "scripts" / "test", *words], env=env, stdin=subprocess.DEVNULL,
                         capture_output=True, text=True, check=False)
    assert run.stdout == f"<--build><{tmp_path}/built/asan><--target><{target}>"


@pytest.mark.parametrize("name", ["demo", "test"])
def test_a_folder_that_cannot_be_written(tmp_path, name):
    assert script(name, "/proc/nothing", tmp_path) == (
        f"{ROOT}/scripts/{name}: '/proc/nothing' cannot be written: name another folder, "
        f"BUILD_DIR=/tmp/ctlsign {ROOT}/scripts/{name}\n")


# It goes on only when its first line was read, which is long before its end.
CTEST = """#!/bin/sh
case " $* " in *" -N "*) echo 'Total Tests: 7'; exit 0 ;; esac
echo '1/2 Test #1: first ..... Passed'
for i in $(seq 300); do [ ! -e seen ] || break; sleep 0.1; done
[ -e seen ] && echo '2/2 Test #2: second ... ***Failed'
printf '%s\\n' '' '50% tests passed, 1 tests failed out of 2' '' 'The following tests FAILED:'
exit 8
"""


def test_lines_of_tests_come_as_they_are_printed(tmp_path):
    for name, text in ("cmake", "#!/bin/sh\n"), ("ctest", CTEST.replace("seen", str(tmp_path / "seen"))):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "BUILD_DIR": str(tmp_path / "built")}
    with subprocess.Popen([ROOT / "scripts" / "test"], env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
        assert "first" in run.stdout.readline()
        (tmp_path / "seen").touch()
        rest = run.stdout.read()
    lines = [line for line in rest.splitlines() if line]
    assert "second" in lines[0] and lines[-1] == "The following tests FAILED:"
    assert lines.index("long tests that were not run: 7 (scripts/test --all)") < lines.index(
        "50% tests passed, 1 tests failed out of 2")
    assert run.returncode == 8
