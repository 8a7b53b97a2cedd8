/* Keys in use: remembered, forgotten with every change, timed, noted. */
#include "base/test.h"

#include <stdio.h>
#include <unistd.h>

#include "auth/session.h"
#include "base/clock.h"
#include "svc/iam/iam.h"
#include "svc/iam/keyring.h"

#define ACCOUNT SPAN("123456789012")
#define NOW	1795000000000LL

static const struct service *const only_iam[] = {&iam_service, NULL};

struct fixture {
	char *dir;
	struct store *s;
	struct api *api;
	struct arena *a;
	struct keyring *k;
};

static int
setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct api_config config = {.services = only_iam,
	    .root = {ACCOUNT, SPAN("AK"), SPAN("SK")}};

	clock_fake(NOW);
	f->dir = xstrdup("/tmp/test-keyring-XXXXXX");
	AN(mkdtemp(f->dir));
	AZ(store_open(f->dir, iam_kinds, &f->s));
	config.store = f->s;
	f->api = api_new(&config);
	f->a = arena_new();
	f->k = keyring_new(f->s);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *rm = xasprintf("rm -rf %s", f->dir);

	/* Requests end before the keyring does, or after. */
	api_free(f->api);
	store_close(f->s);
	keyring_free(f->k);
	arena_free(f->a);
	AZ(system(rm));
	free(f->dir);
	free(f);
	clock_fake(0);
	return 0;
}

/* ' stands for ".  Committed. */
static struct doc *
ok(struct fixture *f, const char *op, const char *json)
{
	struct scope scope = {ACCOUNT, SPAN("us-east-1")};
	struct principal who = {.account = ACCOUNT};
	char *text = arena_str(f->a, span_of(json));
	struct op_result r;
	struct doc *in;

	for (char *p = text; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	assert_int_equal(doc_parse_json(f->a, span_of(text), &in), 0);
	AZ(op_call(f->api, f->a, &who, scope, "iam", op, in, &r));
	if (r.error.n)
		fail_msg("%s: %.*s", op, SPAN_ARG(r.message));
	store_commit(f->s);
	return r.out;
}

static int
find(struct fixture *f, struct span key, struct span token,
    struct credential *ret)
{
	return keyring_find(f->k, f->a, ACCOUNT, key, token, ret);
}

static struct doc *
make_key(struct fixture *f)
{
	ok(f, "CreateUser", "{'UserName':'ann','Path':'/team/'}");
	return doc_get(ok(f, "CreateAccessKey", "{'UserName':'ann'}"),
	    "AccessKey");
}

static void
test_key(void **state)
{
	struct fixture *f = *state;
	const struct doc *made = make_key(f);
	struct span id = doc_get_str(made, "AccessKeyId");
	struct credential c, again;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(find(f, id, SPAN(""), &c), 0);
		assert_true(span_eq(c.secret,
		    doc_get_str(made, "SecretAccessKey")));
		assert_string_equal(arena_str(f->a, c.who.arn),
		    "arn:aws:iam::123456789012:user/team/ann");
		assert_true(c.who.entity && !c.who.session);
	}
	assert_int_equal(find(f, id, SPAN("x"), &again), CREDENTIAL_E_TOKEN);
	assert_int_equal(find(f, SPAN("AKIAX"), SPAN(""), &again),
	    CREDENTIAL_E_UNKNOWN);
	ok(f, "UpdateUser", "{'UserName':'ann','NewPath':'/'}");
	assert_int_equal(find(f, id, SPAN(""), &again), 0);
	assert_string_equal(arena_str(f->a, again.who.arn),
	    "arn:aws:iam::123456789012:user/ann");
	/* Who asked before keeps what he was told. */
	assert_string_equal(arena_str(f->a, c.who.arn),
	    "arn:aws:iam::123456789012:user/team/ann");
	ok(f, "UpdateAccessKey", arena_fmt(f->a, "{'UserName':'ann',"
	    "'AccessKeyId':'%.*s','Status':'Inactive'}", SPAN_ARG(id)));
	assert_int_equal(find(f, id, SPAN(""), &again), CREDENTIAL_E_UNKNOWN);
}

static void
test_forget(void **state)
{
	struct fixture *f = *state;
	struct span id = doc_get_str(make_key(f), "AccessKeyId");
	struct credential c;

	assert_int_equal(find(f, id, SPAN(""), &c), 0);
	AZ(store_wipe(f->s));
	keyring_forget(f->k);
	assert_int_equal(find(f, id, SPAN(""), &c), CREDENTIAL_E_UNKNOWN);
}

static struct session_keys
make_session(struct fixture *f)
{
	struct query q = {.kind = &iam_role, .scope = {ACCOUNT, SPAN("")},
	    .any_parent = true};
	struct session_claims claims = {.account = ACCOUNT, .name = SPAN("me"),
	    .issued = NOW, .expires = NOW + 900000};
	struct session_keys keys;
	struct res_list l;

	ok(f, "CreateRole", "{'RoleName':'r','AssumeRolePolicyDocument':"
	    "'{\\'Statement\\':{\\'Effect\\':\\'Allow\\',\\'Principal\\':"
	    "\\'*\\',\\'Action\\':\\'sts:AssumeRole\\'}}'}");
	AZ(store_list(f->s, f->a, &q, &l));
	claims.row = l.v[0]->row;
	claims.entity = doc_get_str(l.v[0]->spec, "Id");
	session_issue(f->s, f->a, &claims, &keys);
	return keys;
}

static void
test_session(void **state)
{
	struct fixture *f = *state;
	struct session_keys k = make_session(f);
	struct credential c;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(find(f, k.access_key, k.token, &c), 0);
		assert_string_equal(arena_str(f->a, c.who.arn),
		    "arn:aws:sts::123456789012:assumed-role/r/me");
		assert_true(c.who.entity && c.who.session);
		assert_int_equal(find(f, k.access_key, SPAN("x"), &c),
		    CREDENTIAL_E_TOKEN);
	}
	assert_int_equal(find(f, k.access_key, SPAN(""), &c),
	    CREDENTIAL_E_UNKNOWN);
	clock_fake(NOW + 899999);
	assert_int_equal(find(f, k.access_key, k.token, &c), 0);
	clock_fake(NOW + 900000);
	assert_int_equal(find(f, k.access_key, k.token, &c),
	    CREDENTIAL_E_EXPIRED);
	/* Also when it is not remembered. */
	keyring_forget(f->k);
	assert_int_equal(find(f, k.access_key, k.token, &c),
	    CREDENTIAL_E_EXPIRED);
	clock_fake(NOW);
	ok(f, "DeleteRole", "{'RoleName':'r'}");
	assert_int_equal(find(f, k.access_key, k.token, &c),
	    CREDENTIAL_E_TOKEN);
}

static int64_t
last_used(struct fixture *f)
{
	struct query q = {.kind = &iam_role, .scope = {ACCOUNT, SPAN("")},
	    .any_parent = true};
	struct res_list l;

	AZ(store_list(f->s, f->a, &q, &l));
	return doc_get_int(l.v[0]->status, "LastUsed", 0) - NOW;
}

static void
test_notes(void **state)
{
	struct fixture *f = *state;
	struct session_keys k = make_session(f);
	struct credential c;
	/* When it is used, and what is noted then, in ms. */
	static const int64_t cases[][2] = {{0, 0}, {59000, 0}, {60000, 60000},
	    {90000, 60000}, {121500, 121000}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		clock_fake(NOW + cases[i][0]);
		assert_int_equal(find(f, k.access_key, k.token, &c), 0);
		AZ(keyring_used(f->k, f->a, &c, SPAN("s3"), SPAN("r")));
		store_commit(f->s);
		assert_int_equal(last_used(f), cases[i][1]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_key, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_forget, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_session, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_notes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
