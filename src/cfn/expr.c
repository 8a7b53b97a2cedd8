/* Expressions of resource types: see cfn/type.h. */
#include "cfn/type.h"

static struct doc *
walk(struct arena *a, const struct doc *d, struct span path)
{
	struct span rest = path, key;
	struct doc *out, *one;
	uint64_t i;

	while (d && rest.p) {
		key = span_cut(&rest, '.');
		if (span_is(key, "*")) {
			out = doc_arr(a);
			doc_each(v, d)
				if ((one = walk(a, v, rest)))
					doc_push(out, one);
			return out;
		}
		d = doc_type(d) == DOC_ARR && span_u64(key, &i) ?
		    doc_at(d, (size_t)i) : doc_getn(d, key);
	}
	return d && doc_type(d) != DOC_NULL ? doc_copy(a, d) : NULL;
}

static struct doc *
text(struct arena *a, struct span s)
{
	return s.n ? doc_strdup(a, s) : NULL;
}

static struct doc *
after(struct cfn_run *run, const struct doc *d, struct span mark)
{
	ptrdiff_t at = span_find(doc_span(d), mark);

	return at < 0 ? NULL : text(run->arena,
	    span_from(doc_span(d), (size_t)at + mark.n));
}

static struct doc *
lookup(struct cfn_run *run, struct span name)
{
	struct span rest = name, head;
	struct arena *a = run->arena;
	const struct doc *d;
	ptrdiff_t cut = span_chr(name, '>');

	if (cut >= 0)
		return after(run, lookup(run, span_to(name, (size_t)cut)),
		    span_from(name, (size_t)cut + 1));
	head = span_cut(&rest, '.');
	if (span_is(head, "p"))
		return walk(a, run->props, rest);
	if (span_is(head, "o"))
		return walk(a, run->out, rest);
	if (span_is(head, "a")) {
		/* Names of attributes have dots of their own. */
		d = doc_getn(run->attrs, rest);
		return d ? doc_copy(a, d) : walk(a, run->attrs, rest);
	}
	if (span_is(name, "ref"))
		return text(a, run->ref);
	if (span_is(name, "account"))
		return text(a, run->scope.account);
	if (span_is(name, "region"))
		return text(a, run->scope.region);
	if (span_is(name, "partition"))
		return text(a, SPAN("aws"));
	if (span_is(name, "stack"))
		return text(a, run->stack);
	if (span_is(name, "stackid"))
		return text(a, run->stack_id);
	if (span_is(name, "logical"))
		return text(a, run->logical);
	if (span_is(name, "random"))
		return text(a, run->random);
	if (span_is(name, "token"))
		return text(a, run->token);
	WRONG("an expression that is not known");
}

/* NULL when a part of it is not there. */
static struct doc *
interpolate(struct cfn_run *run, struct span s)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	ptrdiff_t at, end;
	struct doc *v;

	while ((at = span_find(s, SPAN("${"))) >= 0) {
		buf_add_span(&b, span_to(s, (size_t)at));
		s = span_from(s, (size_t)at + 2);
		end = span_chr(s, '}');
		AN(end >= 0);
		v = lookup(run, span_to(s, (size_t)end));
		if (!v)
			return NULL;
		buf_add_span(&b, doc_type(v) == DOC_STR ? doc_span(v) :
			doc_json(run->arena, v));
		s = span_from(s, (size_t)end + 1);
	}
	buf_add_span(&b, s);
	return doc_strdup(run->arena, buf_span(&b));
}

static struct doc *
eval(struct cfn_run *run, const struct doc *d)
{
	struct arena *a = run->arena;
	struct span s = doc_span(d);
	struct doc *out, *one;

	if (doc_type(d) == DOC_STR)
		return s.n > 1 && s.p[0] == '$' && s.p[1] != '{' ?
		    lookup(run, span_from(s, 1)) : interpolate(run, s);
	if (doc_type(d) != DOC_ARR && doc_type(d) != DOC_OBJ)
		return doc_copy(a, d);
	out = doc_type(d) == DOC_ARR ? doc_arr(a) : doc_obj(a);
	doc_each_key(k, v, d) {
		if (!(one = eval(run, v)))
			continue;
		if (doc_type(d) == DOC_ARR)
			doc_push(out, one);
		else
			doc_setn(a, out, arena_span(a, k), one);
	}
	return out;
}

struct doc *
cfn_expr(struct cfn_run *run, const char *expr)
{
	struct doc *d;
	char *json;

	if (expr[0] != '{' && expr[0] != '[')
		return eval(run, doc_str(run->arena, span_of(expr)));
	json = arena_str(run->arena, span_of(expr));
	for (char *p = json; *p; p++)
		if (*p == '\'')
			*p = '"';
	AZ(doc_parse_json(run->arena, span_of(json), &d));
	return eval(run, d);
}
