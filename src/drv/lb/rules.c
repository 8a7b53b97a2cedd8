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

/* Headers that the load balancer sets; conditions are about the client's. */
static const struct {
	const char *name;
	const char *var;
} own[] = {
	{"X-Forwarded-For", "txn.for"},
	{"X-Forwarded-Proto", "txn.proto"},
	{"X-Forwarded-Port", "txn.port"},
	{"X-Amzn-Trace-Id", "txn.traced"},
};

static const char *
header_sample(struct arena *a, struct span name)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (span_ieq(name, span_of(own[i].name)))
			return arena_fmt(a, "var(%s)", own[i].var);
	cfg_quote_argument(&b, name);
	return arena_fmt(a, "req.fhdr(%.*s)", SPAN_ARG(buf_span(&b)));
}

static const struct doc *
values_of(const struct doc *cond, const char *config)
{
	return doc_path(cond, config, "Values", NULL);
}

static struct span
header_name(const struct doc *cond)
{
	return doc_get_str(doc_get(cond, "HttpHeaderConfig"),
	    "HttpHeaderName");
}

void
lb_render_kept(struct arena *a, struct buf *b, const struct lb_listener *l)
{
	struct doc *used = doc_arr(a);
	bool host = false;

	for (size_t i = 0; i < l->n_rules; i++)
		doc_each(c, l->rules[i].conditions) {
			host |= span_is(doc_get_str(c, "Field"), "host-header");
			if (header_name(c).n)
				doc_push_str(a, used, span_of(header_sample(a,
				    header_name(c))));
		}
	if (host)
		buf_add_str(b, "\thttp-request set-var(txn.host) "
		    "req.hdr(host),field(1,:),lower\n");
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (doc_has_str(used, arena_fmt_span(a, "var(%s)", own[i].var)))
			buf_addf(b, "\thttp-request set-var(%s) "
			    "req.fhdr(%s)\n", own[i].var, own[i].name);
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
			any_of(a, b, header_sample(a, header_name(c)), " -i",
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
