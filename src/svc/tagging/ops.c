/* The operations of the tagging API, and ARNs. */
#include "svc/tagging/tagging.h"

bool
arn_read(struct span text, struct arn *ret)
{
	struct arn a;

	if (!span_is(span_cut(&text, ':'), "arn"))
		return false;
	a.partition = span_cut(&text, ':');
	a.service = span_cut(&text, ':');
	a.region = span_cut(&text, ':');
	a.account = span_cut(&text, ':');
	a.resource = text;
	if (!a.partition.n || !a.service.n || !a.resource.n)
		return false;
	*ret = a;
	return true;
}

bool
arn_is(struct span arn, struct span type)
{
	struct arn a;
	struct span service = span_cut(&type, ':');

	if (!arn_read(arn, &a) || !span_eq(a.service, service))
		return false;
	return !type.p || (span_starts(a.resource, type) &&
	    (a.resource.n == type.n || a.resource.p[type.n] == '/' ||
	    a.resource.p[type.n] == ':'));
}

static const struct op_row ops[] = {
	{"GetResources", tagging_get_resources, "PaginationToken TagFilters "
	    "ResourcesPerPage TagsPerPage ResourceTypeFilters "
	    "IncludeComplianceDetails ExcludeCompliantResources "
	    "ResourceARNList"},
	{"GetTagKeys", tagging_get_keys, "PaginationToken"},
	{"GetTagValues", tagging_get_values, "PaginationToken Key"},
	{"TagResources", tagging_tag, "ResourceARNList Tags"},
	{"UntagResources", tagging_untag, "ResourceARNList TagKeys"},
	{NULL, NULL, NULL},
};

static const struct kind *const kinds[] = {NULL};

const struct service tagging_service = {
	.name = "resourcegroupstaggingapi",
	.ops = ops,
	.kinds = kinds,
};
