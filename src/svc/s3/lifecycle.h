/*
 * What a bucket's lifecycle rules ask for.  Pure.
 *
 * Times are ms.  What is due so many days after something is so at the first
 * midnight (UTC) after that.  Rules that are not Enabled ask for nothing.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
 */
#pragma once

#include "doc/doc.h"

#define LIFECYCLE_NEVER INT64_MAX

/* When something is due at the earliest, and by which rule. */
struct lifecycle_due {
	int64_t at; /* LIFECYCLE_NEVER: it is not */
	struct span rule;
};

/* An object or version, by its key and spec (svc/s3/object.h). */
struct lifecycle_due lifecycle_current(const struct doc *rules, struct span key,
    const struct doc *spec);
/* since: when it became noncurrent; newer: how many noncurrent versions of the
 * key are newer. */
struct lifecycle_due lifecycle_noncurrent(const struct doc *rules,
    struct span key, const struct doc *spec, int64_t since, int64_t newer);
/* A delete marker that is all that is left of its key. */
struct lifecycle_due lifecycle_marker(const struct doc *rules, struct span key,
    const struct doc *spec);
/* An upload that is under way. */
struct lifecycle_due lifecycle_upload(const struct doc *rules, struct span key,
    int64_t initiated);
/* The midnight after ms. */
int64_t lifecycle_midnight(int64_t ms);
