/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The list itself, byte for byte, from what was printed of it and from its
 * certificates. The printed MD5 and SHA-1 prove the result; nothing else counts.
 */
#ifndef CTL_TEXT_REBUILD_H
#define CTL_TEXT_REBUILD_H

#include "signer/crypto/certset.h"
#include "signer/text/addresses.h"
#include "signer/text/printed.h"

struct rebuild_hints {
	const struct certset *certs;
	const struct rebuild_address *addresses; /* the user's first: they are tried first */
	size_t naddresses;
	bool has_timestamp;
	uint32_t timestamp; /* of signing, if it is known */
};

/*
 * ST_OK: out has the list, and both checksums are the printed ones. ST_NO: they
 * are not, or something is missing; the text names each thing. ST_INPUT: the
 * printed list is damaged, or was printed without checksums.
 */
enum status rebuild_list(const struct printed *p, const struct rebuild_hints *hints,
			 struct buf *out, struct tlv_err *e);

#endif
