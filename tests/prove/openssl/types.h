/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What declarations need of OpenSSL here: a name. No proof goes into OpenSSL.
 */
#ifndef PROVE_OPENSSL_TYPES_H
#define PROVE_OPENSSL_TYPES_H

typedef struct evp_pkey_st EVP_PKEY;

#endif
