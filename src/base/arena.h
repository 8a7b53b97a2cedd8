/*
 * struct arena: memory with one lifetime.  Everything allocated from it is
 * freed at once by arena_free(); nothing is freed singly.
 *
 * The lifetimes in neargated are: a request (or one controller run), which
 * owns an arena; a long-lived object, which uses malloc and a _free function;
 * the process.  See ARCHITECTURE.
 *
 * arena_note() lets an owner of something else (a file, a malloc'd buffer)
 * ride along: fn(ctx) runs when the arena ends, last noted first.
 */
#pragma once

#include <stdarg.h>

#include "base/span.h"
#include "base/util.h"

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *a);	/* NULL is fine */
void arena_free_p(struct arena **a);	/* for _cleanup_() */
#define _cleanup_arena_ _cleanup_(arena_free_p)

void *arena_alloc(struct arena *a, size_t n);	/* zeroed, aligned for all */
void *arena_raw(struct arena *a, size_t n);	/* the same, not zeroed */
/* Grows the newest allocation in place where it can, else copies. */
void *arena_grow(struct arena *a, void *p, size_t old, size_t n);
#define arena_new_of(a, type)	   ((type *)arena_alloc(a, sizeof(type)))
#define arena_array(a, type, n)	   ((type *)arena_alloc(a, sizeof(type) * (n)))
/* Copies are NUL-terminated. */
struct span arena_span(struct arena *a, struct span s);
char *arena_str(struct arena *a, struct span s);
/* In lower case: ASCII alone. */
struct span arena_lower(struct arena *a, struct span s);
char *arena_fmt(struct arena *a, const char *fmt, ...) PRINTF(2, 3);
char *arena_vfmt(struct arena *a, const char *fmt, va_list ap) PRINTF(2, 0);
struct span arena_fmt_span(struct arena *a, const char *fmt, ...) PRINTF(2, 3);
void arena_note(struct arena *a, void (*fn)(void *), void *ctx);
size_t arena_bytes(const struct arena *a);

/* One slot for the document layer, which keeps its pool here (doc/doc.c). */
void **arena_doc_slot(struct arena *a);
