/*
 * struct host: what the warden knows of this machine and instance.  One per
 * process; every part of the warden (containers, images, proxies, network)
 * works on it and registers itself by one row in parts.c.
 *
 * All code of the warden runs on one thread and must not block for longer
 * than a few system calls take: longer work is a child process (job.h).
 *
 * A request is answered exactly once, now or later, by request_ok(),
 * request_fail() or request_begin() ... request_end().  An answer to a
 * neargated that is gone is dropped.
 */
#pragma once

#include <sys/types.h>
#include <uv.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/list.h"
#include "loop/msg.h"
#include "warden/proto.h"

struct link;
struct containers;
struct proxies;
struct net_state;

struct host {
	unsigned magic;
	uv_loop_t *loop;
	const char *instance;	 /* "ng0" */
	const char *run_dir;	 /* absolute, no trailing slash */
	const char *state_dir;
	const char *libexec_dir; /* where our own programs are */
	const char *runtime;	 /* "/usr/bin/crun" */
	const char *haproxy;	 /* "/usr/sbin/haproxy" */
	int run_fd;		 /* directories, opened once */
	int state_fd;
	uid_t uid;		 /* of the user neargate */
	gid_t gid;
	enum cgroup_mode cgroups;
	const char *cgroup_root; /* NULL: /sys/fs/cgroup */
	struct link *link;	 /* to neargated; NULL while there is none */
	int moves_fd;		 /* of cgroup_moves_begin(); -1: not */
	/* Each part's own, made by its init and freed by its done. */
	struct containers *containers;
	struct proxies *proxies;
	struct net_state *net;
};

#define HOST_MAGIC 0x4057a11eu

struct request;

/* Decodes m and acts.  A negative result says that m does not decode; the
 * request is then not answered, the connection ends. */
typedef int (*host_handler)(struct host *h, struct request *q,
    struct msg_reader *m);

struct host_op {
	enum warden_msg type;
	const char *name; /* for the log */
	host_handler run;
};

struct host_part {
	const char *name;
	const struct host_op *ops;
	size_t n_ops;
	/* At start, before neargated: finds what a warden before us left
	 * running.  Negative: the warden does not start. */
	int (*init)(struct host *h);
	/* The warden ends; what it started keeps running. */
	void (*done)(struct host *h);
	/* `neargate down`: ends and removes everything of this instance.  Runs
	 * without init, without loop, without neargated; may block. Goes on
	 * after failures and returns the first. */
	int (*clean)(struct host *h);
};

/* parts.c; NULL-terminated, in order of init; clean goes the other way. */
extern const struct host_part *const host_parts[];

/* Memory that lives until the request was answered. */
struct arena *request_arena(struct request *q);
void request_ok(struct request *q);
/* err is a positive errno. */
void request_fail(struct request *q, int err, const char *fmt, ...)
    PRINTF(3, 4);
/* A reply with fields: put them into what begin returns. */
struct buf *request_begin(struct request *q);
void request_end(struct request *q);

/* Events to neargated; nothing happens while there is none. */
struct buf *host_event_begin(struct host *h, enum warden_msg type);
void host_event_end(struct host *h);
