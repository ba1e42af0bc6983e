/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/config/config_stage.h"

#include "signer/config/batch.h"

/* By the verdict of verify: what was moved or added since it was signed is not kept. */
static bool is_ours(const struct config *c, const struct tlv_header *h, const struct digest *digest)
{
	struct tlv_findings found;
	struct span own = key_cert(c->key)->parts.public_key;
	bool verified =
		key_check(c->key, c->digest, digest_span(digest), h->signature, NULL) == ST_OK;
	bool good = verdict_is_good(config_judge(c, h, own, verified, &found));

	tlv_findings_free(&found);
	return good;
}

/* The content goes into the digest; false at the first byte that is not the wanted source's. */
static bool take_content(const struct config_old *o, const struct source *wanted,
			 struct digest_stream *d)
{
	uint8_t x[SOURCE_CHUNK], y[SOURCE_CHUNK];
	struct span a = { .n = 1 }, b;

	for (uint64_t at = 0; a.n > 0; at += a.n) {
		if (batch_signal() != 0 ||
		    source_read(&o->src, at + o->header.raw.n, x, sizeof x, &a, NULL) != ST_OK)
			return false;
		if (wanted != NULL &&
		    (source_read(wanted, at, y, sizeof y, &b, NULL) != ST_OK || !span_eq(a, b)))
			return false;
		if (digest_add(d, a, NULL) != ST_OK)
			return false;
	}
	return source_check(&o->src, NULL) == ST_OK;
}

static bool open_old(struct config_old *o, const struct config *c, struct config_file *f)
{
	const char *path = buf_cstr(&f->output);
	int fd;

	o->src = SOURCE_INIT;
	return publish_peek(path, c->group, &fd, NULL) == ST_OK && fd >= 0 &&
	       source_take(&o->src, fd, path, NULL) == ST_OK &&
	       source_read(&o->src, 0, o->room, sizeof o->room, &o->start, NULL) == ST_OK &&
	       tlv_header_decode(&o->header, o->start, NULL) == ST_OK &&
	       config_same_header(c, f, &o->header);
}

bool config_old_is_good(struct config_old *o, const struct config *c, struct config_file *f,
			uint64_t size, const struct source *wanted)
{
	struct digest_stream *d = NULL;
	struct digest digest;
	bool good = open_old(o, c, f) && (uint64_t)o->src.st.st_size == o->header.raw.n + size &&
		    config_begin_digest_read(&d, &o->header, NULL) == ST_OK &&
		    take_content(o, wanted, d) && digest_end(&d, &digest, NULL) == ST_OK &&
		    is_ours(c, &o->header, &digest);

	digest_drop(&d);
	return good;
}
