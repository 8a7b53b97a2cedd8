/* Rules of security groups: authorize, revoke, modify, describe. */
#include "base/err.h"
#include "svc/ec2/ops.h"
#include "svc/ec2/permission.h"

/* AWS: 60 unless raised; 1,000 is the most it can be raised to. */
enum { RULES_MAX = 1000 };

static int
rule_render(const struct at *at, const struct res *r, struct doc *d)
{
	doc_set_str(at->arena, d, "GroupOwnerId", at->scope.account);
	doc_set_str(at->arena, d, "SecurityGroupRuleArn", r->arn);
	return 0;
}

static const struct ec2_filter filters[] = {
	{"group-id", "GroupId", "spec.GroupId"},
	{"security-group-rule-id", "SecurityGroupRuleId", NULL},
	{NULL, NULL, NULL},
};

const struct noun noun_rule = {
	.kind = &ec2_security_group_rule,
	.type = "security-group-rule",
	.prefix = "sgr-",
	.label = "security group rule ID",
	.not_found = "InvalidSecurityGroupRuleId.NotFound",
	.malformed = "InvalidSecurityGroupRuleId.Malformed",
	.id = "SecurityGroupRuleId",
	.ids = "SecurityGroupRuleIds",
	.list = "SecurityGroupRules",
	.tags = "Tags",
	.filters = filters,
	.render = rule_render,
};

int
rule_make(const struct at *at, const struct res *group,
    const struct doc *rule, struct res **ret)
{
	struct res *r = noun_new(at, &noun_rule, group->id);
	int e;

	doc_set_str(at->arena, r->spec, "GroupId", group->id);
	doc_each_key(k, v, rule)
		doc_setn(at->arena, r->spec, k, doc_copy(at->arena, v));
	if ((e = noun_insert(at, r)) < 0)
		return err_trace(e);
	*ret = r;
	return 0;
}

int
rule_list(const struct at *at, const struct res *group, struct res_list *ret)
{
	const struct query q = {.kind = &ec2_security_group_rule,
		.scope = at->scope, .parent = group->id};

	return store_list(at->store, at->arena, &q, ret);
}

/* The group that a rule names, by id or by name in the rule's VPC; the rule
 * then names it by id and owner. */
static struct reply *
resolve(struct call *c, const struct res *group, struct doc *rule)
{
	struct doc *info = doc_get(rule, "ReferencedGroupInfo");
	struct span vpc = doc_get_str(group->spec, "VpcId");
	struct span name = doc_get_str(info, "GroupName");
	struct span id = doc_get_str(info, "GroupId");
	struct at at = at_of(c);
	struct reply *refusal;
	struct res *peer = NULL;
	int e;

	if (!info)
		return NULL;
	if (id.n > 0) {
		if ((refusal = noun_get(c, &noun_group, id, &peer)))
			return refusal;
	} else if ((e = group_by_name(&at, vpc, name, &peer)) < 0) {
		return reply_failure(c, e);
	} else if (!peer) {
		return noun_not_found(c, &noun_group, name);
	}
	if (!span_eq(doc_get_str(peer->spec, "VpcId"), vpc))
		return reply_error(c, "InvalidGroup.NotFound", "You have "
		    "specified two resources that belong to different "
		    "networks.");
	doc_del(info, "GroupName");
	doc_set_str(c->arena, info, "GroupId", peer->id);
	doc_set_str(c->arena, info, "UserId", c->scope.account);
	return NULL;
}

static struct reply *
prefix_lists(struct call *c, const struct doc *permissions)
{
	doc_each(p, permissions)
		doc_each(l, doc_get(p, "PrefixListIds"))
			return reply_error(c, "InvalidPrefixListId.NotFound",
			    "The prefix list ID '%.*s' does not exist",
			    SPAN_ARG(doc_get_str(l, "PrefixListId")));
	return NULL;
}

/* Rules in normal form, groups resolved. */
static struct reply *
normal(struct call *c, const struct res *group, const struct doc *permissions,
    bool egress, struct doc **ret)
{
	struct reply *refusal = prefix_lists(c, permissions);
	struct span why;
	struct doc *rules;

	if (refusal)
		return refusal;
	if (permission_rules(c->arena, permissions, egress, &rules, &why) != 0)
		return noun_invalid(c, "%.*s", SPAN_ARG(why));
	if (doc_len(rules) == 0)
		return noun_missing(c, "cidrIp, cidrIpv6, sourceSecurityGroup "
		    "or prefixListId");
	doc_each(r, rules)
		if ((refusal = resolve(c, group, r)))
			return refusal;
	*ret = rules;
	return NULL;
}

/* The rules that the request describes, by IpPermissions or the parameters
 * that were before them. */
static struct reply *
wanted(struct call *c, const struct res *group, bool egress, struct doc **ret)
{
	const struct doc *permissions = doc_get(c->in, "IpPermissions");
	struct doc *flat = permission_flat(c->arena, c->in);

	if (permissions && flat)
		return reply_error(c, "InvalidParameterCombination",
		    "The parameter 'ipPermissions' may not be used in "
		    "combination with 'ipProtocol'");
	if (!permissions && !flat)
		return noun_missing(c, "ipPermissions");
	return normal(c, group, permissions ? permissions : flat, egress, ret);
}

/* The rule of the list that is the same, or NULL. */
static struct res *
same_rule(struct arena *a, const struct res_list *l, const struct doc *rule)
{
	struct span key = permission_key(a, rule);

	for (size_t i = 0; i < l->n; i++)
		if (span_eq(permission_key(a, l->v[i]->spec), key))
			return l->v[i];
	return NULL;
}

/* New rules must differ from each other and from those that are there. */
static struct reply *
all_new(struct call *c, const struct res_list *have, const struct doc *rules)
{
	struct doc *seen = doc_arr(c->arena);

	doc_each(r, rules) {
		struct span key = permission_key(c->arena, r);

		if (doc_has_str(seen, key))
			return noun_invalid(c, "The same permission must not "
			    "appear multiple times");
		doc_push_str(c->arena, seen, key);
		if (same_rule(c->arena, have, r))
			return reply_error(c, "InvalidPermission.Duplicate",
			    "the specified rule \"%.*s\" already exists",
			    SPAN_ARG(permission_text(c->arena, r)));
	}
	if (have->n + doc_len(rules) > RULES_MAX)
		return reply_error(c, "RulesPerSecurityGroupLimitExceeded",
		    "The maximum number of rules per security group has been "
		    "reached.");
	return NULL;
}

static struct reply *
authorize(struct call *c, bool egress)
{
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena);
	struct at at = at_of(c);
	struct doc *rules, *d;
	struct reply *refusal;
	struct res *group, *made;
	struct res_list have;
	int e;

	if ((refusal = group_named(c, &group)) ||
	    (refusal = wanted(c, group, egress, &rules)))
		return refusal;
	if ((e = rule_list(&at, group, &have)) < 0)
		return reply_failure(c, e);
	if ((refusal = all_new(c, &have, rules)))
		return refusal;
	doc_each(r, rules) {
		if ((e = rule_make(&at, group, r, &made)) < 0)
			return reply_failure(c, e);
		if ((refusal = tags_specified(c, noun_rule.type, made)))
			return refusal;
		if ((e = noun_show(&at, &noun_rule, made, &d)) < 0)
			return reply_failure(c, e);
		doc_push(list, d);
	}
	doc_set_bool(c->arena, out, "Return", true);
	doc_set(c->arena, out, "SecurityGroupRules", list);
	return reply_ok(c, out);
}

struct reply *
rule_authorize_ingress(struct call *c)
{
	return authorize(c, false);
}

struct reply *
rule_authorize_egress(struct call *c)
{
	return authorize(c, true);
}

/* A rule by id, of this group and direction. */
static struct reply *
rule_of(struct call *c, const struct res *group, struct span id, int egress,
    struct res **ret)
{
	struct reply *refusal = noun_get(c, &noun_rule, id, ret);

	if (refusal)
		return refusal;
	if (!span_eq((*ret)->parent, group->id) ||
	    (egress >= 0 &&
		doc_get_bool((*ret)->spec, "IsEgress", false) != egress))
		return noun_not_found(c, &noun_rule, id);
	return NULL;
}

static int
revoke_one(struct call *c, const struct res *r, struct doc *out)
{
	struct doc *d = doc_copy(c->arena, r->spec);
	const struct doc *info = doc_get(d, "ReferencedGroupInfo");

	if (info)
		doc_set_str(c->arena, d, "ReferencedGroupId",
		    doc_get_str(info, "GroupId"));
	doc_push(out, d);
	return store_delete(c->store, r);
}

static struct reply *
revoke_ids(struct call *c, const struct res *group, bool egress,
    struct doc *revoked)
{
	struct reply *refusal;
	struct res *r;
	int e;

	doc_each(id, doc_get(c->in, "SecurityGroupRuleIds")) {
		if ((refusal = rule_of(c, group, doc_span(id), egress, &r)))
			return refusal;
		if ((e = revoke_one(c, r, revoked)) < 0)
			return reply_failure(c, e);
	}
	return NULL;
}

/* AWS: a rule that is not there is an error, but not in the default VPC. */
static struct reply *
revoke_rules(struct call *c, const struct res *group, bool egress,
    struct doc *revoked, struct doc *unknown)
{
	struct at at = at_of(c);
	struct reply *refusal;
	struct res_list have;
	struct res *vpc, *r;
	struct doc *rules;
	int e;

	if ((refusal = wanted(c, group, egress, &rules)) ||
	    (refusal = noun_get(c, &noun_vpc, doc_get_str(group->spec, "VpcId"),
		 &vpc)))
		return refusal;
	if ((e = rule_list(&at, group, &have)) < 0)
		return reply_failure(c, e);
	doc_each(rule, rules) {
		if ((r = same_rule(c->arena, &have, rule))) {
			if ((e = revoke_one(c, r, revoked)) < 0)
				return reply_failure(c, e);
		} else if (doc_get_bool(vpc->spec, "IsDefault", false)) {
			permission_add(c->arena, unknown, rule);
		} else {
			return reply_error(c, "InvalidPermission.NotFound",
			    "The specified rule does not exist in this "
			    "security group.");
		}
	}
	return NULL;
}

static struct reply *
take_back(struct call *c, bool egress)
{
	struct doc *revoked = doc_arr(c->arena), *unknown = doc_arr(c->arena);
	struct doc *out = doc_obj(c->arena);
	struct reply *refusal;
	struct res *group;

	if ((refusal = group_named(c, &group)))
		return refusal;
	if (doc_get(c->in, "SecurityGroupRuleIds"))
		refusal = revoke_ids(c, group, egress, revoked);
	else
		refusal = revoke_rules(c, group, egress, revoked, unknown);
	if (refusal)
		return refusal;
	doc_set_bool(c->arena, out, "Return", true);
	doc_set(c->arena, out, "RevokedSecurityGroupRules", revoked);
	if (doc_len(unknown) > 0)
		doc_set(c->arena, out, "UnknownIpPermissions", unknown);
	return reply_ok(c, out);
}

struct reply *
rule_revoke_ingress(struct call *c)
{
	return take_back(c, false);
}

struct reply *
rule_revoke_egress(struct call *c)
{
	return take_back(c, true);
}

/* A SecurityGroupRuleRequest as the one permission it means. */
static struct doc *
as_permission(struct arena *a, const struct doc *request)
{
	static const struct {
		const char *member, *list, *key;
	} peers[] = {
		{"CidrIpv4", "IpRanges", "CidrIp"},
		{"CidrIpv6", "Ipv6Ranges", "CidrIpv6"},
		{"PrefixListId", "PrefixListIds", "PrefixListId"},
		{"ReferencedGroupId", "UserIdGroupPairs", "GroupId"},
	};
	struct doc *p = doc_copy(a, request), *out = doc_arr(a);

	for (size_t i = 0; i < ARRAY_SIZE(peers); i++) {
		struct span v = doc_get_str(request, peers[i].member);
		struct doc *list = doc_arr(a), *peer = doc_obj(a);

		if (v.n == 0)
			continue;
		doc_set_str(a, peer, peers[i].key, v);
		doc_set_str(a, peer, "Description",
		    doc_get_str(request, "Description"));
		doc_push(list, peer);
		doc_set(a, p, peers[i].list, list);
	}
	doc_push(out, p);
	return out;
}

/* AWS: the kind of peer stays. */
static bool
same_peer_kind(const struct doc *a, const struct doc *b)
{
	static const char *const kinds[] = {"CidrIpv4", "CidrIpv6",
		"ReferencedGroupInfo"};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!doc_get(a, kinds[i]) != !doc_get(b, kinds[i]))
			return false;
	return true;
}

static struct reply *
modify_one(struct call *c, const struct res *group, const struct doc *update)
{
	const struct doc *request = doc_get(update, "SecurityGroupRule");
	struct at at = at_of(c);
	struct reply *refusal;
	struct res_list have;
	struct doc *rules, *rule;
	struct res *r, *same;
	int e;

	refusal = rule_of(c, group, doc_get_str(update, "SecurityGroupRuleId"),
	    -1, &r);
	if (refusal)
		return refusal;
	if (!request)
		return noun_missing(c, "SecurityGroupRule");
	refusal = normal(c, group, as_permission(c->arena, request),
	    doc_get_bool(r->spec, "IsEgress", false), &rules);
	if (refusal)
		return refusal;
	rule = doc_at(rules, 0);
	if (doc_len(rules) != 1 || !same_peer_kind(rule, r->spec))
		return noun_invalid(c, "You may not change the type of the "
		    "source or destination of a security group rule.");
	if ((e = rule_list(&at, group, &have)) < 0)
		return reply_failure(c, e);
	if ((same = same_rule(c->arena, &have, rule)) && same->row != r->row)
		return reply_error(c, "InvalidPermission.Duplicate",
		    "the specified rule \"%.*s\" already exists",
		    SPAN_ARG(permission_text(c->arena, rule)));
	doc_del(r->spec, "Description");
	doc_each_key(k, v, rule)
		doc_setn(c->arena, r->spec, k, doc_copy(c->arena, v));
	if ((e = store_put_spec(c->store, r)) != 0)
		return reply_failure(c, e > 0 ? err_fold(e) : e);
	return NULL;
}

struct reply *
sg_rule_modify(struct call *c)
{
	struct reply *refusal;
	struct res *group;

	if ((refusal = group_named(c, &group)))
		return refusal;
	doc_each(u, doc_get(c->in, "SecurityGroupRules"))
		if ((refusal = modify_one(c, group, u)))
			return refusal;
	return noun_done(c);
}

/* Sets or, without one, removes the description. */
static int
set_description(struct call *c, struct res *r, struct span text)
{
	int e;

	doc_del(r->spec, "Description");
	if (text.n > 0)
		doc_set_str(c->arena, r->spec, "Description", text);
	e = store_put_spec(c->store, r);
	return e > 0 ? err_fold(e) : e;
}

static struct reply *
describe_ids(struct call *c, const struct res *group, bool egress)
{
	struct reply *refusal;
	struct res *r;
	int e;

	doc_each(d, doc_get(c->in, "SecurityGroupRuleDescriptions")) {
		refusal = rule_of(c, group,
		    doc_get_str(d, "SecurityGroupRuleId"), egress, &r);
		if (refusal)
			return refusal;
		e = set_description(c, r, doc_get_str(d, "Description"));
		if (e < 0)
			return reply_failure(c, e);
	}
	return NULL;
}

static struct reply *
describe_rules(struct call *c, const struct res *group, bool egress)
{
	struct at at = at_of(c);
	struct reply *refusal;
	struct res_list have;
	struct doc *rules;
	struct res *r;
	int e;

	if ((refusal = wanted(c, group, egress, &rules)))
		return refusal;
	if ((e = rule_list(&at, group, &have)) < 0)
		return reply_failure(c, e);
	doc_each(rule, rules) {
		if (!(r = same_rule(c->arena, &have, rule)))
			return reply_error(c, "InvalidPermission.NotFound",
			    "The specified rule does not exist in this "
			    "security group.");
		e = set_description(c, r, doc_get_str(rule, "Description"));
		if (e < 0)
			return reply_failure(c, e);
	}
	return NULL;
}

static struct reply *
update_descriptions(struct call *c, bool egress)
{
	struct reply *refusal;
	struct res *group;

	if ((refusal = group_named(c, &group)))
		return refusal;
	refusal = doc_get(c->in, "SecurityGroupRuleDescriptions") ?
	    describe_ids(c, group, egress) : describe_rules(c, group, egress);
	return refusal ? refusal : noun_done(c);
}

struct reply *
rule_describe_ingress(struct call *c)
{
	return update_descriptions(c, false);
}

struct reply *
rule_describe_egress(struct call *c)
{
	return update_descriptions(c, true);
}

struct reply *
sg_rule_describe(struct call *c)
{
	return noun_describe(c, &noun_rule);
}
