/* Log groups and their retention. */
#include "svc/logs/logs.h"

#define LIST_DEFAULT 50

/* https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html */
static const int retention_days[] = {1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180,
	365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653};

struct reply *
logs_create_group(struct call *c)
{
	struct span name = doc_get_str(c->in, "logGroupName");
	struct span class = doc_get_str(c->in, "logGroupClass");
	struct res *g = res_new(c->arena, &logs_log_group, c->scope, SPAN_NULL,
	    name);
	struct reply *no;
	int r;

	if (name.n >= 4 && span_ieq(span_to(name, 4), SPAN("aws/")))
		return logs_invalid(c, "Log groups starting with AWS/ are "
		    "reserved for AWS.");
	doc_set_str(c->arena, g->spec, "logGroupClass",
	    class.n ? class : SPAN("STANDARD"));
	r = store_insert(c->store, c->arena, g);
	if (r == STORE_E_EXISTS)
		return reply_error(c, "ResourceAlreadyExistsException",
		    "The specified log group already exists");
	if (r)
		return logs_fail(c, r);
	no = logs_put_tags(c, g, doc_get(c->in, "tags"));
	return no ? no : reply_ok(c, NULL);
}

struct reply *
logs_delete_group(struct call *c)
{
	struct query q = {.kind = &logs_log_stream, .scope = c->scope,
	    .parent = doc_get_str(c->in, "logGroupName")};
	struct res_list l;
	struct res *g;
	struct reply *no = logs_group(c, &g);
	int r;

	if (no)
		return no;
	if ((r = store_list(c->store, c->arena, &q, &l)))
		return logs_fail(c, r);
	for (size_t i = 0; i < l.n; i++)
		if ((r = store_delete(c->store, l.v[i])))
			return logs_fail(c, r);
	r = store_delete(c->store, g);
	return r ? logs_fail(c, r) : reply_ok(c, NULL);
}

/* Retention */

static bool
days_ok(int64_t days)
{
	for (size_t i = 0; i < ARRAY_SIZE(retention_days); i++)
		if (days == retention_days[i])
			return true;
	return false;
}

static struct reply *
bad_days(struct call *c, int64_t days)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(retention_days); i++)
		buf_addf(&b, "%s%d", i ? ", " : "", retention_days[i]);
	return logs_invalid(c, "1 validation error detected: Value '%lld' at "
	    "'retentionInDays' failed to satisfy constraint: Member must "
	    "satisfy enum value set: [%s]", (long long)days, buf_str(&b));
}

static struct reply *
set_retention(struct call *c, int64_t days)
{
	struct res *g;
	struct reply *no = logs_group(c, &g);
	int r;

	if (no)
		return no;
	doc_set(c->arena, g->spec, "retentionInDays",
	    days ? doc_int(c->arena, days) : NULL);
	r = store_put_spec(c->store, g);
	return r ? logs_fail(c, r) : reply_ok(c, NULL);
}

struct reply *
logs_put_retention(struct call *c)
{
	int64_t days = doc_get_int(c->in, "retentionInDays", 0);

	return days_ok(days) ? set_retention(c, days) : bad_days(c, days);
}

struct reply *
logs_delete_retention(struct call *c)
{
	return set_retention(c, 0);
}

/* DescribeLogGroups */

static void
add_size(void *ctx, const struct log_stats *s)
{
	int64_t *sum = ctx;

	*sum += s->bytes;
}

static int
show(struct call *c, const struct res *g, struct doc **ret)
{
	struct arena *a = c->arena;
	struct doc *d = doc_obj(a), *days = doc_get(g->spec, "retentionInDays");
	int64_t bytes = 0;
	int r;

	doc_set_str(a, d, "logGroupName", g->id);
	doc_set_int(a, d, "creationTime", g->created);
	doc_setf(a, d, "arn", "%.*s:*", SPAN_ARG(g->arn));
	*ret = d;
	/* AWS: a search by pattern shows these three only. */
	if (doc_get(c->in, "logGroupNamePattern"))
		return 0;
	if ((r = log_stats_each(store_logs(c->store), g->row, add_size,
	    &bytes)) < 0)
		return r;
	doc_set_str(a, d, "logGroupArn", g->arn);
	doc_set(a, d, "retentionInDays", doc_copy(a, days));
	doc_set_int(a, d, "metricFilterCount", 0);
	doc_set_int(a, d, "storedBytes", bytes);
	doc_set_str(a, d, "logGroupClass",
	    doc_get_str(g->spec, "logGroupClass"));
	return 0;
}

/* Is the group one of those named, by name or ARN? */
static bool
named(const struct doc *ids, const struct res *g)
{
	return !ids || doc_has_str(ids, g->id) || doc_has_str(ids, g->arn);
}

static bool
wanted(const struct call *c, const struct res *g)
{
	struct span class = doc_get_str(c->in, "logGroupClass");
	struct span part = doc_get_str(c->in, "logGroupNamePattern");

	return (!part.n || span_find(g->id, part) >= 0) &&
	    (!class.n ||
		span_eq(class, doc_get_str(g->spec, "logGroupClass"))) &&
	    named(doc_get(c->in, "logGroupIdentifiers"), g);
}

static struct reply *
check_describe(struct call *c, struct span *ret_after)
{
	struct span token = doc_get_str(c->in, "nextToken");

	*ret_after = SPAN_NULL;
	if (doc_get(c->in, "logGroupNamePrefix") &&
	    doc_get(c->in, "logGroupNamePattern"))
		return logs_invalid(c, "LogGroup name prefix and LogGroup name "
		    "pattern are mutually exclusive parameters.");
	if (token.n && !page_token_read(c, token, ret_after))
		return logs_bad_token(c);
	return NULL;
}

/* Groups whose names begin with the prefix, in order, those behind after alone;
 * as many as one more than a page where nothing else is asked of them. */
static int
list_groups(struct call *c, struct span after, size_t max,
    struct res_list *ret)
{
	static const char *const others[] = {"logGroupNamePattern",
		"logGroupClass", "logGroupIdentifiers"};
	struct span prefix = doc_get_str(c->in, "logGroupNamePrefix");
	bool behind = after.n && span_cmp(after, prefix) >= 0;
	struct id_range q = {.kind = &logs_log_group, .scope = c->scope,
		.from = behind ? after : prefix, .after = behind,
		.limit = max + 1};

	/* Names are ASCII. */
	if (prefix.n)
		q.until = arena_fmt_span(c->arena, "%.*s\177",
		    SPAN_ARG(prefix));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (doc_get(c->in, others[i]))
			q.limit = 0;
	return store_list_ids(c->store, c->arena, &q, ret);
}

struct reply *
logs_describe_groups(struct call *c)
{
	size_t max = (size_t)doc_get_int(c->in, "limit", LIST_DEFAULT), n = 0;
	struct doc *out = doc_obj(c->arena), *arr = doc_arr(c->arena), *one;
	struct span after, last = SPAN_NULL;
	struct reply *no = check_describe(c, &after);
	struct res_list l;
	int r;

	if (no)
		return no;
	if ((r = list_groups(c, after, max, &l)))
		return logs_fail(c, r);
	for (size_t i = 0; i < l.n; i++) {
		if (!wanted(c, l.v[i]))
			continue;
		if (n++ == max) {
			doc_set_str(c->arena, out, "nextToken",
			    page_token_text(c, last));
			break;
		}
		if ((r = show(c, l.v[i], &one)) < 0)
			return logs_fail(c, r);
		doc_push(arr, one);
		last = l.v[i]->id;
	}
	return reply_ok(c, doc_set(c->arena, out, "logGroups", arr));
}
