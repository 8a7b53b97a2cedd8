/* Buckets and their policies as CloudFormation makes them. */
#include "base/err.h"
#include "cfn/type.h"
#include "svc/s3/s3.h"

#define BUCKET "{'Bucket': '$ref'}"
#define POLICY_OF "{'Bucket': '$p.Bucket'}"
#define TAGS "{'Bucket': '$ref', 'Tagging': {'TagSet': '$p.Tags'}}"
#define RULES "BucketEncryption.ServerSideEncryptionConfiguration"

/* One setting of a bucket each: the same when it is made and when it changes,
 * but that del_ ends what is there no more. */
#define SETTING(op_, prop_, with_, del_, ...) \
	CFN_STEP(op_, prop_, with_, .without = del_, ##__VA_ARGS__)
#define SETTINGS \
	SETTING("PutBucketEncryption", "BucketEncryption", BUCKET, \
	    "DeleteBucketEncryption", .map = \
	    "BucketEncryption=ServerSideEncryptionConfiguration " \
	    RULES "=Rules " RULES ".ServerSideEncryptionByDefault=" \
	    "ApplyServerSideEncryptionByDefault"), \
	SETTING("PutPublicAccessBlock", "PublicAccessBlockConfiguration", \
	    BUCKET, "DeletePublicAccessBlock"), \
	SETTING("PutBucketOwnershipControls", "OwnershipControls", BUCKET, \
	    "DeleteBucketOwnershipControls"), \
	SETTING("PutBucketLifecycleConfiguration", "LifecycleConfiguration", \
	    BUCKET, "DeleteBucketLifecycle"), \
	SETTING("PutBucketTagging", "Tags", TAGS, "DeleteBucketTagging"), \
	CFN_STEP("PutBucketVersioning", "VersioningConfiguration", BUCKET)

/* {'from': 'to'} for members, some of them one level deeper. */
static const struct {
	const char *from;
	const char *in; /* NULL: the rule itself */
	const char *to;
} rule_members[] = {
	{"Id", NULL, "ID"},
	{"ExpirationInDays", "Expiration", "Days"},
	{"ExpirationDate", "Expiration", "Date"},
	{"ExpiredObjectDeleteMarker", "Expiration",
	    "ExpiredObjectDeleteMarker"},
	{"NoncurrentVersionExpirationInDays", "NoncurrentVersionExpiration",
	    "NoncurrentDays"},
	{"Prefix", "And", "Prefix"},
	{"TagFilters", "And", "Tags"},
	{"ObjectSizeGreaterThan", "And", "ObjectSizeGreaterThan"},
	{"ObjectSizeLessThan", "And", "ObjectSizeLessThan"},
};

/* All conditions together are an And; one of them, or none, stands alone. */
static struct doc *
filter(struct arena *a, struct doc *and)
{
	struct doc *f = doc_obj(a), *tags = doc_get(and, "Tags");

	if (doc_len(and) + (doc_len(tags) > 1) > 1)
		return doc_set(a, f, "And", doc_copy(a, and));
	if (tags)
		return doc_set(a, f, "Tag", doc_copy(a, doc_at(tags, 0)));
	if (doc_len(and))
		return doc_copy(a, and);
	return doc_set_str(a, f, "Prefix", SPAN(""));
}

static struct doc *
rule(struct arena *a, const struct doc *r)
{
	struct doc *out = doc_copy(a, r), *and = doc_obj(a);

	for (size_t i = 0; i < ARRAY_SIZE(rule_members); i++) {
		const char *in = rule_members[i].in;
		const struct doc *v = doc_get(r, rule_members[i].from);
		struct doc *into = out;

		if (!v)
			continue;
		doc_del(out, rule_members[i].from);
		if (in && strcmp(in, "And") == 0) {
			into = and;
		} else if (in && !(into = doc_get(out, in))) {
			into = doc_obj(a);
			doc_set(a, out, in, into);
		}
		doc_set(a, into, rule_members[i].to, doc_copy(a, v));
	}
	return doc_set(a, out, "Filter", filter(a, and));
}

/* A rule of a template is flat, one of the API is not. */
static struct doc *
reshape(struct arena *a, const struct doc *props)
{
	struct doc *out = doc_copy(a, props), *rules = doc_arr(a);
	struct doc *life = doc_get(out, "LifecycleConfiguration");
	struct span acl = doc_get_str(props, "AccessControl");

	/* What every bucket here is. */
	if (span_is(acl, "Private") || span_is(acl, "BucketOwnerFullControl"))
		doc_del(out, "AccessControl");
	doc_each(r, doc_get(life, "Rules"))
		doc_push(rules, rule(a, r));
	if (doc_len(rules))
		doc_set(a, life, "Rules", rules);
	return out;
}

/* AWS: a bucket has one policy, and one resource that made it. */
static int
make_policy(struct cfn_run *run, enum cfn_outcome *ret)
{
	static const struct cfn_step put = CFN_STEP("PutBucketPolicy", NULL,
	    NULL, .map = "PolicyDocument=Policy");
	struct op_result r;
	int e = cfn_call(run, "GetBucketPolicy", cfn_expr(run, POLICY_OF), &r);

	if (e)
		return err_trace(e);
	if (r.error.n)
		return err_trace(cfn_step(run, &put, ret));
	*ret = cfn_fail(run, "The bucket policy already exists on bucket "
	    "%.*s.", SPAN_ARG(doc_get_str(run->props, "Bucket")));
	return 0;
}

const struct cfn_map s3_types[] = {
	{
		.type = "AWS::S3::Bucket",
		.name = "BucketName",
		.name_max = 63,
		.name_lower = true,
		.name_plain = true,
		.reshape = reshape,
		.create = CFN_STEPS(CFN_STEP("CreateBucket", NULL, NULL,
		    .map = "BucketName=Bucket"), SETTINGS),
		.update = CFN_STEPS(SETTINGS),
		.defaults = "{'VersioningConfiguration': "
		    "{'Status': 'Suspended'}}",
		.remove = CFN_STEPS(CFN_STEP("DeleteBucket", "", BUCKET)),
		.ref = "$p.BucketName",
		.attrs = "{'Arn': 'arn:${partition}:s3:::${ref}', "
		    "'DomainName': '${ref}.s3.amazonaws.com', "
		    "'RegionalDomainName': "
		    "'${ref}.s3.${region}.amazonaws.com', "
		    "'DualStackDomainName': "
		    "'${ref}.s3.dualstack.${region}.amazonaws.com'}",
		/* S3 puts all tags of a bucket at once: they are a setting as
		 * any other. */
		.tags = "",
	},
	{
		.type = "AWS::S3::BucketPolicy",
		.on_create = make_policy,
		.update = CFN_STEPS(CFN_STEP("PutBucketPolicy", NULL, NULL,
		    .map = "PolicyDocument=Policy")),
		.remove = CFN_STEPS(CFN_STEP("DeleteBucketPolicy", "",
		    POLICY_OF)),
		.ref = "$p.Bucket",
	},
	{.type = NULL},
};
