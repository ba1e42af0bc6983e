/* SPDX-License-Identifier: Apache-2.0 */
#include "tlv/safe.h"

/*
 * Ranges of code points, ascending: controls, and from Unicode's general
 * categories Cf, Zl and Zp all that is invisible.
 */
static const struct {
	uint32_t first, last;
} unsafe[] = {
	{ 0x0000, 0x001f },   /* C0 */
	{ 0x007f, 0x009f },   /* DEL, C1 */
	{ 0x00ad, 0x00ad },   /* soft hyphen */
	{ 0x061c, 0x061c },   /* Arabic letter mark: turns text */
	{ 0x180e, 0x180e },   /* Mongolian vowel separator */
	{ 0x200b, 0x200f },   /* no width; joiners; left-to-right and right-to-left mark */
	{ 0x2028, 0x202e },   /* line, paragraph; embeddings and overrides turn text */
	{ 0x2060, 0x206f },   /* word joiner, invisible operators; isolates turn text */
	{ 0xfeff, 0xfeff },   /* byte order mark */
	{ 0xfff9, 0xfffb },   /* annotations */
	{ 0x13430, 0x1345f }, /* hieroglyph format controls */
	{ 0x1bca0, 0x1bca3 }, /* shorthand format controls */
	{ 0x1d173, 0x1d17a }, /* musical format controls */
	{ 0xe0000, 0xe0fff }, /* tags, invisible selectors */
};

static uint32_t code_point(struct span c)
{
	static const uint8_t mask[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t v = (uint32_t)span_at(c, 0) & mask[c.n];

	for (size_t i = 1; i < c.n; i++)
		v = v << 6 | ((uint32_t)span_at(c, i) & 0x3f);
	return v;
}

static bool is_unsafe(uint32_t v)
{
	for (size_t i = 0; i < COUNT(unsafe); i++)
		if (v >= unsafe[i].first && v <= unsafe[i].last)
			return true;
	return false;
}

size_t safe_character(struct span text)
{
	for (size_t n = 1; n <= 4 && n <= text.n; n++) {
		struct span c = span_slice(text, 0, n);

		if (span_is_utf8(c))
			return is_unsafe(code_point(c)) ? 0 : n;
	}
	return 0;
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
