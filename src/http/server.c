/* The HTTP server: libmicrohttpd's epoll set inside our loop. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/list.h"
#include "base/log.h"
#include "http/server.h"

#define SERVER_MAGIC  0x48535256
#define REQUEST_MAGIC 0x48524551
#define CONN_MAGIC    0x48434f4e

/* One request's headers must fit here; a body piece is at most half of it.
 * libmicrohttpd clears the rest of this after each request, so it is not
 * larger than it has to be. */
#define CONN_MEMORY   (32u * 1024)
#define ROUTES_MAX    8
/* One pass may leave data behind that is already read; then the next pass
 * must not wait for the socket. */
#define RUNS_PER_TURN 8
/* What a reader of a body is asked for at once. */
#define READ_PIECE    (64u * 1024)

struct http_server {
	unsigned magic;
	uv_loop_t *loop;
	struct MHD_Daemon *mhd;
	uv_poll_t poll;
	uv_timer_t tick; /* looks for slow clients; runs while there are any */
	uv_timer_t again;
	const struct http_handler *handler;
	struct http_route routes[ROUTES_MAX];
	size_t n_routes;
	struct http_limits limits;
	struct list conns;
	size_t waiting;
	uint16_t port;
	int handles; /* libuv's, still open */
	bool running; /* inside MHD_run */
	char *unlink; /* the Unix socket's path */
	int stopped_fd; /* the listening socket after quiesce */
};

enum phase {
	PHASE_HEADERS,	/* on_request() not called yet */
	PHASE_BODY,
	PHASE_DRAIN,	/* the answer is known; the body is thrown away */
	PHASE_COMPLETE, /* on_complete() was called */
	PHASE_QUEUED	/* the response is libmicrohttpd's */
};

struct conn {
	unsigned magic;
	struct list node;
	struct http_server *server;
	struct MHD_Connection *mhd;
	struct request *request; /* the one in progress */
	int64_t since_us;	 /* idle since */
	int fd;
};

struct request {
	struct http_request pub;
	struct http_server *server;
	struct MHD_Connection *mhd;
	struct conn *conn;
	struct http_plan plan;
	enum phase phase;
	uint64_t received;
	uint64_t sending;
	int64_t clock_us; /* the slow-client clock started here */
	int64_t paused_us;
	struct MHD_Response *response;
	int status;
	bool suspended;
	bool paused;
	bool told; /* on_request() was called, on_abort() not yet */
};

static struct request *
request_of(const struct http_request *r)
{
	CHECK_OBJ(r, REQUEST_MAGIC);
	return container_of(r, struct request, pub);
}

/* Responses */

static ssize_t
no_body(void *cls UNUSED, uint64_t pos UNUSED, char *p UNUSED, size_t n UNUSED)
{
	return MHD_CONTENT_READER_END_WITH_ERROR;
}

struct source {
	ssize_t (*read)(void *ctx, char *p, size_t n);
	void (*done)(void *ctx);
	void *ctx;
};

static ssize_t
source_read(void *cls, uint64_t pos UNUSED, char *p, size_t n)
{
	struct source *s = cls;
	ssize_t got = s->read(s->ctx, p, n);

	return got > 0 ? got : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void
source_free(void *cls)
{
	struct source *s = cls;

	s->done(s->ctx);
	free(s);
}

static struct MHD_Response *
source_response(const struct http_response *resp)
{
	struct source *s = xcalloc(1, sizeof(*s));

	*s = (struct source){resp->read, resp->done, resp->ctx};
	return MHD_create_response_from_callback(resp->length, READ_PIECE,
	    source_read, s, source_free);
}

static struct MHD_Response *
response_body(const struct http_response *resp)
{
	if (resp->read)
		return source_response(resp);
	if (resp->fd >= 0)
		return MHD_create_response_from_fd_at_offset64(resp->length,
		    resp->fd, resp->offset);
	if (resp->head && resp->body.n == 0 && resp->length)
		return MHD_create_response_from_callback(resp->length, 4096,
		    no_body, NULL, NULL);
	return MHD_create_response_from_buffer(resp->body.n,
	    (void *)(uintptr_t)resp->body.p,
	    resp->arena_body ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_COPY);
}

static bool
header_is_ours(struct span name)
{
	return span_ieq(name, SPAN("content-length")) ||
	    span_ieq(name, SPAN("connection")) ||
	    span_ieq(name, SPAN("transfer-encoding"));
}

static struct MHD_Response *
response_make(struct arena *a, const struct http_response *resp)
{
	struct MHD_Response *m = response_body(resp);

	AN(m);
	for (size_t i = 0; i < resp->n_headers; i++) {
		const struct http_header *h = &resp->headers[i];

		if (header_is_ours(h->name))
			continue;
		if (MHD_add_response_header(m, arena_str(a, h->name),
			arena_str(a, h->value)) != MHD_YES)
			log_debug("response header %.*s cannot be sent, "
				  "ignoring",
			    SPAN_ARG(h->name));
	}
	if (resp->close)
		MHD_add_response_header(m, "Connection", "close");
	return m;
}

static enum MHD_Result
queue(struct request *q)
{
	enum MHD_Result r;

	r = MHD_queue_response(q->mhd, (unsigned)q->status, q->response);
	q->phase = PHASE_QUEUED;
	q->clock_us = clock_mono_us();
	return r;
}

void
http_respond(struct http_request *r, const struct http_response *resp)
{
	struct request *q = request_of(r);

	AN(!q->response);
	AN(q->phase != PHASE_QUEUED);
	q->status = resp->status;
	q->sending = resp->fd >= 0 || resp->read ? resp->length :
	    resp->body.n;
	q->response = response_make(r->arena, resp);
	if (!q->suspended)
		return; /* on_access() queues it when it gets back control */
	q->suspended = false;
	if (!q->paused)
		queue(q);
	q->paused = false;
	q->server->waiting--;
	MHD_resume_connection(q->mhd);
}

static void
respond_plain(struct request *q, int status, bool close, const char *text)
{
	struct http_response resp = HTTP_RESPONSE(status);
	struct http_header h = {SPAN("Content-Type"), SPAN("text/plain")};

	resp.close = close;
	resp.headers = &h;
	resp.n_headers = 1;
	resp.body = span_of(text);
	http_respond(&q->pub, &resp);
}

/* Requests */

static void
suspend(struct request *q)
{
	q->suspended = true;
	q->server->waiting++;
	MHD_suspend_connection(q->mhd);
}

void
http_pause(struct http_request *r)
{
	struct request *q = request_of(r);

	AN(q->phase == PHASE_BODY && !q->paused);
	q->paused = true;
	q->paused_us = clock_mono_us();
}

void
http_resume(struct http_request *r)
{
	struct request *q = request_of(r);

	AN(q->paused);
	q->paused = false;
	q->clock_us += clock_mono_us() - q->paused_us;
	if (!q->suspended)
		return; /* still inside on_body() */
	q->suspended = false;
	q->server->waiting--;
	MHD_resume_connection(q->mhd);
}

/* The target may be absolute ("GET http://host/path"), as to a proxy. */
static void
split_target(struct http_request *r)
{
	struct span t = r->target;
	ptrdiff_t at;

	if (t.n && t.p[0] != '/' && (at = span_find(t, SPAN("://"))) > 0) {
		t = span_from(t, (size_t)at + 3);
		at = span_chr(t, '/');
		t = at < 0 ? SPAN("/") : span_from(t, (size_t)at);
	}
	at = span_chr(t, '?');
	r->path = at < 0 ? t : span_to(t, (size_t)at);
	r->query = at < 0 ? SPAN_NULL : span_from(t, (size_t)at + 1);
	if (at >= 0 && !r->query.p)
		r->query.p = "";
}

static const struct http_handler *
route(const struct http_server *s, struct span path)
{
	for (size_t i = 0; i < s->n_routes; i++) {
		struct span p = s->routes[i].prefix;

		if (span_starts(path, p) &&
		    (path.n == p.n || path.p[p.n] == '/'))
			return s->routes[i].handler;
	}
	return s->handler;
}

/* The first thing libmicrohttpd tells of a request, and the only time that it
 * shows the target undecoded. */
static void *
on_target(void *cls, const char *uri, struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *ci;
	struct http_server *s;
	struct arena *a;
	struct request *q;

	CAST_OBJ(s, cls, SERVER_MAGIC);
	a = arena_new();
	q = arena_new_of(a, struct request);
	q->pub.magic = REQUEST_MAGIC;
	q->pub.arena = a;
	q->pub.target = arena_span(a, span_of(uri));
	q->pub.started_us = q->clock_us = clock_mono_us();
	split_target(&q->pub);
	q->server = s;
	q->mhd = mhd;
	ci = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	CAST_OBJ(q->conn, ci->socket_context, CONN_MAGIC);
	q->conn->request = q;
	return q;
}

static enum MHD_Result
on_header(void *cls, enum MHD_ValueKind kind UNUSED, const char *name,
    size_t name_n, const char *value, size_t value_n)
{
	struct http_request *r = cls;

	/* libmicrohttpd leaves trailing blanks, which are not the value's. */
	r->headers[r->n_headers++] =
	    (struct http_header){span_make(name, name_n),
		span_trim(span_make(value ? value : "", value_n))};
	return MHD_YES;
}

struct span
http_header(const struct http_request *r, const char *name)
{
	struct span want = span_of(name);

	for (size_t i = 0; i < r->n_headers; i++)
		if (span_ieq(r->headers[i].name, want))
			return r->headers[i].value;
	return SPAN_NULL;
}

/* The declared length; 0 for none.  *ret_known is false when chunked. */
static uint64_t
declared_length(const struct http_request *r, bool *ret_known)
{
	uint64_t n = 0;

	*ret_known = span_u64(http_header(r, "content-length"), &n);
	if (!*ret_known && !http_header(r, "transfer-encoding").p)
		*ret_known = true;
	return n;
}

/* An answer before the body: at once if the client waits for it or if the
 * body is too much to read, else after the body. */
static enum MHD_Result
answer_early(struct request *q)
{
	bool known;
	uint64_t n = declared_length(&q->pub, &known);

	if ((known && n == 0) || http_header(&q->pub, "expect").p ||
	    n > q->server->limits.drain)
		return queue(q);
	q->phase = PHASE_DRAIN;
	return MHD_YES;
}

static void
too_large(struct request *q)
{
	const struct http_handler *h = q->pub.handler;

	if (h->on_too_large)
		h->on_too_large(h->ctx, &q->pub);
	else
		respond_plain(q, 413, false, "the request body is too large\n");
}

/* RFC 9112, 6.3: a request that gives two lengths, or one that cannot be read,
 * is refused and the connection ended, or what one reader takes for its body
 * would be the next request to another. */
static bool
length_is_clear(const struct http_request *r)
{
	struct span length = SPAN_NULL, encoding = SPAN_NULL;
	uint64_t n;

	for (size_t i = 0; i < r->n_headers; i++) {
		const struct http_header *h = &r->headers[i];

		if (span_ieq(h->name, SPAN("content-length"))) {
			if (length.p && !span_eq(length, h->value))
				return false;
			length = h->value;
			if (!span_u64(length, &n))
				return false;
		} else if (span_ieq(h->name, SPAN("transfer-encoding"))) {
			if (encoding.p || !span_ieq(h->value, SPAN("chunked")))
				return false;
			encoding = h->value;
		}
	}
	return !length.p || !encoding.p;
}

static enum MHD_Result
take_headers(struct request *q, const char *method)
{
	const struct http_handler *h;
	struct http_request *r = &q->pub;
	uint64_t n;
	bool known;

	r->method = span_of(method);
	r->headers = arena_array(r->arena, struct http_header,
	    (size_t)MHD_get_connection_values(q->mhd, MHD_HEADER_KIND, NULL,
		NULL));
	MHD_get_connection_values_n(q->mhd, MHD_HEADER_KIND, on_header, r);
	h = r->handler = route(q->server, r->path);
	if (!length_is_clear(r)) {
		respond_plain(q, 400, true, "the length is not clear\n");
		return queue(q);
	}
	q->phase = PHASE_BODY;
	q->told = true;
	h->on_request(h->ctx, r, &q->plan);
	n = declared_length(r, &known);
	if (!q->response && !q->plan.on_body && n > q->plan.body_max)
		too_large(q);
	if (q->response)
		return answer_early(q);
	if (known && !q->plan.on_body)
		buf_reserve(&r->body, MIN(n, (uint64_t)1 << 20));
	return MHD_YES;
}

static enum MHD_Result
take_body(struct request *q, struct span piece)
{
	q->received += piece.n;
	if (q->phase == PHASE_DRAIN)
		return q->received > q->server->limits.drain ? MHD_NO : MHD_YES;
	if (q->plan.on_body) {
		if (!q->plan.on_body(&q->pub, piece)) {
			AN(q->response);
			q->phase = PHASE_DRAIN;
			q->paused = false;
		} else if (q->paused) {
			suspend(q);
		}
		return MHD_YES;
	}
	if (q->pub.body.n + piece.n > q->plan.body_max) {
		buf_done(&q->pub.body);
		too_large(q);
		q->phase = PHASE_DRAIN;
		return MHD_YES;
	}
	buf_add_span(&q->pub.body, piece);
	return MHD_YES;
}

static enum MHD_Result
take_end(struct request *q)
{
	const struct http_handler *h = q->pub.handler;

	if (q->phase == PHASE_BODY) {
		q->phase = PHASE_COMPLETE;
		h->on_complete(h->ctx, &q->pub);
	}
	if (q->response)
		return queue(q);
	suspend(q);
	return MHD_YES;
}

static enum MHD_Result
on_access(void *cls UNUSED, struct MHD_Connection *mhd UNUSED,
    const char *url UNUSED, const char *method, const char *version UNUSED,
    const char *data, size_t *data_n, void **con_cls)
{
	struct request *q = *con_cls;
	struct span piece;

	CHECK_OBJ(&q->pub, REQUEST_MAGIC);
	if (q->phase == PHASE_HEADERS)
		return take_headers(q, method);
	/* More chunks may have come with the one that led to the pause: what is
	 * not taken is brought again. */
	if (q->paused)
		return MHD_YES;
	if (*data_n == 0)
		return q->phase == PHASE_QUEUED ? MHD_YES : take_end(q);
	piece = span_make(data, *data_n);
	*data_n = 0;
	return take_body(q, piece);
}

static void
on_completed(void *cls UNUSED, struct MHD_Connection *mhd UNUSED,
    void **con_cls, enum MHD_RequestTerminationCode toe)
{
	struct request *q = *con_cls;
	const struct http_handler *h;
	struct arena *a;

	if (!q)
		return;
	CHECK_OBJ(&q->pub, REQUEST_MAGIC);
	*con_cls = NULL;
	h = q->pub.handler;
	if (q->told && h->on_abort &&
	    (q->phase != PHASE_QUEUED || toe != MHD_REQUEST_TERMINATED_COMPLETED_OK))
		h->on_abort(h->ctx, &q->pub);
	if (q->response)
		MHD_destroy_response(q->response);
	q->conn->request = NULL;
	q->conn->since_us = clock_mono_us();
	buf_done(&q->pub.body);
	a = q->pub.arena;
	q->pub.magic = 0;
	arena_free(a);
}

/* Connections */

static void
on_tick(uv_timer_t *t);

static void
on_connection(void *cls, struct MHD_Connection *mhd, void **ctx,
    enum MHD_ConnectionNotificationCode toe)
{
	struct http_server *s;
	struct conn *c;

	CAST_OBJ(s, cls, SERVER_MAGIC);
	if (toe == MHD_CONNECTION_NOTIFY_STARTED) {
		if (list_empty(&s->conns) && s->handles)
			uv_timer_start(&s->tick, on_tick, 1000, 1000);
		ALLOC_OBJ(c, CONN_MAGIC);
		list_add(&s->conns, &c->node);
		c->server = s;
		c->mhd = mhd;
		c->since_us = clock_mono_us();
		c->fd = MHD_get_connection_info(mhd,
		    MHD_CONNECTION_INFO_CONNECTION_FD)
			    ->connect_fd;
		*ctx = c;
		return;
	}
	if (!*ctx)
		return;
	CAST_OBJ(c, *ctx, CONN_MAGIC);
	list_del(&c->node);
	FREE_OBJ(c);
}

static bool
too_slow(const struct http_server *s, const struct conn *c, int64_t now)
{
	const struct request *q = c->request;
	const struct http_limits *l = &s->limits;
	uint64_t bytes;

	if (!q)
		return now - c->since_us > (int64_t)l->idle * 1000000;
	if (q->suspended)
		return false;
	bytes = q->phase == PHASE_QUEUED ? q->sending : q->received;
	return now - q->clock_us > (int64_t)l->grace * 1000000 +
		(int64_t)(bytes / (uint64_t)l->rate) * 1000000;
}

/* The peer's end may come in one edge with its last bytes, and then
 * libmicrohttpd waits for another edge that never comes. */
static bool
hung_up(const struct conn *c)
{
	char byte;

	if (c->request &&
	    (c->request->suspended || c->request->phase == PHASE_QUEUED))
		return false;
	return recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void
run(struct http_server *s);

/* libmicrohttpd has no call to end a connection from outside; a shut-down
 * socket makes it do so. */
static void
on_tick(uv_timer_t *t)
{
	struct http_server *s;
	int64_t now = clock_mono_us();

	CAST_OBJ(s, t->data, SERVER_MAGIC);
	list_each(n, &s->conns)
	{
		struct conn *c = list_entry(n, struct conn, node);

		if (too_slow(s, c, now) || hung_up(c))
			shutdown(c->fd, SHUT_RDWR);
	}
	run(s);
	if (list_empty(&s->conns))
		uv_timer_stop(&s->tick);
}

static void
on_again(uv_timer_t *t)
{
	struct http_server *s;

	CAST_OBJ(s, t->data, SERVER_MAGIC);
	run(s);
}

static void
run(struct http_server *s)
{
	MHD_UNSIGNED_LONG_LONG ms;
	int left = RUNS_PER_TURN;

	if (s->running)
		return;
	s->running = true;
	do
		MHD_run(s->mhd);
	while (MHD_get_timeout(s->mhd, &ms) == MHD_YES && ms == 0 && --left);
	s->running = false;
	if (!left)
		uv_timer_start(&s->again, on_again, 0, 0);
}

static void
on_poll(uv_poll_t *p, int status UNUSED, int events UNUSED)
{
	struct http_server *s;

	CAST_OBJ(s, p->data, SERVER_MAGIC);
	run(s);
}

void
http_server_flush(struct http_server *s)
{
	CHECK_OBJ(s, SERVER_MAGIC);
	run(s);
}

/* Life */

static int
listen_unix(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = -1;
	mode_t old;
	int r;

	if (strlen(path) >= sizeof(sun.sun_path))
		return err_origin(ENAMETOOLONG, "socket path %s", path);
	memcpy(sun.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_origin(errno, "socket");
	if (unlink(path) && errno != ENOENT)
		return err_origin(errno, "cannot replace %s", path);
	old = umask(0177);
	r = bind(fd, (struct sockaddr *)&sun, sizeof(sun));
	umask(old);
	if (r || listen(fd, 64))
		return err_origin(errno, "cannot listen on %s", path);
	return TAKE_FD(fd);
}

static int
listen_tcp(const char *addr, uint16_t port, uint16_t *ret_port)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} u = {.sa.sa_family = AF_UNSPEC};
	_cleanup_close_ int fd = -1;
	socklen_t n = sizeof(u);
	int one = 1;

	if (inet_pton(AF_INET, addr, &u.in.sin_addr) == 1) {
		u.in.sin_family = AF_INET;
		u.in.sin_port = htons(port);
	} else if (inet_pton(AF_INET6, addr, &u.in6.sin6_addr) == 1) {
		u.in6.sin6_family = AF_INET6;
		u.in6.sin6_port = htons(port);
	} else {
		return err_origin(EINVAL, "%s is not an IP address", addr);
	}
	fd = socket(u.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (fd < 0)
		return err_origin(errno, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, &u.sa, sizeof(u)) || listen(fd, 1024))
		return err_origin(errno, "cannot listen on %s port %d", addr,
		    port);
	if (getsockname(fd, &u.sa, &n))
		return err_origin(errno, "getsockname");
	*ret_port = ntohs(u.in.sin_port);
	return TAKE_FD(fd);
}

static void
on_mhd_log(void *cls UNUSED, const char *fmt, va_list ap)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct span text;

	if (!log_enabled(LOG_LEVEL_DEBUG))
		return;
	buf_vaddf(&b, fmt, ap);
	text = span_trim(buf_span(&b));
	log_debug("http: %.*s", SPAN_ARG(text));
}

static struct MHD_Daemon *
mhd_start(struct http_server *s, int fd)
{
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_TURBO |
		MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG,
	    s->port, NULL, NULL, on_access, s,
	    MHD_OPTION_EXTERNAL_LOGGER, on_mhd_log, NULL,
	    MHD_OPTION_LISTEN_SOCKET, fd,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONN_MEMORY,
	    MHD_OPTION_CONNECTION_LIMIT, s->limits.connections,
	    MHD_OPTION_URI_LOG_CALLBACK, on_target, s,
	    MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
	    MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_END);
}

int
http_server_new(uv_loop_t *loop, const char *addr, uint16_t port,
    const struct http_handler *h, struct http_server **ret)
{
	const union MHD_DaemonInfo *info;
	struct http_server *s;
	uint16_t bound = 0;
	int fd;

	fd = addr[0] == '/' ? listen_unix(addr) :
			      listen_tcp(addr, port, &bound);
	if (fd < 0)
		return err_trace(fd);
	ALLOC_OBJ(s, SERVER_MAGIC);
	s->loop = loop;
	s->handler = h;
	s->port = bound;
	s->limits = HTTP_LIMITS;
	s->stopped_fd = -1;
	list_init(&s->conns);
	s->unlink = addr[0] == '/' ? xstrdup(addr) : NULL;
	s->mhd = mhd_start(s, fd);
	if (!s->mhd) {
		close(fd);
		free(s->unlink);
		FREE_OBJ(s);
		return err_origin(EIO, "libmicrohttpd does not start");
	}
	info = MHD_get_daemon_info(s->mhd, MHD_DAEMON_INFO_EPOLL_FD);
	AZ(uv_poll_init(loop, &s->poll, info->epoll_fd));
	AZ(uv_timer_init(loop, &s->tick));
	AZ(uv_timer_init(loop, &s->again));
	s->poll.data = s->tick.data = s->again.data = s;
	s->handles = 3;
	AZ(uv_poll_start(&s->poll, UV_READABLE, on_poll));
	*ret = s;
	return 0;
}

void
http_server_route(struct http_server *s, const char *prefix,
    const struct http_handler *h)
{
	CHECK_OBJ(s, SERVER_MAGIC);
	AN(s->n_routes < ROUTES_MAX);
	s->routes[s->n_routes++] = (struct http_route){span_of(prefix), h};
}

void
http_server_limit(struct http_server *s, const struct http_limits *l)
{
	CHECK_OBJ(s, SERVER_MAGIC);
	s->limits = *l;
}

uint16_t
http_server_port(const struct http_server *s)
{
	CHECK_OBJ(s, SERVER_MAGIC);
	return s->port;
}

size_t
http_server_waiting(const struct http_server *s)
{
	CHECK_OBJ(s, SERVER_MAGIC);
	return s->waiting;
}

void
http_server_quiesce(struct http_server *s)
{
	CHECK_OBJ(s, SERVER_MAGIC);
	if (s->stopped_fd < 0)
		s->stopped_fd = MHD_quiesce_daemon(s->mhd);
	if (s->unlink)
		unlink(s->unlink);
}

static void
on_closed(uv_handle_t *h)
{
	struct http_server *s;

	CAST_OBJ(s, h->data, SERVER_MAGIC);
	if (--s->handles)
		return;
	free(s->unlink);
	FREE_OBJ(s);
}

/* A suspended connection must be resumed before the daemon may stop. */
static void
abort_waiting(struct http_server *s)
{
	list_each(n, &s->conns)
	{
		struct conn *c = list_entry(n, struct conn, node);
		struct request *q = c->request;

		if (!q || !q->suspended)
			continue;
		if (q->pub.handler->on_abort)
			q->pub.handler->on_abort(q->pub.handler->ctx, &q->pub);
		q->told = false;
		respond_plain(q, 503, false, "shutting down\n");
	}
}

void
http_server_free(struct http_server *s)
{
	if (!s)
		return;
	CHECK_OBJ(s, SERVER_MAGIC);
	abort_waiting(s);
	run(s);
	uv_poll_stop(&s->poll);
	MHD_stop_daemon(s->mhd);
	AN(list_empty(&s->conns));
	if (s->stopped_fd >= 0)
		close(s->stopped_fd);
	else if (s->unlink)
		unlink(s->unlink);
	uv_close((uv_handle_t *)&s->poll, on_closed);
	uv_close((uv_handle_t *)&s->tick, on_closed);
	uv_close((uv_handle_t *)&s->again, on_closed);
}
