/*
 * The seam for resource types: how a type of CloudFormation maps onto the
 * operations of a service.  A service lists its types in its folder's cfn.c,
 * as an array of struct cfn_map that struct service (api/op.h) points at:
 *
 *	static const struct cfn_map types[] = {{
 *		.type = "AWS::Logs::LogGroup",
 *		.name = "LogGroupName", .name_max = 512,
 *		.create = CFN_STEPS(
 *		    CFN_STEP("CreateLogGroup", NULL, NULL),
 *		    CFN_STEP("PutRetentionPolicy", "RetentionInDays", GROUP)),
 *		.update = CFN_STEPS(
 *		    CFN_STEP("PutRetentionPolicy", "RetentionInDays", GROUP,
 *			.without = "DeleteRetentionPolicy")),
 *		.remove = CFN_STEPS(
 *		    CFN_STEP("DeleteLogGroup", "", GROUP)),
 *		.ref = "$p.LogGroupName",
 *		.attrs = "{'Arn': 'arn:${partition}:...'}",
 *		.tagging = &tagging,
 *	}, {.type = NULL}};
 *
 * where GROUP is "{'logGroupName': '$ref'}".
 *
 * What a property may be, what is required, what replaces the resource when it
 * changes, and which attributes there are, is said by facts (cfn/facts.h), not
 * here.  A property that no step takes, and one that the operation does not
 * honour, fails the resource by name; .no_effect lists those that truly have
 * no effect here.
 *
 * From properties to an operation's input.  Each property a step takes becomes
 * the member of the same name, upper and lower case ignored, of the input's
 * shape in the wire model; so do its members, recursively.  Keys of maps stay
 * as they are.  Scalars become what the model wants ("80" is 80); an object
 * where the model has a string becomes its JSON; a list of {Key, Value} where
 * the model has a map becomes that map, and the other way round.  step.map
 * has the exceptions: "Prop=member Prop.Inner=member", lists being passed
 * through ("ContainerDefinitions.Foo=bar").
 *
 * Expressions: .with, .ref and .attrs are JSON with ' instead of ".  A string
 * that is $x is replaced by the value, with its type, and its member is left
 * out when there is none; ${x} inside of a string is replaced by its text.
 *	$ref		what Ref gives: the physical id
 *	$p.Cluster	a property; a path may go on, and have indexes: $p.A.0.B,
 *			or * for "of each": $p.Targets.*.Id
 *	$o.service.arn	the same of the outputs of the steps that ran now, one
 *			over the other
 *	$a.Arn		an attribute as known so far.  An attribute whose name
 *			begins with "." is private: not for Fn::GetAtt.
 *	$x>text		what comes after text in $x
 *	$account $region $partition $stack $stackid $logical $random
 *	$token		a text that is the same for the same attempt
 * A "$p.X" in .with takes X from the step's other mapping.
 *
 * Everything a resource does in one attempt happens in one savepoint: when a
 * later step is refused, the earlier ones are undone.  Operations run as
 * CloudFormation itself (principal_system), through the model's checks.
 */
#pragma once

#include "api/op.h"

struct cfn_step {
	/* "CreateVpc", or of another service "ec2:CreateTags". */
	const char *op;
	/* Properties, space-separated.  NULL: all that no other step of the
	 * list takes.  When a resource is made, the first step always runs and
	 * the others when a property they take is there; when it is updated,
	 * a step runs when one of them changed, and sends all it takes. */
	const char *takes;
	const char *with; /* further members of the input; NULL: none */
	const char *map;  /* exceptions; NULL: none */
	/* Updates: runs instead, with .with alone, when nothing of what the
	 * step takes is there any more. */
	const char *without;
	bool always; /* runs whether its properties are there or not */
};

/* CFN_STEPS(CFN_STEP("CreateLogGroup", NULL, NULL), ...) */
#define CFN_STEP(op_, takes_, with_, ...) \
	{.op = op_, .takes = takes_, .with = with_, ##__VA_ARGS__}
#define CFN_STEPS(...) \
	((const struct cfn_step[]){__VA_ARGS__, {.op = NULL}})

/* Operations that tag what exists; shared by the types of a service. */
struct cfn_tagging {
	const char *tag, *tag_with;	/* "TagResource", "{'arn': '$a.Arn'}" */
	const char *tags;		/* member: a list of pairs, or a map */
	const char *untag, *untag_with;
	const char *keys; /* member: a list of keys or of {Key} */
};

enum cfn_outcome { CFN_DONE, CFN_WAIT, CFN_FAILED };

/* A wait by table: op's output, looked at with an expression. */
struct cfn_wait {
	const char *op, *with;
	const char *value;  /* expression */
	const char *done;   /* values, space-separated; an error NotFound, or
			     * no value, is done, too, for removal alone */
	const char *failed; /* values; NULL: none */
	const char *reason; /* expression, of a failure */
};

/* A resource at work: what hooks get.  Memory is the arena's. */
struct cfn_run {
	struct api *api;
	struct store *store;
	struct arena *arena;
	struct principal who;
	struct scope scope;
	const struct service *service;
	const struct cfn_map *map;
	struct span stack;	/* its name */
	struct span stack_id;
	struct span logical;
	struct span token;
	struct span random;	/* of generated names: upper case and digits */
	const struct doc *props; /* as they are to be, tags merged in */
	const struct doc *old;	 /* as they were last applied; NULL: creation */
	const struct doc *creation; /* CreationPolicy, evaluated; or NULL */
	struct span ref;	/* physical id; hooks that create set it */
	struct doc *attrs;	/* never NULL; hooks may add */
	struct doc *out;	/* never NULL: outputs, see $o */
	/* Of a failure, AWS's sentence for StackEvent.ResourceStatusReason. */
	struct span reason;
};

struct cfn_map {
	const char *type; /* "AWS::ECS::Cluster"; NULL ends an array */

	const struct cfn_step *create; /* each ends with op NULL */
	const struct cfn_step *update; /* NULL: nothing is updated in place */
	const struct cfn_step *remove; /* NULL: nothing is to be done */
	/* After creation and update: for attributes alone. */
	const struct cfn_step *read;
	const char *ref;
	const char *attrs;	/* NULL: none */
	const char *no_effect;	/* properties, space-separated */
	/* {'Prop': value}: what properties go back to when an update removes
	 * them.  One that is removed, is not here, and has no step with
	 * .without, fails the update by name. */
	const char *defaults;
	/* Properties, space-separated, that an update may leave out: its step
	 * then sends none, and the operation knows what that means. */
	const char *unsets;

	/* Properties in the form that the steps speak of, where names alone do
	 * not do; NULL: as they are. */
	struct doc *(*reshape)(struct arena *a, const struct doc *props);

	/* The property that is the name, made up when absent as
	 * "STACK-LOGICALID-RANDOM" and cut to name_max (0: 255) characters. */
	const char *name;
	const char *name_head;	/* instead of STACK */
	unsigned name_max;
	bool name_lower;	/* lower case alone is allowed */
	bool name_shared;	/* a replacement keeps the name (families) */
	bool name_plain;	/* no '-' at either end, none doubled (ELB) */

	const char *tags; /* the property with the tags; NULL: "Tags" */
	/* How tags come to a new one: NULL: as any property; else the type of
	 * EC2's TagSpecifications ("vpc"). */
	const char *tag_spec;
	const struct cfn_tagging *tagging; /* NULL: tags cannot change */

	const struct cfn_wait *ready;	/* NULL: at once */
	const struct cfn_wait *gone;	/* the same after removal */

	/* What it names may have changed though its properties did not: it is
	 * updated each time. */
	bool looks_inside;
	bool own_limit; /* on_ready says how long is too long */

	/* Instead of the tables.  Each returns 0 or a negative error; the
	 * outcome is *ret, and for CFN_FAILED run->reason. */
	int (*on_create)(struct cfn_run *run, enum cfn_outcome *ret);
	int (*on_update)(struct cfn_run *run, enum cfn_outcome *ret);
	int (*on_remove)(struct cfn_run *run, enum cfn_outcome *ret);
	int (*on_ready)(struct cfn_run *run, enum cfn_outcome *ret);
	int (*on_gone)(struct cfn_run *run, enum cfn_outcome *ret);
};

/* NULL: no service maps it. */
const struct cfn_map *cfn_map_find(struct span type,
    const struct service **ret_service);

/* The four things that happen to a resource.  0 and *ret (with run->reason for
 * CFN_FAILED, the store being as before), or negative. */
int cfn_make(struct cfn_run *run, enum cfn_outcome *ret);
int cfn_change(struct cfn_run *run, enum cfn_outcome *ret);
int cfn_remove(struct cfn_run *run, enum cfn_outcome *ret);
/* The attributes of what is there, by .read and .attrs: cfn_make() and
 * cfn_change() see to them themselves. */
int cfn_attributes(struct cfn_run *run, enum cfn_outcome *ret);
/* Is it there (or gone) yet? */
int cfn_settled(struct cfn_run *run, bool removed, enum cfn_outcome *ret);

/* The name that a resource without one gets; empty: the type has no name. */
struct span cfn_name(const struct cfn_run *run);

/* For on_update hooks: makes the tags as they are to be. */
int cfn_retag(struct cfn_run *run, enum cfn_outcome *ret);
/* For hooks.  An operation through the model's checks; "ec2:CreateTags" or of
 * the run's own service.  0 with *ret; an error is in ret->error. */
int cfn_call(struct cfn_run *run, const char *op, const struct doc *in,
    struct op_result *ret);
/* The same with the outcome.  gone_ok: what is not there is fine. */
int cfn_do(struct cfn_run *run, const char *op, const struct doc *in,
    bool gone_ok, enum cfn_outcome *ret);
/* Is the property another one than it was? */
bool cfn_changed(const struct cfn_run *run, const char *prop);
/* Fills run->reason as AWS words what a service refused; returns CFN_FAILED. */
enum cfn_outcome cfn_refused(struct cfn_run *run, const char *op,
    const struct op_result *r);
/* Fills run->reason; returns CFN_FAILED. */
enum cfn_outcome cfn_fail(struct cfn_run *run, const char *fmt, ...)
    PRINTF(2, 3);
/* Does the error say that there is no such thing? */
bool cfn_says_gone(struct span error);
/* A step as the tables run it: 0 and *ret. */
int cfn_step(struct cfn_run *run, const struct cfn_step *s,
    enum cfn_outcome *ret);
/* The value of an expression; NULL: there is none. */
struct doc *cfn_expr(struct cfn_run *run, const char *expr);
/* Properties of a template as the input of an operation.  map: exceptions or
 * NULL.  False: *ret_why names the property that has no place there. */
bool cfn_input(struct arena *a, const struct model_op *op,
    const struct doc *props, const char *map, struct doc *into,
    struct span *ret_why);
/* Is word one of the space-separated words of list?  NULL has none. */
bool cfn_word(const char *list, struct span word);
