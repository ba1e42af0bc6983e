/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/cli/migration.h"

/* The list's bytes without a signature, to be foreseen. */
static enum status prepare_part(struct migration *m, struct migration_part *p, uint32_t timestamp,
				struct tlv_err *e)
{
	const struct tlv_header *h = &m->old.list.header;
	const char *digest = opt_value(m->o, OPT_DIGEST);
	const struct tlv_digest_row *row =
		digest != NULL ? tlv_digest_by_text(digest) : tlv_digest_find(h->digest);
	enum status st;

	if (row == NULL) /* a list with another one has not been verified */
		return err_set(e, ST_BUG, "the present list's digest is not known");
	p->spec = (struct sign_spec){
		.records = buf_span(&p->records.bytes),
		.signer_at = p->records.signer_at,
		.digest = (enum tlv_digest)row->code,
		.filename = buf_cstr(&m->filename),
		.served = p->name,
		.weak_keys = opt_given(m->o, OPT_ALLOW_WEAK_KEYS),
		.timestamp = timestamp,
		.has_signer_version = tlv_header_has(h, TLV_H_SIGNER_VERSION),
		.signer_version = { h->signer_version[0], h->signer_version[1] },
	};
	st = deliver_check_time(buf_span(&key_cert(p->signer)->der), timestamp, &m->old.list, e);
	if (st == ST_OK)
		st = deliver_check_time(buf_span(&key_cert(p->signer)->der), timestamp, m->held, e);
	if (st == ST_OK)
		st = sign_prepare(&p->signing, &p->spec, p->signer, e);
	if (st == ST_OK && p->signing.list.n > TLV_PHONE_LIMIT && !opt_given(m->o, OPT_ALLOW_LARGE))
		st = err_set(
			e, ST_NO,
			"%zu bytes: phones do not load a list over %d bytes (--allow-large writes it all the same)",
			p->signing.list.n, TLV_PHONE_LIMIT);
	if (st == ST_OK)
		st = tlv_list_decode(&p->list, buf_span(&p->signing.list), e);
	return st == ST_OK ? ST_OK : err_in(e, "%s", p->name);
}

enum status migration_compose(struct migration *m, struct tlv_err *e)
{
	uint32_t timestamp = 0;
	struct migration_part *p = m->parts;
	enum status st = deliver_timestamp_again(m->o, &m->old.list, &timestamp, e);

	p[PART_BRIDGE].name = m->old_key != NULL ? "1-bridge/CTLFile.tlv" : NULL;
	p[PART_FINAL].name = m->old_key != NULL ? "2-final/CTLFile.tlv" : "CTLFile.tlv";
	p[PART_WAY_BACK].name = "way-back/CTLFile.tlv";
	p[PART_BRIDGE].signer = m->old_key;
	p[PART_FINAL].signer = p[PART_WAY_BACK].signer = m->key;
	buf_put(&m->filename, tlv_text(m->old.list.header.filename));
	if (st == ST_OK)
		st = migrate_final(&p[PART_FINAL].records, &m->in, e);
	if (st == ST_OK)
		st = entries_check_kind(&p[PART_FINAL].records.entries, buf_cstr(&m->filename), e);
	if (st == ST_OK)
		st = migrate_union(&p[PART_WAY_BACK].records, &m->in, m->in.signer, e);
	if (st == ST_OK && m->old_key != NULL)
		st = migrate_union(&p[PART_BRIDGE].records, &m->in, key_cert(m->old_key), e);
	for (int i = 0; i < PARTS && st == ST_OK; i++)
		if (p[i].name != NULL)
			st = prepare_part(m, &p[i], timestamp, e);
	return st;
}

struct span migration_part_key(const struct migration_part *p)
{
	return key_cert(p->signer)->parts.public_key;
}

enum status migration_check_steps(struct migration *m, struct tlv_err *e)
{
	const struct tlv_list *held = m->held;
	enum status st = ST_OK;

	for (int i = PART_BRIDGE; i <= PART_FINAL && st == ST_OK; i++) {
		if (m->parts[i].name == NULL)
			continue;
		lockout_foresee(&m->lockout, held, &m->tvs, &m->parts[i].list,
				migration_part_key(&m->parts[i]));
		st = lockout_check(&m->lockout, e);
		held = &m->parts[i].list;
	}
	return st;
}

static enum status sign_part(struct migration_part *p, struct tlv_err *e)
{
	enum status st = sign_fill(&p->signing, p->signer, e);

	if (st == ST_OK)
		st = sign_check(&p->signing, e);
	tlv_list_free(&p->list);
	if (st == ST_OK)
		st = tlv_list_decode(&p->list, buf_span(&p->signing.list), e);
	return st == ST_OK ? ST_OK : err_in(e, "%s", p->name);
}

enum status migration_sign(struct migration *m, struct tlv_err *e)
{
	enum status st = m->old_key != NULL ? key_login(m->old_key, e) : ST_OK;

	if (st == ST_OK)
		st = key_login(m->key, e);
	for (int i = 0; i < PARTS && st == ST_OK; i++)
		if (m->parts[i].name != NULL)
			st = sign_part(&m->parts[i], e);
	return st;
}

enum status migration_check_promises(const struct migration *m, struct tlv_err *e)
{
	const struct migration_part *p = m->parts;
	struct phone phone = { .no_tvs = true, .ctl = &p[PART_FINAL].list };
	enum accept_reason back = accept_decide(&phone, &p[PART_WAY_BACK].list).reason;
	enum accept_reason first, second;

	if (back != ACCEPT_SIGNER_IS_SAST)
		return err_set(e, ST_BUG, "phones with the new list would refuse the way back (%s)",
			       accept_row(back)->word);
	if (p[PART_BRIDGE].name == NULL)
		return ST_OK;
	phone.ctl = m->held;
	first = accept_decide(&phone, &p[PART_BRIDGE].list).reason;
	phone.ctl = &p[PART_BRIDGE].list;
	second = accept_decide(&phone, &p[PART_FINAL].list).reason;
	if (first == ACCEPT_SIGNER_IS_SAST && second == ACCEPT_SIGNER_IS_SAST)
		return ST_OK;
	return err_set(e, ST_BUG, "phones would refuse the bridge (%s) or what follows it (%s)",
		       accept_row(first)->word, accept_row(second)->word);
}

void migration_parts_free(struct migration *m)
{
	for (int i = 0; i < PARTS; i++) {
		tlv_list_free(&m->parts[i].list);
		signing_free(&m->parts[i].signing);
		migrate_records_free(&m->parts[i].records);
	}
}
