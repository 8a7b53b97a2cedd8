/*
 * The Resource Groups Tagging API.
 * https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/overview.html
 */
#pragma once

#include "api/op.h"

extern const struct service tagging_service;

/* arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE, the parts borrowed. */
struct arn {
	struct span partition;
	struct span service;
	struct span region;
	struct span account;
	struct span resource; /* "service/main/web" */
};

bool arn_read(struct span text, struct arn *ret);
/* Is the resource of this type: "ecs", "ecs:service", or more of what the ARN
 * says, "elasticloadbalancing:loadbalancer/app"? */
bool arn_is(struct span arn, struct span type);

/* How a service's own tagging operations take what TagResources gives. */
enum tag_form {
	TAGS_UPPER, /* [{Key, Value}] */
	TAGS_LOWER, /* [{key, value}] */
	TAGS_KMS,   /* [{TagKey, TagValue}] */
	TAGS_MAP    /* {key: value} */
};
enum resource_form {
	RESOURCE_ARN,
	RESOURCE_ARNS,	/* a list of one */
	RESOURCE_IDS,	/* a list of one id: the ARN after its last '/' */
	RESOURCE_ID	/* the same, not a list */
};
struct tag_route {
	const char *namespace; /* of the ARN */
	const char *service;   /* ours */
	const char *tag, *untag;	 /* operations */
	const char *resource;		 /* members of their inputs */
	const char *tags, *keys;
	enum resource_form resource_form;
	enum tag_form tag_form;
	bool keys_in_pairs; /* untag wants [{Key}] */
	const char *type;   /* ResourceType, where there is one */
	const char *prefix; /* of the ARN's resource; NULL: all there are */
};
extern const struct tag_route tag_routes[]; /* ends with namespace NULL */

struct reply *tagging_get_resources(struct call *c);
struct reply *tagging_get_keys(struct call *c);
struct reply *tagging_get_values(struct call *c);
struct reply *tagging_tag(struct call *c);
struct reply *tagging_untag(struct call *c);
