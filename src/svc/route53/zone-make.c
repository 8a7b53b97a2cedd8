/* New hosted zones. */
#include "base/err.h"
#include "base/id.h"
#include "svc/route53/name.h"
#include "svc/route53/rdata.h"
#include "svc/route53/zone.h"

#define ID_LEN	20 /* after the Z */
#define NS_TTL	172800
#define SOA_TTL 900

struct span
zone_vpc_key(struct arena *a, const struct doc *vpc)
{
	return arena_fmt_span(a, "%.*s/%.*s",
	    SPAN_ARG(doc_get_str(vpc, "VPCRegion")),
	    SPAN_ARG(doc_get_str(vpc, "VPCId")));
}

void
zone_add_vpc(struct arena *a, struct res *zone, const struct doc *vpc)
{
	doc_push(doc_get(zone->spec, "VPCs"), doc_copy(a, vpc));
	doc_push_str(a, doc_get(zone->spec, "VpcKeys"), zone_vpc_key(a, vpc));
}

/* Four of 2048 in four groups, as AWS has them; which ones, the id says.  A
 * private zone's are always the first of each. */
static struct doc *
name_servers(struct store *s, struct arena *a, const struct zone_new *n)
{
	unsigned char sum[SHA256_LEN] = {0};
	struct doc *list = doc_arr(a);
	struct span suffix;
	unsigned at;

	if (store_setting(s, a, "dns_suffix", &suffix))
		suffix = SPAN("dns.neargate.localhost");
	if (!n->private_zone)
		sha256(n->id, sum);
	for (unsigned i = 0; i < 4; i++) {
		at = sum[2 * i] + 256u * (sum[2 * i + 1] & 1);
		doc_push_str(a, list, arena_fmt_span(a, "ns-%u.%.*s",
		    512 * i + at, SPAN_ARG(suffix)));
	}
	return list;
}

static int
add_record(struct store *s, struct arena *a, const struct res *zone,
    const char *type, int64_t ttl, struct doc *values)
{
	struct span name = doc_get_str(zone->spec, "Name");
	struct res *r = res_new(a, &route53_record_set, zone->scope, zone->id,
	    record_id(a, name, span_of(type), SPAN_NULL));

	doc_set_str(a, r->spec, "Name", name);
	doc_set_str(a, r->spec, "Type", span_of(type));
	doc_set_int(a, r->spec, "TTL", ttl);
	doc_set(a, r->spec, "ResourceRecords", values);
	return store_insert(s, a, r);
}

/* https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/SOA-NSrecords.html */
static int
add_own_records(struct store *s, struct arena *a, const struct res *zone)
{
	struct doc *ns = doc_arr(a), *soa = doc_arr(a);
	struct doc *servers = doc_get(zone->spec, "NameServers");
	struct span first = doc_span(doc_at(servers, 0));
	int e;

	doc_each(v, servers)
		doc_push_str(a, ns, arena_fmt_span(a, "%.*s.",
		    SPAN_ARG(doc_span(v))));
	doc_push_str(a, soa, arena_fmt_span(a, "%.*s. hostmaster.%.*s. 1 7200 "
	    "900 1209600 86400", SPAN_ARG(first),
	    SPAN_ARG(span_from(first, (size_t)span_chr(first, '.') + 1))));
	e = add_record(s, a, zone, "NS", NS_TTL, ns);
	return e ? e : add_record(s, a, zone, "SOA", SOA_TTL, soa);
}

int
zone_make(struct store *s, struct arena *a, struct scope scope,
    const struct zone_new *from, struct res **ret)
{
	struct zone_new n = *from;
	struct res *z;
	int e;

	if (!n.id.n)
		n.id = arena_fmt_span(a, "Z%s", id_upper(a, ID_LEN));
	z = res_new(a, &route53_hosted_zone, scope, SPAN_NULL, n.id);
	doc_set_str(a, z->spec, "Name", n.name);
	doc_set_str(a, z->spec, "CallerReference", n.caller_reference);
	if (n.comment.n)
		doc_set_str(a, z->spec, "Comment", n.comment);
	doc_set_bool(a, z->spec, "PrivateZone", n.private_zone);
	doc_set(a, z->spec, "NameServers", name_servers(s, a, &n));
	doc_set(a, z->spec, "VPCs", doc_arr(a));
	doc_set(a, z->spec, "VpcKeys", doc_arr(a));
	if (n.vpc)
		zone_add_vpc(a, z, n.vpc);
	if ((e = store_insert(s, a, z)))
		return e;
	if ((e = add_own_records(s, a, z)))
		return e < 0 ? err_trace(e) : err_fold(e);
	*ret = z;
	return 0;
}

int
zone_named(struct store *s, struct arena *a, struct scope scope,
    struct span name, struct res_list *ret)
{
	struct query q = {.kind = &route53_hosted_zone, .scope = scope,
	    .index = "spec.Name", .value = name};
	int e = store_list(s, a, &q, ret);

	return e > 0 ? err_fold(e) : err_trace(e);
}

/* --- import ------------------------------------------------------------- */

static bool
id_ok(struct span id)
{
	if (id.n < 2 || id.n > 32 || id.p[0] != 'Z')
		return false;
	for (size_t i = 1; i < id.n; i++)
		if (!((id.p[i] >= 'A' && id.p[i] <= 'Z') ||
		    (id.p[i] >= '0' && id.p[i] <= '9')))
			return false;
	return true;
}

static int PRINTF(3, 4)
refuse(struct arena *a, struct span *ret_why, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	*ret_why = span_of(arena_vfmt(a, fmt, ap));
	va_end(ap);
	return ZONE_E_REFUSED;
}

/* Whether such a zone is there already; else what is in its way. */
static int
import_conflict(struct store *s, struct arena *a, struct scope scope,
    const struct zone_new *n, bool *ret_there, struct span *ret_why)
{
	struct query q = {.kind = &route53_hosted_zone};
	struct res_list all;
	struct res *z;
	int e = store_list(s, a, &q, &all);

	if (e)
		return e < 0 ? err_trace(e) : err_fold(e);
	*ret_there = false;
	for (size_t i = 0; i < all.n; i++) {
		bool same_id = span_eq(all.v[i]->id, n->id), same_name;

		z = all.v[i];
		same_name = span_eq(doc_get_str(z->spec, "Name"), n->name) &&
		    span_eq(z->scope.account, scope.account) &&
		    !doc_get_bool(z->spec, "PrivateZone", false);
		if (same_id && same_name)
			*ret_there = true;
		else if (same_id)
			return refuse(a, ret_why, "%.*s is the hosted zone %.*s",
			    SPAN_ARG(n->id),
			    SPAN_ARG(doc_get_str(z->spec, "Name")));
		else if (same_name)
			return refuse(a, ret_why, "%.*s has the hosted zone "
			    "%.*s already", SPAN_ARG(n->name), SPAN_ARG(z->id));
	}
	return 0;
}

int
zone_import(struct store *s, struct arena *a, struct span account,
    struct span id, struct span name, struct span *ret_why)
{
	struct scope scope = {.account = account};
	struct zone_new n = {.id = id, .caller_reference = arena_fmt_span(a,
	    "neargate-import-%.*s", SPAN_ARG(id))};
	struct res *zone;
	bool there = false;
	int e;

	if (!id_ok(id))
		return refuse(a, ret_why, "'%.*s' is no id of a hosted zone: Z "
		    "and up to 31 upper-case letters and digits", SPAN_ARG(id));
	if ((e = name_canonical(a, name, &n.name)))
		return refuse(a, ret_why, "%.*s",
		    SPAN_ARG(rdata_name_problem(a, e, name)));
	e = import_conflict(s, a, scope, &n, &there, ret_why);
	if (e || there)
		return e;
	e = zone_make(s, a, scope, &n, &zone);
	return e > 0 ? err_fold(e) : err_trace(e);
}
