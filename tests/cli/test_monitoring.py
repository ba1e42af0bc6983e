# SPDX-License-Identifier: Apache-2.0
"""The recipes that watch certificates: what Nagios reads, and what is mailed."""
import datetime
import email
import shutil
import subprocess

import lists
import pytest
from conftest import PROGRAM, ROOT, SANITIZED, make_certificate

pytestmark = pytest.mark.skipif(SANITIZED, reason="once, with the release build")
RECIPES = ROOT / "docs" / "recipes"


@pytest.fixture
def ends(keys, tmp_path):
    """ends(name, days): a certificate that ends in so many days."""
    def make(name, days):
        path = tmp_path / f"{name}.pem"
        last = datetime.datetime.utcnow() + datetime.timedelta(days=days, hours=1)
        make_certificate(path, keys["rsa1024"], [("COMMON_NAME", name)], not_before=last - datetime.timedelta(days=3000),
                         not_after=last)
        return path
    return make


def check(*words):
    run = subprocess.run([RECIPES / "check_trustlist", "--ctlsign", PROGRAM, *words], capture_output=True, text=True,
                         check=False)
    assert run.stderr == "" or run.returncode == 3, run.stderr
    return run.returncode, run.stdout.splitlines()


def test_nagios_with_the_times_mixed_up(ends):
    code, lines = check("-w", "7", "-c", "30", ends("x", 20))
    assert code == 3 and lines == []


@pytest.mark.parametrize("days, status, word", [(400, 0, "OK"), (31, 0, "OK"), (29, 1, "WARNING"), (8, 1, "WARNING"),
                                                (6, 2, "CRITICAL"), (-3, 2, "CRITICAL")])
def test_nagios(ends, days, status, word):
    made = ends("x", days)
    code, lines = check(ends("late", 900), made)
    assert code == status and lines[0].startswith(f"TRUSTLIST {word} - "), lines
    assert lines[0].endswith(f" | soonest={days}d;30;7")
    if status:
        assert f"CN=x in {made} {'ends in' if days > 0 else 'ended'} " in lines[0]
    else:
        assert "certificates: 2, the first ends in " in lines[0]


def test_nagios_thresholds(ends):
    made = ends("x", 50)
    assert [check("-w", w, "-c", c, made)[0] for w, c in (("40", "10"), ("60", "10"), ("60", "55"))] == [0, 1, 2]


def test_nagios_is_never_ok_about_what_it_does_not_see(ends, cluster, ctlsign, tmp_path):
    good, cut = tmp_path / "CTLFile.tlv", tmp_path / "cut.tlv"
    lists.build(ctlsign, cluster, "tokenless", good)
    cut.write_bytes(good.read_bytes()[:2600])
    (tmp_path / "empty").mkdir()
    for words in ([good, cut], [good, tmp_path / "none"], [tmp_path / "none"], [tmp_path / "empty"], []):
        code, lines = check(*words)
        assert code == 3 and (not lines or lines[0].startswith("TRUSTLIST UNKNOWN - ")), (words, lines)
    # What is worse is said first.
    code, lines = check(cut, ends("x", 3))
    assert code == 2 and "CRITICAL" in lines[0] and "not watched: " in lines[1]
    code = subprocess.run([RECIPES / "check_trustlist", "--ctlsign", "/bin/false", good], capture_output=True, check=False)
    assert code.returncode == 3
    code, lines = check(good)
    assert code == 0 and "certificates: 4" in lines[0]


def test_nagios_reads_one_line_whatever_a_name_is(ends, tmp_path):
    odd = tmp_path / "a|b\nc.pem"
    shutil.copy(ends("x", 3), odd)
    code, lines = check(odd)
    assert code == 2 and len(lines) == 1 and lines[0].count("|") == 1, lines


@pytest.fixture
def mail(tmp_path):
    """Runs the recipe with a sendmail that keeps what it gets: (status, message or None)."""
    kept, sendmail = tmp_path / "kept", tmp_path / "sendmail"
    sendmail.write_text(f"#!/bin/sh\n[ \"$*\" = -t ] && cat > {kept}\n")
    sendmail.chmod(0o755)

    def run(*words, program=PROGRAM):
        kept.unlink(missing_ok=True)
        done = subprocess.run([RECIPES / "trustlist-mail", "--ctlsign", program, "--sendmail", sendmail, "admin@example.org",
                               *words], capture_output=True, text=True, check=False)
        assert done.stderr == "", done.stderr
        return done.returncode, email.message_from_bytes(kept.read_bytes()) if kept.exists() else None
    return run


def test_a_mail_only_if_there_is_something_to_say(mail, ends, tmp_path):
    late, soon = ends("late", 400), ends("soon", 9)
    assert mail(late) == (0, None)
    code, message = mail(late, soon)
    assert code == 0 and message["To"] == "admin@example.org" and message["Subject"] == "trust lists: certificates that end soon: 1"
    text = message.get_payload(decode=True).decode()
    assert "CN=soon" in text and "CN=late" not in text and str(soon) in text.replace("\n", "")
    code, message = mail(late, tmp_path / "none")
    assert "not watched: 1" in message["Subject"] and "none: No such file" in message.get_payload(decode=True).decode()
    code, message = mail(tmp_path / "none")
    assert message["Subject"] == "trust lists are not watched"


def test_a_name_brings_no_header(mail, ends, tmp_path):
    odd = tmp_path / "x\nBcc: somebody@example.org\n\n.pem"
    shutil.copy(ends("x", 3), odd)
    code, message = mail(odd)
    assert code == 0 and message["Bcc"] is None and message["Subject"] == "trust lists: certificates that end soon: 1"


def test_a_mail_that_cannot_be_sent_fails(ends):
    run = subprocess.run([RECIPES / "trustlist-mail", "--ctlsign", PROGRAM, "--sendmail", "/bin/false", "a@example.org",
                          ends("x", 3)], capture_output=True, check=False)
    assert run.returncode == 1
