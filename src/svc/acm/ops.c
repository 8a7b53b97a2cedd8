/* The operations of ACM.  What is not listed answers as not implemented. */
#include "svc/acm/acm.h"

static const struct op_row ops[] = {
	{NULL, NULL, NULL},
};

const struct service acm_service = {
	.name = "acm",
	.ops = ops,
	.kinds = acm_kinds,
};
