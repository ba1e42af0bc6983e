/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Phones that lag behind a plan: they were off, or their own TFTP node was down and
 * another one gave them its lists, or its TFTP service was not restarted.
 */
#ifndef CTL_STRAGGLER_H
#define CTL_STRAGGLER_H

#include "signer/plan/forecast/search.h"

/*
 * Sets the gates of all stages, each behind the last moment at which such phones can
 * still be helped. A gate brings every phone to the lists of its own node, so that nobody
 * lags behind what came before it. nodes: the TFTP nodes that are looked at.
 */
void straggler_note_gates(struct search *s, const bool *nodes);

#endif
