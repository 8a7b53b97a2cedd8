/* The two files of Route 53's CloudFormation types. */
#pragma once

#include "cfn/type.h"

/* cfn-record.c: record sets, alone (a group of one) and in groups. */
int cfn_records_create(struct cfn_run *run, enum cfn_outcome *ret);
int cfn_records_update(struct cfn_run *run, enum cfn_outcome *ret);
int cfn_records_remove(struct cfn_run *run, enum cfn_outcome *ret);
