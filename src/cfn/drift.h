/*
 * Drift: what a resource is, held against what it is to be.  Pure.
 *
 * AWS: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html
 */
#pragma once

#include "cfn/template.h"

struct model_op;

/* Where an operation tells of properties. */
struct cfn_source {
	const struct model_op *op;
	/* Of its output: "Vpcs.0"; NULL: the whole of it. */
	const char *at;
	/* Exceptions, as in cfn/type.h; a member may be a path, with * for "of
	 * each", or "." for all that is found. */
	const char *map;
};

/*
 * Turns what was found there into properties.  For each of want that the
 * output's shape has a place for: what is wanted goes to want_known, what is
 * there to have.  Members are looked for by name, as cfn_input() does it;
 * those without a place are not compared.  JSON in a text that says the same
 * as what is wanted becomes just that.
 */
void cfn_output(struct arena *a, const struct cfn_source *from,
    const struct doc *want, const struct doc *found, struct doc *want_known,
    struct doc *have);
/* The shape that cfn_source.at leads to is there.  For tests of tables. */
bool cfn_source_ok(const struct cfn_source *from, const struct doc *want,
    struct arena *a, struct span *ret_missing);
/* [{PropertyPath, ExpectedValue, ActualValue, DifferenceType}]; lists are
 * compared as sets. */
struct doc *cfn_drift(struct arena *a, const struct doc *want,
    const struct doc *have);
