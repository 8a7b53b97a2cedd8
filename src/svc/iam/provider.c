/* OpenID Connect providers.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html */
#include "svc/iam/iam.h"

#define CLIENTS_MAX	100
#define THUMBPRINTS_MAX 5
#define PROVIDERS_MAX	100

struct reply *
iam_find_provider(struct call *c, struct span arn, struct res **ret)
{
	int r = store_get_arn(c->store, c->arena, arn, ret);

	if (r == STORE_E_NOT_FOUND || (r == 0 &&
		(*ret)->kind != &iam_oidc_provider))
		return iam_missing(c, "OpenIDConnect Provider not found for "
		    "arn %.*s", SPAN_ARG(arn));
	return r ? iam_fail(c, r) : NULL;
}

static struct reply *
named(struct call *c, struct res **ret)
{
	return iam_find_provider(c,
	    doc_get_str(c->in, "OpenIDConnectProviderArn"), ret);
}

static struct reply *
check_thumbprints(struct call *c)
{
	if (doc_len(doc_get(c->in, "ThumbprintList")) <= THUMBPRINTS_MAX)
		return NULL;
	return reply_error(c, "InvalidInput",
	    "Thumbprint list must contain fewer than 5 entries.");
}

static struct reply *
check_url(struct call *c, struct span url, struct span *ret_id)
{
	struct span id = span_from(url, strlen("https://"));

	if (!span_starts(url, SPAN("https://")) || !id.n || id.p[0] == '/' ||
	    span_chr(id, '?') >= 0 || span_chr(id, '#') >= 0)
		return reply_error(c, "ValidationError",
		    "Invalid Open ID Connect Provider URL");
	while (span_ends(id, SPAN("/")))
		id.n--;
	*ret_id = id;
	return NULL;
}

static struct doc *
copied(struct call *c, const char *member)
{
	const struct doc *d = doc_get(c->in, member);

	return d ? doc_copy(c->arena, d) : doc_arr(c->arena);
}

struct reply *
iam_create_provider(struct call *c)
{
	struct query q = {.kind = &iam_oidc_provider, .scope = c->scope};
	struct span id, url = doc_get_str(c->in, "Url");
	struct reply *no;
	struct res *r;
	int64_t n = store_count(c->store, &q);
	int e;

	if (n < 0)
		return iam_fail(c, (int)n);
	if ((no = check_url(c, url, &id)) || (no = check_thumbprints(c)))
		return no;
	if (n >= PROVIDERS_MAX)
		return iam_quota(c, "OpenIdConnectProvidersPerAccount",
		    PROVIDERS_MAX);
	if (doc_len(doc_get(c->in, "ClientIDList")) > CLIENTS_MAX)
		return iam_quota(c, "ClientIdsPerOpenIdConnectProvider",
		    CLIENTS_MAX);
	r = res_new(c->arena, &iam_oidc_provider, c->scope, SPAN_NULL, id);
	doc_set(c->arena, r->spec, "Clients", copied(c, "ClientIDList"));
	doc_set(c->arena, r->spec, "Thumbprints", copied(c, "ThumbprintList"));
	e = store_insert(c->store, c->arena, r);
	if (e == STORE_E_EXISTS)
		return reply_error(c, "EntityAlreadyExists", "Provider with "
		    "url %.*s already exists.", SPAN_ARG(url));
	if (e)
		return iam_fail(c, e);
	if ((no = iam_put_tags(c, r)))
		return no;
	return iam_reply(c, "OpenIDConnectProviderArn",
	    doc_str(c->arena, r->arn));
}

struct reply *
iam_get_provider(struct call *c)
{
	struct doc *out = doc_obj(c->arena);
	struct res *r;
	struct reply *no = named(c, &r);

	if (no || (no = iam_show_tags(c, r, out)))
		return no;
	doc_set_str(c->arena, out, "Url", r->id);
	doc_set(c->arena, out, "ClientIDList",
	    doc_copy(c->arena, doc_get(r->spec, "Clients")));
	doc_set(c->arena, out, "ThumbprintList",
	    doc_copy(c->arena, doc_get(r->spec, "Thumbprints")));
	doc_set_time(c->arena, out, "CreateDate", r->created);
	return reply_ok(c, out);
}

struct reply *
iam_list_providers(struct call *c)
{
	struct query q = {.kind = &iam_oidc_provider, .scope = c->scope};
	struct doc *list = doc_arr(c->arena);
	struct res_list l;
	int r = store_list(c->store, c->arena, &q, &l);

	if (r)
		return iam_fail(c, r);
	for (size_t i = 0; i < l.n; i++)
		doc_push(list, doc_set_str(c->arena, doc_obj(c->arena), "Arn",
		    l.v[i]->arn));
	return iam_reply(c, "OpenIDConnectProviderList", list);
}

/* AWS: it is no error if there is none. */
struct reply *
iam_delete_provider(struct call *c)
{
	struct span arn = doc_get_str(c->in, "OpenIDConnectProviderArn");
	struct res *r;
	int e = store_get_arn(c->store, c->arena, arn, &r);

	if (e == STORE_E_NOT_FOUND || (e == 0 && r->kind != &iam_oidc_provider))
		return reply_ok(c, NULL);
	if (e || (e = store_delete(c->store, r)))
		return iam_fail(c, e);
	return reply_ok(c, NULL);
}

struct reply *
iam_update_thumbprints(struct call *c)
{
	struct res *r;
	struct reply *no = named(c, &r);

	if (no || (no = check_thumbprints(c)))
		return no;
	doc_set(c->arena, r->spec, "Thumbprints", copied(c, "ThumbprintList"));
	return iam_put_ok(c, r);
}

struct reply *
iam_add_client(struct call *c)
{
	struct span id = doc_get_str(c->in, "ClientID");
	struct doc *list;
	struct res *r;
	struct reply *no = named(c, &r);

	if (no)
		return no;
	list = doc_get(r->spec, "Clients");
	if (doc_has_str(list, id))
		return reply_ok(c, NULL);
	if (doc_len(list) >= CLIENTS_MAX)
		return iam_quota(c, "ClientIdsPerOpenIdConnectProvider",
		    CLIENTS_MAX);
	doc_push_str(c->arena, list, id);
	return iam_put_ok(c, r);
}

struct reply *
iam_remove_client(struct call *c)
{
	struct span id = doc_get_str(c->in, "ClientID");
	struct doc *left = doc_arr(c->arena);
	struct res *r;
	struct reply *no = named(c, &r);

	if (no)
		return no;
	doc_each(v, doc_get(r->spec, "Clients"))
		if (!span_eq(doc_span(v), id))
			doc_push(left, doc_copy(c->arena, v));
	doc_set(c->arena, r->spec, "Clients", left);
	return iam_put_ok(c, r);
}
