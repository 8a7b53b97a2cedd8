/*
 * The parts of the evaluator: eval.c (values), eval-fn.c (functions), dynamic.c
 * (dynamic references).
 */
#pragma once

#include "cfn/internal.h"

#define EVAL_BYTES  ((size_t)32 << 20)  /* of memory for one value */
#define STACK_BYTES ((size_t)512 << 20) /* of the arena in all */

struct eval {
	struct arena *a;
	const struct cfn_stack *s;
	struct cfn_error *err;
	int flags;
	size_t room; /* the arena's size at which evaluation is given up */
	unsigned depth;
};

int eval_value(struct eval *e, const struct doc *value, struct doc **ret);
/* A scalar as text; what is AWS's sentence if it is none. */
int eval_text(struct eval *e, const struct doc *value, const char *what,
    struct span *ret);
/* A condition: boolean functions, {Condition: X}, true and false. */
int eval_bool(struct eval *e, const struct doc *value, bool *ret);
int eval_ref(struct eval *e, struct span name, struct doc **ret);
int eval_attr(struct eval *e, struct span id, struct span attr,
    struct doc **ret);
int eval_function(struct eval *e, struct span fn, const struct doc *arg,
    struct doc **ret);
/* dynamic.c: a text with its dynamic references replaced. */
int eval_string(struct eval *e, struct span s, struct doc **ret);
/* CFN_E_UNKNOWN, or the text that stands for it when showing. */
int eval_unknown(struct eval *e, struct doc **ret);
