/* What the handlers of IAM share.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html */
#pragma once

#include "api/api.h"
#include "cfn/type.h"
#include "svc/iam/kinds.h"

extern const struct service iam_service;
extern const struct cfn_map iam_types[];

/* For api_config.credential: who holds a key of ours. */
int iam_credential(struct store *s, struct arena *a, struct span account,
    struct span key, struct span token, struct credential *ret);

/* Roles, users, groups, policies, instance profiles have a path and a name
 * that is unique whatever its case. */
struct entity {
	const struct kind *kind;
	const char *noun;   /* "Role": of operations and members */
	const char *text;   /* "role": of sentences */
	const char *name;   /* "RoleName" */
	const char *list;   /* "Roles" */
	const char *prefix; /* "AROA": of ids */
	size_t max;	    /* in one account */
	const char *quota;  /* "RolesPerAccount" */
};

/* entity.c */
extern const struct entity entity_role, entity_user, entity_group,
    entity_policy, entity_profile;
/* The one that the operation's name speaks of: PutGroupPolicy, a group. */
const struct entity *entity_of(const struct call *c);

struct reply *iam_fail(struct call *c, int r);
/* NoSuchEntity: "The role with name X cannot be found." */
struct reply *entity_missing(struct call *c, const struct entity *e,
    struct span name);
/* By its name; the refusal, or NULL and *ret. */
struct reply *entity_find(struct call *c, const struct entity *e,
    struct span name, struct res **ret);
/* The same of the input's member. */
struct reply *entity_named(struct call *c, const struct entity *e,
    struct res **ret);
/* By name without a refusal: 0, STORE_E_NOT_FOUND or negative. */
int entity_get(struct store *s, struct arena *a, const struct entity *e,
    struct scope scope, struct span name, struct res **ret);
/* A fresh one of the input's name, Path and Tags, with its id; not stored. */
struct reply *entity_new(struct call *c, const struct entity *e,
    struct res **ret);
/* Stores it, with the input's tags. */
struct reply *entity_insert(struct call *c, const struct entity *e,
    struct res *r);
struct reply *iam_put(struct call *c, struct res *r);
/* Path, the name, its id, Arn, CreateDate. */
struct doc *entity_doc(struct call *c, const struct entity *e,
    const struct res *r);
void iam_set_tags(struct call *c, const struct res *r, struct doc *d);
struct span iam_lower(struct arena *a, struct span s);
/* As a URL has it: how IAM shows policies. */
struct span iam_quote(struct call *c, struct span text);

/* Lists by name: PathPrefix, Marker, MaxItems. */
struct iam_page {
	struct span after;
	size_t limit;
};
struct reply *iam_page(struct call *c, struct iam_page *ret);
/* What of an array of {name: text} is on the page, in the order of the texts,
 * set as out's member, with IsTruncated and Marker.  name NULL: an array of
 * strings. */
void iam_page_set(struct call *c, const struct iam_page *p, struct doc *out,
    const char *member, const struct doc *all, const char *name);
/* The rows of a kind under the input's PathPrefix. */
struct reply *entity_list(struct call *c, const struct entity *e,
    struct res_list *ret);

/* inline.c, attach.c, policy.c */
/* MalformedPolicyDocument, or NULL. */
struct reply *iam_check_policy(struct call *c, struct span text, int type);
/* What AttachXPolicy may name: ours or AWS's own. */
struct reply *policy_attachable(struct call *c, struct span arn);
/* How many have it attached or for a boundary; or negative. */
int64_t policy_uses(struct call *c, struct span arn, bool boundary);

/* managed.c: AWS's own.  document: JSON. */
struct managed {
	const char *path, *name, *document;
};
extern const struct managed managed_policies[];
const struct managed *managed_find(struct span arn);

#define HANDLER(name) struct reply *iam_##name(struct call *c)
HANDLER(create_role);
HANDLER(get_role);
HANDLER(list_roles);
HANDLER(update_role);
HANDLER(update_role_description);
HANDLER(update_trust);
HANDLER(delete_role);
HANDLER(put_boundary);
HANDLER(delete_boundary);
HANDLER(create_linked_role);
HANDLER(delete_linked_role);
HANDLER(linked_deletion_status);
HANDLER(put_inline);
HANDLER(get_inline);
HANDLER(delete_inline);
HANDLER(list_inline);
HANDLER(attach);
HANDLER(detach);
HANDLER(list_attached);
HANDLER(list_entities);
HANDLER(create_policy);
HANDLER(get_policy);
HANDLER(list_policies);
HANDLER(delete_policy);
HANDLER(create_version);
HANDLER(get_version);
HANDLER(list_versions);
HANDLER(delete_version);
HANDLER(set_default_version);
HANDLER(create_user);
HANDLER(get_user);
HANDLER(list_users);
HANDLER(delete_user);
HANDLER(create_group);
HANDLER(get_group);
HANDLER(list_groups);
HANDLER(delete_group);
HANDLER(add_to_group);
HANDLER(remove_from_group);
HANDLER(list_groups_of_user);
HANDLER(create_key);
HANDLER(update_key);
HANDLER(delete_key);
HANDLER(list_keys);
HANDLER(create_profile);
HANDLER(get_profile);
HANDLER(list_profiles);
HANDLER(list_profiles_of_role);
HANDLER(delete_profile);
HANDLER(profile_add_role);
HANDLER(profile_remove_role);
HANDLER(create_provider);
HANDLER(get_provider);
HANDLER(list_providers);
HANDLER(delete_provider);
HANDLER(update_thumbprints);
HANDLER(add_client);
HANDLER(remove_client);
HANDLER(tag);
HANDLER(untag);
HANDLER(list_tags);
HANDLER(account_summary);
#undef HANDLER
