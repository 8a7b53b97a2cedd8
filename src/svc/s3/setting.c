/*
 * What a bucket is told to do.  Each setting is one member of its spec, put,
 * got and deleted as it is.  Which of them have an effect the README says.
 */
#include "svc/s3/object.h"
#include "svc/s3/ops.h"
#include "wire/model.h"

struct setting {
	const char *key;    /* of the bucket's spec */
	const char *put;    /* operations; NULL: there is none */
	const char *get;
	const char *del;
	const char *in;	    /* the member of the input; NULL: all of it */
	const char *out;    /* the member of the output; NULL: all of it */
	const char *code;   /* of the refusal when there is none; NULL: {} */
	const char *text;
	/* Completes the value.  NULL, or the refusal. */
	struct reply *(*check)(struct call *c, const struct res *bucket,
	    struct doc *v);
};

static struct reply *
check_policy(struct call *c, const struct res *bucket, struct doc *v)
{
	return s3_check_policy(c, bucket, doc_span(v));
}

static struct reply *
check_rules(struct call *c, const struct res *bucket UNUSED, struct doc *v)
{
	return doc_len(doc_get(v, "Rules")) ? NULL : s3_malformed(c);
}

static struct reply *
check_encryption(struct call *c, const struct res *bucket UNUSED, struct doc *v)
{
	if (doc_len(doc_get(v, "Rules")) != 1)
		return s3_malformed(c);
	doc_each(rule, doc_get(v, "Rules")) {
		if (doc_get(rule, "BlockedEncryptionTypes"))
			return reply_not_implemented(c,
			    "BlockedEncryptionTypes");
		const struct doc *by = doc_get(rule,
		    "ApplyServerSideEncryptionByDefault");

		if (doc_get_str(by, "KMSMasterKeyID").n &&
		    span_is(doc_get_str(by, "SSEAlgorithm"), "AES256"))
			return reply_error(c, "InvalidArgument", "a "
			    "KMSMasterKeyID is not applicable if the default "
			    "sse algorithm is not aws:kms or aws:kms:dsse");
	}
	return NULL;
}

static struct reply *
check_versioning(struct call *c, const struct res *bucket UNUSED, struct doc *v)
{
	if (doc_get_str(v, "MFADelete").n || doc_get(c->in, "MFA"))
		return reply_not_implemented(c, "MFADelete");
	return doc_get_str(v, "Status").n ? NULL :
	    reply_error(c, "IllegalVersioningConfigurationException",
	    "The Versioning element must be specified");
}

static struct reply *
check_lifecycle(struct call *c, const struct res *bucket UNUSED, struct doc *v)
{
	return s3_check_lifecycle(c, v);
}

/* AWS: what is not said is false. */
static struct reply *
check_block(struct call *c, const struct res *bucket UNUSED, struct doc *v)
{
	static const char *const members[] = {"BlockPublicAcls",
	    "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"};

	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if (!doc_get(v, members[i]))
			doc_set_bool(c->arena, v, members[i], false);
	return NULL;
}

static const struct setting settings[] = {
	{"Policy", "PutBucketPolicy", "GetBucketPolicy", "DeleteBucketPolicy",
	    "Policy", "Policy", "NoSuchBucketPolicy",
	    "The bucket policy does not exist", check_policy},
	{"Encryption", "PutBucketEncryption", "GetBucketEncryption",
	    "DeleteBucketEncryption", "ServerSideEncryptionConfiguration",
	    "ServerSideEncryptionConfiguration", NULL, NULL,
	    check_encryption},
	{"PublicAccessBlock", "PutPublicAccessBlock", "GetPublicAccessBlock",
	    "DeletePublicAccessBlock", "PublicAccessBlockConfiguration",
	    "PublicAccessBlockConfiguration",
	    "NoSuchPublicAccessBlockConfiguration",
	    "The public access block configuration was not found",
	    check_block},
	{"OwnershipControls", "PutBucketOwnershipControls",
	    "GetBucketOwnershipControls", "DeleteBucketOwnershipControls",
	    "OwnershipControls", "OwnershipControls",
	    "OwnershipControlsNotFoundError",
	    "The bucket ownership controls were not found", check_rules},
	{"Lifecycle", "PutBucketLifecycleConfiguration",
	    "GetBucketLifecycleConfiguration", "DeleteBucketLifecycle",
	    "LifecycleConfiguration", NULL, "NoSuchLifecycleConfiguration",
	    "The lifecycle configuration does not exist", check_lifecycle},
	{"Versioning", "PutBucketVersioning", "GetBucketVersioning", NULL,
	    "VersioningConfiguration", NULL, NULL, NULL, check_versioning},
};

/* What nobody can set here: the answer is that it is not set. */
static const struct {
	const char *get;
	const char *code; /* NULL: an empty configuration */
	const char *text;
} unset[] = {
	{"GetBucketCors", "NoSuchCORSConfiguration",
	    "The CORS configuration does not exist"},
	{"GetBucketWebsite", "NoSuchWebsiteConfiguration",
	    "The specified bucket does not have a website configuration"},
	{"GetBucketReplication", "ReplicationConfigurationNotFoundError",
	    "The replication configuration was not found"},
	{"GetObjectLockConfiguration",
	    "ObjectLockConfigurationNotFoundError", "Object Lock "
	    "configuration does not exist for this bucket"},
	{"GetBucketLogging", NULL, NULL},
	{"GetBucketNotificationConfiguration", NULL, NULL},
	{"GetBucketAccelerateConfiguration", NULL, NULL},
};

static const struct setting *
setting_of(const struct call *c)
{
	struct span op = model_op_name(c->op);

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		if (span_is(op, settings[i].get) ||
		    (settings[i].put && span_is(op, settings[i].put)) ||
		    (settings[i].del && span_is(op, settings[i].del)))
			return &settings[i];
	WRONG("no such setting");
}

struct reply *
s3_put_setting(struct call *c)
{
	const struct setting *s = setting_of(c);
	const struct doc *given = doc_get(c->in, s->in);
	struct doc *v;
	struct res *bucket;
	struct reply *no = s3_find_bucket(c, &bucket);
	int r;

	if (no)
		return no;
	if (!given)
		return s3_malformed(c);
	v = doc_copy(c->arena, given);
	if (s->check && (no = s->check(c, bucket, v)))
		return no;
	doc_set(c->arena, bucket->spec, s->key, v);
	r = store_put_spec(c->store, bucket);
	return r ? s3_fail(c, r) : reply_ok(c, NULL);
}

/* AWS: S3's own keys encrypt what nobody said anything of. */
static struct doc *
default_encryption(struct arena *a)
{
	struct doc *by = doc_obj(a), *rule = doc_obj(a), *rules = doc_arr(a);

	doc_set_str(a, by, "SSEAlgorithm", SPAN("AES256"));
	doc_set(a, rule, "ApplyServerSideEncryptionByDefault", by);
	doc_set_bool(a, rule, "BucketKeyEnabled", false);
	doc_push(rules, rule);
	return doc_set(a, doc_obj(a), "Rules", rules);
}

struct reply *
s3_get_setting(struct call *c)
{
	const struct setting *s = setting_of(c);
	struct res *bucket;
	struct reply *no = s3_find_bucket(c, &bucket);
	struct doc *v;

	if (no)
		return no;
	v = doc_get(bucket->spec, s->key);
	if (!v && s->code)
		return reply_error_with(c, 404, s->code, doc_set_str(c->arena,
		    doc_obj(c->arena), "BucketName", bucket->id), "%s",
		    s->text);
	if (!v && span_is(span_of(s->key), "Encryption"))
		v = default_encryption(c->arena);
	v = v ? doc_copy(c->arena, v) : doc_obj(c->arena);
	return reply_ok(c, s->out ? doc_set(c->arena, doc_obj(c->arena),
	    s->out, v) : v);
}

struct reply *
s3_delete_setting(struct call *c)
{
	const struct setting *s = setting_of(c);
	struct res *bucket;
	struct reply *no = s3_find_bucket(c, &bucket);
	int r;

	if (no)
		return no;
	doc_del(bucket->spec, s->key);
	r = store_put_spec(c->store, bucket);
	return r ? s3_fail(c, r) : reply_ok(c, NULL);
}

struct reply *
s3_get_constant(struct call *c)
{
	struct span op = model_op_name(c->op);
	struct res *bucket;
	struct reply *no = s3_find_bucket(c, &bucket);

	if (no)
		return no;
	if (span_is(op, "GetBucketRequestPayment"))
		return reply_ok(c, doc_set_str(c->arena, doc_obj(c->arena),
		    "Payer", SPAN("BucketOwner")));
	for (size_t i = 0; i < ARRAY_SIZE(unset); i++)
		if (span_is(op, unset[i].get) && unset[i].code)
			return reply_error_with(c, 404, unset[i].code,
			    doc_set_str(c->arena, doc_obj(c->arena),
			    "BucketName", bucket->id), "%s", unset[i].text);
	return reply_ok(c, NULL);
}

static struct reply *
owner_controls(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *grant = doc_obj(c->arena);
	struct doc *grants = doc_arr(c->arena), *who = s3_owner(c);

	doc_set_str(c->arena, who, "Type", SPAN("CanonicalUser"));
	doc_set(c->arena, grant, "Grantee", who);
	doc_set_str(c->arena, grant, "Permission", SPAN("FULL_CONTROL"));
	doc_push(grants, grant);
	doc_set(c->arena, out, "Owner", s3_owner(c));
	doc_set(c->arena, out, "Grants", grants);
	return reply_ok(c, out);
}

struct reply *
s3_get_bucket_acl(struct call *c)
{
	struct res *bucket;
	struct reply *no = s3_find_bucket(c, &bucket);

	return no ? no : owner_controls(c);
}

struct reply *
s3_get_object_acl(struct call *c)
{
	struct span key = doc_get_str(c->in, "Key");
	struct res *bucket, *row;
	struct reply *no = s3_find_bucket(c, &bucket);
	int r;

	if (no)
		return no;
	r = object_version(c, bucket, key, doc_get_str(c->in, "VersionId"),
	    &row);
	if (r < 0)
		return s3_fail(c, r);
	if (r || doc_get_bool(row->spec, "DeleteMarker", false))
		return s3_no_key(c, key);
	return owner_controls(c);
}

/* The one list that a bucket can have here is the one it has. */
struct reply *
s3_put_bucket_acl(struct call *c)
{
	struct res *bucket;
	struct reply *no = s3_find_bucket(c, &bucket);

	if (no || (no = object_check_acl(c, bucket)))
		return no;
	return doc_get(c->in, "ACL") ? reply_ok(c, NULL) :
	    reply_not_implemented(c, "a list of grants");
}
