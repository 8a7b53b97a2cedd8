/* Canonical names, and their order. */
#include "base/buf.h"
#include "svc/route53/name.h"

#define LABEL_MAX 63
#define WIRE_MAX  255 /* on the wire: a length for each label, and the root */

static bool
is_plain(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	    c == '_';
}

static bool
is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* The byte at *i, and whether it was written as an escape. */
static bool
read_byte(struct span s, size_t *i, unsigned char *ret, bool *escaped)
{
	const char *p = s.p + *i;
	unsigned v;

	*escaped = p[0] == '\\';
	if (!*escaped) {
		*ret = (unsigned char)p[0];
		*i += 1;
		return true;
	}
	if (s.n - *i < 4 || !is_octal(p[1]) || !is_octal(p[2]) ||
	    !is_octal(p[3]))
		return false;
	v = (unsigned)(p[1] - '0') * 64 + (unsigned)(p[2] - '0') * 8 +
	    (unsigned)(p[3] - '0');
	*ret = (unsigned char)v;
	*i += 4;
	return v <= 0xff;
}

static void
add_byte(struct buf *b, unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		c |= 0x20;
	if (is_plain(c))
		buf_add_char(b, (char)c);
	else
		buf_addf(b, "\\%03o", c);
}

int
name_canonical(struct arena *a, struct span text, struct span *ret)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	size_t label = 0, total = 1;
	unsigned char c;
	bool escaped;

	if (span_is(text, ".")) {
		*ret = SPAN(".");
		return NAME_OK;
	}
	for (size_t i = 0; i < text.n;) {
		if (!read_byte(text, &i, &c, &escaped))
			return NAME_BAD_ESCAPE;
		if (c == '.' && !escaped) {
			if (label == 0)
				return NAME_EMPTY_LABEL;
			buf_add_char(&b, '.');
			label = 0;
			continue;
		}
		total += 1 + (label == 0);
		if (++label > LABEL_MAX)
			return NAME_LONG_LABEL;
		if (total > WIRE_MAX)
			return NAME_LONG;
		add_byte(&b, c);
	}
	if (b.n == 0)
		return NAME_EMPTY_LABEL;
	if (label)
		buf_add_char(&b, '.');
	*ret = arena_span(a, buf_span(&b));
	return NAME_OK;
}

struct span
name_key(struct arena *a, struct span name)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct span rest = name;
	ptrdiff_t dot;

	if (span_ends(rest, SPAN(".")))
		rest.n--;
	while (rest.n) {
		dot = span_rchr(rest, '.');
		buf_add_span(&b, span_from(rest, (size_t)(dot + 1)));
		buf_add_char(&b, '.');
		rest = span_to(rest, dot < 0 ? 0 : (size_t)dot);
	}
	return arena_span(a, buf_span(&b));
}

bool
name_within(struct span name, struct span zone)
{
	if (span_is(zone, "."))
		return true;
	return span_ends(name, zone) &&
	    (name.n == zone.n || name.p[name.n - zone.n - 1] == '.');
}

struct span
name_plain(struct arena *a, struct span name)
{
	if (span_ends(name, SPAN(".")))
		name.n--;
	if (!span_starts(name, SPAN("\\052")))
		return name;
	return arena_fmt_span(a, "*%.*s", SPAN_ARG(span_from(name, 4)));
}

struct span
record_id(struct arena *a, struct span name, struct span type,
    struct span set_identifier)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	buf_add_span(&b, name_key(a, name));
	buf_add_char(&b, 0);
	buf_add_span(&b, type);
	buf_add_char(&b, 0);
	buf_add_span(&b, set_identifier);
	return arena_span(a, buf_span(&b));
}
