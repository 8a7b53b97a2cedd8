/* Values of SecureStrings, through kms. */
#include "api/vault.h"
#include "svc/ssm/ssm.h"

/* kms takes up to 4 KB itself; what it gives is then what a client may decrypt
 * with kms, as on AWS. */
static struct vault
vault(struct call *c, struct span arn)
{
	struct doc *context = doc_obj(c->arena);

	doc_set_str(c->arena, context, "PARAMETER_ARN", arn);
	return (struct vault){"ssm.amazonaws.com", "alias/aws/ssm", 4096, arn,
	    context};
}

static struct reply *
refused(struct call *c, int e, const struct op_result *why)
{
	if (e < 0)
		return ssm_fail(c, e);
	return reply_error(c, span_is(why->error, "AccessDeniedException") ?
	    "AccessDeniedException" : "InvalidKeyId", "%.*s",
	    SPAN_ARG(why->message));
}

struct reply *
ssm_encrypt(struct call *c, struct span arn, struct span key,
    struct span plain, struct span *ret)
{
	struct vault v = vault(c, arn);
	struct op_result why;
	int e = vault_encrypt(c, &v, key, plain, ret, &why);

	return e ? refused(c, e, &why) : NULL;
}

struct reply *
ssm_decrypt(struct call *c, struct span arn, const struct doc *spec,
    struct span *ret)
{
	struct vault v = vault(c, arn);
	struct op_result why;
	int e = vault_decrypt(c, &v, doc_get_str(spec, "KeyId"),
	    doc_get_str(spec, "Value"), ret, &why);

	return e ? refused(c, e, &why) : NULL;
}
