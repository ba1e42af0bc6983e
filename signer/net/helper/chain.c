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
	struct chain *chain = arg;
	struct buf *der = &chain->der;

	buf_truncate(der, 0);
	for (int i = 0; i < sk_X509_num(all); i++)
		put_certificate(der, sk_X509_value(all, i));
	return 1;
}

/* RFC 5246, 7.4.7, and RFC 8446, 4.4.4: what a client sends once it has read the server's part. */
static bool is_client_answer(int type)
{
	return type == SSL3_MT_CLIENT_KEY_EXCHANGE || type == SSL3_MT_FINISHED;
}

static void look(int sent, int version, int record, const void *message, size_t n, SSL *ssl,
		 void *arg)
{
	struct chain *chain = arg;

	(void)version;
	(void)ssl;
	if (sent == 1 && record == SSL3_RT_HANDSHAKE &&
	    is_client_answer(span_at(span_of(message, n), 0)))
		chain->answered = true;
}

void chain_catch(SSL_CTX *ctx, struct chain *chain)
{
	SSL_CTX_set_cert_verify_callback(ctx, catch, chain);
	SSL_CTX_set_msg_callback(ctx, look);
	SSL_CTX_set_msg_callback_arg(ctx, chain);
}
