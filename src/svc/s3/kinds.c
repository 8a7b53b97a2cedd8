/* The kinds of S3. */
#include "svc/s3/kinds.h"

#define INDEX(...) ((const char *const[]){__VA_ARGS__, NULL})

const struct kind s3_bucket = {
	.name = "s3.bucket",
	.arn = "arn:aws:s3:::{id}",
	.global = true,
};
const struct kind s3_object = {
	.name = "s3.object",
	.index = INDEX("spec.Blob", "spec.Upload"),
	.global = true,
};
const struct kind s3_version = {
	.name = "s3.version",
	.index = INDEX("spec.Blob", "spec.Upload"),
	.global = true,
};
const struct kind s3_upload = {
	.name = "s3.upload",
	.global = true,
};
const struct kind s3_part = {
	.name = "s3.part",
	.index = INDEX("spec.Blob"),
	.global = true,
};

const struct kind *const s3_kinds[] = {
	&s3_bucket, &s3_object, &s3_version, &s3_upload, &s3_part, NULL,
};
