/* The seccomp profile of every container, as the "seccomp" member of an OCI
 * configuration. */
#pragma once

#include "base/buf.h"

void seccomp_render(struct buf *b);
