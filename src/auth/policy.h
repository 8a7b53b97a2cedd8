/*
 * IAM's policy language: its grammar, and what one policy says of one request.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 *
 * Pure.  A policy is kept as the text it came in; policy_parse() checks it and
 * gives the document, which policy_says() reads.  How policies are combined
 * (identity, boundary, session, resource) is the business of who asks.
 */
#pragma once

#include "doc/doc.h"

enum policy_type {
	POLICY_IDENTITY, /* inside of a role, user, group or session: says no
			    Principal */
	POLICY_MANAGED,	 /* the same, and Version 2012-10-17 */
	POLICY_TRUST,	 /* who may assume a role: says no Resource */
	POLICY_RESOURCE, /* of a bucket, a key: says both */
};

/* 0 with the document, or POLICY_E_MALFORMED with *ret_why in AWS's words. */
enum { POLICY_E_MALFORMED = 1 };
int policy_parse(struct arena *a, struct span text, enum policy_type type,
    struct doc **ret, struct span *ret_why);
/* Bytes that count against IAM's limits: white space does not. */
size_t policy_size(struct span text);

/* What is empty the caller is not, or does not have. */
struct policy_request {
	struct span account;   /* the principal's */
	struct span principal; /* its ARN; empty for a service */
	struct span role;      /* of an assumed role: the role's ARN */
	struct span service;   /* "ecs-tasks.amazonaws.com" */
	struct span federated; /* an identity provider's ARN or domain */
	struct span action;    /* "sts:AssumeRole" */
	struct span resource;  /* an ARN; empty where the policy names none */
	/* Condition keys, whose case does not count: a string, or an array of
	 * strings for a key that may have several values. */
	const struct doc *context;
};

enum policy_effect { POLICY_SILENT, POLICY_ALLOW, POLICY_DENY };

/* What the policy says. */
enum policy_effect policy_says(struct arena *a, const struct doc *policy,
    const struct policy_request *q);

/* policy-condition.c
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html */

/* Does a Condition element hold?  variables: ${aws:username} and the like are
 * replaced, as Version 2012-10-17 has it. */
bool policy_condition(struct arena *a, const struct doc *condition,
    const struct policy_request *q, bool variables);
/* "ForAnyValue:StringLikeIfExists" */
bool policy_operator_known(struct span name);
/* The text of a policy against a value: '*' and '?' are wild. */
bool policy_like(struct span pattern, struct span value,
    const struct policy_request *q, bool variables);
