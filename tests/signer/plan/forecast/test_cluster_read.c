/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Nodes and certificates as they are read out of lists, record by record.
 */
#include "searching.h"

#include "tlv/tables.h"

/* Letters are certificates. 'E' has an EC key, 'i', 'j' are ITLRecovery, 'k' a token; '-': none. */
struct row {
	uint16_t role;
	char cert;
	const char *name;
	uint8_t address; /* its last byte; 0: the record has no address */
};

enum {
	LETTERS = 128,
	SAST = TLV_ROLE_SAST,
	CCM = TLV_ROLE_CCM,
	BOTH = TLV_ROLE_CCM_TFTP,
	CAPF = TLV_ROLE_CAPF,
	APP_SERVER = TLV_ROLE_APP_SERVER,
	TVS = TLV_ROLE_TVS
};

static struct made_cert certs[LETTERS];

static const struct made_cert *cert_of(char letter)
{
	struct made_cert *x = &certs[(size_t)letter];
	char cn[] = { 'x', letter, '\0' };

	if (letter == '-' || x->der.n > 0)
		return x;
	made_ec = letter == 'E';
	make_cert(&m, x, letter == 'i' || letter == 'j' ? "ITLRECOVERY_x" : cn,
		  letter == 'k' ? "Cisco Manufacturing CA" : cn);
	made_ec = false;
	return x;
}

static void put_row(struct buf *b, const struct row *x)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct tlv_record_spec spec = { .dialect = { TLV_STYLE_CUCM, ',' },
					.role = x->role,
					.token = x->name[0] == '\0',
					.cert = x->cert == '-' ? NULL : &cert_of(x->cert)->parts,
					.name = span_str(x->name),
					.has_address = x->address != 0 || x->name[0] == '\0',
					.address = { x->address != 0 ? 10 : 0, 0, 0, x->address } };

	size_t start = b->n;
	struct tlv_record r;

	if (tlv_record_write(b, &spec, &e) != ST_OK)
		fail_msg("%c: %s", x->cert, err_text(&e));
	if (!spec.token)
		return;
	/* Without a name it is written as a token's, which has no address. */
	assert_int_equal(tlv_record_decode(&r, span_slice(buf_span(b), start, b->n), 0, &e), ST_OK);
	buf_fill(b, span_offset(buf_span(b), r.address),
		 span_of(spec.address, sizeof spec.address));
}

/* One list more, up to the row without a name. */
static void give(const char *filename, char signer, const struct row *rows)
{
	struct buf b = BUF_INIT;

	for (; rows->name != NULL; rows++)
		put_row(&b, rows);
	finish_list(&m, filename, cert_of(signer), buf_span(&b));
	buf_free(&b);
}

#define CTL(signer, ...) give("CTLFile.tlv", signer, (const struct row[]){ __VA_ARGS__, { 0 } })
#define ITL(signer, ...) give("ITLFile.tlv", signer, (const struct row[]){ __VA_ARGS__, { 0 } })

static int set_up(void **state)
{
	struct tlv_err e = TLV_ERR_INIT;

	(void)state;
	m = (struct made){ .nnodes = 0 };
	made_time = 1426000000;
	assert_int_equal(release_parse("11.5", &m.release, &e), ST_OK);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	cluster_free(&c);
	free_lists(&m);
	for (size_t i = 0; i < LETTERS; i++)
		buf_free(&certs[i].der);
	memset(certs, 0, sizeof certs);
	return 0;
}

static struct tlv_err why;

static enum status read(void)
{
	why = (struct tlv_err)TLV_ERR_INIT;
	return cluster_read(&c, m.given, m.n, &m.release, &why);
}

static void read_well(void)
{
	if (read() != ST_OK)
		fail_msg("%s", err_text(&why));
}

static void refused(const char *words)
{
	assert_int_not_equal(read(), ST_OK);
	if (strstr(err_text(&why), words) == NULL)
		fail_msg("%s", err_text(&why));
}

/* "pub@1 10.0.0.2@2": names and the last bytes of addresses. */
static const char *nodes(void)
{
	static char text[512];
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < c.nnodes; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%s%.*s@%d", i > 0 ? " " : "",
				      (int)c.nodes[i].name.n, (const char *)c.nodes[i].name.p,
				      c.nodes[i].address.n == 4 ? span_at(c.nodes[i].address, 3) :
								  0);
	return text;
}

static size_t index_of(char letter)
{
	return cluster_find_cert(&c, buf_span(&cert_of(letter)->der));
}

static const struct cluster_cert *known(char letter)
{
	assert_true(index_of(letter) < c.ncerts);
	return &c.certs[index_of(letter)];
}

static void a_node_is_its_address(void **state)
{
	(void)state;
	ITL('p', { BOTH, 'p', "pub", 1 }, { BOTH, 'q', "sub", 2 }, { TVS, 't', "pub", 2 },
	    { TVS, 'u', "other", 1 }, { CAPF, 'c', "pub", 0 });
	read_well();
	assert_string_equal(nodes(), "pub@1 sub@2");
	assert_int_equal(known('t')->node, 1);
	assert_int_equal(known('u')->node, 0);
	assert_int_equal(known('c')->node, 0);
	(void)tear_down(NULL);
	(void)set_up(NULL);
	CTL('p', { SAST, 'p', "pub", 1 }, { BOTH, 'p', "pub", 1 });
	ITL('p', { BOTH, 'p', "alias", 1 });
	read_well();
	assert_string_equal(nodes(), "pub@1");
	assert_ptr_equal(c.nodes[0].itl, m.given[1]);
}

/* An address that stands in the place of a name gives way to a name, and to nothing else. */
static void a_name_is_better_than_an_address(void **state)
{
	(void)state;
	ITL('p', { BOTH, 'p', "10.0.0.1", 1 }, { TVS, 't', "pub", 1 }, { SAST, 'i', "10.0.0.1", 1 },
	    { CAPF, 'c', "other", 1 }, { BOTH, 'q', "10.0.0.2", 2 }, { TVS, 'u', "", 2 },
	    { BOTH, 'r', "sub", 0 }, { TVS, 'v', "sub", 3 });
	read_well();
	assert_string_equal(nodes(), "pub@1 10.0.0.2@2 sub@3");
}

/* Of a printed CTL the ITLs tell whose address that is, by the node's own certificate. */
static void a_printed_itl_names_the_address(void **state)
{
	(void)state;
	CTL('k', { SAST, 'k', "", 0 }, { BOTH, 'q', "10.0.0.2", 0 }, { SAST, 'a', "10.0.0.1", 0 },
	    { BOTH, '-', "10.0.0.1", 0 }, { BOTH, 'p', "10.0.0.1", 0 },
	    { BOTH, 'r', "10.0.0.3", 0 });
	ITL('p', { SAST, 'p', "anchor", 0 }, { BOTH, 'x', "other", 0 },
	    { BOTH, 'p', "10.0.0.9", 0 }, { BOTH, 'p', "PUB.example.com", 0 },
	    { BOTH, 'p', "pub", 0 }, { BOTH, 'p', "", 0 }, { BOTH, 'p', "else", 9 },
	    { BOTH, 'a', "wrong", 0 }, { BOTH, '-', "wrong", 0 });
	ITL('q', { BOTH, 'q', "sub", 0 });
	ITL('r', { BOTH, 'r', "sub3", 0 }, { BOTH, 'r', "sub4", 0 });
	(void)read(); /* such an ITL agrees with nothing else */
	if (strncmp(nodes(), "sub@0 pub@0 10.0.0.3@0", 22) != 0)
		fail_msg("%s", nodes());
}

/* The name is noted before the address: one node, unless that one is at an address of its own. */
static void an_address_finds_its_name(void **state)
{
	(void)state;
	ITL('p', { BOTH, 'p', "pub", 0 });
	CTL('p', { SAST, 'p', "pub", 0 }, { BOTH, 'p', "10.0.0.1", 0 });
	read_well();
	assert_string_equal(nodes(), "pub@0");
	assert_ptr_equal(c.nodes[0].itl, m.given[0]);
	(void)tear_down(NULL);
	(void)set_up(NULL);
	ITL('p', { BOTH, 'p', "pub", 0 }, { TVS, 't', "pub", 5 });
	CTL('p', { SAST, 'p', "pub", 0 }, { BOTH, 'p', "10.0.0.1", 0 });
	read_well();
	assert_string_equal(nodes(), "pub@5 10.0.0.1@0");
}

/* What a record must be to show that there is a node. */
static void which_records_are_of_a_node(void **state)
{
	static const struct {
		struct row row;
		bool node;
	} cases[] = {
		{ { CCM, 'q', "sub", 2 }, true },	  { { BOTH, 'q', "sub", 2 }, true },
		{ { BOTH, 'E', "sub", 2 }, true },	  { { TVS, 't', "sub", 2 }, true },
		{ { CAPF, 'c', "sub", 2 }, true },	  { { SAST, 'i', "sub", 2 }, true },
		{ { SAST, 'q', "sub", 2 }, true },	  { { SAST, 'k', "sub", 2 }, false },
		{ { APP_SERVER, 'q', "sub", 2 }, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		ITL('p', { BOTH, 'p', "pub", 1 }, cases[i].row);
		read_well();
		if (c.nnodes != 1U + cases[i].node)
			fail_msg("row %zu: %s", i, nodes());
		(void)tear_down(NULL);
		(void)set_up(NULL);
	}
}

/* One certificate, whatever else it is: CallManager, and of the node that had it first. */
static void a_certificate_is_its_nodes_own(void **state)
{
	(void)state;
	ITL('p', { SAST, 'p', "pub", 1 }, { BOTH, 'p', "pub", 1 }, { SAST, 'E', "pub", 1 },
	    { BOTH, 'E', "pub", 1 }, { APP_SERVER, 'q', "sub", 2 }, { BOTH, 'q', "sub", 2 },
	    { BOTH, 'p', "third", 3 }, { TVS, 'p', "third", 3 });
	read_well();
	assert_int_equal(known('p')->kind, PLAN_KIND_CALLMANAGER);
	assert_int_equal(known('p')->node, 0);
	assert_int_equal(known('E')->kind, PLAN_KIND_ECDSA);
	assert_int_equal(known('q')->kind, PLAN_KIND_CALLMANAGER);
	assert_int_equal(known('q')->node, 1);
	assert_int_equal(c.nodes[0].callmanager, index_of('p'));
	assert_int_equal(c.nodes[0].ecdsa, index_of('E'));
	assert_int_equal(c.nodes[1].callmanager, index_of('q'));
	assert_int_equal(c.nodes[1].ecdsa, CLUSTER_CERTS_MAX);
	assert_int_equal(c.nodes[2].callmanager, index_of('p'));
}

/* A node is called as its RSA certificate's record has it, and owns that record's ITL. */
static void an_ec_record_names_no_node(void **state)
{
	(void)state;
	ITL('p', { BOTH, 'E', "pub-EC", 1 }, { BOTH, 'p', "pub", 1 });
	read_well();
	assert_string_equal(nodes(), "pub@1");
	(void)tear_down(NULL);
	(void)set_up(NULL);
	ITL('p', { BOTH, 'E', "pub-EC", 0 }, { BOTH, 'p', "pub", 1 });
	read_well();
	assert_string_equal(nodes(), "pub@1 pub-EC@0");
	assert_ptr_equal(c.nodes[0].itl, m.given[0]);
}

/* The later one, wherever it stands; the first one of the same time. */
static void one_of_two_itls_is_served(void **state)
{
	(void)state;
	ITL('p', { BOTH, 'p', "pub", 1 });
	made_time++;
	ITL('p', { BOTH, 'p', "pub", 1 }, { CAPF, 'c', "pub", 1 });
	made_time--;
	ITL('p', { BOTH, 'p', "pub", 1 });
	made_time++;
	ITL('p', { BOTH, 'p', "pub", 1 });
	read_well();
	assert_ptr_equal(c.nodes[0].itl, m.given[1]);
}

static void who_is_the_publisher(void **state)
{
	(void)state;
	ITL('q', { BOTH, 'q', "sub", 2 }, { CAPF, 'c', "pub", 1 });
	read_well();
	assert_int_equal(c.publisher, 1);
	(void)tear_down(NULL);
	(void)set_up(NULL);
	ITL('q', { BOTH, 'q', "sub", 2 }); /* CAPF is in none */
	CTL('p', { SAST, 'p', "pub", 1 }, { BOTH, 'p', "pub", 1 }, { BOTH, 'q', "sub", 2 });
	read_well();
	assert_int_equal(c.publisher, 1);
	(void)tear_down(NULL);
	(void)set_up(NULL);
	ITL('q', { BOTH, 'q', "sub", 2 });
	CTL('k', { SAST, 'k', "", 0 }, { BOTH, 'p', "pub", 1 }, { BOTH, 'q', "sub", 2 });
	read_well();
	assert_int_equal(c.publisher, 0);
}

/* Lists of one cluster have a certificate, an address or a name in common. */
static void lists_of_two_clusters_are_told_apart(void **state)
{
	static const struct row shared[] = { { BOTH, 'p', "other", 9 },
					     { BOTH, 'x', "other", 1 },
					     { BOTH, 'x', "pub", 0 } };

	(void)state;
	for (size_t i = 0; i < COUNT(shared); i++) {
		ITL('p', { BOTH, 'p', "pub", 1 });
		ITL('z', { BOTH, 'z', "fremd", 7 }, shared[i]);
		(void)read();
		assert_null(strstr(err_text(&why), "shares neither"));
		(void)tear_down(NULL);
		(void)set_up(NULL);
	}
	ITL('p', { BOTH, 'p', "pub", 1 });
	ITL('z', { BOTH, 'z', "fremd", 7 }, { CAPF, 'c', "fremd", 0 });
	refused("the ITL of node 'fremd' shares neither a node nor a certificate");
	(void)tear_down(NULL);
	(void)set_up(NULL);
	ITL('p', { BOTH, 'p', "pub", 1 });
	ITL('z', { SAST, 'z', "fremd", 7 });
	refused("the ITL shares neither a node nor a certificate");
}

/* A record without a certificate shows a node, and no certificate. */
static void a_record_may_lack_a_certificate(void **state)
{
	(void)state;
	ITL('p', { BOTH, 'p', "pub", 1 }, { CCM, '-', "sub", 2 });
	read_well();
	assert_string_equal(nodes(), "pub@1 sub@2");
	assert_int_equal(c.ncerts, 1);
}

static void limits_are_kept(void **state)
{
	struct buf b = BUF_INIT;
	char names[CLUSTER_NODES_MAX + 1][8];

	(void)state;
	put_row(&b, &(struct row){ BOTH, 'p', "n0", 0 });
	for (size_t i = 0; i <= CLUSTER_NODES_MAX; i++) {
		(void)snprintf(names[i], sizeof names[i], "n%zu", i);
		put_row(&b, &(struct row){ CCM, '-', names[i], 0 });
		if (i + 1 < CLUSTER_NODES_MAX)
			continue;
		put_row(&b, &(struct row){ CCM, '-', "n0", 0 }); /* it is there already */
		finish_list(&m, "ITLFile.tlv", cert_of('p'), buf_span(&b));
	}
	m.given[0] = m.given[1];
	m.n = 1;
	refused("more than 64 nodes");
	m.given[0] = &m.lists[0];
	read_well();
	assert_int_equal(c.nnodes, CLUSTER_NODES_MAX);
	m.n = 2;
	buf_free(&b);
}

static void too_many_certificates_are_refused(void **state)
{
	struct buf b = BUF_INIT;
	struct made_cert x = { .der = BUF_INIT };

	(void)state;
	for (size_t i = 0; i <= CLUSTER_CERTS_MAX; i++) {
		buf_free(&x.der);
		make_cert(&m, &x, "app", "app");
		put_made_record(&b, APP_SERVER, &x, 0);
		if (i + 1 < CLUSTER_CERTS_MAX)
			continue;
		finish_list(&m, "ITLFile.tlv", &x, buf_span(&b));
	}
	m.given[0] = m.given[1];
	m.n = 1;
	refused("more than 192 certificates");
	m.given[0] = &m.lists[0];
	read_well();
	assert_int_equal(c.ncerts, CLUSTER_CERTS_MAX);
	m.n = 2;
	buf_free(&x.der);
	buf_free(&b);
}

static void too_many_itls_are_refused(void **state)
{
	const struct tlv_list *many[CLUSTER_NODES_MAX + 1];
	struct tlv_err e = TLV_ERR_INIT;

	(void)state;
	ITL('p', { BOTH, 'p', "pub", 1 });
	for (size_t i = 0; i < COUNT(many); i++)
		many[i] = m.given[0];
	assert_int_equal(cluster_read(&c, many, COUNT(many) - 1, &m.release, &e), ST_OK);
	assert_int_equal(cluster_read(&c, many, COUNT(many), &m.release, &e), ST_USAGE);
	assert_non_null(strstr(err_text(&e), "more than 64 ITLs"));
}

/* "ap ci": the letters of certificates that have come in the place of others, each in front. */
static const char *superseded(const char *release, const char *letters)
{
	static char text[64];
	struct cluster_state now;
	struct tlv_err e = TLV_ERR_INIT;
	size_t n = 0;

	assert_int_equal(release_parse(release, &m.release, &e), ST_OK);
	assert_int_equal(cluster_read_drifted(&c, m.given, m.n, &m.release, &now, &e), ST_OK);
	text[0] = '\0';
	for (const char *x = letters; *x != '\0'; x++)
		for (const char *y = letters; *y != '\0'; y++)
			if (cluster_is_renewed(&now, index_of(*x)) &&
			    span_eq(known(*y)->known, buf_span(&known(*x)->successor)))
				n += (size_t)snprintf(text + n, sizeof text - n, "%s%c%c",
						      n > 0 ? " " : "", *y, *x);
	cluster_free(&c);
	return text;
}

/* By a later list, which need not be given first. From 12.5 a cluster has one ITLRecovery. */
static void what_has_come_in_its_place(void **state)
{
	(void)state;
	CTL('p', { SAST, 'x', "pub", 1 }, { SAST, 'i', "pub", 1 }, { BOTH, 'p', "pub", 1 },
	    { BOTH, 'q', "sub", 2 }, { CAPF, 'c', "pub", 1 }, { APP_SERVER, 'm', "app", 3 });
	made_time++;
	ITL('a', { SAST, 'y', "pub", 1 }, { SAST, 'j', "sub", 2 }, { BOTH, 'a', "pub", 1 },
	    { CAPF, 'd', "pub", 1 }, { APP_SERVER, 'n', "app", 3 });
	assert_string_equal(superseded("12.5", "xipqcmyjadn"), "ji ap dc");
	assert_string_equal(superseded("12.0", "xipqcmyjadn"), "ap dc");
	(void)tear_down(NULL);
	(void)set_up(NULL);
	ITL('p', { BOTH, 'p', "pub", 1 });
	ITL('a', { BOTH, 'a', "pub", 1 }); /* at the same time: the first one has the say */
	assert_string_equal(superseded("11.5", "pa"), "pa");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_node_is_its_address),
		CASE(a_name_is_better_than_an_address),
		CASE(a_printed_itl_names_the_address),
		CASE(an_address_finds_its_name),
		CASE(which_records_are_of_a_node),
		CASE(a_certificate_is_its_nodes_own),
		CASE(an_ec_record_names_no_node),
		CASE(one_of_two_itls_is_served),
		CASE(who_is_the_publisher),
		CASE(lists_of_two_clusters_are_told_apart),
		CASE(a_record_may_lack_a_certificate),
		CASE(limits_are_kept),
		CASE(too_many_certificates_are_refused),
		CASE(too_many_itls_are_refused),
		CASE(what_has_come_in_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
