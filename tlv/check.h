/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Policy after shape: the reader says well-formed, this says acceptable.
 */
#ifndef TLV_CHECK_H
#define TLV_CHECK_H

#include "tlv/list.h"

enum tlv_finding_code {
#define FINDING(name, code, level) TLV_FIND_##name,
#include "tlv/findings.def"
#undef FINDING
};

struct tlv_finding {
	enum tlv_finding_code code;
	size_t record; /* number from 1; 0: the header, or the whole list */
	bool has_at;
	size_t at;  /* byte offset in the file */
	char *text; /* owned; one sentence without full stop, untrusted names inside */
};

/* The limit keeps a hostile file from making more findings than anybody reads. */
enum { TLV_FINDINGS_MAX = 1000 };

struct tlv_findings {
	struct tlv_finding *v;
	size_t n, cap;
	bool nomem;
};

#define TLV_FINDINGS_INIT ((struct tlv_findings){ .n = 0 })

bool tlv_finding_is_error(enum tlv_finding_code code);
const char *tlv_finding_text(enum tlv_finding_code code); /* "lone-sast" */

enum { TLV_NO_OFFSET = -1 };
/* at: byte offset, or TLV_NO_OFFSET. */
void tlv_find(struct tlv_findings *f, enum tlv_finding_code code, size_t record, int64_t at,
	      const char *fmt, ...) __attribute__((format(printf, 5, 6)));
size_t tlv_findings_errors(const struct tlv_findings *f);
void tlv_findings_free(struct tlv_findings *f);

/*
 * All that bytes alone can tell about a well-formed list: fields, texts,
 * codes, sizes, agreement of every record with its certificate, duplicates,
 * anchors. Signatures and dates are not looked at.
 */
void tlv_check_header(const struct tlv_header *h, struct tlv_findings *out);
void tlv_check_list(const struct tlv_list *l, struct tlv_findings *out);

#endif
