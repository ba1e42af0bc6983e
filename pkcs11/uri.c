/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/uri.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "pkcs11/token.h"

enum where { PATH, QUERY };

enum {
	SELECTS = 1 << 0, /* a URI of such attributes alone says which token is meant */
	BINARY = 1 << 1,
	LIBRARY = 1 << 2,
	SLOT = 1 << 3,
	SLOT_ID = 1 << 4,
	OBJECT_TYPE = 1 << 5,
	PIN_SOURCE = 1 << 6,
	PIN_VALUE = 1 << 7
};

static const struct attr {
	const char *name;
	enum where where;
	size_t most;
	unsigned flags;
} attrs[] = {
#define URI_ATTR(name, where, most, flags) { name, where, most, flags },
#include "pkcs11/uri_attrs.def"
#undef URI_ATTR
};

enum { NATTRS = sizeof attrs / sizeof *attrs };

/* What the check has seen so far. */
struct seen {
	uint32_t attrs; /* one bit each */
	unsigned flags;
	struct span type;
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
	int c = span_at(value, i);

	return c >= 0 && isxdigit(c) != 0;
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
				return err_set(e, ST_USAGE,
					       "'%s' holds a character that is written %%%02X here",
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

static enum status check_meaning(const struct attr *a, struct span value, struct tlv_err *e)
{
	if ((a->flags & PIN_VALUE) != 0)
		return err_set(
			e, ST_USAGE,
			"'pin-value' is refused: command lines are seen by everybody; use --pin-source");
	if ((a->flags & PIN_SOURCE) != 0 &&
	    (span_starts(value, SPAN_LIT("|")) || span_starts(value, SPAN_LIT("%7C")) ||
	     span_starts(value, SPAN_LIT("%7c"))))
		return err_set(e, ST_USAGE, "a 'pin-source' that runs a command is refused");
	if ((a->flags & OBJECT_TYPE) != 0 && !span_eq(value, SPAN_LIT("cert")) &&
	    !span_eq(value, SPAN_LIT("private")) && !span_eq(value, SPAN_LIT("public")))
		return err_set(e, ST_USAGE, "'type' is none of cert, private, public");
	return ST_OK;
}

/* A name that nobody knows is shown, but not what follows it: it may be a secret. */
static enum status check_attr(struct span text, enum where where, struct seen *seen,
			      struct tlv_err *e)
{
	const struct attr *a;
	struct span name = text, value = SPAN_NONE;
	uint32_t bit;

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
	if ((a->flags & OBJECT_TYPE) != 0)
		seen->type = value;
	if (check_meaning(a, value, e) != ST_OK)
		return e->status;
	return check_value(a, value, e);
}

static enum status check_attrs(struct span text, enum where where, struct seen *seen,
			       struct tlv_err *e)
{
	uint8_t end = where == PATH ? ';' : '&';
	size_t from = 0;

	for (size_t i = 0; i <= text.n; i++) {
		if (i < text.n && span_at(text, i) != end)
			continue;
		if (check_attr(span_slice(text, from, i - from), where, seen, e) != ST_OK)
			return e->status;
		from = i + 1;
	}
	return ST_OK;
}

static enum status check(struct span text, struct seen *seen, struct tlv_err *e)
{
	struct span path = span_slice(text, strlen("pkcs11:"), text.n), query = SPAN_NONE;
	bool has_query = false;

	for (size_t i = 0; i < path.n && !has_query; i++) {
		if (span_at(path, i) != '?')
			continue;
		has_query = true;
		query = span_slice(path, i + 1, path.n);
		path = span_slice(path, 0, i);
	}
	if (path.n != 0 && check_attrs(path, PATH, seen, e) != ST_OK)
		return e->status;
	if (has_query && check_attrs(query, QUERY, seen, e) != ST_OK)
		return e->status;
	if ((seen->flags & SELECTS) == 0)
		return err_set(e, ST_USAGE,
			       "it selects no token in particular; give token= or serial=");
	return ST_OK;
}

bool tok_is_uri(const char *arg)
{
	return arg != NULL && strncasecmp(arg, "pkcs11:", strlen("pkcs11:")) == 0;
}

/* p11-kit knows the scheme in small letters only. */
static enum status kit_parse(const char *text, P11KitUri *kit, struct tlv_err *e)
{
	struct buf b = BUF_INIT;
	enum status st;
	int r;

	buf_str(&b, "pkcs11:");
	buf_str(&b, text + strlen("pkcs11:"));
	st = buf_failed(&b, e);
	if (st == ST_OK) {
		r = p11_kit_uri_parse(buf_cstr(&b), P11_KIT_URI_FOR_ANY, kit);
		if (r != P11_KIT_URI_OK)
			st = err_set(e, ST_USAGE, "%s", p11_kit_uri_message(r));
		else if (p11_kit_uri_any_unrecognized(kit))
			st = err_set(e, ST_USAGE, "it has an attribute or value that is unknown");
	}
	buf_free(&b);
	return st;
}

static void describe(struct tok_uri *u, const struct seen *seen)
{
	u->has_id = p11_kit_uri_get_attribute(u->kit, CKA_ID) != NULL;
	u->has_object = p11_kit_uri_get_attribute(u->kit, CKA_LABEL) != NULL;
	u->type_private = span_eq(seen->type, SPAN_LIT("private"));
	u->type_cert = span_eq(seen->type, SPAN_LIT("cert"));
	u->has_slot_id = (seen->flags & SLOT_ID) != 0;
	u->has_slot = (seen->flags & SLOT) != 0;
	u->has_library = (seen->flags & LIBRARY) != 0;
}

enum status tok_uri_parse(const char *text, struct tok_uri **out, struct tlv_err *e)
{
	struct seen seen = { .attrs = 0 };
	struct tok_uri *u = NULL;
	enum status st;

	*out = NULL;
	if (!tok_is_uri(text))
		return err_set(e, ST_USAGE, "a token's URI begins with 'pkcs11:'");
	st = check(span_str(text), &seen, e);
	if (st != ST_OK)
		goto out;
	u = calloc(1, sizeof *u);
	if (u != NULL)
		u->kit = p11_kit_uri_new();
	if (u == NULL || u->kit == NULL) {
		st = err_nomem(e);
		goto out;
	}
	st = kit_parse(text, u->kit, e);
	if (st != ST_OK)
		goto out;
	describe(u, &seen);
	*out = u;
	u = NULL;
out:
	tok_uri_free(&u);
	err_in(st == ST_OK ? NULL : e, "PKCS#11 URI");
	return st;
}

void tok_uri_free(struct tok_uri **u)
{
	if (u == NULL || *u == NULL)
		return;
	p11_kit_uri_free((*u)->kit);
	free(*u);
	*u = NULL;
}

const char *tok_uri_module_path(const struct tok_uri *u)
{
	return u == NULL ? NULL : p11_kit_uri_get_module_path(u->kit);
}

const char *tok_uri_module_name(const struct tok_uri *u)
{
	return u == NULL ? NULL : p11_kit_uri_get_module_name(u->kit);
}

const char *tok_uri_pin_source(const struct tok_uri *u)
{
	return u == NULL ? NULL : p11_kit_uri_get_pin_source(u->kit);
}

bool tok_uri_matches(const struct tok_uri *u, CK_SLOT_ID slot, const CK_TOKEN_INFO *info)
{
	if (u == NULL)
		return true;
	if (u->has_slot_id && p11_kit_uri_get_slot_id(u->kit) != slot)
		return false;
	return p11_kit_uri_match_token_info(u->kit, info) == 1;
}

bool tok_uri_matches_slot(const struct tok_uri *u, const CK_SLOT_INFO *info)
{
	return p11_kit_uri_match_slot_info(u->kit, info) == 1;
}

bool tok_uri_matches_library(const struct tok_uri *u, const CK_INFO *info)
{
	return p11_kit_uri_match_module_info(u->kit, info) == 1;
}

static bool attr_is(const struct tok_uri *u, CK_ATTRIBUTE_TYPE type, struct span value)
{
	const CK_ATTRIBUTE *a = p11_kit_uri_get_attribute(u->kit, type);

	return a == NULL || span_eq(span_of(a->pValue, a->ulValueLen), value);
}

bool tok_uri_matches_object(const struct tok_uri *u, struct span id, struct span label)
{
	return u == NULL || (attr_is(u, CKA_ID, id) && attr_is(u, CKA_LABEL, label));
}

static bool set_attr(P11KitUri *kit, CK_ATTRIBUTE_TYPE type, struct span value)
{
	CK_ATTRIBUTE a = { .type = type, .ulValueLen = value.n };

	if (value.n == 0)
		return true;
	/* PKCS#11 templates are not const; p11-kit copies the value. */
	a.pValue = (void *)(uintptr_t)value.p;
	return p11_kit_uri_set_attribute(kit, &a) == P11_KIT_URI_OK;
}

static void put_attr(struct buf *b, struct span attr)
{
	if (attr.n == 0 || span_at(attr, attr.n - 1) == '=')
		return;
	if (span_at(buf_span(b), b->n - 1) != ':')
		buf_str(b, ";");
	buf_put(b, attr);
}

/*
 * p11-kit writes "serial=;" for a token that has none. Here an attribute
 * without value is refused, so that what is shown can be typed.
 */
static char *without_empty(char *text)
{
	struct span all = span_str(text), path = span_slice(all, strlen("pkcs11:"), all.n);
	struct buf b = BUF_INIT;
	char *out = NULL;
	size_t from = 0;

	buf_str(&b, "pkcs11:");
	for (size_t i = 0; i <= path.n; i++) {
		if (i < path.n && span_at(path, i) != ';')
			continue;
		put_attr(&b, span_slice(path, from, i - from));
		from = i + 1;
	}
	if (buf_failed(&b, NULL) == ST_OK)
		out = span_dup(buf_span(&b));
	buf_free(&b);
	free(text);
	return out;
}

static char *format(const CK_TOKEN_INFO *info, P11KitUriType type, const CK_OBJECT_CLASS *class,
		    struct span id, struct span label)
{
	P11KitUri *kit = p11_kit_uri_new();
	char *text = NULL;

	if (kit == NULL)
		return NULL;
	*p11_kit_uri_get_token_info(kit) = *info;
	if (class == NULL || (set_attr(kit, CKA_CLASS, span_of(class, sizeof *class)) &&
			      set_attr(kit, CKA_ID, id) && set_attr(kit, CKA_LABEL, label)))
		(void)p11_kit_uri_format(kit, type, &text);
	p11_kit_uri_free(kit);
	return text == NULL ? NULL : without_empty(text);
}

char *tok_uri_of_token(const CK_TOKEN_INFO *info)
{
	return format(info, P11_KIT_URI_FOR_TOKEN, NULL, SPAN_NONE, SPAN_NONE);
}

char *tok_uri_of_cert(const CK_TOKEN_INFO *info, struct span id, struct span label)
{
	static const CK_OBJECT_CLASS class = CKO_CERTIFICATE;

	return format(info, P11_KIT_URI_FOR_OBJECT_ON_TOKEN, &class, id, label);
}

char *tok_uri_of_key(const CK_TOKEN_INFO *info, struct span id, struct span label)
{
	static const CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;

	return format(info, P11_KIT_URI_FOR_OBJECT_ON_TOKEN, &class, id, label);
}
