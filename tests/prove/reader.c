/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * tlv/reader.c: one step of a walk, from every state that a walk can be in.
 *
 * What a walk keeps is that its rest lies in the file, and that it has 0 to TLV_DEPTH_MAX open
 * containers; where these end may be anywhere. A walk begins so, and a step ends so if it
 * began so. So every walk is so, however many fields it has. Nothing behind a field's value
 * is looked at: a rest longer than FILE_MAX takes no other branch.
 */
#include "tlv/reader.h"

#include "any.h"

enum { FILE_MAX = 6 };

static uint8_t file[FILE_MAX];

/* A walk that is somewhere, with n bytes left. */
static struct tlv_walk any_walk(enum tlv_scope scope, size_t n)
{
	struct tlv_walk w =
		tlv_walk_of(scope, span_of(file + (FILE_MAX - n), n), any_size(0, UINT32_MAX));

	any_bytes(w.open, sizeof w.open);
	w.depth = any_size(0, TLV_DEPTH_MAX);
	return w;
}

static void step(enum tlv_scope scope, size_t n)
{
	struct tlv_walk w = any_walk(scope, n);
	struct tlv_field f;
	struct tlv_err e = TLV_ERR_INIT;
	char name[16];

	if (!tlv_walk_next(&w, &f, &e))
		return;
	is_span(f.value);
	is_span(w.c.rest);
	/*@ assert depth: w.depth <= TLV_DEPTH_MAX; */
	(void)tlv_field_text(&f, name);
}

/*
 * A field of that tag that claims so many bytes. One that claims more than there are left
 * may claim any number.
 */
static void field(enum tlv_scope scope, size_t n, uint8_t tag, size_t length)
{
	any_bytes(file, sizeof file);
	if (n >= 1)
		file[FILE_MAX - n] = tag;
	if (n >= TLV_HEAD && length <= n - TLV_HEAD) {
		file[FILE_MAX - n + 1] = 0;
		file[FILE_MAX - n + 2] = (uint8_t)length;
	} else if (n >= TLV_HEAD && any_bool()) {
		file[FILE_MAX - n + 1] = (uint8_t)any_size(1, UINT8_MAX);
	} else if (n >= TLV_HEAD) {
		file[FILE_MAX - n + 1] = 0;
		file[FILE_MAX - n + 2] = (uint8_t)any_size(n - TLV_HEAD + 1, UINT8_MAX);
	}
	step(scope, n);
}

/* Whether the tag is a container's or padding's, which takes one byte: each is read otherwise. */
static bool is_container(const struct tlv_tag_row *row)
{
	return row->kind == TLV_KIND_CONTAINER;
}

static bool is_padding(const struct tlv_tag_row *row)
{
	return row->kind == TLV_KIND_PADDING;
}

/* Each tag for which that is true, one by one. */
static void each_tag(enum tlv_scope scope, bool (*is)(const struct tlv_tag_row *), size_t n,
		     size_t length)
{
	size_t rows;
	const struct tlv_tag_row *row = tlv_tags(&rows);

	for (size_t i = 0; i < rows; i++)
		if (row[i].scope == scope && is(&row[i]))
			field(scope, n, row[i].number, length);
}

/* All others in one. */
static void other_tags(enum tlv_scope scope, size_t n, size_t length)
{
	uint8_t tag = any_u8();
	size_t rows;
	const struct tlv_tag_row *row = tlv_tags(&rows);

	for (size_t i = 0; i < rows; i++)
		if (row[i].scope == scope && (is_container(&row[i]) || is_padding(&row[i])) &&
		    tag == row[i].number)
			return;
	field(scope, n, tag, length);
}

static void fields(enum tlv_scope scope, size_t n, size_t length)
{
	each_tag(scope, is_container, n, length);
	each_tag(scope, is_padding, n, length);
	other_tags(scope, n, length);
}

int main(void)
{
	for (size_t n = 0; n <= FILE_MAX; n++) {
		size_t beyond = n < TLV_HEAD ? 0 : n - TLV_HEAD + 1;

		for (size_t length = 0; length <= beyond; length++) {
			fields(TLV_SCOPE_HEADER, n, length);
			fields(TLV_SCOPE_RECORD, n, length);
		}
	}
	return 0;
}
