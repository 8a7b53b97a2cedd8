/*
 * Secrets: deletes each when its recovery window has passed, with all its
 * versions, whether anybody asks for it or not.
 */
#pragma once

#include "ctl/ctl.h"

extern const struct controller ctl_secret;
