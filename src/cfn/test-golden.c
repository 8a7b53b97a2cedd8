/* Two whole templates: what of them lives, in which order, as what.  With
 * UPDATE_GOLDEN=1 the golden files are written anew. */
#include <stdio.h>

#include "base/test.h"
#include "cfn/facts.h"
#include "cfn/summary.h"

static int
ref(void *ctx, struct arena *a, struct span id, struct doc **ret,
    struct cfn_error *err)
{
	(void)ctx, (void)err;
	*ret = doc_str(a, arena_fmt_span(a, "<%.*s>", SPAN_ARG(id)));
	return 0;
}

static int
attr(void *ctx, struct arena *a, struct span id, struct span name,
    struct doc **ret, struct cfn_error *err)
{
	(void)ctx, (void)err;
	*ret = doc_str(a, span_is(name, "CidrBlock") ? SPAN("10.0.0.0/16") :
	    arena_fmt_span(a, "<%.*s.%.*s>", SPAN_ARG(id), SPAN_ARG(name)));
	return 0;
}

static int
zones(void *ctx, struct arena *a, struct span region, struct doc **ret,
    struct cfn_error *err)
{
	(void)ctx, (void)err;
	*ret = doc_arr(a);
	doc_push(*ret, doc_str(a, arena_fmt_span(a, "%.*sa", SPAN_ARG(region))));
	doc_push(*ret, doc_str(a, arena_fmt_span(a, "%.*sb", SPAN_ARG(region))));
	return 0;
}

static int
dynamic(void *ctx, struct arena *a, const struct cfn_dynamic *d,
    struct span *ret, struct cfn_error *err)
{
	(void)ctx, (void)err;
	*ret = arena_fmt_span(a, "<%.*s>", SPAN_ARG(d->name));
	return 0;
}

static struct span
slurp(struct arena *a, const char *path)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	FILE *f = fopen(path, "r");
	int c;

	if (!f)
		fail_msg("no %s", path);
	while ((c = getc(f)) != EOF)
		buf_add_char(&b, (char)c);
	fclose(f);
	return arena_span(a, buf_span(&b));
}

static struct doc *
render(struct arena *a, const struct cfn_stack *s)
{
	struct doc *o = doc_obj(a), *resources = doc_obj(a), *props, *out;
	struct cfn_error err = {SPAN_NULL};

	for (size_t i = 0; i < s->n; i++) {
		const struct cfn_resource *r = &s->resources[s->order[i]];

		assert_int_equal(cfn_properties(a, s, s->order[i], 0, &props,
		    &err), 0);
		if (cfn_facts_check(a, cfn_facts_find(r->type), props, &out,
		    &err))
			fail_msg("%.*s: %s", SPAN_ARG(r->id), err.text.p);
		doc_setn(a, resources, r->id, out);
	}
	doc_set(a, o, "Conditions", s->conditions);
	doc_set(a, o, "Resources", resources); /* in order */
	assert_int_equal(cfn_outputs(a, s, 0, &out, &err), 0);
	doc_set(a, o, "Outputs", out);
	doc_set(a, o, "Summary", cfn_summary(a, s->template));
	return o;
}

static void
check(const char *name, const char *given)
{
	static const struct cfn_lookup lookup = {.ref = ref, .attr = attr,
	    .zones = zones, .dynamic = dynamic};
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_(buf_done) struct buf got = BUF_INIT;
	struct cfn_env env = {.account = SPAN("123456789012"),
	    .region = SPAN("us-east-1"), .stack_name = SPAN("app"),
	    .lookup = &lookup};
	const char *path = arena_fmt(a, "src/cfn/golden/%s.json", name);
	struct cfn_error err = {SPAN_NULL};
	struct cfn_template *t;
	struct cfn_stack *s;
	struct doc *g, *values;
	FILE *f;

	AZ(doc_parse_json(a, span_of(given), &g));
	if (cfn_template_parse(a, slurp(a, arena_fmt(a,
	    "src/cfn/golden/%s.yaml", name)), &t, &err) ||
	    cfn_params(a, t, g, &values, &err))
		fail_msg("%s", err.text.p);
	env.params = values;
	if (cfn_stack_open(a, t, &env, &s, &err))
		fail_msg("%s", err.text.p);
	doc_write_json_pretty(&got, render(a, s));
	buf_add_char(&got, '\n');
	if (getenv("UPDATE_GOLDEN")) {
		f = fopen(path, "w");
		assert_non_null(f);
		fputs(buf_str(&got), f);
		fclose(f);
	}
	assert_string_equal(buf_str(&got), slurp(a, path).p);
}

static void
bootstrap(void **state)
{
	(void)state;
	check("bootstrap", "{\"TrustedAccounts\":\"\","
	    "\"TrustedAccountsForLookup\":\"\","
	    "\"CloudFormationExecutionPolicies\":\"\","
	    "\"FileAssetsBucketKmsKeyId\":\"AWS_MANAGED_KEY\","
	    "\"PublicAccessBlockConfiguration\":\"true\"}");
}

static void
preview(void **state)
{
	(void)state;
	check("preview", "{}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bootstrap),
		cmocka_unit_test(preview),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
