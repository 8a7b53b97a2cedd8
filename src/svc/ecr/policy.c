/* Policies of repositories and registries: kept as text, checked for form. */
#include "registry/lifecycle.h"
#include "svc/ecr/ecr.h"

/* The three policies differ in member names, errors and what they must be. */
struct policy {
	const char *member;   /* of input, output and spec */
	const char *code;     /* when there is none */
	const char *title;    /* for messages */
};

static const struct policy of_repository = {"policyText",
    "RepositoryPolicyNotFoundException", "Repository policy"};
static const struct policy of_lifecycle = {"lifecyclePolicyText",
    "LifecyclePolicyNotFoundException", "Lifecycle policy"};

static struct reply *
answer(struct call *c, const struct repo_key *k, const struct policy *p,
    struct span text)
{
	return reply_ok(c, doc_set_str(c->arena, ecr_out(c, k), p->member,
	    text));
}

static struct reply *
absent(struct call *c, const struct repo_key *k, const struct policy *p)
{
	return reply_error(c, p->code, "%s does not exist for the repository "
	    "with name '%.*s' in the registry with id '%.*s'", p->title,
	    SPAN_ARG(k->name), SPAN_ARG(k->scope.account));
}

/* statement documents of IAM's policy language */
static bool
policy_ok(struct call *c, struct span text)
{
	struct doc *d;

	return doc_parse_json(c->arena, text, &d) == 0 &&
	    doc_type(d) == DOC_OBJ && doc_get(d, "Statement");
}

static struct reply *
put(struct call *c, const struct policy *p)
{
	struct repo_key k;
	struct res *row;
	struct reply *no = ecr_repo(c, &k, &row);
	struct span text = doc_get_str(c->in, p->member);
	int r;

	if (no)
		return no;
	doc_set_str(c->arena, row->spec, p->member, text);
	r = store_put_spec(c->store, row);
	return r ? ecr_fail(c, r) : answer(c, &k, p, text);
}

static struct doc *
evaluated(struct call *c, const struct res *repo, struct doc *out)
{
	int64_t at = doc_get_time(repo->status, "lifecycleEvaluatedAt");

	return at ? doc_set_time(c->arena, out, "lastEvaluatedAt", at) : out;
}

static struct reply *
get(struct call *c, const struct policy *p, bool remove)
{
	struct repo_key k;
	struct res *row;
	struct reply *no = ecr_repo(c, &k, &row);
	struct span text;
	int r;

	if (no)
		return no;
	text = doc_get_str(row->spec, p->member);
	if (!text.p)
		return absent(c, &k, p);
	if (remove) {
		doc_del(row->spec, p->member);
		r = store_put_spec(c->store, row);
		if (r)
			return ecr_fail(c, r);
	}
	if (p == &of_lifecycle)
		return reply_ok(c, evaluated(c, row, doc_set_str(c->arena,
		    ecr_out(c, &k), p->member, text)));
	return answer(c, &k, p, text);
}

struct reply *
set_repository_policy(struct call *c)
{
	if (!policy_ok(c, doc_get_str(c->in, "policyText")))
		return ecr_invalid(c, "PolicyText",
		    "Invalid repository policy provided");
	return put(c, &of_repository);
}

struct reply *
get_repository_policy(struct call *c)
{
	return get(c, &of_repository, false);
}

struct reply *
delete_repository_policy(struct call *c)
{
	return get(c, &of_repository, true);
}

struct reply *
put_lifecycle_policy(struct call *c)
{
	struct doc *unused;
	const char *why = lifecycle_parse(c->arena,
	    doc_get_str(c->in, "lifecyclePolicyText"), &unused);

	if (why)
		return ecr_invalid(c, "LifecyclePolicyText",
		    "Lifecycle policy validation failure: %s", why);
	return put(c, &of_lifecycle);
}

struct reply *
get_lifecycle_policy(struct call *c)
{
	return get(c, &of_lifecycle, false);
}

struct reply *
delete_lifecycle_policy(struct call *c)
{
	return get(c, &of_lifecycle, true);
}

/* The registry's own */

static struct reply *
registry_answer(struct call *c, struct span text)
{
	struct doc *d = doc_set_str(c->arena, doc_obj(c->arena), "registryId",
	    c->scope.account);

	return reply_ok(c, doc_set_str(c->arena, d, "policyText", text));
}

struct reply *
put_registry_policy(struct call *c)
{
	struct span text = doc_get_str(c->in, "policyText");
	struct res *row;
	int r;

	if (!policy_ok(c, text))
		return ecr_invalid(c, "PolicyText",
		    "Invalid registry policy provided");
	r = store_get(c->store, c->arena, &ecr_registry_policy, c->scope,
	    SPAN_NULL, SPAN("policy"), &row);
	if (r == STORE_E_NOT_FOUND) {
		row = res_new(c->arena, &ecr_registry_policy, c->scope,
		    SPAN_NULL, SPAN("policy"));
		doc_set_str(c->arena, row->spec, "policyText", text);
		r = store_insert(c->store, c->arena, row);
	} else if (r == 0) {
		doc_set_str(c->arena, row->spec, "policyText", text);
		r = store_put_spec(c->store, row);
	}
	return r ? ecr_fail(c, r) : registry_answer(c, text);
}

static struct reply *
registry_policy(struct call *c, bool remove)
{
	struct res *row;
	int r = store_get(c->store, c->arena, &ecr_registry_policy, c->scope,
	    SPAN_NULL, SPAN("policy"), &row);

	if (r == STORE_E_NOT_FOUND)
		return reply_error(c, "RegistryPolicyNotFoundException",
		    "Registry policy does not exist in the registry with id "
		    "'%.*s'", SPAN_ARG(c->scope.account));
	if (r == 0 && remove)
		r = store_delete(c->store, row);
	if (r)
		return ecr_fail(c, r);
	return registry_answer(c, doc_get_str(row->spec, "policyText"));
}

struct reply *
get_registry_policy(struct call *c)
{
	return registry_policy(c, false);
}

struct reply *
delete_registry_policy(struct call *c)
{
	return registry_policy(c, true);
}

struct reply *
describe_registry(struct call *c)
{
	struct arena *a = c->arena;
	struct doc *d = doc_set_str(a, doc_obj(a), "registryId",
	    c->scope.account);

	return reply_ok(c, doc_set(a, d, "replicationConfiguration",
	    doc_set(a, doc_obj(a), "rules", doc_arr(a))));
}

struct reply *
get_registry_scanning_configuration(struct call *c)
{
	struct arena *a = c->arena;
	struct doc *d = doc_set_str(a, doc_obj(a), "registryId",
	    c->scope.account);
	struct doc *s = doc_set_str(a, doc_obj(a), "scanType", SPAN("BASIC"));

	doc_set(a, s, "rules", doc_arr(a));
	return reply_ok(c, doc_set(a, d, "scanningConfiguration", s));
}
