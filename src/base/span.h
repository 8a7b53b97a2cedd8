/*
 * struct span: borrowed bytes, passed by value.  Not NUL-terminated unless the
 * giver says so.  {NULL, 0} is the empty span.  For owned, growing text see
 * base/buf.h; for text that lives as long as a request, base/arena.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const char *p;
	size_t n;
};

#define SPAN_NULL	((struct span){NULL, 0})
/* From a string literal: the length is the compiler's. */
#define SPAN(lit)	((struct span){"" lit, sizeof(lit) - 1})
/* For printf: "%.*s", SPAN_ARG(s). */
#define SPAN_ARG(s)	((int)(s).n), ((s).p ? (s).p : "")

static inline struct span
span_of(const char *s)
{
	return (struct span){s, s ? strlen(s) : 0};
}

static inline struct span
span_make(const char *p, size_t n)
{
	return (struct span){p, n};
}

static inline bool
span_eq(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Compares with a C string. */
static inline bool
span_is(struct span a, const char *s)
{
	return span_eq(a, span_of(s));
}

bool span_ieq(struct span a, struct span b); /* ASCII case ignored */
int span_cmp(struct span a, struct span b);  /* memcmp order, then length */
bool span_starts(struct span s, struct span prefix);
bool span_ends(struct span s, struct span suffix);
/* Index of the first c, or -1. */
ptrdiff_t span_chr(struct span s, char c);
ptrdiff_t span_rchr(struct span s, char c);
/* Index of the first occurrence of needle, or -1. */
ptrdiff_t span_find(struct span s, struct span needle);
/* From byte i to the end; empty if i is past it. */
struct span span_from(struct span s, size_t i);
/* The first n bytes, or all of them if there are fewer. */
struct span span_to(struct span s, size_t n);
struct span span_trim(struct span s); /* ASCII white space on both sides */
/* Cuts *s at the first c: returns what was before it and leaves what comes
 * after; without a c, returns everything and leaves a span whose p is NULL, so
 * that `while (rest.p)` walks all fields, empty ones included. */
struct span span_cut(struct span *s, char c);

/* Whole span must be digits (one leading '-' for i64) and fit.
 * On success writes *ret and returns true. */
bool span_u64(struct span s, uint64_t *ret);
bool span_i64(struct span s, int64_t *ret);

/* '*' matches any run of bytes, '?' any one byte. */
bool span_glob(struct span pattern, struct span s);
