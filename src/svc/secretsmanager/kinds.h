/*
 * What secretsmanager keeps in the store.
 *
 * secretsmanager.secret	id = name, "-" and six random characters.  spec
 *			{Name, Description?, KmsKeyId?, Policy?, Changed,
 *			Accessed?: midnight of the day, Deletion?: when it goes},
 *			times in ms.
 * secretsmanager.secret-version  parent = that id, id = VersionId.  spec {Stages[]
 *			in byte order, Value: see api/vault.h, Binary?, KmsKeyId?,
 *			Created, Accessed?}
 */
#pragma once

#include "store/store.h"

extern const struct kind secretsmanager_secret;
extern const struct kind secretsmanager_version;

extern const struct kind *const secretsmanager_kinds[];

/* Deletes a secret with its versions.  0 or negative. */
int secret_destroy(struct store *s, struct arena *a, const struct res *secret);
