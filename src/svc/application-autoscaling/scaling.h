/*
 * What the handlers of Application Auto Scaling share.  A helper returns NULL
 * for "go on", else the refusal.
 */
#pragma once

#include "api/op.h"
#include "cfn/type.h"
#include "svc/application-autoscaling/kinds.h"

extern const struct service scaling_service;
extern const struct cfn_map scaling_types[];

#define INVALID "ValidationException"

/* common.c */

/* The input's ServiceNamespace, ResourceId and ScalableDimension: one that is
 * no ecs service's desired count is refused. */
struct reply *scaling_key(struct call *c);
/* For lists, by a resource's member: a dimension alone is refused. */
struct reply *scaling_filter(struct call *c, const char *resource);
/* Is what the input wants to see an ecs service's?  Nothing else is here. */
bool scaling_wanted(struct call *c);
/* The registered target that the input's key names. */
struct reply *scaling_find(struct call *c, struct res **ret);
/* STORE_E_NOT_FOUND, negative or 0. */
int scaling_get(struct call *c, struct span resource, struct res **ret);
struct reply *scaling_invalid(struct call *c, const char *fmt, ...)
    PRINTF(2, 3);
struct reply *scaling_not_found(struct call *c, const char *what);
/* How many a parent may have. */
struct reply *scaling_room(struct call *c, const struct kind *k,
    struct span parent, int64_t max, const char *what);
/* Copies the members that are there. */
void scaling_copy(struct arena *a, struct doc *to, const struct doc *from,
    const char *const *names);

/* Puts the views that fn makes of q's resources into out[member], by
 * MaxResults and NextToken; fn returns NULL for one that does not belong. */
typedef int (*scaling_view)(struct call *c, const struct res *r,
    struct doc **ret);
struct reply *scaling_page(struct call *c, struct query *q,
    const char *member, scaling_view fn);

/* What belongs to targets, named by the input's member `name`; lists filter by
 * the member of that name with an s.  *ret: its key and name, or NULL when it
 * is not asked for. */
int scaling_owned(struct call *c, const struct res *r, const char *name,
    struct doc **ret);
struct reply *scaling_list_owned(struct call *c, const struct kind *k,
    const char *member, scaling_view fn);
struct reply *scaling_drop(struct call *c, const struct kind *k,
    const char *name, const char *what);

/* Min and max of a target or of an action; absent ones are -1. */
struct reply *scaling_bounds(struct call *c, const struct doc *of,
    int64_t *ret_min, int64_t *ret_max);

/* tag.c */
struct reply *scaling_tag(struct call *c, const struct res *target,
    const struct doc *tags);

#define HANDLER(name) struct reply *scaling_##name(struct call *c)
HANDLER(register_target);
HANDLER(describe_targets);
HANDLER(deregister_target);
HANDLER(put_policy);
HANDLER(describe_policies);
HANDLER(delete_policy);
HANDLER(put_action);
HANDLER(describe_actions);
HANDLER(delete_action);
HANDLER(describe_activities);
HANDLER(tag_resource);
HANDLER(untag_resource);
HANDLER(list_tags);
#undef HANDLER
