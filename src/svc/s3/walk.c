/* The walk of all listings. */
#include "svc/s3/walk.h"

#include "base/err.h"

/* Rows read at once: few while prefixes are being jumped over. */
#define STEP_MIN 4

struct reply *
walk_begin(struct call *c, const char *member, const char *name,
    struct walk *ret)
{
	struct span encoding = doc_get_str(c->in, "EncodingType");
	struct res *bucket;
	int64_t asked = 0;
	struct reply *no = s3_find_bucket(c, &bucket);

	if (no || (no = s3_read_count(c, member, name, WALK_MAX, &asked)))
		return no;
	if (encoding.n && !span_is(encoding, "url"))
		return s3_invalid(c, "encoding-type", encoding,
		    "Invalid Encoding Method specified in Request");
	*ret = (struct walk){.c = c, .bucket = bucket, .asked = asked,
	    .prefix = doc_get_str(c->in, "Prefix"),
	    .delimiter = doc_get_str(c->in, "Delimiter"),
	    .max = (size_t)MIN(asked, WALK_MAX)};
	return NULL;
}

struct span
walk_key(const struct res *row)
{
	ptrdiff_t zero = span_chr(row->id, 0);

	return zero < 0 ? row->id : span_to(row->id, (size_t)zero);
}

/* The common prefix that rolls key up; p NULL: none. */
static struct span
rolled(const struct walk *w, struct span key)
{
	ptrdiff_t i = w->delimiter.n ?
	    span_find(span_from(key, w->prefix.n), w->delimiter) : -1;

	return i < 0 ? SPAN_NULL :
	    span_to(key, w->prefix.n + (size_t)i + w->delimiter.n);
}

void
walk_start_after(struct walk *w, struct span marker)
{
	struct span p = span_starts(marker, w->prefix) ? rolled(w, marker) :
	    SPAN_NULL;

	if (!marker.n)
		return;
	/* What follows a key and a zero byte is the key's. */
	w->from = p.p && p.n == marker.n ? s3_successor(w->c->arena, p) :
	    arena_fmt_span(w->c->arena, "%.*s\x01", SPAN_ARG(marker));
	w->after = false;
}

static bool
is_full(struct walk *w, struct span at)
{
	if (w->n < w->max)
		return false;
	w->truncated = true;
	w->resume = at;
	return true;
}

static void
tell_prefix(struct walk *w, struct span p)
{
	struct doc *d = doc_obj(w->c->arena);

	doc_set_str(w->c->arena, d, "Prefix", s3_encoded(w->c, p));
	doc_push(w->prefixes, d);
	w->last = p;
	w->row = NULL;
	w->n++;
}

/* Takes rows until one is rolled up: *ret_jump is then where to go on. */
static void
take(struct walk *w, const struct res_list *l, struct span *ret_jump)
{
	for (size_t i = 0; i < l->n; i++) {
		struct span key = walk_key(l->v[i]), p = rolled(w, key);

		if (is_full(w, p.p ? p : l->v[i]->id))
			return;
		if (p.p) {
			tell_prefix(w, p);
			*ret_jump = s3_successor(w->c->arena, p);
			return;
		}
		w->tell(w, l->v[i]);
		w->last = key;
		w->row = l->v[i];
		w->n++;
	}
}

void
walk_merge(struct arena *a, const struct res_list *x, const struct res_list *y,
    struct res_list *ret)
{
	struct res_list l = {.v = arena_array(a, struct res *, x->n + y->n + 1),
	    .more = x->more || y->more};
	size_t i = 0, j = 0;

	while ((i < x->n || !x->more) && (j < y->n || !y->more) &&
	    (i < x->n || j < y->n)) {
		if (j == y->n || (i < x->n &&
		    span_cmp(x->v[i]->id, y->v[j]->id) < 0))
			l.v[l.n++] = x->v[i++];
		else
			l.v[l.n++] = y->v[j++];
	}
	*ret = l;
}

static int
fetch(struct walk *w, struct id_range *q, struct res_list *ret)
{
	struct res_list l[2];
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(l) && w->kinds[i]; i++) {
		q->kind = w->kinds[i];
		if ((r = store_list_ids(w->c->store, w->c->arena, q, &l[i])))
			return err_fold(r);
	}
	if (w->kinds[1])
		walk_merge(w->c->arena, &l[0], &l[1], ret);
	else
		*ret = l[0];
	return 0;
}

int
walk_run(struct walk *w)
{
	struct id_range q = {.scope = w->c->scope, .parent = w->bucket->id,
	    .until = s3_successor(w->c->arena, w->prefix)};
	size_t step = w->delimiter.n ? STEP_MIN : w->max + 1;
	struct res_list l = {0};
	struct span jump;
	int r;

	w->prefixes = doc_arr(w->c->arena);
	q.from = w->from;
	q.after = w->after;
	if (span_cmp(q.from, w->prefix) < 0) {
		q.from = w->prefix;
		q.after = false;
	}
	while (w->max && !w->truncated) {
		q.limit = step;
		if ((r = fetch(w, &q, &l)) < 0)
			return err_trace(r);
		jump = SPAN_NULL;
		take(w, &l, &jump);
		if (w->truncated || (!jump.p && !l.more))
			break;
		q.from = jump.p ? jump : l.v[l.n - 1]->id;
		q.after = !jump.p;
		step = jump.p ? STEP_MIN : MIN(step * 2, WALK_MAX + 1);
	}
	return 0;
}

struct doc *
walk_answer(struct walk *w, const char *member)
{
	struct call *c = w->c;
	struct doc *out = doc_obj(c->arena);

	doc_set_str(c->arena, out, "Prefix", s3_encoded(c, w->prefix));
	if (w->delimiter.n)
		doc_set_str(c->arena, out, "Delimiter",
		    s3_encoded(c, w->delimiter));
	if (doc_get(c->in, "EncodingType"))
		doc_set_str(c->arena, out, "EncodingType", SPAN("url"));
	doc_set_int(c->arena, out, member, w->asked);
	doc_set_bool(c->arena, out, "IsTruncated", w->truncated);
	return doc_set(c->arena, out, "CommonPrefixes", w->prefixes);
}
