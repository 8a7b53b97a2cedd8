/* The one list of services (svc/services.c) and the kinds of all of them. */
#pragma once

#include "api/op.h"

/* NULL-terminated and the arena's; extra: kinds that no service owns. */
const struct kind **services_kinds(struct arena *a,
    const struct kind *const *extra);
