/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/shared/info.h"

#include <stdint.h>
#include <stdlib.h>

void tok_module_info_free(struct tok_module_info *i)
{
	free(i->name);
	free(i->library);
	free(i->fault);
	*i = (struct tok_module_info){ .name = NULL };
}

void tok_cert_free(struct tok_cert *c)
{
	free(c->uri);
	free(c->label);
	span_free(&c->id);
	span_free(&c->der);
	*c = (struct tok_cert){ .uri = NULL };
}

void tok_info_free(struct tok_info *i)
{
	for (size_t k = 0; k < i->ncerts; k++)
		tok_cert_free(&i->certs[k]);
	free(i->certs);
	free(i->uri);
	free(i->label);
	free(i->manufacturer);
	free(i->model);
	free(i->serial);
	free(i->module);
	*i = (struct tok_info){ .uri = NULL };
}
