/* neargated's end of the link, before a socket that nobody answers at. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/test.h"
#include "drv/warden.h"

struct seen {
	int err, n;
};

static void
on_reply(void *ctx, int err, struct span why UNUSED,
    struct msg_reader *m UNUSED)
{
	struct seen *s = ctx;

	s->err = err;
	s->n++;
}

/* A VPC with more than a message holds is its owner's trouble alone. */
static void
test_too_long(void **state UNUSED)
{
	struct seen large = {0}, small = {0};
	struct warden *w;
	uv_loop_t loop;
	struct buf *b;
	int fds[2];
	char c;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(warden_new(&loop, fds[0], &w), 0);
	warden_begin(w, WARDEN_HELLO);
	warden_send(w, on_reply, &small);
	b = warden_begin(w, WARDEN_HELLO);
	buf_reserve(b, MSG_MAX);
	b->n += MSG_MAX;
	warden_send(w, on_reply, &large);
	assert_int_equal(large.n, 0);
	uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(large.n, 1);
	assert_int_equal(large.err, -EMSGSIZE);
	assert_int_equal(small.n, 0);
	/* Nothing but the first frame went out. */
	for (int i = 0; i < 14; i++)
		assert_int_equal(recv(fds[1], &c, 1, MSG_DONTWAIT), 1);
	assert_int_equal(recv(fds[1], &c, 1, MSG_DONTWAIT), -1);
	warden_free(w);
	assert_int_equal(small.n, 1);
	assert_int_equal(small.err, -ECONNRESET);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	close(fds[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_too_long)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
