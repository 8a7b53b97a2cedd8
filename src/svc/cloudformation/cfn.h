/* CloudFormation's own resource types. */
#pragma once

#include "cfn/type.h"

extern const struct cfn_map cloudformation_types[];

/* wait.c */
#define WAIT_PATH "/cloudformation-waitcondition-"
int wait_signal_open(struct open_call *c);
int cfn_handle_create(struct cfn_run *run, enum cfn_outcome *ret);
int cfn_wait_create(struct cfn_run *run, enum cfn_outcome *ret);
int cfn_wait_update(struct cfn_run *run, enum cfn_outcome *ret);
int cfn_wait_ready(struct cfn_run *run, enum cfn_outcome *ret);

/* nested.c.  PARENT-LOGICALID-RANDOM; its Parameters as a request has them. */
struct span nested_name(struct arena *a, struct span parent,
    struct span logical);
struct doc *nested_parameters(struct arena *a, const struct doc *props);
int cfn_nested_create(struct cfn_run *run, enum cfn_outcome *ret);
int cfn_nested_update(struct cfn_run *run, enum cfn_outcome *ret);
int cfn_nested_remove(struct cfn_run *run, enum cfn_outcome *ret);
int cfn_nested_ready(struct cfn_run *run, enum cfn_outcome *ret);
int cfn_nested_gone(struct cfn_run *run, enum cfn_outcome *ret);
