/*
 * What the codecs share: names on the wire, scalars as text, refusals.
 * Private to src/wire.
 */
#pragma once

#include "wire/wire.h"

/* One walk over a document by the model. */
struct wire_walk {
	struct arena *a;
	const struct model *m;
	enum model_protocol protocol;
	bool reply; /* the names of replies, not of requests */
	struct wire_error *err;
};

/* Fills w->err; returns WIRE_E_REFUSED.  code NULL: what the protocol says of
 * bytes that cannot be read as the model's types. */
int wire_refuse(struct wire_walk *w, const char *code, const char *fmt, ...)
    PRINTF(3, 4);

/* The member's name on the wire. */
struct span wire_name(const struct wire_walk *w,
    const struct model_member *mb);
/* The member of s that is called key on the wire, or NULL.  *hint: where to
 * look first; starts as 0. */
const struct model_member *wire_find(const struct wire_walk *w,
    const struct model_shape *s, struct span key, size_t *hint);
/* The same by the member's own name. */
const struct model_member *wire_find_own(const struct wire_walk *w,
    const struct model_shape *s, struct span name, size_t *hint);

static inline const struct model_shape *
wire_shape(const struct wire_walk *w, const struct model_member *mb)
{
	return &w->m->shapes[mb->shape];
}

/* A reply has no URI, and so all but headers and status is in its body. */
static inline bool
wire_in_body(const struct wire_walk *w, const struct model_member *mb)
{
	return mb->location == LOC_BODY || (w->reply &&
	    (mb->location == LOC_QUERY || mb->location == LOC_URI));
}

/* How a protocol writes a time that has no format of its own. */
enum model_time wire_time(const struct wire_walk *w,
    const struct model_member *mb);

/* Text to the type of the member; 0 or WIRE_E_REFUSED. */
int wire_scalar_read(struct wire_walk *w, const struct model_member *mb,
    struct span text, struct doc **ret);
bool wire_time_read(struct span text, double *ret);
bool wire_real_read(struct arena *a, struct span text, double *ret);
/* An integer's range by its type; refuses what is outside. */
int wire_int_check(struct wire_walk *w, const struct model_shape *s, double v);

/* A scalar as text without quotes or escapes (XML, headers). */
struct span wire_scalar_text(const struct wire_walk *w,
    const struct model_member *mb, enum model_time time, const struct doc *d);
void wire_put_time(struct buf *b, struct arena *a, const struct doc *d,
    enum model_time time);
void wire_put_int(struct buf *b, int64_t v);
/* Shortest text that reads back as the same number; NaN, Infinity. */
void wire_put_real(struct buf *b, double v);
/* s with ill-formed UTF-8 replaced, also what XML forbids if xml. */
struct span wire_clean_text(struct arena *a, struct span s, bool xml);

/* A value of another type than the model's (a service's mistake) is written as
 * null, or as nothing in XML. */

/* json.c: document trees as JSON and CBOR clients send them. */
int wire_tree_read(struct wire_walk *w, const struct model_member *mb,
    const struct doc *d, struct doc **ret);
int wire_tree_read_struct(struct wire_walk *w, const struct model_shape *s,
    const struct doc *d, struct doc *into);
int wire_json_parse(struct wire_walk *w, struct span body, struct doc **ret);
void wire_json_put(struct buf *b, const struct wire_walk *w,
    const struct model_member *mb, const struct doc *d);
/* {"a":…} of the body members; head: text put after '{' ("\"__type\":…"). */
void wire_json_put_struct(struct buf *b, const struct wire_walk *w,
    const struct model_shape *s, const struct doc *d, struct span head);
void wire_json_put_str(struct buf *b, const struct wire_walk *w,
    struct span s);

/* cbor.c */
void wire_cbor_put_struct(struct buf *b, const struct wire_walk *w,
    const struct model_shape *s, const struct doc *d, struct span type);

/* query.c */
int wire_query_read(struct wire_walk *w, const struct model_shape *s,
    struct span query, struct span body, struct doc *into);

/* xml.c */
struct xml_node;
int wire_xml_parse(struct wire_walk *w, struct span body,
    struct xml_node **ret);
int wire_xml_read(struct wire_walk *w, const struct model_member *mb,
    const struct xml_node *n, struct doc **ret);
int wire_xml_read_struct(struct wire_walk *w, const struct model_shape *s,
    const struct xml_node *n, struct doc *into);
void wire_xml_put_text(struct buf *b, const struct wire_walk *w,
    struct span s);
/* The element itself, its name given. */
void wire_xml_put(struct buf *b, const struct wire_walk *w,
    const struct model_member *mb, struct span name, const struct doc *d);
/* The body members as elements, without an element around. */
void wire_xml_put_members(struct buf *b, const struct wire_walk *w,
    const struct model_shape *s, const struct doc *d);
/* The xmlAttribute members of s, each led by a blank. */
void wire_xml_put_attrs(struct buf *b, const struct wire_walk *w,
    const struct model_shape *s, const struct doc *d);

/* rest.c: members outside the body, and routes. */
const struct model_op *wire_route(struct arena *a, const struct model *m,
    const struct wire_in *in);
int wire_rest_read(struct wire_walk *w, const struct model_op *op,
    const struct wire_in *in, struct doc *into);
struct span wire_path(struct arena *a, const struct wire_in *in);

/* Headers of a reply that members of s are bound to; the status, too. */
void wire_rest_put(const struct wire_walk *w, const struct model_shape *s,
    const struct doc *d, struct wire_out *o);
