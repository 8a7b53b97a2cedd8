/* The parts that the warden is made of; see host.h. */
#pragma once

#include "warden/host.h"

extern const struct host_part container_part;
extern const struct host_part image_part;
extern const struct host_part proxy_part;
