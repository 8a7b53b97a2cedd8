/*
 * Ciphertexts, in a format of our own (numbers big-endian):
 *
 *	1	format: 1
 *	16	key id, the UUID's bytes
 *	4	number of the key material
 *	16	salt
 *	n+28	base/seal.h, under HMAC-SHA256(material, all of the above)
 *
 * What is above, and the encryption context in byte order of its keys, each
 * led by its length, are authenticated.  One key for each text: no count of
 * texts can wear out a material.
 */
#pragma once

#include "base/arena.h"
#include "base/seal.h"
#include "doc/doc.h"

struct envelope {
	struct span key_id; /* a UUID's text */
	uint32_t material;
};

/* False: not one of ours.  Says nothing about whether it opens. */
bool envelope_read(struct arena *a, struct span text, struct envelope *ret);
/* context: {key: value} or NULL. */
void envelope_seal(struct arena *a, const struct envelope *b,
    const unsigned char key[SEAL_KEY], const struct doc *context,
    struct span plain, struct buf *to);
/* False, *to unchanged: changed, or another key or context. */
bool envelope_open(struct arena *a, struct span text,
    const unsigned char key[SEAL_KEY], const struct doc *context,
    struct buf *to);
