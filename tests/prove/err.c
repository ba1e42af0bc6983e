/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * tlv/err.h without the sentences: the first failure stays, with its status and offset.
 */
#include "tlv/err.h"

enum status err_set(struct tlv_err *e, enum status st, const char *fmt, ...)
{
	(void)fmt;
	if (e == NULL)
		return st;
	if (e->status == ST_OK)
		e->status = st;
	return e->status;
}

enum status err_set_at(struct tlv_err *e, enum status st, uint64_t at, const char *fmt, ...)
{
	(void)fmt;
	if (e == NULL)
		return st;
	if (e->status == ST_OK) {
		e->status = st;
		e->has_at = true;
		e->at = at;
	}
	return e->status;
}

enum status err_in(struct tlv_err *e, const char *fmt, ...)
{
	(void)fmt;
	return e == NULL ? ST_BUG : e->status;
}

enum status err_nomem(struct tlv_err *e)
{
	return err_set(e, ST_NOMEM, "out of memory");
}
