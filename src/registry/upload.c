/* Upload sessions: files that grow, are hashed on the way, and get sealed. */
#include "registry/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "base/log.h"

#define UPLOAD_MAGIC 0x75706c64
/* Written bytes are pushed towards the disk in such steps, so that the sync
 * at the end has little left to wait for. */
#define FLUSH_STEP (8u << 20)

struct upload {
	unsigned magic;
	UT_hash_handle hh;
	struct registry *registry;
	char *id;
	char *account, *region, *repo;
	int fd;		 /* while begun */
	bool busy;
	uint64_t size;
	uint64_t flushed;
	EVP_MD_CTX *md;	 /* SHA-256 of all of it, or NULL: unknown */
};

static void
upload_free(struct upload *u)
{
	CHECK_OBJ(u, UPLOAD_MAGIC);
	HASH_DEL(u->registry->uploads, u);
	close_p(&u->fd);
	EVP_MD_CTX_free(u->md);
	free(u->id);
	free(u->account);
	free(u->region);
	free(u->repo);
	FREE_OBJ(u);
}

static struct upload *
upload_new(struct registry *g, const struct repo_key *k, struct span id)
{
	struct upload *u;

	ALLOC_OBJ(u, UPLOAD_MAGIC);
	u->registry = g;
	u->fd = -1;
	u->id = xstrndup(id.p, id.n);
	u->account = xstrndup(k->scope.account.p, k->scope.account.n);
	u->region = xstrndup(k->scope.region.p ? k->scope.region.p : "",
	    k->scope.region.n);
	u->repo = xstrndup(k->name.p, k->name.n);
	HASH_ADD_KEYPTR(hh, g->uploads, u->id, strlen(u->id), u);
	return u;
}

static bool
upload_is(const struct upload *u, const struct repo_key *k)
{
	return span_is(k->scope.account, u->account) &&
	    span_is(k->scope.region, u->region) && span_is(k->name, u->repo);
}

int
upload_start(struct registry *g, const struct repo_key *k, struct arena *a,
    struct upload **ret)
{
	struct span id = span_of(id_uuid(a));
	struct res *row;
	struct upload *u;
	int r;

	if (HASH_COUNT(g->uploads) >= UPLOADS_MAX)
		return UPLOAD_E_MANY;
	r = upload_file_create(g->blobs, id.p);
	if (r)
		return err_trace(r);
	row = res_new(a, &ecr_upload, k->scope, k->name, id);
	r = store_insert(g->store, a, row);
	if (r) {
		upload_file_remove(g->blobs, id.p);
		return r < 0 ? err_trace(r) : err_fold(r);
	}
	u = upload_new(g, k, id);
	u->md = EVP_MD_CTX_new();
	AN(u->md && EVP_DigestInit_ex(u->md, EVP_sha256(), NULL));
	*ret = u;
	return 0;
}

int
upload_find(struct registry *g, const struct repo_key *k, struct arena *a,
    struct span id, struct upload **ret)
{
	_cleanup_close_ int fd = -1;
	struct upload *u;
	struct res *row;
	uint64_t size;
	int r;

	HASH_FIND(hh, g->uploads, id.p, id.n, u);
	if (u && !upload_is(u, k))
		return UPLOAD_E_NONE;
	/* The row decides: a deleted repository takes its uploads along. */
	r = store_get(g->store, a, &ecr_upload, k->scope, k->name, id, &row);
	if (r == STORE_E_NOT_FOUND)
		return UPLOAD_E_NONE;
	if (r)
		return r < 0 ? err_trace(r) : err_fold(r);
	if (!u) {
		r = upload_file_open(g->blobs, arena_str(a, row->id), &fd,
		    &size);
		if (r)
			return r < 0 ? err_trace(r) : UPLOAD_E_NONE;
		u = upload_new(g, k, id);
		u->size = u->flushed = size;
	}
	*ret = u;
	return 0;
}

const char *
upload_id(const struct upload *u)
{
	CHECK_OBJ(u, UPLOAD_MAGIC);
	return u->id;
}

uint64_t
upload_size(const struct upload *u)
{
	CHECK_OBJ(u, UPLOAD_MAGIC);
	return u->size;
}

int
upload_begin(struct upload *u)
{
	uint64_t size;
	int r;

	CHECK_OBJ(u, UPLOAD_MAGIC);
	if (u->busy)
		return UPLOAD_E_BUSY;
	r = upload_file_open(u->registry->blobs, u->id, &u->fd, &size);
	if (r)
		return r < 0 ? err_trace(r)
			     : err_origin(ENOENT, "an upload lost its file");
	u->busy = true;
	return 0;
}

int
upload_write(struct upload *u, struct span p)
{
	size_t done = 0;

	CHECK_OBJ(u, UPLOAD_MAGIC);
	AN(u->busy);
	while (done < p.n) {
		ssize_t n = write(u->fd, p.p + done, p.n - done);
		int e = errno;

		if (n < 0 && e == EINTR)
			continue;
		if (n < 0) {
			if (ftruncate(u->fd, (off_t)u->size))
				log_warn("cannot undo a write, ignoring");
			return err_origin(e, "cannot write an upload");
		}
		done += (size_t)n;
	}
	if (u->md)
		AN(EVP_DigestUpdate(u->md, p.p, p.n));
	u->size += p.n;
	if (u->size - u->flushed >= FLUSH_STEP) {
		(void)sync_file_range(u->fd, (off_t)u->flushed,
		    (off_t)(u->size - u->flushed), SYNC_FILE_RANGE_WRITE);
		u->flushed = u->size;
	}
	return 0;
}

void
upload_end(struct upload *u)
{
	CHECK_OBJ(u, UPLOAD_MAGIC);
	u->busy = false;
	close_p(&u->fd);
}

void
upload_drop(struct registry *g, struct upload *u, struct arena *a)
{
	struct scope scope = {span_of(u->account), span_of(u->region)};
	struct res *row;

	CHECK_OBJ(u, UPLOAD_MAGIC);
	/* A row that stays although its file is gone is found when it is
	 * used or expires. */
	if (store_get(g->store, a, &ecr_upload, scope, span_of(u->repo),
		span_of(u->id), &row) == 0 && store_delete(g->store, row))
		log_warn("cannot forget upload %s, ignoring", u->id);
	upload_file_remove(g->blobs, u->id);
	upload_free(u);
}

/* Work on a thread */

struct job {
	uv_work_t work;
	struct registry *g;
	struct upload *u;
	char *digest;	/* NULL: only sync */
	bool hashed;
	unsigned char sum[EVP_MAX_MD_SIZE];
	upload_cb cb;
	void *ctx;
	int r;
};

static void
job_run(uv_work_t *w)
{
	struct job *j = w->data;
	uint64_t size;

	if (!j->digest)
		j->r = upload_file_sync(j->g->blobs, j->u->id);
	else
		j->r = blob_seal(j->g->blobs, j->u->id, span_of(j->digest),
		    j->hashed ? j->sum : NULL, &size);
}

static void
job_done(uv_work_t *w, int status UNUSED)
{
	struct job *j = w->data;

	j->g->jobs--;
	j->cb(j->ctx, j->r);
	free(j->digest);
	free(j);
}

static void
job_start(struct registry *g, struct upload *u, struct span digest,
    upload_cb cb, void *ctx)
{
	struct job *j = xcalloc(1, sizeof(*j));
	EVP_MD_CTX *copy;

	CHECK_OBJ(u, UPLOAD_MAGIC);
	AN(u->busy);
	*j = (struct job){.work.data = j, .g = g, .u = u, .cb = cb,
	    .ctx = ctx};
	if (digest.p)
		j->digest = xstrndup(digest.p, digest.n);
	if (digest.p && u->md) {
		copy = EVP_MD_CTX_new();
		AN(copy && EVP_MD_CTX_copy_ex(copy, u->md) &&
		    EVP_DigestFinal_ex(copy, j->sum, NULL));
		EVP_MD_CTX_free(copy);
		j->hashed = true;
	}
	g->jobs++;
	AZ(uv_queue_work(g->loop, &j->work, job_run, job_done));
}

void
upload_sync(struct registry *g, struct upload *u, upload_cb cb, void *ctx)
{
	job_start(g, u, SPAN_NULL, cb, ctx);
}

void
upload_seal(struct registry *g, struct upload *u, struct span digest,
    upload_cb cb, void *ctx)
{
	job_start(g, u, digest, cb, ctx);
}

/* Expiry */

struct expire {
	struct registry *g;
	struct arena *a;
	int64_t before;
};

static int
expire_file(void *ctx, const char *id, int64_t mtime_ms)
{
	struct expire *e = ctx;
	struct upload *u;

	HASH_FIND(hh, e->g->uploads, id, strlen(id), u);
	if ((u && u->busy) || mtime_ms >= e->before)
		return 0;
	if (u)
		upload_drop(e->g, u, e->a);
	else
		upload_file_remove(e->g->blobs, id);
	return 0;
}

/* Rows whose file is gone.  A fresh file comes before its row. */
static int
expire_rows(struct expire *e)
{
	struct query q = {.kind = &ecr_upload, .any_parent = true};
	struct res_list l;
	struct upload *u;
	uint64_t size;
	int r = store_list(e->g->store, e->a, &q, &l);

	for (size_t i = 0; r == 0 && i < l.n; i++) {
		_cleanup_close_ int fd = -1;

		HASH_FIND(hh, e->g->uploads, l.v[i]->id.p, l.v[i]->id.n, u);
		if (u)
			continue;
		r = upload_file_open(e->g->blobs,
		    arena_str(e->a, l.v[i]->id), &fd, &size);
		if (r == BLOB_E_NONE)
			r = store_delete(e->g->store, l.v[i]);
	}
	return r;
}

void
uploads_expire(struct registry *g, bool all)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct expire e = {g, a,
	    all ? INT64_MAX : clock_ms() - UPLOAD_LIFE_MS};
	int r = uploads_each(g->blobs, expire_file, &e);

	if (r == 0)
		r = expire_rows(&e);
	if (r)
		log_warn("cannot clear out old uploads, ignoring");
}

void
uploads_done(struct registry *g)
{
	struct upload *u, *next;

	HASH_ITER(hh, g->uploads, u, next)
		upload_free(u);
}

unsigned
uploads_count(const struct registry *g)
{
	return HASH_COUNT(g->uploads);
}
