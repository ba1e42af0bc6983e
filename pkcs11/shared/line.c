/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/shared/line.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

void tok_line_attach(struct msghdr *msg, char *room, size_t n, int fd)
{
	struct cmsghdr *c;

	msg->msg_control = room;
	msg->msg_controllen = n;
	c = CMSG_FIRSTHDR(msg);
	if (c == NULL)
		return; /* the room is too small: nothing is attached */
	memset(room, 0, n);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	(void)span_copy(span_of(&fd, sizeof fd), CMSG_DATA(c), sizeof fd);
}

bool tok_line_send(int line, struct span msg)
{
	ssize_t n;

	do {
		n = send(line, msg.p, msg.n, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n == (ssize_t)msg.n;
}

static int attached(struct msghdr *msg)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	int fd = -1;

	if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof fd))
		(void)span_copy(span_of(CMSG_DATA(c), sizeof fd), (uint8_t *)&fd, sizeof fd);
	return fd;
}

bool tok_line_receive(int line, uint8_t head[TOK_HEAD], void *room, size_t cap, size_t *n, int *fd)
{
	char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(_Alignof(struct cmsghdr))));
	struct iovec iov[2] = {
		{ .iov_base = head, .iov_len = TOK_HEAD },
		{ .iov_base = room, .iov_len = cap },
	};
	struct msghdr msg = { .msg_iov = iov,
			      .msg_iovlen = 2,
			      .msg_control = control,
			      .msg_controllen = sizeof control };
	ssize_t got;
	int came;

	do {
		got = recvmsg(line, &msg, MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	came = got < 0 ? -1 : attached(&msg);
	if (fd != NULL)
		*fd = came;
	else if (came >= 0)
		(void)close(came);
	if (got < TOK_HEAD || (msg.msg_flags & MSG_TRUNC) != 0)
		return false;
	*n = (size_t)got - TOK_HEAD;
	return true;
}
