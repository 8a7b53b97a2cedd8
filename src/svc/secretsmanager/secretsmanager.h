/* What the handlers of secretsmanager share. */
#pragma once

#include "cfn/type.h"
#include "svc/secretsmanager/kinds.h"

extern const struct service secretsmanager_service;
extern const struct cfn_map secretsmanager_types[]; /* cfn.c */

#define AWSCURRENT  SPAN("AWSCURRENT")
#define AWSPREVIOUS SPAN("AWSPREVIOUS")

/* find.c */

struct reply *secret_fail(struct call *c, int e);
struct reply *secret_bad_request(struct call *c, const char *why);
struct reply *secret_bad_parameter(struct call *c, const char *why);
/* id: a name, an ARN, or an ARN without its last six characters.  0,
 * STORE_E_NOT_FOUND or negative. */
int secret_get(struct call *c, struct span id, struct res **ret);
/* The one that the input's SecretId names; doomed: also one that waits for its
 * deletion.  NULL and *ret, or the refusal. */
struct reply *secret_named(struct call *c, bool doomed, struct res **ret);
/* {ARN, Name}, which most operations answer with. */
struct doc *secret_names(struct call *c, const struct res *secret);
/* Writes the secret, which has changed now.  NULL, or the refusal. */
struct reply *secret_put(struct call *c, struct res *secret);

/* stage.c: which version is which. */

/* All versions, oldest first. */
int version_list(struct call *c, const struct res *secret,
    struct res_list *ret);
/* The one with a stage, or NULL. */
struct res *version_with(const struct res_list *all, struct span stage);
/* Gives a stage to one version and takes it from the others; with AWSCURRENT,
 * the one that had it becomes AWSPREVIOUS.  Writes what changes.  0 or
 * negative. */
int stage_move(struct call *c, const struct res_list *all, struct span stage,
    struct res *to);

/* version.c */

/* Adds the version that the input's SecretString or SecretBinary is, under the
 * input's ClientRequestToken; the same again is no error.  stages: an array.
 * *ret: the version, NULL: the input has no value.  NULL, or the refusal. */
struct reply *version_add(struct call *c, struct res *secret,
    const struct doc *stages, struct res **ret);
/* Opens a version.  NULL and *ret, or the refusal. */
struct reply *version_open(struct call *c, const struct res *secret,
    const struct res *version, struct span *ret);
/* Seals what AWSCURRENT, AWSPREVIOUS and AWSPENDING are under secret's KmsKeyId
 * anew.  NULL, or the refusal. */
struct reply *version_rekey(struct call *c, const struct res *secret);

/* list.c */

/* Does the secret match {Key, Values} filters?  0 or negative. */
int secret_matches(struct call *c, const struct res *secret,
    const struct doc *filters, bool *ret);
/* All secrets that do, in the order of their creation.  0 or negative. */
int secret_find_all(struct call *c, const struct doc *filters, bool doomed,
    struct res_list *ret);

/* policy.c: NULL, or why it is none. */
const char *policy_fault(struct call *c, struct span text);
/* tag.c: puts a list of {Key, Value} on a secret. */
struct reply *secret_put_tags(struct call *c, const struct res *secret,
    const struct doc *tags);

#define HANDLER(name) struct reply *secret_##name(struct call *c)
HANDLER(create);
HANDLER(update);
HANDLER(describe);
HANDLER(list);
HANDLER(delete);
HANDLER(restore);
HANDLER(put_value);
HANDLER(get_value);
HANDLER(batch_get_value);
HANDLER(list_versions);
HANDLER(update_stage);
HANDLER(random_password);
HANDLER(get_policy);
HANDLER(put_policy);
HANDLER(delete_policy);
HANDLER(validate_policy);
HANDLER(tag);
HANDLER(untag);
#undef HANDLER
