/* References, tags and pagination of the ecs service. */
#include "svc/ecs/ecs.h"

#include "base/err.h"

struct reply *
reply_refusal(struct call *c, const struct refusal *r)
{
	if (r->unimplemented)
		return reply_not_implemented(c, "%s", r->text);
	return reply_error(c, r->code, "%s", r->text);
}

struct span
ref_tail(struct span ref, const char *type)
{
	struct span rest = ref;
	struct span t = span_of(type);

	if (!span_starts(ref, SPAN("arn:")))
		return ref;
	for (int i = 0; i < 5; i++)
		span_cut(&rest, ':');
	if (!rest.p || !span_starts(rest, t) || rest.n <= t.n ||
	    rest.p[t.n] != '/')
		return SPAN_NULL;
	return span_from(rest, t.n + 1);
}

struct reply *
ref_check(struct call *c, struct span ref)
{
	struct span rest = ref, region, account;

	if (!span_starts(ref, SPAN("arn:")))
		return NULL;
	for (int i = 0; i < 3; i++)
		span_cut(&rest, ':');
	region = span_cut(&rest, ':');
	account = span_cut(&rest, ':');
	if (!span_eq(account, c->scope.account))
		return reply_error(c, "InvalidParameterException",
		    "Identifier is for %.*s. Your accountId is %.*s",
		    SPAN_ARG(account), SPAN_ARG(c->scope.account));
	if (!span_eq(region, c->scope.region))
		return reply_error(c, "InvalidParameterException",
		    "Identifier is for region %.*s. Your region is %.*s",
		    SPAN_ARG(region), SPAN_ARG(c->scope.region));
	return NULL;
}

bool
ecs_name_ok(struct span name)
{
	if (name.n == 0 || name.n > 255)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char ch = name.p[i];

		if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
			(ch >= '0' && ch <= '9') || ch == '-' || ch == '_'))
			return false;
	}
	return true;
}

void
failure_add(struct call *c, struct doc *failures, struct span arn,
    const char *reason)
{
	struct doc *f = doc_obj(c->arena);

	doc_set_str(c->arena, f, "arn", arn);
	doc_set_str(c->arena, f, "reason", span_of(reason));
	doc_push(failures, f);
}

bool
includes(struct call *c, const char *what)
{
	return doc_has_str(doc_get(c->in, "include"), span_of(what));
}

/* Tags */

static bool
tag_check(struct arena *a, const struct doc *tag, bool system,
    struct refusal *ret)
{
	struct span key = doc_get_str(tag, "key");

	if (key.n == 0 || key.n > 128)
		return refuse(ret, a, "InvalidParameterException",
		    "Tag keys must have between 1 and 128 characters.");
	if (doc_get_str(tag, "value").n > 256)
		return refuse(ret, a, "InvalidParameterException",
		    "Tag values can have at most 256 characters.");
	if (!system && key.n >= 4 && span_ieq(span_to(key, 4), SPAN("aws:")))
		return refuse(ret, a, "InvalidParameterException",
		    "Tag keys cannot start with aws:.");
	return true;
}

bool
ecs_tags_check(struct arena *a, const struct doc *tags, bool system,
    struct refusal *ret)
{
	if (doc_len(tags) > 50)
		return refuse(ret, a, "InvalidParameterException",
		    "Tags can not be more than 50 elements.");
	doc_each(t, tags)
		if (!tag_check(a, t, system, ret))
			return false;
	return true;
}

int
ecs_tags_put(struct call *c, const struct res *r, const struct doc *tags)
{
	doc_each(t, tags) {
		int e = store_tag(c->store, r, doc_get_str(t, "key"),
		    doc_get_str(t, "value"));
		if (e)
			return err_fold(e);
	}
	return 0;
}

int
tags_list(struct call *c, const struct res *r, struct doc **ret)
{
	struct doc *tags, *list = doc_arr(c->arena);
	int e = store_tags(c->store, c->arena, r, &tags);

	if (e)
		return err_fold(e);
	doc_each_key(k, v, tags) {
		struct doc *t = doc_obj(c->arena);

		doc_set_str(c->arena, t, "key", k);
		doc_set_str(c->arena, t, "value", doc_span(v));
		doc_push(list, t);
	}
	*ret = list;
	return 0;
}

/* Pagination */

static struct reply *
page_limits(struct call *c, struct query *q, size_t def, size_t max,
    size_t *ret)
{
	int64_t n = doc_get_int(c->in, "maxResults", (int64_t)def);
	struct span token = doc_get_str(c->in, "nextToken");

	if (n < 1 || n > (int64_t)max)
		return reply_error(c, "InvalidParameterException",
		    "maxResults must be between 1 and %zu.", max);
	if (token.n && !page_token_row(c, token, &q->after))
		return reply_error(c, "InvalidParameterException",
		    "Invalid token %.*s", SPAN_ARG(token));
	*ret = (size_t)n;
	return NULL;
}

struct reply *
page_walk(struct call *c, struct query *q, size_t def, size_t max, page_fn fn,
    void *ctx, struct doc *list, struct doc *out)
{
	struct res_list batch;
	size_t want = def;
	int64_t last = 0;
	struct reply *bad = page_limits(c, q, def, max, &want);

	if (bad)
		return bad;
	q->limit = 200;
	do {
		int e = store_list(c->store, c->arena, q, &batch);
		if (e)
			return reply_failure(c, err_fold(e));
		for (size_t i = 0; i < batch.n; i++) {
			/* One more that belongs proves there is a next page. */
			struct doc *probe = doc_arr(c->arena);

			if (!fn(c, batch.v[i], probe, ctx))
				continue;
			if (doc_len(list) == want) {
				doc_set_str(c->arena, out, "nextToken",
				    page_token(c, last));
				return NULL;
			}
			doc_push(list, doc_copy(c->arena, doc_at(probe, 0)));
			last = batch.v[i]->row;
		}
		if (batch.n)
			q->after = batch.v[batch.n - 1]->row;
	} while (batch.more);
	return NULL;
}
