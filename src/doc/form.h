/*
 * application/x-www-form-urlencoded: "a.b.1=x&a.b.2=y" as a tree along the
 * dots, for the query protocols, or as flat pairs.
 */
#pragma once

#include "base/arena.h"

struct form_node {
	struct span key;   /* between two dots */
	struct span value; /* p NULL: only children */
	struct form_node *first;
	struct form_node *last;
	struct form_node *next; /* in the order they came */
	size_t n;		/* children */
};

enum { FORM_E_LIMIT = 1 };
#define FORM_MAX_PAIRS 10000
#define FORM_MAX_DEPTH 64

/* Adds the pairs of text to the tree; the first value of a name stays. */
int form_tree(struct arena *a, struct span text, struct form_node *root);
struct form_node *form_child(const struct form_node *n, struct span key);

/* Takes the next pair off *rest, decoded.  has_value tells "a=" from "a". */
struct form_pair {
	struct span name;
	struct span value;
	bool has_value;
};
bool form_next(struct arena *a, struct span *rest, struct form_pair *ret);
