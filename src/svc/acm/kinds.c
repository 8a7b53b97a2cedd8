/* The kinds of ACM. */
#include "svc/acm/kinds.h"

static const char *const certificate_index[] = {"spec.IdempotencyToken",
	"status.Status", "status.Renewal.RenewalStatus", NULL};

const struct kind acm_certificate = {
	.name = "acm.certificate",
	.arn = "arn:aws:acm:{region}:{account}:certificate/{id}",
	.index = certificate_index,
};

const struct kind *const acm_kinds[] = {&acm_certificate, NULL};
