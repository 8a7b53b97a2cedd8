/* neargate logs: the daemon's log, and containers' output from its segments
 * (doc/format/container-log.md). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "cli/local.h"

#define PIECE (64u << 10)

/* A reader of lines that grow. */
struct tail {
	const char *dir;	/* of segments; NULL: one file */
	const char *name;	/* "task/container", before each line */
	int fd;
	unsigned segment;
	struct buf rest;	/* a line that has no end yet */
	bool ended;
};

/* --- lines -------------------------------------------------------------- */

/* "<6>neargated: text"; the mark is the journal's. */
static void
print_daemon(struct span line)
{
	if (line.n > 3 && line.p[0] == '<' && line.p[2] == '>')
		line = span_from(line, 3);
	printf("%.*s\n", SPAN_ARG(line));
}

static void
print_record(const struct tail *t, struct span line)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct span ms = span_cut(&line, ' '), stream = span_cut(&line, ' ');
	struct span kind = span_cut(&line, ' ');
	int64_t at;

	if (!line.p || !span_i64(ms, &at))
		return;
	printf("%s %s%s", clock_iso(a, at, true), t->name,
	    span_is(stream, "e") ? " (stderr) " : " ");
	fwrite(line.p, 1, line.n, stdout);
	puts(span_is(kind, "P") ? " ..." : "");
}

static void
take_lines(struct tail *t)
{
	struct span in = buf_span(&t->rest), line;
	size_t had = in.n;

	while (span_chr(in, '\n') >= 0) {
		line = span_cut(&in, '\n');
		if (t->dir)
			print_record(t, line);
		else
			print_daemon(line);
	}
	buf_drop(&t->rest, had - in.n);
}

static int
read_on(struct tail *t)
{
	ssize_t n;

	do {
		buf_reserve(&t->rest, PIECE);
		n = read(t->fd, t->rest.p + t->rest.n, PIECE);
		if (n < 0)
			return err_origin(errno, "read: %s", strerror(errno));
		t->rest.n += (size_t)n;
		take_lines(t);
	} while (n > 0);
	return 0;
}

/* --- segments ----------------------------------------------------------- */

/* The lowest segment after this one, 0 when there is none; segments that were
 * handed to a log group are gone. */
static unsigned
next_segment(const char *dir, unsigned after)
{
	DIR *d = opendir(dir);
	unsigned best = 0;
	struct dirent *e;
	uint64_t n;

	if (!d)
		return 0;
	while ((e = readdir(d))) {
		struct span name = span_of(e->d_name);

		if (!span_ends(name, SPAN(".log")) ||
		    !span_u64(span_to(name, name.n - 4), &n) ||
		    n > UINT32_MAX || n <= after)
			continue;
		if (!best || n < best)
			best = (unsigned)n;
	}
	closedir(d);
	return best;
}

static bool
has_end(const struct tail *t)
{
	_cleanup_free_ char *path = xasprintf("%s/end", t->dir);

	return access(path, F_OK) == 0;
}

static int
read_segments(struct tail *t)
{
	bool ends = has_end(t); /* looked at first: nothing comes after it */
	unsigned next;
	int r;

	for (;;) {
		if (t->fd >= 0 && (r = read_on(t)) < 0)
			return err_trace(r);
		next = next_segment(t->dir, t->segment);
		if (!next)
			break;
		/* What was added between the two looks. */
		if (t->fd >= 0 && (r = read_on(t)) < 0)
			return err_trace(r);
		_cleanup_free_ char *path = xasprintf("%s/%06u.log", t->dir,
		    next);

		close_p(&t->fd);
		t->segment = next;
		t->fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (t->fd < 0 && errno != ENOENT)
			return err_origin(errno, "%s: %s", path,
			    strerror(errno));
	}
	t->ended = ends;
	return 0;
}

/* --- reading all, once or for good -------------------------------------- */

static int
read_all(struct tail *v, size_t n, bool *ret_more)
{
	bool more = false;
	int r;

	for (size_t i = 0; i < n; i++) {
		r = v[i].dir ? read_segments(&v[i]) : read_on(&v[i]);
		if (r < 0)
			return err_trace(r);
		more |= !v[i].ended;
	}
	if (fflush(stdout))
		return err_origin(EPIPE, "standard output is gone");
	*ret_more = more;
	return 0;
}

static int
follow(struct cli *c, struct tail *v, size_t n, const char *file)
{
	_cleanup_close_ int fd = c->follow ? inotify_init1(IN_CLOEXEC) : -1;
	union {
		struct inotify_event e;
		char bytes[4096];
	} u;
	bool more = true;

	for (size_t i = 0; c->follow && i < n; i++)
		if (fd < 0 || inotify_add_watch(fd, file ? file : v[i].dir,
		    IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0)
			return cli_fail("inotify: %s", strerror(errno));
	for (;;) {
		if (read_all(v, n, &more) < 0)
			return cli_fail("%s", err_last());
		if (!c->follow || !more)
			return 0;
		if (read(fd, u.bytes, sizeof(u.bytes)) < 0 && errno != EINTR)
			return cli_fail("inotify: %s", strerror(errno));
	}
}

static void
tails_done(struct tail *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		close_p(&v[i].fd);
		buf_done(&v[i].rest);
	}
}

/* --- the daemon's ------------------------------------------------------- */

static int
journal(struct cli *c)
{
	execlp("journalctl", "journalctl", "--unit", "neargate", "--output",
	    "cat", c->follow ? "--follow" : "--no-pager", NULL);
	return cli_fail("journalctl: %s", strerror(errno));
}

static int
daemon_log(struct cli *c, const struct instance *in)
{
	const char *path = in->log ? in->log : arena_fmt(c->a,
	    "%s/neargate.log", in->state_dir);
	struct tail t = {.fd = -1, .rest = BUF_INIT};
	int r;

	if (in->recorded && !in->log)
		return journal(c);
	t.fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (t.fd < 0)
		return cli_fail("%s: %s", path, strerror(errno));
	r = follow(c, &t, 1, path);
	tails_done(&t, 1);
	return r;
}

/* --- containers' -------------------------------------------------------- */

/* What was handed over, when the first segment is gone. */
static void
say_where(const struct doc *k, const char *dir)
{
	_cleanup_free_ char *first = xasprintf("%s/000001.log", dir);
	struct span group = doc_get_str(k, "LogGroup");

	if (group.n && access(first, F_OK) < 0)
		cli_say("output of %.*s is in its log group: aws logs tail "
		    "%.*s --log-stream-names %.*s",
		    SPAN_ARG(doc_get_str(k, "name")), SPAN_ARG(group),
		    SPAN_ARG(doc_get_str(k, "LogStream")));
}

static size_t
from_daemon(struct cli *c, const struct instance *in, const struct doc *found,
    struct tail *v)
{
	size_t n = 0;

	doc_each(k, found) {
		const char *dir = arena_fmt(c->a, "%s/log/%.*s",
		    in->state_dir,
		    SPAN_ARG(doc_get_str(k, "RuntimeContainer")));

		say_where(k, dir);
		if (access(dir, F_OK) < 0)
			continue;
		v[n++] = (struct tail){.fd = -1, .dir = dir, .rest = BUF_INIT,
		    .name = arena_fmt(c->a, "%.*s/%.*s",
			SPAN_ARG(span_to(doc_get_str(k, "task"), 8)),
			SPAN_ARG(doc_get_str(k, "name")))};
	}
	return n;
}

/* Containers of tasks that neargated does not know (any more). */
static size_t
from_disk(struct cli *c, const struct instance *in, struct span want,
    struct tail *v, size_t max)
{
	DIR *d = opendir(arena_fmt(c->a, "%s/log", in->state_dir));
	struct dirent *e;
	size_t n = 0;

	if (!d)
		return 0;
	while (n < max && (e = readdir(d)))
		if (want.n >= 6 && span_starts(span_of(e->d_name), want))
			v[n++] = (struct tail){.fd = -1, .rest = BUF_INIT,
			    .name = arena_fmt(c->a, "%s", e->d_name),
			    .dir = arena_fmt(c->a, "%s/log/%s", in->state_dir,
				e->d_name)};
	closedir(d);
	return n;
}

static int
container_log(struct cli *c, const struct instance *in)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT;
	struct span want = span_of(c->words[0]);
	struct doc *found = NULL;
	struct tail *v;
	size_t n, max;
	int r;

	buf_add_str(&path, "/task?");
	buf_add_uri(&path, want, false);
	r = local_ask(c, in, buf_str(&path), &found);
	if (r < 0)
		return cli_fail("%s", err_last());
	max = doc_len(found) + 64;
	v = arena_array(c->a, struct tail, max);
	n = from_daemon(c, in, found, v);
	if (!doc_len(found))
		n = from_disk(c, in, want, v, max);
	if (!doc_len(found) && !n)
		return cli_fail("%s is no task or service here%s",
		    c->words[0], r ? "; neargated does not run" : "");
	r = follow(c, v, n, NULL);
	tails_done(v, n);
	return r;
}

int
cli_logs(struct cli *c)
{
	struct instance in;

	if (instance_load(c, &in) < 0)
		return cli_fail("%s", err_last()), 2;
	return c->n_words ? container_log(c, &in) : daemon_log(c, &in);
}
