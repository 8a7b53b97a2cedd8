/* Directories of strangers: deep, linked, somebody else's. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"
#include "warden/dirs.h"

static char *base;
static int top;

static int
setup(void **state UNUSED)
{
	base = xstrdup("/tmp/neargate-dirs-XXXXXX");
	assert_non_null(mkdtemp(base));
	top = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(top >= 0);
	return 0;
}

static int
teardown(void **state UNUSED)
{
	close(top);
	assert_int_equal(dirs_remove(AT_FDCWD, base), 0);
	assert_int_equal(access(base, F_OK), -1);
	free(base);
	return 0;
}

static void
file(int dir, const char *name)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
}

/* More levels than descriptors, each with a file and a name that is taken. */
static void
test_deep(void **state UNUSED)
{
	const struct rlimit few = {64, 64};
	struct rlimit old;
	int fd = dup(top), sub;

	assert_int_equal(mkdirat(top, ".neargate-removal-0", 0700), 0);
	for (int i = 0; i < 3000; i++) {
		file(fd, "f");
		assert_int_equal(mkdirat(fd, "d", 0700), 0);
		sub = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(sub >= 0);
		close(fd);
		fd = sub;
	}
	close(fd);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE,
	    &(struct rlimit){few.rlim_cur, old.rlim_max}), 0);
	assert_int_equal(dirs_remove(top, "d"), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(faccessat(top, "d", F_OK, 0), -1);
}

static void
test_links(void **state UNUSED)
{
	struct buf b = BUF_INIT;
	int fd;

	assert_int_equal(mkdirat(top, "kept", 0700), 0);
	assert_int_equal(mkdirat(top, "gone", 0700), 0);
	fd = openat(top, "kept", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	file(fd, "f");
	close(fd);
	assert_int_equal(symlinkat("../kept", top, "gone/link"), 0);
	assert_int_equal(symlinkat("kept", top, "link"), 0);
	assert_int_equal(dirs_remove(top, "gone"), 0);
	assert_int_equal(faccessat(top, "kept/f", F_OK, 0), 0);
	/* Through a link nothing is opened, made or read. */
	assert_int_equal(dirs_open(top, "link/f", O_RDONLY), -ELOOP);
	assert_int_equal(dirs_open(top, "../etc", O_RDONLY), -EXDEV);
	assert_int_equal(dirs_read(top, "link/f", 10, &b), -ELOOP);
	assert_true(dirs_make(top, "link", 0700, getuid(), getgid(), NULL) < 0);
	assert_int_equal(symlinkat("kept/f", top, "file.tmp"), 0);
	assert_true(dirs_write(top, "file", SPAN("x"), 0600) < 0);
	buf_done(&b);
}

static void
test_make(void **state UNUSED)
{
	struct stat st;
	int fd;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(dirs_make(top, "d", 02750, getuid(), getgid(),
		    &fd), 0);
		assert_int_equal(fstat(fd, &st), 0);
		assert_int_equal(st.st_mode & 07777, 02750);
		close(fd);
	}
}

/* Another's directory is not taken for ours. */
static void
test_somebody_elses(void **state UNUSED)
{
	if (getuid() != 0)
		return; /* who else could it be? */
	assert_int_equal(mkdirat(top, "d", 0777), 0);
	assert_int_equal(fchownat(top, "d", 12345, 12345, 0), 0);
	assert_int_equal(dirs_make(top, "d", 0700, 0, 0, NULL), -EPERM);
	assert_int_equal(dirs_make(top, "d", 0700, 12345, 0, NULL), 0);
	/* Root's becomes another's only below root's. */
	assert_int_equal(mkdirat(top, "r", 0700), 0);
	assert_int_equal(dirs_make(top, "r", 0700, 12345, 0, NULL), 0);
	assert_int_equal(mkdirat(top, "d/r", 0700), 0);
	int fd = openat(top, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(dirs_make(fd, "r", 0700, 12345, 0, NULL), -EPERM);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(test_deep), T(test_links), T(test_make),
		T(test_somebody_elses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
