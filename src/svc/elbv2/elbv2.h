/*
 * What the files of this folder share.
 *
 * A helper that can refuse returns NULL when all is well and the error reply
 * otherwise, so that a handler reads:
 *
 *	if ((e = lb_find(c, arn, &lb)))
 *		return e;
 */
#pragma once

#include "api/op.h"
#include "cfn/type.h"
#include "svc/elbv2/kinds.h"

extern const struct service elbv2_service;

/* AWS's default quotas of Application Load Balancers.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html */
enum {
	LIMIT_LBS = 50,
	LIMIT_LISTENERS = 50,	     /* of a load balancer */
	LIMIT_RULES = 100,	     /* of a load balancer, default rules apart */
	LIMIT_CONDITION_VALUES = 5,  /* of a rule */
	LIMIT_WILDCARDS = 6,	     /* of a rule */
	LIMIT_ACTION_GROUPS = 5,     /* target groups of an action */
	LIMIT_GROUPS = 3000,	     /* of a region */
	LIMIT_GROUPS_OF_LB = 100,
	LIMIT_TARGETS = 1000,	     /* of a target group */
	LIMIT_TAGS = 50,
	LIMIT_NAME = 32,
};

#define VALIDATION "ValidationError"

/* common.c */

/* By ARN: malformed → ValidationError, absent or on its way out → AWS's. */
struct reply *lb_find(struct call *c, struct span arn, struct res **ret);
struct reply *tg_find(struct call *c, struct span arn, struct res **ret);
struct reply *listener_find(struct call *c, struct span arn, struct res **ret);
struct reply *rule_find(struct call *c, struct span arn, struct res **ret);
/* Without a refusal: STORE_E_NOT_FOUND. */
int lb_get(struct call *c, struct span arn, struct res **ret);
struct reply *lb_arn_check(struct call *c, struct span arn);
/* Of whichever kind; for tags. */
struct reply *any_find(struct call *c, struct span arn, struct res **ret);
/* The load balancer that a listener's or rule's parent path lies in. */
struct span lb_id_of(struct span parent);
bool lb_deleting(const struct res *lb);

/* A query over k in the call's scope, cut by Marker and PageSize. */
struct reply *page_query(struct call *c, const struct kind *k,
    struct query *ret);
void page_next(struct call *c, struct doc *out, const struct res_list *l);
/* Puts into out the page of a list that Marker and PageSize ask for. */
struct reply *page_cut(struct call *c, struct doc *out, const char *name,
    const struct doc *all);
/* Everything of k below parent, or with an index value. */
int list_below(struct call *c, const struct kind *k, struct span parent,
    struct res_list *ret);
int list_by(struct call *c, const struct kind *k, const char *index,
    struct span value, struct res_list *ret);

/* Writes Tags of the input to a new resource: duplicate keys, too many. */
struct reply *tags_put(struct call *c, const struct res *r,
    const struct doc *tags);
/* {Key, Value} pairs checked without a resource. */
struct reply *tags_check(struct call *c, const struct doc *tags, size_t have);

/* The name rules both load balancers and target groups follow. */
struct reply *name_check(struct call *c, const char *what, struct span name);

/* Calls ec2 on behalf of the load balancing service; *ret empty on error. */
int ec2_call(struct call *c, const char *op, const struct doc *in,
    struct op_result *ret);

/* usage.c: who forwards to a target group */

/* Sets *ret to the ARNs of the load balancers (one at most). */
int tg_users(struct call *c, struct span tg_arn, struct doc **ret);
/* May these target groups be used by lb?  Existence, VPC, protocol and one
 * load balancer for each group. */
struct reply *tg_usable(struct call *c, const struct res *lb,
    const struct doc *arns);

/* action.c, condition.c: AWS's normal form of what listeners and rules hold.
 * *ret is a new list, *ret_groups the target group ARNs in it, each once. */
struct reply *actions_check(struct call *c, const struct doc *in,
    struct doc **ret, struct doc **ret_groups);
struct reply *conditions_check(struct call *c, const struct doc *in,
    struct doc **ret);

/* tls.c: what Certificates and SslPolicy of the input make of a listener whose
 * Protocol is set. */
struct reply *tls_place(struct call *c, struct doc *spec);

/* matcher.c: "200", "200,202", "200-299" within [200, 499]. */
bool matcher_ok(struct span s);

/* attr.c: attributes of load balancers, target groups and listeners */
enum attr_owner { ATTR_LB, ATTR_TG, ATTR_LISTENER };
/* Checks Attributes of the input and merges them into stored. */
struct reply *attrs_modify(struct call *c, enum attr_owner o,
    struct doc *stored);
/* [{Key, Value}], defaults filled in. */
struct doc *attrs_doc(struct arena *a, enum attr_owner o,
    const struct doc *stored);

/* tls.c: AWS::ElasticLoadBalancingV2::ListenerCertificate */
int elbv2_cfn_certificates(struct cfn_run *run, enum cfn_outcome *ret);
int elbv2_cfn_certificates_remove(struct cfn_run *run, enum cfn_outcome *ret);

/* Handlers */
struct reply *lb_create(struct call *c);
struct reply *lb_describe(struct call *c);
struct reply *lb_delete(struct call *c);
struct reply *lb_attributes(struct call *c);
struct reply *lb_modify_attributes(struct call *c);
struct reply *lb_set_security_groups(struct call *c);
struct reply *lb_set_subnets(struct call *c);
struct reply *lb_set_ip_address_type(struct call *c);
struct reply *lb_capacity(struct call *c);

struct reply *tg_create(struct call *c);
struct reply *tg_describe(struct call *c);
struct reply *tg_modify(struct call *c);
struct reply *tg_delete(struct call *c);
struct reply *tg_attributes(struct call *c);
struct reply *tg_modify_attributes(struct call *c);

struct reply *target_register(struct call *c);
struct reply *target_deregister(struct call *c);
struct reply *target_health(struct call *c);

struct reply *listener_create(struct call *c);
struct reply *listener_describe(struct call *c);
struct reply *listener_modify(struct call *c);
struct reply *listener_delete(struct call *c);
struct reply *listener_attributes(struct call *c);
struct reply *listener_modify_attributes(struct call *c);
struct reply *listener_certificates(struct call *c);
struct reply *listener_add_certificates(struct call *c);
struct reply *listener_remove_certificates(struct call *c);

struct reply *rule_create(struct call *c);
struct reply *rule_describe(struct call *c);
struct reply *rule_modify(struct call *c);
struct reply *rule_delete(struct call *c);
struct reply *rule_set_priorities(struct call *c);

struct reply *tag_add(struct call *c);
struct reply *tag_remove(struct call *c);
struct reply *tag_describe(struct call *c);

struct reply *account_limits(struct call *c);
struct reply *ssl_policies(struct call *c);

/* Deletes a listener with its rules. */
int listener_drop(struct call *c, struct res *listener);
/* cfn.c: its CloudFormation resource types. */
extern const struct cfn_map elbv2_types[];
