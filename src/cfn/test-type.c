/* Every service's table of resource types against models and facts; how
 * properties become inputs; expressions. */
#include "base/test.h"

#include <string.h>

#include "cfn/facts.h"
#include "cfn/type.h"
#include "wire/model.h"

/* Tables */

static const struct model_op *
operation(const struct service *s, const struct cfn_map *m, const char *op)
{
	struct span rest = span_of(op), head = span_cut(&rest, ':');
	struct span service = rest.p ? head : span_of(s->name);
	struct span name = rest.p ? rest : head;
	const struct model *model = model_find(service);
	const struct model_op *mo = model ? model_op_find(model, name) : NULL;
	bool there = false;

	if (!mo)
		fail_msg("%s: no operation %s", m->type, op);
	for (const struct service *const *o = services; *o; o++)
		if (span_is(service, (*o)->name))
			for (const struct op_row *r = (*o)->ops; r->name; r++)
				there |= span_is(name, r->name);
	if (!there)
		fail_msg("%s: %s is not implemented", m->type, op);
	return mo;
}

static void
properties(const struct cfn_facts *f, const char *list)
{
	struct span rest = span_of(list), word;

	while (rest.p && rest.n) {
		word = span_cut(&rest, ' ');
		if (!cfn_facts_prop(f, word))
			fail_msg("%s has no property %.*s", f->type,
			    SPAN_ARG(word));
	}
}

static struct doc *
json(struct arena *a, const char *expr)
{
	char *s = arena_str(a, span_of(expr));
	struct doc *d;

	for (char *p = s; *p; p++)
		if (*p == '\'')
			*p = '"';
	if (doc_parse_json(a, span_of(s), &d))
		fail_msg("no JSON: %s", expr);
	return d;
}

/* Members of .with are members of the input. */
static void
check_with(struct arena *a, const struct model_op *mo, const char *with)
{
	const struct model_shape *in = model_shape(mo->model, mo->in);

	if (!with)
		return;
	doc_each_key(k, v, json(a, with))
		if (!model_member_find(mo->model, in, k))
			fail_msg("%.*s has no member %.*s",
			    SPAN_ARG(model_op_name(mo)), SPAN_ARG(k));
}

static void
check_steps(struct arena *a, const struct service *s, const struct cfn_map *m,
    const struct cfn_facts *f, const struct cfn_step *list)
{
	for (; list && list->op; list++) {
		const struct model_op *mo = operation(s, m, list->op);

		check_with(a, mo, list->with);
		if (list->takes)
			properties(f, list->takes);
		if (list->without)
			operation(s, m, list->without);
	}
}

static void
check_attrs(struct arena *a, const struct cfn_map *m, const struct cfn_facts *f)
{
	if (!m->attrs)
		return;
	doc_each_key(k, v, json(a, m->attrs))
		if (k.p[0] != '.' && !cfn_facts_attr(f, k) &&
		    !cfn_facts_prop(f, k))
			fail_msg("%s has no attribute %.*s", m->type,
			    SPAN_ARG(k));
}

static void
test_tables(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	size_t n = 0;

	for (const struct service *const *s = services; *s; s++)
		for (const struct cfn_map *m = (*s)->types; m && m->type; m++) {
			const struct cfn_facts *f =
			    cfn_facts_find(span_of(m->type));

			if (!f)
				fail_msg("no facts of %s", m->type);
			assert_true(m->create || m->on_create);
			check_steps(a, *s, m, f, m->create);
			check_steps(a, *s, m, f, m->update);
			check_steps(a, *s, m, f, m->remove);
			check_steps(a, *s, m, f, m->read);
			if (m->no_effect)
				properties(f, m->no_effect);
			if (m->unsets)
				properties(f, m->unsets);
			if (m->name)
				properties(f, m->name);
			if (m->defaults)
				doc_each_key(k, v, json(a, m->defaults))
					properties(f, arena_str(a, k));
			if (m->tagging) {
				operation(*s, m, m->tagging->tag);
				operation(*s, m, m->tagging->untag);
			}
			check_attrs(a, m, f);
			n++;
		}
	assert_true(n > 20);
}

/* Inputs */

static const struct {
	const char *service, *op, *map, *props, *want; /* NULL: refused */
	const char *why;
} inputs[] = {
	{"ecs", "CreateCluster", "ClusterSettings=settings",
	    "{'ClusterName': 'a', 'ClusterSettings': [{'Name': "
	    "'containerInsights', 'Value': 'enabled'}]}",
	    "{'clusterName': 'a', 'settings': [{'name': 'containerInsights', "
	    "'value': 'enabled'}]}", NULL},
	{"ecs", "CreateService", NULL, "{'DesiredCount': '2', "
	    "'EnableECSManagedTags': 'true'}",
	    "{'desiredCount': 2, 'enableECSManagedTags': true}", NULL},
	{"ecs", "CreateService", NULL, "{'DesiredCount': 2.5}", NULL,
	    "DesiredCount"},
	{"ecs", "RegisterTaskDefinition", NULL, "{'Cpu': 256, "
	    "'ContainerDefinitions': [{'Name': 'a', 'DockerLabels': "
	    "{'Some.Key': 'V'}, 'LogConfiguration': {'LogDriver': 'awslogs', "
	    "'Options': {'awslogs-Group': 'x'}}}]}",
	    "{'cpu': '256', 'containerDefinitions': [{'name': 'a', "
	    "'dockerLabels': {'Some.Key': 'V'}, 'logConfiguration': "
	    "{'logDriver': 'awslogs', 'options': {'awslogs-Group': 'x'}}}]}",
	    NULL},
	{"ecs", "RegisterTaskDefinition", NULL, "{'ContainerDefinitions': "
	    "[{'Name': 'a', 'Colour': 'red'}]}", NULL,
	    "ContainerDefinitions.Colour"},
	{"logs", "CreateLogGroup", NULL, "{'LogGroupName': 'g', 'Tags': "
	    "[{'Key': 'A', 'Value': 'b'}]}",
	    "{'logGroupName': 'g', 'tags': {'A': 'b'}}", NULL},
	{"ecr", "SetRepositoryPolicy", "RepositoryPolicyText=policyText",
	    "{'RepositoryPolicyText': {'Statement': []}}",
	    "{'policyText': '{\\'Statement\\':[]}'}", NULL},
	{"ec2", "ModifyVpcAttribute", NULL, "{'EnableDnsSupport': false}",
	    "{'EnableDnsSupport': {'Value': false}}", NULL},
	{"kms", "CreateKey", NULL, "{'Tags': [{'Key': 'A', 'Value': 'b'}]}",
	    "{'Tags': [{'TagKey': 'A', 'TagValue': 'b'}]}", NULL},
	{"elbv2", "CreateRule", NULL, "{'Priority': 3, 'Conditions': "
	    "[{'Field': 'path-pattern', 'PathPatternConfig': {'Values': "
	    "['/a']}}]}",
	    "{'Priority': 3, 'Conditions': [{'Field': 'path-pattern', "
	    "'PathPatternConfig': {'Values': ['/a']}}]}", NULL},
};

static void
test_inputs(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();

	for (size_t i = 0; i < ARRAY_SIZE(inputs); i++) {
		const struct model *m = model_find(span_of(inputs[i].service));
		struct doc *got = doc_obj(a);
		struct span why = SPAN_NULL;
		bool ok = cfn_input(a, model_op_find(m, span_of(inputs[i].op)),
		    json(a, inputs[i].props), inputs[i].map, got, &why);

		assert_int_equal(ok, inputs[i].want != NULL);
		if (!ok)
			assert_string_equal(arena_str(a, why), inputs[i].why);
		else if (!doc_eq(got, json(a, inputs[i].want)))
			fail_msg("%s: %.*s", inputs[i].op,
			    SPAN_ARG(doc_json(a, got)));
	}
}

/* Expressions */

static void
test_expressions(void **state UNUSED)
{
	static const struct {
		const char *expr, *want;
	} rows[] = {
		{"$ref", "'arn:x:loadbalancer/app/n/1'"},
		{"$ref>loadbalancer/", "'app/n/1'"},
		{"a/${ref>app/}", "'a/n/1'"},
		{"$p.List.1.Id", "'b'"},
		{"$p.List.*.Id", "['a', 'b']"},
		{"$p.Missing", NULL},
		{"x-${p.Missing}", NULL},
		{"$a.Endpoint.Port", "80"},
		{"$a..Private", "'s'"},
		{"$o.service.arn", "'o'"},
		{"{'A': '$p.Missing', 'B': ['$p.N', '$p.Missing'], 'C': true}",
		    "{'B': [7], 'C': true}"},
		{"${account}:${region}:${stack}:${logical}",
		    "'1:eu:s:L'"},
	};
	_cleanup_arena_ struct arena *a = arena_new();
	struct cfn_run run = {.arena = a,
		.ref = SPAN("arn:x:loadbalancer/app/n/1"),
		.scope = {SPAN("1"), SPAN("eu")}, .stack = SPAN("s"),
		.logical = SPAN("L")};

	run.props = json(a, "{'List': [{'Id': 'a'}, {'Id': 'b'}], 'N': 7}");
	run.attrs = json(a, "{'Endpoint.Port': 80, '.Private': 's'}");
	run.out = json(a, "{'service': {'arn': 'o'}}");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct doc *got = cfn_expr(&run, rows[i].expr);
		struct doc *want = rows[i].want ? json(a, rows[i].want) : NULL;

		if (!want ? got != NULL : !doc_eq(got, want))
			fail_msg("%s: %.*s", rows[i].expr,
			    SPAN_ARG(doc_json(a, got)));
	}
}

/* Names */

static void
test_names(void **state UNUSED)
{
	static const struct {
		const char *stack, *logical;
		unsigned max;
		bool lower, plain;
		const char *want;
	} rows[] = {
		{"stack", "Group", 0, false, false, "stack-Group-ABCDEF012345"},
		{"Stack", "Repo", 0, true, false, "stack-repo-abcdef012345"},
		{"averylongstackname", "AVeryLongLogicalId", 32, false, true,
		    "averylong-AVeryLong-ABCDEF012345"},
		{"s", "AVeryLongLogicalId", 32, false, true,
		    "s-AVeryLongLogicalI-ABCDEF012345"},
		{"averylon-stackname", "Id", 32, false, true,
		    "averylon-stackna-Id-ABCDEF012345"},
		{"averylong-stackname", "AVeryLongLogicalId", 33, false, true,
		    "averylong-AVeryLong-ABCDEF012345"},
	};
	_cleanup_arena_ struct arena *a = arena_new();

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct cfn_map m = {.name = "N",
			.name_max = rows[i].max, .name_lower = rows[i].lower,
			.name_plain = rows[i].plain};
		const struct cfn_run run = {.arena = a, .map = &m,
			.stack = span_of(rows[i].stack),
			.logical = span_of(rows[i].logical),
			.random = SPAN("ABCDEF012345")};
		struct span got = cfn_name(&run);

		if (rows[i].max)
			assert_true(got.n <= rows[i].max);
		assert_string_equal(arena_str(a, got), rows[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_inputs),
		cmocka_unit_test(test_expressions),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
