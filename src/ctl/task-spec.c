/*
 * From a task definition, its overrides and an image to what the runtime is
 * told; and the rules that order a task's containers.  Pure.
 *
 * AWS: task definition parameters for Fargate; container dependency.
 */
#include <signal.h>

#include "ctl/task.h"

static const struct doc *
override_of(const struct task_launch *l)
{
	struct span name = doc_get_str(l->container, "name");

	doc_each(o, doc_path(l->task->spec, "overrides", "containerOverrides",
		 NULL))
		if (span_eq(doc_get_str(o, "name"), name))
			return o;
	return NULL;
}

/* Arguments */

struct words {
	struct arena *a;
	struct span *v;
	size_t n;
};

static void
word_add(struct words *w, struct span s)
{
	w->v = arena_grow(w->a, w->v, w->n * sizeof(*w->v),
	    (w->n + 1) * sizeof(*w->v));
	w->v[w->n++] = s;
}

static void
words_add(struct words *w, const struct span *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		word_add(w, v[i]);
}

static void
words_add_doc(struct words *w, const struct doc *list)
{
	doc_each(v, list)
		word_add(w, doc_span(v));
}

/* As Docker: an entry point of one's own forgets the image's command. */
static void
arguments(struct words *w, const struct task_launch *l)
{
	const struct doc *entry = doc_get(l->container, "entryPoint");
	const struct doc *command = doc_get(override_of(l), "command");

	if (!doc_len(command))
		command = doc_get(l->container, "command");
	if (doc_len(entry))
		words_add_doc(w, entry);
	else
		words_add(w, l->image->entrypoint, l->image->n_entrypoint);
	if (doc_len(command))
		words_add_doc(w, command);
	else if (!doc_len(entry))
		words_add(w, l->image->cmd, l->image->n_cmd);
}

/* Environment: a later value of the same name takes the earlier one's place. */
static void
env_set(struct words *w, struct span name, struct span value)
{
	struct span line = arena_fmt_span(w->a, "%.*s=%.*s", SPAN_ARG(name),
	    SPAN_ARG(value));

	for (size_t i = 0; i < w->n; i++)
		if (w->v[i].n > name.n && w->v[i].p[name.n] == '=' &&
		    span_starts(w->v[i], name)) {
			w->v[i] = line;
			return;
		}
	word_add(w, line);
}

static void
env_set_all(struct words *w, const struct doc *list)
{
	doc_each(e, list)
		env_set(w, doc_get_str(e, "name"), doc_get_str(e, "value"));
}

static void
environment(struct words *w, const struct task_launch *l)
{
	struct span region = l->task->scope.region;

	env_set(w, SPAN("PATH"),
	    SPAN("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
	env_set(w, SPAN("HOSTNAME"), l->hostname);
	for (size_t i = 0; i < l->image->n_env; i++) {
		struct span rest = l->image->env[i];
		struct span name = span_cut(&rest, '=');

		env_set(w, name, rest);
	}
	env_set(w, SPAN("AWS_REGION"), region);
	env_set(w, SPAN("AWS_DEFAULT_REGION"), region);
	env_set(w, SPAN("AWS_EXECUTION_ENV"), SPAN("AWS_ECS_FARGATE"));
	env_set_all(w, doc_get(l->container, "environment"));
	env_set_all(w, l->secrets);
	env_set_all(w, doc_get(override_of(l), "environment"));
}

/* Mounts: the container's own, then those of volumesFrom. */
static size_t
mounts_of(const struct doc *container, bool read_only,
    struct runtime_mount *v, size_t at)
{
	doc_each(m, doc_get(container, "mountPoints"))
		v[at++] = (struct runtime_mount){
			.source = doc_get_str(m, "sourceVolume"),
			.target = doc_get_str(m, "containerPath"),
			.read_only = read_only ||
			    doc_get_bool(m, "readOnly", false),
		};
	return at;
}

static const struct doc *
container_named(const struct doc *taskdef, struct span name)
{
	doc_each(c, doc_get(taskdef, "containerDefinitions"))
		if (span_eq(doc_get_str(c, "name"), name))
			return c;
	return NULL;
}

static void
mounts(struct arena *a, const struct task_launch *l, struct container_spec *s)
{
	size_t max = doc_len(doc_get(l->container, "mountPoints")), n;
	struct runtime_mount *v;

	doc_each(f, doc_get(l->container, "volumesFrom"))
		max += doc_len(doc_get(container_named(l->taskdef,
			    doc_get_str(f, "sourceContainer")), "mountPoints"));
	v = arena_array(a, struct runtime_mount, max + 1);
	n = mounts_of(l->container, false, v, 0);
	doc_each(f, doc_get(l->container, "volumesFrom"))
		n = mounts_of(container_named(l->taskdef,
				  doc_get_str(f, "sourceContainer")),
		    doc_get_bool(f, "readOnly", false), v, n);
	s->mounts = v;
	s->n_mounts = n;
}

static const struct span *
spans(struct arena *a, const struct doc *list, size_t *ret_n)
{
	struct words w = {.a = a};

	words_add_doc(&w, list);
	*ret_n = w.n;
	return w.v;
}

static void
ulimits(struct arena *a, const struct task_launch *l, struct container_spec *s)
{
	const struct doc *list = doc_get(l->container, "ulimits");
	struct runtime_ulimit *v =
	    arena_array(a, struct runtime_ulimit, doc_len(list) + 1);

	doc_each(u, list)
		v[s->n_ulimits++] = (struct runtime_ulimit){
			.name = doc_get_str(u, "name"),
			.soft = (uint64_t)doc_get_int(u, "softLimit", 0),
			.hard = (uint64_t)doc_get_int(u, "hardLimit", 0),
		};
	s->ulimits = v;
}

/* On Fargate a task has a kernel's process table to itself; here it shares
 * the host's, and must not fill it. */
#define PIDS_MAX 8192

static void
limits(const struct task_launch *l, struct container_spec *s)
{
	const struct doc *ov = override_of(l);
	uint64_t cpu = 0, memory = 0;

	span_u64(doc_get_str(l->task->spec, "cpu"), &cpu);
	span_u64(doc_get_str(l->task->spec, "memory"), &memory);
	s->task_cpu = (uint32_t)cpu;
	s->task_memory = memory << 20;
	s->pids = PIDS_MAX;
	s->cpu_shares = (uint32_t)doc_get_int(ov, "cpu",
	    doc_get_int(l->container, "cpu", 0));
	s->memory = (uint64_t)doc_get_int(ov, "memory",
			doc_get_int(l->container, "memory", 0)) << 20;
	s->memory_soft = (uint64_t)doc_get_int(ov, "memoryReservation",
			     doc_get_int(l->container, "memoryReservation", 0))
	    << 20;
}

struct span
task_user(const struct task_launch *l)
{
	struct span user = doc_get_str(l->container, "user");

	return user.n ? user : l->image->user;
}

struct container_spec *
task_container_spec(struct arena *a, const struct task_launch *l,
    struct span id)
{
	struct container_spec *s = arena_new_of(a, struct container_spec);
	struct words args = {.a = a}, env = {.a = a};
	const struct doc *linux_ = doc_get(l->container, "linuxParameters");
	const struct doc *caps = doc_get(linux_, "capabilities");
	struct span cwd = doc_get_str(l->container, "workingDirectory");

	arguments(&args, l);
	environment(&env, l);
	s->id = id;
	s->task = l->task->id;
	s->netns = arena_fmt_span(a, "task-%.*s", SPAN_ARG(l->task->id));
	s->hostname = l->hostname;
	s->layers = l->image->layers;
	s->n_layers = l->image->n_layers;
	s->read_only_root =
	    doc_get_bool(l->container, "readonlyRootFilesystem", false);
	s->args = args.v;
	s->n_args = args.n;
	s->env = env.v;
	s->n_env = env.n;
	s->cwd = cwd.n ? cwd : l->image->cwd.n ? l->image->cwd : SPAN("/");
	limits(l, s);
	ulimits(a, l, s);
	mounts(a, l, s);
	s->cap_add = spans(a, doc_get(caps, "add"), &s->n_cap_add);
	s->cap_drop = spans(a, doc_get(caps, "drop"), &s->n_cap_drop);
	s->init = doc_get_bool(linux_, "initProcessEnabled", false);
	s->tty = doc_get_bool(l->container, "pseudoTerminal", false);
	s->dns = l->dns;
	s->n_dns = l->n_dns;
	if (l->ip.n) {
		struct span *line = arena_new_of(a, struct span);

		*line = arena_fmt_span(a, "%.*s %.*s", SPAN_ARG(l->ip),
		    SPAN_ARG(l->hostname));
		s->hosts = line;
		s->n_hosts = 1;
	}
	return s;
}

/* Order */

static const struct doc *
state_named(const struct doc *states, struct span name)
{
	doc_each(s, states)
		if (span_eq(doc_get_str(s, "name"), name))
			return s;
	return NULL;
}

/* One dependency, against the state of the container it names. */
static int
met(struct span condition, const struct doc *state)
{
	struct span st = doc_get_str(state, "lastStatus");
	bool stopped = span_is(st, "STOPPED");
	bool running = span_is(st, "RUNNING");

	if (span_is(condition, "START"))
		return running || stopped;
	if (span_is(condition, "COMPLETE"))
		return stopped;
	if (span_is(condition, "SUCCESS"))
		return !stopped			      ? 0 :
		    doc_get_int(state, "exitCode", 1) ? -1 : 1;
	if (stopped)
		return -1;
	return running && span_is(doc_get_str(state, "healthStatus"), "HEALTHY");
}

int
task_may_start(const struct doc *container, const struct doc *taskdef,
    const struct doc *states)
{
	int all = 1;

	(void)taskdef;
	doc_each(d, doc_get(container, "dependsOn")) {
		int one = met(doc_get_str(d, "condition"),
		    state_named(states, doc_get_str(d, "containerName")));

		all = MIN(all, one);
	}
	return all;
}

bool
task_may_stop(struct span name, const struct doc *taskdef,
    const struct doc *states)
{
	doc_each(c, doc_get(taskdef, "containerDefinitions"))
		doc_each(d, doc_get(c, "dependsOn")) {
			const struct doc *s =
			    state_named(states, doc_get_str(c, "name"));

			if (span_eq(doc_get_str(d, "containerName"), name) &&
			    span_is(doc_get_str(s, "lastStatus"), "RUNNING"))
				return false;
		}
	return true;
}

/* AWS: UNHEALTHY if any essential container with a check is; UNKNOWN if any is
 * unknown; containers without a check do not count. */
struct span
task_health(const struct doc *taskdef, const struct doc *containers)
{
	bool any = false, unknown = false;

	doc_each(c, doc_get(taskdef, "containerDefinitions")) {
		const struct doc *s =
		    state_named(containers, doc_get_str(c, "name"));
		struct span h = doc_get_str(s, "healthStatus");

		if (!doc_get(c, "healthCheck") ||
		    !doc_get_bool(c, "essential", true))
			continue;
		any = true;
		if (span_is(h, "UNHEALTHY"))
			return SPAN("UNHEALTHY");
		unknown |= !span_is(h, "HEALTHY");
	}
	return any && !unknown ? SPAN("HEALTHY") : SPAN("UNKNOWN");
}

int
task_signal(struct span name)
{
	static const struct {
		const char *name;
		int sig;
	} rows[] = {
		{"TERM", SIGTERM}, {"INT", SIGINT}, {"QUIT", SIGQUIT},
		{"HUP", SIGHUP}, {"KILL", SIGKILL}, {"USR1", SIGUSR1},
		{"USR2", SIGUSR2}, {"WINCH", SIGWINCH}, {"ABRT", SIGABRT},
		{"ALRM", SIGALRM}, {"PIPE", SIGPIPE}, {"CONT", SIGCONT},
	};
	uint64_t n;

	if (span_u64(name, &n) && n > 0 && n < 65)
		return (int)n;
	if (span_starts(name, SPAN("SIG")))
		name = span_from(name, 3);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (span_is(name, rows[i].name))
			return rows[i].sig;
	/* SIGRTMIN+3 and the like: systemd's images use it. */
	if (span_starts(name, SPAN("RTMIN+")) &&
	    span_u64(span_from(name, 6), &n) && n < 30)
		return SIGRTMIN + (int)n;
	return SIGTERM;
}

struct span
image_pinned(struct arena *a, struct span ref, struct span digest)
{
	ptrdiff_t at = span_chr(ref, '@'), slash, colon;

	if (at >= 0)
		ref = span_to(ref, (size_t)at);
	slash = span_rchr(ref, '/');
	colon = span_rchr(ref, ':');
	if (colon > slash)
		ref = span_to(ref, (size_t)colon);
	return arena_fmt_span(a, "%.*s@%.*s", SPAN_ARG(ref), SPAN_ARG(digest));
}
