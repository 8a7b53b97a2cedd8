/*
 * Secrets of a task's containers, read when it starts, as its execution role.
 * Their values are in memory alone, until the runtime is told of the container:
 * no row, event or log has one.
 *
 * AWS: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar.html
 */
#include "base/err.h"
#include "ctl/task-step.h"

#define FAILED "ResourceInitializationError: unable to pull secrets or " \
	"registry auth: execution resource retrieval failed: unable to " \
	"retrieve "
#define RETRIED "service call has been retried 1 time(s): "

/* What is looked for, and what came of it. */
struct look {
	struct step *st;
	struct arena *to;	/* where values go */
	struct span from;	/* valueFrom */
	struct span value;
	struct buf *missing;	/* parameters that are not there */
	struct span why;	/* of a secret; empty: it is there */
};

/* The session of the execution role, named after the task as on AWS. */
static struct principal
role_of(const struct step *st)
{
	struct span role = doc_get_str(st->taskdef, "executionRoleArn");
	struct span account = st->task->scope.account;
	struct span name = span_from(role, (size_t)(span_rchr(role, '/') + 1));

	return (struct principal){
		.account = account,
		.arn = arena_fmt_span(st->a, "arn:aws:sts::%.*s:assumed-role/"
		    "%.*s/%.*s", SPAN_ARG(account), SPAN_ARG(name),
		    SPAN_ARG(st->task->id)),
		.id = st->task->id,
	};
}

static int
call(struct look *l, const char *service, const char *op, struct doc *in,
    struct op_result *ret)
{
	struct step *st = l->st;
	struct principal who = role_of(st);
	struct scope scope = st->task->scope;
	struct span rest = l->from;

	/* The fourth field of an ARN is its region. */
	if (span_starts(rest, SPAN("arn:"))) {
		for (int i = 0; i < 3; i++)
			span_cut(&rest, ':');
		scope.region = span_cut(&rest, ':');
	}
	*ret = (struct op_result){0};
	return err_trace(op_call(ctl_env(st->s->ctl)->api, st->a, &who, scope,
	    service, op, in, ret));
}

static int
look_ssm(struct look *l)
{
	struct arena *a = l->st->a;
	struct doc *in = doc_obj(a), *names = doc_arr(a);
	const struct doc *p;
	struct op_result r;
	int e;

	doc_push_str(a, names, l->from);
	doc_set(a, in, "Names", names);
	doc_set_bool(a, in, "WithDecryption", true);
	if ((e = call(l, "ssm", "GetParameters", in, &r)))
		return err_trace(e);
	p = doc_at(doc_get(r.out, "Parameters"), 0);
	if (r.error.n)
		l->why = arena_fmt_span(a, FAILED "secrets from ssm: " RETRIED
		    "%.*s: %.*s", SPAN_ARG(r.error), SPAN_ARG(r.message));
	else if (!p)
		buf_addf(l->missing, "%s%.*s", l->missing->n ? "," : "",
		    SPAN_ARG(l->from));
	else
		l->value = arena_span(l->to, doc_get_str(p, "Value"));
	return 0;
}

static void
bad_secret(struct look *l, const char *fmt, ...) PRINTF(2, 3);

static void
bad_secret(struct look *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	l->why = arena_fmt_span(l->st->a, FAILED "secret from asm: " RETRIED
	    "%s", arena_vfmt(l->st->a, fmt, ap));
	va_end(ap);
}

/* One member of a secret that is a JSON object. */
static void
pick(struct look *l, struct span key)
{
	struct arena *a = l->st->a;
	const struct doc *v;
	struct span text = l->value;
	struct doc *d;

	if (doc_parse_json(a, text, &d) || doc_type(d) != DOC_OBJ) {
		/* What it begins with is AWS's to tell, not ours. */
		bad_secret(l, "retrieved secret from Secrets Manager is not a "
		    "JSON object");
		return;
	}
	v = doc_getn(d, key);
	if (!v)
		bad_secret(l, "retrieved secret from Secrets Manager did not "
		    "contain json key %.*s", SPAN_ARG(key));
	else
		l->value = arena_span(l->to, doc_type(v) == DOC_STR ?
		    doc_span(v) : doc_json(a, v));
}

/* arn:aws:secretsmanager:REGION:ACCOUNT:secret:ID[:KEY:STAGE:VERSION] */
static int
look_secret(struct look *l)
{
	struct arena *a = l->st->a;
	struct span rest = l->from, id, key, stage, version;
	struct doc *in = doc_obj(a);
	struct op_result r;
	int e;

	for (int i = 0; i < 6; i++)
		span_cut(&rest, ':');
	id = span_cut(&rest, ':');
	id = span_make(l->from.p, (size_t)(id.p + id.n - l->from.p));
	key = span_cut(&rest, ':');
	stage = span_cut(&rest, ':');
	version = span_cut(&rest, ':');
	doc_set_str(a, in, "SecretId", id);
	if (stage.n)
		doc_set_str(a, in, "VersionStage", stage);
	if (version.n)
		doc_set_str(a, in, "VersionId", version);
	if ((e = call(l, "secretsmanager", "GetSecretValue", in, &r)))
		return err_trace(e);
	if (r.error.n) {
		bad_secret(l, "failed to fetch secret %.*s from secrets "
		    "manager: %.*s: %.*s", SPAN_ARG(id), SPAN_ARG(r.error),
		    SPAN_ARG(r.message));
		return 0;
	}
	l->value = arena_span(l->to, doc_get_str(r.out, "SecretString"));
	if (key.n)
		pick(l, key);
	return 0;
}

/* All of one container.  *ret_why: why one is not to be had. */
static int
look_all(struct step *st, size_t i, struct buf *missing, struct span *ret_why)
{
	struct live_container *k = &st->live->v[i];
	struct arena *to = k->secrets_arena = arena_new();
	struct doc *values = doc_arr(to), *v;
	int e;

	k->secrets = values;
	doc_each(s, doc_get(step_definition(st, i), "secrets")) {
		struct look l = {.st = st, .to = to, .missing = missing,
			.from = doc_get_str(s, "valueFrom")};

		e = span_starts(l.from, SPAN("arn:aws:secretsmanager:")) ?
		    look_secret(&l) : look_ssm(&l);
		*ret_why = l.why;
		if (e || l.why.n)
			return err_trace(e);
		v = doc_obj(to);
		doc_set_str(to, v, "name", arena_span(to,
		    doc_get_str(s, "name")));
		doc_set_str(to, v, "value", l.value);
		doc_push(values, v);
	}
	return 0;
}

static bool
wants(const struct step *st, size_t i)
{
	const struct live_container *k = &st->live->v[i];

	return doc_len(doc_get(step_definition(st, i), "secrets")) > 0 &&
	    !k->secrets && !k->start_asked && !k->exited;
}

int
step_secrets(struct step *st)
{
	_cleanup_(buf_done) struct buf missing = BUF_INIT;
	struct span why = SPAN_NULL;
	int e = 0;

	for (size_t i = 0; !e && !why.n && i < st->live->n; i++)
		if (wants(st, i))
			e = look_all(st, i, &missing, &why);
	if (!e && !why.n && missing.n)
		why = arena_fmt_span(st->a, FAILED "secrets from ssm: " RETRIED
		    "invalid ssm parameters: %s", buf_str(&missing));
	if (why.n)
		step_stop(st, "TaskFailedToStart", why);
	/* A container has all of its own, or none. */
	for (size_t i = 0; (e || why.n) && i < st->live->n; i++)
		live_forget_secrets(&st->live->v[i]);
	return err_trace(e);
}
