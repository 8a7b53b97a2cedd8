/* Steps of `neargate up` that others use. */
#pragma once

#include "cli/instance.h"

/* Runs a program to its end: its exit code, 128 and more for a signal,
 * negative when it cannot be started. */
int run_program(const char *const *argv);
/* Ends everything of the instance; ephemeral ones lose their state. */
int bring_down(struct cli *c, const struct instance *in);
