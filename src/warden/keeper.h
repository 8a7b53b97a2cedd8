/*
 * The warden's own life: directories, neargated as a child, signals.
 *
 * keeper_run() makes the directories, starts the parts, starts neargated as
 * the unprivileged user with the socket pair on descriptor 3, and starts it
 * again whenever it dies (100 ms, doubling to 10 s; from the beginning after
 * 30 s of life).  SIGTERM and SIGINT go on to neargated; when that has ended,
 * the warden ends.  neargated's own exit with 0 or 2 (bad arguments) ends the
 * warden with the same code; of the first neargated, as long as it has not asked
 * the warden for anything, any exit does, so that whoever started us learns what
 * is wrong.  What runs keeps running.
 *
 * keeper_down() ends a warden that runs, then everything of the instance; with
 * purge also what it keeps.
 */
#pragma once

#include "warden/host.h"

struct keeper_config {
	struct host host;	/* instance, directories, programs, user */
	const char *daemon;	/* path of neargated */
	const char *const *args; /* further arguments for it */
	size_t n_args;
	bool purge;		/* state_dir goes, too */
};

/* The process's exit code. */
int keeper_run(struct keeper_config *k);
int keeper_down(struct keeper_config *k);
