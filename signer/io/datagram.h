/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Datagrams of one sender. A TFTP server answers from a port that nobody knows before, so that
 * its client cannot connect the socket, and takes what anybody sends to it.
 */
#ifndef CTL_DATAGRAM_H
#define CTL_DATAGRAM_H

#include <stdbool.h>
#include <sys/socket.h>

/*
 * From here on, the socket gets datagrams from this IPv4 or IPv6 address alone, from any port of
 * it: the kernel drops others. False if the kernel cannot, or for another family.
 */
bool datagram_only_from(int fd, const struct sockaddr *sender);

#endif
