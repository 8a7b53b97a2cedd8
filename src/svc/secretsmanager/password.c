/* GetRandomPassword. */
#include "base/id.h"
#include "svc/secretsmanager/secretsmanager.h"

#define LENGTH 32

static const struct {
	const char *exclude, *set;
} types[] = {
	{"ExcludeUppercase", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
	{"ExcludeLowercase", "abcdefghijklmnopqrstuvwxyz"},
	{"ExcludeNumbers", "0123456789"},
	{"ExcludePunctuation", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"},
};

/* Below n, each number as likely as another. */
static size_t
below(size_t n)
{
	uint32_t r, end = UINT32_MAX - UINT32_MAX % (uint32_t)n;

	do
		random_bytes(&r, sizeof(r));
	while (r >= end);
	return r % n;
}

/* Adds what of set is not excluded; how many. */
static size_t
add(struct buf *b, const char *set, struct span excluded)
{
	size_t n = b->n;

	for (; *set; set++)
		if (span_chr(excluded, *set) < 0)
			buf_add_char(b, *set);
	return b->n - n;
}

struct reply *
secret_random_password(struct call *c)
{
	size_t length = (size_t)doc_get_int(c->in, "PasswordLength", LENGTH);
	bool each = doc_get_bool(c->in, "RequireEachIncludedType", true);
	struct span excluded = doc_get_str(c->in, "ExcludeCharacters");
	_cleanup_(buf_done) struct buf all = BUF_INIT, out = BUF_INIT;
	size_t n, at;
	char ch;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (doc_get_bool(c->in, types[i].exclude, false))
			continue;
		n = add(&all, types[i].set, excluded);
		if (each && n == 0)
			return secret_bad_parameter(c, "All characters of the "
			    "desired type have been excluded");
		if (each)
			buf_add_char(&out, all.p[all.n - n + below(n)]);
	}
	if (doc_get_bool(c->in, "IncludeSpace", false))
		add(&all, " ", excluded);
	if (all.n == 0)
		return secret_bad_parameter(c, "All characters have been "
		    "excluded from selection");
	if (out.n > length)
		return secret_bad_parameter(c, "Password length is too short "
		    "based on the required types.");
	while (out.n < length)
		buf_add_char(&out, all.p[below(all.n)]);
	/* The required ones are not always the first. */
	for (size_t i = out.n; i > 1; i--) {
		at = below(i);
		ch = out.p[at];
		out.p[at] = out.p[i - 1];
		out.p[i - 1] = ch;
	}
	return reply_ok(c, doc_set_str(c->arena, doc_obj(c->arena),
	    "RandomPassword", arena_span(c->arena, buf_span(&out))));
}
