/* The operations against a real store: defaults, a stack's life, refusals. */
#include "base/test.h"

#include <stdio.h>
#include <unistd.h>

#include "api/api.h"
#include "svc/ec2/ec2.h"
#include "svc/ec2/kinds.h"

static const struct service *const only_ec2[] = {&ec2_service, NULL};

struct fixture {
	char *dir;
	struct store *s;
	struct api *api;
	struct arena *a;
	struct scope scope;
	bool system;
};

static int
setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct api_config config = {.services = only_ec2,
	    .root = {SPAN("123456789012"), SPAN("AK"), SPAN("SK")}};

	f->dir = xstrdup("/tmp/test-ec2-XXXXXX");
	AN(mkdtemp(f->dir));
	AZ(store_open(f->dir, ec2_kinds, &f->s));
	config.store = f->s;
	f->api = api_new(&config);
	f->a = arena_new();
	f->scope = (struct scope){SPAN("123456789012"), SPAN("us-east-1")};
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *rm = xasprintf("rm -rf %s", f->dir);

	api_free(f->api);
	store_close(f->s);
	arena_free(f->a);
	AZ(system(rm));
	free(f->dir);
	free(f);
	return 0;
}

static struct op_result
run(struct fixture *f, const char *op, const char *json)
{
	struct principal who = f->system ?
	    principal_system(f->scope.account, "ecs.amazonaws.com") :
	    (struct principal){.account = f->scope.account};
	struct op_result r;
	struct doc *in;

	if (doc_parse_json(f->a, span_of(json), &in) != 0)
		fail_msg("not JSON: %s", json);
	assert_int_equal(op_call(f->api, f->a, &who, f->scope, "ec2", op, in,
	    &r), 0);
	return r;
}

/* Runs op, which must succeed; the input is a format with ' for ". */
static struct doc *PRINTF(3, 4)
ok(struct fixture *f, const char *op, const char *fmt, ...)
{
	struct op_result r;
	va_list ap;
	char *json;

	va_start(ap, fmt);
	json = arena_vfmt(f->a, fmt, ap);
	va_end(ap);
	for (char *p = json; *p; p++)
		if (*p == '\'')
			*p = '"';
	r = run(f, op, json);
	if (r.error.n > 0)
		fail_msg("%s %s: %.*s: %.*s", op, json, SPAN_ARG(r.error),
		    SPAN_ARG(r.message));
	return r.out;
}

/* The same, and it must be refused with this code (and message, if given). */
static void PRINTF(5, 6)
no(struct fixture *f, const char *op, const char *code, const char *message,
    const char *fmt, ...)
{
	struct op_result r;
	va_list ap;
	char *json;

	va_start(ap, fmt);
	json = arena_vfmt(f->a, fmt, ap);
	va_end(ap);
	for (char *p = json; *p; p++)
		if (*p == '\'')
			*p = '"';
	r = run(f, op, json);
	if (!span_is(r.error, code) ||
	    (message && !span_is(r.message, message)))
		fail_msg("%s %s: %.*s: %.*s", op, json, SPAN_ARG(r.error),
		    SPAN_ARG(r.message));
}

/* A string in a document by a dotted path; numbers choose elements. */
static const char *
at(struct fixture *f, const struct doc *d, const char *path)
{
	struct span rest = span_of(path);
	uint64_t i;

	while (rest.p) {
		struct span part = span_cut(&rest, '.');

		d = span_u64(part, &i) ? doc_at(d, i) : doc_getn(d, part);
	}
	return doc_type(d) == DOC_STR ? arena_str(f->a, doc_span(d)) :
	    d ? doc_json(f->a, d).p : "";
}

static size_t
n_of(const struct doc *d, const char *list)
{
	return doc_len(doc_get(d, list));
}

static void
starts_with_defaults(void **state)
{
	struct fixture *f = *state;
	struct doc *d = ok(f, "DescribeVpcs",
	    "{'Filters':[{'Name':'is-default','Values':['true']}]}");
	const char *vpc = at(f, d, "Vpcs.0.VpcId");

	assert_int_equal(n_of(d, "Vpcs"), 1);
	assert_string_equal(at(f, d, "Vpcs.0.CidrBlock"), "172.31.0.0/16");
	d = ok(f, "DescribeSubnets", "{}");
	assert_int_equal(n_of(d, "Subnets"), 3);
	assert_string_equal(at(f, d, "Subnets.1.CidrBlock"), "172.31.16.0/20");
	assert_string_equal(at(f, d, "Subnets.1.AvailabilityZone"),
	    "us-east-1b");
	assert_string_equal(at(f, d, "Subnets.1.AvailabilityZoneId"),
	    "use1-az2");
	assert_string_equal(at(f, d, "Subnets.1.AvailableIpAddressCount"),
	    "4091");
	assert_string_equal(at(f, d, "Subnets.1.MapPublicIpOnLaunch"), "true");
	d = ok(f, "DescribeRouteTables", "{}");
	assert_string_equal(at(f, d, "RouteTables.0.Routes.0.GatewayId"),
	    "local");
	assert_string_equal(
	    at(f, d, "RouteTables.0.Routes.1.DestinationCidrBlock"),
	    "0.0.0.0/0");
	assert_string_equal(at(f, d, "RouteTables.0.Routes.1.State"), "active");
	d = ok(f, "DescribeSecurityGroups", "{'GroupNames':['default']}");
	assert_string_equal(at(f, d, "SecurityGroups.0.VpcId"), vpc);
	assert_string_equal(at(f, d, "SecurityGroups.0.IpPermissions.0."
	    "UserIdGroupPairs.0.GroupId"),
	    at(f, d, "SecurityGroups.0.GroupId"));
	assert_string_equal(at(f, d, "SecurityGroups.0.IpPermissionsEgress.0."
	    "IpRanges.0.CidrIp"), "0.0.0.0/0");
	d = ok(f, "DescribeNetworkAcls", "{}");
	assert_int_equal(doc_len(doc_get(doc_at(doc_get(d, "NetworkAcls"), 0),
	    "Associations")), 3);
	d = ok(f, "DescribeAccountAttributes",
	    "{'AttributeNames':['default-vpc']}");
	assert_string_equal(at(f, d, "AccountAttributes.0.AttributeValues.0."
	    "AttributeValue"), vpc);
	/* Another region has its own. */
	f->scope.region = SPAN("eu-west-1");
	d = ok(f, "DescribeVpcs", "{}");
	assert_int_equal(n_of(d, "Vpcs"), 1);
	assert_string_not_equal(at(f, d, "Vpcs.0.VpcId"), vpc);
}

struct stack {
	const char *vpc, *subnet, *igw, *table, *lb, *tasks;
};

/* What a CDK stack or a user of the CLI makes. */
static struct stack
build(struct fixture *f)
{
	struct stack s;

	s.vpc = at(f, ok(f, "CreateVpc", "{'CidrBlock':'10.0.0.0/16',"
	    "'TagSpecifications':[{'ResourceType':'vpc','Tags':[{'Key':'Name',"
	    "'Value':'web'}]}]}"), "Vpc.VpcId");
	ok(f, "ModifyVpcAttribute",
	    "{'VpcId':'%s','EnableDnsHostnames':{'Value':true}}", s.vpc);
	s.subnet = at(f, ok(f, "CreateSubnet", "{'VpcId':'%s',"
	    "'CidrBlock':'10.0.0.0/28','AvailabilityZone':'us-east-1a'}",
	    s.vpc), "Subnet.SubnetId");
	s.igw = at(f, ok(f, "CreateInternetGateway", "{}"),
	    "InternetGateway.InternetGatewayId");
	ok(f, "AttachInternetGateway",
	    "{'InternetGatewayId':'%s','VpcId':'%s'}", s.igw, s.vpc);
	s.table = at(f, ok(f, "CreateRouteTable", "{'VpcId':'%s'}", s.vpc),
	    "RouteTable.RouteTableId");
	ok(f, "AssociateRouteTable", "{'RouteTableId':'%s','SubnetId':'%s'}",
	    s.table, s.subnet);
	ok(f, "CreateRoute", "{'RouteTableId':'%s','GatewayId':'%s',"
	    "'DestinationCidrBlock':'0.0.0.0/0'}", s.table, s.igw);
	s.lb = at(f, ok(f, "CreateSecurityGroup", "{'VpcId':'%s',"
	    "'GroupName':'lb','Description':'lb'}", s.vpc), "GroupId");
	s.tasks = at(f, ok(f, "CreateSecurityGroup", "{'VpcId':'%s',"
	    "'GroupName':'tasks','Description':'tasks'}", s.vpc), "GroupId");
	ok(f, "AuthorizeSecurityGroupIngress", "{'GroupId':'%s',"
	    "'IpProtocol':'tcp','FromPort':80,'ToPort':80,"
	    "'CidrIp':'0.0.0.0/0'}", s.lb);
	ok(f, "AuthorizeSecurityGroupIngress", "{'GroupId':'%s',"
	    "'IpPermissions':[{'IpProtocol':'tcp','FromPort':3000,"
	    "'ToPort':3000,'UserIdGroupPairs':[{'GroupId':'%s'}]}]}", s.tasks,
	    s.lb);
	return s;
}

static void
takes_down(struct fixture *f, const struct stack *s)
{
	const char *assoc = at(f, ok(f, "DescribeRouteTables",
	    "{'RouteTableIds':['%s']}", s->table),
	    "RouteTables.0.Associations.0.RouteTableAssociationId");

	ok(f, "DeleteSecurityGroup", "{'GroupId':'%s'}", s->tasks);
	ok(f, "DeleteSecurityGroup", "{'GroupId':'%s'}", s->lb);
	ok(f, "DisassociateRouteTable", "{'AssociationId':'%s'}", assoc);
	ok(f, "DeleteRouteTable", "{'RouteTableId':'%s'}", s->table);
	ok(f, "DeleteSubnet", "{'SubnetId':'%s'}", s->subnet);
	ok(f, "DetachInternetGateway",
	    "{'InternetGatewayId':'%s','VpcId':'%s'}", s->igw, s->vpc);
	ok(f, "DeleteInternetGateway", "{'InternetGatewayId':'%s'}", s->igw);
	ok(f, "DeleteVpc", "{'VpcId':'%s'}", s->vpc);
}

static int64_t
count_all(struct fixture *f)
{
	int64_t n = 0;

	for (size_t i = 0; ec2_kinds[i]; i++)
		n += store_count(f->s, &(struct query){.kind = ec2_kinds[i],
		    .scope = f->scope, .any_parent = true});
	return n;
}

static void
leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct stack s;
	int64_t before;

	ok(f, "DescribeVpcs", "{}");
	before = count_all(f);
	s = build(f);
	assert_true(count_all(f) > before);
	no(f, "DeleteVpc", "DependencyViolation", arena_fmt(f->a,
	    "The vpc '%s' has dependencies and cannot be deleted.", s.vpc),
	    "{'VpcId':'%s'}", s.vpc);
	no(f, "DeleteInternetGateway", "DependencyViolation", NULL,
	    "{'InternetGatewayId':'%s'}", s.igw);
	no(f, "DeleteRouteTable", "DependencyViolation", NULL,
	    "{'RouteTableId':'%s'}", s.table);
	no(f, "DeleteSecurityGroup", "DependencyViolation", arena_fmt(f->a,
	    "resource %s has a dependent object", s.lb),
	    "{'GroupId':'%s'}", s.lb);
	takes_down(f, &s);
	assert_int_equal(count_all(f), before);
	no(f, "DescribeVpcs", "InvalidVpcID.NotFound", arena_fmt(f->a,
	    "The vpc ID '%s' does not exist", s.vpc), "{'VpcIds':['%s']}",
	    s.vpc);
}

static void
gives_interfaces_addresses(void **state)
{
	struct fixture *f = *state;
	struct stack s = build(f);
	const char *in = arena_fmt(f->a, "{'SubnetId':'%s','Groups':['%s'],"
	    "'NeargateNetns':'task-1','NeargatePublicIp':true}", s.subnet,
	    s.tasks);
	struct doc *d;
	const char *eni;

	/* A user cannot ask for what is ours. */
	no(f, "CreateNetworkInterface", "InvalidIPAddress.InUse", NULL,
	    "{'SubnetId':'%s','PrivateIpAddress':'%s'}", s.subnet,
	    at(f, ok(f, "CreateNetworkInterface", "{'SubnetId':'%s'}",
	    s.subnet), "NetworkInterface.PrivateIpAddress"));
	f->system = true;
	d = ok(f, "CreateNetworkInterface", in, "");
	f->system = false;
	eni = at(f, d, "NetworkInterface.NetworkInterfaceId");
	assert_string_equal(at(f, d, "NetworkInterface.PrivateIpAddress"),
	    "10.0.0.5");
	assert_string_equal(at(f, d, "NetworkInterface.Association.PublicIp"),
	    "198.18.0.16");
	assert_string_equal(
	    at(f, d, "NetworkInterface.Association.PublicDnsName"),
	    "ec2-198-18-0-16.compute-1.amazonaws.com");
	assert_string_equal(at(f, d, "NetworkInterface.Status"), "in-use");
	assert_string_equal(at(f, d, "NetworkInterface.Groups.0.GroupName"),
	    "tasks");
	d = ok(f, "DescribeNetworkInterfaces", "{'Filters':[{'Name':'group-id',"
	    "'Values':['%s']}]}", s.tasks);
	assert_int_equal(n_of(d, "NetworkInterfaces"), 1);
	no(f, "DeleteNetworkInterface", "InvalidParameterValue",
	    arena_fmt(f->a, "Network interface '%s' is currently in use.",
	    eni), "{'NetworkInterfaceId':'%s'}", eni);
	no(f, "ModifyNetworkInterfaceAttribute", "AuthFailure", NULL,
	    "{'NetworkInterfaceId':'%s','Groups':['%s']}", eni, s.lb);
	no(f, "DeleteSubnet", "DependencyViolation", NULL,
	    "{'SubnetId':'%s'}", s.subnet);
	no(f, "DetachInternetGateway", "DependencyViolation", NULL,
	    "{'InternetGatewayId':'%s','VpcId':'%s'}", s.igw, s.vpc);
	d = ok(f, "DescribeSubnets", "{'SubnetIds':['%s']}", s.subnet);
	assert_string_equal(at(f, d, "Subnets.0.AvailableIpAddressCount"),
	    "9");
	f->system = true;
	ok(f, "DeleteNetworkInterface", "{'NetworkInterfaceId':'%s'}", eni);
	/* The address just given up waits. */
	d = ok(f, "CreateNetworkInterface", in, "");
	assert_string_equal(at(f, d, "NetworkInterface.PrivateIpAddress"),
	    "10.0.0.6");
	for (int i = 0; i < 9; i++)
		ok(f, "CreateNetworkInterface", "{'SubnetId':'%s'}", s.subnet);
	no(f, "CreateNetworkInterface", "InsufficientFreeAddressesInSubnet",
	    NULL, "{'SubnetId':'%s'}", s.subnet);
}

static void
changes_rules(void **state)
{
	struct fixture *f = *state;
	struct stack s = build(f);
	struct doc *d;
	const char *id;

	no(f, "AuthorizeSecurityGroupIngress", "InvalidPermission.Duplicate",
	    "the specified rule \"peer: 0.0.0.0/0, TCP, from port: 80, to "
	    "port: 80, ALLOW\" already exists", "{'GroupId':'%s',"
	    "'IpPermissions':[{'IpProtocol':'tcp','FromPort':80,'ToPort':80,"
	    "'IpRanges':[{'CidrIp':'0.0.0.0/0'}]}]}", s.lb);
	d = ok(f, "DescribeSecurityGroupRules", "{'Filters':[{'Name':"
	    "'group-id','Values':['%s']}]}", s.lb);
	assert_int_equal(n_of(d, "SecurityGroupRules"), 2);
	assert_string_equal(at(f, d, "SecurityGroupRules.0.IsEgress"), "true");
	id = at(f, d, "SecurityGroupRules.1.SecurityGroupRuleId");
	ok(f, "ModifySecurityGroupRules", "{'GroupId':'%s',"
	    "'SecurityGroupRules':[{'SecurityGroupRuleId':'%s',"
	    "'SecurityGroupRule':{'IpProtocol':'tcp','FromPort':443,"
	    "'ToPort':443,'CidrIpv4':'0.0.0.0/0'}}]}", s.lb, id);
	d = ok(f, "DescribeSecurityGroups", "{'GroupIds':['%s']}", s.lb);
	assert_string_equal(
	    at(f, d, "SecurityGroups.0.IpPermissions.0.FromPort"), "443");
	no(f, "RevokeSecurityGroupIngress", "InvalidPermission.NotFound", NULL,
	    "{'GroupId':'%s','IpProtocol':'tcp','FromPort':80,'ToPort':80,"
	    "'CidrIp':'0.0.0.0/0'}", s.lb);
	no(f, "RevokeSecurityGroupEgress",
	    "InvalidSecurityGroupRuleId.NotFound", NULL,
	    "{'GroupId':'%s','SecurityGroupRuleIds':['%s']}", s.lb, id);
	ok(f, "RevokeSecurityGroupIngress",
	    "{'GroupId':'%s','SecurityGroupRuleIds':['%s']}", s.lb, id);
	d = ok(f, "DescribeSecurityGroups", "{'GroupIds':['%s']}", s.lb);
	assert_string_equal(at(f, d, "SecurityGroups.0.IpPermissions"), "[]");
}

static void
refuses(void **state)
{
	struct fixture *f = *state;
	struct stack s = build(f);
	const char *vpc = s.vpc;
	const struct {
		const char *op, *code, *in;
	} cases[] = {
		{"CreateVpc", "MissingParameter", "{}"},
		{"CreateVpc", "InvalidVpc.Range", "{'CidrBlock':'10.0.0.0/8'}"},
		{"CreateVpc", "InvalidParameterValue", "{'CidrBlock':'x'}"},
		{"CreateVpc", "DryRunOperation", "{'DryRun':true}"},
		{"CreateVpc", "InvalidParameterValue",
		    "{'CidrBlock':'10.0.0.0/16','TagSpecifications':[{"
		    "'ResourceType':'subnet','Tags':[{'Key':'a'}]}]}"},
		{"CreateSubnet", "InvalidSubnet.Range",
		    "{'VpcId':'$','CidrBlock':'10.1.0.0/24'}"},
		{"CreateSubnet", "InvalidSubnet.Conflict",
		    "{'VpcId':'$','CidrBlock':'10.0.0.0/24'}"},
		{"CreateSubnet", "InvalidVpcID.Malformed",
		    "{'VpcId':'vpc-x','CidrBlock':'10.0.0.0/24'}"},
		{"CreateSubnet", "InvalidParameterValue",
		    "{'VpcId':'$','CidrBlock':'10.0.9.0/24',"
		    "'AvailabilityZone':'us-east-1z'}"},
		{"CreateSecurityGroup", "InvalidGroup.Duplicate",
		    "{'VpcId':'$','GroupName':'lb','Description':'d'}"},
		{"CreateSecurityGroup", "InvalidParameterValue",
		    "{'VpcId':'$','GroupName':'default','Description':'d'}"},
		{"DescribeVpcs", "InvalidParameterValue",
		    "{'Filters':[{'Name':'nope','Values':['a']}]}"},
		{"DescribeVpcs", "InvalidNextToken", "{'NextToken':'x'}"},
		{"DescribeSubnets", "InvalidSubnetID.NotFound",
		    "{'SubnetIds':['subnet-00000000']}"},
		{"CreateTags", "InvalidID",
		    "{'Resources':['x'],'Tags':[{'Key':'a','Value':'b'}]}"},
		{"CreateTags", "InvalidParameterValue",
		    "{'Resources':['$'],'Tags':[{'Key':'aws:a','Value':'b'}]}"},
		{"CreateDefaultVpc", "DefaultVpcAlreadyExists", "{}"},
		{"CreateTransitGateway", "NotImplemented", "{}"},
		{"CreateVpc", "NotImplemented",
		    "{'CidrBlock':'10.9.0.0/16','Ipv4IpamPoolId':'x'}"},
	};
	int64_t before = count_all(f);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(buf_done) struct buf b = BUF_INIT;

		for (const char *p = cases[i].in; *p; p++)
			if (*p == '$')
				buf_add_str(&b, vpc);
			else
				buf_add_char(&b, *p);
		no(f, cases[i].op, cases[i].code, NULL, "%s", buf_str(&b));
	}
	assert_int_equal(count_all(f), before);
}

static void
pages_and_tags(void **state)
{
	struct fixture *f = *state;
	struct stack s = build(f);
	size_t seen = 0, pages = 0;
	const char *token = "";
	struct doc *d;

	for (int i = 1; i < 13; i++)
		ok(f, "CreateSubnet", "{'VpcId':'%s','CidrBlock':"
		    "'10.0.%d.0/24'}", s.vpc, i);
	do {
		d = ok(f, "DescribeSubnets", "{'MaxResults':5,'Filters':[{"
		    "'Name':'vpc-id','Values':['%s']}]%s%s%s}", s.vpc,
		    *token ? ",'NextToken':'" : "", token, *token ? "'" : "");
		seen += n_of(d, "Subnets");
		token = at(f, d, "NextToken");
		pages++;
	} while (*token);
	assert_int_equal(seen, 13);
	assert_int_equal(pages, 3);
	ok(f, "CreateTags", "{'Resources':['%s','%s'],'Tags':[{'Key':'env',"
	    "'Value':'pr-1'}]}", s.vpc, s.subnet);
	d = ok(f, "DescribeTags", "{'Filters':[{'Name':'key',"
	    "'Values':['env']}]}");
	assert_int_equal(n_of(d, "Tags"), 2);
	d = ok(f, "DescribeSubnets", "{'Filters':[{'Name':'tag:env',"
	    "'Values':['pr-*']}]}");
	assert_int_equal(n_of(d, "Subnets"), 1);
	ok(f, "DeleteTags", "{'Resources':['%s'],'Tags':[{'Key':'env',"
	    "'Value':'other'}]}", s.subnet);
	ok(f, "DeleteTags", "{'Resources':['%s'],'Tags':[{'Key':'env'}]}",
	    s.vpc);
	d = ok(f, "DescribeTags", "{'Filters':[{'Name':'key',"
	    "'Values':['env']}]}");
	assert_int_equal(n_of(d, "Tags"), 1);
	assert_string_equal(at(f, d, "Tags.0.ResourceType"), "subnet");
}

static void
reroutes(void **state)
{
	struct fixture *f = *state;
	struct stack s = build(f);
	struct doc *d = ok(f, "DescribeRouteTables", "{'Filters':[{'Name':"
	    "'association.subnet-id','Values':['%s']}]}", s.subnet);
	const char *assoc = at(f, d,
	    "RouteTables.0.Associations.0.RouteTableAssociationId");
	const char *other, *new;

	assert_string_equal(at(f, d, "RouteTables.0.RouteTableId"), s.table);
	no(f, "CreateRoute", "InvalidParameterValue", NULL, "{'RouteTableId':"
	    "'%s','GatewayId':'%s','DestinationCidrBlock':'10.0.3.0/24'}",
	    s.table, s.igw);
	other = at(f, ok(f, "CreateRouteTable", "{'VpcId':'%s'}", s.vpc),
	    "RouteTable.RouteTableId");
	no(f, "AssociateRouteTable", "Resource.AlreadyAssociated", NULL,
	    "{'RouteTableId':'%s','SubnetId':'%s'}", other, s.subnet);
	new = at(f, ok(f, "ReplaceRouteTableAssociation", "{'AssociationId':"
	    "'%s','RouteTableId':'%s'}", assoc, other), "NewAssociationId");
	assert_string_not_equal(new, assoc);
	no(f, "DisassociateRouteTable", "InvalidAssociationID.NotFound", NULL,
	    "{'AssociationId':'%s'}", assoc);
	ok(f, "DeleteSubnet", "{'SubnetId':'%s'}", s.subnet);
	ok(f, "DeleteRouteTable", "{'RouteTableId':'%s'}", other);
	ok(f, "DetachInternetGateway",
	    "{'InternetGatewayId':'%s','VpcId':'%s'}", s.igw, s.vpc);
	d = ok(f, "DescribeRouteTables", "{'RouteTableIds':['%s']}", s.table);
	assert_string_equal(at(f, d, "RouteTables.0.Routes.1.State"),
	    "blackhole");
	ok(f, "AssociateVpcCidrBlock",
	    "{'VpcId':'%s','CidrBlock':'10.1.0.0/16'}", s.vpc);
	d = ok(f, "DescribeRouteTables", "{'RouteTableIds':['%s']}", s.table);
	assert_string_equal(
	    at(f, d, "RouteTables.0.Routes.2.DestinationCidrBlock"),
	    "10.1.0.0/16");
}

/* What a VPC holds at most is what the network takes of it. */
static void
has_quotas(void **state)
{
	struct fixture *f = *state;
	struct stack s = build(f);
	const char *full = "The maximum number of routes has been reached.";
	const char *nat, *more;

	for (int i = 1; i < 200; i++)
		ok(f, "CreateNetworkAcl", "{'VpcId':'%s'}", s.vpc);
	no(f, "CreateNetworkAcl", "NetworkAclLimitExceeded", NULL,
	    "{'VpcId':'%s'}", s.vpc);
	for (int i = 2; i < 200; i++)
		ok(f, "CreateRouteTable", "{'VpcId':'%s'}", s.vpc);
	no(f, "CreateRouteTable", "RouteTableLimitExceeded", NULL,
	    "{'VpcId':'%s'}", s.vpc);
	for (int i = 2; i < 500; i++)
		ok(f, "CreateRoute", "{'RouteTableId':'%s','GatewayId':'%s',"
		    "'DestinationCidrBlock':'192.168.%d.%d/32'}", s.table,
		    s.igw, i / 256, i % 256);
	no(f, "CreateRoute", "RouteLimitExceeded", full, "{'RouteTableId':"
	    "'%s','GatewayId':'%s','DestinationCidrBlock':'192.168.9.0/32'}",
	    s.table, s.igw);
	more = at(f, ok(f, "CreateSubnet", "{'VpcId':'%s','CidrBlock':"
	    "'10.0.250.0/24'}", s.vpc), "Subnet.SubnetId");
	for (int i = 0; i < 64; i++)
		nat = at(f, ok(f, "CreateNatGateway", "{'SubnetId':'%s',"
		    "'ConnectivityType':'private'}", more),
		    "NatGateway.NatGatewayId");
	no(f, "CreateNatGateway", "NatGatewayLimitExceeded", NULL,
	    "{'SubnetId':'%s','ConnectivityType':'private'}", more);
	ok(f, "DeleteNatGateway", "{'NatGatewayId':'%s'}", nat);
	/* It counts until the network has let go of it. */
	no(f, "CreateNatGateway", "NatGatewayLimitExceeded", NULL,
	    "{'SubnetId':'%s','ConnectivityType':'private'}", more);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(starts_with_defaults),
		CASE(leaves_nothing),
		CASE(gives_interfaces_addresses),
		CASE(changes_rules),
		CASE(refuses),
		CASE(pages_and_tags),
		CASE(reroutes),
		CASE(has_quotas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
