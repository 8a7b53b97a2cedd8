/*
 * The few macros everything uses: invariants, ownership of locals, sizes.
 *
 * Invariants stay on in release builds.  AN/AZ say "cannot happen"; WRONG()
 * marks a place that cannot be reached.  A long-lived struct starts with
 * `unsigned magic`, is made by ALLOC_OBJ, checked by CHECK_OBJ at every entry
 * and every `void *` callback (CAST_OBJ), and ended by FREE_OBJ, which
 * destroys the magic so that use after free is caught.
 *
 * A local that owns something carries _cleanup_(fn); ownership leaves it
 * through TAKE_PTR or TAKE_FD.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/param.h> /* MIN, MAX */

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define CLAMP(v, lo, hi) MIN(MAX(v, lo), hi)

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

#define PRINTF(f, a)  __attribute__((format(printf, f, a)))
#define UNUSED	      __attribute__((unused))
#define NORETURN      __attribute__((noreturn))

/* Says what broke and where, then aborts.  The only way out of a broken
 * invariant and of memory exhaustion. */
NORETURN void panic(const char *file, int line, const char *fmt, ...)
    PRINTF(3, 4);

#define AN(e)                                                           \
	do {                                                            \
		if (!(e))                                               \
			panic(__FILE__, __LINE__, "%s", #e);            \
	} while (0)
#define AZ(e)                                                           \
	do {                                                            \
		if (e)                                                  \
			panic(__FILE__, __LINE__, "!(%s)", #e);         \
	} while (0)
#define WRONG(why) panic(__FILE__, __LINE__, "%s", why)

#define ALLOC_OBJ(to, magic_)                                           \
	do {                                                            \
		(to) = xcalloc(1, sizeof(*(to)));                       \
		(to)->magic = (magic_);                                 \
	} while (0)
#define CHECK_OBJ(p, magic_)                                            \
	do {                                                            \
		AN(p);                                                  \
		if ((p)->magic != (magic_))                             \
			panic(__FILE__, __LINE__, "%s: magic %x, not "  \
			    #magic_, #p, (p)->magic);                   \
	} while (0)
#define CAST_OBJ(to, from, magic_)                                      \
	do {                                                            \
		(to) = (from);                                          \
		CHECK_OBJ(to, magic_);                                  \
	} while (0)
#define FREE_OBJ(p)                                                     \
	do {                                                            \
		(p)->magic = 0;                                         \
		free(p);                                                \
	} while (0)

#define _cleanup_(fn) __attribute__((cleanup(fn)))
#define TAKE_PTR(p)                                                     \
	({                                                              \
		__typeof__(p) took_ = (p);                              \
		(p) = NULL;                                             \
		took_;                                                  \
	})
#define TAKE_FD(fd)                                                     \
	({                                                              \
		int took_ = (fd);                                       \
		(fd) = -1;                                              \
		took_;                                                  \
	})

/* Allocation never fails: memory exhaustion aborts, therefore every size that
 * comes from outside is bounded before it gets here. */
void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) PRINTF(1, 2);

/* For _cleanup_(): accept the address of the variable. */
void free_p(void *p);
void close_p(int *fd);
#define _cleanup_free_	_cleanup_(free_p)
#define _cleanup_close_ _cleanup_(close_p)
