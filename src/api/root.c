/* The root key pair and the account: made at first start, kept for good. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "api/api.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/id.h"

static char *
random_account(struct arena *a)
{
	char *p = arena_alloc(a, 13);

	random_bytes(p, 12);
	for (int i = 0; i < 12; i++)
		p[i] = (char)('0' + (unsigned char)p[i] % 10);
	return p[0] == '0' ? (p[0] = '1', p) : p;
}

static char *
random_secret(struct arena *a)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	unsigned char u[30];

	random_bytes(u, sizeof(u));
	buf_add_base64(&b, u, sizeof(u));
	return arena_str(a, buf_span(&b));
}

/* want if given, else what is kept, else fresh. */
static int
settle(struct store *s, struct arena *a, const char *key, struct span want,
    const char *fresh, struct span *ret)
{
	struct span have = SPAN_NULL;
	int r = store_setting(s, a, key, &have);

	if (r < 0)
		return err_trace(r);
	if (!want.n)
		want = r == 0 ? have : span_of(fresh);
	*ret = want;
	if (r == 0 && span_eq(have, want))
		return 0;
	return err_trace(store_set_setting(s, key, want));
}

static bool
file_says(const char *path, struct span want)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *have = xmalloc(want.n + 1);
	ssize_t n = fd < 0 ? -1 : read(fd, have, want.n + 1);

	return n >= 0 && span_eq(span_make(have, (size_t)n), want);
}

/* What is there already is not written again: the disk may be full. */
static int
write_file(const char *dir, const struct root_key *k)
{
	_cleanup_free_ char *path = xasprintf("%s/root-credentials", dir);
	_cleanup_free_ char *tmp = xasprintf("%s/root-credentials.new", dir);
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	_cleanup_close_ int fd = -1;
	ssize_t n;

	buf_addf(&b, "AWS_ACCESS_KEY_ID=%.*s\nAWS_SECRET_ACCESS_KEY=%.*s\n"
	    "AWS_ACCOUNT_ID=%.*s\n", SPAN_ARG(k->access_key),
	    SPAN_ARG(k->secret_key), SPAN_ARG(k->account));
	if (file_says(path, buf_span(&b)))
		return 0;
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_origin(errno, "open %s", tmp);
	n = write(fd, b.p, b.n);
	if (n != (ssize_t)b.n || fsync(fd) != 0)
		return err_origin(n < 0 || n == (ssize_t)b.n ? errno : ENOSPC,
		    "write %s", tmp);
	if (rename(tmp, path) != 0)
		return err_origin(errno, "rename %s", tmp);
	return 0;
}

int
root_load(struct store *s, struct arena *a, const struct root_key *want,
    const char *state_dir, struct root_key *ret)
{
	int r;

	if ((r = settle(s, a, "account", want->account, random_account(a),
	    &ret->account)) < 0 ||
	    (r = settle(s, a, "root_access_key", want->access_key,
	    arena_fmt(a, "AKIA%s", id_upper(a, 16)), &ret->access_key)) < 0 ||
	    (r = settle(s, a, "root_secret_key", want->secret_key,
	    random_secret(a), &ret->secret_key)) < 0)
		return err_trace(r);
	store_commit(s);
	return err_trace(write_file(state_dir, ret));
}
