/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/list/manifest.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cyaml/cyaml.h>
#include <yaml.h>

#include "pkcs11/token.h"
#include "signer/io/slurp.h"
#include "tlv/sentence.h"

#define TEXT_FIELD(key, type, member) \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, 0, \
			       CYAML_UNLIMITED)

static const cyaml_schema_field_t record_fields[] = {
	TEXT_FIELD("role", struct manifest_record, role),
	TEXT_FIELD("cert", struct manifest_record, cert),
	TEXT_FIELD("name", struct manifest_record, name),
	TEXT_FIELD("address", struct manifest_record, address), CYAML_FIELD_END
};

static const cyaml_schema_value_t record_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct manifest_record, record_fields),
};

static const cyaml_schema_field_t manifest_fields[] = {
	TEXT_FIELD("file", struct manifest, file),
	TEXT_FIELD("style", struct manifest, style),
	TEXT_FIELD("mode", struct manifest, mode),
	TEXT_FIELD("digest", struct manifest, digest),
	TEXT_FIELD("key", struct manifest, key),
	TEXT_FIELD("cert", struct manifest, cert),
	TEXT_FIELD("name-separator", struct manifest, name_separator),
	TEXT_FIELD("signer-version", struct manifest, signer_version),
	CYAML_FIELD_SEQUENCE("records", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct manifest,
			     records, &record_schema, 0, 65536),
	CYAML_FIELD_END
};

static const cyaml_schema_value_t manifest_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct manifest, manifest_fields),
};

/* Where a value stands. */
struct place {
	int record; /* index, -1: top level */
	char *key;  /* owned; NULL: the record itself */
	unsigned line;
};

struct manifest_file {
	char *path;
	struct manifest *content;
	struct place *places;
	size_t nplaces, cap;
	size_t *starts; /* by record: its first place; the rest of them follows */
	size_t nstarts, starts_cap;
};

static void schema_log(cyaml_log_t level, void *arg, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

static cyaml_config_t schema_config(struct buf *log)
{
	return (cyaml_config_t){ .log_fn = schema_log,
				 .log_ctx = log,
				 .mem_fn = cyaml_mem,
				 .log_level = CYAML_LOG_WARNING,
				 .flags = CYAML_CFG_NO_ALIAS };
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

/* The pass over the events: lines of all values, and what the schema does not forbid. */
struct survey {
	struct manifest_file *m;
	int depth;   /* of open mappings and sequences */
	int record;  /* index of the record that is open, -1 */
	int records; /* how many began */
	bool in_records;
	char *key;	   /* owned; the key whose value comes next, NULL: a key comes next */
	size_t own_places; /* places of the open mapping begin here */
	int documents;
	struct tlv_err *e;
};

static enum status complain(struct survey *s, const yaml_event_t *ev, const char *what)
{
	return at_line(s->m->path, (unsigned)ev->start_mark.line + 1, s->e, what);
}

static bool key_is_repeated(const struct survey *s, const char *key)
{
	for (size_t i = s->own_places; i < s->m->nplaces; i++)
		if (s->m->places[i].record == s->record && s->m->places[i].key != NULL &&
		    strcmp(s->m->places[i].key, key) == 0)
			return true;
	return false;
}

/* libcyaml refuses unknown keys too, but names the line of the key before. */
static bool key_is_known(const struct survey *s, const char *key)
{
	const cyaml_schema_field_t *f = s->record < 0 ? manifest_fields : record_fields;

	for (; f->key != NULL; f++)
		if (strcmp(f->key, key) == 0)
			return true;
	return false;
}

static enum status take_key(struct survey *s, const yaml_event_t *ev)
{
	char what[128];

	s->key = span_dup(span_of(ev->data.scalar.value, ev->data.scalar.length));
	if (s->key == NULL)
		return err_nomem(s->e);
	(void)snprintf(what, sizeof what, "unknown key '%.64s'", s->key);
	if (!key_is_known(s, s->key))
		return complain(s, ev, what);
	if (!key_is_repeated(s, s->key))
		return ST_OK;
	(void)snprintf(what, sizeof what, "key '%.64s' is there twice", s->key);
	return complain(s, ev, what);
}

static enum status take_value(struct survey *s, const yaml_event_t *ev)
{
	char what[128];
	enum status st = add_place(s->m, s->record, s->key, ev->start_mark.line + 1, s->e);

	bool list = strcmp(s->key, "records") == 0;

	(void)snprintf(what, sizeof what, list ? "'%.64s' must be a list" : "'%.64s' is empty",
		       s->key);
	free(s->key);
	s->key = NULL;
	if (st == ST_OK && ev->type == YAML_SCALAR_EVENT && (list || ev->data.scalar.length == 0))
		st = complain(s, ev, what);
	return st;
}

static enum status take_scalar(struct survey *s, const yaml_event_t *ev)
{
	if (ev->data.scalar.anchor != NULL)
		return complain(s, ev, "anchors and aliases are not allowed");
	if (span_has(span_of(ev->data.scalar.value, ev->data.scalar.length), 0))
		return complain(s, ev, "a NUL in a value");
	if (s->depth == 0 || (s->in_records && s->record < 0))
		return complain(s, ev, "a plain value where a mapping was expected");
	return s->key == NULL ? take_key(s, ev) : take_value(s, ev);
}

static enum status open_mapping(struct survey *s, const yaml_event_t *ev)
{
	enum status st = ST_OK;

	s->depth++;
	if (s->depth == 1)
		return ST_OK;
	if (s->depth != 3 || !s->in_records)
		return complain(s, ev, "a mapping where a plain value was expected");
	s->record = s->records++;
	s->own_places = s->m->nplaces;
	st = add_start(s->m, s->e);
	if (st == ST_OK)
		st = add_place(s->m, s->record, NULL, ev->start_mark.line + 1, s->e);
	return st;
}

static enum status open_sequence(struct survey *s, const yaml_event_t *ev)
{
	s->depth++;
	if (s->depth != 2 || s->key == NULL || strcmp(s->key, "records") != 0)
		return complain(s, ev, "a list where a plain value was expected");
	s->in_records = true;
	return take_value(s, ev);
}

static enum status take_event(struct survey *s, const yaml_event_t *ev)
{
	switch (ev->type) {
	case YAML_DOCUMENT_START_EVENT:
		return ++s->documents > 1 ? complain(s, ev, "a second document") : ST_OK;
	case YAML_ALIAS_EVENT:
		return complain(s, ev, "anchors and aliases are not allowed");
	case YAML_SCALAR_EVENT:
		return take_scalar(s, ev);
	case YAML_MAPPING_START_EVENT:
		return open_mapping(s, ev);
	case YAML_SEQUENCE_START_EVENT:
		return open_sequence(s, ev);
	case YAML_MAPPING_END_EVENT:
		s->depth--;
		s->record = -1;
		s->own_places = 0;
		return ST_OK;
	case YAML_SEQUENCE_END_EVENT:
		s->depth--;
		s->in_records = false;
		return ST_OK;
	default:
		return ST_OK;
	}
}

static enum status survey(struct manifest_file *m, struct span text, struct tlv_err *e)
{
	struct survey s = { .m = m, .record = -1, .e = e };
	yaml_parser_t parser;
	yaml_event_t ev;
	enum status st = ST_OK;
	bool end = false;

	if (yaml_parser_initialize(&parser) == 0)
		return err_nomem(e);
	yaml_parser_set_input_string(&parser, text.p, text.n);
	while (st == ST_OK && !end) {
		if (yaml_parser_parse(&parser, &ev) == 0) {
			st = parser.error == YAML_MEMORY_ERROR ?
				     err_nomem(e) :
				     at_line(m->path, (unsigned)parser.problem_mark.line + 1, e,
					     parser.problem != NULL ? parser.problem : "not YAML");
			break;
		}
		end = ev.type == YAML_STREAM_END_EVENT;
		st = take_event(&s, &ev);
		yaml_event_delete(&ev);
	}
	if (st == ST_OK && s.documents == 0)
		st = at_line(m->path, 1, e, "empty");
	free(s.key);
	yaml_parser_delete(&parser);
	return st;
}

/* libcyaml logs "Load: Unexpected key: foo", then lines with "(line: 3, column: 12)". */
static void schema_log(cyaml_log_t level, void *arg, const char *fmt, va_list ap)
{
	struct buf *log = arg;
	char text[512];

	(void)level;
	if (vsnprintf(text, sizeof text, fmt, ap) > 0 && log->n < 8192)
		buf_str(log, text);
}

static enum status schema_error(const struct manifest_file *m, struct buf *log, cyaml_err_t code,
				struct tlv_err *e)
{
	const char *text = buf_cstr(log), *line = strstr(text, "(line: ");
	const char *what = strstr(text, "Load: ");
	unsigned long number = line != NULL ? strtoul(line + 7, NULL, 10) : 1;
	char sentence[256];

	what = what != NULL ? what + 6 : cyaml_strerror(code);
	(void)snprintf(sentence, sizeof sentence, "%.*s", (int)strcspn(what, "\n"), what);
	if (strncmp(sentence, "Unexpected key: ", 16) == 0)
		return err_set(e, ST_INPUT, "%s:%lu: unknown key '%s'", m->path, number,
			       sentence + 16);
	return err_set(e, ST_INPUT, "%s:%lu: %s", m->path, number, sentence);
}

static enum status load(struct manifest_file *m, struct span text, struct tlv_err *e)
{
	struct buf log = BUF_INIT;
	cyaml_config_t config = schema_config(&log);
	cyaml_err_t r = cyaml_load_data(text.p, text.n, &config, &manifest_schema,
					(cyaml_data_t **)&m->content, NULL);
	enum status st = ST_OK;

	/* The survey found it to be YAML. */
	if (r == CYAML_ERR_OOM || r == CYAML_ERR_LIBYAML_PARSER ||
	    r == CYAML_ERR_LIBYAML_PARSER_INIT)
		st = err_nomem(e);
	else if (r != CYAML_OK)
		st = schema_error(m, &log, r, e);
	else if (m->content == NULL)
		st = at_line(m->path, 1, e, "empty");
	buf_free(&log);
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
	const struct manifest *c = m->content;
	enum status st = check_uri(m, -1, "key", c->key, e);

	if (st == ST_OK)
		st = check_uri(m, -1, "cert", c->cert, e);
	for (unsigned i = 0; i < c->records_count && st == ST_OK; i++)
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
		st = survey(m, blob_span(&file), e);
	if (st == ST_OK)
		st = load(m, blob_span(&file), e);
	if (st == ST_OK)
		st = check_uris(m, e);
	blob_free(&file);
	if (st != ST_OK)
		manifest_free(out);
	return st;
}

const struct manifest *manifest_content(const struct manifest_file *m)
{
	return m->content;
}

void manifest_free(struct manifest_file **m)
{
	cyaml_config_t config = schema_config(NULL);

	if (*m == NULL)
		return;
	if ((*m)->content != NULL)
		(void)cyaml_free(&config, &manifest_schema, (*m)->content, 0);
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
