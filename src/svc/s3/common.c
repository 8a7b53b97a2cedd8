/* Errors, lookups and garbage. */
#include "base/err.h"
#include "base/id.h"
#include "base/log.h"
#include "store/files.h"
#include "svc/s3/s3.h"

#define KEY_MAX	   1024
#define SWEEP_STEP 256

struct reply *
s3_fail(struct call *c, int r)
{
	return reply_failure(c, r < 0 ? r : err_fold(r));
}

struct reply *
s3_error(struct call *c, const char *code, const char *member,
    struct span value, const char *message)
{
	struct doc *d = doc_obj(c->arena);

	return reply_error_with(c, 0, code,
	    doc_set_str(c->arena, d, member, value), "%s", message);
}

struct reply *
s3_no_bucket(struct call *c, struct span name)
{
	return s3_error(c, "NoSuchBucket", "BucketName", name,
	    "The specified bucket does not exist");
}

struct reply *
s3_no_key(struct call *c, struct span key)
{
	return s3_error(c, "NoSuchKey", "Key", key,
	    "The specified key does not exist.");
}

struct reply *
s3_invalid(struct call *c, const char *name, struct span value,
    const char *message)
{
	struct doc *d = doc_obj(c->arena);

	doc_set_str(c->arena, d, "ArgumentName", span_of(name));
	doc_set_str(c->arena, d, "ArgumentValue", value);
	return reply_error_with(c, 400, "InvalidArgument", d, "%s", message);
}

struct reply *
s3_malformed(struct call *c)
{
	return reply_error(c, "MalformedXML", "The XML you provided was not "
	    "well-formed or did not validate against our published schema");
}

struct reply *
s3_read_count(struct call *c, const char *member, const char *name,
    int64_t otherwise, int64_t *ret)
{
	const struct doc *v = doc_get(c->in, member);
	int64_t n = doc_i64(v, otherwise);

	if (n < 0 || n > INT32_MAX)
		return s3_invalid(c, name, arena_fmt_span(c->arena, "%lld",
		    (long long)n), arena_fmt(c->arena, "Argument %s must be "
		    "an integer between 0 and 2147483647", name));
	*ret = n;
	return NULL;
}

struct reply *
s3_get_bucket(struct call *c, struct span name, struct span owner,
    struct res **ret)
{
	struct res *bucket;
	int r = store_get(c->store, c->arena, &s3_bucket, c->scope, SPAN_NULL,
	    name, &bucket);

	if (r == STORE_E_NOT_FOUND)
		return s3_no_bucket(c, name);
	if (r)
		return s3_fail(c, r);
	if (owner.n && !span_eq(owner, c->scope.account))
		return reply_error(c, "AccessDenied", "Access Denied");
	*ret = bucket;
	return NULL;
}

struct reply *
s3_find_bucket(struct call *c, struct res **ret)
{
	return s3_get_bucket(c, doc_get_str(c->in, "Bucket"),
	    doc_get_str(c->in, "ExpectedBucketOwner"), ret);
}

/* RFC 3629: no overlong forms, no surrogates. */
static bool
is_utf8(struct span s)
{
	const unsigned char *p = (const unsigned char *)s.p, *end = p + s.n;

	while (p < end) {
		unsigned c = *p++, more = c < 0x80 ? 0 : c < 0xe0 ? 1 :
		    c < 0xf0 ? 2 : 3;
		unsigned v = more ? c & (0x3fu >> more) : c;

		if ((c >= 0x80 && c < 0xc2) || c > 0xf4 ||
		    (size_t)(end - p) < more)
			return false;
		for (unsigned i = 0; i < more; i++, p++) {
			if ((*p & 0xc0) != 0x80)
				return false;
			v = v << 6 | (*p & 0x3f);
		}
		if ((more == 2 && (v < 0x800 || (v >= 0xd800 && v < 0xe000))) ||
		    (more == 3 && (v < 0x10000 || v > 0x10ffff)))
			return false;
	}
	return true;
}

struct reply *
s3_check_key(struct call *c, struct span key)
{
	struct doc *d = doc_obj(c->arena);

	if (key.n > KEY_MAX) {
		doc_setf(c->arena, d, "Size", "%zu", key.n);
		doc_set_str(c->arena, d, "MaxSizeAllowed", SPAN("1024"));
		return reply_error_with(c, 400, "KeyTooLongError", d,
		    "Your key is too long");
	}
	/* Zero bytes part keys from what follows them in our ids. */
	if (!is_utf8(key) || memchr(key.p, 0, key.n))
		return reply_error(c, "InvalidURI",
		    "Couldn't parse the specified URI.");
	return NULL;
}

struct doc *
s3_owner(struct call *c)
{
	struct doc *d = doc_obj(c->arena);

	/* AWS: the canonical user id, 64 hex digits that belong to the
	 * account. */
	return doc_set_str(c->arena, d, "ID", span_of(sha256_hex(c->arena,
	    arena_fmt_span(c->arena, "canonical user %.*s",
	    SPAN_ARG(c->scope.account)))));
}

struct span
s3_encoded(struct call *c, struct span s)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	if (!span_is(doc_get_str(c->in, "EncodingType"), "url"))
		return s;
	buf_add_uri(&b, s, true);
	return arena_span(c->arena, buf_span(&b));
}

struct span
s3_successor(struct arena *a, struct span s)
{
	char *p = arena_str(a, s);

	while (s.n && (unsigned char)p[s.n - 1] == 0xff)
		s.n--;
	if (!s.n)
		return SPAN_NULL;
	p[s.n - 1] = (char)(p[s.n - 1] + 1);
	return span_make(p, s.n);
}

/* Garbage */

static bool
is_named(struct store *s, struct span blob)
{
	static const struct kind *const kinds[] = {&s3_object, &s3_version,
	    &s3_part};
	struct query q = {.any_parent = true, .index = "spec.Blob",
	    .value = blob, .limit = 1};

	/* When in doubt it stays. */
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		q.kind = kinds[i];
		if (store_count(s, &q) != 0)
			return true;
	}
	return false;
}

struct garbage {
	struct store *store;
	struct files *files;
	char *blob;
};

static void
on_commit(void *ctx, int err UNUSED)
{
	struct garbage *g = ctx;
	struct span id = span_of(g->blob);

	if (!is_named(g->store, id) && files_remove(g->files, id) < 0)
		log_warn("an object's bytes stay until the next start: %s, "
		    "ignoring", err_last());
	free(g->blob);
	free(g);
}

void
s3_garbage(struct call *c, struct span blob)
{
	struct garbage *g;

	if (!blob.n || !c->files)
		return;
	g = xcalloc(1, sizeof(*g));
	g->store = c->store;
	g->files = c->files;
	g->blob = xstrndup(blob.p, blob.n);
	store_on_commit(c->store, on_commit, g);
}

static bool
wanted(void *ctx, struct span id)
{
	return is_named(ctx, id);
}

int
s3_sweep(struct store *s, struct files *f, bool *ret_more)
{
	return err_trace(files_sweep(f, SWEEP_STEP, wanted, s, ret_more));
}
