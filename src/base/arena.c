/* Memory with one lifetime: chunks in a list, allocation by bumping. */
#include <stdio.h>

#include "base/arena.h"

#define ARENA_MAGIC 0x41524e41
#define CHUNK_FIRST 4096
#define CHUNK_MAX   (256 * 1024)
#define ALIGN	    16

struct chunk {
	struct chunk *next;
	size_t used;
	size_t cap;
	_Alignas(ALIGN) char data[];
};

struct note {
	struct note *next;
	void (*fn)(void *);
	void *ctx;
};

struct arena {
	unsigned magic;
	struct chunk *chunks; /* newest first */
	struct note *notes;
	size_t bytes;
	void *doc_slot;
};

static struct chunk *
chunk_new(size_t cap, struct chunk *next)
{
	struct chunk *c = xmalloc(sizeof(*c) + cap);

	c->next = next;
	c->used = 0;
	c->cap = cap;
	return c;
}

struct arena *
arena_new(void)
{
	struct arena *a;

	ALLOC_OBJ(a, ARENA_MAGIC);
	return a;
}

void
arena_free(struct arena *a)
{
	struct chunk *next;

	if (!a)
		return;
	CHECK_OBJ(a, ARENA_MAGIC);
	for (struct note *n = a->notes; n; n = n->next)
		n->fn(n->ctx);
	for (struct chunk *c = a->chunks; c; c = next) {
		next = c->next;
		free(c);
	}
	FREE_OBJ(a);
}

void
arena_free_p(struct arena **a)
{
	arena_free(*a);
	*a = NULL;
}

static size_t
aligned(size_t n)
{
	return (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

void *
arena_raw(struct arena *a, size_t n)
{
	struct chunk *c;
	size_t cap;
	void *p;

	CHECK_OBJ(a, ARENA_MAGIC);
	n = aligned(n);
	c = a->chunks;
	if (!c || c->cap - c->used < n) {
		cap = c ? MIN(c->cap * 2, (size_t)CHUNK_MAX) : CHUNK_FIRST;
		c = a->chunks = chunk_new(MAX(cap, n), c);
	}
	p = c->data + c->used;
	c->used += n;
	a->bytes += n;
	return p;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	/* To the end: arena_grow() takes what is behind for zeroes. */
	return memset(arena_raw(a, n), 0, aligned(n));
}

void *
arena_grow(struct arena *a, void *p, size_t old, size_t n)
{
	struct chunk *c = a->chunks;
	size_t round = aligned(old);
	size_t more = aligned(n) - round;
	void *q;

	AN(n >= old);
	if (p && c && (char *)p + round == c->data + c->used &&
	    c->cap - c->used >= more) {
		memset(c->data + c->used, 0, more);
		c->used += more;
		a->bytes += more;
		return p;
	}
	q = arena_raw(a, n);
	if (old)
		memcpy(q, p, old);
	memset((char *)q + old, 0, aligned(n) - old);
	return q;
}

struct span
arena_span(struct arena *a, struct span s)
{
	char *p = arena_raw(a, s.n + 1);

	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return span_make(p, s.n);
}

char *
arena_str(struct arena *a, struct span s)
{
	return (char *)arena_span(a, s).p;
}

struct span
arena_lower(struct arena *a, struct span s)
{
	char *p = arena_str(a, s);

	for (size_t i = 0; i < s.n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] |= 0x20;
	return span_make(p, s.n);
}

/* Once into the room that is there, which mostly suffices. */
static struct span
vfmt(struct arena *a, const char *fmt, va_list ap)
{
	struct chunk *c = a->chunks;
	size_t room = c ? c->cap - c->used : 0;
	char *p = c ? c->data + c->used : NULL;
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(p, room, fmt, again);
	va_end(again);
	AN(n >= 0);
	if ((size_t)n < room) {
		AN(arena_raw(a, (size_t)n + 1) == p);
	} else {
		p = arena_raw(a, (size_t)n + 1);
		vsnprintf(p, (size_t)n + 1, fmt, ap);
	}
	return span_make(p, (size_t)n);
}

char *
arena_vfmt(struct arena *a, const char *fmt, va_list ap)
{
	return (char *)vfmt(a, fmt, ap).p;
}

char *
arena_fmt(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	p = arena_vfmt(a, fmt, ap);
	va_end(ap);
	return p;
}

struct span
arena_fmt_span(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	struct span s;

	va_start(ap, fmt);
	s = vfmt(a, fmt, ap);
	va_end(ap);
	return s;
}

void
arena_note(struct arena *a, void (*fn)(void *), void *ctx)
{
	struct note *n = arena_alloc(a, sizeof(*n));

	n->fn = fn;
	n->ctx = ctx;
	n->next = a->notes;
	a->notes = n;
}

size_t
arena_bytes(const struct arena *a)
{
	return a->bytes;
}

void **
arena_doc_slot(struct arena *a)
{
	CHECK_OBJ(a, ARENA_MAGIC);
	return &a->doc_slot;
}
