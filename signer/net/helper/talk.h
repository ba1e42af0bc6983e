/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One message that is sent over a TLS session, and the one that comes back (NET_TALK). The
 * session stands already, made by libcurl. Many talks run at once, none of them waits.
 */
#ifndef CTL_NET_TALK_H
#define CTL_NET_TALK_H

#include <curl/curl.h>

#include "signer/net/helper/answer.h"

struct talk {
	CURL *easy;	   /* connected; borrowed */
	struct answer *to; /* borrowed */
	struct span send;  /* borrowed */
	size_t sent;
	struct buf came;  /* owned */
	uint32_t max;	  /* bytes of it at most */
	uint32_t ms;	  /* how long all of it may take, for the message */
	int64_t deadline; /* helper_now() */
	/* Sends the end of the answer, and frees what is borrowed. False if the line is gone. */
	bool (*finish)(CURLM *all, void *arg, const struct net_done *d);
	void *arg;
	struct talk *next;
};

/* Milliseconds of a clock that only goes forward. */
int64_t helper_now(void);

/* Those that have not ended. */
struct talks {
	struct talk *first;
	size_t n;
};

/* Begins with a copy of t. False if memory is short: nothing is finished then. */
bool talk_begin(struct talks *all, const struct talk *t);
/*
 * Sends and takes what can be had without waiting; those that ended are answered and freed.
 * False if the line is gone.
 */
bool talks_go_on(struct talks *all, CURLM *curl);
/* Fills fds with what they wait for, one each; cap of them at most. Returns how many. */
unsigned talks_wait_for(const struct talks *all, struct curl_waitfd *fds, unsigned cap);
/* Milliseconds until the first of them has no time left; at most idle. */
int talks_time(const struct talks *all, int idle);

#endif
