/*
 * Intrusive doubly linked list.  Linking never allocates and so never fails.
 * A node that is not linked points at itself; list_del() may be called on it.
 * The head is a node, too: struct list waiting = LIST_INIT(waiting);
 */
#pragma once

#include "base/util.h"

struct list {
	struct list *next;
	struct list *prev;
};

#define LIST_INIT(name) {&(name), &(name)}

static inline void
list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool
list_empty(const struct list *l)
{
	return l->next == l;
}

/* Adds at the end. */
static inline void
list_add(struct list *head, struct list *n)
{
	n->prev = head->prev;
	n->next = head;
	head->prev->next = n;
	head->prev = n;
}

static inline void
list_add_first(struct list *head, struct list *n)
{
	list_add(head->next, n);
}

static inline void
list_del(struct list *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	list_init(n);
}

#define list_entry(ptr, type, member) container_of(ptr, type, member)
#define list_each(it, head) \
	for (struct list *it = (head)->next; it != (head); it = it->next)
/* The current node may be unlinked in the body. */
#define list_each_safe(it, head)                                        \
	for (struct list *it = (head)->next, *it##_next = it->next;     \
	     it != (head); it = it##_next, it##_next = it->next)
