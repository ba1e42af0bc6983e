/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One request that libcurl connects for: a file that is fetched, or a TLS session. Nothing of
 * it is believed: it is counted, and handed on in pieces.
 */
#ifndef CTL_NET_TRANSFER_H
#define CTL_NET_TRANSFER_H

#include <curl/curl.h>

#include "signer/net/helper/talk.h"
#include "signer/net/shared/wire.h"

struct transfer;

/*
 * Begins what the request asks for. Pieces go to the line as they come, and
 * transfer_end() sends the rest. False if memory is short.
 */
bool transfer_start(CURLM *all, int line, const struct net_request *r);

/*
 * What libcurl says of one that has ended: follows a redirect, hands a session over to the talks,
 * or sends NET_DONE; frees it. False if the line is gone.
 */
bool transfer_end(CURLM *all, struct talks *talks, CURL *easy, CURLcode result);

#endif
