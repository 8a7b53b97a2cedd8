/* Records, segments, and what happens when they cannot be written. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"
#include "warden/dirs.h"
#include "warden/logseg.h"

struct place {
	char *path;
	int fd;
	struct logseg l;
};

static int
setup(void **state)
{
	struct place *p = xcalloc(1, sizeof(*p));

	p->path = xstrdup("/tmp/neargate-logseg-XXXXXX");
	assert_non_null(mkdtemp(p->path));
	p->fd = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(p->fd >= 0);
	logseg_init(&p->l, p->fd);
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	struct place *p = *state;

	close(p->fd);
	dirs_remove(AT_FDCWD, p->path);
	free(p->path);
	free(p);
	return 0;
}

static void
assert_file(struct place *p, const char *name, const char *want)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	assert_int_equal(dirs_read(p->fd, name, 1u << 20, &b), 0);
	assert_string_equal(buf_str(&b), want);
}

static void
add(struct place *p, char stream, const char *text)
{
	assert_int_equal(logseg_add(&p->l, stream, text, strlen(text), 7), 0);
}

static void
test_lines(void **state)
{
	struct place *p = *state;

	add(p, 'o', "one\ntw");
	add(p, 'e', "err\n");
	add(p, 'o', "o\n\nrest");
	assert_int_equal(logseg_end(&p->l, 9), 0);
	assert_file(p, "000001.log",
	    "7 o F one\n7 e F err\n7 o F two\n7 o F \n9 o F rest\n");
	assert_file(p, "end", "");
}

static void
test_long_lines(void **state)
{
	struct place *p = *state;
	_cleanup_free_ char *x = xcalloc(1, 2 * LOGSEG_LINE + 3);
	_cleanup_free_ char *want = NULL;

	memset(x, 'x', 2 * LOGSEG_LINE + 1);
	x[2 * LOGSEG_LINE + 1] = '\n';
	add(p, 'o', x);
	assert_int_equal(logseg_end(&p->l, 9), 0);
	want = xasprintf("7 o P %.*s\n7 o P %.*s\n7 o F x\n", LOGSEG_LINE, x,
	    LOGSEG_LINE, x);
	assert_file(p, "000001.log", want);
}

/* The reader is behind: full, until it deletes. */
static void
test_full(void **state)
{
	struct place *p = *state;
	_cleanup_free_ char *mb = xcalloc(1, 1000 << 10);

	memset(mb, 'y', (1000 << 10) - 1);
	for (int i = 0; i < 70 && !logseg_full(&p->l); i++)
		add(p, 'o', mb);
	assert_true(logseg_full(&p->l));
	assert_int_equal(unlinkat(p->fd, "000001.log", 0), 0);
	assert_false(logseg_full(&p->l));
	assert_int_equal(logseg_end(&p->l, 9), 0);
}

/* Nothing piles up in memory when the directory is gone, and nothing is
 * written twice when it is back. */
static void
test_no_directory(void **state)
{
	struct place *p = *state;
	_cleanup_free_ char *mb = xcalloc(1, 1u << 20);

	assert_int_equal(rmdir(p->path), 0);
	memset(mb, 'z', (1u << 20) - 1);
	mb[(1u << 20) - 2] = '\n';
	for (int i = 0; i < 8; i++)
		assert_int_equal(logseg_add(&p->l, 'o', mb, (1u << 20) - 1, 7),
		    -ENOENT);
	assert_int_equal(p->l.out.n, 0);
	assert_int_equal(mkdir(p->path, 0700), 0);
	close(p->fd);
	p->fd = p->l.dir = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	add(p, 'o', "back\n");
	assert_int_equal(logseg_end(&p->l, 9), 0);
	assert_file(p, "000001.log", "7 o F back\n");
}

/* A full disk, as the file size limit: a cut record ends its segment. */
static void
test_cut_record(void **state)
{
	struct place *p = *state;
	struct rlimit old, small;

	add(p, 'o', "first\n");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 20;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(logseg_add(&p->l, 'o', "second line\n", 12, 7),
	    -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	add(p, 'o', "third\n");
	assert_int_equal(logseg_end(&p->l, 9), 0);
	assert_file(p, "000001.log", "7 o F first\n7 o F se");
	assert_file(p, "000002.log", "7 o F third\n");
}

/* The directory is the reader's user's: what it put there is not written. */
static void
test_planted_files(void **state)
{
	struct place *p = *state;

	assert_int_equal(symlinkat("/etc/passwd-not", p->fd, "000001.log"), 0);
	assert_int_equal(logseg_add(&p->l, 'o', "x\n", 2, 7), -EEXIST);
	assert_int_equal(unlinkat(p->fd, "000001.log", 0), 0);
	add(p, 'o', "y\n");
	assert_int_equal(symlinkat("000001.log", p->fd, "end"), 0);
	assert_int_equal(logseg_end(&p->l, 9), -EEXIST);
	assert_file(p, "000001.log", "7 o F y\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(test_lines), T(test_long_lines), T(test_full),
		T(test_no_directory), T(test_cut_record), T(test_planted_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
