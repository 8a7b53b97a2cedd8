/*
 * The program's own log: one line per message on standard error, led by the
 * journal's level marks (<3>..<7>), and by the time when that is a file.
 * Libraries below src/api do not log above debug; the level that decides logs
 * once and says "..., ignoring" when it goes on.  Never log a secret, a
 * signature, or a whole request.
 */
#pragma once

#include "base/util.h"

enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARN = 4, LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7 };

/* The level is INFO until this is called. */
/* program is not copied. */
void log_init(const char *program, enum log_level max);
bool log_enabled(enum log_level l);
void log_write(enum log_level l, const char *fmt, ...) PRINTF(2, 3);

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)                                                  \
	do {                                                            \
		if (log_enabled(LOG_LEVEL_DEBUG))                       \
			log_write(LOG_LEVEL_DEBUG, __VA_ARGS__);        \
	} while (0)
