/* Immutable files with names of their own: made, sealed, read, swept. */
#include "store/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uthash.h>

#include "base/err.h"
#include "base/id.h"
#include "base/log.h"

#define FILES_MAGIC 0x46494c45
/* Names begin with the process's own mark: what has it may be on its way. */
#define MARK 16
#define ID   48

/* A file that somebody is to read. */
struct held {
	char *id;
	unsigned n;
	bool doomed; /* removed meanwhile */
	UT_hash_handle hh;
};

struct files {
	unsigned magic;
	int dir;
	DIR *sweep; /* where the sweep is, NULL: not begun */
	char *mark;
	struct held *held;
};

int
files_open(const char *dir, const char *name, struct files **ret)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, name);
	_cleanup_arena_ struct arena *a = arena_new();
	struct files *f;
	int fd;

	if (mkdir(path, 0750) && errno != EEXIST)
		return err_origin(errno, "cannot make %s", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_origin(errno, "cannot open %s", path);
	ALLOC_OBJ(f, FILES_MAGIC);
	f->dir = fd;
	f->mark = xstrdup(id_hex(a, MARK));
	*ret = f;
	return 0;
}

static void
sweep_end(struct files *f)
{
	if (f->sweep)
		closedir(f->sweep);
	f->sweep = NULL;
}

void
files_free(struct files *f)
{
	if (!f)
		return;
	CHECK_OBJ(f, FILES_MAGIC);
	AZ(f->held);
	sweep_end(f);
	close_p(&f->dir);
	free(f->mark);
	FREE_OBJ(f);
}

static char *
fresh_id(const struct files *f, struct arena *a)
{
	return arena_fmt(a, "%s%s", f->mark, id_hex(a, ID - MARK));
}

static bool
is_id(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!memchr("0123456789abcdef", s.p[i], 16))
			return false;
	return s.n == ID;
}

int
files_create(const struct files *f, struct arena *a, struct span *ret_id,
    int *ret_fd)
{
	char *id;
	int fd;

	CHECK_OBJ(f, FILES_MAGIC);
	id = fresh_id(f, a);
	fd = openat(f->dir, id,
	    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return err_origin(errno, "cannot create a file");
	*ret_id = span_of(id);
	*ret_fd = fd;
	return 0;
}

int
files_seal(const struct files *f, int fd)
{
	CHECK_OBJ(f, FILES_MAGIC);
	if (fdatasync(fd) || fsync(f->dir))
		return err_origin(errno, "cannot sync a file");
	return 0;
}

int
files_read(const struct files *f, struct span id, int *ret_fd,
    uint64_t *ret_size)
{
	_cleanup_free_ char *name = xstrndup(id.p ? id.p : "", id.n);
	_cleanup_close_ int fd = -1;
	struct stat st;

	CHECK_OBJ(f, FILES_MAGIC);
	AN(is_id(id));
	fd = openat(f->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return FILES_E_NONE;
	if (fd < 0 || fstat(fd, &st))
		return err_origin(errno, "cannot open a file");
	*ret_size = (uint64_t)st.st_size;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static struct held *
find_held(const struct files *f, struct span id)
{
	struct held *h;

	HASH_FIND(hh, f->held, id.p, id.n, h);
	return h;
}

void
files_hold(struct files *f, struct span id)
{
	struct held *h;

	CHECK_OBJ(f, FILES_MAGIC);
	AN(is_id(id));
	if (!(h = find_held(f, id))) {
		h = xcalloc(1, sizeof(*h));
		h->id = xstrndup(id.p, id.n);
		HASH_ADD_KEYPTR(hh, f->held, h->id, id.n, h);
	}
	h->n++;
}

static int
unlink_id(struct files *f, struct span id)
{
	_cleanup_free_ char *name = xstrndup(id.p ? id.p : "", id.n);

	if (unlinkat(f->dir, name, 0) && errno != ENOENT)
		return err_origin(errno, "cannot remove a file");
	return 0;
}

void
files_drop(struct files *f, struct span id)
{
	struct held *h;

	CHECK_OBJ(f, FILES_MAGIC);
	AN(h = find_held(f, id));
	if (--h->n)
		return;
	HASH_DEL(f->held, h);
	if (h->doomed && unlink_id(f, span_of(h->id)) < 0)
		log_warn("a file that nobody needs stays until the next "
		    "start: %s, ignoring", err_last());
	free(h->id);
	free(h);
}

int
files_remove(struct files *f, struct span id)
{
	struct held *h;

	CHECK_OBJ(f, FILES_MAGIC);
	AN(is_id(id));
	if ((h = find_held(f, id))) {
		h->doomed = true;
		return 0;
	}
	return err_trace(unlink_id(f, id));
}

static int
sweep_begin(struct files *f)
{
	int fd = openat(f->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	f->sweep = fd < 0 ? NULL : fdopendir(fd);
	if (f->sweep)
		return 0;
	close_p(&fd);
	return err_origin(errno, "cannot list the files");
}

int
files_sweep(struct files *f, size_t n,
    bool (*wanted)(void *ctx, struct span id), void *ctx, bool *ret_more)
{
	struct dirent *e;
	struct span id;
	int r = 0;

	CHECK_OBJ(f, FILES_MAGIC);
	if (!f->sweep && (r = sweep_begin(f)) < 0)
		return err_trace(r);
	for (; n && r == 0; n--) {
		if (!(e = readdir(f->sweep))) {
			sweep_end(f);
			break;
		}
		id = span_of(e->d_name);
		/* Files that are not ours stay. */
		if (is_id(id) && !span_starts(id, span_of(f->mark)) &&
		    !wanted(ctx, id))
			r = files_remove(f, id);
	}
	*ret_more = f->sweep;
	return r;
}

int
files_clear(struct files *f)
{
	struct dirent *e;
	int r;

	CHECK_OBJ(f, FILES_MAGIC);
	sweep_end(f);
	if ((r = sweep_begin(f)) < 0)
		return err_trace(r);
	while (r == 0 && (e = readdir(f->sweep)))
		if (is_id(span_of(e->d_name)))
			r = unlink_id(f, span_of(e->d_name));
	sweep_end(f);
	return r;
}
