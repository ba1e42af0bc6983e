# SPDX-License-Identifier: Apache-2.0
"""--json: a contract with scripts, written down as JSON Schema, on good and on failing input.

conftest's runner holds every JSON that any test sees against its schema; here stands what that
cannot see: that the schemas are good ones, that no verb lacks one, and when there is none printed.
"""
import copy
import json
import shutil

import jsonschema
import lists
import pytest
import schema
import tables
from conftest import DATA, SANITIZED

LISTS = DATA / "lists"
OLD, NEW = LISTS / "cucm.tlv", LISTS / "ctl-client.tlv"
ROW = next(row for row in tables.options() if row[0] == "JSON")
VERBS = sorted(word[2:].lower() for word in ROW[5].split(" | "))


def table(name, macro):
    """The words of a table's rows: the first string of each."""
    return [next(word for word in row[1:] if not word.isdigit()) for row in tables.rows(name, macro)]


def walk(node, path="$"):
    """Every schema in a schema, with where it stands."""
    yield path, node
    for key in ("properties", "patternProperties", "$defs"):
        for name, child in node.get(key, {}).items():
            yield from walk(child, f"{path}.{name}")
    for key in ("anyOf", "oneOf"):
        for i, child in enumerate(node.get(key, [])):
            yield from walk(child, f"{path}.{key}[{i}]")
    if "items" in node:
        yield from walk(node["items"], f"{path}[]")


def test_every_verb_with_json_has_its_schema():
    assert set(schema.FILES) == {*VERBS, "common"} and len(VERBS) >= 15


@pytest.mark.parametrize("verb", sorted(schema.FILES))
def test_schemas_are_sound(verb):
    whole = schema.FILES[verb]
    jsonschema.Draft202012Validator.check_schema(whole)
    assert whole["$id"].endswith(f"/{verb}.json") and whole["title"] and whole["description"]
    assert set(whole) <= {"$schema", "$id", "title", "description", "type", "properties", "required",
                          "patternProperties", "additionalProperties", "$ref", "anyOf", "oneOf", "$defs", "items"}
    for path, node in walk(whole):
        if node.get("type") == "object":
            assert node["additionalProperties"] is False, path
            assert set(node.get("required", [])) <= set(node["properties"]), path
        # What stands beside a reference counts in some drafts only; so do other words than these.
        assert "$ref" not in node or set(node) <= {"$ref", "description", *(whole if path == "$" else ())}, path
        assert set(node) <= {"$schema", "$id", "$defs", "$ref", "title", "description", "type", "properties",
                             "patternProperties", "additionalProperties", "required", "items", "enum", "pattern",
                             "anyOf", "oneOf", "minItems", "maxItems", "minimum", "maximum",
                             "contentEncoding"}, path
        for name, child in node.get("properties", {}).items():
            assert child.get("description") or "$ref" in child, f"{path}.{name} says nothing"


@pytest.mark.parametrize("verb", sorted(schema.FILES))
def test_no_array_has_null_in_it(verb):
    for path, node in walk(schema.FILES[verb]):
        if "items" in node:
            assert not schema.validator(verb).evolve(schema=node["items"]).is_valid(None), path


def find(verb, *names):
    """The one enum at a path of properties, items passed through, null left out."""
    node = schema.FILES[verb]
    for name in names:
        while "items" in node:
            node = node["items"]
        node = node["properties" if "properties" in node and name in node["properties"] else "$defs"][name]
    while "items" in node:
        node = node["items"]
    return [value for value in node["enum"] if value is not None]


def test_words_are_the_tables():
    assert find("common", "acceptance", "reason") == table("reasons.def", "REASON")
    assert find("common", "finding", "code") == table("findings.def", "FINDING")
    assert find("common", "changes", "records", "kind") == table("diff.def", "DIFF_KIND")
    assert find("common", "changes", "header", "what") == table("diff.def", "DIFF_HEADER")
    assert find("common", "changes", "records", "changes", "what") == table("diff.def", "DIFF_FIELD")
    assert find("plan", "impacts", "kind") == table("plan_rules.def", "PLAN_KIND")
    assert find("plan", "impacts", "event") == table("plan_rules.def", "PLAN_EVENT")
    assert find("plan", "phones", "reason") == table("reasons.def", "REASON")
    for place in [("common", "acceptance"), ("plan", "phones")]:
        assert find(*place, "assumptions") == table("assumptions.def", "ASSUMPTION")
    assert find("show", "records", "role") == table("roles.def", "ROLE")
    assert find("doctor", "checks", "check") == table("doctor.def", "CHECK")
    # What diff prints is what update and plan print of changes, and two names.
    diff, changes = schema.FILES["diff"], schema.FILES["common"]["$defs"]["changes"]
    assert {k: v for k, v in diff["properties"].items() if k not in ("version", "old", "new")} == changes["properties"]


def answer(run, verb):
    """The one JSON value of a run, valid; and nothing but that."""
    complaints = schema.complaints(verb, run.out)
    assert not complaints, f"{complaints}\n{run}"
    assert run.out.startswith('{\n  "version": 2,\n'), str(run)
    return json.loads(run.out)


def test_every_answer_has_its_version():
    """Every JSON of every test is held against these schemas: one without it fails there."""
    for verb in VERBS:
        whole = schema.FILES[verb]
        assert whole["type"] == "object" and "version" in whole["required"], verb
        assert whole["properties"]["version"]["type"] == "integer" and whole["properties"]["version"]["enum"] == [2]
        assert schema.complaints(verb, '{"version": 1}') and list(whole["properties"])[0] == "version"


def members(node, found):
    """Each member's name, with whether it is yes or no, wherever it stands."""
    for name, child in node.get("properties", {}).items():
        found.setdefault(name, set()).add("boolean" in str(child.get("type", "")))
    return found


@pytest.mark.parametrize("verb", VERBS)
def test_a_name_has_one_type_in_an_answer(verb):
    """A count above and a yes or no below is what scripts trip over."""
    found = {}
    for path, node in walk(schema.FILES[verb]):
        if not path.endswith(".counts"):  # they count what a word of the same name says
            members(node, found)
    assert not [name for name, kinds in found.items() if len(kinds) > 1]


def test_update_tells_the_same_with_and_without_dry_run(ctlsign, cluster, tmp_path):
    shutil.copy(OLD, tmp_path / "old.tlv")
    words = ["update", "old.tlv", "-o", "out.tlv", *words_of(KEY, (tmp_path, cluster))[0], "--remove", "role=CAPF",
             "--timestamp", lists.TIME + 7]
    dry = answer(ctlsign.ok(*words, "-n", "--json", cwd=tmp_path), "update")
    assert not (tmp_path / "out.tlv").exists()
    done = answer(ctlsign.ok(*words, "--json", cwd=tmp_path), "update")
    assert dry["written"] is False and dry["md5"] is None and dry["sha1"] is None
    assert done["written"] is True and len(done["md5"]) == 32
    rest = {"written", "md5", "sha1"}
    assert {k: v for k, v in dry.items() if k not in rest} == {k: v for k, v in done.items() if k not in rest}


def spoilt(value):
    """The value with one thing changed, for every thing in it."""
    if isinstance(value, dict):
        yield {**value, "unheard-of": 1}
        for key in value:
            yield {k: v for k, v in value.items() if k != key}
            for other in spoilt(value[key]):
                yield {**value, key: other}
    elif isinstance(value, list):
        if value:
            for other in spoilt(value[0]):
                yield [other, *value[1:]]
        yield {}
    else:
        yield {"not": "this"}


OPTIONAL = {"bytes", "output", "signer", "error", "uri", "record", "value"}


@pytest.mark.parametrize("words", [["verify", "--trust", "self", OLD], ["accept", "--installed", OLD, NEW],
                                   ["diff", OLD, NEW], ["identify", "45627437aa83f931627e06ab3387063d", OLD],
                                   ["expiry", OLD]], ids=lambda words: words[0])
def test_a_change_of_the_output_breaks_its_schema(ctlsign, words):
    """No schema is so lax that a renamed, missing, added or retyped member passes."""
    value = answer(ctlsign(*words, "--json"), words[0])
    count = 0
    for other in spoilt(copy.deepcopy(value)):
        assert schema.complaints(words[0], json.dumps(other)), json.dumps(other)[:600]
        count += 1
    assert count >= 10


@pytest.fixture
def desk(cluster, tmp_path):
    """Good and bad input by name."""
    folder = tmp_path / "desk"
    folder.mkdir()
    for name, source in (("old", OLD), ("new", NEW)):
        shutil.copy(source, folder / f"{name}.tlv")
    whole = OLD.read_bytes()
    (folder / "cut.tlv").write_bytes(whole[:2600])
    (folder / "changed.tlv").write_bytes(whole[:3000] + bytes([whole[3000] ^ 1]) + whole[3001:])
    (folder / "empty.tlv").write_bytes(b"")
    (folder / "phone.xml").write_text("<device/>")
    (folder / "history").mkdir()
    shutil.copy(OLD, folder / "history")
    lists.manifest(cluster)
    return folder, cluster


def words_of(line, desk):
    folder, cluster = desk
    return [word.replace("%", str(cluster)) if "%" in word else word for word in line.split()], folder


KEY = "-k %/pub.key --cert %/pub.pem"
YES, NO, BAD = 0, 1, 3


@pytest.mark.parametrize("status, printed, line", [
    (YES, True, f"build -o out.tlv -m %/cluster.yaml --timestamp {lists.TIME}"),
    (NO, False, f"build -o new.tlv -m %/cluster.yaml --timestamp {lists.TIME}"),
    (2, False, "build -o out.tlv"), (BAD, False, "build -o out.tlv -m none.yaml"),
    (YES, True, f"update old.tlv -o out.tlv {KEY} --remove role=CAPF"),
    (YES, True, f"update old.tlv -n {KEY} --remove role=CAPF"),
    (NO, True, "update old.tlv -n -k %/pub-regenerated.key --cert %/pub-regenerated.pem --replace %/pub-regenerated.pem"
     " --trust %/pub.pem"),
    (NO, False, f"update changed.tlv -o out.tlv {KEY}"), (4, False, f"update old.tlv -n {KEY} --remove role=TVS"),
    (5, False, f"update old.tlv -n {KEY} --remove role=CCM+TFTP"),
    (YES, True, "extract old.tlv -o x"), (BAD, False, "extract cut.tlv -o x"),
    (YES, True, "show old.tlv"), (NO, True, "show changed.tlv"), (BAD, True, "show cut.tlv"), (BAD, True, "show empty.tlv"),
    (BAD, False, "show none.tlv"),
    (YES, True, "verify --trust self old.tlv"), (NO, True, "verify old.tlv"), (NO, True, "verify changed.tlv"),
    (BAD, False, "verify cut.tlv"),
    (YES, True, "accept --installed old.tlv old.tlv"), (NO, True, "accept --installed old.tlv new.tlv"),
    (YES, True, "accept --installed-dir history old.tlv"), (NO, True, "accept --installed-dir history new.tlv"),
    (BAD, False, "accept --installed cut.tlv old.tlv"),
    (YES, True, "diff old.tlv old.tlv"), (NO, True, "diff old.tlv new.tlv"), (BAD, False, "diff old.tlv cut.tlv"),
    (YES, True, "identify 45627437aa83f931627e06ab3387063d old.tlv"), (NO, True, "identify 00112233 old.tlv"),
    (2, False, "identify xyz old.tlv"),
    (YES, True, "expiry old.tlv new.tlv"), (NO, True, "expiry --within 99999d old.tlv"), (BAD, False, "expiry none.tlv"),
    (YES, True, "plan old.tlv old.tlv --release 10.5"), (NO, True, "plan old.tlv new.tlv --release 10.5"),
    (BAD, False, "plan old.tlv cut.tlv --release 10.5"),
    (YES, True, "migrate to-tokens --release 10.5 -k %/SAST-ADN008580ef.key --cert %/SAST-ADN008580ef.pem --sast"
     " %/SAST-ADN0054f509.pem --unproven-sast --old-key %/pub.key --old-cert %/pub.pem -o folder old.tlv"),
    (NO, False, "migrate to-tokens --release 10.5 -k %/SAST-ADN008580ef.key --cert %/SAST-ADN008580ef.pem --sast"
     " %/SAST-ADN0054f509.pem --unproven-sast --trust %/pub.pem -o folder old.tlv"),
    (YES, True, "export --from new.tlv --trust %/SAST-ADN008580ef.pem -o up"), (BAD, False, "export --from cut.tlv -o up"),
    (YES, True, f"config sign {KEY} phone.xml"), (BAD, True, f"config sign {KEY} phone.xml none.xml"),
    (NO, True, "config verify --trust old.tlv changed.sgn"), (2, False, "config verify"),
    (2, False, "verify"), (2, False, "show --unheard-of"),
])
def test_what_is_printed_when(ctlsign, desk, status, printed, line):
    words, folder = words_of(line, desk)
    if "changed.sgn" in line:
        ctlsign.ok("config", "sign", *words_of(KEY, desk)[0], "phone.xml", cwd=folder)
        data = (folder / "phone.xml.sgn").read_bytes()
        (folder / "changed.sgn").write_bytes(data[:-1] + b"!")
    run = ctlsign(*words, "--json", cwd=folder)
    assert run.status == status, str(run)
    if printed:
        answer(run, words[0])
    else:
        assert run.out == "", str(run)
        assert run.errors, str(run)


@pytest.mark.skipif(SANITIZED, reason="once, with the release build")
def test_tokens_and_what_they_export(ctlsign, lab, tmp_path):
    module = ["--module", lab.module, "--json"]
    value = answer(ctlsign.ok("tokens", "--list", NEW, *module, env=lab.env), "tokens")
    named = [token for token in value["tokens"] if token["certificates"]]
    assert len(named) == 2 and all(token["certificates"][0]["in_list"]["sast"] for token in named)
    run = ctlsign.ok("export", "--prove", "-o", tmp_path / "up", "pkcs11:token=SAST-ADN008580ef", *module,
                     "--pin-source", f"file:{lab.pin_file}", env=lab.env)
    assert answer(run, "export")["exported"][0]["proof"]["file"] == "SAST-ADN008580ef.proof"
    assert ctlsign.refused(4, "tokens", "pkcs11:token=none", *module, env=lab.env).out == ""
    assert answer(ctlsign("doctor", *module, env=lab.env), "doctor")["checks"]


def test_texts_that_are_no_utf8(ctlsign, signer, tmp_path):
    """null, and their bytes beside them: in the schema as in the output."""
    key, cert = signer("rsa1024", "abc")
    path = tmp_path / "CTLFile.tlv"
    ctlsign.ok("build", "-o", path, "--sast", f"{cert},name=node", "-k", key, "--cert", cert, "--timestamp", lists.TIME)
    path.write_bytes(path.read_bytes().replace(b"node\x00", b"no\xff\xfe\x00"))
    value = answer(ctlsign("show", "--json", path), "show")
    assert value["records"][0]["dns_name"] is None and value["records"][0]["dns_name_hex"] == "6e6ffffe"


def test_the_runner_looks(ctlsign, monkeypatch):
    """Every JSON of every test is held against its schema: one that is wrong fails there."""
    monkeypatch.setitem(schema.FILES, "verify", {"$id": "x", "type": "array"})
    for validators in (schema.validator, schema.quick):
        monkeypatch.setattr(schema, validators.__name__, validators.__wrapped__)
    with pytest.raises(AssertionError, match="is not of type 'array'"):
        ctlsign("verify", OLD, "--json")
