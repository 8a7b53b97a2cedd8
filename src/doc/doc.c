/* The document tree on yyjson's mutable values. */
#include <stdarg.h>
#include <yyjson.h>

#include "doc/doc.h"

/* struct doc is never defined: it is a yyjson_mut_val seen from outside. */
#define V(d)  ((yyjson_mut_val *)(uintptr_t)(d))
#define D(v)  ((struct doc *)(v))

static void *
pool_malloc(void *ctx, size_t n)
{
	return arena_raw(ctx, n);
}

static void *
pool_realloc(void *ctx, void *p, size_t old, size_t n)
{
	return arena_grow(ctx, p, MIN(old, n), n);
}

static void
pool_free(void *ctx UNUSED, void *p UNUSED)
{
}

static yyjson_mut_doc *
pool(struct arena *a)
{
	void **slot = arena_doc_slot(a);
	yyjson_alc alc = {pool_malloc, pool_realloc, pool_free, a};

	if (!*slot) {
		*slot = yyjson_mut_doc_new(&alc);
		AN(*slot);
	}
	return *slot;
}

enum doc_type
doc_type(const struct doc *d)
{
	switch (yyjson_mut_get_type(V(d))) {
	case YYJSON_TYPE_NULL:
		return DOC_NULL;
	case YYJSON_TYPE_BOOL:
		return DOC_BOOL;
	case YYJSON_TYPE_NUM:
		return yyjson_mut_is_real(V(d)) ? DOC_REAL : DOC_INT;
	case YYJSON_TYPE_STR:
		return DOC_STR;
	case YYJSON_TYPE_ARR:
		return DOC_ARR;
	case YYJSON_TYPE_OBJ:
		return DOC_OBJ;
	}
	return DOC_NONE;
}

struct doc *
doc_obj(struct arena *a)
{
	return D(yyjson_mut_obj(pool(a)));
}

struct doc *
doc_arr(struct arena *a)
{
	return D(yyjson_mut_arr(pool(a)));
}

struct doc *
doc_null(struct arena *a)
{
	return D(yyjson_mut_null(pool(a)));
}

struct doc *
doc_bool(struct arena *a, bool v)
{
	return D(yyjson_mut_bool(pool(a), v));
}

struct doc *
doc_int(struct arena *a, int64_t v)
{
	return D(v < 0 ? yyjson_mut_sint(pool(a), v) :
	    yyjson_mut_uint(pool(a), (uint64_t)v));
}

struct doc *
doc_real(struct arena *a, double v)
{
	return D(yyjson_mut_real(pool(a), v));
}

struct doc *
doc_str(struct arena *a, struct span s)
{
	return D(yyjson_mut_strn(pool(a), s.p ? s.p : "", s.n));
}

struct doc *
doc_strdup(struct arena *a, struct span s)
{
	return doc_str(a, arena_span(a, s));
}

struct doc *
doc_copy(struct arena *a, const struct doc *d)
{
	return D(yyjson_mut_val_mut_copy(pool(a), V(d)));
}

void
doc_append(struct arena *a, struct doc *obj, struct span key, struct doc *v)
{
	yyjson_mut_val *k = yyjson_mut_strn(pool(a), key.p ? key.p : "", key.n);

	AN(yyjson_mut_obj_add(V(obj), k, V(v)));
}

struct doc *
doc_setn(struct arena *a, struct doc *obj, struct span key, struct doc *v)
{
	yyjson_mut_val *k;

	AN(doc_type(obj) == DOC_OBJ);
	if (!v) {
		yyjson_mut_obj_remove_keyn(V(obj), key.p, key.n);
		return obj;
	}
	k = yyjson_mut_strn(pool(a), key.p ? key.p : "", key.n);
	AN(yyjson_mut_obj_put(V(obj), k, V(v)));
	return obj;
}

struct doc *
doc_set(struct arena *a, struct doc *obj, const char *key, struct doc *v)
{
	return doc_setn(a, obj, span_of(key), v);
}

struct doc *
doc_set_str(struct arena *a, struct doc *obj, const char *key, struct span v)
{
	return doc_set(a, obj, key, doc_str(a, v));
}

struct doc *
doc_set_int(struct arena *a, struct doc *obj, const char *key, int64_t v)
{
	return doc_set(a, obj, key, doc_int(a, v));
}

struct doc *
doc_set_bool(struct arena *a, struct doc *obj, const char *key, bool v)
{
	return doc_set(a, obj, key, doc_bool(a, v));
}

struct doc *
doc_set_time(struct arena *a, struct doc *obj, const char *key, int64_t ms)
{
	if (ms % 1000 == 0)
		return doc_set_int(a, obj, key, ms / 1000);
	return doc_set(a, obj, key, doc_real(a, (double)ms / 1000.0));
}

struct doc *
doc_setf(struct arena *a, struct doc *obj, const char *key, const char *fmt,
    ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = arena_vfmt(a, fmt, ap);
	va_end(ap);
	return doc_set_str(a, obj, key, span_of(s));
}

void
doc_del(struct doc *obj, const char *key)
{
	if (doc_type(obj) == DOC_OBJ)
		yyjson_mut_obj_remove_key(V(obj), key);
}

void
doc_push(struct doc *arr, struct doc *v)
{
	AN(yyjson_mut_arr_append(V(arr), V(v)));
}

void
doc_push_str(struct arena *a, struct doc *arr, struct span s)
{
	doc_push(arr, doc_str(a, s));
}

void
doc_remove(struct doc *arr, size_t i)
{
	AN(yyjson_mut_arr_remove(V(arr), i));
}

struct doc *
doc_getn(const struct doc *obj, struct span key)
{
	return D(yyjson_mut_obj_getn(V(obj), key.p ? key.p : "", key.n));
}

struct doc *
doc_get(const struct doc *obj, const char *key)
{
	return doc_getn(obj, span_of(key));
}

struct doc *
doc_at(const struct doc *arr, size_t i)
{
	return D(yyjson_mut_arr_get(V(arr), i));
}

size_t
doc_len(const struct doc *d)
{
	switch (doc_type(d)) {
	case DOC_STR:
		return yyjson_mut_get_len(V(d));
	case DOC_ARR:
		return yyjson_mut_arr_size(V(d));
	case DOC_OBJ:
		return yyjson_mut_obj_size(V(d));
	case DOC_NONE:
	case DOC_NULL:
	case DOC_BOOL:
	case DOC_INT:
	case DOC_REAL:
		break;
	}
	return 0;
}

struct span
doc_span(const struct doc *d)
{
	if (doc_type(d) != DOC_STR)
		return SPAN_NULL;
	return span_make(yyjson_mut_get_str(V(d)), yyjson_mut_get_len(V(d)));
}

bool
doc_true(const struct doc *d)
{
	return yyjson_mut_get_bool(V(d));
}

int64_t
doc_i64(const struct doc *d, int64_t otherwise)
{
	double real;

	if (doc_type(d) == DOC_REAL) {
		real = yyjson_mut_get_real(V(d));
		return real >= -0x1p63 && real < 0x1p63 ? (int64_t)real :
							  otherwise;
	}
	if (doc_type(d) != DOC_INT || (yyjson_mut_is_uint(V(d)) &&
	    yyjson_mut_get_uint(V(d)) > INT64_MAX))
		return otherwise;
	return yyjson_mut_get_sint(V(d));
}

double
doc_f64(const struct doc *d, double otherwise)
{
	if (yyjson_mut_get_type(V(d)) != YYJSON_TYPE_NUM)
		return otherwise;
	return yyjson_mut_get_num(V(d));
}

struct span
doc_get_str(const struct doc *obj, const char *key)
{
	return doc_span(doc_get(obj, key));
}

bool
doc_get_bool(const struct doc *obj, const char *key, bool otherwise)
{
	const struct doc *d = doc_get(obj, key);

	return doc_type(d) == DOC_BOOL ? doc_true(d) : otherwise;
}

int64_t
doc_get_int(const struct doc *obj, const char *key, int64_t otherwise)
{
	return doc_i64(doc_get(obj, key), otherwise);
}

int64_t
doc_get_time(const struct doc *obj, const char *key)
{
	double s = doc_f64(doc_get(obj, key), 0);

	if (!(s > -0x1p52 && s < 0x1p52))
		return 0;
	return (int64_t)(s * 1000.0 + (s < 0 ? -0.5 : 0.5));
}

struct doc *
doc_path(const struct doc *d, ...)
{
	const char *key;
	va_list ap;

	va_start(ap, d);
	while ((key = va_arg(ap, const char *)))
		d = doc_get(d, key);
	va_end(ap);
	return D(V(d));
}

static bool
obj_eq(const struct doc *a, const struct doc *b)
{
	if (doc_len(a) != doc_len(b))
		return false;
	doc_each_key(k, v, a)
		if (!doc_eq(v, doc_getn(b, k)))
			return false;
	return true;
}

static bool
arr_eq(const struct doc *a, const struct doc *b)
{
	struct doc_iter ib = doc_iter(b);

	if (doc_len(a) != doc_len(b))
		return false;
	doc_each(v, a)
		if (!doc_eq(v, doc_next(&ib)))
			return false;
	return true;
}

bool
doc_eq(const struct doc *a, const struct doc *b)
{
	enum doc_type t = doc_type(a);

	if (t != doc_type(b)) {
		/* 1 and 1.0 are the same number. */
		return (t == DOC_INT || t == DOC_REAL) &&
		    (doc_type(b) == DOC_INT || doc_type(b) == DOC_REAL) &&
		    doc_f64(a, 0) == doc_f64(b, 0);
	}
	switch (t) {
	case DOC_NONE:
	case DOC_NULL:
		return true;
	case DOC_BOOL:
		return doc_true(a) == doc_true(b);
	case DOC_INT:
		return doc_i64(a, 0) == doc_i64(b, 0);
	case DOC_REAL:
		return doc_f64(a, 0) == doc_f64(b, 0);
	case DOC_STR:
		return span_eq(doc_span(a), doc_span(b));
	case DOC_ARR:
		return arr_eq(a, b);
	case DOC_OBJ:
		return obj_eq(a, b);
	}
	return false;
}

bool
doc_has_str(const struct doc *arr, struct span s)
{
	doc_each(v, arr)
		if (doc_type(v) == DOC_STR && span_eq(doc_span(v), s))
			return true;
	return false;
}

struct doc_iter
doc_iter(const struct doc *d)
{
	enum doc_type t = doc_type(d);

	if (t != DOC_ARR && t != DOC_OBJ)
		return (struct doc_iter){0};
	return (struct doc_iter){.d = d, .left = doc_len(d)};
}

/* yyjson keeps a container's elements in a ring whose entry is the last one
 * (in an object the last key); there each value follows its key. */
struct doc *
doc_next(struct doc_iter *it)
{
	yyjson_mut_val *last;

	if (it->left == 0)
		return NULL;
	if (!it->at) {
		last = V(it->d)->uni.ptr;
		it->key = D(doc_type(it->d) == DOC_OBJ ? last->next->next : NULL);
		it->at = D(it->key ? V(it->key)->next : last->next);
	} else {
		it->key = D(it->key ? V(it->at)->next : NULL);
		it->at = D(it->key ? V(it->key)->next : V(it->at)->next);
	}
	it->left--;
	return it->at;
}

struct span
doc_iter_key(const struct doc_iter *it)
{
	return doc_span(it->key);
}

/* The tree's own depth is bounded by the parsers; this is theirs to use. */
static int
depth_check(yyjson_val *v, int depth)
{
	size_t i, n;
	yyjson_val *k, *e;
	int r;

	if (!yyjson_is_ctn(v))
		return 0;
	if (depth >= DOC_MAX_DEPTH)
		return DOC_E_DEPTH;
	if (yyjson_is_arr(v)) {
		yyjson_arr_foreach(v, i, n, e)
			if ((r = depth_check(e, depth + 1)))
				return r;
		return 0;
	}
	yyjson_obj_foreach(v, i, n, k, e)
		if ((r = depth_check(e, depth + 1)))
			return r;
	return 0;
}

int
doc_parse_json(struct arena *a, struct span text, struct doc **ret)
{
	size_t at;

	return doc_parse_json_at(a, text, ret, &at);
}

int
doc_parse_json_at(struct arena *a, struct span text, struct doc **ret,
    size_t *ret_at)
{
	yyjson_alc alc = {pool_malloc, pool_realloc, pool_free, a};
	yyjson_read_err err;
	yyjson_doc *d;
	int r;

	d = yyjson_read_opts((char *)(uintptr_t)(text.p ? text.p : ""), text.n,
	    YYJSON_READ_NOFLAG, &alc, &err);
	if (!d) {
		*ret_at = MIN(err.pos, text.n);
		return DOC_E_SYNTAX;
	}
	if ((r = depth_check(yyjson_doc_get_root(d), 0)))
		return r;
	*ret = D(yyjson_val_mut_copy(pool(a), yyjson_doc_get_root(d)));
	AN(*ret);
	return 0;
}

static void
write_flags(struct buf *b, const struct doc *d, yyjson_write_flag flags)
{
	size_t n = 0;
	char *p;

	flags |= YYJSON_WRITE_ALLOW_INVALID_UNICODE |
	    YYJSON_WRITE_ALLOW_INF_AND_NAN;
	p = yyjson_mut_val_write_opts(V(d), flags, NULL, &n, NULL);
	AN(p);
	buf_add(b, p, n);
	free(p);
}

void
doc_write_json(struct buf *b, const struct doc *d)
{
	write_flags(b, d, YYJSON_WRITE_NOFLAG);
}

void
doc_write_json_pretty(struct buf *b, const struct doc *d)
{
	write_flags(b, d, YYJSON_WRITE_PRETTY_TWO_SPACES);
}

struct span
doc_json(struct arena *a, const struct doc *d)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	doc_write_json(&b, d);
	return arena_span(a, buf_span(&b));
}
