/* Secrets as CloudFormation makes them. */
#include "base/err.h"
#include "svc/secretsmanager/secretsmanager.h"

#define ID "{'SecretId': '$ref'}"

static const struct cfn_tagging tagging = {
	"TagResource", ID, "Tags", "UntagResource", ID, "TagKeys",
};

static const struct cfn_step create = {.op = "CreateSecret"};
static const struct cfn_step update = {.op = "UpdateSecret", .with = ID};

/* The password in its template. */
static int
fill(struct cfn_run *run, const struct doc *how, struct span password,
    struct span *ret, enum cfn_outcome *out)
{
	struct span key = doc_get_str(how, "GenerateStringKey");
	struct span text = doc_get_str(how, "SecretStringTemplate");
	struct doc *d;

	*ret = password;
	if (!key.n && !text.n)
		return 0;
	if (!key.n || !text.n) {
		*out = cfn_fail(run, "SecretStringTemplate and "
		    "GenerateStringKey must both be set or removed");
		return 0;
	}
	if (doc_parse_json(run->arena, text, &d) || doc_type(d) != DOC_OBJ) {
		*out = cfn_fail(run, "Could not parse SecretStringTemplate "
		    "JSON");
		return 0;
	}
	doc_setn(run->arena, d, key, doc_str(run->arena, password));
	*ret = doc_json(run->arena, d);
	return 0;
}

static int
generate(struct cfn_run *run, const struct doc *how, struct span *ret,
    enum cfn_outcome *out)
{
	struct doc *in = doc_copy(run->arena, how);
	struct op_result r;
	int e;

	doc_del(in, "GenerateStringKey");
	doc_del(in, "SecretStringTemplate");
	if ((e = cfn_call(run, "GetRandomPassword", in, &r)))
		return err_trace(e);
	if (r.error.n) {
		*out = cfn_refused(run, "GetRandomPassword", &r);
		return 0;
	}
	return fill(run, how, doc_get_str(r.out, "RandomPassword"), ret, out);
}

/* Properties as CreateSecret and UpdateSecret know them.  fresh: a password is
 * to be made. */
static int
with_value(struct cfn_run *run, bool fresh, enum cfn_outcome *ret)
{
	struct doc *props = doc_copy(run->arena, run->props);
	const struct doc *how = doc_get(run->props, "GenerateSecretString");
	struct span value;
	int e;

	*ret = CFN_DONE;
	if (how && doc_get(props, "SecretString")) {
		*ret = cfn_fail(run, "You can't specify both SecretString and "
		    "GenerateSecretString.");
		return 0;
	}
	doc_del(props, "GenerateSecretString");
	if (how && fresh) {
		e = generate(run, how, &value, ret);
		if (e || *ret == CFN_FAILED)
			return e;
		doc_set_str(run->arena, props, "SecretString", value);
	}
	run->props = props;
	return 0;
}

static int
secret_made(struct cfn_run *run, enum cfn_outcome *ret)
{
	int e = with_value(run, true, ret);

	if (e || *ret == CFN_FAILED || (e = cfn_step(run, &create, ret)) ||
	    *ret == CFN_FAILED)
		return e;
	run->ref = doc_get_str(run->out, "ARN");
	return 0;
}

/* A value is written again only when the template's word on it changes: what
 * was put or rotated since stays. */
static int
secret_changed(struct cfn_run *run, enum cfn_outcome *ret)
{
	static const char *const words[] = {"GenerateSecretString",
	    "SecretString"};
	static const char *const texts[] = {"Description", "KmsKeyId"};
	bool fresh = !doc_eq(doc_get(run->props, words[0]),
	    doc_get(run->old, words[0]));
	bool same = doc_eq(doc_get(run->props, words[1]),
	    doc_get(run->old, words[1]));
	struct doc *props;
	int e = with_value(run, fresh, ret);

	if (e || *ret == CFN_FAILED)
		return e;
	props = doc_copy(run->arena, run->props);
	if (same && !fresh)
		doc_del(props, "SecretString");
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (!doc_get(props, texts[i]) && doc_get(run->old, texts[i]))
			doc_set_str(run->arena, props, texts[i], SPAN(""));
	run->props = props;
	e = cfn_step(run, &update, ret);
	return e || *ret == CFN_FAILED ? e : cfn_retag(run, ret);
}

const struct cfn_map secretsmanager_types[] = {
	{
		.type = "AWS::SecretsManager::Secret",
		.name = "Name",
		.name_max = 512,
		.on_create = secret_made,
		.on_update = secret_changed,
		.remove = CFN_STEPS(CFN_STEP("DeleteSecret", "",
		    "{'SecretId': '$ref', 'ForceDeleteWithoutRecovery': true}")),
		.ref = "$o.ARN",
		.attrs = "{'Id': '$ref'}",
		.tagging = &tagging,
	},
	{
		.type = "AWS::SecretsManager::ResourcePolicy",
		.create = CFN_STEPS(
		    CFN_STEP("PutResourcePolicy", NULL, NULL)),
		.update = CFN_STEPS(
		    CFN_STEP("PutResourcePolicy", NULL, NULL)),
		.defaults = "{'BlockPublicPolicy': false}",
		.remove = CFN_STEPS(CFN_STEP("DeleteResourcePolicy", "", ID)),
		.ref = "$o.ARN",
		.attrs = "{'Id': '$ref'}",
	},
	{.type = NULL},
};
