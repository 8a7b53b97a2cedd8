/*
 * Making a hosted zone, with the records every zone has.  For the operation
 * that creates one and for `neargate import hosted-zone`; no handler.
 */
#pragma once

#include "svc/route53/kinds.h"

struct zone_new {
	struct span id;		/* empty: chosen */
	struct span name;	/* canonical */
	struct span caller_reference, comment;
	bool private_zone;
	const struct doc *vpc;	/* {VPCRegion, VPCId}; NULL: none */
};

/* 0, STORE_E_EXISTS (the id is taken) or negative. */
int zone_make(struct store *s, struct arena *a, struct scope scope,
    const struct zone_new *n, struct res **ret);
/* The zones of an account with this canonical name. */
int zone_named(struct store *s, struct arena *a, struct scope scope,
    struct span name, struct res_list *ret);
/* Puts a VPC on a zone, in memory; zone_vpc_key() is how VpcKeys name it. */
void zone_add_vpc(struct arena *a, struct res *zone, const struct doc *vpc);
struct span zone_vpc_key(struct arena *a, const struct doc *vpc);

/* A public zone with a given id, for apps that hard-code one.  The same again
 * changes nothing.  0, or ZONE_E_REFUSED with *ret_why, or negative. */
enum { ZONE_E_REFUSED = 1 };
int zone_import(struct store *s, struct arena *a, struct span account,
    struct span id, struct span name, struct span *ret_why);
