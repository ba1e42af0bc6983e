/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Which senders a socket hears.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#include "signer/io/datagram.h"

/* An address with a port of its own. */
struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} is;
	socklen_t n;
};

static struct address address_of(const char *text)
{
	struct address a = { .n = 0 };

	if (strchr(text, ':') != NULL) {
		a.is.v6.sin6_family = AF_INET6;
		assert_int_equal(inet_pton(AF_INET6, text, &a.is.v6.sin6_addr), 1);
		a.n = sizeof a.is.v6;
	} else {
		a.is.v4.sin_family = AF_INET;
		assert_int_equal(inet_pton(AF_INET, text, &a.is.v4.sin_addr), 1);
		a.n = sizeof a.is.v4;
	}
	return a;
}

/* -1: the machine has no such address. */
static int socket_at(const char *text, struct address *at)
{
	int fd, own = errno;

	*at = address_of(text);
	fd = socket(at->is.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && bind(fd, &at->is.any, at->n) == 0 &&
	    getsockname(fd, &at->is.any, &at->n) == 0)
		return fd;
	errno = own;
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

/* A socket at `here` that hears `allowed`: what comes from `sender`. */
static const struct row {
	const char *here, *allowed, *sender;
	bool heard;
} rows[] = {
	{ "127.0.0.1", "127.0.0.1", "127.0.0.1", true },
	{ "127.0.0.1", "127.0.0.2", "127.0.0.2", true },
	{ "127.0.0.1", "127.0.0.1", "127.0.0.2", false },
	{ "127.0.0.1", "127.0.0.2", "127.0.0.1", false },
	{ "127.0.0.1", "127.1.0.1", "127.0.0.1", false },
	{ "127.0.0.1", "0.0.0.0", "127.0.0.1", false },
	{ "::ffff:127.0.0.1", "::ffff:127.0.0.1", "127.0.0.1", true },
	{ "::ffff:127.0.0.1", "::ffff:127.0.0.1", "127.0.0.2", false },
	{ "::1", "::1", "::1", true },
	{ "::1", "::2", "::1", false },
	{ "::1", "0:0:0:1::1", "::1", false },
	{ "::1", "0:0:0:0:1::1", "::1", false },
	{ "::1", "1::1", "::1", false },
	{ "::1", "::ffff:127.0.0.1", "::1", false },
};

static void who_is_heard(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct address here, sender, allowed = address_of(rows[i].allowed);
		int to = socket_at(rows[i].here, &here), from = socket_at(rows[i].sender, &sender);
		char came[8];

		if (to < 0 || from < 0) { /* no IPv6 here */
			assert_non_null(strchr(rows[i].here, ':'));
			continue;
		}
		assert_true(datagram_only_from(to, &allowed.is.any));
		if (here.is.any.sa_family != sender.is.any.sa_family) {
			in_port_t port = here.is.v6.sin6_port;

			here = address_of("127.0.0.1");
			here.is.v4.sin_port = port;
		}
		assert_int_equal(sendto(from, "abc", 3, 0, &here.is.any, here.n), 3);
		assert_int_equal(recv(to, came, sizeof came, MSG_DONTWAIT), rows[i].heard ? 3 : -1);
		(void)close(to);
		(void)close(from);
	}
}

static void what_has_no_address(void **state)
{
	const struct sockaddr none = { .sa_family = AF_UNIX };
	const struct address one = address_of("127.0.0.1");

	(void)state;
	assert_false(datagram_only_from(0, &none));
	assert_false(datagram_only_from(-1, &one.is.any));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_heard),
		cmocka_unit_test(what_has_no_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
