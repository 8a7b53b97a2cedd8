/* What AWS clients need to know, as text for eval. */
#pragma once

#include "cli/instance.h"

/* Adds export lines, shell-quoted; status is the daemon's. */
int env_lines(struct cli *c, const struct instance *in,
    const struct doc *status, struct buf *b);
/* The same into a file of mode 0600, which belongs to who called sudo. */
int env_file(struct span lines, const char *path);
