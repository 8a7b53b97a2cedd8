/*
 * From the records of a container's output (doc/format/container-log.md) to
 * log events.  Pure.
 *
 * A line is one event; a line longer than JOIN_MAX is several.  Parts of a
 * line are joined, per stream.  Empty lines make no event, as with AWS's log
 * driver; bytes that are not UTF-8 become U+FFFD.
 */
#pragma once

#include "base/buf.h"
#include "store/logs.h"

/* AWS's driver: 256 KiB with an event's overhead. */
#define JOIN_MAX (262144 - LOG_EVENT_OVERHEAD)
/* No record is longer, its newline included. */
#define JOIN_RECORD_MAX (17u << 10)

struct join {
	struct buf part[2]; /* lines begun: standard output, standard error */
	int64_t time[2];    /* when they began, ms */
};

struct join_events {
	struct log_event *v;
	size_t n, cap;
};

void join_done(struct join *j);
/* Takes the whole records at the start of text; returns their length.  Events
 * are added to ret; their messages are the arena's or point into text. */
size_t join_add(struct join *j, struct arena *a, struct span text,
    struct join_events *ret);
/* What is left of lines that were never ended. */
void join_end(struct join *j, struct arena *a, struct join_events *ret);
