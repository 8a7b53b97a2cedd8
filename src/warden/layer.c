/* Image layers: state_dir/layers/<hex>, each unpacked once, never changed. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "warden/check.h"
#include "warden/container.h"
#include "warden/dirs.h"
#include "warden/job.h"
#include "warden/parts.h"
#include "warden/unpack.h"

#define TMP "tmp-"

struct layer_job {
	struct host *host;
	struct request *q;
	char *hex, *tmp;
	bool failed;
};

static int
layers_dir(struct host *h)
{
	return dirs_open(h->state_fd, "layers", O_RDONLY | O_DIRECTORY);
}

static void
layer_job_free(struct layer_job *j)
{
	free(j->hex);
	free(j->tmp);
	free(j);
}

static char *
tmp_name(const char *hex)
{
	static unsigned serial;

	/* Not a name that the warden before us may have left. */
	return xasprintf(TMP "%s-%jd-%u", hex, (intmax_t)clock_ms(), ++serial);
}

static int
remove_tmp(void *arg, int out UNUSED)
{
	struct layer_job *j = arg;
	_cleanup_close_ int dir = layers_dir(j->host);

	return dir < 0 || dirs_remove(dir, j->tmp) < 0;
}

static void
on_removed(void *ctx, int status, struct span out UNUSED)
{
	struct layer_job *j = ctx;

	if (j->q && status == 0)
		request_ok(j->q);
	else if (j->q)
		request_fail(j->q, EIO, "the layer could not be removed whole");
	layer_job_free(j);
}

/* Takes j over; answers j->q, where there is one, at the end. */
static void
start_remove(struct layer_job *j)
{
	struct job_spec job = {.run = remove_tmp, .arg = j, .keep = true};

	if (job_start(j->host, &job, on_removed, j, NULL) < 0)
		on_removed(j, 1, SPAN_NULL);
}

static void
reply_unpacked(struct request *q, uint64_t bytes, uint64_t entries)
{
	struct buf *b = request_begin(q);

	msg_put_u64(b, bytes);
	msg_put_u64(b, entries);
	request_end(q);
}

static void
on_unpacked(void *ctx, int status, struct span out)
{
	struct layer_job *j = ctx;
	struct request *q = TAKE_PTR(j->q);
	_cleanup_close_ int dir = layers_dir(j->host);
	_cleanup_free_ char *text = xstrndup(out.p, out.n);
	uintmax_t bytes, entries;

	if (status != 0 || dir < 0 ||
	    sscanf(text, "ok %ju %ju", &bytes, &entries) != 2) {
		request_fail(q, EBADMSG, "%s", out.n ? text :
		    "the unpacker was killed");
		start_remove(j);
		return;
	}
	/* Another may have been faster; its layer is the same. */
	if (renameat2(dir, j->tmp, dir, j->hex, RENAME_NOREPLACE) < 0) {
		if (errno == EEXIST)
			reply_unpacked(q, bytes, entries);
		else
			request_fail(q, errno, "rename of the layer");
		start_remove(j);
		return;
	}
	fsync(dir);
	reply_unpacked(q, bytes, entries);
	layer_job_free(j);
}

/* The blob is neargated's file; nothing else shall be read for it. */
static int
open_blob(struct host *h, const char *hex)
{
	_cleanup_free_ char *path = xasprintf("blobs/sha256/%s", hex);
	_cleanup_close_ int fd = dirs_open(h->state_fd, path,
	    O_RDONLY | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return err_origin(-fd, "blob sha256:%s", hex);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != h->uid)
		return err_origin(EPERM, "blob sha256:%s", hex);
	return TAKE_FD(fd);
}

static int
start_unpack(struct host *h, struct layer_job *j, const char *diff,
    enum layer_format format)
{
	_cleanup_close_ int dir = layers_dir(h), blob = -1, layer = -1;
	struct unpack u = {.diff_id = diff, .format = format, .blob = 4,
	    .layer = 5};
	int r;

	if (dir < 0)
		return err_origin(-dir, "the layers' directory");
	blob = open_blob(h, j->hex);
	if (blob < 0)
		return err_trace(blob);
	r = dirs_make(dir, j->tmp, 0755, 0, 0, &layer);
	if (r < 0)
		return err_trace(r);
	int fds[] = {blob, layer};
	struct job_spec job = {.run = unpack_run, .arg = &u, .fds = fds,
	    .n_fds = 2};

	return err_trace(job_start(h, &job, on_unpacked, j, NULL));
}

static int
image_unpack(struct host *h, struct request *q, struct msg_reader *m)
{
	struct arena *a = request_arena(q);
	struct span digest = msg_span(m), diff = msg_span(m), hex, diff_hex;
	uint32_t format = msg_u32(m);
	_cleanup_close_ int dir = -1;
	struct layer_job *j;

	if (!msg_ok(m))
		return -EBADMSG;
	if (!check_digest(digest, &hex) || !check_digest(diff, &diff_hex) ||
	    format < LAYER_TAR || format > LAYER_ZSTD) {
		request_fail(q, EINVAL, "digest or format");
		return 0;
	}
	dir = layers_dir(h);
	if (dir >= 0 && faccessat(dir, arena_str(a, hex), F_OK, 0) == 0) {
		reply_unpacked(q, 0, 0);
		return 0;
	}
	j = xcalloc(1, sizeof(*j));
	j->host = h;
	j->q = q;
	j->hex = xstrndup(hex.p, hex.n);
	j->tmp = tmp_name(j->hex);
	if (start_unpack(h, j, arena_str(a, diff_hex),
		(enum layer_format)format) < 0) {
		request_fail(TAKE_PTR(j->q), EIO, "%s", err_last());
		start_remove(j);
	}
	return 0;
}

static int
image_remove(struct host *h, struct request *q, struct msg_reader *m)
{
	struct span digest = msg_span(m), hex;
	_cleanup_close_ int dir = -1;
	struct layer_job *j;

	if (!msg_ok(m))
		return -EBADMSG;
	if (!check_digest(digest, &hex)) {
		request_fail(q, EINVAL, "digest");
		return 0;
	}
	if (containers_use_layer(h, hex)) {
		request_fail(q, EBUSY, "a container uses the layer");
		return 0;
	}
	dir = layers_dir(h);
	j = xcalloc(1, sizeof(*j));
	j->host = h;
	j->q = q;
	j->hex = xstrndup(hex.p, hex.n);
	j->tmp = tmp_name(j->hex);
	if (renameat(dir, j->hex, dir, j->tmp) == 0) {
		start_remove(j);
		return 0;
	}
	if (errno == ENOENT)
		request_ok(q);
	else
		request_fail(q, errno, "the layer");
	layer_job_free(j);
	return 0;
}

static bool
is_layer(const char *name)
{
	_cleanup_free_ char *digest = xasprintf("sha256:%s", name);
	struct span hex;

	return check_digest(span_of(digest), &hex);
}

static int
image_list(struct host *h, struct request *q, struct msg_reader *m)
{
	_cleanup_(buf_done) struct buf names = BUF_INIT;
	struct dirent *e;
	struct buf *b;
	uint32_t n = 0;
	int fd = layers_dir(h);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!msg_ok(m) || !d) {
		if (d)
			closedir(d);
		return -EBADMSG;
	}
	while ((e = readdir(d)))
		if (is_layer(e->d_name)) {
			_cleanup_free_ char *s =
			    xasprintf("sha256:%s", e->d_name);

			msg_put_span(&names, span_of(s));
			n++;
		}
	closedir(d);
	b = request_begin(q);
	msg_put_u32(b, n);
	buf_add_span(b, buf_span(&names));
	request_end(q);
	return 0;
}

/* What an interrupted unpacking or removal left. */
static int
init(struct host *h)
{
	int fd = layers_dir(h);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d)
		return err_origin(errno, "the layers' directory");
	while ((e = readdir(d))) {
		struct layer_job *j;

		if (strncmp(e->d_name, TMP, strlen(TMP)))
			continue;
		j = xcalloc(1, sizeof(*j));
		j->host = h;
		j->tmp = xstrdup(e->d_name);
		start_remove(j);
	}
	closedir(d);
	return 0;
}

static const struct host_op ops[] = {
    {WARDEN_IMAGE_UNPACK, "IMAGE_UNPACK", image_unpack},
    {WARDEN_IMAGE_REMOVE, "IMAGE_REMOVE", image_remove},
    {WARDEN_IMAGE_LIST, "IMAGE_LIST", image_list},
};

const struct host_part image_part = {.name = "images", .ops = ops,
    .n_ops = ARRAY_SIZE(ops), .init = init};
