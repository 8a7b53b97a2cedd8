/* Temporary keys: what a token carries, and what is no token. */
#include "auth/session.h"
#include "base/id.h"
#include "base/test.h"

#include <stdio.h>
#include <unistd.h>

static const struct kind *const kinds[] = {NULL};

struct fixture {
	char *dir;
	struct store *s;
	struct arena *a;
};

static int
setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->dir = xstrdup("/tmp/test-session-XXXXXX");
	AN(mkdtemp(f->dir));
	AZ(store_open(f->dir, kinds, &f->s));
	f->a = arena_new();
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *rm = xasprintf("rm -rf %s", f->dir);

	store_close(f->s);
	arena_free(f->a);
	AZ(system(rm));
	free(f->dir);
	free(f);
	return 0;
}

/* Claims whose policy is of n random bytes. */
static struct session_claims
claims(struct fixture *f, size_t n)
{
	struct doc *extra = doc_obj(f->a);

	if (n)
		doc_set_str(f->a, extra, "Policy",
		    span_of(id_hex(f->a, n)));
	return (struct session_claims){.account = SPAN("012345678901"),
	    .row = 7, .entity = SPAN("AROAX"), .name = SPAN("me"),
	    .issued = 1000, .expires = 2000, .extra = extra};
}

static void
test_round(void **state)
{
	struct fixture *f = *state;

	/* Plain, and packed. */
	for (size_t n = 0; n < 4000; n += 799) {
		struct session_claims c = claims(f, n), got;
		struct session_keys k;
		struct span secret;

		session_issue(f->s, f->a, &c, &k);
		assert_int_equal(k.access_key.n, 20);
		assert_int_equal(k.secret_key.n, 40);
		assert_true(span_find(k.token, k.secret_key) < 0);
		assert_true(session_open(f->s, f->a, k.access_key, k.token,
		    &got, &secret));
		assert_true(span_eq(secret, k.secret_key));
		assert_true(span_eq(got.account, c.account));
		assert_true(span_eq(got.entity, c.entity));
		assert_true(span_eq(got.name, c.name));
		assert_int_equal(got.row, 7);
		assert_int_equal(got.issued, 1000);
		assert_int_equal(got.expires, 2000);
		assert_true(doc_eq(got.extra, c.extra));
	}
}

static void
test_refused(void **state)
{
	struct fixture *f = *state;
	struct session_claims c = claims(f, 0), got;
	struct session_keys k, other;
	struct span secret, t;
	char *p;

	session_issue(f->s, f->a, &c, &k);
	session_issue(f->s, f->a, &c, &other);
	t = k.token;
	assert_false(session_open(f->s, f->a, other.access_key, t, &got,
	    &secret));
	assert_false(session_open(f->s, f->a, k.access_key, SPAN(""), &got,
	    &secret));
	assert_false(session_open(f->s, f->a, k.access_key, span_to(t, 40),
	    &got, &secret));
	assert_false(session_open(f->s, f->a, k.access_key,
	    span_of(id_hex(f->a, 20000)), &got, &secret));
	for (size_t i = 0; i < t.n; i++) {
		p = arena_str(f->a, t);
		p[i] = p[i] == 'A' ? 'B' : 'A';
		/* The last digit before padding has bits that say nothing. */
		if (p[i] == t.p[i] || t.p[i] == '=' || i + 3 >= t.n)
			continue;
		assert_false(session_open(f->s, f->a, k.access_key,
		    span_make(p, t.n), &got, &secret));
	}
}

static void
test_packed(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(session_packed(f->a, doc_obj(f->a)), 0);
	assert_in_range(session_packed(f->a, claims(f, 100).extra), 1, 10);
	assert_true(session_packed(f->a, claims(f, 8000).extra) > 100);
	assert_true(session_packed(f->a, claims(f, 100000).extra) > 1000);
}

static void
test_key_ids(void **state)
{
	struct fixture *f = *state;
	static const char *const accounts[] = {"000000000000", "000000000001",
	    "123456789012", "999999999999"};
	struct span key, got;

	for (size_t i = 0; i < ARRAY_SIZE(accounts); i++) {
		key = access_key_make(f->a, "AKIA", span_of(accounts[i]));
		assert_int_equal(key.n, 20);
		assert_true(access_key_account(f->a, key, &got));
		assert_string_equal(got.p, accounts[i]);
	}
	/* One that AWS gave, and the account that it tells. */
	assert_true(access_key_account(f->a, SPAN("ASIAQNZGKIQY56JQ7WML"),
	    &got));
	assert_string_equal(got.p, "029608264753");
	assert_false(access_key_account(f->a, SPAN("ASIA"), &got));
	assert_false(access_key_account(f->a, SPAN("ASIA1111111111111111"),
	    &got));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_round, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_packed, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_key_ids, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
