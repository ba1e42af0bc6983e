/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A search in a made-up cluster, and what it found in words.
 */
#ifndef SEARCHING_H
#define SEARCHING_H

#include "made_lists.h"

#include "signer/plan/forecast/cluster_ask.h"
#include "signer/plan/forecast/cluster_read.h"
#include "signer/plan/forecast/search.h"

static struct made m;
static struct cluster c;
static struct search s;
static struct crowd_groups groups;

static bool blanks; /* as '--blank-itl' asks for it */

static bool drops; /* no list shows the TVS certificate of sub1 */

static inline void drop_tvs(const char *name)
{
	size_t cert = cluster_cert_of(&c, PLAN_KIND_TVS, cluster_find_node(&c, span_str(name)));

	assert_true(cert < c.ncerts);
	c.certs[cert].kind = PLAN_KIND_OTHER;
}

/* what: words as '--renew' has them, with blanks between; group: NULL, or as '--group' has it. */
static inline void run(const char *release, enum made_mode mode, size_t nnodes, size_t nitls,
		       const char *what, const char *group)
{
	struct tlv_err e = TLV_ERR_INIT;
	char words[128], *rest = NULL;

	make_lists(&m, release, mode, nnodes, nitls);
	if (cluster_read(&c, m.given, m.n, &m.release, &e) != ST_OK)
		fail_msg("%s: %s", release, err_text(&e));
	if (drops)
		drop_tvs("sub1");
	groups = (struct crowd_groups){ .n = 0 };
	if (group != NULL)
		assert_int_equal(crowd_group(&groups, &c, group, &e), ST_OK);
	(void)snprintf(words, sizeof words, "%s", what);
	for (char *w = strtok_r(words, " ", &rest); w != NULL; w = strtok_r(NULL, " ", &rest))
		if (cluster_ask(&c, w, &e) != ST_OK)
			fail_msg("%s", err_text(&e));
	if (blanks)
		assert_int_equal(cluster_blank(&c, &e), ST_OK);
	if (search_run(&s, &c, &groups, &e) != ST_OK)
		fail_msg("%s: %s", release, err_text(&e));
}

static inline void done(void)
{
	search_free(&s);
	cluster_free(&c);
	free_lists(&m);
}

/* "capf callmanager/pub callmanager/others; no-sbd" */
static inline const char *found(void)
{
	static const char *const parts[] = { "", "/pub", "/others" };
	static char text[256];
	size_t n = 0;

	for (size_t i = 0; i < s.nphases; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%s%s%s", i > 0 ? " " : "",
				      s.phases[i].act == SEARCH_RENEW ?
					      plan_kind_word(s.phases[i].kind) :
					      search_act_row(s.phases[i].act)->word,
				      parts[s.phases[i].part]);
	for (int p = 0; p < CROWD_CLASSES; p++)
		if (s.locked[p])
			n += (size_t)snprintf(text + n, sizeof text - n, "; %s",
					      crowd_row((enum crowd_class)p)->word);
	return text;
}

static inline bool rests_on_tvs(void)
{
	for (size_t i = 0; i < s.nstages; i++)
		for (int p = 0; p < CROWD_CLASSES; p++)
			if (s.stages[i].verdict[p].by_tvs)
				return true;
	return false;
}

static const char *const release_rows[] = { "9.1(2)", "10.0(1)", "10.5(2)", "11.5",
					    "12.0",   "14",	 "14SU3" };

/* Whether this release has such clusters, as 'what' asks for them. */
static inline bool can_be(const char *release, enum made_mode mode)
{
	struct release r;
	struct tlv_err e = TLV_ERR_INIT;

	assert_int_equal(release_parse(release, &r, &e), ST_OK);
	return mode == NOT_MIXED || (mode == TOKENS ? r.tokens : r.tokenless);
}

#endif
