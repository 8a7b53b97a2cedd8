/* Where an instance lives, and what is recorded of it. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/instance.h"

#define RECORD_MAX (64u << 10)
#define MAIN_ONE   "ng0"
#define NAME_MAX_LEN 8 /* names of interfaces begin with it */

static int
read_file(const char *path, struct buf *b)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	while (b->n < RECORD_MAX) {
		buf_reserve(b, 4096);
		if ((n = read(fd, b->p + b->n, 4096)) <= 0)
			return n < 0 ? -errno : 0;
		b->n += (size_t)n;
		b->p[b->n] = '\0';
	}
	return -EFBIG;
}

static const char *
text(struct cli *c, const struct doc *d, const char *key)
{
	struct span s = doc_get_str(d, key);

	return s.n ? arena_str(c->a, s) : NULL;
}

/* What the record says where the options say nothing. */
static void
load_record(struct cli *c, struct instance *in)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	const char *path = arena_fmt(c->a, "%s/instance.json", in->run_dir);
	struct doc *d;

	if (read_file(path, &b) < 0 || doc_parse_json(c->a,
	    arena_span(c->a, buf_span(&b)), &d))
		return;
	in->recorded = true;
	in->log = text(c, d, "Log");
	if (!in->state_dir)
		in->state_dir = text(c, d, "StateDir");
	if (!in->listen)
		in->listen = text(c, d, "Listen");
}

/* Root's mark in what `up --ephemeral` made; it outlives /run. */
static bool
is_marked(struct cli *c, const struct instance *in)
{
	struct stat st;

	return lstat(arena_fmt(c->a, "%s/ephemeral", in->state_dir), &st)
	    == 0 && S_ISREG(st.st_mode) && st.st_uid == 0;
}

static bool
name_ok(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n <= NAME_MAX_LEN &&
	    strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == n &&
	    s[0] != '-';
}

/* "" for the main one: its directories carry no suffix. */
static const char *
suffix(struct cli *c, const char *name)
{
	return strcmp(name, MAIN_ONE) ? arena_fmt(c->a, "-%s", name) : "";
}

int
instance_load(struct cli *c, struct instance *ret)
{
	const char *env = getenv("NEARGATE_INSTANCE");
	struct instance in = {.name = c->instance, .run_dir = c->run_dir,
	    .state_dir = c->state_dir, .listen = c->listen};

	if (!in.name)
		in.name = env && *env ? env : MAIN_ONE;
	if (!name_ok(in.name))
		return err_origin(EINVAL, "--instance %s: not a name of up to "
		    "8 lower-case letters and digits", in.name);
	if (!in.run_dir)
		in.run_dir = arena_fmt(c->a, "/run/neargate%s",
		    suffix(c, in.name));
	if (in.run_dir[0] != '/' || (in.state_dir && in.state_dir[0] != '/'))
		return err_origin(EINVAL, "directories must be absolute");
	load_record(c, &in);
	if (!in.state_dir)
		in.state_dir = arena_fmt(c->a, "/var/lib/neargate%s",
		    suffix(c, in.name));
	in.ephemeral = is_marked(c, &in);
	in.daemon_dir = arena_fmt(c->a, "%s/daemon", in.run_dir);
	in.socket = arena_fmt(c->a, "%s/admin", in.daemon_dir);
	*ret = in;
	return 0;
}

int
instance_record(struct cli *c, const struct instance *in)
{
	const char *path = arena_fmt(c->a, "%s/instance.json", in->run_dir);
	const char *tmp = arena_fmt(c->a, "%s.new", path);
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	_cleanup_close_ int fd = open(tmp,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	struct doc *d = doc_obj(c->a);

	doc_set_str(c->a, d, "Instance", span_of(in->name));
	doc_set_str(c->a, d, "StateDir", span_of(in->state_dir));
	doc_set_str(c->a, d, "Listen", span_of(in->listen));
	if (in->log)
		doc_set_str(c->a, d, "Log", span_of(in->log));
	doc_write_json_pretty(&b, d);
	buf_add_char(&b, '\n');
	if (fd < 0 || write(fd, b.p, b.n) != (ssize_t)b.n ||
	    rename(tmp, path) != 0)
		return err_origin(errno, "%s: %s", path, strerror(errno));
	return 0;
}

int
instance_lock(const struct instance *in, int *ret_fd)
{
	struct stat at, here;

	for (;;) {
		_cleanup_close_ int fd = -1;

		if (mkdir(in->run_dir, 0755) < 0 && errno != EEXIST)
			return err_origin(errno, "mkdir %s: %s", in->run_dir,
			    strerror(errno));
		fd = open(in->run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 || flock(fd, LOCK_EX) < 0 || fstat(fd, &here) < 0)
			return err_origin(errno, "%s: %s", in->run_dir,
			    strerror(errno));
		/* A `down` that we waited for took the directory away. */
		if (stat(in->run_dir, &at) < 0 || at.st_ino != here.st_ino)
			continue;
		*ret_fd = TAKE_FD(fd);
		return 0;
	}
}

pid_t
instance_warden(const struct instance *in)
{
	_cleanup_free_ char *path = xasprintf("%s/warden.pid", in->run_dir);
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t pid;

	if (fd < 0 || flock(fd, LOCK_SH | LOCK_NB) == 0 ||
	    read_file(path, &b) < 0 ||
	    !span_u64(span_trim(buf_span(&b)), &pid))
		return 0;
	return (pid_t)pid;
}

void
instance_each(struct cli *c, void (*fn)(void *ctx, const struct instance *in),
    void *ctx)
{
	struct cli one = {.a = c->a};
	struct instance in;
	struct span dir, name;
	glob_t g;

	if (glob("/run/neargate*/instance.json", 0, NULL, &g) == 0) {
		for (size_t i = 0; i < g.gl_pathc; i++) {
			dir = span_of(g.gl_pathv[i]);
			dir = span_to(dir, (size_t)span_rchr(dir, '/'));
			name = span_from(dir, strlen("/run/neargate-"));
			one.run_dir = arena_str(c->a, dir);
			one.instance = name.n ? arena_str(c->a, name)
			    : MAIN_ONE;
			if (instance_load(&one, &in) == 0)
				fn(ctx, &in);
		}
	}
	globfree(&g);
}

static void
say_other(void *ctx, const struct instance *in)
{
	const struct instance *me = ctx;

	if (strcmp(in->name, me->name) && instance_warden(in))
		cli_say("%s runs: add --instance %s", in->name, in->name);
}

int
instance_not_up(struct cli *c, const struct instance *in)
{
	pid_t warden = instance_warden(in);

	if (warden)
		return cli_fail("%s does not answer though its warden (process "
		    "%d) runs; `neargate logs` may tell why", in->name,
		    (int)warden);
	cli_fail("%s does not run; `neargate up` starts it", in->name);
	instance_each(c, say_other, (void *)in);
	return 1;
}
