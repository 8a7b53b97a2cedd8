/* How to launch: launch type, capacity provider, platform, network.  Services
 * and RunTask ask the same questions. */
#include "svc/ecs/ecs.h"

#include "base/err.h"
#include "svc/ec2/kinds.h"

#define INVALID "InvalidParameterException"

static struct reply *
check_strategy(struct call *c, const struct doc *strategy)
{
	int bases = 0, weights = 0;

	doc_each(s, strategy) {
		struct span name = doc_get_str(s, "capacityProvider");

		if (!span_is(name, "FARGATE") && !span_is(name, "FARGATE_SPOT"))
			return reply_error(c, INVALID,
			    "The specified capacity provider '%.*s' was not "
			    "found. Specify a valid name or ARN and try again.",
			    SPAN_ARG(name));
		bases += doc_get_int(s, "base", 0) > 0;
		weights += doc_get_int(s, "weight", 0) > 0;
	}
	if (bases > 1)
		return reply_error(c, INVALID,
		    "Only one capacity provider in a strategy can have a base "
		    "defined.");
	if (!weights)
		return reply_error(c, INVALID,
		    "The capacity provider strategy must have at least one "
		    "capacity provider with a weight greater than zero.");
	return NULL;
}

static struct reply *
check_provider(struct call *c, const struct doc *in, const struct res *cluster,
    struct doc *spec)
{
	struct span type = doc_get_str(in, "launchType");
	const struct doc *strategy = doc_get(in, "capacityProviderStrategy");

	if (type.n && doc_len(strategy))
		return reply_error(c, INVALID,
		    "Specifying both a launch type and capacity provider "
		    "strategy is not supported. Remove one and try again.");
	if (!type.n && !doc_len(strategy))
		strategy = doc_get(cluster->spec,
		    "defaultCapacityProviderStrategy");
	if (!type.n && doc_len(strategy)) {
		doc_set(c->arena, spec, "capacityProviderStrategy",
		    doc_copy(c->arena, strategy));
		return check_strategy(c, strategy);
	}
	/* AWS takes EC2 for the default; there are no instances here, and a
	 * definition for Fargate says what is meant. */
	if (type.n && !span_is(type, "FARGATE"))
		return reply_not_implemented(c, "launchType %.*s",
		    SPAN_ARG(type));
	doc_set_str(c->arena, spec, "launchType", SPAN("FARGATE"));
	return NULL;
}

static struct reply *
check_platform(struct call *c, const struct doc *in, struct doc *spec)
{
	struct span v = doc_get_str(in, "platformVersion");

	if (v.n && !span_is(v, "LATEST") && !span_is(v, "1.4.0"))
		return reply_error(c, "PlatformUnknownException",
		    "The specified platform does not satisfy the task "
		    "definition's required capabilities.");
	doc_set_str(c->arena, spec, "platformVersion",
	    span_is(v, "1.4.0") ? v : SPAN("LATEST"));
	doc_set_str(c->arena, spec, "platformFamily", SPAN("Linux"));
	return NULL;
}

static struct reply *
check_subnets(struct call *c, const struct doc *subnets, struct span *ret_vpc)
{
	struct span vpc = SPAN_NULL;

	if (!doc_len(subnets))
		return reply_error(c, INVALID, "subnets can not be empty.");
	if (doc_len(subnets) > 16)
		return reply_error(c, INVALID,
		    "subnets can have at most 16 items.");
	doc_each(v, subnets) {
		struct span id = doc_span(v), in;
		struct res *r;
		int e = store_get(c->store, c->arena, &ec2_subnet, c->scope,
		    SPAN_NULL, id, &r);

		if (e < 0)
			return reply_failure(c, e);
		if (e)
			return reply_error(c, INVALID,
			    "Error retrieving subnet information for [%.*s]: "
			    "The subnet ID '%.*s' does not exist (ErrorCode: "
			    "InvalidSubnetID.NotFound)",
			    SPAN_ARG(id), SPAN_ARG(id));
		in = doc_get_str(r->spec, "VpcId");
		if (vpc.n && !span_eq(vpc, in))
			return reply_error(c, INVALID,
			    "subnets must all belong to the same VPC.");
		vpc = in;
	}
	*ret_vpc = vpc;
	return NULL;
}

static struct reply *
check_groups(struct call *c, const struct doc *groups, struct span vpc)
{
	if (doc_len(groups) > 5)
		return reply_error(c, INVALID,
		    "securityGroups can have at most 5 items.");
	doc_each(v, groups) {
		struct span id = doc_span(v);
		struct res *r;
		int e = store_get(c->store, c->arena, &ec2_security_group,
		    c->scope, SPAN_NULL, id, &r);

		if (e < 0)
			return reply_failure(c, e);
		if (e)
			return reply_error(c, INVALID,
			    "Error retrieving security group information for "
			    "[%.*s]: The security group '%.*s' does not exist "
			    "(ErrorCode: InvalidGroup.NotFound)",
			    SPAN_ARG(id), SPAN_ARG(id));
		if (!span_eq(doc_get_str(r->spec, "VpcId"), vpc))
			return reply_error(c, INVALID,
			    "Security group %.*s does not appear to belong to "
			    "the same VPC as the input subnets.",
			    SPAN_ARG(id));
	}
	return NULL;
}

static struct reply *
check_network(struct call *c, const struct doc *in, struct doc *spec)
{
	const struct doc *net =
	    doc_path(in, "networkConfiguration", "awsvpcConfiguration", NULL);
	struct doc *own, *full;
	struct span vpc = SPAN_NULL;
	struct reply *bad;

	if (!net)
		return reply_error(c, INVALID,
		    "Network Configuration must be provided when networkMode "
		    "'awsvpc' is specified.");
	if ((bad = check_subnets(c, doc_get(net, "subnets"), &vpc)) ||
	    (bad = check_groups(c, doc_get(net, "securityGroups"), vpc)))
		return bad;
	own = doc_copy(c->arena, net);
	if (!doc_get(own, "securityGroups"))
		doc_set(c->arena, own, "securityGroups", doc_arr(c->arena));
	if (!doc_get(own, "assignPublicIp"))
		doc_set_str(c->arena, own, "assignPublicIp", SPAN("DISABLED"));
	full = doc_obj(c->arena);
	doc_set(c->arena, full, "awsvpcConfiguration", own);
	doc_set(c->arena, spec, "networkConfiguration", full);
	return NULL;
}

struct reply *
launch_check(struct call *c, const struct doc *in, const struct res *cluster,
    const struct doc *def, struct doc *spec)
{
	struct reply *bad;

	if (!doc_has_str(doc_get(def, "compatibilities"), SPAN("FARGATE")))
		return reply_error(c, INVALID,
		    "Task definition does not support launch_type FARGATE.");
	if (doc_len(doc_get(in, "placementConstraints")) ||
	    doc_len(doc_get(in, "placementStrategy")))
		return reply_error(c, INVALID,
		    "Placement strategies and constraints are not supported "
		    "with FARGATE launch type.");
	if (doc_true(doc_get(in, "enableExecuteCommand")))
		return reply_not_implemented(c, "enableExecuteCommand");
	if (doc_len(doc_get(in, "volumeConfigurations")))
		return reply_not_implemented(c, "volumeConfigurations");
	if ((bad = check_provider(c, in, cluster, spec)) ||
	    (bad = check_platform(c, in, spec)))
		return bad;
	return check_network(c, in, spec);
}
