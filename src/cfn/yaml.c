/* YAML 1.1 as CloudFormation reads it: short tags become functions, aliases
 * are refused, dates and what only looks like a number stay text. */
#include <yaml.h>

#include "cfn/internal.h"

struct reader {
	struct arena *a;
	struct cfn_error *err;
	yaml_parser_t parser;
};

static void
event_done(yaml_event_t *e)
{
	yaml_event_delete(e);
}

static int
malformed(struct reader *y, yaml_mark_t at)
{
	return cfn_invalid(y->a, y->err, "Template format error: YAML not "
	    "well-formed. (line %zu, column %zu)", at.line + 1, at.column + 1);
}

static int
next(struct reader *y, yaml_event_t *e)
{
	if (yaml_parser_parse(&y->parser, e))
		return 0;
	memset(e, 0, sizeof(*e));
	return malformed(y, y->parser.problem_mark);
}

static struct span
take(struct reader *y, const yaml_char_t *p, size_t n)
{
	return arena_span(y->a, span_make((const char *)p, n));
}

static bool
one_of(struct span s, const char *const *words)
{
	for (; *words; words++)
		if (span_is(s, *words))
			return true;
	return false;
}

static bool
all_in(struct span s, const char *set)
{
	for (size_t i = 0; i < s.n; i++)
		if (!s.p[i] || !strchr(set, s.p[i]))
			return false;
	return s.n > 0;
}

/* Decimal with no leading zero or sign, 0x, and 0 followed by octal digits. */
static bool
integer(struct span s, int64_t *ret)
{
	struct span d = s.n && (s.p[0] == '-' || s.p[0] == '+') ?
	    span_from(s, 1) : s;
	int base = 10;
	char *end;

	if (d.n > 18)
		return false;
	if (d.n > 2 && d.p[0] == '0' && d.p[1] == 'x' &&
	    all_in(span_from(d, 2), "0123456789abcdefABCDEF"))
		base = 16;
	else if (d.n > 1 && d.p[0] == '0' && all_in(d, "01234567"))
		base = 8;
	else if (!all_in(d, "0123456789") || (d.n > 1 && d.p[0] == '0'))
		return false;
	*ret = strtoll(s.p, &end, base);
	return end == s.p + s.n;
}

static bool
real(struct span s, double *ret)
{
	struct span d = s.n && (s.p[0] == '-' || s.p[0] == '+') ?
	    span_from(s, 1) : s;
	char *end;

	/* "10.0.0.1" has two points, "1e3" has none: both are text. */
	if (span_chr(d, '.') < 0 || span_chr(d, '.') != span_rchr(d, '.') ||
	    d.n < 2 || d.n > 30 || !all_in(span_to(d, 1), "0123456789.") ||
	    !all_in(d, "0123456789.eE+-"))
		return false;
	*ret = strtod(s.p, &end);
	return end == s.p + s.n;
}

static struct doc *
plain(struct reader *y, struct span s)
{
	static const char *const yes[] = {"true", "True", "TRUE", "yes", "Yes",
	    "YES", "on", "On", "ON", NULL};
	static const char *const no[] = {"false", "False", "FALSE", "no", "No",
	    "NO", "off", "Off", "OFF", NULL};
	static const char *const null[] = {"", "~", "null", "Null", "NULL",
	    NULL};
	int64_t i;
	double f;

	if (one_of(s, null))
		return doc_null(y->a);
	if (one_of(s, yes) || one_of(s, no))
		return doc_bool(y->a, one_of(s, yes));
	if (integer(s, &i))
		return doc_int(y->a, i);
	if (real(s, &f))
		return doc_real(y->a, f);
	return doc_str(y->a, s);
}

/* "!Sub x" is {"Fn::Sub": x}; a tag of YAML itself changes nothing. */
static struct doc *
tagged(struct reader *y, const char *tag, struct doc *v)
{
	struct span name = span_of(tag), rest;
	struct doc *o, *parts;

	if (name.n < 2 || name.p[0] != '!')
		return v;
	name = span_from(name, 1);
	o = doc_obj(y->a);
	if (span_is(name, "Ref") || span_is(name, "Condition"))
		return doc_setn(y->a, o, arena_span(y->a, name), v);
	if (span_is(name, "GetAtt") && doc_type(v) == DOC_STR &&
	    span_chr(doc_span(v), '.') > 0) {
		rest = doc_span(v);
		parts = doc_arr(y->a);
		doc_push_str(y->a, parts, span_cut(&rest, '.'));
		doc_push_str(y->a, parts, rest);
		v = parts;
	}
	return doc_setn(y->a, o,
	    arena_fmt_span(y->a, "Fn::%.*s", SPAN_ARG(name)), v);
}

static int value(struct reader *y, yaml_event_t *e, int depth,
    struct doc **ret);

static int
sequence(struct reader *y, int depth, struct doc **ret)
{
	struct doc *arr = doc_arr(y->a), *v;

	for (;;) {
		_cleanup_(event_done) yaml_event_t e = {0};

		R(next(y, &e));
		if (e.type == YAML_SEQUENCE_END_EVENT)
			break;
		R(value(y, &e, depth, &v));
		doc_push(arr, v);
	}
	*ret = arr;
	return 0;
}

static int
duplicate(struct reader *y, struct span key, yaml_mark_t at)
{
	return cfn_invalid(y->a, y->err, "Template format error: duplicate "
	    "key '%.*s' (line %zu, column %zu)", SPAN_ARG(key), at.line + 1,
	    at.column + 1);
}

/* Past so many members, duplicates are looked for once, at the end. */
#define FEW 64

static int
mapping(struct reader *y, int depth, struct doc **ret)
{
	struct doc *obj = doc_obj(y->a), *v;
	yaml_mark_t at = y->parser.mark;
	struct span key;

	for (;;) {
		_cleanup_(event_done) yaml_event_t k = {0};
		_cleanup_(event_done) yaml_event_t e = {0};

		R(next(y, &k));
		if (k.type == YAML_MAPPING_END_EVENT)
			break;
		if (k.type != YAML_SCALAR_EVENT)
			return malformed(y, k.start_mark);
		key = take(y, k.data.scalar.value, k.data.scalar.length);
		if (doc_len(obj) < FEW && doc_getn(obj, key))
			return duplicate(y, key, k.start_mark);
		R(next(y, &e));
		R(value(y, &e, depth, &v));
		doc_append(y->a, obj, key, v);
	}
	if (doc_len(obj) > FEW && cfn_twice(y->a, obj, &key))
		return duplicate(y, key, at);
	*ret = obj;
	return 0;
}

static int
value(struct reader *y, yaml_event_t *e, int depth, struct doc **ret)
{
	struct doc *v = NULL;
	struct span s;
	const char *tag;

	if (e->type == YAML_ALIAS_EVENT)
		return cfn_invalid(y->a, y->err, "Template format error: YAML "
		    "aliases are not allowed in CloudFormation templates");
	if (depth >= DOC_MAX_DEPTH - 2)
		return malformed(y, e->start_mark);
	if (e->type == YAML_SEQUENCE_START_EVENT) {
		R(sequence(y, depth + 1, &v));
		tag = (char *)e->data.sequence_start.tag;
	} else if (e->type == YAML_MAPPING_START_EVENT) {
		R(mapping(y, depth + 1, &v));
		tag = (char *)e->data.mapping_start.tag;
	} else if (e->type == YAML_SCALAR_EVENT) {
		s = take(y, e->data.scalar.value, e->data.scalar.length);
		tag = (char *)e->data.scalar.tag;
		/* What a function is given stays as it is written. */
		v = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !tag ?
		    plain(y, s) : doc_str(y->a, s);
	} else {
		return malformed(y, e->start_mark);
	}
	*ret = tag ? tagged(y, tag, v) : v;
	return 0;
}

static int
document(struct reader *y, struct doc **ret)
{
	struct doc *d = NULL;

	for (;;) {
		_cleanup_(event_done) yaml_event_t e = {0};

		R(next(y, &e));
		if (e.type == YAML_STREAM_END_EVENT)
			break;
		if (e.type == YAML_STREAM_START_EVENT ||
		    e.type == YAML_DOCUMENT_START_EVENT ||
		    e.type == YAML_DOCUMENT_END_EVENT)
			continue;
		if (d) /* a second document */
			return malformed(y, e.start_mark);
		R(value(y, &e, 0, &d));
	}
	*ret = d;
	return 0;
}

int
cfn_yaml_parse(struct arena *a, struct span text, struct doc **ret,
    struct cfn_error *err)
{
	struct reader y = {.a = a, .err = err};
	int r;

	AN(yaml_parser_initialize(&y.parser));
	yaml_parser_set_encoding(&y.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&y.parser,
	    (const unsigned char *)(text.p ? text.p : ""), text.n);
	r = document(&y, ret);
	yaml_parser_delete(&y.parser);
	return r;
}
