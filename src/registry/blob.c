/* Content-addressed files: open, seal, list, remove. */
#include "registry/blob.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "registry/ref.h"

#define BLOBS_MAGIC 0x626c6f62

struct blobs {
	unsigned magic;
	int sha256, sha512, uploads; /* directories */
};

static int
open_dir(int at, const char *name, int *ret)
{
	if (mkdirat(at, name, 0750) && errno != EEXIST)
		return err_origin(errno, "cannot make %s", name);
	*ret = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret < 0 ? err_origin(errno, "cannot open %s", name) : 0;
}

int
blobs_open(const char *state_dir, struct blobs **ret)
{
	_cleanup_close_ int root = -1, dir = -1;
	struct blobs *b;
	int r;

	root = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_origin(errno, "cannot open %s", state_dir);
	ALLOC_OBJ(b, BLOBS_MAGIC);
	b->sha256 = b->sha512 = b->uploads = -1;
	r = open_dir(root, "blobs", &dir);
	if (r == 0)
		r = open_dir(dir, "sha256", &b->sha256);
	if (r == 0)
		r = open_dir(dir, "sha512", &b->sha512);
	if (r == 0)
		r = open_dir(root, "uploads", &b->uploads);
	if (r) {
		blobs_free(b);
		return err_trace(r);
	}
	*ret = b;
	return 0;
}

void
blobs_free(struct blobs *b)
{
	if (!b)
		return;
	CHECK_OBJ(b, BLOBS_MAGIC);
	close_p(&b->sha256);
	close_p(&b->sha512);
	close_p(&b->uploads);
	FREE_OBJ(b);
}

/* The directory and file name of a digest that the caller has checked. */
static int
place(const struct blobs *b, struct span digest, char **ret_name)
{
	struct span hex;

	CHECK_OBJ(b, BLOBS_MAGIC);
	AN(digest_ok(digest, &hex));
	*ret_name = xstrndup(hex.p, hex.n);
	return digest_is_sha512(digest) ? b->sha512 : b->sha256;
}

int
blob_size(const struct blobs *b, struct span digest, uint64_t *ret)
{
	_cleanup_free_ char *name = NULL;
	int dir = place(b, digest, &name);
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		*ret = (uint64_t)st.st_size;
		return 0;
	}
	return errno == ENOENT ? BLOB_E_NONE
			       : err_origin(errno, "cannot stat a blob");
}

static int
open_sized(int dir, const char *name, int flags, int *ret_fd,
    uint64_t *ret_size)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	fd = openat(dir, name, flags | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return BLOB_E_NONE;
	if (fd < 0 || fstat(fd, &st))
		return err_origin(errno, "cannot open %s", name);
	*ret_size = (uint64_t)st.st_size;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int
blob_open(const struct blobs *b, struct span digest, int *ret_fd,
    uint64_t *ret_size)
{
	_cleanup_free_ char *name = NULL;
	int dir = place(b, digest, &name);

	return open_sized(dir, name, O_RDONLY, ret_fd, ret_size);
}

static int
read_full(int fd, char *p, size_t n)
{
	while (n > 0) {
		ssize_t got = read(fd, p, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_origin(errno, "cannot read a blob");
		if (got == 0)
			return err_origin(EIO, "a blob is shorter than it was");
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

int
blob_read(const struct blobs *b, struct arena *a, struct span digest,
    size_t max, struct span *ret)
{
	_cleanup_close_ int fd = -1;
	uint64_t size;
	char *p;
	int r = blob_open(b, digest, &fd, &size);

	if (r)
		return r;
	if (size > max)
		return err_origin(EFBIG, "a blob is too large to be read");
	p = arena_alloc(a, size + 1);
	r = read_full(fd, p, size);
	if (r)
		return err_trace(r);
	*ret = span_make(p, size);
	return 0;
}

int
blob_remove(const struct blobs *b, struct span digest)
{
	_cleanup_free_ char *name = NULL;
	int dir = place(b, digest, &name);

	if (unlinkat(dir, name, 0) == 0)
		return 0;
	return errno == ENOENT ? BLOB_E_NONE
			       : err_origin(errno, "cannot remove a blob");
}

static int
each(int at, int (*fn)(void *ctx, const char *name, int64_t mtime_ms),
    void *ctx)
{
	int fd = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	struct stat st;

	if (!d) {
		r = err_origin(errno, "cannot list a directory");
		close_p(&fd);
		return r;
	}
	while (r == 0 && (e = readdir(d))) {
		if (e->d_name[0] == '.' ||
		    fstatat(at, e->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		r = fn(ctx, e->d_name,
		    st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000);
	}
	closedir(d);
	return r;
}

struct each_blob {
	const char *prefix;
	int (*fn)(void *ctx, struct span digest, int64_t mtime_ms);
	void *ctx;
};

static int
each_blob(void *ctx, const char *name, int64_t mtime_ms)
{
	struct each_blob *e = ctx;
	_cleanup_free_ char *digest = xasprintf("%s%s", e->prefix, name);

	/* Files that are not ours stay. */
	if (!digest_ok(span_of(digest), NULL))
		return 0;
	return e->fn(e->ctx, span_of(digest), mtime_ms);
}

int
blobs_each(const struct blobs *b,
    int (*fn)(void *ctx, struct span digest, int64_t mtime_ms), void *ctx)
{
	struct each_blob e = {"sha256:", fn, ctx};
	int r = each(b->sha256, each_blob, &e);

	e.prefix = "sha512:";
	return r ? r : each(b->sha512, each_blob, &e);
}

int
uploads_each(const struct blobs *b,
    int (*fn)(void *ctx, const char *id, int64_t mtime_ms), void *ctx)
{
	return each(b->uploads, fn, ctx);
}

int
upload_file_create(const struct blobs *b, const char *id)
{
	_cleanup_close_ int fd = openat(b->uploads, id,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);

	return fd < 0 ? err_origin(errno, "cannot create an upload") : 0;
}

int
upload_file_open(const struct blobs *b, const char *id, int *ret_fd,
    uint64_t *ret_size)
{
	return open_sized(b->uploads, id, O_WRONLY | O_APPEND, ret_fd,
	    ret_size);
}

void
upload_file_remove(const struct blobs *b, const char *id)
{
	(void)unlinkat(b->uploads, id, 0);
}

int
upload_file_sync(const struct blobs *b, const char *id)
{
	_cleanup_close_ int fd = -1;
	uint64_t size;
	int r = open_sized(b->uploads, id, O_RDONLY, &fd, &size);

	if (r)
		return r;
	return fdatasync(fd) ? err_origin(errno, "cannot sync an upload") : 0;
}

static int
hash_file(int fd, bool wide, unsigned char ret[EVP_MAX_MD_SIZE])
{
	enum { PIECE = 1 << 18 };
	_cleanup_free_ char *p = xmalloc(PIECE);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	off_t at = 0;
	ssize_t n;
	int r = 0;

	AN(md);
	AN(EVP_DigestInit_ex(md, wide ? EVP_sha512() : EVP_sha256(), NULL));
	while ((n = pread(fd, p, PIECE, at)) > 0) {
		AN(EVP_DigestUpdate(md, p, (size_t)n));
		at += n;
	}
	if (n < 0)
		r = err_origin(errno, "cannot read an upload");
	AN(EVP_DigestFinal_ex(md, ret, NULL));
	EVP_MD_CTX_free(md);
	return r;
}

static int
check_digest(int fd, struct span digest, const unsigned char *have)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	bool wide = digest_is_sha512(digest);
	unsigned char sum[EVP_MAX_MD_SIZE];
	int r;

	if (have && !wide) {
		buf_add_hex(&b, have, SHA256_LEN);
	} else {
		r = hash_file(fd, wide, sum);
		if (r)
			return err_trace(r);
		buf_add_hex(&b, sum, wide ? 64 : 32);
	}
	return span_eq(buf_span(&b), span_from(digest, 7)) ? 0
							   : BLOB_E_MISMATCH;
}

int
blob_seal(const struct blobs *b, const char *id, struct span digest,
    const unsigned char have[SHA256_LEN], uint64_t *ret_size)
{
	_cleanup_free_ char *name = NULL;
	_cleanup_close_ int fd = -1;
	int dir = place(b, digest, &name), r;

	r = open_sized(b->uploads, id, O_RDONLY, &fd, ret_size);
	if (r == 0)
		r = check_digest(fd, digest, have);
	if (r)
		return r;
	if (fdatasync(fd))
		return err_origin(errno, "cannot sync a blob");
	if (renameat(b->uploads, id, dir, name))
		return err_origin(errno, "cannot place a blob");
	return fsync(dir) ? err_origin(errno, "cannot sync the blobs") : 0;
}
