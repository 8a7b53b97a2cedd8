/*
 * Wait conditions.  The Ref of a handle is an address on our endpoint that
 * takes the JSON of a signal by PUT; the address is the only proof asked for.
 *
 *	/cloudformation-waitcondition-REGION/STACK-ARN/LOGICAL?Signature=SECRET
 *
 * A signal is kept in its row's spec; the condition looks for it there.
 *
 * AWS: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-waitcondition.html
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "svc/cloudformation/cfn.h"
#include "svc/cloudformation/cloudformation.h"

#define TIMEOUT_MAX 43200 /* s */
#define SIGNALS_MAX 1000
/* https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
#define SIGNAL_DATA_MAX 4096
/* What a body that is no signal is kept as. */
#define UNPARSABLE "Unparsable"

int
cfn_handle_create(struct cfn_run *run, enum cfn_outcome *ret)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	char *secret = id_hex(run->arena, 64);

	buf_addf(&b, "%.*s" WAIT_PATH "%.*s/", SPAN_ARG(api_origin(run->api)),
	    SPAN_ARG(run->scope.region));
	buf_add_uri(&b, run->stack_id, false);
	buf_addf(&b, "/%.*s?Signature=%s", SPAN_ARG(run->logical), secret);
	run->ref = arena_span(run->arena, buf_span(&b));
	doc_set_str(run->arena, run->attrs, ".Signature", span_of(secret));
	*ret = CFN_DONE;
	return 0;
}

/* The row of the handle that an address names; *ret NULL: none.  Negative or
 * 0.  *ret_secret: what the address says. */
static int
handle_find(struct store *s, struct arena *a, struct span path,
    struct span query, struct res **ret, struct span *ret_secret)
{
	_cleanup_(buf_done) struct buf arn = BUF_INIT;
	struct span rest = span_from(path, strlen(WAIT_PATH)), id, logical;
	struct res *stack;
	int e;

	*ret = NULL;
	span_cut(&rest, '/');
	id = span_cut(&rest, '/');
	logical = rest;
	buf_add_unuri(&arn, id, false);
	while (query.p) {
		struct span pair = span_cut(&query, '&');
		struct span key = span_cut(&pair, '=');

		if (span_is(key, "Signature"))
			*ret_secret = pair;
	}
	e = store_get_arn(s, a, buf_span(&arn), &stack);
	if (e || stack->kind != &cloudformation_stack)
		return e < 0 ? err_trace(e) : 0;
	e = store_get(s, a, &cloudformation_resource, stack->scope, stack->id,
	    logical, ret);
	if (e == STORE_E_NOT_FOUND)
		*ret = NULL;
	return e < 0 ? err_trace(e) : 0;
}

static bool
is_status(struct span s)
{
	return span_is(s, "SUCCESS") || span_is(s, "FAILURE");
}

/* A signal that comes again is the same signal. */
static int
keep_signal(struct store *s, struct arena *a, struct res *row, struct span id,
    struct doc *signal)
{
	struct doc *all = doc_get(row->spec, "Signals");
	int e;

	if (!all) {
		all = doc_obj(a);
		doc_set(a, row->spec, "Signals", all);
	}
	if (doc_getn(all, id) || doc_len(all) >= SIGNALS_MAX)
		return 0;
	doc_setn(a, all, id, signal);
	e = store_put_spec(s, row);
	return e ? err_fold(e) : 0;
}

int
wait_signal_open(struct open_call *c)
{
	static const char *const members[] = {"Status", "Data", "Reason"};
	struct span secret = SPAN_NULL, id;
	struct doc *body = NULL, *signal = doc_obj(c->arena);
	struct res *row;
	int e = handle_find(c->store, c->arena, c->path, c->query, &row,
	    &secret);

	if (e)
		return err_trace(e);
	if (!row || !span_is(c->method, "PUT") || doc_get_bool(row->status,
		"Gone", false) || !secret.n || !secret_eq(secret, doc_get_str(
		doc_get(row->status, "Attrs"), ".Signature")))
		return 403;
	if (doc_parse_json(c->arena, c->body, &body))
		body = NULL;
	id = doc_get_str(body, "UniqueId");
	if (c->body.n > 2 * SIGNAL_DATA_MAX ||
	    doc_get_str(body, "Data").n > SIGNAL_DATA_MAX)
		return 400;
	if (!id.n || !is_status(doc_get_str(body, "Status"))) {
		id = SPAN("");
		doc_set_str(c->arena, signal, "Status", SPAN(UNPARSABLE));
	} else {
		for (size_t i = 0; i < ARRAY_SIZE(members); i++)
			doc_set_str(c->arena, signal, members[i],
			    doc_get_str(body, members[i]));
	}
	if ((e = keep_signal(c->store, c->arena, row, id, signal)))
		return err_trace(e);
	return 200;
}

/* The condition */

static bool
in_range(struct cfn_run *run, struct span text, int64_t max)
{
	int64_t v;

	if (span_i64(text, &v) && v >= 1 && v <= max)
		return true;
	cfn_fail(run, "Invalid value %.*s: it must be between 1 and %lld",
	    SPAN_ARG(text), (long long)max);
	return false;
}

/* "PT1H30M", as CreationPolicy has it, in seconds; 0: it is not one. */
static int64_t
duration(struct span s)
{
	int64_t sum = 0, v;
	size_t n;

	if (!span_starts(s, SPAN("PT")))
		return 0;
	for (s = span_from(s, 2); s.n; s = span_from(s, n + 1)) {
		for (n = 0; n < s.n && s.p[n] >= '0' && s.p[n] <= '9';)
			n++;
		if (n == s.n || n > 5 || !span_i64(span_to(s, n), &v) ||
		    !memchr("HMS", s.p[n], 3))
			return 0;
		sum += v * (s.p[n] == 'H' ? 3600 : s.p[n] == 'M' ? 60 : 1);
	}
	return sum;
}

/* How many, how long (s); false and run->reason. */
static bool
terms(struct cfn_run *run, int64_t *ret_count, int64_t *ret_seconds)
{
	const struct doc *p = doc_get(run->creation, "ResourceSignal");
	struct span timeout = doc_get_str(run->props, "Timeout");

	if (run->creation) {
		*ret_count = doc_get_int(p, "Count", 1);
		*ret_seconds = doc_get(p, "Timeout") ?
		    duration(doc_get_str(p, "Timeout")) : 300;
		if (*ret_seconds >= 1 && *ret_seconds <= TIMEOUT_MAX)
			return true;
		cfn_fail(run, "Invalid timeout of CreationPolicy");
		return false;
	}
	if (!doc_get(run->props, "Handle") || !timeout.n) {
		cfn_fail(run, "Property %s cannot be empty.",
		    timeout.n ? "Handle" : "Timeout");
		return false;
	}
	if (!in_range(run, timeout, TIMEOUT_MAX))
		return false;
	*ret_count = doc_get_int(run->props, "Count", 1);
	return span_i64(timeout, ret_seconds);
}

/* The row that is signalled: the handle's, or the condition's own. */
static int
signalled(struct cfn_run *run, struct res **ret)
{
	struct span url = doc_get_str(run->props, "Handle"), query, none;
	ptrdiff_t at = span_find(url, SPAN(WAIT_PATH));
	struct res *stack;
	int e;

	*ret = NULL;
	if (run->creation) {
		if ((e = store_get_arn(run->store, run->arena, run->stack_id,
			 &stack)))
			return err_fold(e);
		e = store_get(run->store, run->arena, &cloudformation_resource,
		    run->scope, stack->id, run->logical, ret);
		return e < 0 ? err_trace(e) : 0;
	}
	if (at < 0)
		return 0;
	query = span_from(url, (size_t)at);
	url = span_cut(&query, '?');
	return handle_find(run->store, run->arena, url, query, ret, &none);
}

int
cfn_wait_create(struct cfn_run *run, enum cfn_outcome *ret)
{
	int64_t count, seconds;
	struct res *row;
	int e = signalled(run, &row);

	if (e)
		return err_trace(e);
	*ret = CFN_FAILED;
	if (!terms(run, &count, &seconds))
		return 0;
	if (!row) {
		cfn_fail(run, "The handle %.*s does not exist", SPAN_ARG(
		    doc_get_str(run->props, "Handle")));
		return 0;
	}
	run->ref = arena_fmt_span(run->arena, "%.*s/%.*s",
	    SPAN_ARG(run->stack_id), SPAN_ARG(row->id));
	doc_set_time(run->arena, run->attrs, ".Since", clock_ms());
	*ret = CFN_DONE;
	return 0;
}

int
cfn_wait_update(struct cfn_run *run, enum cfn_outcome *ret)
{
	*ret = cfn_fail(run, "Update to resource type %s is not supported.",
	    run->map->type);
	return 0;
}

/* The signals so far; false: one of them fails the condition. */
static bool
count_signals(struct cfn_run *run, const struct doc *signals, int64_t *ret_n)
{
	struct doc *data = doc_obj(run->arena);

	*ret_n = 0;
	doc_each_key(id, s, signals) {
		struct span status = doc_get_str(s, "Status");

		if (span_is(status, UNPARSABLE)) {
			cfn_fail(run, "Unparsable WaitCondition data");
			return false;
		}
		if (span_is(status, "FAILURE")) {
			cfn_fail(run, "WaitCondition received failed message: "
			    "'%.*s' for uniqueId: %.*s", SPAN_ARG(doc_get_str(s,
			    "Reason")), SPAN_ARG(id));
			return false;
		}
		doc_setn(run->arena, data, id, doc_strdup(run->arena,
		    doc_get_str(s, "Data")));
		++*ret_n;
	}
	doc_set_str(run->arena, run->attrs, "Data", doc_json(run->arena, data));
	return true;
}

int
cfn_wait_ready(struct cfn_run *run, enum cfn_outcome *ret)
{
	int64_t count, seconds, n;
	struct res *row;
	int e = signalled(run, &row);

	if (e)
		return err_trace(e);
	*ret = CFN_FAILED;
	if (!terms(run, &count, &seconds) ||
	    !count_signals(run, row ? doc_get(row->spec, "Signals") : NULL, &n))
		return 0;
	*ret = CFN_WAIT;
	if (n >= count)
		*ret = CFN_DONE;
	else if (clock_ms() - doc_get_time(run->attrs, ".Since") >=
	    seconds * 1000)
		*ret = cfn_fail(run, "WaitCondition timed out. Received %lld "
		    "conditions when expecting %lld", (long long)n,
		    (long long)count);
	return 0;
}

/* https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_SignalResource.html */
struct reply *
signal_resource(struct call *c)
{
	struct span logical = doc_get_str(c->in, "LogicalResourceId");
	struct span id = doc_get_str(c->in, "UniqueId"), status;
	struct res *stack = NULL, *row;
	struct reply *no = stack_find(c, doc_get_str(c->in, "StackName"),
	    &stack);
	struct doc *signal = doc_obj(c->arena), *shown;
	int e;

	if (no)
		return no;
	e = store_get(c->store, c->arena, &cloudformation_resource, c->scope,
	    stack->id, logical, &row);
	if (e < 0)
		return cfn_fail_reply(c, e);
	if (e)
		return cfn_refuse(c, "Resource %.*s does not exist for stack "
		    "%.*s", SPAN_ARG(logical), SPAN_ARG(doc_get_str(c->in,
		    "StackName")));
	status = doc_get_str(row->status, "ResourceStatus");
	if (!doc_get(row->status, "CreationPolicy") ||
	    !span_ends(status, SPAN("_IN_PROGRESS")))
		return cfn_refuse(c, "Resource %.*s is in %.*s state and cannot "
		    "be signaled", SPAN_ARG(logical), SPAN_ARG(status));
	doc_set_str(c->arena, signal, "Status", doc_get_str(c->in, "Status"));
	if ((e = keep_signal(c->store, c->arena, row, id, signal)))
		return cfn_fail_reply(c, e);
	shown = doc_copy(c->arena, row->status);
	doc_setf(c->arena, shown, "ResourceStatusReason", "Received %.*s "
	    "signal with UniqueId %.*s", SPAN_ARG(doc_get_str(c->in, "Status")),
	    SPAN_ARG(id));
	e = stack_event(c->store, c->arena, stack, shown);
	if (!e)
		e = store_put_status(c->store, stack);
	return e ? cfn_fail_reply(c, e) : reply_ok(c, NULL);
}
