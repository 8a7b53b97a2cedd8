/* Text of strangers inside an HAProxy configuration. */
#pragma once

#include "base/buf.h"

/* One double-quoted word that HAProxy reads back as s. */
void cfg_quote(struct buf *b, struct span s);
/* The same where a log-format is read: '%' is doubled. */
void cfg_quote_format(struct buf *b, struct span s);
/* The same for an argument of a fetch: req.fhdr(HERE).  s has neither double
 * quotes nor backslashes. */
void cfg_quote_argument(struct buf *b, struct span s);
/* A pattern of '*' and '?' as a regular expression without anchors; any is
 * what '*' and '?' stand for ("." or "[^&]"). */
void cfg_regex(struct buf *b, struct span pattern, const char *any);
