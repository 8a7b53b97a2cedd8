/* What the CloudFormation types of IAM share. */
#pragma once

#include "cfn/type.h"
#include "svc/iam/iam.h"

/* cfn-entity.c: AWS::IAM::Role, User, Group, whose lists are operations of
 * their own. */
int iam_cfn_create(struct cfn_run *run, enum cfn_outcome *ret);
int iam_cfn_update(struct cfn_run *run, enum cfn_outcome *ret);
int iam_cfn_remove(struct cfn_run *run, enum cfn_outcome *ret);

/* One such operation; noun: "Role". */
int iam_cfn_attach(struct cfn_run *run, const char *noun, struct span entity,
    struct span arn, bool attach, enum cfn_outcome *ret);
/* document NULL: the policy goes. */
int iam_cfn_inline(struct cfn_run *run, const char *noun, struct span entity,
    struct span policy, const struct doc *document, enum cfn_outcome *ret);
