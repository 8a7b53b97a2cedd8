/* Lifecycle rules over S3's real operations, while days go by. */
#include <stdio.h>
#include <unistd.h>

#include "api/api.h"
#include "base/clock.h"
#include "base/test.h"
#include "ctl/s3-lifecycle.h"
#include "store/files.h"
#include "svc/s3/lifecycle.h"
#include "svc/s3/s3.h"

/* The rows of a step, and more: see STEP_ROWS. */
#define MANY 120

static const struct scope here = {{"123456789012", 12}, {"us-east-1", 9}};
static const struct service *const only_s3[] = {&s3_service, NULL};
static const struct controller *const list[] = {&ctl_s3_lifecycle, NULL};

struct fixture {
	char *dir;
	uv_loop_t loop;
	struct ctl_env env;
	struct files *files;
	struct ctl *ctl;
	struct arena *a;
	int64_t bucket;
};

/* --- S3 ----------------------------------------------------------------- */

static struct doc *
json(struct arena *a, const char *fmt, ...)
{
	struct doc *d;
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = arena_vfmt(a, fmt, ap);
	va_end(ap);
	for (char *p = s; *p; p++)
		if (*p == '\'')
			*p = '"';
	assert_int_equal(doc_parse_json(a, span_of(s), &d), 0);
	return d;
}

static struct op_result
call(struct fixture *f, const char *op, const struct doc *in)
{
	struct principal who = principal_system(here.account,
	    "s3.amazonaws.com");
	struct op_result r;

	assert_int_equal(op_call(f->env.api, f->a, &who, here, "s3", op, in,
	    &r), 0);
	if (r.error.n)
		fail_msg("%s: %.*s", op, SPAN_ARG(r.message));
	store_commit(f->env.store);
	return r;
}

static void
put(struct fixture *f, const char *key)
{
	call(f, "PutObject", json(f->a, "{'Bucket': 'bucket', 'Key': '%s', "
	    "'Body': 'x'}", key));
}

static void
versioning(struct fixture *f)
{
	call(f, "PutBucketVersioning", json(f->a, "{'Bucket': 'bucket', "
	    "'VersioningConfiguration': {'Status': 'Enabled'}}"));
}

static void
rule(struct fixture *f, const char *text)
{
	call(f, "PutBucketLifecycleConfiguration", json(f->a, "{'Bucket': "
	    "'bucket', 'LifecycleConfiguration': {'Rules': [{'ID': 'r', "
	    "'Status': 'Enabled', 'Filter': {'Prefix': ''}, %s}]}}", text));
}

static size_t
count(struct fixture *f, const char *op, const char *member)
{
	return doc_len(doc_get(call(f, op, json(f->a, "{'Bucket': 'bucket'}"))
	    .out, member));
}

static void
expect(struct fixture *f, size_t objects, size_t versions, size_t markers)
{
	assert_int_equal(count(f, "ListObjectsV2", "Contents"), objects);
	assert_int_equal(count(f, "ListObjectVersions", "Versions"), versions);
	assert_int_equal(count(f, "ListObjectVersions", "DeleteMarkers"),
	    markers);
}

/* --- time --------------------------------------------------------------- */

static void
at(const char *iso)
{
	int64_t ms;

	assert_true(clock_parse_iso(span_of(iso), &ms));
	clock_fake(ms);
}

/* Steps until all of the bucket was looked at. */
static void
look(struct fixture *f)
{
	int64_t again;

	do {
		_cleanup_arena_ struct arena *a = arena_new();

		again = 0;
		assert_int_equal(ctl_s3_lifecycle.run(ctl_state(f->ctl,
		    &ctl_s3_lifecycle), f->ctl, a, f->bucket, &again), 0);
		store_commit(f->env.store);
	} while (again == 5);
	assert_int_equal(again, lifecycle_midnight(clock_ms()) - clock_ms());
}

static int
setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct api_config c = {.services = only_s3,
	    .root.account = here.account};
	struct res *r;

	f->dir = xstrdup("/tmp/test-lifecycle-XXXXXX");
	AN(mkdtemp(f->dir));
	f->a = arena_new();
	AZ(uv_loop_init(&f->loop));
	f->env.loop = &f->loop;
	AZ(store_open(f->dir, s3_kinds, &f->env.store));
	AZ(files_open(f->dir, "s3", &f->files));
	c.store = f->env.store;
	c.files = f->files;
	c.loop = &f->loop;
	f->env.api = api_new(&c);
	at("2014-01-15T10:30:00Z");
	call(f, "CreateBucket", json(f->a, "{'Bucket': 'bucket'}"));
	AZ(store_get(f->env.store, f->a, &s3_bucket, here, SPAN_NULL,
	    SPAN("bucket"), &r));
	f->bucket = r->row;
	AZ(ctl_new(&f->env, list, &f->ctl));
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *rm = xasprintf("rm -rf %s", f->dir);

	clock_fake(0);
	ctl_free(f->ctl);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	api_free(f->env.api);
	files_free(f->files);
	store_close(f->env.store);
	AZ(uv_loop_close(&f->loop));
	arena_free(f->a);
	AZ(system(rm));
	free(f->dir);
	free(f);
	return 0;
}

static void
test_expiration(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < MANY; i++)
		put(f, arena_fmt(f->a, "k%03d", i));
	rule(f, "'Expiration': {'Days': 3}");
	at("2014-01-18T23:59:59Z");
	put(f, "young");
	look(f);
	expect(f, MANY + 1, MANY + 1, 0);
	at("2014-01-19T00:00:00Z");
	look(f);
	expect(f, 1, 1, 0);
}

static void
test_versions(void **state)
{
	struct fixture *f = *state;

	versioning(f);
	put(f, "a");
	put(f, "b");
	rule(f, "'Expiration': {'Days': 3}, "
	    "'NoncurrentVersionExpiration': {'NoncurrentDays': 2}");
	at("2014-01-19T00:00:00Z");
	look(f);
	expect(f, 0, 2, 2);
	/* Noncurrent since the 19th. */
	at("2014-01-21T23:59:59Z");
	look(f);
	expect(f, 0, 2, 2);
	at("2014-01-22T00:00:00Z");
	look(f);
	expect(f, 0, 0, 2);
	/* Markers without anything behind them, three days old. */
	at("2014-01-23T00:00:00Z");
	look(f);
	expect(f, 0, 0, 0);
}

static void
test_newer_versions_stay(void **state)
{
	struct fixture *f = *state;

	versioning(f);
	for (int i = 0; i < MANY; i++)
		put(f, "k");
	put(f, "l");
	rule(f, "'NoncurrentVersionExpiration': {'NoncurrentDays': 1, "
	    "'NewerNoncurrentVersions': 2}");
	look(f);
	expect(f, 2, MANY + 1, 0);
	at("2014-02-01T00:00:00Z");
	look(f);
	expect(f, 2, 4, 0);
}

static void
test_marker(void **state)
{
	struct fixture *f = *state;

	versioning(f);
	put(f, "k");
	call(f, "DeleteObject", json(f->a, "{'Bucket': 'bucket', 'Key': "
	    "'k'}"));
	call(f, "DeleteObject", json(f->a, "{'Bucket': 'bucket', 'Key': "
	    "'alone'}"));
	rule(f, "'Expiration': {'ExpiredObjectDeleteMarker': true}");
	look(f);
	expect(f, 0, 1, 1);
}

static void
test_uploads(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < MANY; i++)
		call(f, "CreateMultipartUpload", json(f->a, "{'Bucket': "
		    "'bucket', 'Key': 'k%d'}", i));
	rule(f, "'AbortIncompleteMultipartUpload': "
	    "{'DaysAfterInitiation': 1}");
	look(f);
	assert_int_equal(count(f, "ListMultipartUploads", "Uploads"), MANY);
	at("2014-01-17T00:00:00Z");
	look(f);
	assert_int_equal(count(f, "ListMultipartUploads", "Uploads"), 0);
}

int
main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_expiration), T(test_versions),
		T(test_newer_versions_stay), T(test_marker), T(test_uploads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
