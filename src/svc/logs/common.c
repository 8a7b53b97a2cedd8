/* Finding groups and streams, refusing in CloudWatch Logs' words, places. */
#include "svc/logs/logs.h"

#include "base/err.h"

#define POS_FIRST  '3' /* as AWS's ids begin */
#define TIME_DIGITS 13

struct reply *
logs_fail(struct call *c, int r)
{
	return reply_failure(c, r < 0 ? r : err_fold(r));
}

struct reply *
logs_invalid(struct call *c, const char *fmt, ...)
{
	const char *what;
	va_list ap;

	va_start(ap, fmt);
	what = arena_vfmt(c->arena, fmt, ap);
	va_end(ap);
	return reply_error(c, "InvalidParameterException", "%s", what);
}

struct reply *
logs_no_group(struct call *c)
{
	return reply_error(c, "ResourceNotFoundException",
	    "The specified log group does not exist.");
}

struct reply *
logs_no_stream(struct call *c)
{
	return reply_error(c, "ResourceNotFoundException",
	    "The specified log stream does not exist.");
}

struct reply *
logs_bad_token(struct call *c)
{
	return logs_invalid(c, "The specified nextToken is invalid.");
}

/* A group's ARN ends in ":*" in some places of AWS's. */
static struct span
group_arn(struct span s)
{
	return span_ends(s, SPAN(":*")) ? span_to(s, s.n - 2) : s;
}

struct reply *
logs_group(struct call *c, struct res **ret)
{
	struct span name = doc_get_str(c->in, "logGroupName");
	struct span id = doc_get_str(c->in, "logGroupIdentifier");
	int r;

	if (name.n && id.n)
		return logs_invalid(c, "LogGroup name and LogGroup ARN are "
		    "mutually exclusive parameters.");
	if (!name.n && !id.n)
		return logs_invalid(c, "At least one of logGroupName or "
		    "logGroupIdentifier must be specified.");
	if (span_starts(id, SPAN("arn:")))
		r = store_get_arn(c->store, c->arena, group_arn(id), ret);
	else
		r = store_get(c->store, c->arena, &logs_log_group, c->scope,
		    SPAN_NULL, name.n ? name : id, ret);
	if (r == STORE_E_NOT_FOUND ||
	    (r == 0 && ((*ret)->kind != &logs_log_group ||
		!span_eq((*ret)->scope.account, c->scope.account) ||
		!span_eq((*ret)->scope.region, c->scope.region))))
		return logs_no_group(c);
	return r ? logs_fail(c, r) : NULL;
}

struct reply *
logs_stream(struct call *c, const struct res *group, struct res **ret)
{
	int r = store_get(c->store, c->arena, &logs_log_stream, group->scope,
	    group->id, doc_get_str(c->in, "logStreamName"), ret);

	if (r == STORE_E_NOT_FOUND)
		return logs_no_stream(c);
	return r ? logs_fail(c, r) : NULL;
}

struct span
logs_pos_text(struct arena *a, struct log_pos pos)
{
	/* Times of the model are not negative; ours fit until the year 2286. */
	return arena_fmt_span(a, "%c%013lld%042lld", POS_FIRST,
	    (long long)CLAMP(pos.time, (int64_t)0, 9999999999999LL),
	    (long long)pos.id);
}

bool
logs_pos_parse(struct span s, struct log_pos *ret)
{
	uint64_t time, id;

	if (s.n != LOGS_POS_DIGITS || s.p[0] != POS_FIRST ||
	    !span_u64(span_to(span_from(s, 1), TIME_DIGITS), &time) ||
	    !span_u64(span_from(s, 1 + TIME_DIGITS), &id) || id > INT64_MAX)
		return false;
	*ret = (struct log_pos){(int64_t)time, (int64_t)id};
	return true;
}

struct log_pos
logs_pos_next(struct log_pos pos)
{
	if (pos.id < INT64_MAX)
		return (struct log_pos){pos.time, pos.id + 1};
	if (pos.time < INT64_MAX)
		return (struct log_pos){pos.time + 1, 0};
	return pos;
}
