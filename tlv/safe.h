/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Text from files, tokens and the network, made fit for people's eyes: nothing
 * in it drives a terminal, begins a line, or makes the rest look like something else.
 */
#ifndef TLV_SAFE_H
#define TLV_SAFE_H

#include "tlv/bytes.h"

/*
 * Appends text with \xNN for each byte of what is not UTF-8. The same for controls (C0, DEL, C1),
 * line and paragraph separators, and characters that show nothing themselves: they turn, join or
 * tag what stands around them.
 */
void safe_text(struct buf *b, struct span text);

/*
 * Length in bytes of the first character, if it may be shown as it is. 0: its first byte must be
 * escaped.
 */
size_t safe_character(struct span text);

#endif
