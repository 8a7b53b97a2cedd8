/* Signature Version 4: reading the claim, rebuilding what was signed. */
#include <ctype.h>

#include "auth/sigv4.h"
#include "base/clock.h"
#include "base/id.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define UNSIGNED  "UNSIGNED-PAYLOAD"
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

/* KEY/DATE/REGION/SERVICE/TERMINATOR; that the last is aws4_request is for
 * sigv4_claim() to see. */
static bool
read_credential(struct span text, struct sigv4 *s)
{
	struct span end;
	ptrdiff_t slash = span_chr(text, '/');

	if (slash < 0)
		return false;
	s->scope = span_from(text, (size_t)slash + 1);
	s->access_key = span_cut(&text, '/');
	s->date = span_cut(&text, '/');
	s->region = span_cut(&text, '/');
	s->service = span_cut(&text, '/');
	end = span_cut(&text, '/');
	return s->access_key.n && s->date.n && s->region.n && s->service.n &&
	    end.n && !text.p;
}

static enum sigv4_outcome
bad_credential(struct arena *a, struct span text, struct span *ret_why)
{
	*ret_why = arena_fmt_span(a, "Credential must have exactly 5 "
	    "slash-delimited elements, e.g. keyid/date/region/service/term, "
	    "got '%.*s'", SPAN_ARG(span_to(text, 200)));
	return SIGV4_E_INCOMPLETE;
}

/* AWS shows what it refuses only as a hash: it may hold a secret. */
static struct span
hashed(struct arena *a, struct span s)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	unsigned char d[SHA256_LEN];

	sha256(s, d);
	buf_add_base64(&b, d, sizeof(d));
	return arena_span(a, buf_span(&b));
}

static enum sigv4_outcome
read_date(struct arena *a, struct sigv4 *s, struct span *ret_why)
{
	if (clock_parse_basic(s->amz_date, &s->at))
		return SIGV4_OK;
	*ret_why = arena_fmt_span(a, "Date must be in ISO-8601 'basic format'. "
	    "Got '%.*s'. See http://en.wikipedia.org/wiki/ISO_8601",
	    SPAN_ARG(span_to(s->amz_date, 100)));
	return SIGV4_E_INCOMPLETE;
}

/* What of the three parts and the date is absent, in AWS's order. */
static enum sigv4_outcome
all_there(struct arena *a, struct span auth, struct span cred,
    const struct sigv4 *s, struct span *ret_why)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	if (!cred.n)
		buf_add_str(&b, "Authorization header requires 'Credential' "
		    "parameter. ");
	if (!s->signature.n)
		buf_add_str(&b, "Authorization header requires 'Signature' "
		    "parameter. ");
	if (!s->signed_headers.n)
		buf_add_str(&b, "Authorization header requires "
		    "'SignedHeaders' parameter. ");
	if (!s->amz_date.n)
		buf_add_str(&b, "Authorization header requires existence of "
		    "either a 'X-Amz-Date' or a 'Date' header. ");
	if (!b.n)
		return SIGV4_OK;
	*ret_why = arena_fmt_span(a, "%s(Hashed with SHA-256 and encoded with "
	    "Base64) Authorization=%.*s", buf_str(&b),
	    SPAN_ARG(hashed(a, auth)));
	return SIGV4_E_INCOMPLETE;
}

static enum sigv4_outcome
not_pair(struct arena *a, struct span word, struct span *ret_why)
{
	*ret_why = arena_fmt_span(a, "Invalid key=value pair (missing "
	    "equal-sign) in Authorization header (hashed with SHA-256 and "
	    "encoded with Base64): '%.*s'.", SPAN_ARG(hashed(a, word)));
	return SIGV4_E_INCOMPLETE;
}

static enum sigv4_outcome
read_header(struct arena *a, const struct sigv4_request *r, struct span auth,
    struct sigv4 *s, struct span *ret_why)
{
	struct span rest = auth, algorithm = span_cut(&rest, ' ');
	struct span cred = SPAN_NULL;
	enum sigv4_outcome o;

	while (rest.p) {
		struct span value = span_trim(span_cut(&rest, ','));
		struct span key = span_cut(&value, '='), word = key;

		if (key.n && !value.p)
			return not_pair(a, word, ret_why);
		if (span_is(key, "Credential"))
			cred = value;
		else if (span_is(key, "SignedHeaders"))
			s->signed_headers = value;
		else if (span_is(key, "Signature"))
			s->signature = value;
	}
	s->amz_date = header(r, SPAN("x-amz-date"));
	s->token = header(r, SPAN("x-amz-security-token"));
	if (!s->amz_date.n && clock_parse_http(header(r, SPAN("date")), &s->at))
		s->amz_date = span_of(clock_basic(a, s->at));
	if ((o = all_there(a, auth, cred, s, ret_why)) != SIGV4_OK ||
	    (o = read_date(a, s, ret_why)) != SIGV4_OK)
		return o;
	if (!span_is(algorithm, ALGORITHM)) {
		*ret_why = arena_fmt_span(a, "Unsupported AWS 'algorithm': "
		    "'%.*s' (only " ALGORITHM " for now). ",
		    SPAN_ARG(span_to(algorithm, 100)));
		return SIGV4_E_INCOMPLETE;
	}
	return read_credential(cred, s) ? SIGV4_OK :
					  bad_credential(a, cred, ret_why);
}

/* S3 bounds how long a link lives; elsewhere it is a signature like others. */
static enum sigv4_outcome
read_expires(struct sigv4 *s, struct span text, struct span *ret_why)
{
	if (!span_i64(text, &s->expires))
		*ret_why = SPAN("X-Amz-Expires should be a number");
	else if (s->expires < 0)
		*ret_why = SPAN("X-Amz-Expires must be non-negative");
	else if (s->expires > WEEK_S)
		*ret_why = SPAN("X-Amz-Expires must be less than a week (in "
		    "seconds); that is, the given X-Amz-Expires must be less "
		    "than 604800 seconds");
	else
		return SIGV4_OK;
	return SIGV4_E_INCOMPLETE;
}

static enum sigv4_outcome
query_incomplete(struct arena *a, const struct sigv4 *s, struct span names,
    struct span *ret_why)
{
	*ret_why = span_is(s->service, "s3") ?
	    SPAN("Query-string authentication version 4 requires the "
		"X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, "
		"X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires "
		"parameters.") :
	    arena_fmt_span(a, "%.*sRe-examine the query-string parameters.",
		SPAN_ARG(names));
	return SIGV4_E_INCOMPLETE;
}

static enum sigv4_outcome
read_query(struct arena *a, const struct sigv4_request *r, struct sigv4 *s,
    struct span *ret_why)
{
	_cleanup_(buf_done) struct buf absent = BUF_INIT;
	struct span algorithm, cred, expires;
	struct {
		const char *name;
		struct span *into;
	} parts[] = {{"X-Amz-Algorithm", &algorithm},
	    {"X-Amz-Credential", &cred}, {"X-Amz-Signature", &s->signature},
	    {"X-Amz-SignedHeaders", &s->signed_headers},
	    {"X-Amz-Date", &s->amz_date}};
	enum sigv4_outcome o;
	bool ok;

	s->presigned = true;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		*parts[i].into = query_get(a, r->query, parts[i].name);
		if (!parts[i].into->n)
			buf_addf(&absent, "AWS query-string parameters must "
			    "include '%s'. ", parts[i].name);
	}
	s->token = query_get(a, r->query, "X-Amz-Security-Token");
	expires = query_get(a, r->query, "X-Amz-Expires");
	ok = read_credential(cred, s);
	if (absent.n || (span_is(s->service, "s3") && !expires.n))
		return query_incomplete(a, s, buf_span(&absent), ret_why);
	if ((o = read_date(a, s, ret_why)) != SIGV4_OK)
		return o;
	if (!span_is(algorithm, ALGORITHM)) {
		*ret_why = arena_fmt_span(a, "Unsupported AWS 'algorithm': "
		    "'%.*s' (only " ALGORITHM " for now). ",
		    SPAN_ARG(span_to(algorithm, 100)));
		return SIGV4_E_INCOMPLETE;
	}
	if (!ok)
		return bad_credential(a, cred, ret_why);
	return span_is(s->service, "s3") ? read_expires(s, expires, ret_why) :
					   SIGV4_OK;
}

enum sigv4_outcome
sigv4_read(struct arena *a, const struct sigv4_request *r, struct sigv4 *ret,
    struct span *ret_why)
{
	struct span auth = header(r, SPAN("authorization"));
	bool query = r->query.n &&
	    (query_get(a, r->query, "X-Amz-Algorithm").p ||
		query_get(a, r->query, "X-Amz-Signature").p);

	*ret = (struct sigv4){.payload = header(r,
	    SPAN("x-amz-content-sha256"))};
	if (auth.n && query) {
		read_header(a, r, auth, ret, ret_why);
		*ret_why = SPAN("Found both 'X-Amz-Algorithm' as a "
		    "query-string param and 'Authorization' as HTTP header.");
		return SIGV4_E_CLAIM;
	}
	if (query)
		return read_query(a, r, ret, ret_why);
	if (!span_starts(auth, SPAN("AWS4-")))
		return SIGV4_E_MISSING;
	return read_header(a, r, auth, ret, ret_why);
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
	struct param *v;
	size_t n = 1;

	if (!query.n)
		return;
	for (size_t i = 0; i < query.n; i++)
		n += query.p[i] == '&';
	v = arena_array(a, struct param, n);
	n = 0;
	while (query.p) {
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

static enum sigv4_outcome
in_time(struct arena *a, const struct sigv4 *s, int64_t now, struct span *why)
{
	bool link = s->presigned && span_is(s->service, "s3");
	int64_t end = link ? s->at + s->expires * 1000 : s->at + SIGV4_SKEW_MS;

	if (s->at > now + SIGV4_SKEW_MS) {
		*why = arena_fmt_span(a, "Signature not yet current: %.*s is "
		    "still later than %s (%s + 15 min.)", SPAN_ARG(s->amz_date),
		    clock_basic(a, now + SIGV4_SKEW_MS), clock_basic(a, now));
		return SIGV4_E_EXPIRED;
	}
	if (now > end) {
		*why = arena_fmt_span(a, "Signature expired: %.*s is now "
		    "earlier than %s (%s - 15 min.)", SPAN_ARG(s->amz_date),
		    clock_basic(a, now - SIGV4_SKEW_MS), clock_basic(a, now));
		return SIGV4_E_EXPIRED;
	}
	return SIGV4_OK;
}

bool
sigv4_covers(const struct sigv4 *s, struct span header)
{
	struct span names = s->signed_headers;

	while (names.p)
		if (span_ieq(span_cut(&names, ';'), header))
			return true;
	return false;
}

/* The host must be covered, or the request could be sent elsewhere. */
static enum sigv4_outcome
covers_host(const struct sigv4 *s, struct span *why)
{
	if (sigv4_covers(s, SPAN("host")))
		return SIGV4_OK;
	*why = SPAN("'Host' or ':authority' must be a 'SignedHeader' in the AWS "
	    "Authorization.");
	return SIGV4_E_CLAIM;
}

static enum sigv4_outcome
in_scope(struct arena *a, const struct sigv4 *s, struct span service,
    struct span *why)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct span day = span_to(s->amz_date, 8);
	struct span end = span_from(s->scope,
	    (size_t)span_rchr(s->scope, '/') + 1);

	if (service.p && !span_eq(s->service, service))
		buf_addf(&b, "Credential should be scoped to correct service: "
		    "'%.*s'. ", SPAN_ARG(service));
	if (!span_is(end, "aws4_request"))
		buf_addf(&b, "Credential should be scoped with a valid "
		    "terminator: 'aws4_request', not '%.*s'. ",
		    SPAN_ARG(span_to(end, 100)));
	if (!span_eq(s->date, day))
		buf_addf(&b, "Date in Credential scope does not match YYYYMMDD "
		    "from ISO-8601 version of date from HTTP: '%.*s' != "
		    "'%.*s', from '%.*s'. ", SPAN_ARG(span_to(s->date, 100)),
		    SPAN_ARG(day), SPAN_ARG(s->amz_date));
	if (!b.n)
		return SIGV4_OK;
	*why = arena_span(a, buf_span(&b));
	return SIGV4_E_CLAIM;
}

enum sigv4_outcome
sigv4_claim(struct arena *a, const struct sigv4 *s, struct span service,
    int64_t now, struct span *ret_why)
{
	enum sigv4_outcome o;

	if ((o = in_time(a, s, now, ret_why)) != SIGV4_OK ||
	    (o = covers_host(s, ret_why)) != SIGV4_OK)
		return o;
	return in_scope(a, s, service, ret_why);
}

enum sigv4_outcome
sigv4_check(struct arena *a, const struct sigv4_request *r,
    const struct sigv4 *s, struct span secret, struct span body, int64_t now,
    struct span *ret_why)
{
	enum sigv4_outcome o = sigv4_claim(a, s, SPAN_NULL, now, ret_why);
	struct span canonical, sig;

	if (o != SIGV4_OK)
		return o;
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
