/* The stages of a request, in order, and its way back to the client. */
#include "api/body.h"
#include "base/clock.h"
#include "base/gunzip.h"
#include "base/id.h"
#include "base/log.h"
#include "base/version.h"
#include "wire/model.h"

#define BODY_MAX	  (16u << 20)
/* What comes without a signature is small: a web identity token at most. */
#define BODY_MAX_UNSIGNED (128u << 10)

/* Why a caller was not let in. */
enum refusal {
	NO_TOKEN, INCOMPLETE, UNKNOWN_KEY, BAD_TOKEN, OLD_TOKEN, MISMATCH,
	SCOPE, EXPIRED, TAMPERED, REFUSALS
};

enum family {
	FAMILY_JSON, FAMILY_REST_JSON, FAMILY_QUERY, FAMILY_EC2, FAMILY_S3,
	FAMILIES
};

#define MISMATCH_TEXT                                                   \
	"The request signature we calculated does not match the signature " \
	"you provided. Check your AWS Secret Access Key and signing method. " \
	"Consult the service documentation for details."
#define S3_MISMATCH_TEXT                                                \
	"The request signature we calculated does not match the signature " \
	"you provided. Check your key and signing method."
#define BAD_TOKEN_TEXT "The security token included in the request is invalid."
#define OLD_TOKEN_TEXT "The security token included in the request is expired"
#define EC2_TEXT                                                        \
	"AWS was not able to validate the provided access credentials"

/* https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html,
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html,
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html.
 * text NULL: what the check found. */
static const struct {
	int status;
	const char *code;
	const char *text;
} refusals[REFUSALS][FAMILIES] = {
	[NO_TOKEN] = {
	    {400, "MissingAuthenticationTokenException",
		"Missing Authentication Token"},
	    {403, "MissingAuthenticationTokenException",
		"Missing Authentication Token"},
	    {403, "MissingAuthenticationToken",
		"Request is missing Authentication Token"},
	    {401, "AuthFailure", EC2_TEXT},
	    {403, "AccessDenied", "Access Denied"}},
	[INCOMPLETE] = {
	    {400, "IncompleteSignatureException", NULL},
	    {403, "IncompleteSignatureException", NULL},
	    {400, "IncompleteSignature", NULL},
	    {401, "AuthFailure", EC2_TEXT},
	    {400, "AuthorizationHeaderMalformed", NULL}},
	[UNKNOWN_KEY] = {
	    {400, "UnrecognizedClientException", BAD_TOKEN_TEXT},
	    {403, "UnrecognizedClientException", BAD_TOKEN_TEXT},
	    {403, "InvalidClientTokenId", BAD_TOKEN_TEXT},
	    {401, "AuthFailure", EC2_TEXT},
	    {403, "InvalidAccessKeyId", "The AWS Access Key Id you provided "
		"does not exist in our records."}},
	[BAD_TOKEN] = {
	    {400, "UnrecognizedClientException", BAD_TOKEN_TEXT},
	    {403, "UnrecognizedClientException", BAD_TOKEN_TEXT},
	    {403, "InvalidClientTokenId", BAD_TOKEN_TEXT},
	    {401, "AuthFailure", EC2_TEXT},
	    {400, "InvalidToken", "The provided token is malformed or "
		"otherwise invalid."}},
	[OLD_TOKEN] = {
	    {400, "ExpiredTokenException", OLD_TOKEN_TEXT},
	    {403, "ExpiredTokenException", OLD_TOKEN_TEXT},
	    {403, "ExpiredToken", OLD_TOKEN_TEXT},
	    {400, "RequestExpired", "Request has expired."},
	    {400, "ExpiredToken", "The provided token has expired."}},
	[MISMATCH] = {
	    {400, "InvalidSignatureException", MISMATCH_TEXT},
	    {403, "InvalidSignatureException", MISMATCH_TEXT},
	    {403, "SignatureDoesNotMatch", MISMATCH_TEXT},
	    {401, "AuthFailure", EC2_TEXT},
	    {403, "SignatureDoesNotMatch", S3_MISMATCH_TEXT}},
	[SCOPE] = {
	    {400, "InvalidSignatureException", NULL},
	    {403, "InvalidSignatureException", NULL},
	    {403, "SignatureDoesNotMatch", NULL},
	    {401, "AuthFailure", EC2_TEXT},
	    {400, "AuthorizationHeaderMalformed", NULL}},
	[EXPIRED] = {
	    {400, "InvalidSignatureException", NULL},
	    {403, "InvalidSignatureException", NULL},
	    {403, "SignatureDoesNotMatch", NULL},
	    {400, "RequestExpired", "Request has expired."},
	    {403, "RequestTimeTooSkewed", "The difference between the request "
		"time and the current time is too large."}},
	[TAMPERED] = {
	    {400, "InvalidSignatureException", MISMATCH_TEXT},
	    {403, "InvalidSignatureException", MISMATCH_TEXT},
	    {403, "SignatureDoesNotMatch", MISMATCH_TEXT},
	    {401, "AuthFailure", EC2_TEXT},
	    {400, "XAmzContentSHA256Mismatch", "The provided "
		"'x-amz-content-sha256' header does not match what was "
		"computed."}},
};

static const struct wire_error too_large = {.status = 413,
	.code = SPAN("RequestEntityTooLargeException"),
	.message = SPAN("The request body is too large.")};

static enum family
family(const struct api_request *r)
{
	switch (r->target.protocol) {
	case PROTO_QUERY:
		return FAMILY_QUERY;
	case PROTO_EC2:
		return FAMILY_EC2;
	case PROTO_REST_XML: /* S3, and Route 53 that refuses as IAM does */
		return r->target.model && r->target.model->no_error_wrapping ?
		    FAMILY_S3 : FAMILY_QUERY;
	case PROTO_REST_JSON:
		return FAMILY_REST_JSON;
	case PROTO_JSON:
	case PROTO_CBOR:
		break;
	}
	return FAMILY_JSON;
}

/* Stages.  Each returns 0 to go on or WIRE_E_REFUSED with *err filled. */

static int
refuse(struct api_request *r, enum refusal why, struct span detail,
    struct wire_error *err)
{
	enum family f = family(r);
	const char *text = refusals[why][f].text;

	*err = (struct wire_error){.status = refusals[why][f].status,
	    .code = span_of(refusals[why][f].code),
	    .message = text ? span_of(text) : detail};
	return WIRE_E_REFUSED;
}

static struct sigv4_request
signed_part(const struct api_request *r)
{
	return (struct sigv4_request){r->in.method, r->in.path, r->in.query,
	    r->in.headers, r->in.n_headers};
}

/* The last encoding is the outermost. */
static bool
is_gzip(const struct api_request *r)
{
	struct span e = wire_header_get(&r->in, "content-encoding");
	ptrdiff_t comma = span_rchr(e, ',');

	return span_ieq(span_trim(span_from(e, (size_t)(comma + 1))),
	    SPAN("gzip"));
}

/* BUCKET.localhost, BUCKET.s3.ANYTHING, BUCKET.s3-REGION.amazonaws.com.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html */
static struct span
host_bucket(struct span host)
{
	ptrdiff_t i, at = -1;

	host = span_to(host, (size_t)(span_rchr(host, ':') >= 0 ?
	    span_rchr(host, ':') : (ptrdiff_t)host.n));
	for (i = 0; (size_t)i < host.n; i++)
		if (span_starts(span_from(host, (size_t)i), SPAN(".s3.")) ||
		    span_starts(span_from(host, (size_t)i), SPAN(".s3-")))
			at = i;
	if (at < 0 && !span_starts(host, SPAN("s3.")) &&
	    span_ends(host, SPAN(".localhost")))
		at = (ptrdiff_t)host.n - 10;
	return at > 0 ? span_to(host, (size_t)at) : SPAN_NULL;
}

/* The credential scope helps to identify, so it is read first; what is wrong
 * with it is told after the protocol is known.  Nobody's body is unpacked
 * before it is known who sent it: until then the headers must do. */
static int
stage_identify(struct api_request *r, struct wire_error *err)
{
	struct sigv4_request s = signed_part(r);
	struct wire_in in = r->in;
	int ret;

	r->read = sigv4_read(r->arena, &s, &r->sig, &r->why);
	if (span_is(r->sig.service, "s3"))
		r->in.bucket = host_bucket(r->call.host);
	in.bucket = r->in.bucket;
	r->in.service = in.service = r->sig.service;
	in.body = is_gzip(r) ? SPAN_NULL : span_make(in.body.p ? in.body.p : "",
	    in.body.n);
	ret = wire_identify(r->arena, &in, &r->target, err);
	return ret == WIRE_E_BODY ? 0 : ret;
}

/* Which refusal an outcome is; SIGV4_OK is none. */
static int
refuse_outcome(struct api_request *r, enum sigv4_outcome o, struct span why,
    struct wire_error *err)
{
	switch (o) {
	case SIGV4_OK:
		return 0;
	case SIGV4_E_MISSING:
		return refuse(r, NO_TOKEN, why, err);
	case SIGV4_E_INCOMPLETE:
		refuse(r, INCOMPLETE, why, err);
		if (r->sig.presigned && family(r) == FAMILY_S3)
			err->code = SPAN("AuthorizationQueryParametersError");
		return WIRE_E_REFUSED;
	case SIGV4_E_CLAIM:
		return refuse(r, SCOPE, why, err);
	case SIGV4_E_MISMATCH:
		return refuse(r, MISMATCH, why, err);
	case SIGV4_E_EXPIRED:
		break;
	}
	refuse(r, EXPIRED, why, err);
	/* AWS: S3 tells a stale link from a wrong clock. */
	if (r->sig.presigned && family(r) == FAMILY_S3) {
		err->code = SPAN("AccessDenied");
		err->message = SPAN("Request has expired");
	}
	return WIRE_E_REFUSED;
}

/* S3 insists on what other services leave to the client. */
static int
s3_unsigned(struct api_request *r, struct wire_error *err)
{
	for (size_t i = 0; i < r->in.n_headers; i++) {
		struct span name = r->in.headers[i].name;

		if (!span_ieq(span_to(name, 6), SPAN("x-amz-")) ||
		    sigv4_covers(&r->sig, name))
			continue;
		*err = (struct wire_error){.status = 403,
		    .code = SPAN("AccessDenied"), .message = SPAN("There were "
		    "headers present in the request which were not signed")};
		return WIRE_E_REFUSED;
	}
	return 0;
}

static int
refuse_failure(struct wire_error *err, int e)
{
	log_error("cannot authenticate: %s (%s)", err_last(), strerror(-e));
	*err = (struct wire_error){.status = 500,
	    .code = SPAN("InternalFailure"), .message = SPAN("The request "
	    "processing has failed because of an unknown error, exception or "
	    "failure.")};
	return WIRE_E_REFUSED;
}

/* The key's secret and principal, not proved yet. */
static int
find_caller(struct api_request *r, struct credential *ret,
    struct wire_error *err)
{
	const struct api_config *c = &r->api->config;
	int e = CREDENTIAL_E_UNKNOWN;

	*ret = (struct credential){.secret = c->root.secret_key,
	    .who = {.account = c->root.account, .id = c->root.account,
		.access_key = c->root.access_key}};
	if (span_eq(r->sig.access_key, c->root.access_key) &&
	    !r->sig.token.n) {
		ret->who.arn = arena_fmt_span(r->arena,
		    "arn:aws:iam::%.*s:root", SPAN_ARG(c->root.account));
		return 0;
	}
	if (c->credential)
		e = c->credential(c->credential_ctx, r->arena, c->root.account,
		    r->sig.access_key, r->sig.token, ret);
	if (e == CREDENTIAL_E_TOKEN)
		return refuse(r, BAD_TOKEN, SPAN_NULL, err);
	if (e == CREDENTIAL_E_EXPIRED)
		return refuse(r, OLD_TOKEN, SPAN_NULL, err);
	if (e > 0)
		return refuse(r, UNKNOWN_KEY, SPAN_NULL, err);
	return e < 0 ? refuse_failure(err, e) : 0;
}

/* The signature is true: so is who made it. */
static int
let_in(struct api_request *r, const struct credential *c,
    struct wire_error *err)
{
	const struct api_config *config = &r->api->config;
	int e = c->holder && config->credential_used ?
	    config->credential_used(config->credential_ctx, r->arena, c,
		r->sig.service, r->sig.region) : 0;

	r->secret = c->secret;
	r->call.who = c->who;
	return e < 0 ? refuse_failure(err, e) : 0;
}

/* Operations that bring a proof of their own. */
static bool
comes_unsigned(const struct api_request *r)
{
	return r->read == SIGV4_E_MISSING && r->target.op &&
	    (r->target.op->flags & OP_UNSIGNED);
}

static int
stage_authenticate(struct api_request *r, struct wire_error *err)
{
	const struct model *m = r->target.model;
	struct sigv4_request s = signed_part(r);
	int64_t now = clock_ms();
	struct span why = SPAN_NULL;
	enum sigv4_outcome o;
	struct credential c;

	if (comes_unsigned(r)) {
		r->call.who.account = r->api->config.root.account;
		return 0;
	}
	/* A signature for one service must not open another. */
	if ((o = r->read) != SIGV4_OK)
		return refuse_outcome(r, o, r->why, err);
	o = sigv4_claim(r->arena, &r->sig,
	    m ? span_of(m->signing_name) : SPAN_NULL, now, &why);
	if (o != SIGV4_OK)
		return refuse_outcome(r, o, why, err);
	if (find_caller(r, &c, err))
		return WIRE_E_REFUSED;
	o = sigv4_check(r->arena, &s, &r->sig, c.secret, r->in.body, now, &why);
	if (o != SIGV4_OK)
		return refuse_outcome(r, o, why, err);
	if (family(r) == FAMILY_S3 && s3_unsigned(r, err))
		return WIRE_E_REFUSED;
	return let_in(r, &c, err);
}

static bool
add_piece(void *ctx, struct span piece)
{
	buf_add_span(ctx, piece);
	return true;
}

static int
s3_body(struct api_request *r, struct wire_error *err)
{
	_cleanup_(payload_free_p) struct payload *p = NULL;
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct payload_config config = {.arena = r->arena, .in = &r->in,
	    .sig = &r->sig, .secret = r->secret,
	    .sink = add_piece, .ctx = &b};
	int ret;

	config.sum_apart = r->target.op && span_is(model_op_name(
	    r->target.op), "CompleteMultipartUpload");
	if ((ret = payload_new(&config, &p, err)) ||
	    (ret = payload_feed(p, r->in.body, err)) ||
	    (ret = payload_end(p, err)))
		return ret;
	if (b.n != r->in.body.n)
		r->in.body = arena_span(r->arena, buf_span(&b));
	return 0;
}

/* SDKs compress the requests of some operations.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-compression.html */
static int
unpack(struct api_request *r, struct wire_error *err)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	bool json = family(r) == FAMILY_JSON || family(r) == FAMILY_REST_JSON;

	*err = (struct wire_error){.status = 400,
	    .code = span_of(json ? "SerializationException" : "MalformedInput"),
	    .message = SPAN("The request body is not valid gzip")};
	switch (gunzip(&b, r->in.body, BODY_MAX)) {
	case GUNZIP_OK:
		break;
	case GUNZIP_E_LARGE:
		*err = too_large;
		return WIRE_E_REFUSED;
	case GUNZIP_E_SYNTAX:
		return WIRE_E_REFUSED;
	}
	r->in.body = arena_span(r->arena, buf_span(&b));
	if (!r->target.op)
		return wire_identify(r->arena, &r->in, &r->target, err);
	return 0;
}

/* The body as it was signed, then as it was before the client packed it.
 * Only S3 lets bodies go unsigned or signed in pieces. */
static int
stage_body(struct api_request *r, struct wire_error *err)
{
	if (family(r) == FAMILY_S3)
		return s3_body(r, err);
	if (span_is(r->sig.payload, "UNSIGNED-PAYLOAD"))
		return refuse(r, MISMATCH, SPAN_NULL, err);
	if (!sigv4_payload_ok(r->arena, &r->sig, r->in.body))
		return refuse(r, TAMPERED, SPAN_NULL, err);
	return is_gzip(r) ? unpack(r, err) : 0;
}

static int
stage_decode(struct api_request *r, struct wire_error *err)
{
	struct doc *in = NULL;
	int ret = wire_decode(r->arena, &r->target, &r->in, &in, err);

	r->call.in = in;
	return ret;
}

static int
stage_validate(struct api_request *r, struct wire_error *err)
{
	return wire_validate(r->arena, &r->target, r->call.in, err);
}

/* Policies will be evaluated here: auth/policy.h tells what one document says,
 * call.who has the entity whose policies count, and the session's own.  It
 * comes so late because conditions look at the decoded parameters.  Until then
 * whoever the account knows is let in. */
static int
stage_authorise(struct api_request *r, struct wire_error *err UNUSED)
{
	AN(r->call.who.account.n);
	return 0;
}

static int (*const stages[])(struct api_request *, struct wire_error *) = {
	stage_identify, stage_authenticate, stage_body, stage_decode,
	stage_validate, stage_authorise,
};

/* Back to the client */

static void
request_free(struct api_request *r)
{
	CHECK_OBJ(r, AREQ_MAGIC);
	if (r->http)
		r->http->user = NULL;
	body_free(TAKE_PTR(r->body));
	reply_close(r->reply);
	r->magic = 0;
	arena_free(r->arena);
}

static void
encode(struct api_request *r, struct wire_out *out)
{
	struct span id = r->call.request_id;

	if (r->reply->kind == REPLY_OK)
		wire_encode(r->arena, &r->target, r->reply->out, id, out);
	else
		wire_encode_error(r->arena, &r->target, &r->reply->error, id,
		    out);
	doc_each_key(k, v, r->reply->headers)
		wire_header_add(r->arena, out, arena_str(r->arena, k),
		    doc_span(v));
	if (r->reply->status)
		out->status = r->reply->status;
	if (out->status == 304)
		out->body = SPAN_NULL;
}

static ssize_t
seq_read(void *ctx, char *p, size_t n)
{
	return file_seq_read(ctx, p, n);
}

static void
seq_done(void *ctx)
{
	file_seq_free(ctx);
}

/* A reply to HEAD tells no more than the length. */
static void
send_file(struct reply *reply, struct http_response *resp)
{
	resp->offset = reply->offset;
	resp->length = reply->length;
	if (resp->head)
		return;
	resp->fd = TAKE_FD(reply->fd);
	if (!reply->seq)
		return;
	resp->read = seq_read;
	resp->done = seq_done;
	resp->ctx = TAKE_PTR(reply->seq);
}

static void
plain(struct http_request *h, int status, const char *type, struct span body)
{
	struct http_header head = {SPAN("Content-Type"), span_of(type)};
	struct http_response resp = HTTP_RESPONSE(status);

	resp.headers = &head;
	resp.n_headers = 1;
	resp.body = body;
	http_respond(h, &resp);
}

static void
respond(struct api_request *r)
{
	struct http_response resp = HTTP_RESPONSE(0);
	struct wire_out out = {0};

	if (r->http && r->open) {
		plain(r->http, r->open, "text/plain", SPAN_NULL);
	} else if (r->http) {
		encode(r, &out);
		resp.status = out.status;
		resp.headers = (const struct http_header *)out.headers;
		resp.n_headers = out.n_headers;
		resp.body = out.body;
		resp.head = span_is(r->http->method, "HEAD");
		if (r->reply->file)
			send_file(r->reply, &resp);
		http_respond(r->http, &resp);
	}
	request_free(r);
}

static void
on_durable(void *ctx, int err)
{
	struct api_request *r;

	CAST_OBJ(r, ctx, AREQ_MAGIC);
	if (err < 0 && r->open) {
		r->open = 500;
	} else if (err < 0) {
		reply_close(r->reply);
		r->reply = reply_failure(&r->call, err);
		if (r->call.body)
			r->call.body->kept = false;
	}
	respond(r);
}

void
request_finish(struct api_request *r, struct reply *reply)
{
	CHECK_OBJ(r, AREQ_MAGIC);
	r->reply = reply;
	if (store_dirty(r->api->config.store))
		store_on_commit(r->api->config.store, on_durable, r);
	else
		respond(r);
}

static void
refuse_now(struct api_request *r, const struct wire_error *err)
{
	r->reply = reply_wire_error(&r->call, err);
	respond(r);
}

static void
dispatch(struct api_request *r)
{
	struct reply *reply;

	r->called = true;
	r->call.op = r->target.op;
	r->call.service = api_service(r->api, span_of(r->target.model->name));
	r->call.scope.account = r->call.who.account;
	r->call.scope.region = r->sig.region;
	reply = call_run(&r->call);
	if (reply->kind != REPLY_LATER)
		request_finish(r, reply);
}

static void
run_stages(struct api_request *r)
{
	struct wire_error err = {0};

	for (; r->stage < ARRAY_SIZE(stages); r->stage++)
		if (stages[r->stage](r, &err)) {
			refuse_now(r, &err);
			return;
		}
	dispatch(r);
}

static struct api_request *
request_new(struct api *api, struct http_request *h)
{
	struct arena *a = arena_new();
	struct api_request *r = arena_new_of(a, struct api_request);

	r->magic = AREQ_MAGIC;
	r->arena = a;
	r->api = api;
	r->http = h;
	_Static_assert(sizeof(struct wire_header) == sizeof(struct http_header),
	    "the same layout");
	r->in = (struct wire_in){.method = h->method, .path = h->path,
	    .query = h->query, .headers = (const struct wire_header *)h->headers,
	    .n_headers = h->n_headers, .body = buf_span(&h->body)};
	r->call = (struct call){.magic = CALL_MAGIC, .arena = a, .api = api,
	    .store = api->config.store, .request = r,
	    .request_id = span_of(id_uuid(a)), .files = api->config.files,
	    .host = http_header(h, "host"), .in = doc_obj(a)};
	r->call.origin = arena_fmt_span(a, "http://%.*s",
	    SPAN_ARG(r->call.host));
	h->user = r;
	return r;
}

/* Streamed bodies.  All that can be refused is, before the body comes. */

static void
body_failed(struct api_request *r, int why, const struct wire_error *err)
{
	if (why == WIRE_E_REFUSED) {
		refuse_now(r, err);
		return;
	}
	r->call.op = r->target.op;
	r->reply = reply_failure(&r->call, why);
	respond(r);
}

static void
on_room(void *ctx)
{
	struct api_request *r;

	CAST_OBJ(r, ctx, AREQ_MAGIC);
	http_resume(r->http);
}

static bool
on_piece(struct http_request *h, struct span piece)
{
	struct wire_error err = {0};
	struct api_request *r;
	int why;

	CAST_OBJ(r, h->user, AREQ_MAGIC);
	if ((why = body_state(r->body, r->arena, &err))) {
		body_failed(r, why, &err);
		return false;
	}
	if (!body_add(r->body, piece, on_room, r))
		http_pause(h);
	return true;
}

static void
on_stored(void *ctx)
{
	struct wire_error err = {0};
	struct api_request *r;
	int why;

	CAST_OBJ(r, ctx, AREQ_MAGIC);
	if ((why = body_state(r->body, r->arena, &err))) {
		body_failed(r, why, &err);
		return;
	}
	r->call.body = body_call(r->body);
	dispatch(r);
}

/* AWS: a PUT tells its length; chunked transfer coding does not. */
static int
stage_length(struct api_request *r, struct wire_error *err)
{
	struct span length = wire_header_get(&r->in,
	    "x-amz-decoded-content-length");
	uint64_t n = 0;

	if (!length.p)
		length = wire_header_get(&r->in, "content-length");
	if (!length.p) {
		*err = (struct wire_error){.status = 411,
		    .code = SPAN("MissingContentLength"), .message = SPAN("You "
		    "must provide the Content-Length HTTP header.")};
		return WIRE_E_REFUSED;
	}
	if (span_u64(length, &n) && n <= BODY_FILE_MAX)
		return 0;
	*err = (struct wire_error){.status = 400,
	    .code = SPAN("EntityTooLarge"), .message = SPAN("Your proposed "
	    "upload exceeds the maximum allowed size")};
	return WIRE_E_REFUSED;
}

static int
stage_file(struct api_request *r, struct wire_error *err)
{
	return body_new(r->api, r->arena, &r->in, &r->sig, r->secret, &r->body,
	    err);
}

/* Without a claim of it the signature would cover a body that is to come. */
static int
stage_claim(struct api_request *r, struct wire_error *err)
{
	if (r->read != SIGV4_OK || r->sig.payload.n || r->sig.presigned)
		return 0;
	*err = (struct wire_error){.status = 400,
	    .code = SPAN("InvalidRequest"), .message = SPAN("Missing required "
	    "header for this request: x-amz-content-sha256")};
	return WIRE_E_REFUSED;
}

static int (*const stages_before_body[])(struct api_request *,
    struct wire_error *) = {
	stage_length, stage_claim, stage_authenticate, stage_decode,
	stage_validate, stage_authorise, stage_file,
};

static bool
is_streamed(const struct api_request *r)
{
	const struct model *m = r->target.model;

	return r->target.op && wire_streams_in(r->target.op) &&
	    call_has_handler(api_service(r->api, span_of(m->name)),
	    r->target.op);
}

static void
expect_body(struct api *api, struct http_request *h, struct http_plan *plan)
{
	struct api_request *r = request_new(api, h);
	struct wire_error err = {0};
	int why;

	r->in.body = SPAN_NULL;
	if (stage_identify(r, &err))
		return; /* said again with the body */
	r->stage = 1;
	if (!is_streamed(r))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(stages_before_body); i++)
		if ((why = stages_before_body[i](r, &err))) {
			body_failed(r, why, &err);
			return;
		}
	plan->on_body = on_piece;
}

/* Does the credential's scope say S3? */
static bool
claims_s3(const struct http_request *h)
{
	return span_find(http_header(h, "authorization"), SPAN("/s3/")) >= 0 ||
	    span_find(h->query, SPAN("%2Fs3%2F")) >= 0 ||
	    span_find(h->query, SPAN("%2fs3%2f")) >= 0;
}

static void
on_request(void *ctx, struct http_request *h, struct http_plan *plan)
{
	bool claims = http_header(h, "authorization").n ||
	    span_find(h->query, SPAN("X-Amz-Signature=")) >= 0;
	struct api *api;

	CAST_OBJ(api, ctx, API_MAGIC);
	plan->body_max = claims ? BODY_MAX : BODY_MAX_UNSIGNED;
	if (api->config.files && claims_s3(h))
		expect_body(api, h, plan);
}

static void
on_too_large(void *ctx, struct http_request *h)
{
	struct wire_error e = too_large;
	struct wire_error unused = {0};
	struct api_request *r;
	struct api *api;

	CAST_OBJ(api, ctx, API_MAGIC);
	r = h->user ? h->user : request_new(api, h);
	if (!r->target.op)
		stage_identify(r, &unused);
	if (family(r) == FAMILY_S3)
		e = (struct wire_error){.status = 400,
		    .code = SPAN("EntityTooLarge"), .message = SPAN("Your "
		    "proposed upload exceeds the maximum allowed size")};
	r->reply = reply_wire_error(&r->call, &e);
	respond(r);
}

static void
reset(struct api *api, struct http_request *h)
{
	if (api->resetting) {
		plain(h, 409, "text/plain", SPAN("a reset is under way\n"));
		return;
	}
	api->resetting = true;
	api->reset = h;
	if (api->config.on_reset)
		api->config.on_reset(api->config.on_reset_ctx);
	else
		api_reset(api);
}

void
api_reset(struct api *api)
{
	struct http_request *h = TAKE_PTR(api->reset);
	int r = store_wipe(api->config.store);

	AN(api->resetting);
	api->resetting = false;
	api_forget_scopes(api);
	store_commit(api->config.store);
	if (h && r < 0)
		plain(h, 500, "text/plain", SPAN("the store cannot be emptied\n"));
	else if (h)
		plain(h, 200, "application/json", SPAN("{\"reset\":true}\n"));
}

/* Requests that prove themselves */

static const struct service *
open_service(const struct api *api, struct span path)
{
	for (const struct service *const *s = api->config.services; *s; s++)
		if ((*s)->open_path &&
		    span_starts(path, span_of((*s)->open_path)))
			return *s;
	return NULL;
}

static int
open_call(struct store *store, const struct service *s,
    struct open_call *c)
{
	int status = store_savepoint(store);

	if (status < 0)
		return err_trace(status);
	status = s->open(c);
	if (status < 0 || status >= 300)
		store_rollback(store);
	else
		store_release(store);
	return status;
}

static void
open_run(struct api *api, const struct service *s, struct http_request *h)
{
	struct api_request *r = request_new(api, h);
	struct store *store = api->config.store;
	struct open_call c = {r->arena, store, h->method, h->path, h->query,
		buf_span(&h->body)};
	int status = open_call(store, s, &c);

	r->called = true;
	r->open = status < 0 ? 500 : status;
	if (store_dirty(store))
		store_on_commit(store, on_durable, r);
	else
		respond(r);
}

static void
internal(struct api *api, struct http_request *h)
{
	if (span_is(h->path, "/_neargate/health") && span_is(h->method, "GET"))
		plain(h, 200, "application/json", arena_fmt_span(h->arena,
		    "{\"status\":\"ready\",\"version\":\"%s\"}\n",
		    neargate_version));
	else if (span_is(h->path, "/_neargate/reset") &&
	    span_is(h->method, "POST") && api->config.ephemeral)
		reset(api, h);
	else
		plain(h, 404, "text/plain", SPAN("not here\n"));
}

static void
on_complete(void *ctx, struct http_request *h)
{
	struct api_request *r = h->user;
	struct api *api;

	CAST_OBJ(api, ctx, API_MAGIC);
	if (!r && span_starts(h->path, SPAN("/_neargate/"))) {
		internal(api, h);
		return;
	}
	if (!r && open_service(api, h->path)) {
		open_run(api, open_service(api, h->path), h);
		return;
	}
	if (r && r->body) {
		body_end(r->body, on_stored, r);
		return;
	}
	r = r ? r : request_new(api, h);
	r->in.body = buf_span(&h->body);
	run_stages(r);
}

/* A call's work goes on: it may have been written already.  Before that there
 * is nobody to work for. */
static void
on_abort(void *ctx, struct http_request *h)
{
	struct api_request *r = h->user;
	struct api *api;

	CAST_OBJ(api, ctx, API_MAGIC);
	if (h == api->reset)
		api->reset = NULL;
	if (r) {
		CHECK_OBJ(r, AREQ_MAGIC);
		r->http = NULL;
		if (!r->called && !r->reply)
			request_free(r);
	}
}

static struct span
load_token_key(struct store *s, struct arena *a)
{
	struct span key;
	int r = store_setting(s, a, "page_token_key", &key);

	if (r == STORE_E_NOT_FOUND) {
		key = span_of(id_hex(a, 64));
		r = store_set_setting(s, "page_token_key", key);
	}
	AZ(r);
	return key;
}

struct api *
api_new(const struct api_config *c)
{
	struct api *api;

	ALLOC_OBJ(api, API_MAGIC);
	api->arena = arena_new();
	api->config = *c;
	api->config.root.account = arena_span(api->arena, c->root.account);
	api->config.root.access_key = arena_span(api->arena, c->root.access_key);
	api->config.root.secret_key = arena_span(api->arena, c->root.secret_key);
	api->token_key = load_token_key(c->store, api->arena);
	api->handler = (struct http_handler){.on_request = on_request,
	    .on_complete = on_complete, .on_abort = on_abort,
	    .on_too_large = on_too_large, .ctx = api};
	return api;
}

void
api_set_origin(struct api *api, struct span origin)
{
	api->origin = arena_span(api->arena, origin);
}

struct span
api_origin(const struct api *api)
{
	return api->origin;
}

void
api_free(struct api *api)
{
	if (!api)
		return;
	CHECK_OBJ(api, API_MAGIC);
	api_forget_scopes(api);
	arena_free(api->arena);
	FREE_OBJ(api);
}

const struct http_handler *
api_handler(struct api *api)
{
	CHECK_OBJ(api, API_MAGIC);
	return &api->handler;
}
