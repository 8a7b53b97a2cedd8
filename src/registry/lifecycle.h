/*
 * Lifecycle policies: which images of a repository expire.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html
 *
 * All rules are evaluated on all images, then applied by priority: an image
 * that a rule selects by its tags is that rule's alone, and no later one can
 * expire it.
 */
#pragma once

#include "base/arena.h"
#include "doc/doc.h"

struct lifecycle_image {
	const struct span *tags;
	size_t n_tags;
	int64_t pushed; /* ms */
	int64_t rule;	/* out: priority of the rule that expires it; 0: none */
};

/* Parses text.  NULL when it holds; else why not, in a few words. */
const char *lifecycle_parse(struct arena *a, struct span text,
    struct doc **ret);
/* policy as lifecycle_parse() gave it. */
void lifecycle_mark(struct arena *a, const struct doc *policy,
    struct lifecycle_image *images, size_t n, int64_t now);

struct registry;
/* Applies the policies of all repositories. */
void lifecycle_run(struct registry *g, int64_t now);
