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

static void
test_refusals(void **state UNUSED)
{
	static const struct {
		const char *auth;
		enum sigv4_outcome want;
	} cases[] = {
	    {"", SIGV4_E_MISSING},
	    {"Basic eA==", SIGV4_E_INCOMPLETE},
	    {"AWS4-HMAC-SHA256 Credential=A/20150830/r/s/aws4_request",
		SIGV4_E_INCOMPLETE},
	    {"AWS4-HMAC-SHA256 Credential=A/b, SignedHeaders=host, Signature=0",
		SIGV4_E_INCOMPLETE},
	    {"AWS4-HMAC-SHA256 Credential=A/20150830/r/s/aws4_request, "
	     "SignedHeaders=host, Signature=00", SIGV4_OK},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct wire_header h[] = {
		    {SPAN("Authorization"), span_of(cases[i].auth)},
		    {SPAN("X-Amz-Date"), SPAN("20150830T123600Z")},
		};
		struct sigv4_request r = {SPAN("GET"), SPAN("/"), SPAN_NULL, h, 2};
		struct sigv4 s = {0};
		struct span why = SPAN_NULL;

		assert_int_equal(sigv4_read(a, &r, &s, &why), cases[i].want);
		if (cases[i].want == SIGV4_E_INCOMPLETE)
			assert_true(why.n > 0);
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
