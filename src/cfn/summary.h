/*
 * What a template says of itself: the replies of ValidateTemplate and
 * GetTemplateSummary, and the capabilities that it needs.
 */
#pragma once

#include "cfn/template.h"

/* ["CAPABILITY_IAM"|"CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"], maybe
 * empty; ret_reason: AWS's CapabilitiesReason, empty when none is needed. */
struct doc *cfn_capabilities(struct arena *a, const struct cfn_template *t,
    struct span *ret_reason);
/* Is what the template needs among what the request acknowledged?  The text
 * of the InsufficientCapabilitiesException, or empty.  A change set need not
 * acknowledge transforms. */
struct span cfn_capabilities_missing(struct arena *a,
    const struct cfn_template *t, const struct doc *given, bool change_set);
/* Every resource type of the template, loops included, each once. */
struct doc *cfn_types(struct arena *a, const struct cfn_template *t);
/* The members of ValidateTemplateOutput. */
struct doc *cfn_validate_output(struct arena *a, const struct cfn_template *t);
/* The members of GetTemplateSummaryOutput. */
struct doc *cfn_summary(struct arena *a, const struct cfn_template *t);
