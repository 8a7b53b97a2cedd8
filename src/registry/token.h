/*
 * The password that ecr GetAuthorizationToken gives out.
 *
 * It carries its own facts (account, region, end, who asked for it) under an
 * HMAC with a key that is a setting of the store: no state is kept, and it
 * stays good over restarts.  The user name beside it is always "AWS".
 */
#pragma once

#include "base/arena.h"
#include "store/store.h"

#define TOKEN_LIFE_MS (12 * 3600 * 1000LL) /* AWS: valid for 12 hours */

struct token {
	struct span account;
	struct span region;
	struct span arn;	/* of the principal that asked */
	struct span access_key; /* the key it asked with; may be empty */
	int64_t expires;	/* ms */
};

enum { TOKEN_E_BAD = 1, TOKEN_E_EXPIRED };

/* Makes the signing key when there is none yet. */
int token_make(struct store *s, struct arena *a, const struct token *t,
    struct span *ret);
/* Strings of *ret are the arena's; on TOKEN_E_EXPIRED *ret is filled, too. */
int token_check(struct store *s, struct arena *a, struct span text,
    struct token *ret);
/* The same from a whole Authorization header: "Basic base64(AWS:token)". */
int token_check_basic(struct store *s, struct arena *a, struct span header,
    struct token *ret);
