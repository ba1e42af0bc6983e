/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What went wrong, where, and with which exit status.
 *
 * Every function that can fail returns an enum status (ST_OK is 0) and
 * describes the failure in a struct tlv_err that the caller owns. The first
 * failure wins: later calls on the same struct change nothing but the
 * context in front. Libraries never print; the program prints once, at its end.
 */
#ifndef TLV_ERR_H
#define TLV_ERR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum status {
#define STATUS(name, number, meaning) ST_##name = (number),
#include "tlv/status.def"
#undef STATUS
	/* Inside only. err_exit_status() makes them that of a bug; err_cure() tells them apart. */
	ST_NOMEM = 71,	 /* memory ran out */
	ST_MACHINE = 72, /* it lacks a library, or its OpenSSL refuses what every list needs */
};

/* The text limits are generous for sentences; longer text is cut, never overrun. */
enum { ERR_TEXT_MAX = 1024 };

struct tlv_err {
	enum status status; /* ST_OK: nothing has failed */
	bool has_at;	    /* at is valid */
	uint64_t at;	    /* byte offset in the file named by the context */
	char said
		[ERR_TEXT_MAX]; /* err_text(): nobody else reads it, and tlv/err.c alone writes it */
};

#define TLV_ERR_INIT ((struct tlv_err){ .status = ST_OK })

/* The same for one that is declared in a loop: its text is not filled with zeros. */
void err_begin(struct tlv_err *e);

/*
 * Records a failure unless one is recorded already. Returns e's status, or st
 * if e is NULL. Here and below the format is sentence_format()'s: what %s
 * brings is escaped, and only the format and err_line() break a line.
 */
enum status err_set(struct tlv_err *e, enum status st, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same with the byte offset at which the input is wrong. */
enum status err_set_at(struct tlv_err *e, enum status st, uint64_t at, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Puts "context: " in front of the recorded text; no-op if nothing failed. Returns e's status. */
enum status err_in(struct tlv_err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Adds an indented line to the recorded failure. Does nothing if nothing failed or no room is left.
 */
void err_line(struct tlv_err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The failure of another struct, or of another process as n bytes of its err_text(). */
enum status err_copy(struct tlv_err *e, const struct tlv_err *from);
enum status err_receive(struct tlv_err *e, enum status st, const void *text, size_t n);

/*
 * "CTLFile.tlv: record 3: certificate: …", without a full stop. "" if nothing failed. Borrowed from
 * e.
 */
const char *err_text(const struct tlv_err *e);

/* The exit status that stands for st, a row of status.def. */
int err_exit_status(enum status st);

/*
 * What to do about a failure that no input and no option has caused: a bug, memory that ran out. A
 * sentence, or NULL if the failure's own sentence says it.
 */
const char *err_cure(enum status st);

/* ST_NOMEM with "out of memory", which the process remembers; e may be NULL. */
enum status err_nomem(struct tlv_err *e);

/*
 * Whether memory ran out anywhere since the process began. Something may be
 * missing then from what was made since: it is neither told nor published.
 */
bool err_nomem_seen(void);

/* The whole sentence, offset included, into out (cap bytes, always terminated). */
void err_format(const struct tlv_err *e, char *out, size_t cap);

/* Receives a warning, made by sentence_format(); arg is the caller's. */
typedef void warn_fn(void *arg, const char *text);

struct tlv_warn {
	warn_fn *fn; /* NULL: warnings are dropped */
	void *arg;
};

void warn_put(const struct tlv_warn *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A warning of another process: n bytes of what its warn_fn was given. */
void warn_receive(const struct tlv_warn *w, const void *text, size_t n);

#endif
