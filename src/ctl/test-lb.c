/* The load balancer controller: its verdicts as a table, its life with the
 * fake proxy and a real store. */
#include <stdio.h>

#include "base/clock.h"
#include "base/test.h"
#include "ctl/lb.h"
#include "svc/acm/kinds.h"
#include "svc/ec2/kinds.h"
#include "svc/route53/kinds.h"

static const struct scope here = {{"123456789012", 12}, {"us-east-1", 9}};

/* --- ec2, as far as load balancers ask -------------------------------- */

static struct store *the_store;
static int enis;

struct principal
principal_system(struct span account, const char *service)
{
	return (struct principal){.account = account, .system = true,
	    .service = span_of(service)};
}

int
op_call(struct api *api UNUSED, struct arena *a, const struct principal *who,
    struct scope scope, const char *service, const char *op,
    const struct doc *in, struct op_result *ret)
{
	struct res *r;
	struct doc *eni;

	assert_true(who->system);
	assert_string_equal(service, "ec2");
	*ret = (struct op_result){.out = doc_obj(a)};
	if (strcmp(op, "CreateNetworkInterface") == 0) {
		r = res_new(a, &ec2_network_interface, scope, SPAN_NULL,
		    arena_fmt_span(a, "eni-%d", ++enis));
		r->spec = doc_copy(a, in);
		AZ(store_insert(the_store, a, r));
		eni = doc_copy(a, in);
		doc_set_str(a, eni, "NetworkInterfaceId", r->id);
		doc_setf(a, eni, "PrivateIpAddress", "10.0.0.%d", enis);
		doc_set(a, ret->out, "NetworkInterface", eni);
		return 0;
	}
	assert_string_equal(op, "DeleteNetworkInterface");
	AZ(store_get(the_store, a, &ec2_network_interface, scope, SPAN_NULL,
	    doc_get_str(in, "NetworkInterfaceId"), &r));
	return store_delete(the_store, r);
}

/* --- verdicts ---------------------------------------------------------- */

static const struct doc *
json(struct arena *a, const char *text)
{
	struct doc *d;

	AZ(doc_parse_json(a, span_of(text), &d));
	return d;
}

static void
test_verdict(void **state UNUSED)
{
#define HEALTHY	  "{\"State\":\"healthy\"}"
#define DRAIN(at) "{\"Draining\":true,\"DrainUntil\":" at "}"
	static const struct {
		const char *spec, *status;
		struct lb_server s;
		bool absent;
		enum lb_verdict want;
		const char *text;
	} cases[] = {
	    {"{}", "{}", {.maint = true}, false, LB_INITIAL_REGISTERING,
		"{\"State\":\"initial\",\"Reason\":"
		"\"Elb.RegistrationInProgress\",\"Description\":"
		"\"Target registration is in progress\"}"},
	    {"{}", "{}", {.code = 0}, true, LB_INITIAL_REGISTERING, NULL},
	    {"{}", "{}", {.check = LB_CHECK_NONE, .since_s = 999}, false,
		LB_INITIAL_CHECKING,
		"{\"State\":\"initial\",\"Reason\":"
		"\"Elb.InitialHealthChecking\",\"Description\":"
		"\"Initial health checks in progress\"}"},
	    {"{}", "{}", {.check = LB_CHECK_FAILED, .since_s = 29}, false,
		LB_INITIAL_CHECKING, NULL},
	    {"{}", "{}", {.check = LB_CHECK_FAILED, .since_s = 30}, false,
		LB_UNHEALTHY_FAILED,
		"{\"State\":\"unhealthy\",\"Reason\":"
		"\"Target.FailedHealthChecks\",\"Description\":"
		"\"Health checks failed\"}"},
	    {"{}", "{}", {.up = true, .check = LB_CHECK_OK}, false, LB_HEALTHY,
		HEALTHY},
	    {"{}", HEALTHY, {.check = LB_CHECK_CODE, .code = 503}, false,
		LB_UNHEALTHY_CODE,
		"{\"State\":\"unhealthy\",\"Reason\":"
		"\"Target.ResponseCodeMismatch\",\"Description\":"
		"\"Health checks failed with these codes: [503]\"}"},
	    {"{}", HEALTHY, {.check = LB_CHECK_TIMEOUT}, false,
		LB_UNHEALTHY_TIMEOUT,
		"{\"State\":\"unhealthy\",\"Reason\":\"Target.Timeout\","
		"\"Description\":\"Request timed out\"}"},
	    {"{}", "{\"State\":\"unhealthy\",\"Reason\":\"Target.Timeout\"}",
		{.check = LB_CHECK_OK}, false, LB_UNHEALTHY_STILL,
		"{\"State\":\"unhealthy\",\"Reason\":\"Target.Timeout\"}"},
	    {DRAIN("100"), HEALTHY, {.drain = true, .active = 1}, false,
		LB_DRAINING,
		"{\"State\":\"draining\",\"Reason\":"
		"\"Target.DeregistrationInProgress\",\"Description\":"
		"\"Target deregistration is in progress\"}"},
	    {DRAIN("100"), HEALTHY, {.up = true}, false, LB_DRAINING, NULL},
	    {DRAIN("100"), HEALTHY, {.drain = true}, false, LB_DRAINED, NULL},
	    {DRAIN("50"), HEALTHY, {.drain = true, .active = 9}, false,
		LB_DRAINED, NULL},
	    {DRAIN("100"), HEALTHY, {.code = 0}, true, LB_DRAINED, NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct res *t = res_new(a, &elbv2_target, here, SPAN("arn"),
		    SPAN("10.0.0.1:80"));
		const struct lb_server *s = cases[i].absent ? NULL
		    : &cases[i].s;
		enum lb_verdict got;

		t->spec = doc_copy(a, json(a, cases[i].spec));
		t->status = doc_copy(a, json(a, cases[i].status));
		got = lb_verdict(t, NULL, s, 60000);
		if (got != cases[i].want)
			fail_msg("case %zu: %d", i, got);
		if (cases[i].text && !doc_eq(json(a, cases[i].text),
		    lb_verdict_status(a, got, s, t->status)))
			fail_msg("case %zu: %.*s", i, SPAN_ARG(doc_json(a,
			    lb_verdict_status(a, got, s, t->status))));
	}
}

static void
test_interfaces(void **state UNUSED)
{
	static const struct {
		const char *spec, *status;
		const char *add, *drop, *change;
	} cases[] = {
		{"{\"AvailabilityZones\":[{\"SubnetId\":\"a\"},"
		    "{\"SubnetId\":\"b\"}]}", "{}", "[\"a\",\"b\"]", "[]",
		    "[]"},
		{"{\"AvailabilityZones\":[{\"SubnetId\":\"a\"}],"
		    "\"SecurityGroups\":[\"g\"]}",
		    "{\"Interfaces\":[{\"SubnetId\":\"a\",\"Groups\":[\"g\"]},"
		    "{\"SubnetId\":\"c\"}]}", "[]", "[{\"SubnetId\":\"c\"}]",
		    "[]"},
		{"{\"AvailabilityZones\":[{\"SubnetId\":\"a\"}],"
		    "\"SecurityGroups\":[\"h\"]}",
		    "{\"Interfaces\":[{\"SubnetId\":\"a\",\"Groups\":"
		    "[\"g\"]}]}", "[]", "[]",
		    "[{\"SubnetId\":\"a\",\"Groups\":[\"g\"]}]"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct lb_interfaces p = lb_interfaces_plan(a,
		    json(a, cases[i].spec), json(a, cases[i].status));

		if (!doc_eq(p.add, json(a, cases[i].add)) ||
		    !doc_eq(p.drop, json(a, cases[i].drop)) ||
		    !doc_eq(p.change, json(a, cases[i].change)))
			fail_msg("case %zu", i);
	}
}

/* --- a life ------------------------------------------------------------ */

#define TG_ARN "arn:aws:elasticloadbalancing:us-east-1:123456789012:" \
	"targetgroup/tg/00000000000000aa"

struct world {
	struct ctl_env env;
	struct ctl *ctl;
	uv_loop_t loop;
	uv_prepare_t prep;
	char *dir;
};

static void
commit(uv_prepare_t *h)
{
	store_commit(h->data);
}

static void
insert(struct world *w, const struct kind *k, const char *parent,
    const char *id, const char *spec)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct res *r = res_new(a, k, here, span_of(parent), span_of(id));

	r->spec = doc_copy(a, json(a, spec));
	AZ(store_insert(w->env.store, a, r));
}

static struct res *
get(struct world *w, struct arena *a, const struct kind *k,
    const char *parent, const char *id)
{
	struct res *r;

	return store_get(w->env.store, a, k, here, span_of(parent),
	    span_of(id), &r) == 0 ? r : NULL;
}

/* Turns the loop until a row's status has this State, or is gone. */
static void
until(struct world *w, const struct kind *k, const char *parent,
    const char *id, const char *want)
{
	int64_t end = clock_mono_us() + 5000000;

	while (clock_mono_us() < end) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct res *r = get(w, a, k, parent, id);

		if (want ? r && span_is(doc_get_str(r->status, "State"), want)
			 : !r)
			return;
		uv_run(&w->loop, UV_RUN_ONCE);
	}
	fail_msg("%s %s did not become %s", k->name, id, want ? want : "gone");
}

static void
planes_up(struct world *w)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct query q = {.kind = &ec2_network_interface, .scope = here};
	struct res_list l;

	AZ(store_list(w->env.store, a, &q, &l));
	assert_int_equal(l.n, 2);
	for (size_t i = 0; i < l.n; i++) {
		doc_set_str(a, l.v[i]->status, "plane", SPAN("up"));
		AZ(store_put_status(w->env.store, l.v[i]));
	}
}

static void
world_init(struct world *w)
{
	static const struct kind *kinds[] = {&elbv2_load_balancer,
		&elbv2_target_group, &elbv2_listener, &elbv2_rule,
		&elbv2_target, &ec2_network_interface, &acm_certificate,
		&route53_record_set, NULL};
	static const struct controller *const list[] = {&ctl_lb, &ctl_lb_group,
		&ctl_edge, NULL};

	memset(w, 0, sizeof(*w));
	enis = 0;
	w->dir = xstrdup("/tmp/test-lb-XXXXXX");
	AN(mkdtemp(w->dir));
	AZ(uv_loop_init(&w->loop));
	w->env.loop = &w->loop;
	AZ(store_open(w->dir, kinds, &w->env.store));
	the_store = w->env.store;
	AZ(store_set_setting(the_store, "edge_http_port", SPAN("auto")));
	w->env.lb = lb_fake_new(&w->loop);
	AZ(uv_prepare_init(&w->loop, &w->prep));
	w->prep.data = w->env.store;
	AZ(uv_prepare_start(&w->prep, commit));
	AZ(ctl_new(&w->env, list, &w->ctl));
}

static void
world_done(struct world *w)
{
	_cleanup_free_ char *rm = xasprintf("rm -rf %s", w->dir);

	ctl_free(w->ctl);
	w->env.lb->ops->free(w->env.lb);
	uv_close((uv_handle_t *)&w->prep, NULL);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&w->loop), 0);
	store_close(w->env.store);
	AZ(system(rm));
	free(w->dir);
}

static void
test_life(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct span name = lb_server_name(a, SPAN(TG_ARN), SPAN("10.0.0.9:80"));
	const char *lb_id = "app/x/00000000000000bb";
	struct world w;
	struct res *lb, *t;

	world_init(&w);
	insert(&w, &elbv2_load_balancer, "", lb_id, "{\"Scheme\":"
	    "\"internet-facing\",\"DNSName\":\"X-1.test\","
	    "\"SecurityGroups\":[\"sg-1\"],\"AvailabilityZones\":"
	    "[{\"SubnetId\":\"s-a\"},{\"SubnetId\":\"s-b\"}]}");
	until(&w, &elbv2_load_balancer, "", lb_id, "provisioning");
	assert_false(lb_fake_running(w.env.lb, SPAN("lb-00000000000000bb")));
	planes_up(&w);
	until(&w, &elbv2_load_balancer, "", lb_id, "active");
	assert_true(lb_fake_running(w.env.lb, SPAN("lb-00000000000000bb")));

	insert(&w, &elbv2_target_group, "", "tg/00000000000000aa",
	    "{\"UnhealthyThresholdCount\":2}");
	insert(&w, &elbv2_target, TG_ARN, "10.0.0.9:80",
	    "{\"Id\":\"10.0.0.9\",\"Port\":80}");
	until(&w, &elbv2_target, TG_ARN, "10.0.0.9:80", "unused");
	insert(&w, &elbv2_listener, lb_id, "00000000000000cc",
	    "{\"Port\":80,\"TargetGroupArns\":[\"" TG_ARN "\"]}");
	until(&w, &elbv2_target, TG_ARN, "10.0.0.9:80", "initial");
	lb_fake_health(w.env.lb, name, true, 0);
	until(&w, &elbv2_target, TG_ARN, "10.0.0.9:80", "healthy");
	lb_fake_health(w.env.lb, name, false, 500);
	until(&w, &elbv2_target, TG_ARN, "10.0.0.9:80", "unhealthy");

	/* Draining ends with the last request, not before. */
	lb_fake_active(w.env.lb, name, 1);
	t = get(&w, a, &elbv2_target, TG_ARN, "10.0.0.9:80");
	doc_set_bool(a, t->spec, "Draining", true);
	doc_set_time(a, t->spec, "DrainUntil", clock_ms() + 60000);
	AZ(store_put_spec(w.env.store, t));
	until(&w, &elbv2_target, TG_ARN, "10.0.0.9:80", "draining");
	lb_fake_active(w.env.lb, name, 0);
	until(&w, &elbv2_target, TG_ARN, "10.0.0.9:80", NULL);

	lb = get(&w, a, &elbv2_load_balancer, "", lb_id);
	doc_set_bool(a, lb->spec, "Deleting", true);
	AZ(store_put_spec(w.env.store, lb));
	until(&w, &elbv2_load_balancer, "", lb_id, NULL);
	assert_false(lb_fake_running(w.env.lb, SPAN("lb-00000000000000bb")));
	assert_null(get(&w, a, &ec2_network_interface, "", "eni-1"));
	assert_null(get(&w, a, &ec2_network_interface, "", "eni-2"));
	world_done(&w);
}

/* A listener that goes away leaves its targets unused. */
static void
test_group_unused(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *lb_id = "app/x/00000000000000bb";
	struct world w;
	struct res *l;

	world_init(&w);
	insert(&w, &elbv2_load_balancer, "", lb_id, "{\"AvailabilityZones\":"
	    "[{\"SubnetId\":\"s-a\"},{\"SubnetId\":\"s-b\"}]}");
	insert(&w, &elbv2_target_group, "", "tg/00000000000000aa", "{}");
	insert(&w, &elbv2_target, TG_ARN, "10.0.0.9:80",
	    "{\"Id\":\"10.0.0.9\",\"Port\":80}");
	insert(&w, &elbv2_listener, lb_id, "00000000000000cc",
	    "{\"Port\":80,\"TargetGroupArns\":[\"" TG_ARN "\"]}");
	until(&w, &elbv2_load_balancer, "", lb_id, "provisioning");
	planes_up(&w);
	until(&w, &elbv2_target, TG_ARN, "10.0.0.9:80", "initial");
	l = get(&w, a, &elbv2_listener, lb_id, "00000000000000cc");
	AZ(store_delete(w.env.store, l));
	until(&w, &elbv2_target, TG_ARN, "10.0.0.9:80", "unused");
	world_done(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_verdict),
	    cmocka_unit_test(test_interfaces),
	    cmocka_unit_test(test_life),
	    cmocka_unit_test(test_group_unused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
