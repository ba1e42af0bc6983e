# SPDX-License-Identifier: Apache-2.0
"""scripts/prove as a whole, and a fault in each part that is an alarm (docs/PROOF.md)."""
import shutil

import pytest

from test_prove import ROOT, needs_frama_c, prove

# A fault that somebody could make, and the file where Eva sees it. Some are seen where a span is used, or where the
# harness looks whether its bytes are there.
FAULTS = [
    # One container more than there is room for.
    ("reader", "tlv/reader.c", "w->depth == TLV_DEPTH_MAX", "w->depth > TLV_DEPTH_MAX", "tlv/reader.c"),
    # The byte behind the last one.
    ("bytes", "tlv/bytes.c", "return i < s.n ? s.p[i] : -1;", "return i <= s.n ? s.p[i] : -1;", "tlv/bytes.c"),
    # Tag 32 is a shift of 32 bits, tag 99 one of 99.
    ("header", "tlv/header.c", "if (f->tag >= 32)", "if (f->tag > 32)", "tlv/header.c"),
    ("record", "tlv/record.c", "r->repeated |= BIT(f->row->number)", "r->repeated |= BIT(f->tag)", "tlv/record.c"),
    # Memory that nobody asked for.
    ("list", "tlv/list.c", "if (!ARRAY_ROOM(l->record_at, l->nrecords, l->cap))", "if (l->nrecords > l->bytes.n)",
     "tlv/list.c"),
    # A fifth TVS is written behind the four that an answer shows.
    ("tvs", "signer/trust/tvs.c", "if (n < TVS_NODES_SHOWN)", "if (n <= TVS_NODES_SHOWN)",
     "signer/trust/tvs.c"),
    # Elements that answers do not have may have any number.
    ("tvs_message", "signer/trust/tvs_message.c", "if (tvs_tag_is_answer(tag) && (seen", "if ((seen",
     "signer/trust/tvs_message.c"),
    # A phone has no such list.
    ("own", "signer/trust/own.c", "if (held == NULL || !(", "if (!(", "signer/trust/own.c"),
    # The record of nobody.
    ("signature", "signer/trust/signature.c", "if (signer < 0 || !can_be_checked(", "if (!can_be_checked(",
     "tests/prove/any_of_list.c"),
    # Whose TVS answered: nobody was asked.
    ("verdict", "signer/trust/accept.c", "tvs->heard && heard->own != NULL", "heard->own != NULL",
     "signer/trust/accept.c"),
    # A length that nobody compares with what is left.
    ("der", "tlv/der.c", "out->raw = span_slice(c->rest, 0, at.at - c->at);",
     "out->raw = span_of(c->rest.p, at.at - c->at);", "tests/prove/any.c"),
    ("cert", "tlv/cert.c", "&serial) || serial.value.n == 0", "&serial) && serial.value.n == 0", "tlv/cert.c"),
    # The days of a thirteenth month.
    ("usual", "signer/crypto/usual.c", "month > 12", "month > 13", "signer/crypto/usual.c"),
    # What was never read is freed.
    ("wire", "pkcs11/shared/wire.c", "*out = (struct tok_cert){ .uri = NULL };", "", "pkcs11/shared/info.c"),
    ("net", "signer/net/shared/wire.c", "!cursor_u32(c, &high) || !cursor_u32", "!cursor_u32(c, &high) && !cursor_u32",
     "signer/net/shared/wire.c"),
    # Nobody wrote what stands behind the digits.
    ("text", "signer/text/row.c", 'char digits[24] = "";', "char digits[24];", "tlv/text.c"),
]


def plant(root, file, sound, fault):
    """A copy of what is proven, with one fault in it."""
    for folder in ("tlv", "pkcs11", "signer", "scripts", "tests/prove"):
        shutil.copytree(ROOT / folder, root / folder)
    source = (root / file).read_text()
    assert source.count(sound) == 1
    (root / file).write_text(source.replace(sound, fault))


def test_each_part_has_its_fault():
    assert sorted(row[0] for row in FAULTS) == sorted(prove("-l").stdout.split())


@needs_frama_c
@pytest.mark.parametrize("part, file, sound, fault, seen", FAULTS, ids=[row[0] for row in FAULTS])
def test_a_fault_in_each_part_is_an_alarm(tmp_path, part, file, sound, fault, seen):
    plant(tmp_path, file, sound, fault)
    said = prove(part, root=tmp_path)
    assert said.returncode == 1
    assert f"  {seen}:" in said.stdout


@needs_frama_c
def test_all_is_proven_and_each_statement_is_reached_or_has_its_reason():
    said = prove()
    assert said.returncode == 0, said.stdout + said.stderr
