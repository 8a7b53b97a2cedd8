/* The folder of a proxy. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "drv/lb/files.h"

static int
make_dir(const char *path)
{
	if (mkdir(path, 0750) && errno != EEXIST)
		return err_origin(errno, "cannot make %s", path);
	return 0;
}

int
lb_dir(struct arena *a, const char *run_dir, struct span id, bool make,
    char **ret)
{
	char *parent = arena_fmt(a, "%s/lb", run_dir);
	char *dir = arena_fmt(a, "%s/%.*s", parent, SPAN_ARG(id));
	int e = make ? make_dir(parent) : 0;

	if (!e && make)
		e = make_dir(dir);
	if (e)
		return e;
	*ret = dir;
	return 0;
}

static int
write_all(int fd, struct span s)
{
	ssize_t n;

	while (s.n) {
		n = write(fd, s.p, s.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		s = span_from(s, (size_t)n);
	}
	return 0;
}

static int
write_as(const char *dir, const char *name, mode_t mode, struct span text,
    struct span more)
{
	_cleanup_free_ char *fresh = xasprintf("%s/.%s.new", dir, name);
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, name);
	_cleanup_close_ int fd = open(fresh,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	int e;

	if (fd < 0)
		return err_origin(errno, "cannot write %s", fresh);
	e = write_all(fd, text);
	if (!e)
		e = write_all(fd, more);
	if (!e && rename(fresh, path))
		e = -errno;
	if (!e)
		return 0;
	unlink(fresh); /* it may hold a key */
	return err_origin(-e, "cannot write %s", path);
}

int
lb_file_write(const char *dir, const char *name, struct span text)
{
	return write_as(dir, name, 0640, text, SPAN_NULL);
}

int
lb_file_write_key(const char *dir, const char *name, struct span pem,
    struct span key)
{
	return write_as(dir, name, 0600, pem, key);
}

void
lb_files_keep(const char *dir, const char *prefix, const struct doc *names)
{
	DIR *d = opendir(dir);
	struct dirent *f;

	if (!d)
		return;
	while ((f = readdir(d)))
		if (span_starts(span_of(f->d_name), span_of(prefix)) &&
		    !doc_has_str(names, span_of(f->d_name)))
			unlinkat(dirfd(d), f->d_name, 0);
	closedir(d);
}

void
lb_dir_remove(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *f;

	if (!d)
		return;
	while ((f = readdir(d)))
		if (f->d_name[0] != '.' || f->d_name[1])
			unlinkat(dirfd(d), f->d_name, 0);
	closedir(d);
	rmdir(dir);
}
