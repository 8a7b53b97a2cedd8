/* Which names lead to which load balancer.  Pure. */
#include "ctl/edge-names.h"

/* A chain of records longer than this leads nowhere. */
#define CHAIN_MAX 64

/* A record that leads to another name.  Sorted by name, then by rank. */
struct link {
	struct span name, to;
	int64_t rank;	/* less goes first */
	size_t at;	/* in Route 53's order */
};

struct names {
	struct arena *a;
	const struct lb_edge_host *lbs; /* sorted by name */
	size_t n_lbs;
	struct link *links;
	size_t n_links;
	/* Of the name that begins at links[i]: */
	struct found {
		bool under_way, known;
		const struct lb_edge_host *lb;
	} *found;
};

/* As a client asks for it: without the last dot, "*" for "\052". */
static struct span
plain_name(struct arena *a, struct span s)
{
	s = arena_lower(a, s);
	if (span_ends(s, SPAN(".")))
		s = span_to(s, s.n - 1);
	if (span_starts(s, SPAN("\\052.")))
		s = arena_fmt_span(a, "*%.*s", SPAN_ARG(span_from(s, 4)));
	return s;
}

/* Where a record leads, or empty. */
static struct span
leads_to(struct arena *a, const struct doc *record)
{
	struct span type = doc_get_str(record, "Type");
	struct span to = doc_get_str(doc_get(record, "AliasTarget"),
	    "DNSName");

	if (!to.n && span_is(type, "CNAME"))
		to = doc_span(doc_at(doc_get(record, "ResourceRecords"), 0));
	else if (!span_is(type, "A") && !span_is(type, "AAAA"))
		return SPAN_NULL;
	to = plain_name(a, to);
	return span_starts(to, SPAN("dualstack.")) ? span_from(to, 10) : to;
}

static int64_t
rank_of(const struct doc *record)
{
	struct span failover = doc_get_str(record, "Failover");

	if (failover.n)
		return span_is(failover, "PRIMARY") ? 0 : 1;
	return -doc_get_int(record, "Weight", 0);
}

static int
by_name(const void *x, const void *y)
{
	const struct lb_edge_host *p = x, *q = y;

	return span_cmp(p->name, q->name);
}

static int
by_rank(const void *x, const void *y)
{
	const struct link *p = x, *q = y;
	int c = span_cmp(p->name, q->name);

	if (!c)
		c = (p->rank > q->rank) - (p->rank < q->rank);
	return c ? c : (p->at > q->at) - (p->at < q->at);
}

static const struct lb_edge_host *
balancer(const struct names *n, struct span name)
{
	struct lb_edge_host key = {.name = name};

	return n->n_lbs ? bsearch(&key, n->lbs, n->n_lbs, sizeof(key), by_name)
	    : NULL;
}

/* The first link of a name, or n_links. */
static size_t
first_link(const struct names *n, struct span name)
{
	size_t low = 0, high = n->n_links, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (span_cmp(n->links[mid].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < n->n_links && span_eq(n->links[low].name, name) ? low
	    : n->n_links;
}

/* The same of the wildcard that answers where there is no such name. */
static size_t
closest_link(const struct names *n, struct span name)
{
	size_t i = first_link(n, name);
	ptrdiff_t dot;

	while (i == n->n_links && (dot = span_chr(name, '.')) >= 0) {
		name = span_from(name, (size_t)dot);
		i = first_link(n, arena_fmt_span(n->a, "*%.*s",
		    SPAN_ARG(name)));
		name = span_from(name, 1);
	}
	return i;
}

static const struct lb_edge_host *
follow(const struct names *n, size_t first, int depth)
{
	struct found *f = &n->found[first];
	const struct lb_edge_host *lb = NULL;
	size_t i, next;

	if (f->known || f->under_way || depth > CHAIN_MAX)
		return f->lb;
	f->under_way = true;
	for (i = first; !lb && i < n->n_links && span_eq(n->links[i].name,
	    n->links[first].name); i++) {
		lb = balancer(n, n->links[i].to);
		next = lb ? n->n_links : closest_link(n, n->links[i].to);
		if (next < n->n_links)
			lb = follow(n, next, depth + 1);
	}
	f->under_way = false;
	f->known = true;
	f->lb = lb;
	return lb;
}

static void
balancers(struct names *n, const struct res_list *l)
{
	struct lb_edge_host *v = arena_array(n->a, struct lb_edge_host,
	    l->n + 1);

	for (size_t i = 0; i < l->n; i++) {
		struct span addr = doc_get_str(doc_at(doc_get(l->v[i]->status,
		    "Interfaces"), 0), "PublicIp");

		if (addr.n && !doc_get_bool(l->v[i]->spec, "Deleting", false))
			v[n->n_lbs++] = (struct lb_edge_host){arena_lower(n->a,
			    doc_get_str(l->v[i]->spec, "DNSName")), addr};
	}
	if (n->n_lbs)
		qsort(v, n->n_lbs, sizeof(*v), by_name);
	n->lbs = v;
}

static void
links(struct names *n, const struct res_list *l)
{
	struct span to, name;

	n->links = arena_array(n->a, struct link, l->n + 1);
	n->found = arena_array(n->a, struct found, l->n + 1);
	for (size_t i = 0; i < l->n; i++) {
		to = leads_to(n->a, l->v[i]->spec);
		name = plain_name(n->a, doc_get_str(l->v[i]->spec, "Name"));
		/* An escape is of a character that no host's name has. */
		if (to.n && span_chr(name, '\\') < 0)
			n->links[n->n_links++] = (struct link){name, to,
			    rank_of(l->v[i]->spec), i};
	}
	if (n->n_links)
		qsort(n->links, n->n_links, sizeof(*n->links), by_rank);
}

void
edge_names(struct arena *a, const struct res_list *lbs,
    const struct res_list *records, struct lb_edge *ret, struct span *ret_more)
{
	struct names n = {.a = a};
	_cleanup_(buf_done) struct buf more = BUF_INIT;
	const struct lb_edge_host *lb;
	struct lb_edge_host *v;
	size_t k;

	balancers(&n, lbs);
	links(&n, records);
	v = arena_array(a, struct lb_edge_host, n.n_lbs + n.n_links + 1);
	for (k = 0; k < n.n_lbs; k++)
		v[k] = n.lbs[k];
	for (size_t i = 0; i < n.n_links; i++) {
		if ((i && span_eq(n.links[i].name, n.links[i - 1].name)) ||
		    balancer(&n, n.links[i].name) || !(lb = follow(&n, i, 0)))
			continue;
		v[k++] = (struct lb_edge_host){n.links[i].name, lb->addr};
		buf_addf(&more, "%.*s %.*s\n", SPAN_ARG(n.links[i].name),
		    SPAN_ARG(lb->name));
	}
	ret->hosts = v;
	ret->n_hosts = k;
	*ret_more = arena_span(a, buf_span(&more));
}
