/* Questions to the daemon over its administrative socket; src/admin. */
#pragma once

#include "cli/instance.h"

enum {
	LOCAL_E_DOWN = 1, /* nobody answers */
	LOCAL_E_REFUSED	  /* the body of the answer is the reason */
};

/* The body of the answer to GET path. */
int local_get(const struct instance *in, const char *path, struct buf *ret);
/* The same for POST, which changes something. */
int local_post(const struct instance *in, const char *path, struct buf *ret);
/* As local_get(), parsed. */
int local_ask(struct cli *c, const struct instance *in, const char *path,
    struct doc **ret);
