/* The operations of S3.  One that is not listed answers as not implemented. */
#include "svc/s3/ops.h"
#include "svc/s3/s3.h"

#define B " Bucket ExpectedBucketOwner "
#define SUM " ChecksumAlgorithm ContentMD5 "
/* The body's sums were verified before the handler runs. */
#define SUMS " ChecksumAlgorithm ChecksumCRC32 ChecksumCRC32C" \
	" ChecksumCRC64NVME ChecksumSHA1 ChecksumSHA256 ContentMD5 "
#define KEPT " ACL CacheControl ContentDisposition ContentEncoding" \
	" ContentLanguage ContentType Expires Metadata ServerSideEncryption" \
	" StorageClass WebsiteRedirectLocation SSEKMSKeyId BucketKeyEnabled" \
	" Tagging RequestPayer "
#define READ " IfMatch IfModifiedSince IfNoneMatch IfUnmodifiedSince Key" \
	" Range ResponseCacheControl ResponseContentDisposition" \
	" ResponseContentEncoding ResponseContentLanguage" \
	" ResponseContentType ResponseExpires VersionId RequestPayer" \
	" PartNumber ChecksumMode "

#define UPLOAD " Key UploadId RequestPayer "
#define FROM " CopySource CopySourceIfMatch CopySourceIfModifiedSince" \
	" CopySourceIfNoneMatch CopySourceIfUnmodifiedSince" \
	" ExpectedSourceBucketOwner "

static const struct op_row ops[] = {
	{"CreateBucket", s3_create_bucket,
	    "Bucket ACL CreateBucketConfiguration ObjectOwnership"},
	{"DeleteBucket", s3_delete_bucket, B},
	{"HeadBucket", s3_head_bucket, B},
	{"ListBuckets", s3_list_buckets, NULL},
	{"GetBucketLocation", s3_get_bucket_location, B},
	{"PutObject", s3_put_object, B SUMS KEPT
	    "Body ContentLength Key IfMatch IfNoneMatch"},
	{"GetObject", s3_get_object, B READ},
	{"HeadObject", s3_head_object, B READ},
	{"CopyObject", s3_copy_object, B KEPT FROM "Key ChecksumAlgorithm "
	    "IfMatch IfNoneMatch MetadataDirective TaggingDirective"},
	{"CreateMultipartUpload", s3_create_multipart_upload, B KEPT
	    "Key ChecksumAlgorithm ChecksumType"},
	{"UploadPart", s3_upload_part, B SUMS UPLOAD
	    "Body ContentLength PartNumber"},
	{"UploadPartCopy", s3_upload_part_copy, B FROM UPLOAD
	    "CopySourceRange PartNumber"},
	{"CompleteMultipartUpload", s3_complete_multipart_upload, B SUMS UPLOAD
	    "ChecksumType IfMatch IfNoneMatch MpuObjectSize MultipartUpload"},
	{"AbortMultipartUpload", s3_abort_multipart_upload, B UPLOAD},
	{"ListParts", s3_list_parts, B UPLOAD "MaxParts PartNumberMarker"},
	{"DeleteObject", s3_delete_object,
	    B "Key VersionId IfMatch RequestPayer"},
	{"DeleteObjects", s3_delete_objects, B SUM "Delete RequestPayer"},
	{"ListObjectsV2", s3_list_objects_v2, B "Prefix Delimiter "
	    "EncodingType MaxKeys ContinuationToken FetchOwner StartAfter "
	    "RequestPayer"},
	{"ListObjects", s3_list_objects, B "Prefix Delimiter EncodingType "
	    "MaxKeys Marker RequestPayer"},
	{"ListObjectVersions", s3_list_object_versions, B "Prefix Delimiter "
	    "EncodingType MaxKeys KeyMarker VersionIdMarker RequestPayer"},
	{"ListMultipartUploads", s3_list_multipart_uploads, B "Prefix "
	    "Delimiter EncodingType MaxUploads KeyMarker UploadIdMarker "
	    "RequestPayer"},
	{"GetObjectAttributes", s3_get_object_attributes, B "Key VersionId "
	    "ObjectAttributes MaxParts PartNumberMarker RequestPayer"},
	{"PutBucketPolicy", s3_put_setting, B SUM "Policy"},
	{"GetBucketPolicy", s3_get_setting, B},
	{"DeleteBucketPolicy", s3_delete_setting, B},
	{"GetBucketPolicyStatus", s3_get_bucket_policy_status, B},
	{"PutBucketEncryption", s3_put_setting,
	    B SUM "ServerSideEncryptionConfiguration"},
	{"GetBucketEncryption", s3_get_setting, B},
	{"DeleteBucketEncryption", s3_delete_setting, B},
	{"PutPublicAccessBlock", s3_put_setting,
	    B SUM "PublicAccessBlockConfiguration"},
	{"GetPublicAccessBlock", s3_get_setting, B},
	{"DeletePublicAccessBlock", s3_delete_setting, B},
	{"PutBucketOwnershipControls", s3_put_setting,
	    B SUM "OwnershipControls"},
	{"GetBucketOwnershipControls", s3_get_setting, B},
	{"DeleteBucketOwnershipControls", s3_delete_setting, B},
	{"PutBucketLifecycleConfiguration", s3_put_setting,
	    B SUM "LifecycleConfiguration"},
	{"GetBucketLifecycleConfiguration", s3_get_setting, B},
	{"DeleteBucketLifecycle", s3_delete_setting, B},
	{"PutBucketVersioning", s3_put_setting,
	    B SUM "VersioningConfiguration MFA"},
	{"GetBucketVersioning", s3_get_setting, B},
	{"GetBucketCors", s3_get_constant, B},
	{"GetBucketWebsite", s3_get_constant, B},
	{"GetBucketReplication", s3_get_constant, B},
	{"GetObjectLockConfiguration", s3_get_constant, B},
	{"GetBucketLogging", s3_get_constant, B},
	{"GetBucketNotificationConfiguration", s3_get_constant, B},
	{"GetBucketAccelerateConfiguration", s3_get_constant, B},
	{"GetBucketRequestPayment", s3_get_constant, B},
	{"GetBucketAcl", s3_get_bucket_acl, B},
	{"PutBucketAcl", s3_put_bucket_acl, B SUM "ACL"},
	{"GetObjectAcl", s3_get_object_acl, B "Key VersionId RequestPayer"},
	{"PutBucketTagging", s3_put_bucket_tagging, B SUM "Tagging"},
	{"GetBucketTagging", s3_get_bucket_tagging, B},
	{"DeleteBucketTagging", s3_delete_bucket_tagging, B},
	{"PutObjectTagging", s3_put_object_tagging,
	    B SUM "Key VersionId Tagging RequestPayer"},
	{"GetObjectTagging", s3_get_object_tagging,
	    B "Key VersionId RequestPayer"},
	{"DeleteObjectTagging", s3_delete_object_tagging,
	    B "Key VersionId"},
	{NULL, NULL, NULL},
};

const struct service s3_service = {
	.name = "s3",
	.ops = ops,
	.kinds = s3_kinds,
	.types = s3_types,
};
