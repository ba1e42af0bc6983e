/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/trust/belief.h"

#include <stdlib.h>
#include <string.h>

#include "signer/crypto/cert.h"
#include "signer/crypto/digest.h"
#include "signer/io/env.h"
#include "signer/io/folder.h"
#include "signer/trust/signature.h"
#include "signer/trust/verify.h"
#include "signer/trust/witness.h"
#include "tlv/check.h"
#include "tlv/kind.h"
#include "tlv/safe.h"
#include "tlv/text.h"

static struct belief_key *new_key(struct belief *b, size_t witness, const char *option,
				  const char *arg)
{
	struct buf why = BUF_INIT;
	struct belief_key *k;

	if (!ARRAY_ROOM(b->keys, b->nkeys, b->keys_cap))
		return NULL;
	buf_printf(&why, "%s%s%s", option, arg != NULL ? " " : "", arg != NULL ? arg : "");
	k = &b->keys[b->nkeys];
	*k = (struct belief_key){ .witness = witness, .why = span_dup(buf_span(&why)) };
	buf_free(&why);
	b->nkeys += k->why != NULL;
	return k->why != NULL ? k : NULL;
}

static enum status fill_key(struct belief_key *k, struct span key, struct tlv_err *e)
{
	if (k == NULL)
		return err_nomem(e);
	k->key = (uint8_t *)span_dup(key);
	k->n = key.n;
	return k->key != NULL ? ST_OK : err_nomem(e);
}

enum status belief_key(struct belief *b, const char *option, struct span public_key,
		       struct tlv_err *e)
{
	return fill_key(new_key(b, 0, "the key of", option), public_key, e);
}

/* 40 digits; blanks and colons may stand between. */
static bool sha1_from_text(const char *text, uint8_t out[20])
{
	struct buf bytes = BUF_INIT;
	bool is = hex_parse(span_str(text), ": ", &bytes) == HEX_OK && bytes.n == 20 &&
		  span_copy(buf_span(&bytes), out, 20);

	buf_free(&bytes);
	return is;
}

enum status belief_accept_signer(struct belief *b, const char *text, struct tlv_err *e)
{
	struct belief_key *k = new_key(b, 0, "--accept-signer", NULL);

	if (k == NULL)
		return err_nomem(e);
	if (sha1_from_text(text, k->sha1))
		return ST_OK;
	return err_set(
		e, ST_USAGE,
		"option '--accept-signer': '%s' is no SHA-1 of a certificate: 40 digits, as 'show ctl' prints them",
		text);
}

static void note_list(struct belief_witness *w, const struct list_file *f)
{
	w->is_list = tlv_list_begins(blob_span(&f->file));
	w->is_itl = w->is_list && tlv_list_is_itl(&f->list);
	w->has_time = tlv_header_has(&f->list.header, TLV_H_TIMESTAMP);
	w->time = f->list.header.timestamp;
}

/* Remembers the file, so that the list in question is known when it is met again. */
static enum status add_witness(struct belief *b, const char *path, const struct list_file *f,
			       bool named, struct tlv_err *e)
{
	struct belief_witness *w;
	struct span bytes = blob_span(&f->file);
	struct digest d;

	if (!ARRAY_ROOM(b->witnesses, b->nwitnesses, b->witnesses_cap))
		return err_nomem(e);
	if (digest_parts(TLV_SHA256, &bytes, 1, &d, e) != ST_OK)
		return e->status;
	w = &b->witnesses[b->nwitnesses];
	*w = (struct belief_witness){ .path = strdup(path), .file = f->file.st, .named = named };
	note_list(w, f);
	(void)span_copy(digest_span(&d), w->sha256, sizeof w->sha256);
	if (w->path == NULL)
		return err_nomem(e);
	b->nwitnesses++;
	return ST_OK;
}

struct adding {
	struct belief *b;
	const char *option;
	const struct tlv_warn *warn;
};

/* The key inside a certificate: what field 7 says never counts. */
static enum status add_certificate(void *arg, struct span der, bool is_ca, struct tlv_err *e)
{
	const struct adding *f = arg;
	struct belief *b = f->b;
	struct tlv_cert c;
	struct belief_key *k;
	enum status st = tlv_cert_walk(der, &c, e);

	if (st != ST_OK)
		return st;
	k = new_key(b, b->nwitnesses, f->option, b->witnesses[b->nwitnesses - 1].path);
	st = fill_key(k, c.public_key, e);
	if (st == ST_OK)
		k->is_ca = is_ca;
	return st;
}

static enum status add_read(struct adding *f, const char *path, const struct list_file *l,
			    bool named, struct tlv_err *e)
{
	enum status st = add_witness(f->b, path, l, named, e);

	return st == ST_OK ? witness_each(l, path, f->warn, add_certificate, f, e) : st;
}

static enum status add_file(struct adding *f, const char *path, bool named, struct tlv_err *e)
{
	struct list_file l;
	enum status st = list_file_read(&l, path, (named ? 0 : LIST_FOUND) | LIST_DAMAGED, e);

	if (st != ST_OK)
		return st;
	st = add_read(f, path, &l, named, e);
	list_file_free(&l);
	return st;
}

enum status belief_trust_list(struct belief *b, const char *option, const char *arg,
			      const struct list_file *l, const struct tlv_warn *warn,
			      struct tlv_err *e)
{
	struct adding of = { .b = b, .option = option, .warn = warn };

	return add_read(&of, arg, l, true, e);
}

static void key_free_one(struct belief_key *k)
{
	free(k->key);
	free(k->why);
}

/* Forgets what a file that turned out bad has added. */
static void roll_back(struct belief *b, size_t nkeys, size_t nwitnesses)
{
	while (b->nkeys > nkeys)
		key_free_one(&b->keys[--b->nkeys]);
	while (b->nwitnesses > nwitnesses)
		free(b->witnesses[--b->nwitnesses].path);
}

/* What cannot be read vouches for nobody, and does not silence the others. */
static enum status add_found(void *arg, const char *path, bool named, struct tlv_err *e)
{
	struct adding *f = arg;
	struct tlv_err own = TLV_ERR_INIT;
	size_t nkeys = f->b->nkeys, nwitnesses = f->b->nwitnesses;
	enum status st = add_file(f, path, false, &own);

	(void)named;
	if (st == ST_NOMEM)
		return err_nomem(e);
	if (st == ST_OK)
		return ST_OK;
	roll_back(f->b, nkeys, nwitnesses);
	warn_put(f->warn, "%s", err_text(&own));
	return ST_OK;
}

enum status belief_trust(struct belief *b, const char *option, const char *arg,
			 const struct tlv_warn *warn, struct tlv_err *e)
{
	struct adding folder = { .b = b, .option = option, .warn = warn };

	if (strcmp(arg, "self") == 0)
		return err_set(
			e, ST_USAGE,
			"option '%s': a list cannot vouch for itself: name the certificate of who may have signed it",
			option);
	if (folder_is(arg))
		return folder_files(arg, add_found, &folder, e);
	return add_file(&folder, arg, true, e);
}

/* A server may answer twice with different bytes: what it says of itself is no witness. */
static bool is_same_url(const char *a, const char *b)
{
	size_t n = strcspn(a, "#");

	return path_is_url(a) && n == strcspn(b, "#") && strncasecmp(a, b, n) == 0;
}

static bool is_same_file(const struct belief_witness *w, const struct belief_subject *s,
			 struct span sha256)
{
	/* What was rebuilt of a log has no inode. */
	return (w->file.st_ino != 0 && w->file.st_dev == s->file->st_dev &&
		w->file.st_ino == s->file->st_ino) ||
	       is_same_url(w->path, s->path) ||
	       span_eq(span_of(w->sha256, sizeof w->sha256), sha256);
}

/* The folder that a path stands in; NULL if it cannot be found, or is standard input. Free it. */
static char *folder_of(const char *path, bool follow)
{
	char *real = NULL, *above, *folder = NULL;
	const char *slash;

	if (strcmp(path, "-") != 0)
		real = follow ? realpath(path, NULL) : strdup(path);
	slash = real != NULL ? strrchr(real, '/') : NULL;
	above = slash != NULL ? strndup(real, slash == real ? 1 : (size_t)(slash - real)) :
				strdup(".");
	if (real != NULL && above != NULL)
		folder = realpath(above, NULL);
	free(above);
	free(real);
	return folder;
}

/* Anybody who can write into the list's folder can exchange a witness in it, or the link to one. */
static bool is_neighbour(const struct belief_witness *w, const struct belief_subject *s)
{
	char *home = folder_of(s->path, false), *named = folder_of(w->path, false),
	     *real = folder_of(w->path, true);
	bool is = home != NULL && ((named != NULL && strcmp(named, home) == 0) ||
				   (real != NULL && strcmp(real, home) == 0));

	free(home);
	free(named);
	free(real);
	return is;
}

static enum status put_back(const struct belief_witness *w, const struct belief_subject *s,
			    struct tlv_err *e)
{
	char later[32], when[32];

	time_iso(w->time, later);
	time_iso(s->list->header.timestamp, when);
	return err_set(
		e, ST_NO,
		"%s: an older list was put back: it was signed on %s, and %s on %s\n  find out who did that, and put the later list in its place",
		s->path, when, w->path, later);
}

/* What is wrong with a witness for this list; *counts tells whether its keys do. */
static enum status judge_witness(const struct belief_witness *w, const struct belief_subject *s,
				 struct span sha256, const struct tlv_warn *warn, bool *counts,
				 struct tlv_err *e)
{
	*counts = !is_same_file(w, s, sha256);
	if (!*counts && w->named)
		return err_set(
			e, ST_USAGE,
			"%s is %s itself: a list cannot vouch for itself: name the certificate of who may have signed it",
			w->path, s->path);
	if (!*counts)
		return ST_OK;
	if (w->is_list && w->is_itl == tlv_list_is_itl(s->list) && w->has_time &&
	    tlv_header_has(&s->list->header, TLV_H_TIMESTAMP) &&
	    w->time > s->list->header.timestamp)
		return put_back(w, s, e);
	if (path_is_url(w->path))
		trust_warn_of_network(warn, w->path);
	else if (is_neighbour(w, s))
		warn_put(
			warn,
			"%s: stands in the folder of %s: who can write the list there can write this as well",
			w->path, s->path);
	return ST_OK;
}

static bool fits(const struct belief_key *k, struct span key, const uint8_t sha1[20])
{
	return k->key != NULL ? span_eq(span_of(k->key, k->n), key) :
				span_eq(span_of(k->sha1, 20), span_of(sha1, 20));
}

static enum status find_why(const struct belief *b, const struct belief_subject *s,
			    const bool *counts, struct believed *out, struct tlv_err *e)
{
	struct tlv_record r = tlv_list_record(s->list, (size_t)out->signer);
	const struct belief_key *ca = NULL;
	struct tlv_cert c;
	uint8_t sha1[20];
	enum status st = tlv_cert_walk(r.certificate, &c, e);

	if (st == ST_OK)
		st = cert_sha1(r.certificate, sha1, e);
	for (size_t i = 0; i < b->nkeys && st == ST_OK; i++) {
		const struct belief_key *k = &b->keys[i];

		if (k->witness > 0 && !counts[k->witness - 1])
			continue;
		if (fits(k, c.public_key, sha1)) {
			out->state = BELIEF_GIVEN;
			out->why = k->why;
			out->by_key = k->witness == 0 && k->key != NULL;
			return ST_OK;
		}
		if (k->is_ca && b->witnesses[k->witness - 1].named)
			ca = k;
	}
	if (st == ST_OK && ca != NULL)
		st = err_set(
			e, ST_INPUT,
			"%s: is a CA certificate, and the tokens' CA also issued every phone's own: name the signer's certificate",
			ca->why);
	return st;
}

static enum status judge_witnesses(const struct belief *b, const struct belief_subject *s,
				   const struct tlv_warn *warn, bool *counts, struct tlv_err *e)
{
	struct digest d;
	enum status st = digest_parts(TLV_SHA256, &s->list->bytes, 1, &d, e);

	for (size_t i = 0; i < b->nwitnesses && st == ST_OK; i++)
		st = judge_witness(&b->witnesses[i], s, digest_span(&d), warn, &counts[i], e);
	return st;
}

enum status belief_judge(const struct belief *b, const struct belief_subject *s,
			 const struct tlv_warn *warn, struct believed *out, struct tlv_err *e)
{
	bool *counts = calloc(b->nwitnesses + 1, sizeof *counts);
	enum status st;

	*out = (struct believed){ .state = BELIEF_BAD };
	if (counts == NULL)
		return err_nomem(e);
	if (signature_vouches(s->list, &out->signer))
		out->state = BELIEF_UNKNOWN;
	st = judge_witnesses(b, s, warn, counts, e);
	if (st == ST_OK && out->state == BELIEF_UNKNOWN)
		st = find_why(b, s, counts, out, e);
	free(counts);
	return st;
}

/* Where the user finds a certificate to compare with: it depends on who signs such lists. */
static const char *how_to_get(const struct tlv_list *l, const struct tlv_record *signer)
{
	if (tlv_record_is_token(signer))
		return "'ctlsign export' writes a token's certificate";
	if (tlv_list_dialect(l).style == TLV_STYLE_RFC4514)
		return "it is the certificate that the PBX's lists are signed with";
	if (tlv_record_is_itlrecovery(signer))
		return "'show cert own ITLRecovery' on the publisher prints it: save it as PEM";
	return "'show cert own CallManager' on the publisher prints it: save it as PEM";
}

static enum status refuse_unknown(const struct believed *found, const struct belief_subject *s,
				  const char *what, struct tlv_err *e)
{
	enum { NAME_SHOWN = 256 };
	struct tlv_record r = tlv_list_record(s->list, (size_t)found->signer);
	struct buf name = BUF_INIT, sha1 = BUF_INIT;
	char when[32] = "not told";
	uint8_t digest[20];
	enum status st = cert_sha1(r.certificate, digest, e);

	safe_text(&name, tlv_text(r.subject));
	if (st == ST_OK)
		buf_hex(&sha1, span_of(digest, sizeof digest), HEX_UPPER, " ");
	if (tlv_header_has(&s->list->header, TLV_H_TIMESTAMP))
		time_iso(s->list->header.timestamp, when);
	if (st == ST_OK)
		st = err_set(
			e, ST_NO,
			"%s: not verified: nobody you named has signed this list: %s\n  signer: %.*s\n  SHA-1 of the signer's certificate: %s\n  time of signing: %s\n  compare them with 'show ctl' on the publisher; if they are the same, name that certificate with --trust CERT\n  %s",
			s->path, what, NAME_SHOWN, buf_cstr(&name), buf_cstr(&sha1), when,
			how_to_get(s->list, &r));
	buf_free(&name);
	buf_free(&sha1);
	return st;
}

enum status belief_refuse(const struct believed *found, const struct belief_subject *s,
			  const char *what, struct tlv_err *e)
{
	long signer;

	if (found->state == BELIEF_GIVEN)
		return ST_OK;
	if (found->state == BELIEF_UNKNOWN)
		return refuse_unknown(found, s, what, e);
	if (signature_is_own(s->list, &signer))
		return err_set(
			e, ST_NO,
			"%s: the signer's record is not what its certificate says: 'ctlsign verify' says more: %s",
			s->path, what);
	return err_set(e, ST_NO,
		       "%s: its signature does not verify: 'ctlsign verify' says more: %s", s->path,
		       what);
}

void belief_free(struct belief *b)
{
	roll_back(b, 0, 0);
	free(b->keys);
	free(b->witnesses);
	*b = BELIEF_INIT;
}
