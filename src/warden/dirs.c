/* Directories and small files, below an open directory. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "warden/dirs.h"

int
dirs_open(int dir, const char *path, int flags)
{
	struct open_how how = {.flags = (unsigned)(flags | O_CLOEXEC),
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
		RESOLVE_NO_MAGICLINKS};
	int fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

/* One that is there already must be whose it shall be; root's may only become
 * another's where root alone can put one. */
static int
check_owner(int dir, int fd, const char *name, uid_t uid)
{
	struct stat st, up;

	if (fstat(fd, &st) < 0 || fstat(dir, &up) < 0)
		return err_origin(errno, "stat %s", name);
	if (st.st_uid == uid || (st.st_uid == 0 && up.st_uid == 0))
		return 0;
	return err_origin(EPERM, "%s belongs to user %u", name, st.st_uid);
}

int
dirs_make(int dir, const char *name, mode_t mode, uid_t uid, gid_t gid,
    int *ret_fd)
{
	_cleanup_close_ int fd = -1;
	bool made = mkdirat(dir, name, 0700) == 0;
	int r;

	if (!made && errno != EEXIST)
		return err_origin(errno, "mkdir %s", name);
	fd = openat(dir, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_origin(errno, "open %s", name);
	r = made ? 0 : check_owner(dir, fd, name, uid);
	if (r < 0)
		return err_trace(r);
	if (fchown(fd, uid, gid) < 0 || fchmod(fd, mode) < 0)
		return err_origin(errno, "owner of %s", name);
	if (ret_fd)
		*ret_fd = TAKE_FD(fd);
	return 0;
}

int
dirs_write(int dir, const char *name, struct span text, mode_t mode)
{
	_cleanup_free_ char *tmp = xasprintf("%s.tmp", name);
	_cleanup_close_ int fd = openat(dir, tmp,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode);

	if (fd < 0 || fchmod(fd, mode) < 0)
		return err_origin(errno, "create %s", tmp);
	if (write(fd, text.p, text.n) != (ssize_t)text.n)
		return err_origin(errno ? errno : ENOSPC, "write %s", tmp);
	if (renameat(dir, tmp, dir, name) < 0)
		return err_origin(errno, "rename %s", tmp);
	return 0;
}

int
dirs_read(int dir, const char *name, size_t max, struct buf *b)
{
	_cleanup_close_ int fd = dirs_open(dir, name, O_RDONLY | O_NONBLOCK);
	ssize_t n;

	if (fd < 0)
		return fd;
	while (max > 0) {
		buf_reserve(b, MIN(max, 4096));
		n = read(fd, b->p + b->n, MIN(max, 4096));
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		b->n += (size_t)n;
		b->p[b->n] = '\0';
		max -= (size_t)n;
	}
	return 0;
}

/* A tree that is being removed.  Strangers made it: it may be deeper than we
 * have descriptors or stack, so what is DEPTH below is moved to its top. */
struct removal {
	int top; /* borrowed */
	dev_t dev;
	unsigned moved;
	bool again;
};

#define DEPTH 32

static int empty(struct removal *rm, int fd, int depth);

static int
move_up(struct removal *rm, int dir, const char *name)
{
	for (;;) {
		_cleanup_free_ char *to =
		    xasprintf(".neargate-removal-%u", rm->moved++);

		if (renameat2(dir, name, rm->top, to, RENAME_NOREPLACE) == 0) {
			rm->again = true;
			return 0;
		}
		if (errno != EEXIST)
			return errno == ENOENT ? 0 : -errno;
	}
}

static int
remove_dir(struct removal *rm, int dir, const char *name, int depth)
{
	struct stat st;
	int fd, r;

	if (depth == DEPTH)
		return move_up(rm, dir, name);
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) < 0 || st.st_dev != rm->dev) {
		close(fd);
		return -EXDEV;
	}
	r = empty(rm, fd, depth + 1);
	if (r == 0 && unlinkat(dir, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		r = -errno;
	return r;
}

/* Empties the directory; takes fd over. */
static int
empty(struct removal *rm, int fd, int depth)
{
	DIR *d = fdopendir(fd);
	struct dirent *e;
	int r = 0;

	if (!d) {
		close(fd);
		return -ENOMEM;
	}
	while (r == 0 && (e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (unlinkat(dirfd(d), e->d_name, 0) == 0 || errno == ENOENT)
			continue;
		r = errno != EISDIR && errno != EPERM ? -errno :
		    remove_dir(rm, dirfd(d), e->d_name, depth);
	}
	closedir(d);
	return r;
}

int
dirs_remove(int dir, const char *name)
{
	_cleanup_close_ int fd = -1;
	struct removal rm = {0};
	struct stat st;
	int r = 0;

	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return err_origin(errno, "remove %s", name);
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_origin(errno, "open %s", name);
	rm.top = fd;
	rm.dev = st.st_dev;
	do {
		int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		rm.again = false;
		r = own < 0 ? -errno : empty(&rm, own, 0);
	} while (r == 0 && rm.again);
	if (r == 0 && unlinkat(dir, name, AT_REMOVEDIR) < 0)
		r = -errno;
	if (r < 0)
		return err_origin(-r, "remove %s", name);
	return 0;
}
