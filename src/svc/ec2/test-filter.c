/* Filters: names, values, wildcards, arrays on the way, tags, indexes. */
#include "base/test.h"

#include "svc/ec2/filter.h"

static const struct ec2_filter table[] = {
	{"vpc-id", "VpcId", "spec.VpcId"},
	{"is-default", "IsDefault", NULL},
	{"count", "Count", NULL},
	{"attachment.vpc-id", "Attachments.VpcId", NULL},
	{"group-id", "Groups", NULL},
	{"ipv6", NULL, NULL},
	{NULL, NULL, NULL},
};

static const char subject[] =
    "{\"VpcId\":\"vpc-1\",\"IsDefault\":true,\"Count\":251,"
    "\"Attachments\":[{\"VpcId\":\"vpc-8\"},{\"VpcId\":\"vpc-9\"}],"
    "\"Groups\":[\"sg-1\",\"sg-2\"]}";
static const char tags[] =
    "[{\"Key\":\"Name\",\"Value\":\"web 1\"},{\"Key\":\"e\",\"Value\":\"\"}]";

static struct doc *
json(struct arena *a, const char *text)
{
	struct doc *d;

	assert_int_equal(doc_parse_json(a, span_of(text), &d), 0);
	return d;
}

static void
matches(void **state UNUSED)
{
	static const struct {
		const char *filters;
		bool want;
	} cases[] = {
		{"[]", true},
		{"[{\"Name\":\"vpc-id\",\"Values\":[\"vpc-1\"]}]", true},
		{"[{\"Name\":\"vpc-id\",\"Values\":[\"vpc-2\",\"vpc-1\"]}]", true},
		{"[{\"Name\":\"vpc-id\",\"Values\":[\"vpc-\"]}]", false},
		{"[{\"Name\":\"vpc-id\",\"Values\":[\"vpc-*\"]}]", true},
		{"[{\"Name\":\"vpc-id\",\"Values\":[\"vpc-?\"]}]", true},
		{"[{\"Name\":\"vpc-id\",\"Values\":[\"vpc-??\"]}]", false},
		{"[{\"Name\":\"vpc-id\",\"Values\":[\"VPC-1\"]}]", false},
		{"[{\"Name\":\"vpc-id\",\"Values\":[]}]", false},
		{"[{\"Name\":\"vpc-id\"}]", false},
		{"[{\"Name\":\"is-default\",\"Values\":[\"true\"]}]", true},
		{"[{\"Name\":\"is-default\",\"Values\":[\"false\"]}]", false},
		{"[{\"Name\":\"count\",\"Values\":[\"251\"]}]", true},
		{"[{\"Name\":\"count\",\"Values\":[\"25\"]}]", false},
		{"[{\"Name\":\"attachment.vpc-id\",\"Values\":[\"vpc-9\"]}]", true},
		{"[{\"Name\":\"attachment.vpc-id\",\"Values\":[\"vpc-1\"]}]", false},
		{"[{\"Name\":\"group-id\",\"Values\":[\"sg-2\"]}]", true},
		{"[{\"Name\":\"ipv6\",\"Values\":[\"*\"]}]", false},
		{"[{\"Name\":\"nope\",\"Values\":[\"*\"]}]", false},
		{"[{\"Name\":\"tag-key\",\"Values\":[\"e\"]}]", true},
		{"[{\"Name\":\"tag-key\",\"Values\":[\"f\"]}]", false},
		{"[{\"Name\":\"tag:Name\",\"Values\":[\"web*\"]}]", true},
		{"[{\"Name\":\"tag:Name\",\"Values\":[\"db\"]}]", false},
		{"[{\"Name\":\"tag:name\",\"Values\":[\"*\"]}]", false},
		{"[{\"Name\":\"tag:e\",\"Values\":[\"\"]}]", true},
		{"[{\"Name\":\"vpc-id\",\"Values\":[\"vpc-1\"]},"
		 "{\"Name\":\"count\",\"Values\":[\"1\"]}]", false},
	};
	struct arena *a = arena_new();
	struct doc *d = json(a, subject), *t = json(a, tags);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (ec2_filter_match(json(a, cases[i].filters), table, d, t) !=
		    cases[i].want)
			fail_msg("%s", cases[i].filters);
	assert_true(ec2_filter_match(NULL, table, d, t));
	arena_free(a);
}

static void
names_unknown_filters(void **state UNUSED)
{
	static const struct {
		const char *filters;
		const char *want;
	} cases[] = {
		{"[]", ""},
		{"[{\"Name\":\"ipv6\"},{\"Name\":\"tag:x\"}]", ""},
		{"[{\"Name\":\"vpc-id\"},{\"Name\":\"vpcid\"}]", "vpcid"},
		{"[{\"Name\":\"tag:\"}]", "tag:"},
		{"[{}]", "null"},
	};
	struct arena *a = arena_new();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct span got =
		    ec2_filter_unknown(json(a, cases[i].filters), table);

		assert_true(span_is(got, cases[i].want));
	}
	arena_free(a);
}

static void
finds_an_index(void **state UNUSED)
{
	static const struct {
		const char *filters;
		const char *value; /* NULL: no index */
	} cases[] = {
		{"[{\"Name\":\"vpc-id\",\"Values\":[\"vpc-1\"]}]", "vpc-1"},
		{"[{\"Name\":\"count\",\"Values\":[\"1\"]},"
		 "{\"Name\":\"vpc-id\",\"Values\":[\"vpc-1\"]}]", "vpc-1"},
		{"[{\"Name\":\"vpc-id\",\"Values\":[\"vpc-*\"]}]", NULL},
		{"[{\"Name\":\"vpc-id\",\"Values\":[\"a\",\"b\"]}]", NULL},
		{"[]", NULL},
	};
	struct arena *a = arena_new();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct span value = SPAN_NULL;
		const char *index = ec2_filter_index(
		    json(a, cases[i].filters), table, &value);

		assert_int_equal(index != NULL, cases[i].value != NULL);
		if (index)
			assert_true(span_is(value, cases[i].value));
	}
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches),
		cmocka_unit_test(names_unknown_filters),
		cmocka_unit_test(finds_an_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
