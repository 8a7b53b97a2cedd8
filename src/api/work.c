/* Long work of a call, on a thread. */
#include "api/internal.h"

#define WORK_MAGIC 0x574f524b

struct work {
	unsigned magic;
	uv_work_t uv;
	struct call *call;
	void (*work)(void *ctx);
	struct reply *(*done)(void *ctx);
	void *ctx;
};

static void
work_run(uv_work_t *uv)
{
	struct work *w = uv->data;

	w->work(w->ctx);
}

static struct reply *
conclude(struct work *w)
{
	struct store *s = w->call->store;
	int err = store_savepoint(s);
	struct reply *r;

	if (err < 0)
		return reply_failure(w->call, err);
	r = w->done(w->ctx);
	CHECK_OBJ(r, REPLY_MAGIC);
	if (r->kind == REPLY_ERROR)
		store_rollback(s);
	else
		store_release(s);
	return r;
}

static void
work_done(uv_work_t *uv, int status UNUSED)
{
	struct work *w;

	CAST_OBJ(w, uv->data, WORK_MAGIC);
	w->call->api->jobs--;
	call_finish(w->call, conclude(w));
	FREE_OBJ(w);
}

struct reply *
reply_after(struct call *c, void (*work)(void *ctx),
    struct reply *(*done)(void *ctx), void *ctx)
{
	struct reply *r = reply_later(c);
	struct work *w;

	ALLOC_OBJ(w, WORK_MAGIC);
	w->uv.data = w;
	w->call = c;
	w->work = work;
	w->done = done;
	w->ctx = ctx;
	c->api->jobs++;
	AN(c->api->config.loop);
	AZ(uv_queue_work(c->api->config.loop, &w->uv, work_run, work_done));
	return r;
}

void
api_drain(struct api *api)
{
	CHECK_OBJ(api, API_MAGIC);
	while (api->jobs)
		uv_run(api->config.loop, UV_RUN_ONCE);
}
