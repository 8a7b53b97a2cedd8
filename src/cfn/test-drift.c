/* What is told of properties, and what differs. */
#include "base/test.h"

#include "cfn/drift.h"
#include "wire/model.h"

static struct doc *
json(struct arena *a, const char *text)
{
	char *s = arena_str(a, span_of(text));
	struct doc *d;

	for (char *p = s; *p; p++)
		if (*p == '\'')
			*p = '"';
	if (doc_parse_json(a, span_of(s), &d))
		fail_msg("no JSON: %s", text);
	return d;
}

static const struct row {
	const char *want, *have, *differences; /* "path type" each */
} rows[] = {
	{"{}", "{}", ""},
	{"{'A': 80}", "{'A': '80'}", ""},
	{"{'A': 60}", "{'A': 60.0}", ""},
	{"{'A': '60'}", "{'A': '60.0'}", "/A NOT_EQUAL"},
	{"{'A': true}", "{'A': 'true'}", ""},
	{"{'A': 'x'}", "{'A': 'y'}", "/A NOT_EQUAL"},
	{"{'A': 'x'}", "{}", "/A REMOVE"},
	{"{'A': []}", "{}", ""},
	{"{'A': {}}", "{}", ""},
	{"{'A': {'B': 1}}", "{'A': {'B': 1, 'C': 2}}", "/A/C ADD"},
	{"{'A': [1, 2, 3]}", "{'A': [3, 1, 2]}", ""},
	{"{'A': [1, 1]}", "{'A': [1]}", "/A/1 REMOVE"},
	{"{'A': [1]}", "{'A': [2]}", "/A/0 NOT_EQUAL"},
	{"{'A': [1]}", "{'A': [1, 2]}", "/A/1 ADD"},
	/* In elements the service fills in what it likes. */
	{"{'A': [{'K': 'a'}]}", "{'A': [{'K': 'a', 'D': 1}]}", ""},
	{"{'A': [{'K': 'a', 'V': 1}, {'K': 'b'}]}",
	    "{'A': [{'K': 'b'}, {'K': 'a', 'V': 2}]}", "/A/0/V NOT_EQUAL"},
	{"{'A': {'B': 1}}", "{'A': 'text'}", "/A NOT_EQUAL"},
};

static void
test_differences(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(buf_done) struct buf b = BUF_INIT;
		_cleanup_arena_ struct arena *a = arena_new();
		struct doc *d = cfn_drift(a, json(a, rows[i].want),
		    json(a, rows[i].have));

		doc_each(v, d)
			buf_addf(&b, "%s%.*s %.*s", b.n ? " " : "",
			    SPAN_ARG(doc_get_str(v, "PropertyPath")),
			    SPAN_ARG(doc_get_str(v, "DifferenceType")));
		if (strcmp(buf_str(&b), rows[i].differences))
			fail_msg("%s %s: %s", rows[i].want, rows[i].have,
			    buf_str(&b));
	}
}

static const struct told {
	const char *service, *op, *at, *map;
	const char *want, *found, *known, *have;
} told[] = {
	/* By name, and only what has a place. */
	{"logs", "DescribeLogGroups", "logGroups.0", NULL,
	    "{'RetentionInDays': 7, 'FieldIndexPolicies': []}",
	    "{'retentionInDays': 3, 'storedBytes': 0}",
	    "{'RetentionInDays': 7}", "{'RetentionInDays': 3}"},
	{"logs", "DescribeLogGroups", "logGroups.0", NULL,
	    "{'RetentionInDays': 7}", "{}", "{'RetentionInDays': 7}", "{}"},
	/* A map of tags as pairs. */
	{"logs", "ListTagsForResource", NULL, NULL,
	    "{'Tags': [{'Key': 'a', 'Value': 'b'}]}", "{'tags': {'c': 'd'}}",
	    "{'Tags': [{'Key': 'a', 'Value': 'b'}]}",
	    "{'Tags': [{'Key': 'c', 'Value': 'd'}]}"},
	/* Pairs as a map. */
	{"ssm", "ListTagsForResource", NULL, "Tags=TagList",
	    "{'Tags': {'a': 'b'}}", "{'TagList': [{'Key': 'a', 'Value': 'c'}]}",
	    "{'Tags': {'a': 'b'}}", "{'Tags': {'a': 'c'}}"},
	/* The whole, of each, a member of a member. */
	{"ecr", "GetLifecyclePolicy", NULL, "LifecyclePolicy=.",
	    "{'LifecyclePolicy': {'LifecyclePolicyText': '{}'}}",
	    "{'lifecyclePolicyText': '{ }', 'registryId': '1'}",
	    "{'LifecyclePolicy': {'LifecyclePolicyText': '{}'}}",
	    "{'LifecyclePolicy': {'LifecyclePolicyText': '{}'}}"},
	{"elbv2", "DescribeLoadBalancers", "LoadBalancers.0",
	    "Subnets=AvailabilityZones.*.SubnetId", "{'Subnets': ['a']}",
	    "{'AvailabilityZones': [{'SubnetId': 'a'}, {'SubnetId': 'b'}]}",
	    "{'Subnets': ['a']}", "{'Subnets': ['a', 'b']}"},
	{"ec2", "DescribeNatGateways", "NatGateways.0",
	    "AllocationId=NatGatewayAddresses.0.AllocationId",
	    "{'AllocationId': 'x'}",
	    "{'NatGatewayAddresses': [{'AllocationId': 'y'}]}",
	    "{'AllocationId': 'x'}", "{'AllocationId': 'y'}"},
	/* EC2's wrapped values. */
	{"ec2", "DescribeVpcAttribute", NULL, NULL,
	    "{'EnableDnsSupport': true}",
	    "{'EnableDnsSupport': {'Value': false}}",
	    "{'EnableDnsSupport': true}", "{'EnableDnsSupport': false}"},
	/* JSON that says the same is the same; IAM's has %XX. */
	{"s3", "GetBucketPolicy", NULL, "PolicyDocument=Policy",
	    "{'PolicyDocument': {'a': 1, 'b': [2]}}",
	    "{'Policy': '{\\'b\\': [2], \\'a\\': 1}'}",
	    "{'PolicyDocument': {'a': 1, 'b': [2]}}",
	    "{'PolicyDocument': {'a': 1, 'b': [2]}}"},
	{"iam", "GetRole", "Role", NULL,
	    "{'AssumeRolePolicyDocument': {'a': 1}}",
	    "{'AssumeRolePolicyDocument': '%7B%22a%22%3A%201%7D'}",
	    "{'AssumeRolePolicyDocument': {'a': 1}}",
	    "{'AssumeRolePolicyDocument': {'a': 1}}"},
};

static void
test_outputs(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(told); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		const struct told *t = &told[i];
		const struct model *m = model_find(span_of(t->service));
		struct cfn_source from = {model_op_find(m, span_of(t->op)),
			t->at, t->map};
		struct doc *known = doc_obj(a), *have = doc_obj(a), *found;

		found = json(a, t->found);
		cfn_output(a, &from, json(a, t->want), found, known, have);
		if (!doc_eq(known, json(a, t->known)) ||
		    !doc_eq(have, json(a, t->have)))
			fail_msg("%s: %.*s %.*s", t->op,
			    SPAN_ARG(doc_json(a, known)),
			    SPAN_ARG(doc_json(a, have)));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_differences),
		cmocka_unit_test(test_outputs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
