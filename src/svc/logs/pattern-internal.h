/* What the files of the pattern parser share. */
#pragma once

#include "doc/doc.h"
#include "svc/logs/pattern.h"

/* Text being read; why is set by the first failure. */
struct scan {
	struct arena *a;
	const char *p, *end;
	struct span why;
	int depth;
	int regexes;
};

/* What something is compared with. */
enum value_kind { VALUE_NUMBER, VALUE_TEXT, VALUE_REGEX };
struct value {
	enum value_kind kind;
	double number;
	struct span text; /* with '*' for any run of bytes */
	struct regex *regex;
};

/* pattern-value.c */
/* Each reads what is at s->p; false: refused, s->why is set. */
bool scan_quoted(struct scan *s, struct span *ret);
bool scan_regex(struct scan *s, struct regex **ret);
bool scan_value(struct scan *s, struct value *ret);
void scan_blanks(struct scan *s);
bool scan_fail(struct scan *s);
bool scan_bad_term(struct scan *s, struct span term);
/* Takes a literal if it is next. */
bool scan_take(struct scan *s, const char *text);
bool regex_match(const struct regex *re, struct span s);
bool value_equal(const struct value *v, struct span text);
bool number_parse(struct arena *a, struct span s, double *ret);

/* pattern-expr.c: the { } and [ ] forms. */
struct expr;
struct fields;
bool expr_parse_json(struct scan *s, struct expr **ret);
bool expr_match_json(const struct expr *e, struct span message);
bool fields_parse(struct scan *s, struct fields **ret);
bool fields_match(const struct fields *f, struct span message);
