/*
 * What the handlers of IAM share.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/welcome.html
 */
#pragma once

#include "api/api.h"
#include "auth/policy.h"
#include "svc/iam/cfn.h"
#include "svc/iam/kinds.h"

extern const struct service iam_service;

/* credential.c: who holds an access key.  access_key must live as long as a.
 * 0 with *ret in a, an outcome of credential_fn (api/api.h) but for the time,
 * which is the caller's to look at, or negative. */
struct iam_holder {
	struct principal who;
	struct span secret;
	int64_t expires;  /* ms; 0: never */
	struct res *used; /* whose status tells of its use; or NULL */
};
int iam_holder(struct store *s, struct arena *a, struct span account,
    struct span access_key, struct span token, struct iam_holder *ret);
/* The secret of an access key as it is kept: sealed, in base64. */
struct span iam_seal_secret(struct store *s, struct arena *a,
    struct span access_key, struct span secret);

/* noun.c: what has a name, a path and a unique id. */
struct iam_noun {
	const struct kind *kind;
	const char *member;  /* of inputs: "RoleName" */
	const char *in_text; /* of sentences: "role" */
	const char *title;   /* "Role", also the member of replies */
	const char *list;    /* "Roles" */
	const char *prefix;  /* of unique ids */
	const char *quota;   /* "RolesPerAccount" */
	int64_t max;
	/* Of holders of policies; else 0. */
	const char *attach_quota; /* "PoliciesPerRole" */
	size_t attach_max;
	size_t inline_max; /* bytes of all inline policies */
};
extern const struct iam_noun iam_nouns[]; /* ends with kind NULL */
extern const struct iam_noun *const iam_noun_role;
extern const struct iam_noun *const iam_noun_user;
extern const struct iam_noun *const iam_noun_group;
extern const struct iam_noun *const iam_noun_policy;
extern const struct iam_noun *const iam_noun_profile;

/* The noun whose name the operation requires. */
const struct iam_noun *iam_noun(struct call *c);
/* These return NULL with *ret filled, or the refusal. */
struct reply *iam_find(struct call *c, const struct iam_noun *n,
    struct span name, struct res **ret);
/* The one that the input's member names. */
struct reply *iam_named(struct call *c, const struct iam_noun *n,
    struct res **ret);
/* A new one in memory, its name and place being free. */
struct reply *iam_new(struct call *c, const struct iam_noun *n,
    struct res **ret);
struct reply *iam_rename(struct call *c, const struct iam_noun *n,
    struct res *r, struct span path, struct span name);
/* By unique id; STORE_E_NOT_FOUND. */
int iam_by_id(struct call *c, const struct kind *k, struct span id,
    struct res **ret);
/* {Path, XName, XId, Arn, CreateDate} */
struct doc *iam_show(struct call *c, const struct iam_noun *n,
    const struct res *r);
struct reply *iam_reply(struct call *c, const char *member, struct doc *d);

/* common.c */
struct reply *iam_fail(struct call *c, int r);
/* IAM's times are in full seconds. */
int64_t iam_now(void);
struct reply *iam_insert(struct call *c, struct res *r); /* NULL or refusal */
struct reply *iam_put(struct call *c, struct res *r);	 /* the same */
struct reply *iam_put_ok(struct call *c, struct res *r);
struct reply *iam_missing(struct call *c, const char *fmt, ...) PRINTF(2, 3);
struct reply *iam_conflict(struct call *c, const char *why);
struct reply *iam_quota(struct call *c, const char *name, int64_t max);
/* Policies go over the wire percent-encoded. */
struct span iam_encoded(struct call *c, struct span text);
struct reply *iam_check_policy(struct call *c, struct span text,
    enum policy_type type);
/* A role of a service is its own to change. */
struct reply *iam_protected(struct call *c, const struct res *role);

/* page.c: all is {key: value}; the values in the order of keys, by Marker and
 * MaxItems. */
struct reply *iam_page(struct call *c, const char *member, struct doc *all,
    struct doc **ret_out);
/* All of a kind under PathPrefix, shown by fn, as iam_page() wants them. */
struct reply *iam_list(struct call *c, const struct query *q,
    struct doc *(*fn)(struct call *, const struct res *), struct doc **ret);

/* tag.c */
struct reply *iam_put_tags(struct call *c, const struct res *r);
struct reply *iam_show_tags(struct call *c, const struct res *r,
    struct doc *d);

/* attach.c */
struct doc *iam_show_boundary(struct call *c, const struct res *r);
/* Is there such a policy, of the account or AWS's own? */
struct reply *iam_attachable(struct call *c, struct span arn);
struct reply *iam_set_boundary(struct call *c, struct res *r);
/* NULL, or what keeps it from being deleted. */
struct reply *iam_holds_none(struct call *c, const struct res *r);
/* [{PolicyName, PolicyDocument}] and [{PolicyName, PolicyArn}] */
struct doc *iam_show_inline(struct call *c, const struct res *r);
struct doc *iam_show_attached(struct call *c, const struct res *r);

/* provider.c, policy.c */
struct reply *iam_find_provider(struct call *c, struct span arn,
    struct res **ret);
struct reply *iam_find_policy(struct call *c, struct span arn,
    struct res **ret);

/* aws-policies.c: what AWS manages. */
struct iam_aws_policy {
	const char *name;
	const char *path; /* "/service-role/" */
	int version;	  /* the default one */
	int64_t created;  /* seconds since 1970 */
	int64_t updated;
	const char *text; /* with ' for " */
};
extern const struct iam_aws_policy iam_aws_policies[]; /* ends with NULL */
const struct iam_aws_policy *iam_aws_policy(struct span arn);

/* policy.c: with what is in their versions */
struct reply *iam_show_details(struct call *c, const struct res *r,
    struct doc **ret);
struct reply *iam_show_aws_details(struct call *c,
    const struct iam_aws_policy *p, struct doc **ret);
/* The user that the input names, or who calls. */
struct reply *iam_user_or_caller(struct call *c, struct res **ret);

/* role.c, user.c, group.c: as lists tell of them */
struct doc *iam_show_role(struct call *c, const struct res *r);
struct doc *iam_show_user(struct call *c, const struct res *r);
struct doc *iam_show_group(struct call *c, const struct res *r);

#define HANDLER(name) struct reply *iam_##name(struct call *c)
HANDLER(create_role);
HANDLER(get_role);
HANDLER(list_roles);
HANDLER(update_role);
HANDLER(update_role_description);
HANDLER(update_trust);
HANDLER(delete_role);
HANDLER(put_inline);
HANDLER(get_inline);
HANDLER(delete_inline);
HANDLER(list_inline);
HANDLER(attach);
HANDLER(detach);
HANDLER(list_attached);
HANDLER(list_entities);
HANDLER(put_boundary);
HANDLER(delete_boundary);
HANDLER(tag);
HANDLER(untag);
HANDLER(list_tags);
HANDLER(create_policy);
HANDLER(get_policy);
HANDLER(list_policies);
HANDLER(delete_policy);
HANDLER(create_version);
HANDLER(get_version);
HANDLER(list_versions);
HANDLER(set_default);
HANDLER(delete_version);
HANDLER(create_linked_role);
HANDLER(delete_linked_role);
HANDLER(linked_role_deletion);
HANDLER(create_user);
HANDLER(get_user);
HANDLER(list_users);
HANDLER(update_user);
HANDLER(delete_user);
HANDLER(create_group);
HANDLER(get_group);
HANDLER(list_groups);
HANDLER(update_group);
HANDLER(delete_group);
HANDLER(add_member);
HANDLER(remove_member);
HANDLER(list_groups_of_user);
HANDLER(create_key);
HANDLER(list_keys);
HANDLER(update_key);
HANDLER(delete_key);
HANDLER(key_last_used);
HANDLER(create_profile);
HANDLER(get_profile);
HANDLER(list_profiles);
HANDLER(list_profiles_of_role);
HANDLER(delete_profile);
HANDLER(add_role);
HANDLER(remove_role);
HANDLER(create_provider);
HANDLER(get_provider);
HANDLER(list_providers);
HANDLER(delete_provider);
HANDLER(update_thumbprints);
HANDLER(add_client);
HANDLER(remove_client);
HANDLER(account_summary);
HANDLER(account_details);
#undef HANDLER
