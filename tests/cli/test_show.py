# SPDX-License-Identifier: Apache-2.0
"""show: as CUCM prints it, and as JSON."""
import base64
import datetime
import hashlib
import json
import os
import re

import lists
import peerlist
import peerwrite
import pytest
from conftest import make_certificate, openssl
from lists import PUB, SUB, TIME

POLISH_TIME = "CET-1CEST,M3.5.0,M10.5.0/3"


def fold(text):
    """Lines with white space folded, without what depends on keys; blank lines are dropped."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    rules = [(r"^[0-9a-f]{32}\(MD5\)$", "(MD5)"), (r"^[0-9a-f]{40}\(SHA1\)$", "(SHA1)"),
             (r"^(The CTL File was last modified on) .*", r"\1"),
             (r"^([0-9a-f]{1,2} ){7}[0-9a-f]{1,2}$", "signature row"),
             (r"([0-9A-F]{2} ){20}\(SHA1 Hash HEX\)$", "(SHA1 Hash HEX)")]
    for pattern, word in rules:
        lines = [re.sub(pattern, word, line) for line in lines]
    return [line for line in lines if line]


@pytest.fixture
def listed(ctlsign, cluster, tmp_path):
    def make(kind, *more):
        out = tmp_path / f"{kind}.tlv"
        lists.build(ctlsign, cluster, kind, out, "--filename", "CTLFile.tlv", *more)
        os.utime(out, (TIME, TIME))
        return out
    return make


def test_tokenless_is_what_cucm_printed(ctlsign, listed, samples):
    run = ctlsign.ok("show", listed("tokenless"))
    assert fold(run.out) == fold((samples / "show-ctl-tokenless.txt").read_text())
    assert run.err == ""


def test_token_record_is_what_cucm_printed(ctlsign, listed, samples):
    run = ctlsign.ok("show", listed("tokens"))
    expected = fold((samples / "show-ctl-token-record.txt").read_text())
    lines = fold(run.out)
    start = lines.index("CTL Record #:5")
    assert lines[start:start + len(expected)] == expected
    assert "The CTL file was verified successfully." in lines[start + len(expected):]


def test_tabs_are_where_cucm_puts_them(ctlsign, listed, samples):
    sample = (samples / "show-ctl-tokenless.txt").read_text().splitlines()
    ours = ctlsign.ok("show", listed("tokenless")).out.splitlines()
    for line in ("BYTEPOS\tTAG\t\tLENGTH\tVALUE", "-------\t---\t\t------\t-----",
                 "\tParse CTL File", "\tCTL Record #:1", "Length of CTL file: 4947"):
        assert line in sample and line in ours


def test_each_sast_record_says_whether_it_signed(ctlsign, listed):
    out = ctlsign.ok("show", listed("tokens")).out
    words = re.findall(r"This etoken was (?:not )?used to sign the CTL file\.", out)
    assert words == ["This etoken was not used to sign the CTL file.",
                     "This etoken was used to sign the CTL file."]


def test_checksums_date_signature_and_hashes(ctlsign, listed):
    path = listed("tokenless")
    data = path.read_bytes()
    parsed = peerlist.parse(data)
    out = ctlsign.ok("show", path, env={"TZ": POLISH_TIME}).out
    assert f"{hashlib.md5(data).hexdigest()}(MD5)" in out.splitlines()
    assert f"{hashlib.sha1(data).hexdigest()}(SHA1)" in out.splitlines()
    assert "The CTL File was last modified on Tue Mar 10 16:06:40 CET 2015" in out.splitlines()
    rows = [line.split() for line in out.splitlines()
            if re.fullmatch(r"\s+([0-9a-f]{1,2}\s*){8}", line)]
    assert [word for row in rows for word in row] == [f"{b:x}" for b in parsed["header"]["signature"]]
    assert {len(row) for row in rows} == {8}
    for record in parsed["records"]:
        words = " ".join(f"{b:02X}" for b in hashlib.sha1(record["certificate"]).digest())
        assert f"{words} (SHA1 Hash HEX)" in out


def test_a_time_zone_with_a_long_name(ctlsign, listed):
    out = ctlsign.ok("show", listed("tokenless"), env={"TZ": f"{'X' * 70}-1"}).out
    assert "The CTL File was last modified on Tue Mar 10 16:06:40 +0100 2015" in out.splitlines()


def test_signature_is_left_justified_in_four_columns(ctlsign, listed):
    out = ctlsign.ok("show", listed("tokenless")).out
    for line in out.splitlines():
        if re.fullmatch(r"\t\t([0-9a-f]{1,2} +){7}[0-9a-f]{1,2} *", line):
            assert [line[2 + 4 * i:6 + 4 * i].rstrip() for i in range(8)] == line.split()
            break
    else:
        pytest.fail("no row of the signature")


def test_default_is_ctlfile_in_the_working_folder(ctlsign, listed):
    path = listed("tokenless")
    path.rename(path.parent / "CTLFile.tlv")
    assert "Length of CTL file: 4947" in ctlsign.ok("show", cwd=path.parent).out


def test_no_file(ctlsign, tmp_path):
    run = ctlsign("show", cwd=tmp_path)
    assert run.status == 3
    assert "Length of CTL file: 0" in run.out
    assert ("CTL File not found. Please run CTLClient plugin or run the CLI - utils ctl.. "
            "to generate the CTL file.") in run.out
    assert "Error parsing the CTL File." in run.out


def test_itl_says_itl(ctlsign, cluster, tmp_path):
    path = tmp_path / "ITLFile.tlv"
    ctlsign.ok("build", "-o", path, *lists.anchor(cluster),
               "--tvs", f"{cluster}/sub1.pem,address={SUB}")
    out = ctlsign.ok("show", path).out
    for line in ("Length of ITL file:", "Parse ITL File", "ITL Record #:1", "TVS",
                 "The ITL file was verified successfully."):
        assert line in out
    assert "CTL" not in out.replace("ctlsign", "")


def test_bad_signature(ctlsign, listed):
    path = listed("tokenless")
    data = bytearray(path.read_bytes())
    data[peerlist.parse_header(bytes(data))["cut"][0] + 40] ^= 1
    path.write_bytes(data)
    run = ctlsign("show", path)
    assert run.status == 1
    assert "verified successfully" not in run.out
    assert "CTL Record #:4" in run.out
    assert json.loads(ctlsign("show", "--json", path).out)["signature"] == {"verified": False}


@pytest.mark.parametrize("size", [337, 1500, 2608, 4946])
def test_damaged_file_is_shown_as_far_as_it_goes(ctlsign, listed, size):
    path = listed("tokenless")
    path.write_bytes(path.read_bytes()[:size])
    run = ctlsign("show", path)
    assert run.status == 3
    assert "cucm-1051-a-pub" in run.out
    assert re.search(r"\(at byte \d+\)", run.err), str(run)
    assert path.name in run.errors[-1]


def test_more_rows_than_cucm_has(ctlsign, listed):
    out = ctlsign.ok("show", listed("tokenless", "--signer-version", "1.1")).out
    assert re.search(r"^28\s+SIGNERVERSION\s+2", out, re.M)


# JSON ----------------------------------------------------------------------------------------

def shown(ctlsign, path, status=0):
    run = ctlsign("show", "--json", path)
    assert run.status == status, str(run)
    return json.loads(run.out)


@pytest.mark.parametrize("kind", sorted(lists.LENGTHS))
def test_json_header(ctlsign, listed, kind):
    path = listed(kind)
    data = path.read_bytes()
    peer = peerlist.parse(data)["header"]
    doc = shown(ctlsign, path)
    assert doc["file"] == str(path) and doc["kind"] == "CTL" and doc["length"] == len(data)
    assert doc["md5"] == hashlib.md5(data).hexdigest()
    assert doc["sha1"] == hashlib.sha1(data).hexdigest()
    assert doc["signature"] == {"verified": True}
    header = doc["header"]
    assert header["version"] == "1.2"
    assert header["header_length"] == peer["header_length"]
    assert header["signer_name"] == peer["signer_name"]
    assert header["signer_serial"] == peer["signer_serial"].hex().upper()
    assert header["signer_issuer"] == peer["signer_issuer"]
    assert header["digest"] == "sha1"
    assert header["modulus_bits"] == len(peer["signature"]) * 8
    assert header["signature"] == peer["signature"].hex()
    assert header["filename"] == "CTLFile.tlv"
    assert header["timestamp"] == TIME and header["time"] == "2015-03-10T15:06:40Z"
    assert header["signer_version"] is None
    assert header["padding"] == peer["padding"]


@pytest.mark.parametrize("kind", sorted(lists.LENGTHS))
def test_json_records_are_what_a_second_reader_reads(ctlsign, listed, kind):
    path = listed(kind)
    peers = peerlist.parse(path.read_bytes())["records"]
    records = shown(ctlsign, path)["records"]
    assert len(records) == len(peers)
    for number, (record, peer) in enumerate(zip(records, peers), 1):
        assert record["number"] == number
        assert record["offset"] == peer["offset"] and record["length"] == peer["length"]
        assert record["role"] == peer["role_name"] and record["role_number"] == peer["role"]
        for name in ("dns_name", "subject", "issuer"):
            assert record[name] == peer.get(name), name
        serial = peer.get("serial")
        assert record["serial"] == (serial.hex().upper() if serial else None)
        for name in ("public_key", "signature"):
            assert record[name] == (peer[name].hex() if name in peer else None), name
        address = peer.get("address")
        assert record["address"] == (".".join(map(str, address)) if address else None)
        assert [(f["tag"], f["offset"], f["length"]) for f in record["fields"]] == peer["fields"]
        if "certificate" in peer:
            assert base64.b64decode(record["certificate"]["der"]) == peer["certificate"]
        else:
            assert record["certificate"] is None
    signers = [r["signed_the_list"] for r in records if r["role"] == "SAST"]
    assert signers.count(True) == 1


@pytest.mark.parametrize("kind", sorted(lists.LENGTHS))
def test_json_agrees_with_openssl_about_every_certificate(ctlsign, listed, kind, tmp_path):
    def moment(text):
        text = text.split("=")[1].removesuffix(" GMT")
        return datetime.datetime.strptime(text, "%b %d %H:%M:%S %Y").strftime("%Y-%m-%dT%H:%M:%SZ")

    count = 0
    for record in shown(ctlsign, listed(kind))["records"]:
        if record["certificate"] is None:
            continue
        certificate = record["certificate"]
        der = tmp_path / "c.der"
        der.write_bytes(base64.b64decode(certificate["der"]))

        def ask(*words, file=der):
            return openssl("x509", "-inform", "DER", "-in", file, "-noout", *words).decode().strip()

        assert certificate["subject"] == ask("-subject", "-nameopt", "RFC2253").removeprefix("subject=")
        assert certificate["issuer"] == ask("-issuer", "-nameopt", "RFC2253").removeprefix("issuer=")
        assert certificate["serial"] == ask("-serial").removeprefix("serial=")
        assert certificate["not_before"] == moment(ask("-startdate"))
        assert certificate["not_after"] == moment(ask("-enddate"))
        for digest in ("sha1", "sha256"):
            hexes = ask("-fingerprint", f"-{digest}").split("=")[1].replace(":", "").lower()
            assert certificate[digest] == hexes
        text = ask("-text")
        bits = int(re.search(r"Public-Key: \((\d+) bit\)", text).group(1))
        assert (certificate["key_type"], certificate["key_bits"]) == ("RSA", bits)
        # The record's own fields against the certificate.
        modulus = ask("-modulus").split("=")[1].lower()
        assert modulus in record["public_key"]
        serial = ask("-serial").removeprefix("serial=")
        turned = bytes.fromhex(serial)[::-1].hex().upper()
        token = record["role"] == "SAST" and record["dns_name"] == ""
        assert record["serial"] == (turned if token else serial)
        parsed = peerwrite.load_der(der)
        naming = peerwrite.token_name if token else peerwrite.cucm_name
        assert record["subject"] == naming(parsed.subject)
        assert record["issuer"] == naming(parsed.issuer)
        if record["signature"]:
            assert record["signature"] == parsed.signature.hex()
        count += 1
    assert count >= 3


def test_json_of_ec_certificates(ctlsign, cluster, signer, tmp_path):
    _, cert = signer("ec", cn="ec-node")
    path = tmp_path / "CTLFile.tlv"
    ctlsign.ok("build", "-o", path, *lists.anchor(cluster), "--ccm-tftp", f"{cert},address={SUB}")
    certificate = shown(ctlsign, path)["records"][1]["certificate"]
    assert (certificate["key_type"], certificate["key_bits"]) == ("EC", 256)


def test_json_of_strings_that_are_no_utf8(ctlsign, cluster, tmp_path):
    cert = peerwrite.load(cluster / "pub.pem")
    fields = peerwrite.record_fields(cert, "SAST", "cucm", "n", PUB)
    odd = [(2, b"caf\xe9\0") if tag == 2 else (tag, value) for tag, value in fields]
    path = tmp_path / "CTLFile.tlv"
    path.write_bytes(peerwrite.assemble([fields, odd], 0, cluster / "pub.key"))
    record = shown(ctlsign, path)["records"][1]
    assert record["dns_name"] is None
    assert record["dns_name_hex"].startswith("636166e9")


def test_text_does_not_carry_terminal_escapes(ctlsign, cluster, tmp_path):
    cert = peerwrite.load(cluster / "pub.pem")
    fields = peerwrite.record_fields(cert, "SAST", "cucm", "evil\x1b[2J\x07\x9b", PUB)
    path = tmp_path / "CTLFile.tlv"
    path.write_bytes(peerwrite.assemble([fields], 0, cluster / "pub.key"))
    run = ctlsign("show", path)
    assert "evil" in run.out
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f]", run.out)
    assert shown(ctlsign, path, run.status)["records"][0]["dns_name"] == "evil\x1b[2J\x07\x9b"


def test_json_findings(ctlsign, cluster, signer, tmp_path):
    _, old = signer("rsa1024b", cn="old-node", not_after=datetime.datetime(2016, 1, 1))
    path = tmp_path / "CTLFile.tlv"
    ctlsign.ok("build", "-o", path, *lists.anchor(cluster), "--ccm-tftp", f"{old},address={SUB}")
    findings = shown(ctlsign, path)["findings"]
    expired = [f for f in findings if f["code"] == "expired"]
    assert len(expired) == 1
    assert (expired[0]["level"], expired[0]["record"]) == ("warning", 2)
    assert set(expired[0]) >= {"level", "code", "record", "offset", "text"}


def test_json_of_a_damaged_file(ctlsign, listed):
    path = listed("tokenless")
    path.write_bytes(path.read_bytes()[:3000])
    run = ctlsign("show", "--json", path)
    assert run.status == 3
    doc = json.loads(run.out)
    assert len(doc["records"]) >= 2
    assert any(f["level"] == "error" and f["offset"] is not None for f in doc["findings"])


# What others write ---------------------------------------------------------------------------

@pytest.mark.parametrize("order", [(4, 5, 6), (4, 6, 5)])
@pytest.mark.parametrize("after", [2, 15])
def test_other_writers_headers(ctlsign, cluster, tmp_path, order, after):
    cert = peerwrite.load(cluster / "pub.pem")
    fields = peerwrite.record_fields(cert, "SAST", "rfc4514")
    community = [fields[i] for i in (0, 1, 2, 3, 4, 5, 6)]
    path = tmp_path / "CTLFile.tlv"
    path.write_bytes(peerwrite.assemble([community], 0, cluster / "pub.key", signer_order=order,
                                        signer_version=b"\x01\x01", version_after=after))
    doc = shown(ctlsign, path)
    assert doc["header"]["signer_version"] == "1.1"
    assert doc["signature"] == {"verified": True}


def test_an_ipv6_address_is_shown(ctlsign, cluster, tmp_path):
    """Nobody has seen one in a list; diff and the rows name it as people write it, and verify warns."""
    path, other = tmp_path / "CTLFile.tlv", tmp_path / "other.tlv"
    for target, last in ((path, 0x53), (other, 0x54)):
        fields = [(tag, bytes.fromhex("20010db8") + bytes(11) + bytes([last]) if tag == 10 else value) for tag, value in
                  peerwrite.record_fields(peerwrite.load(cluster / "pub.pem"), "SAST", "cucm", "n", PUB)]
        target.write_bytes(peerwrite.assemble([fields], 0, cluster / "pub.key"))
    assert re.search(r"^10\tIPADDRESS\t+16\t2001:db8::53$", ctlsign.ok("show", path).out, re.M)
    assert shown(ctlsign, path)["records"][0]["address"] == "2001:db8::53"
    verify = ctlsign("verify", "--trust", "self", path)
    assert verify.status == 0 and "warning: record 1: IP address: IPv6 address 2001:db8::53" in verify.out, str(verify)
    assert "2001:db8::54" in ctlsign("diff", path, other).out


def test_unknown_tags_and_hash_only_records(ctlsign, cluster, tmp_path):
    cert = peerwrite.load(cluster / "pub.pem")
    fields = peerwrite.record_fields(cert, "SAST", "cucm", "n", PUB)
    hashed = [(2, b"n2\0"), (4, b"\0\x02"), (11, bytes(20)), (12, b"\x01"), (200, b"?"),
              (10, bytes([10, 0, 0, 1]))]
    path = tmp_path / "CTLFile.tlv"
    path.write_bytes(peerwrite.assemble([fields, hashed], 0, cluster / "pub.key",
                                        extra=peerwrite.field(99, b"xyz")))
    run = ctlsign("show", path)
    assert run.status == 0, str(run)
    for word in ("CERTHASH", "HASHALGORITHM", "UNKNOWN"):
        assert word in run.out
    tags = [f["tag"] for f in shown(ctlsign, path)["records"][1]["fields"]]
    assert tags == [1, 2, 4, 11, 12, 200, 10]


def test_an_address_of_another_length(ctlsign, cluster, tmp_path):
    cert = peerwrite.load(cluster / "pub.pem")
    fields = peerwrite.record_fields(cert, "SAST", "cucm", "n", PUB)
    odd = fields[:-1] + [(10, b"\x0a\0\0")]
    path = tmp_path / "CTLFile.tlv"
    path.write_bytes(peerwrite.assemble([fields, odd], 0, cluster / "pub.key"))
    assert "10\tIPADDRESS\t3" in ctlsign.ok("show", path).out


# One screen -----------------------------------------------------------------------------------

def table_of(out):
    """The summary's table: a dict by heads for each line."""
    lines = out.splitlines()
    at = next(i for i, line in enumerate(lines) if re.match(r" *# ", line))
    starts = [m.start() for m in re.finditer(r"(?:(?<=  )|^)\S", lines[at])]
    ends = [*starts[1:], None]
    heads = [lines[at][a:b].strip() for a, b in zip(starts, ends)]
    rows = []
    for line in lines[at + 1:]:
        if not line[0].isdigit():
            break
        rows.append(dict(zip(heads, [line[a:b].strip() for a, b in zip(starts, ends)])))
    return rows


@pytest.mark.parametrize("kind, expected", [
    ("tokenless", [("SAST", "cucm-1051-a-pub", PUB, "2034-06-04", "yes", "yes"),
                   ("CCM+TFTP", "cucm-1051-a-pub", PUB, "2034-06-04", "-", "-"),
                   ("CAPF", "cucm-1051-a-pub", PUB, "2034-06-04", "-", "-"),
                   ("CCM+TFTP", "cucm-1051-a-sub1", SUB, "2034-06-04", "-", "-")]),
    ("tokens", [("SAST", "SAST-ADN008580ef", "-", "2038-05-14", "yes", "token"),
                ("CCM+TFTP", "cucm-1051-a-pub", PUB, "2034-06-04", "-", "-"),
                ("CAPF", "CAPF-e41e7d87", PUB, "2034-06-04", "-", "-"),
                ("CCM+TFTP", "cucm-1051-a-sub1", SUB, "2034-06-04", "-", "-"),
                ("SAST", "SAST-ADN0054f509", "-", "2038-05-14", "-", "token")])])
def test_summary(ctlsign, listed, kind, expected):
    path = listed(kind)
    run = ctlsign.ok("show", "--summary", path)
    rows = table_of(run.out)
    names = ("role", "node", "address", "valid until", "signs", "anchor")
    assert sorted(tuple(row[name] for name in names) for row in rows) == sorted(expected), str(run)
    assert [row["#"] for row in rows] == [str(i + 1) for i in range(len(rows))]
    head = dict(re.split(r"  +", line, maxsplit=1) for line in run.out.split("\n\n")[0].splitlines())
    assert head["file"] == str(path) and head["MD5"] == hashlib.md5(path.read_bytes()).hexdigest()
    assert head["signed"] == "2015-03-10T15:06:40Z, sha1" and head["signature"].startswith("verifies")
    assert head["list"] == f"CTL, {path.stat().st_size} bytes, {len(rows)} records, mixed"
    assert head["signer"] == expected[0][1]
    # CUCM's own page has the serial number of a token back to front; people know the certificate's.
    assert head["serial"] == {"tokenless": "70:CA:F6:4E:09:07:51:B9:DF:22:F4:9F:75:4F:C5:BB",
                              "tokens": "31:AF:45:55:00:00:00:08:E9:83 (back to front in the list)"}[kind]
    assert all(len(line) <= 80 for line in run.out.splitlines()[1:]), run.out


def test_summary_fits_the_screen(ctlsign, cluster, tmp_path):
    """Long names are cut, and say so; as JSON they are whole."""
    name = "cucm-with-a-very-long-host-name-in-the-third-data-centre-x"
    path = tmp_path / "ITLFile.tlv"
    records = [word for role in ("tvs", "app-server", "ccm-tftp")
               for word in (f"--{role}", f"{cluster / 'capf.pem'},name={name},address=192.168.100.{len(role)}")]
    ctlsign.ok("build", "-o", path, "--sast", f"{cluster / 'pub.pem'},name=pub", *records, *lists.key(cluster, "tokenless"),
               "--timestamp", TIME)
    run = ctlsign.ok("show", "--summary", path)
    assert all(len(line) <= 80 for line in run.out.splitlines()[1:]), run.out
    rows = table_of(run.out)
    assert "list       ITL, " in run.out and {row["role"] for row in rows} == {"SAST", "TVS", "APP-SERVER", "CCM+TFTP"}
    cut = rows[1]["node"]
    assert cut.endswith("~") and name.startswith(cut[:-1]) and len(cut) >= 12
    assert json.loads(ctlsign.ok("show", "--summary", "--json", path).out)["summary"][1]["node"] == name


def test_summary_of_a_printed_list(ctlsign, samples):
    """What nobody printed is '-', and null."""
    log = samples / "show-ctl-tokenless.txt"
    run = ctlsign.ok("show", "--summary", log)
    rows = table_of(run.out)
    assert {(row["address"], row["valid until"]) for row in rows} == {("-", "-")}
    assert [row["signs"] for row in rows] == ["yes", "-", "-", "-"] and rows[0]["anchor"] == "yes"
    assert "\nsigned     -\n" in run.out and "not verified: the list was printed" in run.out
    said = json.loads(ctlsign.ok("show", "--summary", "--json", log).out)
    assert said["printed"] and said["header"]["time"] is None
    assert {(row["address"], row["not_after"]) for row in said["summary"]} == {(None, None)}


def test_summary_of_what_is_wrong(ctlsign, listed, tmp_path):
    """The status is that of show, and a damaged list is told as far as it goes."""
    data = listed("tokenless").read_bytes()
    (tmp_path / "changed.tlv").write_bytes(data[:3000] + bytes([data[3000] ^ 1]) + data[3001:])
    run = ctlsign("show", "--summary", tmp_path / "changed.tlv")
    assert run.status == 1 and len(table_of(run.out)) == 4 and "signature  BAD: the signature does not verify" in run.out, str(run)
    # The certificate knows its serial number, and the record and the header have another one.
    serial = bytes.fromhex("70CAF64E090751B9DF22F49F754FC5BB")
    (tmp_path / "serial.tlv").write_bytes(data.replace(serial, bytes(8) + serial[8:], 2))
    run = ctlsign("show", "--summary", tmp_path / "serial.tlv")
    assert run.status == 1 and "75:4F:C5:BB (another one in the list)\n" in run.out, str(run)
    (tmp_path / "cut.tlv").write_bytes(data[:2600])
    run = ctlsign("show", "--summary", tmp_path / "cut.tlv")
    assert run.status == 3 and "at byte 1492" in run.err, str(run)
    assert len(table_of(run.out)) == 1 and "damaged" in run.out
    said = json.loads(ctlsign("show", "--summary", "--json", tmp_path / "cut.tlv").out)
    assert said["fault"]["offset"] == 1492 and len(said["summary"]) == 1
    ctlsign.refused(3, "show", "--summary", "none.tlv", cwd=tmp_path, says="none.tlv")
    # What is no list at all has no table.
    (tmp_path / "notes.txt").write_text("hello\n")
    ctlsign.refused(3, "show", "--summary", "notes.txt", cwd=tmp_path, says="notes.txt")


def test_summary_names_what_has_expired(ctlsign, cluster, keys, tmp_path):
    now, path = datetime.datetime.utcnow(), tmp_path / "CTLFile.tlv"
    certs = {}
    for name, days in (("x", -3), ("y", 3), ("z", -9)):
        certs[name] = tmp_path / f"{name}.pem"
        make_certificate(certs[name], keys["rsa1024"], [("COMMON_NAME", name)], not_before=now - datetime.timedelta(days=99),
                         not_after=now + datetime.timedelta(days=days))
    ctlsign.ok("build", "-o", path, "--sast", f"{cluster / 'pub.pem'},name=pub", "--ccm", f"{certs['x']},name=x",
               "--capf", f"{certs['y']},name=y", "--tftp", f"{certs['z']},name=z", *lists.key(cluster, "tokenless"),
               "--timestamp", TIME)
    run = ctlsign.ok("show", "--summary", path)
    assert run.last_line == "expired: record 2, 4", str(run)
