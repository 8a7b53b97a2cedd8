/* Pulling, pushing and deleting manifests. */
#include <openssl/evp.h>

#include "base/err.h"
#include "base/id.h"
#include "registry/ref.h"
#include "registry/rq.h"

/* Bytes of all that are coming in. */
#define MANIFESTS_MAX (256u << 20)

static bool
check_ref(struct rq *q)
{
	if (digest_ok(q->ref, NULL) || ref_tag_ok(q->ref))
		return true;
	if (span_chr(q->ref, ':') >= 0)
		rq_error(q, 400, "DIGEST_INVALID", "the digest is not valid");
	else
		rq_error(q, 400, "TAG_INVALID", "the tag is not valid");
	return false;
}

void
manifest_get(struct rq *q)
{
	struct res *image;
	int r;

	if (!check_ref(q))
		return;
	r = repo_image(&q->key, q->a, q->ref, &image);
	if (r) {
		r < 0 ? rq_fail(q, r) : rq_repo_error(q, r, SPAN_NULL);
		return;
	}
	if (!span_is(q->http->method, "HEAD"))
		r = repo_note_pull(&q->key, q->a, image);
	if (r) {
		rq_fail(q, r);
		return;
	}
	q->out = doc_get_str(image->spec, "manifest");
	rq_header(q, "Content-Type", "%.*s",
	    SPAN_ARG(doc_get_str(image->spec, "mediaType")));
	rq_header(q, "Docker-Content-Digest", "%.*s", SPAN_ARG(image->id));
	rq_header(q, "ETag", "\"%.*s\"", SPAN_ARG(image->id));
	rq_ok(q, 200);
}

void
manifest_put_begin(struct rq *q)
{
	uint64_t n;

	if (!check_ref(q))
		return;
	if (span_u64(rq_in(q, "Content-Length"), &n) && n > MANIFEST_MAX)
		rq_error(q, 413, "MANIFEST_INVALID",
		    "a manifest may have 4 MiB at most");
}

bool
manifest_body(struct rq *q, struct span piece)
{
	if (q->body.n + piece.n > MANIFEST_MAX) {
		rq_error(q, 413, "MANIFEST_INVALID",
		    "a manifest may have 4 MiB at most");
		return false;
	}
	if (q->g->manifest_bytes + piece.n > MANIFESTS_MAX) {
		rq_error(q, 429, "TOOMANYREQUESTS",
		    "too many manifests are being pushed");
		return false;
	}
	q->g->manifest_bytes += piece.n;
	buf_add_span(&q->body, piece);
	return true;
}

/* The digest that names the manifest: of the kind the reference uses. */
static struct span
digest_of(struct arena *a, struct span bytes, bool wide)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned n;

	AN(EVP_Digest(bytes.p ? bytes.p : "", bytes.n, sum, &n,
	    wide ? EVP_sha512() : EVP_sha256(), NULL));
	buf_add_str(&b, wide ? "sha512:" : "sha256:");
	buf_add_hex(&b, sum, n);
	return arena_span(a, buf_span(&b));
}

static void
say_pushed(struct rq *q, const struct repo_put *put)
{
	rq_header(q, "Location", "/v2/%.*s/manifests/%.*s",
	    SPAN_ARG(q->key.name), SPAN_ARG(put->digest));
	rq_header(q, "Docker-Content-Digest", "%.*s", SPAN_ARG(put->digest));
	if (put->manifest->subject.n)
		rq_header(q, "OCI-Subject", "%.*s",
		    SPAN_ARG(put->manifest->subject));
	rq_ok(q, 201);
}

void
manifest_put(struct rq *q)
{
	struct repo_put put = {.bytes = buf_span(&q->body)};
	struct repo_put_result res;
	struct manifest m;
	const char *why;
	int r;

	if (manifest_parse(q->a, put.bytes, rq_in(q, "Content-Type"), &m,
		&why)) {
		rq_error(q, 400, "MANIFEST_INVALID", "%s", why);
		return;
	}
	put.manifest = &m;
	put.digest = digest_of(q->a, put.bytes, digest_is_sha512(q->ref));
	if (!digest_ok(q->ref, NULL))
		put.tag = q->ref;
	else if (!span_eq(put.digest, q->ref)) {
		rq_error(q, 400, "DIGEST_INVALID",
		    "the manifest is not that of the digest");
		return;
	}
	r = repo_put_image(&q->key, q->a, &put, &res);
	if (r < 0)
		rq_fail(q, r);
	else if (r)
		rq_repo_error(q, r, res.missing);
	else
		say_pushed(q, &put);
}

void
manifest_delete(struct rq *q)
{
	struct span missing = SPAN_NULL;
	int r;

	if (!check_ref(q))
		return;
	if (digest_ok(q->ref, NULL))
		r = repo_delete_image(&q->key, q->a, q->ref, &missing);
	else
		r = repo_delete_tag(&q->key, q->a, q->ref);
	if (r < 0)
		rq_fail(q, r);
	else if (r)
		rq_repo_error(q, r, missing);
	else
		rq_ok(q, 202);
}
