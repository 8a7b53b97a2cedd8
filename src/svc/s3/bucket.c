/* Buckets themselves. */
#include "base/err.h"
#include "svc/s3/ops.h"
#include "svc/s3/multipart.h"

/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
#define BUCKET_MIN   3
#define BUCKET_MAX     63
#define BUCKETS_MAX  10000
#define LIST_DEFAULT 10000

static bool
is_address(struct span s)
{
	uint64_t n;
	int parts = 0;

	while (s.p) {
		if (!span_u64(span_cut(&s, '.'), &n) || n > 255)
			return false;
		parts++;
	}
	return parts == 4;
}

static bool
name_ok(struct span s)
{
	static const char *const not_first[] = {"xn--", "sthree-",
	    "amzn-s3-demo-"};
	static const char *const not_last[] = {"-s3alias", "--ol-s3", ".mrap",
	    "--x-s3", "--table-s3"};

	if (s.n < BUCKET_MIN || s.n > BUCKET_MAX || is_address(s) ||
	    span_find(s, SPAN("..")) >= 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		bool edge = i == 0 || i == s.n - 1;

		if (!memchr("abcdefghijklmnopqrstuvwxyz0123456789.-", s.p[i],
			edge ? 36 : 38))
			return false;
	}
	for (size_t i = 0; i < ARRAY_SIZE(not_first); i++)
		if (span_starts(s, span_of(not_first[i])))
			return false;
	for (size_t i = 0; i < ARRAY_SIZE(not_last); i++)
		if (span_ends(s, span_of(not_last[i])))
			return false;
	return true;
}

/* The region that the bucket is to be in, or the refusal. */
static struct reply *
read_region(struct call *c, struct span *ret)
{
	struct span want = doc_get_str(doc_get(c->in,
	    "CreateBucketConfiguration"), "LocationConstraint");

	if (span_is(want, "EU"))
		want = SPAN("eu-west-1");
	/* A stack's bucket is where the stack is. */
	if (!want.n && c->who.system)
		want = c->scope.region;
	if (!want.n && !span_is(c->scope.region, "us-east-1"))
		return reply_error(c, "IllegalLocationConstraintException",
		    "The unspecified location constraint is incompatible for "
		    "the region specific endpoint this request was sent to.");
	if (want.n && !span_is(c->scope.region, "us-east-1") &&
	    !span_eq(want, c->scope.region))
		return reply_error(c, "IllegalLocationConstraintException",
		    "The %.*s location constraint is incompatible for the "
		    "region specific endpoint this request was sent to.",
		    SPAN_ARG(want));
	*ret = want.n ? want : SPAN("us-east-1");
	return NULL;
}

static struct reply *
check_acl(struct call *c)
{
	struct span acl = doc_get_str(c->in, "ACL");

	if (!acl.n || span_is(acl, "private") ||
	    span_is(acl, "bucket-owner-full-control"))
		return NULL;
	return reply_error(c, "InvalidBucketAclWithObjectOwnership",
	    "Bucket cannot have ACLs set with ObjectOwnership's "
	    "BucketOwnerEnforced setting");
}

/* AWS: a new bucket has all public access blocked and no ACLs. */
static void
fill_defaults(struct call *c, struct doc *spec)
{
	static const char *const blocks[] = {"BlockPublicAcls",
	    "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"};
	struct doc *block = doc_obj(c->arena), *rule = doc_obj(c->arena);
	struct doc *rules = doc_arr(c->arena), *own = doc_obj(c->arena);
	struct span owner = doc_get_str(c->in, "ObjectOwnership");

	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
		doc_set_bool(c->arena, block, blocks[i], true);
	doc_set_str(c->arena, rule, "ObjectOwnership",
	    owner.n ? owner : SPAN("BucketOwnerEnforced"));
	doc_push(rules, rule);
	doc_set(c->arena, own, "Rules", rules);
	doc_set(c->arena, spec, "PublicAccessBlock", block);
	doc_set(c->arena, spec, "OwnershipControls", own);
}

static struct reply *
created(struct call *c, struct span name)
{
	struct doc *out = doc_obj(c->arena);

	doc_setf(c->arena, out, "Location", "/%.*s", SPAN_ARG(name));
	doc_set(c->arena, out, "BucketArn", doc_str(c->arena,
	    kind_arn(c->arena, &s3_bucket, c->scope, SPAN_NULL, name)));
	return reply_ok(c, out);
}

static struct reply *
put_tags(struct call *c, const struct res *bucket)
{
	int r = 0;

	doc_each(t, doc_get(doc_get(c->in, "CreateBucketConfiguration"),
	    "Tags"))
		if (r == 0)
			r = store_tag(c->store, bucket,
			    doc_get_str(t, "Key"), doc_get_str(t, "Value"));
	return r ? s3_fail(c, r) : NULL;
}

struct reply *
s3_create_bucket(struct call *c)
{
	struct span name = doc_get_str(c->in, "Bucket"), region;
	struct query all = {.kind = &s3_bucket, .scope = c->scope};
	struct res *row;
	struct reply *no;
	int r;

	if (!name_ok(name))
		return s3_error(c, "InvalidBucketName", "BucketName", name,
		    "The specified bucket is not valid.");
	if ((no = read_region(c, &region)) || (no = check_acl(c)))
		return no;
	row = res_new(c->arena, &s3_bucket, c->scope, SPAN_NULL, name);
	doc_set_str(c->arena, row->spec, "Region", region);
	fill_defaults(c, row->spec);
	r = store_insert(c->store, c->arena, row);
	/* AWS: us-east-1 answers as before when the bucket is one's own. */
	if (r == STORE_E_EXISTS && span_is(c->scope.region, "us-east-1") &&
	    !c->who.system)
		return created(c, name);
	if (r == STORE_E_EXISTS)
		return s3_error(c, "BucketAlreadyOwnedByYou", "BucketName",
		    name, "Your previous request to create the named bucket "
		    "succeeded and you already own it.");
	if (r)
		return s3_fail(c, r);
	if (store_count(c->store, &all) > BUCKETS_MAX)
		return reply_error(c, "TooManyBuckets", "You have attempted "
		    "to create more buckets than allowed");
	if ((no = put_tags(c, row)))
		return no;
	return created(c, name);
}

static int
is_empty(struct call *c, const struct res *bucket, bool *ret)
{
	static const struct kind *const kinds[] = {&s3_object, &s3_version};
	struct id_range q = {.scope = c->scope, .parent = bucket->id,
	    .limit = 1};
	struct res_list l;
	int r;

	*ret = true;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		q.kind = kinds[i];
		r = store_list_ids(c->store, c->arena, &q, &l);
		if (r)
			return err_trace(r);
		if (l.n)
			*ret = false;
	}
	return 0;
}

/* Uploads that were not completed go with the bucket. */
static int
drop_uploads(struct call *c, const struct res *bucket)
{
	struct query q = {.kind = &s3_upload, .scope = c->scope,
	    .parent = bucket->id};
	struct res_list l;
	int r = store_list(c->store, c->arena, &q, &l);

	for (size_t i = 0; r == 0 && i < l.n; i++)
		if ((r = part_drop_all(c, multipart_id(l.v[i]))) == 0)
			r = store_delete(c->store, l.v[i]);
	return err_fold(r);
}

struct reply *
s3_delete_bucket(struct call *c)
{
	struct res *bucket;
	struct reply *no = s3_find_bucket(c, &bucket);
	bool empty;
	int r;

	if (no)
		return no;
	if ((r = is_empty(c, bucket, &empty)) < 0)
		return s3_fail(c, r);
	if (!empty)
		return s3_error(c, "BucketNotEmpty", "BucketName", bucket->id,
		    object_versioning(bucket).n == 0 ?
		    "The bucket you tried to delete is not empty" :
		    "The bucket you tried to delete is not empty. You must "
		    "delete all versions in the bucket.");
	if ((r = drop_uploads(c, bucket)) ||
	    (r = store_delete(c->store, bucket)))
		return s3_fail(c, r);
	return reply_ok(c, NULL);
}

struct reply *
s3_head_bucket(struct call *c)
{
	struct res *bucket;
	struct reply *no = s3_find_bucket(c, &bucket);
	struct doc *out = doc_obj(c->arena);

	if (no)
		return no;
	doc_set_str(c->arena, out, "BucketArn", bucket->arn);
	doc_set_str(c->arena, out, "BucketRegion",
	    doc_get_str(bucket->spec, "Region"));
	return reply_ok(c, out);
}

struct reply *
s3_get_bucket_location(struct call *c)
{
	struct res *bucket;
	struct reply *no = s3_find_bucket(c, &bucket);
	struct doc *out = doc_obj(c->arena);
	struct span region;

	if (no)
		return no;
	region = doc_get_str(bucket->spec, "Region");
	/* AWS: us-east-1 is said by saying nothing. */
	if (!span_is(region, "us-east-1"))
		doc_set_str(c->arena, out, "LocationConstraint", region);
	return reply_ok(c, out);
}

static struct doc *
describe(struct call *c, const struct res *bucket, bool paged)
{
	struct doc *d = doc_obj(c->arena);

	doc_set_str(c->arena, d, "Name", bucket->id);
	doc_set_time(c->arena, d, "CreationDate", bucket->created);
	if (!paged)
		return d;
	doc_set_str(c->arena, d, "BucketRegion",
	    doc_get_str(bucket->spec, "Region"));
	return doc_set_str(c->arena, d, "BucketArn", bucket->arn);
}

struct reply *
s3_list_buckets(struct call *c)
{
	struct span token = doc_get_str(c->in, "ContinuationToken");
	struct span prefix = doc_get_str(c->in, "Prefix");
	struct span region = doc_get_str(c->in, "BucketRegion");
	size_t max = (size_t)doc_get_int(c->in, "MaxBuckets", LIST_DEFAULT);
	bool paged = doc_len(c->in) > 0;
	struct id_range q = {.kind = &s3_bucket, .scope = c->scope,
	    .from = prefix};
	struct doc *out = doc_obj(c->arena), *arr = doc_arr(c->arena);
	struct res_list l;
	int r;

	if (token.n && !page_token_read(c, token, &q.from))
		return s3_invalid(c, "continuation-token", token,
		    "The continuation token provided is incorrect");
	q.after = token.n > 0;
	q.until = s3_successor(c->arena, prefix);
	if ((r = store_list_ids(c->store, c->arena, &q, &l)))
		return s3_fail(c, r);
	for (size_t i = 0; i < l.n; i++) {
		if (region.n && !span_eq(region,
		    doc_get_str(l.v[i]->spec, "Region")))
			continue;
		if (doc_len(arr) == max) {
			doc_set_str(c->arena, out, "ContinuationToken",
			    page_token_text(c, l.v[i - 1]->id));
			break;
		}
		doc_push(arr, describe(c, l.v[i], paged));
	}
	doc_set(c->arena, out, "Buckets", arr);
	doc_set(c->arena, out, "Owner", s3_owner(c));
	if (prefix.n)
		doc_set_str(c->arena, out, "Prefix", prefix);
	return reply_ok(c, out);
}
