/*
 * Facts of resource types, as const tables that tools/gen-tables.py makes from
 * model/cfn.json (doc/format/cfn.md): properties with their types, what is
 * required, what can only be set at creation, what can be read back.
 */
#pragma once

#include "cfn/template.h"

enum cfn_type {
	CFN_STRING, CFN_INTEGER, CFN_NUMBER, CFN_BOOLEAN,
	CFN_OBJECT, /* a structure of known members, or any when shape is 0 */
	CFN_LIST, CFN_JSON, /* any object, or text that is one */
	CFN_ANY
};

/* Flags of properties. */
enum {
	CFN_REQUIRED = 1 << 0,
	CFN_CREATE_ONLY = 1 << 1,	/* a change replaces the resource */
	CFN_MAYBE_CREATE_ONLY = 1 << 2, /* a change may replace it */
	CFN_READ_ONLY = 1 << 3,		/* an attribute, not a property */
	CFN_WRITE_ONLY = 1 << 4,
	CFN_IDENTIFIER = 1 << 5		/* of the primary identifier */
};

struct cfn_prop {
	const char *name;
	uint16_t shape;	     /* of the value or of a list's elements; 0: none */
	uint8_t type;	     /* enum cfn_type */
	uint8_t item;	     /* enum cfn_type of a list's or map's elements */
	uint16_t flags;
	uint16_t first_enum; /* allowed values, in cfn_fact_enums */
	uint16_t n_enum;
};

struct cfn_shape {
	uint32_t first; /* of its members in cfn_fact_props */
	uint16_t n;
	bool map;	/* any member name is fine: prop "first" is the value */
};

struct cfn_facts {
	const char *type; /* "AWS::Logs::LogGroup" */
	uint16_t shape;	  /* of Properties */
	uint16_t n_attrs;
	uint32_t first_attr; /* what Fn::GetAtt knows, in cfn_fact_attrs */
	const char *tags; /* the property that takes the stack's tags, or NULL */
	bool tag_map;	  /* it is a map, not a list of {Key, Value} */
	bool any;	  /* further properties and attributes are fine */
};

extern const struct cfn_facts cfn_facts[]; /* sorted by type */
extern const size_t cfn_facts_n;
extern const struct cfn_shape cfn_fact_shapes[];
extern const struct cfn_prop cfn_fact_props[];
extern const char *const cfn_fact_attrs[];
extern const char *const cfn_fact_enums[];
extern const char *const cfn_facts_source; /* "cfn-lint 1.51.0" */

/* NULL: a type this program does not know. */
const struct cfn_facts *cfn_facts_find(struct span type);
/* NULL: no such property. */
const struct cfn_prop *cfn_facts_prop(const struct cfn_facts *f,
    struct span name);
/* The names of the primary identifier's properties, maybe none. */
struct doc *cfn_facts_identifiers(struct arena *a, const struct cfn_facts *f);
/* Does Fn::GetAtt know it?  "Outputs.X" is known of nested stacks. */
bool cfn_facts_attr(const struct cfn_facts *f, struct span attr);
/*
 * Checks resolved properties against the facts and converts scalars as AWS
 * does: "80" is an integer, 80 a string, "true" a boolean.  ret_props is a
 * new tree.  Refusals say, for example:
 *	Encountered unsupported property X
 *	Model validation failed (#: required key [X] not found)
 *	Model validation failed (#/X: expected type: Integer, found: String)
 * Values equal to CFN_AFTER_APPLY pass every check.
 */
int cfn_facts_check(struct arena *a, const struct cfn_facts *f,
    const struct doc *props, struct doc **ret_props, struct cfn_error *err);
