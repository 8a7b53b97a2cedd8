/* One line per message, written with one write(2). */
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"

static const char *program_name = "neargate";
static enum log_level level_max = LOG_LEVEL_INFO;
static bool stamped; /* into a file; the journal and terminals know the time */

void
log_init(const char *program, enum log_level max)
{
	struct stat st;

	program_name = program;
	stamped = fstat(STDERR_FILENO, &st) == 0 && S_ISREG(st.st_mode);
	level_max = max;
}

bool
log_enabled(enum log_level l)
{
	return l <= level_max;
}

static void
add_time(struct buf *b)
{
	_cleanup_arena_ struct arena *a = arena_new();

	buf_addf(b, "%s ", clock_iso(a, clock_ms(), true));
}

void
log_write(enum log_level l, const char *fmt, ...)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	va_list ap;

	if (!log_enabled(l))
		return;
	buf_addf(&b, "<%d>", (int)l);
	if (stamped)
		add_time(&b);
	buf_addf(&b, "%s: ", program_name);
	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] == '\n')
			b.p[i] = ' ';
	buf_add_char(&b, '\n');
	/* There is nobody to tell when standard error is gone. */
	(void)!write(STDERR_FILENO, b.p, b.n);
}
