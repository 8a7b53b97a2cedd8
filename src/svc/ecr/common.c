/* Finding repositories, refusing in ECR's words, paging. */
#include "svc/ecr/ecr.h"

#include "base/err.h"

struct reply *
ecr_fail(struct call *c, int r)
{
	return reply_failure(c, r < 0 ? r : err_fold(r));
}

struct reply *
ecr_no_repository(struct call *c, struct span name)
{
	return reply_error(c, "RepositoryNotFoundException",
	    "The repository with name '%.*s' does not exist in the registry "
	    "with id '%.*s'", SPAN_ARG(name), SPAN_ARG(c->scope.account));
}

struct reply *
ecr_invalid(struct call *c, const char *where, const char *fmt, ...)
{
	const char *what;
	va_list ap;

	va_start(ap, fmt);
	what = arena_vfmt(c->arena, fmt, ap);
	va_end(ap);
	return reply_error(c, "InvalidParameterException",
	    "Invalid parameter at '%s' failed to satisfy constraint: '%s'",
	    where, what);
}

struct reply *
ecr_key(struct call *c, struct repo_key *ret)
{
	struct span id = doc_get_str(c->in, "registryId");
	struct span name = doc_get_str(c->in, "repositoryName");

	/* Other accounts' registries open up by their policies: a later
	 * concern of the authorisation stage. */
	if (id.n && !span_eq(id, c->scope.account))
		return reply_error(c, "AccessDeniedException",
		    "User: %.*s is not authorized to access the registry "
		    "with id '%.*s'", SPAN_ARG(c->who.arn), SPAN_ARG(id));
	*ret = (struct repo_key){c->store, c->scope, name};
	return NULL;
}

struct reply *
ecr_repo(struct call *c, struct repo_key *ret, struct res **ret_row)
{
	struct reply *no = ecr_key(c, ret);
	struct res *row;
	int r;

	if (no)
		return no;
	r = repo_get(ret, c->arena, &row);
	if (r == REPO_E_NO_REPO)
		return ecr_no_repository(c, ret->name);
	if (r)
		return ecr_fail(c, r);
	if (ret_row)
		*ret_row = row;
	return NULL;
}

struct doc *
ecr_out(struct call *c, const struct repo_key *k)
{
	struct doc *d = doc_obj(c->arena);

	doc_set_str(c->arena, d, "registryId", k->scope.account);
	return doc_set_str(c->arena, d, "repositoryName", k->name);
}

struct reply *
ecr_page(struct call *c, struct page *ret)
{
	struct span token = doc_get_str(c->in, "nextToken");

	ret->after = 0;
	ret->max = (size_t)doc_get_int(c->in, "maxResults", 100);
	if (token.n && !page_token_row(c, token, &ret->after))
		return ecr_invalid(c, "nextToken", "Invalid token");
	return NULL;
}
