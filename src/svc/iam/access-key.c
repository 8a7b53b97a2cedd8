/* Access keys of users.  The secret is told once and then kept sealed. */
#include "base/buf.h"
#include "base/err.h"
#include "base/id.h"
#include "svc/iam/iam.h"

/* https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
#define KEYS_MAX 2

/* The input's user, or the one who calls. */
static struct reply *
user(struct call *c, struct res **ret)
{
	struct span name = doc_get_str(c->in, "UserName");

	if (!name.n && span_find(c->who.arn, SPAN(":user/")) >= 0)
		name = span_from(c->who.arn,
		    (size_t)(span_rchr(c->who.arn, '/') + 1));
	if (!name.n)
		return reply_not_implemented(c, "access keys of the root user");
	return entity_find(c, &entity_user, name, ret);
}

static int
keys_of(struct call *c, const struct res *u, struct res_list *ret)
{
	struct query q = {.kind = &iam_access_key, .scope = u->scope,
	    .index = "spec.UserKey", .value = doc_get_str(u->spec, "Key")};

	return store_list(c->store, c->arena, &q, ret);
}

static struct span
new_secret(struct call *c)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	unsigned char u[30];

	random_bytes(u, sizeof(u));
	buf_add_base64(&b, u, sizeof(u));
	return arena_span(c->arena, buf_span(&b));
}

static struct span
sealed(struct call *c, struct span id, struct span secret)
{
	_cleanup_(buf_done) struct buf s = BUF_INIT, b = BUF_INIT;

	store_seal(c->store, id, secret, &s);
	buf_add_base64(&b, s.p, s.n);
	return arena_span(c->arena, buf_span(&b));
}

static struct doc *
key_doc(struct call *c, const struct res *k)
{
	struct doc *d = doc_obj(c->arena);

	doc_set_str(c->arena, d, "UserName", doc_get_str(k->spec, "UserName"));
	doc_set_str(c->arena, d, "AccessKeyId", k->id);
	doc_set_str(c->arena, d, "Status", doc_get_str(k->spec, "Status"));
	doc_set_time(c->arena, d, "CreateDate", k->created);
	return d;
}

struct reply *
iam_create_key(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *d;
	struct span id = arena_fmt_span(c->arena, "AKIA%s",
	    id_upper(c->arena, 16));
	struct span secret = new_secret(c);
	struct res_list l;
	struct res *u, *k;
	struct reply *no = user(c, &u);
	int r;

	if (no)
		return no;
	if ((r = keys_of(c, u, &l)))
		return iam_fail(c, r);
	if (l.n >= KEYS_MAX)
		return reply_error(c, "LimitExceeded", "Cannot exceed quota "
		    "for AccessKeysPerUser: %d", KEYS_MAX);
	k = res_new(c->arena, &iam_access_key, c->scope, SPAN_NULL, id);
	doc_set_str(c->arena, k->spec, "UserName", u->id);
	doc_set_str(c->arena, k->spec, "UserKey",
	    doc_get_str(u->spec, "Key"));
	doc_set_str(c->arena, k->spec, "Status", SPAN("Active"));
	doc_set_str(c->arena, k->spec, "Secret", sealed(c, id, secret));
	if ((r = store_insert(c->store, c->arena, k)))
		return iam_fail(c, r);
	d = key_doc(c, k);
	doc_set_str(c->arena, d, "SecretAccessKey", secret);
	doc_set(c->arena, out, "AccessKey", d);
	return reply_ok(c, out);
}

static struct reply *
named(struct call *c, struct res **ret)
{
	struct span id = doc_get_str(c->in, "AccessKeyId");
	struct res *u;
	struct reply *no = user(c, &u);
	int r;

	if (no)
		return no;
	r = store_get(c->store, c->arena, &iam_access_key, c->scope,
	    SPAN_NULL, id, ret);
	if (r == STORE_E_NOT_FOUND || (r == 0 && !span_eq(
	    doc_get_str((*ret)->spec, "UserKey"),
	    doc_get_str(u->spec, "Key"))))
		return reply_error(c, "NoSuchEntity", "The Access Key with id "
		    "%.*s cannot be found.", SPAN_ARG(id));
	return r ? iam_fail(c, r) : NULL;
}

struct reply *
iam_update_key(struct call *c)
{
	struct res *k;
	struct reply *no = named(c, &k);

	if (no)
		return no;
	doc_set_str(c->arena, k->spec, "Status", doc_get_str(c->in, "Status"));
	no = iam_put(c, k);
	return no ? no : reply_ok(c, NULL);
}

struct reply *
iam_delete_key(struct call *c)
{
	struct res *k;
	struct reply *no = named(c, &k);
	int r;

	if (no)
		return no;
	r = store_delete(c->store, k);
	return r ? iam_fail(c, r) : reply_ok(c, NULL);
}

struct reply *
iam_list_keys(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *all = doc_arr(c->arena);
	struct iam_page page;
	struct res_list l;
	struct res *u;
	struct reply *no = iam_page(c, &page);
	int r;

	if (no || (no = user(c, &u)))
		return no;
	if ((r = keys_of(c, u, &l)))
		return iam_fail(c, r);
	for (size_t i = 0; i < l.n; i++)
		doc_push(all, key_doc(c, l.v[i]));
	iam_page_set(c, &page, out, "AccessKeyMetadata", all, "AccessKeyId");
	return reply_ok(c, out);
}
