/* STS: who one is, and temporary credentials. */
#include "auth/session.h"
#include "svc/sts/sts.h"

static struct reply *
get_caller_identity(struct call *c)
{
	struct doc *out = doc_obj(c->arena);

	doc_set_str(c->arena, out, "UserId", c->who.id);
	doc_set_str(c->arena, out, "Account", c->who.account);
	doc_set_str(c->arena, out, "Arn", c->who.arn);
	return reply_ok(c, out);
}

static struct reply *
get_access_key_info(struct call *c)
{
	struct span account;

	if (!access_key_account(c->arena, doc_get_str(c->in, "AccessKeyId"),
		&account))
		return reply_error(c, "ValidationError",
		    "Access key ID is invalid");
	return reply_ok(c, doc_set_str(c->arena, doc_obj(c->arena), "Account",
	    account));
}

static const struct op_row ops[] = {
	{"AssumeRole", sts_assume_role,
	    "RoleArn RoleSessionName PolicyArns Policy DurationSeconds Tags "
	    "TransitiveTagKeys ExternalId SourceIdentity"},
	{"GetSessionToken", sts_get_session_token, "DurationSeconds"},
	{"GetCallerIdentity", get_caller_identity, NULL},
	{"GetAccessKeyInfo", get_access_key_info, NULL},
	{NULL, NULL, NULL},
};

static const struct kind *const kinds[] = {NULL};

const struct service sts_service = {
	.name = "sts",
	.ops = ops,
	.kinds = kinds,
};
