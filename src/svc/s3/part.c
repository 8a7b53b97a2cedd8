/* Parts of an upload: coming, listed, going. */
#include "base/clock.h"
#include "base/err.h"
#include "svc/s3/copy.h"
#include "svc/s3/ops.h"
#include "svc/s3/multipart.h"

struct span
part_id(struct arena *a, int64_t number)
{
	return arena_fmt_span(a, "%05lld", (long long)number);
}

int64_t
part_number(const struct res *part)
{
	int64_t n = 0;

	AN(span_i64(part->id, &n));
	return n;
}

int
part_list(struct call *c, struct span upload, int64_t first, int64_t last,
    struct res_list *ret)
{
	struct id_range q = {.kind = &s3_part, .scope = c->scope,
	    .parent = upload, .from = part_id(c->arena, MAX(first, 0)),
	    .until = part_id(c->arena, MIN(last, PARTS_MAX) + 1)};

	return err_fold(store_list_ids(c->store, c->arena, &q, ret));
}

int
part_drop(struct call *c, const struct res *part)
{
	int r = store_delete(c->store, part);

	if (r == 0)
		s3_garbage(c, doc_get_str(part->spec, "Blob"));
	return err_fold(r);
}

int
part_drop_all(struct call *c, struct span upload)
{
	struct res_list l;
	int r = part_list(c, upload, 0, PARTS_MAX, &l);

	for (size_t i = 0; r == 0 && i < l.n; i++)
		r = part_drop(c, l.v[i]);
	return err_trace(r);
}

/* Coming */

static struct reply *
check_number(struct call *c)
{
	int64_t n = doc_get_int(c->in, "PartNumber", 0);

	if (n >= 1 && n <= PARTS_MAX)
		return NULL;
	return s3_invalid(c, "partNumber", arena_fmt_span(c->arena, "%lld",
	    (long long)n), "Part number must be an integer between 1 and "
	    "10000, inclusive");
}

/* The part takes the place of one of its number. */
static int
put_row(struct call *c, const struct res *upload, struct doc *spec)
{
	struct res *row = res_new(c->arena, &s3_part, c->scope,
	    multipart_id(upload), part_id(c->arena,
	    doc_get_int(c->in, "PartNumber", 0)));
	struct res *old;
	int r = store_get(c->store, c->arena, &s3_part, c->scope, row->parent,
	    row->id, &old);

	if (r < 0 || (r == 0 && (r = part_drop(c, old)) < 0))
		return err_trace(r);
	row->spec = spec;
	return err_fold(store_insert(c->store, c->arena, row));
}

/* The sums that come with parts must be those that were agreed on. */
static struct reply *
check_sum(struct call *c, const struct res *upload)
{
	const struct call_body *b = c->body;
	struct span want = SPAN("null"), have = SPAN("null");

	/* An upload that agreed on none takes any. */
	if (!doc_get_bool(upload->spec, "Asked", false))
		return NULL;
	if (!b->claimed &&
	    span_is(doc_get_str(upload->spec, "Type"), "FULL_OBJECT"))
		return NULL;
	want = checksum_name(multipart_kind(upload));
	if (b->claimed)
		have = checksum_name(b->kind);
	if (span_eq(want, have))
		return NULL;
	return reply_error(c, "InvalidRequest", "Checksum Type mismatch "
	    "occurred, expected checksum Type: %.*s, actual checksum Type: "
	    "%.*s", SPAN_ARG(want), SPAN_ARG(have));
}

/* What the reply tells: the sum that the client knows of. */
static struct reply *
put(struct call *c, const struct res *upload, struct doc *spec)
{
	struct doc *out = doc_obj(c->arena), *told = doc_obj(c->arena);
	struct span label = checksum_label(c->body->claimed ?
	    c->body->kind : multipart_kind(upload));
	int r = put_row(c, upload, spec);

	if (r < 0)
		return s3_fail(c, r);
	c->body->kept = true;
	doc_set_str(c->arena, out, "ETag", doc_get_str(spec, "ETag"));
	doc_setn(c->arena, told, label, doc_copy(c->arena,
	    doc_getn(doc_get(spec, "Checksums"), label)));
	object_tell_sums(c, doc_set(c->arena, doc_obj(c->arena), "Checksums",
	    told), out);
	object_tell_encryption(c, doc_get(upload->spec, "Object"), out);
	return reply_ok(c, out);
}

/* Summed up again, by the kind that the upload needs. */
static struct reply *
resummed(struct copy *x)
{
	struct call *c = x->c;
	struct doc *spec = doc_obj(c->arena);
	struct res *bucket, *upload;
	struct reply *no = multipart_find(c, &bucket, &upload);

	if (no)
		return no;
	object_set_body(c, spec, c->body);
	doc_setn(c->arena, doc_get(spec, "Checksums"),
	    checksum_label(x->result.kind), doc_strdup(c->arena,
	    x->result.sum));
	return put(c, upload, spec);
}

struct reply *
s3_upload_part(struct call *c)
{
	struct doc *spec = doc_obj(c->arena);
	struct res *bucket, *upload;
	struct file_run all;
	struct reply *no;

	if (!c->body)
		return reply_not_implemented(c, "a body from inside");
	if ((no = check_number(c)) || (no = multipart_find(c, &bucket, &upload)) ||
	    (no = check_sum(c, upload)))
		return no;
	if (c->body->kind != multipart_kind(upload)) {
		all = (struct file_run){c->body->id, 0,
		    (uint64_t)c->body->size};
		return copy_start(c, &(struct copy){.kind = multipart_kind(upload),
		    .done = resummed}, &all, 1);
	}
	object_set_body(c, spec, c->body);
	return put(c, upload, spec);
}

/* Copied from an object */

static struct reply *
copied(struct copy *x)
{
	struct call *c = x->c;
	struct doc *out = doc_obj(c->arena), *told = doc_obj(c->arena);
	struct doc *spec = doc_obj(c->arena);
	struct res *bucket, *upload;
	struct reply *no = multipart_find(c, &bucket, &upload);
	int r;

	if (no)
		return no;
	object_set_body(c, spec, &x->result);
	if ((r = put_row(c, upload, spec)) < 0)
		return s3_fail(c, r);
	doc_set_str(c->arena, told, "ETag", doc_get_str(spec, "ETag"));
	doc_set_time(c->arena, told, "LastModified", clock_ms());
	object_tell_sums(c, spec, told);
	doc_set(c->arena, out, "CopyPartResult", told);
	if (x->version.n)
		doc_set_str(c->arena, out, "CopySourceVersionId", x->version);
	object_tell_encryption(c, doc_get(upload->spec, "Object"), out);
	return reply_ok(c, out);
}

/* "bytes=0-99", both ends given and there. */
static struct reply *
read_range(struct call *c, uint64_t size, uint64_t *ret_first, uint64_t *ret_n)
{
	struct span text = doc_get_str(c->in, "CopySourceRange"), rest, first;
	uint64_t a, b;

	*ret_first = 0;
	*ret_n = size;
	if (!text.n)
		return NULL;
	rest = span_from(text, 6);
	first = span_cut(&rest, '-');
	if (!span_starts(text, SPAN("bytes=")) || !span_u64(first, &a) ||
	    !span_u64(rest, &b) || a > b)
		return s3_invalid(c, "x-amz-copy-source-range", text, "The "
		    "x-amz-copy-source-range value must be of the form "
		    "bytes=first-last where first and last are the zero-based "
		    "offsets of the first and last bytes to copy");
	if (b >= size)
		return s3_invalid(c, "x-amz-copy-source-range", text,
		    arena_fmt(c->arena, "Range specified is not valid for "
		    "source object of size: %llu", (unsigned long long)size));
	*ret_first = a;
	*ret_n = b - a + 1;
	return NULL;
}

struct reply *
s3_upload_part_copy(struct call *c)
{
	struct copy x = {.write = true, .done = copied};
	struct res *bucket, *upload;
	struct copy_source source;
	struct file_run *runs;
	uint64_t first, len;
	struct reply *no;
	size_t n;
	int r;

	if ((no = check_number(c)) || (no = multipart_find(c, &bucket, &upload)) ||
	    (no = copy_source(c, &source)) ||
	    (no = read_range(c, source.size, &first, &len)))
		return no;
	if (len > COPY_MAX)
		return copy_too_large(c);
	if ((r = object_runs(c, source.spec, first, len, &runs, &n)) < 0)
		return s3_fail(c, r);
	x.kind = multipart_kind(upload);
	x.version = source.version;
	return copy_start(c, &x, runs, n);
}

/* Listed */

static struct doc *
describe(struct call *c, const struct res *upload, const struct res *part)
{
	struct doc *d = doc_obj(c->arena);
	struct span kind = doc_get_str(upload->spec, "Kind");
	const struct doc *sum = doc_getn(doc_get(part->spec, "Checksums"),
	    kind);

	doc_set_int(c->arena, d, "PartNumber", part_number(part));
	doc_set_time(c->arena, d, "LastModified", part->created);
	doc_set_str(c->arena, d, "ETag", doc_get_str(part->spec, "ETag"));
	doc_set_int(c->arena, d, "Size", doc_get_int(part->spec, "Size", 0));
	if (sum)
		doc_set(c->arena, d, arena_fmt(c->arena, "Checksum%.*s",
		    SPAN_ARG(kind)), doc_copy(c->arena, sum));
	return d;
}

static void
tell_upload(struct call *c, const struct res *bucket, const struct res *upload,
    struct doc *out)
{
	struct span class = doc_get_str(doc_get(upload->spec, "Object"),
	    "StorageClass");

	multipart_tell_abort(c, bucket, upload, out);
	doc_set_str(c->arena, out, "Bucket", bucket->id);
	doc_set_str(c->arena, out, "Key", multipart_key(upload));
	doc_set_str(c->arena, out, "UploadId", multipart_id(upload));
	doc_set(c->arena, out, "Initiator", multipart_initiator(c, upload));
	doc_set(c->arena, out, "Owner", s3_owner(c));
	doc_set_str(c->arena, out, "StorageClass",
	    class.n ? class : SPAN("STANDARD"));
	doc_set_str(c->arena, out, "ChecksumAlgorithm",
	    doc_get_str(upload->spec, "Kind"));
	doc_set_str(c->arena, out, "ChecksumType",
	    doc_get_str(upload->spec, "Type"));
}

struct reply *
s3_list_parts(struct call *c)
{
	int64_t max = doc_get_int(c->in, "MaxParts", PARTS_LIST_MAX);
	int64_t after = 0;
	struct doc *out = doc_obj(c->arena), *arr = doc_arr(c->arena);
	struct res *bucket, *upload;
	struct reply *no;
	struct res_list l;
	size_t n;
	int r;

	if ((no = s3_read_count(c, "MaxParts", "max-parts", PARTS_LIST_MAX,
	    &max)) || (no = s3_read_count(c, "PartNumberMarker",
	    "part-number-marker", 0, &after)) ||
	    (no = multipart_find(c, &bucket, &upload)))
		return no;
	if ((r = part_list(c, multipart_id(upload), after + 1, PARTS_MAX,
	    &l)) < 0)
		return s3_fail(c, r);
	n = MIN(l.n, (size_t)MIN(max, PARTS_LIST_MAX));
	for (size_t i = 0; i < n; i++)
		doc_push(arr, describe(c, upload, l.v[i]));
	tell_upload(c, bucket, upload, out);
	doc_set_int(c->arena, out, "PartNumberMarker", after);
	doc_set_int(c->arena, out, "NextPartNumberMarker",
	    n ? part_number(l.v[n - 1]) : 0);
	doc_set_int(c->arena, out, "MaxParts", max);
	doc_set_bool(c->arena, out, "IsTruncated", max > 0 && n < l.n);
	doc_set(c->arena, out, "Parts", arr);
	return reply_ok(c, out);
}
