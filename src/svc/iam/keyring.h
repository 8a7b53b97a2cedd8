/*
 * Who holds which access key: asked on each request, so that answers are
 * remembered until a user, a role or a key changes (the commit feed tells).  A
 * change of this turn counts from its commit on, which is before anybody was
 * told of it.
 */
#pragma once

#include "api/api.h"

struct keyring;

struct keyring *keyring_new(struct store *s);
void keyring_free(struct keyring *k);	/* NULL is fine */
void keyring_forget(struct keyring *k); /* after the store was emptied */

/* For api_config; ctx is the keyring.  What is found stays as long as the
 * given arena. */
int keyring_find(void *ctx, struct arena *a, struct span account,
    struct span key, struct span token, struct credential *ret);
int keyring_used(void *ctx, struct arena *a, const struct credential *c,
    struct span service, struct span region);
