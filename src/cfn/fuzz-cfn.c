/* A template from a stranger: read, opened with its defaults, evaluated, shown
 * against itself (which must change nothing) and summed up. */
#include "cfn/diff.h"
#include "cfn/drift.h"
#include "cfn/facts.h"
#include "cfn/stack-policy.h"
#include "cfn/summary.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static int
zones(void *ctx UNUSED, struct arena *a, struct span region, struct doc **ret,
    struct cfn_error *err UNUSED)
{
	*ret = doc_arr(a);
	doc_push(*ret, doc_strdup(a, region));
	return 0;
}

static int
dynamic(void *ctx UNUSED, struct arena *a UNUSED, const struct cfn_dynamic *d,
    struct span *ret, struct cfn_error *err UNUSED)
{
	AN(d->name.n && d->name.p >= d->text.p);
	*ret = d->name;
	return 0;
}

/* An order has everything once, and each after what it needs. */
static void
check_order(struct arena *a, const struct cfn_stack *s)
{
	bool *done = arena_array(a, bool, s->n + 1);

	for (size_t i = 0; i < s->n; i++) {
		AZ(done[s->order[i]]);
		AN(cfn_ready(s, s->order[i], done));
		AN(cfn_find(s, s->resources[i].id) == i);
		done[s->order[i]] = true;
	}
}

static void
resources(struct arena *a, const struct cfn_stack *s)
{
	const struct cfn_facts *f;
	struct cfn_error err;
	struct doc *d, *out;

	for (size_t i = 0; i < s->n; i++) {
		cfn_policy(a, s, i, "DeletionPolicy");
		cfn_properties(a, s, i, 0, &d, &err);
		f = cfn_facts_find(s->resources[i].type);
		if (cfn_properties(a, s, i, CFN_SHOW, &d, &err) == 0 && f)
			cfn_facts_check(a, f, d, &out, &err);
	}
	cfn_outputs(a, s, 0, &d, &err);
	cfn_imports(a, s);
}

/* Their templates may have changed, so they always count as changed. */
static bool
has_nested(const struct cfn_stack *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (span_is(s->resources[i].type, "AWS::CloudFormation::Stack"))
			return true;
	return false;
}

/* The same bytes as a stack policy. */
static void
policy(struct arena *a, struct span text)
{
	struct cfn_error err = {SPAN_NULL};
	struct span why = SPAN_NULL;
	struct doc *d;
	int r = cfn_stack_policy_parse(a, text, &d, &err);

	AN(r == 0 || (r == CFN_E_INVALID && err.text.n));
	if (!r)
		AN(cfn_stack_policy_allows(a, d, "Update:Modify", SPAN("A"),
		    SPAN("AWS::EC2::VPC"), &why) || why.n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct cfn_lookup lookup = {.zones = zones,
	    .dynamic = dynamic};
	_cleanup_arena_ struct arena *a = arena_new();
	struct cfn_env env = {.account = SPAN("123456789012"),
	    .region = SPAN("us-east-1"), .stack_name = SPAN("s"),
	    .lookup = &lookup};
	struct cfn_error err = {SPAN_NULL};
	struct cfn_diff in = {.values = n & 1};
	struct cfn_template *t;
	struct cfn_stack *s;
	struct doc *d;
	int r;

	if (n > 20000)
		return 0;
	policy(a, span_make((const char *)p, n));
	r = cfn_template_parse(a, span_make((const char *)p, n), &t, &err);
	AN(r == 0 || (r == CFN_E_INVALID && err.text.n));
	if (r)
		return 0;
	cfn_summary(a, t);
	cfn_validate_output(a, t);
	if (cfn_params(a, t, NULL, &d, &err))
		return 0;
	env.params = d;
	cfn_params_shown(a, t, d, NULL);
	cfn_params_ssm(a, t, d);
	cfn_params_naming(a, t, d, NULL);
	r = cfn_stack_open(a, t, &env, &s, &err);
	AN(r >= 0);
	if (r)
		return 0;
	cfn_dynamics(a, s, doc_obj(a), &err);
	check_order(a, s);
	resources(a, s);
	in.before = in.after = s;
	if (cfn_diff(a, &in, &d, &err) == 0)
		AN(doc_len(d) == 0 || has_nested(s));
	AN(doc_len(cfn_drift(a, s->doc, s->doc)) == 0);
	return 0;
}
