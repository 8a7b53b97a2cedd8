/* Reading objects: conditions, ranges, parts. */
#include <errno.h>

#include "base/err.h"
#include "store/files.h"
#include "svc/s3/ops.h"
#include "svc/s3/multipart.h"

struct range {
	uint64_t first;
	uint64_t n;
	bool part; /* not the whole object: 206 */
};

static struct reply *
not_met(struct call *c, const char *header)
{
	return s3_error(c, "PreconditionFailed", "Condition", span_of(header),
	    "At least one of the pre-conditions you specified did not hold");
}

/* RFC 9110, 13.2.2, in this order. */
static struct reply *
check_conditions(struct call *c, const struct doc *spec)
{
	struct span match = doc_get_str(c->in, "IfMatch");
	struct span none = doc_get_str(c->in, "IfNoneMatch");
	const struct doc *since = doc_get(c->in, "IfModifiedSince");
	const struct doc *unless = doc_get(c->in, "IfUnmodifiedSince");
	int64_t at = doc_get_int(spec, "LastModified", 0) / 1000;
	struct reply *same;

	if (match.n && !object_etag_is(spec, match))
		return not_met(c, "If-Match");
	if (!match.n && unless && at > doc_i64(unless, 0))
		return not_met(c, "If-Unmodified-Since");
	if (none.n ? !object_etag_is(spec, none) :
	    !since || at > doc_i64(since, 0))
		return NULL;
	same = reply_error_with(c, 304, "NotModified", NULL, "Not Modified");
	reply_set_header(c, same, "ETag", doc_get_str(spec, "ETag"));
	return same;
}

static struct reply *
bad_range(struct call *c, struct span asked, uint64_t size)
{
	struct doc *d = doc_obj(c->arena);
	struct reply *r;

	doc_set_str(c->arena, d, "RangeRequested", asked);
	doc_setf(c->arena, d, "ActualObjectSize", "%llu",
	    (unsigned long long)size);
	r = reply_error_with(c, 416, "InvalidRange", d,
	    "The requested range is not satisfiable");
	reply_set_header(c, r, "Content-Range", arena_fmt_span(c->arena,
	    "bytes */%llu", (unsigned long long)size));
	return r;
}

/* RFC 9110, 14.1.2: one range; several, or what is no range, are ignored. */
static struct reply *
read_range(struct call *c, struct span text, uint64_t size,
    struct range *ret)
{
	struct span rest = span_trim(span_from(text, 6)), first;
	uint64_t a, b = UINT64_MAX;

	if (!span_starts(text, SPAN("bytes=")) || span_chr(rest, ',') >= 0 ||
	    span_chr(rest, '-') < 0)
		return NULL;
	first = span_cut(&rest, '-');
	if (!first.n) { /* the last b bytes */
		if (!span_u64(rest, &b))
			return NULL;
		if (!b || !size)
			return bad_range(c, text, size);
		*ret = (struct range){size - MIN(b, size), MIN(b, size), true};
		return NULL;
	}
	if (!span_u64(first, &a) ||
	    (rest.n && (!span_u64(rest, &b) || b < a)))
		return NULL;
	if (a >= size)
		return bad_range(c, text, size);
	*ret = (struct range){a, MIN(b, size - 1) - a + 1, true};
	return NULL;
}

/* AWS counts the parts that there are, whatever their numbers were. */
static struct reply *
read_part(struct call *c, const struct doc *spec, int64_t number,
    uint64_t size, struct range *ret)
{
	int64_t count = doc_get_int(spec, "PartsCount", 1);
	uint64_t n = size;
	struct res_list l;
	int r;

	if (number < 1 || number > count)
		return reply_error_with(c, 416, "InvalidPartNumber", NULL,
		    "The requested partnumber is not satisfiable");
	*ret = (struct range){0, size, true};
	if (!doc_get(spec, "Upload"))
		return NULL;
	if ((r = part_list(c, doc_get_str(spec, "Upload"), 0,
	    PARTS_MAX, &l)) < 0)
		return s3_fail(c, r);
	for (size_t i = 0; i < l.n && i < (size_t)number; i++) {
		n = (uint64_t)doc_get_int(l.v[i]->spec, "Size", 0);
		ret->first += i + 1 < (size_t)number ? n : 0;
	}
	ret->n = n;
	return NULL;
}

static struct reply *
find_range(struct call *c, const struct doc *spec, uint64_t size,
    struct range *ret)
{
	struct span text = doc_get_str(c->in, "Range");
	const struct doc *part = doc_get(c->in, "PartNumber");

	*ret = (struct range){0, size, false};
	if (part && text.n)
		return reply_error(c, "InvalidRequest",
		    "Cannot specify both Range header and partNumber query "
		    "parameter");
	if (part)
		return read_part(c, spec, doc_i64(part, 0), size, ret);
	return text.n ? read_range(c, text, size, ret) : NULL;
}

struct reply *
object_find(struct call *c, struct res **ret_bucket, struct res **ret)
{
	struct span key = doc_get_str(c->in, "Key");
	struct span version = doc_get_str(c->in, "VersionId");
	struct reply *no = s3_find_bucket(c, ret_bucket);
	struct doc *d;
	int r;

	if (no || (no = s3_check_key(c, key)))
		return no;
	r = object_version(c, *ret_bucket, key, version, ret);
	if (r < 0)
		return s3_fail(c, r);
	if (r && version.n) {
		d = doc_set_str(c->arena, doc_obj(c->arena), "Key", key);
		doc_set_str(c->arena, d, "VersionId", version);
		return reply_error_with(c, 404, "NoSuchVersion", d,
		    "The specified version does not exist.");
	}
	if (r)
		return s3_no_key(c, key);
	if (!doc_get_bool((*ret)->spec, "DeleteMarker", false))
		return NULL;
	if (version.n) {
		no = reply_error_with(c, 405, "MethodNotAllowed", NULL, "The "
		    "specified method is not allowed against this resource.");
		reply_set_header(c, no, "Allow", SPAN("DELETE"));
	} else {
		no = s3_no_key(c, key);
	}
	reply_set_header(c, no, "x-amz-delete-marker", SPAN("true"));
	reply_set_header(c, no, "x-amz-version-id",
	    doc_get_str((*ret)->spec, "VersionId"));
	return no;
}

/* What the query asks to be told instead of what is kept. */
static void
override(struct call *c, struct doc *out)
{
	static const struct {
		const char *in;
		const char *out;
	} over[] = {
		{"ResponseCacheControl", "CacheControl"},
		{"ResponseContentDisposition", "ContentDisposition"},
		{"ResponseContentEncoding", "ContentEncoding"},
		{"ResponseContentLanguage", "ContentLanguage"},
		{"ResponseContentType", "ContentType"},
		{"ResponseExpires", "Expires"},
	};
	struct doc *v;

	for (size_t i = 0; i < ARRAY_SIZE(over); i++)
		if ((v = doc_get(c->in, over[i].in)))
			doc_set(c->arena, out, over[i].out,
			    doc_copy(c->arena, v));
}

static struct doc *
describe(struct call *c, const struct res *bucket, const struct res *row,
    const struct range *range, uint64_t size)
{
	static const char *const same[] = {"ETag", "CacheControl",
	    "ContentDisposition", "ContentEncoding", "ContentLanguage",
	    "ContentType", "Expires", "WebsiteRedirectLocation", "Metadata",
	    "StorageClass"};
	const struct doc *spec = row->spec;
	struct doc *out = doc_obj(c->arena), *v;

	doc_set_str(c->arena, out, "ContentType",
	    SPAN("binary/octet-stream"));
	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		if ((v = doc_get(spec, same[i])))
			doc_set(c->arena, out, same[i], doc_copy(c->arena, v));
	override(c, out);
	doc_set_str(c->arena, out, "AcceptRanges", SPAN("bytes"));
	doc_set_int(c->arena, out, "ContentLength", (int64_t)range->n);
	doc_set_time(c->arena, out, "LastModified",
	    doc_get_int(spec, "LastModified", 0));
	object_tell_encryption(c, spec, out);
	if (row->kind == &s3_object)
		object_tell_expiry(c, bucket, row->id, spec, out);
	if (object_versioning(bucket).n)
		doc_set_str(c->arena, out, "VersionId",
		    doc_get_str(spec, "VersionId"));
	if (doc_get(spec, "Tags"))
		doc_set_int(c->arena, out, "TagCount",
		    (int64_t)doc_len(doc_get(spec, "Tags")));
	if (doc_get(c->in, "PartNumber") && doc_get(spec, "PartsCount"))
		doc_set_int(c->arena, out, "PartsCount",
		    doc_get_int(spec, "PartsCount", 0));
	if (range->part && range->n)
		doc_setf(c->arena, out, "ContentRange", "bytes %llu-%llu/%llu",
		    (unsigned long long)range->first,
		    (unsigned long long)(range->first + range->n - 1),
		    (unsigned long long)size);
	if (span_is(doc_get_str(c->in, "ChecksumMode"), "ENABLED") &&
	    range->n == size)
		object_tell_sums(c, spec, out);
	return out;
}

static struct reply *
answer(struct reply *r, const struct range *range)
{
	if (range->part)
		reply_set_status(r, 206);
	return r;
}

static struct reply *
send_file(struct call *c, struct doc *out, const struct file_run *run,
    const struct range *range)
{
	_cleanup_close_ int fd = -1;
	uint64_t size;
	int r = files_read(c->files, run->id, &fd, &size);

	if (r == 0 && (run->offset > size || run->n > size - run->offset))
		r = err_origin(EIO, "an object's file is too short: %llu bytes",
		    (unsigned long long)size);
	if (r)
		return s3_fail(c, r);
	return answer(reply_file(c, out, TAKE_FD(fd), run->offset, run->n),
	    range);
}

static struct reply *
send(struct call *c, struct doc *out, const struct doc *spec,
    const struct range *range)
{
	struct file_run *runs;
	size_t n;
	int r = object_runs(c, spec, range->first, range->n, &runs, &n);

	if (r < 0)
		return s3_fail(c, r);
	if (n == 1)
		return send_file(c, out, runs, range);
	return answer(reply_seq(c, out, file_seq_new(c->files, runs, n)),
	    range);
}

static struct reply *
get(struct call *c, bool head)
{
	struct res *bucket, *row;
	struct reply *no = object_find(c, &bucket, &row);
	struct range range;
	struct doc *out;
	uint64_t size;

	if (no || (no = check_conditions(c, row->spec)))
		return no;
	size = (uint64_t)doc_get_int(row->spec, "Size", 0);
	if ((no = find_range(c, row->spec, size, &range)))
		return no;
	out = describe(c, bucket, row, &range, size);
	if (head)
		return answer(reply_file(c, out, -1, range.first, range.n),
		    &range);
	return send(c, out, row->spec, &range);
}

struct reply *
s3_get_object(struct call *c)
{
	return get(c, false);
}

struct reply *
s3_head_object(struct call *c)
{
	return get(c, true);
}
