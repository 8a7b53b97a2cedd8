/*
 * Image configurations: the JSON blob that says how an image is run.
 * https://github.com/opencontainers/image-spec/blob/v1.1.0/config.md
 */
#pragma once

#include "base/arena.h"
#include "doc/doc.h"

#define CONFIG_MAX (4u << 20) /* bytes */

struct image_config {
	struct span os, arch, variant;
	struct span *diff_ids; /* of the layers, bottom first */
	size_t n_diff_ids;
	const struct doc *run; /* its "config": Env, Cmd and so on; or NULL */
};

/* False when it is no image configuration. */
bool image_config_parse(struct arena *a, struct span bytes,
    struct image_config *ret);
/* "amd64" or "arm64": what this host runs. */
struct span host_arch(void);
