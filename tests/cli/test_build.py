# SPDX-License-Identifier: Apache-2.0
"""build: from certificates to the bytes of FORMAT.md."""
import os
import stat

import lists
import peerlist
import peerwrite
import pytest
from conftest import DATA, make_certificate, openssl
from lists import PUB, SUB, TIME

ALL = sorted(lists.LENGTHS)


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return folder / "CTLFile.tlv"


@pytest.mark.parametrize("kind", ALL)
def test_lengths_of_the_printed_lists(ctlsign, cluster, out, kind):
    header, records, length = lists.LENGTHS[kind]
    parsed = peerlist.parse(lists.build(ctlsign, cluster, kind, out))
    assert parsed["header"]["header_length"] == header
    assert [record["length"] for record in parsed["records"]] == records
    assert out.stat().st_size == length == header + sum(records)


@pytest.mark.parametrize("pub,kind", [("pub", "tokenless"), ("pub-regenerated", "regenerated")])
def test_manifest_and_options_make_the_same_list(ctlsign, cluster, out, tmp_path, pub, kind):
    expected = lists.build(ctlsign, cluster, kind, out)
    again = tmp_path / "manifest.tlv"
    ctlsign.ok("build", "-o", again, "-m", lists.manifest(cluster, pub), "--timestamp", TIME,
               "--filename", "CTLFile.tlv")
    assert again.read_bytes() == expected


def test_manifest_key_is_relative_to_the_manifest(ctlsign, cluster, out, tmp_path):
    lists.manifest(cluster)
    ctlsign.ok("build", "-o", out, "-m", "cluster/cluster.yaml", "--timestamp", TIME, cwd=tmp_path)
    assert out.stat().st_size == 4947


def test_an_option_wins_over_the_manifest(ctlsign, cluster, out):
    ctlsign.ok("build", "-o", out, "-m", lists.manifest(cluster), "--digest", "sha256",
               "--filename", "Other.tlv")
    header = peerlist.parse(out.read_bytes())["header"]
    assert (header["digest"], header["filename"]) == (2, "Other.tlv")


def test_record_options_replace_the_manifest_s_records(ctlsign, cluster, out):
    ctlsign.ok("build", "-o", out, "-m", lists.manifest(cluster),
               "--sast", f"{cluster}/pub.pem,name=a,address={PUB}")
    assert len(peerlist.parse(out.read_bytes())["records"]) == 1


@pytest.mark.parametrize("kind", ALL)
def test_header_is_ascending_and_padded(ctlsign, cluster, out, kind):
    header = peerlist.parse(lists.build(ctlsign, cluster, kind, out))["header"]
    assert [tag for tag, _, _ in header["fields"]] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15]
    assert header["version"] == b"\x01\x02"
    assert header["header_length"] % 4 == 0 and header["padding"] <= 3
    assert header["filename"] == "CTLFile.tlv"
    assert header["timestamp"] == TIME
    assert header["algorithm"] == 0
    assert header["signature_info"] == 15 and header["algorithm_info"] == 8


@pytest.mark.parametrize("kind", ALL)
def test_header_identity_is_a_copy_of_the_signer_s_record(ctlsign, cluster, out, kind):
    parsed = peerlist.parse(lists.build(ctlsign, cluster, kind, out))
    index = 4 if kind == "tokens" else 1 if kind == "tokens-non-secure" else 0
    record, header = parsed["records"][index], parsed["header"]
    assert record["role"] == 0
    assert header["signer_name"] == record["subject"]
    assert header["signer_serial"] == record["serial"]
    assert header["signer_issuer"] == record["issuer"]


def test_cucm_records(ctlsign, cluster, out):
    records = peerlist.parse(lists.build(ctlsign, cluster, "tokenless", out))["records"]
    for record in records:
        assert [tag for tag, _, _ in record["fields"]] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    first = records[0]
    assert first["subject"] == "CN=cucm-1051-a-pub;OU=TAC;O=Cisco;L=Krakow;ST=Malopolska;C=PL"
    assert first["serial"].hex().upper() == "70CAF64E090751B9DF22F49F754FC5BB"
    assert first["address"] == bytes([10, 48, 47, 153])
    assert [r["dns_name"] for r in records] == ["cucm-1051-a-pub"] * 3 + ["cucm-1051-a-sub1"]
    assert [r["role_name"] for r in records] == ["SAST", "CCM+TFTP", "CAPF", "CCM+TFTP"]


def test_ctl_client_records(ctlsign, cluster, out):
    records = peerlist.parse(lists.build(ctlsign, cluster, "tokens", out))["records"]
    token = records[4]
    assert [tag for tag, _, _ in token["fields"]] == [1, 2, 3, 4, 5, 6, 7, 9, 10]
    assert token["dns_name"] == ""
    assert token["subject"] == 'cn="SAST-ADN008580ef        ";ou=IPCBU;o="Cisco Systems'
    assert token["issuer"] == "cn=Cisco Manufacturing CA;o=Cisco Systems"
    assert token["serial"].hex().upper() == "83E908000000554" "5AF31"
    assert token["address"] == bytes(4)
    server = records[1]
    assert [tag for tag, _, _ in server["fields"]] == [1, 2, 3, 4, 5, 6, 7, 9, 10]
    assert server["dns_name"] == PUB
    assert server["subject"] == "CN=cucm-1051-a-pub;OU=TAC;O=Cisco;L=Krakow;ST=Malopolska;C=PL"
    assert server["serial"].hex().upper() == "70CAF64E090751B9DF22F49F754FC5BB"


def test_non_secure_mode_empties_the_server_records(ctlsign, cluster, out):
    records = peerlist.parse(lists.build(ctlsign, cluster, "tokens-non-secure", out))["records"]
    for index in (2, 4):
        assert [tag for tag, _, _ in records[index]["fields"]] == [1, 2, 4, 10]
    assert "certificate" in records[3] and records[3]["role_name"] == "CAPF"


def test_non_secure_mode_in_cucm_style(ctlsign, cluster, out):
    lists.build(ctlsign, cluster, "tokenless", out, "--mode", "non-secure")
    records = peerlist.parse(out.read_bytes())["records"]
    assert ["certificate" in r for r in records] == [True, False, True, False]
    assert records[3]["dns_name"] == "cucm-1051-a-sub1"


def test_rfc4514_records_and_signer_version(ctlsign, cluster, out):
    ctlsign.ok("build", "-o", out, "--style", "rfc4514", "--sast", cluster / "pub.pem",
               "--ccm-tftp", cluster / "sub1.pem", *lists.key(cluster, "tokenless"),
               "--timestamp", TIME)
    parsed = peerlist.parse(out.read_bytes())
    tags = [tag for tag, _, _ in parsed["header"]["fields"]]
    assert tags == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 28]
    assert parsed["header"]["signer_version"] == b"\x01\x00"
    for record in parsed["records"]:
        # In ascending order, unlike the community tool.
        assert [tag for tag, _, _ in record["fields"]] == [1, 3, 4, 5, 6, 7, 8, 9]
    name = peerwrite.rfc4514_name(peerwrite.load(cluster / "pub.pem").subject)
    assert parsed["records"][0]["subject"] == name
    assert name.startswith("C=PL,O=Cisco,OU=TAC,CN=cucm-1051-a-pub")


def test_rfc4514_escapes_names(ctlsign, cluster, signer, out):
    key, cert = signer("rsa1024", cn='a,b+c;d"e\\f<g> ',
                       subject=[("ORGANIZATION_NAME", "#lead"), ("COMMON_NAME", 'a,b+c;d"e\\f<g> ')])
    ctlsign.ok("build", "-o", out, "--style", "rfc4514", *lists.by(key, cert))
    subject = peerlist.parse(out.read_bytes())["records"][0]["subject"]
    assert subject == peerwrite.rfc4514_name(peerwrite.load(cert).subject)


def test_rfc4514_name_separator(ctlsign, cluster, out):
    ctlsign.ok("build", "-o", out, "--style", "rfc4514", "--name-separator", ";",
               "--sast", cluster / "pub.pem", *lists.key(cluster, "tokenless"))
    subject = peerlist.parse(out.read_bytes())["records"][0]["subject"]
    assert subject == peerwrite.rfc4514_name(peerwrite.load(cluster / "pub.pem").subject, ";")


def test_signer_version_on_request_only(ctlsign, cluster, out):
    assert "signer_version" not in peerlist.parse(
        lists.build(ctlsign, cluster, "tokenless", out))["header"]
    data = lists.build(ctlsign, cluster, "tokenless", out, "--signer-version", "1.1")
    header = peerlist.parse(data)["header"]
    assert header["signer_version"] == b"\x01\x01"
    assert [tag for tag, _, _ in header["fields"]][-2:] == [15, 28]


@pytest.mark.parametrize("digest,code", [("sha1", 1), ("sha256", 2), ("sha512", 3)])
@pytest.mark.parametrize("kind", ALL)
def test_digests(ctlsign, cluster, out, kind, digest, code):
    data = lists.build(ctlsign, cluster, kind, out, "--digest", digest)
    assert peerlist.parse(data)["header"]["digest"] == code


@pytest.mark.parametrize("bits,code", [(1024, 1), (2048, 2), (4096, 3)])
@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha512"])
def test_moduli(ctlsign, signer, out, bits, code, digest):
    key, cert = signer(f"rsa{bits}")
    ctlsign.ok("build", "-o", out, *lists.by(key, cert), "--digest", digest)
    header = peerlist.parse(out.read_bytes())["header"]
    assert header["modulus"] == code and len(header["signature"]) * 8 == bits


def test_512_bits_only_where_insisted(ctlsign, signer, out):
    key, cert = signer("rsa512")
    ctlsign.refused({1, 3}, "build", "-o", out, *lists.by(key, cert), says="512")
    assert not out.exists()
    ctlsign.ok("build", "-o", out, *lists.by(key, cert), "--allow-weak-keys")
    assert peerlist.parse(out.read_bytes())["header"]["modulus"] == 0


def test_512_bits_cannot_hold_sha512(ctlsign, signer, out):
    key, cert = signer("rsa512")
    ctlsign.refused({2, 3}, "build", "-o", out, *lists.by(key, cert), "--allow-weak-keys",
                    "--digest", "sha512", says="512")
    assert not out.exists()


def test_the_signer_s_record_comes_first_of_itself(ctlsign, cluster, out):
    ctlsign.ok("build", "-o", out, "--ccm-tftp", f"{cluster}/pub.pem,address={PUB}",
               "--capf", f"{cluster}/capf.pem,address={PUB}",
               "--ccm-tftp", f"{cluster}/sub1.pem,address={SUB}",
               *lists.key(cluster, "tokenless"), "--timestamp", TIME)
    # Name and address are those of the record with the same certificate; CAPF's name is found by its address.
    assert out.read_bytes() == lists.build(ctlsign, cluster, "tokenless", out)


@pytest.mark.parametrize("records,name,address", [
    (["--ccm", "{c}/pub.pem"], "cucm-1051-a-pub", None),
    (["--app-server", "{c}/pub.pem,address=10.1.2.3"], "cucm-1051-a-pub", "10.1.2.3"),
    (["--capf", "{c}/pub.pem,name=a", "--ccm", "{c}/pub.pem,address=10.1.2.3"], "a", "10.1.2.3"),
    (["--ccm", "{c}/pub.pem,address=10.1.2.3", "--tftp", "{c}/pub.pem,name=b,address=10.4.5.6"], "b", "10.1.2.3")])
def test_the_signer_s_record_takes_its_place_from_any_record(ctlsign, cluster, out, records, name, address):
    words = [word.replace("{c}", str(cluster)) for word in records]
    ctlsign.ok("build", "-o", out, "--style", "cucm", *words, *lists.key(cluster, "tokenless"))
    first = peerlist.parse(out.read_bytes())["records"][0]
    assert first["role"] == 0 and first["dns_name"] == name
    assert first.get("address") == (address and peerwrite.address_bytes(address))


def test_a_single_anchor_is_warned_of(ctlsign, cluster, out):
    warning = "warning: only one SAST (signing key) in this list"
    words = ["build", "-o", out, "--yes", *lists.key(cluster, "tokens"), "--overwrite",
             "--ccm-tftp", f"{cluster}/sub1.pem,address={SUB}"]
    assert warning in ctlsign.ok(*words).err
    assert warning not in ctlsign.ok(*words, "--sast", cluster / "SAST-ADN0054f509.pem", "--accept-lockout", "all").err
    itl = out.with_name("ITLFile.tlv")
    assert warning not in ctlsign.ok(*(itl if w == out else w for w in words)).err


def test_a_given_sast_record_keeps_its_place(ctlsign, cluster, out):
    ctlsign.ok("build", "-o", out, "--ccm-tftp", f"{cluster}/pub.pem,address={PUB}",
               "--sast", f"{cluster}/pub.pem,address={PUB}", *lists.key(cluster, "tokenless"))
    assert [r["role"] for r in peerlist.parse(out.read_bytes())["records"]] == [2, 0]


def test_a_sast_token_signs_in_ctl_client_style(ctlsign, cluster, out):
    ctlsign.ok("build", "-o", out, "--ccm-tftp", f"{cluster}/pub.pem,address={PUB}",
               *lists.key(cluster, "tokens"))
    records = peerlist.parse(out.read_bytes())["records"]
    assert [r["role"] for r in records] == [0, 2]
    assert records[0]["dns_name"] == "" and records[1]["dns_name"] == PUB
    assert "signature" not in records[1]


def test_the_name_is_the_short_host_name(ctlsign, signer, out):
    key, cert = signer("rsa1024", cn="cucm-pub.voice.example")
    ctlsign.ok("build", "-o", out, "-k", key, "--cert", cert, "--style", "cucm",
               "--ccm-tftp", f"{cert},address={PUB}")
    records = peerlist.parse(out.read_bytes())["records"]
    assert [r["dns_name"] for r in records] == ["cucm-pub", "cucm-pub"]


def test_without_an_address_the_field_is_left_out(ctlsign, cluster, out):
    ctlsign.ok("build", "-o", out, "--style", "cucm", "--ccm-tftp", cluster / "pub.pem",
               *lists.key(cluster, "tokenless"))
    for record in peerlist.parse(out.read_bytes())["records"]:
        assert "address" not in record


def test_ctl_client_servers_need_an_address(ctlsign, cluster, out):
    ctlsign.refused({2, 3}, "build", "-o", out, "--style", "ctl-client",
                    "--ccm-tftp", cluster / "pub.pem", *lists.key(cluster, "tokens"), says="address")
    assert not out.exists()


def test_capf_in_cucm_needs_a_name_from_somewhere(ctlsign, cluster, out):
    ctlsign.refused({2, 3}, "build", "-o", out, "--style", "cucm", "--sast", cluster / "pub.pem",
                    "--capf", f"{cluster}/capf.pem,address=10.0.0.9",
                    *lists.key(cluster, "tokenless"), says="name")
    assert not out.exists()


def test_another_sast_record_is_no_token_record(ctlsign, cluster, signer, out):
    _, recovery = signer("rsa2048", cn="ITLRECOVERY_cucm-1051-a-pub")
    ctlsign.ok("build", "-o", out, *lists.records(cluster, "tokens"),
               "--sast", f"{recovery},name=cucm-1051-a-pub,address={PUB}",
               *lists.key(cluster, "tokens"))
    record = peerlist.parse(out.read_bytes())["records"][-1]
    assert record["dns_name"] == PUB and record["address"] == bytes([10, 48, 47, 153])
    assert record["subject"] == "CN=ITLRECOVERY_cucm-1051-a-pub;O=Cisco;C=PL"


@pytest.mark.parametrize("option,role", [
    ("--sast", 0), ("--ccm", 1), ("--ccm-tftp", 2), ("--tftp", 3), ("--capf", 4), ("--app-server", 7)])
def test_roles(ctlsign, cluster, out, option, role):
    ctlsign.ok("build", "-o", out, "--sast", f"{cluster}/pub.pem,name=n,address={PUB}",
               f"{option}={cluster}/sub1.pem,name=x,address={SUB}", *lists.key(cluster, "tokenless"))
    assert peerlist.parse(out.read_bytes())["records"][1]["role"] == role


def test_itl(ctlsign, cluster, tmp_path):
    out = tmp_path / "ITLFile.tlv"
    ctlsign.ok("build", "-o", out, *lists.anchor(cluster),
               "--tvs", f"{cluster}/sub1.pem,address={SUB}")
    parsed = peerlist.parse(out.read_bytes())
    assert parsed["header"]["filename"] == "ITLFile.tlv"
    assert [r["role"] for r in parsed["records"]] == [0, 21]


@pytest.mark.parametrize("name,filename", [
    ("ext_ITLSEP001122334455.tlv", "ITLFile.tlv"), ("itlfile.tlv", "ITLFile.tlv"), ("ext_CTLSEP001122334455.tlv", "CTLFile.tlv"),
    ("my-ITLFile.tlv", "CTLFile.tlv")])
def test_the_name_says_which_kind_of_list(ctlsign, cluster, tmp_path, name, filename):
    out = tmp_path / name
    ctlsign.ok("build", "-o", out, *lists.anchor(cluster))
    assert peerlist.parse(out.read_bytes())["header"]["filename"] == filename


@pytest.mark.parametrize("name", ["pub-ITLFile.tlv", "list.tlv", "ext_itlfile.tlv"])
def test_a_tvs_record_says_it_where_the_name_does_not(ctlsign, cluster, tmp_path, name):
    out = tmp_path / name
    ctlsign.ok("build", "-o", out, *lists.anchor(cluster), "--tvs", f"{cluster}/sub1.pem,address={SUB}")
    assert peerlist.parse(out.read_bytes())["header"]["filename"] == "ITLFile.tlv"


@pytest.mark.parametrize("name,more", [("CTLFile.tlv", []), ("list.tlv", ["--filename", "CTLFile.tlv"]),
                                       ("ITLFile.tlv", ["--filename", "CTLFile.tlv"])])
def test_a_ctl_has_no_tvs_records(ctlsign, cluster, tmp_path, name, more):
    out = tmp_path / name
    ctlsign.refused({1}, "build", "-o", out, "--tvs", f"{cluster}/sub1.pem,address={SUB}", *more,
                    *lists.anchor(cluster), says="TVS")
    assert not out.exists()


def test_ec_record(ctlsign, cluster, signer, out):
    _, cert = signer("ec", cn="ec-node")
    ctlsign.ok("build", "-o", out, *lists.anchor(cluster), "--ccm-tftp", f"{cert},address={SUB}")
    record = peerlist.parse(out.read_bytes())["records"][1]
    assert record["public_key"] == peerwrite.public_key(peerwrite.load(cert))
    assert record["public_key"][0] == 4 and len(record["public_key"]) == 65


# Reproducible ------------------------------------------------------------------------------

@pytest.mark.parametrize("kind", ALL)
def test_same_inputs_same_bytes(ctlsign, cluster, out, kind):
    assert lists.build(ctlsign, cluster, kind, out) == lists.build(ctlsign, cluster, kind, out)


def test_source_date_epoch_counts_only_with_reproducible(ctlsign, cluster, out):
    args = ["build", "-o", out, "-m", lists.manifest(cluster)]
    ctlsign.ok(*args, env={"SOURCE_DATE_EPOCH": TIME})
    assert peerlist.parse(out.read_bytes())["header"]["timestamp"] > TIME
    out.unlink()
    ctlsign.ok(*args, "--reproducible", env={"SOURCE_DATE_EPOCH": TIME})
    assert peerlist.parse(out.read_bytes())["header"]["timestamp"] == TIME
    out.unlink()
    ctlsign.ok(*args, "--reproducible", "--timestamp", TIME + 5, env={"SOURCE_DATE_EPOCH": TIME})
    assert peerlist.parse(out.read_bytes())["header"]["timestamp"] == TIME + 5


def test_a_time_before_the_signer_s_not_before_is_refused(ctlsign, cluster, out):
    ctlsign.refused({1, 2, 3}, "build", "-o", out, "-m", lists.manifest(cluster),
                    "--timestamp", 1401900000)
    assert not out.exists()


# Keys and certificates in all their wrappings ------------------------------------------------

def test_two_anchors_of_one_name_with_other_keys(ctlsign, signer, out):
    """A phone would look the signer up by serial number and issuer, and find two."""
    key, cert = signer("rsa1024", cn="twin")
    _, other = signer("rsa1024b", cn="twin")
    ctlsign.refused(3, "build", "-o", out, *lists.by(key, cert), "--sast", f"{other},name=m", says="different keys")
    assert not out.exists()
    _, other = signer("rsa2048", cn="twin", serial=5)
    ctlsign.ok("build", "-o", out, *lists.by(key, cert), "--sast", f"{other},name=m")


def test_key_file_kinds(ctlsign, cluster, out, tmp_path):
    expected = lists.build(ctlsign, cluster, "tokenless", out)
    plain, cert = cluster / "pub.key", cluster / "pub.pem"
    secret = tmp_path / "secret"
    secret.write_text("correct horse\n")
    secret.chmod(0o600)
    word = f"file:{secret}"
    made = {
        "traditional.pem": ["rsa", "-in", plain, "-traditional"],
        "pkcs8.der": ["pkcs8", "-topk8", "-nocrypt", "-in", plain, "-outform", "DER"],
        "encrypted.pem": ["pkcs8", "-topk8", "-in", plain, "-passout", word],
        "encrypted.der": ["pkcs8", "-topk8", "-in", plain, "-passout", word, "-outform", "DER"],
        "old-encrypted.pem": ["pkcs8", "-topk8", "-in", plain, "-passout", word, "-v1",
                              "PBE-MD5-DES", "-provider", "legacy", "-provider", "default"],
        "traditional-encrypted.pem": ["rsa", "-in", plain, "-traditional", "-aes128",
                                      "-passout", word],
        "store.p12": ["pkcs12", "-export", "-inkey", plain, "-in", cert, "-passout", word],
        "legacy.p12": ["pkcs12", "-export", "-legacy", "-inkey", plain, "-in", cert,
                       "-passout", word],
        "rc2-40.p12": ["pkcs12", "-export", "-legacy", "-inkey", plain, "-in", cert, "-keypbe",
                       "PBE-SHA1-RC2-40", "-certpbe", "PBE-SHA1-RC2-40", "-passout", word],
        "empty-pass.p12": ["pkcs12", "-export", "-inkey", plain, "-in", cert, "-passout", "pass:"],
        "legacy-empty-pass.p12": ["pkcs12", "-export", "-legacy", "-inkey", plain, "-in", cert,
                                  "-passout", "pass:"],
    }
    failures = []
    for name, command in made.items():
        key = tmp_path / name
        openssl(*command, "-out", key)
        key.chmod(0o600)
        args = ["-k", key]
        if not name.endswith(".p12"):
            args += ["--cert", cert]
        if "encrypted" in name or name in ("store.p12", "legacy.p12", "rc2-40.p12"):
            args += ["--pin-source", word]
        fresh = tmp_path / f"{name}.tlv"
        run = ctlsign("build", "-o", fresh, *lists.records(cluster, "tokenless"), *args,
                      "--timestamp", TIME, "--filename", "CTLFile.tlv")
        if run.status != 0 or fresh.read_bytes() != expected:
            failures.append(f"{name}: {run}")
    assert not failures, "\n".join(failures)


def test_a_key_file_may_hold_the_certificate(ctlsign, cluster, out, tmp_path):
    expected = lists.build(ctlsign, cluster, "tokenless", out)
    both = tmp_path / "both.pem"
    both.write_bytes((cluster / "pub.pem").read_bytes() + (cluster / "pub.key").read_bytes())
    both.chmod(0o600)
    ctlsign.ok("build", "-o", out, *lists.records(cluster, "tokenless"), "-k", both,
               "--timestamp", TIME)
    assert out.read_bytes() == expected


def test_wrong_passphrase(ctlsign, cluster, out, tmp_path):
    key, secret = tmp_path / "e.pem", tmp_path / "wrong"
    openssl("pkcs8", "-topk8", "-in", cluster / "pub.key", "-passout", "pass:right", "-out", key)
    key.chmod(0o600)
    secret.write_text("wrong-passphrase")
    secret.chmod(0o600)
    run = ctlsign.refused(6, "build", "-o", out, *lists.by(key, cluster / "pub.pem"),
                          "--pin-source", f"file:{secret}", says="e.pem")
    assert "wrong-passphrase" not in run.err
    assert not out.exists()


def test_no_terminal_to_ask_for_a_passphrase(ctlsign, cluster, out, tmp_path):
    key = tmp_path / "e.pem"
    openssl("pkcs8", "-topk8", "-in", cluster / "pub.key", "-passout", "pass:right", "-out", key)
    key.chmod(0o600)
    ctlsign.refused(6, "build", "-o", out, *lists.by(key, cluster / "pub.pem"), says="terminal")
    assert not out.exists()


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_key_files_that_others_can_read_are_refused(ctlsign, cluster, out, mode):
    (cluster / "pub.key").chmod(mode)
    args = ["build", "-o", out, *lists.by(cluster / "pub.key", cluster / "pub.pem")]
    ctlsign.refused({2, 3, 6}, *args, says="pub.key")
    assert not out.exists()
    ctlsign.ok(*args, "--insecure-file-mode")


def test_certificates_in_der_and_with_text_around(ctlsign, cluster, out, tmp_path):
    expected = lists.build(ctlsign, cluster, "tokenless", out)
    der, text = tmp_path / "capf.der", tmp_path / "sub1.txt"
    openssl("x509", "-in", cluster / "capf.pem", "-outform", "DER", "-out", der)
    text.write_bytes(b"Bag Attributes\r\n friendlyName: x\n\n"
                     + openssl("x509", "-in", cluster / "sub1.pem", "-text") + b"trailing words\n")
    ctlsign.ok("build", "-o", out, *lists.key(cluster, "tokenless"), "--timestamp", TIME,
               "--sast", f"{cluster}/pub.pem,address={PUB}",
               "--ccm-tftp", f"{cluster}/pub.pem,address={PUB}",
               "--capf", f"{der},address={PUB}", "--ccm-tftp", f"{text},address={SUB}")
    assert out.read_bytes() == expected


def test_none_of_several_certificates(ctlsign, cluster, out, tmp_path):
    both = tmp_path / "both.pem"
    both.write_bytes((cluster / "sub1.pem").read_bytes() + (cluster / "pub.pem").read_bytes())
    run = ctlsign("build", "-o", out, *lists.anchor(cluster), "--ccm-tftp", f"{both},address={SUB}")
    assert run.status == 5 and "both.pem: 2 different certificates" in run.err, str(run)
    assert "1: cucm-1051-a-sub1" in run.err and "2: cucm-1051-a-pub" in run.err
    assert not out.exists()


def test_a_file_name_with_a_comma(ctlsign, cluster, out, tmp_path):
    odd = tmp_path / "a,b,names.pem"
    odd.write_bytes((cluster / "sub1.pem").read_bytes())
    ctlsign.ok("build", "-o", out, *lists.anchor(cluster),
               "--ccm-tftp", f"{odd},name=n,address={SUB}")
    assert peerlist.parse(out.read_bytes())["records"][1]["dns_name"] == "n"


def test_utf8_names(ctlsign, cluster, signer, out):
    _, cert = signer("rsa1024b", subject=[("COMMON_NAME", "Zażółć-ñ"), ("LOCALITY_NAME", "Kraków")])
    ctlsign.ok("build", "-o", out, *lists.anchor(cluster),
               "--ccm-tftp", f"{cert},address={SUB}")
    assert peerlist.parse(out.read_bytes())["records"][1]["subject"] == "CN=Zażółć-ñ;L=Kraków"


def test_a_semicolon_in_a_name_is_refused_in_cucm(ctlsign, cluster, signer, out):
    _, cert = signer("rsa1024b", cn="a;b")
    ctlsign.refused(3, "build", "-o", out, *lists.anchor(cluster),
                    "--ccm-tftp", f"{cert},name=n,address={SUB}", says=";")
    assert not out.exists()


def test_a_nul_in_a_name_is_refused(ctlsign, cluster, signer, out):
    _, cert = signer("rsa1024b", subject=[("COMMON_NAME", "a\0b")])
    for style in ("cucm", "rfc4514"):
        ctlsign.refused(3, "build", "-o", out, *lists.anchor(cluster), "--style", style,
                        "--ccm-tftp", f"{cert},name=n,address={SUB}")
        assert not out.exists()


def test_serial_with_its_high_bit_set_has_no_leading_zero(ctlsign, cluster, signer, out):
    _, cert = signer("rsa1024b", serial=0xF0E0D0C0)
    ctlsign.ok("build", "-o", out, *lists.anchor(cluster),
               "--ccm-tftp", f"{cert},name=n,address={SUB}")
    assert peerlist.parse(out.read_bytes())["records"][1]["serial"] == b"\xf0\xe0\xd0\xc0"


def test_several_units_and_other_attributes_in_cucm(ctlsign, cluster, signer, out):
    """The fixed order; several of a kind in their order; other attributes are left out."""
    _, cert = signer("rsa1024b", subject=[
        ("COUNTRY_NAME", "PL"), ("EMAIL_ADDRESS", "a@b.example"), ("ORGANIZATIONAL_UNIT_NAME", "one"),
        ("COMMON_NAME", "node"), ("SERIAL_NUMBER", "42"), ("ORGANIZATIONAL_UNIT_NAME", "two"),
        ("ORGANIZATION_NAME", "Cisco")])
    ctlsign.ok("build", "-o", out, *lists.anchor(cluster), "--ccm-tftp", f"{cert},address={SUB}")
    assert peerlist.parse(out.read_bytes())["records"][1]["subject"] == "CN=node;OU=one;OU=two;O=Cisco;C=PL"


@pytest.mark.parametrize("style", ["cucm", "ctl-client"])
def test_a_name_with_domain_components_is_what_tvs_looks_for(ctlsign, cluster, out, style):
    """A CallManager certificate that an AD CA issued: TVS is asked for the issuer's CN alone (docs/CLUSTER.md)."""
    cert = DATA / "dc-issuer" / "pub.pem"
    ctlsign.ok("build", "-o", out, *lists.anchor(cluster), "--style", style, "--ccm-tftp",
               f"{cert},name=n,address={SUB}")
    record = peerlist.parse(out.read_bytes())["records"][1]
    assert record["issuer"] == "CN=example-DC1-CA"
    assert peerwrite.cucm_name(peerwrite.load(cert).issuer) == record["issuer"]
    run = ctlsign("verify", "--trust", "self", out)
    assert "name-unusual" not in run.out and "its certificate's" not in run.out, str(run)


def test_the_former_spelling_of_such_a_name_is_kept_and_warned_of(ctlsign, cluster, tmp_path):
    """Releases 0.x wrote the other attributes behind: such a list stays as it is, whatever is done with it."""
    cert = peerwrite.load(DATA / "dc-issuer" / "pub.pem")
    fields = dict(peerwrite.record_fields(cert, "CCM+TFTP", "cucm", "n", SUB))
    fields[5] = peerwrite.text("CN=example-DC1-CA;DC=local;DC=example")
    pub = peerwrite.record_fields(peerwrite.load(cluster / "pub.pem"), "SAST", "cucm", "p", SUB)
    old, new = tmp_path / "CTLFile.tlv", tmp_path / "new.tlv"
    old.write_bytes(peerwrite.assemble([pub, list(fields.items())], 0, cluster / "pub.key"))
    run = ctlsign("verify", "--trust", cluster / "pub.pem", old)
    assert run.status == 0 and run.last_line.startswith("good signature by"), str(run)
    assert "warning: record 2" in run.out and "CUCM leaves out" in run.out, str(run)
    ctlsign.ok("update", old, "-o", new, *lists.key(cluster, "tokenless"))
    assert peerlist.parse(new.read_bytes())["records"][1]["issuer"] == "CN=example-DC1-CA;DC=local;DC=example"


def openssl_names(path):
    """OpenSSL's RFC 2253 string, turned into certificate order."""
    def ask(what):
        text = openssl("x509", "-in", path, "-noout", f"-{what}", "-nameopt",
                       "RFC2253,-esc_msb,-dn_rev,utf8").decode().rstrip("\n")
        return text.removeprefix(f"{what}=")
    return ask("subject"), ask("issuer")


@pytest.mark.parametrize("subject", [
    "/C=PL/O=Cisco/CN=plain", "/CN=a+OU=b/O=c", "/O=x, y/CN= lead", "/O=tail /CN=#hash",
    "/CN=quote\"plus\\+semi;lt<gt>", "/1.2.3.4=odd/CN=n", "/DC=example/DC=voice/UID=u/CN=n",
    "/emailAddress=a@b.example/CN=n", "/street=Road 1/CN=n", "/CN=Kraków", "/serialNumber=7/CN=n"])
def test_rfc4514_in_full(ctlsign, cluster, keys, out, tmp_path, subject):
    cert = tmp_path / "c.pem"
    openssl("req", "-x509", "-new", "-key", keys["rsa1024b"], "-subj", subject, "-utf8",
            "-multivalue-rdn", "-days", "30", "-out", cert)
    ctlsign.ok("build", "-o", out, "--style", "rfc4514", "--sast", cluster / "pub.pem",
               "--ccm-tftp", cert, *lists.key(cluster, "tokenless"))
    record = peerlist.parse(out.read_bytes())["records"][1]
    ours, theirs = record["subject"], openssl_names(cert)[0]
    # The writers whose style this is put ',' between all attributes, also between those of one RDN.
    if "+OU" in subject:
        assert ours == "CN=a,OU=b,O=c"
    # RFC 4514 leaves the spelling of types that are not in its table open.
    elif any(word in subject for word in ("emailAddress", "serialNumber", "1.2.3.4")):
        assert ours.count(",") == theirs.count(",") and ours.split("=")[-1] == theirs.split("=")[-1]
        assert ours.count("+") == theirs.count("+")
    else:
        assert ours == theirs.replace("street=", "STREET=")


# The file that appears -----------------------------------------------------------------------

def test_mode_is_0644_whatever_the_umask(ctlsign, cluster, out):
    ctlsign.ok("build", "-o", out, "-m", lists.manifest(cluster), umask=0o077)
    assert stat.S_IMODE(out.stat().st_mode) == 0o644


def test_an_existing_file_keeps_its_mode(ctlsign, cluster, out):
    lists.build(ctlsign, cluster, "tokenless", out)
    out.chmod(0o600)
    lists.build(ctlsign, cluster, "tokenless", out, "--signer-version", "1.0")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_nothing_but_the_list_is_left(ctlsign, cluster, out):
    lists.build(ctlsign, cluster, "tokenless", out)
    lists.build(ctlsign, cluster, "tokenless", out)
    assert [p.name for p in out.parent.iterdir()] == [out.name]


def test_output_through_a_symlink_is_refused_unless_followed(ctlsign, cluster, out, tmp_path):
    real = tmp_path / "real.tlv"
    lists.build(ctlsign, cluster, "tokenless", real, "--filename", "CTLFile.tlv")
    before = real.read_bytes()
    out.symlink_to(real)
    args = ["build", "-o", out, "-m", lists.manifest(cluster), "--timestamp", TIME + 1]
    ctlsign.refused({2, 9}, *args, says="symlink")
    assert real.read_bytes() == before and out.is_symlink()
    ctlsign.ok(*args, "--follow")
    assert out.is_symlink() and real.read_bytes() != before


def test_lists_over_64_kib_need_a_word(ctlsign, cluster, out):
    many = [word for _ in range(60) for word in
            ("--ccm-tftp", f"{cluster}/pub-regenerated.pem,name=n,address={SUB}")]
    args = ["build", "-o", out, *many, *lists.anchor(cluster)]
    ctlsign.refused({1, 3}, *args, says="65536")
    assert not out.exists()
    ctlsign.ok(*args, "--allow-large")
    assert out.stat().st_size > 65536


def test_thousands_of_records(ctlsign, cluster, tmp_path):
    text = lists.MANIFEST.format(pub="pub") + "".join(
        f"  - {{role: CCM+TFTP, cert: sub1.pem, name: n{i}, address: 10.0.{i // 250}.{i % 250 + 1}}}\n"
        for i in range(3000))
    path = cluster / "big.yaml"
    path.write_text(text)
    out = tmp_path / "big.tlv"
    ctlsign.ok("build", "-o", out, "-m", path, "--allow-large")
    assert len(peerlist.parse(out.read_bytes())["records"]) == 3004
    assert ctlsign("verify", "--trust", cluster / "pub.pem", out).last_line.startswith("good signature by")


def test_relative_output_in_the_working_folder(ctlsign, cluster, tmp_path):
    ctlsign.ok("build", "-o", "CTLFile.tlv", "-m", lists.manifest(cluster), cwd=tmp_path)
    assert (tmp_path / "CTLFile.tlv").stat().st_size == 4947


def test_another_issuer_s_certificate(ctlsign, cluster, keys, signer, out, tmp_path):
    issuer = [("COUNTRY_NAME", "PL"), ("COMMON_NAME", "Some CA")]
    cert = make_certificate(tmp_path / "leaf.pem", keys["rsa1024b"],
                            [("COMMON_NAME", "leaf")], issuer=issuer, issuer_key=keys["rsa2048"])
    ctlsign.ok("build", "-o", out, *lists.anchor(cluster),
               "--ccm-tftp", f"{cert},address={SUB}")
    record = peerlist.parse(out.read_bytes())["records"][1]
    assert (record["subject"], record["issuer"]) == ("CN=leaf", "CN=Some CA;C=PL")
    assert len(record["signature"]) == 256


def test_the_environment_s_working_files_are_not_touched(ctlsign, cluster, out):
    before = {p: p.read_bytes() for p in cluster.iterdir()}
    lists.build(ctlsign, cluster, "tokenless", out)
    assert {p: p.read_bytes() for p in cluster.iterdir()} == before
    assert os.listdir(out.parent) == [out.name]
