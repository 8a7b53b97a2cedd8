/*
 * Multipart uploads.
 *
 * An s3.upload is one that is under way: id is the key, a zero byte and the
 * upload id, which grows with each upload.  Its spec: Object (what the object
 * will keep, see object.h), Kind (of checksum: "CRC32"), Type (FULL_OBJECT,
 * COMPOSITE), Asked (whether the client named the kind), Initiator (an ARN).
 *
 * An s3.part is a file: {Blob, Size, ETag, Checksums}.  When the upload is
 * completed, the parts it asks for stay as they are and the object refers to
 * them; nothing is copied.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
 */
#pragma once

#include "svc/s3/object.h"
#include "svc/s3/sums.h"

/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
#define PARTS_MAX 10000
#define PART_MIN	 (5 << 20) /* of all but the last */
#define PARTS_LIST_MAX	 1000

/* What Bucket, Key and UploadId of the input name.  NULL, or the refusal. */
struct reply *multipart_find(struct call *c, struct res **ret_bucket,
    struct res **ret);
struct reply *multipart_gone(struct call *c, struct span id); /* NoSuchUpload */
/* A row's id. */
struct span multipart_row_id(struct arena *a, struct span key, struct span id);
struct span multipart_id(const struct res *upload);
struct span multipart_key(const struct res *upload);
struct doc *multipart_initiator(struct call *c, const struct res *upload);
/* Sets AbortDate and AbortRuleId if a lifecycle rule ends the upload. */
void multipart_tell_abort(struct call *c, const struct res *bucket,
    const struct res *upload, struct doc *out);
enum checksum_kind multipart_kind(const struct res *upload);

/* A part's id. */
struct span part_id(struct arena *a, int64_t number);
/* Parts from number first to number last, both included; in their order. */
int part_list(struct call *c, struct span upload, int64_t first, int64_t last,
    struct res_list *ret);
int64_t part_number(const struct res *part);
/* Ends a part, or all that an upload has, with their files.  0 or negative. */
int part_drop(struct call *c, const struct res *part);
int part_drop_all(struct call *c, struct span upload);
