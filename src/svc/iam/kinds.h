/*
 * The kinds of IAM, all of them global.  Spec members carry AWS's names.
 *
 *	kind		 parent		id
 *	role		 path less its	RoleName
 *	user		 leading '/'	UserName
 *	group				GroupName
 *	policy				PolicyName
 *	instance-profile		InstanceProfileName
 *	oidc-provider	 -		URL without its scheme
 *	access-key	 -		AccessKeyId
 *
 * The first five ("entities"): spec {Path, Id (AROA…), Key: the name in lower
 * case, by which it is unique whatever its path}.  Further:
 * role: {AssumeRolePolicyDocument: text, Description, MaxSessionDuration,
 *	PermissionsBoundary: ARN, ServiceLinked: bool}
 * role, user, group: {Policies: {name: text}, Attached: [ARN]}
 * user: {PermissionsBoundary, Groups: [Key]}
 * policy: {Description, DefaultVersionId, Newest (number of), Updated (ms),
 *	Versions: [{VersionId, Document: text, Created (ms)}]}
 * instance-profile: {Roles: [Key]}
 * oidc-provider: {Url, ClientIDList[], ThumbprintList[]}
 * access-key: {UserName, UserKey, Status, Secret: sealed under the key's id, in
 *	base64, Used: {At (ms), Service, Region}}
 */
#pragma once

#include "store/store.h"

extern const struct kind iam_role;
extern const struct kind iam_user;
extern const struct kind iam_group;
extern const struct kind iam_policy;
extern const struct kind iam_instance_profile;
extern const struct kind iam_oidc_provider;
extern const struct kind iam_access_key;

/* NULL-terminated, for struct service. */
extern const struct kind *const iam_kinds[];
