/* Images: describe, list, get, put, delete. */
#include "base/id.h"
#include "registry/ref.h"
#include "svc/ecr/ecr.h"

/* Is this image, with n tags, in what filter.tagStatus asks for? */
static bool
wanted(struct call *c, size_t n_tags)
{
	struct span s = doc_get_str(doc_get(c->in, "filter"), "tagStatus");

	if (span_is(s, "TAGGED"))
		return n_tags > 0;
	if (span_is(s, "UNTAGGED"))
		return n_tags == 0;
	return true;
}

static struct doc *
image_id(struct arena *a, struct span digest, struct span tag)
{
	struct doc *d = doc_obj(a);

	if (digest.n)
		doc_set_str(a, d, "imageDigest", digest);
	if (tag.n)
		doc_set_str(a, d, "imageTag", tag);
	return d;
}

/* "{imageDigest:'…', imageTag:'…'}", as ECR's messages have it. */
static const char *
id_text(struct call *c, const struct doc *id)
{
	struct span digest = doc_get_str(id, "imageDigest");
	struct span tag = doc_get_str(id, "imageTag");

	return arena_fmt(c->arena, "{imageDigest:'%.*s', imageTag:'%.*s'}",
	    SPAN_ARG(digest.n ? digest : SPAN("null")),
	    SPAN_ARG(tag.n ? tag : SPAN("null")));
}

/* What an imageId of the input means. */
enum found { FOUND, F_MISSING, F_DIGEST, F_TAG, F_MISMATCH, F_NONE, F_FAILED };

static const struct {
	const char *code, *reason;
} failures[] = {
    [F_MISSING] = {"MissingDigestAndTag",
	"Invalid request parameters: both tag and digest cannot be null"},
    [F_DIGEST] = {"InvalidImageDigest", "Invalid request parameters: image "
	"digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'"},
    [F_TAG] = {"InvalidImageTag", "Invalid request parameters: image tag "
	"should satisfy the regex '[a-zA-Z0-9-_.]{1,300}'"},
    [F_MISMATCH] = {"ImageTagDoesNotMatchDigest",
	"Image tag does not match the digest provided in the request"},
    [F_NONE] = {"ImageNotFound", "Requested image not found"},
};

static enum found
find(struct call *c, const struct repo_key *k, const struct doc *id,
    struct res **ret, int *ret_err)
{
	struct span digest = doc_get_str(id, "imageDigest"), named;
	struct span tag = doc_get_str(id, "imageTag");
	int r = 0;

	if (!digest.n && !tag.n)
		return F_MISSING;
	if (digest.n && !digest_ok(digest, NULL))
		return F_DIGEST;
	if (tag.n && !ref_tag_ok(tag))
		return F_TAG;
	if (tag.n)
		r = repo_tag(k, c->arena, tag, &named);
	if (r == 0 && tag.n && digest.n && !span_eq(named, digest))
		return F_MISMATCH;
	if (r == 0)
		r = repo_image(k, c->arena, tag.n ? named : digest, ret);
	if (r > 0)
		return F_NONE;
	*ret_err = r;
	return r ? F_FAILED : FOUND;
}

static void
push_failure(struct call *c, struct doc *arr, const struct doc *id,
    const char *code, const char *reason)
{
	struct doc *f = doc_obj(c->arena);

	doc_set(c->arena, f, "imageId", doc_copy(c->arena, id));
	doc_set_str(c->arena, f, "failureCode", span_of(code));
	doc_set_str(c->arena, f, "failureReason", span_of(reason));
	doc_push(arr, f);
}

static void
copy_str(struct arena *a, struct doc *to, const char *name,
    const struct doc *from, const char *member)
{
	struct span s = doc_get_str(from, member);

	if (s.n)
		doc_set_str(a, to, name, arena_span(a, s));
}

static struct reply *
detail(struct call *c, const struct repo_key *k, const struct res *image,
    struct doc **ret, size_t *ret_tags)
{
	struct arena *a = c->arena;
	struct doc *d = ecr_out(c, k), *tags = doc_arr(a);
	struct span *v;
	size_t n;
	int r = repo_tags(k, a, image->id, &v, &n);

	if (r)
		return ecr_fail(c, r);
	for (size_t i = 0; i < n; i++)
		doc_push_str(a, tags, v[i]);
	doc_set_str(a, d, "imageDigest", arena_span(a, image->id));
	if (n)
		doc_set(a, d, "imageTags", tags);
	doc_set_int(a, d, "imageSizeInBytes",
	    doc_get_int(image->spec, "size", 0));
	doc_set_time(a, d, "imagePushedAt",
	    doc_get_time(image->spec, "pushedAt"));
	copy_str(a, d, "imageManifestMediaType", image->spec, "mediaType");
	copy_str(a, d, "artifactMediaType", image->spec, "artifactType");
	copy_str(a, d, "subjectManifestDigest", image->spec, "subject");
	if (doc_get(image->status, "lastPull"))
		doc_set_time(a, d, "lastRecordedPullTime",
		    doc_get_time(image->status, "lastPull"));
	doc_set_str(a, d, "imageStatus", SPAN("ACTIVE"));
	*ret = d;
	*ret_tags = n;
	return NULL;
}

static struct reply *
describe_named(struct call *c, const struct repo_key *k,
    const struct doc *ids)
{
	struct doc *arr = doc_arr(c->arena), *d;
	struct reply *no;
	struct res *image;
	size_t n;
	int r = 0;

	doc_each(id, ids) {
		enum found f = find(c, k, id, &image, &r);

		if (f == F_FAILED)
			return ecr_fail(c, r);
		if (f == F_NONE || f == F_MISMATCH)
			return reply_error(c, "ImageNotFoundException",
			    "The image with imageId %s does not exist within "
			    "the repository with name '%.*s' in the registry "
			    "with id '%.*s'", id_text(c, id),
			    SPAN_ARG(k->name), SPAN_ARG(k->scope.account));
		if (f != FOUND)
			return reply_error(c, "InvalidParameterException",
			    "%s", failures[f].reason);
		no = detail(c, k, image, &d, &n);
		if (no)
			return no;
		doc_push(arr, d);
	}
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena),
	    "imageDetails", arr));
}

/* One page of a list, filled image by image. */
struct listing {
	struct call *c;
	const struct repo_key *k;
	struct page page;
	struct doc *arr;
	struct reply *no;
	int64_t at; /* entries of ListImages passed */
	bool more;
};

static int
describe_one(void *ctx, struct res *image)
{
	struct listing *x = ctx;
	struct doc *d;
	size_t n;

	x->no = detail(x->c, x->k, image, &d, &n);
	if (x->no)
		return 1;
	if (!wanted(x->c, n))
		return 0;
	x->more = doc_len(x->arr) == x->page.max;
	if (x->more)
		return 1;
	doc_push(x->arr, d);
	x->page.after = image->row;
	return 0;
}

struct reply *
describe_images(struct call *c)
{
	struct doc *out = doc_obj(c->arena);
	struct repo_key k;
	struct listing x = {.c = c, .k = &k, .arr = doc_arr(c->arena)};
	struct reply *no = ecr_repo(c, &k, NULL);
	int r;

	if (no)
		return no;
	if (doc_len(doc_get(c->in, "imageIds")) > 0)
		return describe_named(c, &k, doc_get(c->in, "imageIds"));
	no = ecr_page(c, &x.page);
	if (no)
		return no;
	r = repo_each_image(&k, x.page.after, describe_one, &x);
	if (r < 0)
		return ecr_fail(c, r);
	if (x.no)
		return x.no;
	if (x.more)
		doc_set_str(c->arena, out, "nextToken",
		    page_token(c, x.page.after));
	return reply_ok(c, doc_set(c->arena, out, "imageDetails", x.arr));
}

static int
list_one(void *ctx, struct res *image)
{
	struct listing *x = ctx;
	struct arena *a = x->c->arena;
	struct span *tags;
	struct span id = arena_span(a, image->id);
	size_t n;
	int r = repo_tags(x->k, a, id, &tags, &n);

	if (r || !wanted(x->c, n))
		return r;
	for (size_t t = 0; t < MAX(n, 1u); t++, x->at++) {
		if (x->at < x->page.after)
			continue;
		x->more = doc_len(x->arr) == x->page.max;
		if (x->more)
			return 1;
		doc_push(x->arr, image_id(a, id, n ? tags[t] : SPAN_NULL));
	}
	return 0;
}

/* One entry for each tag of each image, and one for an image without tags;
 * the page token counts entries. */
struct reply *
list_images(struct call *c)
{
	struct doc *out = doc_obj(c->arena);
	struct repo_key k;
	struct listing x = {.c = c, .k = &k, .arr = doc_arr(c->arena)};
	struct reply *no = ecr_repo(c, &k, NULL);
	int r;

	if (no == NULL)
		no = ecr_page(c, &x.page);
	if (no)
		return no;
	r = repo_each_image(&k, 0, list_one, &x);
	if (r < 0)
		return ecr_fail(c, r);
	if (x.more)
		doc_set_str(c->arena, out, "nextToken",
		    page_token(c, x.at));
	return reply_ok(c, doc_set(c->arena, out, "imageIds", x.arr));
}

static struct doc *
show(struct call *c, const struct repo_key *k, const struct res *image,
    struct span tag)
{
	struct doc *d = ecr_out(c, k);

	doc_set(c->arena, d, "imageId", image_id(c->arena, image->id, tag));
	copy_str(c->arena, d, "imageManifest", image->spec, "manifest");
	copy_str(c->arena, d, "imageManifestMediaType", image->spec,
	    "mediaType");
	return d;
}

/* Bytes of manifests in one answer; a hundred may have 4 MiB each. */
#define BATCH_MAX (32 << 20)

struct reply *
batch_get_image(struct call *c)
{
	int64_t bytes = 0;
	const struct doc *accepted = doc_get(c->in, "acceptedMediaTypes");
	struct doc *images = doc_arr(c->arena), *failed = doc_arr(c->arena);
	struct doc *out = doc_obj(c->arena);
	struct res *image;
	struct repo_key k;
	struct reply *no = ecr_repo(c, &k, NULL);
	int r = 0;

	if (no)
		return no;
	doc_each(id, doc_get(c->in, "imageIds")) {
		enum found f = find(c, &k, id, &image, &r);

		if (f == F_FAILED)
			return ecr_fail(c, r);
		if (f == FOUND && doc_len(accepted) > 0 &&
		    !doc_has_str(accepted,
			doc_get_str(image->spec, "mediaType")))
			f = F_NONE;
		if (f == FOUND)
			bytes += doc_get_int(image->spec, "manifestSize", 0);
		if (bytes > BATCH_MAX)
			return reply_error(c, "LimitExceededException",
			    "The manifests of these images have more than %d "
			    "bytes together: ask for fewer at a time",
			    BATCH_MAX);
		if (f == FOUND)
			doc_push(images, show(c, &k, image,
			    doc_get_str(id, "imageTag")));
		else
			push_failure(c, failed, id, failures[f].code,
			    failures[f].reason);
	}
	doc_set(c->arena, out, "images", images);
	return reply_ok(c, doc_set(c->arena, out, "failures", failed));
}

/* Deletes what id names.  A tag alone goes alone, unless it is the last one:
 * then the image goes, too.  0, REPO_E_REFERENCED or negative. */
static int
delete_one(struct call *c, const struct repo_key *k, const struct doc *id,
    const struct res *image, struct doc *deleted, struct span *ret_missing)
{
	struct span tag = doc_get_str(id, "imageTag"), *tags;
	size_t n;
	int r = repo_tags(k, c->arena, image->id, &tags, &n);

	if (r)
		return r;
	if (tag.n && n > 1) {
		doc_push(deleted, image_id(c->arena, image->id, tag));
		return repo_delete_tag(k, c->arena, tag);
	}
	r = repo_delete_image(k, c->arena, image->id, ret_missing);
	if (r)
		return r;
	for (size_t i = 0; i < MAX(n, 1u); i++)
		doc_push(deleted, image_id(c->arena, image->id,
		    n ? tags[i] : SPAN_NULL));
	return 0;
}

struct reply *
batch_delete_image(struct call *c)
{
	struct doc *deleted = doc_arr(c->arena), *failed = doc_arr(c->arena);
	struct doc *out = doc_obj(c->arena);
	struct span missing;
	struct res *image;
	struct repo_key k;
	struct reply *no = ecr_repo(c, &k, NULL);
	int r = 0;

	if (no)
		return no;
	doc_each(id, doc_get(c->in, "imageIds")) {
		enum found f = find(c, &k, id, &image, &r);

		if (f == FOUND)
			r = delete_one(c, &k, id, image, deleted, &missing);
		if (r < 0)
			return ecr_fail(c, r);
		if (f != FOUND)
			push_failure(c, failed, id, failures[f].code,
			    failures[f].reason);
		else if (r == REPO_E_REFERENCED)
			push_failure(c, failed, id,
			    "ImageReferencedByManifestList",
			    arena_fmt(c->arena, "Requested image referenced by "
				"manifest list: [%.*s]", SPAN_ARG(missing)));
		else if (r)
			return ecr_fail(c, r);
		r = 0;
	}
	doc_set(c->arena, out, "imageIds", deleted);
	return reply_ok(c, doc_set(c->arena, out, "failures", failed));
}

static struct reply *
put_refused(struct call *c, const struct repo_key *k, int r, struct span tag,
    struct span missing)
{
	const char *what = r == REPO_E_NO_LAYERS ? "Layers" : "Images";

	if (r == REPO_E_IMMUTABLE)
		return reply_error(c, "ImageTagAlreadyExistsException",
		    "The image tag '%.*s' already exists in the '%.*s' "
		    "repository and cannot be overwritten because the tag is "
		    "immutable.", SPAN_ARG(tag), SPAN_ARG(k->name));
	if (r == REPO_E_NO_LAYERS || r == REPO_E_NO_CHILDREN)
		return reply_error(c, r == REPO_E_NO_LAYERS
			? "LayersNotFoundException"
			: "ReferencedImagesNotFoundException",
		    "%s with digests '[%.*s]' required for pushing image into "
		    "repository with name '%.*s' in the registry with id "
		    "'%.*s' do not exist", what, SPAN_ARG(missing),
		    SPAN_ARG(k->name), SPAN_ARG(k->scope.account));
	return ecr_fail(c, r);
}

struct reply *
put_image(struct call *c)
{
	struct span want = doc_get_str(c->in, "imageDigest");
	struct repo_put put = {.tag = doc_get_str(c->in, "imageTag"),
	    .bytes = doc_get_str(c->in, "imageManifest")};
	struct repo_put_result res;
	struct manifest m;
	struct res *image;
	struct repo_key k;
	struct reply *no = ecr_repo(c, &k, NULL);
	const char *why;
	int r;

	if (no)
		return no;
	if (put.tag.n && !ref_tag_ok(put.tag))
		return ecr_invalid(c, "imageTag",
		    "must satisfy regular expression "
		    "'[a-zA-Z0-9_][a-zA-Z0-9-_.]*'");
	if (manifest_parse(c->arena, put.bytes,
		doc_get_str(c->in, "imageManifestMediaType"), &m, &why))
		return ecr_invalid(c, "ImageManifest", "%s", why);
	put.manifest = &m;
	put.digest = arena_fmt_span(c->arena, "sha256:%s",
	    sha256_hex(c->arena, put.bytes));
	if (want.n && !span_eq(want, put.digest))
		return reply_error(c, "ImageDigestDoesNotMatchException",
		    "The image digest '%.*s' does not match the digest '%.*s' "
		    "that was calculated for the image", SPAN_ARG(want),
		    SPAN_ARG(put.digest));
	r = repo_put_image(&k, c->arena, &put, &res);
	if (r)
		return put_refused(c, &k, r, put.tag, res.missing);
	if (res.existed && (!put.tag.n || res.tag_existed))
		return reply_error(c, "ImageAlreadyExistsException",
		    "Image with digest '%.*s' and tag '%.*s' already exists in "
		    "the repository with name '%.*s' in registry with id "
		    "'%.*s'", SPAN_ARG(put.digest),
		    SPAN_ARG(put.tag.n ? put.tag : SPAN("null")),
		    SPAN_ARG(k.name), SPAN_ARG(k.scope.account));
	r = repo_image(&k, c->arena, put.digest, &image);
	if (r)
		return ecr_fail(c, r);
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena), "image",
	    show(c, &k, image, put.tag)));
}
