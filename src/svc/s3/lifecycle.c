/* Which rules match, and when they do. */
#include "svc/s3/lifecycle.h"

#define DAY_MS (24 * 60 * 60 * 1000LL)

int64_t
lifecycle_midnight(int64_t ms)
{
	return (ms / DAY_MS + 1) * DAY_MS;
}

static int64_t
days_after(int64_t ms, int64_t days)
{
	return lifecycle_midnight(ms + days * DAY_MS);
}

static bool
has_tag(const struct doc *spec, const struct doc *tag)
{
	const struct doc *v = doc_getn(doc_get(spec, "Tags"),
	    doc_get_str(tag, "Key"));

	return v && span_eq(doc_span(v), doc_get_str(tag, "Value"));
}

/* One filter, or all that an And has. */
static bool
conditions_match(const struct doc *f, struct span key, const struct doc *spec)
{
	int64_t size = doc_get_int(spec, "Size", 0);

	doc_each(tag, doc_get(f, "Tags"))
		if (!has_tag(spec, tag))
			return false;
	return span_starts(key, doc_get_str(f, "Prefix")) &&
	    (!doc_get(f, "Tag") || has_tag(spec, doc_get(f, "Tag"))) &&
	    size > doc_get_int(f, "ObjectSizeGreaterThan", -1) &&
	    size < doc_get_int(f, "ObjectSizeLessThan", INT64_MAX);
}

static bool
matches(const struct doc *rule, struct span key, const struct doc *spec)
{
	const struct doc *f = doc_get(rule, "Filter");
	const struct doc *and = doc_get(f, "And");

	return span_is(doc_get_str(rule, "Status"), "Enabled") &&
	    span_starts(key, doc_get_str(rule, "Prefix")) &&
	    conditions_match(and ? and : f, key, spec);
}

static void
sooner(struct lifecycle_due *d, int64_t at, const struct doc *rule)
{
	if (at < d->at)
		*d = (struct lifecycle_due){at, doc_get_str(rule, "ID")};
}

/* When a rule's Expiration is for what was made at ms. */
static int64_t
expiry(const struct doc *rule, int64_t ms)
{
	const struct doc *e = doc_get(rule, "Expiration");
	int64_t days = doc_get_int(e, "Days", 0);

	if (days)
		return days_after(ms, days);
	return doc_get(e, "Date") ? doc_get_time(e, "Date") : LIFECYCLE_NEVER;
}

struct lifecycle_due
lifecycle_current(const struct doc *rules, struct span key,
    const struct doc *spec)
{
	struct lifecycle_due due = {LIFECYCLE_NEVER, SPAN_NULL};

	doc_each(r, rules)
		if (matches(r, key, spec))
			sooner(&due, expiry(r, doc_get_int(spec,
			    "LastModified", 0)), r);
	return due;
}

struct lifecycle_due
lifecycle_noncurrent(const struct doc *rules, struct span key,
    const struct doc *spec, int64_t since, int64_t newer)
{
	struct lifecycle_due due = {LIFECYCLE_NEVER, SPAN_NULL};

	doc_each(r, rules) {
		const struct doc *e = doc_get(r,
		    "NoncurrentVersionExpiration");

		if (e && matches(r, key, spec) &&
		    newer >= doc_get_int(e, "NewerNoncurrentVersions", 0))
			sooner(&due, days_after(since,
			    doc_get_int(e, "NoncurrentDays", 0)), r);
	}
	return due;
}

/* AWS: an Expiration by age ends such a marker, too. */
struct lifecycle_due
lifecycle_marker(const struct doc *rules, struct span key,
    const struct doc *spec)
{
	struct lifecycle_due due = {LIFECYCLE_NEVER, SPAN_NULL};
	int64_t made = doc_get_int(spec, "LastModified", 0);

	doc_each(r, rules) {
		if (!matches(r, key, spec))
			continue;
		if (doc_get_bool(doc_get(r, "Expiration"),
		    "ExpiredObjectDeleteMarker", false))
			sooner(&due, made, r);
		sooner(&due, expiry(r, made), r);
	}
	return due;
}

struct lifecycle_due
lifecycle_upload(const struct doc *rules, struct span key, int64_t initiated)
{
	struct lifecycle_due due = {LIFECYCLE_NEVER, SPAN_NULL};

	doc_each(r, rules) {
		const struct doc *e = doc_get(r,
		    "AbortIncompleteMultipartUpload");

		if (e && matches(r, key, NULL))
			sooner(&due, days_after(initiated,
			    doc_get_int(e, "DaysAfterInitiation", 0)), r);
	}
	return due;
}
