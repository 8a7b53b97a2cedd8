/*
 * HTTP/1.1 server: libmicrohttpd driven from our loop.  All callbacks run on
 * the loop thread.
 *
 * A request comes in three steps.  on_request() sees method, path and headers
 * and decides where the body goes: into memory up to a limit, to a sink chunk
 * by chunk, or refused at once.  on_complete() sees the whole request and
 * answers now or later with http_respond().
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
	 * response was sent whole. */
	void (*on_abort)(void *ctx, struct http_request *r);
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
	uint64_t length;
	bool head;		/* body is measured, not sent (HEAD) */
	bool close;
};
#define HTTP_RESPONSE(code) ((struct http_response){.status = (code), .fd = -1})

/* addr:port to listen on; port 0: any, told by http_server_port(). */
int http_server_new(uv_loop_t *loop, const char *addr, uint16_t port,
    const struct http_handler *h, struct http_server **ret);
uint16_t http_server_port(const struct http_server *s);
void http_server_free(struct http_server *s);

struct span http_header(const struct http_request *r, const char *name);
/* The one answer to r; headers and body are copied or the arena's. */
void http_respond(struct http_request *r, const struct http_response *resp);
