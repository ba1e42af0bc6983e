/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/net/helper/chain.h"

#include <openssl/x509_vfy.h>

static void put_certificate(struct buf *der, X509 *x)
{
	unsigned char *bytes = NULL;
	int n = i2d_X509(x, &bytes);

	if (n > 0)
		buf_put(der, span_of(bytes, (size_t)n));
	else
		der->failed = ST_NOMEM;
	OPENSSL_free(bytes);
}

/* Called in place of a verification; 1 is "good". */
static int catch (X509_STORE_CTX *presented, void *arg)
{
	STACK_OF(X509) *all = X509_STORE_CTX_get0_untrusted(presented);
	struct buf *der = arg;

	buf_truncate(der, 0);
	for (int i = 0; i < sk_X509_num(all); i++)
		put_certificate(der, sk_X509_value(all, i));
	return 1;
}

void chain_catch(SSL_CTX *ctx, struct buf *der)
{
	SSL_CTX_set_cert_verify_callback(ctx, catch, der);
}
