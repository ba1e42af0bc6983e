/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * tlv/reader.h in the place of tlv/reader.c, for those who read fields: what prove/reader.c
 * shows of a walk is all that they know of it.
 */
#include "tlv/reader.h"

#include "any.h"

struct tlv_walk tlv_walk_of(enum tlv_scope scope, struct span bytes, size_t at)
{
	is_span(bytes);
	return (struct tlv_walk){ .scope = scope, .c = { .rest = bytes, .at = at } };
}

/* Any field that the table allows, any number of them, and a fault or none at the end. */
bool tlv_walk_next(struct tlv_walk *w, struct tlv_field *f, struct tlv_err *e)
{
	w->c.at = any_size(0, SIZE_MAX);
	*f = (struct tlv_field){ .at = any_size(0, SIZE_MAX), .tag = any_u8() };
	f->row = tlv_tag_find(w->scope, f->tag);
	f->parent = any_u8();
	f->value = any_span();
	if (any_bool())
		return true;
	if (any_bool())
		(void)err_set_at(e, ST_INPUT, f->at, "a fault");
	return false;
}

const char *tlv_field_text(const struct tlv_field *f, char buf[16])
{
	if (f->row != NULL)
		return f->row->text;
	buf[0] = '\0';
	return buf;
}
