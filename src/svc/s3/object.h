/*
 * Objects and their versions.  An object's spec:
 *
 *	Size, ETag ("\"hex\""), LastModified (ms), VersionId ("null" in a
 *	bucket that was never versioned), Seq (grows with every version),
 *	Checksums {CRC32: base64, …}, ChecksumType, Tags {key: value}, and the
 *	members of PutObject that GetObject gives back.
 *
 * Its bytes are those of the file Blob.  Of an object that was a multipart
 * upload, they are those of the s3.parts of Upload, PartsCount of them, each
 * but the last of PartSize bytes (0: they differ); Completed says how it was
 * completed, see multipart.h.  A delete marker has DeleteMarker.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html
 */
#pragma once

#include "store/file-seq.h"
#include "svc/s3/s3.h"

/* Current object of a key: STORE_E_NOT_FOUND when there is none or it is
 * deleted. */
int object_current(struct call *c, const struct res *bucket, struct span key,
    struct res **ret);
/* A version by its id; empty: the current one, be it a delete marker.
 * STORE_E_NOT_FOUND. */
int object_version(struct call *c, const struct res *bucket, struct span key,
    struct span version, struct res **ret);
/* NULL and the version that the input names, which is no delete marker, or the
 * refusal. */
struct reply *object_find(struct call *c, struct res **ret_bucket,
    struct res **ret);
/* Makes spec the key's current version and fills VersionId, Seq and, unless it
 * is there, LastModified. */
int object_write(struct call *c, const struct res *bucket, struct span key,
    struct doc *spec);
/* Deletes a version, or with an empty one what DELETE without a version does.
 * ret_out gets DeleteMarker and VersionId as the reply has them. */
int object_delete(struct call *c, const struct res *bucket, struct span key,
    struct span version, struct doc *ret_out);
/* Where a listing goes on that told of a version last, be it still there or
 * not: at the id from, or after it. */
struct version_place {
	struct span from;
	bool after;
	bool newer; /* the key has a version that was told of */
};
int version_behind(struct call *c, const struct res *bucket, struct span key,
    struct span version, struct version_place *ret); /* 0 or negative */
/* Versions of a bucket: "Enabled", "Suspended" or empty. */
struct span object_versioning(const struct res *bucket);

/* NULL when the conditions of the input (IfMatch, IfNoneMatch) let the key be
 * written, else the refusal. */
struct reply *object_may_write(struct call *c, const struct res *bucket,
    struct span key);
/* NULL when ACL is one that says what is so anyway, else the refusal. */
struct reply *object_check_acl(struct call *c, const struct res *bucket);
/* The members of the input that an object keeps, with the bucket's defaults.
 * NULL, or the refusal. */
struct reply *object_describe(struct call *c, const struct res *bucket,
    struct doc **ret_spec);
/* Is the object's ETag one of a list ("*": any)? */
bool object_etag_is(const struct doc *spec, struct span list);
struct span object_quoted_hex(struct arena *a, struct span raw);
/* Blob, Size, ETag and Checksums from a body. */
void object_set_body(struct call *c, struct doc *spec,
    const struct call_body *b);
/* Where len bytes from first on are.  0 or negative. */
int object_runs(struct call *c, const struct doc *spec, uint64_t first,
    uint64_t len, struct file_run **ret, size_t *ret_n);
int object_write_all(int fd, struct span p); /* 0 or negative */
/* Puts the bytes of an internal call into a file. */
int object_store_bytes(struct call *c, struct span bytes,
    struct call_body *ret);
/* Copies what GetObject and PutObject tell of encryption. */
void object_tell_encryption(struct call *c, const struct doc *spec,
    struct doc *out);
/* Sets Expiration if a lifecycle rule ends the key's current version. */
void object_tell_expiry(struct call *c, const struct res *bucket,
    struct span key, const struct doc *spec, struct doc *out);
/* Sets ChecksumCRC32 and the like, and ChecksumType. */
void object_tell_sums(struct call *c, const struct doc *spec,
    struct doc *out);
/* "a=1&b=2" of x-amz-tagging. NULL, or the refusal. */
struct reply *object_read_tagging(struct call *c, struct span text,
    struct doc **ret_tags);
/* The key and number behind the zero byte of an s3.version's id. */
struct span version_key(const struct res *version);
