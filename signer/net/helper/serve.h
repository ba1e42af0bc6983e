/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The network's process: takes requests from the line, works on all of them at once, and
 * answers as it goes.
 */
#ifndef CTL_NET_SERVE_H
#define CTL_NET_SERVE_H

#include <stdbool.h>

/* What libraries read and load, before the sandbox is entered. */
bool net_serve_prepare(void);
/* Until the line closes. False if it ended otherwise. */
bool net_serve(int line);

#endif
