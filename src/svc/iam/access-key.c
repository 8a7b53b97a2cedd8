/* Access keys of users.  The secret is told once, and kept sealed. */
#include "auth/session.h"
#include "svc/iam/iam.h"

#define KEYS_MAX 2 /* of a user */

static struct reply *
no_such(struct call *c)
{
	return iam_missing(c, "The Access Key with id %.*s cannot be found.",
	    SPAN_ARG(doc_get_str(c->in, "AccessKeyId")));
}

/* The user's key that the input names. */
static struct reply *
find(struct call *c, struct res **ret)
{
	struct res *user;
	struct reply *no = iam_user_or_caller(c, &user);
	int r;

	if (no)
		return no;
	r = store_get(c->store, c->arena, &iam_access_key, c->scope,
	    SPAN_NULL, doc_get_str(c->in, "AccessKeyId"), ret);
	if (r == STORE_E_NOT_FOUND || (r == 0 &&
		!span_eq(doc_get_str((*ret)->spec, "User"),
		doc_get_str(user->spec, "Id"))))
		return no_such(c);
	return r ? iam_fail(c, r) : NULL;
}

static struct doc *
show(struct call *c, const struct res *user, const struct res *key)
{
	struct doc *d = doc_obj(c->arena);

	doc_set_str(c->arena, d, "UserName", user->id);
	doc_set_str(c->arena, d, "AccessKeyId", key->id);
	doc_set_str(c->arena, d, "Status", doc_get_str(key->spec, "Status"));
	return doc_set_time(c->arena, d, "CreateDate", key->created);
}

static int
keys_of(struct call *c, const struct res *user, struct res_list *ret)
{
	struct query q = {.kind = &iam_access_key, .scope = c->scope,
	    .index = "spec.User", .value = doc_get_str(user->spec, "Id")};

	return store_list(c->store, c->arena, &q, ret);
}

struct reply *
iam_create_key(struct call *c)
{
	struct res *user, *key;
	struct reply *no = iam_user_or_caller(c, &user);
	struct span secret = secret_key_make(c->arena);
	struct res_list l;
	struct doc *d;
	int r;

	if (no)
		return no;
	if ((r = keys_of(c, user, &l)))
		return iam_fail(c, r);
	if (l.n >= KEYS_MAX)
		return iam_quota(c, "AccessKeysPerUser", KEYS_MAX);
	key = res_new(c->arena, &iam_access_key, c->scope, SPAN_NULL,
	    access_key_make(c->arena, "AKIA", c->scope.account));
	key->created = iam_now();
	doc_set_str(c->arena, key->spec, "User",
	    doc_get_str(user->spec, "Id"));
	doc_set_int(c->arena, key->spec, "UserRow", user->row);
	doc_set_str(c->arena, key->spec, "Status", SPAN("Active"));
	doc_set_str(c->arena, key->spec, "Sealed",
	    iam_seal_secret(c->store, c->arena, key->id, secret));
	if ((no = iam_insert(c, key)))
		return no;
	d = show(c, user, key);
	doc_set_str(c->arena, d, "SecretAccessKey", secret);
	return iam_reply(c, "AccessKey", d);
}

struct reply *
iam_list_keys(struct call *c)
{
	struct doc *all = doc_obj(c->arena), *out;
	struct res *user;
	struct reply *no = iam_user_or_caller(c, &user);
	struct res_list l;
	int r;

	if (no)
		return no;
	if ((r = keys_of(c, user, &l)))
		return iam_fail(c, r);
	for (size_t i = 0; i < l.n; i++)
		doc_append(c->arena, all, l.v[i]->id, show(c, user, l.v[i]));
	return (no = iam_page(c, "AccessKeyMetadata", all, &out)) ? no :
	    reply_ok(c, out);
}

struct reply *
iam_update_key(struct call *c)
{
	struct res *key;
	struct reply *no = find(c, &key);
	struct span status = doc_get_str(c->in, "Status");

	if (no)
		return no;
	if (!span_is(status, "Active") && !span_is(status, "Inactive"))
		return reply_error(c, "ValidationError", "1 validation error "
		    "detected: Value '%.*s' at 'status' failed to satisfy "
		    "constraint: Member must satisfy enum value set: [Active, "
		    "Inactive]", SPAN_ARG(status));
	doc_set_str(c->arena, key->spec, "Status", status);
	return iam_put_ok(c, key);
}

struct reply *
iam_delete_key(struct call *c)
{
	struct res *key;
	struct reply *no = find(c, &key);
	int r;

	if (no)
		return no;
	r = store_delete(c->store, key);
	return r ? iam_fail(c, r) : reply_ok(c, NULL);
}

struct reply *
iam_key_last_used(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *d = doc_obj(c->arena);
	struct res *key, *user;
	int64_t at;
	int r = store_get(c->store, c->arena, &iam_access_key, c->scope,
	    SPAN_NULL, doc_get_str(c->in, "AccessKeyId"), &key);

	if (r == STORE_E_NOT_FOUND)
		return no_such(c);
	if (r || (r = store_get_row(c->store, c->arena,
		doc_get_int(key->spec, "UserRow", 0), &user)))
		return iam_fail(c, r);
	at = doc_get_int(key->status, "LastUsed", 0);
	if (at)
		doc_set_time(c->arena, d, "LastUsedDate", at);
	doc_set_str(c->arena, d, "ServiceName", at ?
	    doc_get_str(key->status, "Service") : SPAN("N/A"));
	doc_set_str(c->arena, d, "Region", at ?
	    doc_get_str(key->status, "Region") : SPAN("N/A"));
	doc_set_str(c->arena, out, "UserName", user->id);
	doc_set(c->arena, out, "AccessKeyLastUsed", d);
	return reply_ok(c, out);
}
