/* Security Token Service.
 * https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html */
#pragma once

#include "api/op.h"

extern const struct service sts_service;
