/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a list or a signed file is worth. Nobody can write "good" down: a verdict
 * is made here alone, of the findings themselves, and nothing else is one.
 */
#ifndef CTL_VERDICT_H
#define CTL_VERDICT_H

#include "tlv/findings.h"

/* Only verdict.c looks inside; all zero is bad. */
struct verdict {
	unsigned char word;
};

/*
 * Good: no error among the findings (listed or not), the signature verified, and
 * somebody who is trusted made it. Untrusted: the same, but nobody vouches for who
 * made it. Bad: all else; findings NULL, or out of memory, too. What counts as an
 * error is what tlv_find() counted as one, by the lenience of these findings.
 */
struct verdict verdict_make(const struct tlv_findings *findings, bool verified, bool trusted);

bool verdict_is_good(struct verdict v);
bool verdict_is_untrusted(struct verdict v);
bool verdict_is_bad(struct verdict v);

/* "good", "untrusted", "bad" */
const char *verdict_text(struct verdict v);

#endif
