/*
 * The filter engine of Describe operations.
 *
 * A noun lists the filters it knows as rows {name, path}; the path leads
 * through the described document, and through every element of the arrays on
 * the way.  Booleans compare as "true" and "false", numbers as decimals.
 * Several values of a filter mean any of them, several filters mean all; in a
 * value, '*' stands for any run of characters and '?' for any one.
 * tag:KEY and tag-key are known to every noun and read the given tags.
 * AWS: docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html
 */
#pragma once

#include "doc/doc.h"

struct ec2_filter {
	const char *name;  /* "vpc-id"; the table ends with NULL */
	const char *path;  /* "Attachments.VpcId"; NULL: matches nothing */
	const char *index; /* index of the kind that answers it, or NULL */
};

/* The name of the first of filters ({Name, Values}) that neither the table nor
 * the tags know, or an empty span. */
struct span ec2_filter_unknown(const struct doc *filters,
    const struct ec2_filter *table);
/* Do all filters hold for d?  tags: [{Key, Value}] or NULL.  A filter that is
 * not known does not hold. */
bool ec2_filter_match(const struct doc *filters,
    const struct ec2_filter *table, const struct doc *d,
    const struct doc *tags);
/* An index that narrows the search, and what it must equal: of the first
 * filter that has one and asks for one literal value.  NULL: none. */
const char *ec2_filter_index(const struct doc *filters,
    const struct ec2_filter *table, struct span *ret_value);
