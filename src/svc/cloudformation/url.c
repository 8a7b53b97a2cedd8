/* Where a TemplateURL points to. */
#include "svc/cloudformation/url.h"

#include "base/buf.h"

/* A host that names no bucket: the path does. */
static bool
is_path_style(struct span host, struct span own)
{
	struct span name = host;

	name = span_cut(&name, ':');
	return span_eq(host, own) || span_is(name, "localhost") ||
	    span_starts(host, SPAN("127.")) || span_starts(host, SPAN("s3.")) ||
	    (span_starts(host, SPAN("s3-")) &&
		span_ends(name, SPAN(".amazonaws.com")));
}

static struct span
bucket_of(struct span host, struct span own)
{
	static const char *const marks[] = {".s3.", ".s3-", ".localhost"};
	ptrdiff_t at;

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if ((at = span_find(host, span_of(marks[i]))) > 0)
			return span_to(host, (size_t)at);
	if (own.n && host.n > own.n + 1 && span_ends(host, own) &&
	    host.p[host.n - own.n - 1] == '.')
		return span_to(host, host.n - own.n - 1);
	return SPAN_NULL;
}

bool
template_url_parse(struct arena *a, struct span url, struct span own,
    struct span *ret_bucket, struct span *ret_key)
{
	_cleanup_(buf_done) struct buf key = BUF_INIT;
	struct span rest = url, host, bucket;

	if (span_starts(url, SPAN("https://")))
		rest = span_from(url, 8);
	else if (span_starts(url, SPAN("http://")))
		rest = span_from(url, 7);
	else
		return false;
	rest = span_cut(&rest, '?');
	host = span_cut(&rest, '/');
	bucket = is_path_style(host, own) ? span_cut(&rest, '/') :
	    bucket_of(host, own);
	if (!bucket.n || !rest.n)
		return false;
	buf_add_unuri(&key, rest, false);
	*ret_bucket = bucket;
	*ret_key = arena_span(a, buf_span(&key));
	return true;
}
