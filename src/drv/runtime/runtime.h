/*
 * The container engine behind an interface: the embedded one (crun through
 * the warden) and its fake twin for tests.
 *
 * All calls are asynchronous and idempotent; callbacks run on the loop thread,
 * never before the call returned.  A container is known by `id`
 * ("<32 hex of the task>-<n>").  Facts survive us: after a restart
 * runtime_list() tells what is really there, and exits that happened meanwhile
 * are reported again through on_exit until runtime_delete().
 */
#pragma once

#include <uv.h>

#include "base/arena.h"

struct runtime;

struct runtime_mount {
	struct span source; /* name of a task volume; the engine owns the path */
	struct span target;
	bool read_only;
};

struct runtime_ulimit {
	struct span name; /* "nofile" */
	uint64_t soft, hard;
};

struct container_spec {
	struct span id;
	struct span task;	  /* 32 hex: parent cgroup, hostname, volumes */
	struct span netns;	  /* as given to net_eni_up(), e.g. "task-<id>" */
	struct span hostname;
	/* Root file system: layer digests "sha256:<hex>", bottom first, all of
	 * them unpacked already. */
	const struct span *layers;
	size_t n_layers;
	bool read_only_root;
	const struct span *args;
	size_t n_args;
	const struct span *env;	  /* "NAME=value" */
	size_t n_env;
	struct span cwd;
	uint32_t uid, gid;
	const uint32_t *groups;
	size_t n_groups;
	/* Limits; 0: none of its own.  The task's hold for all of its
	 * containers together. */
	uint64_t memory;	  /* bytes, hard */
	uint64_t memory_soft;	  /* bytes */
	uint32_t cpu_shares;	  /* ECS cpu units of the container */
	uint64_t task_memory;	  /* bytes */
	uint32_t task_cpu;	  /* cpu units: 1024 is one processor, hard */
	uint32_t pids;
	const struct runtime_ulimit *ulimits;
	size_t n_ulimits;
	const struct runtime_mount *mounts;
	size_t n_mounts;
	const struct span *cap_add, *cap_drop; /* "NET_ADMIN" */
	size_t n_cap_add, n_cap_drop;
	bool init;		  /* an init process reaps zombies */
	bool tty;
	const struct span *dns;	  /* name servers for resolv.conf */
	size_t n_dns;
	const struct span *hosts; /* extra lines for /etc/hosts */
	size_t n_hosts;
};

struct container_exit {
	struct span id;
	int code;	  /* 128+signal when killed by one */
	bool oom;	  /* the kernel killed it for memory */
	int64_t at;	  /* ms */
};

struct container_state {
	struct span id;
	struct span task;
	int pid;	  /* 0 when exited */
	int64_t started;  /* ms */
	bool exited;
	struct container_exit exit;
};

/* What the containers of a task have used together. */
struct task_usage {
	bool there;	  /* false: it runs no more, or not yet; all else is 0 */
	uint64_t cpu_us;  /* processor time since it started */
	uint64_t memory;  /* bytes, without file cache that is not in use */
};

/* err: 0, or a negative error with why in words an ECS user understands, e.g.
 * "exec: \"/nope\": no such file or directory". */
typedef void (*runtime_cb)(void *ctx, int err, struct span why);
typedef void (*runtime_start_cb)(void *ctx, int err, struct span why, int pid,
    int64_t started_ms);
typedef void (*runtime_exec_cb)(void *ctx, int err, int code, struct span out);
typedef void (*runtime_list_cb)(void *ctx, int err,
    const struct container_state *v, size_t n);
/* v is valid during the callback only. */
typedef void (*runtime_usage_cb)(void *ctx, const struct task_usage *v,
    size_t n);

struct runtime_ops {
	void (*start)(struct runtime *r, const struct container_spec *c,
	    runtime_start_cb cb, void *ctx);
	/* Signals the first process; a gone container is success. */
	void (*kill)(struct runtime *r, struct span id, int sig, runtime_cb cb,
	    void *ctx);
	/* Ends it if need be and forgets all of it: cgroup, root, exit. */
	void (*remove)(struct runtime *r, struct span id, runtime_cb cb,
	    void *ctx);
	/* After the task's last container: parent cgroup and volumes. */
	void (*task_remove)(struct runtime *r, struct span task, runtime_cb cb,
	    void *ctx);
	/* Runs a command inside, killed after timeout_ms; out is at most 4 KiB. */
	void (*exec)(struct runtime *r, struct span id, const struct span *args,
	    size_t n_args, int timeout_ms, runtime_exec_cb cb, void *ctx);
	void (*list)(struct runtime *r, runtime_list_cb cb, void *ctx);
	/* v[i] of the callback is about tasks[i]. */
	void (*usage)(struct runtime *r, const struct span *tasks, size_t n,
	    runtime_usage_cb cb, void *ctx);
	void (*free)(struct runtime *r);
};

struct runtime {
	const struct runtime_ops *ops;
	/* Set by the owner before the first call. */
	void (*on_exit)(void *ctx, const struct container_exit *e);
	void *on_exit_ctx;
};

/* Where a container's output goes: the directory log_dir/<id>/ that the
 * monitor writes and src/ctl/logs reads; see doc/format/container-log.md. */

struct warden; /* drv/warden.h: the link to the privileged process */
struct runtime *runtime_embedded_new(uv_loop_t *loop, struct warden *w,
    const char *run_dir, struct span instance);

/*
 * The fake: starts at once, exits when told to.  A container's first word may
 * say more of it, for those who cannot reach in: "exit N" ends at once with N,
 * "stubborn" ends by SIGKILL only, "fail TEXT" cannot start, for TEXT, "burn N"
 * uses N percent of a processor.  exec answers N to the words "exit N", else 0.
 */
struct runtime *runtime_fake_new(uv_loop_t *loop);
void runtime_fake_exit(struct runtime *r, struct span id, int code);
/* The next start fails with this text. */
void runtime_fake_fail(struct runtime *r, const char *why);
