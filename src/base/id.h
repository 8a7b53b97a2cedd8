/* Identifiers and digests.  Randomness is the kernel's. */
#pragma once

#include "base/arena.h"

void random_bytes(void *p, size_t n);
/* n lower-case hex digits; AWS's ids are a prefix and 8, 16, 17 or 32. */
char *id_hex(struct arena *a, size_t n);
char *id_prefixed(struct arena *a, const char *prefix, size_t n);
/* "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx" */
char *id_uuid(struct arena *a);
/* n characters of A-Z0-9, as in access keys and hosted zones. */
char *id_upper(struct arena *a, size_t n);

#define SHA256_LEN 32
void sha256(struct span s, unsigned char ret[SHA256_LEN]);
char *sha256_hex(struct arena *a, struct span s);
void hmac_sha256(struct span key, struct span s, unsigned char ret[SHA256_LEN]);
/* Runs in constant time; different lengths are different. */
bool secret_eq(struct span a, struct span b);
