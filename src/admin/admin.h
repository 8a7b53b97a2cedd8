/*
 * The administrative socket of neargated: what the CLI asks that AWS's API
 * has no verb for.  HTTP on a Unix socket of mode 0600; the file system is its
 * guard.  The requests are listed in README.md.
 */
#pragma once

#include <uv.h>

#include "base/arena.h"
#include "base/buf.h"
#include "store/store.h"

struct admin;

/* A live part of the daemon that can tell about itself in one line. */
struct admin_part {
	const char *name;
	void (*dump)(void *ctx, struct buf *b);
	void *ctx;
};

/* A question that a service answers, told to us by main, because we know no
 * service.  It may write: the answer leaves once that is on disk. */
enum { ADMIN_E_REFUSED = 1 }; /* what was written to b is the reason */
struct admin_verb {
	const char *method, *path, *type;
	/* query: decoded.  0, ADMIN_E_REFUSED (what it wrote to the store is
	 * undone) or negative. */
	int (*run)(void *ctx, struct arena *a, struct span query,
	    struct buf *b);
	void *ctx;
};

/* Borrowed for admin's life. */
struct admin_config {
	uv_loop_t *loop;
	struct store *store;
	const char *socket;
	struct span instance, endpoint, account;
	const char *state_dir, *run_dir;
	bool ephemeral;
	const struct admin_part *parts;
	size_t n_parts;
	const struct admin_verb *verbs;
	size_t n_verbs;
};

int admin_new(const struct admin_config *c, struct admin **ret);
/* The loop must run once more before it can be closed; NULL is fine. */
void admin_free(struct admin *ad);

/* A copy of d, a resource of this kind, without its secrets. */
struct doc *admin_hide(struct arena *a, struct span kind, const struct doc *d);
