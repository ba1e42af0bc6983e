/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>

#include "signer/io/env.h"
#include "signer/list/expiry.h"
#include "signer/io/out.h"

enum { DAY = 86400, HOUR = 3600 };

/* "EXPIRED 3 days ago", "EXPIRES in 5 hours", "in 3000 days" */
static void put_distance(struct buf *b, const struct expiry *x, const struct expiry_item *item)
{
	int64_t left = item->not_after - x->now;
	int64_t size = left < 0 ? -left : left;
	int64_t n = size / (size < 2 * DAY ? HOUR : DAY);

	if (left < 0)
		buf_str(b, "EXPIRED ");
	else
		buf_str(b, item->within ? "EXPIRES in " : "in ");
	buf_printf(b, "%" PRId64 " %s%s", n, size < 2 * DAY ? "hour" : "day", plural((uint64_t)n));
	if (left < 0)
		buf_str(b, " ago");
}

static void put_place(struct buf *b, const struct expiry_item *item)
{
	safe_text(b, span_str(item->file));
	if (item->record > 0)
		buf_printf(b, " %s %zu", item->in_list ? "record" : "certificate", item->record);
	if (item->place != NULL) {
		buf_u8(b, ' ');
		buf_str(b, item->place);
	}
}

static void put_sum(struct buf *b, const struct expiry *x, size_t within)
{
	buf_printf(b, "%zu of %zu certificates %s expired or will within ", within, x->n,
		   within == 1 ? "has" : "have");
	if (x->within % DAY == 0)
		buf_printf(b, "%" PRId64 " days", x->within / DAY);
	else
		buf_printf(b, "%" PRId64 " hours", x->within / HOUR);
	if (x->nunread > 0)
		buf_printf(b, "; could not be read: %zu file%s", x->nunread, plural(x->nunread));
	buf_u8(b, '\n');
}

void expiry_text(const struct expiry *x, struct buf *b)
{
	size_t within = 0;

	for (size_t i = 0; i < x->n; i++) {
		const struct expiry_item *item = &x->v[i];
		struct buf distance = BUF_INIT;
		char when[32];

		time_iso(item->not_after, when);
		put_distance(&distance, x, item);
		buf_printf(b, "%s  %-22s  ", when, buf_cstr(&distance));
		buf_free(&distance);
		put_place(b, item);
		buf_str(b, ": ");
		buf_str(b, item->label);
		buf_printf(b, ", serial %s\n", item->shown_serial);
		within += item->within;
	}
	put_sum(b, x, within);
}

struct line {
	struct buf text; /* of what may appear once only */
	size_t index;
	bool repeated;
};

static int by_text(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int r = span_cmp(buf_span(&x->text), buf_span(&y->text));

	return r != 0 ? r : (x->index > y->index) - (x->index < y->index);
}

static int by_index(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	return (x->index > y->index) - (x->index < y->index);
}

/* Of equal texts all but the first are marked; sorted meanwhile, for there may be thousands. */
static void mark_repeated(struct line *v, size_t n)
{
	if (n < 2)
		return;
	qsort(v, n, sizeof *v, by_text);
	for (size_t i = 1; i < n; i++)
		v[i].repeated = span_eq(buf_span(&v[i].text), buf_span(&v[i - 1].text));
	qsort(v, n, sizeof *v, by_index);
}

typedef void line_fn(const struct expiry *x, size_t i, struct buf *b);

/* Renders n lines and marks repetitions; NULL if memory ran out, which sticks to b. */
static struct line *lines_make(const struct expiry *x, size_t n, line_fn *render, struct buf *b)
{
	struct line *v = calloc(n + 1, sizeof *v);

	if (v == NULL) {
		b->failed = err_nomem(NULL);
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		v[i].index = i;
		render(x, i, &v[i].text);
		if (v[i].text.failed != ST_OK)
			b->failed = v[i].text.failed;
	}
	mark_repeated(v, n);
	return v;
}

static void lines_free(struct line *v, size_t n)
{
	for (size_t i = 0; v != NULL && i < n; i++)
		buf_free(&v[i].text);
	free(v);
}

/*
 * The alarm as CUCM sends it. Source: a line printed in the vendor's document
 * 214231. It says "expired, or less than seven days left" and nothing else.
 */
static void put_alarm(const struct expiry_item *item, struct buf *b)
{
	enum { TO_THE_MINUTE = 17 }; /* "Mon May 19 14:46:" */
	char when[64];

	time_cucm(item->not_after, when);
	buf_printf(
		b,
		"%%UC_CERT-2-CertValidfor7days: %%[Message=Certificate expiration Notification. Certificate name:%s.der Unit:%s Type:own-cert Expiration:%.*s][AppID=Cisco Certificate Monitor][ClusterID=][NodeID=%s]: Alarm to indicate that Certificate has Expired or Expires in less than seven days\n",
		item->name, item->unit, (int)TO_THE_MINUTE, when,
		item->host != NULL ? item->host : "");
}

/* CUCM's alarms of other distances have no documented name. */
static void put_notice(const struct expiry_item *item, struct buf *b)
{
	char when[32];

	time_iso(item->not_after, when);
	buf_printf(b, "ctlsign: certificate %s, unit %s", item->name, item->unit);
	if (item->host != NULL)
		buf_printf(b, ", node %s", item->host);
	buf_printf(b, ", expires on %s\n", when);
}

static void put_syslog(const struct expiry *x, size_t i, struct buf *b)
{
	if (x->v[i].urgent)
		put_alarm(&x->v[i], b);
	else
		put_notice(&x->v[i], b);
}

void expiry_syslog(const struct expiry *x, struct buf *b)
{
	struct line *v = lines_make(x, x->n, put_syslog, b);

	/* The SAST and the CCM+TFTP record of one certificate are one alarm. */
	for (size_t i = 0; v != NULL && i < x->n; i++)
		if (x->v[i].within && !v[i].repeated)
			buf_put(b, buf_span(&v[i].text));
	lines_free(v, x->n);
	for (size_t i = 0; i < x->nunread; i++) {
		buf_str(b, "ctlsign: not watched: ");
		safe_text(b, span_str(x->unread[i].why));
		buf_u8(b, '\n');
	}
}

/* A label's value: UTF-8, with '\', '"' and line feed escaped (Prometheus' text format). */
static void put_label(struct buf *b, const char *name, const char *value)
{
	struct buf safe = BUF_INIT;
	struct span s;

	safe_text(&safe, span_str(value));
	s = buf_span(&safe);
	buf_printf(b, "%s=\"", name);
	for (size_t i = 0; i < s.n; i++) {
		int c = span_at(s, i);

		if (c == '\\' || c == '"')
			buf_u8(b, '\\');
		buf_u8(b, (uint8_t)c);
	}
	buf_u8(b, '"');
	buf_free(&safe);
}

static void put_series(const struct expiry *x, size_t i, struct buf *b)
{
	const struct expiry_item *item = &x->v[i];

	buf_str(b, "ctlsign_certificate_not_after_timestamp_seconds{");
	put_label(b, "file", item->file);
	buf_u8(b, ',');
	put_label(b, "role", item->role != NULL ? item->role : "");
	buf_u8(b, ',');
	put_label(b, "subject", item->subject);
	buf_u8(b, ',');
	put_label(b, "serial", item->serial);
	buf_u8(b, '}');
}

/* Each with its file: two reports of one host must not have the same series. */
static void put_unread(const struct expiry *x, size_t i, struct buf *b)
{
	buf_str(b, "ctlsign_unread{");
	put_label(b, "file", x->unread[i].file);
	buf_str(b, "} 1\n");
}

static void put_unread_series(struct buf *b, const struct expiry *x)
{
	struct line *v = lines_make(x, x->nunread, put_unread, b);

	if (x->nunread > 0)
		buf_str(b, "# HELP ctlsign_unread Whether a file could not be read.\n"
			   "# TYPE ctlsign_unread gauge\n");
	for (size_t i = 0; v != NULL && i < x->nunread; i++)
		if (!v[i].repeated)
			buf_put(b, buf_span(&v[i].text));
	lines_free(v, x->nunread);
}

/* node_exporter drops the whole file for a series that is there twice; the soonest stays. */
void expiry_prometheus(const struct expiry *x, struct buf *b)
{
	struct line *v = lines_make(x, x->n, put_series, b);

	buf_str(b,
		"# HELP ctlsign_certificate_not_after_timestamp_seconds When the certificate ends, in seconds since 1970 UTC.\n"
		"# TYPE ctlsign_certificate_not_after_timestamp_seconds gauge\n");
	for (size_t i = 0; v != NULL && i < x->n; i++) {
		if (v[i].repeated)
			continue;
		buf_put(b, buf_span(&v[i].text));
		buf_printf(b, " %" PRId64 "\n", x->v[i].not_after);
	}
	lines_free(v, x->n);
	put_unread_series(b, x);
}

static void set_text(json_t *o, const char *key, const char *text)
{
	if (text != NULL)
		out_json_set_text(o, key, span_str(text));
	else
		out_json_set(o, key, json_null());
}

static void set_time(json_t *o, const char *key, int64_t seconds)
{
	char when[32];

	time_iso(seconds, when);
	out_json_set(o, key, json_string(when));
}

static json_t *item_json(const struct expiry *x, const struct expiry_item *item)
{
	json_t *o = json_object();

	set_text(o, "file", item->file);
	out_json_set(o, "number",
		     item->record > 0 ? json_integer((json_int_t)item->record) : json_null());
	set_text(o, "role", item->role);
	set_text(o, "dns_name", item->node);
	set_text(o, "address", item->address);
	set_text(o, "subject", item->subject);
	set_text(o, "serial", item->serial);
	set_text(o, "unit", item->unit);
	set_time(o, "not_after", item->not_after);
	out_json_set(o, "not_after_seconds", json_integer(item->not_after));
	out_json_set(o, "seconds_left", json_integer(item->not_after - x->now));
	out_json_set(o, "expired", json_boolean(item->not_after < x->now));
	out_json_set(o, "within", json_boolean(item->within));
	return o;
}

static json_t *unread_json(const struct expiry *x)
{
	json_t *all = json_array();

	for (size_t i = 0; i < x->nunread; i++) {
		json_t *o = json_object();

		set_text(o, "file", x->unread[i].file);
		set_text(o, "error", x->unread[i].why);
		(void)json_array_append_new(all, o);
	}
	return all;
}

static int put_piece(const char *text, size_t n, void *arg)
{
	buf_put(arg, span_of(text, n));
	return 0;
}

void expiry_json(const struct expiry *x, struct buf *b)
{
	json_t *o = json_object(), *all = json_array();
	size_t within = 0;

	for (size_t i = 0; i < x->n; i++) {
		(void)json_array_append_new(all, item_json(x, &x->v[i]));
		within += x->v[i].within;
	}
	set_time(o, "now", x->now);
	out_json_set(o, "within_seconds", json_integer(x->within));
	out_json_set(o, "expiring", json_integer((json_int_t)within));
	out_json_set(o, "certificates", all);
	out_json_set(o, "unread", unread_json(x));
	o = out_json_answer(o);
	if (json_dump_callback(o, put_piece, b,
			       JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII) != 0 &&
	    b->failed == ST_OK)
		b->failed = err_nomem(NULL);
	buf_u8(b, '\n');
	json_decref(o);
}
