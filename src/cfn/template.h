/*
 * CloudFormation's template engine: text in, plan and documents out.  Pure: no
 * store, no clock, no I/O.  What it cannot know (what a resource is called,
 * exports, zones, dynamic references) it asks through struct cfn_lookup.
 *
 *	text -> cfn_template_parse()	JSON or YAML, checked without parameters
 *	     -> cfn_params()		names and texts, checked, defaults added
 *	     -> cfn_stack_open()	loops expanded, rules asserted, conditions
 *					decided, resources dropped, graph made
 *	     -> cfn_ready()		which resources may be made now
 *	     -> cfn_properties()	what one of them is to be
 *	     -> cfn_outputs()
 *
 * Also: what changes between two stacks (cfn/diff.h), what a resource type
 * has (cfn/facts.h), what a template says of itself (cfn/summary.h).
 *
 * All memory is the given arena's; spans and docs of the template are borrowed
 * by whatever is made from it.  Results are 0, negative, or one of CFN_E_*.
 *
 * AWS: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
 */
#pragma once

#include "base/arena.h"
#include "doc/doc.h"

enum {
	/* The template or a value is wrong; err->text is AWS's sentence, to be
	 * given as the message of a ValidationError (or as the reason of a
	 * failed resource, where it was met while a stack is being made). */
	CFN_E_INVALID = 1,
	/* The value depends on a resource that does not exist yet. */
	CFN_E_UNKNOWN
};

struct cfn_error {
	struct span text; /* of the arena; set with CFN_E_INVALID only */
};

/*
 * Limits.  The caller checks the body's length, for it knows how it came.
 * AWS: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
 */
#define CFN_MAX_BODY	   51200   /* bytes, inline */
#define CFN_MAX_URL_BODY   1048576 /* bytes, by URL */
#define CFN_MAX_RESOURCES  500
#define CFN_MAX_PARAMETERS 200
#define CFN_MAX_MAPPINGS   200
#define CFN_MAX_OUTPUTS	   200

/* What a value not yet known looks like in a change set. */
#define CFN_AFTER_APPLY "{{changeSet:KNOWN_AFTER_APPLY}}"

/*
 * A template as read.  Short forms (!Ref) are long ones here ({"Ref": ...});
 * sections that are not there are NULL.  Read only.
 */
struct cfn_template {
	struct doc *doc; /* the whole */
	struct doc *parameters;
	struct doc *rules;
	struct doc *mappings;
	struct doc *conditions;
	struct doc *resources;
	struct doc *outputs;
	struct doc *metadata;
	struct span description;
	struct doc *transforms; /* array of names, never NULL */
	bool extensions;	/* AWS::LanguageExtensions is among them */
};

/* Only the syntax.  For stack policies and the like, too. */
int cfn_text_parse(struct arena *a, struct span text, struct doc **ret,
    struct cfn_error *err);
/* Syntax, structure and references.  Under AWS::LanguageExtensions references
 * are checked by cfn_stack_open() alone, since loops make names. */
int cfn_template_parse(struct arena *a, struct span text,
    struct cfn_template **ret, struct cfn_error *err);

/*
 * Parameters.  given: {name: text} as the request has them, previous values
 * put in by the caller.  ret_values: {name: text} of every parameter, in the
 * template's order, ready to be stored and to be given as "previous".
 */
int cfn_params(struct arena *a, const struct cfn_template *t,
    const struct doc *given, struct doc **ret_values, struct cfn_error *err);
/* AWS::SSM::Parameter::Value<...>: {parameter: name in the parameter store}
 * of those that have one.  The caller looks the values up (it fails with
 * "Unable to fetch parameters [/a/b] from parameter store for this account."),
 * and puts {parameter: value} into cfn_env.resolved.  Constraints are of the
 * name, not of the value, as on AWS. */
struct doc *cfn_params_ssm(struct arena *a, const struct cfn_template *t,
    const struct doc *values);
/* What one of them gets of a stored parameter of that type ("String"); items
 * of lists are trimmed.  False: AWS calls the types incompatible. */
bool cfn_param_resolve(struct arena *a, const struct cfn_template *t,
    struct span name, struct span type, struct span stored, struct span *ret);
/* Of parameters that name something of AWS's: [{Name, Type:
 * "AWS::EC2::VPC::Id", Value}], one for each item of a list.  AWS fails the
 * stack, not the request, where there is no such thing. */
struct doc *cfn_params_naming(struct arena *a, const struct cfn_template *t,
    const struct doc *values, const struct doc *resolved);
bool cfn_param_noecho(const struct cfn_template *t, struct span name);
/* As DescribeStacks shows them: [{ParameterKey, ParameterValue,
 * ResolvedValue?}], NoEcho as "****". */
struct doc *cfn_params_shown(struct arena *a, const struct cfn_template *t,
    const struct doc *values, const struct doc *resolved);

/* {{resolve:service:reference}} inside of a string. */
enum cfn_dynamic_service {
	CFN_DYN_SSM, CFN_DYN_SSM_SECURE, CFN_DYN_SECRETSMANAGER
};
struct cfn_dynamic {
	enum cfn_dynamic_service service;
	struct span text;	/* the whole, with its braces */
	struct span name;	/* parameter name, secret name or ARN */
	struct span version;	/* of a parameter; a secret's version id */
	struct span stage;	/* a secret's version stage, or empty */
	struct span json_key;	/* a key of the secret's JSON, or empty */
};

/*
 * What the engine asks.  Every function may be NULL: then nothing is known.
 * ctx is cfn_env.ctx.  A function answers 0, CFN_E_UNKNOWN, CFN_E_INVALID with
 * err->text, or a negative error.
 */
struct cfn_lookup {
	/* What Ref of a live resource gives; UNKNOWN before it is made. */
	int (*ref)(void *ctx, struct arena *a, struct span id,
	    struct doc **ret, struct cfn_error *err);
	/* An attribute of one, any value ("Outputs.X" of a nested stack). */
	int (*attr)(void *ctx, struct arena *a, struct span id,
	    struct span attr, struct doc **ret, struct cfn_error *err);
	/* The zones of a region: an array of names. */
	int (*zones)(void *ctx, struct arena *a, struct span region,
	    struct doc **ret, struct cfn_error *err);
	/* The value of an export.  UNKNOWN: there is none; the engine then
	 * says "No export named X found". */
	int (*import)(void *ctx, struct arena *a, struct span name,
	    struct span *ret, struct cfn_error *err);
	/* The value of a dynamic reference. */
	int (*dynamic)(void *ctx, struct arena *a, const struct cfn_dynamic *d,
	    struct span *ret, struct cfn_error *err);
};

struct cfn_env {
	struct span account;
	struct span region;
	struct span stack_id;	/* empty: not known, AWS::StackId is unknown */
	struct span stack_name;
	const struct doc *notification_arns; /* array or NULL */
	const struct doc *params;	     /* of cfn_params() */
	const struct doc *resolved;	     /* see cfn_params_ssm(), or NULL */
	const struct cfn_lookup *lookup;     /* or NULL */
	void *ctx;
};

/* One resource of an opened stack. */
struct cfn_resource {
	struct span id;	  /* logical */
	struct span type; /* "AWS::ECS::Service" */
	struct doc *body; /* Properties, DependsOn, Metadata ..., unresolved */
	size_t *deps;	  /* indexes of what must be there before it */
	size_t n_deps;
	size_t *users;	  /* the other way: what needs it */
	size_t n_users;
};

/*
 * A template with its parameters.  resources holds the live ones only (whose
 * condition is true), in the template's order; order is one in which each
 * comes after all of its deps (backwards: for deletion).
 */
struct cfn_stack {
	struct arena *arena;
	const struct cfn_template *template;
	struct cfn_env env;
	struct doc *doc;	/* the processed template: loops expanded */
	struct doc *conditions; /* {name: bool} */
	struct cfn_resource *resources;
	size_t *order;
	size_t *by_id; /* sorted by logical id, for cfn_find() */
	size_t n;
};

/* env is copied, what it points at is not.  Asks lookup for zones and dynamic
 * references only where conditions or rules need them. */
int cfn_stack_open(struct arena *a, const struct cfn_template *t,
    const struct cfn_env *env, struct cfn_stack **ret, struct cfn_error *err);

#define CFN_NONE SIZE_MAX
/* The index of a live resource, or CFN_NONE. */
size_t cfn_find(const struct cfn_stack *s, struct span id);
/* Are all deps of i done?  done has s->n elements. */
bool cfn_ready(const struct cfn_stack *s, size_t i, const bool *done);
/* Is everything that needs i gone, so that i may be deleted? */
bool cfn_deletable(const struct cfn_stack *s, size_t i, const bool *gone);

enum {
	/* For showing, not for doing: what is unknown becomes
	 * CFN_AFTER_APPLY, NoEcho parameters and SecretAccessKey of a resource
	 * "****", and dynamic references stay as they are written. */
	CFN_SHOW = 1 << 0,
	/* The same with the true values of NoEcho parameters: for comparing. */
	CFN_PLAN = 1 << 1,
	/* Dynamic references stay as they are written, as in outputs. */
	CFN_LITERAL = 1 << 2,
	/* Those of secretsmanager do.  AWS reads such a secret again only when
	 * something else of its resource changes. */
	CFN_LITERAL_SECRETS = 1 << 3
};

/* Any value of the template.  *ret is NULL where it is AWS::NoValue.  It
 * shares nothing with the template. */
int cfn_eval(struct arena *a, const struct cfn_stack *s,
    const struct doc *value, int flags, struct doc **ret,
    struct cfn_error *err);
/* Are the dynamic references to parameters in resources well formed, where
 * they may be, and do they mean something?  Adds {text: value} of plain ones
 * to values: AWS takes a change of them for a change of the stack. */
int cfn_dynamics(struct arena *a, const struct cfn_stack *s,
    struct doc *values, struct cfn_error *err);
/* The Properties of a resource: an object, empty when it has none.  Scalars
 * keep the type that the template wrote or the function gave; see
 * cfn_facts_check() for AWS's leniency about them. */
int cfn_properties(struct arena *a, const struct cfn_stack *s, size_t i,
    int flags, struct doc **ret, struct cfn_error *err);
/* [{OutputKey, OutputValue, Description?, ExportName?}] of the live outputs.
 * Dynamic references in them stay as they are written. */
int cfn_outputs(struct arena *a, const struct cfn_stack *s, int flags,
    struct doc **ret, struct cfn_error *err);
/* "Delete", "Retain", "Snapshot" or "RetainExceptOnCreate"; key is
 * "DeletionPolicy" or "UpdateReplacePolicy".  Default: "Delete". */
struct span cfn_policy(struct arena *a, const struct cfn_stack *s, size_t i,
    const char *key);
/* The names that live resources and outputs import, each once: to protect the
 * exporting stack.  Names that cannot be known yet are left out. */
struct doc *cfn_imports(struct arena *a, const struct cfn_stack *s);
