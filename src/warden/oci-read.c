/* From the message to struct oci_spec: decode, check, bound. */
#include <errno.h>
#include <sys/resource.h>

#include "base/err.h"
#include "base/log.h"
#include "warden/check.h"
#include "warden/oci.h"
#include "warden/proto.h"

#define MAX_PIDS (1u << 22)

static const struct {
	const char *name;
	int id;
} ulimit_names[] = {
    {"core", RLIMIT_CORE}, {"cpu", RLIMIT_CPU}, {"data", RLIMIT_DATA},
    {"fsize", RLIMIT_FSIZE}, {"locks", RLIMIT_LOCKS},
    {"memlock", RLIMIT_MEMLOCK}, {"msgqueue", RLIMIT_MSGQUEUE},
    {"nice", RLIMIT_NICE}, {"nofile", RLIMIT_NOFILE},
    {"nproc", RLIMIT_NPROC}, {"rss", RLIMIT_RSS},
    {"rtprio", RLIMIT_RTPRIO}, {"rttime", RLIMIT_RTTIME},
    {"sigpending", RLIMIT_SIGPENDING}, {"stack", RLIMIT_STACK},
};

/* Fargate's default of nofile. */
#define NOFILE_SOFT 1024
#define NOFILE_HARD 65535

/* A count of members that follow; each takes at least one byte. */
static size_t
count(struct msg_reader *m, size_t max)
{
	size_t n = msg_u32(m);

	if (n > max || n > m->rest.n)
		m->bad = true;
	return m->bad ? 0 : n;
}

static void
read_lists(struct msg_reader *m, struct arena *a, struct oci_spec *s)
{
	s->n_ulimits = count(m, WARDEN_MAX_LIST);
	s->ulimits = arena_array(a, struct oci_ulimit, s->n_ulimits + 1);
	for (size_t i = 0; i < s->n_ulimits; i++) {
		s->ulimits[i].name = msg_span(m);
		s->ulimits[i].soft = msg_u64(m);
		s->ulimits[i].hard = msg_u64(m);
	}
	s->n_mounts = count(m, WARDEN_MAX_LIST);
	s->mounts = arena_array(a, struct oci_mount, s->n_mounts);
	for (size_t i = 0; i < s->n_mounts; i++) {
		s->mounts[i].volume = msg_span(m);
		s->mounts[i].target = msg_span(m);
		s->mounts[i].read_only = msg_bool(m);
	}
	s->cap_add = msg_spans(m, a, WARDEN_MAX_LIST, &s->n_cap_add);
	s->cap_drop = msg_spans(m, a, WARDEN_MAX_LIST, &s->n_cap_drop);
}

static void
read_fields(struct msg_reader *m, struct arena *a, struct oci_spec *s)
{
	s->id = msg_span(m);
	s->task = msg_span(m);
	s->netns = msg_span(m);
	s->hostname = msg_span(m);
	s->layers = msg_spans(m, a, WARDEN_MAX_LAYERS, &s->n_layers);
	s->read_only_root = msg_bool(m);
	s->args = msg_spans(m, a, WARDEN_MAX_ARGS, &s->n_args);
	s->env = msg_spans(m, a, WARDEN_MAX_ENV, &s->n_env);
	s->cwd = msg_span(m);
	s->uid = msg_u32(m);
	s->gid = msg_u32(m);
	s->n_groups = count(m, WARDEN_MAX_LIST);
	s->groups = arena_array(a, uint32_t, s->n_groups);
	for (size_t i = 0; i < s->n_groups; i++)
		s->groups[i] = msg_u32(m);
	s->memory = msg_u64(m);
	s->memory_soft = msg_u64(m);
	s->cpu_shares = msg_u32(m);
	s->task_memory = msg_u64(m);
	s->task_cpu = msg_u32(m);
	s->pids = msg_u32(m);
	read_lists(m, a, s);
	s->init = msg_bool(m);
	s->tty = msg_bool(m);
	s->dns = msg_spans(m, a, WARDEN_MAX_LIST, &s->n_dns);
	s->hosts = msg_spans(m, a, WARDEN_MAX_LIST, &s->n_hosts);
}

static bool
texts_ok(const struct span *v, size_t n, size_t *left)
{
	for (size_t i = 0; i < n; i++) {
		if (!check_text(v[i], *left))
			return false;
		*left -= v[i].n;
	}
	return true;
}

static bool
lines_ok(const struct span *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!check_line(v[i], 1024))
			return false;
	return true;
}

static bool
caps_ok(const struct span *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (v[i].n == 0 || v[i].n > 32)
			return false;
		for (size_t k = 0; k < v[i].n; k++)
			if (v[i].p[k] != '_' &&
			    (v[i].p[k] < 'A' || v[i].p[k] > 'Z'))
				return false;
	}
	return true;
}

/* Fargate lets a task add SYS_PTRACE and nothing else; a neargated gone bad
 * must not be able to ask for more, either. */
static bool
adds_ok(const struct oci_spec *s)
{
	for (size_t i = 0; i < s->n_cap_add; i++)
		if (!span_is(s->cap_add[i], "SYS_PTRACE"))
			return false;
	return true;
}

static const char *
find_fault(struct oci_spec *s)
{
	size_t left = WARDEN_MAX_TEXT;

	if (!check_id(s->id))
		return "container id";
	if (!check_id(s->task))
		return "task id";
	if (!check_id(s->netns))
		return "network namespace";
	if (!check_hostname(s->hostname))
		return "hostname";
	if (s->n_layers == 0)
		return "image without layers";
	for (size_t i = 0; i < s->n_layers; i++)
		if (!check_digest(s->layers[i], &s->layers[i]))
			return "layer digest";
	if (s->n_args == 0)
		return "no command specified";
	if (!texts_ok(s->args, s->n_args, &left) ||
	    !texts_ok(s->env, s->n_env, &left))
		return "argument list too long, or a NUL in it";
	if (s->cwd.n && !check_path(s->cwd))
		return "working directory";
	for (size_t i = 0; i < s->n_mounts; i++)
		if (!check_name(s->mounts[i].volume) ||
		    !check_path(s->mounts[i].target))
			return "mount";
	if (!caps_ok(s->cap_add, s->n_cap_add) || !adds_ok(s) ||
	    !caps_ok(s->cap_drop, s->n_cap_drop))
		return "capability";
	if (!lines_ok(s->dns, s->n_dns) || !lines_ok(s->hosts, s->n_hosts))
		return "dns or hosts line";
	if (s->pids > MAX_PIDS)
		return "pids limit";
	if (s->memory > INT64_MAX || s->task_memory > INT64_MAX ||
	    s->memory_soft > INT64_MAX || s->task_cpu > (1u << 20))
		return "limit out of range";
	return NULL;
}

int
oci_read(struct msg_reader *m, struct arena *a, struct oci_spec *ret,
    const char **ret_why)
{
	struct oci_spec s = {0};
	const char *fault;

	read_fields(m, a, &s);
	if (!msg_ok(m))
		return err_origin(EBADMSG, "a container's fields");
	fault = find_fault(&s);
	if (fault) {
		*ret_why = fault;
		return OCI_E_BAD;
	}
	*ret = s;
	return 0;
}

static int
ulimit_id(struct span name)
{
	for (size_t i = 0; i < ARRAY_SIZE(ulimit_names); i++)
		if (span_is(name, ulimit_names[i].name))
			return ulimit_names[i].id;
	return -1;
}

void
oci_fit_ulimits(struct oci_spec *s, struct arena *a UNUSED)
{
	bool nofile = false;
	size_t n = 0;

	for (size_t i = 0; i < s->n_ulimits; i++)
		nofile |= span_is(s->ulimits[i].name, "nofile");
	/* oci_read() leaves room for one more. */
	if (!nofile)
		s->ulimits[s->n_ulimits++] = (struct oci_ulimit){
		    SPAN("nofile"), NOFILE_SOFT, NOFILE_HARD};
	for (size_t i = 0; i < s->n_ulimits; i++) {
		struct oci_ulimit u = s->ulimits[i];
		int id = ulimit_id(u.name);
		struct rlimit have;

		if (id < 0 || getrlimit(id, &have) < 0) {
			log_warn("ulimit %.*s is unknown, ignoring",
			    SPAN_ARG(u.name));
			continue;
		}
		if (u.hard > have.rlim_max) {
			if (nofile || id != RLIMIT_NOFILE)
				log_warn("%.*s: ulimit %.*s lowered from %ju "
				    "to the host's %ju", SPAN_ARG(s->id),
				    SPAN_ARG(u.name), (uintmax_t)u.hard,
				    (uintmax_t)have.rlim_max);
			u.hard = have.rlim_max;
		}
		u.soft = MIN(u.soft, u.hard);
		s->ulimits[n++] = u;
	}
	s->n_ulimits = n;
}
