/* Policies: the grammar, and what they say. */
#include "auth/policy.h"
#include "base/test.h"

#define ROLE "arn:aws:iam::123456789012:role/r"
#define STATEMENT(more) \
	"{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\"," more "}}"
#define ASSUME "\"Action\":\"sts:AssumeRole\""

static const struct {
	enum policy_type type;
	const char *text;
	bool good;
} grammar[] = {
    {POLICY_IDENTITY, STATEMENT("\"Action\":\"*\",\"Resource\":\"*\""), true},
    {POLICY_IDENTITY, STATEMENT("\"NotAction\":[\"s3:Get*\"],"
	"\"NotResource\":\"arn:aws:s3:::b/*\""), true},
    {POLICY_IDENTITY, STATEMENT("\"Action\":[],\"Resource\":\"*\""), false},
    {POLICY_IDENTITY, STATEMENT("\"Action\":\"a:b\",\"NotAction\":\"a:c\","
	"\"Resource\":\"*\""), false},
    {POLICY_IDENTITY, STATEMENT("\"Action\":\"*\",\"Resource\":\"*\","
	"\"Principal\":\"*\""), false},
    {POLICY_IDENTITY, STATEMENT("\"Action\":\"*\",\"Resource\":\"*\","
	"\"Other\":1"), false},
    {POLICY_IDENTITY, STATEMENT("\"Action\":\"*\",\"Resource\":\"*\","
	"\"Condition\":{\"StringIs\":{\"a\":\"b\"}}"), false},
    {POLICY_IDENTITY, STATEMENT("\"Action\":\"*\",\"Resource\":\"*\","
	"\"Condition\":{\"ForAnyValue:StringLikeIfExists\":{\"a\":[\"b\"]}}"),
	true},
    {POLICY_TRUST, STATEMENT("\"Principal\":{\"Service\":\"ecs.amazonaws.com\"},"
	ASSUME), true},
    {POLICY_TRUST, STATEMENT("\"Principal\":{\"Who\":\"x\"}," ASSUME), false},
    {POLICY_TRUST, STATEMENT("\"Principal\":\"*\"," ASSUME
	",\"Resource\":\"*\""), false},
    {POLICY_TRUST, STATEMENT(ASSUME), false},
    {POLICY_RESOURCE, STATEMENT("\"Principal\":\"*\",\"Action\":\"s3:*\","
	"\"Resource\":\"arn:aws:s3:::b\""), true},
    {POLICY_RESOURCE, "[]", false},
    {POLICY_RESOURCE, "{\"Statement\":[]}", false},
    {POLICY_RESOURCE, "", false},
};

static void
test_grammar(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(grammar); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct span why = SPAN_NULL;
		struct doc *d;
		int r = policy_parse(a, span_of(grammar[i].text),
		    grammar[i].type, &d, &why);

		if ((r == 0) != grammar[i].good)
			fail_msg("%s: %.*s", grammar[i].text, SPAN_ARG(why));
		assert_true(r == 0 || why.n > 0);
	}
}

#define TRUST(principal, more) \
	STATEMENT("\"Principal\":" principal "," ASSUME more)
#define ACCOUNT "{\"AWS\":\"123456789012\"}"
#define WHEN(text) ",\"Condition\":{" text "}"

static const struct {
	const char *text;
	enum policy_effect want;
} says[] = {
    {TRUST("\"*\"", ""), POLICY_ALLOW},
    {TRUST(ACCOUNT, ""), POLICY_ALLOW},
    {TRUST("{\"AWS\":[\"x\",\"arn:aws:iam::123456789012:root\"]}", ""),
	POLICY_ALLOW},
    {TRUST("{\"AWS\":\"" ROLE "\"}", ""), POLICY_ALLOW},
    {TRUST("{\"AWS\":\"arn:aws:iam::210987654321:root\"}", ""),
	POLICY_SILENT},
    {TRUST("{\"Service\":\"ecs.amazonaws.com\"}", ""), POLICY_SILENT},
    {TRUST(ACCOUNT, WHEN("\"StringEquals\":{\"sts:ExternalId\":\"7\"}")),
	POLICY_ALLOW},
    {TRUST(ACCOUNT, WHEN("\"StringNotLike\":{\"sts:ExternalId\":\"7*\"}")),
	POLICY_SILENT},
    {TRUST(ACCOUNT, WHEN("\"StringNotEquals\":{\"none\":\"7\"}")),
	POLICY_ALLOW},
    {TRUST(ACCOUNT, WHEN("\"StringEqualsIfExists\":{\"none\":\"7\"}")),
	POLICY_ALLOW},
    {TRUST(ACCOUNT, WHEN("\"Null\":{\"sts:ExternalId\":\"true\"}")),
	POLICY_SILENT},
    {TRUST(ACCOUNT, WHEN("\"Null\":{\"none\":true}")), POLICY_ALLOW},
    {TRUST(ACCOUNT, WHEN("\"ForAllValues:StringEquals\":"
	"{\"aws:TagKeys\":[\"a\",\"b\",\"c\"]}")), POLICY_ALLOW},
    {TRUST(ACCOUNT, WHEN("\"ForAllValues:StringEquals\":"
	"{\"aws:TagKeys\":[\"a\"]}")), POLICY_SILENT},
    {TRUST(ACCOUNT, WHEN("\"ForAnyValue:StringLike\":"
	"{\"aws:TagKeys\":\"b*\"}")), POLICY_ALLOW},
    {TRUST(ACCOUNT, WHEN("\"ArnLike\":{\"aws:PrincipalArn\":"
	"\"arn:aws:sts::*:assumed-role/r/*\"}")), POLICY_ALLOW},
    {TRUST(ACCOUNT, WHEN("\"IpAddress\":{\"sts:ExternalId\":\"1.2.3.4\"}")),
	POLICY_SILENT}, /* not judged here: against the caller */
};

static void
test_says(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct doc *context, *d;
	struct policy_request q = {.account = SPAN("123456789012"),
	    .principal = SPAN("arn:aws:sts::123456789012:assumed-role/r/s"),
	    .role = SPAN(ROLE), .action = SPAN("sts:AssumeRole")};
	struct span why;

	AZ(doc_parse_json(a, SPAN("{\"sts:externalid\":\"7\",\"aws:tagkeys\":"
	    "[\"a\",\"b\"],\"aws:principalarn\":"
	    "\"arn:aws:sts::123456789012:assumed-role/r/s\"}"), &context));
	q.context = context;
	for (size_t i = 0; i < ARRAY_SIZE(says); i++) {
		AZ(policy_parse(a, span_of(says[i].text), POLICY_TRUST, &d,
		    &why));
		if (policy_says(a, d, &q) != says[i].want)
			fail_msg("row %zu: %s", i, says[i].text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grammar),
		cmocka_unit_test(test_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
