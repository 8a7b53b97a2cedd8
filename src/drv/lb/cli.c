/* HAProxy's runtime API, one connection for each line. */
#include <errno.h>

#include "base/buf.h"
#include "base/list.h"
#include "drv/lb/cli.h"

#define CLI_MAGIC  0x7c11c11eu
#define WORD_MAGIC 0x7c11a5cdu
#define ANSWER_MAX (8u << 20)
#define LIMIT_MS   5000

struct cli {
	unsigned magic;
	uv_loop_t *loop;
	char *path;
	struct list words;	/* waiting; the first is under way if busy */
	struct word *busy;
};

struct word {
	unsigned magic;
	struct list in;
	struct cli *cli;	/* NULL once answered */
	char *line;
	cli_cb cb;
	void *ctx;
	uv_pipe_t pipe;
	uv_timer_t limit;
	uv_connect_t connect;
	uv_write_t write;
	struct buf answer;
	int handles;		/* open ones; the word ends with the last */
};

static void cli_next(struct cli *c);

static void
word_free(struct word *w)
{
	buf_done(&w->answer);
	free(w->line);
	FREE_OBJ(w);
}

static void
on_closed(uv_handle_t *h)
{
	struct word *w;

	CAST_OBJ(w, h->data, WORD_MAGIC);
	if (--w->handles == 0)
		word_free(w);
}

/* Answers once; what libuv still says afterwards is not listened to.  The
 * callback is last: it may send more, or free the client. */
static void
word_end(struct word *w, int err)
{
	struct cli *c = w->cli;
	bool open;

	if (!c)
		return;
	w->cli = NULL;
	list_del(&w->in);
	open = c->busy == w;
	if (open) {
		c->busy = NULL;
		cli_next(c);
	}
	w->cb(w->ctx, err, buf_span(&w->answer));
	if (open) {
		uv_close((uv_handle_t *)&w->pipe, on_closed);
		uv_close((uv_handle_t *)&w->limit, on_closed);
	} else {
		word_free(w);
	}
}

static void
on_alloc(uv_handle_t *h, size_t n, uv_buf_t *ret)
{
	struct word *w;

	CAST_OBJ(w, h->data, WORD_MAGIC);
	buf_reserve(&w->answer, n);
	*ret = uv_buf_init(w->answer.p + w->answer.n,
	    (unsigned)(w->answer.cap - w->answer.n - 1));
}

static void
on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b UNUSED)
{
	struct word *w;

	CAST_OBJ(w, s->data, WORD_MAGIC);
	if (n > 0) {
		w->answer.n += (size_t)n;
		w->answer.p[w->answer.n] = '\0';
		if (w->answer.n > ANSWER_MAX)
			word_end(w, -EMSGSIZE);
	} else if (n < 0) {
		word_end(w, n == UV_EOF ? 0 : (int)n);
	}
}

static void
on_written(uv_write_t *r, int status)
{
	struct word *w;

	CAST_OBJ(w, r->data, WORD_MAGIC);
	if (status < 0)
		word_end(w, status);
}

static void
on_connected(uv_connect_t *r, int status)
{
	struct word *w;
	uv_buf_t b;

	CAST_OBJ(w, r->data, WORD_MAGIC);
	if (!w->cli)
		return;
	if (status < 0) {
		word_end(w, status);
		return;
	}
	b = uv_buf_init(w->line, (unsigned)strlen(w->line));
	w->write.data = w;
	status = uv_write(&w->write, (uv_stream_t *)&w->pipe, &b, 1,
	    on_written);
	if (!status)
		status = uv_read_start((uv_stream_t *)&w->pipe, on_alloc,
		    on_read);
	if (status)
		word_end(w, status);
}

static void
on_limit(uv_timer_t *t)
{
	struct word *w;

	CAST_OBJ(w, t->data, WORD_MAGIC);
	word_end(w, -ETIMEDOUT);
}

static void
cli_next(struct cli *c)
{
	struct word *w;

	if (c->busy || list_empty(&c->words))
		return;
	w = c->busy = list_entry(c->words.next, struct word, in);
	AZ(uv_pipe_init(c->loop, &w->pipe, 0));
	AZ(uv_timer_init(c->loop, &w->limit));
	w->pipe.data = w->limit.data = w->connect.data = w;
	w->handles = 2;
	uv_timer_start(&w->limit, on_limit, LIMIT_MS, 0);
	uv_pipe_connect(&w->connect, &w->pipe, c->path, on_connected);
}

struct cli *
cli_new(uv_loop_t *loop, const char *path)
{
	struct cli *c;

	ALLOC_OBJ(c, CLI_MAGIC);
	c->loop = loop;
	c->path = xstrdup(path);
	list_init(&c->words);
	return c;
}

void
cli_send(struct cli *c, const char *line, cli_cb cb, void *ctx)
{
	struct word *w;

	CHECK_OBJ(c, CLI_MAGIC);
	ALLOC_OBJ(w, WORD_MAGIC);
	w->cli = c;
	w->line = xasprintf("%s\n", line);
	w->cb = cb;
	w->ctx = ctx;
	list_add(&c->words, &w->in);
	cli_next(c);
}

void
cli_free(struct cli *c)
{
	if (!c)
		return;
	CHECK_OBJ(c, CLI_MAGIC);
	/* The last first, so that none is started only to be ended. */
	while (!list_empty(&c->words))
		word_end(list_entry(c->words.prev, struct word, in),
		    -ECANCELED);
	free(c->path);
	FREE_OBJ(c);
}
