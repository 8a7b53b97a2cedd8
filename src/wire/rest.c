/* REST bindings: routes, labels, headers, query string, status. */
#include "doc/form.h"
#include "wire/shape.h"

struct span
wire_header_get(const struct wire_in *in, const char *name)
{
	for (size_t i = 0; i < in->n_headers; i++)
		if (span_ieq(in->headers[i].name, span_of(name)))
			return in->headers[i].value;
	return SPAN_NULL;
}

struct span
wire_path(struct arena *a, const struct wire_in *in)
{
	if (in->bucket.n == 0)
		return in->path;
	return arena_fmt_span(a, "/%.*s%.*s", SPAN_ARG(in->bucket),
	    SPAN_ARG(in->path));
}

/* What a URI template says of a path. */
struct match {
	int literals;
	bool greedy;
};
typedef int (*label_fn)(void *ctx, struct span name, struct span value);

static bool
is_label(struct span seg, struct span *ret_name, bool *ret_greedy)
{
	if (seg.n < 3 || seg.p[0] != '{' || seg.p[seg.n - 1] != '}')
		return false;
	*ret_name = span_make(seg.p + 1, seg.n - 2);
	*ret_greedy = ret_name->p[ret_name->n - 1] == '+';
	if (*ret_greedy)
		ret_name->n--;
	return true;
}

/* A greedy label takes all but what the rest of the template needs. */
static bool
greedy_value(struct span uri_rest, struct span rest, struct span *ret)
{
	size_t tail = uri_rest.p ? uri_rest.n + 1 : 0;

	if (rest.n <= tail)
		return false;
	*ret = span_to(rest, rest.n - tail);
	return tail == 0 || span_eq(span_from(rest, rest.n - tail),
	    span_make(uri_rest.p - 1, tail));
}

/* Walks both by segments.  fn, if given, gets the labels, still encoded. */
static bool
path_match(struct span uri, struct span path, struct match *ret, label_fn fn,
    void *ctx)
{
	struct span seg, have, name, rest;
	bool greedy;

	*ret = (struct match){0};
	uri = span_from(uri, 1);
	path = path.n ? span_from(path, 1) : path;
	if (!path.p)
		path = SPAN("");
	for (;;) {
		seg = span_cut(&uri, '/');
		rest = path;
		have = span_cut(&path, '/');
		if (!is_label(seg, &name, &greedy)) {
			if (!span_eq(seg, have))
				return false;
			ret->literals += seg.n > 0;
		} else {
			if (greedy && !greedy_value(uri, rest, &have))
				return false;
			if (have.n == 0 || (fn && fn(ctx, name, have)))
				return false;
			if (greedy) {
				ret->greedy = true;
				return true;
			}
		}
		if (!uri.p || (uri.n == 0 && !path.p))
			return !path.p || path.n == 0;
		if (!path.p)
			return false;
	}
}

static bool
query_has(struct arena *a, struct span query, struct span name,
    struct span *ret_value)
{
	struct form_pair p;

	while (form_next(a, &query, &p)) {
		if (!span_eq(p.name, name))
			continue;
		*ret_value = p.value;
		return true;
	}
	return false;
}

/* "?uploads", "?list-type=2": how many, or -1 if one is not there. */
static int
query_literals(struct arena *a, struct span wanted, struct span query)
{
	struct form_pair p;
	struct span v;
	int n = 0;

	while (form_next(a, &wanted, &p)) {
		if (span_is(p.name, "x-id"))
			continue;
		if (!query_has(a, query, p.name, &v) ||
		    (p.value.n && !span_eq(p.value, v)))
			return -1;
		n++;
	}
	return n;
}

/* S3 tells some operations apart only by what they require: a part number, a
 * copy source. */
static int
required_score(struct arena *a, const struct model_op *op,
    const struct wire_in *in)
{
	const struct model *m = op->model;
	const struct model_shape *s = model_shape(m, op->in);
	const struct model_member *mb = s ? model_members(m, s) : NULL;
	struct span name, v;
	int score = 0;
	bool have;

	for (size_t i = 0; s && i < s->n; i++, mb++) {
		if (!(mb->flags & MEMBER_REQUIRED) ||
		    (mb->location != LOC_QUERY && mb->location != LOC_HEADER))
			continue;
		name = model_str(m, mb->wire ? mb->wire : mb->name);
		if (mb->location == LOC_QUERY)
			have = query_has(a, in->query, name, &v);
		else
			have = wire_header_get(in, name.p).p;
		score += have ? 100 : -1000;
	}
	return score;
}

static int
op_score(struct arena *a, const struct model_op *op, const struct wire_in *in,
    struct span path)
{
	struct span uri = model_str(op->model, op->uri);
	struct span before = span_cut(&uri, '?');
	struct match match;
	int literals;

	if (!span_eq(in->method, model_str(op->model, op->method)) ||
	    !path_match(before, path, &match, NULL, NULL))
		return INT32_MIN;
	literals = query_literals(a, uri, in->query);
	if (literals < 0)
		return INT32_MIN;
	return match.literals * 100000 + literals * 10000 +
	    required_score(a, op, in) + (match.greedy ? 0 : 10) -
	    (op->flags & OP_DEPRECATED ? 1 : 0);
}

const struct model_op *
wire_route(struct arena *a, const struct model *m, const struct wire_in *in)
{
	struct span path = wire_path(a, in);
	const struct model_op *best = NULL;
	int score, best_score = INT32_MIN;

	for (size_t i = 0; i < m->n_ops; i++) {
		score = op_score(a, &m->ops[i], in, path);
		if (score > best_score) {
			best = &m->ops[i];
			best_score = score;
		}
	}
	return best;
}

/* Reading */

struct reading {
	struct wire_walk *w;
	const struct model_shape *s;
	struct doc *into;
};

static void
set_member(struct wire_walk *w, struct doc *into,
    const struct model_member *mb, struct doc *v)
{
	doc_append(w->a, into, model_str(w->m, mb->name), v);
}

static int
read_label(void *ctx, struct span name, struct span value)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct reading *r = ctx;
	const struct model_member *mb = model_members(r->w->m, r->s);
	struct doc *v;

	buf_add_unuri(&b, value, false);
	for (size_t i = 0; i < r->s->n; i++, mb++) {
		if (mb->location != LOC_URI ||
		    !span_eq(model_str(r->w->m, mb->wire ? mb->wire : mb->name),
		    name))
			continue;
		if (wire_scalar_read(r->w, mb, arena_span(r->w->a,
		    buf_span(&b)), &v))
			return WIRE_E_REFUSED;
		set_member(r->w, r->into, mb, v);
	}
	return 0;
}

/* The next element of a header's list: "a, b", quoted strings, and dates,
 * which have a comma of their own. */
static struct span
list_next(struct arena *a, struct span *rest, bool dates)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct span s = span_trim(*rest), one;
	size_t i = 1;

	if (s.n && s.p[0] == '"') {
		for (; i < s.n && s.p[i] != '"'; i++) {
			if (s.p[i] == '\\' && i + 1 < s.n)
				i++;
			buf_add_char(&b, s.p[i]);
		}
		s = span_from(s, i);
		span_cut(&s, ',');
		*rest = s;
		return arena_span(a, buf_span(&b));
	}
	one = span_cut(&s, ',');
	if (dates && one.n == 3 && s.p) {
		one = span_make(one.p, one.n + 1 + span_cut(&s, ',').n);
	}
	*rest = s;
	return span_trim(one);
}

static int
read_header_list(struct wire_walk *w, const struct model_member *mb,
    struct span text, struct doc **ret)
{
	struct model_member el = *model_members(w->m, wire_shape(w, mb));
	bool dates = wire_shape(w, &el)->type == MODEL_TIMESTAMP;
	struct doc *arr = doc_arr(w->a), *v;
	int r;

	text = span_trim(text);
	while (text.p && text.n) {
		if ((r = wire_scalar_read(w, &el, list_next(w->a, &text,
		    dates), &v)))
			return r;
		doc_push(arr, v);
	}
	*ret = arr;
	return 0;
}

static int
read_json_value(struct wire_walk *w, struct span text, struct doc **ret)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	if (!buf_add_unbase64(&b, text))
		return wire_refuse(w, NULL, "Invalid base64 in a header");
	*ret = doc_strdup(w->a, buf_span(&b));
	return 0;
}

static int
read_header(struct wire_walk *w, const struct model_member *mb,
    struct span text, struct doc **ret)
{
	if (mb->flags & MEMBER_JSON_VALUE)
		return read_json_value(w, text, ret);
	if (wire_shape(w, mb)->type == MODEL_LIST)
		return read_header_list(w, mb, text, ret);
	return wire_scalar_read(w, mb, text, ret);
}

/* All headers with the prefix: x-amz-meta-… */
static struct doc *
prefix_headers(struct wire_walk *w, const struct model_member *mb,
    const struct wire_in *in)
{
	struct span prefix = model_str(w->m, mb->wire), name;
	struct doc *map = NULL;

	for (size_t i = 0; i < in->n_headers; i++) {
		name = in->headers[i].name;
		if (!span_ieq(span_to(name, prefix.n), prefix))
			continue;
		if (!map)
			map = doc_obj(w->a);
		doc_setn(w->a, map, span_from(name, prefix.n),
		    doc_str(w->a, in->headers[i].value));
	}
	return map;
}

static bool
bound_elsewhere(const struct wire_walk *w, const struct model_shape *s,
    const struct model_member *self, struct span name)
{
	const struct model_member *mb = model_members(w->m, s);

	for (size_t i = 0; i < s->n; i++, mb++)
		if (mb != self && mb->location == LOC_QUERY &&
		    span_eq(model_str(w->m, mb->wire ? mb->wire : mb->name),
		    name))
			return true;
	return false;
}

/* A map takes every parameter that no other member has. */
static int
read_query_map(struct wire_walk *w, const struct model_shape *s,
    const struct model_member *mb, struct span query, struct doc **ret)
{
	const struct model_member *val = model_members(w->m,
	    wire_shape(w, mb)) + 1;
	bool lists = wire_shape(w, val)->type == MODEL_LIST;
	struct doc *map = doc_obj(w->a), *v, *arr;
	struct form_pair p;
	int r;

	while (form_next(w->a, &query, &p)) {
		if (bound_elsewhere(w, s, mb, p.name))
			continue;
		if (lists)
			val = model_members(w->m, wire_shape(w,
			    model_members(w->m, wire_shape(w, mb)) + 1));
		if ((r = wire_scalar_read(w, val, p.value, &v)))
			return r;
		arr = doc_getn(map, p.name);
		if (!lists || !arr) {
			if (lists) {
				arr = doc_arr(w->a);
				doc_push(arr, v);
				v = arr;
			}
			doc_setn(w->a, map, p.name, v);
		} else {
			doc_push(arr, v);
		}
	}
	*ret = doc_len(map) ? map : NULL;
	return 0;
}

static int
read_query(struct wire_walk *w, const struct model_shape *s,
    const struct model_member *mb, struct span query, struct doc **ret)
{
	struct span name = model_str(w->m, mb->wire ? mb->wire : mb->name);
	const struct model_shape *sub = wire_shape(w, mb);
	struct form_pair p;
	struct doc *arr = NULL, *v;
	struct model_member el;
	int r;

	*ret = NULL;
	if (sub->type == MODEL_MAP)
		return read_query_map(w, s, mb, query, ret);
	while (form_next(w->a, &query, &p)) {
		if (!span_eq(p.name, name))
			continue;
		if (sub->type != MODEL_LIST)
			return wire_scalar_read(w, mb, p.value, ret);
		el = *model_members(w->m, sub);
		if ((r = wire_scalar_read(w, &el, p.value, &v)))
			return r;
		arr = arr ? arr : doc_arr(w->a);
		doc_push(arr, v);
	}
	*ret = arr;
	return 0;
}

static int
read_member(struct wire_walk *w, const struct model_shape *s,
    const struct model_member *mb, const struct wire_in *in, struct doc *into)
{
	struct span text;
	struct doc *v = NULL;
	int r = 0;

	switch ((enum model_location)mb->location) {
	case LOC_HEADER:
		text = wire_header_get(in, model_str(w->m,
		    mb->wire ? mb->wire : mb->name).p);
		if (text.p)
			r = read_header(w, mb, text, &v);
		break;
	case LOC_HEADERS:
		v = prefix_headers(w, mb, in);
		break;
	case LOC_QUERY:
		r = read_query(w, s, mb, in->query, &v);
		break;
	case LOC_BODY:
	case LOC_URI:
	case LOC_STATUS:
		break;
	}
	if (r == 0 && v)
		set_member(w, into, mb, v);
	return r;
}

int
wire_rest_read(struct wire_walk *w, const struct model_op *op,
    const struct wire_in *in, struct doc *into)
{
	const struct model_shape *s = model_shape(w->m, op->in);
	struct reading reading = {w, s, into};
	struct span uri = model_str(w->m, op->uri);
	struct match match;
	int r;

	if (!s)
		return 0;
	if (!path_match(span_cut(&uri, '?'), wire_path(w->a, in), &match,
	    read_label, &reading))
		return w->err->code.n ? WIRE_E_REFUSED :
		    wire_refuse(w, NULL, "The path does not fit");
	for (size_t i = 0; i < s->n; i++)
		if ((r = read_member(w, s, model_members(w->m, s) + i, in,
		    into)))
			return r;
	return 0;
}

/* Writing */

void
wire_header_add(struct arena *a, struct wire_out *o, const char *name,
    struct span value)
{
	size_t old = o->n_headers * sizeof(*o->headers);

	o->headers = arena_grow(a, o->headers, old,
	    old + sizeof(*o->headers));
	o->headers[o->n_headers++] =
	    (struct wire_header){span_of(name), value};
}

static bool
needs_quotes(struct span s)
{
	return span_chr(s, ',') >= 0 || span_chr(s, '"') >= 0;
}

static struct span
header_list(const struct wire_walk *w, const struct model_member *mb,
    const struct doc *d)
{
	const struct model_member *el = model_members(w->m, wire_shape(w, mb));
	bool strings = wire_shape(w, el)->type == MODEL_STRING;
	enum model_time time = el->time == TIME_DEFAULT ? TIME_RFC822 :
	    (enum model_time)el->time;
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct span s;

	doc_each(v, d) {
		if (b.n)
			buf_add(&b, ", ", 2);
		s = wire_scalar_text(w, el, time, v);
		if (!strings || !needs_quotes(s)) {
			buf_add_span(&b, s);
			continue;
		}
		buf_add_char(&b, '"');
		for (size_t i = 0; i < s.n; i++) {
			if (s.p[i] == '"' || s.p[i] == '\\')
				buf_add_char(&b, '\\');
			buf_add_char(&b, s.p[i]);
		}
		buf_add_char(&b, '"');
	}
	return arena_span(w->a, buf_span(&b));
}

/* A line break in a value would end the header. */
static struct span
one_line(struct arena *a, struct span s)
{
	char *p;

	if (span_chr(s, '\r') < 0 && span_chr(s, '\n') < 0)
		return s;
	p = arena_str(a, s);
	for (size_t i = 0; i < s.n; i++)
		if (p[i] == '\r' || p[i] == '\n')
			p[i] = ' ';
	return span_make(p, s.n);
}

static struct span
json_value(const struct wire_walk *w, const struct doc *d)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct span json = doc_type(d) == DOC_STR ? doc_span(d) :
	    doc_json(w->a, d);

	buf_add_base64(&b, json.p, json.n);
	return arena_span(w->a, buf_span(&b));
}

static void
put_prefix_headers(const struct wire_walk *w, const struct model_member *mb,
    const struct doc *d, struct wire_out *o)
{
	struct span prefix = model_str(w->m, mb->wire);

	doc_each_key(k, v, d)
		wire_header_add(w->a, o, one_line(w->a, arena_fmt_span(w->a,
		    "%.*s%.*s", SPAN_ARG(prefix), SPAN_ARG(k))).p,
		    one_line(w->a, doc_span(v)));
}

static void
put_header(const struct wire_walk *w, const struct model_member *mb,
    const struct doc *d, struct wire_out *o)
{
	struct span v;

	if (mb->flags & MEMBER_JSON_VALUE)
		v = json_value(w, d);
	else if (wire_shape(w, mb)->type == MODEL_LIST)
		v = header_list(w, mb, d);
	else
		v = wire_scalar_text(w, mb, wire_time(w, mb), d);
	wire_header_add(w->a, o, model_str(w->m, mb->wire ? mb->wire :
	    mb->name).p, one_line(w->a, v));
}

void
wire_rest_put(const struct wire_walk *w, const struct model_shape *s,
    const struct doc *d, struct wire_out *o)
{
	const struct model_member *mb;
	size_t hint = 0;

	doc_each_key(k, v, d) {
		mb = wire_find_own(w, s, k, &hint);
		if (!mb || doc_type(v) == DOC_NULL)
			continue;
		switch ((enum model_location)mb->location) {
		case LOC_HEADER:
			put_header(w, mb, v, o);
			break;
		case LOC_HEADERS:
			put_prefix_headers(w, mb, v, o);
			break;
		case LOC_STATUS:
			o->status = (int)doc_i64(v, o->status);
			break;
		case LOC_BODY:
		case LOC_QUERY:
		case LOC_URI:
			break;
		}
	}
}
