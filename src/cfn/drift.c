/* What is, held against what is to be: see cfn/drift.h. */
#include "cfn/drift.h"

#include "cfn/internal.h"
#include "wire/model.h"

/* Outputs as properties */

struct fit {
	struct arena *a;
	const struct model *m;
	const char *map;
};

static void fit(struct fit *f, const struct model_shape *s, struct span path,
    const struct doc *want, const struct doc *have, struct doc **ret_want,
    struct doc **ret_have);

/* Along a path of members, * being "of each".  false: the shape has no such
 * place; *have may become NULL. */
static bool
descend(struct fit *f, const struct model_shape **s, const struct doc **have,
    struct span path)
{
	struct span rest = path, key;
	const struct model_member *mb;
	uint64_t i;

	while (rest.p && rest.n) {
		key = span_cut(&rest, '.');
		if (span_is(key, "*")) {
			struct doc *all = doc_arr(f->a);
			const struct model_shape *of = *s;

			if (of->type != MODEL_LIST)
				return false;
			of = model_shape(f->m, model_members(f->m, of)->shape);
			*s = of;
			doc_each(e, *have) {
				const struct doc *one = e;

				*s = of;
				if (descend(f, s, &one, rest) && one)
					doc_push(all, doc_copy(f->a, one));
			}
			*have = *have ? all : NULL;
			if (!doc_len(all)) {
				const struct doc *none = NULL;

				*s = of;
				return descend(f, s, &none, rest);
			}
			return true;
		}
		if ((*s)->type == MODEL_LIST && span_u64(key, &i)) {
			*s = model_shape(f->m, model_members(f->m, *s)->shape);
			*have = doc_at(*have, (size_t)i);
			continue;
		}
		if ((*s)->type != MODEL_STRUCTURE)
			return false;
		if (!(mb = cfn_member(f->m, *s, key)))
			return false;
		*s = model_shape(f->m, mb->shape);
		*have = doc_getn(*have, model_str(f->m, mb->name));
	}
	return true;
}

static void
fit_members(struct fit *f, const struct model_shape *s, struct span path,
    const struct doc *want, const struct doc *have, struct doc *ret_want,
    struct doc *ret_have)
{
	doc_each_key(k, v, want) {
		struct span p = path.n ? arena_fmt_span(f->a, "%.*s.%.*s",
		    SPAN_ARG(path), SPAN_ARG(k)) : k;
		struct span to = cfn_exception(f->map, p);
		const struct model_shape *inner = s;
		const struct doc *there = have;
		struct doc *w = NULL, *h = NULL;

		if (span_is(to, "."))
			to = SPAN_NULL;
		else if (!to.n)
			to = k;
		if (!descend(f, &inner, &there, to))
			continue;
		fit(f, inner, p, v, there, &w, &h);
		if (w)
			doc_setn(f->a, ret_want, k, w);
		if (w && h)
			doc_setn(f->a, ret_have, k, h);
	}
}

/* All members that any element of a list has. */
static struct doc *
sample(struct fit *f, const struct doc *list)
{
	struct doc *out = doc_obj(f->a);

	doc_each(e, list) {
		if (doc_type(e) != DOC_OBJ)
			return doc_copy(f->a, e);
		doc_each_key(k, v, e)
			doc_setn(f->a, out, k, doc_copy(f->a, v));
	}
	return out;
}

static struct doc *
pair(struct arena *a, struct span key, const struct doc *value)
{
	struct doc *o = doc_set_str(a, doc_obj(a), "Key", key);

	return doc_set(a, o, "Value", doc_copy(a, value));
}

/* {key: value} of [{Key, Value}], and the other way round. */
static struct doc *
turned(struct arena *a, const struct doc *d)
{
	bool pairs = doc_type(d) == DOC_ARR;
	struct doc *out = pairs ? doc_obj(a) : doc_arr(a);

	doc_each_key(k, v, d) {
		struct span key = doc_get_str(v, "Key");

		if (!key.n)
			key = doc_get_str(v, "TagKey");
		if (pairs)
			doc_setn(a, out, key, doc_copy(a, doc_get(v, "Value") ?
				doc_get(v, "Value") : doc_get(v, "TagValue")));
		else
			doc_push(out, pair(a, k, v));
	}
	return out;
}

static void
fit_list(struct fit *f, const struct model_shape *s, struct span path,
    const struct doc *want, const struct doc *have, struct doc **ret_want,
    struct doc **ret_have)
{
	const struct model_shape *of = s->type == MODEL_LIST ?
	    model_shape(f->m, model_members(f->m, s)->shape) : s;
	const struct doc *like = sample(f, want);
	struct doc *w, *h;

	*ret_want = doc_arr(f->a);
	*ret_have = have ? doc_arr(f->a) : NULL;
	doc_each(v, want) {
		w = h = NULL;
		fit(f, of, path, v, NULL, &w, &h);
		if (w)
			doc_push(*ret_want, w);
	}
	doc_each(v, have) {
		w = h = NULL;
		fit(f, of, path, like, v, &w, &h);
		if (h)
			doc_push(*ret_have, h);
	}
}

/* A text that is JSON, maybe with %XX as IAM gives its policies. */
static struct doc *
json_in(struct arena *a, struct span text)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct doc *d = NULL;

	if (span_starts(text, SPAN("%7B"))) {
		buf_add_unuri(&b, text, false);
		text = arena_span(a, buf_span(&b));
	}
	return doc_parse_json(a, text, &d) ? NULL : d;
}

static void
fit_json(struct fit *f, const struct doc *want, const struct doc *have,
    struct doc **ret_have)
{
	const struct doc *as = doc_type(want) == DOC_STR ?
	    json_in(f->a, doc_span(want)) : want;
	struct doc *is = json_in(f->a, doc_span(have));

	if (as && is && cfn_same(f->a, as, is))
		*ret_have = doc_copy(f->a, want);
	else
		*ret_have = doc_copy(f->a, have);
}

/* EC2 wraps the values of attributes. */
static bool
is_wrapped(const struct fit *f, const struct model_shape *s)
{
	return s->type == MODEL_STRUCTURE && s->n == 1 && span_is(model_str(f->m,
	    model_members(f->m, s)->name), "Value");
}

static void
fit(struct fit *f, const struct model_shape *s, struct span path,
    const struct doc *want, const struct doc *have, struct doc **ret_want,
    struct doc **ret_have)
{
	enum doc_type t = doc_type(want);

	if (t != DOC_OBJ && is_wrapped(f, s)) {
		have = doc_get(have, "Value");
		s = model_shape(f->m, model_members(f->m, s)->shape);
	}
	if (t == DOC_OBJ && s->type == MODEL_STRUCTURE &&
	    !(s->flags & SHAPE_DOCUMENT)) {
		*ret_want = doc_obj(f->a);
		*ret_have = have ? doc_obj(f->a) : NULL;
		fit_members(f, s, path, want, have, *ret_want,
		    have ? *ret_have : doc_obj(f->a));
		return;
	}
	if ((t == DOC_ARR && s->type == MODEL_MAP) ||
	    (t == DOC_OBJ && s->type == MODEL_LIST)) {
		*ret_want = doc_copy(f->a, want);
		*ret_have = have ? turned(f->a, have) : NULL;
		return;
	}
	if (t == DOC_ARR && s->type != MODEL_STRING) {
		fit_list(f, s, path, want, have, ret_want, ret_have);
		return;
	}
	*ret_want = doc_copy(f->a, want);
	if (doc_type(have) == DOC_STR && s->type == MODEL_STRING &&
	    (t == DOC_OBJ || t == DOC_ARR ||
		span_starts(doc_span(want), SPAN("{"))))
		fit_json(f, want, have, ret_have);
	else
		*ret_have = have ? doc_copy(f->a, have) : NULL;
}

static const struct model_shape *
place(struct fit *f, const struct cfn_source *from)
{
	const struct model_shape *s = model_shape(f->m, from->op->out);
	const struct doc *none = NULL;

	if (!s || !descend(f, &s, &none, span_of(from->at)))
		return NULL;
	return s;
}

void
cfn_output(struct arena *a, const struct cfn_source *from,
    const struct doc *want, const struct doc *found, struct doc *want_known,
    struct doc *have)
{
	struct fit f = {a, from->op->model, from->map};
	const struct model_shape *s = place(&f, from);

	AN(s);
	fit_members(&f, s, SPAN_NULL, want, found, want_known, have);
}

bool
cfn_source_ok(const struct cfn_source *from, const struct doc *want,
    struct arena *a, struct span *ret_missing)
{
	struct fit f = {a, from->op->model, from->map};
	const struct model_shape *s = place(&f, from);
	struct doc *known = doc_obj(a);

	*ret_missing = SPAN_NULL;
	if (!s)
		return false;
	fit_members(&f, s, SPAN_NULL, want, NULL, known, doc_obj(a));
	doc_each_key(k, v, want)
		if (!doc_getn(known, k))
			*ret_missing = k;
	return !ret_missing->n;
}

/* Differences */

static struct span
shown(struct arena *a, const struct doc *v)
{
	if (!v)
		return SPAN("null");
	return cfn_is_scalar(v) ? cfn_scalar_text(a, v) : doc_json(a, v);
}

static void
differ(struct arena *a, struct doc *list, const char *path,
    const struct doc *want, const struct doc *have)
{
	struct doc *d = doc_obj(a);

	doc_set_str(a, d, "PropertyPath", span_of(path));
	doc_set_str(a, d, "ExpectedValue", shown(a, want));
	doc_set_str(a, d, "ActualValue", shown(a, have));
	doc_set_str(a, d, "DifferenceType", !want ? SPAN("ADD") :
	    !have ? SPAN("REMOVE") : SPAN("NOT_EQUAL"));
	doc_push(list, d);
}

static void compare(struct arena *a, struct doc *list, const char *path,
    const struct doc *want, const struct doc *have, bool inside);

/* As sets: what has its equal on the other side is no difference. */
static void
compare_lists(struct arena *a, struct doc *list, const char *path,
    const struct doc *want, const struct doc *have)
{
	size_t n = doc_len(want), m = doc_len(have), i = 0, k;
	const struct doc **w = arena_array(a, const struct doc *, n + 1);
	const struct doc **h = arena_array(a, const struct doc *, m + 1);

	doc_each(v, want)
		w[i++] = v;
	i = 0;
	doc_each(v, have)
		h[i++] = v;
	for (i = 0; i < n; i++)
		for (k = 0; k < m && w[i]; k++) {
			struct doc *d = doc_arr(a);

			if (!h[k])
				continue;
			compare(a, d, path, w[i], h[k], true);
			if (!doc_len(d))
				w[i] = h[k] = NULL;
		}
	for (i = k = 0; i < MAX(n, m); i++) {
		char *at = arena_fmt(a, "%s/%zu", path, i);

		if (i < n && !w[i])
			continue;
		while (k < m && !h[k])
			k++;
		if (i < n && k < m)
			compare(a, list, at, w[i], h[k++], true);
		else if (i < n)
			differ(a, list, at, w[i], NULL);
	}
	for (; k < m; k++)
		if (h[k])
			differ(a, list, arena_fmt(a, "%s/%zu", path, k), NULL,
			    h[k]);
}

static bool
is_empty(const struct doc *d)
{
	return !d || ((doc_type(d) == DOC_ARR || doc_type(d) == DOC_OBJ) &&
	    doc_len(d) == 0);
}

static void
compare(struct arena *a, struct doc *list, const char *path,
    const struct doc *want, const struct doc *have, bool inside)
{
	if (is_empty(want) && is_empty(have))
		return;
	if (!have || !want) {
		differ(a, list, path, want, have);
	} else if (doc_type(want) == DOC_OBJ && doc_type(have) == DOC_OBJ) {
		doc_each_key(k, v, want)
			compare(a, list, arena_fmt(a, "%s/%.*s", path,
			    SPAN_ARG(k)), v, doc_getn(have, k), inside);
		/* In a list's elements the service fills in what it likes. */
		doc_each_key(k, v, have)
			if (!inside && !doc_getn(want, k))
				differ(a, list, arena_fmt(a, "%s/%.*s", path,
				    SPAN_ARG(k)), NULL, v);
	} else if (doc_type(want) == DOC_ARR && doc_type(have) == DOC_ARR) {
		compare_lists(a, list, path, want, have);
	} else if (!cfn_same(a, want, have)) {
		differ(a, list, path, want, have);
	}
}

struct doc *
cfn_drift(struct arena *a, const struct doc *want, const struct doc *have)
{
	struct doc *list = doc_arr(a);

	compare(a, list, "", want, have, false);
	return list;
}
