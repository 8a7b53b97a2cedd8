/* The forms that names in messages must have. */
#include "warden/check.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT "0123456789"

static bool
only(struct span s, const char *set)
{
	for (size_t i = 0; i < s.n; i++)
		if (!s.p[i] || !strchr(set, s.p[i]))
			return false;
	return true;
}

bool
check_id(struct span s)
{
	return s.n >= 1 && s.n <= 128 && s.p[0] != '-' &&
	    only(s, LOWER DIGIT "-");
}

bool
check_name(struct span s)
{
	return s.n >= 1 && s.n <= 128 && only(span_to(s, 1), LOWER UPPER DIGIT)
	    && only(s, LOWER UPPER DIGIT "-_.");
}

bool
check_digest(struct span s, struct span *ret_hex)
{
	struct span hex = span_from(s, 7);

	if (s.n != 7 + 64 || !span_starts(s, SPAN("sha256:")) ||
	    !only(hex, DIGIT "abcdef"))
		return false;
	*ret_hex = hex;
	return true;
}

bool
check_path(struct span s)
{
	struct span rest, part;

	if (s.n < 1 || s.n > 4095 || s.p[0] != '/' ||
	    memchr(s.p, '\0', s.n))
		return false;
	if (s.n == 1)
		return true;
	rest = span_from(s, 1);
	while (rest.p) {
		part = span_cut(&rest, '/');
		/* One slash at the end is what images write, too. */
		if (part.n == 0 && (rest.p || part.p == s.p + 1))
			return false;
		if (span_is(part, ".") || span_is(part, ".."))
			return false;
	}
	return true;
}

bool
check_text(struct span s, size_t max)
{
	return s.n <= max && (s.n == 0 || !memchr(s.p, '\0', s.n));
}

bool
check_hostname(struct span s)
{
	return s.n >= 1 && s.n <= 253 && s.p[0] != '-' && s.p[0] != '.' &&
	    only(s, LOWER UPPER DIGIT "-.");
}

bool
check_line(struct span s, size_t max)
{
	if (s.n > max)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' && s.p[i] != '\t')
			return false;
	return true;
}
