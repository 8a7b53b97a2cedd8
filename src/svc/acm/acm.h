/* What the handlers of ACM share. */
#pragma once

#include "api/op.h"
#include "svc/acm/kinds.h"

extern const struct service acm_service;
