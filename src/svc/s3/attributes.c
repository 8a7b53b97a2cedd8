/* GetObjectAttributes: what is known of an object, as far as it is asked. */
#include "svc/s3/multipart.h"
#include "svc/s3/ops.h"

static struct doc *
describe_sums(struct call *c, const struct doc *spec)
{
	struct doc *d = doc_obj(c->arena);

	object_tell_sums(c, spec, d);
	return d;
}

/* AWS counts the parts anew, whatever their numbers were. */
static struct doc *
describe_part(struct call *c, const struct doc *object,
    const struct res *part, int64_t number)
{
	const struct doc *have = doc_get(part->spec, "Checksums");
	struct doc *d = doc_obj(c->arena);

	doc_set_int(c->arena, d, "PartNumber", number);
	doc_set_int(c->arena, d, "Size", doc_get_int(part->spec, "Size", 0));
	doc_each_key(k, v, doc_get(object, "Checksums"))
		if (v && doc_getn(have, k))
			doc_set(c->arena, d, arena_fmt(c->arena,
			    "Checksum%.*s", SPAN_ARG(k)), doc_copy(c->arena,
			    doc_getn(have, k)));
	return d;
}

/* AWS lists parts when each has a sum that the client agreed on. */
static struct reply *
put_parts(struct call *c, const struct doc *spec, struct doc *out)
{
	struct doc *d = doc_obj(c->arena), *arr = doc_arr(c->arena);
	int64_t max, after, last = 0;
	struct res_list l;
	struct reply *no;
	int r;

	if ((no = s3_read_count(c, "MaxParts", "max-parts", PARTS_LIST_MAX,
	    &max)) || (no = s3_read_count(c, "PartNumberMarker",
	    "part-number-marker", 0, &after)))
		return no;
	if ((r = part_list(c, doc_get_str(spec, "Upload"), 0, PARTS_MAX,
	    &l)) < 0)
		return s3_fail(c, r);
	max = MIN(max, PARTS_LIST_MAX);
	doc_set_int(c->arena, d, "TotalPartsCount", (int64_t)l.n);
	doc_set(c->arena, out, "ObjectParts", d);
	if (!doc_get_bool(doc_get(spec, "Completed"), "Asked", false))
		return NULL;
	for (int64_t i = after; i < (int64_t)l.n && i < after + max; i++)
		doc_push(arr, describe_part(c, spec, l.v[i], last = i + 1));
	doc_set_int(c->arena, d, "PartNumberMarker", after);
	doc_set_int(c->arena, d, "NextPartNumberMarker", last);
	doc_set_int(c->arena, d, "MaxParts", max);
	doc_set_bool(c->arena, d, "IsTruncated",
	    max > 0 && after + max < (int64_t)l.n);
	doc_set(c->arena, d, "Parts", arr);
	return NULL;
}

static struct span
unquoted(struct span s)
{
	return s.n > 2 ? span_make(s.p + 1, s.n - 2) : s;
}

struct reply *
s3_get_object_attributes(struct call *c)
{
	const struct doc *asked = doc_get(c->in, "ObjectAttributes");
	struct doc *out = doc_obj(c->arena);
	struct res *bucket, *row;
	struct span class;
	struct reply *no = object_find(c, &bucket, &row);

	if (no)
		return no;
	class = doc_get_str(row->spec, "StorageClass");
	doc_set_time(c->arena, out, "LastModified",
	    doc_get_int(row->spec, "LastModified", 0));
	if (object_versioning(bucket).n)
		doc_set_str(c->arena, out, "VersionId",
		    doc_get_str(row->spec, "VersionId"));
	if (doc_has_str(asked, SPAN("ETag")))
		doc_set_str(c->arena, out, "ETag",
		    unquoted(doc_get_str(row->spec, "ETag")));
	if (doc_has_str(asked, SPAN("Checksum")))
		doc_set(c->arena, out, "Checksum",
		    describe_sums(c, row->spec));
	if (doc_has_str(asked, SPAN("StorageClass")))
		doc_set_str(c->arena, out, "StorageClass",
		    class.n ? class : SPAN("STANDARD"));
	if (doc_has_str(asked, SPAN("ObjectSize")))
		doc_set_int(c->arena, out, "ObjectSize",
		    doc_get_int(row->spec, "Size", 0));
	if (doc_has_str(asked, SPAN("ObjectParts")) &&
	    doc_get(row->spec, "Upload") &&
	    (no = put_parts(c, row->spec, out)))
		return no;
	return reply_ok(c, out);
}
