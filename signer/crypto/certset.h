/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A handful of certificates from files and folders.
 */
#ifndef CTL_CERTSET_H
#define CTL_CERTSET_H

#include "signer/crypto/cert.h"

struct certset_item {
	struct cert cert;
	char *file; /* the name it was read under, NULL if added from memory; owned */
};

struct certset {
	struct certset_item *v;
	size_t n, cap;
};

#define CERTSET_INIT ((struct certset){ .n = 0 })

/* A copy; one that is there already is not added again. */
enum status certset_add(struct certset *s, struct span der, const char *file, struct tlv_err *e);
/*
 * The certificates of a folder, by file name. A file that is none costs a
 * warning, but for what other verbs put beside certificates (proofs, sums,
 * manifests, lists). ST_INPUT if the folder cannot be read.
 */
enum status certset_add_folder(struct certset *s, const char *path, const struct tlv_warn *warn,
			       struct tlv_err *e);
/* The SHA-1 of each, in the order of the set; the caller's to free. */
enum status certset_sha1s(const struct certset *s, uint8_t (**out)[20], struct tlv_err *e);
void certset_free(struct certset *s);

#endif
