/* Templates from text to values: tables of cases. */
#include "base/test.h"
#include "cfn/template.h"

static void
smoke(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct cfn_error err = {SPAN_NULL};
	struct cfn_template *t;
	struct cfn_stack *s;
	struct doc *params, *d;
	struct cfn_env env = {.region = SPAN("us-east-1"),
	    .account = SPAN("123456789012"), .stack_name = SPAN("app")};

	(void)state;
	assert_int_equal(cfn_template_parse(a, SPAN(
	    "Parameters:\n  Days: {Type: Number, Default: 7}\n"
	    "Resources:\n"
	    "  Group:\n    Type: AWS::Logs::LogGroup\n    Properties:\n"
	    "      LogGroupName: !Sub '/app/${AWS::StackName}'\n"
	    "      RetentionInDays: !Ref Days\n"
	    "  Stream:\n    Type: AWS::Logs::LogStream\n    Properties:\n"
	    "      LogGroupName: !Ref Group\n"), &t, &err), 0);
	assert_int_equal(cfn_params(a, t, NULL, &params, &err), 0);
	env.params = params;
	assert_int_equal(cfn_stack_open(a, t, &env, &s, &err), 0);
	assert_int_equal(s->n, 2);
	assert_int_equal(s->resources[1].n_deps, 1);
	assert_int_equal(cfn_properties(a, s, 0, 0, &d, &err), 0);
	assert_string_equal(doc_json(a, d).p,
	    "{\"LogGroupName\":\"/app/app\",\"RetentionInDays\":\"7\"}");
	assert_int_equal(cfn_properties(a, s, 1, 0, &d, &err), CFN_E_UNKNOWN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(smoke),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
