/* Facts of resource types, and what a template says of itself. */
#include "base/test.h"
#include "cfn/facts.h"
#include "cfn/summary.h"

static const struct {
	const char *type;
	const char *props;
	const char *want; /* properties, or the error */
} checks[] = {
	{"AWS::Logs::LogGroup", "{\"RetentionInDays\":\"7\"}",
	    "{\"RetentionInDays\":7}"},
	{"AWS::Logs::LogGroup", "{\"LogGroupName\":5}",
	    "{\"LogGroupName\":\"5\"}"},
	{"AWS::Logs::LogGroup", "{\"Retention\":7}",
	    "Encountered unsupported property Retention"},
	{"AWS::Logs::LogGroup", "{\"Arn\":\"x\"}",
	    "Encountered unsupported property Arn"},
	{"AWS::Logs::LogGroup", "{\"RetentionInDays\":\"x\"}",
	    "Model validation failed (#/RetentionInDays: expected type: "
	    "Integer, found: String)"},
	{"AWS::Logs::LogGroup", "{\"RetentionInDays\":\"" CFN_AFTER_APPLY "\"}",
	    "{\"RetentionInDays\":\"" CFN_AFTER_APPLY "\"}"},
	{"AWS::Logs::LogGroup", "{\"Tags\":[{\"Key\":\"a\",\"Value\":1}]}",
	    "{\"Tags\":[{\"Key\":\"a\",\"Value\":\"1\"}]}"},
	{"AWS::Logs::LogGroup", "{\"Tags\":[{\"Key\":\"a\"}]}",
	    "Model validation failed (#/Tags/0: required key [Value] not "
	    "found)"},
	{"AWS::Logs::LogGroup",
	    "{\"Tags\":[{\"Key\":\"a\",\"Value\":\"b\",\"X\":1}]}",
	    "Model validation failed (#/Tags/0: extraneous key [X] is not "
	    "permitted)"},
	{"AWS::Logs::LogGroup", "{\"Tags\":{}}", "Model validation failed "
	    "(#/Tags: expected type: JSONArray, found: JSONObject)"},
	{"AWS::Logs::LogGroup", "{\"LogGroupClass\":\"FAST\"}", "Model "
	    "validation failed (#/LogGroupClass: #: FAST is not a valid enum "
	    "value)"},
	{"AWS::EC2::Subnet", "{\"CidrBlock\":\"10.0.0.0/24\"}",
	    "Model validation failed (#: required key [VpcId] not found)"},
	{"AWS::EC2::Subnet", "{\"VpcId\":\"v\",\"MapPublicIpOnLaunch\":\"true\"}",
	    "{\"VpcId\":\"v\",\"MapPublicIpOnLaunch\":true}"},
	{"AWS::SSM::Parameter", "{\"Type\":\"String\",\"Value\":\"1\","
	    "\"Tags\":{\"a\":1}}",
	    "{\"Type\":\"String\",\"Value\":\"1\",\"Tags\":{\"a\":\"1\"}}"},
	{"AWS::IAM::Role", "{\"AssumeRolePolicyDocument\":{\"V\":[1]}}",
	    "{\"AssumeRolePolicyDocument\":{\"V\":[1]}}"},
	{"Custom::Thing", "{\"ServiceToken\":\"arn\",\"Any\":{\"x\":1}}",
	    "{\"ServiceToken\":\"arn\",\"Any\":{\"x\":1}}"},
};

static void
check_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		const struct cfn_facts *f;
		struct cfn_error err = {SPAN_NULL};
		struct doc *d, *out = NULL;
		int r;

		f = cfn_facts_find(span_of(checks[i].type));
		assert_non_null(f);
		AZ(doc_parse_json(a, span_of(checks[i].props), &d));
		r = cfn_facts_check(a, f, d, &out, &err);
		assert_string_equal(r ? err.text.p : doc_json(a, out).p,
		    checks[i].want);
	}
}

static void
lookups(void **state)
{
	const struct cfn_facts *f = cfn_facts_find(SPAN("AWS::Logs::LogGroup"));

	(void)state;
	assert_true(cfn_facts_n >= 53);
	assert_true(cfn_facts_prop(f, SPAN("LogGroupName"))->flags &
	    CFN_CREATE_ONLY);
	assert_true(cfn_facts_attr(f, SPAN("Arn")));
	assert_true(cfn_facts_attr(f, SPAN("LogGroupName")));
	assert_false(cfn_facts_attr(f, SPAN("Nope")));
	assert_string_equal(f->tags, "Tags");
	assert_null(cfn_facts_find(SPAN("AWS::Lambda::Function")));
	f = cfn_facts_find(SPAN("AWS::CloudFormation::Stack"));
	assert_true(cfn_facts_attr(f, SPAN("Outputs.X")));
	f = cfn_facts_find(SPAN("AWS::SSM::Parameter"));
	assert_true(f->tag_map);
	for (size_t i = 1; i < cfn_facts_n; i++)
		assert_true(strcmp(cfn_facts[i - 1].type, cfn_facts[i].type) < 0);
}

static const struct {
	const char *text;
	const char *caps;
	const char *missing; /* with CAPABILITY_IAM given, no change set */
} caps[] = {
	{"Resources: {A: {Type: 'AWS::Logs::LogGroup'}}", "[]", ""},
	{"Resources: {A: {Type: 'AWS::IAM::Role'}}", "[\"CAPABILITY_IAM\"]",
	    ""},
	{"Resources: {A: {Type: 'AWS::IAM::Role', Properties: {RoleName: x}}}",
	    "[\"CAPABILITY_NAMED_IAM\"]",
	    "Requires capabilities : [CAPABILITY_NAMED_IAM]"},
	{"Transform: AWS::LanguageExtensions\nResources: {'Fn::ForEach::L': "
	    "[N, [a], {'R${N}': {Type: 'AWS::IAM::Policy'}}]}",
	    "[\"CAPABILITY_IAM\",\"CAPABILITY_AUTO_EXPAND\"]",
	    "Requires capabilities : [CAPABILITY_AUTO_EXPAND]"},
};

static void
capability_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(caps); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct doc *given = doc_arr(a);
		struct cfn_error err = {SPAN_NULL};
		struct cfn_template *t;
		struct span why;

		doc_push_str(a, given, SPAN("CAPABILITY_IAM"));
		AZ(cfn_template_parse(a, span_of(caps[i].text), &t, &err));
		assert_string_equal(doc_json(a, cfn_capabilities(a, t, &why)).p,
		    caps[i].caps);
		assert_string_equal(arena_str(a, cfn_capabilities_missing(a, t,
		    given, false)), caps[i].missing);
	}
}

static void
summary(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct cfn_error err = {SPAN_NULL};
	struct cfn_template *t;

	(void)state;
	AZ(cfn_template_parse(a, SPAN("AWSTemplateFormatVersion: 2010-09-09\n"
	    "Description: d\nParameters:\n"
	    "  P: {Type: String, Default: x, AllowedValues: [x, y]}\n"
	    "  Q: {Type: String, Default: secret, NoEcho: true}\n"
	    "Resources: {G: {Type: 'AWS::Logs::LogGroup'}}\n"), &t, &err));
	assert_string_equal(doc_json(a, cfn_summary(a, t)).p,
	    "{\"Parameters\":[{\"ParameterKey\":\"P\",\"DefaultValue\":\"x\","
	    "\"ParameterType\":\"String\",\"NoEcho\":false,"
	    "\"ParameterConstraints\":{\"AllowedValues\":[\"x\",\"y\"]}},"
	    "{\"ParameterKey\":\"Q\",\"DefaultValue\":\"****\","
	    "\"ParameterType\":\"String\",\"NoEcho\":true,"
	    "\"ParameterConstraints\":{}}],\"Description\":\"d\","
	    "\"ResourceTypes\":[\"AWS::Logs::LogGroup\"],"
	    "\"ResourceIdentifierSummaries\":[{\"ResourceType\":"
	    "\"AWS::Logs::LogGroup\",\"LogicalResourceIds\":[\"G\"],"
	    "\"ResourceIdentifiers\":[\"LogGroupName\"]}],"
	    "\"Version\":\"2010-09-09\"}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_cases),
		cmocka_unit_test(lookups),
		cmocka_unit_test(capability_cases),
		cmocka_unit_test(summary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
