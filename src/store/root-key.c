/* The root key: a file beside the database, so that neither alone tells a
 * secret. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/buf.h"
#include "base/id.h"
#include "store/store-internal.h"

#define CHECK_SETTING "root_key_check"

/* Tells keys apart without telling them. */
static struct span
fingerprint(struct arena *a, const unsigned char key[SEAL_KEY])
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	unsigned char mac[SHA256_LEN];

	hmac_sha256(span_make((const char *)key, SEAL_KEY),
	    SPAN("neargate root key"), mac);
	buf_add_hex(&b, mac, 16);
	return arena_span(a, buf_span(&b));
}

static int
make_file(const char *dir, const char *path, unsigned char key[SEAL_KEY])
{
	_cleanup_free_ char *tmp = xasprintf("%s.new", path);
	_cleanup_close_ int fd = -1, dfd = -1;
	ssize_t n;

	random_bytes(key, SEAL_KEY);
	if (unlink(tmp) != 0 && errno != ENOENT)
		return err_origin(errno, "unlink %s", tmp);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_origin(errno, "open %s", tmp);
	n = write(fd, key, SEAL_KEY);
	if (n != SEAL_KEY || fsync(fd) != 0)
		return err_origin(n < 0 || n == SEAL_KEY ? errno : ENOSPC,
		    "write %s", tmp);
	if (rename(tmp, path) != 0)
		return err_origin(errno, "rename %s", tmp);
	dfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dfd < 0 || fsync(dfd) != 0)
		return err_origin(errno, "sync %s", dir);
	return 0;
}

static int
read_file(int fd, const char *path, unsigned char key[SEAL_KEY])
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) != 0)
		return err_origin(errno, "stat %s", path);
	if (st.st_mode & 077)
		return err_origin(EACCES, "%s: mode %o lets others read it",
		    path, st.st_mode & 0777u);
	n = st.st_size == SEAL_KEY ? read(fd, key, SEAL_KEY) : 0;
	if (n != SEAL_KEY)
		return err_origin(n < 0 ? errno : EINVAL,
		    "%s is not a root key of %d bytes", path, SEAL_KEY);
	return 0;
}

int
root_key_open(struct store *s, const char *dir)
{
	_cleanup_free_ char *path = xasprintf("%s/root.key", dir);
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct span was;
	int r = store_setting(s, a, CHECK_SETTING, &was), e;

	if (r < 0)
		return err_trace(r);
	if (fd < 0 && (errno != ENOENT || r == 0))
		return err_origin(errno, "open %s, which the secrets in the "
		    "store need", path);
	e = fd < 0 ? make_file(dir, path, s->root_key)
	    : read_file(fd, path, s->root_key);
	if (e < 0)
		return err_trace(e);
	if (r == STORE_E_NOT_FOUND)
		return err_trace(store_set_setting(s, CHECK_SETTING,
		    fingerprint(a, s->root_key)));
	if (!span_eq(was, fingerprint(a, s->root_key)))
		return err_origin(EINVAL, "%s is not the key of this store",
		    path);
	return 0;
}

void
root_key_close(struct store *s)
{
	OPENSSL_cleanse(s->root_key, sizeof(s->root_key));
}

void
store_seal(struct store *s, struct span what, struct span plain,
    struct buf *to)
{
	CHECK_OBJ(s, STORE_MAGIC);
	seal(s->root_key, what, plain, to);
}

bool
store_try_unseal(struct store *s, struct span what, struct span sealed,
    struct buf *to)
{
	CHECK_OBJ(s, STORE_MAGIC);
	return unseal(s->root_key, what, sealed, to);
}

int
store_unseal(struct store *s, struct span what, struct span sealed,
    struct buf *to)
{
	if (!store_try_unseal(s, what, sealed, to))
		return err_origin(EBADMSG, "a secret (%.*s) does not open",
		    SPAN_ARG(what));
	return 0;
}
