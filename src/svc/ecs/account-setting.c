/* Account settings: what a principal set, the account's default under the root
 * user's ARN, and what AWS has when nobody said anything. */
#include "svc/ecs/ecs.h"

#include "base/err.h"

#define INVALID "InvalidParameterException"

/* values: what may be set, space-separated; NULL: only AWS sets it. */
static const struct setting {
	const char *name, *initial, *values;
} settings[] = {
	/* The short formats are gone; AWS keeps the names. */
	{"serviceLongArnFormat", "enabled", "enabled"},
	{"taskLongArnFormat", "enabled", "enabled"},
	{"containerInstanceLongArnFormat", "enabled", "enabled"},
	{"awsvpcTrunking", "disabled", "enabled disabled"},
	{"containerInsights", "disabled", "enabled disabled enhanced"},
	{"fargateFIPSMode", "disabled", "disabled"},
	{"tagResourceAuthorization", "on", "on off"},
	{"fargateTaskRetirementWaitPeriod", "7", "0 7 14"},
	{"guardDutyActivate", "off", NULL},
	{"defaultLogDriverMode", "non-blocking", "blocking non-blocking"},
	{"fargateEventWindows", "disabled", "disabled"},
};

static const struct setting *
setting_named(struct span name)
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		if (span_is(name, settings[i].name))
			return &settings[i];
	return NULL;
}

static struct span
root_of(struct call *c)
{
	return arena_fmt_span(c->arena, "arn:aws:iam::%.*s:root",
	    SPAN_ARG(c->scope.account));
}

static struct span
principal_of(struct call *c)
{
	struct span arn = doc_get_str(c->in, "principalArn");

	return arn.n ? arn : c->who.arn;
}

static struct reply *
check_principal(struct call *c)
{
	struct span arn = doc_get_str(c->in, "principalArn");

	if (!arn.n || span_starts(arn, arena_fmt_span(c->arena,
			  "arn:aws:iam::%.*s:", SPAN_ARG(c->scope.account))))
		return NULL;
	return reply_error(c, INVALID,
	    "The principal ARN is not valid for this account: %.*s",
	    SPAN_ARG(arn));
}

static struct doc *
setting_view(struct arena *a, const struct setting *s, struct span value,
    struct span principal)
{
	struct doc *d = doc_obj(a);

	doc_set_str(a, d, "name", span_of(s->name));
	doc_set_str(a, d, "value", value);
	doc_set_str(a, d, "principalArn", principal);
	doc_set_str(a, d, "type", s->values ? SPAN("user") :
					      SPAN("aws_managed"));
	return d;
}

/* What somebody set for this very principal: STORE_E_NOT_FOUND if nobody. */
static int
own_value(struct call *c, struct span principal, const struct setting *s,
    struct span *ret)
{
	struct res *r;
	int e = store_get(c->store, c->arena, &ecs_account_setting, c->scope,
	    principal, span_of(s->name), &r);

	if (e == 0)
		*ret = doc_get_str(r->spec, "value");
	return e;
}

static int
effective(struct call *c, struct span principal, const struct setting *s,
    struct doc **ret)
{
	struct span who[] = {principal, root_of(c)}, value;

	for (size_t i = 0; i < ARRAY_SIZE(who); i++) {
		int e = own_value(c, who[i], s, &value);

		if (e < 0)
			return err_trace(e);
		if (e)
			continue;
		*ret = setting_view(c->arena, s, value, principal);
		return 0;
	}
	*ret = setting_view(c->arena, s, span_of(s->initial), principal);
	return 0;
}

int
account_setting(struct call *c, const char *name, struct span *ret)
{
	struct doc *d = NULL;
	int e = effective(c, c->who.arn, setting_named(span_of(name)), &d);

	if (e)
		return err_trace(e);
	*ret = doc_get_str(d, "value");
	return 0;
}

static struct reply *
check_value(struct call *c, const struct setting *s, struct span value)
{
	struct span rest = span_of(s->values);

	if (!s->values)
		return reply_error(c, INVALID,
		    "The setting %s is managed by AWS and cannot be changed.",
		    s->name);
	while (rest.n)
		if (span_eq(span_cut(&rest, ' '), value))
			return NULL;
	if (span_is(value, "enabled") && !strstr(s->values, "enabled "))
		return reply_not_implemented(c, "%s", s->name);
	return reply_error(c, INVALID, "Invalid value for account setting %s: "
	    "'%.*s'. Valid values: %s.", s->name, SPAN_ARG(value), s->values);
}

static struct reply *
put(struct call *c, struct span principal)
{
	const struct setting *s = setting_named(doc_get_str(c->in, "name"));
	struct span value = doc_get_str(c->in, "value");
	struct doc *out = doc_obj(c->arena);
	struct reply *bad;
	struct res *r;
	int e;

	if (!s)
		return reply_not_implemented(c, "the setting %.*s",
		    SPAN_ARG(doc_get_str(c->in, "name")));
	if ((bad = check_value(c, s, value)))
		return bad;
	e = store_get(c->store, c->arena, &ecs_account_setting, c->scope,
	    principal, span_of(s->name), &r);
	if (e < 0)
		return reply_failure(c, e);
	if (e)
		r = res_new(c->arena, &ecs_account_setting, c->scope, principal,
		    span_of(s->name));
	doc_set_str(c->arena, r->spec, "value", value);
	e = e ? store_insert(c->store, c->arena, r) :
		store_put_spec(c->store, r);
	if (e)
		return reply_failure(c, err_fold(e));
	doc_set(c->arena, out, "setting",
	    setting_view(c->arena, s, value, principal));
	return reply_ok(c, out);
}

struct reply *
put_account_setting(struct call *c)
{
	struct reply *bad = check_principal(c);

	return bad ? bad : put(c, principal_of(c));
}

struct reply *
put_account_setting_default(struct call *c)
{
	return put(c, root_of(c));
}

struct reply *
delete_account_setting(struct call *c)
{
	const struct setting *s = setting_named(doc_get_str(c->in, "name"));
	struct doc *out = doc_obj(c->arena), *now = NULL;
	struct span who = principal_of(c);
	struct reply *bad = check_principal(c);
	struct res *r;
	int e;

	if (bad)
		return bad;
	if (!s)
		return reply_not_implemented(c, "the setting %.*s",
		    SPAN_ARG(doc_get_str(c->in, "name")));
	e = store_get(c->store, c->arena, &ecs_account_setting, c->scope, who,
	    span_of(s->name), &r);
	if (e == 0)
		e = store_delete(c->store, r);
	else if (e == STORE_E_NOT_FOUND)
		e = 0;
	if (e || (e = effective(c, who, s, &now)))
		return reply_failure(c, err_fold(e));
	doc_set(c->arena, out, "setting", now);
	return reply_ok(c, out);
}

static int
list_one(struct call *c, const struct setting *s, struct span who,
    struct doc *list)
{
	struct span want = doc_get_str(c->in, "value"), value;
	struct doc *d = NULL;
	int e;

	if (doc_true(doc_get(c->in, "effectiveSettings"))) {
		if ((e = effective(c, who, s, &d)))
			return err_trace(e);
	} else {
		e = own_value(c, who, s, &value);
		if (e == STORE_E_NOT_FOUND)
			return 0;
		if (e)
			return err_trace(e);
		d = setting_view(c->arena, s, value, who);
	}
	if (!want.n || span_eq(want, doc_get_str(d, "value")))
		doc_push(list, d);
	return 0;
}

/* There are fewer settings than fit on a page, so there is only one page. */
struct reply *
list_account_settings(struct call *c)
{
	struct span name = doc_get_str(c->in, "name");
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena);
	struct reply *bad = check_principal(c);

	if (bad)
		return bad;
	if (doc_get(c->in, "value") && !name.n)
		return reply_error(c, INVALID,
		    "A value can only be given together with a name.");
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		int e;

		if (name.n && !span_is(name, settings[i].name))
			continue;
		e = list_one(c, &settings[i], principal_of(c), list);
		if (e)
			return reply_failure(c, e);
	}
	doc_set(c->arena, out, "settings", list);
	return reply_ok(c, out);
}
