/* Policies: what IAM refuses, and what a document says of a request. */
#include "auth/policy.h"
#include "base/test.h"

/* ' stands for ". */
static struct span
quoted(struct arena *a, const char *s)
{
	char *p = arena_str(a, span_of(s));

	for (char *c = p; *c; c++)
		if (*c == '\'')
			*c = '"';
	return span_of(p);
}

#define SYNTAX "Syntax errors in policy."
#define ALLOW  "{'Version':'2012-10-17','Statement':[{'Effect':'Allow',"
#define VENDOR                                                          \
	"Actions/Conditions must be prefaced by a vendor, e.g., iam, "  \
	"sdb, ec2, etc."

static const struct {
	enum policy_type type;
	const char *text;
	const char *why; /* NULL: fine */
} readings[] = {
	{POLICY_IDENTITY, ALLOW "'Action':'*','Resource':'*'}]}", NULL},
	{POLICY_IDENTITY, "{'Statement':{'Effect':'Deny','NotAction':['s3:*'],"
	    "'NotResource':'arn:aws:s3:::a'}}", NULL},
	{POLICY_MANAGED, "{'Statement':{'Effect':'Deny','Action':'s3:*',"
	    "'Resource':'*'}}",
	    "Policy document must be version 2012-10-17 or greater."},
	{POLICY_IDENTITY, "", SYNTAX}, {POLICY_MANAGED, "{", SYNTAX},
	{POLICY_TRUST, "{", "This policy contains invalid Json"},
	{POLICY_RESOURCE, ALLOW "'Sid':'a b','Action':'s3:*','Resource':"
	    "'arn:aws:s3:::a','Principal':'*'}]}", NULL},
	{POLICY_RESOURCE, ALLOW "'Action':'s3:*','Resource':'*',"
	    "'NotPrincipal':{'AWS':'123456789012'}}]}", NULL},
	{POLICY_RESOURCE, ALLOW "'Action':'s3:*','Resource':'*'}]}",
	    "Missing required field Principal"},
	{POLICY_RESOURCE, ALLOW "'Action':'s3:*','Principal':'*'}]}",
	    "Policy statement must contain resources."},
	{POLICY_IDENTITY, "[]", SYNTAX},
	{POLICY_IDENTITY, "{}", SYNTAX},
	{POLICY_IDENTITY, "{'Statement':[]}", SYNTAX},
	{POLICY_IDENTITY, "{'Version':'2012-10-18','Statement':[]}", SYNTAX},
	{POLICY_IDENTITY, "{'Statment':[]}", SYNTAX},
	{POLICY_IDENTITY, ALLOW "'Action':'*','Resource':'*','X':1}]}", SYNTAX},
	{POLICY_IDENTITY, "{'Statement':{'Effect':'allow','Action':'s3:*',"
	    "'Resource':'*'}}", SYNTAX},
	{POLICY_IDENTITY, ALLOW "'Resource':'*'}]}",
	    "Policy statement must contain actions."},
	{POLICY_IDENTITY, ALLOW "'Action':'s3:*'}]}",
	    "Policy statement must contain resources."},
	{POLICY_IDENTITY, ALLOW "'Action':[],'Resource':'*'}]}", SYNTAX},
	{POLICY_IDENTITY, ALLOW "'Action':'s3:*','NotAction':'s3:*',"
	    "'Resource':'*'}]}", SYNTAX},
	{POLICY_IDENTITY, ALLOW "'Action':'GetObject','Resource':'*'}]}", VENDOR},
	{POLICY_IDENTITY, ALLOW "'Action':'s 3:X','Resource':'*'}]}",
	    "Vendor s 3 is not valid"},
	{POLICY_IDENTITY, ALLOW "'Action':'s3:*','Resource':'bucket'}]}",
	    "Resource bucket must be in ARN format or \"*\"."},
	{POLICY_IDENTITY, ALLOW "'Action':'s3:*','Resource':'arn:eu:s3:::a'}]}",
	    "Partition \"eu\" is not valid for resource \"arn:eu:s3:::a\"."},
	{POLICY_IDENTITY, ALLOW "'Action':'s3:*','Resource':'*',"
	    "'Principal':'*'}]}",
	    "Policy document should not specify a principal."},
	{POLICY_IDENTITY, ALLOW "'Sid':'a b','Action':'s3:*','Resource':'*'}]}",
	    "Statement IDs (SID) must be alpha-numeric. Check that your input "
	    "satisfies the regular expression [0-9A-Za-z]*"},
	{POLICY_IDENTITY, ALLOW "'Sid':'a','Action':'s3:*','Resource':'*'},"
	    "{'Sid':'a','Effect':'Deny','Action':'s3:*','Resource':'*'}]}",
	    "Statement IDs (SID) in a single policy must be unique."},
	{POLICY_IDENTITY, ALLOW "'Action':'s3:*','Resource':'*','Condition':"
	    "{'StringIs':{'aws:x':'y'}}}]}",
	    "Invalid Condition type : StringIs."},
	{POLICY_IDENTITY, ALLOW "'Action':'s3:*','Resource':'*','Condition':"
	    "{'NullIfExists':{'aws:x':'y'}}}]}",
	    "Invalid Condition type : NullIfExists."},
	{POLICY_IDENTITY, ALLOW "'Action':'s3:*','Resource':'*','Condition':"
	    "{'StringLike':{'x':'y'}}}]}", VENDOR},
	{POLICY_IDENTITY, ALLOW "'Action':'s3:*','Resource':'*','Condition':"
	    "{'StringLike':{'aws:x':{}}}}]}", SYNTAX},
	{POLICY_IDENTITY, ALLOW "'Action':'s3:*','Resource':'*','Condition':"
	    "{'ForAnyValue:StringLikeIfExists':{'aws:x':['y',1,true]}}}]}",
	    NULL},
	{POLICY_TRUST, ALLOW "'Action':'sts:AssumeRole','Principal':"
	    "{'AWS':['123456789012','arn:aws:iam::1:root'],"
	    "'Service':'ecs.amazonaws.com'}}]}", NULL},
	{POLICY_TRUST, ALLOW "'Action':'sts:AssumeRole'}]}",
	    "Missing required field Principal"},
	{POLICY_TRUST, ALLOW "'Action':'sts:AssumeRole','Principal':'*',"
	    "'Resource':'*'}]}", "Has prohibited field Resource"},
	{POLICY_TRUST, ALLOW "'Action':'s3:*','Principal':'*'}]}",
	    "AssumeRole policy may only specify STS AssumeRole actions."},
	{POLICY_TRUST, ALLOW "'Action':'sts:AssumeRole','Principal':"
	    "{'AWS':'someone'}}]}",
	    "Invalid principal in policy: \"AWS\":\"someone\""},
	{POLICY_TRUST, ALLOW "'Action':'sts:AssumeRole','Principal':"
	    "{'AWS':'arn:aws:iam::1:user/*'}}]}",
	    "Invalid principal in policy: \"AWS\":\"arn:aws:iam::1:user/*\""},
	{POLICY_TRUST, ALLOW "'Action':'sts:AssumeRole','Principal':"
	    "{'Service':'ecs'}}]}",
	    "Invalid principal in policy: \"SERVICE\":\"ecs\""},
	{POLICY_TRUST, ALLOW "'Action':'sts:AssumeRole','Principal':"
	    "{'Aws':'*'}}]}", SYNTAX},
};

static void
test_read(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(readings); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct doc *d = NULL;
		struct span why;
		bool fine = policy_parse(a, quoted(a, readings[i].text),
		    readings[i].type, &d, &why) == 0;

		assert_string_equal(fine ? "" : arena_str(a, why),
		    readings[i].why ? readings[i].why : "");
		assert_true(fine == (d != NULL));
	}
}

static void
test_size(void **state UNUSED)
{
	assert_int_equal(policy_size(SPAN(" { \"a b\" :\n\t1 } ")), 9);
	assert_int_equal(policy_size(SPAN("\"\\\" \" x")), 6);
}

#define USER "arn:aws:iam::123456789012:user/team/ann"
#define ROLE "arn:aws:iam::123456789012:role/builder"
#define HERE "arn:aws:sts::123456789012:assumed-role/builder/me"

static const struct policy_request whos[] = {
	{.account = SPAN("123456789012"), .principal = SPAN(USER)},
	{.account = SPAN("123456789012"), .principal = SPAN(HERE),
	    .role = SPAN(ROLE)},
	{.service = SPAN("ecs.amazonaws.com")},
	{.federated = SPAN("token.example")},
};

static struct policy_request
request(struct arena *a, size_t who)
{
	struct policy_request q = whos[who];
	struct doc *c;

	assert_int_equal(doc_parse_json(a, quoted(a, "{'aws:username':'ann',"
	    "'aws:TagKeys':['team','env'],'aws:SourceIp':'10.1.2.3',"
	    "'aws:CurrentTime':'2026-11-23T09:18:30Z','aws:star':'a*',"
	    "'aws:EpochTime':'1795425510','aws:PrincipalArn':'" ROLE "',"
	    "'s3:max-keys':'10','aws:SecureTransport':'true','aws:none':[],"
	    "'aws:Six':'2001:db8::7'}"),
	    &c), 0);
	q.action = SPAN("s3:GetObject");
	q.resource = SPAN("arn:aws:s3:::bucket/home/ann/x");
	q.context = c;
	return q;
}

static const struct {
	size_t who;
	const char *principal;
	bool is;
} principals[] = {
	{0, "'*'", true}, {0, "{'AWS':'*'}", true},
	{0, "{'AWS':'123456789012'}", true},
	{0, "{'AWS':'arn:aws:iam::123456789012:root'}", true},
	{0, "{'AWS':'arn:aws:iam::210987654321:root'}", false},
	{0, "{'AWS':'" USER "'}", true},
	{0, "{'AWS':['" ROLE "','" USER "']}", true},
	{0, "{'AWS':'arn:aws:iam::123456789012:user/ann'}", false},
	{0, "{'Service':'ecs.amazonaws.com'}", false},
	{1, "{'AWS':'" ROLE "'}", true}, {1, "{'AWS':'" HERE "'}", true},
	{1, "{'AWS':'" HERE "2'}", false}, {1, "{'AWS':'123456789012'}", true},
	{2, "{'Service':'ecs.amazonaws.com'}", true},
	{2, "{'Service':['a.b','ecs.amazonaws.com']}", true},
	{2, "{'AWS':'123456789012'}", false},
	{3, "{'Federated':'token.example'}", true},
	{3, "{'AWS':'123456789012'}", false},
};

static void
test_principals(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(principals); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct policy_request r = request(a, principals[i].who);
		struct doc *d;

		assert_int_equal(doc_parse_json(a, quoted(a, arena_fmt(a,
		    "{'Statement':{'Effect':'Allow','Principal':%s,"
		    "'Action':'*'}}", principals[i].principal)), &d), 0);
		if ((policy_says(a, d, &r) == POLICY_ALLOW) !=
		    principals[i].is)
			fail_msg("%s", principals[i].principal);
	}
}

static const struct {
	const char *condition;
	bool holds;
} conditions[] = {
	{"{}", true},
	{"{'StringEquals':{'aws:username':'ann'}}", true},
	{"{'StringEquals':{'AWS:UserName':'ann'}}", true},
	{"{'StringEquals':{'aws:username':'Ann'}}", false},
	{"{'StringEqualsIgnoreCase':{'aws:username':'Ann'}}", true},
	{"{'StringNotEqualsIgnoreCase':{'aws:username':'Ann'}}", false},
	{"{'StringEquals':{'aws:username':['bob','ann']}}", true},
	{"{'StringNotEquals':{'aws:username':['bob','ann']}}", false},
	{"{'StringEquals':{'aws:username':'a*'}}", false},
	{"{'StringLike':{'aws:username':'a*'}}", true},
	{"{'StringLike':{'aws:username':'?n?'}}", true},
	{"{'StringNotLike':{'aws:username':'b*'}}", true},
	/* Absent keys */
	{"{'StringEquals':{'aws:absent':'x'}}", false},
	{"{'StringNotEquals':{'aws:absent':'x'}}", true},
	{"{'StringEqualsIfExists':{'aws:absent':'x'}}", true},
	{"{'Null':{'aws:absent':'true'}}", true},
	{"{'Null':{'aws:absent':true}}", true},
	{"{'Null':{'aws:absent':'false'}}", false},
	{"{'Null':{'aws:username':'false'}}", true},
	/* Both must hold. */
	{"{'StringEquals':{'aws:username':'ann'},'Bool':"
	    "{'aws:SecureTransport':'false'}}", false},
	{"{'Bool':{'aws:SecureTransport':true}}", true},
	/* Sets */
	{"{'ForAnyValue:StringEquals':{'aws:TagKeys':['env','x']}}", true},
	{"{'ForAnyValue:StringEquals':{'aws:TagKeys':['x']}}", false},
	{"{'ForAllValues:StringEquals':{'aws:TagKeys':['env','x']}}", false},
	{"{'ForAllValues:StringEquals':{'aws:TagKeys':['env','team','x']}}",
	    true},
	{"{'ForAllValues:StringEquals':{'aws:absent':['x']}}", true},
	{"{'ForAnyValue:StringNotEquals':{'aws:absent':['x']}}", false},
	{"{'ForAllValues:StringEquals':{'aws:none':['x']}}", true},
	{"{'ForAnyValue:StringEquals':{'aws:none':['x']}}", false},
	{"{'ForAnyValue:StringNotEquals':{'aws:TagKeys':['env']}}", true},
	{"{'ForAllValues:StringNotEquals':{'aws:TagKeys':['env']}}", false},
	/* Numbers and dates */
	{"{'NumericEquals':{'s3:max-keys':10.0}}", true},
	{"{'NumericLessThan':{'s3:max-keys':'10'}}", false},
	{"{'NumericLessThanEquals':{'s3:max-keys':'10'}}", true},
	{"{'NumericGreaterThan':{'s3:max-keys':9}}", true},
	{"{'NumericNotEquals':{'s3:max-keys':9}}", true},
	{"{'NumericEquals':{'aws:username':0}}", false},
	{"{'NumericEquals':{'s3:max-keys':''}}", false},
	{"{'DateLessThan':{'aws:CurrentTime':'2026-11-23T09:18:31Z'}}", true},
	{"{'DateGreaterThan':{'aws:CurrentTime':'2026-11-23T09:18:31Z'}}",
	    false},
	{"{'DateLessThan':{'aws:CurrentTime':'2026-11-24'}}", true},
	{"{'DateLessThan':{'aws:CurrentTime':'2026-11-23'}}", false},
	{"{'DateEquals':{'aws:EpochTime':'2026-11-23T09:18:30Z'}}", true},
	/* Addresses */
	{"{'IpAddress':{'aws:SourceIp':'10.0.0.0/8'}}", true},
	{"{'IpAddress':{'aws:SourceIp':['11.0.0.0/8','10.1.2.3']}}", true},
	{"{'NotIpAddress':{'aws:SourceIp':'10.0.0.0/8'}}", false},
	{"{'IpAddress':{'aws:SourceIp':['junk','','10.0.0.0/33']}}", false},
	{"{'IpAddress':{'aws:SourceIp':'10.1.2.2/31'}}", true},
	{"{'IpAddress':{'aws:SourceIp':'2001:db8::/32'}}", false},
	{"{'IpAddress':{'aws:Six':'2001:DB8::/32'}}", true},
	{"{'NotIpAddress':{'aws:Six':['0.0.0.0/0','2001:db9::/32']}}", true},
	/* ARNs: a star stays within its part. */
	{"{'ArnLike':{'aws:PrincipalArn':'arn:aws:iam::*:role/*'}}", true},
	{"{'ArnEquals':{'aws:PrincipalArn':'arn:*:role/builder'}}", false},
	{"{'ArnNotLike':{'aws:PrincipalArn':'arn:aws:iam::*:user/*'}}", true},
	/* Variables: what they bring along is not wild. */
	{"{'StringEquals':{'aws:username':'${aws:username}'}}", true},
	{"{'StringLike':{'aws:username':'${aws:star}'}}", false},
	{"{'StringLike':{'aws:star':'a${*}'}}", true},
	{"{'StringLike':{'aws:username':'a${*}'}}", false},
	{"{'StringEquals':{'aws:username':'${aws:absent, \\'ann\\'}'}}", true},
	{"{'StringEquals':{'aws:username':'${aws:absent}'}}", false},
	{"{'StringNotEquals':{'aws:username':'${aws:absent}'}}", true},
	{"{'StringLike':{'aws:username':'${'}}", false},
};

/* \' of a case stays an apostrophe. */
static struct doc *
parse_condition(struct arena *a, const char *s)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct doc *d;

	for (; *s; s++) {
		if (*s == '\\')
			buf_add_char(&b, *++s);
		else
			buf_add_char(&b, *s == '\'' ? '"' : *s);
	}
	assert_int_equal(doc_parse_json(a, arena_span(a, buf_span(&b)), &d), 0);
	return d;
}

static void
test_conditions(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(conditions); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct policy_request r = request(a, 0);

		if (policy_condition(a, parse_condition(a,
			conditions[i].condition), &r, true) !=
		    conditions[i].holds)
			fail_msg("%s", conditions[i].condition);
	}
}

#define ONE(rest) "{'Version':'2012-10-17','Statement':{'Effect':'Allow'," rest "}}"

static const struct {
	const char *policy;
	enum policy_effect effect;
} decisions[] = {
	{ONE("'Action':'s3:*','Resource':'*'"), POLICY_ALLOW},
	{ONE("'Action':'S3:getobject','Resource':'*'"), POLICY_ALLOW},
	{ONE("'Action':'s3:Get*','Resource':'arn:aws:s3:::bucket/*'"),
	    POLICY_ALLOW},
	{ONE("'Action':'s3:Get*','Resource':'arn:aws:s3:::BUCKET/*'"),
	    POLICY_SILENT},
	{ONE("'Action':['s3:Put*','ec2:*'],'Resource':'*'"), POLICY_SILENT},
	{ONE("'NotAction':'s3:Put*','Resource':'*'"), POLICY_ALLOW},
	{ONE("'NotAction':'s3:*','Resource':'*'"), POLICY_SILENT},
	{ONE("'Action':'*','NotResource':'arn:aws:s3:::bucket/home/*'"),
	    POLICY_SILENT},
	{ONE("'Action':'*','Resource':"
	    "'arn:aws:s3:::bucket/home/${aws:username}/*'"), POLICY_ALLOW},
	{"{'Version':'2008-10-17','Statement':{'Effect':'Allow','Action':'*',"
	    "'Resource':'arn:aws:s3:::bucket/home/${aws:username}/*'}}",
	    POLICY_SILENT},
	{"{'Statement':[{'Effect':'Allow','Action':'*','Resource':'*'},"
	    "{'Effect':'Deny','Action':'s3:*','Resource':'*'}]}",
	    POLICY_DENY},
	{"{'Statement':[{'Effect':'Deny','Action':'s3:Put*','Resource':'*'},"
	    "{'Effect':'Allow','Action':'*','Resource':'*'}]}",
	    POLICY_ALLOW},
	{ONE("'Action':'*','Resource':'*','Condition':"
	    "{'StringEquals':{'aws:username':'bob'}}"), POLICY_SILENT},
};

static void
test_decisions(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(decisions); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct policy_request r = request(a, 0);
		struct span why;
		struct doc *d;

		assert_int_equal(policy_parse(a, quoted(a,
		    decisions[i].policy), POLICY_IDENTITY, &d, &why), 0);
		if (policy_says(a, d, &r) != decisions[i].effect)
			fail_msg("%s", decisions[i].policy);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_read),
	    cmocka_unit_test(test_size),
	    cmocka_unit_test(test_principals),
	    cmocka_unit_test(test_conditions),
	    cmocka_unit_test(test_decisions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
