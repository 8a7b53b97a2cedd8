/* What the handlers of logs share. */
#pragma once

#include "cfn/type.h"
#include "store/logs.h"
#include "svc/logs/kinds.h"

extern const struct service logs_service;

/* The group that logGroupName, or logGroupIdentifier (a name or an ARN), of
 * the input names.  NULL and *ret filled, or the refusal. */
struct reply *logs_group(struct call *c, struct res **ret);
/* The stream logStreamName of that group. */
struct reply *logs_stream(struct call *c, const struct res *group,
    struct res **ret);
struct reply *logs_fail(struct call *c, int r);
struct reply *logs_invalid(struct call *c, const char *fmt, ...) PRINTF(2, 3);
struct reply *logs_no_group(struct call *c);
struct reply *logs_no_stream(struct call *c);
struct reply *logs_bad_token(struct call *c);

/* AWS: 50 tags each, keys of 128 characters, none that start with "aws:".
 * tags is {key: value}; NULL is fine. */
struct reply *logs_put_tags(struct call *c, const struct res *group,
    const struct doc *tags);

/* AWS's event ids, and what is inside our tokens: 56 digits that sort as the
 * events do. */
#define LOGS_POS_DIGITS 56
struct span logs_pos_text(struct arena *a, struct log_pos pos);
bool logs_pos_parse(struct span s, struct log_pos *ret);
/* The place right after this one. */
struct log_pos logs_pos_next(struct log_pos pos);

/* A page of events holds at most this much: AWS's limits. */
#define LOGS_PAGE_EVENTS 10000
#define LOGS_PAGE_BYTES	 (1 << 20)
#define LOGS_MESSAGE_MAX (1 << 20)

#define HANDLER(name) struct reply *logs_##name(struct call *c)
HANDLER(create_group);
HANDLER(delete_group);
HANDLER(describe_groups);
HANDLER(put_retention);
HANDLER(delete_retention);
HANDLER(create_stream);
HANDLER(delete_stream);
HANDLER(describe_streams);
HANDLER(put_events);
HANDLER(get_events);
HANDLER(filter_events);
HANDLER(tag_resource);
HANDLER(untag_resource);
HANDLER(list_tags_for_resource);
HANDLER(tag_group);
HANDLER(untag_group);
HANDLER(list_tags_group);
#undef HANDLER

/* cfn.c: its CloudFormation resource types. */
extern const struct cfn_map logs_types[];
