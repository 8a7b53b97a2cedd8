/* Keys, and the principals that hold them. */
#include "api/api.h"
#include "auth/session.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "svc/iam/iam.h"

/* Is the role or user of that id still there? */
static int
lives(struct store *s, struct arena *a, struct span account,
    const struct session *n)
{
	struct query q = {.kind = n->role ? &iam_role : &iam_user,
	    .scope = {.account = account}, .any_parent = true,
	    .index = "spec.Id", .value = n->owner, .limit = 1};
	struct res_list l;
	int r = n->owner.n ? store_list(s, a, &q, &l) : 0;

	return r < 0 ? err_trace(r) : !n->owner.n || l.n > 0;
}

static int
by_session(struct store *s, struct arena *a, struct span account,
    struct span key, struct span token, struct credential *ret)
{
	struct session n;
	int r;

	if (!session_read(s, a, token, &n) || !span_eq(n.access_key, key))
		return CREDENTIAL_E_TOKEN;
	if (clock_ms() >= n.expires)
		return CREDENTIAL_E_EXPIRED;
	if ((r = lives(s, a, account, &n)) <= 0)
		return r < 0 ? r : CREDENTIAL_E_TOKEN;
	ret->secret = n.secret;
	ret->who = (struct principal){.account = account, .arn = n.arn,
	    .id = n.id, .access_key = key};
	return 0;
}

static int
by_user(struct store *s, struct arena *a, struct scope scope,
    const struct res *k, struct credential *ret)
{
	struct span name = doc_get_str(k->spec, "UserName");
	struct res *u;
	int r = entity_get(s, a, &entity_user, scope, name, &u);

	if (r)
		return r == STORE_E_NOT_FOUND ? CREDENTIAL_E_UNKNOWN :
		    err_trace(r);
	ret->who = (struct principal){.account = scope.account, .arn = u->arn,
	    .id = doc_get_str(u->spec, "Id"), .access_key = k->id};
	return 0;
}

int
iam_credential(struct store *s, struct arena *a, struct span account,
    struct span key, struct span token, struct credential *ret)
{
	_cleanup_(buf_done) struct buf sealed = BUF_INIT, secret = BUF_INIT;
	struct scope scope = {.account = account};
	struct res *k;
	int r;

	if (token.n)
		return by_session(s, a, account, key, token, ret);
	r = store_get(s, a, &iam_access_key, scope, SPAN_NULL, key, &k);
	if (r)
		return r == STORE_E_NOT_FOUND ? CREDENTIAL_E_UNKNOWN :
		    err_trace(r);
	if (!span_is(doc_get_str(k->spec, "Status"), "Active"))
		return CREDENTIAL_E_UNKNOWN;
	if (!buf_add_unbase64(&sealed, doc_get_str(k->spec, "Secret")))
		return err_fold(1);
	if ((r = store_unseal(s, k->id, buf_span(&sealed), &secret)) < 0)
		return err_trace(r);
	ret->secret = arena_span(a, buf_span(&secret));
	return by_user(s, a, scope, k, ret);
}
