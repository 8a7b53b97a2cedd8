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
/* What goes to a thread at once; a session holds twice that at most, plus what
 * one call brings. */
#define PIECE (256u << 10)

enum job { JOB_WRITE, JOB_SYNC, JOB_SEAL };

struct upload {
	unsigned magic;
	UT_hash_handle hh;
	struct registry *registry;
	char *id;
	char *account, *region, *repo;
	int fd;		 /* while begun */
	bool busy;	 /* begun, or its last bytes are being written */
	bool ending, dropped; /* when the job at hand is done */
	uint64_t size;	 /* what was taken */
	struct buf fill; /* what was taken and no job has yet */
	int err;	 /* of a job: nothing more is taken */
	void (*room)(void *ctx);
	void *room_ctx;
	/* The job at hand, the thread's while it runs. */
	bool running;
	enum job job;
	uv_work_t work;
	struct buf data;
	uint64_t written, flushed; /* bytes of the file */
	EVP_MD_CTX *md;	 /* SHA-256 of those, or NULL: unknown */
	char *digest;	 /* to seal under */
	int result;
	/* What comes after it. */
	bool wanted;
	enum job want;
	upload_cb cb;
	void *cb_ctx;
};

static void job_start(struct upload *u, enum job job);

static void
upload_free(struct upload *u)
{
	CHECK_OBJ(u, UPLOAD_MAGIC);
	AZ(u->running);
	if (!u->dropped)
		HASH_DEL(u->registry->uploads, u);
	close_p(&u->fd);
	EVP_MD_CTX_free(u->md);
	buf_done(&u->fill);
	buf_done(&u->data);
	free(u->digest);
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
	struct query all = {.kind = &ecr_upload, .any_parent = true};
	int64_t n = store_count(g->store, &all);
	int r;

	if (n < 0)
		return err_trace((int)n);
	if (n >= UPLOADS_MAX)
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
		u->size = u->written = u->flushed = size;
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
upload_begin(struct upload *u, void (*room)(void *ctx), void *ctx)
{
	uint64_t size;
	int r;

	CHECK_OBJ(u, UPLOAD_MAGIC);
	if (u->busy)
		return UPLOAD_E_BUSY;
	if (u->registry->uploading >= UPLOADS_AT_ONCE)
		return UPLOAD_E_MANY;
	r = upload_file_open(u->registry->blobs, u->id, &u->fd, &size);
	if (r)
		return r < 0 ? err_trace(r)
			     : err_origin(ENOENT, "an upload lost its file");
	u->busy = true;
	u->ending = false;
	u->err = 0;
	u->room = room;
	u->room_ctx = ctx;
	u->registry->uploading++;
	return 0;
}

int
upload_write(struct upload *u, struct span p)
{
	CHECK_OBJ(u, UPLOAD_MAGIC);
	AN(u->busy);
	if (u->err)
		return u->err;
	buf_add_span(&u->fill, p);
	u->size += p.n;
	if (u->fill.n < PIECE)
		return 0;
	if (u->running)
		return UPLOAD_FULL;
	job_start(u, JOB_WRITE);
	return 0;
}

/* Nothing is on its way any more. */
static void
end_now(struct upload *u)
{
	u->busy = u->ending = false;
	u->registry->uploading--;
	close_p(&u->fd);
	buf_done(&u->fill);
	buf_done(&u->data);
}

void
upload_end(struct upload *u)
{
	CHECK_OBJ(u, UPLOAD_MAGIC);
	AN(u->busy);
	u->room = NULL;
	u->ending = true;
	if (u->running)
		return;
	if (u->fill.n && !u->err)
		job_start(u, JOB_WRITE);
	else
		end_now(u);
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
	u->room = NULL;
	if (u->running) {
		HASH_DEL(g->uploads, u);
		u->dropped = true;
		return;
	}
	if (u->busy)
		end_now(u);
	upload_free(u);
}

/* Work on a thread */

static int
write_all(int fd, struct span p)
{
	while (p.n > 0) {
		ssize_t n = write(fd, p.p, p.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_origin(errno, "cannot write an upload");
		p = span_from(p, (size_t)n);
	}
	return 0;
}

static int
job_write(struct upload *u)
{
	struct span p = buf_span(&u->data);
	int r = write_all(u->fd, p);

	if (r) {
		if (ftruncate(u->fd, (off_t)u->written))
			log_warn("cannot undo a write, ignoring");
		return r;
	}
	if (u->md)
		AN(EVP_DigestUpdate(u->md, p.p, p.n));
	u->written += p.n;
	if (u->written - u->flushed >= FLUSH_STEP) {
		(void)sync_file_range(u->fd, (off_t)u->flushed,
		    (off_t)(u->written - u->flushed), SYNC_FILE_RANGE_WRITE);
		u->flushed = u->written;
	}
	return 0;
}

static int
job_seal(struct upload *u)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *copy = u->md ? EVP_MD_CTX_new() : NULL;
	uint64_t size;

	if (copy) {
		AN(EVP_MD_CTX_copy_ex(copy, u->md) &&
		    EVP_DigestFinal_ex(copy, sum, NULL));
		EVP_MD_CTX_free(copy);
	}
	return blob_seal(u->registry->blobs, u->id, span_of(u->digest),
	    u->md ? sum : NULL, &size);
}

static void
job_run(uv_work_t *w)
{
	struct upload *u = w->data;

	u->result = u->err ? u->err : 0;
	if (u->result == 0 && u->data.n)
		u->result = job_write(u);
	if (u->result)
		return;
	switch (u->job) {
	case JOB_WRITE:
		break;
	case JOB_SYNC:
		u->result = upload_file_sync(u->registry->blobs, u->id);
		break;
	case JOB_SEAL:
		u->result = job_seal(u);
		break;
	}
}

/* After a piece was written: what was asked for meanwhile. */
static void
job_next(struct upload *u)
{
	void (*room)(void *ctx) = u->room;

	if (u->dropped) {
		end_now(u);
		upload_free(u);
	} else if (u->wanted) {
		u->wanted = false;
		job_start(u, u->want);
	} else if (u->ending && (u->err || !u->fill.n)) {
		end_now(u);
	} else if (u->ending || (!u->err && u->fill.n >= PIECE)) {
		job_start(u, JOB_WRITE);
	}
	/* An error is told with the next bytes. */
	if (room)
		room(u->room_ctx);
}

static void
job_done(uv_work_t *w, int status UNUSED)
{
	struct upload *u;

	CAST_OBJ(u, w->data, UPLOAD_MAGIC);
	u->running = false;
	u->registry->jobs--;
	u->registry->sealing -= u->job == JOB_SEAL;
	buf_clear(&u->data);
	if (u->result < 0) {
		u->err = u->result;
		u->size = u->written;
		buf_clear(&u->fill);
	}
	if (u->job == JOB_WRITE) {
		job_next(u);
		return;
	}
	u->cb(u->cb_ctx, u->result);
}

static void
job_start(struct upload *u, enum job job)
{
	struct buf empty = u->data;

	u->data = u->fill;
	u->fill = empty;
	u->job = job;
	u->running = true;
	u->work.data = u;
	u->registry->jobs++;
	u->registry->sealing += job == JOB_SEAL;
	AZ(uv_queue_work(u->registry->loop, &u->work, job_run, job_done));
}

static void
job_finish(struct upload *u, enum job job, upload_cb cb, void *ctx)
{
	CHECK_OBJ(u, UPLOAD_MAGIC);
	AN(u->busy);
	u->room = NULL;
	u->cb = cb;
	u->cb_ctx = ctx;
	u->want = job;
	u->wanted = u->running;
	if (!u->running)
		job_start(u, job);
}

void
upload_sync(struct upload *u, upload_cb cb, void *ctx)
{
	job_finish(u, JOB_SYNC, cb, ctx);
}

void
upload_seal(struct upload *u, struct span digest, upload_cb cb, void *ctx)
{
	free(u->digest);
	u->digest = xstrndup(digest.p, digest.n);
	job_finish(u, JOB_SEAL, cb, ctx);
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
