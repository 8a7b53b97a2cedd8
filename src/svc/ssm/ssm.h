/* What the handlers of ssm share. */
#pragma once

#include "cfn/type.h"
#include "svc/ssm/kinds.h"

extern const struct service ssm_service;
extern const struct cfn_map ssm_types[]; /* cfn.c */

struct reply *ssm_fail(struct call *c, int r);
struct reply *ssm_invalid(struct call *c, const char *fmt, ...) PRINTF(2, 3);
struct reply *ssm_not_found(struct call *c);

/* name.c */

/* May a parameter of this name be made?  NULL, or the refusal. */
struct reply *ssm_check_name(struct call *c, struct span name);
/* 0, STORE_E_NOT_FOUND or negative.  name: also an ARN. */
int ssm_get(struct call *c, struct span name, struct res **ret);
/* All versions, oldest first. */
int ssm_versions(struct call *c, const struct res *p, struct res_list *ret);

/* secret.c */

/* Encrypts or decrypts what spec.Value of a SecureString is to be or is, by
 * spec.KeyId.  NULL and *ret, or the refusal. */
struct reply *ssm_encrypt(struct call *c, struct span arn, struct span key,
    struct span plain, struct span *ret);
struct reply *ssm_decrypt(struct call *c, struct span arn,
    const struct doc *spec, struct span *ret);

/* get.c: {Name, Type, Value, ...} into *ret, or the refusal. */
struct reply *ssm_show(struct call *c, const struct res *p,
    const struct doc *spec, struct doc **ret);
/* put.c: {Name, Type, ...} without the value. */
struct doc *ssm_metadata(struct call *c, const struct res *p,
    const struct doc *spec);

/* tag.c */
struct reply *ssm_put_tags(struct call *c, const struct res *p,
    const struct doc *tags);

#define HANDLER(name) struct reply *ssm_##name(struct call *c)
HANDLER(put_parameter);
HANDLER(get_parameter);
HANDLER(get_parameters);
HANDLER(get_by_path);
HANDLER(get_history);
HANDLER(describe_parameters);
HANDLER(delete_parameter);
HANDLER(delete_parameters);
HANDLER(label_version);
HANDLER(unlabel_version);
HANDLER(add_tags);
HANDLER(remove_tags);
HANDLER(list_tags);
#undef HANDLER
