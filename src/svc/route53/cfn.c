/* Hosted zones as CloudFormation makes them, and the table of types. */
#include "base/err.h"
#include "base/id.h"
#include "svc/route53/cfn.h"
#include "svc/route53/route53.h"

#define ZONE	 "{'Id': '$ref'}"
#define TAGS	 "{'ResourceType': 'hostedzone', 'ResourceId': '$ref'}"
#define TAGS_MAX 10 /* of one call */

static const struct cfn_tagging tagging = {
	"ChangeTagsForResource", TAGS, "AddTags",
	"ChangeTagsForResource", TAGS, "RemoveTagKeys",
};

static const struct cfn_step create = {"CreateHostedZone", "Name "
	"HostedZoneConfig", "{'CallerReference': '$a..Reference', "
	"'VPC': '$p.VPCs.0'}", .map = NULL};
static const struct cfn_step comment = {"UpdateHostedZoneComment", "",
	"{'Id': '$ref', 'Comment': '$p.HostedZoneConfig.Comment'}",
	.map = NULL};

static bool
among(const struct doc *list, const struct doc *v)
{
	doc_each(x, list)
		if (doc_eq(x, v))
			return true;
	return false;
}

static int
vpc_call(struct cfn_run *run, const char *op, const struct doc *vpc,
    enum cfn_outcome *ret)
{
	struct doc *in = doc_obj(run->arena);

	doc_set_str(run->arena, in, "HostedZoneId", run->ref);
	doc_set(run->arena, in, "VPC", doc_copy(run->arena, vpc));
	return cfn_do(run, op, in, false, ret);
}

/* New ones first: a zone keeps one at least. */
static int
move_vpcs(struct cfn_run *run, const struct doc *was, const struct doc *is,
    enum cfn_outcome *ret)
{
	int e = 0;

	doc_each(v, is)
		if (!e && *ret != CFN_FAILED && !among(was, v))
			e = vpc_call(run, "AssociateVPCWithHostedZone", v, ret);
	doc_each(v, was)
		if (!e && *ret != CFN_FAILED && !among(is, v))
			e = vpc_call(run, "DisassociateVPCFromHostedZone", v,
			    ret);
	return e;
}

/* A call takes ten tags; the reserved ones are only CloudFormation's own, so
 * this goes past the checks of what a template may say. */
static int
put_tags(struct cfn_run *run, enum cfn_outcome *ret)
{
	struct doc *in = cfn_expr(run, TAGS), *some = doc_arr(run->arena);
	const struct doc *tags = doc_get(run->props, "HostedZoneTags");
	struct op_result r;
	size_t left = doc_len(tags);
	int e;

	doc_each(t, tags) {
		doc_push(some, doc_copy(run->arena, t));
		if (--left && doc_len(some) < TAGS_MAX)
			continue;
		doc_set(run->arena, in, "AddTags", some);
		e = op_call(run->api, run->arena, &run->who, run->scope,
		    "route53", "ChangeTagsForResource", in, &r);
		if (e)
			return err_trace(e);
		if (r.error.n) {
			*ret = cfn_refused(run, "ChangeTagsForResource", &r);
			return 0;
		}
		some = doc_arr(run->arena);
	}
	return 0;
}

static bool
can_all(struct cfn_run *run, enum cfn_outcome *ret)
{
	static const char *const missing[] = {"QueryLoggingConfig",
		"HostedZoneFeatures"};

	for (size_t i = 0; i < ARRAY_SIZE(missing); i++)
		if (doc_get(run->props, missing[i])) {
			*ret = cfn_fail(run, "AWS::Route53::HostedZone: "
			    "property %s is not implemented", missing[i]);
			return false;
		}
	return true;
}

static int
make_zone(struct cfn_run *run, enum cfn_outcome *ret)
{
	const struct doc *vpcs = doc_get(run->props, "VPCs");
	struct doc *first = doc_arr(run->arena), *servers;
	int e;

	if (!can_all(run, ret))
		return 0;
	doc_set_str(run->arena, run->attrs, ".Reference",
	    span_of(id_uuid(run->arena)));
	if ((e = cfn_step(run, &create, ret)) || *ret == CFN_FAILED)
		return err_trace(e);
	run->ref = r53_zone_id(doc_span(cfn_expr(run, "$o.HostedZone.Id")));
	servers = cfn_expr(run, "$o.DelegationSet.NameServers");
	/* AWS: a private zone has no name servers to tell of. */
	if (!doc_len(vpcs))
		doc_set(run->arena, run->attrs, "NameServers", servers);
	if (doc_len(vpcs))
		doc_push(first, doc_copy(run->arena, doc_at(vpcs, 0)));
	if ((e = move_vpcs(run, first, vpcs, ret)) || *ret == CFN_FAILED)
		return err_trace(e);
	return err_trace(put_tags(run, ret));
}

static int
change_zone(struct cfn_run *run, enum cfn_outcome *ret)
{
	const struct doc *was = doc_get(run->old, "VPCs");
	const struct doc *is = doc_get(run->props, "VPCs");
	int e;

	if (!can_all(run, ret))
		return 0;
	if (!doc_len(was) != !doc_len(is)) {
		*ret = cfn_fail(run, "AWS::Route53::HostedZone: making a "
		    "public hosted zone of a private one, or the other way "
		    "round, is not possible");
		return 0;
	}
	if (cfn_changed(run, "HostedZoneConfig") &&
	    ((e = cfn_step(run, &comment, ret)) || *ret == CFN_FAILED))
		return err_trace(e);
	if ((e = move_vpcs(run, was, is, ret)) || *ret == CFN_FAILED)
		return err_trace(e);
	return err_trace(cfn_retag(run, ret));
}

const struct cfn_map route53_types[] = {
	{
		.type = "AWS::Route53::HostedZone",
		.on_create = make_zone,
		.on_update = change_zone,
		.remove = CFN_STEPS(CFN_STEP("DeleteHostedZone", "", ZONE)),
		.attrs = "{'Id': '$ref'}",
		.tags = "HostedZoneTags",
		.tagging = &tagging,
	},
	{
		.type = "AWS::Route53::RecordSet",
		.on_create = cfn_records_create,
		.on_update = cfn_records_update,
		.on_remove = cfn_records_remove,
		.attrs = "{'Id': '$ref'}",
	},
	{
		.type = "AWS::Route53::RecordSetGroup",
		.on_create = cfn_records_create,
		.on_update = cfn_records_update,
		.on_remove = cfn_records_remove,
		.attrs = "{'Id': '$ref'}",
	},
	{.type = NULL},
};
