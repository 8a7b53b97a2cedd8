/*
 * What ssm keeps in the store.
 *
 * ssm.parameter	id = name without its leading slash.  spec: the newest
 *			version's, and Name as it was given.
 * ssm.parameter-version parent = that id, id = 1, 2, 3 and so on.  spec
 *			{Version, Type, Value, KeyId?, Description?,
 *			AllowedPattern?, Tier, DataType, Modified (ms), User,
 *			Labels?}.  Value of a SecureString: base64 of secret.c's.
 */
#pragma once

#include "store/store.h"

extern const struct kind ssm_parameter;
extern const struct kind ssm_parameter_version;

extern const struct kind *const ssm_kinds[];
