/* Keys and aliases as CloudFormation makes them. */
#include "base/err.h"
#include "cfn/type.h"
#include "svc/kms/kms.h"

#define KEY "{'KeyId': '$ref'}"

static const struct cfn_tagging tagging = {
	"TagResource", KEY, "Tags", "UntagResource", KEY, "TagKeys",
};

static const struct cfn_step create = CFN_STEP("CreateKey", "Description "
    "KeyPolicy KeySpec KeyUsage MultiRegion Origin "
    "BypassPolicyLockoutSafetyCheck Tags", NULL, .map = "KeyPolicy=Policy");
static const struct cfn_step describe = CFN_STEP("UpdateKeyDescription",
    "Description", KEY);
static const struct cfn_step put_policy = CFN_STEP("PutKeyPolicy",
    "KeyPolicy BypassPolicyLockoutSafetyCheck", "{'KeyId': '$ref', "
    "'PolicyName': 'default'}", .map = "KeyPolicy=Policy");
static const struct cfn_step rotate = CFN_STEP("EnableKeyRotation",
    "RotationPeriodInDays", KEY);
static const struct cfn_step rotate_no_more = CFN_STEP("DisableKeyRotation",
    "", KEY);
static const struct cfn_step enable = CFN_STEP("EnableKey", "", KEY);
static const struct cfn_step disable = CFN_STEP("DisableKey", "", KEY);

/* Templates write true as "true", too. */
static bool
says(const struct doc *props, const char *prop, bool otherwise)
{
	struct span text = doc_get_str(props, prop);

	return text.n ? span_ieq(text, SPAN("true")) :
	    doc_get_bool(props, prop, otherwise);
}

static bool
rotates(const struct doc *props)
{
	return says(props, "EnableKeyRotation", false);
}

static bool
enabled(const struct doc *props)
{
	return says(props, "Enabled", true);
}

/* Steps until one fails; NULLs are left out. */
static int
run_all(struct cfn_run *run, const struct cfn_step *const *v, size_t n,
    enum cfn_outcome *ret)
{
	int e = 0;

	for (size_t i = 0; i < n && e == 0 && *ret != CFN_FAILED; i++)
		if (v[i])
			e = cfn_step(run, v[i], ret);
	return err_trace(e);
}

/* A key that is disabled does not rotate: so that comes last. */
static int
make_key(struct cfn_run *run, enum cfn_outcome *ret)
{
	const struct cfn_step *const more[] = {
		rotates(run->props) ? &rotate : NULL,
		enabled(run->props) ? NULL : &disable,
	};
	int e = cfn_step(run, &create, ret);

	if (e || *ret == CFN_FAILED)
		return err_trace(e);
	run->ref = doc_span(cfn_expr(run, "$o.KeyMetadata.KeyId"));
	return err_trace(run_all(run, more, ARRAY_SIZE(more), ret));
}

/* What an operation has no member for, and what a key cannot become. */
static const char *
cannot_change(const struct cfn_run *run)
{
	static const char *const fixed[] = {"KeySpec", "KeyUsage", "Origin",
	    "MultiRegion"};

	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		if (cfn_changed(run, fixed[i]))
			return fixed[i];
	return NULL;
}

/* What went goes back to what a key has from the start. */
static int
fill_defaults(struct cfn_run *run, enum cfn_outcome *ret)
{
	struct doc *props = doc_copy(run->arena, run->props);

	if (!doc_get(props, "Description"))
		doc_set_str(run->arena, props, "Description", SPAN(""));
	if (!doc_get(props, "KeyPolicy") && doc_get(run->old, "KeyPolicy"))
		*ret = cfn_fail(run, "AWS::KMS::Key: removing property "
		    "KeyPolicy by an update is not implemented");
	run->props = props;
	return 0;
}

static int
change_key(struct cfn_run *run, enum cfn_outcome *ret)
{
	const char *fixed = cannot_change(run);
	bool was_enabled = enabled(run->old), is_enabled = enabled(run->props);
	bool turn = rotates(run->props) && (!rotates(run->old) ||
	    cfn_changed(run, "RotationPeriodInDays"));
	bool stop = rotates(run->old) && !rotates(run->props);
	const struct cfn_step *const steps[] = {
		/* Rotation changes with the key enabled. */
		!was_enabled && (is_enabled || turn || stop) ? &enable : NULL,
		cfn_changed(run, "Description") ? &describe : NULL,
		cfn_changed(run, "KeyPolicy") ? &put_policy : NULL,
		turn ? &rotate : NULL,
		stop ? &rotate_no_more : NULL,
		!is_enabled && (was_enabled || turn || stop) ? &disable : NULL,
	};
	int e;

	if (fixed) {
		*ret = cfn_fail(run, "You cannot change the %s of a KMS key.",
		    fixed);
		return 0;
	}
	if ((e = fill_defaults(run, ret)) || *ret == CFN_FAILED ||
	    (e = run_all(run, steps, ARRAY_SIZE(steps), ret)) ||
	    *ret == CFN_FAILED)
		return err_trace(e);
	return err_trace(cfn_retag(run, ret));
}

/* AWS: one that somebody else has deleted is as good as gone. */
static int
remove_key(struct cfn_run *run, enum cfn_outcome *ret)
{
	struct op_result r;
	int e = cfn_call(run, "ScheduleKeyDeletion", cfn_expr(run,
	    "{'KeyId': '$ref', 'PendingWindowInDays': "
	    "'$p.PendingWindowInDays'}"), &r);

	if (e)
		return err_trace(e);
	if (r.error.n && !cfn_says_gone(r.error) &&
	    !span_is(r.error, "KMSInvalidStateException"))
		*ret = cfn_refused(run, "ScheduleKeyDeletion", &r);
	return 0;
}

const struct cfn_map kms_types[] = {
	{
		.type = "AWS::KMS::Key",
		.on_create = make_key,
		.on_update = change_key,
		.on_remove = remove_key,
		.read = CFN_STEPS(CFN_STEP("DescribeKey", "", KEY)),
		.ref = "$o.KeyMetadata.KeyId",
		.attrs = "{'Arn': '$o.KeyMetadata.Arn', 'KeyId': '$ref'}",
		.tagging = &tagging,
	},
	{
		.type = "AWS::KMS::Alias",
		.create = CFN_STEPS(CFN_STEP("CreateAlias", NULL, NULL)),
		.update = CFN_STEPS(CFN_STEP("UpdateAlias", NULL, NULL)),
		.remove = CFN_STEPS(CFN_STEP("DeleteAlias", "",
		    "{'AliasName': '$ref'}")),
		.ref = "$p.AliasName",
	},
	{.type = NULL},
};
