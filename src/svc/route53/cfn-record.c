/* Record sets as CloudFormation makes them: a batch for each zone. */
#include "base/err.h"
#include "svc/route53/cfn.h"
#include "svc/route53/route53.h"
#include "wire/model.h"

#define CHANGE "ChangeResourceRecordSets"

/* What names the zone of a record, and what is not part of the set. */
static const char *const around[] = {"HostedZoneId", "HostedZoneName",
	"Comment"};

static bool
is_group(const struct cfn_run *run)
{
	return strcmp(run->map->type, "AWS::Route53::RecordSetGroup") == 0;
}

/* --- the zone ----------------------------------------------------------- */

static int
zone_by_name(struct cfn_run *run, struct span name, struct span *ret_id,
    enum cfn_outcome *ret)
{
	struct query q = {.kind = &route53_hosted_zone,
	    .scope = {.account = run->scope.account}, .index = "spec.Name"};
	struct res_list l;
	int e;

	if (name_canonical(run->arena, name, &q.value) != NAME_OK)
		q.value = name;
	if ((e = store_list(run->store, run->arena, &q, &l)))
		return e < 0 ? err_trace(e) : err_fold(e);
	if (l.n == 1)
		*ret_id = l.v[0]->id;
	else
		*ret = cfn_fail(run, l.n ? "Found multiple hosted zones for "
		    "domain: %.*s" : "No hosted zones named %.*s found",
		    SPAN_ARG(name));
	return 0;
}

/* Of a set, or of the group it is in. */
static int
zone_of(struct cfn_run *run, const struct doc *props, const struct doc *set,
    struct span *ret_id, enum cfn_outcome *ret)
{
	struct span id = doc_get_str(set, "HostedZoneId");
	struct span name = doc_get_str(set, "HostedZoneName");

	if (!id.n && !name.n) {
		id = doc_get_str(props, "HostedZoneId");
		name = doc_get_str(props, "HostedZoneName");
	}
	if (!id.n == !name.n) {
		*ret = cfn_fail(run, "Invalid request: exactly one of "
		    "HostedZoneId and HostedZoneName must be specified");
		return 0;
	}
	if (!id.n)
		return zone_by_name(run, name, ret_id, ret);
	*ret_id = r53_zone_id(id);
	return 0;
}

/* --- sets --------------------------------------------------------------- */

/* A set as the operation has it, apart from the types of its scalars. */
static struct doc *
set_of(struct arena *a, const struct doc *props)
{
	struct doc *d = doc_copy(a, props), *values;

	for (size_t i = 0; i < ARRAY_SIZE(around); i++)
		doc_del(d, around[i]);
	if (doc_get(props, "ResourceRecords")) {
		values = doc_arr(a);
		doc_each(v, doc_get(props, "ResourceRecords"))
			doc_push(values, doc_set(a, doc_obj(a), "Value",
			    doc_copy(a, v)));
		doc_set(a, d, "ResourceRecords", values);
	}
	if (doc_get(d, "AliasTarget") &&
	    !doc_path(d, "AliasTarget", "EvaluateTargetHealth", NULL))
		doc_set_bool(a, doc_get(d, "AliasTarget"),
		    "EvaluateTargetHealth", false);
	return d;
}

/* {zone id + what tells sets apart: {Zone, Set}} */
static int
sets_of(struct cfn_run *run, const struct doc *props, struct doc **ret_sets,
    enum cfn_outcome *ret)
{
	struct arena *a = run->arena;
	struct doc *all = doc_obj(a), *one, *list = doc_arr(a);
	struct span zone = SPAN_NULL, name, key;
	int e;

	if (is_group(run))
		list = doc_get(props, "RecordSets");
	else if (props)
		doc_push(list, doc_copy(a, props));
	doc_each(s, list) {
		if ((e = zone_of(run, props, s, &zone, ret)) ||
		    *ret == CFN_FAILED)
			return err_trace(e);
		if (name_canonical(a, doc_get_str(s, "Name"), &name))
			name = doc_get_str(s, "Name");
		one = doc_set_str(a, doc_obj(a), "Zone", zone);
		doc_set(a, one, "Set", set_of(a, s));
		key = arena_fmt_span(a, "%.*s %.*s %.*s %.*s",
		    SPAN_ARG(zone), SPAN_ARG(name),
		    SPAN_ARG(doc_get_str(s, "Type")),
		    SPAN_ARG(doc_get_str(s, "SetIdentifier")));
		if (doc_getn(all, key)) {
			*ret = cfn_fail(run, "The request contains an invalid "
			    "set of changes for a resource record set "
			    "'%.*s %.*s'", SPAN_ARG(doc_get_str(s, "Type")),
			    SPAN_ARG(name));
			return 0;
		}
		doc_setn(a, all, key, one);
	}
	*ret_sets = all;
	return 0;
}

/* --- batches ------------------------------------------------------------ */

static void
add(struct cfn_run *run, struct doc *batches, const char *action,
    const struct doc *one)
{
	struct span zone = doc_get_str(one, "Zone");
	struct doc *list = doc_getn(batches, zone), *c = doc_obj(run->arena);

	if (!list) {
		list = doc_arr(run->arena);
		doc_setn(run->arena, batches, zone, list);
	}
	doc_set_str(run->arena, c, "Action", span_of(action));
	doc_push(list, doc_set(run->arena, c, "ResourceRecordSet",
	    doc_copy(run->arena, doc_get(one, "Set"))));
}

static struct doc *
batches_of(struct cfn_run *run, const struct doc *was, const struct doc *is)
{
	struct doc *b = doc_obj(run->arena);

	doc_each_key(k, v, was)
		if (!doc_getn(is, k))
			add(run, b, "DELETE", v);
	doc_each_key(k, v, is)
		if (!doc_getn(was, k))
			add(run, b, "CREATE", v);
		else if (!doc_eq(v, doc_getn(was, k)))
			add(run, b, "UPSERT", v);
	return b;
}

static struct doc *
input(struct cfn_run *run, struct span zone, const struct doc *changes)
{
	const struct model_op *op = model_op_find(model_find(SPAN("route53")),
	    SPAN(CHANGE));
	struct arena *a = run->arena;
	struct doc *in = doc_obj(a), *props = doc_obj(a), *batch = doc_obj(a);
	struct span why;

	doc_set(a, batch, "Comment",
	    doc_copy(a, doc_get(run->props, "Comment")));
	doc_set(a, batch, "Changes", doc_copy(a, changes));
	doc_set_str(a, props, "HostedZoneId", zone);
	doc_set(a, props, "ChangeBatch", batch);
	if (cfn_input(a, op, props, NULL, in, &why))
		return in;
	cfn_fail(run, "%s: property %.*s is not implemented", run->map->type,
	    SPAN_ARG(why));
	return NULL;
}

/* What is to be deleted may be gone already; anything else is refused. */
static bool
is_gone(const struct op_result *r)
{
	return span_is(r->error, "NoSuchHostedZone") ||
	    (span_is(r->error, "InvalidChangeBatch") &&
	    span_ends(r->message, SPAN("but it was not found]")));
}

static int
send(struct cfn_run *run, struct span zone, const struct doc *changes,
    bool removal, enum cfn_outcome *ret)
{
	struct doc *in = input(run, zone, changes);
	struct op_result r;
	int e;

	if (!in) {
		*ret = CFN_FAILED;
		return 0;
	}
	if ((e = cfn_call(run, CHANGE, in, &r)))
		return err_trace(e);
	if (r.error.n && !(removal && is_gone(&r)))
		*ret = cfn_refused(run, CHANGE, &r);
	return 0;
}

static int
send_all(struct cfn_run *run, const struct doc *batches,
    enum cfn_outcome *ret)
{
	int e = 0;

	doc_each_key(zone, changes, batches)
		if (!e && *ret != CFN_FAILED)
			e = send(run, zone, changes, false, ret);
	return err_trace(e);
}

/* --- the three things --------------------------------------------------- */

/* AWS: a record set's id is its name, a group's is made up. */
static void
set_ref(struct cfn_run *run)
{
	struct span name = doc_get_str(run->props, "Name");

	if (is_group(run)) {
		run->ref = arena_fmt_span(run->arena, "%.*s-%.*s-%.*s",
		    SPAN_ARG(run->stack), SPAN_ARG(run->logical),
		    SPAN_ARG(run->random));
		return;
	}
	if (span_ends(name, SPAN(".")))
		name.n--;
	run->ref = name;
}

int
cfn_records_create(struct cfn_run *run, enum cfn_outcome *ret)
{
	struct doc *sets;
	int e = sets_of(run, run->props, &sets, ret);

	if (e || *ret == CFN_FAILED)
		return err_trace(e);
	set_ref(run);
	return send_all(run, batches_of(run, NULL, sets), ret);
}

int
cfn_records_update(struct cfn_run *run, enum cfn_outcome *ret)
{
	struct doc *was, *is;
	int e = sets_of(run, run->old, &was, ret);

	if (e || *ret == CFN_FAILED || (e = sets_of(run, run->props, &is, ret)) ||
	    *ret == CFN_FAILED)
		return err_trace(e);
	return send_all(run, batches_of(run, was, is), ret);
}

/* Each set by itself, so that one that is gone keeps none of the others. */
int
cfn_records_remove(struct cfn_run *run, enum cfn_outcome *ret)
{
	struct doc *sets;
	int e = sets_of(run, run->props, &sets, ret);

	if (e)
		return err_trace(e);
	/* A zone that was found by its name may be gone with its records. */
	if (*ret == CFN_FAILED) {
		if (span_starts(run->reason, SPAN("No hosted zones")))
			*ret = CFN_DONE;
		return 0;
	}
	doc_each(one, sets) {
		struct doc *b = doc_obj(run->arena);

		add(run, b, "DELETE", one);
		doc_each_key(zone, changes, b)
			if (!e && *ret != CFN_FAILED)
				e = send(run, zone, changes, true, ret);
	}
	return err_trace(e);
}
