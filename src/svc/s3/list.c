/* Listings of objects, of their versions, and of uploads. */
#include "svc/s3/multipart.h"
#include "svc/s3/ops.h"
#include "svc/s3/walk.h"

/* A walk and what it tells of. */
struct listing {
	struct walk w;
	bool owners;
	struct doc *contents;
	struct doc *markers; /* delete markers */
	struct span key;     /* of the row before */
};

static struct listing *
listing_of(struct walk *w)
{
	return container_of(w, struct listing, w);
}

static void
tell_sums(struct arena *a, const struct doc *spec, struct doc *d)
{
	struct doc *kinds = doc_arr(a);

	doc_each_key(k, v, doc_get(spec, "Checksums"))
		doc_push_str(a, kinds, v ? k : SPAN_NULL);
	doc_set(a, d, "ChecksumAlgorithm", kinds);
	doc_set(a, d, "ChecksumType", doc_str(a,
	    doc_get_str(spec, "ChecksumType")));
}

/* What all listings tell of an object. */
static struct doc *
describe(struct walk *w, const struct res *row)
{
	struct arena *a = w->c->arena;
	struct span class = doc_get_str(row->spec, "StorageClass");
	struct doc *d = doc_obj(a);

	doc_set_str(a, d, "Key", s3_encoded(w->c, walk_key(row)));
	doc_set_time(a, d, "LastModified",
	    doc_get_int(row->spec, "LastModified", 0));
	if (listing_of(w)->owners)
		doc_set(a, d, "Owner", s3_owner(w->c));
	if (doc_get_bool(row->spec, "DeleteMarker", false))
		return d;
	doc_set_str(a, d, "ETag", doc_get_str(row->spec, "ETag"));
	tell_sums(a, row->spec, d);
	doc_set_int(a, d, "Size", doc_get_int(row->spec, "Size", 0));
	return doc_set_str(a, d, "StorageClass",
	    class.n ? class : SPAN("STANDARD"));
}

static void
tell_object(struct walk *w, const struct res *row)
{
	doc_push(listing_of(w)->contents, describe(w, row));
}

static struct reply *
begin(struct call *c, const char *member, const char *name, struct listing *l)
{
	struct reply *no;

	*l = (struct listing){.owners = true, .contents = doc_arr(c->arena),
	    .markers = doc_arr(c->arena)};
	no = walk_begin(c, member, name, &l->w);
	l->w.kinds[0] = &s3_object;
	l->w.tell = tell_object;
	return no;
}

struct reply *
s3_list_objects_v2(struct call *c)
{
	struct span token = doc_get_str(c->in, "ContinuationToken");
	struct span start = doc_get_str(c->in, "StartAfter");
	struct listing l;
	struct reply *no = begin(c, "MaxKeys", "max-keys", &l);
	struct doc *out;
	int r;

	if (no)
		return no;
	l.owners = doc_get_bool(c->in, "FetchOwner", false);
	l.w.from = start;
	l.w.after = start.n > 0;
	if (doc_get(c->in, "ContinuationToken")) {
		if (!page_token_read(c, token, &l.w.from))
			return s3_invalid(c, "continuation-token", token,
			    "The continuation token provided is incorrect");
		l.w.after = false;
	}
	if ((r = walk_run(&l.w)) < 0)
		return s3_fail(c, r);
	out = walk_answer(&l.w, "MaxKeys");
	doc_set_str(c->arena, out, "Name", l.w.bucket->id);
	doc_set(c->arena, out, "Contents", l.contents);
	doc_set_int(c->arena, out, "KeyCount", (int64_t)l.w.n);
	if (token.n)
		doc_set_str(c->arena, out, "ContinuationToken", token);
	if (start.n)
		doc_set_str(c->arena, out, "StartAfter", s3_encoded(c, start));
	if (l.w.truncated)
		doc_set_str(c->arena, out, "NextContinuationToken",
		    page_token_text(c, l.w.resume));
	return reply_ok(c, out);
}

struct reply *
s3_list_objects(struct call *c)
{
	struct span marker = doc_get_str(c->in, "Marker");
	struct listing l;
	struct reply *no = begin(c, "MaxKeys", "max-keys", &l);
	struct doc *out;
	int r;

	if (no)
		return no;
	walk_start_after(&l.w, marker);
	if ((r = walk_run(&l.w)) < 0)
		return s3_fail(c, r);
	out = walk_answer(&l.w, "MaxKeys");
	doc_set_str(c->arena, out, "Name", l.w.bucket->id);
	doc_set(c->arena, out, "Contents", l.contents);
	doc_set_str(c->arena, out, "Marker", s3_encoded(c, marker));
	if (l.w.truncated && l.w.delimiter.n)
		doc_set_str(c->arena, out, "NextMarker",
		    s3_encoded(c, l.w.last));
	return reply_ok(c, out);
}

/* Of a key's versions the first is the latest: an object, or the first of
 * those that were archived when the key has no object. */
static void
tell_version(struct walk *w, const struct res *row)
{
	struct listing *l = listing_of(w);
	struct doc *d = describe(w, row);
	bool marker = doc_get_bool(row->spec, "DeleteMarker", false);

	doc_set_str(w->c->arena, d, "VersionId",
	    doc_get_str(row->spec, "VersionId"));
	doc_set_bool(w->c->arena, d, "IsLatest", row->kind == &s3_object ||
	    !span_eq(walk_key(row), l->key));
	l->key = walk_key(row);
	doc_push(marker ? l->markers : l->contents, d);
}

/* Markers say what was told of last. */
static struct reply *
read_version_markers(struct call *c, struct listing *l)
{
	struct span key = doc_get_str(c->in, "KeyMarker");
	struct span version = doc_get_str(c->in, "VersionIdMarker");
	struct version_place place;
	int r;

	if (!version.n) {
		walk_start_after(&l->w, key);
		return NULL;
	}
	if (!key.n)
		return s3_invalid(c, "version-id-marker", version, "A "
		    "version-id marker cannot be specified without a key "
		    "marker.");
	r = version_behind(c, l->w.bucket, key, version, &place);
	if (r < 0)
		return s3_fail(c, r);
	l->w.from = place.from;
	l->w.after = place.after;
	l->key = place.newer ? key : SPAN_NULL;
	return NULL;
}

struct reply *
s3_list_object_versions(struct call *c)
{
	struct listing l;
	struct reply *no = begin(c, "MaxKeys", "max-keys", &l);
	struct doc *out;
	int r;

	if (no || (no = read_version_markers(c, &l)))
		return no;
	l.w.kinds[1] = &s3_version;
	l.w.tell = tell_version;
	if ((r = walk_run(&l.w)) < 0)
		return s3_fail(c, r);
	out = walk_answer(&l.w, "MaxKeys");
	doc_set_str(c->arena, out, "Name", l.w.bucket->id);
	doc_set(c->arena, out, "Versions", l.contents);
	doc_set(c->arena, out, "DeleteMarkers", l.markers);
	doc_set_str(c->arena, out, "KeyMarker", s3_encoded(c,
	    doc_get_str(c->in, "KeyMarker")));
	doc_set_str(c->arena, out, "VersionIdMarker",
	    doc_get_str(c->in, "VersionIdMarker"));
	if (!l.w.truncated)
		return reply_ok(c, out);
	doc_set_str(c->arena, out, "NextKeyMarker", s3_encoded(c, l.w.last));
	if (l.w.row)
		doc_set_str(c->arena, out, "NextVersionIdMarker",
		    doc_get_str(l.w.row->spec, "VersionId"));
	return reply_ok(c, out);
}

static void
tell_upload(struct walk *w, const struct res *row)
{
	struct arena *a = w->c->arena;
	struct span class = doc_get_str(doc_get(row->spec, "Object"),
	    "StorageClass");
	struct doc *d = doc_obj(a);

	doc_set_str(a, d, "Key", s3_encoded(w->c, multipart_key(row)));
	doc_set_str(a, d, "UploadId", multipart_id(row));
	doc_set_time(a, d, "Initiated", row->created);
	doc_set(a, d, "Initiator", multipart_initiator(w->c, row));
	doc_set(a, d, "Owner", s3_owner(w->c));
	doc_set_str(a, d, "StorageClass", class.n ? class : SPAN("STANDARD"));
	doc_set_str(a, d, "ChecksumAlgorithm", doc_get_str(row->spec, "Kind"));
	doc_set_str(a, d, "ChecksumType", doc_get_str(row->spec, "Type"));
	doc_push(listing_of(w)->contents, d);
}

/* AWS: without a key marker the other one is not looked at. */
static void
read_upload_markers(struct call *c, struct walk *w)
{
	struct span key = doc_get_str(c->in, "KeyMarker");
	struct span id = doc_get_str(c->in, "UploadIdMarker");

	walk_start_after(w, key);
	if (!key.n || !id.n || span_chr(id, 0) >= 0)
		return;
	w->from = multipart_row_id(c->arena, key, id);
	w->after = true;
}

struct reply *
s3_list_multipart_uploads(struct call *c)
{
	struct listing l;
	struct reply *no = begin(c, "MaxUploads", "max-uploads", &l);
	struct doc *out;
	int r;

	if (no)
		return no;
	read_upload_markers(c, &l.w);
	l.w.kinds[0] = &s3_upload;
	l.w.tell = tell_upload;
	if ((r = walk_run(&l.w)) < 0)
		return s3_fail(c, r);
	out = walk_answer(&l.w, "MaxUploads");
	doc_set_str(c->arena, out, "Bucket", l.w.bucket->id);
	doc_set(c->arena, out, "Uploads", l.contents);
	doc_set_str(c->arena, out, "KeyMarker", s3_encoded(c,
	    doc_get_str(c->in, "KeyMarker")));
	doc_set_str(c->arena, out, "UploadIdMarker",
	    doc_get_str(c->in, "UploadIdMarker"));
	if (!l.w.truncated)
		return reply_ok(c, out);
	doc_set_str(c->arena, out, "NextKeyMarker", s3_encoded(c, l.w.last));
	if (l.w.row)
		doc_set_str(c->arena, out, "NextUploadIdMarker",
		    multipart_id(l.w.row));
	return reply_ok(c, out);
}
