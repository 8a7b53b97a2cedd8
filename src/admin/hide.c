/* What must not leave in a dump. */
#include "admin/admin.h"

#define HIDDEN SPAN("(hidden)")

/* Kinds whose spec and status are nothing but a secret. */
static const char *const secret_kinds[] = {
	"iam.access-key*", "iam.login-profile*", "kms.key-material*",
	"secretsmanager.*version*", "ssm.parameter*", "sts.session*",
};

/* Members, of any object, that carry one; case does not count. */
static const char *const secret_members[] = {
	"AuthToken", "ClientSecret", "KeyMaterial", "MasterUserPassword",
	/* of stacks: parameters and properties as they were resolved */
	"Params", "Props", "Resolved",
	"Password", "Plaintext", "PrivateKey", "SecretAccessKey",
	"SecretBinary", "SecretString", "SessionToken", ".Signature", "Token",
};

static bool
is_secret_member(struct span key)
{
	for (size_t i = 0; i < ARRAY_SIZE(secret_members); i++)
		if (span_ieq(key, span_of(secret_members[i])))
			return true;
	return false;
}

static bool
is_secret_kind(struct span kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(secret_kinds); i++)
		if (span_glob(span_of(secret_kinds[i]), kind))
			return true;
	return false;
}

/* An address that proves who asks, as wait conditions have it. */
static struct doc *
hide_text(struct arena *a, const struct doc *d)
{
	const struct span mark = SPAN("?Signature=");
	struct span s = doc_span(d);
	ptrdiff_t at = doc_type(d) == DOC_STR ? span_find(s, mark) : -1;

	return at < 0 ? doc_copy(a, d) : doc_str(a, arena_fmt_span(a,
	    "%.*s(hidden)", SPAN_ARG(span_to(s, (size_t)at + mark.n))));
}

/* In a list of {name, value}, as environment variables are, names stay. */
static struct doc *
hide(struct arena *a, const struct doc *d, bool values)
{
	struct doc *to;

	if (doc_type(d) == DOC_ARR) {
		to = doc_arr(a);
		doc_each(v, d)
			doc_push(to, hide(a, v, values));
		return to;
	}
	if (doc_type(d) != DOC_OBJ)
		return hide_text(a, d);
	to = doc_obj(a);
	doc_each_key(k, v, d)
		doc_append(a, to, arena_span(a, k),
		    is_secret_member(k) || (values && span_is(k, "value"))
		    ? doc_str(a, HIDDEN)
		    : hide(a, v, span_is(k, "environment") ||
			span_ieq(k, SPAN("Variables"))));
	return to;
}

struct doc *
admin_hide(struct arena *a, struct span kind, const struct doc *d)
{
	struct doc *to = hide(a, d, false);

	if (!is_secret_kind(kind))
		return to;
	doc_set_str(a, to, "spec", HIDDEN);
	doc_set_str(a, to, "status", HIDDEN);
	return to;
}
