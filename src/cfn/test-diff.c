/* Change sets: pairs of templates, and what AWS says of the difference. */
#include "base/test.h"
#include "cfn/diff.h"

static int
ref(void *ctx, struct arena *a, struct span id, struct doc **ret,
    struct cfn_error *err)
{
	(void)ctx, (void)err;
	*ret = doc_str(a, arena_fmt_span(a, "id-%.*s", SPAN_ARG(id)));
	return 0;
}

static int
attr(void *ctx, struct arena *a, struct span id, struct span name,
    struct doc **ret, struct cfn_error *err)
{
	(void)ctx, (void)err;
	*ret = doc_str(a, arena_fmt_span(a, "%.*s-%.*s", SPAN_ARG(id),
	    SPAN_ARG(name)));
	return 0;
}

static const struct cfn_lookup lookup = {.ref = ref, .attr = attr};

static struct cfn_stack *
open_stack(struct arena *a, const char *text, const char *given)
{
	struct cfn_env env = {.account = SPAN("123456789012"),
	    .region = SPAN("us-east-1"), .stack_name = SPAN("app"),
	    .stack_id = SPAN("arn:stack"), .lookup = &lookup};
	struct cfn_error err = {SPAN_NULL};
	struct cfn_template *t;
	struct cfn_stack *s;
	struct doc *values, *g;
	int r;

	AZ(doc_parse_json(a, span_of(given), &g));
	r = cfn_template_parse(a, span_of(text), &t, &err);
	if (!r)
		r = cfn_params(a, t, g, &values, &err);
	if (!r) {
		env.params = values;
		r = cfn_stack_open(a, t, &env, &s, &err);
	}
	if (r)
		print_error("%.*s\n", SPAN_ARG(err.text));
	AZ(r);
	return s;
}

#define PARAMS "Parameters: {N: {Type: String, Default: n1, NoEcho: true}, "   \
	"D: {Type: Number, Default: 1}}\n"
#define GROUP  "  G:\n    Type: AWS::Logs::LogGroup\n    Properties: "
#define STREAM                                                          \
	"\n  S:\n    Type: AWS::Logs::LogStream\n    Properties: "      \
	"{LogGroupName: !Ref G, LogStreamName: s}\n"

/* One line a change: action id replacement [scope] details */
static const struct {
	const char *before;
	const char *after;
	const char *given; /* parameters after */
	const char *want;
} cases[] = {
	{NULL, "Resources:\n" GROUP "{}" STREAM, "{}",
	    "Add G [] ; Add S []"},
	{"Resources:\n" GROUP "{}" STREAM, "Resources:\n" GROUP "{}", "{}",
	    "Remove S []"},
	{"Resources:\n" GROUP "{RetentionInDays: 1}",
	    "Resources:\n" GROUP "{RetentionInDays: '1'}", "{}", ""},
	{"Resources:\n" GROUP "{RetentionInDays: 1}" STREAM,
	    "Resources:\n" GROUP "{RetentionInDays: 3}" STREAM, "{}",
	    "Modify G False [Properties] "
	    "RetentionInDays/Static/DirectModification//Never"},
	{"Resources:\n" GROUP "{LogGroupName: a}" STREAM,
	    "Resources:\n" GROUP "{LogGroupName: b}" STREAM, "{}",
	    "Modify G True [Properties] "
	    "LogGroupName/Static/DirectModification//Always ; "
	    "Modify S Conditional [Properties] "
	    "LogGroupName/Dynamic/ResourceReference/G/Always"},
	{PARAMS "Resources:\n" GROUP "{RetentionInDays: !Ref D}",
	    PARAMS "Resources:\n" GROUP "{RetentionInDays: !Ref D}",
	    "{\"D\":\"7\"}", "Modify G False [Properties] "
	    "RetentionInDays/Static/ParameterReference/D/Never "
	    "RetentionInDays/Dynamic/DirectModification//Never"},
	/* A hidden value still counts. */
	{PARAMS "Resources:\n" GROUP "{LogGroupName: !Sub 'x-${N}'}",
	    PARAMS "Resources:\n" GROUP "{LogGroupName: !Sub 'x-${N}'}",
	    "{\"N\":\"n2\"}", "Modify G True [Properties] "
	    "LogGroupName/Static/ParameterReference/N/Always "
	    "LogGroupName/Dynamic/DirectModification//Always"},
	/* A parameter that is not used changes nothing. */
	{PARAMS "Resources:\n" GROUP "{}", PARAMS "Resources:\n" GROUP "{}",
	    "{\"D\":\"7\"}", ""},
	{"Resources:\n  R: {Type: AWS::IAM::Role, Properties: {RoleName: r, "
	    "AssumeRolePolicyDocument: {A: 1}, MaxSessionDuration: 3600}}\n"
	    "  P: {Type: AWS::SSM::Parameter, Properties: {Type: String, "
	    "Name: /p, Value: !GetAtt R.Arn}}\n",
	    "Resources:\n  R: {Type: AWS::IAM::Role, Properties: {RoleName: r, "
	    "AssumeRolePolicyDocument: {A: 2}, MaxSessionDuration: 3600}}\n"
	    "  P: {Type: AWS::SSM::Parameter, Properties: {Type: String, "
	    "Name: /p, Value: !GetAtt R.Arn}}\n", "{}",
	    "Modify P False [Properties] "
	    "Value/Dynamic/ResourceAttribute/R.Arn/Never ; "
	    "Modify R False [Properties] "
	    "AssumeRolePolicyDocument/Static/DirectModification//Never"},
	{"Resources:\n" GROUP "{}\n    Metadata: {A: 1}",
	    "Resources:\n" GROUP "{}\n    Metadata: {A: 2}\n"
	    "    DeletionPolicy: Retain", "{}",
	    "Modify G False [Metadata DeletionPolicy] "
	    "/Static/DirectModification//Never "
	    "/Static/DirectModification//Never"},
	{"Resources:\n" GROUP "{Tags: [{Key: a, Value: b}]}",
	    "Resources:\n" GROUP "{Tags: [{Key: a, Value: c}]}", "{}",
	    "Modify G False [Tags] /Static/DirectModification//Never"},
	{"Resources:\n  N: {Type: AWS::CloudFormation::Stack, Properties: "
	    "{TemplateURL: 'https://x'}}",
	    "Resources:\n  N: {Type: AWS::CloudFormation::Stack, Properties: "
	    "{TemplateURL: 'https://x'}}", "{}",
	    "Modify N False [Properties] /Dynamic/Automatic//Never"},
};

static void
line(struct buf *b, const struct doc *change)
{
	const struct doc *c = doc_get(change, "ResourceChange");
	const struct doc *t;
	const char *sep = "";

	buf_addf(b, "%s%.*s %.*s", b->n ? " ; " : "",
	    SPAN_ARG(doc_get_str(c, "Action")),
	    SPAN_ARG(doc_get_str(c, "LogicalResourceId")));
	if (doc_get(c, "Replacement"))
		buf_addf(b, " %.*s", SPAN_ARG(doc_get_str(c, "Replacement")));
	buf_add_str(b, " [");
	doc_each(s, doc_get(c, "Scope")) {
		buf_addf(b, "%s%.*s", sep, SPAN_ARG(doc_span(s)));
		sep = " ";
	}
	buf_add_str(b, "]");
	doc_each(d, doc_get(c, "Details")) {
		t = doc_get(d, "Target");
		buf_addf(b, " %.*s/%.*s/%.*s/%.*s/%.*s",
		    SPAN_ARG(doc_get_str(t, "Name")),
		    SPAN_ARG(doc_get_str(d, "Evaluation")),
		    SPAN_ARG(doc_get_str(d, "ChangeSource")),
		    SPAN_ARG(doc_get_str(d, "CausingEntity")),
		    SPAN_ARG(doc_get_str(t, "RequiresRecreation")));
	}
}

static void
diff_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		_cleanup_(buf_done) struct buf b = BUF_INIT;
		struct cfn_error err = {SPAN_NULL};
		struct cfn_diff in = {0};
		struct doc *changes;

		if (cases[i].before)
			in.before = open_stack(a, cases[i].before, "{}");
		in.after = open_stack(a, cases[i].after, cases[i].given);
		assert_int_equal(cfn_diff(a, &in, &changes, &err), 0);
		doc_each(c, changes)
			line(&b, c);
		assert_string_equal(buf_str(&b), cases[i].want);
	}
}

static void
values(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct cfn_error err = {SPAN_NULL};
	struct cfn_diff in = {.values = true};
	struct doc *changes, *c, *physical = doc_obj(a);

	(void)state;
	doc_set_str(a, physical, "G", SPAN("group-1"));
	in.physical = physical;
	in.before = open_stack(a, PARAMS "Resources:\n" GROUP
	    "{LogGroupName: !Ref N, RetentionInDays: 1}", "{}");
	in.after = open_stack(a, PARAMS "Resources:\n" GROUP
	    "{LogGroupName: !Ref N, RetentionInDays: 3}" STREAM, "{}");
	assert_int_equal(cfn_diff(a, &in, &changes, &err), 0);
	assert_int_equal(doc_len(changes), 2);
	c = doc_get(doc_at(changes, 0), "ResourceChange");
	assert_true(span_is(doc_get_str(c, "PhysicalResourceId"), "group-1"));
	assert_true(span_is(doc_get_str(c, "BeforeContext"),
	    "{\"Properties\":{\"LogGroupName\":\"****\",\"RetentionInDays\":1}}"));
	assert_string_equal(doc_json(a, doc_at(doc_get(c, "Details"), 0)).p,
	    "{\"Target\":{\"Attribute\":\"Properties\","
	    "\"RequiresRecreation\":\"Never\",\"Name\":\"RetentionInDays\","
	    "\"Path\":\"/Properties/RetentionInDays\","
	    "\"AttributeChangeType\":\"Modify\",\"BeforeValue\":\"1\","
	    "\"AfterValue\":\"3\"},\"Evaluation\":\"Static\","
	    "\"ChangeSource\":\"DirectModification\"}");
	c = doc_get(doc_at(changes, 1), "ResourceChange");
	assert_true(span_is(doc_get_str(c, "AfterContext"), "{\"Properties\":"
	    "{\"LogGroupName\":\"id-G\",\"LogStreamName\":\"s\"}}"));
}

static void
stack_tags(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct cfn_error err = {SPAN_NULL};
	struct cfn_diff in = {0};
	struct doc *changes, *tags;

	(void)state;
	AZ(doc_parse_json(a, SPAN("[{\"Key\":\"k\",\"Value\":\"v\"}]"), &tags));
	in.tags_after = tags;
	in.before = open_stack(a, "Resources:\n" GROUP "{}" STREAM, "{}");
	in.after = open_stack(a, "Resources:\n" GROUP "{}" STREAM, "{}");
	assert_int_equal(cfn_diff(a, &in, &changes, &err), 0);
	doc_each(c, changes)
		line(&b, c);
	/* Log streams take no tags. */
	assert_string_equal(buf_str(&b),
	    "Modify G False [Tags] /Static/DirectModification//Never");
}

static void
other_type(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct cfn_error err = {SPAN_NULL};
	struct cfn_diff in = {0};
	struct doc *changes;

	(void)state;
	in.before = open_stack(a, "Resources: {A: {Type: X}}", "{}");
	in.after = open_stack(a, "Resources: {A: {Type: Y}}", "{}");
	assert_int_equal(cfn_diff(a, &in, &changes, &err), CFN_E_INVALID);
	assert_string_equal(err.text.p, "Update of resource type is not "
	    "permitted. The new template modifies resource type of the "
	    "following resources: [A]");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(diff_cases),
		cmocka_unit_test(values),
		cmocka_unit_test(stack_tags),
		cmocka_unit_test(other_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
