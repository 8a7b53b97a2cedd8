/* Where unplanned errors start and pass. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"

/* Threads of the pool fail, too. */
static __thread struct buf last;

int
err_origin_at(const char *file, int line, int err, const char *fmt, ...)
{
	va_list ap;

	AN(err > 0);
	buf_clear(&last);
	va_start(ap, fmt);
	buf_vaddf(&last, fmt, ap);
	va_end(ap);
	log_error("%s: %s (%s:%d)", buf_str(&last), strerror(err), file, line);
	return -err;
}

int
err_trace_at(const char *file, int line, int err)
{
	if (err >= 0)
		return err;
	log_debug("  from %s:%d: %s", file, line, strerror(-err));
	return err;
}

int
err_fold_at(const char *file, int line, int outcome)
{
	if (outcome <= 0)
		return err_trace_at(file, line, outcome);
	return err_origin_at(file, line, ENOTRECOVERABLE,
	    "outcome %d is not handled here", outcome);
}

const char *
err_last(void)
{
	return buf_str(&last);
}
