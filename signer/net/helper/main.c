/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * ctlsign-net: the network's process. ctlsign starts it with a socket as descriptor 3 and
 * nothing else. It alone may connect, and it can neither write files nor read the user's.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "pkcs11/shared/line.h"
#include "pkcs11/shared/secret.h"
#include "signer/io/sandbox.h"
#include "signer/net/helper/serve.h"

static bool is_line(int fd)
{
	int type = 0;
	socklen_t n = sizeof type;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 && type == SOCK_SEQPACKET;
}

int main(void)
{
	const struct sandbox_wants wants = { .connects = true };

	tok_pin_harden_process();
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)signal(SIGPIPE, SIG_IGN);
	if (!is_line(TOK_LINE)) {
		(void)fprintf(
			stderr,
			"ctlsign-net is a part of ctlsign, which starts it; to fetch lists, run 'ctlsign fetch'\n");
		return 2;
	}
	if (!net_serve_prepare())
		return 1;
	(void)sandbox_enter(SANDBOX_ALL, &wants);
	_exit(net_serve(TOK_LINE) ? 0 : 1);
}
