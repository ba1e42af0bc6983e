/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/shared/uri_text.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tlv/bytes.h"
#include "tlv/text.h"

enum where { PATH, QUERY };

enum {
	SELECTS = 1 << 0, /* a URI of such attributes alone says which token is meant */
	BINARY = 1 << 1,
	LIBRARY = 1 << 2,
	SLOT = 1 << 3,
	SLOT_ID = 1 << 4,
	OBJECT_TYPE = 1 << 5,
	PIN_SOURCE = 1 << 6,
	PIN_VALUE = 1 << 7,
	ID = 1 << 8,
	OBJECT = 1 << 9,
	MODULE_PATH = 1 << 10,
	MODULE_NAME = 1 << 11,
	VERSION = 1 << 12
};

static const struct attr {
	const char *name;
	enum where where;
	size_t most;
	unsigned flags;
} attrs[] = {
#define URI_ATTR(name, where, most, flags) { name, where, most, flags },
#include "pkcs11/shared/uri_attrs.def"
#undef URI_ATTR
};

enum { NATTRS = COUNT(attrs) };

/* What the check has seen so far. */
struct seen {
	uint32_t attrs; /* one bit each */
	unsigned flags;
	struct span type, module_path, module_name, pin_source;
};

static const struct attr *find(struct span name, enum where where)
{
	for (size_t i = 0; i < NATTRS; i++)
		if (attrs[i].where == where && span_eq(name, span_str(attrs[i].name)))
			return &attrs[i];
	return NULL;
}

/* RFC 7512's pk11-path-char and pk11-query-char; UTF-8 that was not encoded is let pass. */
static bool allowed(uint8_t c, enum where where)
{
	if (isalnum(c) || c >= 0x80)
		return true;
	return c != '\0' &&
	       strchr(where == PATH ? "-._~:[]@!$'()*+,=&" : "-._~:[]@!$'()*+,=/?|", c) != NULL;
}

static bool is_hex(struct span value, size_t i)
{
	return hex_digit(span_at(value, i)) >= 0;
}

static bool is_nul(struct span value, size_t i)
{
	return span_at(value, i) == '0' && span_at(value, i + 1) == '0';
}

/* Counts the bytes that the value stands for. */
static enum status check_value(const struct attr *a, struct span value, struct tlv_err *e)
{
	size_t n = 0;

	for (size_t i = 0; i < value.n; i++, n++) {
		int c = span_at(value, i);

		if (c != '%') {
			if (!allowed((uint8_t)c, a->where))
				return err_set(
					e, ST_USAGE,
					"'%s' has a character that must be written as %%%02X",
					a->name, (unsigned)c);
			continue;
		}
		if (!is_hex(value, i + 1) || !is_hex(value, i + 2))
			return err_set(e, ST_USAGE, "'%s' holds a '%%' without two hex digits",
				       a->name);
		if ((a->flags & BINARY) == 0 && is_nul(value, i + 1))
			return err_set(e, ST_USAGE, "'%s' holds a NUL byte", a->name);
		i += 2;
	}
	if (n == 0)
		return err_set(e, ST_USAGE, "'%s' is empty", a->name);
	if (a->most != 0 && n > a->most)
		return err_set(e, ST_USAGE,
			       "'%s' has %zu bytes; no token has room for more than %zu", a->name,
			       n, a->most);
	return ST_OK;
}

static bool is_number(struct span s, unsigned long most)
{
	unsigned long n = 0;

	for (size_t i = 0; i < s.n; i++) {
		int c = span_at(s, i);

		if (c < '0' || c > '9' || n > most / 10)
			return false;
		n = n * 10 + (unsigned long)(c - '0');
	}
	return s.n != 0 && n <= most;
}

/* "2" or "2.40": two bytes in PKCS#11. */
static bool is_version(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (span_at(s, i) == '.')
			return is_number(span_slice(s, 0, i), UINT8_MAX) &&
			       is_number(span_slice(s, i + 1, s.n), UINT8_MAX);
	return is_number(s, UINT8_MAX);
}

static enum status check_numbers(const struct attr *a, struct span value, struct tlv_err *e)
{
	if ((a->flags & SLOT_ID) != 0 && !is_number(value, UINT32_MAX))
		return err_set(e, ST_USAGE, "'slot-id' is not a number");
	if ((a->flags & VERSION) != 0 && !is_version(value))
		return err_set(e, ST_USAGE, "'library-version' is not a version such as 2.40");
	return ST_OK;
}

static enum status check_meaning(const struct attr *a, struct span value, struct tlv_err *e)
{
	if ((a->flags & PIN_VALUE) != 0)
		return err_set(
			e, ST_USAGE,
			"'pin-value' is refused, because everybody can see command lines; use --pin-source");
	if ((a->flags & PIN_SOURCE) != 0 &&
	    (span_starts(value, SPAN_LIT("|")) || span_starts(value, SPAN_LIT("%7C")) ||
	     span_starts(value, SPAN_LIT("%7c"))))
		return err_set(e, ST_USAGE, "a 'pin-source' that runs a command is refused");
	if ((a->flags & OBJECT_TYPE) != 0 && !span_eq(value, SPAN_LIT("cert")) &&
	    !span_eq(value, SPAN_LIT("private")) && !span_eq(value, SPAN_LIT("public")))
		return err_set(e, ST_USAGE, "'type' is none of cert, private, public");
	return check_numbers(a, value, e);
}

static void keep_value(const struct attr *a, struct span value, struct seen *seen)
{
	if ((a->flags & OBJECT_TYPE) != 0)
		seen->type = value;
	if ((a->flags & MODULE_PATH) != 0)
		seen->module_path = value;
	if ((a->flags & MODULE_NAME) != 0)
		seen->module_name = value;
	if ((a->flags & PIN_SOURCE) != 0)
		seen->pin_source = value;
}

/* A name that nobody knows is shown, but not what follows it: it may be a secret. */
static enum status check_attr(struct span text, enum where where, struct seen *seen,
			      struct tlv_err *e)
{
	const struct attr *a;
	struct span name = text, value = SPAN_NONE;
	uint32_t bit;
	enum status st;

	for (size_t i = 0; i < text.n; i++) {
		if (span_at(text, i) != '=')
			continue;
		name = span_slice(text, 0, i);
		value = span_slice(text, i + 1, text.n);
		break;
	}
	if (name.n == 0)
		return err_set(
			e, ST_USAGE,
			"an attribute is empty: write 'token=LABEL', with one ';' between two");
	a = find(name, where);
	if (a == NULL)
		return err_set(e, ST_USAGE, "unknown attribute '%.*s'",
			       name.n > 64 ? 64 : (int)name.n, (const char *)name.p);
	bit = UINT32_C(1) << (a - attrs);
	if ((seen->attrs & bit) != 0)
		return err_set(e, ST_USAGE, "'%s' is given twice", a->name);
	seen->attrs |= bit;
	seen->flags |= a->flags;
	keep_value(a, value, seen);
	st = check_value(a, value, e);
	return st == ST_OK ? check_meaning(a, value, e) : st;
}

static enum status check_attrs(struct span text, enum where where, struct seen *seen,
			       struct tlv_err *e)
{
	uint8_t end = where == PATH ? ';' : '&';
	size_t from = 0;
	enum status st = ST_OK;

	for (size_t i = 0; i <= text.n && st == ST_OK; i++) {
		if (i < text.n && span_at(text, i) != end)
			continue;
		st = check_attr(span_slice(text, from, i - from), where, seen, e);
		from = i + 1;
	}
	return st;
}

static enum status check(struct span text, struct seen *seen, struct tlv_err *e)
{
	struct span path = span_slice(text, strlen("pkcs11:"), text.n), query = SPAN_NONE;
	bool has_query = false;
	enum status st = ST_OK;

	for (size_t i = 0; i < path.n && !has_query; i++) {
		if (span_at(path, i) != '?')
			continue;
		has_query = true;
		query = span_slice(path, i + 1, path.n);
		path = span_slice(path, 0, i);
	}
	if (path.n != 0)
		st = check_attrs(path, PATH, seen, e);
	if (st == ST_OK && has_query)
		st = check_attrs(query, QUERY, seen, e);
	if (st != ST_OK)
		return st;
	if ((seen->flags & SELECTS) == 0)
		return err_set(e, ST_USAGE,
			       "it selects no token in particular; give token= or serial=");
	return ST_OK;
}

bool tok_is_uri(const char *arg)
{
	return arg != NULL && strncasecmp(arg, "pkcs11:", strlen("pkcs11:")) == 0;
}

static uint8_t nibble(int c)
{
	return (uint8_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

/* What the value stands for; NULL without memory. It was checked before: it holds no NUL. */
static char *decoded(struct span value)
{
	struct buf b = BUF_INIT;
	char *out = NULL;

	for (size_t i = 0; i < value.n; i++) {
		int c = span_at(value, i);

		if (c != '%') {
			buf_u8(&b, (uint8_t)c);
			continue;
		}
		buf_u8(&b, (uint8_t)(nibble(span_at(value, i + 1)) << 4 |
				     nibble(span_at(value, i + 2))));
		i += 2;
	}
	if (buf_failed(&b, NULL) == ST_OK)
		out = span_dup(buf_span(&b));
	buf_free(&b);
	return out;
}

static bool keep_text(struct span value, char **out)
{
	*out = value.n == 0 ? NULL : decoded(value);
	return value.n == 0 || *out != NULL;
}

enum status tok_uri_read(const char *text, struct tok_uri_text *out, struct tlv_err *e)
{
	struct seen seen = { .attrs = 0 };
	enum status st = ST_OK;

	*out = (struct tok_uri_text){ .module_path = NULL };
	if (!tok_is_uri(text))
		return err_set(e, ST_USAGE, "a token's URI begins with 'pkcs11:'");
	st = check(span_str(text), &seen, e);
	out->has_id = (seen.flags & ID) != 0;
	out->has_object = (seen.flags & OBJECT) != 0;
	out->type_private = span_eq(seen.type, SPAN_LIT("private"));
	out->type_cert = span_eq(seen.type, SPAN_LIT("cert"));
	out->has_slot_id = (seen.flags & SLOT_ID) != 0;
	out->has_slot = (seen.flags & SLOT) != 0;
	out->has_library = (seen.flags & LIBRARY) != 0;
	if (st == ST_OK && !(keep_text(seen.module_path, &out->module_path) &&
			     keep_text(seen.module_name, &out->module_name) &&
			     keep_text(seen.pin_source, &out->pin_source)))
		st = err_nomem(e);
	if (st != ST_OK)
		tok_uri_text_free(out);
	return st == ST_OK ? ST_OK : err_in(e, "PKCS#11 URI");
}

void tok_uri_text_free(struct tok_uri_text *u)
{
	free(u->module_path);
	free(u->module_name);
	free(u->pin_source);
	*u = (struct tok_uri_text){ .module_path = NULL };
}
