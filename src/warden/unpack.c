/* Writes the entries of a layer; see unpack.h for what it refuses. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/arena.h"
#include "warden/dirs.h"
#include "warden/inflate.h"
#include "warden/unpack.h"

#define WHITEOUT  ".wh."
#define OPAQUE	  ".wh..wh..opq"
#define AUFS_META ".wh..wh."
#define XATTR_CAP "security.capability"
#define MAX_AS	  (2ull << 30)
#define MAX_FILES 64

/* Directories get their times last, when nothing is put into them any more. */
struct dir_time {
	struct dir_time *next;
	const char *path;
	struct timespec at;
};

struct unpacker {
	const struct unpack *u;
	struct inflate *z;
	struct arena *arena;
	struct archive *tar;
	int root;
	int parent; /* open directory … */
	struct span parent_path; /* … of this name */
	uint64_t bytes, entries;
	struct dir_time *dirs;
	struct buf why;
	const char *read_why;
};

static int PRINTF(3, 4)
refuse(struct unpacker *p, int err, const char *fmt, ...)
{
	va_list ap;

	buf_clear(&p->why);
	va_start(ap, fmt);
	buf_vaddf(&p->why, fmt, ap);
	va_end(ap);
	if (err != EBADMSG)
		buf_addf(&p->why, ": %s", strerror(err));
	return -err;
}

/* The path without "./" in front and '/' behind; false: not one we take. */
static bool
clean_path(struct span *s)
{
	struct span rest, part;

	while (span_starts(*s, SPAN("./")))
		*s = span_from(*s, 2);
	while (s->n > 1 && s->p[s->n - 1] == '/')
		s->n--;
	if (span_is(*s, ".") || span_is(*s, "/"))
		*s = SPAN_NULL;
	if (s->n == 0)
		return true;
	if (s->n > 4095)
		return false;
	for (rest = *s; rest.p;) {
		part = span_cut(&rest, '/');
		if (part.n == 0 || part.n > 255 || span_is(part, "..") ||
		    span_is(part, "."))
			return false;
	}
	return true;
}

/* Opens a directory by its path, making what is missing. */
static int
open_parent(struct unpacker *p, struct span path)
{
	_cleanup_free_ char *name = NULL;
	struct span up;
	ptrdiff_t at;
	int fd, top;

	if (path.n == 0)
		return dirs_open(p->root, ".", O_RDONLY | O_DIRECTORY);
	name = xstrndup(path.p, path.n);
	fd = dirs_open(p->root, name, O_RDONLY | O_DIRECTORY);
	if (fd != -ENOENT)
		return fd;
	at = span_rchr(path, '/');
	up = span_to(path, at < 0 ? 0 : (size_t)at);
	top = open_parent(p, up);
	if (top < 0)
		return top;
	fd = mkdirat(top, name + at + 1, 0755) < 0 ? -errno : 0;
	close(top);
	return fd < 0 ? fd :
	    dirs_open(p->root, name, O_RDONLY | O_DIRECTORY);
}

/* Makes p->parent the directory path is in; *ret_name is the last part. */
static int
enter(struct unpacker *p, struct span path, char **ret_name)
{
	ptrdiff_t at = span_rchr(path, '/');
	struct span dir = span_to(path, at < 0 ? 0 : (size_t)at);
	int fd;

	*ret_name = arena_str(p->arena, span_from(path, (size_t)(at + 1)));
	if (p->parent >= 0 && span_eq(dir, p->parent_path))
		return 0;
	fd = open_parent(p, dir);
	if (fd == -ELOOP || fd == -ENOTDIR)
		return refuse(p, EBADMSG, "%.*s passes through what is not a "
		    "directory", SPAN_ARG(path));
	if (fd < 0)
		return refuse(p, -fd, "%.*s", SPAN_ARG(dir));
	close_p(&p->parent);
	p->parent = fd;
	p->parent_path = arena_span(p->arena, dir);
	return 0;
}

static int
own(struct unpacker *p, struct archive_entry *e, int fd, const char *name)
{
	const struct timespec t[2] = {
	    {archive_entry_mtime(e), archive_entry_mtime_nsec(e)},
	    {archive_entry_mtime(e), archive_entry_mtime_nsec(e)}};
	mode_t type = archive_entry_filetype(e);

	if (fchownat(fd, name, (uid_t)archive_entry_uid(e),
		(gid_t)archive_entry_gid(e), AT_SYMLINK_NOFOLLOW) < 0)
		return refuse(p, errno, "owner of %s", name);
	/* After the owner, whose change takes setuid away. */
	if (type != AE_IFLNK &&
	    fchmodat(fd, name, archive_entry_perm(e), 0) < 0)
		return refuse(p, errno, "mode of %s", name);
	/* A time the file system cannot hold is not worth an image. */
	(void)utimensat(fd, name, t, AT_SYMLINK_NOFOLLOW);
	return 0;
}

static int
capability(struct unpacker *p, struct archive_entry *e, int fd)
{
	const char *name;
	const void *v;
	size_t n;

	archive_entry_xattr_reset(e);
	while (archive_entry_xattr_next(e, &name, &v, &n) == ARCHIVE_OK)
		if (name && !strcmp(name, XATTR_CAP) &&
		    fsetxattr(fd, XATTR_CAP, v, n, 0) < 0)
			return refuse(p, errno, "capability of %s",
			    archive_entry_pathname(e));
	return 0;
}

/* Bounds that hold for the stream as a whole. */
static int
check_bomb(struct unpacker *p)
{
	uint64_t out = MAX(inflate_out(p->z), p->bytes);

	if (out > UNPACK_MAX_BYTES || (out > UNPACK_FREE_BYTES &&
		out / UNPACK_MAX_RATIO > inflate_in(p->z)))
		return refuse(p, EBADMSG, "the layer expands too much: "
		    "%ju bytes from %ju", (uintmax_t)out,
		    (uintmax_t)inflate_in(p->z));
	return 0;
}

static int
read_fault(struct unpacker *p)
{
	if (p->why.n == 0)
		refuse(p, EBADMSG, "%s", p->read_why ? p->read_why :
		    archive_error_string(p->tar) ?
		    archive_error_string(p->tar) : "not a tar archive");
	return -EBADMSG;
}

static int
copy_data(struct unpacker *p, struct archive_entry *e, int fd)
{
	const char *block;
	int64_t at;
	size_t n;
	int r;

	while ((r = archive_read_data_block(p->tar, (const void **)&block, &n,
		    &at)) == ARCHIVE_OK) {
		p->bytes += n;
		while (n > 0) {
			ssize_t w = pwrite(fd, block, n, at);

			if (w <= 0)
				return refuse(p, w < 0 ? errno : ENOSPC,
				    "write %s", archive_entry_pathname(e));
			block += w;
			at += w;
			n -= (size_t)w;
		}
		if (check_bomb(p) < 0)
			return -EBADMSG;
	}
	if (r != ARCHIVE_EOF)
		return read_fault(p);
	/* A sparse file may end in a hole. */
	if (archive_entry_size(e) > 0 &&
	    (uint64_t)archive_entry_size(e) > UNPACK_MAX_BYTES)
		return refuse(p, EBADMSG, "%s is too large",
		    archive_entry_pathname(e));
	if (ftruncate(fd, archive_entry_size(e)) < 0)
		return refuse(p, errno, "size of %s",
		    archive_entry_pathname(e));
	return 0;
}

static int
put_file(struct unpacker *p, struct archive_entry *e, const char *name)
{
	_cleanup_close_ int fd = openat(p->parent, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return refuse(p, errno, "create %s", archive_entry_pathname(e));
	r = copy_data(p, e, fd);
	if (r == 0)
		r = own(p, e, p->parent, name);
	if (r == 0)
		r = capability(p, e, fd);
	return r;
}

static int
put_hardlink(struct unpacker *p, struct archive_entry *e, const char *name)
{
	struct span target = span_of(archive_entry_hardlink(e)), dir;
	_cleanup_close_ int from = -1;
	ptrdiff_t at;

	if (!clean_path(&target) || target.n == 0)
		return refuse(p, EBADMSG, "hard link %s to a bad name",
		    archive_entry_pathname(e));
	at = span_rchr(target, '/');
	dir = span_to(target, at < 0 ? 0 : (size_t)at);
	from = dirs_open(p->root, dir.n ? arena_str(p->arena, dir) : ".",
	    O_RDONLY | O_DIRECTORY);
	if (from < 0)
		return refuse(p, -from, "hard link to %.*s", SPAN_ARG(target));
	if (linkat(from, arena_str(p->arena, span_from(target,
		(size_t)(at + 1))), p->parent, name, 0) < 0)
		return refuse(p, errno, "hard link to %.*s", SPAN_ARG(target));
	return 0;
}

static int
set_opaque(struct unpacker *p, int fd)
{
	if (fsetxattr(fd, "user.overlay.opaque", "y", 1, 0) < 0)
		return refuse(p, errno, "opaque directory");
	return 0;
}

static int
put_dir(struct unpacker *p, struct archive_entry *e, struct span path,
    const char *name, bool was_whiteout)
{
	struct dir_time *t = arena_new_of(p->arena, struct dir_time);
	_cleanup_close_ int fd = -1;
	int r;

	if (mkdirat(p->parent, name, 0700) < 0 && errno != EEXIST)
		return refuse(p, errno, "mkdir %.*s", SPAN_ARG(path));
	r = own(p, e, p->parent, name);
	/* It was removed and made anew: what is below stays hidden. */
	if (r == 0 && was_whiteout) {
		fd = openat(p->parent, name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		r = set_opaque(p, fd);
	}
	*t = (struct dir_time){p->dirs, arena_str(p->arena, path),
	    {archive_entry_mtime(e), archive_entry_mtime_nsec(e)}};
	p->dirs = t;
	return r;
}

static int
put_whiteout(struct unpacker *p, const char *name)
{
	if (!strcmp(name, OPAQUE))
		return set_opaque(p, p->parent);
	if (!strncmp(name, AUFS_META, strlen(AUFS_META)))
		return 0;
	name += strlen(WHITEOUT);
	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return refuse(p, EBADMSG, "a whiteout of nothing");
	/* One for what this layer itself brought means the layers below. */
	if (mknodat(p->parent, name, S_IFCHR, 0) < 0 && errno != EEXIST)
		return refuse(p, errno, "whiteout of %s", name);
	return 0;
}

/* Takes away what an earlier entry put there, unless both are directories. */
static int
make_room(struct unpacker *p, const char *name, bool dir, bool *ret_whiteout)
{
	struct stat st;

	*ret_whiteout = false;
	if (fstatat(p->parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	*ret_whiteout = S_ISCHR(st.st_mode);
	if (S_ISDIR(st.st_mode)) {
		if (dir)
			return 0;
		/* The kept directory may be inside. */
		close_p(&p->parent);
		return refuse(p, EBADMSG, "%s replaces a directory", name);
	}
	if (unlinkat(p->parent, name, 0) < 0)
		return refuse(p, errno, "replace %s", name);
	return 0;
}

static int
put_root(struct unpacker *p, struct archive_entry *e)
{
	if (archive_entry_filetype(e) != AE_IFDIR)
		return refuse(p, EBADMSG, "the root is not a directory");
	if (fchown(p->root, (uid_t)archive_entry_uid(e),
		(gid_t)archive_entry_gid(e)) < 0)
		return refuse(p, errno, "owner of /");
	return 0;
}

static int
put_entry(struct unpacker *p, struct archive_entry *e)
{
	struct span path = span_of(archive_entry_pathname(e));
	bool whiteout;
	char *name;
	int r;

	if (!path.p || !clean_path(&path))
		return refuse(p, EBADMSG, "bad name in the archive: %.100s",
		    path.p ? path.p : "(not text)");
	if (++p->entries > UNPACK_MAX_ENTRIES)
		return refuse(p, EBADMSG, "too many entries");
	if (path.n == 0)
		return put_root(p, e);
	r = enter(p, path, &name);
	if (r < 0)
		return r;
	if (!strncmp(name, WHITEOUT, strlen(WHITEOUT)))
		return put_whiteout(p, name);
	r = make_room(p, name, archive_entry_filetype(e) == AE_IFDIR,
	    &whiteout);
	if (r < 0)
		return r;
	if (archive_entry_hardlink(e))
		return put_hardlink(p, e, name);
	switch (archive_entry_filetype(e)) {
	case AE_IFREG:
		return put_file(p, e, name);
	case AE_IFDIR:
		return put_dir(p, e, path, name, whiteout);
	case AE_IFLNK:
		if (symlinkat(archive_entry_symlink(e), p->parent, name) < 0)
			return refuse(p, errno, "symbolic link %s", name);
		return own(p, e, p->parent, name);
	case AE_IFIFO:
		if (mkfifoat(p->parent, name, 0600) < 0)
			return refuse(p, errno, "pipe %s", name);
		return own(p, e, p->parent, name);
	default: /* devices and sockets are the engine's to make */
		return 0;
	}
}

static ssize_t
on_read(struct archive *tar, void *ctx, const void **ret)
{
	struct unpacker *p = ctx;
	ssize_t n = inflate_next(p->z, ret, &p->read_why);

	if (n < 0 || check_bomb(p) < 0) {
		archive_set_error(tar, EIO, "%s",
		    p->read_why ? p->read_why : buf_str(&p->why));
		return -1;
	}
	return n;
}

static int
put_all(struct unpacker *p)
{
	struct archive_entry *e;
	int r;

	while ((r = archive_read_next_header(p->tar, &e)) == ARCHIVE_OK ||
	    r == ARCHIVE_WARN) {
		r = put_entry(p, e);
		if (r < 0)
			return r;
	}
	return r == ARCHIVE_EOF ? 0 : read_fault(p);
}

/* What follows the archive's end belongs to the digest, too. */
static int
finish(struct unpacker *p)
{
	_cleanup_(buf_done) struct buf got = BUF_INIT;
	const void *rest;
	ssize_t n;

	while ((n = inflate_next(p->z, &rest, &p->read_why)) > 0)
		if (check_bomb(p) < 0)
			return -EBADMSG;
	if (n < 0)
		return read_fault(p);
	inflate_digest(p->z, &got);
	if (!span_is(buf_span(&got), p->u->diff_id))
		return refuse(p, EBADMSG, "the content's digest is sha256:%s, "
		    "the image says sha256:%s", buf_str(&got), p->u->diff_id);
	for (struct dir_time *t = p->dirs; t; t = t->next) {
		const struct timespec both[2] = {t->at, t->at};

		(void)utimensat(p->root, t->path, both, AT_SYMLINK_NOFOLLOW);
	}
	if (fchmod(p->root, 0755) < 0 || syncfs(p->root) < 0)
		return refuse(p, errno, "the layer");
	return 0;
}

static int
limit(int what, uint64_t v)
{
	struct rlimit l;

	if (getrlimit(what, &l) < 0)
		return -errno;
	l.rlim_max = l.rlim_cur = MIN(l.rlim_max, v);
	return setrlimit(what, &l) < 0 ? -errno : 0;
}

/* From here on there is nothing but the layer. */
static int
confine(const struct unpack *u)
{
	static const cap_value_t keep[] = {CAP_CHOWN, CAP_DAC_OVERRIDE,
	    CAP_FOWNER, CAP_FSETID, CAP_SETFCAP};
	cap_t caps = cap_init();
	int r = 0;

	if (unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) < 0 ||
	    fchdir(u->layer) < 0 || chroot(".") < 0 || chdir("/") < 0)
		return -errno;
#ifndef __SANITIZE_ADDRESS__ /* which maps terabytes */
	if (limit(RLIMIT_AS, MAX_AS) < 0)
		return -errno;
#endif
	if (limit(RLIMIT_NOFILE, MAX_FILES) < 0 ||
	    limit(RLIMIT_FSIZE, UNPACK_MAX_BYTES) < 0)
		return -errno;
	for (cap_value_t c = 0; c <= CAP_LAST_CAP; c++) {
		bool kept = false;

		for (size_t i = 0; i < ARRAY_SIZE(keep); i++)
			kept |= keep[i] == c;
		if (!kept && prctl(PR_CAPBSET_DROP, c, 0, 0, 0) < 0 &&
		    errno != EINVAL)
			return -errno;
	}
	if (cap_set_flag(caps, CAP_PERMITTED, ARRAY_SIZE(keep), keep, CAP_SET) ||
	    cap_set_flag(caps, CAP_EFFECTIVE, ARRAY_SIZE(keep), keep, CAP_SET) ||
	    cap_set_proc(caps) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = -errno;
	cap_free(caps);
	return r;
}

static int
unpack(struct unpacker *p)
{
	int r;

	/* Names in pax headers are UTF-8; this locale needs no file. */
	setlocale(LC_CTYPE, "C.UTF-8");
	p->z = inflate_new(p->u->blob, p->u->format);
	p->tar = archive_read_new();
	archive_read_support_format_tar(p->tar);
	archive_read_support_format_empty(p->tar);
	r = confine(p->u);
	if (r < 0)
		return refuse(p, -r, "confinement");
	umask(0);
	if (archive_read_open(p->tar, p, NULL, on_read, NULL) != ARCHIVE_OK)
		return read_fault(p);
	r = put_all(p);
	if (r == 0)
		r = finish(p);
	return r;
}

int
unpack_run(void *ctx, int out)
{
	struct unpacker p = {.u = ctx, .parent = -1, .why = BUF_INIT};
	int r;

	p.arena = arena_new();
	p.root = p.u->layer;
	r = unpack(&p);
	if (r == 0)
		dprintf(out, "ok %ju %ju", (uintmax_t)p.bytes,
		    (uintmax_t)p.entries);
	else
		dprintf(out, "%s", buf_str(&p.why));
	return r < 0;
}
