/*
 * The private CA of the installation: one P-256 root, made at first use and
 * kept for good, also through a reset, so that a trust store that has it keeps
 * its worth.  Its key is sealed under the root key.
 */
#pragma once

#include "store/store.h"

struct ca {
	struct span certificate; /* PEM */
	struct span key;	 /* clear; wiped when the arena ends */
};

int ca_load(struct store *s, struct arena *a, struct ca *ret);
