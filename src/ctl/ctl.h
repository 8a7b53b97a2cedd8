/*
 * Controllers: level-triggered, keyed, pure inside.
 *
 * A controller is woken for a key (a resource's row) by the commit feed, a
 * timer, or a driver's callback.  run() reads a snapshot from the store,
 * computes plan(snapshot) without clock or I/O, and applies it: driver calls,
 * status writes, op_call()s.  It never blocks; what is in flight ends in a
 * callback that writes status or calls ctl_wake().
 *
 * One run per key at a time; wakes that come meanwhile coalesce into one more
 * run.  A negative result backs off: 0.1 s doubling to 30 s, until a run
 * succeeds.  A run inside a failed store call is never half-applied: each run
 * has a savepoint, rolled back on failure.  What ran in a turn whose commit
 * failed runs again.
 *
 * At start each controller hears of every resource of its kinds as if it had
 * just changed, so the system converges from whatever it finds.
 */
#pragma once

#include <uv.h>

#include "api/op.h"
#include "drv/image/image.h"
#include "drv/lb/lb.h"
#include "drv/net/net.h"
#include "drv/runtime/runtime.h"
#include "store/store.h"

struct ctl;

/* What controllers work with; owned by main, outlives every controller. */
struct ctl_env {
	uv_loop_t *loop;
	struct store *store;
	struct api *api;
	struct runtime *runtime;
	struct net *net;
	struct images *images;
	struct lb *lb;
	struct warden *warden;
	const char *run_dir;	/* sockets, logs, proxy configurations */
	const char *state_dir;
	struct span instance;	/* "ng0": prefix of host-visible names */
};

struct controller {
	const char *name;
	/* Kinds whose changes wake row's key, NULL-terminated. */
	const struct kind *const *kinds;
	/* Maps a change to the key to wake; 0: nobody.  NULL: the row itself. */
	int64_t (*key)(void *state, struct ctl *ctl, const struct change *c);
	void *(*init)(struct ctl *ctl);	 /* state; NULL hook: none */
	void (*done)(void *state);
	/* *again_ms > 0 on return: run again then, unless woken earlier. */
	int (*run)(void *state, struct ctl *ctl, struct arena *a, int64_t key,
	    int64_t *again_ms);
};

/* ctl/controllers.c */
extern const struct controller *const controllers[];

int ctl_new(const struct ctl_env *env, const struct controller *const *list,
    struct ctl **ret);
void ctl_free(struct ctl *ctl);
const struct ctl_env *ctl_env(const struct ctl *ctl);
void *ctl_state(struct ctl *ctl, const struct controller *c);
void ctl_wake(struct ctl *ctl, const struct controller *c, int64_t key);
/* Not sooner than after ms; an earlier wake wins. */
void ctl_wake_after(struct ctl *ctl, const struct controller *c, int64_t key,
    int64_t ms);
/* The controllers forget everything; what is in flight is nobody's any more,
 * and wakes are ignored until ctl_start() begins anew (which ctl_new() does,
 * too).  Not from within a run. */
void ctl_stop(struct ctl *ctl);
int ctl_start(struct ctl *ctl);
/* What waits and what is tried again, for `neargate dump`. */
void ctl_dump(struct ctl *ctl, struct buf *b);
