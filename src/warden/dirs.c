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

int
dirs_make(int dir, const char *name, mode_t mode, uid_t uid, gid_t gid,
    int *ret_fd)
{
	_cleanup_close_ int fd = -1;

	if (mkdirat(dir, name, 0700) < 0 && errno != EEXIST)
		return err_origin(errno, "mkdir %s", name);
	fd = openat(dir, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_origin(errno, "open %s", name);
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

/* Empties the directory; takes fd over. */
static int
empty(int fd, dev_t dev)
{
	DIR *d = fdopendir(fd);
	struct dirent *e;
	int r = 0, sub;
	struct stat st;

	if (!d) {
		close(fd);
		return -ENOMEM;
	}
	while (r == 0 && (e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (unlinkat(dirfd(d), e->d_name, 0) == 0 || errno == ENOENT)
			continue;
		if (errno != EISDIR && errno != EPERM) {
			r = -errno;
			break;
		}
		sub = openat(dirfd(d), e->d_name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub < 0 || fstat(sub, &st) < 0 || st.st_dev != dev) {
			r = sub < 0 ? -errno : -EXDEV;
			if (sub >= 0)
				close(sub);
			break;
		}
		r = empty(sub, dev);
		if (r == 0 && unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR) < 0)
			r = -errno;
	}
	closedir(d);
	return r;
}

int
dirs_remove(int dir, const char *name)
{
	struct stat st;
	int fd, r;

	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return err_origin(errno, "remove %s", name);
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_origin(errno, "open %s", name);
	if (fstat(fd, &st) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	r = empty(fd, st.st_dev);
	if (r == 0 && unlinkat(dir, name, AT_REMOVEDIR) < 0)
		r = -errno;
	if (r < 0)
		return err_origin(-r, "remove %s", name);
	return 0;
}
