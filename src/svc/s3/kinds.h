/*
 * What S3 keeps.  Parent of an object, a version and an upload is the bucket;
 * of a part, the upload's id, also once that has become an object.
 *
 * s3.object has a key's current version, unless that is a delete marker, so
 * that a listing reads nothing else.  What was current before, and delete
 * markers, are s3.version: the id is the key, a zero byte and a number that
 * falls with each version, so that the byte order of ids is S3's order.
 */
#pragma once

#include "store/store.h"

extern const struct kind s3_bucket;  /* id: name; spec: Region and settings */
extern const struct kind s3_object;  /* id: key; spec: see object.h */
extern const struct kind s3_version;
extern const struct kind s3_upload;  /* see multipart.h */
extern const struct kind s3_part;    /* id: number, five digits */

extern const struct kind *const s3_kinds[];
