/* Finding secrets, refusing in Secrets Manager's words. */
#include "base/clock.h"
#include "base/err.h"
#include "svc/secretsmanager/secretsmanager.h"

struct reply *
secret_fail(struct call *c, int e)
{
	return reply_failure(c, e < 0 ? e : err_fold(e));
}

struct reply *
secret_bad_request(struct call *c, const char *why)
{
	return reply_error(c, "InvalidRequestException", "%s", why);
}

struct reply *
secret_bad_parameter(struct call *c, const char *why)
{
	return reply_error(c, "InvalidParameterException", "%s", why);
}

static int
by_name(struct call *c, struct span name, struct res **ret)
{
	struct query q = {.kind = &secretsmanager_secret, .scope = c->scope,
	    .index = "spec.Name", .value = name, .limit = 1};
	struct res_list l;
	int e = store_list(c->store, c->arena, &q, &l);

	if (!e && l.n == 0)
		return STORE_E_NOT_FOUND;
	if (!e)
		*ret = l.v[0];
	return e;
}

int
secret_get(struct call *c, struct span id, struct res **ret)
{
	struct span prefix = kind_arn(c->arena, &secretsmanager_secret,
	    c->scope, SPAN_NULL, SPAN_NULL);
	int e;

	if (!span_starts(id, SPAN("arn:")))
		return by_name(c, id, ret);
	if (!span_starts(id, prefix))
		return STORE_E_NOT_FOUND;
	id = span_from(id, prefix.n);
	e = store_get(c->store, c->arena, &secretsmanager_secret, c->scope,
	    SPAN_NULL, id, ret);
	return e == STORE_E_NOT_FOUND ? by_name(c, id, ret) : e;
}

struct reply *
secret_named(struct call *c, bool doomed, struct res **ret)
{
	int e = secret_get(c, doc_get_str(c->in, "SecretId"), ret);

	if (e == STORE_E_NOT_FOUND)
		return reply_error(c, "ResourceNotFoundException",
		    "Secrets Manager can't find the specified secret.");
	if (e)
		return secret_fail(c, e);
	if (!doomed && doc_get((*ret)->spec, "Deletion"))
		return secret_bad_request(c, "You can't perform this operation "
		    "on the secret because it was marked for deletion.");
	return NULL;
}

struct doc *
secret_names(struct call *c, const struct res *secret)
{
	struct doc *d = doc_obj(c->arena);

	doc_set_str(c->arena, d, "ARN", secret->arn);
	return doc_set_str(c->arena, d, "Name",
	    doc_get_str(secret->spec, "Name"));
}

struct reply *
secret_put(struct call *c, struct res *secret)
{
	int e;

	doc_set_int(c->arena, secret->spec, "Changed", clock_ms());
	e = store_put_spec(c->store, secret);
	return e ? secret_fail(c, e) : NULL;
}
