/* Stack policies: their form, and what they allow. */
#include "base/test.h"

#include "cfn/stack-policy.h"

#define ALL "{'Effect':'Allow','Principal':'*','Action':'Update:*'," \
	"'Resource':'*'}"
#define DENY(action, resource) "{'Effect':'Deny','Principal':'*','Action':" \
	action ",'Resource':" resource "}"

static struct span
json(struct arena *a, const char *text)
{
	char *s = arena_str(a, span_of(text));

	for (char *p = s; *p; p++)
		if (*p == '\'')
			*p = '"';
	return span_of(s);
}

static const char *const bad[] = {
	"", "[]", "{}", "{'Statement':{}}", "{'Statement':[1]}",
	"{'Statement':[{}]}",
	"{'Statement':[{'Effect':'Maybe','Principal':'*','Action':'Update:*',"
	    "'Resource':'*'}]}",
	"{'Statement':[{'Effect':'Allow','Action':'Update:*','Resource':'*'}]}",
	"{'Statement':[{'Effect':'Allow','Principal':'*','Resource':'*'}]}",
	"{'Statement':[{'Effect':'Allow','Principal':'*','Action':'Update:*',"
	    "'NotAction':'x','Resource':'*'}]}",
	"{'Statement':[{'Effect':'Allow','Principal':'*','Action':[],"
	    "'Resource':'*'}]}",
	"{'Statement':[{'Effect':'Allow','Principal':'*','Action':'Update:*',"
	    "'Resource':'*','Condition':{'Bool':{}}}]}",
	"{'Statement':[{'Effect':'Allow','Principal':'*','Action':'Update:*',"
	    "'Resource':'*','Other':1}]}",
};

static const struct row {
	const char *statements, *action, *logical, *type;
	bool allowed;
} rows[] = {
	{ALL, "Update:Modify", "A", "T", true},
	{"", "Update:Modify", "A", "T", false},
	{ALL "," DENY("'Update:*'", "'LogicalResourceId/A'"), "Update:Delete",
	    "A", "T", false},
	{ALL "," DENY("'Update:*'", "'LogicalResourceId/A'"), "Update:Delete",
	    "AB", "T", true},
	{ALL "," DENY("'Update:*'", "'LogicalResourceId/A*'"), "Update:Delete",
	    "AB", "T", false},
	{ALL "," DENY("['Update:Replace','Update:Delete']", "['x','*']"),
	    "Update:Modify", "A", "T", true},
	{ALL "," DENY("['Update:Replace','Update:Delete']", "['x','*']"),
	    "Update:Replace", "A", "T", false},
	{"{'Effect':'Allow','Principal':'*','NotAction':'Update:Delete',"
	    "'Resource':'*'}", "Update:Replace", "A", "T", true},
	{"{'Effect':'Allow','Principal':'*','NotAction':'Update:Delete',"
	    "'Resource':'*'}", "Update:Delete", "A", "T", false},
	{"{'Effect':'Allow','Principal':'*','Action':'Update:*',"
	    "'NotResource':'LogicalResourceId/A'}", "Update:Modify", "A", "T",
	    false},
	{ALL ",{'Effect':'Deny','Principal':'*','Action':'Update:*',"
	    "'Resource':'*','Condition':{'StringEquals':{'ResourceType':"
	    "['AWS::EC2::VPC']}}}", "Update:Modify", "A", "AWS::EC2::VPC",
	    false},
	{ALL ",{'Effect':'Deny','Principal':'*','Action':'Update:*',"
	    "'Resource':'*','Condition':{'StringLike':{'ResourceType':"
	    "'AWS::EC2::*'}}}", "Update:Modify", "A", "AWS::ECS::Service",
	    true},
};

static void
test_form(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct cfn_error err;
	struct doc *d;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (cfn_stack_policy_parse(a, json(a, bad[i]), &d, &err) !=
		    CFN_E_INVALID)
			fail_msg("taken: %s", bad[i]);
}

static void
test_decisions(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct cfn_error err;
	struct span why;
	struct doc *d;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *r = &rows[i];

		assert_int_equal(cfn_stack_policy_parse(a, json(a, arena_fmt(a,
		    "{'Statement':[%s]}", r->statements)), &d, &err), 0);
		if (cfn_stack_policy_allows(a, d, r->action,
			span_of(r->logical), span_of(r->type), &why) !=
		    r->allowed)
			fail_msg("%s: %s %s", r->statements, r->action,
			    r->logical);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_decisions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
