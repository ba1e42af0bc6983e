/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/text/pem.h"

#include <string.h>

#include "signer/text/log.h"

#define BEGIN "-----BEGIN"
#define END "-----END"
#define DASHES "-----"

enum {
	BLOCK_MAX = 1024 * 1024, /* characters of one block */
	NAME_MAX_CHARS = 64,	 /* of a block's name */
	ROW_MAX = 4096,		 /* characters of a row in front of its certificate */
	ROW_LINES = 8,		 /* on which a terminal breaks it */
};

/* Where the text stands in s; s.n if it does not. */
static size_t find(struct span s, const char *text)
{
	const uint8_t *at = s.n == 0 ? NULL : memmem(s.p, s.n, text, strlen(text));

	return at == NULL ? s.n : (size_t)(at - s.p);
}

/* PEM --------------------------------------------------------------------------------------- */

struct scanner {
	pem_fn *fn;
	void *arg;
	struct buf block; /* from BEGIN on, without line ends */
	size_t line;	  /* where it began; 0: in no block */
};

/* The blank in front of the name is lost if a terminal broke the line there. */
static void put_marker(struct buf *out, const char *marker, struct span rest)
{
	buf_str(out, marker);
	if (span_at(rest, 0) != ' ')
		buf_u8(out, ' ');
}

static enum status hand_over(struct scanner *x, struct span block, struct tlv_err *e)
{
	struct span body = span_slice(block, sizeof BEGIN - 1, block.n);
	size_t end = find(body, END);
	struct buf pem = BUF_INIT;
	enum status st;

	put_marker(&pem, BEGIN, body);
	buf_put(&pem, span_slice(body, 0, end));
	body = span_slice(body, end, body.n);
	if (body.n > 0) {
		put_marker(&pem, END, span_slice(body, sizeof END - 1, body.n));
		buf_put(&pem, span_slice(body, sizeof END - 1, body.n));
	}
	st = buf_failed(&pem, e);
	if (st == ST_OK)
		st = x->fn(x->arg, buf_span(&pem), x->line, e);
	buf_free(&pem);
	x->line = 0;
	return st;
}

/* Drops what stands in front of n in the block. */
static void drop(struct buf *b, size_t n)
{
	struct buf rest = BUF_INIT;

	if (n == 0)
		return;
	buf_put(&rest, span_slice(buf_span(b), n, b->n));
	buf_free(b);
	*b = rest;
}

/* Outside of a block only what may be half a marker is kept. */
static bool begin_block(struct scanner *x, struct span *rest, size_t line)
{
	size_t at = find(*rest, BEGIN);

	if (at == rest->n) {
		if (rest->n >= sizeof BEGIN)
			*rest = span_slice(*rest, rest->n - (sizeof BEGIN - 2), rest->n);
		return false;
	}
	*rest = span_slice(*rest, at, rest->n);
	x->line = line;
	return true;
}

/* "-----BEGIN name-----": its length; 0 if more is to come; SIZE_MAX if it is none. */
static size_t marker_length(struct span s, const char *marker)
{
	size_t n = strlen(marker), name;

	if (s.n < n)
		return span_starts(span_str(marker), s) ? 0 : SIZE_MAX;
	if (!span_starts(s, span_str(marker)))
		return SIZE_MAX;
	name = find(span_slice(s, n, NAME_MAX_CHARS + sizeof DASHES - 1), DASHES);
	if (name <= NAME_MAX_CHARS && n + name < s.n)
		return n + name + sizeof DASHES - 1;
	return s.n - n > NAME_MAX_CHARS + sizeof DASHES ? SIZE_MAX : 0;
}

/* The end of the block, whole or damaged: base64 has no '-'. 0: the block goes on. */
static size_t whole_block(struct span s)
{
	struct span rest;
	size_t head = marker_length(s, BEGIN), dash = head, tail;

	if (head == 0 || head == SIZE_MAX)
		return head == 0 ? 0 : sizeof BEGIN - 1;
	while (dash < s.n && span_at(s, dash) != '-')
		dash++;
	if (dash == s.n)
		return s.n > BLOCK_MAX ? s.n : 0;
	rest = span_slice(s, dash, s.n);
	tail = marker_length(rest, END);
	return tail == SIZE_MAX ? dash : tail == 0 ? 0 : dash + tail;
}

static enum status scan(struct scanner *x, size_t line, struct tlv_err *e)
{
	struct span rest = buf_span(&x->block);
	enum status st = ST_OK;
	size_t end;

	while (st == ST_OK && (x->line != 0 || begin_block(x, &rest, line)) &&
	       (end = whole_block(rest)) > 0) {
		st = hand_over(x, span_slice(rest, 0, end), e);
		rest = span_slice(rest, end, rest.n);
	}
	/* Once for all blocks of a line, which may be many. */
	drop(&x->block, x->block.n - rest.n);
	return st == ST_OK ? buf_failed(&x->block, e) : st;
}

enum status pem_each(struct span text, pem_fn *fn, void *arg, struct tlv_err *e)
{
	struct scanner x = { .fn = fn, .arg = arg, .block = BUF_INIT };
	struct log log;
	struct span line;
	enum status st = log_open(&log, text, e);

	while (st == ST_OK && log_next(&log, &line)) {
		buf_put(&x.block, line);
		/* Most lines can end nothing. */
		if (x.line == 0 || span_has(line, '-') || x.block.n > BLOCK_MAX)
			st = scan(&x, log.number, e);
	}
	if (st == ST_OK && x.line != 0)
		st = hand_over(&x, buf_span(&x.block), e);
	buf_free(&x.block);
	return log_close(&log, e) != ST_OK ? e->status : st;
}

/* The query --------------------------------------------------------------------------------- */

struct query {
	query_fn *fn;
	void *arg;
	struct buf row;	 /* of the present row, its line ends as '\n' */
	size_t lines;	 /* of it */
	bool below, pem; /* below a table's head, in a certificate */
};

static void without_line_ends(struct buf *out, struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (span_at(s, i) != '\n')
			buf_u8(out, (uint8_t)span_at(s, i));
}

/* At the end of a line the terminal may have broken a word. Both readings are handed over. */
static enum status end_row(struct query *q, struct span row, struct tlv_err *e)
{
	struct buf joined = BUF_INIT;
	enum status st;

	without_line_ends(&joined, row);
	st = buf_failed(&joined, e);
	if (st == ST_OK)
		st = q->fn(q->arg, buf_span(&joined), e);
	if (st == ST_OK && span_has(row, '\n'))
		st = q->fn(q->arg, row, e);
	buf_free(&joined);
	return st;
}

/* The row up to its certificate; false while the marker is not there. */
static bool find_certificate(const struct query *q, struct span *row)
{
	struct span s = buf_span(&q->row);
	struct buf joined = BUF_INIT;
	size_t at, n = 0;

	without_line_ends(&joined, s);
	at = find(buf_span(&joined), BEGIN);
	if (at == joined.n) {
		buf_free(&joined);
		return false;
	}
	buf_free(&joined);
	/* The same place in the text with line ends. */
	for (size_t seen = 0; n < s.n && seen < at; n++)
		seen += span_at(s, n) != '\n';
	*row = span_slice(s, 0, n);
	return true;
}

static void begin_row(struct query *q)
{
	buf_truncate(&q->row, 0);
	q->lines = 0;
}

static enum status take_line(struct query *q, struct span line, struct tlv_err *e)
{
	enum status st = ST_OK;
	struct span row;

	if (span_starts(line, SPAN_LIT("==="))) {
		q->below = true;
		q->pem = false;
		begin_row(q);
	} else if (span_starts(line, SPAN_LIT("admin:"))) {
		q->below = false;
	} else if (q->below && find(line, END) < line.n) {
		q->pem = false;
		begin_row(q);
	} else if (q->below && !q->pem) {
		if (q->row.n + line.n > ROW_MAX || q->lines++ == ROW_LINES)
			begin_row(q);
		buf_put(&q->row, line);
		q->pem = find_certificate(q, &row);
		if (q->pem)
			st = end_row(q, row, e);
		buf_u8(&q->row, '\n');
	}
	return st;
}

enum status query_each(struct span text, query_fn *fn, void *arg, struct tlv_err *e)
{
	struct query q = { .fn = fn, .arg = arg, .row = BUF_INIT };
	struct log log;
	struct span line;
	enum status st = log_open(&log, text, e);

	while (st == ST_OK && log_next(&log, &line))
		st = take_line(&q, line, e);
	if (buf_failed(&q.row, e) != ST_OK && st == ST_OK)
		st = ST_NOMEM;
	buf_free(&q.row);
	return log_close(&log, e) != ST_OK ? e->status : st;
}
