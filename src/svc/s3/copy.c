/* Copies of objects. */
#include "svc/s3/copy.h"

#include <openssl/evp.h>

#include "base/err.h"
#include "svc/s3/ops.h"

#define PIECE (256u << 10)

/* On the thread */

static int
take(struct copy *x, EVP_MD_CTX *md5, struct checksum *sum, struct span piece)
{
	AN(EVP_DigestUpdate(md5, piece.p, piece.n));
	checksum_add(sum, piece);
	x->result.size += (int64_t)piece.n;
	return x->write ? object_write_all(x->fd, piece) : 0;
}

static void
finish(struct copy *x, EVP_MD_CTX *md5, struct checksum *sum)
{
	unsigned char d[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	AN(EVP_DigestFinal_ex(md5, d, &n));
	x->result.md5 = arena_span(x->arena, span_make((char *)d, n));
	x->result.sum = checksum_text(sum, x->arena);
	if (x->write)
		x->err = files_seal(x->c->files, x->fd);
}

static void
copy_run(void *ctx)
{
	_cleanup_free_ char *piece = xmalloc(PIECE);
	struct copy *x = ctx;
	struct checksum *sum = checksum_new(x->kind);
	EVP_MD_CTX *md5 = EVP_MD_CTX_new();
	ssize_t n;

	AN(md5 && EVP_DigestInit_ex(md5, EVP_md5(), NULL));
	if (x->write)
		x->err = files_create(x->c->files, x->arena, &x->result.id,
		    &x->fd);
	while (x->err == 0 && (n = file_seq_read(x->from, piece, PIECE)) != 0)
		x->err = n < 0 ? (int)n :
		    take(x, md5, sum, span_make(piece, (size_t)n));
	if (x->err == 0)
		finish(x, md5, sum);
	close_p(&x->fd);
	checksum_free(sum);
	EVP_MD_CTX_free(md5);
}

/* On the loop */

static struct reply *
copy_done(void *ctx)
{
	struct copy *x = ctx;

	s3_garbage(x->c, x->result.id);
	file_seq_free(TAKE_PTR(x->from));
	return x->err ? s3_fail(x->c, x->err) : x->done(x);
}

static void
end_arena(void *a)
{
	arena_free(a);
}

struct reply *
copy_start(struct call *c, const struct copy *how, const struct file_run *v,
    size_t n)
{
	struct copy *x = arena_new_of(c->arena, struct copy);

	*x = *how;
	x->version = arena_span(c->arena, how->version);
	x->spec = how->spec ? doc_copy(c->arena, how->spec) : NULL;
	x->c = c;
	x->fd = -1;
	x->arena = arena_new();
	arena_note(c->arena, end_arena, x->arena);
	x->from = file_seq_new(c->files, v, n);
	x->result.kind = x->kind;
	return reply_after(c, copy_run, copy_done, x);
}

/* Sources */

/* "/bucket/key?versionId=ID", encoded. */
static struct reply *
read_source(struct call *c, struct copy_source *ret, struct span *ret_version)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct span mark = SPAN("?versionId=");
	struct span text = doc_get_str(c->in, "CopySource"), rest;
	ptrdiff_t at = span_find(text, mark);

	*ret_version = at < 0 ? SPAN_NULL :
	    span_from(text, (size_t)at + mark.n);
	ret->by_version = at >= 0;
	buf_add_unuri(&b, at < 0 ? text : span_to(text, (size_t)at), true);
	rest = arena_span(c->arena, buf_span(&b));
	if (span_starts(rest, SPAN("arn:")))
		return reply_not_implemented(c, "a copy from an access point");
	if (span_starts(rest, SPAN("/")))
		rest = span_from(rest, 1);
	ret->bucket = span_cut(&rest, '/');
	ret->key = rest;
	if (ret->bucket.n && ret->key.n &&
	    (!ret->by_version || ret_version->n))
		return NULL;
	return s3_invalid(c, "x-amz-copy-source", text, "Copy Source must "
	    "mention the source bucket and key: sourcebucket/sourcekey");
}

/* AWS: when If-Match holds, If-Unmodified-Since does not matter; when
 * If-None-Match does not hold, If-Modified-Since does not. */
static bool
conditions_hold(struct call *c, const struct doc *spec)
{
	struct span match = doc_get_str(c->in, "CopySourceIfMatch");
	struct span none = doc_get_str(c->in, "CopySourceIfNoneMatch");
	const struct doc *since = doc_get(c->in, "CopySourceIfModifiedSince");
	const struct doc *unless = doc_get(c->in,
	    "CopySourceIfUnmodifiedSince");
	int64_t at = doc_get_int(spec, "LastModified", 0) / 1000;

	if (match.n ? !object_etag_is(spec, match) :
	    unless && at > doc_i64(unless, 0))
		return false;
	if (none.n && object_etag_is(spec, none))
		return false;
	return !since || at > doc_i64(since, 0);
}

static struct reply *
find_source(struct call *c, struct copy_source *s, struct span version)
{
	struct res *bucket, *row;
	struct reply *no = s3_get_bucket(c, s->bucket,
	    doc_get_str(c->in, "ExpectedSourceBucketOwner"), &bucket);
	int r;

	if (no || (no = s3_check_key(c, s->key)))
		return no;
	r = object_version(c, bucket, s->key, version, &row);
	if (r < 0)
		return s3_fail(c, r);
	if (r && version.n)
		return s3_error(c, "NoSuchVersion", "VersionId", version,
		    "The specified version does not exist.");
	if (r)
		return s3_no_key(c, s->key);
	if (doc_get_bool(row->spec, "DeleteMarker", false))
		return version.n ? reply_error(c, "InvalidRequest", "The "
		    "source of a copy request may not specifically refer to a "
		    "delete marker by version id.") : s3_no_key(c, s->key);
	s->spec = row->spec;
	s->size = (uint64_t)doc_get_int(row->spec, "Size", 0);
	if (object_versioning(bucket).n)
		s->version = doc_get_str(row->spec, "VersionId");
	return NULL;
}

struct reply *
copy_source(struct call *c, struct copy_source *ret)
{
	struct copy_source s = {.version = SPAN_NULL};
	struct span version;
	struct reply *no = read_source(c, &s, &version);

	if (no || (no = find_source(c, &s, version)))
		return no;
	if (!conditions_hold(c, s.spec))
		return reply_error_with(c, 412, "PreconditionFailed", NULL,
		    "At least one of the pre-conditions you specified did not "
		    "hold");
	*ret = s;
	return NULL;
}

struct reply *
copy_too_large(struct call *c)
{
	return reply_error(c, "InvalidRequest", "The specified copy source is "
	    "larger than the maximum allowable size for a copy source: %llu",
	    (unsigned long long)COPY_MAX);
}

/* CopyObject */

static bool
replaces(struct call *c, const char *directive)
{
	return span_is(doc_get_str(c->in, directive), "REPLACE");
}

/* AWS: a copy onto itself has to change something. */
static struct reply *
check_self(struct call *c, const struct copy_source *s)
{
	static const char *const changes[] = {"StorageClass",
	    "WebsiteRedirectLocation", "ServerSideEncryption", "SSEKMSKeyId",
	    "BucketKeyEnabled", "ChecksumAlgorithm"};

	if (s->by_version || replaces(c, "MetadataDirective") ||
	    !span_eq(s->bucket, doc_get_str(c->in, "Bucket")) ||
	    !span_eq(s->key, doc_get_str(c->in, "Key")))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++)
		if (doc_get(c->in, changes[i]))
			return NULL;
	return reply_error(c, "InvalidRequest", "This copy request is illegal "
	    "because it is trying to copy an object to itself without "
	    "changing the object's metadata, storage class, website redirect "
	    "location or encryption attributes.");
}

/* What the copy keeps of the source besides its bytes. */
static struct reply *
describe(struct call *c, const struct res *bucket, const struct copy_source *s,
    struct doc **ret)
{
	static const char *const same[] = {"CacheControl",
	    "ContentDisposition", "ContentEncoding", "ContentLanguage",
	    "ContentType", "Expires", "Metadata"};
	struct reply *no = object_describe(c, bucket, ret);

	if (no)
		return no;
	for (size_t i = 0; i < ARRAY_SIZE(same) &&
	    !replaces(c, "MetadataDirective"); i++) {
		const struct doc *v = doc_get(s->spec, same[i]);

		doc_set(c->arena, *ret, same[i],
		    v ? doc_copy(c->arena, v) : NULL);
	}
	if (!replaces(c, "TaggingDirective")) {
		const struct doc *v = doc_get(s->spec, "Tags");

		doc_set(c->arena, *ret, "Tags",
		    v ? doc_copy(c->arena, v) : NULL);
	}
	return NULL;
}

/* The kind of sum that the copy is to have. */
static struct reply *
read_kind(struct call *c, const struct copy_source *s, enum checksum_kind *ret)
{
	struct span asked = doc_get_str(c->in, "ChecksumAlgorithm");

	*ret = CHECKSUM_CRC64NVME;
	if (asked.n)
		return checksum_kind_of(asked, ret) ? NULL :
		    reply_not_implemented(c, "ChecksumAlgorithm %.*s",
		    SPAN_ARG(asked));
	doc_each_key(k, v, doc_get(s->spec, "Checksums"))
		AN(v && checksum_kind_of(k, ret));
	return NULL;
}

static struct reply *
store(struct call *c, const struct res *bucket, struct span source_version,
    struct doc *spec)
{
	struct doc *out = doc_obj(c->arena), *told = doc_obj(c->arena);
	int r;

	doc_set_str(c->arena, spec, "ChecksumType", SPAN("FULL_OBJECT"));
	r = object_write(c, bucket, doc_get_str(c->in, "Key"), spec);
	if (r < 0)
		return s3_fail(c, r);
	doc_set_str(c->arena, told, "ETag", doc_get_str(spec, "ETag"));
	doc_set_time(c->arena, told, "LastModified",
	    doc_get_int(spec, "LastModified", 0));
	object_tell_sums(c, spec, told);
	doc_set(c->arena, out, "CopyObjectResult", told);
	if (source_version.n)
		doc_set_str(c->arena, out, "CopySourceVersionId",
		    source_version);
	if (object_versioning(bucket).n)
		doc_set_str(c->arena, out, "VersionId",
		    doc_get_str(spec, "VersionId"));
	object_tell_encryption(c, spec, out);
	object_tell_expiry(c, bucket, doc_get_str(c->in, "Key"), spec, out);
	return reply_ok(c, out);
}

/* The place that is written to: NULL, or the refusal. */
static struct reply *
target(struct call *c, struct res **ret_bucket)
{
	struct span key = doc_get_str(c->in, "Key");
	struct reply *no = s3_find_bucket(c, ret_bucket);

	if (no || (no = s3_check_key(c, key)))
		return no;
	return object_may_write(c, *ret_bucket, key);
}

static struct reply *
copied(struct copy *x)
{
	struct res *bucket;
	struct reply *no = target(x->c, &bucket);

	if (no)
		return no;
	object_set_body(x->c, x->spec, &x->result);
	return store(x->c, bucket, x->version, x->spec);
}

/* One file, summed up as it is to be: both objects name it. */
static bool
shares(const struct copy_source *s, enum checksum_kind k)
{
	return !doc_get(s->spec, "Upload") &&
	    doc_getn(doc_get(s->spec, "Checksums"), checksum_label(k));
}

struct reply *
s3_copy_object(struct call *c)
{
	static const char *const same[] = {"Blob", "Size", "ETag",
	    "Checksums"};
	struct copy x = {.write = true, .done = copied};
	struct copy_source source;
	struct file_run *runs;
	struct res *bucket;
	struct doc *spec;
	struct reply *no;
	size_t n;
	int r;

	if ((no = target(c, &bucket)) || (no = copy_source(c, &source)) ||
	    (no = check_self(c, &source)))
		return no;
	if (source.size > COPY_MAX)
		return copy_too_large(c);
	if ((no = describe(c, bucket, &source, &spec)) ||
	    (no = read_kind(c, &source, &x.kind)))
		return no;
	if (shares(&source, x.kind)) {
		for (size_t i = 0; i < ARRAY_SIZE(same); i++)
			doc_set(c->arena, spec, same[i], doc_copy(c->arena,
			    doc_get(source.spec, same[i])));
		return store(c, bucket, source.version, spec);
	}
	x.version = source.version;
	x.spec = spec;
	r = object_runs(c, source.spec, 0, source.size, &runs, &n);
	return r < 0 ? s3_fail(c, r) : copy_start(c, &x, runs, n);
}
