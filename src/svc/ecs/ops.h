/* The ecs service, for svc/services.c. */
#pragma once

#include "api/op.h"
#include "cfn/type.h"

extern const struct service ecs_service_ops;
/* cfn.c: its CloudFormation resource types. */
extern const struct cfn_map ecs_types[];
