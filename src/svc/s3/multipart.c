/* Uploads: beginning, aborting, finding them. */
#include "svc/s3/multipart.h"

#include "base/err.h"
#include "base/id.h"
#include "svc/s3/lifecycle.h"
#include "svc/s3/ops.h"

#define ID_RANDOM 32

struct reply *
multipart_gone(struct call *c, struct span id)
{
	return s3_error(c, "NoSuchUpload", "UploadId", id, "The specified "
	    "upload does not exist. The upload ID may be invalid, or the "
	    "upload may have been aborted or completed.");
}

struct span
multipart_row_id(struct arena *a, struct span key, struct span id)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	buf_add_span(&b, key);
	buf_add_char(&b, 0);
	buf_add_span(&b, id);
	return arena_span(a, buf_span(&b));
}

struct span
multipart_id(const struct res *upload)
{
	return span_from(upload->id, (size_t)span_chr(upload->id, 0) + 1);
}

struct span
multipart_key(const struct res *upload)
{
	return span_to(upload->id, (size_t)span_chr(upload->id, 0));
}

enum checksum_kind
multipart_kind(const struct res *upload)
{
	enum checksum_kind k = CHECKSUM_CRC64NVME;

	AN(checksum_kind_of(doc_get_str(upload->spec, "Kind"), &k));
	return k;
}

struct reply *
multipart_find(struct call *c, struct res **ret_bucket, struct res **ret)
{
	struct span key = doc_get_str(c->in, "Key");
	struct span id = doc_get_str(c->in, "UploadId");
	struct reply *no = s3_find_bucket(c, ret_bucket);
	int r;

	if (no || (no = s3_check_key(c, key)))
		return no;
	/* A zero byte in it would name another key's. */
	if (!id.n || span_chr(id, 0) >= 0)
		return multipart_gone(c, id);
	r = store_get(c->store, c->arena, &s3_upload, c->scope,
	    (*ret_bucket)->id, multipart_row_id(c->arena, key, id), ret);
	if (r == STORE_E_NOT_FOUND)
		return multipart_gone(c, id);
	return r ? s3_fail(c, r) : NULL;
}

/* AWS: the root user is told as an owner is, all others by their ARN. */
struct doc *
multipart_initiator(struct call *c, const struct res *upload)
{
	struct span arn = doc_get_str(upload->spec, "Initiator");
	struct doc *d;

	if (span_ends(arn, SPAN(":root")))
		return s3_owner(c);
	d = doc_set_str(c->arena, doc_obj(c->arena), "ID", arn);
	return doc_set_str(c->arena, d, "DisplayName", span_from(arn,
	    (size_t)(span_rchr(arn, '/') + 1)));
}

void
multipart_tell_abort(struct call *c, const struct res *bucket,
    const struct res *upload, struct doc *out)
{
	struct lifecycle_due due = lifecycle_upload(doc_get(doc_get(
	    bucket->spec, "Lifecycle"), "Rules"), multipart_key(upload),
	    upload->created);

	if (due.at == LIFECYCLE_NEVER)
		return;
	doc_set_time(c->arena, out, "AbortDate", due.at);
	doc_set_str(c->arena, out, "AbortRuleId", due.rule);
}

/* Which sum the object will have, or the refusal. */
static struct reply *
read_sum(struct call *c, struct doc *spec)
{
	struct span asked = doc_get_str(c->in, "ChecksumAlgorithm");
	struct span type = doc_get_str(c->in, "ChecksumType");
	enum checksum_kind k = CHECKSUM_CRC64NVME;

	if (!asked.n && type.n)
		return reply_error(c, "InvalidRequest", "The "
		    "x-amz-checksum-type header can only be used with the "
		    "x-amz-checksum-algorithm header.");
	if (asked.n && !checksum_kind_of(asked, &k))
		return reply_not_implemented(c, "ChecksumAlgorithm %.*s",
		    SPAN_ARG(asked));
	if (!type.n)
		type = sums_may_be_composite(k) ? SPAN("COMPOSITE") :
		    SPAN("FULL_OBJECT");
	if (span_is(type, "COMPOSITE") ? !sums_may_be_composite(k) :
	    !checksum_is_crc(k))
		return reply_error(c, "InvalidRequest", "The %.*s checksum "
		    "type cannot be used with the %.*s checksum algorithm.",
		    SPAN_ARG(type), SPAN_ARG(checksum_name(k)));
	doc_set_str(c->arena, spec, "Kind", checksum_label(k));
	doc_set_str(c->arena, spec, "Type", type);
	doc_set_bool(c->arena, spec, "Asked", asked.n > 0);
	return NULL;
}

static int
fresh_id(struct call *c, struct span *ret)
{
	int64_t seq;
	int r = store_next(c->store, SPAN("s3.upload"), &seq);

	if (r)
		return err_fold(r);
	*ret = arena_fmt_span(c->arena, "%016llx%s", (unsigned long long)seq,
	    id_hex(c->arena, ID_RANDOM));
	return 0;
}

static struct reply *
begun(struct call *c, const struct res *bucket, struct span id,
    const struct res *row)
{
	struct doc *out = doc_obj(c->arena);

	doc_set_str(c->arena, out, "Bucket", bucket->id);
	doc_set_str(c->arena, out, "Key", multipart_key(row));
	doc_set_str(c->arena, out, "UploadId", id);
	object_tell_encryption(c, doc_get(row->spec, "Object"), out);
	multipart_tell_abort(c, bucket, row, out);
	if (doc_get_bool(row->spec, "Asked", false))
		doc_set_str(c->arena, out, "ChecksumAlgorithm",
		    doc_get_str(row->spec, "Kind"));
	doc_set_str(c->arena, out, "ChecksumType",
	    doc_get_str(row->spec, "Type"));
	return reply_ok(c, out);
}

struct reply *
s3_create_multipart_upload(struct call *c)
{
	struct span key = doc_get_str(c->in, "Key"), id;
	struct res *bucket, *row;
	struct doc *object;
	struct reply *no;
	int r;

	if ((no = s3_find_bucket(c, &bucket)) || (no = s3_check_key(c, key)) ||
	    (no = object_describe(c, bucket, &object)))
		return no;
	if ((r = fresh_id(c, &id)) < 0)
		return s3_fail(c, r);
	row = res_new(c->arena, &s3_upload, c->scope, bucket->id,
	    multipart_row_id(c->arena, key, id));
	if ((no = read_sum(c, row->spec)))
		return no;
	doc_set(c->arena, row->spec, "Object", object);
	doc_set_str(c->arena, row->spec, "Initiator", c->who.arn);
	if ((r = store_insert(c->store, c->arena, row)))
		return s3_fail(c, r);
	return begun(c, bucket, id, row);
}

struct reply *
s3_abort_multipart_upload(struct call *c)
{
	struct res *bucket, *upload;
	struct reply *no = multipart_find(c, &bucket, &upload);
	int r;

	if (no)
		return no;
	if ((r = part_drop_all(c, multipart_id(upload))) < 0 ||
	    (r = store_delete(c->store, upload)))
		return s3_fail(c, r);
	return reply_ok(c, NULL);
}
