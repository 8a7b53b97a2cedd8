/* What the handlers of ACM share. */
#pragma once

#include "cfn/type.h"
#include "svc/acm/kinds.h"

extern const struct service acm_service;
/* cfn.c */
extern const struct cfn_map acm_types[];

/* common.c */

REPLY acm_fail(struct call *c, int r);
/* The certificate of the input's CertificateArn. */
struct reply *acm_find(struct call *c, struct res **ret);
/* Its Status as AWS tells it: an issued one may have expired. */
struct span acm_status(const struct res *r);
bool acm_is_type(const struct res *r, const char *type);
/* Who uses it (ARNs), and whether RenewCertificate, and time, renew it.  0 or
 * negative. */
int acm_use(struct call *c, const struct res *r, struct doc **ret_users,
    bool *ret_renewable);
/* Puts a list of {Key, Value} on a certificate. */
struct reply *acm_put_tags(struct call *c, const struct res *r,
    const struct doc *tags);

#define HANDLER(name) struct reply *acm_##name(struct call *c)
HANDLER(request);
HANDLER(describe);
HANDLER(list);
HANDLER(get);
HANDLER(export);
HANDLER(import);
HANDLER(delete);
HANDLER(renew);
HANDLER(update_options);
HANDLER(add_tags);
HANDLER(remove_tags);
HANDLER(list_tags);
#undef HANDLER
