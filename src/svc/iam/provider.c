/* OpenID Connect providers: kept, and verified by when tokens are. */
#include "base/err.h"
#include "svc/iam/iam.h"

#define CLIENTS_MAX 100

static struct reply *
named(struct call *c, struct res **ret)
{
	struct span arn = doc_get_str(c->in, "OpenIDConnectProviderArn");
	int r = store_get_arn(c->store, c->arena, arn, ret);

	if (r == STORE_E_NOT_FOUND ||
	    (r == 0 && (*ret)->kind != &iam_oidc_provider))
		return reply_error(c, "NoSuchEntity", "OpenIDConnect Provider "
		    "not found for arn %.*s", SPAN_ARG(arn));
	return r ? iam_fail(c, r) : NULL;
}

/* Those of the input, or an empty list. */
static struct doc *
strings(struct call *c, const char *member)
{
	const struct doc *d = doc_get(c->in, member);

	return d ? doc_copy(c->arena, d) : doc_arr(c->arena);
}

struct reply *
iam_create_provider(struct call *c)
{
	struct span url = doc_get_str(c->in, "Url");
	struct doc *out = doc_obj(c->arena), *d = doc_obj(c->arena);
	struct span id = span_from(url, 8);
	struct res *p;
	int r;

	if (!span_starts(url, SPAN("https://")) || !id.n ||
	    span_chr(id, '?') >= 0)
		return reply_error(c, "ValidationError", "Invalid Open ID "
		    "Connect Provider URL");
	if (span_ends(id, SPAN("/")))
		id = span_to(id, id.n - 1);
	p = res_new(c->arena, &iam_oidc_provider, c->scope, SPAN_NULL, id);
	doc_set_str(c->arena, p->spec, "Url", id);
	doc_set(c->arena, p->spec, "ClientIDList", strings(c, "ClientIDList"));
	doc_set(c->arena, p->spec, "ThumbprintList",
	    strings(c, "ThumbprintList"));
	r = store_insert(c->store, c->arena, p);
	if (r == STORE_E_EXISTS)
		return reply_error(c, "EntityAlreadyExists", "Provider with "
		    "url %.*s already exists.", SPAN_ARG(url));
	if (r)
		return iam_fail(c, r);
	doc_each(t, doc_get(c->in, "Tags"))
		if ((r = store_tag(c->store, p, doc_get_str(t, "Key"),
		    doc_get_str(t, "Value"))))
			return iam_fail(c, r);
	iam_set_tags(c, p, d);
	doc_set_str(c->arena, out, "OpenIDConnectProviderArn", p->arn);
	doc_set(c->arena, out, "Tags",
	    doc_copy(c->arena, doc_get(d, "Tags")));
	return reply_ok(c, out);
}

struct reply *
iam_get_provider(struct call *c)
{
	static const char *const members[] = {"Url", "ClientIDList",
	    "ThumbprintList"};
	struct doc *out = doc_obj(c->arena);
	struct res *p;
	struct reply *no = named(c, &p);

	if (no)
		return no;
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		doc_set(c->arena, out, members[i],
		    doc_copy(c->arena, doc_get(p->spec, members[i])));
	doc_set_time(c->arena, out, "CreateDate", p->created);
	iam_set_tags(c, p, out);
	return reply_ok(c, out);
}

struct reply *
iam_list_providers(struct call *c)
{
	struct query q = {.kind = &iam_oidc_provider, .scope = c->scope};
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena);
	struct res_list l;
	int r = store_list(c->store, c->arena, &q, &l);

	if (r)
		return iam_fail(c, r);
	for (size_t i = 0; i < l.n; i++) {
		struct doc *d = doc_obj(c->arena);

		doc_set_str(c->arena, d, "Arn", l.v[i]->arn);
		doc_push(list, d);
	}
	doc_set(c->arena, out, "OpenIDConnectProviderList", list);
	return reply_ok(c, out);
}

struct reply *
iam_delete_provider(struct call *c)
{
	struct res *p;
	struct reply *no = named(c, &p);
	int r;

	if (no)
		return no;
	r = store_delete(c->store, p);
	return r ? iam_fail(c, r) : reply_ok(c, NULL);
}

struct reply *
iam_update_thumbprints(struct call *c)
{
	struct res *p;
	struct reply *no = named(c, &p);

	if (no)
		return no;
	doc_set(c->arena, p->spec, "ThumbprintList",
	    strings(c, "ThumbprintList"));
	no = iam_put(c, p);
	return no ? no : reply_ok(c, NULL);
}

struct reply *
iam_add_client(struct call *c)
{
	struct span id = doc_get_str(c->in, "ClientID");
	struct res *p;
	struct reply *no = named(c, &p);
	struct doc *list;

	if (no)
		return no;
	list = doc_get(p->spec, "ClientIDList");
	if (doc_has_str(list, id))
		return reply_ok(c, NULL);
	if (doc_len(list) >= CLIENTS_MAX)
		return reply_error(c, "LimitExceeded", "Cannot exceed quota "
		    "for ClientIdsPerOpenIdConnectProvider: %d", CLIENTS_MAX);
	doc_push_str(c->arena, list, id);
	no = iam_put(c, p);
	return no ? no : reply_ok(c, NULL);
}

struct reply *
iam_remove_client(struct call *c)
{
	struct span id = doc_get_str(c->in, "ClientID");
	struct doc *left = doc_arr(c->arena);
	struct res *p;
	struct reply *no = named(c, &p);

	if (no)
		return no;
	doc_each(v, doc_get(p->spec, "ClientIDList"))
		if (!span_eq(doc_span(v), id))
			doc_push_str(c->arena, left, doc_span(v));
	doc_set(c->arena, p->spec, "ClientIDList", left);
	no = iam_put(c, p);
	return no ? no : reply_ok(c, NULL);
}
