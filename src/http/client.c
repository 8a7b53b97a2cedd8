/* The HTTP client: libcurl's sockets and its one timer inside our loop. */
#include "http/client.h"

#include <curl/curl.h>
#include <errno.h>

#include "base/list.h"

#define CLIENT_MAGIC 0x48434c49
#define FETCH_MAGIC  0x48464554
#define ERROR_BODY_MAX (64u << 10)
#define HEADERS_MAX 128
#define STALL_SECONDS 30L
#define CONNECT_SECONDS 10L
#define REDIRECTS 5L
#define CONNECTIONS 8L /* at a time; the rest waits in libcurl */

struct http_client {
	unsigned magic;
	uv_loop_t *loop;
	CURLM *multi;
	uv_timer_t timer;
	struct list fetches;
	struct list socks;
	unsigned handles;
	bool closing;
};

struct sock {
	uv_poll_t poll;
	struct list node;
	struct http_client *client;
	curl_socket_t fd;
};

struct http_fetch {
	unsigned magic;
	struct list node;
	struct http_client *client;
	CURL *easy;
	struct curl_slist *headers_out;
	struct arena *a;
	struct http_fetch_spec spec;
	struct http_header headers[HEADERS_MAX];
	size_t n_headers;
	struct buf body;
	bool too_large, stopped;
	char error[CURL_ERROR_SIZE];
};

static void
fetch_free(struct http_fetch *f)
{
	CHECK_OBJ(f, FETCH_MAGIC);
	list_del(&f->node);
	curl_multi_remove_handle(f->client->multi, f->easy);
	curl_easy_cleanup(f->easy);
	curl_slist_free_all(f->headers_out);
	buf_done(&f->body);
	arena_free(f->a);
	FREE_OBJ(f);
}

static int
errno_of(const struct http_fetch *f, CURLcode code)
{
	if (code == CURLE_OK)
		return 0;
	if (f->too_large)
		return -EMSGSIZE;
	if (f->stopped)
		return -ECANCELED;
	if (code == CURLE_OPERATION_TIMEDOUT)
		return -ETIMEDOUT;
	if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST)
		return -ECONNREFUSED;
	return -EPROTO;
}

static void
fetch_end(struct http_fetch *f, CURLcode code)
{
	struct http_result r = {.err = errno_of(f, code),
	    .headers = f->headers, .n_headers = f->n_headers,
	    .body = buf_span(&f->body)};
	long status = 0;

	curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
	r.status = (int)status;
	if (r.err)
		r.why = span_of(f->error[0] ? f->error
					    : curl_easy_strerror(code));
	f->spec.on_done(f->spec.ctx, &r);
	fetch_free(f);
}

static void
reap(struct http_client *c)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(c->multi, &left))) {
		struct http_fetch *f;
		char *priv = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &priv);
		CAST_OBJ(f, (void *)priv, FETCH_MAGIC);
		fetch_end(f, m->data.result);
	}
}

/* Sockets and the timer */

static void
on_handle_closed(uv_handle_t *h)
{
	struct http_client *c;

	CAST_OBJ(c, h->data, CLIENT_MAGIC);
	if (--c->handles == 0 && c->closing)
		FREE_OBJ(c);
}

static void
on_sock_closed(uv_handle_t *h)
{
	struct sock *s = h->data;
	struct http_client *c = s->client;

	free(s);
	if (--c->handles == 0 && c->closing)
		FREE_OBJ(c);
}

static void
on_poll(uv_poll_t *p, int status, int events)
{
	struct sock *s = p->data;
	struct http_client *c = s->client;
	int flags = 0, running;

	if (status < 0)
		flags |= CURL_CSELECT_ERR;
	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	curl_multi_socket_action(c->multi, s->fd, flags, &running);
	reap(c);
}

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *sockp)
{
	struct http_client *c = ctx;
	struct sock *s = sockp;
	int events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (s) {
			uv_poll_stop(&s->poll);
			list_del(&s->node);
			uv_close((uv_handle_t *)&s->poll, on_sock_closed);
			curl_multi_assign(c->multi, fd, NULL);
		}
		return 0;
	}
	if (!s) {
		s = xcalloc(1, sizeof(*s));
		s->client = c;
		s->fd = fd;
		s->poll.data = s;
		list_add(&c->socks, &s->node);
		AZ(uv_poll_init(c->loop, &s->poll, fd));
		c->handles++;
		curl_multi_assign(c->multi, fd, s);
	}
	if (what != CURL_POLL_OUT)
		events |= UV_READABLE;
	if (what != CURL_POLL_IN)
		events |= UV_WRITABLE;
	uv_poll_start(&s->poll, events, on_poll);
	return 0;
}

static void
on_timeout(uv_timer_t *t)
{
	struct http_client *c;
	int running;

	CAST_OBJ(c, t->data, CLIENT_MAGIC);
	curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	reap(c);
}

static int
on_timer(CURLM *multi, long ms, void *ctx)
{
	struct http_client *c = ctx;

	(void)multi;
	if (ms < 0)
		uv_timer_stop(&c->timer);
	else
		uv_timer_start(&c->timer, on_timeout, (uint64_t)ms, 0);
	return 0;
}

/* One request */

static size_t
on_header(char *p, size_t size, size_t n, void *ctx)
{
	struct http_fetch *f = ctx;
	struct span line = span_trim(span_make(p, size * n)), value = line;
	struct span name = span_cut(&value, ':');

	/* A status line: of a redirect's answer, or the final one. */
	if (span_starts(line, SPAN("HTTP/")) && !value.p) {
		f->n_headers = 0;
		return n * size;
	}
	if (value.p && f->n_headers < HEADERS_MAX)
		f->headers[f->n_headers++] = (struct http_header){
		    arena_span(f->a, name),
		    arena_span(f->a, span_trim(value))};
	return n * size;
}

static size_t
on_write(char *p, size_t size, size_t n, void *ctx)
{
	struct http_fetch *f = ctx;
	size_t bytes = size * n, max = ERROR_BODY_MAX;
	long status = 0;

	curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 200 && status < 300) {
		if (f->spec.on_piece) {
			f->stopped = !f->spec.on_piece(f->spec.ctx,
			    (int)status, span_make(p, bytes));
			return f->stopped ? 0 : bytes;
		}
		max = f->spec.body_max;
	}
	if (f->body.n + bytes > max) {
		f->too_large = true;
		return 0;
	}
	buf_add(&f->body, p, bytes);
	return bytes;
}

static void
set_options(struct http_fetch *f)
{
	CURL *e = f->easy;

	curl_easy_setopt(e, CURLOPT_URL, f->spec.url);
	curl_easy_setopt(e, CURLOPT_PRIVATE, (void *)f);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, f->error);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_write);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, f);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, f);
	curl_easy_setopt(e, CURLOPT_HTTPHEADER, f->headers_out);
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(e, CURLOPT_MAXREDIRS, REDIRECTS);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, STALL_SECONDS);
	curl_easy_setopt(e, CURLOPT_USERAGENT, "neargate");
	curl_easy_setopt(e, CURLOPT_BUFFERSIZE, 256L << 10);
	if (f->spec.method && span_is(span_of(f->spec.method), "HEAD"))
		curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
	else if (f->spec.method)
		curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, f->spec.method);
}

struct http_fetch *
http_fetch(struct http_client *c, const struct http_fetch_spec *spec)
{
	struct http_fetch *f;

	CHECK_OBJ(c, CLIENT_MAGIC);
	ALLOC_OBJ(f, FETCH_MAGIC);
	f->client = c;
	f->a = arena_new();
	f->spec = *spec;
	f->easy = curl_easy_init();
	AN(f->easy);
	for (size_t i = 0; i < spec->n_headers; i++) {
		char *line = arena_fmt(f->a, "%.*s: %.*s",
		    SPAN_ARG(spec->headers[i].name),
		    SPAN_ARG(spec->headers[i].value));

		f->headers_out = curl_slist_append(f->headers_out, line);
	}
	set_options(f);
	list_add(&c->fetches, &f->node);
	AZ(curl_multi_add_handle(c->multi, f->easy));
	return f;
}

void
http_fetch_pause(struct http_fetch *f)
{
	CHECK_OBJ(f, FETCH_MAGIC);
	AZ(curl_easy_pause(f->easy, CURLPAUSE_RECV));
}

void
http_fetch_resume(struct http_fetch *f)
{
	CHECK_OBJ(f, FETCH_MAGIC);
	AZ(curl_easy_pause(f->easy, CURLPAUSE_CONT));
}

void
http_fetch_cancel(struct http_fetch *f)
{
	fetch_free(f);
}

struct span
http_result_header(const struct http_result *r, const char *name)
{
	for (size_t i = 0; i < r->n_headers; i++) {
		if (span_ieq(r->headers[i].name, span_of(name)))
			return r->headers[i].value;
	}
	return SPAN_NULL;
}

struct http_client *
http_client_new(uv_loop_t *loop)
{
	struct http_client *c;

	AZ(curl_global_init(CURL_GLOBAL_DEFAULT));
	ALLOC_OBJ(c, CLIENT_MAGIC);
	c->loop = loop;
	list_init(&c->fetches);
	list_init(&c->socks);
	c->multi = curl_multi_init();
	AN(c->multi);
	AZ(uv_timer_init(loop, &c->timer));
	c->timer.data = c;
	c->handles = 1;
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
	    CONNECTIONS);
	return c;
}

void
http_client_free(struct http_client *c)
{
	if (!c)
		return;
	CHECK_OBJ(c, CLIENT_MAGIC);
	c->closing = true;
	list_each_safe(n, &c->fetches) {
		struct http_fetch *f = list_entry(n, struct http_fetch, node);

		f->stopped = true;
		fetch_end(f, CURLE_ABORTED_BY_CALLBACK);
	}
	curl_multi_cleanup(c->multi);
	uv_timer_stop(&c->timer);
	list_each_safe(n, &c->socks) {
		struct sock *s = list_entry(n, struct sock, node);

		list_del(n);
		uv_close((uv_handle_t *)&s->poll, on_sock_closed);
	}
	uv_close((uv_handle_t *)&c->timer, on_handle_closed);
	curl_global_cleanup();
}
