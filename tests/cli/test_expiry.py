# SPDX-License-Identifier: Apache-2.0
"""expiry: who expires when. The present is the real one: certificates are made around it."""
import datetime
import json
import os
import pathlib
import re
import stat
import subprocess

import lists
import peerwrite
import pytest
from conftest import make_certificate
from lists import PUB

GAUGE = "ctlsign_certificate_not_after_timestamp_seconds"
ALARM = re.compile(r"^%UC_CERT-2-CertValidfor7days: %\[Message=Certificate expiration Notification\. "
                   r"Certificate name:([A-Za-z0-9._-]+)\.der Unit:([A-Za-z-]+) Type:own-cert "
                   r"Expiration:((?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) "
                   r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d\d \d\d:\d\d:)\]"
                   r"\[AppID=Cisco Certificate Monitor\]\[ClusterID=\]\[NodeID=([A-Za-z0-9._-]*)\]: "
                   r"Alarm to indicate that Certificate has Expired or Expires in less than seven days$")
NOTICE = re.compile(r"^ctlsign: certificate ([A-Za-z0-9._-]+), unit ([A-Za-z-]+)(, node [A-Za-z0-9._-]+)?, "
                    r"expires on \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")


def now():
    return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None, microsecond=0)


class Made(pathlib.PosixPath):
    """A certificate's file, and when it ends."""
    end = None


@pytest.fixture
def ending(keys, tmp_path):
    """ending(name, days): a certificate that ends in so many days, as PEM."""
    def make(name, days, cn=None, **kw):
        path = Made(tmp_path / f"{name}.pem")
        path.end = now() + datetime.timedelta(days=days)
        make_certificate(path, keys["rsa1024"], [("COMMON_NAME", cn or name)],
                         not_before=path.end - datetime.timedelta(days=2000), not_after=path.end, **kw)
        return path
    return make


def certificates(run):
    return json.loads(run.out)["certificates"]


def a_list(cluster, tmp_path, *rows):
    """A list of the second writer's: rows are (certificate path, role, name)."""
    pub = peerwrite.load(cluster / "pub.pem")
    records = [peerwrite.record_fields(pub, "SAST", "cucm", "cucm-1051-a-pub", PUB)]
    records += [peerwrite.record_fields(peerwrite.load(path), role, "cucm", name, PUB)
                for path, role, name in rows]
    out = tmp_path / "CTLFile.tlv"
    out.write_bytes(peerwrite.assemble(records, 0, cluster / "pub.key"))
    return out


def test_soonest_first(ctlsign, ending):
    hour = 1 / 24  # of room: the test takes its time
    files = [ending("late", 400), ending("gone", -3 - hour), ending("soon", 5 + hour),
             ending("middle", 100 + hour)]
    run = ctlsign("expiry", *files)
    assert run.status == 1 and run.err == "", str(run)
    lines = run.out.splitlines()
    assert [re.search(r": (\w+), serial", line).group(1) for line in lines[:4]] == [
        "gone", "soon", "middle", "late"]
    assert re.match(r"\S+Z  EXPIRED 3 days ago {6}\S+gone\.pem: gone, serial 11:22:33:44:55:66:77:88$",
                    lines[0])
    assert "EXPIRES in 5 days" in lines[1] and "  in 100 days" in lines[2]
    assert lines[0].startswith(files[1].end.strftime("%Y-%m-%dT%H:%M:%SZ"))
    assert lines[4] == "2 of 4 certificates have expired or will within 30 days"


@pytest.mark.parametrize("days,within,status", [
    (29, None, 1), (31, None, 0), (31, "32d", 1), (31, "30d", 0), (31, "32", 1), (31, "31", 0),
    (1, "1h", 0), (1, "25h", 1), (8, "1w", 0), (8, "2w", 1), (-1, "0d", 1), (1, "0", 0),
    (-1, "30d", 1), (-2000, "1d", 1)])
def test_within(ctlsign, ending, days, within, status):
    # An hour of room: the test takes its time.
    path = ending("x", days + 1 / 24)
    run = ctlsign("expiry", *(["--within", within] if within is not None else []), path)
    assert run.status == status, str(run)


@pytest.mark.parametrize("within", ["", "d", "3x", "-1", "1.5d", "30 d", "99999999999999999999d",
                                    "1d1h", "+3", "2000000"])
def test_what_is_no_time(ctlsign, ending, within):
    ctlsign.refused(2, "expiry", "--within", within, ending("x", 100), says="--within")


def test_a_list(ctlsign, cluster, tmp_path):
    path = tmp_path / "CTLFile.tlv"
    lists.build(ctlsign, cluster, "tokens", path)
    run = ctlsign.ok("expiry", path)
    assert run.out.splitlines()[0] == (
        f"2034-06-04T12:00:00Z  {run.out.split('Z  ')[1][:22]}  {path} record 2 CCM+TFTP "
        "10.48.47.153: cucm-1051-a-pub, serial 70:CA:F6:4E:09:07:51:B9:DF:22:F4:9F:75:4F:C5:BB")
    assert run.last_line == "0 of 5 certificates have expired or will within 30 days"


def test_a_list_without_certificates_in_some_records(ctlsign, cluster, tmp_path):
    path = tmp_path / "CTLFile.tlv"
    lists.build(ctlsign, cluster, "tokens-non-secure", path)
    assert [c["number"] for c in certificates(ctlsign.ok("expiry", "--json", path))] == [4, 1, 2]


def test_every_certificate_of_a_bundle(ctlsign, ending, keys, tmp_path):
    parts = [ending("one", 300), ending("two", 3), ending("three", 200)]
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(b"some text\n" + b"".join(p.read_bytes() for p in parts[:2]) +
                       keys["rsa1024"].read_bytes() + parts[2].read_bytes())
    run = ctlsign("expiry", bundle)
    assert run.status == 1
    assert [re.search(r"certificate (\d): (\w+)", line).groups()
            for line in run.out.splitlines()[:3]] == [("2", "two"), ("3", "three"), ("1", "one")]


def test_a_damaged_block_of_a_bundle_is_no_silence(ctlsign, ending, tmp_path):
    bundle = tmp_path / "bundle.pem"
    second = ending("two", 3).read_text().replace("\n-----END", "!!\n-----END")
    bundle.write_text(ending("one", 300).read_text() + second)
    ctlsign.refused(3, "expiry", bundle, says=["bundle.pem", "block 2"])


def test_der(ctlsign, ending, tmp_path):
    out = tmp_path / "x.der"
    subprocess.run(["openssl", "x509", "-in", ending("x", 9), "-outform", "DER", "-out", out],
                   check=True)
    run = ctlsign("expiry", out)
    assert run.status == 1 and "x.der: x" in run.out


def test_a_pipe(ctlsign, ending, cluster, tmp_path):
    path = tmp_path / "CTLFile.tlv"
    lists.build(ctlsign, cluster, "tokenless", path)
    for content, count in ((path.read_bytes(), 4), (ending("x", 300).read_bytes(), 1)):
        run = ctlsign.ok("expiry", "--json", "/dev/stdin", input=content)
        assert len(certificates(run)) == count


def test_a_folder(ctlsign, ending, cluster, keys, tmp_path):
    folder = tmp_path / "certificates"
    (folder / "below").mkdir(parents=True)
    (folder / "a.pem").write_bytes(ending("a", 10).read_bytes())
    (folder / "below" / "b.cer").write_bytes(ending("b", 20).read_bytes())
    (folder / "notes.txt").write_text("nothing\n")
    (folder / "x.key").write_bytes(keys["rsa1024"].read_bytes())
    (folder / ".hidden.pem").write_bytes(ending("hidden", 1).read_bytes())
    lists.build(ctlsign, cluster, "tokenless", folder / "CTLFile.tlv")
    run = ctlsign("expiry", "--json", folder)
    assert run.status == 1 and run.err == "", str(run)
    assert [os.path.relpath(c["file"], folder) for c in certificates(run)] == [
        "a.pem", "below/b.cer", *["CTLFile.tlv"] * 4]


def test_what_is_damaged_in_a_folder_is_said_and_the_rest_counts(ctlsign, ending, cluster, tmp_path):
    folder = tmp_path / "certificates"
    folder.mkdir()
    (folder / "a.pem").write_bytes(ending("a", 10).read_bytes())
    (folder / "b.pem").write_text(ending("b", 10).read_text().replace("M", "N"))
    (folder / "c.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    data = lists.build(ctlsign, cluster, "tokenless", tmp_path / "CTLFile.tlv")
    (folder / "d.tlv").write_bytes(data[:3000])
    run = ctlsign("expiry", folder)
    assert run.status == 3
    assert run.last_line == "1 of 3 certificates has expired or will within 30 days; could not be read: 3 files"
    unread = json.loads(ctlsign("expiry", "--json", folder).out)["unread"]
    assert [os.path.basename(one["file"]) for one in unread] == ["b.pem", "c.pem", "d.tlv"]
    for name in ("b.pem", "c.pem", "d.tlv"):
        assert len([line for line in run.err.splitlines() if name in line]) == 1, str(run)
    assert "(at byte " in run.err


def test_a_key_store_in_a_folder_is_no_damaged_certificate(ctlsign, ending, tmp_path):
    """Both begin alike. It is warned of, and the answer is about the certificates."""
    folder = tmp_path / "certificates"
    folder.mkdir()
    (folder / "a.pem").write_bytes(ending("a", 90).read_bytes())
    (folder / "store.p12").write_bytes(b"\x30\x82\x01\x00" + bytes(256))
    run = ctlsign.ok("expiry", folder)
    assert [line for line in run.err.splitlines() if "store.p12: neither a list nor a certificate: left out" in line]


def as_der(source, out, *words):
    subprocess.run(["openssl", *words, "-in", source, "-outform", "DER", "-out", out], check=True, capture_output=True)
    return out.read_bytes()


@pytest.mark.parametrize("name", ["x.der", "x.cer", "x.CRT", "x.p7b"])
def test_a_damaged_certificate_in_a_folder_is_not_passed_over(ctlsign, ending, tmp_path, name):
    """Its name says what it was to be. Else nobody would watch it, and nobody would know."""
    folder = tmp_path / "certificates"
    folder.mkdir()
    (folder / "a.pem").write_bytes(ending("a", 90).read_bytes())
    whole = as_der(ending("x", 90), tmp_path / "whole", "x509")
    for content in (whole[:-1], whole[:40], whole[:3], b"\0" + whole, whole.replace(b"\x30\x82", b"\x31\x82"), b"no\n", b""):
        (folder / name).write_bytes(content)
        run = ctlsign("expiry", "--json", folder)
        assert run.status == 3 and f"{name}: " in run.err, f"{content[:8]}\n{run}"
        assert [os.path.basename(one["file"]) for one in json.loads(run.out)["unread"]] == [name]
        assert len(certificates(run)) == 1
    (folder / name).write_bytes(whole)
    assert len(certificates(ctlsign.ok("expiry", "--json", folder))) == 2


KEYS = {"private": ["pkcs8", "-topk8", "-nocrypt"], "traditional": ["rsa", "-traditional"], "public": ["rsa", "-pubout"],
        "encrypted": ["pkcs8", "-topk8", "-passout", "pass:x"], "pem": None}


@pytest.mark.parametrize("kind", KEYS)
def test_a_key_in_a_folder_is_no_damaged_certificate(ctlsign, ending, keys, tmp_path, kind):
    folder = tmp_path / "certificates"
    folder.mkdir()
    (folder / "a.pem").write_bytes(ending("a", 90).read_bytes())
    if KEYS[kind]:
        as_der(keys["rsa2048"], folder / "key.der", *KEYS[kind])
    else:
        (folder / "key.crt").write_bytes(keys["rsa2048"].read_bytes())
    run = ctlsign.ok("expiry", "--json", folder)
    assert json.loads(run.out)["unread"] == [] and len(certificates(run)) == 1


def test_what_is_named_must_be_good(ctlsign, ending, cluster, keys, tmp_path):
    good = ending("a", 10.5)
    data = lists.build(ctlsign, cluster, "tokenless", tmp_path / "CTLFile.tlv")
    (tmp_path / "cut.tlv").write_bytes(data[:3000])
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "text").write_text("hello\n")
    (tmp_path / "x.key").write_bytes(keys["rsa1024"].read_bytes())
    for name in ("cut.tlv", "empty", "text", "x.key", "missing"):
        run = ctlsign.refused(3, "expiry", tmp_path / name, says=name)
        assert ("(at byte " in run.err) == (name == "cut.tlv")
        # It hides no other: the report, then the status.
        for words in ([tmp_path / name, good], [good, tmp_path / name]):
            run = ctlsign("expiry", *words)
            assert run.status == 3 and run.out.startswith(ctlsign("expiry", good).out[:-1]) and len(run.errors) == 1, str(run)
            assert name in run.err
        # Nothing of a file counts that could not be read to its end.
        assert len(certificates(ctlsign("expiry", "--json", good, tmp_path / name))) == 1


def test_a_broken_certificate_in_a_list(ctlsign, cluster, tmp_path):
    pub = peerwrite.load(cluster / "pub.pem")
    fields = peerwrite.record_fields(pub, "SAST", "cucm", "cucm-1051-a-pub", PUB)
    broken = [(t, v[:-9] if t == 9 else v) for t, v in fields]
    path = tmp_path / "CTLFile.tlv"
    path.write_bytes(peerwrite.assemble([fields, broken], 0, cluster / "pub.key"))
    ctlsign.refused(3, "expiry", path, says="record 2: certificate")


def test_syslog(ctlsign, ending, cluster, tmp_path):
    """CUCM's line, for those within only; one alarm for the two rows of one certificate."""
    itl, tvs = ending("ITLRECOVERY_pub", 4), ending("tvs", 5, cn="node 2.example")
    call, capf = ending("CUCM01", 6), ending("CAPF-12345678", 3)
    path = a_list(cluster, tmp_path, (call, "SAST", "CUCM01"), (itl, "SAST", "CUCM01"),
                  (call, "CCM+TFTP", "CUCM01"), (capf, "CAPF", "CUCM01"), (tvs, "TVS", "n"))
    run = ctlsign("expiry", "--within", "7d", "--format", "syslog", path, env={"LC_ALL": "de_DE.UTF-8"})
    assert run.status == 1 and run.err == "", str(run)
    got = [ALARM.match(line).groups() for line in run.out.splitlines()]
    assert got == [(name, unit, made.end.strftime("%a %b %d %H:%M:"), node)
                   for name, unit, made, node in (
        ("CAPF-12345678", "CAPF", capf, "CUCM01"), ("ITLRECOVERY_pub", "ITLRecovery", itl, "CUCM01"),
        ("node_2.example", "TVS", tvs, "n"), ("CUCM01", "CallManager", call, "CUCM01"))]


def test_the_alarm_is_for_less_than_seven_days(ctlsign, ending, cluster, tmp_path):
    """Its text says so. Others are plain lines, for CUCM has no documented name for them."""
    path = a_list(cluster, tmp_path, (ending("gone", -1), "SAST", "a\nb"), (ending("six", 6), "CAPF", "n"),
                  (ending("eight", 8), "CCM+TFTP", "n\x1b[m"), (ending("far", 40), "CCM+TFTP", "n"))
    run = ctlsign("expiry", "--within", "30d", "--format", "syslog", path)
    lines = run.out.splitlines()
    assert [ALARM.match(line).group(1) for line in lines[:2]] == ["gone", "six"], str(run)
    assert ALARM.match(lines[0]).group(4) == "a_b"
    assert NOTICE.match(lines[2]).groups() == ("eight", "CallManager", ", node n__m")
    assert len(lines) == 3
    alone = ctlsign("expiry", "--within", "30d", "--format", "syslog", ending("lonely", 20))
    assert NOTICE.match(alone.out.rstrip("\n")).group(1) == "lonely"


def test_syslog_of_files_and_tokens(ctlsign, cluster, ending):
    made = ending("CallManager", 3, cn="pub")
    run = ctlsign("expiry", "--format", "syslog", "--within", "9000d", made, cluster)
    found = [ALARM.match(line) or NOTICE.match(line) for line in run.out.splitlines()]
    units = {one.group(1): one.group(2) for one in found}
    assert units == {"pub": "CallManager", "CAPF-e41e7d87": "CAPF", "cucm-1051-a-pub": "unknown",
                     "cucm-1051-a-sub1": "unknown", "SAST-ADN0054f509": "Phone-SAST-trust",
                     "SAST-ADN008580ef": "Phone-SAST-trust", "Cisco_Manufacturing_CA": "unknown"}


def test_no_alarm_without_need(ctlsign, ending):
    run = ctlsign.ok("expiry", "--format", "syslog", ending("x", 100))
    assert run.out == ""


def test_the_alarm_has_local_time(ctlsign, ending):
    made = ending("x", 3)
    run = ctlsign("expiry", "--format", "syslog", made, env={"TZ": "UTC-2"})
    local = made.end + datetime.timedelta(hours=2)
    assert f"Expiration:{local.strftime('%a %b %d %H:%M:')}]" in run.out


EVIL = ["x\n%UC_CERT-2-CertValidfor7days: %[Message=forged]", "x] Unit:tomcat\r\n<0>kernel: panic",
        'x"} 1\nup{job="forged"} 0', "x\\", "x\x1b[2J", "Zoë \u2028", "  "]


@pytest.mark.parametrize("cn", EVIL)
def test_no_name_makes_a_line_of_its_own(ctlsign, ending, cn):
    path = ending("evil", 3, cn=cn)
    run = ctlsign("expiry", "--format", "syslog", path)
    assert len(run.out.splitlines()) == 1 and ALARM.match(run.out.rstrip("\n")), str(run)
    for form in ("text", "prometheus", "json"):
        run = ctlsign("expiry", "--format", form, path)
        assert run.status == 1 and "\x1b" not in run.out and "\r" not in run.out
        if form == "json":
            assert len(certificates(run)) == 1
        else:
            assert len(run.out.split("\n")) == {"text": 3, "prometheus": 4}[form], str(run)


def series(text):
    """{(labels…): value} by Prometheus' text format."""
    label = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)')
    out = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        name, rest = re.match(r"([a-z_:]+)\{(.*)\} (?=[0-9-]+$)", line).groups()
        assert name == GAUGE
        labels, at = {}, 0
        while at < len(rest):
            found = label.match(rest, at)
            assert found, line
            labels[found.group(1)] = re.sub(r"\\(.)", r"\1", found.group(2))
            at = found.end()
        key = tuple(sorted(labels.items()))
        assert key not in out, f"twice: {line}"
        assert line.startswith(GAUGE), line
        out[key] = int(line.rsplit(" ", 1)[1])
    return out


def test_prometheus(ctlsign, cluster, tmp_path):
    path = tmp_path / "CTLFile.tlv"
    lists.build(ctlsign, cluster, "tokens", path)
    run = ctlsign.ok("expiry", "--format", "prometheus", path, cluster / "capf.pem")
    lines = run.out.splitlines()
    assert lines[0].startswith(f"# HELP {GAUGE} ") and lines[1] == f"# TYPE {GAUGE} gauge"
    assert run.out.endswith("\n") and not run.out.endswith("\n\n")
    got = series(run.out)
    assert len(got) == 6
    assert got[(("file", str(path)), ("role", "CAPF"),
                ("serial", "744B4999770496E799E91E81D3C8109B"),
                ("subject", "L=Krakow,ST=Malopolska,CN=CAPF-e41e7d87,OU=TAC,O=Cisco,C=PL"))] == 2033035200
    assert (("file", str(cluster / "capf.pem")), ("role", ""),
            ("serial", "744B4999770496E799E91E81D3C8109B"),
            ("subject", "L=Krakow,ST=Malopolska,CN=CAPF-e41e7d87,OU=TAC,O=Cisco,C=PL")) in got
    assert any(dict(key)["subject"].startswith("CN=SAST-ADN008580ef       \\ ,") for key in got)


def test_prometheus_has_each_series_once(ctlsign, ending, cluster, tmp_path):
    """One certificate of several nodes: node_exporter drops the whole file for a repeated series."""
    cert = ending("multi", 100)
    path = a_list(cluster, tmp_path, *[(cert, "CCM+TFTP", f"n{i}") for i in range(9)])
    got = series(ctlsign.ok("expiry", "--format", "prometheus", path, path).out)
    assert len(got) == 2


def test_prometheus_labels_are_escaped(ctlsign, ending, tmp_path):
    odd = tmp_path / 'a"b\\c\nd\udcff.pem'
    ending("x", 100).rename(odd)
    (key,) = series(ctlsign.ok("expiry", "--format", "prometheus", odd).out)
    assert dict(key)["file"] == f"{tmp_path}/a\"b\\c\\x0ad\\xff.pem"


@pytest.mark.parametrize("form", ["text", "syslog", "prometheus", "json"])
@pytest.mark.parametrize("days", [3, 100])
def test_output_to_a_file_for_both_answers(ctlsign, ending, tmp_path, form, days):
    out = tmp_path / "report"
    path = ending("x", days + 0.5)  # no day begins between the two runs
    shown = ctlsign("expiry", "--format", form, path)
    run = ctlsign("expiry", "--format", form, "-o", out, path)
    assert run.status == (1 if days == 3 else 0) == shown.status
    assert run.out == "" and run.err == ""
    if form != "json":
        assert out.read_text() == shown.out
    assert stat.S_IMODE(out.stat().st_mode) == 0o644
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".report")]


def test_output_is_put_in_place_at_once(ctlsign, ending, tmp_path):
    """A reader that holds the old file keeps it whole: the new one is another file."""
    out = tmp_path / "report.prom"
    ctlsign.ok("expiry", "--format", "prometheus", "-o", out, ending("y", 100))
    with open(out, encoding="ascii") as old:
        before, text = out.stat().st_ino, out.read_text()
        ctlsign.ok("expiry", "--format", "prometheus", "-o", out, ending("x", 100))
        assert out.stat().st_ino != before and old.read() == text
    assert GAUGE in out.read_text() and out.read_text() != text


def test_a_monitor_s_file_does_not_grow_old(ctlsign, ending, tmp_path):
    """It is written whatever the answer, also when one of the lists cannot be read."""
    out = tmp_path / "report.prom"
    words = ["expiry", "--format", "prometheus", "-o", out]
    ctlsign.ok(*words, ending("y", 100))
    run = ctlsign(*words, ending("x", 3), tmp_path / "missing")
    assert run.status == 3 and "missing" in run.err and 'subject="CN=x"' in out.read_text(), str(run)
    ctlsign.refused(3, *words, tmp_path / "missing")
    assert GAUGE in out.read_text() and "CN=" not in out.read_text()
    # One series for each file, however often it is named.
    ctlsign(*words, tmp_path / "missing", tmp_path / "missing")
    assert out.read_text().count("\nctlsign_unread{") == 1
    assert out.read_text().endswith(f'\nctlsign_unread{{file="{tmp_path}/missing"}} 1\n')


def test_output_stays_as_it_was_after_a_failure(ctlsign, ending, tmp_path):
    out = tmp_path / "report.prom"
    ctlsign.ok("expiry", "--format", "prometheus", "-o", out, ending("y", 100))
    text = out.read_text()
    ctlsign.refused(2, "expiry", "--format", "xml", "-o", out, ending("x", 3))
    ctlsign.refused(2, "expiry", "--overwrite", ending("x", 3), says="'--overwrite' goes with '--output'")
    assert out.read_text() == text


def test_output_that_cannot_be_written(ctlsign, ending, tmp_path):
    path = ending("x", 3)
    ctlsign.refused(9, "expiry", "-o", tmp_path / "no" / "report", path)
    ctlsign.refused(9, "expiry", "-o", tmp_path, path)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "report")
    (tmp_path / "report").write_text("")
    ctlsign.refused(9, "expiry", "-o", link, path, says="--follow")
    assert ctlsign("expiry", "-o", link, "--follow", path).status == 1
    assert link.is_symlink() and ": x, serial" in (tmp_path / "report").read_text()


def test_json(ctlsign, ending):
    made = ending("x", 3)
    run = ctlsign("expiry", "--json", "--within", "36h", made)
    said = json.loads(run.out)
    assert run.status == 0 and said["expiring"] == 0 and said["within_seconds"] == 36 * 3600
    (item,) = said["certificates"]
    assert abs(item.pop("seconds_left") - 3 * 86400) < 3600
    assert item == {"file": str(made), "number": None, "role": None, "dns_name": None, "address": None, "subject": "CN=x",
                    "serial": "1122334455667788", "unit": "unknown",
                    "not_after": made.end.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    "not_after_seconds": int(made.end.replace(tzinfo=datetime.timezone.utc).timestamp()),
                    "expired": False, "within": False}
    again = ctlsign("expiry", "--format", "json", "--within", "36h", made)
    assert set(json.loads(again.out)) == set(said)


def test_contradictions(ctlsign, ending):
    path = ending("x", 3)
    ctlsign.refused(2, "expiry", "--json", "--format", "syslog", path, says="--json")
    ctlsign.refused(2, "expiry", "--format", "yaml", path, says="prometheus")
    ctlsign.refused(2, "expiry", "--follow", path)
    ctlsign.refused(2, "expiry")


def test_far_ends(ctlsign, keys, tmp_path):
    """Beyond 2038 (32 bits), 2050 (GeneralizedTime) and 2106, and before 1970's children were grown up."""
    years = [1999, 2038, 2050, 2051, 2099, 2107, 9999]
    for year in years:
        make_certificate(tmp_path / f"{year}.pem", keys["rsa1024"], [("COMMON_NAME", str(year))],
                         not_before=datetime.datetime(1990, 1, 1),
                         not_after=datetime.datetime(year, 12, 31, 23, 59, 59))
    paths = [tmp_path / f"{year}.pem" for year in reversed(years)]
    run = ctlsign("expiry", *paths)
    assert [line[:20] for line in run.out.splitlines()[:len(years)]] == [f"{year}-12-31T23:59:59Z" for year in years]
    seen = certificates(ctlsign("expiry", "--json", *paths))
    assert [c["not_after"] for c in seen] == [f"{year}-12-31T23:59:59Z" for year in years]
    ends = [datetime.datetime(year, 12, 31, 23, 59, 59, tzinfo=datetime.timezone.utc).timestamp() for year in years]
    assert [c["not_after_seconds"] for c in seen] == ends
    assert [c["expired"] for c in seen] == [end < datetime.datetime.now().timestamp() for end in ends]


# What everyday use asks ------------------------------------------------------------------------

def test_nothing_watched_is_no_peace(ctlsign, tmp_path):
    """A folder that somebody emptied."""
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "README").write_text("lists come here")
    for words in ([], ["--format", "prometheus"], ["--json"]):
        assert ctlsign.refused(3, "expiry", *words, empty, says="nothing is watched").out == ""
    out = tmp_path / "report"
    ctlsign.refused(3, "expiry", "-o", out, empty, says="nothing is watched")
    assert out.read_text() == "0 of 0 certificates have expired or will within 30 days\n"


def test_a_missing_file_is_told_beside_the_others(ctlsign, ending, tmp_path):
    made, missing = ending("x", 100), tmp_path / "missing.tlv"
    run = ctlsign("expiry", made, missing)
    assert run.status == 3 and len(run.errors) == 1 and "missing.tlv" in run.err, str(run)
    assert ": x, serial" in run.out.splitlines()[0]
    assert run.last_line == ("0 of 1 certificates have expired or will within 30 days; "
                             "could not be read: 1 file")
    said = json.loads(ctlsign("expiry", "--json", missing, made).out)
    assert [one["file"] for one in said["unread"]] == [str(missing)] and len(said["certificates"]) == 1
    assert "missing.tlv: No such file" in said["unread"][0]["error"]
    syslog = tmp_path / "log"
    for _ in range(2):  # what it has written is replaced the next time
        ctlsign.refused(3, "expiry", "--format", "syslog", "-o", syslog, missing, says="missing.tlv")
    assert syslog.read_text().startswith("ctlsign: not watched: ")


@pytest.mark.parametrize("form", ["PEM", "DER"])
def test_pkcs7(ctlsign, ending, tmp_path, form):
    out = tmp_path / "folder" / "chain.p7b"
    out.parent.mkdir()
    subprocess.run(["openssl", "crl2pkcs7", "-nocrl", "-certfile", ending("one", 300), "-certfile", ending("two", 3),
                    "-outform", form, "-out", out], check=True)
    for named in (out, out.parent):
        run = ctlsign("expiry", named)
        assert run.status == 1, str(run)
        assert [re.search(r": (\w+), serial", line).group(1) for line in run.out.splitlines()[:2]] == ["two", "one"]


def test_names_and_serials_are_those_of_show(ctlsign, cluster, tmp_path):
    """The two are laid side by side: one spelling of serial numbers, one of addresses."""
    path = tmp_path / "CTLFile.tlv"
    lists.build(ctlsign, cluster, "tokenless", path)
    shown = ctlsign.ok("show", path).out
    lines = ctlsign.ok("expiry", path).out.splitlines()[:-1]
    assert len(lines) == 4
    for line in lines:
        assert line.split("serial ")[1] in shown
    (capf,) = [line for line in lines if " CAPF " in line]
    assert " record 3 CAPF cucm-1051-a-pub 10.48.47.153: CAPF-e41e7d87, serial 74:4B:" in capf
    records = json.loads(ctlsign.ok("show", "--json", path).out)["records"]
    for item in json.loads(ctlsign.ok("expiry", "--json", path).out)["certificates"]:
        record = records[item["number"] - 1]
        for name in ("role", "dns_name", "address"):
            assert item[name] == record[name]
        for name in ("subject", "serial", "not_after"):
            assert item[name] == record["certificate"][name]
    summary = json.loads(ctlsign.ok("show", "--summary", "--json", path).out)["summary"]
    for record, line in zip(records, summary):
        for name in ("serial", "not_after"):
            assert line[name] == record["certificate"][name]
        for name in ("role", "dns_name", "address"):
            assert line[name] == record[name]
