/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/trust/verdict.h"

enum { BAD, UNTRUSTED, GOOD };

struct verdict verdict_make(const struct tlv_findings *findings, bool verified, bool trusted)
{
	if (findings == NULL || findings->nomem || findings->errors > 0 || !verified)
		return (struct verdict){ BAD };
	return (struct verdict){ trusted ? GOOD : UNTRUSTED };
}

bool verdict_is_good(struct verdict v)
{
	return v.word == GOOD;
}

bool verdict_is_untrusted(struct verdict v)
{
	return v.word == UNTRUSTED;
}

bool verdict_is_bad(struct verdict v)
{
	return !verdict_is_good(v) && !verdict_is_untrusted(v);
}

const char *verdict_text(struct verdict v)
{
	if (verdict_is_good(v))
		return "good";
	return verdict_is_untrusted(v) ? "untrusted" : "bad";
}
