/* Keys, certificates and their facts. */
#include <stdio.h>

#include "base/test.h"
#include "svc/acm/x509.h"

#define DAY_MS (24 * 60 * 60 * 1000LL)
#define FROM   1790000000000LL

static const struct doc *
json(struct arena *a, const char *text)
{
	struct doc *d;

	AZ(doc_parse_json(a, span_of(text), &d));
	return d;
}

struct authority {
	struct buf key, root;
};

static void
authority_make(struct authority *ca)
{
	*ca = (struct authority){BUF_INIT, BUF_INIT};
	x509_key(SPAN("EC_prime256v1"), &ca->key);
	x509_root(buf_span(&ca->key), SPAN("Test"), FROM, FROM + 9 * DAY_MS,
	    &ca->root);
}

static void
authority_done(struct authority *ca)
{
	x509_wipe(&ca->key);
	buf_done(&ca->root);
}

static void
leaf(const struct authority *ca, const char *algorithm,
    const struct doc *names, struct buf *ret_key, struct buf *ret)
{
	x509_key(span_of(algorithm), ret_key);
	x509_issue(&(struct x509_issue){.ca = buf_span(&ca->root),
	    .ca_key = buf_span(&ca->key), .key = buf_span(ret_key),
	    .names = names, .from_ms = FROM, .until_ms = FROM + DAY_MS}, ret);
}

static void
save(const char *dir, const char *name, struct span text)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, name);
	FILE *f = fopen(path, "we");

	AN(f);
	assert_int_equal(fwrite(text.p, 1, text.n, f), text.n);
	AZ(fclose(f));
}

static void
load(const char *dir, const char *name, struct buf *ret)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, name);
	FILE *f = fopen(path, "re");
	int c;

	AN(f);
	while ((c = fgetc(f)) != EOF)
		buf_add_char(ret, (char)c);
	AZ(fclose(f));
}

/* The judge is openssl's own command. */
static void
test_openssl_agrees(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_free_ char *dir = xstrdup("/tmp/test-x509-XXXXXX");
	static const char *const kinds[] = {"EC_prime256v1", "EC_secp384r1",
		"RSA_2048"};
	_cleanup_(authority_done) struct authority ca;

	AN(mkdtemp(dir));
	authority_make(&ca);
	save(dir, "root", buf_span(&ca.root));
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		_cleanup_(x509_wipe) struct buf key = BUF_INIT;
		_cleanup_(buf_done) struct buf pem = BUF_INIT;

		leaf(&ca, kinds[i], json(a, "[\"a.test\",\"*.a.test\"]"), &key,
		    &pem);
		save(dir, "leaf", buf_span(&pem));
		assert_int_equal(system(arena_fmt(a, "openssl verify -x509_strict "
		    "-attime %lld -purpose sslserver -verify_hostname b.a.test "
		    "-CAfile %s/root %s/leaf >/dev/null", FROM / 1000 + 60,
		    dir, dir)), 0);
		assert_int_not_equal(system(arena_fmt(a, "openssl verify "
		    "-attime %lld -verify_hostname c.b.a.test -CAfile %s/root "
		    "%s/leaf >/dev/null 2>&1", FROM / 1000 + 60, dir, dir)), 0);
	}
	AZ(system(arena_fmt(a, "rm -r %s", dir)));
}

static void
test_facts(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_(authority_done) struct authority ca;
	_cleanup_(x509_wipe) struct buf key = BUF_INIT;
	_cleanup_(buf_done) struct buf pem = BUF_INIT;
	const struct doc *names = json(a, "[\"a.test\",\"*.a.test\"]");
	struct doc *f;

	authority_make(&ca);
	leaf(&ca, "EC_secp384r1", names, &key, &pem);
	f = x509_facts(a, buf_span(&pem));
	assert_true(doc_eq(doc_get(f, "Names"), names));
	assert_true(span_is(doc_get_str(f, "KeyAlgorithm"), "EC_secp384r1"));
	assert_true(span_is(doc_get_str(f, "Subject"), "CN=a.test"));
	assert_true(span_is(doc_get_str(f, "Issuer"), "Neargate"));
	assert_int_equal(doc_get_int(f, "NotBefore", 0), FROM);
	assert_int_equal(doc_get_int(f, "NotAfter", 0), FROM + DAY_MS);
	assert_int_equal(doc_get_str(f, "Serial").n, 16 * 3 - 1);
	assert_null(x509_facts(a, SPAN("no certificate")));
}

/* A common name has its limit; the names do not depend on it. */
static void
test_long_name(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_(authority_done) struct authority ca;
	_cleanup_(x509_wipe) struct buf key = BUF_INIT;
	_cleanup_(buf_done) struct buf pem = BUF_INIT;
	char *label = arena_alloc(a, 61);
	const struct doc *names;
	struct doc *f;

	memset(label, 'x', 60);
	names = json(a, arena_fmt(a, "[\"%s.a.test\"]", label));
	authority_make(&ca);
	leaf(&ca, "EC_prime256v1", names, &key, &pem);
	f = x509_facts(a, buf_span(&pem));
	assert_true(doc_eq(doc_get(f, "Names"), names));
	assert_int_equal(doc_get_str(f, "Subject").n, 0);
}

static void
test_import(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_(authority_done) struct authority ca;
	_cleanup_(x509_wipe) struct buf key = BUF_INIT;
	_cleanup_(buf_done) struct buf pem = BUF_INIT;
	struct x509_import is;

	authority_make(&ca);
	leaf(&ca, "EC_prime256v1", json(a, "[\"a.test\"]"), &key, &pem);
	assert_string_equal(x509_import(a, buf_span(&pem), buf_span(&ca.root),
	    buf_span(&key), FROM - 1000, &is), "The certificate is not valid "
	    "yet.");
	assert_string_equal(x509_import(a, buf_span(&pem), buf_span(&ca.root),
	    buf_span(&key), FROM + DAY_MS, &is), "The certificate has "
	    "expired.");
	assert_null(x509_import(a, buf_span(&pem), buf_span(&ca.root),
	    buf_span(&key), FROM + 1000, &is));
	assert_true(span_eq(is.certificate, buf_span(&pem)));
	assert_true(span_eq(is.chain, buf_span(&ca.root)));
	assert_true(span_eq(buf_span(&is.key), buf_span(&key)));
	x509_wipe(&is.key);
}

/* Against OpenSSL's own judge, by what it makes. */
static void
test_strength(void **state UNUSED)
{
	static const struct {
		const char *key, *digest;
		bool self, want;
	} cases[] = {
		{"rsa:2048", "sha256", true, true},
		{"rsa:1024", "sha256", true, false},
		{"rsa:2048", "sha1", true, true},
		{"rsa:2048", "sha256", false, true},
		{"rsa:2048", "sha1", false, false},
	};
	_cleanup_arena_ struct arena *a = arena_new();
	char *dir = arena_str(a, SPAN("/tmp/test-x509-XXXXXX"));

	AN(mkdtemp(dir));
	AZ(system(arena_fmt(a, "openssl req -x509 -newkey rsa:2048 -nodes "
	    "-subj /CN=ca -keyout %s/ca.key -out %s/ca >/dev/null 2>&1", dir,
	    dir)));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(buf_done) struct buf pem = BUF_INIT;

		AZ(system(arena_fmt(a, "openssl req -x509 -newkey %s -%s "
		    "-nodes -subj /CN=x -keyout %s/k -out %s/c %s "
		    ">/dev/null 2>&1", cases[i].key, cases[i].digest, dir, dir,
		    cases[i].self ? "" : arena_fmt(a, "-CA %s/ca -CAkey "
		    "%s/ca.key", dir, dir))));
		load(dir, "c", &pem);
		assert_int_equal(x509_is_strong(buf_span(&pem), SPAN_NULL),
		    cases[i].want);
		assert_int_equal(x509_is_strong(buf_span(&pem),
		    buf_span(&pem)), cases[i].want);
	}
	assert_false(x509_is_strong(SPAN("none"), SPAN_NULL));
	AZ(system(arena_fmt(a, "rm -r %s", dir)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_openssl_agrees),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_import),
		cmocka_unit_test(test_strength),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
