/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/crypto/certset.h"
#include "signer/io/out.h"
#include "signer/plan/plan_model.h"
#include "tlv/kind.h"
#include "tlv/label.h"

static void put_sums(const struct plan_model *m, enum plan_list_id id, struct plan_lines *l)
{
	const struct plan_facts *f = &m->facts[id];

	if (f->list == NULL)
		return;
	if (!f->is_signed) {
		plan_say(l, PLAN_LINE_NOTE, NULL,
			 "The checksums are known once the list is signed.");
		return;
	}
	if (f->md5[0] != '\0')
		plan_say(l, PLAN_LINE_SUM, "md5", "%s (MD5)", f->md5);
	if (f->sha1[0] != '\0')
		plan_say(l, PLAN_LINE_SUM, "sha1", "%s (SHA1)", f->sha1);
	if (f->md5[0] == '\0' && f->sha1[0] == '\0')
		plan_say(l, PLAN_LINE_NOTE, NULL,
			 "The checksums are not known: they were not printed with the list.");
}

static void put_node(struct plan_lines *l, const struct buf *label)
{
	buf_put(plan_line(l, PLAN_LINE_TEXT, "node"), buf_span(label));
}

static bool wanted(const struct tlv_record *r, enum plan_fill what)
{
	if (what == PLAN_FILL_CAPF_NODES)
		return r->role == TLV_ROLE_CAPF;
	return tlv_record_is_tftp(r) ||
	       (what == PLAN_FILL_CALLMANAGER_NODES && r->role == TLV_ROLE_CCM);
}

/* Which nodes the list itself names; the others are known to the cluster alone. */
static void put_nodes(const struct tlv_list *list, enum plan_fill what, struct plan_lines *l)
{
	struct plan_lines labels = { .n = 0 };

	for (size_t i = 0; i < list->nrecords && i < PLAN_LABELS_TRIED; i++) {
		struct tlv_record r = tlv_list_record(list, i);
		struct buf label = BUF_INIT;

		if (!wanted(&r, what))
			continue;
		plan_put_label(&label, list, &r);
		plan_label(&labels, &label);
		buf_free(&label);
	}
	for (size_t i = 0; i < labels.n; i++)
		put_node(l, &labels.v[i].text);
	if (labels.n == PLAN_LABELS_MAX || list->nrecords > PLAN_LABELS_TRIED)
		plan_say(l, PLAN_LINE_NOTE, NULL, "And all others: the list names more.");
	if (labels.n == 0)
		plan_say(l, PLAN_LINE_NOTE, NULL, "The list names none of them.");
	l->failed |= plan_lines_failed(&labels);
	plan_lines_free(&labels);
}

/* The node whose ITL it is. A blank one does not say it. */
static void put_owner(const struct tlv_list *itl, struct plan_lines *l)
{
	for (size_t i = 0; i < itl->nrecords; i++) {
		struct tlv_record r = tlv_list_record(itl, i);
		struct buf label = BUF_INIT;

		if (!tlv_record_is_tftp(&r) || tlv_record_is_ec(&r))
			continue;
		plan_put_label(&label, itl, &r);
		put_node(l, &label);
		buf_free(&label);
		return;
	}
}

static void put_labels(const struct plan_model *m, enum plan_kind k, enum plan_event v,
		       struct plan_lines *l)
{
	bool renewed = v == PLAN_EVENT_RENEWED && m->in.renewed != NULL && m->in.renewed->n > 0;
	const struct plan_lines *labels = renewed ? m->in.renewed : &m->events[k][v];

	for (size_t i = 0; i < labels->n; i++)
		put_node(l, &labels->v[i].text);
}

/* Whether what TVS holds has it already: then its file is in the folder. */
static bool is_at_hand(const struct plan_model *m, const struct tlv_record *r)
{
	const struct certset *s = m->in.tvs.vouched;

	for (size_t i = 0; s != NULL && i < s->n; i++)
		if (span_eq(buf_span(&s->v[i].cert.der), r->certificate))
			return true;
	return false;
}

/* "The certificate of SAST-ADN008580ef, in Phone-SAST-trust" */
static void put_uploads(const struct plan_model *m, struct plan_lines *l)
{
	size_t n = m->in.new_list->nrecords;

	for (size_t i = 0; i < n && i < PLAN_LABELS_TRIED; i++) {
		struct tlv_record r = tlv_list_record(m->in.new_list, i);
		struct buf *text;

		if (!plan_needs_upload(m, i))
			continue;
		text = plan_line(l, PLAN_LINE_TEXT, "certificate");
		buf_str(text, "The certificate of ");
		tlv_label_record(text, &r);
		if (m->in.uploads != NULL && is_at_hand(m, &r)) {
			buf_str(text, ", in ");
			safe_text(text, span_str(m->in.uploads));
		}
	}
}

static void put_verdict(struct plan_lines *l, enum plan_line_kind kind, const char *code,
			const struct plan_verdict *v)
{
	plan_put_verdict(plan_fact_line(l, kind, code, accept_row(v->a.reason)->fact), v);
}

static void put_why(const struct plan_model *m, const struct plan_stage *s, enum lockout_class c,
		    struct plan_lines *l)
{
	const struct plan_verdict *v = plan_verdict(m, s->holds, s->offers, c);

	if (v != NULL)
		put_verdict(l, PLAN_LINE_WARNING, accept_row(v->a.reason)->word, v);
}

static void put_verdicts(const struct plan_model *m, enum plan_list_id holds,
			 enum plan_list_id offered, struct plan_lines *l)
{
	for (int c = 0; c < LOCKOUT_CLASSES; c++) {
		const struct plan_verdict *v =
			plan_verdict(m, holds, offered, (enum lockout_class)c);

		if (v != NULL)
			put_verdict(l, PLAN_LINE_TEXT, NULL, v);
	}
}

static void fill_verdicts(const struct plan_model *m, const struct plan_stage *s,
			  enum plan_fill what, struct plan_lines *l)
{
	if (what == PLAN_FILL_WHY_SBD_REFUSES)
		put_why(m, s, LOCKOUT_SBD, l);
	else if (what == PLAN_FILL_WHY_PLAIN_REFUSES)
		put_why(m, s, LOCKOUT_NO_SBD, l);
	else if (what == PLAN_FILL_PHONES_GO_BACK)
		put_verdicts(m, PLAN_NEW, PLAN_OLD, l);
	else {
		put_verdicts(m, PLAN_NEW, PLAN_WAY_BACK, l);
		put_verdicts(m, PLAN_OLD, PLAN_WAY_BACK, l);
	}
}

void plan_fill(struct plan_model *m, const struct plan_stage *s, enum plan_fill what,
	       struct plan_lines *l)
{
	switch (what) {
	case PLAN_FILL_SUMS_OLD:
		put_sums(m, PLAN_OLD, l);
		break;
	case PLAN_FILL_SUMS_OFFERED:
		put_sums(m, s->offers, l);
		break;
	case PLAN_FILL_SUMS_BACK:
		put_sums(m, PLAN_WAY_BACK, l);
		break;
	case PLAN_FILL_TFTP_NODES:
	case PLAN_FILL_CALLMANAGER_NODES:
	case PLAN_FILL_CAPF_NODES:
		put_nodes(m->facts[s->offers].list, what, l);
		break;
	case PLAN_FILL_RENEWED_CAPF:
		put_labels(m, PLAN_KIND_CAPF, PLAN_EVENT_RENEWED, l);
		break;
	case PLAN_FILL_RENEWED_CALLMANAGER:
		put_labels(m, PLAN_KIND_CALLMANAGER, PLAN_EVENT_RENEWED, l);
		break;
	case PLAN_FILL_RENEWED_ECDSA:
		put_labels(m, PLAN_KIND_ECDSA, PLAN_EVENT_RENEWED, l);
		break;
	case PLAN_FILL_RENEWED_TVS:
		put_labels(m, PLAN_KIND_TVS, PLAN_EVENT_RENEWED, l);
		break;
	case PLAN_FILL_RENEWED_ITLRECOVERY:
		put_labels(m, PLAN_KIND_ITLRECOVERY, PLAN_EVENT_RENEWED, l);
		break;
	case PLAN_FILL_OWNER_OLD:
		put_owner(m->in.old_list, l);
		break;
	case PLAN_FILL_UPLOADS:
		put_uploads(m, l);
		break;
	case PLAN_FILL_LOST_TOKENS:
		put_labels(m, PLAN_KIND_TOKEN, PLAN_EVENT_REMOVED, l);
		break;
	default:
		fill_verdicts(m, s, what, l);
		break;
	}
}
