/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/config/companion.h"

#include <expat.h>
#include <inttypes.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "signer/io/library.h"
#include "tlv/text.h"

static struct {
#define CALL(name) __typeof__(name) *(name);
#include "signer/config/expat.def"
#undef CALL
} expat;

enum {
	DEPTH_MAX = 64,
	KEPT_MAX = 64 * 1024, /* bytes of all elements that are kept: they are a few short ones */
	PARSER_MAX = 4 << 20  /* bytes that expat may hold: it keeps names, and whole tags */
};

struct companion {
	XML_Parser parser;
	struct buf kept;
	unsigned depth;
	bool keeps;  /* inside an element of <device> that the companion has too */
	size_t held; /* bytes that expat has */
	bool too_large;
	struct tlv_err err;
};

/* expat's allocator has no argument: whose parser runs in this thread. */
static _Thread_local struct companion *mine;

struct block {
	alignas(max_align_t) size_t n;
	alignas(max_align_t) uint8_t bytes[];
};

static struct block *block_of(void *p)
{
	return (struct block *)((uintptr_t)p - offsetof(struct block, bytes));
}

/* Without a bound a tag of a gigabyte would be held whole, and be read again with each piece. */
static void *resize(void *p, size_t n)
{
	struct block *old = p != NULL ? block_of(p) : NULL, *b;
	size_t before = old != NULL ? old->n : 0;

	mine->too_large = mine->too_large || n > PARSER_MAX || mine->held - before > PARSER_MAX - n;
	b = mine->too_large ? NULL : realloc(old, sizeof *b + n);
	if (b == NULL)
		return NULL;
	mine->held = mine->held - before + n;
	b->n = n;
	return b->bytes;
}

static void *get(size_t n)
{
	return resize(NULL, n);
}

static void drop(void *p)
{
	if (p == NULL)
		return;
	mine->held -= block_of(p)->n;
	free(block_of(p));
}

static const XML_Memory_Handling_Suite bounded = { get, resize, drop };

/* [docs/FORMAT.md]: what a phone has to know before it can decrypt the rest. */
static bool is_kept(const char *name)
{
	static const char *const names[] = { "ipAddressMode", "loadInformation", "capfAuthMode",
					     "capfList" };

	for (size_t i = 0; i < COUNT(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static uint64_t line_of(XML_Parser parser)
{
#if XML_MAJOR_VERSION > 2 || XML_MINOR_VERSION >= 9
	return expat.XML_GetCurrentLineNumber64(parser);
#else
	return expat.XML_GetCurrentLineNumber(parser);
#endif
}

static void refuse(struct companion *c, const char *why)
{
	(void)err_set(&c->err, ST_INPUT, "line %" PRIu64 ": %s", line_of(c->parser), why);
	(void)expat.XML_StopParser(c->parser, XML_FALSE);
}

/* Text and values with what XML would read otherwise written as a reference. */
static void put_text(struct buf *b, const char *text, size_t n, bool in_value)
{
	for (size_t i = 0; i < n; i++) {
		switch (text[i]) {
		case '&':
			buf_str(b, "&amp;");
			break;
		case '<':
			buf_str(b, "&lt;");
			break;
		case '>':
			buf_str(b, "&gt;");
			break;
		case '"':
			buf_str(b, in_value ? "&quot;" : "\"");
			break;
		case '\r':
			buf_str(b, "&#13;");
			break;
		case '\n':
		case '\t':
			if (in_value) {
				buf_str(b, text[i] == '\n' ? "&#10;" : "&#9;");
				break;
			}
			/* fall through */
		default:
			buf_put(b, span_of(text + i, 1));
			break;
		}
	}
}

static void start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
	struct companion *c = arg;

	if (c->depth == 0 && strcmp(name, "device") != 0)
		refuse(c, "the root element is not 'device'");
	else if (c->depth >= DEPTH_MAX)
		refuse(c, "elements stand too deep in each other");
	if (c->depth == 1 && is_kept(name)) {
		c->keeps = true;
		buf_str(&c->kept, "  ");
	}
	c->depth++;
	if (!c->keeps)
		return;
	buf_printf(&c->kept, "<%s", name);
	for (size_t i = 0; attributes[i] != NULL; i += 2) {
		buf_printf(&c->kept, " %s=\"", attributes[i]);
		put_text(&c->kept, attributes[i + 1], strlen(attributes[i + 1]), true);
		buf_str(&c->kept, "\"");
	}
	buf_str(&c->kept, ">");
}

static void end(void *arg, const XML_Char *name)
{
	struct companion *c = arg;

	c->depth--;
	if (!c->keeps)
		return;
	buf_printf(&c->kept, "</%s>", name);
	if (c->depth == 1) {
		c->keeps = false;
		buf_str(&c->kept, "\n");
	}
}

static void text(void *arg, const XML_Char *s, int n)
{
	struct companion *c = arg;

	if (c->keeps)
		put_text(&c->kept, s, (size_t)n, false);
}

static void doctype(void *arg, const XML_Char *name, const XML_Char *system, const XML_Char *public,
		    int internal)
{
	(void)name;
	(void)system;
	(void)public;
	(void)internal;
	refuse(arg, "has a DOCTYPE: entities are not read");
}

enum status companion_load(struct tlv_err *e)
{
	static const struct library_call calls[] = {
#define CALL(name) { #name, &expat.name },
#include "signer/config/expat.def"
#undef CALL
	};

	return library_load(EXPAT_SONAME, "libexpat1", calls, COUNT(calls), e);
}

enum status companion_new(struct companion **out, struct tlv_err *e)
{
	struct companion *c = calloc(1, sizeof *c);

	*out = c;
	if (c == NULL)
		return err_nomem(e);
	c->kept.max = KEPT_MAX;
	mine = c;
	c->parser = expat.XML_ParserCreate_MM(NULL, &bounded, NULL);
	if (c->parser == NULL) {
		companion_free(out);
		return err_nomem(e);
	}
	expat.XML_SetUserData(c->parser, c);
	expat.XML_SetElementHandler(c->parser, start, end);
	expat.XML_SetCharacterDataHandler(c->parser, text);
	expat.XML_SetStartDoctypeDeclHandler(c->parser, doctype);
	return ST_OK;
}

static enum status parse(struct companion *c, struct span piece, bool last, struct tlv_err *e)
{
	enum XML_Error why;

	mine = c;
	if (expat.XML_Parse(c->parser, (const char *)piece.p, (int)piece.n, last) == XML_STATUS_OK)
		return buf_failed(&c->kept, e);
	why = expat.XML_GetErrorCode(c->parser);
	if (c->too_large)
		return err_set(
			e, ST_INPUT,
			"line %" PRIu64
			": a tag or comment is too long, or there are too many names: is it a phone's file?",
			line_of(c->parser));
	if (why == XML_ERROR_NO_MEMORY)
		return err_nomem(e);
	if (c->err.status != ST_OK)
		return err_copy(e, &c->err);
	return err_set(e, ST_INPUT, "line %" PRIu64 ": no XML that can be read: %s",
		       line_of(c->parser), expat.XML_ErrorString(why));
}

enum status companion_add(struct companion *c, struct span piece, struct tlv_err *e)
{
	return parse(c, piece, false, e);
}

enum status companion_end(struct companion *c, struct span cert_md5, struct buf *out,
			  struct tlv_err *e)
{
	enum status st = parse(c, SPAN_NONE, true, e);

	if (st != ST_OK)
		return st;
	buf_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<device>\n");
	buf_str(out, "  <fullConfig>false</fullConfig>\n");
	buf_put(out, buf_span(&c->kept));
	buf_str(out, "  <certHash>");
	buf_hex(out, cert_md5, HEX_LOWER, "");
	buf_str(out, "</certHash>\n  <encrConfig>true</encrConfig>\n</device>\n");
	return buf_failed(out, e);
}

void companion_free(struct companion **c)
{
	if (*c == NULL)
		return;
	mine = *c;
	if ((*c)->parser != NULL)
		expat.XML_ParserFree((*c)->parser);
	buf_free(&(*c)->kept);
	free(*c);
	*c = NULL;
}
