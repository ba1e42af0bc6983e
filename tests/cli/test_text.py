# SPDX-License-Identifier: Apache-2.0
"""Lists that are known by what 'show ctl' printed of them: in every verb, and back to the file."""
import json
import os
import re
import resource
import subprocess
import sys

import pytest
from conftest import DATA, ROOT

sys.path.insert(0, str(ROOT / "tests" / "defects"))

import generate  # noqa: E402  (found through the path above)

LOG, GENUINE = DATA / "logs" / "putty.log", DATA / "logs" / "genuine.tlv"
LISTS = sorted((DATA / "lists").glob("*.tlv"))
CERTS = ["--certs", LOG]
ADDRESSES = ["--address", "cucm-1051-a-pub=10.48.47.153", "--address", "cucm-1051-a-sub1=10.48.47.154"]
REBUILD = [*CERTS, *ADDRESSES]


def printed(ctlsign, path, log):
    """What show prints of a list, as a log."""
    log.write_text("admin:show ctl\n" + ctlsign.ok("show", path).out + "admin:\n")
    return log


def bare(folder):
    """The log without the certificates behind its list."""
    path = folder / "bare.log"
    path.write_text(LOG.read_text().split("admin:show cert", 1)[0])
    return path


def known(answer):
    """Of show --json what a text can hold, too."""
    for part in [answer["header"], *answer["records"]]:
        for name in ("digest", "digest_number", "timestamp", "time", "fields", "public_key", "signature", "address",
                     "hash_algorithm"):
            part.pop(name, None)
    for record in answer["records"]:
        record["certificate"] = record["certificate"] and record["certificate"].get("sha1")
    return {name: answer[name] for name in ("kind", "length", "md5", "sha1", "header", "records")}


@pytest.mark.parametrize("path", LISTS, ids=lambda p: p.stem)
def test_text_and_file_are_one_list(ctlsign, tmp_path, path):
    log = printed(ctlsign, path, tmp_path / "log.txt")
    text, file = (json.loads(ctlsign.ok("show", "--json", which).out) for which in (log, path))
    assert text["printed"] and not file["printed"]
    assert known(text) == known(file)
    # What is printed of the text is what was printed of the file, but for the verdict.
    assert ctlsign.ok("show", log).out.splitlines()[:-1] == ctlsign.ok("show", path).out.splitlines()[:-1]


# What a text cannot hold: a version that is missing or there twice, and any other name than that of a CTL.
UNTOLD = {"version-missing", "version-twice"}


@pytest.mark.parametrize("part", range(4))
def test_text_and_file_are_one_list_for_every_named_defect(ctlsign, tmp_path, part):
    compared = 0
    for name in sorted(generate.DEFECTS)[part::4]:
        path, log = tmp_path / f"{name}.tlv", tmp_path / f"{name}.log"
        path.write_bytes(generate.DEFECTS[name]())
        run = ctlsign("show", path)
        if run.status == 3 or name in UNTOLD:
            continue
        log.write_bytes(os.fsencode(run.out))
        shown = [ctlsign("show", "--json", which) for which in (path, log)]
        assert [one.status for one in shown] == [run.status, 0], name  # a text has no signature that could be bad
        file, text = (known(json.loads(one.out)) for one in shown)
        for answer in (file, text):  # a text implies the one name, and the key's size by the signature's
            for fact in ("filename", "filename_hex", "modulus_bits"):
                answer["header"].pop(fact, None)
        for one, other in zip(file["records"], text["records"]):
            if one["certificate"] is None:  # one that is malformed has its SHA-1 in the text, too
                other["certificate"] = None
        assert "\0" not in str(text)
        assert file == text, name
        compared += 1
    assert compared > 20


def test_diff(ctlsign, tmp_path):
    run = ctlsign.ok("diff", LOG, GENUINE)
    assert "not compared" in run.err
    assert run.last_line == "same: every byte, as the SHA-1 of both says"
    log = printed(ctlsign, DATA / "lists" / "ctl-client.tlv", tmp_path / "log.txt")
    by_text = ctlsign("diff", LOG, log)
    assert by_text.status == 1 and "added" in by_text.out


def test_diff_says_no_more_than_is_known(ctlsign, tmp_path):
    text = LOG.read_text()
    without, other = tmp_path / "without.log", tmp_path / "other.log"
    without.write_text(text.replace("f27854d68fa90be3df88f8ccce35873c5f2860f4(SHA1)\n", ""))
    other.write_text(text.replace("f27854d68fa90be3df88f8ccce35873c5f2860f4", "0" * 40))
    run = ctlsign.ok("diff", LOG, without)
    assert run.last_line == "same: all that is printed; without checksums of both the rest is not known"
    assert json.loads(ctlsign.ok("diff", "--json", LOG, without).out)["known"] == "text"
    assert json.loads(ctlsign.ok("diff", "--json", LOG, GENUINE).out)["known"] == "checksum"
    # Two texts are alike, but their checksums say that the files are not.
    run = ctlsign("diff", LOG, other)
    assert run.status == 1 and run.last_line == "different: 4 the same; header: checksum", str(run)
    said = json.loads(ctlsign("diff", "--json", GENUINE, other).out)
    assert not said["same"] and said["header"] == [
        {"what": "checksum", "old": "f27854d68fa90be3df88f8ccce35873c5f2860f4", "new": "0" * 40}]


def test_many_damaged_certificates_are_counted(ctlsign, tmp_path):
    flood = tmp_path / "flood.log"
    flood.write_text("-----BEGIN CERTIFICATE-----\nA\n" * 1000 + LOG.read_text())
    run = ctlsign.ok("show", LOG, "--certs", flood)
    assert f"ctlsign: warning: {flood}: line 19: a certificate that is damaged is skipped" in run.err
    assert f"ctlsign: warning: {flood}: certificates that are damaged: 1000, of which 10 are named" in run.err
    assert len(run.err.splitlines()) < 15


def test_lines_that_stand_for_much(ctlsign, tmp_path):
    """A certificate of 64 KiB is a line. A log of a megabyte must not take gigabytes."""
    log = tmp_path / "much.log"
    log.write_text(("The checksum value of the CTL file:\n\tParse CTL File\nVersion:\t1.2\nHeaderLength:\t336 (BYTES)\n"
                    "\tCTL Record #:1\n1\tRECORDLENGTH\t2\t65535\n" + "9\tCERTIFICATE\t65535\n" * 63) * 1000)
    run = ctlsign("show", f"{log}#1")
    assert run.status == 3 and "line 1174: the lists in front have more than 67108864 bytes" in run.err, str(run)


def test_certificates_of_many_records_are_searched_once(ctlsign, tmp_path):
    """Time grows with the log, not with log times records."""
    text = LOG.read_text()
    head, rest = text.split("\tCTL Record #:1\n", 1)
    record = rest.split("\tCTL Record #:2", 1)[0]
    head = re.sub(r"Length of CTL.*\n|.*\((MD5|SHA1)\)\n", "", head)
    records = "".join(f"\tCTL Record #:{i}\n{record}" for i in range(1, 801))
    tail = "\nThe CTL file was verified successfully.\n" + "admin:show cert" + text.split("admin:show cert", 1)[1]
    log = tmp_path / "many.log"
    log.write_text(head + records + tail + "nothing that matters here\n" * 20000)
    run = ctlsign("expiry", "--within", "1d", log, timeout=30)
    assert run.last_line == "0 of 800 certificates have expired or will within 1 days", str(run)


def test_diff_believes_no_text_whose_checksums_disagree(ctlsign, tmp_path):
    """Somebody changed the MD5, which phones show, and left the SHA-1."""
    other = tmp_path / "other.log"
    other.write_text(LOG.read_text().replace("45627437aa83f931627e06ab3387063d", "0" * 32))
    run = ctlsign("diff", GENUINE, other)
    assert run.status == 1 and run.last_line == "different: 4 the same; header: MD5", str(run)
    said = json.loads(ctlsign("diff", "--json", GENUINE, other).out)
    assert not said["same"] and said["header"] == [
        {"what": "md5", "old": "45627437aa83f931627e06ab3387063d", "new": "0" * 32}]


SERIAL = "70:CA:F6:4E:09:07:51:B9:DF:22:F4:9F:75:4F:C5:BB"
NO_SIGNER = "no SAST record has the signer's serial number and issuer"


# (what is changed in the text, what is said of it, code and record in show --json)
@pytest.mark.parametrize("change, says, findings", [
    (lambda t: t.replace(SERIAL, SERIAL[:-2] + "BC", 1), [NO_SIGNER], [("signer-not-in-list", None)]),
    (lambda t: t.replace("4	SIGNERNAME	62	CN=cucm", "4	SIGNERNAME	62	CN=cvcm"),
     ["signer name: is not the subject of the signer's record"], [("signer-name", None)]),
    (lambda t: t[:t.index("CTL Record #:2")] + t[t.index("CTL Record #:2"):].replace(SERIAL, SERIAL[:-2] + "BC"),
     ["record 2: certificate: is that of record 1, which has another serial number"], [("certificate-mismatch", 2)]),
    (lambda t: t.replace("was verified successfully", "could not be verified"), ["signature: CUCM could not verify it, as the text says"],
     [("bad-signature", None)]),
    (lambda t: t, [], [])], ids=["signer", "name", "serial", "verdict", "none"])
def test_a_text_that_contradicts_itself(ctlsign, tmp_path, change, says, findings):
    """Its checksums are genuine, and whoever compares them alone takes it for the list."""
    log = tmp_path / "changed.log"
    text = bare(tmp_path).read_text()
    log.write_text(change(text))
    assert (log.read_text() == text) == (not says)
    for words in (["show", log], ["show", "--summary", log], ["diff", log, GENUINE], ["identify", "f27854d68fa90be3", log],
                  ["diff", "--json", GENUINE, log], ["accept", "--installed", GENUINE, log]):
        run = ctlsign(*words)
        assert [run.err.count(f"warning: {log}: {line}\n") for line in says] == [1] * len(says), str(run)
        assert ("contradicts itself" in run.err) == any("CUCM" not in line for line in says), str(run)
    answer = json.loads(ctlsign.ok("show", "--json", log).out)
    assert [(f["code"], f["record"]) for f in answer["findings"]] == findings, answer["findings"]


def test_diff_of_two_texts_with_one_checksum(ctlsign, tmp_path):
    """No rule says that the node has this name, and yet one of the texts is not what was printed."""
    log = tmp_path / "changed.log"
    log.write_text(bare(tmp_path).read_text().replace("cucm-1051-a-sub1", "cucm-1051-a-sub2"))
    for words in (["diff", log, GENUINE], ["diff", LOG, log, "--json"], ["plan", LOG, log, "--release", "11.5"],
                  ["accept", "--installed", LOG, log]):
        run = ctlsign(*words)
        assert run.status == (words[0] == "diff") and "both have one SHA-1, and yet they differ" in run.err, str(run)
    run = ctlsign("diff", LOG, LISTS[0])
    assert run.status == 1 and "one SHA-1" not in run.err, str(run)
    assert "one SHA-1" not in ctlsign.ok("diff", LOG, GENUINE).err


def test_diff_shows_no_zeros_of_what_is_not_printed(ctlsign):
    """Keys, addresses and the time are no facts of a printed list."""
    run = ctlsign("diff", LOG, DATA / "lists" / "rfc4514.tlv")
    assert "    address: not printed -> none\n" in run.out
    for word in ("0.0.0.0", "unknown kind", "1970", "key:"):
        assert word not in run.out
    said = json.loads(ctlsign("diff", "--json", LOG, DATA / "lists" / "rfc4514.tlv").out)
    assert {c["old"] for r in said["records"] for c in r["changes"] if c["what"] == "address"} == {None}


@pytest.mark.parametrize("held, new", [(GENUINE, LOG), (LOG, GENUINE), (LOG, LOG)])
def test_plan_of_equal_lists(ctlsign, held, new):
    run = ctlsign.ok("plan", held, new)
    assert run.last_line == "Nothing to do: both lists are the same, every byte, as the SHA-1 of both says"
    assert "1970" not in run.out


@pytest.mark.parametrize("new", ["cucm-2048", "ctl-client"])
def test_plan_over_printed_lists(ctlsign, tmp_path, new):
    """What phones do is the same as over the files, for one assumption more."""
    path = DATA / "lists" / f"{new}.tlv"
    log = printed(ctlsign, path, tmp_path / "new.log")
    options = ["--release", "10.5", "--accept-lockout", "all"]
    file = json.loads(ctlsign.ok("plan", "--json", *options, DATA / "lists" / "cucm.tlv", path).out)
    text = json.loads(ctlsign.ok("plan", "--json", *options, LOG, log).out)

    def phones(plan):
        return [(p["class"], p["holds"], p["offered"], p["reason"]) for p in plan["phones"]]

    def anchors(plan):
        return [(a["name"], a["fate"]) for a in plan["anchors"]]

    assert phones(text) == phones(file) and anchors(text) == anchors(file)
    assert text["summary"] == file["summary"]
    # Nobody is told to serve a log.
    assert f"Put {log}" not in str(text) and text["lists"]["new"]["name"] == f"the list in {log}"
    assert [step["title"].replace(f"the list in {log}", str(path)) for step in text["steps"][6:]] == [
        step["title"] for step in file["steps"][6:]]
    assert text["lists"]["new"]["sha1"] == file["lists"]["new"]["sha1"] and text["lists"]["new"]["time"] is None
    run = ctlsign.ok("plan", *options, LOG, log)
    assert "assumed: the signature is good" in run.out and "1970" not in run.out
    assert "signature does not verify" not in run.out


def test_plan_takes_no_list_for_good_that_was_printed_as_bad(ctlsign, tmp_path):
    bad, log = tmp_path / "bad.tlv", tmp_path / "bad.log"
    content = bytearray(GENUINE.read_bytes())
    content[200] ^= 1  # in field 12
    bad.write_bytes(content)
    log.write_text(ctlsign("show", bad).out)
    run = ctlsign("plan", "--release", "10.5", LOG, log)
    assert run.status == 1 and "REFUSED" in run.last_line
    assert "own signature does not verify" in ctlsign("plan", "--release", "10.5", log, LOG).out


def test_identify(ctlsign):
    run = ctlsign.ok("identify", "45627437aa83f931627e06ab3387063d", LOG)
    assert run.out.startswith(f"{LOG}: MD5: CTL, 4947 bytes, signed by cucm-1051-a-pub\n")
    assert ctlsign("identify", "45627437aa83f931627e06ab3387063e", LOG).status == 1


@pytest.mark.parametrize("held, new", [(GENUINE, LOG), (LOG, GENUINE), (LOG, LOG)])
def test_accept_assumes_the_signature(ctlsign, held, new):
    run = ctlsign.ok("accept", "--installed", held, new)
    assert run.out.startswith("accepted: signer-is-sast (assumes the signature is good)\n")
    assert "assumed: the signature is good" in run.out
    assert ctlsign("accept", "--strict", "--installed", held, new).status == 1


def test_accept_refuses_a_stranger_by_text(ctlsign, tmp_path):
    log = printed(ctlsign, DATA / "lists" / "ctl-client.tlv", tmp_path / "log.txt")
    run = ctlsign("accept", "--no-tvs", "--installed", LOG, log)
    assert run.status == 1 and run.out.startswith("refused: signer-unknown")


def test_a_stranger_with_the_publisher_s_name_is_refused_by_text(ctlsign, signer, tmp_path):
    """Another certificate under the same serial number and issuer: its SHA-1 tells."""
    genuine = json.loads(ctlsign.ok("show", "--json", GENUINE).out)["records"][0]["certificate"]
    key, cert = tmp_path / "fake.key", tmp_path / "fake.pem"
    subprocess.run(["openssl", "req", "-x509", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert,
                    "-days", "3650", "-set_serial", f"0x{genuine['serial']}", "-subj",
                    "/C=PL/ST=Malopolska/L=Krakow/O=Cisco/OU=TAC/CN=cucm-1051-a-pub"], check=True, capture_output=True)
    key.chmod(0o600)
    fake = tmp_path / "fake.tlv"
    record = f"{cert},name=cucm-1051-a-pub,address=10.48.47.153"
    ctlsign.ok("build", "-o", fake, "--sast", record, "--ccm-tftp", record, "-k", key, "--cert", cert)
    for held, new in ((GENUINE, fake), (LOG, fake), (GENUINE, printed(ctlsign, fake, tmp_path / "fake.log"))):
        run = ctlsign("accept", "--no-tvs", "--installed", held, new)
        assert run.status == 1 and run.out.startswith("refused: bad-signature"), str(run)
    assert genuine["sha1"].upper() in ctlsign("diff", LOG, fake).out


def test_a_signature_that_is_known_to_be_bad_is_not_assumed_good(ctlsign, tmp_path):
    bad, log = tmp_path / "bad.tlv", tmp_path / "bad.log"
    content = bytearray(GENUINE.read_bytes())
    content[200] ^= 1  # in field 12
    bad.write_bytes(content)
    log.write_text(ctlsign("show", bad).out)
    for new in (bad, log):
        run = ctlsign("accept", "--installed", LOG, new)
        assert run.status == 1 and run.out.startswith("refused: bad-signature"), str(run)
    assert "own signature does not verify" in ctlsign("accept", "--installed", "none", log).out


def test_a_hostile_log_ends_in_time(ctlsign, tmp_path):
    """Words times records, and certificates times gaps: both are bounded."""
    rows = "".join(f"\tCTL Record #:{n}\n1\tRECORDLENGTH\t2\t24\n2\tDNSNAME\t4\tn{n % 90:02}\n4\tFUNCTION\t2\tCAPF\n"
                   f"10\tIPADDRESS\t4\n" for n in range(2000))
    words = " ".join(f"w{n}" for n in range(20000))
    (tmp_path / "log").write_text(
        f"The checksum value of the CTL file:\n{'0' * 32}(MD5)\n{'0' * 40}(SHA1)\n\n\tParse CTL File\n"
        f"Version:\t1.2\nHeaderLength:\t10 (BYTES)\n{rows}The CTL file was verified successfully.\n{words} 10.1.2.3\n")
    ctlsign("show", tmp_path / "log", *CERTS, timeout=60)


def test_an_address_that_is_there_again_and_again(ctlsign, tmp_path):
    """A thousand others stand in front of it, and it is not compared with each of them."""
    log, times = tmp_path / "addresses.log", []
    known = "".join(f"1.1.{n >> 8}.{n & 255}\n" for n in range(1000))
    for last in ("1.1.3.x\n", "1.1.3.231\n"):
        log.write_text(known + last * 1_000_000)
        begin = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        ctlsign.ok("show", "--certs", log, LOG)
        times.append(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - begin)
    assert times[1] < 3 * times[0] + 1, times


@pytest.mark.parametrize("verb", [["verify", "--trust", DATA / "cluster" / "pub.pem"], ["extract", "-o", "out"],
                                  ["export", "--from"]], ids=lambda v: v[0])
def test_verbs_that_need_keys_say_so(ctlsign, tmp_path, verb):
    run = ctlsign(*verb, LOG, cwd=tmp_path)
    assert run.status == 3 and "a printed list has no keys and no certificates" in run.err
    assert os.listdir(tmp_path) == []


def test_expiry_takes_the_certificates_that_its_log_shows(ctlsign, tmp_path):
    def items(run):
        return [{k: v for k, v in item.items() if k not in ("file", "address", "seconds_left")}
                for item in json.loads(run.out)["certificates"]]

    file = items(ctlsign.ok("expiry", "--json", GENUINE))
    assert len(file) == 4 and items(ctlsign.ok("expiry", "--json", LOG)) == file
    assert items(ctlsign.ok("expiry", "--json", bare(tmp_path), "--certs", DATA / "cluster")) == file
    assert "0.0.0.0" not in ctlsign.ok("expiry", "--json", LOG).out
    with open(LOG, "rb") as stdin:
        assert len(items(ctlsign.ok("expiry", "--json", "-", stdin=stdin))) == 4


def test_expiry_says_which_certificates_it_wants(ctlsign, tmp_path):
    run = ctlsign("expiry", bare(tmp_path))
    assert run.status == 3 and run.out == "" and "give '--certs'" in run.err
    assert re.findall(r"^  record (\d): CN=\S+, SHA-1 [0-9A-F]{40}$", run.err, re.M) == list("1234")
    # What is known is told, and what is not is an error all the same.
    run = ctlsign("expiry", bare(tmp_path), "--certs", DATA / "cluster" / "capf.pem", GENUINE)
    assert run.status == 3 and run.out.count(" bare.log") + run.out.count("/bare.log") == 1
    assert "record 3:" not in run.err and "record 4:" in run.err
    two = tmp_path / "two.log"
    two.write_bytes(LOG.read_bytes() * 2)
    assert ctlsign("expiry", two).status == 5 and ctlsign.ok("expiry", f"{two}#2").out.count("\n") == 5


PUB = DATA / "cluster" / "pub.pem"


@pytest.mark.parametrize("option", [["verify", "--trust"], ["extract", "-o", "out", "--trust"],
                                    ["export", "-o", "out", "--trust", PUB, "--from", GENUINE, "--trust"],
                                    ["accept", "--installed", GENUINE, "--tvs-ctl"]], ids=lambda o: o[0])
def test_a_printed_list_is_no_witness_before_it_is_rebuilt(ctlsign, tmp_path, option):
    """Its log also shows certificates: none of them is taken for what was meant."""
    words = [*option, LOG] if "--from" in option else [*option, LOG, GENUINE]
    run = ctlsign(*words, cwd=tmp_path)
    assert run.status == 3 and "a printed list has no keys" in run.err, str(run)
    assert os.listdir(tmp_path) == []
    run = ctlsign(*words, *REBUILD, cwd=tmp_path)
    assert run.status == 0 or "a list cannot vouch for itself" in run.err, str(run)


def test_lists_are_signed_from_a_rebuilt_one(ctlsign, signer, tmp_path):
    """update, migrate and build read LOG as they read the file."""
    out = tmp_path / "out.tlv"
    key = ["-k", DATA / "cluster" / "pub.key", "--cert", PUB, "--insecure-file-mode", "--timestamp", "1800000000"]
    run = ctlsign("update", LOG, "-o", out, *key)
    assert run.status == 3 and "give '--certs'" in run.err and not out.exists()
    ctlsign.ok("update", LOG, "-o", out, *key, *REBUILD)
    text = out.read_bytes()
    out.unlink()
    ctlsign.ok("update", GENUINE, "-o", out, *key)
    assert out.read_bytes() == text
    record = f"{PUB},name=cucm-1051-a-pub,address=10.48.47.153"
    build = ["build", "-o", out, "--overwrite", "--sast", record, "--ccm-tftp", record, *key, "--installed", LOG]
    run = ctlsign(*build)
    assert run.status == 3 and "give '--certs'" in run.err and out.read_bytes() == text
    ctlsign.ok(*build, *REBUILD)


QUERY = """admin:run sql select c.servername, tcs.name, dist.moniker, c.ipv4address, c.certificate from x
{header}
{rule}
{rows}
admin:"""


def query(columns, width=None, newline="\n"):
    """What the query prints, as far as anybody knows: a table, its certificates over several lines."""
    names = {"servername": 0, "name": 1, "moniker": 2, "ipv4address": 3, "certificate": 4}
    rows = [("cucm-1051-a-pub", "CallManager", "own", "10.48.47.153", "pub"),
            ("cucm-1051-a-pub", "CAPF", "own", "10.48.47.153", "capf"),
            ("cucm-1051-a-sub1.example.com", "CallManager", "own", "10.48.47.154", "sub1")]

    def line(values):
        return " ".join(value if name == "certificate" else value.ljust(30) for name, value in zip(columns, values))

    text = QUERY.format(
        header=line(columns), rule=line(["=" * 30 if c != "certificate" else "=" * 11 for c in columns]),
        rows="\n".join(line([(DATA / "cluster" / f"{row[4]}.pem").read_text().strip() if c == "certificate" else
                             row[names[c]] for c in columns]) for row in rows))
    if width:
        text = "\n".join(line[i:i + width].rstrip() for line in text.split("\n") for i in range(0, len(line) or 1, width))
    return text.replace("\n", newline)


@pytest.mark.parametrize("columns", ["servername name moniker ipv4address certificate",
                                     "name ipv4address servername certificate"])
@pytest.mark.parametrize("width", [None, 80, 81, 40, 132, *range(100, 130)])
def test_the_query_gives_certificates_and_addresses(ctlsign, tmp_path, columns, width):
    log, out = tmp_path / "sql.log", tmp_path / "out.tlv"
    log.write_bytes(query(columns.split(), width, "\r\n").encode())
    ctlsign.ok("rebuild", bare(tmp_path), "--certs", log, "-o", out)
    assert out.read_bytes() == GENUINE.read_bytes()
    ctlsign.ok("expiry", bare(tmp_path), "--certs", log)


def test_a_damaged_certificate_hides_no_other(ctlsign, tmp_path):
    log, out = tmp_path / "sql.log", tmp_path / "out.tlv"
    broken = "-----BEGIN CERTIFICATE-----\nMIIC\nadmin:\n"
    text = broken + query(["servername", "ipv4address", "certificate"]) + "\n-----BEGIN CERTIFICATE-----\nMI"
    log.write_text(text)
    run = ctlsign.ok("rebuild", bare(tmp_path), "--certs", log, "-o", out)
    assert out.read_bytes() == GENUINE.read_bytes()
    assert re.findall(r"line (\d+): a certificate that is damaged is skipped", run.err) == [
        "1", str(text.count("\n", 0, text.rindex("-----BEGIN")) + 1)]


def test_one_log_with_all_is_enough(ctlsign, tmp_path):
    """List, certificates and addresses, in any order, with a pager and colours."""
    log, out = tmp_path / "all.log", tmp_path / "out.tlv"
    text = query(["servername", "ipv4address", "certificate"]) + "\n" + bare(tmp_path).read_text()
    pager = "Press <enter> for 1 line, <space> for one page, or <q> to quit\r" + " " * 62 + "\r"
    lines = text.split("\n")
    log.write_text("\n".join("\x1b[0m" + (pager if i % 20 == 0 else "") + line for i, line in enumerate(lines)))
    ctlsign.ok("rebuild", log, "--certs", log, "-o", out)
    assert out.read_bytes() == GENUINE.read_bytes()


def test_with_certificates_every_verb_works(ctlsign, tmp_path):
    assert "good signature by" in ctlsign.ok("verify", "--trust", DATA / "cluster" / "pub.pem", *REBUILD, LOG).out
    ctlsign.ok("extract", *REBUILD, LOG, "-o", tmp_path / "out", "--trust", DATA / "cluster" / "pub.pem")
    run = ctlsign.ok("accept", "--installed", GENUINE, *REBUILD, LOG)
    assert run.out.startswith("accepted: signer-is-sast\n")


def test_rebuild(ctlsign, tmp_path):
    out = tmp_path / "CTLFile.tlv"
    run = ctlsign.ok("rebuild", LOG, *REBUILD, "-o", out)
    assert run.out.endswith("rebuilt: MD5 and SHA-1 as printed\n")
    assert out.read_bytes() == GENUINE.read_bytes()
    answer = json.loads(ctlsign.ok("rebuild", LOG, *REBUILD, "-o", out, "--json").out)
    assert answer["rebuilt"] and answer["length"] == 4947


# Each list that the sample cluster makes: the time of the file is a little later than that of the signature.
@pytest.mark.parametrize("path", LISTS, ids=lambda p: p.stem)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Warsaw", "Asia/Kolkata", "America/St_Johns", "Pacific/Kiritimati"])
def test_every_list_comes_back(ctlsign, tmp_path, path, zone):
    copy, log, out = tmp_path / "copy.tlv", tmp_path / "log.txt", tmp_path / "out.tlv"
    copy.write_bytes(path.read_bytes())
    signed = json.loads(ctlsign.ok("show", "--json", path).out)["header"]["timestamp"]
    os.utime(copy, (signed + 3, signed + 3))
    log.write_text(ctlsign.ok("show", copy, env={"TZ": zone}).out)
    ctlsign.ok("rebuild", log, "--certs", DATA / "cluster", *ADDRESSES, "-o", out)
    assert out.read_bytes() == path.read_bytes()


LONG = "n" * 200
TOKENS = ["--sast", "SAST-ADN0054f509.pem", "--sast", "SAST-ADN008580ef.pem"]
TOKEN_KEY = ["SAST-ADN008580ef.key", "SAST-ADN008580ef.pem"]
SERVERS = ["--ccm-tftp", "pub.pem,name=pub,address=10.0.0.1", "--capf", "capf.pem,name=pub,address=10.0.0.1"]
BUILT = {
    "cucm": [*SERVERS], "itl": ["--tvs", "sub1.pem,name=sub,address=10.0.0.2", *SERVERS, "--filename", "ITLFile.tlv"],
    "all-roles": [*SERVERS, "--tftp", "sub1.pem,name=sub,address=10.0.0.2", "--ccm",
                  "sub1.pem,name=sub,address=10.0.0.2", "--app-server", "capf.pem,name=app,address=10.0.0.3"],
    "no-address": ["--ccm-tftp", "pub.pem,name=pub", "--capf", "capf.pem,name=other"],
    "some-addresses": ["--ccm-tftp", "pub.pem,name=pub,address=10.0.0.1", "--capf", "capf.pem,name=other"],
    "long-name": ["--ccm-tftp", f"pub.pem,name={LONG},address=10.0.0.9", "--capf", f"capf.pem,name={LONG}"],
    "non-secure": [*SERVERS, "--mode", "non-secure"],
    "tokens": [*TOKENS, "--ccm-tftp", "pub.pem,address=10.0.0.1", "--capf", "capf.pem,address=10.0.0.1"],
    "tokens-non-secure": [*TOKENS, "--ccm-tftp", "pub.pem,address=10.0.0.1", "--mode", "non-secure"],
    "rfc4514": ["--ccm-tftp", "pub.pem", "--capf", "capf.pem", "--style", "rfc4514"],
    "rfc4514-semicolon": ["--ccm-tftp", "pub.pem", "--style", "rfc4514", "--name-separator", ";"],
    "tokens-rfc4514": [*TOKENS, "--ccm-tftp", "pub.pem", "--style", "rfc4514"],
}


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("version", [None, "1.1"])
@pytest.mark.parametrize("kind", BUILT)
def test_every_list_that_is_built_comes_back(ctlsign, cluster, tmp_path, kind, version, digest):
    path, log, out = tmp_path / "list.tlv", tmp_path / "log.txt", tmp_path / "out.tlv"
    words = [str(cluster / word) if re.match(r"[\w-]+\.pem", word) else word for word in BUILT[kind]]
    key, cert = TOKEN_KEY if "tokens" in kind else ["pub.key", "pub.pem"]
    words += ["-k", cluster / key, "--cert", cluster / cert, "--digest", digest, "--timestamp", "1426000000"]
    words += ["--signer-version", version] if version else []
    if "--filename" not in words:
        words += ["--filename", "CTLFile.tlv"]
    ctlsign.ok("build", "-o", path, *words)
    os.utime(path, (1426000002, 1426000002))
    log.write_text(ctlsign.ok("show", path, env={"TZ": "Europe/Warsaw"}).out)
    addresses = ["pub=10.0.0.1", "sub=10.0.0.2", "app=10.0.0.3", f"{LONG}=10.0.0.9"]
    ctlsign.ok("rebuild", log, "--certs", cluster, *[w for a in addresses for w in ("--address", a)], "-o", out)
    assert out.read_bytes() == path.read_bytes()


def test_what_is_missing_is_named_and_nothing_written(ctlsign, tmp_path):
    out = tmp_path / "out.tlv"
    run = ctlsign("rebuild", bare(tmp_path), "--certs", DATA / "cluster" / "pub.pem", "-o", out)
    assert run.status == 1 and re.search(r"^  record 3: its certificate: CN=CAPF-e41e7d87", run.err, re.M), str(run)
    text = LOG.read_text().replace("(SHA1)", "(SHA9)")
    (tmp_path / "log").write_text(text)
    run = ctlsign("rebuild", tmp_path / "log", *REBUILD, "-o", out)
    assert run.status == 3 and "without its checksums" in run.err
    run = ctlsign("rebuild", GENUINE, *REBUILD, "-o", out)
    assert run.status == 3 and "nothing to rebuild" in run.err
    assert not out.exists()


def test_a_changed_byte_of_the_text_is_never_taken(ctlsign, tmp_path):
    """The checksums are those of the genuine list; another text does not give them."""
    text = LOG.read_text().replace("2\tDNSNAME\t\t16\tcucm-1051-a-pub", "2\tDNSNAME\t\t16\tcucm-1051-b-pub", 1)
    (tmp_path / "log").write_text(text)
    run = ctlsign("rebuild", tmp_path / "log", *REBUILD, "--address", "cucm-1051-b-pub=10.48.47.153",
                  "-o", tmp_path / "out.tlv")
    assert run.status == 1 and not (tmp_path / "out.tlv").exists()


@pytest.mark.parametrize("checksum", ["45627437aa83f931627e06ab3387063d", "f27854d68fa90be3df88f8ccce35873c5f2860f4"],
                         ids=["MD5", "SHA-1"])
def test_one_checksum_alone_proves_nothing(ctlsign, tmp_path, checksum):
    """Everything else of the text is genuine, and so is the other checksum."""
    log, out = tmp_path / "log", tmp_path / "out.tlv"
    signed = json.loads(ctlsign.ok("show", "--json", GENUINE).out)["header"]["timestamp"]
    words = ["rebuild", log, *REBUILD, "--timestamp", signed, "-o", out]
    log.write_text(bare(tmp_path).read_text())
    ctlsign.ok(*words)
    out.unlink()
    text = log.read_text()
    assert checksum in text
    log.write_text(text.replace(checksum, checksum[:-1] + ("0" if checksum[-1] != "0" else "1")))
    run = ctlsign(*words)
    assert run.status == 1 and "both printed checksums" in run.err and not out.exists(), str(run)
    # Nor does another verb take it for the file.
    run = ctlsign("verify", "--trust", DATA / "cluster" / "pub.pem", *REBUILD, log)
    assert run.status == 3 and "both printed checksums" in run.err and "good" not in run.out, str(run)


def test_several_lists_in_one_log(ctlsign, tmp_path):
    two = tmp_path / "two.log"
    two.write_bytes(LOG.read_bytes() * 2)
    run = ctlsign("show", two)
    assert run.status == 5 and f"{two}#2: CTL, line 185" in run.err
    assert ctlsign.ok("show", f"{two}#2").out == ctlsign.ok("show", LOG).out
    assert ctlsign("show", f"{two}#3").status == 3


def test_standard_input(ctlsign):
    with open(GENUINE, "rb") as file:
        assert ctlsign.ok("show", "-", stdin=file).out.count("CTL Record") == 4


def test_a_mistyped_name_is_no_such_file(ctlsign, tmp_path):
    run = ctlsign("show", "CTLFil.tlv", cwd=tmp_path)
    assert run.status == 3 and "No such file" in run.err and run.out == ""
    run = ctlsign("show", cwd=tmp_path)
    assert run.status == 3 and "Please run CTLClient plugin" in run.out


@pytest.mark.parametrize("text, says", [
    (b"<!DOCTYPE html><html>", "it is a web page"), (b"\x1f\x8b\x08", "gzip"), (b"", "empty"),
    (b"-----BEGIN CERTIFICATE-----\n", "certificate in PEM"), (b"admin:show version\n", "holds no list"),
])
def test_the_wrong_kind_of_file(ctlsign, tmp_path, text, says):
    (tmp_path / "file").write_bytes(text)
    run = ctlsign("verify", tmp_path / "file")
    assert run.status == 3 and says in run.err, str(run)


def test_a_transfer_in_text_mode(ctlsign, tmp_path):
    (tmp_path / "file").write_bytes(GENUINE.read_bytes().replace(b"\n", b"\r\n"))
    run = ctlsign("verify", tmp_path / "file")
    assert run.status == 3 and "transfer in text mode" in run.err, str(run)
