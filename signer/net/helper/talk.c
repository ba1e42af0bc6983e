/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/net/helper/talk.h"

#include <stdlib.h>
#include <time.h>

enum { STEP = 4096 }; /* bytes that are taken at a time */

int64_t helper_now(void)
{
	struct timespec now = { .tv_sec = 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool talk_begin(struct talks *all, const struct talk *t)
{
	struct talk *copy = malloc(sizeof *copy);

	if (copy == NULL)
		return false;
	*copy = *t;
	copy->next = all->first;
	all->first = copy;
	all->n++;
	return true;
}

/* What came is whole, or longer than it may be. */
static bool is_whole(const struct talk *t)
{
	size_t n = net_talk_length(buf_span(&t->came));

	return n > 0 && (n > t->max || t->came.n >= n);
}

enum progress { GOES_ON, ENDED, BROKEN };

static enum progress put(struct talk *t)
{
	while (t->sent < t->send.n) {
		struct span rest = span_slice(t->send, t->sent, t->send.n);
		size_t n = 0;
		CURLcode result = curl_easy_send(t->easy, rest.p, rest.n, &n);

		if (result != CURLE_OK)
			return result == CURLE_AGAIN ? GOES_ON : BROKEN;
		t->sent += n;
	}
	return ENDED;
}

static enum progress take(struct talk *t)
{
	char room[STEP];

	while (!is_whole(t)) {
		size_t n = 0;
		CURLcode result = curl_easy_recv(t->easy, room, sizeof room, &n);

		if (result != CURLE_OK)
			return result == CURLE_AGAIN ? GOES_ON : BROKEN;
		if (n == 0)
			return BROKEN; /* the server has closed */
		buf_put(&t->came, span_of(room, n));
		if (t->came.failed != ST_OK)
			return BROKEN;
	}
	return ENDED;
}

static struct net_done fault_of(const struct talk *t, enum progress p)
{
	uint32_t came = (uint32_t)t->came.n;

	if (t->came.failed != ST_OK)
		return (struct net_done){ .fault = NET_OTHER, .text = SPAN_LIT("out of memory") };
	if (p == BROKEN)
		return (struct net_done){ .fault = NET_CUT, .code = came };
	if (p == GOES_ON && came > 0)
		return (struct net_done){ .fault = NET_LATE, .code = came };
	if (p == GOES_ON)
		return (struct net_done){ .fault = NET_SILENT, .code = t->ms / 1000 };
	if (net_talk_length(buf_span(&t->came)) > t->max)
		return (struct net_done){ .fault = NET_LONG, .code = t->max };
	return (struct net_done){ .fault = NET_NONE };
}

static bool end(struct talk *t, CURLM *curl, enum progress p)
{
	struct net_done d = fault_of(t, p);
	bool ok;

	if (d.fault == NET_NONE)
		(void)answer_bytes(t->to, buf_span(&t->came));
	ok = t->finish(curl, t->arg, &d);
	buf_free(&t->came);
	free(t);
	return ok;
}

bool talks_go_on(struct talks *all, CURLM *curl)
{
	int64_t now = helper_now();
	bool ok = true;

	for (struct talk **at = &all->first; *at != NULL && ok;) {
		struct talk *t = *at;
		enum progress p = put(t);

		if (p == ENDED)
			p = take(t);
		if (p == GOES_ON && now < t->deadline) {
			at = &t->next;
			continue;
		}
		*at = t->next;
		all->n--;
		ok = end(t, curl, p);
	}
	return ok;
}

unsigned talks_wait_for(const struct talks *all, struct curl_waitfd *fds, unsigned cap)
{
	unsigned n = 0;

	for (const struct talk *t = all->first; t != NULL && n < cap; t = t->next) {
		curl_socket_t fd = CURL_SOCKET_BAD;

		(void)curl_easy_getinfo(t->easy, CURLINFO_ACTIVESOCKET, &fd);
		fds[n].fd = fd;
		fds[n].events = CURL_WAIT_POLLIN;
		if (t->sent < t->send.n)
			fds[n].events |= CURL_WAIT_POLLOUT;
		fds[n++].revents = 0;
	}
	return n;
}

int talks_time(const struct talks *all, int idle)
{
	int64_t now = helper_now();

	for (const struct talk *t = all->first; t != NULL; t = t->next)
		if (t->deadline - now < idle)
			idle = t->deadline > now ? (int)(t->deadline - now) : 0;
	return idle;
}
