/* Repositories and their settings. */
#include "base/clock.h"
#include "registry/ref.h"
#include "svc/ecr/ecr.h"

#define NAME_RULE \
	"(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*"

/* "127.0.0.1:4566" of "http://127.0.0.1:4566": see README. */
static struct span
endpoint(const struct call *c)
{
	ptrdiff_t i = span_find(c->origin, SPAN("://"));

	return i < 0 ? c->origin : span_from(c->origin, (size_t)i + 3);
}

static struct doc *
show(struct call *c, const struct res *r)
{
	static const char *const copied[] = {"imageTagMutability",
	    "imageTagMutabilityExclusionFilters", "imageScanningConfiguration",
	    "encryptionConfiguration"};
	struct arena *a = c->arena;
	struct doc *d = doc_obj(a);

	doc_set_str(a, d, "repositoryArn", r->arn);
	doc_set_str(a, d, "registryId", r->scope.account);
	doc_set_str(a, d, "repositoryName", r->id);
	doc_setf(a, d, "repositoryUri", "%.*s/%.*s", SPAN_ARG(endpoint(c)),
	    SPAN_ARG(r->id));
	doc_set_time(a, d, "createdAt", r->created);
	for (size_t i = 0; i < ARRAY_SIZE(copied); i++) {
		if (doc_get(r->spec, copied[i]))
			doc_set(a, d, copied[i],
			    doc_copy(a, doc_get(r->spec, copied[i])));
	}
	return d;
}

/* Puts mutability and its filters into the spec, or refuses. */
static struct reply *
set_mutability(struct call *c, struct doc *spec)
{
	struct span mode = doc_get_str(c->in, "imageTagMutability");
	const struct doc *filters =
	    doc_get(c->in, "imageTagMutabilityExclusionFilters");
	bool excludes = span_ends(mode, SPAN("_WITH_EXCLUSION"));

	if (excludes && doc_len(filters) == 0)
		return ecr_invalid(c, "imageTagMutabilityExclusionFilters",
		    "ImageTagMutabilityExclusionFilters can't be null when "
		    "imageTagMutability is set as %.*s", SPAN_ARG(mode));
	if (!excludes && doc_len(filters) > 0)
		return ecr_invalid(c, "imageTagMutabilityExclusionFilters",
		    "ImageTagMutabilityExclusionFilters can't be provided when "
		    "imageTagMutability is set as %.*s",
		    SPAN_ARG(mode.n ? mode : SPAN("MUTABLE")));
	doc_set_str(c->arena, spec, "imageTagMutability",
	    mode.n ? mode : SPAN("MUTABLE"));
	doc_set(c->arena, spec, "imageTagMutabilityExclusionFilters",
	    excludes ? doc_copy(c->arena, filters) : NULL);
	return NULL;
}

static struct doc *
scanning(struct call *c)
{
	const struct doc *in = doc_get(c->in, "imageScanningConfiguration");

	return doc_set_bool(c->arena, doc_obj(c->arena), "scanOnPush",
	    doc_get_bool(in, "scanOnPush", false));
}

static struct doc *
encryption(struct call *c)
{
	const struct doc *in = doc_get(c->in, "encryptionConfiguration");

	if (in)
		return doc_copy(c->arena, in);
	return doc_set_str(c->arena, doc_obj(c->arena), "encryptionType",
	    SPAN("AES256"));
}

struct reply *
create_repository(struct call *c)
{
	struct repo_key k;
	struct reply *no = ecr_key(c, &k);
	struct res *r;
	int e;

	if (no)
		return no;
	if (k.name.n < 2 || !ref_repo_ok(k.name))
		return ecr_invalid(c, "repositoryName",
		    "must satisfy regular expression '" NAME_RULE "'");
	r = res_new(c->arena, &ecr_repository, k.scope, SPAN_NULL, k.name);
	no = set_mutability(c, r->spec);
	if (no)
		return no;
	doc_set(c->arena, r->spec, "imageScanningConfiguration", scanning(c));
	doc_set(c->arena, r->spec, "encryptionConfiguration", encryption(c));
	e = store_insert(c->store, c->arena, r);
	if (e == STORE_E_EXISTS)
		return reply_error(c, "RepositoryAlreadyExistsException",
		    "The repository with name '%.*s' already exists in the "
		    "registry with id '%.*s'", SPAN_ARG(k.name),
		    SPAN_ARG(k.scope.account));
	if (e)
		return ecr_fail(c, e);
	no = ecr_put_tags(c, r, doc_get(c->in, "tags"));
	if (no)
		return no;
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena), "repository",
	    show(c, r)));
}

struct reply *
delete_repository(struct call *c)
{
	struct repo_key k;
	struct res *r;
	struct reply *no = ecr_repo(c, &k, &r);
	int e;

	if (no)
		return no;
	e = repo_delete(&k, c->arena, doc_get_bool(c->in, "force", false));
	if (e == REPO_E_NOT_EMPTY)
		return reply_error(c, "RepositoryNotEmptyException",
		    "The repository with name '%.*s' in registry with id "
		    "'%.*s' cannot be deleted because it still contains images",
		    SPAN_ARG(k.name), SPAN_ARG(k.scope.account));
	if (e)
		return ecr_fail(c, e);
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena), "repository",
	    show(c, r)));
}

static struct reply *
describe_named(struct call *c, const struct doc *names)
{
	struct doc *arr = doc_arr(c->arena);
	struct repo_key k = {c->store, c->scope, SPAN_NULL};
	struct res *row;
	int r;

	doc_each(name, names) {
		k.name = doc_span(name);
		r = repo_get(&k, c->arena, &row);
		if (r == REPO_E_NO_REPO)
			return ecr_no_repository(c, k.name);
		if (r)
			return ecr_fail(c, r);
		doc_push(arr, show(c, row));
	}
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena),
	    "repositories", arr));
}

struct reply *
describe_repositories(struct call *c)
{
	const struct doc *names = doc_get(c->in, "repositoryNames");
	struct doc *out = doc_obj(c->arena), *arr = doc_arr(c->arena);
	struct query q = {.kind = &ecr_repository, .scope = c->scope};
	struct res_list l;
	struct repo_key k;
	struct page page;
	struct reply *no = ecr_key(c, &k);
	int r;

	if (no)
		return no;
	if (doc_len(names) > 0)
		return describe_named(c, names);
	no = ecr_page(c, &page);
	if (no)
		return no;
	q.after = page.after;
	q.limit = page.max;
	r = store_list(c->store, c->arena, &q, &l);
	if (r)
		return ecr_fail(c, r);
	for (size_t i = 0; i < l.n; i++)
		doc_push(arr, show(c, l.v[i]));
	doc_set(c->arena, out, "repositories", arr);
	if (l.more)
		doc_set_str(c->arena, out, "nextToken",
		    page_token(c, l.v[l.n - 1]->row));
	return reply_ok(c, out);
}

struct reply *
put_image_tag_mutability(struct call *c)
{
	struct repo_key k;
	struct res *row;
	struct reply *no = ecr_repo(c, &k, &row);
	struct doc *out;
	int r;

	if (no == NULL)
		no = set_mutability(c, row->spec);
	if (no)
		return no;
	r = store_put_spec(c->store, row);
	if (r)
		return ecr_fail(c, r);
	out = ecr_out(c, &k);
	doc_set_str(c->arena, out, "imageTagMutability",
	    doc_get_str(row->spec, "imageTagMutability"));
	if (doc_get(row->spec, "imageTagMutabilityExclusionFilters"))
		doc_set(c->arena, out, "imageTagMutabilityExclusionFilters",
		    doc_copy(c->arena, doc_get(row->spec,
			"imageTagMutabilityExclusionFilters")));
	return reply_ok(c, out);
}

struct reply *
put_image_scanning_configuration(struct call *c)
{
	struct repo_key k;
	struct res *row;
	struct reply *no = ecr_repo(c, &k, &row);
	int r;

	if (no)
		return no;
	doc_set(c->arena, row->spec, "imageScanningConfiguration",
	    scanning(c));
	r = store_put_spec(c->store, row);
	if (r)
		return ecr_fail(c, r);
	return reply_ok(c, doc_set(c->arena, ecr_out(c, &k),
	    "imageScanningConfiguration", scanning(c)));
}
