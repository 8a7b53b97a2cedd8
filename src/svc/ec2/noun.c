/* What all nouns of the VPC family have in common. */
#include "svc/ec2/noun.h"

#include "base/err.h"
#include "base/id.h"

enum { PAGE_DEFAULT = 1000, CHUNK = 256 };

const struct noun *const nouns[] = {&noun_vpc, &noun_subnet, &noun_group,
	&noun_rule, &noun_table, &noun_gateway, &noun_interface, &noun_acl,
	&noun_dhcp, &noun_elastic_ip, &noun_nat, NULL};

const struct noun *
noun_of(const struct kind *k)
{
	for (size_t i = 0; nouns[i]; i++)
		if (nouns[i]->kind == k)
			return nouns[i];
	return NULL;
}

const struct noun *
noun_of_id(struct span id)
{
	for (size_t i = 0; nouns[i]; i++)
		if (span_starts(id, span_of(nouns[i]->prefix)))
			return nouns[i];
	return NULL;
}

struct at
at_of(const struct call *c)
{
	return (struct at){c->store, c->arena, c->scope};
}

struct res *
noun_new(const struct at *at, const struct noun *n, struct span parent)
{
	struct span id = span_of(id_prefixed(at->arena, n->prefix, 17));
	struct res *r =
	    res_new(at->arena, n->kind, at->scope, parent, id);

	doc_set_str(at->arena, r->spec, n->id, id);
	doc_set_str(at->arena, r->spec, "OwnerId", at->scope.account);
	return r;
}

int
noun_insert(const struct at *at, struct res *r)
{
	int e = store_insert(at->store, at->arena, r);

	return e > 0 ? err_fold(e) : e;
}

int
noun_put(const struct at *at, struct res *r)
{
	int e = store_put_spec(at->store, r);

	return e > 0 ? err_fold(e) : e;
}

int
noun_list(const struct at *at, const struct kind *k, const char *index,
    struct span value, struct res_list *ret)
{
	const struct query q = {.kind = k, .scope = at->scope,
		.any_parent = true, .index = index, .value = value};

	return store_list(at->store, at->arena, &q, ret);
}

int
noun_any(const struct at *at, const struct kind *k, const char *index,
    struct span value)
{
	const struct query q = {.kind = k, .scope = at->scope,
		.any_parent = true, .index = index, .value = value, .limit = 1};
	struct res_list l;
	int e = store_list(at->store, at->arena, &q, &l);

	return e < 0 ? err_trace(e) : l.n > 0;
}

/* By ARN: rules have a parent that their id does not tell. */
int
noun_find(const struct at *at, const struct noun *n, struct span id,
    struct res **ret)
{
	struct span arn =
	    kind_arn(at->arena, n->kind, at->scope, SPAN_NULL, id);

	return store_get_arn(at->store, at->arena, arn, ret);
}

/* AWS: an id is its prefix and 8 (old) or 17 hexadecimal digits. */
static bool
well_formed(const struct noun *n, struct span id)
{
	struct span hex = span_from(id, strlen(n->prefix));

	if (!span_starts(id, span_of(n->prefix)) || (hex.n != 8 && hex.n != 17))
		return false;
	for (size_t i = 0; i < hex.n; i++)
		if (!strchr("0123456789abcdef", hex.p[i]) || !hex.p[i])
			return false;
	return true;
}

struct reply *
noun_not_found(struct call *c, const struct noun *n, struct span id)
{
	if (n->lacks)
		return reply_error(c, n->not_found, "%s %.*s was not found",
		    n->lacks, SPAN_ARG(id));
	return reply_error(c, n->not_found, "The %s '%.*s' does not exist",
	    n->label, SPAN_ARG(id));
}

struct reply *
noun_get(struct call *c, const struct noun *n, struct span id,
    struct res **ret)
{
	struct at at = at_of(c);
	int e;

	if (!well_formed(n, id))
		return reply_error(c, n->malformed,
		    "Invalid id: \"%.*s\" (expecting \"%s...\")", SPAN_ARG(id),
		    n->prefix);
	e = noun_find(&at, n, id, ret);
	if (e < 0)
		return reply_failure(c, e);
	return e > 0 ? noun_not_found(c, n, id) : NULL;
}

struct reply *
noun_associated(struct call *c, const struct kind *k, const char *index,
    struct res **ret)
{
	struct span id = doc_get_str(c->in, "AssociationId");
	struct at at = at_of(c);
	struct res_list l;
	int e = noun_list(&at, k, index, id, &l);

	if (e < 0)
		return reply_failure(c, e);
	if (l.n == 0)
		return reply_error(c, "InvalidAssociationID.NotFound",
		    "The association ID '%.*s' does not exist", SPAN_ARG(id));
	*ret = l.v[0];
	return NULL;
}

struct reply *
noun_create(struct call *c, const struct noun *n, struct res *r)
{
	struct span token = doc_get_str(c->in, "ClientToken");
	struct at at = at_of(c);
	int e;

	if (token.n > 0)
		doc_set_str(c->arena, r->spec, "ClientToken", token);
	if ((e = noun_insert(&at, r)) < 0)
		return reply_failure(c, e);
	return tags_specified(c, n->type, r);
}

struct reply *
noun_repeated(struct call *c, const struct noun *n, struct res **ret)
{
	struct span token = doc_get_str(c->in, "ClientToken");
	struct at at = at_of(c);
	struct res_list l = {0};
	int e = token.n == 0 ? 0 :
	    noun_list(&at, n->kind, "spec.ClientToken", token, &l);

	if (e < 0)
		return reply_failure(c, e);
	*ret = l.n > 0 ? l.v[0] : NULL;
	return NULL;
}

struct reply *
noun_room(struct call *c, const struct kind *k, struct span vpc, int64_t max,
    const char *code, const char *what)
{
	const struct query q = {.kind = k, .scope = c->scope,
		.any_parent = true, .index = "spec.VpcId", .value = vpc};
	int64_t n = store_count(c->store, &q);

	if (n < 0)
		return reply_failure(c, (int)n);
	return n < max ? NULL : reply_error(c, code,
	    "The maximum number of %s has been reached.", what);
}

struct reply *
noun_missing(struct call *c, const char *param)
{
	return reply_error(c, "MissingParameter",
	    "The request must contain the parameter %s", param);
}

struct reply *
noun_in_use(struct call *c, const char *what, struct span id)
{
	return reply_error(c, "DependencyViolation",
	    "The %s '%.*s' has dependencies and cannot be deleted.", what,
	    SPAN_ARG(id));
}

struct reply *
noun_invalid(struct call *c, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = arena_vfmt(c->arena, fmt, ap);
	va_end(ap);
	return reply_error(c, "InvalidParameterValue", "%s", text);
}

struct reply *
noun_done(struct call *c)
{
	return reply_ok(c, doc_set_bool(c->arena, doc_obj(c->arena), "Return",
	    true));
}

struct reply *
noun_saved(struct call *c, struct res *r)
{
	struct at at = at_of(c);
	int e = noun_put(&at, r);

	return e < 0 ? reply_failure(c, e) : noun_done(c);
}

int
noun_show(const struct at *at, const struct noun *n, const struct res *r,
    struct doc **ret)
{
	struct doc *d = doc_copy(at->arena, r->spec), *tags;
	int e = tags_show(at, r, &tags);

	if (e < 0)
		return err_trace(e);
	doc_set(at->arena, d, n->tags, tags);
	if (n->render && (e = n->render(at, r, d)) < 0)
		return err_trace(e);
	*ret = d;
	return 0;
}

struct reply *
noun_reply(struct call *c, const struct noun *n, const struct res *r,
    const char *member)
{
	struct at at = at_of(c);
	struct doc *d;
	int e = noun_show(&at, n, r, &d);

	if (e < 0)
		return reply_failure(c, e);
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena), member, d));
}

/* Adds r to out if the filters let it through.  1: added, 0, or negative. */
static int
offer(const struct at *at, const struct noun *n, const struct doc *filters,
    const struct res *r, struct doc *out)
{
	struct doc *d;
	int e = noun_show(at, n, r, &d);

	if (e < 0)
		return err_trace(e);
	if (!ec2_filter_match(filters, n->filters, d, doc_get(d, n->tags)))
		return 0;
	doc_push(out, d);
	return 1;
}

/* Walks the rows after `after` until max are found.  *ret_next: where the next
 * page starts, 0 at the end. */
static int
scan(const struct at *at, const struct noun *n, const struct doc *filters,
    int64_t after, size_t max, struct doc *out, int64_t *ret_next)
{
	struct query q = {.kind = n->kind, .scope = at->scope,
		.any_parent = true, .after = after, .limit = CHUNK};
	struct res_list l;
	size_t found = 0;
	int e;

	q.index = ec2_filter_index(filters, n->filters, &q.value);
	do {
		e = store_list(at->store, at->arena, &q, &l);
		if (e < 0)
			return err_trace(e);
		for (size_t i = 0; i < l.n; i++) {
			if (found == max) {
				*ret_next = q.after;
				return 0;
			}
			e = offer(at, n, filters, l.v[i], out);
			if (e < 0)
				return err_trace(e);
			found += (size_t)e;
			q.after = l.v[i]->row;
		}
	} while (l.more);
	*ret_next = 0;
	return 0;
}

/* All that the request asks for by id; each must exist. */
static struct reply *
by_ids(struct call *c, const struct noun *n, const struct doc *ids,
    const struct doc *filters, struct doc *out)
{
	struct at at = at_of(c);
	struct doc *seen = doc_arr(c->arena);
	struct reply *refusal;
	struct res *r;
	int e;

	doc_each(id, ids) {
		if ((refusal = noun_get(c, n, doc_span(id), &r)))
			return refusal;
		if (doc_has_str(seen, r->id))
			continue;
		doc_push_str(c->arena, seen, r->id);
		if ((e = offer(&at, n, filters, r, out)) < 0)
			return reply_failure(c, e);
	}
	return NULL;
}

struct reply *
noun_describe(struct call *c, const struct noun *n)
{
	const struct doc *filters =
	    doc_get(c->in, n->filter ? n->filter : "Filters");
	const struct doc *ids = doc_get(c->in, n->ids);
	struct span unknown = ec2_filter_unknown(filters, n->filters);
	struct span token = doc_get_str(c->in, "NextToken");
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena);
	struct at at = at_of(c);
	struct reply *refusal;
	int64_t after = 0, next = 0;
	int e;

	if (unknown.n > 0)
		return noun_invalid(c, "The filter '%.*s' is invalid",
		    SPAN_ARG(unknown));
	if (token.n > 0 && !page_token_row(c, token, &after))
		return reply_error(c, "InvalidNextToken",
		    "The token '%.*s' is invalid", SPAN_ARG(token));
	doc_set(c->arena, out, n->list, list);
	if (doc_len(ids) > 0) {
		if (doc_get(c->in, "MaxResults"))
			return reply_error(c, "InvalidParameterCombination",
			    "The parameter %s cannot be used with the "
			    "parameter maxResults", n->ids);
		refusal = by_ids(c, n, ids, filters, list);
		return refusal ? refusal : reply_ok(c, out);
	}
	e = scan(&at, n, filters, after,
	    (size_t)doc_get_int(c->in, "MaxResults", PAGE_DEFAULT), list,
	    &next);
	if (e < 0)
		return reply_failure(c, e);
	if (next > 0)
		doc_set_str(c->arena, out, "NextToken", page_token(c, next));
	return reply_ok(c, out);
}
