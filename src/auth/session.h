/*
 * Temporary credentials.  Nothing of them is stored: the session token carries
 * all that is known of the session, its secret key included, sealed under the
 * store's root key to the access key that it was given out with.  So they
 * outlive a restart, cost no row and no sweep, and are as many as one likes;
 * what ends one early (its role or user is deleted) is looked up at each use.
 */
#pragma once

#include "store/store.h"

struct session_claims {
	struct span account;
	int64_t row;	    /* of the role or user in the store; 0: root */
	struct span entity; /* its unique id: AROA..., AIDA...; root: empty */
	struct span name;   /* of the session of a role; else empty */
	int64_t issued;	    /* ms */
	int64_t expires;    /* ms */
	/* Object: {Policy?: text, PolicyArns?: [text], Tags?: {key: value},
	 * TransitiveTagKeys?: [text], SourceIdentity?: text} */
	const struct doc *extra;
};

struct session_keys {
	struct span access_key; /* ASIA... */
	struct span secret_key;
	struct span token;
};

void session_issue(struct store *s, struct arena *a,
    const struct session_claims *claims, struct session_keys *ret);
/* False: the token was not made here, or for another access key.  Whether it
 * has expired is for the caller to see. */
bool session_open(struct store *s, struct arena *a, struct span access_key,
    struct span token, struct session_claims *ret, struct span *ret_secret);
/* How much of the room for policies and tags extra takes, in percent; above
 * 100 it is too much.  AWS says PackedPolicySize. */
int64_t session_packed(struct arena *a, const struct doc *extra);

/* Access key ids tell their account, as AWS's do. */
struct span access_key_make(struct arena *a, const char *prefix,
    struct span account);
bool access_key_account(struct arena *a, struct span key, struct span *ret);
/* 40 characters. */
struct span secret_key_make(struct arena *a);
