/*
 * A job: a child process whose work is too long for the warden's loop.  It
 * writes its result to descriptor 3 and ends; done runs when both descriptor
 * 3 is closed everywhere and the child was reaped.  A job is never cancelled.
 *
 * A child that execs is given by `exec`; otherwise `run` is called in the fork
 * (only descriptors 0 to 3 and fds are open there), its result is the exit
 * code, and it does not outlive the warden.
 */
#pragma once

#include "warden/host.h"

/* status as of waitpid(); out: what it wrote, at most JOB_MAX_OUT bytes. */
typedef void (*job_done)(void *ctx, int status, struct span out);
#define JOB_MAX_OUT (64u << 10)

struct job_spec {
	const char *const *exec; /* argv, NULL-terminated; [0] is the path */
	/* Runs in the child before exec; negative: exit code 127 with the
	 * error's text as output. */
	int (*prepare)(void *arg, int out_fd);
	int (*run)(void *arg, int out_fd);
	void *arg;
	/* Become descriptors 4, 5, … in the child; -1 leaves a gap. */
	const int *fds;
	size_t n_fds;
	/* With run: the warden's own descriptors stay open under their numbers,
	 * except the pipes of other jobs.  Not for code that meets hostile
	 * data. */
	bool keep;
	/* The child goes on after it closed descriptor 3: done runs then, and
	 * status is 0. */
	bool stays;
};

/* *ret_pid (may be NULL) is the child. */
int job_start(struct host *h, const struct job_spec *spec, job_done done,
    void *ctx, pid_t *ret_pid);
/* A child of this process was reaped, whoever's it was. */
void job_reaped(pid_t pid, int status);
