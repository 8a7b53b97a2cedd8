/* What a dump must not tell. */
#include "admin/admin.h"
#include "base/test.h"

static const struct {
	const char *name, *kind, *in, *out;
} rows[] = {
	{"plain", "ecs.cluster", "{\"spec\":{\"clusterName\":\"c\"}}",
	    "{\"spec\":{\"clusterName\":\"c\"}}"},
	{"member", "iam.user", "{\"spec\":{\"Name\":\"a\",\"Password\":\"p\"}}",
	    "{\"spec\":{\"Name\":\"a\",\"Password\":\"(hidden)\"}}"},
	{"case", "x.y", "{\"password\":\"p\",\"secretaccesskey\":{\"a\":1}}",
	    "{\"password\":\"(hidden)\",\"secretaccesskey\":\"(hidden)\"}"},
	{"deep", "x.y", "{\"a\":[{\"b\":{\"PrivateKey\":\"k\"}},3,null]}",
	    "{\"a\":[{\"b\":{\"PrivateKey\":\"(hidden)\"}},3,null]}"},
	{"environment", "ecs.task-definition",
	    "{\"environment\":[{\"name\":\"N\",\"value\":\"v\"}],"
	    "\"value\":\"stays\"}",
	    "{\"environment\":[{\"name\":\"N\",\"value\":\"(hidden)\"}],"
	    "\"value\":\"stays\"}"},
	{"references stay", "ecs.task-definition",
	    "{\"secrets\":[{\"name\":\"N\",\"valueFrom\":\"arn\"}]}",
	    "{\"secrets\":[{\"name\":\"N\",\"valueFrom\":\"arn\"}]}"},
	{"signed address", "cloudformation.resource",
	    "{\"a\":[\"http://h/p?Signature=0123\"],\".Signature\":\"0123\"}",
	    "{\"a\":[\"http://h/p?Signature=(hidden)\"],"
	    "\".Signature\":\"(hidden)\"}"},
	{"kind", "secretsmanager.secret-version",
	    "{\"kind\":\"k\",\"spec\":{\"x\":1},\"status\":{}}",
	    "{\"kind\":\"k\",\"spec\":\"(hidden)\",\"status\":\"(hidden)\"}"},
};

static void
test_hide(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		_cleanup_(buf_done) struct buf b = BUF_INIT;
		struct doc *d;

		print_message("%s\n", rows[i].name);
		assert_int_equal(doc_parse_json(a, span_of(rows[i].in), &d),
		    0);
		doc_write_json(&b, admin_hide(a, span_of(rows[i].kind), d));
		assert_string_equal(buf_str(&b), rows[i].out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_hide)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
