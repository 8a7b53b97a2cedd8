/* Fn::ForEach of AWS::LanguageExtensions: loops in objects, before anything
 * else is looked at.
 * AWS: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-foreach.html */
#include <ctype.h>

#include "cfn/internal.h"

/* What all loops together may make: rounds and members, and bytes. */
#define MAX_MEMBERS 20000
#define MAX_BYTES   ((size_t)64 << 20)

struct expand {
	struct arena *a;
	const struct cfn_stack *s;
	struct cfn_error *err;
	size_t made;
	size_t room; /* the arena's size at which loops end */
};

static int expand(struct expand *x, const struct doc *v, struct doc **ret);

/* "${Name}" is the item, "&{Name}" only its letters and digits. */
static struct span
put(struct arena *a, struct span text, struct span name, struct span item)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct span key = arena_fmt_span(a, "{%.*s}", SPAN_ARG(name));
	ptrdiff_t at;

	while ((at = span_find(text, key)) >= 0) {
		char sign = at > 0 ? text.p[at - 1] : 0;

		if (sign != '$' && sign != '&') {
			buf_add_span(&b, span_to(text, (size_t)at + key.n));
		} else {
			buf_add_span(&b, span_to(text, (size_t)at - 1));
			for (size_t i = 0; i < item.n; i++)
				if (sign == '$' ||
				    isalnum((unsigned char)item.p[i]))
					buf_add_char(&b, item.p[i]);
		}
		text = span_from(text, (size_t)at + key.n);
	}
	buf_add_span(&b, text);
	return arena_span(a, buf_span(&b));
}

static struct doc *
replace(struct arena *a, const struct doc *v, struct span name,
    struct span item)
{
	struct doc *out, *arg = NULL;

	if (doc_type(v) == DOC_STR)
		return doc_str(a, put(a, doc_span(v), name, item));
	if (doc_type(v) == DOC_ARR) {
		out = doc_arr(a);
		doc_each(x, v)
			doc_push(out, replace(a, x, name, item));
		return out;
	}
	if (doc_type(v) != DOC_OBJ)
		return doc_copy(a, v);
	if (span_is(cfn_function(v, &arg), "Ref") &&
	    span_eq(doc_span(arg), name))
		return doc_strdup(a, item);
	out = doc_obj(a);
	doc_each_key(k, x, v)
		doc_append(a, out, put(a, k, name, item),
		    replace(a, x, name, item));
	return out;
}

static int
bad_loop(struct expand *x, struct span key)
{
	return cfn_invalid(x->a, x->err, "Transform AWS::LanguageExtensions "
	    "failed with: %.*s layout is incorrect", SPAN_ARG(key));
}

static int
count(struct expand *x)
{
	if (++x->made > MAX_MEMBERS || arena_bytes(x->a) > x->room)
		return cfn_invalid(x->a, x->err, "Transform "
		    "AWS::LanguageExtensions failed with: loops make too many "
		    "members");
	return 0;
}

static int
add_members(struct expand *x, struct doc *to, const struct doc *from)
{
	doc_each_key(k, v, from) {
		R(count(x));
		if (doc_getn(to, k))
			return cfn_invalid(x->a, x->err, "Transform "
			    "AWS::LanguageExtensions failed with: duplicate "
			    "key '%.*s'", SPAN_ARG(k));
		doc_append(x->a, to, k, doc_copy(x->a, v));
	}
	return 0;
}

static int
loop(struct expand *x, struct span key, const struct doc *arg, struct doc *to)
{
	struct span name = doc_span(doc_at(arg, 0));
	const struct doc *body = doc_at(arg, 2);
	struct doc *items, *out;

	if (doc_type(arg) != DOC_ARR || doc_len(arg) != 3 || !name.n ||
	    doc_type(body) != DOC_OBJ)
		return bad_loop(x, key);
	R(cfn_eval(x->a, x->s, doc_at(arg, 1), 0, &items, x->err));
	if (doc_type(items) != DOC_ARR)
		return bad_loop(x, key);
	doc_each(item, items) {
		if (!cfn_is_scalar(item))
			return bad_loop(x, key);
		R(count(x));
		R(expand(x, replace(x->a, body, name,
		    cfn_scalar_text(x->a, item)), &out));
		R(add_members(x, to, out));
	}
	return 0;
}

static int
expand(struct expand *x, const struct doc *v, struct doc **ret)
{
	struct doc *out, *d;

	if (doc_type(v) == DOC_ARR) {
		out = doc_arr(x->a);
		doc_each(e, v) {
			R(expand(x, e, &d));
			doc_push(out, d);
		}
	} else if (doc_type(v) == DOC_OBJ) {
		out = doc_obj(x->a);
		doc_each_key(k, e, v) {
			if (span_starts(k, SPAN("Fn::ForEach::"))) {
				R(loop(x, k, e, out));
				continue;
			}
			R(expand(x, e, &d));
			doc_append(x->a, out, k, d);
		}
	} else {
		out = doc_copy(x->a, v);
	}
	*ret = out;
	return 0;
}

int
cfn_expand(struct arena *a, const struct cfn_stack *s, const struct doc *in,
    struct doc **ret, struct cfn_error *err)
{
	struct expand x = {.a = a, .s = s, .err = err,
	    .room = arena_bytes(a) + MAX_BYTES};

	return expand(&x, in, ret);
}
