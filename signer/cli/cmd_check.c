/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "signer/cli/common.h"
#include "signer/cli/network.h"
#include "signer/cli/verb.h"
#include "signer/crypto/cert.h"
#include "signer/io/env.h"
#include "signer/io/out.h"
#include "signer/list/live.h"
#include "signer/net/net.h"
#include "signer/trust/facts.h"

/* What is said of a certificate that was presented. */
struct presented {
	struct buf serial;
	char until[32], sha1[41];
	int64_t not_after;
};

static enum status describe(struct span der, struct presented *p, struct tlv_err *e)
{
	struct tlv_cert c;
	uint8_t sha1[20];
	int64_t since;
	enum status st = tlv_cert_walk(der, &c, e);

	*p = (struct presented){ .serial = BUF_INIT };
	if (st == ST_OK)
		st = cert_sha1(der, sha1, e);
	if (st == ST_OK)
		(void)hex_text(span_of(sha1, sizeof sha1), p->sha1, sizeof p->sha1);
	if (st == ST_OK)
		buf_hex(&p->serial, c.serial, HEX_UPPER, "");
	/* A date that cannot be read is no reason to say nothing. */
	if (st == ST_OK && cert_validity(der, &since, &p->not_after, NULL) == ST_OK)
		time_iso(p->not_after, p->until);
	return st == ST_OK ? buf_failed(&p->serial, e) : st;
}

static enum status print_service(const struct live_service *s, struct tlv_err *e)
{
	struct buf line = BUF_INIT;
	struct presented p;
	enum status st = ST_OK;

	buf_put(&line, buf_span(&s->node));
	buf_printf(&line, ": %s at ", s->name);
	buf_put(&line, buf_span(&s->at));
	out_text(buf_span(&line));
	buf_free(&line);
	out_printf(": ");
	out_colour(s->state == LIVE_SAME ? OUT_GOOD : OUT_BAD);
	out_printf("%s", live_state_text(s->state));
	out_colour(OUT_PLAIN);
	if (s->state == LIVE_SILENT) {
		out_printf(": ");
		out_text(span_str(net_question_why(&s->answer, &s->fault)));
	} else if (s->state != LIVE_SAME) {
		st = describe(s->certificate, &p, e);
		out_printf(", serial number %s, SHA-1 %s, until %s", buf_cstr(&p.serial), p.sha1,
			   p.until[0] != '\0' ? p.until : "an unknown date");
		buf_free(&p.serial);
	}
	out_printf("\n");
	return st;
}

/* What makes the list have the renewed ones. */
static void put_cure(struct buf *out, const struct tlv_list *list)
{
	bool itl = tlv_list_is_itl(list);

	buf_str(out, itl ? "restart TFTP on the node that serves this ITL" :
			   "run 'utils ctl update CTLFile' on the publisher");
	fact_put_sources(out, itl ? FACT_TFTP_RESTART_SIGNS : FACT_CTL_UPDATE);
}

static void print_sum(const struct live *l, const struct tlv_list *list)
{
	size_t renewed = live_count(l, LIVE_RENEWED), other = live_count(l, LIVE_OTHER);
	size_t silent = live_count(l, LIVE_SILENT);
	struct buf text = BUF_INIT;

	if (renewed > 0) {
		buf_printf(&text,
			   "renewed: the list lacks the certificates of %zu service%s: ", renewed,
			   plural(renewed));
		put_cure(&text, list);
		buf_str(&text, "\n");
	}
	if (other > 0)
		buf_printf(
			&text,
			"other: %zu service%s under another name than the list has: check the address, and that the list is this cluster's\n",
			other, plural(other));
	if (silent > 0)
		buf_printf(&text, "not known: %zu of %zu service%s gave no certificate\n", silent,
			   l->n, plural(l->n));
	if (text.n == 0)
		buf_printf(&text, "same: all certificates are the list's (services: %zu)\n", l->n);
	out_text(buf_span(&text));
	buf_free(&text);
}

static enum status set_presented(json_t *o, const struct live_service *s, struct tlv_err *e)
{
	struct presented p = { .serial = BUF_INIT };
	bool is = s->state != LIVE_SILENT;
	enum status st = is ? describe(s->certificate, &p, e) : ST_OK;

	out_json_set(o, "serial", is ? json_string(buf_cstr(&p.serial)) : json_null());
	out_json_set(o, "sha1", is ? json_string(p.sha1) : json_null());
	out_json_set(o, "not_after", p.until[0] != '\0' ? json_string(p.until) : json_null());
	buf_free(&p.serial);
	return st;
}

static enum status add_service(json_t *all, const struct live_service *s, struct tlv_err *e)
{
	json_t *o = json_object(), *records = json_array();
	struct buf node = BUF_INIT, at = BUF_INIT;
	enum status st;

	buf_put(&node, buf_span(&s->node));
	buf_put(&at, buf_span(&s->at));
	for (size_t i = 0; i < s->nrecords; i++)
		(void)json_array_append_new(records, json_integer((json_int_t)s->records[i] + 1));
	out_json_set(o, "node", json_string(buf_cstr(&node)));
	out_json_set(o, "service", json_string(s->name));
	out_json_set(o, "address", json_string(buf_cstr(&at)));
	out_json_set(o, "records", records);
	out_json_set(o, "state", json_string(live_state_text(s->state)));
	st = set_presented(o, s, e);
	if (s->fault.status != ST_OK)
		out_json_set_text(o, "fault", span_str(err_text(&s->fault)));
	else
		out_json_set(o, "fault", json_null());
	(void)json_array_append_new(all, o);
	buf_free(&node);
	buf_free(&at);
	return st;
}

static enum status report_json(const struct live *l, const struct tlv_list *list, struct tlv_err *e)
{
	json_t *o = json_object(), *all = json_array();
	struct buf cure = BUF_INIT;
	enum status st = ST_OK;

	for (size_t i = 0; i < l->n && st == ST_OK; i++)
		st = add_service(all, &l->services[i], e);
	put_cure(&cure, list);
	out_json_set(o, "same", json_integer((json_int_t)live_count(l, LIVE_SAME)));
	out_json_set(o, "renewed", json_integer((json_int_t)live_count(l, LIVE_RENEWED)));
	out_json_set(o, "other", json_integer((json_int_t)live_count(l, LIVE_OTHER)));
	out_json_set(o, "silent", json_integer((json_int_t)live_count(l, LIVE_SILENT)));
	out_json_set(o, "cure",
		     live_count(l, LIVE_RENEWED) > 0 ? json_string(buf_cstr(&cure)) : json_null());
	out_json_set(o, "services", all);
	buf_free(&cure);
	return st != ST_OK ? (json_decref(o), st) : out_json(o, e);
}

static enum status report(const struct opts *o, const struct live *l, const struct tlv_list *list,
			  struct tlv_err *e)
{
	enum status st = ST_OK;

	if (opt_given(o, OPT_JSON)) {
		st = report_json(l, list, e);
	} else {
		for (size_t i = 0; i < l->n && st == ST_OK; i++)
			st = print_service(&l->services[i], e);
		print_sum(l, list);
	}
	return st == ST_OK && live_count(l, LIVE_SAME) < l->n ? ST_NO : st;
}

static enum status read_options(struct live *l, const struct opts *o, struct tlv_err *e)
{
	enum status st = ST_OK;

	for (size_t i = 0; i < o->n && st == ST_OK; i++) {
		if (o->items[i].row->id == OPT_PORT)
			st = live_add_port(l, o->items[i].value, e);
		else if (o->items[i].row->id == OPT_NODE)
			st = live_add_node(l, o->items[i].value, e);
	}
	return st;
}

enum status cmd_check(const struct opts *o, struct tlv_err *e)
{
	struct live live = LIVE_INIT;
	struct list_file f = { .name = NULL };
	unsigned seconds;
	enum status st = network_timeout(o, &seconds, e);

	if (st == ST_OK)
		st = read_options(&live, o, e);
	if (st == ST_OK)
		st = net_start(seconds, e);
	if (st == ST_OK) {
		common_read_only();
		st = list_file_read(&f, o->args[0], LIST_PRINTED, e);
	}
	if (st == ST_OK && live_ask(&live, &f.list, e) != ST_OK)
		st = e->status == ST_USAGE || e->status == ST_NOMEM ? e->status :
								      err_in(e, "%s", o->args[0]);
	if (st == ST_OK)
		st = report(o, &live, &f.list, e);
	live_free(&live);
	list_file_free(&f);
	return st;
}
