/* CreateSecret, UpdateSecret, DescribeSecret, DeleteSecret, RestoreSecret. */
#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "svc/secretsmanager/secretsmanager.h"

#define DAY_MS	    (24 * 60 * 60 * 1000LL)
#define DAYS	    30
#define SUFFIX	    6

static bool
name_ok(struct span name)
{
	for (size_t i = 0; i < name.n; i++) {
		char ch = name.p[i];

		if (!(ch >= 'a' && ch <= 'z') && !(ch >= 'A' && ch <= 'Z') &&
		    !(ch >= '0' && ch <= '9') && !(ch && strchr("-/_+=.@!", ch)))
			return false;
	}
	return true;
}

/* Six characters that nobody guesses from the name: an ARN of a secret that
 * went does not mean its successor. */
static struct span
make_id(struct call *c, struct span name)
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	char *p = arena_alloc(c->arena, SUFFIX);
	unsigned char r;

	for (int i = 0; i < SUFFIX;) {
		random_bytes(&r, 1);
		/* No character is likelier than another. */
		if (r < 256 - 256 % (sizeof(set) - 1))
			p[i++] = set[r % (sizeof(set) - 1)];
	}
	return arena_fmt_span(c->arena, "%.*s-%.*s", SPAN_ARG(name), SUFFIX,
	    p);
}

static struct reply *
answer(struct call *c, const struct res *secret, const struct res *version)
{
	struct doc *out = secret_names(c, secret);

	if (version)
		doc_set_str(c->arena, out, "VersionId", version->id);
	return reply_ok(c, out);
}

/* The name is taken: by the same request before, or by something else. */
static struct reply *
taken(struct call *c, struct res *secret)
{
	struct span token = doc_get_str(c->in, "ClientRequestToken");
	struct reply *no;
	struct res *v;
	int e;

	if (doc_get(secret->spec, "Deletion"))
		return secret_bad_request(c, "You can't create this secret "
		    "because a secret with this name is already scheduled for "
		    "deletion.");
	e = store_get(c->store, c->arena, &secretsmanager_version, c->scope,
	    secret->id, token, &v);
	if (e < 0)
		return secret_fail(c, e);
	if (!e && (no = version_add(c, secret, NULL, &v)))
		return no;
	if (!e && v)
		return answer(c, secret, v);
	return reply_error(c, "ResourceExistsException", "The operation failed "
	    "because the secret %.*s already exists.",
	    SPAN_ARG(doc_get_str(secret->spec, "Name")));
}

static struct doc *
current(struct call *c)
{
	struct doc *stages = doc_arr(c->arena);

	doc_push_str(c->arena, stages, AWSCURRENT);
	return stages;
}

/* What the request says of the secret itself; the empty text takes away. */
static void
take(struct call *c, struct res *secret)
{
	static const char *const members[] = {"Description", "KmsKeyId"};

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		struct span v = doc_get_str(c->in, members[i]);

		if (v.n)
			doc_set_str(c->arena, secret->spec, members[i], v);
		else if (doc_get(c->in, members[i]))
			doc_del(secret->spec, members[i]);
	}
	/* AWS shows its own key as no key. */
	if (span_ends(doc_get_str(secret->spec, "KmsKeyId"),
	    SPAN("alias/aws/secretsmanager")))
		doc_del(secret->spec, "KmsKeyId");
}

struct reply *
secret_create(struct call *c)
{
	struct span name = doc_get_str(c->in, "Name");
	struct res *secret, *v;
	struct reply *no;
	int e;

	if (!name_ok(name))
		return reply_error(c, "ValidationException", "Invalid name. "
		    "Must be a valid name containing alphanumeric characters, "
		    "or any of the following: -/_+=.@!");
	e = secret_get(c, name, &secret);
	if (!e)
		return taken(c, secret);
	if (e != STORE_E_NOT_FOUND)
		return secret_fail(c, e);
	secret = res_new(c->arena, &secretsmanager_secret, c->scope, SPAN_NULL,
	    make_id(c, name));
	doc_set_str(c->arena, secret->spec, "Name", name);
	doc_set_int(c->arena, secret->spec, "Changed", clock_ms());
	take(c, secret);
	if ((e = store_insert(c->store, c->arena, secret)))
		return secret_fail(c, e);
	if ((no = secret_put_tags(c, secret, doc_get(c->in, "Tags"))) ||
	    (no = version_add(c, secret, current(c), &v)))
		return no;
	return answer(c, secret, v);
}

struct reply *
secret_update(struct call *c)
{
	struct res *secret, *v;
	struct span key;
	struct reply *no = secret_named(c, false, &secret);

	if (no)
		return no;
	key = doc_get_str(secret->spec, "KmsKeyId");
	take(c, secret);
	if (!span_eq(key, doc_get_str(secret->spec, "KmsKeyId")) &&
	    (no = version_rekey(c, secret)))
		return no;
	if ((no = version_add(c, secret, current(c), &v)) ||
	    (no = secret_put(c, secret)))
		return no;
	return answer(c, secret, v);
}

struct reply *
secret_restore(struct call *c)
{
	struct res *secret;
	struct reply *no = secret_named(c, true, &secret);

	if (no)
		return no;
	doc_del(secret->spec, "Deletion");
	if ((no = secret_put(c, secret)))
		return no;
	return reply_ok(c, secret_names(c, secret));
}

/* By force what is not there is gone, too. */
static struct reply *
delete_now(struct call *c)
{
	struct span id = doc_get_str(c->in, "SecretId");
	struct doc *out = doc_obj(c->arena);
	struct res *secret;
	int e = secret_get(c, id, &secret);

	if (!e) {
		out = secret_names(c, secret);
		e = secret_destroy(c->store, c->arena, secret);
	} else if (e == STORE_E_NOT_FOUND) {
		doc_set_str(c->arena, out, "ARN", span_starts(id,
		    SPAN("arn:")) ? id : kind_arn(c->arena,
		    &secretsmanager_secret, c->scope, SPAN_NULL,
		    make_id(c, id)));
		doc_set_str(c->arena, out, "Name", id);
		e = 0;
	}
	doc_set_time(c->arena, out, "DeletionDate", clock_ms());
	return e ? secret_fail(c, e) : reply_ok(c, out);
}

struct reply *
secret_delete(struct call *c)
{
	int64_t days = doc_get_int(c->in, "RecoveryWindowInDays", DAYS);
	int64_t when = clock_ms() + days * DAY_MS;
	bool force = doc_get_bool(c->in, "ForceDeleteWithoutRecovery", false);
	struct res *secret;
	struct reply *no;
	struct doc *out;

	if (force && doc_get(c->in, "RecoveryWindowInDays"))
		return secret_bad_parameter(c, "You can't use "
		    "ForceDeleteWithoutRecovery in conjunction with "
		    "RecoveryWindowInDays.");
	if (days < 7 || days > DAYS)
		return secret_bad_parameter(c, "The RecoveryWindowInDays value "
		    "must be between 7 and 30 days (inclusive).");
	if (force)
		return delete_now(c);
	if ((no = secret_named(c, false, &secret)))
		return no;
	doc_set_int(c->arena, secret->spec, "Deletion", when);
	if ((no = secret_put(c, secret)))
		return no;
	out = secret_names(c, secret);
	doc_set_time(c->arena, out, "DeletionDate", when);
	return reply_ok(c, out);
}
