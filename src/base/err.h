/*
 * Errors.  A function that can fail returns int:
 *
 *	0		done
 *	negative	-errno; nobody planned for it.  Never matched, only
 *			forwarded: `return err_trace(r);`  Ends as a 500 or as
 *			a logged failure of a controller run.
 *	positive	an outcome the function's header documents (an enum
 *			like STORE_E_NOT_FOUND).  The caller handles it and
 *			never forwards it.
 *
 * err_origin() starts a negative error and says why; err_trace() forwards one
 * and, at debug level, prints each place it passed; err_fold() turns a
 * documented outcome that cannot happen here into a negative error.  All cost
 * nothing on success.
 */
#pragma once

#include "base/util.h"

int err_origin_at(const char *file, int line, int err, const char *fmt, ...)
    PRINTF(4, 5);
int err_trace_at(const char *file, int line, int err);
int err_fold_at(const char *file, int line, int outcome);

/* err is a positive errno; the result is -err. */
#define err_origin(err, ...) err_origin_at(__FILE__, __LINE__, err, __VA_ARGS__)
#define err_trace(r)         err_trace_at(__FILE__, __LINE__, r)
#define err_fold(r)          err_fold_at(__FILE__, __LINE__, r)

/* What the last err_origin() said, for the 500 that ends it; "" if nothing.
 * Valid until the next err_origin(). */
const char *err_last(void);
