/* Operations on borrowed bytes. */
#include <ctype.h>
#include <strings.h>

#include "base/span.h"
#include "base/util.h"

bool
span_ieq(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || strncasecmp(a.p, b.p, a.n) == 0);
}

int
span_cmp(struct span a, struct span b)
{
	size_t n = MIN(a.n, b.n);
	int r = n ? memcmp(a.p, b.p, n) : 0;

	if (r)
		return r;
	return (a.n > b.n) - (a.n < b.n);
}

bool
span_starts(struct span s, struct span prefix)
{
	return s.n >= prefix.n && span_eq(span_to(s, prefix.n), prefix);
}

bool
span_ends(struct span s, struct span suffix)
{
	return s.n >= suffix.n &&
	    span_eq(span_from(s, s.n - suffix.n), suffix);
}

ptrdiff_t
span_chr(struct span s, char c)
{
	const char *q = s.n ? memchr(s.p, c, s.n) : NULL;

	return q ? q - s.p : -1;
}

ptrdiff_t
span_rchr(struct span s, char c)
{
	const char *q = s.n ? memrchr(s.p, c, s.n) : NULL;

	return q ? q - s.p : -1;
}

ptrdiff_t
span_find(struct span s, struct span needle)
{
	const char *q;

	if (needle.n == 0)
		return 0;
	q = s.n ? memmem(s.p, s.n, needle.p, needle.n) : NULL;
	return q ? q - s.p : -1;
}

struct span
span_from(struct span s, size_t i)
{
	if (i >= s.n)
		return (struct span){s.p ? s.p + s.n : NULL, 0};
	return (struct span){s.p + i, s.n - i};
}

struct span
span_to(struct span s, size_t n)
{
	return (struct span){s.p, MIN(n, s.n)};
}

struct span
span_trim(struct span s)
{
	while (s.n && isspace((unsigned char)s.p[0]))
		s = span_from(s, 1);
	while (s.n && isspace((unsigned char)s.p[s.n - 1]))
		s.n--;
	return s;
}

struct span
span_cut(struct span *s, char c)
{
	ptrdiff_t i = span_chr(*s, c);
	struct span head = *s;

	if (i < 0) {
		*s = SPAN_NULL;
		return head;
	}
	head.n = (size_t)i;
	*s = span_make(s->p + i + 1, s->n - (size_t)i - 1);
	return head;
}

bool
span_u64(struct span s, uint64_t *ret)
{
	uint64_t v = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!isdigit((unsigned char)s.p[i]))
			return false;
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
			return false;
	}
	*ret = v;
	return true;
}

bool
span_i64(struct span s, int64_t *ret)
{
	bool neg = s.n && s.p[0] == '-';
	uint64_t v;

	if (!span_u64(neg ? span_from(s, 1) : s, &v))
		return false;
	if (v > (uint64_t)INT64_MAX + neg)
		return false;
	*ret = neg ? (int64_t)(0 - v) : (int64_t)v;
	return true;
}

bool
span_glob(struct span pat, struct span s)
{
	size_t p = 0, i = 0, star = SIZE_MAX, mark = 0;

	while (i < s.n) {
		if (p < pat.n && pat.p[p] == '*') {
			star = p++;
			mark = i;
		} else if (p < pat.n &&
		    (pat.p[p] == '?' || pat.p[p] == s.p[i])) {
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
