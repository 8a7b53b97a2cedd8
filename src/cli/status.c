/* neargate status, neargate dump: the daemon's own words. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/local.h"

static void
print_uptime(int64_t s)
{
	if (s >= 86400)
		printf("%lldd ", (long long)(s / 86400));
	printf("%02lld:%02lld:%02lld", (long long)(s / 3600 % 24),
	    (long long)(s / 60 % 60), (long long)(s % 60));
}

/* What the process has in memory for itself, in KiB; 0 when it is gone. */
static uint64_t
private_kib(pid_t pid)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/smaps_rollup",
	    (int)pid);
	_cleanup_free_ char *line = NULL;
	uint64_t sum = 0, n;
	size_t cap = 0;
	FILE *f = fopen(path, "re");
	struct span s;

	if (!f)
		return 0;
	while (getline(&line, &cap, f) > 0) {
		s = span_of(line);
		if (!span_starts(s, SPAN("Pss:")))
			continue;
		s = span_trim(span_from(s, 4));
		if (span_u64(span_cut(&s, ' '), &n))
			sum += n;
	}
	fclose(f);
	return sum;
}

static bool
belongs(pid_t pid, const char *run_dir)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/cmdline", (int)pid);
	_cleanup_free_ char *dir = xasprintf("%s/", run_dir);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	ssize_t n;

	buf_reserve(&b, 4096);
	n = fd < 0 ? -1 : read(fd, b.p, 4096);
	return n > 0 && span_find(span_make(b.p, (size_t)n),
	    span_of(dir)) >= 0;
}

/* Monitors and proxies name the run directory in their arguments. */
static void
print_memory(const struct instance *in, pid_t daemon)
{
	pid_t warden = instance_warden(in), pid;
	DIR *d = opendir("/proc");
	uint64_t kib = 0;
	struct dirent *e;
	unsigned n = 0;

	while (d && (e = readdir(d))) {
		pid = (pid_t)strtol(e->d_name, NULL, 10);
		if (pid <= 0 || pid == daemon || pid == warden ||
		    pid == getpid() || !belongs(pid, in->run_dir))
			continue;
		kib += private_kib(pid);
		n++;
	}
	if (d)
		closedir(d);
	printf("memory     neargated %.1f MB, warden %.1f MB",
	    (double)private_kib(daemon) / 1024,
	    (double)private_kib(warden) / 1024);
	if (n)
		printf(", %u monitors and proxies %.1f MB", n,
		    (double)kib / 1024);
	puts("");
}

static void
print_tasks(const struct doc *tasks)
{
	bool any = false;

	doc_each_key(k, v, tasks) {
		if (doc_i64(v, 0) == 0)
			continue;
		printf("%s%lld %.*s", any ? ", " : "",
		    (long long)doc_i64(v, 0), SPAN_ARG(k));
		any = true;
	}
	puts(any ? "" : "none");
}

static void
print_lbs(const struct doc *lbs)
{
	if (doc_len(lbs))
		puts("load balancers");
	doc_each(lb, lbs) {
		printf("  %.*s (%.*s, %.*s)\n",
		    SPAN_ARG(doc_get_str(lb, "name")),
		    SPAN_ARG(doc_get_str(lb, "region")),
		    SPAN_ARG(doc_get_str(lb, "state")));
		doc_each(u, doc_get(lb, "urls"))
			printf("    %.*s\n", SPAN_ARG(doc_span(u)));
		doc_each(u, doc_get(lb, "names"))
			printf("    also %.*s\n", SPAN_ARG(doc_span(u)));
	}
}

static void
print_status(const struct instance *in, const struct doc *d)
{
	struct span edge = doc_get_str(d, "edge");
	pid_t pid = (pid_t)doc_get_int(d, "pid", 0);

	printf("instance   %s%s, version %.*s, up ", in->name,
	    doc_get_bool(d, "ephemeral", false) ? " (ephemeral)" : "",
	    SPAN_ARG(doc_get_str(d, "version")));
	print_uptime(doc_get_int(d, "uptimeSeconds", 0));
	printf("\nendpoint   %.*s\naccount    %.*s\nstate      %.*s\n",
	    SPAN_ARG(doc_get_str(d, "endpoint")),
	    SPAN_ARG(doc_get_str(d, "account")),
	    SPAN_ARG(doc_get_str(d, "stateDir")));
	print_memory(in, pid);
	printf("services   %lld\ntasks      ",
	    (long long)doc_get_int(d, "services", 0));
	print_tasks(doc_get(d, "tasks"));
	print_lbs(doc_get(d, "loadBalancers"));
	if (edge.n && !span_is(edge, "ok"))
		printf("attention  %.*s\n", SPAN_ARG(edge));
}

int
cli_status(struct cli *c)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct instance in;
	struct doc *d;
	int r;

	if (instance_load(c, &in) < 0)
		return cli_fail("%s", err_last()), 2;
	r = local_ask(c, &in, "/status", &d);
	if (r == LOCAL_E_DOWN)
		return instance_not_up(c, &in);
	if (r < 0)
		return cli_fail("%s", err_last());
	if (!c->json) {
		print_status(&in, d);
		return 0;
	}
	doc_write_json_pretty(&b, d);
	puts(buf_str(&b));
	return 0;
}

int
cli_dump(struct cli *c)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT, b = BUF_INIT;
	struct instance in;
	int r;

	if (instance_load(c, &in) < 0)
		return cli_fail("%s", err_last()), 2;
	buf_add_str(&path, "/dump?");
	if (c->n_words)
		buf_add_uri(&path, span_of(c->words[0]), false);
	r = local_get(&in, buf_str(&path), &b);
	if (r == LOCAL_E_DOWN)
		return instance_not_up(c, &in);
	if (r < 0)
		return cli_fail("%s", err_last());
	fputs(buf_str(&b), stdout);
	return fflush(stdout) ? cli_fail("standard output is gone") : 0;
}
