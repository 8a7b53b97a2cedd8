/* Resources by tags; keys and values in use. */
#include "base/err.h"
#include "svc/tagging/tagging.h"

#define INVALID "InvalidParameterException"

enum { RESOURCES_MAX = 100, TAGS_MIN = 100, TAGS_MAX = 500, WORDS_PAGE = 100 };

/* One page in the making. */
struct page {
	struct doc *list;
	size_t tags; /* a resource without any counts as one */
	size_t resources_max, tags_max;
	bool full;
};

/* [{Key, Value}] of a resource. */
static int
tags_of(struct call *c, const struct res *r, struct doc **ret)
{
	struct doc *list = doc_arr(c->arena), *tags, *t;
	int e = store_tags(c->store, c->arena, r, &tags);

	if (e < 0)
		return err_trace(e);
	doc_each_key(k, v, tags) {
		t = doc_obj(c->arena);
		doc_set_str(c->arena, t, "Key", k);
		doc_set_str(c->arena, t, "Value", doc_span(v));
		doc_push(list, t);
	}
	*ret = list;
	return 0;
}

/* Adds r unless the page is full, and says so then. */
static int
page_add(struct call *c, struct page *p, const struct res *r)
{
	struct doc *one, *tags = NULL;
	size_t n;
	int e = tags_of(c, r, &tags);

	if (e < 0)
		return err_trace(e);
	n = MAX(doc_len(tags), (size_t)1);
	p->full = doc_len(p->list) == p->resources_max ||
	    (p->tags + n > p->tags_max && doc_len(p->list));
	if (p->full)
		return 0;
	p->tags += n;
	one = doc_obj(c->arena);
	doc_set_str(c->arena, one, "ResourceARN", r->arn);
	doc_set(c->arena, one, "Tags", tags);
	doc_push(p->list, one);
	return 0;
}

/* AWS means to list what is there; what has ended stays out even where its
 * service still describes it. */
static bool
listed(const struct res *r)
{
	return !r->kind->untaggable &&
	    !(r->kind->ended && r->kind->ended(r));
}

static bool
wanted(const struct res *r, const struct doc *types)
{
	if (!listed(r))
		return false;
	if (doc_len(types) == 0)
		return true;
	doc_each(t, types)
		if (arn_is(r->arn, doc_span(t)))
			return true;
	return false;
}

/* The store knows kinds, and so "service:type" without what an ARN may say
 * further: that is left to wanted(). */
static struct doc *
coarse(struct call *c, const struct doc *types)
{
	struct doc *out = doc_arr(c->arena);

	doc_each(t, types) {
		struct span s = doc_span(t);

		doc_push_str(c->arena, out, span_cut(&s, '/'));
	}
	return out;
}

/* Fills the page from row after on; *ret_next: where the next page starts, 0
 * for no more. */
static int
page_fill(struct call *c, struct page *p, int64_t after, int64_t *ret_next)
{
	const struct doc *types = doc_get(c->in, "ResourceTypeFilters");
	struct doc *kinds = coarse(c, types);
	struct res_list l;
	int e;

	do {
		e = store_find_tagged(c->store, c->arena, c->scope,
		    doc_get(c->in, "TagFilters"), kinds, after,
		    RESOURCES_MAX, &l);
		for (size_t i = 0; e >= 0 && i < l.n; i++) {
			if (wanted(l.v[i], types))
				e = page_add(c, p, l.v[i]);
			if (p->full) {
				*ret_next = after;
				return err_trace(e);
			}
			after = l.v[i]->row;
		}
		if (e < 0)
			return err_trace(e);
	} while (l.more);
	*ret_next = 0;
	return 0;
}

static struct reply *
get_by_arns(struct call *c, const struct doc *arns)
{
	static const char *const alone[] = {"TagFilters",
		"ResourceTypeFilters", "ResourcesPerPage", "TagsPerPage",
		"PaginationToken", NULL};
	struct page p = {.list = doc_arr(c->arena),
		.resources_max = RESOURCES_MAX, .tags_max = SIZE_MAX};
	struct doc *out = doc_obj(c->arena);
	struct res *r;
	struct arn a;
	int e;

	for (int i = 0; alone[i]; i++)
		if (doc_len(doc_get(c->in, alone[i])) ||
		    doc_type(doc_get(c->in, alone[i])) == DOC_INT)
			return reply_error(c, INVALID, "ResourceARNList cannot "
			    "be specified together with %s.", alone[i]);
	doc_each(t, arns) {
		if (!arn_read(doc_span(t), &a))
			return reply_error(c, INVALID, "%.*s is not a valid "
			    "AmazonResourceName (ARN)", SPAN_ARG(doc_span(t)));
		e = store_get_arn(c->store, c->arena, doc_span(t), &r);
		if (e == 0 && span_eq(r->scope.account, c->scope.account) &&
		    listed(r))
			e = page_add(c, &p, r);
		if (e < 0)
			return reply_failure(c, e);
	}
	doc_set_str(c->arena, out, "PaginationToken", SPAN(""));
	return reply_ok(c, doc_set(c->arena, out, "ResourceTagMappingList",
	    p.list));
}

static bool
token_row(struct call *c, int64_t *ret)
{
	struct span token = doc_get_str(c->in, "PaginationToken");

	*ret = 0;
	return token.n == 0 || page_token_row(c, token, ret);
}

static struct reply *
bad_token(struct call *c)
{
	return reply_error(c, INVALID, "The PaginationToken is not valid.");
}

static struct reply *
bad_numbers(struct call *c, int64_t resources, int64_t tags)
{
	if (resources < 1 || resources > RESOURCES_MAX)
		return reply_error(c, INVALID, "ResourcesPerPage must be "
		    "between 1 and %d.", RESOURCES_MAX);
	if (tags < TAGS_MIN || tags > TAGS_MAX)
		return reply_error(c, INVALID, "TagsPerPage must be between "
		    "%d and %d.", TAGS_MIN, TAGS_MAX);
	return NULL;
}

/* Tag policies are Organizations', which is not here. */
static struct reply *
bad_compliance(struct call *c)
{
	bool include = doc_get_bool(c->in, "IncludeComplianceDetails", false);

	if (include)
		return reply_not_implemented(c, "IncludeComplianceDetails");
	if (doc_get_bool(c->in, "ExcludeCompliantResources", false))
		return reply_error(c, INVALID, "ExcludeCompliantResources can "
		    "only be true when IncludeComplianceDetails is true.");
	return NULL;
}

struct reply *
tagging_get_resources(struct call *c)
{
	int64_t resources = doc_get_int(c->in, "ResourcesPerPage", 50);
	int64_t tags = doc_get_int(c->in, "TagsPerPage", TAGS_MAX);
	const struct doc *arns = doc_get(c->in, "ResourceARNList");
	struct page p = {.list = doc_arr(c->arena)};
	struct doc *out = doc_obj(c->arena);
	struct reply *no = bad_compliance(c);
	int64_t after, next = 0;
	int e;

	if (no || (no = bad_numbers(c, resources, tags)))
		return no;
	if (doc_len(arns))
		return get_by_arns(c, arns);
	if (!token_row(c, &after))
		return bad_token(c);
	doc_each(f, doc_get(c->in, "TagFilters"))
		if (doc_get_str(f, "Key").n == 0)
			return reply_error(c, INVALID,
			    "Each TagFilter must contain a key.");
	p.resources_max = (size_t)resources;
	p.tags_max = (size_t)tags;
	if ((e = page_fill(c, &p, after, &next)) < 0)
		return reply_failure(c, e);
	doc_set_str(c->arena, out, "PaginationToken",
	    next ? page_token(c, next) : SPAN(""));
	return reply_ok(c, doc_set(c->arena, out, "ResourceTagMappingList",
	    p.list));
}

/* A page of keys (key empty) or of the values of one. */
static struct reply *
words(struct call *c, struct span key, const char *member)
{
	struct doc *list = NULL, *out = doc_obj(c->arena);
	int64_t skip;
	bool more = false;
	int e;

	if (!token_row(c, &skip))
		return bad_token(c);
	e = store_tag_words(c->store, c->arena, c->scope, key, (size_t)skip,
	    WORDS_PAGE, &list, &more);
	if (e < 0)
		return reply_failure(c, e);
	doc_set_str(c->arena, out, "PaginationToken", more ?
	    page_token(c, skip + WORDS_PAGE) : SPAN(""));
	return reply_ok(c, doc_set(c->arena, out, member, list));
}

struct reply *
tagging_get_keys(struct call *c)
{
	return words(c, SPAN_NULL, "TagKeys");
}

struct reply *
tagging_get_values(struct call *c)
{
	return words(c, doc_get_str(c->in, "Key"), "TagValues");
}
