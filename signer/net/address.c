/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/net/address.h"

#include <stdlib.h>
#include <string.h>

#include "tlv/text.h"

enum { PORT_MAX = 65535 };

static bool is_host(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		int c = span_at(s, i);

		if (c <= ' ' || c > '~' || strchr("/?#@[]\\'\"<>", c) != NULL)
			return false;
	}
	return s.n > 0;
}

static bool is_port(struct span s)
{
	char *text = span_dup(s);
	uint64_t n = 0;
	bool ok = text != NULL && parse_number(text, PORT_MAX, &n) && n > 0;

	free(text);
	return ok;
}

static bool split(struct span text, struct net_address *out)
{
	const uint8_t *close = text.n > 0 ? memchr(text.p, ']', text.n) : NULL;
	const uint8_t *first = text.n > 0 ? memchr(text.p, ':', text.n) : NULL;
	size_t at = text.n;

	if (span_at(text, 0) == '[' && close != NULL) {
		size_t n = (size_t)(close - text.p);

		out->host = span_slice(text, 1, n - 1);
		out->brackets = true;
		text = span_slice(text, n + 1, text.n);
		at = span_at(text, 0) == ':' ? 0 : text.n;
	} else if (first != NULL) {
		at = (size_t)(first - text.p);
		out->brackets = memchr(first + 1, ':', text.n - at - 1) != NULL;
		at = out->brackets ? text.n : at;
	}
	if (out->host.n == 0)
		out->host = span_slice(text, 0, at);
	else if (at > 0 && text.n > 0)
		return false; /* something stands behind the bracket */
	if (at == text.n)
		return true;
	out->port = span_slice(text, at + 1, text.n);
	while (out->port.n > 1 && span_at(out->port, 0) == '0') /* one place, one spelling */
		out->port = span_slice(out->port, 1, out->port.n);
	return is_port(out->port);
}

bool net_address_read(struct span text, struct net_address *out)
{
	*out = (struct net_address){ .brackets = false };
	return split(text, out) && is_host(out->host);
}

void net_address_put(struct buf *b, const struct net_address *a, struct span port)
{
	bool closed = a->brackets && port.n > 0;

	buf_str(b, closed ? "[" : "");
	buf_put(b, a->host);
	buf_str(b, closed ? "]" : "");
	buf_str(b, port.n > 0 ? ":" : "");
	buf_put(b, port);
}
