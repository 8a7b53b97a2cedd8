/* Templates from text to values: tables of cases. */
#include "base/test.h"
#include "cfn/template.h"

#define RES "Resources: {A: {Type: 'AWS::Logs::LogGroup'}}"

static const struct {
	const char *text;
	const char *error; /* NULL: fine */
} parses[] = {
	{RES, NULL},
	{"", "Template format error: unsupported structure."},
	{"- a", "Template format error: unsupported structure."},
	{"{\"Resources\": \n  {,}}",
	    "Template format error: JSON not well-formed. (line 2, column 4)"},
	{"Resources:\n  A: [1\n  B: 2",
	    "Template format error: YAML not well-formed. (line 3, column 4)"},
	{"A: &x 1\nB: *x", "Template format error: YAML aliases are not "
	    "allowed in CloudFormation templates"},
	{"Foo: 1\nBar: 2\n" RES,
	    "Invalid template property or properties [Foo, Bar]"},
	{"Resources: {}", "Template format error: At least one Resources "
	    "member must be defined."},
	{"Outputs: {}", "Template format error: At least one Resources "
	    "member must be defined."},
	{"{\"Resources\": {\"A\": {\"Type\": \"X\"}, \"A\": {\"Type\": \"Y\"}}}",
	    "Template format error: duplicate key 'A'"},
	{"Resources:\n  A: {Type: X}\n  A: {Type: Y}\n", "Template format "
	    "error: duplicate key 'A' (line 3, column 3)"},
	{"Resources: {A: {Type: X, Properties: {P: [!Ref AB, !Ref B, !Ref "
	    "B]}}}", "Template format error: Unresolved resource dependencies "
	    "[AB, B] in the Resources block of the template"},
	{"AWSTemplateFormatVersion: 2010-09-09\n" RES, NULL},
	{"AWSTemplateFormatVersion: 2011-09-09\n" RES, "Template format "
	    "error: unsupported value for AWSTemplateFormatVersion."},
	{"Resources: {A: {}}", "Template format error: [/Resources/A] Every "
	    "Resources object must contain a Type member."},
	{"Resources: {A: {Type: X, Invalid: 1}}",
	    "Invalid template resource property 'Invalid'"},
	{"Resources: {A-B: {Type: X}}",
	    "Template format error: Resource name A-B is non alphanumeric."},
	{"Resources: {A: {Type: X, Properties: {B: null}}}",
	    "[/Resources/A/Properties/B] 'null' values are not allowed in "
	    "templates"},
	{RES "\nOutputs: {O: {Value: }}",
	    "[/Outputs/O/Value] 'null' values are not allowed in templates"},
	{RES "\nOutputs: {O: {Description: x}}", "Template format error: "
	    "Every Outputs member must contain a Value object"},
	{RES "\nOutputs: {O: {Value: !Ref B}}", "Template format error: "
	    "Unresolved resource dependencies [B] in the Outputs block of the "
	    "template"},
	{"Resources: {A: {Type: X, DependsOn: B, Properties: {P: !Sub '${C}'}}}",
	    "Template format error: Unresolved resource dependencies [B, C] "
	    "in the Resources block of the template"},
	{"Resources: {A: {Type: X, Properties: {P: !GetAtt B.Arn}}}",
	    "Template error: instance of Fn::GetAtt references undefined "
	    "resource B"},
	{RES "\nOutputs: {O: {Value: !GetAtt A.Foo}}", "Template error: "
	    "resource A does not support attribute type Foo in Fn::GetAtt"},
	{RES "\nOutputs: {O: {Value: !GetAtt A.Arn}}", NULL},
	{RES "\nConditions: {C: !Equals [!Ref A, x]}", "Template format "
	    "error: Unresolved dependencies [A]. Cannot reference resources "
	    "in the Conditions block of the template"},
	{RES "\nConditions: {C: !Not [!Condition D]}", "Template format "
	    "error: Unresolved condition dependency D in the Conditions block "
	    "of the template"},
	{"Resources: {A: {Type: X, Condition: C}}", "Template format error: "
	    "Unresolved condition dependency C in the Resources block of the "
	    "template"},
	{"Resources: {A: {Type: X, Properties: {P: !If [C, 1, 2]}}}",
	    "Template error: unresolved condition dependency C in Fn::If"},
	{RES "\nMappings: {A: B}",
	    "Template format error: Every Mappings member A must be a map"},
	{RES "\nMappings: {A: {B: {C: {D: 1}}}}", "Template format error: "
	    "Every Mappings attribute must be a String or a List."},
	{RES "\nParameters: {P: {Default: 1}}", "Template format error: "
	    "Every Parameters object must contain a Type member."},
	{RES "\nParameters: {P: {Type: Text}}",
	    "Template format error: Unrecognized parameter type: Text"},
	{RES "\nParameters: {P: {Type: String, X: 1}}",
	    "Invalid template parameter property 'X'"},
	{RES "\nParameters: {P: {Type: String, AllowedValues: a}}", "Template "
	    "format error: Every AllowedValues member must be a list."},
	{RES "\nParameters: {P: {Type: "
	    "'AWS::SSM::Parameter::Value<List<AWS::EC2::Subnet::Id>>'}}", NULL},
	{RES "\nTransform: AWS::Serverless-2016-10-31",
	    "Transform AWS::Serverless-2016-10-31 is not supported."},
	{RES "\nTransform: [Mine]", "No transform named Mine found."},
	{RES "\nTransform: AWS::LanguageExtensions", NULL},
	{"Resources: {A: {Type: X, Properties: {P: !Sub '${A b}'}}}",
	    "Template error: variable names in Fn::Sub syntax must contain "
	    "only alphanumeric characters, underscores, periods, and colons"},
	{RES "\nOutputs: {O: {Value: 1, Export: {Name: !Ref A}}}", "Template "
	    "format error: Output O is malformed. The Name field of every "
	    "Export member must be specified and consist only of alphanumeric "
	    "characters, colons, or hyphens."},
	{"Resources: {A: {Type: X, Properties: {P: {'Fn::ImportValue': !Ref "
	    "A}}}}", "Template error: the attribute in Fn::ImportValue must "
	    "not depend on any resources, imported values, or Fn::GetAZs"},
	{"Resources: {A: {Type: X, DeletionPolicy: Keep}}", "Template format "
	    "error: Unrecognized DeletionPolicy Keep for resource A"},
	/* A condition of IAM is no condition of ours. */
	{"Resources: {A: {Type: X, Properties: {P: [{Condition: Mine}]}}}",
	    NULL},
};

static void
parse_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(parses); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct cfn_error err = {SPAN_NULL};
		struct cfn_template *t;
		int r = cfn_template_parse(a, span_of(parses[i].text), &t,
		    &err);

		if (parses[i].error) {
			assert_int_equal(r, CFN_E_INVALID);
			assert_string_equal(err.text.p, parses[i].error);
		} else {
			if (r)
				print_error("%s: %s\n", parses[i].text,
				    err.text.p);
			assert_int_equal(r, 0);
		}
	}
}

static const struct {
	const char *yaml;
	const char *json;
} scalars[] = {
	{"yes", "true"}, {"No", "false"}, {"on", "true"}, {"y", "\"y\""},
	{"7", "7"}, {"-7", "-7"}, {"007", "7"}, {"0644", "420"},
	{"0x1F", "31"}, {"012345678901", "\"012345678901\""},
	{"1.5", "1.5"}, {"10.0.0.1", "\"10.0.0.1\""}, {"1e3", "\"1e3\""},
	{"2012-10-17", "\"2012-10-17\""}, {"80:80", "\"80:80\""},
	{"'yes'", "\"yes\""}, {"\"7\"", "\"7\""}, {"~", "null"},
	{"10.0.0.0/16", "\"10.0.0.0/16\""}, {"| \n  a\n  b\n", "\"a\\nb\\n\""},
	{"!Ref yes", "{\"Ref\":\"yes\"}"},
	{"!GetAtt A.B.C", "{\"Fn::GetAtt\":[\"A\",\"B.C\"]}"},
	{"!GetAtt [A, B]", "{\"Fn::GetAtt\":[\"A\",\"B\"]}"},
	{"!Base64 {'Fn::Sub': x}", "{\"Fn::Base64\":{\"Fn::Sub\":\"x\"}}"},
	{"!Join ['', [!Ref A, b]]",
	    "{\"Fn::Join\":[\"\",[{\"Ref\":\"A\"},\"b\"]]}"},
	{"!Condition C", "{\"Condition\":\"C\"}"},
	{"!!str 7", "\"7\""},
};

static void
scalar_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scalars); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct cfn_error err = {SPAN_NULL};
		struct doc *d;

		assert_int_equal(cfn_text_parse(a, arena_fmt_span(a, "K: %s",
		    scalars[i].yaml), &d, &err), 0);
		assert_string_equal(doc_json(a, doc_get(d, "K")).p,
		    scalars[i].json);
	}
}

static const struct {
	const char *parameter; /* the declaration of P */
	const char *given;     /* JSON object */
	const char *error;     /* or the value of P */
	bool ok;
} params[] = {
	{"{Type: String, Default: x}", "{}", "x", true},
	{"{Type: String, Default: x}", "{\"P\":\"\"}", "", true},
	{"{Type: String}", "{}", "Parameters: [P] must have values", false},
	{"{Type: String}", "{\"P\":\"1\",\"Q\":\"1\",\"R\":\"\"}",
	    "Parameters: [Q, R] do not exist in the template", false},
	{"{Type: Number}", "{\"P\":\"1.5\"}", "1.5", true},
	{"{Type: Number}", "{\"P\":\"x\"}", "Parameter 'P' must be a number.",
	    false},
	{"{Type: Number, MinValue: 2}", "{\"P\":\"1\"}",
	    "Parameter 'P' must be a number not less than 2", false},
	{"{Type: Number, MaxValue: 2}", "{\"P\":\"3\"}",
	    "Parameter 'P' must be a number not greater than 2", false},
	{"{Type: String, MinLength: 3}", "{\"P\":\"ab\"}",
	    "Parameter 'P' must contain at least 3 characters", false},
	{"{Type: String, MaxLength: 1}", "{\"P\":\"ab\"}",
	    "Parameter 'P' must contain at most 1 characters", false},
	{"{Type: String, AllowedValues: [a, 1]}", "{\"P\":\"1\"}", "1", true},
	{"{Type: String, AllowedValues: [a, b]}", "{\"P\":\"c\"}",
	    "Parameter 'P' must be one of AllowedValues", false},
	{"{Type: String, AllowedValues: [Yes, No], Default: 'No'}", "{}",
	    "Parameter 'P' must be one of AllowedValues", false},
	{"{Type: String, AllowedPattern: '[a-z]+'}", "{\"P\":\"a1\"}",
	    "Parameter 'P' must match pattern [a-z]+", false},
	{"{Type: String, AllowedPattern: '[a-z]+', ConstraintDescription: be "
	    "good}", "{\"P\":\"a1\"}",
	    "Parameter P failed to satisfy constraint: be good", false},
	{"{Type: CommaDelimitedList, AllowedValues: [a, b]}",
	    "{\"P\":\"a, b\"}", "a, b", true},
	{"{Type: CommaDelimitedList, AllowedValues: [a, b]}",
	    "{\"P\":\"a,c\"}", "Parameter 'P' must be one of AllowedValues",
	    false},
	{"{Type: List<Number>}", "{\"P\":\"1,x\"}",
	    "Parameter 'P' must be a list of numbers.", false},
};

static void
param_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(params); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct cfn_error err = {SPAN_NULL};
		struct cfn_template *t;
		struct doc *given, *values;
		int r;

		AZ(cfn_template_parse(a, arena_fmt_span(a,
		    "Parameters: {P: %s}\n" RES, params[i].parameter), &t,
		    &err));
		AZ(doc_parse_json(a, span_of(params[i].given), &given));
		r = cfn_params(a, t, given, &values, &err);
		assert_int_equal(r, params[i].ok ? 0 : CFN_E_INVALID);
		assert_string_equal(arena_str(a, params[i].ok ?
		    doc_get_str(values, "P") : err.text), params[i].error);
	}
}

/* A stack in which most things can be referred to */

static int
ref(void *ctx, struct arena *a, struct span id, struct doc **ret,
    struct cfn_error *err)
{
	(void)ctx, (void)err;
	if (!span_is(id, "Made"))
		return CFN_E_UNKNOWN;
	*ret = doc_str(a, SPAN("made-1"));
	return 0;
}

static int
attr(void *ctx, struct arena *a, struct span id, struct span name,
    struct doc **ret, struct cfn_error *err)
{
	(void)ctx, (void)err;
	if (!span_is(id, "Made"))
		return CFN_E_UNKNOWN;
	*ret = doc_str(a, arena_fmt_span(a, "made-1.%.*s", SPAN_ARG(name)));
	return 0;
}

static int
zones(void *ctx, struct arena *a, struct span region, struct doc **ret,
    struct cfn_error *err)
{
	struct doc *list = doc_arr(a);

	(void)ctx, (void)err;
	for (const char *z = "abc"; *z; z++)
		doc_push(list, doc_str(a, arena_fmt_span(a, "%.*s%c",
		    SPAN_ARG(region), *z)));
	*ret = list;
	return 0;
}

static int
import(void *ctx, struct arena *a, struct span name, struct span *ret,
    struct cfn_error *err)
{
	(void)ctx, (void)a, (void)err;
	if (!span_is(name, "net-VpcId"))
		return CFN_E_UNKNOWN;
	*ret = SPAN("vpc-1");
	return 0;
}

static int
dynamic(void *ctx, struct arena *a, const struct cfn_dynamic *d,
    struct span *ret, struct cfn_error *err)
{
	(void)ctx, (void)err;
	*ret = arena_fmt_span(a, "<%d|%.*s|%.*s|%.*s|%.*s>", d->service,
	    SPAN_ARG(d->name), SPAN_ARG(d->version), SPAN_ARG(d->stage),
	    SPAN_ARG(d->json_key));
	return 0;
}

static const struct cfn_lookup lookup = {ref, attr, zones, import, dynamic};

#define STACK                                                           \
	"Transform: AWS::LanguageExtensions\n"                          \
	"Parameters:\n"                                                 \
	"  Env: {Type: String, Default: prod}\n"                        \
	"  Secret: {Type: String, NoEcho: true, Default: s3cret}\n"     \
	"  List: {Type: CommaDelimitedList, Default: 'x, y,z'}\n"       \
	"  None: {Type: CommaDelimitedList, Default: ''}\n"             \
	"  Num: {Type: Number, Default: 80}\n"                          \
	"  Image: {Type: 'AWS::SSM::Parameter::Value<String>', "        \
	"Default: /img}\n"                                              \
	"Mappings:\n  M: {prod: {Size: 2, L: [a, b]}}\n"                \
	"Conditions:\n  Prod: !Equals [!Ref Env, prod]\n"               \
	"  NotProd: !Not [!Condition Prod]\n"                           \
	"  Both: !And [!Condition Prod, !Condition NotProd]\n"          \
	"  Any: !Or [{Condition: Prod}, {Condition: NotProd}]\n"        \
	"  Eighty: !Equals [!Ref Num, 80]\n"                            \
	"Resources:\n"                                                  \
	"  Made: {Type: 'X::Y::Z'}\n"                                   \
	"  New: {Type: 'X::Y::Z'}\n"                                    \
	"  Dead: {Type: 'X::Y::Z', Condition: NotProd, Properties: "    \
	"{P: !Ref New}}\n"

static struct cfn_stack *
open_stack(struct arena *a, const char *text, struct cfn_error *err)
{
	struct cfn_env env = {.account = SPAN("123456789012"),
	    .region = SPAN("us-east-1"), .stack_name = SPAN("app"),
	    .lookup = &lookup};
	struct cfn_template *t;
	struct cfn_stack *s;
	struct doc *values, *resolved = doc_obj(a);

	doc_set_str(a, resolved, "Image", SPAN("nginx"));
	env.resolved = resolved;
	if (cfn_template_parse(a, span_of(text), &t, err) ||
	    cfn_params(a, t, NULL, &values, err))
		return NULL;
	env.params = values;
	return cfn_stack_open(a, t, &env, &s, err) ? NULL : s;
}

static const struct {
	const char *value;
	const char *want; /* JSON; "?" unknown; "-" NoValue; or the error */
	int flags;
} evals[] = {
	{"!Ref Env", "\"prod\"", 0},
	{"!Ref Secret", "\"s3cret\"", 0},
	{"!Ref Secret", "\"****\"", CFN_SHOW},
	{"!Ref Secret", "\"s3cret\"", CFN_PLAN},
	{"!Ref List", "[\"x\",\"y\",\"z\"]", 0},
	{"!Ref None", "[\"\"]", 0},
	{"!Ref Image", "\"nginx\"", 0},
	{"!Ref AWS::Region", "\"us-east-1\"", 0},
	{"!Ref AWS::URLSuffix", "\"amazonaws.com\"", 0},
	{"!Ref AWS::Partition", "\"aws\"", 0},
	{"!Ref AWS::NotificationARNs", "[]", 0},
	{"!Ref AWS::NoValue", "-", 0},
	{"[1, !Ref AWS::NoValue, {a: !Ref AWS::NoValue, b: 2}]",
	    "[1,{\"b\":2}]", 0},
	{"!Ref AWS::StackId", "?", 0},
	{"!Ref Made", "\"made-1\"", 0},
	{"!Ref New", "?", 0},
	{"!Ref New", "\"" CFN_AFTER_APPLY "\"", CFN_SHOW},
	{"!Ref Dead", "Template format error: Unresolved resource dependencies "
	    "[Dead] in the Resources block of the template", 0},
	{"!GetAtt Made.Arn", "\"made-1.Arn\"", 0},
	{"!GetAtt Made.Outputs.X", "\"made-1.Outputs.X\"", 0},
	{"'Fn::GetAtt': [Made, !Sub '${Env}']", "\"made-1.prod\"", 0},
	{"!GetAtt New.Arn", "?", 0},
	{"!GetAtt New.SecretAccessKey", "?", 0},
	{"!GetAtt New.SecretAccessKey", "\"****\"", CFN_SHOW},
	{"!Sub 'x${New.SecretAccessKey}'", "\"x****\"", CFN_SHOW},
	{"!Sub 'a-${Env}-${AWS::Region}-${!Env}-${Made}-${Made.Id}'",
	    "\"a-prod-us-east-1-${Env}-made-1-made-1.Id\"", 0},
	{"!Sub ['${A}${Num}', {A: !Ref Env}]", "\"prod80\"", 0},
	{"!Sub '${New}x'", "?", 0},
	{"!Sub '${New}x'", "\"" CFN_AFTER_APPLY "\"", CFN_SHOW},
	{"!Sub '${List}'", "Template error: Fn::Sub expression does not "
	    "resolve to a string", 0},
	{"!Sub 'no $ or } {'", "\"no $ or } {\"", 0},
	{"!Join ['-', [a, !Ref Env, 1, true]]", "\"a-prod-1-true\"", 0},
	{"!Join [',', !Ref List]", "\"x,y,z\"", 0},
	{"!Join ['', [a, !Ref AWS::NoValue, b]]", "\"ab\"", 0},
	{"!Join [a]", "Template error: every Fn::Join object requires two "
	    "parameters, (1) a string delimiter and (2) a list of strings to "
	    "be joined or a function that returns a list of strings (such as "
	    "Fn::GetAZs) to be joined.", 0},
	{"!Split [',', 'a,b,,c']", "[\"a\",\"b\",\"\",\"c\"]", 0},
	{"!Select [1, !Split ['|', 'a|b']]", "\"b\"", 0},
	{"!Select ['0', !GetAZs '']", "\"us-east-1a\"", 0},
	{"!Select [9, [a]]", "Template error: Fn::Select cannot select "
	    "nonexistent value at index 9", 0},
	{"!FindInMap [M, !Ref Env, Size]", "2", 0},
	{"!FindInMap [M, prod, L]", "[\"a\",\"b\"]", 0},
	{"!FindInMap [M, dev, Size]",
	    "Template error: Unable to get mapping for M::dev::Size", 0},
	{"!FindInMap [N, dev, Size]", "Template error: Mapping named 'N' is "
	    "not present in the 'Mappings' section of template.", 0},
	{"!FindInMap [M, dev, Size, {DefaultValue: !Ref Num}]", "\"80\"", 0},
	{"!Base64 abc", "\"YWJj\"", 0},
	{"!Base64 {'Fn::Sub': '${Env}'}", "\"cHJvZA==\"", 0},
	{"!Cidr ['10.0.0.0/22', 3, 8]",
	    "[\"10.0.0.0/24\",\"10.0.1.0/24\",\"10.0.2.0/24\"]", 0},
	{"!Cidr ['10.0.0.0/24', 3, 8]", "Template error: Fn::Cidr cannot fit "
	    "as many blocks of that size into the given one", 0},
	{"!GetAZs eu-west-1",
	    "[\"eu-west-1a\",\"eu-west-1b\",\"eu-west-1c\"]", 0},
	{"!ImportValue net-VpcId", "\"vpc-1\"", 0},
	{"'Fn::ImportValue': !Sub 'net-${X}'", "Template format error: "
	    "Unresolved resource dependencies [X] in the Resources block of "
	    "the template", 0},
	{"!ImportValue nothing", "No export named nothing found", 0},
	{"!If [Prod, yes, no]", "true", 0},
	{"!If [NotProd, 1, !If [Both, 2, 3]]", "3", 0},
	{"!If [Prod, !Ref AWS::NoValue, 1]", "-", 0},
	{"!If [Any, !If [Eighty, ok, bad], bad]", "\"ok\"", 0},
	{"!If [Nope, 1, 2]",
	    "Template error: unresolved condition dependency Nope in Fn::If",
	    0},
	{"'Fn::Length': !Ref List", "3", 0},
	{"'Fn::ToJsonString': {a: !Ref Env, b: [1]}",
	    "\"{\\\"a\\\":\\\"prod\\\",\\\"b\\\":[1]}\"", 0},
	{"'Fn::Foo': 1", "Template format error: Encountered unsupported "
	    "function: Fn::Foo Supported functions are: [Fn::Base64, "
	    "Fn::GetAtt, Fn::GetAZs, Fn::ImportValue, Fn::Join, Fn::Split, "
	    "Fn::FindInMap, Fn::Select, Ref, Fn::Equals, Fn::If, Fn::Not, "
	    "Condition, Fn::And, Fn::Or, Fn::Contains, Fn::EachMemberEquals, "
	    "Fn::EachMemberIn, Fn::ValueOf, Fn::ValueOfAll, Fn::RefAll, "
	    "Fn::Sub, Fn::Cidr]", 0},
	{"'Fn::Transform': {Name: 'AWS::Include'}",
	    "Transform AWS::Include is not supported.", 0},
	{"'{{resolve:ssm:/a/b:3}}'", "\"<0|/a/b|3||>\"", 0},
	{"'x{{resolve:ssm-secure:/p}}y{{resolve:ssm:q}}'",
	    "\"x<1|/p|||>y<0|q|||>\"", 0},
	{"'{{resolve:secretsmanager:db:SecretString:pw:AWSCURRENT:v1}}'",
	    "\"<2|db|v1|AWSCURRENT|pw>\"", 0},
	{"'{{resolve:secretsmanager:arn:aws:secretsmanager:us-east-1:1:secret:"
	    "db-AbC:SecretString:pw::}}'",
	    "\"<2|arn:aws:secretsmanager:us-east-1:1:secret:db-AbC|||pw>\"", 0},
	{"!Sub '{{resolve:ssm:/${Env}/x}}'", "\"<0|/prod/x|||>\"", 0},
	{"!Join ['', ['{{resolve:ssm:', !Ref Made, ':1}}']]",
	    "\"<0|made-1|1||>\"", 0},
	{"'{{resolve:ssm:/a}}'", "\"{{resolve:ssm:/a}}\"", CFN_SHOW},
	{"'{{resolve:vault:x}}'",
	    "Invalid dynamic reference {{resolve:vault:x}}", 0},
};

static void
eval_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(evals); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct cfn_error err = {SPAN_NULL};
		const char *got;
		struct doc *d = NULL, *v;
		struct cfn_stack *s;
		bool plain = evals[i].value[0] == '!' ||
		    evals[i].value[0] == '[' ||
		    !strncmp(evals[i].value, "'{{", 3) ||
		    evals[i].value[1] == 'x';
		int r;

		s = open_stack(a, STACK, &err);
		if (!s)
			print_error("%s\n", err.text.p);
		assert_non_null(s);
		AZ(cfn_text_parse(a, arena_fmt_span(a, "K: %s%s%s",
		    plain ? "" : "{", evals[i].value, plain ? "" : "}"), &v,
		    &err));
		r = cfn_eval(a, s, doc_get(v, "K"), evals[i].flags, &d, &err);
		got = r == CFN_E_UNKNOWN ? "?" : r ? arena_str(a, err.text) :
		    d ? doc_json(a, d).p : "-";
		assert_string_equal(got, evals[i].want);
	}
}

static const struct {
	const char *text;
	const char *order; /* ids, or the error */
} graphs[] = {
	{"Resources:\n  A: {Type: X, Properties: {P: !Ref B}}\n"
	    "  B: {Type: X, Properties: {P: !GetAtt C.Arn}}\n"
	    "  C: {Type: X}\n", "C B A"},
	{"Resources:\n  A: {Type: X, DependsOn: [B, C]}\n"
	    "  B: {Type: X, Metadata: {M: !Sub '${C}'}}\n"
	    "  C: {Type: X}\n", "C B A"},
	{"Resources:\n  B: {Type: X, Properties: {P: !Ref A}}\n"
	    "  A: {Type: X, DependsOn: B}\n  C: {Type: X, DependsOn: A}\n",
	    "Circular dependency between resources: [A, B]"},
	{"Resources:\n  A: {Type: X, Properties: {P: !Ref A}}\n",
	    "Circular dependency between resources: [A]"},
	{"Conditions: {Off1: !Equals [a, b]}\nResources:\n"
	    "  A: {Type: X, DependsOn: B, Properties: {P: !If [Off1, !Ref B, x]}}"
	    "\n  B: {Type: X, Condition: Off1, Properties: {P: !Ref A}}\n", "A"},
	{"Conditions: {Off1: !Equals [a, b]}\nResources:\n"
	    "  A: {Type: X, Properties: {P: !Ref B}}\n"
	    "  B: {Type: X, Condition: Off1}\n", "Template format error: "
	    "Unresolved resource dependencies [B] in the Resources block of "
	    "the template"},
	{"Conditions: {A: !Not [!Condition B], B: !Not [!Condition A]}\n"
	    "Resources: {R: {Type: X}}", "Template format error: Circular "
	    "dependency between conditions"},
	{"Transform: AWS::LanguageExtensions\nResources:\n"
	    "  'Fn::ForEach::L':\n  - N\n  - [a, b.c]\n"
	    "  - 'Q&{N}': {Type: X, Properties: {Name: !Sub '${N}', "
	    "R: !Ref N}}\n"
	    "  Z: {Type: X, DependsOn: Qbc}\n", "Qa Qbc Z"},
	{"Parameters: {E: {Type: String, Default: dev}}\n"
	    "Rules:\n  Prod:\n    RuleCondition: !Equals [!Ref E, dev]\n"
	    "    Assertions:\n"
	    "    - Assert: {'Fn::Contains': [[a, b], !Ref E]}\n"
	    "      AssertDescription: only a and b\n" RES,
	    "Template error: Assertion failed for rule Prod: only a and b"},
};

static void
graph_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(graphs); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		_cleanup_(buf_done) struct buf b = BUF_INIT;
		struct cfn_error err = {SPAN_NULL};
		struct cfn_stack *s = open_stack(a, graphs[i].text, &err);

		for (size_t k = 0; s && k < s->n; k++)
			buf_addf(&b, "%s%.*s", k ? " " : "",
			    SPAN_ARG(s->resources[s->order[k]].id));
		assert_string_equal(s ? buf_str(&b) : arena_str(a, err.text),
		    graphs[i].order);
	}
}

/* Made in waves, and taken down the other way round. */
static void
waves(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct cfn_error err = {SPAN_NULL};
	struct cfn_stack *s = open_stack(a, "Resources:\n"
	    "  A: {Type: X}\n  B: {Type: X}\n"
	    "  C: {Type: X, DependsOn: [A, B]}\n", &err);
	bool done[3] = {false};

	(void)state;
	assert_true(cfn_ready(s, 0, done));
	assert_true(cfn_ready(s, 1, done));
	assert_false(cfn_ready(s, 2, done));
	assert_false(cfn_deletable(s, 0, done));
	assert_true(cfn_deletable(s, 2, done));
	done[0] = true;
	assert_false(cfn_ready(s, 2, done));
	done[1] = true;
	assert_true(cfn_ready(s, 2, done));
	memset(done, 0, sizeof(done));
	done[2] = true;
	assert_true(cfn_deletable(s, 0, done));
}

static void
loops(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct cfn_error err = {SPAN_NULL};
	struct doc *d;
	struct cfn_stack *s = open_stack(a,
	    "Transform: AWS::LanguageExtensions\n"
	    "Parameters: {L: {Type: CommaDelimitedList, Default: 'a,b'}}\n"
	    "Resources:\n  'Fn::ForEach::Outer':\n  - X\n  - !Ref L\n"
	    "  - 'Fn::ForEach::Inner':\n    - Y\n    - ['1', '2']\n"
	    "    - 'R${X}${Y}': {Type: T, Properties: {N: !Sub '${X}-${Y}'}}\n"
	    "Outputs:\n  'Fn::ForEach::O':\n  - X\n  - !Ref L\n"
	    "  - 'Out${X}': {Value: !Sub 'v${X}', Export: {Name: 'e-${X}'}}\n",
	    &err);

	(void)state;
	if (!s)
		print_error("%s\n", err.text.p);
	assert_non_null(s);
	assert_int_equal(s->n, 4);
	assert_true(span_is(s->resources[3].id, "Rb2"));
	assert_int_equal(cfn_properties(a, s, 3, 0, &d, &err), 0);
	assert_string_equal(doc_json(a, d).p, "{\"N\":\"b-2\"}");
	assert_int_equal(cfn_outputs(a, s, 0, &d, &err), 0);
	assert_string_equal(doc_json(a, d).p,
	    "[{\"OutputKey\":\"Outa\",\"OutputValue\":\"va\","
	    "\"ExportName\":\"e-a\"},{\"OutputKey\":\"Outb\","
	    "\"OutputValue\":\"vb\",\"ExportName\":\"e-b\"}]");
}

/* A small template must not fill the machine. */
static void
bombs(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct cfn_error err = {SPAN_NULL};
	struct cfn_stack *s;
	struct doc *d;

	(void)state;
	buf_add_str(&b, "Transform: AWS::LanguageExtensions\n"
	    "Resources: {A: {Type: X, Properties: {");
	for (int i = 0; i < 4; i++)
		buf_addf(&b, "'Fn::ForEach::L%d': [V%d, [1,2,3,4,5,6,7,8,9,10,"
		    "11,12,13,14,15,16,17,18,19,20], {", i, i);
	buf_add_str(&b, "}]}]}]}]}}}\n");
	assert_null(open_stack(a, buf_str(&b), &err));
	assert_string_equal(err.text.p, "Transform AWS::LanguageExtensions "
	    "failed with: loops make too many members");

	/* Very many members, one of them twice. */
	for (int json = 0; json < 2; json++) {
		struct cfn_template *t;

		buf_clear(&b);
		buf_add_str(&b, json ? "{" : "x: {");
		for (int i = 0; i < 60000; i++)
			buf_addf(&b, "\"k%d\": 1,", i == 59999 ? 7 : i);
		buf_add_str(&b, json ? "\"z\": 1}" : "z: 1}");
		assert_int_equal(cfn_template_parse(a, buf_span(&b), &t, &err),
		    CFN_E_INVALID);
		assert_true(span_starts(err.text, SPAN("Template format error: "
		    "duplicate key 'k7'")));
	}

	buf_clear(&b);
	buf_add_str(&b, "Resources: {A: {Type: X, Properties: {P: [");
	for (int i = 0; i < 2000; i++)
		buf_add_str(&b, "!FindInMap [M, K, V],");
	buf_add_str(&b, "x]}}}\nMappings: {M: {K: {V: '");
	for (int i = 0; i < 200000; i++)
		buf_add_char(&b, 'x');
	buf_add_str(&b, "'}}}\n");
	s = open_stack(a, buf_str(&b), &err);
	assert_non_null(s);
	assert_int_equal(cfn_properties(a, s, 0, 0, &d, &err), CFN_E_INVALID);
	assert_string_equal(err.text.p,
	    "Template error: the values of the template are too large");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_cases),
		cmocka_unit_test(scalar_cases),
		cmocka_unit_test(param_cases),
		cmocka_unit_test(eval_cases),
		cmocka_unit_test(graph_cases),
		cmocka_unit_test(waves),
		cmocka_unit_test(loops),
		cmocka_unit_test(bombs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
