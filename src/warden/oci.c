/* Typed fields in, OCI configuration out. */
#include "base/log.h"
#include "warden/oci.h"
#include "warden/seccomp.h"

/* Docker's default set. */
static const char *const default_caps[] = {
    "CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID",
    "SETUID", "SETFCAP", "SETPCAP", "NET_BIND_SERVICE", "SYS_CHROOT", "KILL",
    "AUDIT_WRITE",
};

static const char *const masked[] = {
    "/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys",
    "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
    "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
    "/sys/devices/virtual/powercap",
};

static const char *const read_only[] = {
    "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

/* Files of ours that every container sees. */
static const struct {
	const char *file, *target;
} own_files[] = {
    {"hosts", "/etc/hosts"},
    {"resolv.conf", "/etc/resolv.conf"},
    {"hostname", "/etc/hostname"},
};

#define INIT_TARGET "/dev/neargate-init"

static void
string(struct buf *b, struct span s)
{
	buf_add_char(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '"' || c == '\\')
			buf_add_char(b, '\\');
		if (c < ' ')
			buf_addf(b, "\\u%04x", c);
		else
			buf_add_char(b, (char)c);
	}
	buf_add_char(b, '"');
}

static void
str(struct buf *b, const char *s)
{
	string(b, span_of(s));
}

void
oci_render_strings(struct buf *b, const struct span *v, size_t n)
{
	buf_add_char(b, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_add_char(b, ',');
		string(b, v[i]);
	}
	buf_add_char(b, ']');
}

static void
literals(struct buf *b, const char *const *v, size_t n)
{
	buf_add_char(b, '[');
	for (size_t i = 0; i < n; i++)
		buf_addf(b, "%s\"%s\"", i ? "," : "", v[i]);
	buf_add_char(b, ']');
}

static bool
among(struct span s, const struct span *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (span_eq(s, v[i]) || span_is(v[i], "ALL"))
			return true;
	return false;
}

static bool
is_default_cap(struct span s)
{
	for (size_t i = 0; i < ARRAY_SIZE(default_caps); i++)
		if (span_is(s, default_caps[i]))
			return true;
	return false;
}

static void
cap_list(struct buf *b, const struct oci_spec *s)
{
	const char *sep = "";

	buf_add_char(b, '[');
	for (size_t i = 0; i < ARRAY_SIZE(default_caps); i++) {
		if (among(span_of(default_caps[i]), s->cap_drop, s->n_cap_drop))
			continue;
		buf_addf(b, "%s\"CAP_%s\"", sep, default_caps[i]);
		sep = ",";
	}
	for (size_t i = 0; i < s->n_cap_add; i++) {
		if (is_default_cap(s->cap_add[i]))
			continue;
		buf_addf(b, "%s\"CAP_%.*s\"", sep, SPAN_ARG(s->cap_add[i]));
		sep = ",";
	}
	buf_add_char(b, ']');
}

static void
capabilities(struct buf *b, const struct oci_spec *s)
{
	buf_add_str(b, "\"capabilities\":{\"bounding\":");
	cap_list(b, s);
	/* Another user than root starts without, as in Docker. */
	if (s->uid == 0) {
		buf_add_str(b, ",\"effective\":");
		cap_list(b, s);
		buf_add_str(b, ",\"permitted\":");
		cap_list(b, s);
	}
	buf_add_char(b, '}');
}

static void
rlimits(struct buf *b, const struct oci_spec *s)
{
	buf_add_str(b, "\"rlimits\":[");
	for (size_t i = 0; i < s->n_ulimits; i++) {
		const struct oci_ulimit *u = &s->ulimits[i];

		buf_addf(b, "%s{\"type\":\"RLIMIT_", i ? "," : "");
		for (size_t k = 0; k < u->name.n; k++)
			buf_add_char(b, (char)(u->name.p[k] & ~0x20));
		buf_addf(b, "\",\"soft\":%ju,\"hard\":%ju}",
		    (uintmax_t)u->soft, (uintmax_t)u->hard);
	}
	buf_add_char(b, ']');
}

void
oci_render_process_tail(struct buf *b, const struct oci_spec *s)
{
	buf_add_str(b, "\"env\":");
	oci_render_strings(b, s->env, s->n_env);
	buf_add_str(b, ",\"cwd\":");
	string(b, s->cwd.n ? s->cwd : SPAN("/"));
	buf_addf(b, ",\"user\":{\"uid\":%u,\"gid\":%u,\"additionalGids\":[",
	    s->uid, s->gid);
	for (size_t i = 0; i < s->n_groups; i++)
		buf_addf(b, "%s%u", i ? "," : "", s->groups[i]);
	buf_add_str(b, "]},\"noNewPrivileges\":false,");
	capabilities(b, s);
	buf_add_char(b, ',');
	rlimits(b, s);
	buf_add_char(b, '}');
}

static void
process(struct buf *b, const struct oci_spec *s)
{
	buf_addf(b, "\"process\":{\"terminal\":%s,\"args\":",
	    s->tty ? "true" : "false");
	if (s->init) {
		buf_add_str(b, "[\"" INIT_TARGET "\",\"--init\",\"--\"");
		for (size_t i = 0; i < s->n_args; i++) {
			buf_add_char(b, ',');
			string(b, s->args[i]);
		}
		buf_add_char(b, ']');
	} else {
		oci_render_strings(b, s->args, s->n_args);
	}
	buf_add_char(b, ',');
	oci_render_process_tail(b, s);
}

static void
bind(struct buf *b, const char *source, struct span target, bool ro)
{
	buf_add_str(b, ",{\"destination\":");
	string(b, target);
	buf_add_str(b, ",\"type\":\"bind\",\"source\":");
	str(b, source);
	buf_addf(b, ",\"options\":[\"rbind\",\"rprivate\",\"%s\"]}",
	    ro ? "ro" : "rw");
}

static void
mounts(struct buf *b, const struct oci_spec *s, const struct oci_host *h)
{
	buf_add_str(b, "\"mounts\":["
	    "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\","
	    "\"options\":[\"nosuid\",\"noexec\",\"nodev\"]},"
	    "{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\","
	    "\"options\":[\"nosuid\",\"strictatime\",\"mode=755\","
	    "\"size=65536k\"]},"
	    "{\"destination\":\"/dev/pts\",\"type\":\"devpts\","
	    "\"source\":\"devpts\",\"options\":[\"nosuid\",\"noexec\","
	    "\"newinstance\",\"ptmxmode=0666\",\"mode=0620\",\"gid=5\"]},"
	    "{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\","
	    "\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"ro\"]},"
	    "{\"destination\":\"/dev/mqueue\",\"type\":\"mqueue\","
	    "\"source\":\"mqueue\",\"options\":[\"nosuid\",\"noexec\","
	    "\"nodev\"]},"
	    "{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\","
	    "\"source\":\"shm\",\"options\":[\"nosuid\",\"noexec\",\"nodev\","
	    "\"mode=1777\",\"size=67108864\"]}");
	for (size_t i = 0; i < ARRAY_SIZE(own_files); i++) {
		_cleanup_free_ char *source =
		    xasprintf("%s/%s", h->dir, own_files[i].file);

		bind(b, source, span_of(own_files[i].target), false);
	}
	if (s->init)
		bind(b, h->init_path, SPAN(INIT_TARGET), true);
	for (size_t i = 0; i < s->n_mounts; i++) {
		_cleanup_free_ char *source = xasprintf("%s/%.*s", h->volumes,
		    SPAN_ARG(s->mounts[i].volume));

		bind(b, source, s->mounts[i].target, s->mounts[i].read_only);
	}
	buf_add_char(b, ']');
}

static void
resources(struct buf *b, const struct oci_spec *s)
{
	const char *sep = "";

	/* Devices: Docker's, which crun creates itself in /dev. */
	buf_add_str(b, "\"resources\":{\"devices\":["
	    "{\"allow\":false,\"access\":\"rwm\"},"
	    "{\"allow\":true,\"type\":\"c\",\"access\":\"m\"},"
	    "{\"allow\":true,\"type\":\"b\",\"access\":\"m\"}");
	static const unsigned char nodes[][2] = {
	    {1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 0}, {5, 1}, {5, 2}};

	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++)
		buf_addf(b, ",{\"allow\":true,\"type\":\"c\",\"major\":%u,"
		    "\"minor\":%u,\"access\":\"rwm\"}", nodes[i][0],
		    nodes[i][1]);
	buf_add_str(b, ",{\"allow\":true,\"type\":\"c\",\"major\":136,"
	    "\"access\":\"rwm\"}],\"memory\":{");
	if (s->memory) {
		buf_addf(b, "\"limit\":%ju", (uintmax_t)s->memory);
		sep = ",";
	}
	if (s->memory_soft)
		buf_addf(b, "%s\"reservation\":%ju", sep,
		    (uintmax_t)s->memory_soft);
	buf_add_str(b, "},\"cpu\":{");
	/* The kernel's least share is 2; ECS sends 0 or 1 for "least". */
	buf_addf(b, "\"shares\":%u}", MAX(s->cpu_shares, 2));
	if (s->pids)
		buf_addf(b, ",\"pids\":{\"limit\":%u}", s->pids);
	buf_add_char(b, '}');
}

void
oci_render(struct buf *b, const struct oci_spec *s, const struct oci_host *h)
{
	buf_add_str(b, "{\"ociVersion\":\"1.0.2\",");
	process(b, s);
	buf_addf(b, ",\"root\":{\"path\":\"rootfs\",\"readonly\":%s}",
	    s->read_only_root ? "true" : "false");
	buf_add_str(b, ",\"hostname\":");
	string(b, s->hostname);
	buf_add_char(b, ',');
	mounts(b, s, h);
	buf_add_str(b, ",\"linux\":{\"cgroupsPath\":");
	str(b, h->cgroup_path);
	buf_add_char(b, ',');
	resources(b, s);
	buf_add_str(b, ",\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"ipc\"},"
	    "{\"type\":\"uts\"},{\"type\":\"mount\"},"
	    "{\"type\":\"network\",\"path\":");
	str(b, h->netns_path);
	buf_add_str(b, "}],\"maskedPaths\":");
	literals(b, masked, ARRAY_SIZE(masked));
	buf_add_str(b, ",\"readonlyPaths\":");
	literals(b, read_only, ARRAY_SIZE(read_only));
	if (h->seccomp.n) {
		buf_addf(b, "},\"annotations\":{\"" OCI_SECCOMP_BPF "\":"
		    "\"%.*s\"}}", SPAN_ARG(h->seccomp));
		return;
	}
	buf_add_str(b, ",\"seccomp\":");
	seccomp_render(b);
	buf_add_str(b, "}}");
}
