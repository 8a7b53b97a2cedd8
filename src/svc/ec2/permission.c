/* Security group rules in normal form, without a store. */
#include "svc/ec2/permission.h"

#include <inttypes.h>

#include "base/cidr.h"

enum { DESCRIPTION_MAX = 255, PORT_MAX = 65535, ICMP_MAX = 255 };

static const struct protocol {
	const char *name;
	const char *number;
	const char *text; /* in error messages */
	bool ports;
	bool icmp;
} protocols[] = {
	{"-1", "all", "ALL", false, false},
	{"tcp", "6", "TCP", true, false},
	{"udp", "17", "UDP", true, false},
	{"icmp", "1", "ICMP", false, true},
	{"icmpv6", "58", "ICMPv6", false, true},
};

static const struct protocol *
protocol_find(struct span s)
{
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (span_ieq(s, span_of(protocols[i].name)) ||
		    span_ieq(s, span_of(protocols[i].number)))
			return &protocols[i];
	return NULL;
}

/* Ports of TCP and UDP, type and code of ICMP; an empty span: they are good. */
static struct span
ports_refused(struct arena *a, const struct protocol *p, const struct doc *in)
{
	int64_t from = doc_get_int(in, "FromPort", -1);
	int64_t to = doc_get_int(in, "ToPort", -1);

	if (p->icmp) {
		if (from < -1 || from > ICMP_MAX)
			return arena_fmt_span(a,
			    "ICMP type (%" PRId64 ") out of range", from);
		if (to < -1 || to > ICMP_MAX)
			return arena_fmt_span(a,
			    "ICMP code (%" PRId64 ") out of range", to);
		return SPAN_NULL;
	}
	if (!p->ports)
		return SPAN_NULL;
	if (!doc_get(in, "FromPort") || !doc_get(in, "ToPort"))
		return SPAN("Invalid value 'Must specify both from and to "
			    "ports with TCP/UDP.' for portRange.");
	if (from < 0 || from > PORT_MAX || to < 0 || to > PORT_MAX)
		return arena_fmt_span(a,
		    "TCP/UDP port (%" PRId64 ") out of range",
		    from < 0 || from > PORT_MAX ? from : to);
	if (from > to)
		return arena_fmt_span(a, "Invalid TCP/UDP port range (%" PRId64
		    ":%" PRId64 ")", from, to);
	return SPAN_NULL;
}

/* Protocol and ports of one permission, as the start of its rules. */
static int
rule_start(struct arena *a, const struct doc *in, bool egress,
    struct doc **ret, struct span *ret_why)
{
	struct span name = doc_get_str(in, "IpProtocol");
	const struct protocol *p = protocol_find(name);
	struct doc *d = doc_obj(a);
	uint64_t number = 0;
	bool keep = p && (p->ports || p->icmp);

	if (!p && (!span_u64(name, &number) || number > 255)) {
		*ret_why = arena_fmt_span(a, "Invalid value '%.*s' for IP "
		    "protocol. Unknown protocol.", SPAN_ARG(name));
		return PERMISSION_E_INVALID;
	}
	if (p && (*ret_why = ports_refused(a, p, in)).n > 0)
		return PERMISSION_E_INVALID;
	doc_set_bool(a, d, "IsEgress", egress);
	doc_set_str(a, d, "IpProtocol", p ? span_of(p->name) :
	    arena_fmt_span(a, "%" PRIu64, number));
	doc_set_int(a, d, "FromPort",
	    keep ? doc_get_int(in, "FromPort", -1) : -1);
	doc_set_int(a, d, "ToPort", keep ? doc_get_int(in, "ToPort", -1) : -1);
	*ret = d;
	return 0;
}

static bool
description_ok(struct span s)
{
	static const char others[] = " ._-:/()#,@[]+=&;{}!$*";

	if (s.n > DESCRIPTION_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || (c && strchr(others, c))))
			return false;
	}
	return true;
}

enum peer { PEER_IPV4, PEER_IPV6, PEER_GROUP };

static bool
set_cidr(struct arena *a, struct doc *rule, enum peer kind, struct span text)
{
	struct span canonical;
	struct cidr cidr;

	if (kind == PEER_IPV6) {
		if (!cidr6_canonical(a, text, &canonical))
			return false;
		doc_set_str(a, rule, "CidrIpv6", canonical);
		return true;
	}
	if (!cidr_parse(text, &cidr))
		return false;
	doc_set_str(a, rule, "CidrIpv4", cidr_text(a, cidr_base(cidr)));
	return true;
}

static void
set_group(struct arena *a, struct doc *rule, const struct doc *pair)
{
	static const char *const names[] = {"GroupId", "GroupName", "UserId"};
	struct doc *info = doc_obj(a);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (doc_get_str(pair, names[i]).n > 0)
			doc_set_str(a, info, names[i],
			    doc_get_str(pair, names[i]));
	doc_set(a, rule, "ReferencedGroupInfo", info);
}

/* One rule for one peer. */
static int
rule_finish(struct arena *a, const struct doc *start, enum peer kind,
    const struct doc *in, struct doc *out, struct span *ret_why)
{
	struct span description = doc_get_str(in, "Description");
	struct span text = doc_get_str(in,
	    kind == PEER_IPV4 ? "CidrIp" : "CidrIpv6");
	struct doc *rule = doc_copy(a, start);

	if (!description_ok(description)) {
		*ret_why = SPAN("Invalid rule description. Valid descriptions "
		    "are strings less than 256 characters from the following "
		    "set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*");
		return PERMISSION_E_INVALID;
	}
	if (kind == PEER_GROUP)
		set_group(a, rule, in);
	else if (!set_cidr(a, rule, kind, text)) {
		*ret_why = arena_fmt_span(a, "CIDR block %.*s is malformed",
		    SPAN_ARG(text));
		return PERMISSION_E_INVALID;
	}
	if (description.n > 0)
		doc_set_str(a, rule, "Description", description);
	doc_push(out, rule);
	return 0;
}

int
permission_rules(struct arena *a, const struct doc *permissions, bool egress,
    struct doc **ret, struct span *ret_why)
{
	static const char *const lists[] = {[PEER_IPV4] = "IpRanges",
		[PEER_IPV6] = "Ipv6Ranges", [PEER_GROUP] = "UserIdGroupPairs"};
	struct doc *out = doc_arr(a), *start;
	int e;

	doc_each(p, permissions) {
		if ((e = rule_start(a, p, egress, &start, ret_why)) != 0)
			return e;
		for (enum peer k = PEER_IPV4; k <= PEER_GROUP; k++)
			doc_each(peer, doc_get(p, lists[k]))
				if ((e = rule_finish(a, start, k, peer, out,
					 ret_why)) != 0)
					return e;
	}
	*ret = out;
	return 0;
}

/* A permission with one peer in the list called member. */
static void
push_permission(struct arena *a, struct doc *out, struct span protocol,
    const struct doc *from, const struct doc *to, const char *member,
    const char *key, struct span value)
{
	struct doc *p = doc_obj(a), *list = doc_arr(a), *peer = doc_obj(a);

	doc_set_str(a, p, "IpProtocol", protocol);
	doc_set(a, p, "FromPort", from ? doc_copy(a, from) : NULL);
	doc_set(a, p, "ToPort", to ? doc_copy(a, to) : NULL);
	doc_set_str(a, peer, key, value);
	doc_push(list, peer);
	doc_push(out, doc_set(a, p, member, list));
}

/* AWS: a source group's name stands for all of TCP, UDP and ICMP from it. */
struct doc *
permission_flat(struct arena *a, const struct doc *in)
{
	struct span group = doc_get_str(in, "SourceSecurityGroupName");
	struct span protocol = doc_get_str(in, "IpProtocol");
	struct doc *out = doc_arr(a);

	if (group.n > 0 && protocol.n == 0) {
		const struct doc *zero = doc_int(a, 0);
		const struct doc *max = doc_int(a, PORT_MAX);

		push_permission(a, out, SPAN("tcp"), zero, max,
		    "UserIdGroupPairs", "GroupName", group);
		push_permission(a, out, SPAN("udp"), zero, max,
		    "UserIdGroupPairs", "GroupName", group);
		push_permission(a, out, SPAN("icmp"), NULL, NULL,
		    "UserIdGroupPairs", "GroupName", group);
		return out;
	}
	if (protocol.n == 0)
		return NULL;
	if (group.n > 0)
		push_permission(a, out, protocol, doc_get(in, "FromPort"),
		    doc_get(in, "ToPort"), "UserIdGroupPairs", "GroupName",
		    group);
	else
		push_permission(a, out, protocol, doc_get(in, "FromPort"),
		    doc_get(in, "ToPort"), "IpRanges", "CidrIp",
		    doc_get_str(in, "CidrIp"));
	return out;
}

static struct span
peer_of(const struct doc *rule)
{
	static const char *const members[] = {"CidrIpv4", "CidrIpv6"};

	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if (doc_get_str(rule, members[i]).n > 0)
			return doc_get_str(rule, members[i]);
	return doc_get_str(doc_get(rule, "ReferencedGroupInfo"), "GroupId");
}

struct span
permission_key(struct arena *a, const struct doc *rule)
{
	return arena_fmt_span(a, "%d %.*s %" PRId64 " %" PRId64 " %.*s",
	    doc_get_bool(rule, "IsEgress", false),
	    SPAN_ARG(doc_get_str(rule, "IpProtocol")),
	    doc_get_int(rule, "FromPort", -1), doc_get_int(rule, "ToPort", -1),
	    SPAN_ARG(peer_of(rule)));
}

static struct span
icmp_text(struct arena *a, int64_t v)
{
	return v < 0 ? SPAN("ALL") : arena_fmt_span(a, "%" PRId64, v);
}

struct span
permission_text(struct arena *a, const struct doc *rule)
{
	struct span name = doc_get_str(rule, "IpProtocol");
	const struct protocol *p = protocol_find(name);
	int64_t from = doc_get_int(rule, "FromPort", -1);
	int64_t to = doc_get_int(rule, "ToPort", -1);
	struct span peer = peer_of(rule);

	if (!p)
		return arena_fmt_span(a, "peer: %.*s, protocol: %.*s, ALLOW",
		    SPAN_ARG(peer), SPAN_ARG(name));
	if (p->icmp)
		return arena_fmt_span(a,
		    "peer: %.*s, %s, type: %.*s, code: %.*s, ALLOW",
		    SPAN_ARG(peer), p->text, SPAN_ARG(icmp_text(a, from)),
		    SPAN_ARG(icmp_text(a, to)));
	if (!p->ports)
		return arena_fmt_span(a, "peer: %.*s, %s, ALLOW",
		    SPAN_ARG(peer), p->text);
	return arena_fmt_span(a, "peer: %.*s, %s, from port: %" PRId64
	    ", to port: %" PRId64 ", ALLOW", SPAN_ARG(peer), p->text, from,
	    to);
}

/* The permission that has the rule's protocol and ports, made if need be. */
static struct doc *
permission_of(struct arena *a, struct doc *permissions,
    const struct doc *rule)
{
	static const char *const lists[] = {"IpRanges", "Ipv6Ranges",
		"UserIdGroupPairs", "PrefixListIds"};
	struct span name = doc_get_str(rule, "IpProtocol");
	int64_t from = doc_get_int(rule, "FromPort", -1);
	int64_t to = doc_get_int(rule, "ToPort", -1);
	const struct protocol *proto = protocol_find(name);
	struct doc *p;

	doc_each(d, permissions)
		if (span_eq(doc_get_str(d, "IpProtocol"), name) &&
		    doc_get_int(d, "FromPort", -1) == from &&
		    doc_get_int(d, "ToPort", -1) == to)
			return d;
	p = doc_obj(a);
	doc_set_str(a, p, "IpProtocol", name);
	if (proto && (proto->ports || proto->icmp)) {
		doc_set_int(a, p, "FromPort", from);
		doc_set_int(a, p, "ToPort", to);
	}
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		doc_set(a, p, lists[i], doc_arr(a));
	doc_push(permissions, p);
	return p;
}

void
permission_add(struct arena *a, struct doc *permissions,
    const struct doc *rule)
{
	struct doc *p = permission_of(a, permissions, rule);
	const struct doc *group = doc_get(rule, "ReferencedGroupInfo");
	bool ipv6 = doc_get(rule, "CidrIpv6") != NULL;
	struct span description = doc_get_str(rule, "Description");
	struct doc *peer = group ? doc_copy(a, group) : doc_obj(a);

	if (!group)
		doc_set_str(a, peer, ipv6 ? "CidrIpv6" : "CidrIp",
		    peer_of(rule));
	if (description.n > 0)
		doc_set_str(a, peer, "Description", description);
	doc_push(doc_get(p, group ? "UserIdGroupPairs" :
		     ipv6	  ? "Ipv6Ranges" :
				    "IpRanges"), peer);
}
