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
	ST_NOMEM = 71, /* memory ran out: inside only, err_exit_status() makes it that of a bug */
};

/* The text limits are generous for sentences; longer text is cut, never overrun. */
enum { ERR_TEXT_MAX = 1024 };

struct tlv_err {
	enum status status;	 /* ST_OK: nothing has failed */
	bool has_at;		 /* at is valid */
	uint64_t at;		 /* byte offset in the file named by the context */
	char text[ERR_TEXT_MAX]; /* "CTLFile.tlv: record 3: certificate: …", no full stop */
};

#define TLV_ERR_INIT ((struct tlv_err){ .status = ST_OK })

/* Records a failure unless one is recorded already. Returns e's status, or st where e is NULL. */
enum status err_set(struct tlv_err *e, enum status st, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same with the byte offset at which the input is wrong. */
enum status err_set_at(struct tlv_err *e, enum status st, uint64_t at, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Puts "context: " in front of the recorded text; no-op where nothing failed. Returns e's status. */
enum status err_in(struct tlv_err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The exit status that stands for st, a row of status.def. */
int err_exit_status(enum status st);

/* ST_NOMEM with "out of memory", which the process remembers; e may be NULL. */
enum status err_nomem(struct tlv_err *e);

/*
 * Whether memory ran out anywhere since the process began. Something may be
 * missing then from what was made since: it is neither told nor published.
 */
bool err_nomem_seen(void);

/*
 * The whole sentence, offset included, into out (cap bytes, always
 * terminated). Untrusted names inside are as they came: escape for the medium.
 */
void err_format(const struct tlv_err *e, char *out, size_t cap);

/* Receives a warning, one sentence without newline; arg is the caller's. */
typedef void warn_fn(void *arg, const char *text);

struct tlv_warn {
	warn_fn *fn; /* NULL: warnings are dropped */
	void *arg;
};

void warn_put(const struct tlv_warn *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
