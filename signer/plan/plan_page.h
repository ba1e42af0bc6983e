/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What all pages of plans are made of: one style, one way to escape, and how a step looks.
 * A page needs nothing but itself, and is read on a screen, a telephone and paper.
 */
#ifndef CTL_PLAN_PAGE_H
#define CTL_PLAN_PAGE_H

#include "signer/plan/plan_model.h"

/*
 * Appends the head and opens the h1, which the caller fills; of a refused plan both say
 * so before all else. title: plain text.
 */
void page_begin(struct buf *b, struct span title, bool refused);
/*
 * Closes the h1 and says when the page was made (seconds since 1970 UTC). release: NULL if unknown.
 */
void page_made(struct buf *b, int64_t now, const struct release *release);
/* Appends text without what a browser would take for markup, or a terminal for a command. */
void page_put(struct buf *b, struct span s);
/* The same with what was collected, which is freed: a failure of its memory is b's. */
void page_flush(struct buf *b, struct buf *text);
/* Appends the tags of the facts' sources, or nothing. */
void page_tags(struct buf *b, const unsigned *facts, size_t n);
/* A line that stands out. s: the step that has it, whose sources are not repeated; NULL: none. */
void page_note(struct buf *b, const struct plan_line *l, const struct plan_step *s);
/*
 * A step to be ticked. at: which one of the page, from 0; number: that of the step
 * before, which counts on.
 */
void page_step(struct buf *b, const struct plan_step *s, size_t at, size_t *number);
/* All steps, with a heading before each part. */
void page_steps(struct buf *b, const struct plan_step *steps, size_t n);
/* Lines as a list, each with its sources. look: the list's class, or NULL. */
void page_items(struct buf *b, const char *look, const struct plan_lines *l);
/* Appends "left:12.5%;". */
void page_percent(struct buf *b, const char *property, unsigned tenths);
/* What the words and these tags mean. */
void page_legend(struct buf *b, const struct span *tags, size_t n);
void page_end(struct buf *b);

#endif
