/*
 * What IAM keeps in the store.  Names are unique whatever their case: Key is
 * the name in lower case.  Parents are paths ("/", "/service-role/"), so that
 * ARNs tell them; Id is AWS's unique one ("AROA...").  Times are ms.
 *
 * All holders of policies (roles, users, groups):
 *	spec {Key, Id, Inline: {name: text}, Attached: [policy ARN]}; roles and
 *	users also Boundary? (policy ARN).
 * iam.role		spec adds Trust (text), Trusted: {ARN: Id} of the users
 *			and roles that it names, Description?, MaxSession
 *			(seconds), Service? (of a service-linked one).  status
 *			{LastUsed?, Service?, Region?}.
 * iam.user		spec adds Groups: [Id of group].
 * iam.group		nothing more.
 * iam.access-key	id = access key id.  spec {User: Id, UserRow, Status:
 *			Active | Inactive, Sealed (base64, under the root
 *			key)}.  status as a role's.
 * iam.policy		spec {Key, Id, Description?, Default: "v1", Next: 2,
 *			Updated, Versions: [{Id, Text, Created}]}.
 * iam.instance-profile	spec {Key, Id, Role?: Id}.
 * iam.oidc-provider	id = the URL without "https://", no parent.  spec
 *			{Clients: [text], Thumbprints: [text]}.
 * iam.deletion		id = a task's, of a service-linked role; kept for a day.
 */
#pragma once

#include "store/store.h"

extern const struct kind iam_role;
extern const struct kind iam_user;
extern const struct kind iam_group;
extern const struct kind iam_access_key;
extern const struct kind iam_policy;
extern const struct kind iam_instance_profile;
extern const struct kind iam_oidc_provider;
extern const struct kind iam_deletion;

extern const struct kind *const iam_kinds[];
