/*
 * struct doc: the one document tree.  Requests, replies, stored specs and
 * templates are all this; services never see a syntax.  A thin face on
 * yyjson's mutable values, allocated from an arena and valid as long as it.
 *
 * Rules:
 *  - Keys and strings given to a builder are NOT copied: they must live as
 *    long as the arena (literals, spans of the same arena).  Use doc_strdup()
 *    and doc_setf() otherwise.
 *  - A value has one parent.  To put a value of one tree into another (or
 *    twice into one) use doc_copy().
 *  - Every getter accepts NULL and a value of another type, and then returns
 *    the empty answer: doc_get_str(doc_get(d, "a"), "b") is safe.
 *  - A blob is a string of raw bytes; codecs do base64.  Store blobs as
 *    base64 text.  A timestamp is a number of seconds since 1970 (may be
 *    fractional).
 *  - doc_set() replaces the value of a key that is there; setting NULL
 *    removes the key.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

struct doc;

enum doc_type {
	DOC_NONE, /* absent: the type of a NULL pointer */
	DOC_NULL, DOC_BOOL, DOC_INT, DOC_REAL, DOC_STR, DOC_ARR, DOC_OBJ
};

enum doc_type doc_type(const struct doc *d);

/* Builders */
struct doc *doc_obj(struct arena *a);
struct doc *doc_arr(struct arena *a);
struct doc *doc_null(struct arena *a);
struct doc *doc_bool(struct arena *a, bool v);
struct doc *doc_int(struct arena *a, int64_t v);
struct doc *doc_real(struct arena *a, double v);
struct doc *doc_str(struct arena *a, struct span s);	/* borrows s */
struct doc *doc_strdup(struct arena *a, struct span s); /* copies s */
struct doc *doc_copy(struct arena *a, const struct doc *d);

/* Objects.  Setters return the object, so that calls can be chained. */
struct doc *doc_set(struct arena *a, struct doc *obj, const char *key,
    struct doc *v);
struct doc *doc_setn(struct arena *a, struct doc *obj, struct span key,
    struct doc *v); /* key borrowed */
/* Appends without looking whether the key is there: for codecs. */
void doc_append(struct arena *a, struct doc *obj, struct span key,
    struct doc *v);
struct doc *doc_set_str(struct arena *a, struct doc *obj, const char *key,
    struct span v);
struct doc *doc_set_int(struct arena *a, struct doc *obj, const char *key,
    int64_t v);
struct doc *doc_set_bool(struct arena *a, struct doc *obj, const char *key,
    bool v);
/* Milliseconds since 1970, kept as seconds. */
struct doc *doc_set_time(struct arena *a, struct doc *obj, const char *key,
    int64_t ms);
struct doc *doc_setf(struct arena *a, struct doc *obj, const char *key,
    const char *fmt, ...) PRINTF(4, 5);
void doc_del(struct doc *obj, const char *key);

/* Arrays */
void doc_push(struct doc *arr, struct doc *v);
void doc_push_str(struct arena *a, struct doc *arr, struct span s);
/* Removes element i. */
void doc_remove(struct doc *arr, size_t i);

/* Readers */
struct doc *doc_get(const struct doc *obj, const char *key);
struct doc *doc_getn(const struct doc *obj, struct span key);
struct doc *doc_at(const struct doc *arr, size_t i); /* O(i) */
size_t doc_len(const struct doc *d); /* elements, members or bytes */
struct span doc_span(const struct doc *d); /* of a string */
bool doc_true(const struct doc *d);
/* Reals are cut; what is no number of 64 bits is otherwise, too. */
int64_t doc_i64(const struct doc *d, int64_t otherwise);
double doc_f64(const struct doc *d, double otherwise);
struct span doc_get_str(const struct doc *obj, const char *key);
bool doc_get_bool(const struct doc *obj, const char *key, bool otherwise);
int64_t doc_get_int(const struct doc *obj, const char *key, int64_t otherwise);
/* Milliseconds of a timestamp in seconds; 0 when absent or no time at all. */
int64_t doc_get_time(const struct doc *obj, const char *key);
/* Walks a path of object keys: doc_path(d, "a", "b", NULL). */
struct doc *doc_path(const struct doc *d, ...) __attribute__((sentinel));
bool doc_eq(const struct doc *a, const struct doc *b);
/* Is s one of the strings in arr? */
bool doc_has_str(const struct doc *arr, struct span s);

/*
 * Iteration; no body may add to or remove from what it walks.
 *	doc_each(v, arr)	  v: struct doc *, each element or member value
 *	doc_each_key(k, v, obj)	  k: struct span, v: struct doc *
 */
struct doc_iter {
	const struct doc *d;
	struct doc *at;
	struct doc *key;
	size_t left;
};
struct doc_iter doc_iter(const struct doc *d);
struct doc *doc_next(struct doc_iter *it);
struct span doc_iter_key(const struct doc_iter *it);
#define DOC_CAT_(a, b) a##b
#define DOC_CAT(a, b)  DOC_CAT_(a, b)
#define doc_each(v, d)                                                  \
	for (struct doc_iter DOC_CAT(it_, v) = doc_iter(d),             \
	    *DOC_CAT(on_, v) = &DOC_CAT(it_, v); DOC_CAT(on_, v);       \
	    DOC_CAT(on_, v) = NULL)                                     \
		for (struct doc *v; (v = doc_next(&DOC_CAT(it_, v)));)
#define doc_each_key(k, v, d)                                           \
	for (struct doc_iter DOC_CAT(it_, v) = doc_iter(d),             \
	    *DOC_CAT(on_, v) = &DOC_CAT(it_, v); DOC_CAT(on_, v);       \
	    DOC_CAT(on_, v) = NULL)                                     \
		for (struct span k UNUSED = SPAN_NULL, *DOC_CAT(ok_, v) = &k; \
		    DOC_CAT(ok_, v); DOC_CAT(ok_, v) = NULL)            \
			for (struct doc *v;                             \
			    (v = doc_next(&DOC_CAT(it_, v))) &&         \
			    (k = doc_iter_key(&DOC_CAT(it_, v)), 1);)

/* JSON.  Strings of the result are the arena's. */
enum { DOC_E_SYNTAX = 1, DOC_E_DEPTH };
#define DOC_MAX_DEPTH 128
int doc_parse_json(struct arena *a, struct span text, struct doc **ret);
/* The same; with DOC_E_SYNTAX *ret_at is the byte where reading stopped. */
int doc_parse_json_at(struct arena *a, struct span text, struct doc **ret,
    size_t *ret_at);
void doc_write_json(struct buf *b, const struct doc *d);
void doc_write_json_pretty(struct buf *b, const struct doc *d); /* 2 blanks */
struct span doc_json(struct arena *a, const struct doc *d);
