/* AWS Security Token Service. */
#pragma once

#include "api/op.h"

extern const struct service sts_service;

/* assume.c */
struct reply *sts_assume_role(struct call *c);
struct reply *sts_get_session_token(struct call *c);
