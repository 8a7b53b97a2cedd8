/* Keys, look-ups, pages. */
#include "base/err.h"
#include "svc/application-autoscaling/scaling.h"

#define DIMENSION "ecs:service:DesiredCount"
#define PAGE_MAX  50

struct reply *
scaling_invalid(struct call *c, const char *fmt, ...)
{
	struct span text;
	va_list ap;

	va_start(ap, fmt);
	text = span_of(arena_vfmt(c->arena, fmt, ap));
	va_end(ap);
	return reply_error(c, INVALID, "%.*s", SPAN_ARG(text));
}

/* "service/CLUSTER/NAME" */
static bool
is_service(struct span id)
{
	struct span rest = id, type = span_cut(&rest, '/');
	struct span cluster = span_cut(&rest, '/');

	return span_is(type, "service") && cluster.n > 0 && rest.n > 0 &&
	    span_chr(rest, '/') < 0;
}

struct reply *
scaling_key(struct call *c)
{
	struct span ns = doc_get_str(c->in, "ServiceNamespace");

	if (!span_is(ns, "ecs"))
		return reply_not_implemented(c, "ServiceNamespace %.*s",
		    SPAN_ARG(ns));
	if (!span_is(doc_get_str(c->in, "ScalableDimension"), DIMENSION) ||
	    !is_service(doc_get_str(c->in, "ResourceId")))
		return scaling_invalid(c, "Unsupported service namespace, "
		    "resource type or scalable dimension");
	return NULL;
}

struct reply *
scaling_filter(struct call *c, const char *resource)
{
	if (doc_get(c->in, "ScalableDimension") &&
	    !doc_len(doc_get(c->in, resource)))
		return scaling_invalid(c, "If you specify a scalable "
		    "dimension, you must also specify a resource ID");
	return NULL;
}

bool
scaling_wanted(struct call *c)
{
	struct span dimension = doc_get_str(c->in, "ScalableDimension");

	return span_is(doc_get_str(c->in, "ServiceNamespace"), "ecs") &&
	    (!dimension.n || span_is(dimension, DIMENSION));
}

int
scaling_get(struct call *c, struct span resource, struct res **ret)
{
	struct query q = {.kind = &scaling_target, .scope = c->scope,
		.index = "spec.ResourceId", .value = resource, .limit = 1};
	struct res_list l;
	int r = store_list(c->store, c->arena, &q, &l);

	if (r)
		return err_fold(r);
	if (l.n == 0)
		return STORE_E_NOT_FOUND;
	*ret = l.v[0];
	return 0;
}

struct reply *
scaling_not_found(struct call *c, const char *what)
{
	return reply_error(c, "ObjectNotFoundException", "No %s for service "
	    "namespace: ecs, resource ID: %.*s, scalable dimension: "
	    DIMENSION, what, SPAN_ARG(doc_get_str(c->in, "ResourceId")));
}

struct reply *
scaling_find(struct call *c, struct res **ret)
{
	struct reply *no = scaling_key(c);
	int r;

	if (no)
		return no;
	r = scaling_get(c, doc_get_str(c->in, "ResourceId"), ret);
	if (r == STORE_E_NOT_FOUND)
		return scaling_not_found(c, "scalable target registered");
	return r ? reply_failure(c, r) : NULL;
}

struct reply *
scaling_room(struct call *c, const struct kind *k, struct span parent,
    int64_t max, const char *what)
{
	struct query q = {.kind = k, .scope = c->scope, .parent = parent};
	int64_t n = store_count(c->store, &q);

	if (n < 0)
		return reply_failure(c, (int)n);
	if (n >= max)
		return reply_error(c, "LimitExceededException",
		    "You have reached the limit of %lld %s", (long long)max,
		    what);
	return NULL;
}

void
scaling_copy(struct arena *a, struct doc *to, const struct doc *from,
    const char *const *names)
{
	for (; *names; names++)
		if (doc_get(from, *names))
			doc_set(a, to, *names,
			    doc_copy(a, doc_get(from, *names)));
}

static struct reply *
page_of(struct call *c, struct query *q, size_t *ret_want)
{
	int64_t want = doc_get_int(c->in, "MaxResults", PAGE_MAX), row;
	struct span token = doc_get_str(c->in, "NextToken");

	if (want < 1 || want > PAGE_MAX)
		return scaling_invalid(c, "MaxResults must be between 1 and "
		    "%d", PAGE_MAX);
	if (token.n && !page_token_row(c, token, &row))
		return reply_error(c, "InvalidNextTokenException",
		    "The next token is invalid");
	if (token.n)
		q->after = row;
	*ret_want = (size_t)want;
	return NULL;
}

struct reply *
scaling_page(struct call *c, struct query *q, const char *member,
    scaling_view fn)
{
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena), *one;
	struct res_list l;
	int64_t last = 0;
	size_t want = 0;
	struct reply *no = page_of(c, q, &want);
	int r;

	if (no)
		return no;
	doc_set(c->arena, out, member, list);
	q->limit = PAGE_MAX;
	do {
		if ((r = store_list(c->store, c->arena, q, &l)))
			return reply_failure(c, err_fold(r));
		for (size_t i = 0; i < l.n; i++) {
			if ((r = fn(c, l.v[i], &one)))
				return reply_failure(c, r);
			if (!one)
				continue;
			/* One more that belongs proves a next page. */
			if (doc_len(list) == want) {
				doc_set_str(c->arena, out, "NextToken",
				    page_token(c, last));
				return reply_ok(c, out);
			}
			doc_push(list, one);
			last = l.v[i]->row;
		}
		if (l.n)
			q->after = l.v[l.n - 1]->row;
	} while (l.more);
	return reply_ok(c, out);
}

/* What belongs to targets */

int
scaling_owned(struct call *c, const struct res *owned, const char *name,
    struct doc **ret)
{
	const struct doc *wanted = doc_get(c->in,
	    arena_fmt(c->arena, "%ss", name));
	struct span only = doc_get_str(c->in, "ResourceId"), resource;
	struct doc *d = doc_obj(c->arena);
	struct res *target;
	int r = store_get(c->store, c->arena, &scaling_target, c->scope,
	    SPAN_NULL, owned->parent, &target);

	*ret = NULL;
	if (r)
		return err_fold(r);
	resource = doc_get_str(target->spec, "ResourceId");
	if (!scaling_wanted(c) || (only.n && !span_eq(only, resource)) ||
	    (doc_len(wanted) && !doc_has_str(wanted, owned->id)))
		return 0;
	doc_set_str(c->arena, d, name, owned->id);
	doc_set_str(c->arena, d, "ServiceNamespace", SPAN("ecs"));
	doc_set_str(c->arena, d, "ResourceId", resource);
	doc_set_str(c->arena, d, "ScalableDimension", SPAN(DIMENSION));
	*ret = d;
	return 0;
}

struct reply *
scaling_list_owned(struct call *c, const struct kind *k, const char *member,
    scaling_view fn)
{
	struct query q = {.kind = k, .scope = c->scope, .any_parent = true};
	struct reply *no = scaling_filter(c, "ResourceId");

	return no ? no : scaling_page(c, &q, member, fn);
}

struct reply *
scaling_drop(struct call *c, const struct kind *k, const char *name,
    const char *what)
{
	struct res *t, *owned;
	struct reply *no = scaling_find(c, &t);
	int r;

	if (no)
		return no;
	r = store_get(c->store, c->arena, k, c->scope, t->id,
	    doc_get_str(c->in, name), &owned);
	if (r == STORE_E_NOT_FOUND)
		return scaling_not_found(c, what);
	if (r || (r = store_delete(c->store, owned)))
		return reply_failure(c, err_fold(r));
	return reply_ok(c, NULL);
}

/* Bounds */

static bool
bound(const struct doc *of, const char *name, int64_t *ret)
{
	*ret = doc_get_int(of, name, -1);
	return !doc_get(of, name) || *ret >= 0;
}

struct reply *
scaling_bounds(struct call *c, const struct doc *of, int64_t *ret_min,
    int64_t *ret_max)
{
	if (!bound(of, "MinCapacity", ret_min) ||
	    !bound(of, "MaxCapacity", ret_max))
		return scaling_invalid(c,
		    "Minimum and maximum capacity must not be negative");
	if (*ret_min >= 0 && *ret_max >= 0 && *ret_max < *ret_min)
		return scaling_invalid(c, "Maximum capacity cannot be less "
		    "than minimum capacity");
	return NULL;
}
