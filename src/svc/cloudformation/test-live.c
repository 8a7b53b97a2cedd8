/* The tables of live properties, against models and facts. */
#include "base/test.h"

#include "cfn/facts.h"
#include "svc/cloudformation/live.h"
#include "wire/model.h"

static const struct service *
service(struct span name)
{
	for (const struct service *const *s = services; *s; s++)
		if (span_is(name, (*s)->name))
			return *s;
	return NULL;
}

static void
check_word(const struct live *l, const struct cfn_facts *f, struct span prop)
{
	prop = span_cut(&prop, '.');
	if (!cfn_facts_prop(f, prop))
		fail_msg("%s has no property %.*s", l->type, SPAN_ARG(prop));
}

static void
check_words(const struct live *l, const struct cfn_facts *f, const char *list,
    char mark)
{
	struct span rest = span_of(list), word;

	while (rest.n) {
		word = span_cut(&rest, ' ');
		check_word(l, f, span_cut(&word, mark));
	}
}

/* Every top-level exception leads somewhere. */
static void
check_places(const struct live *l, const struct live_step *s,
    const struct model_op *op)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct cfn_source from = {op, s->at, s->map};
	struct span rest = span_of(s->map), pair, left, missing;
	struct doc *want = doc_obj(a);

	while (rest.n) {
		pair = span_cut(&rest, ' ');
		left = span_cut(&pair, '=');
		if (span_chr(left, '.') < 0)
			doc_setn(a, want, left, doc_arr(a));
	}
	if (!cfn_source_ok(&from, want, a, &missing))
		fail_msg("%s: %s %s %.*s", l->type, s->op, s->at ? s->at : "",
		    SPAN_ARG(missing));
}

static void
test_tables(void **state UNUSED)
{
	for (const struct live *l = live_types; l->type; l++) {
		const struct cfn_facts *f = cfn_facts_find(span_of(l->type));

		if (!f)
			fail_msg("%s is not known", l->type);
		check_words(l, f, l->skip, ' ');
		for (const struct live_step *s = l->steps; s->op; s++) {
			struct span op = span_of(s->op);
			struct span name = span_cut(&op, ':');
			const struct model *m = model_find(name);
			const struct service *of = service(name);
			bool there = !of;

			if (!m || !model_op_find(m, op))
				fail_msg("%s: no operation %s", l->type, s->op);
			for (const struct op_row *r = of ? of->ops : NULL;
			    r && r->name; r++)
				there |= span_is(op, r->name);
			if (!there)
				fail_msg("%s: %s is not implemented", l->type,
				    s->op);
			check_words(l, f, s->takes, ' ');
			check_words(l, f, s->map, '=');
			check_places(l, s, model_op_find(m, op));
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
