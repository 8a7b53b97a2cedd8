/*
 * HTTP/1.1 server: libmicrohttpd driven from our loop.  All callbacks run on
 * the loop thread.
 *
 * A request comes in three steps.  on_request() sees method, path and headers
 * and decides where the body goes: into memory up to a limit, to a sink chunk
 * by chunk, or refused at once.  on_complete() sees the whole request and
 * answers now or later with http_respond().
 *
 * Expect: 100-continue is honoured (refusals come before the body), HEAD never
 * sends a body, connections are kept alive.  A refusal whose body is small is
 * sent after the body was read and thrown away, so that the client sees it.
 */
#pragma once

#include <uv.h>

#include "base/arena.h"
#include "base/buf.h"

struct http_server;

struct http_header {
	struct span name; /* as sent; compare with span_ieq */
	struct span value;
};

struct http_request {
	unsigned magic;
	struct arena *arena; /* ends after the response was sent or lost */
	struct span method;
	struct span target;  /* raw request target, as signed */
	struct span path;    /* raw path: target up to '?', not decoded */
	struct span query;   /* raw, after '?'; p NULL when there is no '?' */
	struct http_header *headers; /* in the order they came */
	size_t n_headers;
	struct buf body;     /* when kept in memory */
	int64_t started_us;
	const struct http_handler *handler; /* whose callbacks it gets */
	void *user;	     /* the handler's */
};

/* What on_request() decides. */
struct http_plan {
	size_t body_max;	/* in memory; more is answered 413 */
	/* Streaming instead: called for each piece.  false: stop reading; the
	 * handler has answered with http_respond() already. */
	bool (*on_body)(struct http_request *r, struct span piece);
};

struct http_handler {
	void (*on_request)(void *ctx, struct http_request *r,
	    struct http_plan *plan);
	void (*on_complete)(void *ctx, struct http_request *r);
	/* The client went away before on_complete() or before the response;
	 * release what r->user holds.  Called at most once, and not after the
	 * response was sent whole.  NULL: nothing to release. */
	void (*on_abort)(void *ctx, struct http_request *r);
	/* The body passed plan.body_max: answer with http_respond() in the
	 * protocol's own words.  NULL: a plain 413. */
	void (*on_too_large)(void *ctx, struct http_request *r);
	void *ctx;
};

struct http_response {
	int status;
	const struct http_header *headers; /* Content-Length is ours */
	size_t n_headers;
	struct span body;	/* copied unless it is the request arena's */
	int fd;			/* body from this file instead, closed after;
				   -1: none.  offset and length as below */
	uint64_t offset;
	uint64_t length;	/* of the file's part; head: of the body that
				   GET would send, when body is empty */
	/* Or length bytes from read(), which gives the next ones, no more than
	 * n and no fewer than one, or -1 to end the connection.  done() is
	 * called once, whatever happens.  read NULL: none. */
	ssize_t (*read)(void *ctx, char *p, size_t n);
	void (*done)(void *ctx);
	void *ctx;
	bool head;		/* body is measured, not sent (HEAD) */
	bool close;		/* the connection ends after this response */
	bool arena_body;	/* body is the request arena's: do not copy */
};
#define HTTP_RESPONSE(code) ((struct http_response){.status = (code), .fd = -1})

/* A path prefix ("/v2" matches "/v2" and "/v2/...") with its own handler. */
struct http_route {
	struct span prefix;
	const struct http_handler *handler;
};

/* What a client may cost.  Times in seconds, rate in bytes per second. */
struct http_limits {
	int idle;	 /* a connection without a request */
	int grace;	 /* headers, and a body beyond its size / rate */
	int rate;	 /* slowest body or reader that is put up with */
	size_t drain;	 /* refused bodies up to this are read to their end */
	unsigned connections;
};
#define HTTP_LIMITS                                                     \
	((struct http_limits){.idle = 75, .grace = 30, .rate = 1024,    \
	    .drain = 64u << 20, .connections = 4096})

/* addr:port to listen on; port 0: any, told by http_server_port().  addr that
 * starts with '/' is a Unix socket, made with mode 0600 (an old one of that
 * name is replaced).  h answers what no route of http_server_route() takes. */
int http_server_new(uv_loop_t *loop, const char *addr, uint16_t port,
    const struct http_handler *h, struct http_server **ret);
void http_server_route(struct http_server *s, const char *prefix,
    const struct http_handler *h); /* prefix is kept, not copied */
void http_server_limit(struct http_server *s, const struct http_limits *l);
uint16_t http_server_port(const struct http_server *s);
/* No new connections from now on; the ones at hand go on. */
void http_server_quiesce(struct http_server *s);
/* Sends what was answered in this turn now rather than in the next one. */
void http_server_flush(struct http_server *s);
/* Requests that wait for their answer. */
size_t http_server_waiting(const struct http_server *s);
/* Aborts what is unanswered and closes all connections.  The loop must run
 * (or be run) once more before it can be closed. */
void http_server_free(struct http_server *s);

struct span http_header(const struct http_request *r, const char *name);
/* The one answer to r; headers and body are copied or the arena's. */
void http_respond(struct http_request *r, const struct http_response *resp);
/* Back pressure, from within on_body(): no further piece comes until
 * http_resume(). */
void http_pause(struct http_request *r);
void http_resume(struct http_request *r);
