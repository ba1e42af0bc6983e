/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * signer/crypto/usual.c: the walk over any certificate, and its dates. What the walk takes is any
 * element with anything behind it, so every order of elements is followed.
 */
#include "signer/crypto/usual.h"

#include "any.h"

enum { CERTIFICATE_MAX = 65536 /* one byte more than the walk looks at */ };

int main(void)
{
	static uint8_t der[CERTIFICATE_MAX];
	struct usual_dates dates;

	any_bytes(der, sizeof der);
	if (usual_cert(span_of(der, any_size(0, sizeof der)), &dates)) {
		/*@ assert from: \initialized(&dates.not_before); */
		/*@ assert to: \initialized(&dates.not_after); */
	}
	return 0;
}
