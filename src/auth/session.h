/*
 * Temporary keys.  A session is kept nowhere: its token is what it is, sealed
 * under the root key.  So a restart forgets none, and the store does not grow
 * with every deploy.  It ends at its time, and with the role or user it is of.
 */
#pragma once

#include "store/store.h"

struct session {
	struct span access_key; /* ASIA… */
	struct span secret;
	struct span arn;	/* the principal's: assumed-role/ROLE/NAME */
	struct span id;		/* AROA…:NAME */
	struct span owner;	/* the role's or user's id; empty: root's */
	bool role;		/* the owner is a role */
	int64_t expires;	/* ms */
};

/* Gives s a fresh key and secret, the rest being filled; the token. */
struct span session_new(struct store *st, struct arena *a, struct session *s);
/* False: it is no token of ours.  The time is the caller's to check. */
bool session_read(struct store *st, struct arena *a, struct span token,
    struct session *ret);
