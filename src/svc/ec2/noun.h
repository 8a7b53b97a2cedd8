/*
 * What all nouns of the VPC family have in common: ids and the errors about
 * them, tags at creation, and Describe.  A noun is a row of facts; the
 * functions here do the rest.
 */
#pragma once

#include "api/op.h"
#include "svc/ec2/filter.h"
#include "svc/ec2/kinds.h"

/* Where work happens: what handlers and the making of defaults share. */
struct at {
	struct store *store;
	struct arena *arena;
	struct scope scope;
};

struct noun {
	const struct kind *kind;
	const char *type;      /* "vpc": resource type of tags */
	const char *prefix;    /* "vpc-" */
	const char *label;     /* "vpc ID", as in "The vpc ID 'x' ..." */
	const char *not_found; /* error codes */
	const char *malformed;
	const char *id;	       /* member that holds the id: "VpcId" */
	const char *ids;       /* Describe's input member: "VpcIds" */
	const char *list;      /* Describe's output member: "Vpcs" */
	const char *tags;      /* "Tags", or "TagSet" */
	const char *filter;    /* Describe's filters; NULL: "Filters" */
	const char *lacks;     /* "NAT gateway": "... x was not found" */
	const struct ec2_filter *filters;
	/* Makes a copy of the spec what Describe shows; NULL: it is.
	 * 0 or negative. */
	int (*render)(const struct at *at, const struct res *r, struct doc *d);
};

extern const struct noun noun_vpc, noun_subnet, noun_group, noun_rule,
    noun_table, noun_gateway, noun_interface, noun_acl, noun_dhcp,
    noun_elastic_ip, noun_nat;
/* All of them, NULL-terminated. */
extern const struct noun *const nouns[];
const struct noun *noun_of(const struct kind *k); /* NULL: not one of ours */
/* By an id's prefix; NULL: none has it. */
const struct noun *noun_of_id(struct span id);

struct at at_of(const struct call *c);

/* A fresh resource with a new id and OwnerId in its spec. */
struct res *noun_new(const struct at *at, const struct noun *n,
    struct span parent);
/* 0 or negative. */
int noun_insert(const struct at *at, struct res *r);
/* Writes the spec of what is there: 0 or negative. */
int noun_put(const struct at *at, struct res *r);
int noun_list(const struct at *at, const struct kind *k, const char *index,
    struct span value, struct res_list *ret);
/* Is there any such resource?  1, 0, or negative. */
int noun_any(const struct at *at, const struct kind *k, const char *index,
    struct span value);
/* 0, 1: there is none, or negative. */
int noun_find(const struct at *at, const struct noun *n, struct span id,
    struct res **ret);

/* The functions below that return a reply return NULL when all is well, and
 * what the handler shall answer when not. */
struct reply *noun_get(struct call *c, const struct noun *n, struct span id,
    struct res **ret);
/* The one whose association the request's AssociationId is. */
struct reply *noun_associated(struct call *c, const struct kind *k,
    const char *index, struct res **ret);
struct reply *noun_not_found(struct call *c, const struct noun *n,
    struct span id);
/* Inserts r, with the tags that the request's TagSpecifications give it. */
struct reply *noun_create(struct call *c, const struct noun *n, struct res *r);
/* *ret: what an earlier request with the same ClientToken made, or NULL.  Kinds
 * that index spec.ClientToken only. */
struct reply *noun_repeated(struct call *c, const struct noun *n,
    struct res **ret);
/* AWS: how many of a kind a VPC has at most. */
struct reply *noun_room(struct call *c, const struct kind *k, struct span vpc,
    int64_t max, const char *code, const char *what);
struct reply *noun_missing(struct call *c, const char *param);
/* "The vpc 'x' has dependencies and cannot be deleted." */
struct reply *noun_in_use(struct call *c, const char *what, struct span id);
struct reply *noun_invalid(struct call *c, const char *fmt, ...) PRINTF(2, 3);

/* As Describe shows it: spec, tags, and what render adds. */
int noun_show(const struct at *at, const struct noun *n, const struct res *r,
    struct doc **ret);
/* {member: as shown}: the answer of a Create. */
struct reply *noun_reply(struct call *c, const struct noun *n,
    const struct res *r, const char *member);
/* The whole of a Describe operation: ids, filters, pages. */
struct reply *noun_describe(struct call *c, const struct noun *n);
/* The answer of operations that only say that they worked. */
struct reply *noun_done(struct call *c);
/* The same after noun_put(). */
struct reply *noun_saved(struct call *c, struct res *r);

/* tag.c.  type: NULL or the resource type that a specification must be for. */
struct reply *tags_specified(struct call *c, const char *type,
    const struct res *r);
/* The tags as [{Key, Value}]; 0 or negative. */
int tags_show(const struct at *at, const struct res *r, struct doc **ret);
