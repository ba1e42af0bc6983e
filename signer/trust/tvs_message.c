/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/trust/tvs_message.h"

#include "tlv/cert.h"
#include "tlv/tables.h"

enum { MAGIC = 0x57, VERSION = 1, LENGTH_AT = 8, HEAD = 10, LONGEST = 0xFFFF };

static void put_element(struct buf *b, enum tvs_tag tag, struct span value, bool nul)
{
	buf_u8(b, (uint8_t)tag);
	buf_u16(b, (uint16_t)(value.n + (nul ? 1 : 0)));
	buf_put(b, value);
	if (nul)
		buf_u8(b, 0);
}

static void put_device(struct buf *b, const char *device)
{
	struct span name = span_str(device);

	buf_u8(b, TVS_TAG_DEVICE);
	buf_u16(b, (uint16_t)(name.n + 1));
	buf_u8(b, 1);
	buf_put(b, name);
}

enum status tvs_put_question(struct buf *b, enum tvs_question what, uint32_t session,
			     const char *device, const struct tvs_signer *signer, struct tlv_err *e)
{
	size_t at = b->n, sum = signer->certificate.n + signer->subject.n + signer->issuer.n +
				signer->serial.n;

	buf_u8(b, MAGIC);
	buf_u8(b, VERSION);
	buf_u8(b, (uint8_t)what);
	buf_u8(b, 0);
	buf_u32(b, session);
	buf_u16(b, 0);
	put_device(b, device);
	if (what == TVS_VERIFY) {
		put_element(b, TVS_TAG_CERTIFICATE, signer->certificate, false);
	} else {
		put_element(b, TVS_TAG_SUBJECT, signer->subject, true);
		put_element(b, TVS_TAG_ISSUER, signer->issuer, true);
		put_element(b, TVS_TAG_SERIAL, signer->serial, false);
	}
	if (buf_failed(b, e) != ST_OK)
		return ST_NOMEM;
	if (sum > LONGEST || b->n - at - HEAD > LONGEST)
		return err_set(e, ST_INPUT, "%zu bytes are more than a question to TVS can have",
			       sum);
	buf_fill_u16(b, at + LENGTH_AT, (uint16_t)(b->n - at - HEAD));
	return ST_OK;
}

bool tvs_next_element(struct cursor *c, uint8_t *tag, struct span *value)
{
	uint16_t n;

	return cursor_u8(c, tag) && cursor_u16(c, &n) && cursor_take(c, n, value);
}

bool tvs_tag_is_answer(uint8_t tag)
{
	return tag == TVS_TAG_STATUS || tag == TVS_TAG_ROLES || tag == TVS_TAG_TTL ||
	       tag == TVS_TAG_CERTIFICATE;
}

static enum status read_head(struct cursor *c, enum tvs_question what, uint32_t session,
			     struct tlv_err *e)
{
	uint8_t magic, version, type, unknown;
	uint32_t answered;
	uint16_t n;

	if (!cursor_u8(c, &magic) || !cursor_u8(c, &version) || !cursor_u8(c, &type) ||
	    !cursor_u8(c, &unknown) || !cursor_u32(c, &answered) || !cursor_u16(c, &n))
		return err_set(e, ST_INPUT, "the answer ends inside its header");
	if (magic != MAGIC || version != VERSION)
		return err_set(e, ST_INPUT,
			       "what came is no message of TVS: it begins with the bytes %u and %u",
			       magic, version);
	if (type != (uint8_t)what + 1)
		return err_set(e, ST_INPUT, "the answer is of type %u, not of type %u", type,
			       (unsigned)what + 1);
	if (answered != session)
		return err_set(e, ST_INPUT, "the answer is to session %lu, not to %lu",
			       (unsigned long)answered, (unsigned long)session);
	if (n != c->rest.n)
		return err_set(e, ST_INPUT,
			       "the answer claims %u bytes behind its header, %zu came", n,
			       c->rest.n);
	return ST_OK;
}

/* Each element that answers are known to have, once at most: a second one would be a choice. */
static enum status take(struct tvs_reply *r, uint8_t tag, struct span value, struct tlv_err *e)
{
	switch (tag) {
	case TVS_TAG_STATUS:
		if (value.n != 1)
			return err_set(e, ST_INPUT, "its status has %zu bytes, not 1", value.n);
		r->status = (uint8_t)span_be(value);
		r->known = r->status == 0;
		break;
	case TVS_TAG_ROLES:
		r->roles = value;
		break;
	case TVS_TAG_TTL:
		if (value.n != 4)
			return err_set(e, ST_INPUT, "its time to live has %zu bytes, not 4",
				       value.n);
		r->ttl = span_be(value);
		r->has_ttl = true;
		break;
	case TVS_TAG_CERTIFICATE:
		r->certificate = value;
		break;
	default:
		break;
	}
	return ST_OK;
}

static enum status read_elements(struct tvs_reply *r, struct tlv_err *e)
{
	struct cursor c = cursor_of(r->elements);
	struct span value = SPAN_NONE;
	uint32_t seen = 0;
	uint8_t tag = 0;
	enum status st = ST_OK;

	while (st == ST_OK && c.rest.n > 0) {
		size_t left = c.rest.n;

		if (!tvs_next_element(&c, &tag, &value))
			return err_set(e, ST_INPUT,
				       "an element of the answer is longer than the %zu bytes left",
				       left);
		if (tvs_tag_is_answer(tag) && (seen >> tag & 1U) != 0)
			return err_set(e, ST_INPUT, "element %u is there twice", tag);
		if (tvs_tag_is_answer(tag))
			seen |= 1U << tag;
		st = take(r, tag, value, e);
	}
	if (st == ST_OK && (seen >> TVS_TAG_STATUS & 1U) == 0)
		st = err_set(e, ST_INPUT, "the answer has no status");
	return st;
}

/* [docs/TVS.md] A token's stands back to front in the lists of the CTL Client. */
static bool same_serial(struct span certificate, struct span serial)
{
	struct tlv_cert c;
	struct span asked = serial;

	while (asked.n > 1 && span_at(asked, 0) == 0)
		asked = span_slice(asked, 1, asked.n);
	return tlv_cert_walk(certificate, &c, NULL) == ST_OK &&
	       (span_eq(c.serial, asked) || span_eq_reversed(c.serial, serial));
}

enum status tvs_read_reply(struct tvs_reply *r, struct span message, enum tvs_question what,
			   uint32_t session, const struct tvs_signer *signer, struct tlv_err *e)
{
	struct cursor c = cursor_of(message);
	enum status st = read_head(&c, what, session, e);
	/* Empty, and within the message as all that is taken. */
	struct span none = span_of(c.rest.p, 0);

	*r = (struct tvs_reply){ .roles = none, .certificate = none, .elements = c.rest };
	if (st == ST_OK)
		st = read_elements(r, e);
	if (st == ST_OK && what == TVS_QUERY && r->certificate.n > 0 &&
	    !same_serial(r->certificate, signer->serial))
		st = err_set(
			e, ST_INPUT,
			"the certificate in the answer is not of the serial number that was asked for");
	return st;
}

bool tvs_reply_is_sast(const struct tvs_reply *r)
{
	return r->known && span_has(r->roles, TLV_ROLE_SAST);
}

void tvs_put_role(struct buf *b, int role)
{
	const struct tlv_role_row *row = tlv_role_find((uint16_t)role);

	if (row != NULL)
		buf_str(b, row->text);
	else
		buf_printf(b, "%d", role);
}

enum { ROLES_SHOWN = 16 };

static void put_roles(struct buf *b, struct span roles)
{
	for (size_t i = 0; i < roles.n && i < ROLES_SHOWN; i++) {
		buf_str(b, i == 0 ? "" : ", ");
		tvs_put_role(b, span_at(roles, i));
	}
	if (roles.n > ROLES_SHOWN)
		buf_printf(b, " and %zu more", roles.n - ROLES_SHOWN);
	if (roles.n == 0)
		buf_str(b, "without a role");
}

void tvs_put_reply(struct buf *b, const struct tvs_reply *r)
{
	if (!r->known) {
		buf_printf(b, "not known (status %u)", r->status);
		return;
	}
	buf_str(b, tvs_reply_is_sast(r) ? "known as SAST (" : "known, but not as SAST (");
	put_roles(b, r->roles);
	buf_str(b, ")");
	if (r->has_ttl)
		buf_printf(b, ", for %lu s", (unsigned long)r->ttl);
}
