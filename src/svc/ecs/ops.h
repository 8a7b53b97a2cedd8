/* The ecs service, for svc/services.c. */
#pragma once

#include "api/op.h"

extern const struct service ecs_service_ops;
