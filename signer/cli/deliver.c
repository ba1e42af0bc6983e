/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/cli/deliver.h"

#include <string.h>

#include "signer/list/diff.h"
#include "signer/list/json.h"
#include "signer/io/env.h"
#include "signer/io/out.h"
#include "signer/trust/facts.h"
#include "signer/trust/verify.h"
#include "tlv/kind.h"
#include "tlv/label.h"

enum status common_tvs_options(const struct opts *o, struct phone *p, struct certset *vouched,
			       struct list_file *tvs_ctl, struct tlv_err *e)
{
	const char *ctl = opt_value(o, OPT_TVS_CTL);
	enum status st = ST_OK;

	p->vouched = vouched;
	p->tvs_ctl_is_new = ctl == NULL || strcmp(ctl, "new") == 0;
	for (size_t i = 0; i < o->n && st == ST_OK; i++)
		if (o->items[i].row->id == OPT_SAST_TRUST)
			st = certset_add_folder(vouched, o->items[i].value, &msg_warnings, e);
	if (st != ST_OK || ctl == NULL || p->tvs_ctl_is_new || strcmp(ctl, "none") == 0)
		return st;
	p->tvs_ctl = &tvs_ctl->list;
	return list_file_read(tvs_ctl, ctl, 0, e);
}

enum status delivery_options(struct delivery *d, const struct opts *o, struct tlv_err *e)
{
	d->o = o;
	lockout_options(&d->lockout, o);
	return common_tvs_options(o, &d->tvs, &d->vouched, &d->tvs_ctl, e);
}

static void warn_fact(const char *what, enum fact_id fact)
{
	struct buf b = BUF_INIT;

	fact_put(&b, fact);
	msg_warn("%s: %s", what, buf_cstr(&b));
	buf_free(&b);
}

/* A digit too many, or a clock that is wrong: ctlsign lets no list of an earlier time follow. */
static void warn_ahead(uint32_t when)
{
	struct buf what = BUF_INIT;
	char date[32];

	if (!verify_is_ahead(when, env_now()))
		return;
	time_iso(when, date);
	buf_printf(
		&what,
		"the time of signing is %s, more than a day in the future: check --timestamp, because ctlsign replaces no list by one of an earlier time",
		date);
	warn_fact(buf_cstr(&what), FACT_TIME_NOT_COMPARED);
	buf_free(&what);
}

enum status deliver_timestamp(const struct opts *o, uint32_t *out, struct tlv_err *e)
{
	uint64_t when = *out;
	const char *epoch = env_get("SOURCE_DATE_EPOCH");

	if (opt_given(o, OPT_REPRODUCIBLE) && !opt_given(o, OPT_TIMESTAMP) &&
	    (epoch == NULL || !parse_number(epoch, UINT32_MAX, &when)))
		return err_set(
			e, ST_USAGE,
			"'--reproducible' needs SOURCE_DATE_EPOCH: seconds since 1970 up to %u",
			UINT32_MAX);
	if (opt_number(o, OPT_TIMESTAMP, UINT32_MAX, &when, e) != ST_OK)
		return ST_USAGE;
	*out = (uint32_t)when;
	warn_ahead(*out);
	return ST_OK;
}

enum status deliver_timestamp_again(const struct opts *o, const struct tlv_list *old, uint32_t *out,
				    struct tlv_err *e)
{
	*out = (uint32_t)env_now();
	if (!opt_given(o, OPT_KEEP_TIMESTAMP))
		return deliver_timestamp(o, out, e);
	if (opt_given(o, OPT_TIMESTAMP) || opt_given(o, OPT_REPRODUCIBLE))
		return err_set(e, ST_USAGE, "'--keep-timestamp' and '%s' contradict each other",
			       opt_given(o, OPT_TIMESTAMP) ? "--timestamp" : "--reproducible");
	if (!tlv_header_has(&old->header, TLV_H_TIMESTAMP))
		return err_set(e, ST_USAGE,
			       "'--keep-timestamp': the present list has no time of signing");
	*out = old->header.timestamp;
	warn_ahead(*out);
	return ST_OK;
}

void deliver_held(struct delivery *d, const char *name, const struct tlv_list *l)
{
	if (d->nheld < COUNT(d->held))
		d->held[d->nheld++] = (struct held){ .name = name, .list = l };
}

enum status deliver_check_time(struct span signer_der, uint32_t timestamp,
			       const struct tlv_list *old, struct tlv_err *e)
{
	int64_t before, after;
	char when[32];

	if (cert_validity(signer_der, &before, &after, e) != ST_OK)
		return err_in(e, "the signer's certificate");
	if ((int64_t)timestamp < before) {
		time_iso(before, when);
		return err_set(
			e, ST_NO,
			"the time of signing is before the signer's certificate is valid, %s: check the clock, or say --timestamp",
			when);
	}
	if (old != NULL && tlv_header_has(&old->header, TLV_H_TIMESTAMP) &&
	    timestamp < old->header.timestamp) {
		time_iso(old->header.timestamp, when);
		return err_set(
			e, ST_NO,
			"the time of signing is before that of the list being replaced, %s: check the clock, or say --timestamp",
			when);
	}
	return ST_OK;
}

static enum status check_size(const struct delivery *d, struct tlv_err *e)
{
	if (d->signing.list.n <= TLV_PHONE_LIMIT || opt_given(d->o, OPT_ALLOW_LARGE))
		return ST_OK;
	return err_set(
		e, ST_NO,
		"%zu bytes: phones do not load a list over %d bytes (--allow-large writes it all the same)",
		d->signing.list.n, TLV_PHONE_LIMIT);
}

/* Somebody will be asked whether to sign. */
static bool asks(const struct delivery *d)
{
	return !opt_given(d->o, OPT_YES) && msg_can_ask();
}

/* Names are whole here: they are compared with 'show ctl', see tlv/label.h. */
static void describe_records(const struct delivery *d, const struct tlv_list *l)
{
	struct buf role = BUF_INIT, text = BUF_INIT;
	long signer = tlv_list_signer(l);

	for (size_t i = 0; i < l->nrecords; i++) {
		struct tlv_record r = tlv_list_record(l, i);
		const char *subject = field_text(&text, r.subject);

		if (*subject == '\0')
			subject = r.certificate.n > 0 ? "(a certificate without subject)" :
							"without certificate";
		buf_truncate(&role, 0);
		tlv_label_role(&role, r.role);
		(asks(d) ? msg_ground : msg_note)("record %zu: %s %s%s", i + 1, buf_cstr(&role),
						  subject, (long)i == signer ? " (signs)" : "");
	}
	buf_free(&role);
	buf_free(&text);
}

/* As show prints it, so that the two can be compared by eye. */
static enum status put_sha1(struct buf *b, struct span der, struct tlv_err *e)
{
	uint8_t sha1[20];
	enum status st = cert_sha1(der, sha1, e);

	if (st == ST_OK)
		buf_hex(b, span_of(sha1, sizeof sha1), HEX_UPPER, " ");
	return st;
}

static bool is_known(const struct tlv_list *const known[2], struct span der)
{
	return (known[0] != NULL && tlv_list_has(known[0], TLV_ROLE_SAST, der)) ||
	       (known[1] != NULL && tlv_list_has(known[1], TLV_ROLE_SAST, der));
}

static enum status say_anchor(const struct tlv_record *r, size_t number, bool is_new,
			      struct tlv_err *e)
{
	struct buf sha1 = BUF_INIT, text = BUF_INIT;
	enum status st = put_sha1(&sha1, r->certificate, e);
	const char *subject = field_text(&text, r->subject);

	if (st == ST_OK)
		(is_new ? msg_ground : msg_note)("%sanchor: record %zu: SHA-1 %s %s",
						 is_new ? "new " : "", number, buf_cstr(&sha1),
						 subject);
	buf_free(&sha1);
	buf_free(&text);
	return st;
}

enum status deliver_anchors(const struct tlv_list *l, const struct tlv_list *const known[2],
			    struct tlv_err *e)
{
	bool is_first = known[0] == NULL && known[1] == NULL;
	enum status st = ST_OK;

	if (is_first)
		msg_note("first list: there is no list to compare its anchors with");
	for (size_t i = 0; i < l->nrecords && st == ST_OK; i++) {
		struct tlv_record r = tlv_list_record(l, i);

		if (tlv_record_is(&r, TLV_ROLE_SAST))
			st = say_anchor(&r, i + 1, !is_first && !is_known(known, r.certificate), e);
	}
	return st;
}

/* The plan of migrate says it in its own words. */
static void warn_lone(const struct tlv_list *l)
{
	if (tlv_list_is_lone_sast(l))
		msg_warn("%s", tlv_lone_sast_text);
}

void deliver_warn_slips(const struct tlv_findings *f)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct tlv_finding *x = &f->v[i];

		if (x->code != TLV_FIND_TEXT_CONTROL && x->code != TLV_FIND_DUPLICATE)
			continue;
		if (x->record > 0)
			msg_warn("record %zu: %s", x->record, x->text);
		else
			msg_warn("header: %s", x->text);
	}
}

/* What a dry run is for goes to stdout; what is said on the way to signing does not. */
static void say_line(void *arg, const char *line)
{
	const struct delivery *d = arg;

	if (opt_given(d->o, OPT_DRY_RUN) && !opt_given(d->o, OPT_JSON))
		out_printf("%s\n", line);
	else
		(asks(d) ? msg_ground : msg_note)("%s", line);
}

/* The lists whose anchors are no news. */
static void known_lists(const struct delivery *d, const struct tlv_list *known[2])
{
	known[0] = d->old;
	known[1] = d->nheld > 0 ? d->held[d->nheld - 1].list : NULL;
}

static json_t *anchors_json(const struct delivery *d, const struct tlv_list *l)
{
	const struct tlv_list *known[2];
	json_t *list = json_array();

	known_lists(d, known);
	for (size_t i = 0; i < l->nrecords; i++) {
		struct tlv_record r = tlv_list_record(l, i);
		json_t *one;

		if (!tlv_record_is(&r, TLV_ROLE_SAST))
			continue;
		one = json_object();
		(void)json_object_set_new(one, "record", json_integer((json_int_t)i + 1));
		(void)json_object_set_new(one, "certificate", list_json_certificate(r.certificate));
		(void)json_object_set_new(one, "new",
					  json_boolean(!is_known(known, r.certificate)));
		(void)json_array_append_new(list, one);
	}
	return list;
}

/* What the run does to lists and phones, for machines. */
static json_t *foreseen_json(const struct delivery *d, const struct diff *diff,
			     const struct tlv_list *new_list)
{
	json_t *o = json_object(), *phones = json_object();

	for (int c = 0; c < LOCKOUT_CLASSES; c++) {
		const struct accept_reason_row *row = accept_row(d->lockout.verdict[c].reason);
		json_t *one = json_object();

		(void)json_object_set_new(one, "accepted", json_boolean(row->accepted));
		(void)json_object_set_new(one, "reason", json_string(row->word));
		(void)json_object_set_new(phones, lockout_class_word((enum lockout_class)c), one);
	}
	(void)json_object_set_new(o, "changes", diff_json(diff));
	(void)json_object_set_new(o, "phones", phones);
	(void)json_object_set_new(o, "anchors", anchors_json(d, new_list));
	return o;
}

json_t *deliver_json(const char *name, struct span bytes)
{
	json_t *o = json_object();
	char md5[33], sha1[41];
	struct tlv_list l;

	if (checksums(bytes, md5, sha1, NULL) != ST_OK ||
	    tlv_list_decode(&l, bytes, NULL) != ST_OK) {
		json_decref(o);
		return NULL;
	}
	out_json_set_text(o, "file", span_str(name));
	(void)json_object_set_new(o, "length", json_integer((json_int_t)bytes.n));
	(void)json_object_set_new(o, "records", json_integer((json_int_t)l.nrecords));
	(void)json_object_set_new(o, "md5", json_string(md5));
	(void)json_object_set_new(o, "sha1", json_string(sha1));
	out_json_set_text(o, "signer", tlv_text(l.header.signer_name));
	tlv_list_free(&l);
	return o;
}

/* A list that is not signed has no checksums; else a dry run has the shape of the run itself. */
static enum status report_json(const struct delivery *d, struct tlv_err *e)
{
	bool dry = opt_given(d->o, OPT_DRY_RUN);
	json_t *o = deliver_json(d->output, buf_span(&d->signing.list));

	if (d->tells_foreseen)
		(void)json_object_set_new(o, "written", json_boolean(!dry));
	if (dry) {
		(void)json_object_set_new(o, "md5", json_null());
		(void)json_object_set_new(o, "sha1", json_null());
	}
	if (d->foreseen != NULL)
		(void)json_object_update(o, d->foreseen);
	return out_json(o, e);
}

static enum status say_changes(struct delivery *d, const struct tlv_list *new_list,
			       struct tlv_err *e)
{
	struct diff diff;
	enum status st = diff_lists(&diff, d->old, new_list, e);

	if (st == ST_OK)
		st = diff_print(&diff, say_line, d, e);
	if (st == ST_OK && d->tells_foreseen && opt_given(d->o, OPT_JSON))
		d->foreseen = foreseen_json(d, &diff, new_list);
	diff_free(&diff);
	return st;
}

/* Each list that phones may hold is asked; what is told as JSON is the worst of it. */
static enum status ask_phones(struct delivery *d, const struct key *key, const struct tlv_list *l,
			      struct tlv_err *e)
{
	enum status st = ST_OK;

	for (size_t i = 0; i < d->nheld && st == ST_OK; i++) {
		lockout_foresee(&d->lockout, d->held[i].list, &d->tvs, l,
				key_cert(key)->parts.public_key);
		st = lockout_check(&d->lockout, e);
	}
	return st;
}

static enum status check_times(const struct delivery *d, const struct key *key, struct tlv_err *e)
{
	struct span der = buf_span(&key_cert(key)->der);
	enum status st = deliver_check_time(der, d->sign.timestamp, d->old, e);

	for (size_t i = 0; i < d->nheld && st == ST_OK; i++)
		st = deliver_check_time(der, d->sign.timestamp, d->held[i].list, e);
	return st;
}

/* A list that is not signed yet, as phones that hold the present one would see it. */
static enum status foresee(struct delivery *d, const struct key *key, struct tlv_err *e)
{
	const struct tlv_list *known[2], *l = &d->signing.judged;
	enum status st, asked = ST_OK;

	describe_records(d, l);
	known_lists(d, known);
	st = deliver_anchors(l, known, e);
	if (st == ST_OK)
		warn_lone(l);
	if (st == ST_OK)
		deliver_warn_slips(&d->signing.findings);
	if (st == ST_OK)
		asked = ask_phones(d, key, l, e);
	if (st == ST_OK && d->old != NULL)
		st = say_changes(d, l, e);
	if (d->nheld > 0)
		lockout_lines(&d->lockout, say_line, d);
	if (st == ST_OK && opt_given(d->o, OPT_DRY_RUN) && opt_given(d->o, OPT_JSON))
		st = report_json(d, e);
	return st == ST_OK ? asked : st;
}

void deliver_warn_digest(enum tlv_digest digest)
{
	if (digest == TLV_SHA512)
		warn_fact("SHA-512", FACT_SHA512_READERS);
}

void deliver_warn_ec(const struct tlv_list *l, bool is_1_1, const char *say)
{
	if (!is_1_1 && verify_has_ec_tftp(l))
		warn_fact(say, FACT_EC_NEEDS_1_1);
}

static void warn_phones(const struct sign_spec *s, const struct tlv_list *l)
{
	bool is_1_1 =
		s->has_signer_version && (s->signer_version[0] > 1 || s->signer_version[1] >= 1);

	deliver_warn_ec(l, is_1_1,
			"a TFTP server's certificate has an EC key: say '--signer-version 1.1'");
	deliver_warn_digest(s->digest);
}

enum status deliver_prepare(struct delivery *d, const struct key *key, struct tlv_err *e)
{
	enum status st = check_times(d, key, e);

	d->sign.served = d->tvs.asked = d->output;
	d->sign.weak_keys = opt_given(d->o, OPT_ALLOW_WEAK_KEYS);
	if (st == ST_OK)
		st = sign_prepare(&d->signing, &d->sign, key, e);
	if (st == ST_OK)
		st = check_size(d, e);
	if (st == ST_OK)
		warn_phones(&d->sign, &d->signing.judged);
	return st == ST_OK ? foresee(d, key, e) : st;
}

enum status deliver_report(const char *name, struct span bytes, struct tlv_err *e)
{
	char md5[33], sha1[41];
	enum status st = checksums(bytes, md5, sha1, e);

	if (st == ST_OK)
		out_printf("%s: %zu bytes\n%s(MD5)\n%s(SHA1)\n", name, bytes.n, md5, sha1);
	return st;
}

static enum status report(const struct delivery *d, struct tlv_err *e)
{
	enum status st = opt_given(d->o, OPT_JSON) ?
				 report_json(d, e) :
				 deliver_report(d->output, buf_span(&d->signing.list), e);

	return st == ST_OK ? out_flush(e) : st;
}

/* The same bytes once more are no news: a job that runs every night with --quiet sends no mail. */
static bool is_news(const struct delivery *d)
{
	return opt_given(d->o, OPT_JSON) || !opt_given(d->o, OPT_QUIET) ||
	       !span_eq(d->present, buf_span(&d->signing.list));
}

/* A list must not be in its place when its checksums cannot be said. */
static enum status publish_and_report(const struct delivery *d, struct tlv_err *e)
{
	struct publication *p;
	enum status st = publish_begin(&p, d->output, buf_span(&d->signing.list), &d->publish, e);

	if (st == ST_OK && is_news(d))
		st = report(d, e);
	if (st == ST_OK)
		st = publish_commit(p, e);
	publish_free(&p);
	return st;
}

enum status deliver_finish(struct delivery *d, struct key *key, struct tlv_err *e)
{
	enum status st = ST_OK;

	if (asks(d) && !msg_ask("sign this list?"))
		st = err_set(e, ST_NO, "not signed");
	if (st == ST_OK)
		st = key_login(key, e);
	if (st == ST_OK)
		st = sign_fill(&d->signing, key, e);
	/* The token's process ends while the list is checked and written. */
	key_finish(key);
	if (st == ST_OK)
		st = sign_check(&d->signing, e);
	return st == ST_OK ? publish_and_report(d, e) : st;
}

void delivery_free(struct delivery *d)
{
	json_decref(d->foreseen);
	certset_free(&d->vouched);
	list_file_free(&d->tvs_ctl);
	signing_free(&d->signing);
}
