/* Sessions: keys for a while, of a role or of who asks.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
#include "auth/policy.h"
#include "auth/session.h"
#include "base/clock.h"
#include "base/err.h"
#include "svc/iam/kinds.h"
#include "svc/sts/sts.h"

#define HOUR	    3600
#define PACKED_MAX  2048 /* bytes that make 100 % */
#define ROOT_MAX    HOUR
#define USER_LENGTH (12 * HOUR)

static struct reply *
denied(struct call *c, const char *action, struct span role)
{
	return reply_error_with(c, 403, "AccessDenied", NULL, "User: %.*s is "
	    "not authorized to perform: %s on resource: %.*s",
	    SPAN_ARG(c->who.arn), action, SPAN_ARG(role));
}

/* "arn:aws:sts::1:assumed-role/ROLE/SESSION" */
static bool
is_role_session(struct span arn)
{
	return span_find(arn, SPAN(":assumed-role/")) >= 0;
}

/* The ARN of the role that a session is of; empty: it is of none. */
static struct span
role_of(struct call *c)
{
	ptrdiff_t at = span_find(c->who.arn, SPAN(":assumed-role/"));
	struct query q = {.kind = &iam_role, .scope = c->scope,
	    .any_parent = true, .index = "spec.Id", .limit = 1};
	struct span id = c->who.id;
	struct res_list l;

	if (at < 0)
		return SPAN_NULL;
	q.value = span_cut(&id, ':');
	if (store_list(c->store, c->arena, &q, &l) < 0 || l.n == 0)
		return SPAN_NULL;
	return l.v[0]->arn;
}

static struct doc *
context(struct call *c)
{
	static const struct {
		const char *key, *member;
	} rows[] = {
		{"sts:externalid", "ExternalId"},
		{"sts:rolesessionname", "RoleSessionName"},
		{"sts:sourceidentity", "SourceIdentity"},
	};
	struct doc *d = doc_obj(c->arena), *keys = doc_arr(c->arena);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct span v = doc_get_str(c->in, rows[i].member);

		if (v.n)
			doc_set_str(c->arena, d, rows[i].key, v);
	}
	doc_each(t, doc_get(c->in, "Tags")) {
		struct span key = doc_get_str(t, "Key");

		doc_push_str(c->arena, keys, key);
		doc_setn(c->arena, d, arena_fmt_span(c->arena,
		    "aws:requesttag/%.*s", SPAN_ARG(key)),
		    doc_str(c->arena, doc_get_str(t, "Value")));
	}
	if (doc_len(keys))
		doc_set(c->arena, d, "aws:tagkeys", keys);
	doc_set_str(c->arena, d, "aws:principalarn", c->who.arn);
	doc_set_str(c->arena, d, "aws:principalaccount", c->who.account);
	doc_set_str(c->arena, d, "aws:requestedregion", c->scope.region);
	return d;
}

static bool
trusts(struct call *c, const struct res *role, const char *action)
{
	struct policy_request q = {.action = span_of(action),
	    .context = context(c)};
	struct span why;
	struct doc *policy;

	if (policy_parse(c->arena, doc_get_str(role->spec,
	    "AssumeRolePolicyDocument"), POLICY_TRUST, &policy, &why))
		return false;
	if (c->who.system) {
		q.service = c->who.service;
	} else {
		q.account = c->who.account;
		q.principal = c->who.arn;
		q.role = role_of(c);
	}
	return policy_says(c->arena, policy, &q) == POLICY_ALLOW;
}

static struct reply *
may_assume(struct call *c, struct span arn, struct res **ret)
{
	int r = store_get_arn(c->store, c->arena, arn, ret);

	if (r < 0)
		return reply_failure(c, r);
	if (r == STORE_E_NOT_FOUND || (*ret)->kind != &iam_role ||
	    !trusts(c, *ret, "sts:AssumeRole"))
		return denied(c, "sts:AssumeRole", arn);
	if (doc_len(doc_get(c->in, "Tags")) &&
	    !trusts(c, *ret, "sts:TagSession"))
		return denied(c, "sts:TagSession", arn);
	return NULL;
}

static struct reply *
check_length(struct call *c, const struct res *role, int64_t *ret)
{
	int64_t most = doc_get_int(role->spec, "MaxSessionDuration", HOUR);

	*ret = doc_get_int(c->in, "DurationSeconds", MIN(HOUR, most));
	if (is_role_session(c->who.arn) && *ret > HOUR)
		return reply_error(c, "ValidationError", "The requested "
		    "DurationSeconds exceeds the 1 hour session limit for "
		    "roles assumed by role chaining");
	if (*ret > most)
		return reply_error(c, "ValidationError", "The requested "
		    "DurationSeconds exceeds the MaxSessionDuration set for "
		    "this role.");
	return NULL;
}

/* The session's own policies and tags, kept for when policies are judged. */
static struct reply *
check_packed(struct call *c, int64_t *ret_percent)
{
	struct span policy = doc_get_str(c->in, "Policy"), why;
	size_t n = policy.n;
	struct doc *d;

	if (policy.n &&
	    policy_parse(c->arena, policy, POLICY_IDENTITY, &d, &why))
		return reply_error(c, "MalformedPolicyDocument", "%.*s",
		    SPAN_ARG(why));
	doc_each(t, doc_get(c->in, "Tags"))
		n += doc_get_str(t, "Key").n + doc_get_str(t, "Value").n;
	doc_each(p, doc_get(c->in, "PolicyArns"))
		n += doc_get_str(p, "arn").n;
	*ret_percent = (int64_t)(n * 100 / PACKED_MAX);
	if (*ret_percent > 100)
		return reply_error(c, "PackedPolicyTooLarge", "Packed size of "
		    "session tags consumes %jd%% of allotted space.",
		    (intmax_t)*ret_percent);
	return NULL;
}

static void
put_credentials(struct call *c, struct doc *out, struct session *s)
{
	struct span token = session_new(c->store, c->arena, s);
	struct doc *d = doc_obj(c->arena);

	doc_set_str(c->arena, d, "AccessKeyId", s->access_key);
	doc_set_str(c->arena, d, "SecretAccessKey", s->secret);
	doc_set_str(c->arena, d, "SessionToken", token);
	doc_set_time(c->arena, d, "Expiration", s->expires);
	doc_set(c->arena, out, "Credentials", d);
}

struct reply *
sts_assume_role(struct call *c)
{
	struct span arn = doc_get_str(c->in, "RoleArn");
	struct span name = doc_get_str(c->in, "RoleSessionName");
	struct span source = doc_get_str(c->in, "SourceIdentity");
	struct doc *out = doc_obj(c->arena), *who = doc_obj(c->arena);
	struct session s = {.role = true};
	int64_t length, percent;
	struct res *role;
	struct reply *no = may_assume(c, arn, &role);

	if (no || (no = check_length(c, role, &length)) ||
	    (no = check_packed(c, &percent)))
		return no;
	s.owner = doc_get_str(role->spec, "Id");
	s.arn = arena_fmt_span(c->arena, "arn:aws:sts::%.*s:assumed-role/"
	    "%.*s/%.*s", SPAN_ARG(role->scope.account), SPAN_ARG(role->id),
	    SPAN_ARG(name));
	s.id = arena_fmt_span(c->arena, "%.*s:%.*s", SPAN_ARG(s.owner),
	    SPAN_ARG(name));
	s.expires = (clock_ms() / 1000 + length) * 1000;
	put_credentials(c, out, &s);
	doc_set_str(c->arena, who, "AssumedRoleId", s.id);
	doc_set_str(c->arena, who, "Arn", s.arn);
	doc_set(c->arena, out, "AssumedRoleUser", who);
	if (percent)
		doc_set_int(c->arena, out, "PackedPolicySize", percent);
	if (source.n)
		doc_set_str(c->arena, out, "SourceIdentity", source);
	return reply_ok(c, out);
}

/* https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html */
struct reply *
sts_get_session_token(struct call *c)
{
	struct doc *out = doc_obj(c->arena);
	struct session s = {.arn = c->who.arn, .id = c->who.id};
	bool root = span_eq(c->who.id, c->who.account);
	int64_t length = doc_get_int(c->in, "DurationSeconds", USER_LENGTH);

	if (span_starts(c->who.access_key, SPAN("ASIA")))
		return reply_error_with(c, 403, "AccessDenied", NULL, "Cannot "
		    "call GetSessionToken with session credentials");
	if (!root)
		s.owner = c->who.id;
	if (root)
		length = MIN(length, ROOT_MAX);
	s.expires = (clock_ms() / 1000 + length) * 1000;
	put_credentials(c, out, &s);
	return reply_ok(c, out);
}
