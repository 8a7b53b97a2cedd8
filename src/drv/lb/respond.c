/* Answers that the load balancer gives by itself. */
#include "drv/lb/quote.h"
#include "drv/lb/render.h"

#define GENERATED                                                          \
	" hdr Server awselb/2.0 hdr Date \"%[date(),http_date]\""

static const struct page {
	int status;
	const char *title;
	bool error;	/* one HAProxy makes by itself */
} pages[] = {
	{301, "301 Moved Permanently", false},
	{302, "302 Found", false},
	{400, "400 Bad Request", true},
	{403, "403 Forbidden", true},
	{405, "405 Not Allowed", true},
	{408, "408 Request Time-out", true},
	{413, "413 Request Entity Too Large", true},
	{500, "500 Internal Server Error", true},
	{501, "501 Not Implemented", true},
	{502, "502 Bad Gateway", true},
	{503, "503 Service Temporarily Unavailable", false},
	{504, "504 Gateway Time-out", true},
};

static void
page_text(struct buf *b, const char *title)
{
	buf_addf(b, "<html>\r\n<head><title>%s</title></head>\r\n<body>\r\n"
	    "<center><h1>%s</h1></center>\r\n</body>\r\n</html>\r\n", title,
	    title);
}

static const char *
page_title(int status)
{
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
		if (pages[i].status == status)
			return pages[i].title;
	return "";
}

void
lb_render_page(struct buf *b, int status)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;

	page_text(&text, page_title(status));
	cfg_quote(b, buf_span(&text));
}

void
lb_render_errors(struct buf *b)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		if (!pages[i].error)
			continue;
		buf_addf(b, "\thttp-error status %d content-type text/html "
		    "string ", pages[i].status);
		lb_render_page(b, pages[i].status);
		buf_add_str(b, GENERATED "\n");
	}
	/* A connection that failed; refusals() of render.c sets the status. */
	page_text(&text, "%[date(0,ms),sub(txn.t0),div(9500),"
	    "iif(504 Gateway Time-out,502 Bad Gateway)]");
	buf_add_str(b, "\thttp-error status 503 content-type text/html "
	    "lf-string \"");
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == '\r')
			buf_add_str(b, "\\r");
		else if (text.p[i] == '\n')
			buf_add_str(b, "\\n");
		else
			buf_add_char(b, text.p[i]);
	buf_add_str(b, "\"" GENERATED "\n");
}

/* A redirect's template as a log-format without quotes around. */
static void
template(struct buf *b, struct span s, const struct lb_listener *l)
{
	static const struct {
		const char *key;
		const char *sample;
	} keys[] = {
		{"#{protocol}", NULL}, /* the listener's, as is the port */
		{"#{port}", NULL},
		{"#{host}", "%[req.hdr(host),field(1,:),lower]"},
		{"#{path}", "%[path,bytes(1)]"},
		{"#{query}", "%[query]"},
	};
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	struct span key;
	size_t i;

	while (s.n) {
		for (i = 0; i < ARRAY_SIZE(keys); i++)
			if (span_starts(s, key = span_of(keys[i].key)))
				break;
		if (i < ARRAY_SIZE(keys)) {
			if (keys[i].sample)
				buf_add_str(b, keys[i].sample);
			else if (i == 0)
				buf_add_str(b, l->tls ? "https" : "http");
			else
				buf_addf(b, "%u", l->port);
			s = span_from(s, key.n);
			continue;
		}
		/* One byte, quoted for both parsers, its quotes dropped. */
		buf_clear(&text);
		cfg_quote_format(&text, span_to(s, 1));
		buf_add(b, text.p + 1, text.n - 2);
		s = span_from(s, 1);
	}
}

static void
location(struct buf *b, const struct doc *conf, const struct lb_listener *l,
    bool query)
{
	struct span protocol = doc_get_str(conf, "Protocol");

	if (span_is(protocol, "#{protocol}"))
		protocol = l->tls ? SPAN("https") : SPAN("http");
	for (size_t i = 0; i < protocol.n; i++)
		buf_add_char(b, (char)(protocol.p[i] | 0x20));
	buf_add_str(b, "://");
	template(b, doc_get_str(conf, "Host"), l);
	buf_add_char(b, ':');
	template(b, doc_get_str(conf, "Port"), l);
	template(b, doc_get_str(conf, "Path"), l);
	if (query && doc_get_str(conf, "Query").n) {
		buf_add_char(b, '?');
		template(b, doc_get_str(conf, "Query"), l);
	}
}

static void
redirect_line(struct buf *b, const struct doc *conf,
    const struct lb_listener *l, bool query, const char *condition)
{
	int status = span_is(doc_get_str(conf, "StatusCode"), "HTTP_301")
	    ? 301 : 302;

	buf_addf(b, "\thttp-request return status %d content-type text/html "
	    "string ", status);
	lb_render_page(b, status);
	buf_add_str(b, " hdr Location \"");
	location(b, conf, l, query);
	buf_add_str(b, "\"" GENERATED);
	buf_addf(b, "%s\n", condition);
}

/* A query that is the request's own leaves no "?" when there is none. */
void
lb_render_redirect(struct buf *b, const struct doc *conf,
    const struct lb_listener *l)
{
	if (span_is(doc_get_str(conf, "Query"), "#{query}"))
		redirect_line(b, conf, l, false,
		    " if !{ query -m found } || { query -m len 0 }");
	redirect_line(b, conf, l, true, "");
}

void
lb_render_fixed(struct buf *b, const struct doc *conf)
{
	struct span type = doc_get_str(conf, "ContentType");
	struct span body = doc_get_str(conf, "MessageBody");

	buf_addf(b, "\thttp-request return status %.*s",
	    SPAN_ARG(doc_get_str(conf, "StatusCode")));
	if (body.n) {
		buf_add_str(b, " content-type ");
		cfg_quote(b, type.n ? type : SPAN("text/plain"));
		buf_add_str(b, " string ");
		cfg_quote(b, body);
	}
	buf_add_str(b, GENERATED "\n");
}
