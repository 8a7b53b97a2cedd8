/* Validation records, and who uses a certificate. */
#include "base/err.h"
#include "base/id.h"
#include "svc/acm/validation.h"
#include "svc/elbv2/kinds.h"
#include "svc/route53/kinds.h"
#include "svc/route53/name.h"

#define TOKEN_LEN 32
#define HOST_LEN  10

static struct span
digest(struct arena *a, const char *what, struct span account,
    struct span domain)
{
	return span_of(sha256_hex(a, arena_fmt_span(a, "acm %s %.*s %.*s", what,
	    SPAN_ARG(account), SPAN_ARG(domain))));
}

static struct span
letters(struct arena *a, struct span hex)
{
	char *p = arena_str(a, span_to(hex, HOST_LEN));

	for (size_t i = 0; i < HOST_LEN; i++)
		p[i] = (char)('a' + (p[i] >= 'a' ? p[i] - 'a' + 10 :
		    p[i] - '0'));
	return span_make(p, HOST_LEN);
}

void
validation_record(struct arena *a, struct span account, struct span domain,
    struct validation *ret)
{
	struct span name, host;

	if (span_starts(domain, SPAN("*.")))
		domain = span_from(domain, 2);
	AZ(name_canonical(a, domain, &domain));
	name = span_to(digest(a, "name", account, domain), TOKEN_LEN);
	host = letters(a, digest(a, "host", account, domain));
	ret->name = arena_fmt_span(a, "_%.*s.%.*s", SPAN_ARG(name),
	    SPAN_ARG(domain));
	ret->value = arena_fmt_span(a, "_%.*s.%.*s.acm-validations.aws.",
	    SPAN_ARG(span_to(digest(a, "value", account, domain), TOKEN_LEN)),
	    SPAN_ARG(host));
}

static int
record_there(struct store *s, struct arena *a, const struct res *zone,
    const struct validation *v, bool *ret)
{
	struct span is;
	struct res *r;
	int e = store_get(s, a, &route53_record_set, zone->scope, zone->id,
	    record_id(a, v->name, SPAN("CNAME"), SPAN_NULL), &r);

	if (e)
		return e == STORE_E_NOT_FOUND ? 0 : err_trace(e);
	if (name_canonical(a, doc_span(doc_at(doc_get(r->spec,
	    "ResourceRecords"), 0)), &is) == NAME_OK && span_eq(is, v->value))
		*ret = true;
	return 0;
}

int
validation_there(struct store *s, struct arena *a,
    const struct validation *v, bool *ret)
{
	struct query q = {.kind = &route53_hosted_zone, .index = "spec.Name"};
	struct span rest = v->name;
	struct res_list l;
	bool found = false;
	int e;

	*ret = false;
	/* DNS is one for all accounts: q.scope is empty. */
	while (!found && rest.n) {
		span_cut(&rest, '.');
		q.value = rest;
		if (!rest.n)
			break;
		if ((e = store_list(s, a, &q, &l)))
			return e < 0 ? err_trace(e) : err_fold(e);
		for (size_t i = 0; i < l.n; i++) {
			if (doc_get_bool(l.v[i]->spec, "PrivateZone", false))
				continue;
			found = true;
			if ((e = record_there(s, a, l.v[i], v, ret)) < 0)
				return err_trace(e);
		}
	}
	return 0;
}

int
acm_users(struct store *s, struct arena *a, struct scope scope,
    struct span arn, struct doc **ret)
{
	struct query q = {.kind = &elbv2_listener, .scope = scope,
	    .any_parent = true, .index = "spec.CertificateArns", .value = arn};
	struct doc *list = doc_arr(a);
	struct res_list l;
	int e = store_list(s, a, &q, &l);

	if (e)
		return e < 0 ? err_trace(e) : err_fold(e);
	for (size_t i = 0; i < l.n; i++) {
		struct span lb = doc_get_str(l.v[i]->spec, "LoadBalancerArn");

		if (!doc_has_str(list, lb))
			doc_push_str(a, list, lb);
	}
	*ret = list;
	return 0;
}
