/* Frames of typed messages: put, cut, read.  The format is in loop/msg.h. */
#include <errno.h>

#include "base/err.h"
#include "loop/msg.h"

/* type and serial */
#define MSG_HEAD (2 + 8)

static void
put_le(struct buf *b, uint64_t v, size_t n)
{
	buf_reserve(b, n);
	for (size_t i = 0; i < n; i++)
		buf_add_char(b, (char)(v >> (8 * i)));
}

static uint64_t
get_le(const char *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)(unsigned char)p[i] << (8 * i);
	return v;
}

size_t
msg_begin(struct buf *b, uint16_t type, uint64_t serial)
{
	size_t at = b->n;

	put_le(b, 0, 4);
	put_le(b, type, 2);
	put_le(b, serial, 8);
	return at;
}

bool
msg_fits(const struct buf *b, size_t at)
{
	return b->n - at - 4 <= MSG_MAX;
}

void
msg_end(struct buf *b, size_t at)
{
	size_t n = b->n - at - 4;

	/* The writer bounds what it puts in; a longer frame is its bug. */
	AN(b->n >= at + 4 + MSG_HEAD && msg_fits(b, at));
	for (size_t i = 0; i < 4; i++)
		b->p[at + i] = (char)(n >> (8 * i));
}

void
msg_put_u32(struct buf *b, uint32_t v)
{
	put_le(b, v, 4);
}

void
msg_put_u64(struct buf *b, uint64_t v)
{
	put_le(b, v, 8);
}

void
msg_put_bool(struct buf *b, bool v)
{
	put_le(b, v, 1);
}

void
msg_put_span(struct buf *b, struct span s)
{
	AN(s.n <= MSG_MAX);
	put_le(b, s.n, 4);
	buf_add_span(b, s);
}

void
msg_put_spans(struct buf *b, const struct span *v, size_t n)
{
	AN(n <= MSG_MAX);
	put_le(b, n, 4);
	for (size_t i = 0; i < n; i++)
		msg_put_span(b, v[i]);
}

int
msg_next(struct span *in, uint16_t *ret_type, uint64_t *ret_serial,
    struct msg_reader *ret)
{
	size_t n;

	if (in->n < 4)
		return 0;
	n = get_le(in->p, 4);
	if (n < MSG_HEAD || n > MSG_MAX)
		return err_origin(EBADMSG, "a frame of %zu bytes", n);
	if (in->n - 4 < n)
		return 0;
	*ret_type = (uint16_t)get_le(in->p + 4, 2);
	*ret_serial = get_le(in->p + 6, 8);
	*ret = (struct msg_reader){
	    .rest = span_make(in->p + 4 + MSG_HEAD, n - MSG_HEAD)};
	*in = span_from(*in, 4 + n);
	return 1;
}

/* Takes n bytes, or makes the cursor bad and returns NULL. */
static const char *
take(struct msg_reader *r, size_t n)
{
	const char *p = r->rest.p;

	if (r->bad || r->rest.n < n) {
		r->bad = true;
		r->rest = SPAN_NULL;
		return NULL;
	}
	r->rest = span_from(r->rest, n);
	return p;
}

uint32_t
msg_u32(struct msg_reader *r)
{
	const char *p = take(r, 4);

	return p ? (uint32_t)get_le(p, 4) : 0;
}

uint64_t
msg_u64(struct msg_reader *r)
{
	const char *p = take(r, 8);

	return p ? get_le(p, 8) : 0;
}

bool
msg_bool(struct msg_reader *r)
{
	const char *p = take(r, 1);

	if (p && *p != 0 && *p != 1)
		r->bad = true;
	return p && *p == 1;
}

struct span
msg_span(struct msg_reader *r)
{
	size_t n = msg_u32(r);
	const char *p = take(r, n);

	return p ? span_make(p, n) : SPAN_NULL;
}

struct span *
msg_spans(struct msg_reader *r, struct arena *a, size_t max, size_t *ret_n)
{
	size_t n = msg_u32(r);
	struct span *v;

	/* Each takes at least its length: a count cannot make us allocate more
	 * than the frame's own size justifies. */
	if (r->bad || n > max || n > r->rest.n / 4) {
		r->bad = true;
		r->rest = SPAN_NULL;
		*ret_n = 0;
		return NULL;
	}
	v = arena_array(a, struct span, n);
	for (size_t i = 0; i < n; i++)
		v[i] = msg_span(r);
	*ret_n = n;
	return v;
}

bool
msg_ok(const struct msg_reader *r)
{
	return !r->bad && r->rest.n == 0;
}
