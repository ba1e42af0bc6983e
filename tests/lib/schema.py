# SPDX-License-Identifier: Apache-2.0
"""What --json may print: docs/schema, one file per verb."""
import functools
import json
import pathlib

import fastjsonschema

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "docs" / "schema"
LARGE = 4 << 20  # characters; beyond, a list of thousands of records takes longer than it tells

FILES = {path.stem: json.loads(path.read_text(encoding="ascii")) for path in sorted(FOLDER.glob("*.json"))}
_STORE = {schema["$id"]: schema for schema in FILES.values()}


@functools.cache
def validator(verb):
    """The validator of a verb's output; references between the files stay on this machine."""
    import jsonschema  # which takes as long as all of a test file's other imports, and is seldom asked
    schema = FILES[verb]
    resolver = jsonschema.RefResolver(schema["$id"], schema, store=_STORE,
                                      handlers={"https": None, "http": None})
    return jsonschema.Draft202012Validator(schema, resolver=resolver)


@functools.cache
def quick(verb):
    """The same, compiled: it is five times as fast, but names the first fault only.

    It knows drafts up to 7. What our schemas use means the same there (test_json sees to it).
    """
    return fastjsonschema.compile(FILES[verb], handlers={"https": _STORE.__getitem__})


def no_repeats(pairs):
    """For json.loads: a name that stands twice in an object."""
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise ValueError(f"a name stands twice: {names}")
    return dict(pairs)


def complaints(verb, text):
    """What is wrong with the text as output of the verb; [] where it is valid."""
    try:
        value = json.loads(text, object_pairs_hook=no_repeats)
    except ValueError as error:
        return [f"no JSON: {error}"]
    try:
        quick(verb)(value)
        return []
    except fastjsonschema.JsonSchemaValueException:
        pass  # which is told better below
    return [f"{error.json_path}: {error.message[:120]} [...] {error.message[-120:]}"
            for error in validator(verb).iter_errors(value)]
