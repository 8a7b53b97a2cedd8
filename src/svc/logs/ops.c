/* The operations of logs.  One that is not listed answers as not implemented. */
#include "svc/logs/logs.h"

#define GROUP "logGroupName logGroupIdentifier "

static const struct op_row ops[] = {
	{"CreateLogGroup", logs_create_group, "logGroupName tags logGroupClass"},
	{"DeleteLogGroup", logs_delete_group, "logGroupName"},
	{"DescribeLogGroups", logs_describe_groups,
	    "logGroupNamePrefix logGroupNamePattern nextToken limit "
	    "includeLinkedAccounts logGroupClass logGroupIdentifiers"},
	{"PutRetentionPolicy", logs_put_retention, NULL},
	{"DeleteRetentionPolicy", logs_delete_retention, NULL},
	{"CreateLogStream", logs_create_stream, NULL},
	{"DeleteLogStream", logs_delete_stream, NULL},
	{"DescribeLogStreams", logs_describe_streams, GROUP
	    "logStreamNamePrefix orderBy descending nextToken limit"},
	{"PutLogEvents", logs_put_events,
	    "logGroupName logStreamName logEvents sequenceToken"},
	{"GetLogEvents", logs_get_events, GROUP
	    "logStreamName startTime endTime nextToken limit startFromHead "
	    "unmask"},
	{"FilterLogEvents", logs_filter_events, GROUP
	    "logStreamNames logStreamNamePrefix startTime endTime "
	    "filterPattern nextToken limit interleaved unmask"},
	{"TagResource", logs_tag_resource, NULL},
	{"UntagResource", logs_untag_resource, NULL},
	{"ListTagsForResource", logs_list_tags_for_resource, NULL},
	{"TagLogGroup", logs_tag_group, NULL},
	{"UntagLogGroup", logs_untag_group, NULL},
	{"ListTagsLogGroup", logs_list_tags_group, NULL},
	{NULL, NULL, NULL},
};

const struct service logs_service = {
	.name = "logs",
	.ops = ops,
	.kinds = logs_kinds,
	.types = logs_types,
};
