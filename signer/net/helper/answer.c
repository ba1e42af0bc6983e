/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/net/helper/answer.h"

#include "pkcs11/shared/line.h"

bool answer_bytes(struct answer *a, struct span bytes)
{
	struct buf b = BUF_INIT;

	while (!a->gone && bytes.n > 0) {
		struct span piece = span_slice(bytes, 0, NET_BYTES_MAX);

		buf_truncate(&b, 0);
		net_put_bytes(&b, a->number, piece);
		a->gone = b.failed != ST_OK || !tok_line_send(a->line, buf_span(&b));
		bytes = span_slice(bytes, piece.n, bytes.n);
	}
	buf_free(&b);
	return !a->gone;
}

bool answer_done(struct answer *a, const struct net_done *d)
{
	struct buf b = BUF_INIT;

	net_put_done(&b, a->number, d);
	a->gone = a->gone || b.failed != ST_OK || !tok_line_send(a->line, buf_span(&b));
	buf_free(&b);
	return !a->gone;
}
