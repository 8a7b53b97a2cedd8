/* The kinds of the logs service. */
#include "svc/logs/kinds.h"

const struct kind logs_log_group = {
	.name = "logs.log-group",
	.arn = "arn:aws:logs:{region}:{account}:log-group:{id}",
};

/* AWS tags groups, not streams. */
const struct kind logs_log_stream = {
	.name = "logs.log-stream",
	.arn = "arn:aws:logs:{region}:{account}:log-group:{parent}:log-stream:"
	    "{id}",
	.untaggable = true,
};

const struct kind *const logs_kinds[] = {
	&logs_log_group, &logs_log_stream, NULL,
};
