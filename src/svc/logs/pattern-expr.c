/* Conditions joined by && and ||, over JSON members and over fields. */
#include <ctype.h>

#include "svc/logs/pattern-internal.h"

#define DEPTH_MAX  32
#define FIELDS_MAX 256

enum op { OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, OP_NULL, OP_TRUE, OP_FALSE,
	OP_ABSENT };

/* One step of a selector: a member, an element, or every element. */
struct step {
	struct span key;
	int64_t index; /* -1: all */
	bool is_key;
	struct step *next;
};

struct expr {
	enum { EXPR_AND, EXPR_OR, EXPR_TEST } kind;
	struct expr *a, *b;
	enum op op;
	struct value value;
	struct step *path; /* of a JSON test */
};

/* Either form reads its tests by this. */
struct grammar {
	bool json;
	struct span field; /* [ ]: the field whose condition it is */
};

static bool parse_or(struct scan *s, const struct grammar *g,
    struct expr **ret);

/* Selectors: $.a.b[0]['c d'][*].e */

static bool
name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' ||
	    !isascii((unsigned char)c);
}

static bool
scan_name(struct scan *s, struct span *ret)
{
	const char *start = s->p;

	while (s->p < s->end && name_char(*s->p))
		s->p++;
	*ret = span_make(start, (size_t)(s->p - start));
	return ret->n > 0 || scan_fail(s);
}

/* After "[": an index, '*', or a quoted name. */
static bool
scan_bracket(struct scan *s, struct step *st)
{
	struct span rest = span_make(s->p, (size_t)(s->end - s->p));
	ptrdiff_t end = span_chr(rest, ']');
	struct span in = span_trim(span_to(rest, end < 0 ? 0 : (size_t)end));
	uint64_t n;

	if (end < 0 || in.n == 0)
		return scan_fail(s);
	s->p += end + 1;
	st->index = -1;
	if (span_is(in, "*"))
		return true;
	if (in.n > 2 && (in.p[0] == '\'' || in.p[0] == '"') &&
	    in.p[in.n - 1] == in.p[0]) {
		st->is_key = true;
		st->key = span_make(in.p + 1, in.n - 2);
		return true;
	}
	if (!span_u64(in, &n) || n > INT32_MAX)
		return scan_fail(s);
	st->index = (int64_t)n;
	return true;
}

static bool
scan_selector(struct scan *s, struct step **ret)
{
	if (!scan_take(s, "$"))
		return scan_fail(s);
	*ret = NULL;
	for (;;) {
		struct step *st = arena_new_of(s->a, struct step);

		if (scan_take(s, "[")) {
			if (!scan_bracket(s, st))
				return false;
		} else if (scan_take(s, ".")) {
			/* "$.[0]" is how AWS names an element of the root. */
			if (s->p < s->end && *s->p == '[')
				continue;
			st->is_key = true;
			if (!scan_name(s, &st->key))
				return false;
		} else {
			return true;
		}
		*ret = st;
		ret = &st->next;
	}
}

/* Tests */

static bool
scan_keyword(struct scan *s, const char *word)
{
	struct span rest = span_make(s->p, (size_t)(s->end - s->p));
	size_t n = strlen(word);

	if (!span_ieq(span_to(rest, n), span_of(word)) ||
	    (rest.n > n && name_char(rest.p[n])))
		return false;
	s->p += n;
	scan_blanks(s);
	return true;
}

static bool
scan_is(struct scan *s, enum op *ret)
{
	static const struct {
		const char *word;
		enum op op;
	} rows[] = {{"NULL", OP_NULL}, {"TRUE", OP_TRUE}, {"FALSE", OP_FALSE}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (scan_keyword(s, rows[i].word)) {
			*ret = rows[i].op;
			return true;
		}
	return scan_fail(s);
}

/* False and no reason: there is no operator here. */
static bool
scan_operator(struct scan *s, enum op *ret)
{
	static const struct {
		const char *text;
		enum op op;
	} rows[] = {{"!=", OP_NE}, {"<=", OP_LE}, {">=", OP_GE}, {"=", OP_EQ},
	    {"<", OP_LT}, {">", OP_GT}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (scan_take(s, rows[i].text)) {
			*ret = rows[i].op;
			return true;
		}
	return false;
}

static bool
orders(enum op op)
{
	return op == OP_LT || op == OP_LE || op == OP_GT || op == OP_GE;
}

static bool
parse_test(struct scan *s, const struct grammar *g, struct expr **ret)
{
	struct expr *e = arena_new_of(s->a, struct expr);
	struct span name;

	e->kind = EXPR_TEST;
	*ret = e;
	if (g->json) {
		if (!scan_selector(s, &e->path))
			return false;
	} else if (!scan_name(s, &name) || !span_eq(name, g->field)) {
		return scan_fail(s);
	}
	scan_blanks(s);
	if (g->json && scan_keyword(s, "IS"))
		return scan_is(s, &e->op);
	if (g->json && scan_keyword(s, "NOT")) {
		e->op = OP_ABSENT;
		return scan_keyword(s, "EXISTS") || scan_fail(s);
	}
	if (!scan_operator(s, &e->op))
		return scan_fail(s);
	scan_blanks(s);
	if (!scan_value(s, &e->value))
		return false;
	return !orders(e->op) || e->value.kind == VALUE_NUMBER ||
	    scan_fail(s);
}

static bool
parse_unit(struct scan *s, const struct grammar *g, struct expr **ret)
{
	bool ok;

	scan_blanks(s);
	if (!scan_take(s, "("))
		return parse_test(s, g, ret);
	if (s->depth == DEPTH_MAX)
		return scan_fail(s);
	s->depth++;
	ok = parse_or(s, g, ret);
	s->depth--;
	return ok && (scan_take(s, ")") || scan_fail(s));
}

static struct expr *
join(struct scan *s, int kind, struct expr *a, struct expr *b)
{
	struct expr *e = arena_new_of(s->a, struct expr);

	e->kind = kind;
	e->a = a;
	e->b = b;
	return e;
}

static bool
parse_and(struct scan *s, const struct grammar *g, struct expr **ret)
{
	struct expr *more;

	if (!parse_unit(s, g, ret))
		return false;
	for (scan_blanks(s); scan_take(s, "&&"); scan_blanks(s)) {
		if (!parse_unit(s, g, &more))
			return false;
		*ret = join(s, EXPR_AND, *ret, more);
	}
	return true;
}

static bool
parse_or(struct scan *s, const struct grammar *g, struct expr **ret)
{
	struct expr *more;

	if (!parse_and(s, g, ret))
		return false;
	for (scan_blanks(s); scan_take(s, "||"); scan_blanks(s)) {
		if (!parse_and(s, g, &more))
			return false;
		*ret = join(s, EXPR_OR, *ret, more);
	}
	return true;
}

bool
expr_parse_json(struct scan *s, struct expr **ret)
{
	static const struct grammar g = {.json = true};

	s->p++;
	if (!parse_or(s, &g, ret))
		return false;
	scan_blanks(s);
	return (scan_take(s, "}") && s->p == s->end) || scan_fail(s);
}

/* Matching */

static bool
compare(enum op op, double a, double b)
{
	switch (op) {
	case OP_EQ:
		return a == b;
	case OP_NE:
		return a != b;
	case OP_LT:
		return a < b;
	case OP_LE:
		return a <= b;
	case OP_GT:
		return a > b;
	case OP_GE:
		return a >= b;
	case OP_NULL:
	case OP_TRUE:
	case OP_FALSE:
	case OP_ABSENT:
		break;
	}
	return false;
}

/* A number, or text that may be one. */
static bool
text_holds(const struct expr *e, struct arena *a, struct span text)
{
	double n;

	if (e->value.kind == VALUE_NUMBER && number_parse(a, text, &n))
		return compare(e->op, n, e->value.number);
	if (orders(e->op))
		return false;
	return value_equal(&e->value, text) == (e->op == OP_EQ);
}

/* What of a JSON value can be compared as text; containers only exist. */
static struct span
node_text(struct arena *a, const struct doc *d)
{
	switch (doc_type(d)) {
	case DOC_STR:
		return doc_span(d);
	case DOC_BOOL:
	case DOC_INT:
	case DOC_REAL:
		return doc_json(a, d);
	case DOC_NONE:
	case DOC_NULL:
	case DOC_ARR:
	case DOC_OBJ:
		break;
	}
	return SPAN_NULL;
}

static bool
node_holds(const struct expr *e, struct arena *a, const struct doc *d)
{
	enum doc_type t = doc_type(d);

	switch (e->op) {
	case OP_ABSENT:
		return true; /* it is there; see json_holds() */
	case OP_NULL:
		return t == DOC_NULL;
	case OP_TRUE:
		return t == DOC_BOOL && doc_true(d);
	case OP_FALSE:
		return t == DOC_BOOL && !doc_true(d);
	case OP_EQ:
	case OP_NE:
	case OP_LT:
	case OP_LE:
	case OP_GT:
	case OP_GE:
		break;
	}
	if (t == DOC_NULL)
		return false;
	if (t == DOC_STR && orders(e->op))
		return false;
	return text_holds(e, a, node_text(a, d));
}

/* Does the test hold for any of the values that the path leads to? */
static bool
path_holds(const struct expr *e, const struct step *st, struct arena *a,
    const struct doc *d)
{
	if (!d)
		return false;
	if (!st)
		return node_holds(e, a, d);
	if (st->is_key)
		return path_holds(e, st->next, a, doc_getn(d, st->key));
	if (doc_type(d) != DOC_ARR)
		return false;
	if (st->index >= 0)
		return path_holds(e, st->next, a,
		    doc_at(d, (size_t)st->index));
	doc_each(v, d)
		if (path_holds(e, st->next, a, v))
			return true;
	return false;
}

static bool
json_holds(const struct expr *e, struct arena *a, const struct doc *d)
{
	switch (e->kind) {
	case EXPR_AND:
		return json_holds(e->a, a, d) && json_holds(e->b, a, d);
	case EXPR_OR:
		return json_holds(e->a, a, d) || json_holds(e->b, a, d);
	case EXPR_TEST:
		return path_holds(e, e->path, a, d) != (e->op == OP_ABSENT);
	}
	WRONG("a kind of expression");
}

bool
expr_match_json(const struct expr *e, struct span message)
{
	_cleanup_arena_ struct arena *a = NULL;
	struct span text = span_trim(message);
	struct doc *d;

	if (text.n == 0 || (text.p[0] != '{' && text.p[0] != '['))
		return false;
	a = arena_new();
	return doc_parse_json(a, text, &d) == 0 && json_holds(e, a, d);
}

/* [ field, … ] */

struct field {
	struct expr *test; /* NULL: anything */
	bool rest;	   /* "...": any number of fields */
};

struct fields {
	struct field *v;
	size_t n;
	size_t rest; /* index of "...", or n */
};

static bool
parse_field(struct scan *s, struct field *ret)
{
	struct grammar g = {.json = false};
	const char *start;

	scan_blanks(s);
	if (scan_take(s, "...")) {
		ret->rest = true;
		return true;
	}
	start = s->p;
	/* The name is that of the first word, behind any parentheses. */
	while (s->p < s->end &&
	    (*s->p == '(' || isspace((unsigned char)*s->p)))
		s->p++;
	if (!scan_name(s, &g.field))
		return false;
	scan_blanks(s);
	if (s->p < s->end && (*s->p == ',' || *s->p == ']'))
		return *start != '(' || scan_fail(s);
	s->p = start;
	return parse_or(s, &g, &ret->test);
}

bool
fields_parse(struct scan *s, struct fields **ret)
{
	struct fields *f = arena_new_of(s->a, struct fields);

	f->v = arena_array(s->a, struct field, FIELDS_MAX);
	f->rest = SIZE_MAX;
	s->p++;
	do {
		if (f->n == FIELDS_MAX || !parse_field(s, &f->v[f->n]))
			return scan_fail(s);
		if (f->v[f->n].rest && f->rest != SIZE_MAX)
			return scan_fail(s);
		if (f->v[f->n].rest)
			f->rest = f->n;
		f->n++;
		scan_blanks(s);
	} while (scan_take(s, ","));
	f->rest = MIN(f->rest, f->n);
	*ret = f;
	return (scan_take(s, "]") && s->p == s->end) || scan_fail(s);
}

/* The next field of a message: what is between blanks, quotes or brackets. */
static bool
next_word(struct span *rest, struct span *ret)
{
	ptrdiff_t end = -1;
	char close = 0;

	*rest = span_trim(*rest);
	if (rest->n == 0)
		return false;
	if (rest->p[0] == '"')
		close = '"';
	else if (rest->p[0] == '[')
		close = ']';
	if (close)
		end = span_chr(span_from(*rest, 1), close);
	if (end >= 0) {
		*ret = span_make(rest->p + 1, (size_t)end);
		*rest = span_from(*rest, (size_t)end + 2);
		return true;
	}
	for (end = 0; (size_t)end < rest->n &&
	    !isspace((unsigned char)rest->p[end]); end++)
		;
	*ret = span_to(*rest, (size_t)end);
	*rest = span_from(*rest, (size_t)end);
	return true;
}

static bool
field_holds(const struct expr *e, struct arena *a, struct span text)
{
	if (!e)
		return true;
	switch (e->kind) {
	case EXPR_AND:
		return field_holds(e->a, a, text) && field_holds(e->b, a, text);
	case EXPR_OR:
		return field_holds(e->a, a, text) || field_holds(e->b, a, text);
	case EXPR_TEST:
		return text_holds(e, a, text);
	}
	WRONG("a kind of expression");
}

bool
fields_match(const struct fields *f, struct span message)
{
	_cleanup_arena_ struct arena *a = arena_new();
	size_t n = 0, cap = 16, tail = f->rest < f->n ? f->n - f->rest - 1 : 0;
	struct span *v = arena_array(a, struct span, cap), word;

	while (next_word(&message, &word)) {
		/* More words than fields: no need to see how many. */
		if (f->rest == f->n && n == f->n)
			return false;
		if (n == cap) {
			v = arena_grow(a, v, cap * sizeof(*v),
			    2 * cap * sizeof(*v));
			cap *= 2;
		}
		v[n++] = word;
	}
	if (n < f->rest + tail)
		return false;
	for (size_t i = 0; i < f->rest; i++)
		if (!field_holds(f->v[i].test, a, v[i]))
			return false;
	for (size_t i = 0; i < tail; i++)
		if (!field_holds(f->v[f->rest + 1 + i].test, a,
		    v[n - tail + i]))
			return false;
	return true;
}
