/*
 * AES-256-GCM: bytes that only the holder of a key can read or change.
 *
 * What seal() makes is nonce (12), ciphertext, tag (16).  aad is not in it but
 * must be the same when it is opened.  Nonces are random: one key may seal
 * 2^32 times.
 */
#pragma once

#include "base/buf.h"

#define SEAL_KEY   32
#define SEAL_EXTRA 28 /* by how much sealed bytes are longer */

void seal(const unsigned char key[SEAL_KEY], struct span aad,
    struct span plain, struct buf *to);
/* False, with *to unchanged, unless it was sealed with this key and aad. */
bool unseal(const unsigned char key[SEAL_KEY], struct span aad,
    struct span sealed, struct buf *to);
