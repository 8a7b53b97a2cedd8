/* The warden's parts, one row each, in order of init; clean goes the other way:
 * what uses a namespace ends before the namespace. */
#include "warden/net-part.h"
#include "warden/parts.h"

const struct host_part *const host_parts[] = {
    &net_part,
    &proxy_part,
    &container_part,
    &image_part,
    NULL,
};
