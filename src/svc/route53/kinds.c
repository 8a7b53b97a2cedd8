/* The kinds of Route 53. */
#include "svc/route53/kinds.h"

static const char *const zone_index[] = {"spec.Name", "spec.CallerReference",
	"spec.VpcKeys", NULL};
static const char *const record_index[] = {"spec.Name",
	"spec.AliasTarget.DNSName", "spec.Type", NULL};

const struct kind route53_hosted_zone = {
	.name = "route53.hosted-zone",
	.arn = "arn:aws:route53:::hostedzone/{id}",
	.index = zone_index,
	.global = true,
};
const struct kind route53_record_set = {
	.name = "route53.record-set",
	.index = record_index,
	.global = true,
};
const struct kind route53_change = {
	.name = "route53.change",
	.global = true,
};

const struct kind *const route53_kinds[] = {
	&route53_hosted_zone, &route53_record_set, &route53_change, NULL,
};
