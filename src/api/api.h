/*
 * The API endpoint: AWS's wire protocols over one HTTP handler.
 *
 * Besides AWS's operations it answers GET /_neargate/health and, only when
 * api_config.ephemeral, POST /_neargate/reset, which runs the reset hook and
 * empties the store.
 */
#pragma once

#include "api/op.h"
#include "http/server.h"

struct root_key {
	struct span account;
	struct span access_key;
	struct span secret_key;
};

/* Who holds an access key, other than the root user. */
struct credential {
	struct principal who;
	struct span secret;
	void *holder; /* for credential_used_fn; NULL: the root user's */
};
enum {
	CREDENTIAL_E_UNKNOWN = 1, /* there is no such key, or it is inactive */
	CREDENTIAL_E_TOKEN,	  /* the session token is not of this key */
	CREDENTIAL_E_EXPIRED,
};
/* 0 with *ret in a, one of the above, or negative. */
typedef int (*credential_fn)(void *ctx, struct arena *a,
    struct span account, struct span key, struct span token,
    struct credential *ret);

/* Notes that a key was used, once its signature was found true.  0 or
 * negative. */
typedef int (*credential_used_fn)(void *ctx, struct arena *a,
    const struct credential *c, struct span service, struct span region);

struct api_config {
	struct store *store;
	const struct service *const *services; /* NULL-terminated */
	struct root_key root;	/* copied */
	credential_fn credential; /* NULL: only the root user gets in */
	credential_used_fn credential_used; /* NULL: nobody asks */
	void *credential_ctx;
	/* Where streamed bodies go; both NULL: nothing is streamed. */
	uv_loop_t *loop;
	struct files *files;
	bool ephemeral;
	/* Ends what runs and calls api_reset() then, later or at once; NULL:
	 * nothing runs. */
	void (*on_reset)(void *ctx);
	void *on_reset_ctx;
};

struct api *api_new(const struct api_config *c);
void api_free(struct api *api);
/* Waits until no thread works on a request; their callbacks run. */
void api_drain(struct api *api);
const struct http_handler *api_handler(struct api *api);
/* Empties the store and answers the one who asked for it. */
void api_reset(struct api *api);
/* "http://127.0.0.1:4566", for URLs in replies to internal calls. */
void api_set_origin(struct api *api, struct span origin);

/* Loads the root key and the account id from the settings; what want gives
 * replaces them, what neither has is made.  Writes state_dir/root-credentials
 * (mode 0600), which `neargate env` prints. */
int root_load(struct store *s, struct arena *a, const struct root_key *want,
    const char *state_dir, struct root_key *ret);
