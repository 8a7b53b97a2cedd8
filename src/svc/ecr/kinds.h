/* The kinds of the ecr service; the registry below works on them, too. */
#pragma once

#include "registry/kinds.h"
