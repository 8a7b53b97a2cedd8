/*
 * Stack policies: what an update may do to which resource.
 *
 * AWS: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/protect-stack-resources.html
 */
#pragma once

#include "cfn/template.h"

/* CFN_E_INVALID: it is no stack policy. */
int cfn_stack_policy_parse(struct arena *a, struct span text,
    struct doc **ret, struct cfn_error *err);
/* action: "Update:Modify", "Update:Replace" or "Update:Delete".  false: *ret_why
 * is the reason for the resource's event.  All that is not allowed is denied. */
bool cfn_stack_policy_allows(struct arena *a, const struct doc *policy,
    const char *action, struct span logical, struct span type,
    struct span *ret_why);
