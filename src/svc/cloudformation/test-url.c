/* The forms of TemplateURL that clients send. */
#include "base/test.h"

#include "svc/cloudformation/url.h"

static const struct {
	const char *url, *bucket, *key; /* bucket NULL: refused */
} cases[] = {
	{"http://127.0.0.1:4566/assets/a1.json", "assets", "a1.json"},
	{"http://localhost:4566/assets/a/b.json", "assets", "a/b.json"},
	{"http://gate.example:80/assets/a.json", "assets", "a.json"},
	{"http://assets.gate.example:80/a.json", "assets", "a.json"},
	{"http://assets.localhost:4566/a.json", "assets", "a.json"},
	{"http://assets.s3.localhost:4566/a.json", "assets", "a.json"},
	{"https://s3.amazonaws.com/assets/a.json", "assets", "a.json"},
	{"https://s3.us-east-1.amazonaws.com/assets/a%20b.json", "assets",
	    "a b.json"},
	{"https://s3-us-west-2.amazonaws.com/assets/a.json", "assets",
	    "a.json"},
	{"https://as.sets.s3.us-east-1.amazonaws.com/k?versionId=1",
	    "as.sets", "k"},
	{"https://assets.s3.amazonaws.com/k", "assets", "k"},
	{"https://example.com/assets/k", NULL, NULL},
	{"ftp://127.0.0.1/assets/k", NULL, NULL},
	{"http://127.0.0.1:4566/assets", NULL, NULL},
	{"http://127.0.0.1:4566/assets/", NULL, NULL},
	{"http://", NULL, NULL},
	{"", NULL, NULL},
};

static void
test_forms(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct span bucket, key;
		bool ok = template_url_parse(a, span_of(cases[i].url),
		    SPAN("gate.example:80"), &bucket, &key);

		if (ok != (cases[i].bucket != NULL))
			fail_msg("%s", cases[i].url);
		if (!ok)
			continue;
		assert_string_equal(arena_str(a, bucket), cases[i].bucket);
		assert_string_equal(arena_str(a, key), cases[i].key);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_forms)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
