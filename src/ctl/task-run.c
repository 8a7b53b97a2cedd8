/* ACTIVATING and RUNNING: containers start in order, targets are registered,
 * health checks run. */
#include "base/err.h"
#include "ctl/logs-join.h"
#include "ctl/resolver.h"
#include "ctl/task-step.h"

/* Log streams */

static int
call_logs(struct step *st, const char *op, struct scope scope,
    struct span group, struct span stream, struct op_result *ret)
{
	struct doc *in = doc_obj(st->a);

	doc_set_str(st->a, in, "logGroupName", group);
	if (stream.n)
		doc_set_str(st->a, in, "logStreamName", stream);
	return step_call(st, "logs", op, in, scope, ret);
}

static bool
failed(const struct op_result *r)
{
	return r->error.n &&
	    !span_is(r->error, "ResourceAlreadyExistsException");
}

static void
bad_log(struct step *st, struct span why)
{
	step_stop(st, "TaskFailedToStart",
	    arena_fmt_span(st->a, "ResourceInitializationError: failed to "
		"validate logger args: %.*s : exit status 1", SPAN_ARG(why)));
}

/* Events of several lines: how the first one looks.  False: refused. */
static bool
note_log_pattern(struct step *st, const struct doc *opt, struct doc *c)
{
	struct span pattern = doc_get_str(opt, "awslogs-multiline-pattern");
	struct span format = doc_get_str(opt, "awslogs-datetime-format");
	struct join_rule *rule = NULL;

	if (pattern.n && format.n) {
		bad_log(st, SPAN("you cannot configure log opt "
		    "'awslogs-datetime-format' and "
		    "'awslogs-multiline-pattern' at the same time"));
		return false;
	}
	if (!pattern.n && !format.n)
		return true;
	if (format.n)
		pattern = join_format_pattern(st->a, format);
	if (join_rule_new(pattern, &rule)) {
		bad_log(st, arena_fmt_span(st->a, "awslogs could not parse "
		    "multiline pattern key \"%.*s\"", SPAN_ARG(pattern)));
		return false;
	}
	join_rule_free(rule);
	doc_set_str(st->a, c, "LogPattern", pattern);
	return true;
}

/* Makes the container's stream and notes where its output goes. */
static int
open_log(struct step *st, size_t i)
{
	const struct doc *def = step_definition(st, i);
	const struct doc *opt =
	    doc_path(def, "logConfiguration", "options", NULL);
	struct doc *c = step_container(st, i);
	struct span group = doc_get_str(opt, "awslogs-group");
	struct scope scope = {.account = st->task->scope.account,
		.region = doc_get_str(opt, "awslogs-region")};
	struct span stream = arena_fmt_span(st->a, "%.*s/%.*s/%.*s",
	    SPAN_ARG(doc_get_str(opt, "awslogs-stream-prefix")),
	    SPAN_ARG(doc_get_str(def, "name")), SPAN_ARG(st->task->id));
	struct op_result r;
	int e;

	if (!opt || doc_get(c, "LogStream"))
		return 0;
	if (!note_log_pattern(st, opt, c))
		return 0;
	e = call_logs(st, "CreateLogStream", scope, group, stream, &r);
	if (e == 0 && span_is(r.error, "ResourceNotFoundException") &&
	    span_is(doc_get_str(opt, "awslogs-create-group"), "true")) {
		e = call_logs(st, "CreateLogGroup", scope, group, SPAN_NULL,
		    &r);
		if (e == 0 && !failed(&r))
			e = call_logs(st, "CreateLogStream", scope, group,
			    stream, &r);
	}
	if (e)
		return err_trace(e);
	if (failed(&r)) {
		bad_log(st, arena_fmt_span(st->a, "create stream has been "
		    "retried 1 times: failed to create Cloudwatch log "
		    "stream: %.*s: %.*s", SPAN_ARG(r.error),
		    SPAN_ARG(r.message)));
		return 0;
	}
	doc_set_str(st->a, c, "LogGroup", group);
	doc_set_str(st->a, c, "LogStream", stream);
	doc_set_str(st->a, c, "LogRegion", scope.region);
	doc_set_str(st->a, c, "LogAccount", scope.account);
	st->dirty = true;
	return 0;
}

/* Starting */

static void
cannot_start(struct step *st, size_t i, struct span why)
{
	struct span text = arena_fmt_span(st->a, "CannotStartContainerError: "
	    "%.*s", SPAN_ARG(why));

	doc_set_str(st->a, step_container(st, i), "reason", text);
	step_stop(st, "TaskFailedToStart", text);
}

static int
start_container(struct step *st, size_t i)
{
	struct live_container *k = &st->live->v[i];
	struct images *im = ctl_env(st->s->ctl)->images;
	struct task_launch l = {
		.task = st->task,
		.taskdef = st->taskdef,
		.container = step_definition(st, i),
		.image = &k->image,
		.secrets = k->secrets,
		.hostname = doc_get_str(doc_get(st->task->status, "Eni"),
		    "privateDnsName"),
		.ip = doc_get_str(doc_get(st->task->status, "Eni"),
		    "privateIPv4Address"),
	};
	struct container_spec *spec;
	struct span user = task_user(&l);
	uint32_t *groups = NULL;
	int e;

	if ((e = open_log(st, i)))
		return err_trace(e);
	if (!step_in(st, "ACTIVATING"))
		return 0;
	l.dns = resolver_of_host(st->a, "", &l.n_dns);
	spec = task_container_spec(st->a, &l, span_of(k->id));
	if (!spec->n_args) {
		cannot_start(st, i, SPAN("No command specified"));
		return 0;
	}
	if (user.n &&
	    im->ops->user(im, &k->image, user, st->a, &spec->uid, &spec->gid,
		&groups, &spec->n_groups)) {
		cannot_start(st, i,
		    arena_fmt_span(st->a, "unable to find user %.*s: no "
			"matching entries in passwd file", SPAN_ARG(user)));
		return 0;
	}
	spec->groups = groups;
	live_start(k, spec);
	return 0;
}

/* AWS: startTimeout is how long others wait for this container to reach what
 * they depend on. */
static bool
waited_too_long(struct step *st, const struct doc *def)
{
	doc_each(d, doc_get(def, "dependsOn"))
		for (size_t i = 0; i < st->live->n; i++) {
			const struct doc *o = step_definition(st, i);
			int64_t timeout = doc_get_int(o, "startTimeout", 0);
			int64_t end;

			if (!timeout || !st->live->v[i].started ||
			    !span_eq(doc_get_str(o, "name"),
				doc_get_str(d, "containerName")))
				continue;
			end = st->live->v[i].started_ms + timeout * 1000;
			if (st->now >= end)
				return true;
			step_again(st, end - st->now);
		}
	return false;
}

static int
try_start(struct step *st, size_t i)
{
	struct live_container *k = &st->live->v[i];
	const struct doc *def = step_definition(st, i);
	int may = task_may_start(def, st->taskdef,
	    doc_get(st->task->status, "Containers")), e;

	if (k->failure) {
		if (k->failure_kind)
			cannot_start(st, i, span_of(k->failure));
		else
			step_stop(st, "TaskFailedToStart",
			    span_of(k->failure));
		return 0;
	}
	if (may < 0 || (may == 0 && waited_too_long(st, def))) {
		step_stop(st, "TaskFailedToStart",
		    arena_fmt_span(st->a, "Container '%.*s' could not start: a "
			"container it depends on did not reach the required "
			"condition", SPAN_ARG(doc_get_str(def, "name"))));
		return 0;
	}
	if (may == 0 || k->start_asked)
		return 0;
	if (!k->image_ready) {
		/* We were restarted since PENDING. */
		if (!k->image_asked)
			live_image(k, st->task,
			    image_pinned(st->a, doc_get_str(def, "image"),
				doc_get_str(step_container(st, i),
				    "imageDigest")),
			    step_arch(st));
		return 0;
	}
	/* We were restarted since PENDING, or they are there. */
	if ((e = step_secrets(st)))
		return err_trace(e);
	return step_in(st, "ACTIVATING") ? start_container(st, i) : 0;
}

/* Targets */

static int
register_targets(struct step *st)
{
	struct arena *a = st->a;

	doc_each(lb, doc_get(st->task->spec, "loadBalancers")) {
		struct doc *in = doc_obj(a), *list = doc_arr(a), *t = doc_obj(a);
		struct span arn = doc_get_str(lb, "targetGroupArn");
		struct op_result r;
		int e;

		doc_set_str(a, t, "Id",
		    doc_get_str(doc_get(st->task->status, "Eni"),
			"privateIPv4Address"));
		doc_set_int(a, t, "Port", doc_get_int(lb, "containerPort", 0));
		doc_push(list, t);
		doc_set_str(a, in, "TargetGroupArn", arn);
		doc_set(a, in, "Targets", list);
		if ((e = step_call(st, "elbv2",
			 "RegisterTargets", in, st->task->scope, &r)))
			return err_trace(e);
		if (r.error.n) {
			step_stop(st, "TaskFailedToStart",
			    arena_fmt_span(a, "ResourceInitializationError: "
				"unable to register the target in "
				"(target-group %.*s): %.*s",
				SPAN_ARG(arn), SPAN_ARG(r.message)));
			return 0;
		}
	}
	return 0;
}

/* Health checks */

static void
count_check(struct step *st, size_t i)
{
	struct live_container *k = &st->live->v[i];
	const struct doc *h = doc_get(step_definition(st, i), "healthCheck");
	struct doc *c = step_container(st, i);
	int64_t grace = doc_get_int(h, "startPeriod", 0) * 1000;
	const char *now = NULL;

	k->check_done = false;
	k->check_next = st->now + doc_get_int(h, "interval", 30) * 1000;
	if (k->check_code == 0) {
		k->check_failures = 0;
		now = "HEALTHY";
	} else if (st->now < k->started_ms + grace &&
	    span_is(doc_get_str(c, "healthStatus"), "UNKNOWN")) {
		k->check_failures = 0;
	} else if (++k->check_failures >= doc_get_int(h, "retries", 3)) {
		now = "UNHEALTHY";
	}
	if (!now || span_is(doc_get_str(c, "healthStatus"), now))
		return;
	doc_set_str(st->a, c, "healthStatus", span_of(now));
	st->dirty = true;
}

static void
run_check(struct step *st, size_t i)
{
	const struct doc *h = doc_get(step_definition(st, i), "healthCheck");
	const struct doc *command = doc_get(h, "command");
	struct span *args =
	    arena_array(st->a, struct span, doc_len(command) + 3);
	struct span first = doc_span(doc_at(command, 0));
	size_t n = 0, at = 0;

	if (span_is(first, "CMD-SHELL")) {
		args[n++] = SPAN("/bin/sh");
		args[n++] = SPAN("-c");
	}
	doc_each(v, command)
		if (at++ > 0 || (!span_is(first, "CMD") &&
				    !span_is(first, "CMD-SHELL")))
			args[n++] = doc_span(v);
	live_check(&st->live->v[i], args, n,
	    (int)doc_get_int(h, "timeout", 5) * 1000);
}

static void
check_health(struct step *st)
{
	struct span all;

	for (size_t i = 0; i < st->live->n; i++) {
		struct live_container *k = &st->live->v[i];
		const struct doc *h =
		    doc_get(step_definition(st, i), "healthCheck");

		if (!h || !k->started || k->exited ||
		    span_is(doc_span(doc_at(doc_get(h, "command"), 0)), "NONE"))
			continue;
		if (k->check_done)
			count_check(st, i);
		if (!k->check_next)
			k->check_next = MAX(k->started_ms, (int64_t)1) +
			    doc_get_int(h, "interval", 30) * 1000;
		if (k->check_running)
			continue;
		if (st->now >= k->check_next)
			run_check(st, i);
		else
			step_again(st, k->check_next - st->now);
	}
	all = task_health(st->taskdef, doc_get(st->task->status, "Containers"));
	if (!span_eq(all, doc_get_str(st->task->status, "healthStatus"))) {
		doc_set_str(st->a, st->task->status, "healthStatus", all);
		st->dirty = true;
	}
}

int
step_activating(struct step *st)
{
	bool all = true;
	int e;

	check_health(st);
	for (size_t i = 0; i < st->live->n; i++) {
		struct live_container *k = &st->live->v[i];

		/* One that we adopted may still want its log. */
		if (k->started && (e = open_log(st, i)))
			return err_trace(e);
		if (k->started || k->exited)
			continue;
		all = false;
		if ((e = try_start(st, i)))
			return err_trace(e);
		if (!step_in(st, "ACTIVATING"))
			return 0;
	}
	if (!all)
		return 0;
	if ((e = register_targets(st)))
		return err_trace(e);
	if (!step_in(st, "ACTIVATING"))
		return 0;
	step_time(st, "startedAt");
	step_go(st, "RUNNING");
	return 0;
}

int
step_running(struct step *st)
{
	check_health(st);
	return 0;
}
