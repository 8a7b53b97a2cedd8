/* The generated tables are complete and can be searched. */
#include "base/test.h"
#include "wire/model.h"

static void
test_all_services_are_there(void **state UNUSED)
{
	assert_int_equal(models_n, 25);
	for (size_t i = 0; i < models_n; i++) {
		assert_ptr_equal(model_find(span_of(models[i]->name)),
		    models[i]);
		assert_true(models[i]->n_ops > 0);
	}
	assert_null(model_find(SPAN("nope")));
}

static void
test_every_op_and_shape_is_found(void **state UNUSED)
{
	const struct model *m;

	for (size_t i = 0; i < models_n; i++) {
		m = models[i];
		for (size_t k = 0; k < m->n_ops; k++)
			assert_ptr_equal(model_op_find(m,
			    model_op_name(&m->ops[k])), &m->ops[k]);
		for (size_t k = 0; k < m->n_shapes; k++)
			assert_ptr_equal(model_shape_find(m,
			    model_str(m, m->shapes[k].name)), &m->shapes[k]);
	}
	assert_null(model_op_find(model_find(SPAN("ecs")), SPAN("Nope")));
}

static void
test_facts(void **state UNUSED)
{
	const struct model *m = model_by_target(
	    SPAN("AmazonEC2ContainerServiceV20141113"));
	const struct model_op *op;
	const struct model_error *e;

	assert_non_null(m);
	assert_string_equal(m->name, "ecs");
	assert_true(model_speaks(m, PROTO_JSON));
	assert_false(model_speaks(m, PROTO_QUERY));
	op = model_op_find(m, SPAN("CreateService"));
	assert_true(span_is(model_str(m, m->shapes[op->in].name),
	    "CreateServiceRequest"));
	e = model_error_find(m, SPAN("ServerException"));
	assert_int_equal(e->status, 500);
	assert_false(e->sender);
	assert_string_equal(model_by_signing(SPAN("elasticloadbalancing"))->name,
	    "elbv2");
	m = model_find(SPAN("elbv2"));
	e = model_error_find(m, SPAN("LoadBalancerNotFoundException"));
	assert_true(span_is(model_str(m, e->code), "LoadBalancerNotFound"));
	assert_ptr_equal(e, model_error_find(m, SPAN("LoadBalancerNotFound")));
	m = model_find(SPAN("cloudwatch"));
	assert_true(m->query_compatible);
	assert_true(model_speaks(m, PROTO_CBOR) &&
	    model_speaks(m, PROTO_QUERY) && model_speaks(m, PROTO_JSON));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_services_are_there),
		cmocka_unit_test(test_every_op_and_shape_is_found),
		cmocka_unit_test(test_facts),
	};

	return cmocka_run_group_tests_name("wire/model", tests, NULL, NULL);
}
