/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Both sides of the wall: the socket between them, which keeps the boundaries
 * of messages (SOCK_SEQPACKET).
 */
#ifndef TOK_LINE_H
#define TOK_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "tlv/bytes.h"

enum {
	TOK_LINE = 3,		  /* the child's end, by number */
	TOK_MSG_MAX = 128 * 1024, /* a certificate with its names; longer is refused */
	TOK_HEAD = 2		  /* a request's type and one flag, in front of its payload */
};

/* The parent's side: a descriptor goes along. room has CMSG_SPACE(sizeof(int)) bytes. */
void tok_line_attach(struct msghdr *msg, char *room, size_t n, int fd);

/* The child's side. False if the parent is gone. */
bool tok_line_send(int line, struct span msg);
/*
 * Receives a request's head, and its payload straight to where it is to be.
 * fd may be NULL: what comes along is closed then; else -1 if none came.
 */
bool tok_line_receive(int line, uint8_t head[TOK_HEAD], void *room, size_t cap, size_t *n, int *fd);

#endif
