/*
 * What the files of this folder share.
 */
#pragma once

#include "cfn/template.h"

#define R(f)                                                            \
	do {                                                            \
		int r_ = (f);                                           \
		if (r_)                                                 \
			return r_;                                      \
	} while (0)

/* Sets err->text and returns CFN_E_INVALID. */
int cfn_invalid(struct arena *a, struct cfn_error *err, const char *fmt, ...)
    PRINTF(3, 4);

/* yaml.c */
int cfn_yaml_parse(struct arena *a, struct span text, struct doc **ret,
    struct cfn_error *err);

/* value.c: AWS writes scalars as text in most places. */
bool cfn_is_scalar(const struct doc *d);
struct span cfn_scalar_text(struct arena *a, const struct doc *d);
bool cfn_alnum(struct span s); /* and not empty */
/* "[A, B]" without the brackets */
void cfn_list_add(struct buf *b, struct span s);
/* Each name once, and no more than a message can hold. */
void cfn_list_once(struct buf *b, struct span s);
/* Does an object have a member twice?  In n log n, for strangers' objects. */
bool cfn_twice(struct arena *a, const struct doc *obj, struct span *ret);

/*
 * walk.c: everything that a value refers to.  In an object of one member whose
 * name is a function, that member; else all members.
 */
enum cfn_use {
	CFN_USE_REF,	   /* name: parameter, pseudo parameter, resource */
	CFN_USE_ATTR,	   /* name: resource; arg: attribute, may be empty */
	CFN_USE_CONDITION, /* name: condition; arg: "Fn::If" if there */
	CFN_USE_MAP,	   /* name: mapping, where written as text */
	CFN_USE_IMPORT	   /* value: the name, a value */
};
struct cfn_walk {
	struct arena *a;
	/* {name: bool}: only the chosen branch of Fn::If is walked.  NULL: both */
	const struct doc *conditions;
	int (*use)(struct cfn_walk *w, enum cfn_use use, struct span name,
	    struct span arg, const struct doc *value);
	void *ctx;
	struct cfn_error *err;
	/* "${X}" in a "{Condition: X}" object is IAM's, not ours, outside of
	 * conditions. */
	bool in_condition;
};
int cfn_walk(struct cfn_walk *w, const struct doc *value);
/* The function of an object with that one member, or empty; *ret_arg is its
 * argument.  "Condition" is none here. */
struct span cfn_function(const struct doc *d, struct doc **ret_arg);
/* Both forms of Fn::GetAtt's argument; false: malformed.  The attribute may be
 * a value to evaluate: then *ret_attr is NULL text and *ret_value is set. */
bool cfn_getatt(const struct doc *arg, struct span *ret_id,
    struct span *ret_attr, struct doc **ret_value);

/* Text with ${}: takes the next piece off *rest. */
enum cfn_piece {
	CFN_PIECE_END, CFN_PIECE_TEXT, CFN_PIECE_NAME,
	CFN_PIECE_LITERAL, /* "${!X}", of which X is given: stands for "${X}" */
	CFN_PIECE_BAD
};
enum cfn_piece cfn_sub_next(struct span *rest, struct span *ret);

bool cfn_pseudo(struct span name); /* "AWS::Region" and so on */

/* check.c: names of the sections, references without parameters. */
int cfn_check_references(struct arena *a, const struct cfn_template *t,
    const struct doc *doc, struct cfn_error *err);
int cfn_check_sections(struct arena *a, struct cfn_template *t,
    struct cfn_error *err);

/* diff.c: "80" and 80 are the same to every resource type. */
bool cfn_same(struct arena *a, const struct doc *x, const struct doc *y);

/* input.c.  The member that an exception (cfn/type.h) gives to a path, or
 * empty; the member of that name, upper and lower case ignored, or NULL. */
struct model;
struct model_shape;
struct span cfn_exception(const char *map, struct span path);
const struct model_member *cfn_member(const struct model *m,
    const struct model_shape *s, struct span key);

/* foreach.c */
int cfn_expand(struct arena *a, const struct cfn_stack *s,
    const struct doc *in, struct doc **ret, struct cfn_error *err);

/* param.c: the value that Ref gives; NULL: no such parameter. */
struct doc *cfn_param_value(struct arena *a, const struct cfn_stack *s,
    struct span name, int flags);

/* eval.c */
int cfn_eval_condition(struct arena *a, const struct cfn_stack *s,
    const struct doc *value, bool *ret, struct cfn_error *err);
/* Text of a value that must be a scalar; what says where for the error. */
int cfn_eval_text(struct arena *a, const struct cfn_stack *s,
    const struct doc *value, int flags, const char *what, struct span *ret,
    struct cfn_error *err);
/* graph.c */
int cfn_graph(struct arena *a, struct cfn_stack *s, struct cfn_error *err);
int cfn_graph_of(struct arena *a, struct cfn_resource *r, size_t n,
    size_t **ret_order, struct cfn_error *err);
