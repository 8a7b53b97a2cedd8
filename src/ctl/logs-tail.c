/* One container's log directory: position, reading, deleting. */
#include "ctl/logs-tail.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"

/* What one tail may read in one turn: everybody else waits meanwhile. */
#define READ_MAX   (256u << 10)
#define EVENTS_MAX 1000
#define KEPT	 2

static char *
segment_name(int64_t n)
{
	return xasprintf("%06lld.log", (long long)n);
}

static bool
exists(const struct tail *t, const char *name)
{
	return faccessat(t->dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool
has_segment(const struct tail *t, int64_t n)
{
	_cleanup_free_ char *name = segment_name(n);

	return exists(t, name);
}

bool
tail_has_end(const struct tail *t)
{
	return t->dir >= 0 && exists(t, "end");
}

/* Tells a directory from another that had its name. */
static int
identify(int fd, uint64_t *ret_inode, int64_t *ret_made)
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &st) < 0)
		return err_origin(errno, "statx");
	*ret_inode = st.stx_ino;
	*ret_made = (int64_t)(st.stx_ino * 0x9e3779b97f4a7c15u);
	if (st.stx_mask & STATX_BTIME)
		*ret_made ^= st.stx_btime.tv_sec * 1000000000 +
		    st.stx_btime.tv_nsec;
	return 0;
}

/* The position that db has for this very directory, else its beginning. */
static int
load(struct tail *t, struct log_store *db, int64_t made)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct log_source s = {0};
	int r = log_source_get(db, a, span_of(t->id), &s);

	if (r < 0)
		return err_trace(r);
	if (r == LOG_E_NOT_FOUND || s.made != made)
		s = (struct log_source){.made = made, .segment = 1};
	close_p(&t->fd);
	for (int i = 0; i < LOG_PARTS; i++) {
		buf_clear(&t->join.part[i]);
		buf_add_span(&t->join.part[i], s.part[i]);
		t->join.time[i] = s.part_time[i];
		s.part[i] = SPAN_NULL;
	}
	t->at = s;
	t->ended = false;
	return 0;
}

/* The number of the oldest segment there is; 0: none. */
static int64_t
lowest_segment(int dir)
{
	_cleanup_close_ int fd = openat(dir, ".",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	int64_t low = 0;

	if (!d)
		return 0;
	fd = -1;
	while ((e = readdir(d))) {
		struct span name = span_of(e->d_name);
		uint64_t n;

		if (span_ends(name, SPAN(".log")) &&
		    span_u64(span_to(name, name.n - 4), &n) && n > 0 &&
		    n < INT32_MAX && (!low || (int64_t)n < low))
			low = (int64_t)n;
	}
	closedir(d);
	return low;
}

/* What was read before a crash and not deleted goes now; what somebody else
 * deleted cannot be waited for. */
static void
find_start(struct tail *t)
{
	int64_t low = lowest_segment(t->dir);

	if (low > t->at.segment) {
		t->at.segment = low;
		t->at.offset = 0;
	}
	t->unlinked = low ? low : t->at.segment;
}

int
tail_reload(struct tail *t, struct log_store *db)
{
	return t->dir < 0 ? 0 : err_trace(load(t, db, t->at.made));
}

int
tail_open(struct tail *t, int log_dir, struct log_store *db)
{
	_cleanup_close_ int dir = -1;
	uint64_t inode;
	int64_t made;
	int r;

	CHECK_OBJ(t, TAIL_MAGIC);
	dir = openat(log_dir, t->id,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* EACCES: made by the warden, and not ours yet; we hear of that. */
	if (dir < 0 && (errno == ENOENT || errno == EACCES))
		return 0;
	if (dir < 0)
		return err_origin(errno, "open log directory %s", t->id);
	if ((r = identify(dir, &inode, &made)) < 0)
		return err_trace(r);
	if (t->dir >= 0 && t->inode == inode)
		return 0;
	/* Another start of the same container. */
	tail_close(t);
	if ((r = load(t, db, made)) < 0)
		return err_trace(r);
	t->dir = TAKE_FD(dir);
	t->inode = inode;
	find_start(t);
	return 0;
}

void
tail_close(struct tail *t)
{
	close_p(&t->dir);
	close_p(&t->fd);
	join_done(&t->join);
	t->ended = false;
}

/* Reading */

struct reading {
	struct tail *t;
	struct arena *a;
	struct join_events events;
	size_t left; /* bytes it may still read */
};

/* 1: go on; 0: nothing more for now; negative: error. */
static int
read_piece(struct reading *rd)
{
	static char piece[32 << 10];
	_Static_assert(sizeof(piece) >= JOIN_RECORD_MAX, "holds a record");
	struct tail *t = rd->t;
	/* Looked at before reading: what they follow is complete then. */
	bool next = has_segment(t, t->at.segment + 1);
	bool end = t->over || tail_has_end(t);
	size_t used = 0;
	ssize_t n = 0;

	if (t->fd < 0) {
		_cleanup_free_ char *name = segment_name(t->at.segment);

		t->fd = openat(t->dir, name,
		    O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (t->fd < 0 && errno != ENOENT)
			return err_origin(errno, "open %s/%s", t->id, name);
	}
	if (t->fd >= 0)
		n = pread(t->fd, piece, sizeof(piece), t->at.offset);
	if (n < 0)
		return err_origin(errno, "read log of %s", t->id);
	if (n > 0)
		used = join_add(&t->join, rd->a, arena_span(rd->a,
		    span_make(piece, (size_t)n)), &rd->events);
	t->at.offset += (int64_t)used;
	rd->left -= MIN(rd->left, used);
	if (used > 0)
		return 1;
	/* Longer than any record: not ours; its end may come. */
	if (n == (ssize_t)sizeof(piece)) {
		t->at.offset += n;
		return 1;
	}
	if (next) {
		close_p(&t->fd);
		t->at.segment++;
		t->at.offset = 0;
		return 1;
	}
	t->ended = end;
	return 0;
}

static int
write_down(struct reading *rd, struct log_store *db, int64_t group,
    int64_t stream)
{
	struct tail *t = rd->t;
	struct log_source s = t->at;
	int r;

	for (int i = 0; i < LOG_PARTS; i++) {
		s.part[i] = buf_span(&t->join.part[i]);
		s.part_time[i] = t->join.time[i];
	}
	if (stream) {
		r = log_append(db, group, stream, rd->events.v, rd->events.n,
		    clock_ms(), false);
		if (r < 0)
			return err_trace(r);
	}
	t->dirty = true;
	return err_trace(log_source_put(db, span_of(t->id), &s));
}

int
tail_read(struct tail *t, struct log_store *db, int64_t group,
    int64_t stream)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct reading rd = {.t = t, .a = a, .left = READ_MAX};
	struct log_source before = t->at;
	int r;

	CHECK_OBJ(t, TAIL_MAGIC);
	while ((r = read_piece(&rd)) == 1 && rd.left > 0 &&
	    rd.events.n < EVENTS_MAX)
		;
	if (r < 0)
		return err_trace(r);
	t->more = r == 1;
	t->events = rd.events.n;
	if (before.segment != t->at.segment || before.offset != t->at.offset)
		t->read_us = clock_mono_us();
	else if (!t->ended && !t->flush)
		return 0;
	else if (t->flush)
		join_flush(&t->join, a, &rd.events);
	t->flush = false;
	if (t->ended)
		join_end(&t->join, a, &rd.events);
	return err_trace(write_down(&rd, db, group, stream));
}

/* Deleting */

static void
unlink_segment(struct tail *t, int64_t n)
{
	_cleanup_free_ char *name = segment_name(n);

	if (unlinkat(t->dir, name, 0) < 0 && errno != ENOENT)
		log_warn("log of %s: %s: %m, ignoring", t->id, name);
}

bool
tail_has_waste(const struct tail *t)
{
	return t->ended || t->unlinked < t->at.segment;
}

void
tail_unlink_read(struct tail *t)
{
	while (t->unlinked < t->at.segment)
		unlink_segment(t, t->unlinked++);
}

/* The position is only a count here: the newest segment. */
void
tail_trim(struct tail *t)
{
	while (has_segment(t, t->at.segment + 1))
		t->at.segment++;
	while (t->unlinked + KEPT <= t->at.segment)
		unlink_segment(t, t->unlinked++);
}

void
tail_remove_dir(const char *name, int log_dir)
{
	int fd = openat(log_dir, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d) {
		close_p(&fd);
		return;
	}
	while ((e = readdir(d)))
		if (e->d_name[0] != '.' && unlinkat(fd, e->d_name, 0) < 0)
			log_warn("log of %s: %s: %m, ignoring", name,
			    e->d_name);
	closedir(d);
	if (unlinkat(log_dir, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		log_warn("log of %s: %m, ignoring", name);
}
