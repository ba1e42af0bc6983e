/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/plan/forecast/stage.h"

#include "tlv/kind.h"

#define W(name) (1U << STAGE_WHEN_##name)

static const struct stage_rule rule_rows[] = {
#define FORECAST_STAGE(kind, when, ctl, itl, fact) \
	{ PLAN_KIND_##kind, when, STAGE_##ctl, STAGE_##itl, FACT_##fact },
#include "signer/plan/forecast/forecast_rules.def"
#undef FORECAST_STAGE
};

unsigned stage_conditions(const struct cluster *c)
{
	unsigned w = c->release->itl_signer == RELEASE_ITLRECOVERY ? W(RECOVERY_SIGNS) :
								     W(CALLMANAGER_SIGNS);

	w |= c->resets ? W(RESET) : 0U;
	if (!c->mixed)
		return w | W(NOT_MIXED);
	return w | (c->tokens ? W(TOKENS) : W(TOKENLESS));
}

size_t stage_rules(const struct cluster *c, enum plan_kind kind,
		   const struct stage_rule *rules[STAGES_MAX])
{
	unsigned w = stage_conditions(c);
	size_t n = 0;

	for (size_t i = 0; i < COUNT(rule_rows) && n < STAGES_MAX; i++)
		if (rule_rows[i].kind == kind && (rule_rows[i].when & ~w) == 0)
			rules[n++] = &rule_rows[i];
	return n;
}

/* CLUSTER_CERTS_MAX: none that is known. */
static size_t cert_of_record(const struct cluster *c, const struct tlv_list *l, size_t i)
{
	struct tlv_record r = tlv_list_record(l, i);

	return cluster_find_cert(c, r.certificate);
}

bool stage_shows(const struct cluster *c, const struct tlv_list *l,
		 const struct cluster_state *renews)
{
	for (size_t i = 0; l != NULL && i < l->nrecords; i++) {
		size_t cert = cert_of_record(c, l, i);

		if (cert < c->ncerts && cluster_is_renewed(renews, cert))
			return true;
	}
	return false;
}

bool stage_has_kind(const struct cluster *c, const struct tlv_list *l, enum plan_kind kind)
{
	for (size_t i = 0; l != NULL && i < l->nrecords; i++) {
		size_t cert = cert_of_record(c, l, i);

		if (cert < c->ncerts && c->certs[cert].kind == kind)
			return true;
	}
	return false;
}

/* One list to be foreseen, and what it is made of. */
struct draft {
	const struct cluster *c;
	const struct cluster_state *s;
	const struct tlv_list *pattern; /* a list that is served now */
	size_t owner;	 /* the pattern's node; CLUSTER_NONE: it is the list's own pattern */
	size_t node;	 /* whose ITL it is */
	struct span der; /* of the signer, as it is in this state */
	struct span subject, serial, issuer; /* … as its record has them */
	bool signer_is_sast;
	const struct tlv_cert *anchor; /* one SAST record more; NULL: none */
};

/*
 * Whether the record is of the pattern's own node, whose place this node takes. Its certificate may
 * be superseded; one of all nodes is another node's in name.
 */
static bool is_moved(const struct draft *d, const struct tlv_record *r)
{
	size_t at = cluster_find_cert(d->c, r->certificate);
	const struct cluster_cert *x = &d->c->certs[at < d->c->ncerts ? at : 0];

	if (d->owner == CLUSTER_NONE || at >= d->c->ncerts)
		return false;
	return at == d->c->nodes[d->owner].callmanager || at == d->c->nodes[d->owner].ecdsa ||
	       (x->node == d->owner &&
		(x->kind == PLAN_KIND_CALLMANAGER || x->kind == PLAN_KIND_ECDSA));
}

/* What this node has in the place of the record's; CLUSTER_CERTS_MAX: nothing that is known. */
static size_t moved_cert(const struct draft *d, const struct tlv_record *r)
{
	const struct cluster_node *to = &d->c->nodes[d->node];

	return tlv_record_is_ec(r) ? to->ecdsa : to->callmanager;
}

/* The record's certificate now; NULL: it stays as it is. The node has one: see is_nobodys(). */
static const struct tlv_cert *replacement(const struct draft *d, const struct tlv_record *r)
{
	size_t at = cluster_find_cert(d->c, r->certificate);

	if (at >= d->c->ncerts)
		return NULL;
	if (is_moved(d, r))
		return cluster_cert_now(d->c, d->s, moved_cert(d, r));
	return cluster_is_renewed(d->s, at) ? cluster_cert_now(d->c, d->s, at) : NULL;
}

static struct tlv_dialect dialect_of(const struct tlv_record *r)
{
	struct tlv_dialect own;

	(void)tlv_record_dialect(r, &own);
	return own;
}

/* number: of the pattern's record, from 1. */
static enum status write_record(struct buf *b, const struct draft *d, const struct tlv_record *r,
				size_t number, const struct tlv_cert *cert, struct tlv_err *e)
{
	struct tlv_record_spec spec = { .dialect = dialect_of(r),
					.role = r->role,
					.cert = cert,
					.name = tlv_text(r->dns_name) };
	struct span address = r->address;

	if (is_moved(d, r)) {
		spec.name = d->c->nodes[d->node].name;
		address = d->c->nodes[d->node].address;
	}
	spec.has_address = address.n == sizeof spec.address &&
			   span_copy(address, spec.address, sizeof spec.address);
	if (tlv_record_write(b, &spec, NULL) == ST_OK)
		return ST_OK;
	return err_set(
		e, ST_USAGE,
		"record %zu: it cannot be written with a renewed certificate, as it has neither name nor address: give the list that CUCM serves",
		number);
}

static enum status write_anchor(struct buf *b, const struct draft *d, struct tlv_err *e)
{
	const struct tlv_record_spec spec = { .dialect = tlv_list_dialect(d->pattern),
					      .role = TLV_ROLE_SAST,
					      .cert = d->anchor,
					      .name = SPAN_LIT("anchor") };

	return tlv_record_write(b, &spec, e);
}

/* The header names the signer as its record does: the SAST record if there are others. */
static void note_signer(struct draft *d, struct span record)
{
	struct tlv_record r;

	if (tlv_record_decode(&r, record, 0, NULL) != ST_OK || !span_eq(r.certificate, d->der) ||
	    d->signer_is_sast)
		return;
	d->subject = r.subject;
	d->serial = r.serial;
	d->issuer = r.issuer;
	d->signer_is_sast = tlv_record_is(&r, TLV_ROLE_SAST);
}

/* Spans into the records are taken only when they move no more. */
static void find_signer(struct draft *d, struct span records)
{
	struct tlv_record r;

	while (records.n > 0 && tlv_record_decode(&r, records, 0, NULL) == ST_OK) {
		note_signer(d, r.raw);
		records = span_slice(records, r.raw.n, records.n);
	}
}

/* [BLANK_TAKES_ANY]: which records a blank ITL lacks. */
static bool is_emptied(const struct tlv_record *r)
{
	return tlv_record_is_tftp(r) || tlv_record_is(r, TLV_ROLE_TVS);
}

bool stage_is_blank(const struct tlv_list *l)
{
	for (size_t i = 0; i < l->nrecords; i++) {
		struct tlv_record r = tlv_list_record(l, i);

		if (is_emptied(&r))
			return false;
	}
	return tlv_list_is_itl(l);
}

/* CUCM cannot write what the node does not have. */
static bool is_nobodys(const struct draft *d, const struct tlv_record *r)
{
	return is_moved(d, r) && moved_cert(d, r) >= d->c->ncerts;
}

static enum status write_records(struct buf *b, struct draft *d, struct tlv_err *e)
{
	enum status st = ST_OK;

	for (size_t i = 0; st == ST_OK && i < d->pattern->nrecords; i++) {
		struct tlv_record r = tlv_list_record(d->pattern, i);
		const struct tlv_cert *cert;

		if ((d->s->blank && is_emptied(&r)) || is_nobodys(d, &r))
			continue;
		cert = replacement(d, &r);
		if (cert != NULL)
			st = write_record(b, d, &r, i + 1, cert, e);
		else
			buf_put(b, r.raw);
	}
	if (st == ST_OK && d->anchor != NULL)
		st = write_anchor(b, d, e);
	find_signer(d, buf_span(b));
	return st == ST_OK ? buf_failed(b, e) : st;
}

static enum status write_header(struct buf *b, const struct draft *d, struct span key,
				uint32_t time, struct tlv_err *e)
{
	const struct tlv_header *h = &d->pattern->header;
	enum tlv_key_type type;
	unsigned bits = tlv_key_bits(key, &type);
	int modulus = tlv_modulus_code(bits);
	size_t hole;
	struct tlv_header_spec spec = {
		.version = { h->version[0], h->version[1] },
		.signer_name = d->subject,
		.signer_serial = d->serial,
		.signer_issuer = d->issuer,
		.digest = h->digest,
		.modulus = modulus < 0 ? h->modulus : (uint8_t)modulus,
		.signature_bytes = modulus < 0 ? h->signature.n : bits / 8,
		.filename = tlv_text(h->filename),
		.has_timestamp = true,
		.timestamp = h->timestamp + time,
		.has_signer_version = tlv_header_has(h, TLV_H_SIGNER_VERSION),
		.signer_version = { h->signer_version[0], h->signer_version[1] }
	};

	return tlv_header_write(b, &spec, &hole, e);
}

/* The list of its finished bytes. It is made of what the pattern knows, and knows no more. */
static enum status read_again(struct stage_list *out, const struct tlv_list *pattern,
			      struct tlv_err *e)
{
	enum status st = buf_failed(&out->bytes, e);

	if (st == ST_OK)
		st = tlv_list_decode(&out->foreseen, buf_span(&out->bytes), e);
	out->foreseen.stand_in = pattern->stand_in;
	out->list = st == ST_OK ? &out->foreseen : NULL;
	return st;
}

static enum status assemble(struct stage_list *out, struct draft *d, uint32_t time,
			    struct tlv_err *e)
{
	struct buf records = BUF_INIT;
	enum status st = write_records(&records, d, e);

	if (st == ST_OK && d->serial.n == 0)
		st = err_set(
			e, ST_USAGE,
			"the lists do not hold the certificate that signs them in CUCM %s: is the release right, and is each list the present one",
			d->c->release->name);
	if (st == ST_OK)
		st = write_header(&out->bytes, d, out->key, time, e);
	buf_put(&out->bytes, buf_span(&records));
	buf_free(&records);
	return st == ST_OK ? read_again(out, d->pattern, e) : st;
}

static enum status no_signer(const struct cluster *c, const char *which, struct tlv_err *e)
{
	return err_set(
		e, ST_USAGE,
		"the lists show no %s certificate, which signs in CUCM %s: is the release right",
		which, c->release->name);
}

static size_t recovery_of(const struct cluster *c, size_t node)
{
	size_t own = cluster_cert_of(c, PLAN_KIND_ITLRECOVERY, node);

	return own < c->ncerts ? own : cluster_cert_of(c, PLAN_KIND_ITLRECOVERY, CLUSTER_NONE);
}

/* Whose certificate signs, as it is in this state. */
static enum status set_signer(struct stage_list *out, struct draft *d, enum release_signer who,
			      size_t node, struct tlv_err *e)
{
	bool recovery = who == RELEASE_ITLRECOVERY;

	out->signer = recovery ? recovery_of(d->c, node) : d->c->nodes[node].callmanager;
	if (out->signer >= d->c->ncerts)
		return no_signer(d->c, recovery ? "ITLRecovery" : "CallManager", e);
	d->der = cluster_cert_now(d->c, d->s, out->signer)->der;
	out->key = cluster_cert_now(d->c, d->s, out->signer)->public_key;
	return ST_OK;
}

/* Who signs the list of a stage, whose ordinary signer in this release is given. */
static enum release_signer who_signs(enum stage_writes how, enum release_signer ordinary)
{
	if (how == STAGE_CALLMANAGER)
		return RELEASE_CALLMANAGER;
	return how == STAGE_ITLRECOVERY ? RELEASE_ITLRECOVERY : ordinary;
}

/* [PROVIDER_GONE] */
static enum status set_token(struct stage_list *out, struct draft *d, struct tlv_err *e)
{
	struct tlv_record r;

	if (!d->c->release->tokens)
		return err_set(
			e, ST_USAGE,
			"a token signed the CTL, but CUCM %s takes no tokens: is the release right; if so, move to a tokenless CTL first",
			d->c->release->name);
	out->signer = CLUSTER_CERTS_MAX;
	if (d->c->token != NULL) {
		out->key = d->c->token->public_key;
		d->der = d->c->token->der;
		return ST_OK;
	}
	r = tlv_list_record(d->pattern, (size_t)tlv_list_signer(d->pattern));
	out->key = r.public_key;
	d->der = r.certificate;
	return ST_OK;
}

static enum status write_ctl(struct stage_list *out, const struct cluster *c,
			     const struct cluster_state *s, enum stage_writes how, uint32_t time,
			     const struct tlv_cert *anchor, struct tlv_err *e)
{
	struct draft d = {
		.c = c, .s = s, .pattern = c->ctl, .anchor = anchor, .owner = CLUSTER_NONE
	};
	enum release_signer who = who_signs(how, c->release->signer);
	enum status st;

	*out = (struct stage_list){ .bytes = BUF_INIT };
	if (c->tokens && how == STAGE_ORDINARY)
		st = set_token(out, &d, e);
	else if (who == RELEASE_NOBODY)
		st = err_set(e, ST_USAGE, "CUCM %s has no CTL without tokens: is the release right",
			     c->release->name);
	else
		st = set_signer(out, &d, who, c->publisher, e);
	return st == ST_OK ? assemble(out, &d, time, e) : st;
}

enum status stage_write_ctl(struct stage_list *out, const struct cluster *c,
			    const struct cluster_state *s, enum stage_writes how, uint32_t time,
			    struct tlv_err *e)
{
	return write_ctl(out, c, s, how, time, NULL, e);
}

enum status stage_write_bridge(struct stage_list *out, const struct cluster *c,
			       const struct tlv_cert *anchor, struct tlv_err *e)
{
	const struct cluster_state now = { .blank = false };

	return write_ctl(out, c, &now, STAGE_ORDINARY, 1, anchor, e);
}

enum status stage_write_itl(struct stage_list *out, const struct cluster *c,
			    const struct cluster_state *s, size_t node, enum stage_writes how,
			    uint32_t time, struct tlv_err *e)
{
	struct draft d = { .c = c, .s = s, .owner = CLUSTER_NONE, .node = node };
	enum release_signer who = who_signs(how, c->release->itl_signer);
	size_t owner;
	enum status st;

	*out = (struct stage_list){ .bytes = BUF_INIT };
	d.pattern = c->nodes[node].itl != NULL ? c->nodes[node].itl : c->itls[0];
	owner = cluster_owner(c, d.pattern);
	if (owner != node)
		d.owner = owner;
	st = set_signer(out, &d, who, node, e);
	return st == ST_OK ? assemble(out, &d, time, e) : st;
}

enum status stage_sign_by(struct stage_list *out, const struct tlv_list *records,
			  const struct tlv_record *signer, bool take_in, uint32_t time,
			  struct tlv_err *e)
{
	struct draft d = { .pattern = records,
			   .owner = CLUSTER_NONE,
			   .subject = signer->subject,
			   .serial = signer->serial,
			   .issuer = signer->issuer };
	enum status st;

	*out = (struct stage_list){ .key = signer->public_key, .signer = CLUSTER_CERTS_MAX };
	st = write_header(&out->bytes, &d, out->key, time, e);
	if (take_in && !tlv_list_has(records, TLV_ROLE_SAST, signer->certificate))
		buf_put(&out->bytes, signer->raw);
	for (size_t i = 0; i < records->nrecords; i++)
		buf_put(&out->bytes, tlv_list_record(records, i).raw);
	return st == ST_OK ? read_again(out, records, e) : st;
}

/* Phones took it, so its signature is taken to be the signer's. */
static void take_given(struct stage_list *out, const struct cluster *c, const struct tlv_list *l)
{
	long signer = l != NULL ? tlv_list_signer(l) : TLV_SIGNER_NONE;
	struct tlv_record r;

	*out = (struct stage_list){ .list = l, .signer = CLUSTER_CERTS_MAX };
	if (signer < 0)
		return;
	r = tlv_list_record(l, (size_t)signer);
	out->key = r.public_key;
	out->signer = cluster_find_cert(c, r.certificate);
}

enum status stage_given(struct stage_served *out, const struct cluster *c, const bool *nodes,
			struct tlv_err *e)
{
	const struct cluster_state now = { .renewed = { 0 } };
	enum status st = ST_OK;

	*out = (struct stage_served){ .ctl = { .list = NULL } };
	take_given(&out->ctl, c, c->ctl);
	for (size_t i = 0; st == ST_OK && i < c->nnodes; i++) {
		if (!nodes[i])
			continue;
		if (c->nodes[i].itl != NULL)
			take_given(&out->itl[i], c, c->nodes[i].itl);
		else
			st = stage_write_itl(&out->itl[i], c, &now, i, STAGE_ORDINARY, 0, e);
	}
	return st;
}

void stage_list_free(struct stage_list *l)
{
	tlv_list_free(&l->foreseen);
	buf_free(&l->bytes);
	*l = (struct stage_list){ .list = NULL };
}

void stage_served_free(struct stage_served *s)
{
	stage_list_free(&s->ctl);
	for (size_t i = 0; i < CLUSTER_NODES_MAX; i++)
		stage_list_free(&s->itl[i]);
}
