/* The link to the privileged process: requests out, replies and events in. */
#include <errno.h>
#include <unistd.h>

#include <uthash.h>

#include "base/err.h"
#include "base/list.h"
#include "base/log.h"
#include "drv/warden.h"

#define WARDEN_MAGIC 0x3a1d3e01u
#define READ_SIZE    (64u << 10)

struct call {
	uint64_t serial;
	warden_cb cb;
	void *ctx;
	bool too_long; /* never sent */
	UT_hash_handle hh; /* keeps the order of insertion */
};

struct listener {
	warden_event_cb cb;
	void *ctx;
};

struct warden {
	unsigned magic;
	uv_pipe_t pipe;
	uv_idle_t soon; /* calls that failed are answered from the loop */
	struct buf out; /* the frame being built */
	struct buf in;
	size_t at;
	bool open;
	bool lost;
	bool freed;
	int handles; /* libuv handles not yet closed */
	uint64_t serial;
	struct call *calls;
	struct listener events[2];
	warden_lost_cb on_lost;
	void *on_lost_ctx;
	void (*on_drained)(void *ctx);
	void *on_drained_ctx;
	uint64_t drained_at; /* the last request that is waited for */
};

struct write_req {
	uv_write_t req;
	struct warden *w;
	struct buf data;
};

static struct listener *
event_slot(struct warden *w, int type)
{
	AN(type >= WARDEN_EXIT &&
	    (size_t)(type - WARDEN_EXIT) < ARRAY_SIZE(w->events));
	return &w->events[type - WARDEN_EXIT];
}

/* Calls are kept in the order they were sent. */
static void
look_drained(struct warden *w)
{
	if (w->on_drained &&
	    (!w->calls || w->calls->serial > w->drained_at))
		TAKE_PTR(w->on_drained)(w->on_drained_ctx);
}

void
warden_drain(struct warden *w, void (*fn)(void *ctx), void *ctx)
{
	CHECK_OBJ(w, WARDEN_MAGIC);
	AN(w->calls);
	AZ(w->on_drained);
	w->on_drained = fn;
	w->on_drained_ctx = ctx;
	w->drained_at = w->serial;
}

/* All of them when the warden is gone, else those that were too long. */
static void
fail_calls(struct warden *w)
{
	struct call *c, *next;

	HASH_ITER(hh, w->calls, c, next) {
		struct msg_reader none = {.bad = true};

		if (!w->lost && !c->too_long)
			continue;
		HASH_DEL(w->calls, c);
		if (c->too_long)
			c->cb(c->ctx, -EMSGSIZE, SPAN("it is more than the "
			    "warden takes at once"), &none);
		else
			c->cb(c->ctx, -ECONNRESET, SPAN("the warden is gone"),
			    &none);
		free(c);
	}
	look_drained(w);
}

static void
on_soon(uv_idle_t *idle)
{
	struct warden *w;

	CAST_OBJ(w, idle->data, WARDEN_MAGIC);
	uv_idle_stop(idle);
	fail_calls(w);
}

static void
lose(struct warden *w)
{
	if (!w->lost) {
		w->lost = true;
		uv_read_stop((uv_stream_t *)&w->pipe);
		if (w->on_lost)
			w->on_lost(w->on_lost_ctx);
	}
	uv_idle_start(&w->soon, on_soon);
}

static void
take_reply(struct warden *w, uint64_t serial, struct msg_reader *m)
{
	struct call *c;
	uint32_t err = msg_u32(m);
	struct span why = msg_span(m);

	HASH_FIND(hh, w->calls, &serial, sizeof(serial), c);
	if (!c) {
		log_warn("warden: reply to unknown request %ju, ignoring",
		    (uintmax_t)serial);
		return;
	}
	HASH_DEL(w->calls, c);
	c->cb(c->ctx, m->bad ? -EBADMSG : -(int)err, why, m);
	free(c);
	look_drained(w);
}

static void
take_event(struct warden *w, uint16_t type, struct msg_reader *m)
{
	struct listener *l;

	if (type < WARDEN_EXIT ||
	    type >= WARDEN_EXIT + ARRAY_SIZE(w->events)) {
		log_warn("warden: unknown event %u, ignoring", type);
		return;
	}
	l = event_slot(w, type);
	if (l->cb)
		l->cb(l->ctx, m);
}

static void
take_frames(struct warden *w)
{
	struct span in = buf_span(&w->in);
	size_t had = in.n;
	struct msg_reader m;
	uint64_t serial;
	uint16_t type;
	int r;

	while (!w->freed && (r = msg_next(&in, &type, &serial, &m)) != 0) {
		if (r < 0) {
			lose(w);
			return;
		}
		if (type == WARDEN_REPLY)
			take_reply(w, serial, &m);
		else
			take_event(w, type, &m);
	}
	buf_drop(&w->in, had - in.n);
}

static void
on_alloc(uv_handle_t *h, size_t suggested UNUSED, uv_buf_t *ret)
{
	struct warden *w;

	CAST_OBJ(w, h->data, WARDEN_MAGIC);
	buf_reserve(&w->in, READ_SIZE);
	*ret = uv_buf_init(w->in.p + w->in.n, READ_SIZE);
}

static void
on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b UNUSED)
{
	struct warden *w;

	CAST_OBJ(w, s->data, WARDEN_MAGIC);
	if (n < 0) {
		lose(w);
		return;
	}
	w->in.n += (size_t)n;
	w->in.p[w->in.n] = '\0';
	take_frames(w);
}

static void
on_written(uv_write_t *req, int status)
{
	struct write_req *wr = container_of(req, struct write_req, req);

	if (status < 0 && !wr->w->freed)
		lose(wr->w);
	buf_done(&wr->data);
	free(wr);
}

int
warden_new(uv_loop_t *loop, int fd, struct warden **ret)
{
	struct warden *w;
	int r;

	ALLOC_OBJ(w, WARDEN_MAGIC);
	AZ(uv_pipe_init(loop, &w->pipe, 0));
	AZ(uv_idle_init(loop, &w->soon));
	w->handles = 2;
	w->pipe.data = w->soon.data = w;
	r = uv_pipe_open(&w->pipe, fd);
	if (r == 0)
		r = uv_read_start((uv_stream_t *)&w->pipe, on_alloc, on_read);
	if (r < 0) {
		warden_free(w);
		return err_origin(-r, "warden: descriptor %d", fd);
	}
	*ret = w;
	return 0;
}

static void
on_closed(uv_handle_t *h)
{
	struct warden *w;

	CAST_OBJ(w, h->data, WARDEN_MAGIC);
	if (--w->handles > 0)
		return;
	buf_done(&w->in);
	buf_done(&w->out);
	FREE_OBJ(w);
}

void
warden_free(struct warden *w)
{
	if (!w)
		return;
	CHECK_OBJ(w, WARDEN_MAGIC);
	AZ(w->freed);
	w->lost = true;
	fail_calls(w);
	w->freed = true;
	uv_close((uv_handle_t *)&w->pipe, on_closed);
	uv_close((uv_handle_t *)&w->soon, on_closed);
}

struct buf *
warden_begin(struct warden *w, enum warden_msg type)
{
	CHECK_OBJ(w, WARDEN_MAGIC);
	AZ(w->open);
	w->open = true;
	buf_clear(&w->out);
	w->at = msg_begin(&w->out, (uint16_t)type, ++w->serial);
	return &w->out;
}

void
warden_send(struct warden *w, warden_cb cb, void *ctx)
{
	struct write_req *wr;
	struct call *c;
	uv_buf_t b;

	CHECK_OBJ(w, WARDEN_MAGIC);
	AN(w->open);
	w->open = false;
	c = xcalloc(1, sizeof(*c));
	*c = (struct call){.serial = w->serial, .cb = cb, .ctx = ctx,
	    .too_long = !msg_fits(&w->out, w->at)};
	HASH_ADD(hh, w->calls, serial, sizeof(c->serial), c);
	if (w->lost) {
		lose(w);
		return;
	}
	if (c->too_long) {
		buf_done(&w->out);
		uv_idle_start(&w->soon, on_soon);
		return;
	}
	msg_end(&w->out, w->at);
	wr = xcalloc(1, sizeof(*wr));
	wr->w = w;
	wr->data = w->out;
	w->out = BUF_INIT;
	b = uv_buf_init(wr->data.p, (unsigned)wr->data.n);
	if (uv_write(&wr->req, (uv_stream_t *)&w->pipe, &b, 1, on_written) < 0) {
		buf_done(&wr->data);
		free(wr);
		lose(w);
	}
}

void
warden_on_event(struct warden *w, enum warden_msg type, warden_event_cb cb,
    void *ctx)
{
	CHECK_OBJ(w, WARDEN_MAGIC);
	*event_slot(w, (int)type) = (struct listener){cb, ctx};
}

void
warden_on_lost(struct warden *w, warden_lost_cb cb, void *ctx)
{
	CHECK_OBJ(w, WARDEN_MAGIC);
	w->on_lost = cb;
	w->on_lost_ctx = ctx;
}
