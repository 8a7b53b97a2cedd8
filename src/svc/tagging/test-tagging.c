/* The routes against the models; ARNs. */
#include "base/test.h"

#include "svc/tagging/tagging.h"
#include "wire/model.h"

/* The input member of an operation, which must be there. */
static const struct model_shape *
member(const struct model *m, const char *op, const char *name)
{
	const struct model_op *o = model_op_find(m, span_of(op));
	const struct model_member *mb;

	if (!o)
		fail_msg("%s has no %s", m->name, op);
	mb = model_member_find(m, model_shape(m, o->in), span_of(name));
	if (!mb)
		fail_msg("%s:%s has no %s", m->name, op, name);
	return &m->shapes[mb->shape];
}

static const struct model_shape *
element(const struct model *m, const struct model_shape *list)
{
	assert_int_equal(list->type, MODEL_LIST);
	return &m->shapes[model_members(m, list)->shape];
}

static void
check_tags(const struct model *m, const struct tag_route *r)
{
	static const char *const keys[] = {
		[TAGS_UPPER] = "Key", [TAGS_LOWER] = "key",
		[TAGS_KMS] = "TagKey", [TAGS_MAP] = NULL};
	const struct model_shape *s = member(m, r->tag, r->tags);

	if (r->tag_form == TAGS_MAP)
		assert_int_equal(s->type, MODEL_MAP);
	else
		assert_non_null(model_member_find(m, element(m, s),
		    span_of(keys[r->tag_form])));
	s = element(m, member(m, r->untag, r->keys));
	assert_int_equal(s->type,
	    r->keys_in_pairs ? MODEL_STRUCTURE : MODEL_STRING);
}

static void
test_routes(void **state UNUSED)
{
	for (const struct tag_route *r = tag_routes; r->namespace; r++) {
		const struct model *m = model_find(span_of(r->service));
		bool list = r->resource_form == RESOURCE_ARNS ||
		    r->resource_form == RESOURCE_IDS;

		assert_non_null(m);
		assert_int_equal(member(m, r->tag, r->resource)->type,
		    list ? MODEL_LIST : MODEL_STRING);
		assert_int_equal(member(m, r->untag, r->resource)->type,
		    list ? MODEL_LIST : MODEL_STRING);
		check_tags(m, r);
	}
}

static void
test_arns(void **state UNUSED)
{
	static const struct {
		const char *arn;
		const char *type;
		bool ok, is;
	} cases[] = {
		{"arn:aws:ecs:us-east-1:1:service/main/web", "ecs", true, true},
		{"arn:aws:ecs:us-east-1:1:service/main/web", "ecs:service",
		    true, true},
		{"arn:aws:ecs:us-east-1:1:service/main/web", "ecs:serv", true,
		    false},
		{"arn:aws:ecs:us-east-1:1:service/main/web", "ec2", true,
		    false},
		{"arn:aws:elasticloadbalancing:r:1:loadbalancer/app/x/1",
		    "elasticloadbalancing:loadbalancer/app", true, true},
		{"arn:aws:elasticloadbalancing:r:1:loadbalancer/app/x/1",
		    "elasticloadbalancing:loadbalancer/net", true, false},
		{"arn:aws:logs:r:1:log-group:/a:*", "logs:log-group", true,
		    true},
		{"arn:aws:s3:::bucket", "s3", true, true},
		{"arn:aws:s3", "s3", false, false},
		{"nonsense", "s3", false, false},
		{"", "", false, false},
	};
	struct arn a;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(arn_read(span_of(cases[i].arn), &a),
		    cases[i].ok);
		assert_int_equal(arn_is(span_of(cases[i].arn),
		    span_of(cases[i].type)), cases[i].is);
	}
	assert_true(arn_read(span_of(cases[6].arn), &a));
	assert_true(span_is(a.resource, "log-group:/a:*"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_routes), cmocka_unit_test(test_arns)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
