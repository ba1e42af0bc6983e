/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/child/objects.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ID, LABEL, VALUE, WANTED };

/* Room for the first question: almost every certificate fits, and on a remote token each costs. */
enum { FIRST_TEXT = 256, FIRST_VALUE = 4096 };

struct room {
	uint8_t id[FIRST_TEXT], label[FIRST_TEXT], value[FIRST_VALUE];
};

static void want(CK_ATTRIBUTE a[WANTED], CK_OBJECT_CLASS class)
{
	a[ID] = (CK_ATTRIBUTE){ .type = CKA_ID };
	a[LABEL] = (CK_ATTRIBUTE){ .type = CKA_LABEL };
	a[VALUE] = (CK_ATTRIBUTE){ .type = class == CKO_CERTIFICATE ? CKA_VALUE : CKA_MODULUS };
}

/* Sensitive and unknown attributes spoil neither the others nor the call. */
static bool answered(CK_RV rv)
{
	return rv == CKR_OK || rv == CKR_ATTRIBUTE_SENSITIVE || rv == CKR_ATTRIBUTE_TYPE_INVALID;
}

static struct span copy(const CK_ATTRIBUTE *a)
{
	struct span from = span_of(a->pValue, a->ulValueLen);

	if (a->ulValueLen == CK_UNAVAILABLE_INFORMATION || a->ulValueLen == 0 || a->pValue == NULL)
		return SPAN_NONE;
	return span_of(span_dup(from), from.n);
}

/* A label that is padded with NUL: a URI cannot hold one. */
static struct span copy_text(const CK_ATTRIBUTE *a)
{
	CK_ATTRIBUTE text = *a;

	if (a->ulValueLen != CK_UNAVAILABLE_INFORMATION && a->pValue != NULL)
		text.ulValueLen = strnlen(a->pValue, a->ulValueLen);
	return copy(&text);
}

static void object_free(struct tok_object *o)
{
	span_free(&o->id);
	span_free(&o->label);
	span_free(&o->value);
}

/* All of it, or nothing. */
static void keep(struct tok_object *o, const CK_ATTRIBUTE a[WANTED])
{
	o->id = copy(&a[ID]);
	o->label = copy_text(&a[LABEL]);
	o->value = copy(&a[VALUE]);
	if ((o->id.n != 0 && o->id.p == NULL) || (o->label.n != 0 && o->label.p == NULL))
		object_free(o);
}

/*
 * The long way round for what the first question has no room for: lengths, then values. Makes
 * the room for them.
 */
static CK_RV ask_lengths(const struct tok_module *m, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE h,
			 CK_OBJECT_CLASS class, CK_ATTRIBUTE a[WANTED])
{
	CK_RV rv;

	want(a, class);
	rv = tok_c_get_attribute_value(m, s, h, a, WANTED);
	for (size_t i = 0; answered(rv) && i < WANTED; i++) {
		if (a[i].ulValueLen == CK_UNAVAILABLE_INFORMATION || a[i].ulValueLen == 0)
			continue;
		if (a[i].ulValueLen > TOK_VALUE_MAX)
			return CKR_BUFFER_TOO_SMALL;
		a[i].pValue = calloc(1, a[i].ulValueLen);
		if (a[i].pValue == NULL) {
			(void)err_nomem(NULL);
			return CKR_HOST_MEMORY;
		}
	}
	return rv;
}

/* A module that claims more than it had room for is not believed. */
static bool within(const CK_ATTRIBUTE *a, size_t room)
{
	return a->ulValueLen == CK_UNAVAILABLE_INFORMATION || a->ulValueLen <= room;
}

/* The values, in rooms of these lengths. */
static CK_RV ask_values(const struct tok_module *m, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE h,
			CK_ATTRIBUTE a[WANTED])
{
	CK_ULONG room[WANTED];
	CK_RV rv;

	for (size_t i = 0; i < WANTED; i++)
		room[i] = a[i].ulValueLen;
	rv = tok_c_get_attribute_value(m, s, h, a, WANTED);
	for (size_t i = 0; answered(rv) && i < WANTED; i++)
		if (a[i].pValue != NULL && !within(&a[i], room[i]))
			return CKR_BUFFER_TOO_SMALL;
	return rv;
}

static CK_RV read_long(const struct tok_module *m, CK_SESSION_HANDLE s, CK_OBJECT_CLASS class,
		       struct tok_object *o)
{
	CK_ATTRIBUTE a[WANTED];
	CK_RV rv = ask_lengths(m, s, o->handle, class, a);

	if (answered(rv))
		rv = ask_values(m, s, o->handle, a);
	if (answered(rv))
		keep(o, a);
	for (size_t i = 0; i < WANTED; i++)
		free(a[i].pValue);
	return rv;
}

/* An object without the value, or whose answer is not believed, is left without one. */
static CK_RV read_object(const struct tok_module *m, CK_SESSION_HANDLE s, CK_OBJECT_CLASS class,
			 struct tok_object *o)
{
	struct room room;
	CK_ATTRIBUTE a[WANTED];
	CK_RV rv;

	want(a, class);
	a[ID].pValue = room.id;
	a[LABEL].pValue = room.label;
	a[ID].ulValueLen = a[LABEL].ulValueLen = FIRST_TEXT;
	a[VALUE].pValue = room.value;
	a[VALUE].ulValueLen = FIRST_VALUE;
	rv = tok_c_get_attribute_value(m, s, o->handle, a, WANTED);
	if (rv == CKR_BUFFER_TOO_SMALL)
		return read_long(m, s, class, o);
	if (answered(rv) && within(&a[ID], FIRST_TEXT) && within(&a[LABEL], FIRST_TEXT) &&
	    within(&a[VALUE], FIRST_VALUE))
		keep(o, a);
	return rv;
}

static enum status add(struct tok_objects *os, CK_OBJECT_HANDLE h, struct tlv_err *e)
{
	if (!ARRAY_ROOM(os->list, os->n, os->cap))
		return err_nomem(e);
	os->list[os->n++] = (struct tok_object){ .handle = h };
	return ST_OK;
}

static enum status find_handles(struct tok_objects *os, const struct tok_module *m,
				CK_SESSION_HANDLE s, struct tlv_err *e)
{
	CK_OBJECT_HANDLE some[64];
	CK_ULONG n = 1;

	while (n != 0 && os->n < TOK_OBJECTS_MAX) {
		CK_RV rv = tok_c_find_objects(m, s, some, COUNT(some), &n);

		if (rv != CKR_OK)
			return tok_rv_failed(e, ST_TOKEN, TOK_CALL_C_FindObjects, rv);
		if (n > COUNT(some))
			return err_set(e, ST_TOKEN, "C_FindObjects: more objects than asked for");
		for (CK_ULONG i = 0; i < n; i++)
			if (add(os, some[i], e) != ST_OK)
				return e->status;
	}
	return ST_OK;
}

/* No fault of the one object: the token is gone, and what else it holds cannot be told. */
static bool is_gone(CK_RV rv)
{
	switch (rv) {
	case CKR_DEVICE_REMOVED:
	case CKR_TOKEN_NOT_PRESENT:
	case CKR_SESSION_CLOSED:
	case CKR_SESSION_HANDLE_INVALID:
	case CKR_CRYPTOKI_NOT_INITIALIZED:
		return true;
	default:
		return false;
	}
}

static enum status read_all(struct tok_objects *os, const struct tok_module *m, CK_SESSION_HANDLE s,
			    CK_OBJECT_CLASS class, struct tlv_err *e)
{
	size_t kept = 0, i = 0;
	CK_RV rv = CKR_OK;

	for (; i < os->n && !is_gone(rv); i++) {
		struct tok_object o = os->list[i];

		rv = read_object(m, s, class, &o);
		if (o.value.p != NULL)
			os->list[kept++] = o;
		else
			object_free(&o);
	}
	os->n = kept;
	return is_gone(rv) ? tok_rv_failed(e, ST_TOKEN, TOK_CALL_C_GetAttributeValue, rv) : ST_OK;
}

enum status tok_objects_find(struct tok_objects *os, const struct tok_module *m,
			     CK_SESSION_HANDLE s, CK_OBJECT_CLASS class, struct tlv_err *e)
{
	CK_ATTRIBUTE want_class = { .type = CKA_CLASS,
				    .pValue = &class,
				    .ulValueLen = sizeof class };
	CK_RV rv = tok_c_find_objects_init(m, s, &want_class, 1);
	enum status st;

	*os = TOK_OBJECTS_INIT;
	if (rv != CKR_OK)
		return tok_rv_failed(e, ST_TOKEN, TOK_CALL_C_FindObjectsInit, rv);
	st = find_handles(os, m, s, e);
	(void)tok_c_find_objects_final(m, s);
	if (st == ST_OK)
		st = read_all(os, m, s, class, e);
	else
		os->n = 0; /* nothing was read: handles own nothing */
	if (st != ST_OK)
		tok_objects_free(os);
	return st;
}

void tok_objects_free(struct tok_objects *os)
{
	for (size_t i = 0; i < os->n; i++)
		object_free(&os->list[i]);
	free(os->list);
	*os = TOK_OBJECTS_INIT;
}

static struct span without_zeros(struct span s)
{
	size_t i = 0;

	while (span_at(s, i) == 0)
		i++;
	return span_slice(s, i, s.n);
}

bool tok_modulus_eq(struct span a, struct span b)
{
	struct span l = without_zeros(a), r = without_zeros(b);

	return l.n != 0 && span_eq(l, r);
}

bool tok_object_flag(const struct tok_module *m, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o,
		     CK_ATTRIBUTE_TYPE type)
{
	CK_BBOOL value = CK_FALSE;
	CK_ATTRIBUTE a = { .type = type, .pValue = &value, .ulValueLen = sizeof value };

	return tok_c_get_attribute_value(m, s, o, &a, 1) == CKR_OK &&
	       a.ulValueLen == sizeof value && value == CK_TRUE;
}
