/*
 * Filter patterns: which log events an expression matches.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 *
 *	ERROR "not found" -DEBUG	all terms, and not that one
 *	?ERROR ?WARN			any of the terms
 *	%[45]\d\d%			a regular expression
 *	{ $.a.b[0] = "x*" && ($.n > 3 || $.c NOT EXISTS) }
 *	[ip, ..., status = 4* && status != 404, bytes > 1000]
 *
 * Terms are found anywhere in a message, with case.  "?" terms count only
 * when no other term is there.  A condition on a JSON member that is absent
 * does not hold, whatever its operator, but for NOT EXISTS.
 */
#pragma once

#include "base/arena.h"

struct pattern;

enum {
	PATTERN_E_BAD = 1 /* *ret_why says what, in AWS's words */
};

/* text may be empty: everything matches.  All is the arena's, the text must
 * live as long. */
int pattern_parse(struct arena *a, struct span text, struct pattern **ret,
    struct span *ret_why);
bool pattern_match(const struct pattern *p, struct span message);
