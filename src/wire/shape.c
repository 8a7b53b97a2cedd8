/* Names on the wire, scalars as text, refusals. */
#include <ctype.h>
#include <errno.h>
#include <math.h>

#include "base/clock.h"
#include "wire/shape.h"

static const char *
malformed_code(const struct wire_walk *w)
{
	switch (w->protocol) {
	case PROTO_JSON:
	case PROTO_CBOR:
	case PROTO_REST_JSON:
		return "SerializationException";
	case PROTO_QUERY:
		return "MalformedInput";
	case PROTO_EC2:
		return "InvalidParameterValue";
	case PROTO_REST_XML:
		return w->m && w->m->no_error_wrapping ? "InvalidArgument" :
		    "InvalidInput";
	}
	return "SerializationException";
}

int
wire_refuse(struct wire_walk *w, const char *code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	w->err->message = span_of(arena_vfmt(w->a, fmt, ap));
	va_end(ap);
	w->err->code = span_of(code ? code : malformed_code(w));
	return WIRE_E_REFUSED;
}

/* AWS, ec2Query: names are capitalized in requests; a queryName wins. */
static struct span
ec2_request_name(const struct wire_walk *w, const struct model_member *mb)
{
	struct span s = model_str(w->m, mb->query);
	char *p;

	if (s.n)
		return s;
	s = model_str(w->m, mb->wire);
	if (!s.n)
		s = model_str(w->m, mb->name);
	if (isupper((unsigned char)s.p[0]))
		return s;
	p = arena_str(w->a, s);
	p[0] = (char)toupper((unsigned char)p[0]);
	return span_make(p, s.n);
}

struct span
wire_name(const struct wire_walk *w, const struct model_member *mb)
{
	struct span s = SPAN_NULL;

	if (w->protocol == PROTO_EC2 && !w->reply)
		return ec2_request_name(w, mb);
	if (w->protocol == PROTO_QUERY)
		s = model_str(w->m, mb->query);
	if (!s.n)
		s = model_str(w->m, mb->wire);
	return s.n ? s : model_str(w->m, mb->name);
}

/* Like comparing with wire_name(), without making it. */
static bool
name_is(const struct wire_walk *w, const struct model_member *mb,
    struct span key)
{
	struct span s;

	if (w->protocol != PROTO_EC2 || w->reply || model_str(w->m,
	    mb->query).n)
		return span_eq(wire_name(w, mb), key);
	s = model_str(w->m, mb->wire);
	if (!s.n)
		s = model_str(w->m, mb->name);
	return s.n == key.n && key.n > 0 &&
	    toupper((unsigned char)s.p[0]) == toupper((unsigned char)key.p[0]) &&
	    span_eq(span_from(s, 1), span_from(key, 1));
}

/* Clients mostly send members in the model's order: go on where the last one
 * was found. */
const struct model_member *
wire_find(const struct wire_walk *w, const struct model_shape *s,
    struct span key, size_t *hint)
{
	const struct model_member *mb = model_members(w->m, s);
	size_t k = *hint;

	for (size_t i = 0; i < s->n; i++, k++) {
		if (k >= s->n)
			k = 0;
		if (name_is(w, &mb[k], key)) {
			*hint = k + 1;
			return &mb[k];
		}
	}
	return NULL;
}

const struct model_member *
wire_find_own(const struct wire_walk *w, const struct model_shape *s,
    struct span name, size_t *hint)
{
	const struct model_member *mb = model_members(w->m, s);
	size_t k = *hint;

	for (size_t i = 0; i < s->n; i++, k++) {
		if (k >= s->n)
			k = 0;
		if (span_eq(model_str(w->m, mb[k].name), name)) {
			*hint = k + 1;
			return &mb[k];
		}
	}
	return NULL;
}

enum model_time
wire_time(const struct wire_walk *w, const struct model_member *mb)
{
	if (mb->time != TIME_DEFAULT)
		return mb->time;
	if (mb->location == LOC_HEADER || mb->location == LOC_HEADERS)
		return TIME_RFC822;
	if (mb->location != LOC_BODY)
		return TIME_ISO8601;
	switch (w->protocol) {
	case PROTO_JSON:
	case PROTO_REST_JSON:
	case PROTO_CBOR:
		return TIME_EPOCH;
	case PROTO_QUERY:
	case PROTO_EC2:
	case PROTO_REST_XML:
		break;
	}
	return TIME_ISO8601;
}

bool
wire_real_read(struct arena *a, struct span text, double *ret)
{
	char *end, *s;

	if (span_is(text, "NaN"))
		*ret = NAN;
	else if (span_is(text, "Infinity"))
		*ret = INFINITY;
	else if (span_is(text, "-Infinity"))
		*ret = -INFINITY;
	else {
		/* strtod knows more spellings than AWS: hexadecimal, "inf". */
		for (size_t i = 0; i < text.n; i++)
			if (!strchr("0123456789+-.eE", text.p[i]) ||
			    !text.p[i])
				return false;
		if (text.n == 0)
			return false;
		s = arena_str(a, text);
		*ret = strtod(s, &end);
		return *end == '\0';
	}
	return true;
}

bool
wire_time_read(struct span text, double *ret)
{
	int64_t ms;

	if (!clock_parse_iso(text, &ms) && !clock_parse_http(text, &ms) &&
	    !clock_parse_basic(text, &ms))
		return false;
	*ret = (double)ms / 1000.0;
	return true;
}

int
wire_int_check(struct wire_walk *w, const struct model_shape *s, double v)
{
	double max = s->type == MODEL_INTEGER ? 2147483647.0 :
	    9223372036854774784.0;

	if (v >= -max - 1 && v <= max)
		return 0;
	return wire_refuse(w, NULL, "The value %.0f is out of range", v);
}

static struct doc *
number(struct arena *a, double v)
{
	if (v == floor(v) && fabs(v) < 9e15)
		return doc_int(a, (int64_t)v);
	return doc_real(a, v);
}

static int
not_a(struct wire_walk *w, struct span text, const char *type)
{
	return wire_refuse(w, NULL, "Value (%.*s) is not a valid %s",
	    (int)MIN(text.n, (size_t)200), text.p ? text.p : "", type);
}

static int
read_time(struct wire_walk *w, struct span text, struct doc **ret)
{
	double v;

	if (!wire_time_read(text, &v) && (!wire_real_read(w->a, text, &v) ||
	    !(fabs(v) < 9e12)))
		return not_a(w, text, "timestamp");
	*ret = number(w->a, v);
	return 0;
}

static int
read_int(struct wire_walk *w, const struct model_shape *s, struct span text,
    struct doc **ret)
{
	int64_t v;
	int r;

	if (!span_i64(text, &v))
		return not_a(w, text, s->type == MODEL_INTEGER ? "integer" :
		    "long");
	if (s->type == MODEL_INTEGER && (r = wire_int_check(w, s, (double)v)))
		return r;
	*ret = doc_int(w->a, v);
	return 0;
}

static int
read_blob(struct wire_walk *w, struct span text, struct doc **ret)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	if (!buf_add_unbase64(&b, text))
		return not_a(w, text, "base64 blob");
	*ret = doc_strdup(w->a, buf_span(&b));
	return 0;
}

int
wire_scalar_read(struct wire_walk *w, const struct model_member *mb,
    struct span text, struct doc **ret)
{
	const struct model_shape *s = wire_shape(w, mb);
	double v;

	switch ((enum model_type)s->type) {
	case MODEL_STRING:
		*ret = doc_str(w->a, text);
		return 0;
	case MODEL_BLOB:
		return read_blob(w, text, ret);
	case MODEL_BOOLEAN:
		if (!span_ieq(text, SPAN("true")) &&
		    !span_ieq(text, SPAN("false")))
			return not_a(w, text, "boolean");
		*ret = doc_bool(w->a, span_ieq(text, SPAN("true")));
		return 0;
	case MODEL_INTEGER:
	case MODEL_LONG:
		return read_int(w, s, text, ret);
	case MODEL_FLOAT:
	case MODEL_DOUBLE:
		if (!wire_real_read(w->a, text, &v))
			return not_a(w, text, "number");
		*ret = doc_real(w->a, v);
		return 0;
	case MODEL_TIMESTAMP:
		return read_time(w, text, ret);
	case MODEL_STRUCTURE:
	case MODEL_LIST:
	case MODEL_MAP:
		break;
	}
	return not_a(w, text, s->type == MODEL_LIST ? "list" : "structure");
}

void
wire_put_real(struct buf *b, double v)
{
	size_t at = b->n;

	if (isnan(v)) {
		buf_add_str(b, "NaN");
		return;
	}
	if (isinf(v)) {
		buf_add_str(b, v < 0 ? "-Infinity" : "Infinity");
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		b->n = at;
		buf_addf(b, "%.*g", digits, v);
		if (strtod(b->p + at, NULL) == v)
			return;
	}
}

/* printf would be most of the cost of a reply with many times in it. */
void
wire_put_int(struct buf *b, int64_t v)
{
	char digits[20];
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	size_t i = sizeof(digits);

	do
		digits[--i] = (char)('0' + u % 10);
	while (u /= 10);
	if (v < 0)
		buf_add_char(b, '-');
	buf_add(b, digits + i, sizeof(digits) - i);
}

static int64_t
time_ms(const struct doc *d)
{
	double s = doc_f64(d, 0);

	return (int64_t)(s * 1000.0 + (s < 0 ? -0.5 : 0.5));
}

void
wire_put_time(struct buf *b, struct arena *a, const struct doc *d,
    enum model_time time)
{
	int64_t ms = time_ms(d), frac = ms % 1000;

	switch (time) {
	case TIME_RFC822:
		buf_add_str(b, clock_http(a, ms));
		return;
	case TIME_ISO8601:
		buf_add_str(b, clock_iso(a, ms, frac != 0));
		return;
	case TIME_DEFAULT:
	case TIME_EPOCH:
		break;
	}
	if (ms < 0 && ms > -1000)
		buf_add_char(b, '-');
	wire_put_int(b, ms / 1000);
	if (frac == 0)
		return;
	frac = frac < 0 ? -frac : frac;
	buf_add_char(b, '.');
	buf_add_char(b, (char)('0' + frac / 100));
	buf_add_char(b, (char)('0' + frac / 10 % 10));
	buf_add_char(b, (char)('0' + frac % 10));
}

struct span
wire_scalar_text(const struct wire_walk *w, const struct model_member *mb,
    enum model_time time, const struct doc *d)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	const struct model_shape *s = wire_shape(w, mb);

	switch (doc_type(d)) {
	case DOC_STR:
		if (s->type != MODEL_BLOB)
			return doc_span(d);
		buf_add_base64(&b, doc_span(d).p, doc_span(d).n);
		break;
	case DOC_BOOL:
		return doc_true(d) ? SPAN("true") : SPAN("false");
	case DOC_INT:
	case DOC_REAL:
		if (s->type == MODEL_TIMESTAMP)
			wire_put_time(&b, w->a, d, time);
		else if (doc_type(d) == DOC_INT)
			wire_put_int(&b, doc_i64(d, 0));
		else
			wire_put_real(&b, doc_f64(d, 0));
		break;
	case DOC_NONE:
	case DOC_NULL:
	case DOC_ARR:
	case DOC_OBJ:
		return SPAN_NULL;
	}
	return arena_span(w->a, buf_span(&b));
}

/* Length of the UTF-8 sequence at p, or 0 if it is ill-formed. */
static size_t
utf8_len(const unsigned char *p, size_t n)
{
	size_t len = p[0] < 0x80 ? 1 : p[0] >> 5 == 6 ? 2 : p[0] >> 4 == 14 ? 3 :
	    p[0] >> 3 == 30 ? 4 : 0;
	uint32_t c;

	if (len < 2 || len > n)
		return len == 1 ? 1 : 0;
	c = p[0] & (0xffU >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if (p[i] >> 6 != 2)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < (len == 2 ? 0x80U : len == 3 ? 0x800U : 0x10000U) ||
	    c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	return len;
}

static bool
forbidden_in_xml(const unsigned char *p, size_t len)
{
	if (len == 1)
		return p[0] < 0x20 && p[0] != '\t' && p[0] != '\n' &&
		    p[0] != '\r';
	return len == 3 && p[0] == 0xef && p[1] == 0xbf && p[2] >= 0xbe;
}

struct span
wire_clean_text(struct arena *a, struct span s, bool xml)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	const unsigned char *p = (const unsigned char *)s.p;
	size_t i = 0, len;

	while (i < s.n && p[i] < 0x80 && (!xml || !forbidden_in_xml(p + i, 1)))
		i++;
	if (i == s.n)
		return s;
	buf_add(&b, p, i);
	while (i < s.n) {
		len = utf8_len(p + i, s.n - i);
		if (len && (!xml || !forbidden_in_xml(p + i, len)))
			buf_add(&b, p + i, len);
		else
			buf_add_str(&b, "\xef\xbf\xbd");
		i += len ? len : 1;
	}
	return arena_span(a, buf_span(&b));
}
