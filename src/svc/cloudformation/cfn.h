/* CloudFormation's own resource types. */
#pragma once

#include "cfn/type.h"

extern const struct cfn_map cloudformation_types[];
