/* What the handlers of Route 53 share. */
#pragma once

#include "api/op.h"
#include "svc/route53/kinds.h"

extern const struct service route53_service;
