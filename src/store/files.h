/*
 * A directory of immutable files: bytes too many for the database.
 *
 * A file gets its name, an id that is never used again, when it is made; it is
 * written once and sealed, and from then on it is on disk.  Which files count
 * the store's rows say: one that no row names is garbage, whatever is in it.
 * So a row is written after its file was sealed, and a file is removed after
 * the row's removal is durable; what a crash leaves between the two,
 * files_sweep() finds.
 *
 * Who reads a file later holds it until then: one that is removed meanwhile
 * goes when nobody holds it any more.
 *
 * files_create(), files_seal() and files_read() may run on any thread; all
 * others belong to the loop's.
 */
#pragma once

#include "base/arena.h"

struct files;

enum { FILES_E_NONE = 1 /* there is no such file */ };

/* The directory NAME in dir, made when it is not there. */
int files_open(const char *dir, const char *name, struct files **ret);
void files_free(struct files *f); /* NULL is fine */

/* A fresh name and its file, empty, for writing. */
int files_create(const struct files *f, struct arena *a, struct span *ret_id,
    int *ret_fd);
/* The file and its name are on disk once this has said 0. */
int files_seal(const struct files *f, int fd);
int files_read(const struct files *f, struct span id, int *ret_fd,
    uint64_t *ret_size); /* FILES_E_NONE */
/* Each hold is ended by one drop. */
void files_hold(struct files *f, struct span id);
void files_drop(struct files *f, struct span id);
/* One that is not there is fine. */
int files_remove(struct files *f, struct span id);
/* Looks at the next n names that are older than this process; those that
 * wanted() denies are removed.  *ret_more: there are more. */
int files_sweep(struct files *f, size_t n,
    bool (*wanted)(void *ctx, struct span id), void *ctx, bool *ret_more);
/* Removes all, held or not (for a reset). */
int files_clear(struct files *f);
