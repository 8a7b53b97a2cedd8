/* Runs the tables of resource types: see cfn/type.h. */
#include "cfn/type.h"

#include <ctype.h>
#include <errno.h>

#include "base/err.h"
#include "base/id.h"
#include "wire/model.h"
#include "wire/wire.h"

const struct cfn_map *
cfn_map_find(struct span type, const struct service **ret_service)
{
	for (const struct service *const *s = services; *s; s++)
		for (const struct cfn_map *m = (*s)->types; m && m->type; m++)
			if (span_is(type, m->type)) {
				*ret_service = *s;
				return m;
			}
	return NULL;
}

/* Failures */

enum cfn_outcome
cfn_fail(struct cfn_run *run, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	run->reason = span_of(arena_vfmt(run->arena, fmt, ap));
	va_end(ap);
	return CFN_FAILED;
}

static bool
has(struct span s, const char *part)
{
	return span_find(s, span_of(part)) >= 0;
}

bool
cfn_says_gone(struct span error)
{
	return has(error, "NotFound") || has(error, "NoSuch") ||
	    has(error, "DoesNotExist");
}

/* AWS: https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-test-contract-errors.html */
static const char *
handler_error(struct span code)
{
	static const struct {
		const char *part, *name;
	} rows[] = {
		{"NotEmpty", "GeneralServiceException"},
		{"AlreadyExist", "AlreadyExists"}, {"Duplicate", "AlreadyExists"},
		{"AlreadyOwned", "AlreadyExists"},
		{"NotFound", "NotFound"}, {"NoSuch", "NotFound"},
		{"AccessDenied", "AccessDenied"},
		{"Unauthorized", "AccessDenied"},
		{"LimitExceeded", "ServiceLimitExceeded"},
		{"TooMany", "ServiceLimitExceeded"},
		{"Throttl", "Throttling"}, {"InUse", "ResourceConflict"},
		{"Conflict", "ResourceConflict"},
		{"Dependency", "ResourceConflict"},
		{"Invalid", "InvalidRequest"}, {"Validation", "InvalidRequest"},
		{"Missing", "InvalidRequest"}, {"Client", "InvalidRequest"},
		{"NotImplemented", "InvalidRequest"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (has(code, rows[i].part))
			return rows[i].name;
	return "GeneralServiceException";
}

/* The service and the operation that "Op" or "service:Op" names. */
static const struct model_op *
resolve(const struct cfn_run *run, const char *op)
{
	struct span rest = span_of(op), head = span_cut(&rest, ':');
	const struct model *m = rest.p ? model_find(head) :
	    model_find(span_of(run->service->name));
	const struct model_op *mo =
	    m ? model_op_find(m, rest.p ? rest : head) : NULL;

	AN(mo);
	return mo;
}

enum cfn_outcome
cfn_refused(struct cfn_run *run, const char *op, const struct op_result *r)
{
	const struct model *m = resolve(run, op)->model;

	return cfn_fail(run, "Resource handler returned message: \"%.*s "
	    "(Service: %s, Status Code: %d, Request ID: %s)\" (RequestToken: "
	    "%.*s, HandlerErrorCode: %s)", SPAN_ARG(r->message), m->service_id,
	    span_is(r->error, "NotImplemented") ? 501 :
	    wire_error_status(m, r->error), id_uuid(run->arena),
	    SPAN_ARG(run->token), handler_error(r->error));
}

int
cfn_call(struct cfn_run *run, const char *op, const struct doc *in,
    struct op_result *ret)
{
	const struct model_op *mo = resolve(run, op);
	char *name = arena_str(run->arena, model_op_name(mo));

	if (!op_check(run->api, run->arena, mo->model->name, name, in, ret))
		return 0;
	return op_call(run->api, run->arena, &run->who, run->scope,
	    mo->model->name, name, in, ret);
}

int
cfn_do(struct cfn_run *run, const char *op, const struct doc *in,
    bool gone_ok, enum cfn_outcome *ret)
{
	struct op_result r;
	int e = cfn_call(run, op, in, &r);

	if (e)
		return err_trace(e);
	*ret = r.error.n && !(gone_ok && cfn_says_gone(r.error)) ?
	    cfn_refused(run, op, &r) : CFN_DONE;
	return 0;
}

bool
cfn_changed(const struct cfn_run *run, const char *prop)
{
	return !doc_eq(doc_get(run->props, prop), doc_get(run->old, prop));
}

/* Tags */

static const char *
tags_prop(const struct cfn_run *run)
{
	return run->map->tags ? run->map->tags : "Tags";
}

/* Without CloudFormation's own, which only a system principal may give. */
static struct doc *
own_tags(struct arena *a, const struct doc *tags)
{
	bool pairs = doc_type(tags) == DOC_ARR;
	struct doc *out = pairs ? doc_arr(a) : doc_obj(a);

	doc_each_key(k, v, tags) {
		struct span key = pairs ? doc_get_str(v, "Key") : k;

		if (span_starts(key, SPAN("aws:")))
			continue;
		if (pairs)
			doc_push(out, doc_copy(a, v));
		else
			doc_setn(a, out, k, doc_copy(a, v));
	}
	return out;
}

/* Steps */

/* Is the property spoken of in an expression? */
static bool
spoken_of(const char *with, struct span prop)
{
	struct span s = span_of(with);
	ptrdiff_t at;

	while ((at = span_find(s, SPAN("p."))) >= 0) {
		s = span_from(s, (size_t)at + 2);
		if (span_starts(s, prop) && (s.n == prop.n ||
			!isalnum((unsigned char)s.p[prop.n])))
			return true;
	}
	return false;
}

static bool
taken(const struct cfn_step *list, const struct cfn_step *s, struct span prop)
{
	if (s->takes)
		return cfn_word(s->takes, prop);
	for (const struct cfn_step *o = list; o && o->op; o++)
		if (o != s && o->takes && cfn_word(o->takes, prop))
			return false;
	return true;
}

/* The part of props that the step's mapping is for. */
static struct doc *
part(struct cfn_run *run, const struct cfn_step *list,
    const struct cfn_step *s, bool own)
{
	struct arena *a = run->arena;
	struct doc *out = doc_obj(a), *d;

	doc_each_key(k, v, run->props) {
		bool tags = span_is(k, tags_prop(run));

		if (!taken(list, s, k) || cfn_word(run->map->no_effect, k) ||
		    (tags && run->old) ||
		    spoken_of(s->with, k) || (tags && run->map->tag_spec))
			continue;
		d = tags && own ? own_tags(a, v) : doc_copy(a, v);
		if (!tags || doc_len(d))
			doc_setn(a, out, k, d);
	}
	return out;
}

static void
specify_tags(struct cfn_run *run, struct doc *in, bool own)
{
	struct arena *a = run->arena;
	const struct doc *tags = doc_get(run->props, tags_prop(run));
	struct doc *spec = doc_obj(a), *list = doc_arr(a);
	struct doc *given = own ? own_tags(a, tags) : doc_copy(a, tags);

	if (!doc_len(given))
		return;
	doc_set_str(a, spec, "ResourceType", span_of(run->map->tag_spec));
	doc_set(a, spec, "Tags", given);
	doc_push(list, spec);
	doc_set(a, in, "TagSpecifications", list);
}

/* The input of a step, or NULL and run->reason.  own: without aws: tags. */
static struct doc *
step_input(struct cfn_run *run, const struct cfn_step *list,
    const struct cfn_step *s, bool own)
{
	const struct model_op *mo = resolve(run, s->op);
	struct doc *in = s->with ? cfn_expr(run, s->with) : doc_obj(run->arena);
	struct doc *props = part(run, list, s, own);
	struct span why;

	/* An update sends what it can of what did not change. */
	if (run->old && !s->takes)
		doc_each_key(k, v, run->props) {
			struct doc *try = doc_obj(run->arena);
			struct doc *one = doc_obj(run->arena);

			if (!doc_eq(v, doc_getn(run->old, k)))
				continue;
			doc_setn(run->arena, one, k, doc_copy(run->arena, v));
			if (!cfn_input(run->arena, mo, one, s->map, try, &why))
				doc_del(props, arena_str(run->arena, k));
		}
	if (!cfn_input(run->arena, mo, props, s->map, in, &why)) {
		cfn_fail(run, "%s: property %.*s is not implemented",
		    run->map->type, SPAN_ARG(why));
		return NULL;
	}
	if (run->map->tag_spec && s == run->map->create)
		specify_tags(run, in, own);
	return in;
}

static void
note_out(struct cfn_run *run, const struct doc *out)
{
	doc_each_key(k, v, out)
		doc_setn(run->arena, run->out, k, doc_copy(run->arena, v));
}

static int
run_step(struct cfn_run *run, const struct cfn_step *list,
    const struct cfn_step *s, enum cfn_outcome *ret)
{
	const struct model_op *mo = resolve(run, s->op);
	char *name = arena_str(run->arena, model_op_name(mo));
	struct doc *in = step_input(run, list, s, true);
	struct op_result r;
	int e;

	*ret = CFN_FAILED;
	if (!in)
		return 0;
	if (op_check(run->api, run->arena, mo->model->name, name, in, &r)) {
		in = step_input(run, list, s, false);
		e = op_call(run->api, run->arena, &run->who, run->scope,
		    mo->model->name, name, in, &r);
		if (e)
			return err_trace(e);
	}
	if (r.error.n) {
		*ret = cfn_refused(run, s->op, &r);
		if (cfn_says_gone(r.error))
			doc_set_bool(run->arena, run->out, ".Gone", true);
		return 0;
	}
	note_out(run, r.out);
	*ret = CFN_DONE;
	return 0;
}

int
cfn_step(struct cfn_run *run, const struct cfn_step *s, enum cfn_outcome *ret)
{
	return run_step(run, NULL, s, ret);
}

/* Names */

struct span
cfn_name(const struct cfn_run *run)
{
	const struct cfn_map *m = run->map;
	size_t max = m->name_max ? m->name_max : 255, room;
	struct span logical = run->logical;
	struct span stack = m->name_head ? span_of(m->name_head) : run->stack;
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	if (!m->name)
		return SPAN_NULL;
	room = max - run->random.n - 2;
	if (stack.n + logical.n > room) {
		logical = span_to(logical, MAX(room / 2,
		    room - MIN(stack.n, room)));
		stack = span_to(stack, room - logical.n);
	}
	if (m->name_plain)
		while (span_ends(stack, SPAN("-")))
			stack.n--;
	buf_addf(&b, "%.*s-%.*s-%.*s", SPAN_ARG(stack), SPAN_ARG(logical),
	    SPAN_ARG(run->random));
	return m->name_lower ? arena_lower(run->arena, buf_span(&b)) :
	    arena_span(run->arena, buf_span(&b));
}

/* The properties with the name that was made up, if it was. */
static void
put_name(struct cfn_run *run)
{
	struct arena *a = run->arena;
	struct span name = doc_get_str(run->attrs, ".Name");
	struct doc *props;

	if (!run->map->name || doc_get(run->props, run->map->name))
		return;
	if (!name.n) {
		name = cfn_name(run);
		doc_set_str(a, run->attrs, ".Name", name);
	}
	props = doc_copy(a, run->props);
	run->props = doc_set_str(a, props, run->map->name, name);
}

static void
reshape(const struct cfn_run *run, const struct doc **props)
{
	if (run->map->reshape)
		*props = run->map->reshape(run->arena, *props);
}

/* The four things */

int
cfn_attributes(struct cfn_run *run, enum cfn_outcome *ret)
{
	struct doc *found;
	int e;

	for (const struct cfn_step *s = run->map->read; s && s->op; s++)
		if ((e = run_step(run, run->map->read, s, ret)) ||
		    *ret != CFN_DONE)
			return e;
	found = run->map->attrs ? cfn_expr(run, run->map->attrs) : NULL;
	doc_each_key(k, v, found)
		doc_setn(run->arena, run->attrs, k, doc_copy(run->arena, v));
	return 0;
}

static bool
wanted(const struct cfn_run *run, const struct cfn_step *list,
    const struct cfn_step *s)
{
	if (s == list || s->always)
		return true;
	doc_each_key(k, v, run->props)
		if (cfn_word(s->takes, k))
			return true;
	return false;
}

static int
make(struct cfn_run *run, enum cfn_outcome *ret)
{
	const struct cfn_step *list = run->map->create;
	struct doc *ref;
	int e;

	if (run->map->on_create)
		return run->map->on_create(run, ret);
	for (const struct cfn_step *s = list; s && s->op; s++) {
		if (!wanted(run, list, s))
			continue;
		if ((e = run_step(run, list, s, ret)) || *ret != CFN_DONE)
			return e;
		/* The steps that follow may speak of it. */
		if (s == list && run->map->ref &&
		    (ref = cfn_expr(run, run->map->ref)))
			run->ref = doc_span(ref);
	}
	return 0;
}

/* fn in a savepoint that only success keeps. */
static int
whole(struct cfn_run *run, int (*fn)(struct cfn_run *, enum cfn_outcome *),
    enum cfn_outcome *ret)
{
	int e = store_savepoint(run->store);

	if (e)
		return err_trace(e);
	*ret = CFN_DONE;
	e = fn(run, ret);
	if (!e && *ret != CFN_FAILED)
		e = cfn_attributes(run, ret);
	if (e || *ret == CFN_FAILED)
		store_rollback(run->store);
	else
		store_release(run->store);
	return e;
}

int
cfn_make(struct cfn_run *run, enum cfn_outcome *ret)
{
	struct doc *ref;
	int e;

	run->old = NULL;
	put_name(run);
	reshape(run, &run->props);
	e = whole(run, make, ret);
	if (e || *ret == CFN_FAILED)
		return e;
	if (!run->ref.n && run->map->ref && (ref = cfn_expr(run, run->map->ref)))
		run->ref = doc_span(ref);
	if (!run->ref.n)
		return err_origin(EIO, "%s has no physical id", run->map->type);
	return 0;
}

static bool
differs(const struct cfn_run *run, struct span prop)
{
	return !doc_eq(doc_getn(run->props, prop), doc_getn(run->old, prop));
}

static bool
takes_changed(const struct cfn_run *run, const struct cfn_step *list,
    const struct cfn_step *s, bool *ret_left)
{
	bool any = false;

	*ret_left = false;
	doc_each_key(k, v, run->props)
		if (taken(list, s, k) && !span_is(k, tags_prop(run))) {
			*ret_left = true;
			any |= differs(run, k);
		}
	doc_each_key(k, v, run->old)
		any |= taken(list, s, k) && !span_is(k, tags_prop(run)) &&
		    differs(run, k);
	return any;
}

/* Every change needs a step; what went needs a default or a .without. */
static bool
can_change(struct cfn_run *run)
{
	const struct cfn_map *m = run->map;
	struct doc *defaults = m->defaults ? cfn_expr(run, m->defaults) : NULL;
	struct doc *props = doc_copy(run->arena, run->props);

	doc_each_key(k, v, run->old) {
		bool without = cfn_word(m->unsets, k);

		if (doc_getn(run->props, k) || cfn_word(m->no_effect, k) ||
		    span_is(k, tags_prop(run)))
			continue;
		for (const struct cfn_step *s = m->update; s && s->op; s++)
			without |= s->without && cfn_word(s->takes, k);
		if (doc_getn(defaults, k)) {
			doc_setn(run->arena, props, arena_span(run->arena, k),
			    doc_copy(run->arena, doc_getn(defaults, k)));
		} else if (!without) {
			cfn_fail(run, "%s: removing property %.*s by an update "
			    "is not implemented", m->type, SPAN_ARG(k));
			return false;
		}
	}
	run->props = props;
	doc_each_key(k, v, run->props) {
		bool found = !differs(run, k) || cfn_word(m->no_effect, k) ||
		    span_is(k, tags_prop(run));

		for (const struct cfn_step *s = m->update; s && s->op; s++)
			found |= taken(m->update, s, k);
		if (!found) {
			cfn_fail(run, "%s: updating property %.*s is not "
			    "implemented", m->type, SPAN_ARG(k));
			return false;
		}
	}
	return true;
}

/* {key: value} of either form. */
static struct doc *
tag_map(struct arena *a, const struct doc *tags)
{
	struct doc *out = doc_obj(a);

	doc_each_key(k, v, tags) {
		if (doc_type(tags) == DOC_ARR)
			doc_setn(a, out, doc_get_str(v, "Key"),
			    doc_strdup(a, doc_get_str(v, "Value")));
		else
			doc_setn(a, out, k, doc_copy(a, v));
	}
	return out;
}

static int
tag_call(struct cfn_run *run, const char *op, const char *with,
    const char *member, const struct doc *value, enum cfn_outcome *ret)
{
	const struct model_op *mo = resolve(run, op);
	struct doc *in = cfn_expr(run, with), *one = doc_obj(run->arena);
	struct op_result r;
	struct span why;
	int e;

	doc_set(run->arena, one, member, doc_copy(run->arena, value));
	AN(cfn_input(run->arena, mo, one, NULL, in, &why));
	e = op_call(run->api, run->arena, &run->who, run->scope,
	    mo->model->name, arena_str(run->arena, model_op_name(mo)), in, &r);
	if (e)
		return err_trace(e);
	*ret = r.error.n ? cfn_refused(run, op, &r) : CFN_DONE;
	return 0;
}

/* Keys that went, as the operation wants them: texts, or {Key}. */
static struct doc *
keys_gone(struct cfn_run *run, const struct doc *was, const struct doc *is)
{
	const struct model_op *mo = resolve(run, run->map->tagging->untag);
	struct arena *a = run->arena;
	const struct model_member *mb = model_member_find(mo->model,
	    model_shape(mo->model, mo->in),
	    span_of(run->map->tagging->keys));
	const struct model_shape *list = model_shape(mo->model, mb->shape);
	bool text = model_shape(mo->model, model_members(mo->model,
	    list)->shape)->type == MODEL_STRING;
	struct doc *out = doc_arr(a), *one;

	doc_each_key(k, v, was) {
		if (doc_getn(is, k))
			continue;
		one = doc_obj(a);
		doc_set_str(a, one, "Key", k);
		doc_push(out, text ? doc_str(a, k) : one);
	}
	return out;
}

int
cfn_retag(struct cfn_run *run, enum cfn_outcome *ret)
{
	const struct cfn_tagging *t = run->map->tagging;
	struct arena *a = run->arena;
	struct doc *is = tag_map(a, doc_get(run->props, tags_prop(run)));
	struct doc *was = tag_map(a, doc_get(run->old, tags_prop(run)));
	struct doc *put = doc_obj(a), *gone;
	int e;

	doc_each_key(k, v, is)
		if (!doc_eq(v, doc_getn(was, k)))
			doc_setn(a, put, k, doc_copy(a, v));
	if (doc_eq(is, was))
		return 0;
	if (!t) {
		*ret = cfn_fail(run, "%s: updating tags is not implemented",
		    run->map->type);
		return 0;
	}
	gone = keys_gone(run, was, is);
	if (doc_len(put) && ((e = tag_call(run, t->tag, t->tag_with, t->tags,
		put, ret)) || *ret == CFN_FAILED))
		return e;
	return doc_len(gone) ? tag_call(run, t->untag, t->untag_with, t->keys,
		gone, ret) : 0;
}

static int
change(struct cfn_run *run, enum cfn_outcome *ret)
{
	const struct cfn_step *list = run->map->update;
	bool left;
	int e;

	if (run->map->on_update)
		return run->map->on_update(run, ret);
	if (!can_change(run)) {
		*ret = CFN_FAILED;
		return 0;
	}
	for (const struct cfn_step *s = list; s && s->op; s++) {
		struct cfn_step other = {s->without, "", s->with, .map = NULL};

		if (!takes_changed(run, list, s, &left) && !s->always)
			continue;
		e = run_step(run, list, !left && s->without ? &other : s, ret);
		if (e || *ret == CFN_FAILED)
			return e;
	}
	return cfn_retag(run, ret);
}

int
cfn_change(struct cfn_run *run, enum cfn_outcome *ret)
{
	const struct doc *old = run->old;

	AN(old);
	put_name(run);
	/* The name made up is in both, or in neither. */
	if (run->map->name && !doc_get(old, run->map->name) &&
	    doc_get(run->attrs, ".Name")) {
		struct doc *with = doc_copy(run->arena, old);

		doc_set_str(run->arena, with, run->map->name,
		    doc_get_str(run->attrs, ".Name"));
		run->old = with;
	}
	reshape(run, &run->props);
	reshape(run, &run->old);
	return whole(run, change, ret);
}

static int
take_away(struct cfn_run *run, enum cfn_outcome *ret)
{
	const struct cfn_step *list = run->map->remove;
	int e;

	if (run->map->on_remove)
		return run->map->on_remove(run, ret);
	for (const struct cfn_step *s = list; s && s->op; s++) {
		if ((e = run_step(run, list, s, ret)))
			return e;
		if (*ret == CFN_FAILED && doc_get(run->out, ".Gone"))
			*ret = CFN_DONE;
		if (*ret == CFN_FAILED)
			return 0;
	}
	return 0;
}

int
cfn_remove(struct cfn_run *run, enum cfn_outcome *ret)
{
	int e = store_savepoint(run->store);

	if (e)
		return err_trace(e);
	run->old = NULL;
	*ret = CFN_DONE;
	put_name(run);
	e = take_away(run, ret);
	if (e || *ret == CFN_FAILED)
		store_rollback(run->store);
	else
		store_release(run->store);
	return e;
}

static int
look(struct cfn_run *run, const struct cfn_wait *w, bool removed,
    enum cfn_outcome *ret)
{
	struct doc *in = cfn_expr(run, w->with), *value, *reason;
	struct op_result r;
	int e = cfn_call(run, w->op, in, &r);

	if (e)
		return err_trace(e);
	if (r.error.n) {
		*ret = removed && cfn_says_gone(r.error) ? CFN_DONE :
		    cfn_refused(run, w->op, &r);
		return 0;
	}
	note_out(run, r.out);
	value = cfn_expr(run, w->value);
	*ret = CFN_WAIT;
	if (value ? cfn_word(w->done, doc_span(value)) : removed) {
		*ret = CFN_DONE;
	} else if (value && cfn_word(w->failed, doc_span(value))) {
		reason = w->reason ? cfn_expr(run, w->reason) : NULL;
		*ret = cfn_fail(run, "%s %.*s: %.*s", run->map->type,
		    SPAN_ARG(run->ref), SPAN_ARG(doc_span(reason ? reason :
			value)));
	}
	return 0;
}

int
cfn_settled(struct cfn_run *run, bool removed, enum cfn_outcome *ret)
{
	int (*hook)(struct cfn_run *, enum cfn_outcome *) =
	    removed ? run->map->on_gone : run->map->on_ready;
	const struct cfn_wait *w = removed ? run->map->gone : run->map->ready;

	put_name(run);
	*ret = CFN_DONE;
	if (hook)
		return hook(run, ret);
	return w ? look(run, w, removed, ret) : 0;
}
