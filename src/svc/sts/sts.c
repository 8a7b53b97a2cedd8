/* STS: who am I, and keys for a while. */
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

/* All keys are of the one account there is. */
static struct reply *
get_access_key_info(struct call *c)
{
	struct doc *out = doc_obj(c->arena);

	doc_set_str(c->arena, out, "Account", c->who.account);
	return reply_ok(c, out);
}

static const struct op_row ops[] = {
	{"GetCallerIdentity", get_caller_identity, NULL},
	{"GetAccessKeyInfo", get_access_key_info, NULL},
	{"AssumeRole", sts_assume_role, "RoleArn RoleSessionName PolicyArns "
	    "Policy DurationSeconds Tags TransitiveTagKeys ExternalId "
	    "SourceIdentity"},
	{"GetSessionToken", sts_get_session_token, "DurationSeconds"},
	{NULL, NULL, NULL},
};

static const struct kind *const kinds[] = {NULL};

const struct service sts_service = {
	.name = "sts",
	.ops = ops,
	.kinds = kinds,
};
