/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/trust/facts.h"

#include <string.h>

static const struct {
	const char *text, *sources;
} rows[] = {
#define FACT(group, NAME, text, sources) { text, sources },
#include "signer/trust/facts.def"
#undef FACT
};

struct fact fact_row(enum fact_id id)
{
	return (struct fact){ .text = rows[id].text,
			      .sources = rows[id].sources,
			      .open = strcmp(rows[id].sources, "open") == 0 };
}

void fact_put_sources(struct buf *out, enum fact_id id)
{
	buf_printf(out, " [%s]", rows[id].sources);
}

void fact_put(struct buf *out, enum fact_id id)
{
	buf_printf(out, "%s%s", fact_row(id).open ? "assumed: " : "", rows[id].text);
	fact_put_sources(out, id);
}
