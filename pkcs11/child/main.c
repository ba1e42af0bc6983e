/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * ctlsign-token: the token's process. ctlsign starts it with a socket as
 * descriptor 3 and nothing else; what is behind that socket is trusted, what
 * is loaded here is not.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "pkcs11/child/serve.h"
#include "pkcs11/shared/line.h"
#include "pkcs11/shared/secret.h"

/* A remote token's dead server is an error, and so is a terminal that is not ours: no signals. */
static const int ignored[] = { SIGPIPE, SIGTTIN, SIGTTOU };

static bool is_line(int fd)
{
	int type = 0;
	socklen_t n = sizeof type;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 && type == SOCK_SEQPACKET;
}

/* The search is used until the end. */
static bool serve(void)
{
	uint8_t head[TOK_HEAD], *room = malloc(TOK_MSG_MAX);
	struct tok_search search;
	struct tok_pulse *pulse;
	size_t n = 0;
	int fd = -1;
	bool ok = room != NULL && tok_line_receive(TOK_LINE, head, room, TOK_MSG_MAX, &n, &fd) &&
		  wire_read_search(span_of(room, n), &search);

	pulse = tok_pulse_map(fd);
	if (ok)
		tok_serve(TOK_LINE, head[0], &search, pulse);
	tok_pulse_free(&pulse);
	free(room);
	return ok;
}

int main(void)
{
	tok_pin_harden_process();
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	for (size_t i = 0; i < COUNT(ignored); i++)
		(void)signal(ignored[i], SIG_IGN);
	if (!is_line(TOK_LINE)) {
		(void)fprintf(
			stderr,
			"ctlsign-token is a part of ctlsign, which starts it; to see tokens, run 'ctlsign tokens'\n");
		return 2;
	}
	/* Without what modules left to be done at the exit. */
	_exit(serve() ? 0 : 1);
}
