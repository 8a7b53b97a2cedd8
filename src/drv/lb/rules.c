/* Conditions of rules as HAProxy ACLs. */
#include "drv/lb/quote.h"
#include "drv/lb/render.h"

/* " { sample -m reg [-i] -- "^…$" "^…$" }": the values are alternatives. */
static void
any_of(struct arena *a, struct buf *b, const char *sample, const char *flags,
    const struct doc *values)
{
	_cleanup_(buf_done) struct buf re = BUF_INIT;

	(void)a;
	buf_addf(b, " { %s -m reg%s --", sample, flags);
	doc_each(v, values) {
		buf_clear(&re);
		buf_add_char(&re, '^');
		cfg_regex(&re, doc_span(v), ".");
		buf_add_char(&re, '$');
		buf_add_char(b, ' ');
		cfg_quote(b, buf_span(&re));
	}
	buf_add_str(b, " }");
}

/* Key and value match anywhere in the query, whatever their case; a pair
 * without a key matches a value of any key, or a word without "=". */
static void
query_string(struct buf *b, const struct doc *values)
{
	_cleanup_(buf_done) struct buf re = BUF_INIT;

	buf_add_str(b, " { query -m reg -i --");
	doc_each(v, values) {
		struct span key = doc_get_str(v, "Key");

		buf_clear(&re);
		buf_add_str(&re, "(^|&)");
		if (key.n) {
			cfg_regex(&re, key, "[^&=]");
			buf_add_char(&re, '=');
		} else {
			buf_add_str(&re, "([^&=]*=)?");
		}
		cfg_regex(&re, doc_get_str(v, "Value"), "[^&]");
		buf_add_str(&re, "($|&)");
		buf_add_char(b, ' ');
		cfg_quote(b, buf_span(&re));
	}
	buf_add_str(b, " }");
}

static void
words(struct buf *b, const char *acl, const struct doc *values)
{
	buf_addf(b, " { %s", acl);
	doc_each(v, values) {
		buf_add_char(b, ' ');
		cfg_quote(b, doc_span(v));
	}
	buf_add_str(b, " }");
}

static const struct doc *
values_of(const struct doc *cond, const char *config)
{
	return doc_path(cond, config, "Values", NULL);
}

void
lb_render_conditions(struct arena *a, struct buf *b,
    const struct doc *conditions)
{
	struct span field;

	doc_each(c, conditions) {
		field = doc_get_str(c, "Field");
		if (span_is(field, "host-header"))
			any_of(a, b, "var(txn.host)", " -i",
			    values_of(c, "HostHeaderConfig"));
		else if (span_is(field, "path-pattern"))
			any_of(a, b, "path", "",
			    values_of(c, "PathPatternConfig"));
		else if (span_is(field, "http-header"))
			any_of(a, b, arena_fmt(a, "req.fhdr(%.*s)",
			    SPAN_ARG(doc_get_str(doc_get(c,
			    "HttpHeaderConfig"), "HttpHeaderName"))), " -i",
			    values_of(c, "HttpHeaderConfig"));
		else if (span_is(field, "http-request-method"))
			words(b, "method -m str --",
			    values_of(c, "HttpRequestMethodConfig"));
		else if (span_is(field, "query-string"))
			query_string(b, values_of(c, "QueryStringConfig"));
		else if (span_is(field, "source-ip"))
			words(b, "src --", values_of(c, "SourceIpConfig"));
	}
}
