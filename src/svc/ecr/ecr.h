/* What the handlers of ecr share. */
#pragma once

#include "api/op.h"
#include "cfn/type.h"
#include "registry/repo.h"

extern const struct service ecr_service;

/* The repository that `repositoryName` (and registryId) of the input names.
 * NULL and *ret filled, or the refusal.  row may be NULL. */
struct reply *ecr_repo(struct call *c, struct repo_key *ret,
    struct res **ret_row);
/* The same without a look whether it exists. */
struct reply *ecr_key(struct call *c, struct repo_key *ret);
struct reply *ecr_no_repository(struct call *c, struct span name);
struct reply *ecr_fail(struct call *c, int r);
/* {registryId, repositoryName} */
struct doc *ecr_out(struct call *c, const struct repo_key *k);

/* "Invalid parameter at 'X' failed to satisfy constraint: 'Y'" */
struct reply *ecr_invalid(struct call *c, const char *where, const char *fmt,
    ...) PRINTF(3, 4);

struct page {
	int64_t after;
	size_t max;
};
struct reply *ecr_page(struct call *c, struct page *ret);

#define HANDLER(name) struct reply *name(struct call *c)
HANDLER(create_repository);
HANDLER(delete_repository);
HANDLER(describe_repositories);
HANDLER(put_image_tag_mutability);
HANDLER(put_image_scanning_configuration);
HANDLER(set_repository_policy);
HANDLER(get_repository_policy);
HANDLER(delete_repository_policy);
HANDLER(put_lifecycle_policy);
HANDLER(get_lifecycle_policy);
HANDLER(delete_lifecycle_policy);
HANDLER(put_registry_policy);
HANDLER(get_registry_policy);
HANDLER(delete_registry_policy);
HANDLER(describe_registry);
HANDLER(get_registry_scanning_configuration);
HANDLER(get_authorization_token);
HANDLER(ecr_tag_resource);
HANDLER(ecr_untag_resource);
HANDLER(ecr_list_tags_for_resource);
HANDLER(describe_images);
HANDLER(list_images);
HANDLER(batch_get_image);
HANDLER(batch_delete_image);
HANDLER(put_image);
HANDLER(batch_check_layer_availability);
HANDLER(initiate_layer_upload);
HANDLER(upload_layer_part);
HANDLER(complete_layer_upload);
#undef HANDLER

/* Checks a list of {Key, Value} and puts it on a repository. */
struct reply *ecr_put_tags(struct call *c, const struct res *repo,
    const struct doc *tags);
/* cfn.c: its CloudFormation resource types. */
extern const struct cfn_map ecr_types[];
