/* Completing an upload: its parts become an object. */
#include "base/err.h"
#include "svc/s3/ops.h"
#include "svc/s3/multipart.h"

/* What is asked for, and found. */
struct completion {
	struct call *c;
	struct span id;
	const struct doc *upload; /* its spec */
	enum checksum_kind kind;
	bool full;
	struct res **parts; /* in their order */
	size_t n;
	uint64_t size;
	struct span etag;
	struct span sum; /* in base64; composite: "-N" behind it */
};

static struct reply *
invalid_part(struct completion *x, int64_t number)
{
	struct doc *d = doc_obj(x->c->arena);

	doc_set_str(x->c->arena, d, "UploadId", x->id);
	doc_setf(x->c->arena, d, "PartNumber", "%lld", (long long)number);
	return reply_error_with(x->c, 400, "InvalidPart", d, "One or more of "
	    "the specified parts could not be found.  The part may not have "
	    "been uploaded, or the specified entity tag may not match the "
	    "part's entity tag.");
}

static struct reply *
too_small(struct completion *x, const struct res *part)
{
	struct call *c = x->c;
	struct doc *d = doc_obj(c->arena);

	doc_setf(c->arena, d, "ProposedSize", "%lld",
	    (long long)doc_get_int(part->spec, "Size", 0));
	doc_setf(c->arena, d, "MinSizeAllowed", "%d", PART_MIN);
	doc_setf(c->arena, d, "PartNumber", "%lld",
	    (long long)part_number(part));
	doc_set_str(c->arena, d, "ETag", doc_get_str(part->spec, "ETag"));
	return reply_error_with(c, 400, "EntityTooSmall", d, "Your proposed "
	    "upload is smaller than the minimum allowed size");
}

/* The sums that the list gives of a part. */
static struct reply *
check_sums(struct completion *x, const struct doc *asked,
    const struct res *part)
{
	const struct doc *have = doc_get(part->spec, "Checksums");

	for (int k = 0; k < CHECKSUM_KINDS; k++) {
		struct span label = checksum_label((enum checksum_kind)k);
		struct span sum = doc_get_str(asked, arena_fmt(x->c->arena,
		    "Checksum%.*s", SPAN_ARG(label)));

		if (sum.n && !span_eq(sum, doc_span(doc_getn(have, label))))
			return invalid_part(x, part_number(part));
		if (sum.n || x->full || k != (int)x->kind ||
		    !doc_get_bool(x->upload, "Asked", false))
			continue;
		return reply_error(x->c, "InvalidRequest", "The upload was "
		    "created using a %.*s checksum. The complete request must "
		    "include the checksum for each part. It was missing for "
		    "part %lld in the request.", SPAN_ARG(checksum_name(x->kind)),
		    (long long)part_number(part));
	}
	return NULL;
}

/* One part that is asked for; *at walks through those that there are. */
static struct reply *
take_part(struct completion *x, const struct doc *asked,
    const struct res_list *have, size_t *at)
{
	int64_t number = doc_get_int(asked, "PartNumber", 0);
	struct res *part;

	while (*at < have->n && part_number(have->v[*at]) < number)
		++*at;
	part = *at < have->n ? have->v[*at] : NULL;
	if (!part || part_number(part) != number ||
	    !doc_get_str(asked, "ETag").n ||
	    !object_etag_is(part->spec, doc_get_str(asked, "ETag")))
		return invalid_part(x, number);
	x->parts[x->n++] = part;
	x->size += (uint64_t)doc_get_int(part->spec, "Size", 0);
	return check_sums(x, asked, part);
}

static struct reply *
take_parts(struct completion *x, const struct doc *asked)
{
	struct reply *no = NULL;
	int64_t last = 0;
	struct res_list have;
	size_t at = 0;
	int r = part_list(x->c, x->id, 0, PARTS_MAX, &have);

	if (r < 0)
		return s3_fail(x->c, r);
	x->parts = arena_array(x->c->arena, struct res *, doc_len(asked));
	doc_each(p, asked) {
		int64_t number = doc_get_int(p, "PartNumber", 0);

		if (number <= last)
			return reply_error(x->c, "InvalidPartOrder", "The "
			    "list of parts was not in ascending order. Parts "
			    "must be ordered by part number.");
		last = number;
		if (!no)
			no = take_part(x, p, &have, &at);
	}
	for (size_t i = 0; !no && i + 1 < x->n; i++)
		if (doc_get_int(x->parts[i]->spec, "Size", 0) <
		    PART_MIN)
			no = too_small(x, x->parts[i]);
	return no;
}

static struct span
raw_md5(struct arena *a, struct span etag)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	AN(buf_add_unhex(&b, span_make(etag.p + 1, etag.n - 2)));
	return arena_span(a, buf_span(&b));
}

static void
sum_up(struct completion *x)
{
	struct arena *a = x->c->arena;
	struct span *md5 = arena_array(a, struct span, x->n);
	struct sum_part *v = arena_array(a, struct sum_part, x->n);

	for (size_t i = 0; i < x->n; i++) {
		const struct doc *spec = x->parts[i]->spec;

		md5[i] = raw_md5(a, doc_get_str(spec, "ETag"));
		v[i] = (struct sum_part){doc_span(doc_getn(doc_get(spec,
		    "Checksums"), checksum_label(x->kind))),
		    (uint64_t)doc_get_int(spec, "Size", 0)};
	}
	x->etag = sums_etag(a, md5, x->n);
	x->sum = x->full ? sums_full(a, x->kind, v, x->n) :
	    sums_composite(a, x->kind, v, x->n);
}

/* What the request says of the object as a whole. */
static struct reply *
check_whole(struct completion *x)
{
	struct call *c = x->c;
	struct span type = doc_get_str(c->in, "ChecksumType");
	const struct doc *size = doc_get(c->in, "MpuObjectSize");
	struct span sum;

	if (type.n && !span_eq(type, doc_get_str(x->upload, "Type")))
		return reply_error(c, "InvalidRequest", "The upload was "
		    "created using the %.*s checksum mode. The complete "
		    "request must use the same checksum mode.",
		    SPAN_ARG(doc_get_str(x->upload, "Type")));
	if (size && (uint64_t)doc_i64(size, -1) != x->size)
		return reply_error(c, "InvalidRequest", "The provided "
		    "'x-amz-mp-object-size' header value %lld does not match "
		    "what was computed: %llu", (long long)doc_i64(size, -1),
		    (unsigned long long)x->size);
	for (int k = 0; k < CHECKSUM_KINDS; k++) {
		struct span label = checksum_label((enum checksum_kind)k);

		sum = doc_get_str(c->in, arena_fmt(c->arena, "Checksum%.*s",
		    SPAN_ARG(label)));
		if (!sum.n || (k == (int)x->kind && span_eq(sum, x->sum)))
			continue;
		return reply_error_with(c, 400, "BadDigest", NULL, "The %.*s "
		    "you specified did not match the calculated checksum.",
		    SPAN_ARG(label));
	}
	return NULL;
}

/* All of what is to be known of the parts asked for.  NULL, or a refusal. */
static struct reply *
gather(struct completion *x)
{
	const struct doc *asked = doc_get(doc_get(x->c->in,
	    "MultipartUpload"), "Parts");
	struct reply *no;

	if (!doc_len(asked) || doc_len(asked) > PARTS_MAX)
		return s3_malformed(x->c);
	AN(checksum_kind_of(doc_get_str(x->upload, "Kind"), &x->kind));
	x->full = span_is(doc_get_str(x->upload, "Type"), "FULL_OBJECT");
	if ((no = take_parts(x, asked)))
		return no;
	sum_up(x);
	return check_whole(x);
}

/* The size that all parts but the last have, if they are numbered from 1 on:
 * then a range of bytes is found without looking at all of them. */
static uint64_t
common_size(const struct completion *x)
{
	int64_t size = doc_get_int(x->parts[0]->spec, "Size", 0);

	for (size_t i = 0; i < x->n; i++)
		if (part_number(x->parts[i]) != (int64_t)i + 1 ||
		    (i + 1 < x->n && doc_get_int(x->parts[i]->spec, "Size",
		    0) != size))
			return 0;
	return (uint64_t)size;
}

static struct doc *
describe(struct completion *x, const struct res *upload)
{
	struct arena *a = x->c->arena;
	struct doc *spec = doc_copy(a, doc_get(x->upload, "Object"));
	struct doc *sums = doc_obj(a), *how = doc_obj(a);

	doc_setn(a, sums, checksum_label(x->kind), doc_str(a, x->sum));
	doc_set(a, spec, "Checksums", sums);
	doc_set_str(a, spec, "ChecksumType", doc_get_str(x->upload, "Type"));
	doc_set_str(a, spec, "ETag", x->etag);
	doc_set_int(a, spec, "Size", (int64_t)x->size);
	doc_set_str(a, spec, "Upload", x->id);
	doc_set_int(a, spec, "PartsCount", (int64_t)x->n);
	doc_set_int(a, spec, "PartSize", (int64_t)common_size(x));
	/* AWS: an object is as old as its upload. */
	doc_set_int(a, spec, "LastModified", upload->created);
	/* What a retry is checked against. */
	doc_set_str(a, how, "Kind", doc_get_str(x->upload, "Kind"));
	doc_set_str(a, how, "Type", doc_get_str(x->upload, "Type"));
	doc_set_bool(a, how, "Asked", doc_get_bool(x->upload, "Asked", false));
	return doc_set(a, spec, "Completed", how);
}

/* Those that the object does not want; both lists are in order. */
static int
drop_others(struct completion *x)
{
	struct res_list have;
	size_t at = 0;
	int r = part_list(x->c, x->id, 0, PARTS_MAX, &have);

	for (size_t i = 0; r == 0 && i < have.n; i++) {
		if (at < x->n && have.v[i]->row == x->parts[at]->row)
			at++;
		else
			r = part_drop(x->c, have.v[i]);
	}
	return err_trace(r);
}

/* Where the object is, addressed as the request is. */
static struct span
location(struct call *c, struct span bucket, struct span key)
{
	_cleanup_(buf_done) struct buf url = BUF_INIT;

	buf_addf(&url, "%.*s/", SPAN_ARG(c->origin));
	if (!span_starts(c->host, arena_fmt_span(c->arena, "%.*s.",
	    SPAN_ARG(bucket))))
		buf_addf(&url, "%.*s/", SPAN_ARG(bucket));
	buf_add_uri(&url, key, true);
	return arena_span(c->arena, buf_span(&url));
}

static struct reply *
tell(struct call *c, const struct res *bucket, const struct doc *spec)
{
	struct doc *out = doc_obj(c->arena);
	struct span key = doc_get_str(c->in, "Key");

	doc_set_str(c->arena, out, "Location", location(c, bucket->id, key));
	doc_set_str(c->arena, out, "Bucket", bucket->id);
	doc_set_str(c->arena, out, "Key", key);
	doc_set_str(c->arena, out, "ETag", doc_get_str(spec, "ETag"));
	object_tell_sums(c, spec, out);
	object_tell_encryption(c, spec, out);
	object_tell_expiry(c, bucket, key, spec, out);
	if (object_versioning(bucket).n)
		doc_set_str(c->arena, out, "VersionId",
		    doc_get_str(spec, "VersionId"));
	return reply_ok(c, out);
}

/* A completion that is asked for again: the object that came of it, current or
 * not, or NULL. */
static int
find_completed(struct call *c, const struct res *bucket, struct res **ret)
{
	static const struct kind *const kinds[] = {&s3_object, &s3_version};
	struct span key = doc_get_str(c->in, "Key");
	struct query q = {.scope = c->scope, .parent = bucket->id,
	    .index = "spec.Upload", .value = doc_get_str(c->in, "UploadId"),
	    .limit = 1};
	struct res_list l;
	int r;

	*ret = NULL;
	for (size_t i = 0; q.value.n && i < ARRAY_SIZE(kinds); i++) {
		q.kind = kinds[i];
		if ((r = store_list(c->store, c->arena, &q, &l)))
			return err_fold(r);
		if (l.n && span_eq(key, i ? version_key(l.v[0]) :
		    l.v[0]->id))
			*ret = l.v[0];
	}
	return 0;
}

static struct reply *
again(struct call *c, const struct res *bucket, struct reply *no)
{
	struct completion x = {.c = c, .id = doc_get_str(c->in, "UploadId")};
	struct res *object;
	struct reply *wrong;
	int r = find_completed(c, bucket, &object);

	if (r < 0)
		return s3_fail(c, r);
	if (!object)
		return no;
	x.upload = doc_get(object->spec, "Completed");
	if ((wrong = gather(&x)))
		return wrong;
	return span_eq(x.etag, doc_get_str(object->spec, "ETag")) ?
	    tell(c, bucket, object->spec) : no;
}

struct reply *
s3_complete_multipart_upload(struct call *c)
{
	struct completion x = {.c = c};
	struct span key = doc_get_str(c->in, "Key");
	struct res *bucket = NULL, *upload = NULL;
	struct reply *no = multipart_find(c, &bucket, &upload);
	struct doc *spec;
	int r;

	if (no)
		return bucket ? again(c, bucket, no) : no;
	x.id = multipart_id(upload);
	x.upload = upload->spec;
	if ((no = gather(&x)) || (no = object_may_write(c, bucket, key)))
		return no;
	spec = describe(&x, upload);
	if ((r = drop_others(&x)) < 0 ||
	    (r = store_delete(c->store, upload)) ||
	    (r = object_write(c, bucket, key, spec)) < 0)
		return s3_fail(c, r);
	return tell(c, bucket, spec);
}
