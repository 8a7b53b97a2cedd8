/* Labels: names of versions; one is on one version at a time. */
#include "base/err.h"
#include "svc/ssm/ssm.h"

#define LABELS_MAX 10

static bool
label_ok(struct span s)
{
	if (s.n == 0 || (s.p[0] >= '0' && s.p[0] <= '9') ||
	    span_ieq(span_to(s, 3), SPAN("aws")) ||
	    span_ieq(span_to(s, 3), SPAN("ssm")))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char ch = s.p[i];

		if (!(ch >= 'a' && ch <= 'z') && !(ch >= 'A' && ch <= 'Z') &&
		    !(ch >= '0' && ch <= '9') && !(ch && strchr("_.-", ch)))
			return false;
	}
	return true;
}

static struct reply *
no_version(struct call *c, int64_t number, struct span name)
{
	return reply_error(c, "ParameterVersionNotFound", "Systems Manager "
	    "could not find version %lld of %.*s. Verify the version and try "
	    "again.", (long long)number, SPAN_ARG(name));
}

/* The versions and the one that is asked for. */
static struct reply *
find(struct call *c, struct res_list *ret_all, struct res **ret)
{
	struct span name = doc_get_str(c->in, "Name");
	struct res *p;
	int64_t number;
	int r = ssm_get(c, name, &p);

	if (r == STORE_E_NOT_FOUND)
		return ssm_not_found(c);
	if (r || (r = ssm_versions(c, p, ret_all)))
		return ssm_fail(c, r);
	number = doc_get_int(c->in, "ParameterVersion",
	    doc_get_int(p->spec, "Version", 0));
	for (size_t i = 0; i < ret_all->n; i++) {
		*ret = ret_all->v[i];
		if (doc_get_int((*ret)->spec, "Version", 0) == number)
			return NULL;
	}
	return no_version(c, number, name);
}

/* False: it was not there. */
static bool
drop(struct res *v, struct span label)
{
	struct doc *labels = doc_get(v->spec, "Labels");

	for (size_t i = 0; i < doc_len(labels); i++)
		if (span_eq(doc_span(doc_at(labels, i)), label)) {
			doc_remove(labels, i);
			return true;
		}
	return false;
}

static struct doc *
labels_of(struct call *c, struct res *v)
{
	if (!doc_get(v->spec, "Labels"))
		doc_set(c->arena, v->spec, "Labels", doc_arr(c->arena));
	return doc_get(v->spec, "Labels");
}

/* Takes the label from every other version. */
static int
move(struct call *c, const struct res_list *all, struct res *to,
    struct span label)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < all->n; i++)
		if (all->v[i] != to && drop(all->v[i], label))
			r = store_put_spec(c->store, all->v[i]);
	if (!doc_has_str(labels_of(c, to), label))
		doc_push_str(c->arena, labels_of(c, to), label);
	return r;
}

struct reply *
ssm_label_version(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *bad = doc_arr(c->arena);
	struct res_list all;
	struct res *v;
	struct reply *no = find(c, &all, &v);
	int r;

	if (no)
		return no;
	doc_each(label, doc_get(c->in, "Labels")) {
		if (!label_ok(doc_span(label))) {
			doc_push_str(c->arena, bad, doc_span(label));
			continue;
		}
		if ((r = move(c, &all, v, doc_span(label))))
			return ssm_fail(c, r);
	}
	if (doc_len(labels_of(c, v)) > LABELS_MAX)
		return reply_error(c, "ParameterVersionLabelLimitExceeded",
		    "A parameter version can have maximum %d labels. Move one "
		    "or more labels to another version and try again.",
		    LABELS_MAX);
	if ((r = store_put_spec(c->store, v)))
		return ssm_fail(c, r);
	doc_set(c->arena, out, "InvalidLabels", bad);
	doc_set_int(c->arena, out, "ParameterVersion",
	    doc_get_int(v->spec, "Version", 0));
	return reply_ok(c, out);
}

struct reply *
ssm_unlabel_version(struct call *c)
{
	struct doc *out = doc_obj(c->arena);
	struct doc *bad = doc_arr(c->arena), *gone = doc_arr(c->arena);
	struct res_list all;
	struct res *v;
	struct reply *no = find(c, &all, &v);
	int r;

	if (no)
		return no;
	doc_each(label, doc_get(c->in, "Labels"))
		doc_push_str(c->arena, drop(v, doc_span(label)) ? gone : bad,
		    doc_span(label));
	if ((r = store_put_spec(c->store, v)))
		return ssm_fail(c, r);
	doc_set(c->arena, out, "RemovedLabels", gone);
	doc_set(c->arena, out, "InvalidLabels", bad);
	return reply_ok(c, out);
}
