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
};

int admin_new(const struct admin_config *c, struct admin **ret);
/* The loop must run once more before it can be closed; NULL is fine. */
void admin_free(struct admin *ad);

/* A copy of d, a resource of this kind, without its secrets. */
struct doc *admin_hide(struct arena *a, struct span kind, const struct doc *d);
