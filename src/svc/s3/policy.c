/* Policies of buckets: which are taken, which would open a bucket. */
#include "auth/policy.h"
#include "svc/s3/ops.h"
#include "svc/s3/s3.h"

/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html */
#define POLICY_MAX 20480

static struct reply *
malformed(struct call *c, const char *why)
{
	return reply_error(c, "MalformedPolicy", "%s", why);
}

/* One text, or a list of them. */
static bool
all_of(const struct doc *v, bool (*fits)(const void *ctx, struct span s),
    const void *ctx)
{
	if (doc_type(v) == DOC_STR)
		return fits(ctx, doc_span(v));
	doc_each(e, v)
		if (!fits(ctx, doc_span(e)))
			return false;
	return true;
}

static bool
is_action(const void *ctx UNUSED, struct span s)
{
	return span_is(s, "*") || span_ieq(span_to(s, 3), SPAN("s3:"));
}

/* AWS: of this bucket; not even "*". */
static bool
is_resource(const void *bucket, struct span s)
{
	struct span prefix = SPAN("arn:aws:s3:::"), name;

	if (!span_starts(s, prefix))
		return false;
	s = span_from(s, prefix.n);
	name = span_cut(&s, '/');
	return span_glob(name, ((const struct res *)bucket)->id);
}

static struct reply *
check_statement(struct call *c, const struct res *bucket,
    const struct doc *st)
{
	if (!all_of(doc_get(st, "Action"), is_action, NULL) ||
	    !all_of(doc_get(st, "NotAction"), is_action, NULL))
		return malformed(c, "Policy has invalid action");
	if (!all_of(doc_get(st, "Resource"), is_resource, bucket) ||
	    !all_of(doc_get(st, "NotResource"), is_resource, bucket))
		return malformed(c, "Policy has invalid resource");
	return NULL;
}

/* Statements, one by one, also where there is but one. */
static struct doc *
statements(struct arena *a, const struct doc *policy)
{
	const struct doc *list = doc_get(policy, "Statement");
	struct doc *one = doc_arr(a);

	if (doc_type(list) == DOC_ARR)
		return doc_copy(a, list);
	doc_push(one, doc_copy(a, list));
	return one;
}

static bool
is_anyone(const struct doc *who)
{
	const struct doc *aws = doc_get(who, "AWS");

	return span_is(doc_span(who), "*") || span_is(doc_span(aws), "*") ||
	    doc_has_str(aws, SPAN("*"));
}

/* AWS: one that lets anyone in, whatever the circumstances.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html */
static bool
is_public(struct arena *a, const struct doc *policy)
{
	doc_each(s, statements(a, policy))
		if (span_is(doc_get_str(s, "Effect"), "Allow") &&
		    (is_anyone(doc_get(s, "Principal")) ||
		    doc_get(s, "NotPrincipal")) &&
		    !doc_len(doc_get(s, "Condition")))
			return true;
	return false;
}

struct reply *
s3_check_policy(struct call *c, const struct res *bucket, struct span text)
{
	struct reply *no = NULL;
	struct span why;
	struct doc *d;

	if (text.n > POLICY_MAX)
		return reply_error(c, "PolicyTooLarge",
		    "Policy exceeds the maximum allowed document size.");
	if (doc_parse_json(c->arena, text, &d) || doc_type(d) != DOC_OBJ)
		return malformed(c, "Policies must be valid JSON and the "
		    "first byte must be '{'");
	if (!doc_len(doc_get(d, "Statement")))
		return malformed(c, "Missing required field Statement");
	if (policy_parse(c->arena, text, POLICY_RESOURCE, &d, &why))
		return malformed(c, arena_str(c->arena, why));
	doc_each(st, statements(c->arena, d))
		if (!no)
			no = check_statement(c, bucket, st);
	if (no)
		return no;
	if (is_public(c->arena, d) && doc_get_bool(doc_get(bucket->spec,
	    "PublicAccessBlock"), "BlockPublicPolicy", false))
		return reply_error(c, "AccessDenied", "User: %.*s is not "
		    "authorized to perform: s3:PutBucketPolicy on resource: "
		    "\"%.*s\" because public policies are prevented by the "
		    "BlockPublicPolicy setting in S3 Block Public Access.",
		    SPAN_ARG(c->who.arn), SPAN_ARG(bucket->arn));
	return NULL;
}

struct reply *
s3_get_bucket_policy_status(struct call *c)
{
	struct res *bucket;
	struct reply *no = s3_find_bucket(c, &bucket);
	struct doc *policy, *status = doc_obj(c->arena);
	struct span text;

	if (no)
		return no;
	text = doc_get_str(bucket->spec, "Policy");
	if (!text.n || doc_parse_json(c->arena, text, &policy))
		return s3_error(c, "NoSuchBucketPolicy", "BucketName",
		    bucket->id, "The bucket policy does not exist");
	doc_set_bool(c->arena, status, "IsPublic",
	    is_public(c->arena, policy));
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena),
	    "PolicyStatus", status));
}
