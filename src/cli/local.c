/* Asks neargated, by HTTP on its Unix socket. */
#include <curl/curl.h>
#include <errno.h>

#include "base/err.h"
#include "cli/local.h"

#define ANSWER_S 30L

static size_t
on_data(char *p, size_t size, size_t n, void *ctx)
{
	buf_add(ctx, p, size * n);
	return size * n;
}

static void
curl_p(CURL **c)
{
	curl_easy_cleanup(*c);
}

static int
ask(const struct instance *in, const char *path, bool post, struct buf *ret)
{
	_cleanup_(curl_p) CURL *curl = curl_easy_init();
	_cleanup_free_ char *url = xasprintf("http://localhost%s", path);
	long code = 0;
	CURLcode r;

	AN(curl);
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, in->socket);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, ANSWER_S);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, ret);
	if (post)
		curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, "");
	r = curl_easy_perform(curl);
	if (r == CURLE_COULDNT_CONNECT)
		return LOCAL_E_DOWN;
	if (r != CURLE_OK)
		return err_origin(EIO, "%s: %s", in->socket,
		    curl_easy_strerror(r));
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
	if (code == 409)
		return LOCAL_E_REFUSED;
	if (code != 200)
		return err_origin(EPROTO, "neargated answers %ld: %s", code,
		    buf_str(ret));
	return 0;
}

int
local_get(const struct instance *in, const char *path, struct buf *ret)
{
	return ask(in, path, false, ret);
}

int
local_post(const struct instance *in, const char *path, struct buf *ret)
{
	return ask(in, path, true, ret);
}

int
local_ask(struct cli *c, const struct instance *in, const char *path,
    struct doc **ret)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	int r = local_get(in, path, &b);

	if (r)
		return r < 0 ? err_trace(r) : r;
	r = doc_parse_json(c->a, arena_span(c->a, buf_span(&b)), ret);
	return r ? err_origin(EPROTO, "neargated's answer is no JSON") : 0;
}
