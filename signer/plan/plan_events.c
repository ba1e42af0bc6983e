/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/plan/plan_model.h"

static struct tlv_record record_of(const struct tlv_list *l, size_t index)
{
	static const struct tlv_record none;

	return index == DIFF_NO_RECORD ? none : tlv_list_record(l, index);
}

/* Counts it; whether its label is still wanted. */
static bool counted(struct plan_model *m, enum plan_kind k, enum plan_event v)
{
	return ++m->counts[k][v] <= PLAN_LABELS_TRIED && m->events[k][v].n < PLAN_LABELS_MAX;
}

static void note(struct plan_model *m, enum plan_kind k, enum plan_event v, const struct buf *label)
{
	plan_label(&m->events[k][v], label);
	m->failed |= label->failed != ST_OK;
}

/* What is one in the middle of a cluster: by adding and removing, its name and address. */
static enum plan_kind kind_that_comes_or_goes(const struct tlv_record *r)
{
	enum plan_kind k = plan_kind_of(r);

	return k == PLAN_KIND_CALLMANAGER ? PLAN_KIND_NODE : k;
}

static void note_one(struct plan_model *m, enum plan_event v, const struct tlv_list *l,
		     const struct tlv_record *r)
{
	enum plan_kind k = kind_that_comes_or_goes(r);
	struct buf label = BUF_INIT;

	if (!counted(m, k, v))
		return;
	plan_put_label(&label, l, r);
	note(m, k, v, &label);
	buf_free(&label);
}

/* "cucm-old (10.48.47.153) -> cucm-new (10.48.47.153)" */
static void note_node(struct plan_model *m, enum plan_event v, const struct tlv_record *old,
		      const struct tlv_record *new)
{
	struct buf label = BUF_INIT;

	if (!counted(m, PLAN_KIND_NODE, v))
		return;
	plan_put_label(&label, m->in.old_list, old);
	buf_str(&label, " -> ");
	plan_put_label(&label, m->in.new_list, new);
	note(m, PLAN_KIND_NODE, v, &label);
	buf_free(&label);
}

static bool has_certificate(const struct tlv_record *r)
{
	return r->certificate.n > 0 || r->hash.n > 0;
}

/* The CTL Client's DNSNAME is the address: it moves with it and renames nobody. */
static bool renamed(const struct diff_entry *x, const struct tlv_record *old,
		    const struct tlv_record *new)
{
	return diff_field_differs(x, DIFF_F_NAME) && !diff_field_differs(x, DIFF_F_ADDRESS) &&
	       tlv_text(old->dns_name).n > 0 && tlv_text(new->dns_name).n > 0 &&
	       !diff_field_differs(x, DIFF_F_DIALECT);
}

static enum plan_event certificate_event(const struct diff_entry *x, const struct tlv_record *old,
					 const struct tlv_record *new)
{
	if (has_certificate(old) && !has_certificate(new))
		return PLAN_EVENT_EMPTIED;
	if (!has_certificate(old) && has_certificate(new))
		return PLAN_EVENT_REFILLED;
	return x->kind == DIFF_RENEWED ? PLAN_EVENT_RENEWED : PLAN_EVENT_CHANGED;
}

static void note_pair(struct plan_model *m, const struct diff_entry *x)
{
	struct tlv_record old = record_of(m->in.old_list, x->old),
			  new = record_of(m->in.new_list, x->new);
	enum plan_kind k = plan_kind_of(&new);
	enum plan_event v = certificate_event(x, &old, &new);
	struct buf label = BUF_INIT;

	if (k != PLAN_KIND_TOKEN && diff_field_differs(x, DIFF_F_ADDRESS))
		note_node(m, PLAN_EVENT_READDRESSED, &old, &new);
	if (k != PLAN_KIND_TOKEN && renamed(x, &old, &new))
		note_node(m, PLAN_EVENT_RENAMED, &old, &new);
	/* The publisher's certificate is SAST and CCM+TFTP at once: one renewal. */
	if (k == PLAN_KIND_ANCHOR)
		k = PLAN_KIND_CALLMANAGER;
	if (v == PLAN_EVENT_CHANGED || !counted(m, k, v))
		return;
	/* The certificate knows the name of a node that the CTL Client lists by address. */
	if (v == PLAN_EVENT_EMPTIED)
		plan_put_label(&label, m->in.old_list, &old);
	else
		plan_put_label(&label, m->in.new_list, &new);
	note(m, k, v, &label);
	buf_free(&label);
}

void plan_note_events(struct plan_model *m)
{
	if (!m->diff.same)
		m->counts[m->itl ? PLAN_KIND_ITL : PLAN_KIND_CTL][PLAN_EVENT_CHANGED] = 1;
	for (size_t i = 0; i < m->diff.n; i++) {
		const struct diff_entry *x = &m->diff.v[i];
		struct tlv_record old = record_of(m->in.old_list, x->old),
				  new = record_of(m->in.new_list, x->new);

		if (x->kind == DIFF_ADDED)
			note_one(m, PLAN_EVENT_ADDED, m->in.new_list, &new);
		else if (x->kind == DIFF_REMOVED)
			note_one(m, PLAN_EVENT_REMOVED, m->in.old_list, &old);
		else if (x->kind == DIFF_CHANGED || x->kind == DIFF_RENEWED)
			note_pair(m, x);
	}
}
