/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/io/datagram.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#include "tlv/bytes.h"

/* Where the sender's address begins behind the network header's first byte. */
enum { IPV4_SENDER = 12, IPV6_SENDER = 8, WORD = 4, WORDS_MAX = 4 };
/* A filter's answer: so many bytes of the datagram are kept. */
#define ALL UINT32_MAX
#define NOTHING 0U

/* Two steps for each word of the address, and an answer for each way out. */
struct filter {
	struct sock_filter v[2 * WORDS_MAX + 2];
	size_t n;
};

/* A step that reads, or answers. */
static void put(struct filter *f, uint16_t code, uint32_t k)
{
	f->v[f->n++] = (struct sock_filter){ .code = code, .k = k };
}

/* If another word is there, `over` steps are skipped. */
static void expect(struct filter *f, uint32_t word, uint8_t over)
{
	f->v[f->n++] =
		(struct sock_filter){ .code = BPF_JMP | BPF_JEQ | BPF_K, .jf = over, .k = word };
}

static struct filter compare(struct span address, uint32_t at)
{
	struct filter f = { .n = 0 };
	size_t words = address.n / WORD;

	for (size_t i = 0; i < words; i++) {
		uint32_t word = 0;

		for (size_t k = 0; k < WORD; k++)
			word = word << 8 | (uint32_t)span_at(address, i * WORD + k);
		put(&f, BPF_LD | BPF_W | BPF_ABS,
		    (uint32_t)SKF_NET_OFF + at + (uint32_t)(i * WORD));
		expect(&f, word, (uint8_t)(2 * (words - i) - 1));
	}
	put(&f, BPF_RET | BPF_K, ALL);
	put(&f, BPF_RET | BPF_K, NOTHING);
	return f;
}

static bool attach(int fd, struct filter f)
{
	const struct sock_fprog program = { .len = (unsigned short)f.n, .filter = f.v };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

bool datagram_only_from(int fd, const struct sockaddr *sender)
{
	const void *any = sender;

	if (sender->sa_family == AF_INET) {
		const struct sockaddr_in *v4 = any;

		return attach(fd,
			      compare(span_of(&v4->sin_addr, sizeof v4->sin_addr), IPV4_SENDER));
	}
	if (sender->sa_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = any;
		struct span address = span_of(&v6->sin6_addr, sizeof v6->sin6_addr);

		/* ::ffff:192.0.2.1 is IPv4 on the wire. */
		if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
			return attach(fd, compare(span_slice(address, 12, address.n), IPV4_SENDER));
		return attach(fd, compare(address, IPV6_SENDER));
	}
	return false;
}
