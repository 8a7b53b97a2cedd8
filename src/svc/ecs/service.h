/* What the files about services share. */
#pragma once

#include "svc/ecs/ecs.h"

/* ACTIVE, DRAINING or INACTIVE. */
struct span service_status(const struct res *svc);
/* Id of the deployment in force: the newest, or the one rolled back to. */
struct span service_primary(const struct res *svc);
