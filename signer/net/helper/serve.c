/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/net/helper/serve.h"

#include <sys/socket.h>

#include "pkcs11/shared/line.h"
#include "signer/net/helper/transfer.h"

/* At most so long nothing is looked at; libcurl and the line wake it before. */
enum { IDLE_MS = 10 * 1000 };

bool net_serve_prepare(void)
{
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

static bool refuse(int line, uint16_t number)
{
	const struct net_done d = { .fault = NET_OTHER, .text = SPAN_LIT("out of memory") };
	struct buf b = BUF_INIT;
	bool ok;

	net_put_done(&b, number, &d);
	ok = b.failed == ST_OK && tok_line_send(line, buf_span(&b));
	buf_free(&b);
	return ok;
}

/* False where the line is closed, or what came is no request. */
static bool take_request(CURLM *all, int line)
{
	uint8_t room[NET_REQUEST_MAX + 1];
	struct net_request r;
	ssize_t n = recv(line, room, sizeof room, 0);

	if (n <= 0 || !net_read_request(span_of(room, (size_t)n), &r))
		return false;
	return transfer_start(all, line, &r) || refuse(line, r.number);
}

static bool end_those_that_ended(CURLM *all)
{
	const CURLMsg *m;
	int left = 0;

	while ((m = curl_multi_info_read(all, &left)) != NULL)
		if (m->msg == CURLMSG_DONE && !transfer_end(all, m->easy_handle, m->data.result))
			return false;
	return true;
}

static bool turn(CURLM *all, int line)
{
	struct curl_waitfd fd = { .fd = line, .events = CURL_WAIT_POLLIN };
	int running = 0;

	if (curl_multi_perform(all, &running) != CURLM_OK || !end_those_that_ended(all))
		return false;
	if (curl_multi_poll(all, &fd, 1, IDLE_MS, NULL) != CURLM_OK)
		return false;
	return fd.revents == 0 || take_request(all, line);
}

bool net_serve(int line)
{
	CURLM *all = curl_multi_init();

	if (all == NULL)
		return false;
	while (turn(all, line))
		continue;
	return true; /* what still runs is worth nothing: the process ends */
}
