/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Certificates in files: DER, PEM blocks anywhere in a text, PKCS#7 (.p7b) in
 * DER or PEM; and on tokens.
 */
#ifndef CTL_CERTFILE_H
#define CTL_CERTFILE_H

#include "pkcs11/token.h"
#include "signer/crypto/cert.h"

/*
 * Reads a CERT argument: a file, or a pkcs11: URI. Of a certificate and its CAs, proven by their
 * signatures, the certificate is taken. ST_AMBIGUOUS, with the choices, if the file has several
 * others; one that is there twice is one. A warning names what else was skipped. ST_INPUT with the
 * path in front. tok serves URIs only; its uri is ignored.
 */
enum status cert_load(struct cert *c, const char *arg, const struct tok_options *tok,
		      const struct tlv_warn *warn, struct tlv_err *e);
/* The same of a file that a folder holds: somebody may have exchanged it for a pipe since. */
enum status cert_load_found(struct cert *c, const char *path, const struct tlv_warn *warn,
			    struct tlv_err *e);
/* The same from the bytes of a file. */
enum status cert_parse(struct cert *c, struct span bytes, const struct tlv_warn *warn,
		       struct tlv_err *e);

/* Receives one certificate after the other; der is borrowed for the call. Not ST_OK ends it. */
typedef enum status cert_fn(void *arg, struct span der, struct tlv_err *e);
/*
 * Every certificate of a file's bytes; *n is their number, 0 in a PEM text that
 * holds other things only. ST_INPUT if a block is damaged: what follows it could
 * not be seen. Bytes that are neither PEM nor PKCS#7 are passed on as one DER.
 */
enum status cert_each(struct span bytes, cert_fn *fn, void *arg, size_t *n, struct tlv_err *e);

/* For --verbose: the token that was found, and the module that drives it. */
void cert_step_token(const struct tok_info *t);

#endif
