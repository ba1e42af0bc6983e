/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/list/selector.h"

#include <stdlib.h>
#include <string.h>

#include "signer/crypto/cert.h"
#include "tlv/text.h"

typedef bool match_fn(const struct tlv_record *r, size_t number, const char *value);

static bool match_role(const struct tlv_record *r, size_t number, const char *value)
{
	const struct tlv_role_row *role = tlv_role_by_text(value);

	(void)number;
	return role != NULL && tlv_record_has(r, TLV_R_FUNCTION) && r->role == role->number;
}

static bool match_name(const struct tlv_record *r, size_t number, const char *value)
{
	(void)number;
	return span_eq(tlv_text(r->dns_name), span_str(value));
}

static bool match_address(const struct tlv_record *r, size_t number, const char *value)
{
	uint8_t address[4];

	(void)number;
	return parse_ipv4(value, address) && span_eq(r->address, span_of(address, 4));
}

static bool match_cn(const struct tlv_record *r, size_t number, const char *value)
{
	struct buf cn = BUF_INIT;
	struct tlv_cert c;
	struct span s;
	bool same = false;

	(void)number;
	if (tlv_cert_walk(r->certificate, &c, NULL) == ST_OK && tlv_name_cn(c.subject, &cn)) {
		s = span_trim_end(buf_span(&cn)); /* a token's padding is nobody's name */
		same = span_eq(s, span_str(value)) || span_eq(buf_span(&cn), span_str(value));
	}
	buf_free(&cn);
	return same;
}

/* Hex with or without colons, in any case; false if it is none. */
static bool read_hex(const char *text, struct buf *out)
{
	return hex_parse(span_str(text), ":", out) == HEX_OK && out->n > 0 &&
	       buf_failed(out, NULL) == ST_OK;
}

static bool match_serial(const struct tlv_record *r, size_t number, const char *value)
{
	struct buf serial = BUF_INIT;
	bool same = read_hex(value, &serial) && (span_eq(r->serial, buf_span(&serial)) ||
						 span_eq_reversed(r->serial, buf_span(&serial)));

	(void)number;
	buf_free(&serial);
	return same;
}

static bool match_sha1(const struct tlv_record *r, size_t number, const char *value)
{
	struct buf wanted = BUF_INIT;
	uint8_t sha1[20];
	bool same = r->certificate.n > 0 && read_hex(value, &wanted) &&
		    cert_sha1(r->certificate, sha1, NULL) == ST_OK &&
		    span_eq(span_of(sha1, sizeof sha1), buf_span(&wanted));

	(void)number;
	buf_free(&wanted);
	return same;
}

static bool match_number(const struct tlv_record *r, size_t number, const char *value)
{
	uint64_t wanted;

	(void)r;
	return parse_number(value, SIZE_MAX, &wanted) && wanted == number;
}

static const struct {
	const char *key;
	match_fn *match;
} terms[] = {
	{ "#", match_number },	       { "role=", match_role }, { "name=", match_name },
	{ "address=", match_address }, { "cn=", match_cn },	{ "serial=", match_serial },
	{ "sha1=", match_sha1 },
};

enum { TERMS = COUNT(terms), CONDITIONS_MAX = 8 };

/* The row whose key the text begins with, -1 for none. */
static int term_of(const char *text)
{
	for (int i = 0; i < TERMS; i++)
		if (strncmp(text, terms[i].key, strlen(terms[i].key)) == 0)
			return i;
	return -1;
}

bool selector_is(const char *text)
{
	return term_of(text) >= 0;
}

size_t selector_length(const char *text, bool stop_at_settings)
{
	const char *p = text;
	int term = term_of(p);

	while (term >= 0) {
		p += strlen(terms[term].key);
		while (*p != '\0' && *p != '=' && !(*p == ',' && term_of(p + 1) >= 0))
			p++;
		if (*p != ',')
			break;
		term = term_of(p + 1);
		if (stop_at_settings &&
		    (terms[term].match == match_name || terms[term].match == match_address))
			break;
		p++;
	}
	return (size_t)(p - text);
}

struct condition {
	int term;
	char *value; /* in the caller's copy */
};

/* The end of the condition in front: the ',' before the next one, or the end of the text. */
static char *condition_end(char *value)
{
	char *comma = strchr(value, ',');

	while (comma != NULL && term_of(comma + 1) < 0)
		comma = strchr(comma + 1, ',');
	return comma != NULL ? comma : value + strlen(value);
}

static int split(char *text, struct condition conditions[CONDITIONS_MAX])
{
	bool more = true;
	int n = 0;

	for (; more && n < CONDITIONS_MAX; n++) {
		int term = term_of(text);
		char *end;

		if (term < 0)
			return -1;
		conditions[n].term = term;
		conditions[n].value = text + strlen(terms[term].key);
		end = condition_end(conditions[n].value);
		more = *end != '\0';
		*end = '\0';
		text = end + 1;
	}
	return more ? -1 : n;
}

static bool matches(const struct tlv_record *r, size_t number, const struct condition *c, int n)
{
	for (int i = 0; i < n; i++)
		if (!terms[c[i].term].match(r, number, c[i].value))
			return false;
	return n > 0;
}

enum status selector_resolve(struct span selector, const struct tlv_list *l, bool all, size_t **out,
			     size_t *n, struct tlv_err *e)
{
	struct condition conditions[CONDITIONS_MAX];
	char *copy = span_dup(selector);
	size_t *found = calloc(l->nrecords + 1, sizeof *found);
	int nc = copy != NULL ? split(copy, conditions) : -1;
	enum status st = ST_OK;

	*n = 0;
	for (size_t i = 0; found != NULL && nc > 0 && i < l->nrecords; i++) {
		struct tlv_record r = tlv_list_record(l, i);

		if (matches(&r, i + 1, conditions, nc))
			found[(*n)++] = i;
	}
	if (copy == NULL || found == NULL)
		st = err_nomem(e);
	else if (nc <= 0)
		st = err_set(
			e, ST_USAGE,
			"'%.*s' is no selector: write '#N', 'role=', 'name=', 'address=', 'cn=', 'serial=' or 'sha1='",
			(int)selector.n, (const char *)selector.p);
	else if (*n == 0)
		st = err_set(e, ST_NO_MATCH, "no record matches '%.*s'", (int)selector.n,
			     (const char *)selector.p);
	else if (*n > 1 && !all)
		st = err_set(
			e, ST_AMBIGUOUS,
			"%zu records match '%.*s': select one more closely, or all of them with --all",
			*n, (int)selector.n, (const char *)selector.p);
	free(copy);
	if (st != ST_OK) {
		free(found);
		found = NULL;
	}
	*out = found;
	return st;
}
