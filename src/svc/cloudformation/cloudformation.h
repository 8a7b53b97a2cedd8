/* What the handlers of CloudFormation share. */
#pragma once

#include "api/op.h"
#include "svc/cloudformation/context.h"

extern const struct service cloudformation_service;

struct reply *cfn_fail_reply(struct call *c, int e);
struct reply *cfn_refuse(struct call *c, const char *fmt, ...) PRINTF(2, 3);

/* NULL and *ret, or the refusal.  By name: only what is not deleted. */
struct reply *stack_find(struct call *c, struct span name, struct res **ret);
/* The same; *ret is NULL where there is none. */
struct reply *stack_try(struct call *c, struct span name, struct res **ret);
struct reply *change_set_find(struct call *c, struct res **ret);

/* The input's template: body, URL, or the stack's own. */
struct reply *template_read(struct call *c, const struct res *stack,
    struct span *ret);
/* The input as a definition, checked as far as it can be without making
 * anything.  stack NULL: a new one called name. */
struct reply *definition_read(struct call *c, const struct res *stack,
    struct span name, struct doc **ret);
/* Opens a definition over the stack; refusals are AWS's. */
struct reply *definition_open(struct call *c, const struct res *stack,
    struct span name, const struct doc *def, struct stack_context *x);

/* Its dynamic references to parameters, before anything begins; adds what they
 * mean to def's Resolved. */
struct reply *definition_check(struct call *c, struct stack_context *x,
    struct doc *def);

/* May a new stack be called so? */
struct reply *stack_name_check(struct call *c, struct span name);
/* A new stack in memory. */
struct res *stack_make(struct call *c, struct span name);
/* Says that a phase begins; writes status and event, not the spec.  op: AWS's
 * OperationType. */
struct reply *stack_begin(struct call *c, struct res *stack, const char *phase,
    const char *status, const char *op);
bool stack_same_token(struct call *c, const struct res *stack);
/* What a request says of how its operation is to fail, and its token. */
void stack_note_request(struct call *c, struct res *stack);
/* Is the input's RoleARN a role of this account? */
struct reply *role_check(struct call *c);
struct reply *stack_reply(struct call *c, const struct res *stack);
/* May it be updated? */
struct reply *stack_updatable(struct call *c, const struct res *stack);
/* ParentId and RootId of a nested one. */
void stack_note_family(struct call *c, struct res *stack);
/* What is at a URL that the input's member has: an object here. */
struct reply *object_read(struct call *c, struct span url, const char *member,
    struct span *ret);
/* Notes the stack policies of a creation or update in the stack's spec. */
struct reply *policy_note(struct call *c, struct res *stack);
/* Writes def as what is to be, the present one as Prior, and begins. */
struct reply *stack_update_to(struct call *c, struct res *stack,
    struct doc *def);
/* Opens what is in force over the rows of after; its .stack is NULL where there
 * is nothing yet.  0, CFN_E_INVALID or negative. */
int stack_before(struct call *c, const struct res *stack,
    const struct stack_context *after, struct stack_context *ret,
    struct cfn_error *err);
/* The changes from one opened definition to another. */
int stack_changes(struct call *c, struct stack_context *before,
    struct stack_context *after, bool values, struct doc **ret,
    struct cfn_error *err);
/* The outputs of an opened definition, as they can be known. */
int stack_outputs(struct call *c, struct stack_context *x, struct doc **ret);
/* Would the update do anything at all?  0 or negative. */
int stack_differs(struct call *c, struct stack_context *before,
    struct stack_context *after, const struct doc *changes, bool *ret);

#define CHANGE_SET_EMPTY "The submitted information didn't contain changes. " \
	"Submit different information to create a change set."
/* Drops all change sets of the stack but set (NULL: all). */
struct reply *change_set_drop_others(struct call *c, const struct res *stack,
    const struct res *set);
/* An update goes past them: none of the stack's can be executed any more. */
struct reply *change_set_outdate(struct call *c, const struct res *stack);

/* import.c: ResourcesToImport into def; the refusal, or NULL. */
struct reply *import_read(struct call *c, const struct cfn_stack *s,
    struct doc *def);
/* Shows imports among the changes, and says what must not be with them. */
void import_judge(struct call *c, const struct doc *def, struct doc *plain,
    struct doc *full, bool outputs, struct span *ret_why);
/* Makes imports of what is there already under its name. */
int import_existing(struct call *c, struct stack_context *x, struct doc *def,
    struct doc *plain, struct doc *full, struct span *ret_why);

/* change-set-nested.c.  Each nested stack whose values are known gets a change
 * set of its own: its id goes into the changes, and a stack in which nothing
 * changes goes out of them.  *ret_why: why one of them failed. */
int nested_sets(struct call *c, const struct res *stack, struct res *set,
    struct stack_context *x, struct doc *plain, struct doc *full,
    struct span *ret_why);
/* With all that are nested in it, and the stacks under review that they made. */
int change_set_drop(struct call *c, const struct res *set);
int nested_executed(struct call *c, const struct res *set);
/* The refusal of what is for the root alone to do, or NULL. */
struct reply *change_set_is_root(struct call *c, const struct res *set);

/* drift.c: StackResourceDriftStatus of a row. */
struct span drift_of(const struct res *row);

typedef struct reply *cfn_op(struct call *c);
cfn_op stack_create, stack_update, stack_delete, stack_cancel_update,
    stack_continue_rollback, stack_rollback, stack_protect;
cfn_op stack_describe, stack_list, stack_events, stack_resources,
    stack_resource, stack_list_resources;
cfn_op template_get, template_summary, template_validate;
cfn_op export_list, import_list, cfn_limits;
cfn_op signal_resource, policy_set, policy_get;
cfn_op drift_detect, drift_detect_resource, drift_status, drift_list;
cfn_op operation_events, hook_results, hook_result, change_set_hooks;
cfn_op change_set_create, change_set_describe, change_set_list,
    change_set_delete, change_set_execute;
