/* The connection to neargated: requests in, one reply to each, events. */
#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "warden/link.h"

#define LINK_MAGIC    0x11742e01u
#define REQUEST_MAGIC 0x4e90e571u
#define READ_SIZE     (64u << 10)
/* A peer that asks and does not read is lost. */
#define MAX_UNREAD    (64u << 20)

struct link {
	unsigned magic;
	struct host *host;
	uv_pipe_t pipe;
	struct buf in;
	struct buf event;
	size_t event_at;
	link_lost_cb on_lost;
	bool lost, heard;
	struct list requests; /* not answered yet */
};

struct request {
	unsigned magic;
	struct link *link; /* NULL: the one who asked is gone */
	struct list node;
	struct arena *arena;
	uint64_t serial;
	struct buf out;
	size_t at;
};

struct write_req {
	uv_write_t req;
	struct buf data;
};

static void
lose(struct link *l)
{
	if (l->lost)
		return;
	l->lost = true;
	uv_read_stop((uv_stream_t *)&l->pipe);
	l->on_lost(l->host);
}

static void
on_written(uv_write_t *req, int status UNUSED)
{
	struct write_req *wr = container_of(req, struct write_req, req);

	/* A peer that is gone shows when we read, too. */
	buf_done(&wr->data);
	free(wr);
}

/* Takes data over. */
static void
link_send(struct link *l, struct buf *data)
{
	struct write_req *wr = xcalloc(1, sizeof(*wr));
	uv_buf_t b;

	if (uv_stream_get_write_queue_size((uv_stream_t *)&l->pipe) > MAX_UNREAD)
		lose(l);
	wr->data = *data;
	*data = BUF_INIT;
	b = uv_buf_init(wr->data.p, (unsigned)wr->data.n);
	if (l->lost || uv_write(&wr->req, (uv_stream_t *)&l->pipe, &b, 1,
			   on_written) < 0) {
		buf_done(&wr->data);
		free(wr);
	}
}

struct arena *
request_arena(struct request *q)
{
	CHECK_OBJ(q, REQUEST_MAGIC);
	return q->arena;
}

static void
request_free(struct request *q)
{
	list_del(&q->node);
	buf_done(&q->out);
	arena_free(q->arena);
	FREE_OBJ(q);
}

static void
reply_begin(struct request *q, uint32_t err, struct span why)
{
	CHECK_OBJ(q, REQUEST_MAGIC);
	AZ(q->out.n);
	q->at = msg_begin(&q->out, WARDEN_REPLY, q->serial);
	msg_put_u32(&q->out, err);
	msg_put_span(&q->out, why);
}

struct buf *
request_begin(struct request *q)
{
	reply_begin(q, 0, SPAN_NULL);
	return &q->out;
}

void
request_end(struct request *q)
{
	CHECK_OBJ(q, REQUEST_MAGIC);
	msg_end(&q->out, q->at);
	if (q->link)
		link_send(q->link, &q->out);
	request_free(q);
}

void
request_ok(struct request *q)
{
	request_begin(q);
	request_end(q);
}

void
request_fail(struct request *q, int err, const char *fmt, ...)
{
	_cleanup_(buf_done) struct buf why = BUF_INIT;
	va_list ap;

	AN(err > 0);
	va_start(ap, fmt);
	buf_vaddf(&why, fmt, ap);
	va_end(ap);
	reply_begin(q, (uint32_t)err, buf_span(&why));
	request_end(q);
}

struct buf *
host_event_begin(struct host *h, enum warden_msg type)
{
	static struct buf nowhere;

	if (!h->link) {
		buf_clear(&nowhere);
		return &nowhere;
	}
	h->link->event_at = msg_begin(&h->link->event, (uint16_t)type, 0);
	return &h->link->event;
}

void
host_event_end(struct host *h)
{
	if (!h->link)
		return;
	msg_end(&h->link->event, h->link->event_at);
	link_send(h->link, &h->link->event);
}

static const struct host_op *
find_op(uint16_t type)
{
	for (const struct host_part *const *p = host_parts; *p; p++)
		for (size_t i = 0; i < (*p)->n_ops; i++)
			if ((*p)->ops[i].type == (enum warden_msg)type)
				return &(*p)->ops[i];
	return NULL;
}

static int
dispatch(struct link *l, uint16_t type, uint64_t serial, struct msg_reader *m)
{
	const struct host_op *op = find_op(type);
	struct request *q;
	int r;

	if (!op)
		return err_origin(EBADMSG, "request of unknown type %u", type);
	l->heard = true;
	ALLOC_OBJ(q, REQUEST_MAGIC);
	q->link = l;
	q->serial = serial;
	q->arena = arena_new();
	list_add(&l->requests, &q->node);
	r = op->run(l->host, q, m);
	if (r < 0) {
		request_free(q);
		return err_origin(EBADMSG, "%s does not decode", op->name);
	}
	return 0;
}

static void
take_frames(struct link *l)
{
	struct span in = buf_span(&l->in);
	size_t had = in.n;
	struct msg_reader m;
	uint64_t serial;
	uint16_t type;
	int r;

	while (!l->lost && (r = msg_next(&in, &type, &serial, &m)) != 0)
		if (r < 0 || dispatch(l, type, serial, &m) < 0)
			lose(l);
	buf_drop(&l->in, had - in.n);
}

static void
on_alloc(uv_handle_t *h, size_t suggested UNUSED, uv_buf_t *ret)
{
	struct link *l;

	CAST_OBJ(l, h->data, LINK_MAGIC);
	buf_reserve(&l->in, READ_SIZE);
	*ret = uv_buf_init(l->in.p + l->in.n, READ_SIZE);
}

static void
on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b UNUSED)
{
	struct link *l;

	CAST_OBJ(l, s->data, LINK_MAGIC);
	if (n < 0) {
		lose(l);
		return;
	}
	l->in.n += (size_t)n;
	take_frames(l);
}

int
link_new(struct host *h, int fd, link_lost_cb on_lost)
{
	struct link *l;
	int r;

	AZ(h->link);
	ALLOC_OBJ(l, LINK_MAGIC);
	l->host = h;
	l->on_lost = on_lost;
	list_init(&l->requests);
	AZ(uv_pipe_init(h->loop, &l->pipe, 0));
	l->pipe.data = l;
	h->link = l;
	r = uv_pipe_open(&l->pipe, fd);
	if (r < 0)
		close(fd);
	else
		r = uv_read_start((uv_stream_t *)&l->pipe, on_alloc, on_read);
	if (r < 0) {
		link_free(l);
		return err_origin(-r, "the socket pair");
	}
	return 0;
}

bool
link_heard(const struct link *l)
{
	CHECK_OBJ(l, LINK_MAGIC);
	return l->heard;
}

static void
on_closed(uv_handle_t *h)
{
	struct link *l;

	CAST_OBJ(l, h->data, LINK_MAGIC);
	buf_done(&l->in);
	buf_done(&l->event);
	FREE_OBJ(l);
}

void
link_free(struct link *l)
{
	if (!l)
		return;
	CHECK_OBJ(l, LINK_MAGIC);
	l->lost = true;
	l->host->link = NULL;
	/* What is under way goes on; nobody hears its answer. */
	list_each_safe(it, &l->requests) {
		list_entry(it, struct request, node)->link = NULL;
		list_del(it);
	}
	uv_close((uv_handle_t *)&l->pipe, on_closed);
}
