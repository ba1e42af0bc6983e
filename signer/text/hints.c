/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/text/hints.h"

#include <stdlib.h>
#include <string.h>

#include "signer/crypto/certfile.h"
#include "signer/io/folder.h"
#include "signer/io/out.h"
#include "signer/io/slurp.h"
#include "signer/text/pem.h"
#include "tlv/der.h"
#include "tlv/text.h"

enum {
	FILE_MAX = 16 << 20, /* bytes of one log */
	DAMAGED_NAMED = 10   /* certificates of one log */
};

/* The command line of this process, and what was read for it. */
static struct {
	const char **paths;
	size_t npaths, paths_cap;
	struct rebuild_address *addresses;
	size_t naddresses, addresses_cap;
	bool has_timestamp, loaded;
	uint32_t timestamp;
	struct certset certs;
	struct buf texts; /* the logs among the files, one after the other */
} given;

enum status hints_add_certs(const char *path, struct tlv_err *e)
{
	if (!ARRAY_ROOM(given.paths, given.npaths, given.paths_cap))
		return err_nomem(e);
	given.paths[given.npaths++] = path;
	return ST_OK;
}

enum status hints_add_address(const char *text, struct tlv_err *e)
{
	const char *equals = strrchr(text, '=');
	struct rebuild_address a = { .name = SPAN_NONE };

	if (equals == NULL || equals == text)
		return err_set(
			e, ST_USAGE,
			"option '--address': '%s' is no NAME=IP, such as cucm-pub=10.48.47.153",
			text);
	if (address_read(equals + 1, a.ip, e) != ST_OK)
		return err_in(e, "option '--address'");
	a.name = span_of(text, (size_t)(equals - text));
	if (!ARRAY_ROOM(given.addresses, given.naddresses, given.addresses_cap))
		return err_nomem(e);
	given.addresses[given.naddresses++] = a;
	return ST_OK;
}

void hints_set_timestamp(uint32_t timestamp)
{
	given.has_timestamp = true;
	given.timestamp = timestamp;
}

bool hints_given(void)
{
	return given.npaths > 0;
}

static enum status add_certificate(void *arg, struct span der, struct tlv_err *e)
{
	struct tlv_err own = TLV_ERR_INIT;

	(void)arg;
	/* What is no certificate of ours is no reason to miss the others. */
	return certset_add(&given.certs, der, NULL, &own) == ST_NOMEM ? err_nomem(e) : ST_OK;
}

/* A log whose certificates are being taken. */
struct source {
	const char *path;
	size_t n, damaged; /* certificates */
};

static enum status add_block(void *arg, struct span block, size_t line, struct tlv_err *e)
{
	struct source *s = arg;
	struct tlv_err own = TLV_ERR_INIT;
	size_t n = 0;
	enum status st = cert_each(block, add_certificate, NULL, &n, &own);

	s->n += n;
	if (st == ST_NOMEM)
		return err_copy(e, &own);
	if (st != ST_OK && s->damaged++ < DAMAGED_NAMED)
		msg_warn("%s: line %zu: a certificate that is damaged is skipped: %s", s->path,
			 line, err_text(&own));
	return ST_OK;
}

static enum status take_blocks(struct source *s, struct span text, struct tlv_err *e)
{
	enum status st = pem_each(text, add_block, s, e);

	if (s->damaged > DAMAGED_NAMED)
		msg_warn("%s: certificates that are damaged: %zu, of which %d are named", s->path,
			 s->damaged, DAMAGED_NAMED);
	return st;
}

/* A text is kept: it may name the nodes' addresses. */
static enum status add_text(struct source *s, struct span bytes, struct tlv_err *e)
{
	buf_put(&given.texts, bytes);
	buf_u8(&given.texts, '\n');
	if (buf_failed(&given.texts, e) != ST_OK)
		return e->status;
	return take_blocks(s, bytes, e);
}

static enum status add_file(void *arg, const char *path, bool named, struct tlv_err *e)
{
	struct tlv_err own = TLV_ERR_INIT;
	struct source s = { .path = path };
	struct blob file;
	enum status st = slurp(path, FILE_MAX, named ? SLURP_ANY : SLURP_REGULAR, &file, &own);
	struct span bytes = blob_span(&file);

	(void)arg;
	if (st == ST_OK && span_at(bytes, 0) == DER_SEQUENCE)
		st = cert_each(bytes, add_certificate, NULL, &s.n, &own);
	else if (st == ST_OK)
		st = add_text(&s, bytes, &own);
	if (st == ST_OK && s.n == 0)
		msg_step("no certificate in %s", path);
	blob_free(&file);
	if (st == ST_NOMEM || (st != ST_OK && named))
		return err_copy(e, &own);
	if (st != ST_OK)
		msg_warn("%s: skipped: %s", path, err_text(&own));
	return ST_OK;
}

static enum status load(struct tlv_err *e)
{
	enum status st = ST_OK;

	for (size_t i = 0; !given.loaded && i < given.npaths && st == ST_OK; i++)
		st = folder_each(given.paths[i], add_file, NULL, e);
	given.loaded = st == ST_OK;
	return st;
}

enum status hints_certs(struct span log, const char *path, const struct certset **out,
			struct tlv_err *e)
{
	struct source s = { .path = path };
	enum status st = load(e);

	*out = &given.certs;
	return st == ST_OK && log.n > 0 ? take_blocks(&s, log, e) : st;
}

enum status hints_for(const struct printed *p, const struct certset *certs, struct span log,
		      struct rebuild_hints *out, struct rebuild_address **owned, struct tlv_err *e)
{
	size_t n = given.naddresses;
	enum status st;

	*owned = NULL;
	if (n > 0) {
		*owned = calloc(n, sizeof **owned);
		if (*owned == NULL)
			return err_nomem(e);
		for (size_t i = 0; i < n; i++)
			(*owned)[i] = given.addresses[i];
	}
	st = rebuild_addresses(p, log, owned, &n, e);
	if (st == ST_OK)
		st = rebuild_addresses(p, buf_span(&given.texts), owned, &n, e);
	*out = (struct rebuild_hints){ .certs = certs,
				       .addresses = *owned,
				       .naddresses = n,
				       .has_timestamp = given.has_timestamp,
				       .timestamp = given.timestamp };
	return st;
}

void hints_free(void)
{
	free(given.paths);
	free(given.addresses);
	certset_free(&given.certs);
	buf_free(&given.texts);
}
