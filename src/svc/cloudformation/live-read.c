/* Reads live properties by the tables of live.c. */
#include "base/err.h"
#include "cfn/facts.h"
#include "svc/cloudformation/context.h"
#include "svc/cloudformation/live.h"
#include "wire/model.h"

const struct live *
live_find(struct span type)
{
	for (const struct live *l = live_types; l->type; l++) {
		struct span rest = span_of(l->steps->op), service;

		if (!span_is(type, l->type))
			continue;
		service = span_cut(&rest, ':');
		for (const struct service *const *s = services; *s; s++)
			if (span_is(service, (*s)->name))
				return l;
	}
	return NULL;
}

static struct span
undotted(struct span s)
{
	return span_ends(s, SPAN(".")) ? span_to(s, s.n - 1) : s;
}

/* "Member=expression" of an element. */
static bool
picked(struct cfn_run *run, const char *pick, const struct doc *e)
{
	struct span value = span_of(pick), member = span_cut(&value, '=');
	const struct doc *is = doc_getn(e, member);
	struct doc *want;

	if (doc_type(is) == DOC_BOOL)
		return doc_true(is) == span_is(value, "true");
	want = cfn_expr(run, arena_str(run->arena, value));
	/* A name of the DNS is the same with its last dot. */
	return want && span_eq(undotted(doc_span(is)),
	    undotted(doc_span(want)));
}

static const struct doc *
pick(struct cfn_run *run, const struct live_step *s, const struct doc *list,
    bool first)
{
	struct doc *out = doc_arr(run->arena);

	doc_each(e, list) {
		if (!picked(run, s->pick, e))
			continue;
		if (first)
			return e;
		doc_push(out, doc_copy(run->arena, e));
	}
	return first ? NULL : out;
}

static const struct doc *
found_at(struct cfn_run *run, const struct live_step *s)
{
	struct span at = span_of(s->at);
	bool first = span_ends(at, SPAN(".0"));

	if (s->pick && first)
		at = span_to(at, at.n - 2);
	at = span_of(arena_fmt(run->arena, "$o.%.*s", SPAN_ARG(at)));
	if (!s->pick)
		return cfn_expr(run, at.p);
	return pick(run, s, cfn_expr(run, at.p), first);
}

/* What want has and this step may tell of. */
static struct doc *
asked(struct cfn_run *run, const struct live *l, const struct live_step *s,
    const struct doc *want)
{
	struct doc *out = doc_obj(run->arena);

	doc_each_key(k, v, want) {
		bool other = false;

		for (const struct live_step *o = l->steps; o->op; o++)
			other |= o != s && o->takes && cfn_word(o->takes, k);
		if (!cfn_word(l->skip, k) &&
		    (s->takes ? cfn_word(s->takes, k) : !other))
			doc_setn(run->arena, out, k, doc_copy(run->arena, v));
	}
	return out;
}

static bool
has_key(const struct doc *pairs, struct span key)
{
	doc_each(p, pairs)
		if (span_eq(doc_get_str(p, "Key"), key))
			return true;
	return false;
}

static bool
is_own(const struct doc *e, const struct doc *own)
{
	return doc_has_str(own, doc_get_str(e, "SecurityGroupRuleId"));
}

/* A list without what is not its: tags of CloudFormation's, attributes that
 * nobody set, rules that are resources themselves. */
static struct doc *
without(struct arena *a, const struct doc *list, const struct doc *given,
    const struct doc *own)
{
	struct doc *out = doc_type(list) == DOC_OBJ ? doc_obj(a) : doc_arr(a);

	doc_each_key(k, e, list) {
		struct span key = doc_type(list) == DOC_OBJ ? k :
		    doc_get_str(e, "Key");

		if (span_starts(key, SPAN("aws:")) ||
		    (given && !has_key(given, key)) || (own && is_own(e, own)))
			continue;
		if (doc_type(list) == DOC_OBJ)
			doc_setn(a, out, k, doc_copy(a, e));
		else
			doc_push(out, doc_copy(a, e));
	}
	return out;
}

static void
take(struct cfn_run *run, const struct live_step *s, const struct doc *ask,
    const struct doc *found, const struct doc *own, struct doc *want,
    struct doc *have)
{
	const struct cfn_facts *f = cfn_facts_find(span_of(run->map->type));
	struct span rest = span_of(s->op), service = span_cut(&rest, ':');
	struct cfn_source from = {model_op_find(model_find(service), rest),
		s->at, s->map};
	struct doc *w = doc_obj(run->arena), *h = doc_obj(run->arena);

	if (found && s->pick && doc_type(found) == DOC_ARR)
		found = without(run->arena, found, NULL, own);
	cfn_output(run->arena, &from, ask, found, w, h);
	doc_each_key(k, v, w)
		doc_setn(run->arena, want, k, doc_copy(run->arena, v));
	doc_each_key(k, v, h) {
		bool list = s->given || (f && f->tags && span_is(k, f->tags));

		doc_setn(run->arena, have, k, list ? without(run->arena, v,
		    s->given ? doc_getn(w, k) : NULL, NULL) :
		    doc_copy(run->arena, v));
	}
}

static int
step(struct cfn_run *run, const struct live_step *s, const struct doc **ret,
    enum live_outcome *ret_outcome)
{
	struct op_result r;
	int e = cfn_call(run, s->op, cfn_expr(run, s->with), &r);

	*ret = NULL;
	*ret_outcome = LIVE_THERE;
	if (e)
		return err_trace(e);
	if (!r.error.n) {
		doc_each_key(k, v, r.out)
			doc_setn(run->arena, run->out, k, doc_copy(run->arena,
			    v));
		*ret = s->at ? found_at(run, s) : r.out;
		return 0;
	}
	if (s->maybe && cfn_says_gone(r.error))
		return 0;
	*ret_outcome = cfn_says_gone(r.error) ? LIVE_DELETED : LIVE_FAILED;
	cfn_refused(run, s->op, &r);
	return 0;
}

static bool
as_good_as_gone(struct cfn_run *run, const struct live *l,
    const struct doc *found)
{
	return !found || (l->gone && picked(run, l->gone, found));
}

int
live_read(struct cfn_run *run, const struct live *l, const struct doc *want,
    const struct doc *own, struct doc **ret_want, struct doc **ret_have,
    enum live_outcome *ret)
{
	const struct doc *found;
	struct doc *ask;
	int e;

	*ret_want = doc_obj(run->arena);
	*ret_have = doc_obj(run->arena);
	for (const struct live_step *s = l->steps; s->op; s++) {
		ask = asked(run, l, s, want);
		if (s != l->steps && !doc_len(ask))
			continue;
		if ((e = step(run, s, &found, ret)))
			return err_trace(e);
		if (*ret == LIVE_THERE && s == l->steps &&
		    as_good_as_gone(run, l, found))
			*ret = LIVE_DELETED;
		if (*ret != LIVE_THERE)
			return 0;
		if (s == l->steps)
			doc_set(run->arena, run->out, ".Found",
			    doc_copy(run->arena, found));
		take(run, s, ask, found, own, *ret_want, *ret_have);
	}
	return 0;
}

/* A creation answers with the one thing that a description lists. */
void
live_as_made(struct cfn_run *run)
{
	struct span op = run->map->create ? span_of(run->map->create->op) :
					    SPAN_NULL;
	const struct model *m = model_find(span_of(run->service->name));
	const struct model_op *mo = op.n ? model_op_find(m, op) : NULL;
	const struct model_shape *s = mo ? model_shape(m, mo->out) : NULL;
	const struct model_member *mb = s ? model_members(m, s) : NULL;

	for (size_t i = 0; s && i < s->n; i++) {
		struct span name = model_str(m, mb[i].name);

		if (model_shape(m, mb[i].shape)->type == MODEL_STRUCTURE &&
		    !doc_getn(run->out, name))
			doc_setn(run->arena, run->out, name, doc_copy(
			    run->arena, doc_get(run->out, ".Found")));
	}
}
