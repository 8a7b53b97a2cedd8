/* rpcv2Cbor: the writer.  The reader is doc/cbor.c and then json.c's. */
#include "doc/cbor.h"
#include "wire/shape.h"

static void
put(struct buf *b, const struct wire_walk *w, const struct model_member *mb,
    const struct doc *d);

static void
put_members(struct buf *b, const struct wire_walk *w,
    const struct model_shape *s, const struct doc *d)
{
	const struct model_member *mb;
	size_t hint = 0;

	doc_each_key(k, v, d) {
		if (doc_type(v) == DOC_NULL)
			continue;
		mb = wire_find_own(w, s, k, &hint);
		if (!mb)
			continue;
		cbor_put_text(b, wire_name(w, mb));
		put(b, w, mb, v);
	}
}

static void
put_object(struct buf *b, const struct wire_walk *w,
    const struct model_shape *s, const struct doc *d)
{
	cbor_begin_map(b);
	if (s->type == MODEL_STRUCTURE) {
		put_members(b, w, s, d);
	} else if (s->type == MODEL_MAP) {
		doc_each_key(k, v, d) {
			cbor_put_text(b, wire_clean_text(w->a, k, false));
			put(b, w, model_members(w->m, s) + 1, v);
		}
	}
	cbor_end(b);
}

static void
put_number(struct buf *b, const struct model_shape *s, const struct doc *d)
{
	if (s->type == MODEL_TIMESTAMP)
		cbor_put_tag(b, 1);
	if (s->type == MODEL_FLOAT || s->type == MODEL_DOUBLE ||
	    (s->type == MODEL_TIMESTAMP && doc_type(d) == DOC_REAL))
		cbor_put_real(b, doc_f64(d, 0));
	else
		cbor_put_int(b, doc_i64(d, 0));
}

/* NaN comes as text from a tree that was JSON once. */
static void
put_text(struct buf *b, const struct wire_walk *w,
    const struct model_shape *s, struct span text)
{
	double v;

	if ((s->type == MODEL_FLOAT || s->type == MODEL_DOUBLE) &&
	    wire_real_read(w->a, text, &v))
		cbor_put_real(b, v);
	else if (s->type == MODEL_BLOB)
		cbor_put_bytes(b, text);
	else
		cbor_put_text(b, wire_clean_text(w->a, text, false));
}

static void
put(struct buf *b, const struct wire_walk *w, const struct model_member *mb,
    const struct doc *d)
{
	const struct model_shape *s = wire_shape(w, mb);

	switch (doc_type(d)) {
	case DOC_NONE:
	case DOC_NULL:
		cbor_put_null(b);
		return;
	case DOC_BOOL:
		cbor_put_bool(b, doc_true(d));
		return;
	case DOC_INT:
	case DOC_REAL:
		put_number(b, s, d);
		return;
	case DOC_STR:
		put_text(b, w, s, doc_span(d));
		return;
	case DOC_ARR:
		cbor_begin_array(b);
		if (s->type == MODEL_LIST)
			doc_each(v, d)
				put(b, w, model_members(w->m, s), v);
		cbor_end(b);
		return;
	case DOC_OBJ:
		put_object(b, w, s, d);
		return;
	}
}

void
wire_cbor_put_struct(struct buf *b, const struct wire_walk *w,
    const struct model_shape *s, const struct doc *d, struct span type)
{
	cbor_begin_map(b);
	if (type.n) {
		cbor_put_text(b, SPAN("__type"));
		cbor_put_text(b, type);
	}
	if (s)
		put_members(b, w, s, d);
	cbor_end(b);
}
