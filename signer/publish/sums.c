/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/publish/sums.h"

#include "signer/crypto/digest.h"
#include "signer/io/slurp.h"
#include "tlv/text.h"

enum { HASH_DIGITS = 64, SUMS_MAX = 1 << 20 };

/* The next line without its newline; false at the end or if there is none. */
static bool next_line(struct span *rest, struct span *line)
{
	size_t n = 0;

	while (n < rest->n && span_at(*rest, n) != '\n')
		n++;
	if (n == rest->n)
		return false;
	*line = span_slice(*rest, 0, n);
	*rest = span_slice(*rest, n + 1, rest->n);
	return true;
}

/* "<64 hex digits>  <name>", or '*' for the second blank. */
static bool line_name(struct span line, struct span *name)
{
	if (!hex_is(span_slice(line, 0, HASH_DIGITS), HASH_DIGITS))
		return false;
	*name = span_slice(line, HASH_DIGITS + 2, line.n);
	return name->n > 0 && span_at(line, HASH_DIGITS) == ' ' &&
	       (span_at(line, HASH_DIGITS + 1) == ' ' || span_at(line, HASH_DIGITS + 1) == '*');
}

static bool is_ours(struct span text)
{
	struct span line, name;

	while (next_line(&text, &line))
		if (!line_name(line, &name))
			return false;
	return text.n == 0;
}

enum status sums_read(struct sums *s, const char *path, bool overwrite, struct tlv_err *e)
{
	struct publish_options opt = { .kind = KIND_SUMS, .overwrite = overwrite };
	struct tlv_err own = TLV_ERR_INIT;
	struct stat there;
	struct blob file;
	enum status st = publish_check(path, &opt, e);

	if (st != ST_OK || stat(path, &there) != 0)
		return st;
	s->overwrite = overwrite;
	if (slurp(path, SUMS_MAX, SLURP_REGULAR, &file, &own) != ST_OK)
		return err_set(e, ST_OUTPUT, "%s: its lines cannot be kept: move it away",
			       err_text(&own));
	s->exists = true;
	s->st = file.st;
	buf_put(&s->old, blob_span(&file));
	blob_free(&file);
	if (is_ours(buf_span(&s->old)))
		return buf_failed(&s->old, e);
	buf_truncate(&s->old, 0);
	return overwrite ?
		       ST_OK :
		       err_set(e, ST_OUTPUT,
			       "%s: is there already and is not %s: move it away, or replace it with --overwrite",
			       path, kind_text(KIND_SUMS));
}

enum status sums_line(struct buf *out, const char *name, struct span bytes, struct tlv_err *e)
{
	struct digest d;
	enum status st = digest_parts(TLV_SHA256, &bytes, 1, &d, e);

	if (st != ST_OK)
		return st;
	buf_hex(out, digest_span(&d), HEX_LOWER, "");
	buf_printf(out, "  %s\n", name);
	return buf_failed(out, e);
}

enum status sums_add(struct sums *s, const char *name, struct span bytes, struct tlv_err *e)
{
	return sums_line(&s->add, name, bytes, e);
}

bool sums_has(struct span text, struct span name)
{
	struct span line, other;

	while (next_line(&text, &line))
		if (line_name(line, &other) && span_eq(name, other))
			return true;
	return false;
}

enum status sums_text(struct sums *s, struct buf *out, struct tlv_err *e)
{
	struct span old = buf_span(&s->old), line, name;

	/* One that has come to be since it was looked for is somebody's. */
	s->opt = (struct publish_options){ .kind = s->exists ? KIND_SUMS : KIND_OTHER,
					   .overwrite = s->overwrite,
					   .replaces = s->exists ? &s->st : NULL };
	while (next_line(&old, &line)) {
		if (line_name(line, &name) && sums_has(buf_span(&s->add), name))
			continue;
		buf_put(out, line);
		buf_u8(out, '\n');
	}
	buf_put(out, buf_span(&s->add));
	return buf_failed(out, e);
}

void sums_free(struct sums *s)
{
	buf_free(&s->old);
	buf_free(&s->add);
	*s = SUMS_INIT;
}
