/* The seccomp profile of every container, as the "seccomp" member of an OCI
 * configuration. */
#pragma once

#include "base/buf.h"

void seccomp_render(struct buf *b);
/* The same as the kernel's program.  The runtime takes half of a container's
 * start to compile it, so it is given the program instead where it takes it. */
int seccomp_bpf(struct buf *b);
