/*
 * Files of store/files.h read one after the other, as if they were one.
 *
 * The files are held: what is removed meanwhile is read to its end.  Reading
 * may happen on any thread, one at a time; making and freeing belong to the
 * loop's.
 */
#pragma once

#include <sys/types.h>

#include "store/files.h"

struct file_run {
	struct span id;
	uint64_t offset;
	uint64_t n;
};

struct file_seq;

struct file_seq *file_seq_new(struct files *f, const struct file_run *v,
    size_t n);
void file_seq_free(struct file_seq *s);	  /* NULL is fine */
void file_seq_free_p(struct file_seq **s); /* for _cleanup_() */
uint64_t file_seq_length(const struct file_seq *s);
/* The next bytes, no more than n; 0: that was all; or negative, as is a file
 * that has gone or is too short. */
ssize_t file_seq_read(struct file_seq *s, char *p, size_t n);
