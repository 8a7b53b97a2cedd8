/* TagResources and UntagResources, through the owners' own operations. */
#include "base/err.h"
#include "svc/tagging/tagging.h"
#include "wire/wire.h"

#define INVALID "InvalidParameterException"

/* ARN's service, ours, tag, untag, members: resource, tags, keys. */
const struct tag_route tag_routes[] = {
	{"acm", "acm", "AddTagsToCertificate", "RemoveTagsFromCertificate",
	    "CertificateArn", "Tags", "Tags", .keys_in_pairs = true},
	{"application-autoscaling", "application-autoscaling", "TagResource",
	    "UntagResource", "ResourceARN", "Tags", "TagKeys",
	    .tag_form = TAGS_MAP},
	{"cloudwatch", "cloudwatch", "TagResource", "UntagResource",
	    "ResourceARN", "Tags", "TagKeys", .resource_form = RESOURCE_ARN},
	{"ec2", "ec2", "CreateTags", "DeleteTags", "Resources", "Tags", "Tags",
	    .resource_form = RESOURCE_IDS, .keys_in_pairs = true},
	{"ecr", "ecr", "TagResource", "UntagResource", "resourceArn", "tags",
	    "tagKeys", .resource_form = RESOURCE_ARN},
	{"ecs", "ecs", "TagResource", "UntagResource", "resourceArn", "tags",
	    "tagKeys", .tag_form = TAGS_LOWER},
	{"elasticloadbalancing", "elbv2", "AddTags", "RemoveTags",
	    "ResourceArns", "Tags", "TagKeys", .resource_form = RESOURCE_ARNS},
	{"events", "events", "TagResource", "UntagResource", "ResourceARN",
	    "Tags", "TagKeys", .resource_form = RESOURCE_ARN},
	{"iam", "iam", "TagPolicy", "UntagPolicy", "PolicyArn", "Tags",
	    "TagKeys", .resource_form = RESOURCE_ARN, .prefix = "policy/"},
	{"iam", "iam", "TagOpenIDConnectProvider",
	    "UntagOpenIDConnectProvider", "OpenIDConnectProviderArn", "Tags",
	    "TagKeys", .resource_form = RESOURCE_ARN,
	    .prefix = "oidc-provider/"},
	{"iam", "iam", "TagInstanceProfile", "UntagInstanceProfile",
	    "InstanceProfileName", "Tags", "TagKeys",
	    .resource_form = RESOURCE_ID, .prefix = "instance-profile/"},
	{"kms", "kms", "TagResource", "UntagResource", "KeyId", "Tags",
	    "TagKeys", .resource_form = RESOURCE_ID, .tag_form = TAGS_KMS},
	{"lambda", "lambda", "TagResource", "UntagResource", "Resource", "Tags",
	    "TagKeys", .tag_form = TAGS_MAP},
	{"logs", "logs", "TagResource", "UntagResource", "resourceArn", "tags",
	    "tagKeys", .tag_form = TAGS_MAP},
	{"route53", "route53", "ChangeTagsForResource",
	    "ChangeTagsForResource", "ResourceId", "AddTags", "RemoveTagKeys",
	    .resource_form = RESOURCE_ID, .type = "hostedzone"},
	{"scheduler", "scheduler", "TagResource", "UntagResource",
	    "ResourceArn", "Tags", "TagKeys", .resource_form = RESOURCE_ARN},
	{"secretsmanager", "secretsmanager", "TagResource", "UntagResource",
	    "SecretId", "Tags", "TagKeys", .resource_form = RESOURCE_ARN},
	{"servicediscovery", "servicediscovery", "TagResource",
	    "UntagResource", "ResourceARN", "Tags", "TagKeys", .resource_form = RESOURCE_ARN},
	{"sns", "sns", "TagResource", "UntagResource", "ResourceArn", "Tags",
	    "TagKeys", .resource_form = RESOURCE_ARN},
	{"ssm", "ssm", "AddTagsToResource", "RemoveTagsFromResource",
	    "ResourceId", "Tags", "TagKeys", .resource_form = RESOURCE_ARN,
	    .type = "Parameter"},
	{.namespace = NULL},
};

static const struct tag_route *
route_of(const struct arn *a)
{
	for (const struct tag_route *r = tag_routes; r->namespace; r++)
		if (span_is(a->service, r->namespace) && (!r->prefix ||
			span_starts(a->resource, span_of(r->prefix))))
			return r;
	return NULL;
}

static struct doc *
resource_value(struct arena *a, const struct tag_route *r, struct span arn)
{
	ptrdiff_t slash = span_rchr(arn, '/');
	struct span id = span_from(arn, (size_t)(slash + 1));
	struct doc *list = doc_arr(a);

	switch (r->resource_form) {
	case RESOURCE_ARN:
		return doc_str(a, arn);
	case RESOURCE_ID:
		return doc_str(a, id);
	case RESOURCE_ARNS:
		doc_push_str(a, list, arn);
		break;
	case RESOURCE_IDS:
		doc_push_str(a, list, id);
		break;
	}
	return list;
}

static struct doc *
tags_value(struct arena *a, enum tag_form form, const struct doc *map)
{
	static const char *const names[][2] = {
		[TAGS_UPPER] = {"Key", "Value"},
		[TAGS_LOWER] = {"key", "value"},
		[TAGS_KMS] = {"TagKey", "TagValue"},
		[TAGS_MAP] = {NULL, NULL},
	};
	struct doc *list = doc_arr(a), *t;

	if (form == TAGS_MAP)
		return doc_copy(a, map);
	doc_each_key(k, v, map) {
		t = doc_obj(a);
		doc_set_str(a, t, names[form][0], k);
		doc_set_str(a, t, names[form][1], doc_span(v));
		doc_push(list, t);
	}
	return list;
}

static struct doc *
keys_value(struct arena *a, const struct tag_route *r, const struct doc *keys)
{
	struct doc *list = doc_arr(a), *t;

	doc_each(k, keys) {
		if (!r->keys_in_pairs) {
			doc_push_str(a, list, doc_span(k));
			continue;
		}
		t = doc_obj(a);
		doc_set_str(a, t, "Key", doc_span(k));
		doc_push(list, t);
	}
	return list;
}

static void
failed(struct call *c, struct doc *map, struct span arn, int status,
    struct span code, struct span message)
{
	struct doc *f = doc_obj(c->arena);

	doc_set_int(c->arena, f, "StatusCode", status);
	doc_set_str(c->arena, f, "ErrorCode", code);
	doc_set_str(c->arena, f, "ErrorMessage", message);
	doc_setn(c->arena, map, arn, f);
}

/* What keeps this API from working on the resource; n 0: nothing. */
static struct span
obstacle(struct call *c, const struct arn *a)
{
	if (a->region.n && !span_eq(a->region, c->scope.region))
		return arena_fmt_span(c->arena, "The resource is not in the "
		    "Region %.*s.", SPAN_ARG(c->scope.region));
	if (a->account.n && !span_eq(a->account, c->scope.account))
		return arena_fmt_span(c->arena, "The resource does not belong "
		    "to the account %.*s.", SPAN_ARG(c->scope.account));
	return SPAN_NULL;
}

static int
apply_one(struct call *c, struct span arn, bool untag, struct doc *map)
{
	const struct tag_route *r;
	struct doc *in = doc_obj(c->arena);
	struct op_result result;
	struct span why;
	struct arn a;
	int e;

	AN(arn_read(arn, &a));
	if ((why = obstacle(c, &a)).n) {
		failed(c, map, arn, 400, SPAN(INVALID), why);
		return 0;
	}
	if (!(r = route_of(&a))) {
		failed(c, map, arn, 500, SPAN("InternalServiceException"),
		    SPAN("The resource type is not supported by this API."));
		return 0;
	}
	doc_set(c->arena, in, r->resource, resource_value(c->arena, r, arn));
	if (r->type)
		doc_set_str(c->arena, in, "ResourceType", span_of(r->type));
	if (untag)
		doc_set(c->arena, in, r->keys,
		    keys_value(c->arena, r, doc_get(c->in, "TagKeys")));
	else
		doc_set(c->arena, in, r->tags, tags_value(c->arena,
		    r->tag_form, doc_get(c->in, "Tags")));
	e = op_call(c->api, c->arena, &c->who, c->scope, r->service,
	    untag ? r->untag : r->tag, in, &result);
	if (e < 0)
		return err_trace(e);
	if (result.error.n)
		failed(c, map, arn, wire_error_status(
		    model_find(span_of(r->service)), result.error),
		    result.error, result.message);
	return 0;
}

static struct reply *
apply(struct call *c, bool untag)
{
	const struct doc *arns = doc_get(c->in, "ResourceARNList");
	struct doc *map = doc_obj(c->arena);
	struct arn a;
	int e;

	doc_each(t, arns)
		if (!arn_read(doc_span(t), &a))
			return reply_error(c, INVALID, "%.*s is not a valid "
			    "AmazonResourceName (ARN)", SPAN_ARG(doc_span(t)));
	doc_each(t, arns)
		if ((e = apply_one(c, doc_span(t), untag, map)) < 0)
			return reply_failure(c, e);
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena),
	    "FailedResourcesMap", map));
}

struct reply *
tagging_tag(struct call *c)
{
	return apply(c, false);
}

struct reply *
tagging_untag(struct call *c)
{
	return apply(c, true);
}
