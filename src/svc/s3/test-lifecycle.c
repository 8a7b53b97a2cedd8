/* When rules are due: days, dates, filters, versions, uploads. */
#include "base/clock.h"
#include "base/test.h"
#include "svc/s3/lifecycle.h"

/* "" stands for never. */
struct row {
	const char *rules, *key, *spec, *due, *rule;
};

static struct doc *
json(struct arena *a, const char *text)
{
	char *s = arena_str(a, span_of(text));
	struct doc *d;

	for (char *p = s; *p; p++)
		if (*p == '\'')
			*p = '"';
	assert_int_equal(doc_parse_json(a, span_of(s), &d), 0);
	return d;
}

static int64_t
ms(const char *iso)
{
	int64_t v = LIFECYCLE_NEVER;

	if (*iso)
		assert_true(clock_parse_iso(span_of(iso), &v));
	return v;
}

static void
check(struct lifecycle_due got, const char *due, const char *rule)
{
	if (got.at != ms(due))
		fail_msg("%lld, not %lld (%s)", (long long)got.at,
		    (long long)ms(due), due);
	assert_true(span_is(got.rule, rule));
}

/* Made at 2014-01-15T10:30:00Z. */
#define MADE "'LastModified': 1389781800000, "
#define DAYS(n) "'Status': 'Enabled', 'Expiration': {'Days': " #n "}"

static void
test_current(void **state UNUSED)
{
	static const struct row rows[] = {
		/* AWS's own example. */
		{"[{'ID': 'a', " DAYS(3) "}]", "k", "{" MADE "'Size': 1}",
		    "2014-01-19T00:00:00Z", "a"},
		{"[{'ID': 'a', " DAYS(3) "}, {'ID': 'b', " DAYS(1) "}]", "k",
		    "{" MADE "'Size': 1}", "2014-01-17T00:00:00Z", "b"},
		{"[{'ID': 'a', 'Status': 'Disabled', 'Expiration': "
		    "{'Days': 1}}]", "k", "{" MADE "'Size': 1}", "", ""},
		{"[{'ID': 'd', 'Status': 'Enabled', 'Expiration': "
		    "{'Date': 1388534400}}]", "k", "{" MADE "'Size': 1}",
		    "2014-01-01T00:00:00Z", "d"},
		{"[{'ID': 'a', 'Prefix': 'x/', " DAYS(3) "}]", "k",
		    "{" MADE "'Size': 1}", "", ""},
		{"[{'ID': 'a', 'Filter': {'Prefix': 'x/'}, " DAYS(3) "}]",
		    "x/k", "{" MADE "'Size': 1}", "2014-01-19T00:00:00Z", "a"},
		{"[{'ID': 'a', 'Filter': {'Tag': {'Key': 't', 'Value': '1'}}, "
		    DAYS(3) "}]", "k", "{" MADE "'Tags': {'t': '1'}}",
		    "2014-01-19T00:00:00Z", "a"},
		{"[{'ID': 'a', 'Filter': {'Tag': {'Key': 't', 'Value': ''}}, "
		    DAYS(3) "}]", "k", "{" MADE "'Size': 1}", "", ""},
		{"[{'ID': 'a', 'Filter': {'ObjectSizeGreaterThan': 5}, "
		    DAYS(3) "}]", "k", "{" MADE "'Size': 5}", "", ""},
		{"[{'ID': 'a', 'Filter': {'ObjectSizeLessThan': 5}, "
		    DAYS(3) "}]", "k", "{" MADE "'Size': 5}", "", ""},
		{"[{'ID': 'a', 'Filter': {'And': {'Prefix': 'k', "
		    "'ObjectSizeGreaterThan': 4, 'ObjectSizeLessThan': 6, "
		    "'Tags': [{'Key': 't', 'Value': '1'}]}}, " DAYS(3) "}]",
		    "k", "{" MADE "'Size': 5, 'Tags': {'t': '1'}}",
		    "2014-01-19T00:00:00Z", "a"},
		{"[{'ID': 'a', 'Filter': {'And': {'Tags': [{'Key': 't', "
		    "'Value': '1'}, {'Key': 'u', 'Value': '2'}]}}, " DAYS(3)
		    "}]", "k", "{" MADE "'Tags': {'t': '1'}}", "", ""},
		{"[{'ID': 'a', 'Status': 'Enabled', "
		    "'NoncurrentVersionExpiration': {'NoncurrentDays': 1}}]",
		    "k", "{" MADE "'Size': 1}", "", ""},
		{"[]", "k", "{" MADE "'Size': 1}", "", ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_arena_ struct arena *a = arena_new();

		check(lifecycle_current(json(a, rows[i].rules),
		    span_of(rows[i].key), json(a, rows[i].spec)), rows[i].due,
		    rows[i].rule);
	}
}

static void
test_noncurrent(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const struct doc *rules = json(a, "[{'ID': 'n', 'Status': 'Enabled', "
	    "'NoncurrentVersionExpiration': {'NoncurrentDays': 3, "
	    "'NewerNoncurrentVersions': 2}}, {'ID': 'a', " DAYS(1) "}]");
	const struct doc *spec = json(a, "{" MADE "'Size': 1}");
	int64_t since = ms("2014-01-20T23:59:59Z");

	check(lifecycle_noncurrent(rules, SPAN("k"), spec, since, 1), "", "");
	check(lifecycle_noncurrent(rules, SPAN("k"), spec, since, 2),
	    "2014-01-24T00:00:00Z", "n");
	check(lifecycle_noncurrent(rules, SPAN("k"), spec, since + 1000, 3),
	    "2014-01-25T00:00:00Z", "n");
}

static void
test_marker(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const struct doc *spec = json(a, "{" MADE "'DeleteMarker': true}");

	check(lifecycle_marker(json(a, "[{'ID': 'm', 'Status': 'Enabled', "
	    "'Expiration': {'ExpiredObjectDeleteMarker': true}}]"), SPAN("k"),
	    spec), "2014-01-15T10:30:00Z", "m");
	check(lifecycle_marker(json(a, "[{'ID': 'm', 'Status': 'Enabled', "
	    "'Expiration': {'ExpiredObjectDeleteMarker': false}}]"), SPAN("k"),
	    spec), "", "");
	check(lifecycle_marker(json(a, "[{'ID': 'a', " DAYS(3) "}]"),
	    SPAN("k"), spec), "2014-01-19T00:00:00Z", "a");
}

static void
test_upload(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const struct doc *rules = json(a, "[{'ID': 'u', 'Status': 'Enabled', "
	    "'Filter': {'Prefix': 'x/'}, 'AbortIncompleteMultipartUpload': "
	    "{'DaysAfterInitiation': 7}}, {'ID': 'a', " DAYS(1) "}]");

	check(lifecycle_upload(rules, SPAN("x/k"), ms("2014-01-15T00:00:00Z")),
	    "2014-01-23T00:00:00Z", "u");
	check(lifecycle_upload(rules, SPAN("k"), ms("2014-01-15T00:00:00Z")),
	    "", "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_current),
		cmocka_unit_test(test_noncurrent),
		cmocka_unit_test(test_marker),
		cmocka_unit_test(test_upload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
