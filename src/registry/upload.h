/*
 * Upload sessions: a blob on its way in.
 *
 * A session is a row (ecr.upload) and a file.  It survives a restart: what
 * the file holds then is what was received.  While it is used it is also a
 * struct upload, whose bytes a thread hashes and writes while the next come;
 * one that was taken up again after a restart is read once more when it is
 * sealed.
 *
 * One request at a time writes to a session (upload_begin … upload_end).  A
 * session that nobody wrote to for a day is removed.
 */
#pragma once

#include "registry/internal.h"
#include "registry/repo.h"

#define UPLOAD_LIFE_MS (24 * 3600 * 1000LL)
#define UPLOADS_MAX 4096    /* at a time */
#define UPLOADS_AT_ONCE 512 /* that are being written to; half a MiB each */

struct upload;

enum {
	UPLOAD_E_NONE = 1, /* no such session in this repository */
	UPLOAD_E_BUSY,	   /* another request writes to it */
	UPLOAD_E_MANY,	   /* UPLOADS_MAX, UPLOADS_AT_ONCE */
	UPLOAD_FULL
};

int upload_start(struct registry *g, const struct repo_key *k,
    struct arena *a, struct upload **ret);
int upload_find(struct registry *g, const struct repo_key *k,
    struct arena *a, struct span id, struct upload **ret);
const char *upload_id(const struct upload *u);
uint64_t upload_size(const struct upload *u);

/* Takes the session for one request.  room (may be NULL) is called whenever a
 * piece was written.  UPLOAD_E_BUSY, UPLOAD_E_MANY. */
int upload_begin(struct upload *u, void (*room)(void *ctx), void *ctx);
/* UPLOAD_FULL: p was taken, but the next should wait for room.  Negative: the
 * disk is full or broken, and what it could not take is undone; upload_size()
 * is what there is. */
int upload_write(struct upload *u, struct span p);
/* What was taken is still written; until then others find it busy. */
void upload_end(struct upload *u);
/* Ends it and removes the file; the row goes in the current transaction. */
void upload_drop(struct registry *g, struct upload *u, struct arena *a);

/* Both work on a thread and call back on the loop, after all that was taken was
 * written; the session must be begun and stays so. */
typedef void (*upload_cb)(void *ctx, int r);
void upload_sync(struct upload *u, upload_cb cb, void *ctx);
/* 0: the blob is in place, link it and then upload_drop(); or
 * BLOB_E_MISMATCH. */
void upload_seal(struct upload *u, struct span digest, upload_cb cb,
    void *ctx);

/* Removes sessions and files that are too old (all: every one). */
void uploads_expire(struct registry *g, bool all);
unsigned uploads_count(const struct registry *g);
void uploads_done(struct registry *g);
