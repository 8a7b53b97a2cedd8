/* Tags of buckets, which the store keeps, and of objects, which are theirs. */
#include "base/err.h"
#include "svc/s3/object.h"
#include "svc/s3/ops.h"

#define BUCKET_TAGS 50
#define OBJECT_TAGS 10
#define KEY_MAX	    128
#define VALUE_MAX   256

/* The input's TagSet as {key: value}.  NULL, or the refusal. */
static struct reply *
read_set(struct call *c, size_t max, struct doc **ret)
{
	const struct doc *set = doc_get(doc_get(c->in, "Tagging"), "TagSet");
	struct doc *tags = doc_obj(c->arena);

	if (doc_len(set) > max)
		return reply_error(c, max == OBJECT_TAGS ? "BadRequest" :
		    "InvalidTag", "%s tags cannot be greater than %zu",
		    max == OBJECT_TAGS ? "Object" : "Bucket", max);
	doc_each(t, set) {
		struct span key = doc_get_str(t, "Key");
		struct span value = doc_get_str(t, "Value");

		if (!key.n || key.n > KEY_MAX * 4)
			return s3_error(c, "InvalidTag", "TagKey", key,
			    "The TagKey you have provided is invalid");
		if (value.n > VALUE_MAX * 4)
			return s3_error(c, "InvalidTag", "TagValue", value,
			    "The TagValue you have provided is invalid");
		if (span_starts(key, SPAN("aws:")) && !c->who.system)
			return s3_error(c, "InvalidTag", "TagKey", key,
			    "System tags cannot be added/updated by requester");
		if (doc_getn(tags, key))
			return s3_error(c, "InvalidTag", "TagKey", key,
			    "Cannot provide multiple Tags with the same key");
		doc_setn(c->arena, tags, key, doc_str(c->arena, value));
	}
	*ret = tags;
	return NULL;
}

static struct reply *
reply_set(struct call *c, const struct doc *tags, struct span version)
{
	struct doc *out = doc_obj(c->arena), *arr = doc_arr(c->arena);

	doc_each_key(k, v, tags) {
		struct doc *t = doc_obj(c->arena);

		doc_set_str(c->arena, t, "Key", k);
		doc_set_str(c->arena, t, "Value", doc_span(v));
		doc_push(arr, t);
	}
	if (version.n)
		doc_set_str(c->arena, out, "VersionId", version);
	return reply_ok(c, doc_set(c->arena, out, "TagSet", arr));
}

/* AWS keeps its own tags (aws:…) whatever the owner puts. */
static int
clear(struct call *c, const struct res *bucket)
{
	struct doc *now;
	int r = store_tags(c->store, c->arena, bucket, &now);

	doc_each_key(k, v, r ? NULL : now)
		if (r == 0 && !span_starts(k, SPAN("aws:")))
			r = store_untag(c->store, bucket, k);
	return r < 0 ? err_trace(r) : 0;
}

struct reply *
s3_put_bucket_tagging(struct call *c)
{
	struct res *bucket;
	struct reply *no = s3_find_bucket(c, &bucket);
	struct doc *tags;
	int r;

	if (no || (no = read_set(c, BUCKET_TAGS, &tags)))
		return no;
	r = clear(c, bucket);
	doc_each_key(k, v, tags)
		if (r == 0)
			r = store_tag(c->store, bucket, k, doc_span(v));
	return r ? s3_fail(c, r) : reply_ok(c, NULL);
}

struct reply *
s3_get_bucket_tagging(struct call *c)
{
	struct res *bucket;
	struct reply *no = s3_find_bucket(c, &bucket);
	struct doc *tags;
	int r;

	if (no)
		return no;
	if ((r = store_tags(c->store, c->arena, bucket, &tags)))
		return s3_fail(c, r);
	if (!doc_len(tags))
		return s3_error(c, "NoSuchTagSet", "BucketName", bucket->id,
		    "The TagSet does not exist");
	return reply_set(c, tags, SPAN_NULL);
}

struct reply *
s3_delete_bucket_tagging(struct call *c)
{
	struct res *bucket;
	struct reply *no = s3_find_bucket(c, &bucket);
	int r;

	if (no)
		return no;
	r = clear(c, bucket);
	return r ? s3_fail(c, r) : reply_ok(c, NULL);
}

/* The version that the input names. */
static struct reply *
find(struct call *c, struct res **ret, struct span *ret_version)
{
	struct span key = doc_get_str(c->in, "Key");
	struct span version = doc_get_str(c->in, "VersionId");
	struct res *bucket;
	struct reply *no = s3_find_bucket(c, &bucket);
	int r;

	if (no || (no = s3_check_key(c, key)))
		return no;
	r = object_version(c, bucket, key, version, ret);
	if (r < 0)
		return s3_fail(c, r);
	if (r && version.n)
		return s3_error(c, "NoSuchVersion", "VersionId", version,
		    "The specified version does not exist.");
	if (r)
		return s3_no_key(c, key);
	if (doc_get_bool((*ret)->spec, "DeleteMarker", false))
		return reply_error(c, "MethodNotAllowed", "The specified "
		    "method is not allowed against this resource.");
	*ret_version = object_versioning(bucket).n ?
	    doc_get_str((*ret)->spec, "VersionId") : SPAN_NULL;
	return NULL;
}

static struct reply *
put(struct call *c, struct res *row, struct doc *tags, struct span version)
{
	struct doc *out = doc_obj(c->arena);
	int r;

	doc_set(c->arena, row->spec, "Tags", doc_len(tags) ? tags : NULL);
	if ((r = store_put_spec(c->store, row)))
		return s3_fail(c, r);
	if (version.n)
		doc_set_str(c->arena, out, "VersionId", version);
	return reply_ok(c, out);
}

struct reply *
s3_put_object_tagging(struct call *c)
{
	struct span version;
	struct res *row;
	struct reply *no = find(c, &row, &version);
	struct doc *tags;

	if (no || (no = read_set(c, OBJECT_TAGS, &tags)))
		return no;
	return put(c, row, tags, version);
}

struct reply *
s3_get_object_tagging(struct call *c)
{
	struct span version;
	struct res *row;
	struct reply *no = find(c, &row, &version);

	return no ? no : reply_set(c, doc_get(row->spec, "Tags"), version);
}

struct reply *
s3_delete_object_tagging(struct call *c)
{
	struct span version;
	struct res *row;
	struct reply *no = find(c, &row, &version);

	return no ? no : put(c, row, NULL, version);
}
