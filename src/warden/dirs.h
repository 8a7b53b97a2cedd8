/*
 * Directories and small files, always by a name below an open directory and
 * never through a symbolic link.  Errors are negative and told by err_last().
 */
#pragma once

#include <sys/types.h>

#include "base/buf.h"

/* Opens path below dir without following any link. */
int dirs_open(int dir, const char *path, int flags);
/* Makes it, sets owner and mode; *ret_fd (may be NULL) is open on it.  An
 * existing directory is fine unless it is another user's (-EPERM). */
int dirs_make(int dir, const char *name, mode_t mode, uid_t uid, gid_t gid,
    int *ret_fd);
/* A new file with this content, replacing what was there in one step. */
int dirs_write(int dir, const char *name, struct span text, mode_t mode);
/* Appends the file's content, at most max bytes. */
int dirs_read(int dir, const char *name, size_t max, struct buf *b);
/* Removes name and what is below it, however deep; stays on its file system.  A name that
 * is not there is success. */
int dirs_remove(int dir, const char *name);
