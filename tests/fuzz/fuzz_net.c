/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What comes from the network's process, what goes to it, and the name of a node: the input
 * is taken for each of them. What is read of a message makes the same message again.
 */
#include <string.h>

#include "signer/crypto/cert.h"
#include "signer/list/served.h"
#include "signer/net/shared/wire.h"
#include "tests/fuzz/fuzz.h"

static void request(struct span msg)
{
	struct net_request r;
	struct buf b = BUF_INIT;

	if (!net_read_request(msg, &r))
		return;
	REQUIRE(r.target.n > 0 && r.target.n <= NET_TARGET_MAX && r.ms > 0);
	net_put_request(&b, &r);
	REQUIRE(b.failed == ST_OK && span_eq(buf_span(&b), msg));
	buf_free(&b);
}

static void answer(struct span msg)
{
	struct span rest = SPAN_NONE;
	struct buf b = BUF_INIT;
	struct net_done d;
	uint16_t number = 0;
	int type = net_read_answer(msg, &number, &rest);

	REQUIRE(type == -1 || type == NET_BYTES || type == NET_DONE);
	if (type == NET_BYTES)
		net_put_bytes(&b, number, rest);
	if (type == NET_DONE && net_read_done(rest, &d)) {
		REQUIRE(d.fault < NET_FAULTS && d.text.n <= NET_TEXT_MAX && d.modified >= 0);
		net_put_done(&b, number, &d);
	}
	REQUIRE(b.n == 0 || span_eq(buf_span(&b), msg));
	buf_free(&b);
}

/* Certificates and the message behind them, and how long such a message is. */
static void talk(struct span msg)
{
	struct span chain, message;
	struct buf b = BUF_INIT;
	size_t n = net_talk_length(msg);

	REQUIRE(n == 0 ? msg.n < 10 : n >= 10 && n <= 10 + 0xFFFF);
	if (!net_read_chain(msg, &chain, &message))
		return;
	net_put_chain(&b, chain);
	buf_put(&b, message);
	REQUIRE(b.failed == ST_OK && span_eq(buf_span(&b), msg));
	REQUIRE(cert_first(chain).n <= chain.n);
	buf_free(&b);
}

/* What is taken for a node has a URL of one host, and is shown as text of one word. */
static void node(struct span bytes)
{
	struct served s = SERVED_INIT;
	struct tlv_err e = TLV_ERR_INIT;
	char *text = span_dup(bytes);
	enum status st;

	REQUIRE(text != NULL);
	st = served_add(&s, text, span_at(bytes, 0) == '1', &e);
	REQUIRE(st == e.status && (st == ST_OK) == (s.nnodes == 1));
	REQUIRE(st == ST_OK || (st == ST_USAGE && err_text(&e)[0] != '\0'));
	if (st == ST_OK) {
		const char *host = strstr(s.bases[0], "://");

		REQUIRE(host != NULL && path_is_url(s.bases[0]));
		REQUIRE(strpbrk(host + 3, "/?#@ ") == NULL && strlen(s.nodes[0]) > 0);
		REQUIRE(span_is_ascii(span_str(s.nodes[0])));
		/* Its URL is itself a node, and the same one. */
		REQUIRE(served_add(&s, s.bases[0], false, &e) == ST_OK && s.nnodes == 1);
	}
	served_free(&s);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	request(span_of(data, size));
	answer(span_of(data, size));
	talk(span_of(data, size));
	node(span_of(data, size));
	return 0;
}
