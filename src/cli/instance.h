/*
 * An instance on this host: its directories and what `up` recorded.
 *
 * run_dir/instance.json {Instance, StateDir, Listen, Log} is root's and
 * readable by all; the empty file state_dir/ephemeral, root's too, says that
 * the directory was made for an ephemeral instance and goes with it;
 * run_dir/daemon is neargated's own and holds its administrative socket
 * "admin" and "port", which is renamed into place when neargated is ready.
 */
#pragma once

#include <sys/types.h>

#include "cli/cli.h"

struct instance {
	const char *name, *run_dir, *state_dir, *listen;
	const char *log;	/* file; NULL: the journal */
	const char *daemon_dir, *socket;
	bool ephemeral;
	bool recorded;		/* `up` was here */
};

/* From the options, NEARGATE_INSTANCE and the record. */
int instance_load(struct cli *c, struct instance *ret);
int instance_record(struct cli *c, const struct instance *in);
/* Makes run_dir and holds it for one `up` or `down` at a time; the lock goes
 * with *ret_fd. */
int instance_lock(const struct instance *in, int *ret_fd);
/* The warden that runs, or 0. */
pid_t instance_warden(const struct instance *in);
/* Runs fn for each instance of this host that was recorded in /run. */
void instance_each(struct cli *c,
    void (*fn)(void *ctx, const struct instance *in), void *ctx);
/* Says that it does not run, and which do.  Returns 1. */
int instance_not_up(struct cli *c, const struct instance *in);
