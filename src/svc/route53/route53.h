/* What the handlers of Route 53 share. */
#pragma once

#include "cfn/type.h"
#include "svc/route53/kinds.h"
#include "svc/route53/name.h"

extern const struct service route53_service;
/* cfn.c */
extern const struct cfn_map route53_types[];

/* common.c */

REPLY r53_fail(struct call *c, int r);
REPLY r53_invalid(struct call *c, const char *fmt, ...) PRINTF(2, 3);
/* "/hostedzone/Z1" is Z1, too. */
struct span r53_zone_id(struct span text);
struct reply *r53_find_zone(struct call *c, struct span id, struct res **ret);
/* maxitems, text on the wire, up to most. */
struct reply *r53_max_items(struct call *c, size_t most, size_t *ret);
struct doc *r53_zone_doc(struct call *c, const struct res *zone);
struct doc *r53_delegation_doc(struct call *c, const struct res *zone);
/* Is such a VPC here?  The refusal, or NULL. */
struct reply *r53_check_vpc(struct call *c, const struct doc *vpc,
    struct span name);

/* change.c: a change of now, as ChangeInfo. */
struct reply *r53_change(struct call *c, struct span comment,
    struct doc **ret);

/* record-read.c: a ResourceRecordSet of a request as a row's spec; its values
 * are checked.  A refusal (of the request's form), or NULL with what is wrong
 * with it added to messages. */
struct reply *r53_read_record(struct call *c, const struct res *zone,
    const struct doc *change, struct doc *messages, struct doc **ret);

/* record-rule.c: what must hold once all changes were made, of the record sets
 * of one name.  touched: {"TYPE": true} what the batch made.  0 or negative. */
int r53_check_name(struct call *c, const struct res *zone, struct span name,
    const struct doc *touched, struct doc *messages);
/* Does the target of an alias exist? */
int r53_check_alias(struct call *c, const struct res *zone,
    const struct doc *spec, struct doc *messages);

#define HANDLER(name) struct reply *r53_##name(struct call *c)
HANDLER(create_zone);
HANDLER(get_zone);
HANDLER(delete_zone);
HANDLER(update_comment);
HANDLER(list_zones);
HANDLER(list_zones_by_name);
HANDLER(list_zones_by_vpc);
HANDLER(zone_count);
HANDLER(associate_vpc);
HANDLER(disassociate_vpc);
HANDLER(change_records);
HANDLER(list_records);
HANDLER(get_change);
HANDLER(change_tags);
HANDLER(list_tags);
HANDLER(list_tags_of_many);
#undef HANDLER
