/* Uploads, the sweep and layers, on a fake engine that answers when told. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/test.h"
#include "registry/layer.h"
#include "registry/lifecycle.h"
#include "registry/token.h"
#include "registry/upload.h"

static const struct scope here = {{"123456789012", 12}, {"us-east-1", 9}};

struct ask {
	struct list node;
	bool remove;
	char *digest;
	layer_cb cb;
	void *ctx;
};

struct fixture {
	char *dir;
	uv_loop_t loop;
	struct store *s;
	struct registry *g;
	struct layer_engine engine;
	struct list asked; /* and not answered */
	struct span listed[4];
	size_t n_listed;
	struct arena *a;
	struct repo_key k;
	int result, calls;
};

/* The engine */

static void
ask(struct fixture *f, bool remove, struct span digest, layer_cb cb, void *ctx)
{
	struct ask *q = xcalloc(1, sizeof(*q));

	*q = (struct ask){.remove = remove,
	    .digest = xstrndup(digest.p, digest.n), .cb = cb, .ctx = ctx};
	list_add(&f->asked, &q->node);
}

static void
fake_unpack(void *ctx, struct span digest, struct span diff UNUSED,
    struct span type UNUSED, layer_cb cb, void *cb_ctx)
{
	ask(ctx, false, digest, cb, cb_ctx);
}

static void
fake_remove(void *ctx, struct span digest, layer_cb cb, void *cb_ctx)
{
	ask(ctx, true, digest, cb, cb_ctx);
}

static void
fake_list(void *ctx, void (*cb)(void *, int, const struct span *, size_t),
    void *cb_ctx)
{
	struct fixture *f = ctx;

	cb(cb_ctx, 0, f->listed, f->n_listed);
}

/* Answers the oldest question, which must be such a one; false: none. */
static bool
answer(struct fixture *f, bool remove, int err)
{
	struct ask *q;

	if (list_empty(&f->asked))
		return false;
	q = list_entry(f->asked.next, struct ask, node);
	assert_int_equal(q->remove, remove);
	list_del(&q->node);
	q->cb(q->ctx, err, SPAN("why"));
	free(q->digest);
	free(q);
	return true;
}

/* Life */

static void
open_registry(struct fixture *f)
{
	struct registry_config c = {.loop = &f->loop, .store = f->s,
	    .state_dir = f->dir, .layers = &f->engine};

	AZ(registry_new(&c, &f->g));
}

static void
close_registry(struct fixture *f)
{
	registry_free(f->g);
	uv_run(&f->loop, UV_RUN_DEFAULT);
}

static int
setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->dir = xstrdup("/tmp/test-registry-XXXXXX");
	AN(mkdtemp(f->dir));
	AZ(uv_loop_init(&f->loop));
	AZ(store_open(f->dir, ecr_kinds, &f->s));
	f->engine = (struct layer_engine){fake_unpack, fake_remove, fake_list, f};
	list_init(&f->asked);
	f->a = arena_new();
	f->k = (struct repo_key){f->s, here, SPAN("a/b")};
	open_registry(f);
	AZ(store_insert(f->s, f->a, res_new(f->a, &ecr_repository, here,
	    SPAN_NULL, f->k.name)));
	store_commit(f->s);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *rm = xasprintf("rm -rf %s", f->dir);

	close_registry(f);
	AZ(uv_loop_close(&f->loop));
	store_close(f->s);
	arena_free(f->a);
	AZ(system(rm));
	free(f->dir);
	free(f);
	return 0;
}

/* Uploads */

static void
on_result(void *ctx, int r)
{
	struct fixture *f = ctx;

	f->result = r;
	f->calls++;
}

static void
on_room(void *ctx)
{
	struct fixture *f = ctx;

	f->calls++;
}

static struct span
digest_of(struct fixture *f, struct span s)
{
	return arena_fmt_span(f->a, "sha256:%s", sha256_hex(f->a, s));
}

static struct upload *
start_upload(struct fixture *f)
{
	struct upload *u;

	AZ(upload_start(f->g, &f->k, f->a, &u));
	AZ(upload_begin(u, on_room, f));
	f->calls = 0;
	return u;
}

static int
seal(struct fixture *f, struct upload *u, struct span digest)
{
	f->calls = 0;
	upload_seal(u, digest, on_result, f);
	assert_int_equal(f->calls, 0);
	registry_drain(f->g);
	assert_int_equal(f->calls, 1);
	return f->result;
}

static struct span
big(struct fixture *f, size_t n)
{
	char *p = arena_alloc(f->a, n);

	for (size_t i = 0; i < n; i++)
		p[i] = (char)(i * 31 + i / 257);
	return span_make(p, n);
}

static struct span
add_blob(struct fixture *f, struct span bytes)
{
	struct upload *u = start_upload(f);

	AN(upload_write(u, bytes) >= 0);
	AZ(seal(f, u, digest_of(f, bytes)));
	AZ(repo_link_blob(&f->k, f->a, digest_of(f, bytes), bytes.n));
	upload_end(u);
	upload_drop(f->g, u, f->a);
	store_commit(f->s);
	return digest_of(f, bytes);
}

static bool
has_blob(struct fixture *f, struct span digest)
{
	uint64_t size;

	return blob_size(registry_blobs(f->g), digest, &size) == 0;
}

static void
test_upload(void **state)
{
	struct fixture *f = *state;
	struct span all = big(f, 3000000), rest = all;
	struct upload *u = start_upload(f);
	bool full = false;

	while (rest.n) {
		size_t n = MIN(rest.n, (size_t)100000);
		int r = upload_write(u, span_to(rest, n));

		assert_true(r == 0 || r == UPLOAD_FULL);
		full |= r == UPLOAD_FULL;
		rest = span_from(rest, n);
	}
	assert_true(full);
	assert_int_equal(upload_size(u), all.n);
	assert_int_equal(upload_begin(u, NULL, NULL), UPLOAD_E_BUSY);
	/* A wrong digest leaves it as it is. */
	assert_int_equal(seal(f, u, digest_of(f, SPAN("x"))), BLOB_E_MISMATCH);
	assert_int_equal(seal(f, u, digest_of(f, all)), 0);
	assert_true(has_blob(f, digest_of(f, all)));
	upload_end(u);
	upload_drop(f->g, u, f->a);
	assert_int_equal(uploads_count(f->g), 0);
}

static void
test_upload_ends_in_the_middle(void **state)
{
	struct fixture *f = *state;
	struct span all = big(f, 2000000);
	struct upload *u = start_upload(f), *again;
	struct span id = arena_span(f->a, span_of(upload_id(u)));

	upload_write(u, span_to(all, 700000));
	upload_write(u, span_make(all.p + 700000, 300000));
	upload_end(u);
	assert_int_equal(upload_begin(u, NULL, NULL), UPLOAD_E_BUSY);
	registry_drain(f->g);
	assert_int_equal(f->calls, 0); /* who ended it has no more room to give */
	/* All of it is there, and another process takes it up. */
	store_commit(f->s);
	close_registry(f);
	open_registry(f);
	AZ(upload_find(f->g, &f->k, f->a, id, &again));
	assert_int_equal(upload_size(again), 1000000);
	AZ(upload_begin(again, NULL, NULL));
	upload_write(again, span_from(all, 1000000));
	assert_int_equal(seal(f, again, digest_of(f, all)), 0);
	upload_end(again);
	upload_drop(f->g, again, f->a);
}

static void
test_upload_dropped_while_it_writes(void **state)
{
	struct fixture *f = *state;
	struct upload *u = start_upload(f);

	upload_write(u, big(f, 1000000));
	upload_drop(f->g, u, f->a);
	assert_int_equal(uploads_count(f->g), 0);
	registry_drain(f->g);
	assert_int_equal(f->calls, 0);
	/* And one that shutdown meets. */
	u = start_upload(f);
	upload_write(u, big(f, 1000000));
	upload_end(u);
}

static int
touch_old(void *ctx, const char *id, int64_t mtime UNUSED)
{
	struct fixture *f = ctx;
	_cleanup_free_ char *path = xasprintf("%s/uploads/%s", f->dir, id);
	struct timespec t[2] = {{1, 0}, {1, 0}};

	return utimensat(AT_FDCWD, path, t, 0);
}

static void
test_upload_expires(void **state)
{
	struct fixture *f = *state;
	struct upload *busy = start_upload(f), *idle = start_upload(f);
	struct span id = arena_span(f->a, span_of(upload_id(idle)));

	upload_end(idle);
	AZ(uploads_each(registry_blobs(f->g), touch_old, f));
	uploads_expire(f->g, false);
	assert_int_equal(uploads_count(f->g), 1);
	assert_int_equal(upload_find(f->g, &f->k, f->a, id, &idle),
	    UPLOAD_E_NONE);
	upload_end(busy);
	uploads_expire(f->g, false);
	assert_int_equal(uploads_count(f->g), 0);
}

/* Sessions that nobody ends are bounded, also over restarts. */
static void
test_too_many_uploads(void **state)
{
	struct fixture *f = *state;
	struct upload *u;

	for (int i = 0; i < UPLOADS_MAX; i++) {
		if (i == UPLOADS_MAX / 2) {
			store_commit(f->s);
			close_registry(f);
			open_registry(f);
		}
		AZ(upload_start(f->g, &f->k, f->a, &u));
	}
	assert_int_equal(uploads_count(f->g), UPLOADS_MAX / 2);
	upload_drop(f->g, u, f->a);
	AZ(upload_start(f->g, &f->k, f->a, &u));
	assert_int_equal(upload_start(f->g, &f->k, f->a, &u), UPLOAD_E_MANY);
	/* They go with their repository. */
	AZ(repo_delete(&f->k, f->a, true));
	AZ(upload_start(f->g, &f->k, f->a, &u));
}

/* And so are those that are written to, since these cost memory. */
static void
test_too_many_at_once(void **state)
{
	struct fixture *f = *state;
	struct upload *v[UPLOADS_AT_ONCE], *u;

	for (int i = 0; i < UPLOADS_AT_ONCE; i++)
		v[i] = start_upload(f);
	AZ(upload_start(f->g, &f->k, f->a, &u));
	assert_int_equal(upload_begin(u, NULL, NULL), UPLOAD_E_MANY);
	upload_end(v[0]);
	AZ(upload_begin(u, NULL, NULL));
	upload_end(u);
	for (int i = 1; i < UPLOADS_AT_ONCE; i++)
		upload_end(v[i]);
}

/* Images and the sweep */

static void
put_image(struct fixture *f, struct repo_key *k, const char *tag,
    struct span config, struct span layer)
{
	struct descriptor d = {.digest = layer, .size = 1};
	struct manifest m = {.media_type = SPAN(MT_OCI_MANIFEST),
	    .config = {.digest = config, .size = 1}, .layers = &d,
	    .n_layers = 1};
	struct repo_put put = {digest_of(f, span_of(tag)), span_of(tag),
	    SPAN("{}"), &m};
	struct repo_put_result res;

	AZ(repo_put_image(k, f->a, &put, &res));
	store_commit(f->s);
}

/* As if the grace were over for everything. */
static void
sweep(struct fixture *f)
{
	f->g->grace_ms = -60000;
	registry_sweep_now(f->g);
	for (int i = 0; i < 3; i++) {
		store_commit(f->s);
		uv_run(&f->loop, UV_RUN_NOWAIT);
	}
}

static void
test_sweep(void **state)
{
	struct fixture *f = *state;
	struct span conf = add_blob(f, SPAN("conf")), unused;
	struct span layer = add_blob(f, SPAN("layer"));
	struct span lone = add_blob(f, SPAN("lone"));

	put_image(f, &f->k, "one", conf, layer);
	/* Nothing goes within the grace. */
	registry_sweep_now(f->g);
	store_commit(f->s);
	assert_true(has_blob(f, lone));
	sweep(f);
	assert_false(has_blob(f, lone));
	assert_int_equal(repo_blob(&f->k, f->a, lone, NULL), REPO_E_NO_IMAGE);
	assert_true(has_blob(f, conf) && has_blob(f, layer));
	assert_int_equal(repo_blob(&f->k, f->a, layer, NULL), 0);
	AZ(repo_delete_image(&f->k, f->a, digest_of(f, SPAN("one")), &unused));
	sweep(f);
	assert_false(has_blob(f, conf) || has_blob(f, layer));
}

/* Between the file's rename and its row nothing may look. */
static void
test_sweep_waits_for_a_seal(void **state)
{
	struct fixture *f = *state;
	struct upload *u = start_upload(f);
	struct span d = digest_of(f, SPAN("late"));

	upload_write(u, SPAN("late"));
	upload_seal(u, d, on_result, f);
	f->g->grace_ms = -60000;
	registry_sweep_now(f->g);
	store_commit(f->s);
	registry_drain(f->g);
	assert_true(has_blob(f, d));
	upload_end(u);
	upload_drop(f->g, u, f->a);
}

static void
test_upstream(void **state)
{
	struct fixture *f = *state;
	struct scope up = {SPAN(UPSTREAM), SPAN_NULL};
	struct repo_key k = {f->s, up, SPAN("r.io/x")};
	struct res *image;

	add_blob(f, SPAN("c"));
	AZ(repo_link_blob(&k, f->a, digest_of(f, SPAN("c")), 1));
	put_image(f, &k, "old", digest_of(f, SPAN("c")),
	    digest_of(f, SPAN("c")));
	sweep_upstream(f->g, clock_ms() - 1000);
	AZ(repo_image(&k, f->a, SPAN("old"), &image));
	/* One that was used since stays. */
	AZ(repo_note_pull(&k, f->a, image));
	assert_true(doc_get_time(image->status, "lastPull") > 0);
	sweep_upstream(f->g, clock_ms() + 1000);
	assert_int_equal(repo_image(&k, f->a, SPAN("old"), &image),
	    REPO_E_NO_IMAGE);
	put_image(f, &f->k, "own", digest_of(f, SPAN("c")),
	    digest_of(f, SPAN("c")));
	sweep_upstream(f->g, clock_ms() + 1000);
	AZ(repo_image(&f->k, f->a, SPAN("own"), &image));
}

static void
test_lifecycle(void **state)
{
	static const char policy[] = "{\"rules\":[{\"rulePriority\":1,"
	    "\"selection\":{\"tagStatus\":\"any\",\"countType\":"
	    "\"imageCountMoreThan\",\"countNumber\":1},"
	    "\"action\":{\"type\":\"expire\"}}]}";
	struct fixture *f = *state;
	struct span c = add_blob(f, SPAN("c"));
	struct res *repo, *image;

	put_image(f, &f->k, "old", c, c);
	put_image(f, &f->k, "new", c, c);
	lifecycle_run(f->g, clock_ms());
	AZ(repo_image(&f->k, f->a, SPAN("old"), &image));
	AZ(repo_get(&f->k, f->a, &repo));
	doc_set_str(f->a, repo->spec, "lifecyclePolicyText", span_of(policy));
	AZ(store_put_spec(f->s, repo));
	/* One millisecond may have seen both. */
	AZ(repo_image(&f->k, f->a, SPAN("new"), &image));
	doc_set_time(f->a, image->spec, "pushedAt", clock_ms() + 1000);
	AZ(store_put_spec(f->s, image));
	lifecycle_run(f->g, clock_ms());
	assert_int_equal(repo_image(&f->k, f->a, SPAN("old"), &image),
	    REPO_E_NO_IMAGE);
	AZ(repo_image(&f->k, f->a, SPAN("new"), &image));
	AZ(repo_get(&f->k, f->a, &repo));
	assert_true(doc_get_time(repo->status, "lifecycleEvaluatedAt") > 0);
}

/* Layers */

static void
on_layer(void *ctx, int err, struct span why UNUSED)
{
	on_result(ctx, err);
}

static int
want(struct fixture *f, struct span layer, const char *diff)
{
	f->calls = 0;
	return layer_ensure(f->g, layer, digest_of(f, span_of(diff)),
	    SPAN("t"), on_layer, f);
}

static void
test_layers(void **state)
{
	struct fixture *f = *state;
	struct span l = add_blob(f, SPAN("l"));

	/* Two wait, one unpacks. */
	assert_int_equal(want(f, l, "d"), LAYER_WAIT);
	assert_int_equal(want(f, l, "d"), LAYER_WAIT);
	assert_true(answer(f, false, 0));
	assert_int_equal(f->calls, 2);
	assert_false(answer(f, false, 0));
	assert_int_equal(want(f, l, "d"), 0);
	assert_int_equal(want(f, l, "other"), LAYER_E_BAD);
	/* Another image that lies about it is told so, also when it comes while
	 * the layer is unpacked. */
	l = add_blob(f, SPAN("l1"));
	assert_int_equal(want(f, l, "d"), LAYER_WAIT);
	assert_int_equal(want(f, l, "other"), LAYER_WAIT);
	assert_true(answer(f, false, 0));
	assert_int_equal(f->result, 0);
	assert_true(answer(f, false, 0)); /* "it is there" */
	assert_int_equal(f->result, -EBADMSG);
	/* A failure is told, and tried again by the next. */
	l = add_blob(f, SPAN("l2"));
	assert_int_equal(want(f, l, "d"), LAYER_WAIT);
	assert_true(answer(f, false, -EBADMSG));
	assert_int_equal(f->result, -EBADMSG);
	assert_int_equal(want(f, l, "d"), LAYER_WAIT);
	layer_cancel(f->g, f);
	assert_true(answer(f, false, 0));
	assert_int_equal(f->calls, 0);
}

static void
test_layers_go_with_their_blobs(void **state)
{
	struct fixture *f = *state;
	struct span l = add_blob(f, SPAN("l"));

	assert_int_equal(want(f, l, "d"), LAYER_WAIT);
	assert_true(answer(f, false, 0));
	store_commit(f->s);
	/* A container uses it: it stays known. */
	sweep(f);
	assert_false(has_blob(f, l));
	assert_true(answer(f, true, -EBUSY));
	assert_int_equal(want(f, l, "d"), 0);
	/* It is wanted again while it is removed: unpacked anew, after. */
	sweep(f);
	add_blob(f, SPAN("l"));
	assert_int_equal(want(f, l, "d"), LAYER_WAIT);
	assert_true(answer(f, true, 0));
	assert_int_equal(f->calls, 0);
	assert_true(answer(f, false, 0));
	assert_int_equal(f->calls, 1);
	assert_int_equal(want(f, l, "d"), 0);
}

static void
test_layers_after_a_kill(void **state)
{
	struct fixture *f = *state;
	struct span gone = add_blob(f, SPAN("gone")), l = add_blob(f, SPAN("l"));

	assert_int_equal(want(f, gone, "d"), LAYER_WAIT);
	assert_true(answer(f, false, 0));
	assert_int_equal(want(f, l, "d"), LAYER_WAIT);
	assert_true(answer(f, false, 0));
	store_commit(f->s);
	close_registry(f);
	/* One is there but not known, one is known but not there. */
	f->listed[f->n_listed++] = l;
	f->listed[f->n_listed++] = digest_of(f, SPAN("stray"));
	open_registry(f);
	assert_int_equal(want(f, l, "d"), 0);
	assert_string_equal(list_entry(f->asked.next, struct ask,
	    node)->digest, arena_str(f->a, f->listed[1]));
	assert_true(answer(f, true, 0));
	assert_int_equal(want(f, gone, "d"), LAYER_WAIT);
	assert_true(answer(f, false, 0));
}

/* Tokens */

static void
test_token(void **state)
{
	struct fixture *f = *state;
	struct token t = {here.account, here.region, SPAN("arn"), SPAN("AK"),
	    clock_ms() + TOKEN_LIFE_MS}, got;
	struct span text;

	AZ(token_make(f->s, f->a, &t, &text));
	assert_int_equal(token_check(f->s, f->a, text, &got), 0);
	assert_true(span_eq(got.account, t.account) && span_is(got.arn, "arn"));
	t.expires = clock_ms() - 1;
	AZ(token_make(f->s, f->a, &t, &text));
	assert_int_equal(token_check(f->s, f->a, text, &got), TOKEN_E_EXPIRED);
	assert_int_equal(token_check(f->s, f->a, span_from(text, 1), &got),
	    TOKEN_E_BAD);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_upload),
	    T(test_upload_ends_in_the_middle),
	    T(test_upload_dropped_while_it_writes),
	    T(test_upload_expires),
	    T(test_too_many_uploads),
	    T(test_too_many_at_once),
	    T(test_sweep),
	    T(test_sweep_waits_for_a_seal),
	    T(test_upstream),
	    T(test_lifecycle),
	    T(test_layers),
	    T(test_layers_go_with_their_blobs),
	    T(test_layers_after_a_kill),
	    T(test_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
