/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/cli/confine.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pkcs11/shared/uri_text.h"
#include "signer/crypto/digest.h"
#include "signer/io/sandbox.h"
#include "signer/net/net.h"

/* Waits for the token's process, once. */
static void early_key_answer(struct early_key *k)
{
	if (k->key != NULL && !k->answered && key_started(k->key, &k->err) != ST_OK)
		key_free(&k->key);
	k->answered = true;
}

void early_key_open(struct early_key *k, const struct key_options *opt)
{
	if (!tok_is_uri(opt->key) && !tok_is_uri(opt->cert))
		return;
	k->tried = true;
	if (key_start(&k->key, opt, &k->err) == ST_OK && key_may_start_again(k->key))
		early_key_answer(k);
}

enum status early_key_take(struct early_key *k, struct key **out, const struct key_options *opt,
			   struct tlv_err *e)
{
	if (!k->tried)
		return key_open(out, opt, e);
	early_key_answer(k);
	*out = k->key;
	k->key = NULL;
	if (k->err.status != ST_OK)
		*e = k->err;
	return k->err.status;
}

void early_key_free(struct early_key *k)
{
	key_free(&k->key);
}

bool confine_names_tokens(const struct opts *o)
{
	for (size_t i = 0; i < o->n; i++) {
		enum opt_id id = o->items[i].row->id;
		const char *value = o->items[i].value;

		if (id != OPT_KEY && id != OPT_CERT && id != OPT_OLD_KEY && id != OPT_OLD_CERT &&
		    value != NULL && strcasestr(value, "pkcs11:") != NULL)
			return true;
	}
	return false;
}

/* What is granted, with room for all of it. */
struct grants {
	struct sandbox_grant v[4];
	size_t n;
};

/* What cannot be opened, or has no room, is not granted. The code that writes there says why. */
static void add(struct grants *g, const char *path, enum sandbox_right what)
{
	int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd >= 0 && g->n < COUNT(g->v))
		g->v[g->n++] = (struct sandbox_grant){ .fd = fd, .what = what };
	else if (fd >= 0)
		(void)close(fd);
}

/* The folder above, or with a link that is followed, the one of what it leads to. */
static void add_folder_of(struct grants *g, const char *output, bool follow,
			  enum sandbox_right what)
{
	char *path = follow ? realpath(output, NULL) : NULL, *slash;
	size_t n;

	if (path == NULL)
		path = strdup(output);
	if (path == NULL) {
		(void)err_nomem(NULL); /* remembered: the run ends with it */
		return;
	}
	n = strlen(path);
	while (n > 1 && path[n - 1] == '/')
		path[--n] = '\0';
	slash = strrchr(path, '/');
	if (slash != NULL)
		slash[slash == path] = '\0';
	add(g, slash != NULL ? path : ".", what);
	free(path);
}

static void add_output(struct grants *g, const char *output, bool follow, enum sandbox_right what)
{
	struct stat st;

	if (output == NULL)
		return;
	add_folder_of(g, output, follow, what);
	if (stat(output, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)))
		add(g, output, SANDBOX_DEVICE);
}

/* The grants are closed: the kernel keeps what they stand for. */
static void enter(struct sandbox_wants *w, struct grants *g)
{
	w->grants = g->v;
	w->ngrants = g->n;
	/* What openssl.cnf names is loaded while it may do what it likes. */
	digest_configure();
	(void)sandbox_enter(SANDBOX_ALL, w);
	for (size_t i = 0; i < g->n && i < COUNT(g->v); i++)
		(void)close(g->v[i].fd);
}

void confine_to_file(const char *output, bool follow)
{
	struct sandbox_wants w = { .children = { net_process() } };
	struct grants g = { .n = 0 };

	add_output(&g, output, follow, SANDBOX_WRITE);
	enter(&w, &g);
}

void confine(const struct confine *c)
{
	struct grants g = { .n = 0 };
	struct sandbox_wants w = { .signs = true };
	size_t n = 0;

	if (c->more_tokens)
		return;
	/* The question for a PIN, and what a process of ours has for its standard files. */
	add(&g, "/dev/tty", SANDBOX_DEVICE);
	add(&g, "/dev/null", SANDBOX_DEVICE);
	add_output(&g, c->output, c->follow, c->tree ? SANDBOX_TREE : SANDBOX_WRITE);
	for (size_t i = 0; i < COUNT(c->keys); i++)
		if (c->keys[i] != NULL && key_process(c->keys[i]->key) != 0)
			w.children[n++] = key_process(c->keys[i]->key);
	if (net_process() != 0)
		w.children[n++] = net_process();
	enter(&w, &g);
}
