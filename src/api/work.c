/* Long work of a call, on a thread. */
#include "api/internal.h"

#define WORK_MAGIC 0x574f524b

struct work {
	unsigned magic;
	uv_work_t uv;
	struct api *api;
	void (*work)(void *ctx);
	void (*done)(void *ctx);
	void *ctx;
};

static void
work_run(uv_work_t *uv)
{
	struct work *w = uv->data;

	w->work(w->ctx);
}

static void
work_done(uv_work_t *uv, int status UNUSED)
{
	struct work *w;

	CAST_OBJ(w, uv->data, WORK_MAGIC);
	w->api->jobs--;
	w->done(w->ctx);
	FREE_OBJ(w);
}

void
call_work(struct call *c, void (*work)(void *ctx), void (*done)(void *ctx),
    void *ctx)
{
	struct work *w;

	ALLOC_OBJ(w, WORK_MAGIC);
	w->uv.data = w;
	w->api = c->api;
	w->work = work;
	w->done = done;
	w->ctx = ctx;
	c->api->jobs++;
	AN(c->api->config.loop);
	AZ(uv_queue_work(c->api->config.loop, &w->uv, work_run, work_done));
}

void
api_drain(struct api *api)
{
	CHECK_OBJ(api, API_MAGIC);
	while (api->jobs)
		uv_run(api->config.loop, UV_RUN_ONCE);
}
