/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a terminal log has beside lists: certificates as PEM, and the rows of
 * the query that prints them with their nodes' addresses. Terminals break lines
 * where they like, so both are looked for in the text without its line ends.
 */
#ifndef CTL_TEXT_PEM_H
#define CTL_TEXT_PEM_H

#include "tlv/bytes.h"
#include "tlv/err.h"

/*
 * Gets a block as PEM on one line, and the line of the log where it begins. The block is borrowed.
 * A status other than ST_OK ends the walk.
 */
typedef enum status pem_fn(void *arg, struct span block, size_t line, struct tlv_err *e);

/*
 * Every "-----BEGIN … -----END …-----" of the text. A block without its end goes up to the next
 * one, so that what takes it apart can say that it is damaged.
 */
enum status pem_each(struct span text, pem_fn *fn, void *arg, struct tlv_err *e);

/* The words of a row in front of its certificate. Borrowed. */
typedef enum status query_fn(void *arg, struct span row, struct tlv_err *e);

/*
 * The rows of tables ("=====" below the head) that have a certificate, as the query prints them:
 * "run sql select c.servername, …, c.ipv4address, c.certificate …" [214231]. Which columns a
 * table has, and in which order, is not asked. A row on several lines comes twice: joined, as a
 * terminal may have broken a word there, and with its line ends.
 */
enum status query_each(struct span text, query_fn *fn, void *arg, struct tlv_err *e);

#endif
