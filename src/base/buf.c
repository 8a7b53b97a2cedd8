/* Owned, growing bytes. */
#include <ctype.h>
#include <stdio.h>

#include "base/buf.h"

void
buf_done(struct buf *b)
{
	free(b->p);
	*b = BUF_INIT;
}

void
buf_clear(struct buf *b)
{
	b->n = 0;
	if (b->p)
		b->p[0] = '\0';
}

void
buf_reserve(struct buf *b, size_t more)
{
	size_t need = b->n + more + 1;

	AN(need > b->n);
	if (need <= b->cap)
		return;
	b->cap = MAX(need, b->cap * 2);
	b->cap = MAX(b->cap, (size_t)64);
	b->p = xrealloc(b->p, b->cap);
	b->p[b->n] = '\0';
}

void
buf_add(struct buf *b, const void *p, size_t n)
{
	buf_reserve(b, n);
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = '\0';
}

void
buf_add_span(struct buf *b, struct span s)
{
	buf_add(b, s.p, s.n);
}

void
buf_add_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void
buf_add_char(struct buf *b, char c)
{
	if (b->n + 1 >= b->cap)
		buf_reserve(b, 1);
	b->p[b->n++] = c;
	b->p[b->n] = '\0';
}

/* Once into the room that is there, which mostly suffices. */
void
buf_vaddf(struct buf *b, const char *fmt, va_list ap)
{
	size_t room;
	va_list again;
	int n;

	buf_reserve(b, 32);
	room = b->cap - b->n;
	va_copy(again, ap);
	n = vsnprintf(b->p + b->n, room, fmt, again);
	va_end(again);
	AN(n >= 0);
	if ((size_t)n >= room) {
		buf_reserve(b, (size_t)n);
		vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
	}
	b->n += (size_t)n;
}

void
buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(b, fmt, ap);
	va_end(ap);
}

void
buf_add_hex(struct buf *b, const void *p, size_t n)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *u = p;

	buf_reserve(b, n * 2);
	for (size_t i = 0; i < n; i++) {
		b->p[b->n++] = hex[u[i] >> 4];
		b->p[b->n++] = hex[u[i] & 15];
	}
	b->p[b->n] = '\0';
}

void
buf_add_uri(struct buf *b, struct span s, bool keep_slash)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (isalnum(c) || (c && strchr("-._~", c)) ||
		    (keep_slash && c == '/'))
			buf_add_char(b, (char)c);
		else
			buf_addf(b, "%%%02X", c);
	}
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
buf_add_unhex(struct buf *b, struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (hex_digit(s.p[i]) < 0)
			return false;
	if (s.n % 2)
		return false;
	buf_reserve(b, s.n / 2);
	for (size_t i = 0; i < s.n; i += 2)
		buf_add_char(b, (char)(hex_digit(s.p[i]) * 16 +
		    hex_digit(s.p[i + 1])));
	return true;
}

void
buf_add_unuri(struct buf *b, struct span s, bool plus)
{
	buf_reserve(b, s.n);
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '%' && i + 2 < s.n && hex_digit(s.p[i + 1]) >= 0 &&
		    hex_digit(s.p[i + 2]) >= 0) {
			c = (char)(hex_digit(s.p[i + 1]) * 16 +
			    hex_digit(s.p[i + 2]));
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		buf_add_char(b, c);
	}
}

void
buf_drop(struct buf *b, size_t n)
{
	AN(n <= b->n);
	if (n == 0)
		return;
	memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
	b->p[b->n] = '\0';
}

struct span
buf_span(const struct buf *b)
{
	return span_make(b->p, b->n);
}

const char *
buf_str(const struct buf *b)
{
	return b->p ? b->p : "";
}

char *
buf_take(struct buf *b)
{
	char *p;

	buf_reserve(b, 0);
	p = b->p;
	*b = BUF_INIT;
	return p;
}
