/*
 * Where the properties of each resource type are read when they may have
 * drifted: the services' own operations.  A type that is not here cannot be
 * checked, and is not an importable one.
 */
#pragma once

#include "cfn/drift.h"
#include "cfn/type.h"

struct live_step {
	const char *op;	  /* "ec2:DescribeVpcs" */
	const char *with; /* its input, an expression of cfn/type.h */
	/* Of its output, see struct cfn_source.  NULL: all of it. */
	const char *at;
	const char *map;   /* exceptions */
	const char *takes; /* the properties that it tells of; NULL: all it
			      has a place for */
	/* "Member=expression": of the list at .at, only elements in which the
	 * member has that value.  The first of them if .at ends in ".0". */
	const char *pick;
	bool given; /* of {Key, Value}, only keys that are given */
	bool maybe; /* an error NotFound means that it has none of these */
};

struct live {
	const char *type;
	/* The first finds out whether it is there at all; ends with op NULL. */
	const struct live_step *steps;
	/* "member=value" of the first: there, but as good as deleted. */
	const char *gone;
	const char *skip; /* properties that cannot be told */
};

/* After live_read(): outputs as the creation of the resource would have left
 * them, for .attrs of cfn/type.h. */
void live_as_made(struct cfn_run *run);

extern const struct live live_types[]; /* ends with type NULL */

/* NULL: cannot be read, or its service is not there. */
const struct live *live_find(struct span type);

enum live_outcome { LIVE_THERE, LIVE_DELETED, LIVE_FAILED };
/*
 * Reads what want tells of.  own: physical ids of the stack's resources, whose
 * rows in a list are not this resource's.  Outputs stay in run->out, what the
 * first step found as ".Found".
 * LIVE_FAILED: run->reason says why.
 */
int live_read(struct cfn_run *run, const struct live *l,
    const struct doc *want, const struct doc *own, struct doc **ret_want,
    struct doc **ret_have, enum live_outcome *ret);
