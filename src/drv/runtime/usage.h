/* What a control group has used, by the kernel's files, which everybody may
 * read.  Blocks for as long as the kernel adds up: for a worker. */
#pragma once

#include "drv/runtime/runtime.h"

/* root: "/sys/fs/cgroup"; group: "/neargate-ng0/<task>".  A group that is not
 * there, or goes away meanwhile, leaves ret->there false. */
void usage_read(const char *root, const char *group, struct task_usage *ret);
