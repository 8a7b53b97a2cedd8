/*
 * Copies: where they come from, and the thread that reads them.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
 */
#pragma once

#include "store/file-seq.h"
#include "svc/s3/object.h"

/* What one copy may have. */
#define COPY_MAX (UINT64_C(5) << 30)

struct copy_source {
	struct span bucket;
	struct span key;
	struct span version; /* for CopySourceVersionId; or empty */
	bool by_version;     /* the input named one */
	const struct doc *spec;
	uint64_t size;
};

/* The object that CopySource names, if the conditions on it hold.  NULL, or
 * the refusal. */
struct reply *copy_source(struct call *c, struct copy_source *ret);
struct reply *copy_too_large(struct call *c);

/* Bytes that a thread sums up and, with write, puts into a file. */
struct copy {
	enum checksum_kind kind;
	bool write;
	/* Then, on the loop in a savepoint: the reply.  What it reads of the
	 * store may have changed meanwhile. */
	struct reply *(*done)(struct copy *x);
	struct span version; /* done()'s own: both copied */
	struct doc *spec;

	/* Filled by copy_start(). */
	struct call *c;
	struct call_body result; /* id only with write; goes unless a row
				    names it */
	struct file_seq *from;
	struct arena *arena;
	int fd;
	int err;
};

struct reply *copy_start(struct call *c, const struct copy *x,
    const struct file_run *v, size_t n);
