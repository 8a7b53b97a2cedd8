/* GetAuthorizationToken. */
#include "registry/token.h"

#include "base/buf.h"
#include "base/clock.h"
#include "svc/ecr/ecr.h"

struct reply *
get_authorization_token(struct call *c)
{
	struct token t = {c->scope.account, c->scope.region, c->who.arn,
	    c->who.access_key, clock_ms() + TOKEN_LIFE_MS};
	struct arena *a = c->arena;
	struct doc *d = doc_obj(a), *arr = doc_arr(a);
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct span token, pair;
	int r;

	doc_each(id, doc_get(c->in, "registryIds")) {
		if (!span_eq(doc_span(id), c->scope.account))
			return ecr_invalid(c, "registryIds",
			    "the registry with id '%.*s' is not yours",
			    SPAN_ARG(doc_span(id)));
	}
	r = token_make(c->store, a, &t, &token);
	if (r)
		return ecr_fail(c, r);
	pair = arena_fmt_span(a, "AWS:%.*s", SPAN_ARG(token));
	buf_add_base64(&b, pair.p, pair.n);
	doc_set(a, d, "authorizationToken", doc_strdup(a, buf_span(&b)));
	doc_set_time(a, d, "expiresAt", t.expires);
	doc_set_str(a, d, "proxyEndpoint", c->origin);
	doc_push(arr, d);
	return reply_ok(c, doc_set(a, doc_obj(a), "authorizationData", arr));
}
