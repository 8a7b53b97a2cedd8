/*
 * struct buf: owned bytes that grow.  p is NULL only while nothing was ever
 * added; otherwise p[n] is always NUL, so buf_str() may be given to libc.
 * BUF_INIT is a valid empty buf; buf_done() frees and leaves it empty again.
 *
 *	_cleanup_(buf_done) struct buf b = BUF_INIT;
 */
#pragma once

#include <stdarg.h>

#include "base/span.h"
#include "base/util.h"

struct buf {
	char *p;
	size_t n;
	size_t cap;
};

#define BUF_INIT ((struct buf){NULL, 0, 0})

void buf_done(struct buf *b);
void buf_clear(struct buf *b);	    /* empty it, keep the memory */
void buf_reserve(struct buf *b, size_t more);
void buf_add(struct buf *b, const void *p, size_t n);
void buf_add_span(struct buf *b, struct span s);
void buf_add_str(struct buf *b, const char *s);
void buf_add_char(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
void buf_vaddf(struct buf *b, const char *fmt, va_list ap) PRINTF(2, 0);
void buf_add_hex(struct buf *b, const void *p, size_t n); /* lower case */
/* Decodes all of s; false (b unchanged) if it is not hex. */
bool buf_add_unhex(struct buf *b, struct span s);
void buf_add_base64(struct buf *b, const void *p, size_t n);
/* Decodes all of s, padding required; false (b unchanged) if malformed. */
bool buf_add_unbase64(struct buf *b, struct span s);
/* RFC 3986: all but unreserved become %XX; '/' stays when keep_slash. */
void buf_add_uri(struct buf *b, struct span s, bool keep_slash);
/* %XX decoded; '+' becomes a space when plus. */
void buf_add_unuri(struct buf *b, struct span s, bool plus);
/* Takes n bytes off the front. */
void buf_drop(struct buf *b, size_t n);
struct span buf_span(const struct buf *b);
const char *buf_str(const struct buf *b);	/* "" when empty, never NULL */
char *buf_take(struct buf *b);			/* caller frees; never NULL */
