/* What must hold among the record sets of a zone. */
#include "base/err.h"
#include "svc/elbv2/kinds.h"
#include "svc/route53/route53.h"

static const char *const policies[] = {"Weight", "Region", "Failover",
	"GeoLocation", "MultiValueAnswer"};

/* All sets of a name, or those of one type of it, in order. */
static int
sets_of(struct call *c, const struct res *zone, struct span name,
    struct span type, struct res_list *ret)
{
	struct span key = name_key(c->arena, name);
	struct id_range q = {.kind = &route53_record_set, .scope = zone->scope,
	    .parent = zone->id};
	int r;

	if (type.n) {
		q.from = record_id(c->arena, name, type, SPAN_NULL);
		q.until = arena_fmt_span(c->arena, "%.*s%c%.*s\001",
		    SPAN_ARG(key), 0, SPAN_ARG(type));
	} else {
		q.from = arena_fmt_span(c->arena, "%.*s%c", SPAN_ARG(key), 0);
		q.until = arena_fmt_span(c->arena, "%.*s\001", SPAN_ARG(key));
	}
	r = store_list_ids(c->store, c->arena, &q, ret);
	return r > 0 ? err_fold(r) : err_trace(r);
}

static void
conflict(struct call *c, struct doc *messages, struct span type,
    struct span name, struct span zone)
{
	struct span s;

	if (span_is(type, "CNAME"))
		s = arena_fmt_span(c->arena, "RRSet of type CNAME with DNS "
		    "name %.*s is not permitted as it conflicts with other "
		    "records with the same DNS name in zone %.*s",
		    SPAN_ARG(name), SPAN_ARG(zone));
	else
		s = arena_fmt_span(c->arena, "RRSet of type %.*s with DNS name "
		    "%.*s is not permitted because a conflicting RRSet of type "
		    " CNAME with the same DNS name already exists in zone %.*s",
		    SPAN_ARG(type), SPAN_ARG(name), SPAN_ARG(zone));
	doc_push_str(c->arena, messages, s);
}

static void
check_cname(struct call *c, const struct res *zone, struct span name,
    const struct res_list *l, const struct doc *touched, struct doc *messages)
{
	struct span in = doc_get_str(zone->spec, "Name");
	bool cname = false, other = false;

	for (size_t i = 0; i < l->n; i++) {
		if (span_is(doc_get_str(l->v[i]->spec, "Type"), "CNAME"))
			cname = true;
		else
			other = true;
	}
	if (!cname || !other)
		return;
	if (doc_get(touched, "CNAME")) {
		conflict(c, messages, SPAN("CNAME"), name, in);
		return;
	}
	doc_each_key(type, v, touched)
		conflict(c, messages, type, name, in);
}

static const char *
policy_of(const struct doc *spec)
{
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++)
		if (doc_get(spec, policies[i]))
			return policies[i];
	return NULL;
}

/* Why b cannot stand beside a; NULL: it can. */
static const char *
clash(const struct doc *a, const struct doc *b)
{
	const char *pa = policy_of(a), *pb = policy_of(b);

	if (pa != pb && pb && !strcmp(pb, "MultiValueAnswer"))
		return "because a non multivalue answer rrset exists with the "
		    "same name and type.";
	if (pa != pb && pa && !strcmp(pa, "MultiValueAnswer"))
		return "because a multivalue answer rrset exists with the "
		    "same name and type.";
	if (!pa || pa != pb)
		return "as other RRSets exist with the same name and type.";
	if (strcmp(pa, "Weight") && strcmp(pa, "MultiValueAnswer") &&
	    doc_eq(doc_get(a, pa), doc_get(b, pa)))
		return "as another RRSet with the same name, type and routing "
		    "value exists.";
	return NULL;
}

/* The set that the batch made is the one that cannot be. */
static void
check_pair(struct call *c, const struct doc *a, const struct doc *b,
    const struct doc *touched, struct doc *messages)
{
	struct span type = doc_get_str(b, "Type");
	struct span made = doc_span(doc_getn(touched, type)), id, text;
	const char *why;

	if (span_eq(made, doc_get_str(a, "SetIdentifier"))) {
		const struct doc *t = a;

		a = b;
		b = t;
	}
	if (!(why = clash(a, b)))
		return;
	id = doc_get_str(b, "SetIdentifier");
	text = arena_fmt_span(c->arena, "RRSet with DNS name %.*s, type "
	    "%.*s%s%.*s cannot be created %s",
	    SPAN_ARG(doc_get_str(b, "Name")), SPAN_ARG(type),
	    id.n ? ", SetIdentifier " : "", SPAN_ARG(id), why);
	if (!doc_has_str(messages, text))
		doc_push_str(c->arena, messages, text);
}

int
r53_check_name(struct call *c, const struct res *zone, struct span name,
    const struct doc *touched, struct doc *messages)
{
	struct res_list l;
	int r = sets_of(c, zone, name, SPAN_NULL, &l);

	if (r)
		return r;
	check_cname(c, zone, name, &l, touched, messages);
	for (size_t i = 1; i < l.n; i++) {
		struct span type = doc_get_str(l.v[i]->spec, "Type");

		for (size_t j = i; j-- > 0 && span_eq(type,
		    doc_get_str(l.v[j]->spec, "Type"));)
			if (doc_getn(touched, type))
				check_pair(c, l.v[j]->spec, l.v[i]->spec,
				    touched, messages);
	}
	return 0;
}

/* --- aliases ------------------------------------------------------------ */

/* Is there a load balancer of this zone id with this name? */
static int
lb_there(struct call *c, struct span zone_id, struct span name, bool *ret)
{
	struct query q = {.kind = &elbv2_load_balancer};
	struct span want = name_plain(c->arena, name);
	struct res_list l;
	int r = store_list(c->store, c->arena, &q, &l);

	if (r)
		return r > 0 ? err_fold(r) : err_trace(r);
	if (span_starts(want, SPAN("dualstack.")))
		want = span_from(want, sizeof("dualstack.") - 1);
	*ret = false;
	for (size_t i = 0; i < l.n; i++)
		if (span_eq(zone_id, doc_get_str(l.v[i]->spec,
			"CanonicalHostedZoneId")) &&
		    span_ieq(want, doc_get_str(l.v[i]->spec, "DNSName")) &&
		    !doc_get_bool(l.v[i]->spec, "Deleting", false))
			*ret = true;
	return 0;
}

static void
bad_alias(struct call *c, const struct doc *spec, const char *why,
    struct doc *messages)
{
	const struct doc *alias = doc_get(spec, "AliasTarget");

	doc_push_str(c->arena, messages, arena_fmt_span(c->arena, "Tried to "
	    "create an alias that targets %.*s, type %.*s in zone %.*s, but %s",
	    SPAN_ARG(doc_get_str(alias, "DNSName")),
	    SPAN_ARG(doc_get_str(spec, "Type")),
	    SPAN_ARG(doc_get_str(alias, "HostedZoneId")), why));
}

int
r53_check_alias(struct call *c, const struct res *zone,
    const struct doc *spec, struct doc *messages)
{
	const struct doc *alias = doc_get(spec, "AliasTarget");
	struct span name = doc_get_str(alias, "DNSName");
	struct span type = doc_get_str(spec, "Type");
	struct span id = doc_get_str(alias, "HostedZoneId");
	struct res_list l;
	bool there = false;
	int r = 0;

	if (span_eq(id, zone->id)) {
		if (!name_within(name, doc_get_str(zone->spec, "Name"))) {
			bad_alias(c, spec, "the alias target name does not lie "
			    "within the target zone", messages);
			return 0;
		}
		r = sets_of(c, zone, name, type, &l);
		there = r == 0 && l.n > 0 &&
		    !span_eq(name, doc_get_str(spec, "Name"));
	} else if (span_is(type, "A") || span_is(type, "AAAA") ||
	    span_is(type, "HTTPS")) {
		r = lb_there(c, id, name, &there);
	}
	if (r == 0 && !there)
		bad_alias(c, spec, "that target was not found", messages);
	return r;
}
