/*
 * Network namespaces by name, as files in /run/netns like those of
 * `ip netns`, and programs run inside them.
 *
 * The thread works in the host's namespace and enters another only inside a
 * function here; netlink sockets stay where they were opened.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#define NS_DIR "/run/netns"

/* Opens the host's namespace; once, before all else. */
int ns_init(void);
int ns_host(void); /* its fd; borrowed */
/* The namespace called name, made if it is not there: empty, lo down. */
int ns_open(const char *name, bool create, int *ret_fd, bool *ret_created);
enum { NS_E_NONE = 1 };	/* ns_open without create: there is none */
/* It ends when the last process in it does.  Gone already: success. */
int ns_remove(const char *name);
/* Calls fn for each name that starts with prefix. */
int ns_list(struct span prefix, void (*fn)(void *, const char *), void *ctx);

/* After ns_enter() of whatever result, ns_leave() must follow. */
int ns_enter(int fd);
void ns_leave(void);

struct ns_sysctl {
	const char *path; /* below /proc/sys/net */
	const char *value;
	bool optional;	  /* older kernels lack it */
};
/* In the current namespace; a table ends with path NULL. */
int ns_sysctl(const struct ns_sysctl *table);

/* Runs a program to its end in the current namespace; argv[0] is its path.
 * Result: its exit status; *ret_out gets what it wrote (both streams). */
int ns_run(const char *const *argv, struct span in, struct buf *ret_out,
    int *ret_status);
