/* The kinds of the logs service. */
#include "svc/logs/kinds.h"

#define DAY_MS (24 * 60 * 60 * 1000LL)

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

int64_t
logs_oldest(const struct res *group, int64_t now)
{
	int64_t days = doc_get_int(group->spec, "retentionInDays", 0);

	return days ? now - days * DAY_MS : INT64_MIN;
}
