/* The store: naming, lookups, turns, rollback, tags, the feed, a crash. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test.h"
#include "store/store.h"

static const char *const pet_index[] = {"spec.Color", "status.Friends", NULL};
static const struct kind pet = {
    .name = "zoo.pet",
    .arn = "arn:aws:zoo:{region}:{account}:pet/{parent}/{id}",
    .index = pet_index,
};
static const struct kind star = {.name = "zoo.star", .global = true};
static const struct kind *const kinds[] = {&pet, &star, NULL};
static const struct scope here = {{"123456789012", 12}, {"us-east-1", 9}};

struct fixture {
	char *dir;
	struct store *s;
	struct arena *a;
};

static int
setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->dir = xstrdup("/tmp/test-store-XXXXXX");
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

static struct res *
add_pet(struct fixture *f, const char *parent, const char *id,
    const char *color)
{
	struct res *r = res_new(f->a, &pet, here, span_of(parent), span_of(id));

	doc_set_str(f->a, r->spec, "Color", span_of(color));
	assert_int_equal(store_insert(f->s, f->a, r), 0);
	return r;
}

static void
test_names(void **state)
{
	struct fixture *f = *state;
	struct res *r = add_pet(f, "cage", "leo", "red"), *got = NULL;

	assert_true(span_is(r->arn,
	    "arn:aws:zoo:us-east-1:123456789012:pet/cage/leo"));
	assert_int_equal(store_insert(f->s, f->a, res_new(f->a, &pet, here,
	    SPAN("cage"), SPAN("leo"))), STORE_E_EXISTS);
	assert_int_equal(store_get(f->s, f->a, &pet, here, SPAN("cage"),
	    SPAN("leo"), &got), 0);
	assert_true(doc_eq(got->spec, r->spec));
	assert_int_equal(store_get(f->s, f->a, &pet, here, SPAN("box"),
	    SPAN("leo"), &got), STORE_E_NOT_FOUND);
	assert_int_equal(store_get_arn(f->s, f->a, r->arn, &got), 0);
	assert_int_equal(store_get_arn(f->s, f->a, SPAN(""), &got),
	    STORE_E_NOT_FOUND);
	doc_set_int(f->a, got->status, "Mood", 1);
	assert_int_equal(store_put_status(f->s, got), 0);
	assert_int_equal(store_get_row(f->s, f->a, r->row, &got), 0);
	assert_int_equal(got->version, 2);
	assert_int_equal(doc_get_int(got->status, "Mood", 0), 1);
	assert_int_equal(store_delete(f->s, got), 0);
	assert_int_equal(store_put_spec(f->s, got), STORE_E_NOT_FOUND);
	assert_int_equal(store_delete(f->s, got), STORE_E_NOT_FOUND);
}

static void
test_lists(void **state)
{
	struct fixture *f = *state;
	struct query q = {.kind = &pet, .scope = here, .any_parent = true};
	struct res_list l;
	struct res *r;
	struct doc *friends = doc_arr(f->a);

	add_pet(f, "a", "1", "red");
	r = add_pet(f, "a", "2", "blue");
	add_pet(f, "b", "3", "red");
	q.limit = 2;
	assert_int_equal(store_list(f->s, f->a, &q, &l), 0);
	assert_int_equal(l.n, 2);
	assert_true(l.more);
	q.after = l.v[1]->row;
	assert_int_equal(store_list(f->s, f->a, &q, &l), 0);
	assert_int_equal(l.n, 1);
	assert_false(l.more);
	assert_true(span_is(l.v[0]->id, "3"));

	q = (struct query){.kind = &pet, .scope = here, .any_parent = true,
	    .index = "spec.Color", .value = SPAN("red"), .newest_first = true};
	assert_int_equal(store_list(f->s, f->a, &q, &l), 0);
	assert_int_equal(l.n, 2);
	assert_true(span_is(l.v[0]->id, "3"));
	doc_set_str(f->a, l.v[0]->spec, "Color", SPAN("green"));
	assert_int_equal(store_put_spec(f->s, l.v[0]), 0);
	assert_int_equal(store_count(f->s, &q), 1);

	doc_push_str(f->a, friends, SPAN("x"));
	doc_push_str(f->a, friends, SPAN("y"));
	doc_set(f->a, r->status, "Friends", friends);
	assert_int_equal(store_put_status(f->s, r), 0);
	q = (struct query){.kind = &pet, .any_parent = true,
	    .index = "status.Friends", .value = SPAN("y")};
	assert_int_equal(store_count(f->s, &q), 1);
	q = (struct query){.kind = &pet, .scope = here, .parent = SPAN("b")};
	assert_int_equal(store_count(f->s, &q), 1);
}

static void
test_rollback(void **state)
{
	struct fixture *f = *state;
	struct query q = {.kind = &pet, .any_parent = true};

	assert_int_equal(store_savepoint(f->s), 0);
	assert_int_equal(store_savepoint(f->s), 0);
	store_rollback(f->s);
	store_release(f->s);
	assert_false(store_dirty(f->s));

	store_savepoint(f->s);
	add_pet(f, "", "kept", "red");
	store_savepoint(f->s);
	add_pet(f, "", "lost", "red");
	store_rollback(f->s);
	store_release(f->s);
	assert_true(store_dirty(f->s));
	assert_int_equal(store_count(f->s, &q), 1);
	store_savepoint(f->s);
	add_pet(f, "", "lost", "red");
	store_rollback(f->s);
	store_commit(f->s);
	assert_false(store_dirty(f->s));
	assert_int_equal(store_count(f->s, &q), 1);
}

static void
test_tags(void **state)
{
	struct fixture *f = *state;
	struct res *r = add_pet(f, "", "leo", "red");
	struct doc *d = NULL, *filters = doc_arr(f->a), *types = doc_arr(f->a);
	struct res_list l;

	add_pet(f, "", "untagged", "red");
	assert_int_equal(store_tag(f->s, r, SPAN("b"), SPAN("1")), 0);
	assert_int_equal(store_tag(f->s, r, SPAN("a"), SPAN_NULL), 0);
	assert_int_equal(store_tag(f->s, r, SPAN("b"), SPAN("2")), 0);
	assert_int_equal(store_tags(f->s, f->a, r, &d), 0);
	assert_true(span_is(doc_json(f->a, d), "{\"a\":\"\",\"b\":\"2\"}"));
	assert_int_equal(store_find_tagged(f->s, f->a, here, filters, types, 0,
	    0, &l), 0);
	assert_int_equal(l.n, 1);
	assert_int_equal(doc_parse_json(f->a,
	    SPAN("[{\"Key\":\"b\",\"Values\":[\"1\",\"2\"]},{\"Key\":\"a\"}]"),
	    &filters), 0);
	assert_int_equal(doc_parse_json(f->a, SPAN("[\"zoo:pet\"]"), &types), 0);
	assert_int_equal(store_find_tagged(f->s, f->a, here, filters, types, 0,
	    5, &l), 0);
	assert_int_equal(l.n, 1);
	assert_int_equal(doc_parse_json(f->a, SPAN("[\"zoo:pe\"]"), &types), 0);
	assert_int_equal(store_find_tagged(f->s, f->a, here, filters, types, 0,
	    5, &l), 0);
	assert_int_equal(l.n, 0);
	assert_int_equal(store_untag(f->s, r, SPAN("b")), 0);
	assert_int_equal(store_tags(f->s, f->a, r, &d), 0);
	assert_int_equal(doc_len(d), 1);
}

/* Tags gone, the resource is still one that had some; keys in use end. */
static void
test_once_tagged(void **state)
{
	struct fixture *f = *state;
	struct res *r = add_pet(f, "", "leo", "red");
	struct doc *d = NULL;
	struct res_list l;
	bool more = true;

	add_pet(f, "", "never", "red");
	assert_int_equal(store_untag(f->s, r, SPAN("b")), 0);
	assert_int_equal(store_find_tagged(f->s, f->a, here, NULL, NULL, 0, 0,
	    &l), 0);
	assert_int_equal(l.n, 0);
	assert_int_equal(store_tag(f->s, r, SPAN("b"), SPAN("2")), 0);
	assert_int_equal(store_tag(f->s, r, SPAN("a"), SPAN("1")), 0);
	assert_int_equal(store_tag_words(f->s, f->a, here, SPAN_NULL, 0, 1, &d,
	    &more), 0);
	assert_true(more && span_is(doc_json(f->a, d), "[\"a\"]"));
	assert_int_equal(store_tag_words(f->s, f->a, here, SPAN_NULL, 1, 1, &d,
	    &more), 0);
	assert_true(!more && span_is(doc_json(f->a, d), "[\"b\"]"));
	assert_int_equal(store_tag_words(f->s, f->a, here, SPAN("b"), 0, 5, &d,
	    &more), 0);
	assert_true(!more && span_is(doc_json(f->a, d), "[\"2\"]"));
	assert_int_equal(store_untag(f->s, r, SPAN("a")), 0);
	assert_int_equal(store_untag(f->s, r, SPAN("b")), 0);
	assert_int_equal(store_tags(f->s, f->a, r, &d), 0);
	assert_int_equal(doc_len(d), 0);
	assert_int_equal(store_tag_words(f->s, f->a, here, SPAN_NULL, 0, 5, &d,
	    &more), 0);
	assert_int_equal(doc_len(d), 0);
	assert_int_equal(store_find_tagged(f->s, f->a, here, NULL, NULL, 0, 0,
	    &l), 0);
	assert_int_equal(l.n, 1);
}

struct heard {
	int n, waited;
	struct change last;
};

static void
hear(void *ctx, const struct change *c)
{
	struct heard *h = ctx;

	h->n++;
	h->last = *c;
	h->last.id = span_of(span_is(c->id, "leo") ? "leo" : "other");
}

static void
waited(void *ctx, int err)
{
	struct heard *h = ctx;

	assert_int_equal(err, 0);
	assert_int_equal(h->n, 0); /* replies leave before controllers act */
	h->waited++;
}

static void
test_feed(void **state)
{
	struct fixture *f = *state;
	struct heard h = {0};
	struct res *r;

	store_subscribe(f->s, &pet, hear, &h);
	r = add_pet(f, "", "leo", "red");
	assert_int_equal(store_put_status(f->s, r), 0);
	store_on_commit(f->s, waited, &h);
	assert_int_equal(h.n, 0);
	store_commit(f->s);
	assert_int_equal(h.waited, 1);
	assert_int_equal(h.n, 1);
	assert_true(h.last.inserted && h.last.status && !h.last.deleted);
	assert_true(span_is(h.last.id, "leo"));
	store_commit(f->s);
	assert_int_equal(h.n, 1);
}

static void
test_counters_and_settings(void **state)
{
	struct fixture *f = *state;
	struct span v;
	int64_t n = 0;

	assert_int_equal(store_setting(f->s, f->a, "k", &v), STORE_E_NOT_FOUND);
	assert_int_equal(store_set_setting(f->s, "k", SPAN("1")), 0);
	assert_int_equal(store_set_setting(f->s, "k", SPAN("2")), 0);
	assert_int_equal(store_setting(f->s, f->a, "k", &v), 0);
	assert_true(span_is(v, "2"));
	for (int i = 1; i < 4; i++) {
		assert_int_equal(store_next(f->s, SPAN("web"), &n), 0);
		assert_int_equal(n, i);
	}
	add_pet(f, "", "leo", "red");
	assert_int_equal(store_wipe(f->s), 0);
	store_commit(f->s);
	assert_int_equal(store_count(f->s, &(struct query){.kind = &pet,
	    .any_parent = true}), 0);
	assert_int_equal(store_setting(f->s, f->a, "k", &v), 0);
}

/* What was committed is there after the process died without a word; what was
 * not is gone. */
static void
test_crash(void **state)
{
	struct fixture *f = *state;
	struct query q = {.kind = &pet, .any_parent = true};
	int status;
	pid_t pid;

	store_close(f->s);
	f->s = NULL;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		AZ(store_open(f->dir, kinds, &f->s));
		add_pet(f, "", "kept", "red");
		store_commit(f->s);
		add_pet(f, "", "lost", "red");
		_exit(7);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 7);
	assert_int_equal(store_open(f->dir, kinds, &f->s), 0);
	assert_int_equal(store_count(f->s, &q), 1);
}

static void
test_one_daemon(void **state)
{
	struct fixture *f = *state;
	struct store *other;

	assert_true(store_open(f->dir, kinds, &other) < 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_names), T(test_lists), T(test_rollback), T(test_tags),
	    T(test_once_tagged),
	    T(test_feed), T(test_counters_and_settings), T(test_crash),
	    T(test_one_daemon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
