/*
 * What a change set shows: the difference between a stack as it is and as it
 * is to be, in AWS's own words.
 *
 * AWS: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html
 */
#pragma once

#include "cfn/facts.h"
#include "cfn/template.h"

struct cfn_diff {
	const struct cfn_stack *before; /* NULL: the stack is new */
	const struct cfn_stack *after;
	/* [{Key, Value}] of the stack; may be NULL */
	const struct doc *tags_before;
	const struct doc *tags_after;
	/* {logical id: physical id} of what exists; may be NULL */
	const struct doc *physical;
	bool values; /* IncludePropertyValues: contexts and values, too */
};

/*
 * An array of Change ({Type: "Resource", ResourceChange: {...}}); empty: "The
 * submitted information didn't contain changes."  Changes come in the order of
 * their logical ids, as AWS gives them.  A property that is created anew
 * because its resource's type says so (createOnly) makes Replacement "True",
 * or "Conditional" where its new value is not known before the change.
 *
 * before->env.lookup answers for what exists; after's is not asked, since what
 * exists is the same.  Nested stacks (AWS::CloudFormation::Stack) are always
 * among the changes (ChangeSource "Automatic"), for their templates may have
 * changed.  CFN_E_INVALID: a resource's type is another one.
 */
int cfn_diff(struct arena *a, const struct cfn_diff *in, struct doc **ret,
    struct cfn_error *err);

enum cfn_recreate {
	CFN_RECREATE_NEVER, CFN_RECREATE_MAYBE, CFN_RECREATE_ALWAYS
};
/* What a change of a property asks for, its members included.  p NULL: a
 * property that is not known. */
enum cfn_recreate cfn_recreation(struct arena *a, const struct cfn_prop *p,
    const struct doc *was, const struct doc *will);
