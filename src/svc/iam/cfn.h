/* What the files of IAM's CloudFormation types share. */
#pragma once

#include "cfn/type.h"

extern const struct cfn_map iam_types[];

/* What holds policies, and the operations on it. */
struct iam_cfn_holder {
	const char *member; /* "RoleName" */
	const char *list;   /* a property of policies: "Roles" */
	const char *put, *drop;	      /* inline policies */
	const char *attach, *detach;
	const char *bound, *unbound;  /* boundaries; groups have none */
};
extern const struct iam_cfn_holder iam_cfn_role;
extern const struct iam_cfn_holder iam_cfn_user;
extern const struct iam_cfn_holder iam_cfn_group;

/* All of these: 0 with *ret, or negative. */

/* Makes Policies and ManagedPolicyArns of a holder as props say that were as
 * old says; either may be NULL. */
int iam_cfn_policies(struct cfn_run *run, const struct iam_cfn_holder *h,
    const struct doc *props, const struct doc *old, enum cfn_outcome *ret);
/* The same of a user's Groups. */
int iam_cfn_groups(struct cfn_run *run, const struct doc *props,
    const struct doc *old, enum cfn_outcome *ret);

int iam_cfn_policy_create(struct cfn_run *run, enum cfn_outcome *ret);
int iam_cfn_policy_update(struct cfn_run *run, enum cfn_outcome *ret);
int iam_cfn_policy_remove(struct cfn_run *run, enum cfn_outcome *ret);
int iam_cfn_managed_create(struct cfn_run *run, enum cfn_outcome *ret);
int iam_cfn_managed_update(struct cfn_run *run, enum cfn_outcome *ret);
int iam_cfn_managed_remove(struct cfn_run *run, enum cfn_outcome *ret);

/* {RoleName: ref} */
struct doc *iam_cfn_named(struct cfn_run *run, const struct iam_cfn_holder *h);
/* A document, given as text or as an object. */
struct span iam_cfn_text(struct arena *a, const struct doc *d);
