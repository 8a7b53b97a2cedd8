/* Patterns: the three forms, and the terms of the first. */
#include <ctype.h>

#include "svc/logs/pattern-internal.h"

struct term {
	enum { TERM_ALL, TERM_ANY, TERM_NOT } how;
	struct span text;
	struct regex *regex; /* instead of text */
	struct term *next;
};

struct pattern {
	struct term *terms;
	bool optional; /* only "?" terms: one of them must be there */
	struct expr *json;
	struct fields *fields;
};

/* What is not quoted is a word. */
static bool
scan_word(struct scan *s, struct span *ret)
{
	struct span word;
	const char *start = s->p;

	while (s->p < s->end && !isspace((unsigned char)*s->p))
		s->p++;
	word = span_make(start, (size_t)(s->p - start));
	if (word.n == 0)
		return scan_fail(s);
	for (size_t i = 0; i < word.n; i++) {
		unsigned char c = (unsigned char)word.p[i];

		if (isascii(c) && !isalnum(c) && !memchr("_.*:/", c, 5))
			return scan_bad_term(s, word);
	}
	*ret = word;
	return true;
}

static bool
scan_term(struct scan *s, struct term **ret)
{
	struct term *t = arena_new_of(s->a, struct term);

	t->how = scan_take(s, "?") ? TERM_ANY :
	    scan_take(s, "-") ? TERM_NOT : TERM_ALL;
	*ret = t;
	if (s->p < s->end && *s->p == '"')
		return scan_quoted(s, &t->text);
	if (s->p < s->end && *s->p == '%')
		return scan_regex(s, &t->regex);
	return scan_word(s, &t->text);
}

/* The phrase " " is AWS's way to say everything. */
static bool
parse_terms(struct scan *s, struct pattern *p)
{
	struct term **at = &p->terms;

	p->optional = true;
	for (scan_blanks(s); s->p < s->end; scan_blanks(s)) {
		if (!scan_term(s, at))
			return false;
		p->optional &= (*at)->how == TERM_ANY;
		at = &(*at)->next;
	}
	p->optional &= p->terms != NULL;
	return true;
}

static bool
parse(struct scan *s, struct pattern *p)
{
	scan_blanks(s);
	while (s->end > s->p && isspace((unsigned char)s->end[-1]))
		s->end--;
	if (s->p == s->end)
		return true;
	if (*s->p == '{') {
		if (s->end[-1] != '}')
			s->why = SPAN("If a filter pattern starts with '{' it "
			    "must end with '}'");
		return !s->why.n && expr_parse_json(s, &p->json);
	}
	if (*s->p == '[') {
		if (s->end[-1] != ']')
			s->why = SPAN("If a filter pattern starts with '[' it "
			    "must end with ']'");
		return !s->why.n && fields_parse(s, &p->fields);
	}
	return parse_terms(s, p);
}

int
pattern_parse(struct arena *a, struct span text, struct pattern **ret,
    struct span *ret_why)
{
	struct scan s = {.a = a, .p = text.p ? text.p : "",
	    .end = text.p ? text.p + text.n : ""};
	struct pattern *p = arena_new_of(a, struct pattern);

	if (text.n == 0)
		s.end = s.p;
	if (!parse(&s, p)) {
		*ret_why = s.why;
		return PATTERN_E_BAD;
	}
	*ret = p;
	return 0;
}

static bool
term_found(const struct term *t, struct span message)
{
	if (t->regex)
		return regex_match(t->regex, message);
	if (span_is(t->text, " "))
		return true;
	return t->text.n == 0 || span_find(message, t->text) >= 0;
}

static bool
terms_match(const struct pattern *p, struct span message)
{
	for (const struct term *t = p->terms; t; t = t->next) {
		bool found;

		if (t->how == TERM_ANY && !p->optional)
			continue;
		found = term_found(t, message);
		if (p->optional && found)
			return true;
		if (!p->optional && found != (t->how == TERM_ALL))
			return false;
	}
	return !p->optional;
}

bool
pattern_match(const struct pattern *p, struct span message)
{
	if (p->json)
		return expr_match_json(p->json, message);
	if (p->fields)
		return fields_match(p->fields, message);
	return terms_match(p, message);
}
