/* Lists of hosted zones. */
#include "svc/route53/rdata.h"
#include "svc/route53/route53.h"
#include "svc/route53/zone.h"

#define PAGE_MAX 100

struct reply *
r53_list_zones(struct call *c)
{
	struct span marker = doc_get_str(c->in, "Marker");
	struct id_range q = {.kind = &route53_hosted_zone, .scope = c->scope,
	    .from = marker};
	bool private_only = doc_get_str(c->in, "HostedZoneType").n > 0;
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena);
	struct res_list l;
	size_t max;
	struct reply *no = r53_max_items(c, PAGE_MAX, &max);
	int r;

	if (no)
		return no;
	if ((r = store_list_ids(c->store, c->arena, &q, &l)))
		return r53_fail(c, r);
	doc_set_bool(c->arena, out, "IsTruncated", false);
	for (size_t i = 0; i < l.n; i++) {
		if (private_only &&
		    !doc_get_bool(l.v[i]->spec, "PrivateZone", false))
			continue;
		if (doc_len(list) == max) {
			doc_set_bool(c->arena, out, "IsTruncated", true);
			doc_set_str(c->arena, out, "NextMarker", l.v[i]->id);
			break;
		}
		doc_push(list, r53_zone_doc(c, l.v[i]));
	}
	doc_set(c->arena, out, "HostedZones", list);
	doc_set_str(c->arena, out, "Marker", marker);
	doc_setf(c->arena, out, "MaxItems", "%zu", max);
	return reply_ok(c, out);
}

/* --- by name ------------------------------------------------------------ */

/* A zone and where it stands: its name in reverse, then its id. */
struct place {
	struct span key;
	struct res *zone;
};

static struct span
place_key(struct call *c, struct span name, struct span id)
{
	return arena_fmt_span(c->arena, "%.*s %.*s",
	    SPAN_ARG(name_key(c->arena, name)), SPAN_ARG(id));
}

static int
place_cmp(const void *a, const void *b)
{
	return span_cmp(((const struct place *)a)->key,
	    ((const struct place *)b)->key);
}

static struct reply *
start_key(struct call *c, struct span *ret)
{
	struct span name = doc_get_str(c->in, "DNSName"), canonical;
	struct span id = r53_zone_id(doc_get_str(c->in, "HostedZoneId"));
	int e;

	*ret = SPAN_NULL;
	if (!name.n && id.n)
		return r53_invalid(c, "A hosted zone ID cannot be specified "
		    "without a DNS name");
	if (!name.n)
		return NULL;
	if ((e = name_canonical(c->arena, name, &canonical)))
		return reply_error(c, "InvalidDomainName", "%.*s",
		    SPAN_ARG(rdata_name_problem(c->arena, e, name)));
	*ret = place_key(c, canonical, id);
	return NULL;
}

static int
sorted_zones(struct call *c, struct place **ret, size_t *ret_n)
{
	struct query q = {.kind = &route53_hosted_zone, .scope = c->scope};
	struct res_list l;
	struct place *v;
	int r = store_list(c->store, c->arena, &q, &l);

	if (r)
		return r;
	v = arena_array(c->arena, struct place, l.n + 1);
	for (size_t i = 0; i < l.n; i++)
		v[i] = (struct place){place_key(c,
		    doc_get_str(l.v[i]->spec, "Name"), l.v[i]->id), l.v[i]};
	qsort(v, l.n, sizeof(*v), place_cmp);
	*ret = v;
	*ret_n = l.n;
	return 0;
}

struct reply *
r53_list_zones_by_name(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena);
	struct place *v;
	struct span from;
	size_t n, max;
	struct reply *no = r53_max_items(c, PAGE_MAX, &max);
	int r;

	if (no || (no = start_key(c, &from)))
		return no;
	if ((r = sorted_zones(c, &v, &n)))
		return r53_fail(c, r);
	doc_set_bool(c->arena, out, "IsTruncated", false);
	for (size_t i = 0; i < n; i++) {
		if (span_cmp(v[i].key, from) < 0)
			continue;
		if (doc_len(list) == max) {
			doc_set_bool(c->arena, out, "IsTruncated", true);
			doc_set_str(c->arena, out, "NextDNSName",
			    doc_get_str(v[i].zone->spec, "Name"));
			doc_set_str(c->arena, out, "NextHostedZoneId",
			    v[i].zone->id);
			break;
		}
		doc_push(list, r53_zone_doc(c, v[i].zone));
	}
	doc_set(c->arena, out, "HostedZones", list);
	doc_set(c->arena, out, "DNSName",
	    doc_copy(c->arena, doc_get(c->in, "DNSName")));
	doc_set(c->arena, out, "HostedZoneId",
	    doc_copy(c->arena, doc_get(c->in, "HostedZoneId")));
	doc_setf(c->arena, out, "MaxItems", "%zu", max);
	return reply_ok(c, out);
}

/* --- by VPC, and how many ----------------------------------------------- */

static struct doc *
summary(struct call *c, const struct res *zone)
{
	struct doc *d = doc_obj(c->arena);

	doc_set_str(c->arena, d, "HostedZoneId", zone->id);
	doc_set_str(c->arena, d, "Name", doc_get_str(zone->spec, "Name"));
	return doc_set(c->arena, d, "Owner", doc_set_str(c->arena,
	    doc_obj(c->arena), "OwningAccount", zone->scope.account));
}

struct reply *
r53_list_zones_by_vpc(struct call *c)
{
	struct span token = doc_get_str(c->in, "NextToken");
	struct query q = {.kind = &route53_hosted_zone, .scope = c->scope,
	    .index = "spec.VpcKeys", .value = zone_vpc_key(c->arena, c->in)};
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena);
	struct res_list l;
	struct reply *no = r53_max_items(c, PAGE_MAX, &q.limit);
	int r;

	if (no)
		return no;
	if (token.n && !page_token_row(c, token, &q.after))
		return reply_error(c, "InvalidPaginationToken", "The value "
		    "that you specified to get the second or subsequent page "
		    "of results is invalid.");
	if ((r = store_list(c->store, c->arena, &q, &l)))
		return r53_fail(c, r);
	for (size_t i = 0; i < l.n; i++)
		doc_push(list, summary(c, l.v[i]));
	doc_set(c->arena, out, "HostedZoneSummaries", list);
	doc_setf(c->arena, out, "MaxItems", "%zu", q.limit);
	if (l.more)
		doc_set_str(c->arena, out, "NextToken",
		    page_token(c, l.v[l.n - 1]->row));
	return reply_ok(c, out);
}

struct reply *
r53_zone_count(struct call *c)
{
	struct query q = {.kind = &route53_hosted_zone, .scope = c->scope};
	int64_t n = store_count(c->store, &q);

	if (n < 0)
		return r53_fail(c, (int)n);
	return reply_ok(c, doc_set_int(c->arena, doc_obj(c->arena),
	    "HostedZoneCount", n));
}
