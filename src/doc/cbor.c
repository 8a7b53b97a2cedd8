/* CBOR to and from the document tree, on libcbor's stream coder. */
#include <cbor.h>

#include "doc/cbor.h"

/* One open array, map or chunked string. */
struct level {
	struct doc *d;	  /* NULL: a chunked string */
	struct span key;  /* a map's key that waits for its value */
	bool has_key;
	bool indefinite;
	size_t left;	  /* items still to come, unless indefinite */
	struct buf chunks;
	bool text;
};

struct reader {
	struct arena *arena;
	struct level at[DOC_MAX_DEPTH];
	size_t depth;
	struct doc *root;
	int failed;
};

static void
fail(struct reader *r, int why)
{
	if (!r->failed)
		r->failed = why;
}

static void put(struct reader *r, struct doc *v, bool text);

/* Ends levels that are full; ending one completes an item of the next. */
static void
pop_full(struct reader *r)
{
	struct level *l;

	while (r->depth > 0) {
		l = &r->at[r->depth - 1];
		if (!l->d || l->indefinite || l->left > 0)
			return;
		r->depth--;
		if (r->depth > 0 && !r->at[r->depth - 1].indefinite)
			r->at[r->depth - 1].left--;
	}
}

static void
put_in_map(struct reader *r, struct level *l, struct doc *v, bool text)
{
	if (!l->has_key) {
		if (!text) {
			fail(r, CBOR_E_SYNTAX);
			return;
		}
		l->key = doc_span(v);
		l->has_key = true;
		return;
	}
	doc_append(r->arena, l->d, l->key, v);
	l->has_key = false;
}

/* Puts a value where it belongs, without counting it as complete. */
static void
link_value(struct reader *r, struct doc *v, bool text)
{
	struct level *l;

	if (r->depth == 0) {
		if (r->root)
			fail(r, CBOR_E_SYNTAX);
		r->root = v;
		return;
	}
	l = &r->at[r->depth - 1];
	if (!l->d)
		fail(r, CBOR_E_SYNTAX);
	else if (doc_type(l->d) == DOC_ARR)
		doc_push(l->d, v);
	else
		put_in_map(r, l, v, text);
}

static void
put(struct reader *r, struct doc *v, bool text)
{
	if (r->failed)
		return;
	link_value(r, v, text);
	if (r->failed || r->depth == 0)
		return;
	if (!r->at[r->depth - 1].indefinite)
		r->at[r->depth - 1].left--;
	pop_full(r);
}

/* A map's left counts keys and values. */
static void
open_level(struct reader *r, struct doc *d, bool indefinite, uint64_t n)
{
	struct level *l;

	if (r->failed)
		return;
	if (r->depth == DOC_MAX_DEPTH) {
		fail(r, CBOR_E_DEPTH);
		return;
	}
	if (d)
		link_value(r, d, false);
	if (r->failed)
		return;
	l = &r->at[r->depth++];
	*l = (struct level){.d = d, .indefinite = indefinite, .left = n};
	pop_full(r);
}

static void
on_u64(void *ctx, uint64_t v)
{
	struct reader *r = ctx;

	put(r, v > INT64_MAX ? doc_real(r->arena, (double)v) :
	    doc_int(r->arena, (int64_t)v), false);
}

static void
on_u8(void *ctx, uint8_t v)
{
	on_u64(ctx, v);
}

static void
on_u16(void *ctx, uint16_t v)
{
	on_u64(ctx, v);
}

static void
on_u32(void *ctx, uint32_t v)
{
	on_u64(ctx, v);
}

static void
on_n64(void *ctx, uint64_t v)
{
	struct reader *r = ctx;

	put(r, v > INT64_MAX ? doc_real(r->arena, -1.0 - (double)v) :
	    doc_int(r->arena, -1 - (int64_t)v), false);
}

static void
on_n8(void *ctx, uint8_t v)
{
	on_n64(ctx, v);
}

static void
on_n16(void *ctx, uint16_t v)
{
	on_n64(ctx, v);
}

static void
on_n32(void *ctx, uint32_t v)
{
	on_n64(ctx, v);
}

static void
on_double(void *ctx, double v)
{
	struct reader *r = ctx;

	put(r, doc_real(r->arena, v), false);
}

static void
on_float(void *ctx, float v)
{
	on_double(ctx, (double)v);
}

static void
on_bool(void *ctx, bool v)
{
	struct reader *r = ctx;

	put(r, doc_bool(r->arena, v), false);
}

static void
on_null(void *ctx)
{
	struct reader *r = ctx;

	put(r, doc_null(r->arena), false);
}

static void
on_chunk(struct reader *r, cbor_data p, size_t n, bool text)
{
	struct level *l = r->depth ? &r->at[r->depth - 1] : NULL;

	if (r->failed)
		return;
	if (!l || l->d) {
		put(r, doc_strdup(r->arena, span_make((const char *)p, n)),
		    text);
		return;
	}
	if (l->text != text)
		fail(r, CBOR_E_SYNTAX);
	buf_add(&l->chunks, p, n);
}

#if CBOR_MAJOR_VERSION == 0 && CBOR_MINOR_VERSION < 11
typedef size_t cbor_count;
#else
typedef uint64_t cbor_count;
#endif

static void
on_bytes(void *ctx, cbor_data p, cbor_count n)
{
	on_chunk(ctx, p, n, false);
}

static void
on_text(void *ctx, cbor_data p, cbor_count n)
{
	on_chunk(ctx, p, n, true);
}

static void
on_chunks_start(struct reader *r, bool text)
{
	open_level(r, NULL, true, 0);
	if (!r->failed)
		r->at[r->depth - 1].text = text;
}

static void
on_bytes_start(void *ctx)
{
	on_chunks_start(ctx, false);
}

static void
on_text_start(void *ctx)
{
	on_chunks_start(ctx, true);
}

static void
on_array(void *ctx, cbor_count n)
{
	struct reader *r = ctx;

	open_level(r, doc_arr(r->arena), false, n);
}

static void
on_array_start(void *ctx)
{
	struct reader *r = ctx;

	open_level(r, doc_arr(r->arena), true, 0);
}

static void
on_map(void *ctx, cbor_count n)
{
	struct reader *r = ctx;

	if (n > SIZE_MAX / 2)
		fail(r, CBOR_E_SYNTAX);
	open_level(r, doc_obj(r->arena), false, n * 2);
}

static void
on_map_start(void *ctx)
{
	struct reader *r = ctx;

	open_level(r, doc_obj(r->arena), true, 0);
}

static void
on_tag(void *ctx UNUSED, uint64_t tag UNUSED)
{
}

static void
on_break(void *ctx)
{
	struct reader *r = ctx;
	struct level *l = r->depth ? &r->at[r->depth - 1] : NULL;
	struct span s;

	if (r->failed)
		return;
	if (!l || !l->indefinite || l->has_key) {
		fail(r, CBOR_E_SYNTAX);
		return;
	}
	r->depth--;
	if (!l->d) {
		s = arena_span(r->arena, buf_span(&l->chunks));
		buf_done(&l->chunks);
		put(r, doc_str(r->arena, s), l->text);
		return;
	}
	if (r->depth > 0 && !r->at[r->depth - 1].indefinite)
		r->at[r->depth - 1].left--;
	pop_full(r);
}

static const struct cbor_callbacks callbacks = {
	.uint8 = on_u8, .uint16 = on_u16, .uint32 = on_u32, .uint64 = on_u64,
	.negint8 = on_n8, .negint16 = on_n16, .negint32 = on_n32,
	.negint64 = on_n64,
	.byte_string = on_bytes, .byte_string_start = on_bytes_start,
	.string = on_text, .string_start = on_text_start,
	.array_start = on_array, .indef_array_start = on_array_start,
	.map_start = on_map, .indef_map_start = on_map_start,
	.tag = on_tag,
	.float2 = on_float, .float4 = on_float, .float8 = on_double,
	.undefined = on_null, .null = on_null, .boolean = on_bool,
	.indef_break = on_break,
};

static void
read_all(struct reader *r, struct span in)
{
	struct cbor_decoder_result res;

	while (in.n > 0 && !r->failed && (!r->root || r->depth > 0)) {
		res = cbor_stream_decode((cbor_data)in.p, in.n, &callbacks, r);
		if (res.status != CBOR_DECODER_FINISHED || res.read == 0)
			fail(r, CBOR_E_SYNTAX);
		in = span_from(in, res.read);
	}
	if (!r->root || r->depth > 0 || in.n > 0)
		fail(r, CBOR_E_SYNTAX);
}

int
doc_parse_cbor(struct arena *a, struct span bytes, struct doc **ret)
{
	struct reader *r = arena_new_of(a, struct reader);

	r->arena = a;
	read_all(r, bytes);
	for (size_t i = 0; i < r->depth; i++)
		buf_done(&r->at[i].chunks);
	if (r->failed)
		return r->failed;
	*ret = r->root;
	return 0;
}

/* libcbor writes a head into room that was reserved for it. */
#define HEAD 9
#define PUT(b, call)                                                    \
	do {                                                            \
		buf_reserve(b, HEAD);                                   \
		(b)->n += call;                                         \
		(b)->p[(b)->n] = '\0';                                  \
	} while (0)
#define ROOM(b) (unsigned char *)(b)->p + (b)->n, HEAD

void
cbor_put_int(struct buf *b, int64_t v)
{
	if (v < 0)
		PUT(b, cbor_encode_negint((uint64_t)(-1 - v), ROOM(b)));
	else
		PUT(b, cbor_encode_uint((uint64_t)v, ROOM(b)));
}

void
cbor_put_real(struct buf *b, double v)
{
	PUT(b, cbor_encode_double(v, ROOM(b)));
}

void
cbor_put_bool(struct buf *b, bool v)
{
	PUT(b, cbor_encode_bool(v, ROOM(b)));
}

void
cbor_put_null(struct buf *b)
{
	PUT(b, cbor_encode_null(ROOM(b)));
}

void
cbor_put_text(struct buf *b, struct span s)
{
	PUT(b, cbor_encode_string_start(s.n, ROOM(b)));
	buf_add_span(b, s);
}

void
cbor_put_bytes(struct buf *b, struct span s)
{
	PUT(b, cbor_encode_bytestring_start(s.n, ROOM(b)));
	buf_add_span(b, s);
}

void
cbor_put_tag(struct buf *b, uint64_t tag)
{
	PUT(b, cbor_encode_tag(tag, ROOM(b)));
}

void
cbor_begin_map(struct buf *b)
{
	PUT(b, cbor_encode_indef_map_start(ROOM(b)));
}

void
cbor_begin_array(struct buf *b)
{
	PUT(b, cbor_encode_indef_array_start(ROOM(b)));
}

void
cbor_end(struct buf *b)
{
	PUT(b, cbor_encode_break(ROOM(b)));
}
