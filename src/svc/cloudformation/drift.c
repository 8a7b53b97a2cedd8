/*
 * Drift detection.  It is done when DetectStackDrift answers: reading here
 * costs no more than that.
 *
 * AWS: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "cfn/facts.h"
#include "svc/cloudformation/cloudformation.h"
#include "svc/cloudformation/live.h"

/* AWS keeps results for 90 days. */
#define KEEP_MS (90 * 24 * 3600 * 1000LL)

static struct reply *
checkable(struct call *c, const struct res *stack)
{
	static const char *const ok = "CREATE_COMPLETE UPDATE_COMPLETE "
	    "UPDATE_ROLLBACK_COMPLETE UPDATE_ROLLBACK_FAILED IMPORT_COMPLETE "
	    "IMPORT_ROLLBACK_COMPLETE";
	struct span status = doc_get_str(stack->status, "StackStatus");

	if (cfn_word(ok, status))
		return NULL;
	return cfn_refuse(c, "Drift detection cannot be performed on stack "
	    "[%.*s] while it is in status [%.*s]", SPAN_ARG(stack->arn),
	    SPAN_ARG(status));
}

/* Values that AWS hides are not compared, for what differs is shown. */
static bool
is_secret(const struct doc *shown)
{
	struct span s = doc_span(shown);

	if (doc_type(shown) == DOC_STR)
		return span_find(s, SPAN("****")) >= 0 ||
		    span_find(s, SPAN("{{resolve:ssm-secure:")) >= 0 ||
		    span_find(s, SPAN("{{resolve:secretsmanager:")) >= 0;
	doc_each(v, shown)
		if (is_secret(v))
			return true;
	return false;
}

static struct doc *
open_values(struct arena *a, const struct res *row)
{
	const struct doc *shown = doc_get(row->status, "Shown");
	struct doc *out = doc_obj(a);

	doc_each_key(k, v, doc_get(row->status, "Props"))
		if (!is_secret(doc_getn(shown, k)))
			doc_setn(a, out, k, doc_copy(a, v));
	return out;
}

/* As last applied, without the tags that CloudFormation gives. */
static struct doc *
expected(struct arena *a, const struct res *row)
{
	const struct cfn_facts *f = cfn_facts_find(doc_get_str(row->status,
	    "ResourceType"));
	struct doc *out = open_values(a, row), *own;
	const struct doc *tags = f && f->tags ? doc_get(out, f->tags) : NULL;

	if (!tags)
		return out;
	own = f->tag_map ? doc_obj(a) : doc_arr(a);
	doc_each_key(k, t, tags) {
		if (span_starts(f->tag_map ? k : doc_get_str(t, "Key"),
			SPAN("aws:")))
			continue;
		if (f->tag_map)
			doc_setn(a, own, k, doc_copy(a, t));
		else
			doc_push(own, doc_copy(a, t));
	}
	return doc_set(a, out, f->tags, doc_len(own) ? own : NULL);
}

static struct doc *
physical_ids(struct arena *a, const struct res_list *rows)
{
	struct doc *out = doc_arr(a);

	for (size_t i = 0; i < rows->n; i++)
		doc_push_str(a, out, doc_get_str(rows->v[i]->status,
		    "PhysicalResourceId"));
	return out;
}

static void
runner(struct call *c, const struct res *stack, const struct res *row,
    struct cfn_run *ret)
{
	const struct doc *attrs = doc_get(row->status, "Attrs");
	struct span type = doc_get_str(row->status, "ResourceType");

	*ret = (struct cfn_run){
		.api = c->api,
		.store = c->store,
		.arena = c->arena,
		.who = principal_system(c->scope.account,
		    "cloudformation.amazonaws.com"),
		.scope = c->scope,
		.stack = doc_get_str(stack->spec, "StackName"),
		.stack_id = stack->arn,
		.logical = doc_get_str(row->status, "LogicalResourceId"),
		.token = c->request_id,
		.ref = doc_get_str(row->status, "PhysicalResourceId"),
		.attrs = attrs ? doc_copy(c->arena, attrs) :
				 doc_obj(c->arena),
		.out = doc_obj(c->arena),
	};
	ret->props = doc_get(row->status, "Props");
	ret->map = cfn_map_find(type, &ret->service);
}

/* Into the row's spec. */
static int
note(struct call *c, struct res *row, const char *status, struct doc *want,
    struct doc *have, struct doc *differences, struct span why)
{
	struct doc *d = doc_obj(c->arena);
	int e;

	doc_set_str(c->arena, d, "StackResourceDriftStatus", span_of(status));
	doc_set_time(c->arena, d, "Timestamp", clock_ms());
	if (why.n)
		doc_set_str(c->arena, d, "DriftStatusReason", why);
	if (want)
		doc_set_str(c->arena, d, "ExpectedProperties",
		    doc_json(c->arena, want));
	if (have)
		doc_set_str(c->arena, d, "ActualProperties",
		    doc_json(c->arena, have));
	doc_set(c->arena, d, "PropertyDifferences", differences);
	doc_set(c->arena, row->spec, "Drift", d);
	e = store_put_spec(c->store, row);
	return e ? err_fold(e) : 0;
}

/* *ret_status: NULL where the type cannot be checked. */
static int
detect(struct call *c, const struct res *stack, const struct res_list *rows,
    struct res *row, const char **ret_status)
{
	const struct live *l = live_find(doc_get_str(row->status,
	    "ResourceType"));
	struct doc *want, *have, *differences = NULL;
	enum live_outcome o;
	struct cfn_run run;
	int e;

	*ret_status = NULL;
	if (!l || !doc_get(row->status, "PhysicalResourceId") ||
	    doc_get_bool(row->status, "Gone", false))
		return 0;
	runner(c, stack, row, &run);
	e = live_read(&run, l, expected(c->arena, row),
	    physical_ids(c->arena, rows), &want, &have, &o);
	if (e)
		return err_trace(e);
	switch (o) {
	case LIVE_DELETED:
		*ret_status = "DELETED";
		want = expected(c->arena, row);
		have = NULL;
		break;
	case LIVE_FAILED:
		*ret_status = "UNKNOWN";
		want = have = NULL;
		break;
	case LIVE_THERE:
		differences = cfn_drift(c->arena, want, have);
		*ret_status = doc_len(differences) ? "MODIFIED" : "IN_SYNC";
		break;
	}
	return note(c, row, *ret_status, want, have, differences, run.reason);
}

static struct reply *
rows_of(struct call *c, const struct res *stack, struct res_list *ret)
{
	struct query q = {.kind = &cloudformation_resource, .scope = c->scope,
		.parent = stack->id};
	size_t n = 0;
	int e = store_list(c->store, c->arena, &q, ret);

	for (size_t i = 0; !e && i < ret->n; i++)
		if (!doc_get_bool(ret->v[i]->status, "Replaced", false))
			ret->v[n++] = ret->v[i];
	ret->n = n;
	return e ? cfn_fail_reply(c, e) : NULL;
}

static int
forget_old(struct call *c, const struct res *stack)
{
	struct query q = {.kind = &cloudformation_drift, .scope = c->scope,
		.parent = stack->id};
	struct res_list l;
	int e = store_list(c->store, c->arena, &q, &l);

	for (size_t i = 0; !e && i < l.n; i++)
		if (l.v[i]->created < clock_ms() - KEEP_MS)
			e = store_delete(c->store, l.v[i]);
	return e ? err_fold(e) : 0;
}

/* What is kept of one detection: of the stack, and by its id. */
static struct reply *
conclude(struct call *c, struct res *stack, bool drifted, int64_t n)
{
	struct res *r = res_new(c->arena, &cloudformation_drift, c->scope,
	    stack->id, span_of(id_uuid(c->arena)));
	struct span status = drifted ? SPAN("DRIFTED") : SPAN("IN_SYNC");
	struct doc *d = doc_obj(c->arena), *out = doc_obj(c->arena);
	int e;

	doc_set_str(c->arena, d, "StackDriftStatus", status);
	doc_set_time(c->arena, d, "LastCheckTimestamp", clock_ms());
	doc_set(c->arena, stack->spec, "Drift", d);
	doc_set_str(c->arena, r->spec, "StackId", stack->arn);
	doc_set_str(c->arena, r->spec, "StackDriftDetectionId", r->id);
	doc_set_str(c->arena, r->spec, "StackDriftStatus", status);
	doc_set_str(c->arena, r->spec, "DetectionStatus",
	    SPAN("DETECTION_COMPLETE"));
	doc_set_int(c->arena, r->spec, "DriftedStackResourceCount", n);
	doc_set_time(c->arena, r->spec, "Timestamp", clock_ms());
	if ((e = forget_old(c, stack)) ||
	    (e = store_insert(c->store, c->arena, r)) ||
	    (e = store_put_spec(c->store, stack)))
		return cfn_fail_reply(c, e);
	doc_set_str(c->arena, out, "StackDriftDetectionId", r->id);
	return reply_ok(c, out);
}

struct reply *
drift_detect(struct call *c)
{
	const struct doc *only = doc_get(c->in, "LogicalResourceIds");
	struct res *stack = NULL;
	struct reply *no = stack_find(c, doc_get_str(c->in, "StackName"),
	    &stack);
	const char *status;
	struct res_list l;
	int64_t drifted = 0;
	int e;

	if (no || (no = checkable(c, stack)) || (no = rows_of(c, stack, &l)))
		return no;
	for (size_t i = 0; i < l.n; i++) {
		if (doc_len(only) && !doc_has_str(only, l.v[i]->id))
			continue;
		if ((e = detect(c, stack, &l, l.v[i], &status)))
			return cfn_fail_reply(c, e);
		drifted += status && (strcmp(status, "MODIFIED") == 0 ||
		    strcmp(status, "DELETED") == 0);
	}
	return conclude(c, stack, drifted > 0, drifted);
}

static struct doc *
shown(struct call *c, const struct res *stack, const struct res *row)
{
	static const char *const members[] = {"LogicalResourceId",
		"PhysicalResourceId", "ResourceType"};
	struct doc *v = doc_copy(c->arena, doc_get(row->spec, "Drift"));

	doc_set_str(c->arena, v, "StackId", stack->arn);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		doc_set_str(c->arena, v, members[i], doc_get_str(row->status,
		    members[i]));
	return v;
}

struct reply *
drift_detect_resource(struct call *c)
{
	struct span logical = doc_get_str(c->in, "LogicalResourceId");
	struct res *stack = NULL, *row = NULL;
	struct reply *no = stack_find(c, doc_get_str(c->in, "StackName"),
	    &stack);
	const char *status;
	struct res_list l;
	int e;

	if (no || (no = checkable(c, stack)) || (no = rows_of(c, stack, &l)))
		return no;
	for (size_t i = 0; i < l.n; i++)
		if (span_eq(l.v[i]->id, logical))
			row = l.v[i];
	if (!row)
		return cfn_refuse(c, "Resource %.*s does not exist for stack "
		    "%.*s", SPAN_ARG(logical), SPAN_ARG(stack->arn));
	if ((e = detect(c, stack, &l, row, &status)))
		return cfn_fail_reply(c, e);
	if (!status)
		return cfn_refuse(c, "Drift detection is not supported for "
		    "resource type %.*s", SPAN_ARG(doc_get_str(row->status,
		    "ResourceType")));
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena),
	    "StackResourceDrift", shown(c, stack, row)));
}

struct reply *
drift_status(struct call *c)
{
	struct span id = doc_get_str(c->in, "StackDriftDetectionId");
	struct query q = {.kind = &cloudformation_drift, .scope = c->scope,
		.any_parent = true, .index = "spec.StackDriftDetectionId",
		.value = id, .limit = 1};
	struct res_list l;
	int e = store_list(c->store, c->arena, &q, &l);

	if (e)
		return cfn_fail_reply(c, e);
	if (!l.n)
		return cfn_refuse(c, "StackDriftDetectionId [%.*s] does not "
		    "exist", SPAN_ARG(id));
	return reply_ok(c, doc_copy(c->arena, l.v[0]->spec));
}

/* AWS: only what has been checked is among them. */
struct reply *
drift_list(struct call *c)
{
	const struct doc *only = doc_get(c->in,
	    "StackResourceDriftStatusFilters");
	struct doc *list = doc_arr(c->arena);
	struct res *stack = NULL;
	struct reply *no = stack_find(c, doc_get_str(c->in, "StackName"),
	    &stack);
	struct res_list l;

	if (no || (no = rows_of(c, stack, &l)))
		return no;
	for (size_t i = 0; i < l.n; i++) {
		struct span status = drift_of(l.v[i]);

		if (!span_is(status, "NOT_CHECKED") &&
		    (!doc_len(only) || doc_has_str(only, status)))
			doc_push(list, shown(c, stack, l.v[i]));
	}
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena),
	    "StackResourceDrifts", list));
}

/* What was found before the resource changed is nothing any more. */
struct span
drift_of(const struct res *row)
{
	const struct doc *d = doc_get(row->spec, "Drift");

	if (!d || doc_get_time(d, "Timestamp") <
	    doc_get_time(row->status, "Timestamp"))
		return SPAN("NOT_CHECKED");
	return doc_get_str(d, "StackResourceDriftStatus");
}
