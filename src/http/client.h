/*
 * HTTP client: libcurl driven from our loop.  Requests run at the same time;
 * all callbacks run on the loop thread, never before http_fetch() returned.
 *
 * Redirects are followed (five at most); credentials are not sent on to
 * another host.  A peer that sends nothing for 30 seconds is given up.
 */
#pragma once

#include <uv.h>

#include "base/arena.h"
#include "base/buf.h"
#include "http/server.h"

struct http_client;
struct http_fetch;

struct http_result {
	int err;		/* 0, or a negative errno: no (whole) answer */
	struct span why;	/* text for people when err */
	int status;
	struct http_header *headers; /* of the last response */
	size_t n_headers;
	struct span body;	/* unless it went to on_piece */
};

struct http_fetch_spec {
	const char *method;	/* NULL: GET */
	const char *url;	/* http or https */
	const struct http_header *headers;
	size_t n_headers;
	size_t body_max;	/* more is -EMSGSIZE; error bodies: 64 KiB */
	/* The body of a 2xx answer, piece by piece, instead; false: stop. */
	bool (*on_piece)(void *ctx, int status, struct span piece);
	void (*on_done)(void *ctx, const struct http_result *r);
	void *ctx;
};

struct http_client *http_client_new(uv_loop_t *loop);
/* Requests in progress end with -ECANCELED. */
void http_client_free(struct http_client *c);
struct http_fetch *http_fetch(struct http_client *c,
    const struct http_fetch_spec *spec);
/* From within on_piece: no further piece comes until http_fetch_resume(). */
void http_fetch_pause(struct http_fetch *f);
void http_fetch_resume(struct http_fetch *f);
/* on_done will not be called. */
void http_fetch_cancel(struct http_fetch *f);
struct span http_result_header(const struct http_result *r, const char *name);
