/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * signer/net/shared/wire.c: what the two sides of the network's wall make of any message. The
 * network's process reads what nodes send, so it may say anything itself.
 */
#include "signer/net/shared/wire.h"

#include "any.h"

static void answers(struct span msg)
{
	struct net_done done;
	struct span rest, chain, message;
	uint16_t number;
	int type = net_read_answer(msg, &number, &rest);

	/*@ assert type: type == -1 || NET_BYTES <= type <= NET_DONE; */
	if (type != -1)
		is_span(rest);
	if (net_read_done(msg, &done)) {
		/*@ assert fault: 0 <= done.fault < NET_FAULTS; */
		/*@ assert modified: done.modified >= 0; */
		is_span(done.text);
	}
	if (net_read_chain(msg, &chain, &message)) {
		is_span(chain);
		is_span(message);
	}
}

static void requests(struct span msg)
{
	struct net_request r;

	if (net_read_request(msg, &r)) {
		/*@ assert what: NET_GET <= r.what <= NET_TALK; */
		is_span(r.target);
		is_span(r.bytes);
	}
}

/* As many bytes as it takes to see how long a message is, and fewer. */
static void talks(size_t n)
{
	static uint8_t begun[16];
	size_t length;

	any_bytes(begun, sizeof begun);
	length = net_talk_length(span_of(begun, n));
	/*@ assert length: length <= 10 + 0xffff; */
	(void)length;
}

static void sent(size_t n, size_t memory)
{
	struct net_request r = { .what = NET_TALK,
				 .number = any_u16(),
				 .ms = any_u32(),
				 .target = any_span(),
				 .bytes = any_span() };
	struct net_done d = { .code = any_u32(),
			      .modified = (int64_t)any_u64(),
			      .text = any_span_of(n) };
	struct buf request = BUF_INIT, done = BUF_INIT;

	any_memory(memory);
	net_put_request(&request, &r);
	is_span(buf_span(&request));
	net_put_chain(&done, any_span());
	net_put_bytes(&done, any_u16(), any_span());
	net_put_done(&done, any_u16(), &d);
	is_span(buf_span(&done));
}

int main(void)
{
	static uint8_t too_long[NET_REQUEST_MAX + 1];

	requests(span_of(too_long, sizeof too_long));
	for (size_t n = 0; n <= ANY_MAX; n++) {
		answers(any_other_span_of(n));
		requests(any_other_span_of(n));
	}
	for (size_t n = 0; n <= 11; n++)
		talks(n);
	for (size_t n = 0; n <= ANY_MAX; n++) {
		sent(n, 0);
		sent(n, ANY_MEMORY);
	}
	return 0;
}
