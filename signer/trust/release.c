/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/trust/release.h"

#include <stdlib.h>
#include <string.h>

#include "tlv/kind.h"

#define VERSION(major, minor, maintenance) ((major)*1000000U + (minor)*1000U + (maintenance))

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

/* A number of at most three digits in front; false if there is none. */
static bool take_number(const char **p, unsigned *out)
{
	const char *start = *p;

	*out = 0;
	while (**p >= '0' && **p <= '9' && *p - start < 3)
		*out = *out * 10 + (unsigned)(*(*p)++ - '0');
	return *p > start;
}

/* "(2)", ".2", "SU3" or "(1)SU3" behind major and minor. */
static bool take_rest(const char *p, unsigned *maintenance)
{
	unsigned n = 0, su = 0;
	bool bracket = *p == '(';

	*maintenance = 0;
	if (bracket || *p == '.') {
		p++;
		if (!take_number(&p, &n) || (bracket && *p++ != ')'))
			return false;
	}
	if (strncasecmp(p, "su", 2) == 0) {
		p += 2;
		if (!take_number(&p, &su) || su > 8)
			return false;
	}
	*maintenance = n < SU ? n + su * SU : SU - 1;
	return *p == '\0';
}

enum status release_parse(const char *text, struct release *out, struct tlv_err *e)
{
	const char *p = text;
	unsigned major = 0, minor = 0, maintenance = 0, version;
	bool ok = take_number(&p, &major);

	if (ok && *p == '.') {
		p++;
		ok = take_number(&p, &minor);
	}
	ok = ok && take_rest(p, &maintenance);
	version = VERSION(major, minor, maintenance);
	if (!ok || version < VERSION(9, 1, 0))
		return err_set(
			e, ST_USAGE,
			"option '--release': '%s' is no CUCM release from 9.1 on: '10.5(2)', '12.5', '14SU3'",
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
	bool token, itlrecovery, other; /* SAST records */
	bool signed_by_itlrecovery, signed_by_token;
};

static struct signs read_signs(const struct tlv_list *l)
{
	struct signs s = { .token = false };
	long signer = tlv_list_signer(l);

	for (size_t i = 0; i < l->nrecords; i++) {
		struct tlv_record r = tlv_list_record(l, i);
		bool token = tlv_record_is_token(&r);
		bool recovery = tlv_record_is_itlrecovery(&r);

		if (!tlv_record_is(&r, TLV_ROLE_SAST))
			continue;
		s.token |= token;
		s.itlrecovery |= recovery;
		s.other |= !token && !recovery;
		s.signed_by_token |= token && (long)i == signer;
		s.signed_by_itlrecovery |= recovery && (long)i == signer;
	}
	return s;
}

static bool fits(const struct release *row, const struct signs *s)
{
	if (s->signed_by_token)
		return row->tokens && row->token_anchors == (s->itlrecovery || s->other);
	return row->tokenless && row->itlrecovery == s->itlrecovery &&
	       (row->signer == RELEASE_ITLRECOVERY) == s->signed_by_itlrecovery;
}

/*
 * Rows that differ in the use of tokens alone look alike in a tokenless list:
 * the first of them is the careful guess.
 */
bool release_derive(const struct tlv_list *l, struct release *out)
{
	struct signs s = read_signs(l);
	int found = 0;

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
