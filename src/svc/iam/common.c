/* Refusals in IAM's words, writing, what several operations check. */
#include "base/clock.h"
#include "base/err.h"
#include "svc/iam/iam.h"

struct reply *
iam_fail(struct call *c, int r)
{
	return reply_failure(c, r < 0 ? r : err_fold(r));
}

int64_t
iam_now(void)
{
	return clock_ms() / 1000 * 1000;
}

struct reply *
iam_insert(struct call *c, struct res *r)
{
	int e = store_insert(c->store, c->arena, r);

	return e ? iam_fail(c, e) : NULL;
}

struct reply *
iam_put(struct call *c, struct res *r)
{
	int e = store_put_spec(c->store, r);

	return e ? iam_fail(c, e) : NULL;
}

struct reply *
iam_put_ok(struct call *c, struct res *r)
{
	struct reply *no = iam_put(c, r);

	return no ? no : reply_ok(c, NULL);
}

struct reply *
iam_missing(struct call *c, const char *fmt, ...)
{
	const char *what;
	va_list ap;

	va_start(ap, fmt);
	what = arena_vfmt(c->arena, fmt, ap);
	va_end(ap);
	return reply_error(c, "NoSuchEntity", "%s", what);
}

struct reply *
iam_conflict(struct call *c, const char *why)
{
	return reply_error(c, "DeleteConflict", "%s", why);
}

struct reply *
iam_quota(struct call *c, const char *name, int64_t max)
{
	return reply_error(c, "LimitExceeded",
	    "Cannot exceed quota for %s: %lld", name, (long long)max);
}

struct span
iam_encoded(struct call *c, struct span text)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	buf_add_uri(&b, text, false);
	return arena_span(c->arena, buf_span(&b));
}

struct reply *
iam_check_policy(struct call *c, struct span text, enum policy_type type)
{
	struct span why;
	struct doc *d;

	if (policy_parse(c->arena, text, type, &d, &why) == 0)
		return NULL;
	return reply_error(c, "MalformedPolicyDocument", "%.*s", SPAN_ARG(why));
}

struct reply *
iam_protected(struct call *c, const struct res *role)
{
	if (!doc_get(role->spec, "Service"))
		return NULL;
	return reply_error(c, "UnmodifiableEntity", "Cannot perform the "
	    "operation on the protected role '%.*s' - this role is only "
	    "modifiable by AWS", SPAN_ARG(role->id));
}
