/*
 * XML elements as a tree, read with expat.  A document type declaration is
 * refused, so that no entity but XML's own five is ever expanded.
 */
#pragma once

#include "base/arena.h"

struct xml_attr {
	struct span name; /* as written, prefix included */
	struct span value;
	struct xml_attr *next;
};

struct xml_node {
	struct span name; /* without the prefix */
	struct span text; /* of an element without children */
	struct xml_attr *attrs;
	struct xml_node *first;
	struct xml_node *last;
	struct xml_node *next;
};

enum { XML_E_SYNTAX = 1, XML_E_DEPTH, XML_E_DOCTYPE };
#define XML_MAX_DEPTH 128

int xml_parse(struct arena *a, struct span text, struct xml_node **ret);
/* The first child of that name, or NULL. */
struct xml_node *xml_child(const struct xml_node *n, struct span name);
