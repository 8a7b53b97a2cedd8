/* Authorization tokens: fields joined by newlines, in base64, and a MAC. */
#include "registry/token.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"

#define SETTING "ecr.token-key"
#define VERSION "ng1"
#define TOKEN_MAX 4096

static int
token_key(struct store *s, struct arena *a, bool make, struct span *ret)
{
	int r = store_setting(s, a, SETTING, ret);

	if (r == STORE_E_NOT_FOUND && make) {
		*ret = span_of(id_hex(a, 64));
		r = store_set_setting(s, SETTING, *ret);
	}
	return r;
}

static struct span
token_mac(struct arena *a, struct span key, struct span payload)
{
	unsigned char mac[SHA256_LEN];
	struct buf b = BUF_INIT;
	struct span out;

	hmac_sha256(key, payload, mac);
	buf_add_hex(&b, mac, sizeof(mac));
	out = arena_span(a, buf_span(&b));
	buf_done(&b);
	return out;
}

int
token_make(struct store *s, struct arena *a, const struct token *t,
    struct span *ret)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct span key, payload;
	int r = token_key(s, a, true, &key);

	if (r)
		return r < 0 ? err_trace(r) : err_fold(r);
	payload = arena_fmt_span(a, VERSION "\n%.*s\n%.*s\n%lld\n%.*s\n%.*s",
	    SPAN_ARG(t->account), SPAN_ARG(t->region), (long long)t->expires,
	    SPAN_ARG(t->arn), SPAN_ARG(t->access_key));
	buf_add_base64(&b, payload.p, payload.n);
	buf_add_char(&b, '.');
	buf_add_span(&b, token_mac(a, key, payload));
	*ret = arena_span(a, buf_span(&b));
	return 0;
}

int
token_check(struct store *s, struct arena *a, struct span text,
    struct token *ret)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct span key, payload, rest, mac = text;
	struct token t;
	int r;

	if (text.n > TOKEN_MAX || !buf_add_unbase64(&b, span_cut(&mac, '.')))
		return TOKEN_E_BAD;
	payload = arena_span(a, buf_span(&b));
	r = token_key(s, a, false, &key);
	if (r == STORE_E_NOT_FOUND)
		return TOKEN_E_BAD;
	if (r)
		return r < 0 ? err_trace(r) : err_fold(r);
	if (!secret_eq(mac, token_mac(a, key, payload)))
		return TOKEN_E_BAD;
	rest = payload;
	if (!span_is(span_cut(&rest, '\n'), VERSION))
		return TOKEN_E_BAD;
	t.account = span_cut(&rest, '\n');
	t.region = span_cut(&rest, '\n');
	if (!span_i64(span_cut(&rest, '\n'), &t.expires))
		return TOKEN_E_BAD;
	t.arn = span_cut(&rest, '\n');
	t.access_key = rest;
	*ret = t;
	return clock_ms() < t.expires ? 0 : TOKEN_E_EXPIRED;
}

int
token_check_basic(struct store *s, struct arena *a, struct span header,
    struct token *ret)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct span rest = span_trim(header), user;

	if (!span_ieq(span_cut(&rest, ' '), SPAN("Basic")) ||
	    header.n > 2 * TOKEN_MAX || !buf_add_unbase64(&b, span_trim(rest)))
		return TOKEN_E_BAD;
	rest = buf_span(&b);
	user = span_cut(&rest, ':');
	if (!span_is(user, "AWS"))
		return TOKEN_E_BAD;
	return token_check(s, a, rest, ret);
}
