/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/net/helper/transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "signer/io/datagram.h"
#include "signer/net/helper/answer.h"
#include "signer/net/helper/chain.h"

enum {
	REDIRECTS_MAX = 5,
	HEADERS_MAX = 64 * 1024, /* bytes of all header lines of one file */
	PAGE_MAX =
		256 * 1024 /* bytes of a page that comes instead of the file, and is thrown away */
};

struct transfer {
	CURL *easy;
	struct answer to;
	enum net_what what;
	uint32_t ms, max;
	int64_t deadline;
	char *url;
	struct buf send; /* of what is no file, as the next one */
	struct chain chain;
	size_t came, headers, thrown;
	unsigned redirects;
	bool too_long;
	char words[CURL_ERROR_SIZE];
};

static void transfer_free(struct transfer *t)
{
	curl_easy_cleanup(t->easy);
	buf_free(&t->send);
	buf_free(&t->chain.der);
	free(t->url);
	free(t);
}

static long number_of(const struct transfer *t, CURLINFO what)
{
	long n = 0;

	(void)curl_easy_getinfo(t->easy, what, &n);
	return n;
}

static bool is_file(const struct transfer *t)
{
	long status = number_of(t, CURLINFO_RESPONSE_CODE);

	return status == 0 || status == 200; /* TFTP has none */
}

/* A number other than n ends the transfer. */
static size_t take_body(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;

	n *= size;
	if (!is_file(t)) {
		t->thrown += n;
		return t->thrown <= PAGE_MAX ? n : 0;
	}
	if (n > t->max - t->came) {
		t->too_long = true;
		return 0;
	}
	t->came += n;
	return answer_bytes(&t->to, span_of(p, n)) ? n : 0;
}

static size_t take_header(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;

	(void)p;
	n *= size;
	t->headers += n;
	return t->headers <= HEADERS_MAX ? n : 0;
}

/* SSL_CTX_set1_sigalgs_list() casts const away, so these are none. */
static char rsa_signatures[] =
	"RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:RSA+SHA256:RSA+SHA384:RSA+SHA512:RSA+SHA224:RSA+SHA1";
static char ec_signatures[] = "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ECDSA+SHA224:ECDSA+SHA1";

/* Up to TLS 1.2 the cipher says which key is wanted, from 1.2 on the kind of signature. */
static bool ask_for_key(SSL_CTX *ctx, enum net_what what)
{
	if (what == NET_CHAIN_RSA)
		return SSL_CTX_set_cipher_list(ctx, "aRSA:@SECLEVEL=0") == 1 &&
		       SSL_CTX_set1_sigalgs_list(ctx, rsa_signatures) == 1;
	if (what == NET_CHAIN_EC)
		return SSL_CTX_set_cipher_list(ctx, "aECDSA:@SECLEVEL=0") == 1 &&
		       SSL_CTX_set1_sigalgs_list(ctx, ec_signatures) == 1;
	return true;
}

/*
 * What old nodes have: TLS 1.0, keys of 1024 bits, SHA-1, no secure renegotiation. The
 * machine's policy does not count here, because nothing is believed for the session's sake.
 */
static CURLcode loosen(CURL *easy, void *ctx, void *arg)
{
	struct transfer *t = arg;

	(void)easy;
	if (t->what != NET_GET)
		chain_catch(ctx, &t->chain);
	if (!ask_for_key(ctx, t->what))
		return CURLE_SSL_CIPHER;
	SSL_CTX_set_security_level(ctx, 0);
	(void)SSL_CTX_set_options(ctx, SSL_OP_LEGACY_SERVER_CONNECT);
	(void)SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
	return CURLE_OK;
}

/* libcurl would take a TFTP server's datagrams from any address. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
	int fd = socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);

	(void)arg;
	(void)purpose;
	if (fd < 0 || to->socktype != SOCK_DGRAM || datagram_only_from(fd, &to->addr))
		return fd;
	(void)close(fd);
	return CURL_SOCKET_BAD;
}

/* curl_easy_setopt() takes any type, and the compiler looks at each. */
static bool set_limits(const struct transfer *t)
{
	CURL *c = t->easy;

	return curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https,tftp") == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK &&
	       /* The environment's proxy would see, and could change, what a node serves. */
	       curl_easy_setopt(c, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	       /* libcurl takes the size of an empty file for an error of TFTP. */
	       curl_easy_setopt(c, CURLOPT_TFTP_NO_OPTIONS, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)t->ms) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)t->ms) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_MAXFILESIZE, (long)t->max) == CURLE_OK;
}

static bool set_tls(struct transfer *t)
{
	CURL *c = t->easy;

	return curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_0) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_SSL_CIPHER_LIST, "DEFAULT:@SECLEVEL=0") == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_SSL_ENABLE_ALPN, 0L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_SSL_CTX_FUNCTION, loosen) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_SSL_CTX_DATA, t) == CURLE_OK;
}

/* A session of its own: one that is resumed presents no certificate. */
static bool set_session(const struct transfer *t)
{
	CURL *c = t->easy;

	return t->what == NET_GET ||
	       (curl_easy_setopt(c, CURLOPT_CONNECT_ONLY, 1L) == CURLE_OK &&
		curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK &&
		curl_easy_setopt(c, CURLOPT_SSL_SESSIONID_CACHE, 0L) == CURLE_OK);
}

static bool set_up(struct transfer *t)
{
	CURL *c = t->easy;

	return set_limits(t) && set_tls(t) && set_session(t) &&
	       curl_easy_setopt(c, CURLOPT_URL, t->url) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_USERAGENT, "ctlsign") == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_FILETIME, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_PRIVATE, t) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_ERRORBUFFER, t->words) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_WRITEDATA, t) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_HEADERDATA, t) == CURLE_OK;
}

static char *url_of(const struct net_request *r)
{
	struct buf b = BUF_INIT;
	char *url;

	buf_str(&b, r->what == NET_GET ? "" : "https://");
	buf_put(&b, r->target);
	url = b.failed == ST_OK ? span_dup(buf_span(&b)) : NULL;
	buf_free(&b);
	return url;
}

bool transfer_start(CURLM *all, int line, const struct net_request *r)
{
	struct transfer *t = calloc(1, sizeof *t);

	if (t == NULL)
		return false;
	t->to = (struct answer){ .line = line, .number = r->number };
	t->what = r->what;
	t->ms = r->ms;
	t->deadline = helper_now() + r->ms;
	t->max = r->max;
	t->url = url_of(r);
	t->send = t->chain.der = BUF_INIT;
	buf_put(&t->send, r->bytes);
	t->easy = curl_easy_init();
	if (t->url != NULL && t->send.failed == ST_OK && t->easy != NULL && set_up(t) &&
	    curl_multi_add_handle(all, t->easy) == CURLM_OK)
		return true;
	transfer_free(t);
	return false;
}

/* The host of a URL of HTTP's without a user; else NULL. Free it with curl_free(). */
static char *host_of(const char *url)
{
	CURLU *u = curl_url();
	char *host = NULL, *scheme = NULL;

	if (u != NULL && curl_url_set(u, CURLUPART_URL, url, CURLU_DISALLOW_USER) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	    (strcasecmp(scheme, "http") == 0 || strcasecmp(scheme, "https") == 0))
		(void)curl_url_get(u, CURLUPART_HOST, &host, 0);
	curl_free(scheme);
	curl_url_cleanup(u);
	return host;
}

/* True if the transfer goes on. */
static bool follow(CURLM *all, struct transfer *t, const char *to)
{
	char *copy = strdup(to);

	(void)curl_multi_remove_handle(all, t->easy);
	free(t->url);
	t->url = copy;
	t->redirects++;
	t->thrown = 0;
	return copy != NULL && curl_easy_setopt(t->easy, CURLOPT_URL, copy) == CURLE_OK &&
	       curl_multi_add_handle(all, t->easy) == CURLM_OK;
}

/* NET_NONE: it goes on elsewhere on the same host. Else d->text is the URL, cut to its bound. */
static enum net_fault redirect(CURLM *all, struct transfer *t, const char *to, struct net_done *d)
{
	char *here = host_of(t->url), *there = host_of(to);
	bool known = there != NULL;
	bool same = here != NULL && known && strcasecmp(here, there) == 0;

	curl_free(here);
	curl_free(there);
	d->text = span_slice(span_str(to), 0, NET_TEXT_MAX);
	if (!known)
		return NET_NOWHERE;
	if (!same)
		return NET_ELSEWHERE;
	d->code = REDIRECTS_MAX;
	if (t->redirects == REDIRECTS_MAX)
		return NET_CIRCLE;
	if (follow(all, t, to))
		return NET_NONE;
	d->text = SPAN_LIT("out of memory");
	return NET_OTHER;
}

static bool is_tftp(const struct transfer *t)
{
	return span_starts_nocase(span_str(t->url), SPAN_LIT("tftp:"));
}

/*
 * libcurl's own, for what it knows more of than we. Of a transfer over TFTP it notes that the
 * socket is not connected, which is as it must be, and nothing else.
 */
static struct span words_for(const struct transfer *t, CURLcode result)
{
	bool noted = t->words[0] != '\0' && !is_tftp(t);
	const char *text = noted ? t->words : curl_easy_strerror(result);
	const char *code = strstr(text, "::"); /* OpenSSL's, which ends with the reason */

	return span_str(code != NULL ? code + 2 : text);
}

static enum net_fault fault_of_connect(const struct transfer *t, struct net_done *d)
{
	int error = (int)number_of(t, CURLINFO_OS_ERRNO);

	if (error == ECONNREFUSED)
		return NET_REFUSED;
	d->text = error != 0 ? span_str(strerror(error)) : words_for(t, CURLE_COULDNT_CONNECT);
	return NET_NO_ROUTE;
}

static enum net_fault fault_of_status(const struct transfer *t, struct net_done *d)
{
	long status = number_of(t, CURLINFO_RESPONSE_CODE);

	d->code = (uint32_t)status;
	return status == 404 || status == 410 ? NET_NO_FILE : NET_STATUS;
}

static enum net_fault fault_of_time(const struct transfer *t, struct net_done *d)
{
	d->code = t->came > 0 ? (uint32_t)t->came : t->ms / 1000;
	return t->came > 0 ? NET_LATE : NET_SILENT;
}

static enum net_fault fault_of_write(const struct transfer *t, struct net_done *d)
{
	if (!t->too_long && t->headers > HEADERS_MAX) {
		d->text = SPAN_LIT("the answer's header lines have no end: check the server");
		return NET_OTHER;
	}
	if (!t->too_long)
		return fault_of_status(t, d);
	d->code = t->max;
	return NET_LONG;
}

static enum net_fault in_words(const struct transfer *t, CURLcode result, enum net_fault fault,
			       struct net_done *d)
{
	d->text = words_for(t, result);
	return fault;
}

/* From 8.6 on libcurl has a code of its own, 100, for what is longer than it takes. */
static CURLcode as_before(CURLcode result)
{
	return (int)result == 100 ? CURLE_OUT_OF_MEMORY : result;
}

/* Errors that a TFTP server answers with; all else is another fault. */
static enum net_fault fault_of_tftp(const struct transfer *t, CURLcode result, struct net_done *d)
{
	switch (result) {
	case CURLE_TFTP_PERM:
	case CURLE_TFTP_ILLEGAL:
	case CURLE_TFTP_NOSUCHUSER:
	case CURLE_TFTP_UNKNOWNID:
	case CURLE_REMOTE_ACCESS_DENIED:
	case CURLE_REMOTE_DISK_FULL:
	case CURLE_REMOTE_FILE_EXISTS:
		return in_words(t, result, NET_DENIED, d);
	case CURLE_ABORTED_BY_CALLBACK: /* so it calls an error number that TFTP does not have */
		d->text = SPAN_LIT("an error number that TFTP does not have");
		return NET_DENIED;
	default:
		return in_words(t, result, NET_OTHER, d);
	}
}

static enum net_fault fault_of(struct transfer *t, CURLcode result, struct net_done *d)
{
	d->code = (uint32_t)t->came;
	switch (as_before(result)) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return NET_NO_NAME;
	case CURLE_COULDNT_CONNECT:
		return fault_of_connect(t, d);
	case CURLE_OPERATION_TIMEDOUT:
		return fault_of_time(t, d);
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_PARTIAL_FILE:
		return NET_CUT;
	case CURLE_WRITE_ERROR:
		return fault_of_write(t, d);
	case CURLE_OUT_OF_MEMORY: /* so it calls a header line that is longer than it takes */
		d->text = SPAN_LIT(
			"a header line of the answer is too long, or memory ran out: check the server");
		return NET_OTHER;
	case CURLE_FILESIZE_EXCEEDED:
		if (!is_file(t))
			return fault_of_status(t, d); /* a page instead of the file */
		d->code = t->max;
		return NET_LONG;
	case CURLE_TFTP_NOTFOUND:
		return NET_NO_FILE;
	case CURLE_LOGIN_DENIED:
		d->text = SPAN_LIT(
			"a user's name stands in the URL, and nobody is logged in: leave it out");
		return NET_BAD_TARGET;
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
		return in_words(t, result, NET_BAD_TARGET, d);
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CIPHER:
		return in_words(t, result, NET_TLS, d);
	default:
		return fault_of_tftp(t, result, d);
	}
}

static int64_t modified(const struct transfer *t)
{
	curl_off_t when = -1;

	(void)curl_easy_getinfo(t->easy, CURLINFO_FILETIME_T, &when);
	return when > 0 ? (int64_t)when : 0;
}

static bool finish(CURLM *all, void *arg, const struct net_done *d)
{
	struct transfer *t = arg;
	bool ok = !t->to.gone && answer_done(&t->to, d);

	(void)curl_multi_remove_handle(all, t->easy);
	transfer_free(t);
	return ok;
}

/* The server itself has answered, though its redirect led nowhere. */
static enum net_fault behind_redirect(const struct transfer *t, enum net_fault fault,
				      struct net_done *d)
{
	if (t->redirects == 0 ||
	    (fault != NET_REFUSED && fault != NET_NO_ROUTE && fault != NET_SILENT))
		return fault;
	d->text = span_slice(span_str(t->url), 0, NET_TEXT_MAX);
	return NET_ASTRAY;
}

static bool end_file(CURLM *all, struct transfer *t, CURLcode result)
{
	struct net_done d = { .fault = NET_NONE };
	char *to = NULL;

	(void)curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_URL, &to);
	if (result != CURLE_OK)
		d.fault = behind_redirect(t, fault_of(t, result, &d), &d);
	else if (to != NULL && (d.fault = redirect(all, t, to, &d)) == NET_NONE)
		return true;
	else if (to == NULL && !is_file(t))
		d.fault = fault_of_status(t, &d);
	else if (to == NULL)
		d.modified = modified(t);
	return finish(all, t, &d);
}

/*
 * What was caught is whole, whatever became of the session behind it. But a server that breaks
 * off before we have answered it may be anybody: certificates are no secret.
 */
static bool end_chain(CURLM *all, struct transfer *t, CURLcode result)
{
	struct net_done d = { .fault = NET_NONE };

	if (!t->chain.answered || t->chain.der.n == 0 || t->chain.der.failed != ST_OK)
		d.fault = fault_of(t, result != CURLE_OK ? result : CURLE_OUT_OF_MEMORY, &d);
	else if (t->chain.der.n > t->max)
		d = (struct net_done){ .fault = NET_LONG, .code = t->max };
	else
		(void)answer_bytes(&t->to, buf_span(&t->chain.der));
	return finish(all, t, &d);
}

/* The session stands: its certificates go ahead, and the talk begins. */
static bool begin_talk(CURLM *all, struct talks *talks, struct transfer *t, CURLcode result)
{
	struct net_done d = { .fault = NET_NONE };
	struct talk talk = { .easy = t->easy,
			     .to = &t->to,
			     .send = buf_span(&t->send),
			     .came = BUF_INIT,
			     .max = t->max,
			     .ms = t->ms,
			     .deadline = t->deadline,
			     .finish = finish,
			     .arg = t };
	struct buf front = BUF_INIT;
	bool begun;

	net_put_chain(&front, buf_span(&t->chain.der));
	begun = result == CURLE_OK && front.failed == ST_OK && t->chain.der.failed == ST_OK &&
		answer_bytes(&t->to, buf_span(&front)) && talk_begin(talks, &talk);
	buf_free(&front);
	if (begun)
		return true;
	d.fault = fault_of(t, result != CURLE_OK ? result : CURLE_OUT_OF_MEMORY, &d);
	return finish(all, t, &d);
}

bool transfer_end(CURLM *all, struct talks *talks, CURL *easy, CURLcode result)
{
	struct transfer *t = NULL;

	(void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&t);
	switch (t->what) {
	case NET_CHAIN:
	case NET_CHAIN_RSA:
	case NET_CHAIN_EC:
		return end_chain(all, t, result);
	case NET_TALK:
		return begin_talk(all, talks, t, result);
	case NET_GET:
		break;
	}
	return end_file(all, t, result);
}
