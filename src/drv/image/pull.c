/*
 * Pulls from other registries, by the distribution protocol.
 *
 *	manifest (a token first, if asked for one) → the platform's manifest
 *	→ every blob that is not here → verified, linked, recorded
 *
 * A blob is fetched once even if several pulls need it; one that breaks off
 * is resumed where it stopped.
 */
#include <errno.h>

#include <uthash.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/id.h"
#include "drv/image/internal.h"
#include "http/client.h"
#include "registry/upload.h"

#define PULL_MAGIC 0x50554c4c
#define BLOB_MAGIC 0x50424c42
#define TRIES 3

static const char accepted[] = MT_OCI_INDEX ", " MT_OCI_MANIFEST ", "
	MT_DOCKER_LIST ", " MT_DOCKER_MANIFEST;

struct puller {
	struct real_images *im;
	struct list pulls;
	struct blob_fetch *blobs; /* by digest */
};

struct pull {
	unsigned magic;
	struct list node;
	struct puller *p;
	struct arena *a;
	struct ref ref;
	struct span arch;
	struct repo_key key;
	struct span authorization; /* header, or empty */
	bool asked_token;
	struct http_fetch *fetch;  /* of a manifest or token */
	/* What was fetched; index only when the reference names one. */
	struct span want;	   /* digest that the manifest must have */
	struct span index, index_digest, bytes, digest;
	struct manifest index_m, m;
	size_t waiting;		   /* blobs */
	bool failed;
	pull_cb cb;
	void *ctx;
};

struct blob_wait {
	struct list node;
	struct pull *pull;
};

struct blob_fetch {
	unsigned magic;
	UT_hash_handle hh;
	struct puller *p;
	struct arena *a;
	struct span digest;
	uint64_t size;
	struct repo_key key;
	struct span url, authorization;
	struct upload *up;
	struct http_fetch *fetch;
	bool begun; /* up is */
	bool resumed, broken, paused;
	unsigned tries;
	struct list waits;
};

static void get_manifest(struct pull *u, struct span ref);

static void
pull_free(struct pull *u)
{
	CHECK_OBJ(u, PULL_MAGIC);
	list_del(&u->node);
	if (u->fetch)
		http_fetch_cancel(u->fetch);
	arena_free(u->a);
	FREE_OBJ(u);
}

static void
pull_end(struct pull *u, int err, struct span why)
{
	CHECK_OBJ(u, PULL_MAGIC);
	u->cb(u->ctx, err, why, u->index.n ? u->index_digest : u->digest);
	pull_free(u);
}

static void pull_fail(struct pull *u, int err, const char *fmt, ...)
    PRINTF(3, 4);

/* Frees u, unless blobs still refer to it: then the last one does. */
static void
pull_fail(struct pull *u, int err, const char *fmt, ...)
{
	va_list ap;
	char *why;

	va_start(ap, fmt);
	why = arena_vfmt(u->a, fmt, ap);
	va_end(ap);
	pull_end(u, err < 0 ? err : -EIO, span_of(why));
}

static struct span
base_url(struct arena *a, const struct ref *ref)
{
	struct span host = ref->host;

	/* Docker Hub's API is not where its name is. */
	if (span_is(host, "docker.io"))
		host = SPAN("registry-1.docker.io");
	return arena_fmt_span(a, "%s://%.*s/v2/%.*s",
	    ref_loopback(host) ? "http" : "https", SPAN_ARG(host),
	    SPAN_ARG(ref->repo));
}

static void
pull_record(struct pull *u)
{
	struct repo_put put = {.digest = u->digest, .bytes = u->bytes,
	    .manifest = &u->m};
	struct repo_put_result res;
	int r;

	if (!u->index.n)
		put.tag = u->ref.tag;
	r = repo_put_image(&u->key, u->a, &put, &res);
	if (r == 0 && u->index.n) {
		put = (struct repo_put){u->index_digest, u->ref.tag, u->index,
		    &u->index_m};
		r = repo_put_image(&u->key, u->a, &put, &res);
	}
	if (r)
		pull_fail(u, r, "cannot record %.*s", SPAN_ARG(u->key.name));
	else
		pull_end(u, 0, SPAN_NULL);
}

/* Blobs */

static void
blob_end(struct blob_fetch *b, int err, const char *why)
{
	struct registry *g = b->p->im->config.registry;

	CHECK_OBJ(b, BLOB_MAGIC);
	if (b->begun)
		upload_end(b->up);
	upload_drop(g, TAKE_PTR(b->up), b->a);
	HASH_DEL(b->p->blobs, b);
	list_each_safe(n, &b->waits) {
		struct blob_wait *w = list_entry(n, struct blob_wait, node);
		struct pull *u = w->pull;
		int r = err;

		list_del(n);
		free(w);
		u->waiting--;
		if (r == 0)
			r = repo_link_blob(&u->key, u->a, b->digest, b->size);
		if (r && !u->failed) {
			u->failed = true;
			u->cb(u->ctx, r < 0 ? r : -EIO,
			    span_of(why ? why : err_last()), SPAN_NULL);
		}
		if (u->waiting == 0 && u->failed)
			pull_free(u);
		else if (u->waiting == 0)
			pull_record(u);
	}
	arena_free(b->a);
	FREE_OBJ(b);
}

static void
on_sealed(void *ctx, int r)
{
	struct blob_fetch *b;

	CAST_OBJ(b, ctx, BLOB_MAGIC);
	if (r == BLOB_E_MISMATCH)
		blob_end(b, -EBADMSG, arena_fmt(b->a, "failed commit on ref: "
		    "unexpected digest of blob %.*s", SPAN_ARG(b->digest)));
	else
		blob_end(b, r, r ? strerror(abs(r)) : NULL);
}

static void blob_get(struct blob_fetch *b);

static void
on_room(void *ctx)
{
	struct blob_fetch *b;

	CAST_OBJ(b, ctx, BLOB_MAGIC);
	if (!b->paused)
		return;
	/* Resuming may bring a piece at once. */
	b->paused = false;
	if (b->fetch)
		http_fetch_resume(b->fetch);
}

/* Not before something comes: of many layers few are fetched at a time. */
static int
blob_begin(struct blob_fetch *b)
{
	int r = b->begun ? 0 : upload_begin(b->up, on_room, b);

	b->begun = r == 0;
	return r > 0 ? -EAGAIN : r;
}

static bool
on_blob_piece(void *ctx, int status, struct span piece)
{
	struct blob_fetch *b;
	int r;

	CAST_OBJ(b, ctx, BLOB_MAGIC);
	/* It did not resume: a 200 to a Range starts from the beginning. */
	if ((b->resumed && status != 206) ||
	    upload_size(b->up) + piece.n > b->size || blob_begin(b) ||
	    (r = upload_write(b->up, piece)) < 0) {
		b->broken = true;
		return false;
	}
	if (r == UPLOAD_FULL) {
		b->paused = true;
		http_fetch_pause(b->fetch);
	}
	return true;
}

static void
on_blob(void *ctx, const struct http_result *r)
{
	struct blob_fetch *b;

	CAST_OBJ(b, ctx, BLOB_MAGIC);
	b->fetch = NULL;
	if (upload_size(b->up) == b->size && (r->err || r->status < 300) &&
	    blob_begin(b) == 0) {
		upload_seal(b->up, b->digest, on_sealed, b);
		return;
	}
	if (b->broken || r->err == -ECANCELED ||
	    (r->status >= 400 && r->status < 500) || ++b->tries >= TRIES) {
		blob_end(b, r->err ? r->err : -EIO, arena_fmt(b->a,
		    "failed to copy: blob %.*s: %.*s (status %d)",
		    SPAN_ARG(b->digest), SPAN_ARG(r->why), r->status));
		return;
	}
	blob_get(b);
}

static void
blob_get(struct blob_fetch *b)
{
	struct http_header h[2];
	struct http_fetch_spec spec = {.url = b->url.p, .headers = h,
	    .on_piece = on_blob_piece, .on_done = on_blob, .ctx = b};

	b->resumed = upload_size(b->up) > 0;
	if (b->authorization.n)
		h[spec.n_headers++] = (struct http_header){
		    SPAN("Authorization"), b->authorization};
	if (b->resumed)
		h[spec.n_headers++] = (struct http_header){SPAN("Range"),
		    arena_fmt_span(b->a, "bytes=%llu-",
			(unsigned long long)upload_size(b->up))};
	b->fetch = http_fetch(b->p->im->config.client, &spec);
}

static int
blob_start(struct pull *u, const struct descriptor *d,
    struct blob_fetch **ret)
{
	struct blob_fetch *b;
	int r;

	ALLOC_OBJ(b, BLOB_MAGIC);
	b->p = u->p;
	b->a = arena_new();
	b->digest = arena_span(b->a, d->digest);
	b->size = d->size;
	b->key = u->key;
	b->key.name = arena_span(b->a, u->key.name);
	b->authorization = arena_span(b->a, u->authorization);
	b->url = arena_fmt_span(b->a, "%.*s/blobs/%.*s",
	    SPAN_ARG(base_url(b->a, &u->ref)), SPAN_ARG(d->digest));
	list_init(&b->waits);
	r = upload_start(u->p->im->config.registry, &b->key, b->a, &b->up);
	if (r) {
		arena_free(b->a);
		FREE_OBJ(b);
		return r < 0 ? r : -EAGAIN;
	}
	HASH_ADD_KEYPTR(hh, u->p->blobs, b->digest.p, b->digest.n, b);
	blob_get(b);
	*ret = b;
	return 0;
}

/* 0: it is here; 1: it is on its way. */
static int
want_blob(struct pull *u, const struct descriptor *d)
{
	struct registry *g = u->p->im->config.registry;
	struct blob_fetch *b;
	struct blob_wait *w;
	uint64_t size;
	int r;

	sweep_touch(g, d->digest);
	r = blob_size(registry_blobs(g), d->digest, &size);
	if (r == 0)
		return repo_link_blob(&u->key, u->a, d->digest, size);
	if (r < 0)
		return err_trace(r);
	HASH_FIND(hh, u->p->blobs, d->digest.p, d->digest.n, b);
	if (!b) {
		r = blob_start(u, d, &b);
		if (r)
			return err_trace(r);
	}
	w = xcalloc(1, sizeof(*w));
	w->pull = u;
	list_add(&b->waits, &w->node);
	u->waiting++;
	return 0;
}

static void
want_blobs(struct pull *u)
{
	int r = want_blob(u, &u->m.config);

	for (size_t i = 0; r == 0 && i < u->m.n_layers; i++)
		r = want_blob(u, &u->m.layers[i]);
	if (r && u->waiting) {
		u->failed = true;
		u->cb(u->ctx, r, span_of(err_last()), SPAN_NULL);
	} else if (r) {
		pull_fail(u, r, "%s", err_last());
	} else if (u->waiting == 0) {
		pull_record(u);
	}
}

/* Manifests */

static void
take_index(struct pull *u)
{
	u->want = manifest_for(&u->index_m, u->arch);
	if (u->want.n) {
		get_manifest(u, u->want);
		return;
	}
	pull_fail(u, -ENOEXEC, "pull image manifest has been retried 1 "
	    "time(s): image Manifest does not contain descriptor matching "
	    "platform 'linux/%.*s'", SPAN_ARG(u->arch));
}

static void
take_manifest(struct pull *u, const struct http_result *r)
{
	struct span bytes = arena_span(u->a, r->body), digest;
	struct manifest m;
	const char *why;

	digest = arena_fmt_span(u->a, "sha256:%s", sha256_hex(u->a, bytes));
	if (u->want.n && !span_eq(u->want, digest)) {
		pull_fail(u, -EBADMSG, "the manifest of %.*s is not that of "
		    "the digest %.*s", SPAN_ARG(u->key.name),
		    SPAN_ARG(u->want));
		return;
	}
	if (manifest_parse(u->a, bytes,
		arena_span(u->a, http_result_header(r, "Content-Type")), &m,
		&why)) {
		pull_fail(u, -EBADMSG, "%s", why);
		return;
	}
	if (m.index && u->index.n) {
		pull_fail(u, -EBADMSG, "an index lists an index");
	} else if (m.index) {
		u->index = bytes;
		u->index_digest = digest;
		u->index_m = m;
		take_index(u);
	} else {
		u->bytes = bytes;
		u->digest = digest;
		u->m = m;
		want_blobs(u);
	}
}

/* Token: https://distribution.github.io/distribution/spec/auth/token/ */

static struct span
challenge_param(struct span header, const char *name)
{
	struct span rest = header;
	ptrdiff_t i;

	while ((i = span_find(rest, span_of(name))) >= 0) {
		rest = span_from(rest, (size_t)i + strlen(name));
		if (span_starts(rest, SPAN("=\""))) {
			rest = span_from(rest, 2);
			return span_cut(&rest, '"');
		}
	}
	return SPAN_NULL;
}

static void
on_token(void *ctx, const struct http_result *r)
{
	struct pull *u;
	struct span token;
	struct doc *d;

	CAST_OBJ(u, ctx, PULL_MAGIC);
	u->fetch = NULL;
	if (r->err || r->status != 200 ||
	    doc_parse_json(u->a, r->body, &d)) {
		pull_fail(u, -EACCES, "pull access denied for %.*s: the token "
		    "service answered %d %.*s", SPAN_ARG(u->key.name),
		    r->status, SPAN_ARG(r->why));
		return;
	}
	token = doc_get_str(d, "token");
	if (!token.n)
		token = doc_get_str(d, "access_token");
	u->authorization = arena_fmt_span(u->a, "Bearer %.*s",
	    SPAN_ARG(token));
	get_manifest(u, u->ref.digest.n ? u->ref.digest : u->ref.tag);
}

static void
get_token(struct pull *u, struct span challenge)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct http_fetch_spec spec = {.body_max = 64 << 10,
	    .on_done = on_token, .ctx = u};
	struct span realm = challenge_param(challenge, "realm");
	struct span service = challenge_param(challenge, "service");

	u->asked_token = true;
	if (!span_ieq(span_to(challenge, 7), SPAN("Bearer ")) ||
	    (!span_starts(realm, SPAN("https://")) &&
		!span_starts(realm, SPAN("http://")))) {
		pull_fail(u, -EACCES, "pull access denied for %.*s, repository "
		    "does not exist or may require authorization",
		    SPAN_ARG(u->key.name));
		return;
	}
	buf_add_span(&b, realm);
	buf_addf(&b, "%cservice=", span_chr(realm, '?') < 0 ? '?' : '&');
	buf_add_uri(&b, service, false);
	buf_add_str(&b, "&scope=repository:");
	buf_add_uri(&b, u->ref.repo, true);
	buf_add_str(&b, ":pull");
	spec.url = arena_str(u->a, buf_span(&b));
	u->fetch = http_fetch(u->p->im->config.client, &spec);
}

static void
on_manifest(void *ctx, const struct http_result *r)
{
	struct pull *u;

	CAST_OBJ(u, ctx, PULL_MAGIC);
	u->fetch = NULL;
	if (r->err)
		pull_fail(u, r->err == -ENOENT ? -EIO : r->err, "pull image "
		    "manifest has been retried 1 time(s): failed to resolve "
		    "ref %.*s: failed to do request: %.*s",
		    SPAN_ARG(u->key.name), SPAN_ARG(r->why));
	else if (r->status == 401 && !u->asked_token)
		get_token(u, http_result_header(r, "WWW-Authenticate"));
	else if (r->status == 401 || r->status == 403)
		pull_fail(u, -EACCES, "pull access denied for %.*s, repository "
		    "does not exist or may require authorization",
		    SPAN_ARG(u->key.name));
	else if (r->status == 404)
		pull_fail(u, -ENOENT, "not found");
	else if (r->status != 200)
		pull_fail(u, -EIO, "pull image manifest has been retried 1 "
		    "time(s): failed to resolve ref %.*s: unexpected status "
		    "%d", SPAN_ARG(u->key.name), r->status);
	else
		take_manifest(u, r);
}

static void
get_manifest(struct pull *u, struct span ref)
{
	struct http_header h[2] = {0};
	struct http_fetch_spec spec = {.headers = h, .n_headers = 1,
	    .body_max = MANIFEST_MAX, .on_done = on_manifest, .ctx = u};

	h[0] = (struct http_header){SPAN("Accept"), span_of(accepted)};
	if (u->authorization.n)
		h[spec.n_headers++] = (struct http_header){
		    SPAN("Authorization"), u->authorization};
	spec.url = arena_fmt(u->a, "%.*s/manifests/%.*s",
	    SPAN_ARG(base_url(u->a, &u->ref)), SPAN_ARG(ref));
	u->fetch = http_fetch(u->p->im->config.client, &spec);
}

void
pull_start(struct puller *p, const struct ref *ref, struct span arch,
    pull_cb cb, void *ctx)
{
	struct pull *u;

	ALLOC_OBJ(u, PULL_MAGIC);
	u->p = p;
	u->a = arena_new();
	u->ref = (struct ref){arena_span(u->a, ref->host),
	    arena_span(u->a, ref->repo), arena_span(u->a, ref->tag),
	    arena_span(u->a, ref->digest)};
	u->arch = arena_span(u->a, arch);
	u->key = upstream_key(p->im, u->a, &u->ref);
	u->want = u->ref.digest;
	u->cb = cb;
	u->ctx = ctx;
	list_add(&p->pulls, &u->node);
	get_manifest(u, u->ref.digest.n ? u->ref.digest : u->ref.tag);
}

struct puller *
puller_new(struct real_images *im)
{
	struct puller *p = xcalloc(1, sizeof(*p));

	p->im = im;
	list_init(&p->pulls);
	return p;
}

static void
on_nobody(void *ctx UNUSED, int err UNUSED, struct span why UNUSED,
    struct span digest UNUSED)
{
}

/* The images object has answered for every pull already: who asked is gone
 * when the last jobs end. */
void
puller_free(struct puller *p)
{
	struct blob_fetch *b, *next;

	if (!p)
		return;
	list_each(n, &p->pulls)
		list_entry(n, struct pull, node)->cb = on_nobody;
	registry_drain(p->im->config.registry);
	HASH_ITER(hh, p->blobs, b, next) {
		if (b->fetch)
			http_fetch_cancel(b->fetch);
		list_each_safe(n, &b->waits) {
			list_del(n);
			free(list_entry(n, struct blob_wait, node));
		}
		if (b->begun)
			upload_end(b->up);
		HASH_DEL(p->blobs, b);
		arena_free(b->a);
		FREE_OBJ(b);
	}
	list_each_safe(n, &p->pulls)
		pull_free(list_entry(n, struct pull, node));
	free(p);
}
