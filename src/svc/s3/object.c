/* Writing and deleting objects. */
#include "base/err.h"
#include "doc/form.h"
#include "svc/s3/object.h"
#include "svc/s3/ops.h"

#define METADATA_MAX 2048
#define TAGS_MAX     10
#define DELETE_MAX   1000

struct reply *
object_may_write(struct call *c, const struct res *bucket, struct span key)
{
	struct span match = doc_get_str(c->in, "IfMatch");
	struct span none = doc_get_str(c->in, "IfNoneMatch");
	struct res *now;
	int r;

	if (!match.n && !none.n)
		return NULL;
	r = object_current(c, bucket, key, &now);
	if (r < 0)
		return s3_fail(c, r);
	if (none.n && !span_is(none, "*"))
		return reply_not_implemented(c, "If-None-Match with an ETag");
	if (none.n && r == 0)
		return s3_error(c, "PreconditionFailed", "Condition",
		    SPAN("If-None-Match"), "At least one of the pre-conditions "
		    "you specified did not hold");
	if (match.n && r)
		return s3_no_key(c, key);
	if (match.n && !object_etag_is(now->spec, match))
		return s3_error(c, "PreconditionFailed", "Condition",
		    SPAN("If-Match"), "At least one of the pre-conditions you "
		    "specified did not hold");
	return NULL;
}

static struct span
unquoted(struct span s)
{
	s = span_trim(s);
	if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
		s = span_make(s.p + 1, s.n - 2);
	return s;
}

bool
object_etag_is(const struct doc *spec, struct span list)
{
	struct span etag = unquoted(doc_get_str(spec, "ETag")), one;

	while (list.p) {
		one = span_trim(span_cut(&list, ','));
		if (span_is(one, "*") || span_eq(unquoted(one), etag))
			return true;
	}
	return false;
}

/* Describing */

struct reply *
object_read_tagging(struct call *c, struct span text, struct doc **ret_tags)
{
	struct doc *tags = doc_obj(c->arena);
	struct form_pair p;

	while (form_next(c->arena, &text, &p)) {
		if (!p.name.n || p.name.n > 128 || p.value.n > 256 ||
		    doc_getn(tags, p.name))
			return s3_invalid(c, "x-amz-tagging", p.name,
			    "The header 'x-amz-tagging' shall be encoded as "
			    "UTF-8 then URLEncoded URL query parameters "
			    "without tag name duplicates.");
		doc_setn(c->arena, tags, p.name, doc_str(c->arena, p.value));
	}
	if (doc_len(tags) > TAGS_MAX)
		return reply_error(c, "BadRequest",
		    "Object tags cannot be greater than 10");
	*ret_tags = tags;
	return NULL;
}

static struct reply *
read_metadata(struct call *c, struct doc *spec)
{
	struct doc *out = doc_obj(c->arena);
	size_t size = 0;

	doc_each_key(k, v, doc_get(c->in, "Metadata")) {
		char *name = arena_str(c->arena, k);

		for (size_t i = 0; i < k.n; i++)
			if (name[i] >= 'A' && name[i] <= 'Z')
				name[i] = (char)(name[i] + 'a' - 'A');
		size += k.n + doc_span(v).n;
		doc_setn(c->arena, out, span_make(name, k.n),
		    doc_copy(c->arena, v));
	}
	if (size > METADATA_MAX)
		return reply_error(c, "MetadataTooLarge", "Your metadata "
		    "headers exceed the maximum allowed metadata size");
	if (doc_len(out))
		doc_set(c->arena, spec, "Metadata", out);
	return NULL;
}

/* AWS: without a word from client or bucket, S3's own keys. */
static struct reply *
read_encryption(struct call *c, const struct res *bucket, struct doc *spec)
{
	const struct doc *rule = doc_at(doc_get(doc_get(bucket->spec,
	    "Encryption"), "Rules"), 0);
	const struct doc *by = doc_get(rule,
	    "ApplyServerSideEncryptionByDefault");
	struct span how = doc_get_str(c->in, "ServerSideEncryption");
	struct span key = doc_get_str(c->in, "SSEKMSKeyId");
	bool bucket_key = doc_get_bool(c->in, "BucketKeyEnabled",
	    doc_get_bool(rule, "BucketKeyEnabled", false));

	if (!how.n) {
		how = doc_get_str(by, "SSEAlgorithm");
		key = key.n ? key : doc_get_str(by, "KMSMasterKeyID");
	}
	how = how.n ? how : SPAN("AES256");
	doc_set_str(c->arena, spec, "ServerSideEncryption", how);
	if (!span_starts(how, SPAN("aws:kms")))
		return key.n ? s3_invalid(c,
		    "x-amz-server-side-encryption-aws-kms-key-id", key,
		    "Server Side Encryption with AWS KMS managed key requires "
		    "HTTP header x-amz-server-side-encryption : aws:kms") :
		    NULL;
	if (!key.n)
		key = arena_fmt_span(c->arena, "arn:aws:kms:%.*s:%.*s:alias/"
		    "aws/s3", SPAN_ARG(doc_get_str(bucket->spec, "Region")),
		    SPAN_ARG(c->scope.account));
	else if (!span_starts(key, SPAN("arn:")))
		key = arena_fmt_span(c->arena, "arn:aws:kms:%.*s:%.*s:%s%.*s",
		    SPAN_ARG(doc_get_str(bucket->spec, "Region")),
		    SPAN_ARG(c->scope.account),
		    span_starts(key, SPAN("alias/")) ? "" : "key/",
		    SPAN_ARG(key));
	doc_set_str(c->arena, spec, "SSEKMSKeyId", key);
	if (bucket_key)
		doc_set_bool(c->arena, spec, "BucketKeyEnabled", true);
	return NULL;
}

/* aws-chunked is how the body came, not what it is. */
static void
read_coding(struct call *c, struct doc *spec)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct span rest = doc_get_str(c->in, "ContentEncoding"), one;

	while (rest.p) {
		one = span_trim(span_cut(&rest, ','));
		if (!one.n || span_ieq(one, SPAN("aws-chunked")))
			continue;
		if (b.n)
			buf_add_char(&b, ',');
		buf_add_span(&b, one);
	}
	if (b.n)
		doc_set_str(c->arena, spec, "ContentEncoding",
		    arena_span(c->arena, buf_span(&b)));
}

static struct reply *
read_class(struct call *c, struct doc *spec)
{
	struct span class = doc_get_str(c->in, "StorageClass");

	if (!class.n || span_is(class, "STANDARD"))
		return NULL;
	/* Those of which one reads at once. */
	if (!span_is(class, "STANDARD_IA") && !span_is(class, "ONEZONE_IA") &&
	    !span_is(class, "INTELLIGENT_TIERING") &&
	    !span_is(class, "REDUCED_REDUNDANCY") &&
	    !span_is(class, "GLACIER_IR"))
		return reply_not_implemented(c, "StorageClass %.*s",
		    SPAN_ARG(class));
	doc_set_str(c->arena, spec, "StorageClass", class);
	return NULL;
}

/* Of a bucket whose objects are all its owner's no ACL says anything else. */
struct reply *
object_check_acl(struct call *c, const struct res *bucket)
{
	const struct doc *rule = doc_at(doc_get(doc_get(bucket->spec,
	    "OwnershipControls"), "Rules"), 0);
	struct span acl = doc_get_str(c->in, "ACL");

	if (!acl.n || span_is(acl, "private") ||
	    span_is(acl, "bucket-owner-full-control"))
		return NULL;
	if (!span_is(doc_get_str(rule, "ObjectOwnership"),
	    "BucketOwnerEnforced"))
		return reply_not_implemented(c, "ACL %.*s", SPAN_ARG(acl));
	return reply_error(c, "AccessControlListNotSupported",
	    "The bucket does not allow ACLs");
}

struct reply *
object_describe(struct call *c, const struct res *bucket,
    struct doc **ret_spec)
{
	static const char *const same[] = {"CacheControl",
	    "ContentDisposition", "ContentLanguage", "ContentType", "Expires",
	    "WebsiteRedirectLocation"};
	struct span tagging = doc_get_str(c->in, "Tagging");
	struct doc *spec = doc_obj(c->arena), *tags = NULL, *v;
	struct reply *no;

	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		if ((v = doc_get(c->in, same[i])))
			doc_set(c->arena, spec, same[i], doc_copy(c->arena, v));
	read_coding(c, spec);
	if ((no = read_metadata(c, spec)) || (no = object_check_acl(c, bucket)) ||
	    (no = read_encryption(c, bucket, spec)) ||
	    (no = read_class(c, spec)))
		return no;
	if (tagging.n && (no = object_read_tagging(c, tagging, &tags)))
		return no;
	if (doc_len(tags))
		doc_set(c->arena, spec, "Tags", tags);
	*ret_spec = spec;
	return NULL;
}

void
object_tell_encryption(struct call *c, const struct doc *spec,
    struct doc *out)
{
	static const char *const members[] = {"ServerSideEncryption",
	    "SSEKMSKeyId", "BucketKeyEnabled"};
	struct doc *v;

	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if ((v = doc_get(spec, members[i])))
			doc_set(c->arena, out, members[i],
			    doc_copy(c->arena, v));
}

void
object_tell_sums(struct call *c, const struct doc *spec, struct doc *out)
{
	doc_each_key(k, v, doc_get(spec, "Checksums"))
		doc_set(c->arena, out, arena_fmt(c->arena, "Checksum%.*s",
		    SPAN_ARG(k)), doc_copy(c->arena, v));
	if (doc_get(spec, "ChecksumType"))
		doc_set_str(c->arena, out, "ChecksumType",
		    doc_get_str(spec, "ChecksumType"));
}

struct span
object_quoted_hex(struct arena *a, struct span raw)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	buf_add_char(&b, '"');
	buf_add_hex(&b, raw.p, raw.n);
	buf_add_char(&b, '"');
	return arena_span(a, buf_span(&b));
}

/* An internal call brings its body along. */
static int
body_of(struct call *c, struct call_body *ret)
{
	return c->body ? (*ret = *c->body, 0) :
	    object_store_bytes(c, doc_get_str(c->in, "Body"), ret);
}

static struct reply *
written(struct call *c, const struct res *bucket, const struct doc *spec)
{
	struct doc *out = doc_obj(c->arena);

	doc_set_str(c->arena, out, "ETag", doc_get_str(spec, "ETag"));
	object_tell_sums(c, spec, out);
	object_tell_encryption(c, spec, out);
	object_tell_expiry(c, bucket, doc_get_str(c->in, "Key"), spec, out);
	if (object_versioning(bucket).n)
		doc_set_str(c->arena, out, "VersionId",
		    doc_get_str(spec, "VersionId"));
	return reply_ok(c, out);
}

struct reply *
s3_put_object(struct call *c)
{
	struct span key = doc_get_str(c->in, "Key");
	struct call_body b;
	struct res *bucket;
	struct doc *spec;
	struct reply *no;
	int r;

	if ((no = s3_find_bucket(c, &bucket)) || (no = s3_check_key(c, key)) ||
	    (no = object_may_write(c, bucket, key)) ||
	    (no = object_describe(c, bucket, &spec)))
		return no;
	if ((r = body_of(c, &b)) < 0)
		return s3_fail(c, r);
	object_set_body(c, spec, &b);
	doc_set_str(c->arena, spec, "ChecksumType", SPAN("FULL_OBJECT"));
	if ((r = object_write(c, bucket, key, spec)) < 0)
		return s3_fail(c, r);
	if (c->body)
		c->body->kept = true;
	return written(c, bucket, spec);
}

/* Deleting */

struct reply *
s3_delete_object(struct call *c)
{
	struct span key = doc_get_str(c->in, "Key");
	struct doc *out = doc_obj(c->arena);
	struct res *bucket;
	struct reply *no = s3_find_bucket(c, &bucket);
	int r;

	if (no)
		return no;
	if ((no = s3_check_key(c, key)) ||
	    (no = object_may_write(c, bucket, key)))
		return no;
	r = object_delete(c, bucket, key, doc_get_str(c->in, "VersionId"),
	    out);
	return r ? s3_fail(c, r) : reply_ok(c, out);
}

/* Why one of DeleteObjects stays, or NULL. */
static struct reply *
may_delete(struct call *c, const struct res *bucket, const struct doc *id)
{
	struct span key = doc_get_str(id, "Key");
	struct span etag = doc_get_str(id, "ETag");
	struct reply *no = s3_check_key(c, key);
	struct res *row;
	int r;

	if (no || !etag.n)
		return no;
	r = object_version(c, bucket, key, doc_get_str(id, "VersionId"), &row);
	if (r < 0)
		return s3_fail(c, r);
	if (r || doc_get_bool(row->spec, "DeleteMarker", false))
		return s3_no_key(c, key);
	return object_etag_is(row->spec, etag) ? NULL : reply_error(c,
	    "PreconditionFailed", "At least one of the pre-conditions you "
	    "specified did not hold");
}

static struct doc *
named(struct call *c, const struct doc *id)
{
	struct doc *d = doc_obj(c->arena);

	doc_set_str(c->arena, d, "Key", doc_get_str(id, "Key"));
	if (doc_get(id, "VersionId"))
		doc_set_str(c->arena, d, "VersionId",
		    doc_get_str(id, "VersionId"));
	return d;
}

/* One of DeleteObjects: what happened to it goes into done or failed. */
static int
delete_one(struct call *c, const struct res *bucket, const struct doc *id,
    struct doc *done, struct doc *failed)
{
	struct doc *one = named(c, id), *out = doc_obj(c->arena);
	struct reply *no = may_delete(c, bucket, id);
	struct span code, message;
	int r;

	if (no) {
		reply_tell_error(no, &code, &message);
		doc_set_str(c->arena, one, "Code", code);
		doc_set_str(c->arena, one, "Message", message);
		doc_push(failed, one);
		return 0;
	}
	r = object_delete(c, bucket, doc_get_str(id, "Key"),
	    doc_get_str(id, "VersionId"), out);
	if (doc_get_bool(out, "DeleteMarker", false)) {
		doc_set_bool(c->arena, one, "DeleteMarker", true);
		doc_set_str(c->arena, one, "DeleteMarkerVersionId",
		    doc_get_str(out, "VersionId"));
	}
	doc_push(done, one);
	return err_trace(r);
}

struct reply *
s3_delete_objects(struct call *c)
{
	const struct doc *what = doc_get(c->in, "Delete");
	const struct doc *ids = doc_get(what, "Objects");
	struct doc *out = doc_obj(c->arena), *done = doc_arr(c->arena);
	struct doc *failed = doc_arr(c->arena);
	struct res *bucket;
	struct reply *no = s3_find_bucket(c, &bucket);
	int r;

	if (no)
		return no;
	if (doc_len(ids) == 0 || doc_len(ids) > DELETE_MAX)
		return s3_malformed(c);
	doc_each(id, ids) {
		/* Directory buckets alone have these. */
		if (doc_get(id, "Size") || doc_get(id, "LastModifiedTime"))
			return reply_not_implemented(c, "conditions other "
			    "than ETag");
		if ((r = delete_one(c, bucket, id, done, failed)) < 0)
			return s3_fail(c, r);
	}
	if (!doc_get_bool(what, "Quiet", false))
		doc_set(c->arena, out, "Deleted", done);
	doc_set(c->arena, out, "Errors", failed);
	return reply_ok(c, out);
}
