/* Layers pushed through the API instead of the registry endpoints. */
#include "base/err.h"
#include "registry/ref.h"
#include "registry/registry.h"
#include "registry/upload.h"
#include "svc/ecr/ecr.h"

/* AWS: parts are 20 MiB at most, that is what UploadLayerPart is told. */
#define PART_SIZE (20 << 20)

struct reply *
batch_check_layer_availability(struct call *c)
{
	struct arena *a = c->arena;
	struct doc *layers = doc_arr(a), *failed = doc_arr(a), *d;
	struct doc *out = doc_obj(a);
	struct repo_key k;
	struct res *link;
	struct reply *no = ecr_repo(c, &k, NULL);
	int r;

	if (no)
		return no;
	doc_each(digest, doc_get(c->in, "layerDigests")) {
		d = doc_obj(a);
		doc_set_str(a, d, "layerDigest", doc_span(digest));
		if (!digest_ok(doc_span(digest), NULL)) {
			doc_set_str(a, d, "failureCode",
			    SPAN("InvalidLayerDigest"));
			doc_set_str(a, d, "failureReason",
			    SPAN("Invalid request parameters: layer digest "
				 "is not valid"));
			doc_push(failed, d);
			continue;
		}
		r = repo_blob(&k, a, doc_span(digest), &link);
		if (r < 0)
			return ecr_fail(c, r);
		if (r == 0) {
			sweep_touch(registry_of(c->store), doc_span(digest));
			doc_set_int(a, d, "layerSize",
			    doc_get_int(link->spec, "size", 0));
		}
		doc_set_str(a, d, "layerAvailability",
		    r ? SPAN("UNAVAILABLE") : SPAN("AVAILABLE"));
		doc_push(layers, d);
	}
	doc_set(a, out, "layers", layers);
	return reply_ok(c, doc_set(a, out, "failures", failed));
}

struct reply *
initiate_layer_upload(struct call *c)
{
	struct repo_key k;
	struct upload *u;
	struct reply *no = ecr_repo(c, &k, NULL);
	struct doc *out = doc_obj(c->arena);
	int r;

	if (no)
		return no;
	r = upload_start(registry_of(c->store), &k, c->arena, &u);
	if (r == UPLOAD_E_MANY)
		return reply_error(c, "LimitExceededException",
		    "too many layer uploads are in progress");
	if (r)
		return ecr_fail(c, r);
	doc_set(c->arena, out, "uploadId",
	    doc_strdup(c->arena, span_of(upload_id(u))));
	return reply_ok(c, doc_set_int(c->arena, out, "partSize", PART_SIZE));
}

static struct reply *
take(struct call *c, const struct repo_key *k, struct upload **ret)
{
	struct span id = doc_get_str(c->in, "uploadId");
	int r = upload_find(registry_of(c->store), k, c->arena, id, ret);

	if (r == UPLOAD_E_NONE)
		return reply_error(c, "UploadNotFoundException",
		    "The upload with id '%.*s' does not exist in the "
		    "repository with name '%.*s' in the registry with id "
		    "'%.*s'", SPAN_ARG(id), SPAN_ARG(k->name),
		    SPAN_ARG(k->scope.account));
	if (r == 0)
		r = upload_begin(*ret, NULL, NULL);
	if (r == UPLOAD_E_BUSY)
		return reply_error(c, "InvalidParameterException",
		    "another request works on the upload with id '%.*s'",
		    SPAN_ARG(id));
	return r ? ecr_fail(c, r) : NULL;
}

struct completion {
	struct call *c;
	struct repo_key key;
	struct upload *u;
	struct span digest;
};

static void
on_part(void *ctx, int r)
{
	struct completion *x = ctx;
	struct call *c = x->c;
	struct doc *out = ecr_out(c, &x->key);

	upload_end(x->u);
	doc_set_str(c->arena, out, "uploadId", doc_get_str(c->in, "uploadId"));
	doc_set_int(c->arena, out, "lastByteReceived",
	    doc_get_int(c->in, "partLastByte", -1));
	call_finish(c, r ? ecr_fail(c, r) : reply_ok(c, out));
}

struct reply *
upload_layer_part(struct call *c)
{
	struct span text = doc_get_str(c->in, "layerPartBlob");
	int64_t first = doc_get_int(c->in, "partFirstByte", -1);
	int64_t last = doc_get_int(c->in, "partLastByte", -1);
	struct completion *x;
	struct repo_key k;
	struct upload *u;
	struct reply *no = ecr_repo(c, &k, NULL);
	struct doc *out;
	int64_t size;

	if (no == NULL)
		no = take(c, &k, &u);
	if (no)
		return no;
	/* A blob is raw bytes in a request (doc.h). */
	size = (int64_t)upload_size(u);
	if (first != size || last - first + 1 != (int64_t)text.n) {
		upload_end(u);
		out = ecr_out(c, &k);
		doc_set_str(c->arena, out, "uploadId",
		    doc_get_str(c->in, "uploadId"));
		doc_set_int(c->arena, out, "lastValidByteReceived", size - 1);
		return reply_error_with(c, 0, "InvalidLayerPartException", out,
		    "The layer part that starts at byte %lld does not follow "
		    "the last byte received, %lld, or has another size than "
		    "it says", (long long)first, (long long)size - 1);
	}
	x = arena_new_of(c->arena, struct completion);
	*x = (struct completion){.c = c, .key = k, .u = u};
	(void)upload_write(u, text); /* what fails is told by the sync */
	upload_sync(u, on_part, x);
	return reply_later(c);
}

static struct reply *
complete(struct completion *x, int r)
{
	struct call *c = x->c;
	struct res *repo;
	struct doc *out;

	if (r == BLOB_E_MISMATCH)
		return reply_error(c, "InvalidLayerException",
		    "The layer digest calculation performed by Amazon ECR "
		    "upon receipt of the image layer doesn't match the digest "
		    "'%.*s'", SPAN_ARG(x->digest));
	if (r == 0)
		r = repo_get(&x->key, c->arena, &repo);
	if (r == REPO_E_NO_REPO)
		return ecr_no_repository(c, x->key.name);
	if (r == 0)
		r = repo_link_blob(&x->key, c->arena, x->digest,
		    upload_size(x->u));
	if (r)
		return ecr_fail(c, r);
	sweep_touch(registry_of(c->store), x->digest);
	out = ecr_out(c, &x->key);
	doc_set_str(c->arena, out, "uploadId", doc_get_str(c->in, "uploadId"));
	return reply_ok(c, doc_set_str(c->arena, out, "layerDigest",
	    x->digest));
}

static void
on_sealed(void *ctx, int r)
{
	struct completion *x = ctx;
	struct reply *reply = complete(x, r);

	upload_end(x->u);
	upload_drop(registry_of(x->c->store), x->u, x->c->arena);
	call_finish(x->c, reply);
}

struct reply *
complete_layer_upload(struct call *c)
{
	const struct doc *digests = doc_get(c->in, "layerDigests");
	struct span digest = doc_span(doc_at(digests, 0));
	struct completion *x;
	struct repo_key k;
	struct upload *u;
	struct reply *no = ecr_repo(c, &k, NULL);

	if (no)
		return no;
	if (doc_len(digests) != 1 || !digest_ok(digest, NULL))
		return ecr_invalid(c, "layerDigests",
		    "one valid digest is required");
	if (repo_blob(&k, c->arena, digest, NULL) == 0)
		return reply_error(c, "LayerAlreadyExistsException",
		    "The layer with digest '%.*s' already exists in the "
		    "repository with name '%.*s' in registry with id '%.*s'",
		    SPAN_ARG(digest), SPAN_ARG(k.name),
		    SPAN_ARG(k.scope.account));
	no = take(c, &k, &u);
	if (no)
		return no;
	if (upload_size(u) == 0) {
		upload_end(u);
		return reply_error(c, "EmptyUploadException",
		    "The upload with id '%s' has no parts", upload_id(u));
	}
	x = arena_new_of(c->arena, struct completion);
	*x = (struct completion){c, k, u, digest};
	upload_seal(u, digest, on_sealed, x);
	return reply_later(c);
}
