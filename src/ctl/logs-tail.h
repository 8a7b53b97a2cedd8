/*
 * struct tail: one container's log directory, on its way into a log stream.
 * Private to ctl/logs*.c; see ctl/logs.h.
 *
 * A position is only ever behind what logs.db holds in one transaction with
 * the events before it.  When a commit fails, tail_reload() goes back.
 */
#pragma once

#include <uthash.h>
#include <uv.h>

#include "base/list.h"
#include "ctl/logs-join.h"

struct tails;

enum tail_mode { TAIL_WAIT, TAIL_STORE, TAIL_KEEP };

/* Where events go. */
struct tail_target {
	char *account, *region, *group, *stream;
};

struct tail {
	unsigned magic;
	UT_hash_handle hh;
	struct tails *owner;
	char *id;		/* container: the directory's name */
	int64_t task;		/* row; 0: none is known */
	enum tail_mode mode;
	struct tail_target to;
	int dir;		/* -1: not there (yet) */
	uint64_t inode;
	int fd;			/* the segment being read, or -1 */
	struct log_source at;	/* its parts are in join */
	struct join join;
	struct join_rule *rule;	/* of events of several lines; NULL: none */
	int64_t read_us;	/* monotonic: when something was read last */
	bool flush;		/* no more lines come for the open event */
	int64_t unlinked;	/* segments below this are gone */
	bool over;		/* the container is gone: nobody writes */
	bool ended;		/* all was read: goes once that is durable */
	bool dirty;		/* written in this turn */
	bool more;		/* stopped at the limit, not at the end */
	size_t events;		/* that the last read found */
	bool told;		/* that its stream is gone */
	bool watching;
	uv_fs_event_t watch;
	struct list ready;	/* in tails.ready, or alone */
};

#define TAIL_MAGIC 0x7a11105e

/* Opens the directory if it is there and readable, and takes up the position.
 * 0 also when it is not there. */
int tail_open(struct tail *t, int log_dir, struct log_store *db);
/* Forgets the directory: descriptors and position. */
void tail_close(struct tail *t);
/* Reads on, adding events and the position to db; group and stream are rows,
 * 0 when the stream is gone: then what is read is dropped. */
int tail_read(struct tail *t, struct log_store *db, int64_t group,
    int64_t stream);
/* Back to the position that db has. */
int tail_reload(struct tail *t, struct log_store *db);
/* Has it segments to delete, or all of it? */
bool tail_has_waste(const struct tail *t);
/* Deletes the segments that were read. */
void tail_unlink_read(struct tail *t);
/* KEEP: deletes all but the newest two. */
void tail_trim(struct tail *t);
/* Deletes the directory and all in it. */
void tail_remove_dir(const char *name, int log_dir);
/* Is the file "end" there? */
bool tail_has_end(const struct tail *t);
