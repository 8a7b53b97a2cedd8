/* Signature Version 4: reading the claim, rebuilding what was signed. */
#include <ctype.h>

#include "auth/sigv4.h"
#include "base/clock.h"
#include "base/id.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define UNSIGNED  "UNSIGNED-PAYLOAD"
#define QUERY_MAX 1000 /* parameters */
#define WEEK_S	  604800

struct param {
	struct span name; /* encoded canonically */
	struct span value;
};

static struct span
header(const struct sigv4_request *r, struct span name)
{
	for (size_t i = 0; i < r->n_headers; i++)
		if (span_ieq(r->headers[i].name, name))
			return r->headers[i].value;
	return SPAN_NULL;
}

static struct span
decoded(struct arena *a, struct span s)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	buf_add_unuri(&b, s, false);
	return arena_span(a, buf_span(&b));
}

static struct span
recoded(struct arena *a, struct span s, bool keep_slash)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	buf_add_uri(&b, s, keep_slash);
	return arena_span(a, buf_span(&b));
}

/* The decoded value of a query parameter; p NULL: it is not there. */
static struct span
query_get(struct arena *a, struct span query, const char *name)
{
	while (query.p) {
		struct span value = span_cut(&query, '&');
		struct span key = span_cut(&value, '=');

		if (span_is(decoded(a, key), name))
			return value.p ? decoded(a, value) : SPAN("");
	}
	return SPAN_NULL;
}

/* "Credential=KEY/DATE/REGION/SERVICE/aws4_request" */
static bool
read_credential(struct span text, struct sigv4 *s)
{
	ptrdiff_t slash = span_chr(text, '/');

	if (slash < 0)
		return false;
	s->scope = span_from(text, (size_t)slash + 1);
	s->access_key = span_cut(&text, '/');
	s->date = span_cut(&text, '/');
	s->region = span_cut(&text, '/');
	s->service = span_cut(&text, '/');
	return s->access_key.n && s->date.n == 8 && s->region.n &&
	    s->service.n && text.p && span_is(text, "aws4_request");
}

static enum sigv4_outcome
incomplete(struct arena *a, struct span *ret_why, const char *what)
{
	*ret_why = arena_fmt_span(a, "Authorization header requires %s", what);
	return SIGV4_E_INCOMPLETE;
}

static enum sigv4_outcome
read_header(struct arena *a, const struct sigv4_request *r, struct span auth,
    struct sigv4 *s, struct span *ret_why)
{
	struct span rest = span_from(auth, sizeof(ALGORITHM) - 1), cred = SPAN_NULL;

	while (rest.p) {
		struct span value = span_trim(span_cut(&rest, ','));
		struct span key = span_cut(&value, '=');

		if (span_is(key, "Credential"))
			cred = value;
		else if (span_is(key, "SignedHeaders"))
			s->signed_headers = value;
		else if (span_is(key, "Signature"))
			s->signature = value;
	}
	if (!cred.n)
		return incomplete(a, ret_why, "'Credential' parameter.");
	if (!s->signature.n)
		return incomplete(a, ret_why, "'Signature' parameter.");
	if (!s->signed_headers.n)
		return incomplete(a, ret_why, "'SignedHeaders' parameter.");
	if (!read_credential(cred, s))
		return incomplete(a, ret_why, "a valid 'Credential' parameter.");
	s->amz_date = header(r, SPAN("x-amz-date"));
	s->token = header(r, SPAN("x-amz-security-token"));
	if (!s->amz_date.n && clock_parse_http(header(r, SPAN("date")), &s->at))
		s->amz_date = span_of(clock_basic(a, s->at));
	if (!clock_parse_basic(s->amz_date, &s->at))
		return incomplete(a, ret_why,
		    "existence of either a 'X-Amz-Date' or a 'Date' header.");
	return SIGV4_OK;
}

static enum sigv4_outcome
read_query(struct arena *a, const struct sigv4_request *r, struct sigv4 *s,
    struct span *ret_why)
{
	s->presigned = true;
	s->signature = query_get(a, r->query, "X-Amz-Signature");
	s->signed_headers = query_get(a, r->query, "X-Amz-SignedHeaders");
	s->amz_date = query_get(a, r->query, "X-Amz-Date");
	s->token = query_get(a, r->query, "X-Amz-Security-Token");
	if (!s->signature.n || !s->signed_headers.n ||
	    !clock_parse_basic(s->amz_date, &s->at) ||
	    !read_credential(query_get(a, r->query, "X-Amz-Credential"), s) ||
	    !span_i64(query_get(a, r->query, "X-Amz-Expires"), &s->expires) ||
	    s->expires < 0 || s->expires > WEEK_S) {
		*ret_why = SPAN("Query-string authentication version 4 requires "
		    "the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, "
		    "X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires "
		    "parameters.");
		return SIGV4_E_INCOMPLETE;
	}
	return SIGV4_OK;
}

enum sigv4_outcome
sigv4_read(struct arena *a, const struct sigv4_request *r, struct sigv4 *ret,
    struct span *ret_why)
{
	struct span auth = header(r, SPAN("authorization"));
	struct sigv4 s = {.payload = header(r, SPAN("x-amz-content-sha256"))};
	enum sigv4_outcome o;

	if (auth.n) {
		if (!span_starts(auth, SPAN(ALGORITHM " "))) {
			*ret_why = SPAN("Unsupported AWS 'algorithm'.");
			return SIGV4_E_INCOMPLETE;
		}
		o = read_header(a, r, auth, &s, ret_why);
	} else if (query_get(a, r->query, "X-Amz-Signature").p) {
		o = read_query(a, r, &s, ret_why);
	} else {
		return SIGV4_E_MISSING;
	}
	if (o == SIGV4_OK)
		*ret = s;
	return o;
}

/* RFC 3986 6.2.2.3: dot segments and empty segments go away. */
static struct span
normal_path(struct arena *a, struct span path)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	bool slash = span_ends(path, SPAN("/")) ||
	    span_ends(path, SPAN("/.")) || span_ends(path, SPAN("/.."));

	while (path.p) {
		struct span seg = span_cut(&path, '/');
		ptrdiff_t at;

		if (seg.n == 0 || span_is(seg, "."))
			continue;
		if (span_is(seg, "..")) {
			at = span_rchr(buf_span(&b), '/');
			b.n = at > 0 ? (size_t)at : 0;
			continue;
		}
		buf_add_char(&b, '/');
		buf_add_span(&b, seg);
	}
	if (slash || b.n == 0)
		buf_add_char(&b, '/');
	return arena_span(a, buf_span(&b));
}

static int
param_cmp(const void *pa, const void *pb)
{
	const struct param *x = pa, *y = pb;
	int r = span_cmp(x->name, y->name);

	return r ? r : span_cmp(x->value, y->value);
}

static void
add_query(struct arena *a, struct buf *b, struct span query)
{
	struct param *v = arena_array(a, struct param, QUERY_MAX);
	size_t n = 0;

	while (query.p && n < QUERY_MAX) {
		struct span value = span_cut(&query, '&');
		struct span key = span_cut(&value, '=');

		if (key.n == 0 && !value.p)
			continue;
		key = decoded(a, key);
		if (span_is(key, "X-Amz-Signature"))
			continue;
		v[n].name = recoded(a, key, false);
		v[n++].value = value.p ?
		    recoded(a, decoded(a, value), false) : SPAN("");
	}
	qsort(v, n, sizeof(*v), param_cmp);
	for (size_t i = 0; i < n; i++)
		buf_addf(b, "%s%.*s=%.*s", i ? "&" : "", SPAN_ARG(v[i].name),
		    SPAN_ARG(v[i].value));
}

/* Trimmed, inner runs of blanks become one. */
static void
add_value(struct buf *b, struct span v)
{
	v = span_trim(v);
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] == ' ' && i && v.p[i - 1] == ' ')
			continue;
		buf_add_char(b, v.p[i]);
	}
}

static void
add_headers(struct buf *b, const struct sigv4_request *r, struct span names)
{
	while (names.p) {
		struct span name = span_cut(&names, ';');
		bool more = false;

		buf_addf(b, "%.*s:", SPAN_ARG(name));
		for (size_t i = 0; i < r->n_headers; i++) {
			if (!span_ieq(r->headers[i].name, name))
				continue;
			if (more)
				buf_add_char(b, ',');
			add_value(b, r->headers[i].value);
			more = true;
		}
		buf_add_char(b, '\n');
	}
}

struct span
sigv4_canonical(struct arena *a, const struct sigv4_request *r,
    const struct sigv4 *s, struct span body, bool normalize)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	bool s3 = span_is(s->service, "s3");

	buf_addf(&b, "%.*s\n", SPAN_ARG(r->method));
	/* S3 keys are taken literally and are encoded once. */
	if (s3)
		buf_add_uri(&b, decoded(a, r->path), true);
	else
		buf_add_uri(&b, normalize ? normal_path(a, r->path) : r->path,
		    true);
	buf_add_char(&b, '\n');
	add_query(a, &b, r->query);
	buf_add_char(&b, '\n');
	add_headers(&b, r, s->signed_headers);
	buf_addf(&b, "\n%.*s\n", SPAN_ARG(s->signed_headers));
	if (s->payload.n)
		buf_add_span(&b, s->payload);
	else if (s->presigned && s3)
		buf_add_str(&b, UNSIGNED);
	else
		buf_add_str(&b, sha256_hex(a, body));
	return arena_span(a, buf_span(&b));
}

struct span
sigv4_to_sign(struct arena *a, const struct sigv4 *s, struct span canonical)
{
	return arena_fmt_span(a, ALGORITHM "\n%.*s\n%.*s\n%s",
	    SPAN_ARG(s->amz_date), SPAN_ARG(s->scope),
	    sha256_hex(a, canonical));
}

/* The day's signing key of the last caller: four HMACs saved. */
static struct {
	struct buf of; /* secret and scope */
	unsigned char key[SHA256_LEN];
} last_key;

static void
signing_key(const struct sigv4 *s, struct span secret,
    unsigned char ret[SHA256_LEN])
{
	_cleanup_(buf_done) struct buf of = BUF_INIT;
	unsigned char k[SHA256_LEN];

	buf_addf(&of, "AWS4%.*s", SPAN_ARG(secret));
	buf_addf(&of, "\n%.*s", SPAN_ARG(s->scope));
	if (!secret_eq(buf_span(&of), buf_span(&last_key.of))) {
		hmac_sha256(span_make(of.p, 4 + secret.n), s->date, k);
		hmac_sha256(span_make((char *)k, SHA256_LEN), s->region, k);
		hmac_sha256(span_make((char *)k, SHA256_LEN), s->service, k);
		hmac_sha256(span_make((char *)k, SHA256_LEN),
		    SPAN("aws4_request"), last_key.key);
		buf_done(&last_key.of);
		last_key.of = of;
		of = BUF_INIT;
	}
	memcpy(ret, last_key.key, SHA256_LEN);
}

struct span
sigv4_signature(struct arena *a, const struct sigv4 *s, struct span secret,
    struct span to_sign)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	unsigned char k[SHA256_LEN], d[SHA256_LEN];

	signing_key(s, secret, k);
	hmac_sha256(span_make((char *)k, SHA256_LEN), to_sign, d);
	buf_add_hex(&b, d, sizeof(d));
	return arena_span(a, buf_span(&b));
}

static bool
in_time(struct arena *a, const struct sigv4 *s, int64_t now, struct span *why)
{
	const char *at = arena_str(a, s->amz_date);
	int64_t end = s->presigned ? s->at + s->expires * 1000 :
				     s->at + SIGV4_SKEW_MS;

	if (s->at > now + SIGV4_SKEW_MS) {
		*why = arena_fmt_span(a, "Signature not yet current: %s is "
		    "still later than %s (%s + 15 min.)", at,
		    clock_basic(a, now + SIGV4_SKEW_MS), clock_basic(a, now));
		return false;
	}
	if (now > end) {
		*why = arena_fmt_span(a, "Signature expired: %s is now earlier "
		    "than %s (%s - 15 min.)", at,
		    clock_basic(a, now - SIGV4_SKEW_MS), clock_basic(a, now));
		return false;
	}
	return true;
}

/* The host must be covered, or the request could be sent elsewhere. */
static bool
covers(const struct sigv4_request *r, const struct sigv4 *s)
{
	struct span names = s->signed_headers;
	bool host = false;

	while (names.p)
		host |= span_is(span_cut(&names, ';'), "host");
	return host && r->n_headers > 0;
}

enum sigv4_outcome
sigv4_check(struct arena *a, const struct sigv4_request *r,
    const struct sigv4 *s, struct span secret, struct span body, int64_t now,
    struct span *ret_why)
{
	struct span canonical, sig;

	if (!span_eq(s->date, span_to(s->amz_date, 8))) {
		*ret_why = arena_fmt_span(a, "Date in Credential scope does not "
		    "match YYYYMMDD from ISO-8601 version of date from HTTP: "
		    "'%.*s' != '%.*s', from '%.*s'.", SPAN_ARG(s->date),
		    SPAN_ARG(span_to(s->amz_date, 8)), SPAN_ARG(s->amz_date));
		return SIGV4_E_EXPIRED;
	}
	if (!in_time(a, s, now, ret_why))
		return SIGV4_E_EXPIRED;
	if (!covers(r, s))
		return SIGV4_E_MISMATCH;
	canonical = sigv4_canonical(a, r, s, body, true);
	sig = sigv4_signature(a, s, secret, sigv4_to_sign(a, s, canonical));
	return secret_eq(sig, s->signature) ? SIGV4_OK : SIGV4_E_MISMATCH;
}

bool
sigv4_payload_ok(struct arena *a, const struct sigv4 *s, struct span body)
{
	if (!s->payload.n || span_is(s->payload, UNSIGNED))
		return true;
	return span_ieq(s->payload, span_of(sha256_hex(a, body)));
}
