/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/plan/forecast/node_name.h"

#include "tlv/text.h"

/* "cucm-pub" of "cucm-pub.example.com"; an address stays whole. */
static struct span short_name(struct span name)
{
	for (size_t i = 0; !span_is_dotted(name) && i < name.n; i++)
		if (span_at(name, i) == '.')
			return span_slice(name, 0, i);
	return name;
}

bool node_name_same(struct span a, struct span b)
{
	a = short_name(a);
	b = short_name(b);
	return a.n > 0 && a.n == b.n && span_starts_nocase(a, b);
}
