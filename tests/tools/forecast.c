/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * usage: ctlsign-forecast FOLDER LIST... --release X --renew WHAT... [--group NAME=NODE,…]...
 *        [--blank-itl yes] [--follow PHASE,…]
 *
 * The plan of 'plan LIST... --renew WHAT...', for others to judge. It prints an index as JSON, and
 * writes every list of the plan into FOLDER, under the name that the index has. With --follow
 * nothing is searched: the phases are those that are given, in their order. It decides nothing.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "signer/plan/forecast/cluster_ask.h"
#include "signer/plan/forecast/cluster_read.h"
#include "signer/plan/forecast/search.h"
#include "signer/text/list_file.h"
#include "tlv/text.h"

enum { LISTS_MAX = CLUSTER_NODES_MAX + 1, WORDS_MAX = 32 };

static struct work {
	const char *folder, *release, *follow, *blank;
	const char *renew[WORDS_MAX], *group[WORDS_MAX];
	size_t nrenew, ngroup;
	struct list_file files[LISTS_MAX];
	const struct tlv_list *lists[LISTS_MAX];
	size_t nlists;
	struct release row;
	struct cluster c;
	struct crowd_groups groups;
	struct search s;
} w;

static _Noreturn void __attribute__((format(printf, 1, 2))) die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)fputs("ctlsign-forecast: ", stderr);
	(void)vfprintf(stderr, fmt, args);
	va_end(args);
	(void)fputc('\n', stderr);
	exit(1);
}

static void want(enum status st, struct tlv_err *e)
{
	if (st != ST_OK)
		die("%s", err_text(e));
}

static void add_list(const char *path)
{
	struct tlv_err e = TLV_ERR_INIT;

	if (w.nlists == LISTS_MAX)
		die("more than %d lists", LISTS_MAX);
	want(list_file_read(&w.files[w.nlists], path, 0, &e), &e);
	w.lists[w.nlists] = &w.files[w.nlists].list;
	w.nlists++;
}

static void take_option(const char *name, const char *value)
{
	if (strcmp(name, "--release") == 0)
		w.release = value;
	else if (strcmp(name, "--follow") == 0)
		w.follow = value;
	else if (strcmp(name, "--blank-itl") == 0)
		w.blank = value;
	else if (strcmp(name, "--renew") == 0 && w.nrenew < WORDS_MAX)
		w.renew[w.nrenew++] = value;
	else if (strcmp(name, "--group") == 0 && w.ngroup < WORDS_MAX)
		w.group[w.ngroup++] = value;
	else
		die("option '%s' is not known, or comes too often", name);
}

static void read_arguments(char **args)
{
	for (; *args != NULL; args++)
		if (strncmp(*args, "--", 2) != 0) {
			add_list(*args);
		} else {
			if (args[1] == NULL)
				die("option '%s' has no value", *args);
			take_option(args[0], args[1]);
			args++;
		}
	if (w.release == NULL)
		die("say --release");
}

/* "tvs", "tvs/others", "blank-itl" */
static void put_phase_name(char *out, size_t cap, const struct search_phase *x)
{
	static const char *const parts[] = { "", "/publisher", "/others" };

	if (x->act == SEARCH_RENEW)
		(void)snprintf(out, cap, "%s%s", plan_kind_word(x->kind), parts[x->part]);
	else
		(void)snprintf(out, cap, "%s", search_act_row(x->act)->word);
}

static size_t phase_called(const char *word)
{
	char name[64];

	for (size_t i = 0; i < w.s.nphases; i++) {
		put_phase_name(name, sizeof name, &w.s.phases[i]);
		if (strcmp(name, word) == 0)
			return i;
	}
	die("the plan has no phase '%s'", word);
}

static void follow(void)
{
	struct search_phase phases[SEARCH_PHASES_MAX];
	struct tlv_err e = TLV_ERR_INIT;
	char *text = strdup(w.follow), *rest = NULL;
	size_t n = 0;

	for (char *p = strtok_r(text, ",", &rest); p != NULL && n < SEARCH_PHASES_MAX;
	     p = strtok_r(NULL, ",", &rest))
		phases[n++] = w.s.phases[phase_called(p)];
	free(text);
	search_free(&w.s);
	want(search_follow(&w.s, &w.c, &w.groups, phases, n, &e), &e);
}

static void search(void)
{
	struct tlv_err e = TLV_ERR_INIT;

	want(release_parse(w.release, &w.row, &e), &e);
	want(cluster_read(&w.c, w.lists, w.nlists, &w.row, &e), &e);
	for (size_t i = 0; i < w.nrenew; i++)
		want(cluster_ask(&w.c, w.renew[i], &e), &e);
	if (w.blank != NULL)
		want(cluster_blank(&w.c, &e), &e);
	for (size_t i = 0; i < w.ngroup; i++)
		want(crowd_group(&w.groups, &w.c, w.group[i], &e), &e);
	want(search_run(&w.s, &w.c, &w.groups, &e), &e);
	if (w.follow != NULL)
		follow();
}

static void set(json_t *o, const char *key, json_t *value)
{
	(void)json_object_set_new(o, key, value);
}

static json_t *hex_json(struct span s)
{
	struct buf b = BUF_INIT;
	json_t *v;

	buf_hex(&b, s, HEX_LOWER, "");
	v = json_stringn((const char *)buf_span(&b).p, buf_span(&b).n);
	buf_free(&b);
	return v;
}

static json_t *text_json(struct span s)
{
	return json_stringn((const char *)s.p, s.n);
}

static json_t *node_json(size_t i)
{
	json_t *o = json_object();

	set(o, "name", text_json(w.c.nodes[i].name));
	set(o, "tftp", json_boolean(w.c.nodes[i].tftp));
	set(o, "given", json_boolean(w.c.nodes[i].itl != NULL));
	return o;
}

static json_t *cert_json(size_t i)
{
	const struct cluster_cert *x = &w.c.certs[i];
	json_t *o = json_object();

	set(o, "kind", json_string(plan_kind_word(x->kind)));
	set(o, "node", x->node == CLUSTER_NONE ? json_null() : json_integer((json_int_t)x->node));
	set(o, "known", hex_json(x->known));
	set(o, "successor", x->asked ? hex_json(buf_span(&x->successor)) : json_null());
	return o;
}

static void write_file(const char *name, struct span bytes)
{
	char path[4096];
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/%s", w.folder, name);
	f = fopen(path, "wb");
	if (f == NULL || fwrite(bytes.p, 1, bytes.n, f) != bytes.n || fclose(f) != 0)
		die("%s: cannot be written", path);
}

/* One file for each list: what a stage keeps has the same name as before. */
static json_t *list_json(const struct stage_list *l)
{
	static const struct tlv_list *seen[SEARCH_STAGES_MAX * CLUSTER_NODES_MAX];
	static size_t n;
	json_t *o = json_object();
	char name[32];
	size_t at = 0;

	if (l->list == NULL) {
		json_decref(o);
		return json_null();
	}
	while (at < n && seen[at] != l->list)
		at++;
	(void)snprintf(name, sizeof name, "%zu.tlv", at + 1);
	if (at == n && n < COUNT(seen)) {
		seen[n++] = l->list;
		write_file(name, l->list->bytes);
	}
	set(o, "file", json_string(name));
	set(o, "key", hex_json(l->key));
	return o;
}

static json_t *served_json(const struct stage_served *x)
{
	json_t *o = json_object(), *itls = json_array();

	set(o, "ctl", list_json(&x->ctl));
	for (size_t i = 0; i < w.c.nnodes; i++)
		(void)json_array_append_new(itls, list_json(&x->itl[i]));
	set(o, "itls", itls);
	return o;
}

/* What TVS presents on each node; null: the node has none that is known. */
static json_t *tvs_json(const struct cluster_state *now)
{
	json_t *a = json_array();

	for (size_t i = 0; i < w.c.nnodes; i++) {
		size_t cert = cluster_cert_of(&w.c, PLAN_KIND_TVS, i);

		(void)json_array_append_new(
			a, cert < w.c.ncerts ? hex_json(cluster_cert_now(&w.c, now, cert)->der) :
					       json_null());
	}
	return a;
}

static json_t *class_json(const struct search_stage *x, enum crowd_class p)
{
	const struct search_verdict *v = &x->verdict[p];
	const struct crowd_row *row = crowd_row(p);
	json_t *o = json_object();

	set(o, "class", json_string(row->word));
	set(o, "sbd", json_boolean(row->sbd));
	set(o, "ctl", json_boolean(row->ctl));
	set(o, "itl", json_boolean(row->itl));
	set(o, "gated", json_boolean(row->gated));
	set(o, "exists", json_boolean(v->exists));
	set(o, "refused", json_boolean(v->refused));
	set(o, "by_tvs", json_boolean(v->by_tvs));
	set(o, "gate", json_boolean(x->gate[p]));
	return o;
}

static json_t *renewed_json(const struct cluster_state *s)
{
	json_t *a = json_array();

	for (size_t i = 0; i < w.c.ncerts; i++)
		if (cluster_is_renewed(s, i))
			(void)json_array_append_new(a, json_integer((json_int_t)i));
	return a;
}

static json_t *stage_json(const struct search_stage *x)
{
	json_t *o = json_object(), *classes = json_array();

	set(o, "phase", json_integer((json_int_t)x->phase));
	set(o, "of_phase", json_integer((json_int_t)x->rule_at));
	set(o, "renewed", renewed_json(&x->state));
	set(o, "served", served_json(x->served));
	set(o, "tvs", tvs_json(&x->state));
	for (int p = 0; p < CROWD_CLASSES; p++)
		(void)json_array_append_new(classes, class_json(x, (enum crowd_class)p));
	set(o, "classes", classes);
	return o;
}

static json_t *phase_json(const struct search_phase *x)
{
	json_t *o = json_object();
	char name[64];

	put_phase_name(name, sizeof name, x);
	set(o, "name", json_string(name));
	set(o, "act", json_string(search_act_row(x->act)->word));
	set(o, "renews", json_string(plan_kind_word(x->kind)));
	set(o, "certs", renewed_json(&x->renews));
	return o;
}

static json_t *classes_json(const bool *of)
{
	json_t *a = json_array();

	for (int p = 0; p < CROWD_CLASSES; p++)
		if (of[p])
			(void)json_array_append_new(
				a, json_string(crowd_row((enum crowd_class)p)->word));
	return a;
}

static json_t *index_json(void)
{
	json_t *o = json_object(), *nodes = json_array(), *certs = json_array(),
	       *phases = json_array(), *stages = json_array();

	for (size_t i = 0; i < w.c.nnodes; i++)
		(void)json_array_append_new(nodes, node_json(i));
	for (size_t i = 0; i < w.c.ncerts; i++)
		(void)json_array_append_new(certs, cert_json(i));
	for (size_t i = 0; i < w.s.nphases; i++)
		(void)json_array_append_new(phases, phase_json(&w.s.phases[i]));
	for (size_t i = 0; i < w.s.nstages; i++)
		(void)json_array_append_new(stages, stage_json(&w.s.stages[i]));
	set(o, "publisher", json_integer((json_int_t)w.c.publisher));
	set(o, "mixed", json_boolean(w.c.mixed));
	set(o, "tokens", json_boolean(w.c.tokens));
	set(o, "nodes", nodes);
	set(o, "certs", certs);
	set(o, "given", served_json(w.s.given));
	set(o, "phases", phases);
	set(o, "stages", stages);
	set(o, "locked", classes_json(w.s.locked));
	set(o, "strays", classes_json(w.s.strays));
	set(o, "split", json_boolean(w.s.split));
	return o;
}

int main(int argc, char **argv)
{
	json_t *o;

	if (argc < 3)
		die("say a folder, lists, --release and --renew");
	w.folder = argv[1];
	read_arguments(argv + 2);
	search();
	o = index_json();
	(void)json_dumpf(o, stdout, JSON_COMPACT);
	json_decref(o);
	search_free(&w.s);
	cluster_free(&w.c);
	for (size_t i = 0; i < w.nlists; i++)
		list_file_free(&w.files[i]);
	return fflush(stdout) == 0 ? 0 : 1;
}
