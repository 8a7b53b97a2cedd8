/* Staging labels: names of versions; one is on one version at a time. */
#include "base/err.h"
#include "svc/secretsmanager/secretsmanager.h"

int
version_list(struct call *c, const struct res *secret, struct res_list *ret)
{
	struct query q = {.kind = &secretsmanager_version,
	    .scope = secret->scope, .parent = secret->id};

	return store_list(c->store, c->arena, &q, ret);
}

struct res *
version_with(const struct res_list *all, struct span stage)
{
	for (size_t i = 0; i < all->n; i++)
		if (doc_has_str(doc_get(all->v[i]->spec, "Stages"), stage))
			return all->v[i];
	return NULL;
}

/* The stages without one, and then in its place with it. */
static void
set(struct call *c, struct res *v, struct span stage, bool with)
{
	struct doc *stages = doc_arr(c->arena);

	doc_each(s, doc_get(v->spec, "Stages")) {
		if (with && span_cmp(stage, doc_span(s)) < 0) {
			doc_push(stages, doc_strdup(c->arena, stage));
			with = false;
		}
		if (!span_eq(doc_span(s), stage))
			doc_push(stages, doc_copy(c->arena, s));
	}
	if (with)
		doc_push(stages, doc_strdup(c->arena, stage));
	doc_set(c->arena, v->spec, "Stages", stages);
}

static int
give(struct call *c, struct res *from, struct span stage, struct res *to)
{
	int e = 0;

	if (from == to)
		return 0;
	if (from) {
		set(c, from, stage, false);
		e = store_put_spec(c->store, from);
	}
	if (!e && to) {
		set(c, to, stage, true);
		e = store_put_spec(c->store, to);
	}
	return e ? err_fold(e) : 0;
}

int
stage_move(struct call *c, const struct res_list *all, struct span stage,
    struct res *to)
{
	struct res *from = version_with(all, stage);
	int e = give(c, from, stage, to);

	if (e || from == to || !from || !span_eq(stage, AWSCURRENT))
		return e;
	return give(c, version_with(all, AWSPREVIOUS), AWSPREVIOUS, from);
}

/* The version of that id, or NULL. */
static struct res *
find(const struct res_list *all, struct span id)
{
	for (size_t i = 0; i < all->n; i++)
		if (span_eq(all->v[i]->id, id))
			return all->v[i];
	return NULL;
}

static struct reply *
must_name(struct call *c, struct span stage, const struct res *has)
{
	return reply_error(c, "InvalidParameterException", "The parameter "
	    "RemoveFromVersionId can't be empty. Staging label %.*s is "
	    "currently attached to version %.*s, so you must explicitly "
	    "reference that version in RemoveFromVersionId.", SPAN_ARG(stage),
	    SPAN_ARG(has->id));
}

static struct reply *
no_version(struct call *c, struct span id)
{
	return reply_error(c, "InvalidParameterException",
	    "Not a valid version: %.*s", SPAN_ARG(id));
}

struct reply *
secret_update_stage(struct call *c)
{
	struct span stage = doc_get_str(c->in, "VersionStage");
	struct span from = doc_get_str(c->in, "RemoveFromVersionId");
	struct span to = doc_get_str(c->in, "MoveToVersionId");
	struct res *secret, *has, *target;
	struct res_list all;
	struct reply *no = secret_named(c, false, &secret);
	int e;

	if (no)
		return no;
	if ((e = version_list(c, secret, &all)))
		return secret_fail(c, e);
	has = version_with(&all, stage);
	target = find(&all, to);
	if (to.n && !target)
		return no_version(c, to);
	if (from.n && !find(&all, from))
		return no_version(c, from);
	if (from.n && (!has || !span_eq(has->id, from)))
		return reply_error(c, "InvalidParameterException", "Version "
		    "\"%.*s\" is not attached to the label \"%.*s\".",
		    SPAN_ARG(from), SPAN_ARG(stage));
	if (has && !from.n && (!target || target != has))
		return must_name(c, stage, has);
	if (!target && span_eq(stage, AWSCURRENT))
		return secret_bad_parameter(c, "You can only move staging label "
		    "AWSCURRENT to a different secret version. It can't be "
		    "completely removed.");
	if ((e = stage_move(c, &all, stage, target)))
		return secret_fail(c, e);
	if ((no = secret_put(c, secret)))
		return no;
	return reply_ok(c, secret_names(c, secret));
}
