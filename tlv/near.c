/* SPDX-License-Identifier: Apache-2.0 */
#include "tlv/near.h"

#include <stdint.h>
#include <string.h>

enum {
	WORD_MAX = 32, /* letters of a word that may be near another, and its NUL */
	EDITS_MAX = 3, /* beyond that it is another word */
	BEGUN_MIN = 2  /* letters that say which word was begun */
};

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/*
 * Letters put in, left out, exchanged, and two neighbours swapped, each once
 * (Damerau's distance, restricted); words beyond 31 letters are never near.
 */
static size_t distance(const char *a, const char *b)
{
	size_t d[WORD_MAX][WORD_MAX] = { { 0 } }, na = strlen(a), nb = strlen(b);

	if (na >= WORD_MAX || nb >= WORD_MAX)
		return SIZE_MAX;
	for (size_t i = 1; i <= na; i++)
		d[i][0] = i;
	for (size_t j = 1; j <= nb; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= na; i++) {
		for (size_t j = 1; j <= nb; j++) {
			d[i][j] = min3(d[i - 1][j] + 1, d[i][j - 1] + 1,
				       d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    d[i][j] > d[i - 2][j - 2] + 1)
				d[i][j] = d[i - 2][j - 2] + 1;
		}
	}
	return d[na][nb];
}

/* A word that begins a candidate is no slip for another one. */
static size_t count_begun(const char *word, const char *const *candidates, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n && strlen(word) >= BEGUN_MIN; i++)
		count += strncmp(candidates[i], word, strlen(word)) == 0;
	return count;
}

const char *near_word(const char *word, const char *const *candidates, size_t n)
{
	size_t begun = count_begun(word, candidates, n);
	/* About a third of the letters may be wrong. */
	size_t allowed = (strlen(word) + 1) / 3;
	size_t nearest = (allowed < EDITS_MAX ? allowed : EDITS_MAX) + 1;
	const char *best = NULL;

	for (size_t i = 0; i < n; i++) {
		size_t d = distance(word, candidates[i]);

		if (begun > 0 && strncmp(candidates[i], word, strlen(word)) != 0)
			continue;
		if (d < nearest || begun == 1) {
			best = candidates[i];
			nearest = d;
		}
	}
	return best;
}
