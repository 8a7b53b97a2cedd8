/*
 * A stack with its template opened: what both the operations and the
 * controller look at.  All memory is the arena's.
 */
#pragma once

#include "api/op.h"
#include "cfn/template.h"
#include "svc/cloudformation/kinds.h"

struct stack_context {
	struct api *api;
	struct store *store;
	struct arena *arena;
	struct scope scope;
	struct span stack_id; /* ARN, or empty */
	struct span stack_name;
	struct res_list rows; /* cloudformation.resource, live and replaced */
	const struct doc *def;
	struct cfn_template *template;
	struct cfn_stack *stack;
	struct doc *imports; /* names of exports that were asked for */
};

/* Reads the rows of the stack (NULL: it has none yet). */
int stack_context(struct stack_context *x, struct api *api,
    struct store *store, struct arena *a, const struct res *stack);
/* Opens def.  0, CFN_E_INVALID or negative. */
int stack_open(struct stack_context *x, const struct doc *def,
    struct cfn_error *err);
/* The live row of a logical id, or NULL. */
struct res *stack_row(const struct stack_context *x, struct span logical);
/* Looks the parameters up that the template takes from the parameter store:
 * fills def's Resolved.  0, CFN_E_INVALID or negative. */
int stack_resolve(struct stack_context *x, struct doc *def,
    struct cfn_error *err);
bool stack_has_service(const char *name);
/* naming.c: is there what the parameters of types like AWS::EC2::VPC::Id name?
 * For an opened stack.  0, CFN_E_INVALID or negative. */
int stack_names(struct stack_context *x, struct cfn_error *err);
/* Runs an operation as CloudFormation.  CFN_E_INVALID: it was refused. */
int stack_call(struct stack_context *x, const char *service, const char *op,
    const struct doc *in, struct doc **ret, struct cfn_error *err);
