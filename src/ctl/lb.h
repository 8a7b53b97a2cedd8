/*
 * The load balancer controller's parts.  lb.c runs them; the pure ones are
 * lb_verdict() and lb_interfaces_plan().
 */
#pragma once

#include "ctl/ctl.h"
#include "drv/lb/lb.h"
#include "svc/elbv2/kinds.h"

extern const struct controller ctl_lb;
/* Targets of groups that no load balancer uses. */
extern const struct controller ctl_lb_group;
extern const struct controller ctl_edge;

/* Where the host's edge connects from; load balancers take the PROXY protocol
 * from there and nowhere else. */
#define EDGE_SOURCE "169.254.64.3"

#define ELB_PRINCIPAL "elasticloadbalancing.amazonaws.com"

/* lb-conf.c: the store as the driver wants it.  Everything is the arena's. */
struct lb_snapshot {
	struct res *lb;
	struct lb_conf conf;
	struct lb_target *targets; /* wanted; rows[i] belongs to targets[i] */
	struct res **rows;
	struct res **groups;	   /* the group of each conf.groups[i] */
	size_t n_targets;
	bool keys;
};
/* "lb-<16 hex>" of a load balancer's id "app/NAME/<16 hex>". */
struct span lb_proxy_id(struct arena *a, struct span lb_id);
struct span lb_server_name(struct arena *a, struct span group_arn,
    struct span target_id);
/* keys: with those of certificates, for the proxy's own start. */
int lb_snapshot(struct store *s, struct arena *a, struct res *lb, bool keys,
    struct lb_snapshot *ret);

/* lb-verdict.c */
enum lb_verdict {
	LB_INITIAL_REGISTERING,
	LB_INITIAL_CHECKING,
	LB_HEALTHY,
	LB_UNHEALTHY_CODE,
	LB_UNHEALTHY_TIMEOUT,
	LB_UNHEALTHY_FAILED,
	LB_UNHEALTHY_STILL,	/* the reason that stands */
	LB_DRAINING,
	LB_DRAINED,		/* cut it off, then delete the row */
	LB_UNUSED
};
/* What a target is now.  s NULL: the proxy does not have it.  now in ms. */
enum lb_verdict lb_verdict(const struct res *target, const struct doc *group,
    const struct lb_server *s, int64_t now);
/* The status of a verdict, in AWS's words; old is what stands. */
struct doc *lb_verdict_status(struct arena *a, enum lb_verdict v,
    const struct lb_server *s, const struct doc *old);

/* lb-eni.c */
struct lb_interfaces {
	struct doc *add;    /* subnet ids that want an interface */
	struct doc *drop;   /* entries of status.Interfaces that go */
	struct doc *change; /* entries whose Groups differ */
};
/* spec and status of a load balancer; pure. */
struct lb_interfaces lb_interfaces_plan(struct arena *a,
    const struct doc *spec, const struct doc *status);
/* Makes them so and keeps status.Interfaces; *ret_up: all are up.  *ret_why
 * is set when AWS's state would be `failed`. */
int lb_interfaces_apply(struct ctl *ctl, struct arena *a, struct res *lb,
    bool *ret_up, struct span *ret_why);
/* Deletes all; 0 when none is left. */
int lb_interfaces_end(struct ctl *ctl, struct arena *a, struct res *lb);
