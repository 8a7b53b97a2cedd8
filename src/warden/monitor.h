/*
 * The monitor: one small process per container, which outlives the warden.
 * Three ways to be started, told apart by the first argument; descriptors 3
 * and up come from the warden (job.h).
 *
 *	--run CRUN ROOT ID LAYERS OOM_FILE TTY
 *		3 result, 4 the container's directory (locked: the lock tells
 *		that we live), 5 its log directory.  Writes "ok PID MS" or an
 *		error's text to 3 and closes it; stays until the container
 *		ended and its exit is written.
 *	--exec CRUN ROOT ID TIMEOUT_MS
 *		3 result, 4 the container's directory (holds exec-<pid>.json
 *		as the file on 6), 5 the monitor's mount namespace.
 *		Writes "CODE\n" and the output.
 *	--init -- PROGRAM ARGS
 *		Inside a container: runs PROGRAM, forwards signals, reaps.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* crun's child becomes ours when the last of crun's helpers has ended, which
 * may be after crun itself.  Waits for that and leaves the child's status
 * alone.  False: it is nobody's below us. */
bool monitor_inherit(pid_t pid);

int monitor_run(char **argv);
int monitor_exec(char **argv);
int monitor_init(char **argv);
