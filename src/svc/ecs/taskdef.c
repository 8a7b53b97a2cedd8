/* Task definitions: register, describe, deregister, delete, list. */
#include "svc/ecs/ecs.h"

#include "base/clock.h"
#include "base/err.h"

static const char *const no_such = "Unable to describe task definition.";

static bool
status_is(const struct res *r, const char *status)
{
	return span_is(doc_get_str(r->spec, "status"), status);
}

static int
newest_active(struct call *c, struct span family, struct res **ret)
{
	struct query q = {.kind = &ecs_task_definition, .scope = c->scope,
		.index = "spec.family", .value = family, .newest_first = true,
		.limit = 20};
	struct res_list list;

	do {
		int e = store_list(c->store, c->arena, &q, &list);
		if (e)
			return err_fold(e);
		for (size_t i = 0; i < list.n; i++) {
			if (status_is(list.v[i], "ACTIVE")) {
				*ret = list.v[i];
				return 0;
			}
			q.after = list.v[i]->row;
		}
	} while (list.more);
	return STORE_E_NOT_FOUND;
}

int
taskdef_get(struct call *c, struct span ref, struct res **ret)
{
	struct span name = ref_tail(ref, "task-definition");

	if (span_chr(name, ':') < 0)
		return newest_active(c, name, ret);
	return store_get(c->store, c->arena, &ecs_task_definition, c->scope,
	    SPAN_NULL, name, ret);
}

static struct doc *
taskdef_view(struct call *c, const struct res *r)
{
	struct doc *d = doc_copy(c->arena, r->spec);

	doc_set_str(c->arena, d, "taskDefinitionArn", r->arn);
	return d;
}

static struct reply *
reply_taskdef(struct call *c, const struct res *r, bool tags)
{
	struct doc *out = doc_obj(c->arena), *list;
	int e;

	doc_set(c->arena, out, "taskDefinition", taskdef_view(c, r));
	if (tags) {
		if ((e = tags_list(c, r, &list)))
			return reply_failure(c, e);
		doc_set(c->arena, out, "tags", list);
	}
	return reply_ok(c, out);
}

struct reply *
register_task_definition(struct call *c)
{
	struct arena *a = c->arena;
	struct span family = doc_get_str(c->in, "family");
	struct refusal why;
	struct doc *spec;
	struct res *r;
	int64_t rev;
	int e;

	if (!taskdef_check(a, c->in, &why) ||
	    !ecs_tags_check(a, doc_get(c->in, "tags"), c->who.system, &why))
		return reply_refusal(c, &why);
	/* A counter of its own: a revision is never given out twice, also
	 * after the newest one was deleted. */
	e = store_next(c->store,
	    arena_fmt_span(a, "ecs.revision/%.*s/%.*s/%.*s",
		SPAN_ARG(c->scope.account), SPAN_ARG(c->scope.region),
		SPAN_ARG(family)),
	    &rev);
	if (e)
		return reply_failure(c, err_fold(e));
	spec = taskdef_fill(a, c->in);
	doc_set_int(a, spec, "revision", rev);
	doc_set_time(a, spec, "registeredAt", clock_ms());
	doc_set_str(a, spec, "registeredBy", c->who.arn);
	r = res_new(a, &ecs_task_definition, c->scope, SPAN_NULL,
	    arena_fmt_span(a, "%.*s:%lld", SPAN_ARG(family), (long long)rev));
	r->spec = spec;
	if ((e = store_insert(c->store, a, r)) ||
	    (e = ecs_tags_put(c, r, doc_get(c->in, "tags"))))
		return reply_failure(c, err_fold(e));
	return reply_taskdef(c, r, doc_len(doc_get(c->in, "tags")) > 0);
}

struct reply *
taskdef_find(struct call *c, bool inactive_too, struct span ref,
    struct res **ret)
{
	struct reply *bad = ref_check(c, ref);
	struct res *r;
	int e;

	if (bad)
		return bad;
	e = taskdef_get(c, ref, &r);
	if (e < 0)
		return reply_failure(c, e);
	if (e)
		return reply_error(c, "ClientException",
		    "TaskDefinition not found.");
	if (!inactive_too && !span_is(doc_get_str(r->spec, "status"), "ACTIVE"))
		return reply_error(c, "ClientException",
		    "TaskDefinition is inactive");
	*ret = r;
	return NULL;
}

struct reply *
describe_task_definition(struct call *c)
{
	struct span ref = doc_get_str(c->in, "taskDefinition");
	struct reply *bad = ref_check(c, ref);
	struct res *r;
	int e;

	if (bad)
		return bad;
	e = taskdef_get(c, ref, &r);
	if (e < 0)
		return reply_failure(c, e);
	if (e)
		return reply_error(c, "ClientException", "%s", no_such);
	return reply_taskdef(c, r, includes(c, "TAGS"));
}

struct reply *
deregister_task_definition(struct call *c)
{
	struct span ref = doc_get_str(c->in, "taskDefinition");
	struct reply *bad = ref_check(c, ref);
	struct res *r;
	int e;

	if (bad)
		return bad;
	if (span_chr(ref_tail(ref, "task-definition"), ':') < 0)
		return reply_error(c, "ClientException", "Revision is missing.");
	e = taskdef_get(c, ref, &r);
	if (e < 0)
		return reply_failure(c, e);
	if (e)
		return reply_error(c, "ClientException",
		    "The specified task definition does not exist.");
	if (status_is(r, "ACTIVE")) {
		doc_set_str(c->arena, r->spec, "status", SPAN("INACTIVE"));
		doc_set_time(c->arena, r->spec, "deregisteredAt", clock_ms());
		if ((e = store_put_spec(c->store, r)))
			return reply_failure(c, err_fold(e));
	}
	return reply_taskdef(c, r, false);
}

/* AWS keeps DELETE_IN_PROGRESS until nothing uses the revision; the row stays
 * in that state, and lists show it by that status only. */
static int
delete_one(struct call *c, struct span ref, struct doc *gone, struct doc *lost)
{
	struct res *r;
	int e = span_chr(ref_tail(ref, "task-definition"), ':') < 0 ?
	    STORE_E_NOT_FOUND :
	    taskdef_get(c, ref, &r);

	if (e < 0)
		return err_trace(e);
	if (e) {
		failure_add(c, lost, ref,
		    "The specified task definition does not exist. Specify a "
		    "valid account, family, revision and try again.");
		return 0;
	}
	if (status_is(r, "ACTIVE")) {
		failure_add(c, lost, r->arn,
		    "The specified task definition is still in ACTIVE status. "
		    "Please deregister the target and try again.");
		return 0;
	}
	doc_set_str(c->arena, r->spec, "status", SPAN("DELETE_IN_PROGRESS"));
	doc_set_time(c->arena, r->spec, "deleteRequestedAt", clock_ms());
	doc_push(gone, taskdef_view(c, r));
	e = store_put_spec(c->store, r);
	return e ? err_fold(e) : 0;
}

struct reply *
delete_task_definitions(struct call *c)
{
	struct arena *a = c->arena;
	struct doc *out = doc_obj(a), *gone = doc_arr(a), *lost = doc_arr(a);
	const struct doc *refs = doc_get(c->in, "taskDefinitions");

	if (!doc_len(refs) || doc_len(refs) > 10)
		return reply_error(c, "InvalidParameterException",
		    "The number of task definitions must be between 1 and 10.");
	doc_each(v, refs) {
		int e = delete_one(c, doc_span(v), gone, lost);
		if (e)
			return reply_failure(c, e);
	}
	doc_set(a, out, "taskDefinitions", gone);
	doc_set(a, out, "failures", lost);
	return reply_ok(c, out);
}

static bool
list_taskdef(struct call *c, struct res *r, struct doc *list, void *ctx)
{
	struct span want = doc_get_str(c->in, "status");

	(void)ctx;
	if (!span_eq(doc_get_str(r->spec, "status"),
		want.n ? want : SPAN("ACTIVE")))
		return false;
	doc_push_str(c->arena, list, r->arn);
	return true;
}

/* AWS sorts by family, then revision; rows come in order of registration,
 * which is the same within a family. */
struct reply *
list_task_definitions(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *arns = doc_arr(c->arena);
	struct span family = doc_get_str(c->in, "familyPrefix");
	struct query q = {.kind = &ecs_task_definition, .scope = c->scope,
		.newest_first = span_is(doc_get_str(c->in, "sort"), "DESC")};
	struct reply *bad;

	if (family.n) {
		q.index = "spec.family";
		q.value = family;
	}
	bad = page_walk(c, &q, 100, 100, list_taskdef, NULL, arns, out);
	if (bad)
		return bad;
	doc_set(c->arena, out, "taskDefinitionArns", arns);
	return reply_ok(c, out);
}

/* A family is listed where its first revision is, which always stays. */
static bool
list_family(struct call *c, struct res *r, struct doc *list, void *ctx)
{
	struct span want = doc_get_str(c->in, "status");
	struct span family = doc_get_str(r->spec, "family");
	struct res *newest;
	bool active;

	(void)ctx;
	if (doc_get_int(r->spec, "revision", 0) != 1 ||
	    !span_starts(family, doc_get_str(c->in, "familyPrefix")))
		return false;
	active = newest_active(c, family, &newest) == 0;
	if (span_is(want, "ACTIVE") ? !active :
	    span_is(want, "INACTIVE") ? active : false)
		return false;
	doc_push_str(c->arena, list, family);
	return true;
}

struct reply *
list_task_definition_families(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena);
	struct query q = {.kind = &ecs_task_definition, .scope = c->scope};
	struct reply *bad;

	bad = page_walk(c, &q, 100, 100, list_family, NULL, list, out);
	if (bad)
		return bad;
	doc_set(c->arena, out, "families", list);
	return reply_ok(c, out);
}
