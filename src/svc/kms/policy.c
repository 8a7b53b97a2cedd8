/* Key policies: kept, shown; a key has one, called "default". */
#include "svc/kms/kms.h"

#define NAME SPAN("default")

struct span
kms_default_policy(struct call *c)
{
	return arena_fmt_span(c->arena,
	    "{\n"
	    "  \"Version\" : \"2012-10-17\",\n"
	    "  \"Id\" : \"key-default-1\",\n"
	    "  \"Statement\" : [ {\n"
	    "    \"Sid\" : \"Enable IAM User Permissions\",\n"
	    "    \"Effect\" : \"Allow\",\n"
	    "    \"Principal\" : {\n"
	    "      \"AWS\" : \"arn:aws:iam::%.*s:root\"\n"
	    "    },\n"
	    "    \"Action\" : \"kms:*\",\n"
	    "    \"Resource\" : \"*\"\n"
	    "  } ]\n"
	    "}", SPAN_ARG(c->scope.account));
}

static struct reply *
malformed(struct call *c, const char *why)
{
	return reply_error(c, "MalformedPolicyDocumentException", "%s", why);
}

static struct reply *
check_statement(struct call *c, const struct doc *s)
{
	struct span effect = doc_get_str(s, "Effect");

	if (doc_type(s) != DOC_OBJ ||
	    (!span_is(effect, "Allow") && !span_is(effect, "Deny")) ||
	    !(doc_get(s, "Action") || doc_get(s, "NotAction")) ||
	    !(doc_get(s, "Resource") || doc_get(s, "NotResource")))
		return malformed(c, "Syntax errors in policy.");
	if (!doc_get(s, "Principal") && !doc_get(s, "NotPrincipal"))
		return malformed(c, "Policy contains a statement with one or "
		    "more invalid principals.");
	return NULL;
}

struct reply *
kms_check_policy(struct call *c, struct span text)
{
	const struct doc *statements;
	struct reply *no = NULL;
	struct doc *d;

	if (doc_parse_json(c->arena, text, &d) || doc_type(d) != DOC_OBJ)
		return malformed(c, "This policy contains invalid Json");
	statements = doc_get(d, "Statement");
	if (doc_len(statements) == 0)
		return malformed(c, "Syntax errors in policy.");
	if (doc_type(statements) == DOC_OBJ)
		return check_statement(c, statements);
	doc_each(s, statements)
		if (!no)
			no = check_statement(c, s);
	return no;
}

static struct reply *
no_policy(struct call *c)
{
	return reply_error(c, "NotFoundException", "No such policy exists");
}

static bool
is_default(struct call *c)
{
	struct span name = doc_get_str(c->in, "PolicyName");

	return name.n == 0 || span_eq(name, NAME);
}

struct reply *
kms_get_policy(struct call *c)
{
	struct doc *out = doc_obj(c->arena);
	struct res *key;
	struct reply *no = kms_named(c, KMS_LOOK, &key);

	if (no)
		return no;
	if (!is_default(c))
		return no_policy(c);
	doc_set_str(c->arena, out, "Policy", doc_get_str(key->spec, "Policy"));
	doc_set_str(c->arena, out, "PolicyName", NAME);
	return reply_ok(c, out);
}

struct reply *
kms_put_policy(struct call *c)
{
	struct span text = doc_get_str(c->in, "Policy");
	struct res *key;
	struct reply *no = kms_named(c, KMS_CHANGE, &key);
	int r;

	if (no || (no = kms_check_policy(c, text)))
		return no;
	if (!is_default(c))
		return no_policy(c);
	doc_set_str(c->arena, key->spec, "Policy", text);
	r = store_put_spec(c->store, key);
	return r ? kms_fail(c, r) : reply_ok(c, NULL);
}

struct reply *
kms_list_policies(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *names = doc_arr(c->arena);
	struct kms_page page;
	struct res *key;
	struct reply *no = kms_named(c, KMS_LOOK, &key);

	if (no || (no = kms_page(c, 100, &page)))
		return no;
	doc_push_str(c->arena, names, NAME);
	doc_set(c->arena, out, "PolicyNames", names);
	doc_set_bool(c->arena, out, "Truncated", false);
	return reply_ok(c, out);
}
