/* The HTTP server over real sockets, client and server in one thread. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/test.h"
#include "http/server.h"

struct fixture {
	uv_loop_t loop;
	struct http_server *server;
	struct http_handler handler;
	struct http_request *later; /* /later waits here */
	struct http_request *paused;
	int aborts;
	size_t streamed;
	struct buf seen;
};

static void
respond(struct http_request *r, int status, struct span body)
{
	struct http_response resp = HTTP_RESPONSE(status);
	struct http_header h[] = {{SPAN("X-One"), SPAN("1")},
	    {SPAN("X-One"), SPAN("2")}};

	resp.headers = h;
	resp.n_headers = 2;
	resp.body = body;
	http_respond(r, &resp);
}

static bool
on_body(struct http_request *r, struct span piece)
{
	struct fixture *f = r->handler->ctx;

	f->streamed += piece.n;
	if (span_is(r->path, "/refuse-stream")) {
		respond(r, 400, SPAN("no"));
		return false;
	}
	if (span_is(r->path, "/pause") && !f->paused) {
		f->paused = r;
		http_pause(r);
	}
	return true;
}

static void
on_request(void *ctx, struct http_request *r, struct http_plan *plan)
{
	struct fixture *f = ctx;

	f->streamed = 0;
	plan->body_max = 100;
	if (span_is(r->path, "/early"))
		respond(r, 403, SPAN("early"));
	if (span_is(r->path, "/stream") || span_is(r->path, "/pause") ||
	    span_is(r->path, "/refuse-stream"))
		plan->on_body = on_body;
}

static void
respond_file(struct http_request *r)
{
	struct http_response resp = HTTP_RESPONSE(200);
	FILE *t = tmpfile();

	assert_non_null(t);
	fputs("0123456789", t);
	fflush(t);
	resp.fd = dup(fileno(t));
	fclose(t);
	resp.offset = 2;
	resp.length = 5;
	http_respond(r, &resp);
}

static void
on_complete(void *ctx, struct http_request *r)
{
	struct fixture *f = ctx;
	struct buf *b = &f->seen;

	buf_clear(b);
	if (span_is(r->path, "/later")) {
		f->later = r;
		return;
	}
	if (span_is(r->path, "/file")) {
		respond_file(r);
		return;
	}
	buf_addf(b, "%.*s|%.*s|%.*s|%.*s|", SPAN_ARG(r->method),
	    SPAN_ARG(r->target), SPAN_ARG(r->path), SPAN_ARG(r->query));
	for (size_t i = 0; i < r->n_headers; i++)
		buf_addf(b, "%.*s=%.*s,", SPAN_ARG(r->headers[i].name),
		    SPAN_ARG(r->headers[i].value));
	buf_addf(b, "|%.*s|%zu", SPAN_ARG(buf_span(&r->body)), f->streamed);
	respond(r, 200, buf_span(b));
}

static void
on_abort(void *ctx, struct http_request *r UNUSED)
{
	struct fixture *f = ctx;

	f->aborts++;
}

static int
setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->handler = (struct http_handler){.on_request = on_request,
	    .on_complete = on_complete,
	    .on_abort = on_abort,
	    .ctx = f};
	assert_int_equal(uv_loop_init(&f->loop), 0);
	assert_int_equal(
	    http_server_new(&f->loop, "127.0.0.1", 0, &f->handler, &f->server),
	    0);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	http_server_free(f->server);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	buf_done(&f->seen);
	free(f);
	return 0;
}

static int
dial(struct fixture *f)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
	    .sin_port = htons(http_server_port(f->server)),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	return fd;
}

/* Runs the loop until the peer's text holds want or ends; b gets it all. */
static bool
expect(struct fixture *f, int fd, const char *want, struct buf *b)
{
	int64_t until = clock_mono_us() + 5000000;
	ssize_t n;

	while (clock_mono_us() < until) {
		struct pollfd p = {.fd = fd, .events = POLLIN};

		uv_run(&f->loop, UV_RUN_NOWAIT);
		if (poll(&p, 1, 1) == 0)
			continue;
		buf_reserve(b, 65536);
		n = recv(fd, b->p + b->n, 65536, 0);
		if (n <= 0)
			return span_find(buf_span(b), span_of(want)) >= 0;
		b->n += (size_t)n;
		b->p[b->n] = '\0';
		if (span_find(buf_span(b), span_of(want)) >= 0)
			return true;
	}
	return false;
}

static void
say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL),
	    (ssize_t)strlen(text));
}

static void
test_exchanges(void **state)
{
	static const struct {
		const char *request;
		const char *status;
		const char *body;
	} cases[] = {
	    {"GET /a%20b/../c?x=%41&y HTTP/1.1\r\nHost: h\r\nA: 1\r\n"
	     "b: two  \r\nA: 3\r\n\r\n",
		"HTTP/1.1 200 ",
		"GET|/a%20b/../c?x=%41&y|/a%20b/../c|x=%41&y|"
		"Host=h,A=1,b=two,A=3,||0"},
	    {"GET http://h:1/p?q HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 ",
		"GET|http://h:1/p?q|/p|q|"},
	    {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
		"HTTP/1.1 200 ", "Content-Length=5,|hello|0"},
	    {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
	     "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
		"HTTP/1.1 200 ", "|abcde|0"},
	    {"PUT /stream HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
		"HTTP/1.1 200 ", "||5"},
	    {"PUT /refuse-stream HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n"
	     "\r\nhello",
		"HTTP/1.1 400 ", "no"},
	    {"POST /early HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
		"HTTP/1.1 403 ", "early"},
	    {"POST /early HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
	     "Content-Length: 5\r\n\r\n",
		"HTTP/1.1 403 ", "early"},
	    {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n"
	     "Expect: 100-continue\r\n\r\n",
		"HTTP/1.1 413 ", "too large"},
	    {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999\r\n\r\n",
		"HTTP/1.1 413 ", "too large"},
	    {"GET /file HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 ", "23456"},
	    {"GET / HTTP/1.1\r\nno colon\r\n\r\n", "HTTP/1.1 400 ", ""},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(buf_done) struct buf b = BUF_INIT;
		_cleanup_close_ int fd = dial(f);

		say(fd, cases[i].request);
		if (!expect(f, fd, cases[i].body, &b) ||
		    !span_starts(buf_span(&b), span_of(cases[i].status)))
			fail_msg("case %zu: %s", i, buf_str(&b));
	}
}

static void
test_too_large_chunked(void **state)
{
	struct fixture *f = *state;
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	_cleanup_close_ int fd = dial(f);

	say(fd, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 3; i++)
		say(fd, "28\r\n0123456789012345678901234567890123456789\r\n");
	say(fd, "0\r\n\r\n");
	assert_true(expect(f, fd, "too large", &b));
	assert_true(span_starts(buf_span(&b), SPAN("HTTP/1.1 413 ")));
}

static void
test_keep_alive_and_pipeline(void **state)
{
	struct fixture *f = *state;
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	_cleanup_close_ int fd = dial(f);

	say(fd, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n"
		"HEAD /2 HTTP/1.1\r\nHost: h\r\n\r\n"
		"GET /3 HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_true(expect(f, fd, "GET|/3|", &b));
	assert_true(span_find(buf_span(&b), SPAN("GET|/1|")) >= 0);
	assert_true(span_find(buf_span(&b), SPAN("HEAD|/2|")) < 0);
	assert_true(span_find(buf_span(&b), SPAN("X-One: 1\r\nX-One: 2\r\n")) > 0);
}

static void
test_later(void **state)
{
	struct fixture *f = *state;
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	_cleanup_close_ int fd = dial(f);

	say(fd, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
	while (!f->later)
		uv_run(&f->loop, UV_RUN_ONCE);
	assert_int_equal(http_server_waiting(f->server), 1);
	respond(f->later, 200, SPAN("at last"));
	assert_true(expect(f, fd, "at last", &b));
	say(fd, "GET /next HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_true(expect(f, fd, "GET|/next|", &b));
	assert_int_equal(f->aborts, 0);
}

static void
test_pause(void **state)
{
	struct fixture *f = *state;
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	_cleanup_close_ int fd = dial(f);

	say(fd, "PUT /pause HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhello");
	while (!f->paused)
		uv_run(&f->loop, UV_RUN_ONCE);
	say(fd, "world");
	for (int i = 0; i < 10; i++)
		uv_run(&f->loop, UV_RUN_NOWAIT);
	assert_int_equal(f->streamed, 5);
	http_resume(f->paused);
	assert_true(expect(f, fd, "||10", &b));
}

/* Several chunks in one packet: the rest of them waits, too. */
static void
test_pause_chunked(void **state)
{
	struct fixture *f = *state;
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	_cleanup_close_ int fd = dial(f);

	say(fd, "PUT /pause HTTP/1.1\r\nHost: h\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n"
	    "5\r\nhello\r\n5\r\nworld\r\n1\r\n!\r\n0\r\n\r\n");
	while (!f->paused)
		uv_run(&f->loop, UV_RUN_ONCE);
	for (int i = 0; i < 10; i++)
		uv_run(&f->loop, UV_RUN_NOWAIT);
	assert_int_equal(f->streamed, 5);
	http_resume(f->paused);
	assert_true(expect(f, fd, "||11", &b));
}

/* Who goes away half-way, or waits when the server ends, is told of once. */
static void
test_abort(void **state)
{
	struct fixture *f = *state;
	int fd = dial(f);

	say(fd, "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhello");
	for (int i = 0; i < 10; i++)
		uv_run(&f->loop, UV_RUN_NOWAIT);
	close(fd);
	while (!f->aborts)
		uv_run(&f->loop, UV_RUN_ONCE);
	fd = dial(f);
	say(fd, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
	while (!f->later)
		uv_run(&f->loop, UV_RUN_ONCE);
	http_server_free(f->server);
	assert_int_equal(f->aborts, 2);
	close(fd);
	assert_int_equal(
	    http_server_new(&f->loop, "127.0.0.1", 0, &f->handler, &f->server),
	    0);
}

static void
test_slow_clients(void **state)
{
	static const char *const cases[] = {"", "GET / HT",
	    "GET / HTTP/1.1\r\nHost: ",
	    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nab"};
	struct http_limits l = HTTP_LIMITS;
	struct fixture *f = *state;
	int fds[ARRAY_SIZE(cases)];

	l.idle = l.grace = 0;
	http_server_limit(f->server, &l);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		fds[i] = dial(f);
		say(fds[i], cases[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(buf_done) struct buf b = BUF_INIT;

		assert_false(expect(f, fds[i], "nothing", &b));
		assert_true(recv(fds[i], b.p, 1, MSG_DONTWAIT) <= 0);
		close(fds[i]);
	}
}

/* Text and end in one packet, and the text is no whole request. */
static void
test_hang_up(void **state)
{
	struct fixture *f = *state;
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	_cleanup_close_ int fd = dial(f);

	say(fd, "GET / HT");
	shutdown(fd, SHUT_WR);
	assert_false(expect(f, fd, "nothing", &b));
	assert_true(recv(fd, b.p, 1, MSG_DONTWAIT) == 0);
}

static void
test_unix_and_routes(void **state)
{
	struct fixture *f = *state;
	struct http_server *s;

	http_server_route(f->server, "/v2", &f->handler);
	assert_true(http_server_new(&f->loop, "not an address", 0, &f->handler,
			&s) < 0);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(test_exchanges),
	    T(test_too_large_chunked),
	    T(test_keep_alive_and_pipeline),
	    T(test_later),
	    T(test_pause),
	    T(test_pause_chunked),
	    T(test_abort),
	    T(test_slow_clients),
	    T(test_hang_up),
	    T(test_unix_and_routes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
