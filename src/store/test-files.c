/* Files: held ones stay until they are let go; several read as one. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/test.h"
#include "store/file-seq.h"

struct fixture {
	char *dir;
	struct files *f;
	struct arena *a;
};

static int
setup(void **state)
{
	struct fixture *x = xcalloc(1, sizeof(*x));

	x->dir = xstrdup("/tmp/test-files-XXXXXX");
	AN(mkdtemp(x->dir));
	AZ(files_open(x->dir, "s3", &x->f));
	x->a = arena_new();
	*state = x;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *x = *state;
	_cleanup_free_ char *rm = xasprintf("rm -rf %s", x->dir);

	files_free(x->f);
	arena_free(x->a);
	AZ(system(rm));
	free(x->dir);
	free(x);
	return 0;
}

static struct span
make(struct fixture *x, const char *text)
{
	_cleanup_close_ int fd = -1;
	struct span id;

	assert_int_equal(files_create(x->f, x->a, &id, &fd), 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(files_seal(x->f, fd), 0);
	return id;
}

static bool
there(struct fixture *x, struct span id)
{
	_cleanup_close_ int fd = -1;
	uint64_t size;
	int r = files_read(x->f, id, &fd, &size);

	assert_true(r == 0 || r == FILES_E_NONE);
	return r == 0;
}

static void
test_hold(void **state)
{
	struct fixture *x = *state;
	struct span a = make(x, "a"), b = make(x, "b");

	files_hold(x->f, a);
	files_hold(x->f, a);
	files_hold(x->f, b);
	assert_int_equal(files_remove(x->f, a), 0);
	assert_int_equal(files_remove(x->f, a), 0);
	files_drop(x->f, a);
	assert_true(there(x, a));
	files_drop(x->f, a);
	assert_false(there(x, a));
	files_drop(x->f, b);
	assert_true(there(x, b));
	assert_int_equal(files_remove(x->f, b), 0);
	assert_false(there(x, b));
	assert_int_equal(files_remove(x->f, b), 0);
}

static void
test_seq(void **state)
{
	struct fixture *x = *state;
	struct span a = make(x, "0123456789"), b = make(x, "abc");
	const struct file_run v[] = {{a, 3, 4}, {b, 0, 0}, {b, 0, 3},
	    {a, 9, 1}};

	for (size_t step = 1; step < 10; step++) {
		_cleanup_(file_seq_free_p) struct file_seq *s =
		    file_seq_new(x->f, v, ARRAY_SIZE(v));
		_cleanup_(buf_done) struct buf got = BUF_INIT;
		char piece[16];
		ssize_t n;

		assert_int_equal(file_seq_length(s), 8);
		/* Nobody notices that a file goes meanwhile. */
		if (step == 9)
			assert_int_equal(files_remove(x->f, a), 0);
		while ((n = file_seq_read(s, piece, step)) > 0)
			buf_add(&got, piece, (size_t)n);
		assert_int_equal(n, 0);
		assert_string_equal(buf_str(&got), "3456abc9");
	}
	assert_false(there(x, a));
}

static void
test_seq_too_short(void **state)
{
	struct fixture *x = *state;
	struct span a = make(x, "012"), gone = make(x, "x");
	const struct file_run bad[] = {{a, 1, 3}, {a, 4, 0}, {gone, 0, 1}};
	char piece[16];

	assert_int_equal(files_remove(x->f, gone), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_(file_seq_free_p) struct file_seq *s =
		    file_seq_new(x->f, &bad[i], 1);

		if (bad[i].n)
			assert_true(file_seq_read(s, piece, 16) < 0);
		else
			assert_int_equal(file_seq_read(s, piece, 16), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_hold, setup, teardown),
		cmocka_unit_test_setup_teardown(test_seq, setup, teardown),
		cmocka_unit_test_setup_teardown(test_seq_too_short, setup,
		    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
