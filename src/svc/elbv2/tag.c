/* Tags of every noun. */
#include "base/err.h"
#include "svc/elbv2/elbv2.h"

/* How many tags there will be besides those of the input. */
static int
others(struct call *c, const struct res *r, const struct doc *tags, size_t *ret)
{
	struct doc *have;
	int e = store_tags(c->store, c->arena, r, &have);

	if (e)
		return e;
	*ret = doc_len(have);
	doc_each(t, tags)
		if (doc_getn(have, doc_get_str(t, "Key")))
			--*ret;
	return 0;
}

struct reply *
tag_add(struct call *c)
{
	const struct doc *tags = doc_get(c->in, "Tags");
	struct res *r;
	struct reply *e;
	size_t have;
	int n;

	if ((e = tags_check(c, tags, 0)))
		return e;
	doc_each(arn, doc_get(c->in, "ResourceArns")) {
		if ((e = any_find(c, doc_span(arn), &r)))
			return e;
		if ((n = others(c, r, tags, &have)))
			return reply_failure(c, err_fold(n));
		if ((e = tags_check(c, tags, have)))
			return e;
		if ((e = tags_put(c, r, tags)))
			return e;
	}
	return reply_ok(c, NULL);
}

struct reply *
tag_remove(struct call *c)
{
	struct res *r;
	struct reply *e;
	int n;

	doc_each(arn, doc_get(c->in, "ResourceArns")) {
		if ((e = any_find(c, doc_span(arn), &r)))
			return e;
		doc_each(k, doc_get(c->in, "TagKeys")) {
			n = store_untag(c->store, r, doc_span(k));
			if (n && n != STORE_E_NOT_FOUND)
				return reply_failure(c, err_fold(n));
		}
	}
	return reply_ok(c, NULL);
}

static struct doc *
pairs(struct arena *a, const struct doc *tags)
{
	struct doc *out = doc_arr(a), *p;

	doc_each_key(k, v, tags) {
		p = doc_obj(a);
		doc_set_str(a, p, "Key", k);
		doc_set_str(a, p, "Value", doc_span(v));
		doc_push(out, p);
	}
	return out;
}

struct reply *
tag_describe(struct call *c)
{
	const struct doc *arns = doc_get(c->in, "ResourceArns");
	struct doc *list = doc_arr(c->arena), *d, *tags;
	struct res *r;
	struct reply *e;
	int n;

	if (doc_len(arns) > 20)
		return reply_error(c, VALIDATION, "You can specify up to 20 "
		    "resources in a single call");
	doc_each(arn, arns) {
		if ((e = any_find(c, doc_span(arn), &r)))
			return e;
		if ((n = store_tags(c->store, c->arena, r, &tags)))
			return reply_failure(c, err_fold(n));
		d = doc_obj(c->arena);
		doc_set_str(c->arena, d, "ResourceArn", r->arn);
		doc_set(c->arena, d, "Tags", pairs(c->arena, tags));
		doc_push(list, d);
	}
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena),
	    "TagDescriptions", list));
}
