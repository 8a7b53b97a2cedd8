/* What the runtime API must be told so that servers are as wanted. */
#include "drv/lb/plan.h"
#include "drv/lb/render.h"

/* Servers of the runtime API start without what others have by default: that
 * idle connections are kept for the next request. */
#define POOL "pool-max-conn -1 pool-purge-delay 5s"

struct plan {
	struct arena *a;
	const char *dir;
	const struct lb_server *have;
	size_t n_have;
	struct doc *out;
};

static void say(struct plan *p, const char *fmt, ...) PRINTF(2, 3);

static void
say(struct plan *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	doc_push_str(p->a, p->out, span_of(arena_vfmt(p->a, fmt, ap)));
	va_end(ap);
}

static const struct lb_server *
have(const struct plan *p, const struct lb_target *t, bool open)
{
	for (size_t i = 0; i < p->n_have; i++)
		if (p->have[i].open == open &&
		    span_eq(p->have[i].name, t->name) &&
		    span_eq(p->have[i].group, t->group->name))
			return &p->have[i];
	return NULL;
}

/* AWS: the first check that a new target passes makes it healthy; the
 * threshold is for those that were unhealthy. */
static bool
passed_first(const struct lb_target *t, const struct lb_server *s)
{
	return !t->judged && !t->draining && !s->up && !s->drain &&
	    s->check == LB_CHECK_OK;
}

/* A server that is enabled starts as up.  Weight 0 keeps it out of balancing
 * until it was put down and waits for its checks. */
static void
checked(struct plan *p, const struct lb_target *t)
{
	const struct lb_server *s = have(p, t, false);
	const char *name = arena_fmt(p->a, "%.*s/%.*s",
	    SPAN_ARG(t->group->name), SPAN_ARG(t->name));

	if (!s && t->draining)
		return;
	if (!s)
		say(p, "add server %s %.*s:%u %.*s " POOL " weight 0", name,
		    SPAN_ARG(t->addr), t->port,
		    SPAN_ARG(lb_server_params(p->a, t->group,
		    arena_fmt_span(p->a, "%u", t->port))));
	if ((!s || s->maint) && !t->draining && t->healthy)
		say(p, "enable server %s; enable health %s; set weight %s 100",
		    name, name, name);
	else if (!s || (s->maint && !t->draining))
		say(p, "set weight %s 0; enable server %s; "
		    "set server %s health down; enable health %s; "
		    "set weight %s 100", name, name, name, name, name);
	else if (t->draining && !s->drain && !s->maint)
		say(p, "set server %s state drain", name);
	else if (!t->draining && s->drain)
		say(p, "set server %s state ready", name);
	else if (passed_first(t, s))
		say(p, "set server %s health up", name);
	if (!s || !lb_group_sticky(t->group))
		return;
	if (t->draining && !s->drain)
		say(p, "add acl %s/draining.lst %.*s", p->dir,
		    SPAN_ARG(t->name));
	else if (!t->draining && s->drain)
		say(p, "del acl %s/draining.lst %.*s", p->dir,
		    SPAN_ARG(t->name));
}

static void
open_twin(struct plan *p, const struct lb_target *t)
{
	const struct lb_server *s = have(p, t, true);
	bool ssl = span_is(doc_get_str(t->group->spec, "Protocol"), "HTTPS");
	const char *name = arena_fmt(p->a, "%.*s/%.*so",
	    SPAN_ARG(t->group->name), SPAN_ARG(t->name));

	if (!s && t->judged && !t->draining) {
		say(p, "add server %s %.*s:%u backup " POOL "%s", name,
		    SPAN_ARG(t->addr), t->port, ssl ? " ssl verify none" : "");
		say(p, "enable server %s", name);
	} else if (s && s->maint && t->judged && !t->draining) {
		say(p, "enable server %s", name);
	} else if (s && t->draining && !s->drain && !s->maint) {
		say(p, "set server %s state drain", name);
	} else if (s && s->drain && !t->draining) {
		say(p, "set server %s state ready", name);
	}
}

static bool
wanted(const struct lb_target *v, size_t n, const struct lb_server *s)
{
	for (size_t i = 0; i < n; i++)
		if (span_eq(v[i].name, s->name) &&
		    span_eq(v[i].group->name, s->group))
			return true;
	return false;
}

/* Deletion is refused while a connection is attached: the first round cuts
 * what is left, a later one deletes. */
static void
gone(struct plan *p, const struct lb_server *s)
{
	const char *name = arena_fmt(p->a, "%.*s/%.*s%s", SPAN_ARG(s->group),
	    SPAN_ARG(s->name), s->open ? "o" : "");

	if (!s->maint)
		say(p, "disable health %s; set server %s state maint; "
		    "shutdown sessions server %s", name, name, name);
	say(p, "del server %s", name);
	if (!s->open)
		say(p, "del acl %s/draining.lst %.*s", p->dir,
		    SPAN_ARG(s->name));
}

struct doc *
lb_plan(struct arena *a, const char *dir, const struct lb_target *want,
    size_t n_want, const struct lb_server *have_v, size_t n_have)
{
	struct plan p = {a, dir, have_v, n_have, doc_arr(a)};

	for (size_t i = 0; i < n_have; i++)
		if (!wanted(want, n_want, &have_v[i]))
			gone(&p, &have_v[i]);
	for (size_t i = 0; i < n_want; i++) {
		checked(&p, &want[i]);
		open_twin(&p, &want[i]);
	}
	return p.out;
}
