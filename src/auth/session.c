/* Tokens of temporary keys. */
#include "auth/session.h"
#include "base/buf.h"
#include "base/id.h"
#include "doc/doc.h"

#define SESSION SPAN("sts.session")

struct span
session_new(struct store *st, struct arena *a, struct session *s)
{
	_cleanup_(buf_done) struct buf secret = BUF_INIT, sealed = BUF_INIT,
	    token = BUF_INIT;
	struct doc *d = doc_obj(a);
	unsigned char u[30];

	random_bytes(u, sizeof(u));
	buf_add_base64(&secret, u, sizeof(u));
	s->secret = arena_span(a, buf_span(&secret));
	s->access_key = arena_fmt_span(a, "ASIA%s", id_upper(a, 16));
	doc_set_str(a, d, "k", s->access_key);
	doc_set_str(a, d, "s", s->secret);
	doc_set_str(a, d, "a", s->arn);
	doc_set_str(a, d, "i", s->id);
	doc_set_str(a, d, "o", s->owner);
	doc_set_bool(a, d, "r", s->role);
	doc_set_int(a, d, "e", s->expires);
	store_seal(st, SESSION, doc_json(a, d), &sealed);
	buf_add_base64(&token, sealed.p, sealed.n);
	return arena_span(a, buf_span(&token));
}

bool
session_read(struct store *st, struct arena *a, struct span token,
    struct session *ret)
{
	_cleanup_(buf_done) struct buf sealed = BUF_INIT, text = BUF_INIT;
	struct doc *d;

	if (!buf_add_unbase64(&sealed, token) ||
	    store_unseal(st, SESSION, buf_span(&sealed), &text) < 0 ||
	    doc_parse_json(a, arena_span(a, buf_span(&text)), &d))
		return false;
	*ret = (struct session){.access_key = doc_get_str(d, "k"),
	    .secret = doc_get_str(d, "s"), .arn = doc_get_str(d, "a"),
	    .id = doc_get_str(d, "i"), .owner = doc_get_str(d, "o"),
	    .role = doc_get_bool(d, "r", false),
	    .expires = doc_get_int(d, "e", 0)};
	return true;
}
