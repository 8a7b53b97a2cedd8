/* gzip (RFC 1952) to plain bytes, all in memory and bounded. */
#pragma once

#include "base/buf.h"

enum gunzip_outcome {
	GUNZIP_OK,
	GUNZIP_E_SYNTAX, /* not gzip, cut short, or its sum is wrong */
	GUNZIP_E_LARGE	 /* more than max */
};

/* Adds what in holds, all members of it, to out; at most max bytes.  On an
 * error out has some of it. */
enum gunzip_outcome gunzip(struct buf *out, struct span in, size_t max);
