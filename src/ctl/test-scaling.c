/* The scaling controller by the clock: the real service and its controller, an
 * ecs and an iam that do what is asked, periods of a minute. */
#include <stdio.h>
#include <unistd.h>

#include "api/api.h"
#include "base/clock.h"
#include "base/test.h"
#include "ctl/scaling.h"
#include "svc/application-autoscaling/scaling.h"
#include "svc/ecs/kinds.h"

static const struct scope here = {{"123456789012", 12}, {"us-east-1", 9}};
#define MINUTE 60000
#define CPU    "{\"PredefinedMetricType\":\"ECSServiceAverageCPUUtilization\"}"

static struct store *store;
static struct api *api;
static struct ctl *ctl;
static struct arena *a;
static struct ctl_env env;
static char *dir;
static int64_t now;
static const char *refusal; /* of the next UpdateService */

/* --- ecs and iam --------------------------------------------------------- */

static struct res *
service(void)
{
	struct res *r;

	AZ(store_get(store, a, &ecs_service, here, SPAN("c"), SPAN("s"), &r));
	return r;
}

static int64_t
desired(void)
{
	return doc_get_int(service()->spec, "desiredCount", -1);
}

static struct reply *
update(struct call *c)
{
	struct res *r = service();

	if (refusal)
		return reply_error(c, "ServiceNotActiveException", "%s",
		    refusal);
	doc_set_int(a, r->spec, "desiredCount",
	    doc_get_int(c->in, "desiredCount", -1));
	doc_set_int(a, r->status, "runningCount",
	    doc_get_int(c->in, "desiredCount", -1));
	AZ(store_put_spec(store, r));
	AZ(store_put_status(store, r));
	return reply_ok(c, NULL);
}

static struct reply *
make_role(struct call *c)
{
	return reply_ok(c, NULL);
}

static const struct op_row ecs_ops[] = {
	{"UpdateService", update, NULL}, {NULL, NULL, NULL}};
static const struct op_row iam_ops[] = {
	{"CreateServiceLinkedRole", make_role, NULL}, {NULL, NULL, NULL}};
static const struct service ecs = {.name = "ecs", .ops = ecs_ops,
	.kinds = ecs_kinds};
static const struct service iam = {.name = "iam", .ops = iam_ops};
static const struct service *const all[] = {
	&scaling_service, &ecs, &iam, NULL};
static const struct controller *const list[] = {&ctl_scaling, NULL};

/* --- the world ----------------------------------------------------------- */

static void
settle(void)
{
	for (int i = 0; i < 8; i++) {
		store_commit(store);
		uv_run(env.loop, UV_RUN_NOWAIT);
	}
	store_commit(store);
}

/* The controller looks at all of it, as it does when a period is over. */
static void
at(int64_t ms)
{
	struct query q = {.kind = &scaling_target, .scope = here};
	struct res_list l;

	now = ms;
	clock_fake(now);
	AZ(store_list(store, a, &q, &l));
	for (size_t i = 0; i < l.n; i++)
		ctl_wake(ctl, &ctl_scaling, l.v[i]->row);
	settle();
}

static int64_t
utc(const char *text)
{
	int64_t ms;

	AN(clock_parse_iso(span_of(text), &ms));
	return ms;
}

static void
call(const char *op, const char *fmt, ...)
{
	struct principal who = {.account = here.account};
	struct op_result r = {0};
	struct doc *in;
	va_list ap;

	va_start(ap, fmt);
	AZ(doc_parse_json(a, span_of(arena_vfmt(a, fmt, ap)), &in));
	va_end(ap);
	doc_set_str(a, in, "ServiceNamespace", SPAN("ecs"));
	doc_set_str(a, in, "ResourceId", SPAN("service/c/s"));
	doc_set_str(a, in, "ScalableDimension",
	    SPAN("ecs:service:DesiredCount"));
	AZ(op_call(api, a, &who, here, "application-autoscaling", op, in, &r));
	if (r.error.n)
		fail_msg("%s: %.*s", op, SPAN_ARG(r.message));
	settle();
}

/* One datapoint of the period that ended, and a look. */
static void
minute(double cpu)
{
	struct metric_sample s = {metric_of_service(a, here, "CPUUtilization",
	    SPAN("c"), SPAN("s")), {now, cpu, 1, cpu, cpu}};

	AZ(metric_put(store_metrics(store), &s, 1));
	at(now + MINUTE);
}

static void
minutes(int n, double cpu)
{
	while (n-- > 0)
		minute(cpu);
}

/* The newest activity's member. */
static const char *
told(const char *member)
{
	struct query q = {.kind = &scaling_activity, .scope = here,
		.any_parent = true, .newest_first = true, .limit = 1};
	struct res_list l;

	AZ(store_list(store, a, &q, &l));
	return l.n ? arena_str(a, doc_get_str(l.v[0]->status, member)) : "";
}

static int64_t
count(const struct kind *k)
{
	return store_count(store, &(struct query){.kind = k, .scope = here,
	    .any_parent = true});
}

static int
set_up(void **state UNUSED)
{
	static const struct kind *kinds[32];
	struct api_config c = {.services = all};
	struct res *r;
	size_t n = 0;

	a = arena_new();
	dir = mkdtemp(arena_fmt(a, "/tmp/ngscale-XXXXXX"));
	AN(dir);
	for (size_t i = 0; ecs_kinds[i]; i++)
		kinds[n++] = ecs_kinds[i];
	for (size_t i = 0; scaling_kinds[i]; i++)
		kinds[n++] = scaling_kinds[i];
	AZ(store_open(dir, kinds, &store));
	c.store = store;
	c.root.account = here.account;
	api = api_new(&c);
	env = (struct ctl_env){.loop = uv_default_loop(), .store = store,
		.api = api};
	AZ(ctl_new(&env, list, &ctl));
	r = res_new(a, &ecs_service, here, SPAN("c"), SPAN("s"));
	doc_set_int(a, r->spec, "desiredCount", 2);
	doc_set_int(a, r->status, "runningCount", 2);
	AZ(store_insert(store, a, r));
	refusal = NULL;
	now = utc("2026-10-24T12:00:00Z");
	clock_fake(now);
	return 0;
}

static int
tear_down(void **state UNUSED)
{
	ctl_free(ctl);
	for (int i = 0; i < 4; i++)
		uv_run(env.loop, UV_RUN_NOWAIT);
	api_free(api);
	store_close(store);
	AZ(system(arena_fmt(a, "rm -rf %s", dir)));
	arena_free(a);
	clock_fake(0);
	return 0;
}

/* --- tests --------------------------------------------------------------- */

static void
sleeps_by_local_time(void **state UNUSED)
{
	call("RegisterScalableTarget",
	    "{\"MinCapacity\":1,\"MaxCapacity\":2}");
	call("PutScheduledAction", "{\"ScheduledActionName\":\"night\","
	    "\"Schedule\":\"cron(0 22 ? * * *)\",\"Timezone\":"
	    "\"Europe/London\",\"ScalableTargetAction\":{\"MinCapacity\":0,"
	    "\"MaxCapacity\":0}}");
	call("PutScheduledAction", "{\"ScheduledActionName\":\"day\","
	    "\"Schedule\":\"cron(0 8 ? * * *)\",\"Timezone\":"
	    "\"Europe/London\",\"ScalableTargetAction\":{\"MinCapacity\":1,"
	    "\"MaxCapacity\":2}}");
	at(utc("2026-10-24T20:59:59Z"));
	assert_int_equal(desired(), 2);
	at(utc("2026-10-24T21:00:00Z"));
	assert_int_equal(desired(), 0);
	assert_string_equal(told("StatusCode"), "Successful");
	/* Clocks go back in the night. */
	at(utc("2026-10-25T07:59:59Z"));
	assert_int_equal(desired(), 0);
	at(utc("2026-10-25T08:00:00Z"));
	assert_int_equal(desired(), 1);
	at(utc("2026-10-25T21:59:59Z"));
	assert_int_equal(desired(), 1);
	at(utc("2026-10-25T22:00:00Z"));
	assert_int_equal(desired(), 0);
	/* A day and a half away: one of each, in order; the last word is the
	 * day's. */
	ctl_stop(ctl);
	clock_fake(now = utc("2026-10-27T12:00:00Z"));
	AZ(ctl_start(ctl));
	settle();
	assert_int_equal(desired(), 1);
	assert_string_equal(told("Cause"), "minimum capacity was set to 1");
	assert_int_equal(count(&scaling_activity), 2 + 2 + 2 + 2 + 1);
}

/* "If you specify a start time, Application Auto Scaling performs the action at
 * this time, and then performs the action based on the specified recurrence." */
static void
begins_at_its_start(void **state UNUSED)
{
	struct query q = {.kind = &scaling_action, .scope = here,
		.any_parent = true};
	struct res_list l;

	call("RegisterScalableTarget",
	    "{\"MinCapacity\":1,\"MaxCapacity\":2}");
	call("PutScheduledAction", "{\"ScheduledActionName\":\"night\","
	    "\"Schedule\":\"cron(0 22 ? * * *)\",\"ScalableTargetAction\":"
	    "{\"MinCapacity\":0,\"MaxCapacity\":0}}");
	AZ(store_list(store, a, &q, &l));
	doc_set_time(a, l.v[0]->spec, "StartTime", utc("2026-10-24T15:30:00Z"));
	AZ(store_put_spec(store, l.v[0]));
	at(utc("2026-10-24T15:29:59Z"));
	assert_int_equal(desired(), 2);
	at(utc("2026-10-24T15:30:00Z"));
	assert_int_equal(desired(), 0);
	assert_int_equal(count(&scaling_activity), 2);
	at(utc("2026-10-24T21:59:59Z"));
	assert_int_equal(count(&scaling_activity), 2);
	at(utc("2026-10-24T22:00:00Z"));
	assert_int_equal(count(&scaling_activity), 3);
}

static void
stays_awake_by_hand(void **state UNUSED)
{
	struct res *r;

	call("RegisterScalableTarget",
	    "{\"MinCapacity\":0,\"MaxCapacity\":0}");
	call("PutScalingPolicy", "{\"PolicyName\":\"p\",\"PolicyType\":"
	    "\"TargetTrackingScaling\","
	    "\"TargetTrackingScalingPolicyConfiguration\":{\"TargetValue\":50,"
	    "\"PredefinedMetricSpecification\":" CPU "}}");
	assert_int_equal(desired(), 0);
	r = service();
	doc_set_int(a, r->spec, "desiredCount", 1);
	AZ(store_put_spec(store, r));
	minutes(20, 0);
	assert_int_equal(desired(), 1);
	minutes(20, 90);
	assert_int_equal(desired(), 1);
	assert_string_equal(told("StatusCode"), "Failed");
}

static void
tracks(void **state UNUSED)
{
	struct res *d;

	call("RegisterScalableTarget",
	    "{\"MinCapacity\":1,\"MaxCapacity\":20}");
	call("PutScalingPolicy", "{\"PolicyName\":\"p\",\"PolicyType\":"
	    "\"TargetTrackingScaling\","
	    "\"TargetTrackingScalingPolicyConfiguration\":{\"TargetValue\":50,"
	    "\"PredefinedMetricSpecification\":" CPU "}}");
	minutes(2, 100);
	assert_int_equal(desired(), 2);
	/* Looks without anything new change nothing. */
	at(now + 1);
	at(now + 1);
	minute(100);
	assert_int_equal(desired(), 4);
	/* 300 s by default: no more than the 4 that it brought. */
	minutes(4, 100);
	assert_int_equal(desired(), 4);
	minute(100);
	assert_int_equal(desired(), 8);
	minutes(14, 10);
	assert_int_equal(desired(), 8);
	/* Nothing goes while a deployment is under way. */
	d = res_new(a, &ecs_service_deployment, here, SPAN("c/s"), SPAN("d"));
	doc_set_str(a, d->status, "rolloutState", SPAN("IN_PROGRESS"));
	AZ(store_insert(store, a, d));
	minutes(3, 10);
	assert_int_equal(desired(), 8);
	doc_set_str(a, d->status, "rolloutState", SPAN("COMPLETED"));
	AZ(store_put_status(store, d));
	minute(20);
	assert_int_equal(desired(), 4);
	assert_string_equal(told("Description"),
	    "Setting desired count to 4.");
	minutes(4, 10);
	assert_int_equal(desired(), 4);
	minute(10);
	assert_int_equal(desired(), 2);
	/* No data is not little use. */
	at(now + 60 * MINUTE);
	assert_int_equal(desired(), 2);
	minutes(3, 100);
	assert_int_equal(desired(), 4);
}

static void
goes_on_after_the_clock_was_set_back(void **state UNUSED)
{
	call("RegisterScalableTarget",
	    "{\"MinCapacity\":1,\"MaxCapacity\":20}");
	call("PutScalingPolicy", "{\"PolicyName\":\"p\",\"PolicyType\":"
	    "\"TargetTrackingScaling\","
	    "\"TargetTrackingScalingPolicyConfiguration\":{\"TargetValue\":50,"
	    "\"PredefinedMetricSpecification\":" CPU "}}");
	minutes(3, 100);
	assert_int_equal(desired(), 4);
	now -= 24 * 60 * (int64_t)MINUTE;
	minutes(3, 100);
	assert_int_equal(desired(), 8);
}

static void
tells_of_a_refusal(void **state UNUSED)
{
	refusal = "Service was not ACTIVE.";
	call("RegisterScalableTarget",
	    "{\"MinCapacity\":3,\"MaxCapacity\":4}");
	assert_int_equal(desired(), 2);
	assert_string_equal(told("StatusCode"), "Failed");
	assert_string_equal(told("StatusMessage"), "Failed to set desired "
	    "count to 3. Reason: Service was not ACTIVE.");
	refusal = NULL;
	at(now + MINUTE);
	assert_int_equal(count(&scaling_activity), 1);
	/* An action that cannot be. */
	call("PutScheduledAction", "{\"ScheduledActionName\":\"x\","
	    "\"Schedule\":\"rate(1 minute)\",\"ScalableTargetAction\":"
	    "{\"MinCapacity\":9}}");
	at(now + MINUTE);
	assert_string_equal(told("StatusMessage"), "Failed to set min "
	    "capacity to 9. Reason: Maximum capacity cannot be less than "
	    "minimum capacity");
}

static void
ends_with_its_service(void **state UNUSED)
{
	struct res *r = res_new(a, &scaling_activity, here,
	    SPAN("service/c/gone"), SPAN("1"));

	AZ(store_insert(store, a, r));
	call("RegisterScalableTarget",
	    "{\"MinCapacity\":3,\"MaxCapacity\":4}");
	call("PutScheduledAction", "{\"ScheduledActionName\":\"x\","
	    "\"Schedule\":\"rate(1 hour)\",\"ScalableTargetAction\":"
	    "{\"MinCapacity\":1}}");
	assert_int_equal(count(&scaling_target), 1);
	/* Six weeks later the activities have gone with the next one, also
	 * those of a service that has none any more. */
	at(now + 43 * 24 * 60 * (int64_t)MINUTE);
	assert_int_equal(count(&scaling_activity), 1);
	r = service();
	doc_set_str(a, r->status, "status", SPAN("INACTIVE"));
	AZ(store_put_status(store, r));
	settle();
	assert_int_equal(count(&scaling_target), 0);
	assert_int_equal(count(&scaling_action), 0);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(sleeps_by_local_time), T(begins_at_its_start),
		T(stays_awake_by_hand), T(tracks),
		T(goes_on_after_the_clock_was_set_back),
		T(tells_of_a_refusal), T(ends_with_its_service),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
