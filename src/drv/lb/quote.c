/* Text of strangers inside an HAProxy configuration. */
#include "drv/lb/quote.h"

static bool
alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9');
}

/* Everything HAProxy's parser might see a meaning in goes as \xHH. */
static void
quote(struct buf *b, struct span s, bool format)
{
	buf_add_char(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (alnum(s.p[i]) || (s.p[i] && strchr(" -_./:,;=+*?^()[]|<>@"
		    "!~&{}", s.p[i])))
			buf_add_char(b, s.p[i]);
		else if (s.p[i] == '%' && format)
			buf_add_str(b, "%%");
		else
			buf_addf(b, "\\x%02x", (unsigned char)s.p[i]);
	}
	buf_add_char(b, '"');
}

void
cfg_quote(struct buf *b, struct span s)
{
	quote(b, s, false);
}

/* The line's parser takes one level away, the argument's the other. */
void
cfg_quote_argument(struct buf *b, struct span s)
{
	buf_add_str(b, "\\\"");
	for (size_t i = 0; i < s.n; i++)
		if (alnum(s.p[i]) || s.p[i] == '-' || s.p[i] == '_')
			buf_add_char(b, s.p[i]);
		else
			buf_addf(b, "\\x%02x", (unsigned char)s.p[i]);
	buf_add_str(b, "\\\"");
}

void
cfg_quote_format(struct buf *b, struct span s)
{
	quote(b, s, true);
}

void
cfg_regex(struct buf *b, struct span pattern, const char *any)
{
	for (size_t i = 0; i < pattern.n; i++) {
		if (pattern.p[i] == '*')
			buf_addf(b, "%s*", any);
		else if (pattern.p[i] == '?')
			buf_add_str(b, any);
		else if (alnum(pattern.p[i]) || (signed char)pattern.p[i] < 0)
			buf_add_char(b, pattern.p[i]);
		else
			buf_addf(b, "\\%c", pattern.p[i]);
	}
}
