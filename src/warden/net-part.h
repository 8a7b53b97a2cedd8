/* The network as a part of the warden: see host.h and net.h. */
#pragma once

#include "warden/host.h"

extern const struct host_part net_part; /* a row in parts.c */
