/* Lookups, paging, names and tags for all nouns of the service. */
#include "base/err.h"
#include "svc/elbv2/elbv2.h"

bool
lb_deleting(const struct res *lb)
{
	return doc_get_bool(lb->spec, "Deleting", false);
}

/* How each kind is refused. */
static const struct noun {
	const struct kind *kind;
	const char *path;	/* what follows the account in the ARN */
	const char *noun;
	const char *code;
	const char *absent;
} nouns[] = {
	{&elbv2_load_balancer, "loadbalancer/", "load balancer",
	    "LoadBalancerNotFound", "One or more load balancers not found"},
	{&elbv2_target_group, "targetgroup/", "target group",
	    "TargetGroupNotFound", "One or more target groups not found"},
	{&elbv2_listener, "listener/", "listener", "ListenerNotFound",
	    "One or more listeners not found"},
	{&elbv2_rule, "listener-rule/", "listener rule", "RuleNotFound",
	    "One or more rules not found"},
};

static bool
arn_is(struct span arn, const char *path)
{
	struct span rest = arn;
	static const char *const head[] = {"arn", "aws",
		"elasticloadbalancing"};

	for (size_t i = 0; i < ARRAY_SIZE(head); i++)
		if (!span_is(span_cut(&rest, ':'), head[i]))
			return false;
	span_cut(&rest, ':');
	span_cut(&rest, ':');
	return span_starts(rest, span_of(path));
}

/* A row by ARN in the caller's own account and region, or an outcome. */
static int
find(struct call *c, const struct noun *n, struct span arn, struct res **ret)
{
	struct res *r;
	int e = store_get_arn(c->store, c->arena, arn, &r);

	if (e)
		return e;
	if (r->kind != n->kind || !span_eq(r->scope.account, c->scope.account) ||
	    !span_eq(r->scope.region, c->scope.region) || lb_deleting(r))
		return STORE_E_NOT_FOUND;
	*ret = r;
	return 0;
}

static struct reply *
find_or_refuse(struct call *c, const struct noun *n, struct span arn,
    struct res **ret)
{
	int e;

	if (!arn_is(arn, n->path))
		return reply_error(c, VALIDATION, "'%.*s' is not a valid %s ARN",
		    SPAN_ARG(arn), n->noun);
	e = find(c, n, arn, ret);
	if (e < 0)
		return reply_failure(c, err_trace(e));
	return e ? reply_error(c, n->code, "%s", n->absent) : NULL;
}

int
lb_get(struct call *c, struct span arn, struct res **ret)
{
	return find(c, &nouns[0], arn, ret);
}

struct reply *
lb_arn_check(struct call *c, struct span arn)
{
	return arn_is(arn, nouns[0].path) ? NULL : reply_error(c, VALIDATION,
	    "'%.*s' is not a valid %s ARN", SPAN_ARG(arn), nouns[0].noun);
}

struct reply *
lb_find(struct call *c, struct span arn, struct res **ret)
{
	return find_or_refuse(c, &nouns[0], arn, ret);
}

struct reply *
tg_find(struct call *c, struct span arn, struct res **ret)
{
	return find_or_refuse(c, &nouns[1], arn, ret);
}

struct reply *
listener_find(struct call *c, struct span arn, struct res **ret)
{
	return find_or_refuse(c, &nouns[2], arn, ret);
}

struct reply *
rule_find(struct call *c, struct span arn, struct res **ret)
{
	return find_or_refuse(c, &nouns[3], arn, ret);
}

struct reply *
any_find(struct call *c, struct span arn, struct res **ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(nouns); i++)
		if (arn_is(arn, nouns[i].path))
			return find_or_refuse(c, &nouns[i], arn, ret);
	return reply_error(c, VALIDATION, "'%.*s' is not a valid ARN",
	    SPAN_ARG(arn));
}

struct span
lb_id_of(struct span parent)
{
	size_t slashes = 0;

	for (size_t i = 0; i < parent.n; i++)
		if (parent.p[i] == '/' && ++slashes == 3)
			return span_to(parent, i);
	return parent;
}

struct reply *
page_query(struct call *c, const struct kind *k, struct query *ret)
{
	struct span marker = doc_get_str(c->in, "Marker");
	struct query q = {.kind = k, .scope = c->scope, .any_parent = true};

	if (marker.n && !page_token_row(c, marker, &q.after))
		return reply_error(c, VALIDATION, "Invalid marker '%.*s'",
		    SPAN_ARG(marker));
	q.limit = (size_t)doc_get_int(c->in, "PageSize", 400);
	*ret = q;
	return NULL;
}

void
page_next(struct call *c, struct doc *out, const struct res_list *l)
{
	if (l->more && l->n)
		doc_set_str(c->arena, out, "NextMarker",
		    page_token(c, l->v[l->n - 1]->row));
}

struct reply *
page_cut(struct call *c, struct doc *out, const char *name,
    const struct doc *all)
{
	struct span marker = doc_get_str(c->in, "Marker"), at;
	size_t size = (size_t)doc_get_int(c->in, "PageSize", 400), i = 0;
	struct doc *page = doc_arr(c->arena);
	uint64_t from = 0;

	if (marker.n && (!page_token_read(c, marker, &at) ||
	    !span_u64(at, &from)))
		return reply_error(c, VALIDATION, "Invalid marker '%.*s'",
		    SPAN_ARG(marker));
	doc_each(v, all) {
		if (i >= from && i < from + size)
			doc_push(page, doc_copy(c->arena, v));
		i++;
	}
	if (i > from + size)
		doc_set_str(c->arena, out, "NextMarker", page_token_text(c,
		    arena_fmt_span(c->arena, "%zu", (size_t)from + size)));
	doc_set(c->arena, out, name, page);
	return NULL;
}

int
list_below(struct call *c, const struct kind *k, struct span parent,
    struct res_list *ret)
{
	struct query q = {.kind = k, .scope = c->scope, .parent = parent};

	return store_list(c->store, c->arena, &q, ret);
}

int
list_by(struct call *c, const struct kind *k, const char *index,
    struct span value, struct res_list *ret)
{
	struct query q = {.kind = k, .scope = c->scope, .any_parent = true,
	    .index = index, .value = value};

	return store_list(c->store, c->arena, &q, ret);
}

static bool
alnum(char ch)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
	    (ch >= '0' && ch <= '9');
}

struct reply *
name_check(struct call *c, const char *what, struct span name)
{
	if (name.n == 0 || name.n > LIMIT_NAME)
		return reply_error(c, VALIDATION,
		    "%s name '%.*s' cannot be longer than '%d' characters", what,
		    SPAN_ARG(name), LIMIT_NAME);
	for (size_t i = 0; i < name.n; i++)
		if (!alnum(name.p[i]) && name.p[i] != '-')
			return reply_error(c, VALIDATION,
			    "%s name '%.*s' can only contain characters that "
			    "are alphanumeric characters and hyphens(-)", what,
			    SPAN_ARG(name));
	if (name.p[0] == '-' || name.p[name.n - 1] == '-')
		return reply_error(c, VALIDATION,
		    "%s name '%.*s' cannot begin or end with a hyphen(-)", what,
		    SPAN_ARG(name));
	return NULL;
}

struct reply *
tags_check(struct call *c, const struct doc *tags, size_t have)
{
	size_t i = 0, j;

	if (doc_len(tags) + have > LIMIT_TAGS)
		return reply_error(c, "TooManyTags", "The quota for the number "
		    "of tags that can be assigned to a load balancer has been "
		    "reached");
	doc_each(t, tags) {
		struct span key = doc_get_str(t, "Key");

		if (!c->who.system && span_starts(key, SPAN("aws:")))
			return reply_error(c, VALIDATION, "Tag keys cannot "
			    "start with 'aws:'");
		for (j = 0; j < i; j++)
			if (span_eq(doc_get_str(doc_at(tags, j), "Key"), key))
				return reply_error(c, "DuplicateTagKeys",
				    "Tag key was specified more than once: "
				    "%.*s", SPAN_ARG(key));
		i++;
	}
	return NULL;
}

struct reply *
tags_put(struct call *c, const struct res *r, const struct doc *tags)
{
	struct reply *e = tags_check(c, tags, 0);
	int n;

	if (e)
		return e;
	doc_each(t, tags) {
		n = store_tag(c->store, r, doc_get_str(t, "Key"),
		    doc_get_str(t, "Value"));
		if (n)
			return reply_failure(c, err_fold(n));
	}
	return NULL;
}

int
ec2_call(struct call *c, const char *op, const struct doc *in,
    struct op_result *ret)
{
	struct principal who = principal_system(c->scope.account,
	    "elasticloadbalancing.amazonaws.com");

	return op_call(c->api, c->arena, &who, c->scope, "ec2", op, in, ret);
}
