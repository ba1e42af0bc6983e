/* SPDX-License-Identifier: Apache-2.0 */
#include "tlv/safe.h"

#include "tlv/utf8.h"

size_t safe_character(struct span text)
{
	return utf8_visible(text.p, text.n);
}

void safe_text(struct buf *b, struct span text)
{
	while (text.n > 0) {
		size_t n = safe_character(text);

		if (n == 0)
			buf_printf(b, "\\x%02x", (unsigned)span_at(text, 0));
		else
			buf_put(b, span_slice(text, 0, n));
		text = span_slice(text, n == 0 ? 1 : n, text.n);
	}
}
