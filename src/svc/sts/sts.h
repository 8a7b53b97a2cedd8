/* Security Token Service.
 * https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html */
#pragma once

#include "api/op.h"

extern const struct service sts_service;

struct reply *sts_assume_role(struct call *c);
struct reply *sts_get_session_token(struct call *c);
