/* Resource policies: checked, kept, shown. */
#include "svc/secretsmanager/secretsmanager.h"

static const char syntax[] =
    "This resource policy contains a syntax error.";

static const char *
statement_fault(const struct doc *s)
{
	struct span effect = doc_get_str(s, "Effect");

	if (doc_type(s) != DOC_OBJ ||
	    (!span_is(effect, "Allow") && !span_is(effect, "Deny")) ||
	    !doc_get(s, "Action") == !doc_get(s, "NotAction") ||
	    !doc_get(s, "Resource") == !doc_get(s, "NotResource"))
		return syntax;
	if (!doc_get(s, "Principal") == !doc_get(s, "NotPrincipal"))
		return "This resource policy contains an unsupported principal.";
	return NULL;
}

/* The one statement, or each of the list. */
static const struct doc *
statements(struct call *c, const struct doc *policy)
{
	struct doc *s = doc_get(policy, "Statement"), *list;

	if (doc_type(s) != DOC_OBJ)
		return s;
	list = doc_arr(c->arena);
	doc_push(list, doc_copy(c->arena, s));
	return list;
}

const char *
policy_fault(struct call *c, struct span text)
{
	const struct doc *list;
	const char *why = NULL;
	struct doc *d;

	if (doc_parse_json(c->arena, text, &d) || doc_type(d) != DOC_OBJ)
		return syntax;
	list = statements(c, d);
	if (doc_type(list) != DOC_ARR || doc_len(list) == 0)
		return syntax;
	doc_each(s, list)
		if (!why)
			why = statement_fault(s);
	return why;
}

static bool
is_everybody(const struct doc *principal)
{
	const struct doc *aws = doc_get(principal, "AWS");

	return span_is(doc_span(principal), "*") ||
	    span_is(doc_span(aws), "*") || doc_has_str(aws, SPAN("*"));
}

/* Does it let everybody in?  A condition narrows it. */
static bool
is_public(struct call *c, struct span text)
{
	struct doc *d;

	if (doc_parse_json(c->arena, text, &d))
		return false;
	doc_each(s, statements(c, d))
		if (span_is(doc_get_str(s, "Effect"), "Allow") &&
		    !doc_len(doc_get(s, "Condition")) &&
		    (is_everybody(doc_get(s, "Principal")) ||
		    doc_get(s, "NotPrincipal")))
			return true;
	return false;
}

struct reply *
secret_put_policy(struct call *c)
{
	struct span text = doc_get_str(c->in, "ResourcePolicy");
	const char *why = policy_fault(c, text);
	struct res *secret;
	struct reply *no = secret_named(c, false, &secret);

	if (no)
		return no;
	if (why)
		return reply_error(c, "MalformedPolicyDocumentException", "%s",
		    why);
	if (doc_get_bool(c->in, "BlockPublicPolicy", false) &&
	    is_public(c, text))
		return reply_error(c, "PublicPolicyException", "You can't "
		    "attach a resource policy that allows broad access to the "
		    "secret.");
	doc_set_str(c->arena, secret->spec, "Policy", text);
	if ((no = secret_put(c, secret)))
		return no;
	return reply_ok(c, secret_names(c, secret));
}

struct reply *
secret_get_policy(struct call *c)
{
	struct res *secret;
	struct reply *no = secret_named(c, false, &secret);
	struct doc *out;

	if (no)
		return no;
	out = secret_names(c, secret);
	if (doc_get(secret->spec, "Policy"))
		doc_set_str(c->arena, out, "ResourcePolicy",
		    doc_get_str(secret->spec, "Policy"));
	return reply_ok(c, out);
}

struct reply *
secret_delete_policy(struct call *c)
{
	struct res *secret;
	struct reply *no = secret_named(c, false, &secret);

	if (no)
		return no;
	doc_del(secret->spec, "Policy");
	if ((no = secret_put(c, secret)))
		return no;
	return reply_ok(c, secret_names(c, secret));
}

static void
add_error(struct call *c, struct doc *errors, const char *check,
    const char *why)
{
	struct doc *d = doc_obj(c->arena);

	doc_set_str(c->arena, d, "CheckName", span_of(check));
	doc_set_str(c->arena, d, "ErrorMessage", span_of(why));
	doc_push(errors, d);
}

struct reply *
secret_validate_policy(struct call *c)
{
	struct span text = doc_get_str(c->in, "ResourcePolicy");
	struct doc *out = doc_obj(c->arena), *errors = doc_arr(c->arena);
	const char *why = policy_fault(c, text);
	struct res *secret;
	struct reply *no = doc_get(c->in, "SecretId") ?
	    secret_named(c, false, &secret) : NULL;

	if (no)
		return no;
	if (why)
		return reply_error(c, "MalformedPolicyDocumentException", "%s",
		    why);
	if (is_public(c, text))
		add_error(c, errors, "PublicPolicyCheck", "The resource policy "
		    "allows broad access to the secret.");
	doc_set_bool(c->arena, out, "PolicyValidationPassed",
	    doc_len(errors) == 0);
	doc_set(c->arena, out, "ValidationErrors", errors);
	return reply_ok(c, out);
}
