/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/list/manifest.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "pkcs11/token.h"
#include "signer/io/library.h"
#include "signer/io/slurp.h"
#include "tlv/sentence.h"

static struct {
#define CALL(name) __typeof__(name) *(name);
#include "signer/list/yaml.def"
#undef CALL
} libyaml;

static enum status load_library(struct tlv_err *e)
{
	static const struct library_call calls[] = {
#define CALL(name) { #name, &libyaml.name },
#include "signer/list/yaml.def"
#undef CALL
	};

	return library_load(YAML_SONAME, "libyaml-0-2", calls, COUNT(calls), e);
}

/* Where a value stands. */
struct place {
	int record; /* index, -1: top level */
	char *key;  /* owned; NULL: the record itself */
	unsigned line;
};

struct manifest_file {
	char *path;
	struct manifest content;
	size_t records_cap;
	struct place *places;
	size_t nplaces, cap;
	size_t *starts; /* by record: its first place; the rest of them follows */
	size_t nstarts, starts_cap;
};

/* A key that takes a text, and where that goes. */
struct slot {
	const char *key;
	char **text;
};

static char **find_slot(const struct slot *slots, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(slots[i].key, key) == 0)
			return slots[i].text;
	return NULL;
}

static char **manifest_slot(struct manifest *c, const char *key)
{
	const struct slot slots[] = {
		{ "file", &c->file },
		{ "style", &c->style },
		{ "mode", &c->mode },
		{ "digest", &c->digest },
		{ "key", &c->key },
		{ "cert", &c->cert },
		{ "name-separator", &c->name_separator },
		{ "signer-version", &c->signer_version },
	};

	return find_slot(slots, COUNT(slots), key);
}

static char **record_slot(struct manifest_record *r, const char *key)
{
	const struct slot slots[] = {
		{ "role", &r->role },	    { "cert", &r->cert },     { "name", &r->name },
		{ "address", &r->address }, { "record", &r->record },
	};

	return find_slot(slots, COUNT(slots), key);
}

static enum status at_line(const char *path, unsigned line, struct tlv_err *e, const char *what)
{
	return err_set(e, ST_INPUT, "%s:%u: %s", path, line, what);
}

static enum status add_place(struct manifest_file *m, int record, const char *key, size_t line,
			     struct tlv_err *e)
{
	struct place p = { .record = record, .line = (unsigned)line };

	if (!ARRAY_ROOM(m->places, m->nplaces, m->cap))
		return err_nomem(e);
	if (key != NULL && (p.key = strdup(key)) == NULL)
		return err_nomem(e);
	m->places[m->nplaces++] = p;
	return ST_OK;
}

/* The places of the next record begin here. */
static enum status add_start(struct manifest_file *m, struct tlv_err *e)
{
	if (!ARRAY_ROOM(m->starts, m->nstarts, m->starts_cap))
		return err_nomem(e);
	m->starts[m->nstarts++] = m->nplaces;
	return ST_OK;
}

/* Of one pass over the events. */
struct reading {
	struct manifest_file *m;
	const char *path; /* m's */
	int depth;	  /* of open mappings and sequences */
	int record;	  /* index of the record that is open, -1 */
	bool has_records, in_records;
	char *key; /* owned; the key whose value comes next, NULL: a key comes next */
	int documents;
	struct tlv_err *e;
};

static enum status complain(struct reading *s, const yaml_event_t *ev, const char *what)
{
	return at_line(s->path, (unsigned)ev->start_mark.line + 1, s->e, what);
}

/* Where the text of a key of the open mapping goes; NULL: it is 'records', or unknown. */
static char **slot_of(const struct reading *s, const char *key)
{
	struct manifest *c = &s->m->content;

	return s->record < 0 ? manifest_slot(c, key) : record_slot(&c->records[s->record], key);
}

static bool is_records(const struct reading *s)
{
	return s->record < 0 && strcmp(s->key, "records") == 0;
}

static enum status take_key(struct reading *s, const yaml_event_t *ev)
{
	char what[128];
	char **slot;

	s->key = span_dup(span_of(ev->data.scalar.value, ev->data.scalar.length));
	if (s->key == NULL)
		return err_nomem(s->e);
	slot = slot_of(s, s->key);
	if (slot == NULL && !is_records(s)) {
		(void)snprintf(what, sizeof what, "unknown key '%.64s'", s->key);
		return complain(s, ev, what);
	}
	if (slot != NULL ? *slot == NULL : !s->has_records)
		return ST_OK;
	(void)snprintf(what, sizeof what, "key '%.64s' is there twice", s->key);
	return complain(s, ev, what);
}

static enum status keep_text(struct reading *s, const yaml_event_t *ev)
{
	char **slot = slot_of(s, s->key);
	char what[128];

	if (slot == NULL || ev->data.scalar.length == 0) {
		(void)snprintf(what, sizeof what,
			       slot == NULL ? "'%.64s' must be a list" : "'%.64s' is empty",
			       s->key);
		return complain(s, ev, what);
	}
	*slot = span_dup(span_of(ev->data.scalar.value, ev->data.scalar.length));
	return *slot != NULL ? ST_OK : err_nomem(s->e);
}

/* The value of the key, a text or the beginning of the list of records. */
static enum status take_value(struct reading *s, const yaml_event_t *ev)
{
	enum status st = add_place(s->m, s->record, s->key, ev->start_mark.line + 1, s->e);

	if (st == ST_OK && ev->type == YAML_SCALAR_EVENT)
		st = keep_text(s, ev);
	free(s->key);
	s->key = NULL;
	return st;
}

/* YAML has four plain words for no value. Here they would become a name or a path. */
static bool is_no_value(const yaml_event_t *ev)
{
	static const char *const words[] = { "~", "null", "Null", "NULL" };
	struct span text = span_of(ev->data.scalar.value, ev->data.scalar.length);

	for (size_t i = 0; i < COUNT(words); i++)
		if (ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
		    span_eq(text, span_str(words[i])))
			return true;
	return false;
}

/* A block ends in a line break, which nobody means to sign. Who does, quotes "\n". */
static bool is_block(const yaml_event_t *ev)
{
	return ev->data.scalar.style == YAML_LITERAL_SCALAR_STYLE ||
	       ev->data.scalar.style == YAML_FOLDED_SCALAR_STYLE;
}

static enum status take_scalar(struct reading *s, const yaml_event_t *ev)
{
	struct span text = span_of(ev->data.scalar.value, ev->data.scalar.length);

	if (span_has(text, 0))
		return complain(s, ev, "a NUL in a value");
	if (is_block(ev))
		return complain(s, ev,
				"a block of lines: write the value behind its key, on one line");
	if (is_no_value(ev))
		return complain(
			s, ev,
			"a null: leave the key out, or quote the word if it is meant as text");
	if (s->depth == 0 || (s->in_records && s->record < 0))
		return complain(s, ev, "a plain value where a mapping was expected");
	return s->key == NULL ? take_key(s, ev) : take_value(s, ev);
}

static enum status open_mapping(struct reading *s, const yaml_event_t *ev)
{
	struct manifest *c = &s->m->content;
	enum status st;

	s->depth++;
	if (s->depth == 1)
		return ST_OK;
	if (s->depth != 3 || !s->in_records)
		return complain(s, ev, "a mapping where a plain value was expected");
	if (!ARRAY_ROOM(c->records, c->records_count, s->m->records_cap))
		return err_nomem(s->e);
	s->record = (int)c->records_count;
	c->records[c->records_count++] = (struct manifest_record){ .role = NULL };
	st = add_start(s->m, s->e);
	if (st == ST_OK)
		st = add_place(s->m, s->record, NULL, ev->start_mark.line + 1, s->e);
	return st;
}

static enum status open_sequence(struct reading *s, const yaml_event_t *ev)
{
	s->depth++;
	if (s->depth != 2 || s->key == NULL || strcmp(s->key, "records") != 0)
		return complain(s, ev, "a list where a plain value was expected");
	s->has_records = s->in_records = true;
	return take_value(s, ev);
}

/* What may stand in front of a value and make another one of it; NULL: neither does. */
static const char *not_plain(const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor != NULL)
		return "anchors and aliases are not allowed";
	return tag != NULL ? "tags are not allowed: a value that begins with '!' wants quotes" :
			     NULL;
}

static const char *not_allowed(const yaml_event_t *ev)
{
	switch (ev->type) {
	case YAML_ALIAS_EVENT:
		return "anchors and aliases are not allowed";
	case YAML_SCALAR_EVENT:
		return not_plain(ev->data.scalar.anchor, ev->data.scalar.tag);
	case YAML_MAPPING_START_EVENT:
		return not_plain(ev->data.mapping_start.anchor, ev->data.mapping_start.tag);
	case YAML_SEQUENCE_START_EVENT:
		return not_plain(ev->data.sequence_start.anchor, ev->data.sequence_start.tag);
	default:
		return NULL;
	}
}

static enum status take_event(struct reading *s, const yaml_event_t *ev)
{
	const char *why = not_allowed(ev);

	if (why != NULL)
		return complain(s, ev, why);
	switch (ev->type) {
	case YAML_DOCUMENT_START_EVENT:
		return ++s->documents > 1 ? complain(s, ev, "a second document") : ST_OK;
	case YAML_SCALAR_EVENT:
		return take_scalar(s, ev);
	case YAML_MAPPING_START_EVENT:
		return open_mapping(s, ev);
	case YAML_SEQUENCE_START_EVENT:
		return open_sequence(s, ev);
	case YAML_MAPPING_END_EVENT:
		s->depth--;
		s->record = -1;
		return ST_OK;
	case YAML_SEQUENCE_END_EVENT:
		s->depth--;
		s->in_records = false;
		return ST_OK;
	default:
		return ST_OK;
	}
}

static enum status read_events(struct manifest_file *m, struct span text, struct tlv_err *e)
{
	struct reading s = { .m = m, .path = m->path, .record = -1, .e = e };
	yaml_parser_t parser;
	yaml_event_t ev;
	enum status st = ST_OK;
	bool end = false;

	if (libyaml.yaml_parser_initialize(&parser) == 0)
		return err_nomem(e);
	libyaml.yaml_parser_set_input_string(&parser, text.p, text.n);
	while (st == ST_OK && !end) {
		if (libyaml.yaml_parser_parse(&parser, &ev) == 0) {
			st = parser.error == YAML_MEMORY_ERROR ?
				     err_nomem(e) :
				     at_line(m->path, (unsigned)parser.problem_mark.line + 1, e,
					     parser.problem != NULL ? parser.problem : "not YAML");
			break;
		}
		end = ev.type == YAML_STREAM_END_EVENT;
		st = take_event(&s, &ev);
		libyaml.yaml_event_delete(&ev);
	}
	if (st == ST_OK && s.documents == 0)
		st = at_line(m->path, 1, e, "empty");
	free(s.key);
	libyaml.yaml_parser_delete(&parser);
	return st;
}

/* Modules and PINs are the command line's to name: a manifest may come from anybody. */
static enum status check_uri(const struct manifest_file *m, int record, const char *key,
			     const char *value, struct tlv_err *e)
{
	struct tlv_err own = TLV_ERR_INIT;

	if (value == NULL || !tok_is_uri(value) || tok_uri_check(value, false, &own) == ST_OK)
		return ST_OK;
	return manifest_error(m, record, key, e, "%s", err_text(&own));
}

static enum status check_uris(const struct manifest_file *m, struct tlv_err *e)
{
	const struct manifest *c = &m->content;
	enum status st = check_uri(m, -1, "key", c->key, e);

	if (st == ST_OK)
		st = check_uri(m, -1, "cert", c->cert, e);
	for (size_t i = 0; i < c->records_count && st == ST_OK; i++)
		st = check_uri(m, (int)i, "cert", c->records[i].cert, e);
	return st;
}

enum status manifest_read(struct manifest_file **out, const char *path, struct tlv_err *e)
{
	struct manifest_file *m = calloc(1, sizeof *m);
	struct blob file = { .p = NULL };
	enum status st;

	*out = m;
	if (m == NULL || (m->path = strdup(path)) == NULL) {
		manifest_free(out);
		(void)err_nomem(e);
		return ST_NOMEM;
	}
	st = slurp(path, SLURP_MANIFEST_MAX, SLURP_REGULAR, &file, e);
	if (st == ST_OK)
		st = load_library(e);
	if (st == ST_OK)
		st = read_events(m, blob_span(&file), e);
	if (st == ST_OK)
		st = check_uris(m, e);
	blob_free(&file);
	if (st != ST_OK)
		manifest_free(out);
	return st;
}

const struct manifest *manifest_content(const struct manifest_file *m)
{
	return &m->content;
}

static void content_free(struct manifest *c)
{
	char *texts[] = { c->file, c->style, c->mode,		c->digest,
			  c->key,  c->cert,  c->name_separator, c->signer_version };

	for (size_t i = 0; i < COUNT(texts); i++)
		free(texts[i]);
	for (size_t i = 0; i < c->records_count; i++) {
		free(c->records[i].role);
		free(c->records[i].cert);
		free(c->records[i].name);
		free(c->records[i].address);
		free(c->records[i].record);
	}
	free(c->records);
}

void manifest_free(struct manifest_file **m)
{
	if (*m == NULL)
		return;
	content_free(&(*m)->content);
	for (size_t i = 0; i < (*m)->nplaces; i++)
		free((*m)->places[i].key);
	free((*m)->places);
	free((*m)->starts);
	free((*m)->path);
	free(*m);
	*m = NULL;
}

unsigned manifest_line(const struct manifest_file *m, int record, const char *key)
{
	bool known = record >= 0 && (size_t)record < m->nstarts;
	unsigned line = 1;

	for (size_t i = known ? m->starts[record] : 0; i < m->nplaces; i++) {
		const struct place *p = &m->places[i];

		if (p->record != record && known)
			break;
		if (p->record != record)
			continue;
		if (p->key == NULL)
			line = p->line;
		else if (key != NULL && strcmp(p->key, key) == 0)
			return p->line;
	}
	return line;
}

enum status manifest_error(const struct manifest_file *m, int record, const char *key,
			   struct tlv_err *e, const char *fmt, ...)
{
	char what[512];
	va_list ap;

	va_start(ap, fmt);
	sentence_format(what, sizeof what, fmt, ap);
	va_end(ap);
	return at_line(m->path, manifest_line(m, record, key), e, what);
}

char *manifest_resolve(const struct manifest_file *m, const char *path)
{
	const char *slash = strrchr(m->path, '/');
	struct buf b = BUF_INIT;
	char *out;

	if (path[0] == '/' || slash == NULL || tok_is_uri(path))
		return strdup(path);
	buf_put(&b, span_of(m->path, (size_t)(slash - m->path) + 1));
	buf_str(&b, path);
	out = buf_failed(&b, NULL) == ST_OK ? span_dup(buf_span(&b)) : NULL;
	buf_free(&b);
	return out;
}

char *manifest_origin(const struct manifest_file *m, int record)
{
	struct buf b = BUF_INIT;
	char *out;

	buf_printf(&b, "%s:%u", m->path, manifest_line(m, record, NULL));
	out = buf_failed(&b, NULL) == ST_OK ? span_dup(buf_span(&b)) : NULL;
	buf_free(&b);
	return out;
}
