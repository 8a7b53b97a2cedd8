/*
 * What CloudFormation keeps in the store.
 *
 * cloudformation.stack	parent none, id = "NAME/UUID".  spec {StackName, Live:
 *		the name while the stack is not deleted, Def: the definition
 *		that is being made or in force, Prior: the one before it while
 *		an update may go back, DisableRollback, OnFailure,
 *		TimeoutInMinutes, EnableTerminationProtection, StackPolicyBody,
 *		PolicyInForce: text of the one that the present update obeys,
 *		Token: ClientRequestToken of what goes on, RetainResources[],
 *		RetainExceptOnCreate, SkipResources[], DeletionMode, ParentId
 *		and RootId of a nested one: ARNs}
 *		Def: {TemplateBody, Params{name: text}, Resolved{name: text},
 *		Shown[]: parameters as DescribeStacks has them, Tags[{Key,
 *		Value}], Capabilities[], NotificationARNs[], RoleARN,
 *		Description, ChangeSetId, Import{logical id: identifier}}
 *		status {StackStatus, StackStatusReason, Outputs[], Imports[]:
 *		names of exports in use, or about to be, LastUpdatedTime, DeletionTime,
 *		Phase: what goes on (ctl/stack.h), Since, Op: counts phases,
 *		Operation {OperationType, OperationId}}
 * cloudformation.resource  parent = the stack's id, id = logical id, or
 *		"LOGICAL#UUID" for one that was replaced and waits for the
 *		clean-up.  spec {Signals{UniqueId: {Status, Data, Reason}}}:
 *		what was said to a wait condition; status by the controller:
 *		{LogicalResourceId, ResourceType, PhysicalResourceId,
 *		ResourceStatus, ResourceStatusReason, Timestamp, Phase and Step
 *		of the controller's work, Props: as last applied, Mark: digest of
 *		them with secretsmanager's references as written, Attrs, Deps[],
 *		DeletionPolicy, UpdateReplacePolicy, Before: {Row?: of the
 *		one that it replaced first} until an update cannot go back,
 *		Replaced, Changed: before it was replaced, Gone, Imported}
 * cloudformation.event	 parent = the stack's id, id = EventId; spec is the event.
 * cloudformation.export  parent none, id = the export's name; spec {Value,
 *		ExportingStackId}.
 * cloudformation.change-set  parent = the stack's id, id = "NAME/UUID"; spec
 *		{ChangeSetName, StackId, StackName, Type, Def, Changes[],
 *		Values[] (with property values), Status, StatusReason,
 *		ExecutionStatus, Description, OnStackFailure,
 *		IncludeNestedStacks, ParentChangeSetId, RootChangeSetId,
 *		Nested[{LogicalResourceId, ChangeSetId, StackId}]}
 * cloudformation.drift	 parent = the stack's id, id = StackDriftDetectionId;
 *		spec is what DescribeStackDriftDetectionStatus shows.  spec.Drift
 *		of stacks and resources is what was found last.
 *
 * An operation writes the stack's first status and event of what it begins;
 * from there on the controller (src/ctl/stack.c) writes status, and puts back
 * spec.Def when an update is rolled back.
 */
#pragma once

#include "store/store.h"

extern const struct kind cloudformation_stack;
extern const struct kind cloudformation_resource;
extern const struct kind cloudformation_event;
extern const struct kind cloudformation_export;
extern const struct kind cloudformation_change_set;
extern const struct kind cloudformation_drift;

extern const struct kind *const cloudformation_kinds[];

/* Writes an event of the stack, or (resource not NULL) of one of its resources,
 * and its time into the stack's LastEvent.  The caller puts the stack's status. */
int stack_event(struct store *s, struct arena *a, const struct res *stack,
    const struct doc *resource);
/* Sets StackStatus and reason (may be NULL), writes status and event. */
int stack_status(struct store *s, struct arena *a, struct res *stack,
    const char *status, struct span reason);
/* A phase begins, or (phase NULL) nothing goes on any more; the stack's own tags
 * become those of its definition. */
int stack_turn(struct store *s, struct arena *a, struct res *stack,
    const char *phase, const char *status, struct span reason);
/* The same of a resource's ResourceStatus. */
int resource_status(struct store *s, struct arena *a, const struct res *stack,
    struct res *resource, const char *status, struct span reason);
