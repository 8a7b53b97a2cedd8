/* The log controller: which directory goes where, who is ready, the commit. */
#include "ctl/logs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "ctl/logs-tail.h"
#include "svc/ecs/kinds.h"
#include "svc/logs/kinds.h"

#define TAILS_MAGIC 0x7a115000
/* The key of looking for directories that belong to no task. */
#define SWEEP	    INT64_MAX
#define SWEEP_FIRST 1000
#define SWEEP_MS    (60 * 60 * 1000)
/* How long output of containers that no task knows is kept. */
#define ORPHAN_MS   (60 * 60 * 1000)
#define RETRY_MS    1000
/* An event of several lines is complete when none came for so long. */
#define QUIET_MS    1000
/* Events of a turn, of all tails together. */
#define TURN_EVENTS 2000

struct tails {
	unsigned magic;
	struct ctl *ctl;
	struct log_store *db;
	char *path;	  /* state_dir/log */
	int dir;
	struct tail *by_id;
	struct list ready;
	bool waiting;	  /* for the commit */
	bool closing;
	int handles;
	uv_fs_event_t watch;
	uv_idle_t idle;	  /* runs while something is ready */
	uv_timer_t retry;
	uv_timer_t quiet; /* runs while an event of several lines is open */
};

static const struct kind *const kinds[] = {&ecs_task, NULL};

static void on_idle(uv_idle_t *h);

/* Tails */

static void
tail_free(struct tail *t)
{
	tail_close(t);
	join_rule_free(t->rule);
	free(t->to.account);
	free(t->to.region);
	free(t->to.group);
	free(t->to.stream);
	free(t->id);
	FREE_OBJ(t);
}

static void
tails_put(struct tails *s)
{
	if (--s->handles > 0)
		return;
	close_p(&s->dir);
	free(s->path);
	FREE_OBJ(s);
}

static void
on_tail_closed(uv_handle_t *h)
{
	struct tails *s;
	struct tail *t;

	CAST_OBJ(t, h->data, TAIL_MAGIC);
	s = t->owner;
	tail_free(t);
	tails_put(s);
}

/* Nobody finds it any more; it goes when its watch is closed. */
static void
tail_drop(struct tail *t)
{
	CHECK_OBJ(t, TAIL_MAGIC);
	list_del(&t->ready);
	HASH_DEL(t->owner->by_id, t);
	tail_close(t);
	uv_close((uv_handle_t *)&t->watch, on_tail_closed);
}

static struct tail *
tail_find(struct tails *s, struct span id)
{
	struct tail *t;

	HASH_FIND(hh, s->by_id, id.p, id.n, t);
	return t;
}

static struct tail *
tail_get(struct tails *s, struct span id)
{
	struct tail *t = tail_find(s, id);

	if (t)
		return t;
	ALLOC_OBJ(t, TAIL_MAGIC);
	t->owner = s;
	t->id = xstrndup(id.p, id.n);
	t->dir = t->fd = -1;
	list_init(&t->ready);
	HASH_ADD_KEYPTR(hh, s->by_id, t->id, id.n, t);
	AZ(uv_fs_event_init(ctl_env(s->ctl)->loop, &t->watch));
	t->watch.data = t;
	s->handles++;
	return t;
}

static void
make_ready(struct tail *t)
{
	if (!list_empty(&t->ready) || t->dir < 0)
		return;
	list_add(&t->owner->ready, &t->ready);
	AZ(uv_idle_start(&t->owner->idle, on_idle));
}

static void
on_event(uv_fs_event_t *h, const char *name UNUSED, int events UNUSED,
    int status UNUSED)
{
	struct tail *t;

	CAST_OBJ(t, h->data, TAIL_MAGIC);
	make_ready(t);
}

/* Opens the directory if it has come, watches it, reads what is there. */
static int
attach(struct tail *t)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", t->owner->path, t->id);
	uint64_t before = t->dir < 0 ? 0 : t->inode;
	int r = tail_open(t, t->owner->dir, t->owner->db);

	if (r < 0)
		return err_trace(r);
	if (t->dir < 0)
		return 0;
	if (t->watching && before != t->inode) {
		uv_fs_event_stop(&t->watch);
		t->watching = false;
	}
	if (!t->watching) {
		r = uv_fs_event_start(&t->watch, on_event, path, 0);
		if (r < 0)
			return err_origin(-r, "watch %s", path);
		t->watching = true;
	}
	make_ready(t);
	return 0;
}

/* Reading, in the turn's idle phase */

/* Rows of where it goes; 0, 0 when that was deleted. */
static int
find_target(struct tail *t, struct arena *a, int64_t *ret_group,
    int64_t *ret_stream)
{
	struct store *s = ctl_env(t->owner->ctl)->store;
	struct scope scope = {span_of(t->to.account), span_of(t->to.region)};
	struct res *g, *st;
	int r;

	*ret_group = *ret_stream = 0;
	r = store_get(s, a, &logs_log_group, scope, SPAN_NULL,
	    span_of(t->to.group), &g);
	if (r == 0)
		r = store_get(s, a, &logs_log_stream, scope,
		    span_of(t->to.group), span_of(t->to.stream), &st);
	if (r == 0) {
		*ret_group = g->row;
		*ret_stream = st->row;
	}
	if (r == STORE_E_NOT_FOUND && !t->told) {
		log_warn("log stream %s of group %s was deleted: output of %s "
		    "is dropped", t->to.stream, t->to.group, t->id);
		t->told = true;
	}
	return r < 0 ? err_trace(r) : 0;
}

static int
store_output(struct tail *t)
{
	_cleanup_arena_ struct arena *a = arena_new();
	int64_t group, stream;
	int r = find_target(t, a, &group, &stream);

	if (r == 0)
		r = tail_read(t, t->owner->db, group, stream);
	return err_trace(r);
}

static void
retry_later(struct tails *s, struct tail *t)
{
	log_warn("log of %s: %s; again in %d ms", t->id, err_last(), RETRY_MS);
	t->dirty = true;
	if (tail_reload(t, s->db) < 0)
		log_error("log of %s: %s, ignoring", t->id, err_last());
}

static void
on_retry(uv_timer_t *h)
{
	struct tails *s;
	struct tail *t, *next;

	CAST_OBJ(s, h->data, TAILS_MAGIC);
	HASH_ITER (hh, s->by_id, t, next)
		make_ready(t);
}

/* Both are durable now: what was read may go. */
static void
clean(struct tails *s)
{
	struct tail *t, *next;

	HASH_ITER (hh, s->by_id, t, next) {
		if (!t->dirty)
			continue;
		t->dirty = false;
		tail_unlink_read(t);
		if (!t->ended)
			continue;
		tail_remove_dir(t->id, s->dir);
		if (log_source_delete(s->db, span_of(t->id)) < 0)
			log_warn("log of %s: %s, ignoring", t->id, err_last());
		tail_drop(t);
	}
}

static void
on_committed(void *ctx, int err)
{
	struct tails *s;
	struct tail *t, *next;
	bool waste = false;

	CAST_OBJ(s, ctx, TAILS_MAGIC);
	s->waiting = false;
	if (s->closing) {
		tails_put(s);
		return;
	}
	HASH_ITER (hh, s->by_id, t, next)
		waste |= t->dirty && tail_has_waste(t);
	if (err == 0 && waste)
		err = log_sync(s->db);
	if (err == 0) {
		clean(s);
	} else {
		HASH_ITER (hh, s->by_id, t, next)
			if (t->dirty)
				retry_later(s, t);
		AZ(uv_timer_start(&s->retry, on_retry, RETRY_MS, 0));
	}
	tails_put(s);
}

static void
await_commit(struct tails *s)
{
	if (s->waiting)
		return;
	s->waiting = true;
	s->handles++;
	store_on_commit(ctl_env(s->ctl)->store, on_committed, s);
}

static bool
is_open(const struct tail *t)
{
	return t->mode == TAIL_STORE && t->join.part[JOIN_EVENT].n > 0;
}

static void
on_quiet(uv_timer_t *h)
{
	int64_t now = clock_mono_us();
	struct tails *s;
	struct tail *t, *next;
	bool open = false;

	CAST_OBJ(s, h->data, TAILS_MAGIC);
	HASH_ITER (hh, s->by_id, t, next) {
		if (!is_open(t))
			continue;
		open = true;
		t->flush = now - t->read_us >= QUIET_MS * 1000;
		if (t->flush)
			make_ready(t);
	}
	if (!open)
		AZ(uv_timer_stop(h));
}

/* Returns how many events there were. */
static size_t
read_one(struct tail *t)
{
	switch (t->mode) {
	case TAIL_WAIT:
		return 0;
	case TAIL_KEEP:
		tail_trim(t);
		return 0;
	case TAIL_STORE:
		break;
	}
	if (t->ended)
		return 0;
	t->events = 0;
	if (store_output(t) < 0) {
		retry_later(t->owner, t);
		AZ(uv_timer_start(&t->owner->retry, on_retry, RETRY_MS, 0));
		await_commit(t->owner);
		return 0;
	}
	if (t->dirty)
		await_commit(t->owner);
	if (t->more)
		make_ready(t);
	if (is_open(t) && !uv_is_active((uv_handle_t *)&t->owner->quiet))
		AZ(uv_timer_start(&t->owner->quiet, on_quiet, QUIET_MS,
		    QUIET_MS / 4));
	return t->events;
}

static void
on_idle(uv_idle_t *h)
{
	struct list batch = LIST_INIT(batch);
	struct tails *s;
	size_t n = 0;

	CAST_OBJ(s, h->data, TAILS_MAGIC);
	/* One round a turn at most: the commit comes between two. */
	while (!list_empty(&s->ready)) {
		struct list *l = s->ready.next;

		list_del(l);
		list_add(&batch, l);
	}
	while (n < TURN_EVENTS && !list_empty(&batch)) {
		struct list *l = batch.next;

		list_del(l);
		n += read_one(list_entry(l, struct tail, ready));
	}
	/* Those who waited go first. */
	while (!list_empty(&batch)) {
		struct list *l = batch.prev;

		list_del(l);
		list_add_first(&s->ready, l);
	}
	if (list_empty(&s->ready))
		AZ(uv_idle_stop(h));
}

/* Tasks */

static char *
copy(const struct doc *c, const char *member)
{
	struct span s = doc_get_str(c, member);

	return xstrndup(s.p ? s.p : "", s.n);
}

static void
set_mode(struct tail *t, const struct doc *c)
{
	if (t->mode != TAIL_WAIT)
		return;
	if (doc_get(c, "LogStream")) {
		t->to = (struct tail_target){copy(c, "LogAccount"),
		    copy(c, "LogRegion"), copy(c, "LogGroup"),
		    copy(c, "LogStream")};
		t->mode = TAIL_STORE;
		/* It was tried before the container started. */
		if (doc_get(c, "LogPattern") &&
		    join_rule_new(doc_get_str(c, "LogPattern"), &t->rule))
			log_warn("log of %s: its pattern is none, ignoring",
			    t->id);
		t->join.rule = t->rule;
	} else if (!span_is(doc_get_str(c, "lastStatus"), "PENDING")) {
		t->mode = TAIL_KEEP;
	}
}

/* A container of a task. */
static int
see_container(struct tails *s, struct arena *a, const struct res *task,
    const struct doc *c)
{
	struct span id = doc_get_str(c, "RuntimeContainer");
	bool stopped = span_is(doc_get_str(task->status, "lastStatus"),
	    "STOPPED");
	struct tail *t = tail_find(s, id);
	int r;

	if (!id.n)
		return 0;
	/* Of the many that stopped, most have nothing left. */
	if (stopped && !t && faccessat(s->dir, arena_str(a, id), F_OK,
	    AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	t = tail_get(s, id);
	t->task = task->row;
	set_mode(t, c);
	if ((r = attach(t)) < 0)
		return err_trace(r);
	if (stopped && t->dir < 0)
		tail_drop(t);
	else if (stopped)
		t->over = true;
	return 0;
}

/* Its row has gone: nobody asks for its output any more. */
static void
forget_task(struct tails *s, int64_t row)
{
	struct tail *t, *next;

	HASH_ITER (hh, s->by_id, t, next) {
		if (t->task != row)
			continue;
		t->over = true;
		if (t->mode == TAIL_STORE && t->dir >= 0) {
			make_ready(t);
			continue;
		}
		tail_remove_dir(t->id, s->dir);
		tail_drop(t);
	}
}

/* Directories and positions that belong to nothing */

static bool
is_old(struct tails *s, const char *name)
{
	struct stat st;

	return fstatat(s->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_mtim.tv_sec * 1000 + ORPHAN_MS < clock_ms();
}

struct names {
	struct arena *a;
	struct doc *list;
};

static void
note_name(void *ctx, struct span name)
{
	struct names *n = ctx;

	doc_push(n->list, doc_strdup(n->a, name));
}

/* Positions whose directory has gone. */
static int
sweep_positions(struct tails *s, struct arena *a)
{
	struct names n = {a, doc_arr(a)};
	int r = log_source_each(s->db, note_name, &n);

	if (r < 0)
		return err_trace(r);
	doc_each(name, n.list) {
		char *path = arena_str(a, doc_span(name));

		if (tail_find(s, doc_span(name)) || faccessat(s->dir, path,
		    F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		if ((r = log_source_delete(s->db, doc_span(name))) < 0)
			return err_trace(r);
	}
	return 0;
}

/* Directories of containers that no task has: kept short, then removed. */
static int
sweep_dirs(struct tails *s)
{
	int fd = openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	struct tail *t;
	int r = 0;

	if (!d) {
		close_p(&fd);
		return err_origin(EIO, "%s cannot be read", s->path);
	}
	while (r == 0 && (e = readdir(d))) {
		if (e->d_name[0] == '.' || tail_find(s, span_of(e->d_name)))
			continue;
		if (is_old(s, e->d_name)) {
			tail_remove_dir(e->d_name, s->dir);
			continue;
		}
		t = tail_get(s, span_of(e->d_name));
		t->mode = TAIL_KEEP;
		r = attach(t);
	}
	closedir(d);
	return r < 0 ? err_trace(r) : 0;
}

/* Tasks that went without a word: a reset. */
static int
sweep_tasks(struct tails *s, struct arena *a)
{
	struct tail *t, *next;
	struct res *task;
	int r;

	HASH_ITER (hh, s->by_id, t, next) {
		if (t->task == 0) {
			if (tail_has_end(t) && is_old(s, t->id)) {
				tail_remove_dir(t->id, s->dir);
				tail_drop(t);
			}
			continue;
		}
		r = store_get_row(ctl_env(s->ctl)->store, a, t->task, &task);
		if (r < 0)
			return err_trace(r);
		if (r == STORE_E_NOT_FOUND) {
			t->task = 0;
			t->mode = TAIL_KEEP;
		}
	}
	return 0;
}

static int
run_sweep(struct tails *s, struct arena *a, int64_t *again_ms)
{
	int r = sweep_tasks(s, a);

	if (r == 0)
		r = sweep_dirs(s);
	if (r == 0)
		r = sweep_positions(s, a);
	*again_ms = SWEEP_MS;
	return err_trace(r);
}

/* The controller */

static int
log_run(void *state, struct ctl *ctl, struct arena *a, int64_t key,
    int64_t *again_ms)
{
	struct tails *s;
	struct res *task;
	int r;

	CAST_OBJ(s, state, TAILS_MAGIC);
	if (key == SWEEP)
		return run_sweep(s, a, again_ms);
	r = store_get_row(ctl_env(ctl)->store, a, key, &task);
	if (r == STORE_E_NOT_FOUND) {
		forget_task(s, key);
		return 0;
	}
	if (r < 0)
		return err_trace(r);
	doc_each(c, doc_get(task->status, "Containers"))
		if ((r = see_container(s, a, task, c)) < 0)
			return err_trace(r);
	return 0;
}

/* A directory came, or its rights were set. */
static void
on_parent_event(uv_fs_event_t *h, const char *name, int events UNUSED,
    int status UNUSED)
{
	struct tails *s;
	struct tail *t;

	CAST_OBJ(s, h->data, TAILS_MAGIC);
	if (!name || faccessat(s->dir, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	t = tail_find(s, span_of(name));
	if (!t)
		ctl_wake_after(s->ctl, &ctl_logs, SWEEP, SWEEP_FIRST);
	else if (attach(t) < 0) {
		log_warn("log of %s: %s; again in %d ms", t->id, err_last(),
		    RETRY_MS);
		ctl_wake_after(s->ctl, &ctl_logs, t->task, RETRY_MS);
	}
}

static int
open_root(struct tails *s)
{
	int r;

	/* The warden makes it; without one it is ours. */
	if (mkdir(s->path, 0750) < 0 && errno != EEXIST)
		return err_origin(errno, "mkdir %s", s->path);
	s->dir = open(s->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
	if (s->dir < 0)
		return err_origin(errno, "open %s", s->path);
	r = uv_fs_event_start(&s->watch, on_parent_event, s->path, 0);
	return r < 0 ? err_origin(-r, "watch %s", s->path) : 0;
}

static void *
log_init_state(struct ctl *ctl)
{
	const struct ctl_env *env = ctl_env(ctl);
	struct tails *s;

	ALLOC_OBJ(s, TAILS_MAGIC);
	s->ctl = ctl;
	s->db = store_logs(env->store);
	s->path = xasprintf("%s/log", env->state_dir);
	s->dir = -1;
	list_init(&s->ready);
	AZ(uv_fs_event_init(env->loop, &s->watch));
	AZ(uv_idle_init(env->loop, &s->idle));
	AZ(uv_timer_init(env->loop, &s->retry));
	AZ(uv_timer_init(env->loop, &s->quiet));
	s->handles = 4;
	s->watch.data = s->idle.data = s->retry.data = s->quiet.data = s;
	if (open_root(s) < 0)
		log_error("output of containers is not read: %s", err_last());
	else
		ctl_wake_after(ctl, &ctl_logs, SWEEP, SWEEP_FIRST);
	return s;
}

static void
on_closed(uv_handle_t *h)
{
	struct tails *s;

	CAST_OBJ(s, h->data, TAILS_MAGIC);
	tails_put(s);
}

static void
log_done(void *state)
{
	struct tails *s;
	struct tail *t, *next;

	CAST_OBJ(s, state, TAILS_MAGIC);
	s->closing = true;
	HASH_ITER (hh, s->by_id, t, next)
		tail_drop(t);
	uv_close((uv_handle_t *)&s->watch, on_closed);
	uv_close((uv_handle_t *)&s->idle, on_closed);
	uv_close((uv_handle_t *)&s->retry, on_closed);
	uv_close((uv_handle_t *)&s->quiet, on_closed);
}

const struct controller ctl_logs = {
	.name = "logs",
	.kinds = kinds,
	.init = log_init_state,
	.done = log_done,
	.run = log_run,
};
