/* SPDX-License-Identifier: Apache-2.0 */
#include "tlv/text.h"

bool parse_number(const char *text, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		v = v * 10 + (uint64_t)(*text - '0');
		if (v > max)
			return false;
	}
	*out = v;
	return true;
}

bool parse_ipv4(const char *text, uint8_t out[4])
{
	for (int i = 0; i < 4; i++) {
		unsigned v = 0, digits = 0;

		for (; *text >= '0' && *text <= '9' && digits < 4; text++, digits++) {
			if (digits == 1 && v == 0)
				return false;
			v = v * 10 + (unsigned)(*text - '0');
		}
		if (digits == 0 || v > 255 || *text != (i < 3 ? '.' : '\0'))
			return false;
		text += i < 3;
		out[i] = (uint8_t)v;
	}
	return true;
}
