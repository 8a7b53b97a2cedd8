/*
 * Checksums of multipart objects.  Pure.
 *
 * FULL_OBJECT is the sum of the whole object's bytes, which of a CRC the sums
 * of the parts tell.  COMPOSITE is the sum of the parts' sums and says of how
 * many: "BASE64-3".
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
 */
#pragma once

#include "auth/checksum.h"

struct sum_part {
	struct span sum; /* in base64 */
	uint64_t size;
};

struct span sums_composite(struct arena *a, enum checksum_kind k,
    const struct sum_part *v, size_t n);
/* k is a CRC, and every sum one of that kind. */
struct span sums_full(struct arena *a, enum checksum_kind k,
    const struct sum_part *v, size_t n);
/* Raw MD5s: the ETag with its quotes, "\"HEX-3\"". */
struct span sums_etag(struct arena *a, const struct span *md5, size_t n);
/* What a kind can be, besides FULL_OBJECT for a CRC.  It is what it is when
 * none is asked for. */
bool sums_may_be_composite(enum checksum_kind k);
