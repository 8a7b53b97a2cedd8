/* The service controller's snapshot: a service, its deployments, its tasks.
 * Used by service-controller.c, service-snapshot.c and service-rollout.c. */
#pragma once

#include "ctl/ctl.h"
#include "ctl/service-plan.h"

struct svc_task {
	struct res *res;
	bool stopping;	/* it is to end, or ending */
	bool pending;	/* not yet RUNNING */
	bool primary;
	bool healthy;
	bool unhealthy;
	struct span why; /* unhealthy: the event's text after the name */
	struct span group; /* unhealthy in this target group; else empty */
	struct doc *mem; /* what is remembered between runs, or NULL */
	size_t subnet;
	int64_t settles;  /* ms until it counts as healthy by age; 0 */
};

struct svc_view {
	struct ctl *ctl;
	struct arena *a;
	int64_t now;
	int64_t *again_ms;
	struct res *svc;
	struct span parent;	  /* "cluster/service" of deployments */
	struct res_list deps;	  /* newest first, those not Done, and one
				     COMPLETED to go back to */
	struct span *dep_before;  /* their status as read, to see changes */
	struct res *primary;	  /* deployment in force */
	struct svc_task *tasks;	  /* those not STOPPED, oldest first */
	size_t n_tasks;
	struct svc_checks *checks; /* of task definitions seen */
	bool dirty;		  /* svc->status must be written */
};

/* Reads the rest for v->svc. */
int svc_view_load(struct svc_view *v);
void svc_again(struct svc_view *v, int64_t ms);

/* Events, newest first, 100 at most; one that says what the newest says is
 * left out. */
void svc_event(struct svc_view *v, const char *fmt, ...) PRINTF(2, 3);
/* "(task a) (task b)" from ids */
struct span svc_ids(struct arena *a, const struct doc *ids);

/* What happened to tasks since the last run, into events and counters. */
int svc_note_changes(struct svc_view *v);
/* A task is remembered from its start to its end: {Dep, Ran, Well, Ill,
 * Expected, Drained}.  svc_remember() is for a task that is not yet. */
struct doc *svc_remember(struct svc_view *v, struct span task,
    struct span deployment);
struct doc *svc_memory(struct svc_view *v, struct svc_task *t);
/* Counters, completion, steady state, circuit breaker, roll-back. */
void svc_rollout(struct svc_view *v);
/* Writes what changed: deployments and the service's status. */
int svc_save(struct svc_view *v);
extern const struct controller ctl_service;

int svc_call(struct svc_view *v, const char *op, const struct doc *in,
    struct op_result *ret);
