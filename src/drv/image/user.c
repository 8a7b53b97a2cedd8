/*
 * Looks users up in unpacked layers.  The layers are strangers' files: every
 * path is resolved beneath the layer's own root, and only a regular file of
 * bounded size is read.
 */
#include "drv/image/user.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/err.h"
#include "base/id.h"

#define FILE_MAX (1u << 20) /* of a passwd or group file */
#define GROUPS_MAX 64

static int
open_beneath(int root, const char *path, uint64_t flags)
{
	struct open_how how = {.flags = flags | O_CLOEXEC,
	    .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};

	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

static bool
is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

static int
read_file(int fd, struct arena *a, struct span *ret)
{
	char *p = arena_alloc(a, FILE_MAX + 1);
	size_t n = 0;
	ssize_t got;

	while ((got = read(fd, p + n, FILE_MAX + 1 - n)) > 0)
		n += (size_t)got;
	if (got < 0)
		return err_origin(errno, "cannot read a file of the image");
	if (n > FILE_MAX)
		return err_origin(EFBIG, "a file of the image is too large");
	*ret = span_make(p, n);
	return 0;
}

enum look { LOOK_FOUND, LOOK_BELOW, LOOK_GONE };

/* Does this layer decide about dir/name? */
static int
look(int root, const char *dir, const char *path, struct arena *a,
    struct span *ret, enum look *ret_look)
{
	_cleanup_close_ int d = open_beneath(root, dir, O_PATH | O_NOFOLLOW);
	_cleanup_close_ int fd = -1, real = -1;
	struct stat st;
	char opaque = 0;

	*ret_look = LOOK_BELOW;
	if (d >= 0 && fstat(d, &st) == 0 && is_whiteout(&st)) {
		*ret_look = LOOK_GONE;
		return 0;
	}
	fd = open_beneath(root, path, O_PATH | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st)) {
		real = open_beneath(root, dir, O_RDONLY | O_DIRECTORY);
		if (real >= 0 && fgetxattr(real, "user.overlay.opaque",
			&opaque, 1) == 1 && opaque == 'y')
			*ret_look = LOOK_GONE;
		return 0;
	}
	*ret_look = LOOK_GONE;
	if (is_whiteout(&st))
		return 0;
	/* Not opened before it is known to be no device or pipe: O_NONBLOCK
	 * covers what a link leads to. */
	close_p(&fd);
	fd = open_beneath(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
		return 0;
	*ret_look = LOOK_FOUND;
	return read_file(fd, a, ret);
}

int
image_file(int layers_fd, const struct image *img, const char *dir,
    const char *name, struct arena *a, struct span *ret)
{
	const char *path = arena_fmt(a, "%s/%s", dir, name);
	enum look at;
	int r;

	*ret = SPAN_NULL;
	for (size_t i = img->n_layers; i-- > 0;) {
		struct span hex = span_from(img->layers[i], 7);
		_cleanup_close_ int root = openat(layers_fd,
		    arena_str(a, hex), O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (root < 0)
			return err_origin(errno, "a layer is not unpacked");
		r = look(root, dir, path, a, ret, &at);
		if (r)
			return err_trace(r);
		if (at != LOOK_BELOW)
			return 0;
	}
	return 0;
}

/* Finds the line whose first field is name, or whose third is the number. */
static bool
find_line(struct span text, struct span who, struct span ret[4])
{
	uint64_t want = 0, id;
	bool number = span_u64(who, &want);

	while (text.p) {
		struct span line = span_cut(&text, '\n');

		for (size_t i = 0; i < 4; i++)
			ret[i] = span_cut(&line, ':');
		if (span_eq(ret[0], who))
			return true;
		if (number && span_u64(ret[2], &id) && id == want)
			return true;
	}
	return false;
}

static bool
lists(struct span members, struct span name)
{
	while (members.p) {
		if (span_eq(span_trim(span_cut(&members, ',')), name))
			return true;
	}
	return false;
}

static void
extra_groups(struct span text, struct span name, struct arena *a,
    uint32_t **ret, size_t *ret_n)
{
	uint32_t *v = arena_array(a, uint32_t, GROUPS_MAX);
	size_t n = 0;

	while (text.p && n < GROUPS_MAX) {
		struct span line = span_cut(&text, '\n'), field[4];
		uint64_t gid;

		for (size_t i = 0; i < 4; i++)
			field[i] = span_cut(&line, ':');
		if (lists(field[3], name) && span_u64(field[2], &gid) &&
		    gid <= UINT32_MAX)
			v[n++] = (uint32_t)gid;
	}
	*ret = v;
	*ret_n = n;
}

static bool
number(struct span s, uint32_t *ret)
{
	uint64_t v;

	if (!span_u64(s, &v) || v > INT32_MAX)
		return false;
	*ret = (uint32_t)v;
	return true;
}

/* Docker's rules: a number needs no entry; a user without a group gets the
 * one of its entry, or 0, and every group that lists it. */
int
image_user(int layers_fd, const struct image *img, struct span user,
    struct arena *a, uint32_t *ret_uid, uint32_t *ret_gid,
    uint32_t **ret_groups, size_t *ret_n)
{
	struct span rest = user, who = span_cut(&rest, ':'), field[4];
	struct span passwd, group;
	uint32_t uid = 0, gid = 0, *groups = NULL;
	size_t n = 0;
	bool known;
	int r = image_file(layers_fd, img, "etc", "passwd", a, &passwd);

	if (r == 0)
		r = image_file(layers_fd, img, "etc", "group", a, &group);
	if (r)
		return err_trace(r);
	known = find_line(passwd, who.n ? who : SPAN("0"), field);
	if (known && (!number(field[2], &uid) || !number(field[3], &gid)))
		known = false;
	if (!known && who.n && !number(who, &uid))
		return err_origin(ENOENT, "unable to find user %.*s: no "
		    "matching entries in passwd file", SPAN_ARG(who));
	if (rest.n == 0 && known)
		extra_groups(group, field[0], a, &groups, &n);
	if (rest.n) {
		if (find_line(group, rest, field) && number(field[2], &gid))
			;
		else if (!number(rest, &gid))
			return err_origin(ENOENT, "unable to find group %.*s: "
			    "no matching entries in group file",
			    SPAN_ARG(rest));
	}
	*ret_uid = uid;
	*ret_gid = gid;
	*ret_groups = groups;
	*ret_n = n;
	return 0;
}
