/*
 * Blobs: content-addressed files.  A file below blobs/ is whole, verified and
 * on disk from the moment it is there; it is never written again.
 *
 *	state_dir/blobs/sha256/<64 hex>, blobs/sha512/<128 hex>
 *	state_dir/uploads/<UUID>	bytes received so far
 *
 * Nothing here knows repositories or the store.  All calls but blob_seal()
 * and upload_sync() are quick; those two may run on a worker thread, since a
 * struct blobs does not change after blobs_open().
 */
#pragma once

#include "base/arena.h"
#include "base/id.h"

struct blobs;

enum {
	BLOB_E_NONE = 1, /* there is no such blob or upload */
	BLOB_E_MISMATCH	 /* the bytes are not those of the digest */
};

int blobs_open(const char *state_dir, struct blobs **ret);
void blobs_free(struct blobs *b);

int blob_size(const struct blobs *b, struct span digest, uint64_t *ret);
int blob_open(const struct blobs *b, struct span digest, int *ret_fd,
    uint64_t *ret_size);
/* All of a small one; max bytes at most, else -EFBIG. */
int blob_read(const struct blobs *b, struct arena *a, struct span digest,
    size_t max, struct span *ret);
int blob_remove(const struct blobs *b, struct span digest);
/* digest of each blob there is; fn may remove it.  Stops when fn is not 0 and
 * returns that. */
int blobs_each(const struct blobs *b,
    int (*fn)(void *ctx, struct span digest, int64_t mtime_ms), void *ctx);

/* Upload files.  Writing goes to *ret_fd with write(); it appends. */
int upload_file_create(const struct blobs *b, const char *id);
int upload_file_open(const struct blobs *b, const char *id, int *ret_fd,
    uint64_t *ret_size);
void upload_file_remove(const struct blobs *b, const char *id);
int uploads_each(const struct blobs *b,
    int (*fn)(void *ctx, const char *id, int64_t mtime_ms), void *ctx);

/* Waits until what was written is on disk. */
int upload_file_sync(const struct blobs *b, const char *id);
/* Makes the upload a blob: checks the digest (against `have`, the SHA-256 of
 * all of it, if not NULL; else reads it), syncs it, moves it into place and
 * syncs the directory.  On BLOB_E_MISMATCH the upload stays. */
int blob_seal(const struct blobs *b, const char *id, struct span digest,
    const unsigned char have[SHA256_LEN], uint64_t *ret_size);
