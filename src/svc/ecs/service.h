/* What the files about services share. */
#pragma once

#include "svc/ecs/ecs.h"

/* ACTIVE, DRAINING or INACTIVE. */
struct span service_status(const struct res *svc);
