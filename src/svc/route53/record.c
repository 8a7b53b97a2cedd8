/* Changing and listing the record sets of a zone. */
#include "base/buf.h"
#include "base/err.h"
#include "svc/route53/rdata.h"
#include "svc/route53/route53.h"

#define CHANGES_MAX    1000
#define CHARACTERS_MAX 32000
#define PAGE_MAX       300

/* A batch on its way. */
struct batch {
	struct call *c;
	struct res *zone;
	struct doc *messages; /* why not; empty: well */
	struct doc *specs;    /* as read, one for each change */
	struct doc *done;     /* {row id: action} */
	struct doc *made;     /* {name: {type: set identifier}} */
};

static struct span
set_id(struct call *c, const struct doc *spec)
{
	return record_id(c->arena, doc_get_str(spec, "Name"),
	    doc_get_str(spec, "Type"), doc_get_str(spec, "SetIdentifier"));
}

static void
tried(struct batch *b, const char *what, const struct doc *spec,
    const char *but)
{
	struct span id = doc_get_str(spec, "SetIdentifier");

	doc_push_str(b->c->arena, b->messages, arena_fmt_span(b->c->arena,
	    "Tried to %s resource record set [name='%.*s', type='%.*s'"
	    "%s%.*s%s] but %s", what, SPAN_ARG(doc_get_str(spec, "Name")),
	    SPAN_ARG(doc_get_str(spec, "Type")),
	    id.n ? ", set identifier='" : "", SPAN_ARG(id), id.n ? "'" : "",
	    but));
}

/* The values of a set have no order. */
static bool
same_set(struct arena *a, const struct doc *x, const struct doc *y)
{
	const struct doc *vx = doc_get(x, "ResourceRecords");
	const struct doc *vy = doc_get(y, "ResourceRecords");
	struct doc *restx = doc_copy(a, x), *resty = doc_copy(a, y);

	if (doc_len(vx) != doc_len(vy))
		return false;
	doc_each(v, vx)
		if (!doc_has_str(vy, doc_span(v)))
			return false;
	doc_del(restx, "ResourceRecords");
	doc_del(resty, "ResourceRecords");
	return doc_eq(restx, resty);
}

/* Two changes of one set contradict each other, unless the first cleared the
 * way. */
static bool
may_change(struct batch *b, struct span action, struct span id,
    const struct doc *spec)
{
	struct span before = doc_span(doc_getn(b->done, id));

	if (before.n && (!span_is(before, "DELETE") ||
	    span_is(action, "DELETE"))) {
		doc_push_str(b->c->arena, b->messages,
		    arena_fmt_span(b->c->arena, "The request contains an "
		    "invalid set of changes for a resource record set "
		    "'%.*s %.*s'", SPAN_ARG(doc_get_str(spec, "Type")),
		    SPAN_ARG(doc_get_str(spec, "Name"))));
		return false;
	}
	doc_setn(b->c->arena, b->done, id, doc_str(b->c->arena, action));
	return true;
}

static void
note_made(struct batch *b, const struct doc *spec)
{
	struct span name = doc_get_str(spec, "Name");
	struct doc *types = doc_getn(b->made, name);

	if (!types) {
		types = doc_obj(b->c->arena);
		doc_setn(b->c->arena, b->made, name, types);
	}
	doc_setn(b->c->arena, types, doc_get_str(spec, "Type"),
	    doc_str(b->c->arena, doc_get_str(spec, "SetIdentifier")));
}

static int
drop(struct batch *b, const struct res *there, const struct doc *spec)
{
	if (!there)
		tried(b, "delete", spec, "it was not found");
	else if (!same_set(b->c->arena, there->spec, spec))
		tried(b, "delete", spec, "the values provided do not match "
		    "the current values");
	else
		return store_delete(b->c->store, there);
	return 0;
}

static int
make(struct batch *b, struct res *there, struct span id,
    const struct doc *spec, bool upsert)
{
	struct call *c = b->c;
	struct res *row = there;

	if (there && !upsert) {
		tried(b, "create", spec, "it already exists");
		return 0;
	}
	note_made(b, spec);
	if (!row)
		row = res_new(c->arena, &route53_record_set, b->zone->scope,
		    b->zone->id, id);
	row->spec = doc_copy(c->arena, spec);
	return there ? store_put_spec(c->store, row) :
	    store_insert(c->store, c->arena, row);
}

static int
apply(struct batch *b, struct span action, const struct doc *spec)
{
	struct call *c = b->c;
	struct span id = set_id(c, spec);
	struct res *there = NULL;
	int r;

	if (!may_change(b, action, id, spec))
		return 0;
	r = store_get(c->store, c->arena, &route53_record_set, b->zone->scope,
	    b->zone->id, id, &there);
	if (r == STORE_E_NOT_FOUND)
		there = NULL;
	else if (r)
		return r;
	if (span_is(action, "DELETE"))
		return drop(b, there, spec);
	return make(b, there, id, spec, span_is(action, "UPSERT"));
}

static struct reply *
read_all(struct batch *b, const struct doc *changes)
{
	struct call *c = b->c;
	size_t characters = 0;
	struct doc *spec;
	struct reply *no;

	if (doc_len(changes) > CHANGES_MAX) {
		doc_push_str(c->arena, b->messages, arena_fmt_span(c->arena,
		    "Number of records limit of %d exceeded.", CHANGES_MAX));
		return NULL;
	}
	doc_each(change, changes) {
		if ((no = r53_read_record(c, b->zone, change, b->messages,
			&spec)))
			return no;
		if (!spec)
			continue;
		doc_each(v, doc_get(spec, "ResourceRecords"))
			characters += doc_len(v) << span_is(
			    doc_get_str(change, "Action"), "UPSERT");
		doc_push(b->specs, spec);
	}
	if (characters > CHARACTERS_MAX)
		doc_push_str(c->arena, b->messages, arena_fmt_span(c->arena,
		    "Number of characters limit of %d exceeded.",
		    CHARACTERS_MAX));
	return NULL;
}

/* Every zone keeps its own two records. */
static int
check_apex(struct batch *b)
{
	static const struct {
		const char *type, *why;
	} rows[] = {
		{"NS", "A HostedZone must contain at least one NS record for "
		    "the zone itself."},
		{"SOA", "A HostedZone must contain exactly one SOA record."},
	};
	struct call *c = b->c;
	struct res *r;
	int e;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		e = store_get(c->store, c->arena, &route53_record_set,
		    b->zone->scope, b->zone->id, record_id(c->arena,
			doc_get_str(b->zone->spec, "Name"),
			span_of(rows[i].type), SPAN_NULL), &r);
		if (e == STORE_E_NOT_FOUND)
			doc_push_str(c->arena, b->messages,
			    span_of(rows[i].why));
		else if (e)
			return err_trace(e);
	}
	return 0;
}

static int
check_result(struct batch *b, const struct doc *changes)
{
	size_t i = 0;
	int r = check_apex(b);

	doc_each_key(name, types, b->made)
		if (r == 0)
			r = r53_check_name(b->c, b->zone, name, types,
			    b->messages);
	doc_each(spec, b->specs) {
		struct span action = doc_get_str(doc_at(changes, i++),
		    "Action");

		if (r == 0 && doc_get(spec, "AliasTarget") &&
		    !span_is(action, "DELETE"))
			r = r53_check_alias(b->c, b->zone, spec, b->messages);
	}
	return r;
}

static struct reply *
refuse(struct batch *b)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;

	doc_each(m, b->messages) {
		if (text.n)
			buf_add_str(&text, ", ");
		buf_add_span(&text, doc_span(m));
	}
	return reply_error(b->c, "InvalidChangeBatch", "[%s]", buf_str(&text));
}

/* All or nothing: an error reply undoes what was written. */
struct reply *
r53_change_records(struct call *c)
{
	const struct doc *in = doc_get(c->in, "ChangeBatch");
	const struct doc *changes = doc_get(in, "Changes");
	struct batch b = {.c = c, .messages = doc_arr(c->arena),
	    .specs = doc_arr(c->arena), .done = doc_obj(c->arena),
	    .made = doc_obj(c->arena)};
	struct doc *info;
	struct reply *no = r53_find_zone(c,
	    doc_get_str(c->in, "HostedZoneId"), &b.zone);
	size_t i = 0;
	int r = 0;

	if (no || (no = read_all(&b, changes)))
		return no;
	if (doc_len(b.messages))
		return refuse(&b);
	doc_each(spec, b.specs)
		if (r == 0)
			r = apply(&b, doc_get_str(doc_at(changes, i++),
			    "Action"), spec);
	if (r == 0 && doc_len(b.messages) == 0)
		r = check_result(&b, changes);
	if (r)
		return r53_fail(c, r);
	if (doc_len(b.messages))
		return refuse(&b);
	if ((no = r53_change(c, doc_get_str(in, "Comment"), &info)))
		return no;
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena), "ChangeInfo",
	    info));
}

/* --- listing ------------------------------------------------------------ */

static struct doc *
record_doc(struct call *c, const struct res *r)
{
	struct doc *d = doc_copy(c->arena, r->spec), *list;

	if (!doc_get(d, "ResourceRecords"))
		return d;
	list = doc_arr(c->arena);
	doc_each(v, doc_get(r->spec, "ResourceRecords"))
		doc_push(list, doc_set_str(c->arena, doc_obj(c->arena),
		    "Value", doc_span(v)));
	return doc_set(c->arena, d, "ResourceRecords", list);
}

static struct reply *
list_from(struct call *c, struct span *ret)
{
	struct span name = doc_get_str(c->in, "StartRecordName"), canonical;
	struct span type = doc_get_str(c->in, "StartRecordType");
	struct span id = doc_get_str(c->in, "StartRecordIdentifier");
	int e;

	*ret = SPAN_NULL;
	if ((type.n && !name.n) || (id.n && !type.n))
		return r53_invalid(c, "%s cannot be specified without %s",
		    name.n ? "A record identifier" : "A record type",
		    name.n ? "a record type" : "a record name");
	if (!name.n)
		return NULL;
	if ((e = name_canonical(c->arena, name, &canonical)))
		return r53_invalid(c, "FATAL problem: %.*s",
		    SPAN_ARG(rdata_name_problem(c->arena, e, name)));
	*ret = type.n ? record_id(c->arena, canonical, type, id) :
	    name_key(c->arena, canonical);
	return NULL;
}

static void
list_next(struct call *c, struct doc *out, const struct doc *next)
{
	doc_set_bool(c->arena, out, "IsTruncated", next != NULL);
	if (!next)
		return;
	doc_set_str(c->arena, out, "NextRecordName",
	    doc_get_str(next, "Name"));
	doc_set_str(c->arena, out, "NextRecordType",
	    doc_get_str(next, "Type"));
	doc_set(c->arena, out, "NextRecordIdentifier",
	    doc_copy(c->arena, doc_get(next, "SetIdentifier")));
}

struct reply *
r53_list_records(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena);
	struct id_range q = {.kind = &route53_record_set};
	struct res_list l;
	struct res *zone;
	size_t max;
	struct reply *no = r53_find_zone(c,
	    doc_get_str(c->in, "HostedZoneId"), &zone);
	int r;

	if (no || (no = r53_max_items(c, PAGE_MAX, &max)) ||
	    (no = list_from(c, &q.from)))
		return no;
	q.scope = zone->scope;
	q.parent = zone->id;
	q.limit = max + 1;
	if ((r = store_list_ids(c->store, c->arena, &q, &l)))
		return r53_fail(c, r);
	for (size_t i = 0; i < MIN(l.n, max); i++)
		doc_push(list, record_doc(c, l.v[i]));
	doc_set(c->arena, out, "ResourceRecordSets", list);
	list_next(c, out, l.n > max ? l.v[max]->spec : NULL);
	doc_setf(c->arena, out, "MaxItems", "%zu", max);
	return reply_ok(c, out);
}
