/*
 * Metrics, in a database file of their own (metrics.db): many small facts that
 * nobody is told of when they are written.
 *
 * A metric has a name as CloudWatch knows it.  A datapoint tells of one period:
 * sum, count, least and greatest of what was measured in it, so that CloudWatch's
 * statistics come out of it.  Dimensions are "Name=Value,Name=Value", names in
 * byte order.
 *
 * Writes are no part of a turn: they are there when the call returns, and
 * survive the death of the process, not that of the machine.  All functions
 * return 0 or a negative error.
 */
#pragma once

#include "store/store.h"

struct metric_store;

struct metric_store *store_metrics(struct store *s);

struct metric {
	struct scope scope;
	struct span space;	/* "AWS/ECS" */
	struct span name;	/* "CPUUtilization" */
	struct span dimensions;
};

struct metric_point {
	int64_t time; /* ms: when the period began */
	double sum, count, min, max;
};

struct metric_sample {
	struct metric metric;
	struct metric_point point;
};

/* All or nothing; a point that is there already is replaced. */
int metric_put(struct metric_store *m, const struct metric_sample *v,
    size_t n);
/* The newest points from `from` on, newest first, limit at most. */
int metric_get(struct metric_store *m, struct arena *a,
    const struct metric *metric, int64_t from, size_t limit,
    struct metric_point **ret, size_t *ret_n);
/* What is older goes, and metrics that have no point any more. */
int metric_drop_before(struct metric_store *m, int64_t time);
