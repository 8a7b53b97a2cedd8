/*
 * Listings: one walk over a bucket's rows in the order of their keys, that
 * reads no more rows than it tells of and jumps over what a delimiter rolls up.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-prefixes.html
 */
#pragma once

#include "svc/s3/object.h"

#define WALK_MAX 1000

struct walk {
	struct call *c;
	const struct res *bucket;
	const struct kind *kinds[2]; /* whose ids are keys, or a key, a zero
					byte and more; the second may be NULL */
	struct span prefix;
	struct span delimiter;
	struct span from; /* ids from this one on */
	bool after;	  /* itself not */
	int64_t asked;	  /* as many as were asked for, and */
	size_t max;	  /* as many as one answer has */
	/* Takes a row.  Called in order. */
	void (*tell)(struct walk *w, const struct res *row);

	/* What came of it. */
	struct doc *prefixes;	/* [{Prefix}] */
	size_t n;		/* rows and prefixes told of */
	bool truncated;
	struct span resume;	/* the id or prefix where it goes on */
	struct span last;	/* the last key or prefix told of */
	const struct res *row;	/* the last row, unless a prefix was last */
};

/* Reads Bucket, Prefix, Delimiter, EncodingType and the count member, which
 * the refusal calls name.  NULL, or the refusal. */
struct reply *walk_begin(struct call *c, const char *member, const char *name,
    struct walk *ret);
/* Goes on behind a key, or behind all that a common prefix rolls up. */
void walk_start_after(struct walk *w, struct span marker);
int walk_run(struct walk *w); /* 0 or negative */
/* Prefix, Delimiter, EncodingType, IsTruncated, CommonPrefixes, and the count
 * that was asked for. */
struct doc *walk_answer(struct walk *w, const char *member);

/* Rows of two kinds in the order of their ids, as far as both are known. */
void walk_merge(struct arena *a, const struct res_list *x,
    const struct res_list *y, struct res_list *ret);
/* The key of a row of any of the kinds. */
struct span walk_key(const struct res *row);
