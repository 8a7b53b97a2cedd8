/*
 * The task controller's own world: what is in flight for each task that is
 * not STOPPED.  All of it can be lost: a restart finds it again from the store
 * and from the runtime's list.
 *
 * Steps (task-step.c) read the stored task and this, move the task forward as
 * far as it goes, and start what takes time; callbacks (task-live.c) note the
 * outcome here and wake the task.  States only move forward:
 *
 *	PROVISIONING	an interface is made; images are being made ready
 *	PENDING		interface up, waiting for images
 *	ACTIVATING	containers start in the order of dependsOn
 *	RUNNING		all that shall run has started; targets registered
 *	DEACTIVATING	targets deregistered, draining
 *	STOPPING	stop signals in reverse order, then SIGKILL
 *	DEPROVISIONING	containers and interface removed
 *	STOPPED		kept for an hour, then purged
 */
#pragma once

#include <uthash.h>

#include "ctl/ctl.h"

struct tasks;

/* One container in flight. */
struct live_container {
	struct live_task *task;
	int n;
	char *id;		/* runtime id: "<32 hex>-<n>" */
	/* Image: asked → ready or failed. */
	bool image_asked, image_ready;
	char *failure;		/* why the image or the start failed */
	const char *failure_kind; /* "CannotStartContainerError" or NULL */
	struct arena *image_arena;
	struct image image;
	char *image_ref;	/* as asked */
	/* [{name, value}], in memory alone, from PENDING until it starts. */
	struct arena *secrets_arena;
	const struct doc *secrets;
	/* Process. */
	bool start_asked, started;
	int64_t started_ms;
	int64_t start_deadline;	/* of its dependencies, ms; 0 none */
	bool exited;
	struct container_exit exit;
	bool stop_asked, kill_asked;
	int64_t kill_at;	/* ms; SIGKILL is due */
	bool remove_asked, removed;
	int64_t remove_at;	/* ms; not tried again sooner */
	/* Health check. */
	bool check_running;
	bool check_done;	/* a result waits to be counted */
	int check_code;
	int64_t check_next;	/* ms */
	int check_failures;
};

struct live_task {
	unsigned magic;
	UT_hash_handle hh;
	struct tasks *owner;
	char *id;		/* 32 hex: the key */
	int64_t row;
	int refs;		/* callbacks under way */
	bool dead;		/* free when refs is 0 */
	char *ip;
	struct live_container *v;
	size_t n;
	bool task_remove_asked, task_removed;
	int64_t remove_at;	/* ms; not tried again sooner */
};

#define LIVE_TASK_MAGIC 0x7a5c11fe
#define TASKS_MAGIC	0x7a5c5000

struct tasks {
	unsigned magic;
	struct ctl *ctl;
	struct live_task *by_id;
	bool listed;
	bool listing, ended; /* ended while listing: the answer frees it */
	/* What the runtime had when we started, by id, until adopted. */
	struct doc *found;
	struct arena *found_arena;
};

extern const struct controller ctl_task;

/* task-live.c */
void live_tasks_free(struct tasks *s);
struct live_task *live_task_get(struct tasks *s, struct span id, int64_t row,
    size_t n_containers);
struct live_task *live_task_find(struct tasks *s, struct span id);
void live_task_drop(struct live_task *t);
/* Ends whatever runs of it without telling the store, and drops it. */
void live_task_end(struct live_task *t);
void live_image(struct live_container *k, const struct res *task,
    struct span ref, struct span arch);
void live_forget_secrets(struct live_container *k);
void live_start(struct live_container *k, const struct container_spec *spec);
void live_kill(struct live_container *k, int sig);
void live_remove(struct live_container *k);
void live_task_remove(struct live_task *t);
void live_check(struct live_container *k, const struct span *args, size_t n,
    int timeout_ms);
void live_wake(struct live_task *t);
/* Asks the runtime what is there; wakes every task when it is known, and
 * removes what belongs to none. */
void live_list(struct tasks *s);
void live_on_exit(void *ctx, const struct container_exit *e);

/* task-spec.c: pure */
struct task_launch {
	const struct res *task;
	const struct doc *taskdef;
	const struct doc *container;	/* definition */
	const struct image *image;
	const struct doc *secrets;	/* [{name, value}], or NULL */
	struct span hostname;
	struct span ip;			/* of its interface, for /etc/hosts */
	const struct span *dns;		/* name servers */
	size_t n_dns;
};
/* The container as the runtime wants it, but for user and groups. */
struct container_spec *task_container_spec(struct arena *a,
    const struct task_launch *l, struct span id);
/* The user to run as: definition's, else image's. */
struct span task_user(const struct task_launch *l);
/* HEALTHY, UNHEALTHY or UNKNOWN of the whole task. */
struct span task_health(const struct doc *taskdef,
    const struct doc *containers);
/* May container c start, given the states?  1 yes, 0 not yet, -1 never. */
int task_may_start(const struct doc *container, const struct doc *taskdef,
    const struct doc *states);
/* Have all containers that depend on `name` stopped? */
bool task_may_stop(struct span name, const struct doc *taskdef,
    const struct doc *states);
int task_signal(struct span name); /* "SIGTERM", "15", "TERM"; else SIGTERM */
/* "repo/image:tag" pinned to a digest. */
struct span image_pinned(struct arena *a, struct span ref, struct span digest);

/* task-step.c: moves the task as far as it goes; *again_ms as for run(). */
int task_step(struct tasks *s, struct arena *a, struct res *task,
    struct live_task *live, const struct doc *taskdef, int64_t *again_ms);
