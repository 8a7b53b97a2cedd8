/*
 * What a service's scheduler does next.  Pure: no clock, no I/O, no store.
 *
 * Rules, in this order (AWS: "Amazon ECS rolling update deployments"):
 *
 * 1. A draining service stops everything.
 * 2. A task found unhealthy counts for neither healthy nor desired.  One that
 *    was never healthy is stopped, and so is one of another deployment.  One
 *    that was serves until its replacement is healthy, unless the maximum
 *    leaves no room for the replacement.
 * 3. Tasks of the deployment in force that are too many are stopped, those
 *    not yet healthy first, then from the fullest subnet, newest first.
 * 4. Tasks are started for the deployment in force until it has desired, but
 *    all that live together never exceed
 *    floor(desired × maximumPercent / 100), nor the allowance (throttle).
 *    Each goes to the subnet with the fewest tasks of the deployment.
 * 5. Tasks of other deployments stop: those not healthy while the deployment
 *    in force may run; healthy ones only as long as
 *    ceil(desired × minimumHealthyPercent / 100) healthy tasks remain.
 *
 * Stopping tasks (draining connections, ending) count for nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum plan_why { PLAN_KEEP, PLAN_DRAIN, PLAN_UNHEALTHY, PLAN_SCALE, PLAN_OLD };

struct plan_task {
	bool primary;	/* of the deployment in force */
	bool healthy;	/* counts for the minimum */
	bool unhealthy;	/* shall be replaced */
	bool veteran;	/* was healthy once */
	size_t subnet;	/* index */
	enum plan_why stop; /* out: PLAN_KEEP or why it stops */
};

struct service_plan {
	/* In */
	bool draining;
	int desired;
	int min_percent, max_percent;
	int allowance;		/* how many may be started now */
	size_t n_subnets;
	struct plan_task *tasks; /* oldest first; none that is stopping */
	size_t n_tasks;
	/* Out: n_start subnets, in start[] (room for desired). */
	size_t *start;
	size_t n_start;
	bool short_of; /* more would be started if the allowance let us */
};

int plan_floor(int desired, int min_percent);
int plan_ceiling(int desired, int max_percent);
void service_plan(struct service_plan *p);

/* AWS: the circuit breaker's threshold, clamp(desired / 2, 3, 200). */
int breaker_threshold(int desired);
/* How long to wait before the next start after n failures in a row, ms. */
int throttle_ms(int failures);
