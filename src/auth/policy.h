/*
 * IAM's policy language: its grammar, and what one policy says of one request.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 *
 * Pure.  A policy is kept as the text it came in; policy_parse() checks it and
 * gives the document, which policy_says() reads.
 */
#pragma once

#include "doc/doc.h"

enum policy_type {
	POLICY_IDENTITY, /* of a role, user or group: says no Principal */
	POLICY_TRUST,	 /* who may assume a role: says no Resource */
	POLICY_RESOURCE, /* of a bucket, a key: says both */
};

/* 0 with the document, or POLICY_E_MALFORMED with *ret_why in AWS's words. */
enum { POLICY_E_MALFORMED = 1 };
int policy_parse(struct arena *a, struct span text, enum policy_type type,
    struct doc **ret, struct span *ret_why);

struct policy_request {
	struct span account;   /* the principal's */
	struct span principal; /* its ARN; empty for a service */
	struct span role;      /* of an assumed role: the role's ARN */
	struct span service;   /* "ecs-tasks.amazonaws.com" */
	struct span action;    /* "sts:AssumeRole" */
	struct span resource;  /* an ARN; empty where the policy names none */
	/* Condition keys in lower case: a string or an array of strings. */
	const struct doc *context;
};

enum policy_effect { POLICY_SILENT, POLICY_ALLOW, POLICY_DENY };

/* What the policy says.  A condition that cannot be judged here counts against
 * the caller: in an Allow it does not hold, in a Deny it does. */
enum policy_effect policy_says(struct arena *a, const struct doc *policy,
    const struct policy_request *q);
