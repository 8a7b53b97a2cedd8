/* Which lifecycle rules S3 takes. */
#include "base/id.h"
#include "svc/s3/s3.h"

#define RULES_MAX 1000
#define ID_MAX	  255
#define NEWER_MAX 100
#define DAY	  (24 * 60 * 60)

static struct reply *
invalid(struct call *c, const char *text)
{
	return reply_error(c, "InvalidArgument", "%s", text);
}

static struct reply *
check_days(struct call *c, const struct doc *of, const char *member,
    const char *action)
{
	const struct doc *v = doc_get(of, member);

	if (!v || (doc_i64(v, 0) > 0 && doc_i64(v, 0) <= INT32_MAX))
		return NULL;
	return invalid(c, arena_fmt(c->arena, "'%s' for %s action must be a "
	    "positive integer", member, action));
}

static struct reply *
check_expiration(struct call *c, const struct doc *e)
{
	const struct doc *date = doc_get(e, "Date");
	struct reply *no;

	if (!e)
		return NULL;
	if (doc_len(e) != 1)
		return s3_malformed(c);
	if ((no = check_days(c, e, "Days", "Expiration")))
		return no;
	if (date && (doc_f64(date, 0) < 0 ||
	    doc_get_time(e, "Date") % (DAY * 1000LL) != 0))
		return invalid(c, "'Date' must be at midnight GMT");
	return NULL;
}

static struct reply *
check_noncurrent(struct call *c, const struct doc *e)
{
	int64_t newer = doc_get_int(e, "NewerNoncurrentVersions", 1);

	if (!e)
		return NULL;
	if (!doc_get(e, "NoncurrentDays"))
		return s3_malformed(c);
	if (newer < 1 || newer > NEWER_MAX)
		return invalid(c, "'NewerNoncurrentVersions' must be an "
		    "integer between 1 and 100");
	return check_days(c, e, "NoncurrentDays",
	    "NoncurrentVersionExpiration");
}

/* Not an And: one condition at most. */
static struct reply *
check_filter(struct call *c, const struct doc *rule)
{
	const struct doc *f = doc_get(rule, "Filter");
	const struct doc *and = doc_get(f, "And");

	/* One of both says what the rule is for. */
	if ((f != NULL) == (doc_get(rule, "Prefix") != NULL))
		return s3_malformed(c);
	if (doc_len(f) > 1 || (and && doc_len(and) +
	    (doc_len(doc_get(and, "Tags")) > 1) < 2))
		return s3_malformed(c);
	return NULL;
}

static bool
is_by_prefix(const struct doc *rule)
{
	const struct doc *f = doc_get(rule, "Filter");

	return !f || doc_len(f) == 0 || doc_get(f, "Prefix");
}

static struct reply *
check_abort(struct call *c, const struct doc *rule)
{
	const struct doc *e = doc_get(rule, "AbortIncompleteMultipartUpload");

	if (!e)
		return NULL;
	if (!is_by_prefix(rule))
		return reply_error(c, "InvalidRequest",
		    "AbortIncompleteMultipartUpload cannot be specified with "
		    "Tags or object sizes.");
	return doc_get(e, "DaysAfterInitiation") ? check_days(c, e,
	    "DaysAfterInitiation", "AbortIncompleteMultipartUpload") :
	    s3_malformed(c);
}

static struct reply *
check_rule(struct call *c, const struct doc *rule)
{
	const struct doc *e = doc_get(rule, "Expiration");
	struct reply *no;

	if (doc_len(doc_get(rule, "Transitions")) ||
	    doc_len(doc_get(rule, "NoncurrentVersionTransitions")))
		return reply_not_implemented(c,
		    "a transition to another storage class");
	if (doc_get_str(rule, "ID").n > ID_MAX)
		return invalid(c, "ID length should not exceed allowed limit "
		    "of 255");
	if ((no = check_filter(c, rule)) || (no = check_expiration(c, e)) ||
	    (no = check_noncurrent(c, doc_get(rule,
	    "NoncurrentVersionExpiration"))) || (no = check_abort(c, rule)))
		return no;
	if (doc_get(e, "ExpiredObjectDeleteMarker") && !is_by_prefix(rule))
		return reply_error(c, "InvalidRequest",
		    "ExpiredObjectDeleteMarker cannot be specified with Tags "
		    "or object sizes.");
	if (!e && !doc_get(rule, "NoncurrentVersionExpiration") &&
	    !doc_get(rule, "AbortIncompleteMultipartUpload"))
		return reply_error(c, "InvalidRequest", "At least one action "
		    "needs to be specified in a rule");
	return NULL;
}

struct reply *
s3_check_lifecycle(struct call *c, struct doc *v)
{
	const struct doc *rules = doc_get(v, "Rules");
	struct doc *ids = doc_obj(c->arena);
	struct reply *no;

	if (!doc_len(rules) || doc_len(rules) > RULES_MAX)
		return s3_malformed(c);
	doc_each(rule, rules) {
		struct span id = doc_get_str(rule, "ID");

		if ((no = check_rule(c, rule)))
			return no;
		/* AWS: one that has no name gets one. */
		if (!id.n)
			doc_set_str(c->arena, rule, "ID",
			    id = span_of(id_uuid(c->arena)));
		if (doc_getn(ids, id))
			return invalid(c, "Rule ID must be unique. Found same "
			    "ID for more than one rule");
		doc_setn(c->arena, ids, id, doc_bool(c->arena, true));
	}
	return NULL;
}
