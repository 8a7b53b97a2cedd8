/*
 * The monitor: one small process per container, which outlives the warden.
 * Three ways to be started, told apart by the first argument; descriptors 3
 * and up come from the warden (job.h).
 *
 *	--run CRUN ROOT ID LAYERS OOM_FILE TTY
 *		3 result, 4 the container's directory (locked: the lock tells
 *		that we live), 5 its log directory, 6 the network namespace,
 *		7 the runtime's program, or nothing.  Writes "ok PID MS" or an
 *		error's text to 3 and closes it; stays until the container
 *		ended and its exit is written.
 *	--exec CRUN ROOT ID TIMEOUT_MS FILE
 *		3 result, 4 the container's directory (holds its process.json
 *		as FILE), 5 the monitor's mount namespace, 6 the runtime's
 *		program, or nothing.
 *		Writes "CODE\n" and the output.
 *	--init -- PROGRAM ARGS
 *		Inside a container: runs PROGRAM, forwards signals, reaps.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/util.h"

/* crun's child becomes ours when the last of crun's helpers has ended, which
 * may be after crun itself.  Waits for that and leaves the child's status
 * alone.  False: it is nobody's below us. */
bool monitor_inherit(pid_t pid);
/* fd, or -1 when nothing is open there: another may get its number. */
int monitor_runtime(int fd);
/* Executes the runtime from memory or by its path; ends the process. */
NORETURN void monitor_exec_runtime(int fd, const char *const *argv);

int monitor_run(char **argv);
int monitor_exec(char **argv);
int monitor_init(char **argv);
