/* From an access key to who signs with it. */
#include <errno.h>

#include "auth/session.h"
#include "base/buf.h"
#include "base/err.h"
#include "svc/iam/iam.h"

static struct span
place(struct arena *a, struct span access_key)
{
	return arena_fmt_span(a, "iam.access-key %.*s", SPAN_ARG(access_key));
}

struct span
iam_seal_secret(struct store *s, struct arena *a, struct span access_key,
    struct span secret)
{
	_cleanup_(buf_done) struct buf sealed = BUF_INIT, text = BUF_INIT;

	store_seal(s, place(a, access_key), secret, &sealed);
	buf_add_base64(&text, sealed.p, sealed.n);
	return arena_span(a, buf_span(&text));
}

/* The resource of a row, if it is still the one that was meant. */
static int
find_entity(struct store *s, struct arena *a, int64_t row, struct span id,
    struct res **ret)
{
	int r = store_get_row(s, a, row, ret);

	if (r == 0 && !span_eq(doc_get_str((*ret)->spec, "Id"), id))
		return STORE_E_NOT_FOUND;
	return r;
}

static struct principal
of_user(const struct res *user, struct span access_key)
{
	return (struct principal){.account = user->scope.account,
	    .arn = user->arn, .id = doc_get_str(user->spec, "Id"),
	    .access_key = access_key, .entity = user};
}

static struct principal
of_role(struct arena *a, const struct res *role, struct span name,
    struct span access_key)
{
	struct span id = doc_get_str(role->spec, "Id");

	return (struct principal){.account = role->scope.account,
	    .arn = arena_fmt_span(a, "arn:aws:sts::%.*s:assumed-role/%.*s/%.*s",
		SPAN_ARG(role->scope.account), SPAN_ARG(role->id),
		SPAN_ARG(name)),
	    .id = arena_fmt_span(a, "%.*s:%.*s", SPAN_ARG(id), SPAN_ARG(name)),
	    .access_key = access_key, .entity = role};
}

static int
find_session(struct store *s, struct arena *a, struct span access_key,
    struct span token, struct iam_holder *ret)
{
	struct session_claims c;
	struct res *entity;
	int r;

	if (!session_open(s, a, access_key, token, &c, &ret->secret))
		return CREDENTIAL_E_TOKEN;
	ret->expires = c.expires;
	if (c.row) {
		r = find_entity(s, a, c.row, c.entity, &entity);
		if (r)
			return r < 0 ? err_trace(r) : CREDENTIAL_E_TOKEN;
		ret->who = c.name.n ?
		    of_role(a, entity, c.name, access_key) :
		    of_user(entity, access_key);
		ret->used = c.name.n ? entity : NULL;
	} else {
		ret->who = (struct principal){.account = c.account,
		    .arn = arena_fmt_span(a, "arn:aws:iam::%.*s:root",
			SPAN_ARG(c.account)),
		    .id = c.account, .access_key = access_key};
	}
	ret->who.session = c.extra;
	return 0;
}

static int
find_key(struct store *s, struct arena *a, struct span account,
    struct span access_key, struct iam_holder *ret)
{
	_cleanup_(buf_done) struct buf sealed = BUF_INIT, secret = BUF_INIT;
	struct scope scope = {account, SPAN("")};
	struct res *key, *user;
	int r;

	r = store_get(s, a, &iam_access_key, scope, SPAN_NULL, access_key, &key);
	if (r == 0 && !span_is(doc_get_str(key->spec, "Status"), "Active"))
		r = STORE_E_NOT_FOUND;
	if (r == 0)
		r = find_entity(s, a, doc_get_int(key->spec, "UserRow", 0),
		    doc_get_str(key->spec, "User"), &user);
	if (r)
		return r < 0 ? err_trace(r) : CREDENTIAL_E_UNKNOWN;
	if (!buf_add_unbase64(&sealed, doc_get_str(key->spec, "Sealed")))
		return err_origin(EBADMSG, "a secret key is no base64");
	r = store_unseal(s, place(a, access_key), buf_span(&sealed), &secret);
	if (r < 0)
		return err_trace(r);
	ret->secret = arena_span(a, buf_span(&secret));
	ret->who = of_user(user, key->id);
	ret->used = key;
	return 0;
}

int
iam_holder(struct store *s, struct arena *a, struct span account,
    struct span access_key, struct span token, struct iam_holder *ret)
{
	*ret = (struct iam_holder){.expires = 0};
	if (span_starts(access_key, SPAN("ASIA")))
		return token.n ? find_session(s, a, access_key, token, ret) :
		    CREDENTIAL_E_UNKNOWN;
	/* Only temporary keys come with a token. */
	if (token.n)
		return CREDENTIAL_E_TOKEN;
	return find_key(s, a, account, access_key, ret);
}
