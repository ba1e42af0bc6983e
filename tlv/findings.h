/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What is found wrong with a list or a signed file: a bounded list for people to
 * read, and counts without a bound for programs to decide by.
 */
#ifndef TLV_FINDINGS_H
#define TLV_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tlv_finding_code {
#define FINDING(name, code, level) TLV_FIND_##name,
#include "tlv/findings.def"
#undef FINDING
};

struct tlv_finding {
	enum tlv_finding_code code;
	bool error;    /* else a warning */
	size_t record; /* number from 1; 0: the header, or the whole list */
	bool has_at;
	size_t at;  /* byte offset in the file */
	char *text; /* owned; one sentence without full stop, untrusted names inside */
};

/*
 * As many errors are listed, and as many warnings: a hostile file must not make
 * more lines than anybody reads. Neither takes the other's room. What goes
 * beyond is told by one more line, of code 'more-errors' (an error) or 'more'.
 */
enum { TLV_FINDINGS_MAX = 1000 };

/*
 * Which errors are warnings here, for what is done with the list. All zero: none.
 * The levels are those of tlv/findings.def.
 */
struct tlv_lenience {
	bool signed_anew; /* FORM errors of the header, which is written anew */
	bool weak_keys;	  /* WEAK errors: somebody said --allow-weak-keys */
	const bool *gone; /* by record index: it goes in the same run; NULL: none does; borrowed */
	size_t ngone;
	size_t signer; /* number of the signer's record, whose errors stay even if it goes; 0: none */
};

struct tlv_findings {
	struct tlv_finding *v; /* owned; in the order in which they were found */
	size_t n, cap;
	size_t errors, warnings; /* all that were found, listed or not */
	struct tlv_lenience lenience;
	bool nomem;
};

#define TLV_FINDINGS_INIT ((struct tlv_findings){ .n = 0 })

const char *tlv_finding_text(enum tlv_finding_code code); /* "lone-sast" */
/* Of level WEAK: what --allow-weak-keys forgives. */
bool tlv_finding_is_weak(enum tlv_finding_code code);

enum { TLV_NO_OFFSET = -1 };
/* at: byte offset, or TLV_NO_OFFSET. */
void tlv_find(struct tlv_findings *f, enum tlv_finding_code code, size_t record, int64_t at,
	      const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* The first error that is listed; NULL if there is none. */
const struct tlv_finding *tlv_findings_first_error(const struct tlv_findings *f);
void tlv_findings_free(struct tlv_findings *f);

#endif
