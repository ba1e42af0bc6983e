/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "signer/plan/forecast/forecast.h"
#include "tlv/safe.h"
#include "tlv/text.h"

bool forecast_refuses(const struct forecast *f, enum crowd_class p)
{
	return f->search.locked[p];
}

static bool checked_at_first(const struct forecast *f, const char *code)
{
	const struct plan_model *m = f->plans[0].model;

	for (size_t i = 0; i < m->nsteps; i++)
		if (m->steps[i].part == PLAN_PART_BEFORE && strcmp(m->steps[i].code, code) == 0)
			return true;
	return false;
}

/* The last phase, but one that writes the CTL has more ways back. */
static size_t phase_of_rollback(const struct forecast *f)
{
	size_t last = 0;

	for (size_t i = 0; i < f->search.nphases; i++)
		if (f->search.phases[i].act == SEARCH_RENEW &&
		    (!f->plans[i].model->itl || f->plans[last].model->itl))
			last = i;
	return last;
}

bool forecast_has_step(const struct forecast *f, size_t phase, const struct plan_step *s)
{
	if (s->part == PLAN_PART_BEFORE)
		return phase == 0 ||
		       (strcmp(s->code, "check-old") != 0 && !checked_at_first(f, s->code));
	return s->part != PLAN_PART_ROLLBACK || phase == phase_of_rollback(f);
}

void forecast_put_node(struct buf *b, const struct forecast *f, size_t node)
{
	safe_text(b, f->c->nodes[node].name);
}

void forecast_put_label(struct buf *b, const struct forecast *f, size_t node)
{
	struct span address = f->c->nodes[node].address;
	struct buf text = BUF_INIT;

	if (address.n == 4 && span_be(address) != 0)
		buf_ipv4(&text, address);
	forecast_put_node(b, f, node);
	if (text.n > 0 && !span_eq(buf_span(&text), f->c->nodes[node].name))
		buf_printf(b, " (%s)", buf_cstr(&text));
	b->failed = b->failed != ST_OK ? b->failed : text.failed;
	buf_free(&text);
}

static size_t certs_in(const struct search_phase *x, const struct cluster *c, size_t *only)
{
	size_t n = 0;

	for (size_t i = 0; i < c->ncerts; i++)
		if (cluster_is_renewed(&x->renews, i)) {
			*only = i;
			n++;
		}
	return n;
}

void forecast_put_phase(struct buf *b, const struct forecast *f, size_t phase)
{
	static const char *const where[] = { "every node", "the publisher", "every other node" };
	const struct search_phase *x = &f->search.phases[phase];
	const char *text = search_act_row(x->act)->text;
	size_t only = 0, n = certs_in(x, f->c, &only);
	bool of_nodes = x->kind == PLAN_KIND_CALLMANAGER || x->kind == PLAN_KIND_ECDSA ||
			x->kind == PLAN_KIND_TVS;

	buf_str(b, x->act == SEARCH_RENEW ? plan_kind_text(x->kind) : text);
	if (!of_nodes)
		return;
	buf_str(b, " of ");
	if (n == 1 && f->c->certs[only].node != CLUSTER_NONE)
		forecast_put_node(b, f, f->c->certs[only].node);
	else
		buf_str(b, where[x->part]);
}

void forecast_put_summary(struct buf *b, const struct forecast *f)
{
	bool any = false;

	for (int p = 0; p < CROWD_CLASSES; p++) {
		if (!f->search.locked[p])
			continue;
		buf_str(b, any ? ", " : "REFUSED: no order spares ");
		buf_str(b, crowd_row((enum crowd_class)p)->text);
		any = true;
	}
	if (!any)
		buf_printf(b, "In %zu %s, no phone is locked out", f->search.nphases,
			   f->search.nphases == 1 ? "phase" : "phases");
	if (f->doubts.n > 0)
		buf_printf(b, " (if CUCM %s is the right release)", f->c->release->name);
}

void forecast_put_title(struct buf *b, const struct forecast *f)
{
	for (size_t i = 0; i < f->search.nphases; i++) {
		bool renews = f->search.phases[i].act == SEARCH_RENEW;

		buf_str(b, i > 0 ? ", then " : "");
		if (!renews)
			buf_str(b, "write ");
		else if (i == 0 || f->search.phases[i - 1].act != SEARCH_RENEW)
			buf_str(b, "renew ");
		forecast_put_phase(b, f, i);
	}
	buf_printf(b, ", in CUCM %s", f->c->release->name);
}

void forecast_put_bound(struct buf *b, const struct forecast *f)
{
	buf_printf(
		b,
		"Each phase renews one type of certificate%s. All %zu orders were compared, in %zu steps of the model. Then the order below was checked once more.",
		f->search.split ? ", on all nodes or on the publisher apart" : ", on all nodes",
		f->search.orders, f->search.steps);
}

const char *forecast_hits(const struct forecast *f, size_t phase, unsigned *fact)
{
	const struct search_phase *x = &f->search.phases[phase];
	const struct plan_rule *r = plan_rule_of(x->kind, PLAN_EVENT_RENEWED);

	if (x->act != SEARCH_RENEW) {
		*fact = search_act_row(x->act)->fact;
		return search_act_row(x->act)->hits;
	}
	*fact = r != NULL ? r->fact : FACT_OWN;
	return r != NULL ? r->hits : "";
}

void forecast_put_down(struct buf *b, const struct forecast *f, size_t phase)
{
	const struct plan_lines *services = &f->restarts[phase];
	unsigned fact;

	plan_put_resets(b, f->plans[phase].model);
	for (size_t i = 0; i < services->n; i++) {
		buf_str(b, i == 0 ? " Node by node, it restarts: " : ", ");
		buf_put(b, buf_span(&services->v[i].text));
	}
	buf_printf(b, "%s %s", services->n > 0 ? "." : "", forecast_hits(f, phase, &fact));
	plan_put_sources(b, &fact, 1);
}

size_t forecast_sources(const struct forecast *f, struct span tags[PLAN_SOURCES_MAX])
{
	const struct plan_lines *lines[] = { &f->dangers, &f->helps,   &f->strays,
					     &f->why,	  &f->assumed, &f->doubts };
	size_t found = plan_add_sources(f->named, f->nnamed, tags, 0);

	for (size_t i = 0; i < COUNT(lines); i++)
		found = plan_add_lines_sources(lines[i], tags, found);
	for (size_t i = 0; i < f->search.nphases; i++) {
		const struct plan_model *m = f->plans[i].model;
		unsigned fact;

		(void)forecast_hits(f, i, &fact);
		found = plan_add_sources(&fact, 1, tags, found);
		found = plan_add_lines_sources(&f->gates[i], tags, found);
		for (size_t k = 0; k < m->nsteps; k++)
			if (forecast_has_step(f, i, &m->steps[k]))
				found = plan_add_step_sources(&m->steps[k], tags, found);
	}
	return found;
}
