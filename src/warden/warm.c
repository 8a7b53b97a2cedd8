/* Moves that change nothing, so that those that do are fast. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "warden/dirs.h"
#include "warden/warm.h"

#define WARM_MAGIC 0x3a4d0001u
#define AGAIN_MS   4 /* less than a grace period */

struct warm {
	unsigned magic;
	struct host *host;
	uv_work_t work;
	uv_timer_t timer;
	int fd;	      /* of the move under way */
	unsigned due; /* containers that are being started */
	bool busy, again, closed;
};

char *
warm_path(struct arena *a, const char *root, enum cgroup_mode mode,
    struct span self)
{
	while (self.p) {
		struct span line = span_cut(&self, '\n');
		struct span id = span_cut(&line, ':');
		struct span name = span_cut(&line, ':');

		if (mode == CGROUP_V2 && span_is(id, "0") && !name.n)
			return arena_fmt(a, "%s%.*s/cgroup.procs", root,
			    SPAN_ARG(line));
		if (mode != CGROUP_V2 && span_is(name, "memory"))
			return arena_fmt(a, "%s/memory%.*s/cgroup.procs", root,
			    SPAN_ARG(line));
	}
	return NULL;
}

/* Looked up each time: somebody may have moved us. */
static int
open_own(const struct host *h)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_close_ int proc = open("/proc/self", O_PATH | O_CLOEXEC);
	const char *path;

	if (proc < 0 || dirs_read(proc, "cgroup", 65536, &b) < 0)
		return -1;
	path = warm_path(a, h->cgroup_root ? h->cgroup_root : "/sys/fs/cgroup",
	    h->cgroups, buf_span(&b));
	return path ? open(path, O_WRONLY | O_CLOEXEC) : -1;
}

static void
move(uv_work_t *w)
{
	const struct warm *m = container_of(w, struct warm, work);

	/* Refused or not: the grace period comes first. */
	(void)!write(m->fd, "0", 1);
}

static void
on_timer(uv_timer_t *t)
{
	struct warm *m;

	CAST_OBJ(m, t->data, WARM_MAGIC);
	if (m->due > 0)
		warm_up(m->host);
}

static void
free_closed(uv_handle_t *h)
{
	struct warm *m;

	CAST_OBJ(m, h->data, WARM_MAGIC);
	m->closed = true;
	if (!m->busy)
		FREE_OBJ(m);
}

static void
on_moved(uv_work_t *w, int status UNUSED)
{
	struct warm *m = container_of(w, struct warm, work);

	CHECK_OBJ(m, WARM_MAGIC);
	m->busy = false;
	close_p(&m->fd);
	if (m->closed)
		FREE_OBJ(m);
	else if (m->again)
		warm_up(m->host);
	else if (m->due > 0)
		uv_timer_start(&m->timer, on_timer, AGAIN_MS, 0);
}

void
warm_up(struct host *h)
{
	struct warm *m = h->warm;

	if (!m)
		return;
	CHECK_OBJ(m, WARM_MAGIC);
	m->again = m->busy;
	if (m->busy)
		return;
	m->fd = open_own(h);
	if (m->fd < 0)
		return; /* slower, and nothing else */
	m->busy = uv_queue_work(h->loop, &m->work, move, on_moved) == 0;
	if (!m->busy)
		close_p(&m->fd);
}

void
warm_begin(struct host *h)
{
	if (!h->warm)
		return;
	h->warm->due++;
	warm_up(h);
}

void
warm_end(struct host *h)
{
	if (!h->warm)
		return;
	AN(h->warm->due);
	h->warm->due--;
}

int
warm_new(struct host *h)
{
	struct warm *m;

	ALLOC_OBJ(m, WARM_MAGIC);
	m->host = h;
	m->fd = -1;
	AZ(uv_timer_init(h->loop, &m->timer));
	m->timer.data = m;
	h->warm = m;
	return 0;
}

void
warm_free(struct host *h)
{
	struct warm *m = h->warm;

	h->warm = NULL;
	if (m)
		uv_close((uv_handle_t *)&m->timer, free_closed);
}
