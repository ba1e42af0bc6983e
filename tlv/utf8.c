/* SPDX-License-Identifier: Apache-2.0 */
#include "tlv/utf8.h"

#include <stdbool.h>

#include "tlv/bytes.h"

/* Bytes of the well-formed sequence in front (RFC 3629), 0 if there is none. */
size_t utf8_character(const uint8_t *p, size_t n)
{
	static const struct {
		uint8_t first, last, low, high; /* of the lead byte, of the second byte */
		size_t n;
	} forms[] = {
		{ 0x00, 0x7f, 0x00, 0x00, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	if (n == 0)
		return 0;
	for (size_t f = 0; f < COUNT(forms); f++) {
		if (p[0] < forms[f].first || p[0] > forms[f].last)
			continue;
		if (n < forms[f].n)
			return 0;
		if (forms[f].n > 1 && (p[1] < forms[f].low || p[1] > forms[f].high))
			return 0;
		for (size_t i = 2; i < forms[f].n; i++)
			if ((p[i] & 0xc0U) != 0x80)
				return 0;
		return forms[f].n;
	}
	return 0;
}

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
	{ 0xfffe, 0xffff },   /* no characters: YAML and XML refuse them */
	{ 0x13430, 0x1345f }, /* hieroglyph format controls */
	{ 0x1bca0, 0x1bca3 }, /* shorthand format controls */
	{ 0x1d173, 0x1d17a }, /* musical format controls */
	{ 0xe0000, 0xe0fff }, /* tags, invisible selectors */
};

uint32_t utf8_code_point(const uint8_t *p, size_t n)
{
	static const uint8_t mask[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t v = (uint32_t)p[0] & mask[n];

	for (size_t i = 1; i < n; i++)
		v = v << 6 | ((uint32_t)p[i] & 0x3f);
	return v;
}

static bool is_unsafe(uint32_t v)
{
	for (size_t i = 0; i < COUNT(unsafe); i++)
		if (v >= unsafe[i].first && v <= unsafe[i].last)
			return true;
	return false;
}

size_t utf8_visible(const uint8_t *p, size_t n)
{
	n = utf8_character(p, n);
	return n == 0 || is_unsafe(utf8_code_point(p, n)) ? 0 : n;
}
