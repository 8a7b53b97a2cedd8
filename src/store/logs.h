/*
 * Log events, in a database file of their own (logs.db), because there are
 * millions of them and they come and go in bulk.
 *
 * Streams and groups are known by the rows of their resources (store.h); what
 * changes with every batch, like the time of the newest event, is kept here.
 * An event's place in a stream, and in a group, is (time, id): ids grow in
 * the order of arrival.
 *
 * Durability.  Events are written into a transaction that store_commit() ends
 * together with the turn's other writes.  A firm write is on the disk when the
 * waiters of store_on_commit() run, so that a reply may tell of it.  A relaxed
 * write survives the death of the process, not that of the machine, until
 * log_sync() was called or a firm write followed: who still has the source can
 * read it again, from the position that was written with it.
 *
 * All functions return 0 or a negative error unless they say otherwise.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

struct store;
struct log_store;

struct log_store *store_logs(struct store *s);

/* Times are ms since 1970. */
struct log_event {
	int64_t id;	  /* given by the store */
	int64_t stream;	  /* row of its logs.log-stream */
	int64_t time;	  /* when it happened, as its sender says */
	int64_t ingested; /* when it was written here */
	struct span message;
};

struct log_pos {
	int64_t time;
	int64_t id;
};

/* Adds events to one stream: time and message of each count.  AWS counts 26
 * bytes beside each message. */
#define LOG_EVENT_OVERHEAD 26
int log_append(struct log_store *l, int64_t group, int64_t stream,
    const struct log_event *v, size_t n, int64_t now, bool firm);

struct log_query {
	int64_t group;	/* all of its streams, or */
	int64_t stream; /* this one, unless 0 */
	struct log_pos from; /* the first place that counts */
	struct log_pos to;   /* the first that does not count any more */
	bool backward;	     /* from the last one down */
};
#define LOG_POS_MIN ((struct log_pos){INT64_MIN, 0})
#define LOG_POS_MAX ((struct log_pos){INT64_MAX, INT64_MAX})
/* Calls fn for each event in order until it returns false.  The message is
 * valid only until fn returns. */
int log_scan(struct log_store *l, const struct log_query *q,
    bool (*fn)(void *ctx, const struct log_event *e), void *ctx);

struct log_stats {
	int64_t stream;
	int64_t group;
	int64_t first, last; /* event times; -1: never had one */
	int64_t ingested;    /* time of the newest write */
	int64_t bytes;	     /* stored, with the overhead */
};
/* Of one stream; all zero but for first and last when it has none. */
int log_stats(struct log_store *l, int64_t stream, struct log_stats *ret);
/* Of all streams of a group that had events; group 0: of all groups. */
int log_stats_each(struct log_store *l, int64_t group,
    void (*fn)(void *ctx, const struct log_stats *s), void *ctx);

/* Deleting, at most max events a call, relaxed.  *ret_n: how many there were;
 * fewer than max: nothing is left to delete. */
int log_delete_before(struct log_store *l, int64_t group, int64_t time,
    size_t max, size_t *ret_n);
int log_delete_stream(struct log_store *l, int64_t stream, size_t max,
    size_t *ret_n);

/*
 * How far the output of a container was read, see
 * doc/format/container-log.md.  Written in the transaction of the events.
 */
#define LOG_PARTS 3
struct log_source {
	int64_t made;	  /* tells apart directories of the same name */
	int64_t segment;  /* number of the file, from 1 */
	int64_t offset;	  /* in it: what comes before was read */
	/* What was read and is no event yet, and when it began: lines of
	 * standard output and error, an event of several lines. */
	struct span part[LOG_PARTS];
	int64_t part_time[LOG_PARTS];
};
enum { LOG_E_NOT_FOUND = 1 };
int log_source_get(struct log_store *l, struct arena *a, struct span name,
    struct log_source *ret); /* LOG_E_NOT_FOUND */
int log_source_put(struct log_store *l, struct span name,
    const struct log_source *s);
int log_source_delete(struct log_store *l, struct span name);
int log_source_each(struct log_store *l,
    void (*fn)(void *ctx, struct span name), void *ctx);

/* A write that fails undoes the whole transaction: its commit fails. */

/* Makes all that was committed survive the machine's death, too. */
int log_sync(struct log_store *l);

/* A line for `neargate dump`: how much there is. */
int log_dump(struct log_store *l, struct buf *b);
