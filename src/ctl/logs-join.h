/*
 * From the records of a container's output (doc/format/container-log.md) to
 * log events.  Pure.
 *
 * A line is one event; a line longer than JOIN_MAX is several.  Parts of a
 * line are joined, per stream.  Empty lines make no event, as with AWS's log
 * driver; bytes that are not UTF-8 become U+FFFD.
 *
 * With a rule, an event begins with a line that matches it and goes on until
 * the next such line of either stream, or until join_flush().
 * https://docs.docker.com/engine/logging/drivers/awslogs/
 */
#pragma once

#include "base/buf.h"
#include "store/logs.h"

/* AWS's driver: 256 KiB with an event's overhead. */
#define JOIN_MAX (262144 - LOG_EVENT_OVERHEAD)
/* No record is longer, its newline included. */
#define JOIN_RECORD_MAX (17u << 10)

struct join_rule;
enum { JOIN_E_BAD = 1 /* no regular expression */ };
int join_rule_new(struct span pattern, struct join_rule **ret);
void join_rule_free(struct join_rule *r); /* NULL is fine */
/* awslogs-datetime-format ("%Y-%m-%d") as a regular expression. */
struct span join_format_pattern(struct arena *a, struct span format);

enum { JOIN_STDOUT, JOIN_STDERR, JOIN_EVENT };

struct join {
	const struct join_rule *rule; /* borrowed; NULL: each line an event */
	struct buf part[LOG_PARTS];   /* begun: lines; an event of lines */
	int64_t time[LOG_PARTS];      /* when they began, ms */
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
/* The event of several lines is complete. */
void join_flush(struct join *j, struct arena *a, struct join_events *ret);
/* What is left, of lines that were never ended, too. */
void join_end(struct join *j, struct arena *a, struct join_events *ret);
