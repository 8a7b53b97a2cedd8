/* Security groups; their rules are resources of their own. */
#include "base/err.h"
#include "svc/ec2/ops.h"
#include "svc/ec2/permission.h"

enum { NAME_MAX_LEN = 255 };

static int
group_render(const struct at *at, const struct res *r, struct doc *d)
{
	struct doc *in = doc_arr(at->arena), *out = doc_arr(at->arena);
	struct res_list l;
	int e = rule_list(at, r, &l);

	if (e < 0)
		return err_trace(e);
	for (size_t i = 0; i < l.n; i++)
		permission_add(at->arena,
		    doc_get_bool(l.v[i]->spec, "IsEgress", false) ? out : in,
		    l.v[i]->spec);
	doc_set(at->arena, d, "IpPermissions", in);
	doc_set(at->arena, d, "IpPermissionsEgress", out);
	doc_set_str(at->arena, d, "SecurityGroupArn", r->arn);
	return 0;
}

static const struct ec2_filter filters[] = {
	{"description", "Description", NULL},
	{"egress.ip-permission.cidr", "IpPermissionsEgress.IpRanges.CidrIp",
	    NULL},
	{"egress.ip-permission.from-port", "IpPermissionsEgress.FromPort",
	    NULL},
	{"egress.ip-permission.group-id",
	    "IpPermissionsEgress.UserIdGroupPairs.GroupId", NULL},
	{"egress.ip-permission.group-name",
	    "IpPermissionsEgress.UserIdGroupPairs.GroupName", NULL},
	{"egress.ip-permission.ipv6-cidr",
	    "IpPermissionsEgress.Ipv6Ranges.CidrIpv6", NULL},
	{"egress.ip-permission.prefix-list-id", NULL, NULL},
	{"egress.ip-permission.protocol", "IpPermissionsEgress.IpProtocol",
	    NULL},
	{"egress.ip-permission.to-port", "IpPermissionsEgress.ToPort", NULL},
	{"egress.ip-permission.user-id",
	    "IpPermissionsEgress.UserIdGroupPairs.UserId", NULL},
	{"group-id", "GroupId", NULL},
	{"group-name", "GroupName", "spec.GroupName"},
	{"ip-permission.cidr", "IpPermissions.IpRanges.CidrIp", NULL},
	{"ip-permission.from-port", "IpPermissions.FromPort", NULL},
	{"ip-permission.group-id", "IpPermissions.UserIdGroupPairs.GroupId",
	    NULL},
	{"ip-permission.group-name",
	    "IpPermissions.UserIdGroupPairs.GroupName", NULL},
	{"ip-permission.ipv6-cidr", "IpPermissions.Ipv6Ranges.CidrIpv6", NULL},
	{"ip-permission.prefix-list-id", NULL, NULL},
	{"ip-permission.protocol", "IpPermissions.IpProtocol", NULL},
	{"ip-permission.to-port", "IpPermissions.ToPort", NULL},
	{"ip-permission.user-id", "IpPermissions.UserIdGroupPairs.UserId",
	    NULL},
	{"owner-id", "OwnerId", NULL},
	{"vpc-id", "VpcId", "spec.VpcId"},
	{NULL, NULL, NULL},
};

const struct noun noun_group = {
	.kind = &ec2_security_group,
	.type = "security-group",
	.prefix = "sg-",
	.label = "security group",
	.not_found = "InvalidGroup.NotFound",
	.malformed = "InvalidGroupId.Malformed",
	.id = "GroupId",
	.ids = "GroupIds",
	.list = "SecurityGroups",
	.tags = "Tags",
	.filters = filters,
	.render = group_render,
};

/* AWS: a new group lets everything out. */
static int
allow_egress(const struct at *at, const struct res *group)
{
	struct doc *rule = doc_obj(at->arena);
	struct res *made;

	doc_set_bool(at->arena, rule, "IsEgress", true);
	doc_set_str(at->arena, rule, "IpProtocol", SPAN("-1"));
	doc_set_int(at->arena, rule, "FromPort", -1);
	doc_set_int(at->arena, rule, "ToPort", -1);
	doc_set_str(at->arena, rule, "CidrIpv4", SPAN("0.0.0.0/0"));
	return rule_make(at, group, rule, &made);
}

int
group_make(const struct at *at, struct span vpc, struct span name,
    struct span description, struct res **ret)
{
	struct res *r = noun_new(at, &noun_group, SPAN_NULL);
	int e;

	doc_set_str(at->arena, r->spec, "GroupName", name);
	doc_set_str(at->arena, r->spec, "Description", description);
	doc_set_str(at->arena, r->spec, "VpcId", vpc);
	if ((e = noun_insert(at, r)) < 0 || (e = allow_egress(at, r)) < 0)
		return err_trace(e);
	*ret = r;
	return 0;
}

/* AWS: the default group admits its own members. */
int
group_make_default(const struct at *at, struct span vpc)
{
	struct doc *rule = doc_obj(at->arena), *self = doc_obj(at->arena);
	struct res *r, *made;
	int e = group_make(at, vpc, SPAN("default"),
	    SPAN("default VPC security group"), &r);

	if (e < 0)
		return err_trace(e);
	doc_set_str(at->arena, self, "GroupId", r->id);
	doc_set_str(at->arena, self, "UserId", at->scope.account);
	doc_set_bool(at->arena, rule, "IsEgress", false);
	doc_set_str(at->arena, rule, "IpProtocol", SPAN("-1"));
	doc_set_int(at->arena, rule, "FromPort", -1);
	doc_set_int(at->arena, rule, "ToPort", -1);
	doc_set(at->arena, rule, "ReferencedGroupInfo", self);
	return rule_make(at, r, rule, &made);
}

int
group_drop(const struct at *at, const struct res *group)
{
	struct res_list l;
	int e = rule_list(at, group, &l);

	for (size_t i = 0; e >= 0 && i < l.n; i++)
		e = store_delete(at->store, l.v[i]);
	return e < 0 ? err_trace(e) : store_delete(at->store, group);
}

int
group_by_name(const struct at *at, struct span vpc, struct span name,
    struct res **ret)
{
	struct res_list l;
	int e = noun_list(at, &ec2_security_group, "spec.GroupName", name, &l);

	if (e < 0)
		return err_trace(e);
	*ret = NULL;
	for (size_t i = 0; i < l.n; i++)
		if (span_eq(doc_get_str(l.v[i]->spec, "VpcId"), vpc))
			*ret = l.v[i];
	return 0;
}

struct reply *
group_named(struct call *c, struct res **ret)
{
	struct span id = doc_get_str(c->in, "GroupId");
	struct span name = doc_get_str(c->in, "GroupName");
	struct at at = at_of(c);
	struct res *vpc, *r;
	int e;

	if (id.n > 0)
		return noun_get(c, &noun_group, id, ret);
	if (name.n == 0)
		return noun_missing(c, "groupName or groupId");
	if ((e = vpc_default(&at, &vpc)) > 0)
		return reply_error(c, "VPCIdNotSpecified",
		    "No default VPC for this user");
	if (e < 0 || (e = group_by_name(&at, vpc->id, name, &r)) < 0)
		return reply_failure(c, e);
	if (!r)
		return reply_error(c, "InvalidGroup.NotFound", "The security "
		    "group '%.*s' does not exist in default VPC '%.*s'",
		    SPAN_ARG(name), SPAN_ARG(vpc->id));
	*ret = r;
	return NULL;
}

/* AWS: names and descriptions are of a-z, A-Z, 0-9, spaces and
 * ._-:/()#,@[]+=&;{}!$* */
static struct reply *
text_refused(struct call *c, const char *param, struct span s)
{
	static const char others[] = " ._-:/()#,@[]+=&;{}!$*";

	if (s.n > NAME_MAX_LEN)
		return noun_invalid(c, "Value (%.*s) for parameter %s is "
		    "invalid. The value must be at most 255 characters long.",
		    SPAN_ARG(s), param);
	for (size_t i = 0; i < s.n; i++) {
		char ch = s.p[i];

		if (ch & 0x80)
			return noun_invalid(c, "Value (%.*s) for parameter %s "
			    "is invalid. Character sets beyond ASCII are not "
			    "supported.", SPAN_ARG(s), param);
		if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
			(ch >= '0' && ch <= '9') ||
			(ch && strchr(others, ch))))
			return noun_invalid(c, "Invalid security group %s. "
			    "Valid %ss are strings less than 256 characters "
			    "from the following set:  a-zA-Z0-9. "
			    "_-:/()#,@[]+=&;{}!$*",
			    span_is(span_of(param), "GroupName") ?
				"name" : "description",
			    span_is(span_of(param), "GroupName") ?
				"name" : "description");
	}
	return NULL;
}

static struct reply *
name_refused(struct call *c, struct span name)
{
	if (span_is(name, "default"))
		return noun_invalid(c,
		    "Cannot use reserved security group name: default");
	if (span_starts(name, SPAN("sg-")))
		return noun_invalid(c, "Invalid security group name. Group "
		    "names may not be in the format sg-*.");
	return text_refused(c, "GroupName", name);
}

/* The VPC asked for, or the default one. */
static struct reply *
home(struct call *c, struct res **ret)
{
	struct span id = doc_get_str(c->in, "VpcId");
	struct at at = at_of(c);
	int e;

	if (id.n > 0)
		return noun_get(c, &noun_vpc, id, ret);
	if ((e = vpc_default(&at, ret)) < 0)
		return reply_failure(c, e);
	if (e > 0)
		return reply_error(c, "VPCIdNotSpecified",
		    "No default VPC for this user");
	return NULL;
}

struct reply *
group_create(struct call *c)
{
	struct span name = doc_get_str(c->in, "GroupName");
	struct span description = doc_get_str(c->in, "Description");
	struct doc *out = doc_obj(c->arena), *tags;
	struct at at = at_of(c);
	struct res *vpc, *r;
	struct reply *refusal;
	int e;

	if (description.n == 0)
		return noun_missing(c, "GroupDescription");
	if ((refusal = name_refused(c, name)) ||
	    (refusal = text_refused(c, "GroupDescription", description)) ||
	    (refusal = home(c, &vpc)))
		return refusal;
	if ((e = group_by_name(&at, vpc->id, name, &r)) < 0)
		return reply_failure(c, e);
	if (r)
		return reply_error(c, "InvalidGroup.Duplicate", "The security "
		    "group '%.*s' already exists for VPC '%.*s'",
		    SPAN_ARG(name), SPAN_ARG(vpc->id));
	if ((e = group_make(&at, vpc->id, name, description, &r)) < 0)
		return reply_failure(c, e);
	if ((refusal = tags_specified(c, noun_group.type, r)))
		return refusal;
	if ((e = tags_show(&at, r, &tags)) < 0)
		return reply_failure(c, e);
	doc_set_str(c->arena, out, "GroupId", r->id);
	doc_set_str(c->arena, out, "SecurityGroupArn", r->arn);
	doc_set(c->arena, out, "Tags", tags);
	return reply_ok(c, out);
}

/* Does an interface or a rule of another group name it? */
static int
group_busy(const struct at *at, const struct res *group)
{
	struct res_list l;
	int e = noun_any(at, &ec2_network_interface, "spec.Groups", group->id);

	if (e != 0)
		return e;
	e = noun_list(at, &ec2_security_group_rule,
	    "spec.ReferencedGroupInfo.GroupId", group->id, &l);
	if (e < 0)
		return err_trace(e);
	for (size_t i = 0; i < l.n; i++)
		if (!span_eq(l.v[i]->parent, group->id))
			return 1;
	return 0;
}

struct reply *
group_delete(struct call *c)
{
	struct doc *out = doc_obj(c->arena);
	struct at at = at_of(c);
	struct reply *refusal;
	struct res *r;
	int e;

	if ((refusal = group_named(c, &r)))
		return refusal;
	if (span_is(doc_get_str(r->spec, "GroupName"), "default"))
		return reply_error(c, "CannotDelete", "the specified group: "
		    "\"%.*s\" name: \"default\" cannot be deleted by a user",
		    SPAN_ARG(r->id));
	if ((e = group_busy(&at, r)) > 0)
		return reply_error(c, "DependencyViolation",
		    "resource %.*s has a dependent object", SPAN_ARG(r->id));
	if (e < 0 || (e = group_drop(&at, r)) < 0)
		return reply_failure(c, e);
	doc_set_bool(c->arena, out, "Return", true);
	doc_set_str(c->arena, out, "GroupId", r->id);
	return reply_ok(c, out);
}

/* Groups asked for by name are those of the default VPC; they become ids. */
struct reply *
group_describe(struct call *c)
{
	const struct doc *names = doc_get(c->in, "GroupNames");
	struct doc *in, *ids;
	struct at at = at_of(c);
	struct res *vpc = NULL, *r;
	int e;

	if (doc_len(names) == 0)
		return noun_describe(c, &noun_group);
	in = doc_copy(c->arena, c->in);
	ids = doc_get(in, "GroupIds");
	ids = ids ? doc_copy(c->arena, ids) : doc_arr(c->arena);
	if ((e = vpc_default(&at, &vpc)) < 0)
		return reply_failure(c, e);
	doc_each(n, names) {
		struct span name = doc_span(n);

		r = NULL;
		if (vpc && (e = group_by_name(&at, vpc->id, name, &r)) < 0)
			return reply_failure(c, e);
		if (!r)
			return noun_not_found(c, &noun_group, name);
		doc_push_str(c->arena, ids, r->id);
	}
	doc_set(c->arena, in, "GroupIds", ids);
	c->in = in;
	return noun_describe(c, &noun_group);
}

/* GetSecurityGroupsForVpc: nothing is shared here, so those of the VPC. */
struct reply *
group_for_vpc(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena), *d;
	const struct doc *wanted = doc_get(c->in, "Filters");
	struct span unknown = ec2_filter_unknown(wanted, filters);
	struct at at = at_of(c);
	struct reply *refusal;
	struct res_list l;
	struct res *vpc;
	int e;

	if (unknown.n > 0)
		return noun_invalid(c, "The filter '%.*s' is invalid",
		    SPAN_ARG(unknown));
	refusal = noun_get(c, &noun_vpc, doc_get_str(c->in, "VpcId"), &vpc);
	if (refusal)
		return refusal;
	e = noun_list(&at, &ec2_security_group, "spec.VpcId", vpc->id, &l);
	for (size_t i = 0; e >= 0 && i < l.n; i++) {
		if ((e = noun_show(&at, &noun_group, l.v[i], &d)) < 0)
			break;
		if (!ec2_filter_match(wanted, filters, d, doc_get(d, "Tags")))
			continue;
		doc_set_str(c->arena, d, "PrimaryVpcId", vpc->id);
		doc_push(list, d);
	}
	if (e < 0)
		return reply_failure(c, e);
	return reply_ok(c,
	    doc_set(c->arena, out, "SecurityGroupForVpcs", list));
}
