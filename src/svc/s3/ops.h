/* The handlers of S3, by file. */
#pragma once

#include "api/op.h"

#define HANDLER(name) struct reply *name(struct call *c)
/* bucket.c */
HANDLER(s3_create_bucket);
HANDLER(s3_delete_bucket);
HANDLER(s3_head_bucket);
HANDLER(s3_list_buckets);
HANDLER(s3_get_bucket_location);
/* object.c */
HANDLER(s3_put_object);
HANDLER(s3_delete_object);
HANDLER(s3_delete_objects);
/* get.c */
HANDLER(s3_get_object);
HANDLER(s3_head_object);
/* copy.c */
HANDLER(s3_copy_object);
/* multipart.c */
HANDLER(s3_create_multipart_upload);
HANDLER(s3_abort_multipart_upload);
/* complete.c */
HANDLER(s3_complete_multipart_upload);
/* part.c */
HANDLER(s3_upload_part);
HANDLER(s3_upload_part_copy);
HANDLER(s3_list_parts);
/* list.c */
HANDLER(s3_list_objects);
HANDLER(s3_list_objects_v2);
HANDLER(s3_list_object_versions);
HANDLER(s3_list_multipart_uploads);
/* attributes.c */
HANDLER(s3_get_object_attributes);
/* setting.c */
HANDLER(s3_put_setting);
HANDLER(s3_get_setting);
HANDLER(s3_delete_setting);
HANDLER(s3_get_constant);
HANDLER(s3_get_bucket_acl);
HANDLER(s3_put_bucket_acl);
HANDLER(s3_get_object_acl);
/* policy.c */
HANDLER(s3_get_bucket_policy_status);
/* tag.c */
HANDLER(s3_put_bucket_tagging);
HANDLER(s3_get_bucket_tagging);
HANDLER(s3_delete_bucket_tagging);
HANDLER(s3_put_object_tagging);
HANDLER(s3_get_object_tagging);
HANDLER(s3_delete_object_tagging);
#undef HANDLER
