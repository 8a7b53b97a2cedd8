/* GetParameter, GetParameters, GetParameterHistory. */
#include "svc/ssm/ssm.h"

struct found {
	struct res *p;
	const struct doc *spec; /* of the version that was asked for */
	struct span selector;	/* ":3", ":label" or empty */
};

struct doc *
ssm_metadata(struct call *c, const struct res *p, const struct doc *spec)
{
	static const char *const copied[] = {"Type", "KeyId", "Description",
	    "AllowedPattern", "Tier", "DataType"};
	struct doc *d = doc_obj(c->arena);

	doc_set_str(c->arena, d, "Name", doc_get_str(p->spec, "Name"));
	doc_set_str(c->arena, d, "ARN", p->arn);
	for (size_t i = 0; i < ARRAY_SIZE(copied); i++)
		if (doc_get(spec, copied[i]))
			doc_set_str(c->arena, d, copied[i],
			    doc_get_str(spec, copied[i]));
	doc_set_time(c->arena, d, "LastModifiedDate",
	    doc_get_int(spec, "Modified", 0));
	doc_set_str(c->arena, d, "LastModifiedUser",
	    doc_get_str(spec, "User"));
	doc_set_int(c->arena, d, "Version", doc_get_int(spec, "Version", 0));
	doc_set(c->arena, d, "Policies", doc_arr(c->arena));
	return d;
}

static struct reply *
value(struct call *c, const struct res *p, const struct doc *spec,
    struct span *ret)
{
	if (doc_get_bool(c->in, "WithDecryption", false) &&
	    span_is(doc_get_str(spec, "Type"), "SecureString"))
		return ssm_decrypt(c, p->arn, spec, ret);
	*ret = doc_get_str(spec, "Value");
	return NULL;
}

struct reply *
ssm_show(struct call *c, const struct res *p, const struct doc *spec,
    struct doc **ret)
{
	struct doc *d = doc_obj(c->arena);
	struct span text;
	struct reply *no = value(c, p, spec, &text);

	if (no)
		return no;
	doc_set_str(c->arena, d, "Name", doc_get_str(p->spec, "Name"));
	doc_set_str(c->arena, d, "Type", doc_get_str(spec, "Type"));
	doc_set_str(c->arena, d, "Value", text);
	doc_set_int(c->arena, d, "Version", doc_get_int(spec, "Version", 0));
	doc_set_time(c->arena, d, "LastModifiedDate",
	    doc_get_int(spec, "Modified", 0));
	doc_set_str(c->arena, d, "ARN", p->arn);
	doc_set_str(c->arena, d, "DataType", doc_get_str(spec, "DataType"));
	*ret = d;
	return NULL;
}

/* The part of "name:selector" that is the selector, also behind an ARN. */
static struct span
cut_selector(struct span *name)
{
	ptrdiff_t slash = span_rchr(*name, '/'), colon = span_rchr(*name, ':');
	struct span s = SPAN_NULL;

	if (colon > 0 && colon > slash) {
		s = span_from(*name, (size_t)colon);
		*name = span_to(*name, (size_t)colon);
	}
	return s;
}

/* 0, STORE_E_NOT_FOUND (no such parameter: ret->p is NULL; or no such
 * version), or negative. */
static int
find(struct call *c, struct span name, struct found *ret)
{
	struct span selector = cut_selector(&name), want;
	bool number;
	struct res_list l;
	int64_t n;
	int r;

	*ret = (struct found){.selector = selector};
	if ((r = ssm_get(c, name, &ret->p))) {
		ret->p = NULL;
		return r;
	}
	ret->spec = ret->p->spec;
	if (selector.n < 2)
		return 0;
	want = span_from(selector, 1);
	number = span_i64(want, &n);
	if ((r = ssm_versions(c, ret->p, &l)))
		return r;
	for (size_t i = 0; i < l.n; i++) {
		ret->spec = l.v[i]->spec;
		if (number ? doc_get_int(ret->spec, "Version", 0) == n :
		    doc_has_str(doc_get(ret->spec, "Labels"), want))
			return 0;
	}
	return STORE_E_NOT_FOUND;
}

static struct reply *
no_version(struct call *c, const struct found *f)
{
	struct span want = span_from(f->selector, 1);
	struct span name = doc_get_str(f->p->spec, "Name");
	int64_t n;

	if (span_i64(want, &n))
		return reply_error(c, "ParameterVersionNotFound",
		    "Systems Manager could not find version %.*s of %.*s. "
		    "Verify the version and try again.", SPAN_ARG(want),
		    SPAN_ARG(name));
	return reply_error(c, "ParameterVersionNotFound", "Systems Manager "
	    "could not find label %.*s for parameter %.*s. Verify the label "
	    "name and try again.", SPAN_ARG(want), SPAN_ARG(name));
}

static struct reply *
show_found(struct call *c, const struct found *f, struct doc **ret)
{
	struct reply *no = ssm_show(c, f->p, f->spec, ret);

	if (!no && f->selector.n)
		doc_set_str(c->arena, *ret, "Selector", f->selector);
	return no;
}

struct reply *
ssm_get_parameter(struct call *c)
{
	struct found f;
	struct doc *d;
	struct reply *no;
	int r = find(c, doc_get_str(c->in, "Name"), &f);

	if (r == STORE_E_NOT_FOUND)
		return f.p ? no_version(c, &f) : ssm_not_found(c);
	if (r)
		return ssm_fail(c, r);
	if ((no = show_found(c, &f, &d)))
		return no;
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena), "Parameter",
	    d));
}

struct reply *
ssm_get_parameters(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *d;
	struct doc *list = doc_arr(c->arena), *bad = doc_arr(c->arena);
	struct reply *no;
	struct found f;
	int r;

	doc_each(name, doc_get(c->in, "Names")) {
		r = find(c, doc_span(name), &f);
		if (r == STORE_E_NOT_FOUND) {
			doc_push_str(c->arena, bad, doc_span(name));
			continue;
		}
		if (r)
			return ssm_fail(c, r);
		if ((no = show_found(c, &f, &d)))
			return no;
		doc_push(list, d);
	}
	doc_set(c->arena, out, "Parameters", list);
	doc_set(c->arena, out, "InvalidParameters", bad);
	return reply_ok(c, out);
}

struct reply *
ssm_get_history(struct call *c)
{
	struct span token = doc_get_str(c->in, "NextToken"), text;
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena), *d;
	struct query q = {.kind = &ssm_parameter_version, .scope = c->scope,
	    .limit = (size_t)doc_get_int(c->in, "MaxResults", 50)};
	struct reply *no;
	struct res_list l;
	struct res *p;
	int r = ssm_get(c, doc_get_str(c->in, "Name"), &p);

	if (r == STORE_E_NOT_FOUND)
		return ssm_not_found(c);
	if (r)
		return ssm_fail(c, r);
	if (token.n && !page_token_row(c, token, &q.after))
		return reply_error(c, "InvalidNextToken",
		    "The specified token is not valid.");
	q.parent = p->id;
	if ((r = store_list(c->store, c->arena, &q, &l)))
		return ssm_fail(c, r);
	for (size_t i = 0; i < l.n; i++) {
		if ((no = value(c, p, l.v[i]->spec, &text)))
			return no;
		d = ssm_metadata(c, p, l.v[i]->spec);
		doc_set_str(c->arena, d, "Value", text);
		doc_set(c->arena, d, "Labels", doc_get(l.v[i]->spec, "Labels")
		    ? doc_copy(c->arena, doc_get(l.v[i]->spec, "Labels"))
		    : doc_arr(c->arena));
		doc_push(list, d);
	}
	doc_set(c->arena, out, "Parameters", list);
	if (l.more)
		doc_set_str(c->arena, out, "NextToken",
		    page_token(c, l.v[l.n - 1]->row));
	return reply_ok(c, out);
}
