/* AssumeRole and GetSessionToken.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html */
#include <errno.h>

#include "auth/policy.h"
#include "auth/session.h"
#include "base/clock.h"
#include "base/err.h"
#include "svc/sts/sts.h"
#include "wire/model.h"

#define HOUR 3600
#define ROLE_DEFAULT HOUR
#define USER_DEFAULT (12 * HOUR)

static struct reply *
invalid(struct call *c, const char *why)
{
	return reply_error(c, "ValidationError", "%s", why);
}

static struct reply *
denied(struct call *c, struct span action, struct span arn)
{
	return reply_error_with(c, 403, "AccessDenied", NULL, "User: %.*s is "
	    "not authorized to perform: %.*s on resource: %.*s",
	    SPAN_ARG(c->who.arn), SPAN_ARG(action), SPAN_ARG(arn));
}

/* The session that a role's session is made from; NULL: from none. */
static const struct doc *
chained(const struct call *c)
{
	return c->who.entity && span_is(span_of(c->who.entity->kind->name),
	    "iam.role") ? c->who.session : NULL;
}

/* Trust */

/* The key as the tags have it, whatever its case; p NULL: they do not. */
static struct span
key_of(const struct doc *tags, struct span key)
{
	doc_each_key(k, v, tags)
		if (span_ieq(k, key))
			return k;
	return SPAN_NULL;
}

/* What trust policies ask about, as condition keys: the caller, */
static int
add_caller(struct call *c, struct doc *d)
{
	const struct res *e = c->who.entity;
	const struct doc *own = doc_get(c->who.session, "Tags");
	struct arena *a = c->arena;
	struct doc *tags = NULL;
	int r;

	/* The role's for a session: that is the principal here. */
	doc_set_str(a, d, "aws:PrincipalArn", chained(c) ? e->arn : c->who.arn);
	doc_set_str(a, d, "aws:PrincipalAccount", c->who.account);
	doc_set_str(a, d, "aws:PrincipalIsAWSService",
	    c->who.system ? SPAN("true") : SPAN("false"));
	doc_set_str(a, d, "aws:userid", c->who.id);
	if (e && !chained(c))
		doc_set_str(a, d, "aws:username", e->id);
	if (c->who.session)
		doc_set_str(a, d, "aws:MultiFactorAuthPresent", SPAN("false"));
	if (doc_get(c->who.session, "SourceIdentity"))
		doc_set_str(a, d, "aws:SourceIdentity",
		    doc_get_str(c->who.session, "SourceIdentity"));
	if (e && (r = store_tags(c->store, a, e, &tags)))
		return err_trace(r);
	/* The session's own go first. */
	doc_each_key(k, v, tags)
		if (!key_of(own, k).p)
			doc_set_str(a, d, arena_fmt(a,
			    "aws:PrincipalTag/%.*s", SPAN_ARG(k)),
			    doc_span(v));
	doc_each_key(k, v, own)
		doc_set_str(a, d, arena_fmt(a, "aws:PrincipalTag/%.*s",
		    SPAN_ARG(k)), doc_span(v));
	return 0;
}

/* and what he asks for. */
static void
add_request(struct call *c, struct doc *d)
{
	static const struct {
		const char *key, *member;
	} rows[] = {
		{"sts:ExternalId", "ExternalId"},
		{"sts:RoleSessionName", "RoleSessionName"},
		{"sts:SourceIdentity", "SourceIdentity"},
	};
	struct arena *a = c->arena;
	struct doc *keys = doc_arr(a);
	int64_t now = clock_ms();

	doc_set_str(a, d, "aws:RequestedRegion", c->scope.region);
	doc_set_str(a, d, "aws:CurrentTime", span_of(clock_iso(a, now, false)));
	doc_setf(a, d, "aws:EpochTime", "%lld", (long long)(now / 1000));
	doc_set_str(a, d, "aws:SecureTransport",
	    span_starts(c->origin, SPAN("https:")) ? SPAN("true") :
	    SPAN("false"));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (doc_get(c->in, rows[i].member))
			doc_set_str(a, d, rows[i].key,
			    doc_get_str(c->in, rows[i].member));
	doc_each(t, doc_get(c->in, "Tags")) {
		struct span k = doc_get_str(t, "Key");

		doc_push_str(a, keys, k);
		doc_set_str(a, d, arena_fmt(a, "aws:RequestTag/%.*s",
		    SPAN_ARG(k)), doc_get_str(t, "Value"));
	}
	if (doc_len(keys))
		doc_set(a, d, "aws:TagKeys", keys);
	if (doc_len(doc_get(c->in, "TransitiveTagKeys")))
		doc_set(a, d, "sts:TransitiveTagKeys",
		    doc_copy(a, doc_get(c->in, "TransitiveTagKeys")));
}

/* Is the caller another one than who had that ARN when the policy was given?
 * Such a one is of the account, but not the one it names. */
static bool
replaced(struct call *c, const struct res *role)
{
	const struct res *e = c->who.entity;
	struct span id = e ? doc_get_str(doc_get(role->spec, "Trusted"),
	    arena_str(c->arena, e->arn)) : SPAN_NULL;

	return id.n && !span_eq(id, doc_get_str(e->spec, "Id"));
}

/* Who asks, as the trust policy may name him. */
static void
fill_who(struct call *c, const struct res *role, struct policy_request *q)
{
	if (c->who.system) {
		q->service = c->who.service;
		return;
	}
	q->account = c->who.account;
	q->principal = replaced(c, role) ? c->who.id : c->who.arn;
	if (chained(c) && !replaced(c, role))
		q->role = c->who.entity->arn;
}

/* Tags and a source identity need leave of their own, also those that the
 * caller's session hands on. */
static struct reply *
check_trust(struct call *c, const struct res *role, const struct doc *tags)
{
	const struct {
		const char *action;
		bool needed;
	} needs[] = {
		{"sts:AssumeRole", true},
		{"sts:TagSession", doc_len(tags) > 0},
		{"sts:SetSourceIdentity", doc_get(c->in, "SourceIdentity") ||
		    doc_get(c->who.session, "SourceIdentity")},
	};
	struct span text = doc_get_str(role->spec, "Trust"), why;
	struct doc *context = doc_obj(c->arena), *policy;
	struct policy_request q = {.context = context};
	int e = add_caller(c, context);

	if (e)
		return reply_failure(c, e);
	add_request(c, context);
	if (policy_parse(c->arena, text, POLICY_TRUST, &policy, &why))
		return reply_failure(c, err_origin(EIO, "a trust policy does "
		    "not parse"));
	fill_who(c, role, &q);
	for (size_t i = 0; i < ARRAY_SIZE(needs); i++) {
		if (!needs[i].needed)
			continue;
		q.action = span_of(needs[i].action);
		if (policy_says(c->arena, policy, &q) != POLICY_ALLOW)
			return denied(c, q.action, role->arn);
	}
	return NULL;
}

/* What the session carries */

/* The tags of the call, and those of the caller's that are passed on. */
static struct reply *
session_tags(struct call *c, struct doc **ret_tags, struct doc **ret_pass)
{
	const struct doc *past = doc_get(c->who.session, "Tags");
	struct doc *tags = doc_obj(c->arena), *pass = doc_arr(c->arena);

	doc_each(t, doc_get(c->in, "Tags")) {
		struct span k = doc_get_str(t, "Key");

		if (key_of(tags, k).p)
			return reply_error(c, "InvalidParameterValue",
			    "Duplicate tag keys found. Please note that Tag "
			    "keys are case insensitive.");
		doc_append(c->arena, tags, k,
		    doc_str(c->arena, doc_get_str(t, "Value")));
	}
	doc_each(k, doc_get(c->in, "TransitiveTagKeys")) {
		struct span key = key_of(tags, doc_span(k));

		if (!key.p)
			return invalid(c, "The specified transitive tag key "
			    "must be included in the requested tags.");
		if (!doc_has_str(pass, key))
			doc_push_str(c->arena, pass, key);
	}
	doc_each(k, doc_get(c->who.session, "TransitiveTagKeys")) {
		struct span key = doc_span(k);

		if (key_of(tags, key).p)
			return reply_error(c, "InvalidParameterValue", "One of "
			    "the specified transitive tag keys can't be set "
			    "because it conflicts with a transitive tag key "
			    "from the calling session.");
		doc_append(c->arena, tags, key,
		    doc_copy(c->arena, doc_getn(past, key)));
		doc_push_str(c->arena, pass, key);
	}
	*ret_tags = tags;
	*ret_pass = pass;
	return NULL;
}

static struct reply *
session_policies(struct call *c, struct doc *extra)
{
	struct span text = doc_get_str(c->in, "Policy"), why;
	struct doc *arns = doc_arr(c->arena), *d;

	if (text.n && policy_parse(c->arena, text, POLICY_IDENTITY, &d, &why))
		return reply_error(c, "MalformedPolicyDocument", "%.*s",
		    SPAN_ARG(why));
	if (text.n)
		doc_set_str(c->arena, extra, "Policy", text);
	doc_each(p, doc_get(c->in, "PolicyArns")) {
		struct doc *in = doc_obj(c->arena);
		struct span arn = doc_get_str(p, "arn");
		struct op_result r;
		int e;

		doc_set_str(c->arena, in, "PolicyArn", arn);
		e = op_call(c->api, c->arena, &c->who, c->scope, "iam",
		    "GetPolicy", in, &r);
		if (e < 0)
			return reply_failure(c, e);
		if (r.error.n)
			return invalid(c, arena_fmt(c->arena, "The policy "
			    "%.*s does not exist or is not attachable.",
			    SPAN_ARG(arn)));
		doc_push_str(c->arena, arns, arn);
	}
	if (doc_len(arns))
		doc_set(c->arena, extra, "PolicyArns", arns);
	return NULL;
}

/* Tags come along only where they are asked for; extra and the size of it. */
static struct reply *
session_extra(struct call *c, struct doc *tags, struct doc *pass,
    struct doc *extra, int64_t *ret_packed)
{
	struct span now = doc_get_str(c->in, "SourceIdentity");
	struct span was = doc_get_str(c->who.session, "SourceIdentity");
	struct reply *no = session_policies(c, extra);

	if (no)
		return no;
	if (doc_len(tags))
		doc_set(c->arena, extra, "Tags", tags);
	if (doc_len(pass))
		doc_set(c->arena, extra, "TransitiveTagKeys", pass);
	*ret_packed = session_packed(c->arena, extra);
	if (*ret_packed > 100)
		return reply_error(c, "PackedPolicyTooLarge",
		    doc_get(extra, "Policy") ? "Packed policy consumes %lld%% "
		    "of allotted space, please use smaller policy." :
		    "Packed size of session tags consumes %lld%% of allotted "
		    "space.", (long long)*ret_packed);
	/* Once set, it stays for all that follows. */
	if (was.n && now.n && !span_eq(was, now))
		return reply_error_with(c, 403, "AccessDenied", NULL, "The "
		    "source identity of the session cannot be changed");
	if (was.n || now.n)
		doc_set_str(c->arena, extra, "SourceIdentity",
		    was.n ? was : now);
	return NULL;
}

static struct reply *
check_duration(struct call *c, const struct res *role, int64_t seconds)
{
	if (chained(c) && seconds > HOUR)
		return invalid(c, "The requested DurationSeconds exceeds the 1 "
		    "hour session limit for roles assumed by role chaining");
	if (seconds > doc_get_int(role->spec, "MaxSession", HOUR))
		return invalid(c, "The requested DurationSeconds exceeds the "
		    "MaxSessionDuration set for this role.");
	return NULL;
}

/* Replies */

static struct doc *
credentials(struct call *c, const struct session_claims *claims)
{
	struct doc *d = doc_obj(c->arena);
	struct session_keys k;

	session_issue(c->store, c->arena, claims, &k);
	doc_set_str(c->arena, d, "AccessKeyId", k.access_key);
	doc_set_str(c->arena, d, "SecretAccessKey", k.secret_key);
	doc_set_str(c->arena, d, "SessionToken", k.token);
	return doc_set_time(c->arena, d, "Expiration", claims->expires);
}

static struct doc *
assumed(struct call *c, const struct res *role, struct span id,
    struct span name)
{
	struct doc *d = doc_obj(c->arena);

	doc_setf(c->arena, d, "AssumedRoleId", "%.*s:%.*s", SPAN_ARG(id),
	    SPAN_ARG(name));
	return doc_setf(c->arena, d, "Arn",
	    "arn:aws:sts::%.*s:assumed-role/%.*s/%.*s",
	    SPAN_ARG(role->scope.account), SPAN_ARG(role->id), SPAN_ARG(name));
}

static struct reply *
issue(struct call *c, const struct res *role, const struct doc *extra,
    int64_t seconds, int64_t packed)
{
	struct span name = doc_get_str(c->in, "RoleSessionName");
	struct span id = doc_get_str(role->spec, "Id");
	int64_t now = clock_ms() / 1000 * 1000;
	struct session_claims claims = {.account = role->scope.account,
	    .row = role->row, .entity = id, .name = name, .issued = now,
	    .expires = now + seconds * 1000, .extra = extra};
	struct doc *out = doc_obj(c->arena);

	doc_set(c->arena, out, "Credentials", credentials(c, &claims));
	doc_set(c->arena, out, "AssumedRoleUser", assumed(c, role, id, name));
	if (packed)
		doc_set_int(c->arena, out, "PackedPolicySize", packed);
	if (doc_get(extra, "SourceIdentity"))
		doc_set_str(c->arena, out, "SourceIdentity",
		    doc_get_str(extra, "SourceIdentity"));
	return reply_ok(c, out);
}

struct reply *
sts_assume_role(struct call *c)
{
	struct span arn = doc_get_str(c->in, "RoleArn");
	int64_t seconds = doc_get_int(c->in, "DurationSeconds", ROLE_DEFAULT);
	struct doc *extra = doc_obj(c->arena), *tags, *pass;
	struct reply *no;
	struct res *role;
	int64_t packed;
	int e;

	if (!span_starts(arn, SPAN("arn:")))
		return invalid(c, arena_fmt(c->arena, "%.*s is invalid",
		    SPAN_ARG(arn)));
	e = store_get_arn(c->store, c->arena, arn, &role);
	if (e < 0)
		return reply_failure(c, e);
	/* AWS does not tell who is there. */
	if (e || !span_is(span_of(role->kind->name), "iam.role"))
		return denied(c, SPAN("sts:AssumeRole"), arn);
	if ((no = session_tags(c, &tags, &pass)) ||
	    (no = check_trust(c, role, tags)) ||
	    (no = check_duration(c, role, seconds)) ||
	    (no = session_extra(c, tags, pass, extra, &packed)))
		return no;
	return issue(c, role, extra, seconds, packed);
}

struct reply *
sts_get_session_token(struct call *c)
{
	const struct res *user = c->who.entity;
	int64_t seconds = doc_get_int(c->in, "DurationSeconds", USER_DEFAULT);
	int64_t now = clock_ms() / 1000 * 1000;
	struct session_claims claims = {.account = c->who.account,
	    .issued = now, .extra = doc_obj(c->arena)};

	if (c->who.session)
		return reply_error_with(c, 403, "AccessDenied", NULL,
		    "Cannot call GetSessionToken with session credentials");
	/* AWS: the root user's last an hour at most. */
	if (!user)
		seconds = MIN(seconds, HOUR);
	claims.expires = now + seconds * 1000;
	if (user) {
		claims.row = user->row;
		claims.entity = doc_get_str(user->spec, "Id");
	}
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena), "Credentials",
	    credentials(c, &claims)));
}
