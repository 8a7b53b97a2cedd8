/* The warden's parts, one row each, in order of init and of clean. */
#include "warden/parts.h"

const struct host_part *const host_parts[] = {
    &container_part,
    NULL,
};
