/* Time: wall clock in milliseconds since 1970 UTC, monotonic in microseconds,
 * and the text forms that AWS's protocols use. */
#pragma once

#include "base/arena.h"

int64_t clock_ms(void);	     /* wall clock */
int64_t clock_mono_us(void); /* for durations only */

/* For tests: from now on clock_ms() returns ms; 0 ends that. */
void clock_fake(int64_t ms);

/* "2026-11-23T09:18:30Z"; with millis "2026-11-23T09:18:30.123Z". */
char *clock_iso(struct arena *a, int64_t ms, bool millis);
/* "Mon, 23 Nov 2026 09:18:30 GMT" */
char *clock_http(struct arena *a, int64_t ms);
/* "20261123T091830Z" */
char *clock_basic(struct arena *a, int64_t ms);
/* Each accepts exactly its form (iso: fraction of any length, Z or +hh:mm). */
bool clock_parse_iso(struct span s, int64_t *ret_ms);
bool clock_parse_http(struct span s, int64_t *ret_ms);
bool clock_parse_basic(struct span s, int64_t *ret_ms);
