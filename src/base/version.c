/* The only object that is built anew for every commit. */
#include "base/version.h"

const char neargate_version[] = NEARGATE_VERSION;
