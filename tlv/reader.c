/* SPDX-License-Identifier: Apache-2.0 */
#include "tlv/reader.h"
#include "tlv/text.h"

#include <stdio.h>

struct tlv_walk tlv_walk_of(enum tlv_scope scope, struct span bytes, size_t at)
{
	return (struct tlv_walk){ .scope = scope, .c = { .rest = bytes, .at = at } };
}

const char *tlv_field_text(const struct tlv_field *f, char buf[16])
{
	if (f->row != NULL)
		return f->row->text;
	(void)snprintf(buf, 16, "tag %u", (unsigned)f->tag);
	return buf;
}

static void malformed(struct tlv_err *e, const struct tlv_field *f, const char *what)
{
	char name[16];

	(void)err_set_at(e, ST_INPUT, f->at, "%s: %s", tlv_field_text(f, name), what);
}

static bool too_long(struct tlv_err *e, const struct tlv_field *f, size_t n, size_t remain,
		     const char *of)
{
	char what[96];

	(void)snprintf(what, sizeof what, "%zu byte%s claimed, %zu remain%s%s", n, plural(n),
		       remain, remain == 1 ? "s" : "", of);
	malformed(e, f, what);
	return false;
}

static bool length_allowed(struct tlv_err *e, const struct tlv_field *f, size_t n)
{
	char what[96];

	if (f->row == NULL || (n >= f->row->min && n <= f->row->max))
		return true;
	(void)snprintf(what, sizeof what, "%zu byte%s, must be %u", n, plural(n),
		       (unsigned)f->row->min);
	malformed(e, f, what);
	return false;
}

/* Containers that end here are closed; several may end at one place. */
static void close_containers(struct tlv_walk *w)
{
	while (w->depth > 0 && w->open[w->depth - 1].end == w->c.at)
		w->depth--;
}

/* What a field that starts here may take: the rest of its container, or of all. */
static size_t room(const struct tlv_walk *w)
{
	if (w->depth > 0)
		return w->open[w->depth - 1].end - w->c.at;
	return w->c.rest.n;
}

static bool open_container(struct tlv_walk *w, const struct tlv_field *f, struct tlv_err *e)
{
	if (f->value.n == 0)
		return true;
	if (w->depth == TLV_DEPTH_MAX) {
		malformed(e, f, "containers nested too deep");
		return false;
	}
	w->open[w->depth].tag = f->tag;
	w->open[w->depth].end = w->c.at + f->value.n;
	w->depth++;
	return true;
}

static bool read_value(struct tlv_walk *w, struct tlv_field *f, struct tlv_err *e)
{
	uint16_t n = 0;
	const char *of = w->depth > 0 ? " in the container" : "";

	if (room(w) < 2 || !cursor_u16(&w->c, &n)) {
		malformed(e, f, "its length is cut off");
		return false;
	}
	if (n > room(w))
		return too_long(e, f, n, room(w), of);
	if (!length_allowed(e, f, n))
		return false;
	if (f->row != NULL && f->row->kind == TLV_KIND_CONTAINER) {
		f->value = span_slice(w->c.rest, 0, n);
		return open_container(w, f, e);
	}
	return cursor_take(&w->c, n, &f->value);
}

bool tlv_walk_next(struct tlv_walk *w, struct tlv_field *f, struct tlv_err *e)
{
	close_containers(w);
	*f = (struct tlv_field){ .at = w->c.at };
	if (!cursor_u8(&w->c, &f->tag))
		return false;
	f->row = tlv_tag_find(w->scope, f->tag);
	f->parent = w->depth > 0 ? w->open[w->depth - 1].tag : 0;
	if (f->row == NULL || f->row->kind != TLV_KIND_PADDING)
		return read_value(w, f, e);
	if (f->parent == 0)
		return true;
	malformed(e, f, "inside a container");
	return false;
}
