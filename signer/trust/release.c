/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/trust/release.h"

#include <stdlib.h>
#include <string.h>

#include "tlv/kind.h"

#define VERSION(major, minor, maintenance) (10000000U * (major) + 100000U * (minor) + (maintenance))

static const struct release rows[] = {
#define RELEASE(major, minor, maintenance, name, ctl_client, tokens, tokenless, itlrecovery, \
		signer, itl_signer, token_anchors) \
	{ VERSION(major, minor, maintenance), \
	  name, \
	  ctl_client, \
	  tokens, \
	  tokenless, \
	  itlrecovery, \
	  RELEASE_##signer, \
	  RELEASE_##itl_signer, \
	  token_anchors },
#include "signer/trust/releases.def"
#undef RELEASE
};

enum {
	ROWS = COUNT(rows),
	SU = 100 /* a service update counts as so much maintenance */
};

bool release_has_one_itlrecovery(const struct release *r)
{
	return r->version >= VERSION(12, 5, 0);
}

/* A number of at most so many digits in front; false if there is none. */
static bool take_number(const char **p, int digits, unsigned *out)
{
	const char *start = *p;

	*out = 0;
	while (**p >= '0' && **p <= '9' && *p - start < digits)
		*out = *out * 10 + (unsigned)(*(*p)++ - '0');
	return *p > start;
}

static void skip_blanks(const char **p)
{
	*p += strspn(*p, " \t");
}

/* "(5b)", "SU8a": a letter is a correction of the same. */
static void skip_letter(const char **p)
{
	if (strchr("abc", **p) != NULL && **p != '\0')
		(*p)++;
}

/* "(2)" or ".2" behind major and minor. */
static bool take_maintenance(const char **p, unsigned *n)
{
	bool bracket = **p == '(';

	*n = 0;
	if (!bracket && **p != '.')
		return true;
	(*p)++;
	if (!take_number(p, 3, n))
		return false;
	if (!bracket)
		return true;
	skip_letter(p);
	if (**p != ')')
		return false;
	(*p)++;
	return true;
}

/* "SU3", "su 3a" */
static bool take_update(const char **p, unsigned *su)
{
	*su = 0;
	skip_blanks(p);
	if (strncasecmp(*p, "su", 2) != 0)
		return true;
	*p += 2;
	skip_blanks(p);
	if (!take_number(p, 2, su))
		return false;
	skip_letter(p);
	return true;
}

/*
 * ".13900-155", as CUCM itself prints it: build 13900 is service update 3, and what
 * is below 13900 came before it. Source: docs/CLUSTER.md, "Releases".
 */
static bool take_build(const char **p, unsigned *su)
{
	unsigned build = 0, number;

	if (**p != '.')
		return true;
	(*p)++;
	if (!take_number(p, 5, &build) || build < 10000)
		return false;
	*su = build < 11900 ? 0 : (build - 10900) / 1000;
	if (**p != '-')
		return true;
	(*p)++;
	return take_number(p, 4, &number);
}

/* All behind major and minor. */
static bool take_rest(const char **p, unsigned *maintenance)
{
	unsigned n = 0, su = 0;
	bool ok =
		take_maintenance(p, &n) && (**p == '.' ? take_build(p, &su) : take_update(p, &su));

	*maintenance = (n < SU ? n : SU - 1) + su * SU;
	return ok;
}

/* "System version: 12.5.1.11900-146", "CUCM 14SU3": what stands in front says nothing. */
static void skip_words(const char **p)
{
	const char *colon = strrchr(*p, ':');

	if (colon != NULL)
		*p = colon + 1;
	skip_blanks(p);
	if (strncasecmp(*p, "CUCM ", 5) == 0)
		*p += 5;
	skip_blanks(p);
}

static bool read_version(const char *p, unsigned *version)
{
	unsigned major = 0, minor = 0, maintenance = 0;
	bool ok;

	skip_words(&p);
	ok = take_number(&p, 2, &major);
	if (ok && *p == '.') {
		p++;
		ok = take_number(&p, 2, &minor);
	}
	ok = ok && take_rest(&p, &maintenance);
	skip_blanks(&p);
	*version = VERSION(major, minor, maintenance);
	return ok && *p == '\0';
}

enum status release_parse(const char *text, struct release *out, struct tlv_err *e)
{
	unsigned version = 0;

	if (!read_version(text, &version) || version < VERSION(9, 1, 0))
		return err_set(
			e, ST_USAGE,
			"option '--release': '%s' is no CUCM release from 9.1 on: '10.5(2)', '12.5.1.11900-146', '14SU3'",
			text);
	*out = rows[0];
	for (int i = 1; i < ROWS; i++)
		if (version >= rows[i].version)
			*out = rows[i];
	out->version = version;
	out->name = text;
	return ST_OK;
}

/* What a list shows of the columns of the table. */
struct signs {
	bool itlrecovery; /* is an anchor */
	bool has_signer, signed_by_itlrecovery, signed_by_token;
};

static struct signs read_signs(const struct tlv_list *l)
{
	struct signs s = { .itlrecovery = false };
	long signer = tlv_list_signer(l);
	struct tlv_record r;

	for (size_t i = 0; i < l->nrecords; i++) {
		r = tlv_list_record(l, i);
		s.itlrecovery |= tlv_record_is(&r, TLV_ROLE_SAST) && tlv_record_is_itlrecovery(&r);
	}
	if (signer < 0)
		return s;
	r = tlv_list_record(l, (size_t)signer);
	s.has_signer = true;
	s.signed_by_token = tlv_record_is_token(&r);
	s.signed_by_itlrecovery = tlv_record_is_itlrecovery(&r);
	return s;
}

enum release_signer release_signer_of(const struct release *r, const struct tlv_list *l)
{
	return tlv_list_is_itl(l) ? r->itl_signer : r->signer;
}

bool release_is_unlike(const struct release *r, const struct tlv_list *l)
{
	enum release_signer who = release_signer_of(r, l);
	struct signs s = read_signs(l);

	if (!s.has_signer || s.signed_by_token)
		return false;
	return who == RELEASE_NOBODY || s.signed_by_itlrecovery != (who == RELEASE_ITLRECOVERY);
}

static bool fits(const struct release *row, const struct signs *s)
{
	return row->tokenless && row->itlrecovery == s->itlrecovery &&
	       (row->signer == RELEASE_ITLRECOVERY) == s->signed_by_itlrecovery;
}

/*
 * Rows that differ in the use of tokens alone look alike in a tokenless list:
 * the first of them is the careful guess. Several releases write each look of a list that tokens
 * sign.
 */
bool release_derive(const struct tlv_list *l, struct release *out)
{
	struct signs s = read_signs(l);
	int found = 0;

	if (s.signed_by_token)
		return false;
	for (int i = 0; i < ROWS; i++) {
		if (!fits(&rows[i], &s))
			continue;
		if (found++ == 0)
			*out = rows[i];
	}
	return found == 1 || (found > 1 && s.signed_by_itlrecovery);
}

enum status release_choose(const char *option, const struct tlv_list *l, struct release *out,
			   struct tlv_err *e)
{
	if (option != NULL)
		return release_parse(option, out, e);
	if (release_derive(l, out))
		return ST_OK;
	return err_set(
		e, ST_USAGE,
		"the list does not tell which CUCM release it is for: say --release, such as 10.5, 11.5 or 12.5");
}
