/* What the handlers of kms share. */
#pragma once

#include "api/op.h"
#include "base/seal.h"
#include "cfn/type.h"
#include "svc/kms/kinds.h"

extern const struct service kms_service;
/* cfn.c: its CloudFormation resource types. */
extern const struct cfn_map kms_types[];

/* find.c */

/* What the caller may do with the key. */
enum kms_use {
	KMS_LOOK,   /* any key */
	KMS_MANAGE, /* not one that AWS manages */
	KMS_CHANGE, /* nor one that waits for its deletion */
	KMS_CRYPT   /* enabled; one that AWS manages: services only */
};
/* The key that id names: a key id or ARN, and with by_alias an alias's name or
 * ARN.  Makes aws/... aliases and their keys at first use.  NULL and *ret
 * filled, or the refusal. */
struct reply *kms_find(struct call *c, struct span id, bool by_alias,
    enum kms_use use, struct res **ret);
/* The key of the input's KeyId, by id or ARN. */
struct reply *kms_named(struct call *c, enum kms_use use, struct res **ret);
/* May this key be used so? */
struct reply *kms_allows(struct call *c, const struct res *key,
    enum kms_use use);
/* Deletes keys whose time has come; before each operation. */
struct reply *kms_before(struct call *c);
struct reply *kms_fail(struct call *c, int r);
struct reply *kms_invalid(struct call *c, const char *fmt, ...) PRINTF(2, 3);
bool kms_is(const struct res *key, const char *member, const char *value);
bool kms_is_managed_alias(struct span name);

/* key.c */
struct kms_new {
	struct span description, policy;
	bool managed;
};
/* A fresh key with its first material.  0 or negative. */
int kms_make(struct call *c, const struct kms_new *n, struct res **ret);

/* material.c */

/* Another material of key becomes the one that encrypts; the caller writes the
 * key.  type NULL: its first.  0 or negative. */
int kms_add_material(struct call *c, struct res *key, const char *type,
    int64_t when);
struct kms_material {
	unsigned char key[SEAL_KEY];
	struct span id; /* as AWS shows it */
};
void kms_material_done(struct kms_material *m);
/* 0, STORE_E_NOT_FOUND or negative. */
int kms_material(struct call *c, const struct res *key, int64_t number,
    struct kms_material *ret);
/* Does the rotations that are due.  0 or negative. */
int kms_rotate_due(struct call *c, struct res *key);

/* page.c: Limit and Marker. */
struct kms_page {
	int64_t after;
	size_t limit;
};
struct reply *kms_page(struct call *c, size_t limit, struct kms_page *ret);
/* Fills Truncated and NextMarker. */
void kms_page_end(struct call *c, struct doc *out, const struct res_list *l);

/* policy.c */
struct span kms_default_policy(struct call *c);
struct reply *kms_check_policy(struct call *c, struct span text);
/* tag.c: puts a list of {TagKey, TagValue} on a key. */
struct reply *kms_put_tags(struct call *c, const struct res *key,
    const struct doc *tags);

#define HANDLER(name) struct reply *kms_##name(struct call *c)
HANDLER(create_key);
HANDLER(describe_key);
HANDLER(list_keys);
HANDLER(update_description);
HANDLER(enable_key);
HANDLER(disable_key);
HANDLER(schedule_deletion);
HANDLER(cancel_deletion);
HANDLER(create_alias);
HANDLER(update_alias);
HANDLER(delete_alias);
HANDLER(list_aliases);
HANDLER(encrypt);
HANDLER(decrypt);
HANDLER(reencrypt);
HANDLER(generate_data_key);
HANDLER(generate_data_key_without_plaintext);
HANDLER(generate_random);
HANDLER(get_policy);
HANDLER(put_policy);
HANDLER(list_policies);
HANDLER(enable_rotation);
HANDLER(disable_rotation);
HANDLER(rotation_status);
HANDLER(rotate_now);
HANDLER(list_rotations);
HANDLER(tag_resource);
HANDLER(untag_resource);
HANDLER(list_tags);
#undef HANDLER
