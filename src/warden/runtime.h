/*
 * The OCI runtime's program.  Runtimes copy themselves into sealed memory and
 * start again from there, so that no container can write to them; given such a
 * copy they need not, which is a fifth of a container's start.
 */
#pragma once

#include "base/buf.h"

struct runtime_program {
	int fd;		    /* sealed memory; -1: to be executed by its path */
	struct buf seccomp; /* for struct oci_host; empty: it takes none */
};

int runtime_load(struct runtime_program *r, const char *path);
void runtime_unload(struct runtime_program *r);
