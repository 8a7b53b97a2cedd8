/* Both engines: the fake by itself, the embedded one against a scripted
 * warden at the other end of a socket pair. */
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <uv.h>

#include "base/buf.h"
#include "base/test.h"
#include "drv/runtime/runtime.h"
#include "drv/warden.h"

/* What the callbacks saw, as text. */
static struct buf seen;

/* Contexts that name the call. */
static char kill_[] = "kill", remove_[] = "remove", task_[] = "task",
	    late_[] = "late";

static void
saw_plain(void *ctx, int err, struct span why)
{
	buf_addf(&seen, "%s %d %.*s;", (char *)ctx, err, SPAN_ARG(why));
}

static void
saw_start(void *ctx UNUSED, int err, struct span why, int pid, int64_t started)
{
	buf_addf(&seen, "start %d %.*s %d %d;", err, SPAN_ARG(why), pid,
	    started > 0);
}

static void
saw_exec(void *ctx UNUSED, int err, int code, struct span out)
{
	buf_addf(&seen, "exec %d %d %.*s;", err, code, SPAN_ARG(out));
}

static void
saw_list(void *ctx UNUSED, int err, const struct container_state *v, size_t n)
{
	buf_addf(&seen, "list %d", err);
	for (size_t i = 0; i < n; i++)
		buf_addf(&seen, " %.*s/%.*s %d %d", SPAN_ARG(v[i].task),
		    SPAN_ARG(v[i].id), v[i].pid, v[i].exited);
	buf_add_char(&seen, ';');
}

static void
saw_exit(void *ctx UNUSED, const struct container_exit *x)
{
	buf_addf(&seen, "exit %.*s %d %d;", SPAN_ARG(x->id), x->code, x->oom);
}

static void
expect(const char *text)
{
	uv_run(uv_default_loop(), UV_RUN_DEFAULT);
	assert_string_equal(buf_str(&seen), text);
	buf_clear(&seen);
}

static const struct container_spec spec = {
    .id = {"t1-0", 4}, .task = {"t1", 2}};

static void
test_fake(void **state UNUSED)
{
	struct runtime *r = runtime_fake_new(uv_default_loop());

	r->on_exit = saw_exit;
	r->ops->start(r, &spec, saw_start, NULL);
	assert_int_equal(seen.n, 0);
	expect("start 0  100001 1;");
	r->ops->start(r, &spec, saw_start, NULL);
	r->ops->exec(r, spec.id, NULL, 0, 1000, saw_exec, NULL);
	expect("start 0  100001 1;exec 0 0 ;");
	r->ops->kill(r, spec.id, SIGHUP, saw_plain, kill_);
	r->ops->kill(r, spec.id, SIGTERM, saw_plain, kill_);
	r->ops->kill(r, spec.id, SIGKILL, saw_plain, kill_);
	expect("kill 0 ;kill 0 ;exit t1-0 143 0;kill 0 ;");
	r->ops->list(r, saw_list, NULL);
	expect("list 0 t1/t1-0 0 1;");
	r->ops->exec(r, spec.id, NULL, 0, 1000, saw_exec, NULL);
	expect("exec -2 0 the container does not run;");
	r->ops->remove(r, spec.id, saw_plain, remove_);
	r->ops->remove(r, spec.id, saw_plain, remove_);
	r->ops->task_remove(r, spec.task, saw_plain, task_);
	r->ops->list(r, saw_list, NULL);
	expect("remove 0 ;remove 0 ;task 0 ;list 0;");
	runtime_fake_fail(r, "no");
	r->ops->start(r, &spec, saw_start, NULL);
	r->ops->start(r, &spec, saw_start, NULL);
	expect("start -5 no 0 0;start 0  100002 1;");
	runtime_fake_exit(r, spec.id, 3);
	expect("exit t1-0 3 0;");
	r->ops->list(r, saw_list, NULL);
	r->ops->free(r);
	expect("list -125;"); /* ECANCELED */
}

static void
send_all(int fd, const struct buf *b)
{
	assert_int_equal(write(fd, b->p, b->n), b->n);
}

/* Reads what the engine sent and checks the types of it. */
static void
expect_frames(int fd, const char *types)
{
	_cleanup_(buf_done) struct buf in = BUF_INIT, got = BUF_INIT;
	struct msg_reader m;
	struct span rest;
	uint64_t serial;
	uint16_t type;
	ssize_t n;

	uv_run(uv_default_loop(), UV_RUN_NOWAIT);
	buf_reserve(&in, 65536);
	n = recv(fd, in.p, 65536, MSG_DONTWAIT);
	assert_true(n > 0);
	in.n = (size_t)n;
	rest = buf_span(&in);
	while (msg_next(&rest, &type, &serial, &m) == 1)
		buf_addf(&got, "%x:%ju ", type, (uintmax_t)serial);
	assert_string_equal(buf_str(&got), types);
}

static void
reply_begin(struct buf *b, size_t *at, uint64_t serial, uint32_t err,
    struct span why)
{
	*at = msg_begin(b, WARDEN_REPLY, serial);
	msg_put_u32(b, err);
	msg_put_span(b, why);
}

static void
put_state(struct buf *b, struct span id, bool exited)
{
	msg_put_span(b, id);
	msg_put_span(b, SPAN("t1"));
	msg_put_u32(b, exited ? 0 : 77);
	msg_put_u64(b, 1000);
	msg_put_bool(b, exited);
	msg_put_u32(b, exited ? 137 : 0);
	msg_put_bool(b, exited);
	msg_put_u64(b, 2000);
}

static void
answer_embedded(struct buf *b)
{
	size_t at;

	reply_begin(b, &at, 1, 0, SPAN_NULL); /* the engine's first list */
	msg_put_u32(b, 2);
	put_state(b, SPAN("t1-0"), false);
	put_state(b, SPAN("t1-1"), true);
	msg_end(b, at);
	reply_begin(b, &at, 3, 2, SPAN("no such layer"));
	msg_end(b, at);
	reply_begin(b, &at, 2, 0, SPAN_NULL);
	msg_put_u32(b, 77);
	msg_put_u64(b, 1000);
	msg_end(b, at);
	reply_begin(b, &at, 4, 0, SPAN_NULL);
	msg_put_u32(b, 1);
	msg_put_span(b, SPAN("out"));
	msg_end(b, at);
	at = msg_begin(b, WARDEN_EXIT, 0);
	msg_put_span(b, SPAN("t1-0"));
	msg_put_u32(b, 3);
	msg_put_bool(b, false);
	msg_put_u64(b, 3000);
	msg_end(b, at);
	/* One that lacks a field is an error, not a crash. */
	reply_begin(b, &at, 5, 0, SPAN_NULL);
	msg_put_u32(b, 1);
	msg_end(b, at);
}

static void
test_embedded(void **state UNUSED)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct runtime *r;
	struct warden *w;
	int fds[2];

	AZ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
	AZ(warden_new(uv_default_loop(), fds[0], &w));
	r = runtime_embedded_new(uv_default_loop(), w, "/run/x",
	    SPAN("ngx"));
	r->on_exit = saw_exit;
	r->ops->start(r, &spec, saw_start, NULL);
	r->ops->start(r, &spec, saw_start, NULL);
	r->ops->exec(r, spec.id, NULL, 0, 5, saw_exec, NULL);
	r->ops->start(r, &spec, saw_start, NULL);
	r->ops->remove(r, spec.id, saw_plain, remove_);
	expect_frames(fds[1], "14:1 10:2 10:3 13:4 10:5 12:6 ");
	answer_embedded(&b);
	send_all(fds[1], &b);
	close(fds[1]);
	uv_run(uv_default_loop(), UV_RUN_DEFAULT);
	r->ops->kill(r, spec.id, SIGTERM, saw_plain, late_);
	uv_run(uv_default_loop(), UV_RUN_DEFAULT);
	r->ops->free(r);
	warden_free(w);
	expect("exit t1-1 137 1;start -2 no such layer 0 0;start 0  77 1;"
	       "exec 0 1 out;exit t1-0 3 0;"
	       "start -74 the warden's answer does not decode 1 0;"
	       "remove -104 the warden is gone;late -104 the warden is gone;");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_fake), cmocka_unit_test(test_embedded),
	};
	int r = cmocka_run_group_tests(tests, NULL, NULL);

	buf_done(&seen);
	return r;
}
