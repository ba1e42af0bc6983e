/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/net/helper/serve.h"

#include <sys/socket.h>

#include "signer/net/helper/answer.h"
#include "signer/net/helper/transfer.h"

/* The longest wait: libcurl and the line end it sooner. */
enum { IDLE_MS = 10 * 1000, WATCHED = 256 };

bool net_serve_prepare(void)
{
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

static bool refuse(int line, uint16_t number)
{
	const struct net_done d = { .fault = NET_OTHER, .text = SPAN_LIT("out of memory") };

	return answer_done(&(struct answer){ .line = line, .number = number }, &d);
}

/* False if the line is closed, or if what came is no request. */
static bool take_request(CURLM *all, int line)
{
	uint8_t room[NET_REQUEST_MAX + 1];
	struct net_request r;
	ssize_t n = recv(line, room, sizeof room, 0);

	if (n <= 0 || !net_read_request(span_of(room, (size_t)n), &r))
		return false;
	return transfer_start(all, line, &r) || refuse(line, r.number);
}

static bool end_those_that_ended(CURLM *all, struct talks *talks)
{
	const CURLMsg *m;
	int left = 0;

	while ((m = curl_multi_info_read(all, &left)) != NULL)
		if (m->msg == CURLMSG_DONE &&
		    !transfer_end(all, talks, m->easy_handle, m->data.result))
			return false;
	return true;
}

/* If there are more talks than are watched, the others are looked at whenever anything happens. */
static bool turn(CURLM *all, struct talks *talks, int line)
{
	struct curl_waitfd fds[WATCHED + 1] = { { .fd = line, .events = CURL_WAIT_POLLIN } };
	int running = 0;
	unsigned n;

	if (curl_multi_perform(all, &running) != CURLM_OK || !end_those_that_ended(all, talks) ||
	    !talks_go_on(talks, all))
		return false;
	n = 1 + talks_wait_for(talks, fds + 1, WATCHED);
	if (curl_multi_poll(all, fds, n, talks_time(talks, IDLE_MS), NULL) != CURLM_OK)
		return false;
	return fds[0].revents == 0 || take_request(all, line);
}

bool net_serve(int line)
{
	CURLM *all = curl_multi_init();
	struct talks talks = { .n = 0 };

	if (all == NULL)
		return false;
	while (turn(all, &talks, line))
		continue;
	return true; /* what still runs is worth nothing: the process ends */
}
