/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/io/filename.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "tlv/text.h"

enum { LABEL_MAX = 128 }; /* bytes; a file name may have 255 */

static bool is_plain(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '_' || c == '-';
}

/* The token's CN is padded with blanks, which are nobody's name. */
static struct span without_padding(struct span s)
{
	return span_slice(span_trim_end(s), 0, LABEL_MAX);
}

static void put_plain(struct buf *b, struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		int c = span_at(s, i);

		buf_u8(b, is_plain(c) && !(b->n == 0 && c == '.') ? (uint8_t)c : '_');
	}
}

struct filename {
	const char *name;
	char *own;	 /* the name, owned; NULL in a key to look for */
	struct span der; /* borrowed */
};

static int by_name(const void *a, const void *b)
{
	const struct filename *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static const struct filename *find(const struct filenames *given, const char *name)
{
	const struct filename wanted = { .name = name };
	struct filename *const *found = tfind(&wanted, &given->tree, by_name);

	return found != NULL ? *found : NULL;
}

static void free_one(void *p)
{
	struct filename *f = p;

	free(f->own);
	free(f);
}

static enum status keep(struct filenames *given, const char *name, struct span der,
			struct tlv_err *e)
{
	struct filename *f = calloc(1, sizeof *f);

	if (f == NULL)
		return err_nomem(e);
	*f = (struct filename){ .own = strdup(name), .der = der };
	f->name = f->own;
	if (f->own != NULL && tsearch(f, &given->tree, by_name) != NULL)
		return ST_OK;
	free_one(f);
	return err_nomem(e);
}

enum status filename_make(struct filenames *given, const char *prefix, struct span label,
			  struct span serial, struct span der, const char *suffix, struct buf *out,
			  struct tlv_err *e)
{
	const struct filename *twin;
	size_t stem;

	if (prefix != NULL) {
		put_plain(out, span_str(prefix));
		buf_u8(out, '-');
	}
	put_plain(out, without_padding(label));
	stem = out->n;
	buf_str(out, suffix);
	twin = find(given, buf_cstr(out));
	if (twin != NULL && !span_eq(twin->der, der)) {
		buf_truncate(out, stem);
		buf_u8(out, '-');
		buf_hex(out, span_slice(serial, 0, 32), HEX_UPPER, "");
		buf_str(out, suffix);
		twin = find(given, buf_cstr(out));
		if (twin != NULL && !span_eq(twin->der, der))
			return err_set(
				e, ST_OUTPUT,
				"two files of different content would be called '%s': nothing is written",
				buf_cstr(out));
	}
	if (buf_failed(out, e) != ST_OK)
		return ST_NOMEM;
	return twin != NULL ? ST_OK : keep(given, buf_cstr(out), der, e);
}

void filenames_free(struct filenames *given)
{
	tdestroy(given->tree, free_one);
	*given = FILENAMES_INIT;
}
