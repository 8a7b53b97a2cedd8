/*
 * Containers of this instance.  Each has, below run_dir/containers/<id>/ (root
 * only): config.json, the tail of its process object, etc files, links to its
 * layers, and what its monitor writes: monitor, state, exit.  Its monitor holds
 * a lock on that directory for as long as it lives, so a warden that starts
 * knows by the lock what runs.
 */
#pragma once

#include "warden/host.h"
#include "warden/oci.h"
#include "warden/runtime.h"

struct container {
	unsigned magic;
	struct host *host;
	struct list node;
	char *id;
	char *task;
	int dir;	  /* its directory */
	int monitor_fd;	  /* pidfd; -1: it has ended */
	int init_fd;	  /* pidfd of the first process */
	pid_t monitor;
	pid_t pid;
	int64_t started;
	bool starting, exited, removing, polling;
	bool lost;	  /* its monitor was killed; it is being ended */
	int code;
	bool oom;
	int64_t at;
	uv_poll_t poll;	  /* on monitor_fd */
	struct request *start_req;
	char *why;	  /* it did not start */
	struct request *remove_req;
};

#define CONTAINER_MAGIC 0xc0417a11u

struct containers {
	struct list all;
	struct runtime_program runtime;
	int dir;	/* run_dir/containers */
	int upper_dir;	/* state_dir/containers: writable layers */
	int log_dir;	/* state_dir/log */
	int volume_dir; /* state_dir/volumes */
};

struct container *container_find(struct host *h, struct span id);
/* Opens directories; makes them where they are missing. */
int containers_open(struct host *h);
/* Makes and links it; the directory is made or was found. */
struct container *container_new(struct host *h, struct span id,
    struct span task, int dir);
/* Unlinks it and closes what it holds. */
void container_free(struct container *c);
/* A pidfd; -ESRCH when there is no such process. */
int container_pidfd(pid_t pid);
/* Reads pid and start time that the monitor wrote. */
int container_read_state(struct container *c);
/* Watches the monitor; container_conclude() follows its end. */
void container_watch(struct container *c);
/* The monitor has ended: reads the exit, or ends what a killed one left, and
 * tells neargated. */
void container_conclude(struct container *c);
/* Writes every file the monitor and crun need. */
int container_prepare(struct container *c, struct oci_spec *s);
/* Forks what removes its files and group; then answers remove_req. */
void container_wipe(struct container *c);
/* Sends a signal to the first process; gone is success. */
int container_signal(struct container *c, int sig);
/* Is the layer's directory part of a container? */
bool containers_use_layer(struct host *h, struct span hex);

/* container-adopt.c: of struct host_part */
int containers_init(struct host *h);
void containers_done(struct host *h);
int containers_clean(struct host *h);

int container_exec(struct host *h, struct request *q, struct msg_reader *m);
