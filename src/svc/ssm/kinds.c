/* The kinds of ssm. */
#include "svc/ssm/kinds.h"

const struct kind ssm_parameter = {
	.name = "ssm.parameter",
	.arn = "arn:aws:ssm:{region}:{account}:parameter/{id}",
};
const struct kind ssm_parameter_version = {.name = "ssm.parameter-version"};

const struct kind *const ssm_kinds[] = {
	&ssm_parameter, &ssm_parameter_version, NULL,
};
