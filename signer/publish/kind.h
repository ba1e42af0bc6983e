/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Kinds of files that we write, and how they are known again. A file of an
 * earlier release counts as well.
 */
#ifndef CTL_KIND_H
#define CTL_KIND_H

#include <stdbool.h>

#include "tlv/bytes.h"

enum kind {
#define KIND(NAME, recogniser, text) KIND_##NAME,
#include "signer/publish/kind.def"
#undef KIND
	KIND_COUNT
};

/* The first line of a manifest that we make. Without it a manifest is its author's. */
#define KIND_MANIFEST_LINE \
	"# made by 'ctlsign extract'; without this line it is never overwritten\n"
/* What tells a page that we make. */
#define KIND_PAGE_LINE "<meta name=\"generator\" content=\"ctlsign\">\n"

/* Bytes of a file's beginning that suffice: the longest header and the longest record. */
enum { KIND_START = 128 * 1024 };

/* Whether a file that begins so is of this kind. */
bool kind_is(enum kind kind, struct span start);
/* The same for what the descriptor holds; nothing is known of what cannot be read. */
bool kind_is_file(enum kind kind, int fd);
/* "a trust list" */
const char *kind_text(enum kind kind);

#endif
