/* Images and tags as resources, and ECR's rules about them. */
#include "registry/repo.h"

#include "base/clock.h"
#include "base/err.h"
#include "registry/ref.h"

static int
fold(int r)
{
	return r < 0 ? err_trace(r) : err_fold(r);
}

static bool
is_upstream(const struct repo_key *k)
{
	return span_is(k->scope.account, UPSTREAM);
}

static int
get(const struct repo_key *k, struct arena *a, const struct kind *kind,
    struct span id, struct res **ret)
{
	int r = store_get(k->store, a, kind, k->scope, k->name, id, ret);

	if (r == STORE_E_NOT_FOUND)
		return REPO_E_NO_IMAGE;
	return r ? fold(r) : 0;
}

int
repo_get(const struct repo_key *k, struct arena *a, struct res **ret)
{
	int r = store_get(k->store, a, &ecr_repository, k->scope, SPAN_NULL,
	    k->name, ret);

	if (r == STORE_E_NOT_FOUND)
		return REPO_E_NO_REPO;
	return r ? fold(r) : 0;
}

int
repo_tag(const struct repo_key *k, struct arena *a, struct span tag,
    struct span *ret_digest)
{
	struct res *t;
	int r = get(k, a, &ecr_tag, tag, &t);

	if (r)
		return r;
	*ret_digest = doc_get_str(t->spec, "digest");
	return 0;
}

int
repo_image(const struct repo_key *k, struct arena *a, struct span ref,
    struct res **ret)
{
	struct span digest = ref;
	int r;

	if (!digest_ok(ref, NULL)) {
		r = repo_tag(k, a, ref, &digest);
		if (r)
			return r;
	}
	return get(k, a, &ecr_image, digest, ret);
}

static int
list(const struct repo_key *k, struct arena *a, const struct kind *kind,
    const char *index, struct span value, struct res_list *ret)
{
	struct query q = {.kind = kind, .scope = k->scope, .parent = k->name,
	    .index = index, .value = value};
	int r = store_list(k->store, a, &q, ret);

	return r ? fold(r) : 0;
}

#define IMAGES_AT_ONCE 8

int
images_each(struct store *s, const struct query *q, image_fn fn, void *ctx)
{
	struct query next = *q;
	bool more = true;
	int r = 0;

	next.limit = IMAGES_AT_ONCE;
	while (r == 0 && more) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct res_list l;

		r = store_list(s, a, &next, &l);
		if (r)
			return fold(r);
		more = l.n == IMAGES_AT_ONCE;
		for (size_t i = 0; r == 0 && i < l.n; i++) {
			next.after = l.v[i]->row;
			r = fn(ctx, l.v[i]);
		}
	}
	return r;
}

int
repo_each_image(const struct repo_key *k, int64_t after, image_fn fn,
    void *ctx)
{
	struct query q = {.kind = &ecr_image, .scope = k->scope,
	    .parent = k->name, .after = after};

	return images_each(k->store, &q, fn, ctx);
}

static int
by_span(const void *x, const void *y)
{
	return span_cmp(*(const struct span *)x, *(const struct span *)y);
}

int
repo_tags(const struct repo_key *k, struct arena *a, struct span digest,
    struct span **ret, size_t *ret_n)
{
	struct res_list l;
	int r = list(k, a, &ecr_tag, digest.n ? "spec.digest" : NULL, digest,
	    &l);

	if (r)
		return r;
	*ret = arena_array(a, struct span, l.n + 1);
	for (size_t i = 0; i < l.n; i++)
		(*ret)[i] = l.v[i]->id;
	qsort(*ret, l.n, sizeof(**ret), by_span);
	*ret_n = l.n;
	return 0;
}

bool
repo_tag_mutable(const struct res *repo, struct span tag)
{
	struct span mode = doc_get_str(repo->spec, "imageTagMutability");
	bool immutable = span_starts(mode, SPAN("IMMUTABLE"));
	const struct doc *filters =
	    doc_get(repo->spec, "imageTagMutabilityExclusionFilters");

	if (!span_ends(mode, SPAN("_WITH_EXCLUSION")))
		return !immutable;
	doc_each(f, filters) {
		if (span_glob(doc_get_str(f, "filter"), tag))
			return immutable;
	}
	return !immutable;
}

int
repo_blob(const struct repo_key *k, struct arena *a, struct span digest,
    struct res **ret)
{
	struct res *unused;

	return get(k, a, &ecr_blob, digest, ret ? ret : &unused);
}

int
repo_link_blob(const struct repo_key *k, struct arena *a, struct span digest,
    uint64_t size)
{
	struct res *r = res_new(a, &ecr_blob, k->scope, k->name, digest);
	int e;

	doc_set_str(a, r->spec, "digest", digest);
	doc_set_int(a, r->spec, "size", (int64_t)size);
	e = store_insert(k->store, a, r);
	return e == STORE_E_EXISTS || e == 0 ? 0 : fold(e);
}

/* Collects the digests of v that the repository lacks. */
static int
find_missing(const struct repo_key *k, struct arena *a,
    const struct kind *kind, const struct descriptor *v, size_t n,
    struct buf *missing)
{
	struct res *unused;

	for (size_t i = 0; i < n; i++) {
		int r = v[i].foreign ? 0 : get(k, a, kind, v[i].digest, &unused);

		if (r < 0)
			return err_trace(r);
		if (r == 0)
			continue;
		if (missing->n)
			buf_add_str(missing, ", ");
		buf_add_span(missing, v[i].digest);
	}
	return 0;
}

static int
check_parts(const struct repo_key *k, struct arena *a,
    const struct manifest *m, struct span *ret_missing)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	int r;

	/* Of a foreign index only the platform's manifest is fetched. */
	if (m->index && is_upstream(k))
		return 0;
	if (m->index) {
		r = find_missing(k, a, &ecr_image, m->manifests,
		    m->n_manifests, &b);
	} else {
		r = find_missing(k, a, &ecr_blob, &m->config, 1, &b);
		if (r == 0)
			r = find_missing(k, a, &ecr_blob, m->layers,
			    m->n_layers, &b);
	}
	if (r)
		return err_trace(r);
	if (b.n == 0)
		return 0;
	*ret_missing = arena_span(a, buf_span(&b));
	return m->index ? REPO_E_NO_CHILDREN : REPO_E_NO_LAYERS;
}

static void
push_digests(struct arena *a, struct doc *arr, const struct descriptor *v,
    size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!doc_has_str(arr, v[i].digest))
			doc_push_str(a, arr, v[i].digest);
	}
}

static int
insert_image(const struct repo_key *k, struct arena *a,
    const struct repo_put *in)
{
	const struct manifest *m = in->manifest;
	struct res *r = res_new(a, &ecr_image, k->scope, k->name, in->digest);
	struct doc *blobs = doc_arr(a), *children = doc_arr(a);
	int e;

	if (m->index) {
		push_digests(a, children, m->manifests, m->n_manifests);
	} else {
		push_digests(a, blobs, &m->config, 1);
		push_digests(a, blobs, m->layers, m->n_layers);
	}
	doc_set_str(a, r->spec, "mediaType", m->media_type);
	if (m->artifact_type.n)
		doc_set_str(a, r->spec, "artifactType", m->artifact_type);
	doc_set_str(a, r->spec, "manifest", in->bytes);
	doc_set_int(a, r->spec, "manifestSize", (int64_t)in->bytes.n);
	doc_set_int(a, r->spec, "size", (int64_t)m->size);
	doc_set_time(a, r->spec, "pushedAt", clock_ms());
	if (m->subject.n)
		doc_set_str(a, r->spec, "subject", m->subject);
	doc_set(a, r->spec, "blobs", blobs);
	doc_set(a, r->spec, "children", children);
	e = store_insert(k->store, a, r);
	return e ? fold(e) : 0;
}

static int
set_tag(const struct repo_key *k, struct arena *a, const struct repo_put *in,
    struct repo_put_result *ret)
{
	struct res *tag, *repo;
	bool new = false;
	int r;

	if (in->tag.n == 0)
		return 0;
	r = get(k, a, &ecr_tag, in->tag, &tag);
	if (r < 0)
		return err_trace(r);
	if (r == 0 && span_eq(doc_get_str(tag->spec, "digest"), in->digest)) {
		ret->tag_existed = true;
		return 0;
	}
	if (r == 0 && !is_upstream(k)) {
		r = repo_get(k, a, &repo);
		if (r)
			return r;
		if (!repo_tag_mutable(repo, in->tag))
			return REPO_E_IMMUTABLE;
	} else if (r) {
		tag = res_new(a, &ecr_tag, k->scope, k->name, in->tag);
		new = true;
	}
	doc_set_str(a, tag->spec, "digest", in->digest);
	r = new ? store_insert(k->store, a, tag)
		: store_put_spec(k->store, tag);
	return r ? fold(r) : 0;
}

int
repo_put_image(const struct repo_key *k, struct arena *a,
    const struct repo_put *in, struct repo_put_result *ret)
{
	struct res *old;
	int r = 0;

	*ret = (struct repo_put_result){0};
	if (!is_upstream(k))
		r = repo_get(k, a, &old);
	if (r)
		return r;
	r = check_parts(k, a, in->manifest, &ret->missing);
	if (r)
		return r;
	r = get(k, a, &ecr_image, in->digest, &old);
	if (r < 0)
		return err_trace(r);
	ret->existed = r == 0;
	r = set_tag(k, a, in, ret);
	if (r || ret->existed)
		return r;
	return insert_image(k, a, in);
}

/* AWS: lastRecordedPullTime is updated at most once in 24 hours. */
#define PULL_TIME_MS (24 * 3600 * 1000LL)

int
repo_note_pull(const struct repo_key *k, struct arena *a, struct res *image)
{
	int64_t now = clock_ms();
	int r;

	if (now - doc_get_time(image->status, "lastPull") < PULL_TIME_MS)
		return 0;
	doc_set_time(a, image->status, "lastPull", now);
	r = store_put_status(k->store, image);
	return r ? fold(r) : 0;
}

static int
delete_all(const struct repo_key *k, struct arena *a, const struct kind *kind,
    const char *index, struct span value)
{
	struct res_list l;
	int r = list(k, a, kind, index, value, &l);

	for (size_t i = 0; r == 0 && i < l.n; i++) {
		r = store_delete(k->store, l.v[i]);
		if (r)
			r = fold(r);
	}
	return r;
}

int
repo_delete_image(const struct repo_key *k, struct arena *a,
    struct span digest, struct span *ret_missing)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct res_list parents;
	struct res *image;
	int r = get(k, a, &ecr_image, digest, &image);

	if (r == 0)
		r = list(k, a, &ecr_image, "spec.children", digest, &parents);
	if (r)
		return r;
	for (size_t i = 0; i < parents.n; i++) {
		if (i)
			buf_add_str(&b, ", ");
		buf_add_span(&b, parents.v[i]->id);
	}
	if (b.n) {
		*ret_missing = arena_span(a, buf_span(&b));
		return REPO_E_REFERENCED;
	}
	r = delete_all(k, a, &ecr_tag, "spec.digest", digest);
	if (r)
		return r;
	r = store_delete(k->store, image);
	return r ? fold(r) : 0;
}

int
repo_delete_tag(const struct repo_key *k, struct arena *a, struct span tag)
{
	struct res *t;
	int r = get(k, a, &ecr_tag, tag, &t);

	if (r)
		return r;
	r = store_delete(k->store, t);
	return r ? fold(r) : 0;
}

int
repo_delete(const struct repo_key *k, struct arena *a, bool force)
{
	static const struct kind *const kinds[] = {&ecr_tag, &ecr_image,
	    &ecr_blob, &ecr_upload};
	struct query q = {.kind = &ecr_image, .scope = k->scope,
	    .parent = k->name};
	struct res *repo;
	int64_t n;
	int r = repo_get(k, a, &repo);

	if (r)
		return r;
	n = store_count(k->store, &q);
	if (n < 0)
		return err_trace((int)n);
	if (n > 0 && !force)
		return REPO_E_NOT_EMPTY;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		r = delete_all(k, a, kinds[i], NULL, SPAN_NULL);
		if (r)
			return r;
	}
	r = store_delete(k->store, repo);
	return r ? fold(r) : 0;
}
