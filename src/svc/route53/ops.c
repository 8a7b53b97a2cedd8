/* The operations of Route 53.  What is not listed answers as not
 * implemented. */
#include "svc/route53/route53.h"

static const struct op_row ops[] = {
	{NULL, NULL, NULL},
};

const struct service route53_service = {
	.name = "route53",
	.ops = ops,
	.kinds = route53_kinds,
};
