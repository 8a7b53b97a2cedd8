/* SigV4 against the published signing cases, and what must be refused. */
#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "auth/sigv4.h"
#include "base/clock.h"
#include "base/test.h"

#define CASES "vectors/sigv4/v4"

static struct span
slurp(struct arena *a, const char *dir, const char *name)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, name);
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return SPAN_NULL;
	do {
		buf_reserve(&b, 4096);
		n = fread(b.p + b.n, 1, 4096, f);
		b.n += n;
	} while (n);
	fclose(f);
	return arena_span(a, buf_span(&b));
}

/* One line without its end; a line that starts with a blank continues. */
static struct span
line(struct span *rest)
{
	struct span l = span_cut(rest, '\n');

	return span_ends(l, SPAN("\r")) ? span_to(l, l.n - 1) : l;
}

static void
parse(struct arena *a, struct span text, struct sigv4_request *r,
    struct span *body)
{
	struct wire_header *h = arena_array(a, struct wire_header, 64);
	struct span l = line(&text), target;
	ptrdiff_t end;

	r->method = span_cut(&l, ' ');
	end = span_rchr(l, ' ');
	target = span_to(l, (size_t)end);
	r->path = span_cut(&target, '?');
	r->query = target;
	r->headers = h;
	r->n_headers = 0;
	while (text.p && (l = line(&text)).n) {
		if (l.p[0] == ' ' || l.p[0] == '\t') {
			struct wire_header *prev = &h[r->n_headers - 1];

			prev->value = arena_fmt_span(a, "%.*s %.*s",
			    SPAN_ARG(prev->value), SPAN_ARG(span_trim(l)));
			continue;
		}
		h[r->n_headers].name = span_cut(&l, ':');
		h[r->n_headers++].value = span_trim(l);
	}
	*body = text;
}

static void
check_case(const char *dir, const char *form, const struct doc *context)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct sigv4_request r;
	struct sigv4 s;
	struct span body, why = SPAN_NULL, canonical, to_sign;
	struct span secret =
	    doc_get_str(doc_get(context, "credentials"), "secret_access_key");

	parse(a, slurp(a, dir, arena_fmt(a, "%s-signed-request.txt", form)), &r,
	    &body);
	assert_int_equal(sigv4_read(a, &r, &s, &why), SIGV4_OK);
	canonical = sigv4_canonical(a, &r, &s, body,
	    doc_get_bool(context, "normalize", true));
	assert_string_equal(canonical.p, slurp(a, dir,
	    arena_fmt(a, "%s-canonical-request.txt", form)).p);
	to_sign = sigv4_to_sign(a, &s, canonical);
	assert_string_equal(to_sign.p,
	    slurp(a, dir, arena_fmt(a, "%s-string-to-sign.txt", form)).p);
	assert_string_equal(sigv4_signature(a, &s, secret, to_sign).p,
	    slurp(a, dir, arena_fmt(a, "%s-signature.txt", form)).p);
	if (!doc_get_bool(context, "normalize", true))
		return;
	assert_int_equal(sigv4_check(a, &r, &s, secret, body, s.at, &why),
	    SIGV4_OK);
	assert_int_equal(sigv4_check(a, &r, &s, SPAN("wrong"), body, s.at, &why),
	    SIGV4_E_MISMATCH);
	assert_int_equal(sigv4_check(a, &r, &s, secret, body, s.at - 16 * 60000,
	    &why), SIGV4_E_EXPIRED);
	assert_int_equal(sigv4_check(a, &r, &s, secret, body, s.at + 3600001,
	    &why), SIGV4_E_EXPIRED);
}

static void
test_vectors(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *env = getenv("NEARGATE_VECTORS");
	char *root = env ? arena_fmt(a, "%s/sigv4/v4", env) :
			   arena_fmt(a, "../shared/" CASES);
	DIR *d = opendir(root);
	struct dirent *e;
	int n = 0;

	if (!d) {
		print_message("SKIPPED: no signing cases at %s\n", root);
		arena_free_p(&a);
		skip(); /* does not return */
	}
	while ((e = readdir(d))) {
		char *dir = arena_fmt(a, "%s/%s", root, e->d_name);
		struct span text = slurp(a, dir, "context.json");
		struct doc *context = NULL;

		if (e->d_name[0] == '.' || !text.n)
			continue;
		assert_int_equal(doc_parse_json(a, text, &context), 0);
		print_message("%s\n", e->d_name);
		check_case(dir, "header", context);
		/* Some services let the token be added after signing; none of
		 * ours does. */
		if (!doc_get_bool(context, "omit_session_token", false))
			check_case(dir, "query", context);
		n++;
	}
	closedir(d);
	assert_true(n > 20);
}

#define CRED "Credential=A/20150830/r/s/aws4_request"
#define AUTH(alg, cred, rest) alg " " cred ", " rest
#define REST "SignedHeaders=host, Signature=00"

static enum sigv4_outcome
read_and_claim(struct arena *a, const struct sigv4_request *r,
    struct span *ret_why)
{
	struct sigv4 s;
	enum sigv4_outcome o = sigv4_read(a, r, &s, ret_why);

	if (o != SIGV4_OK)
		return o;
	return sigv4_claim(a, &s, SPAN("s"), INT64_C(1440938160000), ret_why);
}

static void
test_refusals(void **state UNUSED)
{
	static const struct {
		const char *auth, *date, *query;
		enum sigv4_outcome want;
		const char *why;
	} cases[] = {
	    {"", "20150830T123600Z", "", SIGV4_E_MISSING, ""},
	    {"Basic eA==", "20150830T123600Z", "", SIGV4_E_MISSING, ""},
	    {AUTH("AWS4-HMAC-SHA256", CRED, REST), "20150830T123600Z", "",
		SIGV4_OK, ""},
	    {AUTH("AWS4-HMAC-SHA256", CRED, "Signature=1"), "20150830T123600Z",
		"", SIGV4_E_INCOMPLETE, "Authorization header requires "
		"'SignedHeaders' parameter. (Hashed with"},
	    {"AWS4-HMAC-SHA256", "", "", SIGV4_E_INCOMPLETE, "Authorization "
		"header requires 'Credential' parameter. Authorization header "
		"requires 'Signature' parameter. Authorization header requires "
		"'SignedHeaders' parameter. Authorization header requires "
		"existence of either a 'X-Amz-Date' or a 'Date' header. "},
	    {AUTH("AWS4-HMAC-SHA256", "Credential", REST), "20150830T123600Z",
		"", SIGV4_E_INCOMPLETE, "Invalid key=value pair (missing "},
	    {AUTH("AWS4-HMAC-SHA256", CRED, REST), "yesterday", "",
		SIGV4_E_INCOMPLETE, "Date must be in ISO-8601 'basic format'. "
		"Got 'yesterday'. See "},
	    {AUTH("AWS4-HMAC-SHA512", CRED, REST), "20150830T123600Z", "",
		SIGV4_E_INCOMPLETE, "Unsupported AWS 'algorithm': "
		"'AWS4-HMAC-SHA512' (only AWS4-HMAC-SHA256 for now). "},
	    {AUTH("AWS4-HMAC-SHA256", "Credential=A/b", REST),
		"20150830T123600Z", "", SIGV4_E_INCOMPLETE, "Credential must "
		"have exactly 5 slash-delimited elements, e.g. "
		"keyid/date/region/service/term, got 'A/b'"},
	    {AUTH("AWS4-HMAC-SHA256", CRED "/x", REST), "20150830T123600Z", "",
		SIGV4_E_INCOMPLETE, "Credential must have exactly 5 "},
	    {AUTH("AWS4-HMAC-SHA256", "Credential=A/1/r/x/aws5", REST),
		"20150830T123600Z", "", SIGV4_E_CLAIM, "Credential should be "
		"scoped to correct service: 's'. Credential should be scoped "
		"with a valid terminator: 'aws4_request', not 'aws5'. Date in "
		"Credential scope does not match YYYYMMDD from ISO-8601 "
		"version of date from HTTP: '1' != '20150830', from "
		"'20150830T123600Z'. "},
	    {AUTH("AWS4-HMAC-SHA256", CRED, "SignedHeaders=date, Signature=0"),
		"20150830T123600Z", "", SIGV4_E_CLAIM, "'Host' or "
		"':authority' must be a 'SignedHeader' in the AWS "
		"Authorization."},
	    {AUTH("AWS4-HMAC-SHA256", CRED, REST), "20150830T122059Z", "",
		SIGV4_E_EXPIRED, "Signature expired: 20150830T122059Z is now "
		"earlier than 20150830T122100Z (20150830T123600Z - 15 min.)"},
	    {AUTH("AWS4-HMAC-SHA256", CRED, REST), "20150830T125101Z", "",
		SIGV4_E_EXPIRED, "Signature not yet current: 20150830T125101Z "
		"is still later than 20150830T125100Z (20150830T123600Z + 15 "
		"min.)"},
	    {AUTH("AWS4-HMAC-SHA256", CRED, REST), "20150830T123600Z",
		"X-Amz-Algorithm=x", SIGV4_E_CLAIM, "Found both "},
	    {"", "", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=x",
		SIGV4_E_INCOMPLETE, "AWS query-string parameters must include "
		"'X-Amz-Credential'. AWS query-string parameters must include "
		"'X-Amz-Signature'. AWS query-string parameters must include "
		"'X-Amz-SignedHeaders'. Re-examine the query-string "
		"parameters."},
	    {"", "", "X-Amz-Signature=0&X-Amz-Credential=A%2F1%2Fr%2Fs3%2Fx",
		SIGV4_E_INCOMPLETE, "Query-string authentication version 4 "},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct wire_header h[] = {
		    {SPAN("Authorization"), span_of(cases[i].auth)},
		    {SPAN("X-Amz-Date"), span_of(cases[i].date)},
		};
		struct sigv4_request r = {SPAN("GET"), SPAN("/"),
		    span_of(cases[i].query), h, 2};
		struct span why = SPAN("");

		print_message("%zu\n", i);
		assert_int_equal(read_and_claim(a, &r, &why), cases[i].want);
		assert_string_equal(arena_str(a, span_to(why,
		    strlen(cases[i].why))), cases[i].why);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
