/* Questions to the daemon over its administrative socket; src/admin. */
#pragma once

#include "cli/instance.h"

enum { LOCAL_E_DOWN = 1 }; /* nobody answers */

/* The body of the answer to GET path. */
int local_get(const struct instance *in, const char *path, struct buf *ret);
/* The same, parsed. */
int local_ask(struct cli *c, const struct instance *in, const char *path,
    struct doc **ret);
