/* Finds what a value refers to, without evaluating it. */
#include <ctype.h>

#include "cfn/internal.h"

struct span
cfn_function(const struct doc *d, struct doc **ret_arg)
{
	struct doc_iter it = doc_iter(d);
	struct doc *v;
	struct span k;

	if (doc_type(d) != DOC_OBJ || doc_len(d) != 1)
		return SPAN_NULL;
	v = doc_next(&it);
	k = doc_iter_key(&it);
	if (!span_is(k, "Ref") && !span_starts(k, SPAN("Fn::")))
		return SPAN_NULL;
	*ret_arg = v;
	return k;
}

bool
cfn_getatt(const struct doc *arg, struct span *ret_id, struct span *ret_attr,
    struct doc **ret_value)
{
	struct span s = doc_span(arg), id;

	*ret_value = NULL;
	if (doc_type(arg) == DOC_STR) {
		id = span_cut(&s, '.');
		if (!id.n || !s.n)
			return false;
		*ret_id = id;
		*ret_attr = s;
		return true;
	}
	if (doc_type(arg) != DOC_ARR || doc_len(arg) != 2)
		return false;
	id = doc_span(doc_at(arg, 0));
	s = doc_span(doc_at(arg, 1));
	if (!id.n || (!s.n && doc_type(doc_at(arg, 1)) != DOC_OBJ))
		return false;
	if (!s.n)
		*ret_value = doc_at(arg, 1);
	*ret_id = id;
	*ret_attr = s;
	return true;
}

enum cfn_piece
cfn_sub_next(struct span *rest, struct span *ret)
{
	ptrdiff_t at = span_find(*rest, SPAN("${")), end;
	struct span name;

	if (!rest->n)
		return CFN_PIECE_END;
	if (at != 0) {
		*ret = at < 0 ? *rest : span_to(*rest, (size_t)at);
		*rest = span_from(*rest, ret->n);
		return CFN_PIECE_TEXT;
	}
	end = span_chr(*rest, '}');
	if (end < 0) { /* never closed: text */
		*ret = *rest;
		*rest = SPAN_NULL;
		return CFN_PIECE_TEXT;
	}
	name = span_make(rest->p + 2, (size_t)end - 2);
	*rest = span_from(*rest, (size_t)end + 1);
	if (name.n && name.p[0] == '!') {
		*ret = span_from(name, 1);
		return CFN_PIECE_LITERAL;
	}
	name = span_trim(name);
	*ret = name;
	for (size_t i = 0; i < name.n; i++)
		if (!isalnum((unsigned char)name.p[i]) &&
		    !strchr("_.:", name.p[i]))
			return CFN_PIECE_BAD;
	return name.n ? CFN_PIECE_NAME : CFN_PIECE_BAD;
}

static int
walk_all(struct cfn_walk *w, const struct doc *value)
{
	doc_each(v, value)
		R(cfn_walk(w, v));
	return 0;
}

static int
walk_getatt(struct cfn_walk *w, const struct doc *arg)
{
	struct span id, attr;
	struct doc *value;

	if (!cfn_getatt(arg, &id, &attr, &value))
		return cfn_invalid(w->a, w->err, "Template error: every "
		    "Fn::GetAtt object requires two non-empty parameters, the "
		    "resource name and the resource attribute");
	R(w->use(w, CFN_USE_ATTR, id, attr, NULL));
	return value ? cfn_walk(w, value) : 0;
}

static int
walk_sub(struct cfn_walk *w, const struct doc *arg)
{
	struct doc *vars = NULL;
	struct span text, piece, attr;
	enum cfn_piece kind;

	if (doc_type(arg) == DOC_ARR && doc_len(arg) == 2) {
		vars = doc_at(arg, 1);
		arg = doc_at(arg, 0);
	}
	if (doc_type(arg) != DOC_STR || (vars && doc_type(vars) != DOC_OBJ))
		return cfn_invalid(w->a, w->err, "Template error: One or more "
		    "Fn::Sub intrinsic functions don't specify expected "
		    "arguments. Specify a string as first argument, and an "
		    "optional second argument to specify a mapping of values "
		    "to replace in the string");
	text = doc_span(arg);
	while ((kind = cfn_sub_next(&text, &piece)) != CFN_PIECE_END) {
		if (kind == CFN_PIECE_BAD)
			return cfn_invalid(w->a, w->err, "Template error: "
			    "variable names in Fn::Sub syntax must contain "
			    "only alphanumeric characters, underscores, "
			    "periods, and colons");
		if (kind != CFN_PIECE_NAME || doc_getn(vars, piece))
			continue;
		attr = piece;
		piece = span_cut(&attr, '.');
		R(w->use(w, attr.p ? CFN_USE_ATTR : CFN_USE_REF, piece, attr,
		    NULL));
	}
	return walk_all(w, vars);
}

static int
walk_if(struct cfn_walk *w, const struct doc *arg)
{
	struct span name = doc_span(doc_at(arg, 0));
	const struct doc *known;

	if (doc_type(arg) != DOC_ARR || doc_len(arg) != 3 ||
	    doc_type(doc_at(arg, 0)) != DOC_STR)
		return cfn_invalid(w->a, w->err, "Template error: Fn::If "
		    "requires a list argument with the first element being a "
		    "condition");
	R(w->use(w, CFN_USE_CONDITION, name, SPAN("Fn::If"), NULL));
	known = w->conditions ? doc_getn(w->conditions, name) : NULL;
	if (!known || doc_true(known))
		R(cfn_walk(w, doc_at(arg, 1)));
	if (!known || !doc_true(known))
		R(cfn_walk(w, doc_at(arg, 2)));
	return 0;
}

static int
walk_function(struct cfn_walk *w, struct span fn, const struct doc *arg)
{
	if (span_is(fn, "Ref")) {
		if (doc_type(arg) != DOC_STR)
			return cfn_invalid(w->a, w->err, "Template format "
			    "error: Every Ref object must have a single "
			    "String value.");
		return w->use(w, CFN_USE_REF, doc_span(arg), SPAN_NULL, NULL);
	}
	if (span_is(fn, "Fn::GetAtt"))
		return walk_getatt(w, arg);
	if (span_is(fn, "Fn::Sub"))
		return walk_sub(w, arg);
	if (span_is(fn, "Fn::If"))
		return walk_if(w, arg);
	if (span_is(fn, "Fn::FindInMap") &&
	    doc_type(doc_at(arg, 0)) == DOC_STR)
		R(w->use(w, CFN_USE_MAP, doc_span(doc_at(arg, 0)), SPAN_NULL,
		    NULL));
	if (span_is(fn, "Fn::ImportValue"))
		R(w->use(w, CFN_USE_IMPORT, SPAN_NULL, SPAN_NULL, arg));
	return cfn_walk(w, arg);
}

int
cfn_walk(struct cfn_walk *w, const struct doc *value)
{
	struct doc *arg = NULL;
	struct span fn;

	if (doc_type(value) == DOC_ARR)
		return walk_all(w, value);
	if (doc_type(value) != DOC_OBJ)
		return 0;
	fn = cfn_function(value, &arg);
	if (fn.n)
		return walk_function(w, fn, arg);
	if (w->in_condition && doc_len(value) == 1 &&
	    doc_type(doc_get(value, "Condition")) == DOC_STR)
		return w->use(w, CFN_USE_CONDITION,
		    doc_get_str(value, "Condition"), SPAN_NULL, NULL);
	return walk_all(w, value);
}
