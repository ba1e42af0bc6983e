/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/child/uri.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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

enum status tok_uri_parse(const char *text, struct tok_uri **out, struct tlv_err *e)
{
	struct tok_uri *u = calloc(1, sizeof *u);
	enum status st;

	*out = NULL;
	if (u == NULL)
		return err_nomem(e);
	st = tok_uri_read(text, &u->text, e);
	if (st == ST_OK) {
		u->kit = p11_kit_uri_new();
		st = u->kit == NULL ? err_nomem(e) : kit_parse(text, u->kit, e);
		err_in(st == ST_OK ? NULL : e, "PKCS#11 URI");
	}
	if (st != ST_OK) {
		tok_uri_free(&u);
		return st;
	}
	*out = u;
	return ST_OK;
}

void tok_uri_free(struct tok_uri **u)
{
	if (u == NULL || *u == NULL)
		return;
	p11_kit_uri_free((*u)->kit);
	tok_uri_text_free(&(*u)->text);
	free(*u);
	*u = NULL;
}

bool tok_uri_matches(const struct tok_uri *u, CK_SLOT_ID slot, const CK_TOKEN_INFO *info)
{
	if (u == NULL)
		return true;
	if (u->text.has_slot_id && p11_kit_uri_get_slot_id(u->kit) != slot)
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
