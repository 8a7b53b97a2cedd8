/* Bodies that go to a file, on a thread, before their handler runs. */
#include "api/body.h"

#include <errno.h>
#include <openssl/evp.h>
#include <unistd.h>

#include "base/log.h"
#include "store/files.h"

#define BODY_MAGIC 0x424f4459
/* What goes to the thread at once. */
#define PIECE	   (256u << 10)

struct body {
	unsigned magic;
	struct arena *arena; /* the thread's while it runs */
	struct api *api;
	struct wire_in in;   /* headers alone */
	struct sigv4 sig;
	struct payload *payload;
	EVP_MD_CTX *md5;
	struct checksum *sum;
	struct call_body result;
	int fd;
	struct buf fill; /* what came and the thread has not got */
	struct buf data; /* the thread's while it runs */
	uv_work_t work;
	bool running;
	bool last;    /* the thread has the end */
	bool ended;   /* all bytes came */
	bool dropped; /* nobody waits for it any more */
	int err;      /* 0, WIRE_E_REFUSED or negative */
	struct wire_error refusal;
	void (*cb)(void *ctx); /* room, or done */
	void *cb_ctx;
};

static int
write_all(int fd, struct span p)
{
	while (p.n > 0) {
		ssize_t n = write(fd, p.p, p.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_origin(errno, "cannot write a body");
		p = span_from(p, (size_t)n);
	}
	return 0;
}

static int
too_large(struct body *b)
{
	b->refusal = (struct wire_error){.status = 400,
	    .code = SPAN("EntityTooLarge"), .message = SPAN("Your proposed "
	    "upload exceeds the maximum allowed size")};
	return WIRE_E_REFUSED;
}

/* On the thread: a piece of the body itself. */
static bool
take(void *ctx, struct span piece)
{
	struct body *b = ctx;

	AN(EVP_DigestUpdate(b->md5, piece.p, piece.n));
	checksum_add(b->sum, piece);
	b->result.size += (int64_t)piece.n;
	if (b->result.size > BODY_FILE_MAX)
		b->err = too_large(b);
	else
		b->err = write_all(b->fd, piece);
	return b->err == 0;
}

/* The kind of sum that the client sent, asked for, or gets. */
static void
choose_sum(struct body *b)
{
	struct span trailer = span_trim(wire_header_get(&b->in,
	    "x-amz-trailer"));
	struct span asked = wire_header_get(&b->in,
	    "x-amz-sdk-checksum-algorithm");
	struct call_body *o = &b->result;

	o->kind = CHECKSUM_CRC64NVME;
	o->claimed = checksum_kind_of_header(trailer, &o->kind);
	for (size_t i = 0; i < b->in.n_headers && !o->claimed; i++)
		o->claimed = checksum_kind_of_header(b->in.headers[i].name,
		    &o->kind);
	for (int k = 0; k < CHECKSUM_KINDS && !o->claimed; k++) {
		if (!span_ieq(asked, checksum_label((enum checksum_kind)k)))
			continue;
		o->kind = (enum checksum_kind)k;
		o->claimed = true;
	}
}

static void
copy_claim(struct body *b, const struct wire_in *in, const struct sigv4 *sig)
{
	struct span *v[] = {&b->sig.access_key, &b->sig.date, &b->sig.region,
	    &b->sig.service, &b->sig.scope, &b->sig.amz_date,
	    &b->sig.signed_headers, &b->sig.signature, &b->sig.token,
	    &b->sig.payload};
	struct wire_header *h = arena_array(b->arena, struct wire_header,
	    in->n_headers + 1);

	b->sig = *sig;
	for (size_t i = 0; i < ARRAY_SIZE(v); i++)
		if (v[i]->p)
			*v[i] = arena_span(b->arena, *v[i]);
	for (size_t i = 0; i < in->n_headers; i++) {
		h[i].name = arena_span(b->arena, in->headers[i].name);
		h[i].value = arena_span(b->arena, in->headers[i].value);
	}
	b->in = (struct wire_in){.headers = h, .n_headers = in->n_headers};
}

/* What was said of a body outlives it. */
static void
keep_refusal(struct arena *a, const struct wire_error *e,
    struct wire_error *ret)
{
	*ret = *e;
	ret->code = arena_span(a, e->code);
	ret->message = arena_span(a, e->message);
}

int
body_new(struct api *api, struct arena *a, const struct wire_in *in,
    const struct sigv4 *sig, struct span secret, struct body **ret,
    struct wire_error *ret_err)
{
	struct wire_error e = {0};
	struct payload_config config = {.sink = take};
	struct body *b;
	int r;

	ALLOC_OBJ(b, BODY_MAGIC);
	b->arena = config.arena = arena_new();
	config.secret = arena_span(b->arena, secret);
	b->api = api;
	b->fd = -1;
	copy_claim(b, in, sig);
	config.in = &b->in;
	config.sig = &b->sig;
	config.ctx = b;
	r = payload_new(&config, &b->payload, &e);
	if (r == 0)
		r = files_create(api->config.files, b->arena, &b->result.id,
		    &b->fd);
	if (r) {
		keep_refusal(a, &e, ret_err);
		body_free(b);
		return r;
	}
	choose_sum(b);
	b->md5 = EVP_MD_CTX_new();
	AN(b->md5);
	AN(EVP_DigestInit_ex(b->md5, EVP_md5(), NULL));
	b->sum = checksum_new(b->result.kind);
	*ret = b;
	return 0;
}

/* On the thread */

static void
finish(struct body *b)
{
	unsigned char md5[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if ((b->err = payload_end(b->payload, &b->refusal)))
		return;
	AN(EVP_DigestFinal_ex(b->md5, md5, &n));
	b->result.md5 = arena_span(b->arena, span_make((char *)md5, n));
	b->result.sum = checksum_text(b->sum, b->arena);
	b->err = files_seal(b->api->config.files, b->fd);
}

static void
job_run(uv_work_t *w)
{
	struct body *b = w->data;
	struct wire_error e = {0};

	if (b->data.n && payload_feed(b->payload, buf_span(&b->data), &e) &&
	    !b->err) {
		b->err = WIRE_E_REFUSED;
		b->refusal = e;
	}
	if (b->last && !b->err)
		finish(b);
}

/* On the loop */

static void job_start(struct body *b);

static void
job_done(uv_work_t *w, int status UNUSED)
{
	void (*cb)(void *ctx);
	struct body *b;

	CAST_OBJ(b, w->data, BODY_MAGIC);
	b->running = false;
	b->api->jobs--;
	buf_clear(&b->data);
	if (b->dropped) {
		body_free(b);
		return;
	}
	if (b->err)
		buf_clear(&b->fill);
	else if ((b->ended && !b->last) || b->fill.n >= PIECE)
		job_start(b);
	if (b->running && b->ended)
		return;
	cb = TAKE_PTR(b->cb);
	if (cb)
		cb(b->cb_ctx);
}

static void
job_start(struct body *b)
{
	struct buf empty = b->data;

	b->data = b->fill;
	b->fill = empty;
	b->last = b->ended;
	b->running = true;
	b->work.data = b;
	b->api->jobs++;
	AZ(uv_queue_work(b->api->config.loop, &b->work, job_run, job_done));
}

bool
body_add(struct body *b, struct span piece, void (*room)(void *ctx),
    void *ctx)
{
	CHECK_OBJ(b, BODY_MAGIC);
	AZ(b->ended);
	buf_add_span(&b->fill, piece);
	if (b->fill.n < PIECE)
		return true;
	if (b->running) {
		b->cb = room;
		b->cb_ctx = ctx;
		return false;
	}
	job_start(b);
	return true;
}

void
body_end(struct body *b, void (*done)(void *ctx), void *ctx)
{
	CHECK_OBJ(b, BODY_MAGIC);
	b->ended = true;
	b->cb = done;
	b->cb_ctx = ctx;
	if (!b->running)
		job_start(b);
}

int
body_state(const struct body *b, struct arena *a, struct wire_error *ret_err)
{
	CHECK_OBJ(b, BODY_MAGIC);
	if (b->running || !b->err)
		return 0;
	if (b->err == WIRE_E_REFUSED)
		keep_refusal(a, &b->refusal, ret_err);
	return b->err;
}

struct call_body *
body_call(struct body *b)
{
	CHECK_OBJ(b, BODY_MAGIC);
	AN(b->ended && !b->running && !b->err);
	return &b->result;
}

void
body_free(struct body *b)
{
	if (!b)
		return;
	CHECK_OBJ(b, BODY_MAGIC);
	if (b->running) {
		b->dropped = true;
		return;
	}
	close_p(&b->fd);
	if (b->result.id.n && !b->result.kept &&
	    files_remove(b->api->config.files, b->result.id) < 0)
		log_warn("a refused body stays until the next start, ignoring");
	payload_free(b->payload);
	EVP_MD_CTX_free(b->md5);
	checksum_free(b->sum);
	buf_done(&b->fill);
	buf_done(&b->data);
	arena_free(b->arena);
	FREE_OBJ(b);
}
