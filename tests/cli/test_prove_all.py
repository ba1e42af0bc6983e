# SPDX-License-Identifier: Apache-2.0
"""scripts/prove as a whole, and a fault in each part that is an alarm (docs/PROOF.md)."""
import pytest

from test_prove import needs_frama_c, plant, prove

# A fault that somebody could make, and the file where Eva sees it. Some are seen where a span is used, or where the
# harness looks whether its bytes are there.
FAULTS = [
    # A fifth TVS is written behind the four that an answer shows.
    ("tvs", "signer/trust/tvs.c", "if (n < TVS_NODES_SHOWN)", "if (n <= TVS_NODES_SHOWN)",
     "signer/trust/tvs.c"),
    # A phone has no such list.
    ("own", "signer/trust/own.c", "if (held == NULL || !(", "if (!(", "signer/trust/own.c"),
    # The record of nobody.
    ("signature", "signer/trust/signature.c", "return signer >= 0 && signature_is_by(", "return signature_is_by(",
     "tests/prove/signature.c"),
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
]


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
