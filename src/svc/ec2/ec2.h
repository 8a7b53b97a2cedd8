/* Amazon EC2, the part of it that is about networks. */
#pragma once

#include "api/op.h"

extern const struct service ec2_service;
