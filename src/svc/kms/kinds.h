/*
 * What kms keeps in the store.
 *
 * kms.key		id = key id (a UUID).  spec {Description, KeyUsage,
 *			KeySpec, Origin, KeyManager: CUSTOMER | AWS, Policy (text),
 *			KeyState: Enabled | Disabled | PendingDeletion,
 *			DeletionDate?, Rotation: {Period, From}?, Material}.
 *			Times are ms; Material is the number of the one that
 *			encrypts now.
 * kms.key-material	parent = key id, id = 1, 2, 3 and so on.  spec {Sealed
 *			(base64, under the root key), MaterialId, RotationDate?,
 *			RotationType?}.
 * kms.alias		id = "alias/NAME".  spec {TargetKeyId, Updated (ms)}.
 */
#pragma once

#include "store/store.h"

extern const struct kind kms_key;
extern const struct kind kms_key_material;
extern const struct kind kms_alias;

extern const struct kind *const kms_kinds[];
