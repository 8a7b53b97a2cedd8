/*
 * The checksums that a body may carry in x-amz-checksum-NAME, fed piece by
 * piece.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 */
#pragma once

#include "base/arena.h"

enum checksum_kind {
	CHECKSUM_CRC32,
	CHECKSUM_CRC32C,
	CHECKSUM_CRC64NVME,
	CHECKSUM_SHA1,
	CHECKSUM_SHA256,
	CHECKSUM_KINDS
};

struct checksum;

/* "crc32c" for CHECKSUM_CRC32C; the header is "x-amz-checksum-crc32c". */
struct span checksum_name(enum checksum_kind k);
/* "CRC32C", as AWS writes of it. */
struct span checksum_label(enum checksum_kind k);
/* By the label; false: not one of them. */
bool checksum_kind_of(struct span label, enum checksum_kind *ret);
/* Bytes of a sum of that kind. */
size_t checksum_size(enum checksum_kind k);
/* By the header's name, case ignored; false: not one of them. */
bool checksum_kind_of_header(struct span header, enum checksum_kind *ret);

struct checksum *checksum_new(enum checksum_kind k);
void checksum_free(struct checksum *c); /* NULL is fine */
void checksum_add(struct checksum *c, struct span piece);
/* The sum of all pieces in base64, as in the header.  Ends c's life as a sum:
 * nothing may be added after it. */
struct span checksum_text(struct checksum *c, struct arena *a);

/* Can the sum of joined pieces be told by the sums of the pieces? */
bool checksum_is_crc(enum checksum_kind k);
/* Of a CRC: that of two pieces joined, by those of both and the second's
 * length. */
uint64_t checksum_join(enum checksum_kind k, uint64_t a, uint64_t b,
    uint64_t b_len);
