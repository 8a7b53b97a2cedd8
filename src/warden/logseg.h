/*
 * Writes a container's output as records into segment files; the format is in
 * doc/format/container-log.md.  Used by the monitor, one per container.
 *
 * logseg_full() says that LOGSEG_UNREAD bytes wait for the reader: the writer
 * stops reading the container's output then, which blocks the container's own
 * writes, as awslogs does in its blocking mode.
 */
#pragma once

#include "base/buf.h"

#define LOGSEG_SIZE   (1u << 20)
#define LOGSEG_UNREAD (64u << 20)
#define LOGSEG_LINE   (16u << 10)

struct logseg {
	int dir;	 /* borrowed */
	int fd;		 /* -1: none open */
	unsigned seq;	 /* of the open segment */
	unsigned oldest; /* the reader may have deleted below this */
	size_t size;
	struct buf line[2]; /* unfinished: stdout, stderr */
	struct buf out;
};

void logseg_init(struct logseg *l, int dir);
/* Adds what was read from stream 'o' or 'e' at this time.  Negative: some of
 * it is lost (disk full, directory gone); the next call begins a new segment. */
int logseg_add(struct logseg *l, char stream, const char *p, size_t n,
    int64_t ms);
/* Flushes unfinished lines and writes the file "end". */
int logseg_end(struct logseg *l, int64_t ms);
bool logseg_full(struct logseg *l);
