/* The words of patterns: quoted text, numbers, regular expressions. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <ctype.h>
#include <math.h>

#include "svc/logs/pattern-internal.h"

/* AWS: two in a pattern. */
#define REGEX_MAX   2
/* Steps of matching: an expression that needs more does not match. */
#define REGEX_STEPS 100000

struct regex {
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *limits;
};

bool
scan_fail(struct scan *s)
{
	if (!s->why.n)
		s->why = SPAN("Invalid filter pattern");
	return false;
}

bool
scan_bad_term(struct scan *s, struct span term)
{
	if (!s->why.n)
		s->why = arena_fmt_span(s->a, "Invalid character(s) in term "
		    "'%.*s'", SPAN_ARG(term));
	return false;
}

void
scan_blanks(struct scan *s)
{
	while (s->p < s->end && isspace((unsigned char)*s->p))
		s->p++;
}

bool
scan_take(struct scan *s, const char *text)
{
	struct span rest = span_make(s->p, (size_t)(s->end - s->p));

	if (!span_starts(rest, span_of(text)))
		return false;
	s->p += strlen(text);
	return true;
}

bool
scan_quoted(struct scan *s, struct span *ret)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	if (!scan_take(s, "\""))
		return scan_fail(s);
	for (; s->p < s->end && *s->p != '"'; s->p++) {
		if (*s->p == '\\' && s->p + 1 < s->end &&
		    (s->p[1] == '"' || s->p[1] == '\\'))
			s->p++;
		buf_add_char(&b, *s->p);
	}
	if (!scan_take(s, "\""))
		return scan_fail(s);
	*ret = arena_span(s->a, buf_span(&b));
	return true;
}

static void
regex_free(void *ctx)
{
	struct regex *re = ctx;

	pcre2_match_context_free(re->limits);
	pcre2_match_data_free(re->data);
	pcre2_code_free(re->code);
}

/* https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html:
 * letters, digits, some signs and operators; no groups. */
static bool
regex_chars_ok(struct span s)
{
	static const char others[] = ":_#=@/;,-^$?[]{}|\\*+. ";

	for (size_t i = 0; i < s.n; i++)
		if (!isascii((unsigned char)s.p[i]) || s.p[i] == '\0' ||
		    (!isalnum((unsigned char)s.p[i]) &&
			!strchr(others, s.p[i])))
			return false;
	return s.n > 0;
}

bool
scan_regex(struct scan *s, struct regex **ret)
{
	struct span rest, text;
	struct regex *re;
	ptrdiff_t end;
	PCRE2_SIZE at;
	int err;

	if (!scan_take(s, "%"))
		return scan_fail(s);
	rest = span_make(s->p, (size_t)(s->end - s->p));
	end = span_chr(rest, '%');
	if (end < 0 || ++s->regexes > REGEX_MAX)
		return scan_fail(s);
	text = span_to(rest, (size_t)end);
	if (!regex_chars_ok(text))
		return scan_bad_term(s, text);
	s->p += end + 1;
	re = arena_new_of(s->a, struct regex);
	re->code = pcre2_compile((PCRE2_SPTR)text.p, text.n, 0, &err, &at,
	    NULL);
	if (!re->code)
		return scan_fail(s);
	re->data = pcre2_match_data_create(1, NULL);
	re->limits = pcre2_match_context_create(NULL);
	AN(re->data && re->limits);
	pcre2_set_match_limit(re->limits, REGEX_STEPS);
	arena_note(s->a, regex_free, re);
	*ret = re;
	return true;
}

bool
regex_match(const struct regex *re, struct span s)
{
	return pcre2_match(re->code, (PCRE2_SPTR)(s.p ? s.p : ""), s.n, 0, 0,
	    re->data, re->limits) >= 0;
}

bool
number_parse(struct arena *a, struct span s, double *ret)
{
	char *end, *text;

	if (s.n == 0 || s.n > 64)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!isdigit((unsigned char)s.p[i]) &&
		    !memchr("+-.eE", s.p[i], 5))
			return false;
	text = arena_str(a, s);
	*ret = strtod(text, &end);
	return *end == '\0' && isfinite(*ret);
}

/* A bare word ends where something else of the syntax begins. */
static bool
ends_word(char c)
{
	return isspace((unsigned char)c) || memchr("(){}[],&|\"=<>!", c, 15);
}

bool
scan_value(struct scan *s, struct value *ret)
{
	const char *start = s->p;

	*ret = (struct value){.kind = VALUE_TEXT};
	if (s->p < s->end && *s->p == '"')
		return scan_quoted(s, &ret->text);
	if (s->p < s->end && *s->p == '%') {
		ret->kind = VALUE_REGEX;
		return scan_regex(s, &ret->regex);
	}
	while (s->p < s->end && !ends_word(*s->p))
		s->p++;
	ret->text = span_make(start, (size_t)(s->p - start));
	if (ret->text.n == 0)
		return scan_fail(s);
	if (number_parse(s->a, ret->text, &ret->number))
		ret->kind = VALUE_NUMBER;
	return true;
}

/* '*' is any run of bytes; steps back to the last one only. */
static bool
star_match(struct span pat, struct span s)
{
	size_t p = 0, i = 0, star = SIZE_MAX, mark = 0;

	while (i < s.n) {
		if (p < pat.n && pat.p[p] == '*') {
			star = p++;
			mark = i;
		} else if (p < pat.n && pat.p[p] == s.p[i]) {
			p++;
			i++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			i = ++mark;
		} else {
			return false;
		}
	}
	while (p < pat.n && pat.p[p] == '*')
		p++;
	return p == pat.n;
}

bool
value_equal(const struct value *v, struct span text)
{
	switch (v->kind) {
	case VALUE_NUMBER:
	case VALUE_TEXT:
		return star_match(v->text, text);
	case VALUE_REGEX:
		return regex_match(v->regex, text);
	}
	WRONG("a kind of value");
}
