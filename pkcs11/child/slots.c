/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/child/slots.h"

#include <stdlib.h>
#include <string.h>

struct pass {
	struct tok_scan *scan;
	const struct tok_uri *uri;
	const struct tlv_warn *w;
	struct tlv_err *e;
};

/* One token seen through two modules. Within one module, equal tokens are two. */
static bool same_token(const struct tok_found *f, const struct tok_module *m,
		       const CK_TOKEN_INFO *info)
{
	const CK_TOKEN_INFO *o = &f->info;

	return f->m != m &&
	       memcmp(o->serialNumber, info->serialNumber, sizeof o->serialNumber) == 0 &&
	       memcmp(o->label, info->label, sizeof o->label) == 0 &&
	       memcmp(o->model, info->model, sizeof o->model) == 0 &&
	       memcmp(o->manufacturerID, info->manufacturerID, sizeof o->manufacturerID) == 0;
}

static bool seen_before(const struct pass *p, const struct tok_module *m, const CK_TOKEN_INFO *info)
{
	for (size_t i = 0; i < p->scan->n; i++)
		if (same_token(&p->scan->list[i], m, info))
			return true;
	return false;
}

static bool matches(const struct pass *p, const struct tok_module *m, CK_SLOT_ID slot,
		    const CK_TOKEN_INFO *info)
{
	CK_SLOT_INFO slot_info;
	CK_INFO library;

	if (!tok_uri_matches(p->uri, slot, info))
		return false;
	if (p->uri == NULL)
		return true;
	if (p->uri->text.has_slot && (tok_c_get_slot_info(m, slot, &slot_info) != CKR_OK ||
				      !tok_uri_matches_slot(p->uri, &slot_info)))
		return false;
	return !p->uri->text.has_library ||
	       (tok_c_get_info(m, &library) == CKR_OK && tok_uri_matches_library(p->uri, &library));
}

static void warn_slot(const struct pass *p, const struct tok_module *m, CK_SLOT_ID slot, CK_RV rv)
{
	struct tlv_err e = TLV_ERR_INIT;

	tok_rv_failed(&e, ST_TOKEN, TOK_CALL_C_GetTokenInfo, rv);
	warn_put(p->w, "slot %lu of module '%s' is left out: %s", slot, m->name, err_text(&e));
}

static enum status look_at_slot(struct pass *p, struct tok_module *m, CK_SLOT_ID slot)
{
	struct tok_found f = { .m = m, .slot = slot };
	CK_RV rv = tok_c_get_token_info(m, slot, &f.info);

	if (rv == CKR_TOKEN_NOT_PRESENT || rv == CKR_TOKEN_NOT_RECOGNIZED)
		return ST_OK; /* pulled out meanwhile, or a card that is no token */
	if (rv != CKR_OK) {
		p->scan->faults = true;
		warn_slot(p, m, slot, rv);
		return ST_OK;
	}
	if (seen_before(p, m, &f.info))
		return ST_OK;
	if (!ARRAY_ROOM(p->scan->list, p->scan->n, p->scan->cap))
		return err_nomem(p->e);
	f.matches = matches(p, m, slot, &f.info);
	f.uri = tok_uri_of_token(&f.info);
	if (f.uri == NULL)
		return err_nomem(p->e);
	p->scan->list[p->scan->n++] = f;
	return ST_OK;
}

/* A token that is plugged in between the two calls makes the list longer. */
static CK_RV ask_slots(const struct tok_module *m, CK_SLOT_ID **list, CK_ULONG *n, CK_ULONG *room)
{
	CK_RV rv;

	for (int tries = 0;; tries++) {
		*room = 0;
		rv = tok_c_get_slot_list(m, NULL, n);
		if (rv != CKR_OK || *n == 0)
			return rv;
		*room = *n > TOK_SLOTS_MAX ? TOK_SLOTS_MAX : *n;
		*list = calloc(*room, sizeof **list);
		if (*list == NULL)
			return CKR_HOST_MEMORY;
		*n = *room;
		rv = tok_c_get_slot_list(m, *list, n);
		if (rv != CKR_BUFFER_TOO_SMALL || tries == 4)
			return rv;
		free(*list);
		*list = NULL;
	}
}

/* A module that claims more than it had room for is not believed. */
static enum status slot_list(const struct tok_module *m, CK_SLOT_ID **list, CK_ULONG *n,
			     struct tlv_err *e)
{
	CK_ULONG room;
	CK_RV rv = ask_slots(m, list, n, &room);

	if (rv != CKR_OK)
		return tok_rv_failed(e, ST_TOKEN, TOK_CALL_C_GetSlotList, rv);
	if (*n > room)
		return err_set(
			e, ST_TOKEN,
			"C_GetSlotList: more slots than it was given room for: try another module with --module");
	return ST_OK;
}

static enum status look_at_module(struct pass *p, struct tok_module *m, struct tlv_err *fault)
{
	CK_SLOT_ID *list = NULL;
	CK_ULONG n = 0;
	CK_RV rv = m->initialised ? CKR_OK : tok_c_initialize(m);
	enum status st;

	if (rv != CKR_OK)
		return tok_rv_failed(fault, ST_TOKEN, TOK_CALL_C_Initialize, rv);
	st = slot_list(m, &list, &n, fault);
	for (size_t i = 0; st == ST_OK && list != NULL && i < n; i++)
		st = look_at_slot(p, m, list[i]);
	free(list);
	return st;
}

static int by_uri(const void *a, const void *b)
{
	const struct tok_found *l = a, *r = b;
	int c = strcmp(l->uri, r->uri);

	return c != 0 ? c : (l->slot > r->slot) - (l->slot < r->slot);
}

/* The only module's failure is the scan's; one of several costs a warning. */
static enum status module_failed(struct pass *p, const struct tok_module *m, bool only,
				 const struct tlv_err *fault)
{
	p->scan->faults = true;
	if (only)
		return err_set(p->e, ST_TOKEN, "module '%s': %s", m->name, err_text(fault));
	warn_put(p->w, "module '%s' is left out: %s", m->name, err_text(fault));
	return ST_OK;
}

enum status tok_slots_scan(struct tok_scan *scan, struct tok_modules *ms, const struct tok_uri *uri,
			   uint64_t skip, const struct tlv_warn *w, struct tlv_err *e)
{
	struct pass p = { .scan = scan, .uri = uri, .w = w, .e = e };
	bool only = ms->named;
	enum status st = ST_OK;

	for (size_t i = 0; i < ms->n && st == ST_OK; i++) {
		struct tlv_err fault = TLV_ERR_INIT;

		if ((skip >> i & 1) != 0)
			continue;
		tok_pulse_module(ms->list[i].pulse, only ? -1 : (int)i);
		st = look_at_module(&p, &ms->list[i], &fault);
		tok_pulse_module(ms->list[i].pulse, -1);
		if (fault.status != ST_OK)
			st = module_failed(&p, &ms->list[i], only, &fault);
	}
	if (scan->n > 1)
		qsort(scan->list, scan->n, sizeof *scan->list, by_uri);
	return st;
}

void tok_slots_free(struct tok_scan *scan)
{
	for (size_t i = 0; i < scan->n; i++)
		free(scan->list[i].uri);
	free(scan->list);
	*scan = TOK_SCAN_INIT;
}
