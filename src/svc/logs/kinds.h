/*
 * What the logs service keeps in the store.
 *
 * logs.log-group	parent none, id = name.  spec {retentionInDays?,
 *			logGroupClass}.
 * logs.log-stream	parent = group name, id = stream name.  spec empty.
 *
 * Events, and what changes with them, are in store/logs.h under the rows of
 * these; they go after the row has gone (src/ctl/logs-purge.c).
 */
#pragma once

#include "store/store.h"

extern const struct kind logs_log_group;
extern const struct kind logs_log_stream;

extern const struct kind *const logs_kinds[];

/* When a group's events expire: those that happened before this; INT64_MIN:
 * none.  Such events are not shown, even before they are deleted. */
int64_t logs_oldest(const struct res *group, int64_t now);
