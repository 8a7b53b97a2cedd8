/* Reference, digest, tag and host grammar. */
#include "registry/ref.h"

#include "base/test.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define D "sha256:" HEX64

static void
test_parse(void **state UNUSED)
{
	static const struct {
		const char *text, *host, *repo, *tag, *digest;
	} cases[] = {
	    {"alpine", "docker.io", "library/alpine", "latest", ""},
	    {"alpine:3", "docker.io", "library/alpine", "3", ""},
	    {"a/b", "docker.io", "a/b", "latest", ""},
	    {"index.docker.io/b", "docker.io", "library/b", "latest", ""},
	    {"localhost/b", "localhost", "b", "latest", ""},
	    {"127.0.0.1:4566/x/y:v1", "127.0.0.1:4566", "x/y", "v1", ""},
	    {"[::1]:5000/x", "[::1]:5000", "x", "latest", ""},
	    {"Host/x", "Host", "x", "latest", ""},
	    {"x@" D, "docker.io", "library/x", "", D},
	    {"r.io/x:t@" D, "r.io", "x", "t", D},
	    {"123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1",
		"123456789012.dkr.ecr.eu-west-1.amazonaws.com", "app", "1", ""},
	    /* refused */
	    {"", NULL, NULL, NULL, NULL},
	    {"Alpine", NULL, NULL, NULL, NULL},
	    {"a//b", NULL, NULL, NULL, NULL},
	    {"a/../b", NULL, NULL, NULL, NULL},
	    {"r.io:0/x", NULL, NULL, NULL, NULL},
	    {"r.io:99999/x", NULL, NULL, NULL, NULL},
	    {"r.io:/x", NULL, NULL, NULL, NULL},
	    {"-r.io/x", NULL, NULL, NULL, NULL},
	    {"r.io/", NULL, NULL, NULL, NULL},
	    {"x:", NULL, NULL, NULL, NULL},
	    {"x:.t", NULL, NULL, NULL, NULL},
	    {"x@sha256:12", NULL, NULL, NULL, NULL},
	    {"x@md5:" HEX64, NULL, NULL, NULL, NULL},
	    {"x@", NULL, NULL, NULL, NULL},
	    {"x y", NULL, NULL, NULL, NULL},
	    {"a___b", NULL, NULL, NULL, NULL},
	};
	struct arena *a = arena_new();
	char *longest = arena_alloc(a, REF_REPO_MAX + 1);
	struct ref r;

	/* With "library/" before it, it is too long. */
	memset(longest, 'a', REF_REPO_MAX);
	assert_false(ref_parse(a, span_make(longest, REF_REPO_MAX), &r));
	assert_true(ref_parse(a, span_make(longest, REF_REPO_MAX - 8), &r));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool ok = ref_parse(a, span_of(cases[i].text), &r);

		if (ok != !!cases[i].host)
			fail_msg("%s: %d", cases[i].text, ok);
		if (!ok)
			continue;
		if (!span_is(r.host, cases[i].host) ||
		    !span_is(r.repo, cases[i].repo) ||
		    !span_is(r.tag, cases[i].tag) ||
		    !span_is(r.digest, cases[i].digest))
			fail_msg("%s: %.*s %.*s %.*s", cases[i].text,
			    SPAN_ARG(r.host), SPAN_ARG(r.repo),
			    SPAN_ARG(r.tag));
	}
	arena_free(a);
}

static void
test_repo(void **state UNUSED)
{
	static const struct {
		const char *s;
		bool ok;
	} cases[] = {{"a", true}, {"a/b/c", true}, {"a.b_c__d--e", true},
	    {"A", false}, {"/a", false}, {"a/", false}, {"a..b", false},
	    {"a_", false}, {"a---b", true}, {"a._b", false}, {"", false}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (ref_repo_ok(span_of(cases[i].s)) != cases[i].ok)
			fail_msg("%s", cases[i].s);
	}
}

static void
test_hosts(void **state UNUSED)
{
	struct span account, region;

	assert_true(ref_ecr_host(
	    SPAN("123456789012.dkr.ecr.us-east-1.127.0.0.1:4566"), &account,
	    &region));
	assert_true(span_is(account, "123456789012"));
	assert_true(span_is(region, "us-east-1"));
	assert_false(ref_ecr_host(SPAN("127.0.0.1:4566"), &account, &region));
	assert_false(ref_ecr_host(SPAN("12345678901a.dkr.ecr.us-east-1.x"),
	    &account, &region));
	assert_false(ref_ecr_host(SPAN("123456789012.dkr.ecr.us-east-1"),
	    &account, &region));
	assert_true(ref_loopback(SPAN("127.0.0.1:5000")));
	assert_true(ref_loopback(SPAN("localhost")));
	assert_true(ref_loopback(SPAN("[::1]:80")));
	assert_false(ref_loopback(SPAN("registry.example.com:5000")));
}

static void
test_digest(void **state UNUSED)
{
	struct span hex;

	assert_true(digest_ok(SPAN(D), &hex));
	assert_true(span_is(hex, HEX64));
	assert_true(digest_ok(SPAN("sha512:" HEX64 HEX64), &hex));
	assert_false(digest_ok(SPAN("sha512:" HEX64), &hex));
	assert_false(digest_ok(SPAN("sha256:" HEX64 "0"), &hex));
	assert_false(digest_ok(SPAN("sha256:../" HEX64), &hex));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_parse),
	    cmocka_unit_test(test_repo),
	    cmocka_unit_test(test_hosts),
	    cmocka_unit_test(test_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
